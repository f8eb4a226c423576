"""`dsopt rfq` and what comes back: the round trip through LibreOffice, hostile edits cell by cell, other readers."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from typer.testing import CliRunner

from catalogs.errors import InputError
from catalogs.load import Catalog, load
from constraints.request import Request
from optimizer.cli.app import app
from optimizer.library import award, compare, rfq, solve
from optimizer.procurement.quotation.quote_terms import Party
from optimizer.procurement.reading.document import Quote
from optimizer.procurement.reading.reader import read
from optimizer.procurement.reading.returned.stamp import is_returned, plain, properties_of, stamp_of, workbook_of
from optimizer.procurement.rfq.inquiry import SERVICES, Inquiry
from optimizer.procurement.rfq.workbook import COLUMNS, FIRST_COLUMN, workbook
from optimizer.text.languages import Words
from tests.support.long import one_in
from tests.support.office import OFFICE, recalculated

DAY = date(2026, 11, 24)
needs_office = pytest.mark.skipif(OFFICE is None, reason="LibreOffice (soffice) is not installed")


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load()


@pytest.fixture(scope="module")
def result() -> Any:
    return solve(Request(model="r1-distill-qwen-7b", users=8, as_of=DAY, budget_cents=20_000_00))


@pytest.fixture(scope="module")
def asked(result: Any) -> Inquiry:
    return rfq(result, party=Party("Example University", "", DAY, 21))


def book(asked: Inquiry, language: str = "en") -> Any:
    """The workbook as a bidder opens it, with its formulas."""
    return openpyxl.load_workbook(io.BytesIO(workbook(asked, Words(language))))


def column(field: str) -> int:
    """As openpyxl counts."""
    return FIRST_COLUMN + list(COLUMNS).index(field) + 1


def rows_of(filled: Any) -> list[int]:
    stamp = stamp_of(properties_of(filled))
    assert stamp is not None
    return [line.row for line in stamp.lines]


def fill(filled: Any, factor: Decimal = Decimal(1), name: str = "Alpha Systems") -> Any:
    """A bidder that fills in everything: line k costs 1,000 k x factor, 0 for the last one."""
    stamp = stamp_of(properties_of(filled))
    assert stamp is not None
    facts, prices = filled.worksheets[0], filled.worksheets[1]
    said = {
        "vendor": name, "quote_no": "A-17", "quote_date": "2026-11-20", "valid_until": date(2026, 12, 31),
        "currency": "USD", "tax": "net: net of tax", "tax_rate": 13,
    }  # fmt: skip
    for field, value in said.items():
        facts[stamp.cells[field]] = value
    rows = rows_of(filled)
    for k, row in enumerate(rows, 1):
        price = 0 if k == len(rows) else float(1000 * k * factor)
        prices.cell(row, column("unit_price")).value = price
        prices.cell(row, column("lead_days")).value = 7 * k
        prices.cell(row, column("warranty_months")).value = 36
    return filled


def saved(filled: Any, folder: Path, name: str = "bid") -> Path:
    path = folder / f"{name}.xlsx"
    filled.save(path)
    return path


def codes(quote: Quote) -> set[str]:
    return {issue.code for issue in quote.all_issues if issue.code.startswith("rfq-")}


def expect_filled(quote: Quote, asked: Inquiry) -> None:
    """The quote is what `fill` wrote, part by part."""
    assert (quote.vendor, quote.quote_no, quote.currency, quote.tax) == ("Alpha Systems", "A-17", "USD", "net")
    assert (quote.quote_date, quote.valid_until, quote.tax_rate) == (date(2026, 11, 20), date(2026, 12, 31), 13)
    assert [line.matched.part for line in quote.lines[: len(asked.lines)]] == [line.part for line in asked.lines]
    assert [line.pieces for line in quote.lines[: len(asked.lines)]] == [line.qty for line in asked.lines]
    assert {line.role for line in quote.lines[len(asked.lines) :]} == {"service"}
    prices = [line.unit_price for line in quote.lines]
    assert prices == [*(Decimal(1000 * k) for k in range(1, len(prices))), 0]
    assert quote.lines[-1].included and [line.lead_time for line in quote.lines][:2] == ["7 days", "14 days"]
    assert codes(quote) == set()


@pytest.mark.parametrize("language", ["en", "zh", "both"])
def test_a_filled_request_is_read_back(language: str, asked: Inquiry, catalog: Catalog, tmp_path: Path) -> None:
    expect_filled(read(saved(fill(book(asked, language)), tmp_path), catalog), asked)


@needs_office
@pytest.mark.parametrize("language", one_in(3, ["both", "en", "zh"]))
def test_the_round_trip_through_libreoffice(language: str, asked: Inquiry, catalog: Catalog, tmp_path: Path) -> None:
    """Opened, calculated and saved by LibreOffice before and after it is filled in."""
    first = recalculated(_folder(tmp_path, "a"), {"rfq": workbook(asked, Words(language))})["rfq"]
    filled = fill(openpyxl.load_workbook(io.BytesIO(first)))
    out = io.BytesIO()
    filled.save(out)
    again = tmp_path / "again.xlsx"
    again.write_bytes(recalculated(_folder(tmp_path, "b"), {"rfq": out.getvalue()})["rfq"])
    expect_filled(read(again, catalog), asked)
    totals = openpyxl.load_workbook(again, data_only=True).worksheets[1]
    last = rows_of(workbook_of(again.read_bytes()))[-1]
    quote = read(again, catalog)
    assert totals.cell(last + 1, column("total")).value == sum(line.line_total or 0 for line in quote.lines)


def _folder(parent: Path, name: str) -> Path:
    (parent / name).mkdir()
    return parent / name


Edit = Callable[[Any, int], None]


def _write(field: str, value: Any) -> Edit:
    def edit(filled: Any, row: int) -> None:
        filled.worksheets[1].cell(row, column(field)).value = value

    return edit


def _fact(field: str, value: Any) -> Edit:
    def edit(filled: Any, row: int) -> None:
        stamp = stamp_of(properties_of(filled))
        assert stamp is not None
        filled.worksheets[0][stamp.cells[field]] = value

    return edit


HOSTILE: list[tuple[Edit, str, str]] = [
    (_write("unit_price", None), "rfq-missing-price", "Price schedule!F"),
    (_write("unit_price", "on request"), "rfq-not-a-number", "'on request' is no number"),
    (_write("unit_price", "1.234 or 1.300"), "rfq-not-a-number", "is no number"),
    (_write("unit_price", -5), "rfq-negative", "Price schedule!F"),
    (_write("qty", 3000), "rfq-quantity-changed", "the quantity is 3000"),
    (_write("qty", "some"), "rfq-quantity-changed", "the quantity is some"),
    (_write("qty", None), "rfq-quantity-changed", "Price schedule!D"),
    (_write("wanted", "something cheaper"), "rfq-text-changed", "Price schedule, row"),
    (_write("lead_days", "soon"), "rfq-not-a-number", "'soon' is no number"),
    (_write("lead_days", 7.5), "rfq-not-a-number", "7.5 is no whole number"),
    (_write("warranty_months", -1), "rfq-not-a-number", "-1 is no whole number"),
    (_fact("vendor", None), "rfq-missing", "bidder's name"),
    (_fact("currency", "Taler"), "rfq-missing", "currency"),
    (_fact("tax", "maybe"), "rfq-missing", "net or with tax"),
    (_fact("tax_rate", "a lot"), "rfq-not-a-number", "'a lot' is no number"),
    (_fact("valid_until", "next year"), "rfq-bad-date", "'next year' is no date"),
    (_fact("valid_until", None), "rfq-missing", "until when"),
]


@pytest.mark.parametrize(("edit", "code", "words"), HOSTILE, ids=[f"{k} {x[1]}" for k, x in enumerate(HOSTILE)])
def test_every_fault_of_a_cell_is_told(
    edit: Edit, code: str, words: str, asked: Inquiry, catalog: Catalog, tmp_path: Path
) -> None:
    """With its place and its value; the other lines stay what they are, and the quantity is that asked for."""
    filled = fill(book(asked))
    row = rows_of(filled)[1]
    edit(filled, row)
    quote = read(saved(filled, tmp_path), catalog)
    assert codes(quote) == {code}
    said = [issue for issue in quote.all_issues if issue.code == code]
    assert any(words in issue.text and issue.severity == "error" for issue in said), [x.text for x in said]
    assert [line.pieces for line in quote.lines[: len(asked.lines)]] == [line.qty for line in asked.lines]
    assert quote.lines[0].unit_price == 1000 and quote.lines[0].matched.part == asked.lines[0].part


def test_text_on_the_other_sheets_is_held_too(asked: Inquiry, catalog: Catalog, tmp_path: Path) -> None:
    """An acceptance test that was made easier, and a requirement that was."""
    filled = fill(book(asked))
    for sheet, first in ((filled.worksheets[0], "≥"), (filled.worksheets[2], "")):
        cell = next(
            c for row in sheet.iter_rows(min_row=5) for c in row[:2] if str(c.value or "").startswith(first) and c.value
        )
        cell.value = "1 tok/s will do"
    quote = read(saved(filled, tmp_path), catalog)
    told = [issue.text for issue in quote.issues if issue.code == "rfq-text-changed"]
    assert any(text.startswith("Request, row") for text in told)
    assert any(text.startswith("Technical deviations, row") for text in told)


def test_rows_that_were_moved_keep_their_parts(asked: Inquiry, catalog: Catalog, tmp_path: Path) -> None:
    """A row put in above moves all lines by one: parts and prices stay together; its own price is told."""
    filled = fill(book(asked))
    prices = filled.worksheets[1]
    first = rows_of(filled)[0]
    prices.insert_rows(first)
    prices.cell(first, 3).value = "a gift"
    quote = read(saved(filled, tmp_path), catalog)
    assert [line.matched.part for line in quote.lines[: len(asked.lines)]] == [line.part for line in asked.lines]
    assert quote.lines[0].unit_price == 1000
    prices.cell(rows_of(filled)[-1] + 4, column("unit_price")).value = 77
    assert "rfq-extra-row" in codes(read(saved(filled, tmp_path), catalog))


def test_changed_properties_are_refused(asked: Inquiry, catalog: Catalog, tmp_path: Path) -> None:
    filled = fill(book(asked))
    prop = next(x for x in filled.custom_doc_props.props if x.name == "dsopt.rfq.line.1")
    prop.value = prop.value.replace("|", "|x", 1)
    with pytest.raises(InputError, match="rfq-broken"):
        read(saved(filled, tmp_path), catalog)


def test_an_equivalent_is_matched_by_its_own_words(asked: Inquiry, catalog: Catalog, tmp_path: Path) -> None:
    """What the bidder names counts, not what was asked for; what the catalog does not know is nobody's part."""
    filled = fill(book(asked))
    memory = next(k for k, line in enumerate(asked.lines) if line.kind == "memory")
    cell = filled.worksheets[1].cell(rows_of(filled)[memory], column("offered"))
    cell.value = "M321R8GA0PB0-CWMKJ"
    line = read(saved(filled, tmp_path), catalog).lines[memory]
    assert line.matched.part == "samsung-m321r8ga0pb0-cwmkj"
    cell.value = "Hyperloop 9000"
    quote = read(saved(filled, tmp_path), catalog)
    assert quote.lines[memory].matched.part is None and codes(quote) == {"rfq-other-part"}
    assert asked.lines[memory].part in quote.lines[memory].matched.candidates


def test_no_maker_is_named_unless_asked(result: Any, asked: Inquiry) -> None:
    def texts(inquiry: Inquiry) -> str:
        return "\n".join(
            plain(cell.value) for sheet in book(inquiry, "both") for row in sheet.iter_rows() for cell in row
        )

    makers = {line.vendor for line in asked.lines if line.vendor and line.vendor != "generic"}
    names = {line.name for line in asked.lines}
    assert makers and not [x for x in makers | names if x.casefold() in texts(asked).casefold()]
    branded = rfq(result, party=Party("", "", DAY, 21), brand=True)
    assert all(line.name in texts(branded) for line in branded.lines)


def test_protected_but_for_the_bidders_cells(asked: Inquiry) -> None:
    made = book(asked)
    stamp = stamp_of(properties_of(made))
    assert stamp is not None and is_returned is not None
    open_cells = {
        (sheet.title, cell.coordinate) for sheet in made for row in sheet.iter_rows() for cell in row
        if not cell.protection.locked
    }  # fmt: skip
    assert all(sheet.protection.sheet for sheet in made)
    inputs = ("offered", "unit_price", "lead_days", "warranty_months", "deviation")
    prices = made.worksheets[1]
    for row in rows_of(made):
        assert {f for f in COLUMNS if (prices.title, prices.cell(row, column(f)).coordinate) in open_cells} == set(
            inputs
        )
    assert {(made.worksheets[0].title, cell) for cell in stamp.cells.values()} <= open_cells


def test_the_same_request_gives_the_same_bytes(asked: Inquiry) -> None:
    assert workbook(asked, Words("zh")) == workbook(asked, Words("zh"))


def test_compare_and_award_take_them(asked: Inquiry, catalog: Catalog, tmp_path: Path) -> None:
    """Two bidders on one request: the same items, each line against the other's, and the cheaper one gets it."""
    factors = ((Decimal(1), "alpha"), (Decimal("0.9"), "beta"))
    bids = [read(saved(fill(book(asked), x, name), tmp_path, name), catalog) for x, name in factors]
    request = Request(model="r1-distill-qwen-7b", users=8, as_of=DAY, grade="floor")
    found = compare(bids, request, catalog=catalog, tax_percent=Decimal(13), time_limit_s=0.001)
    parts = [item for item in found.items if item.role not in ("freight", "warranty", "installation")]
    assert len(parts) == len(asked.lines)
    assert all(cell.state == "included" for item in parts for cell in item.cells)
    assert {"warranty", "installation"} <= {item.role for item in found.items}
    given = award(found, None, "lines", catalog=catalog)
    assert [order.bid for order in given.orders] == ["B"] and given.best_alone == "B"
    assert len(SERVICES) == 3


def test_a_missing_price_never_wins(asked: Inquiry, catalog: Catalog, tmp_path: Path) -> None:
    """The cheaper bid leaves out the price of its memory: it is not comparable until it is asked."""
    alpha, beta = fill(book(asked), name="alpha"), fill(book(asked), Decimal("0.9"), "beta")
    memory = next(k for k, line in enumerate(asked.lines) if line.kind == "memory")
    beta.worksheets[1].cell(rows_of(beta)[memory], column("unit_price")).value = "call us"
    bids = [read(saved(x, tmp_path, name), catalog) for x, name in ((alpha, "alpha"), (beta, "beta"))]
    request = Request(model="r1-distill-qwen-7b", users=8, as_of=DAY, grade="floor")
    found = compare(bids, request, catalog=catalog, tax_percent=Decimal(13), time_limit_s=0.001)
    assert found.recommended == "A" and not found.bids[1].responsive and found.bids[1].rank is None
    assert "not-filled" in {flag.code for flag in found.bids[1].flags}


def test_the_command(result: Any, tmp_path: Path) -> None:
    file, out = tmp_path / "result.json", tmp_path / "rfq.xlsx"
    file.write_text(json.dumps(result.model_dump(mode="json")), encoding="utf-8")
    run = CliRunner()
    done = run.invoke(
        app, ["rfq", str(file), "-o", str(out), "--lang", "zh", "--buyer", "某大学", "--date", "2026-11-25"],
        catch_exceptions=False,
    )  # fmt: skip
    assert done.exit_code == 0 and is_returned(out)
    made = openpyxl.load_workbook(out)
    assert "询价单" in made.worksheets[0]["A1"].value and "校验码" in done.stderr
    seal = properties_of(made)["dsopt.rfq.seal"]
    assert seal in done.stderr
    filled = saved(fill(openpyxl.load_workbook(out)), tmp_path)
    assert seal in next(x.text for x in read(filled, load()).notices if x.code == "rfq-returned")
    assert "output-exists" in str(run.invoke(app, ["rfq", str(file), "-o", str(out)]).exception)
    for more in (["--until", "2020-01-01"], ["--until", "soon"], ["--lang", "xx"], ["--point", "p99"]):
        assert run.invoke(app, ["rfq", str(file), "-o", str(tmp_path / "x.xlsx"), *more]).exit_code != 0
