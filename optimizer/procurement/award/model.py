"""The cheapest award, by CP-SAT in whole minor units, proven optimal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from constraints.cp_sat import cp_model
from optimizer.procurement.award import plain
from optimizer.procurement.award.tender import Bidder, Ladder, Tender, Winners
from optimizer.search.clock import Clock, TimeUp
from optimizer.search.cp_sat_call import solved
from optimizer.search.parameters import PARAMETERS

ORDERED_AT_ONCE = 12
"""Units whose bidders are told apart in one search, by powers of the number of bidders: 12 ** 12 fits into 64 bits."""
OPTIMAL, INFEASIBLE = int(cp_model.OPTIMAL), int(cp_model.INFEASIBLE)


@dataclass(frozen=True)
class Best:
    """The cheapest award and what it costs. Ties are broken: fewest bidders, then, line by line from the first, the
    bidder that was named first."""

    cents: int
    winners: Winners


class _Model:
    """The variables of one tender. `gets[unit, bidder]`: whether the bidder gets the unit; `total`: what all costs.

    `price`: a price that is to be found instead of quoted, as (bidder, line, variable's upper bound)."""

    def __init__(self, tender: Tender, open_price: tuple[int, int, int] | None = None) -> None:
        self.tender, self.units = tender, tender.units()
        self.cp = cp_model.CpModel()
        self.open = open_price
        self.price: Any = None
        if open_price is not None:
            self.price = self.cp.new_int_var(0, open_price[2], "price")
        self.gets: dict[tuple[int, int], Any] = {
            (unit, place): self.cp.new_bool_var(f"gets {unit} {place}")
            for unit, lines in enumerate(self.units)
            for place, bidder in enumerate(tender.bidders)
            if all(line in bidder.prices for line in lines)
        }
        for unit in range(len(self.units)):
            self.cp.add_exactly_one(gets for (u, _), gets in self.gets.items() if u == unit)
        self.unit_of = {line: unit for unit, lines in enumerate(self.units) for line in lines}
        self.used = [self._used(place) for place in range(len(tender.bidders))]
        if tender.most_bidders is not None:
            self.cp.add(sum(self.used) <= tender.most_bidders)
        self.total = sum(self._order(place, bidder) for place, bidder in enumerate(tender.bidders))

    def _used(self, place: int) -> Any:
        used = self.cp.new_bool_var(f"used {place}")
        its = [gets for (_, b), gets in self.gets.items() if b == place]
        self.cp.add_max_equality(used, [*its, 0])
        return used

    def _goods(self, place: int, bidder: Bidder, ladder: Ladder | None = None) -> Any:
        """What a bidder's lines come to, those of a ladder alone where one is given."""
        terms: list[Any] = []
        for line, cents in bidder.prices.items():
            gets = self.gets.get((self.unit_of[line], place))
            if gets is None or (ladder is not None and not ladder.holds(line)):
                continue
            # Where a price is open, its line is the bidder's: the product with `gets` is the price itself.
            opened = self.open is not None and self.open[:2] == (place, line)
            terms.append(self.price if opened else cents * gets)
        return sum(terms)

    def _order(self, place: int, bidder: Bidder) -> Any:
        """What a bidder's order comes to; puts its conditions into the model."""
        used, goods = self.used[place], self._goods(place, bidder)
        if bidder.minimum_cents:
            self.cp.add(goods >= bidder.minimum_cents).only_enforce_if(used)
        for package in bidder.packages:
            its = [self.gets[key] for line in package if (key := (self.unit_of[line], place)) in self.gets]
            all_there = len(its) == len(package)
            for gets in its:
                self.cp.add(gets == (its[0] if all_there else 0))
        order = goods + bidder.fixed_cents * used + self._freight(place, bidder, goods)
        for number, ladder in enumerate(bidder.ladders):
            order -= self._rebate(place, bidder, number, ladder)
        if bidder.whole_cents and all((self.unit_of[line], place) in self.gets for line in bidder.prices):
            whole = self.cp.new_bool_var(f"whole {place}")
            its_all = [self.gets[self.unit_of[line], place] for line in bidder.prices]
            self.cp.add_min_equality(whole, its_all)
            order -= bidder.whole_cents * whole
        return order

    def _freight(self, place: int, bidder: Bidder, goods: Any) -> Any:
        used = self.used[place]
        if bidder.freight_free_cents is None or not bidder.freight_cents:
            return bidder.freight_cents * used
        free = self.cp.new_bool_var(f"free freight {place}")
        self.cp.add(goods >= bidder.freight_free_cents).only_enforce_if(free)
        self.cp.add(goods <= bidder.freight_free_cents - 1).only_enforce_if(~free)
        pays = self.cp.new_bool_var(f"pays freight {place}")
        self.cp.add_min_equality(pays, [used, ~free])
        return bidder.freight_cents * pays

    def _rebate(self, place: int, bidder: Bidder, number: int, ladder: Ladder) -> Any:
        """What a ladder takes off: exactly one of its steps, or none, is reached."""
        base = self._goods(place, bidder, ladder)
        most = sum(bidder.prices.values()) + (self.open[2] if self.open is not None else 0)
        off = self.cp.new_int_var(0, most, f"rebate {place} {number}")
        starts = [step.from_cents for step in ladder.steps]
        reached = [self.cp.new_bool_var(f"step {place} {number} {k}") for k in range(len(starts) + 1)]
        self.cp.add_exactly_one(reached)
        for k, here in enumerate(reached):
            if k:
                self.cp.add(base >= starts[k - 1]).only_enforce_if(here)
            if k < len(starts):
                self.cp.add(base <= starts[k] - 1).only_enforce_if(here)
            if not k:
                self.cp.add(off == 0).only_enforce_if(here)
                continue
            step = ladder.steps[k - 1]
            part, whole = step.share.numerator, step.share.denominator
            # Half up: 2 x whole x share lies above 2 x part x base - whole, and not above 2 x part x base + whole.
            share = off - step.cents
            self.cp.add(2 * whole * share <= 2 * part * base + whole).only_enforce_if(here)
            self.cp.add(2 * whole * share >= 2 * part * base - whole + 1).only_enforce_if(here)
        return off

    def winners(self, values: Mapping[tuple[int, int], bool]) -> Winners:
        by_unit = {unit: place for (unit, place), gets in values.items() if gets}
        return tuple(by_unit[self.unit_of[line]] for line in range(self.tender.lines))


def _call(model: _Model, clock: Clock) -> tuple[Any, bool]:
    """(solver, whether there is an answer); raises TimeUp where it could not be proven in time."""
    solver, status = solved(model.cp, {**PARAMETERS, "num_workers": clock.workers}, clock)
    if status not in (OPTIMAL, INFEASIBLE):
        raise TimeUp
    return solver, status == OPTIMAL


def best(tender: Tender, clock: Clock) -> Best | None:
    """The cheapest award, proven; None where none meets the conditions. Raises TimeUp.

    What CP-SAT says is held against plain arithmetic before it is believed."""
    model = _Model(tender)
    cents: int | None = None
    winners: Winners = ()
    for goal, fixed in _goals(model):
        model.cp.minimize(goal)
        solver, found = _call(model, clock)
        if not found:
            assert cents is None, "an award that was found is gone"
            return None
        model.cp.add(goal == int(solver.value(goal)))
        values = {key: bool(solver.value(gets)) for key, gets in model.gets.items()}
        for key in fixed:
            model.cp.add(model.gets[key] == values[key])
        if cents is None:
            cents = int(solver.value(model.total))
        winners = model.winners(values)
    assert cents is not None
    broken = plain.broken(tender, winners)
    if broken or plain.total(tender, winners) != cents:
        raise AssertionError(f"CP-SAT and arithmetic differ: {cents}, {plain.total(tender, winners)}, {broken}")
    return Best(cents, winners)


def _goals(model: _Model) -> Iterator[tuple[Any, list[tuple[int, int]]]]:
    """What is made least one after the other, with what is settled by it: the total, the number of bidders, and, line
    by line, the place of the bidder."""
    yield model.total, []
    yield sum(model.used), []
    bidders = len(model.tender.bidders)
    for first in range(0, len(model.units), ORDERED_AT_ONCE):
        few = range(first, min(first + ORDERED_AT_ONCE, len(model.units)))
        keys = [key for key in model.gets if key[0] in few]
        yield sum(place * bidders ** (few[-1] - unit) * model.gets[unit, place] for unit, place in keys), keys


def best_cents(tender: Tender, clock: Clock, *, never: tuple[int, int] | None = None) -> int | None:
    """What the cheapest award costs, without telling equal ones apart; `never`: a bidder that does not get a line."""
    model = _Model(tender)
    if never is not None:
        place, line = never
        gets = model.gets.get((model.unit_of[line], place))
        if gets is not None:
            model.cp.add(gets == 0)
    model.cp.minimize(model.total)
    solver, found = _call(model, clock)
    return int(solver.value(model.total)) if found else None


def highest_price(tender: Tender, place: int, line: int, below: int, most: int, clock: Clock) -> int | None:
    """The highest price of one line of a bidder at which an award that gives it the line costs less than `below`; None
    where it does not win at any price (0 to `most`), as below a minimum order."""
    model = _Model(tender, (place, line, most))
    gets = model.gets.get((model.unit_of[line], place))
    if gets is None:
        return None
    model.cp.add(gets == 1)
    model.cp.add(model.total <= below - 1)
    model.cp.maximize(model.price)
    solver, found = _call(model, clock)
    return int(solver.value(model.price)) if found else None
