"""How long a solve may take, on how many threads, whether someone asked it to stop, and whom to tell how far it is."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

Tell = Callable[[str, int, int], None]
"""Called with a phase, what is done and how much there is."""


class TimeUp(Exception):
    """The time limit, or a request to stop, came before an answer."""


class Clock:
    """Time of one solve. `limit_s`: seconds from now, None for no limit. `workers`: threads of CP-SAT; the answer is
    the same for any number."""

    def __init__(self, limit_s: float | None = None, tell: Tell | None = None, workers: int = 1) -> None:
        self.workers = workers
        self.deadline = None if limit_s is None else time.monotonic() + limit_s
        self.stopped = False
        self._tell = tell

    def left(self) -> float:
        """Seconds left; raises TimeUp when none are, or when it was stopped."""
        if self.stopped:
            raise TimeUp
        if self.deadline is None:
            return 1e6
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeUp
        return left

    def tick(self, phase: str, done: int, total: int) -> float:
        """`left`, after telling how far the phase is."""
        if self._tell is not None:
            self._tell(phase, done, total)
        return self.left()

    def stop(self) -> None:
        """Ends the solve at its next look at the clock; any thread may call it."""
        self.stopped = True


@contextmanager
def interruptible(clock: Clock) -> Iterator[None]:
    """The first Ctrl-C stops the clock, a second one interrupts as ever."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGINT)

    def first(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, before)
        clock.stop()

    signal.signal(signal.SIGINT, first)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
