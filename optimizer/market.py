"""One request against one catalog: prices, model, policy, and what fits what. Built once, read by all steps."""

from __future__ import annotations

from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property

from catalogs.errors import InputError
from catalogs.llm import Llm, get
from catalogs.load import Catalog
from catalogs.schema import Cpu, Kind, Link, Platform, Switch
from constraints.case import Build, Case
from constraints.fit import cpu_fits, needs_cpu
from constraints.plan import Plan, RowKey
from constraints.policy import Policy
from constraints.precision import known_precisions, wanted
from constraints.procurement import PriceBook, price_book
from constraints.request import Request
from constraints.training import seq_len


@dataclass
class Market:
    """Catalog, request and everything derived from the two."""

    catalog: Catalog
    request: Request
    policy: Policy
    llm: Llm
    book: PriceBook
    _cpus: dict[str, list[Cpu]] = field(default_factory=dict)

    @classmethod
    def open(cls, catalog: Catalog, request: Request, policy: Policy) -> Market:
        """Raises InputError for an unknown model or a context that the model does not reach."""
        llm = get(request.model)
        what, remedy = ("a sequence", "--seq-len") if request.trains else ("isl + osl", "--isl or --osl")
        tokens = seq_len(request, policy) if request.trains else request.tokens
        if tokens > llm.max_context:
            text = f"{what} = {tokens} tokens, {llm.id} reaches {llm.max_context}"
            raise InputError(text, "context-too-long", f"Lower {remedy}.")
        if request.precision and not wanted(llm, request):
            text = f"{request.workload} does not run in" if request.trains else f"{llm.id} has no weights in"
            remedy = f"One of: {', '.join(known_precisions(llm, request))}."
            raise InputError(f"{text} {request.precision!r}", "unknown-precision", remedy)
        known = {p.vendor.casefold(): p.vendor for p in catalog.parts.values()}
        for name in sorted((request.vendors | request.barred_vendors) - set(known)):
            near = ", ".join(known[x] for x in get_close_matches(name, list(known), n=3))
            raise InputError(
                f"no part of a vendor named {name!r}", "unknown-vendor", f"Nearest: {near}." if near else ""
            )
        if strange := sorted({x.part for x in request.own} - set(catalog.parts)):
            raise InputError(f"no part with the id {strange[0]!r} to be owned", "unknown-part", "Correct --own.")
        if request.support and policy["money.support_percent"]:
            raise InputError(
                "support is given by category and as money.support_percent", "bad-support", "Give one of the two."
            )
        return cls(catalog, request, policy, llm, price_book(catalog, request, policy))

    def cents(self, part: str) -> int:
        """What a piece costs at least, in minor units of the request's currency; its unit price where it has one."""
        return self.book.prices[part].least

    def case(self, build: Build, plan: Plan, row: RowKey | None = None) -> Case:
        """A build as every rule's `check` sees it."""
        return Case(build, self.catalog, self.request, self.policy, self.llm, self.book, plan, row)

    @cached_property
    def links(self) -> list[Link]:
        """Priced optics, cables and cords."""
        return [x for x in self.catalog.of(Kind.CABLE, Kind.OPTIC) if isinstance(x, Link) and x.id in self.book.prices]

    @cached_property
    def switches(self) -> list[Switch]:
        """Priced switches."""
        return [x for x in self.catalog.of(Kind.SWITCH) if isinstance(x, Switch) and x.id in self.book.prices]

    def cpus_of(self, platform: Platform) -> list[Cpu]:
        """CPUs of the catalog that fit a platform, priced or not."""
        if platform.id not in self._cpus:
            found = [c for c in self.catalog.of(Kind.CPU) if isinstance(c, Cpu)]
            self._cpus[platform.id] = [c for c in found if needs_cpu(platform) and cpu_fits(platform, c)]
        return self._cpus[platform.id]
