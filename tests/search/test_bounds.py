"""Bounds of limits on shares and of prices by quantity lie under every build that brute force or CP-SAT finds."""

from __future__ import annotations

from typing import Any

import pytest

from constraints.policy import Policy
from optimizer.market.market import Market
from optimizer.search.seller_bound import MULTIPLIERS, Limit, SellerBound
from optimizer.search.solver import Solver
from tests.support.long import sampled
from tests.support.random_catalogs import scenario


def _bounds_hold(solver: Solver) -> int:
    """How many bounds of the front's own rows and platforms were held against its points."""
    front, held = solver.front(), 0
    assert front.complete
    for p in front.points:
        u = next(u for u in solver.families if (u.gpu.id, u.per_node) == (p.case.gpu.id, p.case.per_node))
        row, top = p.found.row, p.found.parts_cents
        floor = solver.floor(u, row, top + 1)
        assert floor <= top, (row, floor, top)
        held += 1
    return held


SHARES: list[dict[str, Any]] = [
    {"max_estimated_percent": 2}, {"max_estimated_percent": 30}, {"max_share_percent": 40}, {"max_share_percent": 70},
    {"max_share_percent": 60, "max_estimated_percent": 40},
]  # fmt: skip


@pytest.mark.parametrize("limits", SHARES, ids=str)
def test_no_point_within_shares_lies_under_its_bound(limits: dict[str, Any]) -> None:
    held = 0
    for seed in sampled(5, range(8)):
        catalog, request, _ = scenario(seed)
        market = Market.open(catalog, request.model_copy(update=limits), Policy())
        held += _bounds_hold(Solver(market))
    assert held or limits.get("max_estimated_percent") == 2 or limits.get("max_share_percent") == 40


def test_weights_of_a_limit(ask: Any) -> None:
    """A part that counts weighs (1 - w) + w x 100 / P of its price, another one 1 - w, at each multiplier."""
    seller_bound = SellerBound(ask("v2-670b", 300_000, max_estimated_percent=25))
    limit, prices = Limit(25, None), seller_bound.market.book.prices
    for part, priced in prices.items():
        sources = priced.sources().sources
        if len(sources) != 1 or not sources[0].plain or sources[0].offer is None:
            continue
        cents = sources[0].steps[0].cents
        guess = sources[0].offer.confidence == "estimate"
        for k, weight in enumerate(seller_bound._piece(part, limit), 1):
            assert weight == cents * ((MULTIPLIERS - k) * 25 + (100 * k if guess else 0)), part


def test_what_is_in_hand_bounds_by_its_number(ask: Any, shipped: Any) -> None:
    """Three cards in hand leave the fourth to be paid for; the bound says so, and stays under the front."""
    from constraints.request import Owned

    card = "nvidia-rtx-pro-6000-blackwell-max-q-96gb"
    own = (Owned(part=card, qty=3),)
    solver = Solver(ask("v2-670b", 300_000, own=own, allow_experimental=True))  # no stable engine on these cards
    price = ask("v2-670b", 300_000).book.prices[card].cents
    u = next(u for u in solver.families if u.gpu.id == card and u.per_node == 4)
    solver.judge(30_000_000, [u])
    node_options = next(o for o in u.all_node_options if not o.unfit)
    assert solver.bounds.beyond_least(node_options, 1) == price
    assert solver.bounds.beyond_least(node_options, 2) == 5 * price
    assert _bounds_hold(solver)


def test_without_pruning_no_bound_excludes_anything(ask: Any) -> None:
    """Not even a node that could have no network port, or an axis on which the platform alone is too much."""
    for axis in sampled(2, ("rack-units", "money")):
        solver = Solver(ask("r1-distill-qwen-14b", 20_000, cost_axis=axis), clever=False)
        solver.judge(10**9)
        family = next(family for family in solver.families if family.rows)
        options = family.all_node_options[0]
        options.nics = []
        bound = solver.bounds.nothing(options, family.rows[0])
        assert bound.fits(0)
        assert bound.cents == bound.least == 0
