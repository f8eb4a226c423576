"""Remarks on one build that appear on their own when they matter, each with a stable code (docs/notes.md); those on the
whole result are in messages.py."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from catalogs.engines.support import support_rows
from catalogs.llm import Llm
from catalogs.message import Message, joined, message, message_data
from catalogs.schema import Kind, Memory
from constraints.physics.contents import dimm_counts
from constraints.request import Request
from constraints.rule import figure
from constraints.rules.precision import kv_precision, support, wanted
from optimizer.market.market import Market
from optimizer.result.bill import purchase
from optimizer.search.front import Point
from optimizer.throughput.constants import Constants
from optimizer.throughput.roofline import tokens_per_step

NOTED_PERCENT = 10
"""Share of the sum of lines from which dated or estimated prices are remarked on."""
SURGE_OVER = date(2026, 3, 13)
"""Day of the offers that show the rise of memory prices, which the note speaks of (a broker's list of that day)."""
MEMORY_PERCENT = 3
"""Share of the sum of lines from which the memory market is."""


def note_data(code: str, text: str, severity: str = "note") -> dict[str, Any]:
    """A remark as a result holds it."""
    return {"code": code, "severity": severity, **message_data(text)}


def notes(market: Market, point: Point) -> Iterator[tuple[str, Message]]:
    """(code, message) of a build that passed every rule, or of one that is checked."""
    yield from _memory(point)
    yield from _gpu(market, point)
    yield from _prices(market, point)


def kv_note(market: Market) -> str:
    """Which KV cache plans count on where the model is published for another than the request names; else empty."""
    published = kv_precision(market.llm, market.request)
    if market.request.trains or published == (market.request.kv_precision or "bf16"):
        return ""
    return message(
        "{model} is published for a KV cache in {kv}, and plans count on that.",
        model=market.llm.name, kv=published.upper(),
    )  # fmt: skip


def module_note(llm: Llm, request: Request, constants: Constants) -> str:
    """What a module for several tokens that is loaded takes, and what speed counts of it; else empty."""
    if not llm.with_draft:
        return ""
    if request.drafted:
        accepted = constants["draft_accepted"]
        return message(
            "The module for several tokens of {model} ({kind}) is loaded: {gb} GB in {precision}, with its own KV "
            "cache. Speed counts {drafted} proposed per step, each accepted in {percent} % of the steps in which the "
            "one before it was, the mean of measured runs: {tokens} tokens per step and request. Other texts are "
            "accepted more or less often. What an engine asks of plans with the module is not counted as yet.",
            model=llm.name, kind=llm.draft_kind, gb=figure(llm.draft_bytes(llm.native_precision) / 1e9),
            precision=llm.native_precision, drafted=request.drafted, percent=round(100 * accepted),
            tokens=f"{tokens_per_step(accepted, request.drafted):.2f}",
        )  # fmt: skip
    return message(
        "The module for several tokens of {model} ({kind}) is loaded: {gb} GB in {precision}, with its own KV cache. "
        "Neither its gain in speed nor what an engine asks of plans with it is counted as yet.",
        model=llm.name, kind=llm.draft_kind, gb=figure(llm.draft_bytes(llm.native_precision) / 1e9),
        precision=llm.native_precision,
    )  # fmt: skip


def proposing_note(request: Request, constants: Constants) -> str:
    """What speed counts of modules for several tokens, of whichever model; empty where none is asked for by number."""
    if not request.drafted:
        return ""
    accepted = constants["draft_accepted"]
    return message(
        "Speed counts {drafted} tokens that a model's module proposes per step, each accepted in {percent} % of the "
        "steps in which the one before it was, the mean of measured runs.",
        drafted=request.drafted, percent=round(100 * accepted),
    )  # fmt: skip


def cache_note(request: Request) -> str:
    """How many tokens of a prompt are counted as found in the prefix cache; empty for none."""
    if not request.cached_tokens:
        return ""
    return message(
        "Of the {isl} tokens of a prompt {cached} count as found in the prefix cache: they are not computed anew, but "
        "held and read like all others.",
        isl=f"{request.isl:,}", cached=f"{request.cached_tokens:,}",
    )  # fmt: skip


def only_experimental(market: Market) -> str:
    """What `--offload` lacks where only experimental engines keep experts in host memory; empty where it lacks
    nothing."""
    request, llm = market.request, market.llm
    if not request.offload or request.allow_experimental or not llm.is_moe:
        return ""
    admitted = set(wanted(llm, request))
    rows = [
        row
        for row in support_rows("offload")
        if llm.architecture in row.architectures and admitted & set(row.precisions)
    ]
    names = sorted({row.engine for row in rows if row.status == "experimental"})
    if not names or any(row.status == "stable" for row in rows):
        return ""
    return message(
        "Experts of this model are kept in host memory by {engine} alone, which is marked experimental; "
        "add --allow-experimental to count it.",
        engine=joined(names, " or "),
    )


def _memory(point: Point) -> Iterator[tuple[str, Message]]:
    """RAM against VRAM, and channels left empty."""
    case = point.case
    modules = [(part, pieces) for part, pieces in case.parts(Memory) if isinstance(part, Memory)]
    ram, vram = sum(module.capacity_gb * qty for module, qty in modules), case.per_node * case.gpu.vram_gb
    if modules and case.gpu.form_factor != "integrated" and ram < vram:
        yield (
            "ram-below-vram",
            message(
                "A node has {ram} GB of RAM for {vram} GB of GPU memory: loading a model is slower.",
                ram=f"{ram:,}", vram=f"{vram:,}",
            ),
        )  # fmt: skip
    count, counts = sum(qty for _, qty in modules), dimm_counts(case.platform)
    if modules and counts and count < counts[0]:
        share = f"{count}/{counts[0]}"
        if count == 1:
            text = message(
                "{qty} memory module stands on {n} channels: {share} of the memory bandwidth is there.",
                qty=count, n=counts[0], share=share,
            )  # fmt: skip
        else:
            text = message(
                "{qty} memory modules stand on {n} channels: {share} of the memory bandwidth is there.",
                qty=f"{count:,}", n=counts[0], share=share,
            )  # fmt: skip
        yield "channels-half-filled", text


def _gpu(market: Market, point: Point) -> Iterator[tuple[str, Message]]:
    """Peer-to-peer and number formats of the GPU."""
    gpu, row, llm = point.case.gpu, point.found.row, market.llm
    if not gpu.p2p and row.key.per_node > max(1, row.key.domain):
        yield (
            "no-peer-to-peer",
            message(
                "{gpu} cards have no peer-to-peer over PCIe: copies between them go through system RAM; the figures "
                "include this.",
                gpu=gpu.name,
            ),
        )
    mode, compute = support(gpu.arch).get("fp8", ("", ""))
    published = llm.native_precision == "fp8" and not llm.note  # a guide's name was never published
    if mode == "native" or not (published or point.found.row.plan.precision == "fp8"):
        return
    yield "no-fp8", _without_fp8(gpu.name, row.plan.precision, compute, llm.id if published else "")


def _without_fp8(gpu: str, precision: str, computed_in: str, published: str) -> Message:
    """What a GPU does that does not compute in FP8: `computed_in` is empty where it does not even keep FP8 weights,
    `published` names a model whose published weights are FP8."""
    if computed_in and precision != "fp8":
        if not published:
            return message("{gpu} does not compute in FP8, this plan runs {format}.", gpu=gpu, format=precision)
        return message(
            "{gpu} does not compute in FP8, this plan runs {format}; {model} is published with FP8 weights.",
            gpu=gpu, format=precision, model=published,
        )  # fmt: skip
    if computed_in:
        if not published:
            return message("{gpu} keeps FP8 weights but computes in {format}.", gpu=gpu, format=computed_in)
        return message(
            "{gpu} keeps FP8 weights but computes in {format}; {model} is published with FP8 weights.",
            gpu=gpu, format=computed_in, model=published,
        )  # fmt: skip
    if not published:
        return message("{gpu} has no FP8 support.", gpu=gpu)
    return message("{gpu} has no FP8 support; {model} is published with FP8 weights.", gpu=gpu, model=published)


def _prices(market: Market, point: Point) -> Iterator[tuple[str, Message]]:
    """How much of the cost is estimated, how much else uses dated prices, and how much is memory."""
    bought = purchase(market, point.case.build)
    sums = {"estimated": 0, "dated": 0, "memory": 0}
    for line in bought.lines:
        cents = line.qty * line.cents
        if line.offer and line.offer.confidence == "estimate":
            sums["estimated"] += cents
        elif line.stale:
            sums["dated"] += cents
        part = market.catalog.parts.get(line.part)
        sums["memory"] += cents if part and part.kind in (Kind.MEMORY, Kind.DRIVE) else 0
    percent = {kind_: (200 * v + bought.cents) // (2 * max(1, bought.cents)) for kind_, v in sums.items()}
    percent["dated"] = min(percent["dated"], 100 - percent["estimated"])  # halves rounded up twice
    if max(percent["estimated"], percent["dated"]) >= NOTED_PERCENT:
        yield "weak-prices", _weak(market, percent["estimated"], percent["dated"])
    if percent["memory"] >= MEMORY_PERCENT and market.request.as_of >= SURGE_OVER:
        yield (
            "memory-market",
            message(
                "Memory and drives are {percent} % of the parts' cost; memory rose 5-7 x since October 2025. "
                "Ask for quotes of the day.",
                percent=percent["memory"],
            ),
        )


def _weak(market: Market, estimated: int, dated: int) -> Message:
    """The two shares, of which no line counts in both."""
    days, quick = (market.policy.whole(f"offers.fresh_days{x}") for x in ("", "_memory"))
    if not dated:
        return message("{a} % of the parts' cost is estimated.", a=estimated)
    if not estimated:
        return message(
            "{b} % of the parts' cost uses prices older than {days} days ({quick} for memory and drives).",
            b=dated, days=days, quick=quick,
        )  # fmt: skip
    return message(
        "{a} % of the parts' cost is estimated; {b} % uses prices older than {days} days "
        "({quick} for memory and drives).",
        a=estimated, b=dated, days=days, quick=quick,
    )  # fmt: skip
