"""What all typed shapes that dsopt writes are made of."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field

Money = Annotated[str, Field(pattern=r"^-?[0-9]{1,16}(\.[0-9]{1,2})?$")]
TokS = Annotated[float, Field(ge=0, le=1e12)]


class Strict(BaseModel):
    """Frozen, of known fields and finite numbers alone."""

    model_config = ConfigDict(defer_build=True, extra="forbid", frozen=True, allow_inf_nan=False)


M = TypeVar("M", bound=BaseModel)


class NotExact(ValueError):
    """Values that were taken for others, (place, text)."""

    def __init__(self, faults: list[tuple[str, str]]) -> None:
        self.faults = faults
        super().__init__("; ".join(f"{place}: {text}" for place, text in faults))


def exact(cls: type[M], data: Any) -> M:
    """JSON-ready data as a model of just these values: 24.0 and "24" are no whole number, and a day has no time. Raises
    pydantic's ValidationError, and NotExact where a value would be read as another one."""
    read = cls.model_validate_json(json.dumps(data))
    if faults := list(_inexact(data, read.model_dump(mode="json"), "")):
        raise NotExact(faults)
    return read


def _inexact(given: Any, meant: Any, place: str) -> Iterator[tuple[str, str]]:
    """Where what was given is not written as what was read."""
    if isinstance(given, dict) and isinstance(meant, dict):
        for key in given.keys() & meant.keys():
            yield from _inexact(given[key], meant[key], f"{place}.{key}".lstrip("."))
    elif isinstance(given, list) and isinstance(meant, list) and len(given) == len(meant):
        for i, (a, b) in enumerate(zip(given, meant, strict=True)):
            yield from _inexact(a, b, f"{place}[{i}]")
    elif given != meant or not (type(given) is type(meant) or (type(given) is int and type(meant) is float)):
        yield place or "$", f"stored {str(given)[:60]}, read as {str(meant)[:60]}"
