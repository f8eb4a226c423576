"""Rule power: worst-case load against the supplies, with redundancy, transients, line voltage and circuit."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from catalogs.schema import Switch
from constraints.case import PsuBank, bank, fan_percent, included_bank
from constraints.fit import needs_psu
from constraints.policy import Policy
from constraints.rule import Check

if TYPE_CHECKING:
    from constraints.case import Case
    from constraints.model import FamilyModel

LOW_LINE_V = 200


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
    return policy.whole(f"power.efficiency_{(b.efficiency if b else 'Titanium').lower()}_percent")


def circuit_limit_w(amps: int, volts: int, policy: Policy) -> int:
    """Continuous power of a breaker."""
    return policy.whole("power.breaker_percent") * amps * volts // 100


class Power:
    id = "power"

    def encode(self, m: FamilyModel) -> None:
        policy, request = m.policy, m.request
        volts = request.line_volts or policy.whole("power.line_volts")
        gpu_w = sum(m.per_node * r.key.cap_w * v for r, v in m.rows.items())
        breaker = circuit_limit_w(request.circuit.amps, request.circuit.volts, policy) if request.circuit else None
        switches = sum(m.shared_w)

        def hold(b: PsuBank, *when: object) -> None:
            m.cp.add(m.node_w <= node_limit_w(b, volts, policy)).only_enforce_if(*when)
            if b.atx:
                extra = policy.whole("power.atx_transient_percent") - 100
                m.cp.add(100 * m.node_w + extra * gpu_w <= 100 * b.fitted * watts_at(b, volts)).only_enforce_if(*when)
            if breaker is not None:
                m.cp.add(100 * (m.total_w + switches) <= efficiency_percent(b, policy) * breaker).only_enforce_if(*when)

        for p, v in m.platform.items():
            if not needs_psu(p):
                b = included_bank(p, m.catalog)
                if b is not None:
                    hold(b, v)
                elif breaker is not None:
                    m.cp.add(
                        100 * (m.total_w + switches) <= efficiency_percent(None, policy) * breaker
                    ).only_enforce_if(v)
        for (psu, fitted, needed), v in m.psu.items():
            hold(bank(psu, fitted, needed), v)

    def check(self, c: Case) -> list[Check]:
        found: list[Check] = []
        b, volts = c.psus, c.line_volts
        if b is None and needs_psu(c.platform):
            return [Check.of(self.id, False, "no supplies of one kind fitted")]
        if b is not None:
            each = watts_at(b, volts)
            what = f"node load of {c.load_w} W"
            if each == 0:
                found.append(Check.of(self.id, False, f"supplies do not run at {volts} V"))
            found.append(
                Check.at_most(
                    self.id,
                    c.load_w,
                    node_limit_w(b, volts, c.policy),
                    "W",
                    f"{what} on {b.fitted} x {each} W ({b.needed} needed)",
                )
            )
            if b.atx:
                peak = c.load_w + transient_extra_w(c.per_node * c.cap_w, c.policy)
                found.append(
                    Check.at_most(self.id, peak, b.fitted * each, "W", "load with GPU transients on ATX supplies")
                )
            if b.fitted == b.needed:
                found.append(Check.warn(self.id, "supplies are not redundant"))
            elif c.load_w * 100 > 80 * b.needed * each:
                found.append(
                    Check.warn(
                        self.id,
                        "above 80 % of what is left when the spare supplies have failed",
                        c.load_w,
                        0.8 * b.needed * each,
                        "W",
                    )
                )
        if c.request.circuit:
            k = c.request.circuit
            wall = 100 * (c.load_w * c.build.nodes + shared_w(c)) / efficiency_percent(b, c.policy)
            limit = circuit_limit_w(k.amps, k.volts, c.policy)
            found.append(
                Check.at_most(
                    self.id,
                    math.ceil(wall),
                    limit,
                    "W",
                    f"at the wall on one circuit of {k.amps} A at {k.volts} V",
                )
            )
        return found or [Check.of(self.id, True, f"built-in supply for {c.load_w} W")]


def shared_w(c: Case) -> int:
    """Power of the switches."""
    return sum(int(p.power_w or 0) * q for p, q in c.parts(Switch, shared=True) if isinstance(p, Switch))


__all__ = ["Power", "fan_percent", "shared_w"]
