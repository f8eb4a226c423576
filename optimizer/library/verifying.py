"""A saved result judged again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from catalogs.load import Catalog
from catalogs.nearest import one_of
from optimizer.library.opening import shipped_catalog
from optimizer.result.schema import Result
from optimizer.throughput.calibration import Calibration

if TYPE_CHECKING:
    from optimizer.verify.schema import Verified


def verify_result(
    result: Result | Path, *, prove: bool = False, engine: Literal["cp-sat", "highs"] = "cp-sat",
    thorough: bool = False, catalog: Catalog | None = None, calibration: Calibration | None = None,
) -> Verified:  # fmt: skip
    """Prices, sums, throughput and rules of a result made anew by plain arithmetic, and compared (docs/verify.md).

    Parameters:
        result: Of `solve`, or the path of a saved one.
        prove: Prove also that no build is missing under the front.
        engine: Solver of that proof; highs is for small catalogs.
        thorough: Prove without bounds and pruning: slow.
        catalog: The catalog that the result was made with.
        calibration: The calibration that the result was made with.

    Returns:
        All that is wrong, each with its place in the document; what could not be checked; the proof where asked for.

    Raises:
        InputError: A file that can't be read, or an unknown engine.
    """
    from catalogs.errors import InputError
    from catalogs.files import read_result
    from optimizer.text.languages import Words
    from optimizer.verify.consistent import consistent
    from optimizer.verify.schema import ProvenAgain, Verified, WrongPlace
    from optimizer.verify.verdict import Verdict

    if engine not in ("cp-sat", "highs"):
        raise InputError(f"no engine {engine!r}", "unknown-engine", one_of(engine, ("cp-sat", "highs")))
    data = read_result(result) if isinstance(result, Path) else result.model_dump(mode="json")
    report, read = consistent(data, catalog or shipped_catalog(), calibration)
    proof = None
    if prove:
        from optimizer.verify.complete import complete

        proof = complete(read, report, engine, thorough)
    proven = None if proof is None else ProvenAgain.model_validate(proof)
    verdict = Verdict(len(report.wrong), len(read.points) if read else 0, report.unchecked, proven)
    return Verified(
        ok=not report.wrong,
        verdict=verdict.said(Words()),
        wrong=[WrongPlace(where=w.where, text=w.text) for w in report.wrong],
        unchecked=report.unchecked,
        points=verdict.points,
        proof=proven,
    )
