"""`dsopt solve` without a model: a line per model as it is solved, the largest first."""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import Any

import typer

from catalogs.files import write_text
from catalogs.load import Catalog
from constraints.policy import Policy
from constraints.request import Request
from optimizer.cli.output import note, padded
from optimizer.i18n import chosen
from optimizer.load import with_load
from optimizer.throughput.calibration import Calibration

WIDTHS = (20, 8, 30, 11, 7, 13, 5)
RIGHT = {1, 4, 5, 6}


def models(
    catalog: Catalog, request: Request, policy: Policy, calibration: Calibration, everything: bool,
    time_limit: float | None, json: bool, output: Path | None, workers: int = 1,
) -> None:  # fmt: skip
    """Solves and prints; exit 4 when no model has a build, 6 when the time limit came first."""
    from optimizer.per_model import best_builds
    from optimizer.size_report import families

    _ = chosen()
    if not json:
        heads = _("model"), request.currency, _("GPUs"), _("plan"), _("tok/s"), _("80 % interval"), _("users")
        _print(*heads)
        print("─" * (sum(WIDTHS) + len(WIDTHS) - 1))
    found = []
    for one in best_builds(catalog, request, policy, calibration, everything, time_limit, workers):
        found.append(one)
        if not json:
            _line(one, request.currency)
    complete = len(found) == len(families(everything)) and all(x["status"] != "feasible" for x in found)
    data = {
        "schema_version": "1",
        "request": with_load(request, policy).model_dump(mode="json"),
        "policy": {k: str(v) for k, v in sorted(policy.changed.items())},
        "throughput_model": {"calibration": calibration.name, "sha256": calibration.sha256},
        "complete": complete,
        "models": found,
    }
    text = json_module.dumps(data, ensure_ascii=False, indent=2)
    if output is not None:
        write_text(output, text + "\n")
    if json:
        print(text)
    elif complete:
        sha = catalog.sha256[:12]
        print(_("Proven for each model: within catalog {sha} and these conditions no build is better.", sha=sha))
    if not complete:
        note(_("time limit reached: models are missing or not proven"))
        raise typer.Exit(6)
    if not any(x["point"] for x in found):
        note(_("No model has a build within these conditions."))
        raise typer.Exit(4)


def _line(one: dict[str, Any], currency: str) -> None:
    """The build, or what stands in its place; below it the models that it is as good for."""
    _, p = chosen(), one["point"]
    if p is None:
        least = one["least_cost"]
        why = _.sentence(one["reason"])
        if least:
            why = _("from {money} on", money=f"{float(least):,.0f} {currency}")
        print(f"{one['model']['id']:{WIDTHS[0]}} {why}", flush=True)
    else:
        t, plan, g, nodes = p["throughput"], p["plan"], p["gpus"], p["nodes"][0]["count"]
        sizes = " ".join(f"{k}{plan[k]}" for k in ("tp", "pp", "dp", "ep") if plan[k] > 1) or "tp1"
        copies = f" x{plan['replicas']}" if plan["replicas"] > 1 else ""
        gpus = f"{f'{nodes} x ' if nodes > 1 else ''}{g['per_node']} x {g['name']}"
        how = f"{plan['precision']} {sizes}{' host' * (plan['experts'] == 'host')}{copies}"
        _print(one["model"]["id"], f"{float(p['cost']['total']):,.0f}", gpus, how, f"{t['output_tok_s']:,.0f}",
               f"{t['low']:,.0f}-{t['high']:,.0f}", f"{t['concurrency']:,}")  # fmt: skip
    if one["same"]:
        print(f"  {_('same for {models}', models=', '.join(one['same']))}", flush=True)


def _print(*cells: str) -> None:
    """A line of fixed widths, at once; a cell that is too long pushes the rest to the right."""
    shown = (padded(c, w, i in RIGHT) for i, (c, w) in enumerate(zip(cells, WIDTHS, strict=True)))
    print(" ".join(shown).rstrip(), flush=True)
