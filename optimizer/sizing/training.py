"""Memory and speed of training a model on given GPUs."""

from __future__ import annotations

from typing import Any

from catalogs.schema import Gpu
from constraints.physics.reserve import usable_bytes
from constraints.physics.training import footprint
from constraints.plan import RowKey
from optimizer.market.market import Market
from optimizer.result.plan_facts import plan_facts, throughput
from optimizer.throughput.training_plans import TrainingPlanner


def training_size(market: Market, gpu: Gpu, key: RowKey) -> dict[str, Any]:
    """GB per GPU, the plan and training tok/s; `fits` False says by how many GB per GPU the leanest plan misses."""
    planner = TrainingPlanner(market.llm, market.request, market.policy)
    row = next(iter(planner.rows(gpu, [key])), None)
    if row is not None:
        plan = plan_facts(market, gpu, row.plan)
        training = plan.pop("training")
        return {"fits": True, **throughput(market, row), **plan, **training}
    rough = planner.roughest(gpu, key)
    if rough is None:
        return {"fits": False, "reason": "no precision of the model is admitted"}
    need = footprint(gpu, market.llm, market.policy, rough.plan, market.request).total
    have = usable_bytes(gpu)
    reason = "memory" if need > have else "no training stack, rate or network for this GPU"
    return {
        "fits": False,
        "reason": reason,
        "precision": rough.plan.precision,
        "needed_gb": round(need / 1e9, 2),
        "vram_gb": round(have / 1e9, 2),
        "missing_gb": round(max(0, need - have) / 1e9, 2),
    }
