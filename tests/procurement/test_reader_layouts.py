"""Layouts of distributors, configurators and tenders: what a buyer reads in each is the expectation, replayed too."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest

from optimizer.procurement.reading.document import Quote
from optimizer.procurement.reading.line.match import match
from optimizer.procurement.reading.reader import read
from tests.procurement.test_reader_habits import catalog
from tests.procurement.test_reader_words import index

HEAD = "Part Number,Description,Qty,Unit Price USD,Total USD"


def quote(folder: Path, text: str) -> Quote:
    """The file as read, and the same when the mapping that it wrote is replayed."""
    path = folder / "q.csv"
    path.write_text(text, encoding="utf-8")
    found = read(path, catalog())
    again = read(path, catalog(), mapping=found.mapping)
    assert [(x.pieces, x.unit_price, x.amount) for x in again.lines] == [
        (x.pieces, x.unit_price, x.amount) for x in found.lines
    ]
    return found


def codes(q: Quote) -> set[str]:
    return {i.code for i in q.all_issues} - {"tax-basis-unknown"}


NAMED = [
    ("NVIDIA HGX H100 8-GPU SXM 80GB 700W", "nvidia-hgx-h100-8-gpu-baseboard-935-24287-0301"),
    ("AMD Instinct MI325X UBB 8-GPU (8 OAM) platform", "amd-mi325x-ubb-platform-8-oam"),
    ("HGX H200 4-GPU", "nvidia-hgx-h200-4-gpu-baseboard"),
    ("H20 模组 8卡", "nvidia-hgx-h20-8-gpu-baseboard"),
    ("HGX A100 8-GPU", None),  # of 40 or 80 GB
    ("HGX H200 8-GPU server", None),
    ("1x Supermicro SYS-821GE-TNHR incl. 2x Xeon Platinum 8480+ and HGX H200 8-GPU baseboard", None),
    ("8卡RTX 4090D 推理服务器", None),
    ("RTX 5090 workstation", None),
    ("4U server with EPYC 9654 CPUs", None),
    ("AMD EPYC 9654 server CPU", "amd-epyc-9654"),
    ("NVIDIA RTX PRO 6000 Blackwell Server Edition", "nvidia-rtx-pro-6000-blackwell-server-96gb"),
    ("RTX A6000 Ada", "nvidia-rtx-6000-ada-48gb"),
    ("NVIDIA A100 80GB PCIe (900-21001-0020-000)", "nvidia-a100-pcie-80gb"),
    ("AMD EPYC 9654 tray", "amd-epyc-9654"),
    ("Intel Xeon 6767P Processor for HPE", "intel-xeon-6767p"),
    ("NVIDIA ConnectX-7 MCX75310AAS-NEAT Adapter", "nvidia-connectx-7-mcx75310aas-neat-ndr400-1-port-osfp"),
    ("PM9A3 3.84TB with caddy", "samsung-pm9a3-3.84tb"),
    ("QM9700 switch incl. rail kit", "nvidia-qm9700"),
    ("caddy for PM9A3 3.84TB", None),
    ("heatsink for EPYC 9654", None),
    ("Power module for NVIDIA QM9700", None),
    ("NVIDIA L40S 48GB for Dell", "nvidia-l40s-48gb"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "part"), NAMED)
def test_boards_machines_and_what_comes_with_a_part(text: str, part: str | None) -> None:
    assert match(index(), "", (text,), accept_fuzzy=False)[0].part == part


def test_a_boards_name_beside_its_gpus(tmp_path: Path) -> None:
    x = quote(tmp_path, f"{HEAD}\n8×H200 141GB SXM5,HGX H200 8-GPU baseboard,1,236000,236000\n").lines[0]
    assert (x.matched.part, x.pieces) == ("nvidia-hgx-h200-8-gpu-baseboard", 1)


def test_prices_by_quantity(tmp_path: Path) -> None:
    for ab in ("Preis ab 1 Stk EUR;Preis ab 10 Stk EUR;Preis ab 50 Stk EUR", "1+;10+;50+", "1-9;10-49;50+"):
        q = quote(tmp_path, f"Herst.-Nr.;Menge;{ab};Gesamt EUR\nCT32G56C46U5;64;318,90;299,50;289,90;18.553,60\n"
                  "EPYC 9654;12;6000,00;5500,00;5000,00;66.000,00\nRTX 5090;2;3890,00;3790,00;;7.780,00\n")  # fmt: skip
        assert [x.unit_price for x in q.lines] == [Decimal("289.90"), 5500, 3890] and not codes(q)
        assert [n.code for n in q.notices if n.code != "encoding"] == ["price-breaks"] and q.currency == "EUR"


def test_two_tables_side_by_side(tmp_path: Path) -> None:
    head = "Part,Description,Qty,Unit £,Total £"
    rows = ["EPYC 9355,Turin,2,3100,6200,,SN2201,switch,1,3300,3300",
            "RTX 5090,GPU,4,3600,14400,,E810-XXVDA2,NIC,2,310,620",
            ",,,,,,,Total,,,24520"]  # fmt: skip
    q = quote(tmp_path, "\n".join([f"{head},,{head}", *rows]) + "\n")
    found = [(x.matched.part, x.pieces, x.unit_price) for x in q.lines]
    assert found == [("amd-epyc-9355", 2, 3100), ("nvidia-rtx-5090-32gb", 4, 3600), ("nvidia-sn2201", 1, 3300),
                     ("intel-e810-xxvda2-25g-2-port", 2, 310)]  # fmt: skip
    assert not codes(q) and "side-by-side" in {n.code for n in q.notices}


def test_a_price_that_two_lines_below_happen_to_sum_to_stays(tmp_path: Path) -> None:
    rows = ["QM9700,switch,1,12000,12000", "EPYC 9654,CPU,1,8000,8000", "RTX 5090,GPU,1,4000,4000"]
    q = quote(tmp_path, "\n".join([HEAD, *rows]) + "\n")
    assert [x.amount for x in q.lines] == [12000, 8000, 4000] and codes(q) == {"maybe-added-up"}
    q = quote(tmp_path, "\n".join([HEAD, *rows, ",Total,,,24000"]) + "\n")
    assert [x.amount for x in q.lines] == [12000, 8000, 4000] and not codes(q)
    rows[0] = ",Rack installation,1,12000,12000"
    assert not codes(quote(tmp_path, "\n".join([HEAD, *rows]) + "\n"))


PER_NODE = ["AS-8125GS-TNHR,1,25000,25000", "EPYC 9654,2,6000,12000", "M321R8GA0PB0-CWMKJ,24,2000,48000"]


def test_quantities_of_one_node(tmp_path: Path) -> None:
    head = "Model,Qty per node,Unit Price USD,Total"
    q = quote(tmp_path, "\n".join([head, *PER_NODE, "Total per node,,,85000", "Total 2 nodes,,,170000"]) + "\n")
    assert [x.pieces for x in q.lines] == [2, 4, 48] and [x.amount for x in q.lines] == [50000, 24000, 96000]
    assert codes(q) == {"times-nodes"}
    q = quote(tmp_path, "\n".join([head, *PER_NODE]) + "\n")
    assert [x.pieces for x in q.lines] == [1, 2, 24] and codes(q) == {"per-node"}
    section = [
        "Model,Qty,Unit Price USD,Total",
        "Compute node (x2 nodes),,,",
        *PER_NODE,
        "Shared,,,",
        "QM9700,1,30000,30000",
    ]
    q = quote(tmp_path, "\n".join([*section, "Total,,,200000"]) + "\n")
    assert [x.pieces for x in q.lines] == [2, 4, 48, 1] and codes(q) == {"times-nodes"}
    q = quote(tmp_path, "\n".join([*section, "Total,,,115000"]) + "\n")
    assert [x.pieces for x in q.lines] == [1, 2, 24, 1] and not codes(q)


def test_quantities_per_system_and_how_many_systems(tmp_path: Path) -> None:
    head = "Description,SKU,Qty per System,Unit Price USD,Price per System,No. of Systems,Ext. Price"
    rows = ["PowerEdge XE9680,210-A,1,324450,324450,2,648900", "Xeon Platinum 8480+,338-B,2,included,,2,",
            "NVIDIA HGX H100 8-GPU,490-C,1,included,,2,", ",,,,,Total,648900"]  # fmt: skip
    q = quote(tmp_path, "\n".join([head, *rows]) + "\n")
    assert [x.pieces for x in q.lines] == [2, 4, 2] and codes(q) <= {"times-systems", "in-bundle"}
    assert q.lines[0].amount == 648900 and q.lines[0].holds == (3, 4)


def test_counts_in_a_text_below_a_priced_server(tmp_path: Path) -> None:
    rows = ["Supermicro AS-4125GS-TNRT,4,62990,251960", "2 x AMD EPYC 9354 Processor,,,", "4 x NVIDIA L40S,,,"]
    q = quote(tmp_path, "\n".join(["Description,Qty,Unit Price USD,Total", *rows]) + "\n")
    assert [x.pieces for x in q.lines] == [4, 8, 16] and q.lines[0].holds == (3, 4)


def test_a_maker_beside_its_number_and_names_under_item(tmp_path: Path) -> None:
    q = quote(tmp_path, "Mfr,Mfr Part #,Description,Qty,Your Price\nAMD,EPYC 9654,96 cores,2,6000\n")
    assert q.lines[0].matched.part == "amd-epyc-9654" and q.lines[0].brand == "AMD"
    q = quote(tmp_path, "SKU,Item,Qty,Price USD\nX-1,NVIDIA L40S 48GB,2,7450\nX-2,NVIDIA L40 48GB,1,6190\n")
    assert [x.matched.part for x in q.lines] == ["nvidia-l40s-48gb", "nvidia-l40-48gb"]


FIGURES = [
    ("PM9A3 3.84TB,7.68TB NVMe U.2", "figure-conflict"),
    ("NVIDIA H200 NVL 141GB,H200 NVL 94GB", "figure-conflict"),
    ("EPYC 9354,EPYC 9354 64 Cores 360W", "figure-conflict"),
    ("EPYC 9354,EPYC 9354 32C/64T", None),
    ("MCX75310AAS-HEAT,ConnectX-7 400 Gb/s NDR OSFP", "figure-conflict"),
    ("MCX75310AAS-HEAT,ConnectX-7 200G NDR", None),
    ("MG09 18TB,20TB HDD（以18TB代）", None),
    ("Samsung PM9A3 3.84TB,U.2 NVMe 4GB DRAM cache", None),
]


@pytest.mark.parametrize(("cells", "code"), FIGURES)
def test_figures_that_are_not_the_parts(tmp_path: Path, cells: str, code: str | None) -> None:
    assert codes(quote(tmp_path, f"{HEAD}\n{cells},1,1000,1000\n")) == ({code} if code else set())


@pytest.mark.parametrize(
    ("said", "until"),
    [
        ("Bindefrist: 15.12.2026. Zahlbar 14 Tage netto", date(2026, 12, 15)),
        ("有效期至2026-12-15，交货期45天", date(2026, 12, 15)),
        ("Prices valid until 2026-12-15. Payment: net 30 days", date(2026, 12, 15)),
        ("gültig bis 15. Dezember 2026, Lieferzeit 60 Tage", date(2026, 12, 15)),
        ("Offer good through 12/15/2026", None),  # nothing says which is the month: 15 can't be one
        ("Date: Nov.20,2026 - prices valid 14 days", date(2026, 12, 4)),
        ("Quote date 2026-11-20; valid 30 days", date(2026, 12, 20)),
    ],
)
def test_validity_beside_other_days(tmp_path: Path, said: str, until: date | None) -> None:
    expected = until or date(2026, 12, 15)
    assert quote(tmp_path, f'"{said}"\n{HEAD}\nEPYC 9654,CPU,1,6000,6000\n').valid_until == expected


def test_units_and_invoices_in_chinese_notes(tmp_path: Path) -> None:
    q = quote(
        tmp_path,
        "单位：万元人民币（含13%专票）\n型号,数量,单价,小计\nQM9700,1,10,10\n"
        "EPYC 9654,2,4,8\n合计人民币大写：壹拾捌万元整\n",
    )
    assert (q.currency, q.tax, q.tax_rate) == ("CNY", "gross", 13)
    assert [x.amount for x in q.lines] == [100000, 80000] and not codes(q)
    q = quote(tmp_path, "型号,数量,单价（元）,含税金额\nEPYC 9654,2,6000,12000\n")
    assert q.lines[0].line_total == 12000 and q.lines[0].total_tax == "gross"


def test_chinas_tax_names_the_currency(tmp_path: Path) -> None:
    q = quote(
        tmp_path, "型号,数量,单价,小计\nEPYC 9654,2,6000,12000\n合计,,,12000\n增值税(13%),,,1560\n价税合计,,,13560\n"
    )
    assert (q.currency, q.tax, codes(q)) == ("CNY", "net", {"currency-by-tax"})
    assert quote(tmp_path, "型号,数量,单价,小计\nEPYC 9654,2,6000,12000\n").currency == ""


def test_words_are_held_against_figures_where_a_line_has_no_amount(tmp_path: Path) -> None:
    rows = "QM9700,1,100000,100000\nEPYC 9654,2,,\n合计,,,100000\n大写,壹拾捌万元整,,\n"
    assert "words-arithmetic" in codes(quote(tmp_path, f"型号,数量,单价（元）,小计\n{rows}"))


def test_german_sums_and_an_alternative_in_brackets(tmp_path: Path) -> None:
    rows = ["EPYC 9654;2;6000;12000", '"Alternativposition: Kioxia CD8P-R 7.68TB statt Pos. 5";4;1790;(7160)',
            "Nettowert;;;12000", "Umsatzsteuer 19 %;;;2280", "Bruttowert;;;14280"]  # fmt: skip
    q = quote(tmp_path, "\n".join(["Bezeichnung;Menge;Einzelpreis EUR;Gesamtpreis", *rows]) + "\n")
    assert [(x.amount, x.optional) for x in q.lines] == [(12000, False), (7160, True)]
    assert [t.kind for t in q.totals] == ["total_net", "tax", "total_gross"] and q.tax == "net" and not codes(q)


def test_goods_services_and_rows_that_are_neither(tmp_path: Path) -> None:
    rows = ["SR675,Server : ThinkSystem SR675 V3 - 3yr Base Warranty,2,189500,379000",
            "5PS7,Premier Essential - 3Yr 24x7 4Hr Resp,2,12000,24000", "BOX,Wooden case and export packing,1,500,500",
            "P67092-B21,AMD EPYC 9555,2,5890,11780", "P67092-B21 0D1,Factory Integrated,2,0,0",
            "BANK,Bank charges,1,30,30"]  # fmt: skip
    q = quote(tmp_path, "\n".join([HEAD, *rows]) + "\n")
    assert [x.role for x in q.lines] == ["part", "service", "service", "part", "service"]
    assert [x.row for x in q.lines] == [2, 3, 4, 5, 7]


@pytest.mark.parametrize("shown", ['#,##0.00 "€"', "#,##0.00\\ [$€-407]", "[$EUR] #,##0.00"])
def test_the_currency_of_a_format_that_openpyxl_wrote(tmp_path: Path, shown: str) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["Artikel", "Menge", "Einzelpreis", "Gesamtpreis"])
    sheet.append(["EPYC 9654", 2, 6000, 12000])
    for cell in ("C2", "D2"):
        sheet[cell].number_format = shown
    book.save(tmp_path / "q.xlsx")
    q = read(tmp_path / "q.xlsx", catalog())
    assert q.currency == "EUR" and codes(q) == set()
