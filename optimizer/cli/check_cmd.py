"""`dsopt check`: every rule on a build, and the nearest one that passes."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from optimizer.cli.front_view import checks
from optimizer.cli.money_view import total
from optimizer.cli.options import (
    CALIBRATION,
    CATALOG,
    JSON,
    LANGUAGE,
    MEASURED,
    SET,
    Values,
    argument,
    given,
    taking,
)
from optimizer.cli.output import emit_json, note, note_sentence, say, speak
from optimizer.cli.xray_cmd import HELD_AGAINST, READING, TIME_LIMIT
from optimizer.request.entry import ASK, TERMS, Option
from optimizer.request.fields import fields_of, options_of
from optimizer.text.languages import N_
from optimizer.text.languages import chosen as language

if TYPE_CHECKING:
    from catalogs.load import Catalog
    from constraints.build import Build
    from constraints.policy import Policy
    from constraints.request import Request
    from optimizer.result.schema import Checked
    from optimizer.search.clock import Clock
    from optimizer.throughput.calibration import Calibration

HELP = """Examples:

  dsopt check examples/guide-entry.toml

  dsopt check examples/guide-entry.toml --mend

Every rule on a build written by hand or on a saved result; exit 5 when one fails. A build written by hand may be a
machine that exists: parts without an offer or a fresh price and memory that makers support unevenly spread are
warnings, and unknown = ["drive", "psu"] says what is not known of it (docs/files.md). --mend: the nearest build that
can be bought and passes, as a list of priced changes. For a vendor's quote (.xlsx, .csv, ...) see dsopt xray."""
OWN = (
    *(replace(option, help="Model, where the file names none.") if option.name == "model" else option
      for option in options_of("check")),
    Option("budget", "With --mend: budget for everything, 20000 or 20万.", group=TERMS),
    Option("mend", "Find the nearest build that passes every rule.", bool, False, ("--mend",), group=ASK),
    SET, CATALOG, MEASURED, CALIBRATION,
    replace(TIME_LIMIT, help="With --mend: time limit of the search in seconds; exit code 6 if it is reached."),
    LANGUAGE, JSON,
)  # fmt: skip
NOT_KNOWN = {
    "memory": N_("the unknown memory"),
    "drive": N_("the unknown drives"),
    "nic": N_("the unknown network cards"),
    "psu": N_("the unknown power supplies"),
    "cooling": N_("the unknown coolers"),
}
"""What the cost of a machine lacks, by the category of which it is not known what the machine has."""
OF_QUOTES = tuple(
    replace(option, hidden=True) for option in (*HELD_AGAINST, *READING) if option.name not in {own.name for own in OWN}
)
"""Options of `dsopt xray`, which `check` passes a vendor's file on to, as it always did."""


@taking((*OWN, *OF_QUOTES), argument("file", Path, "A build.toml or a result.json."))
def check(ctx: typer.Context, file: Path, **values: Any) -> None:
    """See HELP."""
    from catalogs.errors import Fault, InputError
    from optimizer.cli.usage import together
    from optimizer.cli.xray_cmd import is_vendor_file, refuse_lists, xray_file

    together(ctx, "model", "model_config")
    if values["lang"] is not None:
        speak(values["lang"])
    if file.is_dir():
        raise InputError(Fault("no-file", "is a folder", str(file), remedy="Name a file."))
    if is_vendor_file(file):
        _refuse_of_builds(ctx)
        refuse_lists(file)
        note(language()("{file} is a vendor's file: dsopt xray is the command for it now", file=file.name))
        return xray_file(ctx, file, values)
    _refuse_of_quotes(ctx, file, values)
    return _check(ctx, file, values)


def _refuse_of_builds(ctx: typer.Context) -> None:
    """Raises BadParameter for options that a vendor's file has no use for."""
    from optimizer.cli.usage import refuse

    refuse(ctx, "is for builds: a quote is judged by its own price", "budget")
    refuse(ctx, "is of a build: of a quote the nearest build is looked for anyhow, but with --quick", "mend")


def _refuse_of_quotes(ctx: typer.Context, file: Path, values: Values) -> None:
    """Raises BadParameter for options that a build or a result has no use for."""
    from optimizer.cli.usage import refuse

    if values["time_limit"] is not None and not values["mend"]:
        raise typer.BadParameter("--time-limit is of --mend, or of a vendor's quote")
    if file.suffix.lower() == ".json":
        refuse(ctx, "a result says it itself", "model", "model_config")
    refuse(ctx, f"is of a vendor's quote, not of {file.name}", *(option.name for option in OF_QUOTES))


@dataclass(frozen=True)
class Checking:
    """What builds are checked with."""

    request: Request
    parts: Catalog
    policy: Policy
    calibration: Calibration
    clock: Clock
    mends: bool
    prints: bool
    exists: bool
    """A build written by hand may be a machine that stands already; those of a result are to be bought."""


@dataclass(frozen=True)
class Answer:
    """What is said of a build; `complete`: whether the search for the nearest one came to its end."""

    data: dict[str, Any]
    complete: bool = True


def _check(ctx: typer.Context, file: Path, values: Values) -> None:
    """Every build of the file; exit 5 when one fails, 6 when the time was up."""
    from catalogs.load import load
    from constraints.policy import Policy
    from optimizer.cli import parse
    from optimizer.cli.understood import show_name
    from optimizer.library import read_build, read_policy
    from optimizer.request.named_model import settled
    from optimizer.search.clock import Clock, interruptible

    limit = parse.time_limit(values["time_limit"])
    parts, model = load(values["catalog"]), values["model"]
    if values["model_config"] is not None:
        from optimizer.request.parsing import model_of

        model = model_of(model, values["model_config"])
    parts, asked, builds = read_build(file, catalog=parts, model=model, as_of=values["as_of"])
    request = settled(asked)
    show_name(asked.model, request)
    policy = Policy().with_settings([*read_policy(file), *values["set_"]])  # a result: the policy it was made with
    calibration = parse.calibration(values["calibration"], values["measured"], parts, policy)
    for text in calibration.notes:
        note_sentence(text)
    request = _with_options(ctx, request, values, parts)
    if values["budget"] is not None:
        request = _with_budget(request, values["budget"], file)
    if not values["json"]:
        _show_understood(request, values, parts, policy)
    with interruptible(clock := Clock(limit)):
        prints, exists = not values["json"], file.suffix != ".json"
        how = Checking(request, parts, policy, calibration, clock, values["mend"], prints, exists)
        answers = [_answer(name, build, how) for name, build in builds]
    if values["json"]:
        emit_json([answer.data for answer in answers])
    if not all(answer.complete for answer in answers):
        note(language()("stopped at the time limit, before everything was answered"))
        raise typer.Exit(6)
    if not all(answer.data["ok"] for answer in answers):
        raise typer.Exit(5)


def _with_options(ctx: typer.Context, request: Request, values: Values, parts: Catalog) -> Request:
    """The file's request under what the options say; its model and day were read with it."""
    from optimizer.request.typed_request import laid_over

    fields = [name for name in fields_of("check") if name not in ("model", "as_of")]
    return laid_over(request, given(ctx, values, parts), fields)


def _with_budget(request: Request, budget: str, file: Path) -> Request:
    """The request with a budget in its own currency, or in that of the amount; a market that the currency meant is the
    new one's."""
    from constraints.physics.markets import of_the_currency, settled_market
    from optimizer.text.money import currency_code, money

    of_file = request.currency if file.suffix == ".json" else os.environ.get("DSOPT_CURRENCY") or None
    found = money(budget, default=of_file and currency_code(of_file, "DSOPT_CURRENCY"))
    market = None if of_the_currency(request) else request.market
    money_asked = {"budget_cents": found.cents, "currency": found.currency, "market": market}
    return settled_market(request.model_copy(update=money_asked))


def _show_understood(request: Request, values: Values, parts: Catalog, policy: Policy) -> None:
    from optimizer.cli.understood import show_understood
    from optimizer.request.command import Typed

    show_understood(parts, request, policy, typed=Typed.of(values))


def _answer(name: str, build: Build, how: Checking) -> Answer:
    """Every rule on a build, printed as it is found, and the nearest build that passes."""
    from optimizer.library import check as run

    found = run(
        build, how.request, catalog=how.parts, policy=how.policy, calibration=how.calibration, name=name,
        exists=how.exists,
    )  # fmt: skip
    if how.prints:
        _show(name, found)
    data = found.model_dump(mode="json")
    return _mended(build, data, how) if how.mends else Answer(data)


def _show(name: str, found: Checked) -> None:
    gpus = found.gpu if found.kinds > 1 else f"{found.nodes} x {found.per_node} {found.gpu}"
    say(language()("{name}: {gpus}, node load {w} W", name=name, gpus=gpus, w=f"{found.node_w:,}"))
    if found.net and found.tax and found.total:
        sums = total(found.net, found.tax, found.total, found.currency)
        if missing := [*found.unpriced, *(language()(NOT_KNOWN[kind]) for kind in found.unknown)]:
            parts = language().list(missing)
            say(language()("Cost: at least {sum}, without {parts}", sum=sums, parts=parts))
        else:
            say(language()("Cost: {sum}", sum=sums))
    elif found.unpriced:
        say(language()("Cost: unknown, no part has a price"))
    checks(finding.model_dump() for finding in found.checks)
    if found.faster_without:
        note_sentence(found.faster_without)


def _mended(build: Build, data: dict[str, Any], how: Checking) -> Answer:
    """The answer with the nearest build that passes; without it where the time was up."""
    from optimizer.cli.why_not_view import show_mended
    from optimizer.library import mend
    from optimizer.search.clock import TimeUp

    try:
        nearest = mend(
            build, how.request, catalog=how.parts, policy=how.policy, calibration=how.calibration, clock=how.clock
        )
    except TimeUp:
        return Answer(data, complete=False)
    if how.prints:
        show_mended(nearest)
    complete = nearest is None or nearest.proof.status == "optimal"
    return Answer({**data, "mended": nearest and nearest.model_dump(mode="json")}, complete)
