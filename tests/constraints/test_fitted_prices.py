"""Boards and barebones fitted to published systems: the shipped offers are the fit's, a seller left out tells nothing,
and levels that made the prices are found again; a successor below its predecessor is a fault."""

from __future__ import annotations

import math
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from statistics import median

import pytest

from benchmarks.prices import fit as fitting
from benchmarks.prices.fit import OFFERS, barebone_usd, fit, is_used, newest_day, shell_of, system_usd, unit_prices
from benchmarks.prices.published import System, rows, systems
from benchmarks.prices.run import MOST, PAGE, Deviation, deviations, page
from catalogs.load import Catalog, load
from catalogs.schema import Kind, Platform
from constraints.prices.generations import below_predecessor
from tests.support.commands import run

MI325X, MI350X = "amd-mi325x-ubb-platform-8-oam", "amd-mi350x-ubb-platform-8-oam"


def test_offers_are_what_the_fit_says(shipped: Catalog) -> None:
    text = OFFERS.read_text(encoding="utf-8")
    assert fitting.written(shipped, text) == text


@pytest.fixture(scope="module")
def compared(shipped: Catalog) -> list[Deviation]:
    return list(deviations(shipped))


def test_the_page_is_what_the_script_writes(shipped: Catalog, compared: list[Deviation]) -> None:
    assert page(shipped, compared) == PAGE.read_text(encoding="utf-8")


def test_whole_systems_are_met(compared: list[Deviation]) -> None:
    """What dsopt would build against what sellers ask, each seller left out. The goal is a median of 10 %; the listings
    of one card by different sellers lie up to 40 % apart, so that it is not met (docs/prices.md says how far)."""
    found = [d for d in compared if d.judged is not None]
    assert len(found) >= 20 and len({d.system.seller for d in found}) >= 12
    assert median(abs(d.judged or 0) for d in found) <= 15.5
    assert not [d.system.id for d in found if abs(d.judged or 0) > MOST and not d.system.reason]


def test_the_margin_of_the_page_is_what_the_fit_finds(shipped: Catalog) -> None:
    """What whoever builds loose cards into a machine asks for them: tried, written down, not charged."""
    said = {row["basis"]: row for row in rows("margins")}
    found = fit(shipped, margin="cards").levels[fitting.MARGIN]
    assert f"{100 * (found - 1):.0f}" == said["cards"]["margin_percent"]
    assert fitting.MARGIN not in fit(shipped).levels


def test_a_seller_left_out_tells_nothing(shipped: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    def dearer() -> list[System]:
        return [replace(s, usd=s.usd * 1.5) if s.seller == "Exxact" else s for s in systems()]

    whole, without = fit(shipped), fit(shipped, without={"Exxact"})
    monkeypatch.setattr(fitting, "systems", dearer)
    assert fit(shipped, without={"Exxact"}) == without
    assert fit(shipped).of != whole.of and without.systems < whole.systems


def test_levels_that_made_the_prices_are_found_again(shipped: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    """Systems priced at levels 1.2 times those of today's fit, and hardly any scatter: priors give way."""
    price, today = unit_prices(shipped, newest_day(shipped)), fit(shipped)
    same = (fitting.SLOTS, fitting.STEP, fitting.USED)

    def level(name: str) -> float:
        return today.levels[name] * (1 if name in same else 1.2)

    made = [
        replace(s, usd=system_usd(s, shipped, price, level)) if s.use in fitting.SPREAD and _has_host(s) else s
        for s in systems()
    ]
    monkeypatch.setattr(fitting, "systems", lambda: made)
    monkeypatch.setattr(fitting, "_spread", lambda system: 0.001)
    again = fit(shipped)
    found = {part: estimate.middle for part, estimate in again.of.items()}
    for system in made:
        if system.use in fitting.SPREAD and _has_host(system):
            platform = shipped.parts[system.platform or fitting.host(system)[0]]
            assert isinstance(platform, Platform)
            boards = [part for part in system.gpus if part in fitting._free(shipped)]
            if boards and shell_of(platform):
                told = found[platform.id] + sum(found[part] for part in boards)
                meant = barebone_usd(platform, level) + sum(level(part) for part in boards)
                assert math.isclose(told, meant, rel_tol=0.02), system.id


def _has_host(system: System) -> bool:
    return bool(fitting.host(system)[0])


def test_no_figure_stands_for_unlike_barebones(shipped: Catalog) -> None:
    """Two barebones of a class with other supplies, sockets or cold plates have other prices, and in that order."""
    platforms = [p for p in shipped.of(Kind.PLATFORM) if isinstance(p, Platform) and shell_of(p) and not is_used(p)]

    def flat(name: str) -> float:
        return 0.5 if name == fitting.SLOTS else 20_000.0

    for one in platforms:
        for other in platforms:
            if (
                shell_of(one) == shell_of(other)
                and one.gpu_slots == other.gpu_slots
                and fitting.known_usd(one) > fitting.known_usd(other)
            ):
                assert barebone_usd(one, flat) > barebone_usd(other, flat)
    assert len({fitting.known_usd(p) for p in platforms if shell_of(p) == fitting.BOARD_SHELL}) >= 6


def test_a_successor_below_its_predecessor_is_a_fault(tmp_path: Path, shipped: Catalog) -> None:
    assert not below_predecessor(shipped)
    old = shipped.offers[MI325X][0].price
    head = "id,part,price,currency,date,condition,confidence,seller,source\n"
    for price, refused in ((old - Decimal("0.01"), True), (old, False)):
        day = newest_day(shipped)
        row = f"{MI350X}--1,{MI350X},{price},USD,{day},new,list,a seller,a quote\n"
        (tmp_path / "offers.csv").write_text(head + row, encoding="utf-8")
        assert [fault.code for fault in below_predecessor(load([tmp_path]))] == ["below-predecessor"] * refused
        code, _, err = run("catalog", "validate", "--catalog", str(tmp_path))
        assert code == (3 if refused else 0)
        assert (MI350X in err and MI325X in err and f"{old:,.2f}" in err) == refused


def test_predecessors_are_boards_of_the_catalog(tmp_path: Path) -> None:
    text = (Path(fitting.__file__).parents[2] / "catalogs/data/gpu_boards.csv").read_text(encoding="utf-8")
    changed = text.replace(f"0,{MI325X},", "0,amd-mi326x,")
    assert changed != text
    (tmp_path / "gpu_boards.csv").write_text(changed, encoding="utf-8")
    code, _, err = run("catalog", "validate", "--catalog", str(tmp_path))
    assert code == 3 and "column predecessor" in err and "amd-mi326x" in err
