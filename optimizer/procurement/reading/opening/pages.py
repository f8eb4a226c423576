"""Documents and texts that align their cells -> sheets."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from catalogs.message import message
from optimizer.procurement.reading.opening import mail
from optimizer.procurement.reading.opening.aligned import Word, aligned_lines, joined_lines, rows_of, words_of
from optimizer.procurement.reading.opening.guard import AS_TABLE, refuse
from optimizer.procurement.reading.opening.opened import DOCUMENT, opened
from optimizer.procurement.reading.opening.sheet_facts import MAX_FILLED, Facts
from optimizer.procurement.reading.opening.sheets import Row, Sheet, Tables, runs_of, sheet_of

MAX_ALIGNED = 2_000_000
"""Signs of a text up to which it is looked at whether blanks align it."""


def document(path: Path, kind: str, notices: tuple[tuple[str, str], ...], encoding: str = "") -> Tables:
    found = opened(path, DOCUMENT, kind, *([encoding] if encoding else []))
    if kind == "pdf":
        return _pages(path, found, notices)
    return Tables(kind, tuple(sheet_of(x, Facts()) for x in found), notices)


def _pages(path: Path, pages: Sequence[dict[str, Any]], notices: tuple[tuple[str, str], ...]) -> Tables:
    """The pages of a PDF as one sheet, its rows counted through."""
    without = [page["page"] for page in pages if not page["lines"] and page["pictures"]]
    if not any(page["lines"] for page in pages):
        if not without:
            raise refuse("no-table", "holds no text", path, AS_TABLE)
        remedy = "Ask the vendor for the file itself (.xlsx, .csv, PDF with text), or run an OCR program over it first."
        text = (
            message("is a scan: one page, a picture; it needs OCR")
            if len(without) == 1
            else message("is a scan: {n} pages of pictures; it needs OCR", n=len(without))
        )
        raise refuse("no-text", text, path, remedy)
    if without:
        text = message("pages without text, which were not read: {pages}", pages=runs_of(without))
        notices = (*notices, ("pages-unread", text))
    lines: list[Sequence[Word]] = []
    for page in pages:
        sizes = [word[3] for _, words in page["lines"] for word in words if word[3]]
        width = (median(sizes) if sizes else 10) / 2
        placed = [
            (place / width, [Word(text, left / width, right / width, column) for text, left, right, _, column in words])
            for place, words in page["lines"]
        ]
        lines += joined_lines(placed)
    rows = _aligned(lines)
    return Tables("pdf", (Sheet("", rows),), notices)


def _aligned(lines: Sequence[Sequence[Word]]) -> tuple[Row, ...]:
    """Rows of lines of placed words, each with the number of its line."""
    cells = rows_of(lines)
    if sum(map(len, cells)) > MAX_FILLED:
        raise ValueError("more cells than may be")
    return tuple(Row(number, dict(found)) for number, found in enumerate(cells, 1) if found)


def sheets_of_text(text: str) -> list[Sheet]:
    """A message in plain text, and the older one that it quotes."""
    now, older = mail.without_quoted(text)
    found = [Sheet("", _aligned([words_of(line) for line in now.splitlines()]))]
    if older.strip():
        found.append(Sheet("older", _aligned([words_of(line) for line in older.splitlines()]), older=True))
    return found


def is_aligned(text: str) -> bool:
    """Whether blanks align the cells of a text, not a sign between them."""
    if len(text) > MAX_ALIGNED:
        return False
    lines = [line for line in text.splitlines() if line.strip()]
    separated = max((sum(line.count(sign) >= 2 for line in lines) for sign in ";\t|"), default=0)
    loose = [part for line in lines for part in re.split(r" {2,}", line.strip()) if part]
    commas = sum(part.endswith(",") or part.startswith(",") for part in loose)
    return aligned_lines(text) > separated and commas * 2 < len(loose)
