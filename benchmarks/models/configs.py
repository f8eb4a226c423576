"""76 published configs: accepted with figures beside published ones, or refused with the field.

    python -m benchmarks.models.configs > benchmarks/models/configs.md

configs.csv: total as a maker says it and whether it holds the module for several tokens, bytes of KV cache that a token
adds at bf16 with the formula, where each was read. Sizes of weight files: tests/data/checkpoint_sizes.csv."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from catalogs.errors import InputError
from catalogs.llm import Llm
from catalogs.user_models import open_config

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
LONG = 1_000_000
"""Tokens of a context from which each further one adds what is published."""
WITHIN = 0.02
Row = Mapping[str, str]


def rows(path: Path) -> list[Row]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@dataclass(frozen=True)
class Compared:
    """A figure of ours beside a published one. `verdict`: equal (to its last figure; files to the byte), within 2 %,
    off, or empty where nothing is published."""

    ours: str
    published: str = ""
    verdict: str = ""

    def __str__(self) -> str:
        return f"{self.ours} ({self.published}: {self.verdict})" if self.verdict else self.ours


def parameters(llm: Llm, row: Row) -> Compared:
    """The total, rounded as the maker rounds it."""
    count = llm.params_total + (llm.draft_params if row["module"] == "with" else 0)
    if not row["total"]:
        return Compared(f"{count / 1e9:,.2f}B")
    figure, unit = row["total"][:-1], {"B": 1e9, "T": 1e12}[row["total"][-1]]
    digits = len(figure.partition(".")[2])
    ours = f"{count / unit:.{digits}f}{row['total'][-1]}"
    near = "within 2 %" if abs(count / unit - float(figure)) <= WITHIN * float(figure) else "off"
    return Compared(f"{count / 1e9:,.2f}B", row["total"], "equal" if ours == row["total"] else near)


def size(llm: Llm, row: Row) -> Compared:
    """GB of the weights as published, with the module for several tokens where the files hold it."""
    precision = llm.native_precision
    known = next((x for x in rows(ROOT / "tests/data/checkpoint_sizes.csv") if x["config"] in _names(row)), None)
    held = llm.drafting if known is not None and known["module"] == "with" else llm
    counted = held.weight_bytes(precision)
    ours = f"{precision} {counted / 1e9:,.1f}"
    if known is None:
        return Compared(ours)
    published = float(known["gb"])
    said = known["gb"] if len(known["gb"]) < len("1,000.0") else f"{published:,.1f}"
    close = abs(counted / 1e9 / published - 1) <= WITHIN
    verdict = "equal" if counted == round(published * 1e9) else "within 2 %" if close else "off"
    return Compared(ours, said, verdict)


def _names(row: Row) -> tuple[str, str]:
    """A config by its own name and that of its file."""
    return row["config"], Path(row["file"]).stem


def cache(llm: Llm, row: Row) -> Compared:
    """Bytes of KV cache that a token adds to a long context at bf16."""
    grown = (llm.kv_bytes(LONG + 4096, "bf16") - llm.kv_bytes(LONG, "bf16")) / 4096
    ours = f"{grown:,.0f}"
    if not row["kv_bytes_per_token"]:
        return Compared(ours)
    said = float(row["kv_bytes_per_token"])
    near = "within 2 %" if abs(grown - said) <= WITHIN * said else "off"
    return Compared(ours, f"{said:,.0f}", "equal" if abs(grown - said) < 1 else near)


def refusal(error: InputError) -> str:
    """The fields that are not modelled, with the reason of the first."""
    fields = ", ".join(dict.fromkeys(fault.column or fault.value or "" for fault in error.faults))
    return f"refused: {fields} ({error.faults[0].text})"


def table() -> str:
    """The page."""
    accepted, verdicts = 0, {name: Counter[str]() for name in ("parameters", "size", "cache")}
    lines, notes = [], []
    for row in rows(HERE / "configs.csv"):
        name = row["config"].replace("--", "/", 1)
        try:
            llm = open_config(ROOT / row["file"], "config")
        except InputError as error:
            lines.append(f"| {name} | {refusal(error)} | | | |")
            continue
        accepted += 1
        figures = {"parameters": parameters(llm, row), "size": size(llm, row), "cache": cache(llm, row)}
        for part, compared in figures.items():
            verdicts[part][compared.verdict] += 1
            if compared.verdict == "off":
                why = row["kv_formula"] if part == "cache" else row["source"]
                notes.append(f"- {name}, {part}: {compared.ours} here, {compared.published} published. {why}.")
        module = f"{llm.draft_kind} {llm.draft_bytes(llm.native_precision) / 1e9:,.1f}" if llm.draft_kind else ""
        lines.append(f"| {name} | {figures['parameters']} | {figures['size']} | {module} | {figures['cache']} |")
    head = (
        f"# {len(lines)} published configs\n\n{accepted} of {len(lines)} are accepted.\n\n"
        "| figure | published | equal | within 2 % | off |\n|---|---:|---:|---:|---:|"
    )
    sums = [
        f"| {title} | {sum(count.values()) - count['']} | {count['equal'] or ''} | "
        f"{count['equal'] + count['within 2 %']} | {count['off']} |"
        for title, count in (
            ("parameters", verdicts["parameters"]), ("GB of weight files", verdicts["size"]),
            ("bytes of KV cache per token, bf16", verdicts["cache"]),
        )
    ]  # fmt: skip
    body = "| config | parameters (published) | GB of weights (files) | module, GB | KV bytes per token (published) |"
    made = "Made by `python -m benchmarks.models.configs` from benchmarks/models/configs.csv, which names the sources."
    parts = [head, *sums, "", made, "", body, "|---|---|---|---|---|", *lines, "", "## Off, and why", "", *notes, ""]
    return "\n".join(parts)


if __name__ == "__main__":
    print(table(), end="")
