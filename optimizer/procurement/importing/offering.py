"""A line of a price list -> the offer that it makes, or why it makes none."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal

from pydantic import ValidationError

from catalogs.days import days_after
from catalogs.message import message
from catalogs.offers import Offer
from catalogs.refused_value import in_words
from optimizer.procurement.importing.terms import CURRENCIES, ListTerms
from optimizer.procurement.importing.words import condition_of, count_of, looks_like_steps, steps_in, stock_of
from optimizer.procurement.reading.dates import read_date, read_days
from optimizer.procurement.reading.document import Line, Quote
from optimizer.procurement.reading.spans import bare_months, lead_days
from optimizer.text.amounts import Style

CENT = Decimal("0.01")


class NoOffer(Exception):
    """Why a line makes no offer, in a sentence."""


def offer_of(line: Line, part: str, terms: ListTerms, quote: Quote) -> Offer:
    """The offer of a part that the line makes. Raises NoOffer where anything in it is unclear."""
    state = condition_of(line.condition)
    if state is None:
        raise NoOffer(message("condition {text} is neither new, refurbished nor used", text=f"{line.condition!r}"))
    fields = {
        "id": offer_id(terms.seller, part, state),
        "part": part,
        "condition": state,
        "date": terms.day.isoformat(),
        "confidence": terms.confidence,
        "seller": terms.seller,
        "source": f"{terms.file}, row {line.row}",
        **offered(line, terms, quote),
    }
    try:
        return Offer.model_validate({**fields, "own": True})
    except ValidationError as e:
        raise NoOffer("; ".join(in_words(x) for x in e.errors(include_url=False))) from None


def offer_id(seller: str, part: str, state: str) -> str:
    """Of one seller, part and condition there is one offer: the next list's takes its place."""
    name = re.sub(r"[\W_]+", "-", seller.casefold()).strip("-")
    return f"own-{name}-{part}" + ("" if state == "new" else f"-{state}")


def offered(line: Line, terms: ListTerms, quote: Quote) -> dict[str, object]:
    """What a line says of its price, by the columns of offers.csv. Raises NoOffer."""
    price, steps = _price(line), _steps(line, quote.mapping.decimal)
    least = count_of(line.min_order) if line.min_order else 1
    if least is None:
        raise NoOffer(message("least order {text} is no number of pieces", text=f"{line.min_order!r}"))
    below = [(qty, each) for qty, each in steps if qty <= max(least, 1)]
    if below and below[-1][1] != price:
        raise NoOffer(
            message(
                "the price is {price}, and {other} from {n} pieces on", price=price, other=below[-1][1], n=below[-1][0]
            )
        )
    if steps and not below and steps[0][1] == price:
        least, steps = steps[0][0], steps[1:]  # columns that begin with `10+`: fewer are not sold
    rest = [f"{qty}:{each}" for qty, each in steps if qty > max(least, 1)]
    rate = Decimal(0) if line.tax == "net" else (line.tax_rate or Decimal(0)) / 100
    return {
        "price": price, "currency": _currency(line), "tax_rate": rate, "min_qty": least, "breaks": tuple(rest),
        "stock": stock_of(line.stock) if line.stock else None, "lead_time_days": _lead(line),
        "warranty_months": bare_months(line.warranty) if line.warranty else None,
        "valid_until": _valid_until(line, terms, quote), "notes": _notes(line),
    }  # fmt: skip


def _currency(line: Line) -> str:
    if line.currency not in CURRENCIES:
        text = message(
            "{currency} is no currency that offers have ({list})", currency=line.currency, list=", ".join(CURRENCIES)
        )
        raise NoOffer(text)
    return line.currency


def _price(line: Line) -> Decimal:
    """Of a piece, in whole cents (half up)."""
    if line.unit_price is None or line.on_request:
        raise NoOffer("has no price")
    if line.unit_price <= 0:
        raise NoOffer("its price is not above 0")
    price = line.unit_price / (line.pack if line.priced_per_pack else 1)
    price = price.quantize(CENT, ROUND_HALF_UP)
    if price <= 0:
        raise NoOffer("its price is less than a cent")
    return price


def _steps(line: Line, style: Style) -> list[tuple[int, Decimal]]:
    text = line.price_breaks or (line.note if looks_like_steps(line.note) else "")
    steps = steps_in(text, style)
    if steps is None:
        raise NoOffer(message("prices by quantity {text} are not understood", text=f"{text[:60]!r}"))
    return [(qty, price.quantize(CENT, ROUND_HALF_UP)) for qty, price in steps]


def _lead(line: Line) -> int | None:
    """Days; None for what says none. A column of stock that counts pieces says nothing of days."""
    return lead_days(line.lead_time) if line.lead_time else None


def _valid_until(line: Line, terms: ListTerms, quote: Quote) -> str | None:
    """The line's own last day, else the list's."""
    day = read_date(line.valid_until) if line.valid_until else None
    if day is None and line.valid_until and (days := read_days(line.valid_until)):
        day = days_after(terms.day, days)
    day = day or quote.valid_until
    return day.isoformat() if day else None


def _notes(line: Line) -> str:
    """What else the row says, for people."""
    said = [
        f"SKU {line.part_number}" if line.part_number else "",
        f"EAN {line.gtin}" if line.gtin else "",
        f"list price {line.list_price}" if line.list_price is not None and line.list_price != line.unit_price else "",
        f"warranty {line.warranty}" if line.warranty and bare_months(line.warranty) is None else "",
        f"origin {line.origin}" if line.origin else "",
        line.note,
    ]
    return "; ".join(" ".join(text.split()) for text in said if text)[:500]
