"""How long a solve may take, on how many threads, whether someone asked it to stop, and whom to tell how far it is."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum, unique
from types import FrameType


@unique
class Work(Enum):
    """What limited effort is spent on, each with what one takes: about seconds of a core.

    Fitted by least squares to the questions of requests without a build (benchmarks/latency/effort.py)."""

    ROW_JUDGED = 0.00025
    ROW_ON_HOST_JUDGED = 0.0001
    MARKET_STOCKED = 0.02
    PLATFORM_STOCKED = 0.00008
    """What may fill one platform for one number of GPUs."""
    BUILD_TRIED = 0.012
    ROW_MODELLED = 0.006
    CP_SAT_SECOND = 6.0
    """One of CP-SAT's deterministic seconds."""


Tell = Callable[[str, int, int], None]
"""Called with a phase, what is done and how much there is."""


class TimeUp(Exception):
    """The time limit, the end of the effort, or a request to stop, came before an answer."""


class Clock:
    """Time of one solve. `limit_s`: seconds from now, None for no limit. `workers`: threads of CP-SAT; the answer is
    the same for any number. `effort`: work that may be done, in about seconds of a core, None for no limit: counted by
    what is done, the same on every machine."""

    def __init__(
        self, limit_s: float | None = None, tell: Tell | None = None, workers: int = 1, effort: float | None = None
    ) -> None:
        self.workers, self.effort = workers, effort
        self.deadline = None if limit_s is None else time.monotonic() + limit_s
        self._stopped = False
        self._tell = tell
        self._whole: Clock | None = None

    @property
    def stopped(self) -> bool:
        """Whether it was stopped, or the clock that it is part of."""
        return self._stopped or (self._whole is not None and self._whole.stopped)

    def left(self) -> float:
        """Seconds left; raises TimeUp when none are, or when it was stopped."""
        if self.stopped or (self.effort is not None and self.effort <= 0):
            raise TimeUp
        if self.deadline is None:
            return 1e6
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeUp
        return left

    def spend(self, work: Work, number: float = 1) -> None:
        """Takes work done from what may be done."""
        self.take(work.value * number)

    def take(self, effort: float) -> None:
        """Takes effort from what is left of it."""
        if self.effort is not None:
            self.effort -= effort

    def tick(self, phase: str, done: int, total: int) -> float:
        """`left`, after telling how far the phase is."""
        if self._tell is not None:
            self._tell(phase, done, total)
        return self.left()

    def within(self, effort: float | None) -> Clock:
        """A clock of the same time for a part of the work; stopping this one stops that one too."""
        part = Clock(None, self._tell, self.workers, effort)
        part.deadline, part._whole = self.deadline, self
        return part

    def stop(self) -> None:
        """Ends the solve at its next look at the clock; any thread may call it."""
        self._stopped = True


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
