"""`dsopt size` and what it shares with solve: users table, load, own measurements, models of a setup."""

from __future__ import annotations

import json
import math
import shutil
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalogs.errors import InputError
from catalogs.llm import get
from catalogs.load import Catalog, load
from catalogs.schema import Gpu
from constraints.policy import Policy
from constraints.request import Request
from optimizer import library
from optimizer.cli import calibrate_view
from optimizer.request import parsing, texts
from optimizer.request.load import Load, erlang_c, load_of, queue, with_load
from optimizer.sizing import calibrating, second_opinion
from optimizer.sizing.own_runs import calibration
from optimizer.sizing.serving import Sized, key_of, serving_size
from optimizer.throughput.calibration import Calibration, shipped
from optimizer.throughput.constants import DATA
from optimizer.throughput.fitting.measured import SHIPPED, Runs
from optimizer.throughput.fitting.measured import read as read_runs
from tests.support.commands import dsopt

DAY = date(2026, 11, 24)


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load()


def sized(
    catalog: Catalog, c: Calibration | None = None, gpu: str = "8xH200", model: str = "r1-671b", **fields: object
) -> Sized:
    request = Request(model=model, as_of=DAY, **fields)  # type: ignore[arg-type]
    count, gpu_id = texts.gpu(gpu, catalog)
    card = catalog.parts[gpu_id]
    assert isinstance(card, Gpu)
    return serving_size(get(model), request, Policy(), c or shipped(), card, key_of(card, count or 1, 1))


def test_users_table_reaches_the_most_users_and_one_step_beyond(catalog: Catalog) -> None:
    s = sized(catalog)
    counts = [u.users for u in s.table]
    assert counts[:5] == [1, 4, 16, 64, 256] and s.users in counts and counts[-1] > (s.users or 0)
    at_most = next(u for u in s.table if u.users == s.users)
    assert at_most.cut == ""
    assert at_most.output_tok_s >= 0.999 * (s.output_tok_s or 0)
    assert s.table[-1].cut
    assert all(u.low <= u.output_tok_s <= u.high for u in s.table)


def test_memory_adds_up(catalog: Catalog) -> None:
    s = sized(catalog)
    assert s.weights_gb and s.kv_gb and s.reserve_gb and s.needed_gb and s.vram_gb
    assert math.isclose(s.weights_gb + s.kv_gb + s.reserve_gb, s.needed_gb, abs_tol=0.02)
    assert s.needed_gb <= s.vram_gb
    short = sized(catalog, gpu="8xH100")
    assert not short.fits and short.missing_gb > 0 and f"{short.missing_gb:,.2f}" in short.reason


def test_engines_marked_experimental_are_named(catalog: Catalog) -> None:
    """Where they alone serve a model on a GPU, and where nobody does."""
    without = sized(catalog, gpu="MI325X", model="v4-flash")
    assert not without.fits and "--allow-experimental" in without.reason and "fp4-mix" in without.reason
    leave = sized(catalog, gpu="MI325X", model="v4-flash", allow_experimental=True)
    assert leave.fits and leave.precision == "fp4-mix"
    nobody = sized(catalog, gpu="4xA100 SXM 80GB", model="v4-flash")
    assert not nobody.fits and "no engine serves it" in nobody.reason


def test_limits_cut(catalog: Catalog) -> None:
    slow = sized(catalog, max_ttft_ms=300.0)
    assert any("TTFT above 300 ms" in u.cut for u in slow.table)
    fast = sized(catalog, min_tok_s_user=50.0)
    assert any("each user below 50 tok/s" in u.cut for u in fast.table)
    assert (fast.users or 0) < (sized(catalog).users or 0)


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 200), st.floats(0.01, 0.99))
def test_erlang_c_is_the_sum_of_its_definition(servers: int, busy: float) -> None:
    """Kleinrock's formula, term by term in logarithms."""
    a = servers * busy
    terms = [k * math.log(a) - math.lgamma(k + 1) for k in range(servers)]
    last = servers * math.log(a) - math.lgamma(servers + 1) - math.log(1 - busy)
    top = max(*terms, last)
    expected = math.exp(last - top) / (sum(math.exp(t - top) for t in terms) + math.exp(last - top))
    assert math.isclose(erlang_c(servers, a), expected, rel_tol=1e-6, abs_tol=1e-12)


def test_load_becomes_throughput() -> None:
    policy = Policy().with_settings(["load.peak_to_mean=3", "load.utilisation_percent=50"])
    request = Request(model="r1-671b", as_of=DAY, tokens_per_day=86_400_000)
    found = load_of(request, policy)
    assert found is not None and math.isclose(found.needed_tok_s, 6000)
    asked = with_load(request, policy)
    assert asked.throughput_tenths == 60000 and with_load(asked, policy) == asked
    by_requests = load_of(Request(model="r1-671b", as_of=DAY, requests_per_second=2, osl=500), policy)
    assert by_requests is not None and by_requests.mean_tok_s == 1000
    one = queue(Load(50, 50, 50, 0.05), 100, 1, 1000)  # M/M/1: 10 s each, half busy, so 10 s of waiting
    assert one.mean_wait_s is not None and math.isclose(one.mean_wait_s, 10) and math.isclose(one.requests_at_once, 1)
    assert queue(Load(50, 100, 50, 0.1), 100, 1, 1000).mean_wait_s is None


def test_own_measurements_beat_the_model(catalog: Catalog, tmp_path: Path) -> None:
    mine = tmp_path / "mine.csv"
    mine.write_text(
        "model,precision,gpu,n_gpus,tp,isl,osl,concurrency,output_tok_s\n"
        "v3-671b,fp8,H200,8,8,1024,1024,64,5000\n"
        "v3-671b,fp8,H200,8,8,1024,1024,1,50000\n"
        "v3-671b,fp8,H200,8,8,1024,1024,,5000\n"
        "nobody,fp8,H200,8,8,1024,1024,64,5000\n"
    )
    chosen = calibration(None, mine, catalog, Policy())
    notes = chosen.notes
    assert "1 of 4 rows" in notes[0]
    assert all(x in notes[1] for x in ("row 3", "memory bandwidth", "row 4", "no concurrency", "row 5"))
    assert chosen.sha256 != shipped().sha256
    row = next(u for u in sized(catalog, chosen).table if u.users == 64)
    assert (row.output_tok_s, row.basis, row.source) == (5000, "measured", "mine.csv row 2")
    assert next(u for u in sized(catalog).table if u.users == 64).output_tok_s != 5000


def test_solve_takes_own_measurements(tmp_path: Path) -> None:
    mine = tmp_path / "mine.csv"
    mine.write_text("model,precision,gpu,n_gpus,isl,osl,concurrency,output_tok_s\nr1-33b,fp16,H100,1,64,64,7,1\n")
    job = ["solve", "--budget", "12000", "--model", "r1-distill-qwen-14b", "--as-of", "2026-11-24", "--json"]
    plain, with_mine = (json.loads(dsopt(*job, *x).stdout) for x in ([], ["--measured", str(mine)]))
    assert plain["throughput_model"]["calibration"] == "shipped"
    assert with_mine["throughput_model"]["calibration"] == "shipped + mine.csv"
    assert plain["throughput_model"]["sha256"] != with_mine["throughput_model"]["sha256"]


@pytest.mark.parametrize(
    ("args", "schema"),
    [
        (["--model", "r1-671b", "--gpu", "8xH200", "--gpu", "8xH100", "--workload", "rag"], "size"),
        (["--model", "r1-33b", "--gpu", "8xH100", "--workload", "finetune-lora"], "size"),
        (["--model", "v3-671b", "--gpu", "4090", "--offload", "--allow-experimental", "--cpu", "EPYC 9654",
          "--memory", "12x64GB@4800",          "--precision", "int4"], "size"),
        (["--gpu", "4 x 4090"], "size-models"),
    ],
)  # fmt: skip
def test_json_is_valid(args: list[str], schema: str) -> None:
    data = json.loads(dsopt("size", *args, "--json").stdout)
    jsonschema.validate(data, json.loads(dsopt("schema", schema).stdout))
    if schema == "size-models":
        sizes = [m["params_total"] for m in data["models"]]
        assert sizes == sorted(sizes, reverse=True)
        assert {m["size"]["fits"] for m in data["models"]} == {True, False}
        assert not any(m["model"]["id"].startswith("llama") for m in data["models"])


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--model", "r1-671b"], "--gpu is needed"),
        (["--model", "r1-671b", "--gpu", "8xH200", "--tokens-per-day", "-3"], "bad-amount"),
        (["--model", "r1-671b", "--gpu", "8xH200", "--tokens-per-day", "1M", "--requests-per-second", "1"], "give one"),
        (["--model", "r1-671b", "--gpu", "8xH200", "--engine", "magic"], "unknown-engine"),
        (["--model", "r1-671b", "--gpu", "8xH200", "--calibration", "/no/such"], "no-calibration"),
        (["--model", "r1-671b", "--gpu", "8xH200", "--measured", "/no/such.csv"], "unreadable-file"),
        (["--model", "r1-671b", "--gpu", "8xH200", "--offload"], "--cpu"),
    ],
)
def test_wrong_input_is_named(args: list[str], words: str) -> None:
    wrong_use = "--gpu is needed", "give one"
    done = dsopt("size", *args, code=2 if words in wrong_use else 3)
    assert words in done.stderr


def test_outputs_are_not_written_over(tmp_path: Path) -> None:
    rows, out = tmp_path / "rows.csv", tmp_path / "out.csv"
    rows.write_text("model,gpu,n_gpus\nr1-671b,H200,8\n")
    dsopt("size", "--batch", str(rows), "-o", str(out))
    first = out.read_bytes()
    assert "output-exists" in dsopt("size", "--batch", str(rows), "-o", str(out), code=3).stderr
    dsopt("size", "--batch", str(rows), "-o", str(out), "--force")
    assert out.read_bytes() == first


def test_calibrate_says_what_moved(
    catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """All but the fit itself, which takes minutes and has tests of its own: the shipped files stand in its place."""
    mine, folder = tmp_path / "mine.csv", tmp_path / "made"
    mine.write_text("model,precision,gpu,n_gpus,tp,isl,osl,concurrency,output_tok_s\n"
                    "v3-671b,fp8,H200,8,8,1024,1024,64,5000\nnobody,fp8,H200,8,8,1024,1024,64,5000\n")  # fmt: skip
    fitted: list[int] = []

    def fit(runs: Runs, parts: Catalog, policy: Policy, to: Path) -> None:
        fitted.append(len(runs.rows))
        shutil.copytree(DATA, to)

    monkeypatch.setattr(calibrating, "recalibrate", fit)
    calibrate_view.calibrate(mine, folder, False, catalog, Policy())
    said = capsys.readouterr()
    assert fitted == [len(read_runs(SHIPPED).rows) + 2]
    assert "1 of 2 rows were used" in said.err
    assert "model-and-gpu" in said.out and "v3-671b on H200" in said.out
    assert calibration(folder, None, catalog, Policy()).sha256 == shipped().sha256
    with pytest.raises(InputError, match="output-exists"):
        calibrate_view.calibrate(mine, folder, False, catalog, Policy())


def test_amounts() -> None:
    assert [parsing.amount(x, "--tokens-per-day") for x in ("20M", "500k", "2000万", "3亿", "1,000", "0.5")] == [
        2e7, 5e5, 2e7, 3e8, 1000, 0.5,
    ]  # fmt: skip
    with pytest.raises(InputError):
        parsing.amount("many", "--tokens-per-day")


def test_solve_without_a_model_is_the_best_build_of_each() -> None:
    job = ["--budget", "12000", "--gpu", "RTX 5090", "--max-nodes", "1", "--as-of", "2026-11-24", "--json"]
    data = json.loads(dsopt("solve", *job).stdout)
    jsonschema.validate(data, json.loads(dsopt("schema", "models").stdout))
    assert data["complete"]
    sizes = [m["params_total"] for m in data["models"]]
    assert sizes == sorted(sizes, reverse=True)
    alone = json.loads(dsopt("solve", "--model", "r1-distill-qwen-14b", *job).stdout)
    best = next(m for m in data["models"] if m["model"]["id"] == "r1-distill-qwen-14b")
    assert best["status"] == "optimal"
    assert best["point"] == next(p for p in alone["front"] if p["id"] == alone["recommended"])
    v3 = next(m for m in data["models"] if m["model"]["id"] == "v3-671b")
    assert v3["point"] is None and "r1-671b" in v3["same"]


@pytest.mark.parametrize(("ttft", "said"), [(250.0, ""), (float("nan"), "its figure is no number")])
def test_a_second_opinion_is_a_figure_or_a_reason(ttft: float, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other package played by a figure of its own."""
    figures = {"tokens_per_second_per_gpu": 100.0, "ttft": ttft, "tpot": 20.0, "concurrency": 4}
    estimate = SimpleNamespace(**figures, backend_name="sglang", backend_version="1")
    played = SimpleNamespace(cli_estimate=lambda *args, **kwargs: estimate)
    monkeypatch.setattr(second_opinion.importlib, "import_module", lambda name: played)
    monkeypatch.setattr(second_opinion, "version", lambda name: "0.10")
    request = Request(model="v3-671b", as_of=date(2026, 11, 24))
    report = library.size(request, [("H200 SXM5", 8, 1)], second_opinion="aiconfigurator")
    found = report.setups[0].second_opinion
    assert (found is None) == bool(said) and said in " ".join(report.messages)
    assert found is None or (found.output_tok_s, found.ttft_ms) == (800.0, ttft)
