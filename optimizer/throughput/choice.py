"""Which planner judges the rows of a market."""

from __future__ import annotations

from catalogs.llm import Llm
from constraints.policy import Policy
from constraints.request import Request
from optimizer.throughput.calibration import Calibration
from optimizer.throughput.plans import Planner
from optimizer.throughput.training_plans import TrainingPlanner


def planner_for(llm: Llm, request: Request, policy: Policy, calibration: Calibration) -> Planner | TrainingPlanner:
    """The planner of the request's workload: serving, or training and fine-tuning."""
    return TrainingPlanner(llm, request, policy) if request.trains else Planner(llm, request, policy, calibration)
