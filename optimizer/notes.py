"""Remarks on a build that appear on their own when they matter, each with a stable code (docs/notes.md)."""

from __future__ import annotations

from collections.abc import Iterator

from catalogs.schema import Kind, Memory
from constraints.contents import dimm_counts
from constraints.precision import support
from optimizer.bom import purchase
from optimizer.front import Point
from optimizer.market import Market

NOTED_PERCENT = 10
"""Share of the sum of lines from which dated or estimated prices are remarked on."""
MEMORY_PERCENT = 3
"""Share of the sum of lines from which the memory market is."""


def notes(market: Market, p: Point) -> Iterator[tuple[str, str]]:
    """(code, text) of a build that passed every rule, or of one that is checked."""
    yield from _memory(p)
    yield from _gpu(market, p)
    yield from _prices(market, p)


def _memory(p: Point) -> Iterator[tuple[str, str]]:
    """RAM against VRAM, and channels left empty."""
    c = p.case
    modules = [(m, q) for m, q in c.parts(Memory) if isinstance(m, Memory)]
    ram, vram = sum(m.capacity_gb * q for m, q in modules), c.per_node * c.gpu.vram_gb
    if modules and c.gpu.form_factor != "integrated" and ram < vram:
        yield (
            "ram-below-vram",
            f"A node has {ram:,} GB of RAM for {vram:,} GB of GPU memory: loading a model is slower.",
        )
    count, counts = sum(q for _, q in modules), dimm_counts(c.platform)
    if modules and counts and count < counts[0]:
        text = f"{count} memory modules stand on {counts[0]} channels: a share of {count}/{counts[0]} of the bandwidth."
        yield "channels-half-filled", text


def _gpu(market: Market, p: Point) -> Iterator[tuple[str, str]]:
    """Peer-to-peer and number formats of the GPU."""
    gpu, row, llm = p.case.gpu, p.found.row, market.llm
    if not gpu.p2p and row.key.per_node > 1:
        text = f"{gpu.name} cards have no peer-to-peer over PCIe: copies between them pass the RAM, and are counted so."
        yield "no-peer-to-peer", text
    formats = support(gpu.arch)
    if "fp8" in llm.precisions() and formats.get("fp8", ("", ""))[0] != "native":
        how = "as weights only, at the speed of 16 bits" if "fp8" in formats else "not at all"
        yield "no-fp8", f"{gpu.name} runs FP8 {how}; {llm.id} is published with FP8 weights."


def _prices(market: Market, p: Point) -> Iterator[tuple[str, str]]:
    """How much of the cost rests on dated or estimated prices, and on memory."""
    bought = purchase(market, p.case.build)
    sums = {"estimated": 0, "dated": 0, "memory": 0}
    for line in bought.lines:
        cents = line.qty * line.cents
        sums["estimated"] += cents if line.offer and line.offer.confidence == "estimate" else 0
        sums["dated"] += cents if line.stale else 0
        part = market.catalog.parts.get(line.part)
        sums["memory"] += cents if part and part.kind in (Kind.MEMORY, Kind.DRIVE) else 0
    percent = {k: 100 * v // max(1, bought.cents) for k, v in sums.items()}
    if percent["estimated"] >= NOTED_PERCENT or percent["dated"] >= NOTED_PERCENT:
        text = (
            f"{percent['estimated']} % of the parts' cost rests on estimates and {percent['dated']} % on dated prices."
        )
        yield "weak-prices", text
    if percent["memory"] >= MEMORY_PERCENT:
        text = f"Memory and drives are {percent['memory']} % of the parts' cost; memory rose 5-7 x since October 2025."
        yield "memory-market", f"{text} Ask for quotes of the day."
