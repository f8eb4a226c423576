"""Published complete systems (systems.csv) and levels known beforehand (levels.csv), as the fit and the page read them.

A row of systems.csv says what a listing says and no more: GPUs always, platform, CPUs and memory where it names them.
`use`: `judged` (somebody's price: list, street, tender), `box` (the offer of one catalog row), `prior` (an analyst's
level, which the fit weighs little and nobody is judged by), `listed` (derived, planning and rouble rows).
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from constraints.prices.pricing import shipped_rates

HERE = Path(__file__).parent


def rows(name: str) -> list[dict[str, str]]:
    """Rows of benchmarks/prices/<name>.csv."""
    with (HERE / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@dataclass(frozen=True)
class System:
    """A published complete system. `usd`: its price net of tax, at the rates of constraints/data/fx.csv; `gpus`: the
    board or card, `count` pieces of it; several cards where the listing's name means several editions; `memory`:
    (modules, GB of each), none where the listing is silent; `range_usd`: lowest and highest price where the source
    states a range, for all that may be configured."""

    id: str
    name: str
    seller: str
    usd: float
    day: date
    kind: str
    region: str
    form: str
    gpus: tuple[str, ...]
    count: int
    platform: str
    cpus: dict[str, int]
    memory: tuple[int, int] | None
    from_price: bool
    use: str
    reason: str
    source: str
    range_usd: tuple[float, float] | None = None


def systems() -> list[System]:
    """All rows of systems.csv."""
    per_unit: dict[str, float] = {rate.currency: float(rate.usd) for rate in shipped_rates()}
    out = []
    for row in rows("systems"):
        # Roubles have no rate among the shipped ones; such rows are listed in their own currency and never judged.
        rate = per_unit.get(row["currency"], float("nan"))
        per = rate / (1 + float(row["tax_rate"] or 0))
        usd = float(row["price"]) * per
        stated = (float(row["low"]) * per, float(row["high"]) * per) if row["low"] else None
        count, _, editions = row["gpus"].partition("*")
        gpus = tuple(filter(None, editions.split("/")))
        modules, _, each_gb = row["memory"].partition("*")
        memory = (int(modules), int(each_gb)) if modules else None
        out.append(
            System(
                row["id"], row["system"], row["seller"], usd, middle_of(row["date"]), row["kind"], row["region"],
                row["form"], gpus, int(count or 0), row["platform"], pieces(row["cpus"]), memory,
                row["from_price"] == "yes", row["use"], row["reason"], row["source"],
                stated,
            )
        )  # fmt: skip
    return out


def pieces(text: str) -> dict[str, int]:
    """`2*part-id|8*part-id` -> pieces by part id."""
    counted = [item.partition("*") for item in text.split("|") if item]
    return {part: int(qty) for qty, _, part in counted if part}


def middle_of(text: str) -> date:
    """The day of a date known to the day, month or year: the middle of what is known."""
    known = [int(number) for number in text.split("-")]
    return date(*known) if len(known) == 3 else date(known[0], known[1] if len(known) == 2 else 7, 15)
