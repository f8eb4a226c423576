"""Every field of a request has someone who enforces it; changed in a saved result so that a point breaks it, verify and
the public check refuse that point."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from catalogs.errors import InputError
from catalogs.load import Catalog
from constraints.build import Build
from constraints.policy import Policy
from constraints.request import Request
from constraints.rules import software
from constraints.rules.registry import RULES
from optimizer import library
from optimizer.library import check
from optimizer.request.entry import Figure
from optimizer.request.fields import FIELDS, TRAINED, table
from optimizer.result.answer import solve
from optimizer.verify.consistent import consistent
from tests.support.long import one_in
from tests.support.oracle import Ask
from tests.support.random_catalogs import offload_scenario, scenario
from tests.support.random_procurement import procurement_scenario
from tests.verify.test_verify import SEED, priced_long_ago

Data = dict[str, Any]
STEPS = {"planner", "search", "prices", "load", "view"}
"""Who enforces a field beside the rules."""


def unlisted(names: set[str]) -> set[str]:
    return names - set(FIELDS)


def test_every_field_has_an_entry() -> None:
    names = set(Request.model_fields)
    assert unlisted(names) == set() and set(FIELDS) - names == set()
    assert unlisted({*names, "colour"}) == {"colour"}
    known = {r.id for r in RULES} | STEPS
    for name, entry in FIELDS.items():
        assert entry.by and set(entry.by) <= known, name
        assert bool(entry.judge) <= bool(entry.how), name


def test_the_table_of_the_docs_is_that_of_the_code() -> None:
    docs = (Path(__file__).parents[2] / "docs" / "verify.md").read_text(encoding="utf-8")
    assert table() in docs


def of_two_purchases(catalog: Catalog, request: Request, ask: Ask) -> tuple[Catalog, Request, Ask]:
    """The scenario with a dearer price of every part bought loose."""
    dear = {"price": Decimal("9999.00"), "holds_for": "loose"}
    offers = {
        part: (
            *(o.model_copy(update={"holds_for": "configured"}) for o in of),
            of[0].model_copy(update={**dear, "id": part}),
        )
        for part, of in catalog.offers.items()
    }
    return replace(catalog, offers=offers), request, ask


def with_own_prices(catalog: Catalog, request: Request, ask: Ask) -> tuple[Catalog, Request, Ask]:
    """The scenario with a dearer price of the buyer's own of every part."""
    dear = {"price": Decimal("9999.00"), "own": True}
    offers = {
        part: (*of, of[0].model_copy(update={**dear, "id": part, "seller": "mine"}))
        for part, of in catalog.offers.items()
    }
    return replace(catalog, offers=offers), request, ask


@cache
def scene(name: str) -> tuple[Catalog, str]:
    """A catalog and the JSON of a result solved on it."""
    catalog, request, _ = {
        "plain": lambda: scenario(SEED),  # five points
        "racks": lambda: scenario(537),  # one node each, on racks that the site has
        "liquid": lambda: scenario(4),  # up to two liquid-cooled nodes
        "host": lambda: offload_scenario(1),  # experts in host memory
        "origins": lambda: procurement_scenario(0, "confidence", "money"),  # countries, sellers, lead times
        "water": lambda: scenario(10),
        "purchases": lambda: of_two_purchases(*scenario(SEED)),
        "own prices": lambda: with_own_prices(*scenario(SEED)),
        "relabelled": lambda: scenario(15),  # families of all three kinds
    }[name]()
    catalog = priced_long_ago(catalog) if name == "plain" else catalog
    return catalog, json.dumps(solve(catalog, request, Policy()).data)


def opened(name: str) -> tuple[Catalog, Data]:
    catalog, text = scene(name)
    return catalog, json.loads(text)


def last(d: Data) -> Data:
    point: Data = d["front"][-1]
    return point


def parts_of(p: Data) -> list[str]:
    return [x["part"] for x in p["nodes"][0]["parts"]]


def bought(d: Data, kind: str) -> str:
    return next(x["part"] for x in last(d)["bom"] if x["category"] == kind and x["role"] == "node")


@dataclass(frozen=True)
class Breaks:
    """A field set to `value` in the request of a scene; `where`: how places that verify names begin. `judged`: the
    build itself then fails check; otherwise the answer, not the build, is what no longer holds."""

    value: Callable[[Data], Any]
    where: str = "front["
    scene: str = "plain"
    judged: bool = True


def fixed(value: Any) -> Callable[[Data], Any]:
    return lambda _: value


B = Breaks
BREAKS: dict[str, Breaks] = {
    "model": B(fixed("r1-distill-llama-70b")),
    "as_of": B(fixed("2026-04-20")),
    "currency": B(fixed("EUR"), "front[0].cost", judged=False),
    "budget_cents": B(lambda d: round(float(last(d)["cost"]["total"]) * 100) - 1, "front[4].checks["),
    "throughput_tenths": B(
        lambda d: round(10 * d["front"][0]["throughput"]["output_tok_s"]) + 1, "front[0].throughput.output_tok_s"
    ),
    "users": B(fixed(10**6), "front[0].row"),
    "tokens_per_day": B(fixed(1e12), "front[0].throughput.output_tok_s"),
    "requests_per_second": B(fixed(1e6), "front[0].throughput.output_tok_s"),
    "workload": B(fixed("finetune-full")),
    "seq_len": B(fixed(64_000)),
    "dataset_tb": B(fixed(900.0)),
    "isl": B(fixed(120_000)),
    "osl": B(fixed(120_000)),
    "min_tok_s_user": B(fixed(900_000), "front[0].row"),
    "max_ttft_ms": B(fixed(0.001), "front[0].row"),
    "precision": B(fixed("fp8"), "front[0]", "liquid", judged=False),
    "min_precision_bits": B(fixed(16), "front[1]", "liquid", judged=False),
    "kv_precision": B(fixed("fp8"), "front[0].plan.kv_precision", judged=False),
    "speculate": B(fixed("mtp"), "request", judged=False),  # its model has no module (else: test_draft_plans.py)
    "cached_share_percent": B(fixed(60), "front[0].throughput.ttft_ms", judged=False),
    "any_precision": B(fixed(False), judged=False),
    "allow_experimental": B(fixed(False)),
    "offload": B(fixed(False), "front[0].row", "host"),
    "grade": B(fixed("full"), "front[0].checks["),
    "max_nodes": B(fixed(1), "front[2].checks[", "liquid"),
    "max_power_w": B(lambda d: d["front"][0]["power"]["total_w"] - 1, "front[0].checks["),
    "circuit": B(fixed({"amps": 1, "volts": 230}), "front[0].checks["),
    "rack_units": B(lambda d: d["front"][0]["rack_units"] - 1, "front[0].checks["),
    "site_water": B(fixed(False), "front[0].checks[", "liquid"),
    "have": B(fixed([]), "front[0].checks[", "racks"),
    "vendors": B(fixed(["a", "b"])),
    "barred_vendors": B(fixed(["c"])),
    "conditions": B(fixed(["used"])),
    "max_price_age_days": B(fixed(100), "front[1]"),
    "include": B(lambda d: ["rack0"], "front[0].checks[", "racks"),
    "exclude": B(lambda d: [bought(d, "drive")], "front[4]"),
    "gpus": B(fixed(["gpu0"]), "front[0].gpus.part", "water"),
    "gpu_count": B(fixed(16), "front[0].gpus.total"),
    "origins": B(fixed(["CN"]), "front[", "origins"),
    "market": B(fixed("CN"), "front[", "origins"),
    "barred_origins": B(fixed(["US", "TW", "CN"]), "front[", "origins"),
    "confidences": B(fixed(["street"])),
    "price_level": B(fixed("high"), "front[0].bom[", judged=False),
    "bought_as": B(fixed("loose"), "front[", "purchases", judged=False),
    "prefer": B(fixed("mine"), "front[", "own prices", judged=False),
    "max_estimated_percent": B(fixed(0), "front[", "origins"),
    "max_lead_days": B(fixed(0), "front[", "origins"),
    "strict_lead": B(fixed(True), "front["),
    "avl": B(lambda d: [{"part": bought(d, "drive"), "status": "barred"}], "front[4]"),
    "max_sellers": B(fixed(1), "front[", "origins", judged=False),
    "max_share_percent": B(fixed(1), "front[", "origins"),
    "cost_axis": B(fixed("power"), "front[0].axis_cost", judged=False),
    "own": B(lambda d: [{"part": bought(d, "drive"), "qty": 1}], "front[4].bom[", judged=False),
    "spares": B(fixed([{"category": "drive", "pieces": 1, "per": 1}]), "front[0].", judged=False),
    "support": B(fixed([{"category": "gpu", "percent": "5.0"}]), "front[0].", judged=False),
    "fx": B(
        fixed([{"currency": "EUR", "usd_per_unit": "1.5", "date": "2026-10-01", "source": "x"}]), "fx[", judged=False
    ),
}
UNBROKEN = {"train_tokens"}
"""What rules out no build."""
ALONG = {
    "workload": {"users": None, "max_ttft_ms": None},
    "seq_len": {"workload": "finetune-lora", "users": None},
    "dataset_tb": {"workload": "finetune-lora", "users": None},
}
"""Fields that have to change with one for the request to make sense."""


def test_every_field_is_broken_or_rules_out_nothing() -> None:
    assert set(BREAKS) | UNBROKEN == set(FIELDS) and not set(BREAKS) & UNBROKEN
    assert {x for x, e in FIELDS.items() if e.by == ("view",)} == UNBROKEN


def tampered(field: str) -> tuple[Catalog, Data]:
    """The scene's result with the field changed in its request alone."""
    how = BREAKS[field]
    catalog, data = opened(how.scene)
    data["request"] |= {**ALONG.get(field, {}), field: how.value(data)}
    return catalog, data


APART = {"allow_experimental", "any_precision"}
"""Fields with a test of their own."""


@pytest.mark.parametrize("field", one_in(3, [x for x in BREAKS if x not in APART]))
def test_verify_names_the_point(field: str) -> None:
    catalog, data = tampered(field)
    report, _ = consistent(data, catalog)
    places = [w.where for w in report.wrong]
    print(report.wrong)
    assert any(x.startswith(BREAKS[field].where) for x in places)


@pytest.mark.parametrize("field", [x for x, how in BREAKS.items() if how.judged and x not in APART])
def test_check_refuses_the_build(field: str) -> None:
    catalog, data = tampered(field)
    request = Request.model_validate(data["request"])
    verdicts = []
    for p in data["front"]:
        node = p["nodes"][0]
        build = Build(node["count"], {x["part"]: x["qty"] for x in node["parts"]},
                      {x["part"]: x["qty"] for x in p["shared"]})  # fmt: skip
        verdicts.append(check(build, request, catalog=catalog))
    assert not all(x.ok for x in verdicts)
    assert all(any(c.status == "fail" for c in x.checks) for x in verdicts if not x.ok)


@pytest.mark.parametrize("name", ("plain", "liquid", "host", "origins", "water"))
def test_what_was_asked_is_met(name: str) -> None:
    """Untouched, verify and check find nothing; so that what they find above is the field's doing."""
    catalog, data = opened(name)
    report, _ = consistent(data, catalog)
    assert report.wrong == []
    request = Request.model_validate(data["request"])
    for p in data["front"]:
        node = p["nodes"][0]
        build = Build(node["count"], {x["part"]: x["qty"] for x in node["parts"]},
                      {x["part"]: x["qty"] for x in p["shared"]})  # fmt: skip
        found = check(build, request, catalog=catalog)
        assert found.ok, [c for c in found.checks if c.status == "fail"]


def test_experimental_engines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where every engine is experimental a point stands and falls with the request's leave."""
    known = software.engines

    def experimental(*asked: Any) -> Any:
        return tuple(replace(engine, status="experimental") for engine in known(*asked))

    monkeypatch.setattr(software, "engines", experimental)
    catalog, request, _ = scenario(SEED)
    data = json.loads(
        json.dumps(solve(catalog, request.model_copy(update={"allow_experimental": True}), Policy()).data)
    )
    assert data["front"] and consistent(data, catalog)[0].wrong == []
    data["request"]["allow_experimental"] = False
    places = [w.where for w in consistent(data, catalog)[0].wrong]
    assert {f"front[{i}].row" for i in range(len(data["front"]))} <= set(places)


def test_formats_that_nobody_published() -> None:
    """A point in weights of which no checkpoint is known stands and falls with the request's leave."""
    catalog, request, _ = scenario(SEED)
    update = {"model": "phi-4-mini", "precision": "q4_k_m", "min_precision_bits": None, "any_precision": True}
    data = json.loads(json.dumps(solve(catalog, request.model_copy(update=update), Policy()).data))
    assert data["front"] and consistent(data, catalog)[0].wrong == []
    data["request"]["any_precision"] = False
    assert consistent(data, catalog)[0].wrong


@pytest.mark.parametrize("field, value", [
    ("include", ["part-of-none"]), ("exclude", ["part-of-none"]), ("gpus", ["part-of-none"]), ("gpus", ["cpu0"]),
    ("own", [{"part": "part-of-none", "qty": 1}]), ("avl", [{"part": "part-of-none", "status": "barred"}]),
])  # fmt: skip
def test_parts_that_no_catalog_has(field: str, value: Any) -> None:
    """A request of a program or in a saved result may name anything: with points and without, it is said in words."""
    catalog, data = opened("plain")
    request = {**data["request"], field: value}
    with pytest.raises(InputError, match=r"\[(unknown-part|wrong-kind)\]"):
        library.solve(Request.model_validate(request), catalog=catalog)
    nothing = library.solve(Request.model_validate({**data["request"], "budget_cents": 100}), catalog=catalog)
    for stored in (data, nothing.model_dump(mode="json")):
        stored["request"] = {**stored["request"], field: value}
        report, _ = consistent(stored, catalog)
        assert [w.where for w in report.wrong] == ["request"]


def test_a_demanded_part_that_is_not_embedded() -> None:
    """Judged by the rows that a result carries; those of demanded parts are among them even where no build exists."""
    catalog, data = opened("plain")
    request = Request.model_validate({**data["request"], "include": ["cpu0"], "budget_cents": 100})
    stored = library.solve(request, catalog=catalog, embed_catalog=True).model_dump(mode="json")
    elsewhere = replace(catalog, parts={}, offers={}, sha256="f" * 64)
    assert consistent(stored, elsewhere)[0].wrong == [] and consistent(stored, catalog)[0].wrong == []
    stored["request"]["include"] = ["part-of-none"]
    assert [w.where for w in consistent(stored, elsewhere)[0].wrong] == ["request"]


def loosest() -> dict[str, float]:
    """The last figure that ways out may ask a field for."""
    return {
        name: shape.loosest / shape.steps
        for name, entry in FIELDS.items()
        if entry.condition is not None
        and isinstance(shape := entry.condition.loosens, Figure)
        and isinstance(shape.loosest, int)
    }


@pytest.mark.parametrize(("name", "value"), loosest().items())
def test_what_ways_out_ask_for_can_be_asked(name: str, value: float) -> None:
    """A command to type is one that is taken: no figure lies beyond the limits of its field."""
    asked: dict[str, Any] = {"model": "r1-671b", "as_of": "2026-11-24", "budget_cents": 1, name: value}
    if FIELDS[name].of == TRAINED:
        asked["workload"] = "train"
    assert getattr(Request.model_validate(asked), name) == value


def test_the_figures_that_give_way_are_found() -> None:
    assert {"dataset_tb", "users", "min_tok_s_user", "max_power_w"} <= set(loosest())
