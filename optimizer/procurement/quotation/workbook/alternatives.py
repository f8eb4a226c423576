"""Sheet Alternatives: the named points of the front and the quoted one, side by side."""

from __future__ import annotations

from typing import Any

from catalogs.schema import Kind
from optimizer.procurement.labels import category, gpus, interval, plan, unit, word
from optimizer.procurement.quotation.workbook import gross
from optimizer.procurement.quotation.workbook.book import DARK, LIGHT, Book
from optimizer.procurement.quotation.workbook.front import FIRST
from optimizer.result.point_schema import FrontPoint

LABEL, COLUMN = 32, 40


def shown(book: Book) -> list[int]:
    """Indices of the points, by cost: the named ones, the quoted one and those beside it."""
    quote = book.quote
    return [i for i, point in enumerate(quote.front) if point.id in quote.names or abs(i - quote.at) <= 1]


def add(book: Book) -> None:
    _, quote, sheet = book.words, book.quote, book.sheets["alternatives"]
    at = shown(book)
    points = [quote.front[i] for i in at]
    note = _.stacked(
        "The named points of the front side by side. Totals are those of sheet Front; names and "
        "shares on estimated prices are those of the day this file was made."
    )
    top = sheet.setup([LABEL, *[COLUMN] * max(3, len(at))], _("Alternatives"), note)
    sheet.ws.fit_to_pages(1, 1)
    cell: dict[str, Any] = {"border": 1, "border_color": "#BFBFBF", "align": "left"}
    head = {"bold": True, "bg_color": DARK, "font_color": "white", "border": 1}
    sheet.text(top, 0, _("Point"), **head)
    for col, (i, p) in enumerate(zip(at, points, strict=True), 1):
        named = [*quote.names.get(p.id, []), *(["quoted"] if i == quote.at else [])]
        sheet.text(
            top,
            col,
            _.between(": ").join(x for x in (p.id, _.between(", ").join(word(_, x) for x in named)) if x),
            **head,
        )
    sheet.ws.freeze_panes(top + 1, 1)
    sheet.ws.repeat_rows(top)
    row = top + 1
    for label, column, cents in ((_("Total with tax"), "F", True), (_("Total per tok/s"), "J", False)):
        strong = {**cell, "bold": True, "bg_color": LIGHT}
        if cents:
            gross.label(sheet, row, 0, quote.rates.tax, label, _("Total"), **strong)
        else:
            sheet.text(row, 0, label, **strong)
        for col, i in enumerate(at, 1):
            formula = f"={book.ref('front', f'{column}{FIRST + 1 + i}')}"
            m, speed = quote.sums_of(i), quote.front[i].throughput.output_tok_s
            if cents:
                sheet.money(row, col, formula, m.total, **{**cell, "bold": True, "bg_color": LIGHT})
            else:
                each = float(quote.amount(m.total)) / speed if speed else 0
                sheet.formula(row, col, formula, each, **{**cell, "num_format": book.money_format})
        row += 1
    for label, texts in _rows(book, points):
        sheet.text(row, 0, label, **{**cell, "font_color": "#595959"})
        for col, text in enumerate(texts, 1):
            sheet.text(row, col, text, **cell)
        row += 1
    sheet.done(row - 1)


def _rows(book: Book, points: list[FrontPoint]) -> list[tuple[str, list[str]]]:
    """Label and a text per point: figures, then the parts by category."""
    _ = book.words
    serving = all(point.throughput.per_user_tok_s is not None for point in points)
    out = [
        (_("GPUs"), [gpus(point) for point in points]),
        (
            _("Throughput"),
            [f"{point.throughput.output_tok_s:,.1f} {unit(_, point.throughput.unit)}" for point in points],
        ),
        (_("80 % interval"), [interval(point) for point in points]),
    ]
    if serving:
        out.append((_("Each user sees"), [f"{point.throughput.per_user_tok_s:,.1f} tok/s" for point in points]))
        out.append((_("Requests at once"), [f"{point.throughput.concurrency:,}" for point in points]))
    out += [
        (_("Plan"), [plan(point) for point in points]),
        (_("Power of the whole build"), [f"{point.power.total_w / 1000:,.1f} kW" for point in points]),
        (_("Rack units"), [f"{point.rack_units} U" for point in points]),
        (_("Energy a year"), [f"{point.energy.kwh_year:,} kWh" for point in points]),
        (_("Share on estimated prices"), [f"{point.cost.estimated_share * 100:.0f} %" for point in points]),
        (_("Warnings"), [str(sum(check.status != "pass" for check in point.checks)) for point in points]),
    ]
    for kind in [*Kind]:
        parts = [
            "\n".join(
                f"{line.qty} x {line.name}"
                for line in point.bom
                if line.category == kind.value and line.role != "spare"
            )
            for point in points
        ]
        if any(parts):
            out.append((category(_, kind.value), [part or "–" for part in parts]))
    return out
