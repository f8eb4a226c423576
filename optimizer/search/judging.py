"""Every rule on any build, with the best plan that its hardware realises, and what of the request it does not meet."""

from __future__ import annotations

from dataclasses import dataclass, replace

from catalogs.message import message
from catalogs.schema import Gpu
from constraints.build import Build, Case
from constraints.physics.lookup_tables import copies, tables_gb
from constraints.plan import Perf, Plan, Row, RowKey
from constraints.rule import Check
from constraints.rules.host_memory import HostMemory, experts, host_of, tables
from constraints.rules.precision import kv_precision, wanted
from constraints.rules.registry import RULES
from constraints.rules.software import served
from optimizer.market.host_rows import HostRows
from optimizer.market.market import Market
from optimizer.market.rows import hardware_keys
from optimizer.request.fields import ID as REQUEST
from optimizer.request.fields import broken
from optimizer.search.mixed_cards import fastest_mix, roughest_mix
from optimizer.search.unmet_limits import said, unmet
from optimizer.throughput.choice import planner_for
from optimizer.throughput.gpu_counts import leanest
from optimizer.throughput.training_plans import TrainingPlanner


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
    found = [fault.found for fault in broken(judged.case, judged.row)]
    if judged.row is None:

        def best(other: Market) -> Row | None:
            return _fastest(other, replace(judged.case, request=other.request))

        if limits := unmet(market, best):
            found.append(Check.of(REQUEST, False, said(market.request, limits)))
        elif not any(finding.status == "fail" for finding in [*judged.checks, *found]):
            # Each limit can be met, and none fails by itself: together no plan meets them.
            found.append(Check.of(REQUEST, False, "no plan of the model runs on this hardware as asked"))
    return found


def judge(market: Market, build: Build, *, exists: bool = False) -> JudgedBuild:
    """Every rule on any build; `exists`: on a machine that stands already (`Case.exists`)."""
    blank = Plan("", kv_precision(market.llm, market.request), 1, 1, 1, 1, 1, 1)
    case = replace(market.case(build, blank), exists=exists)
    row = best = _fastest(market, case)
    checks: list[Check] = []
    if row is None and not case.mixed:
        row, too_slow = _roughest_on_host(market, case)
        checks += too_slow
    if row is None:
        row = roughest_mix(market, case) if case.mixed else _roughest_plan(market, case.gpu, case.per_node, build.nodes)
    if row is not None:
        case = replace(case, plan=row.plan, row=row.key)
    for rule in RULES:
        if row is None and "plan" in rule.reads:
            checks.append(Check.of(rule.id, False, "no plan of the model exists on these GPUs"))
            continue
        checks += rule.check(case)
    return JudgedBuild(case, best, checks)


def _fastest(market: Market, case: Case) -> Row | None:
    """The fastest row whose hardware checks the build passes, of equal GPUs or of a mix."""
    return fastest_mix(market, case) if case.mixed else best_row(market, case, case.gpu, case.per_node)


def _roughest_on_host(market: Market, case: Case) -> tuple[Row | None, list[Check]]:
    """The plan with experts in host memory that a failing build is judged by, where its node can hold them; with the
    finding that it is too slow, where it is not the memory that is too small."""
    on_host = HostRows(market)
    have = host_of(case) if on_host.able(case.gpu, case.per_node) else None
    if have is None:
        return None, []
    row = on_host.roughest(case.gpu, case.per_node, case.build.nodes)
    if have.gb < row.key.host_gb:
        return row, []
    text = message(
        "no plan gives each user {n} tok/s with experts in host memory", n=f"{market.request.min_tok_s_user:g}"
    )
    return row, [Check.of(HostMemory.id, False, text)]


def best_row(market: Market, case: Case, gpu: Gpu, per_node: int) -> Row | None:
    """The fastest row whose hardware checks the build passes."""
    planner = planner_for(market.llm, market.request, market.policy, market.calibration)
    best: Row | None = None
    keys = hardware_keys(market, gpu, per_node, [case.platform], case.build.nodes)
    rows = planner.rows(gpu, keys)
    if market.request.offload and (have := host_of(case)):
        rows += HostRows(market).of({case.platform: [have]}, gpu, per_node, [case.build.nodes])
    for row in rows:
        # Rules are asked only of what would be faster; of equal rows the first one stays.
        if best and best.perf.tenths >= row.perf.tenths:
            continue
        trial = replace(case, plan=row.plan, row=row.key)
        realised = [finding for rule in RULES if "row" in rule.reads for finding in rule.check(trial)]
        realised += experts(trial) if row.plan.offload else []
        realised += tables(trial) if row.plan.host_tables else []
        if not any(finding.status == "fail" for finding in realised):
            best = row
    return best


def _roughest_plan(market: Market, gpu: Gpu, per_node: int, nodes: int) -> Row | None:
    """The plan that a failing build is judged by: of those that an engine starts the one with the least memory per GPU,
    at the lowest precision."""
    planner = planner_for(market.llm, market.request, market.policy, market.calibration)
    policy, domain = market.policy, min(gpu.wired_domain_gpus, per_node)
    # Its network is as fast as rule interconnect asks of such plans: what the build lacks of it is said of its gear,
    # not of a row that nobody chose.
    if isinstance(planner, TrainingPlanner):
        net = ("rdma", policy.whole("interconnect.ep_gbit_s")) if nodes > 1 else ("none", 0)
        return planner.roughest(gpu, RowKey(gpu.id, gpu.tdp_w or 0, per_node, nodes, domain, 0, 0, *net))
    precisions = planner.precisions(gpu) or _nearly_served(market, gpu) or wanted(market.llm, market.request)
    if not precisions:
        return None
    net = ("pp", policy.whole("interconnect.pp_gbit_s")) if nodes > 1 else ("none", 0)
    key = RowKey(gpu.id, gpu.tdp_w or 0, per_node, nodes, domain, 0, 0, *net)
    plan = leanest(planner, gpu, key, precisions[-1])
    if plan.host_tables:
        key = replace(key, tables_gb=tables_gb(market.llm, copies(plan.gpus, per_node), market.policy))
    return Row(key, plan, Perf(0, 0.0, 0.0, 0.0))


def _nearly_served(market: Market, gpu: Gpu) -> list[str]:
    """Precisions that the request may have and that lack only its leave for experimental engines."""
    free = market.request.model_copy(update={"allow_experimental": True})
    precisions = wanted(market.llm, market.request)
    return [precision for precision in precisions if served(market.llm, gpu, precision, free)]
