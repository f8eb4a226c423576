"""What a bid's own build does: rules, throughput, power, what it lacks, and how far it is from the proven front."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal

from catalogs.load import Catalog
from catalogs.offers import Offer
from catalogs.schema import Kind
from constraints.build import Build, Case, total_w, units
from constraints.exchange import minor_digits
from constraints.plan import Row
from constraints.prices.states import fixed
from constraints.prices.tariff import NEVER
from constraints.rule import Check
from optimizer.explanation.mend.mended import mended
from optimizer.market.market import Market
from optimizer.market.rows import GpuRows
from optimizer.procurement.bids.basis import ROLES
from optimizer.procurement.bids.schema import NotJudged as NotJudgedFacts
from optimizer.procurement.bids.schema import Technical
from optimizer.procurement.xray.open_lines import NotJudged, Open, settled, where
from optimizer.result.plan_facts import throughput
from optimizer.result.point_schema import CheckFacts, Throughput
from optimizer.search.clock import Clock, TimeUp
from optimizer.search.judging import best_row, check
from optimizer.search.solver import Solver

CENT = Decimal("0.01")
MEND_SECONDS = 15
"""For what a build lacks; where it is not found in that time, what other bids offer says it alone."""
WHOLE = {Kind.PLATFORM, Kind.SYSTEM, Kind.GPU, Kind.GPU_BOARD}
"""Another one of these is another build, no missing line."""


@dataclass(frozen=True)
class Lack:
    """Pieces of a part that the rules demand of a build that holds none of its role; `cents` at the catalog's price."""

    role: str
    part: str
    pieces: int
    cents: int


@dataclass(frozen=True)
class Judged:
    """A bid's build under the tender's request; `filled` with what it lacks, by which its throughput is."""

    build: Build | None
    reason: str = ""
    case: Case | None = None
    row: Row | None = None
    failed: tuple[Check, ...] = ()
    warned: tuple[Check, ...] = ()
    still_failed: tuple[Check, ...] = ()
    rules: int = 0
    lacks: tuple[Lack, ...] = ()
    not_judged: tuple[NotJudged, ...] = ()
    market: Market | None = None
    """In which every part of the build has a price."""

    @property
    def surely_fails(self) -> bool:
        """Whether its build is known to run nothing or to fail a rule, with what the rules demand added."""
        return bool(self.still_failed) or (self.row is None and not self.not_judged)


def can_do_without(judged: Judged, parts: Collection[str]) -> bool:
    """Whether a build of one node passes the same rules without some of its parts: then its own design needs none."""
    build, market = judged.build, judged.market
    if build is None or market is None or build.nodes > 1 or not parts:
        return False
    if any(market.catalog.parts[part].kind is Kind.BRIDGE for part in parts):
        return False  # throughput rests on them
    node = {part: qty for part, qty in build.node.items() if part not in parts}
    shared = {part: qty for part, qty in build.shared.items() if part not in parts}
    _, every = check(market, Build(1, node, shared))
    failed = {found.rule for found in every if found.status == "fail"}
    return failed <= {found.rule for found in judged.failed} | {found.rule for found in judged.not_judged}


def judged(
    market: Market, build: Build, prices: Mapping[str, Decimal], seller: str, rows: GpuRows, left: Open
) -> Judged:
    """Every rule on a build whose parts cost what the bid says where the catalog has no price for them. `rows` are the
    tender's: what hardware does for it is reckoned once for all bids. `left`: lines of the bid that are no part yet."""
    own = _with_offers(market, build, prices, seller)
    case, every = check(own, build)
    judgement = settled(every, left)
    checks = judgement.checks
    failed = tuple(x for x in checks if x.status == "fail")
    lacks = [x for x in _lacks(own, build, rows) if not left.may_be({x[0].role})] if failed else ()
    whole, still = build, failed
    if lacks:
        node, shared = dict(build.node), dict(build.shared)
        for x, where, qty in lacks:
            (node if where == "node" else shared)[x.part] = qty
        whole = Build(build.nodes, node, shared)
        case, after = check(own, whole)
        still = tuple(x for x in settled(after, left).checks if x.status == "fail")
    row = best_row(own, case, case.gpu, case.per_node)
    return Judged(
        build,
        "",
        case,
        row if row and row.perf.tenths else None,
        failed,
        tuple(x for x in checks if x.status == "warn"),
        still,
        len({x.rule for x in checks}),
        tuple(x for x, *_ in lacks),
        tuple(judgement.open),
        own,
    )


def _role(catalog: Catalog, part: str) -> str:
    kind = catalog.parts[part].kind
    return ROLES.get(kind, kind).value


def _with_offers(market: Market, build: Build, prices: Mapping[str, Decimal], seller: str) -> Market:
    """The market where every part of the build has a price: of the bid, where the catalog has none."""
    request, catalog = market.request, market.catalog
    new = {
        p: (
            fixed(
                Offer(
                    id=f"{p}--bid",
                    part=p,
                    price=max(prices.get(p, Decimal(0)).quantize(CENT), CENT),
                    currency=request.currency,
                    date=request.as_of,
                    condition="new",
                    confidence="list",
                    seller=seller[:60] or "bid",
                    source="bid",
                )
            ),
        )
        for p in build.total()
        if p not in market.book.prices
    }
    if not new:
        return market
    offers = {**catalog.offers, **{p: (*catalog.offers.get(p, ()), *x) for p, x in new.items()}}
    changed = replace(catalog, offers=offers)
    return Market.open(changed, request, market.policy, market.calibration)


def _lacks(market: Market, build: Build, rows: GpuRows) -> list[tuple[Lack, str, int]]:
    """(what the nearest build that passes adds in roles of which this one has nothing, where, pieces there).

    Nothing where that build has another platform, GPU or number of nodes, or is not found in time."""
    try:
        near = mended(market, build, Clock(MEND_SECONDS), judged=rows)
    except TimeUp:
        return []
    parts = market.catalog.parts
    if near is None or near.nodes != build.nodes or any(parts[change.part].kind in WHOLE for change in near.changes):
        return []
    held = {_role(market.catalog, p) for p in build.total()}
    out: list[tuple[Lack, str, int]] = []
    for change in near.changes:
        role = _role(market.catalog, change.part)
        if change.to_qty > change.from_qty and role not in held and change.part in market.book.prices:
            where = "shared" if any(x.part == change.part for x in near.shared) else "node"
            each = change.to_qty if where == "shared" else change.to_qty // build.nodes
            out.append((Lack(role, change.part, change.to_qty, market.cents(change.part) * change.to_qty), where, each))
    return out


@dataclass(frozen=True)
class Nearest:
    """The cheapest build of the catalog at least as fast, in cents of parts; `proven` False where time was up."""

    cents: int | None
    words: str = ""
    proven: bool = True


def cheapest(market: Market, tenths: int, seconds: float | None, rows: GpuRows) -> Nearest:
    """The cheapest build that reaches a throughput (0.1 tok/s) and passes every rule, whatever the budget; proven."""
    other = market.asking(throughput_tenths=tenths, budget_cents=None, cost_axis="money")
    try:
        found = Solver(other, clock=Clock(seconds), judged=rows).cheapest()
    except TimeUp:
        return Nearest(None, proven=False)
    if found is None:
        return Nearest(None)
    return Nearest(found.parts_cents, _words(market.catalog, found.row.key.gpu, found.row.key.per_node, found.build))


def _words(catalog: Catalog, gpu: str, per_node: int, build: Build) -> str:
    return f"{build.nodes} x {per_node} {catalog.parts[gpu].name}"


def catalog_cents(market: Market, build: Build) -> int | None:
    """What the same parts cost by the catalog's offers; None where one has none."""
    pieces = build.total()
    if any(p not in market.book.prices for p in pieces):
        return None
    cents = market.book.cost(pieces)
    return None if cents >= NEVER else cents


def facts(
    market: Market, j: Judged, equal_net: Decimal | None, hardware: Decimal | None, near: Nearest | None
) -> Technical:
    """A judged build as data, with what it costs on equal scope, where it is comparable."""
    unjudged = tuple(
        NotJudgedFacts(
            rule=x.rule, text=x.text, where=where(x.lines), rows=tuple(line.row for line in x.lines if line.row)
        )
        for x in j.not_judged
    )
    if j.build is None or j.case is None:
        return Technical(runs=False, reason=j.reason, not_judged=unjudged)
    digits = minor_digits(market.request.currency)
    cent = Decimal(1).scaleb(-digits)

    def amount(cents: int | None) -> Decimal | None:
        return None if cents is None else Decimal(cents).scaleb(-digits).quantize(cent)

    watts, same = total_w(j.case), amount(catalog_cents(market, j.build))
    data = Technical(
        runs=j.row is not None,
        build=_words(market.catalog, j.case.gpu.id, j.case.per_node, j.build),
        power_w=None if j.case.power_unknown else watts,
        rack_units=units(j.case),
        failed=_facts(j.failed),
        warned=_facts(j.warned),
        still_failed=_facts(j.still_failed),
        rules=j.rules,
        hardware_net=hardware,
        same_parts_in_catalog=same,
        not_judged=unjudged,
    )
    if j.row is None:
        return data
    speed = Throughput.model_validate(throughput(market, j.row))
    tok_s = Decimal(j.row.perf.tenths) / 10
    found = amount(near.cents) if near else None
    above = (
        None
        if not found or hardware is None
        else ((hardware / found - 1) * 100).quantize(Decimal("0.1"), ROUND_HALF_UP)
    )
    return data.model_copy(
        update={
            "throughput": speed,
            "money_per_tok_s": _per(equal_net, tok_s),
            "money_per_tok_s_low": _per(equal_net, Decimal(str(speed.high))),
            "money_per_tok_s_high": _per(equal_net, Decimal(str(speed.low))),
            "w_per_tok_s": None if j.case.power_unknown else _per(Decimal(watts), tok_s),
            "cheapest": found,
            "cheapest_build": near.words if near else "",
            "cheapest_proven": near is None or near.proven,
            "above_percent": above,
        }
    )


def _facts(found: tuple[Check, ...]) -> tuple[CheckFacts, ...]:
    return tuple(
        CheckFacts(
            rule=x.rule,
            status=x.status,
            unit=x.unit,
            text=x.text,
            relation=x.relation,
            measured=None if x.measured is None else float(x.measured),
            limit=None if x.limit is None else float(x.limit),
        )
        for x in found
    )


def _per(a: Decimal | None, b: Decimal) -> Decimal | None:
    return (a / b).quantize(CENT, ROUND_HALF_UP) if b and a is not None else None
