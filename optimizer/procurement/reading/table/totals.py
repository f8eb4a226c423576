"""Which rows state a sum, and of what: by the words of their label, or an amount in words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from optimizer.procurement.reading import row_words
from optimizer.procurement.reading.document import TotalKind
from optimizer.procurement.reading.opening.sheets import Cell, Row
from optimizer.procurement.reading.table.headers import MONEY
from optimizer.text import amounts as numbers
from optimizer.text.spelled import spelled

LONG_TEXT = 60
OF_SO_MANY = re.compile(r"^\s*\d{1,3}\s*(?:台|套|节点|servers?|nodes?|systems?|units?)\s*(?=\D)", re.IGNORECASE)
"""For how many of what is listed a sum is: `4台总价`."""

WORD = re.compile(r"[^\W\d_]{3}|[^\x00-\x7f]{2}")


@dataclass
class RawTotal:
    """A sum: label and the cell with its amount; `after`: how many lines stand above it."""

    row: int
    kind: TotalKind
    label: str
    cell: Cell
    after: int


def total_of(row: Row, cells: dict[str, Cell], after: int, *, a_line: bool) -> RawTotal | None:
    """The sum that a row states, by the words of its label."""
    label = _label_of(row)
    if not label or len(label) > LONG_TEXT:
        return None
    kind = total_kind(label)
    if kind is None and not _offered(cells) and any(_below_zero(cells.get(field)) for field in MONEY):
        kind = "discount"  # also a trade-in: what is taken back is no part of what is bought
    if kind is None or (a_line and kind != "discount"):
        return None
    amount = _amount_of(row, cells, label)
    return None if amount is None else RawTotal(row.number, kind, label, amount, after)


def _label_of(row: Row) -> str:
    """The first text that is no amount, or one with the words of a sum in it; blank for none."""
    texts = [cell for cell in row.cells.values() if isinstance(cell, str)]
    words = [text for text in texts if row_words.bare(text) and (not is_amount(text) or total_kind(text))]
    # What stands before it in each row of an export, such as the day and the kind of the row, says nothing.
    said = next((text for text in words if total_kind(text) or WORD.search(text)), words[0] if words else "")
    if said:
        return said
    # `Sum: 12,000` in one cell is an amount and a label at once.
    first = texts[0] if texts else ""
    return first if re.search(r"[^\W\d_]{2}", first) else ""


def _amount_of(row: Row, cells: dict[str, Cell], label: str) -> Cell | None:
    """The cell with the amount of a sum: under the line totals, else the unit prices (a table may have no column of
    totals), else the row's last amount, else what stands behind the label's colon."""
    for fields in (("line_total", "tax_amount"), ("unit_price",)):
        for field, cell in cells.items():
            if field in fields and is_amount(cell):
                return cell
    for cell in reversed(row.cells.values()):
        if str(cell) != label and is_amount(cell) and not _percent(cell):
            return cell
    behind = re.search(r"[:：]\s*(\D{0,6}\d[\d.,\s万元]*)", label)
    return behind[1].strip() if behind else None


def in_words(row: Row, texts: list[str], after: int) -> RawTotal | None:
    """The sum that a row states in words, beside its figures or alone."""
    for text in texts:
        amount = spelled(text)
        if amount is not None:
            label = texts[0] if text != texts[0] else re.split(r"[:：]", text)[0]
            return RawTotal(row.number, "in_words", label[:LONG_TEXT], amount, after)
    return None


def _percent(cell: Cell) -> bool:
    return isinstance(cell, str) and "%" in cell


LETTER = re.compile(r"[^\W\d_]|%")


@lru_cache(maxsize=20_000)
def total_kind(label: str) -> TotalKind | None:
    """Which sum a label names; None for a label of something else, such as one without a letter."""
    if not LETTER.search(label):
        return None
    label = OF_SO_MANY.sub("", label)
    if row_words.has("after_discount", label):
        return _with_tax("total", row_words.qualified(label)[1].get("tax"))
    text = re.sub(r"[（(].*?[)）]|[:：].*$", "", row_words.folded(label)).strip() or row_words.folded(label)
    rest, sets = row_words.qualified(
        re.sub(r"\d+(?:[.,]\d+)?\s*%?", " ", row_words.folded(label).partition(":")[0].partition("：")[0])
    )
    said = {row_words.bare(x) for x in (text, label, rest)}
    for kind in ("total_gross", "total_net"):
        if said & row_words.bare_words(kind):
            return kind
    tax = sets.get("tax")
    plain = re.sub(r"\(.*?\)", " ", rest)
    said = {row_words.bare(x) for x in (text, plain, rest, re.sub(r"\d+([.,]\d+)?\s*%?", "", text))}
    for kind in ("subtotal", "tax", "discount", "total"):
        if said & row_words.bare_words(kind):
            return _with_tax(kind, tax)
    if row_words.bare(plain) == "" and tax:
        return "tax" if re.search(r"\d\s*%|mwst|ust|vat|税", row_words.folded(label)) else None
    if re.search(r"\d\s*%", label) and row_words.has("tax", plain) and len(label) <= 40:
        return "tax"
    for kind in ("total_gross", "total_net", "subtotal", "total", "tax", "discount"):
        if len(label) <= 40 and row_words.begins(kind, plain) and not re.search(r"\d[a-z]|[a-z]\d", plain):
            return _with_tax(kind, tax)
    return None


def _with_tax(kind: str, tax: str | None) -> TotalKind:
    by_tax: dict[str | None, TotalKind] = {"net": "total_net", "gross": "total_gross"}
    return by_tax.get(tax, "total") if kind == "total" else kind  # type: ignore[return-value]


def is_amount(value: Cell | None) -> bool:
    if isinstance(value, Decimal):
        return True
    if not isinstance(value, str) or not any(map(str.isdigit, value)):
        return False
    found = numbers.read(value)
    return bool(found.values) and len(found.rest) <= 12


def _offered(cells: dict[str, Cell]) -> bool:
    """Whether a quantity and a unit price above zero stand there: brackets about the total then say that it is in no
    sum, as of an alternative."""
    return all(is_amount(cells.get(f)) and not _below_zero(cells.get(f)) for f in ("qty", "unit_price"))


def _below_zero(value: Cell | None) -> bool:
    found = numbers.values(value)
    return bool(found) and max(found) < 0
