"""Plans that run far more requests at once on each GPU than was measured, in words."""

from __future__ import annotations

from collections.abc import Iterable

from catalogs.file_kinds import FILE_KINDS
from catalogs.llm import Llm
from catalogs.message import Message, joined, message
from catalogs.schema import Gpu
from constraints.plan import Row
from optimizer.throughput.calibration import Calibration
from optimizer.throughput.demand import kin


def per_gpu(row: Row) -> float:
    """Requests at once on each GPU of a replica."""
    return row.plan.concurrency / row.plan.gpus


def is_far(calibration: Calibration, llm: Llm, gpu: Gpu, row: Row) -> bool:
    """Whether a plan's interval is that of loads beyond the measured ones."""
    plan = row.plan
    # Prefill and decode apart have an interval of their own (Calibration.width_apart).
    if plan.offload or plan.prefill or plan.precision in FILE_KINDS or row.perf.basis != "roofline":
        return False
    return calibration.beyond(kin(llm), gpu, per_gpu(row))


def far_words(calibration: Calibration, gpu: Gpu, row: Row) -> Message:
    """Of such a plan: requests at once on each GPU, and the most that were measured."""
    most = calibration.most_measured(gpu)
    now = f"{per_gpu(row):,.0f}"
    if not most:
        return message("{n} on each GPU, none measured", n=now)
    return message("{n} on each GPU, at most {most} measured", n=now, most=f"{most:,.4g}")


def far_sentence(plans: Iterable[Message]) -> Message:
    """What it means for the figures of such plans."""
    return message(
        "Requests at once beyond what was measured of mixtures of experts on such GPUs: {list}. The basis is roofline, "
        "and the interval reaches as far down as held-out runs at such loads did; ask for a run at that load.",
        list=joined(plans, "; "),
    )  # fmt: skip
