"""What a file says of all its lines: currency, tax and rate, vendor, validity; by header, labels, notes, formats."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from decimal import Decimal

from catalogs.days import days_after
from catalogs.message import message
from optimizer.procurement.reading import row_words
from optimizer.procurement.reading.dates import read_date, read_days
from optimizer.procurement.reading.document import Issue, Notice
from optimizer.procurement.reading.line.line_prices import Basis
from optimizer.procurement.reading.mapping import Mapping, Tax
from optimizer.procurement.reading.opening.sheets import Sheet
from optimizer.procurement.reading.sums import sums
from optimizer.procurement.reading.table.headers import MONEY, Column, Header
from optimizer.procurement.reading.table.rows import Body

CHINESE_TAX = re.compile(r"增值税|价税合计|[专普]票")
TAX = (
    r"(?:[专普]票|发票|\bvat\b|\btax(?:es)?\b|mwst|\bust\b|mehrwertsteuer|umsatzsteuer|税"
    r"|\bgst\b|\btva\b|\biva\b|reverse charge)"
)


def basis_of(
    sheet: Sheet, header: Header, rows: Body, given: Mapping, issues: list[Issue]
) -> tuple[Basis, dict[str, str]]:
    """Currency, tax and rate by mapping, header, labels, notes and the cells' formats, in that order."""
    said: dict[str, str] = {}
    for name, value in rows.said:
        text = value.isoformat() if isinstance(value, date) else str(value)
        said.setdefault(name, text)
    notes = [note for note in rows.notes if note]
    money = [column for column in header.columns.values() if column.field in MONEY]
    tax = _tax_of(money, notes, given, issues)
    stated = given.currency or _stated_currency(money, said, rows, notes)
    currency = stated or _implied_currency(sheet, header, rows, notes, issues)
    return Basis(currency, tax, _rate_of(money, notes, given, said)), said


def _tax_of(money: list[Column], notes: list[str], given: Mapping, issues: list[Issue]) -> Tax:
    """With or without tax: by the mapping, the headers of the prices where these agree, else the notes."""
    if given.tax != "unknown":
        return given.tax
    in_headers = {column.tax for column in money if column.tax}
    if in_headers:  # of headers that differ, each is right for its own column
        return in_headers.pop() if len(in_headers) == 1 else "unknown"  # type: ignore[return-value]
    in_notes = {tax for note in notes if (tax := _tax_of_note(note))}
    if len(in_notes) > 1:
        text = "the notes say both with and without tax"
        issues.append(Issue(code="tax-basis-unclear", severity="error", text=text))
    return in_notes.pop() if len(in_notes) == 1 else "unknown"  # type: ignore[return-value]


def _stated_currency(money: list[Column], said: dict[str, str], rows: Body, notes: list[str]) -> str:
    """The currency that headers of prices, a label, sums or the notes name, in that order; blank for none."""

    def named_in(texts: Iterable[str]) -> str:
        return only(code for text in texts if (code := row_words.qualified(text)[1].get("currency")))

    return (
        only(column.currency for column in money if column.currency)
        or row_words.currency_in(said.get("currency", ""))
        or named_in(total.cell for total in rows.totals if isinstance(total.cell, str))
        or named_in([*notes, *(total.label for total in rows.totals)])
    )


def _implied_currency(sheet: Sheet, header: Header, rows: Body, notes: list[str], issues: list[Issue]) -> str:
    """The currency of the price cells' number formats, else that of a country whose tax is named; blank for neither."""
    columns = [number for number, column in header.columns.items() if column.field in MONEY]
    if formatted := only(code for number in columns for code in sheet.facts.currencies.get(number, ())):
        return formatted
    heads = [header.columns[number].header for number in columns]
    if not CHINESE_TAX.search(" ".join([*notes, *(total.label for total in rows.totals), *heads])):
        return ""
    issues.append(Issue(code="currency-by-tax", severity="note", text="CNY, since the tax is China's (增值税)"))
    return "CNY"


def _rate_of(money: list[Column], notes: list[str], given: Mapping, said: dict[str, str]) -> Decimal | None:
    """The one tax rate, in percent, that notes, headers of prices and a label state; None for none or several."""
    if given.tax_rate is not None:
        return given.tax_rate
    rates = {rate for note in notes if (rate := _rate_of_note(note)) is not None}
    rates |= {rate for column in money if column.tax and (rate := sums.rate_in(column.header)) is not None}
    if (of_label := sums.rate_in(said.get("tax_rate", ""))) is not None:
        rates.add(of_label)
    return rates.pop() if len(rates) == 1 else None


def in_units(header: Header, rows: Body, given: Mapping, notices: list[Notice]) -> Header:
    """The header, and the lines under it, in the unit that a note names (`单位：万元`, `Alle Beträge in TEUR`) where no
    column of money says one itself."""
    money = {n: c for n, c in header.columns.items() if c.field in (*MONEY, "tax_amount")}
    if given.columns or any(c.scale != 1 for c in money.values()):
        return header
    said = [(note, int(s)) for note in rows.notes if (s := _unit_of_note(note))]
    if len({s for _, s in said}) != 1:
        return header
    note, scale = said[0]
    notices.append(
        Notice(
            code="unit-in-note",
            text=message(
                "amounts are taken times {scale} by the note {note}", scale=f"{scale:,}", note=f"{note.strip()!r}"
            ),
        )
    )
    for raw in rows.lines:
        raw.columns = {f: replace(c, scale=scale) if f in (*MONEY, "tax_amount") else c for f, c in raw.columns.items()}
    return replace(header, columns=header.columns | {n: replace(c, scale=scale) for n, c in money.items()})


def _unit_of_note(text: str) -> str:
    """`金额单位：人民币万元` -> 10000; blank for a note about anything else, one with an amount in it too."""
    rest, sets = row_words.qualified(re.sub(r"\d[\d.,]*\s*%", "", text))
    if len(text) > 60 or re.search(r"\d", rest) or not row_words.has("unit_note", rest):
        return ""
    value = re.split(r"[:：]", re.sub(r"[（(].*?[)）]", " ", rest))[1:]
    # `报价单位：万科有限公司` is a company: behind a colon nothing else may stand, without one 万 needs its 元.
    if row_words.bare(" ".join(value)) if value else not (text.isascii() or "currency" in sets):
        return ""
    return sets.get("scale", "")


def _rate_of_note(text: str) -> Decimal | None:
    """The percentage next to a word for tax."""
    plain = row_words.folded(text)
    near = re.search(
        rf"(?<!\d)\d{{1,2}}(?:[.,]\d+)?\s*%[^%\d]{{0,12}}{TAX}|{TAX}[^%\d]{{0,12}}(?<!\d)\d{{1,2}}(?:[.,]\d+)?\s*%",
        plain,
    )
    return sums.rate_in(near[0]) if near else None


def letterhead(sheet: Sheet, header: Header, notices: list[Notice]) -> str:
    """A company's name above the table that is not the customer's; told, since no label says so."""
    for row in sheet.rows:
        if row.number > header.row - header.height:
            break
        for cell in row.cells.values():
            text = re.split(r"[-–|,:：]\s|\s{2,}", str(cell).strip())[0].strip()
            text = re.split(r"(?<=公司)", text)[0] or text  # `某某有限公司报价清单`
            if 4 <= len(text) <= 60 and row_words.has("company", text) and not row_words.begins("customer", text):
                notices.append(
                    Notice(
                        code="vendor-from-letterhead",
                        text=message("vendor {name} is taken from row {row}", name=f"{text!r}", row=row.number),
                    )
                )
                return text
    return ""


def _behind(kind: str, text: str) -> str:
    """What stands behind the first word of a kind in a text; blank without one."""
    word = row_words.found(kind, text)
    return row_words.folded(text).partition(word)[2] if word else ""


def quote_facts(said: dict[str, str], notes: Iterable[str]) -> tuple[str, date | None]:
    """(number, date of the quote): `A-88 vom 18.11.2026, gültig bis ...` is A-88 of that day."""
    number = said.get("quote_no", "")
    day = read_date(said.get("quote_date", ""))
    texts = [number, *(_behind("dated", note) for note in notes)]
    day = day or next((d for text in texts if (d := read_date(re.split("[,，;；]", text)[0]))), None)
    return re.split(r"[,，;；]|\s/\s|\s(?:vom|dated|of|from|date|del|du|van|z dnia)\b", number)[0].strip(), day


def _names_tax(text: str) -> bool:
    return bool(re.search(TAX, row_words.folded(text)))


def _tax_of_note(text: str) -> str:
    """`Alle Preise zzgl. MwSt.` -> net; the `netto` of payment terms is none."""
    plain = row_words.folded(text)
    if not _names_tax(plain) and not re.search(r"price|preis|价", plain):
        return ""
    if re.search(r"(?:days|tage|天)\s+net", plain) or len(plain) > 200:
        return ""
    if re.match(r"^(?:zzgl\.?|plus)?\s*\d*[.,]?\d*\s*%?\s*(?:mwst|vat|ust)\.?\W*$", plain):
        return ""
    return row_words.qualified(re.sub(r"\d{1,2}(?:[.,]\d+)?\s*%", "", plain))[1].get("tax", "")


def only(values: Iterable[str]) -> str:
    """The one value that all agree on; blank when there is none or several."""
    found = set(values)
    return found.pop() if len(found) == 1 else ""


def valid_until(said: dict[str, str], notes: Iterable[str], quoted: date | None, notices: list[Notice]) -> date | None:
    """By its label, else by a sentence: `Prices valid until 15-Dec-2026`, `gültig bis zum 31.12.2026`."""
    in_notes = (_behind("valid_until", note) for note in notes)
    text = said.get("valid_until", "") or next((t for t in in_notes if read_date(t) or read_days(t)), "")
    if not text:
        return None
    clauses = [x for x in re.split(r"[,，;；。]|\.\s", text) if read_date(x) or read_days(x)]
    text = clauses[0] if clauses and (quoted or read_date(clauses[0])) else text  # `..., Lieferzeit 60 Tage`
    found, days = read_date(text), read_days(text)
    start = found or quoted
    if found and (not days or re.search(r"\d{4}", text[: text.index(str(days))])):
        return found  # days behind the day are those of something else
    if start and days and (until := days_after(start, days)):
        notices.append(
            Notice(
                code="validity-computed", text=message("valid until = {start} + {days} days", start=start, days=days)
            )
        )
        return until
    notices.append(
        Notice(code="validity-unclear", text=message("validity {text} is no day by itself", text=f"{text[:60]!r}"))
    )
    return None
