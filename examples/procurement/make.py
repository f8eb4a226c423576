"""Makes the vendor files of this folder: `python examples/procurement/make.py [FOLDER] [--office]`.

All vendors are made up; parts are those of the shipped catalog, prices are near its offers. The same bytes come out
every time; `--office` also converts two of them with LibreOffice (.xls, .ods), whose bytes differ by its version."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import xlsb
import xlsxwriter

HERE = Path(__file__).parent
Item = tuple[str, str, int, str]
"""(part number, description, quantity, unit price)"""
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360f8cfc0000000030001"
    "5bb6eb430000000049454e44ae426082"
)


def cents(x: Decimal) -> Decimal:
    return x.quantize(Decimal("0.01"), ROUND_HALF_UP)


def german(x: Decimal) -> str:
    return f"{cents(x):,.2f}".replace(",", "_").replace(".", ",").replace("_", ".")


def total(items: Sequence[Item]) -> Decimal:
    return sum((Decimal(p) * q for _, _, q, p in items), Decimal(0))


class Book:
    """A workbook with a fixed date; cells are written with their formulas' values."""

    def __init__(self, path: Path) -> None:
        self.book = xlsxwriter.Workbook(path)
        self.book.set_properties({"created": datetime(2026, 11, 20), "author": "made for dsopt"})

    def sheet(
        self, name: str, rows: dict[int, Sequence[Any]], money: str = "#,##0.00", columns: Sequence[int] = ()
    ) -> Any:
        """Rows by spreadsheet number; Decimals are amounts, tuples (formula, value)."""
        ws = self.book.add_worksheet(name)
        style = self.book.add_format({"num_format": money})
        for number, cells in rows.items():
            for c, x in enumerate(cells):
                if isinstance(x, tuple):
                    ws.write_formula(number - 1, c, x[0], style, float(x[1]))
                elif isinstance(x, Decimal):
                    ws.write_number(number - 1, c, float(x), style)
                elif isinstance(x, str) and x:
                    ws.write_string(number - 1, c, x)
                elif x not in (None, ""):
                    ws.write(number - 1, c, x)
        return ws

    def close(self) -> None:
        self.book.close()


HOPPER: list[Item] = [
    ("AS-8125GS-TNHR", "Supermicro 8U chassis, dual SP5, HGX H100/H200 ready", 2, "25400.00"),
    ("935-24287-0301", "NVIDIA HGX H100 8-GPU baseboard, 640 GB HBM3", 2, "181500.00"),
    ("EPYC 9654", "AMD 96C 2.4 GHz 360 W", 4, "6480.00"),
    ("M321R8GA0PB0-CWMKJ", "Samsung 64 GB DDR5-5600 RDIMM", 48, "2310.00"),
    ("PM9A3 3.84TB", "Samsung NVMe U.2 PCIe 4", 8, "1040.00"),
    ("MCX75310AAS-NEAT", "ConnectX-7 NDR 400G single port OSFP", 16, "1585.00"),
    ("PWS-3K06G-2R", "3000 W titanium supply", 12, "1120.00"),
]


def brightrack(folder: Path) -> None:
    """English .xlsx: logo, header in row 8, sections, a sum with formulas, dollars only in the number format."""
    book = Book(folder / "brightrack-h100.xlsx")
    rows: dict[int, Sequence[Any]] = {
        2: ["", "BrightRack Systems Inc."],
        3: ["", "Quotation No:", "BR-20611"],
        4: ["", "Date:", "November 18, 2026"],
        5: ["", "Valid until:", "Dec 18, 2026"],
        8: ["Item", "Part Number", "Description", "Qty", "Unit Price", "Ext. Price", "Lead time"],
        9: ["Compute nodes"],
    }
    r = 10
    for i, (pn, text, qty, price) in enumerate(HOPPER, 1):
        rows[r] = [i, pn, text, qty, Decimal(price), (f"=D{r}*E{r}", Decimal(price) * qty), "6-8 weeks"]
        r += 1
    rows[r] = ["Services"]
    rows[r + 1] = [
        8,
        "BR-SVC-3NBD",
        "3-year next business day on-site support",
        2,
        Decimal(9800),
        (f"=D{r + 1}*E{r + 1}", Decimal(19600)),
        "",
    ]
    goods = total(HOPPER) + 19600
    tax = cents(goods * Decimal("0.0825"))
    rows[r + 3] = ["", "", "", "", "Subtotal", (f"=SUM(F10:F{r + 1})", goods)]
    rows[r + 4] = ["", "", "", "", "Sales Tax 8.25%", (f"=ROUND(F{r + 3}*0.0825,2)", tax)]
    rows[r + 5] = ["", "", "", "", "Grand Total", (f"=F{r + 3}+F{r + 4}", goods + tax)]
    rows[r + 7] = ["Terms: 50% with order, 50% net 30 days. Prices in US Dollars, excluding sales tax and freight."]
    ws = book.sheet("Quote", rows, "[$$-409]#,##0.00")
    image = folder / ".pixel.png"
    image.write_bytes(PIXEL)
    ws.insert_image("A1", str(image))
    book.close()
    image.unlink()


def nordlicht(folder: Path) -> None:
    """German .csv in Windows-1252, semicolons, decimal commas, net with VAT below."""
    items: list[Item] = [
        ("AS-4125GS-TNRT", "Supermicro 4U GPU-Server Barebone, 2x SP5", 1, "17850.00"),
        ("EPYC 9354", "AMD Prozessor 32 Kerne, 280 W", 2, "2649.90"),
        ("M321R4GA3EB0-CWM", "Samsung 32 GB DDR5-5600 RDIMM für AMD Genoa", 24, "899.50"),
        ("L40S 48GB", "NVIDIA Grafikbeschleuniger, passiv gekühlt", 8, "7.95"),
        ("PM9A3 3.84TB", "NVMe-SSD U.2", 4, "985.00"),
    ]
    items[3] = ("NVIDIA L40S", "Grafikbeschleuniger 48 GB, passiv gekühlt", 8, "7949.95")
    out = [
        "Nordlicht Rechentechnik GmbH;;;;;",
        "Angebot Nr.: 2026-4471;;;Datum: 19.11.2026;;",
        "Gültig bis: 31.12.2026;;;;;",
        ";;;;;",
        "Pos.;Artikelnummer;Bezeichnung;Menge;Einzelpreis netto €;Gesamtpreis €",
    ]
    for i, (pn, text, qty, price) in enumerate(items, 1):
        out.append(f"{i};{pn};{text};{qty} Stk.;{german(Decimal(price))};{german(Decimal(price) * qty)}")
    out.append("6;;Montage und Inbetriebnahme vor Ort;1 psch.;1.200,-;1.200,00")
    net = total(items) + 1200
    tax = cents(net * Decimal("0.19"))
    out += [
        f";;Summe netto;;;{german(net)}",
        f";;zzgl. 19 % MwSt.;;;{german(tax)}",
        f";;Gesamtbetrag brutto;;;{german(net + tax)}",
        ";;;;;",
        "Zahlbar 30 Tage netto. Lieferung frei Haus innerhalb Deutschlands.;;;;;",
    ]
    (folder / "nordlicht-l40s.csv").write_bytes("\r\n".join(out).encode("cp1252") + b"\r\n")


def xinghe(folder: Path) -> None:
    """Chinese .csv in GB18030: gross prices, some in 万, brands in Chinese, a service line."""
    items = [
        ("GPU服务器准系统", "超微 AS-8125GS-TNHR", "2台", "18.6万", "37.2万"),
        ("GPU模组", "英伟达 HGX H200 8-GPU baseboard", "2套", "178万", "356万"),
        ("处理器", "AMD EPYC 9654", "4颗", "￥58,000.00", "￥232,000.00"),
        ("内存", "三星 M321R8GA0PB0-CWMKJ", "48条", "￥17,300.00", "￥830,400.00"),
        ("固态硬盘", "Samsung PM9A3 3.84TB", "8块", "￥7,450.00", "￥59,600.00"),
        ("网卡", "MCX75310AAS-NEAT", "16张", "￥11,650.00", "￥186,400.00"),
        ("电源", "PWS-3K06G-2R", "12个", "￥8,150.00", "￥97,800.00"),
        ("安装调试", "", "1项", "￥15,000.00", "￥15,000.00"),
    ]
    out = [
        "星河智算科技有限公司,,,,,",
        "供应商：星河智算科技有限公司,,报价编号：XH-20261103,,日期：2026年11月20日,",
        "报价有效期：30天,,,,,",
        ",,,,,",
        "序号,名称,规格型号,数量,含税单价（元）,小计",
    ]
    out += [f'{i},{n},{m},{q},"{p}","{t}"' for i, (n, m, q, p, t) in enumerate(items, 1)]
    out += ['合计,,,,,"￥5,353,200.00"', "备注：以上价格含13%增值税，含运费；付款方式：款到发货。,,,,,"]
    (folder / "xinghe-h200.csv").write_bytes("\r\n".join(out).encode("gb18030") + b"\r\n")


def hanse(folder: Path) -> None:
    """German price list, .tsv in UTF-16, no quantities, numbers that only the column settles (`1.299`)."""
    rows = [
        ("Art.-Nr.", "Hersteller", "Bezeichnung", "Netto-EP", "Lieferzeit"),
        ("EPYC 9354", "AMD", "Server-CPU SP5 32 Kerne", "2.590", "ab Lager"),
        ("EPYC 9554", "AMD", "Server-CPU SP5 64 Kerne", "4.899", "ab Lager"),
        ("EPYC 9654P", "AMD", "Server-CPU SP5 96 Kerne, 1 Sockel", "5.120", "2 Wochen"),
        ("M321R8GA0PB0-CWMKJ", "Samsung", "RDIMM 64GB DDR5", "2.189,95", "2 Wochen"),
        ("RTX PRO 6000 Blackwell Server", "NVIDIA", "96 GB GDDR7, passiv", "10.899", "4 Wochen"),
        ("GeForce RTX 5090", "NVIDIA", "32 GB GDDR7", "3.799", "auf Anfrage"),
        ("QM9700", "NVIDIA", "InfiniBand-Switch NDR, 64 Ports", "auf Anfrage", "8 Wochen"),
        ("MMA4Z00-NS400", "NVIDIA", "Optik 400G OSFP SR4", "429,50", "ab Lager"),
    ]
    text = "\r\n".join(
        "\t".join(r)
        for r in [
            ("Hanse Komponenten KG - Preisliste KW 47, alle Preise in EUR zzgl. MwSt.",),
            ("Datum: 16.11.2026",),
            *rows,
        ]
    )
    (folder / "hanse-preisliste.tsv").write_bytes(b"\xff\xfe" + (text + "\r\n").encode("utf-16-le"))


def shenzhou(folder: Path) -> None:
    """Chinese .xlsx: merged title and categories, 万元, net and gross prices, tax rate, a hidden sheet of costs."""
    book = Book(folder / "shenzhou-h20.xlsx")
    rows: dict[int, Sequence[Any]] = {
        1: ["神州智造（深圳）技术有限公司  报价明细表"],
        2: ["报价单位：神州智造（深圳）技术有限公司", "", "", "报价日期：2026-11-21"],
        3: ["币种：人民币", "", "", "有效期至：2026年12月5日"],
        5: ["类别", "品牌", "料号", "技术参数", "数量", "单位", "未税单价(万元)", "税率", "含税小计(万元)", "货期"],
    }
    items = [
        ("服务器", "浪潮", "NF5688M7", "6U 8卡机头，双路", 1, "台", "18.2", "4周"),
        ("", "英伟达", "HGX H20 8-GPU baseboard", "8×H20 96GB，NVLink", 1, "套", "69.5", "6周"),
        ("", "Intel", "Xeon Platinum 8480+", "56核 2.0GHz", 2, "颗", "2.65", "现货"),
        ("配件", "三星", "M321R8GA0PB0-CWMKJ", "64GB DDR5-5600", 32, "条", "1.72", "现货"),
        ("", "三星", "PM9A3 3.84TB", "U.2 NVMe", 4, "块", "0.74", "现货"),
        ("", "浪潮", "2700 W (NF5688M7)", "钛金电源", 6, "个", "0.73", "现货"),
        ("服务", "", "", "原厂三年7×24上门服务", 1, "项", "6.8", ""),
    ]
    sum_gross = Decimal(0)
    for r, (kind, brand, pn, spec, qty, unit, price, lead) in enumerate(items, 6):
        gross = Decimal(price) * qty * Decimal("1.13")
        sum_gross += gross
        rows[r] = [
            kind,
            brand,
            pn,
            spec,
            qty,
            unit,
            Decimal(price),
            Decimal("0.13"),
            (f"=G{r}*E{r}*(1+H{r})", gross),
            lead,
        ]
    rows[13] = ["合计（含税，万元）", "", "", "", "", "", "", "", ("=SUM(I6:I12)", sum_gross)]
    rows[15] = ["备注：1. 交货地点：深圳；2. 付款方式：预付30%。"]
    ws = book.sheet("报价", rows, "#,##0.0000")
    plain = book.book.add_format({"bold": True})
    ws.merge_range("A1:J1", str(rows[1][0]), plain)
    for area, text in (("A6:A8", "服务器"), ("A9:A11", "配件")):
        ws.merge_range(area, text, plain)
    hidden = book.sheet("成本", {1: ["型号", "数量", "成本价"], 2: ["NF5688M7", 1, Decimal("160000")]})
    hidden.hide()
    book.close()


def ugly_english(folder: Path) -> None:
    """Truly ugly .xlsx: two-row header of merged cells, repeated header, hidden row and column, text numbers, a pack,
    a group price in a merged cell, subtotals, options, notes in between, a formula to another file, a second table."""
    book = Book(folder / "ugly-omnitech.xlsx")
    d = Decimal
    rows: dict[int, Sequence[Any]] = {
        1: ["OMNITECH TRADING FZE", "", "", "", "", "", "", "*** CONFIDENTIAL ***"],
        3: ["Supplier:", "Omnitech Trading FZE", "", "Quote valid until: 2026-12-15"],
        4: ["Ref: OT/11/886"],
        6: ["#", "Product", "", "Quantity", "", "Price (USD)", "", "margin", "Remarks"],
        7: ["", "Model", "Specification", "Qty", "UOM", "Unit", "Total", "", ""],
        8: ["A. GPU NODE"],
        9: ["1", "SYS-421GE-TNRT", "4U dual Xeon GPU server", "1", "set", "18,450.00", "18,450.00", d("0.12"), ""],
        10: [
            "2",
            "NVIDIA RTX PRO 6000 Blackwell Server",
            "96GB GDDR7",
            "8",
            "pcs",
            "11 250",
            "90,000.00",
            d("0.08"),
            "passive",
        ],
        11: ["3", "Xeon Platinum 8480+", "56C", "2", "pcs", "$ 4,150.00", "8300", d("0.1"), ""],
        12: ["", "", "- incl. thermal paste", "", "", "", "", "", ""],
        13: ["4", "M321R4GA3EB0-CWM", "32GB DDR5 RDIMM", "16", "pcs", d("955"), d("15280"), d("0.1"), ""],
        14: ["", "", "", "", "", "Sub-total A", "132,030.00"],
        15: ["NOTE: prices subject to final confirmation by manufacturer"],
        16: ["#", "Model", "Specification", "Qty", "UOM", "Unit", "Total", "margin", "Remarks"],
        17: ["B. NETWORK & MISC"],
        18: ["5", "MCP4Y10-N002", "2x400G OSFP DAC 2 m, pack of 2", "3", "pack", "530.00", "1,590.00", d("0.2"), ""],
        19: ["6", "Cat6A RJ45 patch cord 3 m", "", "10", "ea", "8.50", "85.00", "", ""],
        20: ["7", "PM9A3 3.84TB", "boot + data", "4", "pcs", "1,035.00", "4,140.00", "", ""],
        21: ["8", "2000 W Titanium (4U GPU)", "power supply", "4", "pcs", "included", "", "", ""],
        22: ["9", "Rail kit for SYS-421GE-TNRT", "", "1", "set", "0.00", "0.00", "", ""],
        23: ["10", "HNDL-FEE", "Handling", "1", "", "350.00", "350.00", "", "hidden"],
        24: ["", "", "", "", "", "Sub-total B", "6,165.00"],
        25: ["", "", "", "", "", "TOTAL USD", ("='[cost.xlsx]Sheet1'!$B$2", d("138195.00"))],
        27: ["C. OPTIONS (not included in total)"],
        28: ["11", "QM9700", "NDR switch", "1", "pcs", "33,100.00", "33,100.00", "", ""],
        30: ["Payment: 100% T/T in advance. All prices excluding VAT."],
    }
    ws = book.sheet("Sheet1", rows)
    ws.set_row(22, None, None, {"hidden": True})
    ws.set_column("H:H", None, None, {"hidden": True})
    plain = book.book.add_format({"bold": True})
    for area, text in (("B6:C6", "Product"), ("D6:E6", "Quantity"), ("F6:G6", "Price (USD)")):
        ws.merge_range(area, text, plain)
    book.close()


def ugly_chinese(folder: Path) -> None:
    """Truly ugly Chinese-English .xlsx, later .xls: no part numbers, counts in the text, bilingual header, typing
    errors, full-width digits, notes between lines, prices as text, a sum in words too."""
    book = Book(folder / "ugly-jingda.xlsx")
    rows: dict[int, Sequence[Any]] = {
        1: ["京达联创 JD-Link 配置及报价  V3(终版)改2"],
        2: ["致：某某大学信息中心"],
        5: ["序\n号", "配置描述 Description", "数量 Qty", "单价 Unit Price", "总价 Amount", "备注 Remark"],
        6: ["一、主机部分"],
        7: ["１", "Supermicro AS-4125GS-TNRT 准系统（4U八卡）", "１台", "125,000元", "125,000元", ""],
        8: ["２", "AMD EPYC 9554 处理器", "２颗", "36,800元", "73,600元", "盒装"],
        9: ["３", "三星 M321R4GA3EB0-CWN 内存 32G", "２４条", "6,650元", "159,600元", "可换海力士"],
        10: ["４", "8张 GeForce RTX 4090 D 涡轮版", "1", "132,000元", "132,000元", "整套"],
        11: ["注：显卡质保一年"],
        12: ["５", "4U机箱导轨 适用 AS-4125GS-TNRT", "１套", "600元", "600元", ""],
        13: ["", "", "", "小计：", "490,800元", ""],
        14: ["二、网络及其他"],
        15: ["６", "Mellanox MCX653105A-HDAT 200G 网卡", "1块", "9,200元", "9,200元", ""],
        16: ["７", "QM8700交换机（MQM8700-HS2F）", "1", "面议", "", "另行报价"],
        17: ["８", "系统集成及上架服务", "1", "8,000元", "8,000元", ""],
        18: ["", "", "", "小计：", "17,200元", ""],
        19: ["总计（大写）：伍拾万零捌仟元整", "", "", "", "508,000元", ""],
        20: ["说明：以上报价为含税价格（13%增值税专用发票），有效期15天。"],
    }
    ws = book.sheet("Sheet1 (2)", rows)
    ws.merge_range("A1:F1", str(rows[1][0]), book.book.add_format({"bold": True}))
    book.close()


def frauds(folder: Path) -> None:
    """English .xlsx with three deliberate frauds: a wrong sum, a swapped part, tax counted twice."""
    book = Book(folder / "frauds-veridian.xlsx")
    d = Decimal
    items: list[Item] = [
        ("PowerEdge XE9680", "Dell PowerEdge XE9680 6U, dual LGA4677", 1, "29750.00"),
        ("HGX H100 8-GPU baseboard 935-24287-0301", "NVIDIA HGX H100 8-GPU, 640 GB", 1, "213010.00"),
        ("Xeon Gold 6430", "Intel Xeon Platinum 8480+, 56 cores", 2, "12744.90"),
        ("M321R8GA0PB0-CWMKJ", "Samsung 64 GB DDR5-5600", 32, "2832.20"),
        ("2800 W Titanium (XE9680)", "Dell supply 2800 W", 6, "1266.16"),
    ]
    rows: dict[int, Sequence[Any]] = {
        1: ["Veridian Compute Ltd"],
        2: ["Offer no: VC-3391", "", "", "Currency: EUR"],
        4: ["Line", "Part No.", "Description", "Qty", "Unit price incl. VAT", "Line total incl. VAT"],
    }
    for r, (pn, text, qty, price) in enumerate(items, 5):
        rows[r] = [r - 4, pn, text, qty, d(price), d(price) * qty]
    wrong = total(items) + 9000
    tax = cents(wrong * d("0.19"))
    rows[10] = ["", "", "Sum", "", "", wrong]
    rows[11] = ["", "", "VAT 19%", "", "", tax]
    rows[12] = ["", "", "Total", "", "", wrong + tax]
    book.sheet("Offer", rows)
    book.close()


def professional(folder: Path) -> None:
    """The guide's professional build (examples/guide-professional.toml) as an integrator would quote it."""
    book = Book(folder / "guide-professional.xlsx")
    d = Decimal
    items: list[tuple[str, str, str, int, str, str]] = [
        ("AS-8125GS-TNHR", "Supermicro", "8U GPU服务器平台", 1, "台", "178000"),
        ("NVIDIA H100 SXM5 80GB", "NVIDIA", "8张 NVLink互联", 8, "张", "168000"),
        ("EPYC 7763", "AMD", "64核128线程", 2, "颗", "56000"),
        ("Generic DDR5-4800 RDIMM 32GB", "", "DDR5内存，共512GB", 16, "条", "8100"),
        ("PM9A3 3.84TB", "Samsung", "4TB NVMe SSD", 1, "块", "7300"),
        ("MG09 18TB", "Toshiba", "20TB HDD（以18TB代）", 1, "块", "2900"),
        ("MCX653105A-HDAT", "NVIDIA", "HDR 200Gbps InfiniBand", 1, "张", "9300"),
        ("3000 W Titanium (G593)", "Gigabyte", "电源", 2, "个", "8100"),
    ]
    rows: dict[int, Sequence[Any]] = {
        1: ["专业级（670B模型训练）配置报价单"],
        2: ["供应商：远帆集成"],
        3: ["报价日期：2026-11-22", "", "", "有效期至：2026-12-22"],
        5: ["序号", "型号", "品牌", "描述", "数量", "单位", "不含税单价（元）", "金额（元）"],
    }
    for r, (pn, brand, text, qty, unit, price) in enumerate(items, 6):
        rows[r] = [r - 5, pn, brand, text, qty, unit, d(price), (f"=E{r}*G{r}", d(price) * qty)]
    net = sum((d(p) * q for *_, q, _, p in items), d(0))
    tax = cents(net * d("0.13"))
    rows[14] = ["不含税合计", "", "", "", "", "", "", ("=SUM(H6:H13)", net)]
    rows[15] = ["增值税13%", "", "", "", "", "", "", ("=ROUND(H14*0.13,2)", tax)]
    rows[16] = ["价税合计", "", "", "", "", "", "", ("=H14+H15", net + tax)]
    book.sheet("报价单", rows)
    book.close()


def alpen(folder: Path) -> None:
    """Swiss .csv, UTF-8 with mark, bars: apostrophes, CHF, list price and discount, per piece."""
    out = [
        "AlpenCompute AG|||||",
        "Angebot|AC-0926||||",
        "Pos|Typ|Beschreibung|Anzahl|Listenpreis CHF|Rabatt|Preis CHF|Total CHF",
        "10|WD Black SN850X 4TB|NVMe M.2|2|349.00|10%|314.10|628.20",
        "20|Pro WS TRX50-SAGE WIFI + tower|Workstation-Plattform|1|1'290.00|5%|1'225.50|1'225.50",
        "30|Threadripper 9970X|32 Kerne|1|2'690.00|8%|2'474.80|2'474.80",
        "40|GeForce RTX 5090|32 GB|2|3'990.-|0%|3'990.-|7'980.-",
        "50|AX1600i|Netzteil 1600 W|1|649.00|15%|551.65|551.65",
        "60|CT64G56C46U5|64 GB DDR5|4|379.90|0%|379.90|1'519.60",
        "||Total exkl. MwSt.||||14'379.75",
        "||MwSt. 8.1%||||1'164.76",
        "||Total inkl. MwSt.||||15'544.51",
    ]
    (folder / "alpen-tower.csv").write_bytes(b"\xef\xbb\xbf" + "\n".join(out).encode() + b"\n")


def cluster(folder: Path) -> None:
    """English .csv of a two-node DGX cluster with what nodes share; the systems' contents are listed at no price."""
    out = [
        "Meridian AI Infrastructure,,,,",
        "Quote,MAI-5540,,,",
        "Currency,USD,,,",
        "Prices exclude tax (excl. VAT),,,,",
        "SKU,Description,Quantity,Unit Price,Extended",
        'DGX H100,"NVIDIA DGX H100, 8 x H100",2,"289,000.00","578,000.00"',
        "EPYC 9654,optional upgrade - not part of this offer,,,",
        "MCX75310AAS-NEAT,inside each system,16,included,",
        'QM9700,Quantum-2 switch,1,"32,400.00","32,400.00"',
        'MMA4Z00-NS,2x400G OSFP SR8,8,"905.00","7,240.00"',
        'MMA4Z00-NS400,400G OSFP SR4,16,455.00,"7,280.00"',
        "SN2201,management switch,1,4150,4150",
        "AR3300,NetShelter SX 42U,1,2150,2150",
        'NVIDIA AI Enterprise licence,5 years,16,"18,000.00","288,000.00"',
        "Freight,,1,3900,3900",
        'Total,,,,"923,120.00"',
    ]
    (folder / "meridian-dgx.csv").write_text("\n".join(out) + "\n", encoding="utf-8", newline="")


def binary(folder: Path) -> None:
    """English .xlsb of a trading house: numbers as text, section rows, a hidden row, column and sheet, a rebate."""
    d = Decimal
    rows: dict[int, Sequence[Any]] = {
        1: ["Halden Data Ltd"],
        2: ["Quotation no.", "HD-20261117"],
        3: ["Date", "2026-11-17"],
        4: ["Valid until", "2026-12-17"],
        5: ["All prices in EUR, excl. VAT"],
        7: ["Pos", "Part Number", "Description", "Cost", "Qty", "Unit Price", "Total"],
        8: ["1. Server"],
        9: [1, "SYS-821GE-TNHR", " 8U server for HGX, dual Xeon", d("14100.00"), 1, d("17900.00"), d("17900.00")],
        10: [2, "935-24287-0301", "HGX H100 8-GPU board", d("139000.00"), 1, d("148500.00"), d("148500.00")],
        11: [3, "Xeon Platinum 8480+", "56 cores", d("1950.00"), 2, "2.450,00", "4.900,00"],
        12: [4, "M321R8GA0PB0-CWMKJ", "64GB DDR5 RDIMM", d("1610.00"), 32, "1.890,00", "60.480,00"],
        13: ["2. Storage and network"],
        14: [5, "PM9A3 3.84TB", "NVMe U.2", d("790.00"), 2, d("985.50"), d("1971.00")],
        15: [6, "X550-T2", "10G network card, 2 ports", d("140.00"), 1, d("189.00"), d("189.00")],
        16: [7, "", "Handling and packaging", d("0.00"), 1, d("260.00"), d("260.00")],
        17: ["", "", "Net total", "", "", "", d("234200.00")],
        18: ["", "", "VAT 25 %", "", "", "", d("58550.00")],
        19: ["", "", "Total incl. VAT", "", "", "", d("292750.00")],
    }
    cost = xlsb.Sheet(
        "Margin", {1: ["Part", "Cost", "Margin"], 2: ["HGX H100", d("139000.00"), d("0.068")]}, hidden=True
    )
    offer = xlsb.Sheet(
        "Offer", rows, hidden_rows=frozenset({16}), hidden_columns=frozenset({4}), merged=((8, 1, 8, 7), (13, 1, 13, 7))
    )
    xlsb.write(folder / "halden-h100.xlsb", [offer, cost])


def office(folder: Path) -> None:
    """Old formats of LibreOffice: .xls of the ugly Chinese file, .ods of the German one."""
    for source, target in (("ugly-jingda.xlsx", "xls"), ("nordlicht-workstation.xlsx", "ods")):
        with tempfile.TemporaryDirectory() as profile:
            command = ["soffice", "--headless", "--norestore", f"-env:UserInstallation=file://{profile}"]
            subprocess.run(
                [*command, "--convert-to", target, "--outdir", str(folder), str(folder / source)],
                check=True,
                timeout=120,
                stdout=subprocess.DEVNULL,
            )


def workstation(folder: Path) -> None:
    """German .xlsx, later .ods: gross prices of a small workstation, prices per 10 (PE), the tax shown within."""
    book = Book(folder / "nordlicht-workstation.xlsx")
    d = Decimal
    rows: dict[int, Sequence[Any]] = {
        1: ["Lieferant: Nordlicht Rechentechnik GmbH"],
        2: ["Angebot gültig bis: 15.12.2026"],
        4: ["Pos.", "Artikel", "Menge", "ME", "Preis brutto €", "PE", "Gesamt brutto €"],
        5: [1, "Supermicro H13SSL-N (1P SP5) + case", 1, "Stk", d("1899.00"), 1, d("1899.00")],
        6: [2, "AMD EPYC 9354P", 1, "Stk", d("2449.00"), 1, d("2449.00")],
        7: [3, "Samsung M321R4GA3EB0-CWM", 12, "Stk", d("949.00"), 1, d("11388.00")],
        8: [4, "NVIDIA GeForce RTX 4090", 4, "Stk", d("2599.00"), 1, d("10396.00")],
        9: [5, "Cat6A RJ45 patch cord 3 m", 20, "Stk", d("79.90"), 10, d("159.80")],
        10: [6, "Versand", 1, "", d("49.00"), 1, d("49.00")],
        11: ["", "Gesamtsumme brutto", "", "", "", "", d("26340.80")],
        12: ["", "enthaltene MwSt. 19 %", "", "", "", "", d("4205.67")],
    }
    book.sheet("Angebot", rows, "#,##0.00 [$€-407]")
    book.close()


FILES = (
    brightrack,
    nordlicht,
    xinghe,
    hanse,
    shenzhou,
    ugly_english,
    ugly_chinese,
    frauds,
    professional,
    alpen,
    cluster,
    workstation,
    binary,
)

if __name__ == "__main__":
    named = [a for a in sys.argv[1:] if not a.startswith("-")]
    where = Path(named[0]) if named else HERE
    for make in FILES:
        make(where)
    if "--office" in sys.argv:
        office(where)
