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


def show(found: XRay) -> None:
    """Summary first, then lines, findings, build with rules, what is missing, what else the money buys, the mend."""
    _ = language()
    head = _.comma.join(str(t) for t in (found.vendor, found.quote_no, found.quote_date) if t)
    until = _(", valid until {day}", day=found.valid_until) if found.valid_until else ""
    whose = (
        _("X-ray of {source}: {head}", source=found.source, head=head)
        if head
        else _("X-ray of {source}", source=found.source)
    )
    say(whose + until)
    for s in summary(found, _):
        say(f"- {s}")
    say(f"\n{_.sentence(found.basis.text)}")
    _lines(found, _)
    for f in found.findings:
        if f.severity != "error":
            say(_(NOTED[f.severity], what=finding(f, _)))
    for n in found.notices:
        say(_(NOTED["note"], what=_.sentence(n)))
    say(f"\n{_.sentence(found.scope)}")
    if found.checks:
        checks(check.model_dump() for check in found.checks)
    for u in found.not_judged:
        say(unjudged(u, _))
    if found.missing:
        table(
            [_("missing"), _("qty"), _("why"), _("about, {currency}", currency=found.basis.currency)],
            [
                [
                    thing(missing_part.what, _) + (_(" (reminder)") if missing_part.reminder else ""),
                    str(missing_part.qty or ""),
                    _.sentence(missing_part.text),
                    amount(missing_part.cost) if missing_part.cost else "",
                ]
                for missing_part in found.missing
            ],
            {1, 3},
        )
    if found.memory is not None:
        say(_("Memory: {what}.", what=_.sentence(found.memory.text)))
    if found.supplies is not None:
        say(_("Supplies: {what}.", what=_.sentence(found.supplies.text)))
    _instead(found, _)
    if found.mended is not None:
        among = _.sentence(found.mended_among)
        say("\n" + _("The nearest build that passes, {among}. Quoted parts at the quote's prices:", among=among))
        show_mended(found.mended)


def _lines(found: XRay, _: Words) -> None:
    unit = found.basis.currency
    heads = [
        _("in row"),
        _("quoted item"),
        _("matched"),
        _("qty"),
        _("quoted price"),
        _("net, {currency}", currency=unit),
    ]
    heads += [_("catalog"), _("apart"), "", _("catalog price of")]
    table(heads, [_line(line, _) for line in found.lines], {0, 3, 4, 5, 6, 7})
    totals = found.totals
    said = [f"{s.label or s.kind} {amount(s.amount)}{_(' (row {row})', row=s.row)}" for s in totals.stated]
    if said:
        say(_("The quote states: {what}.", what=_.list(said, "; ")))
    if totals.net is not None:
        open_ = (
            _(", of it {money} no part of the build", money=amount(totals.of_it_not_placed))
            if totals.of_it_not_placed
            else ""
        )
        off = _("; rebates on the whole {amount}", amount=amount(totals.rebates)) if totals.rebates else ""
        say(
            _(
                "Counted net: hardware {hardware} {unit}{open}; services {services}{rebates}; together {net}.",
                hardware=amount(totals.hardware),
                unit=unit,
                open=open_,
                services=amount(totals.services or "0"),
                rebates=off,
                net=amount(totals.net),
            )
        )
        if totals.tax is None or totals.gross is None:
            say(_("Tax and the sum with it: not known, the quote says no rate (--tax 19%)."))
        else:
            say(
                _(
                    "Tax: {tax}; with tax: {gross} {unit}.",
                    tax=amount(totals.tax),
                    gross=amount(totals.gross),
                    unit=unit,
                )
            )


def _line(line: XLine, _: Words) -> list[str]:
    apart = "" if line.difference_percent is None else _.percent(f"{line.difference_percent:+.1f}")
    marked = mark(line, _).upper() if line.mark in ("above", "below", "not-placed") else mark(line, _)
    with_ = _(" (with {n} more)", n=len(line.carries)) if line.carries else ""
    stated = _stated((line.stated_price or "").split(", ")[0])
    return [
        str(line.row),
        line.name or line.text[:50],
        how(line, _) if line.role == "part" else "",
        str(line.pieces or ""),
        stated,
        amount(line.unit) if line.unit else "",
        f"{amount(line.catalog_unit)}{with_}" if line.catalog_unit else "",
        apart,
        marked,
        _source(line.catalog_price, _) if line.catalog_unit else "",
    ]


def _stated(price: str) -> str:
    """`180000.00 USD` as `180,000.00 USD`."""
    figure, space, currency = price.partition(" ")
    return f"{grouped(figure)}{space}{currency}" if figure else ""


def _source(text: str, _: Words) -> str:
    """Confidence and day of a catalog price; the seller is in the files."""
    if text.startswith("a share"):
        return _("share of its board")
    confidence, *rest = text.split(", ")
    # The day comes second where there is one: an estimate has none.
    day = rest[:1] if confidence != "estimate" else []
    marks = [_(mark) for mark in rest[-1:] if mark in ("stale", "indexed")]
    return _.comma.join([coded(WORDS, confidence), *day, *marks])


def _instead(x: XRay, _: Words) -> None:
    instead = x.instead
    if instead is None:
        return
    say("\n" + _("{what}; in brackets, against the quote:", what=_.sentence(instead.text)))
    found = [
        (_("fastest for it"), instead.fastest),
        (_(AS_FAST[instead.as_fast_as]), instead.as_fast),
        (_("cheapest at all"), instead.cheapest),
    ]
    heads = [_("instead"), _("GPUs"), _("total, {currency}", currency=x.basis.currency), _("tok/s"), _("80 % interval")]
    heads += [_("each user"), _("precision"), "kW"]
    table(heads, [_beside(name, b) for name, b in found if b is not None], {2, 3, 5, 7})


AS_FAST = {
    "quoted": N_("cheapest as fast as quoted"),
    "mended": N_("cheapest as fast as mended"),
    "": "",
}


def _beside(name: str, beside: Beside) -> list[str]:
    throughput = beside.throughput
    return [
        name,
        beside.gpus,
        amount(beside.total) + _apart(beside.money_percent),
        f"{throughput.output_tok_s:,.1f}{_apart(beside.throughput_percent)}",
        f"{throughput.low:,.0f}-{throughput.high:,.0f}",
        "" if throughput.per_user_tok_s is None else f"{throughput.per_user_tok_s:.1f}",
        beside.precision,
        f"{beside.power_kw:.1f}",
    ]


def _apart(percent: float | None) -> str:
    _ = language()
    return "" if percent is None else _.bracketed(_.percent(f"{percent:+.1f}"))
