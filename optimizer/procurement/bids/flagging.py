"""What a buyer must ask about: flags from what the reader saw, from the basis, the items and the build."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from catalogs.errors import Fault
from catalogs.message import joined, message
from optimizer.procurement.bids.basis import DISCOUNT, Terms
from optimizer.procurement.bids.bid_labels import FILLS, OUTSIDE, ROLES
from optimizer.procurement.bids.flags import FLAGS
from optimizer.procurement.bids.schema import Flag, Item, OverTerm, PricedLine
from optimizer.procurement.bids.technical import Judged
from optimizer.procurement.labels import TAXES, rule_titles
from optimizer.procurement.reading.by_time import said_of
from optimizer.procurement.reading.document import Issue, Line, Quote
from optimizer.procurement.reading.line.match import SIMILAR
from optimizer.procurement.xray.no_plan import stop_of
from optimizer.procurement.xray.open_lines import where
from optimizer.text.languages import N_

SUMS = {
    "line-arithmetic": N_("line"), "discount-arithmetic": N_("discount"), "subtotal-arithmetic": N_("subtotal"),
    "sum-arithmetic": N_("sum"), "tax-arithmetic": N_("tax"), "words-arithmetic": N_("amount in words"),
}  # fmt: skip
DOUBTS = {
    "line-repeated", "negative-price", "no-quantity", "part-of-a-piece", "not-new", "counted-per-unit",
    "maybe-added-up", "per-node",
}  # fmt: skip
TAX = {"tax-counted-twice", "tax-basis-unclear"}
OF_ITS_OWN = {"tax-basis-unknown", "hidden-row", "part-conflict", "no-price", "no-currency"}


def flag(code: str, bid: str, row: int | None = None, item: int | None = None, **values: Any) -> Flag:
    """A flag; row and item are values of its sentence too."""
    said = values | {name: number for name, number in (("row", row), ("item", item)) if number is not None}
    texts = {name: value if isinstance(value, str) else str(value) for name, value in said.items()}
    return Flag(code=code, severity=FLAGS[code].severity, bid=bid, row=row, item=item, values=texts)


def of_quote(quote: Quote, bid: str, terms: Terms) -> Iterator[Flag]:
    """Arithmetic, tax, lines that need a look."""
    for issue in quote.all_issues:
        yield from _of_issue(issue, bid)
    yield from _of_tax(quote, bid, terms)
    for line in quote.lines:
        yield from _of_line(line, bid)


def _of_issue(issue: Issue, bid: str) -> Iterator[Flag]:
    """What the reader found. Some of its findings are told by other flags, and here by none."""
    row, code = issue.row, issue.code
    if code in SUMS and issue.stated is not None and issue.computed is not None:
        stated, computed = _money(issue.stated), _money(issue.computed)
        yield flag("arithmetic-error", bid, row or 0, stated=stated, computed=computed, what=SUMS[code])
    elif code in SUMS or code in DOUBTS or (issue.severity == "error" and code not in TAX | OF_ITS_OWN):
        yield flag("unclear-line", bid, row or 0, what=issue.text)
    elif code in TAX:
        yield flag("tax-basis-conflict", bid, row, what=issue.text)
    elif code == "sheets-unread":
        yield flag("sheets-unread", bid, what=issue.text)
    elif code == "part-conflict":
        yield flag("part-conflict", bid, row or 0, what=issue.text)


def _of_tax(quote: Quote, bid: str, terms: Terms) -> Iterator[Flag]:
    """No currency; prices with and without tax, or of a tax that nobody names."""
    priced = [line for line in quote.lines if line.unit_price]
    if not quote.currency and any(not line.currency for line in priced):
        yield flag("currency-unknown", bid, currency=terms.currency)
    bases = {line.tax for line in priced}
    if len(bases) > 1:
        stated = joined((TAXES[basis] for basis in sorted(bases)), last=" and ")
        yield flag("tax-basis-conflict", bid, what=message("the prices of its lines are {list}", list=stated))
    if bases == {"unknown"} or (not bases and quote.tax == "unknown"):
        yield flag("tax-basis-unknown", bid)
    rates = {line.tax_rate for line in priced if line.tax_rate is not None}
    if len(rates) > 1:
        yield flag("tax-rates", bid, percents=", ".join(f"{rate.normalize():f} %" for rate in sorted(rates)))
    if "gross" in bases and not rates and quote.tax_rate is None:
        yield flag("tax-rate-unknown", bid, percent=f"{terms.unsaid_tax.normalize():f}")


def _of_line(line: Line, bid: str) -> Iterator[Flag]:
    text = (line.part_number or line.text)[:80]
    if line.role == "part" and line.matched.part is None and not line.optional and not line.holds:
        if line.matched.reason == SIMILAR and line.matched.candidates:
            yield flag("fuzzy-not-taken", bid, line.row, line=text, part=line.matched.candidates[0])
        else:
            yield flag("unmatched-line", bid, line.row, line=text)
    if line.holds:
        yield flag("bundle-split", bid, line.row, rows=f"{line.holds[0]}-{line.holds[-1]}")
    if line.matched.how == "fuzzy" and line.matched.part is not None:
        yield flag("fuzzy-taken", bid, line.row, line=text, part=line.matched.part)
    if line.unit_price is None and line.line_total is None and not line.included and not line.optional:
        yield flag("no-price", bid, line.row, line=text)
    if line.hidden:
        yield flag("hidden-row", bid, line.row, line=text)


STOPS = {
    "time-money", "time-money-unclear", "price-list", "unread", "no-rate", "not-judged", "no-build", "runs-nothing",
    "expired", "not-filled", "scope-open", "currency-unknown", "part-conflict",
}  # fmt: skip
"""Marks with which a bid can't be awarded, whatever it costs; beside them a rule that fails with what is added, and a
total whose tax is not known."""


def stops(flags: Sequence[Flag], quote: Quote | None, terms: Terms) -> bool:
    """Whether something but the build's rules keeps a bid from being awarded."""
    if quote is not None and any(issue.code in TAX for issue in quote.all_issues):
        return True
    unknown_rate = any(f.code == "tax-rate-unknown" for f in flags) and not terms.unsaid_tax
    return unknown_rate or any(f.code in STOPS for f in flags)


def of_time(quote: Quote, bid: str, over: OverTerm | None, currency: str) -> Iterator[Flag]:
    """A lease, a rental or a subscription, first of all; `over`: what it comes to over its own term."""
    for x in said_of(quote):
        yield Flag(code=x.code, severity=FLAGS[x.code].severity, bid=bid, values=x.values)
    if over is not None and over.net is not None:
        yield flag("time-money-basis", bid, amount=f"{over.net:,f}", currency=currency)


def of_unread(faults: Sequence[Fault], bid: str) -> Iterator[Flag]:
    """Why a bid's file is not read."""
    for x in faults:
        yield flag("unread", bid, what=joined((text for text in (x.text, x.remedy.rstrip(".")) if text), "; "))


def of_validity(until: date | None, bid: str, as_of: date) -> Iterator[Flag]:
    if until is None:
        yield flag("validity-unknown", bid)
    elif until < as_of:
        yield flag("expired", bid, day=until.isoformat(), days=(as_of - until).days)


def of_bases(taxes: Sequence[str], bids: Sequence[str]) -> Iterator[Flag]:
    """Bids that state prices on different tax bases."""
    known = {t for t in taxes if t != "unknown"}
    if len(known) > 1:
        for t, bid in zip(taxes, bids, strict=True):
            if t != "unknown":
                others = TAXES[next(iter(known - {t}))]
                yield flag("tax-bases-differ", bid, mine=TAXES[t], others=others)


def of_scope(items: Sequence[Item], i: int, bid: str, lines: Sequence[PricedLine], currency: str) -> Iterator[Flag]:
    """What keeps the scope of a bid open, what is taken out of its total, and what nobody could place but counts."""
    for item in items:
        cell, title = item.cells[i], item.title or ROLES[item.role]
        if cell.open:
            yield flag("scope-open", bid, item=item.number, title=title, where=cell.text)
        if cell.outside and cell.net:
            why = OUTSIDE[item.in_scope]
            values: dict[str, Any] = {"title": title, "amount": f"{cell.net:,f}", "currency": currency, "why": why}
            yield flag("outside-scope", bid, item=item.number, **values)
        elif item.in_scope == "own" and item.role != DISCOUNT and cell.net:
            said: dict[str, Any] = {"title": title, "amount": f"{cell.net:,f}", "currency": currency}
            yield flag("counts-unplaced", bid, item=item.number, **said)
    for line in lines:
        if line.state == "dropped":
            yield flag("dropped-line", bid, line.row, line=line.text[:80], amount=f"{line.net:,f}", currency=currency)


def of_items(items: Sequence[Item], i: int, bid: str, currency: str) -> Iterator[Flag]:
    """Outliers, fills, and what could not be filled."""
    for item in items:
        c, title = item.cells[i], item.title or ROLES[item.role]
        if c.outlier and c.over_median is not None:
            n = sum(cell.over_median is not None for cell in item.cells)
            yield flag("outlier", bid, item=item.number, title=title, percent=f"{c.over_median:+}", n=n)
        if c.fill and c.filled is not None and not c.filled:
            continue  # the others include it at no price
        if c.fill and c.filled is not None:
            facts: dict[str, Any] = {
                "title": title,
                "amount": f"{c.filled:,f}",
                "currency": currency,
                "by": FILLS[c.fill],
            }
            yield flag("missing-line", bid, item=item.number, **facts)
        elif c.fill == "none":
            yield flag("not-filled", bid, item=item.number, title=title)
        elif c.state == "not_judged" and c.text and not c.open:
            yield flag("not-judged-item", bid, item=item.number, title=title, where=c.text)
        elif c.state == "not_needed" and item.role == "licence":
            yield flag("not-for-its-gpus", bid, item=item.number, title=title)
        elif c.state == "not_needed" and item.in_scope not in ("outside", "dropped"):
            yield flag("not-needed", bid, item=item.number, title=title)


def of_build(judged: Judged, bid: str, others: Sequence[str] = ()) -> Iterator[Flag]:
    """What the rules say; `others` are nodes of further kinds, which they did not see."""
    if others:
        yield flag("other-nodes", bid, what=joined(others))
    for u in judged.not_judged:
        yield flag("not-judged", bid, rule=_title(u.rule), where=where(u.lines), what=u.text)
    if judged.build is None:
        yield flag("no-build", bid, what=judged.reason)
        return
    if judged.row is None and not judged.not_judged:
        gpu = judged.case.gpu.name if judged.case is not None else ""
        yield flag("runs-nothing", bid, what=stop_of(judged.failed, gpu))
    for x in judged.failed:
        yield flag("rules-failed", bid, rule=_title(x.rule), what=x.text)


def _title(rule: str) -> str:
    return rule_titles().get(rule, rule)


def _money(x: Decimal) -> str:
    return f"{x.quantize(Decimal('0.01')):,f}"
