"""`dsopt check`: every rule on a build, and the nearest one that passes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from optimizer.cli.front_view import checks
from optimizer.cli.output import emit_json, note
from optimizer.i18n import chosen as language

HELP = """Examples:

  dsopt check examples/guide-entry.toml

  dsopt check examples/guide-entry.toml --mend

Every rule on a build written by hand or on a saved result; exit 5 when one fails. --mend: the nearest build that
passes, as a list of priced changes."""


def check(
    file: Annotated[Path, typer.Argument(help="build.toml or result.json")],
    model: Annotated[str | None, typer.Option(help="Model, where the file names none.")] = None,
    model_config: Annotated[Path | None, typer.Option(help="A Hugging Face config.json, instead of --model.")] = None,
    catalog: Annotated[list[Path], typer.Option(help="Folder laid over the shipped catalog.")] = [],
    set_: Annotated[list[str], typer.Option("--set", help="One policy value, rule.key=value.")] = [],
    as_of: Annotated[str | None, typer.Option(help="Day of the prices.")] = None,
    measured: Annotated[Path | None, typer.Option(help="CSV of your own measurements: they beat the model.")] = None,
    calibration: Annotated[Path | None, typer.Option(help="Folder that size --calibrate wrote.")] = None,
    mend: Annotated[bool, typer.Option("--mend", help="The nearest build that passes every rule.")] = False,
    budget: Annotated[str | None, typer.Option(help="With --mend: money in all, 20000 or 20万.")] = None,
    json: Annotated[bool, typer.Option("--json", help="JSON on stdout.")] = False,
) -> None:
    """See HELP."""
    from catalogs.load import load
    from constraints.policy import Policy
    from optimizer.buildfile import read
    from optimizer.cli import parse
    from optimizer.library import check as run

    parts = load(catalog)
    if model_config is not None:
        model = parse.model(model, model_config)
    parts, market_request, builds = read(file, parts, model, as_of)
    chosen = Policy().with_settings(set_)
    by, notes = parse.calibration(calibration, measured, parts, chosen)
    for text in notes:
        note(f"{language()('note')}: {language().sentence(text)}")
    if budget is not None:
        cents, currency = parse.money(budget, market_request.currency)
        market_request = market_request.model_copy(update={"budget_cents": cents, "currency": currency})
    out = []
    for name, build in builds:
        found = run(build, market_request, catalog=parts, policy=chosen, calibration=by, name=name)
        out.append(found.model_dump(mode="json"))
        if not json:
            drawn = language()("node load {w} W", w=found.node_w)
            print(f"{name}: {found.nodes} x {found.per_node} {found.gpu}, {drawn}")
            checks(x.model_dump() for x in found.checks)
        if mend:
            from optimizer.cli.why_not_view import show_mended
            from optimizer.explanation.mend import mended
            from optimizer.market import Market

            nearest = mended(Market.open(parts, market_request, chosen, by), build)
            out[-1]["mended"] = nearest and nearest.model_dump(mode="json")
            if not json:
                show_mended(nearest)
    if json:
        emit_json(out)
    if not all(x["ok"] for x in out):
        raise typer.Exit(5)
