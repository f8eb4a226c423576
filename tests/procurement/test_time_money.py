"""What is paid by time (a lease, a rental, a subscription) is no price of a purchase; a time that something else takes
makes no purchase a lease."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest

from catalogs.load import Catalog, load
from optimizer.procurement.reading.document import Quote
from optimizer.procurement.reading.mapping import Mapping
from optimizer.procurement.reading.reader import read
from tests.support.long import one_in

SERVER = (
    ("XE9680", "Dell PowerEdge XE9680", 1, 890),
    ("HGX H200 8-GPU baseboard", "NVIDIA HGX H200 8-GPU baseboard", 1, 6950),
    ("Xeon Platinum 8592+", "Intel Xeon Platinum 8592+", 2, 95),
)
EACH = Decimal(890 + 6950 + 190)


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load()


def written(
    path: Path, head: list[str], above: tuple[str, ...] = (), below: tuple[list[object], ...] = (),
    more: tuple[list[object], ...] = (), extra: tuple[object, ...] = (), sheet: str = "Quote",
) -> Path:  # fmt: skip
    """A workbook of the three lines under a header: number, name, quantity, price, total, then `extra` cells."""
    book = openpyxl.Workbook()
    table = book.active
    assert table is not None
    table.title = sheet
    for text in above:
        table.append([text])
    table.append(head)
    for number, name, qty, price in SERVER:
        table.append([number, name, qty, price, qty * price, *extra])
    for row in (*more, *below):
        table.append(row)
    book.save(path)
    return path


EN = ["Part number", "Description", "Qty", "Unit price", "Total"]
ZH = ["型号", "名称", "数量", "单价", "小计"]
DE = ["Artikelnummer", "Bezeichnung", "Menge", "Einzelpreis", "Gesamt"]
JA = ["型番", "品名", "数量", "単価", "金額"]


def with_money(head: list[str], unit: str, total: str) -> list[str]:
    return [*head[:3], unit, total, *head[5:]]


LEASES: list[tuple[str, dict[str, object], str | None, int | None]] = [
    ("header, en", {"head": with_money(EN, "Monthly rate / unit", "Monthly total")}, "month", None),
    ("header, mo", {"head": with_money(EN, "Price/mo (USD)", "Ext. price/mo")}, "month", None),
    ("header, p.m.", {"head": with_money(EN, "Unit price p.m.", "Total p.m.")}, "month", None),
    ("header, per month", {"head": with_money(EN, "USD per month", "Amount per month")}, "month", None),
    ("header, rental", {"head": with_money(EN, "Rental", "Total rental")}, None, None),
    ("header, year", {"head": with_money(EN, "Annual price", "Annual total")}, "year", None),
    ("header, instalment", {"head": with_money(EN, "Monthly instalment", "Total")}, "month", None),
    ("header, zh", {"head": with_money(ZH, "月租单价(元)", "月租小计(元)")}, "month", None),
    ("header, zh rent", {"head": with_money(ZH, "租金单价", "租金合计")}, None, None),
    ("header, zh each month", {"head": with_money(ZH, "单价（元/月）", "小计（元/月）")}, "month", None),
    ("header, zh month not known", {"head": with_money(ZH, "包月价", "合计")}, "month", None),
    ("header, es beside en", {"head": with_money(EN, "Cuota mensual", "Total")}, "month", None),
    ("note, zh each so many months", {"head": ZH, "above": ("租赁报价，每3个月付一次",)}, None, None),
    ("header, zh year", {"head": with_money(ZH, "年租金", "年租合计")}, "year", None),
    ("header, ja", {"head": with_money(JA, "月額単価", "月額合計")}, "month", None),
    ("header, ja bare", {"head": with_money(JA, "月額(円)", "合計")}, "month", None),
    ("header, ja lease", {"head": with_money(JA, "リース料", "合計")}, None, None),
    ("header, de", {"head": with_money(DE, "Miete/Monat", "Gesamt/Monat")}, "month", None),
    ("header, de word", {"head": with_money(DE, "Monatsmiete", "Summe")}, "month", None),
    ("header, de lease", {"head": with_money(DE, "Leasingrate", "Gesamt")}, None, None),
    ("title", {"head": EN, "above": ("Leasing offer 4711",)}, None, None),
    ("title, zh", {"head": ZH, "above": ("服务器租赁报价单", "租期：36个月")}, None, 36),
    ("title, ja", {"head": JA, "above": ("レンタル御見積書", "契約期間：36ヶ月")}, None, 36),
    ("title, de", {"head": DE, "above": ("Mietangebot Nr. 12", "Laufzeit: 48 Monate")}, None, 48),
    ("term", {"head": EN, "above": ("Term: 36 months",)}, None, 36),
    ("term, years", {"head": EN, "above": ("Contract term: 3 years",)}, None, 36),
    ("note", {"head": EN, "above": ("All prices are per month and exclude VAT.",)}, "month", None),
    ("note, advance", {"head": EN, "above": ("Payments are due monthly in advance by direct debit.",)}, "month", None),
    ("note, zh", {"head": ZH, "above": ("以上价格为每月价格",)}, "month", None),
    ("note, ja", {"head": JA, "above": ("上記金額は月額です",)}, "month", None),
    ("note, de", {"head": DE, "above": ("Alle Preise verstehen sich pro Monat zzgl. MwSt.",)}, "month", None),
    ("note, instalments", {"head": EN, "above": ("Payable in 36 monthly instalments.",)}, "month", 36),
    ("sheet", {"head": EN, "sheet": "Lease 36M"}, None, None),
    ("sheet, zh", {"head": ZH, "sheet": "月租"}, "month", None),
    ("unit", {"head": [*EN, "Unit"], "extra": ("month",)}, "month", None),
    ("unit, zh", {"head": [*ZH, "单位"], "extra": ("台/月",)}, "month", None),
    ("note of the line", {"head": [*EN, "Notes"], "extra": ("price per month",)}, "month", None),
    ("note of the line, zh", {"head": [*ZH, "备注"], "extra": ("按月支付",)}, "month", None),
    ("label", {"head": EN, "below": (["Total per month", None, None, None, 8030],)}, "month", None),
    ("label, zh", {"head": ZH, "below": (["每月合计", None, None, None, 8030],)}, "month", None),
    ("label, de", {"head": DE, "below": (["Summe pro Monat", None, None, None, 8030],)}, "month", None),
    ("over a term", {"head": EN, "below": (["Total over 36 months", None, None, None, 289080],)}, None, 36),
    *(
        (f"{period}, {unit}", {"head": with_money(head, unit, total), "above": (term,)}, period, months)
        for head, unit, total, term, period, months in (
            (EN, "MRR", "Total MRR", "Term: 36 months", "month", 36),
            (EN, "Monthly recurring charge", "Total monthly", "Committed term 36 months", "month", 36),
            (EN, "Quarterly rate", "Quarterly total", "Lease term 12 quarters", "quarter", 36),
            (EN, "Rate / qtr", "Total", "Contract period: 3 years", "quarter", 36),
            (EN, "Price p.a.", "Total p.a.", "Term 3 years", "year", 36),
            (EN, "Annual lease fee", "Total", "Duration: 48 months", "year", 48),
            (ZH, "月租(元)", "月租合计", "租期三年", "month", 36),
            (ZH, "季度租金", "季度合计", "租期：36个月", "quarter", 36),
            (ZH, "单价(元/年)", "小计(元/年)", "服务期限：5年", "year", 60),
            (JA, "月額リース料", "合計", "リース期間：5年", "month", 60),
            (JA, "レンタル料(月)", "合計", "レンタル期間 36か月", "month", 36),
            (JA, "年額", "年額合計", "契約期間：3年間", "year", 36),
            (DE, "Monatl. Miete", "Gesamt", "Mietzeit 36 Monate", "month", 36),
            (DE, "Quartalsrate", "Gesamt", "Laufzeit 3 Jahre", "quarter", 36),
            (DE, "Preis/Jahr", "Gesamt/Jahr", "Mindestlaufzeit: 36 Monate", "year", 36),
        )
    ),
]  # fmt: skip


@pytest.mark.parametrize(("layout", "period", "term"), one_in(3, [x[1:] for x in LEASES]), ids=[x[0] for x in LEASES])
def test_a_lease_is_no_purchase(
    layout: dict[str, object], period: str | None, term: int | None, catalog: Catalog, tmp_path: Path
) -> None:
    quote = read(written(tmp_path / "lease.xlsx", **layout), catalog)  # type: ignore[arg-type]
    found = quote.time_money
    assert found is not None
    assert found.period == period and found.term_months == term, found
    assert len(found.rows) == 3 and found.why
    if period:
        assert found.each == EACH
        if term:
            months_of = {"month": 1, "quarter": 3, "year": 12}
            assert found.over == EACH * term / months_of[period] and found.term_at


PURCHASES: list[tuple[str, dict[str, object]]] = [
    ("plain", {"head": EN}),
    ("delivery", {"head": EN, "above": ("Delivery 2 months after receipt of order",)}),
    ("warranty", {"head": EN, "above": ("Warranty 36 months", "Term of warranty: 36 months")}),
    ("validity", {"head": EN, "above": ("Validity 1 month", "Offer valid for 1 month.")}),
    ("payment", {"head": EN, "above": ("Payment 30 days", "Payment terms: net 30", "Terms: 30 days net")}),
    ("interest", {"head": EN, "above": ("Late payments bear interest at 1.5% per month.",)}),
    ("plan of payment", {"head": EN, "above": ("Payment in 3 instalments: 30 % / 60 % / 10 %",)}),
    ("also to lease", {"head": EN, "above": ("Leasing available on request", "Ask us about our leasing options.")}),
    ("title kept", {"head": EN, "above": ("Until paid in full the buyer may not sell, lease or rent the goods.",)}),
    ("framework", {"head": EN, "above": ("Framework contract, term 24 months",)}),
    ("licence", {"head": EN, "more": (["SW", "Subscription software 3 years licence priced in total", 8, 900, 7200],)}),
    ("support", {"head": EN, "more": (["SVC", "3 years on-site support, 2 visits per year", 1, 900, 900],)}),
    ("months of support", {"head": EN, "more": (["SVC", "ProSupport 36 months", 1, 900, 900],)}),
    ("used", {"head": EN, "above": ("Refurbished off-lease equipment",)}),
    ("warranty column", {"head": [*EN, "Warranty (months)"], "extra": (36,)}),
    ("delivery column", {"head": [*EN, "Lead time"], "extra": ("2 months",)}),
    ("two prices", {"head": [*with_money(EN, "Purchase price", "Purchase total"), "Lease rate / month"], "extra": (30,),
                    "above": ("Lease rates are for 36 months.",)}),
    ("zh", {"head": ZH, "above": ("交货期：2个月", "质保期：36个月", "报价有效期：1个月", "付款：货到30天",
                                  "月结30天")}),
    ("zh date", {"head": ZH, "above": ("2026年11月报价单", "日期：2026年11月28日")}),
    ("zh offered too", {"head": ZH, "above": ("可提供租赁方案，欢迎咨询",)}),
    ("de", {"head": DE, "above": ("Lieferzeit 2 Monate", "Gewährleistung 36 Monate", "Gültig 1 Monat",
                                  "Zahlbar innerhalb 30 Tagen", "Leasing auf Anfrage möglich")}),
    ("ja", {"head": JA, "above": ("納期：2ヶ月", "保証期間：36ヶ月", "有効期限：1ヶ月",
                                  "支払条件：月末締め翌月末払い")}),
    ("maintenance", {"head": EN, "above": ("Monthly status reports are sent to the customer.",)}),
    ("zh quarter", {"head": ZH, "above": ("2026年第四季度报价", "质保三年")}),
    ("months of stock", {"head": [*EN, "Months"], "extra": (3,)}),
    ("zh paid later", {"head": ZH, "above": ("付款方式：合同签订后30%，到货后60%，验收满12个月付10%",)}),
    ("zh paid after a year", {"head": ZH, "above": ("满1年付清余款",)}),
    ("zh paid within", {"head": ZH, "above": ("合同签订后1个月内付30%，第二年付10%",)}),
    ("no fees", {"head": EN, "above": ("This is a purchase, not a lease.", "No monthly fees.")}),
    ("de no fees", {"head": DE, "above": ("Keine monatlichen Gebühren.",)}),
    ("power", {"head": EN, "above": ("Energy use: 7,300 kWh per month at full load",)}),
]  # fmt: skip


@pytest.mark.parametrize("layout", one_in(3, [x[1] for x in PURCHASES]), ids=[x[0] for x in PURCHASES])
def test_a_purchase_stays_one(layout: dict[str, object], catalog: Catalog, tmp_path: Path) -> None:
    quote = read(written(tmp_path / "bought.xlsx", **layout), catalog)  # type: ignore[arg-type]
    assert quote.recurring is None, quote.recurring
    assert sum(x.amount or 0 for x in quote.lines if x.role == "part") == EACH


@pytest.mark.parametrize("months", [24, 36, 60])
def test_the_term_makes_it_comparable(months: int, catalog: Catalog, tmp_path: Path) -> None:
    """Rate x term, each line; the file's own sums of a month and of its own term are no faults."""
    head = with_money(EN, "Monthly rate (USD)", "Monthly total")
    sums: tuple[list[object], ...] = (
        ["Total per month", None, None, None, 8030], ["Total over 36 months", None, None, None, 289080],
    )  # fmt: skip
    path = written(tmp_path / "lease.xlsx", head, below=sums)
    quote = read(path, catalog, mapping=Mapping(term_months=months))
    assert quote.time_money is None and quote.recurring is not None and quote.recurring.counted_months == months
    assert [x.amount for x in quote.lines] == [Decimal(v) * months for v in (890, 6950, 190)]
    assert not [i for i in quote.all_issues if i.severity == "error"]
    assert read(path, catalog, mapping=Mapping(period="once")).recurring is None


def test_licences_over_a_term_of_their_own(catalog: Catalog, tmp_path: Path) -> None:
    """Under `Unit price / year` a licence of 36 months costs three of them, as its total says; what has no term is
    bought once. Without a total over the term it stays open."""
    path = tmp_path / "terms.csv"
    head = "Part,Description,Qty,Term (Months),Unit Price / Year,Ext. Price,Currency\n"
    server = "XE9680,Dell PowerEdge XE9680,1,,29000,29000,USD\n"
    path.write_text(f"{head}{server}SW-36,AI Enterprise subscription,8,36,4230,101520,USD\n", encoding="utf-8")
    quote = read(path, catalog)
    assert quote.recurring is None
    assert sum((x.amount or Decimal(0) for x in quote.lines), Decimal(0)) == 29000 + 101520
    assert not [i for i in quote.all_issues if i.severity == "error"]
    path.write_text(f"{head}{server}SW-36,AI Enterprise subscription,8,36,4230,33840,USD\n", encoding="utf-8")
    assert read(path, catalog).time_money is not None


def test_only_a_service_is_paid_by_the_year(catalog: Catalog, tmp_path: Path) -> None:
    more: tuple[list[object], ...] = (["SVC", "On-site support, price per year", 1, 900, 900],)
    quote: Quote = read(written(tmp_path / "a.xlsx", EN, more=more), catalog)
    assert quote.time_money is not None and len(quote.time_money.rows) == 1
    again = read(tmp_path / "a.xlsx", catalog, mapping=Mapping(term_months=36))
    assert sum(x.amount or 0 for x in again.lines) == EACH + 2700


def test_a_summary_above_its_details_counts_once(catalog: Catalog, tmp_path: Path) -> None:
    """A vendor's page of prices and, below it, the same lines with what they hold: the sum is that of one of them."""
    path = tmp_path / "twice.csv"
    path.write_text(
        "Product,Qty,Unit Price,Subtotal\nPowerEdge XE9680 AI Server,2,287950.00,575900.00\n"
        "Rack integration service,1,14600.00,14600.00\nSubtotal:,,,590500.00\nShipping:,,,1200.00\n"
        "Taxable Amount:,,,0.00\nTotal:,,,591700.00\nLine Item Details\n"
        "Product,Qty,Unit Price,Subtotal\nPowerEdge XE9680 AI Server,2,287950.00,575900.00\n"
        "NVIDIA HGX H100 8-GPU baseboard 935-24287-0301,2,-,-\nIntel Xeon Platinum 8480+,4,-,-\n"
        "Rack integration service,1,14600.00,14600.00\n",
        encoding="utf-8",
    )
    quote = read(path, catalog)
    assert sum(x.amount or 0 for x in quote.lines) == Decimal("591700.00")
    assert [x.row for x in quote.lines] == [10, 11, 12, 13, 5]
    assert not [i for i in quote.issues if i.code.endswith("arithmetic")]
