"""An answer to "why not?" in sentences."""

from __future__ import annotations

from decimal import Decimal

from optimizer.explanation.why_not.schema import BreakEven, Offered, WhyNot
from optimizer.procurement.labels import rule_titles
from optimizer.text.figures import grouped
from optimizer.text.languages import N_, Words

TIME_ENDED = N_("The time limit came before everything was answered; what is shown is proven.")


def why_not_lines(why_not: WhyNot, _: Words) -> list[str]:
    """The answer in words, with what each costs more or less than the point."""
    if why_not.inside:
        return [_("{what}: the recommended build holds it already.", what=why_not.what)]
    lines = [_("Why not {what}? Compared with {build}.", what=why_not.what, build=_build(why_not, why_not.point, _))]
    for a in why_not.against:
        text = _("allowed if not for {what}", what=_.list(a.conditions, " and "))
        text = text if a.conditions else _.sentence(a.text)
        cost = _(": {money}", money=f"{grouped(a.total)} {why_not.currency}") if a.total else ""
        rules = _.list(rule_titles().get(rule, rule) if _.chinese else rule for rule in a.rules)
        lines.append(_("What stands against it ({rules}): {finding}{cost}.", rules=rules, finding=text, cost=cost))
    if why_not.supposed:
        names = _.list(why_not.supposed)
        lines.append(_("In what follows {names} is counted at the least price there is.", names=names))
    if why_not.lifted:
        lines.append(_("In what follows the request goes without {what}.", what=_.list(why_not.lifted, " and ")))
    return [
        *lines,
        *(_of_build(why_not, _) if why_not.checks else _of_wish(why_not, _)),
        *([_(TIME_ENDED)] if why_not.unanswered else []),
    ]


def _of_wish(why_not: WhyNot, _: Words) -> list[str]:
    lines = list[str]()
    if why_not.as_fast:
        own = {"build": _build(why_not, why_not.as_fast, _), "apart": _apart(why_not, why_not.as_fast, _)}
        lines.append(_("At least as fast with it: {build}; that is {apart}.", **own))
    elif why_not.least and "as_fast" not in why_not.unanswered:
        lines.append(_("No build with it is as fast, whatever it may cost."))
    if why_not.any_number:
        own = {"build": _build(why_not, why_not.any_number, _), "apart": _apart(why_not, why_not.any_number, _)}
        lines.append(_("As fast with more of them: {build}; that is {apart}.", **own))
    limit = f"{grouped(why_not.limit)} {why_not.currency}"
    if why_not.for_limit:
        slower = _percent(why_not.for_limit.output_tok_s, why_not.point.output_tok_s)
        own = {"limit": limit, "build": _build(why_not, why_not.for_limit, _), "percent": slower}
        lines.append(_("For {limit} at most: {build}; {percent} throughput.", **own))
    elif why_not.least and "for_limit" in why_not.unanswered:
        lines.append(_("The cheapest with it: {build}.", build=_build(why_not, why_not.least, _)))
    elif why_not.least:
        lines.append(
            _("None for {limit}; the cheapest with it: {build}.", limit=limit, build=_build(why_not, why_not.least, _))
        )
    lines += [_even(why_not, e, _) for e in why_not.break_even]
    why = _.sentence(why_not.no_break_even)
    return lines + ([_("No break-even price: {why}.", why=why)] if why_not.least and why_not.no_break_even else [])


def _of_build(why_not: WhyNot, _: Words) -> list[str]:
    if not why_not.least:
        return [_("Nothing to compare: {why}.", why=_.sentence(why_not.no_break_even))]
    lines = [
        _(
            "The build itself: {build}; {apart}.",
            build=_build(why_not, why_not.least, _),
            apart=_apart(why_not, why_not.least, _),
        )
    ]
    if why_not.rival:
        less, limit = (
            Decimal(why_not.least.total) - Decimal(why_not.rival.total),
            f"{grouped(why_not.rival.total)} {why_not.currency}",
        )
        end = _("nothing as fast costs less") if less <= 0 else _("it would win at {limit} or less", limit=limit)
        lines.append(
            _("As fast or faster at the least cost: {build}; {end}.", build=_build(why_not, why_not.rival, _), end=end)
        )
    if why_not.faster_for_less and why_not.faster_for_less.output_tok_s > why_not.least.output_tok_s:
        more = _percent(why_not.faster_for_less.output_tok_s, why_not.least.output_tok_s)
        build = _build(why_not, why_not.faster_for_less, _)
        lines.append(_("For no more money: {build}; {percent} throughput.", build=build, percent=more))
    return lines


def _even(why_not: WhyNot, break_even: BreakEven, _: Words) -> str:
    against = _(
        "{total} {currency} at {speed} tok/s",
        total=grouped(break_even.rival),
        currency=why_not.currency,
        speed=f"{break_even.tok_s:,.1f}",
    )
    facts = {"part": break_even.part, "against": against, "gpus": break_even.gpus, "total": grouped(break_even.total)}
    if break_even.price is None:
        return _("{part} wins at no price against {against}: even at the least price {gpus} cost {total}.", **facts)
    if break_even.total_above is None:
        return _("The price of {part} decides nothing: all pieces are in hand ({total} against {against}).", **facts)
    now = _("now {price}", price=grouped(break_even.price_now)) if break_even.price_now else _("nobody offers it")
    return _(
        "Break-even against {against}: {part} at {price} {currency} a piece ({now}); {gpus} then cost {total}; "
        "at the next higher price, {above}.",
        **facts,
        price=grouped(break_even.price),
        currency=why_not.currency,
        now=now,
        above=grouped(break_even.total_above),
    )


def _build(why_not: WhyNot, offered: Offered, _: Words) -> str:
    nodes = _(" in {n} nodes", n=offered.nodes) if offered.nodes > 1 else ""
    total, speed = f"{grouped(offered.total)} {why_not.currency}", f"{offered.output_tok_s:,.1f} {_('tok/s')}"
    return _.comma.join([offered.gpus + nodes, total, speed])


def _apart(why_not: WhyNot, offered: Offered, _: Words) -> str:
    """What it costs more or less than the point."""
    more = Decimal(offered.total) - Decimal(why_not.point.total)
    share = 100 * abs(more) / Decimal(why_not.point.total) if Decimal(why_not.point.total) else Decimal(0)
    facts = {"money": f"{abs(more):,} {why_not.currency}", "share": f"{share:.1f}"}
    return _("{money} less ({share} %)", **facts) if more < 0 else _("{money} more ({share} %)", **facts)


def _percent(speed: float, against: float) -> str:
    return f"{100 * (speed - against) / against:+.1f} %" if against else ""
