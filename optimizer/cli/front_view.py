"""A solved front on a terminal: its points, the recommended build with prices and rules, and the proof."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from optimizer.cli.output import note, table

SHOWN = 12


def shown(points: list[dict[str, Any]], named: dict[str, str], recommended: str | None) -> list[dict[str, Any]]:
    """At most 12 points: the named ones, then each at least 10 % faster than the last one shown."""
    must = {*named.values(), recommended}
    kept: list[dict[str, Any]] = []
    last = 0.0
    for p in points:
        speed = p["throughput"]["output_tok_s"]
        if p["id"] in must or (speed >= 1.1 * last and len(kept) < SHOWN - len(must)):
            kept.append(p)
            last = speed
    return kept


def show(data: dict[str, Any], everything: bool) -> None:
    for m in data["messages"]:
        note(f"{m['severity']}: {m['text']}")
    points = data["front"]
    if not points:
        return
    currency = data["request"]["currency"]
    names: dict[str, list[str]] = {}
    for label, pid in [*data["named"].items(), ("recommended", data["recommended"])]:
        names.setdefault(pid, []).append(label)
    headers, figures = _axis(data["request"])
    other = data["axis"]["name"] != "money"
    headers = [f"{data['axis']['name']}, {data['axis']['unit']}"] * other + headers
    rows = []
    for p in points if everything else shown(points, data["named"], data["recommended"]):
        plan, g = p["plan"], p["gpus"]
        how = " ".join(f"{k}{plan[k]}" for k in ("tp", "pp", "dp", "ep") if plan[k] > 1) or "tp1"
        rows.append(
            [
                p["id"],
                f"{float(p['cost']['total']):,.0f}",
                *[p["axis_cost"]] * other,
                *figures(p),
                f"{p['nodes'][0]['count']} x {g['per_node']} {g['name']}",
                f"{plan['precision']} {how}{' host' * (plan['experts'] == 'host')} x{plan['replicas']}",
                f"{p['power']['total_w'] / 1000:.1f}",
                ", ".join(names.get(p["id"], [])),
            ]
        )
    table(
        ["point", f"total, {currency}", *headers, "GPUs", "plan", "kW", ""],
        rows,
        {1, *(i + 2 for i in range(len(headers))), len(headers) + 4},
    )
    chosen = next(p for p in points if p["id"] == data["recommended"])
    print(
        f"Build {chosen['id']}: {chosen['cost']['total']} {currency}, "
        f"of it {chosen['cost']['estimated_share']:.0%} on estimated prices{_extras(chosen['cost'])}"
    )
    t = chosen["throughput"]
    print(f"Throughput: {t['output_tok_s']:,.1f} {t['unit']}, 80 % interval {interval(t)}, {basis(t)}")
    table(
        ["qty", "part", "unit", "line", "price of", "confidence"],
        [
            [
                str(x["qty"]),
                f"{x['name']}{_aside(x)}",
                x["unit_price"],
                x["line_total"],
                f"{x['price_date'] or ''}{' stale' if x['stale'] else ''}",
                x["price_confidence"] or "",
            ]
            for x in chosen["bom"]
        ],
        {0, 2, 3},
    )
    table(
        ["rule", "", "measured", "limit", "unit", "finding"],
        [
            [x["rule"], x["status"], number(x["measured"]), number(x["limit"]), x["unit"], x["text"]]
            for x in chosen["checks"]
        ],
        {2, 3},
    )
    e = chosen["energy"]
    print(f"Energy: {e['kwh_year']:,} kWh a year at PUE {e['pue']}, {e['cost_year']} {currency}")
    proof = data["proof"]
    print(
        f"Proof: {proof['status']}. {proof['scope']} ({proof['families']['closed_by_bound']} families closed by bound, "
        f"{proof['families']['closed_by_cp_sat']} by CP-SAT, {proof['seconds'].get('total', 0):.2f} s)"
    )


def _extras(cost: dict[str, Any]) -> str:
    """Spares and support in the total, where there are any."""
    return "".join(f", {cost[x]} of {x}" for x in ("spares", "support") if float(cost[x]))


def _aside(line: dict[str, Any]) -> str:
    """What a line is beside a bought part of the build: a spare, in hand, inside a system or a bundle."""
    words = [w for w in (line["role"], line["origin"]) if w in ("spare", "included", "owned")]
    words += ["bundle"] * (line["category"] == "bundle")
    words += [f"in {line['offer_id']}"] * (line["origin"] == "bundle" and line["category"] != "bundle")
    return f" ({', '.join(dict.fromkeys(words))})" if words else ""


def _axis(request: dict[str, Any]) -> tuple[list[str], Callable[[dict[str, Any]], list[str]]]:
    """Headers and cells of the throughput columns: of serving with users, of training with days and memory sharing."""
    from constraints.request import TRAINING

    if request["workload"] not in TRAINING:
        return ["tok/s", "80 % interval", "each user", "users"], lambda p: [
            f"{p['throughput']['output_tok_s']:,.1f}",
            interval(p["throughput"]),
            f"{p['throughput']['per_user_tok_s']:.1f}",
            f"{p['throughput']['concurrency']}",
        ]

    def cells(p: dict[str, Any]) -> list[str]:
        t, how = p["throughput"], p["plan"]["training"]
        sharing = f"ZeRO {how['zero_stage']}, {how['micro_batch']} x {how['seq_len']}"
        days = [] if t["days"] is None else [f"{t['days']:,.2f}"]
        return [
            f"{t['output_tok_s']:,.1f}",
            interval(t),
            *days,
            sharing + (", checkpointed" if how["checkpointing"] else ""),
        ]

    return ["train tok/s", "80 % interval", *(["days"] if request["train_tokens"] else []), "training"], cells


BASIS = {
    "measured": "measured: {}",
    "interpolated": "interpolated: its model or its GPU was measured",
    "roofline": "roofline: neither its model nor its GPU was measured",
}


def basis(throughput: dict[str, Any]) -> str:
    """What a figure rests on, in words."""
    return BASIS[throughput["basis"]].format(throughput["source"])


def interval(throughput: dict[str, Any]) -> str:
    """`low-high` of a figure."""
    return f"{throughput['low']:,.0f}-{throughput['high']:,.0f}"


def number(x: float | None) -> str:
    return "" if x is None else f"{x:,.10g}"
