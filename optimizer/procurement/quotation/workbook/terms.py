"""Sheet Terms: conditions of the quote; the open ones may be filled in."""

from __future__ import annotations

from optimizer.procurement.quotation.content import NOT_INCLUDED, TAX, VALIDITY, conditions
from optimizer.procurement.quotation.workbook.book import INPUT, Book
from optimizer.procurement.quotation.workbook.sentences import excluded, tax, validity


def add(book: Book) -> None:
    _, quote, sheet = book.words, book.quote, book.sheets["terms"]
    note = _.stacked("Yellow fields are open: the parties fill them in.")
    row = sheet.setup([8, 36, 110], _("Terms"), note)
    sheet.ws.fit_to_pages(1, 1)
    follow = {_(VALIDITY): validity(book), _(TAX): tax(book), _(NOT_INCLUDED): excluded(book)}
    for i, (heading, text, open_) in enumerate(conditions(_, quote), 1):
        sheet.number(row, 0, i, num_format="0", align="center", border=1, border_color="#BFBFBF")
        sheet.text(row, 1, heading, bold=True, border=1, border_color="#BFBFBF")
        style = {"bg_color": INPUT, "locked": False} if open_ else {}
        if heading in follow:
            sheet.live(row, 2, 2, follow[heading], border=1, border_color="#BFBFBF", valign="vcenter")
        else:
            sheet.text(row, 2, text, border=1, border_color="#BFBFBF", **style)
        row += 1
    if not quote.party.confirmed:
        sheet.done(row - 1)
        return
    row += 1
    for label in (_("For the seller: name, date, signature"), _("For the buyer: name, date, signature")):
        sheet.span(row, 0, 1, label, bottom=1)
        sheet.text(row, 2, "", bottom=1, locked=False)
        sheet.ws.set_row(row, 34)
        row += 2
    sheet.done(row - 2)
