"""Words for what a result names by codes: categories, rules, units, confidence, and figures in a line."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING

from catalogs.offers import state_of
from optimizer.result.plan_line import plan_line
from optimizer.text.languages import N_, Words

if TYPE_CHECKING:  # the command line reads words from here, and must start quickly
    from catalogs.offers import Bundle, Offer
    from optimizer.result.point_schema import FrontPoint

CATEGORIES = {
    "gpu": N_("GPU"), "gpu_board": N_("GPU board"), "bridge": N_("NVLink bridge"), "system": N_("Complete system"),
    "platform": N_("Server platform"), "cpu": N_("CPU"), "memory": N_("Memory"), "drive": N_("Drive"),
    "nic": N_("Network card"), "psu": N_("Power supply"), "cooling": N_("Cooling"), "switch": N_("Switch"),
    "optic": N_("Optic"), "cable": N_("Cable"), "rack": N_("Rack"), "pdu": N_("Power distribution unit"),
    "bundle": N_("Bundle"),
}  # fmt: skip
UNITS = {
    "cores": N_("cores"), "lanes": N_("lanes"), "modules": N_("modules"), "nodes": N_("nodes"),
    "outlets": N_("outlets"), "pieces": N_("pieces"), "units": N_("rack units"), "sellers": N_("sellers"),
    "W": "W", "GB": "GB", "MB/s": "MB/s", "Gbit/s": "Gbit/s", "kg": "kg", "C": "°C", "gen": N_("generation"),
    "requests": N_("requests"), "ms": "ms", "output tokens/s": N_("output tokens/s"),
    "training tokens/s": N_("training tokens/s"),
}  # fmt: skip
SEVERITIES = {"error": N_("error"), "warning": N_("warning"), "note": N_("note")}
TAXES = {"net": N_("net of tax"), "gross": N_("with tax"), "unknown": N_("not said")}
STATUS = {"pass": N_("pass"), "warn": N_("warning"), "fail": N_("fail")}
WORDS = {
    "list": N_("list price"), "contract": N_("contract price"), "street": N_("street price"),
    "sold": N_("sold price"), "estimate": N_("estimate"), "new": N_("new"),
    "refurbished": N_("refurbished"), "used": N_("used"), "fastest": N_("fastest"), "cheapest": N_("cheapest"),
    "value": N_("best value"), "read": N_("mostly read prices"),
    "indexed": N_("indexed"), "recommended": N_("recommended"), "quoted": N_("quoted"),
}  # fmt: skip
BASIS = {
    "measured": N_("measured"),
    "interpolated": N_("interpolated: its model or its GPU was measured"),
    "roofline": N_("roofline model: neither its model nor its GPU was measured, or not at such a load"),
}


@cache
def rule_titles() -> Mapping[str, str]:
    """Titles by the ids of findings: each rule's own, and that of the fields of the request which no rule reads."""
    from constraints.rules.registry import RULES

    return {rule.id: rule.title or rule.id for rule in RULES} | {"request": N_("Request")}


def category(_: Words, code: str) -> str:
    return _(CATEGORIES.get(code, code))


def rule(_: Words, code: str) -> str:
    return _(rule_titles().get(code, code))


def unit(_: Words, code: str) -> str:
    return _(UNITS.get(code, code))


def word(_: Words, code: str | None) -> str:
    """Confidence, condition or name of a point."""
    return _(WORDS.get(code, code)) if code else ""


def sureness(_: Words, offer: Offer | Bundle | None) -> str:
    """Confidence of a price, and whether an index moved it."""
    if offer is None:
        return ""
    indexed = [_(WORDS["indexed"])] * (state_of(offer) == "indexed")
    return _.comma.join([word(_, offer.confidence), *indexed])


def gpus(point: FrontPoint) -> str:
    """`1 x 8 H200`."""
    return f"{point.nodes[0].count} x {point.gpus.per_node} {point.gpus.name}"


def plan(point: FrontPoint) -> str:
    """`fp8 tp4 dp2 x2` in the field's own abbreviations."""
    return plan_line(vars(point.plan))


def interval(point: FrontPoint) -> str:
    """`low-high` of the throughput."""
    return f"{point.throughput.low:,.0f} – {point.throughput.high:,.0f}"
