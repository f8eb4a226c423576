"""The commands that serve prefill and decode on nodes of their own: both halves, and the router before them."""

from __future__ import annotations

import shlex
from dataclasses import replace

from catalogs.engines.launch import LaunchArguments, launch_arguments
from catalogs.message import joined, message
from constraints.plan import Plan
from optimizer.result.launch import BOOTSTRAP_PORT, FIRST_PORT, Deployment, Launch, Memory, address, launch, places

ROUTER_PORT = 8080
ROUTER_FILE = "router.yaml"
"""Where the router's settings go of an engine that takes them from a file alone."""


def launch_apart(deployment: Deployment, first: Plan, first_memory: Memory) -> Launch:
    """How a plan of two halves is started: the nodes that prefill (`first`) come before those that decode, to which
    `deployment` belongs, and one router takes all requests, on the first node or any other machine."""
    arguments = launch_arguments(deployment.engine, deployment.release)
    if arguments is None or not arguments.spellings.get("router"):
        said = message(
            "How {engine} starts prefill and decode apart is not known here; no command is given.",
            engine=deployment.engine,
        )
        return Launch((), said)
    first_nodes = first.gpus * first.replicas // deployment.gpus_per_node
    prefill = replace(
        deployment, plan=first, redundant_experts=first.redundant_experts, nodes=first_nodes, memory=first_memory,
        role="prefill", halves=deployment.plan.halves,
    )  # fmt: skip
    decode = replace(
        deployment, plan=replace(deployment.plan, prefill=None), nodes=deployment.nodes - first_nodes, role="decode",
        before=first_nodes, halves=deployment.plan.halves,
    )  # fmt: skip
    one, other = launch(prefill), launch(decode)
    notes = [
        one.note,
        other.note if other.note != one.note else "",
        message(
            "Commands of the nodes that prefill come first, then those of the nodes that decode, at last the router, "
            "which takes requests on port {port} of any machine that reaches all of them.",
            port=ROUTER_PORT,
        ),
    ]
    note = joined(filter(None, notes), " ")
    if not one.commands or not other.commands:
        return Launch((), joined(filter(None, notes[:2]), " "))
    return Launch((*one.commands, *other.commands, _router(prefill, decode, arguments)), note)


def _router(prefill: Deployment, decode: Deployment, arguments: LaunchArguments) -> str:
    """The command of the router, which knows the first node of each replica of both halves."""
    fields: dict[str, object] = {"port": ROUTER_PORT, "file": ROUTER_FILE}
    for role, half in (("prefill", prefill), ("decode", decode)):
        entrances = [
            (address(place.node), FIRST_PORT + place.instance, BOOTSTRAP_PORT + place.instance)
            for place in places(half, arguments)
            if not place.rank
        ]
        fields[f"{role}s"] = len(entrances)
        fields[f"{role}_hosts"] = " ".join(host for host, _, _ in entrances)
        fields[f"{role}_ports"] = " ".join(str(port) for _, port, _ in entrances)
        fields[f"{role}_urls"] = ", ".join(f'"{host}:{port}"' for host, port, _ in entrances)
        fields[f"{role}_workers"] = " ".join(
            arguments.spell(f"router_{role}", address=host, port=port, bootstrap_port=bootstrap_port)
            for host, port, bootstrap_port in entrances
        )
    command = shlex.join(shlex.split(arguments.spell("router", **fields)))
    settings = arguments.spell("router_file", **fields)
    return f"printf '%s\\n' {shlex.quote(settings)} > {ROUTER_FILE} && {command}" if settings else command
