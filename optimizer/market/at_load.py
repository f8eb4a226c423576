"""What a plan gives to some users, or to a mean load, beside what it gives when it is full."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from catalogs.llm import Llm
from catalogs.schema import Gpu
from constraints.plan import Row
from constraints.policy import Policy
from constraints.request import Request
from optimizer.request.load import load_of
from optimizer.throughput.calibration import Calibration
from optimizer.throughput.offload import steps
from optimizer.throughput.plans import Planner, together
from optimizer.throughput.roofline import SLACK


@dataclass(frozen=True)
class AtLoad:
    """A row with `users` requests at once, spread evenly over its replicas: output tok/s of the whole build and of
    each user, and the time to the first token. `low`: factor on both speeds at the lower end of the 80 % interval."""

    users: int
    tok_s: float
    per_user_tok_s: float
    ttft_ms: float
    low: float


Figures = Callable[[float], tuple[float, float]]
"""(TTFT, time per output token), in seconds, of a replica at some requests at once."""


@dataclass(frozen=True)
class LoadView:
    """Judges rows of one request at the load that it asks for."""

    llm: Llm
    request: Request
    policy: Policy
    calibration: Calibration

    def at_load(self, gpu: Gpu, row: Row) -> AtLoad | None:
        """The row at the users asked for, or at the requests at once that the load's busiest hour brings it (Little's
        law: the fewest that together reach the load's tok/s). None for a request that names neither, and for a load
        beyond what the row gives."""
        if self.request.trains:
            return None
        if self.request.users is not None:
            return self._at(gpu, row, self.request.users)
        load = load_of(self.request, self.policy)
        return None if load is None else self._reaching(gpu, row, load.peak_tok_s)

    def serves_at_low_end(self, gpu: Gpu, row: Row) -> bool:
        """Whether the row serves what is asked for, users or load or both, at the lower end of its interval."""
        request, load = self.request, load_of(self.request, self.policy)
        if load is not None and row.perf.tenths * row.perf.low < load.needed_tok_s * 10:
            return False
        if request.users is None:
            return True
        seen = self._at(gpu, row, request.users)
        least = 0.0 if request.workload == "batch" else request.min_tok_s_user
        quick = request.max_ttft_ms is None or seen.ttft_ms <= request.max_ttft_ms * seen.low * SLACK
        return seen.per_user_tok_s * seen.low * SLACK >= least and quick

    def _at(self, gpu: Gpu, row: Row, users: int) -> AtLoad:
        if row.plan.prefill is not None:
            state = self._planner.splits.state(gpu, row, users)
            ttft_s, tpot_s = float(state.ttft_s[0]), float(state.tpot_s[0])
            return AtLoad(
                users, float(state.requests_s[0]) * self.request.osl, 1 / tpot_s, ttft_s * 1e3, row.perf.low
            )  # fmt: skip
        busy = min(row.plan.replicas, users)
        running = users / busy
        ttft_s, tpot_s = self._figures(gpu, row)(running)
        request_s = ttft_s + tpot_s * (self.request.osl - 1)
        tok_s = users * self.request.osl / request_s
        return AtLoad(users, tok_s, 1 / tpot_s, ttft_s * 1e3, self._low(gpu, row, running))

    def _reaching(self, gpu: Gpu, row: Row, tok_s: float) -> AtLoad | None:
        """At the fewest users that reach `tok_s`, by bisection: more users never lower the speed of all together."""
        most = row.plan.concurrency * row.plan.replicas
        if self._at(gpu, row, most).tok_s < tok_s:
            return None
        least = 1
        while least < most:
            middle = (least + most) // 2
            if self._at(gpu, row, middle).tok_s >= tok_s:
                most = middle
            else:
                least = middle + 1
        return self._at(gpu, row, least)

    def _figures(self, gpu: Gpu, row: Row) -> Figures:
        if row.plan.offload:
            return self._host_figures(gpu, row)
        return self._planner.latencies(gpu, row)

    def _host_figures(self, gpu: Gpu, row: Row) -> Figures:
        request, plan = self.request, row.plan
        pieces = steps(gpu, self.llm, plan.precision, plan.kv_precision, request.isl, request.osl, [row.key])
        assert pieces is not None, "a row that was planned has figures"
        ttft_s = float(pieces.prefill_s[0])
        return lambda running: (ttft_s, float(pieces.tpot_s(np.array([running]), request.osl)[0]))

    def _low(self, gpu: Gpu, row: Row, running: float) -> float:
        """The interval's lower factor there; with experts in host memory it is the same everywhere."""
        if row.plan.offload:
            return row.perf.low
        planner, plan = self._planner, row.plan
        shape = plan.tp, plan.pp, plan.dp, plan.ep
        return planner.fact(gpu, plan.precision, shape, running, together(row.key)).low

    @cached_property
    def _planner(self) -> Planner:
        return Planner(self.llm, self.request, self.policy, self.calibration)
