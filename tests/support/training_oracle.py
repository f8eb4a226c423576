"""Brute force of training: every plan of every row by its own arithmetic, within the brute force of builds.

Written from docs/training.md. Nothing of constraints/physics/training.py, of the planner or of the speed model is
imported; the CSV files of constants are read anew. Plans are tried at every micro-batch, not at the largest that fits
alone.
"""

from __future__ import annotations

import csv
import math
from fractions import Fraction
from functools import cache
from pathlib import Path

from catalogs.schema import Gpu
from constraints.plan import RowKey
from tests.support.oracle import GB, PCIE, Oracle, rows_of
from tests.support.plan_oracle import starts

THROUGHPUT = Path(__file__).parents[2] / "optimizer" / "throughput" / "data"
RANK, BATCH, MOST = 16, 2**20, 16


@cache
def figures(name: str) -> list[dict[str, str]]:
    with (THROUGHPUT / f"{name}.csv").open(encoding="utf-8") as f:
        return list(csv.DictReader(f))


@cache
def constant(key: str) -> float:
    return next(float(r["value"]) for r in figures("training_constants") if r["key"] == key)


class TrainingOracle(Oracle):
    """`lora` trains adapters, else all weights; `low` admits a 4-bit frozen base; `data_gb` is the training set."""

    lora = True
    low = False
    length = 4096
    data_gb = 0

    def _need_gb(self, precision: str) -> int:
        llm = self.ask.model
        trained = self._adapters() if self.lora else llm.params_total
        base = llm.weight_bytes("int4") if precision == "int4" else 2 * llm.params_total
        held = math.ceil(Fraction(base, GB)) + 2 * math.ceil(Fraction(14 * trained, GB))
        return math.ceil((held + 200) * Fraction(6, 5)) + self.data_gb

    def _adapters(self) -> int:
        """rank x (in + out) of every matrix that is no routed expert."""
        each = [RANK * (x.into + x.out) * x.count for y in self.ask.model.layer_list for x in y.linears if not x.expert]
        return int(sum(each) * self.ask.model.scale)

    def _judge(self, gpu: Gpu, key: RowKey, precision: str) -> tuple[tuple[str, int], ...]:
        native = any(
            r["arch"] == gpu.arch and r["precision"] == precision and (self.lora or r["mode"] == "native")
            for r in rows_of("precision")
        )
        does = "lora" if self.lora else "full"
        wanted = precision in ("bf16", "fp16") or (self.lora and self.low and precision == "int4")
        if not (native and wanted) or (key.nodes > 1 and key.net != "rdma"):
            return ()
        plans = [
            plan
            for plan in self._plans(key)
            if starts(self.ask.model, gpu, precision, plan[0], 1, key.per_node * key.nodes // plan[0], plan[2], does)
        ]
        best = max((self._speed(gpu, key, precision, *plan) for plan in plans), default=0.0)
        tenths = math.floor(float(f"{best * 10:.9g}"))
        return (("", tenths),) if tenths else ()

    def _plans(self, key: RowKey) -> list[tuple[int, int, int, bool, int]]:
        """(tp, shard, ep, checkpointing, micro-batch)."""
        k, total, llm = key.per_node, key.per_node * key.nodes, self.ask.model
        out = []
        for tp in range(1, k + 1):
            if k % tp:
                continue
            for shard in {1, k // tp, total // tp}:
                eps = {1}
                if llm.is_moe and shard > 1 and llm.experts % (shard * tp) == 0:
                    eps.add(shard * tp)
                for ep in eps:
                    needs = 0 if total == k else 400 if ep > 8 else 100
                    if key.net_gbit_s < needs:
                        continue
                    for again in (False, True):
                        for b in range(1, MOST + 1):
                            if b == 1 or b * self.length * (total // tp) <= BATCH:
                                out.append((tp, shard, ep, again, b))
        return out

    def _memory(self, gpu: Gpu, precision: str, tp: int, shard: int, ep: int, again: bool, b: int) -> Fraction:
        """Bytes per GPU."""
        llm, c, h = self.ask.model, self.ask.model.config, self.ask.model.hidden
        if self.lora:
            base = llm.weight_bytes("int4") if precision == "int4" else 2 * llm.params_total
            kept = Fraction(base + 16 * self._adapters(), tp * shard)
        else:
            kept = Fraction(16 * llm.params_total, tp * shard)
        units = []
        for y in (*llm.layer_list, llm.head):
            matrices = sum(x.out * x.into * x.count for x in y.linears if ep == 1 or not x.expert)
            units.append(int((matrices + y.bf16 + y.fp32) * llm.scale))
        whole = Fraction(2 * max(units) * (2 if self.lora else 3), tp) if shard > 1 else Fraction(0)
        if shard == 1 and precision == "int4":
            whole = Fraction(2 * max(x.out * x.into for y in llm.layer_list for x in y.linears), tp)
        per_token = []
        for y in llm.layer_list:
            if any(x.expert for x in y.linears):
                width = c["moe_intermediate_size"] * (c["num_experts_per_tok"] + c["n_shared_experts"])
            else:
                width = c["intermediate_size"]
            if llm.attention == "mla":
                q = k = llm.heads * (c["qk_nope_head_dim"] + c["qk_rope_head_dim"])
                v = o = llm.heads * c["v_head_dim"]
            else:
                d = c.get("head_dim") or h // llm.heads
                q = o = llm.heads * d
                k = v = llm.kv_heads * d
            norms, attention, ffn = 4 * h, 2 * h + 2 * (q + k + v + o) + h, 2 * h + 6 * width + h
            per_token.append(norms + attention + ffn)
        layers = 2 * h * len(per_token) + max(per_token) if again else sum(per_token)
        logits = 4 * c["vocab_size"] + 4 * h
        free = 2 * GB + Fraction(gpu.vram_gb * GB, 20)
        return kept + whole + Fraction(b * self.length * (layers + logits), tp) + free

    def _speed(self, gpu: Gpu, key: RowKey, precision: str, tp: int, shard: int, ep: int, again: bool, b: int) -> float:
        """Tokens/s of the build; 0 when memory runs over by more than rounding or a figure is unknown."""
        llm, k, nodes = self.ask.model, key.per_node, key.nodes
        if self._memory(gpu, precision, tp, shard, ep, again, b) > gpu.vram_gb * GB - 100:
            return 0.0
        share = [
            float(r["share"]) for r in figures("training_attained") if (r["arch"], r["precision"]) == (gpu.arch, "bf16")
        ]
        if not share or not gpu.fp16_tflops:
            return 0.0
        flops = gpu.fp16_tflops * 1e12 * share[0]
        if llm.is_moe:
            flops *= constant("moe_share")
        if precision == "int4":
            flops *= constant("low_bit_share")
        dp = k * nodes // tp
        tokens = b * self.length
        forward, attention = llm.linear_flops_per_token(), llm.attention_flops(self.length // 2, "prefill")
        adapters = 2 * self._adapters() if self.lora else 0
        work = (2 if self.lora else 3) * forward + 3 * attention + 3 * adapters
        if again:
            work += forward + attention + adapters
        compute = tokens * work / tp / flops
        if ep > 1:
            compute *= constant("expert_imbalance")
        pcie = (
            PCIE[key.pcie_gen or gpu.pcie_gen or 4]
            * 1e9
            * min(key.lanes or 16, gpu.pcie_lanes)
            / 16
            * (1 if gpu.p2p else 0.5)
        )

        def link(size: int) -> float:
            fast = gpu.link_gb_s * 1e9 / 2
            return (fast if fast and size <= key.domain else pcie) * constant("link_share")

        net = key.net_gbit_s * 1e9 / 8 * constant("link_share")
        traffic = 0.0
        if shard > 1:
            base = llm.weight_bytes("int4") if precision == "int4" else 2 * llm.params_total
            moved = base * (2 if self.lora else 3) / tp
            if ep > 1:
                moved *= (llm.params_total - llm.params_routed_experts) / llm.params_total
            peers = min(shard, k // tp)
            spans = shard // peers
            times = [moved * (shard - 1) / shard / link(peers * tp)] if peers > 1 else [0.0]
            if spans > 1:
                times.append(moved * (spans - 1) / spans / peers / net)
            traffic = max(times)
        if ep > 1:
            near = min(ep, k)
            sent = tokens / tp * llm.experts_per_token * llm.hidden * 2
            times = [sent * (near - 1) / ep / link(near)] if near > 1 else [0.0]
            if ep > near:
                times.append(sent * (ep - near) / ep / net)
            traffic += max(times) * 2 * (3 if again else 2) * llm.moe_layers
        hidden = constant("overlap") * min(compute, traffic)
        step = compute + traffic - hidden
        if tp > 1:
            one = 2 * (tp - 1) / tp * tokens * llm.hidden * 2 / link(tp)
            step += one * 2 * (3 if again else 2) * llm.layers
        groups = dp // shard
        if groups > 1:
            trained = self._adapters() if self.lora else llm.params_total
            each = 2 * trained / (shard * tp)
            here = max(1, min(groups, k // (shard * tp)))
            times = [2 * each * (here - 1) / here / link(here * shard * tp)]
            if groups // here > 1:
                times.append(2 * each * (groups // here - 1) / (groups // here) / here / net)
            step += max(times) / max(1.0, BATCH / (tokens * dp))
        return tokens * dp / step
