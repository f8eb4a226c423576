"""What a quote's money would buy instead: the proven front at its price, and the cheapest build at least as fast."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from catalogs.message import message
from optimizer.market.market import Market
from optimizer.market.rows import GpuRows
from optimizer.procurement.xray.schema import Beside, Instead
from optimizer.procurement.xray.summary import amount
from optimizer.result.contract import point as point_data
from optimizer.result.point_schema import PartQty, Throughput
from optimizer.search.clock import Clock, TimeUp
from optimizer.search.front import Found
from optimizer.search.solver import Solver
from optimizer.text.minor_units import money


def instead(
    market: Market, hardware_cents: int, tenths: int | None, of: Literal["quoted", "mended", ""], clock: Clock,
    rows: GpuRows,
) -> Instead:  # fmt: skip
    """The front of the market's request with the quote's hardware as its budget, at the catalog's prices.

    `tenths`: throughput (0.1 tok/s) `of` the quoted build, or the mended one; None where neither runs the model.
    `rows`: known already, of a request that asks the same of plans."""
    asked = market.asking(budget_cents=hardware_cents, cost_axis="money")
    solver = Solver(asked, clock=clock, judged=rows)
    front = solver.front()
    unit = market.request.currency
    points = [_beside(asked, point_data(asked, point, "b"), hardware_cents, tenths) for point in front.points]
    fastest = points[-1] if points else None
    as_fast: Beside | None = None
    cheapest: Beside | None = None
    complete = front.complete
    if tenths is not None:
        as_fast = next(
            (b for b, p in zip(points, front.points, strict=True) if p.found.row.perf.tenths >= tenths), None
        )
        if as_fast is None and complete:
            found, complete = _cheapest(market.asking(throughput_tenths=tenths, cost_axis="money"), clock, rows)
            as_fast = _of(market, found, hardware_cents, tenths) if found else None
    if not points and complete:
        found, complete = _cheapest(market.asking(cost_axis="money"), clock, rows)
        cheapest = _of(market, found, hardware_cents, tenths) if found else None
    text = message(
        "Complete builds at the catalog's prices, net of tax, for the quote's hardware of {amount} "
        "{unit} (services and options left out)",
        amount=amount(money(hardware_cents, unit)),
        unit=unit,
    )
    proof: Literal["optimal", "feasible", "infeasible"]
    proof = "feasible" if not complete else "optimal" if points or as_fast or cheapest else "infeasible"
    return Instead(
        budget=money(hardware_cents, unit), text=text, fastest=fastest, as_fast=as_fast, cheapest=cheapest, proof=proof,
        as_fast_as=of if as_fast else "",
    )  # fmt: skip


def _cheapest(market: Market, clock: Clock, rows: GpuRows) -> tuple[Found | None, bool]:
    """(the build of least cost, whether the clock allowed the proof)."""
    try:
        return Solver(market, clock=clock, judged=rows).cheapest(), True
    except TimeUp:
        return None, False


def _of(market: Market, found: Found, hardware_cents: int, tenths: int | None) -> Beside:
    point = Solver(market).point(found)
    return _beside(market, point_data(market, point, "b"), hardware_cents, tenths)


def _beside(market: Market, p: Mapping[str, Any], hardware_cents: int, tenths: int | None) -> Beside:
    scale = 10 ** (0 if market.request.currency == "JPY" else 2)
    total, speed = float(p["cost"]["total"]), p["throughput"]["output_tok_s"]
    parts = [(part["part"], part["qty"] * n["count"]) for n in p["nodes"] for part in n["parts"]]
    parts += [(x["part"], x["qty"]) for x in p["shared"]]
    gpus = p["gpus"]
    return Beside(
        gpus=f"{p['nodes'][0]['count']} x {gpus['per_node']} {gpus['name']}",
        total=p["cost"]["total"],
        estimated_share=p["cost"]["estimated_share"],
        throughput=Throughput.model_validate(p["throughput"]),
        precision=p["plan"]["precision"],
        power_kw=p["power"]["total_w"] / 1000,
        money_percent=round(100 * (total * scale - hardware_cents) / hardware_cents, 1) if hardware_cents else None,
        throughput_percent=round(100 * (speed * 10 - tenths) / tenths, 1) if tenths else None,
        parts=[PartQty(part=part, qty=pieces) for part, pieces in parts],
        names=[market.catalog.parts[part].name for part, _ in parts],
    )
