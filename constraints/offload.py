"""Routed experts in host memory: what CPUs and memory modules of a node give them, in the classes of a row.

Bandwidth = channels x MT/s x 8 B, of two sockets the share that a policy names; more than one module per channel runs
slower. Modules hold powers of two: a 64 GB module has 64 GiB. Compute = cores x attained GFLOPS per core of the CPU
generation (cpu_classes.csv), as a class of doublings.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from catalogs.llm import Llm
from catalogs.schema import Cpu, Memory, Platform
from constraints.policy import Policy, table

GIB = 2**30
LEAST_GFLOPS = 250
MOST_SOCKETS = 2


class Host(NamedTuple):
    """What a node gives to routed experts: GB/s of peak bandwidth, GiB of room beside the system, GFLOPS class."""

    gb_s: int
    gb: int
    gflops: int


@cache
def cpu_classes() -> dict[str, tuple[str, int]]:
    """CPU generation -> (instruction set, attained GFLOPS per core)."""
    return {r["generation"]: (r["isa"], int(r["gflops_per_core"])) for r in table("cpu_classes")}


def offloads(p: Platform) -> bool:
    """Whether experts may lie in a platform's memory: modules in slots and one or two CPUs, bought for it."""
    return bool(p.dimm_slots and p.channels_per_cpu) and not p.contents and p.sockets <= MOST_SOCKETS


def bandwidth_gb_s(p: Platform, cpu: Cpu, mts: int, count: int, policy: Policy) -> int:
    """GB/s of `count` modules of `mts` MT/s in all sockets."""
    wired = min(min(p.channels_per_cpu, cpu.mem_channels or p.channels_per_cpu) * p.sockets, p.dimm_slots)
    rate = min(mts, cpu.mem_max_mts or 0)
    percent = 100 if p.sockets == 1 else policy.whole("host_memory.two_socket_percent")
    if count > wired:
        percent = percent * policy.whole(f"host_memory.{p.mem_gen[:4].lower()}_two_per_channel_percent") // 100
    return min(count, wired) * rate * 8 * percent // 100_000


def room_gb(ram_gb: int, policy: Policy) -> int:
    """GiB that one copy of the experts may take; negative where not even the system fits."""
    return (ram_gb - policy.whole("host_memory.system_gb")) // policy.whole("host_memory.expert_copies")


def gflops_class(cpu: Cpu, sockets: int) -> int:
    """Attained GFLOPS of all cores, rounded down to 250, 500, 1000, ...; 0 for less or an unknown generation."""
    have = cpu_classes().get(cpu.generation, ("", 0))[1] * cpu.cores * sockets
    return LEAST_GFLOPS << (have // LEAST_GFLOPS).bit_length() - 1 if have >= LEAST_GFLOPS else 0


def host(p: Platform, cpu: Cpu, m: Memory, count: int, policy: Policy) -> Host:
    """What `count` modules and the CPUs of all sockets give."""
    return Host(
        bandwidth_gb_s(p, cpu, m.mts, count, policy),
        room_gb(m.capacity_gb * count, policy),
        gflops_class(cpu, p.sockets),
    )


def expert_gb(llm: Llm, precision: str) -> int:
    """GiB of one copy of the routed experts."""
    return -(-llm.expert_bytes(precision) // GIB)


def shortfalls(have: Host, want: Host) -> list[tuple[str, str, int, int]]:
    """(what, unit, has, wants) of everything that experts in host memory ask for."""
    return [
        ("memory bandwidth for the experts of a row", "GB/s", have.gb_s, want.gb_s),
        ("room for the experts beside the system", "GiB", have.gb, want.gb),
        ("attained CPU compute for the experts", "GFLOPS", have.gflops, want.gflops),
    ]
