"""Pages and pieces of pages, made on the server with every text escaped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from catalogs.errors import Fault
from optimizer.app.asked import asked_by, options
from optimizer.app.examined import examined_view
from optimizer.app.jobs import Job
from optimizer.app.sliders import sliders
from optimizer.app.texts import MARKETS, TEXTS, WORKLOADS, texts
from optimizer.procurement.labels import rule_titles
from optimizer.report.board import board, build_sentence, serves, ways_out
from optimizer.report.facts import recommended_point
from optimizer.report.formats import Formats, figure
from optimizer.report.front import NARROW, WIDE, front_picture, legend_of, starts_logarithmic
from optimizer.report.page import build_view, environment, proof_said, style_sheet
from optimizer.report.tables import Table, clauses, front_table
from optimizer.report.why_not_said import why_not_lines
from optimizer.request.command import command
from optimizer.request.entry import GROUPS
from optimizer.result.point_schema import FrontPoint
from optimizer.result.schema import Result
from optimizer.text.languages import N_, Words
from optimizer.text.version import own_version

if TYPE_CHECKING:
    from catalogs.load import Catalog

SAVED = "result.json"
TEMPLATES = "optimizer.app"
"""The room whose templates are used, with those of the report's pictures and tables."""
OF_THE_MODEL = ("unknown-model", "ambiguous-model")
"""Faults that name no option: a model is asked for in one place alone."""
IN_SIGHT = ("model", "users", "workload", "budget", "market")
"""Fields that stand above the details."""
SAID = (
    "copied", "progress_waiting", "progress_plans", "progress_search", "progress_proof", "progress_other", "gone_job",
    "was_stopped", "ended", "busy", "files_none",
)  # fmt: skip
"""Texts that the script shows."""


def _drawn(name: str, words: Words, **view: Any) -> str:
    return environment(TEMPLATES).get_template(f"{name}.html.jinja").render(t=texts(words), alone="", **view)


@cache
def style() -> str:
    """The style sheet: that of the report, and the app's own."""
    return style_sheet() + _static("app.css")


@cache
def script() -> str:
    """The page's script."""
    return _static("app.js")


def _static(name: str) -> str:
    return (files("optimizer.app") / "static" / name).read_text(encoding="utf-8")


def first_page(words: Words, query: Mapping[str, str], run: bool) -> str:
    """The whole page; `query`: the request that its address carries; `run`: it is answered at
    once."""
    from catalogs.registry import shipped_names
    from constraints.physics.markets import sales_markets
    from optimizer.procurement.reading.opening.guard import SUFFIXES

    def value(name: str, default: str) -> str:
        return query.get(name, "" if query else default)

    walls = {code: market.region.wall for code, market in sales_markets().items()}
    return _drawn(
        "page", words, lang="zh-CN" if words.chinese else "en", value=value, run=run and bool(query),
        said={name: words(TEXTS[name]) for name in SAID}, version=own_version(),
        languages=[("en", "English", not words.chinese), ("zh", "中文", words.chinese)],
        home="CN" if words.chinese else "US", accept=",".join(SUFFIXES), models=list(shipped_names().items()),
        workloads=[(code, words(text)) for code, text in WORKLOADS.items()],
        markets=[(code, words(MARKETS.get(code, code)), f"{w.amps}A@{w.volts}V") for code, w in walls.items()],
        groups=_groups(words),
    )  # fmt: skip


def _groups(words: Words) -> list[tuple[str, list[dict[str, Any]]]]:
    found = []
    for group in GROUPS:
        fields = [
            {"name": x.name, "help": words(x.help), "kind": x.kind.__name__, "several": x.several}
            for x in options().values()
            if (x.group or GROUPS[0]) == group and x.name not in IN_SIGHT
        ]
        if fields:
            found.append((words(group), fields))
    return found


def said_faults(faults: Sequence[Fault], words: Words) -> list[dict[str, Any]]:
    """What is wrong, each in a sentence, with the field that it is of."""
    shown = []
    for fault in faults:
        place = words.comma.join(x for x in (fault.file, fault.column, fault.value[:80]) if x)
        remedy = words.apart + words.sentence(fault.remedy) if fault.remedy else ""
        text = words.sentence(fault.text)
        said = f"{place}{words.colon if place else ''}{text}{words.stop if remedy else ''}{remedy} [{fault.code}]"
        option = fault.column.removeprefix("--").replace("-", "_")
        option = option or ("model" if fault.code in OF_THE_MODEL else "")
        shown.append({"code": fault.code, "text": str(fault), "said": said, "option": option})
    return shown


def faults_page(faults: Sequence[Fault], words: Words) -> str:
    """What is wrong, as a piece of a page."""
    source = '{% from "parts.html.jinja" import faults_list with context %}{{ faults_list(faults) }}'
    return environment(TEMPLATES).from_string(source).render(t=texts(words), faults=said_faults(faults, words))


def job_page(job: Job, catalog: Catalog, words: Words) -> str:
    """What is known of a job, as a piece of a page."""
    faults = said_faults(job.faults, words)
    if job.kind == "solve":
        return _solved(job, catalog, words, faults)
    if job.kind == "why-not":
        lines = why_not_lines(job.outcome, words) if job.outcome is not None else []
        return _drawn("sentences", words, job=job, faults=faults, lines=lines)
    return _drawn("examined", words, job=job, faults=faults, **examined_view(job, words))


def _solved(job: Job, catalog: Catalog, words: Words, faults: list[dict[str, Any]]) -> str:
    result: Result | None = job.outcome or job.partial
    if result is None:
        return _drawn("solved", words, job=job, faults=faults, board=None)
    so_far, point = job.outcome is None, recommended_point(result)
    asked = words.semicolon.join(clauses(result, words))
    view: dict[str, Any] = {
        "board": board(result, words, SAVED), "so_far": so_far, "stopped": result.proof.status == "feasible",
        "asked": words(N_("Asked: {what}."), what=asked), "pictures": [], "legend": [],
        "ways": _ways(result, words), "sliders": [] if so_far else sliders(result, words),
        "proof": proof_said(result, words), "command": command(
            result.request, job.about["policy"], own_throughput=job.about["own_throughput"]
        ),
        "front_said": words(TEXTS["front_said" if result.axis.name == "money" else "front_said_plain"]),
    }  # fmt: skip
    if point is not None:
        log = starts_logarithmic(result.front)
        view["pictures"] = [front_picture(result, words, log, size) for size in (WIDE, NARROW)]
        view["legend"] = legend_of(result, words)
        view["front_table"] = front_table(result, words, {x.id for x in result.front})
        view |= _build(result, point, catalog, words)
    return _drawn("solved", words, job=job, faults=faults, **view)


def _ways(result: Result, words: Words) -> list[dict[str, str]]:
    """Ways out, each with a link that asks for it where the app can."""
    shown = []
    for way in ways_out(result, words):
        asked = asked_by(way.command)
        link = ""
        if asked is not None:
            plain = {k: ",".join(v) if isinstance(v, list) else "true" if v is True else v for k, v in asked.items()}
            link = "/?" + urlencode(plain)
        facts = words.comma.join(way.cells[1:])
        shown.append({"change": way.change, "facts": facts, "link": link, "command": way.command})
    return shown


def _build(result: Result, point: FrontPoint, catalog: Catalog, words: Words) -> dict[str, Any]:
    open_ = [
        {"name": _rule(x.rule, words), "status": x.status, "said": words.sentence(x.text)}
        for x in point.checks
        if x.status != "pass"
    ]
    passed = [[_rule(x.rule, words), words.sentence(x.text)] for x in point.checks if x.status == "pass"]
    heads = [words(TEXTS["rule"]), words(TEXTS["finding"])]
    said = words(TEXTS["rules_passed"], n=str(len(passed)))
    rules = {"open": open_, "passed": Table(said, heads, passed), "passed_said": said}
    return {"b": build_view(result, point, catalog.parts, words), "rules": rules}


def _rule(id: str, words: Words) -> str:
    return words(rule_titles().get(id, id))


def build_page(job: Job, point: FrontPoint, catalog: Catalog, words: Words) -> str:
    """One build of an answer."""
    result: Result = job.outcome
    return _drawn(
        "build", words, job=job, legend=legend_of(result, words), **_build(result, point, catalog, words)
    )  # fmt: skip


def beside_page(pinned: Sequence[tuple[Result, FrontPoint]], words: Words) -> str:
    """Pinned builds side by side."""
    heads = ["", *(f"{point.id}{words.comma}{result.model.name}" for result, point in pinned)]
    rows = [
        [words(N_("Build")), *(build_sentence(p, words) for _, p in pinned)],
        [words(N_("Price")), *(Formats(words, p.cost.currency).exact(p.cost.total) for _, p in pinned)],
        [words(N_("throughput")), *(f"{figure(p.throughput.output_tok_s)} {words(N_('tok/s'))}" for _, p in pinned)],
        [words(N_("It serves")), *(serves(r, p, words) for r, p in pinned)],
        [words(N_("Power and space")), *(f"{figure(p.power.total_w / 1000, 1)} kW" for _, p in pinned)],
        [words(TEXTS["rules"]), *(_not_passed(p, words) for _, p in pinned)],
    ]
    parts: dict[str, list[str]] = {}
    for place, (_, point) in enumerate(pinned):
        for line in point.bom:
            parts.setdefault(line.name, [""] * len(pinned))[place] = str(line.qty)
    rows += [[name, *(number or "–" for number in numbers)] for name, numbers in parts.items()]
    return _drawn("pinned", words, beside=Table(words(TEXTS["pinned"]), heads, rows), one=len(pinned) == 1)


def _not_passed(point: FrontPoint, words: Words) -> str:
    names = dict.fromkeys(_rule(x.rule, words) for x in point.checks if x.status != "pass")
    return words.between(", ").join(names) if names else words(TEXTS["rules_passed"], n=str(len(point.checks)))
