"""Kinds of rows, labels and cells in files as vendors send them: none is counted that is not bought, none of two."""

from __future__ import annotations

from decimal import Decimal
from email.message import EmailMessage
from pathlib import Path

import docx
import openpyxl
import pytest
from openpyxl.styles import Font

from catalogs.load import Catalog, load
from optimizer.procurement.reading.document import Quote
from optimizer.procurement.reading.reader import read

HEAD = ("Pos", "Part number", "Description", "Qty", "Unit price USD", "Total USD")
CPU = ("1", "EPYC 9554", "CPU", "2", "5000", "10000")
SSD = ("2", "PM9A3 3.84TB", "NVMe", "4", "800", "3200")


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load()


def text(path: Path, catalog: Catalog, *rows: tuple[str, ...] | str) -> Quote:
    lines = [row if isinstance(row, str) else ";".join(row) for row in rows]
    path.write_text("\n".join(lines), encoding="utf-8")
    return read(path, catalog)


def bought(quote: Quote) -> Decimal:
    return sum((line.amount or Decimal(0) for line in quote.lines if not line.optional), Decimal(0))


def codes(quote: Quote) -> set[str]:
    return {*(issue.code for issue in quote.all_issues), *(notice.code for notice in quote.notices)}


def test_what_is_struck_through_in_a_workbook_is_not_bought(tmp_path: Path, catalog: Catalog) -> None:
    book = openpyxl.Workbook()
    for row in (HEAD, CPU, SSD):
        book.active.append(row)
    for cell in book.active[3]:
        cell.font = Font(strike=True)
    book.save(tmp_path / "a.xlsx")
    quote = read(tmp_path / "a.xlsx", catalog)
    assert [line.row for line in quote.lines] == [2] and "struck-out" in codes(quote)
    for cell in book.active[3]:
        cell.font = Font(strike=False)
    book.active["E2"].font = Font(strike=True)
    book.active["F2"].font = Font(strike=True)
    book.save(tmp_path / "b.xlsx")
    quote = read(tmp_path / "b.xlsx", catalog)
    assert [line.amount for line in quote.lines] == [None, 3200] and "no-price" in codes(quote)


def test_what_is_struck_through_in_a_letter_is_not_bought(tmp_path: Path, catalog: Catalog) -> None:
    letter = docx.Document()
    table = letter.add_table(0, len(HEAD))
    for row in (HEAD, CPU, SSD):
        for cell, said in zip(table.add_row().cells, row, strict=True):
            cell.text = said
    for cell in table.rows[2].cells:
        cell.paragraphs[0].runs[0].font.strike = True
    price = table.rows[1].cells[4].paragraphs[0]
    price.runs[0].text = "5600 "
    price.runs[0].font.strike = True
    price.add_run("5000")
    letter.save(str(tmp_path / "a.docx"))
    quote = read(tmp_path / "a.docx", catalog)
    assert [(line.unit_price, line.amount) for line in quote.lines] == [(5000, 10000)]
    assert "struck-out" in codes(quote) and "line-arithmetic" not in codes(quote)


@pytest.mark.parametrize("said", ["NVMe (cancelled)", "entfällt", "硬盘（取消）"])
def test_what_is_cancelled_by_its_words_is_not_bought(said: str, tmp_path: Path, catalog: Catalog) -> None:
    quote = text(tmp_path / "a.csv", catalog, HEAD, CPU, (*SSD[:2], said, *SSD[3:]))
    assert bought(quote) == 10000 and "struck-out" in codes(quote)


@pytest.mark.parametrize("number", ["2 Alt.", "Opt. 2", "2-ALT", "2 (option)"])
def test_the_number_of_a_row_says_that_it_is_an_option(number: str, tmp_path: Path, catalog: Catalog) -> None:
    quote = text(tmp_path / "a.csv", catalog, HEAD, CPU, (number, *SSD[1:]))
    assert [line.optional for line in quote.lines] == [False, True]
    assert not any(line.optional for line in text(tmp_path / "b.csv", catalog, HEAD, CPU, ("2a", *SSD[1:])).lines)


@pytest.mark.parametrize(
    ("net", "tax", "gross"),
    [
        ("Totale imponibile", "IVA 22%", "Totale offerta IVA inclusa"),
        ("Base imponible", "IVA 22%", "Total con IVA"),
        ("Totaal excl. BTW", "BTW 22%", "Totaal incl. BTW"),
        ("税抜合計", "消費税 22%", "税込合計"),
        ("공급가액 합계", "부가세 22%", "총액"),
        ("Razem netto", "VAT 22%", "Razem brutto"),
    ],
)
def test_sums_in_other_languages_are_no_lines(net: str, tax: str, gross: str, tmp_path: Path, catalog: Catalog) -> None:
    sums = [("", "", label, "", "", amount) for label, amount in ((net, "13200"), (tax, "2904"), (gross, "16104"))]
    quote = text(tmp_path / "a.csv", catalog, HEAD, CPU, SSD, *sums)
    assert bought(quote) == 13200 and len(quote.lines) == 2 and quote.tax == "net"
    assert not [issue for issue in quote.all_issues if issue.severity == "error"]


@pytest.mark.parametrize("word", ["Opzionale:", "En option :", "Opcional:", "Optioneel:", "オプション：", "옵션:"])
def test_options_in_other_languages_are_not_bought(word: str, tmp_path: Path, catalog: Catalog) -> None:
    quote = text(tmp_path / "a.csv", catalog, HEAD, CPU, (*SSD[:2], f"{word} NVMe", *SSD[3:]))
    assert bought(quote) == 10000


def test_an_export_whose_rows_begin_with_a_day_has_its_sums(tmp_path: Path, catalog: Catalog) -> None:
    head = "Belegdatum;PosTyp;Artikelnr;Bezeichnung1;Menge;EPreis;Betrag"
    rows = ("18.11.2026;A;EPYC 9554;CPU;2;5000;10000", "18.11.2026;R;;Projektrabatt;;;-1000")
    below = (
        "18.11.2026;S;;Nettobetrag;;;9000",
        "18.11.2026;S;;zzgl. 19 % MwSt;;;1710",
        "18.11.2026;S;;Gesamtbetrag EUR;;;10710",
    )
    quote = text(tmp_path / "a.csv", catalog, head, *rows, *below)
    assert [line.amount for line in quote.lines] == [10000] and (quote.currency, quote.tax) == ("EUR", "net")
    assert [total.kind for total in quote.totals] == ["discount", "total_net", "tax", "total"]


@pytest.mark.parametrize(
    "name", ["Schienensatz XE9680", "Kit de rails XE9680", "Alimentatore XE9680", "Licencia iDRAC XE9680"]
)
def test_an_accessory_that_names_a_server_is_not_that_server(name: str, tmp_path: Path, catalog: Catalog) -> None:
    quote = text(tmp_path / "a.csv", catalog, HEAD, CPU, ("2", "ZUB-1", name, "1", "310", "310"))
    assert quote.lines[1].matched.part is None


def test_the_sum_in_a_message_is_held_against_what_is_attached(tmp_path: Path, catalog: Catalog) -> None:
    def sent(body: str) -> set[str]:
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = "a@vendor.example", "b@buyer.example", "Quotation Q-1"
        mail.set_content(body)
        table = "\n".join(";".join(row) for row in (HEAD, CPU, SSD))
        mail.add_attachment(table.encode(), maintype="text", subtype="csv", filename="q.csv")
        (tmp_path / "a.eml").write_bytes(bytes(mail))
        return codes(read(tmp_path / "a.eml", catalog))

    assert "message-sum" in sent("Attached is our offer. The total is USD 12,900.00 net, valid to 31 December 2026.")
    assert "message-sum" not in sent("Attached is our offer. The total is USD 13,200.00 net. Delivery 2026, 8 weeks.")
    assert "message-sum" not in sent("Attached is our offer. We have 12,900 customers in total.")


def test_totals_of_a_month_beside_prices_of_an_hour_are_of_a_month(tmp_path: Path, catalog: Catalog) -> None:
    head = "Instance;Part number;GPUs;USD per GPU-hour;Monthly total"
    quote = text(tmp_path / "a.csv", catalog, head, "h200.8x;H200 SXM5 141GB;8;2.00;11680", "Total;;;;11680")
    assert quote.time_money is not None
    assert (quote.time_money.period, quote.time_money.each, quote.currency) == ("month", 11680, "USD")


def test_payments_of_lines_and_over_the_term(tmp_path: Path, catalog: Catalog) -> None:
    head = "Equipment;Quantity;Monthly payment EUR;Residual value"
    rows = ("EPYC 9554;2;300;1000", "PM9A3 3.84TB;4;120;300", "Total;;420;1300")
    quote = text(
        tmp_path / "a.csv",
        catalog,
        "Operating lease, 36 months",
        head,
        *rows,
        "Total payable over term (36 months);;15120;",
    )
    assert quote.time_money is not None and quote.time_money.each == 420 and quote.time_money.over == 15120
    assert not [issue.code for issue in quote.all_issues if issue.code.endswith("-arithmetic")]
    odd = text(
        tmp_path / "b.csv", catalog, "Lease", head, "EPYC 9554;32;2420;1", "PM9A3 3.84TB;3;100;1", "Total;;2520;2"
    )
    assert [(x.unit_price or 0) * (x.qty or 0) // Decimal("0.01") for x in odd.lines] == [242000, 9999]


def test_a_rate_in_a_label_proves_that_prices_are_net(tmp_path: Path, catalog: Catalog) -> None:
    rows = (HEAD, CPU, SSD, ("", "", "Payable", "", "", "15972"))
    quote = text(tmp_path / "a.csv", catalog, "VAT rate;21%", *rows)
    assert quote.tax == "net" and not [issue for issue in quote.all_issues if issue.severity == "error"]
    assert "sum-arithmetic" in codes(text(tmp_path / "b.csv", catalog, "VAT rate;20%", *rows))


def test_a_pack_says_its_size_behind_an_equals_sign(tmp_path: Path, catalog: Catalog) -> None:
    head = "Artikelnr;Bezeichnung;Menge;ME;Einzelpreis EUR;Gesamtpreis EUR"
    quote = text(tmp_path / "a.csv", catalog, head, "M321R8GA0PB0-CWMKJ;RDIMM 64GB, VE = 8 Stück;4;VE;8000;32000")
    assert quote.lines[0].pieces == 32
