"""Memory and speed of a model on given GPUs, without a purchase."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from catalogs.errors import InputError
from catalogs.file_kinds import FILE_KINDS
from catalogs.formats import BITS
from catalogs.llm import Llm
from catalogs.message import joined, message
from catalogs.schema import Gpu
from constraints.physics.lookup_tables import copies, tables_gb, with_tables
from constraints.physics.reserve import usable_bytes
from constraints.plan import Perf, Plan, Row, RowKey
from constraints.policy import Policy
from constraints.request import Request
from constraints.rule import counted
from constraints.rules.precision import files_without, typed_for_files, wanted
from constraints.rules.software import engine_of
from constraints.rules.vram import held_bytes
from optimizer.request.load import Load, facts, load_of, queue, queue_words
from optimizer.sizing.disaggregated import apart_plan
from optimizer.sizing.schema import LoadFacts, Sized, UsersRow
from optimizer.sizing.users_table import ladder, too_slow, users_table
from optimizer.text.figures import amount
from optimizer.throughput.calibration import Calibration
from optimizer.throughput.far_loads import far_sentence, far_words, is_far
from optimizer.throughput.gpu_counts import counts, leanest
from optimizer.throughput.jobs import speed_unknown
from optimizer.throughput.plans import Planner

RDMA_GBIT_S = 400
"""Network per GPU that setups of several nodes are taken to have (DeepSeek-V3 report: 400G InfiniBand per GPU)."""


def key_of(gpu: Gpu, per_node: int, nodes: int) -> RowKey:
    """The hardware of a setup at its best: full power, x16 links, RDMA between nodes. Raises InputError."""
    if not 1 <= per_node <= 1024 or not 1 <= nodes <= 1000:
        raise InputError(
            f"GPUs per node and nodes are out of range: {per_node} and {nodes}",
            "bad-count",
            "One to 1,024 GPUs per node, one to 1,000 nodes.",
        )
    domain = gpu.wired_domain_gpus
    host = (0, 0) if domain >= per_node else (gpu.pcie_gen or 4, 16)
    net = ("rdma", RDMA_GBIT_S) if nodes > 1 else ("none", 0)
    return RowKey(gpu.id, gpu.tdp_w or 1, per_node, nodes, min(domain, per_node), *host, *net)


def named(gpu: Gpu, key: RowKey) -> dict[str, Any]:
    """Which setup it is."""
    return {"gpu": gpu.id, "name": gpu.name, "per_node": key.per_node, "nodes": key.nodes, "gpus": key.total}


def serving_size(
    llm: Llm, request: Request, policy: Policy, calibration: Calibration, gpu: Gpu, key: RowKey, table: bool = True
) -> Sized:
    """Memory, the best plan with its speed, and with `table` the speed over the number of users."""
    planner = Planner(llm, request, policy, calibration)
    row = best_row(planner, gpu, key)
    if row is None:
        rows = _table(planner, gpu, key, request.users or 1, None) if table else []
        misfit = {**named(gpu, key), **_misfit(planner, gpu, key)}
        split = apart_plan(planner, gpu, key) if table else None
        return Sized(**misfit, counts=counts(planner, gpu, key), table=rows, apart=split)
    key = row.key
    plan, perf, load = row.plan, row.perf, load_of(request, policy)
    tok_s, users = perf.tenths / 10, plan.concurrency * plan.replicas
    found = engine_of(llm, gpu, plan, request, key.per_node)
    loaded = LoadFacts(**facts(load, queue(load, tok_s, users, request.osl))) if load and tok_s else None
    return Sized(
        **named(gpu, key),
        **plan_fields(plan),
        **_memory(llm, request, policy, gpu, plan),
        **_host_memory(llm, policy, plan, key.per_node),
        fits=True,
        counts=counts(planner, gpu, key),
        engine=str(found.engine) if found else "",
        users=users,
        **speed_fields(perf),
        beyond=far_sentence([far_words(calibration, gpu, row)]) if is_far(calibration, llm, gpu, row) else "",
        load=loaded,
        table=_table(planner, gpu, key, users, row) if table else [],
        apart=apart_plan(planner, gpu, key) if table else None,
    )


def best_row(planner: Planner, gpu: Gpu, key: RowKey) -> Row | None:
    """The fastest plan of a setup, n-gram tables on the GPUs or in as much RAM as they need."""
    rows = planner.rows_together(gpu, with_tables(planner.llm, key, planner.policy))
    return max(rows, key=lambda row: row.perf.tenths, default=None)


def _table(planner: Planner, gpu: Gpu, key: RowKey, most: int, best: Row | None) -> list[UsersRow]:
    return [UsersRow(**row) for row in users_table(planner, gpu, key, ladder(most), best)]


def plan_fields(plan: Plan) -> dict[str, Any]:
    """The plan's fields by name."""
    names = ("precision", "kv_precision", "tp", "pp", "dp", "ep", "redundant_experts", "replicas")
    return {name: getattr(plan, name) for name in names}


def speed_fields(perf: Perf) -> dict[str, Any]:
    """A plan's speed by name, with its interval and latencies: tok/s and ms as `size` rounds them."""
    tok_s = perf.tenths / 10
    return {
        "output_tok_s": tok_s,
        "low": round(tok_s * perf.low, 1),
        "high": round(tok_s * perf.high, 1),
        "basis": perf.basis,
        "source": perf.source,
        "per_user_tok_s": round(perf.per_user_tok_s, 2),
        "ttft_ms": round(perf.ttft_ms, 1),
        "tpot_ms": round(perf.tpot_ms, 2),
    }


def _memory(llm: Llm, request: Request, policy: Policy, gpu: Gpu, plan: Plan) -> dict[str, Any]:
    """GB on the fullest GPU."""
    held = held_bytes(gpu, llm, policy, plan, request)
    parts = {"weights_gb": held.weights, "kv_gb": held.kv, "reserve_gb": held.reserve, "needed_gb": held.total}
    return {k: round(v / 1e9, 2) for k, v in {**parts, "vram_gb": usable_bytes(gpu)}.items()}


def _host_memory(llm: Llm, policy: Policy, plan: Plan, per_node: int) -> dict[str, Any]:
    """RAM of a node that n-gram tables ask for."""
    if not plan.host_tables:
        return {}
    instances = copies(plan.gpus, per_node)
    ram_gb = tables_gb(llm, instances, policy)
    said = message(
        "n-gram tables of {tables} GB for {instances}: at least {ram} GB of RAM in each node",
        tables=f"{llm.host_table_bytes / 1e9:,.1f}", instances=counted(instances, "engine instance"), ram=f"{ram_gb:,}",
    )  # fmt: skip
    return {"ram_gb": ram_gb, "host_memory": said}


def _misfit(planner: Planner, gpu: Gpu, key: RowKey) -> dict[str, Any]:
    """Why no plan runs, and by how much the leanest one misses."""
    llm, request, policy = planner.llm, planner.request, planner.policy
    admitted = wanted(llm, request)
    if not admitted:
        return {"fits": False, "reason": "no precision of the model is admitted"}
    served = planner.precisions(gpu)
    tried = served or [precision for precision in admitted if precision not in FILE_KINDS] or admitted
    plan = leanest(planner, gpu, key, tried[-1])
    found = _memory(llm, request, policy, gpu, plan)
    missing = max(0.0, round(found["needed_gb"] - found["vram_gb"], 2))
    reason = ""
    unknown = "" if missing else speed_unknown(gpu, served)
    # What no engine serves does not lack memory first: more of it would not help.
    started = served or _without_proposing(planner, gpu) or _experimental(planner, gpu)
    if missing and started:
        reason = message("memory: {gb} GB per GPU are missing", gb=f"{missing:,.2f}")
        if request.precision is None and request.min_precision_bits is None and (less := _that_fit(planner, gpu, key)):
            reason = message(
                "memory: {gb} GB per GPU are missing; it fits with --precision {list}",
                gb=f"{missing:,.2f}", list=joined(less[:3], " or "),
            )  # fmt: skip
    elif not served and (engines := _without_proposing(planner, gpu)):
        reason = message(
            "no engine is known to propose tokens with the model's module on {arch}; {list} would serve it without",
            list=joined(engines, " or "), arch=gpu.arch,
        )  # fmt: skip
    elif not served and (experimental := _experimental(planner, gpu)):
        reason = message(
            "only engines marked experimental serve it on {arch}, at {list} (--allow-experimental)",
            arch=gpu.arch, list=joined(experimental, " or "),
        )  # fmt: skip
    elif not served:
        reason = message("no engine serves it on {arch} at {list}", arch=gpu.arch, list=joined(admitted, " or "))
        if files := _in_files(planner, gpu, key):
            reason = message(
                "no engine serves it on {arch} at {list}; as files it runs there: --precision {files}",
                arch=gpu.arch, list=joined(admitted, " or "), files=joined(files, " or "),
            )  # fmt: skip
        elif typed := _in_files_without(planner, gpu, key):
            reason = message(
                "no engine serves it on {arch} at {list}; as files it runs there: {typed}",
                arch=gpu.arch, list=joined(admitted, " or "), typed=joined(typed),
            )  # fmt: skip
    elif unknown:
        reason = unknown
    elif request.users is not None:
        (asked,) = users_table(planner, gpu, key, [request.users]) or [{"cut": ""}]
        against = asked["cut"] or message("memory or the latency limits")
        reason = message("{why}: {cut}", why=amount("{} users at once", request.users), cut=against)
    else:
        reason = too_slow(users_table(planner, gpu, key, [1]))
    return {**plan_fields(plan), **found, "fits": False, "judged": not unknown, "reason": reason, "missing_gb": missing}


def _without_proposing(planner: Planner, gpu: Gpu) -> Sequence[str]:
    """Engines that serve the model on a GPU where a number of proposed tokens alone stands against it."""
    if not planner.request.drafted:
        return ()
    other = planner.request.model_copy(update={"speculate": "mtp"})
    loading = Planner(planner.llm, other, planner.policy, planner.calibration)
    return sorted({str(x) for found in loading.precisions(gpu) for x in loading.fits.engines(gpu, found)})


def _that_fit(planner: Planner, gpu: Gpu, key: RowKey, changed: Mapping[str, str | None] | None = None) -> list[str]:
    """Formats and kinds of files in which the model runs on a GPU and has memory for a request, were no precision asked
    for, the most bits first. `changed`: further fields of the request as they would be."""
    lowest = {"precision": None, "min_precision_bits": 2, **(changed or {})}
    other = Planner(planner.llm, planner.request.model_copy(update=lowest), planner.policy, planner.calibration)
    fitting = [
        precision
        for precision in other.precisions(gpu)
        if held_bytes(gpu, other.llm, other.policy, leanest(other, gpu, key, precision), other.request).total
        <= usable_bytes(gpu)
    ]
    return sorted(fitting, key=lambda precision: -BITS[precision])


def _in_files(planner: Planner, gpu: Gpu, key: RowKey) -> Sequence[str]:
    """Kinds of files, GGUF or MLX, in which the model runs on a GPU that no engine for servers serves it on."""
    if set(wanted(planner.llm, planner.request)) & set(FILE_KINDS):
        return ()
    return _kinds_of(_that_fit(planner, gpu, key))


def _kinds_of(precisions: Sequence[str]) -> Sequence[str]:
    """The kinds of files among formats, three at most."""
    return [precision for precision in precisions if precision in FILE_KINDS][:3]


def _in_files_without(planner: Planner, gpu: Gpu, key: RowKey) -> Sequence[str]:
    """What is typed for kinds of files that run on a GPU (see `_in_files`) and do not go with the KV cache or the
    speculation asked for; nothing where there are none."""
    fields, _ = files_without(
        planner.llm, planner.request.model_copy(update={"precision": None, "min_precision_bits": 2})
    )
    kinds = _kinds_of(_that_fit(planner, gpu, key, fields)) if fields else ()
    return [f"--precision {joined(kinds, ' or ')}", *typed_for_files(fields)] if kinds else ()


def _experimental(planner: Planner, gpu: Gpu) -> Sequence[str]:
    """Precisions in which engines marked experimental alone serve the model on a GPU."""
    if planner.request.allow_experimental:
        return ()
    leave = planner.request.model_copy(update={"allow_experimental": True})
    return Planner(planner.llm, leave, planner.policy, planner.calibration).precisions(gpu)


def load_words(sized: Sized, load: Load, osl: int) -> str:
    """What the busiest hour does to a setup."""
    assert sized.output_tok_s is not None and sized.users is not None
    return queue_words(sized.all_gpus, queue(load, sized.output_tok_s, sized.users, osl))
