"""A vendor's file -> sheets of plain cells: values only, whatever the container. Nothing is executed or fetched."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from catalogs.errors import InputError
from catalogs.inputs import read_bytes
from catalogs.message import N_, message
from optimizer.procurement.reading.opening import cells as child
from optimizer.procurement.reading.opening.guard import AS_TABLE, SAVE_AGAIN, inspect, refuse
from optimizer.procurement.reading.opening.sheet_facts import MAX_FILLED, Facts, column_letters, facts
from optimizer.text.amounts import MOST

Cell = str | Decimal | bool | date
CHILD_MB = 420
CHILD_SECONDS = 20 if sys.platform != "win32" else 9
"""Of wall time; processor time is limited in the child where the system can."""
MAX_TEXT_BYTES = 20_000_000
DELIMITERS = ",;\t|"
ENCODINGS = ("gb18030", "cp1252")


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


@dataclass(frozen=True)
class Tables:
    """All sheets of a file; `encoding` and `delimiter` of a text; notices as (code, text)."""

    format: str
    sheets: tuple[Sheet, ...]
    notices: tuple[tuple[str, str], ...]
    encoding: str = ""
    delimiter: str = ""


def read_tables(path: Path, *, encoding: str = "", delimiter: str = "") -> Tables:
    """Sheets of .xlsx, .xlsm, .xlsb, .xls, .ods, .csv, .tsv by content; `encoding`, `delimiter` overrule detection.

    Raises InputError (see docs/reading.md for the codes) for what is refused."""
    seen = inspect(path)
    if seen.format == "text":
        return _text(path, seen.notices, encoding, delimiter)
    notices = list(seen.notices)
    extra = facts(path, seen.format)
    opened = _opened(path)
    if seen.format in ("xls", "xlsb"):
        try:
            hidden = _opened(path, seen.format)
        except InputError:
            text = message(
                "hidden rows can't be told in this {kind}; check them or ask for .xlsx", kind=f".{seen.format}"
            )
            notices.append(("hidden-rows-unknown", text))
        else:
            extra = {x["name"]: Facts(set(x["rows"]), set(x["columns"])) for x in hidden}
    sheets = tuple(_sheet(x, extra.get(x["name"], Facts())) for x in opened)
    for sheet in sheets:
        notices += _sheet_notices(sheet)
    return Tables(seen.format, sheets, tuple(notices))


def _opened(path: Path, hidden: str = "") -> list[dict[str, Any]]:
    """Sheets as the child process gives them, within CHILD_MB and CHILD_SECONDS; with a format their hidden rows."""
    command = [sys.executable, "-I", child.__file__, str(path.resolve()), str(CHILD_MB), *([hidden] if hidden else [])]
    try:
        done = subprocess.run(command, capture_output=True, timeout=CHILD_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        text = f"takes more than {CHILD_SECONDS} s to open"
        raise refuse("too-slow", text, path, "Give the sheet that is meant, saved as .csv.") from None
    if done.returncode:
        code, _, text = done.stderr.decode("utf-8", "replace").strip().partition("\n")[0].partition(" ")
        if done.returncode != 3:
            code, text = _crashed(done.returncode, done.stderr)
        raise refuse(code, text, path, AS_TABLE if code == "encrypted-file" else SAVE_AGAIN)
    return [json.loads(line) for line in done.stdout.decode("utf-8").splitlines() if line]


def _crashed(status: int, said: bytes) -> tuple[str, str]:
    """Native code that runs out of memory or processor time ends the child without words of ours."""
    if status == -24:  # SIGXCPU
        return "too-slow", f"takes more than {child.CPU_SECONDS} s to open"
    if status < 0 or b"memory" in said.lower():
        return "huge-sheet", f"needs more than {CHILD_MB} MB of memory"
    return "damaged-file", "can't be read as a workbook"


def _sheet(data: dict[str, Any], extra: Facts) -> Sheet:
    rows = tuple(
        Row(n, {int(c): v for c, x in cells.items() if (v := _value(x)) != ""}, n in extra.hidden_rows)
        for n, cells in data["rows"]
    )
    merged = tuple((a + 1, b + 1, c + 1, d + 1) for a, b, c, d in data["merged"])
    return Sheet(data["name"], tuple(row for row in rows if row.cells), data["hidden"], merged, extra)


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


def _sheet_notices(sheet: Sheet) -> Iterator[tuple[str, str]]:
    if sheet.hidden:
        yield "hidden-sheet", message("sheet {name} is hidden ({n} rows)", name=f"{sheet.name!r}", n=len(sheet.rows))
    shown = [row.number for row in sheet.rows if row.hidden]
    if shown:
        yield (
            "hidden-rows",
            message("sheet {name}: hidden rows {rows} hold values", name=f"{sheet.name!r}", rows=_runs(shown)),
        )
    filled = {(row.number, cell) for row in sheet.rows for cell in row.cells} if sheet.facts.formula_cells else set()
    unvalued = [x for x in sheet.facts.formula_cells if x not in filled]
    columns = sorted(sheet.facts.hidden_columns & {cell for row in sheet.rows for cell in row.cells})
    if columns:
        yield (
            "hidden-columns",
            message(
                "sheet {name}: hidden columns {columns} hold values",
                name=f"{sheet.name!r}",
                columns=", ".join(map(column_letters, columns)),
            ),
        )
    for code, places, text in (
        (
            "formula-without-value",
            unvalued,
            N_("sheet {name}: {n} formulas without a stored value, taken as blank ({cells})"),
        ),
        (
            "formula-to-other-file",
            sheet.facts.outside,
            N_("sheet {name}: {n} formulas that refer to other files; stored values are used ({cells})"),
        ),
        ("error-values", sheet.facts.errors, N_("sheet {name}: {n} error values, taken as blank ({cells})")),
    ):
        if places:
            cells = [f"{column_letters(c)}{r}" for r, c in places[:8]]
            said = ", ".join([*cells, *(["..."] if len(places) > 8 else [])])
            yield code, message(text, name=f"{sheet.name!r}", n=len(places), cells=said)


def _runs(numbers: Iterable[int]) -> str:
    """1, 2, 3, 7 -> `1-3, 7`."""
    runs: list[list[int]] = []
    for n in sorted(numbers):
        if runs and n == runs[-1][1] + 1:
            runs[-1][1] = n
        else:
            runs.append([n, n])
    return ", ".join(f"{a}-{b}" if b > a else str(a) for a, b in runs[:20])


def _text(path: Path, notices: tuple[tuple[str, str], ...], encoding: str, delimiter: str) -> Tables:
    data = read_bytes(path, MAX_TEXT_BYTES, regular=True)
    text, encoding = decoded(path, data, encoding)
    delimiter = delimiter or _delimiter(text, path)
    rows: list[Row] = []
    filled = 0
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for number, raw in enumerate(reader, 1):
            kept: dict[int, Cell] = {c: x.strip() for c, x in enumerate(raw, 1) if x and x.strip()}
            filled += len(kept)
            if filled > MAX_FILLED or len(raw) > 16_384:
                more = f"has more than {MAX_FILLED} filled cells or 16384 columns"
                raise refuse("huge-sheet", more, path, "Give the part of the list that is meant.")
            if kept:
                rows.append(Row(number, kept))
    except csv.Error as e:
        raise refuse("bad-csv", f"is no table in text: {e}", path, AS_TABLE) from None
    return Tables("text", (Sheet("", tuple(rows)),), notices, encoding, delimiter)


BLANKS = b"\t\r\n\x0b\x0c"
"""Control characters that texts hold."""


def decoded(path: Path, data: bytes, encoding: str = "") -> tuple[str, str]:
    """(text, encoding): by its mark, else UTF-8, else the likelier of GB18030 and Windows-1252."""
    if not encoding:
        if data.startswith((b"\xff\xfe", b"\xfe\xff")):
            encoding = "utf-16"
        elif data[1:200:2].count(0) > 40 or data[:200:2].count(0) > 40:
            encoding = "utf-16-le" if data[1:200:2].count(0) > 40 else "utf-16-be"
        else:
            try:
                data.decode("utf-8-sig")
                encoding = "utf-8-sig"
            except UnicodeDecodeError:
                from charset_normalizer import from_bytes

                best = from_bytes(data[:200_000], cp_isolation=list(ENCODINGS)).best()
                encoding = best.encoding if best else "gb18030"
    try:
        text = data.decode(encoding)
    except (UnicodeDecodeError, LookupError) as e:
        if any(byte < 32 and byte not in BLANKS for byte in data[:100_000]):
            text = "is a binary file, not a vendor's quote"
            raise refuse("unknown-encoding", text, path, "No command reads it.") from None
        raise refuse("unknown-encoding", f"is no text in {encoding}: {e}", path, "Save it as CSV UTF-8.") from None
    strange = sum(ord(c) < 32 and ord(c) not in BLANKS for c in text[:100_000])
    if strange:
        raise refuse("binary-file", "holds control characters, it is no text", path, AS_TABLE)
    return text, encoding


def _delimiter(text: str, path: Path) -> str:
    """The separator by which most lines have the same number (above one) of fields."""
    lines = [x for x in text.splitlines()[:200] if x.strip()]
    if not lines:
        raise refuse("empty-file", "holds nothing", path)

    def score(sign: str) -> tuple[int, int]:
        try:
            widths = [len(r) for r in csv.reader(lines, delimiter=sign)]
        except csv.Error:
            return (0, 0)
        many = [w for w in widths if w > 1]
        best = max(set(many), key=lambda w: (many.count(w), w), default=0)
        return (many.count(best) * min(best, 4), best)

    return max(DELIMITERS, key=score)
