"""Why no plan of the model runs on a build: what the X-ray and the comparison of bids say of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from constraints.rules.fit import Fit
from constraints.rules.registry import that_read
from optimizer.text.languages import N_

LIMITS = N_("no plan on these GPUs keeps every limit (users, speed of each user, time to first token, precision)")


class Finding(Protocol):
    """A finding of a rule, as an object or as data."""

    @property
    def rule(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def text(self) -> str: ...


def stop_of(checks: Iterable[Finding], gpu: str) -> str:
    """What keeps every plan from a build of such GPUs: the first rule that it fails, else the request's limits."""
    failed = [check for check in checks if check.status == "fail"]
    no_plan = that_read("model") | that_read("row")
    texts = [c.text for c in failed if c.rule in no_plan]
    # A GPU that its chassis can't hold or feed runs no plan either.
    texts += [c.text for c in failed if c.rule == Fit.id and gpu in c.text]
    return texts[0] if texts else LIMITS
