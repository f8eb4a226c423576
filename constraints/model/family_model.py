"""The CP-SAT model of one family (a GPU, GPUs per node): variables are parts, quantities, node count and row.

Rules read these variables in their `encode`. Everything is integer: cents, watts, bytes stay out of floats.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, get_args

from catalogs.errors import InputError
from catalogs.llm import Llm
from catalogs.load import Catalog
from catalogs.schema import Drive, Efficiency, Gpu, Kind, Nic
from constraints.build import (
    bank,
    brings_supplies,
    efficiency_percent,
    fan_percent,
    included_bank,
    power_cap,
    published_load_w,
    supply_patterns,
)
from constraints.cp_sat import cp_model
from constraints.model.candidates import Candidates
from constraints.physics.contents import dimm_counts, fixed_w, gpus_inside, modules_to_buy
from constraints.physics.draw import gear_w, grade_percent, stands_in_a_rack, wall_w
from constraints.physics.weight import gear_kg
from constraints.plan import Row
from constraints.policy import Policy
from constraints.prices.ordering import Ordered, orders, upper
from constraints.prices.purchase import PriceBook, Priced
from constraints.prices.totals import MAX_MONEY
from constraints.request import Request

Expr = Any  # ortools linear expressions carry no useful static type


INT64 = 2**63 - 1
"""The largest integer of CP-SAT."""
MOST_IN_NODE = 1000
"""Pieces of a part in a node that no rule lets a build reach."""
MOST_NODE_W = 10**6
"""Watts that the model counts a node with at most, where its parts draw less than half of it (`most_node_w`)."""
MOST_TOTAL_W = 10**9
"""The same of a thousand nodes."""


def within_int64(terms: Iterable[tuple[str, int, int]], what: str) -> int:
    """The largest value of a sum of `coefficient * variable`, from (name, coefficient, largest value of the variable).

    Raises InputError with the largest term when CP-SAT's 64 bits can't hold it."""
    found = [(abs(coefficient * most), name, coefficient, most) for name, coefficient, most in terms]
    total = sum(size for size, *_ in found)
    if total > INT64:
        _, name, coefficient, most = max(found)
        raise InputError(
            f"{what} may reach {total}, above 2^63: its largest term is {name}, {coefficient} x {most}",
            "number-too-large", "Lower --max-nodes or correct the price.",
        )  # fmt: skip
    return total


class FamilyModel:
    """Variables of one family; `rows` map each performance row to its literal."""

    def __init__(
        self, catalog: Catalog, request: Request, policy: Policy, llm: Llm, book: PriceBook,
        gpu: Gpu, per_node: int, rows: Sequence[Row], candidates: Candidates,
    ) -> None:  # fmt: skip
        self.catalog, self.request, self.policy, self.llm, self.book = catalog, request, policy, llm, book
        self.gpu, self.per_node, self.candidates = gpu, per_node, candidates
        self.cp = cp = cp_model.CpModel()
        self.rows = {row: cp.new_bool_var(f"row{place}") for place, row in enumerate(rows)}
        # A build has one row: plan, node count and clock follow from it.
        cp.add_exactly_one(self.rows.values())
        # The number of nodes is a choice of literals, not an integer: products with it are linear under each of them.
        counts = sorted({row.key.nodes for row in rows})
        self.node_counts = {nodes: cp.new_bool_var(f"n{nodes}") for nodes in counts}
        cp.add_exactly_one(self.node_counts.values())
        for nodes, is_n in self.node_counts.items():
            cp.add(sum(literal for row, literal in self.rows.items() if row.key.nodes == nodes) == is_n)
        self.platform = {platform: cp.new_bool_var(platform.id) for platform in candidates.platforms}
        cp.add_exactly_one(self.platform.values())
        self.extra_node_w: list[Expr] = []
        self.system: dict[tuple[Drive, int], Any] = {}
        """Whether a node's system lies on so many pieces of a drive, where its grade asks for them (rule storage)."""
        self._node_parts()
        self.racks_needed = cp.new_int_var(0, max(self.node_counts), "racks")
        self.nets: list[tuple[dict[Any, Any], int]] = []
        self.nic_needs: dict[Nic, list[Expr]] = {}
        self.extra_node_qty: dict[str, list[Expr]] = {}
        self.shared_cost: list[Expr] = []
        self.shared_w: list[Expr] = []
        self.racked_w: list[Expr] = []
        self.shared_units: list[Expr] = []
        self.shared_kg: list[Expr] = []
        self.shared_qty: dict[str, list[tuple[int, Any]]] = {}
        self._power()

    def _node_parts(self) -> None:
        """Variables of what a node holds: literals of kind and number where it takes one kind, else pieces of each."""
        cp, candidates, platforms = self.cp, self.candidates, self.candidates.platforms
        sockets = sorted({platform.sockets for platform in platforms})
        self.cpu = {
            (cpu, number): cp.new_bool_var(f"{cpu.id}*{number}")
            for cpu in candidates.cpus for number in sockets if number <= cpu.max_sockets
        }  # fmt: skip
        modules = sorted({n for platform in platforms for n in modules_to_buy(platform, self.catalog) if n})
        self.memory = {
            (module, number): cp.new_bool_var(f"{module.id}*{number}")
            for module in candidates.memory for number in modules
        }  # fmt: skip
        banks = sorted({pattern for platform in platforms for pattern in supply_patterns(platform)})
        self.psu = {
            (supply, fitted, needed): cp.new_bool_var(f"{supply.id}*{fitted}")
            for supply in candidates.psus for fitted, needed in banks
        }  # fmt: skip
        # Domains are as wide as the widest chassis; which pieces the chosen one takes is rule fit's.
        bays = [platform.nvme_bays + platform.m2_slots + platform.sata_bays for platform in platforms]
        self.drive = {drive: cp.new_int_var(0, max(bays, default=0), drive.id) for drive in candidates.drives}
        slots = max((platform.nic_slots for platform in platforms), default=0)
        self.nic = {card: cp.new_int_var(0, slots, card.id) for card in candidates.nics}
        coolers = [unit for unit in candidates.cooling if unit.role == "cpu-cooler"]
        self.cooler = {cooler: cp.new_int_var(0, max(sockets, default=1), cooler.id) for cooler in coolers}
        self._gpu_parts()
        # A node has one kind of CPU, module, supply and board (docs/proof.md, Limits of the space).
        for group in (self.cpu, self.memory, self.psu, self.board):
            if group:
                cp.add_at_most_one(group.values())
        for platform, literal in self.platform.items():
            # A system that holds all of its GPUs takes none; one with free slots takes loose ones up to the family's
            # number.
            bought = 0 if gpus_inside(platform, self.catalog)[1] == self.per_node else 1
            cp.add(sum(self.board.values()) + self.loose_gpus == bought).only_enforce_if(literal)

    def _gpu_parts(self) -> None:
        """Variables of the GPUs: a board with all of them, or loose ones, and bridges."""
        cp, candidates = self.cp, self.candidates
        boards = [board for board in candidates.boards if board.gpu == self.gpu.id and board.gpus == self.per_node]
        self.board = {board: cp.new_bool_var(board.id) for board in boards}
        self.loose_gpus = cp.new_bool_var(f"{self.gpu.id}*{self.per_node}")
        bridges = [bridge for bridge in candidates.bridges if self.gpu.id in bridge.gpus]
        # Rule interconnect takes all groups' bridges or none: the domain must reach that number.
        self.bridge = {
            bridge: cp.new_int_var(0, max(3, bridge.per_group) * self.per_node, bridge.id) for bridge in bridges
        }

    def _power(self) -> None:
        """node_w: load of one node with fans on its supplies; node_wall_w: what these take from the wall for it;
        total_w: the same of all nodes; load_w: of all nodes without the losses of supplies."""
        cp, parts = self.cp, self.catalog
        self.static_w: Expr = (
            sum(self.per_node * row.key.cap_w * chosen for row, chosen in self.rows.items())
            + sum(board.overhead_w * chosen for board, chosen in self.board.items())
            + sum((cpu.tdp_w or 0) * number * chosen for (cpu, number), chosen in self.cpu.items())
            + sum(module.power_w * number * chosen for (module, number), chosen in self.memory.items())
            + sum(drive.power_w * pieces for drive, pieces in self.drive.items())
            + sum(card.power_w * pieces for card, pieces in self.nic.items())
            + sum(
                (platform.overhead_w + fixed_w(platform, parts)) * literal
                for platform, literal in self.platform.items()
            )
        )
        widest = MOST_NODE_W if 2 * self.most_node_w() <= MOST_NODE_W else 2 * self.most_node_w()
        self.node_w = cp.new_int_var(0, widest, "node_w")
        # No supply has an efficiency below 1 % (policy.csv), so that this domain leaves no build out.
        grades = [efficiency_percent(None, self.policy), *(grade_percent(x, self.policy) for x in get_args(Efficiency))]
        wall = wall_w(widest, min(grades))
        self.node_wall_w = cp.new_int_var(0, wall, "node_wall_w")
        self.load_w = cp.new_int_var(0, max(MOST_TOTAL_W, widest * max(self.node_counts)), "load_w")
        self.total_w = cp.new_int_var(0, max(MOST_TOTAL_W, wall * max(self.node_counts)), "total_w")

    def most_node_w(self) -> int:
        """Watts that no node of the family goes beyond: the hungriest of each category together, with fans, or the most
        that a maker publishes of a system. Domains that rest on it leave no build out."""
        platforms = self.candidates.platforms
        slots = max((platform.nic_slots for platform in platforms), default=0)
        bays = max((platform.nvme_bays + platform.m2_slots + platform.sata_bays for platform in platforms), default=0)
        parts_w = (
            max(self.per_node * row.key.cap_w for row in self.rows)
            + max((board.overhead_w for board in self.board), default=0)
            + max(((cpu.tdp_w or 0) * number for cpu, number in self.cpu), default=0)
            + max((module.power_w * number for module, number in self.memory), default=0)
            + bays * max((drive.power_w for drive in self.drive), default=0)
            + slots * max((card.power_w for card in self.nic), default=0)
            + max((platform.overhead_w + fixed_w(platform, self.catalog) for platform in platforms), default=0)
            + max(0, upper(sum(self.extra_node_w)))
        )
        least_share = min((100 - fan_percent(platform, self.policy) for platform in platforms), default=100)
        published_w = max((platform.system_max_w or 0 for platform in platforms), default=0)
        return max(published_w, -(-100 * parts_w // least_share))

    def close_power(self) -> None:
        """Ties node_w, node_wall_w and both totals to the parts; called after all rules have added theirs."""
        parts_w = self.static_w + sum(self.extra_node_w)
        for platform, literal in self.platform.items():
            # Fans take a share of the whole load, hence the division: node_w is 100 x parts_w / share, rounded up, when
            # `beyond` is less than one share.
            share = 100 - fan_percent(platform, self.policy)
            beyond = share * self.node_w - 100 * parts_w
            published_w = published_load_w(platform, self.catalog, self.policy)
            if published_w:
                self._at_least_as_published(published_w, beyond, share, literal)
            else:
                self.cp.add_linear_constraint(beyond, 0, share - 1).only_enforce_if(literal)
        self._at_the_wall()
        for nodes, is_n in self.node_counts.items():
            self.cp.add(self.load_w == nodes * self.node_w).only_enforce_if(is_n)
            self.cp.add(self.total_w == nodes * self.node_wall_w).only_enforce_if(is_n)

    def _at_the_wall(self) -> None:
        """node_wall_w is node_w over the efficiency of the supplies chosen, rounded up."""
        held = [
            (efficiency_percent(included_bank(platform, self.catalog), self.policy), literal)
            for platform, literal in self.platform.items()
            if brings_supplies(platform)
        ]
        held += [
            (efficiency_percent(bank(supply, fitted, needed), self.policy), literal)
            for (supply, fitted, needed), literal in self.psu.items()
        ]
        for percent, literal in held:
            # Multiplied out: dividing by the efficiency would leave the integers.
            losses = percent * self.node_wall_w - 100 * self.node_w
            self.cp.add_linear_constraint(losses, 0, percent - 1).only_enforce_if(literal)

    def _at_least_as_published(self, published_w: int, beyond: Expr, share: int, literal: Any) -> None:
        """The load of a complete system: what its maker publishes, or that of its parts where they draw more."""
        more = self.cp.new_bool_var("more than published")
        self.cp.add(self.node_w >= published_w).only_enforce_if(literal)
        self.cp.add(beyond >= 0).only_enforce_if(literal)
        self.cp.add(self.node_w <= published_w).only_enforce_if(literal, ~more)
        self.cp.add(beyond < share).only_enforce_if(literal, more)
        self.cp.add(self.node_w > published_w).only_enforce_if(more)
        self.cp.add_implication(more, literal)

    def add_shared(self, part: Any, qty: int, literal: Any) -> None:
        """`qty` pieces of a shared part where the literal holds."""
        self.shared_qty.setdefault(part.id, []).append((qty, literal))
        price = self.book.prices[part.id]
        # Parts with a tariff are priced where orders are chosen (constraints/prices/ordering.py).
        if price.tariff is None:
            self.shared_cost.append(price.cents * self.book.weight(part.id) * qty * literal)
        if part.kind in (Kind.SWITCH, Kind.COOLING):
            if watts := gear_w(part, self.policy):
                self.shared_w.append(watts * qty * literal)
                if stands_in_a_rack(part):
                    self.racked_w.append(watts * qty * literal)
            self.shared_units.append(part.rack_units * qty * literal)
            self.shared_kg.append(gear_kg(part, self.policy) * qty * literal)

    def quantities(self) -> dict[str, list[Expr]]:
        """Bought quantity of each part in one node (shared parts: in all), as lists of terms."""
        found: dict[str, list[Expr]] = {}
        for platform, chosen in self.platform.items():
            found.setdefault(platform.id, []).append(chosen)
        for (cpu, number), chosen in self.cpu.items():
            found.setdefault(cpu.id, []).append(number * chosen)
        for (module, number), chosen in self.memory.items():
            found.setdefault(module.id, []).append(number * chosen)
        for (supply, fitted, _), chosen in self.psu.items():
            found.setdefault(supply.id, []).append(fitted * chosen)
        groups: tuple[dict[Any, Expr], ...] = (self.drive, self.nic, self.cooler, self.board, self.bridge)
        for group in groups:
            for part, pieces in group.items():
                found.setdefault(part.id, []).append(pieces)
        found.setdefault(self.gpu.id, []).extend(self._loose_gpus())
        for part_id, terms in self.extra_node_qty.items():
            found.setdefault(part_id, []).extend(terms)
        for part_id, pairs in self.shared_qty.items():
            found.setdefault(part_id, []).extend(qty * literal for qty, literal in pairs)
        return found

    def _loose_gpus(self) -> list[Expr]:
        """Loose GPUs bought for a node: all of its GPUs less those inside a complete system whose free slots they
        fill."""
        held = [(gpus_inside(platform, self.catalog)[1], literal) for platform, literal in self.platform.items()]
        # A system that holds all of them buys none: there the first term is zero already (`_node_parts`).
        inside = [-number * literal for number, literal in held if 0 < number < self.per_node]
        return [self.per_node * self.loose_gpus, *inside]

    def close_cost(self) -> None:
        """total_cents: price of all lines with support by category, in `book.scale` parts of a cent (see `scaled`).

        `ordered` lists what is ordered from whom, `beyond` how much of it beyond the need."""
        cp, book, quantities = self.cp, self.book, self.quantities()
        most_nodes = max(self.node_counts)
        # Parts of one price are a linear term of the sum; those with a tariff are priced by their orders.
        steady: dict[str, Priced] = {}
        for part in quantities:
            priced = book.prices.get(part)
            if priced is not None and priced.tariff is None:
                steady[part] = priced
        scaled_cents = {part: priced.cents * book.weight(part) for part, priced in steady.items()}
        in_node = [part for part in steady if part not in self.shared_qty]
        node_lines = [scaled_cents[part] * term for part in in_node for term in quantities[part]]
        # CP-SAT 9.15 refuses some sums beyond 64 bits and wraps others in silence: they are refused before.
        largest = [("price of a node", most_nodes, MAX_MONEY)]
        for part, pairs in self.shared_qty.items():
            for qty, held in pairs if scaled_cents.get(part) else ():
                most = 2 * most_nodes if held.is_boolean else upper(held)
                largest.append((part, scaled_cents[part] * qty, most))
        within_int64(largest, "the total of all lines")
        within_int64([(part, scaled_cents[part], MOST_IN_NODE) for part in in_node], "the price of a node")
        self.node_cents = cp.new_int_var(0, MAX_MONEY, "node_cents")
        cp.add(self.node_cents == sum(node_lines))
        self.total_cents = cp.new_int_var(0, MAX_MONEY, "total_cents")
        cp.add(self.node_cents <= self.total_cents)  # follows from the sum below once the number of nodes is chosen
        self.ordered = [
            Ordered(part, priced.offer, sum(quantities[part]), priced.cents, False, priced.stale)
            for part, priced in steady.items()
        ]
        self.beyond: dict[str, Expr] = {}
        rest = sum(self.shared_cost) + orders(self)
        if book.by_quantity:
            self.pieces = cp.new_int_var(0, MAX_MONEY, "pieces")
            cp.add(self.pieces == sum(term for terms in quantities.values() for term in terms))
        for nodes, is_n in self.node_counts.items():
            # The number of nodes is a choice of literals: for each of them the product is linear.
            cp.add(self.total_cents == nodes * self.node_cents + rest).only_enforce_if(is_n)


__all__ = [
    "Candidates",
    "FamilyModel",
    "dimm_counts",
    "fixed_w",
    "included_bank",
    "power_cap",
]
