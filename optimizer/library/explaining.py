"""Questions about a result: what binds, why there is no build, why not that part, how far prices may move."""

from __future__ import annotations

from typing import TYPE_CHECKING

from catalogs.load import Catalog
from optimizer.library.opening import open_result
from optimizer.request.command import UNTYPED, Typed
from optimizer.result.explanation_schema import NoBuild, PointExplained
from optimizer.search.clock import Clock
from optimizer.throughput.calibration import Calibration

if TYPE_CHECKING:
    from optimizer.explanation.no_build.explained import Tell
    from optimizer.explanation.prices.price_risk import PriceRisk
    from optimizer.explanation.prices.vary import Variation
    from optimizer.explanation.why_not.schema import WhyNot
    from optimizer.library.opening import Saved


def explain(
    result: Saved, point: str | None = None, *, catalog: Catalog | None = None,
    calibration: Calibration | None = None, time_limit_s: float | None = None, clock: Clock | None = None,
    typed: Typed = UNTYPED, tell: Tell | None = None,
) -> PointExplained | NoBuild:  # fmt: skip
    """What binds at a point of a front and what a step costs; of a result without builds why there are none.

    Every figure is the proven answer to a changed request (docs/explain.md), not a derivative. The conflict is found
    by QuickXplain (Junker, AAAI 2004).

    Parameters:
        result: Of `solve`, the path of a saved one, or one that `open_result` opened; it is verified first.
        point: An id of the front, or recommended, fastest, cheapest, value; the recommended one without.
        catalog: The catalog that the result was made with.
        calibration: The calibration that the result was made with.
        time_limit_s: Seconds.
        clock: A clock of one's own instead, which can be stopped from another thread.
        typed: Paths and options that the commands of the ways out repeat.
        tell: Hears of the conflict, then of each way out, as soon as it is known.

    Returns:
        Margins in the unit of each check, prices of steps and neighbours in the result's currency, shares of the cost.
        Without builds the conflict and the ways out; `minimal` and `complete` are false where the time ended their
        search.

    Raises:
        InputError: No such point, or a file that is no result.
        CheckFailed: The catalog does not bear the result out.
        TimeUp: The time was up before the answer about a point.
    """
    from optimizer.explanation.no_build.explained import no_build
    from optimizer.explanation.point.explained import explained

    opened, clock = open_result(result, catalog=catalog, calibration=calibration), clock or Clock(time_limit_s)
    if not opened.points:
        return no_build(opened.market, clock, typed, tell)
    return explained(opened.market, opened.points, opened.at(point), clock)


def why_not(
    result: Saved, what: str, point: str | None = None, *, catalog: Catalog | None = None,
    calibration: Calibration | None = None, time_limit_s: float | None = None, clock: Clock | None = None,
) -> WhyNot:  # fmt: skip
    """What stands against `8x H20`, a part or a build.toml, held against a point of a result: the price difference, the
    rules broken, and the unit price in money at which it would win.

    `unanswered` of the answer names what the time did not suffice for. Parameters and errors are those of `explain`;
    TimeUp only where the time was up before it was known what stands against it."""
    from optimizer.explanation.why_not.asked_for import asked_for
    from optimizer.explanation.why_not.explained import why_not as held_against

    opened = open_result(result, catalog=catalog, calibration=calibration)
    own, asked = asked_for(what, opened.market)  # a build's file may bring parts of its own
    return held_against(own, opened.points[opened.at(point)], asked, clock or Clock(time_limit_s))


def vary(
    result: Saved, spec: str, point: str | None = None, *, catalog: Catalog | None = None,
    calibration: Calibration | None = None, time_limit_s: float | None = None, clock: Clock | None = None,
) -> Variation:  # fmt: skip
    """Over which prices (`gpu=±20%`, `memory=1.5x`, `PART=PRICE`) the recommended build stays, and what takes over
    beyond; exact. `complete` of the answer is false where the time ended the search.

    Parameters and errors are those of `explain`; also InputError for a spec that is none, and for a point that is not
    the recommended one."""
    from optimizer.explanation.prices.vary import vary as varied

    opened = open_result(result, catalog=catalog, calibration=calibration)
    return varied(opened.market, opened.points[opened.at(point)], spec, clock or Clock(time_limit_s))


def price_risk(
    result: Saved, bad_prices: int | None = None, *, catalog: Catalog | None = None,
    calibration: Calibration | None = None, time_limit_s: float | None = None, clock: Clock | None = None,
) -> PriceRisk:  # fmt: skip
    """Fronts with every price at its low and at its high, and the build that loses least money when up to `bad_prices`
    prices (the policy's number without) go to their high; with proof status.

    Parameters and errors are those of `explain`; TimeUp only where the time was up before the recommended build was
    proven again."""
    from optimizer.explanation.prices.price_risk import price_risk as at_risk

    opened = open_result(result, catalog=catalog, calibration=calibration)
    return at_risk(opened.market, bad_prices, clock or Clock(time_limit_s))
