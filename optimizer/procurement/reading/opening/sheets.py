"""What any file of a vendor becomes: sheets of rows of plain cells."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from optimizer.procurement.reading.opening.sheet_facts import Facts
from optimizer.text.amounts import MOST

Cell = str | Decimal | bool | date


@dataclass(frozen=True)
class Row:
    """One row with content: its number in the spreadsheet and its filled cells by column (from 1)."""

    number: int
    cells: dict[int, Cell]
    hidden: bool = False

    @property
    def text(self) -> str:
        return " | ".join(str(cell) for cell in self.cells.values())[:200]


@dataclass(frozen=True)
class Sheet:
    """A sheet's rows with content, top down; `merged` is (first row, first column, last row, last column) from 1."""

    name: str
    rows: tuple[Row, ...]
    hidden: bool = False
    merged: tuple[tuple[int, int, int, int], ...] = ()
    facts: Facts = field(default_factory=Facts)
    older: bool = False
    """Whether it is an older message that the file quotes: read only where nothing else holds a table."""


@dataclass(frozen=True)
class Tables:
    """All sheets of a file; `encoding` and `delimiter` of a text; notices as (code, text)."""

    format: str
    sheets: tuple[Sheet, ...]
    notices: tuple[tuple[str, str], ...]
    encoding: str = ""
    delimiter: str = ""


def sheet_of(data: dict[str, Any], extra: Facts) -> Sheet:
    """A sheet as a child process gives it."""
    rows = tuple(
        Row(n, {int(c): v for c, x in cells.items() if (v := _value(x)) != ""}, n in extra.hidden_rows)
        for n, cells in data["rows"]
    )
    extra.struck.update((row, column) for row, column in data.get("struck", ()))
    merged = tuple((a + 1, b + 1, c + 1, d + 1) for a, b, c, d in data["merged"])
    kept = tuple(row for row in rows if row.cells)
    return Sheet(data["name"], kept, data["hidden"], merged, extra, data.get("older", False))


def _value(x: Any) -> Cell:
    if isinstance(x, dict):
        return date.fromisoformat(x["day"])
    if isinstance(x, bool):
        return x
    if isinstance(x, int | float):
        if not abs(x) < MOST:  # also what is no number: nan
            return f"{x:.0f}"  # in full, for 1e+16 would be read as 1
        # 15 significant digits are what a spreadsheet shows and means; a binary tail is none of the vendor's.
        return Decimal(f"{x:.15g}") if abs(x) < 1e15 else Decimal(repr(x))
    return str(x).strip()


def runs_of(numbers: Iterable[int]) -> str:
    """1, 2, 3, 7 -> `1-3, 7`."""
    runs: list[list[int]] = []
    for n in sorted(numbers):
        if runs and n == runs[-1][1] + 1:
            runs[-1][1] = n
        else:
            runs.append([n, n])
    return ", ".join(f"{a}-{b}" if b > a else str(a) for a, b in runs[:20])
