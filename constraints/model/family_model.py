"""The CP-SAT model of one family (a GPU, GPUs per node): variables are parts, quantities, node count and row.

Rules read these variables in their `encode`. Everything is integer: cents, watts, bytes stay out of floats.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from catalogs.errors import InputError
from catalogs.llm import Llm
from catalogs.load import Catalog
from catalogs.schema import (
    Gpu,
    Kind,
    Nic,
)
from constraints.build import fan_percent, included_bank, patterns, power_cap
from constraints.cp_sat import cp_model
from constraints.model.candidates import Candidates
from constraints.physics.contents import dimm_counts, fixed_w, gpus_inside, modules_to_buy
from constraints.plan import Row
from constraints.policy import Policy
from constraints.prices.ordering import Ordered, orders
from constraints.prices.purchase import PriceBook
from constraints.prices.totals import MAX_MONEY
from constraints.request import Request

Expr = Any  # ortools linear expressions carry no useful static type


INT64 = 2**63 - 1
"""The largest integer of CP-SAT."""
MOST_IN_NODE = 1000
"""Pieces of a part in a node that no rule lets a build reach."""
MOST_NODE_W = 10**6
"""Watts of a node that no rule lets a build reach."""


def within_int64(terms: Iterable[tuple[str, int, int]], what: str) -> int:
    """The largest value of a sum of `coefficient * variable`, from (name, coefficient, largest value of the variable).

    Raises InputError with the largest term when CP-SAT's 64 bits can't hold it."""
    found = [(abs(a * b), name, a, b) for name, a, b in terms]
    total = sum(x for x, *_ in found)
    if total > INT64:
        _, name, a, b = max(found)
        raise InputError(
            f"{what} may reach {total}, above 2^63: its largest term is {name}, {a} x {b}", "number-too-large",
            "Lower --max-nodes or correct the price.",
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
        self.rows = {row: cp.new_bool_var(f"row{i}") for i, row in enumerate(rows)}
        # A build has one row: plan, node count and clock follow from it.
        cp.add_exactly_one(self.rows.values())
        self.node_counts = {n: cp.new_bool_var(f"n{n}") for n in sorted({row.key.nodes for row in rows})}
        cp.add_exactly_one(self.node_counts.values())
        for nodes, is_n in self.node_counts.items():
            cp.add(sum(literal for row, literal in self.rows.items() if row.key.nodes == nodes) == is_n)
        self.platform = {platform: cp.new_bool_var(platform.id) for platform in candidates.platforms}
        cp.add_exactly_one(self.platform.values())
        self._node_parts()
        self.racks_needed = cp.new_int_var(0, max(self.node_counts), "racks")
        self.nets: list[tuple[dict[Any, Any], int]] = []
        self.nic_needs: dict[Nic, list[Expr]] = {}
        self.extra_node_qty: dict[str, list[Expr]] = {}
        self.shared_cost: list[Expr] = []
        self.shared_w: list[Expr] = []
        self.shared_units: list[Expr] = []
        self.shared_kg: list[Expr] = []
        self.shared_qty: dict[str, list[tuple[int, Any]]] = {}
        self._power()

    def _node_parts(self) -> None:
        cp, candidates = self.cp, self.candidates
        sockets = sorted({platform.sockets for platform in candidates.platforms})
        self.cpu = {
            (x, s): cp.new_bool_var(f"{x.id}*{s}") for x in candidates.cpus for s in sockets if s <= x.max_sockets
        }  # fmt: skip
        counts = sorted({n for platform in candidates.platforms for n in modules_to_buy(platform, self.catalog) if n})
        self.memory = {(x, n): cp.new_bool_var(f"{x.id}*{n}") for x in candidates.memory for n in counts}
        options = sorted({o for platform in candidates.platforms for o in patterns(platform)})
        self.psu = {(x, f, n): cp.new_bool_var(f"{x.id}*{f}") for x in candidates.psus for f, n in options}
        bays = max(
            (platform.nvme_bays + platform.m2_slots + platform.sata_bays for platform in candidates.platforms),
            default=0,
        )
        self.drive = {drive: cp.new_int_var(0, bays, drive.id) for drive in candidates.drives}
        slots = max((platform.nic_slots for platform in candidates.platforms), default=0)
        self.nic = {x: cp.new_int_var(0, slots, x.id) for x in candidates.nics}
        self.cooler = {
            x: cp.new_int_var(0, max(sockets, default=1), x.id) for x in candidates.cooling if x.role == "cpu-cooler"
        }
        self.board = {
            x: cp.new_bool_var(x.id) for x in candidates.boards if x.gpu == self.gpu.id and x.gpus == self.per_node
        }
        self.loose_gpus = cp.new_bool_var(f"{self.gpu.id}*{self.per_node}")
        self.bridge = {
            x: cp.new_int_var(0, 3 * self.per_node, x.id) for x in candidates.bridges if self.gpu.id in x.gpus
        }
        for group in (self.cpu, self.memory, self.psu, self.board):
            if group:
                cp.add_at_most_one(group.values())
        for platform, literal in self.platform.items():
            # A system that holds all of its GPUs takes none; one with free slots takes loose ones up to the family's
            # number.
            bought = 0 if gpus_inside(platform, self.catalog)[1] == self.per_node else 1
            cp.add(sum(self.board.values()) + self.loose_gpus == bought).only_enforce_if(literal)

    def _power(self) -> None:
        """node_w: load of one node with fans; total_w: of all nodes."""
        cp, parts = self.cp, self.catalog
        self.static_w: Expr = (
            sum(self.per_node * row.key.cap_w * literal for row, literal in self.rows.items())
            + sum(x.overhead_w * v for x, v in self.board.items())
            + sum((x.tdp_w or 0) * s * literal for (x, s), literal in self.cpu.items())
            + sum(x.power_w * n * literal for (x, n), literal in self.memory.items())
            + sum(drive.power_w * pieces for drive, pieces in self.drive.items())
            + sum(card.power_w * pieces for card, pieces in self.nic.items())
            + sum(
                (platform.overhead_w + fixed_w(platform, parts)) * literal
                for platform, literal in self.platform.items()
            )
        )
        self.extra_node_w: list[Expr] = []
        self.node_w = cp.new_int_var(0, MOST_NODE_W, "node_w")
        self.total_w = cp.new_int_var(0, 10**9, "total_w")

    def close_power(self) -> None:
        """Ties node_w and total_w to the parts; called after all rules have added theirs."""
        parts_w = self.static_w + sum(self.extra_node_w)
        for platform, literal in self.platform.items():
            # Fans take a share of the whole load, hence the division: node_w is 100 x parts_w / share, rounded up, when
            # `beyond` is less than one share.
            share = 100 - fan_percent(platform, self.policy)
            beyond = share * self.node_w - 100 * parts_w
            published_w = platform.system_max_w if platform.kind == Kind.SYSTEM else None
            if published_w:
                self._at_least_as_published(published_w, beyond, share, literal)
            else:
                self.cp.add_linear_constraint(beyond, 0, share - 1).only_enforce_if(literal)
        for nodes, is_n in self.node_counts.items():
            self.cp.add(self.total_w == nodes * self.node_w).only_enforce_if(is_n)

    def _at_least_as_published(self, published_w: int, beyond: Expr, share: int, literal: Any) -> None:
        """The load of a complete system: what its maker publishes, or that of its parts where they draw more."""
        more = self.cp.new_bool_var("more than published")
        self.cp.add(self.node_w >= published_w).only_enforce_if(literal)
        self.cp.add(beyond >= 0).only_enforce_if(literal)
        self.cp.add(self.node_w <= published_w).only_enforce_if(literal, ~more)
        self.cp.add(beyond < share).only_enforce_if(literal, more)

    def add_shared(self, part: Any, qty: int, literal: Any) -> None:
        """`qty` pieces of a shared part where the literal holds."""
        self.shared_qty.setdefault(part.id, []).append((qty, literal))
        price = self.book.prices[part.id]
        # Parts with a tariff are priced where orders are chosen (constraints/prices/ordering.py).
        if price.tariff is None:
            self.shared_cost.append(price.cents * self.book.weight(part.id) * qty * literal)
        if (w := getattr(part, "power_w", None)) and part.kind == Kind.SWITCH:
            self.shared_w.append(int(w) * qty * literal)
        if part.kind in (Kind.SWITCH, Kind.COOLING):
            self.shared_units.append(part.rack_units * qty * literal)
            self.shared_kg.append(round(part.weight_kg) * qty * literal)

    def quantities(self) -> dict[str, list[Expr]]:
        """Bought quantity of each part in one node (shared parts: in all), as lists of terms."""
        q: dict[str, list[Expr]] = {}
        for platform, v in self.platform.items():
            q.setdefault(platform.id, []).append(v)
        for (x, s), v in self.cpu.items():
            q.setdefault(x.id, []).append(s * v)
        for (m, n), v in self.memory.items():
            q.setdefault(m.id, []).append(n * v)
        for (u, f, _), v in self.psu.items():
            q.setdefault(u.id, []).append(f * v)
        groups: tuple[dict[Any, Expr], ...] = (self.drive, self.nic, self.cooler, self.board, self.bridge)
        for group in groups:
            for y, v in group.items():
                q.setdefault(y.id, []).append(v)
        q.setdefault(self.gpu.id, []).extend(self._loose_gpus())
        for part, terms in self.extra_node_qty.items():
            q.setdefault(part, []).extend(terms)
        for part, pairs in self.shared_qty.items():
            q.setdefault(part, []).extend(n * literal for n, literal in pairs)
        return q

    def _loose_gpus(self) -> list[Expr]:
        """Loose GPUs bought for a node: all of its GPUs less those inside a complete system whose free slots they
        fill."""
        held = [(gpus_inside(platform, self.catalog)[1], literal) for platform, literal in self.platform.items()]
        return [self.per_node * self.loose_gpus, *(-n * literal for n, literal in held if 0 < n < self.per_node)]

    def close_cost(self) -> None:
        """total_cents: price of all lines with support by category, in `book.scale` parts of a cent (see `scaled`).

        `ordered` lists what is ordered from whom, `beyond` how much of it beyond the need."""
        cp, book, quantities = self.cp, self.book, self.quantities()
        priced = [(x, p) for x in quantities if (p := book.prices.get(x)) is not None and p.tariff is None]
        steady = {x: p.cents * book.weight(x) for x, p in priced}
        bought = [x for x in quantities if x in steady and x not in self.shared_qty]
        node = [steady[x] * t for x in bought for t in quantities[x]]
        most = max(self.node_counts)
        shared = [
            (x, c * q, 2 * most) for x, pairs in self.shared_qty.items() for q, _ in pairs if (c := steady.get(x))
        ]
        # CP-SAT 9.15 refuses some sums beyond 64 bits and wraps others in silence: they are refused before.
        within_int64([("price of a node", most, MAX_MONEY), *shared], "the total of all lines")
        within_int64([(x, steady[x], MOST_IN_NODE) for x in bought], "the price of a node")
        self.node_cents = cp.new_int_var(0, MAX_MONEY, "node_cents")
        cp.add(self.node_cents == sum(node))
        self.total_cents = cp.new_int_var(0, MAX_MONEY, "total_cents")
        cp.add(self.node_cents <= self.total_cents)  # follows from the sum below once the number of nodes is chosen
        self.ordered = [Ordered(x, p.offer, sum(quantities[x]), p.cents, False, p.stale) for x, p in priced]
        self.beyond: dict[str, Expr] = {}
        rest = sum(self.shared_cost) + orders(self)
        if book.by_quantity:
            self.pieces = cp.new_int_var(0, MAX_MONEY, "pieces")
            cp.add(self.pieces == sum(t for terms in quantities.values() for t in terms))
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
