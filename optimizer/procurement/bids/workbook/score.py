"""Sheet Score: figures by criterion, points as formulas over them and the weights, sums, the method's index, ranks."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from xlsxwriter.utility import xl_col_to_name

from optimizer.procurement.bids.bid_labels import CERTAIN, METHODS, criterion, is_open, named
from optimizer.procurement.bids.schema import Bid, Weight
from optimizer.procurement.bids.workbook import technical
from optimizer.procurement.bids.workbook.book import CELL, CompareBook, money
from optimizer.procurement.quotation.workbook.book import DARK, INPUT, LIGHT
from optimizer.text.languages import N_

TOP = 5
LEFT = 3
PRICE, DEDUCTION, EVALUATION = 1, 2, 3
"""Rows of the price below the head; the other criteria's figures follow."""
UNITS = {
    "throughput": N_("tok/s"), "rules": N_("share that does not fail"), "power": N_("W per tok/s"),
    "delivery": N_("days"), "warranty": N_("months"), "life_cycle_cost": N_("evaluation price and costs of use"),
}  # fmt: skip
HOW = {
    "throughput": N_("own / highest"), "rules": N_("share of rules that do not fail"), "power": N_("lowest / own"),
    "delivery": N_("shortest / own, a week at least"), "warranty": N_("own / longest"),
    "life_cycle_cost": N_("lowest / own"),
}  # fmt: skip
HOW_PRICE = {
    "lowest_over_own": N_("lowest evaluation price / own"),
    "linear_low_high": N_("(highest - own) / (highest - lowest)"),
    "none_at_double": N_("full at the lowest, none at twice of it"),
}
INDEX = {
    "ratio": N_("Points / evaluation price"), "ratio_band": N_("Points / evaluation price"),
    "weighted_ratio": N_("Weighted points and price"),
}  # fmt: skip


def add(book: CompareBook) -> None:
    _, c, sheet, n = book.words, book.c, book.sheets["score"], len(book.bids)
    note = N_(
        "Points = weight x share. Weights stand on sheet Assumptions. What a bid does not say brings no points; a bid "
        "that can't be awarded has none and no rank. Deductions are for the evaluation alone."
    )
    sheet.setup([22, 36, 10, *[max(34.0, 100 / n)] * n], _("Score"), _.stacked(note))
    rules = c.scoring
    sheet.span(2, 0, LEFT + n - 1, f"{rules.title}{_.between(': ')}{_(METHODS[rules.method])}", bold=True)
    said = _("Source: {source} ({certainty})", source=rules.source, certainty=_(CERTAIN[rules.certainty]))
    sheet.span(3, 0, LEFT + n - 1, said, font_color="#595959")
    _head(book, TOP, [_("Figures"), _("Unit"), ""])
    _price_rows(book)
    figures = {"price": TOP + EVALUATION}
    others = [weight for weight in c.weights if weight.key != "price"]
    for row, weight in enumerate(others, TOP + EVALUATION + 1):
        figures[weight.key] = row
        _labels(
            book, row, [criterion(_, weight), _(UNITS[weight.key]) if weight.key in UNITS else _("experts' points"), ""]
        )
        for i in range(n):
            _value(book, row, i, weight)
    start = TOP + EVALUATION + len(others) + 2
    _head(book, start, [_("Points"), _("How the share is made"), _("Weight")])
    for row, weight in enumerate(c.weights, start + 1):
        _points(book, row, weight, figures[weight.key])
    _sums(book, start + len(c.weights) + 1, start + 2)


def _head(book: CompareBook, row: int, left: list[str]) -> None:
    sheet = book.sheets["score"]
    head = {"bold": True, "bg_color": DARK, "font_color": "white", "border": 1}
    for col, text in enumerate([*left, *(named(bid) for bid in book.bids)]):
        sheet.text(row, col, text, **head)


def _labels(book: CompareBook, row: int, texts: Sequence[str], **style: Any) -> None:
    for col, text in enumerate(texts):
        book.sheets["score"].text(row, col, text, **{**CELL, **style})


def _at(row: int, i: int) -> str:
    """A bid's cell of a row, as Excel counts."""
    return f"{xl_col_to_name(LEFT + i)}{row + 1}"


def _every(book: CompareBook, row: int) -> str:
    """The cells of all bids; those that can't be awarded have a dash, which neither MIN nor MAX counts."""
    first, last = xl_col_to_name(LEFT), xl_col_to_name(LEFT + len(book.bids) - 1)
    return f"${first}${row + 1}:${last}${row + 1}"


def _dash(book: CompareBook, row: int, i: int, **style: Any) -> None:
    book.sheets["score"].text(row, LEFT + i, "–", **{**CELL, "align": "right", **style})


def _price_rows(book: CompareBook) -> None:
    """The price that is scored, what is deducted from it, and the evaluation price."""
    _, sheet, gross = book.words, book.sheets["score"], book.c.scoring.basis == "gross"
    basis = _("total on equal scope, with tax") if gross else _("total on equal scope, net")
    _labels(book, TOP + PRICE, [_("Price that is scored"), basis, ""])
    _labels(book, TOP + DEDUCTION, [_("Deduction"), _("percent of the price, for the evaluation alone"), ""])
    _labels(book, TOP + EVALUATION, [_("Evaluation price"), "", ""])
    for i, bid in enumerate(book.bids):
        scored = bid.equal_gross if gross else bid.equal_net
        if bid.evaluation_price is None or scored is None:
            for row in (PRICE, DEDUCTION, EVALUATION):
                _dash(book, TOP + row, i)
            continue
        name = f"equal_gross_{bid.id}" if gross else book.total(i)
        money(book, sheet, TOP + PRICE, LEFT + i, f"={name}", scored)
        given = {**CELL, "bg_color": INPUT, "locked": False, "font_color": "#0000C0", "align": "right"}
        sheet.number(TOP + DEDUCTION, LEFT + i, bid.deducted_percent / 100, num_format="0.##%", **given)
        formula = f"=ROUND({_at(TOP + PRICE, i)}*(1-{_at(TOP + DEDUCTION, i)}),{book.digits})"
        money(book, sheet, TOP + EVALUATION, LEFT + i, formula, bid.evaluation_price)


def _value(book: CompareBook, row: int, i: int, weight: Weight) -> None:
    sheet, bid, key = book.sheets["score"], book.bids[i], weight.key
    value = next((point.value for point in bid.points if point.key == key), None)
    style: dict[str, Any] = {**CELL, "align": "right"}
    if value is None:
        _dash(book, row, i)
    elif key in ("throughput", "power"):
        at = technical.cell(i, technical.SPEED if key == "throughput" else technical.WATTS)
        sheet.formula(row, LEFT + i, f"={book.ref('technical', at)}", value, num_format="#,##0.0#", **style)
    elif key == "life_cycle_cost":
        money(book, sheet, row, LEFT + i, _life_cycle(book, i), value)
    else:
        sheet.number(row, LEFT + i, value, num_format="0.0%" if key == "rules" else "0.##", **style)


def _life_cycle(book: CompareBook, i: int) -> str:
    """Evaluation price, energy over the years, support and end of life."""
    use = book.c.scoring.life_cycle
    assert use is not None  # else it is no criterion
    watts = book.ref("technical", technical.cell(i, technical.POWER))
    energy = f"{watts}/1000*8760*{use.years}*{use.load}*{use.pue}*{use.price_per_kwh}"
    rest = f"{use.support_per_year}*{use.years}+{use.end_of_life}"
    return f"=ROUND({_at(TOP + EVALUATION, i)}+{energy}+{rest},{book.digits})"


def _points(book: CompareBook, row: int, weight: Weight, figure: int) -> None:
    _, sheet, key = book.words, book.sheets["score"], weight.key
    how = HOW_PRICE[book.c.scoring.price_formula] if key == "price" else HOW.get(key, N_("mean of the experts' points"))
    _labels(book, row, [criterion(_, weight), _(how)])
    sheet.formula(row, 2, f"=weight_{key}", weight.weight, num_format="0.##", **CELL)
    for i, bid in enumerate(book.bids):
        if not bid.responsive:
            _dash(book, row, i)
            continue
        points = next(point.points for point in bid.points if point.key == key)
        formula = f"=ROUND($C{row + 1}*{_share(book, weight, figure, i)},2)"
        sheet.formula(row, LEFT + i, formula, points, num_format="0.00", **CELL)


def _share(book: CompareBook, weight: Weight, row: int, i: int) -> str:
    """Share of a criterion over the figures of a row."""
    own, every, key = _at(row, i), _every(book, row), weight.key
    if key == "price":
        return {
            "lowest_over_own": f"IF({own}>0,MIN(1,MIN({every})/{own}),0)",
            "linear_low_high": f"IF(MAX({every})=MIN({every}),1,(MAX({every})-{own})/(MAX({every})-MIN({every})))",
            "none_at_double": f"MAX(0,2-{own}/MIN({every}))",
        }[book.c.scoring.price_formula]
    if weight.own:
        made = f"{own}/{weight.weight}"
    else:
        made = {
            "throughput": f"{own}/MAX({every})", "rules": own, "power": f"MIN({every})/{own}",
            "delivery": f"MAX(7,MIN({every}))/MAX(7,{own})", "life_cycle_cost": f"MIN({every})/{own}",
            "warranty": f"IF(MAX({every})>0,{own}/MAX({every}),0)",
        }[key]  # fmt: skip
    return f"IF(ISNUMBER({own}),{made},0)"


def _sums(book: CompareBook, row: int, first: int) -> None:
    """The sum of points, the method's index, the rank, and whether a bid can be awarded."""
    _, sheet, rules = book.words, book.sheets["score"], book.c.scoring
    strong: dict[str, Any] = {**CELL, "bold": True, "bg_color": LIGHT}
    plain = rules.method in ("points", "lowest")
    _labels(book, row, [_("Score") if plain else _("Performance points"), ""], **strong)
    total = sum((weight.weight for weight in book.c.weights), Decimal(0))
    sheet.formula(row, 2, f"=ROUND(SUM(C{first}:C{row}),2)", total, num_format="0.##", **strong)
    index = row + 1 if rules.method in INDEX else row
    if index != row:
        _labels(book, index, [_(INDEX[rules.method]), _index_words(book), ""], **strong)
    rank = index + 1
    _labels(book, rank, [_("Rank"), _(METHODS[rules.method]), ""], **strong)
    _labels(book, rank + 1, [_("Responsive"), "", ""])
    for i, bid in enumerate(book.bids):
        sums = sum((point.points for point in bid.points), Decimal(0))
        if bid.responsive:
            formula = f"=ROUND(SUM({_at(first - 1, i)}:{_at(row - 1, i)}),2)"
            sheet.formula(row, LEFT + i, formula, sums, num_format="0.00", **strong)
        else:
            _dash(book, row, i, **strong)
        if index != row:
            _index(book, index, row, i, bid, strong)
        if not bid.responsive or (bid.rank is None and bid.index is None):
            _dash(book, rank, i, **strong)
        else:
            value = "–" if bid.rank is None else Decimal(bid.rank)
            sheet.formula(rank, LEFT + i, _rank(book, row, index, i), value, num_format="0", align="right", **strong)
        yes = _("yes") if bid.responsive else _("not known yet") if is_open(bid) else _("no")
        sheet.text(rank + 1, LEFT + i, yes, **{**CELL, "align": "right"})
        book.define(f"score_{bid.id}", "score", f"${xl_col_to_name(LEFT + i)}${row + 1}")
        book.define(f"rank_{bid.id}", "score", f"${xl_col_to_name(LEFT + i)}${rank + 1}")
    sheet.done(rank + 1)


def _index_words(book: CompareBook) -> str:
    _, rules = book.words, book.c.scoring
    if rules.method == "ratio_band" and rules.band_percent is not None:
        by = _("most points") if rules.decides == "points" else _("lowest price")
        return _("band of {percent} %, in it: {by}", percent=f"{rules.band_percent.normalize():f}", by=by)
    return ""


def _index(book: CompareBook, row: int, points: int, i: int, bid: Bid, style: dict[str, Any]) -> None:
    if bid.index is None:
        _dash(book, row, i, **style)
        return
    rules, own, price = book.c.scoring, _at(points, i), _at(TOP + EVALUATION, i)
    if rules.method != "weighted_ratio":
        formula = f"={own}/{price}"
    else:
        weight = rules.weight_points / 100
        middle = rules.reference_points or f"MEDIAN({_every(book, points)})"
        price_middle = rules.reference_price or f"MEDIAN({_every(book, TOP + EVALUATION)})"
        formula = f"={weight}*{own}/{middle}-{1 - weight}*{price}/{price_middle}"
    book.sheets["score"].formula(row, LEFT + i, formula, bid.index, num_format="0.000000000", **style)


def _rank(book: CompareBook, points: int, index: int, i: int) -> str:
    """Rank of a bid. Cells of bids that can't be awarded are texts, which count as more than any number: they are left
    out by ISNUMBER."""
    rules = book.c.scoring
    score, price = _every(book, points), _every(book, TOP + EVALUATION)
    bid_price = _every(book, TOP + PRICE)
    own, own_price, own_bid = _at(points, i), _at(TOP + EVALUATION, i), _at(TOP + PRICE, i)
    if rules.method == "lowest":
        return f"=1+SUMPRODUCT(ISNUMBER({price})*({price}<{own_price}))"
    if rules.method == "points":
        ahead = f"SUMPRODUCT(ISNUMBER({score})*({score}>{own}))"
        tied = (
            f"+SUMPRODUCT(ISNUMBER({score})*({score}={own})*({bid_price}<{own_bid}))" if rules.ties == "price" else ""
        )
        return f"=1+{ahead}{tied}"
    every, mine = _every(book, index), _at(index, i)
    if rules.method != "ratio_band" or rules.band_percent is None:
        return f"=1+SUMPRODUCT(ISNUMBER({every})*({every}>{mine}))"
    limit = f"MAX({every})*(1-{rules.band_percent / 100})"
    better = f"({score}>{own})" if rules.decides == "points" else f"({price}<{own_price})"
    return f'=IF({mine}<{limit},"–",1+SUMPRODUCT(ISNUMBER({every})*({every}>={limit})*{better}))'
