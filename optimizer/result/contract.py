"""The result contract (`schema_version` "1"): a front as data that others build on. Money is decimal strings."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

from catalogs.file_kinds import FILE_KINDS
from catalogs.message import N_, joined, message
from catalogs.offers import state_of
from constraints.build import Case, computing_w, total_w, units
from constraints.exchange import half_up, minor_digits
from constraints.model.axis import MONEY
from constraints.physics.draw import btu_per_hour
from constraints.prices.price_range import price_range
from constraints.prices.pricing import energy_price, fx_rates
from constraints.prices.totals import totals
from constraints.request import Request
from constraints.rule import counted
from constraints.rules.host_memory import host_of
from constraints.rules.precision import wanted
from constraints.rules.rack import racks_in
from optimizer.market.market import Market
from optimizer.result.bill import bom, purchase
from optimizer.result.messages import load_messages, messages
from optimizer.result.plan_facts import launch_facts, plan_facts, throughput
from optimizer.result.price_shares import price_shares, rests_on_read
from optimizer.result.proof_record import proof_data
from optimizer.result.recommended import recommended
from optimizer.result.site_facts import site_facts
from optimizer.search.front import Front, Point
from optimizer.search.ties import equivalents
from optimizer.text.minor_units import money

SCHEMA_VERSION = "1"
ENERGY_HOURS = 8760


def result(market: Market, front: Front, seconds: dict[str, float]) -> dict[str, Any]:
    """The whole answer as JSON-ready data."""
    points = [point(market, p, f"p{i + 1}") for i, p in enumerate(front.points)]
    chosen = recommended(market, front.points)
    offers = [offer for of_part in market.catalog.offers.values() for offer in of_part]
    dates = [offer.date.isoformat() for offer in offers if state_of(offer) != "estimate"]
    return {
        "schema_version": SCHEMA_VERSION,
        "request": market.request.model_dump(mode="json"),
        "policy": {k: str(v) for k, v in sorted(market.policy.changed.items())},
        "catalog": {
            "sha256": market.catalog.sha256,
            "parts": len(market.catalog.parts),
            "offers": len(offers),
            "oldest_price": min(dates, default=None),
            "newest_price": max(dates, default=None),
            "embedded": None,
        },
        "fx": [x.model_dump(mode="json") for x in fx_rates(market.request)],
        "model": {"id": market.llm.id, "name": market.llm.name, "note": market.llm.note, "source": market.llm.source},
        "throughput_model": {"calibration": market.calibration.name, "sha256": market.calibration.sha256},
        "proof": proof_data(market, front, scope(market, front), seconds),
        "axis": {"name": market.axis.name, "unit": market.axis.unit or market.request.currency},
        "front": points,
        "named": named(market, front, points),
        "recommended": None if chosen is None else f"p{chosen + 1}",
        "messages": [*messages(market, front), *load_messages(market, points, chosen)],
        "explanation": None,
    }


LIMITS: tuple[str, ...] = (
    "all nodes are equal",
    "a node has one kind of GPU, memory module and power supply",
    "every memory channel is filled with equal modules, but a complete system may stay as delivered",
    "each network has one kind of card, in one number per node",
    "GPUs run at their TDP or at the slot's limit",
)
"""What the search never leaves, though `check` may pass builds outside (docs/proof.md, limits of the space)."""


def scope(market: Market, front: Front) -> str:
    """What `complete` means, and the limits of the space that was searched, in sentences."""
    nodes = counted(min(market.request.max_nodes, market.policy.whole("plans.max_nodes")), "node")
    limits = LIMITS
    if not market.request.trains:
        stages = market.policy.whole("plans.max_pp")
        limits += (
            message("tensor parallelism stays inside a node, and a plan has {n} pipeline stages at most", n=stages),
        )
        apart = market.policy.whole("plans.max_apart_nodes")
        limits += (
            message(
                "prefill and decode are apart on {n} nodes at most, and nodes of either half hold replicas of one "
                "shape",
                n=apart,
            ),
        )
        if set(wanted(market.llm, market.request)) & set(FILE_KINDS):
            limits += (N_("of GGUF files a plan has as many stages as llama.cpp takes GPUs"),)
    proven = message(
        "Within catalog {catalog}, prices as of {day}, this policy, {nodes} at most and the plans of {plans}, "
        "no cheaper or faster valid build was overlooked."
        if front.complete
        else "Within catalog {catalog}, prices as of {day}, this policy, {nodes} at most and the plans of {plans}, "
        "the search was stopped before the proof.",
        catalog=market.catalog.sha256[:12], day=market.request.as_of, nodes=nodes, plans=_plans(market.request),
    )  # fmt: skip
    return joined([proven, message("Limits of the search: {limits}.", limits=joined(limits, "; "))], " ")


def _plans(request: Request) -> str:
    """Kinds of parallelism of the plans that were searched."""
    if request.trains:
        return N_("tensor and expert parallelism, sharding (ZeRO 3) and checkpointing")
    if request.offload:
        return N_(
            "tensor, pipeline, expert and data parallelism, of prefill and decode apart and of routed experts in host "
            "memory"
        )
    return N_("tensor, pipeline, expert and data parallelism and of prefill and decode apart")


def power_facts(case: Case) -> dict[str, int]:
    """What a build draws, of a node and in all; all of what it takes from the wall becomes heat."""
    total = total_w(case)
    return {
        "node_w": case.load_w,
        "node_wall_w": case.wall_w,
        "total_w": total,
        "heat_btu_h": btu_per_hour(total),
    }


def point(market: Market, front_point: Point, name: str) -> dict[str, Any]:
    """One front point as data."""
    case, request = front_point.case, market.request
    bought = purchase(market, case.build)
    lines = bom(market, case, bought)
    spares = bought.spares_cents(case.build.total())
    support, tax, total = totals(bought.cents + bought.support_cents, market.policy)
    ends = price_range(bought.lines, market.book, market.catalog, request, market.policy)
    shares = price_shares(bought)
    return {
        "id": name,
        "axis_cost": money(total, request.currency) if market.axis is MONEY else str(front_point.found.cost),
        "cost": {
            "parts": money(bought.cents - spares, request.currency),
            "spares": money(spares, request.currency),
            "support": money(support + bought.support_cents, request.currency),
            "net": money(total - tax, request.currency),
            "tax": money(tax, request.currency),
            "total": money(total, request.currency),
            "low": money(totals(ends.low, market.policy)[2], request.currency),
            "high": money(totals(ends.high, market.policy)[2], request.currency),
            "shares": shares,
            "estimated_share": shares["estimated"],
            "currency": request.currency,
        },
        "throughput": throughput(market, front_point.found.row),
        "plan": {
            **plan_facts(market, case.gpu, case.plan, host_of(case) if case.plan.offload else None, case.per_node),
            **launch_facts(market, case),
        },
        "gpus": {
            "part": case.gpu.id,
            "name": case.gpu.name,
            "per_node": case.per_node,
            "total": case.per_node * case.build.nodes,
        },
        "nodes": [
            {
                "count": case.build.nodes,
                "parts": [{"part": part_id, "qty": qty} for part_id, qty in case.build.node.items()],
            }
        ],
        "shared": [{"part": part_id, "qty": qty} for part_id, qty in case.build.shared.items()],
        "bom": lines,
        "unquoted": list(dict.fromkeys(line["part"] for line in lines if line["price_state"] == "estimate")),
        "equivalents": equivalents(market, case.build, front_point.found.row),
        "checks": [
            {
                "rule": check.rule,
                "status": check.status,
                "measured": None if check.measured is None else float(check.measured),
                "limit": None if check.limit is None else float(check.limit),
                "unit": check.unit,
                "text": check.text,
                "relation": check.relation,
            }
            for check in front_point.checks
        ],
        "power": power_facts(case),
        "site": site_facts(market, case, lines),
        "energy": energy(market, computing_w(case)),
        "rack_units": units(case),
        "racks": racks_in(case),
        "row": {
            name_: fact
            for name_, fact in vars(front_point.found.row.key).items()
            if name_ not in ("gpu", "per_node", "nodes")
        },
    }


def energy(market: Market, watts: int) -> dict[str, Any]:
    """Yearly energy at the average load, with the room's PUE."""
    policy = market.policy
    kwh = Decimal(watts) / 1000 * policy["energy.load_percent"] / 100 * policy["energy.pue"] * ENERGY_HOURS
    price = energy_price(market.request, policy)
    cents = half_up(Fraction(kwh) * price * 10 ** minor_digits(market.request.currency))
    return {
        "kwh_year": int(kwh),
        "price_per_kwh": f"{Decimal(price.numerator) / price.denominator:.4f}",
        "cost_year": money(cents, market.request.currency),
        "pue": str(policy["energy.pue"]),
    }


def named(market: Market, front: Front, points: list[dict[str, Any]]) -> dict[str, str | None]:
    """fastest, cheapest, value = most tok/s per unit of money, and read: the fastest point of which enough of the money
    (policy named.read_percent) goes to prices that somebody read; None where there is none."""
    if not points:
        return {}

    def value(place: int) -> tuple[bool, Decimal | float, int]:
        tenths, total = front.points[place].found.row.perf.tenths, Decimal(str(points[place]["cost"]["total"]))
        return not total, tenths / (total or 1), -place  # what is all in hand costs nothing

    best = max(range(len(points)), key=value)
    cheapest = min(
        range(len(points)), key=lambda place: Decimal(str(points[place]["cost"]["total"]))
    )  # the first of equals
    enough = [point["id"] for point in points if rests_on_read(point["cost"]["shares"]["read"], market.policy)]
    return {
        "fastest": points[-1]["id"],
        "cheapest": points[cheapest]["id"],
        "value": points[best]["id"],
        "read": enough[-1] if enough else None,
    }
