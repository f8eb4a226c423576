"""Why not, and the nearest mended build, on a terminal."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from optimizer.cli.front_view import coded
from optimizer.cli.money_view import apart, grouped
from optimizer.cli.output import say, table
from optimizer.explanation.why_not.schema import BreakEven, Offered, WhyNot
from optimizer.procurement.labels import rule_titles
from optimizer.text.languages import N_
from optimizer.text.languages import chosen as language

if TYPE_CHECKING:
    from optimizer.explanation.mend.mended import Mended

TIME_ENDED = N_("The time limit came before everything was answered; what is shown is proven.")


def show_why_not(found: WhyNot) -> None:
    """In sentences, one a line."""
    for line in why_not_lines(found):
        say(line)


def why_not_lines(why_not: WhyNot) -> list[str]:
    """The answer in words, with what each costs more or less than the point."""
    _ = language()
    if why_not.inside:
        return [_("{what}: the recommended build holds it already.", what=why_not.what)]
    lines = [_("Why not {what}? Compared with {build}.", what=why_not.what, build=_build(why_not, why_not.point))]
    for a in why_not.against:
        text = _("allowed if not for {what}", what=_.list(a.conditions, " and "))
        text = text if a.conditions else _.sentence(a.text)
        cost = _(": {money}", money=f"{grouped(a.total)} {why_not.currency}") if a.total else ""
        rules = _.list(coded(rule_titles(), rule) for rule in a.rules)
        lines.append(_("What stands against it ({rules}): {finding}{cost}.", rules=rules, finding=text, cost=cost))
    if why_not.supposed:
        names = _.list(why_not.supposed)
        lines.append(_("In what follows {names} is counted at the least price there is.", names=names))
    if why_not.lifted:
        lines.append(_("In what follows the request goes without {what}.", what=_.list(why_not.lifted, " and ")))
    return [
        *lines,
        *(_of_build(why_not) if why_not.checks else _of_wish(why_not)),
        *([_(TIME_ENDED)] if why_not.unanswered else []),
    ]


def _of_wish(why_not: WhyNot) -> list[str]:
    _, lines = language(), list[str]()
    if why_not.as_fast:
        own = {"build": _build(why_not, why_not.as_fast), "apart": _apart(why_not, why_not.as_fast)}
        lines.append(_("At least as fast with it: {build}; that is {apart}.", **own))
    elif why_not.least and "as_fast" not in why_not.unanswered:
        lines.append(_("No build with it is as fast, whatever it may cost."))
    if why_not.any_number:
        own = {"build": _build(why_not, why_not.any_number), "apart": _apart(why_not, why_not.any_number)}
        lines.append(_("As fast with more of them: {build}; that is {apart}.", **own))
    limit = f"{grouped(why_not.limit)} {why_not.currency}"
    if why_not.for_limit:
        slower = _percent(why_not.for_limit.output_tok_s, why_not.point.output_tok_s)
        own = {"limit": limit, "build": _build(why_not, why_not.for_limit), "percent": slower}
        lines.append(_("For {limit} at most: {build}; {percent} throughput.", **own))
    elif why_not.least and "for_limit" in why_not.unanswered:
        lines.append(_("The cheapest with it: {build}.", build=_build(why_not, why_not.least)))
    elif why_not.least:
        lines.append(
            _("None for {limit}; the cheapest with it: {build}.", limit=limit, build=_build(why_not, why_not.least))
        )
    lines += [_even(why_not, e) for e in why_not.break_even]
    why = _.sentence(why_not.no_break_even)
    return lines + ([_("No break-even price: {why}.", why=why)] if why_not.least and why_not.no_break_even else [])


def _of_build(why_not: WhyNot) -> list[str]:
    _ = language()
    if not why_not.least:
        return [_("Nothing to compare: {why}.", why=_.sentence(why_not.no_break_even))]
    lines = [
        _(
            "The build itself: {build}; {apart}.",
            build=_build(why_not, why_not.least),
            apart=_apart(why_not, why_not.least),
        )
    ]
    if why_not.rival:
        less, limit = (
            Decimal(why_not.least.total) - Decimal(why_not.rival.total),
            f"{grouped(why_not.rival.total)} {why_not.currency}",
        )
        end = _("nothing as fast costs less") if less <= 0 else _("it would win at {limit} or less", limit=limit)
        lines.append(
            _("As fast or faster at the least cost: {build}; {end}.", build=_build(why_not, why_not.rival), end=end)
        )
    if why_not.faster_for_less and why_not.faster_for_less.output_tok_s > why_not.least.output_tok_s:
        more = _percent(why_not.faster_for_less.output_tok_s, why_not.least.output_tok_s)
        build = _build(why_not, why_not.faster_for_less)
        lines.append(_("For no more money: {build}; {percent} throughput.", build=build, percent=more))
    return lines


def _even(why_not: WhyNot, break_even: BreakEven) -> str:
    _ = language()
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


def _build(why_not: WhyNot, offered: Offered) -> str:
    _ = language()
    nodes = _(" in {n} nodes", n=offered.nodes) if offered.nodes > 1 else ""
    total, speed = f"{grouped(offered.total)} {why_not.currency}", f"{offered.output_tok_s:,.1f} {_('tok/s')}"
    return _.comma.join([offered.gpus + nodes, total, speed])


def _apart(why_not: WhyNot, offered: Offered) -> str:
    """What it costs more or less than the point."""
    _ = language()
    more = Decimal(offered.total) - Decimal(why_not.point.total)
    share = 100 * abs(more) / Decimal(why_not.point.total) if Decimal(why_not.point.total) else Decimal(0)
    facts = {"money": f"{abs(more):,} {why_not.currency}", "share": f"{share:.1f}"}
    return _("{money} less ({share} %)", **facts) if more < 0 else _("{money} more ({share} %)", **facts)


def _percent(speed: float, against: float) -> str:
    return f"{100 * (speed - against) / against:+.1f} %" if against else ""


def show_mended(mended: Mended | None) -> None:
    """What fails, what changes, what it costs, and every rule after."""
    _ = language()
    if mended is None:
        say(_("No build passes every rule within these conditions, however much is changed."))
        return
    if not mended.changes:
        say(
            _(
                "Nothing to mend: every rule passes, {total} {currency}.",
                total=grouped(mended.total),
                currency=mended.currency,
            )
        )
        return
    table([_("rule broken"), _("finding")], [[coded(rule_titles(), x.rule), _.sentence(x.text)] for x in mended.broken])
    table(
        [_("part"), _("from"), _("to"), _("price, {currency}", currency=mended.currency)],
        [
            [
                change.name,
                str(change.from_qty),
                str(change.to_qty),
                grouped(change.price) if change.price else _("no price"),
            ]
            for change in mended.changes
        ],
        {1, 2, 3},
    )
    nodes = _(", {before} nodes become {after}", before=mended.nodes_before, after=mended.nodes)
    said = _(
        "Mended with {n} changes{nodes}: {before} -> {total} {currency}",
        n=mended.changed,
        nodes=nodes if mended.nodes != mended.nodes_before else "",
        before=grouped(mended.total_before) if mended.total_before else _("unknown"),
        total=grouped(mended.total),
        currency=mended.currency,
    )
    throughput = mended.throughput
    say(said + (_.bracketed(apart(mended.added, mended.currency)) if mended.added else ""))
    say(
        _(
            "Throughput: {speed} {unit} at {precision}, 80 % interval {interval}",
            speed=f"{throughput.output_tok_s:,.1f}",
            unit=throughput.unit,
            precision=mended.precision,
            interval=f"{throughput.low:,.0f}-{throughput.high:,.0f}",
        )
    )
    warned = [check.text for check in mended.checks if check.status == "warn"]
    say(
        _("Every rule passes, with warnings: {what}.", what=_.list(warned, "; ")) if warned else _("Every rule passes.")
    )
    proof = mended.proof
    found = (
        _("no build that passes is nearer, nor as near for less") if proof.status == "optimal" else _("stopped early")
    )
    say(
        _(
            "Proof: {status}, {found} ({families} hardware families: {bound} ruled out by a bound, {solver} by "
            "CP-SAT).",
            status=proof.status,
            found=found,
            families=proof.families,
            bound=proof.closed_by_bound,
            solver=proof.closed_by_cp_sat,
        )
    )
