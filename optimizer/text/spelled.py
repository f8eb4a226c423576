"""Amounts in words, as Chinese quotes set them beside the figures: `人民币贰佰捌拾玖万捌仟伍佰元整`."""

from __future__ import annotations

import re
from decimal import Decimal

DIGITS = "零壹贰叁肆伍陆柒捌玖"
VARIANTS = str.maketrans("〇貳參叄叅陸萬億圓圆", "零贰叁叁叁陆万亿元元")
UNIT = "元圓圆"
"""One of them stands in every amount in words."""
AMOUNT = re.compile(
    rf"(?P<whole>[{DIGITS}拾佰仟万亿]+)元(?:[整正]|零?(?:(?P<tenth>[{DIGITS}])角)?零?(?:(?P<cent>[{DIGITS}])分)?[整正]?)"
)


def spelled_alone(text: str) -> Decimal | None:
    """The amount that a text in formal numerals is, with or without 人民币 before it; None for any other text."""
    plain = re.sub(r"\s|^\s*(?:人民币|人民幣|rmb|cny)[::：]?", "", text, flags=re.IGNORECASE)
    return spelled(plain) if AMOUNT.fullmatch(plain.translate(VARIANTS)) else None


def spelled(text: str) -> Decimal | None:
    """The first amount in formal numerals in a text; None without one, or where it is no number in them."""
    if not any(sign in text for sign in UNIT):
        return None
    found = AMOUNT.search(re.sub(r"\s", "", text.translate(VARIANTS)))
    if found is None:
        return None
    import cn2an

    whole = None
    for text in (
        found["whole"],
        re.sub("(?<=[万亿])零", "", found["whole"]),
    ):  # 伍佰肆拾万零伍仟: the 零 is usual and wrong
        try:
            whole = whole or cn2an.cn2an(text, "strict")
        except ValueError:
            continue
    if whole is None:
        return None
    tenth, cent = (DIGITS.index(found[name] or "零") for name in ("tenth", "cent"))
    return Decimal(whole) + Decimal(tenth * 10 + cent) / 100


def in_formal_words(amount: Decimal) -> str:
    """An amount of CNY as documents write it: `人民币壹仟肆佰零玖元伍角`; below zero 负 stands first.
    Raises ValueError for parts of a 分 and from 10^12 yuan on, for which a quote has no form."""
    if amount != amount.quantize(Decimal("0.01")) or abs(amount) >= 10**12:
        raise ValueError(f"{amount} is no amount in yuan and fen")
    import cn2an

    return f"人民币{cn2an.an2cn(f'{amount:.2f}', 'rmb')}"
