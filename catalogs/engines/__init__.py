"""What each engine release runs: support by GPU, which parallel sizes start, where redundant experts work."""

from catalogs.engines.balancer import redundant_for, unproven
from catalogs.engines.judge import Verdict, judge, plannable
from catalogs.engines.rules import Layout, PlanFault, Release, newest, plan_faults, releases
from catalogs.engines.sizes import ModelSizes, from_config, named, of

__all__ = [
    "Layout",
    "ModelSizes",
    "PlanFault",
    "Release",
    "Verdict",
    "from_config",
    "judge",
    "named",
    "newest",
    "of",
    "plan_faults",
    "plannable",
    "redundant_for",
    "releases",
    "unproven",
]
