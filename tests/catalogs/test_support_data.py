"""The support tables against what was read (tests/data/support_read.csv), by the rule where rows disagree: the narrower
card holds, then the model that is named, then the newer row, then the worse status."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from catalogs.engines.support import WORSE, SupportRow, support_rows

READ = Path(__file__).parents[1] / "data" / "support_read.csv"


def read() -> list[dict[str, str]]:
    with READ.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def held(engine: str, does: str, model: str, architecture: str, kernel_class: str, precision: str) -> SupportRow | None:
    """The row that holds for an engine on GPUs of a class, whichever card it is."""
    rows = [
        row
        for row in support_rows(does)
        if row.engine == engine and row.speaks_of(model, architecture, "", (kernel_class,), precision)
    ]
    return max(rows, key=lambda row: row.weight, default=None)


@pytest.mark.parametrize("row", read(), ids=lambda r: " ".join((r["engine"], r["models"], r["kernel_class"])))
def test_no_status_is_better_than_what_was_read(row: dict[str, str]) -> None:
    does = "offload" if row["engine"] == "KTransformers" else "serve"
    for model in row["models"].split("|"):
        for precision in row["precisions"].split("|"):
            found = held(row["engine"], does, model, row["architecture"], row["kernel_class"], precision)
            if row["status"] in ("stable", "experimental"):
                assert found is not None, (model, precision)
            if found is None:
                continue  # not served at all: broken or nowhere named
            newer_says_better = found.date[:7] > row["date"][:7]
            assert WORSE[found.status] >= WORSE[row["status"]] or newer_says_better, (model, precision, found)
            if WORSE[found.status] > WORSE[row["status"]]:
                assert found.models, (model, precision, found)  # only a row of that very model may be worse


def test_what_was_read_is_not_empty() -> None:
    assert len(read()) > 30 and {r["status"] for r in read()} >= {"stable", "experimental", "broken"}
