"""Each limit of a part, set to what a build just needs and one step tighter: in the check and in the certificate."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Any, NamedTuple

import pytest

from catalogs.schema import (
    Cooling,
    Cpu,
    Drive,
    Gpu,
    GpuBoard,
    Kind,
    Memory,
    Nic,
    Part,
    Pdu,
    Platform,
    Rack,
    Switch,
)
from constraints.request import Circuit
from tests.support.long import one_in
from tests.support.scenes import (
    SCENES,
    Scene,
    air_w,
    bank,
    cdu_w,
    changed,
    gear,
    gear_watts,
    gpus,
    in_a_rack,
    lanes_used,
    load_w,
    ports,
    psu_w,
    racked_w,
    scene,
    storage_gb,
    verdicts,
    wall_w,
)

# Limits: (rule, part, field, tightest value that is enough) -----------------------------------------------------------


class Limit(NamedTuple):
    rule: str
    part: Part
    field: str
    enough: Any
    short: Any
    """One step beyond."""


def limit(rule: str, part: Part, field: str, enough: int) -> Limit:
    return Limit(rule, part, field, enough, enough - 1)


def limits(s: Scene) -> Iterator[Limit]:
    """All that a scene's parts allow to be set to the edge."""
    p: Platform = s.one(Platform)[0]
    gpu: Any = s.market.catalog.parts[s.row.key.gpu]
    build, volts = s.case.build, s.market.request.line_volts or 230
    yield limit("cooling", p, "inlet_max_c", 27)
    if p.kind == Kind.PLATFORM:
        yield limit("cooling", p, "system_max_w", load_w(s))
        yield limit("fit", p, "gpu_slots", gpus(s))
        yield limit("fit", p, "gpu_max_w", gpu.tdp_w)
        if gpu in s.has:
            yield limit("fit", p, "gpu_width_total", gpus(s) * gpu.width_slots)
    cpu, sockets = s.one(Cpu)
    if cpu.id in build.node:
        yield limit("fit", p, "cpu_max_w", cpu.tdp_w)
        yield limit("fit", cpu, "max_sockets", sockets)
        yield limit("cores", cpu, "cores", -(-4 * gpus(s) // sockets))
        if "PCIe" in p.gpu_forms and not p.pcie_switch:
            field = "lanes_1p" if sockets == 1 else "lanes_2p"
            yield limit("lanes", cpu, field, lanes_used(s) - p.chipset_lanes)
    elif p.contents:
        yield limit("cores", cpu, "cores", -(-4 * gpus(s) // sockets))
    memory, count = s.one(Memory)
    yield limit("host_memory", memory, "capacity_gb", -(-20 * gpus(s) * gpu.vram_gb // (100 * count)))
    drives = list(s.of(Drive))
    if len(drives) == 1:
        drive, q = drives[0]
        yield limit("storage", drive, "capacity_gb", -(-storage_gb(s) // q))
        yield limit("storage", drive, "read_mb_s", -(-7000 // q))
    if cards := sum(q for x, q in s.of(Nic) if x.id in build.node):
        yield limit("fit", p, "nic_slots", cards)
    psu = bank(s)[0]
    if psu.id not in build.node or not p.psu_watts:
        yield limit("power", psu, "watts" if volts >= 200 else "watts_low_line", psu_w(s))
    yield from _shared_limits(s, p)


def _shared_limits(s: Scene, p: Platform) -> Iterator[Limit]:
    for cooler, _ in s.of(Cooling):
        if cooler.role == "cpu-cooler":
            yield limit("fit", cooler, "capacity_w", s.one(Cpu)[0].tdp_w)
        if cooler.role == "cdu-l2l":
            yield limit("cooling", cooler, "capacity_w", cdu_w(s))
    if any(s.of(Rack)):
        rack, a = s.one(Rack)[0], in_a_rack(s)
        yield limit("rack", rack, "rack_units", a * (p.rack_units or 1) + gear(s, lambda x: x.rack_units))
        yield limit(
            "rack",
            rack,
            "load_kg",
            a * math.ceil(p.weight_kg or 0) + gear(s, lambda x: round(x.weight_kg or 15 * x.rack_units)),
        )
        pdu = s.one(Pdu)[0]
        yield limit("rack", pdu, "power_w", a * wall_w(s) + racked_w(s))
        yield limit("rack", pdu, "outlets_c13", -(-a * bank(s)[1] // 2))
    for switch, _ in s.of(Switch):
        speed = next(x.split(":")[0] for x in switch.speeds if int(x.split(":")[0]) == _speed(s, switch))
        n = ports(s, switch.role)
        yield Limit("interconnect", switch, "speeds", (f"{speed}:{n}",), (f"{speed}:{n - 1}",))


def _speed(s: Scene, switch: Switch) -> int:
    if switch.role == "oob":
        return 1
    cable = [x for x in s.shared if x.kind == Kind.CABLE and x.id in ("dac", "cat6")]
    return 100 if any(x.id == "dac" for x in cable) and switch.role == "frontend" else 10


@pytest.mark.parametrize("name", one_in(4, SCENES))
def test_parts_at_their_limit(name: str) -> None:
    s = scene(name)
    market, tried = s.market, 0
    for edge in limits(s):
        for value, broken in ((edge.enough, set()), (edge.short, {edge.rule})):
            catalog = changed(market.catalog, edge.part, edge.field, value)
            found = verdicts(s, catalog, market.request, market.policy, s.case.build)
            assert found == (broken, not broken), (edge, value)
        tried += 1
    assert tried > 5


def asked(s: Scene) -> Iterator[tuple[str, dict[str, Any], dict[str, Any], str, str]]:
    """(rule, request fields that are just enough, one step beyond, policy settings just enough, one step beyond)."""
    nodes, p, load = s.case.build.nodes, s.one(Platform)[0], load_w(s)
    psu, fitted, needed = bank(s)
    volts = s.market.request.line_volts or 230
    total, high = nodes * wall_w(s) + gear_watts(s), nodes * (p.rack_units or 0) + gear(s, lambda x: x.rack_units)
    yield "site", {"max_power_w": total}, {"max_power_w": total - 1}, "", ""
    if high > 1:
        yield "site", {"rack_units": high}, {"rack_units": high - 1}, "", ""
    if nodes > 1:
        yield "site", {"max_nodes": nodes}, {"max_nodes": nodes - 1}, "", ""
    hours = 100 if volts in (220, 230) else 80  # per cent of the breaker in Europe and China, and elsewhere
    amps = next(a for a in range(1, 500) if hours * a * volts // 100 >= total)
    circuits = ({"circuit": Circuit(amps=a, volts=volts)} for a in (amps, amps - 1))
    yield "power", next(circuits), next(circuits), "", ""
    watts = psu.watts if volts >= 200 else psu.watts_low_line
    share = -(-100 * load // (fitted * watts))
    yield "power", {}, {}, f"power.psu_load_percent={share}", f"power.psu_load_percent={share - 1}"
    if psu.form == "ATX":
        chips = gpus(s) * s.market.catalog.parts[s.row.key.gpu].tdp_w  # type: ignore[attr-defined]
        peak = 100 + 100 * (fitted * watts - load) // chips
        full = "power.psu_load_percent=100 power.atx_transient_percent="
        yield "power", {}, {}, f"{full}{peak}", f"{full}{peak + 1}"
    memory, count = s.one(Memory)
    vram = gpus(s) * s.market.catalog.parts[s.row.key.gpu].vram_gb  # type: ignore[attr-defined]
    ram = Fraction(100 * memory.capacity_gb * count, vram)
    hundredths = math.floor(100 * ram)
    floors = (f"host_memory.floor_percent={x / 100}" for x in (hundredths, hundredths + 1))
    yield "host_memory", {}, {}, next(floors), next(floors)
    share = -(-100 * load // (needed * watts))
    yield "power", {}, {}, f"power.surviving_load_percent={share}", f"power.surviving_load_percent={share - 1}"
    if any(s.of(Rack)):
        heat = math.ceil(in_a_rack(s) * air_w(s)) + racked_w(s)
        yield "rack", {}, {}, f"cooling.rack_air_w={heat}", f"cooling.rack_air_w={heat - 1}"
    if "racks" in s.market.request.have and p.rack_mount:
        units = (p.rack_units or 1) + gear(s, lambda x: x.rack_units)
        yield "rack", {}, {}, f"rack.max_units={units}", f"rack.max_units={units - 1}"


@pytest.mark.parametrize("name", SCENES)
def test_requests_and_policies_at_their_limit(name: str) -> None:
    s = scene(name)
    for rule, enough, short, fine, tight in asked(s):
        for fields, setting, broken in ((enough, fine, set()), (short, tight, {rule})):
            request = s.market.request.model_copy(update=fields)
            policy = s.market.policy.with_settings(setting.split())
            found = verdicts(s, s.market.catalog, request, policy, s.case.build)
            assert found == (broken, not broken), (rule, fields, setting)


@pytest.mark.parametrize("name", SCENES)
def test_no_piece_may_be_missing(name: str) -> None:
    """One piece less of anything, and a check fails and the certificate refuses the build."""
    s = scene(name)
    build, request, policy = s.case.build, s.market.request, s.market.policy
    for of in ("node", "shared"):
        parts = getattr(build, of)
        for x in parts:
            if isinstance(s.market.catalog.parts[x], Platform | Gpu | GpuBoard):
                continue
            fewer = {y: n for y, q in parts.items() if (n := q - (y == x))}
            failed, stands = verdicts(s, s.market.catalog, request, policy, replace(build, **{of: fewer}))
            assert failed and not stands, x


@pytest.mark.parametrize("name", SCENES)
def test_nothing_that_may_not_be_bought(name: str) -> None:
    """Any part of a build excluded, and the build is refused; the certificate does not see the part at all."""
    s = scene(name)
    for x in s.case.build.total():
        request = s.market.request.model_copy(update={"exclude": frozenset({x})})
        failed, there = verdicts(s, s.market.catalog, request, s.market.policy, s.case.build)
        assert failed == {"procurement"} and not there, x
