"""The weighted score (综合评分法): points by criterion, their sum, and ranks.

Price by the formula of the Ministry of Finance of China, decree 87 of 2017, article 55: the lowest price that meets the
tender's demands, divided by the bid's price, times the weight; of goods at least 30 of 100 points are the price's.
All other criteria are shares of the best bid: throughput = own / highest, power = lowest W per tok/s / own, delivery =
shortest lead time / own (a week at least), warranty = own / longest, rules = share of rules that do not fail as
offered. What a bid does not say brings no points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from catalogs.errors import Fault, InputError
from catalogs.inputs import read_toml
from catalogs.other_file import WEIGHTS, expecting
from constraints.policy import Policy
from optimizer.procurement.bids.schema import CriterionKey, Points, Weight

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
            return _points(_file(Path(text)))
    return _points(pairs)


def _points(pairs: Mapping[str, Any]) -> dict[str, Decimal]:
    known = (*KEYS, *GROUPS)
    out = {}
    for name, value in pairs.items():
        try:
            number = Decimal(str(value))
        except InvalidOperation:
            number = Decimal("NaN")
        if name not in known or not number.is_finite() or not 0 <= number <= 100:
            raise _bad(f"{name}={value}", "is no criterion with 0 to 100 points", f"Criteria: {', '.join(known)}.")
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


@dataclass(frozen=True)
class Values:
    """A bid's figures by criterion; None where it says nothing. `responsive`: whether it may be awarded."""

    price: Decimal
    throughput: Decimal | None
    rules: Decimal
    power: Decimal | None
    delivery: int | None
    warranty: int | None
    responsive: bool

    def of(self, key: CriterionKey) -> Decimal | None:
        found = getattr(self, key)
        return None if found is None else Decimal(found)


def base_price(bids: Sequence[Values]) -> Decimal:
    """The lowest price."""
    return min(bid.price for bid in bids)


def share(key: CriterionKey, own: Decimal | None, bids: Sequence[Values]) -> Decimal:
    """Share (0..1) of the full points that a bid gets for a criterion."""
    if own is None:
        return Decimal(0)
    known = [x for bid in bids if (x := bid.of(key)) is not None]
    if key == "price":
        base = base_price(bids)
        return min(Decimal(1), base / own) if own > 0 else Decimal(0)
    if key == "rules":
        return own
    if key == "power":
        return min(known) / own if own > 0 else Decimal(0)
    if key == "delivery":
        return max(WEEK, min(known)) / max(WEEK, own)
    most = max(known)
    return own / most if most > 0 else Decimal(0)


@dataclass(frozen=True)
class Scored:
    """Points by criterion, their sum and the rank; nothing of a bid that can't be awarded."""

    points: tuple[Points, ...] = ()
    score: Decimal | None = None
    rank: int | None = None


def scored(bids: Sequence[Values], by: Sequence[Weight]) -> list[Scored]:
    """Scores among the bids that can be awarded; equal scores share a rank (1, 1, 3). The others neither have one nor
    are what a share is measured by."""
    fit = [bid for bid in bids if bid.responsive]
    found = {id(b): Scored(*x) for b, x in zip(fit, _scored(fit, by), strict=True)}
    return [found.get(id(bid), Scored()) for bid in bids]


def _scored(bids: Sequence[Values], by: Sequence[Weight]) -> list[tuple[tuple[Points, ...], Decimal, int]]:
    found = []
    for bid in bids:
        points = []
        for w in by:
            part = share(w.key, bid.of(w.key), bids)
            worth = (w.weight * part).quantize(CENT, ROUND_HALF_UP)
            points.append(
                Points(key=w.key, value=bid.of(w.key), share=part.quantize(Decimal("0.000001")), points=worth)
            )
        found.append((tuple(points), sum((point.points for point in points), Decimal(0))))
    return [(p, s, 1 + sum(t > s for _, t in found)) for p, s in found]
