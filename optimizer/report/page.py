"""The report: one HTML file that needs no network, for a board, a buyer and a verifier."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from catalogs.schema import Part
from optimizer.procurement.bids.changes_schema import ResultsCompared
from optimizer.report.bars import Bars, margins, money_by_category
from optimizer.report.board import board, build_sentence, serves, ways_out
from optimizer.report.facts import recommended_point
from optimizer.report.formats import Formats, begun, figure
from optimizer.report.front import NARROW, WIDE, front_picture, hover_lines, legend_of, starts_logarithmic
from optimizer.report.node import NodeDrawing, node_drawing
from optimizer.report.palette import themes
from optimizer.report.rack import RackDrawing, rack_drawing
from optimizer.report.tables import (
    Table,
    assumptions,
    changed_front,
    changed_parts,
    front_table,
    prices,
    what_binds,
    why_not,
)
from optimizer.result.explanation_schema import PointExplained
from optimizer.result.point_schema import FrontPoint
from optimizer.result.schema import Result
from optimizer.text.languages import N_, Words
from optimizer.text.version import own_version

if TYPE_CHECKING:
    from jinja2 import Environment

MOST_BUILDS = 24
"""Builds that are drawn; of a longer front the others stand in its table alone."""
WHY_NOT_SHOWN = 12
TEXTS = {
    "skip": N_("To the contents"),
    "uncertain": N_("What is uncertain"),
    "conflict": N_("What cannot be met"),
    "next": N_("Next step"),
    "not_included": N_("Not included: freight, installation, software licences, staff."),
    "front": N_("The front: what money buys"),
    "front_plain": N_("The front"),
    "front_least": N_(
        "Each point needs least for its throughput. Point at one for its figures, choose it for its build below; arrow "
        "keys go from point to point."
    ),
    "front_said": N_(
        "Each point is the cheapest machine at its throughput. Point at one for its figures, choose it for its build "
        "below; arrow keys go from point to point."
    ),
    "axes": N_("Axes"),
    "linear": N_("linear"),
    "logarithmic": N_("logarithmic"),
    "as_table": N_("as a table"),
    "node_table": N_("Node and racks as a table"),
    "margins_said": N_("The mark on each bar is the limit; a bar that ends near it leaves little room."),
    "launch": N_("Start it with"),
    "binds": N_("What binds, and the price of a step"),
    "binds_said": N_(
        "Each row is solved for: what the cheapest build at least as fast would cost with one condition changed."
    ),
    "nothing_binds": N_("Nothing binds: no single step of a condition changes the price."),
    "why_not_said": N_("Every other GPU of the catalog was looked at; this is what stands against each."),
    "proof": N_("The proof"),
}
PROVEN = N_(
    "Proven. A solver showed that within this catalog no build is cheaper at the same throughput, and none faster at "
    "the same cost."
)
STOPPED = N_("Not proven: the search was stopped. A better build may exist.")
INFEASIBLE = N_("Proven: no build meets the request.")
FAMILIES = N_(
    "{bound} hardware families were ruled out by a bound on their cost, {solver} by {name}; it took {seconds} s."
)
ANYONE = N_("Anyone can prove it again:")


@dataclass(frozen=True)
class BuildView:
    """A build as its article shows it."""

    id: str
    heading: str
    sentence: str
    serves: str
    apart: str
    node: NodeDrawing
    rack: RackDrawing
    node_table: Table
    rack_table: Table
    money: Bars
    margins: Bars
    prices: Table
    launch: list[str]
    launch_note: str


@dataclass(frozen=True)
class Tip:
    """What is shown of a point under the pointer."""

    id: str
    lines: list[str]


@dataclass(frozen=True)
class ComparedView:
    """What changed since another result."""

    title: str
    reasons: list[str]
    parts: Table
    front: Table


def report_html(
    result: Result, lang: str = "en", *, parts: Mapping[str, Part] | None = None,
    explained: PointExplained | None = None, unexplained: str = "", compared: ResultsCompared | None = None,
    source: str = "result.json",
) -> str:  # fmt: skip
    """The whole page.

    Parameters:
        result: Of `solve`; with or without a build.
        lang: `en` or `zh`, all of it.
        parts: The catalog's parts by id, for figures that the result does not hold (memory of a GPU, height of a
            switch); without them these figures are left out.
        explained: What binds at the recommended point, of `explain`; without it that section says how to get it.
        unexplained: Why nothing was explained.
        compared: What changed from another result, of `changes`.
        source: Name of the result's file, for the commands on the page.
    """
    words, known = Words(lang), parts or {}
    style = style_sheet()
    script = asset("page.js")
    texts = {name: words(text) for name, text in TEXTS.items()} | {"colon": words.colon}
    if result.axis.name != "money":
        texts |= {"front": texts["front_plain"], "front_said": texts["front_least"]}
    point = recommended_point(result)
    view = {
        "alone": "",
        "lang": "zh-CN" if words.chinese else "en",
        "policy": content_policy(style, script),
        "style": _as_is(style),
        "script": _as_is(script),
        "version": own_version(),
        "t": texts,
        "kicker": _kicker(result, words),
        "board": board(result, words, source),
        "first": point.id if point else "",
        "ways": ways_table(result, words),
        "compared": _compared(compared, words),
        "assumptions": assumptions(result, words),
        "proof": proof_said(result, words),
        "verify": f"dsopt verify {source} --prove",
        "binds": what_binds(explained, words) if explained else None,
        "binds_open": _open(unexplained, source, words) if point else "",
        "footer": words(
            N_("Made by dsopt {version} from {file}. This page needs no network and sends nothing."),
            version=own_version(), file=source,
        ),
        **front_view(result, known, words),
        **_why_not_view(result, known, words),
    }  # fmt: skip
    return environment().get_template("page.html.jinja").render(view)


def style_sheet() -> str:
    """The style of pages and of the pictures in them, in both themes."""
    return themes() + asset("pictures.css") + asset("page.css")


@cache
def environment(*before: str) -> Environment:
    """Templates of this room, and of other rooms that are looked through `before` it; whatever stands in a place of
    theirs is escaped."""
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

    loader = ChoiceLoader([PackageLoader(room) for room in (*before, "optimizer.report")])
    made = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    made.filters["linked"] = linked
    return made


ADDRESS = re.compile(r"(https?://[^\s<>\"'()]+)")


def linked(text: str) -> Any:
    """A text whose web addresses are links, all else escaped; nothing is loaded until a reader follows one."""
    from markupsafe import Markup, escape

    link = Markup('<a href="{0}" rel="noreferrer noopener">{0}</a>')
    pieces = (link.format(piece) if place % 2 else escape(piece) for place, piece in enumerate(ADDRESS.split(text)))
    return Markup("").join(pieces)


def content_policy(style: str, script: str) -> str:
    """The Content-Security-Policy of the page: its own style and script by their hashes, and nothing else."""
    hashes = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (style, script))
    by_style, by_script = (f"'sha256-{digest}'" for digest in hashes)
    own = f"style-src {by_style}; script-src {by_script}"
    return f"default-src 'none'; img-src data:; {own}; base-uri 'none'; form-action 'none'"


@cache
def asset(name: str) -> str:
    """A style sheet or script of this room."""
    from importlib.resources import files

    return (files("optimizer.report") / "templates" / name).read_text(encoding="utf-8")


def _as_is(text: str) -> Any:
    """A text of our own files that is written unescaped."""
    from markupsafe import Markup

    return Markup(text)


def _kicker(result: Result, words: Words) -> str:
    day = Formats(words, result.request.currency).day(result.request.as_of)
    return words(N_("dsopt report · prices of {day} · market {market}"), day=day, market=result.request.market or "–")


def ways_table(result: Result, words: Words) -> Table | None:
    """The smallest changes that give a build; None where there are none."""
    found = ways_out(result, words)
    if not found:
        return None
    heads = [words(N_("give way in")), words(N_("total")), "GPU", words(N_("throughput")), words(N_("command"))]
    return Table(words(N_("Ways out")), heads, [[*way.cells, way.command] for way in found], (1, 3))


def _compared(compared: ResultsCompared | None, words: Words) -> ComparedView | None:
    if compared is None:
        return None
    unchecked = [words("not checked: {what}", what=text) for text in dict.fromkeys(compared.unchecked)]
    return ComparedView(
        title=words(N_("What changed since {file}"), file=PurePath(compared.before.source).name),
        reasons=[*(reason.said(words) for reason in compared.reasons), *unchecked],
        parts=changed_parts(compared, words),
        front=changed_front(compared, words),
    )


def front_view(result: Result, parts: Mapping[str, Part], words: Words) -> dict[str, Any]:
    """Pictures of the front, its table, and the builds on it."""
    if not result.front:
        return {"pictures": [], "left_out": ""}
    shown = _shown(result)
    linked = {point.id for point in shown}
    pictures = [front_picture(result, words, log, size) for log in (False, True) for size in (WIDE, NARROW)]
    left = len(result.front) - len(shown)
    logarithmic = starts_logarithmic(result.front)
    return {
        "pictures": pictures,
        "printed": replace(pictures[2 * logarithmic], key="printed"),
        "logarithmic": logarithmic,
        "legend": legend_of(result, words),
        "tips": [Tip(x.id, [f"{x.id}{words.colon}{hover[0]}", *hover[1:]])
                 for x in result.front for hover in [hover_lines(result, x, words)]],
        "front_table": front_table(result, words, linked),
        "builds": [build_view(result, point, parts, words) for point in shown],
        "left_out": words(N_("{n} more builds stand in the table of the front alone."), n=str(left)) if left else "",
    }  # fmt: skip


def _shown(result: Result) -> list[FrontPoint]:
    """Points whose builds are drawn: of a long front those that have a name, and others spread evenly over it."""
    if len(result.front) <= MOST_BUILDS:
        return list(result.front)
    named = {*result.named.values(), result.recommended}
    must = [point for point in result.front if point.id in named]
    rest = [point for point in result.front if point.id not in named]
    room = MOST_BUILDS - len(must)
    kept = {rest[place * len(rest) // room].id for place in range(room)} | {point.id for point in must}
    return [point for point in result.front if point.id in kept]


def build_view(result: Result, point: FrontPoint, parts: Mapping[str, Part], words: Words) -> BuildView:
    """One build with its drawings, figures and prices."""
    node, rack = node_drawing(point, parts, words), rack_drawing(point, parts, words)
    part, what = words("part"), words(N_("in a node"))
    racks = [words(N_("rack no.")), words(N_("nodes in it")), words(N_("units taken")), words(N_("units in all"))]
    served = serves(result, point, words) if point.throughput.per_user_tok_s is not None else ""
    return BuildView(
        id=point.id,
        heading=words(N_("Build {id}"), id=point.id)
        + (words.bracketed(words("recommended")) if point.id == result.recommended else ""),
        sentence=build_sentence(point, words) + words.stop,
        serves=begun(served).removesuffix(words.stop) + words.stop if served else "",
        apart=_apart(point, words),
        node=node,
        rack=rack,
        node_table=Table(node.title, [part, what], [[label or "–", text] for label, text in node.rows]),
        rack_table=Table(rack.title, racks, rack.rows, (1, 2, 3)),
        money=money_by_category(point, words),
        margins=margins(point, words),
        prices=prices(point, words),
        launch=list(point.plan.launch),
        launch_note=words.sentence(point.plan.launch_note),
    )


def _apart(point: FrontPoint, words: Words) -> str:
    """How prefill and decode are apart; empty where the same nodes do both."""
    if (first := point.plan.prefill) is None:
        return ""
    text = N_(
        "Prefill and decode apart: {a} + {b} nodes, {rate} requests/s; their KV caches take {gbit} Gbit/s of "
        "each GPU's link"
    )
    rate, gbit = figure(first.requests_s, 2), figure(first.kv_gbit_s, 1)
    return words(text, a=str(first.nodes), b=str(first.decode_nodes), rate=rate, gbit=gbit) + words.stop


def _why_not_view(result: Result, parts: Mapping[str, Part], words: Words) -> dict[str, Table]:
    """The nearest of the GPUs that are not on the front, and the rest behind a fold."""
    found = why_not(result, parts, words)
    rest = len(found.rows) - WHY_NOT_SHOWN
    return {
        "why_not": replace(found, rows=found.rows[:WHY_NOT_SHOWN]),
        "why_not_more": replace(
            found, rows=found.rows[WHY_NOT_SHOWN:], title=words(N_("{n} more rows"), n=str(max(rest, 0)))
        ),
    }


def _open(why: str, source: str, words: Words) -> str:
    """What is said where nothing was explained."""
    return why or words(N_("Not asked for here: `dsopt explain {file}` solves for it."), file=source)


def proof_said(result: Result, words: Words) -> list[str]:
    """What is proven, within what, and how, in words."""
    proof = result.proof
    verdict = {"optimal": PROVEN, "infeasible": INFEASIBLE}.get(proof.status, STOPPED)
    families = words(
        FAMILIES, bound=str(proof.families.closed_by_bound), solver=str(proof.families.closed_by_cp_sat),
        name=proof.solver, seconds=f"{proof.seconds.get('total', 0):.2f}",
    )  # fmt: skip
    return [words(verdict), words.sentence(proof.scope), families, words(ANYONE)]
