"""Prefill and decode on GPUs of their own: the steady state against a simulation, rows of a table, measured runs."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pytest

from catalogs.llm import get
from catalogs.load import Catalog
from constraints.policy import Policy
from optimizer.throughput.calibration import shipped as calibration
from optimizer.throughput.constants import constants
from optimizer.throughput.disaggregated_rows import ALL_COLUMNS, all_answers
from optimizer.throughput.disaggregation import Decode, Prefill, handing_over_s, steady
from optimizer.throughput.shapes import plan_words, shape_of

OSL = 101


@dataclass(frozen=True)
class Steps:
    """Decode whose step takes `fixed_s`, and `user_s` more for each request."""

    fixed_s: float
    user_s: float
    osl: int = OSL

    def tpot_s(self, running: Any) -> Any:
        return self.fixed_s + self.user_s * np.asarray(running)


def halves(prompts: int, prompt_s: float, decodes: int = 2, room: int = 10**6) -> tuple[Prefill, Decode]:
    """`prompts` replicas that take `prompt_s` for each prompt, none of which come at the same time."""
    seconds = np.array([prompt_s])
    decode = Decode(cast(Any, Steps(0.01, 0.0005)), np.array([decodes]), np.array([room]))
    return Prefill(seconds, seconds, seconds * 0, np.array([prompts]), np.array([1]), 0.0), decode


def simulated_s(asked: int, prompts: int, prompt_s: float, decode: Decode, rounds: int = 60) -> float:
    """Requests per second of a closed loop, request by request: each waits for a prompt's place, then is in decode as
    long as the requests that are there make it, then begins anew. The first third is left out."""
    places = [0.0] * prompts
    heapq.heapify(places)
    events = [(float(i) * 1e-3, i) for i in range(asked)]
    heapq.heapify(events)
    leaving: list[float] = []
    done: list[float] = []
    while len(done) < asked * rounds:
        at, request = heapq.heappop(events)
        begin = max(at, heapq.heappop(places))
        first = begin + prompt_s
        heapq.heappush(places, first)
        while leaving and leaving[0] <= first:
            heapq.heappop(leaving)
        last = first + float(decode.after_first_s(np.array([float(len(leaving) + 1)]))[0])
        heapq.heappush(leaving, last)
        done.append(last)
        heapq.heappush(events, (last, request))
    late = sorted(done)[len(done) // 3 :]
    return (len(late) - 1) / (late[-1] - late[0])


@pytest.mark.parametrize("asked", [1, 8, 40, 200])
@pytest.mark.parametrize(("prompts", "prompt_s"), [(1, 0.02), (1, 0.2), (4, 0.2), (2, 1.0)])
def test_the_steady_state_is_that_of_a_simulated_loop(asked: int, prompts: int, prompt_s: float) -> None:
    """Prompts in fixed time queue less than the formula has it, by a fifth at most; the bottleneck is met exactly."""
    prefill, decode = halves(prompts, prompt_s)
    found = steady(prefill, decode, np.array([float(asked)]))
    want = simulated_s(asked, prompts, prompt_s, decode)
    assert 0.8 * want <= found.requests_s[0] <= 1.02 * want
    assert found.requests_s[0] <= prompts / prompt_s
    in_both = found.running[0] + found.requests_s[0] * found.ttft_s[0]
    assert in_both == pytest.approx(asked, rel=1e-6)


def test_more_requests_or_replicas_are_never_slower_and_never_sooner() -> None:
    last = None
    for asked in (1, 2, 5, 17, 64, 300, 2000):
        prefill, decode = halves(3, 0.1)
        found = steady(prefill, decode, np.array([float(asked)]))
        more = steady(*halves(4, 0.1), np.array([float(asked)]))
        assert more.requests_s[0] >= found.requests_s[0] and more.ttft_s[0] <= found.ttft_s[0]
        if last:
            assert found.requests_s[0] >= last.requests_s[0] * (1 - 1e-6)
            assert found.ttft_s[0] >= last.ttft_s[0] * (1 - 1e-6) and found.tpot_s[0] >= last.tpot_s[0] * (1 - 1e-6)
        last = found


def test_requests_beyond_the_room_of_decode_wait() -> None:
    prefill, decode = halves(8, 0.01, room=20)
    full, over = (steady(prefill, decode, np.array([float(asked)])) for asked in (20, 500))
    assert over.requests_s[0] == pytest.approx(full.requests_s[0], rel=0.02)
    assert over.running[0] <= 20 and over.ttft_s[0] > 10 * full.ttft_s[0]


def test_a_prompt_goes_over_the_network_once() -> None:
    """A latent cache whole, keys and values rank by rank: 4,096 tokens of Llama 70B at 50 GB/s a rank."""
    share = constants()["link_share"]
    tp, pp = np.array([1, 8, 8]), np.array([1, 1, 2])
    llama, latent = get("r1-distill-llama-70b"), get("v3-671b")
    one, eight, staged = handing_over_s(llama, 4096, "bf16", tp, pp, 50e9, constants()).tolist()
    assert one == pytest.approx(4096 * 80 * 2 * 8 * 128 * 2 / 50e9 / share)
    assert eight == pytest.approx(one / 8) and staged == pytest.approx(one / 16)
    whole = handing_over_s(latent, 4096, "bf16", tp, pp, 50e9, constants()).tolist()
    assert whole[0] == whole[1] == pytest.approx(4096 * 61 * 576 * 2 / 50e9 / share)


def table(**cells: str | list[str]) -> dict[str, list[str]]:
    """Rows of R1 on two nodes of eight H200, one half each."""
    given = {
        "model": "r1-671b", "precision": "fp8", "gpu": "H200", "isl": "8192", "osl": "1024", "concurrency": "64",
        "disagg": "yes", "prefill_gpus": "8", "decode_gpus": "8", "nodes": "2", **cells,
    }  # fmt: skip
    rows = max(len(cell) if isinstance(cell, list) else 1 for cell in given.values())
    return {column: cell if isinstance(cell, list) else [cell] * rows for column, cell in given.items()}


def test_rows_of_two_halves_stand_beside_the_others(shipped: Catalog) -> None:
    columns = table(
        disagg=["yes", "no", "YES", ""], n_gpus=["", "16", "16", "16"], tp=["", "", "", "8"],
        prefill_plan=["tp8", "", "dp8 ep8", ""], decode_plan=["dp8 ep8", "", "", ""],
        prefill_gpus=["8", "", "8", ""], decode_gpus=["8", "", "8", ""],
    )  # fmt: skip
    found = all_answers(columns, shipped, Policy(), calibration())
    assert found.errors == ("", "", "", "")
    assert found.plan[0] == "prefill tp8, decode dp8 ep8" and found.plan[2].startswith("prefill dp8 ep8, decode ")
    assert (
        found.basis[0] == found.basis[2] == "roofline" and "decode" not in found.plan[1] and found.plan[3] == "tp8 x2"
    )
    assert (found.low < found.output_tok_s).all() and (found.output_tok_s < found.high).all()
    alone = all_answers({c: x[3:] for c, x in columns.items()}, shipped, Policy(), calibration())
    assert alone.output_tok_s[0] == found.output_tok_s[3]


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ({"prefill_gpus": ""}, "each needs a whole number"),
        ({"prefill_gpus": "7.5", "decode_gpus": "8.5"}, "each needs a whole number"),
        ({"decode_gpus": "0"}, "each needs a whole number"),
        ({"prefill_gpus": "-8"}, "each needs a whole number"),
        ({"prefill_gpus": "many"}, "each needs a whole number"),
        ({"prefill_gpus": "10000000"}, "each needs a whole number"),
        ({"nodes": "two"}, "nodes: needs a whole number"),
        ({"nodes": "0"}, "nodes: needs a whole number"),
        ({"n_gpus": "24"}, "prefill_gpus + decode_gpus = 16, n_gpus 24"),
        ({"prefill_plan": "tp8tp4"}, "is no plan such as tp8"),
        ({"decode_plan": "eight"}, "is no plan such as tp8"),
        ({"decode_plan": "tp5"}, "does not divide n_gpus 8"),
        ({"disagg": "maybe"}, "is none of yes, no"),
        ({"decode_gpus": "2"}, "memory"),
        ({"engine": "llama.cpp"}, "serve prefill and decode apart"),
        ({"prefix_cache": "140%"}, "is none of no, yes, 0% to 100%"),
        ({"network": "fast"}, "is none of Gbit/s"),
        ({"disagg": ""}, "are of rows with disagg yes"),
        ({"concurrency": "-1"}, "concurrency: needs a number"),
        ({"concurrency": "many"}, "concurrency: needs a number"),
        ({"model": "qwen3-8b", "precision": "bf16", "spec": "mtp2"}, "no module for several tokens"),
        ({"spec": "mtp12"}, "mtp1 to mtp9"),
    ],
)
def test_wrong_halves_are_refused(cells: dict[str, str], said: str, shipped: Catalog) -> None:
    found = all_answers(table(**cells), shipped, Policy(), calibration())
    assert said in found.errors[0] and np.isnan(found.output_tok_s[0]) and not found.basis[0]


def test_columns_of_two_halves_are_physics(shipped: Catalog) -> None:
    """A slow network delays the first token alone, cached prompts and proposed tokens speed both halves up."""
    columns = table(
        network=["400", "10", "", ""], prefix_cache=["", "", "75%", ""], spec=["", "", "", "mtp2"], prefill_plan="tp8",
        decode_plan="tp8",
    )  # fmt: skip
    found = all_answers(columns, shipped, Policy(), calibration())
    plain, slow, cached, proposing = range(4)
    assert found.ttft_ms[slow] > found.ttft_ms[plain] > found.ttft_ms[cached]
    assert found.output_tok_s[cached] > found.output_tok_s[plain] > found.output_tok_s[slow]
    assert found.tpot_ms[proposing] < found.tpot_ms[plain] and found.output_tok_s[proposing] > found.output_tok_s[plain]


@pytest.mark.parametrize(
    ("words", "shape"),
    [("tp8", (8, 1, 1, 1)), ("dp8 ep8", (1, 1, 8, 8)), ("EP16 dp16", (1, 1, 16, 16)), ("tp4pp2", (4, 2, 1, 1)),
     ("", None), ("tp0", None), ("tp8 x2", None), ("tp2 tp4", None), ("8", None)],
)  # fmt: skip
def test_plans_in_words(words: str, shape: tuple[int, ...] | None) -> None:
    assert shape_of(words) == shape
    if shape:
        assert shape_of(plan_words((*shape, 1))) == shape and plan_words((*shape, 3)).endswith(" x3")


def test_a_row_without_a_number_of_requests_is_in_balance(shipped: Catalog) -> None:
    """As many as decode has room for, unless they only queued for their prompts."""
    columns = table(concurrency=["", "1", "20000"], prefill_plan="tp8", decode_plan="dp8 ep8", isl="2048")
    found = all_answers(columns, shipped, Policy(), calibration())
    most, one, queueing = found.output_tok_s.tolist()
    assert one < most <= queueing * 1.001 and most >= 0.9 * queueing
    assert found.ttft_ms[0] < 0.2 * found.ttft_ms[2]


def test_tables_without_rows_of_two_halves_or_any(shipped: Catalog) -> None:
    none = all_answers(table(disagg="no", prefill_gpus="", decode_gpus="", n_gpus="8", nodes="1"), shipped, Policy(),
                       calibration())  # fmt: skip
    assert none.errors == ("",) and none.output_tok_s[0] > 0
    empty = all_answers({column: [] for column in table()}, shipped, Policy(), calibration())
    assert empty.errors == () and not len(empty.output_tok_s)


def test_columns_are_named_once() -> None:
    assert len(set(ALL_COLUMNS)) == len(ALL_COLUMNS)
