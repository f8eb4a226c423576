"""What once made the proof wrong: CP-SAT's presolve, spares that nobody needs; and a build that costs nothing."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from catalogs.load import Catalog, load
from catalogs.schema import Kind
from constraints.request import Owned, Request, Spare, SupportRate
from optimizer import solve
from optimizer.library import verify_result
from optimizer.result.schema import Result

DAY = date(2026, 11, 24)
HAVE = frozenset({"racks", "network"})


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load()


def front(catalog: Catalog, **fields: Any) -> Result:
    return solve(Request(as_of=DAY, grade="floor", **fields), catalog=catalog)


def dominates(a: Result, b: Result) -> bool:
    """Whether for each point of b one of a is as cheap and as fast."""
    return all(
        any(Decimal(p.cost.total) <= Decimal(q.cost.total) and p.throughput.output_tok_s >= q.throughput.output_tok_s
            for p in a.front)
        for q in b.front
    )  # fmt: skip


def test_support_at_odd_rates_loses_no_build(catalog: Catalog) -> None:
    """Support by category makes the model count in thousandths of cents. CP-SAT 9.15 with its presolve called families
    infeasible that were not: with two nodes allowed the front was dearer than with one."""
    rates = {Kind.GPU_BOARD: "7.1", Kind.GPU: "0.7", Kind.CPU: "9.9"}
    asked: dict[str, Any] = {
        "model": "r1-33b", "budget_cents": 2_600_000,
        "support": tuple(SupportRate(category=k, percent=Decimal(x)) for k, x in rates.items()),
        "spares": tuple(Spare(category=k, pieces=1, per=20) for k in (Kind.DRIVE, Kind.MEMORY, Kind.PSU)),
        "gpus": frozenset({"nvidia-h100-nvl-94gb", "nvidia-rtx-pro-5000-blackwell-48gb"}),
    }  # fmt: skip
    one, two = (front(catalog, max_nodes=n, **asked) for n in (1, 2))
    assert one.proof.status == two.proof.status == "optimal"
    assert dominates(two, one)
    assert "19839.74" in {p.cost.total for p in two.front}


@pytest.mark.parametrize("limit", [{"max_estimated_percent": Decimal(85)}, {"max_share_percent": Decimal(95)}])
def test_spares_do_not_dilute_a_share(catalog: Catalog, limit: dict[str, Any]) -> None:
    """Spares are rounded up and no more, in the model as in the check: more of them would bring a share down."""
    gpus = frozenset(p.id for p in catalog.parts.values() if p.kind == Kind.GPU and "mi350x" in p.id)
    fields = {"model": "v2-670b", "throughput_tenths": 150_000, "max_nodes": 1, "gpus": gpus, "have": HAVE, **limit}
    spared = front(catalog, spares=(Spare(category=Kind.MEMORY, pieces=1, per=16),), **fields)
    assert spared.proof.status in ("optimal", "infeasible")
    for p in spared.front:
        modules = sum(x.qty for x in p.bom if x.role == "spare")
        bought = sum(q.qty * n.count for n in p.nodes for q in n.parts if catalog.parts[q.part].kind == Kind.MEMORY)
        assert modules == -(-bought // 16)


def test_a_build_all_in_hand(catalog: Catalog) -> None:
    """It costs nothing, and is the best value."""
    asked = {"model": "r1-distill-qwen-7b", "have": HAVE, "budget_cents": 2_000_000, "max_nodes": 1}
    point = front(catalog, **asked).front[0]
    own = tuple(Owned(part=q.part, qty=q.qty * n.count) for n in point.nodes for q in n.parts)
    own += tuple(Owned(part=q.part, qty=q.qty) for q in point.shared)
    owned = front(catalog, own=own, **asked)
    assert owned.front[0].cost.total == "0.00" and owned.named["value"] == owned.front[0].id
    assert verify_result(owned, catalog=catalog).ok
