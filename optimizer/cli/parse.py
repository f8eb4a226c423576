"""Options that are no part of a request into values: hosts, seconds, files of constants. Raises InputError."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from catalogs.errors import Fault, InputError
from catalogs.load import Catalog
from catalogs.schema import Cpu
from constraints.physics.offload import HostSpec
from constraints.policy import Policy
from optimizer.request.texts import above_zero

if TYPE_CHECKING:
    from optimizer.throughput.calibration import Calibration


def calibration(folder: Path | None, own: Path | None, catalog: Catalog, policy: Policy) -> Calibration:
    """Constants of throughput of --calibration and --measured. Raises InputError for what is none."""
    from optimizer.library import read_calibration

    return read_calibration(folder, own, catalog=catalog, policy=policy)


def time_limit(seconds: float | None) -> float | None:
    """Seconds of --time-limit. Raises InputError for what is no time."""
    return above_zero(seconds, 10**9, "--time-limit", "bad-time-limit")


def host(cpu: str | None, sockets: int, memory: str | None, catalog: Catalog) -> HostSpec:
    """Host of a node from the CPU's name and `12x64GB@4800` (all modules, MT/s that they run at)."""
    m = re.fullmatch(r"(\d{1,3})\s*x\s*(\d{1,4})\s*GB?\s*(?:@\s*(\d{3,5}))?", (memory or "").strip(), re.IGNORECASE)
    if cpu is None or m is None or not int(m[1]) >= 1:
        missing, faults = "is needed with --offload", []
        if cpu is None:
            faults.append(Fault("bad-host", missing, column="--cpu", remedy="For example --cpu 'EPYC 9654'."))
        if m is None or not int(m[1]) >= 1:
            text = "needs modules, their size and MT/s" if memory else missing
            remedy = "For example 12x64GB@4800."
            faults.append(Fault("bad-host", text, column="--memory", value=memory or "", remedy=remedy))
        raise InputError(faults)
    found = Catalog({i: p for i, p in catalog.parts.items() if isinstance(p, Cpu)}, {}, "").find(cpu)
    assert isinstance(found, Cpu)
    if not 1 <= sockets <= found.max_sockets:
        remedy = f"{found.name} goes into up to {found.max_sockets}."
        raise InputError(Fault("bad-host", "out of range", column="--sockets", value=str(sockets), remedy=remedy))
    modules, channels, asked = int(m[1]), (found.mem_channels or 1) * sockets, int(m[3] or 0)
    if modules > 2 * channels:
        text, remedy = "more than two modules on a channel", f"There are {channels}: up to {2 * channels} modules."
        raise InputError(Fault("bad-host", text, column="--memory", value=memory or "", remedy=remedy))
    # What is faster than the CPU takes of RDIMMs is an MRDIMM, where it takes these.
    most = max(found.mem_max_mts or 10**5, found.mrdimm_max_mts or 0)
    mts = min(asked or found.mem_max_mts or 0, most)
    doubled = found.mem_gen if modules > channels else ""
    ram_gb = modules * int(m[2])
    cores, filled = found.cores * sockets, min(modules, channels)
    return HostSpec(found.generation, sockets, cores, filled, mts, ram_gb, doubled, asked)
