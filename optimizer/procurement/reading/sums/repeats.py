"""Rows that only say again what stands above them: sums under labels that no list of words knows."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from optimizer.procurement.reading import words
from optimizer.procurement.reading.document import Ignored, Line, Total
from optimizer.procurement.reading.line.amounts import exact_sum
from optimizer.procurement.reading.sums.sums import near
from optimizer.procurement.reading.table.rows import Body
from optimizer.procurement.reading.table.totals import RawTotal


def without_repeats(rows: Body, made: Mapping[int, Line], totals: list[Total]) -> bool:
    """Turns rows into sums that have an amount, but neither quantity, unit price nor part, and whose amount is that of
    all lines above, of those since the last sum, or of a sum above. Whether there were any.

    `made`: the lines by their place among the raw ones."""
    found: list[int] = []
    nothing = [i for i, x in made.items() if x.role == "part" and _names_nothing(x) and x.line_total == 0]
    for i, x in made.items():
        above = [y for k, y in made.items() if k < i and k not in found and not y.optional]
        if not _only_an_amount(x) or len(above) < 2:
            continue
        start = max((t.after for t in rows.totals if t.after <= i), default=0)
        block = [y for k, y in made.items() if start <= k < i and k not in found and not y.optional]
        off = exact_sum([-abs(t.amount) for t in totals if t.kind == "discount" and t.row < x.row])
        sums = [s for lines in (above, block) if len(lines) > 1 and (s := _sum(lines)) is not None]
        sums += [sums[0] + off] if sums and off else []
        sums += [t.amount for t in totals if t.row < x.row and t.kind not in ("tax", "discount")]
        if x.line_total is not None and any(near(s, x.line_total, above) for s in sums):
            found.append(i)
    for i in sorted({*found, *nothing}, reverse=True):
        raw = rows.lines.pop(i)
        for t in rows.totals:
            t.after -= t.after > i
        if i in nothing:
            rows.ignored.append(Ignored(row=raw.row, reason="an amount of 0 for no part", text=made[i].text))
            continue
        rows.totals.append(RawTotal(raw.row, "total", made[i].text[:60], raw.cells["line_total"], i))
        rows.ignored.append(Ignored(row=raw.row, reason="sum (total)", text=made[i].text))
    rows.totals.sort(key=lambda t: t.row)
    return bool(found or nothing)


def without_summary(rows: Body, made: Mapping[int, Line]) -> bool:
    """Puts the table of details in the place of a summary above it that prices the same things: each priced line of the
    summary stands again below the header of a further table, word for word, with quantity and price. Whether there was
    one. Counting both would buy everything twice."""
    heads = [x.row for x in rows.ignored if x.reason in ("header repeated", "header of a further table")]
    start = next((n for n in heads if any(x.row < n for x in made.values())), None)
    if start is None:
        return False
    above = [i for i, x in made.items() if x.row < start and x.qty and x.unit_price and x.line_total]
    below = [i for i, x in made.items() if x.row > start]
    again = {_said(made[i]) for i in below if made[i].unit_price}
    if not above or any(_said(made[i]) not in again for i in above) or len(below) <= len(above):
        return False
    details = [rows.lines[i] for i in below]
    place, gone = above[0], set(above)
    for t in rows.totals:
        if t.after >= place + len(above) and t.row < start:
            t.after += len(below) - len(above)
    for i in above:
        text = f"said again in detail in row {next(made[k].row for k in below if _said(made[k]) == _said(made[i]))}"
        rows.ignored.append(Ignored(row=made[i].row, reason=text, text=made[i].text))
    kept = [raw for i, raw in enumerate(rows.lines) if i not in gone and i not in set(below)]
    first = sum(i not in gone for i in range(place))
    rows.lines[:] = [*kept[:first], *details, *kept[first:]]
    return True


def _said(x: Line) -> tuple[str, Decimal | None, Decimal | None, Decimal | None]:
    return words.bare(x.text), x.qty, x.unit_price, x.line_total


def _names_nothing(x: Line) -> bool:
    """Whether it is a label alone: no quantity, no unit price, no number, no part."""
    bare = x.qty is None and x.unit_price is None and not x.part_number
    return bare and x.matched.part is None and not x.optional


def _only_an_amount(x: Line) -> bool:
    return _names_nothing(x) and (x.line_total or 0) > 0


def _sum(lines: list[Line]) -> Decimal | None:
    amounts = [x.amount for x in lines if x.included or x.unit_price is not None or x.line_total is not None]
    known = [a for a in amounts if a is not None]
    return exact_sum(known) if known and len(known) == len(amounts) else None
