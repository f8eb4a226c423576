"""CP-SAT's Python layer, loaded without pandas.

It imports pandas for series of variables, which no model here has; that takes a quarter of a second of every cold
start. A stand-in takes pandas' place while it loads, and gives way to the real one as soon as anybody makes or tests a
series.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any


class _Lazy(type):
    """A class of pandas by name: none but the real one has instances."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        return getattr(import_module("pandas"), cls.__name__)(*args, **kwargs)

    def __instancecheck__(cls, instance: Any) -> bool:
        pandas = sys.modules.get("pandas")
        return pandas is not None and isinstance(instance, getattr(pandas, cls.__name__))


@contextmanager
def _without_pandas() -> Iterator[None]:
    """`import pandas` gives the stand-in, unless pandas is there already."""
    if "pandas" in sys.modules:
        yield
        return
    stand_in = ModuleType("pandas")
    for name in ("Index", "Series"):
        setattr(stand_in, name, _Lazy(name, (), {}))
    sys.modules["pandas"] = stand_in
    try:
        yield
    finally:
        del sys.modules["pandas"]


with _without_pandas():
    from ortools.sat.python import cp_model as cp_model
