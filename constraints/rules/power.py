"""Rule power: worst-case load against the supplies, with redundancy, transients, line voltage and circuit."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, get_args

from catalogs.message import N_, message
from catalogs.schema import Efficiency
from constraints.build import PsuBank, bank, included_bank, shared_w
from constraints.policy import Policy
from constraints.rule import Check, Rule, figure
from constraints.rules.fit import needs_psu

if TYPE_CHECKING:
    from constraints.build import Case
    from constraints.model.family_model import FamilyModel

LOW_LINE_V = 200
ADVISED_LEFT_PERCENT = 80
"""Of the supplies that are left when the spare ones have failed: a load above it is warned of."""
NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


def watts_at(b: PsuBank, volts: int) -> int:
    """Output of one supply at the line voltage."""
    return b.watts if volts >= LOW_LINE_V else b.watts_low_line


def node_limit_w(b: PsuBank, volts: int, policy: Policy) -> int:
    """The largest node load that the bank may carry."""
    all_fitted = policy.whole("power.psu_load_percent") * b.fitted * watts_at(b, volts) // 100
    surviving = policy.whole("power.surviving_load_percent") * b.needed * watts_at(b, volts) // 100
    return min(all_fitted, surviving)


def transient_extra_w(gpu_w: int, policy: Policy) -> int:
    """What GPU transients add to the load on ATX supplies, rounded up."""
    return -((100 - policy.whole("power.atx_transient_percent")) * gpu_w // 100)


def efficiency_percent(b: PsuBank | None, policy: Policy) -> int:
    return grade_percent(b.efficiency if b else "Titanium", policy)


def grade_percent(grade: Efficiency, policy: Policy) -> int:
    """Efficiency at half load that a grade of supplies is counted at."""
    return policy.whole(f"power.efficiency_{grade.lower()}_percent")


def best_efficiency_percent(policy: Policy) -> int:
    """The highest that any supply has: a policy of one's own may order the grades otherwise than their names do."""
    return max(grade_percent(grade, policy) for grade in get_args(Efficiency))


def circuit_limit_w(amps: int, volts: int, policy: Policy) -> int:
    """Continuous power of a breaker."""
    return policy.whole("power.breaker_percent") * amps * volts // 100


class Power(Rule):
    id = "power"
    title = N_("Power")
    phase = "shared"
    cured_by = frozenset({"psu", "pdu"})
    loaded_by = frozenset({"gpu", "cpu", "memory", "drive", "nic"})
    settles = frozenset({"psu"})

    def encode(self, model: FamilyModel) -> None:
        policy, request = model.policy, model.request
        volts = request.line_volts or policy.whole("power.line_volts")
        gpu_w = sum(model.per_node * row.key.cap_w * literal for row, literal in model.rows.items())
        breaker = circuit_limit_w(request.circuit.amps, request.circuit.volts, policy) if request.circuit else None
        switches = sum(model.shared_w)

        def hold(b: PsuBank, *when: object) -> None:
            model.cp.add(model.node_w <= node_limit_w(b, volts, policy)).only_enforce_if(*when)
            if b.atx:
                extra = policy.whole("power.atx_transient_percent") - 100
                model.cp.add(100 * model.node_w + extra * gpu_w <= 100 * b.fitted * watts_at(b, volts)).only_enforce_if(
                    *when
                )
            if breaker is not None:
                model.cp.add(
                    100 * (model.total_w + switches) <= efficiency_percent(b, policy) * breaker
                ).only_enforce_if(*when)

        for platform, literal in model.platform.items():
            if not needs_psu(platform):
                b = included_bank(platform, model.catalog)
                if b is not None:
                    hold(b, literal)
                elif breaker is not None:
                    model.cp.add(
                        100 * (model.total_w + switches) <= efficiency_percent(None, policy) * breaker
                    ).only_enforce_if(literal)
        for (psu, fitted, needed), literal in model.psu.items():
            hold(bank(psu, fitted, needed), literal)

    def check(self, case: Case) -> list[Check]:
        found: list[Check] = []
        psus, volts = case.psus, case.line_volts
        if psus is None and needs_psu(case.platform):
            return [Check.of(self.id, False, "a node needs power supplies of one kind")]
        if case.power_unknown:
            return [Check.of(self.id, False, unknown_draw(case))]
        if psus is not None:
            found += self._bank(case, psus, watts_at(psus, volts))
        if case.request.circuit:
            circuit = case.request.circuit
            wall = wall_w(case)
            limit = circuit_limit_w(circuit.amps, circuit.volts, case.policy)
            of = message(
                "{percent} % of a circuit of {amps} A at {volts} V",
                percent=case.policy.whole("power.breaker_percent"),
                amps=circuit.amps,
                volts=circuit.volts,
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
        return found or [
            Check.of(self.id, True, message("the supply is built in; a node draws {w} W", w=f"{case.load_w:,}"))
        ]

    def _bank(self, case: Case, b: PsuBank, each: int) -> list[Check]:
        """The load of a node against its supplies, which give `each` watts at the line voltage."""
        if each == 0:
            return [
                Check.of(self.id, False, message("the supplies are not specified for {volts} V", volts=case.line_volts))
            ]
        limit = node_limit_w(b, case.line_volts, case.policy)
        of = _share_of_bank(b, each, limit, case.policy)
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
        if b.atx:
            peak, most = case.load_w + transient_extra_w(case.per_node * case.gpu_w, case.policy), b.fitted * each
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
        if b.fitted == b.needed:
            found.append(Check.warn(self.id, "the supplies are not redundant"))
        elif case.load_w * 100 > ADVISED_LEFT_PERCENT * b.needed * each:
            advised = ADVISED_LEFT_PERCENT * b.needed * each / 100
            left = _of_surviving(ADVISED_LEFT_PERCENT, b, each)
            text = message(
                "{w} W exceeds the advised {limit} W ({why})", w=f"{case.load_w:,}", limit=figure(advised), why=left
            )
            found.append(Check.warn(self.id, text, case.load_w, advised, "W", "at_most"))
        return found


def unknown_draw(case: Case) -> str:
    """Why no load of a node can be judged."""
    return message("the power draw of {gpu} is not published", gpu=case.power_unknown)


def wall_w(case: Case) -> int:
    """Power of a build at the wall, rounded up."""
    return math.ceil(
        100 * (case.load_w * case.build.nodes + shared_w(case)) / efficiency_percent(case.psus, case.policy)
    )


def supplies(pieces: int, watts: int) -> str:
    """`two 3,000 W supplies`."""
    number = NUMBERS[pieces] if pieces < len(NUMBERS) else str(pieces)
    key = "{number} {watts} W supply" if pieces == 1 else "{number} {watts} W supplies"
    return message(key, number=number, watts=f"{watts:,}")


def _share_of_bank(b: PsuBank, each: int, limit: int, policy: Policy) -> str:
    """What a limit is a share of: of all supplies, or of those left when the spare ones have failed."""
    fitted, surviving = policy.whole("power.psu_load_percent"), policy.whole("power.surviving_load_percent")
    if limit == fitted * b.fitted * each // 100:
        return message("{percent} % of {supplies}", percent=fitted, supplies=supplies(b.fitted, each))
    return _of_surviving(surviving, b, each)


def _of_surviving(percent: int, b: PsuBank, each: int) -> str:
    return message(
        "{percent} % of {supplies} left when the spare ones have failed",
        percent=percent, supplies=supplies(b.needed, each),
    )  # fmt: skip
