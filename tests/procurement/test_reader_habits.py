"""Habits of vendors that mislead a reader: one price for a server, units in a note, rebates, packs, sums in words.
Each file is small and says one thing; what a person reads in it is the expectation."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from catalogs.load import Catalog, load
from constraints.request import Request
from optimizer.library import compare, xray
from optimizer.procurement.bids.schema import Comparison
from optimizer.procurement.reading.document import Line, Quote
from optimizer.procurement.reading.reader import read
from optimizer.procurement.xray.schema import XRay
from optimizer.text.spelled import spelled

DAY = date(2026, 11, 24)
HEAD = "Item,Part Number,Description,Qty,Unit Price,Total"
SERVER = [
    "SYS-821GE-TNHR,Chassis,{n},{price}",
    ",NVIDIA HGX H200 8-GPU baseboard,{n},{price}",
    ",Intel Xeon Platinum 8480+,{cpus},{price}",
    "M321R8GA0PB0-CWMKJ,64GB DDR5 RDIMM,{dimms},{price}",
    ",PM1743 7.68TB,{drives},{price}",
    ",ConnectX-6 Dx 100G 2-port QSFP56,{n},{price}",
]
PRICES = ("56300,56300", "240000,240000", "10710,21420", "1586,50752", "4795,19180", "1550,1550")
"""What the catalog asks for one of each and for all."""


@cache
def catalog() -> Catalog:
    return load()


def quote(folder: Path, rows: list[str], *above: str, head: str = HEAD, name: str = "q.csv") -> Quote:
    path = folder / name
    path.write_text("\n".join(["Amber Systems Ltd", *above, head, *rows]) + "\n", encoding="utf-8")
    return read(path, catalog())


def server(n: int = 1, each: bool = False, price: str = "0,0") -> list[str]:
    """Lines of n servers without prices, counted together or for one of them."""
    m = 1 if each else n
    return [f",{x.format(n=m, cpus=2 * m, dimms=32 * m, drives=4 * m, price=price)}" for x in SERVER]


def request(**fields: Any) -> Request:
    return Request(grade="floor", model="v3-671b", users=32, as_of=DAY, have=frozenset({"racks", "network"}), **fields)


def seen(q: Quote) -> XRay:
    return xray(q, request(), catalog=catalog(), search=False)


def compared(*quotes: Quote) -> Comparison:
    return compare(list(quotes), request(), catalog=catalog(), time_limit_s=0.001)


def codes(x: Line | Quote) -> list[str]:
    return [i.code for i in x.issues]


BUNDLE = "1,AM-GPU8,GPU server configured as follows:,{n},372000,{total}"
USD = "Currency: USD; prices exclude tax"


@pytest.mark.parametrize("price", ["0,0", ",", "included,included"])
def test_one_price_for_a_server(tmp_path: Path, price: str) -> None:
    """The head is no part; the lines below it are, at its price. The X-ray holds it against the sum of theirs."""
    rows = [BUNDLE.format(n=1, total=372000), *server(price=price), "2,,Installation,1,6500,6500"]
    q = quote(tmp_path, [*rows, "Total,,,,,378500"], USD)
    head, *held = q.lines[:7]
    assert head.matched.how == "bundle" and head.holds == tuple(x.row for x in held)
    assert all(x.included and x.matched.part for x in held) and not q.open_lines
    x = seen(q)
    of = x.lines[0]
    worth = sum(Decimal(line.catalog_amount or 0) for line in x.lines[1:7])
    assert of.mark == "ok" and Decimal(of.catalog_amount or 0) == worth > 300_000
    assert x.totals.hardware == "372000.00" and x.build is not None and x.build.nodes == 1
    assert {line.mark for line in x.lines[1:7]} == {"in-another-line"}
    assert not any("not matched" in t for t in x.summary)


def test_a_dear_bundle_is_marked(tmp_path: Path) -> None:
    dear = BUNDLE.format(n=1, total=600000).replace("372000", "600000")
    assert seen(quote(tmp_path, [dear, *server()], USD)).lines[0].mark == "above"


@pytest.mark.parametrize("each", [False, True])
def test_two_servers_counted_together_or_each(tmp_path: Path, each: bool) -> None:
    """Lines below two servers are all pieces, or those of one: one chassis for two of them is one each."""
    q = quote(tmp_path, [BUNDLE.format(n=2, total=744000), *server(2, each), "Total,,,,,744000"], USD)
    assert [x.pieces for x in q.lines] == [2, 2, 2, 4, 64, 8, 2]
    assert ("counted-per-unit" in codes(q.lines[0])) is each
    x = seen(q)
    assert x.build is not None and (x.build.nodes, x.build.per_node) == (2, 8)


def test_cpus_of_one_server_below_two_platforms(tmp_path: Path) -> None:
    """A chassis that is a part itself: two CPUs fill the two sockets of one, 32 modules are of one too."""
    rows = ["1,SYS-821GE-TNHR,GPU server,2,372000,744000", *server(2, each=True)[1:], "Total,,,,,744000"]
    q = quote(tmp_path, rows, USD)
    assert [x.pieces for x in q.lines] == [2, 2, 4, 64, 8, 2]
    q = quote(tmp_path, rows[:1] + server(2)[1:], USD, name="all.csv")
    assert [x.pieces for x in q.lines] == [2, 2, 4, 64, 8, 2] and "counted-per-unit" not in codes(q.lines[0])


def test_a_bundle_compared_item_by_item(tmp_path: Path) -> None:
    """Its price is split over its lines to the cent; the other bid gets no foreign line, and no outlier from a split
    in proportion to the catalog."""
    bundle = quote(tmp_path, [BUNDLE.format(n=1, total=372000), *server()], USD)
    apart = [x.replace("0,0", p) for x, p in zip(server(), PRICES, strict=True)]
    c = compared(bundle, quote(tmp_path, apart, USD, name="apart.csv"))
    a, b = c.bids
    assert a.offered_net == Decimal(372_000) and sum(x.net for x in a.lines) == Decimal(372_000)
    assert not [x for x in c.items if x.role == "other"]
    assert not [f for f in (*a.flags, *b.flags) if f.code in ("missing-line", "outlier", "unmatched-line")]
    assert [f.code for f in a.flags].count("bundle-split") == 1


def test_a_priced_line_above_one_free_part_is_no_bundle(tmp_path: Path) -> None:
    rows = ["1,,Mounting material,1,500,500", "2,,Power cord C19-C20 2 m,6,0,0"]
    assert quote(tmp_path, rows, USD).lines[0].matched.how == "none"


@pytest.mark.parametrize(
    ("note", "currency", "scale"),
    [
        ("单位：人民币万元（含13%增值税）", "CNY", 10_000),
        ("金额单位：万元", "CNY", 10_000),
        ("报价单位：万元", "CNY", 10_000),
        ("Alle Beträge in TEUR", "EUR", 1000),
        ("All prices in k€ excl. VAT", "EUR", 1000),
        ("Amounts in USD thousands", "USD", 1000),
        ("Preise in Tsd. € netto", "EUR", 1000),
    ],
)
def test_unit_said_in_a_note(tmp_path: Path, note: str, currency: str, scale: int) -> None:
    q = quote(tmp_path, ["1,SYS-821GE-TNHR,Chassis,2,20.1,40.2", "Total,,,,,40.2"], note)
    assert (q.currency, q.lines[0].unit_price, q.totals[0].amount) == (
        currency, Decimal("20.1") * scale, Decimal("40.2") * scale
    )  # fmt: skip
    assert "unit-in-note" in [n.code for n in q.notices] and q.vendor == "Amber Systems Ltd"
    assert not q.issues or codes(q) == ["tax-basis-unknown"]


@pytest.mark.parametrize(
    "note",
    ["单位：台", "Prices are valid for 4 thousand units or 30 days", "Delivery of 2k units", "报价单位：万科有限公司"],
)
def test_other_notes_scale_nothing(tmp_path: Path, note: str) -> None:
    q = quote(tmp_path, ["1,SYS-821GE-TNHR,Chassis,2,20.1,40.2"], note)
    assert q.lines[0].unit_price == Decimal("20.10")


def test_a_columns_own_unit_wins_over_the_note(tmp_path: Path) -> None:
    head = "Item,Part Number,Description,Qty,Unit Price (k€),Total (k€)"
    q = quote(tmp_path, ["1,SYS-821GE-TNHR,Chassis,2,20.1,40.2"], "All prices in k€", head=head)
    assert (q.lines[0].unit_price, q.currency) == (Decimal("20100.00"), "EUR")


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("人民币贰佰捌拾玖万捌仟伍佰元整", "2898500"),
        ("（大写）壹佰贰拾万元伍角", "1200000.50"),
        ("叁仟元零伍分", "3000.05"),
        ("貳佰萬圓整", "2000000"),
        ("壹 亿 零 伍 佰 万 元 整", "105000000"),
        ("玖仟捌佰柒拾陆元伍角肆分", "9876.54"),
        ("共计一元", None),
        ("元整", None),
        ("三台服务器", None),
    ],
)
def test_amounts_in_words(text: str, amount: str | None) -> None:
    assert spelled(text) == (None if amount is None else Decimal(amount))


@pytest.mark.parametrize(("words", "wrong"), [("肆万零贰佰元整", False), ("肆万贰仟元整", True)])
def test_sum_in_words_against_its_figures(tmp_path: Path, words: str, wrong: bool) -> None:
    """In one cell below the sum, in a cell of its own beside it, and without a sum in figures."""
    line = "1,SYS-821GE-TNHR,服务器,2,20100,40200"
    below = ["合计,,,,,40200", f"合计大写：人民币{words},,,,,"]
    for rows in (below, [f"合计（大写）：,{words},,,小写：,40200"], [f"合计大写：人民币{words},,,,,"]):
        q = quote(tmp_path, [line, *rows], "币种：人民币 含税13%")
        assert bool({"words-arithmetic", "sum-arithmetic"} & {*codes(q)}) is wrong, (rows, q.issues)
        assert [t.amount for t in q.totals if t.kind == "in_words"] == [spelled(words)]


@pytest.mark.parametrize(
    ("text", "pieces", "conflict"),
    [
        ("NVIDIA RTX 4090 24GB", 8, False),
        ("NVIDIA RTX 4090 48GB", 8, False),
        ("NVIDIA RTX 4090 32GB", 8, True),
        ("RTX 4090 D 48G turbo", 4, True),
        ("NVIDIA H200 NVL 141GB PCIe 4.8TB/s", 4, False),
        ("Samsung M321R8GA0PB0-CWMKJ 64GB DDR5-5600", 16, False),
        ("Samsung M321R8GA0PB0-CWMKJ 128GB DDR5-5600", 16, True),
        ("M321R8GA0PB0-CWMKJ 1TB (16 x 64 GB)", 16, False),
        ("Samsung PM1743 7.68TB U.2, called 8 TB", 4, False),
        ("Samsung PM1743 7.68TB", 4, False),
    ],
)
def test_another_size_than_the_parts(tmp_path: Path, text: str, pieces: int, conflict: bool) -> None:
    x = quote(tmp_path, [f'1,,"{text}",{pieces},100,{pieces * 100}'], USD).lines[0]
    assert ("size-conflict" in codes(x)) is conflict
    # What a text says against the part that it names vetoes the match: the part is what a person looks at first.
    assert (x.matched.part is None) is conflict and (x.matched.part or x.matched.candidates[0])
    assert x.settled is not conflict
    listed = quote(tmp_path, [f'1,,"{text}",100'], USD, head="Item,Part Number,Description,Unit Price", name="list.csv")
    assert seen(listed).ok is not conflict  # a price list, of which no rule can fail


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Used H100 SXM5 80GB", "used"),
        ("EPYC 9654 (ES sample)", "es sample"),
        ("EPYC 9654 refurbished", "refurbished"),
        ("EPYC 9654 generalüberholt", "generalüberholt"),
        ("H100 SXM5 80GB 拆机", "拆机"),
        ("EPYC 9654 used with SP5 boards", ""),
        ("EPYC 9654 new", ""),
    ],
)
def test_not_new_is_told(tmp_path: Path, text: str, said: str) -> None:
    x = quote(tmp_path, [f"1,,{text},2,3000,6000"], USD).lines[0]
    assert x.matched.part and (x.condition, "not-new" in codes(x)) == (said, bool(said))


@pytest.mark.parametrize(
    ("qty", "text", "pieces", "code"),
    [
        ("1", "Power cord C19-C20 2 m (pack of 6)", 6, "pack-in-text"),
        ("4", "Power cord C19-C20 2 m (pack of 6)", 24, "pack-in-text"),
        ("12", "Power cord C19-C20 2 m (pack of 6)", None, "pack-unclear"),
        ("6 pcs", "Power cord C19-C20 2 m (pack of 6)", 6, ""),
        ("2", "Power cord C19-C20 2 m", 2, ""),
    ],
)
def test_packs_without_a_unit(tmp_path: Path, qty: str, text: str, pieces: int | None, code: str) -> None:
    x = quote(tmp_path, [f"1,,{text},{qty},80,{int(qty.split()[0]) * 80}"], USD).lines[0]
    assert (x.pieces, codes(x)) == (pieces, [code] if code else [])


@pytest.mark.parametrize(
    ("qty", "price", "total", "code"),
    [
        (2, "6150.33", "12300.66", ""),
        (2, "6150.33", "12300.67", "line-rounded"),
        (32, "2150.44", "68814.24", "line-rounded"),
        (2, "6150.33", "12300.68", "line-arithmetic"),
        (1, "6150.33", "6150.35", "line-arithmetic"),
        (4, "99.99", "400.16", "line-arithmetic"),
    ],
)
def test_rounding_is_no_error_and_no_more_than_rounding(
    tmp_path: Path, qty: int, price: str, total: str, code: str
) -> None:
    x = quote(tmp_path, [f"1,,Intel Xeon Platinum 8480+,{qty},{price},{total}"], USD).lines[0]
    assert codes(x) == ([code] if code else [])


def test_columns_that_nobody_read_are_told(tmp_path: Path) -> None:
    head = f"{HEAD},Support 1Y,Support 3Y,Colour"
    q = quote(tmp_path, ["1,SYS-821GE-TNHR,Chassis,2,100,200,30,80,black"], USD, head=head)
    told = [n.text for n in q.notices if n.code == "columns-not-read"]
    assert len(told) == 1 and "G 'Support 1Y', H 'Support 3Y';" in told[0]


@pytest.mark.parametrize("qty", ["lot", "psch.", "1 项", "LS", "一批"])
def test_lump_sums(tmp_path: Path, qty: str) -> None:
    x = quote(tmp_path, [f"1,,Rack integration,{qty},1400,1400"], USD).lines[0]
    assert (x.role, x.qty, x.amount) == ("service", Decimal(1), Decimal(1400)) and x.settled


@pytest.mark.parametrize(
    "label",
    ["abzgl. 2 % Skonto", "Educational discount", "Volume rebate Q4", "Projektnachlass", "返点", "Trade-in credit"],
)
def test_rebates_on_the_whole(tmp_path: Path, label: str) -> None:
    """A rebate is no line, its percentage no tax; it counts in the X-ray's sums and belongs to its own bidder."""
    rows = ["1,SYS-821GE-TNHR,Chassis,1,20000,20000", f",,{label},,,-400", "Net total,,,,,19600"]
    q = quote(tmp_path, rows, USD)
    assert [(t.kind, t.amount, t.rate) for t in q.totals][:1] == [("discount", Decimal(-400), None)]
    assert not q.issues and len(q.lines) == 1
    assert (seen(q).totals.rebates, seen(q).totals.net) == ("-400.00", "19600.00")
    plain = quote(tmp_path, ["1,SYS-821GE-TNHR,Chassis,1,20000,20000"], USD, name="plain.csv")
    c = compared(q, plain)
    assert [b.offered_net for b in c.bids] == [Decimal(19_600), Decimal(20_000)]
    assert [b.equal_net - b.offered_net for b in c.bids][1] == c.bids[0].filled_net


def test_rebates_count_in_the_distance_from_the_front(tmp_path: Path) -> None:
    rows = [x.replace("0,0", p) for x, p in zip(server(), PRICES, strict=True)]
    whole = quote(tmp_path, rows, USD)
    less = quote(tmp_path, [*rows, "9,,Volume rebate Q4,1,-20000,-20000"], USD, name="less.csv")
    a, b = (x.technical.hardware_net for x in compared(whole, less).bids)
    assert a is not None and b is not None and a - b == 20_000


@pytest.mark.parametrize(
    ("text", "role"),
    [
        ("DGX H200 3-year support", "service"),
        ("DGX H200 support licence", "service"),
        ("DGX H200 incl. support", "part"),
        ("DGX H200, 3 years warranty", "part"),
        ("Lieferung und Aufstellung", "service"),
        ("Rack integration", "service"),
    ],
)
def test_services_for_parts(tmp_path: Path, text: str, role: str) -> None:
    x = quote(tmp_path, [f'1,,"{text}",1,9000,9000'], USD).lines[0]
    assert (x.role, bool(x.matched.part)) == (role, role == "part")


def test_gpus_of_a_board_are_no_quantity(tmp_path: Path) -> None:
    x = quote(tmp_path, ["1,HGX H200 8-GPU baseboard,8 x H200 SXM5 141GB,1,236000,236000"], USD).lines[0]
    assert (x.matched.part, x.pieces, codes(x)) == ("nvidia-hgx-h200-8-gpu-baseboard", 1, [])


def test_groups_less_their_discounts(tmp_path: Path) -> None:
    """A subtotal of a group, its discount, the group after it: all three add up."""
    rows = [
        "1,SYS-821GE-TNHR,Chassis,1,20000,20000", ",,Subtotal,,,20000", ",,Group discount,,,-1000",
        ",,Subtotal,,,19000", "2,,Intel Xeon Platinum 8480+,2,5000,10000", ",,Subtotal,,,10000", ",,Total,,,29000",
    ]  # fmt: skip
    assert not quote(tmp_path, rows, USD).issues


def test_totals_under_several_price_columns(tmp_path: Path) -> None:
    """The sum under the column that is read is the sum."""
    path = tmp_path / "q.xlsx"
    book = openpyxl.Workbook()
    sheet = book.active
    for row in (
        ("Amber Systems Ltd",), (USD,), ("Item", "Part Number", "Description", "Qty", "Unit price", "Total", "Support"),
        (1, "SYS-821GE-TNHR", "Chassis", 2, 100, 200, 30), ("Total", None, None, None, None, 200, 30),
    ):  # fmt: skip
        sheet.append(row)
    book.save(path)
    q = read(path, catalog())
    assert [t.amount for t in q.totals] == [Decimal("200.00")] and not q.issues


def test_tax_with_its_rate_in_a_note(tmp_path: Path) -> None:
    q = quote(tmp_path, ["1,SYS-821GE-TNHR,Chassis,1,23800,23800"], "Prices in EUR incl. 19% VAT")
    assert (q.tax, q.tax_rate, seen(q).totals.net) == ("gross", Decimal(19), "23000.00")


def test_a_bid_of_two_kinds_of_nodes_is_compared(tmp_path: Path) -> None:
    """GPU servers beside a server without GPUs: rules and throughput of the first, prices of both."""
    rows = [x.replace("0,0", p) for x, p in zip(server(), PRICES, strict=True)]
    other = next(p for p in catalog().parts.values() if p.kind == "platform" and p.id != "supermicro-sys-821ge-tnhr")
    both = quote(tmp_path, [*rows, f",,{other.name},1,7000,7000"], USD)
    a, b = compared(both, quote(tmp_path, rows, USD, name="one.csv")).bids
    assert a.technical.build == b.technical.build and a.technical.throughput == b.technical.throughput
    assert a.offered_net - b.offered_net == 7000
    flags = [f for f in a.flags if f.code == "other-nodes"]
    assert len(flags) == 1 and f"{other.name} (rows 10)" in flags[0].values["what"]
