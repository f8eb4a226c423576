"""How ports are joined: cables or optics with fibre between a switch and a card, and how many switches that takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from catalogs.schema import Kind, Link, Nic, Switch

Pieces = tuple[tuple[Link, int], ...]
"""(piece, links that one piece carries)."""


@dataclass(frozen=True)
class Network:
    """One way to join `links` ports of `gbit_s`: card, switch (None = cabled directly), pieces per link kind."""

    nic: Nic | None
    lan: str
    switch: Switch | None
    gbit_s: int
    pieces: Pieces
    trunk: Pieces

    def bill_of(self, nodes: int, per_node: int) -> dict[Link | Switch, int] | None:
        """Shared pieces that join `per_node` ports of each node; a direct cable joins only two nodes."""
        if self.switch is None:
            return self.bill(per_node) if nodes == 2 else None
        return self.bill(nodes * per_node)

    def bill(self, links: int) -> dict[Link | Switch, int] | None:
        """Switches and pieces for `links` links; None when a two-tier fat tree does not reach that far."""
        out: dict[Link | Switch, int] = {}
        if self.switch is not None:
            ports = self.switch.ports_at(self.gbit_s)
            if links <= ports:
                out[self.switch] = 1
            else:
                half = ports // 2
                leaves = -(-links // half) if half else 0
                if not half or not self.trunk or leaves > ports:
                    return None
                spines = -(-leaves * half // ports)
                out[self.switch] = leaves + spines
                for piece, carried in self.trunk:
                    out[piece] = out.get(piece, 0) + -(-leaves * half // carried)
        for piece, carried in self.pieces:
            out[piece] = out.get(piece, 0) + -(-links // carried)
        return out


def paths(links: Iterable[Link], a: Sequence[str], b: Sequence[str], gbit_s: int, fabric: str) -> list[Pieces]:
    """All ways from a cage of `a` to a cage of `b` at one speed: a cable, or module - fibre - module."""
    fit = [x for x in links if x.medium != "power" and (not x.fabrics or fabric in x.fabrics)]
    out: list[Pieces] = []
    for x in fit:
        reach = x.gbit_s == gbit_s or (x.end_a == "RJ45" and x.gbit_s >= gbit_s)
        if x.kind == Kind.CABLE and reach and x.end_a in a and x.end_b in b and "MPO" not in x.end_a:
            out.append(((x, x.links),))
    modules = [x for x in fit if x.kind == Kind.OPTIC and x.gbit_s == gbit_s]
    fibres = [x for x in fit if x.kind == Kind.CABLE and x.end_a == x.end_b == "MPO-12/APC" and x.gbit_s >= gbit_s]
    for module in modules:
        for n in modules:
            if module.end_a in a and n.end_a in b and module.medium == n.medium and module.end_b == n.end_b:
                for f in fibres:
                    if f.medium == module.medium and f.end_a == module.end_b:
                        out.append(((module, module.links), (f, 1), (n, n.links)))
    return out


def networks(
    nics: Iterable[Nic], lans: Iterable[str], switches: Iterable[Switch], links: Sequence[Link], role: str,
    gbit_least: int, *, direct: bool = False, most: int | None = None, cents: Callable[[str], int] | None = None,
) -> list[Network]:  # fmt: skip
    """All networks of a role from these cards or onboard ports; `direct` joins two nodes without a switch.

    `most`: the most links that are asked for; where one switch has ports for all, ways to join switches make no
    difference. With `cents`, the price of a piece, those that never cost less than another are left out."""
    out: list[Network] = []

    def trunks(switch: Switch, gbit_s: int) -> list[Pieces]:
        found = paths(links, switch.connectors, switch.connectors, gbit_s, switch.fabric) or [()]
        found = found if cents is None else thrifty(found, cents)
        return found if most is None or most > switch.ports_at(gbit_s) else found[:1]

    switches = [switch for switch in switches if switch.role == role]
    for nic in nics:
        if nic.gbit_s < gbit_least or (role == "rdma" and not nic.rdma):
            continue
        for s in (switch for switch in switches if switch.fabric in nic.fabrics):
            for gbit in _rates(nic, s, role, gbit_least):
                ways = paths(links, s.connectors, nic.connectors, gbit, s.fabric)
                out += [Network(nic, "", s, gbit, p, t) for p in ways for t in trunks(s, gbit)]
        if direct:
            for fabric in nic.fabrics:
                for p in paths(links, nic.connectors, nic.connectors, nic.gbit_s, fabric):
                    out.append(Network(nic, "", None, nic.gbit_s, p, ()))
    for lan in sorted(set(lans)):
        gbit, connector = lan_port(lan)
        for s in switches:
            if gbit >= gbit_least and s.fabric == "Ethernet" and s.ports_at(gbit):
                ways = paths(links, s.connectors, [connector], gbit, s.fabric)
                out += [Network(None, lan, s, gbit, p, t) for p in ways for t in trunks(s, gbit)]
    return out


def thrifty(ways: Sequence[Pieces], cents: Callable[[str], int]) -> list[Pieces]:
    """Ways of which no other costs less for any number of links: of those whose pieces carry as many links each, the
    cheapest in each kind of piece."""
    kept: dict[tuple[int, ...], list[tuple[tuple[int, ...], Pieces]]] = {}
    for way in ways:
        carried = tuple(sorted({n for _, n in way}))
        price = tuple(sum(cents(x.id) for x, n in way if n == each) for each in carried)
        group = kept.setdefault(tuple(sorted(n for _, n in way)), [])
        if not any(all(a <= b for a, b in zip(other, price, strict=True)) for other, _ in group):
            group[:] = [x for x in group if not all(a <= b for a, b in zip(price, x[0], strict=True))] + [(price, way)]
    return [way for group in kept.values() for _, way in group]


def _rates(nic: Nic, switch: Switch, role: str, least: int) -> list[int]:
    """Gbit/s at which a card and a switch may be joined: the card's own; on the front end, where Ethernet ports settle
    on what both ends can do, any of the switch's that the card is not slower than."""
    if role != "frontend" or switch.fabric != "Ethernet":
        return [nic.gbit_s] if switch.ports_at(nic.gbit_s) else []
    rates = (int(speed.partition(":")[0]) for speed in switch.speeds)
    return [x for x in rates if least <= x <= nic.gbit_s]


def lan_port(lan: str) -> tuple[int, str]:
    """`2*10:RJ45` -> (10, "RJ45"); speeds below 1 Gbit/s steps are rounded down."""
    speed, _, connector = lan.partition("*")[2].partition(":")
    return int(float(speed)), connector
