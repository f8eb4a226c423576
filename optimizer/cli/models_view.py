"""`dsopt solve` without a model: a line per model as it is solved, the largest first."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from catalogs.files import written_json
from catalogs.load import Catalog
from constraints.policy import Policy
from constraints.request import Request
from optimizer.cli.money_view import grouped
from optimizer.cli.output import emit_data, note, padded, save, say
from optimizer.cli.wrapped import screen_width
from optimizer.library import best_builds
from optimizer.result.plan_line import plan_line
from optimizer.result.schema import BestBuild
from optimizer.search.clock import Clock
from optimizer.text.languages import chosen

if TYPE_CHECKING:
    from optimizer.throughput.calibration import Calibration

WIDTHS = (20, 12, 30, 11, 7, 13, 5)
LINE = sum(WIDTHS) + len(WIDTHS) - 1
RIGHT = {1, 4, 5, 6}


def models(
    catalog: Catalog, request: Request, policy: Policy, calibration: Calibration, everything: bool, clock: Clock,
    json: bool, output: Path | None, force: bool,
) -> None:  # fmt: skip
    """Solves and prints; exit 4 when no model has a build, 6 when the time limit came first."""
    _ = chosen()

    def tell(one: BestBuild) -> None:
        _line(one, request.currency)

    if not json and not _narrow():
        heads = _("model"), request.currency, _("GPUs"), _("plan"), _("tok/s"), _("80 % interval"), _("users")
        _print(*heads)
        print("─" * LINE)
    found = best_builds(
        request, catalog=catalog, policy=policy, calibration=calibration, everything=everything, clock=clock,
        tell=None if json else tell,
    )  # fmt: skip
    data = found.model_dump(mode="json")
    text = written_json(data) + "\n"
    if output is not None:
        save(output, text, force)
    if json:
        emit_data(text)
    elif found.complete and any(model.point for model in found.models):
        sha = catalog.sha256[:12]
        say(_("Proven for each model: within catalog {sha} and these conditions no build is better.", sha=sha))
    if not found.complete:
        note(_("time limit reached: models are missing or not proven"))
        raise typer.Exit(6)
    if not any(model.point for model in found.models):
        note(_("No model has a build within these conditions."))
        raise typer.Exit(4)


def _line(one: BestBuild, currency: str) -> None:
    """The build, or what stands in its place; below it the models that it is as good for."""
    _, point, name = chosen(), one.point, one.model.id
    if point is None:
        why = _.sentence(one.reason)
        if one.least_cost:
            why = _("from {money} on", money=f"{grouped(one.least_cost)} {currency}")
        say(f"{name}{_.colon}{why}" if _narrow() else f"{name:{WIDTHS[0]}} {why}")
    else:
        throughput, nodes = point.throughput, point.nodes[0].count
        gpus = f"{f'{nodes} x ' if nodes > 1 else ''}{point.gpus.per_node} x {point.gpus.name}"
        how = plan_line(vars(point.plan), once=False)
        cost, speed, interval = (
            grouped(point.cost.total),
            f"{throughput.output_tok_s:,.0f}",
            f"{throughput.low:,.0f}-{throughput.high:,.0f}",
        )
        if _narrow():
            users = _("{n} users at once", n=f"{throughput.concurrency:,}")
            said = _.comma.join([f"{cost} {currency}", f"{speed} {_('tok/s')}{_.bracketed(interval)}", users])
            say(f"{name}{_.colon}{said}")
            say(f"  {gpus}{_.comma}{how}")
        else:
            _print(name, cost, gpus, how, speed, interval, f"{throughput.concurrency:,}")
    if one.same:
        say(f"  {_('same for {models}', models=_.list(one.same))}")


def _narrow() -> bool:
    """Whether a terminal is too narrow for lines of all columns."""
    width = screen_width(sys.stdout)
    return width is not None and width < LINE


def _print(*cells: str) -> None:
    """A line of fixed widths, at once; a cell that is too long pushes the rest to the right."""
    shown = (padded(c, w, i in RIGHT) for i, (c, w) in enumerate(zip(cells, WIDTHS, strict=True)))
    print(" ".join(shown).rstrip(), flush=True)
