"""A request that no build meets, on one screen: the conflict, the ways out that say most, what to type next."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

from optimizer.cli.money_view import grouped
from optimizer.cli.no_build_view import changes
from optimizer.cli.output import screen_of
from optimizer.cli.progress import wipe
from optimizer.cli.short_view import FEW, KEPT, fitted, following, free_name, listed, rows_left, typed_lines
from optimizer.result.explanation_schema import NoBuild, WayOut
from optimizer.text.languages import chosen

DATED, SPOKEN = re.compile(r" --as-of \S+"), re.compile(r" --lang \w+$")


def show_no_build_short(found: NoBuild, command: str, kept: Path | None) -> None:
    """Prints it. `command`: what asks for this answer again; `kept`: the file that holds the result."""
    width, rows = screen_of(sys.stdout), rows_left()
    wipe()
    print("\n".join(no_build(found, command, kept, width, rows)), flush=True)


def no_build(found: NoBuild, command: str, kept: Path | None, width: int | None, rows: int) -> list[str]:
    """The lines, of at most `width` cells; as many ways out as `rows` have room for, one at least."""
    for number in range(FEW, 0, -1):
        lines = _with_ways(found, telling_ways(found, number), command, kept, width)
        if len(lines) <= rows:
            break
    return lines


def _with_ways(found: NoBuild, ways: list[WayOut], command: str, kept: Path | None, width: int | None) -> list[str]:
    _ = chosen()
    told = ["", _("No build exists within these conditions.")]
    if found.conflict:
        members = _.list((condition.text for condition in found.conflict), "; ")
        words = (
            _("In conflict: {what}.") if len(found.conflict) > 1 or not found.minimal else _("Ruled out by: {what}.")
        )
        told[1] += _.apart + words.replace("{what}", members)
    else:
        told[1] += _.apart + _("Whatever condition is given up, no build of this catalog runs the model.")
    lines = [x for text in told for x in fitted(text, width)]
    if ways:
        lines += ["", *fitted(_("Ways out, with the command for each:"), width)]
    for way in ways:
        lines += _way(way, command, width)
    if more := len(found.ways_out) - len(ways):
        lines += listed(_("{n} more ways out, and what became of each GPU: -v", n=more), width)
    elif found.dropped or found.missing:
        lines += listed(_("What became of each GPU: -v"), width)
    result = shlex.quote(str(kept)) if kept else free_name(KEPT, "json")
    last = f"dsopt explain {result}" if kept else f"{command} -o {result}"
    return [*lines, *following([f"{command} -v", last], width)]


def telling_ways(found: NoBuild, number: int) -> list[WayOut]:
    """The cheapest ways out, and among them the simplest that changes the conditions in conflict alone: it says what
    the request itself would cost."""
    keys = {condition.key for condition in found.conflict}
    direct = [way for way in found.ways_out if {change.key for change in way.changes} <= keys]
    some = list(found.ways_out[:number])
    simplest = min(direct, key=lambda way: len(way.changes), default=None)
    return some if simplest is None or simplest in some else [*some[: number - 1], simplest]


def _way(way: WayOut, command: str, width: int | None) -> list[str]:
    """A way out in words, and its command; with the date of the prices and the language where `command` has them."""
    _, build, typed = chosen(), way.build, way.command
    if " --as-of " not in command:
        typed = DATED.sub("", typed)
    if spoken := SPOKEN.search(command):
        typed += spoken[0]
    figures = [f"{grouped(build.total)} {build.currency}", f"{build.output_tok_s:,.1f} {_('tok/s')}", build.gpus]
    return [*listed(f"{changes(way)}{_.colon}{_.comma.join(figures)}", width), *typed_lines(typed, width)]
