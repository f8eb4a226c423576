"""N-gram tables in host memory or on GPUs: the front against brute force, and figures worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from catalogs import registry
from catalogs.engines.lookup_tables import place_of_tables
from catalogs.engines.support import support_rows
from catalogs.llm import all_models, get
from catalogs.load import Catalog
from catalogs.schema import Gpu, Memory, Part
from constraints.build import Build
from constraints.physics.lookup_tables import copies, needs_gb, tables_gb, with_tables
from constraints.plan import Plan, RowKey
from constraints.policy import Policy
from constraints.request import Request
from constraints.rules.host_memory import tables
from constraints.rules.registry import RULES
from constraints.rules.software import engine_of, software_fault
from constraints.rules.vram import weights_per_gpu
from optimizer.market.market import Market
from optimizer.result.plan_facts import launch_facts
from optimizer.search.front import Front
from optimizer.search.judging import judge
from optimizer.search.solver import Solver
from optimizer.sizing.serving import best_row, key_of
from optimizer.throughput.calibration import shipped as shipped_calibration
from optimizer.throughput.plans import Planner
from tests.conftest import AS_OF
from tests.support.long import one_in
from tests.support.oracle import Oracle
from tests.support.random_catalogs import tables_scenario

SEEDS = range(48)
WITH_FRONTS = (0, 1, 9, 10, 14, 18, 24, 29, 42)
"""Seeds with builds; on 24 and 42 one front has both places."""


def market_of(seed: int, monkeypatch: pytest.MonkeyPatch) -> Market:
    catalog, request, ask = tables_scenario(seed)
    monkeypatch.setitem(registry._of_this_run, ask.model.id, ask.model)
    return Market.open(catalog, request, Policy())


def values(front: Front) -> list[tuple[int, int]]:
    return [(p.found.parts_cents, p.found.row.perf.tenths) for p in front.points]


@pytest.mark.parametrize("seed", [*one_in(3, WITH_FRONTS), *one_in(23, [s for s in SEEDS if s not in WITH_FRONTS])])
def test_front_equals_brute_force(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    front = Solver(market_of(seed, monkeypatch)).front()
    catalog, _, ask = tables_scenario(seed)
    assert front.complete
    assert values(front) == Oracle(catalog, ask, 2 if seed % 4 >= 2 else 1).front()


@pytest.mark.parametrize("seed", [24, 42, *one_in(24, [s for s in SEEDS if s not in (24, 42)])])
def test_cp_sat_alone_finds_the_same_front(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    market = market_of(seed, monkeypatch)
    front, alone = Solver(market).front(), Solver(market, clever=False).front()
    assert values(front) == values(alone)
    if seed in (24, 42):
        assert {p.found.row.plan.host_tables for p in front.points} == {False, True}


def test_the_certificate_needs_the_encode(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it tables are put into RAM that does not hold them, and the check says so."""
    market = market_of(10, monkeypatch)
    rules = tuple(rule for rule in RULES if rule.id != "host_memory")
    front = Solver(market, rules=rules, clever=False).front()
    failed = [c.text for p in front.points for c in p.checks if c.status == "fail" and c.rule == "host_memory"]
    assert any("n-gram tables" in text for text in failed)


# Figures by hand --------------------------------------------------------------------------------------------------


def test_room_for_the_system_counts_to_the_decimal() -> None:
    """What a row asks of RAM is what the rule's check asks for: rounded up once, of the sum."""
    llm = next(model for model in all_models() if model.host_table_bytes)
    exact_gb = llm.host_table_bytes / 10**9
    for system_gb in ("16", "16.5", "16.001"):
        policy = Policy({"host_memory.system_gb": Decimal(system_gb)})
        assert 0 <= tables_gb(llm, 1, policy) - (exact_gb + float(system_gb)) < 1


def test_each_engine_instance_of_a_node_holds_a_copy() -> None:
    llm, policy = get("v4.1-flash"), Policy()
    assert [copies(size, 8) for size in (1, 2, 8, 16)] == [8, 4, 1, 1]
    assert [tables_gb(llm, n, policy) for n in (1, 2, 4)] == [203 + 16, 406 + 16, 812 + 16]
    assert needs_gb(llm, (1, 2, 4, 8, 16), 8, policy) == (0, 219, 422, 828, 1639)
    assert needs_gb(get("v3-671b"), (1, 8), 8, policy) == (0,)
    key = RowKey("x", 1, 8, 1, 8, 0, 0, "none", 0)
    assert [k.tables_gb for k in with_tables(llm, key, policy)] == [0, 1639]


def test_tables_lie_on_all_ranks_of_their_stage_or_on_none() -> None:
    """Of V4.1-Flash both tables are in the first of two stages."""
    llm = get("v4.1-flash")
    both = llm.host_table_bytes
    for tp, pp, dp in ((8, 1, 1), (4, 1, 2), (2, 2, 4)):
        held = weights_per_gpu(llm, "fp4-mix", tp, pp, dp, 1)
        aside = weights_per_gpu(llm, "fp4-mix", tp, pp, dp, 1, host_tables=True)
        if pp == 1:
            assert held - aside == -(-both // (tp * dp))
        assert held > aside
    assert weights_per_gpu(llm, "fp4-mix", 1, 1, 1, 1) == llm.weight_bytes("fp4-mix")


def test_an_engine_starts_a_plan_where_it_keeps_the_tables(shipped: Catalog) -> None:
    llm, request = get("v4.1-flash"), Request(model="v4.1-flash", as_of=AS_OF)
    gpu = shipped.find("H200 SXM5 141GB")
    assert isinstance(gpu, Gpu)
    plan = Plan("fp4-mix", "fp8", 8, 1, 1, 1, 1, 1)
    names = {}
    for on_host in (False, True):
        found = engine_of(llm, gpu, replace(plan, host_tables=on_host), request, 8)
        assert found is not None
        names[on_host] = found.engine.name
    assert names == {False: "SGLang", True: "vLLM"}
    dense = get("llama-3.1-8b")
    assert not software_fault(dense, gpu, Plan("bf16", "bf16", 1, 1, 1, 1, 1, 1), request.model_copy())


def test_a_place_that_no_engine_has_is_said(shipped: Catalog) -> None:
    llm, request = get("v4.1-flash"), Request(model="v4.1-flash", as_of=AS_OF)
    gpu = shipped.find("Instinct MI350X")
    assert isinstance(gpu, Gpu)
    only_on_gpus = Plan("fp4-mix", "fp8", 4, 1, 2, 3, 1, 1)  # vLLM takes ep 8 or none
    assert "does not start it" in software_fault(llm, gpu, replace(only_on_gpus, host_tables=True), request, 8)
    assert "keeps the n-gram tables" in software_fault(llm, gpu, replace(only_on_gpus, host_tables=True), request, 8)


def test_every_engine_of_a_model_with_tables_has_a_place() -> None:
    with_tables_ = {m.architecture for m in all_models() if m.host_table_bytes}
    assert with_tables_ == {"deepseek-v4.1", "qwen4-exp"}
    for row in support_rows("serve"):
        if row.status in ("stable", "experimental"):
            for architecture in with_tables_ & set(row.architectures):
                assert place_of_tables(row.engine, architecture) in ("host", "gpu"), row.engine


def test_a_setup_says_the_ram_that_its_tables_need(shipped: Catalog) -> None:
    """Four H100 NVL hold V4.1-Flash only with its tables in host memory."""
    llm, request = get("v4.1-flash"), Request(model="v4.1-flash", as_of=AS_OF)
    gpu = shipped.find("H100 NVL 94GB")
    assert isinstance(gpu, Gpu)
    planner = Planner(llm, request, Policy(), shipped_calibration())
    assert planner.rows(gpu, [key_of(gpu, 4, 1)]) == []
    row = best_row(planner, gpu, key_of(gpu, 4, 1))
    assert row is not None and row.plan.host_tables and row.key.tables_gb >= tables_gb(llm, 1, Policy())


@pytest.fixture(scope="module")
def solved(shipped: Catalog) -> tuple[Market, Build]:
    request = Request(
        model="v4.1-flash", as_of=AS_OF, budget_cents=500_000_00, gpus=frozenset({"nvidia-h100-nvl-94gb"}), gpu_count=4
    )
    market = Market.open(shipped, request, Policy())
    points = Solver(market).front().points
    return market, points[-1].found.build


def changed(market: Market, part: Part) -> Market:
    catalog = replace(market.catalog, parts={**market.catalog.parts, part.id: part})
    return replace(market, catalog=catalog)


def test_the_limit_is_met_to_the_gb(solved: tuple[Market, Build]) -> None:
    """The RAM of a built node at the limit and one module size below it."""
    market, build = solved
    module, pieces = next(
        (part, q) for x, q in build.node.items() if isinstance(part := market.catalog.parts[x], Memory)
    )
    for gb, fine in ((-(-219 // pieces), True), (218 // pieces, False)):
        other = changed(market, module.model_copy(update={"capacity_gb": gb}))
        judged = judge(other, build)
        plan = replace(judged.case.plan, tp=4, pp=1, dp=1, ep=1, replicas=1, host_tables=True)
        found = tables(replace(judged.case, plan=plan))
        assert [c.status for c in found] == ["pass" if fine else "fail"]
        assert "202.8 GB" in found[0].text and "1 engine instance" in found[0].text
        two = tables(replace(judged.case, plan=replace(plan, tp=2, replicas=2)))
        assert [c.status for c in two] == ["fail"] and "2 engine instances" in two[0].text


def test_a_quote_with_too_little_ram_is_told_of_the_tables(solved: tuple[Market, Build]) -> None:
    market, build = solved
    module, pieces = next(
        (part, q) for x, q in build.node.items() if isinstance(part := market.catalog.parts[x], Memory)
    )
    judged = judge(changed(market, module.model_copy(update={"capacity_gb": 218 // pieces})), build)
    assert judged.row is None
    assert any("n-gram tables" in c.text for c in judged.checks if c.status == "fail")


def test_a_command_asks_for_pages_that_are_not_rounded_up(solved: tuple[Market, Build]) -> None:
    """Ranks of a data-parallel group share a copy by themselves."""
    market, build = solved
    case = judge(market, build).case
    for dp, asked in ((1, True), (2, False)):
        plan = replace(case.plan, tp=4 // dp, pp=1, dp=dp, ep=1, replicas=1, host_tables=True)
        commands = launch_facts(market, replace(case, plan=plan))["launch"]
        assert len(commands) == 1
        assert ("--engram-config" in commands[0] and "use_thp" in commands[0]) is asked
