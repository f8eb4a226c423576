"""Which lever loosens which condition, with its grid and what a build found says about it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from catalogs.engines.support import support_rows
from catalogs.llm import Llm
from catalogs.message import N_, message
from catalogs.schema import Gpu
from constraints.rules.precision import wanted
from optimizer.explanation.conditions.conditions import CONTAINED_AIR_W, Condition, conditions
from optimizer.explanation.conditions.levers import Budget, Choice, Count, Lever, Members, Number, option
from optimizer.explanation.questions import Asking, Change
from optimizer.market.asked import speculation_fault
from optimizer.market.market import Market
from optimizer.request.entry import Figure, NameList, Others, Sizes
from optimizer.request.fields import LOADS, without
from optimizer.request.load import load_of
from optimizer.search.front import Found
from optimizer.search.judging import check
from optimizer.sizing.report import families
from optimizer.text.figures import amount, listed, trimmed
from optimizer.throughput.plans import Planner


def levers(market: Market) -> list[Lever]:
    """A lever for each condition in force, and those that no condition stands for: offload, a smaller model."""
    held, request = conditions(market), market.request
    found = [x for c in held if (x := _of(c, market))]
    found += [x for c in held for x in _of_other_kinds(c, market)]
    if request.gpu_count is not None:
        found.append(Count("gpu-count", _counted(sorted(market.catalog.parts[gpu].name for gpu in request.gpus))))
    if not request.offload and not request.trains and market.llm.is_moe:
        found.append(_offload(market))
    if request.speculate:
        found.append(option("speculate", "no tokens proposed by the model's module", speculate=None))
    if smaller := _smaller_models(market):
        found.append(Choice("model", [[x] for x in smaller]))
    return found


def _counted(gpus: Sequence[str]) -> Callable[[int], str]:
    """What another number of the GPUs asked for is called."""
    first, *others = gpus or [""]

    def say(number: int) -> str:
        return message("another number of GPUs: {what}", what=listed([f"{number} x {first}", *others], "or"))

    return say


def _offload(market: Market) -> Lever:
    """Experts in host memory, with the leave for experimental engines where no stable one keeps them there: none serves
    the model so, or none in the formats and on the cards that may be bought."""
    stable = ("routed experts in host memory", Change.of(offload=True))
    experimental = (
        "routed experts in host memory, by an experimental engine", Change.of(offload=True, allow_experimental=True),
    )  # fmt: skip
    if market.request.allow_experimental:
        return Choice("offload", [[stable]])
    known = any(
        row.status == "stable" and market.llm.architecture in row.architectures for row in support_rows("offload")
    )
    return Choice("offload", [[stable], [experimental]] if known else [[experimental]])


def _of(condition: Condition, market: Market) -> Lever | None:
    """The lever of a condition."""
    if condition.key == "budget":
        return Budget()
    if condition.key == "load":
        return _load(market)
    if condition.key == "rack-air":
        text = message("{n} kW of heat to the air per rack (with containment)", n=trimmed(CONTAINED_AIR_W / 1000))
        return Choice(condition.key, [[(text, condition.without)]])
    match condition.loosens:
        case Figure():
            return _number(condition, condition.loosens, market)
        case NameList():
            return _members(condition, condition.loosens, market)
        case Sizes():
            return _sizes(condition.key, condition.field, condition.loosens, condition.loosens.lists(market)[0], market)
        case Others():
            steps = condition.loosens.steps(market)
            return Choice(condition.key, [[(text, Change(fields)) for text, fields in alike] for alike in steps])
        case None:
            return Choice(
                condition.key,
                [[(condition.given_up or message("no more: {why}", why=condition.text), condition.without)]],
            )


def _of_other_kinds(condition: Condition, market: Market) -> list[Lever]:
    """Levers of a size to those of other kinds, each kind by itself."""
    if not isinstance(condition.loosens, Sizes):
        return []
    return [
        _sizes(condition.loosens.others, condition.field, condition.loosens, sizes, market)
        for sizes in condition.loosens.lists(market)[1:]
    ]


def _sizes(key: str, field: str, loosens: Sizes, sizes: Sequence[Any], market: Market) -> Number:
    """The least of sizes of one kind, the smallest first; before them stands the one asked for, which fails."""
    own = getattr(market.request, field)

    def reached(asking: Asking, change: Change, found: Found) -> int:
        built = asking.built(change, found)
        return next((i for i, size in enumerate(sizes, 1) if loosens.carries(built, size)), len(sizes) + 1)

    def fields(value: int) -> Change:
        return Change({field: sizes[value - 1] if value else own})

    def say(value: int) -> str:
        return loosens.words(sizes[value - 1] if value else own)

    return Number(key, 0, len(sizes), fields, say, reached, free=Change(without(field)))


def _members(condition: Condition, loosens: NameList, market: Market) -> Members:
    """A list with members beside its own, or a bar or demand without some of them."""
    own = getattr(market.request, condition.field)
    kind = type(own)
    written = loosens.known(market) if loosens.known else {name: name for name in own}
    extra = sorted(set(written) - set(own)) if loosens.known else list(own)

    def fields(some: frozenset[str]) -> Change:
        changed = sorted({*own, *some}) if loosens.known else [name for name in own if name not in some]
        return Change({condition.field: kind(changed)})

    def say(names: Sequence[str]) -> str:
        return message(loosens.words.replace("{}", "{list}"), list=listed([written[name] for name in names]))

    def used(asking: Asking, change: Change, found: Found) -> frozenset[str]:
        held = loosens.held(asking.built(change, found))
        return frozenset(own) - held if loosens.demanded else held

    lacking = N_("with {list}") if loosens.demanded else N_("without {list}")
    return Members(condition.key, extra, fields, say, used, lacking)


def _number(condition: Condition, figure: Figure, market: Market) -> Number:
    """The lever of a figure."""
    start = getattr(market.request, condition.field) * figure.steps
    loosest = figure.loosest if isinstance(figure.loosest, int) else figure.loosest(market)
    attained = figure.attained

    def fields(value: int) -> Change:
        return Change({condition.field: value if figure.steps == 1 else value / figure.steps})

    def say(value: int) -> str:
        return amount(figure.words, value / (figure.steps * figure.unit))

    def reached(asking: Asking, change: Change, found: Found) -> int:
        assert attained is not None
        return attained(asking.built(change, found))

    grid = math.floor(start) if loosest < start else math.ceil(start)
    guess = _fastest if condition.key == "throughput" else None
    known = _most_users if condition.key == "users" else reached if attained else None
    # A plan runs as many requests at once as keep each user's speed, so that it attains hardly more.
    climbs = condition.key != "user-speed"
    return Number(condition.key, grid, loosest, fields, say, known, guess, climbs=climbs)


def _load(market: Market) -> Number | None:
    """Less load, in thousandths of the request's."""
    request = market.request
    name, words = (
        ("tokens_per_day", N_("{n} tokens a day"))
        if request.tokens_per_day
        else ("requests_per_second", N_("{n} requests a second"))
    )
    load, full = load_of(request, market.policy), request.tokens_per_day or request.requests_per_second
    if load is None or not full:
        return None

    def at(steps: int) -> float:
        return float(f"{full * steps / 1000:.9g}")

    def reached(asking: Asking, change: Change, found: Found) -> int:
        return math.floor(found.row.perf.tenths / 10 / load.needed_tok_s * 1000)

    def guess(asking: Asking, also: Change) -> int | None:
        tenths = _fastest(asking, also | Change.of(**dict.fromkeys(LOADS)))
        return tenths and math.floor(tenths / 10 / load.needed_tok_s * 1000)

    return Number(
        "load", 1000, 1, lambda v: Change({name: at(v)}), lambda v: message(words, n=trimmed(at(v))), reached, guess
    )


def _most_users(asking: Asking, change: Change, found: Found) -> int:
    """Users that a build found serves at most, as far as the rules pass it."""
    market, row = asking.market(change), found.row
    gpu, most = market.catalog.parts[row.key.gpu], market.request.users or 1
    planner = asking.judged(market).planner
    assert isinstance(gpu, Gpu)
    if row.plan.offload or not isinstance(planner, Planner) or (can := planner.most_users(gpu, row.key)) <= most:
        return most
    _, checks = check(asking.market(change | Change.of(users=can)), found.build)
    return most if any(x.status == "fail" for x in checks) else can


def _fastest(asking: Asking, also: Change) -> int | None:
    """Throughput (0.1 tok/s) of the fastest build within the budget, whatever throughput was asked for."""
    return asking.fastest(also | Change.of(throughput_tenths=None))


def _smaller_models(market: Market) -> list[tuple[str, Change]]:
    """DeepSeek models with fewer parameters, the largest first; of those with equal size one. A model that reads images
    stands in for none that does not: most of them are made for that alone (OCR)."""
    request, llm = market.request, market.llm
    sized: dict[int, Llm] = {}
    for other, _ in families(False):
        fits = request.tokens <= other.max_context and other.params_total < llm.params_total
        alike = bool(llm.tower_params) or not other.tower_params
        if (
            fits
            and alike
            and not speculation_fault(other, request)
            and not (request.precision and not wanted(other, request))
        ):
            sized.setdefault(other.params_total, other)
    ranked = [sized[size] for size in sorted(sized, reverse=True)]
    return [
        (
            message("the model {id} instead ({size} B)", id=x.id, size=f"{x.params_total / 1000000000.0:,.0f}"),
            Change.of(model=x.id),
        )
        for x in ranked
    ]
