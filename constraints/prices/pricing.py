"""Offers, bundles and parts in hand -> PriceBook: which parts have one price, and which a price by quantity."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from functools import cache, lru_cache
from math import lcm

from catalogs.days import days_before
from catalogs.errors import InputError
from catalogs.load import Catalog
from catalogs.offers import Bundle, Offer, days_of
from catalogs.schema import Kind
from constraints.exchange import FxRate, half_up, minor_digits
from constraints.policy import Policy, table
from constraints.prices.filters import admissible
from constraints.prices.purchase import Kit, PriceBook, Priced
from constraints.prices.tariff import NEVER, Source, Step, Tariff, steps_of
from constraints.request import Request

QUICK = (Kind.MEMORY, Kind.DRIVE)
"""Categories whose prices go stale sooner."""


@cache
def shipped_rates() -> tuple[FxRate, ...]:
    """Those of constraints/data/fx.csv."""
    return tuple(FxRate.model_validate(row) for row in table("fx"))


def fx_rates(request: Request) -> list[FxRate]:
    """Exchange rates in force: those of constraints/data/fx.csv, the request's own laid over them."""
    own = {r.currency: r for r in request.fx}
    return [own.get(r.currency, r) for r in shipped_rates()]


@lru_cache(maxsize=256)
def _exchanged(own: tuple[FxRate, ...], old: str, new: str) -> Fraction:
    known: dict[str, FxRate] = {r.currency: r for r in (*shipped_rates(), *own)}
    for code in (old, new):
        if code not in known:
            remedy = "Rates are in constraints/data/fx.csv; lay your own over them with --fx."
            raise InputError(f"no exchange rate for {code!r}", "unknown-currency", remedy)
    return known[old].usd / known[new].usd


def exchange(request: Request, old: str, new: str) -> Fraction:
    """Units of currency `new` for one of `old` at the rates in force, exact."""
    return Fraction(1) if old == new else _exchanged(request.fx, old, new)


ENERGY = "energy.price_per_kwh"


def energy_price(request: Request, policy: Policy) -> Fraction:
    """Price of a kWh in the request's currency: the buyer's own as it stands, the policy's default (USD) converted."""
    own = Fraction(policy[ENERGY])
    return own if ENERGY in policy.changed else own * exchange(request, "USD", request.currency)


def unit_price(offer: Offer | Bundle, request: Request, price: Decimal | None = None) -> int:
    """Net unit price in minor units: made net of tax and converted once, rounded half up.

    `price` is that of a price break, by default the offer's own."""
    return _net_cents(price or offer.price, offer.tax_rate, request.fx, offer.currency, request.currency)


@lru_cache(maxsize=20_000)
def _net_cents(price: Decimal, tax_rate: Decimal, own: tuple[FxRate, ...], old: str, new: str) -> int:
    """Remembered: one request in other words, as an explanation asks it many times, prices the same offers again."""
    net = Fraction(price) / (1 + Fraction(tax_rate))
    net *= Fraction(1) if old == new else _exchanged(own, old, new)
    return max(1, half_up(net * 10 ** minor_digits(new)))


def priced(
    catalog: Catalog, request: Request, policy: Policy, pools: Mapping[str, tuple[list[Offer], bool]],
    barred: set[str], ledger: dict[str, str],
) -> PriceBook:  # fmt: skip
    """The book of `pools`: part id -> (admissible offers, whether they are stale). What is in hand or in a bundle needs
    no offer and leaves the ledger."""
    own: Counter[str] = Counter()
    for held in request.own:
        own[held.part] += held.qty if held.part not in barred else 0
    spares = {s.category: (s.pieces, s.per) for s in request.spares}
    if Kind.GPU in spares:  # a board is GPUs too
        spares.setdefault(Kind.GPU_BOARD, spares[Kind.GPU])
    prices: dict[str, Priced] = {}
    for part in catalog.parts.values():
        if part.id in pools or own[part.id]:
            offers, stale = pools.get(part.id, ([], False))
            spare = spares.get(part.kind, (0, 1))
            found = _of_part(offers, stale, own[part.id], spare, request)
            if found.cents < NEVER:
                prices[part.id] = found
                ledger.pop(part.id, None)
            else:
                ledger[part.id] = "no piece of it in stock"
    # A bundle that is dearer than its parts is in no cheapest purchase, unless a limit on sellers, shares or days makes
    # a dearer purchase the one that is allowed.
    kits = tuple(k for k in _kits(catalog, request, policy, barred) if request.picks_offers or _saves(k, prices))
    for x in sorted({part for k in kits for part in k.parts}):
        ledger.pop(x, None)
        spare = spares.get(catalog.parts[x].kind, (0, 1))
        have = prices.get(x, Priced(None, NEVER, False, Tariff((), spare)))
        prices[x] = replace(have, tariff=have.sources(), by_quantity=True)
    prices |= _least_in_kits(kits, prices)
    book = _supported(catalog, request, prices, kits, ledger)
    return replace(book, prices={x: _floored(p, book.weight(x), book.scale) for x, p in prices.items()})


def _of_part(offers: list[Offer], stale: bool, owned: int, spare: tuple[int, int], request: Request) -> Priced:
    """One price where one offer is the best for any number; else a tariff of all that may be the better somewhere."""
    cents = {offer.id: unit_price(offer, request) for offer in offers}
    ranked = sorted(offers, key=lambda o: (cents[o.id], -o.date.toordinal(), o.id))
    always = [o for o in ranked if o.stock is None and o.min_qty == 1 and not o.breaks]
    sources = [Source(None, (Step(1, owned, 0),))] if owned else []
    for i, o in enumerate(ranked):
        prices = [(1, cents[o.id]), *((q, unit_price(o, request, price)) for q, price in o.price_breaks)]
        steps = steps_of(prices, o.min_qty, o.stock)
        # An offer without minimum, stock or breaks that is no dearer than the other's lowest price can stand in for it
        # in every order: leaving the other out loses no cheapest purchase. Of two equal ones the earlier stays.
        rivals = (x for x in always if x is not o and _serves(x, o, request))
        beaten = any(cents[x.id] <= steps[-1].cents and (o not in always or x in ranked[:i]) for x in rivals if steps)
        if steps and not beaten:
            sources.append(Source(o, steps, stale))
    by_quantity = not (len(sources) == 1 and sources[0].plain)
    tariff = Tariff(tuple(sources), spare)
    first = always[0] if always else next((s.offer for s in sources if s.offer), None)
    return Priced(first, tariff.least_cents, stale, tariff if by_quantity or spare[0] else None, by_quantity)


def _serves(one: Offer, other: Offer, request: Request) -> bool:
    """Whether an offer that is not dearer makes another superfluous: not where the two differ in what a limit counts,
    sellers, days or estimates."""
    sold = request.max_sellers is not None or request.max_share_percent is not None
    later = days_of(one) > days_of(other)
    guess = one.confidence == "estimate" and other.confidence != "estimate"
    rough = request.max_estimated_percent is not None and guess
    return not ((sold and one.seller != other.seller) or (request.soonest and later) or rough)


def _kits(catalog: Catalog, request: Request, policy: Policy, barred: set[str]) -> list[Kit]:
    """Bundles of an allowed condition, confidence and lead time, fresh, with nothing barred in them."""
    out = []
    for bundle in catalog.bundles.values():
        quick = any(catalog.parts[part.part].kind in QUICK for part in bundle.parts)
        days = policy.whole("offers.fresh_days_memory" if quick else "offers.fresh_days")
        if request.max_price_age_days is not None:
            days = min(days, request.max_price_age_days)
        fresh = days_before(request.as_of, days) <= bundle.date <= request.as_of
        open_ = bundle.condition in request.conditions and bundle.stock != 0 and admissible(bundle, request)
        if fresh and open_ and not any(part.part in barred for part in bundle.parts):
            out.append(Kit(bundle, unit_price(bundle, request)))
    return out


def _saves(kit: Kit, prices: Mapping[str, Priced]) -> bool:
    """Whether a bundle may ever be cheaper than its parts."""
    known = [(prices[x], q) for x, q in kit.parts.items() if x in prices and not prices[x].by_quantity]
    return len(known) < len(kit.parts) or kit.cents < sum(p.cents * q for p, q in known)


def _least_in_kits(kits: tuple[Kit, ...], prices: Mapping[str, Priced]) -> dict[str, Priced]:
    """Parts of bundles with the least that a piece costs scaled so that no bundle costs less than its parts' leasts:
    then the sum of leasts bounds every purchase, whatever bundles are in it (the dual of a covering problem)."""
    cents = {
        x: Fraction(prices[x].cents)
        if prices[x].cents < NEVER
        else min(Fraction(k.cents, sum(k.parts.values())) for k in kits if x in k.parts)
        for x in {part for k in kits for part in k.parts}
    }
    alone = {k: sum(cents[x] * q for x, q in k.parts.items()) for k in kits}
    shrink = {k: min(Fraction(1), k.cents / alone[k]) if alone[k] else Fraction(1) for k in kits}
    return {
        x: replace(prices[x], cents=int(c * min(shrink[k] for k in kits if x in k.parts))) for x, c in cents.items()
    }


def _supported(
    catalog: Catalog, request: Request, prices: dict[str, Priced], kits: tuple[Kit, ...], ledger: dict[str, str]
) -> PriceBook:
    """The book with the weights of support by category; a bundle's is the highest of its parts."""
    rates = {s.category: Fraction(s.percent) / 100 for s in request.support}
    scale = lcm(*(r.denominator for r in rates.values())) if rates else 1
    of_kind = {k: int(scale * (1 + r)) for k, r in rates.items() if r}
    weights = {x: of_kind[catalog.parts[x].kind] for x in prices if catalog.parts[x].kind in of_kind}
    weights |= {k.bundle.id: max(weights.get(part, scale) for part in k.parts) for k in kits if weights}
    return PriceBook(prices, ledger, kits, scale, weights)


def _floored(p: Priced, weight: int, scale: int) -> Priced:
    """With the least that a piece adds to the cost, its spares and support in it."""
    extra, per = p.tariff.spare if p.tariff else (0, 1)
    # Rounded down: a floor is a bound on the cost, and a bound may be too low, never too high.
    return replace(p, floor=p.cents * (per + extra) * weight // (per * scale))
