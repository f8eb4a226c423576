"""What is wrong in a result, and where: a JSON path, what is stored, what it should be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

NAMES = ("id", "part", "role", "offer_id", "rule", "gpu", "per_node", "code")
"""Fields that tell the rows of a list apart."""
SAYS = {
    **dict.fromkeys(
        ("unit_price", "offer_id", "condition", "price_date", "price_confidence", "price_source", "stale"), "offer says"
    ),
    **dict.fromkeys(("output_tok_s", "per_user_tok_s", "ttft_ms", "concurrency", "low", "high"), "the roofline says"),
    **dict.fromkeys(("status", "measured", "limit", "text"), "the rule finds"),
}


@dataclass(frozen=True)
class Wrong:
    """One thing wrong at a JSON path such as `front[2].bom[5].unit_price`."""

    where: str
    text: str

    def __str__(self) -> str:
        return f"{self.where}: {self.text}"


@dataclass
class Report:
    """All that was found wrong, and what could not be checked for want of the catalog."""

    wrong: list[Wrong] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)

    def add(self, where: str, text: str) -> None:
        self.wrong.append(Wrong(where, text))


def differences(stored: Any, found: Any, where: str = "") -> Iterator[Wrong]:
    """Where two documents differ."""
    if isinstance(stored, dict) and isinstance(found, dict):
        for key in [*stored, *(k for k in found if k not in stored)]:
            place = f"{where}.{key}" if where else str(key)
            if key not in found:
                yield Wrong(place, f"stored {short(stored[key])}, there should be none")
            elif key not in stored:
                yield Wrong(place, f"missing, should be {short(found[key])}")
            else:
                yield from differences(stored[key], found[key], place)
    elif isinstance(stored, list) and isinstance(found, list):
        yield from _of_lists(stored, found, where)
    elif stored != found or _kind(stored) is not _kind(found):
        says = SAYS.get(where.rpartition(".")[2], "should be")
        yield Wrong(where, f"stored {short(stored)}, {says} {short(found)}")


def _kind(value: Any) -> type:
    """JSON has one kind of number: 128 and 128.0 are the same, True is neither."""
    return float if type(value) is int else type(value)


def _of_lists(stored: list[Any], found: list[Any], where: str) -> Iterator[Wrong]:
    if len(stored) == len(found):
        for i, (a, b) in enumerate(zip(stored, found, strict=True)):
            yield from differences(a, b, f"{where}[{i}]")
        return
    left = list(found)
    for i, row in enumerate(stored):
        same = next((x for x in left if _name(x) == _name(row)), None)
        if same is None:
            yield Wrong(f"{where}[{i}]", f"stored {_name(row)}, there should be none")
        else:
            left.remove(same)
            yield from differences(row, same, f"{where}[{i}]")
    for row in left:
        yield Wrong(where, f"lacks {_name(row)}")


def _name(row: Any) -> str:
    if not isinstance(row, dict):
        return short(row)
    return ", ".join(str(row[k]) for k in NAMES if row.get(k) is not None) or short(row)


def short(value: Any) -> str:
    """A value in a few words."""
    text = str(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
