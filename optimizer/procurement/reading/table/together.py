"""Several sheets of one offer, read as one table: each sheet's rows count on from the next thousand."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from catalogs.message import joined, message
from optimizer.procurement.reading import row_words
from optimizer.procurement.reading.opening.sheet_facts import Facts
from optimizer.procurement.reading.opening.sheets import Cell, Row, Sheet
from optimizer.procurement.reading.table.headers import NAMING, Header
from optimizer.procurement.reading.table.totals import is_amount, total_kind
from optimizer.procurement.reading.variant_names import variant_of

STEPS = (1_000, 10_000, 100_000, 1_048_576)
"""What is added to the rows of each further sheet: the least that no sheet's rows reach."""
TOP = 12
"""Rows of a cover that may hold the sums of everything behind labels."""
ENUMERATED = re.compile(r"^\s*(?:[A-Z]|\d{1,2}|[IVX]{1,4})[\s.)_-]+")


@dataclass(frozen=True)
class Joined:
    """The sheets as one, its header, what a buyer is told, and the names of the sheets."""

    sheet: Sheet
    header: Header
    told: tuple[tuple[str, str], ...]
    names: tuple[str, ...]


def is_list(header: Header) -> bool:
    """Whether a table lists what is offered: things with quantities and prices."""
    fields = {column.field for column in header.columns.values()}
    return bool(fields & set(NAMING)) and "qty" in fields and bool(fields & {"unit_price", "line_total"})


def together(sheets: Sequence[Sheet], headed: Sequence[tuple[Sheet, Header]], chosen: Sheet) -> Joined | None:
    """The sheets that belong to one offer with the chosen one; None where that is it alone. Variants of each other,
    and sheets that name the same things again (a summary, an older version), are no part of one offer."""
    book = chosen.name.rpartition("!")[0]
    lists = [
        (sheet, header) for sheet, header in headed
        if not sheet.hidden and not sheet.older and is_list(header) and sheet.name.rpartition("!")[0] == book
    ]  # fmt: skip
    if len(lists) < 2 or not any(sheet is chosen for sheet, _ in lists):
        return None
    kept: list[tuple[Sheet, Header]] = []
    known = _things(chosen, next(header for sheet, header in lists if sheet is chosen))
    for sheet, header in lists:
        if sheet is chosen:
            kept.append((sheet, header))
            continue
        things = _things(sheet, header)
        if things and not _same(things, known) and not variant_of(sheet.name):
            kept.append((sheet, header))
            known |= things
    if len(kept) < 2:
        return None
    return joined_sheets(sheets, kept)


def joined_sheets(sheets: Sequence[Sheet], kept: Sequence[tuple[Sheet, Header]]) -> Joined:
    """The sheets one below the other, with the sums of a cover that has no list of its own at their end."""
    highest = max(row.number for sheet in sheets for row in sheet.rows[-1:])
    step = next(step for step in STEPS if step > highest)
    lists = {id(sheet) for sheet, _ in kept}
    first = next(place for place, sheet in enumerate(sheets) if id(sheet) in lists)
    rows: list[Row] = []
    merged: list[tuple[int, int, int, int]] = []
    facts = Facts()
    said: list[str] = []
    for place, sheet in enumerate(sheets):
        more = place * step
        if id(sheet) in lists:
            rows += _options(sheet, more, next(header for of, header in kept if of is sheet))
            merged += [(a + more, b, c + more, d) for a, b, c, d in sheet.merged]
            _add_facts(facts, sheet.facts, more)
            said.append(
                message("{name} (its rows + {more})", name=repr(sheet.name), more=more) if more else repr(sheet.name)
            )
        elif place < first and not sheet.hidden and not sheet.older:
            rows += [replace(row, number=row.number + more) for row in sheet.rows]
    header = next(header for sheet, header in kept if sheet is sheets[first])
    at = _total_column(header)
    covers = [s for s in sheets if id(s) not in lists and not s.hidden and not s.older]
    end = len(sheets) * step
    for sheet in covers:
        rows += [Row(end + row.number, cells) for row in sheet.rows if (cells := _sum_cells(row, at))]
    text = message("sheets of one offer are read together: {sheets}", sheets=joined(said))
    names = tuple(sheet.name for sheet, _ in kept)
    name = ", ".join(names)
    moved = replace(header, row=header.row + first * step)
    whole = Sheet(name, tuple(rows), False, tuple(merged), facts)
    return Joined(whole, moved, (("sheets-together", text),), names)


def _options(sheet: Sheet, more: int, header: Header) -> list[Row]:
    """The rows of a sheet; what its name calls options begins with a title that says so."""
    rows = [replace(row, number=row.number + more) for row in sheet.rows]
    plain = ENUMERATED.sub("", sheet.name)
    if not row_words.begins("optional", plain):
        return rows
    title = Row(header.row + more, {min(header.columns): plain})
    above = [row for row in rows if row.number < header.row + more]
    below = [row for row in rows if row.number > header.row + more]
    heads = [row for row in rows if row.number == header.row + more]
    return [*above, *heads, title, *below]


def _things(sheet: Sheet, header: Header) -> set[str]:
    """What the lines of a sheet name, signs and blanks aside."""
    naming = [n for n, column in header.columns.items() if column.field in NAMING]
    counts = [n for n, column in header.columns.items() if column.field == "qty"]
    out = set()
    for row in sheet.rows:
        if row.number > header.row and any(is_amount(row.cells.get(n)) for n in counts):
            out.add(row_words.bare("".join(str(row.cells.get(n, "")) for n in naming)))
    return out - {""}


def _same(things: set[str], known: set[str]) -> bool:
    """Whether half of the things are known already."""
    return len(things & known) * 2 >= len(things)


def _add_facts(to: Facts, of: Facts, more: int) -> None:
    to.hidden_columns |= of.hidden_columns
    to.errors += [(row + more, column) for row, column in of.errors]
    to.struck |= {(row + more, column) for row, column in of.struck}
    for column, codes in of.currencies.items():
        to.currencies.setdefault(column, set()).update(codes)


def _total_column(header: Header) -> int:
    fields: Mapping[str, int] = {column.field: number for number, column in header.columns.items()}
    return fields.get("line_total", fields.get("unit_price", max(header.columns)))


def _sum_cells(row: Row, at: int) -> dict[int, Cell] | None:
    """The cells of a row that states a sum of everything, its amount in the column of totals; None for another."""
    texts = [cell for cell in row.cells.values() if isinstance(cell, str) and (not is_amount(cell) or total_kind(cell))]
    amounts = [cell for cell in row.cells.values() if is_amount(cell) and cell not in texts]
    if len(texts) != 1 or len(amounts) != 1 or total_kind(texts[0]) not in ("total", "total_net", "total_gross", "tax"):
        return None
    label = 1 if at != 1 else 2
    return {label: texts[0], at: amounts[0]}
