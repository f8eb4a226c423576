"""Routed experts in host memory: what CPUs and memory modules of a node give them, in the classes of a row.

Bandwidth = channels x MT/s x 8 B, of two sockets the share that a policy names; more than one module per channel runs
slower. Modules hold powers of two: a 64 GB module has 64 GiB. Compute = cores x attained GFLOPS per core of the CPU
generation (cpu_classes.csv), as a class of two steps per doubling.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from catalogs.llm import Llm
from catalogs.schema import Cpu, Memory, Platform
from constraints.policy import Policy, table

GIB = 2**30
LEAST_GFLOPS = 250
MOST_SOCKETS = 2
CPU_FIELDS = frozenset({"generation", "cores", "mem_channels", "mem_max_mts", "mrdimm_max_mts"})
MEMORY_FIELDS = frozenset({"mts", "capacity_gb", "dimm_type"})
"""CPU and module attributes that throughput reads; with experts in host memory pruning keeps parts apart by them."""


class Host(NamedTuple):
    """What a node gives to routed experts: GB/s of peak bandwidth, GiB of room beside the system, GFLOPS class."""

    gb_s: int
    gb: int
    gflops: int


@cache
def cpu_classes() -> dict[str, tuple[str, int]]:
    """CPU generation -> (instruction set, attained GFLOPS per core)."""
    return {row["generation"]: (row["isa"], int(row["gflops_per_core"])) for row in table("cpu_classes")}


def offloads(platform: Platform) -> bool:
    """Whether experts may lie in a platform's memory: modules in slots and one or two CPUs, bought for it."""
    return (
        bool(platform.dimm_slots and platform.channels_per_cpu)
        and not platform.contents
        and platform.sockets <= MOST_SOCKETS
    )


def most_mts(cpu: Cpu, dimm_type: str) -> int:
    """MT/s that a CPU gives to modules of a type at most, 0 where that is unknown: MRDIMMs have a figure of their own,
    and run at that of other modules where nobody published it."""
    own = cpu.mrdimm_max_mts if dimm_type == "MRDIMM" else None
    return own or cpu.mem_max_mts or 0


def bandwidth_gb_s(platform: Platform, cpu: Cpu, module: Memory, count: int, policy: Policy) -> int:
    """GB/s of `count` modules in all sockets, at the speed at which the CPU runs them."""
    wired = min(
        min(platform.channels_per_cpu, cpu.mem_channels or platform.channels_per_cpu) * platform.sockets,
        platform.dimm_slots,
    )
    generation = platform.mem_gen if count > wired else ""
    mts = min(module.mts, most_mts(cpu, module.dimm_type))
    return channels_gb_s(min(count, wired), mts, platform.sockets, policy, generation)


def channels_gb_s(channels: int, mts: int, sockets: int, policy: Policy, doubled: str = "") -> int:
    """GB/s of populated channels of all sockets; `doubled` is the memory generation where channels hold two modules."""
    percent = 100 if sockets == 1 else policy.whole("host_memory.two_socket_percent")
    if doubled:
        percent = percent * policy.whole(f"host_memory.{doubled[:4].lower()}_two_per_channel_percent") // 100
    return channels * mts * 8 * percent // 100_000


def room_gb(ram_gb: int, policy: Policy) -> int:
    """GiB that one copy of the experts may take; negative where not even the system fits."""
    return (ram_gb - policy.whole("host_memory.system_gb")) // max(1, policy.whole("host_memory.expert_copies"))


def gflops_class(cpu: Cpu, sockets: int) -> int:
    """Class of the attained GFLOPS of all cores."""
    return cores_gflops(cpu.generation, cpu.cores * sockets)


def cores_gflops(generation: str, cores: int) -> int:
    """Attained GFLOPS of `cores`, rounded down to 250, 350, 500, 700, 1000, ...; 0 for less or an unknown kind."""
    have = cpu_classes().get(generation, ("", 0))[1] * cores
    if have < LEAST_GFLOPS:
        return 0
    octave = LEAST_GFLOPS << (have // LEAST_GFLOPS).bit_length() - 1
    return octave * 7 // 5 if 5 * have >= 7 * octave else octave


def host(platform: Platform, cpu: Cpu, module: Memory, count: int, policy: Policy) -> Host:
    """What `count` modules and the CPUs of all sockets give."""
    return Host(
        bandwidth_gb_s(platform, cpu, module, count, policy),
        room_gb(module.capacity_gb * count, policy),
        gflops_class(cpu, platform.sockets),
    )


def expert_gb(llm: Llm, precision: str) -> int:
    """GiB of one copy of the routed experts."""
    return -(-llm.expert_bytes(precision) // GIB)


@dataclass(frozen=True)
class HostSpec:
    """Host of a node: CPU generation (constraints/data/cpu_classes.csv), and of all sockets together the cores, the
    populated channels and the GB of RAM; MT/s as they run, and as the buyer gave them (`asked_mts`, 0: not at all).
    `doubled`: memory generation (DDR4, DDR5) where each channel holds two modules."""

    generation: str
    sockets: int
    cores: int
    channels: int
    mts: int
    ram_gb: int
    doubled: str = ""
    asked_mts: int = 0

    def host(self, policy: Policy) -> Host:
        """What it gives to routed experts."""
        gb_s = channels_gb_s(self.channels, self.mts, self.sockets, policy, self.doubled)
        return Host(gb_s, room_gb(self.ram_gb, policy), cores_gflops(self.generation, self.cores))
