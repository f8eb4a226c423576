"""A quote's matched lines -> a Build: what each node holds and what nodes share, and what could not be placed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from catalogs.errors import Fault, InputError
from catalogs.load import Catalog
from catalogs.message import message
from catalogs.schema import Cooling, GpuBoard, Kind, Link, Part, Platform, Psu
from constraints.build import Build, build_of, included_bank
from constraints.rules.fit import psu_fits
from optimizer.procurement.reading.document import Line, Notice, Quote

NODES = (Kind.PLATFORM, Kind.SYSTEM)
SHARED = (Kind.SWITCH, Kind.OPTIC, Kind.CABLE, Kind.RACK, Kind.PDU)
NODE_COOLING = ("cpu-cooler", "fans", "coldplate-kit")


def is_shared(part: Part) -> bool:
    """Whether nodes share it: networks, racks and their cooling; power cords and coolers of CPUs belong to a node."""
    if isinstance(part, Cooling):
        return part.role not in NODE_COOLING
    return part.kind in SHARED and not (isinstance(part, Link) and part.medium == "power")


@dataclass(frozen=True)
class Placed:
    """The build as far as lines match. `left_over`: pieces beyond equal nodes (spares?); `unplaced`: other lines."""

    build: Build
    left_over: dict[str, int]
    unplaced: tuple[Line, ...]
    notices: tuple[Notice, ...]


def to_build(quote: Quote, catalog: Catalog) -> Placed:
    """Nodes are as many as platforms or systems offered; what does not divide by them is left over.

    Optional lines and services are not placed. What a complete system names as its contents is not counted twice.
    Raises InputError: no platform or system matched, or several different ones."""
    taken = [line for line in quote.lines if line.matched.part is not None and line.pieces and not line.optional]
    pieces: dict[str, int] = {}
    for line in taken:
        assert line.matched.part is not None and line.pieces is not None
        pieces[line.matched.part] = pieces.get(line.matched.part, 0) + line.pieces
    platform = _one_platform(quote, catalog, pieces)
    nodes = pieces.pop(platform)
    notices = [
        *_without_contents(catalog, platform, nodes, pieces),
        *_without_board_gpus(catalog, pieces),
        *_without_supplies(catalog, platform, nodes, pieces),
    ]
    shared = {part: count for part, count in pieces.items() if is_shared(catalog.parts[part])}
    in_nodes = {part: count for part, count in pieces.items() if part not in shared}
    per_node = {part: count // nodes for part, count in in_nodes.items() if count >= nodes}
    left_over = {part: count % nodes for part, count in in_nodes.items() if count % nodes}
    for part, count in sorted(left_over.items()):
        text = message(
            "{part}: {pieces} pieces for {nodes} nodes, {n} left over (a spare?)",
            part=part,
            pieces=pieces[part],
            nodes=nodes,
            n=count,
        )
        notices.append(Notice(code="left-over", text=text))
    unplaced = tuple(
        line
        for line in quote.lines
        if line not in taken and line.role == "part" and not line.optional and not line.holds
    )
    build = build_of(catalog, nodes, {platform: 1, **dict(sorted(per_node.items()))}, dict(sorted(shared.items())))
    return Placed(build, left_over, unplaced, tuple(notices))


def _one_platform(quote: Quote, catalog: Catalog, pieces: Mapping[str, int]) -> str:
    """The platform or system among the parts. Raises InputError where there is none, or several."""
    platforms = sorted(part for part in pieces if catalog.parts[part].kind in NODES)
    if not platforms:
        remedy = "See review.csv; match the line of the server in the mapping file."
        raise InputError(
            Fault("no-platform", "no server platform or system among the matched lines", quote.source, remedy=remedy)
        )
    if len(platforms) > 1:
        remedy = "Check each kind of node by itself: ignore the others' rows in a mapping file."
        named = ", ".join(platforms)
        raise InputError(
            Fault("mixed-nodes", "holds different kinds of nodes", quote.source, value=named, remedy=remedy)
        )
    return platforms[0]


def _without_contents(catalog: Catalog, platform: str, nodes: int, pieces: dict[str, int]) -> Iterable[Notice]:
    """Takes out lines that only list what is inside a complete system already."""
    system = catalog.parts[platform]
    assert isinstance(system, Platform)
    inside: dict[str, int] = {}
    for c in system.contents:
        part = catalog.parts[c.part]
        inside[c.part] = inside.get(c.part, 0) + c.qty
        if isinstance(part, GpuBoard):
            inside[part.gpu] = inside.get(part.gpu, 0) + c.qty * part.gpus
    for p, qty in sorted(inside.items()):
        if pieces.get(p) == qty * nodes:
            del pieces[p]
            yield Notice(
                code="in-the-system",
                text=message("{part}: {n} per node are inside {platform} already", part=p, n=qty, platform=platform),
            )


def _without_supplies(catalog: Catalog, platform: str, nodes: int, pieces: dict[str, int]) -> Iterable[Notice]:
    """Supplies that a platform comes with, quoted beside it: the same number of the same kind. Others stay: rule fit
    fails them."""
    p = catalog.parts[platform]
    assert isinstance(p, Platform)
    bank = included_bank(p, catalog) if "psu" in p.includes else None
    for psu, qty in sorted(pieces.items()):
        part = catalog.parts[psu]
        if not isinstance(part, Psu) or bank is None or not psu_fits(p, part):
            continue
        if part.watts == bank.watts and qty == bank.fitted * nodes:
            del pieces[psu]
            yield Notice(
                code="with-the-platform",
                text=message("{part}: {n} per node come with {platform}", part=psu, n=bank.fitted, platform=platform),
            )


def _without_board_gpus(catalog: Catalog, pieces: dict[str, int]) -> Iterable[Notice]:
    """A board of GPUs quoted together with its GPUs is one thing."""
    for p, qty in sorted(pieces.items()):
        board = catalog.parts[p]
        if isinstance(board, GpuBoard) and pieces.get(board.gpu) == qty * board.gpus:
            del pieces[board.gpu]
            yield Notice(
                code="on-the-board",
                text=message(
                    "{part}: the {n} pieces are those of {board}", part=board.gpu, n=qty * board.gpus, board=p
                ),
            )
