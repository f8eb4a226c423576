"""What rules refuse early leaves a row in the ledger: in a front's record, in its result, where no build is found."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from catalogs.load import Catalog
from catalogs.schema import Cpu, Kind
from constraints.facts import Facts
from constraints.policy import Policy
from constraints.request import Request
from constraints.rule import Check, Rule
from constraints.rules.fit import Fit
from constraints.rules.registry import RULES
from constraints.rules.software import Software
from optimizer.explanation.no_build.ledger import dropped
from optimizer.explanation.questions import Asking
from optimizer.market.market import Market
from optimizer.result.answer import Answer, solve
from optimizer.search.front import Closed, Front, Refused
from optimizer.search.solver import Solver
from optimizer.verify.consistent import consistent
from tests.conftest import AS_OF
from tests.support.random_catalogs import scenario


class OneNode(Rule):
    """A rule that refuses rows."""

    id = "one_node"

    def may(self, facts: Facts) -> str:
        return "more than one node" if facts.row is not None and facts.row.key.nodes > 1 else ""

    def encode(self, m: Any) -> None:
        for row, chosen in m.rows.items():
            if row.key.nodes > 1:
                m.cp.add(chosen == 0)

    def check(self, c: Any) -> list[Check]:
        return [Check.of(self.id, c.build.nodes == 1, "one node")]


def market_of(seed: int, **fields: Any) -> Market:
    catalog, request, _ = scenario(seed)
    return Market.open(catalog, request.model_copy(update=fields), Policy())


def refused(front: Front, of: str) -> list[tuple[Closed, Refused]]:
    return [(closed, x) for closed in front.record for x in closed.refused or () if x.of == of]


def test_refused_rows_leave_a_row() -> None:
    """As many as the search was given, by rule and reason."""
    told = 0
    for seed in range(8):
        solver = Solver(market_of(seed), rules=(*RULES, OneNode()))
        front = solver.front()
        rows = {family.name: sum(row.key.nodes > 1 for row in family.rows) for family in solver.families}
        mine = [(closed, x) for closed, x in refused(front, "row") if x.rule == "one_node"]
        assert {(x.gpu, x.per_node): said.number for x, said in mine} == {k: n for k, n in rows.items() if n}
        assert all(said.why == "more than one node" and not said.platforms for _, said in mine)
        told += len(mine)
    assert told > 5


def test_refused_platforms_leave_a_row() -> None:
    """By family those that the rule refuses, with their reason; other families say nothing of them."""
    told = 0
    for seed in range(0, 60, 2):
        market = market_of(seed, site_water=False)
        solver = Solver(market)
        front = solver.front()
        known = {family.name: family for family in solver.families}
        for closed in front.record:
            said = {x: r.why for r in closed.refused or () if r.of == "platform" for x in r.platforms}
            family = known.get((closed.gpu, closed.per_node))
            nodes = family.all_node_options if family else []
            facts = {
                node.platform.id: market.facts(gpu=node.gpu, per_node=node.k, platform=node.platform) for node in nodes
            }
            true = {
                x: why for x, fact in facts.items() if (why := next(filter(None, (r.may(fact) for r in RULES)), ""))
            }
            assert {x: why for x, why in said.items() if x in facts} == true
            told += len(true)
    assert told


def test_platforms_without_the_demanded_part_leave_a_row() -> None:
    told = 0
    for seed in range(12):
        market = market_of(seed)
        cpus = [part.id for part in market.catalog.of(Kind.CPU) if part.id in market.book.prices]
        solver = Solver(market_of(seed, include=(cpus[0],)))
        solver.front()
        for family in (*solver.families, *solver.dropped):
            said = {x for r in solver.refused_early()[family.name] if r.of == "platform" for x in r.platforms}
            assert set(family.refused) <= said
            told += len(family.refused)
    assert told


def test_parts_that_no_platform_takes_are_listed() -> None:
    """Exactly those on sale that rules refuse in every platform of the search."""
    told = 0
    for seed in range(24):
        solver = Solver(market_of(seed))
        front, market = solver.front(), solver.market
        platforms = {node.platform.id: node.platform for x in solver.families for node in x.all_node_options}
        asked = {
            part.id: [Fit().may(market.facts(platform=x, part=part)) for x in platforms.values()]
            for part in solver.parts
            if type(part) in Fit.refuses_by
        }
        found = {x.part: (x.rule, x.why) for x in front.refused_parts or ()}
        nowhere = {part: said for part, said in asked.items() if said and all(said)}
        assert {part for part, (rule, _) in found.items() if rule == Fit.id} == set(nowhere)
        assert all(found[part][1] in said for part, said in nowhere.items())
        told += len(found)
    assert told


@pytest.fixture(scope="module")
def answer(shipped: Catalog) -> Answer:
    # In any market: a part refused by rule is one of a Chinese machine, which the US does not have.
    asked = Request(model="v2-670b", budget_cents=20_000_000, as_of=AS_OF, market="any")
    return solve(shipped, asked, Policy())


def wrong(data: dict[str, Any], catalog: Catalog) -> list[str]:
    report, _ = consistent(json.loads(json.dumps(data)), catalog)
    return [str(x) for x in report.wrong]


def test_a_result_says_what_was_refused(answer: Answer, shipped: Catalog) -> None:
    families = answer.data["proof"]["families"]
    kinds = {x["of"] for family in families["each"] for x in family["refused"]}
    assert kinds == {"family", "platform", "part"} and families["refused_parts"]
    assert wrong(answer.data, shipped) == []


@pytest.mark.parametrize("change", ("number", "gone"))
def test_verify_makes_refused_rows_anew(shipped: Catalog, monkeypatch: pytest.MonkeyPatch, change: str) -> None:
    """No shipped rule refuses a row that the planner makes: here one refuses those of several nodes."""
    may = Software.may
    monkeypatch.setattr(
        Software, "may", lambda self, facts: "no" if facts.row and facts.row.key.nodes > 1 else may(self, facts)
    )
    asked = Request(model="v2-670b", budget_cents=50_000_000, as_of=AS_OF, market="any")
    found = solve(shipped, asked, Policy())
    assert wrong(found.data, shipped) == []
    tampered(found, shipped, "row", change)


@pytest.mark.parametrize("kind", ("family", "platform", "part"))
@pytest.mark.parametrize("change", ("number", "gone"))
def test_verify_makes_it_anew(answer: Answer, shipped: Catalog, kind: str, change: str) -> None:
    tampered(answer, shipped, kind, change)


def tampered(answer: Answer, shipped: Catalog, kind: str, change: str) -> None:
    """One refusal of a kind is changed or taken away: verify names its family."""
    data = json.loads(json.dumps(answer.data))
    each = data["proof"]["families"]["each"]
    at, row = next((i, x) for i, family in enumerate(each) for x in family["refused"] if x["of"] == kind)
    if change == "gone":
        each[at]["refused"].remove(row)
    else:
        row["number"] += 1
    assert any(x.startswith(f"proof.families.each[{at}].refused: stored ") for x in wrong(data, shipped))


def test_verify_makes_the_parts_anew(answer: Answer, shipped: Catalog) -> None:
    data = json.loads(json.dumps(answer.data))
    gone = data["proof"]["families"]["refused_parts"].pop()
    assert any(gone["part"] in x and "stored none, the rules say fit" in x for x in wrong(data, shipped))


def test_a_result_saved_before_says_nothing_of_it(answer: Answer, shipped: Catalog) -> None:
    data = json.loads(json.dumps(answer.data))
    del data["proof"]["families"]["refused_parts"]
    for family in data["proof"]["families"]["each"]:
        del family["refused"]
    assert wrong(data, shipped) == []


def test_gpus_without_a_build_are_told_of_refused_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    may = Software.may
    monkeypatch.setattr(Software, "may", lambda self, facts: "no such plan" if facts.row else may(self, facts))
    told = 0
    for seed in range(6):
        asking = Asking(market_of(seed))
        reasons = {why: gpus for why, gpus in dropped(asking)}
        solver = asking.solver(asking.base)
        solver.judge(asking.base.purse)
        planned = {family.gpu.name for family in solver.families if family.rows}
        assert planned <= set(reasons.get("no such plan", ()))
        told += len(planned)
    assert told


def test_gpus_without_a_build_are_told_of_refused_parts() -> None:
    """CPUs of another socket leave no whole node: the rule says which does not fit."""
    catalog, request, _ = scenario(0)
    odd = {x.id: x.model_copy(update={"socket": "LGA3647"}) for x in catalog.parts.values() if isinstance(x, Cpu)}
    market = Market.open(replace(catalog, parts={**catalog.parts, **odd}), request, Policy())
    assert any("does not fit, the board takes" in why for why, _ in dropped(Asking(market)))
