"""Records of a catalog: the rows of a CSV file as text, and a row of text as the part, offer or bundle it describes."""

from __future__ import annotations

import csv
import difflib
import hashlib
import io
import os
import types
import typing
from collections import Counter
from dataclasses import dataclass
from enum import Enum
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ValidationError

from catalogs.errors import Fault, Faults, InputError
from catalogs.inputs import CATALOG_BYTES, read_bytes
from catalogs.refused_value import in_words
from catalogs.schema import Contained


@dataclass(frozen=True)
class Place:
    """Where a row stands: its file and, of a file, its number as a spreadsheet counts."""

    file: str
    row: int | None


REMEDIES = {
    "price": "A number with a point, no currency and no thousands: 1700.00.",
    "date": "For example 2026-11-24.",
    "confidence": "One of list, contract, street, sold, estimate.",
    "holds_for": "configured (inside a configured machine), loose, or blank for both.",
    "country": "Two letters of ISO 3166, such as CN; blank where it is unknown.",
    "markets": "Where it is sold, such as CN or EU|UK; or where it is not, !CN; blank where it is sold everywhere.",
    "onboard_lan": "Ports, Gbit/s and connector: 2*10:RJ45.",
    "breaks": "From how many pieces on, and the price of each: 10:95.00|100:90.00.",
}
"""What a cell of a column should hold."""


def csv_files(folder: Path) -> list[Path]:
    """The folder's CSV files by name. Raises InputError for a folder that can't be looked into."""
    try:
        return sorted(folder / name for name in os.listdir(folder) if name.endswith(".csv"))
    except OSError as e:
        raise InputError(f"catalog folder {str(folder)!r} cannot be read: {e.strerror}", "unreadable-file") from None


def csv_rows(
    path: Path, cls: type[BaseModel], digest: hashlib._Hash, faults: Faults
) -> list[tuple[int, dict[str, str]]]:
    try:
        raw = read_bytes(path, CATALOG_BYTES, regular=True)
    except InputError as e:
        faults += e.faults
        return []
    digest.update(path.name.encode() + b"\0" + raw)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as e:
        faults.append(Fault("not-utf8", f"byte {e.start} is not UTF-8 text", str(path), remedy="Save it as CSV UTF-8."))
        return []
    if "\0" in text:
        faults.append(Fault("binary-file", "holds binary data", str(path), remedy="Save it as CSV UTF-8."))
        return []
    reader = csv.reader(io.StringIO(text, newline=""))  # splits at line ends alone, not at U+2028 within a cell
    try:
        lines = [(reader.line_num, cells) for cells in reader if any(cells)]
    except csv.Error as e:
        faults.append(Fault("bad-csv", str(e), str(path), reader.line_num))
        return []
    if not lines:
        faults.append(Fault("empty-file", "has no header row", str(path)))
        return []
    header = [h.strip() for h in lines[0][1]]
    if len(header) == 1 and (sign := next((x for x in ";\t|" if x in header[0]), "")):
        text_ = f"its cells are separated by {'tabs' if sign == chr(9) else repr(sign)}, not by commas"
        faults.append(Fault("bad-csv", text_, str(path), lines[0][0], remedy="Save it as CSV with commas."))
        return []
    if not header_is_good(header, cls, Place(str(path), lines[0][0]), faults):
        return []
    rows = []
    for number, raw_cells in lines[1:]:
        cells = [c.strip() for c in raw_cells]
        if len(cells) == len(header):
            if row := {h: c for h, c in zip(header, cells, strict=True) if c}:
                rows.append((number, row))
        elif any(cells):
            text_ = f"{len(cells)} cells where the header has {len(header)}"
            faults.append(Fault("truncated-row", text_, str(path), number, remedy="Quote cells that hold commas."))
    return rows


def header_is_good(header: list[str], cls: type[BaseModel], place: Place, faults: Faults) -> bool:
    """Whether each column is known, stands once, and none that is needed is missing; `faults` says what is wrong."""
    before = len(faults) + faults.more
    for name in sorted(h for h, times in Counter(header).items() if times > 1):
        remedy = "Keep one of them."
        faults.append(Fault("doubled-column", "stands twice", place.file, place.row, name, remedy=remedy))
    first = None if place.row is None else 1
    for name in header:
        if name not in cls.model_fields:
            near = [] if faults.full else difflib.get_close_matches(name, list(cls.model_fields), n=1)
            remedy = f"Nearest column: {near[0]}." if near else "Remove the column."
            faults.append(Fault("unknown-column", "unknown column", place.file, first, name, remedy=remedy))
    for name, info in cls.model_fields.items():
        if info.is_required() and name not in header and name != "kind":
            faults.append(Fault("missing-column", "required column is missing", place.file, first, name))
    return len(faults) + faults.more == before


@cache
def list_fields(cls: type[BaseModel]) -> frozenset[str]:
    def is_tuple(t: object) -> bool:
        if typing.get_origin(t) in (typing.Union, types.UnionType):
            return any(is_tuple(a) for a in typing.get_args(t))
        return typing.get_origin(t) is tuple

    return frozenset(n for n, f in cls.model_fields.items() if is_tuple(f.annotation))


def record(
    cls: type[BaseModel], row: dict[str, str], file: str, number: int | None, faults: Faults
) -> BaseModel | None:  # fmt: skip
    """What a row of text describes; None, with the reasons in `faults`, where a cell holds what it can't."""
    data: dict[str, object] = {**row}
    for name in list_fields(cls) & row.keys():
        data[name] = tuple(row[name].split("|"))
    for column in ("contents", "parts"):
        if column in row:
            pairs = [c.partition("*") for c in row[column].split("|")]
            data[column] = [{"qty": a, "part": b} for a, _, b in pairs]
    try:
        return cls.model_validate(data)
    except ValidationError as e:
        for err in e.errors(include_url=False):
            column = str(err["loc"][0]) if err["loc"] else ""
            value = "" if err["type"] == "missing" else str(err.get("input", ""))[:80]
            remedy = REMEDIES.get(column, "")
            faults.append(Fault("bad-value", in_words(err), file, number, column, value, remedy))
        return None


def cell_value(value: object) -> object:
    """A field of a part or an offer as a cell."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Contained):
        return f"{value.qty}*{value.part}"
    return "|".join(str(cell_value(x)) for x in value) if isinstance(value, tuple) else value
