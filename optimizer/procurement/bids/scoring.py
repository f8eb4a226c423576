"""The weighted score (综合评分法): points by criterion, their sum, and ranks.

Price by the formula of the Ministry of Finance of China, decree 87 of 2017, article 55: the lowest price that meets the
tender's demands, divided by the bid's price, times the weight; of goods at least 30 of 100 points are the price's.
All other criteria are shares of the best bid: throughput = own / highest, power = lowest W per tok/s / own, delivery =
shortest lead time / own (a week at least), warranty = own / longest, rules = share of rules that do not fail as
offered. What a bid does not say brings no points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from catalogs.errors import Fault, InputError
from catalogs.inputs import read_toml
from catalogs.nearest import one_of
from catalogs.other_file import WEIGHTS, expecting
from constraints.policy import Policy
from optimizer.procurement.bids.methods import indices, price_share, ranks, shown_index
from optimizer.procurement.bids.schema import CriterionKey, Points, Weight
from optimizer.procurement.bids.scoring_rules import PriceFormula, ScoringRules, scoring_rules

KEYS: tuple[CriterionKey, ...] = ("price", "throughput", "rules", "power", "delivery", "warranty")
GROUPS: dict[str, tuple[CriterionKey, ...]] = {
    "technical": ("throughput", "rules", "power"), "service": ("delivery", "warranty"),
}  # fmt: skip
WEEK = Decimal(7)
LEAST_OF_PRICE = 30
CENT = Decimal("0.01")


def weights(text: str | None, policy: Policy) -> tuple[Weight, ...]:
    """`price=30,technical=50,service=20`, single criteria (`throughput=40`), a TOML file of the same, or the policy's.

    A group's weight is spread over its criteria as the policy's are. Raises InputError unless all come to 100."""
    default = {k: policy[f"compare.weight_{k}"] for k in KEYS}
    if text is None:
        return _whole(default, "--set", "compare.weight_*")
    given = _given(text)
    out: dict[CriterionKey, Decimal] = {}
    for group, keys in GROUPS.items():
        if group not in given:
            continue
        own = [k for k in keys if k in given]
        if own:
            names = ", ".join(own)
            raise _bad(text, f"gives {group} and {names}, which is part of it", "Give one of the two.")
        whole = sum((default[k] for k in keys), Decimal(0))
        spread = {k: default[k] / whole if whole else Decimal(1) / len(keys) for k in keys}
        out |= {k: given[group] * spread[k] for k in keys}
    out |= {k: given[k] for k in KEYS if k in given}
    return _whole({k: out.get(k, Decimal(0)) for k in KEYS}, "--weights", text)


def _given(text: str) -> dict[str, Decimal]:
    pairs: dict[str, Any] = {}
    if "=" in text:
        for piece in text.split(","):
            name, _, value = piece.partition("=")
            if name.strip() in pairs:
                raise _bad(text, f"gives {name.strip()} twice", "Leave one of them.")
            pairs[name.strip()] = value.strip().removesuffix("%")
    else:
        with expecting(Path(text), WEIGHTS, column="--weights"):
            return _numbers(_file(Path(text)))
    return _numbers(pairs)


def _numbers(pairs: Mapping[str, Any]) -> dict[str, Decimal]:
    known = (*KEYS, *GROUPS)
    out = {}
    for name, value in pairs.items():
        try:
            number = Decimal(str(value))
        except InvalidOperation:
            number = Decimal("NaN")
        if name not in known or not number.is_finite() or not 0 <= number <= 100:
            remedy = one_of(name, known, "Criteria") if name not in known else f"Criteria: {', '.join(known)}."
            raise _bad(f"{name}={value}", "is no criterion with 0 to 100 points", remedy)
        out[name] = number
    return out


def _file(path: Path) -> dict[str, Any]:
    data = read_toml(path, column="--weights")
    inner = data.get("weights", data)
    if not isinstance(inner, dict) or not inner:
        raise _bad(str(path), "holds no table of weights", "For example price = 40.")
    return inner


def _bad(value: str, text: str, remedy: str) -> InputError:
    return InputError(Fault("bad-weights", text, column="--weights", value=value[:80], remedy=remedy))


def _whole(found: Mapping[CriterionKey, Decimal], option: str, value: str) -> tuple[Weight, ...]:
    total = sum(found.values(), Decimal(0)).quantize(Decimal("0.000001"))
    if total != 100:
        remedy = "For example price=40,technical=40,service=20."
        points = f"{total.normalize():f}"
        raise InputError(
            Fault("bad-weights", f"come to {points} points, not to 100", column=option, value=value[:80], remedy=remedy)
        )
    whole = {k: found[k].quantize(CENT, ROUND_HALF_UP) for k in KEYS}
    whole[max(KEYS, key=lambda k: whole[k])] += 100 - sum(whole.values())  # thirds leave a hundredth
    return tuple(Weight(key=k, weight=whole[k]) for k in KEYS)


LIFE_CYCLE = "life_cycle_cost"
MOST_INDEX = Decimal("0.000001")


def weights_of(rules: ScoringRules, text: str | None, policy: Policy) -> tuple[Weight, ...]:
    """Criteria with their weights: of `--weights`, else of the rules, else the policy's, and the tender's own criteria.

    Where the price is no criterion (`lowest`, points per price) it is left out. Raises InputError unless points come
    to 100, for a weight of no criterion, and for a price that weighs less than the rules allow."""
    own = tuple(Weight(key=one.key, weight=one.weight, title=one.title, own=True) for one in rules.criteria)
    if text is not None and not own:
        found = weights(text, policy)
    elif rules.weights or own:
        found = _of_rules(rules, text)
    else:
        found = weights(None, policy)
    if rules.method in ("lowest", "ratio", "ratio_band", "weighted_ratio"):
        return tuple(weight for weight in (*found, *own) if weight.key != "price")
    found = (*found, *own)
    total = sum((weight.weight for weight in found), Decimal(0))
    if total != 100:
        raise _bad(rules.name, f"come to {total.normalize():f} points, not to 100", "Mend [weights] or [[criteria]].")
    price = next((weight.weight for weight in found if weight.key == "price"), Decimal(0))
    if rules.name != "plain" and price < rules.least_price_weight:
        least = f"{rules.least_price_weight.normalize():f}"
        raise _bad(rules.name, f"give the price {price.normalize():f} points", f"The rule asks for {least} at least.")
    return found


def _of_rules(rules: ScoringRules, text: str | None) -> tuple[Weight, ...]:
    given = _given(text) if text is not None else dict(rules.weights)
    for key, points in given.items():
        if key not in (*KEYS, LIFE_CYCLE) or not 0 <= points <= 100:
            known = ", ".join((*KEYS, LIFE_CYCLE))
            raise _bad(f"{key}={points}", "is no criterion with 0 to 100 points", f"Criteria: {known}.")
    if LIFE_CYCLE in given and rules.life_cycle is None:
        raise _bad(rules.name, "scores life_cycle_cost and says no [life_cycle]", "Give years and price_per_kwh.")
    order = [key for key in (*KEYS, LIFE_CYCLE) if given.get(key)]
    return tuple(Weight(key=key, weight=given[key]) for key in order)


@dataclass(frozen=True)
class Values:
    """A bid's figures by criterion; None where it says nothing. `price`: that is scored; `bid_price`: as offered, where
    it differs; `responsive`: whether it may be awarded; `more`: the life-cycle cost, experts' points."""

    price: Decimal
    throughput: Decimal | None
    rules: Decimal
    power: Decimal | None
    delivery: int | None
    warranty: int | None
    responsive: bool
    bid_price: Decimal | None = None
    more: Mapping[str, Decimal | None] = field(default_factory=dict)

    def of(self, key: str) -> Decimal | None:
        found = self.more[key] if key in self.more else getattr(self, key, None)
        return None if found is None else Decimal(found)


def share(weight: Weight, own: Decimal | None, bids: Sequence[Values], formula: PriceFormula) -> Decimal:
    """Share (0..1) of the full points that a bid gets for a criterion."""
    key = weight.key
    if own is None:
        return Decimal(0)
    if weight.own:
        return own / weight.weight
    known = [x for bid in bids if (x := bid.of(key)) is not None]
    if key == "price":
        return price_share(formula, own, known)
    if key == "rules":
        return own
    if key in ("power", LIFE_CYCLE):
        return min(known) / own if own > 0 else Decimal(0)
    if key == "delivery":
        return max(WEEK, min(known)) / max(WEEK, own)
    most = max(known)
    return own / most if most > 0 else Decimal(0)


@dataclass(frozen=True)
class Scored:
    """Points by criterion, their sum, the index of the method and the rank; nothing of a bid that can't be awarded."""

    points: tuple[Points, ...] = ()
    score: Decimal | None = None
    rank: int | None = None
    index: Decimal | None = None


def scored(bids: Sequence[Values], by: Sequence[Weight], rules: ScoringRules | None = None) -> list[Scored]:
    """Scores among the bids that can be awarded; equal ones share a rank (1, 1, 3). The others neither have one nor
    are what a share is measured by. `rules`: plain points without."""
    rules = rules or scoring_rules("plain")
    fit = [bid for bid in bids if bid.responsive]
    found = {id(bid): one for bid, one in zip(fit, _scored(fit, by, rules), strict=True)}
    return [found.get(id(bid), Scored()) for bid in bids]


def _scored(bids: Sequence[Values], by: Sequence[Weight], rules: ScoringRules) -> list[Scored]:
    if not bids:
        return []
    every = [_points(bid, bids, by, rules.price_formula) for bid in bids]
    sums = [sum((point.points for point in points), Decimal(0)) for points in every]
    prices = [bid.price for bid in bids]
    offered = [bid.price if bid.bid_price is None else bid.bid_price for bid in bids]
    placed = ranks(rules, sums, prices, offered)
    found = None if rules.method in ("points", "lowest") else indices(rules, sums, prices)
    return [
        Scored(points, score, rank, None if found is None else shown_index(found[place]))
        for place, (points, score, rank) in enumerate(zip(every, sums, placed, strict=True))
    ]


def _points(bid: Values, bids: Sequence[Values], by: Sequence[Weight], formula: PriceFormula) -> tuple[Points, ...]:
    out = []
    for weight in by:
        own = bid.of(weight.key)
        part = share(weight, own, bids, formula)
        worth = (weight.weight * part).quantize(CENT, ROUND_HALF_UP)
        out.append(Points(key=weight.key, value=own, share=part.quantize(MOST_INDEX), points=worth))
    return tuple(out)
