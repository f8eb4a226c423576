"""What a build asks of the site and of its sellers: circuits and plugs, heat, noise, the day it can be there, and what
to ask first. Facts for the buyer, which no rule reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, Literal

from catalogs.message import joined, message
from catalogs.schema import Pdu
from constraints.build import Case, racked_w, total_w
from constraints.physics.circuits import circuit_for, circuit_words
from constraints.physics.couplers import RATED
from constraints.physics.draw import btu_per_hour
from constraints.physics.markets import region_at
from constraints.request import Circuit, volts_at_supply
from constraints.rule import figure
from constraints.rules.power import taken_centiamps, tower_feeds
from constraints.rules.rack import racked, racks_in
from optimizer.market.market import Market

MOST_ASKED = 3
"""Questions to sellers that are named: a price or a fact each."""
WORTH_PERCENT = 1
"""Share of all lines from which a price is worth a question."""


def site_facts(market: Market, case: Case, lines: list[dict[str, Any]]) -> dict[str, Any]:
    """Everything that a result states beside the bill; `lines` are the bill's."""
    circuits = _circuits(case)
    supplies = _supplies(case, circuits)
    ordered = [line for line in lines if line["offer_id"] and line["origin"] != "owned"]
    stated = [line["lead_time_days"] for line in ordered if line["lead_time_days"] is not None]
    days = max(stated, default=None)
    undated = len(ordered) - len(stated)
    ready = None
    if days is not None and not undated:
        ready = (market.request.as_of + timedelta(days=days)).isoformat()
    return {
        "circuits": circuits,
        "supplies": supplies,
        "noise_dba": case.platform.noise_dba,
        "lead_days": days,
        "undated_lines": undated,
        "ready": ready,
        "power": _power_words(case, circuits, supplies),
        "heat": _heat_words(case),
        "delivery": _delivery_words(days, undated, len(ordered), ready),
        "ask": _questions(case, ordered, undated),
    }


def _circuits(case: Case) -> list[dict[str, Any]]:
    """Circuits that the build hangs on; empty where nothing says which."""
    asked = case.request.circuit
    if asked:
        return [_circuit(asked, 1, "build")]
    if racked(case.platform):
        pdus = [pdu for pdu, _ in case.parts(Pdu, shared=True) if isinstance(pdu, Pdu)]
        if not pdus:
            return []
        # Nameplates round up: 17.3 kW of 60 A at 208 V are 17,293 W.
        watts = 99 * pdus[0].power_w // 100
        phases: Literal[1, 3] = 3 if pdus[0].phases == 3 else 1
        region = region_at(volts_at_supply(pdus[0].volts, phases), case.request)
        circuit = circuit_for(watts, pdus[0].volts, phases, case.policy, region)
        return [_circuit(circuit, 2 * racks_in(case), "rack")] if circuit else []
    feeds = None if case.platform.rack_mount or case.power_unknown else tower_feeds(case)
    return [_circuit(feeds.circuit, feeds.count, "nodes")] if feeds else []


def _circuit(circuit: Circuit, count: int, of: str) -> dict[str, Any]:
    return {"amps": circuit.amps, "volts": circuit.volts, "phases": circuit.phases, "count": count, "of": of}


def _supplies(case: Case, circuits: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Supplies of a node, their plug, and what each takes with the spare ones failed, at the voltage of the circuit
    that the node hangs on; None where they are built in."""
    bank = case.psus
    if bank is None or case.power_unknown:
        return None
    on_wall = circuits and not racked(case.platform) and not case.request.circuit
    volts = circuits[0]["volts"] if on_wall else case.line_volts
    return {
        "fitted": bank.fitted,
        "needed": bank.needed,
        "inlet": bank.inlet,
        "volts": volts,
        "amps": taken_centiamps(case, bank, volts) / 100,
    }


def _power_words(case: Case, circuits: list[dict[str, Any]], supplies: Mapping[str, Any] | None) -> str:
    """The circuits and plugs in a sentence."""
    parts = [_needs(case, each) for each in circuits]
    if not circuits and racked(case.platform):
        racks = max(1, racks_in(case))
        kw = (-(-case.build.nodes // racks) * case.wall_w + racked_w(case)) / 1000
        parts.append(message("the site's racks give {kw} kW each, on two feeds", kw=f"{kw:,.1f}"))
    if supplies is not None:
        parts.append(_inlets(supplies))
    return joined(parts, "; ") if parts else "the supply is built in; nobody states its plug"


def _inlets(supplies: Mapping[str, Any]) -> str:
    """The plugs of a node and what each takes."""
    said = {"n": supplies["fitted"], "a": figure(supplies["amps"]), "volts": supplies["volts"]}
    known, one = supplies["inlet"] in RATED, supplies["fitted"] == 1
    if known and one:
        return message("each node has one inlet {inlet}, {a} A at {volts} V", inlet=supplies["inlet"], **said)
    if known:
        return message("each node has {n} inlets {inlet}, {a} A each at {volts} V", inlet=supplies["inlet"], **said)
    if one:
        return message("each node has one inlet of a kind that nobody states, {a} A at {volts} V", **said)
    return message("each node has {n} inlets of a kind that nobody states, {a} A each at {volts} V", **said)


def _needs(case: Case, circuit: Mapping[str, Any]) -> str:
    words = circuit_words(Circuit(amps=circuit["amps"], volts=circuit["volts"], phases=circuit["phases"]))
    if circuit["of"] == "rack":
        return message("two feeds of {circuit} for each rack, each able to carry it alone", circuit=words)
    if circuit["count"] == 1:
        return message("one circuit of {circuit}", circuit=words)
    return message("{n} circuits of {circuit}", n=circuit["count"], circuit=words)


def _heat_words(case: Case) -> str:
    """Heat, and noise where the maker states it."""
    watts = total_w(case)
    said = {"kw": f"{watts / 1000:,.1f}", "btu": f"{btu_per_hour(watts):,}"}
    if case.platform.noise_dba is None:
        return message("{kw} kW at the wall, {btu} BTU/h; nobody states the noise", **said)
    return message(
        "{kw} kW at the wall, {btu} BTU/h; {db} dB(A) per node", db=figure(case.platform.noise_dba), **said
    )  # fmt: skip


def _delivery_words(days: int | None, undated: int, ordered: int, ready: str | None) -> str:
    """The earliest day that all of it can be there, or that nobody says."""
    if not ordered:
        return "nothing has to be ordered"
    if ready is not None:
        return message("all of it can be there on {day}, {n} days after these prices", day=ready, n=days)
    if days is None:
        return "nobody says when any of it can be there"
    return message(
        "nobody says when all of it can be there: {n} of {all} lines have no lead time; "
        "{days} days is the longest stated",
        n=undated, all=ordered, days=days,
    )  # fmt: skip


def _questions(case: Case, ordered: Iterable[dict[str, Any]], undated: int) -> list[str]:
    """The prices and facts that move the answer most: the dearest lines whose price nobody has read, or long ago, then
    what no maker states."""
    unsure = [line for line in ordered if line["price_state"] != "read" or line["stale"]]
    total = sum((Fraction(line["line_total"]) for line in ordered), Fraction(0))
    unsure.sort(key=lambda line: (-Fraction(line["line_total"]), line["part"]))
    worth = [line for line in unsure if 100 * Fraction(line["line_total"]) >= WORTH_PERCENT * total > 0]
    asked = [_price_question(line, total) for line in worth]
    facts = []
    if case.psus is not None and case.psus.inlet not in RATED:
        facts.append("which cord and outlet its supplies take")
    if racked(case.platform) and case.platform.weight_kg is None:
        facts.append("what a node weighs")
    if undated:
        facts.append("when it can be there")
    kept = asked[: max(1, MOST_ASKED - len(facts[:1]))]
    return [*kept, *facts][:MOST_ASKED]


def _price_question(line: Mapping[str, Any], total: Fraction) -> str:
    said = {
        "part": line["name"] or line["part"],
        "amount": f"{Decimal(line['line_total']):,}",
        "currency": line["currency"],
        "percent": round(100 * Fraction(line["line_total"]) / total) if total else 0,
    }
    if line["price_state"] == "estimate":
        return message("the price of {part}: {amount} {currency}, {percent} % of all, is an estimate", **said)
    return message(
        "the price of {part}: {amount} {currency}, {percent} % of all, was read on {day}",
        **said, day=line["price_date"] or "?",
    )  # fmt: skip
