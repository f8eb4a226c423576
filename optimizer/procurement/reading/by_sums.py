"""What the file's own sums decide of its lines: prices of a lot, heads that only add up what is below, lines without a
price. A reading is taken where the sums hold in it and not without."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Protocol

from optimizer.procurement.reading import sums
from optimizer.procurement.reading.amounts import CENT
from optimizer.procurement.reading.document import WHOLE, Issue, Line, Match, Total
from optimizer.procurement.reading.mapping import Tax

ADDED_UP = Match(how="bundle", reason="it only adds up the lines below it")


class Way(Protocol):
    """Another reading of lines, or the same ones where it has nothing to say."""

    def __call__(self, lines: list[Line]) -> list[Line]: ...


def decided(
    lines: list[Line], totals: Sequence[Total], after: Sequence[int], tax: Tax, rate: Decimal | None
) -> list[Line]:
    """The lines as the sums prove them; what the sums leave open stays as it is."""

    def wrong(of: list[Line]) -> int:
        return sum(i.code != "tax-arithmetic" for i in sums.check(of, totals, after, tax, rate))

    if not any(t.kind in WHOLE for t in totals):
        return added_up(lines)  # to the cent, over two lines and more: no chance does that
    for way in (lots, added_up, unpriced):
        trial = way(lines)
        if trial != lines and wrong(trial) < wrong(lines):
            lines = trial
    return lines


def lots(lines: list[Line]) -> list[Line]:
    """`8x RTX PRO 6000 ... 86,400` in a list without quantities: the price is that of all eight."""
    text = "the price is that of all pieces: only so the file's sums hold"

    def all_of(x: Line) -> bool:
        return any(i.code == "count-in-text" and i.severity == "note" for i in x.issues) and x.line_total is None

    return [
        _with(x, "price-of-all", text, line_total=x.unit_price, unit_price=(x.unit_price / x.qty).quantize(CENT))
        if all_of(x) and x.unit_price is not None and x.qty
        else x
        for x in lines
    ]


def added_up(lines: list[Line]) -> list[Line]:
    """A priced head above two or more priced lines that sum to it to the cent counts once."""
    out = list(lines)
    for i, head in enumerate(lines):
        if not head.amount or head.optional:
            continue
        total, k = Decimal(0), i + 1
        while k < len(lines) and (lines[k].amount or 0) > 0 and not lines[k].optional and total < head.amount:
            total, k = total + (lines[k].amount or 0), k + 1
        if k - i > 2 and total == head.amount:
            text = f"its price is the sum of rows {lines[i + 1].row} to {lines[k - 1].row}: counted once"
            bare = {"unit_price": None, "line_total": None, "included": True}
            out[i] = _with(head, "added-up", text, **bare, **({} if head.matched.part else {"matched": ADDED_UP}))
    return out


def unpriced(lines: list[Line]) -> list[Line]:
    """Lines without a price are part of what is priced above them."""

    def bare(x: Line) -> bool:
        none = x.unit_price is None and x.line_total is None and not x.included and not x.on_request
        return none and not x.optional and not any(i.severity == "error" for i in x.issues)

    text = "no price of its own: the file's sums count nothing for it"
    kept = {x.row: tuple(i for i in x.issues if i.code != "no-price") for x in lines}
    return [
        _with(x.model_copy(update={"issues": kept[x.row]}), "included-by-sum", text, included=True) if bare(x) else x
        for x in lines
    ]


def _with(x: Line, code: str, text: str, **update: object) -> Line:
    issue = Issue(code=code, severity="note", text=text, row=x.row)
    return x.model_copy(update={**update, "issues": (*x.issues, issue)})
