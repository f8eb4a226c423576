"""`size --batch`: the same rows in the same order with figures or an error, whatever the spreadsheet wrote."""

from __future__ import annotations

import csv
import io
import sys
from functools import cache
from pathlib import Path
from types import FrameType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalogs.errors import InputError
from catalogs.load import Catalog, load
from catalogs.visible import safe_cell
from constraints.policy import Policy
from optimizer.sizing.batch_file import COUNTED, FIGURES, batch
from optimizer.text.csv_table import csv_text, read_csv
from optimizer.throughput.answers import answers
from optimizer.throughput.batch import NUMBERS, TEXTS, prepare
from optimizer.throughput.calibration import shipped
from optimizer.throughput.fitting.measured import SHIPPED

ROWS = "model,precision,gpu,n_gpus,tp,isl,osl,concurrency,注\n"
GOOD = "v3-671b,fp8,H200,8,8,1024,1024,64,好\n"
LENIENT = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return shipped_catalog()


@cache
def shipped_catalog() -> Catalog:
    """Not a fixture where Hypothesis would print it."""
    return load()


def answered(path: Path, catalog: Catalog) -> list[dict[str, str]]:
    text = batch(path, catalog, Policy(), shipped()).csv
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_all_measured_rows(catalog: Catalog) -> None:
    found = answered(SHIPPED, catalog)
    with SHIPPED.open(encoding="utf-8") as f:
        given_rows = list(csv.DictReader(f))
    assert [r["id"] for r in found] == [r["id"] for r in given_rows]
    assert [r["output_tok_s_in"] for r in found] == [r["output_tok_s"] for r in given_rows]
    assert sum(not r["error"] for r in found) >= 0.95 * len(found)
    for r in found:
        if r["error"]:
            assert not any(r[c] for c in FIGURES if c != "error")
        else:
            assert 0 < float(r["low"]) <= float(r["output_tok_s"]) <= float(r["high"])
            assert r["basis"] in ("measured", "interpolated", "roofline")


def test_engines_of_gguf_files_start_no_other_weights(catalog: Catalog, tmp_path: Path) -> None:
    """llama.cpp, which serves on these cards too, cuts by layers on any number of them; that is no plan of safetensors
    by tensor parallelism, whose heads do not divide."""
    path = tmp_path / "rows.csv"
    path.write_text(
        "model,precision,gpu,n_gpus,tp,isl,osl,concurrency\n"
        "qwen3-32b,bf16,A100 SXM 80GB,3,3,1024,1024,8\nv4-flash,fp4-mix,H100 SXM,6,6,1024,1024,8\n"
        "qwen3-32b,bf16,A100 SXM 80GB,4,4,1024,1024,8\n",
        encoding="utf-8",
    )
    three, six, four = answered(path, catalog)
    assert "heads 64 % tp 3" in three["error"] and "heads 64 % tp 6" in six["error"]
    assert not four["error"] and float(four["output_tok_s"]) > 0


def test_a_row_says_how_it_was_understood(catalog: Catalog, tmp_path: Path) -> None:
    """Columns in any case, blanks filled in; what the row said is kept beside it."""
    path = tmp_path / "rows.csv"
    path.write_text(
        "model,gpu,n_gpus,nodes,tp,kv_precision,spec,prefix_cache,network,disagg,prefill_gpus,decode_gpus\n"
        "r1-671b,H200,16,2,,FP8,MTP2,40 %,IB-200,Yes,8,8\nr1-671b,H200,8,1,8,,,,,,,\n",
        encoding="utf-8",
    )
    apart, plain = answered(path, catalog)
    assert [apart[c] for c in COUNTED[1:]] == ["fp8", "mtp2", "40%", "200", "yes"]
    assert apart["plan"].startswith("prefill ") and apart["kv_precision_in"] == "FP8" and apart["basis"] == "roofline"
    assert [plain[c] for c in COUNTED] == ["tp8", "bf16", "none", "0%", "", "no"]
    assert plain["spec_in"] == plain["error"] == apart["error"] == ""


def calls(rows: list[dict[str, str]], catalog: Catalog) -> int:
    """Python functions entered while a table is answered: what a fast or a slow machine does alike."""
    columns = {c: [r[c] for r in rows] for c in (*TEXTS, *NUMBERS)}
    entered = 0

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal entered
        entered += event == "call"

    sys.setprofile(count)
    try:
        answers(prepare(columns, catalog, Policy()), shipped())
    finally:
        sys.setprofile(None)
    return entered


def test_rows_are_arrays(catalog: Catalog) -> None:
    """What a further row takes is the reading of its cells, no model of its own: 61 calls of small functions."""
    with SHIPPED.open(encoding="utf-8") as f:
        rows = list(csv.DictReader(f))
    calls(rows, catalog)  # fills what is read once
    assert calls(rows * 3, catalog) - calls(rows, catalog) < 100 * 2 * len(rows)


@pytest.mark.parametrize(
    "data",
    [
        (ROWS + GOOD).encode("utf-8-sig"),
        (ROWS + GOOD).encode("gb18030"),
        (ROWS + "\n" + GOOD + "\n,,,\n").encode(),
        (ROWS + GOOD).replace(",", ";").encode(),
        (ROWS + GOOD).replace(",", "\t").replace("\n", "\r\n").encode(),
        (ROWS.title() + GOOD).encode(),
        (ROWS + GOOD.replace("v3-671b", '"v3-671b"').replace("好", '"好"')).encode(),
    ],
)
def test_spreadsheets_read_alike(data: bytes, tmp_path: Path, catalog: Catalog) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(data)
    (row,) = answered(path, catalog)
    assert (row["注"], row["basis"], row["error"]) == ("好", "measured", "")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty-file"),
        (b"\n\n", "empty-file"),
        (b"model,gpu\nv3-671b,H200\n", "missing-column"),
        (b"model,gpu,n_gpus,Model\n", "doubled-column"),
        (b"\xff\xfe\x00\x01", "unreadable-file"),
    ],
)
def test_bad_files_are_refused(data: bytes, code: str, tmp_path: Path, catalog: Catalog) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(data)
    with pytest.raises(InputError) as e:
        answered(path, catalog)
    assert e.value.faults[0].code == code


def test_bad_rows_keep_their_place(tmp_path: Path, catalog: Catalog) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(
        "model,gpu,n_gpus,error\nv9,H200,8,old\nv3-671b,H200,8,x\nv3-671b,H200,-1,y\nv3-671b,H200,8,z,more\n"
    )
    found = answered(path, catalog)
    assert [r["error_in"] for r in found] == ["old", "x", "y", "z"]
    assert [bool(r["error"]) for r in found] == [True, False, True, True]
    assert float(found[1]["output_tok_s"]) > 0


CELL = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=12)


@LENIENT
@given(rows=st.lists(st.tuples(CELL, CELL, CELL, CELL, CELL), max_size=4))
def test_any_cells_are_answered_or_refused(rows: list[tuple[str, ...]], tmp_path: Path) -> None:
    header = ("model", "gpu", "n_gpus", "isl", "remark")
    path = tmp_path / "rows.csv"
    path.write_text(csv_text(header, rows), encoding="utf-8", newline="")
    table = read_csv(path, header, "")
    assert [tuple(r) for r in table.rows] == [r for r in rows if any(c.strip() for c in r)]
    found = answered(path, shipped_catalog())
    assert [r["remark"] for r in found] == [safe_cell(r[-1]) for r in table.rows]
    assert all(bool(r["error"]) != bool(r["basis"]) for r in found)


@LENIENT
@given(data=st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(data)
    try:
        answered(path, shipped_catalog())
    except InputError as e:
        assert all(f.code and f.file for f in e.faults)


# The engine of a row --------------------------------------------------------------------------------------------------

ENGINES = "model,precision,gpu,n_gpus,tp,dp,ep,engine\n"


@pytest.mark.parametrize(
    ("row", "said"),
    [("qwen3-235b-a22b,fp8,H200,8,8,1,1,", ""),  # TensorRT-LLM has no rule on FP8 blocks
     ("qwen3-235b-a22b,fp8,H200,8,8,1,1,vllm", "vLLM 0.33.0: V7b:"),  # width 192: it warns, and is never planned
     ("v3-671b,fp8,H200,8,8,1,4,", ""),  # SGLang and TensorRT-LLM choose ep freely
     ("v3-671b,fp8,H200,8,8,1,4,sglang", ""), ("v3-671b,fp8,H200,8,8,1,4,trtllm", ""),
     ("v3-671b,fp8,H200,8,8,1,4,dynamo-trt", ""), ("v3-671b,fp8,H200,8,8,1,4,dynamo-sglang 0.5.8", ""),
     ("v3-671b,fp8,H200,8,8,1,4,vllm", "vllm does not start this plan: vLLM 0.33.0: V6:"),
     ("v3-671b,fp8,H200,8,8,1,4,dynamo-vllm 0.20.1", "vLLM 0.20.1: V6:"),
     ("v3-671b,fp8,MI300X,8,4,2,1,vllm", ""), ("v3-671b,fp8,MI300X,8,2,4,4,vllm", "vLLM ROCm 0.33.0: V6:"),
     ("v3-671b,fp8,H200,8,8,1,1,atom", "engine: no rules of engine 'atom' are known. Known: vllm"),
     ("v3-671b,fp8,H200,8,,,,trtllm", "")],
)  # fmt: skip
def test_a_plan_is_judged_by_the_engine_that_its_row_names(
    row: str, said: str, tmp_path: Path, catalog: Catalog
) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(ENGINES + row + "\n", encoding="utf-8")
    (found,) = answered(path, catalog)
    assert found["engine"] == row.rpartition(",")[2]
    assert said in found["error"] if said else found["error"] == "" and float(found["output_tok_s"]) > 0


def test_runs_are_started_by_the_engine_that_ran_them(catalog: Catalog) -> None:
    """The published measurements name their engines: none refuses a plan that it ran, but for one table of 15 rows
    whose tensor-parallel size is that of all nodes together."""
    refused = [r for r in answered(SHIPPED, catalog) if "does not start this plan" in r["error"]]
    assert {(r["engine"].strip(), r["tp"], r["ep"], r["nodes"]) for r in refused} <= {("sglang", "64", "8", "8")}
