"""Bids side by side, and what changed between two results, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from optimizer.cli.money_view import grouped
from optimizer.cli.output import say, table
from optimizer.procurement.bids.words import CRITERIA, amount, distance, first_of, named
from optimizer.procurement.labels import SEVERITIES
from optimizer.text.languages import N_, Words

if TYPE_CHECKING:
    from optimizer.procurement.bids.changes_schema import ResultsCompared
    from optimizer.procurement.bids.schema import Bid, Comparison

COLUMNS = [
    N_("Rank"), N_("Bid"), N_("Build"), N_("Equal scope"), N_("of it added"), "tok/s", N_("Total per tok/s"),
    N_("W per tok/s"), N_("Rules failed"), N_("Score"),
]  # fmt: skip
NET_TAX_GROSS = N_("net {net}, tax {tax} ({rate} %), total with tax {total} {currency}")
NET_UNTAXED = N_("net {net}, no tax added, total {total} {currency}")
STATUS = {"kept": N_("on both fronts"), "gone": N_("gone"), "new": N_("new")}


def show(c: Comparison, _: Words) -> None:
    """Ranking, what is added for equal scope, and everything marked."""
    for x in c.bids:
        for f in first_of(x.flags) if x.apart else ():
            say(f"{x.id}: {f.said(_)}")
    b = c.basis
    head = _(
        "{model}, as of {day}; amounts in {currency}, net of tax",
        model=c.request.model, day=b.as_of.isoformat(), currency=b.currency,
    )  # fmt: skip
    say(head)
    say(", ".join(f"{_(CRITERIA[w.key])} {w.weight.normalize():f}" for w in c.weights))
    rows = [_row(x) for x in sorted(c.bids, key=lambda x: (x.rank or len(c.bids) + 1, x.id))]
    table([_(x) for x in COLUMNS], rows, right={0, 3, 4, 5, 6, 7, 8, 9}, keys=2)
    for x in c.bids:
        s = x.technical.throughput
        speed = f"{s.output_tok_s:,.1f} tok/s ({s.low:,.0f}–{s.high:,.0f}), " if s else ""
        say(f"{x.id}: {speed}{distance(_, x)}{_bargain(_, c, x)}")
    for x in c.bids:
        say(f"{x.id}: {_net_tax_gross(_, c, x)}")
    if c.recommended:
        chosen = next(bid for bid in c.bids if bid.id == c.recommended)
        say(_("Best of the responsive bids: {bid}", bid=named(chosen)))
    else:
        say(_("No bid can be awarded: see what is marked for each."))
    for x in c.bids:
        say(f"\n{named(x)} ({x.source})")
        for f in sorted(x.flags, key=lambda f: ("error", "warning", "note").index(f.severity)):
            say(f"  {_(SEVERITIES[f.severity])} [{f.code}] {f.said(_)}")
    for text in c.notes:
        say(_.sentence(text))


def _net_tax_gross(_: Words, c: Comparison, x: Bid) -> str:
    """The bid's sum on equal scope as three figures; "with tax" is said only where a rate was added."""
    rate = c.basis.tax_percent
    text = NET_TAX_GROSS if rate else NET_UNTAXED
    return _(
        text, net=amount(x.equal_net), tax=amount(x.equal_tax), rate=f"{rate.normalize():f}",
        total=amount(x.equal_gross), currency=c.basis.currency,
    )  # fmt: skip


def _bargain(_: Words, c: Comparison, x: Bid) -> str:
    if not x.negotiable_net:
        return ""
    text = N_("{amount} {currency} less at the others' lowest prices for the same")
    return "; " + _(text, amount=amount(x.negotiable_net), currency=c.basis.currency)


def _row(x: Bid) -> list[str]:
    t = x.technical
    s = t.throughput
    speed = f"{s.output_tok_s:,.1f}" if s else "–"
    failed = str(len({f.rule for f in t.failed})) if t.build else "–"
    equal = amount(x.equal_net) + ("" if x.complete or x.equal_net is None else " +?")
    if t.not_judged:
        failed += " +?"
    return [
        str(x.rank or "–"), named(x), t.build or "–", equal, amount(x.filled_net), speed, amount(t.money_per_tok_s),
        amount(t.w_per_tok_s), failed, "–" if x.score is None else f"{x.score:f}",
    ]  # fmt: skip


def show_changes(c: ResultsCompared, _: Words) -> None:
    """Heads, reasons, parts, fronts."""
    for label, x in ((_("before"), c.before), (_("now"), c.after)):
        speed = "" if x.tok_s is None else f", {x.tok_s:,.1f} tok/s"
        what = f"{x.build}, {_money(x.total)} {x.currency}{speed}" if x.build else _("no build")
        say(f"{label}: {x.source} ({x.as_of}): {what}")
    say(_("Why"))
    for r in c.reasons:
        say(f"  [{r.code}] {r.said(_)}")
    changed = [p for p in c.parts if p.from_qty != p.to_qty or p.from_unit != p.to_unit]
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
        for point in c.front
        if point.status != "kept" or (point.from_total, point.from_tok_s) != (point.to_total, point.to_tok_s)
    ]
    if moved:
        heads = [_("Point"), _("Build"), "", _("Price before"), _("Price now"), "tok/s", "tok/s"]
        rows = [
            [f"{p.from_id or '–'} > {p.to_id or '–'}", p.build, _(STATUS[p.status]), _money(p.from_total),
             _money(p.to_total), _speed(p.from_tok_s), _speed(p.to_tok_s)]
            for p in moved
        ]  # fmt: skip
        table(heads, rows, right={3, 4, 5, 6})
    for text in c.unchecked:
        say(_("not checked: {what}", what=text))


def _money(text: str | None) -> str:
    return grouped(text) if text else "–"


def _speed(x: float | None) -> str:
    return "–" if x is None else f"{x:,.1f}"
