"""Rows of data/measured.csv that other people's models may be asked: a closed loop at a named concurrency of a named
plan, prefill and decode on the same GPUs, without speculation. Printed as CSV (see ask.py)."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

from catalogs.load import load
from constraints.policy import Policy
from optimizer.throughput.constants import rows
from optimizer.throughput.fitting import measured
from optimizer.throughput.fitting.audit import CLOSED_LOOP
from optimizer.throughput.fitting.recalibrate import evidence

COLUMNS = ("id", "model", "precision", "gpu", "engine", "tp", "pp", "dp", "ep", "isl", "osl", "concurrency")
MAKERS = ("nvidia",)
"""Neither rival has measured kernels of other vendors' GPUs."""


def main() -> None:
    found, _, _ = evidence(measured.read(measured.SHIPPED), load(), Policy(), rows())
    out = csv.DictWriter(sys.stdout, (*COLUMNS, "kv_precision"), lineterminator="\n")
    out.writeheader()
    for i in sorted(found.kept):
        row = found.runs.rows[i]
        named = all(row[column] for column in ("tp", "isl", "osl", "concurrency"))
        steady = row["scenario"] == CLOSED_LOOP and row["spec"] in ("", "none")
        if named and steady and found.label(i)[1].startswith(MAKERS):
            blank = {"pp": "1", "dp": "1", "ep": "1"}
            asked = {column: row[column] or blank.get(column, "") for column in COLUMNS}
            asked["engine"] = asked["engine"].split(" ")[0]
            out.writerow({**asked, "kv_precision": found.runs.columns["kv_precision"][i]})


if __name__ == "__main__":
    main()
