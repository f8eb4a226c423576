"""Sliders that ask again with another budget or number of users."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from optimizer.app.texts import TEXTS
from optimizer.result.schema import Result
from optimizer.text.languages import Words

STEPS = 40
MOST_TIMES = 4


@dataclass(frozen=True)
class Slider:
    """A field of the form with the values that it may take; `unit` stands behind the number."""

    field: str
    label: str
    unit: str
    low: int
    high: int
    step: int
    value: int

    @property
    def shown(self) -> str:
        return f"{self.value:,}{self.unit}"


def sliders(result: Result, words: Words) -> list[Slider]:
    """Budget and users, around what was asked or found."""
    request = result.request
    found = [_slider("budget", words(TEXTS["slider_budget"]), f" {request.currency}", _budget(result))]
    found.append(_slider("users", words(TEXTS["slider_users"]), "", request.users))
    return [x for x in found if x is not None]


def _budget(result: Result) -> int | None:
    """Whole units of the request's currency: of the budget, else of the dearest build on the front."""
    if result.request.budget_cents is not None:
        from constraints.exchange import minor_digits

        return int(Decimal(result.request.budget_cents).scaleb(-minor_digits(result.request.currency)))
    return int(Decimal(result.front[-1].cost.total)) + 1 if result.front else None


def _slider(field: str, label: str, unit: str, value: int | None) -> Slider | None:
    if not value:
        return None
    raw = max(1, value // (STEPS // 2))
    step = 10 ** (len(str(raw)) - 1)
    value = -(-value // step) * step
    low = max(step, value // MOST_TIMES // step * step)
    return Slider(field, label, unit, low, MOST_TIMES * value, step, value)
