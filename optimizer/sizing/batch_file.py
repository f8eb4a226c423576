"""A CSV of configurations in, the same rows with their figures out: `dsopt size --batch`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from catalogs.load import Catalog
from catalogs.message import message
from catalogs.other_file import CONFIGURATIONS, expecting
from catalogs.visible import safe_cell
from constraints.policy import Policy
from optimizer.sizing.schema import RowsAnswered
from optimizer.text.csv_table import CsvTable, csv_text, read_csv
from optimizer.throughput.answers import Answers, answers
from optimizer.throughput.batch import NUMBERS, OPTIONAL, TEXTS, prepare
from optimizer.throughput.calibration import Calibration
from optimizer.throughput.roofline import Floats

NEEDED = ("model", "gpu", "n_gpus")
FIGURES = ("output_tok_s", "low", "high", "ttft_ms", "tpot_ms", "basis", "error")
REMEDY = f"Columns: {', '.join((*TEXTS, *OPTIONAL, *NUMBERS))}; needed are {', '.join(NEEDED)}."
GIVEN = "_in"
"""Behind the name of an input column that a column of the answer has too: a row keeps what it said."""


def batch(path: Path, catalog: Catalog, policy: Policy, calibration: Calibration) -> RowsAnswered:
    """The answered CSV. Raises InputError as read_csv does."""
    with expecting(path, CONFIGURATIONS):
        table = read_csv(path, NEEDED, REMEDY)
    columns = {c: cells for c in (*TEXTS, *OPTIONAL, *NUMBERS) if (cells := table.column(c)) is not None}
    columns.setdefault("precision", [""] * len(table.rows))
    found = answers(prepare(columns, catalog, policy, calibration.constants), calibration) if table.rows else None
    figures = [] if found is None else _cells(table, found)
    rows = [[safe_cell(c) for c in (*given, *more)] for given, more in zip(table.rows, figures, strict=True)]
    text = csv_text([*map(safe_cell, _kept(table.header)), *FIGURES], rows)
    return RowsAnswered(csv=text, rows=len(rows), errors=sum(bool(row[-1]) for row in rows))


def _kept(header: Sequence[str]) -> list[str]:
    """The input's header, columns of the same name as a figure renamed."""
    taken = {h.casefold() for h in header} | set(FIGURES)
    out = []
    for h in header:
        name = h
        while name.casefold() in FIGURES or (name != h and name.casefold() in taken):
            name += GIVEN
        taken.add(name.casefold())
        out.append(name)
    return out


def _cells(table: CsvTable, a: Answers) -> list[tuple[str, ...]]:
    errors = list(a.errors)
    for i, count in table.ragged.items():
        errors[i] = message("has {count} cells, the header {columns}", count=count, columns=len(table.header))
    shown = np.array([not e for e in errors])
    figures = [_texts(x, shown) for x in (a.output_tok_s, a.low, a.high, a.ttft_ms, a.tpot_ms)]
    basis = [b if ok else "" for b, ok in zip(a.basis, shown.tolist(), strict=True)]
    return list(zip(*figures, basis, errors, strict=True))


def _texts(values: Floats, shown: np.typing.NDArray[np.bool_]) -> list[str]:
    """Two digits behind the point; "" where a row has no answer."""
    return [f"{x:.2f}" if ok else "" for x, ok in zip(values.tolist(), shown.tolist(), strict=True)]
