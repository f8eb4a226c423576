"""What a front ascends in: money, or another cost of the whole build, each an integer that is to be small.

One abstraction serves the certificate (`encode`), the re-check (`measure`) and the bound (`least`).

A new axis is a class here with its place in AXES, its name in `CostAxis` (constraints/request.py), and its words: of
the option (optimizer/request/fields.py) and of the cheapest point (`LEAST`, optimizer/result/recommended.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

from catalogs.offers import days_of
from catalogs.schema import Platform
from constraints.build import total_w, units
from constraints.prices.limited_book import sources_of
from constraints.prices.ordering import upper
from constraints.prices.purchase import PriceBook
from constraints.prices.tariff import NEVER

if TYPE_CHECKING:
    from constraints.build import Case
    from constraints.model.family_model import Expr, FamilyModel

MAX_COST = 2**40


class Axis(Protocol):
    """`encode` gives a variable whose least value is the cost, and `measure` is the cost of a finished build.

    `least`: what `nodes` of a platform with at least `wall_w` and `cents` each do not fall below. `share`: what an
    option of `watts` and part ids adds, for the order in which the search looks at options; no proof reads it."""

    name: str
    unit: str

    def encode(self, model: FamilyModel) -> Expr: ...

    def measure(self, case: Case) -> int: ...

    def least(self, nodes: int, platform: Platform, wall_w: int, cents: int, book: PriceBook) -> int: ...

    def share(self, watts: int, parts: Iterable[str], book: PriceBook) -> int: ...


class Money:
    """The sum of lines, spares and support by category in minor units; tax rises with it. The model's is scaled
    (`PriceBook.scaled`)."""

    name, unit = "money", ""

    def encode(self, model: FamilyModel) -> Expr:
        return model.total_cents

    def measure(self, case: Case) -> int:
        return case.book.cost(case.priced)

    def least(self, nodes: int, platform: Platform, wall_w: int, cents: int, book: PriceBook) -> int:
        return nodes * cents

    def share(self, watts: int, parts: Iterable[str], book: PriceBook) -> int:
        return 0


class PowerAxis:
    """Worst-case watts of nodes and shared gear at the wall."""

    name, unit = "power", "W"

    def encode(self, model: FamilyModel) -> Expr:
        cost = model.cp.new_int_var(0, MAX_COST, "cost")
        model.cp.add(cost == model.total_w + sum(model.shared_w))
        return cost

    def measure(self, case: Case) -> int:
        return total_w(case)

    def least(self, nodes: int, platform: Platform, wall_w: int, cents: int, book: PriceBook) -> int:
        return nodes * wall_w

    def share(self, watts: int, parts: Iterable[str], book: PriceBook) -> int:
        return watts


class UnitsAxis:
    """Rack units of nodes, switches and CDUs."""

    name, unit = "rack-units", "U"

    def encode(self, model: FamilyModel) -> Expr:
        cost = model.cp.new_int_var(0, MAX_COST, "cost")
        for nodes, is_n in model.node_counts.items():
            for platform, literal in model.platform.items():
                model.cp.add(cost == nodes * (platform.rack_units or 0) + sum(model.shared_units)).only_enforce_if(
                    is_n, literal
                )
        return cost

    def measure(self, case: Case) -> int:
        return units(case)

    def least(self, nodes: int, platform: Platform, wall_w: int, cents: int, book: PriceBook) -> int:
        return nodes * (platform.rack_units or 0)

    def share(self, watts: int, parts: Iterable[str], book: PriceBook) -> int:
        return 0


class LeadTimeAxis:
    """Days: the longest lead time of the offers that bring the parts; an unknown one counts nothing."""

    name, unit = "lead-time", "days"

    def encode(self, model: FamilyModel) -> Expr:
        cost = model.cp.new_int_var(0, MAX_COST, "cost")
        ordered: dict[int, list[Expr]] = {}
        for _, offer, pieces, *_ in model.ordered:
            if offer and (days := days_of(offer)):
                ordered.setdefault(days, []).append(pieces)
        waits: list[Expr] = [0]
        for days, orders in ordered.items():
            late = model.cp.new_bool_var(f"{days} days")
            for pieces in orders:
                model.cp.add(pieces <= upper(pieces) * late)
            model.cp.add(sum(orders) >= late)
            waits.append(days * late)
        model.cp.add_max_equality(cost, waits)
        return cost

    def measure(self, case: Case) -> int:
        orders = case.book.purchase(case.priced)
        return max((days_of(line.offer) for line in orders.lines if line.offer), default=0) if orders else NEVER

    def least(self, nodes: int, platform: Platform, wall_w: int, cents: int, book: PriceBook) -> int:
        return lead_days(book, platform.id)

    def share(self, watts: int, parts: Iterable[str], book: PriceBook) -> int:
        return max((lead_days(book, part) for part in parts), default=0)


def lead_days(book: PriceBook, part: str) -> int:
    """Days within which some of a part may be had; 0 when one of its offers does not say."""
    if part not in book.prices:
        return 0
    return min((days_of(offer) if offer else 0 for offer in sources_of(book, part)), default=0)


MONEY = Money()
AXES: dict[str, Axis] = {a.name: a for a in (MONEY, PowerAxis(), UnitsAxis(), LeadTimeAxis())}
