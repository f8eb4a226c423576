"""Rows of a sheet -> raw lines, sums, sections, notes; every row that is no line is kept with the reason."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from optimizer.procurement.reading import words
from optimizer.procurement.reading.counts import count_words
from optimizer.procurement.reading.document import WHOLE, Ignored
from optimizer.procurement.reading.opening.tables import Cell, Row, Sheet
from optimizer.procurement.reading.table.headers import MONEY, NAMING, Column, Header, column_of, header_at, repeats
from optimizer.procurement.reading.table.totals import LONG_TEXT, RawTotal, in_words, is_amount, total_of
from optimizer.text import amounts as numbers

SAID = ("vendor", "valid_until", "currency", "quote_no", "quote_date", "tax_rate")
FILLED_DOWN = ("category", "brand", "currency", "tax_rate", "section", "warranty", "lead_time")
AMOUNTS = (*MONEY, "qty", "tax_amount")
NUMBERED = re.compile(r"^\W*(?:(?:\d{1,2}|[A-Za-z]|[IVX]{1,4}|[一二三四五六七八九十]{1,3})[.、)）:]\s*)?")


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
    last_line: int = 0
    """The last row with a quantity and a price: below it a sum of everything closes the table."""

    def skip(self, row: Row, reason: str) -> None:
        self.ignored.append(Ignored(row=row.number, reason=reason, text=row.text))


def body(sheet: Sheet, header: Header, *, ignore: tuple[int, ...] = (), last_row: int | None = None) -> Body:
    """Sorts the rows; a second header below starts a table with columns of its own."""
    out = Body(last_line=_last_line(sheet, header))
    covered = _covered(sheet)
    by_number = {r.number: r for r in sheet.rows} if covered else {}
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
            if repeats(header, dict(row.cells), [str(x) for x in row.cells.values()]):
                out.skip(row, "header repeated")
            elif other and len(other.columns) >= 3:
                header = other
                out.more_headers.append(row.number)
                out.skip(row, "header of a further table")
            else:
                _sort(out, sheet, header, row, covered, by_number)
    return out


def _last_line(sheet: Sheet, header: Header) -> int:
    counts = [c for c, x in header.columns.items() if x.field == "qty"]
    prices = [c for c, x in header.columns.items() if x.field in MONEY]
    found = (
        r.number for r in sheet.rows
        if any(is_amount(r.cells.get(c)) for c in counts) and any(is_amount(r.cells.get(c)) for c in prices)
    )  # fmt: skip
    return max(found, default=0)


def _covered(sheet: Sheet) -> dict[tuple[int, int], tuple[int, int]]:
    """(row, column) inside a cell merged downwards -> its first cell; wide merges are of one row and don't count."""
    out: dict[tuple[int, int], tuple[int, int]] = {}
    for r0, c0, r1, c1 in sheet.merged:
        if r1 > r0 and r1 - r0 < 2000 and c1 - c0 < 50 and len(out) < 500_000:
            out |= {(r, c): (r0, c0) for r in range(r0 + 1, r1 + 1) for c in range(c0, c1 + 1)}
    return out


def _sort(
    out: Body,
    sheet: Sheet,
    header: Header,
    row: Row,
    covered: dict[tuple[int, int], tuple[int, int]],
    by_number: dict[int, Row],
) -> None:
    columns = {column.field: column for column in header.columns.values()}
    cells: dict[str, Cell] = {}
    grouped = False
    for c, column in header.columns.items():
        value: Cell = row.cells.get(c, "")
        above = covered.get((row.number, c))
        if value == "" and above and above[0] > header.row:
            if column.field in MONEY:
                grouped = True
            elif column.field in (*FILLED_DOWN, *NAMING):
                value = by_number[above[0]].cells.get(above[1], "") if above[0] in by_number else ""
        if value != "" and (row.number, c) not in sheet.facts.errors:
            cells[column.field] = value
    texts = [x for x in row.cells.values() if isinstance(x, str)]
    priced = any(is_amount(cells.get(f)) for f in MONEY)
    counted = is_amount(cells.get("qty"))
    name = next((str(cells[f]) for f in NAMING if f in cells), "")
    if not name and priced and (elsewhere := _label(cells, texts)):
        name = elsewhere
    total = total_of(row, cells, len(out.lines), a_line=counted and is_amount(cells.get("unit_price")))
    spelled_out = in_words(row, texts, len(out.lines))
    if spelled_out is not None:
        out.totals.append(spelled_out)
    if total is not None:
        out.totals.append(total)
        out.ignored.append(Ignored(row=row.number, reason=f"sum ({total.kind})", text=row.text))
    elif spelled_out is not None:
        out.skip(row, "sum (in_words)")
    elif any(words.equals("integrated", str(cells.get(f, ""))) for f in NAMING) and not any(
        _is_more_than_zero(cells.get(f)) for f in MONEY
    ):
        out.skip(row, "says how the line above is delivered")
    elif name and (priced or counted or _worded(cells)) and not (_is_note(texts) and not priced):
        out.lines.append(_raw(out, row, cells, columns, grouped and not priced))
        out.lines[-1].split = _split(header, row)
    elif not texts:
        _bare(out, row, cells)
    elif _is_note(texts) or (_closed(out, row) and not words.begins("optional", NUMBERED.sub("", max(texts, key=len)))):
        _heard(out, row)
        out.skip(row, "note")
    elif ("part_number" in cells and ("name" in cells or "description" in cells)) or (
        name and _counted_below(out, row, name)
    ):
        out.lines.append(_raw(out, row, cells, columns, grouped))
    elif _continues(out, header, row, texts):
        out.lines[-1].more.append(texts[0])
        out.skip(row, f"continues row {out.lines[-1].row}")
    else:
        _heard(out, row)
        title = max(texts, key=len)
        if len(title) > LONG_TEXT:
            out.skip(row, "note")
            return
        out.section = title
        out.optional = words.begins("optional", NUMBERED.sub("", title))
        out.skip(row, "section")


def _label(cells: dict[str, Cell], texts: list[str]) -> str:
    """What names a row with a price whose own columns are empty: `| | | Shipping & Handling | 850`. It becomes the
    description."""
    worded = (x for x in texts if re.search(r"[^\W\d_]{2}", x) and (not is_amount(x) or "%" in x))
    named = max(worded, key=len, default="")
    if named and len(named) <= LONG_TEXT:
        for f in [f for f, x in cells.items() if x == named]:
            del cells[f]
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


def _raw(out: Body, row: Row, cells: dict[str, Cell], columns: dict[str, Column], grouped: bool) -> Raw:
    raw = Raw(row.number, cells, columns, out.section, out.optional, row.hidden, grouped)
    raw.optional = raw.optional or any(words.begins("optional", raw.text(f)) for f in (*NAMING, "note", "status"))
    raw.optional = raw.optional or any(words.has("instead", raw.text(f)) for f in (*NAMING, "note"))
    raw.optional = raw.optional or words.equals("unit_only", raw.text("line_total"))  # to be called on, in no sum
    return raw


def _closed(out: Body, row: Row) -> bool:
    """Whether the sum of everything stands above: one with lines still to come is that of a group."""
    return row.number > out.last_line and any(t.kind in WHOLE for t in out.totals)


def _worded(cells: dict[str, Cell]) -> bool:
    """A price in words: included, on request."""
    said = [str(cells[f]) for f in MONEY if isinstance(cells.get(f), str)]
    return any(words.equals(kind, x) for x in said for kind in ("included", "asked"))


def _is_more_than_zero(value: Cell | None) -> bool:
    return is_amount(value) and max(numbers.values(value)) > 0


def _counted_below(out: Body, row: Row, name: str) -> bool:
    """`4 x NVIDIA L40S` right below a line, without a price: a part of what is priced above."""
    return bool(out.lines) and out.lines[-1].row == row.number - 1 and count_words(name)[0] is not None


def _is_note(texts: list[str]) -> bool:
    first = NUMBERED.sub("", texts[0]) if texts else ""
    return words.begins("note", first) or (len(texts) == 1 and len(texts[0]) > LONG_TEXT)


def _continues(out: Body, header: Header, row: Row, texts: list[str]) -> bool:
    """A description that goes on in the next row: alone, right below its line, in a column that is not the first."""
    if len(row.cells) != 1 or not out.lines or out.lines[-1].row + 1 + len(out.lines[-1].more) != row.number:
        return False
    at = next(iter(row.cells))
    column = header.columns.get(at)
    dashed = texts[0][:1] in "-–•*+·"
    return (
        column is not None
        and column.field in NAMING
        and (dashed or ((at > min(header.columns) and at != min(row.cells, default=0)) or at > min(header.columns)))
    )


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
                only_a_unit = isinstance(found, str) and not words.bare(words.qualified(found)[0])
                if found != "" and not (column.field == "vendor" and only_a_unit):  # `报价单位：万元` is no company
                    out.said.append((column.field, found))


def _labelled(text: str) -> Iterator[tuple[str, str]]:
    plain = NUMBERED.sub("", text).strip()
    label, sign, value = plain.partition(":") if ":" in plain else plain.partition("：")
    if sign:
        yield label.strip(), value.strip()
    elif m := re.match(r"(\D{2,40}?)\s*(\d.*)", plain):
        yield m[1].strip(), m[2]
    elif len(plain) <= 40:
        yield plain, ""
