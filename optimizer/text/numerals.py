"""Chinese numbers in figures: `两百万`, `3千万`, `1亿2000万` become digits; the words around them stay."""

from __future__ import annotations

import re
from decimal import Decimal

ONES = "零〇一二两三四五六七八九壹贰叁肆伍陆柒捌玖貳參叄叅陸"
UNITS = {"十": 10, "百": 100, "千": 1000, "万": 10**4, "亿": 10**8}
TRADITIONAL = str.maketrans("萬億兩拾佰仟", "万亿两十百千")
FORMAL = str.maketrans("〇貳參叄叅陸壹贰叁肆伍陆柒捌玖兩", "零二三三三六一二三四五六七八九两")
WORDS = re.compile(rf"(?<![\d.])[{ONES}十百千万亿点]*[{ONES}十][{ONES}十百千万亿点]*")
"""A number in words alone; a unit behind figures (`200万`) is none."""
FIGURES = r"\d+(?:\.\d+)?"
LINK = re.compile(rf"({FIGURES})([十百千]?)([万亿]?)")
CHAIN = re.compile(rf"(?:{FIGURES}[十百千]?[万亿]|{FIGURES}[十百千])+(?:{FIGURES})?")


def in_figures(text: str) -> str:
    """The text with numbers in words, and figures with several Chinese units, as plain figures; `200万` stays."""
    plain = text.translate(TRADITIONAL)
    plain = WORDS.sub(lambda m: _of_words(m[0]), plain)
    return CHAIN.sub(lambda m: _of_chain(m[0]), plain)


def _of_words(words: str) -> str:
    import cn2an

    try:
        return f"{Decimal(str(cn2an.cn2an(words.translate(FORMAL), 'smart'))):f}"
    except ValueError:
        return words


def _of_chain(chain: str) -> str:
    """`1亿2000万` -> 120000000. Units descend; `3千万` is 3 x 1000 x 10^4; one figure with one of 万 and 亿 stays."""
    links = LINK.findall(chain)
    if len(links) == 1 and not links[0][1]:
        return chain
    total, above = Decimal(0), Decimal(10**16)
    for digits, small, large in links:
        unit = Decimal(UNITS.get(small, 1) * UNITS.get(large, 1))
        value = Decimal(digits) * unit
        if unit >= above or value >= above:
            return chain
        total, above = total + value, unit
    return f"{total:f}"
