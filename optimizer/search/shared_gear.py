"""What the nodes of a build share: networks of two and more nodes, racks with PDUs, CDUs. Prices and parts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, overload

import numpy as np

from catalogs.schema import Cooling, Kind, Nic, Part, Pdu, Platform, Rack, Switch
from constraints.physics.contents import inside
from constraints.physics.demanded import demanded, of_fabric, wants_fabric
from constraints.physics.links import Network, Pieces, networks
from constraints.plan import RowKey
from constraints.prices.tariff import NEVER
from constraints.rules.cooling import liquid_w
from constraints.rules.interconnect import BMC
from constraints.rules.power import LOW_LINE_V
from constraints.rules.rack import air_w, most_per_rack, node_kg, pdu_efficiency, racked
from optimizer.market.market import Market
from optimizer.market.options import Parts
from optimizer.market.refusals import Refusals

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

    @property
    def load(self) -> tuple[int, int, int]:
        """Power, rack units and weight of the switches, as the rules count them."""
        switch = self.network.switch
        qty = self.shared.get(switch.id, 0) if switch else 0
        return (
            (qty * int(switch.power_w or 0), qty * switch.rack_units, qty * round(switch.weight_kg))
            if switch
            else (0, 0, 0)
        )


class Ways(Sequence[Joined]):
    """The ways to build a network, cheapest first; each is written out only when it is looked at."""

    def __init__(
        self, cents: Sequence[int], networks: Sequence[Network], nodes: int, per_node: int,
        added: Mapping[str, Mapping[str, int]],
    ) -> None:  # fmt: skip
        """`added`: card -> what every node takes of it."""
        self.cents, self._networks, self._size, self._added = cents, networks, (nodes, per_node), added
        self._made: dict[int, Joined] = {}

    def __len__(self) -> int:
        return len(self.cents)

    @overload
    def __getitem__(self, i: int) -> Joined: ...
    @overload
    def __getitem__(self, i: slice) -> list[Joined]: ...
    def __getitem__(self, i: int | slice) -> Joined | list[Joined]:
        if isinstance(i, slice):
            return [self[j] for j in range(len(self))[i]]
        if i not in self._made:
            per_node = self._networks[i]
            node = self._added.get(per_node.nic.id, NO_PARTS) if per_node.nic else NO_PARTS
            self._made[i] = Joined(self.cents[i], per_node, *self._size, node)
        return self._made[i]

    def of_all(self, asked: Sequence[Part]) -> Ways:
        """Those with all of some switches, cards, cables and optics. Sound where these are demanded and of use in this
        network alone: a build lays each of its networks once."""
        chosen = [i for i in range(len(self)) if all(self.has(i, x) for x in asked)]
        networks = [self._networks[i] for i in chosen]
        return Ways([self.cents[i] for i in chosen], networks, *self._size, self._added)

    def has(self, i: int, part: Part) -> bool:
        """Whether the i-th way may take a part."""
        per_node = self._networks[i]
        return part in (per_node.nic, per_node.switch) or any(part is x for x, _ in (*per_node.pieces, *per_node.trunk))

    @cached_property
    def wires(self) -> frozenset[str]:
        """Switches, cables and optics of the networks that no other one with the same card beats, and all trunks."""
        out: set[str] = set()
        best: dict[tuple[str, str], list[tuple[int, int, int]]] = {}
        for w in self:  # cheapest first
            network = w.network
            out |= {x.id for x, _ in network.trunk}
            load = w.load
            group = best.setdefault((network.nic.id if network.nic else "", network.lan), [])
            if not any(all(a <= b for a, b in zip(o, load, strict=True)) for o in group):
                group.append(load)
                out |= {x.id for x, _ in network.pieces} | ({network.switch.id} if network.switch else set())
        return frozenset(out)


class Wirings:
    """Prices of the pieces of networks, one entry per network; `cents` gives the sums of their bills without bills."""

    def __init__(self, found: list[Network], cents: Callable[[str], int]) -> None:
        def ids(network: Network) -> tuple[object, ...]:
            return (
                network.nic.id if network.nic else "",
                network.switch.id if network.switch else "",
                tuple(x.id for x, _ in network.pieces),
            )

        self.networks = sorted(found, key=ids)

        dearest = max((cents(x.id) for k in found for x, _ in (*k.pieces, *k.trunk)), default=0)
        dearest = max([dearest, *(cents(k.switch.id) for k in found if k.switch)])
        exact: Any = np.int64 if dearest < 2**36 else object  # Python's integers where a million pieces pass 2^63

        def whole(values: list[int]) -> Any:
            return np.array(values, dtype=exact)

        def prices(pieces: list[Pieces]) -> list[tuple[Any, Any]]:
            """Of the first, second ... piece of each network the cents and the links it carries."""
            deep = max(map(len, pieces), default=0)
            padded = [[*((cents(x.id), n) for x, n in p), *[(0, 1)] * (deep - len(p))] for p in pieces]
            return [(whole([p[i][0] for p in padded]), np.array([p[i][1] for p in padded])) for i in range(deep)]

        self.pieces = prices([network.pieces for network in self.networks])
        self.trunk = prices([network.trunk for network in self.networks])
        self.cards = {
            nic: np.array([network.nic is not None and network.nic.id == nic for network in self.networks], bool)
            for nic in sorted({k.nic.id for k in found if k.nic})
        }
        self.has_trunk = np.array([bool(network.trunk) for network in self.networks], bool)
        self.switch = whole([cents(network.switch.id) if network.switch else 0 for network in self.networks])
        self.ports = np.array(
            [network.switch.ports_at(network.gbit_s) if network.switch else 0 for network in self.networks], np.int64
        )

    def cents(self, nodes: int, per_node: int) -> tuple[Any, Any]:
        """Cents of the shared pieces, and whether the network reaches that far at all (see Network.bill)."""
        direct, half = self.ports == 0, np.maximum(self.ports // 2, 1)
        links = np.where(direct, per_node, nodes * per_node)
        one = direct | (links <= self.ports)
        leaves = -(-links // half)
        reached = np.where(one, ~direct | (nodes == 2), self.has_trunk & (self.ports > 1) & (leaves <= self.ports))
        wires = leaves * half
        total = sum((c * -(-links // n) for c, n in self.pieces), start=np.zeros_like(self.switch))
        trunk = sum((c * -(-wires // n) for c, n in self.trunk), start=np.zeros_like(self.switch))
        many = leaves + -(-wires // np.maximum(self.ports, 1))
        return total + np.where(one, self.switch, trunk + self.switch * many), reached


@cache
def _fewest_per_rack(nodes: int, most: int) -> tuple[int, ...]:
    """Up to `most` nodes per rack: for each number of racks that they make the fewest."""
    return tuple(a for a in range(1, most + 1) if a == 1 or -(-nodes // a) != -(-nodes // (a - 1)))


class Cluster:
    """Shared gear of a market; answers are remembered."""

    def __init__(self, market: Market, parts: Parts, refusals: Refusals) -> None:
        self.market, self._refusals = market, refusals
        self.nics = [n for n in parts.get(Nic, []) if isinstance(n, Nic)]
        self.cooling = [x for x in parts.get(Cooling, []) if isinstance(x, Cooling)]
        racks = [x for x in parts.get(Rack, []) if isinstance(x, Rack)]
        pdus = [x for x in parts.get(Pdu, []) if isinstance(x, Pdu)]
        self.demanded = demanded(market.request, market.catalog)
        racks = [rack for rack in racks if rack in self.demanded] or racks
        pdus = [x for x in pdus if x in self.demanded] or pdus
        self.racks = sorted(racks, key=lambda x: (market.cents(x.id), x.id))
        self.pdus = sorted(pdus, key=lambda x: (market.cents(x.id), x.id))
        self._kinds: dict[tuple[object, ...], Wirings] = {}
        self._joined: dict[tuple[object, ...], Ways] = {}
        self._ports: dict[str, int] = {}
        self._alike: dict[tuple[object, ...], int] = {}
        self._needed: dict[tuple[object, ...], list[Ways]] = {}

    def networks(self, platform: Platform, key: RowKey) -> list[Ways]:
        """For each network that the row needs, the ways to build it, cheapest first."""
        if key.nodes == 1:
            return []
        ports = self._ports.get(platform.id)
        if ports is None:
            held = tuple((n.id, q) for n, q in inside(platform, self.market.catalog, Nic))
            cards = tuple(card.id for card in self._cards(platform))
            facts = (cards, platform.nic_slots, platform.onboard_lan, held)
            ports = self._ports[platform.id] = self._alike.setdefault(facts, len(self._alike))
        memo = (ports, key.nodes, key.per_node, key.net, key.net_gbit_s)
        if memo not in self._needed:
            self._needed[memo] = self._networks(platform, key)
        return self._needed[memo]

    def _networks(self, platform: Platform, key: RowKey) -> list[Ways]:
        out = []
        if "network" not in self.market.request.have:
            least = key.net_gbit_s if key.net == "pp" else 1
            out.append(self._ways(platform, "frontend", least, key.nodes, 1))
            out.append(self._ways(platform, "oob", 1, key.nodes, 1))
        if key.net == "rdma":
            out.append(self._ways(platform, "rdma", key.net_gbit_s, key.nodes, key.per_node))
        elif wants_fabric(self.market.request, self.market.catalog):
            least = self.market.policy.whole("interconnect.ep_gbit_s")
            out.append(self._ways(platform, "rdma", least, key.nodes, key.per_node))
        return out

    def _cards(self, platform: Platform) -> list[Nic]:
        """Cards on sale that may be bought for nodes in a platform."""
        return self._refusals.admitted(platform, Nic, self.nics)

    def _ways(self, platform: Platform, role: str, least: int, nodes: int, per_node: int) -> Ways:
        cards = () if role == "oob" else tuple(card.id for card in self._cards(platform))
        held = () if role == "oob" else tuple((n.id, q) for n, q in inside(platform, self.market.catalog, Nic))
        lans = platform.onboard_lan if role == "frontend" else (BMC,) if role == "oob" else ()
        kind = (cards, held, lans, role, least)
        slots = platform.nic_slots - sum(q for _, q in held)
        memo = (*kind, slots, nodes, per_node)
        if memo not in self._joined:
            if kind not in self._kinds:
                known = {*cards, *dict(held)}
                nics = [card for card in self.nics if card.id in known]
                nics += [n for n, _ in inside(platform, self.market.catalog, Nic) if n not in nics]
                gear, direct = (self.market.switches, self.market.links), role == "rdma"
                found = networks(nics, lans, *gear, role, least, direct=direct, cents=self.market.cents)
                self._kinds[kind] = Wirings(found, self.market.cents)
            ways = self._priced(self._kinds[kind], dict(held), slots, nodes, per_node)
            asked = [x for x in self.demanded if of_fabric(x)] if role == "rdma" else []
            asked += [x for x in self.demanded if isinstance(x, Switch) and x.role == role != "rdma"]
            self._joined[memo] = ways.of_all(asked) if asked else ways
        return self._joined[memo]

    def _priced(self, kinds: Wirings, held: dict[str, int], slots: int, nodes: int, per_node: int) -> Ways:
        """Ways with the cards that are bought; others a complete system holds."""
        prices, cards = self.market.book.prices, kinds.cards
        total, reached = kinds.cents(nodes, per_node)
        added = {nic: {nic: per_node} for nic in cards if held.get(nic, 0) < per_node}
        for nic, where in cards.items():
            if nic not in added:
                continue
            if per_node > slots or nic not in prices:
                reached = reached & ~where
            else:
                cents = nodes * per_node * self.market.cents(nic)
                total = total.astype(object) if cents >= 2**60 else total
                total = total + where.astype(total.dtype) * cents
        order = np.argsort(total, kind="stable")
        chosen = order[reached[order]]
        return Ways(total[chosen].tolist(), [kinds.networks[i] for i in chosen.tolist()], nodes, per_node, added)

    def racks_for(
        self, platform: Platform, nodes: int, node_w: int, shared: dict[str, int], outlets: tuple[str, int] | None
    ) -> tuple[int, dict[str, int], int]:
        """Cheapest (cents, parts, number of racks) for `nodes` of `node_w`; `outlets` is (inlet, number) per node."""
        if not racked(platform):
            return 0, NO_PARTS, 0
        best: tuple[int, dict[str, int], int] = (NEVER, NO_PARTS, 0)
        tallest = max((rack.rack_units for rack in self.racks), default=1)
        if "racks" in self.market.request.have:
            tallest = self.market.policy.whole("rack.max_units")
        cents, counts = self.market.cents, _fewest_per_rack(nodes, most_per_rack(platform.rack_units, tallest, nodes))
        for a, rack, pdu in self._fillings(platform, counts, node_w, shared, outlets):
            count = -(-nodes // a)
            total = count * (cents(rack.id) + 2 * cents(pdu.id)) if rack and pdu else 0
            if total < best[0]:
                best = total, {rack.id: count, pdu.id: 2 * count} if rack and pdu else NO_PARTS, count
        return best

    def _fillings(
        self,
        platform: Platform,
        counts: Iterable[int],
        node_w: int,
        shared: dict[str, int],
        outlets: tuple[str, int] | None,
    ) -> Iterator[tuple[int, Rack | None, Pdu | None]]:
        """(nodes per rack, cheapest rack and PDU for them) of rising `counts`, up to the first one that heat, height,
        weight or power forbid: they forbid all larger ones too. No rack and PDU where the site has them."""
        market, policy = self.market, self.market.policy
        gear = [(market.catalog.parts[x], q) for x, q in shared.items()]
        units = sum(x.rack_units * q for x, q in gear if isinstance(x, Switch | Cooling))
        kg = sum(round(x.weight_kg) * q for x, q in gear if isinstance(x, Switch | Cooling))
        watts = sum(int(x.power_w or 0) * q for x, q in gear if isinstance(x, Switch))
        heat, tall, heavy = air_w(node_w, platform, policy), platform.rack_units or 1, node_kg(platform, policy)
        air, own = 100 * policy.whole("cooling.rack_air_w"), "racks" in market.request.have
        high = (market.request.line_volts or policy.whole("power.line_volts")) >= LOW_LINE_V
        percent = pdu_efficiency(policy)

        def feeds(pdu: Pdu, a: int) -> bool:
            return 100 * (a * node_w + watts) <= percent * pdu.power_w and (
                outlets is None or a * outlets[1] <= 2 * (pdu.outlets_c19 if outlets[0] == "C20" else pdu.outlets_c13)
            )

        racks, pdus = self.racks, [d for d in self.pdus if (d.volts >= LOW_LINE_V) == high]
        for a in counts:
            if a * heat + 100 * watts > air:
                return
            if own:
                if a * tall + units > policy.whole("rack.max_units"):
                    return
                yield a, None, None
                continue
            racks = [rack for rack in racks if a * tall + units <= rack.rack_units and a * heavy + kg <= rack.load_kg]
            pdus = [d for d in pdus if feeds(d, a)]
            if not racks or not pdus:
                return
            yield a, racks[0], pdus[0]

    def liquid(self, platform: Platform, total_w: int, racks: int) -> dict[str, int] | None:
        """CDUs, manifolds and facility connections of liquid-cooled nodes; None when they can't be had."""
        if "air" in platform.cooling or platform.kind == Kind.SYSTEM:
            return NO_PARTS
        if not self.market.request.site_water:
            return None
        need, cents = liquid_w(total_w, self.market.policy), self.market.cents
        gear = [x for x in self.cooling if x in self.demanded]
        gear += [x for x in self.cooling if x.role not in {asked.role for asked in gear}]
        spare = 1 if racks > 1 else 0
        cdus = [(x, -(-need // x.capacity_w) + spare) for x in gear if x.role == "cdu-l2l" and x.capacity_w]
        out: dict[str, int] = {}
        for found in (
            [(x.id, q) for x, q in cdus],
            *([(x.id, racks) for x in gear if x.role == role] for role in ("manifold", "facility")),
        ):
            if not found:
                return None
            part, qty = min(found, key=lambda o: (cents(o[0]) * o[1], o[0]))
            out[part] = qty
        return out
