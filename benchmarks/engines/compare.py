"""What engines say today of models and GPUs, beside catalogs/engines/software.csv: the differences, for review.

    python -m benchmarks.engines.compare FOLDER

FOLDER holds files as their projects publish them, under their own names, in any folders below it:

- vLLM's recipes (vllm-project/recipes: models/**/*.yaml) and list of models (docs/models/supported_models.md);
- vllm-ascend (a folder with `ascend` in its name: supported_models.md) and vllm-gaudi (validated_models.md);
- TensorRT-LLM (docs/source/models/supported-models.md or .rst, support-matrix.md);
- SGLang (generative_models.md; ascend_npu_support_models.md);
- aiconfigurator (support_matrix/*.csv).

Printed: what a file says and no row does (`new`), rows that say otherwise (`differs`), rows that a whole list names no
more (`gone`); then names that no shipped model bears and files that were not read. A file that is not as its reader
expects is told with what was expected, and the exit status is 1. Nothing is written: a person reads the source and
edits the table. Needs PyYAML (`pip install pyyaml`).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from benchmarks.engines.readers import Reading, Statement, reader_of
from benchmarks.engines.tables import FormatChanged
from catalogs.engines.support import SupportRow, support_rows

MOST_BYTES = 20_000_000
RUNS = ("stable", "experimental")
Rows = tuple[SupportRow, ...]


def speaks(row: SupportRow, said: Statement) -> bool:
    """Whether a row and a statement are about the same: engine, architecture or model, kernel class."""
    return (
        row.engine == said.engine
        and said.architecture in row.architectures
        and (not row.models or not said.model or said.model in row.models)
        and (not said.kernel_class or said.kernel_class in row.kernel_classes)
    )


def difference(said: Statement, rows: Rows) -> str:
    """How a statement differs from the table; empty where it does not."""
    mine = [row for row in rows if speaks(row, said)]
    at = [row for row in mine if not said.precisions or set(said.precisions) & set(row.precisions)]
    runs = [row for row in at if row.status in RUNS]
    if said.status in ("none", "unknown"):
        words = "does not run there" if said.status == "none" else "not tested there"
        return f"differs: {words}, {runs[-1].status} here ({runs[-1].date})" if runs else ""
    if not mine:
        return "new: no row says it"
    if not runs and (other := [row for row in at if row.status not in RUNS]):
        return f"differs: {other[-1].status} here ({other[-1].date})"
    if lacking := [p for p in said.precisions if not any(p in row.precisions for row in runs)]:
        return f"new: at {', '.join(lacking)}"
    if said.status and all(row.status != said.status for row in runs):
        return f"differs: {said.status} there, {runs[-1].status} here ({runs[-1].date})"
    return ""


def gone(reading: Reading, rows: Rows) -> Iterator[str]:
    """Rows that run, of an engine whose whole list a file is, and that it does not name."""
    if reading.whole is None:
        return
    engine, classes = reading.whole
    for row in rows:
        if row.engine != engine or row.status not in RUNS:
            continue
        if classes and not set(classes) & set(row.kernel_classes):
            continue
        for architecture in row.architectures:
            if not any(speaks(row, said) for said in reading.said if said.architecture == architecture):
                which = ", ".join(row.models) or architecture
                where = ", ".join(row.kernel_classes)
                yield f"{engine} runs {which} on {where} here ({row.date}): gone: not named there"


def report(name: str, reading: Reading, rows: Rows) -> Iterator[str]:
    """A line for each difference of a file."""
    for said in dict.fromkeys(reading.said):
        if text := difference(said, rows):
            where = f" on {said.kernel_class}" if said.kernel_class else ""
            since = f" since {said.release}" if said.release else ""
            note = f" ({said.note})" if said.note else ""
            yield f"{name}: {said.engine} runs {said.model or said.architecture}{where}{since}{note}: {text}"
    for line in dict.fromkeys(gone(reading, rows)):
        yield f"{name}: {line}"


def main(folder: Path) -> tuple[int, int]:
    """Prints the differences; returns how many there are, and how many files were not as expected."""
    rows, count, faults, unread = support_rows("serve"), 0, 0, []
    for path in sorted(x for x in folder.rglob("*") if x.is_file()):
        name = path.relative_to(folder).as_posix()
        read = reader_of(PurePosixPath(folder.name, name))
        if read is None or path.stat().st_size > MOST_BYTES:
            unread.append(name)
            continue
        try:
            reading = read(path.read_text(encoding="utf-8"))
        except (FormatChanged, UnicodeDecodeError) as e:
            faults += 1
            print(f"{name}: not as its project published it before: {e}")
            continue
        for line in report(name, reading, rows):
            count += 1
            print(line)
        if reading.strangers:
            print(f"{name}: no shipped model: {', '.join(dict.fromkeys(reading.strangers))}")
    if unread:
        print(f"not read, no known format: {', '.join(unread)}")
    print(f"{count} differences, {faults} files not as expected")
    return count, faults


if __name__ == "__main__":
    if len(sys.argv) != 2 or not Path(sys.argv[1]).is_dir():
        raise SystemExit("usage: python -m benchmarks.engines.compare FOLDER")
    raise SystemExit(1 if main(Path(sys.argv[1]))[1] else 0)
