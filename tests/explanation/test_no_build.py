"""Requests without a build: the conflict is minimal, each way out works as typed, the next smaller change fails.

Judged by the exhaustive solver: no search, no bounds, nothing pruned, nothing remembered.
"""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from catalogs.load import Catalog
from catalogs.schema import Kind, Platform
from constraints.policy import Policy
from constraints.request import Grade, Request
from optimizer.explanation.conditions.conditions import conditions
from optimizer.explanation.no_build.conflict import conflict, minimal
from optimizer.explanation.no_build.ledger import dropped
from optimizer.explanation.no_build.ways_out import ways_out
from optimizer.explanation.questions import NOTHING, Asking, Change
from optimizer.market.market import Market
from optimizer.search.solver import Solver
from optimizer.text.languages import Words
from tests.conftest import AS_OF
from tests.support.commands import dsopt
from tests.support.long import one_in
from tests.support.random_catalogs import scenario

ROOT = Path(__file__).parents[2]
SQUEEZES: list[dict[str, Any]] = [
    {"budget_cents": 200_000}, {"max_power_w": 300}, {"rack_units": 1, "budget_cents": 10**6},
    {"throughput_tenths": 10**9},
    {"max_lead_days": 1, "strict_lead": True}, {"confidences": ("estimate",)}, {"max_ttft_ms": 0.5, "max_nodes": 1},
    {"max_nodes": 1, "budget_cents": 700_000, "users": 900},
]  # fmt: skip


def infeasible(seed: int) -> Asking | None:
    """A random catalog with a request squeezed until no build meets it; None where one still does."""
    catalog, request, _ = scenario(seed)
    fields = {**SQUEEZES[seed % len(SQUEEZES)], "max_nodes": min(3, request.max_nodes)}
    asking = Asking(Market.open(catalog, request.model_copy(update=fields), Policy()))
    return asking if asking.cheapest(NOTHING) is None else None


def exists(asking: Asking, change: Change) -> bool:
    """Whether a build exists, by the exhaustive solver."""
    return Solver(asking.market(change), clever=False).cheapest() is not None


def test_what_a_grade_refuses_everywhere_is_said_to_be_the_grades(shipped: Catalog) -> None:
    """Blower cards where only servers made for passive ones are left: at the floor they are built in."""
    platforms = [x for x in shipped.of(Kind.PLATFORM) if isinstance(x, Platform)]
    others = frozenset(x.id for x in platforms if x.price_class == "diy" or not x.rack_mount)
    request = Request(
        model="r1-distill-qwen-7b", as_of=AS_OF, gpus=frozenset({"nvidia-rtx-pro-6000-blackwell-max-q-96gb"}),
        exclude=others,
    )  # fmt: skip

    def why(grade: Grade) -> str:
        asking = Asking(Market.open(shipped, request.model_copy(update={"grade": grade}), Policy()))
        return next(reason for reason, names in dropped(asking) if any("Max-Q" in name for name in names))

    assert "grade common" in why("common") and "--grade floor" in why("common")
    assert "--grade" not in why("floor")


def test_a_gpu_that_a_maker_does_not_list_is_said_to_be_none_of_the_list(shipped: Catalog) -> None:
    """Where the one machine left is made for other GPUs, its list is the reason, in both languages."""
    only = "dell-poweredge-xe7745"
    machines = frozenset(part.id for part in shipped.of(Kind.PLATFORM, Kind.SYSTEM) if part.id != only)
    request = Request(
        model="r1-distill-qwen-7b", as_of=AS_OF, gpus=frozenset({"nvidia-a40-48gb"}), exclude=machines,
        conditions=frozenset({"new", "refurbished", "used"}), budget_cents=100_000,
    )  # fmt: skip
    said = dropped(Asking(Market.open(shipped, request, Policy())))
    why = next(reason for reason, names in said if any("A40" in name for name in names))
    assert why.startswith("grade common") and "its maker lists" in why and "L40S" in why
    chinese = Words("zh").sentence(why)
    assert "A40" in chinese and "its maker" not in chinese


def test_minimal_subset() -> None:
    clashing = [{2, 5}, {1, 6, 7}]
    asked: list[frozenset[int]] = []

    def clash(kept: Any) -> bool:
        asked.append(frozenset(kept))
        return any(c <= set(kept) for c in clashing)

    assert set(minimal(range(9), clash)) in clashing
    assert len(asked) < 2**9 / 8
    assert minimal([], clash) == []


@pytest.mark.parametrize("seed", one_in(9, range(16)))
def test_conflict_and_ways_out(seed: int) -> None:
    asking = infeasible(seed)
    if asking is None:
        pytest.skip("the squeezed request still has a build")
    all_, found = conditions(asking.base), conflict(asking)

    def with_only(kept: Any) -> bool:
        change = Change()
        for c in all_:
            change = change if c in kept else change | c.without
        return exists(asking, change)

    if found.members:
        assert found.verified
        assert not with_only(found.members)
        for left in found.members:
            assert with_only([c for c in found.members if c is not left]), left.text
    else:
        assert not with_only([])
    tried = ways_out(Asking(asking.base))
    # What the conflict says spares questions, and costs no answer.
    assert ways_out(Asking(asking.base), clashing=found.members) == tried
    for way in tried:
        assert exists(asking, way.change), way.texts
        for failed in way.failed:
            assert failed is None or not exists(asking, failed), way.smaller


@pytest.mark.parametrize("seed", one_in(4, range(12)))
def test_whether_there_is_a_build_is_known_without_the_cheapest(seed: int) -> None:
    asking = infeasible(seed)
    if asking is None:
        pytest.skip("the squeezed request still has a build")
    for c in conditions(asking.base):
        assert asking.possible(c.without) == exists(asking, c.without), c.text
        fresh = Asking(asking.market(c.without))
        assert fresh.solver(fresh.base).possible() == exists(asking, c.without), c.text


def test_most_squeezes_leave_no_build() -> None:
    assert sum(infeasible(seed) is not None for seed in range(24)) >= 12


def test_the_other_change_is_the_cheapest_budget() -> None:
    asking = next(a for a in map(infeasible, range(0, 80, 8)) if a)
    budget = next(w for w in ways_out(asking) if w.keys == ("budget",))
    free = Solver(asking.market(Change.of(budget_cents=None)), clever=False).cheapest()
    assert free is not None and asking.total(NOTHING, free) == budget.total_cents


REQUESTS = (ROOT / "examples" / "no-build.txt").read_text(encoding="utf-8").splitlines()
KINDS = ("budget", "power", "rack", "precision", "vendor", "lead", "latency", "stock", "size", "users")
CONFLICTS = {
    "budget": ["budget", "precision"], "power": ["power", "precision"], "rack": ["rack-units", "precision"],
    "precision": ["precision", "gpu", "software"], "vendor": ["vendor"], "lead": ["strict-lead"], "latency": ["ttft"],
    "stock": ["gpu"], "size": ["budget"], "users": ["budget", "users"],
}  # fmt: skip


@pytest.mark.parametrize("kind", one_in(10, KINDS))
def test_every_command_solves_as_typed(kind: str, shipped: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    line = dict(zip(KINDS, REQUESTS, strict=True))[kind]
    monkeypatch.chdir(ROOT)
    day = ["--as-of", "2026-11-24"]
    said = json.loads(dsopt(*shlex.split(line)[1:], *day, "--json", code=4).stdout)["explanation"]
    assert [c["key"] for c in said["conflict"]] == CONFLICTS[kind]
    assert said["verified"] and said["complete"]
    assert sum(len(d["gpus"]) for d in said["dropped"]) == len(list(shipped.of(Kind.GPU)))
    assert len(said["ways_out"]) >= (3 if kind == "budget" else 1)
    for way in said["ways_out"][:3]:
        words = shlex.split(way["command"])
        assert words[:2] == ["dsopt", "solve"]
        data = json.loads(dsopt(*words[1:], "--json").stdout)
        assert data["front"][0]["cost"]["total"] == way["build"]["total"]
    if kind == "stock":
        assert any(d["reason"] == "plans need 8 of it, 3 can be had" for d in said["dropped"])


def test_a_request_comes_back_from_its_command() -> None:
    words = [
        "--model", "r1-671b", "--budget", "4000000CNY", "--users", "12", "--workload", "rag", "--max-ttft", "9000.5",
        "--min-tok-s-user", "7.5", "--min-precision", "4bit", "--kv-precision", "fp8", "--max-nodes", "4", "--max-kw",
        "40.123", "--rack-units", "60", "--have", "racks,network", "--no-vendor", "Dell", "--condition", "new,used",
        "--exclude", "nvidia-h100-pcie-80gb", "--confidence", "list,street,indexed", "--max-price-age", "900",
        "--spares", "gpu=1/16", "--as-of", "2026-11-24", "--tax", "13%", "--set", "storage.copies=3",
    ]  # fmt: skip
    first = json.loads(dsopt("solve", *words, "--json", code=0).stdout)
    from optimizer.request.command import command

    policy = Policy().with_settings(f"{k}={v}" for k, v in first["policy"].items())
    typed = command(Request.model_validate(first["request"]), policy)
    again = json.loads(dsopt(*shlex.split(typed)[1:], "--json", code=0).stdout)
    assert (again["request"], again["policy"]) == (first["request"], first["policy"])
