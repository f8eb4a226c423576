"""What is said of prices that are paid by time: keys of sentences with their values, for flags, X-rays and screens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from catalogs.message import N_, joined, message
from optimizer.procurement.reading.document import Quote
from optimizer.procurement.reading.time_money import periods_in

SHEET = N_("name of the sheet")
PERIODS = {
    "hour": N_("hour"), "day": N_("day"), "week": N_("week"), "month": N_("month"), "quarter": N_("quarter"),
    "year": N_("year"),
}  # fmt: skip
TEXTS = {
    "time-money": N_(
        "not comparable with a purchase: the prices are paid each {period} ({line}); "
        "--term MONTHS counts them over a term"
    ),
    "time-money-unclear": N_(
        "not comparable with a purchase: a lease, a rental or a subscription ({line}); how often it is paid is not "
        'said: period = "month" in --map'
    ),
    "time-money-each": N_("{amount} {currency} are paid each {period}"),
    "time-money-over": N_(
        "over its own term of {months} months ({line}) {times} x {each} = {amount} {currency} are paid; "
        "--term {months} counts it so"
    ),
    "over-term": N_("its prices are paid each {period} and counted over {months} months ({line})"),
}  # fmt: skip


@dataclass(frozen=True)
class Said:
    """A code of TEXTS with the values of its sentence."""

    code: str
    values: dict[str, str]

    @property
    def text(self) -> str:
        """The finished sentence."""
        return message(TEXTS[self.code], **self.values)


def said_of(quote: Quote) -> list[Said]:
    """What a buyer is told first: that it is no purchase, why, what is paid each period and over its own term."""
    found = quote.recurring
    if found is None:
        return []
    line = found.why
    if found.at:
        one, several = N_("{words}, row {rows}"), N_("{words}, rows {rows}")
        line = message(one if len(found.at) == 1 else several, words=found.why, rows=joined(map(str, found.at)))
    period = PERIODS[found.period] if found.period else ""
    if found.counted_months is not None:
        values = {"period": period, "months": str(found.counted_months), "line": line}
        return [Said("over-term", values)]
    if not period:
        return [Said("time-money-unclear", {"line": line})]
    out = [Said("time-money", {"period": period, "line": line})]
    currency = quote.currency or "?"
    if found.each is not None:
        amount = _amount(found.each)
        out.append(Said("time-money-each", {"amount": amount, "currency": currency, "period": period}))
    if found.over is not None and found.term_months is not None:
        times = periods_in(found.term_months, found.period) if found.period else Decimal(1)
        values = {
            "months": str(found.term_months), "amount": _amount(found.over), "currency": currency,
            "line": _rows(found.term_at), "times": f"{times.normalize():,f}", "each": _amount(found.each or Decimal(0)),
        }  # fmt: skip
        out.append(Said("time-money-over", values))
    return out


def _rows(rows: Sequence[int]) -> str:
    """`row 2`, `rows 2, 12`; a term that no row states stands in the name of the sheet."""
    if not rows:
        return SHEET
    numbers = joined(map(str, rows))
    return message("row {rows}", rows=numbers) if len(rows) == 1 else message("rows {rows}", rows=numbers)


def _amount(x: Decimal) -> str:
    return f"{x.quantize(Decimal('0.01')):,f}"
