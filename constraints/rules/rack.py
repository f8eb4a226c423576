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


def node_kg(p: Platform, policy: Policy) -> int:
    """Weight of a node, rounded up; by rack units where nobody published it."""
    return -int(-(p.weight_kg or 0) // 1) or policy.whole("rack.kg_per_unit") * (p.rack_units or 1)


def own_rack(p: Platform) -> bool:
    """A rack-scale system brings its rack, power and cooling."""
    return p.kind == Kind.SYSTEM and (p.rack_units is None or p.rack_units > 40)


def air_w(load_w: Any, p: Platform, policy: Policy) -> Any:
    """100 x the heat that a node gives to the air."""
    share = policy.whole("cooling.liquid_residual_percent") if "air" not in p.cooling else 100
    return share * load_w


def cord_links(candidates: list[Link]) -> dict[str, list[Link]]:
    """Inlet -> power cords."""
    return {i: [x for x in candidates if x.medium == "power" and x.end_a == e] for i, e in CORD_ENDS.items()}


def racked(p: Platform) -> bool:
    return p.rack_mount and not own_rack(p)


class RackRule(Rule):
    id = "rack"
    title = N_("Rack")
    phase = "shared"
    cured_by = frozenset({"rack", "pdu", "cable"})
    settles = frozenset({"rack", "pdu", "cable", "cooling"})

    def encode(self, m: FamilyModel) -> None:
        cp, policy = m.cp, m.policy
        mounted = [(p, v) for p, v in m.platform.items() if racked(p)]
        if not mounted:
            return
        in_rack, exact = sum(v for _, v in mounted), m.request.no_surplus or wants_exact(m.request, m.catalog)
        racks = [x for x in m.candidates.racks if x.id in m.book.prices]
        tallest = max((x.rack_units for x in racks), default=1)
        if "racks" in m.request.have:
            tallest = policy.whole("rack.max_units")
        most_in = max(most_per_rack(p.rack_units, tallest, max(m.node_counts)) for p, _ in mounted)
        per_rack = {a: cp.new_bool_var(f"per_rack{a}") for a in range(1, most_in + 1)}
        cp.add(sum(per_rack.values()) == in_rack)
        units, kg, watts = sum(m.shared_units), sum(m.shared_kg), sum(m.shared_w)
        for a, is_a in per_rack.items():
            for p, v in mounted:
                share = air_w(1, p, policy)
                cp.add(a * share * m.node_w + 100 * watts <= 100 * policy.whole("cooling.rack_air_w")).only_enforce_if(
                    is_a, v
                )
            for n, is_n in m.node_counts.items():
                cp.add(m.racks_needed >= -(-n // a)).only_enforce_if(is_a, is_n)
                if exact:
                    cp.add(m.racks_needed <= -(-n // a)).only_enforce_if(is_a, is_n)
        if "racks" in m.request.have:
            for a, is_a in per_rack.items():
                for p, v in mounted:
                    cp.add(a * (p.rack_units or 1) + units <= policy.whole("rack.max_units")).only_enforce_if(is_a, v)
            return
        pdus = [x for x in m.candidates.pdus if x.id in m.book.prices]
        rack_kind = {x: cp.new_bool_var(x.id) for x in racks}
        pdu_kind = {x: cp.new_bool_var(x.id) for x in pdus}
        most = max(m.node_counts)
        for kinds, each in ((rack_kind, 1), (pdu_kind, 2)):
            cp.add(sum(kinds.values()) == in_rack)
            for x, chosen in kinds.items():
                q = cp.new_int_var(0, 2 * most, x.id)
                cp.add(q >= each * m.racks_needed).only_enforce_if(chosen)
                m.add_shared(x, 1, q)
                if exact or m.book.by_quantity:  # pieces may be free
                    cp.add(q <= each * m.racks_needed)
                    cp.add(q == 0).only_enforce_if(~chosen)
        volts = m.request.line_volts or policy.whole("power.line_volts")
        for a, is_a in per_rack.items():
            for x, chosen in rack_kind.items():
                for p, v in mounted:
                    cp.add(a * (p.rack_units or 1) + units <= x.rack_units).only_enforce_if(is_a, v, chosen)
                    cp.add(a * node_kg(p, policy) + kg <= x.load_kg).only_enforce_if(is_a, v, chosen)
            for d, chosen in pdu_kind.items():
                if (d.volts >= LOW_LINE_V) != (volts >= LOW_LINE_V):
                    cp.add(chosen == 0)
                cp.add(100 * (a * m.node_w + watts) <= pdu_efficiency(policy) * d.power_w).only_enforce_if(is_a, chosen)
        self._cords(m, mounted, per_rack, pdu_kind)

    def _cords(
        self,
        m: FamilyModel,
        mounted: list[tuple[Platform, Any]],
        per_rack: dict[int, Any],
        pdus: dict[Pdu, Any],
    ) -> None:
        cords = cord_links([x for x in m.catalog.of(Kind.CABLE) if isinstance(x, Link) and x.id in m.book.prices])
        plugs: list[tuple[str, int, list[Any]]] = []
        for p, v in mounted:
            b = included_bank(p, m.catalog)
            if not needs_psu(p) and b is not None:
                plugs.append((b.inlet, b.fitted, [v]))
        in_rack = [v for _, v in mounted]
        for (u, fitted, _), v in m.psu.items():
            for w in in_rack:
                plugs.append((u.inlet, fitted, [v, w]))
        need = {i: m.cp.new_int_var(0, MOST_CORDS, f"cords {i}") for i in cords}
        for inlet, fitted, when in plugs:
            m.cp.add(need[inlet] >= fitted).only_enforce_if(*when)
            for d, chosen in pdus.items():
                outlets = d.outlets_c19 if inlet == "C20" else d.outlets_c13
                for a, is_a in per_rack.items():
                    if a * fitted > 2 * outlets:
                        m.cp.add_bool_or([~chosen, ~is_a, *(~w for w in when)])
        for inlet, options in cords.items():
            if not options:
                m.cp.add(need[inlet] == 0)
                continue
            if m.request.no_surplus or m.request.max_sellers is not None:
                supplies = {when[0].index: f * when[0] for i, f, when in plugs if i == inlet}
                m.cp.add(need[inlet] <= sum(supplies.values()))
                m.cp.add(need[inlet] <= MOST_CORDS * sum(in_rack))
                taken = {x.id: m.cp.new_int_var(0, MOST_CORDS, x.id) for x in options}
                m.cp.add(sum(taken.values()) == need[inlet])
                for cord, qty in taken.items():
                    m.extra_node_qty.setdefault(cord, []).append(qty)
                continue
            steady = [x for x in options if not m.book.prices[x.id].by_quantity]
            kinds = [x for x in options if x not in steady]
            kinds += [min(steady, key=lambda x: (m.book.prices[x.id].cents, x.id))] if steady else []
            pieces = [need[inlet]] if len(kinds) == 1 else [m.cp.new_int_var(0, MOST_CORDS, x.id) for x in kinds]
            m.cp.add(sum(pieces) == need[inlet])
            for x, qty in zip(kinds, pieces, strict=True):
                m.extra_node_qty.setdefault(x.id, []).append(qty)

    def check(self, c: Case) -> list[Check]:
        p, policy = c.platform, c.policy
        if not racked(p):
            return [
                Check.of(
                    self.id,
                    True,
                    "the nodes stand on their own: no rack is needed"
                    if not p.rack_mount
                    else "each node brings its own rack",
                )
            ]
        shared, units = gear(c), gear_units(c)
        kg = sum(round(x.weight_kg) * q for x, q in shared)
        racks = racks_in(c)
        have = "racks" in c.request.have
        a = -(-c.build.nodes // racks) if racks else 1
        found = []
        if have:
            most = policy.whole("rack.max_units")
            found.append(self._height(a, units, a * (p.rack_units or 1) + units, most))
        if not have:
            kinds = [(x, q) for x, q in c.parts(Rack, shared=True) if isinstance(x, Rack)]
            if len(kinds) != 1:
                return [Check.of(self.id, False, "needs racks of one kind (or --have racks)")]
            rack = kinds[0][0]
            found.append(self._height(a, units, a * (p.rack_units or 1) + units, rack.rack_units))
            weight, bears = a * node_kg(p, policy) + kg, figure(rack.load_kg)
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
            found += self._pdu_checks(c, a, racks)
        if c.power_unknown:
            return [*found, Check.of(self.id, False, unknown_draw(c))]
        heat = math.ceil((a * air_w(c.load_w, p, policy) + 100 * shared_w(c)) / 100)
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

    def _pdu_checks(self, c: Case, a: int, racks: int) -> list[Check]:
        pdus = [(x, q) for x, q in c.parts(Pdu, shared=True) if isinstance(x, Pdu)]
        if len(pdus) != 1:
            return [Check.of(self.id, False, "needs PDUs of one kind, two per rack")]
        pdu, qty = pdus[0]
        wall = math.ceil(100 * (a * c.load_w + shared_w(c)) / pdu_efficiency(c.policy))
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
        if not c.power_unknown:
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
        b = c.psus
        if b is not None:
            outlets = 2 * (pdu.outlets_c19 if b.inlet == "C20" else pdu.outlets_c13)
            plugs, kind = a * b.fitted, CORD_ENDS[b.inlet].partition("-")[0]
            cords = sum(q for x, q in c.parts(Link) if isinstance(x, Link) and x.end_a == CORD_ENDS[b.inlet])
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
                    b.fitted,
                    "pieces",
                    message("power cords per node: {a} for {why}", a=cords, why=counted(b.fitted, "supply")),
                    message("power cords per node: only {a} for {why}", a=cords, why=counted(b.fitted, "supply")),
                ),
            ]
            if (pdu.volts >= LOW_LINE_V) != (c.line_volts >= LOW_LINE_V):
                found.append(
                    Check.of(
                        self.id, False, message("the PDU is for {a} V, the line has {b} V", a=pdu.volts, b=c.line_volts)
                    )
                )
        return found


def pdu_efficiency(policy: Policy) -> int:
    """Supplies of racked servers are counted at the Platinum efficiency."""
    return policy.whole("power.efficiency_platinum_percent")


def racks_in(c: Case) -> int:
    """Racks bought; where the site has them, the fewest that hold the nodes."""
    if not racked(c.platform):
        return 0
    if "racks" not in c.request.have:
        return sum(q for _, q in c.parts(Rack, shared=True))
    heat = max(1, air_w(c.load_w, c.platform, c.policy))
    fit = min(
        (c.policy.whole("rack.max_units") - gear_units(c)) // (c.platform.rack_units or 1),
        100 * (c.policy.whole("cooling.rack_air_w") - shared_w(c)) // heat,
    )
    return -(-c.build.nodes // fit) if fit > 0 else 0


def gear(c: Case) -> list[tuple[Switch | Cooling, int]]:
    """Switches, CDUs and what else of liquid cooling the nodes share."""
    found = c.parts(Switch, shared=True) + c.parts(Cooling, shared=True)
    return [(x, q) for x, q in found if isinstance(x, Switch | Cooling)]


def gear_units(c: Case) -> int:
    """Rack units of what the nodes share."""
    return sum(x.rack_units * q for x, q in gear(c))
