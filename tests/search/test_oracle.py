"""The front against brute force, and what CP-SAT does when it is left alone with the rules."""

from __future__ import annotations

import pytest

from catalogs.file_kinds import GGUF_KINDS
from constraints.plan import Plan, Row
from constraints.policy import Policy
from constraints.rules.registry import RULES
from optimizer.market.market import Market
from optimizer.search.certificate import FamilyProof
from optimizer.search.solver import Solver
from tests.support.long import one_in
from tests.support.oracle import RULES as ORACLE_RULES
from tests.support.oracle import Oracle
from tests.support.random_catalogs import apart_scenario, files_scenario, scenario

CATALOGS = range(120)
WITHOUT = {
    "host_memory": 0, "fit": 0, "lanes": 18, "cores": 0, "storage": 1, "interconnect": 1, "cooling": 3, "rack": 4,
    "power": 18, "site": 27, "procurement": 45,
}  # fmt: skip
"""A catalog per rule on which the certificate without that rule's encode returns a build that the check rejects."""
DECIDES = {
    "vram": 0, "precision": 0, "software": 22, "host_memory": 0, "fit": 0, "lanes": 59, "cores": 0, "storage": 0,
    "interconnect": 1, "cooling": 19, "rack": 31, "power": 1, "site": 27, "procurement": 7, "budget": 10,
}  # fmt: skip
"""A catalog per rule whose front differs when that rule alone is left out."""


def nodes_tried(seed: int) -> int:
    return 2 if seed % 6 >= 3 else 1


def values(solver: Solver) -> list[tuple[int, int]]:
    """(cents, 0.1 tok/s) of the proven front."""
    front = solver.front()
    assert front.complete
    return [(p.found.parts_cents, p.found.row.perf.tenths) for p in front.points]


@pytest.mark.parametrize("seed", one_in(7, CATALOGS))
def test_front_equals_brute_force(seed: int) -> None:
    catalog, request, ask = scenario(seed)
    assert values(Solver(Market.open(catalog, request, Policy()))) == Oracle(catalog, ask, nodes_tried(seed)).front()


@pytest.mark.parametrize("seed", one_in(13, CATALOGS))
def test_cp_sat_alone_finds_the_same_front(seed: int) -> None:
    """Nothing pruned, bounded or searched: every part and row of the catalog goes to CP-SAT."""
    catalog, request, _ = scenario(seed)
    market = Market.open(catalog, request, Policy())
    assert values(Solver(market, clever=False)) == values(Solver(market))


@pytest.mark.parametrize("seed", one_in(13, range(60)))
def test_front_with_kinds_of_files_equals_brute_force(seed: int) -> None:
    """Fewer bits than published: GGUF files split by layers, what is published of them, what engines make of others."""
    catalog, request, ask = files_scenario(seed)
    solver = Solver(Market.open(catalog, request, Policy()))
    assert values(solver) == Oracle(catalog, ask, nodes_tried(seed)).front()
    assert values(Solver(Market.open(catalog, request, Policy()), clever=False)) == values(solver)


def test_files_are_on_such_fronts() -> None:
    """Or else the catalogs above would say nothing of them."""
    found = []
    for seed in range(0, 60, 7):
        catalog, request, _ = files_scenario(seed)
        front = Solver(Market.open(catalog, request, Policy())).front()
        found += [point.found.row.plan for point in front.points]
    assert {plan.precision for plan in found} & set(GGUF_KINDS)
    assert any(plan.pp > 1 for plan in found if plan.precision in GGUF_KINDS)


@pytest.mark.parametrize("seed", one_in(9, range(40)))
def test_front_with_prefill_and_decode_apart_equals_brute_force(seed: int) -> None:
    """Up to three nodes on a fabric, whole ones of which prefill; CP-SAT alone finds the same."""
    catalog, request, ask = apart_scenario(seed)
    solver = Solver(Market.open(catalog, request, Policy()))
    assert values(solver) == Oracle(catalog, ask, 3).front()
    if seed % 4 == 0:
        assert values(Solver(Market.open(catalog, request, Policy()), clever=False)) == values(solver)


def test_splits_are_on_such_fronts() -> None:
    """Or else the catalogs above would say nothing of them; and a row on RDMA may have stages all the same."""
    found = []
    for seed in range(0, 40, 5):
        catalog, request, _ = apart_scenario(seed)
        found += [point.found.row for point in Solver(Market.open(catalog, request, Policy())).front().points]
    assert sum(row.plan.prefill is not None for row in found) > 5
    assert any(row.plan.prefill is None and row.key.net == "rdma" for row in found)


@pytest.mark.parametrize("rule", ORACLE_RULES)
def test_every_rule_alone_decides_somewhere(rule: str) -> None:
    seed = DECIDES[rule]
    catalog, _, ask = scenario(seed)
    oracle = Oracle(catalog, ask, nodes_tried(seed), left_out=frozenset((rule,)))
    assert oracle.front(rule) != oracle.front()


@pytest.mark.parametrize("rule", WITHOUT)
def test_certificate_needs_every_encode(rule: str) -> None:
    catalog, request, _ = scenario(WITHOUT[rule])
    rules = tuple(r for r in RULES if r.id != rule)
    front = Solver(Market.open(catalog, request, Policy()), rules=rules, clever=False).front()
    failed = {c.rule for p in front.points for c in p.checks if c.status == "fail"}
    assert rule in failed


ROW_FAULTS = {
    "vram": {"concurrency": 10**6},
    "precision": {"precision": "int4"},
    "software": {"precision": "mxfp4"},
    "budget": {},
}


@pytest.mark.parametrize("rule", ROW_FAULTS)
def test_certificate_needs_the_rules_of_rows(rule: str) -> None:
    """Rows that the planner would not offer, or money beyond the budget, are kept out by their own encode."""
    catalog, request, _ = scenario(4)
    asked = {
        "budget_cents": 100_00 if rule == "budget" else None,
        "min_precision_bits": 4 if rule == "software" else 16,
        "any_precision": rule == "software",
    }
    market = Market.open(catalog, request.model_copy(update=asked), Policy())
    whole_bits = request.model_copy(update={"min_precision_bits": 16})  # rows that break no rule by themselves
    solver = Solver(Market.open(catalog, whole_bits, Policy()), clever=False)
    solver.judge(10**12)
    without = tuple(r for r in RULES if r.id != rule)
    for unit in solver.families:
        for row in unit.rows:
            changed = Row(row.key, Plan(**{**vars(row.plan), **ROW_FAULTS[rule]}), row.perf)
            family = FamilyProof(market, unit.gpu, unit.per_node, [changed], solver.candidates(unit), without)
            found = family.under(lambda _: 2**49)
            if found and {c.rule for c in Solver(market, without).point(found).checks if c.status == "fail"} == {rule}:
                whole = FamilyProof(market, unit.gpu, unit.per_node, [changed], solver.candidates(unit))
                assert whole.under(lambda _: 2**49) is None
                return
    pytest.fail(f"no build breaks {rule} alone")
