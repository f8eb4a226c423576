"""Loads far beyond the measured ones: their basis, their interval, and what the answers say of them."""

from __future__ import annotations

import json

import pytest

from catalogs.load import Catalog
from catalogs.schema import Gpu
from constraints.policy import Policy
from optimizer.throughput import calibration, interval
from optimizer.throughput.answers import answers
from optimizer.throughput.batch import prepare
from tests.support.commands import dsopt


def of_gpus(shipped: Catalog, gpu: str) -> Gpu:
    part = shipped.parts[gpu]
    assert isinstance(part, Gpu)
    return part


EXPERTS = ("deepseek-v3-61x7168x256", "gpt-oss-36x2880x128", "qwen3-moe-94x4096x128")
DENSE = ("llama-80x8192x0", "qwen3-64x5120x0")


def test_a_mixture_of_experts_far_beyond_the_measured_loads_is_a_roofline_with_no_narrower_interval(
    shipped: Catalog,
) -> None:
    known = calibration.shipped()
    judged = 0
    for gpu in (part for part in shipped.parts.values() if isinstance(part, Gpu)):
        most = known.most_measured(gpu)
        for model in EXPERTS:
            near, far = (known.fact(model, gpu, (), 1, per_gpu=interval.FAR * most + more) for more in (0, 0.01))
            assert far.basis == "roofline" and far.low <= near.low and far.high >= near.high, (gpu.id, model)
            judged += near.basis != far.basis
        for model in DENSE:  # their errors do not grow: the largest load is judged as the least
            assert known.fact(model, gpu, (), 1, per_gpu=1e6) == known.fact(model, gpu, (), 1), (gpu.id, model)
    assert judged, "some figure loses its basis by load alone"


def test_amd_beyond_its_loads_reaches_further_down_and_no_further_up(shipped: Catalog) -> None:
    known = calibration.shipped()
    gpu = of_gpus(shipped, "amd-mi355x-288gb")
    near, far = (known.fact(EXPERTS[0], gpu, (), 1, per_gpu=load) for load in (32, 250))
    assert (near.basis, far.basis) == ("interpolated", "roofline")
    assert far.low < near.low - 0.05 and far.high == near.high


def test_a_measured_load_beyond_the_others_is_a_measurement(shipped: Catalog) -> None:
    gpu, setup = of_gpus(shipped, "amd-mi355x-288gb"), (EXPERTS[0], "fp8", "bf16", "amd-mi355x-288gb", 1, 1, 8, 8)
    point = calibration.Point(2000.0, -0.4, "mine")
    own = calibration.shipped().with_points(
        [(calibration.Setup(*setup, 1024, 1024), point)], interval.Seen(frozenset(), frozenset(), frozenset())
    )
    assert own.fact(EXPERTS[0], gpu, (point,), 2000, per_gpu=250).basis == "measured"
    assert own.most_measured(gpu) == 250, "one's own run reaches as far for the other plans of the stack"
    assert own.fact(EXPERTS[0], gpu, (), 2000, per_gpu=250).basis == "interpolated"


def test_a_table_and_a_planner_say_the_same_of_far_loads(shipped: Catalog) -> None:
    """`size --batch` reads the load of its own candidates, the front that of its plans."""
    columns = {"model": ["r1-671b"] * 2, "precision": ["fp8"] * 2, "gpu": ["MI350X"] * 2, "n_gpus": ["8"] * 2,
               "tp": ["1"] * 2, "pp": ["1"] * 2, "dp": ["8"] * 2, "ep": ["1"] * 2, "isl": ["1024"] * 2,
               "osl": ["1024"] * 2, "concurrency": ["256", "1600"]}  # fmt: skip
    found = answers(prepare(columns, shipped, Policy()), calibration.shipped())
    assert found.errors == ("", "") and found.basis == ("interpolated", "roofline")
    low = found.low / found.output_tok_s
    assert low[1] < low[0]


BUDGET = ("--model", "v2-670b", "--budget", "300000")


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_front_names_its_points_beyond_the_measured_loads(shipped: Catalog, lang: str) -> None:
    """Exactly the points whose plan puts more than twice the measured requests on each GPU are named, and are
    rooflines."""
    data = json.loads(dsopt("--lang", lang, "solve", *BUDGET, "--json").stdout)
    known = calibration.shipped()
    (note,) = (m["text"] for m in data["messages"] if m["code"] == "beyond-measured-load")
    far = set()
    for place, point in enumerate(data["front"], 1):
        gpu = of_gpus(shipped, point["gpus"]["part"])
        per_gpu = point["throughput"]["concurrency"] / point["gpus"]["total"]
        if known.beyond(EXPERTS[0], gpu, per_gpu):
            far.add(f"p{place}")
            assert point["throughput"]["basis"] == "roofline" and f"{per_gpu:,.0f}" in note, note
    assert far and far == {f"p{place}" for place in range(1, 20) if f"p{place}" in note}, note


def test_size_says_it_of_its_load(shipped: Catalog) -> None:
    asked = ("size", "--model", "r1-671b", "--gpu", "8xMI350X", "--json")
    (setup,) = json.loads(dsopt(*asked).stdout)["setups"]
    assert setup["basis"] == "roofline" and "at most 64 measured" in setup["beyond"]
    assert setup["table"][0]["basis"] == "interpolated"
    (few,) = json.loads(dsopt(*asked, "--users", "64", "--min-tok-s-user", "30").stdout)["setups"]
    assert few["basis"] == "interpolated" and few["beyond"] == ""


def test_what_serves_users_at_its_low_end_follows_the_load(shipped: Catalog) -> None:
    """Eight MI350X serve 1,000 users, 125 on each, at the lower end. 1,060 would be served by the interval of nearer
    loads as well; held-out runs so far out were slower than said, so that more hardware is recommended."""
    ample = calibration.shipped().width("model-or-gpu", of_gpus(shipped, "amd-mi350x-288gb")).low
    for users, served in ((1000, True), (1060, False)):
        asked = ("solve", "--model", "v2-670b", "--users", str(users), "--gpu", "MI350X", "--budget", "800000")
        data = json.loads(dsopt(*asked, "--json").stdout)
        one = data["front"][0]
        assert one["gpus"]["total"] == 8 and one["throughput"]["at_load"]["per_user_tok_s"] * ample >= 10
        assert (data["recommended"] == one["id"]) == served, (users, data["recommended"])
