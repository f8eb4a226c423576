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
from constraints.physics.draw import Draw, gear_w
from constraints.physics.grades import port_gbit_s
from constraints.physics.layout import racks_reached
from constraints.physics.links import Network, Pieces, networks
from constraints.physics.markets import line_volts
from constraints.physics.weight import gear_kg
from constraints.plan import RowKey
from constraints.policy import Policy
from constraints.prices.tariff import NEVER
from constraints.rules.cooling import liquid_w
from constraints.rules.interconnect import BMC
from constraints.rules.power import LOW_LINE_V
from constraints.rules.rack import air_w, most_per_rack, node_kg, own_rack, racked
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
        bill = self.network.bill_of(self.nodes, self.per_node) or {}
        return {piece.id: qty for piece, qty in bill.items()}

    def load(self, policy: Policy) -> tuple[int, int, int, int]:
        """Power, rack units and weight of the switches, as the rules count them, and racks that its cables do not
        reach."""
        switch = self.network.switch
        beyond = self.nodes - racks_reached(self.network.shortest_m, self.nodes, policy)
        if switch is None:
            return 0, 0, 0, beyond
        qty = self.shared.get(switch.id, 0)
        return qty * gear_w(switch, policy), qty * switch.rack_units, qty * gear_kg(switch, policy), beyond


class Ways(Sequence[Joined]):
    """The ways to build a network, cheapest first; each is written out only when it is looked at."""

    def __init__(
        self, cents: Sequence[int], networks: Sequence[Network], nodes: int, per_node: int,
        added: Mapping[str, Mapping[str, int]], policy: Policy,
    ) -> None:  # fmt: skip
        """`added`: card -> what every node takes of it."""
        self.cents, self._networks, self._size, self._added = cents, networks, (nodes, per_node), added
        self._policy = policy
        self._made: dict[int, Joined] = {}

    def __len__(self) -> int:
        return len(self.cents)

    @overload
    def __getitem__(self, place: int) -> Joined: ...
    @overload
    def __getitem__(self, places: slice) -> list[Joined]: ...
    def __getitem__(self, place: int | slice) -> Joined | list[Joined]:
        if isinstance(place, slice):
            return [self[each] for each in range(len(self))[place]]
        if place not in self._made:
            network = self._networks[place]
            node = self._added.get(network.nic.id, NO_PARTS) if network.nic else NO_PARTS
            self._made[place] = Joined(self.cents[place], network, *self._size, node)
        return self._made[place]

    def of_all(self, asked: Sequence[Part]) -> Ways:
        """Those with all of some switches, cards, cables and optics. Sound where these are demanded and of use in this
        network alone: a build lays each of its networks once."""
        chosen = [place for place in range(len(self)) if all(self.has(place, part) for part in asked)]
        networks = [self._networks[place] for place in chosen]
        return Ways([self.cents[place] for place in chosen], networks, *self._size, self._added, self._policy)

    def reaching(self, racks: int) -> Ways:
        """Those whose cables reach so many racks. Sound where a build has at least as many."""
        if racks < 2:
            return self
        chosen = [
            place
            for place, network in enumerate(self._networks)
            if racks_reached(network.shortest_m, racks, self._policy) == racks
        ]
        networks = [self._networks[place] for place in chosen]
        return Ways([self.cents[place] for place in chosen], networks, *self._size, self._added, self._policy)

    def has(self, place: int, part: Part) -> bool:
        """Whether the way at this place may take a part."""
        network = self._networks[place]
        if part in (network.nic, network.switch):
            return True
        return any(part is piece for piece, _ in (*network.pieces, *network.trunk))

    @cached_property
    def wires(self) -> frozenset[str]:
        """Switches, cables and optics of the networks that no other one with the same card beats, and all trunks.

        Sound: the other network comes with the same card or port, at no higher price (ways are sorted) and with no more
        power, rack units and weight of switches and cables that reach as far, which is all that rules read of it, since
        each of these ways is fast enough for the row and the grade: a build that has it in its place keeps every rule
        and gets no dearer (docs/proof.md, Within one family). Trunks are compared where networks are made
        (`thrifty`)."""
        kept: set[str] = set()
        loads: dict[tuple[str, str], list[tuple[int, int, int, int]]] = {}
        for way in self:  # cheapest first
            network, load = way.network, way.load(self._policy)
            kept |= {piece.id for piece, _ in network.trunk}
            same_card = loads.setdefault((network.nic.id if network.nic else "", network.lan), [])
            if not any(_no_more(other, load) for other in same_card):
                same_card.append(load)
                kept |= {piece.id for piece, _ in network.pieces}
                kept |= {network.switch.id} if network.switch else set()
        return frozenset(kept)


def _no_more(load: tuple[int, int, int, int], than: tuple[int, int, int, int]) -> bool:
    """Whether a load is no more than another in power, units, weight and racks out of reach."""
    return all(mine <= other for mine, other in zip(load, than, strict=True))


class Wirings:
    """Prices of the pieces of networks, one entry per network; `cents` gives the sums of their bills without bills."""

    def __init__(self, found: list[Network], cents: Callable[[str], int]) -> None:
        self.networks = sorted(found, key=_ids)
        sold = {piece.id for network in found for piece, _ in (*network.pieces, *network.trunk)}
        sold |= {network.switch.id for network in found if network.switch}
        dearest = max(map(cents, sold), default=0)
        # A million pieces of less stay below 2^63; beyond it Python's own integers count, slower and without limit.
        self._exact: Any = np.int64 if dearest < 2**36 else object
        self.pieces = self._prices([network.pieces for network in self.networks], cents)
        self.trunk = self._prices([network.trunk for network in self.networks], cents)
        self.cards = {
            nic: np.array([network.nic is not None and network.nic.id == nic for network in self.networks], bool)
            for nic in sorted({network.nic.id for network in found if network.nic})
        }
        self.has_trunk = np.array([bool(network.trunk) for network in self.networks], bool)
        self.switch = self._whole([cents(network.switch.id) if network.switch else 0 for network in self.networks])
        self.ports = np.array(
            [network.switch.ports_at(network.gbit_s) if network.switch else 0 for network in self.networks], np.int64
        )

    def _whole(self, values: list[int]) -> Any:
        """An array of exact integers."""
        return np.array(values, dtype=self._exact)

    def _prices(self, pieces: list[Pieces], cents: Callable[[str], int]) -> list[tuple[Any, Any]]:
        """Of the first, second ... piece of each network the cents and the links it carries; where a network has fewer,
        pieces at no cost."""
        most = max(map(len, pieces), default=0)
        prices = []
        for place in range(most):
            each = [network[place] if place < len(network) else None for network in pieces]
            price = self._whole([cents(found[0].id) if found else 0 for found in each])
            prices.append((price, np.array([found[1] if found else 1 for found in each])))
        return prices

    def cents(self, nodes: int, per_node: int) -> tuple[Any, Any]:
        """Cents of the shared pieces, and whether the network reaches that far at all: `Network.bill_of` for all
        networks at once. `-(-a // b)` is a / b rounded up."""
        direct, half = self.ports == 0, np.maximum(self.ports // 2, 1)
        links = np.where(direct, per_node, nodes * per_node)
        one_switch = direct | (links <= self.ports)
        # Half of a leaf's ports go down to nodes, half up to spines: non-blocking.
        leaves = -(-links // half)
        two_tiers = self.has_trunk & (self.ports > 1) & (leaves <= self.ports)
        reached = np.where(one_switch, ~direct | (nodes == 2), two_tiers)
        uplinks = leaves * half
        wires = sum((each * -(-links // carried) for each, carried in self.pieces), start=np.zeros_like(self.switch))
        trunk = sum((each * -(-uplinks // carried) for each, carried in self.trunk), start=np.zeros_like(self.switch))
        switches = leaves + -(-uplinks // np.maximum(self.ports, 1))
        return wires + np.where(one_switch, self.switch, trunk + self.switch * switches), reached


def _ids(network: Network) -> tuple[object, ...]:
    """What tells networks apart, in an order that is the same in every run."""
    return (
        network.nic.id if network.nic else "",
        network.switch.id if network.switch else "",
        tuple(piece.id for piece, _ in network.pieces),
    )


@cache
def _fewest_per_rack(nodes: int, most: int) -> tuple[int, ...]:
    """Up to `most` nodes per rack: for each number of racks that they make the fewest.

    Enough: with as many racks a rack of fewer nodes bears whatever a fuller one does."""

    def racks(per_rack: int) -> int:
        return -(-nodes // per_rack)

    return tuple(count for count in range(1, most + 1) if count == 1 or racks(count) != racks(count - 1))


class Cluster:
    """Shared gear of a market; answers are remembered."""

    def __init__(self, market: Market, parts: Parts, refusals: Refusals) -> None:
        self.market, self._refusals = market, refusals
        self.nics = [part for part in parts.get(Nic, []) if isinstance(part, Nic)]
        self.cooling = [part for part in parts.get(Cooling, []) if isinstance(part, Cooling)]
        racks = [part for part in parts.get(Rack, []) if isinstance(part, Rack)]
        pdus = [part for part in parts.get(Pdu, []) if isinstance(part, Pdu)]
        self.demanded = demanded(market.request, market.catalog)
        # Sound: a build has one kind of rack and of PDU, so that one that is demanded leaves no other.
        racks = [rack for rack in racks if rack in self.demanded] or racks
        pdus = [pdu for pdu in pdus if pdu in self.demanded] or pdus
        self.racks = sorted(racks, key=lambda rack: (market.cents(rack.id), rack.id))
        self.pdus = sorted(pdus, key=lambda pdu: (market.cents(pdu.id), pdu.id))
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
            held = tuple((nic.id, qty) for nic, qty in inside(platform, self.market.catalog, Nic))
            cards = tuple(card.id for card in self._cards(platform))
            facts = (cards, platform.nic_slots, platform.onboard_lan, held, self._port(platform))
            # One number for all platforms that networks can't tell apart, quicker to look up than their facts.
            ports = self._ports[platform.id] = self._alike.setdefault(facts, len(self._alike))
        memo = (ports, key.nodes, key.per_node, key.net, key.net_gbit_s)
        if memo not in self._needed:
            self._needed[memo] = self._networks(platform, key)
        return self._needed[memo]

    def _networks(self, platform: Platform, key: RowKey) -> list[Ways]:
        """As `networks`, with the RDMA fabric last."""
        found = []
        if "network" not in self.market.request.have:
            least = max(key.net_gbit_s if key.net == "pp" else 1, self._port(platform))
            found.append(self._ways(platform, "frontend", least, key.nodes, 1))
            found.append(self._ways(platform, "oob", 1, key.nodes, 1))
        if key.net == "rdma":
            found.append(self._ways(platform, "rdma", key.net_gbit_s, key.nodes, key.per_node))
        elif wants_fabric(self.market.request, self.market.catalog):
            least = self.market.policy.whole("interconnect.ep_gbit_s")
            found.append(self._ways(platform, "rdma", least, key.nodes, key.per_node))
        return found

    def _port(self, platform: Platform) -> int:
        """Gbit/s of the port that the grade asks of a node: its front end is no slower."""
        return port_gbit_s(platform, self.market.policy, self.market.request.grade)

    def _cards(self, platform: Platform) -> list[Nic]:
        """Cards on sale that may be bought for nodes in a platform."""
        return self._refusals.admitted(platform, Nic, self.nics)

    def _ways(self, platform: Platform, role: str, least: int, nodes: int, per_node: int) -> Ways:
        """The ways to join `per_node` ports of each node by a network of a role, of `least` Gbit/s."""
        # The out-of-band network goes to the board's own management port: no card has a part in it.
        cards = () if role == "oob" else tuple(card.id for card in self._cards(platform))
        contained = [] if role == "oob" else inside(platform, self.market.catalog, Nic)
        held = tuple((card.id, qty) for card, qty in contained)
        lans: Sequence[str] = ()
        if role == "frontend":
            lans = platform.onboard_lan
        elif role == "oob":
            lans = (BMC,)
        kind = (cards, held, lans, role, least)
        slots = platform.nic_slots - sum(qty for _, qty in held)
        memo = (*kind, slots, nodes, per_node)
        if memo not in self._joined:
            if kind not in self._kinds:
                found = self._found(platform, {*cards, *dict(held)}, lans, role, least)
                self._kinds[kind] = Wirings(found, self.market.cents)
            ways = self._priced(self._kinds[kind], dict(held), slots, nodes, per_node)
            asked = [part for part in self.demanded if of_fabric(part)] if role == "rdma" else []
            asked += [part for part in self.demanded if isinstance(part, Switch) and part.role == role != "rdma"]
            self._joined[memo] = ways.of_all(asked) if asked else ways
        return self._joined[memo]

    def _found(self, platform: Platform, known: set[str], lans: Sequence[str], role: str, least: int) -> list[Network]:
        """All networks of a role with the `known` cards, those on sale first, or with onboard ports."""
        market = self.market
        cards = [card for card in self.nics if card.id in known]
        cards += [card for card, _ in inside(platform, market.catalog, Nic) if card not in cards]
        return networks(
            cards, lans, market.switches, market.links, role, least, direct=role == "rdma", cents=market.cents
        )

    def _priced(self, kinds: Wirings, held: dict[str, int], slots: int, nodes: int, per_node: int) -> Ways:
        """Ways with the cards that are bought; others a complete system holds."""
        prices, cards = self.market.book.prices, kinds.cards
        total, reached = kinds.cents(nodes, per_node)
        # A card that a system holds in the number needed is not bought; one that it holds too few of is bought whole,
        # for the fabric's cards are of one kind and number per node.
        added = {nic: {nic: per_node} for nic in cards if held.get(nic, 0) < per_node}
        for nic, where in cards.items():
            if nic not in added:
                continue
            if per_node > slots or nic not in prices:
                reached = reached & ~where
            else:
                cents = nodes * per_node * self.market.cents(nic)
                # Beyond it the sum with the pieces might leave 64 bits.
                total = total.astype(object) if cents >= 2**60 else total
                total = total + where.astype(total.dtype) * cents
        # Stable: networks of one price keep the order of their ids.
        order = np.argsort(total, kind="stable")
        chosen = order[reached[order]]
        return Ways(
            total[chosen].tolist(),
            [kinds.networks[place] for place in chosen.tolist()],
            nodes,
            per_node,
            added,
            self.market.policy,
        )

    def fewest_racks(self, platform: Platform, nodes: int, draw: Draw) -> int:
        """Racks that so many nodes of at least this draw stand in at least; 0 where they stand on their own or in no
        rack at all."""
        if own_rack(platform):
            return nodes
        if not racked(platform):
            return 0
        tallest = max((rack.rack_units for rack in self.racks), default=1)
        if "racks" in self.market.request.have:
            tallest = self.market.policy.whole("rack.max_units")
        counts = _fewest_per_rack(nodes, most_per_rack(platform.rack_units, tallest, nodes))
        fullest = max((count for count, _, _ in self._fillings(platform, counts, draw, NO_PARTS, None)), default=0)
        return -(-nodes // fullest) if fullest else 0

    def racks_for(
        self, platform: Platform, nodes: int, draw: Draw, shared: dict[str, int], outlets: tuple[str, int] | None
    ) -> tuple[int, dict[str, int], int]:
        """Cheapest (cents, parts, number of racks) for `nodes` of a draw; `outlets` is (inlet, number) per node."""
        if not racked(platform):
            return 0, NO_PARTS, 0
        best: tuple[int, dict[str, int], int] = (NEVER, NO_PARTS, 0)
        tallest = max((rack.rack_units for rack in self.racks), default=1)
        if "racks" in self.market.request.have:
            tallest = self.market.policy.whole("rack.max_units")
        cents = self.market.cents
        counts = _fewest_per_rack(nodes, most_per_rack(platform.rack_units, tallest, nodes))
        for per_rack, rack, pdu in self._fillings(platform, counts, draw, shared, outlets):
            count = -(-nodes // per_rack)
            # Two PDUs a rack, each able to carry all of it.
            total = count * (cents(rack.id) + 2 * cents(pdu.id)) if rack and pdu else 0
            if total < best[0]:
                best = total, {rack.id: count, pdu.id: 2 * count} if rack and pdu else NO_PARTS, count
        return best

    def _fillings(
        self,
        platform: Platform,
        counts: Iterable[int],
        draw: Draw,
        shared: dict[str, int],
        outlets: tuple[str, int] | None,
    ) -> Iterator[tuple[int, Rack | None, Pdu | None]]:
        """(nodes per rack, cheapest rack and PDU for them) of rising `counts`, up to the first one that heat, height,
        weight or power forbid: they forbid all larger ones too. No rack and PDU where the site has them."""
        market, policy = self.market, self.market.policy
        # Every rack keeps room for all shared gear, though it stands in one of them (docs/proof.md, Simplifications).
        gear = [(market.catalog.parts[part], qty) for part, qty in shared.items()]
        gear_units = sum(part.rack_units * qty for part, qty in gear if isinstance(part, Switch | Cooling))
        weight_kg = sum(gear_kg(part, policy) * qty for part, qty in gear if isinstance(part, Switch | Cooling))
        watts = sum(gear_w(part, policy) * qty for part, qty in gear if isinstance(part, Switch))
        node_air, node_units = air_w(*draw, platform, policy), platform.rack_units or 1
        node_weight = node_kg(platform, policy)
        most_air, own = 100 * policy.whole("cooling.rack_air_w"), "racks" in market.request.have
        high_line = line_volts(market.request, policy) >= LOW_LINE_V

        def feeds(pdu: Pdu, count: int) -> bool:
            if count * draw.wall_w + watts > pdu.power_w:
                return False
            if outlets is None:
                return True
            inlet, cords = outlets
            return count * cords <= 2 * (pdu.outlets_c19 if inlet == "C20" else pdu.outlets_c13)

        racks, pdus = self.racks, [pdu for pdu in self.pdus if (pdu.volts >= LOW_LINE_V) == high_line]
        for count in counts:
            units, weight = count * node_units + gear_units, count * node_weight + weight_kg
            if count * node_air + 100 * watts > most_air:
                return
            if own:
                if units > policy.whole("rack.max_units"):
                    return
                yield count, None, None
                continue
            # What is too small for this number is too small for all that follow: the lists only ever shrink. They are
            # sorted by price, so that the first that is left is the cheapest.
            racks = [rack for rack in racks if units <= rack.rack_units and weight <= rack.load_kg]
            pdus = [pdu for pdu in pdus if feeds(pdu, count)]
            if not racks or not pdus:
                return
            yield count, racks[0], pdus[0]

    def liquid(self, platform: Platform, total_w: int, racks: int) -> dict[str, int] | None:
        """CDUs, manifolds and facility connections of liquid-cooled nodes; None when they can't be had."""
        if "air" in platform.cooling or platform.kind == Kind.SYSTEM:
            return NO_PARTS
        if not self.market.request.site_water:
            return None
        need_w, cents = liquid_w(total_w, self.market.policy), self.market.cents
        # Of a role in which something is demanded nothing else is looked at.
        gear = [unit for unit in self.cooling if unit in self.demanded]
        demanded_roles = {unit.role for unit in gear}
        gear += [unit for unit in self.cooling if unit.role not in demanded_roles]
        # N+1 above one rack: the heat of several must not hang on one unit.
        spare = 1 if racks > 1 else 0
        cdus = [unit for unit in gear if unit.role == "cdu-l2l" and unit.capacity_w]
        choices = [[(unit.id, -(-need_w // (unit.capacity_w or 1)) + spare) for unit in cdus]]
        for role in ("manifold", "facility"):
            choices.append([(unit.id, racks) for unit in gear if unit.role == role])
        bought: dict[str, int] = {}
        for choice in choices:
            if not choice:
                return None
            part, qty = min(choice, key=lambda unit: (cents(unit[0]) * unit[1], unit[0]))
            bought[part] = qty
        return bought
