"""How far figures of llama.cpp and MLX can be trusted: single runs that were published, and the interval they leave.

The roofline is that of engines for servers, one stage at a time (Jobs.in_turn); no constant is fitted on these runs.
The interval is wider than that of any other figure: few cards were read, none of them with many requests at once.
"""

from __future__ import annotations

from functools import cache

from catalogs.formats import DYNAMIC_KINDS
from catalogs.inputs import shipped_rows
from optimizer.throughput.calibration import Fact
from optimizer.throughput.constants import DATA

RUNS = "file_kinds_measured.csv"
"""Published runs of one request: model, kind of file, GPU, tokens per second of decoding."""


@cache
def in_file_kinds(kind: str = "") -> Fact:
    """What is said of every plan in a kind of file; of mixes of 1 to 4 bits that others made less is known."""
    values = {row["key"]: float(row["value"]) for row in shipped_rows(DATA / "file_kinds.csv")}
    low = values["dynamic_interval_low" if kind in DYNAMIC_KINDS else "interval_low"]
    return Fact(low, values["interval_high"], "roofline")
