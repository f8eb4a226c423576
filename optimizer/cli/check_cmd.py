"""`dsopt check`: every rule on a build, and the nearest one that passes; the X-ray of a vendor's quote."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from optimizer.cli.front_view import checks
from optimizer.cli.money_view import total
from optimizer.cli.output import emit_json, note, say, speak
from optimizer.text.languages import chosen as language

HELP = """Examples:

  dsopt check examples/guide-entry.toml

  dsopt check examples/guide-entry.toml --mend

  dsopt check quote.xlsx --model v3-671b --users 64

  dsopt check quote.xlsx --model v3-671b --have racks,network -o xray.xlsx

Every rule on a build written by hand, on a saved result, or on a vendor's quote (.xlsx, .xls, .ods, .csv, ...); exit 5
when one fails. --mend: the nearest build that passes, as a list of priced changes. Of a quote also: each price beside
the catalog's, sums and tax, what is missing, what the money would buy instead; see docs/xray.md."""


def check(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="build.toml, result.json, or a vendor's quote")],
    model: Annotated[str | None, typer.Option(help="Model, where the file names none.")] = None,
    model_config: Annotated[Path | None, typer.Option(help="A Hugging Face config.json, instead of --model.")] = None,
    catalog: Annotated[list[Path], typer.Option(help="Folder laid over the shipped catalog.")] = [],
    set_: Annotated[list[str], typer.Option("--set", help="One policy value, rule.key=value.")] = [],
    as_of: Annotated[str | None, typer.Option(help="Day of the prices.")] = None,
    measured: Annotated[Path | None, typer.Option(help="CSV of your own measurements: they beat the model.")] = None,
    calibration: Annotated[Path | None, typer.Option(help="Folder that size --calibrate wrote.")] = None,
    mend: Annotated[bool, typer.Option("--mend", help="The nearest build that passes every rule.")] = False,
    budget: Annotated[str | None, typer.Option(help="With --mend: most money in all, 20000 or 20万.")] = None,
    users: Annotated[int | None, typer.Option(help="Quote: Requests at once.")] = None,
    precision: Annotated[str | None, typer.Option(help="Quote: fp16, fp8, int4, ...")] = None,
    min_precision: Annotated[str | None, typer.Option(help="Quote: 4bit, 8bit, 16bit.")] = None,
    workload: Annotated[str | None, typer.Option(help="Quote: As of solve; chat.")] = None,
    isl: Annotated[int | None, typer.Option(help="Quote: Tokens in per request.")] = None,
    osl: Annotated[int | None, typer.Option(help="Quote: Tokens out per request.")] = None,
    min_tok_s_user: Annotated[float | None, typer.Option(help="Quote: Each user's speed; 10.")] = None,
    offload: Annotated[bool, typer.Option("--offload", help="Quote: Experts in RAM too.")] = False,
    allow_experimental: Annotated[
        bool, typer.Option("--allow-experimental", help="Quote: Count engines marked experimental.")
    ] = False,
    have: Annotated[str | None, typer.Option(help="Quote: Site has: racks,network.")] = None,
    site_water: Annotated[bool, typer.Option("--site-water", help="Quote: Facility water.")] = False,
    circuit: Annotated[str | None, typer.Option(help="Quote: 15A@120V.")] = None,
    condition: Annotated[str | None, typer.Option(help="Quote: Compare with parts that are new, used, any.")] = None,
    currency: Annotated[str | None, typer.Option(help="Quote: Of the report; the quote's.")] = None,
    rate: Annotated[str | None, typer.Option(help="Quote: USD per unit of the quote's currency.")] = None,
    tax: Annotated[str | None, typer.Option(help="Quote: Tax in its prices, where it says no rate: 19%.")] = None,
    above: Annotated[str | None, typer.Option(help="Quote: Mark prices this far above the catalog's; 15%.")] = None,
    map_: Annotated[Path | None, typer.Option("--map", help="Quote: How to read it; written where it is not.")] = None,
    review: Annotated[Path | None, typer.Option(help="Quote: CSV of lines that need a look.")] = None,
    term: Annotated[
        str | None,
        typer.Option(help="Quote: Months that what is paid by time is counted over; stated; once: a purchase."),
    ] = None,
    accept_fuzzy: Annotated[bool, typer.Option("--accept-fuzzy", help="Quote: Take suggestions as matches.")] = False,
    quick: Annotated[bool, typer.Option("--quick", help="Quote: No search for other builds.")] = False,
    time_limit: Annotated[
        float | None, typer.Option(help="Quote, --mend: Seconds for the searches; exit 6 when they end it.")
    ] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Quote: X-ray as .xlsx or .json.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Quote: Overwrite existing files.")] = False,
    lang: Annotated[str | None, typer.Option(help="en or zh: of the terminal and the workbook.")] = None,
    json: Annotated[bool, typer.Option("--json", help="JSON on stdout.")] = False,
) -> None:
    """See HELP."""
    from constraints.request import TRAINING
    from optimizer.cli.usage import refuse, together
    from optimizer.cli.xray_cmd import Options, is_vendor_file, xray_file

    together(ctx, "model", "model_config")
    if lang is not None:
        speak(lang)
    options = Options(
        {
            "users": users, "precision": precision, "min_precision": min_precision, "workload": workload, "isl": isl,
            "osl": osl, "min_tok_s_user": min_tok_s_user, "offload": offload, "have": have, "site_water": site_water,
            "allow_experimental": allow_experimental,
            "circuit": circuit, "condition": condition, "currency": currency, "rate": rate, "tax": tax, "above": above,
            "map": map_, "review": review, "accept_fuzzy": accept_fuzzy, "term": term, "quick": quick, "output": output,
            "force": force,
        }
    )  # fmt: skip
    if is_vendor_file(file):
        refuse(ctx, "is for builds: a quote is judged by its own price", "budget")
        refuse(ctx, "is of a build: of a quote the nearest build is looked for anyhow, but with --quick", "mend")
        if output is None and review is None:
            refuse(ctx, "is of -o and --review", "force")
        if quick:
            refuse(ctx, "limits a search, and --quick makes none", "time_limit")
        if workload in TRAINING:
            refuse(ctx, f"is of serving, not of {workload}", "offload")
        return xray_file(
            file, options, model=model, model_config=model_config, catalog=catalog, set_=set_, as_of=as_of,
            measured=measured, calibration=calibration, time_limit=time_limit, json=json,
        )  # fmt: skip
    if time_limit is not None and not mend:
        raise typer.BadParameter("--time-limit is of --mend, or of a vendor's quote")
    if file.suffix.lower() == ".json":
        refuse(ctx, "a result says it itself", "model", "model_config")
    refuse(ctx, f"is of a vendor's quote, not of {file.name}", *options.names)
    from catalogs.load import load
    from constraints.policy import Policy
    from optimizer.cli import parse
    from optimizer.cli.understood import show_understood
    from optimizer.library import check as run
    from optimizer.library import read_build, read_policy
    from optimizer.request.command import Typed
    from optimizer.search.clock import Clock, TimeUp, interruptible
    from optimizer.text.money import currency_code, money

    limit = parse.time_limit(time_limit)
    parts = load(catalog)
    if model_config is not None:
        model = parse.model(model, model_config)
    parts, market_request, builds = read_build(file, catalog=parts, model=model, as_of=as_of)
    chosen = Policy().with_settings([*read_policy(file), *set_])  # a result is judged by the policy it was made with
    by = parse.calibration(calibration, measured, parts, chosen)
    for text in by.notes:
        note(f"{language()('note')}{language().colon}{language().sentence(text)}")
    if budget is not None:
        of_file = market_request.currency if file.suffix == ".json" else os.environ.get("DSOPT_CURRENCY") or None
        found_budget = money(budget, default=of_file and currency_code(of_file, "DSOPT_CURRENCY"))
        update = {"budget_cents": found_budget.cents, "currency": found_budget.currency}
        market_request = market_request.model_copy(update=update)
    if not json:
        typed = Typed.of(model_config=model_config, catalog=catalog, measured=measured, by=calibration)
        show_understood(parts, market_request, chosen, typed=typed)
    out, complete = [], True
    with interruptible(clock := Clock(limit)):
        for name, build in builds:
            found = run(build, market_request, catalog=parts, policy=chosen, calibration=by, name=name)
            out.append(found.model_dump(mode="json"))
            if not json:
                gpus = f"{found.nodes} x {found.per_node} {found.gpu}"
                say(language()("{name}: {gpus}, node load {w} W", name=name, gpus=gpus, w=f"{found.node_w:,}"))
                if found.net and found.tax and found.total:
                    say(language()("Cost: {sum}", sum=total(found.net, found.tax, found.total, found.currency)))
                checks(x.model_dump() for x in found.checks)
            if mend:
                from optimizer.cli.why_not_view import show_mended
                from optimizer.library import mend as mended

                try:
                    nearest = mended(build, market_request, catalog=parts, policy=chosen, calibration=by, clock=clock)
                except TimeUp:
                    complete = False
                    continue
                complete = complete and (nearest is None or nearest.proof.status == "optimal")
                out[-1]["mended"] = nearest and nearest.model_dump(mode="json")
                if not json:
                    show_mended(nearest)
    if json:
        emit_json(out)
    if not complete:
        note(language()("stopped: the time was up before all was answered"))
        raise typer.Exit(6)
    if not all(x["ok"] for x in out):
        raise typer.Exit(5)
