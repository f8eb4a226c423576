"""One curve per plan, measurements included: in order over the users, judged alike by planner, `size` and batch."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from datetime import date
from functools import cache

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from catalogs.errors import InputError
from catalogs.llm import get
from catalogs.load import Catalog, load
from catalogs.schema import Gpu, Kind
from constraints.plan import RowKey
from constraints.policy import Policy
from constraints.request import Request
from optimizer.sizing.serving import key_of
from optimizer.sizing.users_table import candidates, served, users_table
from optimizer.throughput import calibration
from optimizer.throughput.answers import answers
from optimizer.throughput.batch import prepare
from optimizer.throughput.calibration import Calibration, Curve, Point, Setup, curve_of
from optimizer.throughput.constants import DATA, constants
from optimizer.throughput.curves import BETWEEN_KNOTS, Bend, bend, pooled
from optimizer.throughput.demand import demand, kin
from optimizer.throughput.jobs import accelerator, of_keys
from optimizer.throughput.plans import Planner
from optimizer.throughput.roofline import SLACK, Times, largest_concurrency, times
from tests.support.long import examples, sampled

shelf = cache(load)
"""The shipped catalog, where a fixture would be printed with each example."""
DAY = date(2026, 11, 24)
MODELS = ("r1-distill-llama-70b", "v3-671b", "gpt-oss-120b", "r1-distill-qwen-7b")
GPUS = ("nvidia-h200-sxm5-141gb", "nvidia-b200-sxm6-180gb", "amd-mi300x-192gb", "nvidia-l40s-48gb")
SHAPES = (
    (1, 1, 1, 1),
    (8, 1, 1, 1),
    (2, 1, 1, 1),
    (4, 1, 1, 1),
    (4, 2, 1, 1),
    (2, 4, 1, 1),
    (1, 1, 8, 8),
    (8, 1, 1, 8),
    (2, 1, 4, 8),
)
MOST = 4096

points = st.lists(
    st.builds(
        Point,
        st.one_of(st.integers(1, 900).map(float), st.floats(0.3, 900)),
        st.floats(-1.2, 1.2),
        st.sampled_from(["a", "b"]),
    ),
    min_size=1,
    max_size=8,
)
lengths = st.sampled_from([(1024, 1024), (8192, 1024), (1024, 8192), (1024, 128), (64, 64), (2048, 1)])


def roofline_of(
    catalog: Catalog, model: str, gpu: str, shape: tuple[int, int, int, int], tokens: tuple[int, int]
) -> Times:
    card, llm = catalog.parts[gpu], get(model)
    assert isinstance(card, Gpu)
    precision = next(p for p in llm.precisions() if accelerator(card, p, constants()))
    jobs = of_keys(
        card, np.array([shape]), [key_of(card, 8, 1)], np.zeros(1, np.int64), demand(llm, precision, *tokens, "bf16"),
        precision, tokens, constants(),
    )  # fmt: skip
    assert jobs is not None
    return times(jobs, constants()).of(0)


@settings(max_examples=examples(150), deadline=None)
@given(
    measured=points, model=st.sampled_from(MODELS), gpu=st.sampled_from(GPUS), shape=st.sampled_from(SHAPES),
    tokens=lengths, more=st.lists(st.floats(1, MOST), max_size=60),
)  # fmt: skip
def test_more_users_are_never_served_better(
    measured: list[Point], model: str, gpu: str, shape: tuple[int, int, int, int],
    tokens: tuple[int, int], more: list[float],
) -> None:  # fmt: skip
    """Neither each faster nor the first token sooner, whatever was measured; and never fewer tokens for all. No request
    ends sooner than the largest ratio allows (what reach.py rests on)."""
    one, curve = roofline_of(shelf(), model, gpu, shape, tokens), curve_of(measured)
    osl = tokens[1]
    bent = bend(one, curve, MOST)
    users = np.array(sorted({*range(1, 200), 256.0, 512.0, 1000.0, float(MOST), *more}))
    ttft, tpot = bent.ttft_at(users), bent.tpot_at(users)
    request = ttft + tpot * (osl - 1)
    assert (np.diff(ttft) >= -1e-12 * ttft[1:]).all() and (np.diff(tpot) >= -1e-12 * tpot[1:]).all()
    assert (np.diff(users / request) >= -1e-9 * (users / request)[1:]).all()
    fastest = math.exp(max(p.log_ratio for p in measured))
    assert (request >= one.request_s(users) / fastest / BETWEEN_KNOTS * (1 - 1e-9)).all()
    # with one request alone both latencies are the roofline's over one ratio
    assert ttft[0] >= one.ttft_s(1) / fastest * (1 - 1e-9) and tpot[0] >= one.tpot_s(1) / fastest * (1 - 1e-9)


@settings(max_examples=examples(150), deadline=None)
@given(measured=points, model=st.sampled_from(MODELS), shape=st.sampled_from(SHAPES), tokens=lengths)
def test_a_curve_meets_what_was_measured_in_order(
    measured: list[Point], model: str, shape: tuple[int, int, int, int], tokens: tuple[int, int]
) -> None:
    """Where no measurement contradicts another the curve goes through all; else none is more than their range off."""
    one = roofline_of(shelf(), model, GPUS[0], shape, tokens)
    curve = curve_of(p._replace(concurrency=max(1.0, p.concurrency)) for p in measured)
    users = np.array([p.concurrency for p in curve])
    seen = one.request_s(users) / np.exp([p.log_ratio for p in curve])
    bent = bend(one, curve, MOST)
    found = bent.ttft_at(users) + bent.tpot_at(users) * (tokens[1] - 1)
    if (np.diff(seen) >= 0).all() and (np.diff(users / seen) >= 0).all():
        assert np.allclose(found, seen, rtol=1e-9)
    ratios, low = np.log(one.request_s(users) / found), min(p.log_ratio for p in curve)
    assert ratios.max() <= max(p.log_ratio for p in curve) + 1e-9 and ratios.min() >= low - 1e-9


@pytest.mark.parametrize("concurrency", [1.0, 4.0, 64.0])
def test_one_measurement_bends_the_whole_curve(shipped: Catalog, concurrency: float) -> None:
    one = roofline_of(shipped, "v3-671b", GPUS[1], (8, 1, 1, 1), (1024, 1024))
    bent = bend(one, (Point(concurrency, math.log(1.3), "x"),), MOST)
    for users in (1.0, 4.0, 64.0, 900.0):
        assert math.isclose(float(bent.tpot_at(np.array(users))), float(one.tpot_s(users)) / 1.3, rel_tol=1e-3)
        assert math.isclose(float(bent.ttft_at(np.array(users))), float(one.ttft_s(users)) / 1.3, rel_tol=1e-3)


@given(st.lists(st.integers(-50, 50), min_size=1, max_size=9))
def test_pools_are_the_isotonic_regression(values: list[int]) -> None:
    """Against the min-max formula (Robertson, Wright and Dykstra 1988, 1.4.4), which shares nothing with pooling."""
    n = len(values)
    for i, found in enumerate(pooled([float(v) for v in values])):
        upper = min(max(sum(values[s : t + 1]) / (t + 1 - s) for s in range(i + 1)) for t in range(i, n))
        assert math.isclose(found, upper, abs_tol=1e-9)


def test_a_curve_out_of_order_is_refused() -> None:
    knots, rising = np.array([1.0, 2.0]), np.array([1.0, 1.5])
    Bend(knots, rising, rising, 10)
    for ttft, tpot in ((rising[::-1], rising), (rising, rising[::-1]), (rising, np.array([1.0, 2.5]))):
        with pytest.raises(AssertionError):
            Bend(knots, ttft, tpot, 10)


@pytest.mark.parametrize(
    ("key", "value"), [("prefill_mixing", "1.2"), ("expert_skew", "1.1"), ("knee", "0.5"), ("layer_us", "-3"),
                       ("burst_share", "nan")]
)  # fmt: skip
def test_constants_that_break_the_order_are_no_calibration(
    tmp_path_factory: pytest.TempPathFactory, key: str, value: str
) -> None:
    folder = tmp_path_factory.mktemp("own")
    for name in ("constants.csv", "intervals.csv", "residuals.csv"):
        lines = (DATA / name).read_text(encoding="utf-8").splitlines()
        cells = [(f"{key},{value}," + x.split(",", 2)[2] if x.startswith(f"{key},") else x) for x in lines]
        (folder / name).write_text("\n".join(cells) + "\n", encoding="utf-8")
    with pytest.raises(InputError, match=key):
        calibration.read(folder, "own")


# Planner, users table and batch rows --------------------------------------------------------------------------------


def measured_anew(seed: int, model: str, gpu: str, share: float = 0.6) -> Calibration:
    """The shipped calibration with random measurements of some plans of a model on a GPU."""
    rng, base, llm = np.random.default_rng(seed), calibration.shipped(), get(model)
    new = []
    for shape in SHAPES:
        if rng.random() < share and (llm.is_moe or shape[2] == shape[3] == 1):
            for concurrency in np.unique(np.rint(10 ** rng.uniform(0, 3.6, rng.integers(1, 6)))).tolist():
                for precision in llm.precisions():
                    setup = Setup(kin(llm), precision, "bf16", gpu, *shape, 1024, 1024)
                    new.append((setup, Point(float(concurrency), float(rng.normal(0, 0.5)), f"mine {concurrency}")))
    return base.with_points(new, base.seen)


def asked(model: str, **fields: object) -> Request:
    return Request(model=model, isl=1024, osl=1024, as_of=DAY, budget_cents=1, **fields)  # type: ignore[arg-type]


LIMITS = [(None, 10.0), (None, 60.0), (None, 0.0), (400.0, 25.0), (150.0, 0.0), (3000.0, 40.0)]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("limits", LIMITS)
def test_what_lies_beyond_reach_is_nothing(shipped: Catalog, seed: int, limits: tuple[float | None, float]) -> None:
    """With measured curves too, faster and slower than the model: nothing judged goes beyond the bounds, and rows are
    the same with and without them."""
    model, gpu_id = MODELS[seed % len(MODELS)], GPUS[seed % 3]
    gpu = shipped.parts[gpu_id]
    assert isinstance(gpu, Gpu)
    own = measured_anew(seed, model, gpu_id)
    r = asked(model, max_ttft_ms=limits[0], min_tok_s_user=limits[1])
    for users in (None, 100):
        request = r.model_copy(update={"users": users})
        planner = Planner(get(model), request, Policy(), own)
        free = Planner(get(model), request, Policy(), own, bounded=False)
        keys = [
            RowKey(gpu.id, cap, n, nodes, min(n, gpu.wired_domain_gpus), 5, 16, "rdma", 400)
            for n, nodes in ((1, 1), (2, 1), (4, 1), (8, 1), (8, 3)) for cap in (gpu.tdp_w or 1, (gpu.tdp_w or 2) // 2)
        ]  # fmt: skip
        assert planner.rows(gpu, keys) == free.rows(gpu, keys)
        can = planner.reach(gpu)
        for row in free.rows(gpu, keys):
            assert row.plan.gpus >= can.gpus and row.key.total >= planner.fewest(gpu)
            assert row.perf.tenths <= row.key.total * planner.most_tenths(gpu)
            assert row.plan.concurrency * row.plan.replicas <= row.key.total * can.users


@pytest.mark.parametrize("seed", range(8))
def test_the_judged_concurrency_is_the_best_of_all(shipped: Catalog, seed: int) -> None:
    """Every concurrency is tried: none above the judged one meets the limits, none that does gives more tok/s."""
    model, gpu_id = MODELS[seed % len(MODELS)], GPUS[seed % 3]
    limit = (5.0, 20.0, 45.0, 90.0)[seed % 4]
    for shape in SHAPES[:4]:
        one = roofline_of(shipped, model, gpu_id, shape, (1024, 1024))
        rng = np.random.default_rng(seed)
        curve: Curve = curve_of(Point(float(c), float(rng.normal(0, 0.4)), "x") for c in rng.integers(1, 300, 4))
        bent, most = bend(one, curve, 500), np.array([500])

        class Alone:
            osl = 1024
            ttft_s = staticmethod(bent.ttft_at)
            tpot_s = staticmethod(bent.tpot_at)

        found = int(largest_concurrency(Alone(), most, limit, 2000.0)[0])  # type: ignore[arg-type]
        users = np.arange(1.0, 501.0)
        fine = (bent.tpot_at(users) * limit <= SLACK) & (bent.ttft_at(users) <= 2.0 * SLACK)
        assert found == max(users[fine].tolist(), default=0)
        if found:
            total = users * 1024 / (bent.ttft_at(users) + bent.tpot_at(users) * 1023)
            assert total[found - 1] >= total[fine].max() * (1 - 1e-12)


@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("model", MODELS)
def test_planner_size_and_batch_say_the_same(shipped: Catalog, model: str, own: bool) -> None:
    llm, compared = get(model), 0
    for gpu_id, limit in itertools.product(GPUS, (10.0, 40.0)):
        gpu = shipped.parts[gpu_id]
        assert isinstance(gpu, Gpu)
        known = measured_anew(len(gpu_id), model, gpu_id, 1) if own else calibration.shipped()
        key = key_of(gpu, 8, 1)
        for users in (None, 8, 64):
            planner = Planner(llm, asked(model, users=users, min_tok_s_user=limit), Policy(), known)
            for row in planner.rows(gpu, [key]):
                plan, perf = row.plan, row.perf
                at_once = plan.concurrency * plan.replicas
                size = next(x for x in users_table(planner, gpu, key, [at_once]) if x["users"] == at_once)
                columns = {
                    "model": model, "precision": plan.precision, "gpu": gpu.id, "n_gpus": 8, "tp": plan.tp,
                    "pp": plan.pp, "dp": plan.dp, "ep": plan.ep, "isl": 1024, "osl": 1024, "concurrency": at_once,
                }  # fmt: skip
                a = answers(prepare({k: [str(v)] for k, v in columns.items()}, shipped, Policy()), known)
                assert not a.errors[0]
                tok_s = perf.tenths / 10
                assert tok_s <= a.output_tok_s[0] + 1e-6 and a.output_tok_s[0] < tok_s + 0.1 * plan.replicas + 1e-6
                assert math.isclose(a.ttft_ms[0], perf.ttft_ms) and math.isclose(a.tpot_ms[0], perf.tpot_ms)
                assert (a.basis[0], a.source[0]) == (perf.basis, perf.source)
                if (size["tp"], size["pp"], size["dp"], size["ep"]) == (plan.tp, plan.pp, plan.dp, plan.ep):
                    assert math.isclose(size["ttft_ms"], perf.ttft_ms, abs_tol=0.06)
                    assert math.isclose(size["per_user_tok_s"], perf.per_user_tok_s, abs_tol=0.006)
                    assert (size["basis"], size["source"]) == (perf.basis, perf.source)
                assert size["output_tok_s"] >= tok_s - 0.06
                compared += 1
    assert compared >= 8


@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("model", MODELS)
def test_every_plan_has_one_curve(shipped: Catalog, model: str, own: bool) -> None:
    """Each plan that memory has room for, at several numbers of users: `size` and a batch row say the same."""
    llm, bases = get(model), set()
    gpu = shipped.parts[GPUS[1]]
    assert isinstance(gpu, Gpu)
    known = measured_anew(len(model), model, gpu.id, 1) if own else calibration.shipped()
    planner, key = Planner(llm, asked(model), Policy(), known), key_of(gpu, 8, 1)
    rows: list[dict[str, object]] = []
    said = []
    for c in candidates(planner, gpu, key):
        for at, (shape, cap) in enumerate(zip(c.shapes, c.cap.tolist(), strict=True)):
            for each in sorted({min(cap, x) for x in (1, 4, 7, 50, 300, cap)}):
                users = each * int(c.replicas[at])
                said.append(served(planner, c, users)[at])
                names = zip(("tp", "pp", "dp", "ep"), shape, strict=True)
                rows.append({"model": model, "precision": c.precision, "gpu": gpu.id, "n_gpus": 8, **dict(names),
                             "isl": 1024, "osl": 1024, "concurrency": users})  # fmt: skip
    table = prepare({name: [str(x[name]) for x in rows] for name in rows[0]}, shipped, Policy())
    a = answers(table, known)
    assert not any(a.errors)
    for i, s in enumerate(said):
        assert math.isclose(a.output_tok_s[i], s.tok_s) and math.isclose(a.tpot_ms[i], s.tpot_ms)
        assert math.isclose(a.ttft_ms[i], s.ttft_ms)
        fact = known.fact(kin(llm), gpu, planner.curves(gpu, s.precision).get(s.shape, ()), s.running)
        assert (a.basis[i], a.source[i]) == (fact.basis, fact.source)
        bases.add(fact.basis)
    assert len(said) > 30 and (not own or "measured" in bases)


@pytest.mark.parametrize("model", ["v3-671b", "r1-distill-llama-70b", "gpt-oss-120b"])
@pytest.mark.parametrize("limits", LIMITS)
def test_the_table_over_users_never_turns(shipped: Catalog, model: str, limits: tuple[float | None, float]) -> None:
    """Down the table each user is slower and waits longer, where another plan takes over too."""
    rows = 0
    for gpu in [g for g in shipped.of(Kind.GPU) if isinstance(g, Gpu) and g.id in calibration.shipped().seen.gpus]:
        planner = Planner(get(model), asked(model, max_ttft_ms=limits[0], min_tok_s_user=limits[1]), Policy())
        table = users_table(planner, gpu, key_of(gpu, 8, 1), (1, 2, 4, 8, 16, 40, 100, 300, 1000, 4000, 9000))
        for fewer, more in itertools.pairwise(table):
            met = not fewer["cut"] and more["cut"]  # limits come first: a plan that meets them may be slower in one
            assert met or more["per_user_tok_s"] <= fewer["per_user_tok_s"], (gpu.id, fewer, more)
            assert met or more["ttft_ms"] >= fewer["ttft_ms"], (gpu.id, fewer, more)
            rows += 1
    assert rows > 20


@settings(max_examples=examples(30), deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([(None, 30.0), (800.0, 10.0)]))
def test_more_is_never_asked_and_had(seed: int, limits: tuple[float | None, float]) -> None:
    """A request that a GPU can't serve is not served with a stricter limit or more users: what `ways out` bisects."""
    model, gpu_id = MODELS[seed % len(MODELS)], GPUS[seed % 3]
    gpu = shelf().parts[gpu_id]
    assert isinstance(gpu, Gpu)
    own, key = measured_anew(seed, model, gpu_id), key_of(gpu, 8, 1)

    def tenths(request: Request) -> int:
        return max((x.perf.tenths for x in Planner(get(model), request, Policy(), own).rows(gpu, [key])), default=0)

    r = asked(model, max_ttft_ms=limits[0], min_tok_s_user=limits[1])
    assume(tenths(r))
    speeds, waits = np.linspace(1, 300, 40).tolist(), np.geomspace(20000, 30, 25).tolist()
    by_speed = [tenths(r.model_copy(update={"min_tok_s_user": x})) for x in sampled(4, speeds)]
    by_users = [tenths(r.model_copy(update={"users": int(x)})) for x in sampled(4, np.geomspace(1, 5000, 25))]
    by_ttft = [tenths(r.model_copy(update={"max_ttft_ms": x})) for x in sampled(4, waits)]
    for found in (by_speed, by_users, by_ttft):
        assert found == sorted(found, reverse=True)


def test_figures_of_a_calibration_hold_for_its_copies() -> None:
    """A curve is made of the calibration's points alone: the same points in another order give the same curve."""
    rng, base = np.random.default_rng(5), calibration.shipped()
    setup = Setup("x", "fp8", "bf16", GPUS[0], 8, 1, 1, 1, 1024, 1024)
    some = [(setup, Point(float(c), float(rng.normal()), "x")) for c in (1, 4, 4, 8, 64)]
    there, back = (base.with_points(x, base.seen) for x in (some, some[::-1]))
    assert [p[0] for p in there.curves[setup]] == [p[0] for p in back.curves[setup]]
    assert np.allclose([p[1] for p in there.curves[setup]], [p[1] for p in back.curves[setup]], rtol=1e-12)
    assert replace(there, name="copy").curves is there.curves
