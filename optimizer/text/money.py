"""An amount of money that a person gives, as an option or in a file: its value and the currency that it names.

Figures and words are read as in a vendor's cells (optimizer/text/amounts.py), but an amount stands alone here: what is
left over, what may mean two amounts, and what names two currencies is refused with the reason."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from typing import get_args

from catalogs.errors import Fault, InputError
from catalogs.nearest import one_of
from catalogs.offers import Currency
from constraints.exchange import minor_digits
from optimizer.text import amounts
from optimizer.text.numerals import in_figures
from optimizer.text.qualifiers import currencies_in, qualified
from optimizer.text.spelled import spelled_alone

CURRENCIES: tuple[str, ...] = get_args(Currency)
"""Those that requests and offers come in."""
MOST = 10**11
LONGEST = 80
REMEDY = "For example 300000, 300k, $300,000, 30万, 200万元, 20万美元 or 2000000CNY."
FIGURES = re.compile(r"[0-9]+")
YEN_OR_YUAN = re.compile(r"(cny|cn|rmb|jpy|jp)?¥", re.IGNORECASE)
BY_PREFIX = {"cny": "CNY", "cn": "CNY", "rmb": "CNY", "jpy": "JPY", "jp": "JPY"}
MILLIONS = re.compile(r"(?<=\d)\s*mm?(?![a-z])", re.IGNORECASE)
"""`1.2m`: of money millions, in a vendor's cell maybe metres."""
NEGATIVE = re.compile(r"\W*\([^()]*\d[^()]*\)\W*")
TWICE = re.compile(r"(?<=\d)\s*([km万亿萬億])\s*\1(?![a-z])", re.IGNORECASE)
GLUED_SCALE = re.compile(r"(?<=\d)\s*([km])(?=(?:usd|cny|rmb|eur|gbp|jpy)\b)", re.IGNORECASE)


@dataclass(frozen=True)
class Amount:
    """`value` in units of `currency`, which is blank where the text names none. `in_wan`: it counts in 万 or 亿, which
    makes it CNY where nobody names another currency."""

    value: Decimal
    currency: str
    in_wan: bool = False


@dataclass(frozen=True)
class Money:
    """An amount in whole minor units."""

    cents: int
    currency: str


def money(text: str, currency: str | None = None, option: str = "--budget", default: str | None = None) -> Money:
    """`300k`, `$300,000`, `200万元`, `20万美元`, `人民币叁拾万元整` -> minor units above 0, and their currency.

    Parameters:
        text: What was written.
        currency: What --currency says; an amount that names another one contradicts it.
        option: Where it was written, for the errors.
        default: What a bare number is in without --currency; an amount may name another one. USD without.

    Raises:
        InputError: No amount, one that may mean two, or one in a currency that requests don't come in.
    """
    found = amount(text, option, currency or default or "")
    if currency and found.currency and found.currency != currency:
        raise bad(
            option, text, f"is in {found.currency}, but --currency says {currency}",
            f"Leave out --currency, or give the amount in {currency}.", "contradicting-currency",
        )  # fmt: skip
    code = found.currency or currency or default or ("CNY" if found.in_wan else "USD")
    scaled = found.value.scaleb(minor_digits(code))
    if scaled != scaled.to_integral_value():
        raise bad(option, text, f"is finer than a {'cent' if minor_digits(code) else 'yen'}")
    return Money(int(scaled), code)


def amount(text: str, option: str, expected: str = "") -> Amount:
    """The amount above 0 that a text is. `expected`: the currency that it is likely in; of JPY ¥ is the sign too."""
    plain = unicodedata.normalize("NFKC", text).strip()
    if not plain:
        raise bad(option, text, "is empty", f"Give an amount or leave it out. {REMEDY}", "empty-value")
    if len(plain) > LONGEST:
        raise bad(option, text[:LONGEST], f"is longer than {LONGEST} characters")
    if NEGATIVE.fullmatch(plain):
        raise bad(option, text, "is not above 0: in brackets an amount is negative")
    if TWICE.search(plain):
        raise bad(option, text, "names its scale twice")
    plain = re.sub(r"(?<=[\d万亿])块钱?$", "元", plain)
    if FIGURES.fullmatch(plain):  # as most are written: no word of any language needs to be looked for
        return _above_0(Amount(Decimal(plain), ""), text, option)
    plain, currency = _currency(re.sub(r"(?<=\d)_(?=\d)", "", plain), text, option, expected)
    in_wan = re.search("[万亿萬億]", plain) is not None
    if (value := spelled_alone(plain)) is not None:
        return _above_0(Amount(value, currency or "CNY"), text, option)
    figures = in_figures(plain)
    figures = MILLIONS.sub(" mio ", GLUED_SCALE.sub(r"\1 ", figures))
    found = amounts.read(figures)
    if not found.values or found.percent or not amounts.alone(figures):
        raise bad(option, text, "is no amount of money")
    if found.tax == "net":
        raise bad(option, text, "is net of tax: the amount holds tax", "Give what may be paid in all.")
    return _above_0(Amount(_one_of(found, figures, currency, text, option), currency, in_wan), text, option)


def _currency(plain: str, text: str, option: str, expected: str) -> tuple[str, str]:
    """(the text without ¥, the currency that it names or blank). ¥ is CNY unless JPY is said."""
    prefixes = {m[1].casefold() if m[1] else "" for m in YEN_OR_YUAN.finditer(plain)}
    rest = YEN_OR_YUAN.sub(" ", plain).strip() if prefixes else plain
    named = currencies_in(rest) | {BY_PREFIX[x] for x in prefixes if x}
    if "" in prefixes and named != {"JPY"}:
        named.add("JPY" if expected == "JPY" and not named else "CNY")
    if len(named) > 1:
        raise bad(option, text, f"names two currencies: {' and '.join(sorted(named))}", "Name one.", "two-currencies")
    found = next(iter(named), "")
    if found and found not in CURRENCIES:
        raise bad(option, text, f"is in {found}", one_of(found, CURRENCIES), "unknown-currency")
    return rest, found


def _one_of(found: amounts.Reading, figures: str, currency: str, text: str, option: str) -> Decimal:
    """The reading that counts: a comma before three digits parts thousands, and so does a point unless the amount is
    scaled (`1.255m`); what may be a decimal comma is one of euros and scaled amounts alone."""
    points, commas = figures.count("."), figures.count(",")
    if len(found.values) > 1:
        if commas:
            return max(found.values)
        if found.scaled:
            return min(found.values)
        raise bad(option, text, f"may be {' or '.join(f'{x:f}' for x in sorted(found.values))}")
    decimal_comma = commas == 1 and not points and re.search(r",\d{3}(?!\d)", figures) is None
    if decimal_comma and not (found.scaled or currency == "EUR"):
        remedy = "Write thousands as 300,000 and cents as 300000.50."
        raise bad(option, text, "may have a decimal comma or a digit too few", remedy)
    return found.values[0]


def _above_0(found: Amount, text: str, option: str) -> Amount:
    if not 0 < found.value <= MOST:
        raise bad(option, text, f"needs an amount above 0, up to {MOST:,}")
    return found


def bad(option: str, text: str, why: str, remedy: str = REMEDY, code: str = "bad-money") -> InputError:
    """The fault of an amount."""
    return InputError(Fault(code, why, column=option, value=text, remedy=remedy))


def currency_code(text: str, option: str = "--currency") -> str:
    """`cny`, `RMB`, `人民币`, `€` -> the code of a currency that requests come in."""
    plain = YEN_OR_YUAN.sub(
        lambda m: BY_PREFIX.get((m[1] or "").casefold(), "CNY"), unicodedata.normalize("NFKC", text)
    )
    named = currencies_in(plain)
    code = next(iter(named), "")
    if len(named) != 1 or code not in CURRENCIES or qualified(plain)[0]:
        raise bad(option, text, "is none", one_of(text, CURRENCIES), "bad-currency")
    return code


def count(text: str, option: str) -> Decimal:
    """A number above 0 that is no money: `20M`, `2000万`, `3亿`, `1,500k`, `0.5`."""
    plain = in_figures(unicodedata.normalize("NFKC", text).strip().replace("_", ""))
    plain = MILLIONS.sub(" mio ", plain)
    found = amounts.read(plain)
    value = (max if "," in plain else min)(found.values, default=Decimal(0))
    if found.currency or found.percent or not amounts.alone(plain) or not 0 < value <= 10**15:
        remedy = "For example 20M, 500k, 2000万 or 3亿."
        raise InputError(Fault("bad-amount", "needs a number above 0", column=option, value=text, remedy=remedy))
    return value
