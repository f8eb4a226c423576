"""What the file's own sums decide of its lines: prices of a lot, heads that only add up what is below, lines without a
price. A reading is taken where the sums hold in it and not without."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, Protocol

from catalogs.message import message
from optimizer.procurement.reading.document import WHOLE, Issue, Line, Match, Severity, Total
from optimizer.procurement.reading.line.amounts import CENT
from optimizer.procurement.reading.mapping import Tax
from optimizer.procurement.reading.sums import sums

ADDED_UP = Match(how="bundle", reason="it only adds up the lines below it")


class Way(Protocol):
    """Another reading of lines, or the same ones where it has nothing to say."""

    def __call__(self, lines: list[Line]) -> list[Line]: ...


def decided(
    lines: list[Line],
    totals: Sequence[Total],
    after: Sequence[int],
    tax: Tax,
    rate: Decimal | None,
    notes: Sequence[str] = (),
) -> list[Line]:
    """The lines as the sums prove them; what the sums leave open stays as it is. `notes`: what the file says beside
    its table, for how many servers the sum is."""

    def wrong(of: list[Line]) -> int:
        return sum(i.code != "tax-arithmetic" for i in sums.check(of, totals, after, tax, rate))

    if not any(total.kind in WHOLE for total in totals):
        return [_of_one(x) for x in added_up(lines, alone=True)]
    for way in (lots, of_whole_lines, added_up, unpriced, *several(lines, totals), *of_one_server(totals, notes)):
        trial = way(lines)
        if trial != lines and wrong(trial) < wrong(lines):
            lines = trial
    return [_of_one(line) for line in lines] if wrong(lines) else lines


NODES = re.compile(
    r"(?:[x×*]\s*(\d{1,3})|(?<![\d.,])(\d{1,3})\s*[x×*]?)\s*(?:nodes?|servers?|systems?|knoten|systeme|台|套|节点)",
    re.IGNORECASE,
)


def several(lines: Sequence[Line], totals: Sequence[Total]) -> list[Way]:
    """`Qty per node` or `Compute node (x2 nodes)`: the lines count and price one of several."""

    def said(text: str) -> int:
        found = NODES.search(text)
        return int(found[1] or found[2]) if found else 1

    def times(n: int, ours: Callable[[Line], bool]) -> Way:
        return lambda among: [_times(x, n) if ours(x) else x for x in among]

    by_section = {line.section: n for line in lines if (n := said(line.section)) > 1}
    ways = [times(n, lambda x, s=s: x.section == s) for s, n in by_section.items()]  # type: ignore[misc]
    if any(line.per_node for line in lines):
        counts = sorted({n for total in totals if (n := said(total.label)) > 1})
        ways += [times(n, lambda x: x.per_node) for n in counts]
    return ways


ALSO_NODES = re.compile(
    r"(?<![\d.,])(\d{1,3})\s*(?:[x×*]\s*)?(?:nodes?|servers?|systems?|units?|pcs|sets?|machines?|knoten|systeme|stück|台|套|节点)",
    re.IGNORECASE,
)
"""So many of what is offered, in the label of a sum or in a short note: `Total (4 pcs)`, `Quantity: 4 servers`."""
SHORT_NOTE = 60


def of_one_server(totals: Sequence[Total], notes: Sequence[str]) -> list[Way]:
    """`Total for 4 servers` below a list of one: all lines are of one of so many."""
    texts = [*(total.label for total in totals), *(note for note in notes if len(note) <= SHORT_NOTE)]
    counts = sorted({n for text in texts for found in ALSO_NODES.finditer(text) if (n := int(found[1])) > 1})

    def times(n: int) -> Way:
        return lambda among: [_times(line, n) for line in among]

    return [times(n) for n in counts]


def _times(line: Line, n: int) -> Line:
    text = message("counted and priced for one of {n}: only so the file's sums hold", n=n)
    more = {f: v * n for f in ("qty", "pieces", "line_total") if (v := getattr(line, f)) is not None}
    return _with(line, "times-nodes", text, per_node=False, **more)


def _of_one(line: Line) -> Line:
    """The line with the doubt told that its section or its column leaves open."""
    found = NODES.search(line.section)
    if any(issue.code in ("times-nodes", "times-systems") for issue in line.issues) or not (
        line.per_node or (found and found[1])
    ):
        return line
    text = "its quantity is what each of several servers holds: it is taken as all there is"
    return _with(line, "per-node", text, "warning")


def lots(lines: list[Line]) -> list[Line]:
    """`8x RTX PRO 6000 ... 86,400` in a list without quantities: the price is that of all eight."""
    text = "the price is that of all pieces: only so the file's sums hold"

    def all_of(line: Line) -> bool:
        return (
            any(issue.code == "count-in-text" and issue.severity == "note" for issue in line.issues)
            and line.line_total is None
        )

    return [
        _with(
            line,
            "price-of-all",
            text,
            line_total=line.unit_price,
            unit_price=(line.unit_price / line.qty).quantize(CENT),
        )
        if all_of(line) and line.unit_price is not None and line.qty
        else line
        for line in lines
    ]


def of_whole_lines(lines: list[Line]) -> list[Line]:
    """A list with quantities whose one column of prices holds what each line comes to: `32 | RDIMM | 2,420`."""
    text = "the price is that of all pieces: only so the file's sums hold"

    def of_one(line: Line) -> Line:
        if line.unit_price is None or not line.qty or line.line_total is not None:
            return line
        each = (line.unit_price / line.qty).quantize(CENT / 10_000)  # to the cent, 32 of them would miss the total
        return _with(line, "price-of-all", text, line_total=line.unit_price, unit_price=each)

    return [of_one(line) for line in lines]


def added_up(lines: list[Line], *, alone: bool = False) -> list[Line]:
    """A priced head above two or more priced lines that sum to it to the cent counts once. Where no sum of the file
    proves it (`alone`), only what is no part itself, and not for a few round figures: 12,000 above 8,000 and 4,000
    happens. Then the doubt is told."""
    out = list(lines)
    for i, head in enumerate(lines):
        if not head.amount or head.optional:
            continue
        total, k = Decimal(0), i + 1
        while k < len(lines) and (lines[k].amount or 0) > 0 and not lines[k].optional and total < head.amount:
            total, k = total + (lines[k].amount or 0), k + 1
        if k - i < 3 or total != head.amount:
            continue
        first, last = lines[i + 1].row, lines[k - 1].row
        if alone and head.role == "service":
            continue
        if alone and (head.matched.part or _by_chance(lines[i:k])):
            text = message(
                "its price is what rows {first} to {last} sum to: if it only adds them up, it counts twice",
                first=first,
                last=last,
            )
            out[i] = _with(head, "maybe-added-up", text, "warning")
            continue
        text = message("its price is the sum of rows {first} to {last}: counted once", first=first, last=last)
        matched = head.matched if head.matched.part else ADDED_UP
        out[i] = _with(head, "added-up", text, unit_price=None, line_total=None, included=True, matched=matched)
    return out


def _by_chance(lines: Sequence[Line]) -> bool:
    """Whether a head and two lines, all of them of one or two digits and zeros, may sum up by chance."""
    digits = (len((line.amount or Decimal(0)).normalize().as_tuple().digits) for line in lines)
    return len(lines) == 3 and max(digits) < 3


def unpriced(lines: list[Line]) -> list[Line]:
    """Lines without a price are part of what is priced above them."""

    def bare(line: Line) -> bool:
        none = line.unit_price is None and line.line_total is None and not line.included and not line.on_request
        return none and not line.optional and not any(issue.severity == "error" for issue in line.issues)

    text = "no price of its own: the file's sums count nothing for it"
    kept = {line.row: tuple(issue for issue in line.issues if issue.code != "no-price") for line in lines}
    return [
        _with(line.model_copy(update={"issues": kept[line.row]}), "included-by-sum", text, included=True)
        if bare(line)
        else line
        for line in lines
    ]


def _with(line: Line, code: str, text: str, severity: Severity = "note", **update: Any) -> Line:
    issue = Issue(code=code, severity=severity, text=text, row=line.row)
    return line.model_copy(update={**update, "issues": (*line.issues, issue)})
