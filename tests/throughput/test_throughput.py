"""The roofline: what it reads, and that more of anything never makes it slower; batch tables; intervals; the audit."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from catalogs.llm import get
from catalogs.load import Catalog
from catalogs.schema import Gpu, Kind
from constraints.plan import RowKey
from constraints.policy import Policy
from constraints.rules.vram import usable_bytes
from optimizer.throughput import roofline
from optimizer.throughput.answers import answers
from optimizer.throughput.batch import Table, prepare
from optimizer.throughput.batch import figures as figures_of
from optimizer.throughput.calibration import Point, curve_of
from optimizer.throughput.calibration import measured as at
from optimizer.throughput.calibration import shipped as calibration
from optimizer.throughput.constants import constants, rows
from optimizer.throughput.demand import demand
from optimizer.throughput.fitting import audit, measured
from optimizer.throughput.interval import ALL, DISTANCES
from optimizer.throughput.jobs import DATA_FIELDS, accelerator, of_keys, pcie_b_s
from tests.support.seen import Seen


def times(gpu: Any, shapes: list[tuple[int, int, int, int]], model: str = "r1-distill-llama-70b") -> roofline.Times:
    key = RowKey("x", gpu.tdp_w, 8, 1, 8, 0, 0, "none", 0)
    need = demand(get(model), "bf16", 1024, 1024, "bf16")
    shape, owner = np.array(shapes), np.zeros(len(shapes), dtype=np.int64)
    jobs = of_keys(gpu, shape, [key], owner, need, "bf16", (1024, 1024), constants())
    assert jobs is not None
    return roofline.times(jobs, constants())


def figures(gpu: Any, tp: int, concurrency: int) -> roofline.Speeds:
    return roofline.speeds(times(gpu, [(tp, 1, 1, 1)]), np.array([concurrency]))


@pytest.mark.parametrize("gpu", ["nvidia-h200-sxm5-141gb", "nvidia-rtx-4090-24gb", "amd-mi300x-192gb"])
def test_reads_only_declared_attributes(shipped: Catalog, gpu: str) -> None:
    seen: Any = Seen(shipped.parts[gpu])
    figures(seen, 8, 16)
    usable_bytes(seen)
    assert seen.names - {"__hash__"} <= DATA_FIELDS


def test_speed_rises_with_bandwidth_compute_and_concurrency(shipped: Catalog) -> None:
    gpu: Any = shipped.parts["nvidia-h200-sxm5-141gb"]
    base = figures(gpu, 8, 16).tenths[0]
    assert figures(gpu.model_copy(update={"mem_gb_s": 2 * gpu.mem_gb_s}), 8, 16).tenths[0] > base
    assert figures(gpu.model_copy(update={"fp16_tflops": 2 * gpu.fp16_tflops}), 8, 16).tenths[0] >= base
    assert figures(gpu, 8, 32).tenths[0] > base
    assert figures(gpu, 8, 32).per_user_tok_s[0] < figures(gpu, 8, 16).per_user_tok_s[0]


@pytest.mark.parametrize("model", ["r1-distill-llama-70b", "v3-671b", "gpt-oss-120b"])
def test_throughput_never_falls_with_concurrency(shipped: Catalog, model: str) -> None:
    """The planner takes the largest admissible concurrency: it must be the best."""
    moe = get(model).is_moe
    t = times(shipped.parts["nvidia-h200-sxm5-141gb"], [(8, 1, 1, 1), (1, 1, 8, 8) if moe else (4, 2, 1, 1)], model)
    totals = np.array([roofline.speeds(t, np.full(2, c)).tenths for c in range(1, 600)])
    assert (np.diff(totals, axis=0) >= 0).all()


def test_largest_concurrency_is_the_largest(shipped: Catalog) -> None:
    t = times(shipped.parts["nvidia-h200-sxm5-141gb"], [(tp, 1, 1, 1) for tp in (1, 2, 4, 8)])
    most = np.array([5, 40, 300, 300])
    for ttft_ms in (None, 400.0):
        found = roofline.largest_concurrency(t, most, 25, ttft_ms)
        for i in range(4):
            fine = [
                c for c in range(1, most[i] + 1)
                if t.tpot_s(np.full(4, c))[i] * 25 <= 1 + 1e-9
                and (ttft_ms is None or t.ttft_s(np.full(4, c))[i] * 1e3 <= ttft_ms)
            ]  # fmt: skip
            assert found[i] == max(fine, default=0)


def test_reserve_is_policy() -> None:
    assert Policy().with_settings(["vram.reserve_base_gb=5"])["vram.reserve_base_gb"] == 5


def test_constants_keep_their_limits() -> None:
    for r in rows():
        assert float(r["least"]) <= float(r["value"]) * 1.001 and float(r["value"]) <= float(r["most"]) * 1.001, r[
            "key"
        ]


@pytest.fixture(scope="module")
def runs() -> measured.Runs:
    return measured.read(measured.SHIPPED)


@pytest.fixture(scope="module")
def table(runs: measured.Runs, shipped: Catalog) -> Table:
    return prepare(runs.columns, shipped, Policy())


def test_batch_answers_what_was_measured(runs: measured.Runs, table: Table) -> None:
    """At least 95 % of the measured rows are answered, in their order; a tenth of them near what was measured."""
    a = answers(table, calibration())
    fine = np.array([not e for e in a.errors])
    assert fine.mean() >= 0.95
    assert (np.isfinite(a.output_tok_s) == fine).all()
    assert all(bool(b) == f for b, f in zip(a.basis, fine.tolist(), strict=True))
    assert (a.low[fine] <= a.output_tok_s[fine]).all() and (a.output_tok_s[fine] <= a.high[fine]).all()
    error = np.abs(np.expm1(np.log(a.output_tok_s[fine] / runs.output_tok_s[fine])))
    assert np.nanmedian(error) < 0.15


def test_a_bad_row_leaves_the_others_alone(shipped: Catalog) -> None:
    columns = {
        "model": ["r1-671b", "r1-671b", "no-such-model", "r1-671b", "r1-671b", "r1-671b"],
        "precision": ["fp8", "fp8", "fp8", "fp3", "fp8", "fp8"],
        "gpu": ["H200", "H200", "H200", "H200", "H200", "A100"],
        "n_gpus": ["8", "x", "8", "8", "1", "8"],
        "isl": ["1024", "", "", "", "", ""],
        "concurrency": ["64", "", "", "", "", ""],
    }
    a = answers(prepare(columns, shipped, Policy()), calibration())
    assert [bool(e) for e in a.errors] == [False, True, True, True, True, True]
    assert "n_gpus" in a.errors[1] and "no-such-model" in a.errors[2] and "memory" in a.errors[4]
    assert np.isnan(a.output_tok_s[1:]).all() and a.output_tok_s[0] > 500


def test_a_table_without_rows(shipped: Catalog) -> None:
    a = answers(prepare({"model": [], "precision": [], "gpu": []}, shipped, Policy()), calibration())
    assert len(a.output_tok_s) == 0


def test_the_audit_file_is_what_the_rules_find(runs: measured.Runs, table: Table) -> None:
    import csv

    with (measured.SHIPPED.parent / "audit.csv").open(encoding="utf-8") as f:
        listed = {r["id"]: (r["rule"], r["reason"]) for r in csv.DictReader(f)}
    assert listed == {runs.rows[i]["id"]: found for i, found in audit.findings(runs, table).items()}


def test_the_audit_finds_each_kind_of_fault(runs: measured.Runs, shipped: Catalog) -> None:
    good = next(
        dict(r)
        for r in runs.rows
        if "_tp8_ep1_" in r["id"] and r["gpu"].startswith("H200") and r["concurrency"] == "16"
    )
    changes: dict[str, dict[str, str]] = {
        "no-figure": {"output_tok_s": "a lot"},
        "not-a-system": {"scenario": "fleet"},
        "unanswered": {"gpu": "Voodoo 2"},
        "formula": {"output_tok_s": str(3 * float(good["output_tok_s"]))},
        "columns-against-id": {"n_gpus": "64", "tp": "64"},
        "name-against-precision": {
            "model": "vllm-ascend/Qwen3-8B-W8A8",
            "precision": "bf16",
            "id": "x",
            "spec": "none",
        },  # a model without a module
        "faster-than-memory": {
            "tpot_ms": "0.01",
            "output_tok_s": str(16 * 1024 / (float(good["ttft_ms"]) / 1e3 + 0.01023)),
        },
    }
    for rule, change in changes.items():
        made = measured.of_rows([{**good, **change}])
        found = audit.findings(made, prepare(made.columns, shipped, Policy()))
        assert [name for name, _ in found.values()] == [rule]
    made = measured.of_rows([good])
    assert not audit.findings(made, prepare(made.columns, shipped, Policy()))


def test_widths_never_narrow_with_distance() -> None:
    """Over all stacks each distance has its width; a stack of its own has those that it has rows for."""
    found = calibration().widths
    assert all((d, ALL) in found for d in DISTANCES)
    for stack in {stack for _, stack in found}:
        w = [found[d, stack] for d in DISTANCES if (d, stack) in found]
        assert all(a.low >= b.low and a.high <= b.high for a, b in itertools.pairwise(w))
        assert all(x.low < 1 < x.high for x in w)


def test_an_unmeasured_stack_inherits_no_other_makers_efficiency(shipped: Catalog) -> None:
    """A measured model on a generation without measurements is a roofline with the widest interval and the constants
    of its kin, never of "other"; what runs the kernels of a measured one (Blackwell Ultra) is interpolated."""
    cards = {x.arch: x for x in shipped.of(Kind.GPU) if isinstance(x, Gpu)}
    fitted = calibration()
    model = "deepseek-v3-61x7168x256"
    assert model in fitted.seen.models
    for arch in ("Gaudi3", "RDNA4", "Xe2", "Ascend 950", "XPU-P", "XCORE 1000", "MUSA 3.1", "DCU K100", "DCU BW1000"):
        assert fitted.seen.distance(model, cards[arch]) == "nothing", arch
        assert fitted.fact(model, cards[arch], (), 8).basis == "roofline", arch
        assert fitted.constants.stack_name(arch) in (arch, fitted.constants.kin_of(arch)) != "other", arch
    assert fitted.seen.distance(model, cards["CDNA4"]) == "model-and-gpu"
    for arch in ("Blackwell Ultra", "Ada", "DaVinci"):
        assert fitted.seen.distance(model, cards[arch]) == "model-or-gpu", arch


def test_a_measurement_speaks_between_its_concurrencies() -> None:
    curve = curve_of([Point(32, 0.4, "b"), Point(8, 0.2, "a"), Point(32, 0.6, "c")])
    assert at(curve, 4) is None and at(curve, 64) is None
    half = at(curve, 16)
    assert half is not None and abs(half.log_ratio - 0.35) < 1e-12
    assert at((), 8) is None


def test_own_measurements_speak_for_other_plans_of_the_pair(shipped: Catalog) -> None:
    """Rows at half of what the model says slow every plan of that model on that GPU, and no other."""
    from optimizer.throughput.calibration import Setup
    from optimizer.throughput.interval import Seen

    gpu = "amd-mi300x-192gb"
    setup = Setup("deepseek-v3-61x7168x256", "fp8", "bf16", gpu, 8, 1, 1, 8, 1024, 1024)
    points = [(setup, Point(c, np.log(0.5), f"mine:{c}")) for c in (8, 16, 32, 64)]
    own = calibration().with_points(points, Seen(frozenset({setup.kin}), frozenset({gpu}), frozenset()))
    columns = {
        "model": ["r1-671b"] * 3, "precision": ["fp8"] * 3, "gpu": ["MI300X", "MI300X", "H200"], "n_gpus": ["8"] * 3,
        "tp": ["8"] * 3, "ep": ["8", "1", "8"], "concurrency": ["32"] * 3,
    }  # fmt: skip
    table = prepare(columns, shipped, Policy())
    before, after = answers(table, calibration()), answers(table, own)
    # Without any measurement: published ones of the pair, which the own ones replace, have moved `before`.
    bare = figures_of(table, calibration().constants).output_tok_s
    ratio = after.output_tok_s / bare
    assert abs(ratio[0] - 0.5) < 1e-9 and 0.5 < ratio[1] < 0.65
    assert after.output_tok_s[2] == before.output_tok_s[2]
    assert after.basis[:2] == ("measured", "interpolated") and after.source[0] == "mine:32"


def reads(gpu: Gpu, precision: str) -> tuple[float, ...] | None:
    """What the roofline reads of a card beside its stack; None where it does not run the precision."""
    found = accelerator(gpu, precision, constants())
    if found is None:
        return None
    return found.mem_b_s, found.flop_s, found.attention_flop_s, found.fabric_b_s, pcie_b_s(gpu, 0, 0, constants())


@pytest.mark.parametrize(
    ("model", "precision"),
    [("v3-671b", "fp8"), ("v3-671b", "nvfp4"), ("r1-distill-llama-70b", "bf16"), ("gpt-oss-120b", "mxfp4")],
)
def test_a_card_that_is_better_in_every_figure_is_never_slower(shipped: Catalog, model: str, precision: str) -> None:
    """Over the catalog, on one stack: same plan, any load, with what the model's measured setups there are off in
    common. B300 was slower than B200 once."""
    llm, known = get(model), calibration()
    cards = [x for x in shipped.of(Kind.GPU) if isinstance(x, Gpu) and reads(x, precision)]
    need = demand(llm, precision, 1024, 1024, "bf16")
    shape, load = np.array([[1, 1, 1, 1], [4, 1, 1, 1], [8, 1, 1, 1]]), np.array([1, 32, 256])
    took: dict[str, Any] = {}
    for gpu in cards:
        key = RowKey(gpu.id, gpu.tdp_w or 1, 8, 1, gpu.wired_domain_gpus, 0, 0, "none", 0)
        jobs = of_keys(gpu, shape, [key], np.zeros(3, dtype=np.int64), need, precision, (1024, 1024), constants())
        assert jobs is not None
        pieces = roofline.times(jobs, constants()).slowed(1 / known.pair(need.kin, gpu))
        took[gpu.id] = np.array([pieces.request_s(at) for at in load])
    pairs = 0
    for better, worse in itertools.permutations(cards, 2):
        stacks = {known.constants.stack_name(x.arch, x.kernel_class) for x in (better, worse)}
        more, less = reads(better, precision), reads(worse, precision)
        assert more is not None and less is not None
        alike = len(stacks) == 1 and better.vendor == worse.vendor
        if (
            alike
            and all(x >= y for x, y in zip(more, less, strict=True))
            and (better.wired_domain_gpus >= worse.wired_domain_gpus)
        ):
            pairs += 1
            assert (took[better.id] <= took[worse.id] * (1 + 1e-9)).all(), (better.id, worse.id)
    assert pairs >= 3


def test_runs_on_one_node_say_nothing_of_a_replica_across_nodes(shipped: Catalog) -> None:
    """R1 was measured over nodes on H100 and on no B200: sixteen of those are a roofline, whatever one node did."""
    columns = {
        "model": ["r1-671b"] * 3, "precision": ["fp8"] * 3, "gpu": ["B200", "B200", "H100"],
        "n_gpus": ["16", "8", "16"], "nodes": ["2", "1", "2"], "tp": ["16", "8", "16"], "isl": ["700"] * 3,
        "concurrency": ["1"] * 3,
    }  # fmt: skip
    a = answers(prepare(columns, shipped, Policy()), calibration())
    assert a.basis == ("roofline", "interpolated", "interpolated")
    assert a.high[0] / a.low[0] > a.high[1] / a.low[1]


def test_columns_of_a_run_are_physics(shipped: Catalog) -> None:
    """A smaller KV cache and tokens proposed by a module speed a row up, a burst that drains gives less; what is no
    precision or no kind of speculation is an error."""
    columns = {
        "model": ["r1-671b"] * 6, "precision": ["fp8"] * 6, "gpu": ["H200"] * 6, "n_gpus": ["8"] * 6, "tp": ["8"] * 6,
        "isl": ["8000"] * 6, "concurrency": ["64"] * 6, "kv_precision": ["bf16", "fp8", "", "", "", "fp7"],
        "spec": ["none", "", "mtp", "mtp1", "", ""], "scenario": ["", "", "", "", "burst_1000", ""],
    }  # fmt: skip
    a = answers(prepare(columns, shipped, Policy()), calibration())
    plain, fp8, mtp, one, burst, _ = a.output_tok_s.tolist()
    assert fp8 > plain and mtp >= one > plain and burst < plain and "kv_precision" in a.errors[5]
    columns["spec"][0] = "magic"
    assert "spec" in prepare(columns, shipped, Policy()).errors[0]
