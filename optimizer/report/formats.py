"""Money, figures and days as a reader of one language writes them, and texts cut to a width."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from optimizer.result.point_schema import PriceShares
from optimizer.text.languages import N_, Words

AMOUNTS = {
    "USD": N_("{amount} USD"), "CNY": N_("{amount} CNY"), "EUR": N_("{amount} EUR"), "GBP": N_("{amount} GBP"),
    "JPY": N_("{amount} JPY"),
}  # fmt: skip
TEN_THOUSAND = N_("{amount} x 10,000")
WAN_FROM = Decimal(10_000)
DATE = N_("{day} {month} {year}")


@dataclass(frozen=True)
class Formats:
    """How one language writes the figures of a result in one currency. Amounts come as decimal strings, as the result
    has them."""

    words: Words
    currency: str

    def exact(self, amount: str | Decimal) -> str:
        """`260,678.60 USD`, to the cent, as all other outputs of dsopt write it."""
        return self._of_currency(f"{Decimal(amount):,}")

    def bare(self, amount: str | Decimal) -> str:
        """`260,678.60`, for columns whose head says the currency."""
        return f"{Decimal(amount):,}"

    def rounded(self, amount: str | Decimal) -> str:
        """Whole units for headlines, `260,679 USD`; Chinese counts in units of 10,000 from there on."""
        value = Decimal(amount)
        if self.words.language != "zh" or abs(value) < WAN_FROM:
            return self._of_currency(f"{value.quantize(Decimal(1), ROUND_HALF_UP):,}")
        in_wan = (value / WAN_FROM).quantize(Decimal("0.01"), ROUND_HALF_UP)
        text = f"{in_wan:,f}".rstrip("0").rstrip(".")
        return self._of_currency(self.words(TEN_THOUSAND, amount=text))

    def day(self, iso: str | date) -> str:
        """`1 Dec 2026`."""
        day = date.fromisoformat(iso) if isinstance(iso, str) else iso
        month = str(day.month) if self.words.language == "zh" else calendar.month_abbr[day.month]
        return self.words(DATE, day=str(day.day), month=month, year=str(day.year))

    def whole(self, amount: str | Decimal) -> str:
        """`260,679`: whole units, of ends of a range."""
        return f"{Decimal(amount).quantize(Decimal(1), ROUND_HALF_UP):,}"

    def shares(self, shares: PriceShares) -> str:
        """`98 / 0 / 2 %`: what prices rest on, read, indexed and estimated."""
        parts = (f"{part * 100:.0f}" for part in (shares.read, shares.indexed, shares.estimated))
        return self.words.percent(" / ".join(parts))

    def share(self, part: float) -> str:
        """A share of 0 to 1 in whole percent; what is more than nothing is not written as 0."""
        percent = part * 100
        return self.words.percent("< 1" if 0 < percent < 0.5 else f"{percent:.0f}")

    def _of_currency(self, amount: str) -> str:
        return self.words(AMOUNTS.get(self.currency, "{amount} " + self.currency), amount=amount)


def figure(value: float, places: int = 0) -> str:
    """`7,446`; with `places` digits behind the point."""
    return f"{value:,.{places}f}"


def begun(text: str) -> str:
    """A finding as a sentence of its own, with a capital."""
    return text[:1].upper() + text[1:]


def clipped(text: str, cells: int) -> str:
    """A text of at most so many cells, of which a Chinese character takes two; what is cut ends in an ellipsis."""
    from rich.cells import cell_len, set_cell_size

    return text if cell_len(text) <= cells else set_cell_size(text, cells - 1).rstrip() + "…"
