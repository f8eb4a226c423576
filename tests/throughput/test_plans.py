"""What the planner leaves out before judging it: replicas that memory or the latency limits rule out."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from catalogs.llm import get
from catalogs.load import Catalog
from catalogs.schema import Gpu, Kind
from constraints.plan import Plan, RowKey
from constraints.policy import Policy
from constraints.request import Request
from constraints.rules.vram import most_users
from optimizer.throughput import calibration
from optimizer.throughput.constants import Constants
from optimizer.throughput.demand import demand
from optimizer.throughput.jobs import of_keys
from optimizer.throughput.plans import Planner
from optimizer.throughput.roofline import largest_concurrency, times


@pytest.mark.parametrize("limits", [(150.0, 0.0), (None, 150.0), (400.0, 60.0)])
def test_no_replica_is_smaller_than_the_least(shipped: Catalog, limits: tuple[float | None, float]) -> None:
    """What the planner leaves out unjudged would meet neither memory nor the latency limits."""
    llm, some = get("r1-distill-llama-70b"), 0
    r = Request(
        model="r1-distill-llama-70b",
        isl=2000,
        osl=500,
        as_of=date(2026, 11, 24),
        budget_cents=1,
        max_ttft_ms=limits[0],
        min_tok_s_user=limits[1],
    )
    planner = Planner(llm, r, Policy())
    k = planner.calibration.constants
    for gpu in [g for g in shipped.of(Kind.GPU) if isinstance(g, Gpu)]:
        least = planner.reach(gpu).gpus
        for size in (1, 2, 4, 8, 16, 64):
            if size >= least:
                continue
            key = RowKey(gpu.id, gpu.tdp_w or 1, min(size, 8), 8, min(size, 8), 0, 0, "rdma", 400)
            for precision in planner.precisions(gpu):
                table, owner = planner.fits.of(precision, [(gpu, key, size)])
                need = demand(llm, precision, r.isl, r.osl, "bf16")
                jobs = of_keys(gpu, table[:, :4], [key], owner, need, precision, (r.isl, r.osl), k)
                if jobs is not None and len(table):
                    t = times(jobs, k).slowed(1 / planner.calibration.pair(planner.kin, gpu))
                    assert not largest_concurrency(t, table[:, 5], r.min_tok_s_user, r.max_ttft_ms).any()
                    some += 1
    assert some > 20


def test_requests_that_fit_are_as_many_as_the_rule_counts(shipped: Catalog) -> None:
    llm, policy = get("v2-236b"), Policy()
    request = Request(model="v2-236b", isl=2000, osl=500, as_of=date(2026, 11, 24), budget_cents=1)
    planner = Planner(llm, request, policy)
    for gpu in [g for g in shipped.of(Kind.GPU) if isinstance(g, Gpu)]:
        key = RowKey(gpu.id, gpu.tdp_w or 1, 8, 2, 8, 0, 0, "rdma", 400)
        for precision in planner.precisions(gpu):
            found, _ = planner.fits.of(precision, [(gpu, key, 8), (gpu, key, 16)])
            for tp, pp, dp, ep, spare, users in found.tolist():
                plan = Plan(precision, "bf16", tp, pp, dp, ep, 1, 1, redundant_experts=spare)
                assert users == min(most_users(gpu, llm, policy, plan, request.tokens), planner.fits.max_batch * dp)
                assert tp * pp * dp >= planner.fits.least(gpu, precision)


@pytest.mark.parametrize("name", ["r1-distill-llama-70b", "v3-671b"])
@pytest.mark.parametrize("limits", [(None, 10.0), (None, 0.0), (1500.0, 25.0)])
def test_no_row_goes_beyond_its_reach(shipped: Catalog, name: str, limits: tuple[float | None, float]) -> None:
    llm, some, tightest = get(name), 0, 0.0
    r = Request(
        model=name, isl=1024, osl=1024, as_of=date(2026, 11, 24), budget_cents=1, max_ttft_ms=limits[0],
        min_tok_s_user=limits[1],
    )  # fmt: skip
    planner, free = Planner(llm, r, Policy()), Planner(llm, r, Policy(), bounded=False)
    for gpu in [g for g in shipped.of(Kind.GPU) if isinstance(g, Gpu)]:
        can, domain = planner.reach(gpu), gpu.wired_domain_gpus
        keys = [RowKey(gpu.id, gpu.tdp_w or 1, 8, n, min(8, domain), 5, 16, "rdma", 400) for n in (1, 2, 6)]
        for row in free.rows(gpu, keys):
            assert row.perf.tenths <= row.key.total * planner.most_tenths(gpu)
            # Requests that wait before prefill, on nodes of its own, are bounded by memory alone.
            users = can.users if row.plan.prefill is None else min(planner.fits.max_batch, planner.fits.most_users(gpu))
            assert row.plan.concurrency * row.plan.replicas <= row.key.total * users
            tightest = max(tightest, row.perf.tenths / row.key.total / planner.most_tenths(gpu))
            some += 1
    assert some > 20 and tightest > 0.3


@pytest.mark.parametrize(("name", "value"), [("expert_skew", 1.1), ("expert_imbalance", 0.9), ("prefill_mixing", 1.2)])
def test_constants_of_ones_own_may_void_the_bounds(name: str, value: float) -> None:
    shipped = calibration.shipped()
    own = replace(shipped, constants=Constants({**shipped.constants.values, name: value}))
    r = Request(model="v3-671b", as_of=date(2026, 11, 24), budget_cents=1)
    assert Planner(get("v3-671b"), r, Policy(), shipped).bounded
    assert not Planner(get("v3-671b"), r, Policy(), own).bounded


@pytest.mark.parametrize("name", ["r1-distill-llama-70b", "v3-671b"])
def test_what_is_judged_for_some_users_holds_for_others(shipped: Catalog, name: str) -> None:
    """A planner for another number of users gives the rows of a new one; the most users are the last with a row."""
    r = Request(model=name, isl=1024, osl=1024, as_of=date(2026, 11, 24), budget_cents=1, users=1)
    planner, served = Planner(get(name), r, Policy()), 0
    for gpu in [g for g in shipped.of(Kind.GPU) if isinstance(g, Gpu)]:
        for key in [
            RowKey(gpu.id, gpu.tdp_w or 1, 8, n, min(8, gpu.wired_domain_gpus), 5, 16, "pp", 25) for n in (1, 3)
        ]:
            most = planner.most_users(gpu, key)
            served += most > 0
            for users in {1, 40, max(1, most), most + 1}:
                anew = Planner(get(name), r.model_copy(update={"users": users}), Policy())
                found = planner.for_users(users).rows(gpu, [key])
                assert found == anew.rows(gpu, [key]) and bool(found) == (users <= most)
    assert served > 20
