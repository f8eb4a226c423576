"""Files read: whole, within a size, and never by surprise. Every file that a user names comes in through here.

What `stat` says of a size is not believed (files of /proc say 0): one byte more than the limit is asked for. Folders,
sockets and devices that never end are refused; a pipe is read to its end."""

from __future__ import annotations

import csv
import itertools
import os
import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from catalogs import json_text
from catalogs.errors import Fault, InputError
from catalogs.nearest import nearest

CATALOG_BYTES = 200_000_000
"""A catalog's CSV, and a table of configurations or of measurements."""
RESULT_BYTES = 50_000_000
LIST_BYTES = 20_000_000
"""A CSV that a person keeps: parts in hand, approved parts, exchange rates, spares."""
SETTINGS_BYTES = 4_000_000
"""A build.toml, a policy, weights, a map.toml, a config.json."""
MOST_COLUMNS = 1_000
"""Of a CSV; the widest that dsopt knows has some 60."""
MOST_NAMES = 10_000
"""Of a folder, that a name of no file is held against."""
MOST_NESTING = 100
"""Levels of tables and lists within each other; a saved result has 9."""


def read_bytes(
    path: Path, most_bytes: int, *, code: str = "", column: str = "", regular: bool = False, remedy: str = ""
) -> bytes:
    """The bytes of a file of at most `most_bytes`; `regular`: pipes are refused too (files that were not named one by
    one). `column`: the option that names it. Raises InputError: no-file, unreadable-file (or `code` for both) or
    too-large."""

    def refuse(usual: str, text: str, how: str = "") -> InputError:
        return InputError(Fault(code or usual, text, str(path), column=column, remedy=how or remedy))

    def too_large(text: str) -> InputError:
        return InputError(Fault("too-large", text, str(path), column=column))

    try:
        kind = os.stat(path).st_mode
        if stat.S_ISDIR(kind):
            raise refuse("no-file", "is a folder", "Name a file.")
        if stat.S_ISSOCK(kind) or stat.S_ISBLK(kind) or (regular and not stat.S_ISREG(kind)):
            raise refuse("unreadable-file", "is no regular file", "Save what it holds as a file.")
        with open(path, "rb") as file:
            data = file.read(most_bytes + 1)
    except FileNotFoundError:
        raise refuse("no-file", "cannot be read: No such file or directory", remedy or _where_it_may_be(path)) from None
    except (OSError, ValueError) as e:
        raise refuse("unreadable-file", f"cannot be read: {getattr(e, 'strerror', None) or e}") from None
    except MemoryError:
        raise too_large("does not fit into memory") from None
    if len(data) > most_bytes:
        raise too_large(f"is larger than {most_bytes / 1e6:g} MB")
    return data


def _where_it_may_be(path: Path) -> str:
    """The remedy for a name of no file: the nearest name in its folder, of the same ending where there is one."""
    folder = path.parent
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in itertools.islice(entries, MOST_NAMES) if not entry.is_dir()]
    except OSError:
        return f"There is no folder {folder}."
    alike = [name for name in names if Path(name).suffix.casefold() == path.suffix.casefold()]
    near = nearest(path.name, alike) or nearest(path.name, names)
    return f"Nearest: {folder / near}." if near else f"No name in {folder.resolve()} is like it."


def read_text(
    path: Path, most_bytes: int, *, code: str = "", column: str = "", remedy: str = "Save it as UTF-8."
) -> str:
    """UTF-8 text, with or without a byte order mark. Raises InputError as `read_bytes`, and not-utf8."""
    data = read_bytes(path, most_bytes, code=code, column=column)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as e:
        text = f"is no UTF-8 text (byte {e.start})"
        raise InputError(Fault(code or "not-utf8", text, str(path), column=column, remedy=remedy)) from None


def shipped_rows(path: Path) -> tuple[dict[str, str], ...]:
    """The rows of a table that comes with dsopt: UTF-8, commas, a header. A person's own CSV is read by what looks
    for its faults (optimizer/text/csv_table.py, catalogs/load.py); a shipped one has none that tests don't find."""
    with path.open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


def parsed_json(text: str, path: Path | str, code: str = "not-json", remedy: str = "", *, endless: bool = False) -> Any:
    """The values of a JSON text; raises InputError for what is none, nests deeper than MOST_NESTING, or holds half a
    character. `endless`: NaN and Infinity are read, as texts."""
    try:
        data = json_text.loads(text, endless=endless)
    except (ValueError, RecursionError) as e:
        raise InputError(Fault(code, f"is not JSON: {_why(e)}", str(path), remedy=remedy)) from None
    _sound(data, path, code, remedy)
    return data


def parsed_toml(text: str, path: Path | str, code: str = "bad-toml", remedy: str = "", column: str = "") -> Any:
    """The values of a TOML text; raises InputError as `parsed_json`."""
    try:
        data = tomllib.loads(text)
    except (ValueError, RecursionError) as e:  # a number of 5,000 digits is a plain ValueError
        raise InputError(Fault(code, f"is no TOML: {_why(e)}", str(path), column=column, remedy=remedy)) from None
    _sound(data, path, code, remedy)
    return data


def read_json(
    path: Path, most_bytes: int = RESULT_BYTES, code: str = "not-json", remedy: str = "", *, endless: bool = False
) -> Any:
    """The values of a JSON file. `endless`: NaN and Infinity are read, as texts."""
    try:
        text = read_text(path, most_bytes)
    except InputError as e:
        if e.faults[0].code != "not-utf8":
            raise
        raise InputError(Fault(code, "is not JSON: no UTF-8 text", str(path), remedy=remedy)) from None
    return parsed_json(text, path, code, remedy, endless=endless)


def read_toml(path: Path, code: str = "bad-toml", remedy: str = "", column: str = "") -> dict[str, Any]:
    """The values of a TOML file."""
    found: dict[str, Any] = parsed_toml(read_text(path, SETTINGS_BYTES, column=column), path, code, remedy, column)
    return found


def _why(e: Exception) -> str:
    if isinstance(e, RecursionError):
        return "it nests too deep"
    return "it holds a number of thousands of digits" if "integer string conversion" in str(e) else str(e)[:200]


def _sound(data: Any, path: Path | str, code: str, remedy: str) -> None:
    """Refuses what would break later: in the depth of a validator, or on the way out."""
    level, depth = [data], 0
    while level:
        if depth == MOST_NESTING and any(isinstance(x, (Mapping, list)) for x in level):
            text = f"nests tables and lists more than {MOST_NESTING} deep"
            raise InputError(Fault(code, text, str(path), remedy=remedy))
        inner: list[Any] = []
        for x in level:
            if isinstance(x, Mapping):
                inner += x.keys()
                inner += x.values()
            elif isinstance(x, list):
                inner += x
            elif isinstance(x, str) and not x.isascii():
                _whole(x, path, code, remedy)
        level, depth = inner, depth + 1


def _whole(text: str, path: Path | str, code: str, remedy: str) -> None:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise InputError(Fault(code, "holds half a character", str(path), value=text[:60], remedy=remedy)) from None
