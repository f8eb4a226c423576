"""Experts in host memory: published figures, the front against brute force, and what the rule alone keeps out."""

from __future__ import annotations

from pathlib import Path
from statistics import median

import pytest

from constraints.host_memory import HostMemory
from constraints.model import FamilyModel
from constraints.policy import Policy
from constraints.rules import RULES
from optimizer.market import Market
from optimizer.pareto import Front, Solver
from tests.offload_fit import constants, fit, left_out, measured, table
from tests.oracle import Oracle
from tests.random_catalogs import offload_scenario

DOCS = Path(__file__).parent.parent / "docs" / "offload.md"


def test_constants_are_the_fit() -> None:
    assert fit([m for m in measured("decode") if m.in_fit]) == constants()


def test_published_machines_not_in_the_fit() -> None:
    unseen = left_out([m for m in measured("decode") if m.in_fit])
    assert median(abs(e) for _, e in unseen) <= 0.22


def test_docs_show_the_computed_table() -> None:
    assert table() in DOCS.read_text(encoding="utf-8")


CATALOGS = (0, 1, 2, 3, 7, 9, 18, 22, 23, 28, 31, 33, 36, 50, 56, 59, 74)


def proven(market: Market, **how: bool) -> Front:
    front = Solver(market, **how).front()
    assert front.complete
    return front


def values(front: Front) -> list[tuple[int, int]]:
    """(cents, 0.1 tok/s)."""
    return [(p.found.parts_cents, p.found.row.perf.tenths) for p in front.points]


@pytest.mark.parametrize("seed", CATALOGS)
def test_front_equals_brute_force(seed: int) -> None:
    catalog, request, ask = offload_scenario(seed)
    market = Market.open(catalog, request, Policy())
    assert values(proven(market)) == Oracle(catalog, ask, 2 if seed % 3 == 2 else 1).front()


@pytest.mark.parametrize("seed", CATALOGS)
def test_cp_sat_alone_finds_the_same_front(seed: int) -> None:
    market = Market.open(*offload_scenario(seed)[:2], Policy())
    assert values(proven(market, clever=False)) == values(proven(market))


class WithoutExperts(HostMemory):
    """The rule but for what experts in host memory ask for."""

    def _experts(self, m: FamilyModel) -> None:
        return


def test_certificate_needs_the_encode_of_experts() -> None:
    rules = tuple(WithoutExperts() if r.id == "host_memory" else r for r in RULES)
    failed: set[str] = set()
    for seed in CATALOGS:
        market = Market.open(*offload_scenario(seed)[:2], Policy())
        front = Solver(market, rules=rules, clever=False).front()
        failed |= {x.text for p in front.points for x in p.checks if x.status == "fail"}
    assert {"memory bandwidth for the experts of a row", "room for the experts beside the system"} <= failed
