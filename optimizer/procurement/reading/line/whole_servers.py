"""Lines whose one cell holds a whole server: split into its parts, which come at no price of their own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from catalogs.message import message
from catalogs.schema import Cpu, Gpu, GpuBoard, Kind, Platform
from constraints.rules.fit import cpu_fits
from optimizer.procurement.reading.document import Issue, Line, Match
from optimizer.procurement.reading.line.match import is_service, match
from optimizer.procurement.reading.line.names import Index, branded
from optimizer.procurement.reading.specification.fitting import MOST_CANDIDATES, Around
from optimizer.procurement.reading.specification.server_cell import KINDS, LEAST_KINDS, Item, items, may_list
from optimizer.text.languages import N_

WHOLE_SERVER = N_("one cell describes a whole server; which chassis it is, is not said")
OTHER_CHASSIS = N_("one cell describes a whole server, in a chassis that the catalog lacks")
MODEL = re.compile(r"(?<![a-z0-9])[a-z]{1,5}[- ]?\d{3,5}[a-z0-9-]*", re.IGNORECASE)
BOARDS = {Kind.GPU_BOARD: Kind.GPU}
LONGEST = 4_000
"""Characters of a cell that is looked at; no list of a server's parts is longer."""


@dataclass(frozen=True)
class Inside:
    """An item of a server, what it was matched with, the kind that it is of (None: nothing tells)."""

    item: Item
    matched: Match
    kind: Kind | None
    assumed: str = ""


@dataclass
class Server:
    """What a cell says: the chassis (no part where it names none) and what is in each."""

    chassis: Match
    inside: list[Inside] = field(default_factory=list)


def whole_server(texts: Sequence[str], index: Index) -> Server | None:
    """The server that the texts of a line describe; None for a part, however many figures it has.

    A text is one where it counts parts of three kinds, or of two beside a chassis. A complete system of the catalog is
    none: what it holds is known."""
    text = "\n".join(dict.fromkeys(text for text in texts if text))[:LONGEST]
    if not may_list(text):
        return None
    found = items(text)
    if len(found) < LEAST_KINDS or any(index.whole(one).part for one in texts if one):
        return None
    chassis, rest = _chassis(found, index)
    kinds = {item.kind or _named_kind(item, index) for item in rest} - {None}
    counted = sum(item.count > 1 for item in rest)
    enough = len(kinds) >= LEAST_KINDS or (chassis.part is not None and len(kinds) >= LEAST_KINDS - 1)
    if not enough or counted < LEAST_KINDS - 1 or not kinds & {Kind.CPU, Kind.GPU}:
        return None
    if chassis.part and index.parts[chassis.part].kind is Kind.SYSTEM:
        return None
    server = Server(chassis)
    around = _around(chassis, rest, index)
    server.inside = [inside for item in rest if (inside := _inside(item, index, around)) is not None]
    if chassis.part is None and _names_another(rest, server):
        server.chassis = Match(reason=OTHER_CHASSIS)
    elif chassis.part is None:
        server.chassis = Match(candidates=_could_hold(server, index, text), reason=WHOLE_SERVER)
    return server


def _names_another(rest: Iterable[Item], server: Server) -> bool:
    """Whether an item that is of no part names a server by its maker's number: `PowerEdge R760`."""
    known = {inside.item.text for inside in server.inside}
    return any(item.kind is None and item.text not in known and MODEL.search(item.text) for item in rest)


def _chassis(found: Sequence[Item], index: Index) -> tuple[Match, list[Item]]:
    """(the chassis that an item names, the other items)."""
    for item in found:
        named = match(index, "", (item.text,), accept_fuzzy=False)[0]
        if named.part and index.parts[named.part].kind in (Kind.PLATFORM, Kind.SYSTEM):
            return named, [other for other in found if other is not item]
    return Match(), list(found)


def _named_kind(item: Item, index: Index) -> Kind | None:
    """The kind of part that an item's words name, without looking which part it is."""
    plain = branded(item.text)
    if index.fitting.cpus(plain):
        return Kind.CPU
    kind = index.fitting.kind(plain)
    if kind is None:
        part = match(index, "", (item.text,), accept_fuzzy=False)[0]
        named = part.part or next(iter(part.candidates), None)
        kind = index.parts[named].kind if named else None
    kind = BOARDS.get(kind, kind) if kind else None
    return kind if kind in KINDS.values() else None


def _around(chassis: Match, rest: Iterable[Item], index: Index) -> Around:
    """The server around its parts: its chassis and the one CPU that is named; parts are the least that fit."""
    platform = index.parts.get(chassis.part or "")
    cpus = {cpu for item in rest for cpu in index.fitting.cpus(branded(item.text))}
    cpu = index.parts[cpus.pop()] if len(cpus) == 1 else None
    return Around(
        platform=platform if isinstance(platform, Platform) else None,
        cpu=cpu if isinstance(cpu, Cpu) else None,
        least=True,
    )


def _inside(item: Item, index: Index, around: Around) -> Inside | None:
    """An item matched; None for words that are of no part (`4U`, `redundant`)."""
    kind = item.kind or _named_kind(item, index)
    if item.total_gb:
        reason = message("{gb} GB in all; of how many modules is not said", gb=f"{item.total_gb:,}")
        return Inside(item, Match(reason=reason), Kind.MEMORY)
    named = match(index, "", (item.text,), accept_fuzzy=False)[0]
    if named.part is None:
        if is_service(item.text):
            return None
        found = index.fitting.fit(branded(item.text), around, kind)
        if found.part:
            matched = Match(how="specification", part=found.part, score=100, candidates=found.parts)
            return Inside(item, matched, kind, found.why)
        if kind is None:
            return None
        return Inside(item, Match(candidates=found.parts or named.candidates, reason=found.why or named.reason), kind)
    part = index.parts[named.part]
    if isinstance(part, Gpu) and (board := _board(part, item.count, index)):
        return Inside(Item(1, item.text, Kind.GPU), named.model_copy(update={"part": board.id}), Kind.GPU)
    return Inside(item, named, kind)


def _board(gpu: Gpu, count: int, index: Index) -> GpuBoard | None:
    """The board that so many GPUs come on, where they are sold on boards alone."""
    if gpu.sold_as != "board":
        return None
    return next((board for board in index.boards if board.gpu == gpu.id and board.gpus == count), None)


def _could_hold(server: Server, index: Index, text: str) -> tuple[str, ...]:
    """Chassis that take the server's GPUs and CPUs, those of a maker that the text names first."""
    parts = [(index.parts[inside.matched.part], inside.item.count) for inside in server.inside if inside.matched.part]
    boards = {part.board_type for part, _ in parts if isinstance(part, GpuBoard)}
    gpus = [(part, count) for part, count in parts if isinstance(part, Gpu)]
    cpus = [(part, count) for part, count in parts if isinstance(part, Cpu)]
    if not boards and not gpus:
        return ()
    plain = branded(text)
    fits = [
        platform for platform in index.catalog.of(Kind.PLATFORM) if isinstance(platform, Platform)
        and boards <= {*platform.gpu_boards}
        and all(gpu.form_factor in platform.gpu_forms and count <= platform.gpu_slots for gpu, count in gpus)
        and all(cpu_fits(platform, cpu) and count == platform.sockets for cpu, count in cpus)
        and not (gpus and platform.gpu_boards)
    ]  # fmt: skip
    fits.sort(key=lambda platform: (platform.vendor.lower() not in plain, platform.id))
    return tuple(platform.id for platform in fits[:MOST_CANDIDATES])


def contents(server: Server, row: int) -> tuple[Line, ...]:
    """The parts of one server as lines at no price of their own, numbered in its row."""
    lines = []
    for number, inside in enumerate(server.inside, 1):
        issues = []
        if inside.assumed:
            issues.append(Issue(code="least-taken", severity="warning", text=inside.assumed, row=row))
        count = inside.item.count or None
        lines.append(
            Line(
                row=row,
                item=number,
                text=inside.item.text,
                name=inside.kind.value if inside.kind else "",
                qty=Decimal(count) if count else None,
                pieces=count,
                included=True,
                matched=inside.matched,
                issues=tuple(issues),
                memory_gb=inside.item.total_gb or None,
            )
        )
    return tuple(lines)


def spread(lines: Sequence[Line], index: Index) -> list[Line]:
    """The lines with the contents of servers below them, as many as servers; kinds that the quote lists in lines of
    their own are not taken from a cell again."""
    listed = {_kind(line, index) for line in lines if not line.contents and line.role == "part" and not line.optional}
    out: list[Line] = []
    for line in lines:
        out.append(_bare(line) if line.contents else line)
        for inside in line.contents:
            if _kind(inside, index) in listed - {None}:
                continue
            servers = line.pieces or 1
            update: dict[str, object] = {"optional": line.optional, "section": line.section, "currency": line.currency}
            if inside.pieces:
                update |= {"pieces": inside.pieces * servers, "qty": Decimal(inside.pieces * servers)}
            if line.pieces is None:
                update |= {"pieces": None}
            if inside.memory_gb:
                update |= {"memory_gb": inside.memory_gb * servers}
            out.append(inside.model_copy(update=update))
    return out


def _bare(line: Line) -> Line:
    """The line of a server without its contents, which follow it."""
    said = message("one cell describes a server of {n} kinds of parts, read as its contents", n=len(line.contents))
    note = Issue(code="in-cell", severity="note", text=said, row=line.row)
    return line.model_copy(update={"contents": (), "issues": (*line.issues, note)})


def _kind(line: Line, index: Index) -> Kind | None:
    part = index.parts.get(line.matched.part or "")
    if part is not None:
        return BOARDS.get(part.kind, part.kind)
    return KINDS.get(line.name) if line.item else None
