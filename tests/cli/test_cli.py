"""The command as a customer types it: the jobs of the README, wrong inputs, and what reaches stdout and files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.support import commands
from tests.support.commands import DAY
from tests.support.long import one_in, sampled

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"


def dsopt(*args: str, code: int = 0, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own; no traceback ever."""
    command = [sys.executable, "-c", "from optimizer.cli import main; main()", *args]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **env}, timeout=300, check=False)
    assert "Traceback" not in done.stderr
    assert done.returncode == code, done.stderr[-2000:]
    return done


def answer(*args: str, code: int = 0, **env: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(dsopt("solve", *args, *DAY, "--json", code=code, **env).stdout)
    return found


JOBS = [line.split()[2:] for line in (EXAMPLES / "commands.txt").read_text(encoding="utf-8").splitlines()]


@cache
def answered(*job: str) -> dict[str, Any]:
    """What a job gives within this process, for all tests that look at it alone."""
    return commands.answer(*job)


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(commands.dsopt("schema", "result").stdout)
    return found


@pytest.mark.parametrize("job", one_in(7, JOBS), ids=" ".join)
def test_jobs_are_proven_and_valid(job: list[str], schema: dict[str, Any]) -> None:
    data = answered(*job)
    jsonschema.validate(data, schema)
    assert data["proof"]["status"] == "optimal"
    assert data["proof"]["families"]["closed_by_cp_sat"] > 0
    costs = [float(p["cost"]["total"]) for p in data["front"]]
    speeds = [p["throughput"]["output_tok_s"] for p in data["front"]]
    assert costs == sorted(set(costs))
    assert speeds == sorted(set(speeds))
    assert not [c for p in data["front"] for c in p["checks"] if c["status"] == "fail"]
    for p in data["front"]:
        assert sum(round(float(x["line_total"]) * 100) for x in p["bom"]) == round(float(p["cost"]["parts"]) * 100)
        assert all(
            round(float(x["unit_price"]) * 100) * x["qty"] == round(float(x["line_total"]) * 100) for x in p["bom"]
        )


def test_main_job_shows_a_choice() -> None:
    """At 400,000: at prices that add up to published servers, 300,000 buys one kind of eight-GPU server new."""
    data = answered(*[word.replace("300000", "400000") for word in JOBS[0]])
    assert len(data["front"]) >= 3
    assert len({p["gpus"]["part"] for p in data["front"]}) >= 2
    assert any(m["code"] == "guide-name" for m in data["messages"])


@pytest.mark.long
def test_same_bytes_for_any_hash_seed() -> None:
    found = [answer(*JOBS[3], PYTHONHASHSEED=seed) for seed in sampled(2, ("0", "1", "4711"))]
    for data in found:
        data["proof"].pop("seconds")
    assert all(data == found[0] for data in found[1:])


def test_no_build_is_explained(schema: dict[str, Any], tmp_path: Path) -> None:
    asked = ["--budget", "5000", "--model", "v3-671b", "--max-nodes", "1", "--gpu", "8xH20"]
    kept = tmp_path / "result.json"
    shown = commands.dsopt("solve", *asked, *DAY, "-o", str(kept), "-v", code=4)
    data = json.loads(kept.read_text(encoding="utf-8"))
    jsonschema.validate(data, schema)
    assert data["proof"]["status"] == "infeasible"
    assert [c["key"] for c in data["explanation"]["conflict"]] == ["budget"]
    assert "In conflict" in shown.stdout and "dsopt solve" in shown.stdout


def test_time_limit_is_honest() -> None:
    data = answer(*JOBS[6], "--time-limit", "0.01", code=6)
    assert data["proof"]["status"] == "feasible"
    assert not data["proof"]["complete"]


WRONG = [
    (["solve", "--budget", "-5", "--model", "v3-671b"], "bad-money"),
    (["solve", "--budget", "nan", "--model", "v3-671b"], "bad-money"),
    (["solve", "--budget", "300000", "--model", "v3-671b", "--spares", "1000%"], "bad-spares"),
    (["solve", "--budget", "300000", "--model", "v3-671b", "--support", "-1%"], "bad-support"),
    (["solve", "--budget", "30.000", "--model", "v3-671b"], "bad-money"),
    (["solve", "--budget", "12,34", "--model", "v3-671b"], "bad-money"),
    (["solve", "--budget", "1e999", "--model", "v3-671b"], "bad-money"),
    (["solve", "--budget", "300k", "--model", "v3-761b"], "v3-671b"),
    (["solve", "--budget", "300k", "--model", "v3-671b", "--users", "0"], "--users"),
    (["solve", "--budget", "300k", "--model", "v3-671b", "--circuit", "15A"], "15A@120V"),
    (["solve", "--budget", "300k", "--model", "v3-671b", "--gpu", "H2000"], "Nearest"),
    (["solve", "--budget", "300k", "--model", "v3-671b", "--set", "power.psu=3"], "power.psu_load_percent"),
    (["solve", "--budget", "300k", "--model", "v3-671b", "--set", "power.psu_load_percent=nan"], "bad-policy"),
    (["solve", "--budget", "300k", "--model", "v3-671b", "--isl", "900000"], "163840"),
    (["solve", "--budget", "300k", "--model", "v3-671b", "--precision", "fp9"], "fp8"),
    (["solve", "--budget", "300k", "--model", "v3-671b", "--vendor", "nvdia"], "NVIDIA"),
    (["solve", "--budget", "300k", "--model", "v3-671b", "--as-of", "2026-13-01"], "bad-date"),
    (["solve", "--budget", "300k", "--model", "v3-671b", "--max-kw", "nan"], "bad-power"),
    (["solve", "--budget", "300k", "--model", "v3-671b", "--throughput", "inf"], "bad-throughput"),
    (["solve", "--budget", "300k", "--model", "v3-671b", "--time-limit", "0"], "bad-time-limit"),
    (["solve", "--budget", "300k", "--model", "v3-671b", "--catalog", "/no/such"], "no-catalog"),
    (["solve", "--budget", "300k", "--model", "v3-671b", "--have", "pool"], "--have"),
    (["solve", "--budget", "300k", "--model", "v3-671b", "--include", "rtx 5099"], "5090"),
    (["solve", "--budget", "300k", "--model", "v3-671b", "--workload", "foo"], "chat"),
    (["solve", "--budget", "300k", "--model", "v3-671b", "-o", "/proc/no/result.json"], "not-writable"),
    (["size", "--model", "v3-671b", "--gpu", "8xH200", "--nodes", "0"], "bad-count"),
    (["check", "/no/such.toml"], "no-file"),
    (["catalog", "show", "rtx 5099"], "Nearest"),
    (["schema", "foo"], "result"),
]


@pytest.mark.parametrize(("args", "says"), WRONG, ids=lambda x: " ".join(x)[-40:] if isinstance(x, list) else x)
def test_wrong_input_is_explained(args: list[str], says: str) -> None:
    done = commands.dsopt(*args, code=3)
    assert says in done.stderr
    assert not done.stdout


def test_usage_errors() -> None:
    assert "--budget" in commands.dsopt("solve", "--model", "v3-671b", code=2).stderr
    dsopt("solve", "--bogus", code=2)


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.toml")), ids=lambda p: p.stem)
def test_examples(path: Path) -> None:
    """Each build file says in `expect` which rules fail, each request file which command it is."""
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    fails = set(data.get("expect", {}).get("fails", []))
    done = commands.dsopt("check", str(path), "--json", *DAY, code=5 if fails else 0)
    checks = json.loads(done.stdout)[0]["checks"]
    assert {c["rule"] for c in checks if c["status"] == "fail"} == fails


def test_a_saved_result_passes_its_own_check(tmp_path: Path) -> None:
    target = tmp_path / "result.json"
    commands.dsopt("solve", *JOBS[3], *DAY, "-o", str(target))
    commands.dsopt("check", str(target), *DAY)
    data = json.loads(target.read_text(encoding="utf-8"))
    data["front"][0]["nodes"][0]["parts"] = [
        x for x in data["front"][0]["nodes"][0]["parts"] if "dimm" not in x["part"] and "kvr" not in x["part"]
    ][:-1]
    target.write_text(json.dumps(data), encoding="utf-8")
    commands.dsopt("check", str(target), *DAY, code=5)


def test_sizes_of_known_machines() -> None:
    fits = json.loads(commands.dsopt("size", "--model", "r1-671b", "--gpu", "8xH200", "--json").stdout)["setups"][0]
    assert fits["fits"]
    misses = json.loads(commands.dsopt("size", "--model", "r1-671b", "--gpu", "8xH100", "--json").stdout)["setups"][0]
    assert not misses["fits"]
    assert misses["missing_gb"] > 5
