"""`dsopt catalog list | show | validate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from optimizer.cli.output import emit_json, note, table
from optimizer.cli.usage import Command, Group
from optimizer.i18n import chosen as language

app = typer.Typer(cls=Group, no_args_is_help=True, rich_markup_mode=None)
Overlay = Annotated[list[Path], typer.Option("--catalog", help="Folder laid over the shipped catalog (repeatable).")]
Json = Annotated[bool, typer.Option("--json", help="JSON on stdout.")]


@app.command("list", cls=Command, help="Example: dsopt catalog list gpu\n\nParts with their newest price.")
def list_parts(
    kind: Annotated[str, typer.Argument(help="Part kind, all when left out.")] = "",
    catalog: Overlay = [],
    json: Json = False,
) -> None:
    from catalogs.errors import InputError
    from catalogs.load import load
    from catalogs.schema import Kind

    kinds = [k.value for k in Kind]
    if kind and kind not in kinds:
        raise InputError(f"no part kind {kind!r}", "unknown-kind", f"One of: {', '.join(kinds)}.")
    c = load(catalog)
    rows = []
    for p in c.of(*([Kind(kind)] if kind else list(Kind))):
        newest = max(c.offers.get(p.id, ()), key=lambda o: o.date, default=None)
        price = (
            [str(newest.price), newest.currency, newest.date.isoformat(), newest.confidence]
            if newest
            else ["-", "", "", ""]
        )
        rows.append([p.id, p.kind.value, p.name, *price])
    if json:
        emit_json(
            [dict(zip(["id", "kind", "name", "price", "currency", "date", "confidence"], r, strict=True)) for r in rows]
        )
    else:
        from optimizer.cli.front_view import coded
        from optimizer.procurement.labels import CATEGORIES

        _ = language()
        shown = [[x, coded(CATEGORIES, kind), *rest, _(sure)] for x, kind, *rest, sure in rows]
        table([_("id"), _("kind"), _("name"), _("price"), "", _("date"), _("confidence")], shown, {3})


@app.command(
    "show",
    cls=Command,
    help="Example: dsopt catalog show h200\n\nA part with all its offers, dates, sources and links.",
)
def show(part: str, catalog: Overlay = [], json: Json = False) -> None:
    from catalogs.load import load

    c = load(catalog)
    p = c.find(part)
    offers = c.offers.get(p.id, ())
    if json:
        emit_json({"part": p.model_dump(mode="json"), "offers": [o.model_dump(mode="json") for o in offers]})
        return
    for key, value in p.model_dump(mode="json").items():
        if value not in (None, "", [], ()):
            print(f"{key:20} {value}")  # columns of the catalog's files: the same in every language
    print()
    _ = language()
    for o in offers:
        print(f"{o.id}: {o.price} {o.currency}, {o.date}, {_(o.condition)}, {_(o.confidence)}, {o.seller}")
        print(f"    {o.source} {o.link} {o.notes}".rstrip())


@app.command(
    "validate", cls=Command, help="Example: dsopt catalog validate --catalog ./mine\n\nAll faults at once, exit 3."
)
def validate(catalog: Overlay = []) -> None:
    from catalogs.load import load

    c = load(catalog)
    for part in c.replaced:
        note(language()("replaced: {part}", part=part))
    offers = sum(map(len, c.offers.values()))
    print(
        language()(
            "{parts} parts, {offers} offers, no faults (sha256 {sha})",
            parts=len(c.parts), offers=offers, sha=c.sha256[:12],
        )
    )  # fmt: skip
