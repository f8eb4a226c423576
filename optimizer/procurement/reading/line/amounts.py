"""Numbers of the raw lines: the decimal sign by column, ambiguous ones by the line's own arithmetic, else an issue."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from itertools import product

from catalogs.message import joined, message
from optimizer.procurement.reading import row_words
from optimizer.procurement.reading.document import Issue
from optimizer.procurement.reading.opening.sheets import Cell
from optimizer.procurement.reading.table.rows import Body, Raw
from optimizer.text import amounts as numbers
from optimizer.text.amounts import Reading, Style

FIELDS = (
    "qty", "sets", "unit_price", "list_price", "line_total", "discount", "tax_rate", "tax_amount", "pack", "price_per",
)  # fmt: skip
CENT = Decimal("0.01")
MONEY = ("unit_price", "list_price", "line_total", "tax_amount")
PRICES = ("unit_price", "line_total", "list_price")
"""What a line costs, in the order in which they are believed."""


@dataclass(frozen=True)
class Numbers:
    """A line's numbers; `issues` say what could not be read; `said`: price in words (included, asked)."""

    values: dict[str, Decimal]
    currencies: tuple[str, ...]
    taxes: tuple[str, ...]
    unit: str
    said: str
    issues: tuple[Issue, ...]
    off: tuple[Decimal, ...] = ()
    """What its discount may take off, as shares."""


def styles(body: Body, forced: Style) -> tuple[dict[str, Style], bool]:
    """(decimal sign by field, whether it rests on prices having no three decimals).

    A column that proves none takes that of all money columns together."""
    if forced:
        return dict.fromkeys(FIELDS, forced), False
    texts = {f: [str(line.cells[f]) for line in body.lines if isinstance(line.cells.get(f), str)] for f in FIELDS}
    sums = [str(total.cell) for total in body.totals if isinstance(total.cell, str)]
    fields = [f for f in ("unit_price", "list_price", "line_total", "tax_amount")]
    common = numbers.style_of([x for f in fields for x in texts[f]] + sums)
    inferred = not common
    if inferred:
        plain = [
            str(line.cells[f])
            for line in body.lines
            for f in fields
            if isinstance(line.cells.get(f), str) and line.columns[f].scale == 1
        ]
        common = numbers.style_of_thousands([*plain, *sums])
    return {f: numbers.style_of(texts[f]) or common for f in FIELDS}, inferred and bool(common)


BY_QUANTITY = re.compile(
    r"\s*(?:≥|>=|>|<|ab|from|bis|over)?\s*\d{1,6}\s*(?:\+|[^\W\d]{1,6}\.?)?\s*[:：=]\s*\D{0,5}\d.*"
)
"""`≥10: 95.00`: neither number is the price of a piece."""


def amount(cell: Cell | None, style: Style, scale: int = 1) -> Reading:
    """A cell as an amount; a spreadsheet's number has one reading."""
    if isinstance(cell, Decimal):
        return Reading((cell * scale,))
    if not isinstance(cell, str) or BY_QUANTITY.fullmatch(cell):
        return Reading()
    found = numbers.read(cell, style)
    return found if found.scaled else replace(found, values=tuple(v * scale for v in found.values))


def read(raw: Raw, style: dict[str, Style]) -> Numbers:
    """All numbers of a line."""
    found = {
        field: amount(raw.cells[field], style[field], raw.columns[field].scale)
        for field in FIELDS
        if field in raw.cells
    }
    issues: list[Issue] = []
    if raw.split:
        text = message(
            "more cells than columns: a comma seems to break {amount} in two; quote it, or leave the comma out",
            amount=raw.split,
        )
        issues.append(_issue("more-cells", raw, text))
        found = {field: reading for field, reading in found.items() if field not in MONEY}
    said = _price_in_words(raw, found, issues)
    values = {field: reading.values[0] for field, reading in found.items() if len(reading.values) == 1}
    if "qty" in found and not found["qty"].values and row_words.equals("lump", raw.text("qty")):
        values["qty"] = Decimal(1)
        issues.append(
            _issue("lump-sum", raw, message("quantity {text} is taken as 1", text=f"{raw.text('qty')!r}"), "note")
        )
    values |= _settled(raw, found, issues)
    for field in MONEY:
        if field in values and values[field] == values[field].quantize(CENT):
            values[field] = values[field].quantize(CENT)
    if "tax_rate" in values:
        values["tax_rate"] = numbers.tidy(_percent(values["tax_rate"], found["tax_rate"].percent) * 100)
    off: tuple[Decimal, ...] = ()
    if "discount" in values or "折" in raw.text("discount"):
        off = discounts(raw.text("discount"), values.get("discount", Decimal(0)), found["discount"].percent)
        values["discount"] = off[0]
    unit = found["qty"].rest.strip(" .*/") if "qty" in found else ""
    prices = [found[field] for field in PRICES if field in found]
    currencies = tuple(dict.fromkeys(reading.currency for reading in prices if reading.currency))
    taxes = tuple(dict.fromkeys(reading.tax for reading in prices if reading.tax))
    return Numbers(values, currencies, taxes, unit, said, tuple(issues), off)


def _price_in_words(raw: Raw, found: dict[str, Reading], issues: list[Issue]) -> str:
    """`included` or `asked` where a price is given in such words, else blank; other words become an issue."""
    said = ""
    for field in PRICES:
        text = raw.text(field)
        if not isinstance(raw.cells.get(field), str) or field not in found or found[field].values:
            continue
        if row_words.equals("included", text):
            said = said or "included"
        elif row_words.equals("asked", text):
            said = "asked"
        elif text.strip("-–—/. ") and not (field == "line_total" and row_words.equals("unit_only", text)):
            issues.append(
                _issue("not-a-number", raw, message("{field}: {text} is no amount", field=field, text=f"{text!r}"))
            )
    return said


def _settled(raw: Raw, found: dict[str, Reading], issues: list[Issue]) -> dict[str, Decimal]:
    """Values of the cells that may mean two, where the line's own arithmetic leaves one; each is told."""
    ambiguous = [field for field, reading in found.items() if len(reading.values) > 1]
    by_arithmetic = _by_arithmetic(found) if ambiguous else {}
    values: dict[str, Decimal] = {}
    for field in ambiguous:
        if field in by_arithmetic:
            values[field] = by_arithmetic[field]
            text = message(
                "{field}: {text} read as {value}: only so quantity x price gives the line's total",
                field=field,
                text=f"{raw.text(field)!r}",
                value=values[field],
            )
            issues.append(_issue("number-by-arithmetic", raw, text, "note"))
        else:
            both = joined((str(value) for value in found[field].values), " or ")
            issues.append(
                _issue(
                    "ambiguous-number",
                    raw,
                    message("{field}: {text} may be {list}", field=field, text=f"{raw.text(field)!r}", list=both),
                )
            )
    return values


def _percent(value: Decimal, signed: bool) -> Decimal:
    """As a share: `13%`, 13 and 0.13 are the same."""
    return numbers.tidy(abs(value / 100 if signed or value > 1 else value))


FOLDS = str.maketrans("一二三四五六七八九", "123456789")
FOLD = re.compile(r"(\d(?:\.\d+)?|\d\d(?:\.\d+)?)\s*折")


def discounts(text: str, value: Decimal, signed: bool) -> tuple[Decimal, ...]:
    """What a discount may take off, as shares, the likeliest first: `8.5折` and 八五折 are 0.15; `15%` may be 15 % off
    or 15 % to pay, a bare `8.5` also 85 % to pay (Chinese lists say so)."""
    if found := FOLD.search(text.translate(FOLDS)):
        paid = Decimal(found[1])
        return (numbers.tidy(1 - paid / (10 if paid < 10 else 100)),)
    share = _percent(value, signed)
    tenths = (1 - value / 10,) if not signed and 1 < value < 10 else ()
    return (share, numbers.tidy(1 - share), *map(numbers.tidy, tenths))


def _by_arithmetic(found: dict[str, Reading]) -> dict[str, Decimal]:
    """The one combination of readings in which quantity x price is the total; {} when none or several fit."""
    names: list[str] = [f for f in ("qty", "unit_price", "line_total") if f in found and found[f].values]
    if len(names) < 3:
        return {}
    fits: list[dict[str, Decimal]] = []
    for combination in product(*(found[f].values for f in names)):
        chosen: dict[str, Decimal] = dict(zip(names, combination, strict=True))
        if same_money(chosen["qty"] * chosen["unit_price"], chosen["line_total"]):
            fits.append(chosen)
    # 1.5 x 2 = 3 and 1500 x 2 = 3000 both fit: the sum says nothing then.
    return fits[0] if len(fits) == 1 else {}


def same_money(computed: Decimal, stated: Decimal, slack: Decimal = CENT) -> bool:
    """Equal to within half a cent of rounding, or half of the last place that is stated where that is coarser."""
    exponent = stated.as_tuple().exponent
    place = Decimal(1).scaleb(min(int(exponent), 0)) if isinstance(exponent, int) else CENT
    return abs(computed - stated) <= max(slack, place if place < 1 else CENT) / 2


def cents(value: Decimal) -> Decimal:
    return value.quantize(CENT, ROUND_HALF_UP)


def _issue(code: str, raw: Raw, text: str, severity: str = "error") -> Issue:
    return Issue(code=code, severity=severity, text=text, row=raw.row)  # type: ignore[arg-type]


def whole(value: Decimal | None) -> int | None:
    """A count of pieces, or None for what is none."""
    return int(value) if value is not None and value == value.to_integral_value() and 0 < value <= 1_000_000 else None


def exact_sum(values: Sequence[Decimal]) -> Decimal:
    return sum(values, Decimal(0))
