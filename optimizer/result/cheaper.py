"""What would make a recommended build cheaper, in a sentence: the next lower precision, and a single card in 4 bits."""

from __future__ import annotations

from typing import Any

from catalogs.engines.published import published_kinds
from catalogs.formats import BITS
from catalogs.llm import Llm
from catalogs.message import Message, message
from catalogs.quality import said as quality_said
from catalogs.schema import Gpu, Kind
from constraints.physics.grades import grade_words
from constraints.rules.precision import at_any_floor, wanted
from optimizer.market.rows import GpuRows
from optimizer.result.answer import Answer
from optimizer.result.notes import note_data
from optimizer.result.recommended import less_words
from optimizer.search.assortment import Assortment
from optimizer.search.solver import Solver

STEPS = {4, 8, 16}
"""Bits of the floors that are suggested."""


def solved_messages(answer: Answer) -> list[dict[str, Any]]:
    """Messages that take a solver: what the next lower precision would save, and whether one card would do."""
    lower = saving(answer)
    said = [
        ("grade", of_floor(answer)),
        ("lower-precision", lower),
        *(("lower-quality", text) for text in lower_quality(answer.market.llm, lower)),
    ]
    return [note_data(code, text) for code, text in (*said, ("single-card", single_card(answer))) if text]


def of_floor(answer: Answer) -> str:
    """The grade of the recommended build, and what the floor would save at its throughput on its GPUs; empty at the
    floor itself, where nothing is recommended and where the front is not proven."""
    market, chosen = answer.market, answer.data["recommended"]
    request = market.request
    if not chosen or request.grade == "floor" or not answer.front.complete:
        return ""
    said = {"grade": grade_words(request.grade)}
    if request.cost_axis != "money":
        return message("Grade {grade}; what grade floor would save is not computed here.", **said)
    point = next(
        each for each, stored in zip(answer.front.points, answer.data["front"], strict=True) if stored["id"] == chosen
    )
    asked = {"grade": "floor", "throughput_tenths": point.found.row.perf.tenths, "gpus": frozenset({point.case.gpu.id})}
    found = Solver(market.asking(**asked)).cheapest(point.found.parts_cents - 1)
    if found is None:
        return message("Grade {grade}; grade floor would save nothing at this throughput on these GPUs.", **said)
    less = less_words(market, point.found.parts_cents, found.parts_cents)
    return message(
        "Grade {grade}: with what makes it work alone (--grade floor) the same GPUs would reach this throughput for "
        "{money} less.",
        money=less, **said,
    )  # fmt: skip


def lower_quality(llm: Llm, saved: str) -> list[Message]:
    """What is published of the quality of weights that would save money, by the sentence that says so; empty for one
    that says they would not."""
    if not isinstance(saved, Message) or "money" not in saved.values:
        return []
    formats = (*llm.precisions(), *published_kinds(llm))
    lower = [precision for precision in formats if str(BITS[precision]) == saved.values["n"]]
    return [text for precision in lower for text in quality_said(llm, precision)]


def saving(answer: Answer) -> str:
    """What the next lower precision would save at the recommended throughput, in a sentence; empty when nothing."""
    market, data = answer.market, answer.data
    request, chosen = market.request, data["recommended"]
    if (
        not chosen
        or request.cost_axis != "money"
        or request.precision is not None
        or request.trains
        or not answer.front.complete
    ):
        return ""
    floor = min(request.min_precision_bits or 32, market.llm.min_precision_bits)
    known = {BITS[each] for each in at_any_floor(market.llm, request)} & STEPS
    lower = max((bits for bits in known if bits < floor), default=0)
    if not lower:
        return ""
    point = next(
        each for each, stored in zip(answer.front.points, data["front"], strict=True) if stored["id"] == chosen
    )
    asked = {
        "min_precision_bits": lower,
        "throughput_tenths": point.found.row.perf.tenths,
        "gpus": frozenset(point.case.gpu.id for point in answer.front.points),
    }
    other = market.asking(**asked)
    found = Solver(other).cheapest(point.found.parts_cents - 1)
    if found is None:
        return message(
            "{n}-bit weights (--min-precision {n}bit) on the GPUs of this front would not make this throughput "
            "cheaper.",
            n=lower,
        )
    less = less_words(market, point.found.parts_cents, found.parts_cents)
    return message(
        "{n}-bit weights (--min-precision {n}bit) on the GPUs of this front would reach this throughput for "
        "{money} less.",
        n=lower, money=less,
    )  # fmt: skip


def single_card(answer: Answer) -> str:
    """That one card in 4 bits would do for less, in a sentence; empty when none does or the build has one already."""
    market, data = answer.market, answer.data
    request, chosen = market.request, data["recommended"]
    point = next(
        (each for each, stored in zip(answer.front.points, data["front"], strict=True) if stored["id"] == chosen), None
    )
    if (
        point is None
        or point.found.row.key.total == 1
        or request.gpus
        or request.precision
        or request.trains
        or request.cost_axis != "money"
    ):
        return ""
    four = wanted(market.llm, request.model_copy(update={"min_precision_bits": 4}))
    bits = min((BITS[each] for each in four), default=16)
    lean = min((market.llm.weight_bytes(each) for each in four), default=0) - market.llm.host_table_bytes
    large = {part.id for part in market.catalog.of(Kind.GPU) if isinstance(part, Gpu) and part.vram_gb * 10**9 >= lean}
    if bits > 4 or not large:
        return ""
    asked = {"min_precision_bits": 4, "gpu_count": 1, "budget_cents": None, "throughput_tenths": None}
    other = market.asking(**asked, gpus=frozenset(large))
    rows = GpuRows.of_market(other)
    solver = Solver(other, judged=rows, stock=Assortment(other, rows.planner, per_node=1))
    found = solver.cheapest(point.found.parts_cents - 1)
    if found is None:
        return ""
    less = less_words(market, point.found.parts_cents, found.parts_cents)
    name = market.catalog.parts[found.row.key.gpu].name
    return message(
        "One {gpu} runs the model in {precision} for {money} less, at {speed} tok/s "
        "(--min-precision 4bit --gpu '1x {gpu}').",
        gpu=name, precision=found.row.plan.precision, money=less, speed=f"{found.row.perf.tenths / 10:,.1f}",
    )  # fmt: skip
