"""A module that is imported when one of its functions is first called: the table of fields is read for `--help`, which
needs options and no rules, prices or models of data."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any


class Late:
    """Stands for a module; its attributes stand for the functions of that name."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, function: str) -> Callable[..., Any]:
        def called(*args: Any, **named: Any) -> Any:
            return getattr(import_module(self._name), function)(*args, **named)

        return called
