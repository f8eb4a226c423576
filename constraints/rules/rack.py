"""Rule rack: nodes sit whole in racks; racks, PDUs and cords are bought unless the site has them.

Every rack keeps room for all shared gear (switches, CDU): a safe simplification while gear stands in the first rack.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from catalogs.message import N_, message
from catalogs.schema import Cooling, Kind, Link, Pdu, Platform, Rack, Switch
from constraints.build import included_bank, shared_w
from constraints.physics.demanded import wants_exact
from constraints.policy import Policy
from constraints.rule import Check, Rule, counted, figure
from constraints.rules.fit import needs_psu
from constraints.rules.power import LOW_LINE_V, unknown_draw

if TYPE_CHECKING:
    from constraints.build import Case
    from constraints.model.family_model import FamilyModel

CORD_ENDS = {"C14": "C13-C14", "C20": "C19-C20"}
"""Inlet of a supply -> connectors of its cord."""
MOST_CORDS = 32
HEIGHTS = {
    (False, False): (
        N_("{nodes} per rack takes {taken} U, within its {height} U"),
        N_("{nodes} per rack takes {taken} U, more than its {height} U"),
    ),
    (False, True): (
        N_("{nodes} per rack take {taken} U, within its {height} U"),
        N_("{nodes} per rack take {taken} U, more than its {height} U"),
    ),
    (True, False): (
        N_("{nodes} per rack with shared gear takes {taken} U, within its {height} U"),
        N_("{nodes} per rack with shared gear takes {taken} U, more than its {height} U"),
    ),
    (True, True): (
        N_("{nodes} per rack with shared gear take {taken} U, within its {height} U"),
        N_("{nodes} per rack with shared gear take {taken} U, more than its {height} U"),
    ),
}
"""(shared gear in the racks, several nodes) -> what is said of a rack that is high enough, and of one that is not."""
"""Supplies of a node at most."""


def most_per_rack(units: int | None, tallest: int, nodes: int) -> int:
    """Nodes of `units` rack units (1 where nobody published them) that the tallest rack may hold by height; of those
    that there are, and at least 1."""
    return max(1, min(nodes, tallest // (units or 1)))


def node_kg(platform: Platform, policy: Policy) -> int:
    """Weight of a node, rounded up; by rack units where nobody published it."""
    return -int(-(platform.weight_kg or 0) // 1) or policy.whole("rack.kg_per_unit") * (platform.rack_units or 1)


def own_rack(platform: Platform) -> bool:
    """A rack-scale system brings its rack, power and cooling."""
    return platform.kind == Kind.SYSTEM and (platform.rack_units is None or platform.rack_units > 40)


def air_w(load_w: Any, platform: Platform, policy: Policy) -> Any:
    """100 x the heat that a node gives to the air."""
    share = policy.whole("cooling.liquid_residual_percent") if "air" not in platform.cooling else 100
    return share * load_w


def cord_links(candidates: list[Link]) -> dict[str, list[Link]]:
    """Inlet -> power cords."""
    return {i: [x for x in candidates if x.medium == "power" and x.end_a == e] for i, e in CORD_ENDS.items()}


def racked(platform: Platform) -> bool:
    return platform.rack_mount and not own_rack(platform)


class RackRule(Rule):
    id = "rack"
    title = N_("Rack")
    phase = "shared"
    cured_by = frozenset({"rack", "pdu", "cable"})
    settles = frozenset({"rack", "pdu", "cable", "cooling"})

    def encode(self, model: FamilyModel) -> None:
        cp, policy = model.cp, model.policy
        mounted = [(platform, literal) for platform, literal in model.platform.items() if racked(platform)]
        if not mounted:
            return
        in_rack, exact = (
            sum(literal for _, literal in mounted),
            model.request.no_surplus or wants_exact(model.request, model.catalog),
        )
        racks = [rack for rack in model.candidates.racks if rack.id in model.book.prices]
        tallest = max((rack.rack_units for rack in racks), default=1)
        if "racks" in model.request.have:
            tallest = policy.whole("rack.max_units")
        most_in = max(most_per_rack(p.rack_units, tallest, max(model.node_counts)) for p, _ in mounted)
        per_rack = {a: cp.new_bool_var(f"per_rack{a}") for a in range(1, most_in + 1)}
        cp.add(sum(per_rack.values()) == in_rack)
        units, kg, watts = sum(model.shared_units), sum(model.shared_kg), sum(model.shared_w)
        for a, is_a in per_rack.items():
            for p, literal in mounted:
                share = air_w(1, p, policy)
                cp.add(
                    a * share * model.node_w + 100 * watts <= 100 * policy.whole("cooling.rack_air_w")
                ).only_enforce_if(is_a, literal)
            for nodes, is_n in model.node_counts.items():
                cp.add(model.racks_needed >= -(-nodes // a)).only_enforce_if(is_a, is_n)
                if exact:
                    cp.add(model.racks_needed <= -(-nodes // a)).only_enforce_if(is_a, is_n)
        if "racks" in model.request.have:
            for a, is_a in per_rack.items():
                for p, literal in mounted:
                    cp.add(a * (p.rack_units or 1) + units <= policy.whole("rack.max_units")).only_enforce_if(
                        is_a, literal
                    )
            return
        pdus = [x for x in model.candidates.pdus if x.id in model.book.prices]
        rack_kind = {rack: cp.new_bool_var(rack.id) for rack in racks}
        pdu_kind = {x: cp.new_bool_var(x.id) for x in pdus}
        most = max(model.node_counts)
        for kinds, each in ((rack_kind, 1), (pdu_kind, 2)):
            cp.add(sum(kinds.values()) == in_rack)
            for x, chosen in kinds.items():
                q = cp.new_int_var(0, 2 * most, x.id)
                cp.add(q >= each * model.racks_needed).only_enforce_if(chosen)
                model.add_shared(x, 1, q)
                if exact or model.book.by_quantity:  # pieces may be free
                    cp.add(q <= each * model.racks_needed)
                    cp.add(q == 0).only_enforce_if(~chosen)
        volts = model.request.line_volts or policy.whole("power.line_volts")
        for a, is_a in per_rack.items():
            for x, chosen in rack_kind.items():
                for p, literal in mounted:
                    cp.add(a * (p.rack_units or 1) + units <= x.rack_units).only_enforce_if(is_a, literal, chosen)
                    cp.add(a * node_kg(p, policy) + kg <= x.load_kg).only_enforce_if(is_a, literal, chosen)
            for d, chosen in pdu_kind.items():
                if (d.volts >= LOW_LINE_V) != (volts >= LOW_LINE_V):
                    cp.add(chosen == 0)
                cp.add(100 * (a * model.node_w + watts) <= pdu_efficiency(policy) * d.power_w).only_enforce_if(
                    is_a, chosen
                )
        self._cords(model, mounted, per_rack, pdu_kind)

    def _cords(
        self,
        model: FamilyModel,
        mounted: list[tuple[Platform, Any]],
        per_rack: dict[int, Any],
        pdus: dict[Pdu, Any],
    ) -> None:
        cords = cord_links(
            [part for part in model.catalog.of(Kind.CABLE) if isinstance(part, Link) and part.id in model.book.prices]
        )
        plugs: list[tuple[str, int, list[Any]]] = []
        for p, literal in mounted:
            b = included_bank(p, model.catalog)
            if not needs_psu(p) and b is not None:
                plugs.append((b.inlet, b.fitted, [literal]))
        in_rack = [literal for _, literal in mounted]
        for (u, fitted, _), literal in model.psu.items():
            for w in in_rack:
                plugs.append((u.inlet, fitted, [literal, w]))
        need = {i: model.cp.new_int_var(0, MOST_CORDS, f"cords {i}") for i in cords}
        for inlet, fitted, when in plugs:
            model.cp.add(need[inlet] >= fitted).only_enforce_if(*when)
            for d, chosen in pdus.items():
                outlets = d.outlets_c19 if inlet == "C20" else d.outlets_c13
                for a, is_a in per_rack.items():
                    if a * fitted > 2 * outlets:
                        model.cp.add_bool_or([~chosen, ~is_a, *(~w for w in when)])
        for inlet, options in cords.items():
            if not options:
                model.cp.add(need[inlet] == 0)
                continue
            if model.request.no_surplus or model.request.max_sellers is not None:
                supplies = {when[0].index: f * when[0] for i, f, when in plugs if i == inlet}
                model.cp.add(need[inlet] <= sum(supplies.values()))
                model.cp.add(need[inlet] <= MOST_CORDS * sum(in_rack))
                taken = {option.id: model.cp.new_int_var(0, MOST_CORDS, option.id) for option in options}
                model.cp.add(sum(taken.values()) == need[inlet])
                for cord, qty in taken.items():
                    model.extra_node_qty.setdefault(cord, []).append(qty)
                continue
            steady = [option for option in options if not model.book.prices[option.id].by_quantity]
            kinds = [option for option in options if option not in steady]
            kinds += [min(steady, key=lambda x: (model.book.prices[x.id].cents, x.id))] if steady else []
            pieces = [need[inlet]] if len(kinds) == 1 else [model.cp.new_int_var(0, MOST_CORDS, x.id) for x in kinds]
            model.cp.add(sum(pieces) == need[inlet])
            for x, qty in zip(kinds, pieces, strict=True):
                model.extra_node_qty.setdefault(x.id, []).append(qty)

    def check(self, case: Case) -> list[Check]:
        platform, policy = case.platform, case.policy
        if not racked(platform):
            return [
                Check.of(
                    self.id,
                    True,
                    "the nodes stand on their own: no rack is needed"
                    if not platform.rack_mount
                    else "each node brings its own rack",
                )
            ]
        shared, units = gear(case), gear_units(case)
        kg = sum(round(x.weight_kg) * q for x, q in shared)
        racks = racks_in(case)
        have = "racks" in case.request.have
        a = -(-case.build.nodes // racks) if racks else 1
        found = []
        if have:
            most = policy.whole("rack.max_units")
            found.append(self._height(a, units, a * (platform.rack_units or 1) + units, most))
        if not have:
            kinds = [(part, pieces) for part, pieces in case.parts(Rack, shared=True) if isinstance(part, Rack)]
            if len(kinds) != 1:
                return [Check.of(self.id, False, "needs racks of one kind (or --have racks)")]
            rack = kinds[0][0]
            found.append(self._height(a, units, a * (platform.rack_units or 1) + units, rack.rack_units))
            weight, bears = a * node_kg(platform, policy) + kg, figure(rack.load_kg)
            found.append(
                Check.at_most(
                    self.id,
                    weight,
                    rack.load_kg,
                    "kg",
                    message(
                        "the equipment of a rack weighs {a} kg, within the {b} kg that it bears",
                        a=f"{weight:,}",
                        b=bears,
                    ),
                    message(
                        "the equipment of a rack weighs {a} kg, more than the {b} kg that it bears",
                        a=f"{weight:,}",
                        b=bears,
                    ),
                )
            )
            found += self._pdu_checks(case, a, racks)
        if case.power_unknown:
            return [*found, Check.of(self.id, False, unknown_draw(case))]
        heat = math.ceil((a * air_w(case.load_w, platform, policy) + 100 * shared_w(case)) / 100)
        most_w = policy.whole("cooling.rack_air_w")
        found.append(
            Check.at_most(
                self.id,
                heat,
                most_w,
                "W",
                message(
                    "a rack gives {a} W of heat to the air, within the {b} W that the room takes per rack",
                    a=f"{heat:,}",
                    b=f"{most_w:,}",
                ),
                message(
                    "a rack gives {a} W of heat to the air, more than the {b} W that the room takes per rack",
                    a=f"{heat:,}",
                    b=f"{most_w:,}",
                ),
            )
        )
        return found

    def _height(self, nodes: int, gear_units: int, taken: int, most: int) -> Check:
        """Rack units of the fullest rack, with those of shared gear."""
        passing, failing = HEIGHTS[bool(gear_units), nodes > 1]
        said = {"nodes": counted(nodes, "node"), "taken": taken, "height": most}
        return Check.at_most(self.id, taken, most, "units", message(passing, **said), message(failing, **said))

    def _pdu_checks(self, case: Case, a: int, racks: int) -> list[Check]:
        pdus = [(part, pieces) for part, pieces in case.parts(Pdu, shared=True) if isinstance(part, Pdu)]
        if len(pdus) != 1:
            return [Check.of(self.id, False, "needs PDUs of one kind, two per rack")]
        pdu, qty = pdus[0]
        wall = math.ceil(100 * (a * case.load_w + shared_w(case)) / pdu_efficiency(case.policy))
        found = [
            Check.at_least(
                self.id,
                qty,
                2 * racks,
                "pieces",
                message("PDUs: {a}, two for each rack take {b}", a=qty, b=2 * racks),
                message("PDUs: {a}, fewer than two for each rack ({b})", a=qty, b=2 * racks),
            ),
        ]
        if not case.power_unknown:
            found.append(
                Check.at_most(
                    self.id,
                    wall,
                    pdu.power_w,
                    "W",
                    message(
                        "a rack draws {a} W, within the {b} W that each PDU carries alone",
                        a=f"{wall:,}",
                        b=f"{pdu.power_w:,}",
                    ),
                    message(
                        "a rack draws {a} W, more than the {b} W that each PDU carries alone",
                        a=f"{wall:,}",
                        b=f"{pdu.power_w:,}",
                    ),
                )
            )
        psus = case.psus
        if psus is not None:
            outlets = 2 * (pdu.outlets_c19 if psus.inlet == "C20" else pdu.outlets_c13)
            plugs, kind = a * psus.fitted, CORD_ENDS[psus.inlet].partition("-")[0]
            cords = sum(
                pieces
                for part, pieces in case.parts(Link)
                if isinstance(part, Link) and part.end_a == CORD_ENDS[psus.inlet]
            )
            found += [
                Check.at_most(
                    self.id,
                    plugs,
                    outlets,
                    "outlets",
                    message("{kind} outlets of a rack: {a} needed, {b} available", kind=kind, a=plugs, b=outlets),
                    message("{kind} outlets of a rack: {a} needed, only {b} available", kind=kind, a=plugs, b=outlets),
                ),
                Check.at_least(
                    self.id,
                    cords,
                    psus.fitted,
                    "pieces",
                    message("power cords per node: {a} for {why}", a=cords, why=counted(psus.fitted, "supply")),
                    message("power cords per node: only {a} for {why}", a=cords, why=counted(psus.fitted, "supply")),
                ),
            ]
            if (pdu.volts >= LOW_LINE_V) != (case.line_volts >= LOW_LINE_V):
                found.append(
                    Check.of(
                        self.id,
                        False,
                        message("the PDU is for {a} V, the line has {b} V", a=pdu.volts, b=case.line_volts),
                    )
                )
        return found


def pdu_efficiency(policy: Policy) -> int:
    """Supplies of racked servers are counted at the Platinum efficiency."""
    return policy.whole("power.efficiency_platinum_percent")


def racks_in(case: Case) -> int:
    """Racks bought; where the site has them, the fewest that hold the nodes."""
    if not racked(case.platform):
        return 0
    if "racks" not in case.request.have:
        return sum(pieces for _, pieces in case.parts(Rack, shared=True))
    heat = max(1, air_w(case.load_w, case.platform, case.policy))
    fit = min(
        (case.policy.whole("rack.max_units") - gear_units(case)) // (case.platform.rack_units or 1),
        100 * (case.policy.whole("cooling.rack_air_w") - shared_w(case)) // heat,
    )
    return -(-case.build.nodes // fit) if fit > 0 else 0


def gear(case: Case) -> list[tuple[Switch | Cooling, int]]:
    """Switches, CDUs and what else of liquid cooling the nodes share."""
    found = case.parts(Switch, shared=True) + case.parts(Cooling, shared=True)
    return [(x, q) for x, q in found if isinstance(x, Switch | Cooling)]


def gear_units(case: Case) -> int:
    """Rack units of what the nodes share."""
    return sum(x.rack_units * q for x, q in gear(case))
