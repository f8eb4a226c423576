"""Each line's price beside the catalog's, and the market in which the quoted parts cost what the quote asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction

from catalogs.load import Catalog
from catalogs.offers import MOST_PIECES, Condition, Offer
from catalogs.schema import GpuBoard, Kind
from constraints.build import Build
from constraints.exchange import half_up, minor_digits
from optimizer.explanation.why_not.asked_for import supposed
from optimizer.market.market import Market
from optimizer.procurement.reading.build import NODES
from optimizer.procurement.reading.document import Line, Quote
from optimizer.procurement.xray.basis import Conversion, rounded
from optimizer.procurement.xray.placing import Scope
from optimizer.procurement.xray.schema import Mark, Stated, Totals, XLine
from optimizer.text.minor_units import minor, money

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
    home = {x.row: _home(x, build, market.catalog) for x in quote.lines if x.row in scope.rows}
    by_time = {*quote.time_money.rows} if quote.time_money else set()
    cents = {x.row: None if x.row in by_time else to.line(x) for x in quote.lines}
    of = _carried(quote, scope, home, cents, market.catalog)
    made = [_line(x, market, scope, home, cents, to, above, below, of.get(x.row, [])) for x in quote.lines]
    paid: dict[str, int] = {}
    have = build.total() if build else {}
    split = [y for x in quote.lines for y in _shares(x, of.get(x.row, []), cents[x.row] or 0, home, market)]
    for part, amount in split:
        pieces = sum(y.pieces or 0 for y in quote.lines if y.row in home and y.matched.part == part)
        share = Fraction(have[part], pieces) if pieces > have[part] else Fraction(1)  # the rest is left over
        paid[part] = paid.get(part, 0) + (rounded(amount * share) or 0)
    off = sum(to.rebate(t) or 0 for t in quote.totals if t.kind == "discount")
    hardware = _hardware(quote, cents)
    if any(x.row in by_time and x.role == "part" for x in quote.lines):
        hardware = None
    bought = None if hardware is None else hardware + off
    totals = _totals(quote, made, market, scope, cents, off, to.tax_rate)
    if by_time:  # a sum of what is paid once and what is paid each month is none
        totals = totals.model_copy(
            update={
                "net": None,
                "tax": None,
                "gross": None,
                "services": None,
                "hardware": totals.hardware if bought else None,
            }
        )
    return Prices(made, totals, bought, paid)


def quoted_market(market: Market, build: Build, paid: Mapping[str, int], seller: str) -> tuple[Market, list[str]]:
    """(the market in which the build's parts cost what the quote asks, parts that nobody prices).

    The quote's price is the only one of a quoted part; a part without one keeps the catalog's, or counts one minor unit
    where there is none."""
    r, catalog = market.request, market.catalog
    offers = dict(catalog.offers)
    digits = minor_digits(r.currency)
    pieces = build.total()
    for part, amount in paid.items():
        if pieces.get(part):
            each = min(max(1, rounded(Fraction(amount, pieces[part])) or 1), MOST_CENTS)
            offers[part] = (
                Offer(
                    id=f"{part}--quoted",
                    part=part,
                    price=Decimal(each).scaleb(-digits),
                    currency=r.currency,
                    date=r.as_of,
                    condition=next(x for x in ("new", "refurbished", "used") if x in r.conditions),
                    confidence=r.confidences[0],
                    seller=seller,
                    source="the quote",
                    lead_time_days=0,
                ),
            )
    quoted = Market.open(replace(catalog, offers=offers), r, market.policy, market.calibration)
    bare = sorted(p for p in pieces if p not in quoted.book.prices)
    return (supposed(quoted, bare) if bare else quoted), bare


def _home(x: Line, build: Build | None, catalog: Catalog) -> str:
    """The part of the build that a line pays for: itself, the board of its GPUs, the system that holds it."""
    part = x.matched.part or ""
    have = build.total() if build else {}
    if part in have:
        return part
    for p in have:
        other = catalog.parts[p]
        if isinstance(other, GpuBoard) and other.gpu == part:
            return p
    return next((p for p in have if catalog.parts[p].kind in NODES), "")


def _carried(
    quote: Quote, scope: Scope, home: Mapping[int, str], cents: Mapping[int, int | None], catalog: Catalog
) -> dict[int, list[Line]]:
    """Lines without a price of their own, by the row of the line whose price is theirs too: the head of their bundle,
    else the carrier of the build."""
    head = {row: x.row for x in quote.lines for row in x.holds}
    carrier = _carrier(quote, scope, home, cents, catalog)
    out: dict[int, list[Line]] = {}
    for x in quote.lines:
        of = head.get(x.row) or (carrier.row if carrier and x.row in scope.rows and x.row != carrier.row else None)
        if x.included and of:
            out.setdefault(of, []).append(x)
    return out


def _shares(
    x: Line, carried: list[Line], amount: int, home: Mapping[int, str], market: Market
) -> list[tuple[str, int]]:
    """(part of the build, minor units) of a line's amount: split over what it carries by the catalog's prices, where
    they are known; else all of it is the line's own part's."""
    if not amount or not home.get(x.row):
        return []
    own = [y for y in (x, *carried) if y.matched.part and home.get(y.row) == y.matched.part]
    worth = [catalog_cents(market, y.matched.part or "", y.pieces or 1)[0] for y in own]
    known = [w for w in worth if w is not None]
    if not carried or not known or len(known) < len(worth):
        return [(home[x.row], amount)]
    ends = [amount * sum(known[: i + 1]) // sum(known) for i in range(len(known))]
    return [(y.matched.part or "", b - a) for y, a, b in zip(own, [0, *ends], ends, strict=False)]


def _carrier(
    quote: Quote, scope: Scope, home: Mapping[int, str], cents: Mapping[int, int | None], catalog: Catalog
) -> Line | None:
    """The line whose price holds the parts that have none: the node's, else the dearest of the build."""
    priced = [x for x in quote.lines if x.row in scope.rows and cents[x.row] and x.matched.part]
    nodes = [x for x in priced if catalog.parts[x.matched.part or ""].kind in NODES]
    return max(nodes or priced, key=lambda x: (cents[x.row] or 0, -x.row), default=None)


def catalog_cents(market: Market, part: str, pieces: int, board: str = "") -> tuple[int | None, str]:
    """(minor units of so many pieces by the catalog, its price's day, confidence and seller; or why there is none).

    GPUs that are sold on boards alone cost their share of one, of `board` where it is known."""
    book, catalog = market.book, market.catalog
    if pieces > MOST_PIECES:
        return None, f"no price of {pieces:,} pieces"
    if part in book.prices:
        found = book.purchase({part: pieces})
        if found is not None:
            line = next((x for x in found.lines if x.offer is not None), None)
            offer = line.offer if line else None
            said = (
                f"{offer.confidence}, {offer.date}, {offer.seller}{', stale' if line and line.stale else ''}"
                if offer
                else ""
            )
            return found.cents, said
    for b in sorted(catalog.of(Kind.GPU_BOARD), key=lambda b: b.id != board):
        if isinstance(b, GpuBoard) and b.gpu == part and b.id in book.prices:
            whole, said = catalog_cents(market, b.id, 1)
            if whole is not None:
                share = rounded(Fraction(whole * pieces, b.gpus))
                return share, f"a share of {b.name} ({said})"
    return None, book.ledger.get(part, "no price in this number")


def _line(
    x: Line, market: Market, scope: Scope, home: Mapping[int, str], cents: Mapping[int, int | None], to: Conversion,
    above: Decimal, below: Decimal, carried: list[Line],
) -> XLine:  # fmt: skip
    unit, part = market.request.currency, market.catalog.parts.get(x.matched.part or "")
    theirs: int | None = None
    said = ""
    absorbed = x.row in scope.rows and home.get(x.row) not in (None, x.matched.part) and not _on_board(x, home, market)
    absorbed = absorbed and not x.holds
    if part is not None and x.role == "part":
        theirs, said = catalog_cents(market, part.id, x.pieces or 1, home.get(x.row, ""))
        if theirs is None and x.pieces and not absorbed:
            said = _otherwise(market, part.id, said)
    if x.matched.how == "bundle":
        theirs, said = 0, "the parts that it holds"
    if theirs is not None and carried:
        more = [catalog_cents(market, c.matched.part, c.pieces or 1)[0] for c in carried
                if c.matched.part and home.get(c.row, c.matched.part) == c.matched.part]  # fmt: skip
        theirs = None if None in more else theirs + sum(m or 0 for m in more)
        said = "a part in it has no price" if theirs is None else said
        if any(c.role == "part" and c.matched.how == "none" for c in carried):
            theirs, said = None, "not all that it holds is known"
    ours = cents[x.row] if x.pieces or x.unit_price is None else None
    each = rounded(to.converted(to.net(x.unit_price, x.tax, x.tax_rate), x.currency)) if not x.pieces else None
    if ours is not None and x.pieces:
        each = rounded(Fraction(ours) / x.pieces)
    percent: float | None = None
    compared = ours if x.pieces else each
    if compared and theirs and not absorbed:
        percent = round(float(100 * (Decimal(compared) - theirs) / theirs), 1)
    floor = None if said.startswith("list") else below
    mark = _mark(x, theirs, compared, percent, absorbed, above, floor)
    each_theirs = None if theirs is None else rounded(Fraction(theirs) / (x.pieces or 1))
    price = "" if x.unit_price is None else f"{x.unit_price:f} {x.currency or to.quote.currency}".strip()
    return XLine(
        row=x.row, role=x.role, text=x.text, how=x.matched.how, score=x.matched.score, part=x.matched.part,
        name=part.name if part else "",
        suggestions=list(x.matched.candidates), reason=x.matched.reason, pieces=x.pieces, optional=x.optional,
        included=x.included,
        stated_price=f"{price}{f', {x.tax}' if x.tax != 'unknown' else ''}" if price else None,
        unit=None if each is None else money(each, unit), amount=None if ours is None else money(ours, unit),
        catalog_unit=None if each_theirs is None or absorbed else money(each_theirs, unit),
        catalog_amount=None if theirs is None or absorbed or not x.pieces else money(theirs, unit),
        catalog_price=said, difference_percent=percent, mark=mark, carries=[c.row for c in carried],
        issues=[i.text for i in x.issues],
    )  # fmt: skip


def _on_board(x: Line, home: Mapping[int, str], market: Market) -> bool:
    """GPUs quoted instead of the board that holds them: priced as a share of it."""
    board = market.catalog.parts.get(home.get(x.row, ""))
    return isinstance(board, GpuBoard) and board.gpu == x.matched.part


def _mark(
    x: Line, theirs: int | None, ours: int | None, percent: float | None, absorbed: bool, above: Decimal,
    below: Decimal | None,
) -> Mark:  # fmt: skip
    """`below`: None where the catalog's price is a list price, under which vendors sell as a rule."""
    if x.role == "service":
        return "service"
    if x.matched.part is None and x.matched.how != "bundle":
        return "not-placed"
    if x.included or absorbed:
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
    kinds = " or ".join(sorted({o.condition for o in offers} - market.request.conditions))
    unit = market.request.currency
    return f"no new offer; to be had {kinds} at {money(cents, unit)} {unit} ({said})" if kinds else why


def _hardware(quote: Quote, cents: Mapping[int, int | None]) -> int | None:
    """Minor units of all part lines that have a price; None where none has."""
    found = [c for x in quote.lines if x.role == "part" and not x.optional and (c := cents[x.row]) is not None]
    return sum(found) if any(found) else None


def _tax(lines: list[Line], cents: Mapping[int, int | None], off: int, rate: Decimal | None) -> int | None:
    """Minor units of tax on the net amounts, rounded once per rate; None where a line's rate is not known. `off` and
    lines without a rate of their own are at `rate` (percent)."""
    by_rate: dict[Decimal, int] = {}
    for at, net in [*((x.tax_rate, cents[x.row] or 0) for x in lines), (None, off)]:
        percent = rate if at is None else at
        if net and percent is None:
            return None
        if net and percent is not None:
            by_rate[percent] = by_rate.get(percent, 0) + net
    return sum(half_up(Fraction(percent) * net / 100) for percent, net in by_rate.items())


def _totals(
    quote: Quote, made: list[XLine], market: Market, scope: Scope, cents: Mapping[int, int | None], off: int,
    tax_rate: Decimal | None,
) -> Totals:  # fmt: skip
    unit = market.request.currency
    counted = [x for x in quote.lines if not x.optional]

    def of(lines: list[Line], less: int = 0) -> str | None:
        found = [c for x in lines if (c := cents[x.row]) is not None]
        return money(sum(found) + less, unit) if found else None

    parts = [x for x in counted if x.role == "part"]
    both = [x for x in made if x.difference_percent is not None and x.catalog_amount and not x.optional]
    ours, theirs = (sum(Decimal(v or 0) for v in vs) for vs in
                    ([x.amount for x in both], [x.catalog_amount for x in both]))  # fmt: skip
    net, tax = of(counted, off), _tax(counted, cents, off, tax_rate)
    return Totals(
        stated=[Stated(row=t.row, label=t.label, kind=t.kind, amount=f"{t.amount:f}") for t in quote.totals],
        hardware=of(parts),
        of_it_not_placed=of([x for x in parts if x.row not in scope.rows]) if scope.placed else None,
        services=of([x for x in counted if x.role == "service"]),
        rebates=money(off, unit) if off else None,
        net=net,
        tax=None if tax is None or net is None else money(tax, unit),
        gross=None if tax is None or net is None else money(minor(net, unit) + tax, unit),
        unpriced_rows=[x.row for x in counted if cents[x.row] is None],
        compared=f"{ours:f}" if both else None,
        compared_catalog=f"{theirs:f}" if both else None,
        compared_percent=round(float(100 * (ours - theirs) / theirs), 1) if both and theirs else None,
    )
