"""What cells alone don't say, read in one pass over a sheet's XML: extent, hidden rows and columns, formulas, errors.

Works for .xlsx and .ods; counts cells before a reader allocates a rectangle for them."""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.parsers import expat

from optimizer.procurement.reading.opening.guard import CHUNK, SAVE_AGAIN, refuse
from optimizer.procurement.reading.row_words import qualified

MAX_AREA = 3_000_000
"""Cells of the rectangle that holds a sheet's content: some 200 MB when read."""
MAX_FILLED = 250_000
MAX_XML_BYTES = 5_000_000
MOST = 5_000
OUTSIDE = re.compile(r"\[\d+\]|\.xls|WEBSERVICE|\|'")
REL = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


@dataclass
class Facts:
    """Of one sheet; rows and columns count from 1. lists of cells hold the first MOST;
    `struck`: cells whose text is struck through;
    `currencies`: by column, those that the number formats of its filled cells show."""

    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)
    formula_cells: list[tuple[int, int]] = field(default_factory=list)
    errors: list[tuple[int, int]] = field(default_factory=list)
    outside: list[tuple[int, int]] = field(default_factory=list)
    currencies: dict[int, set[str]] = field(default_factory=dict)
    struck: set[tuple[int, int]] = field(default_factory=set)
    filled: int = 0
    first: tuple[int, int] | None = None
    last: tuple[int, int] = (0, 0)

    def fill(self, row: int, column: int, times: int = 1) -> None:
        self.filled += times
        r, c = self.first or (row, column)
        if row <= r or column <= c:
            self.first = (min(r, row), min(c, column))
        r, c = self.last
        if row > r or column > c:
            self.last = (max(r, row), max(c, column))

    @property
    def area(self) -> int:
        r, c = self.first or (1, 1)
        return max(0, self.last[0] - r + 1) * max(0, self.last[1] - c + 1)


def column_number(letters: str) -> int:
    """A -> 1, AA -> 27."""
    n = 0
    for x in letters.upper():
        n = n * 26 + ord(x) - 64
    return n


def column_letters(number: int) -> str:
    """1 -> A, 27 -> AA."""
    out = ""
    while number:
        number, rest = divmod(number - 1, 26)
        out = chr(65 + rest) + out
    return out


def facts(path: Path, kind: str) -> dict[str, Facts]:
    """Facts by sheet name; {} for kinds that have no XML. Raises InputError where a sheet is too large to read."""
    if kind not in ("xlsx", "ods"):
        return {}
    try:
        with zipfile.ZipFile(path) as archive:
            return _xlsx(path, archive) if kind == "xlsx" else _ods(path, archive)
    except (KeyError, ElementTree.ParseError, expat.ExpatError, zipfile.BadZipFile, ValueError) as e:
        raise refuse("damaged-file", f"is no readable workbook: {e}", path, SAVE_AGAIN) from None


def _checked(path: Path, sheet: str, found: Facts) -> None:
    if found.filled > MAX_FILLED:
        text = f"sheet {sheet!r} has more than {MAX_FILLED} filled cells"
        raise refuse("huge-sheet", text, path, "Give the part of the list that is meant.")
    if found.area > MAX_AREA:
        place = f"{column_letters(found.last[1])}{found.last[0]}"
        text = f"sheet {sheet!r} spans {found.area} cells up to {place}"
        raise refuse("huge-sheet", text, path, "Remove the stray cells far off the table.", place)


def _parse(stream: Any, start: Any, end: Any) -> None:
    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    while chunk := stream.read(CHUNK):
        parser.Parse(chunk)
    parser.Parse(b"", True)


def _small(archive: zipfile.ZipFile, name: str) -> ElementTree.Element:
    if archive.getinfo(name).file_size > MAX_XML_BYTES:
        raise ValueError(f"{name} is too large")
    return ElementTree.fromstring(archive.read(name))


def _xlsx(path: Path, archive: zipfile.ZipFile) -> dict[str, Facts]:
    root = next(e for e in _small(archive, "_rels/.rels") if e.get("Type", "").endswith("/officeDocument"))
    book = root.get("Target", "").lstrip("/")
    folder, _, name = book.rpartition("/")
    targets = {e.get("Id"): e.get("Target", "") for e in _small(archive, f"{folder}/_rels/{name}.rels".lstrip("/"))}
    money, struck = _money_styles(archive, folder), _struck_styles(archive, folder)
    out: dict[str, Facts] = {}
    for sheet in (e for e in _small(archive, book).iter() if e.tag.endswith("}sheet")):
        ids = [v for k, v in sheet.attrib.items() if k == REL or k.endswith("}id")]
        target = targets.get(ids[0] if ids else None, "")
        member = target.lstrip("/") if target.startswith("/") else f"{folder}/{target}".lstrip("/")
        if member in archive.namelist() and "worksheets" in member:
            with archive.open(member) as stream:
                out[sheet.get("name", "")] = _sheet(path, sheet.get("name", ""), stream, money, struck)
    return out


def _money_styles(archive: zipfile.ZipFile, folder: str) -> dict[str, str]:
    """Style number -> currency that its number format shows: `#,##0.00\\ [$€-407]` -> EUR."""
    name = f"{folder}/styles.xml".lstrip("/")
    if name not in archive.namelist():
        return {}
    root = _small(archive, name)
    codes = {e.get("numFmtId"): e.get("formatCode", "") for e in root.iter() if e.tag.endswith("}numFmt")}
    formats = next((e for e in root.iter() if e.tag.endswith("}cellXfs")), None)
    out: dict[str, str] = {}
    for i, e in enumerate(formats if formats is not None else ()):
        code = re.sub(r"\[\$([^\]-]*)(?:-[0-9A-Fa-f]+)?\]", r" \1 ", codes.get(e.get("numFmtId"), ""))
        shown = re.sub(r'[\\"_*]', " ", code)
        if currency := qualified(shown)[1].get("currency"):
            out[str(i)] = currency
    return out


def _struck_styles(archive: zipfile.ZipFile, folder: str) -> set[str]:
    """The numbers of the styles whose font is struck through."""
    name = f"{folder}/styles.xml".lstrip("/")
    if name not in archive.namelist():
        return set()
    root = _small(archive, name)
    fonts = next((e for e in root.iter() if e.tag.endswith("}fonts")), ())
    lines = [[e for e in font if e.tag.endswith("}strike")] for font in fonts]
    through = {str(i) for i, found in enumerate(lines) if found and found[0].get("val", "1") not in ("0", "false")}
    formats = next((e for e in root.iter() if e.tag.endswith("}cellXfs")), ())
    return {str(i) for i, e in enumerate(formats) if e.get("fontId") in through}


def _sheet(path: Path, name: str, stream: Any, money: dict[str, str], struck: set[str]) -> Facts:
    """One handler call per element and none per text: a million blank rows take some 2 s."""
    found = Facts()
    row = column = 0
    cell: dict[str, str] = {}
    counted = False
    columns: dict[str, int] = {}
    parser = expat.ParserCreate()
    parser.buffer_text = True

    def place() -> tuple[int, int]:
        letters = cell.get("r", "").rstrip("0123456789")
        if not letters:
            return row, column
        return row, columns.get(letters) or columns.setdefault(letters, column_number(letters[:4]))

    def formula(text: str) -> None:
        if ("[" in text or "|" in text or "WEBSERVICE" in text) and OUTSIDE.search(text) and len(found.outside) < MOST:
            found.outside.append(place())

    def start(tag: str, a: dict[str, str]) -> None:
        nonlocal row, column, cell, counted
        if tag == "c":
            cell, counted, column = a, False, column + 1
            if parser.CharacterDataHandler is not None:
                parser.CharacterDataHandler = None
            if a.get("t") == "e" and len(found.errors) < MOST:
                found.errors.append(place())
        elif tag in ("v", "is"):
            if parser.CharacterDataHandler is not None:
                parser.CharacterDataHandler = None
            if not counted:
                counted = True
                at = place()
                found.fill(*at)
                if cell.get("s") in money and cell.get("t", "n") == "n":
                    found.currencies.setdefault(at[1], set()).add(money[cell["s"]])
                if cell.get("s") in struck and len(found.struck) < MOST:
                    found.struck.add(at)
                if found.filled > MAX_FILLED:
                    _checked(path, name, found)
        elif tag == "row":
            row, column = int(a.get("r", row + 1)), 0
            if a.get("hidden") in ("1", "true"):
                found.hidden_rows.add(row)
        elif tag == "f":
            if len(found.formula_cells) < MOST:
                found.formula_cells.append(place())
            parser.CharacterDataHandler = formula
        elif tag == "col" and a.get("hidden") in ("1", "true"):
            low, high = int(a.get("min", 1)), min(int(a.get("max", 1)), 16_384)
            found.hidden_columns.update(range(low, high + 1))
        elif ":" in tag:
            start(tag.rpartition(":")[2], a)

    parser.StartElementHandler = start
    while chunk := stream.read(CHUNK):
        parser.Parse(chunk)
    parser.Parse(b"", True)
    _checked(path, name, found)
    return found


def _ods(path: Path, archive: zipfile.ZipFile) -> dict[str, Facts]:
    out: dict[str, Facts] = {}
    name = ""
    found = Facts()
    row = column = repeat_rows = repeat = 0
    valued = False

    def start(tag: str, a: dict[str, str]) -> None:
        nonlocal name, found, row, column, repeat_rows, repeat, valued
        if tag == "table:table":
            name, found, row = a.get("table:name", ""), Facts(), 0
            out[name] = found
        elif tag == "table:table-column":
            many = int(a.get("table:number-columns-repeated", 1))
            if a.get("table:visibility") in ("collapse", "filter") and many < 16_384:
                found.hidden_columns.update(range(column + 1, column + many + 1))
            column += many
        elif tag == "table:table-row":
            repeat_rows = int(a.get("table:number-rows-repeated", 1))
            if a.get("table:visibility") in ("collapse", "filter") and repeat_rows < 100_000:
                found.hidden_rows.update(range(row + 1, row + repeat_rows + 1))
            row, column = row + 1, 0
        elif tag in ("table:table-cell", "table:covered-table-cell"):
            repeat = int(a.get("table:number-columns-repeated", 1))
            valued = "office:value" in a or a.get("office:value-type") == "string"
            if "table:formula" in a and ("file:" in a["table:formula"] or "http" in a["table:formula"]):
                found.outside.append((row, column + 1))

    def end(tag: str) -> None:
        nonlocal row, column
        if tag in ("table:table-cell", "table:covered-table-cell"):
            if valued:
                found.fill(row, column + 1)
                found.fill(row + repeat_rows - 1, column + repeat, repeat * repeat_rows - 1)
                _checked(path, name, found)
            column += repeat
        elif tag == "table:table-row":
            row += repeat_rows - 1

    with archive.open("content.xml") as stream:
        _parse(stream, start, end)
    return out
