"""How many pieces a line comes to: packs by column, unit or text, and whether its price is for a pack."""

from __future__ import annotations

import re
from decimal import Decimal

from optimizer.procurement.reading import words
from optimizer.procurement.reading.amounts import same_money, whole
from optimizer.procurement.reading.rows import Raw
from optimizer.procurement.reading.trouble import Trouble

PACK_OF = re.compile(
    r"\b(?:pack|box|bundle|vpe|ve|packung|karton|tray)\s*(?:of|à|zu|mit|:)?\s*(\d{1,4})\b|\b(\d{1,4})(?:er)?[- ]?pack\b"
    r"|每[包盒箱]\s*(\d{1,4})|(\d{1,4})\s*[个只条根片块]\s*/\s*[包盒箱]",
    re.IGNORECASE,
)


def packs(
    raw: Raw, values: dict[str, Decimal], qty: Decimal | None, unit: str, text: str, trouble: Trouble
) -> tuple[int, bool, int | None]:
    """(pieces per pack, whether the price is for a pack, pieces in all or None where it stays open)."""
    size = whole(values.get("price_per")) or whole(values.get("pack")) or 1
    pieces = whole(qty)
    counted = unit or raw.text("unit")
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
