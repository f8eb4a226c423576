"""A row of a batch table without its concurrency, resolved: model, GPU, weight format, plans that fit, or why not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from catalogs.errors import InputError
from catalogs.formats import BITS
from catalogs.gpu_names import gpu_named
from catalogs.kv_caches import published_kv_cache
from catalogs.llm import Llm
from catalogs.load import Catalog
from catalogs.message import message
from catalogs.registry import Named, named
from catalogs.schema import Gpu
from constraints.physics.reserve import reserve_bytes, usable_bytes
from constraints.plan import Plan
from constraints.policy import Policy
from constraints.request import cached_tokens
from constraints.rules.interconnect import net_of
from constraints.rules.precision import support
from constraints.rules.software import spare_experts, tables_on_host, why_unstarted
from constraints.rules.vram import kv_per_gpu_user, weights_per_gpu
from optimizer.throughput.constants import Constants
from optimizer.throughput.demand import Demand, demand
from optimizer.throughput.jobs import Accelerator, accelerator, speed_unknown
from optimizer.throughput.shapes import shapes, sizes_of

Shape = tuple[int, int, int, int]


@dataclass(frozen=True)
class Asked:
    """What a row asks for, blanks as 0: names, GPUs and nodes, plan, lengths; `engine`: whose rules judge the plan, any
    engine's where it is blank; `kv`: precision of the KV cache, the engine's usual where it is blank;
    `cached_percent`: tokens of a prompt that are in the prefix cache."""

    model: str
    precision: str
    gpu: str
    n_gpus: int
    nodes: int
    tp: int
    pp: int
    dp: int
    ep: int
    isl: int
    osl: int
    engine: str = ""
    kv: str = ""
    cached_percent: int = 0


@dataclass(frozen=True)
class Resolved:
    """A setup that can be answered: candidate plans with the requests at once that each has memory for."""

    llm: Llm
    gpu: Gpu
    precision: str
    demand: Demand
    accelerator: Accelerator
    kv: str
    plans: tuple[Shape, ...]
    redundant: tuple[int, ...]
    caps: tuple[int, ...]
    isl: int
    osl: int


@dataclass
class Resolver:
    """Resolves setups against a catalog; names and demands are remembered."""

    catalog: Catalog
    policy: Policy
    constants: Constants
    _models: dict[str, Named | InputError] = field(default_factory=dict)
    _gpus: dict[str, Gpu | InputError] = field(default_factory=dict)

    def resolve(self, asked: Asked) -> Resolved | str:
        """The setup made ready, or in a sentence why it can't be answered."""
        try:
            found, gpu = self._model(asked.model), self._gpu(asked.gpu)
            llm, written = found.llm, asked.precision or found.quantization
            precision = runnable(llm, gpu, llm.format_of(written) if written else llm.native_precision)
        except InputError as e:
            return " ".join(filter(None, (f"{e.faults[0].text}.", e.faults[0].remedy)))
        if asked.isl + asked.osl > llm.max_context:
            return f"isl + osl = {asked.isl + asked.osl} tokens, {llm.id} reaches {llm.max_context}"
        plans = plans_of(llm, asked.n_gpus, asked.nodes, asked.tp, asked.pp, asked.dp, asked.ep)
        if isinstance(plans, str):
            return plans
        give = accelerator(gpu, precision, self.constants)
        if give is None:
            unknown = speed_unknown(gpu, (precision,))
            return f"{gpu.name}: {unknown or f'does not run {precision}'}"
        try:
            judged = {plan: spare_experts(llm, gpu, precision, plan, asked.engine) for plan in plans}
        except InputError as e:
            return f"engine: {e.faults[0].text}. {e.faults[0].remedy}"
        spare = {s: redundant for s, redundant in judged.items() if redundant is not None}
        if not spare:
            why = why_unstarted(llm, gpu, precision, plans[-1], asked.engine)
            if asked.engine:
                return message("{asked} does not start this plan: {why}", asked=asked.engine, why=why)
            return message("no released engine starts this plan: {why}", why=why)
        kv = asked.kv or usual_kv(llm)
        reserve, tokens = reserve_bytes(gpu, self.policy, precision), asked.isl + asked.osl

        def room(shape: Shape, kept_free: int) -> int:
            on_host = tables_on_host(llm, gpu, precision, shape, asked.engine)
            return held(gpu, llm, precision, shape, tokens, kv, kept_free, spare[shape], on_host)

        fits = [(shape, room(shape, reserve)) for shape in spare]
        fits = [(shape, most) for shape, most in fits if most]
        if not fits:
            # Somebody measured it, so it ran: without the reserve, for one request.
            fits = [(shape, 1) for shape in spare if room(shape, 0)]
        if not fits:
            return f"memory: weights of {precision} and one request do not fit {asked.n_gpus} x {gpu.name}"
        need = demand(llm, precision, asked.isl, asked.osl, kv, cached_tokens(asked.isl, asked.cached_percent))
        shapes_, caps = tuple(s for s, _ in fits), tuple(c for _, c in fits)
        spares = tuple(spare[s] for s in shapes_)
        return Resolved(llm, gpu, precision, need, give, kv, shapes_, spares, caps, asked.isl, asked.osl)

    def _model(self, name: str) -> Named:
        found: Named = _remember(self._models, name, named)
        return found

    def _gpu(self, name: str) -> Gpu:
        gpu: Gpu = _remember(self._gpus, name, lambda written: gpu_named(written, self.catalog))
        return gpu


def usual_kv(llm: Llm) -> str:
    """Precision of the KV cache where nobody names one: the only one of the architecture, else the checkpoint's, else
    16 bits."""
    return published_kv_cache(llm.architecture) or llm.kv_cache or "bf16"


def _remember(known: dict[str, Any], name: str, find: Callable[[str], Any]) -> Any:
    if name not in known:
        try:
            known[name] = find(name)
        except InputError as e:
            known[name] = e
    found = known[name]
    if isinstance(found, InputError):
        raise found
    return found


def runnable(llm: Llm, gpu: Gpu, precision: str) -> str:
    """The format, or where the GPU does not run it another of as many bits that it does (4 bits on CDNA4: mxfp4)."""
    have = support(gpu.arch)
    if precision in have:
        return precision
    same = [candidate for candidate in llm.precisions() if candidate in have and BITS[candidate] == BITS.get(precision)]
    return same[-1] if same else precision


@cache
def plans_of(llm: Llm, n_gpus: int, nodes: int, tp: int, pp: int, dp: int, ep: int) -> tuple[Shape, ...] | str:
    """Plans (tp, pp, dp, ep) of a row: the one it names (0 = blank), else all that tile its GPUs; or what is wrong."""
    if n_gpus % nodes:
        return f"n_gpus {n_gpus} is no multiple of nodes {nodes}"
    per_node = n_gpus // nodes
    if tp:
        dp = dp or (n_gpus // (tp * pp) if llm.is_moe and ep > tp and n_gpus % (tp * pp) == 0 else 1)
        if n_gpus % (tp * pp * dp):
            return f"tp x pp x dp = {tp * pp * dp} does not divide n_gpus {n_gpus}"
        if pp > llm.layers:
            return f"pp {pp} is more than the {llm.layers} layers of {llm.id}"
        return ((tp, pp, dp, ep or 1),)
    found: list[Shape] = []
    for size in sizes_of(per_node, n_gpus):
        found += shapes(size, min(per_node, size), "rdma" if size > per_node else "none", llm.heads, llm.is_moe, 8)
    return tuple(shape for shape in found if net_of(Plan("", "", *shape, 1, 1), per_node) != "pp") or tuple(found)


@cache
def held(
    gpu: Gpu, llm: Llm, precision: str, shape: Shape, tokens: int, kv: str, reserve: int,
    redundant: int = 0, host_tables: bool = False,
) -> int:  # fmt: skip
    """Requests at once that a replica holds: a card of N GB really has N x 2^30 bytes, of which engines use all but
    the reserve. A purchase (rule vram) counts N x 10^9."""
    weights = weights_per_gpu(llm, precision, *shape, redundant=redundant, host_tables=host_tables)
    free = usable_bytes(gpu) * 2**30 // 10**9 - weights
    each = kv_per_gpu_user(llm, tokens, kv, shape[0], shape[1])
    return int(max(0, free - reserve) // each * shape[2])
