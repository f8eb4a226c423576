"""Machines published with benchmark results: the table of docs/machines.md says of each what `check` says now."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.machines import describe, run
from catalogs.load import Catalog
from optimizer.library import read_build

ROWS = run.machines()
EXPRESSED = [row for row in ROWS if row["parts"]]


@pytest.fixture(scope="module")
def parts() -> Catalog:
    return run.catalog()


def test_each_machine_is_expressed_or_says_why_not() -> None:
    assert [int(row["number"]) for row in ROWS] == list(range(1, len(ROWS) + 1)) and len(ROWS) >= 59
    assert len({row["submission"] for row in ROWS}) == len(ROWS)
    for row in ROWS:
        assert bool(row["parts"]) is (row["expressed"] in ("whole", "partly used")), row["machine"]
        assert row["parts"] or row["note"], row["machine"]


@pytest.mark.parametrize("row", EXPRESSED, ids=lambda row: row["number"])
def test_a_machine_passes_or_fails_for_a_reason_that_others_publish(row: run.Row, parts: Catalog) -> None:
    found = run.judged(row, parts)
    assert found is not None
    failing = list(dict.fromkeys(x.rule for x in found.checks if x.status == "fail"))
    assert "|".join(failing) == row["fails"], [x.text for x in found.checks if x.status == "fail"]
    assert bool(row["fails"]) is bool(row["public_document"])


def test_its_build_file_says_the_same(tmp_path: Path, parts: Catalog) -> None:
    """What `--build-files` writes is read back as the machine of the row."""
    assert run.main(["--build-files", str(tmp_path)]) == 0
    assert len(list(tmp_path.iterdir())) == len(EXPRESSED)
    for row in EXPRESSED[::7]:
        _, asked, [(_, build)] = read_build(tmp_path / f"{int(row['number']):02}.toml", catalog=parts)
        assert build == run.build_of(row)
        assert (asked.model, asked.site_water, set(asked.have)) == (
            row["model"], row["site_water"] == "true", {"racks", "network"},
        )  # fmt: skip


def test_the_page_names_every_machine() -> None:
    page = run.DOCS.read_text(encoding="utf-8")
    table = page.split(run.START)[1].split(run.END)[0]
    for row in ROWS:
        assert f"`{row['submission']}`" in table


SERVER: dict[str, str | int] = {
    "file": "x.json", "submitter": "x", "system_name": "Example 9000 (8x H200-SXM-141GB)",
    "accelerator_model_name": "NVIDIA H200-SXM-141GB", "accelerators_per_node": 8, "number_of_nodes": 1,
    "accelerator_memory_capacity": "141 GB", "host_processor_model_name": "AMD EPYC 9575F 64-Core Processor",
    "host_processors_per_node": 2, "host_memory_capacity": "1.5 TB", "host_memory_configuration": "24x 64GB XYZ",
    "host_storage_capacity": "2 TB SSD, 5 TB CIFS",
}  # fmt: skip


@pytest.mark.parametrize(
    ("said", "parts_named", "failing"),
    [
        ({}, ["unnamed-hgx-hopper-epyc-sp5", "24*generic-ddr5-4800-rdimm-64gb"], ""),
        ({"system_name": "Dell PowerEdge XE9680", "host_processor_model_name": "Intel(R) Xeon(R) Platinum 8570"},
         ["dell-poweredge-xe9680", "2*intel-xeon-platinum-8570"], ""),
        ({"host_memory_configuration": "18x 64GB"}, ["18*generic"], "host_memory"),
        ({"accelerator_model_name": "Intel Arc Pro B60", "accelerator_memory_capacity": "24 GB"},
         ["8*intel-arc-pro-b60-24gb"], ""),
        ({"accelerator_model_name": "NVIDIA L40S", "accelerator_memory_capacity": "48 GB", "accelerators_per_node": 2,
          "host_processors_per_node": 1, "host_memory_configuration": "12x 64GB"},
         ["unnamed-pcie-1p-epyc-sp5", "1*amd-epyc-9575f"], ""),
        ({"host_memory_configuration": "undefined"}, ["unnamed"], ""),
        ({"host_memory_configuration": "undefined", "host_memory_capacity": "0.2 TB"}, ["unnamed"], "host_memory"),
        ({"system_name": "NVIDIA DGX H200", "host_processor_model_name": "Intel(R) Xeon(R) Platinum 8480C"},
         ["1*nvidia-dgx-h200"], ""),
        ({"accelerator_model_name": "NVIDIA RTX PRO 6000 Blackwell Server Edition",
          "accelerator_memory_capacity": "96 GB"},
         ["unnamed-pcie-epyc-sp5", "8*nvidia-rtx-pro-6000-blackwell-server-96gb"], ""),
    ],
)  # fmt: skip
def test_a_description_becomes_a_machine(
    parts: Catalog, said: dict[str, str], parts_named: list[str], failing: str
) -> None:
    row = describe.row_of({**SERVER, **said}, parts, 1)
    assert all(part in row["parts"] for part in parts_named), row["parts"]
    found = run.judged(row, parts)
    assert found is not None
    assert "|".join(dict.fromkeys(x.rule for x in found.checks if x.status == "fail")) == failing


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"accelerator_model_name": "MI300X 192GB (x32), MI325X 256GB (x16)"}, "mixed nodes"),
        ({"accelerator_model_name": "NVIDIA GB200", "accelerators_per_node": 4,
          "accelerator_memory_capacity": "186 GB"},
         "a rented part of a rack: 4 of the 72"),
        ({"accelerator_model_name": "Example X1"}, "no GPU of the catalog"),
        ({"host_processor_model_name": "Example 1"}, "no CPU of the catalog"),
    ],
)  # fmt: skip
def test_what_makes_no_machine_says_why(parts: Catalog, said: dict[str, str], why: str) -> None:
    with pytest.raises(describe.NotExpressed, match=why):
        describe.row_of({**SERVER, **said}, parts, 1)
