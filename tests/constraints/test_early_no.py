"""What rules say early (`may`): never a reason for what a build may be, and without it every front is the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from functools import cache
from types import MappingProxyType
from typing import Any

import pytest

from catalogs.load import Catalog
from catalogs.schema import Cpu, Drive, Gpu, Kind, Part, Platform
from constraints.facts import Facts
from constraints.policy import Policy
from constraints.request import Request
from constraints.rule import QUESTIONS, Question, Rule, foresighted, refusal
from constraints.rules.registry import RULES
from optimizer.market.market import Market
from optimizer.search.front import Point
from optimizer.search.solver import Solver
from tests.support.long import one_in
from tests.support.random_catalogs import scenario
from tests.support.seen import Seen

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


@pytest.mark.parametrize("seed", one_in(7, range(120)))
def test_fronts_are_the_same_without_any_early_no(seed: int) -> None:
    assert values(market_of(seed), SILENT) == values(market_of(seed))


@pytest.mark.parametrize("seed", one_in(13, range(120)))
def test_nor_where_rows_and_platforms_ask_on_their_own(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rules that are silent wherever they are asked: what CPUs and modules can give to rows rests on `may` too."""
    told = values(market_of(seed))
    for rule in RULES:
        monkeypatch.setattr(type(rule), "may", Rule.may)
    catalog, request, _ = scenario(seed)
    assert values(Market.open(catalog, request, Policy())) == told


@pytest.mark.parametrize("seed", one_in(4, INCLUDING))
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


PLATFORM_KINDS = (Kind.PLATFORM, Kind.SYSTEM)


def judged_parts(catalog: Catalog, kind: type[Part]) -> list[Part]:
    return [part for part in catalog.parts.values() if isinstance(part, kind)]


@pytest.mark.parametrize(
    ("rule", "kind"),
    [(rule, kind) for rule in FORESIGHTED for kind in rule.refuses_by],
    ids=lambda x: x.id if isinstance(x, Rule) else x.__name__,
)
def test_a_rule_reads_no_other_field_of_a_platform(shipped: Catalog, rule: Rule, kind: type[Part]) -> None:
    """Platforms equal in `refuses_by` share what was said of a part: by another field one would get the other's."""
    told, read = 0, set[str]()
    for catalog in (shipped, *(market_of(seed).catalog for seed in range(12))):
        market = Market.open(catalog, market_of(0).request, Policy())
        for platform in catalog.of(*PLATFORM_KINDS):
            seen: Any = Seen(platform)
            told += sum(bool(rule.may(market.facts(platform=seen, part=part))) for part in judged_parts(catalog, kind))
            read |= seen.names
    assert told and read <= set(rule.refuses_by[kind])


def questions_of(market: Market) -> Iterator[tuple[Question, Facts]]:
    """What a search may ask, all of it: every family, platform and node, and every row of a node or two."""
    solver = Solver(market)
    solver.judge(limit=4 * max(market.purse, 1))
    for family in solver.families:
        known: dict[str, Any] = {"gpu": family.gpu, "per_node": family.per_node}
        yield "family", market.facts(**known)
        for node in family.all_node_options:
            yield "platform", market.facts(platform=node.platform)
            yield "node", market.facts(**known, platform=node.platform)
        for row in family.rows:
            yield "row", market.facts(**known, row=row)


def asked_before(question: Question, facts: Facts) -> Iterator[tuple[Question, Facts]]:
    """What has been asked by the time a search asks of a node: its family, then its platform."""
    if question == "node":
        yield "family", replace(facts, platform=None)
        yield "platform", replace(facts, gpu=None, per_node=0)


def test_a_rule_that_is_not_asked_has_nothing_to_say(shipped: Catalog) -> None:
    """What `refuses` leaves out is never asked: there no rule may know a reason that was not heard before."""
    request = market_of(0).request
    markets = [market_of(seed) for seed in range(12)] + [Market.open(shipped, request, Policy())]
    asked = {question: 0 for question in QUESTIONS}
    for market in markets:
        for question, facts in questions_of(market):
            before = list(asked_before(question, facts))
            for rule in FORESIGHTED:
                if question not in rule.refuses and (why := rule.may(facts)):
                    assert why in [rule.may(known) for earlier, known in before if earlier in rule.refuses], rule.id
            asked[question] += 1
    assert {question for question, number in asked.items() if number >= 20} == QUESTIONS - {"part"}, asked


class Unread:
    """A request, a policy or a model that nobody may look into."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} was read")


@pytest.mark.parametrize("rule", [rule for rule in FORESIGHTED if rule.refuses_by], ids=lambda rule: rule.id)
def test_a_rule_judges_parts_of_all_requests_alike(shipped: Catalog, rule: Rule) -> None:
    """What was said of a part in a platform is kept for every other request of the catalog."""
    unread: Any = Unread()
    told = 0
    for platform in shipped.of(*PLATFORM_KINDS):
        assert isinstance(platform, Platform)
        for kind in rule.refuses_by:
            for part in judged_parts(shipped, kind):
                facts = Facts(shipped, unread, unread, unread, platform=platform, part=part)
                told += bool(rule.may(facts))
    assert told


def test_parts_refused_by_a_platform_are_judged_part_by_part(shipped: Catalog) -> None:
    """What a rule refuses of a part in a platform that it does not refuse as such, options leave out."""
    market = Market.open(shipped, market_of(0).request, Policy())
    refused: set[tuple[str, type[Part]]] = set()
    for platform in shipped.of(*PLATFORM_KINDS):
        rules = [rule for rule in FORESIGHTED if not rule.may(market.facts(platform=platform))]
        for part in shipped.parts.values():
            facts = market.facts(platform=platform, part=part)
            refused |= {(rule.id, type(part)) for rule in rules if rule.may(facts)}
    assert refused == {(rule.id, kind) for rule in FORESIGHTED for kind in rule.refuses_by}


def cores_by_name(platform: Platform) -> int:
    """A limit that no field of a platform carries but its id."""
    return 8 if sum(map(ord, platform.id)) % 2 else 10**6


class CoresByPlatform(Rule):
    """A rule that refuses parts in some platforms alone."""

    id = "cores_by_platform"
    refuses_by = MappingProxyType({Cpu: ("id",)})

    def may(self, facts: Facts) -> str:
        if facts.platform is None or not isinstance(facts.part, Cpu):
            return ""
        return "too many cores" if facts.part.cores > cores_by_name(facts.platform) else ""

    def encode(self, m: Any) -> None:
        for platform, literal in m.platform.items():
            for (cpu, _), chosen in m.cpu.items():
                if cpu.cores > cores_by_name(platform):
                    m.cp.add_implication(literal, ~chosen)

    def check(self, c: Any) -> list[Any]:
        from constraints.rule import Check

        bought = [part for part, _ in c.parts(Cpu) if part.id in c.build.node]
        return [Check.of(self.id, all(x.cores <= cores_by_name(c.platform) for x in bought), "cores")]


def test_options_heed_a_new_rule_of_parts() -> None:
    """What it refuses in one platform alone is left out there and not in those alike in all else, and the front is
    CP-SAT's own."""
    decided = 0
    for seed in range(0, 24, 2):
        market, rules = market_of(seed), (*RULES, CoresByPlatform())
        solver = Solver(market, rules=rules)
        front = [(p.found.parts_cents, p.found.row.perf.tenths) for p in solver.front().points]
        assert front == values(market, rules, clever=False)
        decided += front != values(market)
        for family in solver.families:
            for node in family.all_node_options:
                held = [market.catalog.parts[part] for cpu in node.cpus for part, _ in cpu.parts]
                most = cores_by_name(node.platform)
                assert all(part.cores <= most for part in held if isinstance(part, Cpu))
    assert decided


def test_platforms_are_refused_for_their_bays(shipped: Catalog) -> None:
    """The largest drives in all bays hold too little: with the figures, and of no platform whose drives are unknown.
    Where nobody states any bay it says that, and no figure."""
    rule = next(x for x in RULES if x.id == "storage")
    platforms = [p for p in shipped.of(*PLATFORM_KINDS) if isinstance(p, Platform)]

    def said(dataset_tb: float | None) -> dict[str, str]:
        asked = Request(
            model="r1-distill-qwen-14b",
            as_of=date(2026, 11, 24),
            workload="train",
            dataset_tb=dataset_tb,
            budget_cents=1,
        )
        market = Market.open(shipped, asked, Policy())
        return {p.id: rule.may(market.facts(platform=p)) for p in platforms}

    unknown = {p.id for p in platforms if "storage" not in p.includes and not p.nvme_bays + p.m2_slots + p.sata_bays}
    assert unknown and {name: why for name, why in said(None).items() if why} == dict.fromkeys(
        unknown, "its drive bays are not known"
    )
    refused = said(10_000)
    assert {p.id for p in platforms if "storage" not in p.includes} == {name for name, why in refused.items() if why}
    largest = max(d.capacity_gb for d in shipped.parts.values() if isinstance(d, Drive) and "E3.S" in d.forms)
    only = next(p for p in platforms if p.nvme_forms == ("E3.S",) and not p.m2_slots and not p.sata_bays)
    assert f"its bays hold {largest * only.nvme_bays:,} GB of drives at most" in refused[only.id]


def test_platforms_are_refused_for_air_and_water(shipped: Catalog) -> None:
    """Words of the checks, with the figures: a customer reads why a chassis is out."""
    rule = next(x for x in RULES if x.id == "cooling")
    market = Market.open(shipped, market_of(0).request, Policy({"cooling.inlet_c": Policy()["cooling.inlet_c"] + 30}))
    said = {rule.may(market.facts(platform=p)) for p in shipped.parts.values() if p.kind == "platform"}
    assert any("exceeds the" in x for x in said)
    dry = Market.open(shipped, market_of(0).request, Policy())
    said = {rule.may(dry.facts(platform=p)) for p in shipped.parts.values() if p.kind == "platform"}
    assert said <= {"", "liquid cooling needs facility water (--site-water)"} and len(said) == 2
