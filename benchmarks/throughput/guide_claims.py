"""The figures of "What the hardware guide says" in docs/throughput.md: computed, and put between its two marks.

python benchmarks/throughput/guide_claims.py            # write them
python benchmarks/throughput/guide_claims.py --check    # exit 1 when they differ
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.throughput.run import same
from catalogs.load import load
from constraints.policy import Policy
from optimizer.throughput.answers import answers
from optimizer.throughput.batch import prepare
from optimizer.throughput.calibration import shipped

PAGE = Path(__file__).parents[2] / "docs" / "throughput.md"
START, END = "<!-- written by benchmarks/throughput/guide_claims.py -->\n", "<!-- end -->\n"
H100, A100 = "nvidia-h100-sxm5-80gb", "nvidia-a100-sxm4-80gb"
H200, H200_NVL = "nvidia-h200-sxm5-141gb", "nvidia-h200-nvl-141gb"
LOADS = tuple(range(1, 33))
Asked = dict[str, str]


def ask(rows: list[Asked]) -> list[tuple[float, float]]:
    """(tok/s of all, tok/s that each user sees after the first token) of each row, at 1,024 tokens in and out."""
    columns = {c: [row.get(c, "") for row in rows] for c in rows[0]}
    said = answers(prepare(columns, load(), Policy()), shipped())
    assert not any(said.errors), said.errors
    return [(float(all_), 1e3 / float(each)) for all_, each in zip(said.output_tok_s, said.tpot_ms, strict=True)]


def row(model: str, precision: str, gpu: str, n_gpus: int, users: int) -> Asked:
    return {
        "model": model, "precision": precision, "gpu": gpu, "n_gpus": str(n_gpus), "tp": str(n_gpus), "ep": "1",
        "concurrency": str(users), "kv_precision": "bf16", "isl": "1024", "osl": "1024",
    }  # fmt: skip


def users_for(gpu: str, tok_s: float) -> int:
    """Users at once from which on one GPU gives so many tok/s of the 33B model."""
    given = ask([row("r1-distill-qwen-32b", "bf16", gpu, 1, users) for users in LOADS])
    return next(users for users, (all_, _) in zip(LOADS, given, strict=True) if all_ >= tok_s)


def table() -> str:
    (_, h100), (_, a100) = ask([row("r1-distill-qwen-32b", "bf16", gpu, 1, 1) for gpu in (H100, A100)])
    both = ask([row("r1-distill-qwen-32b", p, H100, 2, n) for n in (1, 64) for p in ("bf16", "fp8")])
    one, many = (100 * (both[at + 1][0] / both[at][0] - 1) for at in (0, 2))
    linked = ask([row("r1-distill-llama-70b", "bf16", gpu, 4, n) for gpu in (H200, H200_NVL) for n in (1, 64)])
    (_, nvlink_one), (nvlink_many, _), (_, pcie_one), (pcie_many, _) = linked
    (_, int4), = ask([row("v3-671b", "int4", H100, 8, 1)])  # fmt: skip
    users = [users_for(gpu, 200) for gpu in (H100, A100)]
    lines = [
        "| the guide's claim | dsopt | why |",
        "|---|---|---|",
        '| R1 "33B" gives 200 tok/s on one H100 at FP16, 150 on an A100 '
        f"| one user: {h100:.0f} and {a100:.0f} tok/s; 200 in all are reached by {users[0]} and {users[1]} users "
        "| a token of one user reads all 66 GB of weights: 3,350 GB/s give at most 51, 2,039 GB/s at most 31 tok/s. "
        "More comes from users who share that reading |",
        f"| H100's FP8 doubles throughput | {one:+.0f} % for one user, {many:+.0f} % at 64 (33B on two H100) "
        "| half the bytes, but launches, KV cache (16 bit) and collectives stay; peak FLOPs do double |",
        "| NVLink has 14 x the bandwidth of PCIe 5 "
        "| true of peaks (900 GB/s both ways against 63 one way: 14; like for like 7). 70B on four H200: NVLink "
        f"{nvlink_one:.0f} tok/s and {nvlink_many:,.0f} at 64 users, over PCIe (H200 NVL without bridges) "
        f"{pcie_one:.0f} and {pcie_many:,.0f} "
        "| decode moves little per step: latency counts, not bandwidth. At many users and in prefill the bytes count |",
        f"| 8 x H100 (640 GB) run 670B | not at FP8 (671 GB of weights); at INT4 about {int4:.0f} tok/s for one user "
        "| arithmetic |",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    page = PAGE.read_text(encoding="utf-8")
    before, rest = page.split(START)
    written, after = rest.split(END)
    found = table()
    if "--check" in sys.argv:
        if not same(written, found):
            print(found)
            raise SystemExit(f"{PAGE.name} differs from what the code computes")
    else:
        PAGE.write_text(before + START + found + END + after, encoding="utf-8")
