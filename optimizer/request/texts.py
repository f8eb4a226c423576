"""Texts that people write into values: GPU counts, days. Of files and options alike."""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from typing import Any

from catalogs.errors import Fault, InputError, NotUsed
from catalogs.gpu_names import gpu_named, gpus_meant
from catalogs.load import Catalog
from catalogs.schema import Gpu
from constraints.request import TRAINING, workload_lengths

COUNT_FIRST = re.compile(r"(?P<count>\d{1,6})\s*(?:[x×*]|[张卡块片])\s*(?P<name>.+)", re.IGNORECASE | re.ASCII)
COUNT_LAST = re.compile(r"(?P<name>.+?)(?:\s+x|\s*[×*])\s*(?P<count>\d{1,6})", re.IGNORECASE | re.ASCII)
NODES_FIRST = re.compile(
    r"(?P<nodes>\d{1,4})\s*[x×*]\s*(?P<count>\d{1,4})(?:\s*[x×*]\s*|\s*[张卡块片]\s*|\s+)(?P<name>.+)",
    re.IGNORECASE | re.ASCII,
)
"""As answers say it: 2 x 8 x H100, 2 x 8 H100."""
BEHIND_X = re.compile(r"TX?", re.IGNORECASE | re.ASCII)
"""What is left of 7900 XTX and 9070 XT where their number is read as one of GPUs."""
NO_COUNT = re.compile(
    r"(?P<count>[-+]\d[\d.,]*|\d[\d,]*\.\d+|\d+(?:\.\d+)?e[-+]?\d+|\d{7,})\s*[x×*张卡块片]\s*(?P<name>.+)",
    re.IGNORECASE | re.ASCII,
)
"""A number before a name that counts no GPUs: below none, in parts, beyond any machine."""


def gpu(text: str, catalog: Catalog) -> tuple[int | None, str]:
    """`8xH200`, `4 x 4090`, `H20 ×8`, `8卡A100 80G`, `2 x 8 H100`, `mi300x` -> (count in all or None, GPU id).

    A memory size in the name picks among the GPUs of that size; words that drivers add behind it are passed over.
    Raises InputError as Catalog.find does, and for a number that counts no GPUs."""
    nodes, count, name = node_gpus(text, catalog)
    return (count if count is None or nodes is None else nodes * count), name


def node_gpus(text: str, catalog: Catalog) -> tuple[int | None, int | None, str]:
    """The same as (nodes or None, GPUs of each or None, GPU id)."""
    plain = unicodedata.normalize("NFKC", text).strip()
    gpus = [part for part in catalog.parts.values() if isinstance(part, Gpu)]
    readings: list[tuple[str, str | None, str | None]] = [
        (m["name"], m["count"], None) for m in (COUNT_FIRST.fullmatch(plain), COUNT_LAST.fullmatch(plain)) if m
    ]
    readings.append((plain, None, None))
    if m := NODES_FIRST.fullmatch(plain):
        readings.append((m["name"], m["count"], m["nodes"]))
    readings = [reading for reading in readings if not BEHIND_X.fullmatch(reading[0])]
    # The first reading whose name is known; where none is, the first one's name is what the message speaks of.
    name, count, nodes = next((reading for reading in readings if gpus_meant(reading[0], gpus)), readings[0])
    if (odd := NO_COUNT.fullmatch(plain)) and not gpus_meant(name, gpus):
        remedy = f"For example 8x{odd['name'][:80]}."
        raise InputError(
            Fault("bad-count", "needs a whole number of GPUs from 1 to 1,024", value=text[:80], remedy=remedy)
        )
    if "0" in {number.lstrip("0") or "0" for number in (count, nodes) if number is not None}:
        raise InputError(Fault("bad-count", "needs one GPU at least", value=text, remedy=f"For example 8x{name}."))
    return (int(nodes) if nodes else None), (int(count) if count else None), gpu_named(name, catalog).id


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
