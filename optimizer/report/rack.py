"""Racks from the front: where nodes and switches stand, what is left free."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from catalogs.schema import Cooling, Part, Platform, Switch
from constraints.rules.rack import RackRule
from optimizer.report.facts import machine
from optimizer.report.formats import begun, clipped, figure
from optimizer.result.point_schema import FrontPoint
from optimizer.text.languages import N_, Words

UNIT = 7
"""Height of a rack unit in units of the picture."""
RACK = 100
SPACE = 34
TOP = 22
SHOWN = 4
"""Racks that are drawn; those beyond are alike and counted."""
IN_ALL = N_("{racks}: {units} U taken in all, {kw} kW at the wall")
RACKS, ONE_RACK = N_("{n} racks"), N_("one rack")
NO_RACK = N_("No rack is part of this build: it takes {units} U on site.")
OWN_RACK = N_("The system is a rack of its own, {units} U high.")
OWN_RACK_FROM = 40
"""A complete system of more rack units than these brings its rack (constraints/rules/rack.py)."""
STANDS_ALONE = N_("It stands without a rack.")
GEAR = N_("Above the nodes of rack 1: {list}.")
MORE = N_("{n} more racks alike")


@dataclass(frozen=True)
class Slot:
    """What stands in a rack: its style, place and label."""

    style: str
    x: float
    y: float
    width: float
    height: float
    label: str


@dataclass
class RackDrawing:
    """Racks side by side, and the same as rows of a table."""

    key: str
    title: str
    note: str
    width: float = 0
    height: float = 0
    frames: list[Slot] = field(default_factory=list)
    slots: list[Slot] = field(default_factory=list)
    rungs: list[tuple[float, float, str]] = field(default_factory=list)
    """(x, y, number) of every sixth rack unit, counted from below."""
    pdus: list[Slot] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)


def rack_drawing(point: FrontPoint, parts: Mapping[str, Part], words: Words) -> RackDrawing:
    """The racks of a build; a drawing without frames where it has none."""
    drawing = RackDrawing(f"rack-{point.id}", words(N_("In the rack")), _note(point, words))
    height = rack_height(point)
    if not point.racks or not height:
        return drawing
    nodes, per_rack = point.nodes[0].count, -(-point.nodes[0].count // point.racks)
    gear = _gear(point, parts)
    node_units = _node_units(point, parts, gear)
    shown = min(point.racks, SHOWN)
    pdus = sum(line.qty for line in point.bom if line.category == "pdu" and line.role == "shared") // point.racks
    left = nodes
    for place in range(point.racks):
        here = min(per_rack, left)
        left -= here
        rows = [(name, units, "gear") for name, units in gear] if place == 0 else []
        first = nodes - left - here + 1
        rows += [(_node_name(point, number, words), node_units, "node") for number in range(first, first + here)]
        if place < shown:
            _rack(drawing, place, height, rows, pdus, words)
        taken = sum(units for _name, units, _style in rows)
        drawing.rows.append([str(place + 1), str(here), str(taken), str(height)])
    drawing.width = shown * (RACK + SPACE) + SPACE
    drawing.height = TOP + height * UNIT + 12
    if gear:
        names = words.between(", ").join(dict.fromkeys(name for name, _units in gear))
        drawing.note += words.apart + words(GEAR, list=names)
    if point.racks > shown:
        drawing.note += words.apart + words(MORE, n=str(point.racks - shown)) + words.stop
    return drawing


def _node_name(point: FrontPoint, number: int, words: Words) -> str:
    """What a node is called: by its part where prefill and decode are apart; the first ones prefill."""
    if (prefill := point.plan.prefill) is None:
        return words(N_("node {n}"), n=str(number))
    return words(N_("prefill {n}") if number <= prefill.nodes else N_("decode {n}"), n=str(number))


def rack_height(point: FrontPoint) -> int:
    """Rack units of a rack, of the rule's own finding; 0 where no rule judged it."""
    found = (check.limit for check in point.checks if check.rule == RackRule.id and check.unit == "units")
    return int(next((limit for limit in found if limit), 0))


def _gear(point: FrontPoint, parts: Mapping[str, Part]) -> list[tuple[str, int]]:
    """(name, rack units) of each shared device that stands in a rack."""
    found = []
    for shared in point.shared:
        part = parts.get(shared.part)
        if isinstance(part, Switch | Cooling) and part.rack_units:
            found += [(part.name, part.rack_units)] * shared.qty
    return found


def _node_units(point: FrontPoint, parts: Mapping[str, Part], gear: list[tuple[str, int]]) -> int:
    """Rack units of a node: its machine's own, else what is left of the build's."""
    line = machine(point)
    part = parts.get(line.part) if line else None
    if isinstance(part, Platform) and part.rack_units:
        return part.rack_units
    return max(1, (point.rack_units - sum(units for _name, units in gear)) // point.nodes[0].count)


def _rack(
    drawing: RackDrawing, place: int, height: int, rows: list[tuple[str, int, str]], pdus: int, words: Words
) -> None:  # fmt: skip
    """One rack with its devices: nodes from the bottom up, as they are mounted, gear above them."""
    x = SPACE + place * (RACK + SPACE)
    label = words(N_("rack {n}, {units} U"), n=str(place + 1), units=str(height))
    drawing.frames.append(Slot("frame", x, TOP, RACK, height * UNIT, label))
    bottom = TOP + height * UNIT
    drawing.rungs += [(x, bottom - units * UNIT, str(units)) for units in range(6, height, 6)]
    for side in range(min(pdus, 2)):
        drawing.pdus.append(Slot("pdu", x - 7 if side == 0 else x + RACK + 2, TOP + 10, 5, height * UNIT - 20, ""))
    for name, units, style in sorted(rows, key=lambda row: row[2] == "gear"):
        bottom -= units * UNIT
        text = clipped(f"{name} · {units} U" if units > 1 else name, 17) if units * UNIT >= 10 else ""
        drawing.slots.append(Slot(style, x + 3, bottom, RACK - 6, units * UNIT - 1, text))


def _note(point: FrontPoint, words: Words) -> str:
    line, height = machine(point), point.rack_units // point.nodes[0].count
    if not point.racks and line is not None and line.category == "system" and height > OWN_RACK_FROM:
        return words(OWN_RACK, units=str(height))
    if not point.racks:
        return words(NO_RACK, units=str(point.rack_units)) if point.rack_units else words(STANDS_ALONE)
    racks = words(ONE_RACK) if point.racks == 1 else words(RACKS, n=str(point.racks))
    kw = figure(point.power.total_w / 1000, 1)
    return begun(words(IN_ALL, racks=racks, units=str(point.rack_units), kw=kw)) + words.stop
