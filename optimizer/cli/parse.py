"""Texts of the command line into a Request: money, circuits, GPU counts, dates."""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from catalogs.errors import Fault, InputError
from catalogs.llm import use_config
from catalogs.load import Catalog
from catalogs.schema import Cpu, Gpu
from constraints.policy import Policy
from constraints.procurement import minor_digits
from constraints.request import TRAINING, Request, workload_lengths
from optimizer.host_sizing import HostSpec
from optimizer.throughput.calibration import Calibration, shipped

SIGNS = {"$": "USD", "¥": "CNY", "￥": "CNY", "€": "EUR", "£": "GBP"}
SCALES = {"k": 10**3, "K": 10**3, "m": 10**6, "M": 10**6, "万": 10**4, "萬": 10**4, "亿": 10**8}
OPTIONS = {"conditions": "--condition", "max_price_age_days": "--max-price-age", "vendors": "--vendor"}
OPTIONS |= {"max_lead_days": "--max-lead", "max_share_percent": "--max-share"}
COUNT_FIRST = re.compile(r"(?P<count>\d{1,6})\s*(?:[x×*]|[张卡块片])\s*(?P<name>.+)", re.IGNORECASE | re.ASCII)
COUNT_LAST = re.compile(r"(?P<name>.+?)(?:\s+x|\s*[×*])\s*(?P<count>\d{1,6})", re.IGNORECASE | re.ASCII)
CODES = ("USD", "CNY", "EUR", "GBP", "JPY")


def money(text: str, currency: str | None) -> tuple[int, str]:
    """`300k`, `$300,000`, `30万`, `2000000CNY`, `¥200万` -> (minor units, currency). A sign or code wins."""
    raw = text.strip().replace(" ", "").replace(",", "").replace("_", "").replace("元", "")
    found = currency or "USD"
    for sign, code in SIGNS.items():
        if raw.startswith(sign):
            found, raw = (currency if sign in "¥￥" and currency == "JPY" else code) or code, raw[len(sign) :]
    for code in CODES:
        if raw.upper().endswith(code) or raw.upper().startswith(code):
            found, raw = code, re.sub(code, "", raw, flags=re.IGNORECASE)
    scale = SCALES.get(raw[-1:], 1)
    number = raw[:-1] if scale > 1 else raw
    try:
        amount = Decimal(number) * scale
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or amount <= 0 or amount > 10**11 or not number.isascii():
        raise InputError(
            Fault(
                "bad-money",
                "needs a positive amount of money",
                column="--budget",
                value=text,
                remedy="For example 300000, 300k, $300,000, 30万 or 2000000CNY.",
            )
        )
    return int(amount.scaleb(minor_digits(found))), found


def amount(text: str, option: str) -> float:
    """`20M`, `2000万`, `3亿`, `0.5` -> a positive number."""
    raw = text.strip().replace(" ", "").replace(",", "").replace("_", "")
    scale = SCALES.get(raw[-1:], 1)
    number = raw[:-1] if scale > 1 else raw
    try:
        found = Decimal(number) * scale if number.isascii() else Decimal("NaN")
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite() or not 0 < found <= 10**15:
        remedy = "For example 20M, 500k, 2000万 or 3亿."
        raise InputError(Fault("bad-amount", "needs a number above 0", column=option, value=text, remedy=remedy))
    return float(found)


def load(tokens_per_day: str | None, requests_per_second: str | None) -> dict[str, float | None]:
    """Request fields of the load."""
    given = {"tokens_per_day": tokens_per_day, "requests_per_second": requests_per_second}
    return {k: v if v is None else amount(v, f"--{k.replace('_', '-')}") for k, v in given.items()}


def calibration(
    folder: Path | None, own: Path | None, catalog: Catalog, policy: Policy
) -> tuple[Calibration, list[str]]:
    """(calibration, notes on it); the shipped one without a detour. Raises InputError for what is none."""
    if folder is None and own is None:
        return shipped(), []
    from optimizer.own_runs import calibration as chosen

    return chosen(folder, own, catalog, policy)


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
    modules, channels = int(m[1]), (found.mem_channels or 1) * sockets
    mts = min(int(m[3] or found.mem_max_mts or 0), found.mem_max_mts or 10**5)
    doubled = found.mem_gen if modules > channels else ""
    ram_gb = modules * int(m[2])
    return HostSpec(found.generation, sockets, found.cores * sockets, min(modules, channels), mts, ram_gb, doubled)


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


def gpu(text: str, catalog: Catalog) -> tuple[int | None, str]:
    """`8xH200`, `4 x 4090`, `H20 ×8`, `8卡A100 80G`, `mi300x` -> (count or None, GPU id).

    A memory size behind the name picks among the GPUs of that size. Raises InputError as Catalog.find does."""
    plain = unicodedata.normalize("NFKC", text).strip()
    gpus = [p for p in catalog.parts.values() if isinstance(p, Gpu)]
    known = Catalog({p.id: p for p in gpus}, {}, "")
    readings = [(m["name"], m["count"]) for m in (COUNT_FIRST.fullmatch(plain), COUNT_LAST.fullmatch(plain)) if m]
    readings.append((plain, None))
    name, count = next((r for r in readings if known.hits(r[0])), readings[0])
    size = re.fullmatch(r"(.+?)\s*\b(\d{1,4})\s*gb?", name, re.IGNORECASE | re.ASCII)
    if size and not known.hits(name):
        sized = Catalog({p.id: p for p in gpus if p.vram_gb == int(size[2])}, {}, "")
        if sized.hits(size[1]):
            known, name = sized, size[1]
    return (int(count) if count else None), known.find(name).id


def model(name: str | None, config: Path | None) -> str:
    """The model's name from --model or, for this run alone, from the file of --model-config."""
    if (name is None) == (config is None):
        remedy = "See `dsopt models list`."
        raise InputError(Fault("bad-model", "give one of --model and --model-config", column="--model", remedy=remedy))
    return use_config(config) if config is not None else str(name)


def day(text: str | None) -> date:
    """ISO date; today by default."""
    if text is None:
        return date.today()
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError(
            Fault("bad-date", "needs a date", column="--as-of", value=text, remedy="For example 2026-11-24.")
        ) from None


def lengths(workload: str, isl: int | None, osl: int | None) -> dict[str, Any]:
    """The request's workload, isl and osl; own lengths win over those of the named workload.

    Training has a sequence length instead."""
    if workload in TRAINING:
        misplaced(workload, {"--isl": isl, "--osl": osl})
        return {"workload": workload}
    named = workload_lengths(workload)
    return {
        "workload": workload,
        "isl": named[0] if isl is None else isl,
        "osl": named[1] if osl is None else osl,
    }


def misplaced(workload: str, options: dict[str, Any]) -> None:
    """Raises InputError for options given that say nothing about the workload."""
    given = [name for name, value in options.items() if value is not None]
    if given:
        kind = "training: it has no users and no latency" if workload in TRAINING else "serving"
        raise InputError(
            Fault(
                "not-of-workload",
                f"does not apply, {workload} is {kind}",
                column=given[0],
                value=str(options[given[0]]),
                remedy=f"Leave out {', '.join(given)}, or choose another --workload.",
            )
        )


def of_workload(workload: str, serving: dict[str, Any], training: dict[str, Any]) -> dict[str, Any]:
    """Request fields of the workload's kind; raises InputError for one of the other kind that is set."""
    trains = workload in TRAINING
    other = serving if trains else training
    misplaced(workload, {f"--{name.removesuffix('_ms').replace('_', '-')}": v for name, v in other.items()})
    return training if trains else serving


def request(**fields: Any) -> Request:
    """A Request; pydantic's faults become ours, with the option's name."""
    try:
        return Request(**{k: v for k, v in fields.items() if v is not None})
    except ValidationError as e:
        raise InputError(
            [
                Fault(
                    "bad-request",
                    x["msg"],
                    column=OPTIONS.get(str(x["loc"][0]), "--" + str(x["loc"][0]).replace("_", "-")) if x["loc"] else "",
                    value=str(x.get("input"))[:60],
                )
                for x in e.errors(include_url=False)
            ]
        ) from None
