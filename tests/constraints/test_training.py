"""Training: memory by hand, published runs, the sense of the model, and the command on the shipped catalog."""

from __future__ import annotations

import json
import math
import statistics
from dataclasses import replace
from fractions import Fraction
from typing import Any

import jsonschema
import pytest

from catalogs.errors import InputError
from catalogs.llm import get
from catalogs.load import Catalog
from catalogs.schema import Gpu
from constraints.physics.reserve import usable_bytes
from constraints.physics.training import (
    adapter_params,
    base_precisions,
    checkpoint_bytes,
    footprint,
    gathered_bytes,
    layer_activation_bytes,
    sequence_bytes,
)
from constraints.plan import Plan, RowKey, Training
from constraints.policy import Policy
from constraints.request import Request
from optimizer.throughput.training import DATA_FIELDS, flops_per_token, tokens_s
from optimizer.throughput.training_plans import TrainingPlanner
from tests.conftest import AS_OF
from tests.support.commands import DAY, answer, dsopt
from tests.support.long import one_in
from tests.support.published_training import DOCS, Run, model, runs, table
from tests.support.seen import Seen

A100 = "nvidia-a100-pcie-80gb"
LORA = ("--workload", "finetune-lora", "--model", "r1-33b", "--budget", "300000")


def request(workload: str, name: str = "r1-33b", **fields: Any) -> Request:
    return Request(model=name, as_of=AS_OF, workload=workload, **fields)  # type: ignore[arg-type]


def row_key(gpu: Gpu, per_node: int, nodes: int = 1, gbit_s: int = 400) -> RowKey:
    domain = min(gpu.wired_domain_gpus, per_node)
    host = (0, 0) if domain >= per_node else (gpu.pcie_gen or 4, 16)
    net = ("rdma", gbit_s) if nodes > 1 else ("none", 0)
    return RowKey(gpu.id, gpu.tdp_w or 1, per_node, nodes, domain, *host, *net)


# Memory -------------------------------------------------------------------------------------------------------------


def test_states_are_16_bytes_a_parameter(shipped: Catalog) -> None:
    """33 B parameters: 528 GB of weights, gradients and states; on two A100 80GB 264 GB each, before activations."""
    gpu: Any = shipped.parts[A100]
    plan = Plan("bf16", "bf16", 1, 1, 2, 1, 1, 2, Training(2, 1, True))
    f = footprint(gpu, get("r1-33b"), Policy(), plan, request("finetune-full"))
    assert f.weights == 33 * 10**9
    assert f.states == 231 * 10**9
    assert f.weights + f.states == 16 * 33 * 10**9 // 2
    assert f.total > usable_bytes(gpu)


def test_lora_of_33b_fits_two_a100(shipped: Catalog) -> None:
    """The guide's two A100 80GB: 33 GB of frozen weights each, adapters of 16 ranks, 4096 tokens checkpointed."""
    gpu: Any = shipped.parts[A100]
    llm = get("r1-33b")
    plan = Plan("bf16", "bf16", 1, 1, 2, 1, 1, 2, Training(2, 1, True))
    f = footprint(gpu, llm, Policy(), plan, request("finetune-lora"))
    assert f.weights == 33 * 10**9
    h, kv, ffn, vocab = 5120, 1024, 27648, 152064
    adapters = 64 * 16 * ((h + h) * 2 + (h + kv) * 2 + (h + ffn) * 3) * llm.scale
    assert f.states == -(-16 * int(adapters) // 2)
    layer = 4 * h + 2 * h + 2 * (2 * h + 2 * kv) + h + 2 * h + 6 * ffn + h
    assert f.activations == 4096 * (64 * 2 * h + layer + 4 * vocab + 4 * h)
    assert f.total < usable_bytes(gpu)


@pytest.mark.parametrize(("workload", "fits"), [("finetune-lora", True), ("finetune-full", False)])
def test_guide_on_two_a100(shipped: Catalog, workload: str, fits: bool) -> None:
    gpu: Any = shipped.parts[A100]
    planner = TrainingPlanner(get("r1-33b"), request(workload), Policy())
    assert bool(planner.rows(gpu, [row_key(gpu, 2)])) == fits


def test_guide_training_of_670b_on_eight_h100_is_off_by_an_order(shipped: Catalog) -> None:
    gpu: Any = shipped.parts["nvidia-h100-sxm5-80gb"]
    llm = get("v2-670b")
    planner = TrainingPlanner(llm, request("train", "v2-670b"), Policy())
    assert planner.rows(gpu, [row_key(gpu, 8)]) == []
    assert 16 * llm.params_total > 16 * 8 * gpu.vram_gb * 10**9


def test_activations_are_34_bytes_per_token_and_unit_of_the_papers_layer() -> None:
    """Equal attention widths and a 4h ungated part: two intermediates of 4h stand for 8/3 h x 3 of a gated one."""
    paper = model("shape:6144/8/48/48/16384/51200")
    assert layer_activation_bytes(paper) == (34 * 6144,) * 8


def test_checkpointing_saves_most_of_the_activations() -> None:
    """The guide says 70 %; with one layer at work it is more. Logits, which it does not touch, are counted apart."""
    llm = get("r1-33b")
    logits = 4096 * (4 * 152064 + 4 * 5120)
    plain, again = (sequence_bytes(llm, 4096, x, 1) - logits for x in (False, True))
    assert 0.70 <= 1 - again / plain <= 0.99


def test_checkpointing_costs_a_forward() -> None:
    full = flops_per_token(get("r1-33b"), 0, 4096, True) / flops_per_token(get("r1-33b"), 0, 4096, False)
    assert full == pytest.approx(4 / 3, abs=1e-6)
    lora = flops_per_token(get("r1-33b"), 16, 4096, False) / flops_per_token(get("r1-33b"), 0, 4096, False)
    assert 0.66 <= lora <= 0.70


def test_experts_have_states_but_only_active_ones_activations() -> None:
    llm = get("v3-671b")
    assert checkpoint_bytes(llm, request("train", "v3-671b"), Policy()) == 14 * llm.params_total
    dense = 10 * 7168 + 4 * 128 * (192 + 128) + 6 * 18432
    routed = 10 * 7168 + 4 * 128 * (192 + 128) + 6 * 2048 * 9
    assert layer_activation_bytes(llm) == (dense,) * 3 + (routed,) * 58
    assert adapter_params(llm, 16) < llm.params_total / 1000


MEASURED_GB = {"Qwen-7B LoRA 2K": 23.8, "Qwen-7B LoRA 4K": 29.7, "Qwen-7B Q-LoRA 4K": 16.9, "Qwen-14B LoRA 4K": 42.5,
               "Qwen-14B Q-LoRA 4K": 23.0}  # fmt: skip
"""Peak GPU memory that the Qwen README publishes beside the speeds."""


@pytest.fixture(scope="module")
def published() -> list[Run]:
    return list(runs())


@pytest.mark.parametrize("name", MEASURED_GB)
def test_memory_of_published_fine_tuning(published: list[Run], name: str) -> None:
    run = next(r for r in published if r.name == name)
    f = footprint(run.gpu, run.llm, Policy(), run.plan, run.request)
    assert f.total / 1e9 == pytest.approx(MEASURED_GB[name], rel=0.15)


def test_published_runs_on_one_node_fit(published: list[Run]) -> None:
    """What MosaicML ran with this micro-batch on 80 GB cards, the memory model admits."""
    for run in published:
        if run.source.startswith("MosaicML"):
            f = footprint(run.gpu, run.llm, Policy(), run.plan, run.request)
            assert f.total <= usable_bytes(run.gpu), run.name


# Speed --------------------------------------------------------------------------------------------------------------


def test_published_runs_within_a_stated_factor(published: list[Run]) -> None:
    """docs/training.md: no checked run off by more than 1.7, the median error of runs not fitted to under 20 %."""
    checked = [r for r in published if r.use == "check"]
    assert len(checked) >= 15
    for r in checked:
        assert 1 / 1.7 <= r.ratio <= 1.7, (r.name, r.gpu.name, round(r.ratio, 2))
    assert statistics.median(abs(r.ratio - 1) for r in checked) <= 0.20
    for r in published:
        if r.use == "excluded":
            assert r.of_peak > 0.95, r.name


def test_docs_print_the_check_table() -> None:
    text = DOCS.read_text(encoding="utf-8")
    for line in table():
        assert line in text


def speed(gpu: Gpu, key: RowKey, plan: Plan, asked: Request) -> float:
    return tokens_s(gpu, key, get(asked.model), plan, asked, Policy())


@pytest.mark.parametrize("precision", ["bf16", "fp8"])
def test_reads_only_declared_attributes(shipped: Catalog, precision: str) -> None:
    gpu: Any = shipped.parts["nvidia-h100-sxm5-80gb"]
    seen: Any = Seen(gpu)
    plan = Plan(precision, "bf16", 2, 1, 8, 1, 1, 8, Training(4, 1, True))
    asked = request("train", precision=precision)
    speed(seen, replace(row_key(gpu, 8, 2), cap_w=500), plan, asked)
    footprint(seen, get("r1-33b"), Policy(), plan, asked)
    usable_bytes(seen)
    assert seen.names == DATA_FIELDS - ({"fp16_tflops"} if precision == "fp8" else {"fp8_tflops"})


def test_pcie_is_slower_than_nvlink_and_slower_lanes_than_wide_ones(shipped: Catalog) -> None:
    gpu: Any = shipped.parts["nvidia-h100-sxm5-80gb"]
    plan = Plan("bf16", "bf16", 1, 1, 8, 1, 1, 8, Training(8, 1, True))
    asked = request("finetune-full")
    nvlink = row_key(gpu, 8)
    wide = replace(nvlink, domain=1, pcie_gen=5, lanes=16)
    narrow = replace(wide, lanes=8)
    a, b, c = (speed(gpu, k, plan, asked) for k in (nvlink, wide, narrow))
    assert a > 1.2 * b
    assert b > 1.2 * c
    no_p2p = gpu.model_copy(update={"p2p": False})
    assert speed(no_p2p, wide, plan, asked) == pytest.approx(c)


def test_a_slow_network_takes_speed(shipped: Catalog) -> None:
    gpu: Any = shipped.parts["nvidia-h100-sxm5-80gb"]
    plan = Plan("bf16", "bf16", 1, 1, 32, 1, 1, 32, Training(32, 1, True))
    asked = request("finetune-full", seq_len=1024)
    fast, slow = (speed(gpu, row_key(gpu, 8, 4, x), plan, asked) for x in (400, 100))
    assert fast > 1.3 * slow
    inside = replace(plan, training=Training(8, 1, True))
    assert speed(gpu, row_key(gpu, 8, 4, 100), inside, asked) > slow


def test_twice_the_gpus_are_faster_but_not_more_than_twice(shipped: Catalog) -> None:
    gpu: Any = shipped.parts["nvidia-h100-sxm5-80gb"]
    planner = TrainingPlanner(get("r1-33b"), request("finetune-full"), Policy())
    one, two, four = (planner.rows(gpu, [row_key(gpu, 8, n)])[0].perf.tenths for n in (2, 4, 8))
    assert one < two <= 2.1 * one
    assert two < four <= 2.1 * two


def test_nodes_without_rdma_do_not_train_together(shipped: Catalog) -> None:
    gpu: Any = shipped.parts["nvidia-h100-sxm5-80gb"]
    planner = TrainingPlanner(get("r1-distill-qwen-7b"), request("finetune-lora", "r1-distill-qwen-7b"), Policy())
    key = replace(row_key(gpu, 8, 2), net="pp", net_gbit_s=25)
    assert planner.rows(gpu, [key]) == []


def test_precisions_of_training() -> None:
    llm = get("r1-33b")
    assert base_precisions(llm, request("finetune-lora")) == ["bf16", "fp16"]
    assert base_precisions(llm, request("finetune-lora", min_precision_bits=4)) == ["bf16", "fp16", "fp8", "int4"]
    assert base_precisions(llm, request("train", precision="fp8")) == ["fp8"]
    assert base_precisions(llm, request("train", precision="int4")) == []


def test_precisions_of_lora_are_those_that_the_model_has() -> None:
    """DeepSeek-V4 is published in FP4 and FP8: there are no int4 weights to train adapters on."""
    v4 = get("v4-flash")
    assert "int4" not in v4.precisions()
    assert base_precisions(v4, request("finetune-lora", "v4-flash", precision="int4")) == []
    assert base_precisions(v4, request("finetune-lora", "v4-flash", precision="fp8")) == ["fp8"]
    assert base_precisions(get("r1-33b"), request("finetune-lora", precision="int4")) == ["int4"]


# The command --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(dsopt("schema", "result").stdout)
    return found


JOBS = [
    (*LORA, "--train-tokens", "1e9", "--gpu", "RTX 6000 Ada"),
    ("--workload", "finetune-full", "--model", "r1-distill-qwen-7b", "--budget", "120000", "--max-nodes", "1"),
    ("--workload", "train", "--model", "v2-lite", "--budget", "150000", "--dataset-tb", "40", "--max-nodes", "2"),
]


@pytest.mark.parametrize(("job",), one_in(3, [(job,) for job in JOBS]), ids=lambda j: j[1])
def test_training_fronts_are_proven(job: tuple[str, ...], schema: dict[str, Any]) -> None:
    data = answer(*job)
    jsonschema.validate(data, schema)
    assert data["proof"]["status"] == "optimal"
    assert data["front"]
    for p in data["front"]:
        t, how = p["throughput"], p["plan"]["training"]
        assert t["unit"] == "training tokens/s"
        assert t["per_user_tok_s"] is None
        assert how["zero_stage"] == (3 if how["shard_gpus"] > p["plan"]["tp"] else 0)
        assert p["plan"]["vram_gb"] <= float(next(c["limit"] for c in p["checks"] if c["rule"] == "vram"))
        assert not [c for c in p["checks"] if c["status"] == "fail"]
        if "--train-tokens" in job:
            assert t["days"] == pytest.approx(1e9 / t["output_tok_s"] / 86400, abs=1e-3)
        if "--dataset-tb" in job:
            room = next(c for c in p["checks"] if "training set" in c["text"])
            assert room["measured"] >= room["limit"] >= 40_000
    speeds = [p["throughput"]["output_tok_s"] for p in data["front"]]
    assert speeds == sorted(set(speeds))


def test_table_of_training() -> None:
    shown = dsopt("solve", *JOBS[0], *DAY, "-v", COLUMNS="200").stdout
    assert "train tok/s" in shown
    assert "days" in shown
    assert "each user" not in shown


WRONG = [
    ((*LORA, "--users", "8"), "--users"),
    ((*LORA, "--max-ttft", "500"), "--max-ttft"),
    ((*LORA, "--min-tok-s-user", "20"), "--min-tok-s-user"),
    ((*LORA, "--isl", "1000"), "--isl"),
    (("--workload", "chat", "--model", "r1-33b", "--budget", "300000", "--dataset-tb", "3"), "--dataset-tb"),
]
OUT_OF_RANGE = [
    ((*LORA, "--precision", "nvfp4"), "int4"),
    ((*LORA, "--seq-len", "900000"), "131072"),
]


@pytest.mark.parametrize(("args", "says"), WRONG, ids=lambda x: " ".join(x)[-24:] if isinstance(x, tuple) else x)
def test_options_of_the_other_kind_are_refused(args: tuple[str, ...], says: str) -> None:
    assert says in dsopt("solve", *args, code=2).stderr


@pytest.mark.parametrize(("args", "says"), OUT_OF_RANGE, ids=lambda x: " ".join(x)[-24:] if isinstance(x, tuple) else x)
def test_what_no_training_run_has_is_refused(args: tuple[str, ...], says: str) -> None:
    assert says in dsopt("solve", *args, code=3).stderr


def test_a_request_in_code_is_refused_too() -> None:
    with pytest.raises(ValueError, match="serving"):
        request("train", users=4)
    with pytest.raises(ValueError, match="training"):
        request("chat", train_tokens=1e9)


@pytest.mark.parametrize(("lora", "layers"), [(True, 3), (False, 4)])
@pytest.mark.parametrize(("ep", "whole"), [(1, True), (8, False)])
def test_layers_gathered_under_sharding(ep: int, whole: bool, lora: bool, layers: int) -> None:
    """Two bytes a parameter of the prefetched layers, one more for gradients where all is trained; routed experts
    are in them where no expert parallelism keeps them apart."""
    llm = get("v3-671b")
    vocabulary = 2 * 129280 * 7168  # embedding and head
    each = [sum(x.out * x.into * x.count for x in y.linears if whole or not x.expert) for y in llm.layer_list]
    largest = max(vocabulary, *each)
    rest = 300 * llm.hidden  # norms and the router
    found = gathered_bytes(llm, "bf16", 2, ep, 16, lora, 3)
    assert layers * largest <= found <= layers * (largest + rest)


def test_gathered_layer_of_v3_to_the_parameter() -> None:
    """A routed layer of the published sizes: latent attention, 257 experts, router with a bias each, four norms."""
    h, heads = 7168, 128
    attention = h * 1536 + 1536 * heads * 192 + h * (512 + 64) + 512 * heads * (128 + 128) + heads * 128 * h
    experts = 257 * 3 * h * 2048
    layer = attention + experts + 256 * h + 256 + 1536 + 512 + 2 * h
    assert gathered_bytes(get("v3-671b"), "bf16", 1, 1, 16, False, 2) == 2 * 3 * layer
    assert gathered_bytes(get("v3-671b"), "bf16", 4, 1, 16, True, 2) == math.ceil(2 * 2 * layer / 4)


def test_gathered_layers_of_a_model_scaled_to_a_stated_size() -> None:
    """33 B parameters in the layers of Qwen-32B: embedding and head, its largest unit, grow in proportion."""
    llm, head = get("r1-33b"), 2 * 152064 * 5120 + 5120
    each = 5120 * (5120 + 2 * 1024 + 5120 + 3 * 27648) + 5120 + 2 * 1024 + 2 * 5120
    unit = int(Fraction(33 * 10**9, 64 * each + head) * head)
    assert gathered_bytes(llm, "bf16", 1, 1, 8, True, 2) == 2 * 2 * unit


@pytest.mark.parametrize(("precision", "tp", "want"), [
    ("int4", 1, 2 * 5120 * 27648), ("fp8", 1, 2 * 5120 * 27648), ("int4", 2, 5120 * 27648),
    ("int4", 7, 40_445_075), ("bf16", 1, 0), ("fp16", 1, 0), ("bf16", 2, 0),
])  # fmt: skip
def test_gathered_matrix_of_unsharded_low_bit_weights(precision: str, tp: int, want: int) -> None:
    """Weights of few bits are unpacked one matrix at a time: the largest is 5120 x 27648, two bytes each."""
    assert gathered_bytes(get("r1-33b"), precision, tp, 1, 1, True, 2) == want


def test_activations_of_dense_and_routed_layers_of_different_width() -> None:
    """DeepSeek-V2-Lite: the first layer is 10944 wide; in the others a token meets six and two experts of 1408."""
    attention = 2 * 16 * (128 + 64 + 128)
    dense, routed = (10 * 2048 + 2 * attention + 6 * width for width in (10944, 8 * 1408))
    assert layer_activation_bytes(get("v2-lite")) == (dense,) + (routed,) * 26


def test_serving_plan_has_no_training_memory(shipped: Catalog) -> None:
    gpu: Any = shipped.parts[A100]
    with pytest.raises(InputError):
        footprint(gpu, get("r1-33b"), Policy(), Plan("bf16", "bf16", 1, 1, 1, 1, 1, 1), request("train"))
