"""Long and short versions of a test: what stays in every run, and what is run before a release (`--long`)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

import pytest

Case = TypeVar("Case")

_asked = False


def ask(long: bool) -> None:
    """What the command line says, before any test is imported."""
    global _asked
    _asked = long


def wanted() -> bool:
    """Whether long versions run."""
    return _asked


def one_in(step: int, cases: Iterable[Any]) -> list[Any]:
    """Cases of a parametrised test of which every `step`-th, the first among them, runs always, the others in the long
    version. A step that shares no factor with a cycle in the cases (random catalogs of six kinds in turn: 7) keeps some
    of each kind."""
    return [case if at % step == 0 else _long(case) for at, case in enumerate(cases)]


def sampled(step: int, cases: Iterable[Case]) -> list[Case]:
    """Cases that one test goes through by itself: all of them in the long version, in the short every `step`-th, the
    first among them."""
    return list(cases)[:: 1 if wanted() else step]


def examples(number: int) -> int:
    """Random examples of a property: all of them in the long version, a fifth in the short."""
    return number if wanted() else max(3, number // 5)


def _long(case: Any) -> Any:
    if hasattr(case, "marks"):  # a pytest.param already
        return pytest.param(*case.values, marks=[*case.marks, pytest.mark.long], id=case.id)
    values = case if type(case) is tuple else (case,)  # a named tuple is one value
    return pytest.param(*values, marks=pytest.mark.long)
