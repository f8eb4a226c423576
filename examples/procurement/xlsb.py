"""A small honest writer of .xlsb: BIFF12 records in a zip, as [MS-XLSB] names them; values only, no formulas.

Texts are shared or inline, numbers are doubles or RK integers; rows, columns and sheets may be hidden. The same input
gives the same bytes. Only for making vendor files: nothing of dsopt writes .xlsb."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from xml.sax.saxutils import quoteattr

ROW, RK, REAL, INLINE, SHARED = 0, 2, 5, 6, 7
SST_ITEM, XF, COLUMN = 19, 47, 60
SHEET, SHEET_END, BOOK, BOOK_END, SHEETS, SHEETS_END = 129, 130, 131, 132, 143, 144
DATA, DATA_END, DIMENSION, WORKBOOK_PROPERTIES, BUNDLE = 145, 146, 148, 153, 156
SST, SST_END, MERGE, MERGES, MERGES_END, STYLES, STYLES_END = 159, 160, 176, 177, 178, 278, 279
COLUMNS, COLUMNS_END, XFS, XFS_END = 390, 391, 617, 618
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
BINARY = "application/vnd.ms-excel"
Value = str | int | Decimal


@dataclass(frozen=True)
class Sheet:
    """Rows by spreadsheet number; merged is (first row, first column, last row, last column), all from 1."""

    name: str
    rows: Mapping[int, Sequence[Value]]
    hidden: bool = False
    hidden_rows: frozenset[int] = frozenset()
    hidden_columns: frozenset[int] = frozenset()
    merged: Sequence[tuple[int, int, int, int]] = ()


@dataclass
class Strings:
    """The shared strings, in the order of their first use; a text that begins with a blank is written inline."""

    known: dict[str, int] = field(default_factory=dict)
    used: int = 0

    def number(self, text: str) -> int:
        self.used += 1
        return self.known.setdefault(text, len(self.known))


def record(kind: int, data: bytes = b"") -> bytes:
    """Type and length in groups of seven bits, then the data."""
    return _sevens(kind) + _sevens(len(data)) + data


def _sevens(n: int) -> bytes:
    out = bytearray()
    while True:
        n, low = n >> 7, n & 0x7F
        out.append(low | (0x80 if n else 0))
        if not n:
            return bytes(out)


def wide(text: str) -> bytes:
    """XLWideString: characters counted in UTF-16 units."""
    data = text.encode("utf-16-le")
    return struct.pack("<I", len(data) // 2) + data


def _cell(column: int, x: Value, strings: Strings) -> bytes:
    head = struct.pack("<II", column, 0)
    if isinstance(x, str):
        if x.startswith(" "):
            return record(INLINE, head + wide(x))
        return record(SHARED, head + struct.pack("<I", strings.number(x)))
    if isinstance(x, int) and abs(x) < 1 << 29:
        return record(RK, head + struct.pack("<i", x << 2 | 2))
    return record(REAL, head + struct.pack("<d", float(x)))


def _sheet(s: Sheet, strings: Strings) -> Iterator[bytes]:
    widest = max(map(len, s.rows.values()))
    yield record(SHEET)
    yield record(DIMENSION, struct.pack("<IIII", min(s.rows) - 1, max(s.rows) - 1, 0, widest - 1))
    if s.hidden_columns:
        yield record(COLUMNS)
        for c in sorted(s.hidden_columns):
            yield record(COLUMN, struct.pack("<IIIIH", c - 1, c - 1, 2304, 0, 1))
        yield record(COLUMNS_END)
    yield record(DATA)
    for number, cells in sorted(s.rows.items()):
        flags = 0x10 if number in s.hidden_rows else 0
        spans = struct.pack("<III", 1, 0, max(0, len(cells) - 1))
        yield record(ROW, struct.pack("<IIHBBB", number - 1, 0, 300, 0, flags, 0) + spans)
        for c, x in enumerate(cells):
            if x != "":
                yield _cell(c, x, strings)
    yield record(DATA_END)
    if s.merged:
        yield record(MERGES, struct.pack("<I", len(s.merged)))
        for a, b, c, d in s.merged:
            yield record(MERGE, struct.pack("<IIII", a - 1, c - 1, b - 1, d - 1))
        yield record(MERGES_END)
    yield record(SHEET_END)


def _book(sheets: Sequence[Sheet]) -> bytes:
    out = record(BOOK) + record(WORKBOOK_PROPERTIES, struct.pack("<II", 0x10020, 0) + wide("")) + record(SHEETS)
    for n, s in enumerate(sheets, 1):
        out += record(BUNDLE, struct.pack("<II", int(s.hidden), n) + wide(f"rId{n}") + wide(s.name))
    return out + record(SHEETS_END) + record(BOOK_END)


def _strings(strings: Strings) -> bytes:
    items = b"".join(record(SST_ITEM, b"\0" + wide(t)) for t in strings.known)
    return record(SST, struct.pack("<II", strings.used, len(strings.known))) + items + record(SST_END)


def _styles() -> bytes:
    xf = record(XF, struct.pack("<HHHHHBBHBB", 0, 0, 0, 0, 0, 0, 0, 0x1000, 0, 0))
    return record(STYLES) + record(XFS, struct.pack("<I", 1)) + xf + record(XFS_END) + record(STYLES_END)


def _relations(targets: Sequence[tuple[str, str]]) -> str:
    made = "".join(
        f'<Relationship Id="rId{n}" Type="{OFFICE}/{kind}" Target={quoteattr(target)}/>'
        for n, (kind, target) in enumerate(targets, 1)
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><Relationships xmlns="{PACKAGE}/relationships">{made}</Relationships>'
    )


def write(path: Path, sheets: Sequence[Sheet]) -> None:
    """The whole file."""
    strings = Strings()
    members: dict[str, bytes | str] = {}
    for n, s in enumerate(sheets, 1):
        members[f"xl/worksheets/sheet{n}.bin"] = b"".join(_sheet(s, strings))
    more = {"styles": _styles(), "sharedStrings": _strings(strings)}
    members |= {f"xl/{name}.bin": data for name, data in more.items()} | {"xl/workbook.bin": _book(sheets)}
    targets = [("worksheet", f"worksheets/sheet{n}.bin") for n in range(1, len(sheets) + 1)]
    members["xl/_rels/workbook.bin.rels"] = _relations([*targets, *((name, f"{name}.bin") for name in more)])
    members["_rels/.rels"] = _relations([("officeDocument", "xl/workbook.bin")])
    kinds = {f"/xl/worksheets/sheet{n}.bin": "worksheet" for n in range(1, len(sheets) + 1)}
    kinds |= {f"/xl/{name}.bin": name for name in more}
    parts = "".join(f'<Override PartName="{p}" ContentType="{BINARY}.{k}"/>' for p, k in kinds.items())
    members["[Content_Types].xml"] = (
        f'<?xml version="1.0" encoding="UTF-8"?><Types xmlns="{PACKAGE}/content-types"><Default Extension="rels" '
        f'ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="bin" '
        f'ContentType="{BINARY}.sheet.binary.macroEnabled.main"/>{parts}</Types>'
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as z:
        for name in ("[Content_Types].xml", "_rels/.rels", *(m for m in members if m[0] == "x")):
            z.writestr(zipfile.ZipInfo(name, (2026, 11, 20, 0, 0, 0)), members[name], zipfile.ZIP_DEFLATED)
