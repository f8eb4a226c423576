"""A saved result opened again: its market and points, after it was found consistent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from catalogs.errors import CheckFailed, Fault, InputError
from catalogs.files import read_result
from catalogs.load import Catalog
from optimizer.front import Point
from optimizer.market import Market
from optimizer.schema import Result
from optimizer.throughput.calibration import Calibration
from optimizer.verify.consistent import consistent


def opened(file: Path, catalog: Catalog, by: Calibration | None = None) -> tuple[Market, list[Point], Result]:
    """(market of the stored request, its points, the result). Raises InputError for a file that is no result, and
    CheckFailed for one that is not what it says."""
    return judged(read_result(file), catalog, by, str(file))


def reopened(result: Result, catalog: Catalog, by: Calibration | None = None) -> tuple[Market, list[Point]]:
    """(market, points) of a result at hand; raises as `opened` does."""
    return judged(result.model_dump(mode="json"), catalog, by, "result")[:2]


def judged(data: Any, catalog: Catalog, by: Calibration | None, file: str) -> tuple[Market, list[Point], Result]:
    """A result's document found consistent, as `opened` gives it."""
    report, read = consistent(data, catalog, by)
    if report.wrong or read is None or read.market is None:
        remedy = "`dsopt verify` says all that is wrong."
        faults = [Fault("inconsistent", w.text, file, column=w.where, remedy=remedy) for w in report.wrong[:3]]
        if read is None:
            raise InputError(faults or [Fault("bad-result", "is no dsopt result", file, remedy=remedy)])
        raise CheckFailed(faults)
    return read.market, [p for p in read.points if p is not None], read.result


def chosen(result: Result, name: str | None) -> int:
    """Index of the point with an id or a role; the recommended one without. Raises InputError for an unknown name."""
    roles = {**result.named, "recommended": result.recommended or ""}
    wanted = roles.get(name or "recommended", name)
    ids = [p.id for p in result.front]
    if wanted not in ids:
        known = ", ".join([*ids, *(k for k, v in roles.items() if v)])
        raise InputError(
            Fault("no-point", "no such point", column="POINT", value=str(name), remedy=f"One of: {known}.")
        )
    return ids.index(wanted)
