"""`read(path, catalog)`: the one reader of vendors' files. It decides nothing in silence: see `Quote.mapping`,
`Quote.notices`, `Quote.ignored` and each line's `matched` and `issues`."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

from catalogs.errors import Fault, InputError
from catalogs.load import Catalog
from catalogs.message import message
from catalogs.other_file import QUOTE, WORKBOOK, expecting
from optimizer.procurement.reading import row_words, time_money, variants
from optimizer.procurement.reading.at_once import at_once, in_runs
from optimizer.procurement.reading.basis import basis_of, in_units, letterhead, only, quote_facts, valid_until
from optimizer.procurement.reading.choice import by_arithmetic, table_of
from optimizer.procurement.reading.document import Issue, Line, Notice, Quote, Total
from optimizer.procurement.reading.line import amounts, lines
from optimizer.procurement.reading.line.bundles import bundled
from optimizer.procurement.reading.line.in_server import in_their_server
from optimizer.procurement.reading.line.line_prices import Basis
from optimizer.procurement.reading.line.lines import IGNORE, SERVICE
from optimizer.procurement.reading.line.names import Index, index_of
from optimizer.procurement.reading.line.whole_servers import spread
from optimizer.procurement.reading.mapping import ColumnMap, Mapping, Tax
from optimizer.procurement.reading.opening.guard import refuse
from optimizer.procurement.reading.opening.sheet_facts import column_letters
from optimizer.procurement.reading.opening.sheets import Sheet, Tables
from optimizer.procurement.reading.opening.tables import read_tables
from optimizer.procurement.reading.returned.filled import read_filled
from optimizer.procurement.reading.returned.stamp import is_returned
from optimizer.procurement.reading.sums import sums
from optimizer.procurement.reading.sums.by_sums import decided
from optimizer.procurement.reading.sums.in_message import contradictions
from optimizer.procurement.reading.sums.repeats import without_repeats, without_summary
from optimizer.procurement.reading.table import side_by_side
from optimizer.procurement.reading.table.headers import Header
from optimizer.procurement.reading.table.price_breaks import by_quantity
from optimizer.procurement.reading.table.rows import STRUCK, Body, body
from optimizer.procurement.reading.table.totals import is_amount
from optimizer.text.amounts import Style

MAX_LINES = 25_000
UNREAD = "sheets-unread"
"""Visible sheets with tables of their own: what they offer is in no sum, which is more than a notice."""


@contextmanager
def _uncollected() -> Iterator[None]:
    """No search for circular garbage, of which reading makes none: an eighth of the time of a long list."""
    on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if on:
            gc.enable()


@dataclass
class _Table:
    """The table of a file that is read, and what was noticed on the way."""

    tables: Tables
    sheet: Sheet
    header: Header
    rows: Body
    notices: list[Notice]
    issues: list[Issue]
    together: tuple[str, ...] = ()
    variants: tuple[str, ...] = ()


@dataclass(frozen=True)
class _LineMaker:
    """All that raw lines need to become lines but their basis, which later steps still settle."""

    rows: Body
    style: dict[str, Style]
    index: Index
    overrides: dict[str, str]
    accept_fuzzy: bool

    def lines(self, basis: Basis) -> dict[int, Line]:
        """Lines by their place among the raw ones."""
        runs = in_runs(len(self.rows.lines))

        def of_run(run: range) -> list[tuple[int, Line]]:
            index = self.index if len(runs) == 1 else self.index.of_a_file(len(runs))
            return [(place, line) for place in run if (line := self._line(place, index, basis)) is not None]

        return dict(made for of_one in at_once(of_run, runs) for made in of_one)

    def _line(self, place: int, index: Index, basis: Basis) -> Line | None:
        raw = self.rows.lines[place]
        found = amounts.read(raw, self.style)
        return lines.line(raw, found, index, basis, self.overrides, accept_fuzzy=self.accept_fuzzy)


@dataclass(frozen=True)
class _Content:
    """Lines by their place among the raw ones, the basis of their prices, and the sums, `after` so many lines each."""

    made: dict[int, Line]
    basis: Basis
    totals: list[Total]
    after: list[int]


def read(path: Path, catalog: Catalog, *, mapping: Mapping | None = None, accept_fuzzy: bool = False) -> Quote:
    """The quote or price list in a file of any format of docs/reading.md; of variants the one that `FILE#A` names, else
    the first (`Quote.variants`).

    What `mapping` says wins over what the file seems to say. Fuzzy matches are suggestions unless `accept_fuzzy`.
    Raises InputError (exit code 3): the file is refused, has no table or no such variant, or the mapping names what is
    not there."""
    file, wanted = variants.split(path)
    given = mapping or Mapping()
    if given == Mapping() and not wanted and is_returned(file):
        return read_filled(file, catalog)
    whole = _read(file, catalog, given, accept_fuzzy, wanted)
    rows_of = {} if whole.variants else variants.by_sections(whole, catalog)
    names = whole.variants or tuple(rows_of)
    if wanted and wanted not in names:
        known = ", ".join(f"{file.name}#{name}" for name in names) or "none"
        raise refuse("unknown-variant", "has no such variant", file, f"There are: {known}.", wanted)
    if not names:
        return whole
    name = wanted or names[0]
    if rows_of:
        others = sorted(row for other, rows in rows_of.items() if other != name for row in rows)
        given = given.model_copy(update={"ignore_rows": (*given.ignore_rows, *others)})
        whole = _read(file, catalog, given, accept_fuzzy, name)
    return variants.named(whole, file.name, name, names, asked=bool(wanted))


@_uncollected()
def _read(path: Path, catalog: Catalog, given: Mapping, accept_fuzzy: bool, variant: str) -> Quote:
    overrides = _overrides(given, catalog)
    with expecting(path, QUOTE, WORKBOOK, names_foreign=True):
        table = _table(path, given, variant)
    rows, notices, issues = table.rows, table.notices, table.issues
    style, inferred = amounts.styles(rows, given.decimal)
    basis, said = basis_of(table.sheet, table.header, rows, given, issues)
    if inferred:
        text = "numbers such as 125,000 are read as thousands: prices have no three decimals"
        notices.append(Notice(code="numbers-by-column", text=text))
    maker = _LineMaker(rows, style, index_of(catalog), overrides, accept_fuzzy)
    content = _content(table, maker, basis)
    by_time = time_money.recurring(table.sheet, table.header, rows, content.made, content.totals, given)
    months = given.term_months or (by_time.term_months if by_time and given.term_stated else None)
    made = time_money.with_terms(content.made, rows, by_time, months)
    found, tax, rate = _with_basis(list(made.values()), content.basis)
    summed = only(line.total_tax for line in found if not line.optional) or tax
    checked = time_money.of_all_periods(content.totals, found, by_time, months)
    found = decided(found, checked, content.after, summed, rate, rows.notes)  # type: ignore[arg-type]
    checked = time_money.of_all_periods(content.totals, found, by_time, months)  # as the lines count now
    found = spread(bundled(in_their_server(found, maker.index), catalog), maker.index)
    issues += sums.check(found, checked, content.after, summed, rate)  # type: ignore[arg-type]
    issues += contradictions(table.tables, table.sheet, found, checked)
    by_time = by_time and time_money.counted(by_time, found, months)
    currency = content.basis.currency or only(line.currency for line in found if line.currency)
    found = [line if line.currency else line.model_copy(update={"currency": currency}) for line in found]
    issues += _doubts(found, currency, tax)
    number, day = quote_facts(said, rows.notes)
    until = given.valid_until or valid_until(said, rows.notes, day, notices)
    notices += _done(rows, table.header, table.tables, table.sheet)
    vendor = given.vendor or said.get("vendor", "") or letterhead(table.sheet, table.header, notices)
    return Quote(
        source=path.name,
        format=table.tables.format,
        sheet=table.sheet.name,
        vendor=vendor,
        quote_no=number,
        quote_date=day,
        valid_until=until,
        currency=currency,
        tax=tax,
        tax_rate=rate,
        lines=tuple(found),
        totals=tuple(content.totals),
        ignored=tuple(rows.ignored),
        notices=tuple(notices),
        issues=tuple(issues),
        mapping=_mapping(given, table, style, currency, tax, rate),
        recurring=by_time,
        variants=table.variants,
    )


def _table(path: Path, given: Mapping, variant: str) -> _Table:
    """Opens the file, finds its table and sorts the rows. Raises InputError where there is no table or no line."""
    tables = read_tables(path, encoding=given.encoding, delimiter=given.delimiter)
    chosen = table_of(path, tables, given, variant)
    sheet, header = chosen.sheet, chosen.header
    told = (*tables.notices, *chosen.told)
    notices = [Notice(code=code, text=text) for code, text in told if code != UNREAD]
    issues = [Issue(code=code, severity="warning", text=text) for code, text in told if code == UNREAD]
    sheet, header = side_by_side.folded(sheet, header, notices, mapped=bool(given.columns and given.header_row))
    sheet, header = by_quantity(sheet, header, notices)
    if not given.columns:
        header = by_arithmetic(sheet, header)
    rows = body(sheet, header, ignore=given.ignore_rows, last_row=given.last_row, variant=variant)
    if not rows.lines:
        raise refuse("no-lines", f"has a header in row {header.row} and no line below it", path, "See --map.")
    if len(rows.lines) > MAX_LINES:
        raise refuse("too-many-lines", f"has {len(rows.lines)} lines, the limit is {MAX_LINES}", path)
    header = in_units(header, rows, given, notices)
    return _Table(tables, sheet, header, rows, notices, issues, chosen.together, chosen.variants)


def _content(table: _Table, maker: _LineMaker, basis: Basis) -> _Content:
    """Lines and sums, each thing once. Rows that turn out to be no lines, and a basis that the sums prove, make the
    lines anew: both change what the numbers of a line mean."""
    rows, style = table.rows, maker.style["line_total"]
    scale = next((column.scale for column in table.header.columns.values() if column.field == "line_total"), 1)
    pairs = sums.read_totals(rows.totals, style, scale, table.issues)
    if basis.tax_rate is None:
        basis = replace(basis, tax_rate=_stated_rate([total for _, total in pairs]))
    made = maker.lines(basis)
    if without_summary(rows, made):
        made = maker.lines(basis)
    if without_repeats(rows, made, [total for _, total in pairs]):
        pairs = sums.read_totals(rows.totals, style, scale, issues=[])  # its issues are told already
        made = maker.lines(basis)
    totals = sums.settled([total for _, total in pairs], list(made.values()))
    if basis.tax == "unknown" and totals and all(line.tax == "unknown" for line in made.values()):
        # What the sums prove counts for the lines too.
        proven = sums.proven_basis([line for line in made.values() if not line.optional], totals, basis.tax_rate)
        if proven != "unknown":
            basis = replace(basis, tax=proven)
            made = maker.lines(basis)
    after = [sum(place < raw.after for place in made) for raw, _ in pairs]
    return _Content(made, basis, totals, after)


def _stated_rate(totals: Sequence[Total]) -> Decimal | None:
    """The rate that the first tax or sum with tax names."""
    rates = (total.rate for total in totals if total.rate is not None and total.kind in ("tax", "total_gross"))
    return next(rates, None)


def _overrides(given: Mapping, catalog: Catalog) -> dict[str, str]:
    """Line key -> part id, `service` or `ignore`; raises InputError naming every part that is not in the catalog."""
    out: dict[str, str] = {}
    faults: list[Fault] = []
    for key, name in given.parts.items():
        try:
            out[row_words.folded(key)] = name if name in (IGNORE, SERVICE) else catalog.find(name).id
        except InputError as e:
            faults += [Fault(f.code, f.text, column=f"parts.{key}", value=name, remedy=f.remedy) for f in e.faults]
    if faults:
        raise InputError(faults)
    return out


def _common_rate(found: Sequence[Line]) -> Decimal | None:
    rates = {x.tax_rate for x in found if x.tax_rate is not None}
    return rates.pop() if len(rates) == 1 else None


def _with_basis(found: list[Line], basis: Basis) -> tuple[list[Line], Tax, Decimal | None]:
    """(lines with the tax and rate that all others have where they say none, that tax, that rate)."""
    own = {x.tax for x in found if x.tax != "unknown"}
    tax: Tax = basis.tax if basis.tax != "unknown" else own.pop() if len(own) == 1 else "unknown"
    rate = basis.tax_rate if basis.tax_rate is not None else _common_rate(found)
    out = []
    for x in found:
        own_tax = x.tax if x.tax != "unknown" else tax
        total_tax = x.total_tax if x.total_tax != "unknown" else own_tax
        own_rate = x.tax_rate if x.tax_rate is not None else rate
        same = (x.tax, x.total_tax, x.tax_rate) == (own_tax, total_tax, own_rate)
        out.append(x if same else x.model_copy(update={"tax": own_tax, "total_tax": total_tax, "tax_rate": own_rate}))
    return out, tax, rate


def _doubts(found: Sequence[Line], currency: str, tax: Tax) -> list[Issue]:
    out: list[Issue] = []
    codes = Counter(x.currency for x in found if x.currency)
    if len(codes) > 1:
        text = message("lines are priced in {currencies}", currencies=", ".join(sorted(codes)))
        out.append(Issue(code="mixed-currencies", severity="warning", text=text))
    elif not currency and any(x.unit_price is not None for x in found):
        out.append(Issue(code="no-currency", severity="error", text="no currency is named; give it in the mapping"))
    if tax == "unknown":
        out.append(Issue(code="tax-basis-unknown", severity="warning", text="whether prices include tax is not said"))
    numbers = Counter((x.part_number, x.unit_price) for x in found if x.part_number and not x.optional)
    for (number, _), n in numbers.items():
        if n > 1:
            text = message("{number} stands in {n} lines at the same price", number=f"{number!r}", n=n)
            out.append(Issue(code="line-repeated", severity="warning", text=text))
    return out


def _unread(rows: Body, header: Header, sheet: Sheet) -> str:
    """Columns of the table with a header of their own and an amount in some line, which no field took."""
    by_number = {row.number: row.cells for row in sheet.rows}
    heads = by_number.get(header.row, {})
    lines = [by_number[line.row] for line in rows.lines]
    unread = [c for c in heads if c not in header.columns and c not in header.unused]
    filled = [c for c in unread if any(is_amount(line.get(c)) for line in lines)]
    return ", ".join(f"{column_letters(c)} {str(heads[c])!r}" for c in filled)


def _done(rows: Body, header: Header, tables: Tables, sheet: Sheet) -> list[Notice]:
    out = []
    if header.unused:
        names = ", ".join(f"{column_letters(c)} {x.header!r}" for c, x in header.unused.items())
        out.append(Notice(code="columns-not-used", text=message("a second column for the same: {names}", names=names)))
    if unread := _unread(rows, header, sheet):
        text = message(
            "columns with numbers that no field holds: {columns}; name them in a mapping file where they matter",
            columns=unread,
        )
        out.append(Notice(code="columns-not-read", text=text))
    if rows.more_headers:
        text = message(
            "further tables below, with headers in rows {rows}, read as one",
            rows=", ".join(map(str, rows.more_headers)),
        )
        out.append(Notice(code="further-tables", text=text))
    if tables.encoding not in ("", "utf-8-sig"):
        out.append(Notice(code="encoding", text=message("read as {encoding}", encoding=tables.encoding)))
    if struck := [row.row for row in rows.ignored if row.reason == STRUCK]:
        text = message("struck out or cancelled, not counted: rows {rows}", rows=", ".join(map(str, struck)))
        out.append(Notice(code="struck-out", text=text))
    optional = [line.row for line in rows.lines if line.optional]
    if optional:
        out.append(
            Notice(
                code="optional-lines",
                text=message("optional, in no sum: rows {rows}", rows=", ".join(map(str, optional))),
            )
        )
    return out


def _mapping(
    given: Mapping, table: _Table, style: dict[str, Style], currency: str, tax: Tax, rate: Decimal | None
) -> Mapping:
    """What was decided, to be edited and replayed."""
    columns = given.columns or {
        column_letters(number): ColumnMap.model_validate(
            {
                "field": column.field,
                "tax": column.tax or "unknown",
                "currency": column.currency,
                "scale": column.scale,
                "per": column.per,
            }
        )
        for number, column in table.header.columns.items()
    }
    signs = {style[field] for field in ("unit_price", "line_total") if style[field]}
    return given.model_copy(
        update={
            "sheet": "" if table.together else table.sheet.name,
            "sheets": table.together,
            "header_row": table.header.row,
            "header_rows": table.header.height,
            "encoding": table.tables.encoding,
            "delimiter": table.tables.delimiter,
            "decimal": given.decimal or (signs.pop() if len(signs) == 1 else ""),
            "currency": currency,
            "tax": tax,
            "tax_rate": rate,
            "columns": columns,
        }
    )
