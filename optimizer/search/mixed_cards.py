"""The plan of a build whose node holds unlike cards: llama.cpp shares out the layers (optimizer/throughput/mix.py)."""

from __future__ import annotations

from dataclasses import replace

from constraints.build import Case, power_cap
from constraints.plan import Perf, Row
from constraints.rules.precision import wanted
from constraints.rules.registry import RULES
from optimizer.market.market import Market
from optimizer.throughput.mix import MixPlanner, require_counted, said_of_fewer


def planner_of(market: Market, case: Case) -> MixPlanner:
    """The planner of a node's cards. Raises InputError for what is not counted on a mix."""
    require_counted(market.request, case.build.nodes)
    cards = [gpu for gpu, pieces in case.cards for _ in range(pieces)]
    caps = {gpu.id: power_cap(gpu, case.platform) for gpu, _ in case.cards}
    return MixPlanner(market.llm, market.request, market.policy, market.calibration, cards, caps)


def fastest_mix(market: Market, case: Case) -> Row | None:
    """The fastest plan whose hardware the build has."""
    planner = planner_of(market, case)
    rows = [planner.row(gen, width) for gen, width in sorted(market.host_links(case.platform))]
    for row in sorted(filter(None, rows), key=lambda row: -row.perf.tenths):
        trial = replace(case, plan=row.plan, row=row.key)
        realised = [finding for rule in RULES if "row" in rule.reads for finding in rule.check(trial)]
        if not any(finding.status == "fail" for finding in realised):
            return row
    return None


def said_of_mix(market: Market, case: Case, row: Row) -> str:
    """What to say of a build that is slower than it were without its slower cards; empty where it is not."""
    return said_of_fewer(planner_of(market, case), row)


def roughest_mix(market: Market, case: Case) -> Row | None:
    """The plan that a failing mix is judged by: the fewest bits that are admitted, layers shared out by memory; None
    where no precision of the model is admitted."""
    planner = planner_of(market, case)
    kinds = planner.precisions or wanted(market.llm, market.request)
    if not kinds:
        return None
    return Row(planner.key(0, 0), planner.leanest(kinds[-1]), Perf(0, 0.0, 0.0, 0.0))
