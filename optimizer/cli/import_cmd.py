"""`dsopt catalog import | export | stale`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from optimizer.cli.options import Overlay, speaking
from optimizer.cli.output import emit_data, emit_json, free, note, save, say, table
from optimizer.cli.usage import Command
from optimizer.text.languages import chosen

if TYPE_CHECKING:
    from datetime import date

    from optimizer.procurement.importing.schema import Import, PriceChange, Repriced

SHOWN = 12
"""Rows of each kind of change that are printed; --json has all."""
IMPORT_HELP = """Examples:

  dsopt catalog import list.xlsx -o mine/ --seller Nordlicht --date 2026-11-24

  dsopt catalog import mine/review/unknown.xlsx -o mine/

A vendor's price list as offers in a folder for --catalog. Known parts become offers; unknown ones go to
mine/review/unknown.xlsx, to be filled and imported; doubtful ones to mine/review/review.csv, to be answered in
mine/review/map.toml (--map). See docs/importing.md."""
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Force = Annotated[bool, typer.Option("--force", help="Overwrite existing files.")]


@speaking
def import_list(
    file: Annotated[Path, typer.Argument(help="Price list, filled-in unknown.xlsx, or a file of catalog export.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder to write to; made if it does not exist.")],
    seller: Annotated[str, typer.Option(help="Name of the seller. [default: as the list says]")] = "",
    date: Annotated[str, typer.Option(help="Date of the prices, 2026-11-24. [default: as the list says]")] = "",
    currency: Annotated[str, typer.Option(help="Currency, if the list states none: USD, CNY, EUR, GBP, JPY.")] = "",
    tax: Annotated[str, typer.Option(help="net, or the tax included in the prices: 19%.")] = "",
    confidence: Annotated[str, typer.Option(help="Kind of price: list, contract, street or sold.")] = "list",
    map_: Annotated[
        Path | None, typer.Option("--map", help="Mapping file: how to read the list, and answers to doubts.")
    ] = None,
    accept_fuzzy: Annotated[bool, typer.Option("--accept-fuzzy", help="Accept suggested parts as matches.")] = False,
    partial: Annotated[bool, typer.Option("--partial", help="Keep offers that the list does not name.")] = False,
    against: Annotated[Path | None, typer.Option(help="A saved result: shows what its builds cost now.")] = None,
    catalog: Overlay = [],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change; write nothing.")] = False,
    force: Force = False,
    json: Json = False,
) -> None:
    """See IMPORT_HELP."""
    from optimizer.library import import_prices

    answer = import_prices(
        file, output, seller=seller, day=_day(date), currency=currency, tax=tax, confidence=confidence, mapping=map_,
        accept_fuzzy=accept_fuzzy, partial=partial, catalogs=catalog, dry_run=dry_run, force=force, against=against,
        language=chosen().language,
    )  # fmt: skip
    if json:
        emit_json(answer.model_dump(mode="json"))
        return
    _show(answer.found, output)
    if answer.against:
        _show_against(answer.against)
    _ = chosen()
    if answer.written:
        note(_("written: {folder}; use it with --catalog {folder} --prefer mine", folder=output))
    else:
        note(_("dry run: nothing is written"))


def _day(text: str) -> date | None:
    from datetime import date

    from catalogs.errors import Fault, InputError

    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        remedy = "For example 2026-11-24."
        raise InputError(Fault("bad-date", "is no date", column="--date", value=text, remedy=remedy)) from None


def _show(found: Import, folder: Path) -> None:
    _ = chosen()
    say(
        _(
            "{file}: {seller}, {day}, {currency}, {rows} rows (sha256 {sha})",
            file=found.source, seller=found.seller, day=found.day, currency=found.currency, rows=f"{found.rows:,}",
            sha=found.sha256[:12],
        )
    )  # fmt: skip
    for told in found.notices:
        note(_("note: {what}", what=_.sentence(told.text)))
    if found.parts:
        say(
            _(
                "Parts added: {n}. Rows left out, without yes in column take: {left}.",
                n=len(found.parts),
                left=found.left,
            )
        )
    elif not found.taken and not found.doubts and not found.mapping.columns:
        say(_("{n} offers as they stand", n=found.rows))
    else:
        say(
            _(
                "Offers: {taken}. Rows to review: {doubts}. Unknown parts: {unknown}. Rows of other things: {outside}.",
                taken=len(found.taken), doubts=len(found.doubts), unknown=len(found.unknown),
                outside=found.outside + found.services,
            )
        )  # fmt: skip
    if found.repeated:
        rows = ", ".join(map(str, found.repeated[:SHOWN]))
        note(_("note: {what}", what=_("rows that repeat another, left out: {rows}", rows=rows)))
    counts = [f"{_(kind)} {len(found.of_kind(kind))}" for kind in found.kinds]
    if counts:
        say(_.comma.join(counts))
    _show_changes([x for kind in found.kinds if kind != "unchanged" for x in found.of_kind(kind)[:SHOWN]])
    if found.doubts:
        say(_("To review, answer in {map} and give it with --map:", map=folder / "review" / "map.toml"))
        rows_ = [[str(x.row), x.text[:60], _.sentence(x.reason), x.suggestion] for x in found.doubts[:SHOWN]]
        table([_("row"), _("text"), _("reason"), _("suggestion")], rows_, {0})
    if found.unknown:
        say(_("Unknown parts to fill: {file}", file=folder / "review" / "unknown.xlsx"))


def _show_changes(changes: list[PriceChange]) -> None:
    if not changes:
        return
    _ = chosen()
    rows = []
    for x in changes:
        before, after = ("" if price is None else f"{price:,}" for price in (x.before, x.after))
        moved = "" if x.difference is None else f"{x.difference:+,}"
        percent = "" if x.percent is None else f"{x.percent:+} %"
        rows.append([_(x.kind), x.part, before, after, x.currency, moved, percent])
    table([_("change"), _("part"), _("before"), _("after"), "", _("difference"), "%"], rows, {2, 3, 5, 6}, keys=2)


def _show_against(points: tuple[Repriced, ...]) -> None:
    _ = chosen()
    say(_("The saved builds at these prices (a new solve may find better ones):"))
    rows = []
    for x in points:
        after = _("no price") if x.after is None else f"{x.after:,}"
        moved = "" if x.difference is None else f"{x.difference:+,}"
        percent = "" if x.percent is None else f"{x.percent:+} %"
        rows.append([x.point, f"{x.before:,}", after, x.currency, moved, percent, str(len(x.changed))])
    header = [_("point"), _("before"), _("after"), "", _("difference"), "%", _("parts with own offers")]
    table(header, rows, {1, 2, 4, 5, 6})


@speaking
def export(
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="File to write: .xlsx or .csv. [default: CSV on stdout]")
    ] = None,
    catalog: Overlay = [],
    force: Force = False,
) -> None:
    """Own offers as a table that import reads back."""
    from catalogs.errors import Fault, InputError
    from catalogs.load import load
    from optimizer.library import export_offers

    if output is not None:
        if output.suffix.lower() not in (".csv", ".xlsx"):
            remedy = "Name a .csv or .xlsx file."
            raise InputError(Fault("bad-format", "is no format of a list", str(output), remedy=remedy))
        free(output, force)
    found = load(catalog)
    if output is None:
        emit_data(export_offers(found).decode("utf-8"))
        return
    save(output, export_offers(found, output.suffix.lower().removeprefix(".")), force)
    own = sum(offer.own for of in found.offers.values() for offer in of)
    note(chosen()("{file}: {n} own offers", file=output, n=own))


@speaking
def stale(
    days: Annotated[int, typer.Option(min=0, max=36500, help="Show offers older than this many days.")] = 90,
    date: Annotated[str, typer.Option(help="Date from which the age is counted. [default: today]")] = "",
    catalog: Overlay = [],
    json: Json = False,
) -> None:
    """Own offers that are old or no longer valid."""
    from catalogs.load import load
    from optimizer.library import stale_offers

    found = stale_offers(load(catalog), days, today=_day(date))
    if json:
        emit_json([x.model_dump(mode="json") for x in found])
        return
    _ = chosen()
    if not found:
        say(_("no own offer is older than {n} days or past its validity", n=days))
        return
    rows = [
        [x.offer.part, x.offer.seller, f"{x.offer.price:,} {x.offer.currency}", str(x.offer.date), str(x.days),
         str(x.offer.valid_until or "")]
        for x in found
    ]  # fmt: skip
    table([_("part"), _("seller"), _("price"), _("date"), _("days"), _("valid until")], rows, {2, 4})


def register(app: typer.Typer) -> None:
    """Adds the commands to `dsopt catalog`."""
    app.command("import", cls=Command, help=IMPORT_HELP)(import_list)
    app.command(
        "export",
        cls=Command,
        help="Example: dsopt catalog export --catalog mine -o list.xlsx\n\n"
        "Your own offers as a table that import reads.",
    )(export)
    app.command(
        "stale",
        cls=Command,
        help="Example: dsopt catalog stale --catalog mine --days 60\n\n"
        "Your own offers that are old or no longer valid.",
    )(stale)
