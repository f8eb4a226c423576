"""What published machines with an 8-GPU board hold: RAM per GPU memory and CPU cores per GPU.

    python -m benchmarks.grades.published

`common` is the tenth percentile of the machines that state a figure, `full` their median (numpy's linear
percentiles), of constraints/data/published_machines.csv; rows with a reason in `left_out` are not counted.
constraints/data/grades.csv holds the results, and tests hold them against this."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from constraints.policy import table as rows_of

LEAST = 8
"""Machines below which no figure is made of them: a tenth percentile of fewer is one machine."""
PERCENTILE = {"common": 10, "full": 50}


class Published(NamedTuple):
    """RAM in percent of GPU memory, and CPU cores per GPU, of one machine."""

    ram_percent: float
    cores_per_gpu: float


def counted() -> list[Published]:
    """The machines that count."""
    return [
        Published(
            100 * int(row["memory_modules"]) * int(row["module_gb"]) / (int(row["gpus"]) * int(row["gpu_memory_gb"])),
            int(row["sockets"]) * int(row["cores_per_cpu"]) / int(row["gpus"]),
        )
        for row in rows_of("published_machines")
        if not row["left_out"]
    ]


def of_grade(grade: str) -> Published:
    """What a grade asks of a machine with an 8-GPU board: percent rounded down to a tenth, whole cores.

    Raises ValueError where too few machines are there."""
    machines = counted()
    if len(machines) < LEAST:
        raise ValueError(f"{len(machines)} machines, at least {LEAST} are needed")
    found = np.percentile(np.array(machines), PERCENTILE[grade], axis=0)
    ram_percent, cores = found
    return Published(float(np.floor(10 * ram_percent + 1e-9) / 10), float(np.floor(cores + 1e-9)))


def markdown() -> str:
    """What grades ask, as the table of docs/grades.md: a row for each figure and kind of machine."""
    rows: dict[tuple[str, str], dict[str, dict[str, str]]] = {}
    for row in rows_of("grades"):
        name = row["key"].split(".")[1].removeprefix(f"{row['grade']}_{row['machine']}_")
        rows.setdefault((f"{row['key'].split('.')[0]}.*_{name}", row["machine"]), {})[row["grade"]] = row
    lines = ["| policy key | machine | common | full | unit | basis | source |", "|---|---|---|---|---|---|---|"]
    for (key, machine), of_grade in rows.items():
        common, full = of_grade["common"], of_grade["full"]
        basis = f"n = {common['n']}" if common["n"] else "policy"
        sources = dict.fromkeys((common["source"], full["source"]))
        figures = f"{common['value']} | {full['value']} | {common['unit']}"
        lines.append(f"| `{key}` | {machine} | {figures} | {basis} | {' / '.join(sources)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    machines, left_out = counted(), [row for row in rows_of("published_machines") if row["left_out"]]
    print(f"n = {len(machines)} machines counted, {len(left_out)} left out:")
    for row in left_out:
        print(f"  {row['submitter']}, {row['machine']}: {row['left_out']}")
    for grade, percentile in PERCENTILE.items():
        ram, cores = of_grade(grade)
        print(f"{grade}: {percentile}th percentile: RAM {ram} % of GPU memory, {cores} cores per GPU")
    print(markdown())


if __name__ == "__main__":
    main()
