"""`dsopt explain`: what binds in a saved result, why no build exists, why not that part."""

from __future__ import annotations

from typing import Annotated

import typer

from optimizer.cli.options import CatalogFolders, MadeWithCalibration, MadeWithMeasurements, ResultFile
from optimizer.cli.output import emit_json, note
from optimizer.text.languages import chosen as language

HELP = """Examples:

  dsopt explain result.json

  dsopt explain result.json p3 --why-not "8x H20"

  dsopt explain result.json --vary gpu=±20%

  dsopt explain result.json --price-risk

What binds and the price of a step, where the money goes, what the neighbours on the front change; of a request that no
build meets the conflict and the ways out. All of it is solved for."""


def explain(
    ctx: typer.Context,
    file: ResultFile,
    point: Annotated[
        str | None, typer.Argument(help="A point of the front: its id, or recommended, fastest, cheapest, value.")
    ] = None,
    why_not: Annotated[
        list[str], typer.Option(help='Why not this? "8x H20", a part, or a build.toml: it is solved with it.')
    ] = [],
    vary: Annotated[
        list[str],
        typer.Option(help="Move prices: gpu=±20%, memory=1.5x, PART=PRICE; shows how far the build stays the best."),
    ] = [],
    price_risk: Annotated[
        bool, typer.Option("--price-risk", help="Fronts at low and high prices, and the build of least regret.")
    ] = False,
    bad_prices: Annotated[
        int, typer.Option(min=0, help="With --price-risk: how many prices turn out high at once; 0: the policy's.")
    ] = 0,
    catalog: CatalogFolders = [],
    calibration: MadeWithCalibration = None,
    measured: MadeWithMeasurements = None,
    time_limit: Annotated[
        float | None, typer.Option(help="Time limit in seconds; then what is known so far, exit code 6.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """See HELP."""
    from catalogs.load import load
    from constraints.policy import Policy
    from optimizer.cli import explain_view, parse
    from optimizer.cli.progress import progress
    from optimizer.cli.usage import refuse
    from optimizer.library import open_result
    from optimizer.request.command import Typed
    from optimizer.search.clock import Clock, interruptible

    if not price_risk:
        refuse(ctx, "is of --price-risk", "bad_prices")
    limit, parts = parse.time_limit(time_limit), load(catalog)
    opened = open_result(file, catalog=parts, calibration=parse.calibration(calibration, measured, parts, Policy()))
    with progress() as tell, interruptible(clock := Clock(limit, tell)):
        if opened.points:
            if price_risk and not why_not and not vary:
                refuse(ctx, "--price-risk is of the whole front, not of a point", "point")
            opened.at(point)  # refused before anything is solved
            bad = bad_prices if price_risk else None
            said, complete = explain_view.answers(opened, point, clock, why_not, vary, bad, not json)
        else:
            why = "is of a point of a front: no build meets this request"
            refuse(ctx, why, "point", "why_not", "vary", "price_risk", "bad_prices")
            typed = Typed.of({"catalog": catalog, "measured": measured, "calibration": calibration})
            said, complete = explain_view.no_build(opened, clock, typed, not json)
    if json and said:
        emit_json({"file": str(file), **said})
    if not complete:
        _ = language()
        note(
            _("stopped at the time limit, before everything was answered")
            if said
            else _("stopped at the time limit, before there was an answer")
        )
        raise typer.Exit(6)
    if not opened.points:
        raise typer.Exit(4)
