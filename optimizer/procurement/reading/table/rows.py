"""Rows of a sheet -> raw lines, sums, sections, notes; every row that is no line is kept with the reason."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise

from optimizer.procurement.reading import row_words
from optimizer.procurement.reading.counts import count_words
from optimizer.procurement.reading.document import WHOLE, Ignored
from optimizer.procurement.reading.opening.sheets import Cell, Row, Sheet
from optimizer.procurement.reading.table.headers import MONEY, NAMING, Column, Header, column_of, header_at, repeats
from optimizer.procurement.reading.table.totals import LONG_TEXT, RawTotal, in_words, is_amount, total_of
from optimizer.procurement.reading.variant_names import variant_of
from optimizer.text import amounts as numbers

SAID = ("vendor", "valid_until", "currency", "quote_no", "quote_date", "tax_rate")
FILLED_DOWN = ("category", "brand", "currency", "tax_rate", "section", "warranty", "lead_time")
MERGED_ROWS, MERGED_COLUMNS, MERGED_CELLS = 2000, 50, 500_000
"""Cells merged over more than this are decoration, or an attack."""
NUMBERED = re.compile(r"^\W*(?:(?:\d{1,2}|[A-Za-z]|[IVX]{1,4}|[一二三四五六七八九十]{1,3})[.、)）:]\s*)?")

STRUCK = "struck out or cancelled"
IN_BRACKETS = re.compile(r"[(\[（【]([^)\]）】]{2,20})[)\]）】]")
LETTERED = re.compile(r"^\s*(?:[A-Z]|\d{1,2}(?:\.\d{1,2})*)\s+")


@dataclass
class Raw:
    """A line before its numbers are read. `grouped`: its price is a cell merged over several lines, stated above."""

    row: int
    cells: dict[str, Cell]
    columns: dict[str, Column]
    section: str = ""
    optional: bool = False
    hidden: bool = False
    grouped: bool = False
    more: list[str] = field(default_factory=list)
    split: str = ""
    """A cell beyond the header's columns that looks like the rest of the amount before it: `1,000` without quotes."""

    def text(self, name: str) -> str:
        value = self.cells.get(name, "")
        return str(value) if not isinstance(value, bool) else ""


@dataclass
class Body:
    """All that the rows say. `said`: (field, value) of labels; `notes`: other texts, for tax and currency."""

    lines: list[Raw] = field(default_factory=list)
    totals: list[RawTotal] = field(default_factory=list)
    ignored: list[Ignored] = field(default_factory=list)
    said: list[tuple[str, Cell]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    more_headers: list[int] = field(default_factory=list)
    section: str = ""
    optional: bool = False
    variant: str = ""
    last_line: int = 0
    """The last row with a quantity and a price: below it a sum of everything closes the table."""

    def is_taken(self, texts: list[str]) -> bool:
        """Whether a text names the variant that is read."""
        return bool(self.variant) and any(variant_of(text) == self.variant for text in texts)

    def skip(self, row: Row, reason: str) -> None:
        self.ignored.append(Ignored(row=row.number, reason=reason, text=row.text))


def body(
    sheet: Sheet, header: Header, *, ignore: tuple[int, ...] = (), last_row: int | None = None, variant: str = ""
) -> Body:
    """Sorts the rows; a second header below starts a table with columns of its own. `variant`: what bears this name is
    what is bought, no option."""
    out = Body(last_line=_last_line(sheet, header), variant=variant)
    merged = _Merged.of(sheet)
    for row in sheet.rows:
        if row.number <= header.row - header.height:
            _heard(out, row)
            out.skip(row, "above the table")
        elif row.number <= header.row:
            continue
        elif row.number in ignore:
            out.skip(row, "ignored by the mapping")
        elif last_row is not None and row.number > last_row:
            _heard(out, row)
            out.skip(row, "below the last row of the mapping")
        else:
            other = header_at(sheet, row)
            if _is_struck(sheet, header, row):
                out.skip(row, STRUCK)
            elif repeats(header, dict(row.cells), [str(cell) for cell in row.cells.values()]):
                out.skip(row, "header repeated")
            elif other and len(other.columns) >= 3:
                header = other
                out.more_headers.append(row.number)
                out.skip(row, "header of a further table")
            else:
                _sort(out, header, _entry(sheet, header, row, merged))
    return out


def _is_struck(sheet: Sheet, header: Header, row: Row) -> bool:
    """Whether what names the thing is struck through, or says that it was cancelled: it is bought no more."""
    named = [
        n for n, column in header.columns.items() if column.field in (*NAMING, "status", "note") and n in row.cells
    ]
    things = [n for n in named if header.columns[n].field in NAMING]
    if things and all((row.number, n) in sheet.facts.struck for n in things):
        return True
    texts = [str(row.cells[n]) for n in named]
    return any(row_words.equals("struck", part) for text in texts for part in (text, *IN_BRACKETS.findall(text)))


def _last_line(sheet: Sheet, header: Header) -> int:
    """The last row with a quantity and a price; 0 for none."""
    counts = [number for number, column in header.columns.items() if column.field == "qty"]
    prices = [number for number, column in header.columns.items() if column.field in MONEY]

    def holds(row: Row, columns: list[int]) -> bool:
        return any(is_amount(row.cells.get(number)) for number in columns)

    return max((row.number for row in sheet.rows if holds(row, counts) and holds(row, prices)), default=0)


@dataclass(frozen=True)
class _Merged:
    """What stands in cells merged downwards. `first`: (row, column) inside one -> its first cell."""

    first: dict[tuple[int, int], tuple[int, int]]
    rows: dict[int, Row]

    @classmethod
    def of(cls, sheet: Sheet) -> _Merged:
        first: dict[tuple[int, int], tuple[int, int]] = {}
        for top, left, bottom, right in sheet.merged:
            # Wide merges are of one row and don't count. A hostile file may merge all of a sheet: there is a limit.
            if 0 < bottom - top < MERGED_ROWS and right - left < MERGED_COLUMNS and len(first) < MERGED_CELLS:
                rows, columns = range(top + 1, bottom + 1), range(left, right + 1)
                first |= {(row, column): (top, left) for row in rows for column in columns}
        return cls(first, {row.number: row for row in sheet.rows} if first else {})

    def reaches(self, row: int, column: int, header: Header) -> bool:
        """Whether the cell continues one that begins below the header."""
        first = self.first.get((row, column))
        return first is not None and first[0] > header.row

    def value(self, row: int, column: int) -> Cell:
        """What the first cell says; blank where its row is empty."""
        top, left = self.first[row, column]
        return self.rows[top].cells.get(left, "") if top in self.rows else ""


@dataclass
class _Entry:
    """A row below a header: its cells by field, and what they make of it. `grouped`: its price is a cell merged over
    several rows."""

    row: Row
    cells: dict[str, Cell]
    columns: dict[str, Column]
    texts: list[str]
    grouped: bool
    name: str
    priced: bool
    counted: bool

    @property
    def names(self) -> list[str]:
        """What the columns say that name the thing, blank for those that say nothing."""
        return [str(self.cells.get(field, "")) for field in NAMING]


def _entry(sheet: Sheet, header: Header, row: Row, merged: _Merged) -> _Entry:
    """A row's cells under the header's fields, with what cells merged downwards say."""
    cells: dict[str, Cell] = {}
    grouped = False
    for number, column in header.columns.items():
        value: Cell = row.cells.get(number, "")
        if value == "" and merged.reaches(row.number, number, header):
            # A price merged over several lines is the price of them together, not of each.
            if column.field in MONEY:
                grouped = True
            elif column.field in (*FILLED_DOWN, *NAMING):
                value = merged.value(row.number, number)
        taken_back = (row.number, number) in sheet.facts.struck
        if value != "" and not taken_back and (row.number, number) not in sheet.facts.errors:
            cells[column.field] = value
    texts = [cell for cell in row.cells.values() if isinstance(cell, str)]
    priced, counted = any(is_amount(cells.get(field)) for field in MONEY), is_amount(cells.get("qty"))
    name = next((str(cells[field]) for field in NAMING if field in cells), "")
    if not name and priced:
        name = _label(cells, texts)
    columns = {column.field: column for column in header.columns.values()}
    return _Entry(row, cells, columns, texts, grouped, name, priced, counted)


def _sort(out: Body, header: Header, entry: _Entry) -> None:
    """Puts a row where it belongs: among the sums, the lines, what goes on from the line above, the notes or the
    sections. The order of the questions counts: what looks like several is the first of them."""
    row, texts = entry.row, entry.texts
    if _numbers_the_columns(row):
        out.skip(row, "numbers of the columns")
        return
    if _took_a_sum(out, entry):
        return
    if _says_integrated(entry):
        out.skip(row, "says how the line above is delivered")
    elif _is_line(entry):
        raw = _raw(out, entry, grouped=entry.grouped and not entry.priced)
        raw.split = _split(header, row)
        out.lines.append(raw)
    elif not texts:
        _bare(out, row, entry.cells)
    elif _is_note(texts) or (_closed(out, row) and not _begins_options(texts)):
        _heard(out, row)
        out.skip(row, "note")
    elif _is_unpriced_line(out, entry):
        out.lines.append(_raw(out, entry, grouped=entry.grouped))
    elif _continues(out, header, row, texts):
        out.lines[-1].more.append(texts[0])
        out.skip(row, f"continues row {out.lines[-1].row}")
    else:
        _heard(out, row)
        _took_section(out, row, texts)


def _numbers_the_columns(row: Row) -> bool:
    """Whether the cells count 1, 2, 3 and on, as below the heads of a form: `(1) (2) (3) (4)`."""
    said = [re.fullmatch(r"\(?(\d{1,2})\)?", str(cell).strip()) for cell in row.cells.values()]
    counts = [int(found[1]) for found in said if found]
    return len(counts) == len(said) >= 4 and all(b == a + 1 for a, b in pairwise(counts)) and counts[0] <= 2


def _took_a_sum(out: Body, entry: _Entry) -> bool:
    """Whether the row states a sum, in figures or in words; it is kept then."""
    row, above = entry.row, len(out.lines)
    total = total_of(row, entry.cells, above, a_line=entry.counted and is_amount(entry.cells.get("unit_price")))
    in_letters = in_words(row, entry.texts, above)
    if in_letters is not None:
        out.totals.append(in_letters)
    if total is not None:
        out.totals.append(total)
        out.ignored.append(Ignored(row=row.number, reason=f"sum ({total.kind})", text=row.text))
    elif in_letters is not None:
        out.skip(row, "sum (in_words)")
    return total is not None or in_letters is not None


def _says_integrated(entry: _Entry) -> bool:
    """Whether the row only says that the line above comes put together, at no price."""
    says_so = any(row_words.equals("integrated", name) for name in entry.names)
    return says_so and not any(_is_more_than_zero(entry.cells.get(field)) for field in MONEY)


def _is_line(entry: _Entry) -> bool:
    """Whether a thing is named with a price or a quantity. A note may hold an amount that is no price of its own."""
    says_what_for = entry.priced or entry.counted or _worded(entry.cells)
    return bool(entry.name and says_what_for and (entry.priced or not _is_note(entry.texts)))


def _is_unpriced_line(out: Body, entry: _Entry) -> bool:
    """Whether a row without a price and a quantity is a line all the same: by number and name, or as `4 x L40S` right
    below a line."""
    by_number = "part_number" in entry.cells and ("name" in entry.cells or "description" in entry.cells)
    return by_number or bool(entry.name and _counted_below(out, entry.row, entry.name))


def _begins_options(texts: list[str]) -> bool:
    """Whether the row's longest text is a title of options: `D. Optional items`, `D Options`."""
    title = max(texts, key=len)
    plain = [NUMBERED.sub("", title), LETTERED.sub("", title)]
    return any(row_words.begins("optional", text) for text in plain)


def _took_section(out: Body, row: Row, texts: list[str]) -> None:
    """Takes the row's longest text as the title of what follows, unless it is a sentence."""
    title = max(texts, key=len)
    if len(title) > LONG_TEXT:
        out.skip(row, "note")
        return
    out.section = title
    out.optional = _begins_options(texts) and not out.is_taken(texts)
    out.skip(row, "section")


def _label(cells: dict[str, Cell], texts: list[str]) -> str:
    """What names a row with a price whose own columns are empty: `| | | Shipping & Handling | 850`. It becomes the
    description."""
    worded = (text for text in texts if re.search(r"[^\W\d_]{2}", text) and (not is_amount(text) or "%" in text))
    named = max(worded, key=len, default="")
    if named and len(named) <= LONG_TEXT:
        for field_name in [name for name, cell in cells.items() if cell == named]:
            del cells[field_name]
        cells["description"] = named
        return named
    return ""


REST_OF_AMOUNT = re.compile(r"\d{3}(\.\d+)?")


def _split(header: Header, row: Row) -> str:
    """The first cell behind the header's last column where it looks like the rest of a number that a comma broke."""
    last = max((*header.columns, *header.unused, header.width))
    rest, amount = row.cells.get(last + 1), row.cells.get(last)
    broken = isinstance(rest, str) and REST_OF_AMOUNT.fullmatch(rest) and isinstance(amount, str)
    return f"{amount},{rest}" if broken and re.fullmatch(r"\D{0,4}\d{1,3}", str(amount)) else ""


def _raw(out: Body, entry: _Entry, *, grouped: bool) -> Raw:
    raw = Raw(entry.row.number, entry.cells, entry.columns, out.section, out.optional, entry.row.hidden, grouped)
    said = [raw.text(field) for field in (*NAMING, "note")]
    if out.is_taken(said):
        out.optional = False
        raw.optional = False
        return raw
    raw.optional = (
        raw.optional
        or any(row_words.begins("optional", text) for text in (*said, raw.text("status")))
        or any(row_words.has("instead", text) for text in said)
        or _numbered_as_option(raw.text("number"))
        or row_words.equals("unit_only", raw.text("line_total"))  # to be called on, in no sum
    )
    return raw


def _numbered_as_option(number: str) -> bool:
    """`2 Alt.`, `Opt. 3`, `5-ALT`: the running number says that it is one."""
    return row_words.equals("optional_number", re.sub(r"[\d.\-/\s()]+", "", number))


def _closed(out: Body, row: Row) -> bool:
    """Whether the sum of everything stands above: one with lines still to come is that of a group."""
    return row.number > out.last_line and any(total.kind in WHOLE for total in out.totals)


def _worded(cells: dict[str, Cell]) -> bool:
    """A price in words: included, on request."""
    said = [str(cells[f]) for f in MONEY if isinstance(cells.get(f), str)]
    return any(row_words.equals(kind, x) for x in said for kind in ("included", "asked"))


def _is_more_than_zero(value: Cell | None) -> bool:
    return is_amount(value) and max(numbers.values(value)) > 0


def _counted_below(out: Body, row: Row, name: str) -> bool:
    """`4 x NVIDIA L40S` right below a line, without a price: a part of what is priced above."""
    return bool(out.lines) and out.lines[-1].row == row.number - 1 and count_words(name)[0] is not None


def _is_note(texts: list[str]) -> bool:
    first = NUMBERED.sub("", texts[0]) if texts else ""
    return row_words.begins("note", first) or (len(texts) == 1 and len(texts[0]) > LONG_TEXT)


def _continues(out: Body, header: Header, row: Row, texts: list[str]) -> bool:
    """A description that goes on in the next row: alone, right below its line, in a column that is not the first."""
    if len(row.cells) != 1 or not out.lines or out.lines[-1].row + 1 + len(out.lines[-1].more) != row.number:
        return False
    number = next(iter(row.cells))
    column = header.columns.get(number)
    dashed = texts[0][:1] in "-–•*+·"
    return column is not None and column.field in NAMING and (dashed or number > min(header.columns))


def _bare(out: Body, row: Row, cells: dict[str, Cell]) -> None:
    """Numbers without a word: a sum whose label was forgotten, or nothing."""
    amounts = {f: x for f, x in cells.items() if f in MONEY and isinstance(x, Decimal)}
    if len(row.cells) == 1 and "line_total" in amounts:
        out.totals.append(RawTotal(row.number, "total", "", amounts["line_total"], len(out.lines)))
        out.skip(row, "sum without a label")
    else:
        out.skip(row, "numbers without a text" if amounts else "nothing that is offered")


STATEMENTS = re.compile(r"[;；。\n]|(?<=[^\W\d_]{5})\.\s+(?=[A-ZÄÖÜ])|\s{2,}(?=[^\W\d]\S*(?: \S+){0,2}\s?[:：])")
"""What parts the statements of a cell; two blanks do before a label: `投标人：某某公司    日期：2026年11月20日`."""


def _heard(out: Body, row: Row) -> None:
    """Labels with values and plain texts of a row that is no line."""
    cells = list(row.cells.values())
    for i, cell in enumerate(cells):
        if not isinstance(cell, str):
            continue
        for part in STATEMENTS.split(cell):
            behind = cells[i + 1] if i + 1 < len(cells) else ""
            split = part.rstrip().endswith((":", "：")) and isinstance(behind, str)
            out.notes.append(f"{part} {behind}" if split else part)
            for label, value in _labelled(part):
                column = column_of(label)
                if column is None or column.field not in SAID or not column.certain:
                    continue
                found = value or behind
                only_a_unit = isinstance(found, str) and not row_words.bare(row_words.qualified(found)[0])
                if found != "" and not (column.field == "vendor" and only_a_unit):  # `报价单位：万元` is no company
                    out.said.append((column.field, found))


def _labelled(text: str) -> Iterator[tuple[str, str]]:
    plain = NUMBERED.sub("", text).strip()
    label, sign, value = plain.partition(":") if ":" in plain else plain.partition("：")
    if sign:
        yield label.strip(), value.strip()
    elif found := re.match(r"(\D{2,40}?)\s*(\d.*)", plain):
        yield found[1].strip(), found[2]
    elif len(plain) <= 40:
        yield plain, ""
