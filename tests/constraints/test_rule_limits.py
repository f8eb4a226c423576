"""Single builds: what a rule's check says of each, and what CP-SAT makes of its nodes, against brute force."""

from __future__ import annotations

import random
from functools import cache

import pytest

from constraints.build import Build
from constraints.plan import Row, RowKey
from constraints.rules.registry import findings
from optimizer.market.market import Market
from optimizer.search.certificate import FamilyProof
from optimizer.search.solver import OpenFamily, Solver
from tests.support.long import one_in
from tests.support.recorded import PLENTY, Node, Recording, cheapest, recorded, rows_of

CATALOGS = (0, 1, 3, 6, 12, 13, 19, 26, 40)
ROWS = frozenset({"vram", "precision", "software", "storage", "budget"})
"""Rules about plans: brute force records builds with the speed of the best plan, and does not say which it was."""


@cache
def made(seed: int) -> tuple[Market, Recording, Solver, dict[RowKey, tuple[OpenFamily, Row]]]:
    """A catalog's market, brute force over it, and the planner's rows by key."""
    market, brute = recorded(seed)
    return market, brute, *rows_of(market)


@pytest.mark.parametrize("seed", one_in(5, CATALOGS))
def test_check_says_what_brute_force_says(seed: int) -> None:
    """Of builds that break one rule or none, each rule's check tells the same."""
    market, brute, _, by_key = made(seed)
    tried = 0
    for found in (x for kept in brute.kept.values() for x in kept if x.key in by_key):
        case = market.case(
            Build(found.nodes, dict(found.node), dict(found.shared)), by_key[found.key][1].plan, found.key
        )
        failed = {c.rule for c in findings(case) if c.status == "fail"}
        assert failed - ROWS == found.broken - ROWS, found
        tried += 1
    assert tried


@pytest.mark.parametrize("seed", one_in(5, CATALOGS))
def test_certificate_prices_nodes_as_brute_force_does(seed: int) -> None:
    """With the parts of a node fixed CP-SAT finds the cheapest racks, networks and cords, or none."""
    market, brute, solver, by_key = made(seed)
    rng = random.Random(seed)
    by: dict[bool, list[Node]] = {True: [], False: []}
    for node, cents in brute.least.items():
        if node.key in by_key:
            by[cents < PLENTY].append(node)
    families: dict[int, FamilyProof] = {}
    for nodes in by.values():
        for node in rng.sample(nodes, min(len(nodes), 25)):
            unit, row = by_key[node.key]
            fits = brute.storage_fits(dict(node.node), row.plan.precision)
            family = families.get(id(row)) or FamilyProof(
                market, unit.gpu, unit.per_node, [row], solver.candidates(unit)
            )
            families[id(row)] = family
            want = brute.least[node] if fits else PLENTY
            assert cheapest(family, node) == (want if want < PLENTY else None), node
