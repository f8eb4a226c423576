"""A test double that tells which attributes of a part a model reads."""

from __future__ import annotations

from typing import Any


class Seen:
    """Passes a GPU's attributes on and notes which were read."""

    def __init__(self, gpu: Any) -> None:
        self.__dict__["gpu"], self.__dict__["names"] = gpu, set()

    def __getattr__(self, name: str) -> Any:
        self.__dict__["names"].add(name)
        return getattr(self.__dict__["gpu"], name)
