"""A saved result opened again: its market and points, after it was found consistent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from catalogs.errors import CheckFailed, Fault, InputError
from catalogs.load import Catalog
from catalogs.nearest import one_of
from optimizer.market.market import Market
from optimizer.result.schema import Result
from optimizer.search.front import Point
from optimizer.throughput.calibration import Calibration
from optimizer.verify.consistent import consistent


@dataclass(frozen=True)
class Opened:
    """A result that its catalog and calibration bear out, to be asked any number of questions. `unchecked`: sentences
    on what could not be judged."""

    result: Result
    market: Market
    points: tuple[Point, ...]
    unchecked: tuple[str, ...]

    def at(self, name: str | None) -> int:
        """Index of a point as `chosen` finds it."""
        return chosen(self.result, name)


def other_document(data: Any, file: str) -> Fault | None:
    """What to say of JSON that has nothing of a result: one sentence, instead of each field that it lacks."""
    if isinstance(data, dict) and ("request" in data or "front" in data):
        return None
    text = "is JSON, but no dsopt result: it has neither request nor front"
    return Fault("bad-result", text, file, remedy="`dsopt solve ... -o FILE` saves a result.")


def opened(data: Any, catalog: Catalog, by: Calibration | None, file: str) -> Opened:
    """A result's document. Raises InputError for what is none, and CheckFailed for one that is not what it says."""
    if fault := other_document(data, file):
        raise InputError([fault])
    report, read = consistent(data, catalog, by)
    if report.wrong or read is None or read.market is None:
        remedy = "`dsopt verify` says all that is wrong."
        faults = [Fault("inconsistent", w.text, file, column=w.where, remedy=remedy) for w in report.wrong[:3]]
        if read is None:
            raise InputError(faults or [Fault("bad-result", "is no dsopt result", file, remedy=remedy)])
        raise CheckFailed(faults)
    points = tuple(point for point in read.points if point is not None)
    return Opened(read.result, read.market, points, tuple(report.unchecked))


def chosen(result: Result, name: str | None, option: str = "POINT") -> int:
    """Index of the point with an id or a role; the recommended one without. Raises InputError (no-point) for an
    unknown name, which was typed as `option`."""
    roles = {**result.named, "recommended": result.recommended or ""}
    wanted = roles.get(name or "recommended", name)
    ids = [point.id for point in result.front]
    if wanted not in ids:
        if not ids:
            raise InputError(Fault("no-point", "the result has no build: its front is empty"))
        remedy = one_of(name, [*ids, *(k for k, v in roles.items() if v)])
        raise InputError(Fault("no-point", "no such point", column=option, value=name or "", remedy=remedy))
    return ids.index(wanted)
