"""Which replicas fit the GPUs' memory and the network: tables of shapes, judged for many GPUs in one stroke."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from catalogs.engines.support import Engine
from catalogs.file_kinds import FILE_KINDS, GGUF_KINDS
from catalogs.llm import Llm
from catalogs.schema import Gpu
from constraints.physics.reserve import free_bytes
from constraints.plan import Plan, RowKey
from constraints.policy import Policy
from constraints.request import Request
from constraints.rules.interconnect import least_gbit_s
from constraints.rules.precision import kv_precision
from constraints.rules.software import cut_cache_fault, engines_for, keeping, kernel_class, starts_of
from constraints.rules.vram import kv_per_gpu_user, weights_per_gpu
from optimizer.throughput.roofline import Ints
from optimizer.throughput.shapes import shapes

MOST_SEQUENCES = 256
"""Of llama.cpp: LLAMA_MAX_SEQ in src/llama-cparams.h."""
Setup = tuple[Gpu, RowKey, int]
"""GPUs of a replica: their kind, the hardware they stand on, their number."""
RATES = ("interconnect.pp_gbit_s", "interconnect.ep_gbit_s", "interconnect.ep_wide_gbit_s")
"""Of the policy: speeds of a network that plans may need."""
Table = dict[tuple[int, int, str, bool], Ints]
"""Rows of `Fits._table` by number of GPUs, GPUs per node, network, and whether n-gram tables lie in host memory."""


@lru_cache(maxsize=1024)
def _tables(
    llm: Llm, precision: str, kernel_class: str, among: tuple[Engine, ...], experimental: bool, tokens: int, cache: str,
    stages: int, rates_gbit_s: tuple[int, ...],
) -> Table:  # fmt: skip
    """Tables of shapes, kept for all requests that say the same of what they depend on: those of an explanation differ
    in what they ask of speed, money and site."""
    return {}


class Fits:
    """Shapes of the replicas of one request. `max_batch`: requests at once that the engine has room for per rank."""

    def __init__(self, llm: Llm, request: Request, policy: Policy, max_pp: int, max_batch: int) -> None:
        self.llm, self.request, self.policy, self.max_pp, self.max_batch = llm, request, policy, max_pp, max_batch
        self._tables: dict[tuple[int, tuple[Engine, ...] | None], Table] = {}
        self._free: dict[tuple[int, int, bool], int] = {}
        self._served: dict[tuple[str, str], tuple[Engine, ...]] = {}
        self._kinds: dict[tuple[str, str], int] = {}
        self._kind_of: dict[tuple[object, ...], int] = {}

    def of(self, precision: str, setups: Sequence[Setup]) -> tuple[Ints, Ints]:
        """(tp, pp, dp, ep, redundant experts, requests at once) of all replicas that an engine starts and that fit
        memory and network, and whose setup each is."""
        tables = [self._table(gpu, precision, key, size) for gpu, key, size in setups]
        owner = np.repeat(np.arange(len(setups)), [len(x) for x in tables])
        table = np.concatenate(tables) if tables else np.zeros((0, 8), dtype=np.int64)
        free = np.array([self.free(gpu, precision) for gpu, _, _ in setups], dtype=np.int64)[owner]
        weights, kv, least = table[:, 5:].T
        rate = np.array([key.net_gbit_s for _, key, _ in setups], dtype=np.int64)[owner]
        # Each data-parallel rank has the weights and its own requests: dp times what fits beside them.
        users = np.minimum((free - weights) // kv, self.most_at_once(precision)) * table[:, 2]
        kept = (free >= weights) & (users >= 1) & (rate >= least)
        return np.column_stack((table[:, :5], users))[kept], owner[kept]

    def table_of(
        self, gpu: Gpu, precision: str, key: RowKey, size: int, among: tuple[Engine, ...]
    ) -> list[tuple[int, ...]]:
        """Rows of `_table` of these engines."""
        return [tuple(row) for row in self._table(gpu, precision, key, size, among).tolist()]

    def shapes_of(self, gpu: Gpu, precision: str, key: RowKey, size: int) -> list[tuple[int, ...]]:
        """(tp, pp, dp, ep, redundant experts, bytes of weights on the fullest GPU) of replicas that an engine starts,
        whether they fit memory or not."""
        return [tuple(row) for row in self._table(gpu, precision, key, size)[:, :6].tolist()]

    def most_at_once(self, precision: str) -> int:
        """Requests at once that an engine has room for per rank, whatever the memory."""
        return min(self.max_batch, MOST_SEQUENCES) if precision in GGUF_KINDS else self.max_batch

    def most_stages(self, precision: str) -> int:
        """The most pipeline stages of a plan: the policy's, but for kinds of files, whose engines know their own."""
        return self.llm.layers if precision in FILE_KINDS else self.max_pp

    def least(self, gpu: Gpu, precision: str) -> int:
        """GPUs below which no replica fits: all bytes of the weights lie on some GPU, so that the fullest one of a
        replica holds at least the mean."""
        free = self.free(gpu, precision)
        weights = self.llm.weight_bytes(precision) - self.llm.host_table_bytes  # tables may lie in host memory
        return -(-weights // free) if free > 0 else 10**9

    def most_users(self, gpu: Gpu) -> float:
        """Requests at once per GPU that memory has room for at most, at any precision: their KV caches lie on some GPU,
        the weights left out."""
        request = self.request
        free = max(self.free(gpu, precision) for precision in ("", *GGUF_KINDS[:1]))
        return max(0, free) / kv_per_gpu_user(self.llm, request.tokens, kv_precision(self.llm, request), 1, 1)

    def free(self, gpu: Gpu, precision: str) -> int:
        """Bytes of a GPU for weights and KV cache."""
        figures = gpu.vram_gb, gpu.unified_reserve_gb, precision in GGUF_KINDS
        if figures not in self._free:
            self._free[figures] = free_bytes(gpu, self.policy, precision)
        return self._free[figures]

    def engines(self, gpu: Gpu, precision: str) -> tuple[Engine, ...]:
        """Engines that may be counted on for a GPU."""
        memo = gpu.id, precision
        if memo not in self._served:
            self._served[memo] = engines_for(self.llm, gpu, precision, self.request)
        return self._served[memo]

    def _kind(self, gpu: Gpu, precision: str) -> int:
        """A number that GPUs share which the same engines serve by the same kernels."""
        memo = gpu.id, precision
        if memo not in self._kinds:
            kind = self.engines(gpu, precision), kernel_class(gpu), precision
            self._kinds[memo] = self._kind_of.setdefault(kind, len(self._kind_of))
        return self._kinds[memo]

    def _table(self, gpu: Gpu, precision: str, key: RowKey, size: int, among: tuple[Engine, ...] | None = None) -> Ints:
        """Shapes of `size` GPUs that an engine (of `among`) starts: tp, pp, dp, ep, redundant experts, bytes of weights
        on the fullest GPU, bytes of KV cache there per request, Gbit/s of the network that it needs
        (constraints/rules/software.py, constraints/rules/vram.py, constraints/rules/interconnect.py)."""
        # A replica inside a node is the same on every network: one table serves all of them.
        per_node, net = (key.per_node, key.net) if size > key.per_node else (size, "none")
        on_host = bool(key.tables_gb)
        kind = self._kind(gpu, precision), among
        if kind not in self._tables:
            self._tables[kind] = self._kept(gpu, precision, self.engines(gpu, precision) if among is None else among)
        known, memo = self._tables[kind], (size, per_node, net, on_host)
        if memo not in known:
            able = keeping(self.llm, self.engines(gpu, precision) if among is None else among, on_host)
            llm, request, policy = self.llm, self.request, self.policy
            cache, rows = kv_precision(llm, request), []
            starts = starts_of(llm, kernel_class(gpu), precision, able, request.allow_experimental)
            for shape in shapes(size, per_node, net, llm.heads, llm.is_moe, self.most_stages(precision)):
                run = starts.of(shape, per_node)
                tp, pp, _, _ = shape
                if run is None or cut_cache_fault(cache, tp):
                    continue
                rate = least_gbit_s(Plan("", "", *shape, 1, 1), per_node, policy) if size > key.per_node else 0
                kv = kv_per_gpu_user(llm, request.tokens, cache, tp, pp)
                spare = run.redundant_experts
                weights = weights_per_gpu(llm, precision, *shape, redundant=spare, host_tables=on_host)
                rows.append((*shape, run.redundant_experts, weights, kv, rate))
            known[memo] = np.array(rows, dtype=np.int64).reshape(-1, 8)
        return known[memo]

    def _kept(self, gpu: Gpu, precision: str, among: tuple[Engine, ...]) -> Table:
        """Tables of some engines on GPUs like one, with those of earlier requests that say the same."""
        request, policy = self.request, self.policy
        return _tables(
            self.llm, precision, kernel_class(gpu), among, request.allow_experimental, request.tokens,
            kv_precision(self.llm, request), self.most_stages(precision), tuple(policy.whole(name) for name in RATES),
        )  # fmt: skip
