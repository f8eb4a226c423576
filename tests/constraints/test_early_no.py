"""What rules say early (`may`): never a reason for what a build may be, and without it every front is the same."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from catalogs.load import Catalog
from catalogs.schema import Gpu
from constraints.facts import Facts
from constraints.policy import Policy
from constraints.rule import Rule, foresighted, refusal
from constraints.rules.registry import RULES
from optimizer.market.market import Market
from optimizer.search.front import Point
from optimizer.search.solver import Solver
from tests.support.long import one_in
from tests.support.random_catalogs import scenario

SEEDS = range(24)
INCLUDING = range(18)


def silent(rule: Rule) -> Rule:
    """The rule with a `may` that says nothing."""
    return type(f"Silent{type(rule).__name__}", (type(rule),), {"may": Rule.may})()


SILENT = tuple(silent(rule) for rule in RULES)


def values(market: Market, rules: tuple[Rule, ...] = RULES, clever: bool = True) -> list[tuple[int, int]]:
    """(cents, 0.1 tok/s) of the proven front."""
    front = Solver(market, rules=rules, clever=clever).front()
    assert front.complete
    return [(p.found.parts_cents, p.found.row.perf.tenths) for p in front.points]


@cache
def market_of(seed: int) -> Market:
    catalog, request, _ = scenario(seed)
    return Market.open(catalog, request, Policy())


@cache
def demanding(seed: int) -> Market:
    """A market whose request demands a part: one that the best known build has, or any other on sale."""
    plain = market_of(seed)
    held = [p for x in Solver(plain).front().points for p in sorted(x.found.build.total())]
    among = held if held and seed % 3 else sorted(plain.book.prices)
    request = plain.request.model_copy(update={"include": (among[7 * seed % len(among)],)})
    return Market.open(plain.catalog, request, Policy())


@cache
def points() -> tuple[tuple[Market, Point], ...]:
    """Builds that pass every rule, found with no rule saying anything early."""
    markets = [*(market_of(x) for x in SEEDS), *(demanding(x) for x in INCLUDING)]
    return tuple((m, p) for m in markets for p in Solver(m, rules=SILENT).front().points)


def facts_of(market: Market, point: Point) -> Iterator[Facts]:
    """All that may be known of a build before it is made: family, platform, bought part, row; alone and together."""
    case, found = point.case, point.found
    family: dict[str, Any] = {"gpu": case.gpu, "per_node": case.per_node}
    yield market.facts(**family)
    yield market.facts(**family, row=found.row)
    yield market.facts(platform=case.platform)
    yield market.facts(**family, platform=case.platform)
    for part in found.build.node:
        bought = market.catalog.parts[part]
        yield market.facts(part=bought)
        yield market.facts(platform=case.platform, part=bought)
        yield market.facts(**family, platform=case.platform, part=bought, row=found.row)
    for part in found.build.shared:
        yield market.facts(**family, platform=case.platform, part=market.catalog.parts[part])


def wrong(rules: tuple[Rule, ...]) -> list[str]:
    """What rules say against builds that pass them all."""
    return [f"{x.rule}: {x.why}" for m, p in points() for f in facts_of(m, p) if (x := refusal(rules, f))]


def test_no_rule_refuses_what_passes() -> None:
    assert len(points()) > 40
    assert wrong(RULES) == []


FORESIGHTED = foresighted(RULES)


@pytest.mark.parametrize("rule", FORESIGHTED, ids=lambda r: r.id)
def test_a_wrong_early_no_is_found(rule: Rule) -> None:
    """A reason for what is feasible, of whatever kind of fact the rule reads."""

    def hasty(self: Rule, facts: Facts) -> str:
        return type(rule).may(rule, facts) or ("too much" if facts.platform or facts.row else "")

    assert wrong((type("Hasty", (type(rule),), {"may": hasty})(),))


@pytest.mark.parametrize("seed", one_in(5, range(120)))
def test_fronts_are_the_same_without_any_early_no(seed: int) -> None:
    assert values(market_of(seed), SILENT) == values(market_of(seed))


@pytest.mark.parametrize("seed", INCLUDING)
def test_the_same_where_parts_are_demanded(seed: int) -> None:
    market = demanding(seed)
    assert values(market, SILENT) == values(market)


class FewGpus(Rule):
    """A rule that says no to whole families."""

    id = "few_gpus"

    def __init__(self) -> None:
        self.refused: set[tuple[str, int]] = set()

    def may(self, facts: Facts) -> str:
        if facts.per_node <= 1:
            return ""
        assert isinstance(facts.gpu, Gpu)
        self.refused.add((facts.gpu.id, facts.per_node))
        return "too many GPUs per node"

    def encode(self, m: Any) -> None:
        if m.per_node > 1:
            m.cp.add_bool_or([])

    def check(self, c: Any) -> list[Any]:
        from constraints.rule import Check

        return [Check.of(self.id, c.per_node <= 1, "few GPUs per node")]


def test_the_search_heeds_a_new_rule() -> None:
    """A rule that nothing else knows closes its families before any model is built, and the front is CP-SAT's own."""
    decided = 0
    for seed in range(8):
        rule, market = FewGpus(), market_of(seed)
        solver = Solver(market, rules=(*RULES, rule))
        front = solver.front()
        found = [(p.found.parts_cents, p.found.row.perf.tenths) for p in front.points]
        assert found == values(market, (*RULES, FewGpus()), clever=False)
        assert not rule.refused & set(front.ticks), "a family that the rule refuses went to CP-SAT"
        decided += bool(rule.refused)
    assert decided


def test_platforms_are_refused_for_air_and_water(shipped: Catalog) -> None:
    """Words of the checks, with the figures: a customer reads why a chassis is out."""
    rule = next(x for x in RULES if x.id == "cooling")
    market = Market.open(shipped, market_of(0).request, Policy({"cooling.inlet_c": Policy()["cooling.inlet_c"] + 30}))
    said = {rule.may(market.facts(platform=p)) for p in shipped.parts.values() if p.kind == "platform"}
    assert any("exceeds the" in x for x in said)
    dry = Market.open(shipped, market_of(0).request, Policy())
    said = {rule.may(dry.facts(platform=p)) for p in shipped.parts.values() if p.kind == "platform"}
    assert said <= {"", "liquid cooling needs facility water (--site-water)"} and len(said) == 2
