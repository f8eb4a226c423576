"""`dsopt quote`: a saved result as a budgetary estimate or a quotation."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from optimizer.cli.options import CatalogFolders, MadeWithCalibration, MadeWithMeasurements, Overwrite, ResultFile
from optimizer.cli.output import emit_data, free, known_language, note, save, say, speak

if TYPE_CHECKING:
    from catalogs.load import Catalog
    from constraints.request import Request
    from optimizer.procurement.quotation.profile import Profile
    from optimizer.procurement.quotation.quote_terms import Terms

HELP = """Examples:

  dsopt solve --budget 300000 --model v2-670b -o result.json

  dsopt quote result.json -o quote.xlsx

  dsopt quote result.json --point p5 --lang zh --currency CNY --tax 13% --customer "Example University" -o quote.xlsx

A workbook with live formulas: summary, bill of materials, assumptions, compatibility, front, alternatives, deviations,
terms and provenance. Its title is "budgetary estimate" until --confirmed says that the sellers have confirmed every
price. The result is checked first; exit 5 when something in it is wrong."""
FORMATS = ("xlsx", "csv", "json", "cyclonedx", "pdf")
UNUSED = {
    "csv": ("customer", "number", "valid_days", "confirmed"),
    "cyclonedx": ("customer", "profile", "valid_days", "confirmed", "lang", "tax", "discount", "support"),
}
"""Options that say nothing in a format: a CSV holds lines and sums, a bill of materials parts and their unit prices."""


def quote(
    ctx: typer.Context,
    file: ResultFile,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="File to write. [default of json and csv: stdout]")
    ] = None,
    point: Annotated[str | None, typer.Option(help="Point of the front. [default: the recommended one]")] = None,
    format_: Annotated[str | None, typer.Option("--format", help="Format: xlsx, csv, json, cyclonedx, pdf.")] = None,
    template: Annotated[
        Path | None, typer.Option(help="Your own workbook; the cells that it names are filled in.")
    ] = None,
    lang: Annotated[
        str | None, typer.Option(help="Language of the file: en, zh or both; en or zh of the terminal too.")
    ] = None,
    customer: Annotated[str, typer.Option(help="Name of the customer.")] = "",
    profile: Annotated[
        Path | None, typer.Option(help="company.toml: seller, buyer, project, bank, tax numbers, terms.")
    ] = None,
    number: Annotated[str, typer.Option(help="Number of the quote. [default: made from its contents]")] = "",
    date: Annotated[str | None, typer.Option(help="Date of the quote. [default: today]")] = None,
    valid_days: Annotated[
        int | None, typer.Option(min=0, max=3650, help="Days for which it is valid. [default: the profile's, else 15]")
    ] = None,
    currency: Annotated[
        str | None, typer.Option(help="Currency: USD, CNY, EUR, GBP, JPY. [default: the result's]")
    ] = None,
    fx: Annotated[Path | None, typer.Option(help="CSV of exchange rates: currency,usd_per_unit,date,source.")] = None,
    tax: Annotated[str | None, typer.Option(help="Tax on everything: 13%, or a country code, CN.")] = None,
    discount: Annotated[str | None, typer.Option(help="Discount on goods: 5%.")] = None,
    support: Annotated[
        str | None, typer.Option(help="Support contract: 10%, table, or a CSV of category,percent.")
    ] = None,
    spares: Annotated[
        list[str],
        typer.Option(help="Spare parts: 5% of drives, memory, PSUs; gpu=1/16; table; or a CSV of category,percent."),
    ] = [],
    catalog: CatalogFolders = [],
    calibration: MadeWithCalibration = None,
    measured: MadeWithMeasurements = None,
    confirmed: Annotated[
        bool, typer.Option("--confirmed", help="The sellers have confirmed every price: a quotation to be signed.")
    ] = False,
    force: Overwrite = False,
) -> None:
    """See HELP."""
    from catalogs.errors import InputError
    from catalogs.load import load
    from constraints.policy import Policy
    from optimizer.cli import parse
    from optimizer.cli.usage import refuse
    from optimizer.library import open_result, verify_result
    from optimizer.library import quote as run
    from optimizer.procurement.quotation.profile import Profile, read_profile
    from optimizer.procurement.quotation.quote_terms import QUOTE_DAYS, Party
    from optimizer.text.languages import LANGUAGES, N_, Words, chosen

    kind = _format(format_, output, template)
    known_language(lang, LANGUAGES)
    if lang in ("en", "zh"):
        speak(lang)
    words = Words(lang) if lang else chosen()
    if output is None and kind not in ("json", "csv", "cyclonedx"):
        raise typer.BadParameter(f"-o FILE is needed for {kind}")
    refuse(ctx, f"stands nowhere in {kind}: choose another --format", *UNUSED.get(kind, ()))
    if output is None:
        refuse(ctx, "is of -o", "force")
    if output is not None:
        free(output, force)
    parts = load(catalog)
    by = parse.calibration(calibration, measured, parts, Policy())
    try:
        opened = open_result(file, catalog=parts, calibration=by)
    except InputError:
        found = verify_result(file, catalog=parts, calibration=by)
        for w in found.wrong:
            say(str(w))
        for text in found.unchecked:
            note(chosen()("not checked: {what}", what=text))
        note(chosen()("{file} is not what dsopt would write: no quote. `dsopt verify` says the same.", file=file))
        raise typer.Exit(5) from None
    for text in opened.unchecked:
        note(chosen()("not checked: {what}", what=text))
    request = opened.result.request
    day = quote_day(date, request.as_of)
    ours = read_profile(profile) if profile else Profile()
    _known_goods(profile, ours, parts)
    days = next(x for x in (valid_days, ours.valid_days, QUOTE_DAYS) if x is not None)
    party = Party(one_line("--customer", customer), one_line("--number", number), day, days, confirmed, ours)
    _ = party.valid_until  # refused before the quote is made
    terms = _terms(request, currency, fx, tax, discount, support, spares)
    made = run(opened, point, party=party, terms=terms)
    content = _content(kind, made, words, template)
    if output is None:
        emit_data(content.decode("utf-8"))
        return
    save(output, content, force)
    total = f"{made.amount(made.sums.total):,f} {made.currency}"
    text = N_("{file}: {number}, {point}, total {total}, until {day}")
    if made.rates.tax:
        text = N_("{file}: {number}, {point}, total {total} with tax, until {day}")
    note(
        chosen()(text, file=output, number=made.party.number, point=made.chosen.id, total=total, day=party.valid_until)
    )


def _known_goods(path: Path | None, profile: Profile, catalog: Catalog) -> None:
    """Refuses what a profile states of a part or category that there is not."""
    from catalogs.errors import Fault, InputError
    from catalogs.schema import Kind

    known = {*Kind, "bundle", *catalog.parts, *catalog.bundles}
    remedy = f"A part's id (`dsopt catalog show`), or one of: {', '.join([*Kind, 'bundle'])}."
    faults = [
        Fault(
            "bad-profile",
            "is no part and no category",
            str(path),
            column=f"stated.{at}.of",
            value=said.of,
            remedy=remedy,
        )
        for at, said in enumerate(profile.stated)
        if said.of not in known
    ]
    if faults:
        raise InputError(faults)


def _format(named: str | None, output: Path | None, template: Path | None) -> str:
    """The format asked for, else that of the file's ending."""
    from catalogs.errors import Fault, InputError
    from catalogs.nearest import one_of

    ending = output.suffix.removeprefix(".").lower() if output else ""
    if named is None and ending and ending not in FORMATS:
        endings = (".xlsx", ".csv", ".json", ".pdf")
        text = one_of(f".{ending}", endings).removesuffix(".") + "; or --format says it."
        raise InputError(Fault("bad-format", "is no format of a quote", str(output), remedy=text))
    kind = named or ending or "xlsx"
    if kind not in FORMATS:
        text = one_of(kind, FORMATS)
        raise InputError(Fault("bad-format", "is no format of a quote", column="--format", value=kind, remedy=text))
    if ending in FORMATS and ending != {"cyclonedx": "json"}.get(kind, kind):
        raise typer.BadParameter(f"--format {kind} and -o {output} contradict: give one, or another ending")
    if template is not None and kind != "xlsx":
        raise typer.BadParameter("--template fills a workbook: it goes with --format xlsx")
    return kind


def quote_day(text: str | None, as_of: Any) -> Any:
    """The day of a document, not before that of the prices; today, or that, without."""
    from datetime import date

    from catalogs.errors import Fault, InputError
    from optimizer.procurement.quotation.quote_terms import document_day

    if text is None:
        return document_day(as_of)
    try:
        day = date.fromisoformat(text)
    except ValueError:
        remedy = "For example 2026-11-24."
        raise InputError(Fault("bad-date", "is no date", column="--date", value=text, remedy=remedy)) from None
    if day < as_of:
        remedy = f"The prices are those of {as_of}."
        raise InputError(Fault("bad-date", "is before the result's prices", column="--date", value=text, remedy=remedy))
    return day


def one_line(option: str, text: str) -> str:
    """One line of text that a spreadsheet takes."""
    from catalogs.errors import Fault, InputError

    if len(text) > 200 or not text.isprintable():
        raise InputError(
            Fault("bad-text", "must be one line of 200 characters at most", column=option, value=text[:60])
        )
    return text.strip()


def _terms(
    request: Request, currency: str | None, fx: Path | None, tax: str | None, discount: str | None, support: str | None,
    spares: list[str],
) -> Terms:  # fmt: skip
    """Options laid over the request and policy of the result."""
    from decimal import Decimal

    from catalogs.errors import Fault, InputError
    from constraints.policy import tax_percent
    from optimizer.procurement.quotation.quote_terms import Terms
    from optimizer.request import purchase_terms
    from optimizer.text.money import currency_code

    fields: dict[str, Any] = {}
    policy = [f"money.tax_percent={tax_percent(tax)}"] if tax else []
    if currency is not None:
        fields["currency"] = currency_code(currency)
    if fx is not None:
        new = purchase_terms.fx(fx)
        said = {x.currency for x in new}
        fields["fx"] = (*(x for x in request.fx if x.currency not in said), *new)
    if spares:
        fields["spares"] = purchase_terms.spares(spares)
    if support is not None:
        percent, fields["support"] = purchase_terms.support(support)
        policy.append(f"money.support_percent={percent or 0}")
    off = Decimal(0)
    if discount is not None:
        if not purchase_terms.PERCENT.fullmatch(discount.strip()) or Decimal(discount.strip().removesuffix("%")) > 100:
            remedy = "For example 5%."
            raise InputError(
                Fault("bad-discount", "is no percentage", column="--discount", value=discount, remedy=remedy)
            )
        off = Decimal(discount.strip().removesuffix("%"))
    return Terms(fields, tuple(policy), off)


def _content(kind: str, quote: Any, words: Any, template: Path | None) -> bytes:
    """The file's bytes."""
    from optimizer.procurement.quotation import formats

    if template is not None:
        from optimizer.procurement.quotation.template import filled
        from optimizer.text.languages import chosen

        content, told = filled(template, quote, words)
        for text in told:
            note(chosen().sentence(text))
        return content
    if kind in ("xlsx", "pdf"):
        from optimizer.procurement.quotation.workbook import workbook

        book = workbook(quote, words)
        return book if kind == "xlsx" else formats.as_pdf(book)
    writers = {"json": formats.as_json, "csv": formats.as_csv, "cyclonedx": formats.as_cyclonedx}
    return writers[kind](quote, words)
