"""`xray(quote, market)`: a vendor's quote against the catalog's prices, every rule, and what the money would buy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any, Literal

from catalogs.errors import InputError
from catalogs.message import joined, message
from constraints.build import Case
from constraints.plan import Row
from constraints.rule import Check
from constraints.rules.fit import Fit
from constraints.rules.host_memory import HostMemory
from constraints.rules.power import Power
from optimizer.explanation.mend.mended import Mended, mended
from optimizer.market.market import Market
from optimizer.market.rows import GpuRows
from optimizer.procurement.reading.by_time import said_of
from optimizer.procurement.reading.document import Quote
from optimizer.procurement.xray.basis import Conversion
from optimizer.procurement.xray.instead import instead
from optimizer.procurement.xray.missing import memory_facts, missing, roles_of_missing, supply_facts
from optimizer.procurement.xray.open_lines import Judgement, NotJudged, open_of, settled, where
from optimizer.procurement.xray.placing import Scope, scope
from optimizer.procurement.xray.prices import prices, quoted_market
from optimizer.procurement.xray.schema import ARITHMETIC, BuildFacts, Finding, Missing, Unjudged, XRay
from optimizer.procurement.xray.summary import summary
from optimizer.result.plan_facts import throughput
from optimizer.result.point_schema import CheckFacts, PartQty, Throughput
from optimizer.search.clock import Clock, TimeUp
from optimizer.search.judging import best_row, check

MOST_BUDGET = 10**14
"""Minor units: the most that a request takes as its budget."""


def xray(
    quote: Quote, market: Market, *, usd_per_unit: Decimal | Fraction | None = None, tax_rate: Decimal | None = None,
    search: bool = True, clock: Clock | None = None,
) -> XRay:  # fmt: skip
    """A quote seen through under the market's request (model, users, site, currency of the report).

    `usd_per_unit`: the buyer's exchange rate of the quote's currency; `tax_rate`: percent in gross prices where the
    quote says none. Without `search` neither the front nor a mended build is looked for. Tax and support of the
    market's policy are left out: all sums are net. Raises InputError for a request that makes no sense."""
    clock = clock or Clock()
    net = market.policy.with_settings(["money.tax_percent=0", "money.support_percent=0"])
    request = market.request.model_copy(update={"support": (), "spares": (), "own": ()})
    market = Market.open(market.catalog, request, net, market.calibration)
    to = Conversion.of(quote, request, usd_per_unit, tax_rate)
    above, below = net["xray.above_percent"], net["xray.below_percent"]
    found = scope(quote, market.catalog)
    priced = prices(quote, market, found, to, above, below)
    seen = _Seen(market, quote, found, priced.paid)
    beside, nearest, kept = None, None, ""
    rows = GpuRows.of_market(market)
    if search and found.placed is not None and not seen.judgement.open and priced.hardware_cents is not None:
        # While lines are open, or prices are paid by time, no build is near it: it may hold what it seems to lack.
        nearest, kept = seen.mend(clock, rows)
    if search and found.placed is not None:
        hardware = priced.hardware_cents
        if hardware is not None and 0 < hardware <= MOST_BUDGET:
            beside = instead(market, hardware, *seen.speed(nearest), clock, rows)
    findings = [*_findings(quote)]
    apart = [x.text for x in said_of(quote)] if quote.time_money else []
    unjudged = [*map(_unjudged, seen.judgement.open), *seen.maybe]
    failed = any(x.status == "fail" for x in seen.checks) or any(finding.code in ARITHMETIC for finding in findings)
    data: dict[str, Any] = {
        "source": quote.source, "sheet": quote.sheet, "vendor": quote.vendor, "quote_no": quote.quote_no,
        "quote_date": quote.quote_date, "valid_until": quote.valid_until, "request": request,
        "policy": {k: f"{v:f}" for k, v in market.policy.changed.items()}, "catalog_sha256": market.catalog.sha256,
        "basis": to.facts(), "above_percent": f"{above:f}", "below_percent": f"{below:f}",
        "mended_among": kept, "lines": priced.lines,
        "findings": findings, "notices": [notice.text for notice in quote.notices],
        "scope": joined([found.text, *seen.notes], " "),
        "build": seen.facts(), "checks": [CheckFacts(**vars(x)) for x in seen.checks], "missing": seen.missing,
        "not_judged": unjudged, "not_comparable": apart,
        "memory": None if seen.is_open(HostMemory.id) else seen.case and memory_facts(seen.case, seen.checks),
        "supplies": None if seen.is_open(Power.id) else seen.case and supply_facts(seen.case, seen.checks),
        "throughput": Throughput.model_validate(throughput(market, seen.row)) if seen.row else None,
        "precision": seen.row.plan.precision if seen.row else "", "totals": priced.totals, "instead": beside,
        "mended": nearest, "ok": not (failed or apart or unjudged),
    }  # fmt: skip
    first = XRay(**data, summary=[])
    return first.model_copy(update={"summary": summary(first)})


class _Seen:
    """The build of a quote before the rules. `case` is None where there is none, or none that rules could judge."""

    def __init__(self, market: Market, quote: Quote, found: Scope, paid: dict[str, int]) -> None:
        self.found, self.notes = found, list[str]()
        self.case: Case | None = None
        self.row: Row | None = None
        self.checks: list[Check] = []
        self.missing: list[Missing] = []
        self.maybe: list[Unjudged] = []
        self.judgement = Judgement()
        self.left = open_of(quote, market.catalog)
        self.market = market
        if found.placed is None:
            if not found.prices_only:
                self._settle([Check.of(Fit.id, False, found.text)])
            return
        build = found.placed.build
        self.market, bare = quoted_market(market, build, paid, quote.vendor or quote.source)
        if bare:
            text = "Neither the quote nor the catalog prices {parts}: counted as next to nothing."
            self.notes.append(message(text, parts=joined(bare)))
        try:
            self.case, checks = check(self.market, build)
            self._settle(checks)
        except InputError as e:
            match = "{fault}. Match its lines in a mapping file."
            self._settle([Check.of(Fit.id, False, message(match, fault=fault.text)) for fault in e.faults])
            return
        self.row = best_row(self.market, self.case, self.case.gpu, self.case.per_node)
        for missing_part in missing(self._joined(self.case), checks, quote, market):
            lines = () if missing_part.reminder else self.left.may_be(roles_of_missing(missing_part))
            if lines:
                rows = [line.row for line in lines if line.row is not None]
                self.maybe.append(
                    Unjudged(
                        rule=missing_part.rule,
                        what=missing_part.what,
                        text=missing_part.text,
                        where=where(lines),
                        rows=rows,
                    )
                )
            else:
                self.missing.append(missing_part)

    def _settle(self, checks: list[Check]) -> None:
        """Checks that stand, whatever the lines are that nothing was matched with."""
        self.judgement = settled(checks, self.left)
        self.checks = self.judgement.checks

    def is_open(self, rule: str) -> bool:
        """Whether a rule is not judged."""
        return any(x.rule == rule for x in self.judgement.open)

    def _joined(self, case: Case) -> Case:
        """The case with the plan that it could run if its nodes were joined: what a network has to carry."""
        if self.row is not None or case.build.nodes == 1:
            return case
        market = self.market.asking(have=case.request.have | {"network"})
        row = best_row(market, market.case(case.build, case.plan), case.gpu, case.per_node)
        return replace(case, plan=row.plan, row=row.key) if row else case

    def mend(self, clock: Clock, rows: GpuRows) -> tuple[Mended | None, str]:
        """(the nearest build that passes, what was kept for it); None where nothing fails, none passes or the clock
        came first.

        Fewest changes alone would swap the GPUs for others, or all for a complete system at any price. So builds with
        the quoted GPUs come first, then others that cost little more than the quoted one, then all."""
        case = self.case
        if case is None or not any(x.status == "fail" for x in self.checks):
            return None, ""
        cost = self.market.book.cost(case.build.total())
        percent = self.market.policy["xray.mend_percent"]
        limit = min(int(cost * (100 + percent) / 100), MOST_BUDGET)
        gpus = {"gpus": frozenset({case.gpu.id}), "budget_cents": limit}
        count = case.per_node * case.build.nodes
        within = message("among builds that cost at most {percent} % more than the quoted one", percent=f"{percent:f}")
        steps: list[tuple[dict[str, Any], str]] = [
            (
                {**gpus, "gpu_count": count},
                message("with the {count} GPUs quoted, {within}", count=count, within=within),
            ),
            (
                gpus,
                message(
                    "with {gpu}, {within}; none with {count} of them passes",
                    gpu=case.gpu.name,
                    within=within,
                    count=count,
                ),
            ),
            ({"budget_cents": limit}, message("{within}; none with {gpu} passes", within=within, gpu=case.gpu.name)),
            ({}, message("at any price: none passes {within}", within=within)),
        ]
        try:
            for fields, kept in steps:
                if found := mended(self.market.asking(**fields), case.build, clock, judged=rows):
                    return found, kept
        except TimeUp:
            pass
        return None, ""

    def speed(self, nearest: Mended | None) -> tuple[int | None, Literal["quoted", "mended", ""]]:
        """Throughput in 0.1 tok/s of the quoted build; where it does not run, of the mended one."""
        if self.row is not None:
            return self.row.perf.tenths, "quoted"
        return (round(10 * nearest.throughput.output_tok_s), "mended") if nearest else (None, "")

    def facts(self) -> BuildFacts | None:
        placed, case = self.found.placed, self.case
        if placed is None or case is None:
            return None
        return BuildFacts(
            nodes=case.build.nodes,
            gpu=case.gpu.name,
            per_node=case.per_node,
            node_w=case.load_w,
            node=_pieces(case.build.node),
            shared=_pieces(case.build.shared),
            left_over=_pieces(placed.left_over),
        )


def _unjudged(not_judged: NotJudged) -> Unjudged:
    rows = [line.row for line in not_judged.lines if line.row is not None]
    return Unjudged(rule=not_judged.rule, text=not_judged.text, where=where(not_judged.lines), rows=rows)


def _pieces(parts: Any) -> list[PartQty]:
    return [PartQty(part=p, qty=q) for p, q in parts.items() if q]


def _findings(quote: Quote) -> Iterable[Finding]:
    """Issues of lines and of the file; errors first, then by row."""
    rank = {"error": 0, "warning": 1, "note": 2}
    for i in sorted(quote.all_issues, key=lambda i: (rank[i.severity], i.row or 0)):
        apart = None if i.stated is None or i.computed is None else f"{i.stated - i.computed:f}"
        yield Finding(
            code=i.code, severity=i.severity, row=i.row, text=i.text, difference=apart,
            stated=None if i.stated is None else f"{i.stated:f}",
            computed=None if i.computed is None else f"{i.computed:f}",
        )  # fmt: skip
