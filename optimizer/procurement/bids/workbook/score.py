"""Sheet Score (综合评分法): figures by criterion, points as formulas over them and the weights, sums and ranks."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from xlsxwriter.utility import xl_col_to_name

from optimizer.procurement.bids.bid_labels import CRITERIA, is_open, named
from optimizer.procurement.bids.schema import CriterionKey
from optimizer.procurement.bids.scoring import KEYS
from optimizer.procurement.bids.workbook import technical
from optimizer.procurement.bids.workbook.book import CELL, CompareBook, money
from optimizer.procurement.quotation.workbook.book import DARK, LIGHT
from optimizer.text.languages import N_

TOP = 3
LEFT = 3
UNITS = {
    "price": N_("total on equal scope, net"), "throughput": N_("tok/s"), "rules": N_("share that does not fail"),
    "power": N_("W per tok/s"), "delivery": N_("days"), "warranty": N_("months"),
}  # fmt: skip
HOW = {
    "price": N_("lowest price of a responsive bid / price"), "throughput": N_("own / highest"),
    "rules": N_("share of rules that do not fail"), "power": N_("lowest / own"),
    "delivery": N_("shortest / own, a week at least"), "warranty": N_("own / longest"),
}  # fmt: skip


def add(book: CompareBook) -> None:
    _, sheet, n = book.words, book.sheets["score"], len(book.bids)
    note = N_(
        "Points = weight x share; price by the lowest-price formula of decree 87 (2017), article 55. Weights stand on "
        "sheet Assumptions. What a bid does not say brings no points; a bid that can't be awarded has none and no rank."
    )
    sheet.setup([22, 36, 10, *[max(34.0, 100 / n)] * n], _("Score"), _.stacked(note))
    _head(book, TOP, [_("Figures"), _("Unit"), ""])
    for k, key in enumerate(KEYS, 1):
        row = TOP + k
        sheet.text(row, 0, _(CRITERIA[key]), **CELL)
        sheet.text(row, 1, _(UNITS[key]), **CELL)
        sheet.text(row, 2, "", **CELL)
        for i in range(n):
            _value(book, row, i, key)
    start = TOP + len(KEYS) + 2
    _head(book, start, [_("Points"), _("How the share is made"), _("Weight")])
    for k, key in enumerate(KEYS, 1):
        row = start + k
        sheet.text(row, 0, _(CRITERIA[key]), **CELL)
        sheet.text(row, 1, _(HOW[key]), **CELL)
        weight = next(weight.weight for weight in book.c.weights if weight.key == key)
        sheet.formula(row, 2, f"=weight_{key}", weight, num_format="0.##", **CELL)
        for i, bid in enumerate(book.bids):
            if not bid.responsive:
                sheet.text(row, LEFT + i, "–", **{**CELL, "align": "right"})
                continue
            share = _share(book, key, TOP + k + 1, i)
            points = next(point.points for point in bid.points if point.key == key)
            sheet.formula(row, LEFT + i, f"=ROUND($C{row + 1}*{share},2)", points, num_format="0.00", **CELL)
    _sums(book, start + len(KEYS) + 1, start + 2)


def _head(book: CompareBook, row: int, left: list[str]) -> None:
    sheet = book.sheets["score"]
    head = {"bold": True, "bg_color": DARK, "font_color": "white", "border": 1}
    for col, text in enumerate([*left, *(named(bid) for bid in book.bids)]):
        sheet.text(row, col, text, **head)


def _value(book: CompareBook, row: int, i: int, key: CriterionKey) -> None:
    sheet, bid = book.sheets["score"], book.bids[i]
    value = next((point.value for point in bid.points if point.key == key), None)
    style: dict[str, Any] = {**CELL, "align": "right"}
    if key == "price" and bid.responsive and bid.equal_net is not None:
        money(book, sheet, row, LEFT + i, f"={book.total(i)}", bid.equal_net)
    elif value is None:
        sheet.text(row, LEFT + i, "–", **style)
    elif key in ("throughput", "power"):
        at = technical.cell(i, technical.SPEED if key == "throughput" else technical.WATTS)
        sheet.formula(row, LEFT + i, f"={book.ref('technical', at)}", value, num_format="#,##0.0#", **style)
    else:
        sheet.number(row, LEFT + i, value, num_format="0.0%" if key == "rules" else "0", **style)


def _share(book: CompareBook, key: CriterionKey, n: int, i: int) -> str:
    """Share of a criterion over the figures in row n, as Excel counts."""
    own = f"{xl_col_to_name(LEFT + i)}{n}"
    # Figures of bids that can't be awarded stand as a dash, which neither MIN nor MAX counts.
    every = f"${xl_col_to_name(LEFT)}${n}:${xl_col_to_name(LEFT + len(book.bids) - 1)}${n}"
    if key == "price":
        return f"IF({own}>0,MIN(1,MIN({every})/{own}),0)"
    made = {
        "throughput": f"{own}/MAX({every})", "rules": own, "power": f"MIN({every})/{own}",
        "delivery": f"MAX(7,MIN({every}))/MAX(7,{own})", "warranty": f"IF(MAX({every})>0,{own}/MAX({every}),0)",
    }[key]  # fmt: skip
    return f"IF(ISNUMBER({own}),{made},0)"


def _sums(book: CompareBook, row: int, first: int) -> None:
    _, sheet, n = book.words, book.sheets["score"], len(book.bids)
    strong: dict[str, Any] = {**CELL, "bold": True, "bg_color": LIGHT}
    sheet.text(row, 0, _("Score"), **strong)
    sheet.text(row, 1, "", **strong)
    total = sum((weight.weight for weight in book.c.weights), Decimal(0))
    sheet.formula(row, 2, f"=ROUND(SUM(C{first}:C{row}),2)", total, num_format="0.##", **strong)
    sheet.text(row + 1, 0, _("Rank"), **strong)
    for col in (1, 2):
        sheet.text(row + 1, col, "", **strong)
    every = f"${xl_col_to_name(LEFT)}${row + 1}:${xl_col_to_name(LEFT + n - 1)}${row + 1}"
    sheet.text(row + 2, 0, _("Responsive"), **CELL)
    for col in (1, 2):
        sheet.text(row + 2, col, "", **CELL)
    for i, bid in enumerate(book.bids):
        at = xl_col_to_name(LEFT + i)
        if bid.score is None or bid.rank is None:
            for k in (row, row + 1):
                sheet.text(k, LEFT + i, "–", **{**strong, "align": "right"})
        else:
            sheet.formula(
                row, LEFT + i, f"=ROUND(SUM({at}{first}:{at}{row}),2)", bid.score, num_format="0.00", **strong
            )
            sheet.formula(
                row + 1, LEFT + i, f"=RANK({at}{row + 1},{every})", Decimal(bid.rank), num_format="0", **strong
            )
        sheet.text(
            row + 2,
            LEFT + i,
            _("yes") if bid.responsive else _("not known yet") if is_open(bid) else _("no"),
            **{**CELL, "align": "right"},
        )
        book.define(f"score_{bid.id}", "score", f"${at}${row + 1}")
        book.define(f"rank_{bid.id}", "score", f"${at}${row + 2}")
    sheet.done(row + 2)
