"""What weights of a lower precision cost in quality, where somebody published it (catalogs/llms/quality.csv).

A row holds for the models and formats that it names and for no others: what nobody measured is not implied."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from catalogs.formats import BITS
from catalogs.inputs import shipped_rows
from catalogs.message import Message, joined, message
from catalogs.transformer import Llm

FILE = Path(__file__).parent / "llms" / "quality.csv"


@dataclass(frozen=True)
class Quality:
    """A benchmark's figure with the weights as published (`against`) and in `precision`, or what is said in `words`
    where no figures are. `certainty`: read in the source, or reported by somebody."""

    precision: str
    against: str
    benchmark: str
    published: str
    quantized: str
    words: str
    source: str
    certainty: str


@cache
def _rows() -> tuple[dict[str, str], ...]:
    return shipped_rows(FILE)


def quality_of(llm: Llm, precision: str | None = None) -> tuple[Quality, ...]:
    """What is published of a model that ships with dsopt, in one precision or in all."""
    if llm.user:
        return ()
    names = ("precision", "against", "benchmark", "published", "quantized", "words", "source", "certainty")
    return tuple(
        Quality(**{name: row[name] for name in names})
        for row in _rows()
        if llm.id in row["models"].split("|") and precision in (None, row["precision"])
    )


def is_lower(llm: Llm, precision: str) -> bool:
    """Whether a format has fewer bits than the one that the model is published in."""
    return BITS.get(precision, 16) < BITS.get(llm.native_precision, 16)


def said(llm: Llm, precision: str) -> Iterator[Message]:
    """Sentences on a precision, one per source; none where nobody published anything."""
    rows = quality_of(llm, precision)
    for source in dict.fromkeys(row.source for row in rows):
        found = [row for row in rows if row.source == source]
        figures = [
            message("{benchmark} {quantized} instead of {published}", **_figures(row)) for row in found if row.benchmark
        ]
        words = [message(row.words) for row in found if row.words]
        yield message(
            "Quality of {model} in {precision} beside {against}: {figures} ({source}).",
            model=llm.name, precision=precision, against=found[0].against, figures=joined([*figures, *words]),
            source=source,
        )  # fmt: skip


def _figures(row: Quality) -> dict[str, str]:
    return {"benchmark": row.benchmark, "quantized": row.quantized, "published": row.published}
