"""The roofline: what it reads, and that more of anything never makes it slower."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from catalogs.llm import get
from catalogs.load import Catalog
from constraints.plan import RowKey
from constraints.policy import Policy
from constraints.reserve import usable_bytes
from optimizer.throughput import roofline


class Seen:
    """Passes a GPU's attributes on and notes which were read."""

    def __init__(self, gpu: Any) -> None:
        self.__dict__["gpu"], self.__dict__["names"] = gpu, set()

    def __getattr__(self, name: str) -> Any:
        self.__dict__["names"].add(name)
        return getattr(self.__dict__["gpu"], name)


def figures(gpu: Any, tp: int, concurrency: int, key: RowKey | None = None) -> roofline.Speeds:
    key = key or RowKey("x", gpu.tdp_w, 8, 1, 8, 0, 0, "none", 0)
    r = roofline.Replicas.of(gpu, [(tp, 1, 1, 1)], [key])
    t = roofline.times(gpu, key, get("r1-distill-llama-70b"), "bf16", "bf16", r, 1024, 1024)
    assert t is not None
    return roofline.speeds(t, np.array([concurrency]), 1024)


@pytest.mark.parametrize("gpu", ["nvidia-h200-sxm5-141gb", "nvidia-rtx-4090-24gb", "amd-mi300x-192gb"])
def test_reads_only_declared_attributes(shipped: Catalog, gpu: str) -> None:
    seen: Any = Seen(shipped.parts[gpu])
    figures(seen, 8, 16)
    usable_bytes(seen)
    assert seen.names <= roofline.DATA_FIELDS


def test_speed_rises_with_bandwidth_compute_and_concurrency(shipped: Catalog) -> None:
    gpu: Any = shipped.parts["nvidia-h200-sxm5-141gb"]
    base = figures(gpu, 8, 16).tenths[0]
    assert figures(gpu.model_copy(update={"mem_gb_s": 2 * gpu.mem_gb_s}), 8, 16).tenths[0] > base
    assert figures(gpu.model_copy(update={"fp16_tflops": 2 * gpu.fp16_tflops}), 8, 16).tenths[0] >= base
    assert figures(gpu, 8, 32).tenths[0] > base
    assert figures(gpu, 8, 32).per_user_tok_s[0] < figures(gpu, 8, 16).per_user_tok_s[0]


def test_largest_concurrency_is_the_largest(shipped: Catalog) -> None:
    gpu: Any = shipped.parts["nvidia-h200-sxm5-141gb"]
    key = RowKey("x", gpu.tdp_w, 8, 1, 8, 0, 0, "none", 0)
    r = roofline.Replicas.of(gpu, [(tp, 1, 1, 1) for tp in (1, 2, 4, 8)], [key] * 4)
    t = roofline.times(gpu, key, get("r1-distill-llama-70b"), "bf16", "bf16", r, 1024, 1024)
    assert t is not None
    most = np.array([5, 40, 300, 300])
    found = roofline.largest_concurrency(t, most, 1024, 25, None)
    for i in range(4):
        fine = [c for c in range(1, most[i] + 1) if t.tpot_s(np.full(4, c), 1024)[i] * 25 <= 1 + 1e-9]
        assert found[i] == max(fine, default=0)


def test_reserve_is_policy() -> None:
    assert Policy().with_settings(["vram.reserve_base_gb=5"])["vram.reserve_base_gb"] == 5
