"""Texts that people write into values: GPU counts, days. Of files and options alike."""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from typing import Any

from catalogs.errors import Fault, InputError, NotUsed
from catalogs.load import Catalog
from catalogs.schema import Gpu
from constraints.request import TRAINING, workload_lengths

COUNT_FIRST = re.compile(r"(?P<count>\d{1,6})\s*(?:[x×*]|[张卡块片])\s*(?P<name>.+)", re.IGNORECASE | re.ASCII)
COUNT_LAST = re.compile(r"(?P<name>.+?)(?:\s+x|\s*[×*])\s*(?P<count>\d{1,6})", re.IGNORECASE | re.ASCII)


def gpu(text: str, catalog: Catalog) -> tuple[int | None, str]:
    """`8xH200`, `4 x 4090`, `H20 ×8`, `8卡A100 80G`, `mi300x` -> (count or None, GPU id).

    A memory size behind the name picks among the GPUs of that size. Raises InputError as Catalog.find does."""
    plain = unicodedata.normalize("NFKC", text).strip()
    gpus = [part for part in catalog.parts.values() if isinstance(part, Gpu)]
    known = Catalog({p.id: p for p in gpus}, {}, "")
    readings = [(m["name"], m["count"]) for m in (COUNT_FIRST.fullmatch(plain), COUNT_LAST.fullmatch(plain)) if m]
    readings.append((plain, None))
    name, count = next((r for r in readings if known.hits(r[0])), readings[0])
    size = re.fullmatch(r"(.+?)\s*\b(\d{1,4})\s*gb?", name, re.IGNORECASE | re.ASCII)
    if size and not known.hits(name):
        sized = Catalog({p.id: p for p in gpus if p.vram_gb == int(size[2])}, {}, "")
        if sized.hits(size[1]):
            known, name = sized, size[1]
    if count is not None and int(count) < 1:
        raise InputError(Fault("bad-count", "needs one GPU at least", value=text, remedy=f"For example 8x{name}."))
    return (int(count) if count else None), known.find(name).id


def cards(text: str, catalog: Catalog) -> list[tuple[int | None, str]]:
    """`RTX 3090 + 2 x RTX 4060 Ti 16GB` -> (count or None, GPU id) of each kind; one entry where no plus sign joins
    several. Raises InputError as `gpu` does, and where nothing stands beside a plus sign."""
    kinds = unicodedata.normalize("NFKC", text).split("+")
    if len(kinds) > 1 and not all(kind.strip() for kind in kinds):
        remedy = "A mix of cards is written 'RTX 3090 + 2 x RTX A6000'."
        raise InputError(Fault("bad-mix", "names no GPU beside a plus sign", "--gpu", value=text[:80], remedy=remedy))
    return [gpu(kind.strip(), catalog) for kind in kinds]


def above_zero(number: float | None, most: float, option: str, code: str) -> float | None:
    """A number of an option that has to be above 0 and below `most`. Raises InputError with the code."""
    if number is not None and not 0 < number < most:
        raise InputError(
            Fault(code, f"needs a number above 0 and below {most:,.0f}", column=option, value=f"{number:g}")
        )
    return number


def day(text: str | None) -> date:
    """ISO date; today by default."""
    if text is None:
        return date.today()
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError(
            Fault("bad-date", "needs a date", column="--as-of", value=text, remedy="For example 2026-11-24.")
        ) from None


def lengths(workload: str, isl: int | None, osl: int | None) -> dict[str, Any]:
    """The request's workload, isl and osl; own lengths win over those of the named workload.

    Training has a sequence length instead."""
    if workload in TRAINING:
        misplaced(workload, {"--isl": isl, "--osl": osl})
        return {"workload": workload}
    named = workload_lengths(workload)
    return {
        "workload": workload,
        "isl": named[0] if isl is None else isl,
        "osl": named[1] if osl is None else osl,
    }


def misplaced(workload: str, options: dict[str, Any]) -> None:
    """Raises NotUsed for options given that say nothing about the workload."""
    given = [name for name, value in options.items() if value is not None]
    if given:
        kind = "training: it has no users and no latency" if workload in TRAINING else "serving"
        raise NotUsed(
            Fault(
                "not-of-workload",
                f"does not apply, {workload} is {kind}",
                column=given[0],
                value=str(options[given[0]]),
                remedy=f"Leave out {', '.join(given)}, or choose another --workload.",
            )
        )
