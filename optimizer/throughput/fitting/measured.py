"""Measured runs: the file that the constants were fitted on, a user's own, and the audit that leaves rows out by rule.

Columns as in data/measured.csv: those of a batch table (optimizer/throughput/batch.py), what was measured
(output_tok_s of the whole system, ttft_ms, tpot_ms), and where from (id, engine, scenario, measured, source).
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from catalogs.errors import Fault, InputError
from optimizer.text.csv_table import too_wide
from optimizer.throughput.batch import NUMBERS, TEXTS, numbers
from optimizer.throughput.constants import DATA
from optimizer.throughput.roofline import Floats

SHIPPED = DATA / "measured.csv"
NEEDED = (*TEXTS, "n_gpus", "isl", "osl", "output_tok_s")
BURST = "burst_1000"
"""Scenario in which 1,000 requests arrive at once: its latencies are those of a queue."""


@dataclass(frozen=True)
class Runs:
    """Measured rows: `columns` for a batch table, and what was measured (NaN where a row lacks it)."""

    rows: tuple[Mapping[str, str], ...]
    columns: Mapping[str, list[str]]
    output_tok_s: Floats
    ttft_ms: Floats
    tpot_ms: Floats

    def take(self, which: Sequence[int]) -> Runs:
        """Some of the rows."""
        at = list(which)
        return Runs(
            tuple(self.rows[i] for i in at), {c: [v[i] for i in at] for c, v in self.columns.items()},
            self.output_tok_s[at], self.ttft_ms[at], self.tpot_ms[at],
        )  # fmt: skip

    @property
    def groups(self) -> list[str]:
        """Model x GPU of each row."""
        return [f"{row['model']} on {row['gpu']}" for row in self.rows]


def read(path: Path) -> Runs:
    """A CSV of measured runs. Raises InputError for a file that can't be read or lacks a column."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            rows = tuple(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as e:
        raise InputError(
            Fault("unreadable-file", f"can't be read: {e}", str(path), remedy="Save it as CSV UTF-8.")
        ) from None
    missing = [c for c in NEEDED if c not in (reader.fieldnames or ())]
    if missing:
        remedy = "Columns: " + ", ".join((*TEXTS, *NUMBERS, "output_tok_s, ttft_ms, tpot_ms")) + "."
        raise InputError(
            [
                Fault("missing-column", "required column is missing", str(path), 1, missing_part, remedy=remedy)
                for missing_part in missing
            ]
        )
    fields = reader.fieldnames or ()
    if faults := [too_wide(len(fields) + len(row[None]), len(fields), str(path), i)
                  for i, row in enumerate(rows, 2) if row.get(None)]:  # fmt: skip
        raise InputError(faults)
    return of_rows(rows)


def of_rows(rows: Sequence[Mapping[str, str]]) -> Runs:
    """Rows as Runs; a figure that is no number becomes NaN."""
    columns = {c: [(row.get(c) or "").strip() for row in rows] for c in (*TEXTS, *NUMBERS)}

    def figure(name: str) -> Floats:
        found = numbers([(row.get(name) or "") for row in rows])
        return np.where(np.isfinite(found) & (found > 0), found, np.nan)

    return Runs(tuple(rows), columns, figure("output_tok_s"), figure("ttft_ms"), figure("tpot_ms"))
