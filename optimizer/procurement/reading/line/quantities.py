"""How many pieces a line comes to: by its quantity, its text, packs; and whether its price is for a pack."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from optimizer.procurement.reading import words
from optimizer.procurement.reading.line.amounts import Numbers, same_money, whole
from optimizer.procurement.reading.line.trouble import Trouble
from optimizer.procurement.reading.table.rows import Raw

PACK_OF = re.compile(
    r"\b(?:pack|box|bundle|vpe|ve|packung|karton|tray)\s*(?:of|à|zu|mit|:)?\s*(\d{1,4})\b|\b(\d{1,4})(?:er)?[- ]?pack\b"
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


def counted(raw: Raw, found: Numbers, in_text: int | None, text: str, on_it: int, trouble: Trouble) -> Counted:
    """`in_text`: what the line's text counts itself (`8 x H200`); `on_it`: GPUs on what was matched."""
    qty, unit = found.values.get("qty"), found.unit or raw.text("unit")
    if qty is None and in_text and "qty" not in raw.cells:
        trouble.add("count-in-text", "note", f"quantity {in_text} taken from the text {text[:60]!r}")
        qty, in_text = Decimal(in_text), None
    if qty is not None and (sets := whole(found.values.get("sets"))):
        if sets > 1:
            trouble.add("times-systems", "note", f"{qty:f} in each of {sets} systems")
        qty *= sets
    price, total = found.values.get("unit_price"), found.values.get("line_total")
    if qty is None and "qty" not in raw.cells and price and total and total > price and total % price == 0:
        qty = total / price
        trouble.add("quantity-by-arithmetic", "note", f"quantity {qty:f}: the total divided by the price")
    pack, per_pack, pieces = _packs(raw, found.values, qty, unit, text, trouble)
    if in_text and qty is not None and qty != in_text and not (qty == 1 and in_text == on_it):
        if qty == 1:
            pieces = in_text * (pieces or 1)
            said = f"the text counts {in_text} pieces, the quantity is 1: {pieces} taken"
            trouble.add("count-in-text", "warning", said)
        else:
            pieces = None
            trouble.add("count-unclear", "error", f"the text counts {in_text}, the quantity is {qty}")
    return Counted(qty, unit, pack, per_pack, pieces)


def _packs(
    raw: Raw, values: dict[str, Decimal], qty: Decimal | None, counted: str, text: str, trouble: Trouble
) -> tuple[int, bool, int | None]:
    """(pieces per pack, whether the price is for a pack, pieces in all or None where it stays open)."""
    size = whole(values.get("price_per")) or whole(values.get("pack")) or 1
    pieces = whole(qty)
    if size == 1 and not counted and pieces and (m := PACK_OF.search(text)):
        size = int(next(g for g in m.groups() if g))
        if size > 1 and pieces % size == 0:
            trouble.add("pack-unclear", "error", f"packs of {size}: whether {qty} counts packs or pieces is not said")
            return size, False, None
        if size > 1:
            trouble.add("pack-in-text", "warning", f"{pieces} packs of {size} by the text {m[0]!r}")
            return size, False, pieces * size
    if size == 1 and words.equals("pack", counted):
        if m := PACK_OF.search(text):
            size = int(next(g for g in m.groups() if g))
            trouble.add("pack-in-text", "note", f"packs of {size} by the text {m[0]!r}")
        elif "pack" not in values:
            trouble.add("pack-unclear", "error", f"counts packs ({counted}), of how many is not said")
            return 1, False, None
    if size == 1:
        if qty is not None and pieces is None and qty > 0:
            trouble.add("part-of-a-piece", "warning", f"quantity {qty} is no whole number")
        return 1, False, pieces
    price, total = values.get("unit_price"), values.get("line_total")
    per_pack = "price_per" in values
    if not per_pack and qty and price is not None and total is not None:
        per_pack = not same_money(qty * price, total) and same_money(qty * price / size, total)
    if per_pack:
        return size, True, pieces
    column = raw.columns.get("unit_price")
    if words.equals("pack", counted) or (column is not None and column.per == "pack"):
        return size, False, pieces * size if pieces else None
    if words.equals("count", counted):
        return size, False, pieces
    trouble.add("pack-unclear", "error", f"packs of {size}: whether {qty} counts packs or pieces is not said")
    return size, False, None
