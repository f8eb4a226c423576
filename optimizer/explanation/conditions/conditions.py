"""What a buyer asks for, condition by condition: in words, and what the request is without it.

Conditions that nobody typed count too: the precision floor, the speed that each user sees, new parts, stable engines.
Model, workload and terms of purchase (currency, tax, spares) are no conditions: they are what is being bought.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from catalogs.message import message
from constraints.policy import defaults
from optimizer.explanation.questions import Change
from optimizer.market.market import Market
from optimizer.request.entry import Loosens
from optimizer.request.fields import FIELDS, in_force, without
from optimizer.text.figures import amount, trimmed


@dataclass(frozen=True)
class Condition:
    """One condition. `key` is stable, `rule` the rule that carries it, `asked` whether the buyer typed it;
    `given_up`: what is allowed without it, in words; `field`, `loosens`: of the request, and how it
    gives way."""

    key: str
    rule: str
    text: str
    without: Change
    asked: bool = True
    given_up: str = ""
    field: str = ""
    loosens: Loosens | None = None


def conditions(market: Market) -> list[Condition]:
    """All conditions in force, what the buyer typed first."""
    found = [*_of_fields(market), *_policy(market)]
    return [c for c in found if c.asked] + [c for c in found if not c.asked]


def _of_fields(market: Market) -> Iterator[Condition]:
    """Those that fields of the request are, in the order of their entries' places."""
    said = [(entry.condition, name) for name, entry in FIELDS.items() if entry.condition]
    for condition, name in sorted(said, key=lambda pair: pair[0].place):
        if in_force(name, market):
            words, value = condition.words, getattr(market.request, name)
            text = (amount(words, value) if "{}" in words else words) if isinstance(words, str) else words(market)
            asked = condition.asked(market) if condition.asked else True
            yield Condition(
                condition.key,
                condition.rule,
                text,
                Change(without(name)),
                asked,
                condition.given_up,
                name,
                condition.loosens,
            )


CONTAINED_AIR_W = Decimal(30000)
"""Heat per rack by air with containment (SPEC: rule cooling)."""


def _policy(market: Market) -> Iterator[Condition]:
    """Rules' own figures that the buyer made stricter, and the air of a rack without containment."""
    policy = market.policy
    for key, value in sorted(policy.changed.items()):
        shipped = defaults()[key]
        if shipped.tightened_by(value):
            figure = f"{trimmed(value)} {shipped.unit}"
            text = message("{policy} = {value} ({why})", policy=key, value=figure, why=shipped.title)
            yield Condition(f"policy:{key}", key.partition(".")[0], text, Change({}, {key: shipped.value}))
    air = "cooling.rack_air_w"
    if air not in policy.changed and policy[air] < CONTAINED_AIR_W:
        text = message("{n} kW of heat to the air per rack", n=trimmed(policy[air] / 1000))
        yield Condition("rack-air", "cooling", text, Change({}, {air: CONTAINED_AIR_W}), False)
