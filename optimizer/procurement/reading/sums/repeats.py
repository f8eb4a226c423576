"""Rows that only say again what stands above them: sums under labels that no list of words knows."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from optimizer.procurement.reading import row_words
from optimizer.procurement.reading.document import Ignored, Line, Total
from optimizer.procurement.reading.line.amounts import exact_sum
from optimizer.procurement.reading.sums.sums import near
from optimizer.procurement.reading.table.rows import Body, Raw
from optimizer.procurement.reading.table.totals import RawTotal


def without_repeats(rows: Body, made: Mapping[int, Line], totals: list[Total]) -> bool:
    """Turns rows into sums that have an amount, but neither quantity, unit price nor part, and whose amount is that of
    all lines above, of those since the last sum, or of a sum above. Whether there were any.

    `made`: the lines by their place among the raw ones."""
    nothing = [place for place, line in made.items() if _costs_nothing(line)]
    repeats: list[int] = []
    for place, line in made.items():
        if _only_an_amount(line) and _says_again(place, line, made, repeats, rows, totals):
            repeats.append(place)
    # From the bottom up, so that the places above stay what they are.
    for place in sorted({*repeats, *nothing}, reverse=True):
        _take_out(rows, place, made[place], a_sum=place not in nothing)
    rows.totals.sort(key=lambda total: total.row)
    return bool(repeats or nothing)


def _says_again(
    place: int, line: Line, made: Mapping[int, Line], repeats: list[int], rows: Body, totals: list[Total]
) -> bool:
    """Whether the line's amount is that of two and more lines above it, or of a sum above it. What was found to be a
    repetition itself counts in no sum."""

    def lines_from(first: int) -> list[Line]:
        return [other for at, other in made.items() if first <= at < place and at not in repeats and not other.optional]

    above = lines_from(0)
    if line.line_total is None or len(above) < 2:
        return False
    since_last_sum = lines_from(max((total.after for total in rows.totals if total.after <= place), default=0))
    off = exact_sum([-abs(total.amount) for total in totals if total.kind == "discount" and total.row < line.row])
    sums = [amount for lines in (above, since_last_sum) if len(lines) > 1 and (amount := _sum(lines)) is not None]
    sums += [sums[0] + off] if sums and off else []
    sums += [total.amount for total in totals if total.row < line.row and total.kind not in ("tax", "discount")]
    return any(near(amount, line.line_total, above) for amount in sums)


def _take_out(rows: Body, place: int, line: Line, *, a_sum: bool) -> None:
    """Takes a raw line out from among the lines; as a sum it is kept with the sums."""
    raw = rows.lines.pop(place)
    for total in rows.totals:
        total.after -= total.after > place
    if a_sum:
        rows.totals.append(RawTotal(raw.row, "total", line.text[:60], raw.cells["line_total"], place))
    reason = "sum (total)" if a_sum else "an amount of 0 for no part"
    rows.ignored.append(Ignored(row=raw.row, reason=reason, text=line.text))


def without_summary(rows: Body, made: Mapping[int, Line]) -> bool:
    """Puts the table of details in the place of a summary above it that prices the same things: each priced line of the
    summary stands again below the header of a further table, word for word, with quantity and price. Whether there was
    one. Counting both would buy everything twice."""
    heads = [row.row for row in rows.ignored if row.reason in ("header repeated", "header of a further table")]
    start = next((head for head in heads if any(line.row < head for line in made.values())), None)
    if start is None:
        return False
    summary = [
        place for place, line in made.items() if line.row < start and line.qty and line.unit_price and line.line_total
    ]
    details = [place for place, line in made.items() if line.row > start]
    if not summary or len(details) <= len(summary) or not _all_again(summary, details, made):
        return False
    for total in rows.totals:
        if total.after >= summary[0] + len(summary) and total.row < start:
            total.after += len(details) - len(summary)
    for place in summary:
        again = next(made[other].row for other in details if _said(made[other]) == _said(made[place]))
        text = f"said again in detail in row {again}"
        rows.ignored.append(Ignored(row=made[place].row, reason=text, text=made[place].text))
    rows.lines[:] = _moved_up(rows.lines, summary, details)
    return True


def _all_again(summary: list[int], details: list[int], made: Mapping[int, Line]) -> bool:
    """Whether each line of the summary is a priced one of the details."""
    priced = {_said(made[place]) for place in details if made[place].unit_price}
    return all(_said(made[place]) in priced for place in summary)


def _moved_up(lines: list[Raw], summary: list[int], details: list[int]) -> list[Raw]:
    """The raw lines with the details in the place of the summary's first line."""
    gone = {*summary, *details}
    kept = [raw for place, raw in enumerate(lines) if place not in gone]
    first = sum(place not in set(summary) for place in range(summary[0]))
    return [*kept[:first], *(lines[place] for place in details), *kept[first:]]


def _said(line: Line) -> tuple[str, Decimal | None, Decimal | None, Decimal | None]:
    return row_words.bare(line.text), line.qty, line.unit_price, line.line_total


def _names_nothing(line: Line) -> bool:
    """Whether it is a label alone: no quantity, no unit price, no number, no part."""
    bare = line.qty is None and line.unit_price is None and not line.part_number
    return bare and line.matched.part is None and not line.optional


def _only_an_amount(line: Line) -> bool:
    return _names_nothing(line) and (line.line_total or 0) > 0


def _costs_nothing(line: Line) -> bool:
    """Whether the row is a label with an amount of 0, such as the sum of an empty group."""
    return line.role == "part" and _names_nothing(line) and line.line_total == 0


def _sum(lines: list[Line]) -> Decimal | None:
    amounts = [
        line.amount for line in lines if line.included or line.unit_price is not None or line.line_total is not None
    ]
    known = [amount for amount in amounts if amount is not None]
    return exact_sum(known) if known and len(known) == len(amounts) else None
