"""A filled-in request for quotation as a quote: parts by the stamp, what the bidder wrote by its cells, and each cell's
fault told in words that the bidder can act on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from openpyxl.utils import get_column_letter

from catalogs.errors import Fault, InputError
from catalogs.load import Catalog
from catalogs.message import N_, message
from optimizer.procurement.reading.document import Issue, Line, Match, Notice, Quote
from optimizer.procurement.reading.line.match import match
from optimizer.procurement.reading.line.names import Index, index_of
from optimizer.procurement.reading.mapping import Tax
from optimizer.procurement.reading.opening.guard import inspect
from optimizer.procurement.reading.returned.stamp import (
    AskedLine,
    Stamp,
    plain,
    properties_of,
    protected_rows,
    stamp_of,
    workbook_of,
)
from optimizer.text import amounts

SERVICE = "service:"
MOST_ROWS = 5_000
CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)
NET, GROSS = ("net", "未税"), ("gross", "含税")
"""How the cell of the tax basis begins, in either language."""


@dataclass
class _Sheet:
    """A sheet under the reader's eyes, and what is wrong in it."""

    name: str
    cells: Any
    issues: list[Issue] = field(default_factory=list)

    def at(self, row: int, column: int) -> tuple[Any, str]:
        """(content, address) of a cell, column from 0."""
        return self.cells.cell(row=row, column=column + 1).value, f"{self.name}!{get_column_letter(column + 1)}{row}"

    def fault(self, code: str, text: str, row: int, **values: Any) -> Issue:
        return Issue(code=code, severity="error", text=message(text, **values), row=row)


def read_filled(path: Path, catalog: Catalog) -> Quote:
    """The quote in a request for quotation that dsopt wrote. Raises InputError where its stamp does not hold together:
    then nobody can say what its rows are."""
    inspect(path)  # refuses bombs and what is no workbook
    book = workbook_of(path.read_bytes())
    stamp = stamp_of(properties_of(book))
    if stamp is None or max(stamp.lines_sheet, stamp.facts_sheet) >= len(book.worksheets):
        text = "is a request for quotation of dsopt whose properties were changed: nobody can say what its rows are"
        raise InputError(
            Fault("rfq-broken", text, str(path), remedy="Ask the bidder to fill in the file as it was sent.")
        )
    facts = _Facts(_Sheet(book.worksheets[stamp.facts_sheet].title, book.worksheets[stamp.facts_sheet]), stamp)
    said = facts.read()
    sheet = _Sheet(book.worksheets[stamp.lines_sheet].title, book.worksheets[stamp.lines_sheet])
    rows = _rows_of(stamp, book.worksheets[stamp.lines_sheet])
    index = index_of(catalog)
    lines = [_line(sheet, stamp, asked, rows[asked], said, index, catalog) for asked in stamp.lines]
    issues = [
        *facts.sheet.issues,
        *_changed(stamp, book, set(rows.values())),
        *_added(stamp, sheet, set(rows.values())),
    ]
    seal = properties_of(book)["dsopt.rfq.seal"]
    text = message("a request for quotation of dsopt, {number}, seal {seal}", number=stamp.number, seal=seal)
    return Quote(
        source=path.name, format="xlsx", sheet=sheet.name, vendor=said.vendor, quote_no=said.quote_no,
        quote_date=said.quote_date, valid_until=said.valid_until, currency=said.currency, tax=said.tax,
        tax_rate=said.tax_rate, lines=tuple(lines), issues=tuple(issues),
        notices=(Notice(code="rfq-returned", text=text),),
    )  # fmt: skip


@dataclass
class _Said:
    """What the bidder says of the whole."""

    vendor: str = ""
    quote_no: str = ""
    quote_date: date | None = None
    valid_until: date | None = None
    currency: str = ""
    tax: Tax = "unknown"
    tax_rate: Decimal | None = None


class _Facts:
    """The cells for the bidder's name, its numbers and terms."""

    def __init__(self, sheet: _Sheet, stamp: Stamp) -> None:
        self.sheet, self.stamp = sheet, stamp

    def read(self) -> _Said:
        vendor, number = self._text("vendor"), self._text("quote_no")
        if not vendor:
            self._fault("vendor", "rfq-missing", N_("{cell}: the bidder's name is missing"))
        said = _Said(vendor, number, self._day("quote_date"), self._day("valid_until"))
        said.currency, said.tax = self._currency(), self._tax()
        rate = self._number("tax_rate")
        if rate is not None and 0 < rate < 1:  # `13%` in a cell is 0.13
            rate = rate * 100
        said.tax_rate = rate
        return said

    def _cell(self, name: str) -> tuple[Any, str, int]:
        address = self.stamp.cells[name]
        cell = self.sheet.cells[address]
        return cell.value, f"{self.sheet.name}!{address}", cell.row

    def _fault(self, name: str, code: str, text: str, **values: Any) -> None:
        _, cell, row = self._cell(name)
        self.sheet.issues.append(self.sheet.fault(code, text, row, cell=cell, **values))

    def _text(self, name: str) -> str:
        return plain(self._cell(name)[0])[:200]

    def _day(self, name: str) -> date | None:
        value = self._cell(name)[0]
        if value is None or plain(value) == "":
            if name == "valid_until":
                self._fault(name, "rfq-missing", N_("{cell}: until when the bid is valid is missing"))
            return None
        if isinstance(value, datetime):
            return value.date()
        try:
            return date.fromisoformat(plain(value).replace("/", "-").replace(".", "-"))
        except ValueError:
            self._fault(
                name, "rfq-bad-date", N_("{cell}: {value} is no date, write 2026-12-31"), value=repr(plain(value)[:40])
            )
            return None

    def _currency(self) -> str:
        text = self._text("currency").upper()
        if CURRENCY.fullmatch(text):
            return text
        self._fault("currency", "rfq-missing", N_("{cell}: the currency is missing or none: choose one of the list"))
        return ""

    def _tax(self) -> Tax:
        text = self._text("tax").casefold()
        if text.startswith(NET):
            return "net"
        if text.startswith(GROSS):
            return "gross"
        self._fault(
            "tax", "rfq-missing", N_("{cell}: whether prices are net or with tax is missing: choose one of the list")
        )
        return "unknown"

    def _number(self, name: str) -> Decimal | None:
        value = self._cell(name)[0]
        found = _number(value)
        if found is None and plain(value):
            self._fault(name, "rfq-not-a-number", N_("{cell}: {value} is no number"), value=repr(plain(value)[:40]))
        return found


def _number(value: Any) -> Decimal | None:
    """A number of a cell: as the spreadsheet holds it, or as a text that can only be one."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float | Decimal):
        return Decimal(str(value))
    found = amounts.read(str(value), "")
    return found.values[0] if len(found.values) == 1 and not found.rest.strip() and not found.scaled else None


def _rows_of(stamp: Stamp, sheet: Any) -> dict[AskedLine, int]:
    """The row of each line: where it was, or, where its texts stand in another row now, there."""
    now = protected_rows(sheet, stamp.columns["qty"])
    by_hash: dict[str, list[int]] = {}
    for row, digest in now.items():
        by_hash.setdefault(digest, []).append(row)
    out = {}
    for line in stamp.lines:
        moved = by_hash.get(line.text_hash, [])
        out[line] = line.row if now.get(line.row) == line.text_hash or len(moved) != 1 else moved[0]
    return out


def _line(
    sheet: _Sheet, stamp: Stamp, asked: AskedLine, row: int, said: _Said, index: Index, catalog: Catalog
) -> Line:  # fmt: skip
    """One line with what the bidder wrote, and what is wrong with it."""
    issues: list[Issue] = []
    read = _Reader(sheet, stamp, row, issues)
    service = asked.part.startswith(SERVICE)
    if not service and asked.part not in catalog.parts:
        issues.append(sheet.fault("rfq-unknown-part", N_("{part} is not in this catalog"), row, part=asked.part))
    price = read.number("unit_price")
    if price is None and not read.written("unit_price"):
        code, text = "rfq-missing-price", N_("{cell}: the unit price is missing; write 0 where it is included")
        issues.append(sheet.fault(code, text, row, cell=read.address("unit_price")))
    if price is not None and price < 0:
        issues.append(sheet.fault("rfq-negative", N_("{cell}: a price below 0"), row, cell=read.address("unit_price")))
        price = None
    qty = read.number("qty")
    if qty is None or qty != asked.qty:
        text = N_("{cell}: the quantity is {now}, {asked} are asked for")
        now = plain(read.value("qty")) or "–"
        issues.append(
            sheet.fault("rfq-quantity-changed", text, row, cell=read.address("qty"), now=now, asked=asked.qty)
        )
    lead, warranty = read.count("lead_days"), read.count("warranty_months")
    offered, wanted = plain(read.value("offered")), plain(read.value("wanted"))
    matched = _matched(asked, offered, index, catalog)
    if offered and not service and matched.part is None:
        text = N_("{cell}: {offered} is offered instead, which the catalog does not know")
        where = read.address("offered")
        issues.append(
            Issue(
                code="rfq-other-part", severity="warning", row=row, text=message(text, cell=where, offered=offered[:80])
            )
        )
    total = None if price is None else asked.qty * price
    return Line(
        row=row, role="service" if service else "part", text=_name(asked, wanted, catalog, service),
        part_number=offered if not service else "", qty=Decimal(asked.qty), pieces=None if service else asked.qty,
        unit_price=price, line_total=total, currency=said.currency, tax=said.tax, total_tax=said.tax,
        tax_rate=said.tax_rate, lead_time="" if lead is None else f"{lead} days",
        warranty="" if warranty is None else f"{warranty} months", note=plain(read.value("deviation"))[:500],
        included=price == 0, on_request=price is None, matched=matched, issues=tuple(issues),
    )  # fmt: skip


def _name(asked: AskedLine, wanted: str, catalog: Catalog, service: bool) -> str:
    """What a line is called: a service by its text, a part by its name."""
    return wanted if service or asked.part not in catalog.parts else catalog.parts[asked.part].name


def _matched(asked: AskedLine, offered: str, index: Index, catalog: Catalog) -> Match:
    """The part asked for; where the bidder names what it offers, the part that its words name, or none."""
    if asked.part.startswith(SERVICE):
        return Match(reason="a service")
    known = asked.part if asked.part in catalog.parts else None
    if not offered:
        return Match(how="mapped" if known else "none", part=known, score=100 if known else 0)
    found, _ = match(index, offered, (), accept_fuzzy=False)
    if found.part is not None:
        return found
    candidates = tuple(dict.fromkeys([*([known] if known else []), *found.candidates]))
    return Match(candidates=candidates, reason=message("offered instead of what is asked for"))


@dataclass(frozen=True)
class _Reader:
    """The bidder's cells of one row."""

    sheet: _Sheet
    stamp: Stamp
    row: int
    issues: list[Issue]

    def value(self, name: str) -> Any:
        return self.sheet.at(self.row, self.stamp.columns[name])[0] if name in self.stamp.columns else None

    def address(self, name: str) -> str:
        return self.sheet.at(self.row, self.stamp.columns[name])[1]

    def written(self, name: str) -> bool:
        return bool(plain(self.value(name)))

    def number(self, name: str) -> Decimal | None:
        """A number; a fault where something else is written."""
        found = _number(self.value(name))
        if found is None and self.written(name) and name != "qty":
            text, shown = N_("{cell}: {value} is no number"), repr(plain(self.value(name))[:40])
            self.issues.append(
                self.sheet.fault("rfq-not-a-number", text, self.row, cell=self.address(name), value=shown)
            )
        return found

    def count(self, name: str) -> int | None:
        """A whole number of days or months, or none."""
        found = self.number(name)
        if found is None:
            return None
        if found != found.to_integral_value() or not 0 <= found <= 3650:
            text = N_("{cell}: {value} is no whole number from 0 to 3,650")
            self.issues.append(
                self.sheet.fault("rfq-not-a-number", text, self.row, cell=self.address(name), value=plain(found))
            )
            return None
        return int(found)


def _changed(stamp: Stamp, book: Any, line_rows: set[int]) -> Iterator[Issue]:
    """Rows whose printed texts are not those that were sent."""
    for stamped in stamp.sheets:
        if stamped.place >= len(book.worksheets):
            text = N_("sheet {n} of the request is gone")
            yield Issue(code="rfq-text-changed", severity="error", text=message(text, n=stamped.place + 1))
            continue
        sheet = book.worksheets[stamped.place]
        now = protected_rows(sheet, stamped.first_input)
        moved = set(now.values())
        for row, digest in sorted(stamped.rows.items()):
            if now.get(row) == digest or (stamped.place == stamp.lines_sheet and digest in moved):
                continue
            text = N_("{sheet}, row {row}: what is asked for was changed or moved")
            yield Issue(
                code="rfq-text-changed", severity="error", row=row, text=message(text, sheet=sheet.title, row=row)
            )


def _added(stamp: Stamp, sheet: _Sheet, line_rows: set[int]) -> Iterator[Issue]:
    """Rows with a price that nobody asked for: they are in no sum."""
    column = stamp.columns["unit_price"]
    first = min(line_rows, default=1)
    for row in range(first, min(sheet.cells.max_row, MOST_ROWS) + 1):
        value, cell = sheet.at(row, column)
        if row not in line_rows and _number(value) is not None:
            text = N_("{cell}: a price in a row that is not asked for; it is not counted")
            yield Issue(code="rfq-extra-row", severity="error", row=row, text=message(text, cell=cell))
