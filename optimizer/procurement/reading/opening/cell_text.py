"""What a cell of a text looks like, before anybody knows its column."""

from __future__ import annotations

from optimizer.text import amounts as numbers


def amount_like(text: str) -> bool:
    """Whether the text is a number, with a currency or a unit at most: `1`, `9.850,00 €`, `24 pcs`."""
    if not any(map(str.isdigit, text)) or len(text) > 24:
        return False
    found = numbers.read(text)
    return bool(found.values) and len(found.rest) <= 6
