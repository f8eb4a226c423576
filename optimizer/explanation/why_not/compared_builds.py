"""Builds that a question is held against, while its clock lasts: the cheapest and the fastest of a market."""

from __future__ import annotations

from dataclasses import dataclass

from constraints.prices.totals import totals
from optimizer.explanation.why_not.schema import Offered
from optimizer.market.market import Market
from optimizer.result.point_schema import PartQty
from optimizer.search.clock import Clock, TimeUp
from optimizer.search.front import Found
from optimizer.search.solver import Solver
from optimizer.text.minor_units import money


@dataclass(frozen=True)
class Solved:
    """A build with the market in which it was found."""

    market: Market
    found: Found

    @property
    def parts_cents(self) -> int:
        return self.found.parts_cents

    def facts(self) -> Offered:
        return offered(self.market, self.found)


def offered(market: Market, found: Found) -> Offered:
    """A found build in short."""
    case = market.case(found.build, found.row.plan, found.row.key)
    return Offered(
        total=total(market, found.parts_cents),
        output_tok_s=found.row.perf.tenths / 10,
        gpus=f"{case.per_node * found.build.nodes} x {case.gpu.name}",
        nodes=found.build.nodes,
        node=[PartQty(part=p, qty=q) for p, q in found.build.node.items()],
        shared=[PartQty(part=p, qty=q) for p, q in found.build.shared.items()],
    )


def total(market: Market, parts_cents: int) -> str:
    """The total of a sum of lines, as a decimal string."""
    return money(totals(parts_cents, market.policy)[2], market.request.currency)


def cheapest(market: Market, clock: Clock) -> Solved | None:
    """The proven cheapest build of a market. Raises TimeUp."""
    clock.left()
    solver = Solver(market, clock=clock)
    found = solver.cheapest()
    return Solved(market, solver.point(found).found) if found else None


def fastest(market: Market, clock: Clock) -> Solved | None:
    """The fastest build of a market's front, proven. Raises TimeUp."""
    front = Solver(market, clock=clock).front()
    if not front.complete:
        raise TimeUp
    return Solved(market, front.points[-1].found) if front.points else None
