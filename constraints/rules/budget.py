"""Rule budget: the total with support and tax stays within the money."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from catalogs.message import N_, message
from constraints.exchange import minor_digits
from constraints.prices.tariff import NEVER
from constraints.prices.totals import most_parts_cents, totals
from constraints.rule import Check, Rule

if TYPE_CHECKING:
    from constraints.build import Case
    from constraints.model.family_model import FamilyModel


class Budget(Rule):
    id = "budget"
    title = N_("Budget")
    phase = "money"
    reads = frozenset({"orders", "offers"})

    def encode(self, model: FamilyModel) -> None:
        if model.request.budget_cents is not None:
            # Support and tax are rounded once, on the sum of lines: the budget is taken back to the largest sum whose
            # total is within it, which is exact, for totals rise strictly with the sum.
            most_cents = most_parts_cents(model.request.budget_cents, model.policy)
            model.cp.add(model.total_cents <= model.book.scaled(most_cents))

    def check(self, case: Case) -> list[Check]:
        parts = case.book.cost(case.priced)
        if parts >= NEVER:
            text = N_("no total: the parts can't be had in these numbers")
            return [Check.warn(self.id, text) if case.exists else Check.of(self.id, False, text)]
        _, tax, total = totals(parts, case.policy)
        scale = 10 ** minor_digits(case.request.currency)
        if case.request.budget_cents is None:
            return [Check.of(self.id, True, "no budget given")]
        currency, digits = case.request.currency, minor_digits(case.request.currency)
        amount, budget = (
            f"{Decimal(cents) / scale:,.{digits}f} {currency}" for cents in (total, case.request.budget_cents)
        )
        if case.exists and (case.unpriced or case.build.unknown) and total <= case.request.budget_cents:
            text = message(
                "the total is at least {a}, for some parts are not known or have no price; the budget is {b}",
                a=amount,
                b=budget,
            )
            return [Check.warn(self.id, text, total / scale, case.request.budget_cents / scale, currency, "at_most")]
        within = message("the total of {a} is within the budget of {b}", a=amount, b=budget)
        beyond = message("the total of {a} exceeds the budget of {b}", a=amount, b=budget)
        if tax:
            net, added = (f"{Decimal(cents) / scale:,.{digits}f}" for cents in (total - tax, tax))
            within = message(
                "the total of {a} with tax (net {net} plus tax {tax}) is within the budget of {b}",
                a=amount,
                net=net,
                tax=added,
                b=budget,
            )
            beyond = message(
                "the total of {a} with tax (net {net} plus tax {tax}) exceeds the budget of {b}",
                a=amount,
                net=net,
                tax=added,
                b=budget,
            )
        return [
            Check.at_most(
                self.id,
                total / scale,
                case.request.budget_cents / scale,
                currency,
                within,
                beyond,
            )
        ]
