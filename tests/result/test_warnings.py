"""What a check says beside yes and no: warnings start exactly at their figure."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from catalogs.schema import Cpu, Memory, Platform
from constraints.build import PsuBank
from constraints.request import Circuit
from constraints.rule import Check
from constraints.rules.power import node_limit_w, transient_extra_w, watts_at
from constraints.rules.registry import findings
from optimizer.market.market import Market
from tests.support.scenes import Scene, bank, changed, gpus, load_w, scene


def found(s: Scene, rule: str, catalog: Any = None, settings: tuple[str, ...] = (), **build: Any) -> list[Check]:
    """A rule's findings about a scene with other parts, policy or node."""
    market = Market.open(catalog or s.market.catalog, s.market.request, s.market.policy.with_settings(settings))
    case = market.case(replace(s.case.build, **build), s.row.plan, s.row.key)
    return [c for c in findings(case) if c.rule == rule]


def warnings(checks: list[Check]) -> list[str]:
    assert all(c.status != "fail" for c in checks), checks
    return [c.text for c in checks if c.status == "warn"]


@pytest.mark.parametrize("name", ("tower", "circuit", "board"))
def test_supplies_without_a_spare(name: str) -> None:
    s = scene(name)
    _, fitted, needed = bank(s)
    assert ("the supplies are not redundant" in warnings(found(s, "power"))) == (fitted == needed)


def test_load_on_what_is_left_when_spare_supplies_have_failed() -> None:
    s = scene("own water")
    psu, fitted, needed = bank(s)
    assert fitted > needed
    edge = math.ceil(Fraction(100 * load_w(s), 80 * needed))
    catalog = changed(s.market.catalog, s.market.catalog.parts["cdu"], "power_w", 400)  # an unknown draw warns too
    for watts, warns in ((edge, 0), (edge - 1, 1)):
        assert len(warnings(found(s, "power", changed(catalog, psu, "watts", watts)))) == warns


def test_supplies_give_their_full_output_from_200_v_on() -> None:
    b = PsuBank(2, 1, 1600, 900, "Gold", "C14", False)
    assert [watts_at(b, v) for v in (120, 199, 200, 230)] == [900, 900, 1600, 1600]
    policy = scene("tower").market.policy
    assert node_limit_w(b, 200, policy, None) == 1600 and node_limit_w(b, 199, policy, None) == 900
    assert node_limit_w(replace(b, needed=2), 200, policy, None) == 2560


def test_supplies_that_do_not_run_at_the_line() -> None:
    s = scene("tower")
    psu = bank(s)[0]
    request = s.market.request.model_copy(update={"circuit": Circuit(amps=500, volts=120)})
    for watts, dead in ((0, True), (1, False)):
        market = Market.open(changed(s.market.catalog, psu, "watts_low_line", watts), request, s.market.policy)
        texts = [c.text for c in findings(market.case(s.case.build, s.row.plan, s.row.key)) if c.rule == "power"]
        assert ("the supplies are not specified for 120 V" in texts) == dead


def test_transients_of_gpus_are_rounded_up() -> None:
    """A quarter of 450 W is 112.5 W: the certificate counts them exactly, and so does the check."""
    policy = scene("tower").market.policy
    assert [transient_extra_w(w, policy) for w in (400, 450, 451, 452)] == [100, 113, 113, 113]
    assert transient_extra_w(450, policy.with_settings(["power.atx_transient_percent=100"])) == 0


@pytest.mark.parametrize("name", ("tower", "circuit", "board"))
def test_cores_below_what_is_advised(name: str) -> None:
    s = scene(name)
    cpu, sockets = s.one(Cpu)
    advised = s.market.policy.whole("cores.per_gpu_advised") * gpus(s)
    least = s.market.policy.whole("cores.per_gpu_min") * gpus(s)
    assert advised % sockets == least % sockets == 0 and advised > least
    for cores, warns in ((advised, 0), (advised - sockets, 1), (least, 1)):
        checks = found(s, "cores", changed(s.market.catalog, cpu, "cores", cores // sockets))
        assert len(warnings(checks)) == warns, cores
        assert checks[0].measured == cores


@pytest.mark.parametrize("name", ("tower", "circuit", "own racks"))
def test_ram_below_what_is_advised(name: str) -> None:
    s = scene(name)
    module, count = s.one(Memory)
    gpu: Any = s.market.catalog.parts[s.row.key.gpu]
    share = 100 * module.capacity_gb * count // (gpus(s) * gpu.vram_gb)
    floor = "host_memory.floor_percent=1"
    for percent, warns in ((share, 0), (share + 1, 1)):
        settings = (floor, f"host_memory.advised_percent={percent}", "host_memory.advised_training_percent=0")
        assert len(warnings(found(s, "host_memory", settings=settings))) == warns


@pytest.mark.parametrize(
    ("sockets", "count", "status"),
    [(1, 12, "pass"), (1, 24, "pass"), (1, 6, "warn"), (1, 2, "warn"), (1, 1, "fail"), (1, 5, "fail"), (1, 8, "warn"),
     (1, 18, "fail"), (2, 24, "pass"), (2, 12, "warn"), (2, 4, "warn"), (2, 2, "fail"), (2, 3, "fail"), (2, 9, "fail")],
)  # fmt: skip
def test_modules_spread_over_channels(sockets: int, count: int, status: str) -> None:
    """Twelve channels a socket: all filled once or twice, some evenly, or unevenly."""
    s = scene("tower")
    module, (p, _) = s.one(Memory)[0], s.one(Platform)
    parts = {**s.market.catalog.parts, module.id: module.model_copy(update={"capacity_gb": 512})}
    parts[p.id] = p.model_copy(update={"sockets": sockets, "channels_per_cpu": 12, "dimm_slots": 24})
    node = {**s.case.build.node, module.id: count}
    catalog = replace(s.market.catalog, parts=parts)
    checks = found(s, "host_memory", catalog, ("host_memory.advised_percent=0",), node=node)
    assert max(checks, key=lambda c: ("pass", "warn", "fail").index(c.status)).status == status


def test_modules_of_two_kinds() -> None:
    s = scene("tower")
    module = s.one(Memory)[0]
    other = module.model_copy(update={"id": "other", "capacity_gb": module.capacity_gb * 2})
    catalog = replace(s.market.catalog, parts={**s.market.catalog.parts, "other": other})
    half = s.case.build.node[module.id] // 2
    node = {**s.case.build.node, module.id: half, "other": s.case.build.node[module.id] - half}
    texts = [c.text for c in found(s, "host_memory", catalog, node=node)]
    assert any(x.startswith("memory modules of a node must be equal, these differ: ") for x in texts)
