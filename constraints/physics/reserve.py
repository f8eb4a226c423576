"""GPU memory that is there, and what the runtime keeps of it."""

from __future__ import annotations

from catalogs.schema import Gpu
from constraints.policy import Policy


def usable_bytes(gpu: Gpu) -> int:
    """GPU memory; for unified memory what the system leaves."""
    return (gpu.vram_gb - gpu.unified_reserve_gb) * 10**9


def reserve_bytes(gpu: Gpu, policy: Policy) -> int:
    """Runtime reserve of a GPU."""
    share = policy["vram.reserve_share_percent"] / 100
    return int(policy["vram.reserve_base_gb"] * 10**9 + share * usable_bytes(gpu))
