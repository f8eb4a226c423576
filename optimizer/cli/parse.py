"""Options of the command line into values: loads, hosts, circuits, files of constants. Raises InputError."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from catalogs.errors import Fault, InputError
from catalogs.llm import use_config
from catalogs.load import Catalog
from catalogs.schema import Cpu
from constraints.physics.offload import HostSpec
from constraints.policy import Policy

if TYPE_CHECKING:
    from optimizer.throughput.calibration import Calibration


def amount(text: str, option: str) -> float:
    """`20M`, `2000万`, `3亿`, `0.5` -> a positive number."""
    from optimizer.text.money import count

    return float(count(text, option))


def load(tokens_per_day: str | None, requests_per_second: str | None) -> dict[str, float | None]:
    """Request fields of the load."""
    given = {"tokens_per_day": tokens_per_day, "requests_per_second": requests_per_second}
    return {k: v if v is None else amount(v, f"--{k.replace('_', '-')}") for k, v in given.items()}


def calibration(folder: Path | None, own: Path | None, catalog: Catalog, policy: Policy) -> Calibration:
    """Constants of throughput of --calibration and --measured. Raises InputError for what is none."""
    from optimizer.library import read_calibration

    return read_calibration(folder, own, catalog=catalog, policy=policy)


def time_limit(seconds: float | None) -> float | None:
    """Seconds of --time-limit. Raises InputError for what is no time."""
    if seconds is not None and not 0 < seconds < 10**9:
        raise InputError(f"--time-limit must be above 0, not {seconds}", "bad-time-limit")
    return seconds


def host(cpu: str | None, sockets: int, memory: str | None, catalog: Catalog) -> HostSpec:
    """Host of a node from the CPU's name and `12x64GB@4800` (all modules, MT/s that they run at)."""
    m = re.fullmatch(r"(\d{1,3})\s*x\s*(\d{1,4})\s*GB?\s*(?:@\s*(\d{3,5}))?", (memory or "").strip(), re.IGNORECASE)
    if cpu is None or m is None or not int(m[1]) >= 1:
        faults = [("--cpu", cpu, "For example --cpu 'EPYC 9654'."), ("--memory", m, "For example 12x64GB@4800.")]
        raise InputError(
            [
                Fault("bad-host", "is needed with --offload", column=option, value=memory or "", remedy=remedy)
                for option, given, remedy in faults
                if given is None
            ]
        )
    found = Catalog({i: p for i, p in catalog.parts.items() if isinstance(p, Cpu)}, {}, "").find(cpu)
    assert isinstance(found, Cpu)
    if not 1 <= sockets <= found.max_sockets:
        remedy = f"{found.name} goes into up to {found.max_sockets}."
        raise InputError(Fault("bad-host", "out of range", column="--sockets", value=str(sockets), remedy=remedy))
    modules, channels, asked = int(m[1]), (found.mem_channels or 1) * sockets, int(m[3] or 0)
    if modules > 2 * channels:
        text, remedy = "more than two modules on a channel", f"There are {channels}: up to {2 * channels} modules."
        raise InputError(Fault("bad-host", text, column="--memory", value=memory or "", remedy=remedy))
    mts = min(asked or found.mem_max_mts or 0, found.mem_max_mts or 10**5)
    doubled = found.mem_gen if modules > channels else ""
    ram_gb = modules * int(m[2])
    cores, filled = found.cores * sockets, min(modules, channels)
    return HostSpec(found.generation, sockets, cores, filled, mts, ram_gb, doubled, asked)


def circuit(text: str) -> dict[str, int]:
    """`15A@120V`."""
    m = re.fullmatch(r"(\d{1,4})A@(\d{2,3})V", text.strip(), re.IGNORECASE | re.ASCII)
    if not m:
        raise InputError(
            Fault(
                "bad-circuit",
                "needs amps and volts",
                column="--circuit",
                value=text,
                remedy="For example 15A@120V.",
            )
        )
    return {"amps": int(m[1]), "volts": int(m[2])}


def model(name: str | None, config: Path | None) -> str:
    """The model's name from --model or, for this run alone, from the file of --model-config."""
    if (name is None) == (config is None):
        remedy = "See `dsopt models list`."
        raise InputError(Fault("bad-model", "give one of --model and --model-config", column="--model", remedy=remedy))
    return use_config(config) if config is not None else str(name)
