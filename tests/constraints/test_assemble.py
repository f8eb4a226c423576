"""What an integrator expects to be able to order from the shipped catalog."""

from __future__ import annotations

from typing import Any

import pytest

from optimizer.search.solver import Solver

ANY = frozenset({"new", "refurbished", "used"})
TOWERS = [
    (gpu, n, conditions)
    for gpu, conditions in (
        ("nvidia-rtx-5090-32gb", None),
        ("nvidia-rtx-pro-6000-blackwell-workstation-96gb", None),
        ("nvidia-rtx-3090-24gb", ANY),
        ("nvidia-rtx-4090-24gb", ANY),
    )
    for n in (1, 2, 4)
]
NODES = [
    ("nvidia-l40s-48gb", "r1-distill-llama-70b", None),
    ("nvidia-h100-nvl-94gb", "r1-distill-llama-70b", None),
    ("nvidia-h200-nvl-141gb", "r1-671b", None),
    ("nvidia-rtx-pro-6000-blackwell-server-96gb", "r1-distill-llama-70b", None),
    ("nvidia-h100-sxm5-80gb", "r1-distill-llama-70b", None),
    ("nvidia-h200-sxm5-141gb", "r1-671b", None),
    ("nvidia-b200-sxm6-180gb", "r1-671b", None),
    ("nvidia-b300-sxm6-288gb", "r1-671b", None),
    ("nvidia-a100-sxm4-80gb", "r1-distill-llama-70b", ANY),
    ("amd-mi300x-192gb", "r1-671b", None),
    ("amd-mi325x-256gb", "r1-671b", None),
    ("amd-mi355x-288gb", "r1-671b", None),
    ("intel-gaudi-2-hl-225h-96gb", "r1-distill-llama-70b", ANY),
    ("intel-gaudi-3-hl-325l-128gb", "r1-distill-llama-70b", None),
    ("nvidia-h20-sxm5-96gb", "r1-671b", None),
    ("huawei-ascend-910b3-64gb", "qwen3-32b", None),
]


def cheapest(ask: Any, gpu: str, count: int, model: str, conditions: Any, **more: Any) -> Any:
    fields = {"conditions": conditions} if conditions else {}
    market = ask(model, 50_000_000, gpus=frozenset({gpu}), gpu_count=count, workload="batch", **fields, **more)
    points = Solver(market).front().points
    assert points, f"no build of {count} x {gpu}"
    return points[0].case


@pytest.mark.parametrize(("gpu", "n", "conditions"), TOWERS)
def test_tower(ask: Any, gpu: str, n: int, conditions: Any) -> None:
    two_supplies = n == 4 and gpu in ("nvidia-rtx-5090-32gb", "nvidia-rtx-pro-6000-blackwell-workstation-96gb")
    grade = "floor" if two_supplies else "common"
    case = cheapest(ask, gpu, n, "r1-distill-qwen-7b", conditions, max_nodes=1, grade=grade)
    assert case.per_node == n
    assert not case.platform.rack_mount or n == 4


AT_THE_FLOOR = {
    "nvidia-a100-sxm4-80gb": "two drives for the system draw more than its two needed supplies of 3,000 W carry",
    "amd-mi355x-288gb": "2,592 GB of RAM and 96 cores draw more than its two needed supplies carry, as cataloged",
    "intel-gaudi-2-hl-225h-96gb": "two CPUs of its generation have 80 cores, and 12 a GPU are 96",
    "huawei-ascend-910b3-64gb": "576 GB of RAM take modules of 32 GB, of which the catalog sells used ones alone",
}
"""Nodes that no build of grade common is of."""


@pytest.mark.parametrize(("gpu", "model", "conditions"), NODES)
def test_node_of_eight(ask: Any, gpu: str, model: str, conditions: Any) -> None:
    case = cheapest(
        ask,
        gpu,
        8,
        model,
        conditions,
        max_nodes=1,
        site_water=gpu == "amd-mi355x-288gb",
        market="any",  # H20 and Ascend are sold in China, others are not sold there
        grade="floor" if gpu in AT_THE_FLOOR else "common",
    )
    assert case.per_node == 8
    assert case.platform.rack_mount


@pytest.mark.parametrize("fabric", ["InfiniBand", "Ethernet"])
@pytest.mark.parametrize("nodes", [2, 4])
def test_cluster_with_rdma(ask: Any, fabric: str, nodes: int) -> None:
    """A model of 1.3 TB on H100 nodes of 640 GB takes expert parallel over RDMA; either fabric can be had."""
    market = ask(
        "v2-670b", 50_000_000, precision="fp16", gpus=frozenset({"nvidia-h200-sxm5-141gb"}), gpu_count=8 * nodes
    )
    solver = Solver(market)
    solver.judge(50_000_000_00)
    found = [
        (b, way)
        for u in solver.families
        for r in u.rows
        if r.key.net == "rdma" and r.key.nodes == nodes
        for b in solver.bounds_of(u, r, 50_000_000_00)
        for way in b.ways[-1]
        if any(getattr(market.catalog.parts[x], "fabric", "") == fabric for x in way.shared)
    ]
    assert found
    _, way = found[0]
    kinds = {market.catalog.parts[x].kind.value for x in way.shared}
    assert "switch" in kinds
    assert kinds & {"cable", "optic"}
