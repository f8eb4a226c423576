"""Branch circuits that exist: the line voltages of a region and the breakers to be had there (data/circuits.csv)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from catalogs.inputs import shipped_rows
from catalogs.message import Message, message
from constraints.policy import Policy
from constraints.request import Circuit

FILE = Path(__file__).parents[1] / "data" / "circuits.csv"
Couplers = Literal["UL", "IEC"]
STRICT_BREAKER = "power.breaker_percent"
"""Where no region has the line voltage."""
NEAR_PERCENT = 10
"""How far a line voltage may lie from a region's nominal one: 110 and 127 V are of the 120 V family."""


@dataclass(frozen=True)
class Region:
    """Line voltages of a region, and the rated currents of breakers there, both ascending; one phase. `breaker`: the
    policy value that says how much of it may be drawn for hours; `couplers`: whose ratings of inlets, cords and outlets
    hold; `wall`: what an ordinary wall outlet hangs on; `read`: the day on which the sources were read."""

    name: str
    volts: tuple[int, ...]
    amps: tuple[int, ...]
    breaker: str
    couplers: Couplers
    wall: Circuit
    source: str
    read: str


@cache
def regions() -> tuple[Region, ...]:
    """All regions of the data."""
    return tuple(
        Region(
            row["region"],
            _figures(row["volts"]),
            _figures(row["amps"]),
            row["breaker"],
            "UL" if row["couplers"] == "UL" else "IEC",
            _circuit(row["wall"]),
            row["source"],
            row["read"],
        )
        for row in shipped_rows(FILE)
    )


def _circuit(cell: str) -> Circuit:
    """`15@120`: amperes and volts of one phase."""
    amps, _, volts = cell.partition("@")
    return Circuit(amps=int(amps), volts=int(volts))


def carried_w(circuit: Circuit, policy: Policy, region: Region | None) -> int:
    """Continuous power of a circuit of a region; None: of no known one."""
    return breaker_percent(policy, region) * circuit.volt_amps // 100


def circuit_for(watts: int, volts: int, phases: Literal[1, 3], policy: Policy, region: Region | None) -> Circuit | None:
    """The smallest circuit to be had in a region that carries so many watts for hours; None where none does. `volts`:
    of three phases between two of them."""
    sizes = [Circuit(amps=amps, volts=volts, phases=phases) for amps in region.amps] if region else []
    return next((circuit for circuit in sizes if carried_w(circuit, policy, region) >= watts), None)


def breaker_percent(policy: Policy, region: Region | None) -> int:
    """How much of a circuit may be drawn for hours, by the rules of its region; the strictest where that is not
    known."""
    return policy.whole(region.breaker if region else STRICT_BREAKER)


def circuit_words(circuit: Circuit) -> Message:
    """Amperes, volts, and phases where there are three."""
    if circuit.phases == 3:
        return message("{a} A at {b} V, three-phase", a=circuit.amps, b=circuit.volts)
    return message("{a} A at {b} V", a=circuit.amps, b=circuit.volts)


def _figures(cell: str) -> tuple[int, ...]:
    return tuple(sorted(int(text_) for text_ in cell.split("|")))


def region_of(volts: int) -> Region | None:
    """The region with the nearest line voltage, the higher of two; None where none is near. Where the market is known
    it goes before (constraints/physics/markets.py, `region_at`): 240 V is British or American."""
    near = [(abs(v - volts), -v, i) for i, region in enumerate(regions()) for v in region.volts]
    apart, _, index = min(near)
    return regions()[index] if 100 * apart <= NEAR_PERCENT * volts else None


def standard(circuit: Circuit, region: Region | None) -> list[list[Circuit]]:
    """Circuits of a region that may take a circuit's place, a list per voltage with the smallest first: those of more
    amperes at its own voltage and phases, then, of one phase, all of the other voltages of its region."""
    amps = region.amps if region else sorted({a for x in regions() for a in x.amps})
    own = [circuit.model_copy(update={"amps": a}) for a in amps if a > circuit.amps]
    if region is None or circuit.phases == 3:
        return [own]
    nominal = min(region.volts, key=lambda v: (abs(v - circuit.volts), -v))
    return [own, *([Circuit(amps=a, volts=v) for a in amps] for v in region.volts if v != nominal)]
