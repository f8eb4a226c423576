"""What `--include` demands is used for what it is: a part that a build has no use for does not count as included.

Part of rule procurement. Which parts are of what use: constraints/physics/demanded.py.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from catalogs.message import N_, joined, message
from catalogs.schema import Cooling, Kind, Link, Nic, Part, Pdu, Platform, Rack
from constraints.physics.demanded import demanded, of_network, serves_alone
from constraints.rules.interconnect import bills_of, covers
from constraints.rules.rack import CORD_ENDS, racked

if TYPE_CHECKING:
    from constraints.build import Case
    from constraints.model.family_model import FamilyModel


NO_RACK = N_("its nodes stand in no rack that is bought")


def encode(model: FamilyModel, part: Part) -> None:
    """The part is in a network that is laid; other parts need no more than the rules that count them."""
    if not of_network(part) or any(
        content.part == part.id for platform in model.platform for content in platform.contents
    ):
        return
    uses: list[Any] = [
        literal for nodes, literal in model.node_counts.items() if serves_alone(part, model.request, nodes)
    ]
    for literals, per_node in model.nets:
        for network, laid in literals.items():
            if network.nic is part:
                uses.append(laid)
                continue
            # Laid, and with so many nodes that the bill has the part: another number may do without it.
            for nodes, is_n in model.node_counts.items():
                if nodes > 1 and part in (network.bill_of(nodes, per_node) or {}):
                    used = model.cp.new_bool_var("")
                    model.cp.add_implication(used, laid)
                    model.cp.add_implication(used, is_n)
                    model.cp.add_bool_or([used, ~laid, ~is_n])
                    uses.append(used)
    model.cp.add_bool_or(uses)


def idle(case: Case) -> list[str]:
    """Demanded parts of a build that it has no use for, each with the reason."""
    found, wired = [], []
    for part in demanded(case.request, case.catalog):
        if part.id not in case.build.node and part.id not in case.build.shared:
            continue  # inside a complete system, or missing
        if of_network(part):
            wired.append(part)
        elif why := _useless(case, part):
            found.append(joined([part.id, why], ": "))
    return [*found, *_unwired(case, wired)]


def useless_in(platform: Platform, part: Part) -> str:
    """Why nodes of a platform have no use for a part, whatever else they hold; empty when they may have."""
    if isinstance(part, Rack | Pdu) and not racked(platform):
        return NO_RACK
    if isinstance(part, Cooling) and part.role != "cpu-cooler" and not _wet(platform):
        return message("{platform} needs no liquid cooling of the site's", platform=platform.name)
    return ""


def _useless(case: Case, part: Part) -> str:
    platform = case.platform
    if isinstance(part, Rack | Pdu) and "racks" in case.request.have:
        return NO_RACK
    if why := useless_in(platform, part):
        return why
    if isinstance(part, Link) and case.psus is not None and part.end_a != CORD_ENDS.get(case.psus.inlet or ""):
        if case.psus.inlet is None:
            return "nobody states the inlets of the supplies"
        return message("the supplies have {inlet} inlets", inlet=case.psus.inlet)
    return ""


def _wet(platform: Platform) -> bool:
    return "air" not in platform.cooling and platform.kind != Kind.SYSTEM


def _unwired(case: Case, wired: Iterable[Part]) -> list[str]:
    """Switches, cables, optics and cards that are in no network of the build."""
    idle = [idle_part for idle_part in wired if not serves_alone(idle_part, case.request, case.build.nodes)]
    names, keys = (
        sorted(idle_part.id for idle_part in idle),
        [f"node {idle_part.id}" if isinstance(idle_part, Nic) else idle_part.id for idle_part in idle],
    )
    if not keys:
        return []
    if case.build.nodes == 1:
        return [message("{part}: a single node has nothing to connect it to", part=idle_part) for idle_part in names]
    nics = {f"node {part.id}": pieces for part, pieces in case.parts(Nic)}
    have = dict(case.build.shared) | nics

    def all_used(rest: dict[str, int]) -> bool:
        return all(rest.get(key, 0) < have.get(key, 0) for key in keys)

    if covers(list(bills_of(case).values()), have, all_used):
        return []
    return [message("{parts}: in no network that the build lays", parts=joined(names))]
