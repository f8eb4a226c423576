"""Measured runs: the file that the constants were fitted on, a user's own, and the audit that leaves rows out by rule.

Columns as in data/measured.csv: those of a batch table (optimizer/throughput/batch.py), what was measured
(output_tok_s of the whole system, ttft_ms, tpot_ms), and where from (id, engine, scenario, measured, source).
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from catalogs.errors import Fault, InputError
from catalogs.inputs import shipped_rows
from optimizer.text.csv_table import too_wide
from optimizer.throughput.batch import KV, NUMBERS, SCENARIO, SPEC, TEXTS, numbers
from optimizer.throughput.constants import DATA
from optimizer.throughput.roofline import Floats

SHIPPED = DATA / "measured.csv"
NEEDED = (*TEXTS, "n_gpus", "isl", "osl", "output_tok_s")
KV_USUAL = "kv_usual.csv"
"""Precision of the KV cache by engine and precision of the weights where a run names none."""


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
    columns = {c: [(row.get(c) or "").strip() for row in rows] for c in (*TEXTS, *NUMBERS, SPEC, SCENARIO)}
    columns[KV] = [kv_of(row) for row in rows]

    def figure(name: str) -> Floats:
        found = numbers([(row.get(name) or "") for row in rows])
        return np.where(np.isfinite(found) & (found > 0), found, np.nan)

    return Runs(tuple(rows), columns, figure("output_tok_s"), figure("ttft_ms"), figure("tpot_ms"))


def kv_of(row: Mapping[str, str]) -> str:
    """Precision of the KV cache of a run: its own, else the engine's usual for weights of its precision; blank where
    that is the checkpoint's."""
    engine = (row.get("engine") or "").split(" ")[0] or (row.get("id") or "")[:6].replace("mlperf", "MLPerf")
    return (row.get(KV) or "").strip() or _usual().get((engine, row["precision"].strip()), "")


@cache
def _usual() -> dict[tuple[str, str], str]:
    return {(row["engine"], row["precision"]): row["kv_precision"] for row in shipped_rows(DATA / KV_USUAL)}
