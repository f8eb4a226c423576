"""Progress of a solve: one line on stderr, where a terminal is there and the work takes more than a second."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from optimizer.cli.streams import obeyed
from optimizer.search.clock import Tell
from optimizer.text.languages import N_, chosen

AFTER_S = 1.0
EVERY_S = 0.1
WORDS = {
    "plans": N_("judging plans {done} of {total}, {seconds} s (Ctrl-C: the front so far)"),
    "search": N_("searching builds {done} of {total}, {seconds} s (Ctrl-C: the front so far)"),
    "proof": N_("proving families {done} of {total}, {seconds} s (Ctrl-C: the front so far)"),
}


_shown = False


def wipe() -> None:
    """Takes the line away, before something else is printed."""
    global _shown
    if _shown:
        _shown = False
        print("\r\x1b[K", end="", file=obeyed(sys.stderr), flush=True)


def passing(text: str) -> None:
    """A line on a terminal's stderr that the next output takes away."""
    global _shown
    _shown = True
    room = max(20, shutil.get_terminal_size().columns) - 1
    print(f"\r\x1b[K{fitting(text, room)}", end="", file=obeyed(sys.stderr), flush=True)


def fitting(text: str, cells: int) -> str:
    """As much of a text as a line of so many cells holds."""
    from rich.cells import set_cell_size

    return set_cell_size(text, cells).rstrip()


@contextmanager
def progress() -> Iterator[Tell | None]:
    """What to tell the progress to; None where nobody watches. The line is wiped at the end."""
    if not sys.stderr.isatty():
        yield None
        return
    started = last = time.monotonic()

    def tell(phase: str, done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - started >= AFTER_S and now - last >= EVERY_S:
            last = now
            text = chosen()(WORDS[phase], done=done, total=total, seconds=f"{now - started:.0f}")
            passing(text)

    try:
        yield tell
    finally:
        wipe()
