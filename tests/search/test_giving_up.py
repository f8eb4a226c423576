"""What the search can't complete is left to CP-SAT: the front stays the same, and a family costs few tries."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from catalogs.load import Catalog
from constraints.build import Case
from constraints.model.family_model import FamilyModel
from constraints.policy import Policy
from constraints.request import Request
from constraints.rule import Check, Rule
from constraints.rules.fit import bay_groups
from constraints.rules.registry import RULES
from optimizer.market.market import Market
from optimizer.search import solver as pareto
from optimizer.search.solver import GIVE_UP, Solver
from tests.support.long import one_in
from tests.support.random_catalogs import scenario


class FewGpus(Rule):
    """A rule that search and bounds know nothing of: so many GPUs per node at most."""

    id = "few_gpus"

    def __init__(self, most: int) -> None:
        self.most = most

    def encode(self, m: FamilyModel) -> None:
        if m.per_node > self.most:
            m.cp.add_bool_or([])

    def check(self, c: Case) -> list[Check]:
        return [Check.at_most(self.id, c.per_node, self.most, "GPUs", "few GPUs per node", "too many GPUs per node")]


class LeanNode(Rule):
    """Another one: a node draws so many watts at most."""

    id = "lean_node"

    def __init__(self, most_w: int) -> None:
        self.most_w = most_w

    def encode(self, m: FamilyModel) -> None:
        m.cp.add(m.node_w <= self.most_w)

    def check(self, c: Case) -> list[Check]:
        return [Check.at_most(self.id, c.load_w, self.most_w, "W", "a node draws little", "a node draws too much")]


STRANGE: tuple[Rule, ...] = (FewGpus(1), FewGpus(2), LeanNode(500), LeanNode(900))


def values(solver: Solver) -> list[tuple[int, int]]:
    front = solver.front()
    assert front.complete
    return [(p.found.parts_cents, p.found.row.perf.tenths) for p in front.points]


@pytest.mark.parametrize("rule", one_in(3, STRANGE), ids=lambda r: f"{r.id}-{next(iter(vars(r).values()))}")
def test_a_rule_that_the_search_does_not_know_changes_no_proof(rule: Rule) -> None:
    """Given up or not: the front is that of CP-SAT alone over everything."""
    decided = 0
    for seed in range(8):
        catalog, request, _ = scenario(seed)
        market = Market.open(catalog, request, Policy())
        found = values(Solver(market, rules=(*RULES, rule)))
        assert found == values(Solver(market, rules=(*RULES, rule), clever=False))
        decided += found != values(Solver(market))
    assert decided, "the rule decides nowhere, so that the test shows nothing"


@pytest.mark.parametrize(("model", "usd"), one_in(2, [("r1-distill-llama-70b", 60_000), ("v2-670b", 400_000)]))
@pytest.mark.parametrize("rule", [FewGpus(4), LeanNode(1400)], ids=lambda r: r.id)
def test_a_family_costs_few_tries(rule: Rule, model: str, usd: int, ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """No family of the shipped catalog is tried on after so many failures in a row, and every point keeps the rule."""
    in_a_row: dict[tuple[str, int], int] = {}
    most = 0
    plain = pareto.assemble

    def counted(*args: Any) -> Any:
        nonlocal most
        found, key = plain(*args), args[3].row.key
        family = key.gpu, key.per_node
        in_a_row[family] = 0 if found else in_a_row.get(family, 0) + 1
        most = max(most, in_a_row[family])
        return found

    solver = Solver(ask(model, usd), rules=(*RULES, rule))
    with monkeypatch.context() as patch:
        patch.setattr(pareto, "assemble", counted)
        patch.setattr(Solver, "settle", lambda self, stairs: stairs.points)  # it tries points again, for ties
        front = solver.front()
    assert front.complete and front.points
    assert 0 < most <= GIVE_UP
    assert all(c.status != "fail" for p in front.points for c in rule.check(p.case))


@pytest.mark.parametrize(("dataset_tb", "some"), [(1.0, True), (100.0, True), (10**6, False)])
def test_no_option_has_more_drives_than_bays(shipped: Catalog, dataset_tb: float, some: bool) -> None:
    """Sets that no chassis holds are no options: listing thousands of drives made a question endless."""
    asked = Request(
        model="r1-distill-qwen-1.5b", as_of=date(2026, 11, 24), budget_cents=10**7, workload="train",
        dataset_tb=dataset_tb, gpus=frozenset({"nvidia-rtx-a6000-48gb"}),
    )  # fmt: skip
    silent = tuple(rule for rule in RULES if rule.id != "storage")  # it says early which chassis are too small
    solver = Solver(Market.open(shipped, asked, Policy()), rules=silent)
    solver.judge(limit=10**9)
    held = [
        (sum(qty for _, qty in option.parts), sum(number for _, number in bay_groups(node.platform)))
        for family in solver.families
        for node in family.all_node_options
        for option in node.platform_options.drives(10**3)
    ]
    assert bool(held) is some
    assert all(drives <= bays for drives, bays in held)
