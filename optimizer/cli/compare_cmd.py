"""`dsopt compare`: bids side by side, or what changed between two results."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from optimizer.cli.options import (
    CALIBRATION,
    CATALOG,
    FORCE,
    JSON,
    LANGUAGE,
    MEASURED,
    SET,
    Values,
    argument,
    given,
    taking,
)
from optimizer.cli.output import emit_json, free, known_language, note, save, speak
from optimizer.request.entry import ANSWER, ASK, BASIS, TERMS, Option
from optimizer.request.fields import FIELDS, fields_of, options_of

if TYPE_CHECKING:
    from catalogs.load import Catalog
    from constraints.policy import Policy
    from constraints.request import Request
    from optimizer.throughput.calibration import Calibration

HELP = """Examples:

  dsopt compare a.xlsx b.xlsx c.csv --model v3-671b --users 32 -o comparison.xlsx

  dsopt compare a.xlsx b.csv result.json --currency CNY --tax 13% --lang zh -o 比价表.xlsx

  dsopt compare old.json new.json

Vendors' quotes and results of dsopt on one basis and one scope: missing lines filled and marked, errors flagged, rules,
throughput and the distance from the proven front of each build, a weighted score. Two results alone: what changed and
why. Exit 5 where a bid can't be compared (a lease without --term, a price list, an unread
file), 3 where none can."""
OTHERWISE = {
    "model": "Model that the machines are to run. [default: a result's]",
    "workload": "Kind of work: chat, rag, reasoning, batch.",
    "currency": "Currency: USD, CNY, EUR, GBP, JPY. [default: the first bid's]",
    "as_of": "Date of prices and of validity. [default: today]",
}
"""What options say here that are laid over a result's request."""
OF_THE_TENDER = tuple(
    replace(
        option, help=OTHERWISE.get(option.name, option.help), environment=None,
        default=None if option.kind is not bool else False,
    )
    for option in options_of("compare")
)  # fmt: skip
"""Options of the request that bids are held against."""
OF_THE_FILES = (
    Option("demand", "Items demanded besides the rules: warranty,installation or an item's number.", group=BASIS),
    Option("drop", "Items left out of every total: freight, an item's number, or a line such as B:12.", group=BASIS),
    *FIELDS["fx"].options,  # laid over a result's own rates, and of the bids' currencies too
    Option("tax", "Tax of the totals: 13%, CN. [default: what all bids state]", group=TERMS),
    Option(
        "term", "Months over which rents and fees are counted: 36, A=36, stated, A=once.", several=True, group=TERMS
    ),
    Option(
        "map_", "Mapping file: in the order of the files, or NAME=FILE.", names=("--map",), several=True, group=BASIS
    ),
    Option("accept_fuzzy", "Accept parts that are only similar.", bool, False, ("--accept-fuzzy",), group=BASIS),
)
"""Options that say how the bids' files are read and put on one basis and one scope."""
OPTIONS = (
    *OF_THE_TENDER,
    Option("weights", "Weights: price=30,technical=50,service=20, or a TOML file; 100 in all.", group=ASK),
    Option("scoring", "Scoring rule: cn-goods, de-ufab-simple, ... or a .toml of the tender.", group=ASK),
    Option("points", "CSV of experts' points: bid,criterion,points.", Path, None, group=ASK),
    Option("declared", "CSV of bidders' declarations: bid,small,domestic_percent,foreign.", Path, None, group=ASK),
    Option("low_price", "Rule on abnormally low bids: cn-2026-2, eu-69=80, pl-224, none, or a .toml.", group=ASK),
    Option("ceiling", "Ceiling price of the tender, on the basis that is scored.", group=ASK),
    Option("fill", "How a demanded item that a bid lacks is priced: none (default), max, median, catalog.",
           group=BASIS),
    *OF_THE_FILES,
    CATALOG,
    replace(SET, help="Set one policy value: compare.outlier_percent=15."),
    CALIBRATION,
    MEASURED,
    Option("time_limit", "Time limit for the proven front of each bid, seconds.", float, 60, group=ANSWER,
           least=0.1, most=3600),
    replace(LANGUAGE, help="Language: en or zh, of the terminal too; both: in the file."),
    JSON,
    Option("output", "File to write: a workbook (.xlsx) or .json.", Path, None, ("-o", "--output"), group=ANSWER),
    FORCE,
)  # fmt: skip
TYPED_TOO = (
    "scoring",
    "points",
    "declared",
    "low_price",
    "ceiling",
    "fill",
    "demand",
    "drop",
    "tax",
    "fx",
    "weights",
    "map_",
    "term",
    "accept_fuzzy",
)
"""Options that the first line says as they were typed."""


@taking(OPTIONS, argument("files", list[Path], "Quotes (.xlsx, .csv, ...) and results (.json), at least two."))
def compare(ctx: typer.Context, files: list[Path], **values: Any) -> None:
    """See HELP."""
    from catalogs.load import load
    from constraints.policy import Policy
    from optimizer.cli import compare_view, parse
    from optimizer.library import read_bids
    from optimizer.text.languages import Words, chosen

    _refuse_unused(ctx, files, values)
    lang, output = values["lang"], values["output"]
    if lang in ("en", "zh"):
        speak(lang)
    words = Words(lang) if lang else chosen()
    parts, policy = load(values["catalog"]), Policy().with_settings(values["set_"])
    calibration = parse.calibration(values["calibration"], values["measured"], parts, policy)
    for text in calibration.notes:
        note(chosen()("note: {what}", what=chosen().sentence(text)))
    read = read_bids(
        files, catalog=parts, calibration=calibration, maps=values["map_"], accept_fuzzy=values["accept_fuzzy"],
        terms=values["term"],
    )  # fmt: skip
    of_results = not read.quotes and len(read.results) == 2
    if of_results:
        found: Any = _changes(ctx, read)
    else:
        found = compared_bids(ctx, read, values, parts, policy, calibration)
    if values["json"]:
        emit_json(found.model_dump(mode="json"))
    else:
        (compare_view.show_changes if of_results else compare_view.show)(found, chosen())
    if output is not None:
        save(output, _content(found, words, output), values["force"])
        note(str(output))
    if found.kind == "bids" and not found.ok:
        raise typer.Exit(5)


def _refuse_unused(ctx: typer.Context, files: list[Path], values: Values) -> None:
    """Raises BadParameter or InputError for options that contradict each other or that the answer would not use."""
    from catalogs.errors import Fault, InputError
    from optimizer.cli.usage import refuse, together
    from optimizer.cli.xray_cmd import is_vendor_file
    from optimizer.text.languages import LANGUAGES

    lang = values["lang"]
    known_language(lang, LANGUAGES)
    together(ctx, "model", "model_config")
    _refuse_output(ctx, values)
    if not any(map(is_vendor_file, files)):
        refuse(ctx, "is of vendors' files, and all of these are results", "map_", "term", "accept_fuzzy")
    if len(files) < 2:
        raise InputError(Fault("bad-bids", "one file can't be compared", column="FILES", remedy="Give two at least."))


def _refuse_output(ctx: typer.Context, values: Values) -> None:
    """Tries the file to write before the work is done."""
    from catalogs.errors import Fault, InputError
    from optimizer.cli.usage import refuse

    output = values["output"]
    if output is None:
        refuse(ctx, "is of -o", "force")
    else:
        free(output, values["force"])
        if output.suffix.lower() not in (".xlsx", ".json"):
            remedy = "Name a .xlsx or a .json."
            raise InputError(Fault("bad-format", "is no format of a comparison", str(output), remedy=remedy))
    if values["lang"] == "both" and (output is None or output.suffix.lower() != ".xlsx"):
        raise typer.BadParameter("--lang both: is of a workbook (-o FILE.xlsx)")


def _changes(ctx: typer.Context, read: Any) -> Any:
    """What changed between two results."""
    from optimizer.cli.usage import refuse_all_but
    from optimizer.library import changes

    kept = ("output", "lang", "catalog", "calibration", "measured", "json", "force", "set_")
    refuse_all_but(ctx, "is not used where two results are compared", *kept)
    return changes(*read.results)


def compared_bids(
    ctx: typer.Context, read: Any, values: Values, parts: Catalog, policy: Policy, calibration: Calibration
) -> Any:
    """The bids on one basis, under a command's options of the request and of the files."""
    from constraints.policy import tax_percent
    from optimizer.cli.understood import show_name, show_understood
    from optimizer.cli.usage import kv_of_the_model, term_of_none
    from optimizer.library import compare as run
    from optimizer.request import purchase_terms
    from optimizer.request.command import Typed

    term_of_none(values["term"], read.quotes)
    asked = _request(ctx, read, values, parts)
    kv_of_the_model(ctx, asked)
    show_name(values["model"], asked)
    if not values["json"]:
        show_understood(parts, asked, policy, typed=Typed.of(values, TYPED_TOO))
    return run(
        read.bids(), asked, catalog=parts, policy=policy, calibration=calibration,
        tax_percent=tax_percent(values["tax"]) if values["tax"] else None,
        rates=purchase_terms.rates(values["fx"]) if values["fx"] else (), weights=values["weights"],
        time_limit_s=values["time_limit"], fill=values["fill"] or "none",
        demand=values["demand"] or "", drop=values["drop"] or "", tender=_tender(values),
        sources=read.sources,
    )  # fmt: skip


def _tender(values: Values) -> Any:
    """How the tender is scored."""
    from catalogs.errors import Fault, InputError
    from optimizer.library import read_tender

    ceiling, said = None, values.get("ceiling")  # a command that ranks nothing has none of these options
    if said is not None:
        try:
            ceiling = Decimal(said.replace(",", ""))
        except InvalidOperation:
            ceiling = Decimal(0)
        if not ceiling.is_finite() or ceiling <= 0:
            remedy = "An amount of the comparison's currency: 5000000."
            raise InputError(Fault("bad-tender", "is no price", column="--ceiling", value=said[:40], remedy=remedy))
    return read_tender(
        values.get("scoring") or "plain", points=values.get("points"), declared=values.get("declared"),
        low_price=values.get("low_price") or "", ceiling=ceiling,
    )  # fmt: skip


def _request(ctx: typer.Context, read: Any, values: Values, parts: Catalog) -> Request:
    """The tender's request: options laid over the first result's request, where there is one."""
    from constraints.physics.markets import settled_market
    from optimizer.cli.usage import refuse_of_other_workload, too_coarse
    from optimizer.request.parsing import bits
    from optimizer.request.typed_request import laid_over, request_of
    from optimizer.text.money import CURRENCIES, currency_code

    asked, named = given(ctx, values, parts), values["currency"]
    code = currency_code(named) if named is not None else None
    too_coarse(values["precision"], bits(values["min_precision"]))
    of_results = read.tender().workload if read.results else None
    refuse_of_other_workload(ctx, "compare", values["workload"] or of_results)
    if not read.results:
        first = next((quote.currency for quote in read.quotes if quote.currency in CURRENCIES), "USD")
        grade = (
            {} if values["grade"] else {"grade": "floor"}
        )  # as in xray: offered builds are judged by what makes them work
        return request_of(asked, fields_of("compare"), currency=code or first, **grade)
    base = read.tender()
    base = base if code is None else settled_market(base).model_copy(update={"currency": code})
    return laid_over(base, asked, [name for name in fields_of("compare") if name != "currency"])


def _content(found: Any, words: Any, output: Path) -> bytes:
    """The file's bytes, by its ending."""
    from catalogs.files import written_json

    if output.suffix.lower() == ".json":
        return (written_json(found.model_dump(mode="json")) + "\n").encode()
    from optimizer.procurement.bids.workbook import changes_workbook, workbook

    return workbook(found, words) if found.kind == "bids" else changes_workbook(found, words)
