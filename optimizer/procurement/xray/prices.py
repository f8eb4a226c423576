"""Each line's price beside the catalog's, and the market in which the quoted parts cost what the quote asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction

from catalogs.load import Catalog
from catalogs.message import joined, message
from catalogs.offers import MOST_PIECES, Condition, state_of
from catalogs.schema import GpuBoard, Kind
from constraints.build import Build
from constraints.exchange import half_up
from optimizer.explanation.why_not.asked_for import said_offer, supposed
from optimizer.market.market import Market
from optimizer.procurement.reading.build import NODES
from optimizer.procurement.reading.document import Line, Quote
from optimizer.procurement.xray.basis import Conversion, rounded
from optimizer.procurement.xray.placing import Scope
from optimizer.procurement.xray.schema import Mark, Stated, Totals, XLine
from optimizer.text.minor_units import money

Key = tuple[int, int]
"""A line's row and, of a server in one cell, its number there (`Line.key`)."""
MOST_CENTS = 10**11
"""Minor units of a piece that the solver still sums without overflow; a quote beyond it is read, not solved."""


@dataclass(frozen=True)
class Prices:
    """Lines priced. `paid` is what the quote asks for each part of the build in all (minor units)."""

    lines: list[XLine]
    totals: Totals
    hardware_cents: int | None
    paid: dict[str, int] = field(default_factory=dict)


def prices(quote: Quote, market: Market, scope: Scope, to: Conversion, above: Decimal, below: Decimal) -> Prices:
    """Every line against the catalog's price in the market, marked above or below by so many percent."""
    build = scope.placed.build if scope.placed else None
    home = {line.key: _home(line, build, market.catalog) for line in quote.lines if line.key in scope.keys}
    by_time = {*quote.time_money.rows} if quote.time_money else set()
    cents = {line.key: None if line.row in by_time else to.line(line) for line in quote.lines}
    carried = _carried(quote, scope, home, cents, market.catalog)
    pricing = _Pricing(market, scope, to, home, cents, above, below)
    made = [_line(line, pricing, carried.get(line.key, [])) for line in quote.lines]
    off = sum(to.rebate(total) or 0 for total in quote.totals if total.kind == "discount")
    hardware = _hardware(quote, cents)
    if any(line.row in by_time and line.role == "part" for line in quote.lines):
        hardware = None
    bought = None if hardware is None else hardware + off
    totals = _totals(quote, made, market, scope, cents, off, to.tax_rate)
    if by_time:  # a sum of what is paid once and what is paid each month is none
        none = dict.fromkeys(("net", "tax", "gross", "services"))
        totals = totals.model_copy(update={**none, "hardware": totals.hardware if bought else None})
    return Prices(made, totals, bought, _paid(quote, build, pricing, carried))


def _paid(quote: Quote, build: Build | None, pricing: _Pricing, carried: Mapping[Key, list[Line]]) -> dict[str, int]:
    """Minor units that the quote asks for each part of the build in all; the rest of what it holds too many of is
    left over."""
    home, cents = pricing.home, pricing.cents
    have = build.total() if build else {}
    paid: dict[str, int] = {}
    for line in quote.lines:
        for part, amount in _shares(line, carried.get(line.key, []), cents[line.key] or 0, home, pricing.market):
            pieces = sum(line.pieces or 0 for line in quote.lines if line.key in home and line.matched.part == part)
            share = Fraction(have[part], pieces) if pieces > have[part] else Fraction(1)
            paid[part] = paid.get(part, 0) + (rounded(amount * share) or 0)
    return paid


def quoted_market(market: Market, build: Build, paid: Mapping[str, int], seller: str) -> tuple[Market, list[str]]:
    """(the market in which the build's parts cost what the quote asks, parts that nobody prices).

    The quote's price is the only one of a quoted part; a part without one keeps the catalog's, or counts one minor unit
    where there is none."""
    request, catalog = market.request, market.catalog
    offers = dict(catalog.offers)
    pieces = build.total()
    for part, amount in paid.items():
        if pieces.get(part):
            each = min(max(1, rounded(Fraction(amount, pieces[part])) or 1), MOST_CENTS)
            offers[part] = (said_offer(f"{part}--quoted", part, each, seller, "the quote", request),)
    quoted = Market.open(replace(catalog, offers=offers), request, market.policy, market.calibration)
    bare = sorted(p for p in pieces if p not in quoted.book.prices)
    return (supposed(quoted, bare) if bare else quoted), bare


def _home(line: Line, build: Build | None, catalog: Catalog) -> str:
    """The part of the build that a line pays for: itself, the board of its GPUs, the system that holds it."""
    part = line.matched.part or ""
    have = build.total() if build else {}
    if part in have:
        return part
    for p in have:
        other = catalog.parts[p]
        if isinstance(other, GpuBoard) and other.gpu == part:
            return p
    return next((p for p in have if catalog.parts[p].kind in NODES), "")


def _carried(
    quote: Quote, scope: Scope, home: Mapping[Key, str], cents: Mapping[Key, int | None], catalog: Catalog
) -> dict[Key, list[Line]]:
    """Lines without a price of their own, by the row of the line whose price is theirs too: the head of their bundle,
    else the carrier of the build."""
    head = {row: line.key for line in quote.lines for row in line.holds}
    carrier = _carrier(quote, scope, home, cents, catalog)
    out: dict[Key, list[Line]] = {}
    for line in quote.lines:
        of = (
            (line.row, 0)
            if line.item
            else head.get(line.row)
            or (carrier.key if carrier and line.key in scope.keys and line.key != carrier.key else None)
        )
        if line.included and of:
            out.setdefault(of, []).append(line)
    return out


def _shares(
    line: Line, carried: list[Line], amount: int, home: Mapping[Key, str], market: Market
) -> list[tuple[str, int]]:
    """(part of the build, minor units) of a line's amount: split over what it carries by the catalog's prices, where
    they are known; else all of it is the line's own part's."""
    if not amount or not home.get(line.key):
        return []
    own = [y for y in (line, *carried) if y.matched.part and home.get(y.key) == y.matched.part]
    worth = [catalog_cents(market, y.matched.part or "", y.pieces or 1)[0] for y in own]
    known = [w for w in worth if w is not None]
    if not carried or not known or len(known) < len(worth):
        return [(home[line.key], amount)]
    ends = [amount * sum(known[: i + 1]) // sum(known) for i in range(len(known))]
    return [(y.matched.part or "", b - a) for y, a, b in zip(own, [0, *ends], ends, strict=False)]


def _carrier(
    quote: Quote, scope: Scope, home: Mapping[Key, str], cents: Mapping[Key, int | None], catalog: Catalog
) -> Line | None:
    """The line whose price holds the parts that have none: the node's, else the dearest of the build."""
    priced = [line for line in quote.lines if line.key in scope.keys and cents[line.key] and line.matched.part]
    nodes = [line for line in priced if catalog.parts[line.matched.part or ""].kind in NODES]
    return max(nodes or priced, key=lambda x: (cents[x.key] or 0, -x.row), default=None)


def catalog_cents(market: Market, part: str, pieces: int, board: str = "") -> tuple[int | None, str]:
    """(minor units of so many pieces by the catalog, its price's day, confidence and seller; or why there is none).

    GPUs that are sold on boards alone cost their share of one, of `board` where it is known."""
    book, catalog = market.book, market.catalog
    if pieces > MOST_PIECES:
        return None, message("no price of {n} pieces", n=f"{pieces:,}")
    if part in book.prices:
        found = book.purchase({part: pieces})
        if found is not None:
            line = next((line for line in found.lines if line.offer is not None), None)
            offer = line.offer if line else None
            if line is None or offer is None:
                return found.cents, ""
            state = state_of(offer)
            day = [] if state == "estimate" else [str(offer.date)]
            old = ["stale"] if line.stale else [state] if state == "indexed" else []
            return found.cents, joined([offer.confidence, *day, offer.seller, *old])
    for b in sorted(catalog.of(Kind.GPU_BOARD), key=lambda b: b.id != board):
        if isinstance(b, GpuBoard) and b.gpu == part and b.id in book.prices:
            whole, said = catalog_cents(market, b.id, 1)
            if whole is not None:
                share = rounded(Fraction(whole * pieces, b.gpus))
                return share, message("a share of {board} ({source})", board=b.name, source=said)
    return None, book.ledger.get(part, "no price in this number")


@dataclass(frozen=True)
class _Pricing:
    """What prices every line. `home`: key of a line -> part of the build that it pays for; `cents`: key -> its amount;
    `above`, `below`: percent from which a difference is marked."""

    market: Market
    scope: Scope
    to: Conversion
    home: Mapping[Key, str]
    cents: Mapping[Key, int | None]
    above: Decimal
    below: Decimal

    def absorbed(self, line: Line) -> bool:
        """Whether what the line offers is inside another part of the build, whose price is compared instead."""
        if line.key not in self.scope.keys or line.holds:
            return False
        pays_for_another = self.home.get(line.key) not in (None, line.matched.part)
        return pays_for_another and not _on_board(line, self.home, self.market)


@dataclass(frozen=True)
class _CatalogPrice:
    """What the catalog asks for a line in all (minor units, None for unknown), and the words that say whose price."""

    cents: int | None
    said: str


def _line(line: Line, pricing: _Pricing, carried: list[Line]) -> XLine:
    """A line beside the catalog. `carried`: the lines at no price of their own that its price pays for."""
    currency, part = pricing.market.request.currency, pricing.market.catalog.parts.get(line.matched.part or "")
    absorbed = pricing.absorbed(line)
    theirs = _with_carried(_catalog_price(line, pricing, absorbed), carried, pricing)
    pieces = line.pieces or 1
    # A line whose quantity is open is compared by the piece.
    amount = pricing.cents[line.key] if line.pieces or line.unit_price is None else None
    each = _each(line, amount, pricing.to)
    compared = amount if line.pieces else each
    percent: float | None = None
    if compared and theirs.cents and not absorbed:
        percent = round(float(100 * (Decimal(compared) - theirs.cents) / theirs.cents), 1)
    # Vendors sell under list prices as a rule: that is no sign of a fault.
    floor = None if theirs.said.startswith("list") else pricing.below
    shown = None if absorbed else theirs.cents
    return XLine(
        row=line.row,
        role=line.role,
        text=line.text,
        how=line.matched.how,
        score=line.matched.score,
        part=line.matched.part,
        name=part.name if part else "",
        suggestions=list(line.matched.candidates),
        reason=line.matched.reason,
        pieces=line.pieces,
        optional=line.optional,
        included=line.included,
        stated_price=_stated_price(line, pricing.to.quote),
        unit=None if each is None else money(each, currency),
        amount=None if amount is None else money(amount, currency),
        catalog_unit=None if shown is None else money(half_up(Fraction(shown) / pieces), currency),
        catalog_amount=None if shown is None or not line.pieces else money(shown, currency),
        catalog_price=theirs.said,
        difference_percent=percent,
        mark=_mark(line, theirs.cents, percent, absorbed, pricing.above, floor),
        carries=[carried_line.row for carried_line in carried if not carried_line.item],
        issues=[issue.text for issue in line.issues],
    )


def _catalog_price(line: Line, pricing: _Pricing, absorbed: bool) -> _CatalogPrice:
    """The catalog's price of the line's own pieces."""
    if line.matched.how == "bundle":
        return _CatalogPrice(0, "the parts that it holds")
    part = line.matched.part or ""
    if line.role != "part" or part not in pricing.market.catalog.parts:
        return _CatalogPrice(None, "")
    cents, said = catalog_cents(pricing.market, part, line.pieces or 1, pricing.home.get(line.key, ""))
    if cents is None and line.pieces and not absorbed:
        said = _otherwise(pricing.market, part, said)
    return _CatalogPrice(cents, said)


def _with_carried(own: _CatalogPrice, carried: list[Line], pricing: _Pricing) -> _CatalogPrice:
    """With the catalog's price of what the line carries; unknown as soon as the price of one part of it is."""
    if own.cents is None or not carried:
        return own
    if any(line.role == "part" and line.matched.how == "none" for line in carried):
        return _CatalogPrice(None, "not all that it holds is known")
    whole = own.cents
    for line in carried:
        part = line.matched.part
        # What is inside another part of the build is in the price of that part.
        if part and pricing.home.get(line.key, part) == part:
            cents = catalog_cents(pricing.market, part, line.pieces or 1)[0]
            if cents is None:
                return _CatalogPrice(None, "a part in it has no price")
            whole += cents
    return _CatalogPrice(whole, own.said)


def _each(line: Line, amount: int | None, to: Conversion) -> int | None:
    """Minor units of a piece: the amount divided, or the unit price where the quantity is open."""
    if not line.pieces:
        return rounded(to.converted(to.net(line.unit_price, line.tax, line.tax_rate), line.currency))
    return None if amount is None else rounded(Fraction(amount) / line.pieces)


def _stated_price(line: Line, quote: Quote) -> str | None:
    """`1299.00 EUR, net` as the quote has it; None without a unit price."""
    if line.unit_price is None:
        return None
    price = f"{line.unit_price:f} {line.currency or quote.currency}".strip()
    return price if line.tax == "unknown" else f"{price}, {line.tax}"


def _on_board(line: Line, home: Mapping[Key, str], market: Market) -> bool:
    """GPUs quoted instead of the board that holds them: priced as a share of it."""
    board = market.catalog.parts.get(home.get(line.key, ""))
    return isinstance(board, GpuBoard) and board.gpu == line.matched.part


def _mark(
    line: Line, theirs: int | None, percent: float | None, absorbed: bool, above: Decimal, below: Decimal | None
) -> Mark:
    """`below`: None where the catalog's price is a list price, under which vendors sell as a rule."""
    if line.role == "service":
        return "service"
    if line.matched.part is None and line.matched.how != "bundle":
        return "not-placed"
    if line.included or absorbed:
        return "in-another-line"
    if theirs is None:
        return "no-catalog-price"
    if percent is None:
        return "not-comparable"
    if percent > above:
        return "above"
    return "below" if below is not None and percent < -below else "ok"


def _otherwise(market: Market, part: str, why: str) -> str:
    """Why there is no price, with that of another condition where there is one."""
    every: frozenset[Condition] = frozenset({"new", "refurbished", "used"})
    if market.request.conditions == every or part not in market.catalog.offers:
        return why
    cents, said = catalog_cents(market.asking(conditions=every), part, 1)
    if cents is None:
        return why
    offers = market.catalog.offers[part]
    kinds = joined(sorted({offer.condition for offer in offers} - market.request.conditions), " or ")
    unit = market.request.currency
    if not kinds:
        return why
    price = f"{money(cents, unit)} {unit}"
    return message(
        "no new offer; to be had {conditions} at {price} ({source})", conditions=kinds, price=price, source=said
    )


def _hardware(quote: Quote, cents: Mapping[Key, int | None]) -> int | None:
    """Minor units of all part lines that have a price; None where none has."""
    found = [
        c for line in quote.lines if line.role == "part" and not line.optional and (c := cents[line.key]) is not None
    ]
    return sum(found) if any(found) else None


def _tax(lines: list[Line], cents: Mapping[Key, int | None], off: int, rate: Decimal | None) -> int | None:
    """Minor units of tax on the net amounts, rounded once per rate; None where a line's rate is not known. `off` and
    lines without a rate of their own are at `rate` (percent)."""
    by_rate: dict[Decimal, int] = {}
    for at, net in [*((line.tax_rate, cents[line.key] or 0) for line in lines), (None, off)]:
        percent = rate if at is None else at
        if net and percent is None:
            return None
        if net and percent is not None:
            by_rate[percent] = by_rate.get(percent, 0) + net
    return sum(half_up(Fraction(percent) * net / 100) for percent, net in by_rate.items())


def _totals(
    quote: Quote, made: list[XLine], market: Market, scope: Scope, cents: Mapping[Key, int | None], off: int,
    tax_rate: Decimal | None,
) -> Totals:  # fmt: skip
    """The quote's sums as stated and as its lines make them, beside the catalog's. `off`: rebates, below 0."""
    currency = market.request.currency
    counted = [line for line in quote.lines if not line.optional]
    parts = [line for line in counted if line.role == "part"]
    services = [line for line in counted if line.role == "service"]
    not_placed = [line for line in parts if line.key not in scope.keys]
    net, tax = _sum(counted, cents, off), _tax(counted, cents, off, tax_rate)
    gross = None if net is None or tax is None else net + tax
    ours, theirs = _compared(made)
    return Totals(
        stated=[
            Stated(row=total.row, label=total.label, kind=total.kind, amount=f"{total.amount:f}")
            for total in quote.totals
        ],
        hardware=_shown(_sum(parts, cents), currency),
        of_it_not_placed=_shown(_sum(not_placed, cents), currency) if scope.placed else None,
        services=_shown(_sum(services, cents), currency),
        rebates=_shown(off or None, currency),
        net=_shown(net, currency),
        tax=None if net is None else _shown(tax, currency),
        gross=_shown(gross, currency),
        unpriced_rows=[line.row for line in counted if cents[line.key] is None],
        compared=None if ours is None else f"{ours:f}",
        compared_catalog=None if theirs is None else f"{theirs:f}",
        compared_percent=round(float(100 * (ours - theirs) / theirs), 1) if ours is not None and theirs else None,
    )


def _sum(lines: list[Line], cents: Mapping[Key, int | None], off: int = 0) -> int | None:
    """Minor units of the lines that have a price, less a rebate; None where none has."""
    known = [amount for line in lines if (amount := cents[line.key]) is not None]
    return sum(known) + off if known else None


def _shown(cents: int | None, currency: str) -> str | None:
    return None if cents is None else money(cents, currency)


def _compared(made: list[XLine]) -> tuple[Decimal | None, Decimal | None]:
    """(what the quote, what the catalog asks) for the lines that both price; None where there are none."""
    both = [line for line in made if line.difference_percent is not None and line.catalog_amount and not line.optional]
    if not both:
        return None, None
    ours = sum(Decimal(line.amount or 0) for line in both)
    theirs = sum(Decimal(line.catalog_amount or 0) for line in both)
    return Decimal(ours), Decimal(theirs)
