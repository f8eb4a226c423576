"""What dsopt would build beside every published complete system: docs/prices.md.

    python benchmarks/prices/run.py            # write docs/prices.md
    python benchmarks/prices/run.py --check    # recompute it; exit 1 when the page differs

Each seller is left out whole: boards and barebones are fitted anew without any of its systems
(benchmarks/prices/fit.py), then dsopt builds each of them with what the listing states, the rest at the floor and as it
is sold.
"""

from __future__ import annotations

import math
import sys
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.prices.fit import STEP, Fitted, condition_of, fit, fitted_parts, newest_day, offers_of, unit_prices
from benchmarks.prices.hosts import GRADES, build_of
from benchmarks.prices.published import System, rows, systems
from benchmarks.prices.spread import (
    FEWEST_SELLERS,
    Alike,
    alike,
    by_chance,
    half_width,
    kind_of,
    least_deviation,
    stated,
)
from catalogs.load import Catalog, load
from catalogs.schema import GpuBoard, Kind

PAGE = Path(__file__).parents[2] / "docs" / "prices.md"
GOAL, MOST = 10.0, 25.0
"""Percent: median deviation at `common`; the most that a system deviates without a stated reason."""


@dataclass(frozen=True)
class Deviation:
    """A published system and what dsopt would build, USD, at each grade; None where it can't be built."""

    system: System
    built: dict[str, float | None]

    @property
    def judged(self) -> float | None:
        """The deviation that counts: a from-price is that of the least configuration, so the floor's."""
        return self.percent("floor" if self.system.from_price else "common")

    def percent(self, grade: str) -> float | None:
        """By how much the build is dearer than the published system."""
        usd = self.built[grade]
        return None if usd is None else 100 * (usd / self.system.usd - 1)


def refitted(catalog: Catalog, fitted: Fitted) -> Catalog:
    """The catalog with the offers of another fit; parts of which it says nothing have no price."""
    cells = offers_of(catalog, fitted)
    offers = dict(catalog.offers)
    for part in set(fitted_parts(catalog)) - cells.keys():
        offers[part] = tuple(x for x in offers[part] if x.condition != condition_of(catalog.parts[part]))
    for part, cell in cells.items():
        changed = {name: Decimal(cell[name]) for name in ("price", "low", "high")}
        fitted_in = condition_of(catalog.parts[part])
        offers[part] = tuple(
            offer.model_copy(update=changed) if offer.condition == fitted_in else offer for offer in offers[part]
        )
    return replace(catalog, offers=offers)


def deviations(catalog: Catalog) -> Iterator[Deviation]:
    """Each judged system against what dsopt would build, its seller left out."""
    judged = [system for system in systems() if system.use == "judged"]
    day = newest_day(catalog)
    for seller in dict.fromkeys(system.seller for system in judged):
        others = refitted(catalog, fit(catalog, without={seller}))
        price = unit_prices(others, day)
        for system in (system for system in judged if system.seller == seller):
            built: dict[str, float | None] = {}
            for grade in GRADES:
                build = build_of(system, grade, others, day)
                if build is None and system.platform:
                    build = build_of(replace(system, platform=""), grade, others, day)
                built[grade] = build and sum(price(part, system.day) * qty for part, qty in build.items())  # type: ignore[assignment]
            yield Deviation(system, built)


def page(catalog: Catalog, found: Sequence[Deviation]) -> str:
    """docs/prices.md, of what `deviations` found."""
    fitted = fit(catalog)
    known = [d for d in found if d.judged is not None]
    middle = median(abs(d.judged or 0) for d in known)
    floor = median(abs(d.percent("floor") or 0) for d in known)
    far = [d.system.id for d in known if abs(d.judged or 0) > MOST and not d.system.reason]
    lines = [
        "# Prices",
        "",
        "Written by `python benchmarks/prices/run.py`; a test recomputes it.",
        "",
        _paragraph(
            "Every offer in `catalogs/data/offers.csv` has a date, a source and a confidence: `list`, `contract`,",
            "`street`, `sold` (somebody's price, read) or `estimate` (derived; the notes say how).",
        ),
        "",
        "## Whole machines discipline their parts",
        "",
        _paragraph(
            "Nobody sells a GPU board or a barebone server with its price in public; whole servers have one. So their",
            f"prices are fitted to {fitted.systems} published systems at once (`benchmarks/prices/fit.py`: least",
            f"squares of logarithms with priors, {len(fitted.levels)} free parameters; published systems in",
            "`systems.csv`, what is known beforehand in `levels.csv`). A board costs what whole servers leave for it",
            "after their other parts; a barebone is mainboard, supplies by their watts, cold plates, and a shell of",
            "its class, in which assembly and the seller's margin are. A board costs",
            f"{fitted.levels[STEP]:.2f} times its predecessor in the middle, which is all that is known of boards that",
            "no published system holds: those stand at the mean of what they may cost, not at its middle, since a",
            "search for the cheapest build finds what is priced too low. `dsopt catalog validate` refuses a successor",
            "below its predecessor.",
        ),
        "",
        "| fitted | USD | 80 % interval | systems with it |",
        "|---|---:|---:|---:|",
    ]
    for part in catalog.of(Kind.GPU_BOARD, Kind.PLATFORM):
        if part.id in (cells := offers_of(catalog, fitted)):
            estimate = fitted.of[part.id]
            low, high = (f"{float(cells[part.id][name]):,.0f}" for name in ("low", "high"))
            systems_with = str(estimate.systems) if isinstance(part, GpuBoard) else f"class: {estimate.systems}"
            lines.append(f"| {part.name} | {float(cells[part.id]['price']):,.0f} | {low} to {high} | {systems_with} |")
    lines += [
        "",
        "## What dsopt would build",
        "",
        _paragraph(
            "Each published system against the proven cheapest build with what its listing states (GPUs always;",
            "platform, CPUs and memory where it names them), the rest at the floor of the rules and as it is sold",
            "(`common`), at the prices of parts in the listing's month. Left out by seller: no system of that seller",
            "is in the fit that prices the build. A from-price is that of the least configuration and is judged at the",
            "floor.",
        ),
        "",
        "| system | seller | published, USD net | floor, USD | | common, USD | | reason |",
        "|---|---|---:|---:|---:|---:|---:|---|",
    ]
    for d in found:
        built = " | ".join(f"{_usd(d.built[grade])} | {_percent(d.percent(grade))}" for grade in GRADES)
        s = d.system
        name = f"{s.name} (from-price)" if s.from_price and "from-price" not in s.name else s.name
        lines.append(f"| {name} | {s.seller} | {s.usd:,.0f} | {built} | {s.reason} |")
    lines += [
        "",
        _paragraph(
            f"Median deviation {middle:.1f} % of {len(known)} systems (goal: {GOAL:.0f} %), {floor:.1f} % where all",
            f"are built at the floor. Above {MOST:.0f} % without a stated reason: {', '.join(far) or 'none'}.",
        ),
        "",
        *_reach(found, catalog),
        *_margins(),
        "## Listed, not judged",
        "",
        "| system | published | kind | why not |",
        "|---|---:|---|---|",
    ]
    for row in rows("systems"):
        if row["use"] != "judged":
            price = f"{float(row['price']):,.0f} {row['currency']}"
            lines.append(f"| {row['system']} | {price} | {row['kind']} | {row['reason']} |")
    return "\n".join(lines) + "\n"


def _reach(found: Sequence[Deviation], catalog: Catalog) -> list[str]:
    """How near one can come: what sellers of one machine ask, listings without a configuration, and what is left."""
    groups = alike()
    most = groups[0]
    assert len(most.listings) >= FEWEST_SELLERS
    ranges = [(half_width(system), system) for system in stated()]
    half = median(width for width, _ in ranges)
    built = {d.system.id: d.built["common"] for d in found if d.judged is not None}
    within = sum(
        system.range_usd[0] <= usd <= system.range_usd[1]
        for _, system in ranges
        if system.range_usd and (usd := built.get(system.id))
    )
    unstated = sum(not system.cpus and not system.memory for _, system in ranges)
    sellers, off = len(most.listings), [abs(deviation) for deviation in most.from_the_others]
    return [
        "## How near one can come",
        "",
        _paragraph(
            "**A median of 10 % of all systems is not reached, and it is the edge of what public prices allow.** Two",
            "things are in them that no search of parts can know (`benchmarks/prices/spread.py`):",
        ),
        "",
        "| the same GPUs in a server | sellers | they ask, USD net | between two of them, in the middle |",
        "|---|---:|---|---:|",
        *(_asked(group, catalog) for group in groups),
        "",
        _paragraph(
            f"- **The seller.** Two sellers with the same GPUs differ by {most.between_two:.1f} % in the middle",
            f"(standard deviation of a seller {most.scatter:.0f} %). The middle of what the others ask is",
            f"{median(off):.1f} % off in the middle and {max(off):.0f} % at most.",
        ),
        _paragraph(
            f"- **The configuration.** {len(ranges)} listings come with a range of prices, {unstated} of them",
            f"without CPUs and memory: ±{half:.0f} % of its middle in the middle of them. {within} builds at `common`",
            "lie within their listing's range.",
        ),
        "",
        _paragraph(
            "A search that knew exactly what sellers ask in the middle, not which of them it is judged by, would",
            f"deviate by {least_deviation(most.scatter, 0):.0f} % in the middle, and by",
            f"{least_deviation(most.scatter, half):.0f} % where the configuration is open too. This is rough: it takes",
            "a normal distribution of sellers and any place of the range as likely, and the scatter is known from",
            f"{sellers} sellers of one machine, one of them with a from-price. dsopt knows no level exactly; it is off",
            "by kind of machine (median, systems):",
            f"{_by_kind(found, catalog)}. Servers with a board are about as near as this; servers with loose cards and",
            "towers are not.",
        ),
        "",
    ]


def _asked(group: Alike, catalog: Catalog) -> str:
    first = group.listings[0]
    name = f"{first.count} x {catalog.parts[first.gpus[0]].name}"
    asked = ", ".join(f"{system.usd:,.0f}" for system in group.listings)
    return f"| {name} | {len(group.listings)} | {asked} | {group.between_two:.1f} % |"


def _by_kind(found: Sequence[Deviation], catalog: Catalog) -> str:
    """Median deviation and number of systems of each kind of machine."""
    boards = [part.id for part in catalog.of(Kind.GPU_BOARD)]
    by_kind: dict[str, list[float]] = {}
    for d in found:
        if d.judged is not None:
            by_kind.setdefault(kind_of(d.system, boards), []).append(abs(d.judged))
    return ", ".join(f"{kind} {median(off):.1f} % ({len(off)})" for kind, off in by_kind.items())


def _margins() -> list[str]:
    """What margins.csv says, and what follows from it."""
    found = rows("margins")
    cards = next(row for row in found if row["basis"] == "cards")
    against = {system.seller for system in systems() if system.id in cards["farther"].split("|")}
    chance = 100 * by_chance(int(cards["sellers_nearer"]), len(against))
    lines = [
        "## An assembler's margin",
        "",
        _paragraph(
            "The shell of a rack server holds assembly and the seller's margin; towers, and cards bought loose, hold",
            "none. `python benchmarks/prices/margins.py` tries a margin as one more free parameter of the fit, the",
            "parts around the GPUs as they are, each seller left out.",
        ),
        "",
        "| margin on | fitted | median deviation | nearer by a point or more | farther |",
        "|---|---:|---:|---|---|",
    ]
    for row in found:
        if not row["basis"]:
            lines.append(f"| nothing | | {row['median_deviation_percent']} % | | |")
            continue
        basis = {"cards": "loose cards", "machine with cards": "all of a machine with loose cards"}.get(
            row["basis"], "all of every machine"
        )
        nearer = f"{row['nearer']} systems of {row['sellers_nearer']} sellers"
        farther = f"{len(row['farther'].split('|'))}"
        middle = row["median_deviation_percent"]
        lines.append(f"| {basis} | {row['margin_percent']} % | {middle} % | {nearer} | {farther} |")
    return [
        *lines,
        "",
        _paragraph(
            f"So whoever builds loose cards into a machine asks about {cards['margin_percent']} % more for them in the",
            "middle of these listings. **It is not charged:** totals are of parts, and a shop's machine with loose",
            f"cards costs more by that much. {cards['sellers_nearer']} sellers come nearer with it and {len(against)}",
            f"go farther, which chance alone gives in {chance:.0f} of 100 cases (sign test). The sellers far off",
            "disagree in sign (Thinkmate, Lambda and Petronella above the parts, Blackwell Cloud and B3IQ below);",
            "listings hardly show their CPUs, memory and drives, so that part of it may be a better configuration; a",
            "prebuilt PC was read at 18 % above the same parts; and no seller publishes one: it is what a fit leaves",
            "over. A margin on everything takes servers with a GPU board farther away, whose shells hold theirs.",
            "To count one, `--support FILE` with the lines `category,percent` and",
            f"`gpu,{cards['margin_percent']}` puts it on loose cards alone, exactly, in search, certificate and",
            "verify; it is shown as support.",
        ),
        "",
    ]


def _paragraph(*sentences: str) -> str:
    return textwrap.fill(" ".join(sentences), 120, break_long_words=False, break_on_hyphens=False)


def _usd(usd: float | None) -> str:
    return "" if usd is None else f"{usd:,.0f}"


def _percent(percent: float | None) -> str:
    return "can't be built" if percent is None or math.isnan(percent) else f"{percent:+.1f} %"


def main() -> None:
    catalog = load(())
    text = page(catalog, list(deviations(catalog)))
    if "--check" not in sys.argv:
        PAGE.write_text(text, encoding="utf-8")
        print(text[text.index("## What dsopt would build") : text.index("## Listed")])
    elif text != PAGE.read_text(encoding="utf-8"):
        print("docs/prices.md is not what benchmarks/prices/run.py writes")
        raise SystemExit(1)


if __name__ == "__main__":
    main()
