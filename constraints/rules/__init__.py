"""The rules: one per file, `encode` into CP-SAT and `check` on a finished build. registry.py lists them all."""
