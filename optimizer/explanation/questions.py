"""Questions about a changed request: each is solved for and proven, and asked once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from constraints.build import Case
from constraints.policy import Policy
from constraints.prices.purchase import PriceBook
from constraints.prices.totals import totals
from constraints.request import Request
from constraints.rules.precision import wanted
from constraints.rules.registry import findings
from optimizer.market.market import Market
from optimizer.market.rows import GpuRows
from optimizer.request.field_checks import Subject
from optimizer.request.fields import FIELDS, LOADS, broken
from optimizer.request.load import load_of, needed_tenths, with_load
from optimizer.search.assortment import Assortment, alike
from optimizer.search.certificate import FamilyProof
from optimizer.search.clock import Clock, TimeUp
from optimizer.search.front import Found, Point
from optimizer.search.solver import Solver
from optimizer.throughput.plans import Planner

PLANNED = tuple(name for name, entry in FIELDS.items() if "planner" in entry.by)
"""Request fields that plans and their speed depend on; a test holds that planners read no others."""
OF_HOSTS = "offload"
"""The one of them that rows on the GPUs depend on only by the precisions that it lets in: it asks for others, too."""
UNPLANNED_POLICY = "cooling."
"""What keys of the policy begin with that explanations change and that no planner reads; a test holds that too."""


@dataclass(frozen=True)
class Change:
    """Request fields and policy values other than the buyer's."""

    fields: Mapping[str, Any] = field(default_factory=dict)
    policy: Mapping[str, Decimal] = field(default_factory=dict)

    @classmethod
    def of(cls, **fields: Any) -> Change:
        """A change of request fields alone."""
        return cls(fields)

    def __or__(self, other: Change) -> Change:
        """Both; the other wins where they touch the same."""
        return Change({**self.fields, **other.fields}, {**self.policy, **other.policy})


NOTHING = Change()
FEW_NODES = 1
"""On so many a build is looked for first, where it is only asked whether there is one."""


class Asking:
    """One buyer's market, asked under changes. Cost is money here, whatever the front ascends in. `judged`: rows of its
    plans, where they are known."""

    def __init__(
        self,
        market: Market,
        clock: Clock | None = None,
        engine: type[FamilyProof] = FamilyProof,
        judged: GpuRows | None = None,
    ) -> None:
        self.clock, self.engine = clock or Clock(), engine
        self.cut = False
        self.base = market if market.request.cost_axis == "money" else market.asking(cost_axis="money")
        self._markets: dict[tuple[Request, tuple[tuple[str, Decimal], ...]], Market] = {}
        self._found: dict[int, Found | None] = {}
        self._rows: dict[tuple[object, ...], GpuRows] = {}
        self._books: dict[tuple[object, ...], PriceBook] = {}
        self._stock: dict[tuple[object, ...], Assortment] = {}
        self._planners: dict[tuple[object, ...], Planner] = {}
        if judged is not None:
            self._keep(market, judged)

    def again(self, engine: type[FamilyProof]) -> Asking:
        """The same questions, to be answered anew by another engine."""
        other = copy(self)
        other.engine, other._found = engine, {}
        return other

    @contextmanager
    def at_most(self, share: float) -> Iterator[None]:
        """A share of the effort that is left for the questions within; where it ends first, `cut` says so afterwards
        and those questions have no answer. What they take is taken from the whole."""
        whole = self.clock
        part = whole.within(None if whole.effort is None else share * max(0.0, whole.effort))
        given = part.effort or 0.0
        self.clock = part
        try:
            yield
        except TimeUp:
            self.cut = True
        finally:
            self.clock = whole
            whole.take(given - (part.effort or 0.0))

    def market(self, change: Change) -> Market:
        """The market under a change; raises InputError where it makes no sense."""
        base = self.base
        policy = Policy({**base.policy.changed, **change.policy}) if change.policy else base.policy
        request = base.request.model_copy(update=dict(change.fields))
        if any(name in change.fields for name in LOADS):
            own = None if self.by_load(NOTHING) else base.request.throughput_tenths
            request = with_load(request.model_copy(update={"throughput_tenths": own}), policy)
        key = request, tuple(sorted(policy.changed.items()))
        if key not in self._markets:
            same = alike(request, policy)
            opened = Market.open(base.catalog, request, policy, base.calibration, self._books.get(same))
            self._markets[key], self._books[same] = opened, opened.book
        return self._markets[key]

    def cheapest(self, change: Change) -> Found | None:
        """The proven cheapest build under a change; None when there is none. Raises TimeUp."""
        market = self.market(change)
        if id(market) not in self._found:
            self.clock.left()
            self._found[id(market)] = self.solver(market).cheapest()
        return self._found[id(market)]

    def possible(self, change: Change) -> bool:
        """Whether there is a build under a change, proven. Raises TimeUp.

        One on few nodes is looked for first: where much is given up the cheapest of all takes many plans to prove."""
        market = self.market(change)
        if id(market) not in self._found and market.request.max_nodes > FEW_NODES:
            few = self.market(change | Change.of(max_nodes=FEW_NODES))
            self.clock.left()
            if self.solver(few).possible():
                return True
        return self.cheapest(change) is not None

    def stands(self, change: Change, found: Found) -> bool:
        """Whether the cheapest build of a looser request meets this one too, by plain checks; it is the cheapest here
        then, and is not solved for again."""
        market, case = self.market(change), self.case(change, found)
        orders = case.book.purchase(case.priced)
        same = orders is not None and case.book.cost(case.priced) == found.parts_cents
        if not same or any(finding.status == "fail" for finding in findings(case)) or broken(case, found.row):
            return False
        self._found[id(market)] = found
        return True

    def known(self, change: Change) -> Found | None:
        """The cheapest build under a change, where it has been asked for already."""
        return self._found.get(id(self.market(change)))

    def fastest(self, change: Change) -> int | None:
        """Throughput (0.1 tok/s) of the fastest build within the budget under a change; None without a budget or a
        build. Raises TimeUp."""
        market = self.market(change)
        if market.request.budget_cents is None:
            return None
        front = self.solver(market).front()
        if not front.complete:
            raise TimeUp
        return front.points[-1].found.row.perf.tenths if front.points else None

    def solver(self, market: Market) -> Solver:
        """A solver for a market, with what is known of markets like it."""
        rows, same = self.judged(market), alike(market.request, market.policy)
        if same not in self._stock:
            self._stock[same] = Assortment(market, rows.planner)
            self._stock[same].spend(self.clock)
        return Solver(market, clock=self.clock, engine=self.engine, judged=rows, stock=self._stock[same])

    def judged(self, market: Market) -> GpuRows:
        """Rows judged once for all changes that plans do not depend on: money, site and purchase. Of requests that
        differ in the number of users alone each replica is judged once."""
        key, but_users = _planned(market), _planned(market, apart="users")
        if key not in self._rows:
            known = self._planners.get(but_users)
            if known and market.request.users is not None:
                self._rows[key] = GpuRows(known.for_users(market.request.users))
            else:
                self._keep(market, GpuRows.of_market(market))
        return self._rows[key]

    def _keep(self, market: Market, rows: GpuRows) -> None:
        """Keeps rows for the markets to come, and their planner for requests of other numbers of users."""
        self._rows[_planned(market)] = rows
        if market.request.users is not None and isinstance(rows.planner, Planner):
            self._planners[_planned(market, apart="users")] = rows.planner

    def by_load(self, change: Change) -> bool:
        """Whether the throughput asked for is what the load needs, not the buyer's own figure."""
        market = self.market(change)
        load = load_of(market.request, market.policy)
        return load is not None and market.request.throughput_tenths == needed_tenths(load)

    def point(self, change: Change, found: Found) -> Point:
        """A found build with every rule's finding; raises Disagreement when one fails."""
        return Solver(self.market(change)).point(found)

    def case(self, change: Change, found: Found) -> Case:
        """A found build as the rules see it."""
        return self.market(change).case(found.build, found.row.plan, found.row.key)

    def built(self, change: Change, found: Found) -> Subject:
        """A found build with its plan, as fields of the request are held against it."""
        return Subject(self.case(change, found), found.row)

    def total(self, change: Change, found: Found) -> int:
        """Minor units of a build with support and tax."""
        return totals(found.parts_cents, self.market(change).policy)[2]


def _planned(market: Market, apart: str = "") -> tuple[object, ...]:
    """All that plans on GPUs and their speed depend on, but for one field of the request."""
    asked = (getattr(market.request, name) for name in PLANNED if name not in (OF_HOSTS, apart))
    policy = (item for item in market.policy.changed.items() if not item[0].startswith(UNPLANNED_POLICY))
    return *asked, tuple(wanted(market.llm, market.request)), tuple(sorted(policy))
