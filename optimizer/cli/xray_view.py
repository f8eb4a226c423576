"""An X-ray on a terminal."""

from __future__ import annotations

from optimizer.cli.front_view import checks, coded
from optimizer.cli.money_view import grouped
from optimizer.cli.output import say, table
from optimizer.cli.why_not_view import show_mended
from optimizer.procurement.labels import WORDS
from optimizer.procurement.xray.schema import Beside, XLine, XRay
from optimizer.procurement.xray.summary import amount, finding, how, mark, summary, thing, unjudged
from optimizer.text.languages import N_, Words
from optimizer.text.languages import chosen as language

NOTED = {"warning": N_("warning: {what}"), "note": N_("note: {what}")}


def show(x: XRay) -> None:
    """Summary first, then lines, findings, build with rules, what is missing, what else the money buys, the mend."""
    _ = language()
    head = ", ".join(str(t) for t in (x.vendor, x.quote_no, x.quote_date) if t)
    until = _(", valid until {day}", day=x.valid_until) if x.valid_until else ""
    whose = (
        _("X-ray of {source}: {head}", source=x.source, head=head) if head else _("X-ray of {source}", source=x.source)
    )
    say(whose + until)
    for s in summary(x, _):
        say(f"- {s}")
    say(f"\n{_.text(x.basis.text)}")
    _lines(x, _)
    for f in x.findings:
        if f.severity != "error":
            say(_(NOTED[f.severity], what=finding(f, _)))
    for n in x.notices:
        say(_(NOTED["note"], what=_.text(n)))
    say(f"\n{_.text(x.scope)}")
    if x.checks:
        checks(check.model_dump() for check in x.checks)
    for u in x.not_judged:
        say(unjudged(u, _))
    if x.missing:
        table(
            [_("missing"), _("qty"), _("why"), _("about, {currency}", currency=x.basis.currency)],
            [
                [
                    thing(m.what, _) + (_(" (reminder)") if m.reminder else ""), str(m.qty or ""), _.text(m.text),
                    amount(m.cost) if m.cost else "",
                ]
                for m in x.missing
            ],
            {1, 3},
        )  # fmt: skip
    if x.memory is not None:
        say(_("Memory: {what}.", what=_.text(x.memory.text)))
    if x.supplies is not None:
        say(_("Supplies: {what}.", what=_.text(x.supplies.text)))
    _instead(x, _)
    if x.mended is not None:
        among = _.text(x.mended_among)
        say("\n" + _("The nearest build that passes, {among}. Quoted parts at the quote's prices:", among=among))
        show_mended(x.mended)


def _lines(x: XRay, _: Words) -> None:
    unit = x.basis.currency
    heads = [
        _("in row"),
        _("quoted item"),
        _("matched"),
        _("qty"),
        _("quoted price"),
        _("net, {currency}", currency=unit),
    ]
    heads += [_("catalog"), _("apart"), "", _("catalog price of")]
    table(heads, [_line(line, _) for line in x.lines], {0, 3, 4, 5, 6, 7})
    t = x.totals
    said = [f"{s.label or s.kind} {amount(s.amount)}{_(' (row {row})', row=s.row)}" for s in t.stated]
    if said:
        say(_("The quote states: {what}.", what=_.list(said, "; ")))
    if t.net is not None:
        open_ = (
            _(", of it {money} no part of the build", money=amount(t.of_it_not_placed)) if t.of_it_not_placed else ""
        )
        off = _("; rebates on the whole {amount}", amount=amount(t.rebates)) if t.rebates else ""
        say(
            _(
                "Counted net: hardware {hardware} {unit}{open}; services {services}{rebates}; together {net}.",
                hardware=amount(t.hardware), unit=unit, open=open_, services=amount(t.services or "0"),
                rebates=off, net=amount(t.net),
            )
        )  # fmt: skip
        if t.tax is None or t.gross is None:
            say(_("Tax and the sum with it: not known, the quote says no rate (--tax 19%)."))
        else:
            say(_("Tax: {tax}; with tax: {gross} {unit}.", tax=amount(t.tax), gross=amount(t.gross), unit=unit))


def _line(x: XLine, _: Words) -> list[str]:
    apart = "" if x.difference_percent is None else f"{x.difference_percent:+.1f} %"
    marked = mark(x, _).upper() if x.mark in ("above", "below", "not-placed") else mark(x, _)
    with_ = _(" (with {n} more)", n=len(x.carries)) if x.carries else ""
    stated = _stated((x.stated_price or "").split(", ")[0])
    return [
        str(x.row), x.name or x.text[:50], how(x, _) if x.role == "part" else "", str(x.pieces or ""), stated,
        amount(x.unit) if x.unit else "", f"{amount(x.catalog_unit)}{with_}" if x.catalog_unit else "", apart, marked,
        _source(x.catalog_price, _) if x.catalog_unit else "",
    ]  # fmt: skip


def _stated(price: str) -> str:
    """`180000.00 USD` as `180,000.00 USD`."""
    figure, space, currency = price.partition(" ")
    return f"{grouped(figure)}{space}{currency}" if figure else ""


def _source(text: str, _: Words) -> str:
    """Confidence and day of a catalog price; the seller is in the files."""
    if text.startswith("a share"):
        return _("share of its board")
    confidence, *rest = text.split(", ")[:2]
    return _.comma.join([coded(WORDS, confidence), *rest])


def _instead(x: XRay, _: Words) -> None:
    i = x.instead
    if i is None:
        return
    say("\n" + _("{what}; in brackets, against the quote:", what=_.sentence(i.text)))
    found = [
        (_("fastest for it"), i.fastest),
        (_(AS_FAST[i.as_fast_as]), i.as_fast),
        (_("cheapest at all"), i.cheapest),
    ]
    heads = [_("instead"), "GPUs", _("total, {currency}", currency=x.basis.currency), "tok/s", _("80 % interval")]
    heads += [_("each user"), _("precision"), "kW"]
    table(heads, [_beside(name, b) for name, b in found if b is not None], {2, 3, 5, 7})


AS_FAST = {
    "quoted": N_("cheapest as fast as quoted"), "mended": N_("cheapest as fast as mended"), "": "",
}  # fmt: skip


def _beside(name: str, b: Beside) -> list[str]:
    t = b.throughput
    return [
        name, b.gpus, amount(b.total) + _apart(b.money_percent), f"{t.output_tok_s:,.1f}{_apart(b.throughput_percent)}",
        f"{t.low:,.0f}-{t.high:,.0f}", "" if t.per_user_tok_s is None else f"{t.per_user_tok_s:.1f}", b.precision,
        f"{b.power_kw:.1f}",
    ]  # fmt: skip


def _apart(percent: float | None) -> str:
    return "" if percent is None else f" ({percent:+.1f} %)"
