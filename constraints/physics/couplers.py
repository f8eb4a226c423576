"""Power cords: what the inlet of a supply, the cord in it and the outlet of a PDU may carry for hours."""

from __future__ import annotations

from constraints.physics.circuits import Couplers, Region
from constraints.policy import Policy

RATED = {"C14": "power.coupler_c14_{standard}_amps", "C20": "power.coupler_c20_{standard}_amps"}
"""Inlet -> policy value of its current. The cord's connector (C13, C19) and the outlet are rated as the inlet is."""
UNKNOWN_LINE: Couplers = "IEC"
"""Where the region is not known: the lower ratings."""


def standard_in(region: Region | None) -> Couplers:
    """Whose ratings hold in a region, as for its breakers."""
    return region.couplers if region else UNKNOWN_LINE


def coupler_centiamps(inlet: str | None, policy: Policy, region: Region | None) -> int | None:
    """Hundredths of an ampere that inlet, cord and outlet may carry for hours; None where the inlet is not stated, or
    is of a kind whose rating is not known here: its current can't be judged then, and is not taken for a C20's."""
    if inlet not in RATED:
        return None
    standard = standard_in(region)
    percent = policy.whole("power.coupler_ul_percent") if standard == "UL" else 100
    return percent * policy.whole(RATED[inlet].format(standard=standard.lower()))
