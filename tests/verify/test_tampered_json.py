"""What a saved result may not hold, as text and as values: each refused with its place, by all that open one."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from catalogs.errors import InputError
from catalogs.json_text import loads
from catalogs.schema import Kind
from constraints.policy import Policy
from constraints.request import Circuit, FxRate, Owned, Request, Spare, SupportRate
from optimizer.library import open_result, read_build, solve, verify_result
from optimizer.verify.consistent import consistent
from tests.request.test_request_fields import opened, scene
from tests.support.long import one_in
from tests.verify.test_verify import edit

Data = dict[str, Any]


@pytest.fixture
def saved(tmp_path: Path) -> Callable[[str], Path]:
    def save(text: str) -> Path:
        path = tmp_path / "result.json"
        path.write_text(text, encoding="utf-8")
        return path

    return save


TEXTS = {
    "a quantity twice": ('"qty": 1', '"qty": 1, "qty": 1'),
    "a request twice": ('"request": {', '"request": {}, "request": {'),
    "a field of the request twice": ('"isl":', '"isl": 1, "isl":'),
    "NaN": ('"ttft_ms": ', '"ttft_ms": NaN, "_": '),
    "Infinity": ('"max_nodes": ', '"max_nodes": Infinity, "_": '),
    "a number of 5,000 digits": ('"max_nodes": ', '"max_nodes": ' + "9" * 5000 + ', "_": '),
}
"""What no reader takes: (text, what stands in its place), the first time."""


@pytest.mark.parametrize("name", TEXTS)
def test_texts_that_nobody_reads(name: str, saved: Callable[[str], Path]) -> None:
    catalog, text = scene("plain")
    assert TEXTS[name][0] in text
    path = saved(text.replace(*TEXTS[name], 1))
    for read in (verify_result, open_result, read_build):
        with pytest.raises(InputError) as e:
            read(path, catalog=catalog)
        assert "result.json" in str(e.value)


def test_the_place_of_a_key_that_stands_twice() -> None:
    with pytest.raises(ValueError, match=r"^front\[1\]\.cost: the key 'total' stands twice$"):
        loads('{"front": [{}, {"cost": {"total": "1", "tax": "0", "total": "2"}}]}')
    with pytest.raises(ValueError, match=r"^\$: the key 'a' stands twice$"):
        loads('{"a": {"b": 1, "b": 2}, "a": 3}')
    assert loads('\ufeff{"a": [1, {"b": null}]}') == {"a": [1, {"b": None}]}


def test_a_byte_order_mark_is_read(saved: Callable[[str], Path], tmp_path: Path) -> None:
    catalog, text = scene("plain")
    path = saved("\ufeff" + text)
    assert verify_result(path, catalog=catalog).ok
    assert read_build(path, catalog=catalog)[2]
    toml = tmp_path / "build.toml"
    parts = "".join(f'"{x["part"]}" = {x["qty"]}\n' for x in json.loads(text)["front"][0]["nodes"][0]["parts"])
    toml.write_text(f'\ufeffmodel = "r1-distill-qwen-7b"\n[parts]\n{parts}', encoding="utf-8")
    assert read_build(toml, catalog=catalog)[2]
    policy = tmp_path / "policy.toml"
    policy.write_text("\ufeff[cores]\nper_gpu_min = 5\n", encoding="utf-8")
    assert Policy().with_file(policy)["cores.per_gpu_min"] == 5


def test_quantities_of_a_build_are_whole_numbers(tmp_path: Path) -> None:
    catalog, text = scene("plain")
    toml = tmp_path / "build.toml"
    parts = json.loads(text)["front"][0]["nodes"][0]["parts"]
    for wrong in ("24.0", '"24"', "true"):
        lines = "".join(f'"{x["part"]}" = {x["qty"] if i else wrong}\n' for i, x in enumerate(parts))
        toml.write_text(f'model = "r1-distill-qwen-7b"\n[parts]\n{lines}', encoding="utf-8")
        with pytest.raises(InputError, match=r"parts\."):
            read_build(toml, catalog=catalog)


@pytest.mark.parametrize("day", ["2026-11-01T00:00:00", "2026-11-01 00:00", 1_793_491_200, "2026-13-01", "20261101"])
def test_a_day_is_no_moment(day: Any) -> None:
    with pytest.raises(ValueError):
        Request.model_validate({"model": "r1-distill-qwen-7b", "as_of": day})


def swapped_lines(d: Data) -> None:
    bom = d["front"][1]["bom"]
    bom[0], bom[1] = bom[1], bom[0]


def front_reversed(d: Data) -> None:
    d["front"].reverse()


def families_swapped(d: Data) -> None:
    a, b = d["proof"]["families"]["each"][:2]
    a["least"], b["least"] = b["least"], a["least"]
    a["closed_by"], b["closed_by"] = b["closed_by"], a["closed_by"]


def part_twice(d: Data) -> None:
    parts = d["front"][0]["nodes"][0]["parts"]
    parts.append(copy.deepcopy(parts[0]))


def unsorted_set(d: Data) -> None:
    d["request"]["have"] = ["racks", "network"]


def relabelled(was: str, now: str) -> Callable[[Data], None]:
    """The first such family, with the counts to match."""

    def change(d: Data) -> None:
        families = d["proof"]["families"]
        family = next(f for f in families["each"] if f["closed_by"] == was)
        family["closed_by"] = now
        family["least"] = [] if now == "no_build" else family["least"]
        for by in ("bound", "cp_sat"):
            families[f"closed_by_{by}"] = sum(f["closed_by"] == by for f in families["each"])

    return change


FIRST_PART = "front[0].nodes[0].parts[0].qty"
VALUES: dict[str, tuple[Callable[[Data], None], str]] = {
    "24.0 as a quantity": (edit(FIRST_PART, 24.0), FIRST_PART),
    "1.0 as a quantity": (edit(FIRST_PART, 1.0), FIRST_PART),
    "a quantity as text": (edit(FIRST_PART, "1"), FIRST_PART),
    "a quantity as truth": (edit(FIRST_PART, True), FIRST_PART),
    "a negative quantity": (edit(FIRST_PART, -1), FIRST_PART),
    "no quantity": (edit(FIRST_PART, 0), FIRST_PART),
    "a huge quantity": (edit(FIRST_PART, 10**300), FIRST_PART),
    "a huge number of nodes": (edit("front[0].nodes[0].count", 10**300), "front[0]"),
    "a huge line": (edit("front[0].bom[0].qty", 10**300), "front[0].bom[0]"),
    "a float line": (edit("front[0].bom[0].qty", 1.0), "front[0].bom[0].qty"),
    "a float number of nodes": (edit("front[0].nodes[0].count", 1.0), "front[0].nodes[0].count"),
    "a float in the plan": (edit("front[0].plan.tp", 1.0), "front[0].plan.tp"),
    "a float in the row": (edit("front[0].row.cap_w", 300.0), "front[0].row.cap_w"),
    "a float in the request": (edit("request.isl", 8000.0), "request.isl"),
    "a number of the request as text": (edit("request.isl", "8000"), "request.isl"),
    "a truth of the request as a number": (edit("request.site_water", 0), "request.site_water"),
    "a time in as_of": (edit("request.as_of", "2026-11-01T00:00:00"), "request.as_of"),
    "as_of as seconds": (edit("request.as_of", 1_793_491_200), "request.as_of"),
    "a set out of order": (unsorted_set, "request.have"),
    "an unknown key": (edit("ignored", 1), "ignored"),
    "an unknown key of the request": (edit("request.colour", "red"), "request.colour"),
    "an unknown key of a point": (edit("front[0].plan.colour", "red"), "front[0].plan.colour"),
    "an unknown key of the proof": (edit("proof.colour", "red"), "proof.colour"),
    "an unknown policy": (edit("policy", {"cores.colour": "1"}), "policy"),
    "another version of the contract": (edit("schema_version", "2"), "schema_version"),
    "the front reversed": (front_reversed, "front[1]"),
    "an id twice": (edit("front[1].id", "p1"), "front[1].id"),
    "lines of the bill swapped": (swapped_lines, "front[1].bom[0]"),
    "a part twice in a node": (part_twice, "front[0].nodes[0].parts"),
    "another currency on a line": (edit("front[0].bom[0].currency", "EUR"), "front[0].bom[0].currency"),
    "a price of a day to come": (edit("front[0].bom[0].price_date", "2027-01-01"), "front[0].bom[0].price_date"),
    "a price date with a time": (edit("front[0].bom[0].price_date", "2026-11-01T00:00"), "front[0].bom[0].price_date"),
    "equivalents that are none": (
        edit("front[0].equivalents", [{"part": "box0", "could_be": ["box1"]}]), "front[0].equivalents",
    ),
    "the named cheapest elsewhere": (edit("named.cheapest", "p2"), "named.cheapest"),
    "a recommended point that is none": (edit("recommended", "p99"), "recommended"),
    "nothing recommended": (edit("recommended", None), "recommended"),
    "families to be counted": (edit("proof.families.closed_by_bound", 10**6), "proof.families.closed_by_bound"),
    "families swapped": (families_swapped, "proof.families.each[0]"),
    "the solver's said to have no build": (relabelled("cp_sat", "no_build"), "proof.families.each["),
    "the solver's said to be closed by bound": (relabelled("cp_sat", "bound"), "proof.families.each["),
    "a bound's said to have no build": (relabelled("bound", "no_build"), "proof.families.each["),
    "a bound's said to be the solver's": (relabelled("bound", "cp_sat"), "proof.families.each["),
    "one of no build said to be closed by bound": (relabelled("no_build", "bound"), "proof.families.each["),
    "one of no build said to be the solver's": (relabelled("no_build", "cp_sat"), "proof.families.each["),
    "a family of another name": (edit("proof.families.each[0].gpu", "gpu9"), "proof.families.each"),
    "a family of other numbers": (edit("proof.families.each[0].per_node", 9), "proof.families.each"),
    "proof of another status": (edit("proof.status", "feasible"), "proof.status"),
    "a scope of more": (edit("proof.scope", lambda x: x + " And beyond."), "proof.scope"),
    "the catalog's own figures": (edit("catalog.offers", 10**6), "catalog.offers"),
    "an axis of another unit": (edit("axis.unit", "W"), "axis.unit"),
    "a model's note": (edit("model.note", "best of all"), "model.note"),
    "another calibration": (edit("throughput_model.sha256", "0" * 64), "throughput_model.sha256"),
    "fewer racks": (edit("front[0].racks", 99), "front[0].racks"),
    "less energy": (edit("front[0].energy.kwh_year", 1), "front[0].energy.kwh_year"),
    "a seller's name": (edit("front[0].bom[0].seller", "nobody"), "front[0].bom[0].seller"),
}  # fmt: skip


def test_the_scene_has_families_of_each_kind() -> None:
    """So that each may be said to be another."""
    _, data = opened("relabelled")
    kinds = {f["closed_by"] for f in data["proof"]["families"]["each"]}
    assert kinds == {"bound", "cp_sat", "no_build"}


@pytest.mark.parametrize("name", one_in(3, VALUES))
def test_values_that_are_not_the_result(name: str) -> None:
    change, place = VALUES[name]
    catalog, data = opened("relabelled" if "said to" in name else "plain")
    change(data)
    report, _ = consistent(json.loads(json.dumps(data)), catalog)
    places = [w.where for w in report.wrong]
    print(report.wrong)
    assert any(x.startswith(place) for x in places)


@pytest.mark.parametrize("name", ["24.0 as a quantity", "a quantity as text", "a quantity as truth", "no quantity",
                                  "a float number of nodes", "a part twice in a node", "a time in as_of"])  # fmt: skip
def test_builds_of_a_result_that_is_none_are_not_read(name: str, saved: Callable[[str], Path]) -> None:
    catalog, data = opened("plain")
    VALUES[name][0](data)
    with pytest.raises(InputError):
        read_build(saved(json.dumps(data)), catalog=catalog)


def test_a_result_with_rates_of_its_own_is_read(saved: Callable[[str], Path]) -> None:
    """Whatever a request may hold is read back as it was written."""
    catalog, _ = scene("plain")
    rates = tuple(
        FxRate.model_validate({"currency": c, "date": "2026-10-01", "source": "bank", **rate})
        for c, rate in (("EUR", {"usd_per_unit": "1.15"}), ("CNY", {"units_per_usd": "7.00"}))
    )
    request = Request.model_validate(json.loads(scene("plain")[1])["request"]).model_copy(
        update={
            "fx": rates, "spares": (Spare(category=Kind.DRIVE, pieces=1, per=2),),
            "own": (Owned(part="drive0", qty=1),), "circuit": Circuit(amps=63, volts=230), "max_ttft_ms": 10**8,
            "support": (SupportRate(category=Kind.GPU, percent=Decimal("5.0")),), "barred_origins": ("CN",),
        }
    )  # fmt: skip
    result = solve(request, catalog=catalog)
    assert result.front and verify_result(result, catalog=catalog).wrong == []
    path = saved(result.model_dump_json())
    assert verify_result(path, catalog=catalog).wrong == [] and read_build(path, catalog=catalog)[2]
