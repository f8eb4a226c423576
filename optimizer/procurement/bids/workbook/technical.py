"""Sheet Technical comparison: what each build does, what it costs per tok/s, and its distance from the proven front."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from xlsxwriter.utility import xl_col_to_name

from optimizer.procurement.bids.bid_labels import distance, named
from optimizer.procurement.bids.schema import Bid
from optimizer.procurement.bids.workbook.book import (
    CELL,
    FIRST_ITEM,
    LEFT,
    RED,
    WIDE,
    CompareBook,
    money,
)  # fmt: skip
from optimizer.procurement.labels import rule
from optimizer.procurement.quotation.workbook.book import DARK, LIGHT, Sheet
from optimizer.procurement.quotation.workbook.live import said, where
from optimizer.result.point_schema import CheckFacts
from optimizer.text.languages import N_, Words

TOP = 3
SPEED, POWER, PER, WATTS, HARDWARE, CHEAPEST, ABOVE = 2, 5, 7, 8, 9, 11, 13
"""Rows below the head of figures that formulas refer to."""


COLOURS = ("#1F4E79", "#C00000", "#548235", "#BF8F00", "#7030A0", "#00B0F0")
"""Of the bids in the picture, in their order."""


def cell(i: int, row: int) -> str:
    """A bid's cell in a row of the table."""
    return f"{xl_col_to_name(1 + i)}{TOP + 1 + row}"


def add(book: CompareBook) -> None:
    _, sheet = book.words, book.sheets["technical"]
    note = _.stacked("Throughput is an estimate: 80 % of measurements lie between its low and high. Prices net of tax.")
    sheet.setup([44, *[max(34.0, 130 / len(book.bids))] * len(book.bids)], _("Technical comparison"), note)
    sheet.ws.fit_to_pages(1, 1)  # the table and the picture below it on one page
    head = {"bold": True, "bg_color": DARK, "font_color": "white", "border": 1}
    sheet.text(TOP, 0, "", **head)
    for i, bid in enumerate(book.bids, 1):
        sheet.text(TOP, i, named(bid), **head)
    sheet.ws.freeze_panes(TOP + 1, 1)
    sheet.ws.repeat_rows(TOP)
    for k, (label, write) in enumerate(_rows(book), 1):
        row = TOP + k
        strong = {"bold": True, "bg_color": LIGHT} if k in (SPEED, PER, ABOVE) else {}
        sheet.text(row, 0, label, **{**CELL, **strong})
        for i, bid in enumerate(book.bids):
            write(row, i, bid)
    sheet.done(_picture(book, TOP + len(_rows(book)) + 2))


def _picture(book: CompareBook, row: int) -> int:
    """Goods against throughput, with the cheapest proven builds that are as fast; returns the last row."""
    _, sheet = book.words, book.sheets["technical"]
    shown = [
        i for i, bid in enumerate(book.bids) if bid.technical.throughput and bid.technical.hardware_net is not None
    ]
    if not shown:
        return row - 2
    made = book.file.add_chart({"type": "scatter", "subtype": "straight_with_markers"})
    proven = sorted(
        (i for i in shown if book.bids[i].technical.cheapest is not None),
        key=lambda i: _speed(book.bids[i], "output_tok_s") or 0,
    )
    sheet.text(row, 0, _("Proven front at the speeds of the bids"), **{**CELL, "bold": True})
    for place, i in enumerate(proven, 1):  # in the order of speed, for the line of the picture
        speed, money_ = _speed(book.bids[i], "output_tok_s"), book.bids[i].technical.cheapest
        assert speed is not None and money_ is not None
        sheet.formula(row, place, f"={cell(i, SPEED)}", speed, num_format="#,##0.0", **CELL)
        money(book, sheet, row + 1, place, f"={cell(i, CHEAPEST)}", money_)
    last = xl_col_to_name(len(proven))
    if proven:
        made.add_series({
            "name": _("Cheapest proven build as fast"),
            "categories": f"={book.ref('technical', f'$B${row + 1}:${last}${row + 1}')}",
            "values": f"={book.ref('technical', f'$B${row + 2}:${last}${row + 2}')}",
            "marker": {"type": "square", "size": 7}, "line": {"color": "#8EA9DB", "width": 1.25},
        })  # fmt: skip
    for i in shown:
        fill = {"color": COLOURS[i % len(COLOURS)]}
        made.add_series({
            "name": named(book.bids[i]), "categories": f"={book.ref('technical', cell(i, SPEED))}",
            "values": f"={book.ref('technical', cell(i, HARDWARE))}",
            "marker": {"type": "diamond", "size": 11, "fill": fill, "border": fill},
            "line": {"none": True},
        })  # fmt: skip
    made.set_x_axis({"name": _("Throughput, tok/s"), "num_format": "#,##0", "min": 0})
    made.set_y_axis({"name": _("Goods on equal scope"), "num_format": "#,##0", "min": 0})
    made.set_title({"name": _("Price against throughput"), "name_font": {"size": 11}})
    made.set_legend({"position": "bottom"})
    made.set_size({"width": 900, "height": 340})
    sheet.ws.insert_chart(row + 3, 0, made)
    return row + 21


Writer = Callable[[int, int, Bid], None]


def _rows(book: CompareBook) -> list[tuple[str, Writer]]:
    """Label and what writes a bid's cell, in the order of the constants above."""
    _ = book.words
    return [
        (_("Build"), _text(book, lambda b: b.technical.build or b.technical.reason)),
        (_("Throughput, tok/s"), _figure(book, lambda b: _speed(b, "output_tok_s"))),
        (_("Low of its 80 % interval, tok/s"), _figure(book, lambda b: _speed(b, "low"))),
        (_("High of its 80 % interval, tok/s"), _figure(book, lambda b: _speed(b, "high"))),
        (_("Power of the whole build, W"), _figure(book, lambda b: _decimal(b.technical.power_w), "#,##0")),
        (_("Each user sees, tok/s"), _figure(book, lambda b: _speed(b, "per_user_tok_s"))),
        (_("Total per tok/s"), _ratio(book, lambda b: b.technical.money_per_tok_s, per=True)),
        (_("W per tok/s"), _ratio(book, lambda b: b.technical.w_per_tok_s, per=False)),
        (_("Goods on equal scope"), _hardware(book)),
        (_("The same parts at the catalog's prices"), _figure(book, lambda b: b.technical.same_parts_in_catalog, "")),
        (_("Cheapest build that is at least as fast, proven"), _figure(book, lambda b: b.technical.cheapest, "")),
        (_("That build"), _text(book, lambda b: b.technical.cheapest_build)),
        (_("Goods above that build"), _above(book)),
        (_("In words"), _distance(book)),
        (_("Rules that fail as offered"), _failed(book)),
        (_("Rules that fail with what is added"), _text(book, lambda b: _findings(_, b.technical.still_failed))),
        (_("Warnings"), _text(book, lambda b: _findings(_, b.technical.warned))),
        (_("Rack units"), _figure(book, lambda b: _decimal(b.technical.rack_units), "0")),
        (_("Lead time, days"), _figure(book, lambda b: _decimal(b.lead_days), "0")),
        (_("Warranty, months"), _figure(book, lambda b: _decimal(b.warranty_months), "0")),
        (_("Valid until"), _text(book, lambda b: b.valid_until.isoformat() if b.valid_until else "–")),
    ]


def _decimal(x: int | float | None) -> Decimal | None:
    return None if x is None else Decimal(str(x))


def _speed(bid: Bid, name: str) -> Decimal | None:
    throughput = bid.technical.throughput
    return None if throughput is None else _decimal(getattr(throughput, name))


def _text(book: CompareBook, of: Callable[[Bid], str]) -> Writer:
    sheet = book.sheets["technical"]
    return lambda row, i, b: sheet.text(row, 1 + i, of(b) or "–", **{**CELL, "align": "left"})


def _figure(book: CompareBook, of: Callable[[Bid], Decimal | None], shape: str = "#,##0.0") -> Writer:
    sheet = book.sheets["technical"]
    shape = shape or book.money_format

    def write(row: int, i: int, bid: Bid) -> None:
        value = of(bid)
        if value is None:
            sheet.text(row, 1 + i, "–", **{**CELL, "align": "left"})
        else:
            sheet.number(row, 1 + i, value, **{**CELL, "num_format": shape, "align": "left"})

    return write


def _ratio(book: CompareBook, of: Callable[[Bid], Decimal | None], per: bool) -> Writer:
    sheet = book.sheets["technical"]

    def write(row: int, i: int, bid: Bid) -> None:
        value = of(bid)
        if value is None:
            sheet.text(row, 1 + i, "–", **{**CELL, "align": "left"})
        elif per:
            money(
                book, sheet, row, 1 + i, f"=ROUND({book.total(i)}/{cell(i, SPEED)},2)", value, align="left", bold=True
            )
        else:
            formula = f"=ROUND({cell(i, POWER)}/{cell(i, SPEED)},2)"
            sheet.formula(row, 1 + i, formula, value, num_format="#,##0.00", **{**CELL, "align": "left"})

    return write


def _hardware(book: CompareBook) -> Writer:
    sheet = book.sheets["technical"]

    def write(row: int, i: int, bid: Bid) -> None:
        value = bid.technical.hardware_net
        if value is None:
            sheet.text(row, 1 + i, "–", **{**CELL, "align": "left"})
            return
        line, added = (xl_col_to_name(LEFT + WIDE * i + k) for k in (2, 3))
        first, last = FIRST_ITEM + 1, FIRST_ITEM + book.hardware_rows
        area = book.ref("items", f"{line}{first}:{added}{last}")
        money(book, sheet, row, 1 + i, f"=ROUND(SUM({area}),{book.digits})", value, align="left")

    return write


def _above(book: CompareBook) -> Writer:
    sheet = book.sheets["technical"]

    def write(row: int, i: int, bid: Bid) -> None:
        technical = bid.technical
        if technical.above_percent is None:
            sheet.text(row, 1 + i, "–", **{**CELL, "align": "left"})
            return
        formula = f"=ROUND({cell(i, HARDWARE)}/{cell(i, CHEAPEST)}-1,3)"
        style: dict[str, Any] = {**CELL, "num_format": "+0.0%;-0.0%;0.0%", "align": "left", "bold": True}
        sheet.formula(row, 1 + i, formula, technical.above_percent / 100, **style)

    return write


def _distance(book: CompareBook) -> Writer:
    sheet = book.sheets["technical"]
    return lambda row, i, b: distance_cell(book, sheet, row, 1 + i, i, **{**CELL, "align": "left"})


def distance_cell(book: CompareBook, sheet: Sheet, row: int, col: int, i: int, **style: Any) -> None:
    """In words how far a bid lies above the cheapest build this fast, by the figure of sheet Technical comparison."""
    _, bid = book.words, book.bids[i]
    percent = bid.technical.above_percent
    if not bid.technical.runs or percent is None:
        sheet.text(row, col, distance(_, bid), **style)
        return
    above = book.ref("technical", cell(i, ABOVE))
    tenths = f"ROUND(1000*ABS({above}),0)"
    shown = f'INT({tenths}/10)&"."&MOD({tenths},10)', f"{abs(percent):f}"
    over = said(_, N_("{percent} % above the cheapest build this fast"), percent=shown)
    under = said(_, N_("{percent} % below the cheapest build this fast"), percent=shown)
    sheet.live(row, col, col, where(f"{above}<0", percent < 0, under, over), valign="vcenter", **style)


def _findings(_: Words, found: Sequence[CheckFacts]) -> str:
    return "\n".join(f"{rule(_, x.rule)}{_.between(': ')}{_.sentence(x.text)}".replace("\n", " / ") for x in found)


def _failed(book: CompareBook) -> Writer:
    _, sheet = book.words, book.sheets["technical"]

    def write(row: int, i: int, bid: Bid) -> None:
        failed = _findings(_, bid.technical.failed)
        sheet.text(row, 1 + i, failed or "–", **{**CELL, "align": "left", **(RED if failed else {})})

    return write


def failed_words(_: Words, bid: Bid) -> str:
    """Rules that fail with what is added, in a line."""
    return _findings(_, bid.technical.still_failed).replace("\n", "; ")
