"""Prices of GPU boards and barebone servers, fitted to all published complete systems at once.

    python benchmarks/prices/fit.py              # fit, write catalogs/data/offers.csv
    python benchmarks/prices/fit.py --check      # fit; exit 1 when an offer differs
    python benchmarks/prices/fit.py --hosts      # first build anew what stands around the GPUs (hosts.csv), then fit

Nobody sells a board or a barebone with its price in public: only whole servers have one. Each published system is

    price = (host + boards + barebone) x error          barebone = mainboard + supplies + cold plates + shell

host: CPUs, memory, drives and NICs of what dsopt would build with what the listing states, the rest at the grade that
is sold (a from-price: at the floor), at the prices of parts in the listing's month. Mainboard, supplies by their watts
and cold plates have prices of their own (levels.csv, `known`), so each barebone has its own figure. Free are the
logarithms of each board's price, of the shell (chassis, fans, switches, assembly, the seller's margin) of a server for
a board of eight and of one for eight PCIe cards, the power of slots by which a smaller one is cheaper, the step from a
board to its successor, and a used barebone over a new one.

Least squares of the logarithms, each residual over its standard deviation; large ones count less than their square,
since a listing may be out of date. levels.csv holds what is known beforehand (`prior`), with a band that is read as
80 %. low and high of an offer are the 80 % interval of the fit. A price that somebody read is never replaced.

Memory inside a configured server is bought on contract, of which one size is published: other DDR5 RDIMMs cost as much
by the GB there as the price index has it in its newest month.
"""

from __future__ import annotations

import csv
import io
import math
import sys
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np
from scipy.optimize import least_squares

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.prices.hosts import GRADES, MODELS, build_of, host_of
from benchmarks.prices.published import HERE, System, pieces, rows, systems
from catalogs.load import Catalog, load
from catalogs.schema import GpuBoard, Kind, Memory, Part, Platform
from constraints.policy import Policy
from constraints.prices.price_book import price_book
from constraints.prices.price_index import category_of, moved
from constraints.request import Request

OFFERS = Path(__file__).parents[2] / "catalogs" / "data" / "offers.csv"
SELLER = "dsopt fit"
MAKERS = frozenset({"", "Samsung", "SK hynix", "Micron"})
"""Makers of memory, and modules of no name: not those that a server's maker sells under its own."""
CONTRACT_GB = 64
"""GB of the module whose contract price the index follows."""
Z80 = 1.2816
"""Standard deviations of half an 80 % interval."""
BOARD_SHELL, PCIE_SHELL, SLOTS = "shell of board8", "shell of pcie", "shell by slots"
STEP, USED = "generation step", "used over new"
MARGIN = "assembler's margin"
Margin = Literal["", "cards", "machine with cards", "machine"]
"""What an assembler's margin is tried on: nothing, loose cards, all of a machine with such, all of every machine."""
STEP_SPREAD = 0.12
"""Spread of the step from one board to the next around its mean: of H200 over H100, B200 over H200, B300 over B200."""
SPREAD = {"judged": 0.10, "prior": 0.25}
"""Standard deviation of a system's log price; a listing that does not say its configuration, or is of another country
or year than the parts' prices, has more (`_spread`)."""


@dataclass(frozen=True)
class Estimate:
    """Price in USD with its 80 % interval, and how many published systems hold such a part.

    `price` is the middle; of a part that no system holds the mean of what it may cost (exp(spread^2 / 2) times the
    middle of a lognormal figure), since a search for the cheapest build finds what is priced too low."""

    middle: float
    low: float
    high: float
    systems: int

    @property
    def price(self) -> float:
        spread = math.log(self.high / self.low) / (2 * Z80)
        return self.middle if self.systems else self.middle * math.exp(spread**2 / 2)


@dataclass(frozen=True)
class Fitted:
    """`of`: what the fit says of a part id; `levels`: the free parameters by name; `systems`: number of published
    systems."""

    of: Mapping[str, Estimate]
    levels: Mapping[str, float]
    systems: int


def shell_of(platform: Platform) -> str:
    """Class of a platform's shell; empty for boards in cases, which have shop prices."""
    if platform.price_class == "diy" or not platform.rack_mount:
        return ""
    return BOARD_SHELL if platform.gpu_boards and platform.gpu_slots >= 8 else PCIE_SHELL


def is_used(platform: Platform) -> bool:
    """Whether a barebone is sold used alone."""
    return platform.price_class.endswith("-used")


def known_usd(platform: Platform) -> float:
    """What has a price of its own in a barebone: mainboard, supplies, cold plates, USD."""
    known = {row["what"]: float(row["middle"]) for row in _levels("known")}
    watts = platform.psu_bays * max(platform.psu_watts, default=0) if "psu" in platform.includes else 0
    usd = known["mainboard of 1 socket" if platform.sockets == 1 else "mainboard of 2 sockets"]
    usd += watts * known["psu per watt"]
    return usd + (known["cold plates"] if "coldplate-kit" in platform.includes else 0)


@cache
def _levels(use: str) -> tuple[dict[str, str], ...]:
    return tuple(row for row in rows("levels") if row["use"] == use)


@cache
def hosts() -> Mapping[tuple[str, str], tuple[str, dict[str, int]]]:
    """(system, grade) -> platform, pieces of the host by part id (hosts.csv)."""
    return {(row["system"], row["grade"]): (row["platform"], pieces(row["host"])) for row in rows("hosts")}


Prices = Callable[[str, date], float]
"""Price in USD of a piece of a part on a day."""


def unit_prices(catalog: Catalog, day: date) -> Prices:
    """Prices as `solve` has them on a day; on an earlier one brought back by the index of the part's category, to the
    first month that the index knows at most. Parts without a price cost nothing: they come with others."""
    policy = Policy()
    book = price_book(catalog, Request(model=MODELS[0], market="any", as_of=day), policy)

    @cache
    def price(part: str, then: date) -> float:
        if part not in book.prices:
            return 0.0
        category = category_of(catalog.parts[part])
        months = [point.month for point in catalog.price_index if point.category == category]
        first = date.fromisoformat(f"{min(months)}-15") if months else then
        move = moved(catalog.parts[part], max(then, first), day, catalog, policy)
        return book.prices[part].cents / 100 / float(move.factor if move else 1)

    return price


def newest_day(catalog: Catalog) -> date:
    """The newest day of a price in the catalog."""
    return max(offer.date for offers in catalog.offers.values() for offer in offers)


def condition_of(part: Part) -> str:
    """The condition in which a board or barebone is fitted."""
    return "used" if isinstance(part, Platform) and is_used(part) else "new"


def fitted_parts(catalog: Catalog) -> list[str]:
    """Boards and barebones of which nobody's price was read in the condition that they are fitted in: what the fit
    writes. Boards of old generations are sold used alone: no published system holds one."""
    out = []
    for part in catalog.of(Kind.GPU_BOARD, Kind.PLATFORM):
        offers = [offer for offer in catalog.offers.get(part.id, ()) if offer.condition == condition_of(part)]
        if isinstance(part, Platform) and not shell_of(part):
            continue
        if offers and all(offer.confidence == "estimate" for offer in offers):
            out.append(part.id)
    return out


def _free(catalog: Catalog) -> frozenset[str]:
    """Boards of which nobody's price was read."""
    return frozenset(part for part in fitted_parts(catalog) if isinstance(catalog.parts[part], GpuBoard))


def fit(catalog: Catalog, without: Collection[str] = (), margin: Margin = "") -> Fitted:
    """The fit to all published systems but those of the sellers in `without`; with an assembler's margin as one more
    free parameter where one is tried (benchmarks/prices/margins.py)."""
    price = unit_prices(catalog, newest_day(catalog))
    used = [system for system in systems() if system.use in SPREAD and system.seller not in without and system.gpus]
    used = [system for system in used if host(system)[0]]
    boards = sorted(_free(catalog))
    levels = [row for row in _levels("prior") if row["what"] not in catalog.parts or row["what"] in boards]
    levels += _levels("tried") if margin else ()
    # A board with a price that somebody read costs that: the fit says the others beside it.
    known = {
        part.id: math.log(price(part.id, newest_day(catalog)))
        for part in catalog.of(Kind.GPU_BOARD)
        if part.id not in boards and price(part.id, newest_day(catalog))
    }
    # A board that no system, no level and no neighbour in the order of generations speaks of is not fitted.
    pairs = [
        (part.predecessor, part.id)
        for part in catalog.of(Kind.GPU_BOARD)
        if isinstance(part, GpuBoard) and part.predecessor
    ]
    spoken = {row["what"] for row in levels} | {part for system in used for part in system.gpus} | known.keys()
    reached = set(boards) & spoken | known.keys()
    while grown := {b for a, b in pairs if a in reached} | {a for a, b in pairs if b in reached}:
        if grown <= reached:
            break
        reached |= grown
    names = [part for part in boards if part in reached]
    names += [BOARD_SHELL, PCIE_SHELL, SLOTS, STEP, USED] + [MARGIN] * bool(margin)
    index = {name: place for place, name in enumerate(names)}

    def residuals(logs: np.ndarray) -> np.ndarray:
        out = []
        for system in used:
            usd = system_usd(system, catalog, price, lambda name: math.exp(logs[index[name]]), margin)
            out.append((math.log(usd) - math.log(system.usd)) / _spread(system))
        for row in levels:
            out.append((logs[index[row["what"]]] - math.log(float(row["middle"]))) / _band(row))
        for old, new in pairs:
            before, after = (logs[index[part]] if part in index else known.get(part) for part in (old, new))
            if before is not None and after is not None and (old in index or new in index):
                out.append((after - before - logs[index[STEP]]) / STEP_SPREAD)
        return np.array(out)

    start = np.full(len(names), math.log(200_000.0))
    for row in levels:
        start[index[row["what"]]] = math.log(float(row["middle"]))
    solution = least_squares(
        residuals, start, bounds=(start - 3, start + 3), loss="soft_l1", ftol=1e-12, xtol=1e-12, gtol=1e-12
    )
    covariance = np.linalg.inv(solution.jac.T @ solution.jac)
    # Where the systems scatter more than their spreads say, all intervals widen alike.
    freedom = max(1, len(solution.fun) - len(names))
    covariance *= max(1.0, float(solution.fun @ solution.fun) / freedom)
    return _estimates(catalog, names, solution.x, covariance, used)


def host(system: System) -> tuple[str, dict[str, int]]:
    """Platform and pieces by part id of what stands around the GPUs of a system; no platform where none is built."""
    found = hosts()
    common = found.get((system.id, "floor" if system.from_price else "common"), ("", {}))
    return common if common[0] else found.get((system.id, "floor"), ("", {}))


def system_usd(
    system: System, catalog: Catalog, price: Prices, level: Callable[[str], float], margin: Margin = ""
) -> float:
    """What a system comes to in USD: its host at the prices of parts, boards and barebone at `level`, and an
    assembler's margin where one is tried."""
    platform_id, around = host(system)
    usd = sum(price(part, system.day) * qty for part, qty in around.items())
    cards = [part for part in around if catalog.parts[part].kind == Kind.GPU]
    if margin == "cards":
        usd += (level(MARGIN) - 1) * sum(price(part, system.day) * around[part] for part in cards)
    for board in (part for part in system.gpus if isinstance(catalog.parts[part], GpuBoard)):
        usd += system.count * (level(board) if board in _free(catalog) else price(board, system.day))
    platform = catalog.parts[system.platform or platform_id]
    assert isinstance(platform, Platform)
    usd += barebone_usd(platform, level) if shell_of(platform) else price(platform.id, system.day)
    of_all = margin == "machine" or (margin == "machine with cards" and cards)
    return usd * level(MARGIN) if of_all else usd


def barebone_usd(platform: Platform, level: Callable[[str], float]) -> float:
    """Price of a barebone in USD at levels of shells."""
    shell = level(shell_of(platform))
    if shell_of(platform) == PCIE_SHELL:
        # Double-width slots: six for single-width cards are three. A board of four is no smaller chassis: one bill of
        # quantities has the SR675 V3 with it at 78,000 and with eight slots at 65,000.
        slots = 8 if platform.gpu_boards else (platform.gpu_width_total or 2 * platform.gpu_slots) / 2
        shell *= (slots / 8) ** level(SLOTS)
    usd = known_usd(platform) + shell
    return usd * level(USED) if is_used(platform) else usd


def _spread(system: System) -> float:
    """Standard deviation of the log price of a system."""
    spread = SPREAD[system.use]
    if system.use == "judged":
        spread += 0.05 * (not system.memory) + 0.05 * (system.region != "US") + 0.05 * (system.day.year < 2026)
    return spread


def _band(row: Mapping[str, str]) -> float:
    """Standard deviation of the log of a level: its band read as 80 %; a price that somebody read without a band counts
    as one of 10 %."""
    if row["low"] and row["high"]:
        return math.log(float(row["high"]) / float(row["low"])) / (2 * Z80)
    return 0.10


def _estimates(
    catalog: Catalog, names: list[str], logs: np.ndarray, covariance: np.ndarray, used: list[System]
) -> Fitted:
    """What the fit says of every part, with intervals."""
    index = {name: place for place, name in enumerate(names)}
    held: dict[str, int] = {}
    for system in used:
        platform = catalog.parts[system.platform or host(system)[0]]
        for name in {*system.gpus, shell_of(platform)} - {""}:  # type: ignore[arg-type]
            held[name] = held.get(name, 0) + 1
    out = {}
    for part in catalog.of(Kind.GPU_BOARD):
        if part.id in index:
            place = index[part.id]
            out[part.id] = _interval(logs[place], math.sqrt(covariance[place, place]), held.get(part.id, 0))
    for part in catalog.of(Kind.PLATFORM):
        shell = shell_of(part) if isinstance(part, Platform) else ""
        if not isinstance(part, Platform) or not shell:
            continue
        usd = _barebone_at(part, logs, index)
        gradient = np.zeros(len(names))
        for name in (shell, SLOTS, USED):  # d log(barebone) / d logs, by small steps
            moved = logs.copy()
            moved[index[name]] += 1e-4
            gradient[index[name]] = math.log(_barebone_at(part, moved, index) / usd) / 1e-4
        spread = math.sqrt(gradient @ covariance @ gradient)
        out[part.id] = _interval(math.log(usd), spread, held.get(shell, 0))
    return Fitted(out, {name: math.exp(log) for name, log in zip(names, logs, strict=True)}, len(used))


def _barebone_at(platform: Platform, logs: np.ndarray, index: Mapping[str, int]) -> float:
    return barebone_usd(platform, lambda name: math.exp(logs[index[name]]))


def _interval(log: float, spread: float, systems: int) -> Estimate:
    return Estimate(math.exp(log), math.exp(log - Z80 * spread), math.exp(log + Z80 * spread), systems)


def offers_of(catalog: Catalog, fitted: Fitted) -> dict[str, dict[str, str]]:
    """Cells of the offer of each fitted part, by part id. Three figures are kept: the fit knows no more."""
    day = max(system.day for system in systems() if system.use in SPREAD)
    out = {}
    for part in fitted_parts(catalog):
        if part not in fitted.of:
            continue
        found = fitted.of[part]
        held = catalog.parts[part]
        what = "its board" if isinstance(held, GpuBoard) else f"its class ({shell_of(held)[9:]})"  # type: ignore[arg-type]
        out[part] = {
            "price": _three(found.price), "currency": "USD", "date": day.isoformat(), "confidence": "estimate",
            "seller": SELLER, "low": _three(found.low), "high": _three(found.high), "link": "",
            "source": f"fitted to {fitted.systems} published systems, benchmarks/prices/fit.py",
            "notes": f"published systems with {what}: {found.systems}; low and high: 80 % interval of the fit",
        }  # fmt: skip
    return out


def modules_of(catalog: Catalog) -> dict[str, dict[str, str]]:
    """Cells of the offers of DDR5 RDIMMs inside configured servers, by part id: the newest contract price of the index
    by the GB, of each module of a maker of memory (or of no name) of which no such price was read."""
    newest = max((p for p in catalog.price_index if p.category == "ddr5_rdimm"), key=lambda point: point.month)
    out = {}
    for part in catalog.of(Kind.MEMORY):
        if not isinstance(part, Memory) or (part.mem_gen, part.dimm_type) != ("DDR5", "RDIMM"):
            continue
        offers = catalog.offers.get(part.id, ())
        read = any(offer.holds_for == "configured" and offer.confidence != "estimate" for offer in offers)
        if part.vendor not in MAKERS or not offers or read:
            continue
        usd = float(newest.value) / CONTRACT_GB * part.capacity_gb
        spread = 1 + float(newest.uncertainty_percent) / 100
        out[part.id] = {
            "price": f"{usd:.2f}", "currency": "USD", "date": f"{newest.month}-15", "condition": "new",
            "confidence": "estimate", "seller": SELLER, "low": f"{usd / spread:.2f}", "high": f"{usd * spread:.2f}",
            "source": f"contract price of a 64 GB RDIMM by the GB, {newest.month} of the price index",
            "holds_for": "configured", "notes": "written by benchmarks/prices/fit.py",
        }  # fmt: skip
    return out


def _three(usd: float) -> str:
    """A price with three significant figures."""
    digits = 2 - math.floor(math.log10(usd))
    return f"{round(usd, digits):.2f}"


def written(catalog: Catalog, text: str) -> str:
    """Text of offers.csv with the fitted offers in it, one of each part; all other rows as they are."""
    cells = offers_of(catalog, fit(catalog))
    reader = csv.DictReader(io.StringIO(text))
    columns = list(reader.fieldnames or ())
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, lineterminator="\n")
    writer.writeheader()
    done: set[str] = set()
    modules = modules_of(catalog)
    kept = [row for row in reader if not (row["seller"] == SELLER and row["holds_for"] == "configured")]
    for place, row in enumerate(kept):
        part = row["part"]
        if part in cells and row["condition"] == condition_of(catalog.parts[part]):
            if part in done:
                continue  # an older estimate of the same part
            done.add(part)
            row = dict.fromkeys(columns, "") | {"id": row["id"], "part": part, "condition": row["condition"]}
            row |= cells[part]
        writer.writerow(row)
        last = place + 1 == len(kept) or kept[place + 1]["part"] != part
        if last and part in modules:
            writer.writerow(dict.fromkeys(columns, "") | {"id": f"{part}--configured", "part": part} | modules[part])
    return out.getvalue()


def write_hosts(catalog: Catalog) -> None:
    """hosts.csv: what dsopt would build around the GPUs of each system at each grade."""
    with (HERE / "hosts.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["system", "grade", "platform", "host"])
        for system in systems():
            if system.use not in SPREAD:
                continue
            for grade in GRADES:
                day = newest_day(catalog)
                # Where the platform that a listing names is refused by a rule, the parts are those of its like.
                like = replace(system, platform="")
                build = build_of(system, grade, catalog, day) or build_of(like, grade, catalog, day) or {}
                platform = next((part for part in build if isinstance(catalog.parts[part], Platform)), "")
                around = "|".join(f"{qty}*{part}" for part, qty in sorted(host_of(build, catalog).items()))
                writer.writerow([system.id, grade, platform, around])


def main() -> None:
    catalog = load(())
    if "--hosts" in sys.argv:
        write_hosts(catalog)
    text = OFFERS.read_text(encoding="utf-8")
    new = written(catalog, text)
    if "--check" not in sys.argv:
        OFFERS.write_text(new, encoding="utf-8")
        for part, found in fit(catalog).of.items():
            print(f"{part:60} {found.middle:10,.0f} {found.low:10,.0f} {found.high:10,.0f}  {found.systems}")
    elif new != text:
        old_rows = dict(enumerate(text.splitlines()))
        differing = [line for place, line in enumerate(new.splitlines()) if old_rows.get(place) != line]
        print("offers.csv differs from the fit; run python benchmarks/prices/fit.py:", *differing[:10], sep="\n")
        raise SystemExit(1)


if __name__ == "__main__":
    main()
