"""Sheet Front: every point of the proven front under the quote's terms; the chart's data, this point marked."""

from __future__ import annotations

import math
from typing import Any

from optimizer.procurement.labels import gpus, plan, unit, word
from optimizer.procurement.quotation.workbook import gross
from optimizer.procurement.quotation.workbook.book import DARK, LIGHT, Book
from optimizer.text.languages import N_

HEAD = [
    N_("Point"), N_("Goods, net"), N_("Discount"), N_("Support"), N_("Tax amount"), N_("Total with tax"),
    N_("Throughput"), N_("Low"), N_("High"), N_("Total per tok/s"), N_("GPUs"), N_("Plan"), N_("kW"), N_("What it is"),
    N_("Up to high"), N_("Down to low"),
]  # fmt: skip
PRINTED = 13
FIRST = 4


def add(book: Book) -> None:
    _, quote, sheet, digits = book.words, book.quote, book.sheets["front"], book.quote.digits
    note = N_(
        "Amounts in {currency}, throughput in {unit}. Goods of the other points stand at the exchange rates and spares "
        "of the day of this quote. Proven and named as priced when this file was made."
    )
    wide = book.money_width
    widths = [8, *[wide] * 5, 12, 11, 11, 13, 30, 19, 7, 22, 11, 11]
    title = _("Front: cost against throughput")
    sheet.setup(widths, title, _.stacked(note, currency=quote.currency, unit=quote.chosen.throughput.unit), PRINTED)
    sheet.head(FIRST - 1, HEAD)
    gross.label(sheet, FIRST - 1, 5, quote.rates.tax, _.stacked(HEAD[5]), _.stacked(N_("Total")), **gross.HEAD)
    for i, point in enumerate(quote.front):
        row, n, m = FIRST + i, FIRST + i + 1, quote.sums_of(i)
        cell: dict[str, Any] = {"border": 1, "border_color": "#BFBFBF"}
        if i == quote.at:
            cell |= {"bold": True, "bg_color": LIGHT}
            sheet.money(row, 1, "=total_goods", m.goods, **cell)
            sheet.money(row, 3, "=total_support", m.support, **cell)
        else:
            sheet.number(row, 1, quote.amount(m.goods), **{"num_format": book.money_format, **cell})
            weighted = quote.weights[i].scaleb(-digits)
            by = f"+{weighted}*(1-discount_rate)" if weighted else ""
            sheet.money(row, 3, f"=ROUND(ROUND(B{n}-C{n},{digits})*support_rate{by},{digits})", m.support, **cell)
        sheet.text(row, 0, point.id, align="center", **cell)
        sheet.money(row, 2, f"=ROUND(B{n}*discount_rate,{digits})", m.discount, **cell)
        sheet.money(row, 4, f"=ROUND(ROUND(B{n}-C{n}+D{n},{digits})*tax_rate,{digits})", m.tax, **cell)
        sheet.money(row, 5, f"=ROUND(B{n}-C{n}+D{n}+E{n},{digits})", m.total, **cell)
        throughput = point.throughput
        for col, value in ((6, throughput.output_tok_s), (7, throughput.low), (8, throughput.high)):
            sheet.number(row, col, value, **{"num_format": "#,##0.0", **cell})
        sheet.formula(
            row, 14, f"=I{n}-G{n}", throughput.high - throughput.output_tok_s, **{"num_format": "#,##0.0", **cell}
        )
        sheet.formula(
            row, 15, f"=G{n}-H{n}", throughput.output_tok_s - throughput.low, **{"num_format": "#,##0.0", **cell}
        )
        each = float(quote.amount(m.total)) / throughput.output_tok_s if throughput.output_tok_s else 0
        sheet.formula(row, 9, f"=IF(G{n}>0,F{n}/G{n},0)", each, **{"num_format": "#,##0.00", **cell})
        sheet.text(row, 10, gpus(point), **cell)
        sheet.text(row, 11, plan(point), **cell)
        sheet.number(row, 12, point.power.total_w / 1000, **{"num_format": "0.0", **cell})
        named = [*quote.names.get(point.id, []), *(["quoted"] if i == quote.at else [])]
        sheet.text(row, 13, _.between(", ").join(word(_, x) for x in named), **cell)
    sheet.ws.autofilter(FIRST - 1, 0, FIRST + len(quote.front) - 1, len(HEAD) - 1)
    below = FIRST + len(quote.front) + 1
    sheet.ws.insert_chart(below, 0, chart(book, 1320, 420), {"object_position": 2})
    sheet.done(below + 21, PRINTED)


def chart(book: Book, width: int, height: int) -> Any:
    """Total against throughput with the 80 % interval, the quoted point in another colour."""
    _, quote = book.words, book.quote
    last = FIRST + len(quote.front)
    at = FIRST + 1 + quote.at
    made = book.file.add_chart({"type": "scatter", "subtype": "straight_with_markers"})

    def cells(column: str, first: int, end: int) -> str:
        return f"={book.ref('front', f'${column}${first}:${column}${end}')}"

    made.add_series(
        {
            "name": _("Proven front"),
            "categories": cells("F", FIRST + 1, last),
            "values": cells("G", FIRST + 1, last),
            "marker": {"type": "circle", "size": 6, "fill": {"color": DARK}, "border": {"color": DARK}},
            "line": {"color": "#8EA9DB", "width": 1.25},
            "y_error_bars": {
                "type": "custom",
                "plus_values": cells("O", FIRST + 1, last),
                "minus_values": cells("P", FIRST + 1, last),
                "line": {"color": "#A6A6A6"},
            },
        }
    )
    made.add_series(
        {
            "name": _("This quote, {point}", point=quote.chosen.id),
            "categories": cells("F", at, at),
            "values": cells("G", at, at),
            "marker": {"type": "diamond", "size": 12, "fill": {"color": "#C00000"}, "border": {"color": "#C00000"}},
            "line": {"none": True},
        }
    )
    font = {"name": book.font, "size": 9, "bold": False}
    grid = {"visible": True, "line": {"color": "#E7E6E6"}}
    axis = {"name_font": font, "num_font": font, "num_format": "#,##0", "major_gridlines": grid}
    top = _nice(max(point.throughput.high for point in quote.front))
    made.set_x_axis({"name": _("total, {currency}", currency=quote.currency), **axis})
    made.set_y_axis({"name": unit(_, quote.chosen.throughput.unit), "min": 0, "max": top, **axis})
    made.set_title(
        {"name": _("Cost against throughput, 80 % interval"), "name_font": {**font, "size": 11, "bold": True}}
    )
    made.set_legend({"position": "bottom", "font": font})
    made.set_size({"width": width, "height": height})
    return made


def _nice(top: float) -> float:
    """A round number above `top`: the axis must hold the highest interval whole."""
    if top <= 0:
        return 1
    step = 10.0 ** math.floor(math.log10(top))
    return next(k * step for k in (1, 1.5, 2, 3, 4, 5, 6, 8, 10, 15) if k * step >= top * 1.03)
