"""Lines priced as one: a price on a line that names no part, or on a platform, above parts that have no price."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from catalogs.load import Catalog
from catalogs.message import message
from catalogs.schema import Kind, Platform
from optimizer.procurement.reading.document import Issue, Line, Match

BUNDLE = Match(how="bundle", reason="its price is that of the lines below it")


def bundled(lines: Sequence[Line], catalog: Catalog) -> list[Line]:
    """The lines with `holds` where one prices those below it, and with the pieces of all bundles of a kind together.

    A vendor who quotes two servers may list below them what both hold or what one does. Counts that the number of
    servers does not divide, or CPUs that fill the sockets of one server, are of one; the head says so."""
    out = list(lines)
    for i, held in _bundles(lines, catalog):
        head = lines[i]
        names_none = head.matched.part is None
        rows = tuple(lines[k].row for k in held)
        out[i] = head.model_copy(update={"holds": rows})
        if names_none:
            text = message("names no part: its price is that of rows {first} to {last}", first=rows[0], last=rows[-1])
            out[i] = _with(out[i], "bundle", text, matched=BUNDLE)
        if _counts_of_one(head, [lines[k] for k in held], catalog):
            text = message(
                "rows {first} to {last} count what each of the {n} holds",
                first=lines[held[0]].row,
                last=lines[held[-1]].row,
                n=head.pieces,
            )
            out[i] = _with(out[i], "counted-per-unit", text, "warning")
            for k in held:
                pieces = (lines[k].pieces or 0) * (head.pieces or 1)
                out[k] = lines[k].model_copy(update={"pieces": pieces or None})
        for k in held:
            if out[k].matched.part and out[k].matched.part == head.matched.part and out[k].pieces == head.pieces:
                again = Match(how="bundle", reason=message("row {row} once more", row=head.row))
                out[k] = out[k].model_copy(update={"matched": again, "pieces": None})
            if not out[k].included:
                kept = tuple(issue for issue in out[k].issues if issue.code != "no-price")
                bare = out[k].model_copy(update={"issues": kept})
                out[k] = _with(bare, "in-bundle", message("priced in row {row}", row=head.row), included=True)
    return out


def _with(line: Line, code: str, text: str, severity: str = "note", **update: object) -> Line:
    issue = Issue(code=code, severity=severity, text=text, row=line.row)  # type: ignore[arg-type]
    return line.model_copy(update={**update, "issues": (*line.issues, issue)})


def _bundles(lines: Sequence[Line], catalog: Catalog) -> Iterator[tuple[int, list[int]]]:
    """(place of a head, places of the lines right below it without a price): two parts at least, one below a server."""
    for i, head in enumerate(lines):
        if not _heads(head, catalog):
            continue
        held: list[int] = []
        for k in range(i + 1, len(lines)):
            if lines[k].section != head.section or not _unpriced(lines[k]):
                break
            held.append(k)
        parts = sum(lines[k].matched.part is not None for k in held)
        if parts > 1 or (parts and head.matched.part):
            yield i, held


def _heads(line: Line, catalog: Catalog) -> bool:
    """A price on what is no part, or on a server."""
    priced = (line.unit_price or line.line_total or 0) > 0
    if line.matched.part is not None and catalog.parts[line.matched.part].kind not in (Kind.PLATFORM, Kind.SYSTEM):
        return False
    return priced and line.role == "part" and not line.optional and not line.included


def _unpriced(line: Line) -> bool:
    none = line.unit_price is None and line.line_total is None and not line.on_request
    return (line.included or none) and not line.optional and all(issue.severity != "error" for issue in line.issues)


def _counts_of_one(head: Line, held: Sequence[Line], catalog: Catalog) -> bool:
    """Whether lines below several of a kind count what one of them holds."""
    n = head.pieces or 1
    if n > 1 and any(x.per_node for x in held):
        return True
    if n == 1 or any(x.pieces is None for x in held if x.matched.part):
        return False
    parts = {x.matched.part: (catalog.parts[x.matched.part], x.pieces or 0) for x in (head, *held) if x.matched.part}
    platform = next((p for p, _ in parts.values() if isinstance(p, Platform)), None)
    if platform is None:
        return False
    below = [(p, count) for p, count in parts.values() if p.id != head.matched.part]
    if any(count % n for _, count in below):
        return True
    return any(p.kind == Kind.CPU and count == platform.sockets for p, count in below)
