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

TIME_ENDED = N_("Time ended before all was answered; what is shown is proven.")


def show_why_not(found: WhyNot) -> None:
    """In sentences, one a line."""
    for line in why_not_lines(found):
        say(line)


def why_not_lines(w: WhyNot) -> list[str]:
    """The answer in words, with what each costs more or less than the point."""
    _ = language()
    if w.inside:
        return [_("{what}: the recommended build holds it already.", what=w.what)]
    lines = [_("Why not {what}? Compared with {build}.", what=w.what, build=_build(w, w.point))]
    for a in w.against:
        text = _("allowed if not for {what}", what=_.list(a.conditions, " and "))
        text = text if a.conditions else _.sentence(a.text)
        cost = _(": {money}", money=f"{grouped(a.total)} {w.currency}") if a.total else ""
        rules = ", ".join(coded(rule_titles(), x) for x in a.rules)
        lines.append(_("What stands against it ({rules}): {finding}{cost}.", rules=rules, finding=text, cost=cost))
    if w.supposed:
        names = ", ".join(w.supposed)
        lines.append(_("In what follows {names} is counted at the least price there is.", names=names))
    if w.lifted:
        lines.append(_("In what follows the request goes without {what}.", what=_.list(w.lifted, " and ")))
    return [*lines, *(_of_build(w) if w.checks else _of_wish(w)), *([_(TIME_ENDED)] if w.unanswered else [])]


def _of_wish(w: WhyNot) -> list[str]:
    _, lines = language(), list[str]()
    if w.as_fast:
        own = {"build": _build(w, w.as_fast), "apart": _apart(w, w.as_fast)}
        lines.append(_("At least as fast with it: {build}; that is {apart}.", **own))
    elif w.least and "as_fast" not in w.unanswered:
        lines.append(_("No build with it is as fast, whatever it may cost."))
    if w.any_number:
        own = {"build": _build(w, w.any_number), "apart": _apart(w, w.any_number)}
        lines.append(_("As fast with more of them: {build}; that is {apart}.", **own))
    limit = f"{grouped(w.limit)} {w.currency}"
    if w.for_limit:
        slower = _percent(w.for_limit.output_tok_s, w.point.output_tok_s)
        own = {"limit": limit, "build": _build(w, w.for_limit), "percent": slower}
        lines.append(_("For {limit} at most: {build}; {percent} throughput.", **own))
    elif w.least and "for_limit" in w.unanswered:
        lines.append(_("The cheapest with it: {build}.", build=_build(w, w.least)))
    elif w.least:
        lines.append(_("None for {limit}; the cheapest with it: {build}.", limit=limit, build=_build(w, w.least)))
    lines += [_even(w, e) for e in w.break_even]
    why = _.sentence(w.no_break_even)
    return lines + ([_("No break-even price: {why}.", why=why)] if w.least and w.no_break_even else [])


def _of_build(w: WhyNot) -> list[str]:
    _ = language()
    if not w.least:
        return [_("Nothing to compare: {why}.", why=_.sentence(w.no_break_even))]
    lines = [_("The build itself: {build}; {apart}.", build=_build(w, w.least), apart=_apart(w, w.least))]
    if w.rival:
        less, limit = Decimal(w.least.total) - Decimal(w.rival.total), f"{grouped(w.rival.total)} {w.currency}"
        end = _("nothing as fast costs less") if less <= 0 else _("it would win at {limit} or less", limit=limit)
        lines.append(_("As fast or faster at the least cost: {build}; {end}.", build=_build(w, w.rival), end=end))
    if w.faster_for_less and w.faster_for_less.output_tok_s > w.least.output_tok_s:
        more = _percent(w.faster_for_less.output_tok_s, w.least.output_tok_s)
        build = _build(w, w.faster_for_less)
        lines.append(_("For no more money: {build}; {percent} throughput.", build=build, percent=more))
    return lines


def _even(w: WhyNot, e: BreakEven) -> str:
    _ = language()
    against = _(
        "{total} {currency} at {speed} tok/s", total=grouped(e.rival), currency=w.currency, speed=f"{e.tok_s:,.1f}"
    )
    facts = {"part": e.part, "against": against, "gpus": e.gpus, "total": grouped(e.total)}
    if e.price is None:
        return _(
            "At no price of {part} does it win against {against}: even at the least price {gpus} cost {total}.", **facts
        )
    if e.total_above is None:
        return _("The price of {part} decides nothing: all pieces are in hand ({total} against {against}).", **facts)
    now = _("now {price}", price=grouped(e.price_now)) if e.price_now else _("nobody offers it")
    return _(
        "Break-even against {against}: {part} at {price} {currency} a piece ({now}); {gpus} then cost {total}; "
        "at the next higher price, {above}.",
        **facts, price=grouped(e.price), currency=w.currency, now=now, above=grouped(e.total_above),
    )  # fmt: skip


def _build(w: WhyNot, x: Offered) -> str:
    nodes = language()(" in {n} nodes", n=x.nodes) if x.nodes > 1 else ""
    return f"{x.gpus}{nodes}, {grouped(x.total)} {w.currency}, {x.output_tok_s:,.1f} tok/s"


def _apart(w: WhyNot, x: Offered) -> str:
    """What it costs more or less than the point."""
    _ = language()
    more = Decimal(x.total) - Decimal(w.point.total)
    share = 100 * abs(more) / Decimal(w.point.total) if Decimal(w.point.total) else Decimal(0)
    facts = {"money": f"{abs(more):,} {w.currency}", "share": f"{share:.1f}"}
    return _("{money} less ({share} %)", **facts) if more < 0 else _("{money} more ({share} %)", **facts)


def _percent(speed: float, against: float) -> str:
    return f"{100 * (speed - against) / against:+.1f} %" if against else ""


def show_mended(m: Mended | None) -> None:
    """What fails, what changes, what it costs, and every rule after."""
    _ = language()
    if m is None:
        say(_("No build passes every rule within these conditions, however much is changed."))
        return
    if not m.changes:
        say(_("Nothing to mend: every rule passes, {total} {currency}.", total=grouped(m.total), currency=m.currency))
        return
    table([_("rule broken"), _("finding")], [[coded(rule_titles(), x.rule), _.sentence(x.text)] for x in m.broken])
    table(
        [_("part"), _("from"), _("to"), _("price, {currency}", currency=m.currency)],
        [[c.name, str(c.from_qty), str(c.to_qty), grouped(c.price) if c.price else _("no price")] for c in m.changes],
        {1, 2, 3},
    )
    nodes = _(", {before} nodes become {after}", before=m.nodes_before, after=m.nodes)
    said = _(
        "Mended with {n} changes{nodes}: {before} -> {total} {currency}",
        n=m.changed, nodes=nodes if m.nodes != m.nodes_before else "",
        before=grouped(m.total_before) if m.total_before else _("unknown"),
        total=grouped(m.total), currency=m.currency,
    )  # fmt: skip
    t = m.throughput
    say(said + (f" ({apart(m.added, m.currency)})" if m.added else ""))
    say(
        _(
            "Throughput: {speed} {unit} at {precision}, 80 % interval {interval}",
            speed=f"{t.output_tok_s:,.1f}", unit=t.unit, precision=m.precision, interval=f"{t.low:,.0f}-{t.high:,.0f}",
        )
    )  # fmt: skip
    warned = [check.text for check in m.checks if check.status == "warn"]
    say(
        _("Every rule passes, with warnings: {what}.", what=_.list(warned, "; ")) if warned else _("Every rule passes.")
    )
    p = m.proof
    found = _("no build that passes is nearer, nor as near for less") if p.status == "optimal" else _("stopped early")
    say(
        _(
            "Proof: {status}, {found} ({families} hardware families: {bound} ruled out by a bound, {solver} by "
            "CP-SAT).",
            status=p.status, found=found, families=p.families, bound=p.closed_by_bound, solver=p.closed_by_cp_sat,
        )
    )  # fmt: skip
