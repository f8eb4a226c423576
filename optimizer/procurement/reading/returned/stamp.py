"""What a request for quotation says of itself in the workbook's custom properties: its lines with parts, numbers and
hashes of their texts, where bidders write, and a seal over all of it.

Hidden columns would do the same and look suspicious; properties stay when a workbook is edited and saved. The seal is
no signature: it shows what was changed by accident or by hand, and the buyer's own copy has the same one."""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

PREFIX = "dsopt.rfq"
VERSION = "1"
MARK = b"dsopt.rfq"
ROWS_AT_ONCE = 15
"""Of a property, which holds 255 characters."""
SHORT = 12
"""Digits of a hash."""
MOST_PROPERTIES = 1_000_000
"""Bytes of the part of a workbook that holds its properties."""


@dataclass(frozen=True)
class AskedLine:
    """A line that is asked for: its row, the catalog's part or `service:KIND`, pieces, hash of its texts."""

    row: int
    part: str
    qty: int
    text_hash: str


@dataclass(frozen=True)
class SheetStamp:
    """A sheet by its place in the workbook. Columns from `first_input` on (from 0) are the bidder's; `rows`: row ->
    hash of the texts before them."""

    place: int
    first_input: int
    rows: Mapping[int, str]


@dataclass(frozen=True)
class Stamp:
    """All of it. `columns`: field -> column of sheet `lines` (from 0); `cells`: fact -> cell of sheet `facts`."""

    number: str
    lines: tuple[AskedLine, ...]
    lines_sheet: int
    columns: Mapping[str, int]
    facts_sheet: int
    cells: Mapping[str, str]
    sheets: tuple[SheetStamp, ...]

    def properties(self) -> dict[str, str]:
        """As properties of a workbook, the seal among them."""
        out = {
            "version": VERSION,
            "number": self.number,
            "lines": str(self.lines_sheet),
            "facts": str(self.facts_sheet),
        }
        out |= {f"line.{k}": f"{x.row}|{x.part}|{x.qty}|{x.text_hash}" for k, x in enumerate(self.lines, 1)}
        out |= {f"column.{field}": str(column) for field, column in self.columns.items()}
        out |= {f"cell.{field}": cell for field, cell in self.cells.items()}
        for sheet in self.sheets:
            out[f"sheet.{sheet.place}"] = str(sheet.first_input)
            rows = sorted(sheet.rows.items())
            for k in range(0, len(rows), ROWS_AT_ONCE):
                text = ",".join(f"{row}:{digest}" for row, digest in rows[k : k + ROWS_AT_ONCE])
                out[f"rows.{sheet.place}.{k // ROWS_AT_ONCE}"] = text
        out["seal"] = seal(out)
        return {f"{PREFIX}.{name}": text for name, text in out.items()}


def plain(value: Any) -> str:
    """A cell's content as every program writes it back: numbers without zeros at the end, text without outer blanks."""
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return re.sub(r"\s+", " ", str(value)).strip()
    text = f"{Decimal(str(value)):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def text_hash(cells: Iterable[Any]) -> str:
    """Of the contents of cells, in their order."""
    whole = "\x1f".join(map(plain, cells))
    return hashlib.sha256(whole.encode()).hexdigest()[:SHORT]


def seal(properties: Mapping[str, str]) -> str:
    """Over all properties but the seal itself."""
    whole = "\x1e".join(f"{name}={text}" for name, text in sorted(properties.items()) if name != "seal")
    return hashlib.sha256(whole.encode()).hexdigest()[:16]


def is_returned(path: Path) -> bool:
    """Whether a file is a workbook with such properties. Opens only what is small and there."""
    try:
        with zipfile.ZipFile(path) as book:
            info = book.getinfo("docProps/custom.xml")
            return info.file_size <= MOST_PROPERTIES and MARK in book.read(info)
    except (OSError, KeyError, zipfile.BadZipFile, ValueError, RuntimeError, NotImplementedError, EOFError):
        return False


def stamp_of(properties: Mapping[str, str]) -> Stamp | None:
    """The stamp out of properties; None where they don't hold together: another seal, another version, half of it."""
    own = {name.removeprefix(f"{PREFIX}."): text for name, text in properties.items() if name.startswith(f"{PREFIX}.")}
    if own.get("version") != VERSION or own.get("seal") != seal(own):
        return None
    try:
        return Stamp(
            number=own["number"],
            lines=tuple(_line(own[f"line.{k}"]) for k in range(1, 1 + sum(x.startswith("line.") for x in own))),
            lines_sheet=int(own["lines"]),
            columns={name[7:]: int(text) for name, text in own.items() if name.startswith("column.")},
            facts_sheet=int(own["facts"]),
            cells={name[5:]: text for name, text in own.items() if name.startswith("cell.")},
            sheets=tuple(_sheet(int(name[6:]), text, own) for name, text in own.items() if name.startswith("sheet.")),
        )
    except (KeyError, ValueError):
        return None


def _line(text: str) -> AskedLine:
    row, part, qty, digest = text.split("|")
    return AskedLine(int(row), part, int(qty), digest)


def _sheet(place: int, first_input: str, own: Mapping[str, str]) -> SheetStamp:
    rows: dict[int, str] = {}
    for name, text in own.items():
        if name.startswith(f"rows.{place}.") and text:
            rows |= {int(row): digest for row, digest in (pair.split(":") for pair in text.split(","))}
    return SheetStamp(place, int(first_input), rows)


def workbook_of(data: bytes) -> Any:
    """A workbook by the values of its cells."""
    import openpyxl

    return openpyxl.load_workbook(io.BytesIO(data), data_only=True)


def properties_of(book: Any) -> dict[str, str]:
    """Texts of a workbook's custom properties by their names."""
    return {prop.name: str(prop.value) for prop in book.custom_doc_props.props if prop.value is not None}


def protected_rows(sheet: Any, first_input: int) -> dict[int, str]:
    """Row -> hash of its cells before the bidder's columns, of rows that hold any."""
    out = {}
    for cells in sheet.iter_rows(min_col=1, max_col=max(1, first_input)):
        values = [cell.value for cell in cells]
        if any(plain(value) for value in values):
            out[cells[0].row] = text_hash(values)
    return out
