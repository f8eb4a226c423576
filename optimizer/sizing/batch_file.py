"""A CSV of configurations in, the same rows with their figures out: `dsopt size --batch`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from catalogs.load import Catalog
from catalogs.message import message
from catalogs.other_file import CONFIGURATIONS, expecting
from catalogs.visible import safe_cell
from constraints.policy import Policy
from optimizer.sizing.schema import RowsAnswered
from optimizer.text.csv_table import CsvTable, csv_text, read_csv
from optimizer.throughput.answers import Answers
from optimizer.throughput.batch import KV, NETWORK, PREFIX_CACHE, SPEC, cached_percent, gbit_s_of, spec_words
from optimizer.throughput.calibration import Calibration
from optimizer.throughput.disaggregated_rows import ALL_COLUMNS, DISAGG, all_answers, is_apart
from optimizer.throughput.roofline import Floats

NEEDED = ("model", "gpu", "n_gpus")
COUNTED = ("plan", KV, SPEC, PREFIX_CACHE, NETWORK, DISAGG)
"""How a row was understood: what it left open, and what was counted for it."""
FIGURES = ("output_tok_s", "low", "high", "ttft_ms", "tpot_ms", "basis", *COUNTED, "error")
REMEDY = f"Columns: {', '.join(ALL_COLUMNS)}; needed are {', '.join(NEEDED)}."
GIVEN = "_in"
"""Behind the name of an input column that a column of the answer has too: a row keeps what it said."""


def batch(path: Path, catalog: Catalog, policy: Policy, calibration: Calibration) -> RowsAnswered:
    """The answered CSV. Raises InputError as read_csv does."""
    with expecting(path, CONFIGURATIONS):
        table = read_csv(path, NEEDED, REMEDY)
    columns = {c: cells for c in ALL_COLUMNS if (cells := table.column(c)) is not None}
    columns.setdefault("precision", [""] * len(table.rows))
    found = all_answers(columns, catalog, policy, calibration) if table.rows else None
    figures = [] if found is None else _cells(table, columns, found)
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


def _cells(table: CsvTable, columns: Mapping[str, Sequence[str]], a: Answers) -> list[tuple[str, ...]]:
    errors = list(a.errors)
    for i, count in table.ragged.items():
        errors[i] = message("has {count} cells, the header {columns}", count=count, columns=len(table.header))
    shown = np.array([not e for e in errors])
    figures = [_texts(x, shown) for x in (a.output_tok_s, a.low, a.high, a.ttft_ms, a.tpot_ms)]
    known = [[text if ok else "" for text, ok in zip(x, shown.tolist(), strict=True)] for x in (a.basis, a.plan, a.kv)]
    return list(zip(*figures, *known, *_counted(columns, shown.tolist()), errors, strict=True))


def _counted(columns: Mapping[str, Sequence[str]], shown: Sequence[bool]) -> Iterator[list[str]]:
    """Speculation, prefix cache, network and halves of each row as they were counted."""
    blank = [""] * len(shown)
    spec, cached, network, disagg = (columns.get(c, blank) for c in (SPEC, PREFIX_CACHE, NETWORK, DISAGG))
    apart = [is_apart(text) for text in disagg]
    one_node = [text in ("", "1") for text in map(str.strip, columns.get("nodes", blank))]
    yield _each(spec, shown, spec_words)
    yield _each(cached, shown, lambda text: f"{cached_percent(text)}%")
    over = _each(network, shown, lambda text: str(gbit_s_of(text)))
    yield ["" if single and not two else text for text, single, two in zip(over, one_node, apart, strict=True)]
    yield ["" if not ok else "yes" if two else "no" for ok, two in zip(shown, apart, strict=True)]


def _each(column: Sequence[str], shown: Sequence[bool], words: Callable[[str], str]) -> list[str]:
    known = {text: words(text.strip()) for text in {text for text, ok in zip(column, shown, strict=True) if ok}}
    return [known[text] if ok else "" for text, ok in zip(column, shown, strict=True)]


def _texts(values: Floats, shown: np.typing.NDArray[np.bool_]) -> list[str]:
    """Two digits behind the point; "" where a row has no answer."""
    return [f"{x:.2f}" if ok else "" for x, ok in zip(values.tolist(), shown.tolist(), strict=True)]
