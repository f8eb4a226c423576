"""What the nodes of a build share: networks of two and more nodes, racks with PDUs, CDUs. Prices and parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from catalogs.schema import Cooling, Kind, Nic, Pdu, Platform, Rack, Switch
from constraints.contents import inside
from constraints.cooling import liquid_w
from constraints.interconnect import BMC
from constraints.links import Network, networks
from constraints.plan import RowKey
from constraints.power import LOW_LINE_V
from constraints.rack import MAX_PER_RACK, air_w, node_kg, pdu_efficiency, racked
from optimizer.market import Market
from optimizer.shelf import NONE, Parts

NO_PARTS: dict[str, int] = {}


@dataclass(frozen=True)
class Joined:
    """One way to build a network: its price, shared parts, and cards that every node takes."""

    cents: int
    network: Network
    nodes: int
    per_node: int
    node: Mapping[str, int]

    @cached_property
    def shared(self) -> dict[str, int]:
        """Part ids with quantities."""
        return {x.id: q for x, q in (self.network.bill_of(self.nodes, self.per_node) or {}).items()}


class Wiring:
    """Prices of a network's pieces; `cents(nodes, per_node)` is its bill's sum without the bill."""

    def __init__(self, k: Network, cents: Callable[[str], int]) -> None:
        self.network, s = k, k.switch
        self.switch_cents, self.ports = (cents(s.id), s.ports_at(k.gbit_s)) if s else (0, 0)
        self.pieces = [(cents(x.id), carried) for x, carried in k.pieces]
        self.trunk = [(cents(x.id), carried) for x, carried in k.trunk]
        self.ids = (k.nic.id if k.nic else "", s.id if s else "", tuple(x.id for x, _ in k.pieces))

    def cents(self, nodes: int, per_node: int) -> int | None:
        """Cents of the shared pieces; None where the network does not reach that far (see Network.bill)."""
        links = nodes * per_node if self.ports else per_node
        if not self.ports and nodes != 2:
            return None
        total = sum(cents * -(-links // carried) for cents, carried in self.pieces)
        if links <= self.ports or not self.ports:
            return total + self.switch_cents
        half = self.ports // 2
        leaves = -(-links // half) if half else 0
        if not half or not self.trunk or leaves > self.ports:
            return None
        wires = leaves * half
        total += sum(cents * -(-wires // carried) for cents, carried in self.trunk)
        return total + self.switch_cents * (leaves + -(-wires // self.ports))


class Cluster:
    """Shared gear of a market; answers are remembered."""

    def __init__(self, market: Market, parts: Parts) -> None:
        self.market = market
        self.nics = [n for n in parts.get(Nic, []) if isinstance(n, Nic)]
        self.cooling = [x for x in parts.get(Cooling, []) if isinstance(x, Cooling)]
        self.racks = [x for x in parts.get(Rack, []) if isinstance(x, Rack)]
        self.pdus = [x for x in parts.get(Pdu, []) if isinstance(x, Pdu)]
        self._kinds: dict[tuple[object, ...], list[Wiring]] = {}
        self._joined: dict[tuple[object, ...], list[Joined]] = {}
        self._ports: dict[str, tuple[object, ...]] = {}
        self._needed: dict[tuple[object, ...], list[list[Joined]]] = {}

    def networks(self, p: Platform, key: RowKey) -> list[list[Joined]]:
        """For each network that the row needs, the ways to build it, cheapest first."""
        if key.nodes == 1:
            return []
        ports = self._ports.get(p.id)
        if ports is None:
            held = tuple((n.id, q) for n, q in inside(p, self.market.catalog, Nic))
            ports = self._ports[p.id] = (p.nic_forms, p.nic_slots, p.onboard_lan, held)
        memo = (ports, key.nodes, key.per_node, key.net, key.net_gbit_s)
        if memo not in self._needed:
            self._needed[memo] = self._networks(p, key)
        return self._needed[memo]

    def _networks(self, p: Platform, key: RowKey) -> list[list[Joined]]:
        out = []
        if "network" not in self.market.request.have:
            least = key.net_gbit_s if key.net == "pp" else 1
            out.append(self._ways(p, "frontend", least, key.nodes, 1))
            out.append(self._ways(p, "oob", 1, key.nodes, 1))
        if key.net == "rdma":
            out.append(self._ways(p, "rdma", key.net_gbit_s, key.nodes, key.per_node))
        return out

    def _ways(self, p: Platform, role: str, least: int, nodes: int, per_node: int) -> list[Joined]:
        forms = () if role == "oob" else p.nic_forms
        held = () if role == "oob" else tuple((n.id, q) for n, q in inside(p, self.market.catalog, Nic))
        lans = p.onboard_lan if role == "frontend" else (BMC,) if role == "oob" else ()
        kind = (forms, held, lans, role, least)
        slots = p.nic_slots - sum(q for _, q in held)
        memo = (*kind, slots, nodes, per_node)
        if memo not in self._joined:
            if kind not in self._kinds:
                nics = [n for n in self.nics if n.form in forms or n.id in dict(held)]
                nics += [n for n, _ in inside(p, self.market.catalog, Nic) if n not in nics]
                found = networks(
                    nics, lans, self.market.switches, self.market.links, role, least, direct=role == "rdma"
                )
                self._kinds[kind] = [Wiring(k, self.market.cents) for k in found]
            ways = []
            for k in self._kinds[kind]:
                nic, cents = k.network.nic, k.cents(nodes, per_node)
                bought = nic is not None and dict(held).get(nic.id, 0) < per_node  # others a complete system holds
                if cents is None or (bought and nic and (per_node > slots or nic.id not in self.market.book.prices)):
                    continue
                added = {nic.id: per_node} if nic and bought else NO_PARTS
                total = cents + (nodes * per_node * self.market.cents(nic.id) if nic and bought else 0)
                ways.append((total, k.ids, Joined(total, k.network, nodes, per_node, added)))
            self._joined[memo] = [w for _, _, w in sorted(ways, key=lambda w: w[:2])]
        return self._joined[memo]

    def racks_for(
        self, p: Platform, nodes: int, node_w: int, shared: dict[str, int], outlets: tuple[str, int] | None
    ) -> tuple[int, dict[str, int], int]:
        """Cheapest (cents, parts, number of racks) for `nodes` of `node_w`; `outlets` is (inlet, number) per node."""
        if not racked(p):
            return 0, NO_PARTS, 0
        best: tuple[int, dict[str, int], int] = (NONE, NO_PARTS, 0)
        for a in range(1, min(MAX_PER_RACK, nodes) + 1):
            count = -(-nodes // a)
            if a > 1 and count == -(-nodes // (a - 1)):
                continue
            for cents, parts in self._racks(p, a, count, node_w, shared, outlets):
                if cents < best[0]:
                    best = cents, parts, count
        return best

    def _racks(
        self, p: Platform, a: int, count: int, node_w: int, shared: dict[str, int], outlets: tuple[str, int] | None
    ) -> Iterator[tuple[int, dict[str, int]]]:
        market, policy = self.market, self.market.policy
        gear = [(market.catalog.parts[x], q) for x, q in shared.items()]
        units = sum(x.rack_units * q for x, q in gear if isinstance(x, Switch | Cooling))
        kg = sum(round(x.weight_kg) * q for x, q in gear if isinstance(x, Switch | Cooling))
        watts = sum(int(x.power_w or 0) * q for x, q in gear if isinstance(x, Switch))
        if a * air_w(node_w, p, policy) + 100 * watts > 100 * policy.whole("cooling.rack_air_w"):
            return
        tall = a * (p.rack_units or 1) + units
        if "racks" in market.request.have:
            if tall <= policy.whole("rack.max_units"):
                yield 0, NO_PARTS
            return
        racks = [r for r in self.racks if tall <= r.rack_units and a * node_kg(p, policy) + kg <= r.load_kg]
        volts = market.request.line_volts or policy.whole("power.line_volts")
        pdus = [
            d for d in self.pdus
            if (d.volts >= LOW_LINE_V) == (volts >= LOW_LINE_V)
            and 100 * (a * node_w + watts) <= pdu_efficiency(policy) * d.power_w
            and (outlets is None or a * outlets[1] <= 2 * (d.outlets_c19 if outlets[0] == "C20" else d.outlets_c13))
        ]  # fmt: skip
        for r in sorted(racks, key=lambda x: (market.cents(x.id), x.id))[:1]:
            for d in sorted(pdus, key=lambda x: (market.cents(x.id), x.id))[:1]:
                yield count * market.cents(r.id) + 2 * count * market.cents(d.id), {r.id: count, d.id: 2 * count}

    def liquid(self, p: Platform, total_w: int, racks: int) -> dict[str, int] | None:
        """CDUs, manifolds and facility connections of liquid-cooled nodes; None when they can't be had."""
        if "air" in p.cooling or p.kind == Kind.SYSTEM:
            return NO_PARTS
        if not self.market.request.site_water:
            return None
        need, cents = liquid_w(total_w, self.market.policy), self.market.cents
        spare = 1 if racks > 1 else 0
        cdus = [(x, -(-need // x.capacity_w) + spare) for x in self.cooling if x.role == "cdu-l2l" and x.capacity_w]
        out: dict[str, int] = {}
        for found in (
            [(x.id, q) for x, q in cdus],
            *([(x.id, racks) for x in self.cooling if x.role == role] for role in ("manifold", "facility")),
        ):
            if not found:
                return None
            part, qty = min(found, key=lambda o: (cents(o[0]) * o[1], o[0]))
            out[part] = qty
        return out
