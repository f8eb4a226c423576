"""A document says only what stays true when its inputs are changed: every sentence, label, rank and colour follows.

Workbooks are changed as a reader changes them, and LibreOffice computes them anew.
"""

from __future__ import annotations

import io
import json
import os
import re
from datetime import date, datetime
from typing import Any

import openpyxl
import pytest

from catalogs.errors import InputError
from constraints.policy import Policy
from optimizer.procurement.quotation import formats
from optimizer.procurement.quotation.content import requirements
from optimizer.procurement.quotation.quote import Quote
from optimizer.procurement.quotation.quote_terms import Party
from optimizer.procurement.quotation.workbook import workbook
from optimizer.procurement.quotation.workbook.live import literal, said, where
from optimizer.text.languages import Words
from optimizer.verify.consistent import consistent
from tests.support.office import OFFICE, named, opened, recalculated, with_inputs
from tests.support.quotes import DAY, Job, job

EN, ZH, BOTH = Words("en"), Words("zh"), Words("both")
BILL = BOTH("Bill of materials").replace(" / ", " ")
needs_office = pytest.mark.skipif(
    OFFICE is None and not os.environ.get("DSOPT_OFFICE_REQUIRED"), reason="LibreOffice (soffice) is not installed"
)


@pytest.fixture(scope="module")
def main() -> Job:
    return job()


@pytest.fixture(scope="module")
def quote(main: Job) -> Quote:
    return main.quote()


LATE = {"quote_date": datetime(2027, 6, 1), "tax_rate": 0.13, "spares_gpu": 0.5, "spares_gpu_board": 1,
        "spares_memory": 0.5, "support_rate": 0.1, "budget": 1000}  # fmt: skip
"""Inputs of a later day."""


def an_estimate(quote: Quote) -> int:
    """The row of the bill with the first price that is an estimate."""
    return next(
        5 + i for i, x in enumerate(quote.lines) if x.offer and x.price is not None and x.offer.confidence == "estimate"
    )


@pytest.fixture(scope="module")
def followed(quote: Quote, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The workbooks as they are and changed in several ways, all computed anew in one call."""
    english = workbook(quote, EN)
    names = set(openpyxl.load_workbook(io.BytesIO(english)).defined_names)
    books = {
        "as_is": english,
        "late": with_inputs(english, **{k: v for k, v in LATE.items() if k in names}),  # type: ignore[arg-type]
        "one_more": with_cells(english, {("Bill of materials", "F5"): quote.lines[0].qty + 1}),
    }
    done = recalculated(tmp_path_factory.mktemp("office"), books)
    return {name: opened(found) for name, found in done.items()}


@pytest.fixture(scope="module")
def followed_in_both(quote: Quote, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The workbook in both languages, as it is and with an estimate that is dearer, computed anew."""
    both = workbook(quote, BOTH)
    books = {"as_is": both, "dearer": with_cells(both, {(BILL, f"T{an_estimate(quote)}"): 10**7})}
    done = recalculated(tmp_path_factory.mktemp("office"), books)
    return {name: opened(found) for name, found in done.items()}


def texts(book: Any, sheet: str) -> list[str]:
    return [str(c.value) for row in book[sheet].iter_rows() for c in row if c.value not in (None, "")]


def said_on(book: Any, sheet: str) -> str:
    return "\n".join(texts(book, sheet))


def with_cells(data: bytes, cells: dict[tuple[str, str], float]) -> bytes:
    """The workbook with cells of any sheet changed."""
    book = openpyxl.load_workbook(io.BytesIO(data))
    for (sheet, cell), value in cells.items():
        book[sheet][cell].value = value
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@needs_office
def test_the_quotes_sentences_follow(quote: Quote, followed: dict[str, Any]) -> None:
    """Day, tax, spares, budget, freshness: page 1, terms and findings say what the cells say."""
    as_is, again = followed["as_is"], followed["late"]
    page, terms = said_on(again, "Summary"), said_on(again, "Terms")
    assert "2027-06-16" in terms and "Ask for the prices anew after" in terms
    assert datetime(2027, 6, 16) in {c.value for row in again["Summary"].iter_rows() for c in row}
    assert "tax of 13 % is added" in terms and "no tax is in the total" not in terms
    assert "Total with tax" in page
    assert "The total is above the budget." in page
    assert "The total is above the budget." in said_on(again, "Compatibility")
    priced = sum(x.day is not None for x in quote.lines)  # an estimate has no day to go stale from
    assert f"Prices that are stale on the day of this quote: {priced}." in page
    assert "Spare parts as listed in the bill of materials" in page
    assert "Hardware support at the rates of the assumptions" in page
    before = said_on(as_is, "Summary")
    assert "Total with tax" not in before and "Spare parts as listed" not in before
    assert "The total is above the budget." not in before
    assert "no tax is in the total" in said_on(as_is, "Terms")
    memory = next(x for x in quote.lines if x.category == "memory")
    pieces = memory.qty + -(-memory.qty // 2)
    assert f"{pieces} x {memory.name}" in page and f"{memory.pieces} x {memory.name}" in before


@needs_office
def test_changed_quantities_are_said_where_the_build_is(followed: dict[str, Any]) -> None:
    """Plan, throughput and findings are of the quantities that were solved; each sheet that states them says so."""
    as_is, again = followed["as_is"], followed["one_more"]
    for sheet in ("Summary", "Compatibility", "Deviations"):
        assert "Quantities were changed: " in said_on(again, sheet)
        assert "Quantities were changed: " not in said_on(as_is, sheet)
    assert "Every rule was checked on the finished build" in said_on(as_is, "Compatibility")
    assert "Every rule was checked on the finished build" not in said_on(again, "Compatibility")


def test_estimates_are_not_said_to_be_read(quote: Quote) -> None:
    """Where a price is an estimate the terms do not call all prices read."""
    weak = any(x.offer is not None and x.price is not None and x.offer.confidence == "estimate" for x in quote.lines)
    terms = said_on(openpyxl.load_workbook(io.BytesIO(workbook(quote, EN))), "Terms")
    assert weak
    assert "or estimated where it says so" in terms and "Prices are those read" not in terms


@pytest.mark.long
@needs_office
def test_the_share_on_estimates_follows(quote: Quote, followed_in_both: dict[str, Any]) -> None:
    """The share said on page 1 is that of the bill, also when an estimated price is raised a hundredfold."""
    as_is, dearer = (estimated_percent(quote, followed_in_both[name]) for name in ("as_is", "dearer"))
    assert dearer > as_is


def test_the_share_on_estimates_is_that_of_the_bill(quote: Quote) -> None:
    """As the workbook stores it, for a viewer that calculates nothing."""
    assert 0 < estimated_percent(quote, opened(workbook(quote, BOTH))) < 100


def estimated_percent(quote: Quote, book: Any) -> int:
    """The share that page 1 says in both languages, which is that of the bill's lines."""
    page = said_on(book, BOTH("Summary").replace(" / ", " "))
    (percent,) = re.findall(r"(\d+) % of the goods' price is estimated", page)
    assert f"货物价格中有 {percent}% 为估算" in page
    sheet = book[BILL]
    lines = range(5, 5 + len(quote.lines))
    weak = sum(sheet[f"K{n}"].value for n in lines if sheet[f"O{n}"].value == BOTH("estimate"))
    assert int(percent) == round(100 * weak / named(book, "total_goods"))
    return int(percent)


def test_nothing_confirmed_is_an_estimate(quote: Quote) -> None:
    """Title, footer, validity and file name it; no line is there to be signed."""
    for words, title in ((EN, "Budgetary estimate"), (ZH, "预算估算")):
        book = openpyxl.load_workbook(io.BytesIO(workbook(quote, words)))
        assert book.worksheets[0]["A1"].value == title
        everything = "\n".join(str(c.value) for s in book for row in s.iter_rows() for c in row)
        assert not re.search(r"signature|签字|签名|Quotation|报价单", everything)
        assert title in book.worksheets[0].oddFooter.left.text
    data = formats.data(quote, EN)
    assert (data["kind"], data["title"]) == ("budgetary_estimate", "Budgetary estimate")


def test_confirmed_prices_are_no_estimates(main: Job) -> None:
    """`confirmed` over an estimate or a stale price is refused, and names the parts."""
    assert main.read.market is not None
    from optimizer.procurement.quotation.quote import Terms, offered

    points = [p for p in main.read.points if p is not None]
    party = Party("", "", DAY, 15, confirmed=True)
    with pytest.raises(InputError, match=r"can't be called confirmed: .* is an estimate"):
        offered(main.read.result, main.read.market, points, None, Terms(), party)


def test_a_quotation_has_its_lines_to_sign(quote: Quote) -> None:
    from dataclasses import replace

    book = openpyxl.load_workbook(io.BytesIO(workbook(replace(quote, party=replace(quote.party, confirmed=True)), EN)))
    everything = "\n".join(str(c.value) for s in book for row in s.iter_rows() for c in row)
    assert book.worksheets[0]["A1"].value == "Quotation" and "name, date, signature" in everything
    assert "The sellers have confirmed the prices." in everything


def test_an_unknown_lead_time_is_no_zero(quote: Quote) -> None:
    """The catalog states no lead time: the deviation is not known, never positive, in workbook and JSON alike."""
    from dataclasses import replace

    asked = replace(quote, request=quote.request.model_copy(update={"max_lead_days": 30}))
    lines = tuple(
        replace(x, offer=x.offer.model_copy(update={"lead_time_days": None}) if x.offer else None) for x in quote.lines
    )
    (found,) = [x for x in requirements(EN, replace(asked, lines=lines)) if x.title == "Lead time, days"]
    assert (found.required, found.offered, found.deviation) == ("≤ 30", "not known", "unknown")
    some = (
        replace(lines[0], offer=lines[0].offer and lines[0].offer.model_copy(update={"lead_time_days": 7})),
        *lines[1:],
    )
    (found,) = [x for x in requirements(EN, replace(asked, lines=some)) if x.title == "Lead time, days"]
    assert (found.offered, found.deviation) == ("7", "unknown") and "without a stated lead time" in found.remark
    late = (
        replace(lines[0], offer=lines[0].offer and lines[0].offer.model_copy(update={"lead_time_days": 70})),
        *lines[1:],
    )
    (found,) = [x for x in requirements(EN, replace(asked, lines=late)) if x.title == "Lead time, days"]
    assert (found.offered, found.deviation) == ("70", "worse")
    data = formats.data(replace(asked, lines=lines), EN)
    assert not [x for x in data["deviations"] if x["item"].startswith("Lead time") and x["offered"] == "0"]


def test_every_limit_says_which_way(quote: Quote) -> None:
    limits = [x for x in requirements(EN, quote) if re.match(r"\D*[\d,.]+ ", x.required + " ") and not x.cents]
    assert len(limits) > 10
    assert [x.required for x in limits if x.required[0] not in "≤≥" and x.title not in ("Model", "Workload")] == []


def test_pieces_of_formulas() -> None:
    """Quotes are doubled, long texts cut, both languages two lines; the value is that of the formula."""
    assert literal('a "b"') == '"a ""b"""'
    assert all(len(x) <= 252 for x in literal("x" * 900).split("&"))
    both = said(BOTH, "Valid until {day}.", day=("A1", date(2026, 1, 2)))
    assert both.value == "本报价有效期至 2026-01-02。\nValid until 2026-01-02." and "CHAR(10)" in both.expression
    shown = where("A1>0", False, said(EN, "Tax"))
    assert (shown.expression, shown.value) == ('IF(A1>0,"Tax","")', "")


def test_parts_in_hand_are_not_what_the_total_pays_for(main: Job) -> None:
    """The buyer's own parts are quoted to nobody: they stand under what is not included, in every format."""
    had = tuple({"part": x.part, "qty": x.qty} for x in main.quote().lines if x.category in ("gpu", "gpu_board"))
    solved = json.loads(json.dumps(main.solved(Policy(), own=had)))
    report, read = consistent(solved, main.catalog)
    assert read is not None and not report.wrong
    quoted = Job(main.catalog, solved, read).quote()
    (held,) = [x for x in quoted.lines if x.origin == "owned" and x.pieces]
    bought = sum(x.pieces for x in quoted.lines if x.name == held.name and x.origin != "owned")
    book = openpyxl.load_workbook(io.BytesIO(workbook(quoted, EN)), data_only=True)
    for sheet in ("Summary", "Terms"):
        assert f"part already in hand: {held.name}" in said_on(book, sheet)
    stated = formats.data(quoted, EN)
    assert any(f"part already in hand: {held.name}" in x for x in stated["not_included"])
    counted = [x for x in stated["included"] if f" x {held.name}" in x]
    assert sum(int(n) for x in counted for n in re.findall(rf"(\d+) x {re.escape(held.name)}", x)) == bought
    assert said_on(book, "Summary").count(f" x {held.name}") == (1 if bought else 0)
    listed = formats.as_csv(quoted, ZH).decode("utf-8-sig")
    assert "自有物料" in listed and "already in hand" not in listed
