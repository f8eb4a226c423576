"""Draw of gear that nodes share, known or by what it carries off, and what supplies take from the wall."""

from __future__ import annotations

from typing import NamedTuple

from catalogs.schema import Cooling, Efficiency, Switch
from constraints.policy import Policy


def grade_percent(grade: Efficiency, policy: Policy) -> int:
    """Efficiency at half load that a grade of supplies is counted at."""
    return policy.whole(f"power.efficiency_{grade.lower()}_percent")


def wall_w(load_w: int, percent: int) -> int:
    """Watts that supplies of an efficiency take from the wall for a load, rounded up."""
    return -(-100 * load_w // percent)


MICRO_BTU_PER_WH = 3_412_142
"""A watt-hour in millionths of a BTU (international table: 1055.05585262 J)."""


def btu_per_hour(watts: int) -> int:
    """Heat of so many watts in BTU/h, to the nearest."""
    return (watts * MICRO_BTU_PER_WH + 500_000) // 10**6


class Draw(NamedTuple):
    """What a node draws: its load on its supplies, and what these take from the wall for it."""

    load_w: int
    wall_w: int


def drawn(load_w: int, percent: int) -> Draw:
    """A load on supplies of an efficiency."""
    return Draw(load_w, wall_w(load_w, percent))


def unknown_w(part: Switch | Cooling) -> bool:
    """Whether nobody published what a unit with pumps or fans of its own draws."""
    return isinstance(part, Cooling) and part.driven and part.power_w is None


def gear_w(part: Switch | Cooling, policy: Policy) -> int:
    """Watts that a shared part draws at most, rounded up; of a unit whose draw is unknown a share of the heat that it
    carries off. Manifolds and connections have no pump: what their rows leave blank is nothing."""
    if unknown_w(part):
        assert isinstance(part, Cooling) and part.capacity_w  # a row without both is refused
        return -(-policy.whole("cooling.gear_draw_percent") * part.capacity_w // 100)
    return part.power_w or 0


def stands_in_a_rack(part: Switch | Cooling) -> bool:
    """Whether the PDUs of a rack feed it and its heat goes to the rack's air; else it stands beside the racks, and its
    draw is the site's alone."""
    return part.rack_units > 0
