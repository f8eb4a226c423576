"""A rule is written twice, side by side: `encode` into CP-SAT and `check` on a finished build."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from constraints.case import Case
    from constraints.model import FamilyModel

Status = Literal["pass", "warn", "fail"]


@dataclass(frozen=True)
class Check:
    """One finding of a rule about a build: measured value against limit, in `unit`."""

    rule: str
    status: Status
    measured: float | None
    limit: float | None
    unit: str
    text: str

    @classmethod
    def at_most(cls, rule: str, measured: float, most: float, unit: str, text: str) -> Check:
        """measured <= most."""
        return cls(rule, "pass" if measured <= most else "fail", measured, most, unit, text)

    @classmethod
    def at_least(cls, rule: str, measured: float, least: float, unit: str, text: str) -> Check:
        """measured >= least."""
        return cls(rule, "pass" if measured >= least else "fail", measured, least, unit, text)

    @classmethod
    def of(cls, rule: str, ok: bool, text: str) -> Check:
        """A yes or no finding."""
        return cls(rule, "pass" if ok else "fail", None, None, "", text)

    @classmethod
    def warn(
        cls, rule: str, text: str, measured: float | None = None, limit: float | None = None, unit: str = ""
    ) -> Check:
        return cls(rule, "warn", measured, limit, unit, text)


class Rule(Protocol):
    """`encode` removes from the model every build that `check` fails, and no other."""

    id: str

    def encode(self, m: FamilyModel) -> None: ...

    def check(self, c: Case) -> list[Check]: ...


def gb(n_bytes: int) -> float:
    """Bytes as GB (1e9) with two decimals, for texts; comparisons are made on bytes before."""
    return round(n_bytes / 1e9, 2)
