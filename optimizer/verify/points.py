"""A stored point made anew from its parts and its hardware row: throughput by the roofline, every rule's finding."""

from __future__ import annotations

from collections.abc import Iterator

from catalogs.errors import InputError
from catalogs.schema import Gpu, Platform
from constraints.build import Build, power_cap
from constraints.plan import Plan, Row, RowKey
from constraints.prices.tariff import NEVER
from constraints.rules.registry import findings
from optimizer.market.market import Market
from optimizer.market.rows import hardware_keys
from optimizer.request.fields import broken
from optimizer.result.point_schema import FrontPoint
from optimizer.search.front import Found, Point
from optimizer.search.unmet_limits import unmet
from optimizer.throughput.choice import planner_for
from optimizer.throughput.offload import HostPlanner
from optimizer.verify.wrong import Report, Wrong

MOST_GPUS = 100_000
"""GPUs of a build beyond which no plan is looked for."""


def rebuilt(market: Market, point: FrontPoint, where: str, report: Report) -> Point | None:
    """The point that the stored parts and row make; None, and why in the report, when they make none."""
    faults = list(_unknown(market, point, where))
    if faults:
        report.wrong += faults
        return None
    node = point.nodes[0]
    build = Build(node.count, {part.part: part.qty for part in node.parts}, {x.part: x.qty for x in point.shared})
    bare = market.case(build, Plan("", "", 1, 1, 1, 1, 1, 1))
    try:
        gpu, key = bare.gpu, RowKey(bare.gpu.id, per_node=bare.per_node, nodes=node.count, **point.row.model_dump())
        on_host = point.plan.experts == "host"
        if key.total > MOST_GPUS or not _realised(market, bare.platform, gpu, key, on_host):
            report.add(f"{where}.row", "the parts do not give these hardware facts")
            return None
        row = _row(market, gpu, key, on_host)
        if row is None:
            limits = unmet(market, lambda other: _row(other, gpu, key, on_host))
            fields = ", ".join(f"request.{x} {getattr(market.request, x):g}" for x in limits)
            report.add(f"{where}.row", f"no plan of the model on this hardware meets {fields or 'the request'}")
            return None
        case = market.case(build, row.plan, row.key)
        checks = findings(case)
    except InputError as e:
        report.add(f"{where}.nodes[0].parts", e.faults[0].text)
        return None
    failed = ((i, check) for i, check in enumerate(checks) if check.status == "fail")
    report.wrong += [Wrong(f"{where}.checks[{i}]", f"{x.rule} fails: {x.text}") for i, x in failed]
    report.wrong += [Wrong(f"{where}.{x.place}", x.text) for x in broken(case, row)]
    cents = market.book.cost(build.total())
    if cents >= NEVER:
        report.add(f"{where}.bom", "no orders within stock bring these parts")
        return None
    return Point(Found(row, build, cents, market.axis.measure(case)), case, checks)


def _unknown(market: Market, point: FrontPoint, where: str) -> Iterator[Wrong]:
    """Parts that are in no catalog or have no price."""
    if len(point.nodes) != 1:
        yield Wrong(f"{where}.nodes", "a front point has one kind of node")
        return
    for place, parts in (("nodes[0].parts", point.nodes[0].parts), ("shared", point.shared)):
        for at, part in enumerate(parts):
            if part.part not in market.catalog.parts:
                yield Wrong(f"{where}.{place}[{at}].part", f"{part.part} is in no catalog at hand")
            elif part.part not in market.book.prices:
                yield Wrong(f"{where}.{place}[{at}].part", f"{part.part}: {market.book.ledger[part.part]}")


def _row(market: Market, gpu: Gpu, key: RowKey, on_host: bool) -> Row | None:
    """The row of hardware by the roofline, its best plan chosen anew."""
    if on_host:
        one = RowKey(**{**vars(key), "nodes": 1})
        found = HostPlanner(market.llm, market.request, market.policy).rows(gpu, [one], key.nodes)
    else:
        found = planner_for(market.llm, market.request, market.policy, market.calibration).rows(gpu, [key])
    return found[0] if found else None


def _realised(market: Market, platform: Platform, gpu: Gpu, row_key: RowKey, on_host: bool) -> bool:
    """Whether a platform can have the row's facts; that its parts do is for the rules to find (lanes, links, hosts)."""
    if on_host:
        return (row_key.cap_w, row_key.domain, row_key.net) == (power_cap(gpu, platform), 1, "none") and bool(
            row_key.pcie_gen and row_key.lanes
        )

    def facts(row_key: RowKey) -> tuple[object, ...]:
        """All but generation and width of the host link, which may be weaker than the platform's best."""
        host = (row_key.host_gb_s, row_key.host_gb, row_key.host_gflops, row_key.tables_gb)
        return (
            row_key.cap_w,
            row_key.domain,
            row_key.net,
            row_key.net_gbit_s,
            bool(row_key.pcie_gen),
            bool(row_key.lanes),
            host,
        )

    return facts(row_key) in map(facts, hardware_keys(market, gpu, row_key.per_node, [platform], row_key.nodes))
