"""How long 10,000 rows of `dsopt size --batch` take once everything is loaded: the measured rows, repeated, with
concurrencies of their own so that no two rows are equal. Seed 1; best of five; writes batch_speed.md."""

from __future__ import annotations

import platform
import random
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np

from catalogs.load import load
from constraints.policy import Policy
from optimizer.throughput.calibration import shipped
from optimizer.throughput.disaggregated_rows import ALL_COLUMNS, all_answers
from optimizer.throughput.fitting import measured

ROWS = 10_000


def main() -> None:
    runs, catalog, policy = measured.read(measured.SHIPPED), load(), Policy()
    draw = random.Random(1)
    at = [draw.randrange(len(runs.rows)) for _ in range(ROWS)]
    names = [column for column in ALL_COLUMNS if column not in ("engine", "concurrency")]
    columns = {c: runs.columns.get(c) or [row.get(c, "") for row in runs.rows] for c in names}
    columns = {c: [cells[i] for i in at] for c, cells in columns.items()}
    columns["concurrency"] = [str(draw.randint(1, 512)) for _ in at]
    shipped()
    all_answers({c: v[:10] for c, v in columns.items()}, catalog, policy, shipped())
    apart = sum(cell == "yes" for cell in columns["disagg"])
    seconds = []
    for _ in range(5):
        started = time.process_time()
        found = all_answers(columns, catalog, policy, shipped())
        seconds.append(time.process_time() - started)
    text = (
        f"{ROWS:,} rows ({apart:,} of prefill and decode apart), {int(np.isfinite(found.output_tok_s).sum()):,} "
        f"answered, on {platform.machine()}, "
        f"Python {platform.python_version()}, numpy {np.__version__}, one core: {min(seconds):.3f} CPU seconds, "
        "the best of five.\n"
    )
    Path(__file__).with_suffix(".md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
