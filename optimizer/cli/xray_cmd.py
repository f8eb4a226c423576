"""`dsopt xray`: a vendor's quote held against catalog, rules and the builds that its money would buy instead."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction
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
from optimizer.cli.output import emit_json, free, note, save, speak
from optimizer.request.entry import ANSWER, ASK, BASIS, TERMS, Option
from optimizer.request.fields import fields_of, options_of

if TYPE_CHECKING:
    from catalogs.load import Catalog
    from constraints.policy import Policy
    from constraints.request import Request
    from optimizer.procurement.reading.document import Quote
    from optimizer.procurement.xray.schema import XRay
    from optimizer.throughput.calibration import Calibration

HELP = """Examples:

  dsopt xray quote.xlsx --model v3-671b --users 64

  dsopt xray quote.xlsx --model v3-671b --have racks,network -o xray.xlsx

A vendor's quote (.xlsx, .xls, .ods, .csv, ...) as the build that it is: every rule, each price beside the catalog's,
sums and tax, what is missing, what the money would buy instead; exit 5 when a rule fails or an amount is wrong. See
docs/xray.md."""
BUILD_FILES = (".toml", ".json")
WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
"""First bytes of .xlsx and .xls, whatever the file's name."""
HELD_AGAINST = [
    replace(option, environment=None, help="Currency of the report. [default: the quote's]")
    if option.name == "currency"
    else replace(option, help="Model that the machine is to run.")
    if option.name == "model"
    else option
    for option in options_of("xray")
]
"""Of the request that a quote is held against; the quote says the rest."""
READING = (
    Option("rate", "Exchange rate: USD per unit of the quote's currency.", group=TERMS),
    Option("tax", "Tax included in the quote's prices, if it states no rate: 19%.", group=TERMS),
    Option(
        "term",
        "Months over which rents and fees are counted: 36; stated: as the quote says; once: it is a purchase.",
        group=TERMS,
    ),
    Option("above", "Mark prices that are this far above the catalog's: 15%.", group=ASK),
    Option(
        "map_",
        "Mapping file that says how to read the quote; written if it does not exist.",
        Path,
        None,
        ("--map",),
        group=BASIS,
    ),
    Option("accept_fuzzy", "Accept suggested parts as matches.", bool, False, ("--accept-fuzzy",), group=BASIS),
    Option("quick", "Do not search for better builds.", bool, False, ("--quick",), group=ANSWER),
    Option("review", "CSV to write, with the lines that need a look.", Path, group=ANSWER),
    Option("output", "File to write: .xlsx or .json.", Path, None, ("-o", "--output"), group=ANSWER),
    replace(FORCE, help="Overwrite existing files."),
)
TIME_LIMIT = Option(
    "time_limit", "Time limit of the searches in seconds; exit code 6 if it is reached.", float, group=ANSWER
)
OPTIONS = (
    *HELD_AGAINST, *READING, TIME_LIMIT, SET, CATALOG, MEASURED, CALIBRATION,
    replace(LANGUAGE, help="Language of the terminal and the workbook: en or zh."), JSON,
)  # fmt: skip
TYPED_TOO = ("rate", "tax", "map_", "accept_fuzzy", "term", "quick")
"""Options that the first line says as they were typed."""


@taking(OPTIONS, argument("file", Path, "A vendor's quote."))
def xray(ctx: typer.Context, file: Path, **values: Any) -> None:
    """See HELP."""
    from optimizer.cli.usage import together

    together(ctx, "model", "model_config")
    if values["lang"] is not None:
        speak(values["lang"])
    if not is_vendor_file(file):
        raise typer.BadParameter(_no_offer(file) or f"{file.name} is a build or a result: dsopt check {file}")
    xray_file(ctx, file, values)


def is_vendor_file(path: Path) -> bool:
    """Whether a file is a vendor's table and no build.toml or result.json."""
    if path.suffix.lower() not in BUILD_FILES:
        return True
    try:
        with path.open("rb") as file:
            return file.read(4) in WORKBOOKS
    except OSError:
        return False


def _no_offer(path: Path) -> str:
    """What a .toml or .json is that is neither a build nor a result; empty where it is one of these or not known."""
    from catalogs.other_file import BUILD, QUOTE, RESULT, kind_of, other_file

    found = kind_of(path)
    if found in (None, BUILD, RESULT):
        return ""
    fault = other_file(path, found, QUOTE)
    return f"{path.name} {fault.text}. {fault.remedy}".strip()


def refuse_lists(path: Path) -> None:
    """Raises InputError for a table that is known to be none of a vendor: approved parts, measurements, ..."""
    from catalogs.errors import InputError
    from catalogs.other_file import OFFERS, OWNED, QUOTE, WORKBOOK, kind_of, other_file

    found = kind_of(path)
    if found is not None and not found.foreign and found not in (QUOTE, WORKBOOK, OWNED, OFFERS):
        raise InputError(other_file(path, found, QUOTE))


def xray_file(ctx: typer.Context, path: Path, values: Values) -> None:
    """Reads, X-rays, writes and prints; exit 5 when a rule fails or an amount is wrong."""
    from catalogs.load import load
    from constraints.policy import Policy
    from optimizer.cli import parse
    from optimizer.cli.understood import show_name
    from optimizer.request.parsing import model
    from optimizer.text.languages import chosen as language

    _ = language()
    refuse_lists(path)
    _refuse_unused(ctx, values)
    kind = _outputs(values)
    parts = load(values["catalog"])
    model(given(ctx, values, parts))  # refused before the file is read
    policy = Policy().with_settings([*values["set_"], *_limit("above", values["above"])])
    calibration = parse.calibration(values["calibration"], values["measured"], parts, policy)
    for text in calibration.notes:
        note(_("note: {what}", what=_.sentence(text)))
    quote = _read(path, values, parts)
    request = _request(ctx, quote.currency, values, parts)
    show_name(values["model"], request)
    if not values["json"]:
        _show_understood(request, values, parts, policy)
    found = _found(quote, request, values, parts, policy, calibration)
    if values["output"] is not None:
        _write(found, values["output"], kind, values["force"])
        note(_("{file}: the X-ray of {source}", file=values["output"], source=path.name))
    if values["json"]:
        emit_json(found.model_dump(mode="json"))
    else:
        from optimizer.cli.xray_view import show

        show(found)
    if not found.ok:
        raise typer.Exit(5)
    if found.instead is not None and found.instead.proof == "feasible":
        note(_("stopped before the search for other builds was done"))
        raise typer.Exit(6)


def _refuse_unused(ctx: typer.Context, values: Values) -> None:
    """Raises BadParameter for options that the X-ray asked for would not use."""
    from optimizer.cli.usage import refuse, refuse_of_other_workload

    if values["output"] is None and values["review"] is None:
        refuse(ctx, "is of -o and --review", "force")
    if values["quick"]:
        refuse(ctx, "limits a search, and --quick makes none", "time_limit")
    refuse_of_other_workload(ctx, "xray", values["workload"])


def _outputs(values: Values) -> str:
    """Tries the files to write before the work is done; the format of the X-ray."""
    kind = _kind(values["output"])
    for target in (values["output"], values["review"]):
        if target is not None:
            free(target, values["force"])
    if values["map_"] is not None and not values["map_"].exists():
        free(values["map_"], False)
    return kind


def _read(path: Path, values: Values, parts: Catalog) -> Quote:
    """The quote; writes how it was read (--map) and the lines that need a look (--review)."""
    from optimizer.library import read_quote
    from optimizer.procurement.reading.mapping import write_mapping
    from optimizer.procurement.reading.review import suggestions, write_review
    from optimizer.text.languages import chosen as language

    _, mapping, review = language(), values["map_"], values["review"]
    replayed = mapping if mapping is not None and mapping.exists() else None
    quote = read_quote(path, catalog=parts, mapping=replayed, accept_fuzzy=values["accept_fuzzy"], term=values["term"])
    _of_the_file(quote, values)
    if mapping is not None and replayed is None:
        write_mapping(mapping, quote.mapping, suggestions(quote))
        note(_("{file}: how the file was read; edit it and give it again", file=mapping))
    if review is not None:
        write_review(review, [quote])
        note(_("{file}: {n} lines that need a look", file=review, n=len(quote.open_lines)))
    return quote


def _show_understood(request: Request, values: Values, parts: Catalog, policy: Policy) -> None:
    from optimizer.cli.understood import show_understood
    from optimizer.request.command import Typed

    show_understood(parts, request, policy, typed=Typed.of(values, TYPED_TOO))


def _found(
    quote: Quote, request: Request, values: Values, parts: Catalog, policy: Policy, calibration: Calibration
) -> XRay:
    """The X-ray, within the time limit."""
    from constraints.policy import tax_percent
    from optimizer.cli import parse
    from optimizer.library import xray as run
    from optimizer.search.clock import Clock, interruptible

    rate, limit = _rate(values["rate"]), parse.time_limit(values["time_limit"])
    tax = tax_percent(values["tax"]) if values["tax"] else None
    with interruptible(clock := Clock(limit)):
        return run(
            quote, request, catalog=parts, policy=policy, calibration=calibration, usd_per_unit=rate, tax_rate=tax,
            search=not values["quick"], clock=clock,
        )  # fmt: skip


def _write(found: XRay, output: Path, kind: str, force: bool) -> None:
    """The X-ray as a file of its format."""
    from catalogs.visible import visible
    from optimizer.procurement.xray.workbook import workbook
    from optimizer.text.languages import chosen as language

    content = visible(found.model_dump_json(indent=2)) + "\n" if kind == "json" else workbook(found, language())
    save(output, content, force)


def _of_the_file(quote: Quote, values: Values) -> None:
    """Raises BadParameter for options that the file, once it is read, leaves no use for."""
    from constraints.policy import tax_percent
    from optimizer.cli.usage import term_of_none

    if values["term"] is not None:
        term_of_none([values["term"]], [quote])
    rate = _rate(values["rate"])
    if rate not in (None, 1) and quote.currency == "USD":
        raise typer.BadParameter(f"--rate {values['rate']}: the quote is in USD, there is nothing to convert")
    if values["tax"] and quote.tax_rate is not None and tax_percent(values["tax"]) != quote.tax_rate:
        said = f"the quote says {quote.tax_rate.normalize():f} %"
        raise typer.BadParameter(f"--tax {values['tax']} and the file contradict: {said}; leave --tax out")


def _kind(output: Path | None) -> str:
    from catalogs.errors import Fault, InputError

    ending = output.suffix.lower().removeprefix(".") if output is not None else "xlsx"
    if ending not in ("xlsx", "json"):
        raise InputError(
            Fault("bad-format", "is neither .xlsx nor .json", column="--output", value=str(output))
        )  # fmt: skip
    return ending


def _limit(name: str, text: str | None) -> list[str]:
    """The policy setting of a percentage."""
    from catalogs.errors import Fault, InputError
    from optimizer.request.purchase_terms import PERCENT

    if text is None:
        return []
    if not PERCENT.fullmatch(text.strip()):
        raise InputError(
            Fault("bad-percent", "is no percentage", column=f"--{name}", value=text, remedy="For example 15%.")
        )
    return [f"xray.{name}_percent={text.strip().removesuffix('%')}"]


def _rate(text: str | None) -> Fraction | None:
    """USD per unit of the quote's currency, exact: `1.24`, or as it is quoted, `7.00/USD`, `7.00 CNY/USD`."""
    from catalogs.errors import Fault, InputError

    if text is None:
        return None
    number = re.fullmatch(r"(\d{1,7}(?:\.\d{1,12})?)(\s*(?:[A-Z]{3}\s*)?/\s*USD)?", text.strip().upper(), re.ASCII)
    rate = Fraction(number[1]) if number else Fraction(0)
    if rate and number and number[2]:
        rate = 1 / rate
    if not 0 < rate <= 10**6:
        remedy = "USD for one unit of the quote's currency, for example 1.24; or units for one USD, 7.00/USD."
        raise InputError(Fault("bad-rate", "is no exchange rate", column="--rate", value=text, remedy=remedy))
    return rate


def _request(ctx: typer.Context, currency: str, values: Values, parts: Catalog) -> Request:
    """The request that the quote is held against, in the quote's currency where the catalog knows it."""
    from optimizer.cli.usage import kv_of_the_model, too_coarse
    from optimizer.request.parsing import bits
    from optimizer.request.typed_request import request_of
    from optimizer.text.money import CURRENCIES, currency_code

    too_coarse(values["precision"], bits(values["min_precision"]))
    named, of_quote = values["currency"], currency if currency in CURRENCIES else "USD"
    code = of_quote if named is None else currency_code(named)
    # A quote is somebody's build: it is judged by what makes it work, unless more is asked for.
    grade = {} if values["grade"] else {"grade": "floor"}
    request = request_of(given(ctx, values, parts), fields_of("xray"), currency=code, **grade)
    kv_of_the_model(ctx, request)
    return request
