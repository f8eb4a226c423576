"""Names of variants of one offer: `Variant A`, 方案一, `Option 2`, of which a buyer takes one."""

from __future__ import annotations

import re
from functools import cache

from optimizer.procurement.reading import row_words

NUMBERS = {"一": "1", "二": "2", "三": "3", "四": "4", "①": "1", "②": "2", "③": "3", "④": "4"}
ID = r"([A-F]|[1-9]|I{1,3}|IV|[一二三四①②③④])"


@cache
def _named() -> tuple[re.Pattern[str], re.Pattern[str]]:
    words = "|".join(map(re.escape, row_words.row_words()["named_variant"]))
    before = re.compile(
        rf"^\W*(?:\d{{1,2}}[.)]\s*)?(?:{words})\s*(?:nr\.?|no\.?|#)?\s*[-:]?\s*{ID}(?![A-Za-z0-9\-])", re.IGNORECASE
    )
    after = re.compile(rf"^\W*{ID}\s*(?:案|プラン)")
    return before, after


def variant_of(text: str) -> str:
    """`A` for `Variant A: 8 x H200`, `1` for 方案一; blank for a text that names no variant."""
    before, after = _named()
    found = before.match(text) or after.match(text)
    return NUMBERS.get(found[1], found[1].upper()) if found else ""
