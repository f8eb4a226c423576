"""`dsopt models show MODEL --gpu GPU`: does it run there, since when, who says so."""

from __future__ import annotations

import json
from datetime import date

import pytest

from catalogs.engines.support import FRESH_DAYS, WORSE, age_days, engines, support_of, support_rows
from catalogs.llm import all_models
from catalogs.load import load
from catalogs.schema import Gpu
from tests.support.commands import dsopt

GPUS = [part for part in load().parts.values() if isinstance(part, Gpu)]


def test_every_row_of_the_tables_is_told_somewhere() -> None:
    """What a plan may count on is among what is told, with the same status, for every model and GPU."""
    for llm in all_models()[::7]:
        for gpu in GPUS[::5]:
            said = support_of(llm.id, llm.architecture, gpu, llm.precisions(), ("serve",))
            assert [WORSE[one.status] for one in said] == sorted(WORSE[one.status] for one in said)
            for precision in llm.precisions():
                counted = {(e.name, e.since, e.status) for e in engines(llm.id, llm.architecture, gpu, precision)}
                told = {
                    (one.engine, one.release, one.status)
                    for one in said
                    if precision in one.precisions and one.status in ("stable", "experimental")
                }
                assert told == counted


def test_every_row_has_an_age() -> None:
    """Also one that names a month alone."""
    gpus = {kernel: gpu for gpu in GPUS for kernel in [gpu.kernel_class]}
    assert len(gpus) > 5
    for row in support_rows("serve"):
        assert len(row.date) in (7, 10)
    for llm in all_models()[::9]:
        for gpu in gpus.values():
            for one in support_of(llm.id, llm.architecture, gpu, llm.precisions()):
                assert one.age_days(date(2027, 1, 1)) > 0


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_command_says_who_says_so(language: str) -> None:
    done = dsopt("--lang", language, "models", "show", "v3-671b", "--gpu", "8xH200")
    assert done.returncode == 0
    assert "vLLM" in done.stdout and "SGLang" in done.stdout and "recipes" in done.stdout
    found = json.loads(dsopt("models", "show", "v3-671b", "--gpu", "H200 SXM", "--json").stdout)["engines"]
    assert found["gpu"] == "nvidia-h200-sxm5-141gb"
    assert {"engine", "status", "since_release", "source", "date", "age_days"} <= found["support"][0].keys()


def test_a_gpu_that_nothing_runs_on() -> None:
    done = dsopt("models", "show", "v4-pro", "--gpu", "4090")
    assert done.returncode == 0
    assert "No engine is known" in done.stdout or "does not run" in done.stdout
    assert "no such card" in dsopt("models", "show", "v4-pro", "--gpu", "no such card", code=3).stderr


def test_a_catalog_is_of_use_with_a_gpu_alone() -> None:
    assert "--gpu" in dsopt("models", "show", "v4-pro", "--catalog", "examples", code=2).stderr


def test_commands_say_that_their_engine_was_read_long_ago() -> None:
    """A quote of a day long after the row was read says so beside the commands; one of the same months does not."""
    asked = ["solve", "--model", "qwen3-8b", "--users", "4", "--budget", "30000", "--json", "--as-of"]

    def notes(day: str) -> set[str]:
        return {point["plan"]["launch_note"] for point in json.loads(dsopt(*asked, day).stdout)["front"]}

    assert age_days("2026-08", date(2026, 11, 30)) == FRESH_DAYS + 1
    assert not any("ask anew" in note for note in notes("2026-11-30"))
    late = notes("2027-04-30")
    assert late and all("was read on 2026-11-24, 157 days earlier" in note for note in late)


@pytest.mark.parametrize("name", ["Ascend 950DT 144GB", "Kunlun P800", "MetaX C500", "MTT S5000", "Hygon BW1000"])
def test_cards_that_nobody_offers_are_told_of(name: str) -> None:
    """Which engines run a model there, whatever its price; a size or why there is none."""
    assert "vLLM" in dsopt("models", "show", "qwen3.5-397b-a17b", "--gpu", name).stdout + (
        dsopt("models", "show", "qwen3-30b-a3b", "--gpu", name).stdout
    )
    assert dsopt("size", "--model", "qwen3-30b-a3b", "--gpu", f"8x{name}").returncode == 0


def test_what_nobody_publishes_is_not_judged() -> None:
    told = dsopt("size", "--model", "qwen3-8b", "--gpu", "Kunlun P800")
    assert "Not judged" in told.stdout and "memory bandwidth and tensor rates are unknown" in told.stdout
    (found,) = json.loads(dsopt("size", "--model", "qwen3-8b", "--gpu", "Kunlun P800", "--json").stdout)["setups"]
    assert (found["fits"], found["judged"], found["missing_gb"], found["output_tok_s"]) == (False, False, 0, None)
    short = dsopt("size", "--model", "r1-671b", "--gpu", "2xKunlun P800", "--precision", "int8").stdout
    assert "memory: " in short and "Not judged" not in short
    slow = dsopt("size", "--model", "qwen3-8b", "--gpu", "H200", "--max-ttft", "0.001").stdout
    assert "the latency limits" in slow and "Not judged" not in slow
