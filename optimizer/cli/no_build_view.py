"""Terminal view of a request that no build meets: the conflict, then the ways out as they are found."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence

from optimizer.cli.output import note
from optimizer.explanation.no_build import Tell
from optimizer.explanation.schema import ConditionFacts, NoBuild, WayOut


def telling() -> Tell | None:
    """On a terminal: says on stderr what is known while the rest is still searched."""
    if not sys.stderr.isatty():
        return None
    started = time.monotonic()

    def tell(said: list[ConditionFacts] | WayOut) -> None:
        seconds = f"{time.monotonic() - started:4.1f} s"
        if isinstance(said, WayOut):
            note(f"{seconds}  {changes(said)}: {said.build.total} {said.build.currency}")
        else:
            note(f"{seconds}  in conflict: {', '.join(c.text for c in said) or 'nothing that was asked'}")

    return tell


def changes(way: WayOut) -> str:
    """The changes of a way out in words."""
    return " and ".join(c.text for c in way.changes)


def show_no_build(found: NoBuild, messages: Sequence[Mapping[str, str]] = ()) -> None:
    """The whole explanation on stdout, notes on stderr."""
    for m in messages:
        if m["code"] == "guide-name":
            note(f"{m['severity']}: {m['text']}")
    print("No build exists within these conditions.\n")
    if found.conflict:
        again = ", twice" if found.verified else ""
        print(f"In conflict (proven{again}: together they allow no build, without any one of them there is one):")
        for c in found.conflict:
            print(f"  - {c.text}{'' if c.asked else ' (default)'}   [{c.rule}]")
    else:
        print("Whatever condition is given up, no build of this catalog runs the model.")
    if found.ways_out:
        print("\nWays out, the cheapest build first (each the smallest change, proven: the next smaller one fails):")
    for way in found.ways_out:
        b = way.build
        print(f"\n  {changes(way)}")
        print(f"      {b.total} {b.currency}, {b.output_tok_s:,.1f} tok/s, {b.gpus}, {b.precision}")
        if smaller := [c.smaller for c in way.changes if c.smaller]:
            print(f"      fails: {'; '.join(smaller)}")
        print(f"      {way.command}")
    if not found.ways_out and found.complete:
        print("\nNo change of one condition, nor of two, makes a build possible.")
    if not found.complete:
        print("\nTime ended the search for ways out; there may be more (--time-limit).")
    if found.dropped:
        print("\nWhat became of the GPUs:")
    for d in found.dropped:
        few = ", ".join(d.gpus[:4]) + (f" and {len(d.gpus) - 4} more" if len(d.gpus) > 4 else "")
        print(f"  {len(d.gpus):3}  {d.reason}: {few}")
