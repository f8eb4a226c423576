"""Which planner judges the rows of a market."""

from __future__ import annotations

from catalogs.llm import Llm
from constraints.policy import Policy
from constraints.request import Request
from optimizer.throughput.calibration import Calibration
from optimizer.throughput.plans import Planner
from optimizer.throughput.training_plans import TrainingPlanner


def planner_for(
    llm: Llm, request: Request, policy: Policy, calibration: Calibration, bounded: bool = True
) -> Planner | TrainingPlanner:
    """The planner of the request's workload: serving, or training and fine-tuning. `bounded`: see Planner."""
    if request.trains:
        return TrainingPlanner(llm, request, policy)
    return Planner(llm, request, policy, calibration, bounded)
