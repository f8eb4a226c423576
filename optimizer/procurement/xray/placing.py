"""Which lines of a quote are the build, when it holds one kind of node, several, or none."""

from __future__ import annotations

from dataclasses import dataclass, replace

from catalogs.errors import InputError
from catalogs.load import Catalog
from catalogs.message import N_, joined, message, sentence_of
from catalogs.schema import Platform
from constraints.physics.contents import gpus_inside
from optimizer.procurement.reading.build import NODES, Placed, is_shared, to_build
from optimizer.procurement.reading.document import Line, Quote

MOST_NODES = 1000
"""As of a build.toml."""


@dataclass(frozen=True)
class Scope:
    """`placed`: the build, None where the lines make none; `text` says what was taken; `rows` are the build's lines;
    `others`: nodes of other kinds with their rows, which no rule saw; `reason` why there is no build."""

    placed: Placed | None
    text: str
    rows: frozenset[int]
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
        text = message("No build, so no rule was checked: {why}. {remedy}", why=fault.text, remedy=fault.remedy)
        return Scope(None, text, frozenset(), reason=fault.text)
    return _judged(placed, _said(placed, catalog), _rows(quote, placed))


def _judged(placed: Placed, text: str, rows: frozenset[int]) -> Scope:
    """The scope of a build, unless it is too large for the rules."""
    if placed.build.nodes <= MOST_NODES:
        return Scope(placed, text, rows)
    reason = message(
        "{n} nodes are quoted, at most {most} are judged", n=f"{placed.build.nodes:,}", most=f"{MOST_NODES:,}"
    )
    return Scope(None, sentence_of(reason), frozenset(), reason=reason)


def _rows(quote: Quote, placed: Placed) -> frozenset[int]:
    left = {x.row for x in placed.unplaced}
    rows = {
        line.row for line in quote.lines
        if line.role == "part" and not line.optional and line.matched.part and line.pieces and line.row not in left
    }  # fmt: skip
    return frozenset(rows | {line.row for line in quote.lines if rows & {*line.holds}})


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
        rows = joined(str(x.row) for x in placed.unplaced)
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
    return replace(_judged(placed, text, _rows(quote, placed) & mine), others=tuple(others))


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
