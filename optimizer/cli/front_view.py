"""A solved front on a terminal: its points, the recommended build with prices and rules, and the proof."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from catalogs.message import message, read_message
from optimizer.cli.money_view import grouped, sums
from optimizer.cli.output import narrow, note, say, table
from optimizer.procurement.labels import STATUS, UNITS, rule_titles
from optimizer.result.plan_line import plan_line
from optimizer.text.figures import measured
from optimizer.text.languages import N_, chosen

SHOWN = 12
FIGURES_FROM = 100
"""Columns of a terminal from which tables of findings have columns of figures too."""
CLOSED = {
    "cp_sat": N_("{gpu}, {n} per node: CP-SAT found its cheapest builds and proved that none is cheaper"),
    "bound": N_("{gpu}, {n} per node: a lower bound of its cost is above the front"),
}
"""How the proof closed a family of hardware that could be built."""
FASTER = 1.1
"""A point beside the named ones is shown where it is so many times as fast as the last one shown."""


def shown(
    points: list[dict[str, Any]],
    named: dict[str, str | None],
    recommended: str | None,
    messages: Iterable[dict[str, Any]] = (),
) -> list[dict[str, Any]]:
    """At most 12 points: those that have a name or that a remark speaks of, then each at least 10 % faster than the
    last one shown."""
    remarked = {value for said in messages for value in said["values"].values() if isinstance(value, str)}
    must = {*named.values(), recommended, *remarked}
    room = SHOWN - sum(point["id"] in must for point in points)
    kept: list[dict[str, Any]] = []
    last = 0.0
    for p in points:
        speed = p["throughput"]["output_tok_s"]
        if p["id"] not in must:
            if not room or speed < FASTER * last:
                continue
            room -= 1
        kept.append(p)
        last = speed
    return kept


def recommended(data: dict[str, Any]) -> dict[str, Any]:
    """The recommended point of a result that has a build."""
    found: dict[str, Any] = next(point for point in data["front"] if point["id"] == data["recommended"])
    return found


def show(data: dict[str, Any], everything: bool, every_rule: bool = False) -> None:
    """All of an answer; `every_rule`: those that passed one by one, and the proof in a verifier's
    words."""
    _ = chosen()
    if data["front"]:
        best = recommended(data)
        _front(data, everything)
        _build(best, data["request"]["currency"])
        _bill(best, data["policy"])
        if every_rule:
            checks(best["checks"])
        else:
            folded(best["checks"])
        _energy(best["energy"], data["request"]["currency"])
        for line in site_lines(best["site"]):
            say(line)
    for message_ in data["messages"]:
        note(f"{_(message_['severity'])}{_.colon}{remark(read_message(message_))}")
    if data["front"]:
        _proof(data["proof"])
        if every_rule:
            _for_verifiers(data)


def _front(data: dict[str, Any], everything: bool) -> None:
    """The points in a table, each with the names that it has."""
    _, points, currency = chosen(), data["front"], data["request"]["currency"]
    names: dict[str | None, list[str]] = {}
    for label, pid in [*data["named"].items(), ("recommended", data["recommended"])]:
        names.setdefault(pid, []).append(label)
    headers, figures = _axis(data["request"])
    other = data["axis"]["name"] != "money"
    headers = [_(data["axis"]["name"]) + _.comma + _(data["axis"]["unit"])] * other + [_(h) for h in headers]
    rows = []
    some = points if everything else shown(points, data["named"], data["recommended"], data["messages"])
    for p in some:
        gpus = p["gpus"]
        rows.append(
            [
                p["id"],
                grouped(p["cost"]["total"]),
                *[_axis_cost(p, data["axis"]["name"])] * other,
                *figures(p),
                f"{p['nodes'][0]['count']} x {gpus['per_node']} {gpus['name']}",
                plan_line(p["plan"]),
                f"{p['power']['total_w'] / 1000:.1f}",
                _.list(names.get(p["id"], [])),
            ]
        )
    table(
        [_("point"), _("total, {currency}", currency=currency), *headers, _("GPUs"), _("plan"), _("kW"), ""],
        rows,
        {1, *(i + 2 for i in range(len(headers))), len(headers) + 4},
    )
    if len(some) < len(points):
        say(_("{shown} of {all} points are shown; --all shows every one.", shown=len(some), all=len(points)))


def _build(best: dict[str, Any], currency: str) -> None:
    """What its price rests on, and what it does."""
    _ = chosen()
    cost, shares = best["cost"], best["cost"]["shares"]
    said = _(
        "Build {id}: {total} {currency}, range {low} to {high}; {read} of it on prices read, {indexed} indexed, "
        "{estimated} estimated",
        id=best["id"], total=grouped(cost["total"]), currency=currency, low=grouped(cost["low"]),
        high=grouped(cost["high"]), **{name: f"{share * 100:.0f} %" for name, share in shares.items()},
    )  # fmt: skip
    say(said + _extras(best["cost"]))
    if best["unquoted"]:
        quoted = {line["part"]: line["name"] for line in best["bom"]}
        say(_("Nobody has quoted: {parts}", parts=_.list([quoted[part] for part in best["unquoted"]])))
    if first := best["plan"].get("prefill"):
        say(
            _(
                "Prefill and decode apart: {a} + {b} nodes, {rate} requests/s; their KV caches take {gbit} Gbit/s of "
                "each GPU's link",
                a=first["nodes"], b=first["decode_nodes"], rate=f"{first['requests_s']:,.2f}",
                gbit=f"{first['kv_gbit_s']:,.1f}",
            )
        )  # fmt: skip
    throughput = best["throughput"]
    if throughput["at_load"]:
        say(
            _(
                "With {users} users at once: {speed} tok/s for each, {all} in all, first token after {ttft} ms",
                users=f"{throughput['at_load']['users']:,}",
                speed=f"{throughput['at_load']['per_user_tok_s']:,.1f}",
                all=f"{throughput['at_load']['tok_s']:,.1f}",
                ttft=f"{throughput['at_load']['ttft_ms']:,.0f}",
            )
        )
    say(
        _(
            "Throughput: {speed} {unit}, 80 % interval {interval}, {basis}",
            speed=f"{throughput['output_tok_s']:,.1f}",
            unit=throughput["unit"],
            interval=interval(throughput),
            basis=basis(throughput),
        )
    )


def _bill(best: dict[str, Any], policy: dict[str, str]) -> None:
    _ = chosen()
    table(
        [_("qty"), _("part"), _("unit price"), _("line"), _("price date"), _("confidence")],
        [
            [
                str(line["qty"]),
                f"{line['name']}{_aside(line)}",
                grouped(line["unit_price"]),
                grouped(line["line_total"]),
                price_day(line),
                _(line["price_confidence"]) if line["price_confidence"] else "",
            ]
            for line in best["bom"]
        ],
        {0, 2, 3},
    )
    say(sums(best["cost"], policy))


def _energy(energy: dict[str, Any], currency: str) -> None:
    _ = chosen()
    say(
        _(
            "Energy: {kwh} kWh a year at PUE {pue}, {cost} {currency}",
            kwh=f"{energy['kwh_year']:,}",
            pue=energy["pue"],
            cost=grouped(energy["cost_year"]),
            currency=currency,
        )
    )


def _proof(proof: dict[str, Any]) -> None:
    _ = chosen()
    say(
        _(
            "Proof: {status}. {scope} ({bound} hardware families ruled out by a bound, {solver} by CP-SAT, "
            "{seconds} s)",
            status=proof["status"],
            scope=_.sentence(proof["scope"]),
            bound=proof["families"]["closed_by_bound"],
            solver=proof["families"]["closed_by_cp_sat"],
            seconds=f"{proof['seconds'].get('total', 0):.2f}",
        )
    )


def _for_verifiers(data: dict[str, Any]) -> None:
    """What the proof says step by step, and how to do it again."""
    _, proof, unit = chosen(), data["proof"], data["axis"]["unit"]
    if proof["staircase"]:
        say(_("What was proven, step by step:"))
    for step in proof["staircase"]:
        faster, below = f"{step['faster_than_tok_s']:,.1f}", f"{grouped(step['below'])} {_(unit)}"
        say("  - " + _("no valid build of more than {speed} tok/s is below {below}", speed=faster, below=below))
    numbers: dict[tuple[str, str], list[str]] = {}
    for family in proof["families"]["each"]:
        numbers.setdefault((family["closed_by"], family["gpu"]), []).append(str(family["per_node"]))
    for (how, gpu), per_node in sorted(numbers.items(), reverse=True):
        if how in CLOSED:
            say("  - " + _(CLOSED[how], gpu=gpu, n=_.list(dict.fromkeys(per_node))))
    ruled_out = sum(family["closed_by"] not in CLOSED for family in proof["families"]["each"])
    say("  - " + _("{n} more families of hardware allow no build: the result (-o) has why", n=ruled_out))
    say(_("Solver: {solver}. To prove it again: `dsopt verify result.json --prove`.", solver=proof["solver"]))


def folded(found: Iterable[dict[str, Any]]) -> None:
    """The rules: warnings and failures in words, all that passed in a line."""
    _, found = chosen(), list(found)
    passed = [x for x in found if x["status"] == "pass"]
    if len(passed) < len(found):
        checks(x for x in found if x["status"] != "pass")
    rules = dict.fromkeys(coded(rule_titles(), x["rule"]) for x in passed)
    say(_("Passed: {n} checks of {rules} (-vv for each).", n=len(passed), rules=_.list(rules)))


def site_lines(site: dict[str, Any]) -> list[str]:
    """What a build asks of the site and of its sellers, in four lines."""
    _ = chosen()
    ask = _.list([f"{place}{_.pair(') ', '）')}{_.sentence(text)}" for place, text in enumerate(site["ask"], 1)])
    return [
        _("It needs: {text}.", text=_.sentence(site["power"])),
        _("Heat: {text}.", text=_.sentence(site["heat"])),
        _("Delivery: {text}.", text=_.sentence(site["delivery"])),
        *([_("Ask the seller: {list}.", list=ask)] if ask else []),
    ]


def price_day(line: dict[str, Any]) -> str:
    """When somebody read the price of a line, and whether it is stale or was brought here by an index."""
    words = {"indexed": N_("indexed")}.get(line["price_state"], "") or (N_("stale") if line["stale"] else "")
    return " ".join(word for word in (line["price_date"] or "", chosen()(words) if words else "") if word)


def checks(found: Iterable[dict[str, Any]]) -> None:
    """The rules' findings as a table; on a narrow terminal without the figures, which stand in the findings too."""
    _ = chosen()
    if narrow(FIGURES_FROM):
        rows = [[coded(rule_titles(), x["rule"]), coded(STATUS, x["status"]), _.sentence(x["text"])] for x in found]
        return table([_("rule"), "", _("finding")], rows)
    table(
        [_("rule"), "", _("measured value"), _("limit"), _("unit"), _("finding")],
        [
            [
                coded(rule_titles(), x["rule"]),
                coded(STATUS, x["status"]),
                measured(x["measured"], x["unit"]),
                measured(x["limit"], x["unit"]),
                coded(UNITS, x["unit"]),
                _.sentence(x["text"]),
            ]
            for x in found
        ],
        {2, 3},
    )


def remark(text: str) -> str:
    """A sentence of a result; what a model's file says of the model in the file's own Chinese."""
    _ = chosen()
    if _.chinese and _.sentence(text) == text:
        from catalogs.llm import note_in_chinese

        return note_in_chinese(text)
    return _.sentence(text)


def coded(words: Mapping[str, str], code: str) -> str:
    """A code of a rule, unit, status or category: itself in English, in Chinese the words for it."""
    _ = chosen()
    return _(words.get(code, code)) if _.chinese else code


def _extras(cost: dict[str, Any]) -> str:
    """Spares and support in the total, where there are any."""
    _ = chosen()
    return "".join(
        _(", {cost} of {what}", cost=grouped(cost[x]), what=x) for x in (N_("spares"), N_("support")) if float(cost[x])
    )


def _aside(line: dict[str, Any]) -> str:
    """What a line is beside a bought part of the build: a spare, in hand, inside a system or a bundle."""
    words = [w for w in (line["role"], line["origin"]) if w in ("spare", "included", "owned")]
    words += ["bundle"] * (line["category"] == "bundle")
    words += [message("in {offer}", offer=line["offer_id"])] * (
        line["origin"] == "bundle" and line["category"] != "bundle"
    )
    _ = chosen()
    return _.bracketed(_.list(dict.fromkeys(words))) if words else ""


def _axis_cost(p: dict[str, Any], axis: str) -> str:
    """What the front ascends in. Lead times that no seller states are unknown, and those of some a least figure."""
    ordered = [line["lead_time_days"] for line in p["bom"] if line["offer_id"]] if axis == "lead-time" else []
    if ordered and all(days is None for days in ordered):
        return chosen()("unknown")
    return ("≥ " if None in ordered else "") + grouped(p["axis_cost"])


def _axis(request: dict[str, Any]) -> tuple[list[str], Callable[[dict[str, Any]], list[str]]]:
    """Headers and cells of the throughput columns: of serving with users, of training with days and memory sharing."""
    from constraints.request import TRAINING

    if request["workload"] not in TRAINING:
        return _serving(request)

    def cells(p: dict[str, Any]) -> list[str]:
        throughput, how = p["throughput"], p["plan"]["training"]
        _ = chosen()
        sharing = f"ZeRO {how['zero_stage']}{_.comma}{how['micro_batch']} x {how['seq_len']}"
        days = [] if throughput["days"] is None else [f"{throughput['days']:,.2f}"]
        return [
            f"{throughput['output_tok_s']:,.1f}",
            interval(throughput),
            *days,
            sharing + (_(", checkpointed") if how["checkpointing"] else ""),
        ]

    days = [N_("days")] if request["train_tokens"] else []
    return [N_("train tok/s"), N_("80 % interval"), *days, N_("training")], cells


def _serving(request: dict[str, Any]) -> tuple[list[str], Callable[[dict[str, Any]], list[str]]]:
    """Headers and cells of serving: of the build filled up, and at the users or the load asked for."""
    headers = [N_("tok/s"), N_("80 % interval"), N_("each user"), N_("users")]
    loaded = any(request[x] is not None for x in ("users", "tokens_per_day", "requests_per_second"))

    def cells(p: dict[str, Any]) -> list[str]:
        throughput = p["throughput"]
        full = [
            f"{throughput['output_tok_s']:,.1f}",
            interval(throughput),
            f"{throughput['per_user_tok_s']:.1f}",
            f"{throughput['concurrency']:,}",
        ]
        return full + at_load(throughput["at_load"]) * loaded

    return [*headers, *[N_("at load"), N_("TTFT, ms")] * loaded], cells


def at_load(seen: dict[str, Any] | None) -> list[str]:
    """Users x tok/s of each, and milliseconds to the first token; blank where the load is more than the build gives."""
    if seen is None:
        return ["", ""]
    return [f"{seen['users']:,} x {seen['per_user_tok_s']:,.1f}", f"{seen['ttft_ms']:,.0f}"]


BASIS = {
    "measured": N_("measured: {source}"),
    "interpolated": N_("interpolated: its model or its GPU was measured"),
    "roofline": N_("roofline: neither its model nor its GPU was measured, or not at such a load"),
}


def basis(throughput: dict[str, Any]) -> str:
    """What a figure rests on, in words."""
    return chosen()(BASIS[throughput["basis"]], source=throughput["source"])


def interval(throughput: dict[str, Any]) -> str:
    """`low-high` of a figure."""
    return f"{throughput['low']:,.0f}-{throughput['high']:,.0f}"
