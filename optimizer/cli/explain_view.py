"""Answers of `dsopt explain`, on a terminal and as data."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from optimizer import library
from optimizer.cli.front_view import coded, number
from optimizer.cli.money_view import apart, grouped, total
from optimizer.cli.no_build_view import show_no_build
from optimizer.cli.output import say, table
from optimizer.cli.prices_view import show_price_risk, show_variation
from optimizer.cli.why_not_view import show_why_not
from optimizer.procurement.labels import CATEGORIES, STATUS, UNITS, rule_titles
from optimizer.request.command import Typed
from optimizer.result.explanation_schema import Neighbour, NoBuild, PointExplained, StepFacts
from optimizer.search.clock import Clock, TimeUp
from optimizer.text.languages import N_
from optimizer.text.languages import chosen as language

if TYPE_CHECKING:
    from optimizer.explanation.opened import Opened

COMMANDS = 4
"""Commands shown that start a plan."""
SWAPS = 12
"""Swapped parts shown of a neighbour."""


def answers(
    opened: Opened, point: str | None, clock: Clock, why_not: Sequence[str], vary: Sequence[str],
    bad_prices: int | None, show: bool,
) -> tuple[dict[str, Any], bool]:  # fmt: skip
    """(what was asked about a point, shown if wanted and as data; whether the time sufficed for all of it). The point
    itself where nothing special was asked."""
    said: dict[str, Any] = {}
    complete = True
    try:
        for text in why_not:
            held = library.why_not(opened, text, point, clock=clock)
            said.setdefault("why_not", []).append(held.model_dump(mode="json"))
            complete = complete and not held.unanswered
            if show:
                show_why_not(held)
        for text in vary:
            span = library.vary(opened, text, point, clock=clock)
            said.setdefault("vary", []).append(span.model_dump(mode="json"))
            complete = complete and span.complete
            if show:
                show_variation(span)
        if bad_prices is not None:
            risk = library.price_risk(opened, bad_prices or None, clock=clock)
            said["price_risk"] = risk.model_dump(mode="json")
            complete = complete and risk.complete
            if show:
                show_price_risk(risk)
        if not said:
            found = library.explain(opened, point, clock=clock)
            assert isinstance(found, PointExplained)
            said["point"] = found.model_dump(mode="json")
            if show:
                show_point(found)
    except TimeUp:
        complete = False
    return said, complete


def no_build(opened: Opened, clock: Clock, typed: Typed, show: bool) -> tuple[dict[str, Any], bool]:
    """(why a result has no build, shown if wanted and as data; whether the time sufficed to know)."""
    try:
        found = library.explain(opened, clock=clock, typed=typed)
    except TimeUp:
        return {}, False
    assert isinstance(found, NoBuild)
    if show:
        show_no_build(found)
    return {"no_build": found.model_dump(mode="json")}, found.minimal


def show_point(p: PointExplained) -> None:
    """Margins, steps, money, neighbours, notes."""
    _ = language()
    say(
        _(
            "Point {id}: {total}, {speed} tok/s",
            id=p.id, total=total(p.net, p.tax, p.total, p.currency), speed=f"{p.output_tok_s:,.1f}",
        ) + "\n"
    )  # fmt: skip
    say(_("What binds, and the price of a step (cheapest build at least as fast, whatever the budget):"))
    table(
        ["", _("changed to"), _("effect, {currency}", currency=p.currency), _("build")],
        [_step(s) for s in p.steps],
        {2},
    )
    say(_("Margins:"))
    table(
        [_("rule"), "", _("measured"), _("limit"), _("unit"), _("margin"), _("finding")],
        [
            [coded(rule_titles(), m.rule), coded(STATUS, m.status), number(m.measured), number(m.limit),
             coded(UNITS, m.unit),
             "" if m.margin_percent is None else f"{m.margin_percent:.0f} %", _.sentence(m.text)]
            for m in p.margins if m.measured is not None
        ],
        {2, 3, 5},
    )  # fmt: skip
    say(_("Where the money goes:"))
    rows = [[coded(CATEGORIES, s.category), grouped(s.amount), f"{s.share * 100:.1f} %"] for s in p.money]
    table([_("category"), p.currency, _("share")], rows, {1, 2})
    for name, other in ((N_("cheaper"), p.cheaper), (N_("faster"), p.faster)):
        if other:
            _neighbour(name, other, p)
    if p.faster is None:
        say(_("Nothing faster exists, whatever the budget.") + "\n")
    _savings(p)
    _launch(p)
    for n in p.notes:
        say(f"{_('note')} [{n.code}]{_.colon}{_.sentence(n.text)}")


def _launch(p: PointExplained) -> None:
    """How the plan is started; many commands alike are shown by their first ones."""
    _ = language()
    if p.launch:
        say(_("How to start it, one command per node and engine instance:"))
        for command in p.launch[:COMMANDS]:
            print(f"  {command}")
        if len(p.launch) > COMMANDS:
            say("  " + _("... and {n} more: plan.launch of --json", n=len(p.launch) - COMMANDS))
    if p.launch_note:
        say(_.sentence(p.launch_note))
    print()


def _step(s: StepFacts) -> list[str]:
    _ = language()
    more = _("no build") if s.more is None else _effect(Decimal(s.more))
    return [
        _("binds") if s.binds else "",
        _.sentence(s.text) + (_(" (looser)") if s.looser else _(" (tighter)")),
        more,
        f"{s.build.gpus}, {s.build.precision}" if s.build else "",
    ]


def _effect(more: Decimal) -> str:
    _, amount = language(), f"{abs(more):,}"
    if not more:
        return _("the same")
    return _("saves {amount}", amount=amount) if more < 0 else _("costs {amount}", amount=amount)


def _savings(p: PointExplained) -> None:
    """Cheaper builds that every rule admits and that the search does not look at."""
    _ = language()
    for s in p.savings:
        say(
            _(
                "Cheaper, as fast, and passed by every rule, but not among the builds searched: {what}. It saves "
                "{less} {currency} ({total} in all).",
                what=_.sentence(s.text), less=grouped(s.less), total=grouped(s.total), currency=p.currency,
            ) + "\n"
        )  # fmt: skip


def _neighbour(name: str, n: Neighbour, p: PointExplained) -> None:
    _ = language()
    where = _("{id} of the front", id=n.id) if n.id else _("beyond the budget")
    gain = n.output_tok_s / p.output_tok_s - 1
    say(
        _(
            "Next {name} build ({where}): {apart}, {speed} tok/s ({gain})",
            name=name, where=where, apart=apart(n.more, p.currency), speed=f"{n.output_tok_s:,.1f}",
            gain=f"{gain * 100:+.1f} %",
        )
    )  # fmt: skip
    rows = [[s.name, str(s.before), str(s.after), grouped(s.more)] for s in n.swaps[:SWAPS]]
    table([_("part"), _("now"), _("then"), _("{currency} more", currency=p.currency)], rows, {1, 2, 3})
    say(f"  {_('why')}{_.colon}" + "\n       ".join(map(_figure, n.figures)) + "\n")


def _figure(text: str) -> str:
    """`name: before -> after unit` with its name translated."""
    name, _, values = text.partition(": ")
    return f"{language()(name)}{language().colon}{values}"
