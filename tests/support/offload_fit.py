"""Published speeds with experts in host memory against the model: fit of its two shares, each judged by a fit
without its machine.

`python -m tests.support.offload_fit` prints the tables of docs/offload.md.
"""

from __future__ import annotations

import csv
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from statistics import median, quantiles

from catalogs.llm import get
from catalogs.schema import Gpu
from constraints.physics.offload import cpu_classes
from constraints.plan import RowKey
from constraints.policy import Policy
from optimizer.throughput import offload
from optimizer.throughput.constants import DATA

FILE = DATA / "offload_measured.csv"
SHARES = [x / 100 for x in range(30, 71)]
TWO_SOCKETS = range(50, 101)
LIKE = {"AVX2": "Milan", "AVX-512": "Genoa", "AMX": "Sapphire Rapids", "SVE2": "Genoa"}
"""Instruction set -> a CPU generation whose attained compute stands for it."""


@dataclass(frozen=True)
class Measured:
    """One published figure; `in_fit` False: left out for the reason in `notes`."""

    id: str
    phase: str
    bits: float
    sockets: int
    channels: int
    mts: int
    cores: int
    isa: str
    gpu_gb_s: int
    context: int
    tok_s: float
    in_fit: bool
    notes: str

    @property
    def machine(self) -> tuple[object, ...]:
        """One or two sockets of the same CPUs and memory are one machine."""
        return self.cores // self.sockets, self.channels // self.sockets, self.mts, self.isa


@cache
def measured(phase: str) -> list[Measured]:
    """Published figures of a phase."""
    with FILE.open(encoding="utf-8") as f:
        return [_row(r) for r in csv.DictReader(f) if r["phase"] == phase]


def _row(r: dict[str, str]) -> Measured:
    return Measured(
        r["id"], r["phase"], float(r["bits"]), int(r["sockets"]), int(r["channels"]), int(r["mts"]), int(r["cores"]),
        r["isa"], int(r["gpu_gb_s"]), int(r["context"]), float(r["tok_s"]), r["in_fit"] == "yes", r["notes"],
    )  # fmt: skip


def constants() -> tuple[float, int]:
    """(bandwidth share, percent of two sockets) as shipped."""
    percent = Policy().whole("host_memory.two_socket_percent")
    return offload.constants()["bandwidth_share"], percent


def predicted(m: Measured, share: float, percent: int) -> float:
    """Tokens per second by the model."""
    attained = share / constants()[0] * (percent / 100 if m.sockets == 2 else 1)
    fixed, read, compute = pieces(m)
    return 1 / (fixed + max(read / attained, compute))


@cache
def pieces(m: Measured) -> tuple[float, float, float]:
    """Seconds per token: the GPU's part, reading the experts with one socket's shipped share, computing them.

    A figure without a GPU reads all active weights from host memory. Weights lie there at the published bits."""
    llm, share = get("v3-671b"), constants()[0]
    precision = "fp8" if m.bits > 6 else "int4"
    gb_s = m.channels * m.mts * 8 / 1000
    if not m.gpu_gb_s:
        return 0.0, llm.params_active * m.bits / 8 / (gb_s * 1e9 * share), 0.0
    as_stored = gb_s * llm.expert_bytes(precision) / (llm.params_routed_experts * m.bits / 8)
    gflops = m.cores * cpu_classes()[LIKE[m.isa]][1]
    key = RowKey("x", 300, 1, 1, 1, 4, 16, "none", 0, round(as_stored), 0, gflops)
    s = offload.steps(_gpu(m), llm, precision, "bf16", m.context, 1, [key])
    assert s is not None
    if m.phase == "prefill":
        return float(s.prefill_s[0]) / m.context, 0.0, 0.0
    token = float(s.experts_s[0]) * (1 - s.expert_miss)
    return float(s.fixed_s[0] + s.user_s[0]), token, float(s.expert_user_s[0])


def _gpu(m: Measured) -> Gpu:
    return Gpu(
        id="x", name="", source="", arch="Ada", form_factor="PCIe", cooling="blower", sold_as="single", vram_gb=24,
        mem_gb_s=m.gpu_gb_s, fp16_tflops=165, fp8_tflops=330, tdp_w=300, pcie_gen=4,
    )  # fmt: skip


def error(m: Measured, share: float, percent: int) -> float:
    """Predicted over published, less one."""
    return predicted(m, share, percent) / m.tok_s - 1


def fit(rows: Sequence[Measured]) -> tuple[float, int]:
    """The shares of the least sum of absolute log errors."""
    return min(
        itertools.product(SHARES, TWO_SOCKETS),
        key=lambda x: (round(sum(abs(math.log(1 + error(m, *x))) for m in rows), 6), x),
    )


def left_out(rows: Sequence[Measured]) -> list[tuple[Measured, float]]:
    """Each row with the error of a fit that has seen no row of its machine."""
    return [(m, error(m, *fit([x for x in rows if x.machine != m.machine]))) for m in rows]


def interval(rows: Sequence[Measured]) -> tuple[float, float]:
    """Factors on the model's figure between which 80 % of the published ones lie, each by a fit without its machine."""
    tenths = quantiles([1 / (1 + e) for _, e in left_out(rows)], n=10)
    return round(tenths[0], 2), round(tenths[-1], 2)


def table() -> str:
    """The tables as Markdown."""
    rows = [m for m in measured("decode") if m.in_fit]
    unseen = left_out(rows)
    share, percent = constants()
    lines = ["| decode | published, tok/s | model, tok/s | error, machine not in the fit |", "|---|---:|---:|---:|"]
    lines += [f"| {m.id} | {m.tok_s:g} | {predicted(m, share, percent):.1f} | {100 * e:+.0f} % |" for m, e in unseen]
    lines.append(f"\nMedian error of machines not in the fit {100 * median(abs(e) for _, e in unseen):.0f} %.\n")
    lines += ["| left out | published, tok/s | model, tok/s | why |", "|---|---:|---:|---|"]
    out = [m for m in measured("decode") if not m.in_fit]
    lines += [f"| {m.id} | {m.tok_s:g} | {predicted(m, share, percent):.1f} | {m.notes[10:]} |" for m in out]
    prompts = measured("prefill")
    lines += ["", "| prefill | published, tok/s | model, tok/s | error |", "|---|---:|---:|---:|"]
    lines += [
        f"| {m.id} | {m.tok_s:g} | {predicted(m, share, percent):.0f} | {100 * error(m, share, percent):+.0f} % |"
        for m in prompts
    ]
    return "\n".join([*lines, "", *check_table()])


@dataclass(frozen=True)
class Checked:
    """A row of the measured file: its figure beside the model's, by a fit that has not seen its machine."""

    id: str
    engine: str
    figure: Measured
    error: float

    @property
    def inside(self) -> bool:
        """Whether the published figure lies in the interval that a plan states."""
        k = offload.constants()
        return k["interval_low"] <= 1 / (1 + self.error) <= k["interval_high"]


@cache
def checked() -> list[Checked]:
    """Rows of KTransformers, ik_llama.cpp and llama.cpp of the measured file that have a machine to judge them by."""
    fitted = [m for m in measured("decode") if m.in_fit]
    known = {m.id: m for phase in ("decode", "check") for m in measured(phase)}
    rows = [(r, known[r["figure"]]) for r in check_rows() if r["figure"]]
    return [
        Checked(r["id"], r["engine"], m, error(m, *fit([x for x in fitted if x.machine != m.machine]))) for r, m in rows
    ]


@cache
def check_rows() -> list[dict[str, str]]:
    """The rows as committed, those that nothing can be said of included."""
    with (DATA / "offload_check.csv").open(encoding="utf-8") as f:
        return list(csv.DictReader(f))


def check_table() -> list[str]:
    """Lines of Markdown: rows judged, what they come to, and rows that are not, with the reason."""
    lines = ["| row of the measured file | engine | published, tok/s | model, tok/s | in the interval |"]
    lines.append("|---|---|---:|---:|---|")
    lines += [
        f"| {c.id} | {c.engine} | {c.figure.tok_s:g} | {(1 + c.error) * c.figure.tok_s:.1f} ({100 * c.error:+.0f} %) "
        f"| {'yes' if c.inside else 'no'} |"
        for c in checked()
    ]
    inside, middle = sum(c.inside for c in checked()), median(abs(c.error) for c in checked())
    lines.append(f"\n{inside} of {len(checked())} lie in the interval; median error {100 * middle:.0f} %.\n")
    lines += ["| not judged | engine | published, tok/s | why |", "|---|---|---:|---|"]
    lines += [
        f"| {r['id']} | {r['engine']} | {r['tok_s']} | {r['not_judged']} |" for r in check_rows() if not r["figure"]
    ]
    return lines


if __name__ == "__main__":
    print(fit([m for m in measured("decode") if m.in_fit]), interval([m for m in measured("decode") if m.in_fit]))
    print(table())
