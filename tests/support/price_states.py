"""What competes for a part by the states of prices, from the words of docs/money.md; shares no code with constraints/.

And random catalogs of offers in all states, with price indices that have gaps, begin late and end early.
"""

from __future__ import annotations

import itertools
import random
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from catalogs.load import Catalog
from catalogs.offers import IndexPoint, Offer
from catalogs.schema import Cpu, Drive, Kind, Memory, Part
from constraints.request import Request
from tests.support.oracle import Ask
from tests.support.random_catalogs import DAY, scenario

READ = ("list", "contract", "street", "sold")
PERCENT = {"list": 10, "contract": 10, "street": 20, "sold": 22, "estimate": 40}
LEAST_STALE = {Kind.MEMORY: 100, Kind.DRIVE: 50}
STALE_PERCENT = 30
GAP, HOLDS = 6, 3
"""Months."""


def months(catalog: Catalog, category: str) -> dict[int, tuple[Fraction, set[str]]]:
    """Level and the points it rests on, month by month, as far as the index reaches."""
    points = sorted((p for p in catalog.price_index if p.category == category), key=lambda p: p.month)
    out: dict[int, tuple[Fraction, set[str]]] = {}
    for point in points:
        for month in range(_number(point.month), _number(point.through or point.month) + 1):
            out[month] = Fraction(point.value), {point.id}
    for early, late in itertools.pairwise(points):
        start, end = _number(early.through or early.month), _number(late.month)
        if end - start <= GAP:
            for month in range(start + 1, end):
                share = Fraction(month - start, end - start)
                level = Fraction(early.value) * (1 - share) + Fraction(late.value) * share
                out[month] = level, {early.id, late.id}
    for point in points[-1:]:
        end = _number(point.through or point.month)
        out |= {end + n: (Fraction(point.value), {point.id}) for n in range(1, HOLDS + 1)}
    return out


def _number(month: str) -> int:
    year, of_year = month.split("-")
    return int(year) * 12 + int(of_year)


def category(part: Part) -> str:
    """By what the part is; empty where the market quotes no such category."""
    if isinstance(part, Memory):
        if part.mem_gen not in ("DDR4", "DDR5") or part.dimm_type == "soldered":
            return ""
        return f"{part.mem_gen.lower()}_{'udimm' if part.dimm_type == 'UDIMM' else 'rdimm'}"
    if isinstance(part, Drive):
        return {"nvme": "nvme_enterprise", "nvme-consumer": "nvme_consumer"}.get(part.media, "")
    server = ("SP3", "SP5", "LGA3647", "LGA4189", "LGA4677", "LGA4710", "LGA7529")
    return "server_cpu" if isinstance(part, Cpu) and part.socket in server else ""


def competing(catalog: Catalog, part: Part, ask: Ask) -> list[Offer]:
    """The offers of a part that count, each at the price at which it counts."""
    days = 30 if part.kind in LEAST_STALE else 90
    newest: dict[Any, Offer] = {}
    for o in sorted(catalog.offers.get(part.id, ()), key=lambda o: (o.date, o.id)):
        if o.date <= ask.day and o.condition in ask.conditions:
            newest[o.seller, o.condition, o.holds_for, o.confidence in READ] = o
    newest = {key: o for key, o in newest.items() if o.valid_until is None or ask.day <= o.valid_until}
    table = months(catalog, category(part)) if category(part) else {}
    states: dict[str, list[tuple[Offer, Fraction, Fraction]]] = {}
    """offers with the factor on the price, and how much wider their band is"""
    for o in newest.values():
        then, now = (12 * d.year + d.month for d in (o.date, ask.day))
        factor, wider, state = Fraction(1), Fraction(1), "estimate"
        if o.confidence in READ:
            state = "fresh" if (ask.day - o.date).days <= days else "stale"
        if state == "stale" and then in table and now in table:
            state, factor = "indexed", table[now][0] / table[then][0]
            rests = table[then][1] | table[now][1]
            span = {p.id for p in catalog.price_index if p.category == category(part)}
            first = min(p.month for p in catalog.price_index if p.id in rests)
            last = max(p.month for p in catalog.price_index if p.id in rests)
            span = {p.id for p in catalog.price_index if p.id in span and first <= p.month <= last}
            wider += max(Fraction(p.uncertainty_percent) for p in catalog.price_index if p.id in span) / 100
        word = "indexed" if state == "indexed" else o.confidence
        if word not in ask.confidences or (ask.strict_lead and o.lead_time_days is None):
            continue
        if ask.max_lead is not None and (o.lead_time_days or 0) > ask.max_lead:
            continue
        if ask.max_age is not None and state != "estimate" and (ask.day - o.date).days > ask.max_age:
            continue
        states.setdefault(state, []).append((o, factor, wider))
    if ask.prefer == "mine":
        mine = {s: [x for x in of if x[0].own and (x[0].stock is None or x[0].stock > 0)] for s, of in states.items()}
        states = mine if any(mine.values()) else states
    fitting = {s: [x for x in of if x[0].holds_for in ("", ask.bought_as)] for s, of in states.items()}
    chosen = fitting if any(fitting.values()) else states
    for state in ("fresh", "indexed", "stale", "estimate"):
        if of := chosen.get(state):
            latest = max(o.date for o, _, _ in of)
            if state == "indexed":
                of = [x for x in of if (latest - x[0].date).days <= days]
            elif state != "fresh":
                of = [x for x in of if x[0].date == latest]
            # One of which there is no piece keeps its state but sells nothing.
            there = [x for x in of if x[0].stock is None or x[0].stock > 0]
            return [_at(o, f, w, state, part.kind, ask.price_level) for o, f, w in there]
    return []


def _at(o: Offer, factor: Fraction, wider: Fraction, state: str, kind: Kind, level: str) -> Offer:
    """The offer at its price on the day, and there at an end of its band."""
    middle = cents(o.price, factor)
    if level == "middle":
        return o.model_copy(update={"price": middle})
    percent = PERCENT[o.confidence]
    if state == "stale":
        percent, wider = max(percent, LEAST_STALE.get(kind, 0)), Fraction(100 + STALE_PERCENT, 100)
    own = {"low": o.low, "high": o.high}[level]
    if own is not None:
        end = Fraction(cents(own, factor) if state == "indexed" else own) / Fraction(middle)
        end = min(end, Fraction(1)) if level == "low" else max(end, Fraction(1))
    else:
        end = Fraction(100, 100 + percent) if level == "low" else Fraction(100 + percent, 100)
    return o.model_copy(update={"price": cents(middle, end / wider if level == "low" else end * wider)})


def cents(price: Decimal, factor: Fraction) -> Decimal:
    """Half up, never nothing."""
    exact = Fraction(price) * 100 * factor
    whole = exact.numerator // exact.denominator
    return Decimal(max(1, whole + (exact - whole >= Fraction(1, 2)))) / 100


def states_scenario(seed: int) -> tuple[Catalog, Request, Ask]:
    """A random catalog whose offers are of every state and purchase, with indices, and a request that says by which
    prices, from which purchase and at which end it wants them."""
    catalog, request, ask = scenario(seed)
    rng = random.Random(f"states {seed}")
    offers: dict[str, tuple[Offer, ...]] = {}
    for x, of in sorted(catalog.offers.items()):
        offers[x] = tuple(
            _aged(rng, o, f"{o.id}-{i}") for o in of for i in range(rng.choice((1, 1, 2))) if rng.random() < 0.95
        )
    words: tuple[str, ...] = ("list", "contract", "street", "sold", "indexed", "estimate")
    if rng.random() < 0.3:
        words = rng.choice((words[:5], ("list", "street", "estimate"), ("list", "contract", "indexed", "estimate")))
    same: dict[str, Any] = {
        "confidences": words,
        "price_level": rng.choice(("low", "middle", "middle", "high")),
        "bought_as": rng.choice(("configured", "loose")),
    }
    age = rng.choice((None, None, None, 100, 400))
    mine = random.Random(f"mine {seed}")  # apart, so that the other draws of a seed stay what they were
    same["prefer"] = mine.choice(("any", "mine"))
    offers = {x: tuple(_owned(mine, o) for o in of) for x, of in offers.items()}
    return (
        replace(catalog, offers=offers, price_index=_index(rng)),
        request.model_copy(update={**same, "max_price_age_days": age}),
        replace(ask, **same, max_age=age),
    )


def _aged(rng: random.Random, o: Offer, name: str) -> Offer:
    price = (o.price * Decimal(rng.choice(("0.7", "0.9", "1.0", "1.2", "1.3")))).quantize(Decimal("0.01"))
    change: dict[str, Any] = {
        "id": name, "price": price, "seller": rng.choice(("s0", "s1", "s2")),
        "confidence": rng.choice((*READ, "estimate")),
        "date": DAY - timedelta(rng.choice((-5, 0, 29, 30, 31, 80, 90, 91, 120, 200, 380, 500))),
        "holds_for": rng.choice(("", "", "configured", "loose")),
    }  # fmt: skip
    if rng.random() < 0.3:
        change |= {"low": price * Decimal("0.8"), "high": price * Decimal("1.5")}
    return o.model_copy(update=change)


def _owned(rng: random.Random, o: Offer) -> Offer:
    """Maybe one of the buyer's own, of which there may be none in stock, and maybe no longer valid."""
    change: dict[str, Any] = {"own": rng.random() < 0.3}
    if change["own"] and rng.random() < 0.2:
        change["stock"] = 0
    if rng.random() < 0.15:
        change["valid_until"] = DAY + timedelta(rng.choice((-1, 0, 30)))
    return o.model_copy(update=change)


def _index(rng: random.Random) -> tuple[IndexPoint, ...]:
    """Levels of random months: gaps of every width, a beginning, an end before the day or after it."""
    out = []
    for name in ("ddr5_rdimm", "ddr5_udimm", "ddr4_rdimm", "nvme_enterprise", "server_cpu"):
        month = 2025 * 12 + rng.choice((5, 8, 11))
        while rng.random() < 0.9 and month < 2027 * 12 + 2:
            last = month + rng.choice((0, 0, 2))
            out.append(
                IndexPoint(
                    id=f"{name}--{_written(month)}", category=name, month=_written(month), unit="index",  # type: ignore[arg-type]
                    through=None if last == month else _written(last), value=Decimal(rng.randint(100, 400)),
                    uncertainty_percent=Decimal(rng.choice((0, 5, 15))), basis="read", source="test",
                )
            )  # fmt: skip
            month = last + rng.choice((1, 3, 4, 6, 7))
    return tuple(out)


def _written(number: int) -> str:
    return f"{(number - 1) // 12}-{(number - 1) % 12 + 1:02d}"
