"""Printing: data to stdout, messages to stderr, files written whole or not at all."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from catalogs.errors import Fault, InputError


def note(text: str) -> None:
    """A message for people: stderr."""
    print(text, file=sys.stderr)


def emit_json(data: Any) -> None:
    """JSON on stdout."""
    print(json.dumps(data, ensure_ascii=False, indent=2))


def write_atomic(path: Path, text: str) -> None:
    """Write beside the target, then rename; raises InputError when the place can't be written."""
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent or Path("."), prefix=f".{path.name}.")
    except OSError as e:
        raise InputError(
            Fault("not-writable", f"cannot write: {e.strerror}", str(path), remedy="Name a writable place.")
        ) from None
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except OSError as e:
        Path(temporary).unlink(missing_ok=True)
        raise InputError(
            Fault("not-writable", f"cannot write: {e.strerror}", str(path), remedy="Name a writable place.")
        ) from None


def table(header: list[str], rows: list[list[str]], right: set[int] | None = None) -> None:
    """A plain table; columns in `right` are right-aligned. Rich is imported only here."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    t = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for i, h in enumerate(header):
        t.add_column(h, justify="right" if i in (right or set()) else "left", overflow="fold")
    for row in rows:
        t.add_row(*row)
    width = None if sys.stdout.isatty() else 140
    Console(width=width, highlight=False, markup=False).print(t)
