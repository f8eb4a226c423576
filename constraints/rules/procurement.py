"""Rule procurement: every part has an offer that the request allows, and what `--include` demands is in use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from catalogs.message import N_, joined, message
from catalogs.schema import Gpu, GpuBoard, Part, Platform
from constraints.prices.tariff import NEVER
from constraints.rule import Check, Rule
from constraints.rules import in_use

if TYPE_CHECKING:
    from constraints.build import Case
    from constraints.facts import Facts
    from constraints.model.family_model import FamilyModel


class Procurement(Rule):
    """Barred and unpriced parts are no candidates; `--include` parts must be in the build."""

    id = "procurement"
    title = N_("Procurement")
    phase = "money"
    reads = frozenset({"offers"})

    def may(self, facts: Facts) -> str:
        """A part demanded by `--include` that nodes of the family or platform can't hold, or have no use for."""
        part, p = facts.part, facts.platform
        if part is None or part.id not in facts.request.include:
            return ""
        if p is not None and any(x.part == part.id for x in p.contents):
            return ""
        if _another(facts, part):
            return _left_out(part.id)
        why = in_use.useless_in(p, part) if p is not None else ""
        return _of_no_use(joined([part.id, why], ": ")) if why else ""

    def encode(self, m: FamilyModel) -> None:
        for part, terms in m.quantities().items():
            if part not in m.book.prices:
                m.cp.add(sum(terms) == 0)
        for wanted in m.request.include:
            terms = list(m.quantities().get(wanted, []))
            terms += [v for p, v in m.platform.items() if any(c.part == wanted for c in p.contents)]
            m.cp.add(sum(terms) >= 1) if terms else m.cp.add_bool_or([])
            in_use.encode(m, m.catalog.parts[wanted])

    def check(self, c: Case) -> list[Check]:
        found = []
        for part in sorted({**c.build.node, **c.build.shared}):
            if part not in c.book.prices:
                why = c.book.ledger.get(part, "no price")
                found.append(Check.of(self.id, False, joined([part, why], ": ")))
        found += self._amounts(c)
        have = {**c.build.shared, **c.node_all}
        for wanted in c.request.include:
            if wanted not in have:
                found.append(Check.of(self.id, False, _left_out(wanted)))
        found += [Check.of(self.id, False, _of_no_use(why)) for why in in_use.idle(c)]
        return (found or [Check.of(self.id, True, "every part has an offer that the request allows")]) + _unknown(c)

    def _amounts(self, c: Case) -> list[Check]:
        """Parts that no orders within stock can bring in the build's number."""
        if not c.book.by_quantity or c.book.cost(c.priced) < NEVER:
            return []
        short = [(p, *few) for p, q in c.priced.items() if (few := c.book.short(p, q))]
        found = [
            Check(
                self.id,
                "fail",
                need,
                have,
                "pieces",
                message(
                    "{part}: {a} needed, {b} to be had (take another part, or find more offers)",
                    part=p,
                    a=f"{need:,}",
                    b=f"{have:,}",
                ),
                "at_most",
            )
            for p, need, have in short
        ]
        return found or [Check.of(self.id, False, "minimum orders, stock and bundles do not add up to the numbers")]


def _left_out(part: str) -> str:
    return message("{part} is demanded by --include but not in the build", part=part)


def _of_no_use(why: str) -> str:
    return message("demanded by --include, but of no use: {why}", why=why)


def _another(facts: Facts, part: Part) -> bool:
    """Whether a build of these facts has another platform, GPU or board than the part: a node holds one of each."""
    if isinstance(part, Platform):
        return facts.platform is not None and part.id != facts.platform.id
    if facts.gpu is None:
        return False
    if isinstance(part, Gpu):
        return part.id != facts.gpu.id
    return isinstance(part, GpuBoard) and (part.gpu != facts.gpu.id or part.gpus != facts.per_node)


def _unknown(c: Case) -> list[Check]:
    """Warnings about what the buyer's limits could not be held against."""
    bought, found = sorted({**c.build.node, **c.build.shared}), []
    if c.request.barred_origins:
        parts = sorted({*bought, *c.node_all})
        if dark := [x for x in parts if not c.catalog.parts[x].country]:
            found.append(
                Check.warn("procurement", message("country of origin unknown: {parts}", parts=", ".join(dark)))
            )
    if c.request.max_lead_days is not None:
        orders = c.book.purchase(c.priced)
        lines = orders.lines if orders else ()
        if dark := sorted({x.part for x in lines if x.offer and x.offer.lead_time_days is None}):
            found.append(Check.warn("procurement", message("lead time unknown: {parts}", parts=", ".join(dark))))
    return found
