"""The file's own sums against its lines: wrong sums, wrong tax, tax counted twice; and what basis they prove."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

from optimizer.procurement.reading import words
from optimizer.procurement.reading.document import WHOLE, Issue, Line, Total
from optimizer.procurement.reading.line.amounts import amount, cents, exact_sum
from optimizer.procurement.reading.mapping import Tax
from optimizer.procurement.reading.table.totals import RawTotal
from optimizer.text.amounts import Style
from optimizer.text.amounts import read as read_number

OF_AMOUNT = re.compile(r"\b(?:auf|on|of|über|von)\s+(\D{0,5}\d[\d.,' ]*)\s*$")
RATE = re.compile(r"(?<!\d)(\d{1,2}(?:[.,]\d{1,2})?)\s*%")


def read_total(raw: RawTotal, style: Style, scale: int, issues: list[Issue]) -> Total | None:
    """A sum with its amount; an ambiguous or unreadable one becomes an issue."""
    found = amount(raw.cell, style, 1 if raw.kind == "in_words" else scale)
    if len(found.values) != 1:
        text = f"sum {raw.label!r}: {str(raw.cell)!r} " + ("may mean two amounts" if found.values else "is no amount")
        issues.append(Issue(code="ambiguous-number", severity="warning", text=text, row=raw.row))
        return None
    _, sets = words.qualified(raw.label)
    tax: Tax = sets.get("tax", "unknown")  # type: ignore[assignment]
    tax = {"total_net": "net", "total_gross": "gross"}.get(raw.kind, tax)  # type: ignore[assignment]
    value = found.values[0]
    value = cents(value) if value == cents(value) else value
    rate = None if raw.kind == "discount" else rate_in(raw.label)  # 2 % of Skonto are no tax
    return Total(row=raw.row, kind=raw.kind, label=raw.label, amount=value, tax=tax, rate=rate)


def read_totals(
    raws: Sequence[RawTotal], style: Style, scale: int, issues: list[Issue]
) -> list[tuple[RawTotal, Total]]:
    """Each sum that could be read, with its row."""
    return [(r, t) for r in raws if (t := read_total(r, style, scale, issues))]


def settled(totals: Sequence[Total], lines: Sequence[Line]) -> list[Total]:
    """A discount of nine tenths of everything and more is what is left to pay: `优惠后 630,000`."""
    goods = _all([x for x in lines if not x.optional])
    whole = [t.kind == "discount" and goods is not None and 0 < goods * 9 <= t.amount * 10 for t in totals]
    return [t.model_copy(update={"kind": "total"}) if w else t for t, w in zip(totals, whole, strict=True)]


def rate_in(text: str) -> Decimal | None:
    m = RATE.search(text)
    return Decimal(m[1].replace(",", ".")) if m else None


def proven_basis(lines: Sequence[Line], totals: Sequence[Total]) -> Tax:
    """Net where a tax is added to the lines' sum; gross where the tax shown is within it; else unknown."""
    total = _all(lines)
    tax = next((t for t in totals if t.kind == "tax" and t.amount > 0), None)
    if total is None or not total or tax is None:
        return "unknown"
    net = total + _discounts(totals)
    if any(near(net + tax.amount, t.amount, lines) for t in totals if t.kind in ("total", "total_gross")):
        return "net"
    if any(near(net, t.amount, lines) for t in totals if t.kind in ("total", "total_gross") and t.row > tax.row):
        return "gross"
    return "unknown"


def check(
    lines: Sequence[Line], totals: Sequence[Total], after: Sequence[int], tax: Tax, rate: Decimal | None
) -> list[Issue]:
    """`after`: how many lines stand above each of `totals`. Issues in the order of the sums."""
    issues: list[Issue] = []
    counted = [x for x in lines if not x.optional]
    if len({x.currency for x in counted if x.currency}) > 1:
        text = "the lines are in several currencies: the sums could not be checked"
        return [Issue(code="sums-unchecked", severity="warning", text=text)] if totals else []
    goods = _all(counted)
    issues += _spelled(totals)
    if goods is None:
        if totals:
            text = "some lines have no amount: the sums could not be checked"
            issues.append(Issue(code="sums-unchecked", severity="warning", text=text))
        return issues
    starts = [(0, 0)]  # lines and sums above each block
    off = _discounts(totals)
    taxes = [t for t in totals if t.kind == "tax"]
    tax_total = taxes[0].model_copy(update={"amount": exact_sum([t.amount for t in taxes])}) if taxes else None
    parts = _all([x for x in counted if x.role == "part"])
    bases = [goods + off, *([parts + off] if parts else [])]  # freight is taxed or not
    for n, (t, count) in enumerate(zip(totals, after, strict=True)):
        if t.kind == "subtotal":
            blocks = [(lines[s:count], _discounts(totals[k:n])) for s, k in reversed(starts)]
            issues += _subtotal(t, blocks, lines[:count], counted)
            starts.append((count, n + 1))
        elif t.kind == "tax":
            issues += _tax(t, bases, tax, rate, lines)
        elif t.kind in WHOLE:
            wrong = _total(t, goods, off, tax, rate, tax_total, lines, bases)
            more = any(not x.optional for x in lines[count:])
            if wrong and (more or any(x.kind in WHOLE for x in totals[n + 1 :])):
                # A sum with lines or a further sum below it may be that of a group.
                blocks = [(lines[s:count], _discounts(totals[k:n])) for s, k in reversed(starts)]
                of_group = _subtotal(t, blocks, lines[:count], counted)
                wrong = of_group if more or not of_group else wrong
                starts.append((count, n + 1))
            issues += wrong
            bases.append(t.amount)
        elif t.kind == "in_words" and not any(x.kind in WHOLE for x in totals):
            as_total = t.model_copy(update={"kind": "total"})
            issues += _total(as_total, goods, off, tax, rate, tax_total, lines, bases)
    return issues


def _spelled(totals: Sequence[Total]) -> list[Issue]:
    """Amounts in words that are none of those in figures."""
    figures = [x.amount for x in totals if x.kind in WHOLE]
    text = "the amount in words is another than in figures, and counts (decree 87, article 59)"
    wrong = [t for t in totals if t.kind == "in_words" and figures and t.amount not in figures]
    return [_wrong("words-arithmetic", t, figures[-1], text) for t in wrong]


def _all(lines: Sequence[Line]) -> Decimal | None:
    amounts = [Decimal(0) if x.amount is None and x.on_request else x.amount for x in lines]
    known = [a for a in amounts if a is not None]
    return exact_sum(known) if len(known) == len(amounts) else None


def _discounts(totals: Sequence[Total]) -> Decimal:
    return exact_sum([-abs(t.amount) for t in totals if t.kind == "discount"])


def near(computed: Decimal, stated: Decimal, lines: Sequence[Line]) -> bool:
    """Equal to the cent, with half a cent of rounding per line and the last place of a coarse amount."""
    exponent = stated.as_tuple().exponent
    place = Decimal(1).scaleb(int(exponent)) if isinstance(exponent, int) and exponent > 0 else Decimal("0.01")
    return abs(computed - stated) <= place / 2 + Decimal("0.005") * len(lines)


def _subtotal(
    t: Total, blocks: Sequence[tuple[Sequence[Line], Decimal]], above: Sequence[Line], counted: Sequence[Line]
) -> list[Issue]:
    """`blocks`: the lines and discounts since the last subtotal, since the one before it (a group less its discount),
    and so on; of the lines above it and of all that count."""
    sums = [x for lines, off in blocks if (whole := _all(lines)) is not None for x in (whole, whole + off)]
    sums += [x for lines in (above, counted) if (x := _all([y for y in lines if not y.optional])) is not None]
    if any(near(s, t.amount, above) for s in sums):
        return []
    if words.qualified(t.label)[1].get("per") == "node" and any(s and not s % t.amount for s in sums if t.amount):
        return []  # of one of several
    return [_wrong("subtotal-arithmetic", t, _all(blocks[0][0]), "the lines above it sum to another amount")]


def _tax(t: Total, bases: Sequence[Decimal], tax: Tax, rate: Decimal | None, lines: Sequence[Line]) -> list[Issue]:
    """`bases`: the net sum, then sums stated above; tax on a wrong sum is that sum's fault, told there."""
    rate = t.rate if t.rate is not None else rate
    if rate is None:
        return []
    if own := OF_AMOUNT.search(t.label):  # `MwSt 19 % auf 129.560,00`
        bases = [*read_number(own[1]).values, *bases]
    share = rate / 100
    added = [b * share for b in bases]
    within = [b * share / (1 + share) for b in bases]
    # Tax on top of prices that have it already is told with the total.
    if any(near(x, t.amount, lines) for x in (added + within if tax == "gross" else added)):
        return []
    expected, what = (within[0], "within the prices") if tax == "gross" else (added[0], "of the net sum")
    return [_wrong("tax-arithmetic", t, expected, f"{rate} % {what} is another amount")]


def _total(
    t: Total, goods: Decimal, off: Decimal, tax: Tax, rate: Decimal | None, tax_total: Total | None,
    lines: Sequence[Line], bases: Sequence[Decimal],
) -> list[Issue]:  # fmt: skip
    """The sums that this one may be, by its label and the basis of the prices."""
    rate = tax_total.rate if tax_total is not None and tax_total.rate is not None else rate
    factor = 1 + (rate or Decimal(0)) / 100
    base = goods + off
    plus = tax_total.amount if tax_total is not None else base * factor - base
    below_tax = tax_total is not None and t.row > tax_total.row
    allowed = [base]
    if tax == "gross":
        allowed = [base / factor] if t.kind == "total_net" else [base, *([goods] if off and t.kind == "total" else [])]
    elif t.kind == "total_gross":
        allowed = [base + plus, base * factor]
    elif t.kind == "total_net":
        allowed = [base, goods]
    elif t.kind == "total":
        allowed = [base + plus, base * factor] if below_tax else [base, goods, base + plus, base * factor]
    if any(near(x, t.amount, lines) for x in allowed):
        return []
    if words.has("variant", t.label) and any(x.optional for x in lines):
        return []  # a sum with one of the options, which are in none
    if tax == "gross" and plus > 0 and any(near(b + plus, t.amount, lines) for b in bases):
        return [_wrong("tax-counted-twice", t, base, "the prices have tax in them already and the total adds it again")]
    return [_wrong("sum-arithmetic", t, allowed[0], "the lines sum to another amount")]


def _wrong(code: str, t: Total, computed: Decimal | None, why: str) -> Issue:
    text = f"{t.label or 'sum without a label'}: {why}"
    shown = computed.quantize(Decimal("0.01")) if computed is not None else None
    return Issue(code=code, severity="error", text=text, row=t.row, stated=t.amount, computed=shown)
