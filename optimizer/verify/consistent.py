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

from catalogs.errors import InputError
from catalogs.llm import get
from catalogs.load import Catalog
from catalogs.schema import Gpu, Platform
from constraints.case import Build, power_cap
from constraints.plan import Row, RowKey
from constraints.policy import Policy
from constraints.procurement import price_book
from constraints.rules import findings
from optimizer.embed import catalog_of, rows, used
from optimizer.front import Found, Front, Point
from optimizer.market import Market
from optimizer.proofdata import read_record
from optimizer.result import point, result
from optimizer.rows import families, hardware_keys
from optimizer.schema import FrontPoint, Result
from optimizer.throughput.calibration import Calibration, shipped
from optimizer.throughput.choice import planner_for
from optimizer.throughput.offload import HostPlanner
from optimizer.verify import arithmetic
from optimizer.verify.wrong import Report, Wrong, differences

OWN = ("proof.seconds", "proof.version", "proof.parameters", "request", "messages", "catalog.embedded")
"""Places of a result that are not made anew: time and solver of its proof; messages are compared apart."""
SOLVED = ("lower-precision", "stands-against-")
"""Messages that take a solver to make anew."""


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
    try:
        stored = Result.model_validate(data)
    except ValidationError as e:
        for x in e.errors(include_url=False):
            report.add(_path(x["loc"]), x["msg"])
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
        report.wrong += arithmetic.order(stored, values)
        report.wrong += arithmetic.record(stored, policy, values)
    except (ValueError, ArithmeticError) as e:
        report.add("front", f"holds money that is none: {e}")
    try:
        chosen, whole = _catalog(stored, catalog, report)
        market = None if chosen is None else _market(stored, chosen, policy, by)
    except InputError as e:
        report.wrong += [Wrong("request", x.text) if x.code != "bad-row" else Wrong(*_split(x.text)) for x in e.faults]
        return report, None
    read = Read(stored, market, whole, [None] * len(stored.front))
    if market is not None:
        read.points = [_point(market, p, f"front[{i}]", report) for i, p in enumerate(stored.front)]
        report.wrong += _recomputed(data, read)
        if whole and stored.proof.complete and stored.proof.staircase:
            report.wrong += _all_families(stored, market)
    report.wrong = list(dict.fromkeys(report.wrong))
    return report, read


def _path(loc: tuple[int | str, ...]) -> str:
    return "".join(f"[{x}]" if isinstance(x, int) else f".{x}" for x in loc).lstrip(".") or "$"


def _split(text: str) -> tuple[str, str]:
    where, _, words = text.partition(": ")
    return where, words


def _catalog(stored: Result, at_hand: Catalog, report: Report) -> tuple[Catalog | None, bool]:
    """The catalog to judge by, and whether it is the whole one."""
    sha, embedded = stored.catalog.sha256, stored.catalog.embedded
    if at_hand.sha256 == sha:
        if embedded is not None:
            bought = {x.part for p in stored.front for x in p.bom if x.part in at_hand.parts}
            true = rows(at_hand, used(at_hand, bought))
            report.wrong += differences(embedded.model_dump(), true, "catalog.embedded")
        return at_hand, True
    if embedded is not None:
        report.unchecked.append(
            f"catalog {sha[:12]} is not at hand: judged by the rows that the result carries; equivalents, the list of "
            "families and the catalog's own figures are not checked"
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
    book = price_book(catalog, stored.request, policy)
    return Market(catalog, stored.request, policy, get(stored.request.model), book, by or shipped())


def _point(market: Market, p: FrontPoint, where: str, report: Report) -> Point | None:
    """A stored point's parts and row, with throughput and findings made anew; None when they make no build."""
    faults = list(_unknown(market, p, where))
    if faults:
        report.wrong += faults
        return None
    gpu = market.catalog.parts.get(p.gpus.part)
    if not isinstance(gpu, Gpu):
        report.add(f"{where}.gpus.part", f"{p.gpus.part} is no GPU of the catalog")
        return None
    row = _row(market, p, gpu)
    if row is None:
        report.add(f"{where}.row", "no plan of the model runs on this hardware")
        return None
    node = p.nodes[0]
    build = Build(node.count, {x.part: x.qty for x in node.parts}, {x.part: x.qty for x in p.shared})
    case = market.case(build, row.plan, row.key)
    try:
        if not _realised(market, case.platform, gpu, row):
            report.add(f"{where}.row", "the parts do not give these hardware facts")
        checks = findings(case)
    except InputError as e:
        report.add(f"{where}.nodes[0].parts", str(e.faults[0].text))
        return None
    report.wrong += [Wrong(f"{where}.checks[{i}]", f"{x.rule} fails: {x.text}")
                     for i, x in enumerate(checks) if x.status == "fail"]  # fmt: skip
    cents = sum(q * market.cents(x) for x, q in build.total().items())
    return Point(Found(row, build, cents, market.axis.measure(case)), case, checks)


def _unknown(market: Market, p: FrontPoint, where: str) -> Iterator[Wrong]:
    """Parts that are in no catalog or have no price, and quantities that are none."""
    if len(p.nodes) != 1 or p.nodes[0].count < 1:
        yield Wrong(f"{where}.nodes", "a front point has one kind of node, at least once")
        return
    for place, parts in (("nodes[0].parts", p.nodes[0].parts), ("shared", p.shared)):
        for j, x in enumerate(parts):
            if x.part not in market.catalog.parts:
                yield Wrong(f"{where}.{place}[{j}].part", f"{x.part} is in no catalog at hand")
            elif x.part not in market.book.prices:
                yield Wrong(f"{where}.{place}[{j}].part", f"{x.part}: {market.book.ledger[x.part]}")
            elif x.qty < 1:
                yield Wrong(f"{where}.{place}[{j}].qty", f"stored {x.qty}")


def _row(market: Market, p: FrontPoint, gpu: Gpu) -> Row | None:
    """The row of a point's hardware by the roofline; the stored plan is not read, but for where the experts lie."""
    key = RowKey(gpu=gpu.id, per_node=p.gpus.per_node, nodes=p.nodes[0].count, **p.row.model_dump())
    if key.per_node < 1:
        return None
    if p.plan.experts == "host":
        one = RowKey(**{**vars(key), "nodes": 1})
        found = HostPlanner(market.llm, market.request, market.policy).rows(gpu, [one], key.nodes)
    else:
        found = planner_for(market.llm, market.request, market.policy, market.calibration).rows(gpu, [key])
    return found[0] if found else None


def _realised(market: Market, platform: Platform, gpu: Gpu, row: Row) -> bool:
    """Whether a platform can have the row's facts; that its parts do is for the rules to find (lanes, links, hosts)."""
    k = row.key
    if row.plan.offload:
        return (k.cap_w, k.domain, k.net) == (power_cap(gpu, platform), 1, "none") and bool(k.pcie_gen and k.lanes)

    def facts(x: RowKey) -> tuple[object, ...]:
        return (
            x.cap_w,
            x.domain,
            x.net,
            x.net_gbit_s,
            bool(x.pcie_gen),
            bool(x.lanes),
            x.host_gb_s,
            x.host_gb,
            x.host_gflops,
        )

    return facts(k) in map(facts, hardware_keys(market, gpu, k.per_node, [platform], k.nodes))


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
            stairs=steps, record=closed,
        )  # fmt: skip
        true = json.loads(json.dumps(result(market, front, {})))
        found += differences(data, true)
        mine = [m for m in data["messages"] if not m["code"].startswith(SOLVED)]
        found += differences(mine, true["messages"], "messages!")
    for w in found:
        if not any(w.where == s or w.where.startswith((f"{s}.", f"{s}[")) for s in skip):
            yield Wrong(w.where.replace("messages!", "messages"), w.text)


def _all_families(stored: Result, market: Market) -> Iterator[Wrong]:
    """Every family of the catalog is in the record."""
    listed = {(f.gpu, f.per_node) for f in stored.proof.families.each}
    there = {(gpu.id, k) for gpu, k, _ in families(market)}
    for gpu, k in sorted(there - listed):
        yield Wrong("proof.families.each", f"lacks {gpu}, {k} per node")
    for gpu, k in sorted(listed - there):
        yield Wrong("proof.families.each", f"{gpu}, {k} per node: no such family in the catalog")
