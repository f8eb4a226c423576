"""Counts that stand in a line's text: `8 x H100`."""

from __future__ import annotations

import re

from optimizer.procurement.reading import row_words

COUNTED = re.compile(
    r"^(\d{1,5})\s*(?:([x×*])\s*(?=[^\d\s])|([^\W\d_]{1,6}\.?)\s+(?=\S)|([^\x00-\x7f])\s*(?=\S))", re.IGNORECASE
)
COUNTED_LAST = re.compile(r"(?:(?<=\s)x|(?<!\d)[×*])\s*(\d{1,5})\s*([^\W\d_]{0,5}\.?)$", re.IGNORECASE)


def count_words(text: str) -> tuple[int | None, str]:
    """`8 x H100`, `8张 H100`, `2 PCS EPYC 9654`, `H100 *8` -> (8, the rest)."""
    if (found := COUNTED.match(text)) and (found[2] or row_words.equals("count", found[3] or found[4])):
        return int(found[1]), text[found.end() :].strip()
    if (found := COUNTED_LAST.search(text)) and (not found[2] or row_words.equals("count", found[2])):
        return int(found[1]), text[: found.start()].strip()
    return None, text
