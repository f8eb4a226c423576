"""Numbers, headers, dates, matching: the tables that the reader of vendors' files rests on."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogs.errors import InputError
from catalogs.load import Catalog, load
from optimizer.procurement.reading.build import to_build
from optimizer.procurement.reading.counts import count_words
from optimizer.procurement.reading.dates import read_date, read_days
from optimizer.procurement.reading.document import Quote
from optimizer.procurement.reading.line.match import is_service, match
from optimizer.procurement.reading.line.names import Index
from optimizer.procurement.reading.mapping import Mapping, read_mapping
from optimizer.procurement.reading.reader import read
from optimizer.procurement.reading.table.headers import column_of
from optimizer.procurement.reading.table.totals import total_kind
from optimizer.text import amounts as numbers


@cache
def catalog() -> Catalog:
    return load()


@cache
def index() -> Index:
    return Index(catalog())


def read_text(folder: Path, text: str, name: str = "q.csv", **options: object) -> Quote:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return read(path, catalog(), **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "values", "currency"),
    [
        ("1.299,95", "1299.95", ""),
        ("1,299.95", "1299.95", ""),
        ("¥12.8万", "128000", "CNY"),
        ("USD 1 299", "1299", "USD"),
        ("12.8万元", "128000", "CNY"),
        ("5.8亿", "580000000", ""),
        ("1'299.95", "1299.95", ""),
        ("1’299.-", "1299", ""),
        ("€ 1.299,-", "1299", "EUR"),
        ("1299,00 €", "1299", "EUR"),
        ("(1,299.00)", "-1299", ""),
        ("1.299,95-", "-1299.95", ""),
        ("−1299.5", "-1299.5", ""),
        ("1,29,900.00", "129900", ""),
        ("1.234.567", "1234567", ""),
        ("1,234,567", "1234567", ""),
        ("12,5", "12.5", ""),
        ("0,500", "0.5", ""),
        ("8台", "8", ""),
        ("８", "8", ""),
        ("US$ 12.5k", "12500", "USD"),
        ("RMB 128000", "128000", "CNY"),
        ("人民币128000元整", "128000", "CNY"),
        ("1\u00a0299,95", "1299.95", ""),
        ("1\u202f299", "1299", ""),
        ("CHF 1'299.--", "1299", "CHF"),
        ("13%", "13", ""),
        ("£1,299.00", "1299", "GBP"),
        ("1.299", "1.299|1299", ""),
        ("1,299", "1.299|1299", ""),
        ("12,800", "12.8|12800", ""),
        ("abc", "", ""),
        ("-", "", ""),
        ("1.2.3", "", ""),
        ("询价", "", ""),
        ("1,2345", "1.2345", ""),
        ("9" * 60, "", ""),
    ],
)
def test_numbers(text: str, values: str, currency: str) -> None:
    found = numbers.read(text)
    assert [numbers.tidy(v) for v in found.values] == [numbers.tidy(Decimal(v)) for v in values.split("|") if v]
    assert found.currency == currency


@given(st.decimals(min_value=0, max_value=10**9, places=2))
def test_every_amount_written_in_any_style_is_read_back(amount: Decimal) -> None:
    english = f"{amount:,.2f}"
    german = english.replace(",", "_").replace(".", ",").replace("_", ".")
    for text in (english, german, english.replace(",", "'"), german.replace(".", " "), f"EUR {german}", f"${english}"):
        assert numbers.read(text).values == (amount,), text


@pytest.mark.parametrize(
    ("texts", "style"),
    [
        (["1.299", "2.189,95"], ","),
        (["1.299", "2,189.95"], "."),
        (["1.299"], ""),
        (["1.299,95", "1,299.95"], ""),
        (["12,50"], ","),
        (["1.234.567"], ","),
        (["1299"], ""),
    ],
)
def test_the_column_tells_the_decimal_sign(texts: list[str], style: str) -> None:
    assert numbers.style_of(texts) == style


@pytest.mark.parametrize(
    ("header", "field", "tax", "currency"),
    [
        ("型号", "part_number", "", ""),
        ("料号", "part_number", "", ""),
        ("P/N", "part_number", "", ""),
        ("SKU", "part_number", "", ""),
        ("含税单价", "unit_price", "gross", ""),
        ("不含税单价（元）", "unit_price", "net", "CNY"),
        ("Net EUR", "unit_price", "net", "EUR"),
        ("Unit price (USD)", "unit_price", "", "USD"),
        ("Einzelpreis netto €", "unit_price", "net", "EUR"),
        ("Menge", "qty", "", ""),
        ("数量 Qty", "qty", "", ""),
        ("Qty.", "qty", "", ""),
        ("Ext. Price", "line_total", "", ""),
        ("小计（含税）", "line_total", "gross", ""),
        ("Gesamtpreis €", "line_total", "", "EUR"),
        ("Artikel-Nr.", "part_number", "", ""),
        ("Bezeichnung", "description", "", ""),
        ("技术参数", "description", "", ""),
        ("品牌", "brand", "", ""),
        ("Lieferzeit", "lead_time", "", ""),
        ("货期", "lead_time", "", ""),
        ("税率", "tax_rate", "", ""),
        ("MwSt.", "tax_rate", "", ""),
        ("VPE", "pack", "", ""),
        ("PE", "price_per", "", ""),
        ("Unit Price excl. VAT", "unit_price", "net", ""),
        ("Total incl. VAT", "line_total", "gross", ""),
        ("目录价", "list_price", "", ""),
        ("Rabatt %", "discount", "", ""),
        ("序\n号", "number", "", ""),
        ("单价 Unit Price", "unit_price", "", ""),
        ("Mfr. Part Number", "part_number", "", ""),
        ("价税合计", "line_total", "gross", ""),
        ("备注", "note", "", ""),
    ],
)
def test_headers(header: str, field: str, tax: str, currency: str) -> None:
    found = column_of(header)
    assert found is not None
    assert (found.field, found.tax, found.currency) == (field, tax, currency)


@pytest.mark.parametrize("text", ["", "H100 SXM5 80GB", "Dear Sir", "128000", "深圳市"])
def test_what_is_no_header(text: str) -> None:
    assert column_of(text) is None


@pytest.mark.parametrize(
    ("label", "kind"),
    [
        ("合计", "total"),
        ("Grand Total", "total"),
        ("Gesamtbetrag brutto", "total_gross"),
        ("Summe netto", "total_net"),
        ("zzgl. 19 % MwSt.", "tax"),
        ("VAT 19%", "tax"),
        ("增值税13%", "tax"),
        ("小计：", "subtotal"),
        ("Zwischensumme", "subtotal"),
        ("Total (excl. VAT)", "total_net"),
        ("不含税合计", "total_net"),
        ("价税合计", "total_gross"),
        ("Special discount", "discount"),
        ("enthaltene MwSt. 19 %", "tax"),
        ("Sales Tax 8.25%", "tax"),
        ("EPYC 9654", None),
        ("Power supply", None),
    ],
)
def test_sums_by_label(label: str, kind: str | None) -> None:
    assert total_kind(label) == kind


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-12-31", date(2026, 12, 31)),
        ("31.12.2026", date(2026, 12, 31)),
        ("2026年12月5日", date(2026, 12, 5)),
        ("12/31/2026", date(2026, 12, 31)),
        ("31/12/2026", date(2026, 12, 31)),
        ("03/04/2026", None),
        ("Dec 18, 2026", date(2026, 12, 18)),
        ("18. Dezember 2026", date(2026, 12, 18)),
        ("2026/2/30", None),
        ("soon", None),
    ],
)
def test_dates(text: str, day: date | None) -> None:
    assert read_date(text) == day


def test_days() -> None:
    assert [read_days(x) for x in ("30 days", "15天", "14 Tage", "2026")] == [30, 15, 14, None]


@pytest.mark.parametrize(
    ("text", "count", "rest"),
    [
        ("8 x NVIDIA H100", 8, "NVIDIA H100"),
        ("8张 H100", 8, "H100"),
        ("2 PCS EPYC 9654", 2, "EPYC 9654"),
        ("8xH200", 8, "H200"),
        ("H100 *8", 8, "H100"),
        ("H100 x 8", 8, "H100"),
        ("GeForce RTX 5090", None, ""),
        ("AX1600i", None, ""),
        ("2x400G OSFP DAC", None, ""),
        ("NetShelter SX 42U", None, ""),
        ("7×24 service", None, ""),
        ("990 PRO 4TB", None, ""),
    ],
)
def test_counts_in_texts(text: str, count: int | None, rest: str) -> None:
    assert count_words(text) == (count, rest or text)


@pytest.mark.parametrize(
    ("number", "text", "how", "part"),
    [
        ("amd-epyc-9654", "", "exact", "amd-epyc-9654"),
        ("EPYC 9654", "", "exact", "amd-epyc-9654"),
        ("epyc-9654", "", "normalised", "amd-epyc-9654"),
        ("英伟达 H100 SXM5 80GB", "", "normalised", "nvidia-h100-sxm5-80gb"),
        ("A100-SXM-80GB", "", "alias", "nvidia-a100-sxm4-80gb"),
        ("MCX75310AAS-NEAT", "", "alias", "nvidia-connectx-7-mcx75310aas-neat-ndr400-1-port-osfp"),
        ("", "Samsung M321R8GA0PB0-CWMKJ 64GB RDIMM", "contained", "samsung-m321r8ga0pb0-cwmkj"),
        ("", "AMD EPYC™ 9654 (96 cores, 2.4 GHz)", "contained", "amd-epyc-9654"),
        ("", "Heatsink for EPYC 9654", "none", None),
        ("", "散热器 适用 EPYC 9654", "none", None),
        ("", "AS-8125GS-TNHR with 2x EPYC 9654", "none", None),
        ("", "EPYC 9654-X3", "none", None),
        ("", "MCX75310AAS-NEAT-SP", "none", None),
        ("", "EPYC", "none", None),
        ("", "EYPC 9654", "none", None),
        ("", "EPYC 9355X", "none", None),
        ("XYZ-1", "nothing of the kind", "none", None),
    ],
)
def test_matching(number: str, text: str, how: str, part: str | None) -> None:
    found, _ = match(index(), number, (text,) if text else (), accept_fuzzy=False)
    assert (found.how, found.part) == (how, part)


def test_fuzzy_never_crosses_model_numbers() -> None:
    """`EPYC 9355X` is like `EPYC 9355`, and another thing."""
    taken = [
        match(index(), "", (t,), accept_fuzzy=True)[0]
        for t in ("EYPC 9654", "EPYC 9355X", "EPYC 9658", "Xeon Platinum 8481")
    ]
    assert [m.part for m in taken] == ["amd-epyc-9654", None, None, None]
    assert all(m.candidates for m in taken)


def test_every_catalog_name_is_found() -> None:
    """By id, by name where no other part has it, and by vendor and name."""
    for p in catalog().parts.values():
        assert match(index(), p.id, (), accept_fuzzy=False)[0].part == p.id
        if len({q.id for q in catalog().parts.values() if q.name == p.name}) == 1:
            assert match(index(), p.name, (), accept_fuzzy=False)[0].part == p.id, p.name


@pytest.mark.parametrize(
    "text",
    [
        "安装调试",
        "三年原厂维保",
        "Freight",
        "5 year NBD support",
        "Versandkosten",
        "Softwarelizenz",
        "On-site installation",
    ],
)
def test_services(text: str) -> None:
    assert is_service(text)


@pytest.mark.parametrize("text", ["EPYC 9654", "supports PCIe 5", "散热器", "Netzteil 1600 W"])
def test_no_services(text: str) -> None:
    assert not is_service(text)


def test_an_ambiguous_number_stays_open(tmp_path: Path) -> None:
    q = read_text(tmp_path, "P/N;Qty;Unit price EUR\nEPYC 9654;2;6.480\n")
    assert q.lines[0].unit_price is None
    assert [i.code for i in q.lines[0].issues] == ["ambiguous-number"]
    settled = read_text(tmp_path, "P/N;Qty;Unit price EUR\nEPYC 9654;2;6.480\n", mapping=Mapping(decimal=","))
    assert settled.lines[0].unit_price == 6480


def test_arithmetic_settles_what_the_column_cannot(tmp_path: Path) -> None:
    q = read_text(tmp_path, "P/N;Qty;Unit price;Total USD\nEPYC 9654;2;6.480;12960\n")
    assert q.lines[0].unit_price == 6480
    assert "number-by-arithmetic" in [i.code for i in q.lines[0].issues]


@pytest.mark.parametrize(
    ("rows", "codes"),
    [
        ("EPYC 9654,2,100.00,200.00\nTotal,,,200.00", []),
        ("EPYC 9654,2,100.00,210.00", ["line-arithmetic"]),
        ("EPYC 9654,2,100.00,200.00\nTotal,,,210.00", ["sum-arithmetic"]),
        ("EPYC 9654,2,100.00,200.00\nVAT 19%,,,40.00\nGrand total,,,240.00", ["tax-arithmetic"]),
        ("EPYC 9654,2,100.00,200.00\nVAT 19%,,,38.00\nGrand total,,,238.00", []),
        ("EPYC 9654,2,100.00,200.00\nDiscount,,,20.00\nVAT 19%,,,34.20\nGrand total,,,214.20", []),
        ("EPYC 9654,2,100.00,200.00\nSubtotal,,,200.00\nEPYC 9554,1,50.00,50.00\nSubtotal,,,50.00\nTotal,,,250.00", []),
        ("EPYC 9654,2,100.00,200.00\nSubtotal,,,300.00\nTotal,,,200.00", ["subtotal-arithmetic"]),
    ],
)
def test_sums(rows: str, codes: list[str], tmp_path: Path) -> None:
    q = read_text(tmp_path, f"Part number,Qty,Unit price USD,Total\n{rows}\n")
    assert [i.code for i in q.all_issues if i.severity == "error"] == codes


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ("EPYC 9654,2,119.00,283.22", "tax-counted-twice"),
        ("EPYC 9654,2,119.00,238.00\nVAT 19%,,,45.22\nTotal,,,283.22", "tax-counted-twice"),
    ],
)
def test_tax_twice(rows: str, code: str, tmp_path: Path) -> None:
    q = read_text(tmp_path, f"Part number,Qty,Unit price incl. VAT (EUR),Total\n{rows}\nAll prices incl. 19% VAT,,,\n")
    assert [i.code for i in q.all_issues if i.severity == "error"] == [code]


def test_net_and_gross_columns(tmp_path: Path) -> None:
    q = read_text(tmp_path, "型号,数量,未税单价,税率,含税小计\nEPYC 9654,2,100.00,13%,226.00\n合计,,,,226.00\n")
    assert [i.code for i in q.all_issues if i.severity == "error"] == ["no-currency"]
    assert (q.lines[0].tax, q.lines[0].total_tax, q.lines[0].tax_rate) == ("net", "gross", 13)


def test_packs(tmp_path: Path) -> None:
    q = read_text(
        tmp_path,
        "P/N,Qty,UOM,Pack size,Unit price USD,Total\nSN2201,3,box,10,80.50,241.50\n"
        "QM9700,30,pcs,10,80.50,241.50\nQM9790,3,?,10,80.50,241.50\n",
    )
    assert [(x.pieces, x.priced_per_pack) for x in q.lines] == [(30, False), (30, True), (None, False)]
    assert [i.code for i in q.lines[2].issues] == ["pack-unclear"]


def test_many_columns_of_the_vendors_own(tmp_path: Path) -> None:
    own = [f"Spec {i}" for i in range(15)]
    text = f"P/N,Description,Qty,Unit price USD,{','.join(own)}\nEPYC 9654,CPU,2,6480.00,{','.join(own)}\n"
    assert read_text(tmp_path, text).lines[0].matched.part == "amd-epyc-9654"


def test_what_a_server_contains_has_no_price_of_its_own(tmp_path: Path) -> None:
    head = "SKU,Description,Qty,Unit Price,Subtotal"
    rows = 'PowerEdge XE9680,server,1,"$325,000.00","$325,000.00"\n,EPYC 9654,2,,\n,,,Total,"$325,000.00"'
    q = read_text(tmp_path, f"{head}\n{rows}\n")
    assert [(x.included, [i.code for i in x.issues]) for x in q.lines] == [(False, []), (True, ["included-by-sum"])]
    other = read_text(tmp_path, f"{head}\n{rows}\n".replace('Total,"$325', 'Total,"$326'))
    assert "included-by-sum" not in [i.code for i in other.all_issues]


def test_a_mapping_names_only_what_exists(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="unknown-part"):
        read_text(tmp_path, "P/N,Qty\nA,1\n", mapping=Mapping(parts={"A": "no-such-part-at-all"}))
    with pytest.raises(InputError, match="unknown-sheet"):
        read_text(tmp_path, "P/N,Qty\nA,1\n", mapping=Mapping(sheet="Offer"))
    (tmp_path / "map.toml").write_text('currencyy = "USD"\n[columns]\nA = { field = "price" }\n', encoding="utf-8")
    with pytest.raises(InputError) as e:
        read_mapping(tmp_path / "map.toml")
    assert {f.column for f in e.value.faults} == {"currencyy", "columns.A.field"}


def test_a_file_without_a_header_by_mapping(tmp_path: Path) -> None:
    columns = {"A": {"field": "part_number"}, "B": {"field": "qty"}, "C": {"field": "unit_price"}}
    given = Mapping.model_validate({"header_row": 1, "columns": columns, "currency": "USD", "tax": "net"})
    q = read_text(tmp_path, "x,y,z\nEPYC 9654,2,6480\n", mapping=given)
    assert (q.lines[0].matched.part, q.lines[0].pieces, q.all_issues) == ("amd-epyc-9654", 2, ())


@pytest.mark.parametrize(
    ("rows", "code"),
    [("EPYC 9654,2,1", "no-platform"), ("AS-8125GS-TNHR,1,1\nAS-4125GS-TNRT,1,1", "mixed-nodes")],
)
def test_no_build(rows: str, code: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=code):
        to_build(read_text(tmp_path, f"P/N,Qty,Unit price USD\n{rows}\n"), catalog())


def test_nodes_spares_and_boards(tmp_path: Path) -> None:
    rows = "AS-8125GS-TNHR,2,1\nH100 SXM5 80GB,16,1\n935-24287-0301,2,1\nEPYC 9654,4,1"
    rows += "\nPWS-3K06G-2R,13,1\nQM9700,1,1\nmystery,1,1"
    placed = to_build(read_text(tmp_path, f"P/N,Qty,Unit price USD\n{rows}\n"), catalog())
    node = {
        "supermicro-as-8125gs-tnhr": 1,
        "amd-epyc-9654": 2,
        "nvidia-hgx-h100-8-gpu-baseboard-935-24287-0301": 1,
        "supermicro-pws-3k06g-2r": 6,
    }
    assert (placed.build.nodes, placed.build.node, placed.build.shared) == (2, node, {"nvidia-qm9700": 1})
    assert placed.left_over == {"supermicro-pws-3k06g-2r": 1}
    assert [x.text for x in placed.unplaced] == ["mystery"]
    assert {n.code for n in placed.notices} == {"on-the-board", "left-over"}


@pytest.mark.parametrize(
    "cell",
    [
        "投标人（盖章）：江北智云信息科技有限公司    日期：2026年11月20日",
        "投标人：江北智云信息科技有限公司　　日期：2026年11月20日",
        "Vendor: Northgate Systems Ltd    Date: 20 November 2026",
        "Vendor: Northgate Systems Ltd   Quote No.: N-17   Date: 20 November 2026",
    ],
)
def test_statements_that_blanks_part(cell: str, tmp_path: Path) -> None:
    """A date behind the vendor's name is no part of it."""
    path = tmp_path / "bid.csv"
    path.write_text(f"Part Number,Qty,Unit price\nNVIDIA H100 SXM5 80GB,8,30000\n{cell},,\n")
    quote = read(path, load())
    assert quote.vendor in ("江北智云信息科技有限公司", "Northgate Systems Ltd")
    assert str(quote.quote_date) == "2026-11-20"


@pytest.mark.parametrize(
    "word", ["nur EP", "nur Einheitspreis", "rate only", "Unit price only", "仅报单价", "単価のみ"]
)
def test_a_price_of_a_piece_alone_is_in_no_sum(word: str, tmp_path: Path) -> None:
    """What may be called on later stands with its price for one, and is no fault of the file."""
    path = tmp_path / "bid.csv"
    head, firm_row, sums = "Part Number,Qty,Unit price EUR,Total EUR", "PM1743 7.68TB,8,1640,13120", "Total,,,13120"
    path.write_text("\n".join((head, firm_row, f"PM1743 3.84TB,4,1599,{word}", sums)), encoding="utf-8")
    quote = read(path, load())
    firm, open_ = quote.lines
    assert (firm.optional, open_.optional) == (False, True)
    assert open_.unit_price == 1599
    assert not [x for x in quote.all_issues if x.severity == "error"]
