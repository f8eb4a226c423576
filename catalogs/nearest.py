"""What somebody may have meant by a word that is none of those to choose from."""

from __future__ import annotations

from collections.abc import Iterable

CUTOFF = 0.55
"""Likeness from which a word is named as the nearest."""


def nearest(word: object, choices: Iterable[str]) -> str:
    """The choice most like a word, in any case and with blanks or underscores for hyphens; empty where none is."""
    from difflib import get_close_matches  # only where a word is wrong

    known = {choice.casefold(): choice for choice in choices}
    plain = str(word).strip().casefold().replace("_", "-").replace(" ", "-")
    begun = [x for x in known if plain and (x.startswith(plain) or plain.startswith(x))]
    found = begun[:1] or get_close_matches(plain, list(known), n=1, cutoff=CUTOFF)
    return known[found[0]] if found else ""


def one_of(word: object, choices: Iterable[str], introduced: str = "One of") -> str:
    """The remedy for a word that is none of the choices: the nearest, and all of them."""
    known = list(choices)
    near = nearest(word, known)
    return f"{f'Nearest: {near}. ' if near else ''}{introduced}: {', '.join(known)}."
