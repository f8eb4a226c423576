"""Draw of gear that nodes share, known or by what it carries off."""

from __future__ import annotations

from catalogs.schema import Cooling, Switch
from constraints.policy import Policy


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
