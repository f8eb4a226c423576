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
from catalogs.offers import Bundle, Offer, days_of, state_of
from catalogs.schema import Kind
from constraints.exchange import FxRate, half_up, minor_digits
from constraints.physics.markets import market_of
from constraints.policy import Policy, table
from constraints.prices.filters import admissible, prices_alone
from constraints.prices.purchase import Kit, PriceBook, Priced
from constraints.prices.states import QUICK, Pool, band, fresh_days, times
from constraints.prices.tariff import NEVER, Source, Step, Tariff, steps_of
from constraints.request import Request


@cache
def shipped_rates() -> tuple[FxRate, ...]:
    """Those of constraints/data/fx.csv."""
    return tuple(FxRate.model_validate(row) for row in table("fx"))


def fx_rates(request: Request) -> list[FxRate]:
    """Exchange rates in force: those of constraints/data/fx.csv, the request's own laid over them."""
    own = {rate.currency: rate for rate in request.fx}
    return [own.get(rate.currency, rate) for rate in shipped_rates()]


@lru_cache(maxsize=256)
def _exchanged(own: tuple[FxRate, ...], old: str, new: str) -> Fraction:
    known: dict[str, FxRate] = {rate.currency: rate for rate in (*shipped_rates(), *own)}
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
    """Price of a kWh in the request's currency: the buyer's own as it stands; else that of the market, or where nobody
    was found who says it the policy's default (USD), converted."""
    if ENERGY in policy.changed:
        return Fraction(policy[ENERGY])
    market = market_of(request)
    if market is None or market.energy_price is None:
        return Fraction(policy[ENERGY]) * exchange(request, "USD", request.currency)
    return Fraction(market.energy_price) * exchange(request, market.energy_currency, request.currency)


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


NO_SPARES = (0, 1)
"""(pieces, per) of a category of which none are asked for."""


def priced(
    catalog: Catalog, request: Request, policy: Policy, pools: Mapping[str, Pool],
    barred: set[str], ledger: dict[str, str],
) -> PriceBook:  # fmt: skip
    """The book of `pools`: part id -> (admissible offers, whether they are stale). What is in hand or in a bundle needs
    no offer and leaves the ledger."""
    own: Counter[str] = Counter()
    for held in request.own:
        own[held.part] += held.qty if held.part not in barred else 0
    spares = {spare.category: (spare.pieces, spare.per) for spare in request.spares}
    if Kind.GPU in spares:  # a board is GPUs too
        spares.setdefault(Kind.GPU_BOARD, spares[Kind.GPU])
    prices: dict[str, Priced] = {}
    for part in catalog.parts.values():
        if part.id in pools or own[part.id]:
            offers, stale = pools.get(part.id, Pool([], False))
            found = _of_part(offers, stale, own[part.id], spares.get(part.kind, NO_SPARES), request)
            if found.cents < NEVER:
                prices[part.id] = found
                ledger.pop(part.id, None)
            else:
                ledger[part.id] = "no piece of it in stock"
    # A bundle that is dearer than its parts is in no cheapest purchase, unless a limit on sellers, shares or days makes
    # a dearer purchase the one that is allowed.
    bundles = _kits(catalog, request, policy, barred, pools)
    kits = tuple(kit for kit in bundles if request.picks_offers or _saves(kit, prices))
    for part_id in sorted({part for kit in kits for part in kit.parts}):
        ledger.pop(part_id, None)
        spare = spares.get(catalog.parts[part_id].kind, NO_SPARES)
        have = prices.get(part_id, Priced(None, NEVER, False, Tariff((), spare)))
        prices[part_id] = replace(have, tariff=have.sources(), by_quantity=True)
    prices |= _least_in_kits(kits, prices)
    book = _supported(catalog, request, prices, kits, ledger)
    floored = {part: _floored(each, book.weight(part), book.scale) for part, each in prices.items()}
    return replace(book, prices=floored)


def _of_part(offers: list[Offer], stale: bool, owned: int, spare: tuple[int, int], request: Request) -> Priced:
    """One price where one offer is the best for any number; else a tariff of all that may be the better somewhere."""
    cents = {offer.id: unit_price(offer, request) for offer in offers}
    # Ties: the newer offer, then the id, so that the same one prices the part in every run.
    ranked = sorted(offers, key=lambda offer: (cents[offer.id], -offer.date.toordinal(), offer.id))
    always = [offer for offer in ranked if offer.stock is None and offer.min_qty == 1 and not offer.breaks]
    sources = [Source(None, (Step(1, owned, 0),))] if owned else []
    for place, offer in enumerate(ranked):
        price_breaks = [(qty, unit_price(offer, request, price)) for qty, price in offer.price_breaks]
        steps = steps_of([(1, cents[offer.id]), *price_breaks], offer.min_qty, offer.stock)
        # Nothing of it is in stock in the number that it is sold in.
        if not steps:
            continue
        # An offer without minimum, stock or breaks that is no dearer than the other's lowest price can stand in for it
        # in every order: leaving the other out loses no cheapest purchase. Of two equal ones the earlier stays.
        rivals = always if offer not in always else [other for other in ranked[:place] if other in always]
        lowest = steps[-1].cents
        if not any(
            cents[rival.id] <= lowest and rival is not offer and _serves(rival, offer, request) for rival in rivals
        ):
            sources.append(Source(offer, steps, stale))
    by_quantity = not (len(sources) == 1 and sources[0].plain)
    tariff = Tariff(tuple(sources), spare)
    first = always[0] if always else next((source.offer for source in sources if source.offer), None)
    return Priced(first, tariff.least_cents, stale, tariff if by_quantity or spare[0] else None, by_quantity)


def _serves(one: Offer, other: Offer, request: Request) -> bool:
    """Whether an offer that is not dearer makes another superfluous: not where the two differ in what a limit counts,
    sellers, days or estimates."""
    sold = request.max_sellers is not None or request.max_share_percent is not None
    later = days_of(one) > days_of(other)
    guess = one.confidence == "estimate" and other.confidence != "estimate"
    rough = request.max_estimated_percent is not None and guess
    return not ((sold and one.seller != other.seller) or (request.soonest and later) or rough)


def _priced_by_own(pools: Mapping[str, Pool], request: Request) -> set[str]:
    """Parts that the buyer's own offers price alone: no bundle, which is a seller's, gets into their price."""
    return {part for part, pool in pools.items() if any(prices_alone(offer, request) for offer in pool.offers)}


def _kits(
    catalog: Catalog, request: Request, policy: Policy, barred: set[str], pools: Mapping[str, Pool]
) -> list[Kit]:  # fmt: skip
    """Bundles of an allowed condition, confidence and lead time, fresh and so no estimates, with nothing barred in
    them."""
    out = []
    shut = barred | _priced_by_own(pools, request)
    for bundle in catalog.bundles.values():
        quick = any(catalog.parts[part.part].kind in QUICK for part in bundle.parts)
        days = fresh_days(Kind.MEMORY if quick else Kind.PLATFORM, policy)
        if request.max_price_age_days is not None:
            days = min(days, request.max_price_age_days)
        fresh = days_before(request.as_of, days) <= bundle.date <= request.as_of and state_of(bundle) != "estimate"
        open_ = bundle.condition in request.conditions and bundle.stock != 0 and admissible(bundle, request)
        if fresh and open_ and not any(part.part in shut for part in bundle.parts):
            ends = band(bundle, Kind.PLATFORM, policy, stale=False)
            factor = {"low": ends.low, "middle": Fraction(1), "high": ends.high}[request.price_level]
            out.append(Kit(bundle, unit_price(bundle, request, times(bundle.price, factor))))
    return out


def _saves(kit: Kit, prices: Mapping[str, Priced]) -> bool:
    """Whether a bundle may ever be cheaper than its parts."""
    known = [(prices[part], qty) for part, qty in kit.parts.items() if part in prices and not prices[part].by_quantity]
    return len(known) < len(kit.parts) or kit.cents < sum(priced.cents * qty for priced, qty in known)


def _least_in_kits(kits: tuple[Kit, ...], prices: Mapping[str, Priced]) -> dict[str, Priced]:
    """Parts of bundles with the least that a piece costs scaled so that no bundle costs less than its parts' leasts:
    then the sum of leasts bounds every purchase, whatever bundles are in it (the dual of a covering problem)."""
    bundled = {part for kit in kits for part in kit.parts}
    # What a piece costs at least beside bundles; of parts in bundles alone a share of the cheapest bundle by pieces.
    # Any share would do, for what follows scales it down to where it is sound.
    alone: dict[str, Fraction] = {}
    for part in bundled:
        cents = prices[part].cents
        holding = [kit for kit in kits if part in kit.parts]
        shares = [Fraction(kit.cents, sum(kit.parts.values())) for kit in holding]
        alone[part] = Fraction(cents) if cents < NEVER else min(shares)
    scale: dict[str, Fraction] = dict.fromkeys(bundled, Fraction(1))
    for kit in kits:
        worth = sum(alone[part] * qty for part, qty in kit.parts.items())
        if worth:
            for part in kit.parts:
                scale[part] = min(scale[part], kit.cents / worth)
    # Rounded down: a bound may be too low, never too high.
    return {part: replace(prices[part], cents=int(cents * scale[part])) for part, cents in alone.items()}


def _supported(
    catalog: Catalog, request: Request, prices: dict[str, Priced], kits: tuple[Kit, ...], ledger: dict[str, str]
) -> PriceBook:
    """The book with the weights of support by category; a bundle's is the highest of its parts."""
    rates = {support.category: Fraction(support.percent) / 100 for support in request.support}
    # The least scale in which all weights are whole: sums stay exact, and far from CP-SAT's 64 bits.
    scale = lcm(*(rate.denominator for rate in rates.values())) if rates else 1
    of_kind = {kind: int(scale * (1 + rate)) for kind, rate in rates.items() if rate}
    kinds = {part: catalog.parts[part].kind for part in prices}
    weights = {part: of_kind[kind] for part, kind in kinds.items() if kind in of_kind}
    if weights:
        for kit in kits:
            weights[kit.bundle.id] = max(weights.get(part, scale) for part in kit.parts)
    return PriceBook(prices, ledger, kits, scale, weights)


def _floored(priced: Priced, weight: int, scale: int) -> Priced:
    """With the least that a piece adds to the cost, its spares and support in it."""
    extra, per = priced.tariff.spare if priced.tariff else (0, 1)
    # Rounded down: a floor is a bound on the cost, and a bound may be too low, never too high.
    return replace(priced, floor=priced.cents * (per + extra) * weight // (per * scale))
