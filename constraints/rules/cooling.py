"""Rule cooling: the chassis moves the heat, the inlet is cool enough, liquid cooling has facility water and a CDU."""

from __future__ import annotations

from typing import TYPE_CHECKING

from catalogs.message import N_, message
from catalogs.schema import Cooling as CoolingPart
from catalogs.schema import Kind, Platform
from constraints.physics.demanded import wants_exact
from constraints.policy import Policy
from constraints.request import Request
from constraints.rule import Check, Rule, figure
from constraints.rules.power import unknown_draw

if TYPE_CHECKING:
    from constraints.build import Case
    from constraints.facts import Facts
    from constraints.model.family_model import FamilyModel

MAX_CDU = 64
NO_WATER = "liquid cooling needs facility water (--site-water)"


def liquid_w(load_w: int, policy: Policy) -> int:
    """CDU capacity that a liquid-cooled load asks for, margin included."""
    share = 100 - policy.whole("cooling.liquid_residual_percent")
    return -(-load_w * share * policy.whole("cooling.cdu_margin_percent") // 10_000)


def too_warm(platform: Platform, inlet_c: int) -> str:
    """That a platform does not take air of this temperature, in a sentence."""
    return message(
        "the inlet temperature of {c} °C exceeds the {limit} °C that {platform} takes",
        c=inlet_c,
        limit=figure(platform.inlet_max_c or 0),
        platform=platform.name,
    )


def platform_fault(platform: Platform, policy: Policy, request: Request) -> str:
    """Why a platform can't be cooled on this site, whatever stands in it; empty when it can."""
    inlet = policy.whole("cooling.inlet_c")
    if platform.inlet_max_c is not None and platform.inlet_max_c < inlet:
        return too_warm(platform, inlet)
    if "air" not in platform.cooling and not request.site_water and platform.kind != Kind.SYSTEM:
        return NO_WATER
    return ""


class Cooling(Rule):
    id = "cooling"
    title = N_("Cooling")
    phase = "shared"
    cured_by = frozenset({"cooling", "rack"})
    loaded_by = frozenset({"gpu", "cpu", "memory", "drive", "nic"})
    settles = frozenset({"cooling"})
    shortfall = "liquid cooling"
    shortfall_each = ""

    def may(self, facts: Facts) -> str:
        """A platform that the room's air is too warm for, or that lacks facility water."""
        return platform_fault(facts.platform, facts.policy, facts.request) if facts.platform is not None else ""

    def encode(self, model: FamilyModel) -> None:
        liquid = [literal for platform, literal in model.platform.items() if "air" not in platform.cooling]
        for platform, v in model.platform.items():
            if platform.system_max_w and platform.kind != Kind.SYSTEM:
                model.cp.add(model.node_w <= platform.system_max_w).only_enforce_if(v)
            if platform_fault(platform, model.policy, model.request):
                model.cp.add(v == 0)
        wet = [
            literal
            for platform, literal in model.platform.items()
            if "air" not in platform.cooling and platform.kind != Kind.SYSTEM
        ]
        if not liquid or not wet or not model.request.site_water:
            return
        priced = [x for x in model.candidates.cooling if x.id in model.book.prices]
        cdus = [(x, model.cp.new_int_var(0, MAX_CDU, x.id)) for x in priced if x.role == "cdu-l2l" and x.capacity_w]
        manifolds = [(x, model.cp.new_int_var(0, MAX_CDU, x.id)) for x in priced if x.role == "manifold"]
        facility = [(x, model.cp.new_int_var(0, MAX_CDU, x.id)) for x in priced if x.role == "facility"]
        for x, q in [*cdus, *manifolds, *facility]:
            model.add_shared(x, 1, q)
        share = 100 - model.policy.whole("cooling.liquid_residual_percent")
        factor = share * model.policy.whole("cooling.cdu_margin_percent")
        kind = {x: model.cp.new_bool_var("") for x, _ in cdus}
        model.cp.add_at_most_one(kind.values())
        racks = model.racks_needed
        many = model.cp.new_bool_var("racks>1")
        model.cp.add(racks <= 1).only_enforce_if(~many)
        for x, q in cdus:
            model.cp.add(q <= MAX_CDU * kind[x])
            for v in wet:
                model.cp.add(10_000 * (x.capacity_w or 0) * q >= factor * model.total_w).only_enforce_if(
                    v, kind[x], ~many
                )
                model.cp.add(10_000 * (x.capacity_w or 0) * (q - 1) >= factor * model.total_w).only_enforce_if(
                    v, kind[x], many
                )
        for v in wet:
            model.cp.add(sum(kind.values()) == 1).only_enforce_if(v)
            model.cp.add(sum(q for _, q in manifolds) >= racks).only_enforce_if(v)
            model.cp.add(sum(q for _, q in facility) >= racks).only_enforce_if(v)
        exact = wants_exact(model.request, model.catalog)
        if model.request.no_surplus or exact:
            for gear in (manifolds, facility):
                model.cp.add(sum(q for _, q in gear) <= racks)
        from constraints.rules.rack import racked

        if model.request.shares:
            model.cp.add(racks >= 2).only_enforce_if(many)
            for x, q in cdus:
                for literal, spare in ((~many, 0), (many, 1)):
                    fewer = 10_000 * (x.capacity_w or 0) * (q - 1 - spare)
                    model.cp.add(fewer < factor * model.total_w).only_enforce_if(kind[x], literal)
        if model.request.shares or exact:
            for platform, v in model.platform.items():
                if not racked(platform):
                    model.cp.add(racks == 0).only_enforce_if(v)
                if "air" in platform.cooling or platform.kind == Kind.SYSTEM:
                    model.cp.add(sum(q for _, q in [*cdus, *manifolds, *facility]) == 0).only_enforce_if(v)

    def check(self, case: Case) -> list[Check]:
        platform, found = case.platform, []
        if case.power_unknown:
            found.append(Check.of(self.id, False, unknown_draw(case)))
        elif platform.system_max_w and platform.kind != Kind.SYSTEM:
            found.append(
                Check.at_most(
                    self.id,
                    case.load_w,
                    platform.system_max_w,
                    "W",
                    message(
                        "{w} W of heat per node is within the {limit} W that {platform} carries off",
                        w=f"{case.load_w:,}",
                        limit=f"{platform.system_max_w:,}",
                        platform=platform.name,
                    ),
                    message(
                        "{w} W of heat per node exceeds the {limit} W that {platform} carries off",
                        w=f"{case.load_w:,}",
                        limit=f"{platform.system_max_w:,}",
                        platform=platform.name,
                    ),
                )
            )
        if platform.inlet_max_c is not None:
            inlet = case.policy.whole("cooling.inlet_c")
            found.append(
                Check.at_most(
                    self.id,
                    inlet,
                    platform.inlet_max_c,
                    "C",
                    message(
                        "the inlet temperature of {c} °C is within the {limit} °C that {platform} takes",
                        c=inlet,
                        limit=figure(platform.inlet_max_c),
                        platform=platform.name,
                    ),
                    too_warm(platform, inlet),
                )
            )
        if case.liquid and platform.kind != Kind.SYSTEM:
            found += self._liquid(case)
        return found or [
            Check.of(self.id, True, message("no heat limit of {platform} is published", platform=platform.name))
        ]

    def _liquid(self, case: Case) -> list[Check]:
        from constraints.rules.rack import racks_in

        if not case.request.site_water:
            return [Check.of(self.id, False, NO_WATER)]
        shared = [
            (part, pieces) for part, pieces in case.parts(CoolingPart, shared=True) if isinstance(part, CoolingPart)
        ]
        cdus = [(x.capacity_w or 0, q) for x, q in shared if x.role == "cdu-l2l"]
        racks = racks_in(case)
        spare = 1 if racks > 1 else 0
        capacity = sum(w * (q - spare) for w, q in cdus[:1])
        need = liquid_w(case.load_w * case.build.nodes, case.policy)
        said = {"watts": f"{capacity:,}", "needed": f"{need:,}"}
        found = (
            []
            if case.power_unknown
            else [
                Check.at_least(
                    self.id,
                    capacity,
                    need,
                    "W",
                    message(
                        "CDUs carry off {watts} W with one failed, {needed} W are needed"
                        if spare
                        else "CDUs carry off {watts} W, {needed} W are needed",
                        **said,
                    ),
                    message(
                        "CDUs carry off only {watts} W with one failed, {needed} W are needed"
                        if spare
                        else "CDUs carry off only {watts} W, {needed} W are needed",
                        **said,
                    ),
                )
            ]
        )
        for role, what in (("manifold", N_("liquid manifolds")), ("facility", N_("facility-water connections"))):
            pieces = sum(q for x, q in shared if x.role == role)
            found.append(
                Check.at_least(
                    self.id,
                    pieces,
                    racks,
                    "pieces",
                    message("{what}: {pieces}, one for each rack ({racks})", what=what, pieces=pieces, racks=racks),
                    message(
                        "{what}: {pieces}, fewer than one for each rack ({racks})",
                        what=what,
                        pieces=pieces,
                        racks=racks,
                    ),
                )
            )
        return found


__all__ = ["Cooling"]
