"""`dsopt verify`: judge a saved result again."""

from __future__ import annotations

from typing import Annotated

import typer

from optimizer.cli.options import CatalogFolders, MadeWithCalibration, MadeWithMeasurements, ResultFile
from optimizer.cli.output import emit_json, say
from optimizer.text.languages import chosen

HELP = """Examples:

  dsopt verify result.json

  dsopt verify result.json --prove

Prices, sums, throughput and rules of a saved result made anew; --prove also proves that no build is missing."""


def verify(
    ctx: typer.Context,
    file: ResultFile,
    prove: Annotated[bool, typer.Option("--prove", help="Prove again that no better build was overlooked.")] = False,
    engine: Annotated[str, typer.Option(help="Solver of --prove: cp-sat, or highs for small catalogs.")] = "cp-sat",
    thorough: Annotated[
        bool, typer.Option("--thorough", help="With --prove: without bounds and pruning (slow).")
    ] = False,
    catalog: CatalogFolders = [],
    calibration: MadeWithCalibration = None,
    measured: MadeWithMeasurements = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """See HELP."""
    from catalogs.load import load
    from constraints.policy import Policy
    from optimizer.cli import parse
    from optimizer.cli.usage import refuse
    from optimizer.library import verify_result as run
    from optimizer.verify.verdict import Verdict

    if not prove:
        refuse(ctx, "is of --prove", "engine", "thorough")
    parts = load(catalog)
    by = parse.calibration(calibration, measured, parts, Policy())
    found = run(file, prove=prove, engine=engine, thorough=thorough, catalog=parts, calibration=by)  # type: ignore[arg-type]
    if json:
        emit_json({"file": str(file), **found.model_dump(mode="json", exclude={"points"})})
    else:
        for w in found.wrong:
            say(str(w))
        verdict = Verdict(len(found.wrong), found.points, found.unchecked, found.proof)
        say(verdict.said(chosen()))
    if not found.ok:
        raise typer.Exit(5)
