"""Which row is the header and what each column holds: words are data (data/headers.csv, data/qualifiers.csv)."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from optimizer.procurement.reading.opening.sheets import Row, Sheet
from optimizer.procurement.reading.row_words import bare, folded, has, qualified, synonyms, verbatim, without_periods

SEARCHED_ROWS = 300
NAMING = ("part_number", "name", "description")
MONEY = ("unit_price", "line_total", "list_price")
NUMBER_OR_NAME = ("item", "position", "pos", "项目号")
"""Headers of a running number that name the thing where no other column does."""
RATE = re.compile(r"\d[\d.,]*\s*%\s*")
AMOUNT = re.compile(r"\W*\d[\d.,\s]*\W*")
WEIGHTS = dict.fromkeys((*NAMING, *MONEY, "qty"), 3)


@dataclass(frozen=True)
class Column:
    """What a header cell says; `certain` when its words are those of the field and nothing else."""

    field: str
    header: str = ""
    tax: str = ""
    currency: str = ""
    scale: int = 1
    per: str = ""
    certain: bool = True


@dataclass(frozen=True)
class Header:
    """A header of `height` rows that ends at row `row`, its columns by number (from 1), and how good it looks."""

    row: int
    height: int
    columns: dict[int, Column]
    score: int
    unused: dict[int, Column] = field(default_factory=dict)
    width: int = 0
    """The last column with a name, known or not."""


@lru_cache(maxsize=20_000)
def column_of(text: str) -> Column | None:
    """The field that a header's text names, in English, Chinese or German or in two of them at once."""
    if not text or len(text) > 80:
        return None
    known = synonyms()
    rest, sets = _qualified(text)
    rest = re.sub(r"\s+in$", "", rest)  # `EP in k€`
    base = Column(
        "", text, sets.get("tax", ""), sets.get("currency", ""), int(sets.get("scale", "1")), sets.get("per", "")
    )
    plain = re.sub(r"\(.*?\)|\[.*?\]|（.*?）", " ", folded(text))
    timeless = without_periods(rest)
    for candidate in (text, plain, rest, re.sub(r"\(.*?\)|\[.*?\]", " ", rest), timeless):
        name = verbatim().get(folded(candidate)) or known.get(bare(candidate) or folded(candidate))
        if name:
            return replace(base, field=name)
    pieces = [
        p
        for p in re.split(
            r"[/|\n,;:\-()]+|(?<=[^\x00-\x7f])\s*(?=[\x00-\x7f])|(?<=[\x00-\x7f])\s*(?=[^\x00-\x7f])", timeless
        )
        if bare(p)
    ]
    named = [known[bare(p)] for p in pieces if bare(p) in known]
    if named:
        # Two languages for the same thing; of `数量/单位` and the like the first counts, and not for certain.
        return replace(base, field=named[0], certain=len(set(named)) == 1 and len(named) == len(pieces))
    if not bare(timeless) and (base.currency or timeless != rest or "net" in folded(text)):
        return replace(base, field="unit_price", certain=False)
    if len(text) <= 40:
        inside = _inside(timeless)
        if inside:
            return replace(base, field=known[inside], certain=False)
    return None


def _qualified(text: str) -> tuple[str, dict[str, str]]:
    """As `qualified`, where a rate stands within the words for tax too: `Unit price incl. 13% VAT`, `含13%税单价`."""
    found = qualified(text)
    if "tax" in found[1]:
        return found
    without_rate = qualified(RATE.sub("", folded(text)))
    return without_rate if "tax" in without_rate[1] else found


def _inside(text: str) -> str:
    """The longest synonym inside a longer header, as words of their own; Chinese needs no gaps. Blank for none."""
    known = synonyms()
    parts = re.findall(r"[^\W_]+", text)
    runs = {"".join(parts[i:j]) for i in range(len(parts)) for j in range(i + 1, min(i + 4, len(parts) + 1))}
    found = [r for r in runs if r in known and len(r) >= (5 if r.isascii() else 2)]
    if not text.isascii():
        plain = bare(text)
        pieces = (plain[i : i + n] for n in range(2, 9) for i in range(len(plain) - n + 1))
        found += [p for p in pieces if p in known and not p.isascii()]
    return max(found, key=lambda w: (len(w), w), default="")


PRICE = re.compile(r"unit price|price each|price|stückpreis|einzelpreis|preis|单价|价格|报价")
BREAK = re.compile(
    r"(?:(?:ab|from|over|≥|>=|>)\s*(\d{1,6})|(\d{1,6})\s*(?:\+|[-–]\s*\d{1,6}|以上|起|(?:个|台|件|块)(?:以上|起)))"
    r"\s*(?:stk|stück|st|pcs|pieces|units|个|台|件|块)?\.?"
)


def break_of(header: str) -> int | None:
    """The quantity from which a column's price holds; None for a column of anything else."""
    plain = PRICE.sub(" ", qualified(header)[0])
    found = BREAK.fullmatch(re.sub(r"[()（）:：/]", " ", plain).strip())
    return int(found[1] or found[2]) if found else None


def price_column(text: str) -> Column:
    """The column of the prices under a header such as `ab 10 (netto, EUR)`."""
    said = qualified(text)[1]
    tax, currency, scale = said.get("tax", ""), said.get("currency", ""), int(said.get("scale", "1"))
    return Column("unit_price", text, tax, currency, scale, certain=False)


def find_header(sheet: Sheet) -> Header | None:
    """The row (or two rows, one above the other) that names most of a table's fields; None when no row does."""
    candidates: list[Header] = []
    rows = sheet.rows[:SEARCHED_ROWS]
    for i, row in enumerate(rows):
        below = rows[i + 1] if i + 1 < len(rows) else None
        for found in (header_at(sheet, row), header_at(sheet, row, below) if below else None):
            if found:
                candidates.append(found)
    top = max((h.score for h in candidates), default=0)
    # A later row that looks a little better is the header of a further page or table.
    first = min((h.row - h.height + 1 for h in candidates if h.score * 10 >= top * 7), default=0)
    near = [h for h in candidates if first <= h.row <= first + 2]
    return max(near, key=lambda h: h.score, default=None)


def header_at(sheet: Sheet, row: Row, below: Row | None = None) -> Header | None:
    """The header that a row, with the one below it, would be; None unless it names a thing and a price or quantity."""
    if not _all_words(row):
        return None
    named = _named(row) if below is None else _named_in_two(sheet, row, below)
    if named is None:
        return None
    columns, unused = _one_each(_with_likely_fields(named), sheet.facts.hidden_columns)
    fields = {column.field for column in columns.values()}
    if not fields & set(NAMING) or not fields & {*MONEY, "qty"} or len(fields) < 2:
        return None
    score = sum(WEIGHTS.get(column.field, 1) * (2 if column.certain else 1) for column in columns.values())
    if below is None:
        return Header(row.number, 1, columns, score, unused, max(row.cells))
    # Of two headers that name the same, that of one row is the likelier.
    return Header(below.number, 2, columns, score - 1, unused, max(row.cells))


def _all_words(row: Row) -> bool:
    """Whether every filled cell is a text and none an amount; `100+` heads a column of prices by quantity."""
    texts = list(row.cells.values())
    return all(isinstance(text, str) and (not AMOUNT.fullmatch(text) or text.endswith("+")) for text in texts)


def _named(row: Row) -> dict[int, Column] | None:
    """The columns that a row's texts name; None where most of a wide row's texts name none: that is a line of words."""
    named = {number: column for number, text in row.cells.items() if (column := column_of(str(text)))}
    steps = {n: str(x) for n, x in row.cells.items() if n not in named and break_of(str(x)) is not None}
    if len(steps) > 1:  # `1+ | 10+ | 50+`: prices by quantity
        named |= {number: price_column(text) for number, text in steps.items()}
    mostly_unknown = 3 < len(row.cells) > len(named) * 2 and len(named) < 4
    return None if mostly_unknown else named


def _named_in_two(sheet: Sheet, row: Row, below: Row) -> dict[int, Column] | None:
    """The columns that two rows name together; None where the second isn't the lower half of one header."""
    adjacent = below.number == row.number + 1
    if not adjacent or any(not isinstance(text, str) or text[:1].isdigit() for text in below.cells.values()):
        return None
    upper = _spread(sheet, row)
    if header_at(sheet, below) is not None and not any(
        number in row.cells and column_of(str(row.cells[number])) for number in upper
    ):
        return None  # the lower row is a header by itself, under a title that names nothing
    lower = {number: str(text) for number, text in below.cells.items()}
    if not any(column_of(text) for text in lower.values()):
        return None
    both = {number: _stacked(upper.get(number, ""), lower.get(number, "")) for number in sorted({*upper, *lower})}
    return {number: column for number, column in both.items() if column}


def _with_likely_fields(named: dict[int, Column]) -> dict[int, Column]:
    """With the field that a header of two meanings has in a table where nothing else names it."""

    def renamed(old: str, new: str) -> dict[int, Column]:
        return {
            number: replace(column, field=new) if column.field == old else column for number, column in named.items()
        }

    named = renamed("quote_no", "part_number")  # `Ref` heads numbers of parts here, beside a label that of the quote
    if not any(column.field in NAMING for column in named.values()):
        likely = [number for word in NUMBER_OR_NAME for number, column in named.items() if bare(column.header) == word]
        named |= {number: replace(named[number], field="name") for number in likely[:1]}
    if not any(column.field == "qty" for column in named.values()):
        named = renamed("sets", "qty")
    return named


def _stacked(upper: str, lower: str) -> Column | None:
    """A column under two headers: the lower one names the field, the upper one may qualify it (`Price (USD)`)."""
    above, below = column_of(upper), column_of(lower)
    if above and above.field in MONEY and has("tax", lower):
        return Column("tax_amount", lower, currency=above.currency, scale=above.scale)  # `USt 20%` under `Betrag`
    if below is None:
        return replace(above, header=lower or upper) if above else None
    if above is None:
        return below
    name = "unit_price" if below.field == "unit" and above.field in MONEY else below.field
    name = above.field if above.field in MONEY and not bare(qualified(lower)[0]) else name  # `Netto` under `Betrag`
    tax, currency = below.tax or above.tax, below.currency or above.currency
    return replace(below, field=name, tax=tax, currency=currency, scale=max(above.scale, below.scale))


def _spread(sheet: Sheet, row: Row) -> dict[int, str]:
    """The row's texts, each over the columns of its merged cell."""
    out = {c: str(x) for c, x in row.cells.items()}
    for r0, c0, r1, c1 in sheet.merged:
        if r0 <= row.number <= r1 and c0 in row.cells and c1 - c0 < 50:
            out |= {c: str(row.cells[c0]) for c in range(c0, c1 + 1)}
    return out


def _one_each(named: dict[int, Column], hidden: Collection[int]) -> tuple[dict[int, Column], dict[int, Column]]:
    """One column per field, and the others: of several a visible one, of prices that with the tax of the line totals,
    of numbers the manufacturer's, else the first certain one."""
    by_field: dict[str, list[int]] = {}
    for c, column in named.items():
        by_field.setdefault(column.field, []).append(c)
    if len(by_field.get("unit", ())) == 2 and "unit_price" not in by_field:
        # `UOM ... Unit, Total`: the second one is the price of a unit.
        place = by_field["unit"].pop()
        by_field["unit_price"], named = (
            [place],
            {**named, place: replace(named[place], field="unit_price", certain=False)},
        )
    totals = by_field.get("line_total", [])
    wanted = named[totals[0]].tax if totals else ""
    columns: dict[int, Column] = {}
    unused: dict[int, Column] = {}
    for name, places in by_field.items():
        ranked = sorted(
            places,
            key=lambda c: (
                c in hidden,
                named[c].tax != wanted if name in MONEY else False,
                name == "part_number" and not has("makers", named[c].header),
                not named[c].certain,
                c,
            ),
        )
        columns[ranked[0]] = named[ranked[0]]
        unused |= {c: named[c] for c in ranked[1:]}
    return dict(sorted(columns.items())), unused


def repeats(header: Header, cells: dict[int, object], texts: Sequence[str]) -> bool:
    """Whether a row says again what the header says (as at the top of each printed page)."""
    same = sum(
        isinstance(cells.get(c), str) and bare(str(cells[c])) == bare(x.header)
        for c, x in header.columns.items()
        if c in cells
    )
    return same >= 2 and same * 2 >= len(texts)
