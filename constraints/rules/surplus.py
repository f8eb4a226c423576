"""Rule surplus: where a share of the cost is limited, no drive, card or cooling is bought that a build can do without,
a complete system gets no more modules than it needs, and no order is larger than it must be.

Without it a share would be met by padding: cards and drives that nothing uses, of another seller or with a better known
price. Whatever else a build holds is fixed in number by its other rules. A drive or card demanded by `--include` is no
padding.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from catalogs.load import Catalog
from catalogs.message import N_, joined, message
from catalogs.offers import Bundle
from catalogs.schema import Cooling as CoolingPart
from catalogs.schema import Drive, Memory, Nic, Platform
from constraints.physics.contents import inside, modules_to_buy
from constraints.physics.grades import data_in_bays, least_ram_gb, port_gbit_s
from constraints.physics.links import lan_port
from constraints.physics.lookup_tables import copies, tables_gb
from constraints.policy import Policy
from constraints.prices.order_limits import limit_surplus
from constraints.prices.ordering import at_least
from constraints.rule import Check, Rule
from constraints.rules.cooling import Cooling
from constraints.rules.interconnect import bills_of, covers, laid_net
from constraints.rules.lanes import needs_lanes
from constraints.rules.rack import racked
from constraints.rules.storage import (
    for_system_alone,
    kinds_for_system,
    left_for_data,
    needed_gb,
    suffices,
    system_drives,
)

if TYPE_CHECKING:
    from constraints.build import Build, Case
    from constraints.model.family_model import FamilyModel
    from constraints.prices.purchase import Line


class _Inside(NamedTuple):
    """What drives inside a complete system hold, and how fast those on PCIe lanes read."""

    nvme_gb: int
    nvme_mb_s: int
    all_gb: int
    in_bays: bool
    """Whether data must lie on drives of front bays."""


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
        of_precision = self._precisions(model)
        held = self._held(model)
        left = {in_bays: left_for_data(model, in_bays) for in_bays in (False, True)}
        for drive, qty in model.drive.items():
            several = at_least(model, qty, _first(drive.id, model.request.include))
            # Why no piece can be spared: NVMe of too little room, too slow, or too little for the training set.
            small, slow, little = (cp.new_bool_var("") for _ in range(3))
            cp.add_bool_or([small, slow, little, self._system_on(model, drive)]).only_enforce_if(several)
            if not needs_lanes(drive):
                cp.add(small + slow == 0)
            if not data_gb:
                cp.add(little == 0)
            for there, platform in held.items():
                room, speed, everything = left[there.in_bays]
                data = 0 if for_system_alone(drive, there.in_bays) else 1
                least_mb_s = model.policy.whole("storage.read_mb_s") - there.nvme_mb_s
                cp.add(speed - data * drive.read_mb_s <= least_mb_s - 1).only_enforce_if(slow, platform)
                for precision, chosen in of_precision.items():
                    need = needed_gb(model.llm, precision, model.policy, model.request)
                    without = room - data * drive.capacity_gb
                    cp.add(without <= need - there.nvme_gb - 1).only_enforce_if(small, platform, chosen)
                    if data_gb:
                        most = need + data_gb - there.all_gb - 1
                        cp.add(everything - data * drive.capacity_gb <= most).only_enforce_if(little, platform, chosen)

    def _system_on(self, model: FamilyModel, drive: Drive) -> Any:
        """A literal that lets no piece of a drive be spared, for the system lies on all of them."""
        literal = model.cp.new_bool_var("")
        kinds = [(number, chosen) for (kind, number), chosen in model.system.items() if kind is drive]
        model.cp.add(sum(chosen for _, chosen in kinds) >= 1).only_enforce_if(literal)
        for number, chosen in kinds:
            model.cp.add(model.drive[drive] <= number).only_enforce_if(literal, chosen)
        return literal

    def _precisions(self, model: FamilyModel) -> dict[str, Any]:
        """A literal for each precision of the rows: whether the chosen row has it."""
        of_precision = {name: model.cp.new_bool_var(name) for name in sorted({r.plan.precision for r in model.rows})}
        for name, literal in of_precision.items():
            rows = [chosen for row, chosen in model.rows.items() if row.plan.precision == name]
            model.cp.add(sum(rows) == literal)
        return of_precision

    def _held(self, model: FamilyModel) -> dict[_Inside, Any]:
        """What stands in complete systems, with a literal for all platforms of equal contents; where storage is built
        in, no drive is bought but one that is demanded."""
        alike: dict[_Inside, list[Any]] = {}
        for platform, literal in model.platform.items():
            drives = inside(platform, model.catalog, Drive)
            if "storage" in platform.includes and not drives:
                for drive, qty in model.drive.items():
                    most = _first(drive.id, model.request.include) - 1
                    model.cp.add(qty <= most).only_enforce_if(literal)
                continue
            fast = [(drive, qty) for drive, qty in drives if needs_lanes(drive)]
            there = _Inside(
                nvme_gb=sum(drive.capacity_gb * qty for drive, qty in fast),
                nvme_mb_s=sum(drive.read_mb_s * qty for drive, qty in fast),
                all_gb=sum(drive.capacity_gb * qty for drive, qty in drives),
                in_bays=data_in_bays(platform, model.policy, model.request.grade),
            )
            alike.setdefault(there, []).append(literal)
        chosen = {there: model.cp.new_bool_var("") for there in alike}
        for there, literal in chosen.items():
            model.cp.add(sum(alike[there]) == literal)
        return chosen

    def _cards(self, model: FamilyModel) -> None:
        """Each card serves a network, or is the one port of a node that has no other."""
        cp = model.cp
        held: dict[Nic, list[Any]] = {}
        for platform, literal in model.platform.items():
            for card, pieces in inside(platform, model.catalog, Nic):
                held.setdefault(card, []).append(pieces * literal)
        port = {card: cp.new_bool_var("") for card in model.nic}
        for card, qty in model.nic.items():
            several = at_least(model, qty, _first(card.id, model.request.include))
            used = sum(model.nic_needs.get(card, []))
            cp.add(qty + sum(held.get(card, [])) <= used + port[card]).only_enforce_if(several)
        cp.add_at_most_one(port.values())
        # A card of a network is a port too, and so is one on the board or inside.
        no_other = sum(port.values()) == 0
        for literals, _ in model.nets:
            for network, laid in literals.items():
                if network.nic is not None:
                    # One slower than the grade asks of the platform's port takes a faster card beside it.
                    for platform, literal in model.platform.items():
                        if network.nic.gbit_s >= port_gbit_s(platform, model.policy, model.request.grade):
                            cp.add(no_other).only_enforce_if(laid, literal)
        for platform, literal in model.platform.items():
            asked = port_gbit_s(platform, model.policy, model.request.grade)
            for row, chosen in model.rows.items():
                pp = "network" in model.request.have and laid_net(row.plan, row.key, model.per_node) == "pp"
                if _has_port(platform, inside(platform, model.catalog, Nic), max(asked, _least(pp, model.policy))):
                    cp.add(no_other).only_enforce_if(literal, chosen)

    def _modules(self, model: FamilyModel) -> None:
        """Into a complete system go no more modules than the rule of host memory asks for. How many a bare chassis
        takes is settled by its channels."""
        for platform, literal in model.platform.items():
            for (module, number), chosen in model.memory.items() if inside(platform, model.catalog, Memory) else ():
                for for_tables_gb in {row.key.tables_gb for row in model.rows}:
                    least = _least_gb(model, platform, for_tables_gb)
                    if number > _fewest_modules(platform, model.catalog, module, least):
                        rows = [is_row for row, is_row in model.rows.items() if row.key.tables_gb == for_tables_gb]
                        model.cp.add(sum(rows) == 0).only_enforce_if(literal, chosen)

    def check(self, case: Case) -> list[Check]:
        if not case.request.shares:
            return []
        found: list[str] = [message("{part} (drive)", part=part) for part in self._drives_beyond(case)]
        found += [message("{part} (memory)", part=name) for name in self._modules_beyond(case)]
        found += [message("{part} (cord)", part=name) for name in self._cords_beyond(case)]
        found += [message("{part} (cooling)", part=name) for name in self._cooling_beyond(case)]
        found += [message("{part} (ordered)", part=name) for name in self._orders_beyond(case)]
        if not self._cards_used(case):
            found.append("cards beyond those that its networks need")
        if found:
            text = message("spare pieces, which must not bring a share down: {list}", list=joined(found))
            return [Check.of(self.id, False, text)]
        return [Check.of(self.id, True, "no spare drive, card or cooling")]

    def _drives_beyond(self, case: Case) -> list[str]:
        drives = {
            part: qty for part, qty in sorted(case.build.node.items()) if isinstance(case.catalog.parts[part], Drive)
        }
        several = [part for part, qty in drives.items() if qty >= _first(part, case.request.include)]
        if "storage" in case.platform.includes and not inside(case.platform, case.catalog, Drive):
            return several
        fewer = {part: replace(case, build=_less(case.build, part)) for part in several}
        number = system_drives(case)

        def spare(system: Drive | None) -> list[str]:
            """With the system on drives of this kind."""
            lies = "" if system is None else system.id
            beside = {part: less for part, less in fewer.items() if part != lies or drives[part] > number}
            return [part for part, without in beside.items() if suffices(without, system)]

        kinds: list[Drive | None] = [*kinds_for_system(case)]
        passing = [kind for kind in kinds or [None] if suffices(case, kind)]
        return min((spare(kind) for kind in passing), key=len, default=[])

    def _modules_beyond(self, case: Case) -> list[str]:
        if not inside(case.platform, case.catalog, Memory):
            return []
        bought = [(part, case.build.node.get(part.id, 0)) for part, _ in case.parts(Memory) if isinstance(part, Memory)]
        in_node = copies(case.plan.gpus, case.per_node)
        for_tables = tables_gb(case.llm, in_node, case.policy) if case.plan.host_tables else 0
        of_vram = least_ram_gb(case.vram_gb, case.platform, case.policy, case.request.grade)
        least = 0 if case.unified else max(of_vram, for_tables)
        fewest = {module: _fewest_modules(case.platform, case.catalog, module, least) for module, _ in bought}
        return [module.id for module, pieces in bought if pieces > fewest[module]]

    def _cords_beyond(self, case: Case) -> list[str]:
        """Power cords of a node beyond one for each supply; where no rack is bought, all of them."""
        cords = {
            cord: qty
            for cord, qty in sorted(case.build.node.items())
            if getattr(case.catalog.parts[cord], "medium", "") == "power"
        }
        plugged = case.psus is not None and case.psus.inlet is not None and racked(case.platform)
        wanted = case.psus.fitted if case.psus and plugged and "racks" not in case.request.have else 0
        return list(cords) if sum(cords.values()) > wanted + sum(cord in case.request.include for cord in cords) else []

    def _cooling_beyond(self, case: Case) -> list[str]:
        """CDUs, manifolds, connections. Over racks that the site has, nodes spread as the buyer likes."""
        if "racks" in case.request.have:
            return []
        gear = [part for part in sorted(case.build.shared) if isinstance(case.catalog.parts[part], CoolingPart)]
        fewer = {part: replace(case, build=_less(case.build, part)) for part in gear}
        return [part for part, without in fewer.items() if _passes(Cooling(), without)]

    def _orders_beyond(self, case: Case) -> list[str]:
        """Parts of which more is ordered than is needed, though an order could be smaller or left out; bundles that
        could be left out."""
        pieces, orders = case.priced, case.book.purchase(case.priced)
        if orders is None:
            return []
        beyond = {part: -case.book.bought(part, qty) for part, qty in pieces.items()}
        for line in orders.lines:
            if line.part in beyond:
                beyond[line.part] += line.qty
        found = set[str]()
        for line in orders.lines:
            if isinstance(line.offer, Bundle):
                # Its parts have lines of their own: only the bundle's is asked.
                of_kit = [(part.part, part.qty) for part in line.offer.parts if part.part in beyond]
                if line.part == line.offer.id and all(beyond[part] >= qty for part, qty in of_kit):
                    found.add(line.part)
            elif beyond[line.part]:
                could_be_left_out = beyond[line.part] >= line.qty
                if could_be_left_out or line.qty > _least_of(case, line):
                    found.add(line.part)
        return sorted(found)

    def _cards_used(self, case: Case) -> bool:
        cards = {card: qty for card, qty in case.build.node.items() if isinstance(case.catalog.parts[card], Nic)}
        several = [card for card, qty in cards.items() if qty >= _first(card, case.request.include)]
        held = inside(case.platform, case.catalog, Nic)
        total = {card: qty for card, qty in case.node_all.items() if isinstance(case.catalog.parts[card], Nic)}
        pp = "network" in case.request.have and laid_net(case.plan, case.row, case.per_node) == "pp"
        asked = port_gbit_s(case.platform, case.policy, case.request.grade)
        port = 0 if _has_port(case.platform, held, max(asked, _least(pp, case.policy))) else 1
        fast = {card.id for card, _ in case.parts(Nic) if isinstance(card, Nic) and card.gbit_s >= asked}

        def fine(left: Mapping[str, int]) -> bool:
            used = any(left[f"node {card}"] < qty for card, qty in total.items() if card in fast)
            return sum(max(0, left[f"node {card}"]) for card in several) <= (0 if used else port)

        bills = list(bills_of(case).values()) if case.build.nodes > 1 else []
        return covers(bills, dict(case.build.shared) | {f"node {card}": qty for card, qty in total.items()}, fine)


def _passes(rule: Rule, case: Case) -> bool:
    """Whether a rule fails nothing of a build."""
    return all(finding.status != "fail" for finding in rule.check(case))


def _least_gb(model: FamilyModel, platform: Platform, for_tables_gb: int) -> int:
    """GB of RAM that a node needs, with n-gram tables in host memory for these."""
    vram_gb = model.per_node * model.gpu.vram_gb
    of_vram = least_ram_gb(vram_gb, platform, model.policy, model.request.grade)
    return 0 if model.gpu.form_factor == "integrated" else max(of_vram, for_tables_gb)


def _fewest_modules(platform: Platform, catalog: Catalog, module: Memory, least_gb: int) -> int:
    """The fewest modules to be bought for a complete system whose memory then holds so much; 0 where none do."""
    held_gb = sum(held.capacity_gb * number for held, number in inside(platform, catalog, Memory))
    return next(
        (number for number in modules_to_buy(platform, catalog) if held_gb + number * module.capacity_gb >= least_gb), 0
    )


def _least_of(case: Case, line: Line) -> int:
    """The fewest pieces that an offer sells at a line's price."""
    sources = (source for source in case.book.prices[line.part].sources().sources if source.offer == line.offer)
    return min(step.least for source in sources for step in source.steps if step.cents == line.cents)


def _first(part: str, include: tuple[str, ...]) -> int:
    """The first piece of a part that has to be of use; one of those demanded may be of none."""
    return 2 if part in include else 1


def _less(build: Build, part: str) -> Build:
    node, shared = (
        {part_id: qty - (part_id == part) for part_id, qty in parts.items()} for parts in (build.node, build.shared)
    )
    return replace(build, node=node, shared=shared)


def _least(pp: bool, policy: Policy) -> int:
    """Gbit/s that a node's port needs where the site has the network."""
    return policy.whole("interconnect.pp_gbit_s") if pp else 0


def _has_port(platform: Platform, held: list[tuple[Nic, int]], least: int) -> bool:
    """Whether a node has a port of `least` Gbit/s without a card bought."""
    return any(lan_port(lan)[0] >= least for lan in platform.onboard_lan) or any(
        card.gbit_s >= least for card, _ in held
    )
