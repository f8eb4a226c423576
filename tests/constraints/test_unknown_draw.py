"""What draws more than its slot gives, or an unknown power, is never counted as drawing nothing."""

from __future__ import annotations

from datetime import date
from functools import cache
from pathlib import Path

import pytest

from catalogs.load import Catalog, load
from catalogs.schema import Cpu, Gpu
from constraints.build import Build, Case
from constraints.policy import Policy
from constraints.request import Request
from constraints.rule import Check
from optimizer import read_quote
from optimizer.market.market import Market
from optimizer.procurement.xray.xray import xray
from optimizer.search.judging import check
from tests.support.scenes import changed, scene, verdicts

CARD, CPU, CHASSIS = "nvidia-h200-nvl-141gb", "intel-xeon-platinum-8592-plus", "supermicro-sys-421ge-tnrt"
RACK, PDU = "apc-netshelter-sx-ar3100-42u-600x1070", "apc-ap8867-metered-17.3-kw-208v-60a-3ph"
DAY = date(2026, 11, 24)
LOADED = {"power", "cooling", "rack", "site"}
"""Rules that judge what a node draws."""
QUOTE = """Part,Qty,Unit price USD net
SYS-421GE-TNRT,1,11200
H200 NVL 141GB,8,29900
Xeon Platinum 8592+,2,7450
M321R8GA0PB0-CWMKJ,32,1285
PM1743 7.68TB,2,1700
"""


@cache
def shipped() -> Catalog:
    return load()


def judged(catalog: Catalog) -> tuple[Case, list[Check]]:
    """Eight cards of 600 W in a chassis whose slots give 400 W, racked."""
    node = {CHASSIS: 1, CPU: 2, "samsung-m321r8ga0pb0-cwmkj": 32, CARD: 8}
    market = Market.open(catalog, Request(model="v3-671b", as_of=DAY, max_power_w=3000), Policy())
    return check(market, Build(1, node, {RACK: 1, PDU: 2}))


def test_cards_beyond_their_slots_draw_their_tdp() -> None:
    case, found = judged(shipped())
    assert case.load_w > 8 * 600
    said = {(x.rule, x.measured) for x in found if x.status == "fail"}
    assert case.wall_w > case.load_w
    assert {("power", case.load_w), ("cooling", case.load_w), ("site", case.wall_w)} <= said
    assert any(x.rule == "fit" and "draws 600 W, the slot gives 400 W" in x.text for x in found)


@pytest.mark.parametrize("part", [CARD, CPU])
def test_a_load_with_an_unknown_draw_is_not_judged(part: str) -> None:
    """No rule says that a load is within a limit, nor names one."""
    catalog = changed(shipped(), shipped().parts[part], "tdp_w", None)
    _, found = judged(catalog)
    why = f"the power draw of {catalog.parts[part].name} is not published"
    for rule in LOADED | {"fit"}:
        assert any(x.rule == rule and x.status == "fail" and x.text == why for x in found), rule
    assert not [x for x in found if x.rule in LOADED and x.unit == "W"]


def test_a_cpu_of_unknown_draw_is_in_no_build() -> None:
    """Neither check nor certificate takes it, nor does the search."""
    s = scene("tower")
    cpu, _ = s.one(Cpu)
    catalog = changed(s.market.catalog, cpu, "tdp_w", None)
    failed, proven = verdicts(s, catalog, s.market.request, s.market.policy, s.case.build)
    assert {"fit", "power"} <= failed
    assert not proven
    platform = s.case.platform
    assert cpu.id not in [x.id for x in Market.open(catalog, s.market.request, s.market.policy).cpus_of(platform)]


def test_an_xray_names_the_slot_as_what_stops_the_model(tmp_path: Path) -> None:
    """Not users or speed: the GPUs can't be fed there."""
    (tmp_path / "bid.csv").write_text(QUOTE)
    catalog = shipped()
    market = Market.open(catalog, Request(model="v3-671b", as_of=DAY, users=8, grade="floor"), Policy())
    seen = xray(read_quote(tmp_path / "bid.csv", catalog=catalog), market, search=False)
    said = " ".join(seen.summary)
    assert "does not run v3-671b; not met: H200 NVL 141GB draws 600 W, the slot gives 400 W." in said
    assert seen.supplies is not None and seen.supplies.status == "fail"


def test_an_xray_counts_no_supplies_against_an_unknown_load(tmp_path: Path) -> None:
    (tmp_path / "bid.csv").write_text(QUOTE)
    gpu = shipped().parts[CARD]
    assert isinstance(gpu, Gpu)
    catalog = changed(shipped(), gpu, "tdp_w", None)
    market = Market.open(catalog, Request(model="v3-671b", as_of=DAY, grade="floor"), Policy())
    seen = xray(read_quote(tmp_path / "bid.csv", catalog=catalog), market, search=False)
    assert seen.supplies is None
    assert not [x.text for x in seen.missing if "kW" in x.text]
    assert "not met: the power draw of H200 NVL 141GB is not published." in " ".join(seen.summary)
