"""What separates two builds: part by part, and the figures that make one faster."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from catalogs.message import joined
from constraints.build import Build
from optimizer.market.market import Market
from optimizer.result.bill import purchase
from optimizer.search.front import Point
from optimizer.text.figures import trimmed


@dataclass(frozen=True)
class Swap:
    """A part whose pieces differ between two builds, and what that does to the sum of lines (minor units)."""

    part: str
    before: int
    after: int
    more_cents: int


def swaps(market: Market, point: Point, b: Point) -> list[Swap]:
    """Parts that differ between two points, the dearest difference first."""
    return swapped(market, point.case.build, b.case.build)


def swapped(market: Market, now: Build, then: Build) -> list[Swap]:
    """Parts that differ between two builds, the dearest difference first."""
    before, after = _lines(market, now), _lines(market, then)
    found = [
        Swap(x, before.get(x, (0, 0))[0], after.get(x, (0, 0))[0], after.get(x, (0, 0))[1] - before.get(x, (0, 0))[1])
        for x in sorted({*before, *after})
        if before.get(x) != after.get(x)
    ]
    return sorted(found, key=lambda s: (-abs(s.more_cents), s.part))


def _lines(market: Market, build: Build) -> dict[str, tuple[int, int]]:
    """part or bundle -> (pieces, cents)."""
    out: dict[str, tuple[int, int]] = {}
    for line in purchase(market, build).lines:
        pieces, cents = out.get(line.part, (0, 0))
        out[line.part] = pieces + line.qty, cents + line.qty * line.cents
    return out


def why_faster(point: Point, b: Point) -> list[str]:
    """Figures behind the throughput that differ from `a` to `b`, each as `name: before -> after unit`."""
    found = []
    for (name, unit, x), (_, _, y) in zip(_figures(point), _figures(b), strict=True):
        if x != y:
            said = [trimmed(v) if isinstance(v, int | float) else str(v) for v in (x, y)]
            found.append(joined([name, f"{said[0]} -> {said[1]}{' ' + unit if unit else ''}"], ": "))
    return found


def _figures(point: Point) -> Iterator[tuple[str, str, float | str]]:
    """What throughput rests on, of the whole build."""
    gpu, row, plan = point.case.gpu, point.found.row, point.found.row.plan
    count = row.key.total
    yield "GPUs", "", f"{count} x {gpu.name}"
    yield "GPU memory", "GB", count * gpu.vram_gb
    yield "memory bandwidth", "GB/s", count * (gpu.mem_gb_s or 0)
    yield "dense compute FP16", "TFLOP/s", round(count * (gpu.fp16_tflops or 0), 1)
    yield "dense compute FP8", "TFLOP/s", round(count * (gpu.fp8_tflops or 0), 1)
    yield "GPUs joined by NVLink or xGMI", "", row.key.domain
    yield "link per GPU", "GB/s", gpu.link_gb_s if row.key.domain > 1 else 0
    yield "network per GPU", "Gbit/s", row.key.net_gbit_s
    yield "precision", "", plan.precision
    sizes = [f"tp{half.tp} pp{half.pp} dp{half.dp} ep{half.ep} x{half.replicas}" for half in plan.halves]
    yield "plan", "", sizes[0] if plan.prefill is None else f"prefill {sizes[0]} + decode {sizes[1]}"
    yield "requests at once", "", plan.concurrency * plan.replicas
    yield "for each user", "tok/s", round(row.perf.per_user_tok_s, 1)
