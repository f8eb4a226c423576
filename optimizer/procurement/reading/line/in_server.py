"""Lines that several parts fit by their words, where the server that they are quoted for takes only one of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from catalogs.message import message
from catalogs.schema import Platform
from optimizer.procurement.reading.document import Issue, Line, Match
from optimizer.procurement.reading.line.match import fitted
from optimizer.procurement.reading.line.names import Index
from optimizer.procurement.reading.specification.fitting import SEVERAL_FIT, Around

MOST_KINDS = 4
"""Kinds of servers in one quote; a file with more is a price list."""


def in_their_server(lines: Sequence[Line], index: Index) -> list[Line]:
    """The lines, those settled by their server matched by specification: a supply of 2,800 W below an XE9680 is Dell's.

    A line's server is the one of the quote, of a few kinds the last one above it; a price list of many has none."""
    return [line if server is None else _settled(line, server, index) for line, server in _with_server(lines, index)]


def _with_server(lines: Sequence[Line], index: Index) -> Iterator[tuple[Line, Line | None]]:
    servers = [line for line in lines if isinstance(index.parts.get(line.matched.part or ""), Platform)]
    kinds = {server.matched.part for server in servers}
    above = servers[0] if len(kinds) == 1 else None
    for line in lines:
        # The number of kinds first: a price list has many servers, and each line would be held against all of them.
        if len(kinds) <= MOST_KINDS and line in servers:
            above = line
        yield line, above


def _settled(line: Line, server: Line, index: Index) -> Line:
    if line.role != "part" or line.matched.part is not None or line.matched.reason != SEVERAL_FIT:
        return line
    platform = index.parts[server.matched.part or ""]
    assert isinstance(platform, Platform)
    text = " ".join(dict.fromkeys(text for text in (line.part_number, line.text) if text))
    found = fitted(index, text, around=Around(platform))
    if found.part is None:
        return line.model_copy(update={"matched": line.matched.model_copy(update={"candidates": found.parts})})
    said = message(
        "several parts fit these words; {part} is the one that fits {server} in row {row}",
        part=found.part, server=platform.name, row=server.row,
    )  # fmt: skip
    note = Issue(code="by-server", severity="note", text=said, row=line.row)
    matched = Match(how="specification", part=found.part, score=100, candidates=found.parts)
    return line.model_copy(update={"matched": matched, "issues": (*line.issues, note)})
