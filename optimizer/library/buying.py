"""Vendors' quotes and bids read, judged and compared, and a result as a quotation of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from catalogs.load import Catalog
from constraints.policy import Policy
from constraints.request import Request
from optimizer.library.opening import market_of, of_a_build_that_is_given, open_result, shipped_catalog
from optimizer.result.schema import Result
from optimizer.search.clock import Clock
from optimizer.throughput.calibration import Calibration

if TYPE_CHECKING:
    from decimal import Decimal
    from fractions import Fraction

    from constraints.exchange import ExchangeRate
    from optimizer.library.opening import Saved
    from optimizer.procurement.award.orders import PurchaseOrder
    from optimizer.procurement.award.schema import Award, How
    from optimizer.procurement.award.terms import AwardTerms
    from optimizer.procurement.bids.changes import Opened as Judged
    from optimizer.procurement.bids.changes_schema import ResultsCompared
    from optimizer.procurement.bids.files import Files
    from optimizer.procurement.bids.offered import Offered
    from optimizer.procurement.bids.schema import Comparison, SourceFile
    from optimizer.procurement.bids.tender_files import Tender
    from optimizer.procurement.quotation.quote import Quote as Quotation
    from optimizer.procurement.quotation.quote_terms import Party, Terms
    from optimizer.procurement.reading.document import Quote
    from optimizer.procurement.rfq.inquiry import Inquiry
    from optimizer.procurement.xray.schema import XRay


def read_quote(
    path: Path, *, catalog: Catalog | None = None, mapping: Path | None = None, accept_fuzzy: bool = False,
    term: str | None = None,
) -> Quote:  # fmt: skip
    """A vendor's quote or price list as read and matched (docs/reading.md); `mapping`: a map.toml to be replayed;
    `term`: months over which what is paid by time is counted, or `once` for a purchase.

    Raises InputError for a file or mapping that can't be read."""
    from optimizer.procurement.reading.mapping import Mapping, read_mapping
    from optimizer.procurement.reading.payment_term import with_term
    from optimizer.procurement.reading.reader import read

    given = read_mapping(mapping) if mapping is not None else Mapping()
    if term is not None:
        given = with_term(given, term)
    return read(path, catalog or shipped_catalog(), mapping=given, accept_fuzzy=accept_fuzzy)


def xray(
    quote: Quote, request: Request, *, catalog: Catalog | None = None, policy: Policy | None = None,
    calibration: Calibration | None = None, usd_per_unit: Decimal | Fraction | None = None,
    tax_rate: Decimal | None = None, search: bool = True, clock: Clock | None = None,
) -> XRay:  # fmt: skip
    """A vendor's quote against the catalog's prices, every rule, and what its money would buy (docs/xray.md). Where the
    request names no grade, all of it by the floor's rules (docs/grades.md).

    `usd_per_unit` of the quote's currency and `tax_rate` (percent) where the quote or the policy has none. Raises
    InputError for a request that makes no sense."""
    from optimizer.procurement.xray.xray import xray as seen

    market = market_of(of_a_build_that_is_given(request), catalog, policy, calibration)
    return seen(quote, market, usd_per_unit=usd_per_unit, tax_rate=tax_rate, search=search, clock=clock)


def read_bids(
    paths: Sequence[Path], *, catalog: Catalog | None = None, calibration: Calibration | None = None,
    maps: Sequence[str] = (), accept_fuzzy: bool = False, terms: Sequence[str] = (),
) -> Files:  # fmt: skip
    """Vendors' quotes and results of dsopt (.json), in the order given: `bids()` is what `compare` takes.

    `maps`: mapping files in the order of the vendors' files, or NAME=FILE; `terms`: months over which what is paid by
    time is counted, `36` or `A=36` of one bid (`once`: a purchase). Raises InputError with the faults of all
    files, CheckFailed for a result that is not what it says."""
    from optimizer.procurement.bids.files import opened_files

    return opened_files(paths, maps, catalog or shipped_catalog(), accept_fuzzy, calibration, terms)


def compare(
    bids: Sequence[Offered], request: Request, *, catalog: Catalog | None = None, policy: Policy | None = None,
    calibration: Calibration | None = None, tax_percent: Decimal | None = None, rates: Sequence[ExchangeRate] = (),
    weights: str | None = None, time_limit_s: float | None = 60, fill: str = "none", demand: str = "", drop: str = "",
    tender: Tender | None = None, sources: Sequence[SourceFile] = (),
) -> Comparison:  # fmt: skip
    """Bids for one tender (quotes that the reader read, points of results) on one basis and one scope, in the request's
    currency, each build judged under the request, scored by `weights` (the policy's without). Where the request names
    no grade, builds are judged by the floor (docs/grades.md).

    Racks with their power, and the network, are taken to be on site where no bid offers any and `demand` does not name
    them: it is the same for every bid, and a note says so.
    `tax_percent` is that of the totals: without, the policy's or what all bids state. `rates` are laid over the
    policy's exchange rates; `time_limit_s` (seconds) holds for each search for the cheapest build as fast as a bid's.
    `demand` and `drop` (categories or numbers of items, by commas) and `fill` (none, max, median, catalog) are the
    buyer's scope; `tender` (of `read_tender`) says how bids are scored: docs/compare.md. `sources`: files
    with their hashes, for the provenance.
    Raises InputError for too few bids, none that can be compared, and weights that do not come to 100."""
    from optimizer.procurement.bids.compare import common_tax, compared, terms_of, with_rates
    from optimizer.procurement.bids.on_site import assumed_on_site, with_gear_on_site
    from optimizer.procurement.bids.scope import scope_of
    from optimizer.procurement.bids.scoring import weights_of
    from optimizer.procurement.bids.scoring_rules import scoring_rules

    scope = scope_of(fill, demand, drop)
    given_request = of_a_build_that_is_given(request)
    request = with_gear_on_site(given_request, bids, catalog or shipped_catalog(), scope)
    market = market_of(with_rates(request, rates), catalog, policy, calibration)
    given = market.policy["money.tax_percent"] if tax_percent is None else tax_percent
    of_totals = given if tax_percent is not None or given else common_tax(bids)
    terms = terms_of(request, of_totals, market.policy["compare.outlier_percent"], rates, unsaid=given)
    rules = tender.rules if tender is not None else scoring_rules("plain")
    by = weights_of(rules, weights, market.policy)
    found = compared(bids, market, terms, by, time_limit_s, scope, tender)
    assumed = assumed_on_site(given_request, request)
    return found.model_copy(update={"sources": tuple(sources), "notes": (*assumed, *found.notes)})


def read_tender(
    scoring: str = "plain", *, points: Path | None = None, declared: Path | None = None, low_price: str = "",
    ceiling: Decimal | None = None,
) -> Tender:  # fmt: skip
    """How a tender is scored: `scoring` and `low_price` are names of shipped rules or TOML files of the buyer's (the
    scoring's own rule on low prices without, `none` for none), `points` of experts and `declared` of bidders CSV files,
    `ceiling` on the basis that is scored. Raises InputError for what is none of these."""
    from optimizer.procurement.bids.scoring_rules import low_price_rules, own_low_price, scoring_rules
    from optimizer.procurement.bids.tender_files import Tender, declarations, experts_points

    rules = scoring_rules(scoring)
    low = low_price_rules(low_price) if low_price and low_price != "none" else None
    return Tender(
        rules, experts_points(points, rules) if points else {}, declarations(declared) if declared else {},
        low if low_price else own_low_price(rules), ceiling,
    )  # fmt: skip


def rfq(
    result: Saved, point: str | None = None, *, party: Party, brand: bool = False, catalog: Catalog | None = None,
    calibration: Calibration | None = None,
) -> Inquiry:  # fmt: skip
    """A point of a result (the recommended one without) as a request for quotation (docs/rfq.md).

    `party`: its buyer, number, day and the days for which bids are taken; `brand`: makers and models are named. Raises
    InputError for a point that is not there, CheckFailed for a result that is not what it says."""
    from optimizer.procurement.rfq.inquiry import inquiry

    opened = open_result(result, catalog=catalog, calibration=calibration)
    return inquiry(quote(opened, point, party=party), opened.market.catalog, brand)


def award(
    comparison: Comparison, terms: AwardTerms | None = None, how: How = "one", *, catalog: Catalog | None = None,
    policy: Policy | None = None, calibration: Calibration | None = None, time_limit_s: float | None = 60,
) -> Award:  # fmt: skip
    """Who of compared bids gets what: `one` bidder for all, or the cheapest split by `lots` or `lines` under terms
    (docs/award.md), proven, in the comparison's currency; what each condition costs, where each bid breaks even.

    `catalog`, `policy` and `calibration` are those of the comparison; `time_limit_s` (seconds) holds for the award, for
    its conditions and for the break-even prices. Raises InputError for terms that name no bid or line, NoAward (exit
    code 4) where nothing can be awarded, TimeUp where the award is not proven in time."""
    from optimizer.procurement.award.award import awarded
    from optimizer.procurement.award.terms import AwardTerms

    market = market_of(comparison.request, catalog, policy, calibration)
    return awarded(comparison, market, terms or AwardTerms(), how, time_limit_s)


def read_award_terms(path: Path) -> AwardTerms:
    """The terms of an award in a TOML file; raises InputError with every fault."""
    from optimizer.procurement.award.terms import read_terms

    return read_terms(path)


def purchase_orders(award: Award, comparison: Comparison, number: str = "", buyer: str = "") -> list[PurchaseOrder]:
    """An order for each bidder of an award of these compared bids, in the bid's own currency, net unit prices to six
    places. `number`: of all of them, to which the bid's letter is added; PO and the day without.

    Raises InputError for a number that can't name a file."""
    from optimizer.procurement.award.orders import purchase_orders as ordered

    return ordered(award, comparison, number, buyer)


def changes(
    before: Result | Path | Judged, after: Result | Path | Judged, *, catalog: Catalog | None = None,
    calibration: Calibration | None = None,
) -> ResultsCompared:  # fmt: skip
    """What changed from one result to another and why: request, policy, prices, parts, rules; money in the results'
    currency.

    Results, paths of saved ones, or `results` of `read_bids`; one of another catalog is taken as it says. Raises
    InputError for a file that is no result, CheckFailed for one that its catalog does not bear out."""
    from catalogs.files import read_result
    from optimizer.procurement.bids.changes import changes as changed
    from optimizer.procurement.bids.changes import opened

    def judged(x: Result | Path | Judged, name: str) -> Judged:
        if isinstance(x, Path):
            return opened(read_result(x), str(x), catalog or shipped_catalog(), calibration)
        if isinstance(x, Result):
            return opened(x.model_dump(mode="json"), name, catalog or shipped_catalog(), calibration)
        return x

    return changed(judged(before, "before"), judged(after, "after"))


def quote(
    result: Saved, point: str | None = None, *, party: Party, terms: Terms | None = None,
    catalog: Catalog | None = None, calibration: Calibration | None = None,
) -> Quotation:  # fmt: skip
    """A point of a result (the recommended one without) as a quotation, its money in minor units of its currency.

    `party` is its head, `terms` what is laid over the result's own: currency, tax, spares, support, discount. Raises
    InputError for a point that is not there and terms that the offers do not meet, CheckFailed for a result that is
    not what it says."""
    from optimizer.procurement.quotation.quote import offered
    from optimizer.procurement.quotation.quote_terms import Terms

    opened = open_result(result, catalog=catalog, calibration=calibration)
    return offered(opened.result, opened.market, opened.points, point, terms or Terms(), party)
