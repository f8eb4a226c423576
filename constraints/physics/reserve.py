"""GPU memory that is there, and what the runtime keeps of it."""

from __future__ import annotations

from catalogs.file_kinds import GGUF_KINDS
from catalogs.schema import Gpu
from constraints.policy import Policy


def usable_bytes(gpu: Gpu) -> int:
    """GPU memory; for unified memory what the system leaves."""
    return (gpu.vram_gb - gpu.unified_reserve_gb) * 10**9


def reserve_bytes(gpu: Gpu, policy: Policy, precision: str = "") -> int:
    """Runtime reserve of a GPU. llama.cpp, which alone loads GGUF files, takes what it needs; engines for servers take
    a share of the GPU at their start."""
    if precision in GGUF_KINDS:
        return int(policy["vram.reserve_llama_cpp_gb"] * 10**9)
    share = policy["vram.reserve_share_percent"] / 100
    return int(policy["vram.reserve_base_gb"] * 10**9 + share * usable_bytes(gpu))


def given_bytes(gpu: Gpu, policy: Policy) -> int:
    """What the system gives a GPU of unified memory without being told to give more: a share of it on macOS, all that
    is usable elsewhere."""
    if gpu.vendor != "Apple":
        return usable_bytes(gpu)
    share = policy.whole("vram.macos_given_percent")
    return min(usable_bytes(gpu), gpu.vram_gb * 10**9 * share // 100)


def free_bytes(gpu: Gpu, policy: Policy, precision: str) -> int:
    """Bytes of a GPU for weights and KV cache."""
    return usable_bytes(gpu) - reserve_bytes(gpu, policy, precision)
