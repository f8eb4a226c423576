"""Properties of the front on random small catalogs (research: independent checks of exact Pareto fronts)."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace
from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalogs.load import Catalog
from catalogs.offers import Offer
from catalogs.schema import Drive, Memory
from constraints.policy import Policy
from constraints.request import Request
from optimizer.market.market import Market
from optimizer.search.front import Front
from optimizer.search.solver import Solver
from optimizer.search.staircase import Staircase
from tests.support.long import examples
from tests.support.random_catalogs import scenario

SEEDS = st.sampled_from([s for s in range(120) if s % 6 != 5])
Values = list[tuple[int, int]]
quick = settings(max_examples=examples(25), deadline=None, suppress_health_check=list(HealthCheck))


def solved(catalog: Catalog, request: Request, policy: Policy | None = None) -> Front:
    front = Solver(Market.open(catalog, request, policy or Policy())).front()
    assert front.complete
    return front


def values(front: Front) -> Values:
    return [(p.found.parts_cents, p.found.row.perf.tenths) for p in front.points]


def covers(better: Values, worse: Values) -> bool:
    """Whether every point of `worse` is matched or beaten."""
    return all(any(c <= cost and t >= speed for c, t in better) for cost, speed in worse)


def priced(catalog: Catalog, change: dict[str, tuple[Offer, ...]]) -> Catalog:
    return replace(catalog, offers={**catalog.offers, **change})


@quick
@given(SEEDS)
def test_strictly_increasing(seed: int) -> None:
    found = values(solved(*scenario(seed)[:2]))
    assert all(a[0] < b[0] and a[1] < b[1] for a, b in itertools.pairwise(found))


@quick
@given(SEEDS, st.floats(0.3, 1))
def test_less_budget_cuts_the_front(seed: int, share: float) -> None:
    catalog, request, _ = scenario(seed)
    assert request.budget_cents
    less = int(request.budget_cents * share)
    whole = values(solved(catalog, request))
    assert values(solved(catalog, request.model_copy(update={"budget_cents": less}))) == [
        p for p in whole if p[0] <= less
    ]


@quick
@given(SEEDS)
def test_prices_times_three(seed: int) -> None:
    catalog, request, _ = scenario(seed)
    assert request.budget_cents
    triple = {k: tuple(o.model_copy(update={"price": o.price * 3}) for o in v) for k, v in catalog.offers.items()}
    more = request.model_copy(update={"budget_cents": 3 * request.budget_cents})
    assert values(solved(priced(catalog, triple), more)) == [(3 * c, t) for c, t in values(solved(catalog, request))]


@quick
@given(SEEDS, st.integers(0, 10**6))
def test_order_of_rows_does_not_matter(seed: int, order: int) -> None:
    catalog, request, _ = scenario(seed)
    ids = list(catalog.parts)
    random.Random(order).shuffle(ids)
    other = replace(catalog, parts={i: catalog.parts[i] for i in ids})
    assert values(solved(other, request)) == values(solved(catalog, request))


@quick
@given(SEEDS, st.integers(0, 10**6))
def test_a_twin_part_changes_nothing_and_a_cheaper_one_never_harms(seed: int, pick: int) -> None:
    catalog, request, _ = scenario(seed)
    # What a request or a maker's list says of a part by its id does not hold for a twin.
    named = {*request.exclude, *request.include, *request.gpus, *(listed.part for listed in request.avl)}
    named |= {x for row in catalog.qualified_gpus.values() for x in (row.platform, row.gpu)}
    bought = sorted(k for k in catalog.offers if k in catalog.parts and k not in named)
    part = catalog.parts[bought[pick % len(bought)]]
    twin = part.model_copy(update={"id": f"{part.id}-twin"})
    offers = tuple(o.model_copy(update={"id": f"{o.id}-twin", "part": twin.id}) for o in catalog.offers[part.id])
    before = values(solved(catalog, request))
    same = replace(catalog, parts={**catalog.parts, twin.id: twin}, offers={**catalog.offers, twin.id: offers})
    assert values(solved(same, request)) == before
    half = tuple(o.model_copy(update={"price": max(Decimal("0.01"), round(o.price / 2, 2))}) for o in offers)
    cheap = replace(same, offers={**same.offers, twin.id: half})
    assert covers(values(solved(cheap, request)), before)


@quick
@given(SEEDS)
def test_a_part_no_build_uses_may_go(seed: int) -> None:
    catalog, request, _ = scenario(seed)
    front = solved(catalog, request)
    used = {x for p in front.points for x in p.case.build.total()} | set(request.include)
    idle = sorted(k for k in catalog.offers if k not in used)
    for part in idle[:2]:
        gone = replace(catalog, offers={k: v for k, v in catalog.offers.items() if k != part})
        assert values(solved(gone, request)) == values(front)


TIGHTER = [
    "vram.reserve_base_gb=3",
    "host_memory.floor_percent=40",
    "cores.per_gpu_min=6",
    "power.psu_load_percent=60",
    "power.fan_air_percent=20",
    "cooling.inlet_c=36",
    "cooling.rack_air_w=1500",
    "storage.copies=4",
    "storage.read_mb_s=14000",
]


@quick
@given(SEEDS, st.sampled_from(TIGHTER))
def test_a_tighter_rule_never_helps(seed: int, setting: str) -> None:
    catalog, request, _ = scenario(seed)
    tight = values(solved(catalog, request, Policy().with_settings([setting])))
    assert covers(values(solved(catalog, request)), tight)


@quick
@given(SEEDS, st.integers(0, 10**6))
def test_better_parts_never_break_a_build(seed: int, pick: int) -> None:
    """Declared directions of pruning: faster and larger drives, less power, keep every point."""
    catalog, request, _ = scenario(seed)
    choice = [p for p in catalog.parts.values() if isinstance(p, Drive | Memory)]
    part = choice[pick % len(choice)]
    better = {"capacity_gb": part.capacity_gb * 2, "power_w": max(1, part.power_w - 1)}
    other = replace(catalog, parts={**catalog.parts, part.id: part.model_copy(update=better)})
    assert covers(values(solved(other, request)), values(solved(catalog, request)))


@quick
@given(SEEDS)
def test_a_point_taken_away_is_found_again(seed: int) -> None:
    """Sabotage: with each point deleted from the staircase in turn, the certificate finds a build as good."""
    market = Market.open(*scenario(seed)[:2], Policy())
    whole = Solver(market).front()
    for lost in whole.points:
        solver = Solver(market)
        assert market.request.budget_cents
        solver.judge(market.request.budget_cents)
        staircase = Staircase(market.request.budget_cents)
        for p in whole.points:
            if p is not lost:
                staircase.add(p.found)
        for unit in solver.families:
            solver.prove(unit, staircase, Front())
        assert values(whole) == [(p.parts_cents, p.row.perf.tenths) for p in staircase.points]
