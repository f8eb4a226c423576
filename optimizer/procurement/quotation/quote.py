"""What is in a quote, as data: the chosen point of a result priced under the terms of the quote.

The build stays what it is; prices, spares, support and tax are made anew by the functions that `solve` prices with.
Money is integer minor units of the quote's currency.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

from catalogs.errors import InputError
from catalogs.message import Message, joined, message
from catalogs.offers import Bundle, Offer, state_of
from catalogs.schema import Kind
from constraints.exchange import FxRate, half_up, minor_digits
from constraints.physics.markets import settled_market
from constraints.policy import Policy
from constraints.prices.pricing import ENERGY, exchange, fx_rates, unit_price
from constraints.prices.states import QUICK
from constraints.request import Request
from constraints.rules.registry import findings
from optimizer.explanation.opened import chosen
from optimizer.market.books import book_of
from optimizer.market.market import Market
from optimizer.procurement.quotation.described import described
from optimizer.procurement.quotation.quote_terms import Party, Terms
from optimizer.procurement.quotation.sums import Sums, sums
from optimizer.result.bill import BUNDLE
from optimizer.result.contract import point
from optimizer.result.point_schema import BomLine, FrontPoint
from optimizer.result.recommended import indistinct
from optimizer.result.schema import Result
from optimizer.search.front import Point
from optimizer.text.languages import N_
from optimizer.text.minor_units import minor


@dataclass(frozen=True)
class Line:
    """Pieces of a part from one offer: `qty` in the build and `spare` beside them at `unit` minor units each.

    `offer` is what the price was made from, `price` its own amount (of a price break that of the break), in its own
    currency. `by_share`: spares follow the category's share; else the numbers hang on stock, breaks or bundles and
    stand as they are. `day`: the one for which the price stands, on which it was read or to which an index brought it;
    None of an estimate. `description`: what it is in words. `warranty_months` and `country_of_origin` are what the
    offer or the seller's profile states; unknown is None and blank."""

    part: str
    category: str
    name: str
    vendor: str
    origin: str
    qty: int
    spare: int
    unit: int
    offer: Offer | Bundle | None
    price: Decimal | None
    by_share: bool
    categories: tuple[str, ...]
    stale: bool
    day: date | None = None
    description: str = ""
    warranty_months: int | None = None
    country_of_origin: str = ""

    @property
    def pieces(self) -> int:
        return self.qty + self.spare

    @property
    def total(self) -> int:
        return self.pieces * self.unit


@dataclass(frozen=True)
class Rates:
    """Inputs of the assumptions: percent; spares as (pieces, per) by category."""

    fx: dict[str, FxRate]
    tax: Decimal
    discount: Decimal
    support: Decimal
    support_by: dict[str, Decimal]
    spares: dict[str, tuple[int, int]]
    fresh_days: int
    fresh_days_quick: int


@dataclass(frozen=True)
class Quote:
    """A quote; `front` holds every point under the quote's terms, `weights` the support by category of each (sum of
    line x rate, minor units), `sums` the money of the chosen one, `notes` what else a buyer should weigh,
    `model_note` what its model's name really is, in English and Chinese."""

    party: Party
    result: Result
    request: Request
    budget: int | None
    front: tuple[FrontPoint, ...]
    weights: tuple[Decimal, ...]
    chosen: FrontPoint
    lines: tuple[Line, ...]
    rates: Rates
    sums: Sums
    notes: tuple[str, ...]
    model_note: tuple[str, str]

    @property
    def currency(self) -> str:
        return self.request.currency

    @property
    def digits(self) -> int:
        return minor_digits(self.currency)

    def amount(self, cents: int) -> Decimal:
        """Minor units as an amount."""
        return Decimal(cents).scaleb(-self.digits)

    @property
    def title(self) -> str:
        """What the document is: a quotation only where the prices are confirmed (docs/quote.md)."""
        return N_("Quotation") if self.party.confirmed else N_("Budgetary estimate")

    @property
    def at(self) -> int:
        """Index of the chosen point."""
        return next(i for i, p in enumerate(self.front) if p.id == self.chosen.id)

    def sums_of(self, i: int) -> Sums:
        """Money of any point of the front under the quote's terms."""
        goods = sum(minor(x, self.currency) for x in (self.front[i].cost.parts, self.front[i].cost.spares))
        rates = self.rates
        return sums([goods], 0, self.weights[i], rates.discount, rates.support, rates.tax)

    @property
    def names(self) -> dict[str, list[str]]:
        """Point id -> what it is called: fastest, cheapest, value, recommended."""
        out: dict[str, list[str]] = {}
        for label, pid in [*self.result.named.items(), ("recommended", self.result.recommended)]:
            if pid is None:
                continue
            out.setdefault(pid, []).append(label)
        return out


def offered(
    result: Result, market: Market, points: Sequence[Point], name: str | None, terms: Terms, party: Party
) -> Quote:
    """The quote of a point (the recommended one without) of a result found consistent.

    `market` and `points` are those that the result was judged by. Raises InputError for a point that is not there, and
    for terms that the offers do not meet."""
    at = chosen(result, name, "--point")
    wanted = result.front[at].id
    new = _market(market, terms)
    again, front = _front(new, result, points, wanted)
    request, policy = new.request, new.policy
    rates = Rates(
        {x.currency: x for x in fx_rates(request)},
        policy["money.tax_percent"],
        terms.discount,
        policy["money.support_percent"],
        {s.category.value: s.percent for s in request.support},
        _shares(request),
        policy.whole("offers.fresh_days"),
        policy.whole("offers.fresh_days_memory"),
    )
    all_lines = [tuple(_stated(line, party) for line in _lines(new, p, rates, party.day)) for p in front]
    weights = tuple(sum((_support(line, rates) for line in lines), Decimal(0)) for lines in all_lines)
    i = next(i for i, p in enumerate(front) if p.id == wanted)
    lines = all_lines[i]
    if party.confirmed:
        _confirmable(lines)
    spares = minor(front[i].cost.spares, request.currency)
    money = sums(
        [line.total for line in lines], spares, weights[i], terms.discount, rates.support, rates.tax
    )  # fmt: skip
    if not terms.discount and money.total != minor(front[i].cost.total, request.currency):
        raise AssertionError(f"quote {money.total}, solve {front[i].cost.total}")
    close = indistinct(new, again) if len(again) == len(points) else ""
    notes = [_without_money(close)] if isinstance(close, Message) else []
    lost = sorted({x.id for x in result.front} - {x.id for x in front})
    notes += [message("Not for sale under these terms: {points}.", points=joined(lost))] if lost else []
    said = (new.llm.note, new.llm.note_zh)
    quote = Quote(
        party,
        result,
        request,
        request.budget_cents,
        tuple(front),
        weights,
        front[i],
        lines,
        rates,
        money,
        tuple(notes),
        said,
    )
    return replace(quote, party=replace(party, number=party.number or _number(quote)))


def _confirmable(lines: Iterable[Line]) -> None:
    """Raises InputError where a price can't be one that its seller has confirmed: an estimate, one that an index moved,
    or a stale one."""
    words = {"estimate": "an estimate", "indexed": "brought to the day by an index"}
    weak = {
        line.part: words[state_of(line.offer)]
        for line in lines
        if line.offer is not None and line.price and state_of(line.offer) in words
    }
    weak |= {line.part: "stale on the day of the quote" for line in lines if line.stale and line.part not in weak}
    if weak:
        text = "the prices can't be called confirmed: " + ", ".join(f"{part} is {why}" for part, why in weak.items())
        remedy = (
            "Enter the confirmed offers in a catalog of your own (--catalog) and solve again, or leave --confirmed out."
        )
        raise InputError(text, "not-confirmed", remedy)


def _market(market: Market, terms: Terms) -> Market:
    """The market under the terms; a budget is taken over at the exchange rate."""
    old, fields = market.request, dict(terms.request)
    moved = fields.get("currency", old.currency) != old.currency
    new = (settled_market(old) if moved else old).model_copy(update=fields)
    changed = dict(market.policy.changed)
    if ENERGY in changed and new.currency != old.currency:  # the buyer's own price is in the currency of the result
        price = Fraction(changed[ENERGY]) * exchange(new, old.currency, new.currency)
        changed[ENERGY] = Decimal(half_up(price * 10**6)).scaleb(-6)
    policy = Policy(changed).with_settings(terms.policy)
    if old.budget_cents is not None and new.currency != old.currency:
        scale = Fraction(10) ** (minor_digits(new.currency) - minor_digits(old.currency))
        budget = half_up(old.budget_cents * exchange(new, old.currency, new.currency) * scale)
        new = new.model_copy(update={"budget_cents": max(1, budget)})
    if new == old and policy.changed == market.policy.changed:
        return market
    return replace(market, request=new, policy=policy, book=book_of(market.catalog, new, policy), _cpus={}, _gens={})


def _under(market: Market, p: Point, name: str) -> Point:
    """The point as the market sees it."""
    build = p.case.build
    missing = [x for x in build.total() if x not in market.book.prices]
    if missing or market.book.purchase(build.total()) is None:
        short = (market.book.short(x, q) for x, q in build.total().items() if x not in missing)
        why = next((f"{n} needed, {have} to be had" for n, have in filter(None, short)), ", ".join(missing))
        text = f"the parts of {name} can't be bought under these terms: {why}"
        raise InputError(text, "not-for-sale", "Ask for fewer spares, or quote another point.")
    case = market.case(build, p.found.row.plan, p.found.row.key)
    found = replace(p.found, parts_cents=market.book.cost(build.total()), cost=market.axis.measure(case))
    return Point(found, case, findings(case))


def _front(
    market: Market, result: Result, points: Sequence[Point], wanted: str
) -> tuple[list[Point], list[FrontPoint]]:
    """The front as the market prices it; points that can't be bought there are left out, unless they are wanted."""
    again, front = [], []
    for p, x in zip(points, result.front, strict=True):
        try:
            again.append(_under(market, p, x.id))
        except InputError:
            if x.id == wanted:
                raise
            continue
        front.append(FrontPoint.model_validate(point(market, again[-1], x.id)))
    return again, front


def _shares(request: Request) -> dict[str, tuple[int, int]]:
    out = {s.category.value: (s.pieces, s.per) for s in request.spares}
    if Kind.GPU.value in out:  # as constraints.prices.pricing does
        out.setdefault(Kind.GPU_BOARD.value, out[Kind.GPU.value])
    return out


def _lines(market: Market, p: FrontPoint, rates: Rates, day: date) -> Iterable[Line]:
    """Rows of the bill of materials, those of one part from one offer at one price together."""
    groups: dict[tuple[str, str, str | None, str], list[BomLine]] = {}
    for x in p.bom:
        groups.setdefault((x.part, x.origin, x.offer_id, x.unit_price), []).append(x)
    for (part, origin, offer_id, price), rows in groups.items():
        x = rows[0]
        spare = sum(row.qty for row in rows if row.role == "spare")
        unit = minor(price, market.request.currency)
        offer = _offer(market, part, offer_id)
        own = None
        if offer is not None and unit:
            steps = [offer.price, *(y for _, y in offer.price_breaks)] if isinstance(offer, Offer) else [offer.price]
            # Of a bundle at an end of its band no price of a row is the unit price.
            own = next((step for step in steps if unit_price(offer, market.request, step) == unit), offer.price)
        bundle = market.catalog.bundles.get(part) if x.category == BUNDLE else None
        inside = [market.catalog.parts[part.part].kind for part in bundle.parts] if bundle else [Kind(x.category)]
        days = rates.fresh_days_quick if any(k in QUICK for k in inside) else rates.fresh_days
        stands_for = None if offer is None or not unit else _day(market, offer)
        stale = stands_for is not None and (day - stands_for).days > days
        priced = market.book.prices.get(part)
        by_share = origin == "offer" and priced is not None and not priced.by_quantity
        qty = sum(row.qty for row in rows) - spare
        yield Line(
            part, x.category, x.name, x.vendor, origin, qty, spare, unit, offer, own, by_share,
            tuple(k.value for k in inside), stale, stands_for, described(market.catalog, part),
            offer.warranty_months if isinstance(offer, Offer) else None,
        )  # fmt: skip


def _stated(line: Line, party: Party) -> Line:
    """The line with what the seller's profile states of it; a warranty of the offer itself stays."""
    for said in party.profile.stated_of(line.part, line.category):
        line = replace(
            line,
            warranty_months=line.warranty_months or said.warranty_months,
            country_of_origin=line.country_of_origin or said.country_of_origin,
        )
    return line


def _offer(market: Market, part: str, offer_id: str | None) -> Offer | Bundle | None:
    if offer_id is None:
        return None
    priced = market.book.prices.get(part)
    sources = priced.sources().sources if priced is not None else ()
    known = next((source.offer for source in sources if source.offer and source.offer.id == offer_id), None)
    return known or market.catalog.bundles[offer_id]


def _day(market: Market, offer: Offer | Bundle) -> date | None:
    """The day for which a price stands."""
    state = state_of(offer)
    return None if state == "estimate" else market.request.as_of if state == "indexed" else offer.date


def _support(line: Line, rates: Rates) -> Decimal:
    """Minor units that a line's category adds to support, unrounded."""
    return line.total * support_percent(line, rates) / 100


def support_percent(line: Line, rates: Rates) -> Decimal:
    """Of a line: its category's; of a bundle the highest of its parts'; what is inside a system has none of its own."""
    if line.origin == "included":
        return Decimal(0)
    return max((rates.support_by.get(c, Decimal(0)) for c in line.categories), default=Decimal(0))


def _without_money(close: Message) -> str:
    """Which point can hardly be told apart, without the saving: prices may be changed in the file."""
    named = {name: value for name, value in close.values.items() if name != "e"}
    return message(
        "{a} can hardly be told apart from {b} in throughput ({c} against {d} tok/s); compare their totals on sheet "
        "Front.",
        **named,
    )


def _number(quote: Quote) -> str:
    """A number that says the day and, by a hash, what is quoted."""
    what = (quote.party, quote.result.catalog.sha256, quote.chosen, quote.rates, quote.request)
    return f"Q{quote.party.day:%Y%m%d}-{hashlib.sha256(repr(what).encode()).hexdigest()[:6].upper()}"
