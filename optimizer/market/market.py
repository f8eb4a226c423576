"""One request against one catalog: prices, model, policy, and what fits what. Built once, read by all steps."""

from __future__ import annotations

from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property
from typing import Any

from catalogs.collector import collector_paused
from catalogs.errors import Fault, InputError
from catalogs.llm import Llm
from catalogs.load import Catalog
from catalogs.nearest import one_of
from catalogs.schema import Cpu, Gpu, Kind, Link, Nic, Platform, Switch
from constraints.build import Build, Case
from constraints.facts import Facts
from constraints.model.axis import AXES, MONEY, Axis
from constraints.physics.contents import inside
from constraints.plan import Plan, RowKey
from constraints.policy import Policy
from constraints.prices.purchase import PriceBook
from constraints.prices.totals import MAX_MONEY, most_parts_cents
from constraints.request import Request
from constraints.rules.fit import needs_cpu
from constraints.rules.lanes import direct
from optimizer.market.asked import model_of
from optimizer.market.books import book_of
from optimizer.market.refusals import Refusals
from optimizer.request.fields import FIELDS, option_of
from optimizer.throughput.calibration import Calibration, shipped


def sensible(catalog: Catalog, request: Request, policy: Policy) -> Llm:
    """The model of a request that makes sense in the catalog. Raises InputError as `model_of` does, for vendors and
    countries that no part is of, and for parts that there are none of."""
    llm = model_of(request, policy)
    known = {part.vendor.casefold(): part.vendor for part in catalog.parts.values()}
    for name in sorted((request.vendors | request.barred_vendors) - set(known)):
        near = ", ".join(known[close] for close in get_close_matches(name, list(known), n=3))
        raise InputError(f"no part of a vendor named {name!r}", "unknown-vendor", f"Nearest: {near}." if near else "")
    _known_parts(catalog, request)
    if request.support and policy["money.support_percent"]:
        raise InputError(
            "support is given by category and as money.support_percent", "bad-support", "Give one of the two."
        )
    countries = sorted({part.country for part in catalog.parts.values() if part.country})
    for code in request.origins:
        if code not in countries:
            remedy = one_of(code, countries, "Known") if countries else "No part has a country of origin."
            raise InputError(
                Fault("unknown-origin", "no part is from there", column=option_of("origins"), value=code, remedy=remedy)
            )
    return llm


def _known_parts(catalog: Catalog, request: Request) -> None:
    """Raises InputError for the first part that a request names and the catalog lacks. The command line looked names up
    before; a program or a file may name anything."""
    for name, entry in FIELDS.items():
        named = set(entry.parts(request)) if entry.parts else set()
        if strange := sorted(named - catalog.parts.keys()):
            near = get_close_matches(strange[0], list(catalog.parts), n=1)
            remedy = f"Nearest id: {near[0]}." if near else "See `dsopt catalog list`."
            place = option_of(name)
            raise InputError(
                Fault("unknown-part", "no part with this id", column=place, value=strange[0], remedy=remedy)
            )
    if others := sorted(gpu for gpu in request.gpus if not isinstance(catalog.parts[gpu], Gpu)):
        what = f"is of kind {catalog.parts[others[0]].kind}, no GPU"
        raise InputError(Fault("wrong-kind", what, column=option_of("gpus"), value=others[0], remedy="Name a GPU."))


@dataclass
class Market:
    """Catalog, request and everything derived from the two."""

    catalog: Catalog
    request: Request
    policy: Policy
    llm: Llm
    book: PriceBook
    calibration: Calibration
    _cpus: dict[tuple[object, ...], list[Cpu]] = field(default_factory=dict)
    _gens: dict[int, frozenset[int]] = field(default_factory=dict)
    _host_links: dict[str, frozenset[tuple[int, int]]] = field(default_factory=dict)

    @classmethod
    @collector_paused()
    def open(
        cls, catalog: Catalog, request: Request, policy: Policy, calibration: Calibration | None = None,
        book: PriceBook | None = None,
    ) -> Market:  # fmt: skip
        """Throughput by `calibration`, the shipped one without. `book`: prices known already, of a request alike
        (optimizer/search/assortment.py). Raises InputError as `model_of` does, and for an unknown vendor."""
        llm = sensible(catalog, request, policy)
        book = book or book_of(catalog, request, policy)
        return cls(catalog, request, policy, llm, book, calibration or shipped())

    def asking(self, **fields: Any) -> Market:
        """The same market under a request with other fields."""
        return Market.open(self.catalog, self.request.model_copy(update=fields), self.policy, self.calibration)

    @property
    def prunes_by_price(self) -> bool:
        """Whether a part that is no better and no cheaper than another may be left out: not where it may be wanted
        at other prices than these."""
        return True

    @cached_property
    def axis(self) -> Axis:
        """What the front ascends in."""
        return AXES[self.request.cost_axis]

    @cached_property
    def purse(self) -> int:
        """The most that a budget leaves for the sum of lines, in minor units."""
        budget = self.request.budget_cents
        return MAX_MONEY if budget is None else most_parts_cents(budget, self.policy)

    def purse_at(self, cost: int) -> int:
        """The most cents that a build of at most `cost` on the axis may have."""
        return cost if self.axis is MONEY else self.purse

    def cents(self, part: str) -> int:
        """What a piece costs at least, in minor units of the request's currency; its unit price where it has one."""
        return self.book.prices[part].least

    def facts(self, **known: Any) -> Facts:
        """What is known of builds before they are made, as every rule's `may` sees it (fields of `Facts`)."""
        return Facts(self.catalog, self.request, self.policy, self.llm, **known)

    @cached_property
    def refusals(self) -> Refusals:
        """What rules say early of parts in platforms."""
        return Refusals(self.facts)

    def case(self, build: Build, plan: Plan, row: RowKey | None = None) -> Case:
        """A build as every rule's `check` sees it."""
        return Case(build, self.catalog, self.request, self.policy, self.llm, self.book, plan, row)

    @cached_property
    def links(self) -> list[Link]:
        """Priced optics, cables and cords."""
        return [
            part
            for part in self.catalog.of(Kind.CABLE, Kind.OPTIC)
            if isinstance(part, Link) and part.id in self.book.prices
        ]

    @cached_property
    def switches(self) -> list[Switch]:
        """Priced switches."""
        return [
            part for part in self.catalog.of(Kind.SWITCH) if isinstance(part, Switch) and part.id in self.book.prices
        ]

    def pcie_gens_of(self, platform: Platform) -> frozenset[int]:
        """PCIe generations of the CPUs that fit a platform."""
        cpus = self.cpus_of(platform)
        if id(cpus) not in self._gens:
            self._gens[id(cpus)] = frozenset(cpu.pcie_gen or 4 for cpu in cpus)
        return self._gens[id(cpus)]

    @cached_property
    def rdma_gbit_s(self) -> int:
        """Speed of the fastest priced RDMA card; 0 without one."""
        nics = [part for part in self.catalog.of(Kind.NIC) if isinstance(part, Nic) and part.id in self.book.prices]
        return max((card.gbit_s for card in nics if card.rdma), default=0)

    def host_links(self, platform: Platform) -> frozenset[tuple[int, int]]:
        """(PCIe generation of the CPUs, lanes) that a platform may give to each GPU."""
        if platform.id not in self._host_links:
            gens = {cpu.pcie_gen or 4 for cpu, _ in inside(platform, self.catalog, Cpu)} or self.pcie_gens_of(platform)
            widths = platform.gpu_lane_widths if direct(platform) else (16,)
            self._host_links[platform.id] = frozenset((gen, width) for gen in gens for width in widths)
        return self._host_links[platform.id]

    def cpus_of(self, platform: Platform) -> list[Cpu]:
        """CPUs of the catalog that may be bought for nodes in a platform, priced or not."""
        alike = needs_cpu(platform), *self.refusals.alike(platform, Cpu)
        if alike not in self._cpus:
            sold = self.catalog.of(Kind.CPU) if needs_cpu(platform) else []
            self._cpus[alike] = self.refusals.admitted(platform, Cpu, sold)
        return self._cpus[alike]
