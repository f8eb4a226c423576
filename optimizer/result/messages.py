"""Remarks on a whole result (`messages` of the JSON contract), each with a stable code (docs/notes.md): on the model,
the proof, stale prices, the recommended build. Remarks on one build are in notes.py."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from catalogs.checkpoints.file_sizes import difference
from catalogs.formats import BITS
from catalogs.message import Message, joined, message
from catalogs.quality import is_lower
from catalogs.quality import said as quality_said
from optimizer.market.market import Market
from optimizer.request.load import load_of, queue, queue_words, words
from optimizer.result.bill import purchase
from optimizer.result.in_hand import own_messages
from optimizer.result.notes import cache_note, kv_note, module_note, note_data, notes, only_experimental
from optimizer.result.price_shares import price_shares, rests_on_read
from optimizer.result.recommended import indistinct, reason, recommended
from optimizer.search.front import Front
from optimizer.text.minor_units import money_words
from optimizer.throughput.far_loads import far_sentence, far_words, is_far

SLOW_TOK_S = 3
"""Below this the speed that each user sees is not what stands against experts in host memory (docs/offload.md)."""


def messages(market: Market, front: Front) -> list[dict[str, Any]]:
    """Remarks that a buyer needs beside the figures, in the order in which they are shown."""
    out = [
        *_of_model(market, front),
        *_of_splits(market, front),
        *_of_proof(market, front),
        *_of_offload(market, front),
    ]
    out += _of_stale_prices(market, front)
    out += _of_read_prices(market, front)
    out += _of_lead_times(market, front)
    if front.points:
        best = front.points[recommended(market, front.points) or 0]
        out += [note_data(code, text) for code, text in notes(market, best)]
        out.append(note_data("recommended", reason(market, front.points)))
    if far := _of_loads(market, front):
        out.append(note_data("beyond-measured-load", far))
    if close := indistinct(market, front.points):
        out.append(note_data("indistinct-points", close))
    out += own_messages(market, front)
    text = message(
        "Not included: freight, installation, software licences, energy. "
        "Throughput is an estimate: 80 % of measurements lie between its low and high."
    )
    out.append(note_data("not-included", text))
    return out


def _of_loads(market: Market, front: Front) -> str:
    """Which points run far more requests at once on each GPU than was measured; empty where none does."""
    if market.request.trains:
        return ""
    far: dict[str, tuple[Message, list[str]]] = {}
    for place, point in enumerate(front.points, 1):
        gpu, row = point.case.gpu, point.found.row
        if is_far(market.calibration, market.llm, gpu, row):
            words = far_words(market.calibration, gpu, row)
            far.setdefault(str(words), (words, []))[1].append(f"p{place}")
    alike = [message("{points} with {load}", points=joined(at), load=words) for words, at in far.values()]
    return far_sentence(alike) if alike else ""


def _of_model(market: Market, front: Front) -> Iterator[dict[str, Any]]:
    """What the model is, the formats that it runs in, and what its checkpoint says."""
    if market.llm.note:
        yield note_data("guide-name", message(market.llm.note))
    precisions = sorted({p.found.row.plan.precision for p in front.points}, key=lambda x: (-BITS[x], x))
    if precisions:
        yield note_data("precisions", message("Precisions on the front: {list}.", list=joined(precisions)))
    if not market.request.trains:
        lower = [precision for precision in precisions if is_lower(market.llm, precision)]
        yield from (note_data("quality", text) for precision in lower for text in quality_said(market.llm, precision))
    if published := kv_note(market):
        yield note_data("kv-cache", published)
    if said := module_note(market.llm, market.request, market.calibration.constants):
        yield note_data("speculate", said)
    if said := cache_note(market.request):
        yield note_data("prefix-cache", said)
    if said := difference(market.llm):
        yield note_data("checkpoint-files", said)


def _of_splits(market: Market, front: Front) -> Iterator[dict[str, Any]]:
    """Which points have prefill and decode apart, and how far that is known."""
    found: dict[str, list[str]] = {}
    for place, point in enumerate(front.points, 1):
        plan = point.found.row.plan
        if plan.prefill is not None:
            first, second = (half.gpus * half.replicas // point.case.per_node for half in plan.halves)
            found.setdefault(f"{first} + {second}", []).append(f"p{place}")
    if found:
        each = [message("{a} nodes in {points}", a=nodes, points=joined(at)) for nodes, at in found.items()]
        text = message(
            "Prefill and decode apart: {list}. Such figures rest on the roofline; measured runs are met within 17 % in "
            "the median and 49 % at the 90th percentile, first tokens within half.",
            list=joined(each, "; "),
        )
        yield note_data("prefill-apart", text)


def _of_proof(market: Market, front: Front) -> Iterator[dict[str, Any]]:
    """Where the search was stopped before the proof."""
    if not front.complete:
        least = money_words(front.least_missing_cents, market.request.currency)
        text = message(
            "Stopped before the proof: {n} families may still hold better builds, none with parts below {money}.",
            n=front.open, money=least,
        )  # fmt: skip
        yield note_data("not-proven", text, "warning")


def _of_offload(market: Market, front: Front) -> Iterator[dict[str, Any]]:
    """Where experts in host memory were asked for."""
    request, llm = market.request, market.llm
    if request.offload and not llm.is_moe:
        text = message(
            "{model} is dense: it has no routed experts that --offload could put into host memory.", model=llm.id
        )
        yield note_data("offload-dense", text)
    if said := only_experimental(market):
        yield note_data("offload-experimental", said)
    if request.offload and llm.is_moe and not front.points and request.min_tok_s_user > SLOW_TOK_S:
        text = message(
            "Experts in host memory give one user some 3 to 20 tok/s; --min-tok-s-user is {speed}. "
            "Lower it to see slower builds.",
            speed=f"{request.min_tok_s_user:g}",
        )
        yield note_data("offload-slow", text)


def _of_stale_prices(market: Market, front: Front) -> Iterator[dict[str, Any]]:
    """Where a price of any point is older than the policy's freshness."""
    if any(line.stale for p in front.points for line in purchase(market, p.case.build).lines):
        text = message(
            "Some prices are older than the policy's freshness and are marked stale; ask for quotes before ordering."
        )
        yield note_data("stale-prices", text, "warning")


def _of_read_prices(market: Market, front: Front) -> Iterator[dict[str, Any]]:
    """Where no point rests on read prices enough to be named for it, and what to type."""
    orders = [purchase(market, point.case.build) for point in front.points]
    if not orders or any(rests_on_read(price_shares(bought)["read"], market.policy) for bought in orders):
        return
    percent = market.policy.whole("named.read_percent")
    limit, now = 100 - percent, market.request.max_estimated_percent
    if now is not None and now <= limit:
        text = message("No point rests on prices that somebody read for {n} % of its cost.", n=percent)
    else:
        text = message(
            "No point rests on prices that somebody read for {n} % of its cost; type --max-estimated {m}% for builds "
            "with fewer estimates.",
            n=percent, m=limit,
        )  # fmt: skip
    yield note_data("few-read-prices", text)


def _of_lead_times(market: Market, front: Front) -> Iterator[dict[str, Any]]:
    """Where the front ascends in lead times that not every seller states."""
    if market.request.cost_axis != "lead-time":
        return
    lines = [line for point in front.points for line in purchase(market, point.case.build).lines]
    offers = [line.offer for line in lines if line.offer is not None]
    unstated = sum(offer.lead_time_days is None for offer in offers)
    if unstated:
        text = message(
            "Of {all} lines on the front, {unstated} come without a lead time: it is unknown, and counts as 0 days.",
            all=str(len(offers)), unstated=str(unstated),
        )  # fmt: skip
        yield note_data("unknown-lead-times", text, "warning")


def load_messages(market: Market, points: list[dict[str, Any]], chosen: int | None) -> list[dict[str, Any]]:
    """What the request's load asks for, and what it does to the recommended build; empty without a load."""
    load = load_of(market.request, market.policy)
    if load is None:
        return []
    texts = [words(load, market.policy)]
    if chosen is not None:
        chosen_point = points[chosen]
        said = chosen_point["throughput"]
        busiest = queue(load, said["output_tok_s"], said["concurrency"], market.request.osl)
        texts.append(queue_words(chosen_point["id"], busiest))
    return [note_data("load", text) for text in texts]
