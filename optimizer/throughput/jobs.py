"""Configurations for the roofline: what a GPU offers, which link each collective meets, one entry per replica."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import Any

import numpy as np

from catalogs.file_kinds import FILE_KINDS
from catalogs.schema import Gpu
from constraints.plan import RowKey
from constraints.rules.interconnect import PCIE_GB_S
from constraints.rules.precision import support
from optimizer.throughput.constants import LINKS, Constants
from optimizer.throughput.constants import constants as shipped_constants
from optimizer.throughput.demand import Demand
from optimizer.throughput.roofline import Field, Ints, Jobs

DATA_FIELDS = frozenset(
    {
        "id",
        "arch",
        "kernel_class",
        "mem_gb_s",
        "fp16_tflops",
        "fp8_tflops",
        "int8_tops",
        "fp4_tflops",
        "tdp_w",
        "link_gb_s",
        "p2p",
        "vram_gb",
        "unified_reserve_gb",
        "pcie_gen",
        "pcie_lanes",
    }
)
"""GPU attributes that throughput reads (pruning keeps cards apart that differ in one of them)."""

FABRIC, PCIE, NET = range(len(LINKS))


@dataclass(frozen=True)
class Accelerator:
    """Peaks of one GPU at a precision: bytes/s, FLOP/s, one direction of the fabric in bytes/s; see Jobs."""

    arch: int
    mem_b_s: float
    flop_s: float
    attention_flop_s: float
    rate: int
    fabric_b_s: float


@lru_cache(maxsize=4096)
def accelerator(gpu: Gpu, precision: str, constants: Constants) -> Accelerator | None:
    """What the roofline reads of a GPU; None when its bandwidth or tensor rate is unknown or it can't run this."""
    mode = support(gpu.arch).get(precision)
    if mode is None or not gpu.mem_gb_s:
        return None
    peaks = {"fp16": gpu.fp16_tflops, "fp8": gpu.fp8_tflops, "int8": gpu.int8_tops, "fp4": gpu.fp4_tflops}
    half = gpu.fp16_tflops or (gpu.fp4_tflops or 0) / 4
    rate = peaks.get(mode[1])
    kind = "weight-only" if mode[0] != "native" else mode[1] if rate else "fp16"
    peak = rate or half
    if not peak:
        return None
    return Accelerator(
        arch=constants.stack(gpu.arch, gpu.kernel_class),
        mem_b_s=gpu.mem_gb_s * 1e9,
        flop_s=peak * 1e12,
        attention_flop_s=(half or peak) * 1e12,
        rate=constants.rates.index(kind),
        fabric_b_s=gpu.link_gb_s / 2 * 1e9,
    )


def speed_unknown(gpu: Gpu, precisions: Iterable[str]) -> str:
    """Why nothing is said of a GPU's speed at any of the precisions that it runs, for want of published figures; empty
    where something is, or where it runs none of them."""
    modes = support(gpu.arch)
    if not any(precision in modes for precision in precisions):
        return ""
    rates = (gpu.fp16_tflops, gpu.fp8_tflops, gpu.int8_tops, gpu.fp4_tflops)
    if not gpu.mem_gb_s and not any(rates):
        return "its speed cannot be judged: its memory bandwidth and tensor rates are unknown"
    if not gpu.mem_gb_s:
        return "its speed cannot be judged: its memory bandwidth is unknown"
    constants = shipped_constants()
    if all(accelerator(gpu, precision, constants) is None for precision in precisions):
        return "its speed cannot be judged: its tensor rates are unknown"
    return ""


def pcie_b_s(gpu: Gpu, pcie_gen: int, lanes: int, constants: Constants) -> float:
    """Bytes/s between two GPUs of a node over PCIe; without peer-to-peer copies pass through host memory."""
    link = PCIE_GB_S.get(pcie_gen or gpu.pcie_gen or 4, 31.5) * 1e9 * min(lanes or 16, gpu.pcie_lanes) / 16
    return link if gpu.p2p else link * constants["no_p2p_share"]


def jobs(
    constants: Constants,
    d: Demand | dict[str, Field],
    a: Accelerator | dict[str, Field],
    shape: Sequence[Field],
    per_node: Field,
    domain: Field,
    pcie: Field,
    net: Field,
    lengths: tuple[Field, Field],
    clock: Field = 1.0,
    in_turn: Field = 0,
    drafted: Field = 0,
) -> Jobs:
    """Jobs from demand and accelerator (one for all, or fields as arrays) and `shape` = (tp, pp, dp, ep).

    `per_node`, `domain`: GPUs of a node and of its fabric; `pcie`, `net`: bytes/s; `in_turn`, `drafted`: see
    Jobs."""
    tp, pp, dp, ep = shape
    need = dict(d) if isinstance(d, dict) else {f.name: getattr(d, f.name) for f in fields(d)}
    names = need.pop("kin")
    if isinstance(names, str):
        need["model"] = constants.model(names)
    else:
        place = {name: constants.model(name) for name in set(names.tolist())}
        need["model"] = np.array([place[name] for name in names.tolist()], int)
    give = dict(a) if isinstance(a, dict) else {f.name: getattr(a, f.name) for f in fields(a)}
    fabric = give.pop("fabric_b_s")

    def link(size: Field) -> tuple[Any, Any]:
        joined, inside = (size <= domain) & (fabric > 0), size <= per_node
        speed = np.where(joined, fabric, np.where(inside, pcie, net))
        return speed, np.where(joined, FABRIC, np.where(inside, PCIE, NET))

    whole = tp * pp * dp
    return Jobs(
        **need,
        **give,
        clock=clock,
        near=link(tp),
        far=link(tp * dp),
        hop=link(whole),
        tp=tp,
        pp=pp,
        dp=dp,
        ep=ep,
        isl=lengths[0],
        osl=lengths[1],
        in_turn=in_turn,
        drafted=drafted,
    )


def of_setups(
    setups: Sequence[tuple[Gpu, RowKey]],
    shape: Ints,
    owner: Ints,
    demand: Demand,
    precision: str,
    lengths: tuple[int, int],
    constants: Constants,
    drafted: int = 0,
) -> Jobs:
    """Replicas of `shape` (rows of tp, pp, dp, ep), each on the GPU and hardware of `setups[owner]`. Each GPU has
    figures at the precision (see `accelerator`). `drafted`: see Jobs."""
    given = [accelerator(gpu, precision, constants) for gpu, _ in setups]

    def each(values: Iterable[Any]) -> Field:
        return np.array(list(values))[owner]

    def clock(gpu: Gpu, cap_w: int) -> float:
        return math.sqrt(cap_w / gpu.tdp_w) if gpu.tdp_w and cap_w < gpu.tdp_w else 1.0

    tp, pp, dp, ep = shape.T
    return jobs(
        constants,
        demand,
        {f.name: each(getattr(a, f.name) for a in given) for f in fields(Accelerator)},
        (tp, pp, dp, ep),
        per_node=each(x.per_node for _, x in setups),
        domain=each(x.domain for _, x in setups),
        pcie=each(pcie_b_s(gpu, x.pcie_gen, x.lanes, constants) for gpu, x in setups),
        net=each(x.net_gbit_s / 8 * 1e9 + 1.0 for _, x in setups),
        lengths=lengths,
        clock=each(clock(gpu, x.cap_w) for gpu, x in setups),
        in_turn=int(precision in FILE_KINDS),
        drafted=drafted,
    )


def with_redundant(made: Jobs, redundant: Ints, experts: int | Ints) -> Jobs:
    """The same with `redundant` copies of routed experts in each configuration: a rank holds and reads its share of
    experts + redundant."""
    return replace(made, expert_b=made.expert_b * (1 + redundant / experts)) if redundant.any() else made


def of_keys(
    gpu: Gpu,
    shape: Ints,
    keys: Sequence[RowKey],
    owner: Ints,
    demand: Demand,
    precision: str,
    lengths: tuple[int, int],
    constants: Constants,
    drafted: int = 0,
) -> Jobs | None:
    """The same on one GPU; None when its figures are unknown."""
    if accelerator(gpu, precision, constants) is None:
        return None
    return of_setups([(gpu, key) for key in keys], shape, owner, demand, precision, lengths, constants, drafted)
