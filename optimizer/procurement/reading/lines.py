"""Raw lines -> lines: quantity, price, tax, currency, matched against the catalog, the arithmetic checked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from optimizer.procurement.reading import words
from optimizer.procurement.reading.amounts import CENT, Numbers, count_words, same_money
from optimizer.procurement.reading.contradictions import condition, other_size
from optimizer.procurement.reading.document import Line, Match
from optimizer.procurement.reading.headers import NAMING
from optimizer.procurement.reading.mapping import Tax
from optimizer.procurement.reading.match import Index, is_service, match
from optimizer.procurement.reading.packs import packs
from optimizer.procurement.reading.rows import Raw
from optimizer.procurement.reading.trouble import Trouble
from optimizer.procurement.reading.words import folded

IGNORE, SERVICE = "ignore", "service"


@dataclass(frozen=True)
class Basis:
    """What holds for lines that don't say otherwise."""

    currency: str = ""
    tax: Tax = "unknown"
    tax_rate: Decimal | None = None


def line(
    raw: Raw, found: Numbers, index: Index, basis: Basis, overrides: dict[str, str], *, accept_fuzzy: bool
) -> Line | None:
    """One line; None where the mapping ignores it."""
    trouble = Trouble(raw.row, found.issues)
    part_number = raw.text("part_number")
    texts = tuple(dict.fromkeys(t for f in ("name", "description") if (t := raw.text(f))))
    shown = " ".join([*(texts or (part_number,)), *raw.more])
    # Only the text that names the thing counts pieces: `8×H20` behind a board's number says what is on it.
    named = [t for t in (part_number, *texts) if t]
    in_text, first = count_words(named[0]) if named else (None, "")
    part_number, *plain = [first if named and t == named[0] else t for t in (part_number, *texts)]
    matched, role = _matched(index, part_number, tuple(plain), raw, overrides, accept_fuzzy, trouble)
    if matched is None:
        return None
    values = dict(found.values)
    qty = values.get("qty")
    if qty is None and in_text and "qty" not in raw.cells:
        qty = Decimal(in_text)
        trouble.add("count-in-text", "note", f"quantity {in_text} taken from the text {shown[:60]!r}")
        in_text = None
    included = found.said == "included" or raw.grouped
    if found.said == "asked":
        trouble.add("no-price", "warning", "the price is on request")
    pack, per_pack, pieces = packs(raw, values, qty, found.unit, shown, trouble)
    if in_text and qty == 1 and in_text == index.gpus_on(matched.part):
        in_text = None  # `8 x H200`, one board: what is on it
    if in_text and qty is not None and qty != in_text:
        if qty == 1:
            pieces = in_text * (pieces or 1)
            trouble.add(
                "count-in-text", "warning", f"the text counts {in_text} pieces, the quantity is 1: {pieces} taken"
            )
        else:
            pieces = None
            trouble.add("count-unclear", "error", f"the text counts {in_text}, the quantity is {qty}")
    unit_price = _unit_price(values, trouble)
    total = values.get("line_total")
    money_field = next(
        (f for f in ("unit_price", "line_total", "list_price") if f in raw.columns and f in raw.cells), ""
    )
    column = raw.columns.get(money_field)
    stated_tax = found.taxes[0] if len(found.taxes) == 1 else ""
    tax: Tax = stated_tax or (column.tax if column else "") or basis.tax  # type: ignore[assignment]
    rate = values.get("tax_rate", basis.tax_rate)
    of_total = raw.columns.get("line_total")
    total_tax: Tax = (of_total.tax if of_total else "") or tax  # type: ignore[assignment]
    currency = found.currencies[0] if len(found.currencies) == 1 else ""
    currency = currency or _code(raw.text("currency")) or (column.currency if column else "") or basis.currency
    if len(found.currencies) > 1:
        trouble.add("mixed-currencies", "error", f"names {' and '.join(found.currencies)}")
    if unit_price is None and total is not None and qty:
        unit_price = total / qty
        if not same_money(unit_price.quantize(Decimal("0.01")) * qty, total):
            trouble.add("unit-price-rounded", "note", "total / quantity is no whole cent; the total counts")
        unit_price = unit_price.quantize(Decimal("0.01"))
    elif not included:
        _arithmetic(raw, unit_price, qty, total, tax, rate, pack if per_pack else 1, trouble)
    if qty is None and "qty" in raw.cells and not any(i.code == "ambiguous-number" for i in trouble.issues):
        trouble.add("no-quantity", "error", f"quantity {raw.text('qty')!r} is no number")
    elif qty is None and unit_price is not None and "qty" in raw.columns:
        trouble.add("no-quantity", "warning", "has a price and no quantity")
    elif qty is not None and qty <= 0:
        trouble.add("no-quantity", "error", f"quantity {qty} is not above 0")
    if unit_price is None and total is None and not included and not found.said:
        open_money = any(i.code in ("ambiguous-number", "not-a-number") for i in trouble.issues)
        if not open_money:
            trouble.add("no-price", "warning", "has no price")
    if any(v is not None and v < 0 for v in (unit_price, total)) and role == "part":
        trouble.add("negative-price", "warning", "the price is below 0")
    state = raw.text("condition")
    if matched.part and role == "part":
        state = _contradicted(
            index, matched.part, " ".join((raw.text("part_number"), shown)), state, raw, pieces, trouble
        )
    if raw.hidden:
        trouble.add("hidden-row", "warning", "stands in a hidden row")
    if raw.grouped:
        trouble.add("price-of-group", "note", "priced together with the line above in one merged cell")
    return Line(
        row=raw.row, role=role, text=shown, part_number=raw.text("part_number"), name=raw.text("name"),
        brand=raw.text("brand"), section=raw.section, qty=qty, unit=found.unit or raw.text("unit"), pack=pack,
        priced_per_pack=per_pack, pieces=pieces, unit_price=unit_price, list_price=values.get("list_price"),
        discount=values.get("discount"), line_total=total, currency=currency, tax=tax,
        total_tax=total_tax, tax_rate=rate,
        on_request=found.said == "asked",
        lead_time=raw.text("lead_time"), condition=state, warranty=raw.text("warranty"),
        origin=raw.text("origin"), note=raw.text("note"), optional=raw.optional,
        included=included or (unit_price is not None and unit_price == 0), hidden=raw.hidden, matched=matched,
        issues=tuple(trouble.issues),
    )  # fmt: skip


def _matched(
    index: Index,
    part_number: str,
    texts: tuple[str, ...],
    raw: Raw,
    overrides: dict[str, str],
    accept: bool,
    trouble: Trouble,
) -> tuple[Match | None, Any]:
    """(match or None to ignore the line, role)."""
    keys = [folded(k) for k in (raw.text("part_number"), *(raw.text(f) for f in NAMING[1:])) if k]
    wanted = next((overrides[k] for k in keys if k in overrides), None)
    if wanted == IGNORE:
        return None, "part"
    if wanted == SERVICE:
        return Match(how="mapped", reason="mapping"), "service"
    if wanted is not None:
        return Match(how="mapped", part=wanted, score=100), "part"
    # The manufacturer's name before a bare type is one more way to write it.
    brand = raw.text("brand")
    branded = tuple(f"{brand} {t}" for t in (part_number, *texts) if t) if brand else ()
    found, other = match(index, part_number, (*texts, *branded), accept_fuzzy=accept)
    whole_text = " ".join((part_number, *texts))
    if found.part is None and any(is_service(t) for t in (part_number, *texts) if t):
        return Match(reason="service"), "service"
    if (
        found.how == "contained"
        and is_service(whole_text)
        and words.begins("service", texts[0] if texts else part_number)
    ):
        return Match(candidates=(found.part,) if found.part else (), reason="service for a part"), "service"
    if found.how == "contained" and found.part and (said := _serves(whole_text)):
        trouble.add("service-for-part", "note", f"{said!r} makes it a service for {found.part}, not the part itself")
        return Match(candidates=(found.part,), reason="service for a part"), "service"
    if other:
        text = f"is {found.part} by its number, but its text names {other}"
        trouble.add("part-conflict", "error", text)
    return found, "part"


def _contradicted(
    index: Index, part: str, text: str, state: str, raw: Raw, pieces: int | None, trouble: Trouble
) -> str:
    """The line's condition, by its column or its words; what the text says against the part becomes trouble."""
    named, own = other_size(index.parts[part], index.catalog, text, pieces)
    if named:
        trouble.add("size-conflict", "error", f"is {part} of {own} by its name, but its text says {named}")
    said = condition(state) or condition(text) or condition(raw.text("note"))
    if said:
        trouble.add("not-new", "warning", f"{said!r}: it is not new, the catalog's price beside it may be of a new one")
    return state or said


def _serves(text: str) -> str:
    """The word by which a text that names a part is of a service for it: `DGX H200 3-year support`; blank where the
    service is a clause of its own or comes with the part, and for warranty and licences, which describe parts too."""
    clause = re.split(r"[,;+&/|\n，；、]|\s[-–]\s", re.sub(r"[(（].*?[)）]", " ", text))[0]
    said = "" if words.has("comes_with", clause) else words.found("service", clause)
    return "" if said and words.has("described_with", said) else said


def _unit_price(values: dict[str, Decimal], trouble: Trouble) -> Decimal | None:
    """The price after discount; from the list price where only that is given. 0.85 may be 15 % or 85 % off."""
    price, listed, off = values.get("unit_price"), values.get("list_price"), values.get("discount")
    if listed is None or off is None:
        return price if price is not None else listed
    readings = {off: listed * (1 - off), 1 - off: listed * off}
    if price is not None:
        if not any(same_money(x, price) for x in readings.values()):
            text = "list price less discount is not the price"
            trouble.add("discount-arithmetic", "warning", text, stated=price, computed=readings[off])
        return price
    qty, total = values.get("qty"), values.get("line_total")
    fits = [
        x for x in readings.values() if qty and total is not None and same_money(x * qty, total, Decimal("0.01") * qty)
    ]
    if len(set(fits)) == 1:
        return fits[0]
    if off <= Decimal("0.6"):
        trouble.add("price-from-list", "note", "price computed from list price and discount", computed=readings[off])
        return readings[off]
    trouble.add("discount-unclear", "error", f"a discount of {off} may be {off * 100} % off or {off * 100} % to pay")
    return None


def _arithmetic(
    raw: Raw, price: Decimal | None, qty: Decimal | None, total: Decimal | None, tax: Tax, rate: Decimal | None,
    per: int, trouble: Trouble,
) -> None:  # fmt: skip
    """Quantity x price against the stated total, across net and gross columns and for tax added a second time."""
    if price is None or qty is None or total is None:
        return
    computed = price * qty / per
    if same_money(computed, total):
        return
    if same_money(computed, total, CENT * (qty / per + 1)):
        text = "quantity x price is off by no more than the price's rounding to the cent; the total counts"
        trouble.add("line-rounded", "note", text, stated=total, computed=computed)
        return
    of_total = raw.columns["line_total"].tax if "line_total" in raw.columns else ""
    factor = 1 + (rate or Decimal(0)) / 100
    if rate and tax == "net" and of_total == "gross":
        if not same_money(computed * factor, total, Decimal("0.02") * max(Decimal(1), qty)):
            trouble.add(
                "line-arithmetic",
                "error",
                "quantity x price + tax is not the total",
                stated=total,
                computed=computed * factor,
            )
        return
    if rate and same_money(computed * factor, total, Decimal("0.02") * max(Decimal(1), qty)):
        if tax == "gross":
            text = f"the price has tax in it already and the total adds {rate} % again"
            trouble.add("tax-counted-twice", "error", text, stated=total, computed=computed)
        else:
            trouble.add(
                "tax-in-total",
                "note",
                f"the total has {rate} % tax, the price has not",
                stated=total,
                computed=computed,
            )
        return
    trouble.add("line-arithmetic", "error", "quantity x price is not the total", stated=total, computed=computed)


def _code(text: str) -> str:
    return words.qualified(text)[1].get("currency", "") if text else ""
