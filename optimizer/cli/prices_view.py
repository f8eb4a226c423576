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


def show_variation(variation: Variation) -> None:
    """The spans as a table, and a sentence on the recommended build."""
    _ = language()
    what = variation.parts[0] if len(variation.parts) == 1 else _("{n} parts", n=len(variation.parts))
    say(
        _(
            "Prices {spec} ({what}), today {price}:",
            spec=variation.spec,
            what=what,
            price=at(variation, variation.today),
        )
    )
    rows = [
        [
            _("{low} to {high}", low=at(variation, s.low), high=at(variation, s.high)),
            "" if s.build is None else s.build.gpus,
            "" if s.build is None else f"{s.build.output_tok_s:,.1f}",
            ""
            if s.total_at_low is None
            else _("{low} to {high}", low=amount(s.total_at_low), high=amount(s.total_at_high or "")),
            _(WHY[s.why]),
            changed(s.changes),
        ]
        for s in variation.spans
    ]
    total = _("total there, {currency}", currency=variation.currency)
    table([_("price"), _("GPUs"), _("tok/s"), total, _("why"), _("parts that change")], rows, {2})
    say(stays(variation))
    if not variation.complete:
        say(_("The time limit came before the whole range was searched; what is shown is proven."))


def stays(variation: Variation) -> str:
    """What happens to the recommended build, in a sentence."""
    _, own = language(), variation.spans[variation.stays]
    if variation.target is not None and variation.target_value is not None:
        there, price = variation.spans[variation.target], at(variation, variation.target_value)
        if variation.target == variation.stays:
            return _("At {price} the recommended build is the same.", price=price)
        other = _("{gpus} is recommended", gpus=there.build.gpus) if there.build else _(WHY[there.why])
        end = at(variation, _end(variation, own))
        return _("At {price} {other}; today's build stays up to {end}.", price=price, other=other, end=end)
    if len(variation.spans) == 1 and variation.complete:
        ends = {"low": at(variation, variation.low), "high": at(variation, variation.high)}
        return _("The recommended build stays over the whole range, {low} to {high}.", **ends)
    return _(
        "The recommended build stays from {low} to {high}.", low=at(variation, own.low), high=at(variation, own.high)
    )


def _end(variation: Variation, own: Span) -> str:
    """The end of today's span towards the value asked for."""
    return own.high if variation.target is not None and variation.target > variation.stays else own.low


def at(variation: Variation, value: str) -> str:
    """A factor as a percentage, or a unit price."""
    return amount(value) if variation.unit == "price" else language().percent(f"{(Decimal(value) - 1) * 100:+.2f}")


def amount(text: str) -> str:
    """A decimal string with thousands apart."""
    return f"{Decimal(text):,}"


def changed(changes: tuple[Change, ...]) -> str:
    """Parts whose number changes, the first few, one a line."""
    words = [f"{c.part} {c.before} -> {c.after}" for c in changes[:MOST_CHANGES]]
    more = len(changes) - MOST_CHANGES
    return "\n".join([*words, *([language()("and {n} more", n=more)] if more > 0 else [])])


def show_price_risk(price_risk: PriceRisk) -> None:
    """Fronts at the ends, the two builds, what their parts may cost, and the proof."""
    _ = language()
    show_end(price_risk.low, N_("Every price at its low"), price_risk.currency)
    show_end(price_risk.high, N_("Every price at its high"), price_risk.currency)
    if price_risk.recommended is None or price_risk.least_regret is None or price_risk.proof is None:
        say(_("No build meets the request at today's prices."))
        return
    builds = [(N_("recommended today"), price_risk.recommended), (N_("least regret"), price_risk.least_regret)]
    say(
        _("When one price goes to its high:")
        if price_risk.bad_prices == 1
        else _("When up to {n} prices go to their high:", n=price_risk.bad_prices)
    )
    total = _("total today, {currency}", currency=price_risk.currency)
    table(
        [_("build"), _("GPUs"), _("tok/s"), total, _("regret at worst"), _("parts at their high then")],
        [[_(name), *_exposed(x)] for name, x in builds],
        {2, 3, 4},
    )
    say(
        f"{_('It differs in:')}\n{changed(price_risk.changes)}" if price_risk.changes else _("Both are the same build.")
    )
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
            for x in price_risk.ranges
        ],
        {1, 2, 3, 4, 5},
    )
    proof = price_risk.proof
    say(
        _(
            "Proof: {status}. no build has less regret than {least} ({n} scenarios, {rounds} rounds, {seconds} s)",
            status=proof.status,
            least=amount(proof.at_least),
            n=proof.scenarios,
            rounds=proof.rounds,
            seconds=f"{proof.seconds:.1f}",
        )
    )


def show_end(front: EndFront, title: str, currency: str) -> None:
    """A front with every price at one end."""
    _ = language()
    say(f"{_(title)}{'' if front.complete else _(' (time ended before the proof)')}{_.colon.rstrip()}")
    if not front.points:
        if front.complete:
            say(f"  {_('no build within the budget')}")
        return
    rows = [
        [*_build(point), _("recommended") if i == front.recommended else ""] for i, point in enumerate(front.points)
    ]
    table([_("GPUs"), _("tok/s"), _("total, {currency}", currency=currency), ""], rows, {1, 2})


def _build(bought: Bought) -> list[str]:
    return [bought.gpus, f"{bought.output_tok_s:,.1f}", amount(bought.total)]


def _exposed(exposed: Exposed) -> list[str]:
    most = (
        ""
        if exposed.regret == exposed.regret_at_most
        else language()(" (at most {money})", money=amount(exposed.regret_at_most))
    )
    return [*_build(exposed.build), amount(exposed.regret) + most, language().list(exposed.bad)]
