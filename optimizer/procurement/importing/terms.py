"""What holds for a whole list: seller, day, currency, tax. Said by the buyer or read in the list, never guessed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import get_args

from catalogs.errors import Fault, InputError
from catalogs.nearest import one_of
from catalogs.offers import READ, Confidence, Currency
from optimizer.procurement.reading.document import Quote
from optimizer.procurement.reading.mapping import Mapping

CURRENCIES: tuple[str, ...] = get_args(Currency)


@dataclass(frozen=True)
class Said:
    """What the buyer says of a list. `tax`: `net`, or the percent that is in its prices (`19%`)."""

    seller: str = ""
    day: date | None = None
    currency: str = ""
    tax: str = ""
    confidence: Confidence = "list"


@dataclass(frozen=True)
class ListTerms:
    """What holds for lines that don't say otherwise."""

    seller: str
    day: date
    confidence: Confidence
    file: str


def mapped(said: Said, given: Mapping) -> Mapping:
    """The mapping with what the buyer says laid over it. Raises InputError for what is no currency or tax."""
    update: dict[str, object] = {}
    if said.currency:
        code = said.currency.strip().upper()
        if code not in CURRENCIES:
            raise _fault("--currency", said.currency, "is no currency that offers have", CURRENCIES)
        update["currency"] = code
    if said.tax:
        rate = _rate(said.tax)
        update |= {"tax": "net"} if rate == 0 else {"tax": "gross", "tax_rate": rate}
    if said.confidence not in READ:
        raise _fault("--confidence", said.confidence, "is no word for a price that somebody read", READ)
    return given.model_copy(update=update)


def _rate(text: str) -> Decimal:
    if text.strip().casefold() == "net":
        return Decimal(0)
    try:
        rate = Decimal(text.strip().removesuffix("%").strip())
    except InvalidOperation:
        rate = Decimal(-1)
    if not 0 <= rate < 100:
        raise _fault("--tax", text, "is no tax in prices", ("net", "or the percent that is in them: 19%"))
    return rate


def _fault(option: str, value: str, text: str, known: Sequence[str]) -> InputError:
    return InputError(Fault("bad-value", text, column=option, value=value, remedy=one_of(value, known)))


def terms_of(quote: Quote, said: Said) -> ListTerms:
    """By what the buyer says, else by the list. Raises InputError for all that neither says."""
    faults: list[Fault] = []

    def missing(code: str, text: str, remedy: str) -> None:
        faults.append(Fault(code, text, quote.source, remedy=remedy))

    seller, day = (said.seller or quote.vendor).strip(), said.day or quote.quote_date
    if not seller:
        missing("no-seller", "does not say who sells", "Give --seller NAME.")
    if day is None:
        missing("no-date", "does not say of which day its prices are", "Give --date, for example 2026-11-24.")
    priced = [line for line in quote.lines if line.unit_price is not None]
    if any(not line.currency for line in priced):
        missing("no-currency", "does not say in which currency its prices are", "Give --currency, for example EUR.")
    if any(line.tax == "unknown" for line in priced):
        missing("tax-basis-unknown", "does not say whether its prices include tax", "Give --tax net, or --tax 19%.")
    elif any(line.tax == "gross" and line.tax_rate is None for line in priced):
        missing("no-tax-rate", "has prices with tax at a rate that it does not say", "Give the rate: --tax 19%.")
    if faults:
        raise InputError(faults)
    assert day is not None
    return ListTerms(seller, day, said.confidence, quote.source)
