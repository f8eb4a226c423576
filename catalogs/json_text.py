"""JSON read strictly: no key twice in one object (readers differ in which one counts), no NaN or Infinity
unless they are asked for."""

from __future__ import annotations

import json
from typing import Any


class _Twice(dict[str, Any]):
    """An object of which one key stands twice."""

    key = ""


def loads(text: str, *, endless: bool = False) -> Any:
    """The values of a JSON text, a byte order mark aside. Raises ValueError with the place of a key that stands twice,
    RecursionError for what nests too deep.

    `endless`: NaN and Infinity, which Python writes though they are no JSON, are texts instead of an error."""
    doubled = False

    def read(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal doubled
        found = dict(pairs)
        if len(found) == len(pairs):
            return found
        doubled = True
        out, seen = _Twice(found), set[str]()
        out.key = next(k for k, _ in pairs if k in seen or seen.add(k))  # type: ignore[func-returns-value]
        return out

    data = json.loads(
        text.removeprefix("\ufeff"), object_pairs_hook=read, parse_constant=str if endless else _no_number
    )
    if doubled:
        place, key = _first(data, "")
        raise ValueError(f"{place or '$'}: the key {key!r} stands twice")
    return data


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")


def _first(data: Any, place: str) -> tuple[str, str]:
    """(place, key) of the first object with a key twice; ("", "") where there is none. One that was dropped for another
    of the same key is not found: its parent is."""
    if isinstance(data, _Twice):
        return place, data.key
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in items:
        inner = f"{place}[{key}]" if isinstance(key, int) else f"{place}.{key}".lstrip(".")
        if isinstance(value, dict | list) and (found := _first(value, inner))[1]:
            return found
    return "", ""
