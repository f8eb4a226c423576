"""Terminal view of a request that no build meets: the conflict, then the ways out as they are found."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from catalogs.message import read_message
from optimizer.cli.front_view import coded, remark
from optimizer.cli.money_view import grouped
from optimizer.cli.output import note, say
from optimizer.cli.progress import passing
from optimizer.procurement.labels import category, rule_titles
from optimizer.result.explanation_schema import ConditionFacts, NoBuild, WayOut
from optimizer.text.languages import chosen as language

if TYPE_CHECKING:
    from optimizer.explanation.no_build.explained import Tell

NAMED = 4
"""GPUs named of those dropped for one reason."""


def telling(brief: bool = False) -> Tell | None:
    """On a terminal: says on stderr what is known while the rest is still searched; `brief`: in a line that goes."""
    if not sys.stderr.isatty():
        return None
    started, _, told = time.monotonic(), language(), passing if brief else note

    def tell(said: list[ConditionFacts] | WayOut) -> None:
        seconds = f"{time.monotonic() - started:4.1f} s"
        if isinstance(said, WayOut):
            told(f"{seconds}  {changes(said)}{_.colon}{grouped(said.build.total)} {said.build.currency}")
        else:
            members = _.list(c.text for c in said) or _("nothing that was asked")
            told(f"{seconds}  {_('in conflict: {what}', what=members)}")

    return tell


def changes(way: WayOut) -> str:
    """The changes of a way out in words."""
    return language().list((change.text for change in way.changes), " and ")


def show_no_build(found: NoBuild, messages: Sequence[Mapping[str, str]] = ()) -> None:
    """The whole explanation on stdout, notes on stderr."""
    _ = language()
    for message_ in messages:
        if message_["code"] == "guide-name":
            note(f"{_(message_['severity'])}{_.colon}{remark(read_message(message_))}")
    say(_("No build exists within these conditions.") + "\n")
    if not found.minimal:
        say(
            _("In conflict (proven: it allows no build; whether there is one without it was not found in the time):")
            if len(found.conflict) == 1
            else _("In conflict (proven: together they allow no build; perhaps not all of them are needed for that):")
        )
        for condition in found.conflict:
            say(f"  - {_member(condition)}{_from(condition, found)}")
    elif found.conflict:
        say(_conflict(len(found.conflict), found.verified))
        for condition in found.conflict:
            say(f"  - {_member(condition)}")
        if any(change.key == "offload" for way in found.ways_out for change in way.changes):
            # Offload is a way out and no condition: the proof of the conflict holds every expert in GPU memory.
            say(_("All weights are in GPU memory in this proof; a way out puts routed experts in host memory."))
    else:
        say(_("Whatever condition is given up, no build of this catalog runs the model."))
    if found.ways_out:
        said = (
            _("Ways out, the cheapest build first (each the smallest change, proven: the next smaller one fails):")
            if all(w.smallest for w in found.ways_out)
            else _("Ways out, the cheapest build first (the smallest change, proven, unless it is said):")
        )
        say(f"\n{said}")
    for way in found.ways_out:
        _way(way)
    if not found.ways_out and found.complete:
        say("\n" + _("No change of one condition, nor of two, makes a build possible."))
    if not found.complete:
        said = _("The search for ways out ended; there may be more: `dsopt explain` on the result (-o) goes on.")
        say(f"\n{said}")
    if found.missing:
        say("\n" + _("Categories of which nothing can be bought as asked:"))
    for x in found.missing:
        say(f"  {category(_, x.category)}{_.colon}{_.sentence(x.reason)}")
    if found.dropped:
        say("\n" + _("What became of the GPUs:"))
    for d in found.dropped:
        few = _.list(d.gpus[:NAMED])
        if len(d.gpus) > NAMED:
            few = _("{names} and {n} more", names=few, n=len(d.gpus) - NAMED)
        say(f"  {len(d.gpus):3}  {_.sentence(d.reason)}{_.colon}{few}")


def _conflict(members: int, verified: bool) -> str:
    """What stands above the smallest set of conditions in conflict."""
    _ = language()
    if members == 1:
        return (
            _("In conflict (proven, twice: it allows no build, whatever else is given up):")
            if verified
            else _("In conflict (proven: it allows no build, whatever else is given up):")
        )
    return (
        _("In conflict (proven, twice: together they allow no build, whatever else is given up; each is needed):")
        if verified
        else _("In conflict (proven: together they allow no build, whatever else is given up; each is needed):")
    )


def _member(condition: ConditionFacts) -> str:
    """A condition in conflict, with the rule that carries it."""
    _ = language()
    default = "" if condition.asked else _(" (default)")
    return f"{_.sentence(condition.text)}{default}   [{coded(rule_titles(), condition.rule)}]"


def _from(condition: ConditionFacts, found: NoBuild) -> str:
    """What a build costs without this condition, where no way out says so."""
    if condition.without_total is None or any(
        change.key == condition.key for w in found.ways_out for change in w.changes
    ):
        return ""
    return language()("   without it from {total}", total=grouped(condition.without_total))


def _way(way: WayOut) -> None:
    _, build = language(), way.build
    say(f"\n  {changes(way)}")
    total = f"{grouped(build.total)} {build.currency}"
    speed = f"{build.output_tok_s:,.1f} {_('tok/s')}"
    say(f"      {_.comma.join([total, speed, build.gpus, build.precision])}")
    if smaller := [change.smaller for change in way.changes if change.smaller]:
        say(f"      {_('fails: {what}', what=_.list(smaller, '; '))}")
    if not way.smallest:
        say(f"      {_('perhaps a smaller change does: the search ended')}")
    print(f"      {way.command}")
