"""Rows that only say again what stands above them: sums under labels that no list of words knows."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from optimizer.procurement.reading.amounts import exact_sum
from optimizer.procurement.reading.document import Ignored, Line, Total
from optimizer.procurement.reading.rows import Body
from optimizer.procurement.reading.sums import near
from optimizer.procurement.reading.totals import RawTotal


def without_repeats(rows: Body, made: Mapping[int, Line], totals: list[Total]) -> bool:
    """Turns rows into sums that have an amount, but neither quantity, unit price nor part, and whose amount is that of
    all lines above, of those since the last sum, or of a sum above. Whether there were any.

    `made`: the lines by their place among the raw ones."""
    found: list[int] = []
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
    for i in reversed(found):
        raw = rows.lines.pop(i)
        for t in rows.totals:
            t.after -= t.after > i
        rows.totals.append(RawTotal(raw.row, "total", made[i].text[:60], raw.cells["line_total"], i))
        rows.ignored.append(Ignored(row=raw.row, reason="sum (total)", text=made[i].text))
    rows.totals.sort(key=lambda t: t.row)
    return bool(found)


def _only_an_amount(x: Line) -> bool:
    bare = x.qty is None and x.unit_price is None and not x.part_number
    return bare and x.matched.part is None and not x.optional and (x.line_total or 0) > 0


def _sum(lines: list[Line]) -> Decimal | None:
    amounts = [x.amount for x in lines]
    known = [a for a in amounts if a is not None]
    return exact_sum(known) if len(known) == len(amounts) else None
