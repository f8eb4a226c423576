"""All rules in the order of encoding: what adds shared gear comes before what weighs it, money comes last."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from constraints.rule import Check, Reads, Rule
from constraints.rules.budget import Budget
from constraints.rules.cooling import Cooling
from constraints.rules.cores import Cores
from constraints.rules.fit import Fit
from constraints.rules.host_memory import HostMemory
from constraints.rules.interconnect import Interconnect
from constraints.rules.lanes import Lanes
from constraints.rules.power import Power
from constraints.rules.precision import Precision
from constraints.rules.procurement import Procurement
from constraints.rules.rack import RackRule
from constraints.rules.shares import Estimates, Sellers
from constraints.rules.site import Site
from constraints.rules.software import Software
from constraints.rules.storage import Storage
from constraints.rules.surplus import Surplus
from constraints.rules.vram import Vram

if TYPE_CHECKING:
    from constraints.build import Case

RULES: tuple[Rule, ...] = (
    Vram(), Precision(), Software(), HostMemory(), Fit(), Lanes(), Cores(), Storage(), Interconnect(), Cooling(),
    RackRule(), Power(), Site(), Surplus(), Procurement(), Estimates(), Sellers(), Budget(),
)  # fmt: skip
BY_ID = {rule.id: rule for rule in RULES}


@cache
def that_read(what: Reads) -> frozenset[str]:
    """Ids of the rules whose verdict hangs on `what`."""
    return frozenset(rule.id for rule in RULES if what in rule.reads)


def findings(case: Case) -> list[Check]:
    """Every rule's findings about a build."""
    return [finding for rule in RULES for finding in rule.check(case)]
