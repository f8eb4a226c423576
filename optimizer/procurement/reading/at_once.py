"""Long lists on two cores: the lines of a file in runs, each read by a process of its own where the system forks.

What a run gives does not depend on who reads it, so that a list is read the same on any machine."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

RUN = 5_000
"""Lines of a run; a quote is far shorter, and no process is started for it."""
Made = TypeVar("Made")


def in_runs(lines: int) -> list[range]:
    """The places of so many lines in runs of at most RUN."""
    return [range(start, min(start + RUN, lines)) for start in range(0, lines, RUN)] or [range(0)]


def at_once(work: Callable[[range], Made], runs: Sequence[range]) -> list[Made]:
    """What `work` makes of each run, in their order. One half is made by a child process where there are several runs,
    two cores, and no other thread that a fork would cut off."""
    if len(runs) < 2 or not _forks():
        return [work(run) for run in runs]
    half = (len(runs) + 1) // 2
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=_send, args=(sender, receiver, work, runs[half:]), daemon=True)
    child.start()
    sender.close()
    try:
        own = [work(run) for run in runs[:half]]
        try:
            others: list[Made] = pickle.loads(receiver.recv_bytes())
        except EOFError:  # the child has died: what it would have made is made here
            others = [work(run) for run in runs[half:]]
    finally:
        receiver.close()
        child.terminate()
        child.join()
    return own + others


def _forks() -> bool:
    """Whether a fork is sound and of use: Linux alone promises that libraries survive it."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
    return sys.platform == "linux" and cores > 1 and threading.active_count() == 1


def _send(sender: Any, receiver: Any, work: Callable[[range], Any], runs: Sequence[range]) -> None:
    receiver.close()
    sender.send_bytes(pickle.dumps([work(run) for run in runs], protocol=pickle.HIGHEST_PROTOCOL))
    sender.close()
