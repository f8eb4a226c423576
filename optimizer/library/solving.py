"""Proven fronts: of one request, and the best build of each model."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from catalogs.load import Catalog
from catalogs.message import message
from constraints.physics.markets import settled_market
from constraints.policy import Policy
from constraints.request import Request
from optimizer.library.opening import shipped_catalog
from optimizer.request.command import UNTYPED, Typed
from optimizer.request.load import with_load
from optimizer.result.answer import embedded
from optimizer.result.answer import solve as solved
from optimizer.result.cheaper import solved_messages
from optimizer.result.notes import note_data
from optimizer.result.schema import BestBuild, BestBuilds, Result, ThroughputModel
from optimizer.search.clock import Clock, TimeUp
from optimizer.throughput.calibration import Calibration, shipped

EXPLAIN_EFFORT = 8.0
"""How long `solve` looks for the reasons and the ways out of a request that no build meets (`Clock.effort`: about
seconds); `explain` looks as long as it takes."""
NOT_EXPLAINED = (
    "No build exists, proven, but the search for the smallest set of conditions in conflict ended early. "
    "`dsopt explain` on the saved result (-o) goes on."
)

if TYPE_CHECKING:
    from optimizer.explanation.no_build.explained import Tell


def solve(
    request: Request, *, catalog: Catalog | None = None, policy: Policy | None = None,
    calibration: Calibration | None = None, time_limit_s: float | None = None, clock: Clock | None = None,
    embed_catalog: bool = False, typed: Typed = UNTYPED, tell: Tell | None = None,
    tell_front: Callable[[Result], None] | None = None,
) -> Result:  # fmt: skip
    """The proven front of a request, ascending in cost and throughput; why there is none when no build meets it.

    Proof: every family (GPU, GPUs per node) is closed by a lower bound or by CP-SAT (docs/proof.md). Throughput: a
    roofline calibrated on published runs (docs/throughput.md). Load to throughput: Little's law and M/M/c
    (optimizer/request/load.py).

    Parameters:
        request: What is asked for. A load in it raises `throughput_tenths` to what the load needs.
        catalog: Parts and prices; the shipped ones without.
        policy: Defaults of the rules; the shipped ones without.
        calibration: Constants of throughput; the shipped ones without.
        time_limit_s: Seconds, after which the best checked front so far comes back: `proof.status` is `feasible`.
        clock: A clock of one's own instead, which can be stopped from another thread.
        embed_catalog: Carry the catalog rows that the front rests on in `catalog.embedded`.
        typed: Paths and options that the commands of an explanation repeat.
        tell: Hears of the conflict, then of each way out, as soon as it is known.
        tell_front: Hears of the front while it is being proven, once a second at most, in the thread that solves: a
            result of checked builds whose `proof.status` is `feasible`.

    Returns:
        The document that `dsopt solve --json` writes. `front` is empty and `explanation` is set where no build exists.

    Raises:
        InputError: The request makes no sense, or names what is in no catalog.
    """
    clock = clock or Clock(time_limit_s)
    asked = settled_market(request)  # the result says where it is bought, whatever currency it is quoted in later
    told = None if tell_front is None else (lambda data: tell_front(Result.model_validate(data)))
    answer = solved(catalog or shipped_catalog(), asked, policy or Policy(), None, calibration, clock, told)
    data = answer.data
    if answer.front.complete and answer.front.points:
        # Ctrl-C in these ends them alone: the front is proven by now.
        with suppress(TimeUp, KeyboardInterrupt):
            data["messages"] += solved_messages(answer)
    elif answer.front.complete:
        from optimizer.explanation.no_build.explained import no_build

        part = clock.within(EXPLAIN_EFFORT)
        why = no_build(answer.market, part, typed, tell, answer.judged)
        data["explanation"] = why.model_dump()
        if not why.minimal:
            data["messages"].append(note_data("not-explained", message(NOT_EXPLAINED), "warning"))
    if embed_catalog:
        data["catalog"]["embedded"] = embedded(answer)
    return Result.model_validate(data)


def best_builds(
    request: Request, *, catalog: Catalog | None = None, policy: Policy | None = None,
    calibration: Calibration | None = None, everything: bool = False, time_limit_s: float | None = None,
    clock: Clock | None = None, tell: Callable[[BestBuild], None] | None = None,
) -> BestBuilds:  # fmt: skip
    """The recommended build of each model, proven; where the budget is too small for one, what it costs at least.

    Parameters:
        request: What is asked for; its model is not looked at.
        catalog: Parts and prices; the shipped ones without.
        policy: Defaults of the rules; the shipped ones without.
        calibration: Constants of throughput; the shipped ones without.
        everything: References and guide names too, not the DeepSeek family and one's own models alone.
        time_limit_s: Seconds for all models, after which what is known comes back: `complete` is false.
        clock: A clock of one's own instead, which can be stopped from another thread.
        tell: Hears of each model as soon as it is solved.

    Returns:
        The document that `dsopt solve --json` writes without a model: the largest model first, models with the same
        figures as one.

    Raises:
        InputError: The request makes no sense, or names what is in no catalog.
    """
    from optimizer.library.per_model import best_builds as solved_each

    policy, calibration = policy or Policy(), calibration or shipped()
    found, complete = [], True
    for one in solved_each(
        catalog or shipped_catalog(), request, policy, calibration, everything, clock or Clock(time_limit_s)
    ):
        if one is None:
            complete = False
            break
        found.append(one)
        complete = complete and one.status != "feasible"
        if tell is not None:
            tell(one)
    return BestBuilds(
        schema_version="1",
        request=with_load(request, policy),
        policy={k: str(v) for k, v in sorted(policy.changed.items())},
        throughput_model=ThroughputModel(calibration=calibration.name, sha256=calibration.sha256),
        complete=complete,
        models=found,
    )
