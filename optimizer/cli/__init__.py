"""The `dsopt` command: parses and prints, decides nothing. Heavy modules are imported inside the commands."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Entry point: runs the app, turns InputError into its exit code, and an internal error into exit 1."""
    from catalogs.errors import InputError
    from optimizer.cli.app import app

    try:
        app()
    except InputError as e:
        for fault in e.faults:
            print(f"dsopt: error: {fault}", file=sys.stderr)
        raise SystemExit(e.exit_code) from None
    except BrokenPipeError:
        raise SystemExit(0) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except Exception as e:
        if os.environ.get("DSOPT_DEBUG"):
            raise
        what = f"{type(e).__name__}: {e}".splitlines()[0][:400]
        print(f"dsopt: internal error: {what}\nPlease report it; DSOPT_DEBUG=1 shows where.", file=sys.stderr)
        raise SystemExit(1) from None
