"""`dsopt rfq`: a saved result as a request for quotation that bidders fill in."""

from __future__ import annotations

from datetime import date as date_
from pathlib import Path
from typing import Annotated

import typer

from optimizer.cli.options import CatalogFolders, MadeWithCalibration, MadeWithMeasurements, Overwrite, ResultFile
from optimizer.cli.output import free, known_language, note, save, speak

HELP = """Examples:

  dsopt rfq result.json -o rfq.xlsx

  dsopt rfq result.json -o 询价单.xlsx --lang zh --buyer "某大学" --until 2026-12-15

  dsopt compare rfq-a.xlsx rfq-b.xlsx --model v3-671b --users 32

What the build needs, by figures with equivalents allowed and without makers' names (--brand names them): a price
schedule, an acceptance test at the load asked for, a table of deviations. Protected but for the bidders' cells;
compare, xray and award read it back and tell each cell's fault."""


def rfq(
    file: ResultFile,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Workbook (.xlsx) to write.")] = None,
    point: Annotated[str | None, typer.Option(help="Point of the front. [default: the recommended one]")] = None,
    lang: Annotated[
        str | None, typer.Option(help="Language of the file: en, zh or both; en or zh of the terminal too.")
    ] = None,
    brand: Annotated[bool, typer.Option("--brand", help="Name makers and models beside the figures.")] = False,
    buyer: Annotated[str, typer.Option(help="Name of the buyer.")] = "",
    number: Annotated[str, typer.Option(help="Number of the request. [default: made from its contents]")] = "",
    date: Annotated[str | None, typer.Option(help="Date of the request. [default: today]")] = None,
    until: Annotated[str | None, typer.Option(help="Deadline for bids. [default: 21 days later]")] = None,
    catalog: CatalogFolders = [],
    calibration: MadeWithCalibration = None,
    measured: MadeWithMeasurements = None,
    force: Overwrite = False,
) -> None:
    """See HELP."""
    from catalogs.errors import Fault, InputError
    from catalogs.load import load
    from constraints.policy import Policy
    from optimizer.cli import parse
    from optimizer.cli.quote_cmd import one_line, quote_day
    from optimizer.library import open_result
    from optimizer.library import rfq as run
    from optimizer.procurement.quotation.quote_terms import Party
    from optimizer.procurement.rfq.workbook import seal_of, workbook
    from optimizer.text.languages import LANGUAGES, N_, Words, chosen

    known_language(lang, LANGUAGES)
    if lang in ("en", "zh"):
        speak(lang)
    if output is None:
        raise typer.BadParameter("-o FILE.xlsx is needed")
    if output.suffix.lower() != ".xlsx":
        raise InputError(Fault("bad-format", "is no format of a request", str(output), remedy="Name a .xlsx."))
    free(output, force)
    parts = load(catalog)
    opened = open_result(file, catalog=parts, calibration=parse.calibration(calibration, measured, parts, Policy()))
    day = quote_day(date, opened.result.request.as_of)
    party = Party(one_line("--buyer", buyer), one_line("--number", number), day, _days(until, day))
    made = run(opened, point, party=party, brand=brand)
    content = workbook(made, Words(lang) if lang else chosen())
    save(output, content, force)
    text = N_("{file}: {number}, {n} lines, seal {seal}; bids until {day}")
    note(
        chosen()(text, file=output, number=made.number, n=len(made.lines), seal=seal_of(content), day=party.valid_until)
    )


def _days(until: str | None, day: date_) -> int:
    """Days for which bids are taken."""
    from catalogs.errors import Fault, InputError
    from optimizer.procurement.quotation.quote_terms import REQUEST_DAYS

    if until is None:
        return REQUEST_DAYS
    try:
        last = date_.fromisoformat(until)
    except ValueError:
        remedy = "For example 2026-12-15."
        raise InputError(Fault("bad-date", "is no date", column="--until", value=until, remedy=remedy)) from None
    if last < day:
        text = "is before the day of the request"
        raise InputError(Fault("bad-date", text, column="--until", value=until, remedy="Name a later day."))
    return (last - day).days
