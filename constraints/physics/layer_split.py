"""Layers of a model on unlike cards, one card after the other, as llama.cpp splits them (`--split-mode layer`): how
many each card takes, and what it then holds.

llama.cpp keeps the embedding in host memory and counts the output head as one layer more behind the last: of n layers,
layer i lies on the first card whose share of --tensor-split, summed up to it, is above i / (n + 1)
(ggml-org/llama.cpp, src/llama-model.cpp, get_layer_buft_list; docs/multi-gpu.md: the cache of a layer lies beside it).
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from catalogs.llm import Llm
from catalogs.schema import Gpu
from constraints.physics.reserve import reserve_bytes, usable_bytes
from constraints.plan import Plan, Stage
from constraints.policy import Policy


@dataclass(frozen=True)
class LayerBytes:
    """Bytes of each layer in order: all weights (the last with the output head), those of routed experts among them,
    and the KV cache and running state of one request."""

    weights: tuple[int, ...]
    experts: tuple[int, ...]
    request: tuple[int, ...]


@dataclass(frozen=True)
class CardLoad:
    """What a card of a mix holds, in bytes. `layers` count from 0; `room`: all that the card offers."""

    gpu: Gpu
    layers: range
    weights: int
    kv: int
    reserve: int
    room: int

    @property
    def needed(self) -> int:
        return self.weights + self.kv + self.reserve


@lru_cache(maxsize=256)
def layer_bytes(llm: Llm, precision: str, kv: str, tokens: int) -> LayerBytes:
    """Bytes of the layers of a model in a kind of GGUF file, requests of `tokens` with a KV cache in `kv`."""
    weights = list(llm.layer_bytes(precision))
    weights[-1] += llm.head_bytes(precision)
    request = (llm.kv_rank_bytes(tokens, kv, 1, range(place, place + 1)) for place in range(llm.layers))
    return LayerBytes(tuple(weights), llm.expert_layer_bytes(precision), tuple(request))


def filled(each: LayerBytes, users: int, rooms: Sequence[int]) -> tuple[int, ...] | None:
    """Layers that each card takes, one at least, where the first cards are filled first: `rooms` in bytes, in the order
    of cards, with `users` requests at once. None where no cut in this order holds all layers."""
    needs = [weights + users * request for weights, request in zip(each.weights, each.request, strict=True)]
    counts, place = [], 0
    for behind, room in zip(reversed(range(len(rooms))), rooms, strict=True):
        first, used = place, 0
        while place < len(needs) - behind and used + needs[place] <= room:
            used += needs[place]
            place += 1
        counts.append(place - first)
    if place == len(needs) and all(counts):
        return tuple(counts)
    return _leaving_some(needs, rooms)


def _leaving_some(needs: Sequence[int], rooms: Sequence[int]) -> tuple[int, ...] | None:
    """The same where a card filled to the brim would leave the next one none that it holds: each card takes the most
    layers behind which those after it hold all others."""
    before = [0, *itertools.accumulate(needs)]
    held_from: list[set[int]] = [{len(needs)}]
    """Places from which the last cards hold all layers, by their number."""
    for room in reversed(rooms):
        ends = held_from[-1]
        held_from.append(
            {
                place
                for place in range(len(needs))
                if any(end > place and before[end] - before[place] <= room for end in ends)
            }
        )
    if 0 not in held_from[-1]:
        return None
    counts, place = [], 0
    for room, ends in zip(rooms, held_from[-2::-1], strict=True):
        end = max(end for end in ends if end > place and before[end] - before[place] <= room)
        counts.append(end - place)
        place = end
    return tuple(counts)


def by_memory(layers: int, rooms: Sequence[int]) -> tuple[int, ...]:
    """Layers of each card where llama.cpp is told nothing: in proportion to the memory free on them, the output head
    counted as one more layer."""
    ends = list(itertools.accumulate(max(0, room) for room in rooms))
    firsts = [-(-end * (layers + 1) // ends[-1]) for end in (0, *ends)]
    return tuple(min(last, layers) - min(first, layers) for first, last in itertools.pairwise(firsts))


def runs(counts: Sequence[int]) -> list[range]:
    """The layers of each card, counted from 0."""
    ends = list(itertools.accumulate(counts))
    return [range(end - count, end) for end, count in zip(ends, counts, strict=True)]


def card_loads(llm: Llm, policy: Policy, plan: Plan, gpus: Mapping[str, Gpu], tokens: int) -> list[CardLoad]:
    """What each stage of a mix holds with the plan's requests of `tokens` at once; `gpus` by their id."""
    each = layer_bytes(llm, plan.precision, plan.kv_precision, tokens)
    found = []
    for stage, run in zip(plan.stages, runs([stage.layers for stage in plan.stages]), strict=True):
        gpu, held = gpus[stage.gpu], slice(run.start, run.stop)
        kv = plan.concurrency * sum(each.request[held])
        reserve, room = reserve_bytes(gpu, policy, plan.precision), usable_bytes(gpu)
        found.append(CardLoad(gpu, run, sum(each.weights[held]), kv, reserve, room))
    return found


def tensor_split(stages: Sequence[Stage]) -> list[int]:
    """What --tensor-split is told: the layers of each card, the output head as one more on the last."""
    return [*(stage.layers for stage in stages[:-1]), stages[-1].layers + 1]
