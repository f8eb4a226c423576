"""A mix of unlike cards on llama.cpp: which layers go to which card, what each holds, the time of the stages in sum."""

from __future__ import annotations

import itertools
from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from catalogs.inputs import shipped_rows
from catalogs.llm import get
from catalogs.load import Catalog, load
from catalogs.schema import Gpu
from constraints.physics.layer_split import (
    LayerBytes,
    by_memory,
    card_loads,
    filled,
    layer_bytes,
    runs,
    tensor_split,
)
from constraints.physics.reserve import free_bytes
from constraints.plan import Plan, Stage
from constraints.policy import Policy
from constraints.request import Request
from constraints.rules.software import mix_fault
from optimizer.throughput.calibration import shipped
from optimizer.throughput.constants import DATA
from optimizer.throughput.file_kinds import in_file_kinds
from optimizer.throughput.jobs import pcie_b_s
from optimizer.throughput.mix import InTurn, MixPlanner
from tests.throughput.test_file_kinds import pieces

DAY = date(2026, 11, 24)
TEN = LayerBytes(weights=(2,) * 9 + (3,), experts=(0,) * 10, request=(1,) * 10)
"""Ten layers of 2 bytes, the last with an output head of 1, and 1 byte of KV cache a request and layer."""


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load()


def planner(catalog: Catalog, cards: str, model: str = "r1-distill-llama-70b", **asked: Any) -> MixPlanner:
    """The planner of cards whose names stand between `|`."""
    gpus = [catalog.find(name) for name in cards.split("|")]
    request = Request(model=model, as_of=DAY, **{"precision": "q4_k_m", **asked})
    return MixPlanner(get(model), request, Policy(), shipped(), [gpu for gpu in gpus if isinstance(gpu, Gpu)])


@pytest.mark.parametrize(
    ("users", "rooms", "counts"),
    [
        (0, (8, 6, 8), (4, 3, 3)),  # 8 of 8, 6 of 6, 2 + 2 + 3 of 8
        (0, (100, 6, 8), (8, 1, 1)),  # the first could hold all: one layer is left for each of the others
        (1, (9, 9, 13), (3, 3, 4)),  # 9 of 9, 9 of 9, 3 x 3 + 4 of 13
        (1, (9, 9, 12), None),  # the last layer and the head need 13
        (0, (8, 1, 100), None),  # the second holds no layer
    ],
)
def test_the_first_card_is_filled_first(users: int, rooms: tuple[int, ...], counts: tuple[int, ...] | None) -> None:
    assert filled(TEN, users, rooms) == counts


@example([1, 1, 2, 1], [2, 1, 3], 0)  # the first card leaves the second a layer that it holds
@given(
    st.lists(st.integers(1, 9), min_size=3, max_size=7),
    st.lists(st.integers(0, 20), min_size=2, max_size=3),
    st.integers(0, 2),
)
def test_a_cut_is_found_wherever_there_is_one(weights: list[int], rooms: list[int], users: int) -> None:
    each = LayerBytes(tuple(weights), (0,) * len(weights), (1,) * len(weights))

    def holds(counts: tuple[int, ...]) -> bool:
        needs = [sum(weights[run.start : run.stop]) + users * len(run) for run in runs(counts)]
        return all(need <= room for need, room in zip(needs, rooms, strict=True))

    cuts = [
        tuple(end - start for start, end in itertools.pairwise((0, *inner, len(weights))))
        for inner in itertools.combinations(range(1, len(weights)), len(rooms) - 1)
    ]
    fitting = [counts for counts in cuts if holds(counts)]
    found = filled(each, users, rooms)
    assert (found is None) == (not fitting)
    assert found is None or found == max(fitting)  # the most layers on the first card, then on the second


@pytest.mark.parametrize("counts", [(36, 24, 20), (78, 1, 1), (30, 51)])
def test_llama_cpp_places_layers_as_the_plan_counts_them(counts: tuple[int, ...]) -> None:
    """--tensor-split as llama.cpp reads it: floats, layer i of n on the first card whose sum of shares is above
    i / (n + 1), the output head as layer n."""
    told = tensor_split([Stage("card", count) for count in counts])
    ends = np.cumsum(np.array(told, np.float32)) / np.float32(sum(told))
    layers = sum(counts)
    on = [int(np.searchsorted(ends, np.float32(i) / np.float32(layers + 1), side="right")) for i in range(layers + 1)]
    assert on[:-1] == [card for card, count in enumerate(counts) for _ in range(count)]
    assert on[-1] == len(counts) - 1


def test_by_memory_is_what_llama_cpp_does_untold() -> None:
    assert by_memory(80, [24, 12, 12]) == (41, 20, 19)  # 40.5 and 20.25 of 81, the last with the head
    assert by_memory(3, [1, 1]) == (2, 1)


def test_a_card_holds_its_layers_and_their_cache(catalog: Catalog) -> None:
    """R1-Distill-Llama-70B by hand: a layer's cache of 2,048 tokens is 2 x 8 x 128 x 2 bytes x 2,048 = 8,388,608."""
    llm, policy = get("r1-distill-llama-70b"), Policy()
    plan = Plan(
        "q4_k_m",
        "bf16",
        1,
        2,
        1,
        1,
        1,
        3,
        stages=(Stage("nvidia-rtx-5090-32gb", 50), Stage("nvidia-rtx-3090-24gb", 30)),
    )
    gpus: Any = {stage.gpu: catalog.parts[stage.gpu] for stage in plan.stages}
    first, last = card_loads(llm, policy, plan, gpus, 2048)
    assert (first.kv, last.kv) == (3 * 50 * 8_388_608, 3 * 30 * 8_388_608)
    assert first.layers == range(50) and last.layers == range(50, 80)
    assert first.weights == sum(llm.layer_bytes("q4_k_m")[:50])
    assert first.weights + last.weights == llm.weight_bytes("q4_k_m")
    assert first.reserve == 1_080_000_000 and (first.room, last.room) == (32 * 10**9, 24 * 10**9)


def alone(found: MixPlanner, kind: str, counts: tuple[int, ...]) -> InTurn:
    return found._times(kind, counts)


def test_equal_cards_take_as_long_as_a_pipeline_of_them(catalog: Catalog) -> None:
    mixed = planner(catalog, "RTX 3090|RTX 3090|RTX 3090|RTX 3090")
    cut, pipe = alone(mixed, "q4_k_m", (20, 20, 20, 20)), pieces(
        catalog, "r1-distill-llama-70b", "q4_k_m", "RTX 3090", 4, 1024, 1024
    )  # fmt: skip
    for running in (1, 8, 32):
        assert float(cut.step_s(running)) == pytest.approx(float(pipe.step_s(running)[0]), rel=0.005)
        assert float(cut.ttft_s(running)) == pytest.approx(float(pipe.ttft_s(running)[0]), rel=0.02)


def test_a_step_is_the_sum_of_the_stages(catalog: Catalog) -> None:
    """Of Llama-70B in layers alone: 50 layers read by an RTX 5090, 30 by an RTX 3090, each at its own speed."""
    mixed = planner(catalog, "RTX 5090|RTX 3090")
    fast, slow = (
        float(pieces(catalog, "r1-distill-llama-70b", "q4_k_m", card, 1, 1024, 1024).step_s(1)[0])
        for card in ("RTX 5090", "RTX 3090")
    )
    assert float(alone(mixed, "q4_k_m", (50, 30)).step_s(1)) == pytest.approx(fast * 50 / 80 + slow * 30 / 80, rel=0.03)
    # More layers on the slow card take longer.
    assert float(alone(mixed, "q4_k_m", (40, 40)).step_s(1)) > float(alone(mixed, "q4_k_m", (50, 30)).step_s(1))


def test_the_slowest_card_holds_up_a_long_prompt(catalog: Catalog) -> None:
    """Of 16 pieces the first passes both cards, the other 15 wait for the slower one."""
    cut = alone(planner(catalog, "RTX 5090|RTX 3060", isl=16 * 512), "q4_k_m", (60, 20))
    expected = (cut.prompt_s.sum() + 15 * cut.prompt_s.max()) / 16
    assert cut.prefill_s == pytest.approx(expected)
    assert cut.prompt_s.max() < cut.prefill_s < cut.prompt_s.sum()


@pytest.mark.parametrize("run", shipped_rows(DATA / "mix_measured.csv"), ids=lambda run: run["id"])
def test_published_mixes_lie_within_the_interval(catalog: Catalog, run: dict[str, str]) -> None:
    found = planner(catalog, run["cards"], run["model"], precision=run["precision"], isl=64, osl=256)
    rooms = [free_bytes(card, Policy(), run["precision"]) for card in found.cards]
    counts = by_memory(found.llm.layers, rooms)
    ratio = float(run["decode_tok_s"]) * float(alone(found, run["precision"], counts).step_s(1))
    fact = in_file_kinds()
    assert fact.low <= ratio <= fact.high


def test_two_slow_cards_cost_a_fast_one_what_was_published(catalog: Catalog) -> None:
    """The same rig (r/LocalLLaMA, episode 3): Qwen3-8B 82 tok/s on the RTX 3090 alone and 48 over all three, Qwen3-14B
    48 and 28. What a card alone does is off by its generation's constant; what the slow cards take away is not."""
    for model, on_one, on_three in (("qwen3-8b", 82, 48), ("qwen3-14b", 48, 28)):
        found = planner(catalog, "RTX 3090|RTX 3060|RTX 3060", model, isl=64, osl=256)
        layers = found.llm.layers
        shared = float(alone(found, "q4_k_m", by_memory(layers, [24, 12, 12])).step_s(1))
        single = float(pieces(catalog, model, "q4_k_m", "RTX 3090", 1, 64, 256).step_s(1)[0])
        assert single / shared == pytest.approx(on_three / on_one, rel=0.05)


def test_the_best_plan_fits_and_meets_what_is_asked(catalog: Catalog) -> None:
    found = planner(catalog, "RTX 4060 Ti 16GB|RTX 3090|RTX 4060 Ti 16GB", min_tok_s_user=5)
    row = found.row()
    assert row is not None
    assert row.plan.stages[0].gpu == "nvidia-rtx-3090-24gb"  # the fastest first
    assert sum(stage.layers for stage in row.plan.stages) == 80 and row.perf.per_user_tok_s >= 5
    gpus = {card.id: card for card in found.cards}
    assert all(load.needed <= load.room for load in card_loads(found.llm, Policy(), row.plan, gpus, 2048))
    served = planner(catalog, "RTX 4060 Ti 16GB|RTX 3090|RTX 4060 Ti 16GB", min_tok_s_user=1, users=12).row()
    assert served is not None and served.plan.concurrency >= 12
    assert planner(catalog, "RTX 4060 Ti 16GB|RTX 3090|RTX 4060 Ti 16GB", users=100).row() is None


def test_no_plan_beats_the_best_one(catalog: Catalog) -> None:
    """Every number of requests at once and every cut of a small mix by brute force; the planner looks at those cuts
    alone in which the fastest card is filled."""
    found = planner(catalog, "RTX 3090|RTX 3060", "qwen3-14b", min_tok_s_user=20, isl=64, osl=256)
    row = found.row()
    assert row is not None
    each = layer_bytes(found.llm, "q4_k_m", "bf16", 320)
    rooms = [free_bytes(card, Policy(), "q4_k_m") for card in found.cards]
    best = 0.0
    for first in range(1, found.llm.layers):
        counts = (first, found.llm.layers - first)
        times, users = alone(found, "q4_k_m", counts), 1
        while users <= 256 and float(times.tpot_s(users)) <= 1 / 20:
            needs = [
                sum(each.weights[run.start : run.stop]) + users * sum(each.request[run.start : run.stop])
                for run in runs(counts)
            ]
            if any(need > room for need, room in zip(needs, rooms, strict=True)):
                break
            best = max(best, users * 256 / float(times.request_s(users)))
            users += 1
    assert row.perf.tenths / 10 == pytest.approx(best, rel=0.1) and row.perf.tenths / 10 <= best + 0.1


@pytest.mark.parametrize(
    ("cards", "precision", "why"),
    [
        ("RTX 3090|RTX A6000", "bf16", "GGUF"),
        ("RTX 3090|Radeon AI PRO R9700", "q4_k_m", "AMD and NVIDIA"),
        ("RTX 3090|H100 SXM", "q4_k_m", "no single card"),
        ("RTX 3090|M3 Ultra", "q4_k_m", "Apple"),
        ("|".join(["RTX 3090"] * 16 + ["RTX 5090"]), "q4_k_m", "more than the 16"),
    ],
)
def test_what_no_engine_starts_is_said(catalog: Catalog, cards: str, precision: str, why: str) -> None:
    found = planner(catalog, cards, precision=precision)
    assert why in mix_fault(found.llm, found.cards, precision, found.request)
    assert found.precisions == [] and found.row() is None


def test_a_card_of_eight_lanes_has_half_the_link(catalog: Catalog) -> None:
    """RTX 4060 Ti: PCIe 4.0 x8 (TechPowerUp), 15.75 GB/s, whatever the slot offers."""
    narrow, wide = catalog.find("RTX 4060 Ti 16GB"), catalog.find("RTX 4090")
    assert isinstance(narrow, Gpu) and isinstance(wide, Gpu)
    constants = shipped().constants
    assert pcie_b_s(narrow, 4, 16, constants) == pcie_b_s(wide, 4, 8, constants) == pcie_b_s(wide, 4, 16, constants) / 2
    assert pcie_b_s(narrow, 4, 4, constants) == pcie_b_s(wide, 4, 4, constants)
