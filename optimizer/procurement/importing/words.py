"""Words of price lists: stock, least orders, prices by quantity, conditions."""

from __future__ import annotations

import re
from decimal import Decimal

from catalogs.offers import Condition
from optimizer.procurement.reading.row_words import folded, found
from optimizer.text import amounts as numbers
from optimizer.text.amounts import Style

NONE_LEFT = (
    "out of stock",
    "sold out",
    "no stock",
    "nicht lagernd",
    "ausverkauft",
    "nicht vorrätig",
    "缺货",
    "无货",
    "售罄",
)
PIECES = r"(?:pcs?|pieces?|units?|ea|stk|stück|st|个|台|件|块|片|条)?\.?"
COUNT = re.compile(rf"[>≥]?=?\s*(\d{{1,6}})\s*\+?\s*{PIECES}")
STEP = re.compile(
    rf"(?P<more>≥|>=|>|from|ab)?\s*(?P<qty>\d{{1,6}})\s*{PIECES}\s*"
    rf"(?:\+|[-–~]\s*\d{{1,6}}|以上|起|or more|and more|und mehr)?\s*{PIECES}\s*"
    r"(?P<sign>[:=@]|(?<=\+)\s)\s*(?P<price>[^\d]{0,5}\d[\d.,' ]*)\D{0,5}"
)
NEW = re.compile(r"(?:brand |factory )?(?:new|neu|neuware|全新|全新原装|原装|新品)(?: in box)?|a-ware")
REFURBISHED = re.compile(r"refurb|renewed|recertified|generalüberholt|aufbereitet|翻新|官翻")


def stock_of(text: str) -> int | None:
    """Pieces that a list says are there: `40`, `>100` (100 are sure), `out of stock`; None for what says no number."""
    plain = folded(text)
    if any(words in plain for words in NONE_LEFT):
        return 0
    found_ = COUNT.fullmatch(plain)
    return int(found_[1]) if found_ else None


def count_of(text: str) -> int | None:
    """A least order: `10`, `10 pcs`; None for anything else."""
    counted = COUNT.fullmatch(folded(text))
    return int(counted[1]) if counted and int(counted[1]) > 0 else None


def condition_of(text: str) -> Condition | None:
    """The condition that a cell or a word says; None where it can't be told (a sample is neither new nor used)."""
    plain = folded(text)
    if not plain or NEW.fullmatch(plain):
        return "new"
    if REFURBISHED.search(plain) or found("refurbished", plain):
        return "refurbished"
    return "used" if found("used", plain) and not found("sample", plain) else None


def steps_in(text: str, style: Style) -> list[tuple[int, Decimal]] | None:
    """(pieces from which it holds, price of each) of `1-9: 100.00; ≥10: 95.00`, ascending; [] for no text, None where
    any of it says something else or a number has two readings."""
    if not text.strip():
        return []
    steps = []
    for piece in re.split(r"[;；|\n]|,\s+(?=[^,]*[:=@+])", folded(text)):
        if not piece.strip():
            continue
        said = STEP.fullmatch(piece.strip())
        price = numbers.read(said["price"].strip(), style).values if said else ()
        if said is None or len(price) != 1:
            return None
        steps.append((int(said["qty"]) + (said["more"] == ">"), price[0]))
    return sorted(steps)


def looks_like_steps(text: str) -> bool:
    """Whether a note holds prices by quantity and nothing else."""
    return bool(steps_in(text, "") or steps_in(text, ".") or steps_in(text, ","))
