"""The certificate's model of a family, asked for the build that differs least from a given one.

Beside what a front may hold, the given build's own surplus may stay where its rules let it: shared gear and cables
beyond the need, and modules that fill channels only in part (a warning of rule host_memory).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from catalogs.schema import Gpu, Kind, Link, Memory, Platform
from constraints.build import Build
from constraints.model.family_model import Candidates, FamilyModel
from constraints.physics.contents import inside, module_fits_inside, modules_to_buy
from constraints.physics.grades import least_ram_gb
from constraints.plan import Row
from constraints.rules.rack import racked
from optimizer.explanation.mend.bound import difference, partial
from optimizer.market.market import Market
from optimizer.search.certificate import FamilyProof
from optimizer.search.clock import Clock
from optimizer.search.front import Found

SURPLUS = (Kind.SWITCH, Kind.CABLE, Kind.OPTIC, Kind.PDU, Kind.RACK, Kind.COOLING)
OF_CHOSEN = (Kind.PDU, Kind.RACK, Kind.COOLING)
"""Of these a node in a rack takes one kind."""


class Near(NamedTuple):
    """How near a build that passes is to the given one; the least is the nearest."""

    changes: int
    lost_tenths: int
    cents: int


def lost_tenths(row: Row, meant_tenths: int) -> int:
    """Throughput (0.1 tok/s) that a row lacks of what was meant; being faster counts nothing."""
    return max(0, meant_tenths - row.perf.tenths)


class MendFamily(FamilyProof):
    """The model of one family in which the given build's surplus has variables of its own; the rules keep out what
    nobody had."""

    def __init__(
        self, market: Market, gpu: Gpu, per_node: int, rows: Sequence[Row], candidates: Candidates, build: Build,
        meant_tenths: int = 0,
    ) -> None:  # fmt: skip
        self.build, self.meant_tenths = build, meant_tenths
        self._surplus: dict[str, tuple[Any, int]] = {}
        super().__init__(market, gpu, per_node, rows, candidates)
        self._of_chosen_kinds(self.model)
        self.changes = self._changes(self.model)
        self.lost = self._lost(self.model)

    def widen(self, model: FamilyModel) -> None:
        parts, prices = model.catalog.parts, model.book.prices
        for part, qty in self.build.shared.items():
            kind = parts[part].kind
            alone = kind != Kind.RACK or "racks" in model.request.have or not all(racked(p) for p in model.platform)
            if part in prices and kind in SURPLUS and alone:
                more = model.cp.new_int_var(0, qty, f"{part} kept")
                model.add_shared(parts[part], 1, more)
                self._surplus[part] = more, qty
        for part, qty in self.build.node.items():
            node_part = parts[part]
            if isinstance(node_part, Link) and part in prices:
                more = model.cp.new_int_var(0, qty, f"{part} kept")
                model.extra_node_qty.setdefault(part, []).append(more)
                if node_part.kind == Kind.OPTIC:
                    model.extra_node_w.append(-int(-node_part.power_w // 1) * more)
        self._modules(model)

    def _modules(self, model: FamilyModel) -> None:
        """Modules of the build that fill channels in part may stay as they are: counted as a whole set by the rules,
        then taken back in number and power; the floor of RAM is held with those that are there."""
        for module in model.candidates.memory:
            have = self.build.node.get(module.id, 0)
            for platform, literal in model.platform.items() if have else ():
                vram_gb = model.per_node * model.gpu.vram_gb
                least_gb = least_ram_gb(vram_gb, platform, model.policy, model.request.grade)
                if module_fits_inside(platform, model.catalog, module):
                    self._as_they_are(model, platform, literal, module, least_gb)

    def _as_they_are(self, model: FamilyModel, platform: Platform, literal: Any, module: Memory, least_gb: int) -> None:
        """The same of one module in one platform."""
        have = self.build.node[module.id]
        modules = have + sum(qty for _, qty in inside(platform, model.catalog, Memory))
        if module.capacity_gb * modules < least_gb or not partial(platform, modules):
            return
        whole = next((number for number in modules_to_buy(platform, model.catalog) if number), 0)
        if (module, whole) not in model.memory:
            return
        kept = model.cp.new_bool_var(f"{module.id} as they are")
        model.cp.add_implication(kept, literal)
        model.cp.add_implication(kept, model.memory[module, whole])
        for row, chosen in model.rows.items():
            # Throughput of such a row was judged at full channels, and its tables need all of their room.
            if row.plan.offload or row.key.tables_gb > module.capacity_gb * modules:
                model.cp.add_bool_or([~kept, ~chosen])
        model.extra_node_qty.setdefault(module.id, []).append((have - whole) * kept)
        model.extra_node_w.append((have - whole) * module.power_w * kept)

    def _of_chosen_kinds(self, model: FamilyModel) -> None:
        """In a rack, racks, PDUs and CDUs beyond the need are of the kind that is needed; racks are never spare."""
        for part, (more, qty) in self._surplus.items():
            kind = model.catalog.parts[part].kind
            if kind not in OF_CHOSEN or ("racks" in model.request.have and kind != Kind.COOLING):
                continue
            others = sum(pieces * literal for pieces, literal in model.shared_qty[part] if literal is not more)
            for platform, literal in model.platform.items():
                if racked(platform):
                    model.cp.add(more <= (0 if kind == Kind.RACK else qty) * others).only_enforce_if(literal)

    def _changes(self, model: FamilyModel) -> Any:
        """A variable: part ids of which the whole build holds another number of pieces than the given one."""
        had = self.build.total()
        quantities = model.quantities()
        changed: list[Any] = [1 for p in had if p not in quantities]
        for part, terms in quantities.items():
            have = had.get(part, 0)
            if part not in model.book.prices:
                changed.append(1 if have else 0)
                continue
            differs = model.cp.new_bool_var(f"{part} changed")
            # One half will do: the number of changes is made small, so that a literal holds only where it has to.
            for nodes, is_n in model.node_counts.items():
                each = 1 if part in model.shared_qty else nodes
                if have % each:  # no number of equal nodes comes to so many pieces
                    model.cp.add_implication(is_n, differs)
                else:
                    model.cp.add(sum(terms) == have // each).only_enforce_if(~differs, is_n)
            changed.append(differs)
        count = model.cp.new_int_var(0, 10**5, "changes")
        model.cp.add(count == sum(changed))
        return count

    def _lost(self, model: FamilyModel) -> Any:
        """A variable: throughput (0.1 tok/s) that the given build was meant to have and the mended one has not."""
        lost = model.cp.new_int_var(0, self.meant_tenths, "throughput lost")
        model.cp.add(lost == sum(lost_tenths(row, self.meant_tenths) * chosen for row, chosen in model.rows.items()))
        return lost

    def least(self, best: Near | None, clock: Clock) -> Found | None:
        """The build of fewest changes, then of least throughput lost, then of least cost; None when none is better
        than `best`. Raises TimeUp."""
        model = self.model
        asked = model.cp.clone()
        changes, lost, total = (
            asked.get_int_var_from_proto_index(x.index) for x in (self.changes, self.lost, model.total_cents)
        )
        if best is not None:
            self._better(asked, changes, lost, total, best)
        # One aim after the other, each held at its best for the next: weights could not keep them apart exactly.
        found = self._solved(asked, changes, clock)
        if found is None or self.cut:
            return found
        asked.add(changes <= difference(self.build, found.build))
        if self.meant_tenths:
            found = self._solved(asked, lost, clock)
            if found is None or self.cut:
                return found
            asked.add(lost <= lost_tenths(found.row, self.meant_tenths))
        return self._solved(asked, total, clock)

    def _better(self, asked: Any, changes: Any, lost: Any, total: Any, best: Near) -> None:
        """Nearer than `best`, or as near and faster, or that and cheaper."""
        nearer, faster, cheaper = (asked.new_bool_var(x) for x in ("nearer", "faster", "cheaper"))
        asked.add_bool_or([nearer, faster, cheaper])
        asked.add(changes <= best.changes)
        asked.add(changes <= best.changes - 1).only_enforce_if(nearer)
        asked.add(lost <= best.lost_tenths - 1).only_enforce_if(faster)
        asked.add(lost <= best.lost_tenths).only_enforce_if(cheaper)
        asked.add(total <= self.model.book.scaled(best.cents - 1)).only_enforce_if(cheaper)
