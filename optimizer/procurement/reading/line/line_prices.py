"""What a line costs: unit price, total, currency, tax; whether quantity x price is the total."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from catalogs.message import joined, message
from optimizer.procurement.reading import row_words
from optimizer.procurement.reading.line.amounts import CENT, PRICES, Numbers, same_money
from optimizer.procurement.reading.line.quantities import Counted
from optimizer.procurement.reading.line.trouble import Trouble
from optimizer.procurement.reading.mapping import Tax
from optimizer.procurement.reading.table.headers import Column
from optimizer.procurement.reading.table.rows import Raw
from optimizer.text import amounts as numbers


@dataclass(frozen=True)
class Basis:
    """What holds for lines that don't say otherwise."""

    currency: str = ""
    tax: Tax = "unknown"
    tax_rate: Decimal | None = None


@dataclass(frozen=True)
class Priced:
    """`tax` is the unit price's, `total_tax` the total's; `tax_rate` in percent. `included`: at no price of its own."""

    unit_price: Decimal | None
    list_price: Decimal | None
    total: Decimal | None
    currency: str
    tax: Tax
    total_tax: Tax
    tax_rate: Decimal | None
    included: bool


def priced(raw: Raw, found: Numbers, count: Counted, basis: Basis, trouble: Trouble) -> Priced:
    """By the line's own cells, else by their columns, else by the file's basis."""
    unit_price, listed = _unit_price(found, trouble)
    total = found.values.get("line_total")
    if raw.optional and unit_price and count.qty and total and same_money(-total, unit_price * count.qty):
        total = -total  # in brackets, since it is in no sum
    column = next((raw.columns[name] for name in PRICES if name in raw.columns and name in raw.cells), None)
    tax, total_tax = _taxes(raw, found, column, basis)
    rate = found.values.get("tax_rate", basis.tax_rate)
    currency = _currency(raw, found, column, basis, trouble)
    included = found.said == "included" or raw.grouped
    if unit_price is None and total is not None and count.qty:
        unit_price = (total / count.qty).quantize(CENT)
        if not same_money(unit_price * count.qty, total):
            trouble.add("unit-price-rounded", "note", "total / quantity is no whole cent; the total counts")
    elif not included:
        per = count.pack if count.per_pack else 1
        _arithmetic(raw, unit_price, count.qty, total, tax, rate, per, trouble)
    included = included or (unit_price is not None and unit_price == 0)
    return Priced(unit_price, listed, total, currency, tax, total_tax, rate, included)


def _taxes(raw: Raw, found: Numbers, column: Column | None, basis: Basis) -> tuple[Tax, Tax]:
    """(whether the unit price, whether the total holds tax): two columns may differ in it."""
    stated = found.taxes[0] if len(found.taxes) == 1 else ""
    of_price: Tax = stated or (column.tax if column else "") or basis.tax  # type: ignore[assignment]
    totals = raw.columns.get("line_total")
    of_total: Tax = (totals.tax if totals else "") or of_price  # type: ignore[assignment]
    return of_price, of_total


def _currency(raw: Raw, found: Numbers, column: Column | None, basis: Basis, trouble: Trouble) -> str:
    """The currency of the line's cells, its own column, the header of its prices, else the file's."""
    if len(found.currencies) > 1:
        trouble.add("mixed-currencies", "error", message("names {list}", list=joined(found.currencies, " and ")))
    in_cells = found.currencies[0] if len(found.currencies) == 1 else ""
    return in_cells or _code(raw.text("currency")) or (column.currency if column else "") or basis.currency


def doubts(raw: Raw, found: Numbers, count: Counted, price: Priced, role: str, trouble: Trouble) -> None:
    """What is not there: a quantity, a price; or below 0."""
    qty, none = count.qty, price.unit_price is None and price.total is None
    if qty is None and "qty" in raw.cells and not trouble.has("ambiguous-number"):
        trouble.add("no-quantity", "error", message("quantity {text} is no number", text=f"{raw.text('qty')!r}"))
    elif qty is None and price.unit_price is not None and "qty" in raw.columns:
        trouble.add("no-quantity", "warning", "has a price and no quantity")
    elif qty is not None and qty <= 0:
        trouble.add("no-quantity", "error", message("quantity {qty} is not above 0", qty=qty))
    if found.said == "asked":
        trouble.add("no-price", "warning", "the price is on request")
    elif none and not price.included and not trouble.has("ambiguous-number", "not-a-number"):
        trouble.add("no-price", "warning", "has no price")
    if role == "part" and any(v is not None and v < 0 for v in (price.unit_price, price.total)):
        trouble.add("negative-price", "warning", "the price is below 0")


def _unit_price(found: Numbers, trouble: Trouble) -> tuple[Decimal | None, Decimal | None]:
    """(price after discount, list price). Which of the discount's readings holds is told by the price or the total."""
    price, listed = found.values.get("unit_price"), found.values.get("list_price")
    qty, total = found.values.get("qty"), found.values.get("line_total")
    if not found.off or (listed is None and (price is None or qty is None or total is None)):
        return (price if price is not None else listed), listed

    def fits(of: Decimal) -> list[Decimal]:
        if not qty or total is None:
            return []
        return [x for x in {of * (1 - x) for x in found.off} if same_money(x * qty, total, CENT * qty)]

    if listed is None:
        assert price is not None and qty is not None and total is not None
        after = [] if same_money(price * qty, total) else fits(price)
        if len(after) != 1:
            return price, None
        trouble.add("price-before-discount", "note", "the price stands before its discount; the total is after it")
        return after[0].quantize(CENT), price
    readings = [listed * (1 - x) for x in found.off]
    if price is not None:
        if not any(same_money(x, price) for x in readings):
            text = "list price less discount is not the price"
            trouble.add("discount-arithmetic", "warning", text, stated=price, computed=readings[0])
        return price, listed
    if len(after := fits(listed)) == 1:
        return after[0], listed
    off = found.off[0]
    if len(readings) == 1 or (len(readings) == 2 and off <= Decimal("0.6")):
        trouble.add("price-from-list", "note", "price computed from list price and discount", computed=readings[0])
        return readings[0], listed
    shown, other = (f"{numbers.tidy(x * 100):f}" for x in found.off[:2])
    trouble.add(
        "discount-unclear",
        "error",
        message("a discount of {off} may be {one} % off or {other} % off", off=off, one=shown, other=other),
    )
    return None, listed


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
            text = message("the price has tax in it already and the total adds {rate} % again", rate=rate)
            trouble.add("tax-counted-twice", "error", text, stated=total, computed=computed)
        else:
            trouble.add(
                "tax-in-total",
                "note",
                message("the total has {rate} % tax, the price has not", rate=rate),
                stated=total,
                computed=computed,
            )
        return
    trouble.add("line-arithmetic", "error", "quantity x price is not the total", stated=total, computed=computed)


def _code(text: str) -> str:
    return row_words.currency_in(text) if text else ""
