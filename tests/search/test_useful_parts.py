"""What the model of a family is made of: a part goes only where another one serves in every build of the open rows."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from constraints.policy import Policy
from optimizer.explanation.mend.mended import Mender, mended
from optimizer.market.market import Market
from optimizer.search.solver import Solver
from optimizer.search.useful_parts import narrowed
from tests.support.scenes import changed, scene


@pytest.mark.parametrize("percent", ["66", "66.9", "67"])
def test_a_module_is_enough_by_the_floor_to_the_decimal(percent: str) -> None:
    """A chassis of four channels, two modules each, for 96 GB of GPU memory: four modules of 16 GB hold 66 %, 63.4 GB,
    but not 66.9 %, 64.3 GB: eight of them do, or four of 32 GB, which the smaller ones do not replace."""
    s = scene("own racks")
    catalog = changed(s.market.catalog, s.case.platform, "dimm_slots", 8)
    solver = Solver(Market.open(catalog, s.market.request, Policy({"host_memory.floor_percent": Decimal(percent)})))
    family = next(family for family in solver.families if family.name == (s.case.gpu.id, s.case.per_node))
    solver.judge(10**9, [family])
    top = 10**8
    bounds = [bound for row in solver.runnable(family) for bound in solver.bounds_of(family, row, top)]
    _, parts = narrowed(solver.market, solver.parts, [bound for bound in bounds if bound.fits(top)], lambda _: top)
    sizes = {module.capacity_gb for module in parts.memory}
    assert sizes == ({16} if percent == "66" else {16, 32})


@pytest.mark.parametrize("percent", ["66", "66.9"])
def test_modules_stay_as_they_are_by_the_floor_to_the_decimal(percent: str) -> None:
    """Four modules of 16 GB on eight channels pass with a warning where they hold what is asked for; what is changed of
    a build that fails is found all the same, and passes."""
    s = scene("own racks")
    catalog = s.market.catalog
    for field, value in (("channels_per_cpu", 4), ("dimm_slots", 8)):
        catalog = changed(catalog, catalog.parts[s.case.platform.id], field, value)
    node = {part: qty for part, qty in s.case.build.node.items() if not part.startswith("dimm")}
    failing = replace(s.case.build, node={**node, "dimm0": 4}, shared={})
    market = Market.open(catalog, s.market.request, Policy({"host_memory.floor_percent": Decimal(percent)}))
    found = mended(market, failing)
    assert found is not None
    held = {part.part: part.qty for part in found.node if part.part.startswith("dimm")}
    assert (held == {"dimm0": 4}) == (percent == "66")


def test_what_a_system_holds_counts_where_modules_may_stay() -> None:
    """Two modules inside and one bought spread evenly over twelve channels: a node may then cost less than the bounds
    of a front say, which count whole sets. Two inside and three bought do not."""
    s = scene("systems")
    catalog, system = s.market.catalog, s.case.platform
    for field in ("channels_per_cpu", "dimm_slots"):
        catalog = changed(catalog, catalog.parts[system.id], field, 12)
    offer = next(iter(catalog.offers["drive1"])).model_copy(update={"id": "module", "part": "dimm-s"})
    market = Market.open(replace(catalog, offers={**catalog.offers, "dimm-s": (offer,)}), s.market.request, Policy())
    slack = {}
    for bought in (1, 3):
        build = replace(s.case.build, node={**s.case.build.node, "dimm-s": bought})
        slack[bought] = Mender(market, build).slack.get(system.id, 0)
    assert slack[1] > 0
    assert slack[3] == 0
