"""Rule power: worst-case load against the supplies, with redundancy, transients, line voltage, cords and circuit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from catalogs.message import N_, message
from constraints.build import PsuBank, bank, efficiency_percent, gear, included_bank, total_w
from constraints.physics.circuits import Region, breaker_percent, carried_w, circuit_for, circuit_words
from constraints.physics.couplers import coupler_centiamps, standard_in
from constraints.physics.draw import gear_w, grade_percent, unknown_w
from constraints.physics.markets import line_volts, region_at
from constraints.policy import Policy
from constraints.request import Circuit, Request
from constraints.rule import Check, Rule, figure
from constraints.rules.fit import needs_psu

if TYPE_CHECKING:
    from constraints.build import Case
    from constraints.model.family_model import FamilyModel

LOW_LINE_V = 200
ADVISED_LEFT_PERCENT = 80
"""Of the supplies that are left when the spare ones have failed: a load above it is warned of."""
AMPERES = {
    True: (
        N_(
            "with the spare ones failed a supply takes {a} A at {volts} V, within the {b} A that its {inlet} inlet, "
            "cord and outlet carry for hours ({standard})"
        ),
        N_(
            "with the spare ones failed a supply takes {a} A at {volts} V, more than the {b} A that its {inlet} inlet, "
            "cord and outlet carry for hours ({standard})"
        ),
    ),
    False: (
        N_(
            "a supply takes {a} A at {volts} V, within the {b} A that its {inlet} inlet, cord and outlet carry for "
            "hours ({standard})"
        ),
        N_(
            "a supply takes {a} A at {volts} V, more than the {b} A that its {inlet} inlet, cord and outlet carry for "
            "hours ({standard})"
        ),
    ),
}
"""Whether a bank has spare supplies -> what is said of a current that its cords carry, and of one that they do not."""
NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


def watts_at(supplies: PsuBank, volts: int) -> int:
    """Output of one supply at the line voltage."""
    return supplies.watts if volts >= LOW_LINE_V else supplies.watts_low_line


def node_limit_w(supplies: PsuBank, volts: int, policy: Policy, region: Region | None) -> int:
    """The largest node load that the bank and its cords may carry: with its spare supplies (N+1, 3+3) failed too."""
    by_cords = cords_limit_w(supplies, volts, policy, region)
    by_bank = bank_limit_w(supplies, volts, policy)
    return by_bank if by_cords is None else min(by_bank, by_cords)


def cords_limit_w(supplies: PsuBank, volts: int, policy: Policy, region: Region | None) -> int | None:
    """The largest node load that the inlets, cords and outlets of the supplies that must carry it let in, rounded down;
    None where nobody states the inlet. A supply takes its share of the load over its efficiency and the line voltage;
    supplies of this size correct their power factor to nearly 1 (docs/power.md)."""
    centiamps = coupler_centiamps(supplies.inlet, policy, region)
    if centiamps is None:
        return None
    return grade_percent(supplies.efficiency, policy) * supplies.needed * volts * centiamps // 10_000


def bank_limit_w(supplies: PsuBank, volts: int, policy: Policy) -> int:
    """The largest node load that the supplies of a bank may carry, their cords aside."""
    # Rounded down, and the load up: what is within it keeps the limit exactly.
    all_fitted = policy.whole("power.psu_load_percent") * supplies.fitted * watts_at(supplies, volts) // 100
    surviving = policy.whole("power.surviving_load_percent") * supplies.needed * watts_at(supplies, volts) // 100
    return min(all_fitted, surviving)


def transient_extra_w(gpu_w: int, policy: Policy) -> int:
    """What GPU transients add to the load on ATX supplies, rounded up."""
    return -((100 - policy.whole("power.atx_transient_percent")) * gpu_w // 100)


def circuit_limit_w(circuit: Circuit, request: Request, policy: Policy) -> int:
    """Continuous power of a breaker where a request's buyer is."""
    return carried_w(circuit, policy, region_at(circuit.supply_volts, request))


class Power(Rule):
    id = "power"
    title = N_("Power")
    phase = "shared"
    cured_by = frozenset({"psu", "pdu"})
    loaded_by = frozenset({"gpu", "cpu", "memory", "drive", "nic"})
    settles = frozenset({"psu"})

    def encode(self, model: FamilyModel) -> None:
        policy, request = model.policy, model.request
        volts = line_volts(request, policy)
        region = region_at(volts, request)
        gpu_w = sum(model.per_node * row.key.cap_w * chosen for row, chosen in model.rows.items())
        breaker_w = circuit_limit_w(request.circuit, request, policy) if request.circuit else None
        if breaker_w is not None:
            model.cp.add(model.total_w + sum(model.shared_w) <= breaker_w)

        def hold(supplies: PsuBank, literal: object) -> None:
            model.cp.add(model.node_w <= node_limit_w(supplies, volts, policy, region)).only_enforce_if(literal)
            if supplies.atx:
                # A transient lasts too short for the other limit to see it, and ATX supplies have no reserve for it.
                extra = policy.whole("power.atx_transient_percent") - 100
                most = 100 * supplies.fitted * watts_at(supplies, volts)
                model.cp.add(100 * model.node_w + extra * gpu_w <= most).only_enforce_if(literal)

        for platform, literal in model.platform.items():
            if needs_psu(platform):
                continue
            supplies = included_bank(platform, model.catalog)
            # Built in, of unknown figures: its maker vouches for the load.
            if supplies is not None:
                hold(supplies, literal)
        for (psu, fitted, needed), literal in model.psu.items():
            hold(bank(psu, fitted, needed), literal)

    def check(self, case: Case) -> list[Check]:
        found: list[Check] = []
        psus, volts = case.psus, case.line_volts
        not_known = psus is None and needs_psu(case.platform) and "psu" in case.build.unknown
        if psus is None and needs_psu(case.platform) and not not_known:
            return [Check.of(self.id, False, "a node needs power supplies of one kind")]
        if case.power_unknown:
            return [Check.of(self.id, False, unknown_draw(case))]
        if not_known:
            text = message(
                "not judged: the power supplies of the machine are not known; a node draws {w} W", w=f"{case.load_w:,}"
            )
            found.append(Check.warn(self.id, text))
        if psus is not None:
            found += self._bank(case, psus, watts_at(psus, volts))
        if case.request.circuit:
            circuit = case.request.circuit
            wall = total_w(case)
            limit = circuit_limit_w(circuit, case.request, case.policy)
            of = message(
                "{percent} % of a circuit of {circuit}",
                percent=breaker_percent(case.policy, case.region),
                circuit=circuit_words(circuit),
            )
            found.append(
                Check.at_most(
                    self.id,
                    wall,
                    limit,
                    "W",
                    message("{w} W at the wall is within {limit} W ({why})", w=f"{wall:,}", limit=f"{limit:,}", why=of),
                    message("{w} W at the wall exceeds {limit} W ({why})", w=f"{wall:,}", limit=f"{limit:,}", why=of),
                )
            )
        if not found:
            text = message("the supply is built in; a node draws {w} W", w=f"{case.load_w:,}")
            found.append(Check.of(self.id, True, text))
        return [*found, *_wall_outlets(case), *_estimated(case)]

    def _bank(self, case: Case, supply_bank: PsuBank, each: int) -> list[Check]:
        """The load of a node against its supplies, which give `each` watts at the line voltage."""
        if each == 0:
            return [
                Check.of(self.id, False, message("the supplies are not specified for {volts} V", volts=case.line_volts))
            ]
        limit = bank_limit_w(supply_bank, case.line_volts, case.policy)
        of = _share_of_bank(supply_bank, each, limit, case.policy)
        found = [
            Check.at_most(
                self.id,
                case.load_w,
                limit,
                "W",
                message("{w} W is within {limit} W ({why})", w=f"{case.load_w:,}", limit=f"{limit:,}", why=of),
                message("{w} W exceeds {limit} W ({why})", w=f"{case.load_w:,}", limit=f"{limit:,}", why=of),
            )
        ]
        if supply_bank.atx:
            peak, most = (
                case.load_w + transient_extra_w(case.gpus_w, case.policy),
                supply_bank.fitted * each,
            )
            found.append(
                Check.at_most(
                    self.id,
                    peak,
                    most,
                    "W",
                    message(
                        "{w} W with GPU transients is within the {limit} W of the ATX supplies",
                        w=f"{peak:,}",
                        limit=f"{most:,}",
                    ),
                    message(
                        "{w} W with GPU transients exceeds the {limit} W of the ATX supplies",
                        w=f"{peak:,}",
                        limit=f"{most:,}",
                    ),
                )
            )
        found.append(_amperes(case, supply_bank))
        if supply_bank.fitted == supply_bank.needed > 1 and not case.platform.psu_redundancy:
            found.append(Check.warn(self.id, "how many supplies are spare is not published: none is counted as spare"))
        elif supply_bank.fitted == supply_bank.needed:
            found.append(Check.warn(self.id, "the supplies are not redundant"))
        elif case.load_w * 100 > ADVISED_LEFT_PERCENT * supply_bank.needed * each:
            advised = ADVISED_LEFT_PERCENT * supply_bank.needed * each / 100
            left = _of_surviving(ADVISED_LEFT_PERCENT, supply_bank, each)
            text = message(
                "{w} W exceeds the advised {limit} W ({why})", w=f"{case.load_w:,}", limit=figure(advised), why=left
            )
            found.append(Check.warn(self.id, text, case.load_w, advised, "W", "at_most"))
        return found


@dataclass(frozen=True)
class Feeds:
    """Circuits that nodes outside racks hang on: `count` of one kind, each with `each` nodes at most."""

    circuit: Circuit
    count: int
    each: int


def tower_feeds(case: Case) -> Feeds | None:
    """What nodes that stand outside racks plug into: ordinary wall circuits of the region where these carry a node,
    else the smallest circuit to be had that does, one for each node; None where none is big enough."""
    region, nodes = case.region, case.build.nodes
    if region is None:
        return None
    each = carried_w(region.wall, case.policy, region) // case.wall_w
    if each and _supplies_hold(case, region.wall.volts):
        return Feeds(region.wall, -(-nodes // each), min(each, nodes))
    # An outlet of less than 200 V carries no more than the ordinary one: those of the higher voltage come next.
    volts = max(case.line_volts, max(region.volts)) if case.line_volts < LOW_LINE_V else case.line_volts
    circuit = circuit_for(case.wall_w, volts, 1, case.policy, region)
    return Feeds(circuit, nodes, 1) if circuit else None


def _supplies_hold(case: Case, volts: int) -> bool:
    """Whether the supplies of a node carry it at a line voltage, their cords included; built-in ones do."""
    return case.psus is None or node_limit_w(case.psus, volts, case.policy, case.region) >= case.load_w


def feeds_words(feeds: Feeds) -> str:
    """`2 circuits of 16 A at 230 V, 3 nodes on each`."""
    said = {"n": feeds.count, "circuit": circuit_words(feeds.circuit), "nodes": feeds.each}
    if feeds.count == 1:
        return message("a circuit of {circuit}", circuit=said["circuit"])
    if feeds.each == 1:
        return message("{n} circuits of {circuit}, one for each node", n=said["n"], circuit=said["circuit"])
    return message("{n} circuits of {circuit}, {nodes} nodes on each at most", **said)


def _wall_outlets(case: Case) -> list[Check]:
    """A warning where nodes outside racks draw more than one ordinary wall circuit gives, and no circuit is named; with
    one named the whole build is judged on it."""
    region = case.region
    if case.request.circuit or case.platform.rack_mount or region is None:
        return []
    watts, limit = total_w(case), carried_w(region.wall, case.policy, region)
    if watts <= limit:
        return []
    feeds = tower_feeds(case)
    said = {"w": f"{watts:,}", "limit": f"{limit:,}", "circuit": circuit_words(region.wall)}
    if feeds is None:
        text = message(
            "{w} W at the wall is more than the {limit} W of one ordinary wall circuit ({circuit}), and no circuit for "
            "one node is to be had",
            **said,
        )
    else:
        text = message(
            "{w} W at the wall is more than the {limit} W of one ordinary wall circuit ({circuit}): it takes {feeds}",
            **said, feeds=feeds_words(feeds),
        )  # fmt: skip
    return [Check.warn("power", text, watts, limit, "W", "at_most")]


def taken_centiamps(case: Case, supply_bank: PsuBank, volts: int) -> int:
    """Hundredths of an ampere that a supply takes at a line voltage when the spare ones have failed, rounded up: what
    is within a limit as printed keeps it exactly."""
    efficiency = efficiency_percent(supply_bank, case.policy)
    return -(-10_000 * case.load_w // (efficiency * supply_bank.needed * volts))


def _amperes(case: Case, supply_bank: PsuBank) -> Check:
    """The current that a supply takes, when the spare ones have failed, against its inlet, cord and outlet."""
    volts = case.line_volts
    taken = taken_centiamps(case, supply_bank, volts)
    allowed = coupler_centiamps(supply_bank.inlet, case.policy, case.region)
    said = {"a": figure(taken / 100), "volts": volts}
    if allowed is None:
        text = message(
            "nobody states the inlet of the supplies: the {a} A that one takes at {volts} V are not judged", **said
        )
        return Check.warn("power", text, taken / 100, None, "A", "at_most")
    spare = supply_bank.fitted > supply_bank.needed
    said |= {"b": figure(allowed / 100), "inlet": supply_bank.inlet or "", "standard": standard_in(case.region)}
    passing, failing = AMPERES[spare]
    return Check.at_most(
        "power", taken / 100, allowed / 100, "A", message(passing, **said), message(failing, **said)
    )  # fmt: skip


def _estimated(case: Case) -> list[Check]:
    """Warnings about shared gear whose draw is counted by what it carries off."""
    percent = case.policy.whole("cooling.gear_draw_percent")
    return [
        Check.warn(
            "power",
            message(
                "the draw of {part} is not published: {w} W, {percent} % of what it carries off, are counted",
                part=unit.name or unit.id,
                w=f"{gear_w(unit, case.policy):,}",
                percent=percent,
            ),
        )
        for unit, _ in gear(case)
        if unknown_w(unit)
    ]


def unknown_draw(case: Case) -> str:
    """Why no load of a node can be judged."""
    return message("the power draw of {gpu} is not published", gpu=case.power_unknown)


def supplies(pieces: int, watts: int) -> str:
    """`two 3,000 W supplies`."""
    number = NUMBERS[pieces] if pieces < len(NUMBERS) else str(pieces)
    key = "{number} {watts} W supply" if pieces == 1 else "{number} {watts} W supplies"
    return message(key, number=number, watts=f"{watts:,}")


def _share_of_bank(supply_bank: PsuBank, each: int, limit: int, policy: Policy) -> str:
    """What a limit is a share of: of all supplies, or of those left when the spare ones have failed."""
    fitted, surviving = policy.whole("power.psu_load_percent"), policy.whole("power.surviving_load_percent")
    if limit == fitted * supply_bank.fitted * each // 100:
        return message("{percent} % of {supplies}", percent=fitted, supplies=supplies(supply_bank.fitted, each))
    return _of_surviving(surviving, supply_bank, each)


def _of_surviving(percent: int, supply_bank: PsuBank, each: int) -> str:
    return message(
        "{percent} % of {supplies} left when the spare ones have failed",
        percent=percent, supplies=supplies(supply_bank.needed, each),
    )  # fmt: skip
