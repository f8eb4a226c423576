"""How racks stand, and how long a cable between them has to be: switches in the first rack of the first row.

Racks of a row stand side by side, trays above them; a cable goes up from a port, along the tray, and down again. Policy
values `cabling.*` say how far that is (docs/power.md, Cables between racks)."""

from __future__ import annotations

from decimal import Decimal

from constraints.policy import Policy


def run_m(rack: int, policy: Policy) -> Decimal:
    """Metres of cable from the first rack to the n-th; within the first one for n of 1 (or 0)."""
    within = policy["cabling.in_rack_m"]
    if rack <= 1:
        return within
    per_row = max(1, policy.whole("cabling.racks_per_row"))
    across = (min(rack, per_row) - 1) * policy["cabling.rack_width_m"]
    rows = ((rack - 1) // per_row) * policy["cabling.row_pitch_m"]
    # No shorter than within a rack, whatever a policy says: so that what reaches a rack reaches all before it.
    return max(within, 2 * policy["cabling.rise_m"] + across + rows + policy["cabling.slack_m"])


def racks_reached(metres: float | None, most: int, policy: Policy) -> int:
    """Racks, of `most`, that a cable of this length reaches from the first one; all where nobody states its length."""
    if metres is None:
        return most
    length = Decimal(str(metres))
    return next((rack for rack in range(most, 0, -1) if run_m(rack, policy) <= length), 0)
