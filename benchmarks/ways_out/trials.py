"""Looser requests that a buyer would try by hand: one condition changed at a time, and two given up together.

Independent of the levers that look for ways out: values come from plain ladders here, not from what a build attains.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from catalogs.load import Catalog
from constraints.request import Circuit, Request

COUNTS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 24, 32)
RISING = (1.03, 1.1, 1.5, 2.5, 6, 20)
FALLING = (0.97, 0.9, 0.7, 0.4, 0.15, 0.03)
PERCENTS = (15, 20, 30, 40, 50, 60, 70, 80, 90, 100)
CIRCUITS = {
    "15A@120V 20A@120V 30A@120V 20A@208V 30A@208V 50A@208V 20A@240V 30A@240V 50A@240V": range(105, 130),
    "15A@100V 20A@100V 30A@100V 15A@200V 20A@200V 30A@200V 50A@200V": range(95, 105),
    "10A@220V 16A@220V 32A@220V 63A@220V": range(215, 225),
    "10A@230V 16A@230V 32A@230V 63A@230V": range(225, 236),
}
"""Circuits that electricians there offer, by the line voltage that the request has."""
CONFIDENCES = ("list", "street", "estimate")
CONDITIONS = ("new", "refurbished", "used")


@dataclass(frozen=True)
class Trial:
    """One condition loosened: `key` as explanations name it, the change, and its size, comparable within a key and a
    `kind`."""

    key: str
    label: str
    fields: dict[str, Any]
    size: float
    kind: str = ""


def trials(request: Request, catalog: Catalog) -> Iterator[Trial]:
    """All changes tried."""
    typed = [*_figures(request), *_gpus(request), *_circuits(request)]
    yield from typed
    yield from _lists(request, catalog)
    yield from _defaults(request)
    yield from _pairs(typed)


def _pairs(typed: list[Trial]) -> Iterator[Trial]:
    """Two conditions that the buyer typed, both loosened as far as their ladders go. Key: both keys with a +."""
    widest = {trial.key: trial for trial in sorted(typed, key=lambda trial: trial.size)}
    for one, other in combinations(widest.values(), 2):
        if not set(one.fields) & set(other.fields):
            key, label = f"{one.key}+{other.key}", f"{one.label} and {other.label}"
            yield Trial(key, label, {**one.fields, **other.fields}, 2)


def _figures(r: Request) -> Iterator[Trial]:
    """Figures up or down a ladder; the size is the distance from what was asked."""
    rising = {
        "budget": "budget_cents", "nodes": "max_nodes", "power": "max_power_w", "rack-units": "rack_units",
        "ttft": "max_ttft_ms", "price-age": "max_price_age_days", "lead": "max_lead_days", "sellers": "max_sellers",
    }  # fmt: skip
    for key, name in rising.items():
        value = getattr(r, name)
        if value is None or (name == "max_nodes" and value >= 32):
            continue
        ladder = RISING[:4] if key == "budget" else RISING
        for larger in sorted({max(value + 1, int(value * x)) for x in ladder}):
            if name != "max_nodes" or larger <= 32:
                yield Trial(key, f"{name} {larger}", {name: larger}, larger - value)
    for key, name in {"users": "users", "throughput": "throughput_tenths", "user-speed": "min_tok_s_user"}.items():
        value = getattr(r, name)
        if not value or (r.trains and key == "user-speed"):
            continue
        for share in FALLING:
            smaller = value * share if name == "min_tok_s_user" else max(1, int(value * share))
            yield Trial(key, f"{name} {smaller:g}", {name: smaller}, value - smaller)
    for key, name in {"share": "max_share_percent", "estimates": "max_estimated_percent"}.items():
        value = getattr(r, name)
        for percent in PERCENTS if value is not None else ():
            if percent > value:
                yield Trial(key, f"{name} {percent}", {name: percent}, percent - value)


def _lists(r: Request, catalog: Catalog) -> Iterator[Trial]:
    """One member more, or one bar less."""
    vendors = sorted({p.vendor.casefold() for p in catalog.parts.values() if p.vendor})
    countries = sorted({p.country for p in catalog.parts.values() if p.country})
    if r.vendors:
        for name in vendors:
            if name not in r.vendors:
                yield Trial("vendor", f"vendor {name}", {"vendors": r.vendors | {name}}, 1)
    if r.origins:
        for code in countries:
            if code not in r.origins:
                yield Trial("origin", f"origin {code}", {"origins": (*r.origins, code)}, 1)
    for name in CONFIDENCES:
        if name not in r.confidences:
            yield Trial("confidence", f"confidence {name}", {"confidences": (*r.confidences, name)}, 1)
    for name in CONDITIONS:
        if name not in r.conditions:
            yield Trial("condition", f"condition {name}", {"conditions": r.conditions | {name}}, 1)
    bars = {"no-vendor": "barred_vendors", "no-origin": "barred_origins", "exclude": "exclude", "include": "include"}
    for key, name in bars.items():
        members = getattr(r, name)
        for one in members:
            left = type(members)(x for x in members if x != one)
            yield Trial(key, f"{name} without {one}", {name: left}, 1)


def _gpus(r: Request) -> Iterator[Trial]:
    """Other numbers of the same GPUs; any GPUs."""
    if r.gpu_count is not None:
        for count in COUNTS:
            if count != r.gpu_count:
                yield Trial("gpu-count", f"{count} GPUs", {"gpu_count": count}, 1)
    if r.gpus:
        yield Trial("gpu", "any GPU", {"gpus": frozenset(), "gpu_count": None}, 1)


def _circuits(r: Request) -> Iterator[Trial]:
    """Circuits of the region; the size is the current, compared within a voltage."""
    if r.circuit is None:
        return
    for names, near in CIRCUITS.items():
        for name in names.split() if r.circuit.volts in near else ():
            amps, volts = (int(x) for x in name.replace("V", "").split("A@"))
            nominal = r.circuit.volts if abs(volts - r.circuit.volts) <= 8 else volts
            key = "circuit" if nominal == r.circuit.volts else "circuit-volts"
            if nominal != r.circuit.volts or amps > r.circuit.amps:
                yield Trial(key, f"circuit {amps}A@{nominal}V", {"circuit": Circuit(amps=amps, volts=nominal)}, amps,
                            str(nominal))  # fmt: skip


def _defaults(r: Request) -> Iterator[Trial]:
    """What nobody typed."""
    if not r.site_water:
        yield Trial("water", "facility water", {"site_water": True}, 1)
    if not r.allow_experimental:
        yield Trial("software", "experimental engines", {"allow_experimental": True}, 1)
    if r.strict_lead:
        yield Trial("strict-lead", "unknown lead times", {"strict_lead": False}, 1)
    if r.precision is None and not r.trains:
        for bits in (8, 4):
            if bits < (r.min_precision_bits or 32):
                yield Trial("precision", f"{bits} bits", {"min_precision_bits": bits}, 16 - bits)
    if not r.offload and not r.trains:
        yield Trial("offload", "experts in host memory", {"offload": True, "allow_experimental": True}, 1)
