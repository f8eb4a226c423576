"""CSV files as they come from spreadsheets: any usual encoding and separator, read whole or refused with a reason."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from catalogs.errors import Fault, InputError
from catalogs.inputs import CATALOG_BYTES, MOST_COLUMNS, read_bytes

ENCODINGS = ("utf-8-sig", "gb18030")
SEPARATORS = ",;\t"
MOST_CELLS = 30_000_000


@dataclass(frozen=True)
class CsvTable:
    """Header and rows as texts, each row as wide as the header; `lines`: the row of the spreadsheet that each is;
    `ragged`: place of a row -> the number of cells that it really has."""

    file: str
    header: tuple[str, ...]
    rows: list[list[str]]
    lines: list[int]
    ragged: dict[int, int]

    def column(self, name: str) -> list[str] | None:
        """Cells of the column of this name in any case; None when there is none."""
        at = next((i for i, h in enumerate(self.header) if h.casefold() == name), None)
        return None if at is None else [row[at] for row in self.rows]


def read_csv(path: Path, needed: Sequence[str], remedy: str) -> CsvTable:
    """A CSV of UTF-8 (with or without byte order mark) or GB18030, separated by commas, semicolons or tabs.

    Blank lines are skipped. Raises InputError for a file that can't be read, that is empty or no text, for a missing
    (`needed`, `remedy` names what there should be) and for a doubled column."""
    table = _table(path, _text(path), remedy)
    if not table.header:
        raise InputError(Fault("empty-file", "has no header row", str(path), remedy=remedy))
    if faults := _header_faults(table, needed, remedy):
        raise InputError(faults)
    return table


def _table(path: Path, text: str, remedy: str) -> CsvTable:
    """All lines with content, each filled up or cut to the header's width. Raises InputError for no CSV and for too
    much of one."""
    rows: list[list[str]] = []
    lines: list[int] = []
    ragged: dict[int, int] = {}
    header: tuple[str, ...] = ()
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=_separator(text))
        before = 1
        for cells in reader:
            # A cell may hold line ends: a row begins where the one before it ends.
            line, before = before, reader.line_num + 1
            if not any(cell.strip() for cell in cells):
                continue
            if not header:
                header = tuple(cell.strip() for cell in cells)
                if len(header) > MOST_COLUMNS:
                    raise InputError(Fault("too-large", f"has more than {MOST_COLUMNS:,} columns", str(path), line))
                continue
            if len(rows) * len(header) > MOST_CELLS:
                raise InputError(Fault("too-large", f"has more than {MOST_CELLS:,} cells", str(path), line))
            if any(cell.strip() for cell in cells[len(header) :]):
                ragged[len(rows)] = len(cells)
            rows.append(cells if len(cells) == len(header) else _of_width(cells, len(header)))
            lines.append(line)
    except csv.Error as e:
        raise InputError(Fault("no-csv", f"is no CSV: {e}", str(path), reader.line_num, remedy=remedy)) from None
    return CsvTable(str(path), header, rows, lines, ragged)


def _separator(text: str) -> str:
    """The separator that the first line with content has most of."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    return max(SEPARATORS, key=first.count)


def _of_width(cells: list[str], width: int) -> list[str]:
    return [*cells, *[""] * (width - len(cells))][:width]


def _header_faults(table: CsvTable, needed: Sequence[str], remedy: str) -> list[Fault]:
    """Columns that are missing, and columns that are there twice."""
    names = [name.casefold() for name in table.header]
    row = table.lines[0] - 1 if table.lines else 1
    faults = [
        Fault("missing-column", "required column is missing", table.file, row, column, remedy=remedy)
        for column in needed
        if column not in names
    ]
    for name in dict.fromkeys(name for name in table.header if name):
        if names.count(name.casefold()) > 1:
            text, how = "column is there twice", "Rename or remove one of them."
            faults.append(Fault("doubled-column", text, table.file, 1, name, remedy=how))
    return faults


def too_wide(cells: int, columns: int, file: str, line: int) -> Fault:
    """The fault of a row with more cells than the header has columns, as `name,1,000` makes one."""
    text = f"{cells} cells where the header has {columns}"
    return Fault("truncated-row", text, file, line, remedy='Quote cells that hold commas: "1,000".')


def wide_rows(table: CsvTable) -> list[Fault]:
    """The faults of all rows with more cells than columns."""
    return [too_wide(n, len(table.header), table.file, table.lines[i]) for i, n in sorted(table.ragged.items())]


def _text(path: Path) -> str:
    data = read_bytes(path, CATALOG_BYTES, code="unreadable-file")
    for encoding in ENCODINGS:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    remedy = "Save it as CSV UTF-8."
    raise InputError(Fault("unreadable-file", "is no text in UTF-8 or GB18030", str(path), remedy=remedy))


def csv_text(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """CSV with commas and line feeds. A carriage return in a cell quotes all: the writer leaves it bare else."""
    out = io.StringIO()
    bare = any("\r" in cell for row in (header, *rows) for cell in row)
    writer = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL if bare else csv.QUOTE_MINIMAL)
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue()
