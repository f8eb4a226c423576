"""Which lines of a quote are the build, when it holds one kind of node, several, or none."""

from __future__ import annotations

from dataclasses import dataclass, replace

from catalogs.errors import InputError
from catalogs.load import Catalog
from catalogs.message import N_, joined, message, sentence_of
from catalogs.schema import Platform
from constraints.physics.contents import gpus_inside
from optimizer.procurement.reading.build import NODES, Placed, is_shared, to_build
from optimizer.procurement.reading.document import Line, Match, Quote
from optimizer.procurement.reading.line.whole_servers import WHOLE_SERVER

MOST_NODES = 1000
"""As of a build.toml."""


@dataclass(frozen=True)
class Scope:
    """`placed`: the build, None where the lines make none; `text` says what was taken; `keys` are the build's lines;
    `others`: nodes of other kinds with their rows, which no rule saw; `reason` why there is no build."""

    placed: Placed | None
    text: str
    keys: frozenset[tuple[int, int]]
    prices_only: bool = False
    others: tuple[str, ...] = ()
    reason: str = ""


def scope(quote: Quote, catalog: Catalog) -> Scope:
    """The build that rules are held against. Of several kinds of nodes that with the most GPUs, the others named."""
    parts = [line for line in quote.lines if line.role == "part" and not line.optional]
    if not any(part.pieces for part in parts):
        text = "No line says how many pieces: a price list. Prices alone were X-rayed."
        return Scope(None, text, frozenset(), prices_only=True, reason="says no quantities")
    try:
        placed = to_build(quote, catalog)
    except InputError as e:
        fault = e.faults[0]
        if fault.code == "mixed-nodes":
            return _main_kind(quote, catalog)
        if fault.code == "no-platform" and (stood_in := _in_some_chassis(quote, catalog)):
            return stood_in
        text = message("No build, so no rule was checked: {why}. {remedy}", why=fault.text, remedy=fault.remedy)
        return Scope(None, text, frozenset(), reason=fault.text)
    return _judged(placed, _said(placed, catalog), _keys(quote, placed))


def _in_some_chassis(quote: Quote, catalog: Catalog) -> Scope | None:
    """The scope of servers whose cell names no chassis, in the first that takes their GPUs and CPUs; None without one.
    The line stays open: what depends on the chassis is not judged."""
    heads = [line for line in quote.lines if line.matched.reason == WHOLE_SERVER and line.matched.candidates]
    if not heads:
        return None
    chassis = heads[0].matched.candidates[0]
    stood_in = Match(how="none", part=chassis)
    lines = tuple(
        line.model_copy(update={"matched": stood_in}) if line.key == heads[0].key else line for line in quote.lines
    )
    with_chassis = quote.model_copy(update={"lines": lines})
    try:
        placed = to_build(with_chassis, catalog)
    except InputError:
        return None
    text = message(
        "Row {row} names no chassis: what does not depend on one is judged in {platform}, the first of {n} that fit.",
        row=heads[0].row, platform=catalog.parts[chassis].name, n=len(heads[0].matched.candidates),
    )  # fmt: skip
    said = joined([_said(placed, catalog), text], " ")
    return _judged(placed, said, _keys(with_chassis, placed))


def _judged(placed: Placed, text: str, keys: frozenset[tuple[int, int]]) -> Scope:
    """The scope of a build, unless it is too large for the rules."""
    if placed.build.nodes <= MOST_NODES:
        return Scope(placed, text, keys)
    reason = message(
        "{n} nodes are quoted, at most {most} are judged", n=f"{placed.build.nodes:,}", most=f"{MOST_NODES:,}"
    )
    return Scope(None, sentence_of(reason), frozenset(), reason=reason)


def _keys(quote: Quote, placed: Placed) -> frozenset[tuple[int, int]]:
    left = {x.key for x in placed.unplaced}
    keys = {
        line.key for line in quote.lines
        if line.role == "part" and not line.optional and line.matched.part and line.pieces and line.key not in left
    }  # fmt: skip
    rows = {row for row, _ in keys}
    return frozenset(keys | {line.key for line in quote.lines if rows & {*line.holds}})


def _said(placed: Placed, catalog: Catalog, alone: bool = True) -> str:
    """As what it was X-rayed; `alone`: there is no other kind of node in the quote."""
    build = placed.build
    name = next(catalog.parts[p].name for p in build.node if catalog.parts[p].kind in NODES)
    one = N_("X-rayed as {nodes} node of {platform} with all matched lines.")
    several = N_("X-rayed as {nodes} equal nodes of {platform} with all matched lines.")
    if not alone:
        one = N_("X-rayed as {nodes} node of {platform} with its own lines.")
        several = N_("X-rayed as {nodes} equal nodes of {platform} with their own lines.")
    said: list[str] = [message(one if build.nodes == 1 else several, nodes=build.nodes, platform=name)]
    if placed.unplaced:
        rows = joined(dict.fromkeys(str(x.row) for x in placed.unplaced))
        said.append(message("Not part of the build, no rule saw them: rows {rows}.", rows=rows))
    return joined([*said, *(sentence_of(n.text) for n in placed.notices)], " ")


def _main_kind(quote: Quote, catalog: Catalog) -> Scope:
    """Lines stand below the node that they belong to; networks and racks are the main kind's."""
    of: dict[str, list[Line]] = {}
    at, first = "", ""
    for x in quote.lines:
        part = catalog.parts.get(x.matched.part or "")
        if isinstance(part, Platform) and not x.optional and x.pieces:
            at = part.id
            first = first or at
        of.setdefault(at, []).append(x)
    of.setdefault(first, [])[:0] = of.pop("", [])
    main = max(of, key=lambda p: (_gpus(of[p], catalog), p == first))
    shared = [
        line for p, lines in of.items() if p != main for line in lines
        if (part := catalog.parts.get(x.matched.part or "")) and is_shared(part)
    ]  # fmt: skip
    mine = {x.row for x in (*of[main], *shared)}
    try:
        placed = to_build(
            quote.model_copy(update={"lines": tuple(line for line in quote.lines if line.row in mine)}), catalog
        )
    except InputError as e:
        reason = message("Different kinds of nodes, and none of them a build: {why}", why=e.faults[0].text)
        return Scope(None, sentence_of(reason), frozenset(), reason=reason)
    others = []
    for p, lines in of.items():
        if p != main:
            rows = joined(str(line.row) for line in lines if line.row not in mine)
            others.append(message("{names} (rows {rows})", names=catalog.parts[p].name, rows=rows))
    taken = message(
        "The quote holds {kinds} kinds of nodes; lines were taken as parts of the node that they stand below.",
        kinds=len(of),
    )
    unseen = joined((message("Not X-rayed by rules, only by price: {nodes}.", nodes=x) for x in others), " ")
    alone = "To X-ray one of them, leave out the others' rows (ignore_rows in --map)."
    text = joined([taken, _said(placed, catalog, alone=False), unseen, alone], " ")
    return replace(
        _judged(placed, text, frozenset(key for key in _keys(quote, placed) if key[0] in mine)), others=tuple(others)
    )


def _gpus(lines: list[Line], catalog: Catalog) -> int:
    """GPUs among lines, those inside boards and systems too."""
    found = 0
    for line in lines:
        part = catalog.parts.get(line.matched.part or "")
        if part is None or not line.pieces or line.optional:
            continue
        inside = gpus_inside(part, catalog)[1] if isinstance(part, Platform) else getattr(part, "gpus", 0)
        each = inside if isinstance(inside, int) else 0
        found += line.pieces * (1 if part.kind == "gpu" else each)
    return found
