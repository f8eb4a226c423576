"""The file's own sums against its lines: wrong sums, wrong tax, tax counted twice; and what basis they prove."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from catalogs.message import N_, joined, message
from optimizer.procurement.reading import row_words
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
        text = message(
            N_("sum {label}: {text} may mean two amounts") if found.values else N_("sum {label}: {text} is no amount"),
            label=f"{raw.label!r}",
            text=f"{str(raw.cell)!r}",
        )
        issues.append(Issue(code="ambiguous-number", severity="warning", text=text, row=raw.row))
        return None
    _, sets = row_words.qualified(raw.label)
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
    goods = _all([line for line in lines if not line.optional])
    whole = [total.kind == "discount" and goods is not None and 0 < goods * 9 <= total.amount * 10 for total in totals]
    return [t.model_copy(update={"kind": "total"}) if w else t for t, w in zip(totals, whole, strict=True)]


def rate_in(text: str) -> Decimal | None:
    found = RATE.search(text)
    return Decimal(found[1].replace(",", ".")) if found else None


def proven_basis(lines: Sequence[Line], totals: Sequence[Total], rate: Decimal | None = None) -> Tax:
    """Net where a tax is added to the lines' sum, by a row of its own or at the rate that the file states; gross where
    the tax shown is within it; else unknown."""
    total = _all(lines)
    tax = next((total for total in totals if total.kind == "tax" and total.amount > 0), None)
    if total is None or not total:
        return "unknown"
    net = total + _discounts(totals)
    if tax is None:
        with_tax = net * (1 + (rate or Decimal(0)) / 100)
        added = rate and any(near(with_tax, x.amount, lines) for x in totals if x.kind in ("total", "total_gross"))
        return "net" if added else "unknown"
    if any(near(net + tax.amount, total.amount, lines) for total in totals if total.kind in ("total", "total_gross")):
        return "net"
    if any(
        near(net, total.amount, lines)
        for total in totals
        if total.kind in ("total", "total_gross") and total.row > tax.row
    ):
        return "gross"
    return "unknown"


@dataclass(frozen=True)
class _Sums:
    """What the file's sums are held against: its lines, their basis, and what they come to. `off`: discounts, below 0;
    `taxes`: all taxes stated, as one; `bases`: what a tax may be of: the net sum (freight is taxed or not), then sums
    stated above it."""

    lines: Sequence[Line]
    counted: Sequence[Line]
    totals: Sequence[Total]
    tax: Tax
    rate: Decimal | None
    goods: Decimal
    off: Decimal
    taxes: Total | None
    bases: list[Decimal]

    @classmethod
    def of(
        cls, lines: Sequence[Line], totals: Sequence[Total], tax: Tax, rate: Decimal | None, goods: Decimal
    ) -> _Sums:
        counted = [line for line in lines if not line.optional]
        off = _discounts(totals)
        stated = [total for total in totals if total.kind == "tax"]
        whole = exact_sum([total.amount for total in stated])
        parts = _all([line for line in counted if line.role == "part"])
        bases = [goods + off, *([parts + off] if parts else [])]
        taxes = stated[0].model_copy(update={"amount": whole}) if stated else None
        return cls(lines, counted, totals, tax, rate, goods, off, taxes, bases)


@dataclass(frozen=True)
class _Start:
    """Where a block of lines begins: how many lines and sums stand above it."""

    lines: int = 0
    totals: int = 0


def check(
    lines: Sequence[Line], totals: Sequence[Total], after: Sequence[int], tax: Tax, rate: Decimal | None
) -> list[Issue]:
    """`after`: how many lines stand above each of `totals`. Issues in the order of the sums."""
    counted = [line for line in lines if not line.optional]
    if len({line.currency for line in counted if line.currency}) > 1:
        return _unchecked(totals, "the lines are in several currencies: the sums could not be checked")
    issues = _spelled(totals)
    goods = _all(counted)
    if goods is None:
        return issues + _unchecked(totals, "some lines have no amount: the sums could not be checked")
    sums = _Sums.of(lines, totals, tax, rate, goods)
    starts = [_Start()]
    for place, (total, above) in enumerate(zip(totals, after, strict=True)):
        if total.kind == "subtotal":
            issues += _subtotal(total, _blocks(sums, starts, place, above), lines[:above], counted)
            starts.append(_Start(above, place + 1))
        elif total.kind == "tax":
            issues += _tax(total, sums)
        elif total.kind in WHOLE:
            issues += _whole(sums, starts, place, above)
            sums.bases.append(total.amount)
        elif total.kind == "in_words" and not any(other.kind in WHOLE for other in totals):
            issues += _total(total.model_copy(update={"kind": "total"}), sums)
    return issues


def _unchecked(totals: Sequence[Total], text: str) -> list[Issue]:
    return [Issue(code="sums-unchecked", severity="warning", text=text)] if totals else []


def _blocks(sums: _Sums, starts: Sequence[_Start], place: int, above: int) -> list[tuple[Sequence[Line], Decimal]]:
    """Lines and discounts from each start to the sum at `place`, the latest start first."""
    return [
        (sums.lines[start.lines : above], _discounts(sums.totals[start.totals : place])) for start in reversed(starts)
    ]


def _whole(sums: _Sums, starts: list[_Start], place: int, above: int) -> list[Issue]:
    """Faults of a sum of everything. One with lines or a further sum below it may be that of a group, which it is
    then held against too."""
    total = sums.totals[place]
    wrong = _total(total, sums)
    if wrong and _is_of_one(total, sums):
        return []
    more_lines = any(not line.optional for line in sums.lines[above:])
    if wrong and (more_lines or any(other.kind in WHOLE for other in sums.totals[place + 1 :])):
        of_group = _subtotal(total, _blocks(sums, starts, place, above), sums.lines[:above], sums.counted)
        wrong = of_group if more_lines or not of_group else wrong
        starts.append(_Start(above, place + 1))
    return wrong


def _is_of_one(total: Total, sums: _Sums) -> bool:
    """Whether it is the sum for one of several servers, in a list of all of them: `Price per server`."""
    said = row_words.qualified(total.label)[1].get("per") == "node"
    return said and total.amount > 0 and any(base and not base % total.amount for base in sums.bases)


def _spelled(totals: Sequence[Total]) -> list[Issue]:
    """Amounts in words that are none of those in figures."""
    figures = [total.amount for total in totals if total.kind in WHOLE]
    text = "the amount in words is another than in figures, and counts (decree 87, article 59)"
    wrong = [total for total in totals if total.kind == "in_words" and figures and total.amount not in figures]
    return [_wrong("words-arithmetic", t, figures[-1], text) for t in wrong]


def _all(lines: Sequence[Line]) -> Decimal | None:
    amounts = [Decimal(0) if line.amount is None and line.on_request else line.amount for line in lines]
    known = [a for a in amounts if a is not None]
    return exact_sum(known) if len(known) == len(amounts) else None


def _discounts(totals: Sequence[Total]) -> Decimal:
    return exact_sum([-abs(total.amount) for total in totals if total.kind == "discount"])


def near(computed: Decimal, stated: Decimal, lines: Sequence[Line]) -> bool:
    """Equal to the cent, with half a cent of rounding per line and the last place of a coarse amount."""
    exponent = stated.as_tuple().exponent
    place = Decimal(1).scaleb(int(exponent)) if isinstance(exponent, int) and exponent > 0 else Decimal("0.01")
    return abs(computed - stated) <= place / 2 + Decimal("0.005") * len(lines)


def _subtotal(
    total: Total, blocks: Sequence[tuple[Sequence[Line], Decimal]], above: Sequence[Line], counted: Sequence[Line]
) -> list[Issue]:
    """`blocks`: the lines and discounts since the last subtotal, since the one before it (a group less its discount),
    and so on; of the lines above it and of all that count."""
    sums = [x for lines, off in blocks if (whole := _all(lines)) is not None for x in (whole, whole + off)]
    sums += [x for lines in (above, counted) if (x := _all([line for line in lines if not line.optional])) is not None]
    if any(near(s, total.amount, above) for s in sums):
        return []
    if row_words.qualified(total.label)[1].get("per") == "node" and any(
        s and not s % total.amount for s in sums if total.amount
    ):
        return []  # of one of several
    return [_wrong("subtotal-arithmetic", total, _all(blocks[0][0]), "the lines above it sum to another amount")]


def _tax(total: Total, sums: _Sums) -> list[Issue]:
    """Faults of a tax; tax on a wrong sum is that sum's fault, told there."""
    rate = total.rate if total.rate is not None else sums.rate
    if rate is None:
        return []
    bases: Sequence[Decimal] = sums.bases
    if own := OF_AMOUNT.search(total.label):  # `MwSt 19 % auf 129.560,00`
        bases = [*read_number(own[1]).values, *bases]
    share = rate / 100
    added = [base * share for base in bases]
    within = [base * share / (1 + share) for base in bases]
    # Tax on top of prices that have it already is told with the total.
    allowed = added + within if sums.tax == "gross" else added
    if any(near(amount, total.amount, sums.lines) for amount in allowed):
        return []
    gross = sums.tax == "gross"
    text = (
        N_("{rate} % within the prices is another amount") if gross else N_("{rate} % of the net sum is another amount")
    )
    return [_wrong("tax-arithmetic", total, within[0] if gross else added[0], message(text, rate=rate))]


def _total(total: Total, sums: _Sums) -> list[Issue]:
    """Faults of a sum of everything."""
    base, plus = sums.goods + sums.off, _tax_on_top(sums)
    allowed = _allowed(total, sums)
    if any(near(amount, total.amount, sums.lines) for amount in allowed):
        return []
    if row_words.has("variant", total.label) and any(line.optional for line in sums.lines):
        return []  # a sum with one of the options, which are in none
    if sums.tax == "gross" and plus > 0 and any(near(b + plus, total.amount, sums.lines) for b in sums.bases):
        text = "the prices have tax in them already and the total adds it again"
        return [_wrong("tax-counted-twice", total, base, text)]
    return [_wrong("sum-arithmetic", total, allowed[0], "the lines sum to another amount")]


def _factor(sums: _Sums) -> Decimal:
    """Gross by net, at the rate that a tax states, else the file's."""
    of_tax = sums.taxes.rate if sums.taxes is not None else None
    rate = of_tax if of_tax is not None else sums.rate
    return 1 + (rate or Decimal(0)) / 100


def _tax_on_top(sums: _Sums) -> Decimal:
    """The tax stated, else that of the lines' sum at the rate."""
    base = sums.goods + sums.off
    return sums.taxes.amount if sums.taxes is not None else base * _factor(sums) - base


def _allowed(total: Total, sums: _Sums) -> list[Decimal]:
    """The sums that this one may be, by its label and the basis of the prices, the likeliest first."""
    goods, base, factor = sums.goods, sums.goods + sums.off, _factor(sums)
    taxed = [base + _tax_on_top(sums), base * factor]
    if sums.tax == "gross":
        if total.kind == "total_net":
            return [base / factor]
        return [base, goods] if sums.off and total.kind == "total" else [base]
    if total.kind == "total_gross":
        return taxed
    if total.kind == "total_net":
        return [base, goods]
    if total.kind == "total":
        below_tax = sums.taxes is not None and total.row > sums.taxes.row
        return taxed if below_tax else [base, goods, *taxed]
    return [base]


def _wrong(code: str, total: Total, computed: Decimal | None, why: str) -> Issue:
    text = joined([total.label or "sum without a label", why], ": ")
    shown = computed.quantize(Decimal("0.01")) if computed is not None else None
    return Issue(code=code, severity="error", text=text, row=total.row, stated=total.amount, computed=shown)
