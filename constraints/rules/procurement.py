"""Rule procurement: every part has an offer that the request allows, and what `--include` demands is in use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from catalogs.message import N_, joined, message
from catalogs.schema import Gpu, GpuBoard, Part, Platform
from constraints.physics.markets import warned_of
from constraints.prices.filters import Filter
from constraints.prices.price_book import barred_by
from constraints.prices.tariff import NEVER
from constraints.rule import Check, Rule, Status
from constraints.rules import in_use

if TYPE_CHECKING:
    from constraints.build import Case
    from constraints.facts import Facts
    from constraints.model.family_model import FamilyModel


class Procurement(Rule):
    """Barred and unpriced parts are no candidates; `--include` parts must be in the build."""

    id = "procurement"
    refuses = frozenset({"part"})
    title = N_("Procurement")
    phase = "money"
    reads = frozenset({"offers"})

    def may(self, facts: Facts) -> str:
        """A part demanded by `--include` that nodes of the family or platform can't hold, or have no use for."""
        part, platform = facts.part, facts.platform
        if part is None or part.id not in facts.request.include:
            return ""
        if platform is not None and any(content.part == part.id for content in platform.contents):
            return ""
        if _another(facts, part):
            return _left_out(part.id)
        why = in_use.useless_in(platform, part) if platform is not None else ""
        return _of_no_use(joined([part.id, why], ": ")) if why else ""

    def encode(self, model: FamilyModel) -> None:
        for part, terms in model.quantities().items():
            if part not in model.book.prices:
                model.cp.add(sum(terms) == 0)
        for wanted in model.request.include:
            terms = list(model.quantities().get(wanted, []))
            terms += [
                literal
                for platform, literal in model.platform.items()
                if any(content.part == wanted for content in platform.contents)
            ]
            model.cp.add(sum(terms) >= 1) if terms else model.cp.add_bool_or([])
            in_use.encode(model, model.catalog.parts[wanted])

    def check(self, case: Case) -> list[Check]:
        found = self._prices(case) + self._amounts(case)
        have = {**case.build.shared, **case.node_all}
        for wanted in case.request.include:
            if wanted not in have:
                found.append(Check.of(self.id, False, _left_out(wanted)))
        found += [Check.of(self.id, False, _of_no_use(why)) for why in in_use.idle(case)]
        return (found or [Check.of(self.id, True, "every part has an offer that the request allows")]) + _unknown(case)

    def _prices(self, case: Case) -> list[Check]:
        """Parts that can't be bought; of a machine that exists only those that the buyer bars fail, the others have a
        price that nobody knows."""
        found = []
        for part in sorted({**case.build.node, **case.build.shared}):
            if part in case.book.prices:
                continue
            text = joined([part, case.book.ledger.get(part, "no price")], ": ")
            if case.exists and not _barred(case, part):
                found.append(Check.warn(self.id, message("price unknown: {why}", why=text)))
            else:
                found.append(Check.of(self.id, False, text))
        if not case.exists:
            return found
        found += [
            Check.warn(self.id, message("price unknown: {why}", why=part))
            for part in case.unpriced
            if part in case.book.prices
        ]
        old = [part for part in case.priced if not case.book.prices[part].fresh and part not in case.unpriced]
        if old:
            found.append(Check.warn(self.id, message("no fresh price: {parts}", parts=joined(sorted(old)))))
        return found

    def _amounts(self, case: Case) -> list[Check]:
        """Parts that no orders within stock can bring in the build's number."""
        if not case.book.by_quantity or case.book.cost(case.priced) < NEVER:
            return []
        short = [(part, *few) for part, qty in case.priced.items() if (few := case.book.short(part, qty))]
        status: Status = "warn" if case.exists else "fail"
        found = [
            Check(
                self.id,
                status,
                need,
                have,
                "pieces",
                message(
                    "{part}: {a} needed, {b} to be had (take another part, or find more offers)",
                    part=part,
                    a=f"{need:,}",
                    b=f"{have:,}",
                ),
                "at_most",
            )
            for part, need, have in short
        ]
        text = N_("minimum orders, stock and bundles do not add up to the numbers")
        return found or [Check(self.id, status, None, None, "", text)]


def _barred(case: Case, part: str) -> bool:
    """Whether the buyer refuses the part, by name, vendor, origin or approved list, whatever it costs. That it is not
    sold in a market is no fault of a machine that exists."""
    known, asked = case.catalog.parts[part], case.request.model_copy(update={"market": "any"})
    return bool(barred_by(known, asked, case.catalog) or Filter(case.catalog, asked).refused(known))


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


def _unknown(case: Case) -> list[Check]:
    """Warnings about what the buyer's limits could not be held against, and about what is hard to buy in the market."""
    bought, found = sorted({**case.build.node, **case.build.shared}), []
    for gpu, _ in case.cards:
        found += [
            Check.warn("procurement", message("{part}: {why}", part=gpu.name or gpu.id, why=why))
            for why in warned_of(gpu, case.request)
        ]
    if case.request.barred_origins:
        parts = sorted({*bought, *case.node_all})
        if dark := [part for part in parts if not case.catalog.parts[part].country]:
            found.append(Check.warn("procurement", message("country of origin unknown: {parts}", parts=joined(dark))))
    if case.request.max_lead_days is not None:
        orders = case.book.purchase(case.priced)
        lines = orders.lines if orders else ()
        if dark := sorted({line.part for line in lines if line.offer and line.offer.lead_time_days is None}):
            found.append(Check.warn("procurement", message("lead time unknown: {parts}", parts=joined(dark))))
    return found
