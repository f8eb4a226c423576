"""Printing: data to stdout, messages to stderr."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from catalogs.errors import Fault, InputError


def note(text: str) -> None:
    """A message for people: stderr."""
    print(text, file=sys.stderr)


def emit_json(data: Any) -> None:
    """JSON on stdout."""
    print(json.dumps(data, ensure_ascii=False, indent=2))


def free(path: Path, force: bool) -> None:
    """Raises InputError for an output that is there already, unless it may be written over."""
    if path.exists() and not force:
        raise InputError(Fault("output-exists", "is there already", str(path), remedy="Give --force to write over it."))


def padded(text: str, width: int, right: bool = False) -> str:
    """Filled up with spaces to cells of a terminal, of which a Chinese character takes two."""
    from rich.cells import cell_len

    space = " " * (width - cell_len(text))
    return space + text if right else text + space


def speak(language: str) -> None:
    """Chooses the language; raises InputError for one that is none."""
    from optimizer.i18n import choose

    if language not in ("en", "zh"):
        raise InputError(Fault("bad-language", "is none", column="--lang", value=language, remedy="One of: en, zh."))
    choose(language)


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
