"""Sheet Summary: the ranking, what the best bid is, what to ask before an award."""

from __future__ import annotations

from typing import Any

from optimizer.procurement.bids.bid_labels import amount, distance, first_of, is_open, named, open_items
from optimizer.procurement.bids.flagging import STOPS
from optimizer.procurement.bids.schema import Bid
from optimizer.procurement.bids.workbook import technical
from optimizer.procurement.bids.workbook.book import CELL, GREEN, RED, CompareBook, money
from optimizer.procurement.labels import SEVERITIES
from optimizer.procurement.quotation.workbook import gross
from optimizer.procurement.quotation.workbook.book import DARK, LIGHT
from optimizer.procurement.quotation.workbook.live import literal, said, where
from optimizer.text.languages import N_, Words

HEAD = [
    N_("Rank"), N_("Bid"), N_("Build"), N_("As offered, net"), N_("taken out"), N_("added"),
    N_("Total on equal scope, net"), N_("Total with tax"),
    N_("Throughput, tok/s"), N_("80 % interval"), N_("Total per tok/s"), N_("W per tok/s"), N_("Rules that fail"),
    N_("Against the proven front"), N_("Score"),
]  # fmt: skip

FAILED = 12
"""Column of the rules that fail."""


def add(book: CompareBook) -> None:
    _, c, sheet, money_width = book.words, book.c, book.sheets["summary"], book.money_width
    text = N_("{model}; amounts in {currency}; as of {day}")
    note = _.stacked(text, model=c.request.model, currency=c.basis.currency, day=c.basis.as_of.isoformat())
    sheet.setup(
        [
            7,
            40,
            26,
            money_width,
            max(13.0, money_width * 0.9),
            max(13.0, money_width * 0.9),
            max(money_width, 21),
            money_width,
            16,
            17,
            max(14.0, money_width * 0.9),
            14,
            14,
            28,
            10,
        ],
        _("Bid comparison"),
        note,
    )
    apart = [
        f"{bid.id}{_.between(': ')}{f.said(_)}"
        for bid in c.bids
        for f in (first_of(bid.flags) if bid.apart else open_items(bid))
    ]
    if apart:
        sheet.span(2, 0, len(HEAD) - 1, "\n".join(apart), **RED, bold=True)
    row = 3
    sheet.head(row, HEAD, freeze=False)
    gross.label(sheet, row, 7, c.basis.tax_percent, _.stacked(HEAD[7]), _.stacked(N_("Total")), **gross.HEAD)
    sheet.ws.set_row(row, 66 if _.language == "both" else 34)
    order = sorted(range(len(c.bids)), key=lambda i: (c.bids[i].rank or len(c.bids) + 1, i))
    for k, i in enumerate(order, row + 1):
        _bid(book, k, i)
    row = _verdict(book, row + 2 + len(order))
    row = _sums(book, row + 1)
    row = _flags(book, row + 1)
    sheet.done(row - 1)


def _bid(book: CompareBook, row: int, i: int) -> None:
    _, sheet, bid = book.words, book.sheets["summary"], book.bids[i]
    t = bid.technical
    _best_row(book, row, i)
    style: dict[str, Any] = {**CELL}
    ranked = {**style, "num_format": "0", "align": "center", "bold": True}
    if bid.rank is None:
        sheet.text(row, 0, "–", **ranked)
    else:
        sheet.formula(row, 0, f"=rank_{bid.id}", bid.rank, **ranked)
    sheet.text(row, 1, named(bid), **{**style, "bold": True})
    sheet.text(row, 2, t.build or "–", **style)
    _sums_of(book, row, i)
    if t.throughput is None:
        for col in range(8, 12):
            sheet.text(row, col, "–", **style)
    else:
        speed = t.throughput
        ref = book.ref("technical", technical.cell(i, technical.SPEED))
        sheet.formula(row, 8, f"={ref}", speed.output_tok_s, **{**style, "num_format": "#,##0.0"})
        sheet.text(row, 9, f"{speed.low:,.0f} – {speed.high:,.0f}", **{**style, "align": "center"})
        for col, which, value in (
            (10, technical.PER, t.money_per_tok_s), (11, technical.WATTS, t.w_per_tok_s),
        ):  # fmt: skip
            if value is None:
                sheet.text(row, col, "–", **style)
                continue
            shape = book.money_format if col == 10 else "#,##0.00"
            ref = book.ref("technical", technical.cell(i, which))
            sheet.formula(row, col, f"={ref}", value, **{**style, "num_format": shape})
    failed = len({x.rule for x in t.failed})
    sheet.text(row, FAILED, str(failed) if t.build else "–", **{**style, "align": "center", **(RED if failed else {})})
    technical.distance_cell(book, sheet, row, FAILED + 1, i, **style)
    if bid.score is None or not bid.responsive:
        sheet.text(row, FAILED + 2, "–", **{**style, "align": "right"})
    else:
        sheet.formula(row, FAILED + 2, f"=score_{bid.id}", bid.score, **{**style, "num_format": "0.00", "bold": True})


def _sums_of(book: CompareBook, row: int, i: int) -> None:
    """As offered, taken out, added, in all, with tax."""
    _, sheet, bid = book.words, book.sheets["summary"], book.bids[i]
    if bid.offered_net is None or bid.filled_net is None or bid.outside_net is None:
        for col in range(3, 8):
            sheet.text(row, col, _("not comparable") if col == 6 else "–", **CELL)
        return
    changed = book.item_column(i, 3)
    money(book, sheet, row, 3, f"={book.ref('items', book.offered_cell(i))}", bid.offered_net)
    money(book, sheet, row, 4, f'=-SUMIF({changed},"<0")', bid.outside_net)
    money(book, sheet, row, 5, f'=SUMIF({changed},">0")', bid.filled_net)
    if bid.equal_net is None or bid.equal_gross is None:
        sheet.text(row, 6, _("not comparable"), **{**CELL, **RED})
        sheet.text(row, 7, "–", **CELL)
        return
    money(book, sheet, row, 6, f"={book.total(i)}", bid.equal_net, bold=True)
    money(book, sheet, row, 7, f"=equal_gross_{bid.id}", bid.equal_gross)


def _is_best(book: CompareBook, i: int) -> str:
    """Condition that a bid is the best: of rank 1, and the first of those that share it."""
    before = [b for b in book.bids[:i] if b.rank is not None]
    return f"AND({','.join([f'rank_{book.bids[i].id}=1', *(f'rank_{b.id}<>1' for b in before)])})"


def _best_row(book: CompareBook, row: int, i: int) -> None:
    """Green while the bid is the best; red cells stay red."""
    if book.bids[i].rank is None:
        return
    shape = {"type": "formula", "criteria": f"={_is_best(book, i)}", "format": book.file.add_format(GREEN)}
    for first, last in ((0, FAILED - 1), (FAILED + 1, len(HEAD) - 1)):
        book.sheets["summary"].ws.conditional_format(row, first, row, last, shape)


def _verdict(book: CompareBook, row: int) -> int:
    _, c, sheet = book.words, book.c, book.sheets["summary"]
    headline = said(_, N_("No bid can be awarded: see what is marked for each."))
    for i in reversed([i for i, bid in enumerate(c.bids) if bid.rank is not None]):
        name = named(c.bids[i])
        best = said(_, N_("Best of the responsive bids: {bid}"), bid=(literal(name), name))
        headline = where(_is_best(book, i), c.bids[i].id == c.recommended, best, headline)
    sheet.live(row, 0, len(HEAD) - 1, headline, bold=True, bg_color=LIGHT, font_color=DARK, font_size=12)
    for k, bid in enumerate(c.bids, 1):
        english, chinese = (f"{bid.id}{one.colon}{_reasons(book, one, bid)}" for one in (Words("en"), Words("zh")))
        why = _.pair(english, chinese)
        sheet.span(row + k, 0, len(HEAD) - 1, why)
    return row + len(c.bids) + 1


def _reasons(book: CompareBook, _: Words, bid: Bid) -> str:
    """In a line of one language why a bid is responsive or not."""
    if bid.responsive:
        return _("responsive: its build runs the model and passes every rule with what is added")
    out = []
    if not bid.technical.runs and not bid.apart:
        out.append(distance(_, bid))
    if bid.technical.still_failed:
        out.append(technical.failed_words(_, bid))
    out += [flag.said(_) for flag in bid.flags if flag.code in STOPS - {"runs-nothing", "no-build"}]
    if not out:
        out += [flag.said(_) for flag in bid.flags if flag.code in ("tax-basis-conflict", "tax-rate-unknown")]
    why = _.between("; ").join(out)
    return _("can't be awarded yet: {why}", why=why) if is_open(bid) else _("not responsive: {why}", why=why)


def _sums(book: CompareBook, row: int) -> int:
    _, c, sheet = book.words, book.c, book.sheets["summary"]
    text = N_(
        "{bid}: {amount} {currency} less at the others' lowest prices for the same parts and services, as the bids "
        "were read"
    )
    lines = [
        _(text, bid=bid.id, amount=amount(bid.negotiable_net), currency=c.basis.currency)
        for bid in c.bids
        if bid.negotiable_net
    ]
    lines += [_.sentence(note) for note in c.notes]
    for k, line in enumerate(lines):
        sheet.span(row + k, 0, len(HEAD) - 1, line)
    return row + len(lines)


def _flags(book: CompareBook, row: int) -> int:
    """Errors and warnings: what to ask the vendors about."""
    _, c, sheet = book.words, book.c, book.sheets["summary"]
    sheet.section(row, _("To ask the vendors about"))
    row += 1
    for bid in c.bids:
        for f in bid.flags:
            if f.severity == "error":
                sheet.text(row, 0, bid.id, align="center")
                sheet.text(row, 1, f"{_(SEVERITIES[f.severity])}{_.between(': ')}{f.code}")
                sheet.span(row, 2, len(HEAD) - 1, f.said(_))
                row += 1
        softer = sum(flag.severity == "warning" for flag in bid.flags)
        if softer:
            sheet.text(row, 0, bid.id, align="center")
            sheet.span(row, 1, len(HEAD) - 1, _("{n} warnings, see sheet Marks", n=softer), font_color="#595959")
            row += 1
    return row
