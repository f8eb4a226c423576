"""Figures as bars: money by category, how much of each limit is used, what three years cost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from optimizer.procurement.labels import STATUS, category, rule, unit
from optimizer.report.formats import Formats, clipped, figure
from optimizer.result.point_schema import CheckFacts, FrontPoint
from optimizer.text.figures import measured
from optimizer.text.languages import N_, Words

WIDTH = 440
ROW = 34
LABEL_CELLS = 58
STATES = ("read", "indexed", "estimated")
BAR_FULL = 1.25
"""A margin's bar is drawn up to so many times its limit."""
YEARS = 3


@dataclass(frozen=True)
class Segment:
    """A piece of a bar: its style and where it lies."""

    style: str
    x: float
    width: float


@dataclass(frozen=True)
class Bar:
    """A bar with what stands above it, and a row of its table: `cells`."""

    label: str
    value: str
    segments: list[Segment]
    cells: list[str]
    status: str = ""


@dataclass(frozen=True)
class Bars:
    """Bars and the heads of the table that holds the same figures. `limit`: where the limit's line lies."""

    key: str
    title: str
    heads: list[str]
    bars: list[Bar]
    limit: float | None = None
    numbers: tuple[int, ...] = ()
    """Columns of the table that hold figures."""
    width: int = WIDTH
    row: int = ROW

    @property
    def height(self) -> int:
        return self.row * len(self.bars) + 4


def _segments(parts: Iterable[tuple[str, float]], scale: float) -> list[Segment]:
    """Pieces side by side, each so many units long as `scale` makes of its value."""
    found, at = [], 0.0
    for style, value in parts:
        if value > 0:
            found.append(Segment(style, round(at, 1), round(max(value * scale, 1.0), 1)))
            at += value * scale
    return found


def money_by_category(point: FrontPoint, words: Words) -> Bars:
    """Where the money of a build goes, the dearest first, and what the prices of each category rest on."""
    formats = Formats(words, point.cost.currency)
    by: dict[str, dict[str, Decimal]] = {}
    for line in point.bom:
        if (amount := Decimal(line.line_total)) > 0:
            state = {"estimate": "estimated"}.get(line.price_state or "estimate", line.price_state or "")
            states = by.setdefault(line.category, dict.fromkeys(STATES, Decimal(0)))
            states[state] += amount
    rows = [(category(words, name), states) for name, states in by.items()]
    for title, added in ((N_("Support"), point.cost.support), (N_("Tax"), point.cost.tax)):
        if Decimal(added) > 0:
            rows.append((words(title), {"other": Decimal(added)}))
    rows.sort(key=lambda row: -sum(row[1].values()))
    most = float(max((sum(states.values()) for _name, states in rows), default=Decimal(1)))
    total = Decimal(point.cost.total) or Decimal(1)
    bars = []
    for label, states in rows:
        amount = sum(states.values(), Decimal(0))
        share = formats.share(float(amount / total))
        pieces = _segments(((state, float(value)) for state, value in states.items()), WIDTH / most)
        by_state = [formats.bare(states[state]) if states.get(state) else "–" for state in STATES]
        cells = [label, formats.bare(amount), share, *by_state]
        bars.append(Bar(label, f"{formats.bare(amount)} · {share}", pieces, cells))
    heads = [
        words("category"), words("amount, {currency}", currency=point.cost.currency), words("share"),
        words(N_("of it read")), words(N_("of it indexed")), words(N_("of it estimated")),
    ]  # fmt: skip
    return Bars(
        f"money-{point.id}",
        words(N_("Money by category, {currency}"), currency=point.cost.currency),
        heads,
        bars,
        numbers=(1, 2, 3, 4, 5),
    )


def used_share(check: CheckFacts) -> float | None:
    """How much of a limit is used, 1 at the limit; of what has to be reached, how much of it is needed. None of a
    finding without figures."""
    if check.measured is None or check.limit is None or not check.relation:
        return None
    most, part = (check.limit, check.measured) if check.relation == "at_most" else (check.measured, check.limit)
    if most <= 0:
        return 1.0 if part <= 0 else BAR_FULL
    return part / most


def margins(point: FrontPoint, words: Words) -> Bars:
    """How near each rule's limit is, the nearest first; findings without figures are in the table alone."""
    known = [(check, used_share(check)) for check in point.checks]
    order = sorted(known, key=lambda x: (x[0].status == "pass", -(x[1] if x[1] is not None else -1)))
    bars = [_margin(check, used, words) for check, used in order]
    heads = [
        words("rule"), words(N_("judged")), words("measured value"), words("limit"), words("unit"),
        words(N_("used")), words("finding"),
    ]  # fmt: skip
    at_limit = round(WIDTH / BAR_FULL, 1)
    return Bars(f"margins-{point.id}", words(N_("How near each limit is")), heads, bars, at_limit, (2, 3, 5))


def _margin(check: CheckFacts, used: float | None, words: Words) -> Bar:
    title, shown = rule(words, check.rule), unit(words, check.unit)
    have, limit = measured(check.measured, check.unit), measured(check.limit, check.unit)
    share = "" if used is None else words.percent(figure(used * 100))
    cells = [title, words(STATUS[check.status]), have, limit, shown, share, words.sentence(check.text)]
    styles = {"pass": "used", "warn": "warned", "fail": "failed"}
    pieces = [] if used is None else _segments([(styles[check.status], min(used, BAR_FULL))], WIDTH / BAR_FULL)
    judged = "" if check.status == "pass" else f"{words(STATUS[check.status])} · "
    label = clipped(f"{judged}{title}{words.colon}{words.sentence(check.text)}", LABEL_CELLS)
    return Bar(label, share, pieces, cells, check.status)


def three_years(point: FrontPoint, words: Words) -> Bars:
    """What the build and its energy cost in three years, and what both come to."""
    formats = Formats(words, point.cost.currency)
    bought, energy = Decimal(point.cost.total), YEARS * Decimal(point.energy.cost_year)
    whole = float(bought + energy) or 1.0
    rows = [
        (words(N_("Purchase")), bought, [("bought", float(bought))]),
        (words(N_("Energy of three years")), energy, [("space", float(bought)), ("energy", float(energy))]),
        (words(N_("Three years together")), bought + energy, [("bought", float(bought)), ("energy", float(energy))]),
    ]
    bars = [
        Bar(label, formats.exact(amount), _segments(parts, WIDTH / whole), [label, formats.bare(amount)])
        for label, amount, parts in rows
    ]
    heads = [words(N_("what")), words("amount, {currency}", currency=point.cost.currency)]
    return Bars("years", words(N_("Cost of three years")), heads, bars, numbers=(1,))


def with_figures(bars: Sequence[Bar]) -> list[Bar]:
    """Those that are drawn: bars without pieces are in the table alone."""
    return [bar for bar in bars if bar.segments]
