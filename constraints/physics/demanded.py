"""What `--include` demands, and of what use such parts are (constraints/rules/in_use.py holds that a build uses them).

Of parts that a node takes one kind of (chassis, GPU, board, CPU, modules, supplies, coolers) and of drives, being in
the node is the use. A switch, cable, optic or card has to be in a network that the build lays, a rack or PDU to hold
its nodes, liquid cooling to cool them, and a cord to fit its supplies' inlets.
"""

from __future__ import annotations

from catalogs.load import Catalog
from catalogs.schema import Link, Nic, Part, Switch
from constraints.request import Request

ETHERNET = "Ethernet"


def demanded(request: Request, catalog: Catalog) -> list[Part]:
    """The parts that a request includes."""
    return [catalog.parts[part_id] for part_id in request.include]


def of_network(part: Part) -> bool:
    """Whether a part is of use in a network alone."""
    return isinstance(part, Switch | Nic) or (isinstance(part, Link) and part.medium != "power")


def of_fabric(part: Part) -> bool:
    """Whether a part is of use in an RDMA fabric alone: RDMA switches, cards and wires without Ethernet."""
    if isinstance(part, Switch):
        return part.role == "rdma"
    fabrics = part.fabrics if isinstance(part, Nic | Link) and of_network(part) else ()
    return bool(fabrics) and ETHERNET not in fabrics


def wants_fabric(request: Request, catalog: Catalog) -> bool:
    """Whether an RDMA fabric is laid whatever the plan needs, since gear of one is demanded."""
    return any(of_fabric(part) for part in demanded(request, catalog))


def serves_alone(part: Part, request: Request, nodes: int) -> bool:
    """Whether a card is of use without a network of the build: as a single node's port, or to the site's network."""
    return isinstance(part, Nic) and ETHERNET in part.fabrics and (nodes == 1 or "network" in request.have)
