"""Answers about prices on a terminal: over which a build stays, fronts at their ends, the build of least regret."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from optimizer.cli.output import say, table
from optimizer.text.languages import N_
from optimizer.text.languages import chosen as language

if TYPE_CHECKING:
    from optimizer.explanation.prices.bought import Bought, Change
    from optimizer.explanation.prices.price_risk import EndFront, Exposed, PriceRisk
    from optimizer.explanation.prices.vary import Span, Variation

WHY = {
    "today": N_("recommended today"),
    "cheaper": N_("costs less there"),
    "faster-within-budget": N_("faster, and within the budget there"),
    "over-budget": N_("the one before leaves the budget"),
    "none-within-budget": N_("no build is within the budget"),
    "none-serves-within-budget": N_("no build within the budget serves the load at the lower end of its interval"),
}
MOST_CHANGES = 6


def show_variation(v: Variation) -> None:
    """The spans as a table, and a sentence on the recommended build."""
    _ = language()
    what = v.parts[0] if len(v.parts) == 1 else _("{n} parts", n=len(v.parts))
    say(_("Prices {spec} ({what}), today {price}:", spec=v.spec, what=what, price=at(v, v.today)))
    rows = [
        [
            _("{low} to {high}", low=at(v, s.low), high=at(v, s.high)),
            "" if s.build is None else s.build.gpus,
            "" if s.build is None else f"{s.build.output_tok_s:,.1f}",
            ""
            if s.total_at_low is None
            else _("{low} to {high}", low=amount(s.total_at_low), high=amount(s.total_at_high or "")),
            _(WHY[s.why]),
            changed(s.changes),
        ]
        for s in v.spans
    ]
    total = _("total there, {currency}", currency=v.currency)
    table([_("price"), _("GPUs"), _("tok/s"), total, _("why"), _("parts that change")], rows, {2})
    say(stays(v))
    if not v.complete:
        say(_("Time ended before the whole range was searched; what is shown is proven."))


def stays(v: Variation) -> str:
    """What happens to the recommended build, in a sentence."""
    _, own = language(), v.spans[v.stays]
    if v.target is not None and v.target_value is not None:
        there, price = v.spans[v.target], at(v, v.target_value)
        if v.target == v.stays:
            return _("At {price} the recommended build is the same.", price=price)
        other = _("{gpus} is recommended", gpus=there.build.gpus) if there.build else _(WHY[there.why])
        end = at(v, _end(v, own))
        return _("At {price} {other}; today's build stays up to {end}.", price=price, other=other, end=end)
    if len(v.spans) == 1 and v.complete:
        ends = {"low": at(v, v.low), "high": at(v, v.high)}
        return _("The recommended build stays over the whole range, {low} to {high}.", **ends)
    return _("The recommended build stays from {low} to {high}.", low=at(v, own.low), high=at(v, own.high))


def _end(v: Variation, own: Span) -> str:
    """The end of today's span towards the value asked for."""
    return own.high if v.target is not None and v.target > v.stays else own.low


def at(v: Variation, value: str) -> str:
    """A factor as a percentage, or a unit price."""
    return amount(value) if v.unit == "price" else f"{(Decimal(value) - 1) * 100:+.2f} %"


def amount(text: str) -> str:
    """A decimal string with thousands apart."""
    return f"{Decimal(text):,}"


def changed(changes: tuple[Change, ...]) -> str:
    """Parts whose number changes, the first few, one a line."""
    words = [f"{c.part} {c.before} -> {c.after}" for c in changes[:MOST_CHANGES]]
    more = len(changes) - MOST_CHANGES
    return "\n".join([*words, *([language()("and {n} more", n=more)] if more > 0 else [])])


def show_price_risk(r: PriceRisk) -> None:
    """Fronts at the ends, the two builds, what their parts may cost, and the proof."""
    _ = language()
    show_end(r.low, N_("Every price at its low"), r.currency)
    show_end(r.high, N_("Every price at its high"), r.currency)
    if r.recommended is None or r.least_regret is None or r.proof is None:
        say(_("No build meets the request at today's prices."))
        return
    builds = [(N_("recommended today"), r.recommended), (N_("least regret"), r.least_regret)]
    say(
        _("When one price goes to its high:")
        if r.bad_prices == 1
        else _("When up to {n} prices go to their high:", n=r.bad_prices)
    )
    total = _("total today, {currency}", currency=r.currency)
    table(
        [_("build"), _("GPUs"), _("tok/s"), total, _("regret at worst"), _("parts at their high then")],
        [[_(name), *_exposed(x)] for name, x in builds],
        {2, 3, 4},
    )
    say(f"{_('It differs in:')}\n{changed(r.changes)}" if r.changes else _("Both are the same build."))
    both = [x.build.parts for name, x in builds]
    table(
        [_("part"), _("pieces"), _("with least regret"), _("low"), _("today"), _("high"), _("band")],
        [
            [
                x.part,
                *(str(parts.get(x.part, 0)) for parts in both),
                *map(amount, (x.low, x.today, x.high)),
                _.sentence(x.basis),
            ]
            for x in r.ranges
        ],
        {1, 2, 3, 4, 5},
    )
    p = r.proof
    say(
        _(
            "Proof: {status}. no build has less regret than {least} ({n} scenarios, {rounds} rounds, {seconds} s)",
            status=p.status, least=amount(p.at_least), n=p.scenarios, rounds=p.rounds, seconds=f"{p.seconds:.1f}",
        )
    )  # fmt: skip


def show_end(front: EndFront, title: str, currency: str) -> None:
    """A front with every price at one end."""
    _ = language()
    say(f"{_(title)}{'' if front.complete else _(' (time ended before the proof)')}:")
    if not front.points:
        if front.complete:
            say(f"  {_('no build within the budget')}")
        return
    rows = [[*_build(p), _("recommended") if i == front.recommended else ""] for i, p in enumerate(front.points)]
    table([_("GPUs"), _("tok/s"), _("total, {currency}", currency=currency), ""], rows, {1, 2})


def _build(b: Bought) -> list[str]:
    return [b.gpus, f"{b.output_tok_s:,.1f}", amount(b.total)]


def _exposed(x: Exposed) -> list[str]:
    most = "" if x.regret == x.regret_at_most else language()(" (at most {money})", money=amount(x.regret_at_most))
    return [*_build(x.build), amount(x.regret) + most, ", ".join(x.bad)]
