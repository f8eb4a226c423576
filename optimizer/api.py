"""What the command line and other programs call: solve, check."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from catalogs.errors import InputError
from catalogs.load import Catalog
from catalogs.schema import Gpu, GpuBoard, Kind
from constraints.case import Build, Case
from constraints.host_memory import experts, host_of
from constraints.plan import Perf, Plan, Row, RowKey
from constraints.policy import Policy
from constraints.precision import BITS, kv_precision, wanted
from constraints.request import Request
from constraints.rule import Check
from constraints.rules import RULES
from constraints.software import served
from optimizer.assortment import Assortment
from optimizer.clock import Clock
from optimizer.embed import rows, used
from optimizer.front import Front
from optimizer.host_rows import HostRows
from optimizer.load import with_load
from optimizer.market import Market
from optimizer.pareto import Disagreement, Solver
from optimizer.recommended import less_words
from optimizer.request.fields import ID as REQUEST
from optimizer.request.fields import broken
from optimizer.request.limits import said, unmet
from optimizer.result import result
from optimizer.rows import GpuRows, hardware_keys
from optimizer.size_counts import leanest
from optimizer.throughput.calibration import Calibration
from optimizer.throughput.choice import planner_for
from optimizer.throughput.training_plans import TrainingPlanner


@dataclass(frozen=True)
class Answer:
    """A solved request: the front as objects, and the result contract as data. `judged`: the rows of its plans."""

    market: Market
    front: Front
    data: dict[str, Any]
    judged: GpuRows


def solve(
    catalog: Catalog,
    request: Request,
    policy: Policy,
    time_limit: float | None = None,
    calibration: Calibration | None = None,
    clock: Clock | None = None,
) -> Answer:
    """The front of a request, or the best checked one when `time_limit` (s) or `clock` ends before the proof;
    throughput by `calibration` (the shipped one without). Raises InputError for what makes no sense."""
    request = with_load(request, policy)
    market = Market.open(catalog, request, policy, calibration)
    started = time.perf_counter()
    solver = Solver(market, clock=clock or Clock(time_limit))
    front = solver.front()
    for p in front.points:
        if faults := broken(p.case, p.found.row):
            raise Disagreement(f"{faults[0].text} in {p.found.build}")
    seconds = {**solver.seconds, "total": time.perf_counter() - started}
    data = result(market, front, seconds)
    return Answer(market, front, data, solver.on_gpus)


def embedded(answer: Answer) -> dict[str, list[dict[str, Any]]]:
    """Catalog rows that the front rests on: its parts and those demanded, what is inside them, and all their offers."""
    catalog, demanded = answer.market.catalog, answer.market.request.include
    return rows(catalog, used(catalog, {*demanded, *(x for p in answer.front.points for x in p.case.build.total())}))


def solved_messages(answer: Answer) -> list[dict[str, str]]:
    """Messages that take a solver: what the next lower precision would save, and whether one card would do."""
    said = {"lower-precision": saving(answer), "single-card": single_card(answer)}
    return [{"code": code, "severity": "note", "text": text} for code, text in said.items() if text]


def saving(answer: Answer) -> str:
    """What the next lower precision would save at the recommended throughput, in a sentence; empty when nothing."""
    market, data = answer.market, answer.data
    r, chosen = market.request, data["recommended"]
    if not chosen or r.cost_axis != "money" or r.precision is not None or r.trains or not answer.front.complete:
        return ""
    floor = min(r.min_precision_bits or 32, market.llm.min_precision_bits)
    lower = max((BITS[p] for p in market.llm.precisions() if BITS[p] < floor), default=0)
    if not lower:
        return ""
    point = next(p for p, d in zip(answer.front.points, data["front"], strict=True) if d["id"] == chosen)
    asked = {
        "min_precision_bits": lower,
        "throughput_tenths": point.found.row.perf.tenths,
        "gpus": frozenset(p.case.gpu.id for p in answer.front.points),
    }
    other = _at_the_same_prices(market, asked)
    found = Solver(other).cheapest(point.found.parts_cents - 1)
    how = f"{lower}-bit weights (--min-precision {lower}bit) on the GPUs of this front"
    if found is None:
        return f"{how} would not make this throughput cheaper."
    less = less_words(market, point.found.parts_cents, found.parts_cents)
    return f"{how} would reach this throughput for {less} less."


def single_card(answer: Answer) -> str:
    """That one card in 4 bits would do for less, in a sentence; empty when none does or the build has one already."""
    market, data = answer.market, answer.data
    r, chosen = market.request, data["recommended"]
    point = next((p for p, d in zip(answer.front.points, data["front"], strict=True) if d["id"] == chosen), None)
    if point is None or point.found.row.key.total == 1 or r.gpus or r.precision or r.trains or r.cost_axis != "money":
        return ""
    bits = min((BITS[p] for p in market.llm.precisions()), default=16)
    lean = min(market.llm.weight_bytes(p) for p in market.llm.precisions())
    large = {g.id for g in market.catalog.of(Kind.GPU) if isinstance(g, Gpu) and g.vram_gb * 10**9 >= lean}
    if bits > 4 or not large:
        return ""
    asked = {"min_precision_bits": 4, "gpu_count": 1, "budget_cents": None, "throughput_tenths": None}
    other = _at_the_same_prices(market, {**asked, "gpus": frozenset(large)})
    rows = GpuRows.of_market(other)
    solver = Solver(other, judged=rows, stock=Assortment(other, rows.planner, per_node=1))
    found = solver.cheapest(point.found.parts_cents - 1)
    if found is None:
        return ""
    less = less_words(market, point.found.parts_cents, found.parts_cents)
    name = market.catalog.parts[found.row.key.gpu].name
    return (
        f"One {name} runs the model in {found.row.plan.precision} for {less} less, at "
        f"{found.row.perf.tenths / 10:,.1f} tok/s (--min-precision 4bit --gpu '1x {name}')."
    )


UNPRICED = ("budget_cents", "throughput_tenths", "gpus", "gpu_count", "min_precision_bits")
"""Request fields that a price book doesn't read unless offers are chosen for the whole build; a test holds it."""


def _at_the_same_prices(market: Market, fields: dict[str, Any]) -> Market:
    """The market under a request with other fields of `UNPRICED`; opening the price book again costs more than many a
    solve."""
    if market.request.picks_offers or not set(fields) <= set(UNPRICED):
        return market.asking(**fields)
    request = market.request.model_copy(update=fields)
    return Market.open(market.catalog, request, market.policy, market.calibration, market.book)


@dataclass(frozen=True)
class JudgedBuild:
    """A build with every rule's findings; `row` is its best plan, None where none runs as asked (`case` then holds a
    plan to judge it by all the same)."""

    case: Case
    row: Row | None
    checks: list[Check]


def check(market: Market, build: Build) -> tuple[Case, list[Check]]:
    """Every rule on any build, with the best plan that its hardware realises; the reasons when none does."""
    judged = judge(market, build)
    return judged.case, judged.checks


def asked_for(market: Market, judged: JudgedBuild) -> list[Check]:
    """Fields of the request that the build does not meet and no rule reads (optimizer/request/fields.py); a failing
    finding at least where no plan runs as asked."""
    found = [x.found for x in broken(judged.case, judged.row)]
    if judged.row is None:
        gpu, k = judged.case.gpu, judged.case.per_node

        def best(other: Market) -> Row | None:
            return best_row(other, replace(judged.case, request=other.request), gpu, k)

        if limits := unmet(market, best):
            found.append(Check.of(REQUEST, False, said(market.request, limits)))
        elif not any(x.status == "fail" for x in [*judged.checks, *found]):
            found.append(Check.of(REQUEST, False, "no plan of the model runs on this hardware as asked"))
    return found


def judge(market: Market, build: Build) -> JudgedBuild:
    """Every rule on any build."""
    blank = Plan("", kv_precision(market.llm, market.request), 1, 1, 1, 1, 1, 1)
    case = market.case(build, blank)
    gpu, k = case.gpu, case.per_node
    row = best = best_row(market, case, gpu, k)
    checks: list[Check] = []
    if row is None and (on_host := HostRows(market)).able(gpu, k) and (have := host_of(case)):
        row = on_host.roughest(gpu, k, build.nodes)
        if have.gb >= row.key.host_gb:
            text = f"no plan gives each user {market.request.min_tok_s_user:g} tok/s with experts in host memory"
            checks.append(Check.of("host_memory", False, text))
    if row is None:
        row = _roughest_plan(market, gpu, k, build.nodes)
    if row is not None:
        case = replace(case, plan=row.plan, row=row.key)
    for rule in RULES:
        if row is None and rule.id in ("vram", "precision", "software", "storage", "interconnect"):
            checks.append(Check.of(rule.id, False, "no plan of the model exists on these GPUs"))
            continue
        checks += rule.check(case)
    return JudgedBuild(case, best, checks)


def best_row(market: Market, case: Case, gpu: Gpu, k: int) -> Row | None:
    """The fastest row whose hardware checks the build passes."""
    planner = planner_for(market.llm, market.request, market.policy, market.calibration)
    best: Row | None = None
    keys = hardware_keys(market, gpu, k, [case.platform], case.build.nodes)
    rows = planner.rows(gpu, keys)
    if market.request.offload and (have := host_of(case)):
        rows += HostRows(market).of({case.platform: [have]}, gpu, k, [case.build.nodes])
    for row in rows:
        if best and best.perf.tenths >= row.perf.tenths:
            continue
        trial = replace(case, plan=row.plan, row=row.key)
        realised = [x for rule in RULES if rule.id in ("lanes", "interconnect") for x in rule.check(trial)]
        realised += experts(trial) if row.plan.offload else []
        if not any(x.status == "fail" for x in realised):
            best = row
    return best


def _roughest_plan(market: Market, gpu: Gpu, k: int, nodes: int) -> Row | None:
    """The plan that a failing build is judged by: of those that an engine starts the one with the least memory per GPU,
    at the lowest precision."""
    planner = planner_for(market.llm, market.request, market.policy, market.calibration)
    if isinstance(planner, TrainingPlanner):
        net = ("rdma", 100) if nodes > 1 else ("none", 0)
        domain = min(gpu.wired_domain_gpus, k)
        return planner.roughest(gpu, RowKey(gpu.id, gpu.tdp_w or 0, k, nodes, domain, 0, 0, *net))
    precisions = planner.precisions(gpu) or _nearly_served(market, gpu) or wanted(market.llm, market.request)
    if not precisions:
        return None
    key = RowKey(
        gpu.id,
        gpu.tdp_w or 0,
        k,
        nodes,
        min(gpu.wired_domain_gpus, k),
        0,
        0,
        "pp" if nodes > 1 else "none",
        25 if nodes > 1 else 0,
    )
    return Row(key, leanest(planner, gpu, key, precisions[-1]), Perf(0, 0.0, 0.0, 0.0))


def _nearly_served(market: Market, gpu: Gpu) -> list[str]:
    """Precisions that the request may have and that lack only its leave for experimental engines."""
    free = market.request.model_copy(update={"allow_experimental": True})
    return [p for p in wanted(market.llm, market.request) if served(market.llm, gpu, p, free)]


def build_of(catalog: Catalog, nodes: int, parts: Mapping[str, int], shared: Mapping[str, int]) -> Build:
    """A Build from names; raises InputError for unknown parts and bad quantities."""
    if not 1 <= nodes <= 1000:
        raise InputError(f"number of nodes must be 1 to 1000, not {nodes}", "bad-quantity")
    for name, qty in [*parts.items(), *shared.items()]:
        if not 1 <= qty <= 100_000:
            raise InputError(f"quantity of {name!r} must be 1 to 100000, not {qty}", "bad-quantity")
    node: dict[str, int] = {}
    for name, qty in parts.items():
        part = catalog.find(name)
        if isinstance(part, Gpu) and part.sold_as == "board":
            boards = [
                b for b in catalog.of(Kind.GPU_BOARD) if isinstance(b, GpuBoard) and b.gpu == part.id and b.gpus == qty
            ]
            if boards:
                part, qty = boards[0], 1
        node[part.id] = node.get(part.id, 0) + qty
    return Build(nodes, node, {catalog.find(n).id: q for n, q in shared.items()})
