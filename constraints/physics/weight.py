"""Weight of what stands in a rack, known or by the height that it takes."""

from __future__ import annotations

from catalogs.schema import Cooling, Switch
from constraints.policy import Policy


def gear_kg(part: Switch | Cooling, policy: Policy) -> int:
    """Weight in kg of a shared part, rounded; by rack units where nobody published it, as for nodes.

    What takes no rack units stands beside the racks: where its weight is unknown no rack bears it.
    """
    if part.weight_kg is None:
        return policy.whole("rack.kg_per_unit") * part.rack_units
    return round(part.weight_kg)
