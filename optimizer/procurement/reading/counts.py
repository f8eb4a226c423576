"""Counts that stand in a line's text: `8 x H100`."""

from __future__ import annotations

import re

from optimizer.procurement.reading import words

COUNTED = re.compile(
    r"^(\d{1,5})\s*(?:([x×*])\s*(?=[^\d\s])|([^\W\d_]{1,6}\.?)\s+(?=\S)|([^\x00-\x7f])\s*(?=\S))", re.IGNORECASE
)
COUNTED_LAST = re.compile(r"(?:(?<=\s)x|(?<!\d)[×*])\s*(\d{1,5})\s*([^\W\d_]{0,5}\.?)$", re.IGNORECASE)


def count_words(text: str) -> tuple[int | None, str]:
    """`8 x H100`, `8张 H100`, `2 PCS EPYC 9654`, `H100 *8` -> (8, the rest)."""
    if (m := COUNTED.match(text)) and (m[2] or words.equals("count", m[3] or m[4])):
        return int(m[1]), text[m.end() :].strip()
    if (m := COUNTED_LAST.search(text)) and (not m[2] or words.equals("count", m[2])):
        return int(m[1]), text[: m.start()].strip()
    return None, text
