"""`dsopt verify`: a result judged by plain arithmetic from its own parts, the catalog and the roofline. No solver.

The parts, quantities and hardware row of each point are read from the file; prices, lines, totals, plan, throughput
and every rule's finding are made anew from them and compared field by field with what is stored.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from catalogs.errors import Fault, InputError
from catalogs.load import Catalog
from catalogs.message import message, read_message
from catalogs.refused_value import in_words
from constraints.policy import Policy
from constraints.prices.price_book import price_book
from optimizer.market.asked import loaded
from optimizer.market.market import Market
from optimizer.market.rows import families
from optimizer.result.contract import point, result
from optimizer.result.document import sentences_of
from optimizer.result.embedded_catalog import catalog_of, rows, used
from optimizer.result.graded_request import of_its_day
from optimizer.result.proof_record import read_record, read_refused_parts
from optimizer.result.schema import Result
from optimizer.result.strict import NotExact, exact
from optimizer.search.front import Front, Point
from optimizer.search.parameters import staircase_steps
from optimizer.throughput.calibration import Calibration, shipped
from optimizer.verify import arithmetic
from optimizer.verify.points import rebuilt
from optimizer.verify.wrong import Report, Wrong, differences

OWN = ("proof.seconds", "proof.version", "proof.parameters", "messages", "catalog.embedded", "explanation")
"""Places of a result that are not made anew: time and solver of its proof, what was solved to explain; messages are
compared apart."""
SOLVED = ("lower-precision", "lower-quality", "single-card", "grade")
"""Messages that take a solver to make anew: `complete` does."""
SOLVED_UNCHECKED = (
    "what a solver says of grade floor, lower precisions and one card "
    "(`dsopt verify --prove` makes these messages anew)"
)
EXPLAINED = ("not-explained",)
"""Messages about the explanation."""
EXPLANATION_UNCHECKED = "the explanation: its conflict and ways out are what the run found"
AXIS_UNCHECKED = (
    "what closed each family: only a front in money has a staircase (`dsopt verify --prove` closes them anew)"
)
OF_THE_CATALOG = ("own-unused",)
"""Messages that take the whole catalog."""
STOPPED = ("not-proven",)
"""Messages of a run that time ended: what it had not looked at by then."""


@dataclass
class Read:
    """A result with what it is judged by; `whole` says whether all of its catalog is at hand."""

    result: Result
    market: Market | None
    whole: bool
    points: list[Point | None]


def consistent(data: Any, catalog: Catalog, by: Calibration | None = None) -> tuple[Report, Read | None]:
    """All that is wrong in a result, by the catalog at hand, else by the rows that it carries; throughput by `by`,
    the shipped calibration without.

    Returns what was read for a later proof; None when the file is no result at all."""
    report = Report()
    if _without_states(data):
        text = message("was saved by dsopt before 0.3.0, whose prices had no states: solve the request again")
        report.add("front", text)
        return report, None
    if isinstance(data, dict) and "request" in data:
        data = {**data, "request": of_its_day(data["request"])}
    try:
        stored = exact(Result, data)
    except NotExact as e:
        report.wrong += [Wrong(place, text) for place, text in sorted(e.faults)]
        return report, None
    except (TypeError, ValueError, RecursionError) as e:
        if not isinstance(e, ValidationError):
            report.add("$", f"is no dsopt result: {e}")
            return report, None
        for x in e.errors(include_url=False):
            report.add(_path(x["loc"]), in_words(x))
        return report, None
    try:
        policy = Policy().with_settings(f"{k}={v}" for k, v in stored.policy.items())
    except InputError as e:
        report.wrong += [Wrong(f"policy.{x.value or x.column}", x.text) for x in e.faults]
        return report, None
    try:
        values = arithmetic.values(stored)
        for i, p in enumerate(stored.front):
            report.wrong += arithmetic.sums(p, f"front[{i}]", stored.request.currency)
        report.wrong += arithmetic.order(stored, policy, values)
        report.wrong += arithmetic.record(stored, policy, values)
    except (ValueError, ArithmeticError) as e:
        report.add("front", f"holds money that is none: {e}")
    try:
        chosen, whole = _catalog(stored, catalog, report)
        market = None if chosen is None else _market(stored, chosen, policy, by)
    except InputError as e:
        report.wrong += [
            Wrong("request", _said(x)) if x.code != "bad-row" else Wrong(*_split(x.text)) for x in e.faults
        ]
        return report, None
    report.wrong += _beside_the_front(stored)
    report.wrong += _unlike_their_keys(stored)
    report.wrong += _sentences(data, stored)
    report.unchecked += _unchecked(stored)
    read = Read(stored, market, whole, [None] * len(stored.front))
    if market is not None:
        try:
            read.points = [rebuilt(market, p, f"front[{i}]", report) for i, p in enumerate(stored.front)]
            report.wrong += _recomputed(data, read)
        except ArithmeticError as e:
            report.add("catalog.embedded" if not whole else "catalog", f"holds figures beyond all bounds: {e}")
        if whole and stored.proof.complete:
            report.wrong += _all_families(stored, market)
            report.wrong += _record(read)
    report.wrong = list(dict.fromkeys(report.wrong))
    return report, read


NEWER = frozenset({"unknown-lead-times"})
"""Codes of remarks that results saved before 0.2.0 lack."""


def _without_states(data: Any) -> bool:
    """Whether no point of a document says on which kinds of prices its cost rests: a hundred missing fields in one."""
    front = data.get("front") if isinstance(data, dict) else None
    if not isinstance(front, list) or not front:
        return False
    costs = [point.get("cost") if isinstance(point, dict) else None for point in front]
    return all(isinstance(cost, dict) and "shares" not in cost for cost in costs)


def _beside_the_front(stored: Result) -> Iterator[Wrong]:
    """Messages and explanation that the result has no place for: they are not made anew, so that anything might be
    said there."""
    empty, codes = not stored.front, [message_.code for message_ in stored.messages]
    if stored.explanation is not None and not (empty and stored.proof.complete):
        yield Wrong("explanation", "there should be none: only a proven empty front is explained")
    minimal = stored.explanation is None or stored.explanation.minimal
    misplaced = {
        **dict.fromkeys(SOLVED, empty or not stored.proof.complete),
        **dict.fromkeys(EXPLAINED, minimal),
        **dict.fromkeys(STOPPED, stored.proof.complete),
    }
    for code, none_fits in misplaced.items():
        if codes.count(code) > (0 if none_fits else 1):
            yield Wrong("messages", f"stored {code}, there should be {'none' if none_fits else 'one'}")


Messages = list[dict[str, Any]]


def as_stored(stored: Messages, made: Messages) -> tuple[Messages, Messages]:
    """Messages stored and made anew, to be compared: without key and values where the result was saved before messages
    had them, so that the text says it all."""
    if any(message_.get("key") for message_ in stored):
        return stored, made
    bare = [
        [{name: message_[name] for name in message_ if name not in ("key", "values")} for message_ in each]
        for each in (stored, made)
    ]
    return bare[0], bare[1]


def _unlike_their_keys(stored: Result) -> Iterator[Wrong]:
    """Messages whose text is not what their key and values make."""
    for place, said in enumerate(stored.messages):
        if said.key:
            try:
                text = read_message(said.model_dump())
            except KeyError as missing:
                yield Wrong(f"messages[{place}].values", f"lacks {missing.args[0]}, which the key names")
                continue
            if text != said.text:
                yield Wrong(f"messages[{place}].text", f"stored {said.text!r}, its key and values make {text!r}")
        elif said.values:
            yield Wrong(f"messages[{place}].values", "stored without a key")


def _sentences(data: dict[str, Any], stored: Result) -> Iterator[Wrong]:
    """Entries of `sentences` that are not what the document's texts were made of. A result that was saved before texts
    had keys holds none."""
    kept = data.get("sentences") or {}
    for text in sorted(kept.keys() - stored.sentences.keys()):
        yield Wrong(f"sentences[{text!r}]", "its key and values don't make a text of the document")


def _unchecked(stored: Result) -> Iterator[str]:
    """What of a result plain arithmetic says nothing about."""
    if not stored.proof.complete:
        yield "completeness: the result itself says that its proof was stopped"
    elif stored.request.cost_axis != "money":
        yield AXIS_UNCHECKED
    if stored.explanation is not None:
        yield EXPLANATION_UNCHECKED
    if any(message_.code in SOLVED for message_ in stored.messages):
        yield SOLVED_UNCHECKED


def _path(loc: tuple[int | str, ...]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in loc).lstrip(".") or "$"


def _said(fault: Fault) -> str:
    """A fault of the request with the value that is at fault."""
    return f"{fault.column} {fault.value}: {fault.text}" if fault.value else fault.text


def _split(text: str) -> tuple[str, str]:
    where, _, words = text.partition(": ")
    return where, words


def _catalog(stored: Result, at_hand: Catalog, report: Report) -> tuple[Catalog | None, bool]:
    """The catalog to judge by, and whether it is the whole one."""
    sha, embedded = stored.catalog.sha256, stored.catalog.embedded
    if at_hand.sha256 == sha:
        if embedded is not None:
            held = [x.part for p in stored.front for x in [*p.shared, *(part for n in p.nodes for part in n.parts)]]
            bought = {x for x in (*held, *stored.request.include) if x in at_hand.parts}
            true = rows(at_hand, used(at_hand, bought))
            report.wrong += differences(embedded.model_dump(), true, "catalog.embedded")
        return at_hand, True
    if embedded is not None:
        report.unchecked.append(
            message(
                "catalog {x} is not at hand: judged by the rows that the result carries; equivalents, the "
                "list of families and the catalog's own figures are not checked",
                x=sha[:12],
            )
        )
        return catalog_of(embedded.model_dump(), sha), False
    report.add("catalog.sha256", f"stored {sha}, the catalog at hand is {at_hand.sha256}")
    report.unchecked.append(
        "the catalog is not at hand and the result carries no rows: prices, throughput and rules are not checked "
        "(--catalog DIR lays the overlay that was used; `solve --embed-catalog` writes rows)"
    )
    return None, False


def _market(stored: Result, catalog: Catalog, policy: Policy, by: Calibration | None) -> Market:
    """The market of the stored request, opened anew."""
    if catalog.sha256 == stored.catalog.sha256 and stored.catalog.embedded is None:
        return Market.open(catalog, stored.request, policy, by)
    if lost := sorted(set(stored.request.include) - set(catalog.parts)):
        raise InputError(Fault("unknown-part", "no part with this id", column="--include", value=lost[0]))
    book = price_book(catalog, stored.request, policy)
    return Market(catalog, stored.request, policy, loaded(stored.request), book, by or shipped())


def _recomputed(data: dict[str, Any], read: Read) -> Iterator[Wrong]:
    """Differences between the stored document and the one made anew from its parts."""
    market, stored = read.market, read.result
    assert market is not None
    skip = OWN if read.whole else (*OWN, "catalog", *(f"front[{i}].equivalents" for i in range(len(stored.front))))
    whole = [p for p in read.points if p is not None]
    found: list[Wrong] = []
    if len(whole) < len(read.points):
        for i, p in enumerate(read.points):
            if p is not None:
                true = json.loads(json.dumps(point(market, p, f"p{i + 1}")))
                found += differences(data["front"][i], true, f"front[{i}]")
    else:
        proof = stored.proof
        steps, closed = read_record(proof.model_dump(), stored.request.currency)
        front = Front(
            whole, proof.complete, proof.families.closed_by_bound, proof.families.closed_by_cp_sat,
            stairs=steps, record=closed, refused_parts=read_refused_parts(proof.model_dump()),
        )  # fmt: skip
        anew = result(market, front, {})
        true = json.loads(json.dumps(anew))
        found += differences({name: value for name, value in data.items() if name != "sentences"}, true)
        if kept := data.get("sentences"):
            found += differences({text: kept.get(text) for text in sentences_of(anew)}, sentences_of(anew), "sentences")
        aside = {*SOLVED, *EXPLAINED, *(() if read.whole else OF_THE_CATALOG), *(() if proof.complete else STOPPED)}
        aside |= NEWER - {message_["code"] for message_ in data["messages"]}
        mine, made = ([message_ for message_ in x["messages"] if message_["code"] not in aside] for x in (data, true))
        found += differences(*as_stored(mine, made), "messages!")
    for w in found:
        if not any(w.where == s or w.where.startswith((f"{s}.", f"{s}[")) for s in skip):
            yield Wrong(w.where.replace("messages!", "messages"), w.text)


def _all_families(stored: Result, market: Market) -> Iterator[Wrong]:
    """Every family of the catalog is in the record."""
    listed = {(family.gpu, family.per_node) for family in stored.proof.families.each}
    there = {(gpu.id, per_node) for gpu, per_node, _ in families(market)}
    if stored.request.budget_cents is None and not stored.front:
        there = set()  # nothing can be bought at any price: no family was closed under a staircase
    for gpu, per_node in sorted(there - listed):
        yield Wrong("proof.families.each", f"lacks {gpu}, {per_node} per node")
    for gpu, per_node in sorted(listed - there):
        yield Wrong("proof.families.each", f"{gpu}, {per_node} per node: no such family in the catalog")


def _record(read: Read) -> Iterator[Wrong]:
    """The record of the proof against families made anew; not of a front of which a point makes no build."""
    from optimizer.verify.families import judged

    if read.market is None or None in read.points:
        return
    points = [
        (point.case.gpu.id, point.case.per_node, point.found.row.perf.tenths, point.found.parts_cents)
        for point in read.points if point is not None
    ]  # fmt: skip
    proof = read.result.proof.model_dump()
    steps, closed = read_record(proof, read.result.request.currency)
    true = staircase_steps([(tenths, cents) for _, _, tenths, cents in points], read.market.request, read.market.policy)
    if steps == true:  # else that is said already, and bounds are held against nothing
        yield from judged(read.market, points, steps, closed, read_refused_parts(proof))
