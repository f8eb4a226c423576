"""Rule surplus: where a share of the cost is limited, no drive, card or cooling is bought that a build can do without,
a complete system gets no more modules than it needs, and no order is larger than it must be.

Without it a share would be met by padding: cards and drives that nothing uses, of another seller or with a better known
price. Whatever else a build holds is fixed in number by its other rules. A drive or card demanded by `--include` is no
padding.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from catalogs.load import Catalog
from catalogs.message import N_, joined, message
from catalogs.offers import Bundle
from catalogs.schema import Cooling as CoolingPart
from catalogs.schema import Drive, Gpu, Memory, Nic, Platform
from constraints.physics.contents import inside, modules_to_buy
from constraints.physics.links import lan_port
from constraints.physics.lookup_tables import copies, tables_gb
from constraints.policy import Policy
from constraints.prices.order_limits import limit_surplus
from constraints.prices.ordering import at_least
from constraints.rule import Check, Rule
from constraints.rules.cooling import Cooling
from constraints.rules.host_memory import floor_gb
from constraints.rules.interconnect import bills_of, covers, net_of
from constraints.rules.lanes import needs_lanes
from constraints.rules.rack import racked
from constraints.rules.storage import Storage, needed_gb

if TYPE_CHECKING:
    from constraints.build import Build, Case
    from constraints.model.family_model import FamilyModel
    from constraints.prices.purchase import Line


class Surplus(Rule):
    id = "surplus"
    title = N_("Surplus parts")
    phase = "money"
    reads = frozenset({"orders"})

    def encode(self, model: FamilyModel) -> None:
        if model.request.shares:
            self._drives(model)
            self._cards(model)
            self._modules(model)
            limit_surplus(model)

    def _drives(self, model: FamilyModel) -> None:
        """One piece less of any drive leaves too little room or speed."""
        cp, data_gb = model.cp, model.request.dataset_gb
        precision = {x: cp.new_bool_var(x) for x in sorted({row.plan.precision for row in model.rows})}
        for x, chosen in precision.items():
            cp.add(sum(literal for row, literal in model.rows.items() if row.plan.precision == x) == chosen)
        held: dict[tuple[int, int, int], list[Any]] = {}
        for p, literal in model.platform.items():
            drives = inside(p, model.catalog, Drive)
            if "storage" in p.includes and not drives:
                for drive, qty in model.drive.items():
                    cp.add(qty <= _first(drive.id, model.request.include) - 1).only_enforce_if(literal)
                continue
            fast = [(d, q) for d, q in drives if needs_lanes(d)]
            there = (
                sum(d.capacity_gb * q for d, q in fast),
                sum(d.read_mb_s * q for d, q in fast),
                sum(d.capacity_gb * q for d, q in drives),
            )
            held.setdefault(there, []).append(literal)
        alike = {there: cp.new_bool_var("") for there in held}
        for there, chosen in alike.items():
            cp.add(sum(held[there]) == chosen)
        nvme = {drive: pieces for drive, pieces in model.drive.items() if needs_lanes(drive)}
        room, speed = sum(d.capacity_gb * q for d, q in nvme.items()), sum(d.read_mb_s * q for d, q in nvme.items())
        everything = sum(drive.capacity_gb * pieces for drive, pieces in model.drive.items())
        for drive, qty in model.drive.items():
            several = at_least(model, qty, _first(drive.id, model.request.include))
            small, slow, little = (cp.new_bool_var("") for _ in range(3))
            cp.add_bool_or([small, slow, little]).only_enforce_if(several)
            if drive not in nvme:
                cp.add(small + slow == 0)
            if not data_gb:
                cp.add(little == 0)
            for (gb, mb_s, all_gb), platform in alike.items():
                least = model.policy.whole("storage.read_mb_s") - mb_s
                cp.add(speed - drive.read_mb_s <= least - 1).only_enforce_if(slow, platform)
                for x, chosen in precision.items():
                    need = needed_gb(model.llm, x, model.policy, model.request)
                    when = platform, chosen
                    cp.add(room - drive.capacity_gb <= need - gb - 1).only_enforce_if(small, *when)
                    if data_gb:
                        cp.add(everything - drive.capacity_gb <= need + data_gb - all_gb - 1).only_enforce_if(
                            little, *when
                        )

    def _cards(self, model: FamilyModel) -> None:
        """Each card serves a network, or is the one port of a node that has no other."""
        cp = model.cp
        held: dict[Nic, list[Any]] = {}
        for platform, v in model.platform.items():
            for nic, q in inside(platform, model.catalog, Nic):
                held.setdefault(nic, []).append(q * v)
        port = {nic: cp.new_bool_var("") for nic in model.nic}
        for nic, qty in model.nic.items():
            several = at_least(model, qty, _first(nic.id, model.request.include))
            used = sum(model.nic_needs.get(nic, []))
            cp.add(qty + sum(held.get(nic, [])) <= used + port[nic]).only_enforce_if(several)
        cp.add_at_most_one(port.values())
        none = sum(port.values()) == 0
        for literals, _ in model.nets:
            for network, v in literals.items():
                if network.nic is not None:
                    cp.add(none).only_enforce_if(v)
        for platform, v in model.platform.items():
            for row, chosen in model.rows.items():
                pp = "network" in model.request.have and net_of(row.plan, model.per_node) == "pp"
                if _has_port(platform, inside(platform, model.catalog, Nic), _least(pp, model.policy)):
                    cp.add(none).only_enforce_if(v, chosen)

    def _modules(self, model: FamilyModel) -> None:
        """Into a complete system go no more modules than the rule of host memory asks for. How many a bare chassis
        takes is settled by its channels."""
        for platform, literal in model.platform.items():
            for (x, n), chosen in model.memory.items() if inside(platform, model.catalog, Memory) else ():
                for for_tables_gb in {row.key.tables_gb for row in model.rows}:
                    least = _least_gb(model.gpu, model.per_node, model.policy, for_tables_gb)
                    if n > _fewest_modules(platform, model.catalog, x, least):
                        rows = [is_row for row, is_row in model.rows.items() if row.key.tables_gb == for_tables_gb]
                        model.cp.add(sum(rows) == 0).only_enforce_if(literal, chosen)

    def check(self, case: Case) -> list[Check]:
        if not case.request.shares:
            return []
        found: list[str] = [message("{part} (drive)", part=d) for d in self._drives_beyond(case)]
        found += [message("{part} (memory)", part=x) for x in self._modules_beyond(case)]
        found += [message("{part} (cord)", part=x) for x in self._cords_beyond(case)]
        found += [message("{part} (cooling)", part=x) for x in self._cooling_beyond(case)]
        found += [message("{part} (ordered)", part=x) for x in self._orders_beyond(case)]
        if not self._cards_used(case):
            found.append("cards beyond those that its networks need")
        if found:
            text = message("spare pieces, which must not bring a share down: {list}", list=joined(found))
            return [Check.of(self.id, False, text)]
        return [Check.of(self.id, True, "no spare drive, card or cooling")]

    def _drives_beyond(self, c: Case) -> list[str]:
        bought = {x: q for x, q in sorted(c.build.node.items()) if isinstance(c.catalog.parts[x], Drive)}
        several = [x for x, q in bought.items() if q >= _first(x, c.request.include)]
        if "storage" in c.platform.includes and not inside(c.platform, c.catalog, Drive):
            return several
        fewer = {x: replace(c, build=_less(c.build, x)) for x in several}
        return [x for x, case in fewer.items() if all(f.status != "fail" for f in Storage().check(case))]

    def _modules_beyond(self, case: Case) -> list[str]:
        if not inside(case.platform, case.catalog, Memory):
            return []
        bought = [(part, case.build.node.get(part.id, 0)) for part, _ in case.parts(Memory) if isinstance(part, Memory)]
        in_node = copies(case.plan.gpus, case.per_node)
        for_tables = tables_gb(case.llm, in_node, case.policy) if case.plan.host_tables else 0
        least = _least_gb(case.gpu, case.per_node, case.policy, for_tables)
        fewest = {x: _fewest_modules(case.platform, case.catalog, x, least) for x, _ in bought}
        return [x.id for x, n in bought if n > fewest[x]]

    def _cords_beyond(self, case: Case) -> list[str]:
        """Power cords of a node beyond one for each supply; where no rack is bought, all of them."""
        cords = {
            x: q for x, q in sorted(case.build.node.items()) if getattr(case.catalog.parts[x], "medium", "") == "power"
        }
        wanted = case.psus.fitted if case.psus and racked(case.platform) and "racks" not in case.request.have else 0
        return list(cords) if sum(cords.values()) > wanted + sum(x in case.request.include for x in cords) else []

    def _cooling_beyond(self, c: Case) -> list[str]:
        """CDUs, manifolds, connections. Over racks that the site has, nodes spread as the buyer likes."""
        if "racks" in c.request.have:
            return []
        gear = [x for x in sorted(c.build.shared) if isinstance(c.catalog.parts[x], CoolingPart)]
        fewer = {x: replace(c, build=_less(c.build, x)) for x in gear}
        return [x for x, case in fewer.items() if all(f.status != "fail" for f in Cooling().check(case))]

    def _orders_beyond(self, case: Case) -> list[str]:
        """Parts of which more is ordered than is needed, though an order could be smaller or left out; bundles that
        could be left out."""
        pieces, orders = case.priced, case.book.purchase(case.priced)
        if orders is None:
            return []
        over = {
            x: sum(line.qty for line in orders.lines if line.part == x) - case.book.bought(x, pieces[x]) for x in pieces
        }
        found = set[str]()
        for line in orders.lines:
            if isinstance(line.offer, Bundle):
                kit = {part.part: part.qty for part in line.offer.parts}
                if line.part == line.offer.id and all(over[x] >= q for x, q in kit.items() if x in over):
                    found.add(line.part)
            elif over[line.part] and (over[line.part] >= line.qty or line.qty > _least_of(case, line)):
                found.add(line.part)
        return sorted(found)

    def _cards_used(self, case: Case) -> bool:
        cards = {x: q for x, q in case.build.node.items() if isinstance(case.catalog.parts[x], Nic)}
        several = [x for x, q in cards.items() if q >= _first(x, case.request.include)]
        held = inside(case.platform, case.catalog, Nic)
        total = {x: q for x, q in case.node_all.items() if isinstance(case.catalog.parts[x], Nic)}
        pp = "network" in case.request.have and net_of(case.plan, case.per_node) == "pp"
        port = 0 if _has_port(case.platform, held, _least(pp, case.policy)) else 1

        def fine(left: Mapping[str, int]) -> bool:
            used = any(left[f"node {x}"] < q for x, q in total.items())
            return sum(max(0, left[f"node {x}"]) for x in several) <= (0 if used else port)

        bills = list(bills_of(case).values()) if case.build.nodes > 1 else []
        return covers(bills, dict(case.build.shared) | {f"node {x}": q for x, q in total.items()}, fine)


def _least_gb(gpu: Gpu, per_node: int, policy: Policy, for_tables_gb: int) -> int:
    """GB of RAM that a node needs, with n-gram tables in host memory for these."""
    return 0 if gpu.form_factor == "integrated" else max(floor_gb(per_node * gpu.vram_gb, policy), for_tables_gb)


def _fewest_modules(platform: Platform, catalog: Catalog, module: Memory, least_gb: int) -> int:
    """The fewest modules to be bought for a complete system whose memory then holds so much; 0 where none do."""
    held_gb = sum(m.capacity_gb * n for m, n in inside(platform, catalog, Memory))
    return next((n for n in modules_to_buy(platform, catalog) if held_gb + n * module.capacity_gb >= least_gb), 0)


def _least_of(case: Case, line: Line) -> int:
    """The fewest pieces that an offer sells at a line's price."""
    sources = (s for s in case.book.prices[line.part].sources().sources if s.offer == line.offer)
    return min(step.least for s in sources for step in s.steps if step.cents == line.cents)


def _first(part: str, include: tuple[str, ...]) -> int:
    """The first piece of a part that has to be of use; one of those demanded may be of none."""
    return 2 if part in include else 1


def _less(build: Build, part: str) -> Build:
    node, shared = ({x: q - (x == part) for x, q in parts.items()} for parts in (build.node, build.shared))
    return replace(build, node=node, shared=shared)


def _least(pp: bool, policy: Policy) -> int:
    """Gbit/s that a node's port needs where the site has the network."""
    return policy.whole("interconnect.pp_gbit_s") if pp else 0


def _has_port(platform: Platform, held: list[tuple[Nic, int]], least: int) -> bool:
    """Whether a node has a port of `least` Gbit/s without a card bought."""
    return any(lan_port(x)[0] >= least for x in platform.onboard_lan) or any(n.gbit_s >= least for n, _ in held)
