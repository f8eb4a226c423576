"""A calibration: constants, interval widths and what was measured, read from a folder; the shipped one is data/.

residuals.csv holds an entry per measured row that the fit kept: its configuration, what was measured and what the
constants predict. A configuration that was measured itself is answered with the measurements (see curves.py).
"""

from __future__ import annotations

import csv
import hashlib
import math
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from operator import itemgetter
from pathlib import Path
from statistics import median
from typing import NamedTuple

from catalogs.errors import Fault, InputError
from catalogs.inputs import CATALOG_BYTES, read_bytes
from catalogs.schema import Gpu
from optimizer.throughput.constants import DATA, Constants, read_constants
from optimizer.throughput.constants import constants as shipped_constants
from optimizer.throughput.constants import rows as read_rows
from optimizer.throughput.demand import has_experts
from optimizer.throughput.interval import (
    ALL,
    BEYOND,
    BURSTS,
    FAR,
    FILE,
    HALVES,
    NOTHING,
    Basis,
    Seen,
    Width,
    Widths,
    basis,
    read_widths,
    wider,
)

DOUBT = 20
"""Measured concurrencies that weigh as much as the prior that a model on a GPU has no factor of its own: engines and
versions of published rows differ."""
OWN_DOUBT = 1
"""The same for a user's own rows."""
REACH = 1.25
"""How far beyond the measured concurrencies a measurement still speaks for a configuration."""


Shape = tuple[int, int, int, int]


class Setup(NamedTuple):
    """A configuration without its concurrency: one replica of a model on a GPU; `kv`: precision of its KV cache."""

    kin: str
    precision: str
    kv: str
    gpu: str
    tp: int
    pp: int
    dp: int
    ep: int
    isl: int
    osl: int


class Point(NamedTuple):
    """One measured concurrency of a setup: log of measured over predicted tok/s, and where it was measured."""

    concurrency: float
    log_ratio: float
    source: str


Curve = tuple[Point, ...]
"""The measurements of a setup (see curve_of)."""


@dataclass(frozen=True)
class Fact:
    """How far a figure of one configuration can be trusted: factors on it that the interval spans, what it rests on,
    and where the measurement comes from ("" without one)."""

    low: float
    high: float
    basis: Basis
    source: str = ""


@dataclass(frozen=True, eq=False)
class Calibration:
    """Constants and what they rest on. `name`: where from, for the reader; `sha256` covers its files; `notes`:
    sentences on what a user's own folder or measurements changed; `stacks`: of each measured GPU (id) the generation
    whose constants it takes; `expert_loads`: of each stack the most requests at once on a GPU that were measured of a
    mixture of experts."""

    name: str
    constants: Constants
    widths: Widths
    seen: Seen
    curves: Mapping[Setup, Curve]
    sha256: str = ""
    own: frozenset[tuple[str, str]] = frozenset()
    notes: tuple[str, ...] = ()
    stacks: Mapping[str, str] = field(default_factory=dict)
    expert_loads: Mapping[str, float] = field(default_factory=dict)

    @cached_property
    def pairs(self) -> dict[tuple[str, str], float]:
        """(model, stack) -> what its measured setups are off in common (log), for its other plans and lengths: their
        median, drawn towards none. A user's own rows (`own`) weigh more, and alone: one engine, one machine.

        Cards of one stack share it, so that the better of two is never the slower for having been measured."""
        found: dict[tuple[str, str], list[float]] = defaultdict(list)
        mine = {(model, self.stacks[gpu]) for model, gpu in self.own}
        for s, curve in self.curves.items():
            pair = s.kin, self.stacks[s.gpu]
            if pair not in mine or (s.kin, s.gpu) in self.own:
                found[pair] += [p.log_ratio for p in curve]
        return {
            pair: median(ratios) * len(ratios) / (len(ratios) + (OWN_DOUBT if pair in mine else DOUBT))
            for pair, ratios in found.items()
        }

    def pair(self, model: str, gpu: Gpu) -> float:
        """Factor on the tok/s of a model (kin) on a GPU where the setup itself was not measured."""
        stack = self.constants.stack_name(gpu.arch, gpu.kernel_class)
        return math.exp(self.pairs.get((model, stack), 0.0))

    def fact(
        self, model: str, gpu: Gpu, curve: Curve, concurrency: float, across: bool = False, burst: bool = False,
        per_gpu: float = 0.0,
    ) -> Fact:  # fmt: skip
        """How far to trust a model (kin) on a GPU, with the measurements of its setup, at a concurrency per replica:
        as a measurement within `REACH` of the measured concurrencies, else as its kind. `across`: the replica spans
        nodes; `burst`: the requests come all at once and drain; `per_gpu`: requests at once on each GPU."""
        found = measured(curve, concurrency)
        distance = "same" if found else self.seen.distance(model, gpu, across)
        width = self.width(distance, gpu, burst)
        if not found and not burst and self.beyond(model, gpu, per_gpu):
            width = wider(width, self.width(BEYOND, gpu))
            return Fact(width.low, width.high, basis(BEYOND))
        pool = BURSTS if burst else ALL
        return Fact(width.low, width.high, basis(distance, pool), found.source if found else "")

    def width(self, distance: str, gpu: Gpu, burst: bool = False) -> Width:
        """The interval of a distance on the stack of a GPU, or of a burst; where few measurements were made there, on
        those of its vendor, else on all."""
        stack = BURSTS if burst else self.constants.stack_name(gpu.arch, gpu.kernel_class)
        found = (self.widths.get((distance, of)) for of in (stack, gpu.vendor, ALL))
        return next(filter(None, found), None) or self.widths[NOTHING, ALL]

    def most_measured(self, gpu: Gpu) -> float:
        """The most requests at once on a GPU that were measured of a mixture of experts on the stack of one; 0 where
        none was."""
        return self.expert_loads.get(self.constants.stack_name(gpu.arch, gpu.kernel_class), 0.0)

    def beyond(self, model: str, gpu: Gpu, per_gpu: float) -> bool:
        """Whether so many requests at once on each GPU are far beyond what was measured of such models (kin) there."""
        return has_experts(model) and per_gpu > FAR * self.most_measured(gpu)

    def width_apart(self, gpu: Gpu) -> Width:
        """The interval where prefill and decode have GPUs of their own: that of such runs, else the widest."""
        return self.widths.get((NOTHING, HALVES)) or self.width(NOTHING, gpu)

    def curves_of(self, model: str, precision: str, kv: str, gpu: str, isl: int, osl: int) -> dict[Shape, Curve]:
        """Measured curves of a model (kin) on a GPU (id) at a workload, by (tp, pp, dp, ep)."""
        return self._by_workload.get((model, precision, kv, gpu, isl, osl), {})

    @cached_property
    def _by_workload(self) -> dict[tuple[str, str, str, str, int, int], dict[Shape, Curve]]:
        out: dict[tuple[str, str, str, str, int, int], dict[Shape, Curve]] = defaultdict(dict)
        for s, curve in self.curves.items():
            out[s.kin, s.precision, s.kv, s.gpu, s.isl, s.osl][s.tp, s.pp, s.dp, s.ep] = curve
        return out

    def with_points(
        self, points: Iterable[tuple[Setup, Point]], seen: Seen, stacks: Mapping[str, str] | None = None
    ) -> Calibration:
        """The same with a user's measurements; of a model on a GPU they take the place of all earlier ones. `stacks`:
        of GPUs that were not measured before."""
        new: dict[Setup, list[Point]] = defaultdict(list)
        for setup, point in points:
            new[setup].append(point)
        merged = {**self.curves, **{k: curve_of(v) for k, v in new.items()}}
        both = Seen(*(a | b for a, b in zip(_sets(self.seen), _sets(seen), strict=True)))
        own = frozenset((s.kin, s.gpu) for s in new)
        others = {s: c for s, c in merged.items() if s in new or (s.kin, s.gpu) not in own}
        stack_of = {**self.stacks, **(stacks or {})}
        mine = ((s.kin, stack_of[s.gpu], p.concurrency / gpus_of(s)) for s, some in new.items() for p in some)
        loads = most_by_stack(mine, self.expert_loads)
        return replace(self, curves=others, seen=both, own=own, stacks=stack_of, expert_loads=loads)


def gpus_of(setup: Setup) -> int:
    """GPUs of one replica."""
    return setup.tp * setup.pp * setup.dp


def most_by_stack(loads: Iterable[tuple[str, str, float]], known: Mapping[str, float]) -> dict[str, float]:
    """The most requests at once on a GPU by stack, of mixtures of experts, from (kin, stack, such requests) of
    measurements and what was known before."""
    most = dict(known)
    for model, stack, per_gpu in loads:
        if has_experts(model):
            most[stack] = max(most.get(stack, 0.0), per_gpu)
    return most


def curve_of(points: Iterable[Point]) -> Curve:
    """A setup's measurements by ascending concurrency, several at one (engines, versions) as their mean."""
    at: dict[float, list[Point]] = defaultdict(list)
    for point in points:
        at[point.concurrency].append(point)
    return tuple(Point(c, sum(p.log_ratio for p in at[c]) / len(at[c]), at[c][0].source) for c in sorted(at))


def measured(curve: Curve, concurrency: float) -> Point | None:
    """The measurement at a concurrency, between its neighbours on a logarithmic scale; None outside the range."""
    if not curve or not curve[0].concurrency / REACH <= concurrency <= curve[-1].concurrency * REACH:
        return None
    i = bisect_right(curve, concurrency, key=itemgetter(0))
    below, above = curve[max(i - 1, 0)], curve[min(i, len(curve) - 1)]
    if i == 0 or below is above or below.concurrency == concurrency:
        return below
    share = math.log(concurrency / below.concurrency) / math.log(above.concurrency / below.concurrency)
    near = below if share < 0.5 else above
    return Point(concurrency, below.log_ratio * (1 - share) + above.log_ratio * share, near.source)


def _sets(seen: Seen) -> tuple[frozenset[str], frozenset[str], frozenset[str], frozenset[str]]:
    return seen.models, seen.gpus, seen.archs, seen.across


RESIDUALS = "residuals.csv"
COLUMNS = (*Setup._fields, "arch", "stack", "across", "concurrency", "per_gpu", "output_tok_s", "predicted_tok_s", "id")
"""`concurrency`: of a replica, blank where it speaks for no point of a curve; `per_gpu`: requests at once on each GPU,
those that memory holds where the row names none."""


@cache
def shipped() -> Calibration:
    """The calibration that comes with dsopt."""
    return read(DATA, "shipped")


def read(folder: Path, name: str) -> Calibration:
    """A calibration's folder. Raises InputError when a file is missing or no calibration."""
    try:
        rows = read_rows(folder / RESIDUALS)
        if any(None in row for row in rows):
            raise ValueError(f"a row of {RESIDUALS} has more cells than columns")
        curves: dict[Setup, list[Point]] = defaultdict(list)
        for row in rows:
            if row["concurrency"]:
                setup = Setup(*(row[c] for c in Setup._fields[:4]), *(int(row[c]) for c in Setup._fields[4:]))  # type: ignore[arg-type]
                ratio = math.log(float(row["output_tok_s"]) / float(row["predicted_tok_s"]))
                curves[setup].append(Point(float(row["concurrency"]), ratio, row["id"]))
        loads = most_by_stack(((row["kin"], row["stack"], float(row["per_gpu"])) for row in rows), {})
        kins, gpus, archs = (frozenset(row[c] for row in rows) for c in ("kin", "gpu", "arch"))
        seen = Seen(
            kins,
            gpus,
            archs,
            frozenset(f"{row['kin']} {row['arch']}" for row in rows if row["across"]),
        )
        files = ("constants.csv", FILE, RESIDUALS)
        constants = read_constants(folder / files[0])
        needed = {key for key in shipped_constants().values if "." not in key}
        if lacking := sorted(needed - constants.values.keys()):
            raise ValueError(f"constants.csv lacks {', '.join(lacking[:3])}, which this version reads")
        sha256 = hashlib.sha256(b"".join(read_bytes(folder / f, CATALOG_BYTES) for f in files)).hexdigest()
        return Calibration(name, constants, read_widths(folder / FILE), seen,
                           {k: curve_of(v) for k, v in curves.items()}, sha256,
                           stacks={row["gpu"]: row["stack"] for row in rows}, expert_loads=loads)  # fmt: skip
    except (InputError, KeyError, TypeError, ValueError, csv.Error) as e:
        remedy = "Write one with `dsopt size --calibrate FILE -o DIR`."
        raise InputError(
            Fault(
                "no-calibration",
                f"is no calibration: {e.faults[0].text if isinstance(e, InputError) else repr(e)}",
                str(folder),
                remedy=remedy,
            )
        ) from None
