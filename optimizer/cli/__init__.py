"""The `dsopt` command: parses and prints, decides nothing. Heavy modules are imported inside the commands."""

from __future__ import annotations

import _signal  # type: ignore[import-not-found] # what `signal` wraps: built in, where that imports enum and collections
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import Any

INTERRUPTED = 130
"""Exit code of Ctrl-C where there is no answer yet to show, as shells have it."""
RARELY = (400_000, 50, 50)
"""How often Python looks for cycles of objects: what a command imports and reads stays until it ends, so that looking
through it finds nothing."""
_pressed = False


def main() -> None:
    """Entry point: runs the app, turns InputError into its exit code, and an internal error into exit 1."""
    if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
        _signal.signal(_signal.SIGINT, _interrupt)
        sys.unraisablehook = _unraisable
    try:
        import atexit
        import gc

        # Nothing here uses pydantic's plugins, and looking for them opens every installed package: 20 ms.
        os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
        gc.set_threshold(*RARELY)
        atexit.register(gc.freeze)  # else Python looks for cycles in all that is about to go: 0.2 s of a small answer
        from optimizer.cli.streams import guard

        guard()
        code = _answered()
        sys.stdout.flush()
    except BaseException as e:
        code = _told(e)
    raise SystemExit(code)


def _answered() -> int:
    """Exit code of the command."""
    try:
        from optimizer.cli.app import app_for

        alone = len(sys.argv) < 4 and sys.stdin is not None and sys.stdin.isatty()
        arguments = _guided(sys.argv[1:]) if alone else sys.argv[1:]
        if arguments is not None:
            app_for(arguments)(arguments)
    except SystemExit as e:
        return e.code if isinstance(e.code, int) else 0 if e.code is None else 1
    return 0


def _guided(arguments: list[str]) -> list[str] | None:
    """What the answers of a dialogue ask for, where the command is called alone in a terminal; None where there are
    none. Else the arguments as they are."""
    from optimizer.cli import guide

    if not guide.wanted(arguments):
        return arguments
    from optimizer.cli.help_page import asked_language
    from optimizer.text.languages import choose

    choose(asked_language(arguments))
    found = guide.guided()
    return [*arguments, *found] if found else None


def _told(base_exception: BaseException) -> int:
    """Says on stderr what went wrong; its exit code."""
    if _pressed or isinstance(base_exception, KeyboardInterrupt):
        return INTERRUPTED  # also what a library made of it
    from catalogs.errors import InputError
    from catalogs.visible import one_line

    if isinstance(base_exception, InputError):
        for line in (*base_exception.faults, *base_exception.rest):
            print(f"dsopt: error: {line}", file=sys.stderr)
        return base_exception.exit_code
    if os.environ.get("DSOPT_DEBUG"):
        raise base_exception
    what = one_line(f"{type(base_exception).__name__}: {base_exception}"[:400])
    print(f"dsopt: internal error: {what}\nPlease report it; DSOPT_DEBUG=1 shows where.", file=sys.stderr)
    return 1


def _interrupt(number: int, frame: FrameType | None) -> None:
    """Ctrl-C: ends the command, at once while modules are imported: there is nothing to tidy up then, and an exception
    would come out as a broken import or be swallowed."""
    global _pressed
    _pressed = True
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            os._exit(INTERRUPTED)
        frame = frame.f_back
    raise KeyboardInterrupt


def _unraisable(found: Any) -> None:
    """Ctrl-C that fell into a callback of the interpreter, where no exception gets out."""
    if isinstance(found.exc_value, KeyboardInterrupt):
        os._exit(INTERRUPTED)
    sys.__unraisablehook__(found)
