"""A vendor's file -> sheets of plain cells: values only, whatever the container. Nothing is executed or fetched."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from catalogs.errors import InputError
from catalogs.inputs import read_bytes
from catalogs.message import N_, message
from optimizer.procurement.reading.opening import mail
from optimizer.procurement.reading.opening.guard import AS_TABLE, MAX_FILE_BYTES, inspect, refuse
from optimizer.procurement.reading.opening.opened import DOCUMENT, WORKBOOK, opened
from optimizer.procurement.reading.opening.pages import document, is_aligned, sheets_of_text
from optimizer.procurement.reading.opening.sheet_facts import MAX_FILLED, Facts, column_letters, facts
from optimizer.procurement.reading.opening.sheets import Cell, Row, Sheet, Tables, runs_of, sheet_of

MAX_TEXT_BYTES = 20_000_000
DELIMITERS = ",;\t|"
ENCODINGS = ("gb18030", "cp1252")


MOST_MESSAGES = 3
"""How deep messages may stand in messages."""


def read_tables(path: Path, *, encoding: str = "", delimiter: str = "", within: int = 0) -> Tables:
    """Sheets of a workbook, a text, a document or a message by content; `encoding`, `delimiter` overrule detection,
    `within`: in how many messages the file stands.

    Raises InputError (see docs/reading.md for the codes) for what is refused."""
    seen = inspect(path)
    if seen.format == "text":
        return _text(path, seen.notices, encoding, delimiter)
    if seen.format in ("mail", "msg"):
        if within >= MOST_MESSAGES:
            raise refuse("unknown-format", "is a message nested too deeply in other messages", path, AS_TABLE)
        return _message(path, seen.format, seen.notices, within)
    if seen.format in ("pdf", "docx", "odt", "html"):
        return document(path, seen.format, seen.notices, encoding)
    return _workbook(path, seen.format, seen.notices)


def _workbook(path: Path, kind: str, told: tuple[tuple[str, str], ...]) -> Tables:
    notices = list(told)
    extra = facts(path, kind)
    found = opened(path, WORKBOOK)
    if kind in ("xls", "xlsb"):
        try:
            hidden = opened(path, WORKBOOK, kind)
        except InputError:
            text = message("hidden rows can't be told in this {kind}; check them or ask for .xlsx", kind=f".{kind}")
            notices.append(("hidden-rows-unknown", text))
        else:
            extra = {x["name"]: Facts(set(x["rows"]), set(x["columns"])) for x in hidden}
    sheets = tuple(sheet_of(x, extra.get(x["name"], Facts())) for x in found)
    for sheet in sheets:
        notices += _sheet_notices(sheet)
    return Tables(kind, sheets, tuple(notices))


def _message(path: Path, kind: str, notices: tuple[tuple[str, str], ...], within: int) -> Tables:
    """The body of a message and what is attached, each table a sheet of its own."""
    if kind == "mail":
        said = mail.of_eml(read_bytes(path, MAX_FILE_BYTES, regular=True))
    else:
        said = mail.of_msg(opened(path, DOCUMENT, "msg"))
    told = list(notices)
    with tempfile.TemporaryDirectory(prefix="dsopt-") as folder:
        sheets = _body(said, Path(folder))
        for number, (name, data) in enumerate(said.files):
            file = Path(folder) / f"{number}{Path(name).suffix[:10]}"
            file.write_bytes(data)
            try:
                attached = read_tables(file, within=within + 1)
            except InputError as e:
                fault = e.faults[0]
                text = message("attachment {name} was not read: it {why}", name=f"{name!r}", why=fault.text)
                told.append(("attachment-unread", text))
            else:
                told += attached.notices
                sheets += [replace(x, name=f"{name}!{x.name}" if x.name else name) for x in attached.sheets]
    return Tables(kind, tuple(_with_subject(sheets, said.subject)), tuple(told))


def _body(said: mail.Opened, folder: Path) -> list[Sheet]:
    """The sheets of a message's body: of the formatted one where it holds a table, else of the plain one."""
    sheets: list[Sheet] = []
    if said.html:
        page = folder / "body.html"
        page.write_text(said.html, encoding="utf-8")
        sheets += document(page, "html", (), "utf-8").sheets
    if said.text and not any(len(row.cells) > 2 for sheet in sheets for row in sheet.rows):
        return sheets_of_text(said.text)
    return sheets


def _with_subject(sheets: Sequence[Sheet], subject: str) -> Sequence[Sheet]:
    """The subject is the first row of the body: `Quotation Q-88, monthly rental`."""
    if not subject or not sheets or sheets[0].older or sheets[0].name:
        return sheets
    below = tuple(replace(row, number=row.number + 1) for row in sheets[0].rows)
    merged = tuple((a + 1, b, c + 1, d) for a, b, c, d in sheets[0].merged)
    return [replace(sheets[0], rows=(Row(1, {1: subject}), *below), merged=merged), *sheets[1:]]


def _sheet_notices(sheet: Sheet) -> Iterator[tuple[str, str]]:
    if sheet.hidden:
        yield "hidden-sheet", message("sheet {name} is hidden ({n} rows)", name=f"{sheet.name!r}", n=len(sheet.rows))
    shown = [row.number for row in sheet.rows if row.hidden]
    if shown:
        yield (
            "hidden-rows",
            message("sheet {name}: hidden rows {rows} hold values", name=f"{sheet.name!r}", rows=runs_of(shown)),
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


def _text(path: Path, notices: tuple[tuple[str, str], ...], encoding: str, delimiter: str) -> Tables:
    data = read_bytes(path, MAX_TEXT_BYTES, regular=True)
    text, encoding = decoded(path, data, encoding)
    if not delimiter and is_aligned(text):
        return Tables("text", tuple(sheets_of_text(text)), notices, encoding, "")
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
