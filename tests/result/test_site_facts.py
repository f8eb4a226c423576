"""What a build asks of the site and of its sellers."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from catalogs.schema import Pdu, Platform, Psu
from constraints.policy import Policy
from constraints.request import Circuit
from constraints.rules.power import Power
from optimizer.market.market import Market
from optimizer.result.bill import bom, purchase
from optimizer.result.site_facts import site_facts
from tests.support.scenes import Scene, changed, load_w, scene, wall_w

EUROPE = Policy().with_settings(["power.line_volts=230"])


def facts(s: Scene, days: tuple[int | None, ...] = (), **asked: Any) -> dict[str, Any]:
    """Of a scene's build on European lines, its offers with these lead times in turn."""
    catalog = s.market.catalog
    if days:
        offers = {}
        for place, (part, of) in enumerate(sorted(catalog.offers.items())):
            offers[part] = tuple(o.model_copy(update={"lead_time_days": days[place % len(days)]}) for o in of)
        catalog = replace(catalog, offers=offers)
    market = Market.open(catalog, s.market.request.model_copy(update=asked), EUROPE)
    case = market.case(s.case.build, s.row.plan, s.row.key)
    return site_facts(market, case, bom(market, case, purchase(market, case.build)))


def test_a_tower_on_an_ordinary_outlet() -> None:
    s = scene("tower")
    found = facts(s)
    assert wall_w(s) <= 16 * 230, "the scene is to fit one outlet"
    assert found["circuits"] == [{"amps": 16, "volts": 230, "phases": 1, "count": 1, "of": "nodes"}]


def test_towers_share_circuits_that_carry_them() -> None:
    """As many circuits as nodes divided by those that 3,680 W carry; the warning says the same."""
    s = scene("towers")
    many = s._replace(case=replace(s.case, build=replace(s.case.build, nodes=9)))
    each = 16 * 230 // wall_w(s)
    assert each >= 1
    (circuit,) = facts(many)["circuits"]
    assert (circuit["amps"], circuit["volts"], circuit["count"]) == (16, 230, -(-9 // each))


def test_a_tower_beyond_an_ordinary_outlet_is_warned_of() -> None:
    s = scene("tower")
    platform = s.one(Platform)[0]
    hungry = changed(s.market.catalog, platform, "overhead_w", platform.overhead_w + 4000)
    market = Market.open(hungry, s.market.request, EUROPE)
    case = market.case(s.case.build, s.row.plan, s.row.key)
    warned = [str(check.text) for check in Power().check(case) if check.status == "warn" and check.limit == 3680]
    assert len(warned) == 1 and "a circuit of" in warned[0]
    asked = Market.open(hungry, s.market.request.model_copy(update={"circuit": Circuit(amps=16, volts=230)}), EUROPE)
    judged = Power().check(asked.case(s.case.build, s.row.plan, s.row.key))
    assert any(check.status == "fail" and check.limit == 3680 for check in judged)


def test_racks_have_two_feeds_that_carry_their_pdus() -> None:
    s = scene("two racks")
    pdu = s.one(Pdu)[0]
    (circuit,) = facts(s)["circuits"]
    assert circuit["of"] == "rack" and circuit["count"] == 2 * s.case.build.nodes // -(-s.case.build.nodes // 2)
    assert circuit["amps"] * circuit["volts"] >= 0.99 * pdu.power_w


def test_what_supplies_take() -> None:
    s = scene("two racks")
    found = facts(s)["supplies"]
    assert found["volts"] == 230 and found["amps"] >= load_w(s) / found["needed"] / 230


def american(s: Scene, low_line_w: int | None = None) -> dict[str, Any]:
    """Facts of a scene's build on a line of 208 V, where ordinary outlets have 120; `low_line_w`: what its supply gives
    there."""
    policy, catalog = Policy().with_settings(["power.line_volts=208"]), s.market.catalog
    if low_line_w is not None:
        catalog = changed(catalog, s.one(Psu)[0], "watts_low_line", low_line_w)
    market = Market.open(catalog, s.market.request, policy)
    case = market.case(s.case.build, s.row.plan, s.row.key)
    return site_facts(market, case, bom(market, case, purchase(market, case.build)))


def test_a_supply_takes_its_amperes_at_the_voltage_of_the_outlet_named() -> None:
    s = scene("tower")
    found = american(s)
    (circuit,), supplies = found["circuits"], found["supplies"]
    assert (circuit["amps"], circuit["volts"]) == (15, 120)
    assert supplies["volts"] == 120
    assert supplies["amps"] >= load_w(s) / supplies["needed"] / 120
    assert "A at 120 V" in found["power"] and "1 inlets" not in found["power"]


def test_an_outlet_at_whose_voltage_the_supply_gives_too_little_is_not_named() -> None:
    """The load fits the breaker, but not the watts that the supply gives below 200 V."""
    s = scene("tower")
    found = american(s, low_line_w=load_w(s) // s.case.psus.fitted - 1)
    assert [circuit["volts"] for circuit in found["circuits"]] == [208]
    assert found["supplies"]["volts"] == 208


@pytest.mark.parametrize(
    ("days", "ready", "words"),
    [((5,), 5, "can be there on"), ((5, 40), 40, "can be there on"), ((5, None), None, "nobody says when all"),
     ((None,), None, "nobody says when any")],
)  # fmt: skip
def test_the_day_that_all_can_be_there(days: tuple[int | None, ...], ready: int | None, words: str) -> None:
    s = scene("tower")
    found = facts(s, days)
    day = s.market.request.as_of + timedelta(days=ready) if ready else None
    assert found["ready"] == (day.isoformat() if day else None) and words in found["delivery"]
    assert isinstance(s.market.request.as_of, date)
    assert len(found["ask"]) <= 3


def test_an_inlet_that_nobody_states_is_asked_for() -> None:
    s = scene("systems")
    catalog = s.market.catalog
    for part in list(catalog.parts.values()):
        if part.kind == "psu":
            catalog = changed(catalog, part, "inlet", None)
    market = Market.open(catalog, s.market.request, EUROPE)
    case = market.case(s.case.build, s.row.plan, s.row.key)
    found = site_facts(market, case, [])
    assert found["supplies"]["inlet"] is None and "nobody states" in found["power"]
    assert "which cord" in found["ask"][0]
