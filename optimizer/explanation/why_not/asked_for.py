"""What someone asks `why not` about: a number of GPUs, a part, or a build; and the requests that force it in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from catalogs.errors import InputError
from catalogs.offers import Offer, PricedOffer
from catalogs.schema import Gpu, GpuBoard, Kind, Part, Platform
from constraints.build import Build, Case
from constraints.exchange import minor_digits
from constraints.physics.contents import gpus_inside, holders
from constraints.prices.filters import supposed_confidence
from constraints.prices.states import fixed
from constraints.request import Request
from optimizer.market.market import Market


@dataclass(frozen=True)
class Wish:
    """Parts to be forced in: GPUs of one kind, `gpu_count` of them in all where it is given, or a `part` (id)."""

    words: str
    gpu: str = ""
    gpu_count: int | None = None
    part: str = ""

    def fields(self, market: Market, /, **free: Any) -> dict[str, Any]:
        """Request fields that force it in; `free` are fields to be changed beside."""
        request, out = market.request, dict(free)
        if self.gpu:
            out["gpus"] = frozenset({self.gpu})
        if self.gpu_count is not None:
            out["gpu_count"] = self.gpu_count
        if self.part:
            out["include"] = (*(x for x in out.get("include", request.include) if x != self.part), self.part)
            out["exclude"] = out.get("exclude", request.exclude) | _rivals(market, self.part)
        return out

    def forced(self, market: Market, /, **free: Any) -> Market:
        """The market in which every build holds it."""
        return market.asking(**self.fields(market, **free))

    def against_gpus(self, market: Market) -> bool:
        """Whether the request itself asks for other GPUs."""
        request = market.request
        other = bool(self.gpu and request.gpus) and self.gpu not in request.gpus
        return other or (self.gpu_count is not None and request.gpu_count not in (None, self.gpu_count))

    def within(self, case: Case) -> bool:
        """Whether a build holds it."""
        if self.part:
            return self.part in case.node_all or self.part in case.build.shared
        total = case.per_node * case.build.nodes
        return case.gpu.id == self.gpu and self.gpu_count in (None, total)

    def carriers(self, market: Market) -> list[str]:
        """Ids of the parts on sale by which it comes into a build: itself, a board, a complete system."""
        catalog = market.catalog
        if self.part:
            return [
                self.part,
                *(part.id for part in catalog.of(Kind.PLATFORM, Kind.SYSTEM) if _contains(part, self.part)),
            ]
        gpu = _gpu(catalog.parts[self.gpu])
        return [gpu.id] * (gpu.sold_as == "single") + [p.id for p in holders(gpu, catalog)]

    def carrier(self, market: Market, build: Build) -> str:
        """The part of a build that brings it in."""
        have = {**build.shared, **build.node}
        return next(x for x in self.carriers(market) if x in have)


def asked_for(text: str, market: Market) -> tuple[Market, Wish | Build]:
    """`8x H20`, a part's id or name, or the path of a build.toml -> (market with the file's own parts, what is meant).

    Raises InputError for what is none of these."""
    from optimizer.request.texts import gpu
    from optimizer.result.build_file import read

    path = Path(text)
    if path.suffix in (".toml", ".json") or (path.suffix and path.is_file()):
        request = market.request
        catalog, _, builds = read(path, market.catalog, request.model, request.as_of.isoformat())
        if len(builds) != 1:
            names = ", ".join(name for name, _ in builds)
            raise InputError(f"{path} holds {len(builds)} builds ({names})", "many-builds", "Give a build.toml of one.")
        return Market.open(catalog, request, market.policy, market.calibration), builds[0][1]
    catalog = market.catalog
    try:
        count, name = gpu(text, catalog) if text not in catalog.parts else (None, text)
    except InputError:
        name, count = catalog.find(text).id, None
    part = catalog.parts[name]
    if isinstance(part, Gpu):
        return market, Wish(f"{count} x {part.name}" if count else part.name, gpu=part.id, gpu_count=count)
    inside = ""
    if isinstance(part, GpuBoard):
        inside = part.gpu
    elif isinstance(part, Platform):
        inside = gpus_inside(part, catalog)[0]
    return market, Wish(part.name, gpu=inside, part=part.id)


def said_offer(id_: str, part: str, minor_units: int, seller: str, source: str, request: Request) -> PricedOffer:
    """An offer at a price of a piece that somebody says, on the request's terms and at once."""
    return fixed(
        Offer(
            id=id_,
            part=part,
            price=Decimal(minor_units).scaleb(-minor_digits(request.currency)),
            currency=request.currency,
            date=request.as_of,
            condition=next(x for x in ("new", "refurbished", "used") if x in request.conditions),
            confidence=supposed_confidence(request),
            seller=seller,
            source=source,
            lead_time_days=0,
        )
    )


def supposed(market: Market, parts: Iterable[str]) -> Market:
    """The market in which parts without any offer are to be had for one minor unit a piece, on the request's terms."""
    request, catalog = market.request, market.catalog
    offers = dict(catalog.offers)
    for part in parts:
        offers[part] = (said_offer(f"{part}--supposed", part, 1, SUPPOSED, "no offer: a price is supposed", request),)
    return Market.open(replace(catalog, offers=offers), request, market.policy, market.calibration)


def without_offer(market: Market, part: str) -> bool:
    """Whether nobody offers the part, in whatever condition, on or before the request's day."""
    return not any(o.date <= market.request.as_of for o in market.catalog.offers.get(part, ()))


SUPPOSED = "supposed"
"""Seller of a part that nobody offers."""
ONE_KIND = (Kind.PLATFORM, Kind.SYSTEM, Kind.GPU_BOARD, Kind.CPU, Kind.MEMORY)
"""Categories of which no rule lets two kinds stand in a node."""


def _rivals(market: Market, part: str) -> frozenset[str]:
    """Parts that no build with `part` can hold; to leave them out is exact, and quick."""
    kind, catalog = market.catalog.parts[part].kind, market.catalog
    if kind not in ONE_KIND:
        return frozenset()
    kinds = (Kind.PLATFORM, Kind.SYSTEM) if kind in (Kind.PLATFORM, Kind.SYSTEM) else (kind,)
    mine = catalog.parts[part]
    inside = {c.part for c in mine.contents} if isinstance(mine, Platform) else set()
    return frozenset(p.id for p in catalog.of(*kinds) if p.id != part and p.id not in inside)


def _contains(p: Part, part: str) -> bool:
    return isinstance(p, Platform) and any(c.part == part for c in p.contents)


def _gpu(part: Part) -> Gpu:
    assert isinstance(part, Gpu)
    return part
