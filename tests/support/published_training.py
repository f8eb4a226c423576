"""Published training runs (tests/data/published_training.csv) beside what the model says of the same plan.

`python -m tests.support.published_training` writes the table of docs/training.md.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from catalogs.llm import Llm, from_config, get
from catalogs.load import load
from catalogs.schema import Gpu
from constraints.plan import Plan, RowKey, Training
from constraints.policy import Policy
from constraints.request import Request
from optimizer.throughput.training import flops_per_token, tokens_s

DATA = Path(__file__).parents[1] / "data" / "published_training.csv"
DOCS = Path(__file__).parents[2] / "docs" / "training.md"


@dataclass(frozen=True)
class Run:
    """One published run: tokens/s measured and computed, and the share of the data sheet's peak that it implies."""

    name: str
    gpu: Gpu
    gpus: int
    llm: Llm
    plan: Plan
    request: Request
    use: str
    measured: float
    computed: float
    of_peak: float
    source: str

    @property
    def ratio(self) -> float:
        return self.computed / self.measured


def model(text: str) -> Llm:
    """A model of the registry, or `shape:hidden/layers/heads/kv heads/feed-forward/vocabulary` (gated, tied tables)."""
    if not text.startswith("shape:"):
        return get(text)
    hidden, layers, heads, kv, ffn, vocab = map(int, text.removeprefix("shape:").split("/"))
    config = {
        "architectures": ["LlamaForCausalLM"], "hidden_size": hidden, "num_hidden_layers": layers,
        "num_attention_heads": heads, "num_key_value_heads": kv, "intermediate_size": ffn, "vocab_size": vocab,
        "tie_word_embeddings": True,
    }  # fmt: skip
    facts = {"id": text, "name": text, "native_precision": "bf16", "min_precision_bits": 16, "max_context": 10**6}
    return from_config(config, source="", **facts)


def runs() -> Iterator[Run]:
    """All rows of the file."""
    catalog = load()
    with DATA.open(encoding="utf-8", newline="") as f:
        for r in csv.DictReader(f):
            gpu, llm = catalog.parts[r["gpu"]], model(r["model"])
            assert isinstance(gpu, Gpu)
            assert gpu.tdp_w
            k, nodes, tp, net = int(r["per_node"]), int(r["nodes"]), int(r["tp"]), int(r["net_gbit_s"])
            host = (0, 0) if gpu.wired_domain_gpus >= k else (gpu.pcie_gen or 4, 16)
            fabric = ("rdma", net) if nodes > 1 else ("none", 0)
            cap = int(r["cap_w"] or gpu.tdp_w)
            key = RowKey(gpu.id, cap, k, nodes, min(gpu.wired_domain_gpus, k), *host, *fabric)
            batch = [f"training.batch_tokens={r['batch_tokens']}"] if r["batch_tokens"] else []
            policy = Policy().with_settings(batch)
            request = Request.model_validate(
                {"model": r["model"], "as_of": date(2026, 11, 24), "workload": r["workload"],
                 "seq_len": int(r["seq_len"]), "precision": r["precision"]}
            )  # fmt: skip
            again, b, dp = r["checkpointing"] == "yes", int(r["micro_batch"]), k * nodes // tp
            plan = Plan(r["precision"], "bf16", tp, 1, dp, int(r["ep"]), 1, b * dp, Training(int(r["shard"]), b, again))
            measured = float(r["tok_s"])
            rank = policy.whole("training.lora_rank") if request.lora else 0
            work = flops_per_token(llm, rank, int(r["seq_len"]), again)
            peak = (gpu.fp8_tflops if plan.precision == "fp8" else gpu.fp16_tflops) or 0
            yield Run(
                r["run"], gpu, k * nodes, llm, plan, request, r["use"], measured,
                tokens_s(gpu, key, llm, plan, request, policy), measured * work / (k * nodes) / (peak * 1e12),
                r["source"],
            )  # fmt: skip


def table() -> list[str]:
    """Rows of the table in docs/training.md."""
    out = [
        "| run | GPUs | published tok/s | computed | ratio | of peak | use | source |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for r in runs():
        out.append(
            f"| {r.name} | {r.gpus} x {r.gpu.name} | {r.measured:,.0f} | {r.computed:,.0f} | {r.ratio:.2f} | "
            f"{r.of_peak:.2f} | {r.use} | {r.source} |"
        )
    return out


def write() -> None:
    """The table of docs/training.md anew."""
    lines = DOCS.read_text(encoding="utf-8").splitlines()
    fresh = table()
    first = lines.index(fresh[0])
    last = next(i for i in range(first, len(lines)) if not lines[i])
    DOCS.write_text("\n".join([*lines[:first], *fresh, *lines[last:]]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write()
