"""Printing: data to stdout, messages to stderr."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, TextIO

from catalogs.errors import Fault, InputError
from catalogs.files import check_writable, write_bytes, write_text, written_json
from catalogs.visible import visible
from optimizer.cli.progress import wipe
from optimizer.cli.streams import obeyed
from optimizer.cli.wrapped import UNKNOWN, blocks, columns_asked, fits, labelled, screen_width, titled, wrapped
from optimizer.text.languages import chosen

_rows_said = 0
FILE_LIKE = re.compile(r"[/\\]|\.\w{2,5}$")
"""A text that may name a file, and not a model or a workload."""


def note(text: str) -> None:
    """A message for people: stderr."""
    wipe()
    _print(_fitted(text, sys.stderr), sys.stderr)


def note_sentence(text: str) -> None:
    """A sentence of the product as a note, in the language chosen: stderr."""
    words = chosen()
    note(f"{words('note')}{words.colon}{words.sentence(text)}")


def say(text: str) -> None:
    """A sentence of an answer on stdout, its lines as long as the terminal is wide."""
    wipe()
    _print(_fitted(text, sys.stdout), sys.stdout)


def _print(text: str, stream: TextIO) -> None:
    global _rows_said
    _rows_said += text.count("\n") + 1
    print(text, file=stream, flush=True)


def rows_said() -> int:
    """Lines that sentences of this command took so far."""
    return _rows_said


def screen_of(stream: TextIO) -> int | None:
    """Cells of a line: of the terminal, or as the environment asks (COLUMNS); None where lines are not broken."""
    return screen_width(stream) or columns_asked()


def say_labelled(label: str, text: str, cells: int) -> None:
    """A label and what it stands for on stdout, the text's further lines under its first."""
    wipe()
    print(labelled(label, visible(text), cells, screen_width(sys.stdout)), flush=True)


def narrow(least: int) -> bool:
    """Whether stdout is a terminal of fewer than `least` columns, or the environment asks for fewer."""
    return (screen_of(sys.stdout) or UNKNOWN) < least


def _fitted(text: str, stream: TextIO) -> str:
    width = screen_of(stream)
    return wrapped(text, width) if width else text


def emit_json(data: Any) -> None:
    """Print JSON."""
    emit_data(written_json(data) + "\n")


def emit_data(text: str) -> None:
    """Data for programs (JSON, CSV) on stdout: UTF-8 whatever the terminal's encoding is."""
    buffer = getattr(sys.stdout, "buffer", None)
    if buffer is None:
        sys.stdout.write(text)
        return
    sys.stdout.flush()
    buffer.write(text.encode("utf-8", "backslashreplace"))
    buffer.flush()


def save(path: Path, content: str | bytes, force: bool) -> None:
    """Writes an output that `free` has tried, whole or not at all; without --force a file that came meanwhile stays."""
    if isinstance(content, str):
        write_text(path, content, force=force)
    else:
        write_bytes(path, content, force=force)


def free(path: Path, force: bool) -> None:
    """Tries an output before the work is done. Raises InputError for a place that can't be written (not-writable), a
    file that is there already without --force (output-exists), and a file that the command reads (output-is-input)."""
    _no_input(path)
    check_writable(path, force=force)


def free_folder(
    folder: Path, names: Sequence[str], force: bool, remedy: str = "Give --force to overwrite a calibration."
) -> None:
    """As `free` for a folder that takes the files `names`; one that is not there will be made. `remedy`: of a folder
    that is not empty."""
    if folder.exists() and not folder.is_dir():
        raise InputError(Fault("not-writable", "is a file", str(folder), remedy="Name a folder with -o."))
    try:
        filled = folder.is_dir() and any(folder.iterdir())
    except OSError as e:
        text = f"cannot write: {e.strerror}"
        raise InputError(Fault("not-writable", text, str(folder), remedy="Name a folder with -o.")) from None
    if filled and not force:
        raise InputError(Fault("output-exists", "is not empty", str(folder), remedy=remedy))
    for name in names:
        _no_input(folder / name, folder)
    made = next((x for x in (folder, *folder.parents) if os.path.lexists(x)), folder)
    check_writable(made / names[0], force=True)


def _no_input(path: Path, folder: Path | None = None) -> None:
    """Refuses to overwrite what the same command line names as an input, or as another output. `folder`: an output that
    is named itself and takes the path."""
    real = os.path.realpath(path)
    for name, value in _parameters().items():
        for given in value if isinstance(value, (list, tuple)) else [value]:
            if given is not path and given is not folder and any(_is(real, named) for named in _files(given)):
                text = f"is also given as {name.rstrip('_')}"
                raise InputError(Fault("output-is-input", text, str(path), remedy="Name another file for the output."))


def _parameters() -> dict[str, Any]:
    """The options and arguments of the command that runs; empty outside of one."""
    try:
        from typer._click.globals import get_current_context
    except ImportError:  # typer before it had its own click
        from click import get_current_context  # type: ignore[no-redef]
    context = get_current_context(silent=True)
    return dict(context.params) if context is not None else {}


def _files(given: Any) -> list[str]:
    """What a value of the command line may name: a path, or the file of `NAME=FILE` and of options that take either a
    word or a file."""
    if isinstance(given, Path):
        return [str(given)]
    texts = [given, given.rpartition("=")[2]] if isinstance(given, str) else []
    return [x for x in texts if FILE_LIKE.search(x) and os.path.isfile(x)]


def _is(real: str, named: str) -> bool:
    """Whether a name on the command line means the file `real`, or a folder of catalog files that it is one of."""
    try:
        other = os.path.realpath(named)
        if os.path.isdir(other):
            return os.path.dirname(real) == other and os.path.isfile(real)
        return other == real or (os.path.exists(real) and os.path.exists(other) and os.path.samefile(real, other))
    except (OSError, ValueError):
        return False


def padded(text: str, width: int, right: bool = False) -> str:
    """Filled up with spaces to cells of a terminal, of which a Chinese character takes two."""
    from rich.cells import cell_len

    space = " " * (width - cell_len(text))
    return space + text if right else text + space


def speak(language: str) -> None:
    """Chooses the language; raises InputError for one that is none."""
    from optimizer.text.languages import choose

    known_language(language, ("en", "zh"))
    choose(language)


def known_language(language: str | None, known: Sequence[str]) -> None:
    """Raises InputError for a --lang that is none of those known."""
    if language is not None and language not in known:
        from catalogs.nearest import one_of

        remedy = one_of(language, known)
        raise InputError(Fault("bad-language", "is none", column="--lang", value=language, remedy=remedy))


def table(header: list[str], rows: list[list[str]], right: set[int] | None = None, keys: int = 1) -> None:
    """A plain table; columns in `right` are right-aligned, the first `keys` name a row. Rich is imported only here."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    wipe()
    cells, figures = [list(map(visible, row)) for row in rows], right or set()
    width = screen_of(sys.stdout) or UNKNOWN
    console = Console(file=obeyed(sys.stdout), width=width, highlight=False, markup=False)
    if not fits(found := blocks(header, cells, figures, width, keys), width):
        return _stacked(header, cells, width)
    for block in found:
        t = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for i, wide in block.items():
            side: Literal["left", "right"] = "right" if i in figures else "left"
            t.add_column(titled(header[i], wide), justify=side, overflow="fold", width=wide)
        for row in cells:
            t.add_row(*(wrapped(row[i], wide) for i, wide in block.items()))
        console.print(t)


def _stacked(header: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> None:
    """A table on a screen that is too narrow for two columns: each cell in lines of its own, below its row's name."""
    colon = chosen().colon
    print()
    for row in rows:
        print(wrapped(row[0], width))
        for title, cell in zip(header[1:], row[1:], strict=True):
            if cell:
                print(wrapped(f" {title}{colon if title else ''}{cell}", width))
    print()
