"""Rule rack: nodes sit whole in racks; racks, PDUs and cords are bought unless the site has them.

Every rack keeps room for all shared gear (switches, CDU): a safe simplification while gear stands in the first rack.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from catalogs.message import N_, message
from catalogs.schema import Kind, Link, Pdu, Platform, Rack
from constraints.build import gear, included_bank, racked_w
from constraints.physics.markets import line_volts
from constraints.physics.weight import gear_kg
from constraints.policy import Policy
from constraints.rule import Check, Rule, counted, figure
from constraints.rules.fit import needs_psu
from constraints.rules.power import LOW_LINE_V, unknown_draw

if TYPE_CHECKING:
    from constraints.build import Case
    from constraints.model.family_model import FamilyModel

P = TypeVar("P", Rack, Pdu)
CORD_ENDS = {"C14": "C13-C14", "C20": "C19-C20"}
"""Inlet of a supply -> connectors of its cord."""
MOST_CORDS = 32
"""Cords of a kind that the model has room for in a node in any case; more where a node has more supplies."""
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
WEIGHTS = {
    False: (
        N_("the equipment of a rack weighs {a} kg, within the {b} kg that it bears"),
        N_("the equipment of a rack weighs {a} kg, more than the {b} kg that it bears"),
    ),
    True: (
        N_(
            "the equipment of a rack weighs {a} kg ({estimated} kg of it estimated by height), "
            "within the {b} kg that it bears"
        ),
        N_(
            "the equipment of a rack weighs {a} kg ({estimated} kg of it estimated by height), "
            "more than the {b} kg that it bears"
        ),
    ),
}
"""Whether a weight in it is unknown -> what is said of a rack that bears its equipment, and of one that does not."""


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


def air_w(load_w: Any, wall_w: Any, platform: Platform, policy: Policy) -> Any:
    """100 x the heat that a node gives to the air: all that it takes from the wall but what liquid carries off of its
    load. Supplies are cooled by air, so that their losses go there."""
    to_liquid = 100 - policy.whole("cooling.liquid_residual_percent") if "air" not in platform.cooling else 0
    return 100 * wall_w - to_liquid * load_w


def cord_links(candidates: list[Link]) -> dict[str, list[Link]]:
    """Inlet -> power cords."""
    return {
        inlet: [cord for cord in candidates if cord.medium == "power" and cord.end_a == end]
        for inlet, end in CORD_ENDS.items()
    }


def racked(platform: Platform) -> bool:
    return platform.rack_mount and not own_rack(platform)


Mounted = list[tuple[Platform, Any]]
"""Platforms that go into racks, with their literals."""


@dataclass(frozen=True)
class _Plug:
    """Supplies of a node: their inlet, how many are fitted, and the literal that holds where they are."""

    inlet: str | None
    fitted: int
    there: Any


class RackRule(Rule):
    id = "rack"
    title = N_("Rack")
    phase = "shared"
    cured_by = frozenset({"rack", "pdu", "cable"})
    settles = frozenset({"rack", "pdu", "cable", "cooling"})

    def encode(self, model: FamilyModel) -> None:
        mounted = [(platform, literal) for platform, literal in model.platform.items() if racked(platform)]
        per_rack = self._nodes_per_rack(model, mounted) if mounted else {}
        self._racks_needed(model, per_rack)
        if not mounted:
            return
        self._heat(model, mounted, per_rack)
        if "racks" in model.request.have:
            self._height_of_the_sites_racks(model, mounted, per_rack)
            return
        in_rack = sum(literal for _, literal in mounted)
        racks = self._bought(
            model, [rack for rack in model.candidates.racks if rack.id in model.book.prices], 1, in_rack
        )
        pdus = self._bought(model, [pdu for pdu in model.candidates.pdus if pdu.id in model.book.prices], 2, in_rack)
        self._height_and_weight(model, mounted, per_rack, racks)
        self._pdu_power(model, per_rack, pdus)
        self._cords(model, mounted, per_rack, pdus)

    def _nodes_per_rack(self, model: FamilyModel, mounted: Mounted) -> dict[int, Any]:
        """Literals of the number of nodes in the fullest rack; none holds where nodes stand on their own."""
        racks = [rack for rack in model.candidates.racks if rack.id in model.book.prices]
        tallest = max((rack.rack_units for rack in racks), default=1)
        if "racks" in model.request.have:
            tallest = model.policy.whole("rack.max_units")
        # By height alone, of the lowest nodes in the tallest rack: the limits below take away what heat, weight, power
        # and shared gear forbid.
        nodes = max(model.node_counts)
        most = max(most_per_rack(platform.rack_units, tallest, nodes) for platform, _ in mounted)
        per_rack = {count: model.cp.new_bool_var(f"per_rack{count}") for count in range(1, most + 1)}
        model.cp.add(sum(per_rack.values()) == sum(literal for _, literal in mounted))
        return per_rack

    def _heat(self, model: FamilyModel, mounted: Mounted, per_rack: dict[int, Any]) -> None:
        """What a rack gives to the air; every rack counted with all shared gear."""
        watts, most = sum(model.racked_w), 100 * model.policy.whole("cooling.rack_air_w")
        for count, is_count in per_rack.items():
            for platform, literal in mounted:
                heat = count * air_w(model.node_w, model.node_wall_w, platform, model.policy) + 100 * watts
                model.cp.add(heat <= most).only_enforce_if(is_count, literal)

    def _racks_needed(self, model: FamilyModel, per_rack: dict[int, Any]) -> None:
        """As many as the nodes fill; none where they stand on their own."""
        for platform, literal in model.platform.items():
            if not racked(platform):
                model.cp.add(model.racks_needed == 0).only_enforce_if(literal)
        for count, is_count in per_rack.items():
            for nodes, is_nodes in model.node_counts.items():
                model.cp.add(model.racks_needed == -(-nodes // count)).only_enforce_if(is_count, is_nodes)

    def _height_of_the_sites_racks(self, model: FamilyModel, mounted: Mounted, per_rack: dict[int, Any]) -> None:
        units, most = sum(model.shared_units), model.policy.whole("rack.max_units")
        for count, is_count in per_rack.items():
            for platform, literal in mounted:
                model.cp.add(count * (platform.rack_units or 1) + units <= most).only_enforce_if(is_count, literal)

    def _bought(self, model: FamilyModel, kinds: list[P], each: int, in_rack: Any) -> dict[P, Any]:
        """Literals of the one kind that is bought, `each` pieces for a rack."""
        cp, literals = model.cp, {kind: model.cp.new_bool_var(kind.id) for kind in kinds}
        cp.add(sum(literals.values()) == in_rack)
        for kind, chosen in literals.items():
            pieces = cp.new_int_var(0, each * max(model.node_counts), kind.id)
            # A half for either value of the literal: one equality over all kinds makes proofs nine times as long
            # (docs/proof.md, Both halves).
            cp.add(pieces == each * model.racks_needed).only_enforce_if(chosen)
            cp.add(pieces == 0).only_enforce_if(~chosen)
            model.add_shared(kind, 1, pieces)
        return literals

    def _height_and_weight(
        self, model: FamilyModel, mounted: Mounted, per_rack: dict[int, Any], racks: dict[Rack, Any]
    ) -> None:
        cp, units, kg = model.cp, sum(model.shared_units), sum(model.shared_kg)
        for count, is_count in per_rack.items():
            for rack, chosen in racks.items():
                for platform, literal in mounted:
                    tall, heavy = platform.rack_units or 1, node_kg(platform, model.policy)
                    cp.add(count * tall + units <= rack.rack_units).only_enforce_if(is_count, literal, chosen)
                    cp.add(count * heavy + kg <= rack.load_kg).only_enforce_if(is_count, literal, chosen)

    def _pdu_power(self, model: FamilyModel, per_rack: dict[int, Any], pdus: dict[Pdu, Any]) -> None:
        """Each of the two PDUs of a rack carries it alone, on the line of the site."""
        watts = sum(model.racked_w)
        volts = line_volts(model.request, model.policy)
        for pdu, chosen in pdus.items():
            if (pdu.volts >= LOW_LINE_V) != (volts >= LOW_LINE_V):
                model.cp.add(chosen == 0)
            for count, is_count in per_rack.items():
                model.cp.add(count * model.node_wall_w + watts <= pdu.power_w).only_enforce_if(is_count, chosen)

    def _cords(self, model: FamilyModel, mounted: Mounted, per_rack: dict[int, Any], pdus: dict[Pdu, Any]) -> None:
        """A cord for each supply of a node, and an outlet for it in each rack."""
        plugs = self._plugs(model, mounted)
        self._outlets(model, plugs, per_rack, pdus)
        on_sale = [
            part for part in model.catalog.of(Kind.CABLE) if isinstance(part, Link) and part.id in model.book.prices
        ]
        most = max([MOST_CORDS, *(plug.fitted for plug in plugs)])
        for inlet, cords in cord_links(on_sale).items():
            pieces = [model.cp.new_int_var(0, most, cord.id) for cord in cords]
            for cord, quantity in zip(cords, pieces, strict=True):
                model.extra_node_qty.setdefault(cord.id, []).append(quantity)
            fitted = [plug for plug in plugs if plug.inlet == inlet]
            # None for inlets that no supply has.
            model.cp.add(sum(pieces) <= sum(plug.fitted * plug.there for plug in fitted))
            for platform, literal in model.platform.items():
                if not racked(platform):
                    model.cp.add(sum(pieces) == 0).only_enforce_if(literal)
                for plug in fitted if racked(platform) else ():
                    model.cp.add(sum(pieces) == plug.fitted).only_enforce_if(plug.there, literal)

    def _plugs(self, model: FamilyModel, mounted: Mounted) -> list[_Plug]:
        """The supplies that a node may have, of the platform's own and of those bought."""
        plugs = [_Plug(supply.inlet, fitted, literal) for (supply, fitted, _), literal in model.psu.items()]
        for platform, literal in mounted:
            bank = included_bank(platform, model.catalog)
            if not needs_psu(platform) and bank is not None:
                plugs.append(_Plug(bank.inlet, bank.fitted, literal))
        return plugs

    def _outlets(self, model: FamilyModel, plugs: list[_Plug], per_rack: dict[int, Any], pdus: dict[Pdu, Any]) -> None:
        for plug in plugs:
            for pdu, chosen in pdus.items() if plug.inlet is not None else ():
                outlets = 2 * (pdu.outlets_c19 if plug.inlet == "C20" else pdu.outlets_c13)
                for count, is_count in per_rack.items():
                    if count * plug.fitted > outlets:
                        model.cp.add_bool_or([~chosen, ~is_count, ~plug.there])

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
        kg = sum(gear_kg(unit, policy) * q for unit, q in shared)
        racks = racks_in(case)
        have = "racks" in case.request.have
        per_rack = -(-case.build.nodes // racks) if racks else 1
        found = []
        if have:
            most = policy.whole("rack.max_units")
            found.append(self._height(per_rack, units, per_rack * (platform.rack_units or 1) + units, most))
        if not have:
            kinds = [(part, pieces) for part, pieces in case.parts(Rack, shared=True) if isinstance(part, Rack)]
            if len(kinds) != 1:
                return [Check.of(self.id, False, "needs racks of one kind (or --have racks)")]
            rack = kinds[0][0]
            found.append(self._height(per_rack, units, per_rack * (platform.rack_units or 1) + units, rack.rack_units))
            weight, bears = per_rack * node_kg(platform, policy) + kg, figure(rack.load_kg)
            estimated = per_rack * node_kg(platform, policy) if platform.weight_kg is None else 0
            estimated += sum(gear_kg(unit, policy) * q for unit, q in shared if unit.weight_kg is None)
            passing, failing = WEIGHTS[bool(estimated)]
            said = {"a": f"{weight:,}", "b": bears} | ({"estimated": f"{estimated:,}"} if estimated else {})
            found.append(
                Check.at_most(self.id, weight, rack.load_kg, "kg", message(passing, **said), message(failing, **said))
            )
            found += self._pdu_checks(case, per_rack, racks)
        if case.power_unknown:
            return [*found, Check.of(self.id, False, unknown_draw(case))]
        heat = -(-(per_rack * air_w(case.load_w, case.wall_w, platform, policy) + 100 * racked_w(case)) // 100)
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

    def _pdu_checks(self, case: Case, per_rack: int, racks: int) -> list[Check]:
        pdus = [(part, pieces) for part, pieces in case.parts(Pdu, shared=True) if isinstance(part, Pdu)]
        if len(pdus) != 1:
            return [Check.of(self.id, False, "needs PDUs of one kind, two per rack")]
        pdu, qty = pdus[0]
        wall = per_rack * case.wall_w + racked_w(case)
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
        if psus is not None and psus.inlet is not None:
            outlets = 2 * (pdu.outlets_c19 if psus.inlet == "C20" else pdu.outlets_c13)
            plugs, kind = per_rack * psus.fitted, CORD_ENDS[psus.inlet].partition("-")[0]
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
                    self.id, False, message("the PDU is for {a} V, the line has {b} V", a=pdu.volts, b=case.line_volts)
                )
            )
        return found


def racks_in(case: Case) -> int:
    """Racks bought; where the site has them, the fewest that hold the nodes."""
    if not racked(case.platform):
        return 0
    if "racks" not in case.request.have:
        return sum(pieces for _, pieces in case.parts(Rack, shared=True))
    heat = max(1, air_w(case.load_w, case.wall_w, case.platform, case.policy))
    fit = min(
        (case.policy.whole("rack.max_units") - gear_units(case)) // (case.platform.rack_units or 1),
        100 * (case.policy.whole("cooling.rack_air_w") - racked_w(case)) // heat,
    )
    return -(-case.build.nodes // fit) if fit > 0 else 0


def gear_units(case: Case) -> int:
    """Rack units of what the nodes share."""
    return sum(unit.rack_units * qty for unit, qty in gear(case))
