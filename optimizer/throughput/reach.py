"""What no replica on a kind of GPU goes beyond, whatever its shape: bounds that spare the judging of plans.

They rest on one GPU that has all of the model to itself (`one`): a replica of n GPUs shares out bytes and FLOPs evenly
at best, so that each term that grows with them is at least the n-th part of the one GPU's; kernels are launched and
steps scheduled as on one GPU, and links take time on top. The shares hold because experts are touched less than
proportionally (`expert_skew` <= 1), no expert rank holds less than the mean, and prefills of others delay a request at
most by their own time (`prefill_mixing` <= 1).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from optimizer.throughput.constants import Constants
from optimizer.throughput.roofline import Floats, Times

ROUNDING = 1 + 1e-6
"""Room for rounding where a bound meets a limit."""


@dataclass(frozen=True)
class Reach:
    """`gpus`: below so many no replica meets the latency limits. Per GPU of one that does at most `users` requests run
    at once, and per GPU of any replica at most `tok_s` output tokens a second come out.

    Prefill and decode apart keep `gpus` and `tok_s` too: a request takes as much of the GPUs of either half as of one
    GPU at least, its whole prefill of the first and its tokens, no prefill between them, of the second; together no
    less than where they share GPUs, for `prefill_mixing` of a prefill at most is counted there. `users` they may
    exceed: a request that waits for its prefill is no load of decode."""

    gpus: float
    users: float
    tok_s: float


ANYWHERE = Reach(0.0, math.inf, math.inf)


def holds(constants: Constants) -> bool:
    """Whether constants, which a user may fit anew, keep what the bounds rest on."""
    return constants["expert_skew"] <= 1 <= constants["expert_imbalance"] and constants["prefill_mixing"] <= 1


def reach(alone: Times, user_tok_s: float, max_ttft_ms: float | None) -> list[Reach]:
    """From the times of one GPU each, and the limits of the request."""
    alone = alone.without_drafts()
    fixed, prefill_fixed, prefill = alone.stage_fixed_s, alone.prefill_fixed_s, alone.prefill_s
    osl = np.maximum(alone.osl, 1)
    waiting = (1 - alone.burst) * alone.mixing * prefill / osl  # for the prefill of one more request, per token
    flops = alone.flops_user_s + alone.hidden * waiting
    busy = np.power(np.power(alone.mem_user_s, alone.knee) + np.power(flops, alone.knee), 1 / alone.knee)
    # What one more request adds to a step: its own token, and its prefill shared out over its tokens.
    token = busy + alone.user_s + (1 - alone.hidden) * waiting
    tpot = ROUNDING / max(user_tok_s, 1e-9)
    # n GPUs take the whole of what does not shrink with n, and at least the n-th part of the rest: solved for n.
    gpus = _ratio(alone.step_s(1) - fixed, tpot - fixed)
    # Each request adds its own tokens to a step, each but the first its prefill: solved for the number of requests.
    users = _ratio(tpot - fixed + waiting, token)
    if max_ttft_ms is not None:
        ttft = ROUNDING * max_ttft_ms / 1e3
        gpus = np.maximum(gpus, _ratio(prefill, ttft - prefill_fixed))
        users = np.minimum(users, _ratio(ttft - prefill_fixed, alone.burst * alone.mixing * prefill))
    # In a batch as large as can be all fixed times are shared out to nothing: what is left is a request's own work.
    request = prefill * alone.mixing * alone.burst + token * (osl - 1)
    found = np.broadcast_arrays(gpus, np.maximum(0.0, users) * ROUNDING, _ratio(osl, request) * ROUNDING)
    return [Reach(*figures) for figures in zip(*(column.tolist() for column in found), strict=True)]


def _ratio(part: Floats, whole: Floats) -> Floats:
    """part / whole; without bound where nothing is left to divide by."""
    some = np.asarray(whole) > 0
    return np.where(some, part / np.where(some, whole, 1.0), math.inf)
