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


def too_warm(p: Platform, inlet_c: int) -> str:
    """That a platform does not take air of this temperature, in a sentence."""
    return message(
        "the inlet temperature of {c} °C exceeds the {limit} °C that {platform} takes",
        c=inlet_c,
        limit=figure(p.inlet_max_c or 0),
        platform=p.name,
    )


def platform_fault(p: Platform, policy: Policy, request: Request) -> str:
    """Why a platform can't be cooled on this site, whatever stands in it; empty when it can."""
    inlet = policy.whole("cooling.inlet_c")
    if p.inlet_max_c is not None and p.inlet_max_c < inlet:
        return too_warm(p, inlet)
    if "air" not in p.cooling and not request.site_water and p.kind != Kind.SYSTEM:
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

    def encode(self, m: FamilyModel) -> None:
        liquid = [v for p, v in m.platform.items() if "air" not in p.cooling]
        for p, v in m.platform.items():
            if p.system_max_w and p.kind != Kind.SYSTEM:
                m.cp.add(m.node_w <= p.system_max_w).only_enforce_if(v)
            if platform_fault(p, m.policy, m.request):
                m.cp.add(v == 0)
        wet = [v for p, v in m.platform.items() if "air" not in p.cooling and p.kind != Kind.SYSTEM]
        if not liquid or not wet or not m.request.site_water:
            return
        priced = [x for x in m.candidates.cooling if x.id in m.book.prices]
        cdus = [(x, m.cp.new_int_var(0, MAX_CDU, x.id)) for x in priced if x.role == "cdu-l2l" and x.capacity_w]
        manifolds = [(x, m.cp.new_int_var(0, MAX_CDU, x.id)) for x in priced if x.role == "manifold"]
        facility = [(x, m.cp.new_int_var(0, MAX_CDU, x.id)) for x in priced if x.role == "facility"]
        for x, q in [*cdus, *manifolds, *facility]:
            m.add_shared(x, 1, q)
        share = 100 - m.policy.whole("cooling.liquid_residual_percent")
        factor = share * m.policy.whole("cooling.cdu_margin_percent")
        kind = {x: m.cp.new_bool_var("") for x, _ in cdus}
        m.cp.add_at_most_one(kind.values())
        racks = m.racks_needed
        many = m.cp.new_bool_var("racks>1")
        m.cp.add(racks <= 1).only_enforce_if(~many)
        for x, q in cdus:
            m.cp.add(q <= MAX_CDU * kind[x])
            for v in wet:
                m.cp.add(10_000 * (x.capacity_w or 0) * q >= factor * m.total_w).only_enforce_if(v, kind[x], ~many)
                m.cp.add(10_000 * (x.capacity_w or 0) * (q - 1) >= factor * m.total_w).only_enforce_if(v, kind[x], many)
        for v in wet:
            m.cp.add(sum(kind.values()) == 1).only_enforce_if(v)
            m.cp.add(sum(q for _, q in manifolds) >= racks).only_enforce_if(v)
            m.cp.add(sum(q for _, q in facility) >= racks).only_enforce_if(v)
        exact = wants_exact(m.request, m.catalog)
        if m.request.no_surplus or exact:
            for gear in (manifolds, facility):
                m.cp.add(sum(q for _, q in gear) <= racks)
        from constraints.rules.rack import racked

        if m.request.shares:
            m.cp.add(racks >= 2).only_enforce_if(many)
            for x, q in cdus:
                for literal, spare in ((~many, 0), (many, 1)):
                    fewer = 10_000 * (x.capacity_w or 0) * (q - 1 - spare)
                    m.cp.add(fewer < factor * m.total_w).only_enforce_if(kind[x], literal)
        if m.request.shares or exact:
            for p, v in m.platform.items():
                if not racked(p):
                    m.cp.add(racks == 0).only_enforce_if(v)
                if "air" in p.cooling or p.kind == Kind.SYSTEM:
                    m.cp.add(sum(q for _, q in [*cdus, *manifolds, *facility]) == 0).only_enforce_if(v)

    def check(self, c: Case) -> list[Check]:
        p, found = c.platform, []
        if c.power_unknown:
            found.append(Check.of(self.id, False, unknown_draw(c)))
        elif p.system_max_w and p.kind != Kind.SYSTEM:
            found.append(
                Check.at_most(
                    self.id,
                    c.load_w,
                    p.system_max_w,
                    "W",
                    message(
                        "{w} W of heat per node is within the {limit} W that {platform} carries off",
                        w=f"{c.load_w:,}",
                        limit=f"{p.system_max_w:,}",
                        platform=p.name,
                    ),
                    message(
                        "{w} W of heat per node exceeds the {limit} W that {platform} carries off",
                        w=f"{c.load_w:,}",
                        limit=f"{p.system_max_w:,}",
                        platform=p.name,
                    ),
                )
            )
        if p.inlet_max_c is not None:
            inlet = c.policy.whole("cooling.inlet_c")
            found.append(
                Check.at_most(
                    self.id,
                    inlet,
                    p.inlet_max_c,
                    "C",
                    message(
                        "the inlet temperature of {c} °C is within the {limit} °C that {platform} takes",
                        c=inlet,
                        limit=figure(p.inlet_max_c),
                        platform=p.name,
                    ),
                    too_warm(p, inlet),
                )
            )
        if c.liquid and p.kind != Kind.SYSTEM:
            found += self._liquid(c)
        return found or [Check.of(self.id, True, message("no heat limit of {platform} is published", platform=p.name))]

    def _liquid(self, c: Case) -> list[Check]:
        from constraints.rules.rack import racks_in

        if not c.request.site_water:
            return [Check.of(self.id, False, NO_WATER)]
        shared = [(x, q) for x, q in c.parts(CoolingPart, shared=True) if isinstance(x, CoolingPart)]
        cdus = [(x.capacity_w or 0, q) for x, q in shared if x.role == "cdu-l2l"]
        racks = racks_in(c)
        spare = 1 if racks > 1 else 0
        capacity = sum(w * (q - spare) for w, q in cdus[:1])
        need = liquid_w(c.load_w * c.build.nodes, c.policy)
        said = {"watts": f"{capacity:,}", "needed": f"{need:,}"}
        found = (
            []
            if c.power_unknown
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
