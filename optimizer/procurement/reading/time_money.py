"""Whether a file's prices are paid again and again (a lease, a rental, a subscription): no price of a purchase.

What says so is a header of the prices, a unit, the text or note of a line, the label of a sum, the name of the sheet,
or a note on the whole. Words are data (data/row_words.csv, kinds `rent`, `each_*`, `term`). A time that something else
takes (delivery, warranty, validity, payment) makes no lease, nor does a lease on offer beside a purchase."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from catalogs.message import message
from optimizer.procurement.reading import row_words
from optimizer.procurement.reading.document import Issue, Line, Period, Quote, Recurring, Total
from optimizer.procurement.reading.line.amounts import cents, exact_sum, same_money
from optimizer.procurement.reading.mapping import Mapping as FileMapping
from optimizer.procurement.reading.opening.sheets import Row, Sheet
from optimizer.procurement.reading.table.headers import NAMING, Header
from optimizer.procurement.reading.table.rows import Body, Raw

PER_YEAR: dict[Period, int] = {
    "hour": 8760, "day": 365, "week": 52, "month": 12, "quarter": 4, "year": 1,
}  # fmt: skip
"""Periods in a year of 365 days."""
SHORT_TEXT = 60
"""Up to here a text is a title or a label: one word decides. A longer one is a sentence and must speak of money."""
MOST_REASONS = 3
LEAST_TERM = 6
"""Months from which a span is the term of a lease; a shorter one is that of a delivery or a payment."""
COUNT = r"(\d{1,3}|twelve|twenty-four|thirty-six|forty-eight|sixty|十二|二十四|三十六|四十八|六十)"
SPELLED = {
    "twelve": 12, "twenty-four": 24, "thirty-six": 36, "forty-eight": 48, "sixty": 60,
    "十二": 12, "二十四": 24, "三十六": 36, "四十八": 48, "六十": 60,
}  # fmt: skip
MONTHS = re.compile(
    rf"(?<![每\d]){COUNT}\s*[- ]?(?:months?|mos?\b|mths?|monate?n?|mois|mes(?:es|i)|maanden|miesi[ęą]cy|개월"
    r"|个月|個月|ヶ月|か月|カ月|ヵ月|月(?!\d|日))"
)
YEARS = re.compile(
    r"(?<![\d〇零一二三四五六七八九十])(\d{1,2}|[一二两兩三四五六七八十])\s*[- ]?"
    r"(?:years?|yrs?|jahre?n?|年(?!\d|间?\s*\d))"
)
YEARS_IN_CHINESE = {
    "一": 1, "二": 2, "两": 2, "兩": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "十": 10,
}  # fmt: skip
QUARTERS = re.compile(r"(?<!\d)(\d{1,2})\s*[- ]?(?:quarters|quartale?n?|个?季度)")
HEADED: tuple[tuple[Period, re.Pattern[str]], ...] = (
    ("month", re.compile(
            r"(?<![\w])(?:months?|mos?|mth|monate?|monats\w*)(?![\w])"
            r"|(?<![\d一二三四五六七八九十])月(?:租|额|額|费|費|付|供|价|単|单|金|合|小|総|料)"
            r"|[(/]月\)?$|\(月\)"
        )),
    ("quarter", re.compile(r"(?<![\w])(?:quarters?|qtr|quartal)(?![\w])|\(季度?\)")),
    ("year", re.compile(r"(?<![\w])(?:years?|yrs?|jahre?)(?![\w])|\(年\)")),
)  # fmt: skip
"""Bare words for a period, which only the header of a price may use: `Unit Price / Year`."""
PAID_AFTER = re.compile(
    r"(?<![\d一二两兩三四五六七八九十])(?!(?<=每)[1一](?!\d))[\d一二两兩三四五六七八九十半]+\s*[个個ヶか]?"
    r"(?:月|年|季度?|周|天|日)内?(?=[付支])"
)
"""A time after which a share of a purchase is paid, or of several months: 验收满12个月付10% is no 月付."""
NONE_OF = re.compile(r"(?:\b(?:no|not|without|kein\w*|ohne|sans)\s+(?:[^\W\d]+\s+)?|[不无無][收含]?)$")
"""What stands before a period that is not paid: `no monthly fees`."""
UNITS: dict[Period, frozenset[str]] = {
    "hour": frozenset(("hour", "hours", "hr", "hrs", "std", "stunde", "stunden", "小时", "時間", "gpuhour")),
    "day": frozenset(("day", "days", "tag", "tage", "天", "日", "台天")),
    "week": frozenset(("week", "weeks", "wk", "woche", "wochen", "周")),
    "month": frozenset((
        "month", "months", "mo", "mth", "mths", "monat", "monate", "月", "个月", "ヶ月", "か月", "台月", "套月", "月台",
        "unitmonth", "pcsmonth", "eamonth", "serverm", "permonth", "promonat", "stkmonat", "stmonat", "每月", "月额",
        "月額",
    )),
    "quarter": frozenset(("quarter", "quarters", "quartal", "quartale", "季", "季度")),
    "year": frozenset(("year", "years", "yr", "yrs", "jahr", "jahre", "年", "台年", "套年", "unityear", "peryear")),
}  # fmt: skip
"""What a cell of the unit column is, without blanks and signs, where quantities count time."""
OWNED = re.compile(
    r"(?:purchase|buy|kauf|buy-?out)[- ]?options?|option\s+to\s+(?:purchase|buy|extend|renew)"
    r"|期满\S{0,6}(?:购买|留购|买断)"
)
BEFORE = re.compile(
    r"(?:\b(?:not?|non|kein\w*|nicht|without|instead of|no|optional|optionally|alternativ\w*|option for|options? to)"
    r"|不|非|无|無|可|可选|支持|提供|如需|若需)[\s-]*(?:\w+[\s-]+)?$"
)
AFTER = re.compile(
    r"^[\s-]*(?:\w+[\s-]+){0,4}?(?:available|on request|upon request|options?\b|optional|possible|möglich|auf anfrage|"
    r"可选|可谈|可能|も可|ご相談|なし|不可|オプション)"
)
FRAMEWORK = re.compile(  # terms of something else than what is paid
    r"framework|rahmen|框架|warrant|garantie|support|质保|保修|保証|payment|zahl|付款|deliver|liefer|valid|gültig"
)


@dataclass(frozen=True)
class Reason:
    """What says that prices are paid by time: its words, its row (None: the sheet's name)."""

    text: str
    row: int | None
    period: Period | None = None
    term_months: int | None = None
    lines: frozenset[int] | None = None
    """Rows of the lines that it is of; None for all."""


def months_in(text: str) -> int | None:
    """`36 months`, `3 years`, 36个月 -> 36; None for what names no span, or several."""
    plain = row_words.folded(text)
    found = {SPELLED.get(m[1]) or int(m[1]) for m in MONTHS.finditer(plain)}
    found |= {12 * (YEARS_IN_CHINESE.get(m[1]) or int(m[1])) for m in YEARS.finditer(plain)}
    found |= {3 * int(m[1]) for m in QUARTERS.finditer(plain)}
    return found.pop() if len(found) == 1 else None


def period_of(text: str) -> Period | None:
    """The period that words such as `per month` or 月租 name; of several the shortest."""
    plain = PAID_AFTER.sub(" ", row_words.folded(text))
    return next((p for p in PER_YEAR if row_words.has(f"each_{p}", plain)), None)


def recurring(
    sheet: Sheet, header: Header, rows: Body, lines: Mapping[int, Line], totals: Sequence[Total], given: FileMapping
) -> Recurring | None:
    """How often the prices of which lines are paid; None for a purchase. A mapping's `period` overrules the file."""
    if given.period == "once":
        return None
    priced = [line for line in lines.values() if line.amount]
    raws = {raw.row: raw for raw in rows.lines}
    reasons = _reasons(sheet, header, rows, priced, raws, given)
    if not reasons:
        return None
    period = next((reason.period for reason in reasons if reason.period), None)
    own_terms = {line.row: term for line in priced if (term := _own_term(raws[line.row]))}
    paid_by_time = _rows_of(reasons, priced) - _settled(priced, own_terms, period, raws)
    if not paid_by_time:
        return None
    term = _common_term(reasons, own_terms, paid_by_time)
    term_at: list[int | None] = [reason.row for reason in reasons if reason.term_months == term]
    term_at = term_at or [row for row in paid_by_time if own_terms.get(row) == term]
    over_term = {row for row in paid_by_time if _over_term(lines, row, own_terms.get(row) or term, period)}
    shown = _first_of_each_row(reasons)
    return Recurring(
        period=period,
        rows=tuple(sorted(paid_by_time)),
        term_months=term,
        term_at=tuple(sorted({row for row in term_at if row is not None})) if term else (),
        over_term=tuple(sorted(over_term)),
        why="; ".join(repr(reason.text) for reason in shown),
        at=tuple(dict.fromkeys(reason.row for reason in shown if reason.row is not None)),
    )


def _rows_of(reasons: Sequence[Reason], priced: Sequence[Line]) -> set[int]:
    """Rows of the lines that the reasons are of: all where one is of the whole file."""
    if any(reason.lines is None for reason in reasons):
        return {line.row for line in priced}
    of_some = frozenset[int]().union(*(reason.lines for reason in reasons if reason.lines))
    return {line.row for line in priced if line.row in of_some}


def _common_term(reasons: Sequence[Reason], own_terms: Mapping[int, int], rows: set[int]) -> int | None:
    """The months that all reasons agree on, else that the lines' own terms do; None where they differ or say none."""
    terms = {reason.term_months for reason in reasons if reason.term_months}
    terms = terms or {own_terms[row] for row in rows if row in own_terms}
    return terms.pop() if len(terms) == 1 else None


def _reasons(
    sheet: Sheet, header: Header, rows: Body, priced: Sequence[Line], raws: Mapping[int, Raw], given: FileMapping
) -> list[Reason]:
    """All that says that prices are paid by time, the mapping's word first."""
    by_mapping = given.period if given.period != "once" else ""
    reasons = [Reason(by_mapping, None, by_mapping)] if by_mapping else []
    reasons += _of_header(sheet, header, priced, raws)
    # Beside prices that the header calls those of a purchase a lease on offer makes none of them.
    if not _bought(sheet, header):
        reasons += _of_sheet(sheet, rows)
    return [*reasons, *_of_lines(raws, priced)]


def _first_of_each_row(reasons: Sequence[Reason]) -> list[Reason]:
    """The reasons to be shown: of each row the first, which is the strongest, and few in all."""
    first: dict[int | None, Reason] = {}
    for reason in reversed(reasons):
        first[reason.row] = reason
    return list(reversed(first.values()))[:MOST_REASONS]


def _column_texts(sheet: Sheet, header: Header) -> dict[int, tuple[str, int]]:
    """(words above it, row) of each column, of all rows of the header; a merged cell stands over its columns."""
    out: dict[int, tuple[str, int]] = {}
    top = header.row - header.height + 1
    for row in sheet.rows:
        if not top <= row.number <= header.row:
            continue
        cells = {c: str(x) for c, x in row.cells.items()}
        for r0, c0, r1, c1 in sheet.merged:
            if r0 <= row.number <= r1 and c0 in row.cells and c1 - c0 < SHORT_TEXT:
                cells |= {c: str(row.cells[c0]) for c in range(c0, c1 + 1)}
        for c, text in cells.items():
            before = out[c][0] if c in out else ""
            out[c] = (f"{before} {text}".strip(), row.number)
    return out


def _money_columns(header: Header) -> list[int]:
    return [n for n, c in header.columns.items() if c.field in ("unit_price", "line_total")]


def _bought(sheet: Sheet, header: Header) -> bool:
    """Whether the header of the prices calls them those of a purchase: `Kaufpreis` beside `Leasingrate`."""
    texts = _column_texts(sheet, header)
    return any(row_words.has("bought", texts[n][0]) for n in _money_columns(header) if n in texts)


def _of_header(sheet: Sheet, header: Header, priced: Sequence[Line], raws: Mapping[int, Raw]) -> Iterator[Reason]:
    """By the headers of the prices, and by a column of terms that hardware fills."""
    texts = _column_texts(sheet, header)
    for number in _columns_of_prices(header, texts):
        text, row = texts.get(number, ("", header.row))
        if reason := _of_price_header(text, row):
            yield reason
    of_term = next((number for number, column in header.columns.items() if column.field == "term"), None)
    if of_term is not None and not FRAMEWORK.search(row_words.folded(texts.get(of_term, ("", 0))[0])):
        hardware = [line.row for line in priced if line.matched.part and line.role == "part"]
        with_term = frozenset(row for row in hardware if _own_term(raws[row]))
        if with_term:
            yield Reason(texts[of_term][0], texts[of_term][1], lines=with_term)


def _columns_of_prices(header: Header, texts: Mapping[int, tuple[str, int]]) -> list[int]:
    """The columns whose headers say how prices are paid: those of money, else those that nobody took. Where no column
    is one of unit prices, that of the numbers which nobody took may be the rent."""
    taken = _money_columns(header)
    left = [number for number in texts if number not in header.columns]
    if taken and all(column.field != "unit_price" for column in header.columns.values()):
        taken += [n for n in left if row_words.has("rent", row_words.folded(texts[n][0])) or period_of(texts[n][0])]
    return taken or left


def _of_price_header(text: str, row: int) -> Reason | None:
    """`Leasing rate / month`, `36 months`; no reason in the time that something else takes, as `power per hour`."""
    plain = row_words.folded(text)
    if not plain or row_words.has("not_time", re.sub(r"power|support|delivery", " ", plain)):
        return None
    period, span = period_of(plain), months_in(plain)
    if period is None and span is None:
        period = next((name for name, shape in HEADED if shape.search(plain)), None)
    if period or row_words.has("rent", plain):
        return Reason(text, row, period, span)
    if span and span >= LEAST_TERM and not row_words.has("bought", plain):
        return Reason(text, row, None, span)
    return None


def _of_sheet(sheet: Sheet, rows: Body) -> Iterator[Reason]:
    """By its name and by what stands above, between and below the lines."""
    if row_words.has("rent", sheet.name) or period_of(sheet.name) or row_words.equals("rent", sheet.name):
        yield Reason(sheet.name, None, period_of(sheet.name))
    elif re.fullmatch(r"(?i)subscriptions?|订阅|サブスクリプション", sheet.name.strip()):
        yield Reason(sheet.name, None)
    by_number: dict[int, Row] = {row.number: row for row in sheet.rows}
    for said in rows.ignored:
        row = by_number.get(said.row)
        if row is None or said.reason.startswith(("header", "ignored")):
            continue
        texts = [cell for cell in row.cells.values() if isinstance(cell, str)]
        whole = " ".join(str(cell) for cell in row.cells.values())
        found = _of_sum(texts) if said.reason.startswith("sum") else _of_text(whole)
        if found is not None:
            yield Reason(whole[:SHORT_TEXT], said.row, found.period, found.term_months)


def _of_sum(texts: Sequence[str]) -> Reason | None:
    label = row_words.folded(" ".join(texts))
    if period := period_of(label):
        return Reason(label, None, period, months_in(label))
    if row_words.has("rent", label):
        return Reason(label, None, None, months_in(label))
    if (span := months_in(label)) and span >= LEAST_TERM and not FRAMEWORK.search(label):
        return Reason(label, None, None, span)
    return None


def _of_text(whole: str) -> Reason | None:
    """What a title, a label or a note says of all prices."""
    plain = OWNED.sub(" ", row_words.folded(whole))
    short = len(plain) <= SHORT_TEXT
    for clause in re.split(r"[;；。\n，、]|\.\s|,\s|\s[-–|]\s", plain):
        if reason := _of_clause(clause, short):
            span = reason.term_months or _term_label(plain)
            return Reason(whole, None, reason.period or _payment(plain), span)
    if span := _term_label(plain):
        return Reason(whole, None, _payment(plain), span)
    return None


def _payment(text: str) -> Period | None:
    """The period of payments in a clause that speaks of money and of nothing else that takes time."""
    for clause in re.split(r"[;；。\n，、]|\.\s|,\s", text):
        period = period_of(clause)
        if period and row_words.has("paid", clause) and not row_words.has("not_time", clause):
            return period
    return None


def _paid_period(clause: str) -> Period | None:
    """The period that a clause names, unless it says that nothing is paid so."""
    plain = PAID_AFTER.sub(" ", clause)
    period = period_of(plain)
    if period is None:
        return None
    before = plain.partition(row_words.found(f"each_{period}", plain))[0]
    return None if NONE_OF.search(before) else period


def _of_clause(clause: str, short: bool) -> Reason | None:
    if (period := _paid_period(clause)) and row_words.has("paid", clause) and not row_words.has("not_time", clause):
        return Reason(clause, None, period, months_in(clause))
    if found := re.search(rf"{COUNT}\s*(?:\w+\s+)?(?:instal+ments|raten\b|monatsraten|期租金)", clause):
        count = SPELLED.get(found[1]) or int(found[1])
        if count >= LEAST_TERM:
            return Reason(clause, None, "month", count)
    word = row_words.found("rent", clause)
    if not word:
        return None
    at = clause.index(word)
    if BEFORE.search(clause[:at]) or AFTER.search(clause[at + len(word) :]):
        return None
    if short or months_in(clause) or period_of(clause) or row_words.has("paid", clause):
        return Reason(clause, None, period_of(clause), months_in(clause))
    return None


def _term_label(text: str) -> int | None:
    """Months behind a label for a term: `Term: 36 months`, `Laufzeit 36 Monate`, 租期：36个月."""
    if FRAMEWORK.search(text.split(":")[0]) or not row_words.begins("term", text):
        return None
    behind = text[len(row_words.found("term", text)) :][:SHORT_TEXT]
    # `Lease term (months): 36`
    bare = re.match(r"\s*\(?(?:in\s+)?(?:months?|monaten?|个月|月)\)?\s*[:：=]?\s*(\d{1,3})(?!\d)", behind)
    return int(bare[1]) if bare else months_in(behind)


def _of_lines(raws: Mapping[int, Raw], priced: Sequence[Line]) -> Iterator[Reason]:
    """By a line's unit, text or note. Of work and licences only what says that the price is one of a period: a number
    of months that a quantity counts is paid for in the total."""
    for x in priced:
        raw = raws[x.row]
        unit = row_words.bare(raw.text("unit") or x.unit)
        own = frozenset((x.row,))
        period = next((p for p, known in UNITS.items() if unit in known), None)
        if x.role == "part" and period:
            yield Reason(raw.text("unit") or x.unit, x.row, period, lines=own)
            continue
        texts = [raw.text(f) for f in (*NAMING, "note", "section", "unit") if raw.text(f)]
        for text in dict.fromkeys(texts):
            plain = OWNED.sub(" ", row_words.folded(text))
            if x.role == "part":
                found = _of_hardware(plain)
            elif priced_by := _of_service(plain):
                found = Reason(text, x.row, priced_by)
            else:
                found = None
            if found is not None:
                yield Reason(text[:SHORT_TEXT], x.row, found.period, found.term_months, own)
                break


def _of_hardware(text: str) -> Reason | None:
    word = row_words.found("rent", text)
    if word:
        at = text.index(word)
        if not (BEFORE.search(text[:at]) or AFTER.search(text[at + len(word) :])):
            return Reason(text, None, period_of(text), months_in(text))
    period = period_of(text)
    if period in ("month", "quarter") and not row_words.has("not_time", text):
        return Reason(text, None, period, months_in(text))
    return None


def _of_service(text: str) -> Period | None:
    """The period of a price that the text of a service names: `(per year)` at its end, `annual fee`. Visits or hours
    per year are no price, and a text that says for how long is priced for so long."""
    if months_in(text):
        return None
    of_prices: tuple[Period, ...] = ("month", "quarter", "year")
    for period in of_prices:
        word = row_words.found(f"each_{period}", text)
        if not word:
            continue
        before, _, behind = text.partition(word)
        fee = row_words.has("paid", behind[:20]) or row_words.has("paid", before[-20:])
        counted = re.search(r"\d\s*x?\s*[a-z]+s\s*$|visits?|incidents?|tickets?|inspections?|calls?|次", before[-30:])
        if fee or (not re.search(r"\w", behind) and not counted):
            return period
    return None


def _own_term(raw: Raw) -> int | None:
    """Months in a line's own column of terms; None for blank, `n/a` or 0."""
    text = row_words.folded(raw.text("term"))
    if not text or "term" not in raw.columns:
        return None
    if re.fullmatch(r"\d{1,3}(?:\.0)?", text):
        count = int(float(text))
        years = bool(re.search(r"year|jahr|年", row_words.folded(raw.columns["term"].header)))
        return count * (12 if years else 1) or None
    return months_in(text)


def periods_in(months: int, period: Period) -> Decimal:
    """Periods in a term."""
    return Decimal(months * PER_YEAR[period]) / 12


def _times(line: Line, months: int | None, period: Period | None) -> Decimal | None:
    """How many periods a line's total pays for, where quantity x price x term is its total: months, or years."""
    if months is None or line.unit_price is None or line.qty is None or line.line_total is None:
        return None
    for p in (period, "month", "year"):
        times = periods_in(months, p) if p else Decimal(1)
        if times != 1 and same_money(
            line.unit_price * line.qty * times, line.line_total, Decimal("0.01") * max(line.qty, Decimal(1))
        ):
            return times
    return None


def _settled(
    priced: Sequence[Line], own_terms: Mapping[int, int], period: Period | None, raws: Mapping[int, Raw]
) -> set[int]:
    """Lines whose total is what is paid in all: work and licences over a term of their own, which the total has in it;
    and beside such lines what has no term and is quantity x price, bought once under the same header."""
    over = {
        line.row for line in priced
        if (line.role == "service" or line.matched.part is None) and _times(line, own_terms.get(line.row), period)
    }  # fmt: skip
    once = {
        line.row for line in priced
        if line.row not in own_terms and "term" in raws[line.row].columns
        and line.unit_price is not None and line.qty is not None and line.line_total is not None
        and same_money(line.unit_price * line.qty, line.line_total)
    }  # fmt: skip
    bought = once if over else set()
    return over | bought if bought or all(line.role == "service" for line in priced if line.row in over) else set()


def _over_term(lines: Mapping[int, Line], row: int, term: int | None, period: Period | None) -> bool:
    x = next((line for line in lines.values() if line.row == row), None)
    return x is not None and _times(x, term, period) is not None


def with_terms(
    lines: dict[int, Line], rows: Body, found: Recurring | None, given_months: int | None
) -> dict[int, Line]:
    """Lines whose total is over a term without the false fault of their product; with the buyer's term the recurring
    ones over it."""
    raws = {line.row: line for line in rows.lines}
    out: dict[int, Line] = {}
    period = found.period if found else None
    for i, x in lines.items():
        own = _own_term(raws[x.row])
        times = _times(x, own or (found.term_months if found else None), period)
        if times is not None:
            text = message("the total is quantity x price x {n}: it is over the term", n=f"{times.normalize():f}")
            kept = tuple(issue for issue in x.issues if issue.code != "line-arithmetic")
            x = x.model_copy(update={"periods": times, "issues": (*kept, _note(x.row, "over-term", text))})
        if found and given_months and x.row in found.rows and found.period:
            x = _over(x, given_months, found.period)
        out[i] = x
    return out


def _over(line: Line, months: int, period: Period) -> Line:
    """A line whose price is one of a period, over so many months."""
    wanted = periods_in(months, period)
    total = None if line.line_total is None else cents(line.line_total / line.periods * wanted)
    text = message(
        "a price of each {period}, times {times}: {months} months",
        period=period,
        times=f"{wanted.normalize():f}",
        months=months,
    )
    issues = (*line.issues, _note(line.row, "times-periods", text))
    return line.model_copy(update={"periods": wanted, "line_total": total, "issues": issues})


def over_its_own_term(quote: Quote) -> Quote | None:
    """The quote with what is paid by time counted over the term that it states; None where it states no term, how often
    is paid is not said, or the buyer gave a term."""
    found = quote.time_money
    if found is None or found.period is None or found.term_months is None:
        return None
    lines = (_over(line, found.term_months, found.period) if line.row in found.rows else line for line in quote.lines)
    return quote.model_copy(update={"lines": tuple(lines)})


def of_all_periods(
    totals: Sequence[Total], lines: Sequence[Line], found: Recurring | None, given_months: int | None
) -> list[Total]:
    """Sums that are checked against the lines as these count: what a file states over its term stands beside what it
    states of a period, and only one of them is what its lines sum to."""
    if found is None or found.period is None:
        return list(totals)
    counted_in = [line for line in lines if line.amount is not None and not line.optional]
    goods = exact_sum([x.amount for x in counted_in if x.amount is not None])
    each = exact_sum([x.amount / x.periods for x in counted_in if x.amount is not None])
    out = []
    for total in totals:
        terms = {m for m in (months_in(total.label), found.term_months, given_months) if m}
        times = {Decimal(1), *(periods_in(m, found.period) for m in terms)}
        same = any(abs(total.amount - each * n) <= Decimal("0.005") * n * (len(lines) + 1) for n in times)
        out.append(
            total.model_copy(update={"amount": goods}) if same and total.kind not in ("tax", "discount") else total
        )
    return out


def counted(found: Recurring, lines: Sequence[Line], given_months: int | None) -> Recurring:
    """With the amount of a period and over the file's own term, of the recurring lines."""
    of_lines = [line for line in lines if line.row in found.rows and not line.optional]
    known = [line.amount for line in of_lines if line.amount is not None]
    if found.period is None or len(known) < len(of_lines):
        return found.model_copy(update={"counted_months": None})
    each = exact_sum([cents((line.amount or Decimal(0)) / line.periods) for line in of_lines])
    over = None
    if found.term_months:
        over = cents(each * periods_in(found.term_months, found.period))
    return found.model_copy(update={"each": each, "over": over, "counted_months": given_months})


def _note(row: int, code: str, text: str) -> Issue:
    return Issue(code=code, severity="note", text=text, row=row)
