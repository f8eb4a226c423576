"""`dsopt check` on a build file that says how the model is served: KV cache, speculation, prefix cache."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.commands import dsopt

CLUSTER = (Path(__file__).parents[2] / "examples" / "two-node-cluster.toml").read_text(encoding="utf-8")


def written(folder: Path, more: str, cluster: str = CLUSTER) -> str:
    path = folder / "cluster.toml"
    path.write_text(cluster.replace("users = 512\n", f"users = 512\n{more}"), encoding="utf-8")
    return str(path)


def needed_gb(*words: str) -> float:
    (found,) = json.loads(dsopt("check", *words, "--json").stdout)
    return next(float(check["measured"]) for check in found["checks"] if check["rule"] == "vram")


def test_kv_cache_and_module_count(tmp_path: Path) -> None:
    plain = needed_gb(written(tmp_path, ""))
    assert needed_gb(written(tmp_path, 'kv_precision = "fp8"\n')) != plain
    assert needed_gb(written(tmp_path, 'speculate = "mtp2"\n')) != plain
    said = dsopt(
        "check", written(tmp_path, 'speculate = "mtp2"\nkv_precision = "fp8"\ncached_share_percent = 40\n')
    ).stdout
    assert "--kv-precision fp8" in said and "--speculate mtp2" in said and "40 % of each prompt" in said


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ('kv_precision = "fp9"\n', "column kv_precision"),
        ('speculate = "mtp6"\n', "column speculate"),
        ("cached_share_percent = 101\n", "column cached_share_percent"),
        ('speculate = "mtp2"\noffload = true\n', "does not go with offload"),
    ],
)
def test_what_is_no_such_thing_is_refused(tmp_path: Path, more: str, said: str) -> None:
    assert said in dsopt("check", written(tmp_path, more), code=3).stderr


def test_a_gpu_by_the_name_that_its_driver_reports(tmp_path: Path) -> None:
    board = '"nvidia-hgx-h200-8-gpu-baseboard" = 1'
    assert board in CLUSTER
    named = CLUSTER.replace(board, '"NVIDIA H200 141GB HBM3e" = 8')
    assert needed_gb(written(tmp_path, "", named)) == needed_gb(written(tmp_path, ""))
