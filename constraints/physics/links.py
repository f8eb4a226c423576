"""How ports are joined: cables or optics with fibre between a switch and a card, and how many switches that takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from catalogs.schema import Kind, Link, Nic, Platform, Switch

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

    @property
    def shortest_m(self) -> float | None:
        """Metres of the shortest cable between a node and its switch, of those whose length is stated; None of none.
        Switches stand together: what joins them is not looked at."""
        cables = [piece for piece, _ in self.pieces if piece.kind == Kind.CABLE]
        return min((cable.length_m for cable in cables if cable.length_m is not None), default=None)

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


def paths(
    links: Iterable[Link], from_cages: Sequence[str], to_cages: Sequence[str], gbit_s: int, fabric: str
) -> list[Pieces]:
    """All ways from a cage of one side to a cage of the other at one speed: a cable, or module - fibre - module."""
    fit = [link for link in links if link.medium != "power" and (not link.fabrics or fabric in link.fabrics)]
    found: list[Pieces] = []
    for link in fit:
        # Copper with RJ45 ends settles on the ports' speed; all other cables are made for one.
        reaches = link.gbit_s == gbit_s or (link.end_a == "RJ45" and link.gbit_s >= gbit_s)
        ends = link.end_a in from_cages and link.end_b in to_cages and "MPO" not in link.end_a
        if link.kind == Kind.CABLE and reaches and ends:
            found.append(((link, link.links),))
    modules = [link for link in fit if link.kind == Kind.OPTIC and link.gbit_s == gbit_s]
    fibres = [
        link
        for link in fit
        if link.kind == Kind.CABLE and link.end_a == link.end_b == "MPO-12/APC" and link.gbit_s >= gbit_s
    ]
    for module in modules:
        for other in modules:
            if module.end_a not in from_cages or other.end_a not in to_cages:
                continue
            if module.medium != other.medium or module.end_b != other.end_b:
                continue
            for fibre in fibres:
                if fibre.medium == module.medium and fibre.end_a == module.end_b:
                    found.append(((module, module.links), (fibre, 1), (other, other.links)))
    return found


def networks(
    nics: Iterable[Nic], lans: Iterable[str], switches: Iterable[Switch], links: Sequence[Link], role: str,
    gbit_least: int, *, direct: bool = False, most: int | None = None, cents: Callable[[str], int] | None = None,
) -> list[Network]:  # fmt: skip
    """All networks of a role from these cards or onboard ports; `direct` joins two nodes without a switch.

    `most`: the most links that are asked for; where one switch has ports for all, ways to join switches make no
    difference. With `cents`, the price of a piece, those that never cost less than another are left out."""
    found: list[Network] = []

    def trunks(switch: Switch, gbit_s: int) -> list[Pieces]:
        ways = paths(links, switch.connectors, switch.connectors, gbit_s, switch.fabric) or [()]
        ways = ways if cents is None else thrifty(ways, cents)
        # Where one switch does for all links nothing joins switches: any one way stands for all of them.
        return ways if most is None or most > switch.ports_at(gbit_s) else ways[:1]

    def switched(nic: Nic | None, lan: str, switch: Switch, gbit_s: int, connectors: Sequence[str]) -> list[Network]:
        ways = paths(links, switch.connectors, connectors, gbit_s, switch.fabric)
        return [Network(nic, lan, switch, gbit_s, pieces, trunk) for pieces in ways for trunk in trunks(switch, gbit_s)]

    switches = [switch for switch in switches if switch.role == role]
    for nic in nics:
        if nic.gbit_s < gbit_least or (role == "rdma" and not nic.rdma):
            continue
        for switch in switches:
            if switch.fabric in nic.fabrics:
                for gbit_s in _rates(nic, switch, role, gbit_least):
                    found += switched(nic, "", switch, gbit_s, nic.connectors)
        if direct:
            for fabric in nic.fabrics:
                for pieces in paths(links, nic.connectors, nic.connectors, nic.gbit_s, fabric):
                    found.append(Network(nic, "", None, nic.gbit_s, pieces, ()))
    for lan in sorted(set(lans)):
        gbit_s, connector = lan_port(lan)
        for switch in switches:
            if gbit_s >= gbit_least and switch.fabric == "Ethernet" and switch.ports_at(gbit_s):
                found += switched(None, lan, switch, gbit_s, [connector])
    return found


def thrifty(ways: Sequence[Pieces], cents: Callable[[str], int]) -> list[Pieces]:
    """Ways of which no other costs less for any number of links: of those whose pieces carry as many links each, the
    cheapest in each kind of piece."""
    kept: dict[tuple[int, ...], list[tuple[tuple[int, ...], Pieces]]] = {}
    for way in ways:
        # L links take ceil(L / n) pieces of those that carry n. Where these numbers n are the same, a way that is no
        # dearer for each of them costs no more for any L.
        carried = tuple(sorted({links for _, links in way}))
        price = tuple(sum(cents(piece.id) for piece, links in way if links == each) for each in carried)
        group = kept.setdefault(tuple(sorted(links for _, links in way)), [])
        if any(_no_dearer(other, price) for other, _ in group):
            continue
        group[:] = [known for known in group if not _no_dearer(price, known[0])]
        group.append((price, way))
    return [way for group in kept.values() for _, way in group]


def _no_dearer(price: tuple[int, ...], than: tuple[int, ...]) -> bool:
    return all(mine <= other for mine, other in zip(price, than, strict=True))


def _rates(nic: Nic, switch: Switch, role: str, least: int) -> list[int]:
    """Gbit/s at which a card and a switch may be joined: the card's own; on the front end, where Ethernet ports settle
    on what both ends can do, any of the switch's that the card is not slower than."""
    if role != "frontend" or switch.fabric != "Ethernet":
        return [nic.gbit_s] if switch.ports_at(nic.gbit_s) else []
    rates = (int(speed.partition(":")[0]) for speed in switch.speeds)
    return [rate for rate in rates if least <= rate <= nic.gbit_s]


def fastest_port(platform: Platform, cards: Iterable[Nic]) -> int:
    """Gbit/s of the fastest port of a node, on its board or on a card; -1 without any."""
    return max((*(lan_port(lan)[0] for lan in platform.onboard_lan), *(card.gbit_s for card in cards)), default=-1)


def lan_port(lan: str) -> tuple[int, str]:
    """`2*10:RJ45` -> (10, "RJ45"); speeds below 1 Gbit/s steps are rounded down."""
    speed, _, connector = lan.partition("*")[2].partition(":")
    return int(float(speed)), connector
