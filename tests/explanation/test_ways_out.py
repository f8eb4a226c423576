"""Ways out of an infeasible request: of equally small changes the cheapest, and each said as it is."""

from __future__ import annotations

import json
import shlex
from datetime import date
from functools import reduce
from itertools import combinations
from random import Random
from typing import Any

import pytest

from catalogs.llm import get
from catalogs.schema import Kind
from constraints.physics.circuits import region_of, regions, standard
from constraints.policy import Policy
from constraints.request import Circuit
from optimizer.explanation.conditions.conditions import conditions
from optimizer.explanation.conditions.levers import Budget, Choice, Count, Loosened, Members, Number
from optimizer.explanation.conditions.loosening import levers
from optimizer.explanation.no_build.explained import no_build
from optimizer.explanation.no_build.ways_out import _with_budget, ways_out
from optimizer.explanation.questions import NOTHING, Asking, Change
from optimizer.market.market import Market
from optimizer.search.clock import Clock, TimeUp
from optimizer.search.solver import Solver
from optimizer.text.minor_units import money
from tests.support.commands import dsopt
from tests.support.long import one_in
from tests.support.random_catalogs import scenario


def squeezed(seed: int, **fields: Any) -> Asking:
    catalog, request, _ = scenario(seed)
    rich = {"budget_cents": None, "max_nodes": min(2, request.max_nodes), "throughput_tenths": None, **fields}
    return Asking(Market.open(catalog, request.model_copy(update=rich), Policy()))


def total(asking: Asking, change: Change) -> int | None:
    """Total of the cheapest build by the exhaustive solver; None without one."""
    found = Solver(asking.market(change), clever=False).cheapest()
    return None if found is None else asking.total(change, found)


def bars(seed: int) -> list[tuple[str, dict[str, Any]]]:
    """Lists that leave some random catalogs without a build: (condition, request fields)."""
    catalog = scenario(seed)[0]
    vendors = sorted({p.vendor.casefold() for p in catalog.parts.values() if p.vendor})
    gpus = sorted(p.id for p in catalog.of(Kind.GPU))
    platforms = sorted(p.id for p in catalog.of(Kind.PLATFORM, Kind.SYSTEM))
    return [
        ("vendor", {"vendors": frozenset(vendors[:1])}),
        ("no-vendor", {"barred_vendors": frozenset(vendors)}),
        ("confidence", {"confidences": ("estimate",)}),
        ("exclude", {"exclude": frozenset(gpus)}),
        ("exclude", {"exclude": frozenset(platforms)}),
        ("include", {"include": tuple(platforms[:3])}),
    ]


@pytest.mark.parametrize("bar", range(6))
@pytest.mark.parametrize("seed", one_in(3, [0, 1, 3]))
def test_no_set_of_a_list_as_small_is_cheaper(seed: int, bar: int) -> None:
    """Against every set of members: none smaller works, and none as small gives a cheaper build."""
    key, fields = bars(seed)[bar]
    asking = squeezed(seed, **fields)
    if asking.cheapest(NOTHING) is not None:
        pytest.skip("the request has a build")
    lever = next(x for x in levers(asking.base) if x.key == key)
    assert isinstance(lever, Members)
    found = lever.least(asking, NOTHING)
    tried = 0
    for size in range(1, len(lever.extra) + 1):
        totals = [total(asking, lever.fields(frozenset(x))) for x in combinations(lever.extra, size)]
        tried += len(totals)
        if cheapest := [x for x in totals if x is not None]:
            assert found is not None and asking.total(found.change, found.found) == min(cheapest)
            assert found.failed is None or total(asking, found.failed) is None
            return
        if tried > 60:
            return
    assert found is None


@pytest.mark.parametrize("seed", one_in(3, [0, 1, 3]))
def test_other_numbers_of_the_same_gpus_are_tried(seed: int) -> None:
    catalog, _, _ = scenario(seed)
    seen = 0
    for gpu in catalog.of(Kind.GPU):
        asking = squeezed(seed, gpus=frozenset({gpu.id}), gpu_count=13)
        if asking.cheapest(NOTHING) is not None:
            continue
        lever = next(x for x in levers(asking.base) if x.key == "gpu-count")
        assert isinstance(lever, Count)
        found = lever.least(asking, NOTHING)
        totals = [total(asking, Change.of(gpu_count=n)) for n in range(1, 33)]
        known = [x for x in totals if x is not None]
        assert (found is None) == (not known)
        if found:
            assert asking.total(found.change, found.found) == min(known) and found.change.fields["gpu_count"] != 13
            seen += 1
    assert seen


def test_the_circuit_asked_for_is_the_next_smaller_one() -> None:
    """Where the smallest circuit of another voltage does, what fails is the one asked for, not the largest of all."""
    asked = Circuit(amps=10, volts=120)
    found = [x for x in levers(squeezed(0, circuit=asked).base) if x.key.startswith("circuit")]
    assert {x.key for x in found} == {"circuit", "circuit-volts"}
    for lever in found:
        assert isinstance(lever, Number)
        assert lever.say(0) == "a circuit of 10 A at 120 V" and lever.fields(0) == Change.of(circuit=asked)
        assert lever.say(1) != lever.say(0)


def test_what_is_asked_in_is_said_to_fail_with_it() -> None:
    """`--include X` is given up by leaving X out: what fails is the request with it."""
    catalog, _, _ = scenario(0)
    asking = squeezed(0, include=tuple(sorted(p.id for p in catalog.of(Kind.PLATFORM))[:2]))
    assert asking.cheapest(NOTHING) is None
    ways = [w for w in ways_out(asking) if w.keys == ("include",)]
    assert ways and all(text.startswith("with ") for w in ways for text in w.smaller)
    assert all("without" in w.texts[0] for w in ways)


@pytest.mark.parametrize("speed", one_in(2, ["100", "400"]))
def test_a_speed_that_was_measured_is_no_conflict(speed: str) -> None:
    """8 x B200 run R1 at 114 tok/s for each of four users (SGLang, FP8, runs of 2025-12 to 2026-05): 100 are served;
    400 are not, and each way out solves."""
    job = ["--model", "v3-671b", "--throughput", "10", "--max-nodes", "1", "--min-tok-s-user", speed]
    job += ["--kv-precision", "fp8"]
    day = ["--as-of", "2026-11-24", "--json"]
    if speed == "100":
        point = json.loads(dsopt("solve", *job, *day).stdout)["front"][0]
        assert point["throughput"]["per_user_tok_s"] >= 100
        return
    said = json.loads(dsopt("solve", *job, *day, code=4).stdout)["explanation"]
    way = next(w for w in said["ways_out"] if "for each user" in w["changes"][0]["text"])
    again = json.loads(dsopt(*shlex.split(way["command"])[1:], "--json").stdout)
    assert again["front"][0]["cost"]["total"] == way["build"]["total"]


@pytest.mark.parametrize("effort", one_in(2, [0.0, 0.02, 0.1, 0.5]))
@pytest.mark.parametrize("seed", one_in(2, [0, 1, 3, 8]))
def test_a_search_cut_short_says_what_is_known(seed: int, effort: float) -> None:
    """However early the effort ends: the conditions said to clash do, and what is said of each is true."""
    asking = squeezed(seed, max_power_w=300, max_lead_days=1, strict_lead=True)
    if total(asking, NOTHING) is not None:
        pytest.skip("the request has a build")
    said = no_build(asking.base, Clock(effort=effort))
    all_ = conditions(asking.base)
    kept = {c.key for c in said.conflict}
    free = reduce(Change.__or__, (c.without for c in all_ if c.key not in kept), NOTHING)
    assert total(asking, free) is None
    if said.minimal:
        for left in kept:
            without = free | next(c.without for c in all_ if c.key == left)
            assert total(asking, without) is not None
    for c in said.conflict:
        if c.without_total is not None:
            least = total(asking, next(x.without for x in all_ if x.key == c.key))
            assert least is not None and money(least, asking.base.request.currency) == c.without_total


@pytest.mark.long
def test_a_cut_search_is_said_in_the_answer() -> None:
    """A share per seller that needs more effort than `solve` spends: what binds is named with a total, exit code 4."""
    job = ["--model", "v3-671b", "--budget", "300000", "--max-share", "10%", "--as-of", "2026-11-24"]
    said = json.loads(dsopt("solve", *job, "--json", code=4).stdout)["explanation"]
    assert "share" in {c["key"] for c in said["conflict"]}
    assert said["minimal"] or any(c["without_total"] for c in said["conflict"])


CIRCUITS = [Circuit(amps=1, volts=120), Circuit(amps=2, volts=230), Circuit(amps=3, volts=100)]


@pytest.mark.parametrize("circuit", CIRCUITS)
@pytest.mark.parametrize("seed", one_in(5, [0, 1, 3, 8, 11]))
def test_other_circuits_of_the_region_are_tried(seed: int, circuit: Circuit) -> None:
    """Of each line voltage the least circuit that does, against every standard one; nothing where none does."""
    asking = squeezed(seed, circuit=circuit)
    if total(asking, NOTHING) is not None:
        pytest.skip("the request has a build")
    ways = {w.change.fields["circuit"].volts: w for w in ways_out(asking) if w.keys[0].startswith("circuit")}
    for sizes in near(circuit):
        totals = {x: total(asking, Change.of(circuit=x)) for x in sizes[:: max(1, len(sizes) // 5)]}
        working = [x.amps for x, least in totals.items() if least is not None]
        way = ways.get(sizes[0].volts)
        if way is None:
            assert not working
            continue
        chosen = way.change.fields["circuit"]
        assert total(asking, Change.of(circuit=chosen)) == way.total_cents
        assert not [a for a in working if a < chosen.amps]
        smaller = [x for x in sizes if x.amps < chosen.amps]
        assert not smaller or total(asking, Change.of(circuit=smaller[-1])) is None


def near(circuit: Circuit) -> list[list[Circuit]]:
    """Those of the region of its voltage."""
    return standard(circuit, region_of(circuit.supply_volts))


def test_circuits_are_those_of_the_region() -> None:
    assert {x.volts for sizes in near(Circuit(amps=15, volts=120)) for x in sizes} == {120, 208, 240}
    assert {x.volts for sizes in near(Circuit(amps=15, volts=110)) for x in sizes} == {110, 208, 240}
    assert [x.amps for x in near(Circuit(amps=16, volts=230))[0]][:3] == [20, 25, 32]
    assert len(near(Circuit(amps=16, volts=230))) == 1
    assert {x.volts for sizes in near(Circuit(amps=20, volts=100)) for x in sizes} == {100, 200}
    assert {x.volts for sizes in near(Circuit(amps=20, volts=150)) for x in sizes} == {150}
    for region in regions():
        assert list(region.amps) == sorted(set(region.amps))
        assert "Volts: " in region.source and "Amperes: " in region.source and date.fromisoformat(region.read)


@pytest.mark.long
def test_no_way_out_allows_what_its_build_does_without() -> None:
    """V3.1 for 24 users: the build that experimental engines allow holds all experts, so that --offload is no way."""
    job = ["--budget", "61000", "--model", "v3.1", "--users", "24", "--as-of", "2026-11-24"]
    said = json.loads(dsopt("solve", *job, "--json", code=4).stdout)["explanation"]
    for way in said["ways_out"]:
        if any(c["key"] == "offload" for c in way["changes"]):
            point = json.loads(dsopt(*shlex.split(way["command"])[1:], "--json").stdout)["front"][0]
            assert point["plan"]["experts"] == "host"


@pytest.mark.parametrize(
    ("precision", "text", "leave"),
    [([], "routed experts in host memory, by an experimental engine", True),
     (["--min-precision", "4bit"], "routed experts in host memory", False)],
)  # fmt: skip
def test_experimental_engines_are_named_where_no_stable_one_has_a_build(
    precision: list[str], text: str, leave: bool
) -> None:
    """A stable engine keeps V3's experts in host memory, but of files in 4 bits alone."""
    job = ["--budget", "90000", "--model", "v3-671b", "--gpu", "RTX 5070 Ti", *precision, "--as-of", "2026-11-24"]
    said = json.loads(dsopt("solve", *job, "--json", code=4).stdout)["explanation"]
    way = next(way for way in said["ways_out"] if way["changes"][0]["key"] == "offload")
    assert way["changes"][0]["text"] == text
    assert ("--allow-experimental" in way["command"]) == leave
    point = json.loads(dsopt(*shlex.split(way["command"])[1:], "--json").stdout)["front"][0]
    assert point["plan"]["experts"] == "host" and point["cost"]["total"] == way["build"]["total"]


@pytest.mark.parametrize("seed", one_in(23, range(40)))
def test_two_changes_within_the_budget_are_said(seed: int) -> None:
    """Where each single change asks for more money, two others that need none are looked for: against every pair."""
    few: dict[str, Any] = {"conditions": frozenset({"new"}), "confidences": ("list",)}
    rich = squeezed(seed, **few)
    least = total(rich, reduce(Change.__or__, (c.without for c in conditions(rich.base)), NOTHING))
    if least is None:
        pytest.skip("no build whatever is given up")
    asking = squeezed(seed, **few, budget_cents=least + 1)
    if total(asking, NOTHING) is not None:
        pytest.skip("the request has a build")
    ways = ways_out(asking)
    given_up = {c.key: c for c in conditions(asking.base) if c.key != "budget"}
    loosened = {x.key for x in levers(asking.base)} & set(given_up)
    pairs = [
        x for x in combinations(sorted(loosened), 2)
        if total(asking, given_up[x[0]].without | given_up[x[1]].without) is not None
    ]  # fmt: skip
    kept = [w for w in ways if "budget" not in w.keys]
    assert bool(kept) or not pairs
    for way in kept:
        assert total(asking, way.change) == way.total_cents <= least + 1


def test_two_changes_within_the_budget_are_found_at_all() -> None:
    """The scene of the test above where no single change does: both are named, and no budget."""
    few: dict[str, Any] = {"conditions": frozenset({"new"}), "confidences": ("list",), "budget_cents": 580_388}
    kept = [w for w in ways_out(squeezed(12, **few)) if "budget" not in w.keys]
    assert [len(w.keys) for w in kept] == [2]


class Endless:
    """A condition that gives way by what allows everything, and is searched for smaller changes until the work ends."""

    key = "endless"

    def least(self, asking: Asking, also: Change) -> Loosened | None:
        found = asking.cheapest(also | Change.of(budget_cents=None))
        if found is None:
            return None
        try:
            while True:
                asking.clock.left()
                asking.clock.take(0.01)
        except TimeUp:
            asking.cut = True
        return Loosened(also, "endless", found, smallest=False)


def test_some_work_is_left_for_the_budget_of_a_condition() -> None:
    """What is found of a condition is worth nothing until the budget beside it is found too."""
    least = total(squeezed(1), NOTHING)
    assert least is not None
    asking = squeezed(1, budget_cents=least - 100)
    asking.clock = asking.clock.within(100.0)
    with asking.at_most(1):
        way = _with_budget(asking, Budget(), Endless(), None)
    assert way is not None and way.keys == ("endless", "budget")
    assert way.total_cents == least and asking.cut and not way.smallest


def test_a_model_that_reads_images_stands_in_for_none_that_does_not() -> None:
    job = ["--budget", "700", "--model", "gpt-oss-20b", "--as-of", "2026-11-24"]
    said = json.loads(dsopt("solve", *job, "--json", code=4).stdout)["explanation"]
    named = [change["text"] for way in said["ways_out"] for change in way["changes"] if change["key"] == "model"]
    assert all("ocr" not in text and "vl2" not in text for text in named)
    lever = next(x for x in levers(squeezed(0, model="v2-lite").base) if x.key == "model")
    assert isinstance(lever, Choice) and lever.steps
    offered = [get(change.fields["model"]) for step in lever.steps for _, change in step]
    assert offered and not any(llm.tower_params for llm in offered)


class FromList:
    """Builds that rest on members of a list, each with its price, asked as an `Asking` is."""

    def __init__(self, builds: list[tuple[int, frozenset[str]]]) -> None:
        self.builds = builds

    def cheapest(self, change: Change) -> tuple[int, frozenset[str]] | None:
        """The cheapest build that rests on nothing but the members named."""
        within = [build for build in self.builds if build[1] <= change.fields["vendors"]]
        return min(within, key=lambda build: (build[0], sorted(build[1])), default=None)

    def total(self, change: Change, found: tuple[int, frozenset[str]]) -> int:
        """Its price."""
        return found[0]


@pytest.mark.parametrize("seed", range(100))
def test_of_a_long_list_as_few_members_are_added_as_will_do(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever builds rest on: of the smallest sets that do, tried one by one, the one with the cheapest build."""
    monkeypatch.setattr("optimizer.explanation.conditions.levers.QUESTIONS", 10**6)
    drawn, names = Random(seed), "abcdefg"
    builds = [
        (drawn.randint(1, 9), frozenset(drawn.sample(names, drawn.randint(1, 5)))) for _ in range(drawn.randint(1, 8))
    ]
    asking: Any = FromList(builds)
    lever = Members(
        "vendors", tuple(names), lambda some: Change.of(vendors=some), ", ".join, lambda asked, change, found: found[1]
    )
    loose = lever.least(asking, NOTHING)
    assert loose is not None
    sets = [frozenset(some) for size in range(1, len(names) + 1) for some in combinations(names, size)]
    working = [some for some in sets if asking.cheapest(Change.of(vendors=some))]
    fewest = [some for some in working if len(some) == len(working[0])]
    assert loose.change.fields["vendors"] in fewest
    assert asking.total(loose.change, loose.found) == min(
        asking.cheapest(Change.of(vendors=some))[0] for some in fewest
    )  # type: ignore[index]
