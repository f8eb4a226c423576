"""All rules in the order of encoding: what adds shared gear comes before what weighs it, money comes last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constraints.budget import Budget
from constraints.cooling import Cooling
from constraints.cores import Cores
from constraints.fit import Fit
from constraints.host_memory import HostMemory
from constraints.interconnect import Interconnect
from constraints.lanes import Lanes
from constraints.power import Power
from constraints.precision import Precision
from constraints.procurement import Procurement
from constraints.rack import RackRule
from constraints.rule import Check, Rule
from constraints.shares import Estimates, Sellers
from constraints.site import Site
from constraints.software import Software
from constraints.storage import Storage
from constraints.surplus import Surplus
from constraints.vram import Vram

if TYPE_CHECKING:
    from constraints.case import Case

RULES: tuple[Rule, ...] = (
    Vram(), Precision(), Software(), HostMemory(), Fit(), Lanes(), Cores(), Storage(), Interconnect(), Cooling(),
    RackRule(), Power(), Site(), Surplus(), Procurement(), Estimates(), Sellers(), Budget(),
)  # fmt: skip


def findings(case: Case) -> list[Check]:
    """Every rule's findings about a build."""
    return [x for rule in RULES for x in rule.check(case)]
