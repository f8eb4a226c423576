"""A build of one's own judged by every rule, and mended."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from catalogs.load import Catalog
from constraints.build import Build, Case, build_of, names
from constraints.policy import Policy
from constraints.prices.tariff import NEVER
from constraints.prices.totals import totals
from constraints.request import Request
from optimizer.library.opening import market_of, of_a_build_that_is_given
from optimizer.result.point_schema import CheckFacts
from optimizer.result.schema import Checked
from optimizer.search.clock import Clock
from optimizer.search.judging import asked_for, judge
from optimizer.search.mixed_cards import said_of_mix
from optimizer.text.minor_units import money
from optimizer.throughput.calibration import Calibration

if TYPE_CHECKING:
    from optimizer.explanation.mend.mended import Mended


def check(
    build: Build, request: Request, *, catalog: Catalog | None = None, policy: Policy | None = None,
    calibration: Calibration | None = None, name: str = "build", exists: bool = False,
) -> Checked:  # fmt: skip
    """Every rule on a build and every field of the request, by plain arithmetic, with the fastest plan that its parts
    realise.

    Parameters:
        build: Parts by id or plain name, quantities per node and shared by all nodes.
        request: What the build is to do. Where it names no grade the build is judged by the floor (docs/grades.md).
        catalog: Parts and prices; the shipped ones without.
        policy: Defaults of the rules; the shipped ones without.
        calibration: Constants of throughput; the shipped ones without.
        name: What the answer calls the build.
        exists: The machine stands already, as `dsopt check` takes a build written by hand: parts without a price, or
            without a fresh one, and memory that makers support unevenly spread are warnings. Else it is judged as
            `solve` judges what it finds, which has to be bought.

    Returns:
        All findings: `ok` is false when one of them fails. Those of rule `request` are fields that no rule reads.

    Raises:
        InputError: Parts that are in no catalog or make no node, or a request that makes no sense.
    """
    market = market_of(of_a_build_that_is_given(request), catalog, policy, calibration)
    named = build_of(market.catalog, build.nodes, build.node, build.shared)
    judged = judge(market, replace(build, node=named.node, shared=named.shared), exists=exists)
    case, checks = judged.case, [*judged.checks, *asked_for(market, judged)]
    return Checked(
        build=name,
        gpus=case.per_node * build.nodes,
        gpu=names(case.cards),
        kinds=len(case.cards),
        per_node=case.per_node,
        nodes=build.nodes,
        node_w=case.load_w,
        currency=request.currency,
        **_sums(case, request.currency),
        unpriced=case.unpriced,
        unknown=sorted(build.unknown),
        ok=not any(x.status == "fail" for x in checks),
        faster_without=said_of_mix(market, case, judged.row) if case.mixed and judged.row else "",
        checks=[CheckFacts(**vars(x)) for x in checks],
    )


def _sums(case: Case, currency: str) -> dict[str, str]:
    """Net, tax and total of the parts that have a price; empty where none has one, or where they can't be had in these
    numbers."""
    priced = {part: qty for part, qty in case.priced.items() if part not in case.unpriced}
    parts = case.book.cost(priced)
    if parts >= NEVER or not priced:
        return {}
    _, tax, total = totals(parts, case.policy)
    return {"net": money(total - tax, currency), "tax": money(tax, currency), "total": money(total, currency)}


def mend(
    build: Build, request: Request, *, catalog: Catalog | None = None, policy: Policy | None = None,
    calibration: Calibration | None = None, time_limit_s: float | None = None, clock: Clock | None = None,
) -> Mended | None:  # fmt: skip
    """The build nearest to one that fails which passes every rule: fewest parts changed, then least throughput lost,
    then least money; None when none passes. Where the request names no grade, by the floor's rules. `proof.status` is
    `feasible` where the time (seconds, or a clock of one's own) ended the search. Raises InputError for a build that is
    none, TimeUp where the time was up before any build was found."""
    from optimizer.explanation.mend.mended import mended

    market = market_of(of_a_build_that_is_given(request), catalog, policy, calibration)
    named = build_of(market.catalog, build.nodes, build.node, build.shared)
    return mended(market, named, clock or Clock(time_limit_s))
