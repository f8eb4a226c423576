"""dsopt as a library: typed, frozen answers. Nothing is printed, nothing global is changed, any thread may call.

    from datetime import date
    from optimizer import Request, solve, explain

    result = solve(Request(model="v3-671b", as_of=date(2026, 11, 24), budget_cents=300_000_00))
    print(result.front[-1].cost.total, explain(result).steps[0].text)

Money is decimal strings outward and integer minor units (cents) in a Request, power is W, memory GB (1e9 bytes),
latency ms, throughput output tokens per second of the whole build.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from catalogs.load import Catalog, load
from catalogs.schema import Gpu, Kind
from constraints.case import Build
from constraints.policy import Policy
from constraints.request import Request
from optimizer.api import build_of, embedded, saving, single_card
from optimizer.api import check as judged
from optimizer.api import solve as solved
from optimizer.clock import Clock, TimeUp
from optimizer.command import UNTYPED, Typed
from optimizer.explanation.schema import NoBuild, PointExplained
from optimizer.load import with_load
from optimizer.market import Market
from optimizer.schema import Checked, CheckFacts, Result
from optimizer.throughput.calibration import Calibration, shipped

if TYPE_CHECKING:  # answers to questions that few ask: imported when they are
    from decimal import Decimal
    from pathlib import Path

    from optimizer.explanation.mend import Mended
    from optimizer.explanation.no_build import Tell
    from optimizer.explanation.price_risk import PriceRisk
    from optimizer.explanation.vary import Variation
    from optimizer.explanation.why_not_schema import WhyNot
    from optimizer.procurement.comparing.offered import Offered
    from optimizer.procurement.comparing.schema import Comparison, Rate
    from optimizer.procurement.reading.document import Quote
    from optimizer.procurement.xray.schema import XRay
    from optimizer.size_schema import SizeReport


@cache
def shipped_catalog() -> Catalog:
    """The catalog that comes with dsopt: read once, immutable, shared by all threads."""
    return load(())


def solve(
    request: Request, *, catalog: Catalog | None = None, policy: Policy | None = None,
    calibration: Calibration | None = None, time_limit_s: float | None = None, clock: Clock | None = None,
    embed_catalog: bool = False, typed: Typed = UNTYPED, tell: Tell | None = None,
) -> Result:  # fmt: skip
    """The proven front of a request, ascending in cost and throughput; why there is none when no build meets it.

    Proof: every family (GPU, GPUs per node) is closed by a lower bound or by CP-SAT (docs/proof.md). Throughput: a
    roofline calibrated on published runs (docs/throughput.md). Load to throughput: Little's law and M/M/c
    (optimizer/load.py).

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

    Returns:
        The document that `dsopt solve --json` writes. `front` is empty and `explanation` is set where no build exists.

    Raises:
        InputError: The request makes no sense, or names what is in no catalog.
    """
    clock = clock or Clock(time_limit_s)
    answer = solved(catalog or shipped_catalog(), request, policy or Policy(), None, calibration, clock)
    data = answer.data
    if answer.front.complete and answer.front.points:
        for code, text in (("lower-precision", saving(answer)), ("single-card", single_card(answer))):
            data["messages"] += [{"code": code, "severity": "note", "text": text}] if text else []
    elif answer.front.complete:
        from optimizer.explanation.no_build import no_build

        try:
            data["explanation"] = no_build(answer.market, clock, typed, tell).model_dump(mode="json")
        except TimeUp:
            text = (
                "No build exists, proven; the time was up before it was known why. `dsopt explain` on this result says."
            )
            data["messages"].append({"code": "not-explained", "severity": "warning", "text": text})
    if embed_catalog:
        data["catalog"]["embedded"] = embedded(answer)
    return Result.model_validate(data)


def explain(
    result: Result, point: str | None = None, *, catalog: Catalog | None = None,
    calibration: Calibration | None = None, time_limit_s: float | None = None, clock: Clock | None = None,
) -> PointExplained | NoBuild:  # fmt: skip
    """What binds at a point of a front and what a step costs; of a result without builds why there are none.

    Every figure is the proven answer to a changed request (docs/explain.md), not a derivative. The conflict is found
    by QuickXplain (Junker, AAAI 2004).

    Parameters:
        result: Of `solve`, or `Result.model_validate_json` of a saved one; it is verified first.
        point: An id of the front, or recommended, fastest, cheapest, value; the recommended one without.
        catalog: The catalog that the result was made with.
        calibration: The calibration that the result was made with.
        time_limit_s: Seconds.
        clock: A clock of one's own instead.

    Returns:
        Margins in the unit of each check, prices of steps and neighbours in the result's currency, shares of the cost.

    Raises:
        InputError: No such point.
        CheckFailed: The catalog does not bear the result out.
        TimeUp: The time was up before the answer.
    """
    from optimizer.explanation.no_build import no_build
    from optimizer.explanation.opened import chosen, reopened
    from optimizer.explanation.point import explained

    market, points = reopened(result, catalog or shipped_catalog(), calibration)
    clock = clock or Clock(time_limit_s)
    return explained(market, points, chosen(result, point), clock) if points else no_build(market, clock)


def check(
    build: Build, request: Request, *, catalog: Catalog | None = None, policy: Policy | None = None,
    calibration: Calibration | None = None, name: str = "build",
) -> Checked:  # fmt: skip
    """Every rule on a build, by plain arithmetic, with the fastest plan that its parts realise.

    Parameters:
        build: Parts by id or plain name, quantities per node and shared by all nodes.
        request: What the build is to do.
        catalog: Parts and prices; the shipped ones without.
        policy: Defaults of the rules; the shipped ones without.
        calibration: Constants of throughput; the shipped ones without.
        name: What the answer calls the build.

    Returns:
        All findings: `ok` is false when one of them fails.

    Raises:
        InputError: Parts that are in no catalog or make no node, or a request that makes no sense.
    """
    chosen_policy = policy or Policy()
    request = with_load(request, chosen_policy)
    market = Market.open(catalog or shipped_catalog(), request, chosen_policy, calibration)
    build = build_of(market.catalog, build.nodes, build.node, build.shared)
    case, checks = judged(market, build)
    return Checked(
        build=name,
        gpus=case.per_node * build.nodes,
        gpu=case.gpu.name,
        per_node=case.per_node,
        nodes=build.nodes,
        node_w=case.load_w,
        ok=not any(x.status == "fail" for x in checks),
        checks=[CheckFacts(**vars(x)) for x in checks],
    )


def why_not(
    result: Result, what: str, point: str | None = None, *, catalog: Catalog | None = None,
    calibration: Calibration | None = None,
) -> WhyNot:  # fmt: skip
    """What stands against `8x H20`, a part or a build.toml, held against a point of a result: the price difference, the
    rules broken, and the unit price in money at which it would win. Raises as `explain` does."""
    from optimizer.explanation.opened import chosen, reopened

    market, points = reopened(result, catalog or shipped_catalog(), calibration)
    from optimizer.explanation.asked_for import asked_for
    from optimizer.explanation.why_not import why_not as held_against

    own, asked = asked_for(what, market)
    return held_against(own, points[chosen(result, point)], asked)


def vary(
    result: Result, spec: str, *, catalog: Catalog | None = None, calibration: Calibration | None = None,
    time_limit_s: float | None = None,
) -> Variation:  # fmt: skip
    """Over which prices (`gpu=±20%`, `memory=1.5x`, `PART=PRICE`) the recommended build stays, and what takes over
    beyond; exact. Raises as `explain` does, and InputError for a spec that is none."""
    from optimizer.explanation.opened import chosen, reopened

    market, points = reopened(result, catalog or shipped_catalog(), calibration)
    from optimizer.explanation.vary import vary as varied

    return varied(market, points[chosen(result, None)], spec, Clock(time_limit_s))


def price_risk(
    result: Result, bad_prices: int | None = None, *, catalog: Catalog | None = None,
    calibration: Calibration | None = None, time_limit_s: float | None = None,
) -> PriceRisk:  # fmt: skip
    """Fronts with every price at its low and at its high, and the build that loses least money when up to `bad_prices`
    prices (the policy's number without) go to their high; with proof status. Raises as `explain` does."""
    from optimizer.explanation.opened import reopened

    market, _ = reopened(result, catalog or shipped_catalog(), calibration)
    from optimizer.explanation.price_risk import price_risk as at_risk

    return at_risk(market, bad_prices, Clock(time_limit_s))


def mend(
    build: Build, request: Request, *, catalog: Catalog | None = None, policy: Policy | None = None,
    calibration: Calibration | None = None, time_limit_s: float | None = None,
) -> Mended | None:  # fmt: skip
    """The build nearest to one that fails which passes every rule: fewest parts changed, then least money added; None
    when none passes. Raises InputError for a build that is none."""
    chosen_policy = policy or Policy()
    market = Market.open(
        catalog or shipped_catalog(), with_load(request, chosen_policy), chosen_policy, calibration
    )  # fmt: skip
    from optimizer.explanation.mend import mended

    named = build_of(market.catalog, build.nodes, build.node, build.shared)
    return mended(market, named, Clock(time_limit_s))


def read_quote(
    path: Path, *, catalog: Catalog | None = None, mapping: Path | None = None, accept_fuzzy: bool = False
) -> Quote:  # fmt: skip
    """A vendor's quote or price list as read and matched (docs/reading.md); `mapping`: a map.toml to be replayed.

    Raises InputError for a file or mapping that can't be read."""
    from optimizer.procurement.reading.mapping import read_mapping
    from optimizer.procurement.reading.reader import read

    given = read_mapping(mapping) if mapping is not None else None
    return read(path, catalog or shipped_catalog(), mapping=given, accept_fuzzy=accept_fuzzy)


def xray(
    quote: Quote, request: Request, *, catalog: Catalog | None = None, policy: Policy | None = None,
    calibration: Calibration | None = None, usd_per_unit: Decimal | None = None, tax_rate: Decimal | None = None,
    search: bool = True, clock: Clock | None = None,
) -> XRay:  # fmt: skip
    """A vendor's quote against the catalog's prices, every rule, and what its money would buy (docs/xray.md).

    `usd_per_unit` of the quote's currency and `tax_rate` (percent) where the quote or the policy has none. Raises
    InputError for a request that makes no sense."""
    from optimizer.procurement.xray.xray import xray as seen

    chosen_policy = policy or Policy()
    request = with_load(request, chosen_policy)
    market = Market.open(catalog or shipped_catalog(), request, chosen_policy, calibration)
    return seen(quote, market, usd_per_unit=usd_per_unit, tax_rate=tax_rate, search=search, clock=clock)


def compare(
    bids: Sequence[Offered], request: Request, *, catalog: Catalog | None = None, policy: Policy | None = None,
    calibration: Calibration | None = None, tax_percent: Decimal | None = None, rates: Sequence[Rate] = (),
    weights: str | None = None, time_limit_s: float | None = 60,
) -> Comparison:  # fmt: skip
    """Bids for one tender (quotes that the reader read, points of results) on one basis and one scope, in the request's
    currency, each build judged under the request, scored by `weights` (the policy's without).

    `tax_percent` is that of the totals: without, the policy's or what all bids state. `rates` are laid over the
    policy's exchange rates; `time_limit_s` (seconds) holds for each search for the cheapest build as fast as a bid's.
    Raises InputError for too few bids, a currency without a rate and weights that do not come to 100."""
    from optimizer.procurement.comparing.compare import common_tax, compared, terms_of, with_rates
    from optimizer.procurement.comparing.scoring import weights as weighed

    chosen_policy = policy or Policy()
    market = Market.open(
        catalog or shipped_catalog(), with_load(with_rates(request, rates), chosen_policy), chosen_policy, calibration
    )  # fmt: skip
    if tax_percent is None:
        tax_percent = chosen_policy["money.tax_percent"] or common_tax(bids)
    terms = terms_of(request, tax_percent, chosen_policy["compare.outlier_percent"], rates)
    return compared(bids, market, terms, weighed(weights, chosen_policy), time_limit_s)


def size(
    request: Request, gpus: Sequence[tuple[str, int, int]], *, catalog: Catalog | None = None,
    policy: Policy | None = None, calibration: Calibration | None = None,
) -> SizeReport:  # fmt: skip
    """Memory and speed of the request's model on given GPUs, as of the best plan on ideal hosts; nothing is bought.

    Parameters:
        request: Model, workload and latency limits; what it says of money and site is not looked at.
        gpus: Setups as (GPU id or name, GPUs per node, nodes).
        catalog: Parts; the shipped ones without.
        policy: Defaults of the rules; the shipped ones without.
        calibration: Constants of throughput; the shipped ones without.

    Returns:
        A row per setup, in the order asked: GB on the fullest GPU, output tokens per second, ms, and a table over
        the number of users.

    Raises:
        InputError: An unknown model or GPU, or a number of GPUs or nodes out of range.
    """
    from optimizer.size_report import report
    from optimizer.sizing import key_of

    parts, setups = catalog or shipped_catalog(), []
    known = Catalog({g.id: g for g in parts.of(Kind.GPU)}, {}, parts.sha256)
    for name, per_node, nodes in gpus:
        gpu = known.find(name)
        assert isinstance(gpu, Gpu)
        setups.append((gpu, key_of(gpu, per_node, nodes)))
    return report(parts, request, policy or Policy(), calibration or shipped(), setups, None, [])
