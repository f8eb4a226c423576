"""Each limit, set exactly at a build's own figure and one step beyond: in the check and in the certificate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from catalogs.schema import Memory
from constraints.build import Case, total_w, units
from constraints.physics.reserve import usable_bytes
from constraints.policy import Policy
from constraints.request import Circuit
from constraints.rules.registry import RULES
from constraints.rules.vram import demand_bytes
from optimizer.market.market import Market
from optimizer.search.solver import Solver

Step = tuple[dict[str, Any], list[str]]


def measured(case: Case, rule: str, words: str) -> float:
    """The measured value of a rule's finding."""
    checks = [c for r in RULES if r.id == rule for c in r.check(case)]
    found = next(c.measured for c in checks if words in c.text)
    assert found is not None
    return found


def steps(case: Case) -> dict[str, tuple[Step, Step]]:
    """Rule and limit -> (request fields, policy settings) just inside and just outside for this build."""
    ram = sum(p.capacity_gb * q for p, q in case.parts(Memory) if isinstance(p, Memory))
    vram = case.per_node * case.gpu.vram_gb
    cores = int(measured(case, "cores", "CPU cores")) // case.per_node
    read = int(measured(case, "storage", "NVMe drives read"))
    heat = int(measured(case, "rack", "of heat to the air"))
    bank = case.psus
    assert bank is not None
    load_share = -(-100 * case.load_w // (bank.fitted * bank.watts))
    spare = (usable_bytes(case.gpu) - demand_bytes(case.gpu, case.llm, case.policy, case.plan, case.request)) / 1e9
    base = float(case.policy["vram.reserve_base_gb"])
    none: dict[str, Any] = {}
    return {
        "site power": (({"max_power_w": total_w(case)}, []), ({"max_power_w": total_w(case) - 1}, [])),
        "site units": (({"rack_units": units(case)}, []), ({"rack_units": units(case) - 1}, [])),
        "host_memory": (
            (none, [f"host_memory.floor_percent={ram * 100 // vram}"]),
            (none, [f"host_memory.floor_percent={ram * 100 // vram + 1}"]),
        ),
        "cores": ((none, [f"cores.per_gpu_min={cores}"]), (none, [f"cores.per_gpu_min={cores + 1}"])),
        "storage": ((none, [f"storage.read_mb_s={read}"]), (none, [f"storage.read_mb_s={read + 1}"])),
        "rack": ((none, [f"cooling.rack_air_w={heat}"]), (none, [f"cooling.rack_air_w={heat - 1}"])),
        "power": (
            (none, [f"power.psu_load_percent={load_share}"]),
            (none, [f"power.psu_load_percent={load_share - 1}"]),
        ),
        "cooling": ((none, ["cooling.inlet_c=35"]), (none, ["cooling.inlet_c=36"])),
        "vram": (
            (none, [f"vram.reserve_base_gb={base + spare:.9f}"]),
            (none, [f"vram.reserve_base_gb={base + spare + 1e-3:.9f}"]),
        ),
        "power circuit": (
            ({"circuit": Circuit(amps=_amps(case), volts=230)}, []),
            ({"circuit": Circuit(amps=_amps(case) - 1, volts=230)}, []),
        ),
    }


def _amps(case: Case) -> int:
    """The smallest breaker at 230 V that carries the build."""
    return next(a for a in range(1, 500) if a * 230 >= total_w(case))


@pytest.fixture(scope="module")
def node(shipped: Any) -> tuple[Market, Any]:
    """The cheapest node of eight H200 for R1."""
    from constraints.request import Request
    from tests.conftest import AS_OF

    request = Request(
        model="r1-671b", as_of=AS_OF, budget_cents=400_000_00, gpus=frozenset({"nvidia-h200-sxm5-141gb"}), gpu_count=8,
        max_nodes=1,
    )  # fmt: skip
    market = Market.open(shipped, request, Policy())
    return market, Solver(market).front().points[0]


NAMES = [
    "site power",
    "site units",
    "host_memory",
    "cores",
    "storage",
    "rack",
    "power",
    "cooling",
    "vram",
    "power circuit",
]


@pytest.mark.parametrize("name", NAMES)
def test_just_inside_and_just_outside(node: tuple[Market, Any], name: str) -> None:
    market, point = node
    rule = name.split()[0]
    for (fields, settings), fine in zip(steps(point.case)[name], (True, False), strict=True):
        policy = market.policy.with_settings(settings)
        cents = point.found.parts_cents
        request = market.request.model_copy(update={**fields, "budget_cents": cents})
        case = replace(point.case, request=request, policy=policy)
        failed = {c.rule for r in RULES for c in r.check(case) if c.status == "fail"}
        assert failed == (set() if fine else {rule})
        rows_kept = Solver(Market.open(market.catalog, request, policy)).front().points
        same = [p for p in rows_kept if p.found.build == point.found.build and p.found.row.plan == point.found.row.plan]
        assert bool(same) == fine


def test_budget_to_the_cent(node: tuple[Market, Any]) -> None:
    market, point = node
    check: Callable[[int], list[Any]] = lambda cents: (  # noqa: E731
        Solver(Market.open(market.catalog, market.request.model_copy(update={"budget_cents": cents}), Policy()))
        .front()
        .points
    )
    assert check(point.found.parts_cents)
    assert not check(point.found.parts_cents - 1)
