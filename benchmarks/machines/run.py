"""`dsopt check` of machines that exist: the table of docs/machines.md.

python benchmarks/machines/run.py [--check | --build-files FOLDER]

`machines.csv` is one published machine of MLPerf Inference v5.1 a row, after its submission's system file
(github.com/mlcommons/inference_results_v5.1): the parts that it names, what it leaves open, a model that fits it.
`unnamed/` holds chassis and boards that submissions do not name, and cards that no catalog has. --check compares the
page; --build-files writes each machine as a file for `dsopt check FILE --catalog benchmarks/machines/unnamed`.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable
from datetime import date
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT))

from catalogs.load import Catalog, load  # noqa: E402
from constraints.build import Build  # noqa: E402
from constraints.request import Request  # noqa: E402
from optimizer.library import check  # noqa: E402
from optimizer.result.schema import Checked  # noqa: E402

HERE = Path(__file__).parent
DOCS = ROOT / "docs" / "machines.md"
START, END = "<!-- table -->", "<!-- end of table -->"
DAY = date(2026, 11, 30)
NOT_SHOWN = ("no fresh price", "price unknown", "not judged", "is not known")
"""Prices move from day to day, and what is not known has a column of its own."""
OPEN = {"memory": "modules", "drive": "drives", "nic": "cards", "psu": "supplies", "cooling": "coolers"}
"""What a description leaves open, in the table's words."""
Row = dict[str, str]


def machines() -> list[Row]:
    """Rows of machines.csv."""
    with (HERE / "machines.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def catalog() -> Catalog:
    """The shipped catalog with what the submissions do not name."""
    return load([HERE / "unnamed"])


def build_of(row: Row) -> Build:
    """The machine of a row that can be expressed."""
    node = {part: int(qty) for qty, part in (piece.split("*", 1) for piece in row["parts"].split("|"))}
    unknown = set(filter(None, row["unknown"].split("|")))
    unknown |= {"memory"} if row["memory_gb"] else set()
    unknown |= {"drive"} if row["storage_gb"] else set()
    memory_gb, storage_gb = (int(row[key]) if row[key] else None for key in ("memory_gb", "storage_gb"))
    return Build(int(row["nodes"]), node, {}, frozenset(unknown), memory_gb, storage_gb)


def request_of(row: Row) -> Request:
    """What the machine is asked to do, on a site that has racks and a network."""
    return Request(
        model=row["model"], as_of=DAY, have=frozenset({"racks", "network"}), site_water=row["site_water"] == "true",
        grade="floor", precision=row.get("precision") or None,
        conditions=frozenset({"new", "refurbished", "used"}),
    )  # fmt: skip


def judged(row: Row, parts: Catalog) -> Checked | None:
    """Every rule on the machine of a row; None where it can't be expressed."""
    if not row["parts"]:
        return None
    return check(build_of(row), request_of(row), catalog=parts, name=row["machine"], exists=True)


def verdict(found: Checked | None) -> str:
    """`passes`, `fails` with the rules that fail, or that the machine is not expressed."""
    if found is None:
        return "not expressed"
    failing = dict.fromkeys(x.rule for x in found.checks if x.status == "fail")
    return f"fails: {', '.join(failing)}" if failing else "passes"


def said(found: Checked, status: str) -> list[str]:
    """Findings of a status as `rule: sentence`, each once."""
    texts = [f"{x.rule}: {x.text}" for x in found.checks if x.status == status]
    return list(dict.fromkeys(text for text in texts if not any(word in text for word in NOT_SHOWN)))


def table(rows: Iterable[Row], parts: Catalog) -> str:
    """The machines as Markdown, with their number by verdict before."""
    lines, numbers = [], dict[str, int]()
    for row in rows:
        found = judged(row, parts)
        answer = verdict(found)
        kind = answer.partition(":")[0]
        numbers[kind] = numbers.get(kind, 0) + 1
        left_open = ", ".join(OPEN[kind] for kind in sorted(build_of(row).unknown)) if found else ""
        findings = said(found, "fail") + said(found, "warn") if found else []
        why = "; ".join(filter(None, (row["note"], row["public_document"])))
        cells = (
            row["number"], row["machine"], row["expressed"], row["model"], answer, "<br>".join(findings), left_open,
            why, f"`{row['submission']}`",
        )  # fmt: skip
        lines.append("| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |")
    titles = ("", "machine", "expressed", "model", "verdict", "findings", "not known", "why", "submission")
    head = f"| {' | '.join(titles)} |\n|---:{'|---' * (len(titles) - 1)}|"
    counted = ", ".join(f"{count} {answer}" for answer, count in sorted(numbers.items()))
    return f"Of {sum(numbers.values())} machines: {counted}.\n\n{head}\n" + "\n".join(lines)


def toml(row: Row) -> str:
    """A build file of a machine."""
    build = build_of(row)
    lines = [f"# {row['machine']}, MLPerf Inference v5.1, {row['submission']}", f'model = "{row["model"]}"']
    lines += [f'precision = "{row["precision"]}"'] if row.get("precision") else []
    lines += [f"nodes = {build.nodes}", 'have = ["racks", "network"]']
    stated = {"memory": build.memory_gb, "drive": build.storage_gb}
    open_kinds = sorted(kind for kind in build.unknown if stated.get(kind) is None)
    lines += [f"unknown = {open_kinds}".replace("'", '"')] if open_kinds else []
    lines += [f"memory_gb = {build.memory_gb}"] if build.memory_gb else []
    lines += [f"storage_gb = {build.storage_gb}"] if build.storage_gb else []
    lines += ["site_water = true"] if row["site_water"] == "true" else []
    return "\n".join([*lines, "", "[parts]", *(f'"{part}" = {qty}' for part, qty in build.node.items())]) + "\n"


def main(arguments: list[str]) -> int:
    rows = machines()
    if arguments[:1] == ["--build-files"]:
        folder = Path(arguments[1])
        folder.mkdir(parents=True, exist_ok=True)
        for row in rows:
            if row["parts"]:
                (folder / f"{int(row['number']):02}.toml").write_text(toml(row), encoding="utf-8")
        return 0
    page = DOCS.read_text(encoding="utf-8")
    before, rest = page.split(START)
    after = rest.split(END)[1]
    new = f"{before}{START}\n{table(rows, catalog())}\n{END}{after}"
    if arguments == ["--check"]:
        if new != page:
            print(f"{DOCS.name} is not what the machines say now: python benchmarks/machines/run.py")
        return int(new != page)
    DOCS.write_text(new, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
