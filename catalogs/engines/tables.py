"""The CSV files of this folder: read once, every row checked, faults named by file, row and column."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, TypeVar

from catalogs.errors import Fault, InputError
from catalogs.inputs import shipped_rows

Record = TypeVar("Record")
FOLDER = Path(__file__).parent
NEWEST = (10**6,)
"""A release later than any."""


@cache
def table(name: str) -> tuple[dict[str, str], ...]:
    """Rows of catalogs/engines/<name>.csv. Raises InputError for a row with more or fewer cells than columns."""
    rows = shipped_rows(FOLDER / f"{name}.csv")
    for number, row in enumerate(rows, 2):
        if None in row or None in row.values():
            raise InputError(Fault("bad-row", "has not one cell per column", f"{name}.csv", number))
    return rows


def read(name: str, make: Callable[[dict[str, str]], Record]) -> tuple[Record, ...]:
    """The rows of a file as records; raises InputError that names the file and the row of what `make` refuses."""
    out = []
    for number, row in enumerate(table(name), 2):
        try:
            out.append(make(row))
        except (KeyError, ValueError) as e:
            raise InputError(Fault("bad-engine-data", f"cannot be read: {e}", f"{name}.csv", number)) from None
    return tuple(out)


@lru_cache(maxsize=4096)
def release_of(text: str) -> tuple[int, ...]:
    """A release as numbers that compare: `0.5.8.post1` -> (0, 5, 8). One without a number (`main`) is the newest."""
    found = re.match(r"v?(\d+(?:\.\d+)*)(?![0-9a-f]*[a-f])", text.strip())
    return tuple(int(x) for x in found[1].split(".")) if found else NEWEST


def within(release: tuple[int, ...], first: str, last: str) -> bool:
    """Whether a release lies in a span of releases; both ends count, a blank end is open."""
    bottom, top = release_of(first), release_of(last)
    return (not first or release >= bottom) and (not last or release[: len(top)] <= top)


def day_of(text: str) -> datetime.date:
    """A date of a row; raises ValueError."""
    return datetime.date.fromisoformat(text)


@lru_cache(maxsize=4096)
def split(text: str) -> tuple[str, ...]:
    """The items of a cell `a|b`."""
    return tuple(x.strip() for x in text.split("|") if x.strip())


def sourced(row: dict[str, Any]) -> str:
    """The source of a row; raises ValueError where none is given."""
    if not row["source"]:
        raise ValueError("no source")
    return str(row["source"])
