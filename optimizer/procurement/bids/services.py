"""Which services a bid may hold without a line of their own: then nobody's price of them is added to it.

A line of services that names none ("project package") may be any of them; one that names several holds each; the text
of a part, a column of warranties or a note may say that a service is included (data/inclusion_words.csv)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from catalogs.inputs import shipped_rows
from optimizer.procurement.bids.basis import DATA, SERVICE, service_words, stands
from optimizer.procurement.reading import row_words
from optimizer.procurement.reading.document import Line, Quote
from optimizer.procurement.xray.open_lines import SERVICES, OpenLine

SENTENCE = re.compile(r"[;；。\n]|(?<!incl)(?<!inkl)(?<!excl)(?<!exkl)(?<!zzgl)(?<!schl)\.\s|\s\|\s")
CLAUSE = re.compile(r",\s|[，、]")
ON_SITE = (
    "on-site",
    "onsite",
    "on site",
    "nbd",
    "next business day",
    "support",
    "上门",
    "驻场",
    "vor-ort",
    "vor ort",
    "オンサイト",
)
"""What makes a warranty a service that is paid for: the maker's bare one is none."""


@cache
def _said(kind: str) -> tuple[str, ...]:
    rows = [row for row in shipped_rows(DATA / "inclusion_words.csv") if row["kind"] == kind]
    return tuple(row_words.folded(word) for row in rows for word in row["words"].split("|"))


def _has(kind: str, text: str) -> bool:
    return any(stands(w, text, whole=True) for w in _said(kind))


def kinds_in(text: str) -> set[str]:
    """Kinds of services that a text names."""
    plain = row_words.folded(text)
    return {kind for kind, known in service_words() if any(stands(w, plain) for w in known)}


def included_in(text: str) -> set[str]:
    """Kinds of services that a text says are in the prices: `incl. 3 years on-site support and installation`, `DDP`."""
    found: set[str] = set()
    for sentence in SENTENCE.split(row_words.folded(text)):
        clauses = CLAUSE.split(sentence)
        kept = [x for x in clauses if not _has("denied", x)]
        if len(kept) < len(clauses):  # "installation included, freight extra": each says it for itself
            kept = [x for x in kept if _has("included", x) or _has("delivered", x)]
        if any(_has("included", x) for x in kept):
            found |= {kind for x in kept for kind in kinds_in(x)}
        if any(_has("delivered", x) for x in kept):
            found.add("freight")
    return found


def services_of(quote: Quote) -> tuple[OpenLine, ...]:
    """Lines of a quote that may be services which no line of it is."""
    return tuple(OpenLine(row, kinds) for row, kinds in _found(quote) if kinds is None or kinds)


def _found(quote: Quote) -> Iterator[tuple[int, frozenset[str] | None]]:
    for line in quote.lines:
        if not line.optional:
            yield line.row, _of_line(line)
    for row in quote.ignored:
        yield row.row, frozenset(included_in(row.text))


def _of_line(line: Line) -> frozenset[str] | None:
    text = " ".join(t for t in (line.part_number, line.name, line.text) if t)
    notes = included_in("; ".join(t for t in (text, line.note, line.section) if t))
    if line.role == "service":
        named = kinds_in(text)
        return frozenset(named | notes) if named else None
    warranty = row_words.folded(line.warranty)
    on_site = {"warranty"} if any(w in warranty for w in ON_SITE) and not _has("denied", warranty) else set()
    return frozenset(notes | on_site)


def may_be(left: tuple[OpenLine, ...], kind: str) -> tuple[OpenLine, ...]:
    """Those of them that may be a kind of service."""
    if kind not in SERVICES:
        return ()
    return tuple(x for x in left if x.roles is None or kind in x.roles or kind == SERVICE)
