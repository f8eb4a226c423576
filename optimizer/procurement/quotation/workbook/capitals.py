"""An amount of CNY in formal numerals as a formula, for Excel and LibreOffice alike: it follows the cell it is of.

The figures are written with a unit behind each (`0仟0佰...7角3分`), then replaced by numerals, and what formal writing
leaves out is taken away. No function of one locale's numerals ([DBNum2]) is used.
"""

from __future__ import annotations

from optimizer.text.spelled import DIGITS

UNITS = "仟佰拾亿仟佰拾万仟佰拾元角分"
"""Behind each figure of an amount in 分, 10^13 first."""
LEFT_OUT = (
    ("零角零分", "整"), ("零分", ""), ("零角", "零"), ("零仟", "零"), ("零佰", "零"), ("零拾", "零"), ("零零", "零"),
    ("零零", "零"), ("零亿", "亿"), ("零万", "万"), ("零元", "元"), ("亿万", "亿"), ("￥亿", "￥"), ("￥万", "￥"),
    ("￥元", "￥"), ("￥零", "￥"), ("￥", ""),
)  # fmt: skip
"""What is replaced by what, in this order; ￥ marks the beginning."""


def in_capitals(amount: str) -> str:
    """The expression of the amount that a name or cell holds; no text from 10^12 yuan on."""
    shape = "".join(f'0""{unit}""' for unit in UNITS)
    text = f'"￥"&TEXT(ROUND(ABS({amount})*100,0),"{shape}")'
    for old, new in (*zip("0123456789", DIGITS, strict=True), *LEFT_OUT):
        text = f'SUBSTITUTE({text},"{old}","{new}")'
    whole = f'IF({amount}<0,"负","")&IF({amount}=0,"零元整",{text})'
    return f'IF(ABS({amount})<1000000000000,"人民币"&{whole},"")'
