"""What rules say: every finding is a sentence that is true under its status, with both figures, in one format.

Builds of all scenes are made to pass, to fail and to be warned of: by parts added and left out, by other figures of
parts, by stricter policies and requests. What is held is held of every finding that appears.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from catalogs.errors import InputError
from catalogs.load import Catalog
from catalogs.schema import Cpu, Drive, Gpu, Memory, Pdu, Platform, Psu, Rack
from constraints.build import Case
from constraints.plan import RowKey
from constraints.policy import Policy
from constraints.request import Circuit
from constraints.rule import Check, counted, figure, gb
from constraints.rules.power import supplies
from constraints.rules.registry import RULES
from optimizer.market.market import Market
from optimizer.text.languages import Words
from tests.support.scenes import SCENES, Scene, changed, scene
from tests.text.test_i18n import chinese

STRICTER = (
    "vram.reserve_base_gb=900", "host_memory.floor_percent=1000", "host_memory.advised_percent=9000",
    "cores.per_gpu_min=900", "cores.per_gpu_advised=900", "storage.copies=90", "storage.read_mb_s=900000000",
    "cooling.rack_air_w=1", "cooling.inlet_c=90", "power.psu_load_percent=1", "power.surviving_load_percent=1",
    "power.atx_transient_percent=900", "cooling.cdu_margin_percent=90000", "interconnect.pp_gbit_s=90000",
    "rack.max_units=1",
)  # fmt: skip
LOOSER = ("vram.reserve_base_gb=0", "host_memory.floor_percent=1", "host_memory.advised_percent=1", "storage.copies=1")
ASKED: tuple[dict[str, Any], ...] = (
    {"max_nodes": 1}, {"max_power_w": 1}, {"max_power_w": 10**8}, {"rack_units": 1}, {"rack_units": 900},
    {"circuit": Circuit(amps=15, volts=120)}, {"circuit": Circuit(amps=5000, volts=240)},
    {"circuit": Circuit(amps=1, volts=240)}, {"budget_cents": 1}, {"max_sellers": 1, "max_share_percent": 1},
    {"max_sellers": 900, "max_share_percent": 100}, {"max_estimated_percent": 0}, {"max_estimated_percent": 100},
    {"have": frozenset({"racks", "network"})}, {"site_water": False},
    {"precision": "nvfp4", "min_precision_bits": None, "any_precision": True},
    {"max_lead_days": 3650}, {"barred_origins": ("XX",)},
)  # fmt: skip
FIGURES: dict[type, dict[str, tuple[Any, ...]]] = {
    Platform: {
        "system_max_w": (1, 10**6), "inlet_max_c": (1, 90), "gpu_slots": (0,), "dimm_slots": (1,), "cpu_max_w": (1,),
        "nic_slots": (0,), "onboard_lan": ((),), "gpu_width_total": (0,), "gpu_max_w": (1,), "channels_per_cpu": (0,),
        "nvme_bays": (0,), "rack_units": (90,), "psu_watts": ((7,),),
    },
    Cpu: {"cores": (1,), "lanes_1p": (None, 1, 900), "lanes_2p": (None, 1, 900), "pcie_gen": (None, 3),
          "max_sockets": (1,), "socket": ("other",)},
    Gpu: {"tdp_w": (None,), "width_slots": (None,), "form_factor": ("OAM",)},
    Memory: {"capacity_gb": (1, 4096), "mem_gen": ("DDR3",)},
    Drive: {"capacity_gb": (1,), "read_mb_s": (1,)},
    Psu: {"watts": (1, 90_000), "watts_low_line": (0, 1, 90_000), "form": ("other",)},
    Rack: {"load_kg": (1,), "rack_units": (1,)},
    Pdu: {"power_w": (1,), "outlets_c13": (0,), "outlets_c19": (0,), "volts": (100,)},
}  # fmt: skip
"""Figures of parts that make a rule pass or fail."""
ONLY_FAILING = re.compile(r"\b(only|exceeds|more than|below|fewer|do not|does not|no|not|can't|needs? )\b")
SINGULAR = re.compile(r"(?<![\d.,x-])1 (nodes|GPUs|requests|sequences|supplies|sellers|pieces|CPUs|copies|sockets)\b")
AMOUNT = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")


def cases(s: Scene) -> Iterator[Case]:
    """The scene's build, and builds and requests a step away from it."""
    parts = {x: p.model_copy(update={"name": f"Part {x}"}) for x, p in s.market.catalog.parts.items()}
    market = replace(s.market, catalog=replace(s.market.catalog, parts=parts))
    guessed = {
        x: tuple(o.model_copy(update={"confidence": "estimate"}) for o in offers)
        for x, offers in market.catalog.offers.items()
    }

    as_asked = Market.open(market.catalog, market.request, market.policy)
    shared_out = as_asked.asking(max_share_percent=100)

    def case(
        catalog: Catalog = market.catalog, policy: Policy = market.policy, opened: Market | None = None, **fields: Any
    ) -> Case:
        built = {k: fields.pop(k) for k in ("node", "shared", "nodes") if k in fields}
        row: RowKey = fields.pop("row", s.row.key)
        opened = opened or Market.open(catalog, market.request.model_copy(update=fields), policy)
        return opened.case(replace(s.case.build, **built), s.row.plan, row)

    yield case()
    yield from (case(policy=market.policy.with_settings([x])) for x in (*STRICTER, *LOOSER))
    yield from (case(**fields) for fields in ASKED)
    yield case(include=(next(x for x in sorted(market.catalog.parts) if x not in s.case.build.total()),))
    for percent in (0, 100):
        yield case(replace(market.catalog, offers=guessed), max_estimated_percent=percent)
    for kind in ("node", "shared"):
        pieces = dict(getattr(s.case.build, kind))
        for part, qty in pieces.items():
            for number in {0, 1, qty + 1, 3 * qty + 1, 24 * qty} - {qty}:
                yield case(opened=as_asked, **{kind: {**pieces, part: number}})
            yield case(opened=shared_out, **{kind: {**pieces, part: qty + 2}})
    yield case(nodes=1)
    yield case(nodes=40)
    for cls, figures in FIGURES.items():
        for part in (
            market.catalog.parts[x] for x in [*(p.id for p, _ in s.of(cls)), *([s.row.key.gpu] if cls is Gpu else [])]
        ):
            for field, amounts in figures.items():
                yield from (case(changed(market.catalog, part, field, x)) for x in amounts)
    yield case(row=replace(s.row.key, lanes=8))
    yield case(row=replace(s.row.key, lanes=4, pcie_gen=7))
    yield case(row=replace(s.row.key, net_gbit_s=0, net="none"))


@cache
def said(name: str) -> tuple[Check, ...]:
    """All findings about the cases of a scene."""
    found: dict[Check, None] = {}
    for c in cases(scene(name)):
        for rule in RULES:
            try:
                found |= dict.fromkeys(rule.check(c))
            except InputError:  # no platform or no GPU left
                break
    return tuple(found)


def every() -> list[Check]:
    return [x for name in SCENES for x in said(name)]


def shape(text: str) -> str:
    """A sentence without its figures."""
    return AMOUNT.sub("#", text)


def test_the_figures_stand_in_the_sentence() -> None:
    """Measured value and limit are said as they are, thousands grouped; an unknown one is None, never 0."""
    held = 0
    for x in every():
        if x.rule == "software":
            continue
        for amount in (x.measured, x.limit):
            if amount is not None:
                said_there = {a.removesuffix(".00") for a in AMOUNT.findall(x.text)}
                words = x.rule == "host_memory" and x.unit == "modules"  # `24 or 48 modules`
                assert words or figure(amount) in said_there or f"{amount:,.2f}" in AMOUNT.findall(x.text), x
                held += 1
        assert not re.search(r"None|\d{5}", x.text), x
    assert held > 500


def test_the_status_is_what_the_figures_say() -> None:
    for x in every():
        if x.measured is None or x.limit is None or not x.relation:
            continue
        kept = x.measured <= x.limit if x.relation == "at_most" else x.measured >= x.limit
        assert kept == (x.status == "pass"), x


def test_a_sentence_belongs_to_one_status() -> None:
    """The same words never stand on a pass and on a fail."""
    statuses = defaultdict(set)
    for x in every():
        statuses[x.rule, shape(x.text)].add(x.status)
    assert {k: v for k, v in statuses.items() if len(v) > 1} == {}


def test_a_failing_sentence_says_so() -> None:
    for x in every():
        if x.measured is None or x.limit is None or x.rule == "software":
            continue
        assert x.status != "fail" or ONLY_FAILING.search(x.text), x
        if x.status == "warn":
            assert re.search(r"advised|ordinary|not x16|less memory bandwidth", x.text), x
        if x.status == "pass":
            assert not re.search(r"\b(only|exceeds|more than|below|fewer)\b", x.text), x


def test_singular_and_plural() -> None:
    assert [x.text for x in every() if SINGULAR.search(x.text)] == []
    assert [counted(1, "node"), counted(2, "node"), counted(1, "supply"), counted(1000, "supply")] == [
        "1 node", "2 nodes", "1 supply", "1,000 supplies",
    ]  # fmt: skip
    assert (supplies(1, 850), supplies(2, 3000), supplies(13, 3000)) == (
        "one 850 W supply", "two 3,000 W supplies", "13 3,000 W supplies",
    )  # fmt: skip


def test_every_sentence_has_its_chinese() -> None:
    zh = Words("zh")
    assert sorted({x.text for x in every() if not chinese(zh.sentence(x.text))}) == []


WARNS = {"host_memory", "lanes", "cores", "power"}


@pytest.mark.parametrize("rule", [r.id for r in RULES if r.id != "software"])
def test_each_rule_passes_fails_and_warns(rule: str) -> None:
    """The cases above reach both outcomes of every rule, and the warnings of those that warn."""
    seen = {x.status for x in every() if x.rule == rule}
    assert {"pass", "fail"} <= seen
    assert rule not in WARNS or "warn" in seen


NUMERIC = {
    ("vram", "GB"), ("host_memory", "GB"), ("lanes", "lanes"), ("cores", "cores"), ("storage", "GB"),
    ("storage", "MB/s"), ("cooling", "W"), ("cooling", "C"), ("cooling", "pieces"), ("rack", "units"), ("rack", "kg"),
    ("rack", "W"), ("rack", "outlets"), ("rack", "pieces"), ("power", "W"), ("site", "nodes"), ("site", "W"),
    ("site", "units"), ("sellers", "sellers"), ("sellers", "%"), ("estimates", "%"), ("budget", "USD"),
    ("interconnect", "gen"),
}  # fmt: skip


@pytest.mark.parametrize(("rule", "unit"), sorted(NUMERIC))
def test_each_figure_is_kept_and_broken(rule: str, unit: str) -> None:
    shapes = {
        s: {shape(x.text) for x in every() if (x.rule, x.unit, x.status) == (rule, unit, s)} for s in ("pass", "fail")
    }
    assert shapes["pass"] and shapes["fail"]
    assert not shapes["pass"] & shapes["fail"]


@pytest.mark.parametrize(
    ("amount", "words"),
    [(8644, "8,644"), (90.16, "90.16"), (128.20, "128.2"), (80, "80"), (0.5, "0.5"), (1234567.891, "1,234,567.89"),
     (100.0, "100")],
)  # fmt: skip
def test_one_format(amount: float, words: str) -> None:
    assert figure(amount) == words


def test_a_need_is_rounded_up() -> None:
    """A byte too much is shown to be too much."""
    assert (gb(80 * 10**9), gb(80 * 10**9 + 1), gb(80 * 10**9 - 1)) == (80.0, 80.01, 80.0)
