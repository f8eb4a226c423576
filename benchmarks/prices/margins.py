"""Whether published systems bear an assembler's margin on top of their parts: docs/prices.md, An assembler's margin.

Shells of rack servers hold assembly and the seller's margin already; cards bought loose and towers do not. A margin is
tried as one more free parameter of the fit (benchmarks/prices/fit.py), on three bases, and judged as the fit is: each
system at what the others say, its seller left out. The parts around the GPUs are those of hosts.csv throughout.

    python benchmarks/prices/margins.py            # minutes; write margins.csv, which docs/prices.md shows
    python benchmarks/prices/margins.py --check    # exit 1 when it differs
"""

from __future__ import annotations

import csv
import io
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import get_args

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.prices.fit import MARGIN, Margin, fit, host, newest_day, system_usd, unit_prices
from benchmarks.prices.published import HERE, System, systems
from catalogs.load import Catalog, load

FILE = HERE / "margins.csv"
NEARER = 1.0
"""Percentage points by which a system must come nearer, or go farther, to be counted."""


@dataclass(frozen=True)
class Tried:
    """A margin on a basis: what the fit to all systems finds (ratio), and each system's deviation in percent with its
    seller left out."""

    basis: Margin
    ratio: float
    deviations: dict[str, float]

    @property
    def middle(self) -> float:
        """Median of the deviations' sizes, percent."""
        return median(abs(percent) for percent in self.deviations.values())


def tried(catalog: Catalog) -> list[Tried]:
    """No margin first, then each basis."""
    return [_tried(catalog, basis) for basis in get_args(Margin)]


def _tried(catalog: Catalog, basis: Margin) -> Tried:
    price = unit_prices(catalog, newest_day(catalog))
    judged = [system for system in systems() if system.use == "judged" and host(system)[0]]
    found: dict[str, float] = {}
    for seller in dict.fromkeys(system.seller for system in judged):
        levels = fit(catalog, without={seller}, margin=basis).levels
        for system in judged:
            if system.seller == seller:
                usd = system_usd(system, catalog, price, levels.__getitem__, basis)
                found[system.id] = 100 * (usd / system.usd - 1)
    return Tried(basis, fit(catalog, margin=basis).levels.get(MARGIN, 1.0), found)


def moved(without: Tried, with_margin: Tried) -> tuple[list[System], list[System]]:
    """Systems that a margin brings nearer to what was published, and those that it takes farther away."""
    by_id = {system.id: system for system in systems()}
    nearer: list[System] = []
    farther: list[System] = []
    for system, before in without.deviations.items():
        change = abs(with_margin.deviations[system]) - abs(before)
        if abs(change) >= NEARER:
            (nearer if change < 0 else farther).append(by_id[system])
    return nearer, farther


def written(catalog: Catalog) -> str:
    """margins.csv."""
    found = tried(catalog)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["basis", "margin_percent", "median_deviation_percent", "nearer", "sellers_nearer", "farther"])
    for each in found:
        nearer, farther = moved(found[0], each)
        sellers = len({system.seller for system in nearer})
        beyond = "|".join(system.id for system in farther)
        row = [each.basis, f"{100 * (each.ratio - 1):.0f}", f"{each.middle:.1f}", len(nearer), sellers, beyond]
        writer.writerow(row)
    return out.getvalue()


def main() -> None:
    text = written(load(()))
    if "--check" not in sys.argv:
        FILE.write_text(text, encoding="utf-8")
        print(text)
    elif text != FILE.read_text(encoding="utf-8"):
        print("margins.csv is not what benchmarks/prices/margins.py writes")
        raise SystemExit(1)


if __name__ == "__main__":
    main()
