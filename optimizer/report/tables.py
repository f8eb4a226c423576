"""Tables of a report: the front, prices with sources, why not another GPU, assumptions, what binds, what changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from catalogs.schema import Part
from optimizer.procurement.bids.changes_schema import ResultsCompared
from optimizer.procurement.labels import CATEGORIES, WORDS, category, gpus, word
from optimizer.report.facts import recommended_point, remark
from optimizer.report.formats import Formats, figure
from optimizer.report.front import cost_words
from optimizer.result.explanation_schema import PointExplained
from optimizer.result.plan_line import plan_line
from optimizer.result.point_schema import BomLine, FrontPoint
from optimizer.result.schema import FamilyFacts, Result
from optimizer.text.languages import N_, Words

ORDER = {"cp_sat": 0, "bound": 1, "no_build": 2}
BY_SOLVER = N_("no build of it costs less than the front at the same throughput: proven by the solver")
BY_BOUND = N_("too dear for its throughput: even the least that a build of it can cost lies on or above the front")
BEYOND = N_("even the least that a build of it can cost is more than the request allows")
NO_PLAN = N_("no plan of the model runs on it, or no machine has all that it needs")
EMPTY = "–"
ROLES = ("fastest", "cheapest", "value", "read")
CHANGE_STATUS = {"kept": N_("on both fronts"), "gone": N_("gone"), "new": N_("new on the front")}


@dataclass(frozen=True)
class Table:
    """Heads and rows of texts. `numbers`: columns of figures; `links`: by row the place in the page that its first
    cell leads to."""

    title: str
    heads: list[str]
    rows: list[list[str]]
    numbers: tuple[int, ...] = ()
    links: list[str] = field(default_factory=list)


def roles_of(result: Result, point: FrontPoint, words: Words) -> str:
    """What a point is called: fastest, cheapest, recommended."""
    roles = [name for name in ROLES if result.named.get(name) == point.id]
    return words.list([WORDS[name] for name in [*roles, *["recommended"] * (result.recommended == point.id)]])


def front_table(result: Result, words: Words, linked: set[str]) -> Table:
    """Every point with all that the picture shows."""
    currency = result.request.currency
    heads = [
        words("point"), words(N_("total, {currency}"), currency=currency),
        words(N_("price range, {currency}"), currency=currency), words(N_("tok/s")), words(N_("80 % interval")),
        words(N_("throughput is")), words(N_("read / indexed / estimated")), words("GPUs"), words("plan"),
        words("kW"), words(N_("named")),
    ]  # fmt: skip
    rows, formats = [], Formats(words, currency)
    other = result.axis.name != "money"
    if other:
        heads.insert(1, words(result.axis.name))
    for point in result.front:
        cost, throughput = point.cost, point.throughput
        row = [
            point.id, formats.bare(cost.total), f"{formats.whole(cost.low)} – {formats.whole(cost.high)}",
            figure(throughput.output_tok_s, 1), f"{figure(throughput.low)} – {figure(throughput.high)}",
            words(throughput.basis), formats.shares(cost.shares), gpus(point), plan_line(vars(point.plan)),
            figure(point.power.total_w / 1000, 1), roles_of(result, point, words),
        ]  # fmt: skip
        if other:
            row.insert(1, cost_words(result, point, words))
        rows.append(row)
    numbers = tuple(column + other for column in (1, 2, 3, 4, 6, 9))
    links = [f"build-{point.id}" if point.id in linked else "" for point in result.front]
    return Table(words(N_("The front as a table")), heads, rows, numbers, links)


def prices(point: FrontPoint, words: Words) -> Table:
    """Parts of a build with their prices, and where and when somebody read them."""
    formats = Formats(words, point.cost.currency)
    rows = [
        [
            category(words, line.category), line.name, str(line.qty),
            formats.bare(line.unit_price) if line.origin != "included" else EMPTY,
            formats.bare(line.line_total) if line.origin != "included" else words(N_("included")),
            _rests_on(line, words), line.price_date or EMPTY, line.seller or EMPTY, line.price_source or EMPTY,
        ]
        for line in point.bom
    ]  # fmt: skip
    currency = point.cost.currency
    heads = [
        words("category"), words("part"), words("qty"), words(N_("unit price, {currency}"), currency=currency),
        words(N_("line, {currency}"), currency=currency), words(N_("price rests on")), words(N_("read on")),
        words(N_("seller")), words(N_("source")),
    ]  # fmt: skip
    return Table(words(N_("Parts, prices and their sources")), heads, rows, (2, 3, 4))


def _rests_on(line: BomLine, words: Words) -> str:
    """What the price of a line rests on, in words: `list price`, `street price, indexed`, `estimate`."""
    if line.origin == "owned":
        return words(N_("in hand"))
    if line.price_confidence is None:
        return EMPTY
    said = [word(words, line.price_confidence)]
    if line.price_state == "indexed":
        said.append(word(words, "indexed"))
    if line.stale:
        said.append(words(N_("stale")))
    return words.comma.join(said)


def why_not(result: Result, parts: Mapping[str, Part], words: Words) -> Table:
    """Every other GPU of the catalog, and what stands against it: of each count in a node that was looked at."""
    on_front = {(point.gpus.part, point.gpus.per_node) for point in result.front}
    grouped: dict[tuple[str, int, str], list[FamilyFacts]] = {}
    for family in result.proof.families.each:
        if (family.gpu, family.per_node) not in on_front:
            key = (family.gpu, ORDER[family.closed_by], _against(family, bool(result.front), words))
            grouped.setdefault(key, []).append(family)
    rows = [
        (order, _least(families), parts[gpu].name if gpu in parts else gpu, families, reason)
        for (gpu, order, reason), families in grouped.items()
    ]
    rows.sort(key=lambda row: (row[0], row[1] is None, row[1] or Decimal(0), row[2]))
    formats = Formats(words, result.request.currency)
    heads = [
        "GPU", words(N_("GPUs per node")),
        words(N_("a build costs at least, {currency}"), currency=result.request.currency),
        words(N_("what stands against it")),
    ]  # fmt: skip
    cells = [
        [name, spans(family.per_node for family in families),
         EMPTY if least is None else formats.bare(least), reason]
        for _order, least, name, families, reason in rows
    ]  # fmt: skip
    return Table(words(N_("Why not another GPU")), heads, cells, (2,))


def spans(numbers: Iterable[int]) -> str:
    """`1–8, 10`: whole numbers, those that follow each other as a span."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}–{run[-1]}" for run in runs)


def _least(families: list[FamilyFacts]) -> Decimal | None:
    bounds = [Decimal(family.least[0]) for family in families if family.least]
    return min(bounds, default=None)


def _against(family: FamilyFacts, on_a_front: bool, words: Words) -> str:
    if family.closed_by == "cp_sat":
        return words(BY_SOLVER)
    if family.closed_by == "bound":
        return words(BY_BOUND if on_a_front else BEYOND)
    refused = sorted(family.refused or [], key=lambda refusal: (refusal.of != "family", -refusal.number))
    return words.sentence(refused[0].reason) if refused else words(NO_PLAN)


def assumptions(result: Result, words: Words) -> Table:
    """What the figures rest on: the request, changed policy, rates, energy, throughput model."""
    formats = Formats(words, result.request.currency)
    rows = [[words(N_("Asked")), words.semicolon.join(clauses(result, words))]]
    rows += [[words(N_("Prices of")), formats.day(result.request.as_of)]]
    if result.policy:
        settings = words.semicolon.join(f"{key} = {value}" for key, value in result.policy.items())
        rows.append([words(N_("Changed settings")), settings])
    if (point := recommended_point(result)) is not None:
        energy = words(
            N_("{price} {currency} per kWh, PUE {pue}"), price=point.energy.price_per_kwh, currency=point.cost.currency,
            pue=point.energy.pue,
        )  # fmt: skip
        rows.append([words(N_("Energy")), energy])
        rows.append([words(N_("Software")), words.comma.join([point.plan.engine, plan_line(vars(point.plan))])])
    model = result.throughput_model
    rows.append([words(N_("Throughput model")), f"{model.calibration}, {model.sha256[:12]}"])
    catalog = result.catalog
    known = N_("{parts} parts, {offers} prices; those read are of {oldest} to {newest}; {hash}")
    dates = {"oldest": catalog.oldest_price or EMPTY, "newest": catalog.newest_price or EMPTY}
    rows.append(
        [words(N_("Catalog")), words(known, parts=f"{catalog.parts:,}", offers=f"{catalog.offers:,}", **dates,
                                     hash=catalog.sha256[:12])]
    )  # fmt: skip
    used = _currencies(result)
    for rate in result.fx:
        if rate.currency in used and rate.currency != "USD":
            by_dollar = N_("1 USD = {rate} {currency}, {day}: {source}")
            said = words(
                by_dollar if rate.units_per_usd else N_("1 {currency} = {rate} USD, {day}: {source}"),
                currency=rate.currency, rate=rate.units_per_usd or rate.usd_per_unit, day=rate.date, source=rate.source,
            )  # fmt: skip
            rows.append([words(N_("Exchange rate")), said])
    rows += [[words(said.severity), remark(said, words)] for said in result.messages]
    return Table(words(N_("Assumptions and remarks")), [words(N_("what")), words(N_("assumed"))], rows)


def _currencies(result: Result) -> set[str]:
    """Currencies in which the request, or an offer behind the front, is."""
    return {result.request.currency, *(line.currency for point in result.front for line in point.bom)}


def clauses(result: Result, words: Words) -> list[str]:
    """The request in clauses, as the first line of `solve` says it."""
    from optimizer.request.fields import FIELDS

    said = (entry.said(result.request, words) for entry in FIELDS.values() if not isinstance(entry.said, str))
    return [clause for clause in said if clause]


def what_binds(explained: PointExplained, words: Words) -> Table:
    """Conditions that cost money, and the price of a step of each: what the cheapest build as fast costs then."""
    formats = Formats(words, explained.currency)
    rows = []
    for step in explained.steps:
        if not step.binds:
            continue
        change = words(N_("{change} (looser)") if step.looser else N_("{change} (tighter)"), change=step.text)
        rows.append([change, _effect(step.more, formats, words), step.build.gpus if step.build else EMPTY])
    heads = [words(N_("changed to")), words(N_("effect")), words(N_("cheapest build then"))]
    return Table(words(N_("What binds, and the price of a step")), heads, rows)


def _effect(more: str | None, formats: Formats, words: Words) -> str:
    if more is None:
        return words(N_("no build"))
    amount = Decimal(more)
    if not amount:
        return words(N_("the same"))
    return words(N_("costs {money}") if amount > 0 else N_("saves {money}"), money=formats.exact(abs(amount)))


def changed_parts(compared: ResultsCompared, words: Words) -> Table:
    """Parts of the recommended builds that differ between two results, with what is due to price and to number."""
    currency = compared.after.currency
    formats = Formats(words, currency)
    rows = [
        [
            words(CATEGORIES.get(part.category, part.category)), part.name, f"{part.from_qty} → {part.to_qty}",
            _from_to(part.from_unit, part.to_unit, formats), formats.bare(part.by_price),
            formats.bare(part.by_quantity),
        ]
        for part in compared.parts
        if Decimal(part.by_price) or Decimal(part.by_quantity)
    ]  # fmt: skip
    heads = [
        words("category"), words("part"), words("qty"), words(N_("unit price, {currency}"), currency=currency),
        words(N_("by price, {currency}"), currency=currency), words(N_("by number, {currency}"), currency=currency),
    ]  # fmt: skip
    return Table(words(N_("Parts that changed")), heads, rows, (2, 3, 4, 5))


def changed_front(compared: ResultsCompared, words: Words) -> Table:
    """Builds on one of two fronts, or on both."""
    before, after = Formats(words, compared.before.currency), Formats(words, compared.after.currency)
    rows = [
        [
            words(CHANGE_STATUS[point.status]), point.build,
            EMPTY if point.from_total is None else before.exact(point.from_total),
            EMPTY if point.to_total is None else after.exact(point.to_total),
            _speeds(point.from_tok_s, point.to_tok_s),
        ]
        for point in compared.front
    ]  # fmt: skip
    heads = [words(N_("status")), words(N_("build")), words(N_("before")), words(N_("now")), words(N_("tok/s"))]
    return Table(words(N_("Both fronts")), heads, rows, (2, 3, 4))


def _from_to(before: str | None, after: str | None, formats: Formats) -> str:
    return " → ".join(EMPTY if x is None else formats.bare(x) for x in (before, after))


def _speeds(before: float | None, after: float | None) -> str:
    return " → ".join(dict.fromkeys(EMPTY if x is None else figure(x, 1) for x in (before, after)))
