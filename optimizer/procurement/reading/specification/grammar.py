"""The words by which quotes say attributes of parts, as data: reading/data/spec_words.csv."""

from __future__ import annotations

import re
from functools import cache

from catalogs.inputs import shipped_rows
from optimizer.procurement.reading.row_words import DATA, folded
from optimizer.text.qualifiers import AnyOf


@cache
def _words() -> dict[str, tuple[AnyOf, dict[str, frozenset[str]]]]:
    """By attribute: a pattern of its words, and the values that each word says."""
    said: dict[str, dict[str, set[str]]] = {}
    for row in shipped_rows(DATA / "spec_words.csv"):
        of_attribute = said.setdefault(row["attribute"], {})
        for word in row["words"].split("|"):
            of_attribute.setdefault(folded(word), set()).add(row["value"])
    return {
        attribute: (_any_whole(words), {word: frozenset(values) for word, values in words.items()})
        for attribute, words in said.items()
    }


def _any_whole(words: dict[str, set[str]]) -> AnyOf:
    """Any of the words as a whole, the longest first; a digit may stand before a Latin one (`25gbe`), none behind one
    that ends in a letter (`u.2` is no `u.25`, `ndr` no `ndr200`)."""
    found = []
    for word in sorted(words, key=lambda word: (-len(word), word)):
        before = (
            r"(?<![a-zà-ÿ])" if word[0].isascii() and word[0].isalpha() else r"(?<![\d.,])" if word[0].isdigit() else ""
        )
        after = r"(?![a-z0-9à-ÿ])" if word[-1].isascii() and word[-1].isalnum() else ""
        found.append(f"{before}{re.escape(word)}{after}")
    return AnyOf(re.compile("|".join(found)), words)


def values(attribute: str, text: str) -> frozenset[str]:
    """The values of an attribute that a folded text says; none where it says nothing of it."""
    pattern, of_word = _words()[attribute]
    found: set[str] = set()
    for said in pattern.finditer(text):
        found |= of_word[said[0]]
    return frozenset(found)
