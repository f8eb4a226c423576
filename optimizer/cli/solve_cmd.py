"""`dsopt solve`."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from optimizer.cli.options import (
    CALIBRATION,
    CATALOG,
    FORCE,
    JSON,
    MEASURED,
    SET,
    Values,
    given,
    taking,
)
from optimizer.cli.output import emit_data, free, note, note_sentence, save, say
from optimizer.request.entry import ANSWER, BASIS, TERMS, Option
from optimizer.request.fields import fields_of, options_of
from optimizer.text.languages import chosen as language

if TYPE_CHECKING:
    from catalogs.load import Catalog
    from constraints.policy import Policy
    from constraints.request import Request
    from optimizer.request.command import Typed
    from optimizer.request.typed_values import Given
    from optimizer.result.schema import Result
    from optimizer.throughput.calibration import Calibration

HELP = """Examples:

  dsopt solve --budget 300000 --model v2-670b

  dsopt solve --budget 400000 --model r1-671b --users 64

  dsopt solve --throughput 5000 --model v3-671b --json

  dsopt solve --tokens-per-day 200M --model v3-671b

  dsopt solve --budget 20000

  dsopt solve --budget 30000 --model v3-671b --offload --allow-experimental --min-precision 4bit

The proven front of cost against throughput, and the recommended build; without --model the best build of
each model of the DeepSeek family and your own (--all: of every model).

Recommended is, with users or a load asked for, the cheapest build that serves them at the lower end of its 80 %
interval; with a budget alone, the fastest; else the cheapest."""
ANY_MODEL = "v3-671b"
"""Stands in the request where every model is asked for."""
WANTED = ("budget", "throughput", "users", "tokens_per_day", "requests_per_second")
"""Parameters of which one is needed."""
OPTIONS = (
    *options_of("solve"),
    Option("tax", "Tax on everything: 13%, or a country code, CN.", group=TERMS),
    Option("policy", "TOML file of policy values.", Path, group=BASIS),
    SET,
    Option("pue", "Power usage effectiveness (PUE) of the site.", float, group=BASIS),
    Option("energy_price", "Price per kWh, in the currency of the request: 0.8元.", group=BASIS),
    CATALOG,
    MEASURED,
    CALIBRATION,
    Option("time_limit", "Time limit in seconds; then the best front found so far, exit code 6.", float, group=ANSWER),
    Option(
        "workers", "Threads for the proof; the result does not depend on it.", int, 1, group=ANSWER, least=1, most=256
    ),
    Option("embed_catalog", "Include the catalog rows used in the result.", bool, False, group=ANSWER),
    Option("strict", "Exit with code 7 if the recommended build has stale prices.", bool, False, group=ANSWER),
    Option("all_", "Show every point; without --model every model.", bool, False, ("--all",), group=ANSWER),
    Option(
        "verbose",
        "Show more: -v the bill, rules, plans and energy; -vv every rule and the proof.",
        int,
        0,
        ("-v", "--verbose"),
        group=ANSWER,
        counted=True,
    ),
    JSON,
    Option("output", "Save the result as JSON.", Path, None, ("-o", "--output"), group=ANSWER),
    FORCE,
)
OWN_OPTIONS = {
    "money.tax_percent": "tax", "money.support_percent": "support", "energy.pue": "pue",
    "energy.price_per_kwh": "energy_price",
}  # fmt: skip
"""Policy values with an option of their own."""


@taking(OPTIONS)
def solve(ctx: typer.Context, **values: Any) -> None:
    """See HELP."""
    from catalogs.load import load
    from optimizer.cli import parse
    from optimizer.cli.understood import show_name
    from optimizer.request.command import Typed

    single = values["model"] is not None or values["model_config"] is not None
    _refuse_contradictions(ctx, values)
    _refuse_unused(ctx, values, single)
    parts, limit = load(values["catalog"]), parse.time_limit(values["time_limit"])
    asked = given(ctx, values if single else {**values, "model": ANY_MODEL}, parts)
    request = _request(ctx, asked, single)
    show_name(values["model"], request)
    policy = _policy(values, request.currency)
    typed = Typed.of(values)
    if not values["json"]:
        from optimizer.cli.understood import EVERY_MODEL, FAMILY, show_understood

        models_asked = "" if single else EVERY_MODEL if values["all_"] else FAMILY
        show_understood(parts, request, policy, models_asked, typed)
    if parts.replaced:
        note(language()("The overlay replaced: {names}.", names=", ".join(parts.replaced)))
    calibration = parse.calibration(values["calibration"], values["measured"], parts, policy)
    for text in calibration.notes:
        note_sentence(text)
    if single:
        return _solve_one(request, parts, policy, calibration, typed, limit, values)
    from optimizer.cli.models_view import models
    from optimizer.search.clock import Clock, interruptible

    with interruptible(clock := Clock(limit, workers=values["workers"])):
        return models(
            parts, request, policy, calibration, values["all_"], clock, values["json"], values["output"],
            values["force"],
        )  # fmt: skip


def _refuse_contradictions(ctx: typer.Context, values: Values) -> None:
    """Raises BadParameter for options that say one thing twice or exclude each other, and where nothing is wanted."""
    from optimizer.cli.usage import option, set_twice, together, too_coarse, typed
    from optimizer.request.parsing import bits

    if all(values[name] is None for name in WANTED):
        wanted = ", ".join(f"--{name.replace('_', '-')}" for name in WANTED)
        raise typer.BadParameter(f"one of {wanted} is needed")
    if values["output"] is not None:
        free(values["output"], values["force"])
    together(ctx, "model", "model_config")
    together(ctx, "tokens_per_day", "requests_per_second")
    set_twice(values["set_"], {key: option(ctx, name) for key, name in OWN_OPTIONS.items() if typed(ctx, name)})
    too_coarse(values["precision"], bits(values["min_precision"]))
    _refuse_sellers(values["one_seller"], values["max_sellers"], values["max_share"])


def _refuse_sellers(one_seller: bool, most: int | None, max_share: str | None) -> None:
    """Raises BadParameter for two numbers of sellers, and for a share of the cost below 100 % where one seller has all
    of it."""
    from optimizer.request.parsing import percent

    if one_seller and most not in (None, 1):
        raise typer.BadParameter(f"--one-seller and --max-sellers {most} contradict: give one")
    share = percent("--max-share", max_share)
    if (one_seller or most == 1) and share is not None and share < 100:
        option = "--one-seller" if one_seller else "--max-sellers 1"
        raise typer.BadParameter(f"{option} and --max-share {max_share} contradict: one seller has 100 %")


def _refuse_unused(ctx: typer.Context, values: Values, single: bool) -> None:
    """Raises BadParameter for options that the answer asked for would not use."""
    from catalogs.errors import InputError
    from optimizer.cli.usage import refuse, refuse_of_other_workload

    output = values["output"]
    if single and values["json"]:
        refuse(ctx, "is of the table: the JSON holds every point", "all_")
    if values["json"]:
        refuse(ctx, "is of the view: the JSON holds everything", "verbose")
    if not single:
        refuse(ctx, "is of the result of one model (--model)", "embed_catalog", "strict", "verbose")
    elif values["embed_catalog"] and not values["json"] and output is None:
        refuse(ctx, "the rows stand in the JSON: give --json or -o", "embed_catalog")
    if output is not None and not output.parent.is_dir():
        text = f"cannot write: no folder {output.parent}"
        raise InputError(text, "not-writable", "Name a writable place.")
    refuse_of_other_workload(ctx, "solve", values["workload"])


def _request(ctx: typer.Context, asked: Given, single: bool) -> Request:
    """What the options ask for."""
    from optimizer.cli.usage import kv_of_the_model, refuse_opposed
    from optimizer.request.parsing import counted_gpus
    from optimizer.request.typed_request import request_of

    if len(numbers := {number for number, _ in counted_gpus(asked) if number}) > 1:
        raise typer.BadParameter(f"--gpu gives several numbers of GPUs: {', '.join(map(str, sorted(numbers)))}")
    refuse_opposed(asked, fields_of("solve"))
    request = request_of(asked, fields_of("solve"))
    if single:
        kv_of_the_model(ctx, request)
    return request


def _policy(values: Values, currency: str) -> Policy:
    """Of --policy, then --set and the options that policy values have of their own."""
    from catalogs.errors import Fault, InputError
    from constraints.policy import Policy, tax_percent
    from optimizer.request.purchase_terms import support

    pue, energy_price, tax = values["pue"], values["energy_price"], values["tax"]
    if pue is not None and not 1 <= pue <= 10:
        fault = Fault("bad-pue", "needs a number from 1 to 10", column="--pue", value=f"{pue:g}")
        raise InputError(fault)
    percent, _ = support(values["support"])
    settings = list(values["set_"])
    settings += [f"energy.pue={pue}"] if pue is not None else []
    settings += [f"energy.price_per_kwh={_energy_price(energy_price, currency):f}"] if energy_price is not None else []
    settings += [f"money.tax_percent={tax_percent(tax)}"] if tax else []
    settings += [f"money.support_percent={percent}"] if percent is not None else []
    policy = Policy().with_file(values["policy"]) if values["policy"] else Policy()
    return policy.with_settings(settings)


def _solve_one(
    request: Request, parts: Catalog, policy: Policy, calibration: Calibration, typed: Typed, limit: float | None,
    values: Values,
) -> None:  # fmt: skip
    """The front of one model; exit 6 where it is not proven, 4 where there is no build."""
    from catalogs.files import written_json
    from optimizer.cli.no_build_view import telling
    from optimizer.cli.progress import progress
    from optimizer.library import solve as run
    from optimizer.search.clock import Clock, interruptible

    with progress() as tell, interruptible(clock := Clock(limit, tell, values["workers"])):
        result = run(
            request, catalog=parts, policy=policy, calibration=calibration, clock=clock,
            embed_catalog=values["embed_catalog"], typed=typed, tell=telling(brief=not values["verbose"]),
        )  # fmt: skip
    if values["json"] or values["output"] is not None:
        text = written_json(result.model_dump(mode="json")) + "\n"
        if values["output"] is not None:
            save(values["output"], text, values["force"])
        if values["json"]:
            emit_data(text)
    if not values["json"]:
        _show(result, _again(request, policy, typed, values), values)
    if not result.proof.complete:
        note(language()("stopped before the proof: best checked front so far, not proven complete"))
        raise typer.Exit(6)
    if not result.front:
        raise typer.Exit(4)
    if values["strict"]:
        _refuse_stale(result)


def _show(result: Result, command: str, values: Values) -> None:
    """The answer on one screen, or with -v all of it."""
    shown = result.model_dump()  # not as JSON: texts keep their keys
    verbose, found = values["verbose"], result.explanation
    if verbose or (not result.front and found is None):
        from optimizer.cli.front_view import show
        from optimizer.cli.no_build_view import show_no_build

        if found is not None:
            show_no_build(found, shown["messages"])
        else:
            if result.front:
                from optimizer.cli.sentence_view import sentences

                say("\n" + language().apart.join(sentences(shown)))
            show(shown, values["all_"], verbose > 1)
    elif found is not None:
        from optimizer.cli.no_build_short import show_no_build_short

        show_no_build_short(found, command, values["output"])
    else:
        from optimizer.cli.short_view import show_short

        show_short(shown, command, values["output"])


def _again(request: Request, policy: Policy, typed: Typed, values: Values) -> str:
    """The command line that asks for the same, as short as it can be: today's prices need no date."""
    from optimizer.request.command import command
    from optimizer.text.languages import default_language

    words = command(request, policy, typed.files, typed.rest)
    if values["as_of"] is None:
        words = words.replace(f" --as-of {request.as_of}", "")
    if values["time_limit"] is not None:
        words += f" --time-limit {values['time_limit']:g}"
    spoken = language().language
    return words if spoken == default_language() else f"{words} --lang {spoken}"


def _refuse_stale(result: Result) -> None:
    """Exit 7 where a price of the recommended build is stale, with the parts."""
    best = next(point for point in result.front if point.id == result.recommended)
    stale = list(dict.fromkeys(line.name for line in best.bom if line.stale))
    if stale:
        _ = language()
        note(_("stale prices of {point} under --strict: {parts}", point=best.id, parts=_.list(stale)))
        raise typer.Exit(7)


def _energy_price(text: str, currency: str) -> Decimal:
    """Of a kWh, in the request's currency; 0 is allowed. Raises InputError for what is none or names another one."""
    from optimizer.text.money import amount, bad

    if text.strip().strip("0") in ("", "."):
        return Decimal(0)
    found = amount(text, "--energy-price", currency)
    if found.currency not in ("", currency):
        remedy = f"Give it in {currency}."
        why = f"is in {found.currency}, the request in {currency}"
        raise bad("--energy-price", text, why, remedy, "contradicting-currency")
    return found.value
