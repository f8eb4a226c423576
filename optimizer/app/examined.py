"""An X-ray and a comparison as summary and tables."""

from __future__ import annotations

from typing import Any

from optimizer.app.jobs import Job
from optimizer.app.texts import TEXTS
from optimizer.procurement.bids.bid_labels import amount as bid_amount
from optimizer.procurement.bids.bid_labels import named
from optimizer.procurement.bids.schema import Bid, Comparison
from optimizer.procurement.labels import SEVERITIES, rule_titles
from optimizer.procurement.xray.schema import XRay
from optimizer.procurement.xray.summary import amount, finding, mark, summary, thing, unjudged
from optimizer.report.tables import Table
from optimizer.text.languages import N_, Words


def examined_view(job: Job, words: Words) -> dict[str, Any]:
    """What `examined.html.jinja` shows of a job's outcome."""
    if job.outcome is None:
        return {"title": ""}
    return _xray(job.outcome, words) if job.kind == "xray" else _comparison(job.outcome, words)


def _xray(found: XRay, words: Words) -> dict[str, Any]:
    tables = [_lines(found, words)]
    if found.findings:
        rows = [[words(SEVERITIES[x.severity]), finding(x, words)] for x in found.findings]
        tables.append(Table(words(N_("Findings")), ["", words(TEXTS["finding"])], rows))
    judged = [[words(rule_titles().get(x.rule, x.rule)), words(x.status), words.sentence(x.text)] for x in found.checks]
    if judged:
        tables.append(Table(words(TEXTS["rules"]), [words(TEXTS["rule"]), "", words(TEXTS["finding"])], judged))
    if found.missing:
        heads = [words("missing"), words("qty"), words("why")]
        rows = [[thing(x.what, words), str(x.qty or ""), words.sentence(x.text)] for x in found.missing]
        tables.append(Table(words(TEXTS["missing"]), heads, rows, (1,)))
    return {
        "title": words(TEXTS["xray_of"], name=found.source), "basis": words.sentence(found.basis.text),
        "summary": [*summary(found, words), *(unjudged(x, words) for x in found.not_judged)], "file": "xray.xlsx",
        "get": words(TEXTS["get_xray"]), "tables": tables,
    }  # fmt: skip


def _lines(found: XRay, words: Words) -> Table:
    heads = [
        words("in row"), words("quoted item"), words("qty"), words("net, {currency}", currency=found.basis.currency),
        words("catalog"), words("apart"), "",
    ]  # fmt: skip
    rows = [
        [
            str(x.row), x.name or str(x.text)[:80], str(x.pieces or ""), amount(x.unit) if x.unit else "",
            amount(x.catalog_unit) if x.catalog_unit else "",
            "" if x.difference_percent is None else words.percent(f"{x.difference_percent:+.1f}"), mark(x, words),
        ]
        for x in found.lines
    ]  # fmt: skip
    return Table(words(TEXTS["lines"]), heads, rows, (0, 2, 3, 4, 5))


def _comparison(found: Comparison, words: Words) -> dict[str, Any]:
    heads = [words(x) for x in ("Rank", "Bid", "Build", "Equal scope", "tok/s", "Rules failed", "Score")]
    last = len(found.bids) + 1
    rows = [_bid(x) for x in sorted(found.bids, key=lambda x: (x.rank or last, x.id))]
    flags = [
        [named(bid), words(SEVERITIES[flag.severity]), flag.said(words)] for bid in found.bids for flag in bid.flags
    ]
    best = next((x for x in found.bids if x.id == found.recommended), None)
    first = (
        words("Best of the responsive bids: {bid}", bid=named(best))
        if best is not None
        else words("No bid can be awarded: see what is marked for each.")
    )
    basis = words(
        "{model}, as of {day}; amounts in {currency}, net of tax", model=found.request.model,
        day=found.basis.as_of.isoformat(), currency=found.basis.currency,
    )  # fmt: skip
    tables = [Table(words(TEXTS["comparison"]), heads, rows, (0, 3, 4, 5, 6))]
    if flags:
        tables.append(Table(words(N_("Findings")), [words("Bid"), "", words(TEXTS["finding"])], flags))
    return {
        "title": words(TEXTS["comparison"]), "basis": basis, "file": "comparison.xlsx",
        "summary": [first, *(words.sentence(x) for x in found.notes)], "get": words(TEXTS["get_comparison"]),
        "tables": tables,
    }  # fmt: skip


def _bid(bid: Bid) -> list[str]:
    facts = bid.technical
    failed = str(len({x.rule for x in facts.failed})) if facts.build else "–"
    return [
        str(bid.rank or "–"), named(bid), facts.build or "–", bid_amount(bid.equal_net),
        f"{facts.throughput.output_tok_s:,.1f}" if facts.throughput else "–",
        failed + (" +?" if facts.not_judged else ""), "–" if bid.score is None else f"{bid.score:f}",
    ]  # fmt: skip
