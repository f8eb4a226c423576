"""Page one, for those who decide: the build, its price, what it serves, three years, what is uncertain, next steps."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from optimizer.procurement.labels import BASIS, unit
from optimizer.report.bars import YEARS, Bars, three_years
from optimizer.report.facts import machine, recommended_point, remark, with_maker
from optimizer.report.formats import Formats, begun, figure
from optimizer.result.explanation_schema import NoBuild
from optimizer.result.point_schema import FrontPoint
from optimizer.result.schema import Result
from optimizer.text.languages import N_, Words

LEAST_SHARE = 0.0005
"""A smaller share of the money is not spoken of."""
LISTED = 3
"""Parts that nobody has quoted are named up to so many, the dearest first."""
WAYS_SHOWN = 8
TOLD_TO_THE_BOARD = ("guide-name", "beyond-measured-load", "not-proven")
"""Remarks without which page one would promise too much."""

SENTENCE = N_("{gpus} in {machines}: {total} for {speed} {unit}")
MACHINE, MACHINES = N_("one {name}"), N_("{n} x {name}")
NODE, NODES = N_("one node"), N_("{n} nodes")
SERVES_USERS = N_(
    "{users} users at once get {each} tokens/s each; the first token comes after {ttft}. There is room for {most} at "
    "{least} tokens/s."
)
SERVES_ALL = N_("up to {most} users at once at {least} tokens/s each; the first token comes after {ttft}")
TRAINS_DAYS = N_("the training that was asked for takes {days} days")
TOK_S = N_("tok/s")
NO_BUILD_TITLE = N_("No build meets this request")
NO_BUILD = N_("{model}: within the catalog and the conditions below, no machine can be bought.")


@dataclass(frozen=True)
class Tile:
    """A figure that stands by itself, with a label above and a remark below."""

    label: str
    value: str
    note: str


@dataclass(frozen=True)
class Board:
    """Page one. `commands`: what may be typed next."""

    title: str
    sentence: str
    tiles: list[Tile]
    years: Bars | None
    uncertain: list[str]
    next_steps: list[str]
    commands: list[str]


@dataclass(frozen=True)
class WayShown:
    """A way out of a request that no build meets: what is changed, what it gives, the command."""

    change: str
    cells: list[str]
    command: str


def board(result: Result, words: Words, source: str) -> Board:
    """Page one of a result. `source`: the name of its file, for the commands."""
    point = recommended_point(result)
    if point is None:
        return _without_build(result, words, source)
    return Board(
        title=words(N_("A machine for {model}"), model=result.model.name),
        sentence=build_sentence(point, words) + words.stop,
        tiles=_tiles(result, point, words),
        years=three_years(point, words),
        uncertain=list(_uncertain(result, point, words)),
        next_steps=_next_steps(result, point, words),
        commands=[f"dsopt rfq {source} -o rfq.xlsx", f"dsopt quote {source} -o quote.xlsx", f"dsopt explain {source}"],
    )


def build_sentence(point: FrontPoint, words: Words) -> str:
    """A build as a buyer would say it: GPUs, machines, price, throughput."""
    formats, nodes, line = Formats(words, point.cost.currency), point.nodes[0].count, machine(point)
    if line is not None:
        name = with_maker(line)
        machines = words(MACHINE, name=name) if nodes == 1 else words(MACHINES, n=str(nodes), name=name)
    else:
        machines = words(NODE) if nodes == 1 else words(NODES, n=str(nodes))
    return words(
        SENTENCE, gpus=f"{point.gpus.total} x {point.gpus.name}", machines=machines,
        total=formats.rounded(point.cost.total), speed=figure(point.throughput.output_tok_s),
        unit=unit(words, point.throughput.unit),
    )  # fmt: skip


def _tiles(result: Result, point: FrontPoint, words: Words) -> list[Tile]:
    formats, cost = Formats(words, point.cost.currency), point.cost
    energy = Decimal(point.energy.cost_year)
    low = formats.rounded(cost.low) if words.chinese else formats.whole(cost.low)
    taxed = N_("{tax} tax in it") if Decimal(cost.tax) else N_("no tax added")
    return [
        Tile(
            words(N_("Price")),
            formats.rounded(cost.total),
            words(N_("likely {low} to {high}"), low=low, high=formats.rounded(cost.high))
            + words.semicolon
            + words(taxed, tax=formats.rounded(cost.tax)),
        ),
        Tile(
            words(N_("It serves") if point.throughput.per_user_tok_s is not None else N_("It trains")),
            _served_figure(point, words),
            serves(result, point, words),
        ),
        Tile(
            words(N_("Three years")),
            formats.rounded(Decimal(cost.total) + YEARS * energy),
            words(
                N_("purchase and energy: {kwh} kWh a year at {price} {currency}, PUE {pue}"),
                kwh=f"{point.energy.kwh_year:,}", price=point.energy.price_per_kwh, currency=cost.currency,
                pue=point.energy.pue,
            ),
        ),
        Tile(
            words(N_("Power and space")),
            f"{figure(point.power.total_w / 1000, 1)} kW",
            words.comma.join(
                [
                    words(N_("{units} rack units"), units=str(point.rack_units)) if point.rack_units
                    else words(N_("stands without a rack")),
                    words(N_("{heat} BTU/h of heat"), heat=f"{point.power.heat_btu_h:,}"),
                ]
            ),
        ),
    ]  # fmt: skip


def _served_figure(point: FrontPoint, words: Words) -> str:
    throughput = point.throughput
    if throughput.days is not None:
        return words(N_("{days} days"), days=figure(throughput.days, 1))
    if throughput.per_user_tok_s is None:
        return f"{figure(throughput.output_tok_s)} {words(TOK_S)}"
    users = throughput.at_load.users if throughput.at_load else throughput.concurrency
    return words(N_("{n} users"), n=f"{users:,}")


def serves(result: Result, point: FrontPoint, words: Words) -> str:
    """What a build gives to its users, or how long it trains."""
    throughput = point.throughput
    if throughput.days is not None:
        return words(TRAINS_DAYS, days=figure(throughput.days, 1))
    if throughput.per_user_tok_s is None or throughput.ttft_ms is None:
        return unit(words, throughput.unit)
    least = figure(throughput.per_user_tok_s, 1)
    if (load := throughput.at_load) is None:
        ttft = _seconds(throughput.ttft_ms)
        return words(SERVES_ALL, most=f"{throughput.concurrency:,}", least=least, ttft=ttft)
    return words(
        SERVES_USERS, users=f"{load.users:,}", each=figure(load.per_user_tok_s, 1), ttft=_seconds(load.ttft_ms),
        most=f"{throughput.concurrency:,}", least=least,
    )  # fmt: skip


def _seconds(milliseconds: float) -> str:
    return f"{milliseconds:,.0f} ms" if milliseconds < 1000 else f"{milliseconds / 1000:,.1f} s"


def _uncertain(result: Result, point: FrontPoint, words: Words) -> Iterator[str]:
    """What may turn out otherwise: prices, throughput, delivery, advice that is not kept, a proof that was stopped."""
    formats, shares = Formats(words, point.cost.currency), point.cost.shares
    dear = sorted(
        (line for line in point.bom if line.price_state == "estimate" and Decimal(line.line_total) > 0),
        key=lambda line: -Decimal(line.line_total),
    )
    rests = (
        (N_("{share} of the money rests on prices that somebody read"), shares.read),
        (N_("{share} on older prices brought up to date by an index"), shares.indexed),
        (N_("{share} on estimates"), shares.estimated),
    )
    told = [words(text, share=formats.share(share)) for text, share in rests if share >= LEAST_SHARE]
    yield words(N_("Prices: {list}."), list=words.comma.join(told))
    if dear:
        named = words.list([line.name for line in dear[:LISTED]], ", ")
        few = N_("Nobody has quoted {parts}.")
        text = few if len(dear) <= LISTED else N_("Nobody has quoted {parts} and {n} more.")
        yield words(text, parts=named, n=str(len(dear) - LISTED))
    throughput = point.throughput
    yield words(
        N_("Throughput: 80 % of measurements lie between {low} and {high} {unit}; {basis}."),
        low=figure(throughput.low), high=figure(throughput.high), unit=unit(words, throughput.unit),
        basis=words(BASIS[throughput.basis]),
    )  # fmt: skip
    yield words(N_("Delivery: {text}."), text=words.sentence(point.site.delivery))
    for check in point.checks:
        if check.status != "pass":
            yield begun(words.sentence(check.text)) + words.stop
    for said in result.messages:
        if said.severity == "warning" or (said.code in TOLD_TO_THE_BOARD and _bears_on(said.text, point.id)):
            yield remark(said, words)


def _bears_on(text: str, point: str) -> bool:
    """Whether a remark is of the whole result or names this point."""
    named = re.findall(r"\bp\d+\b", text)
    return not named or point in named


def _next_steps(result: Result, point: FrontPoint, words: Words) -> list[str]:
    """What to ask and to prepare before an order."""
    asked = [words(N_("Ask the seller: {what}."), what=words.sentence(text)) for text in point.site.ask]
    return [
        *asked,
        words(N_("Prepare the site: {text}."), text=words.sentence(point.site.power)),
        words(N_("Send the request for quotation to several bidders and compare their bids.")),
    ]


def _without_build(result: Result, words: Words, source: str) -> Board:
    explained = result.explanation
    first = explained.ways_out[0] if explained is not None and explained.ways_out else None
    steps = [words(N_("Give way in one of the points below; each way out is the smallest change that is enough."))]
    return Board(
        title=words(NO_BUILD_TITLE),
        sentence=words(NO_BUILD, model=result.model.name),
        tiles=[],
        years=None,
        uncertain=_conflict(result, explained, words) if explained is not None else [],
        next_steps=steps if first is not None else [],
        commands=[first.command] if first is not None else [f"dsopt explain {source}"],
    )


def _conflict(result: Result, explained: NoBuild, words: Words) -> list[str]:
    """The conditions that can't be met together, each with what the cheapest build without it costs."""
    formats = Formats(words, result.request.currency)
    without = N_("{condition}: without it the cheapest build costs {total}")
    return [
        words.sentence(condition.text)
        if condition.without_total is None
        else words(without, condition=condition.text, total=formats.exact(condition.without_total))
        for condition in explained.conflict
    ]


def ways_out(result: Result, words: Words) -> list[WayShown]:
    """The smallest changes that give a build, the cheapest first."""
    if result.explanation is None:
        return []
    shown = []
    for way in result.explanation.ways_out[:WAYS_SHOWN]:
        build = way.build
        change = words.list([change.text for change in way.changes], " and ")
        formats = Formats(words, build.currency)
        cells = [change, formats.exact(build.total), build.gpus, f"{figure(build.output_tok_s, 1)} {words(TOK_S)}"]
        shown.append(WayShown(change, cells, way.command))
    return shown
