"""Requests drawn at random from every option of `dsopt solve`: combinations that nobody chose.

`draw(seed, n)` gives the same requests on every machine. Each has one goal or more (budget, throughput, users, load), a
model, and up to four conditions.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

Random = random.Random
Words = list[str]

DATA = Path(__file__).parent / "data"
LARGE = ("v3-671b", "r1-671b", "v3.2", "v2-670b", "v4-pro", "v3.1")
MIDDLE = ("v4-flash", "v2-236b", "qwen3-235b-a22b", "minimax-m2.5", "llama-3.1-405b", "gpt-oss-120b")
SMALL = (
    "r1-33b", "r1-distill-llama-70b", "r1-distill-qwen-32b", "r1-distill-qwen-14b", "v2-lite", "r1-0528-qwen3-8b",
    "gpt-oss-20b", "qwen3-30b-a3b",
)  # fmt: skip
BUDGETS = {
    LARGE: (100_000, 200_000, 300_000, 400_000, 600_000, 1_000_000, 3_000_000),
    MIDDLE: (45_000, 90_000, 200_000, 500_000),
    SMALL: (6_000, 12_000, 20_000, 40_000, 80_000),
}
PARTS = (
    "amd-epyc-9754", "amd-epyc-9354", "intel-xeon-gold-6530", "nvidia-qm9700", "nvidia-sn3700c", "nvidia-sn2201",
    "mikrotik-crs312-4c-plus-8xg-12x10gbase-t", "nvidia-connectx-6-dx-100g-2-port-qsfp56",
    "nvidia-connectx-7-mcx75310aas-neat-ndr400-1-port-osfp", "intel-x710-t2l-10g-2-port", "samsung-pm1743-3.84tb",
    "apc-netshelter-sx-ar3100-42u-600x1070", "apc-ap8853-metered-7.4-kw-230v-32a-1ph", "arctic-freezer-4u-sp5",
    "mma4z00-ns-2x400g-osfp-finned-sr8",
)  # fmt: skip
GPUS = ("h100", "h200", "b200", "mi300x", "rtx pro 6000", "l40s", "a6000", "4090", "5090", "910b", "8xh200", "4x5090")
VENDORS = ("Supermicro", "Dell", "ASUS", "Gigabyte", "AMD", "Intel")


def _one_of(option: str, *values: object) -> Callable[[Random], Words]:
    return lambda rng: [option, str(rng.choice(values))]


def _flags(*options: str) -> Callable[[Random], Words]:
    return lambda rng: list(options)


CONDITIONS: dict[str, Callable[[Random], Words]] = {
    "workload": _one_of("--workload", "rag", "reasoning", "batch"),
    "lengths": lambda rng: ["--isl", str(rng.choice((200, 4000, 30_000))), "--osl", str(rng.choice((100, 500, 4000)))],
    "user speed": _one_of("--min-tok-s-user", 5, 20, 40, 80),
    "first token": _one_of("--max-ttft", 300, 1000, 5000),
    "precision": _one_of("--precision", "fp8", "int4", "fp16"),
    "floor": _one_of("--min-precision", "4bit", "8bit", "16bit"),
    "cache": _one_of("--kv-precision", "fp8"),
    "experimental": _flags("--allow-experimental"),
    "offload": _flags("--offload", "--min-precision", "4bit"),
    "nodes": _one_of("--max-nodes", 1, 2, 4, 8),
    "power": _one_of("--max-kw", 3, 8, 12, 40, 100),
    "circuit": _one_of("--circuit", "15A@120V", "20A@120V", "16A@230V", "32A@230V"),
    "units": _one_of("--rack-units", 4, 8, 16, 42),
    "water": _flags("--site-water"),
    "have": _one_of("--have", "racks", "network", "racks,network"),
    "vendor": lambda rng: ["--vendor", ",".join(rng.sample(VENDORS, 3)) + ",NVIDIA,Samsung,Micron,Kingston"],
    "no vendor": _one_of("--no-vendor", *VENDORS),
    "condition": _one_of("--condition", "any", "new,refurbished", "used"),
    "price age": _one_of("--max-price-age", 60, 200, 400),
    "include": _one_of("--include", *PARTS),
    "exclude": _one_of("--exclude", *PARTS[:3], "h200", "rtx pro 6000 blackwell workstation"),
    "gpu": _one_of("--gpu", *GPUS),
    "origin": _one_of("--no-origin", "CN", "US", "TW"),
    "confidence": _one_of("--confidence", "list,street", "street", "list,estimate"),
    "estimated": _one_of("--max-estimated", "0%", "2%", "10%", "30%", "60%"),
    "lead": _one_of("--max-lead", 14, 30, 60),
    "strict lead": _flags("--max-lead", "30", "--strict-lead"),
    "approved": _flags("--avl", str(DATA / "avl.csv")),
    "sellers": _one_of("--max-sellers", 1, 2, 4, 8),
    "share": _one_of("--max-share", "15%", "40%", "60%", "80%"),
    "axis": _one_of("--cost-axis", "power", "rack-units", "lead-time"),
    "currency": _one_of("--currency", "CNY", "EUR", "JPY"),
    "tax": _one_of("--tax", "13%", "CN", "DE", "7.25%"),
    "support": _one_of("--support", "10%", "table", str(DATA / "support.csv")),
    "spares": _one_of("--spares", "5%", "table", "gpu=1/16"),
    "own": _flags("--own", str(DATA / "own.csv")),
    "energy": _one_of("--energy-price", 0.08, 0.35),
    "policy": _one_of("--set", "host_memory.floor_percent=100", "cores.per_gpu_min=8", "cooling.inlet_c=35"),
    "day": _one_of("--as-of", "2026-09-01", "2026-11-24"),
    "overlay": _flags("--catalog", str(DATA / "overlay")),
}  # fmt: skip
TRAINING = ("finetune-lora", "finetune-full", "train")


def draw(seed: int, n: int) -> list[Words]:
    """`n` requests as the words after `dsopt solve`."""
    return [_request(random.Random(f"{seed}/{i}")) for i in range(n)]


def _request(rng: Random) -> Words:
    kind = rng.choice((LARGE, MIDDLE, SMALL))
    words = ["--model", rng.choice(kind)]
    names = rng.sample(sorted(CONDITIONS), rng.choice((1, 1, 2, 2, 3, 4)))
    training = rng.random() < 0.08
    if training:
        words += ["--workload", rng.choice(TRAINING), "--budget", str(rng.choice(BUDGETS[kind]))]
        names = [x for x in names if x not in ("workload", "lengths", "user speed", "first token", "offload", "cache")]
    else:
        words += _goal(rng, kind)
    if "offload" in names:
        names = [x for x in names if x not in ("precision", "floor")]
    for name in names:
        words += CONDITIONS[name](rng)
    return _once(words)


def _goal(rng: Random, kind: tuple[str, ...]) -> Words:
    users, speed = rng.choice((1, 8, 32, 128)), rng.choice((50, 300, 1500, 5000))
    budget = ["--budget", str(rng.choice(BUDGETS[kind]))]
    return rng.choice(
        (
            budget, budget, budget, [*budget, "--users", str(users)], ["--users", str(users)],
            ["--throughput", str(speed)], ["--tokens-per-day", rng.choice(("2M", "50M", "1000M"))],
        )
    )  # fmt: skip


def _once(words: Words) -> Words:
    """The first of options that may be given once only."""
    out: Words = []
    i = 0
    while i < len(words):
        takes = i + 1 < len(words) and not words[i + 1].startswith("--")
        pair = words[i : i + 1 + takes]
        if pair[0] not in out or pair[0] in ("--include", "--set"):
            out += pair
        i += len(pair)
    return out
