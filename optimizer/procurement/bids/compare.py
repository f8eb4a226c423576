"""Bids for one tender side by side: `compared(bids, market)`; see docs/compare.md."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial

from catalogs.errors import Fault, InputError
from catalogs.load import Catalog
from catalogs.message import joined, message
from constraints.build import Build
from constraints.exchange import ExchangeRate, FxRate, minor_digits
from constraints.prices.pricing import fx_rates
from constraints.request import Request
from constraints.rule import Check
from constraints.rules.fit import Fit
from optimizer.market.market import Market
from optimizer.market.rows import GpuRows
from optimizer.procurement.bids import flagging, scoring
from optimizer.procurement.bids.align import Group, aligned, ordered, with_contents
from optimizer.procurement.bids.basis import DISCOUNT, Terms, currencies_of, priced
from optimizer.procurement.bids.bid_labels import first_of
from optimizer.procurement.bids.bundles import split
from optimizer.procurement.bids.cells import HARDWARE, Stand, items
from optimizer.procurement.bids.offered import FromResult, Offered, Unread, head_of, lines_of
from optimizer.procurement.bids.ranking import ranked
from optimizer.procurement.bids.schema import (
    Apart,
    Basis,
    Bid,
    Comparison,
    Flag,
    Item,
    OverTerm,
    PricedLine,
    ScopeTerms,
    Technical,
    Weight,
)  # fmt: skip
from optimizer.procurement.bids.scope import Scope, Seen, makers_of, refuse_unknown, setting
from optimizer.procurement.bids.scoring_rules import scoring_rules
from optimizer.procurement.bids.services import services_of
from optimizer.procurement.bids.technical import Judged, Nearest, can_do_without, cheapest, facts, judged
from optimizer.procurement.bids.tender_files import Tender, of_bids
from optimizer.procurement.reading.document import Quote
from optimizer.procurement.reading.time_money import over_its_own_term, periods_in
from optimizer.procurement.xray.open_lines import NotJudged, Open, OpenLine, open_of, settled
from optimizer.procurement.xray.placing import scope as placed_lines

MOST_BIDS = 12
SECONDS = 60


@dataclass(frozen=True)
class _Entry:
    """A bid under way."""

    id: str
    offered: Offered
    lines: list[PricedLine]
    judged: Judged
    others: tuple[str, ...]
    """Nodes of other kinds, which no rule saw."""
    left: Open
    apart: Apart
    without_rate: str = ""
    """The currency of a bid for which no exchange rate is known."""
    over_term: OverTerm | None = None

    @property
    def compared(self) -> Sequence[PricedLine]:
        """Lines that stand on the items: none of a bid whose amounts are no purchase's."""
        return () if self.apart else self.lines


def terms_of(
    request: Request, tax: Decimal, outlier: Decimal, rates: Sequence[ExchangeRate] = (), unsaid: Decimal | None = None
) -> Terms:
    """The basis of a comparison in the request's currency; `rates` are laid over the policy's exchange rates.
    `unsaid`: the tax in prices that include one without its rate, where it is not that of the totals."""
    known: dict[str, ExchangeRate] = {x.currency: x for x in fx_rates(request)}
    known |= {x.currency: x for x in rates}
    unsaid = tax if unsaid is None else unsaid
    return Terms(request.currency, minor_digits(request.currency), tax, request.as_of, outlier, known, unsaid)


def with_rates(request: Request, rates: Sequence[ExchangeRate]) -> Request:
    """The request under the rates of the currencies that the catalog's offers may have."""
    codes = {x.currency for x in fx_rates(request)}
    new = [FxRate.model_validate(r.model_dump()) for r in rates if r.currency in codes]
    kept = [x for x in request.fx if x.currency not in {n.currency for n in new}]
    return request.model_copy(update={"fx": (*kept, *new)}) if new else request


def common_tax(offered: Sequence[Offered]) -> Decimal:
    """The tax in percent that all quotes state; 0 where they state none or several."""
    rates = {q.tax_rate for q in offered if isinstance(q, Quote) and q.tax_rate is not None}
    return rates.pop() if len(rates) == 1 else Decimal(0)


def compared(
    offered: Sequence[Offered], market: Market, terms: Terms, weights: Sequence[Weight],
    seconds: float | None = SECONDS, scope: Scope | None = None, tender: Tender | None = None,
) -> Comparison:  # fmt: skip
    """Two to twelve bids on one basis and one scope, with what each build does, a score and ranks.

    `market` is the tender's: its request says model, users and site. `seconds` limits each search for the cheapest
    build. `scope` is the buyer's; without, what the rules demand and what all bids offer that may be awarded. `tender`:
    how bids are scored, plain points without. Raises InputError for too few or too many bids, and where none can be
    compared."""
    if not 2 <= len(offered) <= MOST_BIDS:
        remedy = f"Give 2 to {MOST_BIDS} files."
        raise InputError(Fault("bad-bids", f"{len(offered)} bids can't be compared", column="FILES", remedy=remedy))
    rows = GpuRows.of_market(market)
    scope, tender = scope or Scope(), tender or Tender(scoring_rules("plain"))
    of_bids(tender, len(offered))
    entries = [_entry(chr(ord("A") + place), offer, market, terms, rows, scope) for place, offer in enumerate(offered)]
    if refused := _refused(entries, terms):
        raise InputError(refused)
    groups = aligned([entry.compared for entry in entries], market.catalog)
    groups = _with_demands(groups, entries, market.catalog, scope)
    refuse_unknown(scope, len(groups), {(entry.id, line.row) for entry in entries for line in entry.lines})
    found = items(groups, _stands(entries, terms, market.catalog), market.catalog, terms, scope)
    bids = ranked(_bids(entries, groups, found, market, terms, rows, seconds), weights, tender, terms)
    placed = [bid for bid in bids if bid.rank is not None]
    whole = [bid.equal_net for bid in bids if bid.complete and bid.equal_net is not None]
    apart = [bid for bid in bids if bid.apart]
    return Comparison(
        not_comparable=tuple(joined([bid.id, flag.text], ": ") for bid in apart for flag in first_of(bid.flags)),
        request=market.request,
        policy={key: str(value) for key, value in sorted(market.policy.changed.items())},
        basis=_basis(terms, bids),
        scope=_said(scope),
        scoring=tender.rules,
        low_price=tender.low_price,
        ceiling=tender.ceiling,
        weights=tuple(weights),
        bids=tuple(bids),
        items=tuple(found),
        lowest_equal_net=min(whole, default=None),
        recommended=min(placed, key=lambda bid: (bid.rank or 0, bid.id)).id if placed else None,
        catalog_sha256=market.catalog.sha256,
        throughput_model=market.calibration.name,
        notes=tuple(_notes(weights, tender)),
    )


def _said(scope: Scope) -> ScopeTerms:
    lines = [f"{bid}:{row}" for bid, row in sorted(scope.dropped_lines)]
    return ScopeTerms(fill=scope.fill, demanded=tuple(sorted(scope.demanded)), dropped=(*sorted(scope.dropped), *lines))


def _stands(entries: Sequence[_Entry], terms: Terms, catalog: Catalog) -> list[Stand]:
    """What each bid has to say to an item. Bids that are known to fail do not set the scope."""
    sets = setting([_known_out(entry, terms) for entry in entries], [bool(entry.apart) for entry in entries])
    stands = []
    for entry, counts in zip(entries, sets, strict=True):
        services = _services(entry.offered)
        held = frozenset(kind for line in services if line.roles is not None for kind in line.roles)
        parts = {line.part for line in entry.lines if line.part}
        seen = Seen(counts, held, partial(can_do_without, entry.judged), makers_of(parts, catalog))
        roles = frozenset(line.role for line in entry.lines if line.state in ("included", "in_system"))
        stands.append(Stand(entry.judged, entry.left, seen, roles, not entry.apart, services))
    return stands


def _known_out(entry: _Entry, terms: Terms) -> bool:
    until = entry.offered.valid_until if isinstance(entry.offered, Quote) else None
    return (
        bool(entry.apart)
        or entry.judged.build is None
        or entry.judged.surely_fails
        or (until is not None and until < terms.as_of)
    )


def _bids(
    entries: Sequence[_Entry], groups: Sequence[Group], found: Sequence[Item], market: Market, terms: Terms,
    rows: GpuRows, seconds: float | None,
) -> list[Bid]:  # fmt: skip
    """Every bid with its sums, facts and flags, before any is ranked."""
    item_of_line = {
        id(line): number for number, group in enumerate(groups, 1) for lines in group.lines.values() for line in lines
    }
    cheapest_at: dict[int, Nearest] = {}  # bids of the same speed share a search
    bids = []
    for place, entry in enumerate(entries):
        row = entry.judged.row if not entry.apart else None
        if row is not None and row.perf.tenths not in cheapest_at:
            cheapest_at[row.perf.tenths] = cheapest(market, row.perf.tenths, seconds, rows)
        nearest = cheapest_at[row.perf.tenths] if row is not None else None
        bids.append(_bid(entry, place, found, market, terms, item_of_line, nearest))
    differ = list(flagging.of_bases([bid.tax for bid in bids], [bid.id for bid in bids]))
    return [
        bid.model_copy(update={"flags": (*bid.flags, *(flag for flag in differ if flag.bid == bid.id))}) for bid in bids
    ]


def _refused(entries: Sequence[_Entry], terms: Terms) -> list[Fault]:
    """Faults of all files, where none is left to be compared; and the comparison's own currency without a rate."""
    faults: list[Fault] = []
    for e in entries:
        if e.apart == "rate" and terms.currency not in terms.rates:
            return [_no_rate(terms.currency, "")]
        if isinstance(e.offered, Unread):
            faults += e.offered.faults
        elif e.apart == "rate":
            faults.append(_no_rate(e.without_rate, e.offered.source))
        else:
            return []
    return faults


def _no_rate(code: str, source: str) -> Fault:
    remedy = "Give it with --fx (currency,usd_per_unit,date,source, or units_per_usd)."
    return Fault("no-rate", "no exchange rate for its currency", source, value=code, remedy=remedy)


def _entry(name: str, offered: Offered, market: Market, terms: Terms, rows: GpuRows, scope: Scope) -> _Entry:
    """A bid with its lines on the basis and its build judged."""
    catalog = market.catalog
    if isinstance(offered, Unread):
        return _Entry(name, offered, [], Judged(None, message("its file can't be read")), (), Open(), "unread")
    reason, others = "", tuple[str, ...]()
    left, apart, without_rate, over_term = Open(), "", "", None
    build: Build | None = None
    if isinstance(offered, FromResult):
        lines, point = lines_of(offered, catalog, terms), offered.point
        node = point.nodes[0]
        build = Build(node.count, {part.part: part.qty for part in node.parts}, {x.part: x.qty for x in point.shared})
        seller = "dsopt"
        if strange := [x for x in build.total() if x not in catalog.parts]:
            reason = message("the catalog at hand has no part {list}", list=joined(strange[:3]))
            build = None
    else:
        without_rate = next(iter(terms.without_rate(currencies_of(offered, terms))), "")
        lines, seller = [], offered.vendor
        if not without_rate:
            lines = split(priced(offered, catalog, terms), offered, market, terms)
        taken = placed_lines(offered, catalog)
        build, reason, others = taken.placed.build if taken.placed else None, taken.reason, taken.others
        left = open_of(offered, catalog)
        apart = "time" if offered.time_money else "list" if taken.prices_only else "rate" if without_rate else ""
        if apart == "time":
            over_term = _over_term(offered, catalog, terms, known=not without_rate)
        if apart:
            lines = [line.model_copy(update={"state": "not_counted"}) for line in lines]
        lines = [_dropped(line) if (name, line.row) in scope.dropped_lines else line for line in lines]
    unit = {
        line.part: line.net / line.pieces for line in lines if line.part and line.pieces and line.state == "included"
    }
    try:
        if build is not None:
            found = judged(market, build, unit, seller, rows, left)
        else:
            found = Judged(None, reason, not_judged=_no_build(reason, left))
    except InputError as e:
        found = Judged(None, joined((fault.text for fault in e.faults), "; "))
    return _Entry(name, offered, with_contents(lines, catalog), found, others, left, apart, without_rate, over_term)  # type: ignore[arg-type]


def _dropped(line: PricedLine) -> PricedLine:
    """A line that the buyer leaves out; raises InputError for a part of the build, which is judged with it."""
    if line.part:
        remedy = "Only a line that is no part of the build can be left out; leave out the item, or mend the --map."
        text = "is a part of its build"
        raise InputError(Fault("bad-scope", text, row=line.row, column="--drop", value=line.part, remedy=remedy))
    return line.model_copy(update={"state": "dropped"})


def _services(offered: Offered) -> tuple[OpenLine, ...]:
    return services_of(offered) if isinstance(offered, Quote) else ()


def _over_term(quote: Quote, catalog: Catalog, terms: Terms, *, known: bool) -> OverTerm | None:
    """What a lease comes to over its own term; None where the file does not say it. `known`: there is a rate."""
    found, counted = quote.time_money, over_its_own_term(quote)
    if found is None or counted is None or found.each is None or found.over is None:
        return None
    assert found.term_months is not None and found.period is not None  # else nothing was counted
    firm = [x.net for x in priced(counted, catalog, terms) if x.state == "included"] if known else []
    return OverTerm(
        months=found.term_months, periods=periods_in(found.term_months, found.period), each=found.each,
        amount=found.over, rows=found.term_at, net=terms.rounded(sum(firm, Decimal(0))) if known else None,
    )  # fmt: skip


def _no_build(reason: str, left: Open) -> tuple[NotJudged, ...]:
    """What is not judged of a bid without a build, where one of its lines may be the server or its GPUs."""
    return tuple(settled([Check.of(Fit.id, False, reason)], left).open)


def _with_demands(groups: list[Group], entries: Sequence[_Entry], catalog: Catalog, scope: Scope) -> list[Group]:
    """Groups, and one for each role that the rules demand of a bid, or the buyer, and nobody offers."""
    there = {group.role for group in groups}
    new: dict[str, Group] = {}
    for e in entries:
        for lack in e.judged.lacks if not e.apart else ():
            if lack.role not in there:
                new.setdefault(lack.role, Group(lack.role, lack.part, catalog.parts[lack.part].name))
    asked = {role for role in scope.demanded if not role.isdigit()} - there - new.keys()
    return ordered([*groups, *new.values(), *(Group(role, role, "") for role in sorted(asked))])


def _bid(
    entry: _Entry, place: int, found: Sequence[Item], market: Market, terms: Terms, number: dict[int, int],
    near: Nearest | None,
) -> Bid:  # fmt: skip
    """A bid before it is ranked. `number`: of the item that each line stands on; `near`: the cheapest build at least
    as fast."""
    quote = entry.offered if isinstance(entry.offered, Quote) else None
    sums = _bid_sums(entry, place, found, terms)
    flags = _flags(entry, place, found, terms)
    complete = all(item.cells[place].fill != "none" and not item.cells[place].open for item in found)
    settled = complete and not entry.apart
    equal, hardware = (sums.equal, sums.hardware) if settled else (None, None)
    technical: Technical = facts(market, entry.judged, equal, hardware, near)
    passes = technical.runs and not technical.still_failed and complete and not entry.apart
    until = quote.valid_until if quote is not None else None
    still_valid = until is None or until >= terms.as_of
    return Bid(
        **head_of(entry.id, entry.offered, entry.lines),
        lines=tuple(line.model_copy(update={"item": number.get(id(line), 0)}) for line in entry.lines),
        offered_net=None if entry.apart else sums.offered,
        filled_net=None if entry.apart else sums.filled,
        outside_net=None if entry.apart else sums.outside,
        equal_net=equal,
        equal_tax=sums.tax if settled else None,
        equal_gross=sums.equal + sums.tax if settled else None,
        apart=entry.apart,
        matched=_matched(quote),
        over_term=entry.over_term,
        negotiable_net=terms.rounded(_negotiable(found, place)),
        complete=complete,
        technical=technical,
        points=(),
        score=None,
        rank=None,
        flags=tuple(flags),
        responsive=passes and still_valid and not flagging.stops(flags, quote, terms),
    )


def _matched(quote: Quote | None) -> dict[str, int]:
    """Lines of parts by how they were matched."""
    return (
        dict(sorted(Counter(line.matched.how for line in quote.lines if line.role == "part").items())) if quote else {}
    )


@dataclass(frozen=True)
class _BidSums:
    """A bid's sums, net: as offered, what the scope takes out and adds, what is left with the tax on it, and the goods
    of it."""

    offered: Decimal
    outside: Decimal
    filled: Decimal
    equal: Decimal
    tax: Decimal
    hardware: Decimal


def _bid_sums(entry: _Entry, place: int, found: Sequence[Item], terms: Terms) -> _BidSums:
    firm = [line.net for line in entry.lines if line.state in ("included", "in_system")]
    offered = terms.rounded(sum(firm, Decimal(0)))
    cells = [item.cells[place] for item in found]
    filled = terms.rounded(sum((cell.filled for cell in cells if cell.filled is not None), Decimal(0)))
    outside = terms.rounded(sum((cell.net for cell in cells if cell.outside and cell.net is not None), Decimal(0)))
    goods = [item.cells[place] for item in found if item.role in (*HARDWARE, DISCOUNT)]  # rebates are the goods'
    counted = [cell for cell in goods if cell.state in FIRM and not cell.outside]
    hardware = sum((cell.net for cell in counted if cell.net is not None), Decimal(0))
    hardware += sum((cell.filled for cell in goods if cell.filled is not None), Decimal(0))
    equal = offered - outside + filled
    return _BidSums(offered, outside, filled, equal, terms.rounded(equal * terms.tax / 100), hardware)


def _flags(entry: _Entry, place: int, found: Sequence[Item], terms: Terms) -> list[Flag]:
    """What a buyer must ask about the bid, in the order of its importance: what keeps it apart, then its quote, its
    items and its build."""
    offered = entry.offered
    flags: list[Flag] = []
    if isinstance(offered, Unread):
        flags += flagging.of_unread(offered.faults, entry.id)
    if entry.without_rate:
        flags.append(flagging.flag("no-rate", entry.id, currency=entry.without_rate))
    if isinstance(offered, Quote):
        flags += flagging.of_time(offered, entry.id, entry.over_term, terms.currency)
    if entry.apart == "list":
        flags.append(flagging.flag("price-list", entry.id))
    elif isinstance(offered, Quote):
        flags += flagging.of_quote(offered, entry.id, terms)
        flags += flagging.of_validity(offered.valid_until, entry.id, terms.as_of)
    flags += flagging.of_scope(found, place, entry.id, entry.lines, terms.currency) if not entry.apart else []
    flags += flagging.of_items(found, place, entry.id, terms.currency)
    if entry.apart not in ("list", "unread"):
        flags += flagging.of_build(entry.judged, entry.id, entry.others)
    return flags


def _negotiable(found: Sequence[Item], i: int) -> Decimal:
    """What a bid's comparable lines cost more than at the lowest unit price among them."""
    more = Decimal(0)
    for x in found:
        own = x.cells[i]
        least = min(
            (cell.unit_net for cell in x.cells if cell.comparable and cell.unit_net is not None),
            default=None,
        )
        if least is None or own.outside or not own.comparable:
            continue
        if own.unit_net is not None and own.size is not None:
            more += (own.unit_net - least) * own.size
    return more


FIRM = ("included", "equivalent", "in_system")


def _basis(terms: Terms, bids: Sequence[Bid]) -> Basis:
    used = {terms.currency, *(line.currency for bid in bids for line in bid.lines)}
    rates = tuple(terms.rates[c] for c in sorted(used) if c in terms.rates)
    return Basis(
        currency=terms.currency, digits=terms.digits, tax_percent=terms.tax, as_of=terms.as_of,
        outlier_percent=terms.outlier, rates=rates,
    )  # fmt: skip


def _notes(weights: Sequence[Weight], tender: Tender) -> Iterator[str]:
    if tender.rules.certainty == "unsure":
        yield message(
            "The scoring rule {name} is unsure: check its formula against the tender.", name=tender.rules.name
        )
    if tender.rules.name != "plain":
        return
    price = next((weight.weight for weight in weights if weight.key == "price"), Decimal(0))
    if price < scoring.LEAST_OF_PRICE:
        yield message(
            "The price weighs {price} of 100 points; decree 87 asks for at least 30 for goods.",
            price=f"{price.normalize():f}",
        )
