"""From a load that a buyer knows (tokens a day, requests a second) to the throughput to buy, and what waiting follows.

Required throughput = mean load x load.peak_to_mean / load.utilisation_percent (policy). A build with `c` requests at
once and X tok/s is taken as `c` servers that each need T = c x osl / X for a request (T with all places taken; with
fewer taken the engine is faster, so waits are upper bounds). Requests at once: Little's law, L = rate x T (Little 1961,
doi:10.1287/opre.9.3.383). Mean wait for a place: M/M/c, Erlang C / (c/T - rate) (Kleinrock, Queueing Systems vol. 1,
1975, section 3.5).
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from catalogs.message import message
from constraints.policy import Policy
from constraints.request import Request


@dataclass(frozen=True)
class Load:
    """Output tok/s in the mean, in the busiest hour, and that a build must reach; `requests_s` of the busiest hour."""

    mean_tok_s: float
    peak_tok_s: float
    needed_tok_s: float
    requests_s: float


@dataclass(frozen=True)
class Queue:
    """A build in the busiest hour: share of its throughput that is used, requests at once, mean wait in seconds for a
    place (None where the load is more than it serves)."""

    utilisation: float
    requests_at_once: float
    mean_wait_s: float | None


def load_of(request: Request, policy: Policy) -> Load | None:
    """The load of a request; None when it names none."""
    mean = request.mean_tok_s
    if mean is None:
        return None
    peak = mean * float(policy["load.peak_to_mean"])
    share = max(1e-6, float(policy["load.utilisation_percent"]) / 100)
    return Load(mean, peak, peak / share, peak / request.osl)


def needed_tenths(load: Load) -> int:
    """The throughput that a load needs, in 0.1 tok/s, rounded up."""
    return max(1, math.ceil(load.needed_tok_s * 10))


def with_load(request: Request, policy: Policy) -> Request:
    """The request with the throughput that its load needs as the least one."""
    load = load_of(request, policy)
    if load is None:
        return request
    least = max(needed_tenths(load), request.throughput_tenths or 0)
    return request.model_copy(update={"throughput_tenths": least})


def queue(load: Load, output_tok_s: float, places: int, osl: int) -> Queue:
    """The load on a build of `output_tok_s` with `places` requests at once."""
    busy = load.peak_tok_s / output_tok_s
    request_s = places * osl / output_tok_s
    at_once = load.requests_s * request_s
    if busy >= 1:
        return Queue(busy, places, None)
    wait = erlang_c(places, at_once) * request_s / (places - at_once)
    return Queue(busy, at_once + load.requests_s * wait, wait)


def erlang_c(servers: int, offered: float) -> float:
    """Share of arrivals that wait in M/M/c at `offered` < `servers` Erlang (by the recursion of Erlang B)."""
    blocked = 1.0
    for k in range(1, servers + 1):
        blocked = offered * blocked / (k + offered * blocked)
    busy = offered / servers
    return blocked / (1 - busy * (1 - blocked))


def words(load: Load, policy: Policy) -> str:
    """Where the required throughput comes from, in a sentence."""
    return message(
        "{mean} output tok/s in the mean x {ratio} in the busiest hour (load.peak_to_mean) = {peak}, at {percent} % "
        "utilisation (load.utilisation_percent): {needed} tok/s are needed.",
        mean=f"{load.mean_tok_s:,.1f}", ratio=policy["load.peak_to_mean"], peak=f"{load.peak_tok_s:,.1f}",
        percent=policy["load.utilisation_percent"], needed=f"{load.needed_tok_s:,.1f}",
    )  # fmt: skip


def queue_words(name: str, q: Queue) -> str:
    """What the busiest hour does to a build, in a sentence."""
    if q.mean_wait_s is None:
        return message(
            "{name} does not serve the busiest hour: it asks for {percent} % of what it gives.",
            name=name, percent=f"{q.utilisation * 100:.0f}",
        )  # fmt: skip
    return message(
        "In the busiest hour {name} is {percent} % busy with at most {n} requests at once on average (Little's law, at "
        "its speed when full); mean wait for a place {wait} (M/M/c, Erlang C).",
        name=name, percent=f"{q.utilisation * 100:.0f}", n=f"{q.requests_at_once:,.1f}",
        wait=message("below 0.01 s") if q.mean_wait_s < 0.01 else f"{q.mean_wait_s:,.2f} s",
    )  # fmt: skip


def facts(load: Load, q: Queue | None) -> dict[str, Any]:
    """Load and queue as data."""
    return {k: v if v is None else round(v, 4) for k, v in {**asdict(load), **(asdict(q) if q else {})}.items()}
