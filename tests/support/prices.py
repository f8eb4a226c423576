"""Price consistency: each published system against the sum of its parts, its class rule fitted without it.

`python -m tests.support.prices` prints the table of docs/prices.md.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median

from catalogs.load import Catalog, load

FILE = Path(__file__).parents[1] / "data" / "published_systems.csv"


@dataclass(frozen=True)
class Deviation:
    """A published system: what it costs, what its parts and the left-out class rule come to (USD)."""

    system: str
    published: float
    parts: float
    barebone: float
    reason: str

    @property
    def percent(self) -> float:
        return 100 * (self.parts + self.barebone - self.published) / self.published


def deviations(catalog: Catalog) -> list[Deviation]:
    """All systems; the barebone of a class is the mean rest of the class's other systems that need no excuse."""
    with FILE.open(encoding="utf-8") as f:
        rows = list(csv.DictReader(f))
    sums = {r["system"]: sum(_price(catalog, x) for x in r["parts"].split("|")) for r in rows}
    rest = {r["system"]: float(r["published_usd"]) - sums[r["system"]] for r in rows}
    out = []
    for r in rows:
        peers = [x for x in rows if x["class"] == r["class"] and x is not r and not x["reason"]]
        barebone = mean(rest[x["system"]] for x in peers)
        out.append(Deviation(r["system"], float(r["published_usd"]), sums[r["system"]], barebone, r["reason"]))
    return out


def _price(catalog: Catalog, text: str) -> float:
    qty, _, part = text.partition("*")
    apart = [o for o in catalog.offers[part] if "eStore" not in o.source]  # derived from one of the systems compared
    newest = max(apart, key=lambda o: o.date)
    return int(qty) * float(newest.price)


def table(catalog: Catalog) -> str:
    """The table as Markdown."""
    lines = [
        "| system | published, USD | parts, USD | barebone from the others, USD | deviation | reason |",
        "|---|---:|---:|---:|---:|---|",
    ]
    found = deviations(catalog)
    for d in found:
        lines.append(
            f"| {d.system} | {d.published:,.0f} | {d.parts:,.0f} | {d.barebone:,.0f} | {d.percent:+.1f} % | "
            f"{d.reason} |"
        )
    lines.append(f"\nMedian deviation {median(abs(d.percent) for d in found):.1f} %.")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table(load()))
