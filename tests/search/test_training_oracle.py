"""Training fronts against brute force, and what the certificate does without the memory rule."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from catalogs.llm import get
from catalogs.load import Catalog
from catalogs.schema import Gpu
from constraints.plan import Row, RowKey, Training
from constraints.policy import Policy
from constraints.request import Request
from constraints.rules.registry import RULES
from optimizer.market.market import Market
from optimizer.search.certificate import FamilyProof
from optimizer.search.solver import Solver
from optimizer.throughput.training_plans import TrainingPlanner
from tests.support.long import one_in
from tests.support.oracle import Ask
from tests.support.random_catalogs import DAY, scenario
from tests.support.training_oracle import TrainingOracle

CASES = [
    (seed, workload, bits)
    for seed in (0, 1, 2, 3, 5, 7, 9, 11, 17, 23, 29, 41)
    for workload, bits in (("finetune-lora", None), ("finetune-lora", 4), ("finetune-full", None))
]
SMALL = "r1-distill-qwen-1.5b"
"""Full training of the random catalogs' 7B and 8B models fits none of their GPUs."""


def training(seed: int, workload: str, bits: int | None) -> tuple[Market, TrainingOracle]:
    """A random catalog with a training request in the product's and the oracle's words."""
    catalog, request, ask = scenario(seed)
    model = SMALL if workload == "finetune-full" else request.model
    data = 0.3 if seed % 2 else None
    fields = {
        "model": model, "workload": workload, "users": None, "min_precision_bits": bits, "dataset_tb": data,
    }  # fmt: skip
    request = request.model_copy(update=fields)
    asked: Ask = replace(ask, model=get(model), users=None)
    kind = type(
        "Asked",
        (TrainingOracle,),
        {"lora": workload == "finetune-lora", "low": bits == 4, "data_gb": 300 if data else 0},
    )
    return Market.open(catalog, request, Policy()), kind(catalog, asked, 2 if seed % 6 >= 3 else 1)


@pytest.mark.parametrize(("seed", "workload", "bits"), one_in(5, CASES))
def test_training_front_equals_brute_force(seed: int, workload: str, bits: int | None) -> None:
    market, oracle = training(seed, workload, bits)
    front = Solver(market).front()
    assert front.complete
    assert [(p.found.parts_cents, p.found.row.perf.tenths) for p in front.points] == oracle.front()


def test_training_fronts_are_not_all_empty() -> None:
    found = {}
    for seed, workload, bits in CASES[:18]:
        catalog, request, _ = scenario(seed)
        model = SMALL if workload == "finetune-full" else request.model
        asked = request.model_copy(
            update={"model": model, "workload": workload, "users": None, "min_precision_bits": bits}
        )
        front = Solver(Market.open(catalog, asked, Policy())).front()
        found[seed, workload, bits] = len(front.points)
    assert sum(n > 0 for n in found.values()) >= 6, found


def test_certificate_needs_the_memory_rule_of_training() -> None:
    """A row with more sequences than fit is kept out by the encode of vram; without it CP-SAT returns its build."""
    catalog, request, _ = scenario(3)
    asked = request.model_copy(update={"workload": "finetune-lora", "users": None, "min_precision_bits": 4})
    market = Market.open(catalog, asked, Policy())
    solver = Solver(market, clever=False)
    solver.judge(10**12)
    free = Market.open(catalog, asked.model_copy(update={"budget_cents": None}), Policy())
    without = tuple(r for r in RULES if r.id != "vram")
    for unit in solver.families:
        for row in unit.rows:
            crowded = Training(row.plan.training.shard, 10**4, False) if row.plan.training else None
            changed = Row(row.key, replace(row.plan, training=crowded), row.perf)
            family = FamilyProof(free, unit.gpu, unit.per_node, [changed], solver.candidates(unit), without)
            found = family.under(lambda _: 2**49)
            if found is None:
                continue
            checks = Solver(free, without).point(found).checks
            assert {c.rule for c in checks if c.status == "fail"} == {"vram"}
            whole = FamilyProof(free, unit.gpu, unit.per_node, [changed], solver.candidates(unit))
            assert whole.under(lambda _: 2**49) is None
            return
    pytest.fail("no build to crowd")


def test_certificate_needs_the_storage_rule_of_the_training_set() -> None:
    """Without the encode of storage CP-SAT returns a build whose drives do not hold the training set."""
    catalog, request, _ = scenario(1)
    asked = request.model_copy(update={"workload": "finetune-lora", "users": None, "dataset_tb": 0.9})
    market = Market.open(catalog, asked.model_copy(update={"budget_cents": 10**9}), Policy())
    without = tuple(r for r in RULES if r.id != "storage")
    front = Solver(market, rules=without, clever=False).front()
    texts = [c.text for p in front.points for c in p.checks if c.status == "fail"]
    assert any("training set" in t for t in texts)
    whole = Solver(market).front()
    assert all(c.status != "fail" for p in whole.points for c in p.checks)


MODELS = ("r1-distill-qwen-7b", "v2-lite", "v3-671b", "r1-33b", "r1-distill-llama-70b")


@pytest.mark.parametrize("seed", one_in(23, range(40)))
def test_rows_equal_brute_force(shipped: Catalog, seed: int) -> None:
    """Single rows over a wider range than small catalogs reach: clusters, experts, bridges, memory of any size."""
    rng = random.Random(seed)
    workload, bits = rng.choice((("finetune-lora", None), ("finetune-lora", 4), ("finetune-full", None)))
    llm = get(rng.choice(MODELS))
    length = rng.choice((512, 4096, 16384))
    request = Request.model_validate(
        {"model": llm.id, "as_of": DAY, "workload": workload, "min_precision_bits": bits, "seq_len": length}
    )
    kind = type("Asked", (TrainingOracle,), {"lora": request.lora, "low": bits == 4, "length": length})
    oracle = kind(Catalog({}, {}, ""), Ask(llm, 1, 1, 1))
    planner = TrainingPlanner(llm, request, Policy())
    found = 0
    for i in range(12):
        card = shipped.parts[rng.choice(("nvidia-h100-sxm5-80gb", "nvidia-rtx-4090-24gb", "nvidia-a100-pcie-80gb"))]
        assert isinstance(card, Gpu)
        gpu = card.model_copy(update={"id": f"gpu{i}", "vram_gb": rng.choice((16, 24, 48, 80, 141, 288))})
        k = rng.choice((1, 2, 3, 4, 8))
        nodes = rng.choice((1, 1, 2, 3, 4, 16, 32))
        domain = rng.choice([d for d in (1, 2, 4, 8) if k % d == 0])
        host = (0, 0) if domain >= k else (rng.choice((3, 4, 5)), rng.choice((8, 16)))
        net = ("rdma", rng.choice((100, 200, 400))) if nodes > 1 else ("none", 0)
        key = RowKey(gpu.id, gpu.tdp_w or 1, k, nodes, domain, *host, *net)
        rows = planner.rows(gpu, [key])
        best = max((dict(oracle._judge(gpu, key, p)).get("", 0) for p in ("bf16", "fp16", "int4")), default=0)
        assert (rows[0].perf.tenths if rows else 0) == best, key
        found += bool(rows)
    assert found or llm.params_total > 5 * 10**10
