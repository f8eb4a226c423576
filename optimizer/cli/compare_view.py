"""Bids side by side, and what changed between two results, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from optimizer.cli.money_view import grouped
from optimizer.cli.output import say, table
from optimizer.procurement.bids.bid_labels import (
    CERTAIN,
    METHODS,
    amount,
    criterion,
    distance,
    first_of,
    named,
    open_items,
)
from optimizer.procurement.labels import SEVERITIES
from optimizer.text.languages import N_, Words

if TYPE_CHECKING:
    from optimizer.procurement.bids.changes_schema import ResultsCompared
    from optimizer.procurement.bids.schema import Bid, Comparison

COLUMNS = [
    N_("Rank"),
    N_("Bid"),
    N_("Build"),
    N_("Equal scope"),
    N_("of it added"),
    N_("taken out"),
    "tok/s",
    N_("Total per tok/s"),
    N_("W per tok/s"),
    N_("Rules failed"),
    N_("Score"),
]
NET_TAX_GROSS = N_("net {net}, tax {tax} ({rate} %), total with tax {total} {currency}")
AS_OFFERED = N_("{net} {currency} net as offered; not comparable until the scope is settled")
NET_UNTAXED = N_("net {net}, no tax added, total {total} {currency}")
STATUS = {"kept": N_("on both fronts"), "gone": N_("gone"), "new": N_("new")}


def show(comparison: Comparison, _: Words) -> None:
    """Ranking, what is added for equal scope, and everything marked."""
    for x in comparison.bids:
        for f in first_of(x.flags) if x.apart else open_items(x):
            say(f"{x.id}{_.colon}{f.said(_)}")
    basis = comparison.basis
    head = _(
        "{model}, as of {day}; amounts in {currency}, net of tax",
        model=comparison.request.model,
        day=basis.as_of.isoformat(),
        currency=basis.currency,
    )
    say(head)
    rules = comparison.scoring
    named_rule = f"{rules.title}{_.colon}" if rules.name != "plain" else ""
    points = _.comma.join(f"{criterion(_, w)} {w.weight.normalize():f}" for w in comparison.weights)
    say(f"{named_rule}{_(METHODS[rules.method]) + _.semicolon if named_rule else ''}{points}")
    if named_rule:
        say(_("Source: {source} ({certainty})", source=rules.source, certainty=_(CERTAIN[rules.certainty])))
    rows = [_row(bid) for bid in sorted(comparison.bids, key=lambda x: (x.rank or len(comparison.bids) + 1, x.id))]
    table([_(x) for x in COLUMNS], rows, right={0, 3, 4, 5, 6, 7, 8, 9, 10}, keys=2)
    for x in comparison.bids:
        throughput = x.technical.throughput
        interval = f"{throughput.low:,.0f}–{throughput.high:,.0f}" if throughput else ""
        speed = f"{throughput.output_tok_s:,.1f} {_('tok/s')}{_.bracketed(interval)}{_.comma}" if throughput else ""
        say(f"{x.id}{_.colon}{speed}{distance(_, x)}{_bargain(_, comparison, x)}")
    for x in comparison.bids:
        say(f"{x.id}{_.colon}{_net_tax_gross(_, comparison, x)}")
    if comparison.recommended:
        chosen = next(bid for bid in comparison.bids if bid.id == comparison.recommended)
        say(_("Best of the responsive bids: {bid}", bid=named(chosen)))
    else:
        say(_("No bid can be awarded: see what is marked for each."))
    for x in comparison.bids:
        say(f"\n{named(x)}{_.bracketed(x.source)}")
        for f in sorted(x.flags, key=lambda f: ("error", "warning", "note").index(f.severity)):
            say(f"  {_(SEVERITIES[f.severity])} [{f.code}] {f.said(_)}")
    for text in comparison.notes:
        say(_.sentence(text))


def _net_tax_gross(_: Words, comparison: Comparison, bid: Bid) -> str:
    """The bid's sum on equal scope as three figures; "with tax" is said only where a rate was added."""
    rate = comparison.basis.tax_percent
    if bid.equal_net is None and bid.offered_net is not None:
        return _(AS_OFFERED, net=amount(bid.offered_net), currency=comparison.basis.currency)
    text = NET_TAX_GROSS if rate else NET_UNTAXED
    return _(
        text,
        net=amount(bid.equal_net),
        tax=amount(bid.equal_tax),
        rate=f"{rate.normalize():f}",
        total=amount(bid.equal_gross),
        currency=comparison.basis.currency,
    )


def _bargain(_: Words, comparison: Comparison, bid: Bid) -> str:
    if not bid.negotiable_net:
        return ""
    text = N_("{amount} {currency} less at the others' lowest prices for the same")
    return _.semicolon + _(text, amount=amount(bid.negotiable_net), currency=comparison.basis.currency)


def _row(bid: Bid) -> list[str]:
    technical = bid.technical
    throughput = technical.throughput
    speed = f"{throughput.output_tok_s:,.1f}" if throughput else "–"
    failed = str(len({f.rule for f in technical.failed})) if technical.build else "–"
    equal = amount(bid.equal_net)
    if technical.not_judged:
        failed += " +?"
    return [
        str(bid.rank or "–"),
        named(bid),
        technical.build or "–",
        equal,
        amount(bid.filled_net),
        amount(bid.outside_net),
        speed,
        amount(technical.money_per_tok_s),
        amount(technical.w_per_tok_s),
        failed,
        "–" if bid.score is None else f"{bid.score:f}",
    ]


def show_changes(results_compared: ResultsCompared, _: Words) -> None:
    """Heads, reasons, parts, fronts."""
    for label, x in ((_("before"), results_compared.before), (_("now"), results_compared.after)):
        facts = [
            x.build or "",
            f"{_money(x.total)} {x.currency}",
            *([] if x.tok_s is None else [f"{x.tok_s:,.1f} {_('tok/s')}"]),
        ]
        what = _.comma.join(facts) if x.build else _("no build")
        say(f"{label}{_.colon}{x.source}{_.bracketed(x.as_of)}{_.colon}{what}")
    say(_("Why"))
    for r in results_compared.reasons:
        say(f"  [{r.code}] {r.said(_)}")
    changed = [
        part for part in results_compared.parts if part.from_qty != part.to_qty or part.from_unit != part.to_unit
    ]
    if changed:
        heads = [_("Part"), _("before"), _("now"), _("Price before"), _("Price now"), _("by price"), _("by quantity")]
        rows = [
            [
                p.name,
                str(p.from_qty),
                str(p.to_qty),
                _money(p.from_unit),
                _money(p.to_unit),
                grouped(p.by_price),
                grouped(p.by_quantity),
            ]
            for p in changed
        ]
        table(heads, rows, right={1, 2, 3, 4, 5, 6})
    moved = [
        point
        for point in results_compared.front
        if point.status != "kept" or (point.from_total, point.from_tok_s) != (point.to_total, point.to_tok_s)
    ]
    if moved:
        heads = [_("Point"), _("Build"), "", _("Price before"), _("Price now"), _("tok/s"), _("tok/s")]
        rows = [
            [
                f"{p.from_id or '–'} > {p.to_id or '–'}",
                p.build,
                _(STATUS[p.status]),
                _money(p.from_total),
                _money(p.to_total),
                _speed(p.from_tok_s),
                _speed(p.to_tok_s),
            ]
            for p in moved
        ]
        table(heads, rows, right={3, 4, 5, 6})
    for text in results_compared.unchecked:
        say(_("not checked: {what}", what=text))


def _money(text: str | None) -> str:
    return grouped(text) if text else "–"


def _speed(x: float | None) -> str:
    return "–" if x is None else f"{x:,.1f}"
