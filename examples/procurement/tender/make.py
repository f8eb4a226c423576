"""Makes the three bids of this folder: `python examples/procurement/tender/make.py [FOLDER]`.

One tender: a server of eight GPUs for DeepSeek-V3, installed, with three years on site. Vendors are made up; parts are
those of the shipped catalog, prices are near its offers. The same bytes come out every time."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import xlsxwriter

HERE = Path(__file__).parent
Item = tuple[str, str, int, str]
"""(part number, description, quantity, unit price)"""


def cents(x: Decimal) -> Decimal:
    return x.quantize(Decimal("0.01"), ROUND_HALF_UP)


def total(items: Sequence[Item]) -> Decimal:
    return sum((Decimal(p) * q for _, _, q, p in items), Decimal(0))


def german(x: Decimal) -> str:
    return f"{cents(x):,.2f}".replace(",", "_").replace(".", ",").replace("_", ".")


def workbook(path: Path, rows: dict[int, Sequence[Any]], money: str) -> None:
    """Rows by spreadsheet number; tuples are (formula, value)."""
    book = xlsxwriter.Workbook(path)
    book.set_properties({"created": datetime(2026, 11, 20), "author": "made for dsopt"})
    ws, style = book.add_worksheet("Quote"), book.add_format({"num_format": money})
    for number, cells in rows.items():
        for c, x in enumerate(cells):
            if isinstance(x, tuple):
                ws.write_formula(number - 1, c, x[0], style, float(x[1]))
            elif isinstance(x, Decimal):
                ws.write_number(number - 1, c, float(x), style)
            elif x != "":
                ws.write(number - 1, c, x)
    book.close()


def alder(folder: Path) -> None:
    """English .xlsx, US dollars net of tax: all that was asked for, and a switch as an option."""
    items: list[tuple[str, str, int, str, str]] = [
        ("SYS-821GE-TNHR", "Supermicro 8U GPU server, dual Xeon, HGX ready", 1, "25900.00", "6-8 weeks"),
        ("HGX H200 8-GPU baseboard", "NVIDIA HGX H200, 8 x 141 GB", 1, "238900.00", "8 weeks"),
        ("Xeon Gold 6530", "Intel, 32 cores", 2, "2190.00", "in stock"),
        ("M321R4GA3EB0-CWM", "Samsung 32 GB DDR5-5600 RDIMM", 32, "968.00", "2 weeks"),
        ("PM9A3 3.84TB", "Samsung U.2 NVMe", 4, "1045.00", "2 weeks"),
        ("X550-T2 10G 2-port", "Intel network card", 1, "124.00", "in stock"),
        ("", "3-year next business day on-site support", 1, "21500.00", ""),
        ("", "Rack installation and commissioning", 1, "4200.00", ""),
        ("", "Freight, insured", 1, "1850.00", ""),
    ]
    rows: dict[int, Sequence[Any]] = {
        1: ["Alder Systems Inc."],
        2: ["Quote no: AS-1187", "", "", "Date: 2026-11-19"],
        3: ["Valid until: 2026-12-31", "", "", "Currency: USD"],
        5: ["Item", "Part Number", "Description", "Qty", "Unit Price", "Ext. Price", "Lead time"],
    }
    r = 6
    for i, (pn, text, qty, price, lead) in enumerate(items, 1):
        rows[r] = [i, pn, text, qty, Decimal(price), (f"=D{r}*E{r}", Decimal(price) * qty), lead]
        r += 1
    net = total([x[:4] for x in items])
    rows[r] = ["", "", "", "", "Total excl. tax", (f"=SUM(F6:F{r - 1})", net)]
    rows[r + 2] = ["OPTIONS (not included in total)"]
    rows[r + 3] = [10, "SN2201", "NVIDIA management switch", 1, Decimal("4150.00"), Decimal("4150.00"), "4 weeks"]
    rows[r + 5] = ["Prices exclude tax. Payment: 30 days."]
    workbook(folder / "alder.xlsx", rows, "#,##0.00")


def baiyun(folder: Path) -> None:
    """Chinese .xlsx, yuan with 13 % tax in every price; smaller GPUs, no network card, no freight."""
    items: list[tuple[str, str, str, int, str, str, str]] = [
        ("浪潮", "NF5688M7", "6U 8卡服务器，双路", 1, "台", "201000", "4周"),
        ("英伟达", "HGX H20 8-GPU baseboard", "8×H20 96GB", 1, "套", "762000", "5周"),
        ("Intel", "Xeon Platinum 8480+", "56核", 2, "颗", "31500", "现货"),
        ("三星", "M321R8GA0PB0-CWMKJ", "64GB DDR5-5600", 16, "条", "15400", "现货"),
        ("三星", "PM9A3 3.84TB", "U.2 NVMe", 4, "块", "8350", "现货"),
        ("", "", "原厂三年上门服务", 1, "项", "96000", ""),
        ("", "", "安装调试", 1, "项", "18000", ""),
    ]
    rows: dict[int, Sequence[Any]] = {
        1: ["白云智算科技有限公司  报价明细表"],
        2: ["报价编号：BY-2026-118", "", "", "", "报价日期：2026-11-20"],
        3: ["币种：人民币", "", "", "", "有效期至：2026-12-20"],
        5: ["序号", "品牌", "型号", "技术参数", "数量", "单位", "含税单价", "含税小计", "货期"],
    }
    gross = Decimal(0)
    for i, (brand, pn, text, qty, unit, price, lead) in enumerate(items, 1):
        r = 5 + i
        gross += Decimal(price) * qty
        rows[r] = [i, brand, pn, text, qty, unit, Decimal(price), (f"=E{r}*G{r}", Decimal(price) * qty), lead]
    rows[13] = ["", "", "", "", "", "", "合计（含税）", ("=SUM(H6:H12)", gross)]
    rows[15] = ["备注：含13%增值税专用发票；交货地点：广州。"]
    workbook(folder / "baiyun.xlsx", rows, "#,##0.00")


def corvus(folder: Path) -> None:
    """German .csv, euros net: expired, its sum 9,000.00 too low, dear drives, support and installation left out."""
    items: list[tuple[str, str, int, str, str]] = [
        ("AS-8125GS-TNHR", "Supermicro 8U GPU-Server, 2x SP5", 1, "22400.00", "8 Wochen"),
        ("HGX H200 8-GPU baseboard", "NVIDIA HGX H200", 1, "209800.00", "10 Wochen"),
        ("EPYC 9354", "AMD, 32 Kerne", 2, "2590.00", "ab Lager"),
        ("M321R8GA0PB0-CWMKJ", "Samsung 64 GB DDR5-5600 RDIMM", 24, "1790.00", "2 Wochen"),
        ("PM9A3 3.84TB", "Samsung NVMe U.2", 4, "1390.00", "ab Lager"),
        ("X550-T2 10G 2-port", "Intel Netzwerkkarte", 1, "109.50", "ab Lager"),
        ("", "Versand und Versicherung", 1, "950.00", ""),
    ]
    out = [
        "Corvus Rechenzentren GmbH;;;;;;",
        "Angebot Nr.: 26-0417;;;Datum: 27.10.2026;;;",
        "Gültig bis: 20.11.2026;;;;;;",
        "Pos.;Artikelnummer;Bezeichnung;Menge;Einzelpreis netto €;Gesamtpreis €;Lieferzeit",
    ]
    for i, (pn, text, qty, price, lead) in enumerate(items, 1):
        out.append(f"{i};{pn};{text};{qty};{german(Decimal(price))};{german(Decimal(price) * qty)};{lead}")
    net = total([x[:4] for x in items]) - 9000
    tax = cents(net * Decimal("0.19"))
    out += [
        f";;Summe netto;;;{german(net)};",
        f";;zzgl. 19 % MwSt.;;;{german(tax)};",
        f";;Gesamtbetrag brutto;;;{german(net + tax)};",
        ";;;;;;",
        "Garantie 12 Monate. Zahlbar 30 Tage netto.;;;;;;",
    ]
    (folder / "corvus.csv").write_bytes("\r\n".join(out).encode("cp1252") + b"\r\n")


FILES = (alder, baiyun, corvus)

if __name__ == "__main__":
    for make in FILES:
        make(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
