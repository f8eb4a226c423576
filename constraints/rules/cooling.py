"""Rule cooling: the chassis moves the heat, the inlet is cool enough, liquid cooling has facility water and a CDU."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from catalogs.message import N_, message
from catalogs.schema import Cooling as CoolingPart
from catalogs.schema import Kind, Platform
from constraints.policy import Policy
from constraints.request import Request
from constraints.rule import Check, Rule, figure
from constraints.rules.power import unknown_draw

if TYPE_CHECKING:
    from constraints.build import Case
    from constraints.facts import Facts
    from constraints.model.family_model import FamilyModel

MAX_CDU = 64
"""CDUs, manifolds or connections that the model has room for in any case; more where nodes may ask for more."""
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


def _takes_liquid(platform: Platform) -> bool:
    """Whether gear for liquid is bought beside its nodes; a system of this kind brings its own."""
    return "air" not in platform.cooling and platform.kind != Kind.SYSTEM


def _heat_to_liquid(model: FamilyModel) -> Any:
    """10,000 x the watts that all nodes give to liquid, with the margin that a CDU must have."""
    share = 100 - model.policy.whole("cooling.liquid_residual_percent")
    return share * model.policy.whole("cooling.cdu_margin_percent") * model.load_w


def _most_cdus(model: FamilyModel, capacity_w: int) -> int:
    """CDUs of a capacity, of which no build of the family needs more: they carry the hungriest nodes, and one may fail.

    A smaller domain would leave out builds that `check` passes, and the proof would call a front complete without
    them."""
    share = 100 - model.policy.whole("cooling.liquid_residual_percent")
    heat = share * model.policy.whole("cooling.cdu_margin_percent") * max(model.node_counts) * model.most_node_w()
    return max(MAX_CDU, -(-heat // (10_000 * capacity_w)) + 1)


class Cooling(Rule):
    id = "cooling"
    refuses = frozenset({"platform", "part"})
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
        for platform, literal in model.platform.items():
            if platform.system_max_w and platform.kind != Kind.SYSTEM:
                model.cp.add(model.node_w <= platform.system_max_w).only_enforce_if(literal)
            if platform_fault(platform, model.policy, model.request):
                model.cp.add(literal == 0)
        wet = [literal for platform, literal in model.platform.items() if _takes_liquid(platform)]
        if wet and model.request.site_water:
            self._liquid_gear(model, wet)

    def _liquid_gear(self, model: FamilyModel, wet: list[Any]) -> None:
        """CDUs, manifolds and facility connections for nodes that shed heat to liquid; none for others."""
        priced = [part for part in model.candidates.cooling if part.id in model.book.prices]
        most_racks = max(MAX_CDU, max(model.node_counts))
        cdus = {
            part: model.cp.new_int_var(0, _most_cdus(model, part.capacity_w), part.id)
            for part in priced
            if part.role == "cdu-l2l" and part.capacity_w
        }
        manifolds, facility = (
            {part: model.cp.new_int_var(0, most_racks, part.id) for part in priced if part.role == role}
            for role in ("manifold", "facility")
        )
        for part, pieces in [*cdus.items(), *manifolds.items(), *facility.items()]:
            model.add_shared(part, 1, pieces)
        self._cdus(model, wet, cdus)
        for gear in (manifolds, facility):
            for platform, literal in model.platform.items():
                need = model.racks_needed if _takes_liquid(platform) else 0
                model.cp.add(sum(gear.values()) == need).only_enforce_if(literal)

    def _cdus(self, model: FamilyModel, wet: list[Any], cdus: dict[CoolingPart, Any]) -> None:
        """The fewest CDUs of one kind that carry the heat of all nodes; of several racks one CDU may fail."""
        several = model.cp.new_bool_var("racks>1")
        model.cp.add(model.racks_needed <= 1).only_enforce_if(~several)
        model.cp.add(model.racks_needed >= 2).only_enforce_if(several)
        kinds = {cdu: model.cp.new_bool_var("") for cdu in cdus}
        model.cp.add(sum(kinds.values()) == sum(wet))
        heat = _heat_to_liquid(model)
        for cdu, pieces in cdus.items():
            # The fewest that carry the heat, and no more: what is unused is less than one of them. Both halves, for a
            # spare one would be padding where shares are limited (docs/proof.md, Both halves).
            model.cp.add(pieces <= _most_cdus(model, cdu.capacity_w or 1) * kinds[cdu])
            each = 10_000 * (cdu.capacity_w or 0)
            for spare, when in ((0, ~several), (1, several)):
                unused = each * (pieces - spare) - heat
                model.cp.add_linear_constraint(unused, 0, each - 1).only_enforce_if(kinds[cdu], when)

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
        if "cooling" in case.build.unknown and not case.parts(CoolingPart, shared=True):
            return [Check.warn(self.id, "not judged: the CDUs and manifolds of the machine are not known")]
        shared = [
            (part, pieces) for part, pieces in case.parts(CoolingPart, shared=True) if isinstance(part, CoolingPart)
        ]
        cdus = [(unit.capacity_w or 0, qty) for unit, qty in shared if unit.role == "cdu-l2l"]
        racks = racks_in(case)
        spare = 1 if racks > 1 else 0
        capacity = sum(watts * (qty - spare) for watts, qty in cdus[:1])
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
            pieces = sum(qty for unit, qty in shared if unit.role == role)
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
