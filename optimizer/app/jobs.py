"""Work that takes seconds: a queue of jobs, each with a clock that really stops it, one solve per client."""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from tempfile import TemporaryDirectory
from typing import Any, Literal

from catalogs.errors import Fault, InputError
from optimizer.app.limits import JOBS_AT_ONCE, MOST_KEPT, MOST_WAITING
from optimizer.result.schema import Result
from optimizer.search.clock import Clock, TimeUp

State = Literal["waiting", "running", "done", "stopped", "refused", "failed"]
Kind = Literal["solve", "why-not", "xray", "compare"]
ENDED = ("done", "stopped", "refused", "failed")
ALONE: tuple[Kind, ...] = ("solve", "xray", "compare")
"""Kinds of which a client has one at a time: a new one stops the one before."""
log = logging.getLogger("dsopt.app")


class Busy(Exception):
    """Too many jobs wait already."""


@dataclass
class Job:
    """A piece of work and what is known of it. `revision` counts what a page would show anew; `partial` is the front
    so far, `outcome` what the work gave; `about`: what the answer needs to be shown."""

    kind: Kind
    client: str
    about: dict[str, Any] = field(default_factory=dict)
    id: str = field(default_factory=lambda: secrets.token_urlsafe(18))
    state: State = "waiting"
    phase: str = ""
    done: int = 0
    total: int = 0
    revision: int = 0
    partial: Result | None = None
    outcome: Any = None
    faults: Sequence[Fault] = ()
    started: float = field(default_factory=time.monotonic)
    ended: float | None = None
    clock: Clock = field(init=False)

    def __post_init__(self) -> None:
        self.clock = Clock(tell=self.tell)

    @property
    def seconds(self) -> float:
        """Since it was asked for, until it ended."""
        return (time.monotonic() if self.ended is None else self.ended) - self.started

    def tell(self, phase: str, done: int, total: int) -> None:
        """What the clock hears."""
        self.phase, self.done, self.total = phase, done, total

    def tell_front(self, so_far: Result) -> None:
        """What the solver has found."""
        self.partial = so_far
        self.revision += 1


Work = Callable[[Job], Any]


class Desk:
    """All jobs of a server. `close` stops them and waits until they have ended."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(JOBS_AT_ONCE, thread_name_prefix="dsopt-job")
        self._lock = threading.Lock()
        self._jobs: dict[str, Job] = {}

    def put(
        self, kind: Kind, client: str, limit_s: float, work: Work, folder: TemporaryDirectory[str] | None = None,
        about: dict[str, Any] | None = None,
    ) -> Job:  # fmt: skip
        """Queues work; `folder` is removed when it has ended. Raises Busy where too many wait."""
        job = Job(kind, client, about or {})
        with self._lock:
            if kind in ALONE:
                for other in self._jobs.values():
                    if other.client == client and other.kind in ALONE and other.state not in ENDED:
                        other.clock.stop()
            if sum(x.state == "waiting" and not x.clock.stopped for x in self._jobs.values()) >= MOST_WAITING:
                raise Busy
            self._forget()
            self._jobs[job.id] = job
        self._pool.submit(self._run, job, work, folder, limit_s)
        return job

    def get(self, id: str) -> Job | None:
        """A job by its id, which nobody can guess."""
        with self._lock:
            return self._jobs.get(id)

    def running(self) -> int:
        """Jobs that have not ended."""
        with self._lock:
            return sum(x.state not in ENDED for x in self._jobs.values())

    def close(self) -> None:
        """Stops all work."""
        with self._lock:
            for job in self._jobs.values():
                job.clock.stop()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _forget(self) -> None:
        """Lets the oldest answers go."""
        ended = [job.id for job in self._jobs.values() if job.state in ENDED]
        for old in ended[: max(0, len(ended) - MOST_KEPT + 1)]:
            del self._jobs[old]

    def _run(self, job: Job, work: Work, folder: TemporaryDirectory[str] | None, limit_s: float) -> None:
        job.clock.deadline = time.monotonic() + limit_s  # what it waited is not taken from it
        job.state = "running"
        ended: State = "done"
        try:
            job.clock.left()
            job.outcome = work(job)
            if job.clock.stopped:
                ended = "stopped"
        except TimeUp:
            ended = "stopped"
        except InputError as e:
            ended, job.faults = "refused", e.faults
        except Exception:
            log.exception("job %s failed", job.kind)  # in the server's terminal, never in the browser
            ended = "failed"
        finally:
            if folder is not None:
                folder.cleanup()
            job.ended = time.monotonic()
            job.revision += 1
            job.state = ended
