"""The recommended build in the words of a buyer, and the remarks that matter most, each in a line."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from catalogs.message import read_message
from optimizer.cli.money_view import grouped
from optimizer.text.languages import N_, chosen

HEAD = N_("Recommended ({id}): {hardware}, {total} {currency}.")
SERVER_OF_SIZE = N_("{n} x {gpu} in one {units} U server")
SERVER = N_("{n} x {gpu} in one machine")
SERVERS = N_("{nodes} servers with {n} x {gpu} each")
FOR_USERS = N_("{speed} tok/s for your {users} users ({each} tok/s each, first token after {ttft} ms).")
AT_LOAD = N_("{speed} tok/s at your load ({users} requests at once, {each} tok/s each).")
FULL = N_("{speed} tok/s (80 % interval {interval}): {users} users at {each} tok/s each.")
TRAINS = N_("{speed} training tok/s (80 % interval {interval}).")
IN_DAYS = N_("{speed} training tok/s (80 % interval {interval}): {days} days.")
PRICE = N_("Price: {shares}; range {low} to {high}.")
SHARES = {
    "read": N_("{n} % read"), "indexed": N_("{n} % indexed"), "estimated": N_("{n} % estimated"),
}  # fmt: skip
BRIEF = {
    "guide-name": N_("{model} is a guide's name, not a published model; -v says what it is taken for."),
    "not-proven": N_("Time ended before the proof: a better build may exist."),
    "stale-prices": N_("Some prices are older than the policy allows: ask for new quotes."),
    "offload-experimental": N_("Experts in host memory need an experimental engine."),
    "offload-dense": N_("Offload can't help here: the model is dense."),
    "beyond-measured-load": N_("Nobody has measured these GPUs at such a load: ask for a test run."),
    "indistinct-points": N_("A cheaper build is about as fast: see the remarks with -v."),
    "memory-market": N_("Memory prices change fast: ask for quotes of the day."),
    "weak-prices": N_("Much of the price is estimated or old: ask for quotes."),
    "not-included": N_("Freight, installation, software licences and energy are not included."),
}
"""Short forms of the remarks that change a decision, the most important first; -v has them whole."""


def sentences(data: dict[str, Any]) -> list[str]:
    """What is recommended, what it does, and what its price rests on: one sentence each."""
    from optimizer.cli.front_view import recommended

    best = recommended(data)
    _, cost = chosen(), best["cost"]
    total = {"total": grouped(cost["total"]), "currency": cost["currency"]}
    return [
        _(HEAD, id=best["id"], hardware=hardware(best), **total),
        _does(best, data["request"]),
        _(PRICE, low=grouped(cost["low"]), high=grouped(cost["high"]), shares=_.list(shares(cost))),
    ]


def hardware(point: dict[str, Any]) -> str:
    """`8 x H200 in one 8 U server`."""
    _, gpus, nodes = chosen(), point["gpus"], point["nodes"][0]["count"]
    said = {"n": gpus["per_node"], "gpu": gpus["name"]}
    if nodes > 1:
        return _(SERVERS, nodes=nodes, **said)
    units = point["rack_units"]
    return _(SERVER_OF_SIZE, units=units, **said) if units and point["racks"] else _(SERVER, **said)


def shares(cost: dict[str, Any]) -> list[str]:
    """Of a total: how much is read, indexed and estimated; what is less than half a percent is not said."""
    _ = chosen()
    whole = {name: f"{Decimal(str(cost['shares'][name])) * 100:.0f}" for name in SHARES}
    return [_(words, n=whole[name]) for name, words in SHARES.items() if whole[name] != "0"]


def _does(point: dict[str, Any], request: dict[str, Any]) -> str:
    from constraints.request import TRAINING
    from optimizer.cli.front_view import interval

    _, throughput = chosen(), point["throughput"]
    said = {"speed": f"{throughput['output_tok_s']:,.1f}", "interval": interval(throughput)}
    if request["workload"] in TRAINING:
        days = throughput["days"]
        return _(TRAINS, **said) if days is None else _(IN_DAYS, days=f"{days:,.2f}", **said)
    if (load := throughput["at_load"]) is None:
        each, users = f"{throughput['per_user_tok_s']:,.1f}", f"{throughput['concurrency']:,}"
        return _(FULL, each=each, users=users, **said)
    words = FOR_USERS if request["users"] else AT_LOAD
    return _(
        words, speed=f"{load['tok_s']:,.1f}", users=f"{load['users']:,}", each=f"{load['per_user_tok_s']:,.1f}",
        ttft=f"{load['ttft_ms']:,.0f}",
    )  # fmt: skip


def remarks(data: dict[str, Any]) -> Iterator[str]:
    """The remarks in a line each: other warnings whole, then those with a short form."""
    from optimizer.cli.front_view import remark

    _, said = chosen(), {message["code"]: message for message in data["messages"]}
    for code, message in said.items():
        if message["severity"] == "warning" and code not in BRIEF:
            yield remark(read_message(message))
    for code, brief in BRIEF.items():
        if code in said:
            yield _(brief, model=data["request"]["model"])
