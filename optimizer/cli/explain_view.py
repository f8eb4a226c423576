"""Answers of `dsopt explain`, on a terminal and as data."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from optimizer import library
from optimizer.cli.front_view import FIGURES_FROM, coded
from optimizer.cli.money_view import apart, grouped, total
from optimizer.cli.no_build_view import show_no_build
from optimizer.cli.output import narrow, say, table
from optimizer.cli.prices_view import show_price_risk, show_variation
from optimizer.cli.why_not_view import show_why_not
from optimizer.procurement.labels import CATEGORIES, STATUS, UNITS, rule_titles
from optimizer.request.command import Typed
from optimizer.result.explanation_schema import Neighbour, NoBuild, PointExplained, StepFacts
from optimizer.search.clock import Clock, TimeUp
from optimizer.text.figures import measured
from optimizer.text.languages import N_
from optimizer.text.languages import chosen as language

if TYPE_CHECKING:
    from optimizer.explanation.opened import Opened

COMMANDS = 4
"""Commands shown that start a plan."""
SWAPS = 12
"""Swapped parts shown of a neighbour."""


def answers(
    opened: Opened,
    point: str | None,
    clock: Clock,
    why_not: Sequence[str],
    vary: Sequence[str],
    bad_prices: int | None,
    show: bool,
) -> tuple[dict[str, Any], bool]:
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


def show_point(explained: PointExplained) -> None:
    """Margins, steps, money, neighbours, notes."""
    _ = language()
    say(
        _(
            "Point {id}: {total}, {speed} tok/s",
            id=explained.id,
            total=total(explained.net, explained.tax, explained.total, explained.currency),
            speed=f"{explained.output_tok_s:,.1f}",
        )
        + "\n"
    )
    say(_("What binds, and the price of a step (cheapest build at least as fast, whatever the budget):"))
    table(
        ["", _("changed to"), _("effect, {currency}", currency=explained.currency), _("build")],
        [_step(step) for step in explained.steps],
        {2},
    )
    say(_("Margins:"))
    _margins(explained)
    say(_("Where the money goes:"))
    rows = [
        [coded(CATEGORIES, s.category), grouped(s.amount), _.percent(f"{s.share * 100:.1f}")] for s in explained.money
    ]
    table([_("category"), explained.currency, _("share")], rows, {1, 2})
    for name, other in ((N_("cheaper"), explained.cheaper), (N_("faster"), explained.faster)):
        if other:
            _neighbour(name, other, explained)
    if explained.faster is None:
        say(_("Nothing faster exists, whatever the budget.") + "\n")
    _savings(explained)
    _launch(explained)
    for note in explained.notes:
        say(f"{_('note')} [{note.code}]{_.colon}{_.sentence(note.text)}")


def _margins(explained: PointExplained) -> None:
    """What rules measured; on a narrow terminal without the figures, which stand in the findings too."""
    _ = language()
    few = narrow(FIGURES_FROM)
    rows = []
    for m in explained.margins:
        if m.measured is None:
            continue
        figures = [] if few else [measured(m.measured, m.unit), measured(m.limit, m.unit), coded(UNITS, m.unit)]
        margin = "" if m.margin_percent is None else _.percent(f"{m.margin_percent:.0f}")
        rows.append([coded(rule_titles(), m.rule), coded(STATUS, m.status), *figures, margin, _.sentence(m.text)])
    heads = [] if few else [_("measured"), _("limit"), _("unit")]
    right = {2} if few else {2, 3, 5}
    table([_("rule"), "", *heads, _("margin"), _("finding")], rows, right)


def _launch(explained: PointExplained) -> None:
    """How the plan is started; many commands alike are shown by their first ones."""
    _ = language()
    if explained.launch:
        say(_("How to start it, one command per node and engine instance:"))
        for command in explained.launch[:COMMANDS]:
            print(f"  {command}")
        if len(explained.launch) > COMMANDS:
            say("  " + _("... and {n} more: plan.launch of --json", n=len(explained.launch) - COMMANDS))
    if explained.launch_note:
        say(_.sentence(explained.launch_note))
    print()


def _step(step_facts: StepFacts) -> list[str]:
    _ = language()
    more = _("no build") if step_facts.more is None else _effect(Decimal(step_facts.more))
    return [
        _("binds") if step_facts.binds else "",
        _.sentence(step_facts.text) + (_(" (looser)") if step_facts.looser else _(" (tighter)")),
        more,
        _.comma.join([step_facts.build.gpus, step_facts.build.precision]) if step_facts.build else "",
    ]


def _effect(more: Decimal) -> str:
    _, amount = language(), f"{abs(more):,}"
    if not more:
        return _("the same")
    return _("saves {amount}", amount=amount) if more < 0 else _("costs {amount}", amount=amount)


def _savings(explained: PointExplained) -> None:
    """Cheaper builds that every rule admits and that the search does not look at."""
    _ = language()
    for saving in explained.savings:
        say(
            _(
                "Cheaper, as fast, and passed by every rule, but not among the builds searched: {what}. It saves "
                "{less} {currency} ({total} in all).",
                what=_.sentence(saving.text),
                less=grouped(saving.less),
                total=grouped(saving.total),
                currency=explained.currency,
            )
            + "\n"
        )


def _neighbour(name: str, neighbour: Neighbour, explained: PointExplained) -> None:
    _ = language()
    where = _("{id} of the front", id=neighbour.id) if neighbour.id else _("beyond the budget")
    gain = neighbour.output_tok_s / explained.output_tok_s - 1
    say(
        _(
            "Next {name} build ({where}): {apart}, {speed} tok/s ({gain})",
            name=name,
            where=where,
            apart=apart(neighbour.more, explained.currency),
            speed=f"{neighbour.output_tok_s:,.1f}",
            gain=f"{gain * 100:+.1f} %",
        )
    )
    rows = [[s.name, str(s.before), str(s.after), grouped(s.more)] for s in neighbour.swaps[:SWAPS]]
    table([_("part"), _("now"), _("then"), _("{currency} more", currency=explained.currency)], rows, {1, 2, 3})
    say(f"  {_('why')}{_.colon}" + "\n       ".join(map(_.sentence, neighbour.figures)) + "\n")
