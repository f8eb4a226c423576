"""Which lever loosens which condition, with its grid and what a build found says about it."""

from __future__ import annotations

import math
from collections.abc import Callable

from catalogs.engines.support import support_rows
from catalogs.llm import Llm
from catalogs.message import message
from catalogs.schema import Gpu
from constraints.build import total_w, units
from constraints.physics.circuits import standard
from constraints.request import Circuit
from constraints.rules.power import circuit_limit_w, wall_w
from constraints.rules.precision import BITS, known_precisions, wanted
from optimizer.explanation.conditions.conditions import CONTAINED_AIR_W, Condition, conditions
from optimizer.explanation.conditions.levers import Budget, Choice, Count, Lever, Number, option
from optimizer.explanation.conditions.lists import (
    estimated_percent,
    largest_share_percent,
    lead_days,
    members_of,
    price_age_days,
    sellers_used,
)
from optimizer.explanation.questions import LOADS, Asking, Change
from optimizer.market.market import Market
from optimizer.request.entry import Figure
from optimizer.request.load import load_of
from optimizer.search.front import Found
from optimizer.search.judging import check
from optimizer.sizing.report import families
from optimizer.text.figures import amount, listed, trimmed
from optimizer.throughput.plans import Planner


def levers(market: Market) -> list[Lever]:
    """A lever for each condition in force, and those that no condition stands for: offload, a smaller model."""
    found = [x for c in conditions(market) if (x := _of(c, market))]
    r = market.request
    if r.circuit:
        found += [_circuits("circuit-volts", sizes) for sizes in standard(r.circuit)[1:]]
    if r.gpu_count is not None:
        names = listed(sorted(market.catalog.parts[g].name for g in r.gpus), "or")
        found.append(Count("gpu-count", lambda n: f"another number of GPUs: {n} x {names}"))
    if not r.offload and not r.trains and market.llm.is_moe:
        found.append(_offload(market))
    if smaller := _smaller_models(market):
        found.append(Choice("model", [[x] for x in smaller]))
    return found


def _offload(market: Market) -> Lever:
    """Experts in host memory, with the leave for experimental engines where no stable one keeps them there."""
    if market.request.allow_experimental or any(
        row.status == "stable" and market.llm.architecture in row.architectures for row in support_rows("offload")
    ):
        return option("offload", "routed experts in host memory", offload=True)
    text = "routed experts in host memory, by an experimental engine"
    return option("offload", text, offload=True, allow_experimental=True)


def _of(c: Condition, market: Market) -> Lever | None:
    """The lever of a condition."""
    r = market.request
    if c.key == "budget":
        return Budget()
    if c.key == "load":
        return _load(market)
    if c.loosens:
        return _number(c, c.loosens, market)
    if c.key == "precision":
        return Choice(c.key, _precisions(market))
    if c.key == "circuit" and r.circuit:
        return _circuits(c.key, standard(r.circuit)[0])
    if c.key == "rack-air":
        text = message("{n} kW of heat to the air per rack (with containment)", n=trimmed(CONTAINED_AIR_W / 1000))
        return Choice(c.key, [[(text, c.without)]])
    if members := members_of(c.key, market):
        return members
    return Choice(c.key, [[(c.given_up or message("no more: {why}", why=c.text), c.without)]])


def _circuits(key: str, sizes: list[Circuit]) -> Number:
    """The least of circuits of one voltage, the smallest first."""

    def reached(asking: Asking, change: Change, found: Found) -> int:
        needed, policy = wall_w(asking.case(change, found)), asking.market(change).policy
        enough = (i for i, x in enumerate(sizes, 1) if circuit_limit_w(x.amps, x.volts, policy) >= needed)
        return next(enough, len(sizes) + 1)

    def say(i: int) -> str:
        return message("a circuit of {a} A at {b} V", a=sizes[i - 1].amps, b=sizes[i - 1].volts)

    given_up = Change.of(circuit=None)
    return Number(key, 0, len(sizes), lambda i: Change.of(circuit=sizes[i - 1]), say, reached, free=given_up)


Reached = Callable[[Asking, Change, Found], int]
REACHED: dict[str, Reached] = {
    "users": lambda asking, change, found: _most_users(asking, change, found),
    "throughput": lambda asking, change, found: found.row.perf.tenths,
    "user-speed": lambda asking, change, found: math.floor(found.row.perf.per_user_tok_s * 10),
    "ttft": lambda asking, change, found: math.ceil(found.row.perf.ttft_ms),
    "nodes": lambda asking, change, found: found.build.nodes,
    "power": lambda asking, change, found: total_w(asking.case(change, found)),
    "rack-units": lambda asking, change, found: units(asking.case(change, found)),
    "price-age": price_age_days,
    "lead": lead_days,
    "estimates": estimated_percent,
    "share": largest_share_percent,
    "sellers": sellers_used,
}
"""Grid value of a figure that a build found attains: narrows the search, whose answer does not depend on it."""


def _number(condition: Condition, figure: Figure, market: Market) -> Number:
    """The lever of a figure."""
    start = getattr(market.request, condition.field) * figure.steps
    loosest = figure.loosest if isinstance(figure.loosest, int) else figure.loosest(market)

    def fields(value: int) -> Change:
        return Change({condition.field: value if figure.steps == 1 else value / figure.steps})

    def say(value: int) -> str:
        return amount(figure.words, value / (figure.steps * figure.unit))

    grid = math.floor(start) if loosest < start else math.ceil(start)
    guess = _fastest if condition.key == "throughput" else None
    return Number(condition.key, grid, loosest, fields, say, REACHED.get(condition.key), guess)


def _load(market: Market) -> Number | None:
    """Less load, in thousandths of the request's."""
    r = market.request
    name, unit = (
        ("tokens_per_day", "tokens a day") if r.tokens_per_day else ("requests_per_second", "requests a second")
    )
    load, full = load_of(r, market.policy), r.tokens_per_day or r.requests_per_second
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
        "load", 1000, 1, lambda v: Change({name: at(v)}), lambda v: f"{trimmed(at(v))} {unit}", reached, guess
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


def _precisions(market: Market) -> list[list[tuple[str, Change]]]:
    """Other precisions than the ones asked for: of as many bits and more, then of fewer step by step."""
    r, llm = market.request, market.llm
    now = set(wanted(llm, r))
    if r.precision is not None or r.trains:
        asked = max((BITS[p] for p in now), default=0)
        other = [p for p in known_precisions(llm, r) if p not in now]
        steps = sorted({min(BITS[p], asked) for p in other}, reverse=True)
        return [
            [(message("precision {x}", x=p), Change.of(precision=p, min_precision_bits=None)) for p in other
             if min(BITS[p], asked) == bits]
            for bits in steps
        ]  # fmt: skip
    floors = sorted({BITS[p] for p in llm.precisions() if p not in now and BITS[p] in (4, 8, 16)}, reverse=True)
    return [[(message("weights of {n} bits", n=b), Change.of(min_precision_bits=b))] for b in floors]


def _smaller_models(market: Market) -> list[tuple[str, Change]]:
    """DeepSeek models with fewer parameters, the largest first; of those with equal size one."""
    r, llm = market.request, market.llm
    sized: dict[int, Llm] = {}
    for other, _ in families(False):
        fits = r.tokens <= other.max_context and other.params_total < llm.params_total
        if fits and not (r.precision and not wanted(other, r)):
            sized.setdefault(other.params_total, other)
    ranked = [sized[size] for size in sorted(sized, reverse=True)]
    return [
        (
            message("the model {id} instead ({size} B)", id=x.id, size=f"{x.params_total / 1000000000.0:,.0f}"),
            Change.of(model=x.id),
        )
        for x in ranked
    ]
