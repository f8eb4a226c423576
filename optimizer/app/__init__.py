"""The local web app (`dsopt app`, extra `dsopt[app]`): pages and a JSON API over the functions of optimizer.library.

Nothing of it is imported by the library or by other commands. docs/app.md says what it does and how it is kept safe."""
