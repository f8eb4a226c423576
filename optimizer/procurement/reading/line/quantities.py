"""How many pieces a line comes to: by its quantity, its text, packs; and whether its price is for a pack."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from catalogs.message import message
from optimizer.procurement.reading import row_words
from optimizer.procurement.reading.line.amounts import Numbers, same_money, whole
from optimizer.procurement.reading.line.trouble import Trouble
from optimizer.procurement.reading.table.rows import Raw

PACK_OF = re.compile(
    r"\b(?:pack|box|bundle|vpe|ve|packung|karton|tray)\s*(?:of|à|zu|mit|:|=)?\s*(\d{1,4})\b"
    r"|\b(\d{1,4})(?:er)?[- ]?pack\b"
    r"|每[包盒箱]\s*(\d{1,4})|(\d{1,4})\s*[个只条根片块]\s*/\s*[包盒箱]",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Counted:
    """`qty` as stated, in packs of `pack`; `pieces` what it comes to, None where that stays open. `per_pack`: so is the
    price."""

    qty: Decimal | None
    unit: str
    pack: int
    per_pack: bool
    pieces: int | None


@dataclass(frozen=True)
class _Packs:
    """Pieces per pack, whether the price is for a pack, and the pieces in all, None where that stays open."""

    size: int
    per_pack: bool
    pieces: int | None


def counted(raw: Raw, found: Numbers, in_text: int | None, text: str, on_it: int, trouble: Trouble) -> Counted:
    """`in_text`: what the line's text counts itself (`8 x H200`); `on_it`: GPUs on what was matched."""
    qty, unit = found.values.get("qty"), found.unit or raw.text("unit")
    if qty is None and in_text and "qty" not in raw.cells:
        trouble.add(
            "count-in-text",
            "note",
            message("quantity {n} taken from the text {text}", n=in_text, text=f"{text[:60]!r}"),
        )
        qty, in_text = Decimal(in_text), None
    if qty is not None and (sets := whole(found.values.get("sets"))):
        if sets > 1:
            trouble.add("times-systems", "note", message("{qty} in each of {sets} systems", qty=f"{qty:f}", sets=sets))
        qty *= sets
    price, total = found.values.get("unit_price"), found.values.get("line_total")
    if qty is None and "qty" not in raw.cells and price and total and total > price and total % price == 0:
        qty = total / price
        trouble.add(
            "quantity-by-arithmetic", "note", message("quantity {qty}: the total divided by the price", qty=f"{qty:f}")
        )
    packs = _packs(raw, found.values, qty, unit, text, trouble)
    pieces = packs.pieces
    if in_text and qty is not None and qty != in_text and not (qty == 1 and in_text == on_it):
        if qty == 1:
            pieces = in_text * (pieces or 1)
            said = message("the text counts {n} pieces, the quantity is 1: {pieces} taken", n=in_text, pieces=pieces)
            trouble.add("count-in-text", "warning", said)
        else:
            pieces = None
            trouble.add(
                "count-unclear", "error", message("the text counts {n}, the quantity is {qty}", n=in_text, qty=qty)
            )
    return Counted(qty, unit, packs.size, packs.per_pack, pieces)


def _packs(raw: Raw, values: dict[str, Decimal], qty: Decimal | None, unit: str, text: str, trouble: Trouble) -> _Packs:
    """What the quantity counts: pieces, or packs of a size that a column or the text names."""
    pieces = whole(qty)
    size = whole(values.get("price_per")) or whole(values.get("pack")) or 1
    if size == 1 and (in_text := _in_text(values, qty, unit, text, trouble)) is not None:
        return in_text
    if size == 1 and row_words.equals("pack", unit) and (named := PACK_OF.search(text)):
        size = _named_size(named)
        trouble.add("pack-in-text", "note", message("packs of {n} by the text {text}", n=size, text=f"{named[0]!r}"))
    if size == 1:
        if qty is not None and pieces is None and qty > 0:
            trouble.add("part-of-a-piece", "warning", message("quantity {qty} is no whole number", qty=qty))
        return _Packs(1, False, pieces)
    if _priced_per_pack(values, qty, size):
        return _Packs(size, True, pieces)
    column = raw.columns.get("unit_price")
    if row_words.equals("pack", unit) or (column is not None and column.per == "pack"):
        return _Packs(size, False, pieces * size if pieces else None)
    if row_words.equals("count", unit):
        return _Packs(size, False, pieces)
    trouble.add(
        "pack-unclear",
        "error",
        message("packs of {n}: whether {qty} counts packs or pieces is not said", n=size, qty=qty),
    )
    return _Packs(size, False, None)


def _in_text(values: dict[str, Decimal], qty: Decimal | None, unit: str, text: str, trouble: Trouble) -> _Packs | None:
    """What the text alone decides: packs of the size that it names where no unit says what is counted, and nothing
    where packs are counted and nobody names their size. None for all else."""
    named, pieces = PACK_OF.search(text), whole(qty)
    if not unit and pieces and named and (size := _named_size(named)) > 1:
        if pieces % size == 0:  # 20 in packs of 10 may be two packs or twenty
            trouble.add(
                "pack-unclear",
                "error",
                message("packs of {n}: whether {qty} counts packs or pieces is not said", n=size, qty=qty),
            )
            return _Packs(size, False, None)
        trouble.add(
            "pack-in-text",
            "warning",
            message("{n} packs of {size} by the text {text}", n=pieces, size=size, text=f"{named[0]!r}"),
        )
        return _Packs(size, False, pieces * size)
    if row_words.equals("pack", unit) and not named and "pack" not in values:
        trouble.add("pack-unclear", "error", message("counts packs ({unit}), of how many is not said", unit=unit))
        return _Packs(1, False, None)
    return None


def _named_size(named: re.Match[str]) -> int:
    """Pieces in a pack by its text; one where somebody writes `pack of 0`."""
    return max(1, int(next(group for group in named.groups() if group)))


def _priced_per_pack(values: dict[str, Decimal], qty: Decimal | None, size: int) -> bool:
    """Whether the price is for a pack: a column says so, or only so the line's total comes out."""
    if "price_per" in values:
        return True
    price, total = values.get("unit_price"), values.get("line_total")
    if not qty or price is None or total is None:
        return False
    return not same_money(qty * price, total) and same_money(qty * price / size, total)
