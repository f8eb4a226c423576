"""Sentences of the quote's sheets that follow its cells: pieces, shares, stale prices, tax, days."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal

from optimizer.procurement.labels import category, word
from optimizer.procurement.quotation.content import EXCLUDED, included_services, left_out, remarks
from optimizer.procurement.quotation.workbook.bill import AT, FIRST, fresh_days_name
from optimizer.procurement.quotation.workbook.book import Book
from optimizer.procurement.quotation.workbook.live import LANGUAGES, LINE_BREAK, Live, iso, joined, literal, said, where
from optimizer.text.languages import N_, Words

BULLETS = "• ", "   "


CHANGED = N_(
    "Quantities were changed: build, plan, throughput, power and the rules' findings are those of the build as solved."
)


def other_quantities(book: Book) -> str:
    """Condition that a line counts other pieces for use than the build that the rules were checked on."""
    cells = (book.ref("bom", f"{AT['qty']}{FIRST + 1 + i}") for i in range(len(book.quote.lines)))
    differ = (f"({cell}<>{line.qty})" for cell, line in zip(cells, book.quote.lines, strict=True))
    return f"({'+'.join(differ) or '0'})>0"


def of_the_build(book: Book, note: str) -> Live:
    """What a sheet about the build says of itself, unless quantities were changed."""
    return where(other_quantities(book), False, said(book.words, CHANGED), said(book.words, note))


def included(book: Book) -> Iterator[Live]:
    """What the total pays for: pieces by category, and services."""
    _, quote = book.words, book.quote
    groups: dict[str, list[int]] = {}
    for i, line in enumerate(quote.lines):
        if line.pieces and line.origin != "owned":
            groups.setdefault(line.category, []).append(i)
    for kind, rows in groups.items():
        head, comma = f"{BULLETS[0]}{category(_, kind)}{_.between(': ')}", _.between(", ")
        pieces = [literal(head)]
        for k, i in enumerate(rows):
            pieces += [
                book.ref("bom", f"{AT['pieces']}{FIRST + 1 + i}"),
                literal(f" x {quote.lines[i].name}{comma if k < len(rows) - 1 else ''}"),
            ]
        listed = comma.join(f"{quote.lines[row].pieces} x {quote.lines[row].name}" for row in rows)
        yield Live(joined(pieces), head + listed)
    spares, support = included_services()
    yield where("total_spares>0", quote.sums.spares > 0, said(_, spares, BULLETS))
    yield where("total_support>0", quote.sums.support > 0, said(_, support, BULLETS))


def excluded(book: Book) -> Live:
    """What the total does not pay for, in one sentence a language."""
    quote = book.quote
    open_ = (
        ("total_support=0", not quote.sums.support, N_("Hardware support beyond the makers' warranty")),
        ("total_spares=0", not quote.sums.spares, N_("Spare parts")),
        ("total_tax=0", not quote.sums.tax, N_("Tax")),
    )
    lines, values = [], []
    for i, language in enumerate(LANGUAGES[book.words.language]):
        one, comma = Words(language), "；" if language == "zh" else ", "
        fixed = [one(x) for x in EXCLUDED] + [one(text, what=x) for text, x in left_out(quote)]
        text = comma.join(fixed)
        pieces, value = [literal(BULLETS[min(i, 1)] + text)], BULLETS[min(i, 1)] + text
        for condition, holds, words in open_:
            pieces.append(f'IF({condition},{literal(comma + one(words))},"")')
            value += comma + one(words) if holds else ""
        lines.append(joined(pieces))
        values.append(value)
    return Live(f"&{LINE_BREAK}&".join(lines), "\n".join(values))


def notes(book: Book) -> Iterator[Live]:
    """What a buyer must note: shares and marks by formula, the rest as it stands."""
    _, quote = book.words, book.quote
    yield where(other_quantities(book), False, said(_, CHANGED, BULLETS))
    first, last = FIRST + 1, FIRST + len(quote.lines)
    estimate, goods = word(_, "estimate"), max(1, quote.sums.goods)
    weak = [
        i
        for i, line in enumerate(quote.lines)
        if line.offer is not None and line.price is not None and line.offer.confidence == "estimate"
    ]
    share = Decimal(100 * sum(quote.lines[i].total for i in weak)) / goods
    percent = int(share.quantize(Decimal(1), ROUND_HALF_UP))
    confidence, net = (book.ref("bom", f"${AT[x]}${first}:${AT[x]}${last}") for x in ("confidence", "net"))
    estimated = f"ROUND(100*SUMPRODUCT(({confidence}={literal(estimate)})*{net})/MAX(total_goods,1),0)"
    text = N_("{share} % of the goods' price is estimated, nobody published it: ask for binding offers.")
    yield where(f"{estimated}>0", percent > 0, said(_, text, BULLETS, share=(estimated, percent)))
    dated = [i for i, line in enumerate(quote.lines) if line.price is not None and line.day is not None]
    days = ((book.ref("bom", f"{AT['day']}{first + i}"), fresh_days_name(quote.lines[i])) for i in dated)
    stale = "+".join(f"N(quote_date-{day}>{fresh})" for day, fresh in days) or "0"
    old = sum(line.stale for line in quote.lines)
    text = N_("Prices that are stale on the day of this quote: {n}. Ask for them anew before ordering.")
    yield where(f"({stale})>0", old > 0, said(_, text, BULLETS, n=(f"({stale})", old)))
    over = quote.budget is not None and quote.sums.total > quote.budget
    yield where("AND(ISNUMBER(budget),total>budget)", over, said(_, N_("The total is above the budget."), BULLETS))
    for x in remarks(_, quote):
        lines = x.split("\n")
        shown = "\n".join(BULLETS[min(k, 1)] + line for k, line in enumerate(lines))
        yield Live(f"&{LINE_BREAK}&".join(literal(line) for line in shown.split("\n")), shown)


def validity(book: Book) -> Live:
    """Until when the prices hold, or when they are to be asked for anew."""
    quote = book.quote
    day = iso(f"(quote_date+{quote.party.valid_days})"), quote.party.valid_until.isoformat()
    if quote.party.confirmed:
        return said(book.words, N_("Valid until {day}."), day=day)
    text = N_("An estimate for a budget, no offer: nobody is bound by it. Ask for the prices anew after {day}.")
    return said(book.words, text, day=day)


def tax(book: Book) -> Live:
    """What tax is in the total."""
    quote = book.quote
    percent = "ROUND(100*tax_rate,6)", f"{quote.rates.tax.normalize():f}"
    taxed = said(book.words, N_("Prices are net of tax; tax of {percent} % is added as shown."), percent=percent)
    bare = said(book.words, N_("Prices are net of tax; no tax is in the total."))
    return where("tax_rate>0", quote.rates.tax > 0, taxed, bare)
