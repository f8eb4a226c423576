"""What quotes say in many words: tax, sums, freight, validity, discounts; and layouts in which a column or a line means
another than it seems. Each case is one small file."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import get_args

import openpyxl
import pytest

from optimizer.procurement.reading import mapping, row_words
from optimizer.procurement.reading.document import Quote
from optimizer.procurement.reading.reader import read
from tests.procurement.test_reader_habits import USD, catalog, codes, compared, quote, seen

LINE = "1,SYS-821GE-TNHR,Chassis,2,20100,40200"
SECOND = "2,,Intel Xeon Platinum 8480+,2,9900,19800"


def book(folder: Path, rows: list[tuple[object, ...]], hide: str = "") -> Quote:
    """A workbook of these rows; the column of that letter hidden."""
    path, made = folder / "q.xlsx", openpyxl.Workbook()
    for row in rows:
        made.active.append(row)
    if hide:
        made.active.column_dimensions[hide].hidden = True
    made.save(path)
    return read(path, catalog())


def test_every_field_of_the_headers_can_be_mapped() -> None:
    assert set(row_words.synonyms().values()) <= set(get_args(mapping.ColumnMap.model_fields["field"].annotation))


@pytest.mark.parametrize(
    ("note", "tax"),
    [
        ("币种：人民币，报价未含增值税", "net"),
        ("价格不包含增值税", "net"),
        ("以上报价未含税", "net"),
        ("报价含增值税", "gross"),
        ("Preise verstehen sich zuzüglich der jeweils gültigen MwSt.", "net"),
        ("Alle Preise zzgl. gesetzlicher Mehrwertsteuer", "net"),
        ("Alle Preise exklusive Mehrwertsteuer", "net"),
        ("EUR zzgl. 19 % Umsatzsteuer", "net"),
        ("Alle Preise inklusive 19% MwSt.", "gross"),
        ("Alle Preise inkl. 19 % Umsatzsteuer", "gross"),
        ("VAT excluded", "net"),
        ("Prices do not include sales tax", "net"),
        ("All taxes included", "gross"),
        ("AUD incl GST", "gross"),
        ("EUR hors TVA", "net"),
        ("Zahlbar 30 Tage netto", "unknown"),
    ],
)
def test_tax_in_words(tmp_path: Path, note: str, tax: str) -> None:
    assert quote(tmp_path, [LINE], f'"{note}"').tax == tax


@pytest.mark.parametrize(
    "label",
    [
        "Summe A", "Zwischentotal", "Nettosumme A+B", "Angebotsendsumme", "Total EXW", "FOB Total", "You pay",
        "本页合计", "硬件合计", "优惠后总价", "最终报价", "折后总价", "实付金额", "优惠价", "一口价",
        "Angebotswert", "Net amount",
        "Order value", "Bid price", "Project total", "Total carried forward", "Total price after discount",
    ],
)  # fmt: skip
def test_labels_of_sums(tmp_path: Path, label: str) -> None:
    q = quote(tmp_path, [LINE, f",,{label},,,40200"], USD)
    assert len(q.lines) == 1 and q.totals[0].amount == 40200 and not q.issues


def test_a_sum_under_any_label(tmp_path: Path) -> None:
    """A row with an amount alone that is the sum of all lines above, or of those since the last sum, is a sum."""
    third = "3,,Samsung PM1743 7.68TB,1,2800,2800"
    whole = quote(tmp_path, [LINE, SECOND, third, ",,Qwertz,,,62800"], USD)
    group = quote(tmp_path, [LINE, ",,Subtotal,,,40200", SECOND, third, ",,Asdf,,,22600"], USD, name="g.csv")
    assert [(len(q.lines), [t.kind for t in q.totals]) for q in (whole, group)] == [
        (3, ["total"]), (3, ["subtotal", "total"])
    ]  # fmt: skip


def test_an_amount_of_its_own_stays_a_line(tmp_path: Path) -> None:
    assert len(quote(tmp_path, [LINE, SECOND, ",,Qwertz,,,1234"], USD).lines) == 3


@pytest.mark.parametrize("label", ["Shipping & Handling", "Freight", "运费", "Customs duty 4%", "Insurance 0.3%"])
@pytest.mark.parametrize("row", [",,{},,,850", ",,,,{},850"])
def test_freight_in_any_column(tmp_path: Path, label: str, row: str) -> None:
    q = quote(tmp_path, [LINE, row.format(label), ",,Total,,,41050"], USD)
    assert [(x.role, x.amount) for x in q.lines[1:]] == [("service", Decimal(850))] and not q.issues


@pytest.mark.parametrize(
    ("text", "role"),
    [
        ("GPU服务器", "part"),
        ("AI训练服务器", "part"),
        ("服务器安装服务", "service"),
        ("Delivery to site", "service"),
        ("Versandkostenpauschale", "service"),
        ("Zusammenbau und Dauertest", "service"),
        ("Rundungsdifferenz", "service"),
    ],
)
def test_roles_by_words(tmp_path: Path, text: str, role: str) -> None:
    assert quote(tmp_path, [f"1,,{text},1,500,500"], USD).lines[0].role == role


@pytest.mark.parametrize(
    ("note", "until", "number", "day"),
    [
        ("Quote GP-118, valid until 2026-12-31", "2026-12-31", "", None),
        ("Angebot 88-2026 vom 18.11.2026, gültig bis zum 31.12.2026", "2026-12-31", "88-2026", "2026-11-18"),
        ("Quotation dated 2026-09-01, valid until 30-Sep-2026", "2026-09-30", "", "2026-09-01"),
        ("本报价有效期至2026年12月31日", "2026-12-31", "", None),
        ("报价日期：2026年11月20日，有效期15天", "2026-12-05", "", "2026-11-20"),
        ("Quote date: 2026-11-18, valid for 30 days", "2026-12-18", "", "2026-11-18"),
        ("Validity: 30 days from 2026-11-18", "2026-12-18", "", None),
    ],
)
def test_validity_in_a_sentence(tmp_path: Path, note: str, until: str, number: str, day: str | None) -> None:
    q = quote(tmp_path, [LINE], USD, f'"{note}"')
    assert (q.valid_until, q.quote_no) == (date.fromisoformat(until), number)
    assert day is None or q.quote_date == date.fromisoformat(day)


@pytest.mark.parametrize(
    ("off", "price"),
    [("8.5折", "17000"), ("八五折", "17000"), ("85折", "17000"), ("九折", "18000"), ("15%", "17000"), ("10%", "18000")],
)
def test_discounts_on_a_list_price(tmp_path: Path, off: str, price: str) -> None:
    q = quote(tmp_path, [f"1,SYS-821GE-TNHR,机箱,2,20000,{off}"], USD, head="序号,型号,名称,数量,目录价,折扣")
    assert (q.lines[0].unit_price, q.lines[0].list_price) == (Decimal(price), Decimal(20000))


@pytest.mark.parametrize("off", ["8.5", "8.5折", "85折", "85%", "15%", "0.15", "0.85"])
def test_a_discount_that_the_price_tells(tmp_path: Path, off: str) -> None:
    row = f"1,SYS-821GE-TNHR,机箱,2,20000,{off},17000,34000"
    q = quote(tmp_path, [row], USD, head="序号,型号,名称,数量,目录价,折扣,折后单价,小计")
    assert q.lines[0].unit_price == 17000 and not q.lines[0].issues


@pytest.mark.parametrize("head", ["Unit price,Discount %", "Einzelpreis,Rabatt", "单价,折扣"])
def test_a_price_before_its_discount(tmp_path: Path, head: str) -> None:
    """The total is after the discount: so is the price that counts."""
    row = "1,SYS-821GE-TNHR,Chassis,2,20000,10%,36000"
    x = quote(tmp_path, [row], USD, head=f"Item,Part Number,Description,Qty,{head},Total").lines[0]
    assert (x.unit_price, x.list_price, codes(x)) == (Decimal(18000), Decimal(20000), ["price-before-discount"])


@pytest.mark.parametrize("number", ["4090", "5090", "900-4090"])
def test_a_sellers_own_number_names_no_gpu(tmp_path: Path, number: str) -> None:
    x = quote(tmp_path, [f"1,{number},Intel Xeon Platinum 8480+,2,9900,19800"], USD).lines[0]
    assert x.matched.part == "intel-xeon-platinum-8480-plus"
    assert quote(tmp_path, ["1,4090,GeForce RTX 4090,2,1800,3600"], USD).lines[0].matched.part == "nvidia-rtx-4090-24gb"


def test_a_total_after_discount_is_no_discount(tmp_path: Path) -> None:
    rows = [LINE, ",,合计,,,40200", ",,取整优惠,,,-200", ",,优惠后总价,,,40000"]
    assert [(t.kind, t.amount) for t in quote(tmp_path, rows, USD).totals] == [
        ("total", 40200), ("discount", -200), ("total", 40000)
    ]  # fmt: skip
    odd = quote(tmp_path, [LINE, ",,Rabatt eingerechnet,,,40000"], USD)
    assert not [t for t in odd.totals if t.kind == "discount"]


def test_what_is_taken_back_is_no_part(tmp_path: Path) -> None:
    q = quote(tmp_path, [LINE, "2,,Return of old DGX A100 640GB,1,-15000,-15000", ",,Total,,,25200"], USD)
    assert len(q.lines) == 1 and [t.kind for t in q.totals] == ["discount", "total"] and not q.issues


def test_a_hidden_purchase_price_is_not_the_price(tmp_path: Path) -> None:
    head = ("Item", "Part Number", "Description", "Qty", "EK", "VK", "Total")
    rows = [(USD,), head, (1, "SYS-821GE-TNHR", "Chassis", 2, 17000, 20100, 40200)]
    q = book(tmp_path, rows, hide="E")
    assert q.lines[0].unit_price == 20100 and not q.lines[0].issues
    assert "columns-not-used" in [n.code for n in q.notices]


def test_the_quantity_that_makes_the_total(tmp_path: Path) -> None:
    """Per node, nodes, in all: the last one times the price is the total. Without it the total divided by the price."""
    head = "序号,型号,名称,单台数量,台数,总数量,单价,小计"
    rows = ["1,SYS-821GE-TNHR,机箱,1,3,3,100,300", "2,,Intel Xeon Platinum 8480+,2,3,6,50,300"]
    assert [x.pieces for x in quote(tmp_path, rows, USD, head=head).lines] == [3, 6]
    head = "Item,Part Number,Description,Qty per node,Nodes,Unit price,Total"
    rows = ["1,SYS-821GE-TNHR,Chassis,1,3,100,300", "2,,Intel Xeon Platinum 8480+,2,3,50,300"]
    assert [x.pieces for x in quote(tmp_path, rows, USD, head=head).lines] == [3, 6]


def test_net_tax_and_gross_below_one_head(tmp_path: Path) -> None:
    rows = [
        ("Preise in EUR",), ("Pos", "Artikel", None, "Menge", "Einzelpreis", "Betrag", None, None),
        (None, "Hersteller-Nr.", "Bezeichnung", None, "netto", "Netto", "USt 20%", "Brutto"),
        (1, "SYS-821GE-TNHR", "Server", 2, 100, 200, 40, 240),
        (2, None, "Intel Xeon Platinum 8480+", 1, 50, 50, 10, 60),
        (None, None, "Summe", None, None, 250, 50, 300),
    ]  # fmt: skip
    path, made = tmp_path / "q.xlsx", openpyxl.Workbook()
    for row in rows:
        made.active.append(row)
    made.active.merge_cells("F2:H2")
    made.active.merge_cells("B2:C2")
    made.save(path)
    q = read(path, catalog())
    assert [(x.part_number, x.amount) for x in q.lines] == [("SYS-821GE-TNHR", 200), ("", 50)]
    assert not [i for i in q.all_issues if i.severity == "error"]


def test_a_head_that_adds_up_its_lines_counts_once(tmp_path: Path) -> None:
    rows = ["1,,GPU server LLM-8,1,60000,60000", "1.1,SYS-821GE-TNHR,Chassis,2,20100,40200", SECOND, ",,Total,,,60000"]
    q = quote(tmp_path, rows, USD)
    assert [x.amount for x in q.lines] == [0, 40200, 19800] and not q.issues and codes(q.lines[0]) == ["added-up"]
    assert [x.amount for x in quote(tmp_path, rows[:3], USD).lines] == [0, 40200, 19800]
    two = ["1,,Licence,1,40200,40200", rows[1], SECOND, ",,Total,,,100200"]
    assert [x.amount for x in quote(tmp_path, two, USD).lines] == [40200, 40200, 19800]


def test_prices_of_lots(tmp_path: Path) -> None:
    rows = ["8x NVIDIA H200 NVL 141GB,256000", "2x Intel Xeon Platinum 8480+,19800", "Total,275800"]
    q = quote(tmp_path, rows, USD, head="Description,Price")
    assert [(x.pieces, x.unit_price, x.amount) for x in q.lines] == [(8, 32000, 256000), (2, 9900, 19800)]
    each = quote(tmp_path, [*rows[:2], "Total,2087600"], USD, head="Description,Price", name="each.csv")
    assert [x.amount for x in each.lines] == [2048000, 39600]


def test_sums_of_groups_named_as_totals(tmp_path: Path) -> None:
    rows = ["A,,Server,,,", LINE, ",,Summe A,,,40200", "B,,Prozessoren,,,", SECOND, ",,Summe B,,,19800",
            ",,Nettosumme A+B,,,60000", ",,MwSt 19%,,,11400", ",,Endsumme,,,71400"]  # fmt: skip
    q = quote(tmp_path, rows, "Preise in EUR netto")
    assert not q.issues and [x.section for x in q.lines] == ["Server", "Prozessoren"]
    wrong = [r.replace("Summe A,,,40200", "Summe A,,,41200") for r in rows]
    assert codes(quote(tmp_path, wrong, "Preise in EUR netto", name="w.csv")) == ["subtotal-arithmetic"]


def test_carried_over_pages(tmp_path: Path) -> None:
    rows = [LINE, ",,过次页,,,40200", ",,承前页,,,40200", SECOND, ",,本页合计,,,19800", ",,总计,,,60000"]
    q = quote(tmp_path, rows, "含税13%，人民币")
    assert len(q.lines) == 2 and not q.issues


def test_taxes_of_two_rates(tmp_path: Path) -> None:
    rows = [LINE, "2,,Fachbuch,2,90,180", ",,Nettobetrag,,,40380", '",","","MwSt 19% auf 40.200,00",,,7638']
    rows[3] = ',,"MwSt 19% auf 40.200,00",,,7638'
    q = quote(tmp_path, [*rows, ',,"MwSt 7% auf 180,00",,,12.60', ",,Bruttobetrag,,,48030.60"], "Preise in EUR")
    assert not [i for i in q.issues if i.severity == "error"] and len(q.lines) == 2
    bad = quote(tmp_path, [*rows, ',,"MwSt 7% auf 180,00",,,22.60', ",,Bruttobetrag,,,48040.60"], "Preise in EUR")
    assert "tax-arithmetic" in codes(bad)


def test_alternatives_are_options(tmp_path: Path) -> None:
    rows = ["1,,GPU variant A: NVIDIA H200 NVL 141GB,8,30000,240000",
            "2,,GPU variant B (instead of 1): NVIDIA L40S,8,8000,64000",
            ",,Total with variant A,,,240000", ",,Total with variant B,,,64000"]  # fmt: skip
    q = quote(tmp_path, rows, USD)
    assert [x.optional for x in q.lines] == [False, True] and not q.issues
    head = "Item,Part Number,Description,Qty,Unit Price,Total,Status"
    marked = quote(tmp_path, [f"{LINE},base", f"{SECOND},optional"], USD, head=head)
    assert [x.optional for x in marked.lines] == [False, True]


def test_lines_in_two_currencies_are_not_added(tmp_path: Path) -> None:
    head = "Item,Part Number,Description,Qty,Unit Price,Total,Currency"
    rows = [f"{LINE},EUR", f"{SECOND},USD", ",,Total EUR,,,40200,", ",,Total USD,,,19800,"]
    assert codes(quote(tmp_path, rows, "net of tax", head=head)) == ["sums-unchecked", "mixed-currencies"]


def test_a_base_article_below_its_server_is_the_server(tmp_path: Path) -> None:
    rows = ["1,SYS-821GE-TNHR,GPU server,2,300000,600000", "2,SYS-821GE-TNHR,Base unit,2,-,-",
            "3,,Intel Xeon Platinum 8480+,4,-,-", "4,,Heatsink,4,-,-"]  # fmt: skip
    q = quote(tmp_path, rows, USD)
    assert [x.pieces for x in q.lines if x.matched.part] == [2, 4]
    assert q.lines[1].matched.how == "bundle" and not [i for x in q.lines for i in x.issues if i.code == "no-price"]


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("USD 1.72M", "1720000"),
        ("0.0402 Mio. €", "40200"),
        ("USD 40.2k", "40200"),
        ("EUR 40,2 Tsd.", "40200"),
        ("2 M", "2"),
    ],
)
def test_thousands_and_millions(tmp_path: Path, text: str, amount: str) -> None:
    q = quote(tmp_path, [f'1,SYS-821GE-TNHR,Chassis,1,"{text}","{text}"'], "net of tax")
    assert q.lines[0].unit_price == Decimal(amount)


def test_headers_without_a_name(tmp_path: Path) -> None:
    """`Item` heads names where nothing else does; a column `Unit` of numbers prices; `Ref` numbers of parts."""
    q = quote(tmp_path, ["1,SYS-821GE-TNHR,2,100,200"], USD, head="Pos,Item,Qty,Unit price,Total")
    assert q.lines[0].matched.part == "supermicro-sys-821ge-tnhr"
    q = quote(tmp_path, ["GPU,SYS-821GE-TNHR,n/a,100,n/a"], USD, head="Category,Component,Qty,Unit,Ext", name="u.csv")
    assert (q.lines[0].unit_price, codes(q.lines[0])) == (Decimal(100), ["not-a-number", "no-quantity"])
    q = quote(
        tmp_path, ["SYS-821GE-TNHR,Server 8U,1,100,100"], USD, head="Ref,Product,Units,Net price,Total", name="r.csv"
    )
    assert q.lines[0].part_number == "SYS-821GE-TNHR"


def test_the_manufacturers_number_counts(tmp_path: Path) -> None:
    head = "Pos,Artikelnummer,Hersteller-Nr.,Bezeichnung,Menge,Einzelpreis,Gesamt"
    q = quote(tmp_path, ["1,104711,M321R8GA0PB0-CWMKJ,64 GB RDIMM,2,100,200"], "EUR netto", head=head)
    assert q.lines[0].matched.part == "samsung-m321r8ga0pb0-cwmkj"


def test_a_second_sheet_of_goods_is_told(tmp_path: Path) -> None:
    path, made = tmp_path / "q.xlsx", openpyxl.Workbook()
    head = ("Item", "Part Number", "Description", "Qty", "Unit Price", "Total")
    for sheet in (made.active, made.create_sheet("Network")):
        for row in ((USD,), head, (1, "SYS-821GE-TNHR", "Chassis", 2, 20100, 40200)):
            sheet.append(row)
    made.save(path)
    q = read(path, catalog())
    assert codes(q) == ["sheets-unread"] and "'Network'" in q.issues[0].text
    assert any("'Network'" in t for t in seen(q).summary)
    assert "sheets-unread" in [f.code for f in compared(q, quote(tmp_path, [LINE], USD)).bids[0].flags]
