"""`dsopt catalog list | show | validate`; import, export and stale are in import_cmd.py."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from optimizer.cli.import_cmd import register
from optimizer.cli.money_view import grouped
from optimizer.cli.options import Overlay, speaking
from optimizer.cli.output import emit_json, note, say, say_labelled, table
from optimizer.cli.usage import Command, Group
from optimizer.text.languages import chosen as language

if TYPE_CHECKING:
    from catalogs.load import Catalog
    from catalogs.offers import Offer
    from optimizer.procurement.importing.schema import PastPrice

app = typer.Typer(cls=Group, no_args_is_help=True, rich_markup_mode=None)
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list", cls=Command, help="Example: dsopt catalog list gpu\n\nParts with their newest price.")
@speaking
def list_parts(
    kind: Annotated[str, typer.Argument(help="Kind of part; all kinds if left out.")] = "",
    catalog: Overlay = [],
    json: Json = False,
) -> None:
    from catalogs.errors import InputError
    from catalogs.load import load
    from catalogs.nearest import one_of
    from catalogs.offers import state_of
    from catalogs.schema import Kind

    kinds = [k.value for k in Kind]
    if kind and kind not in kinds:
        raise InputError(f"no part kind {kind!r}", "unknown-kind", one_of(kind, kinds))
    c = load(catalog)
    rows = []
    for part in c.of(*([Kind(kind)] if kind else list(Kind))):
        # What somebody read goes before an estimate, which has no day.
        newest = max(c.offers.get(part.id, ()), key=lambda o: (state_of(o) != "estimate", o.date), default=None)
        price = ["-", "", "", ""]
        if newest is not None:
            day = "" if state_of(newest) == "estimate" else newest.date.isoformat()
            price = [str(newest.price), newest.currency, day, newest.confidence]
        rows.append([part.id, part.kind.value, part.name, *price])
    if json:
        emit_json(
            [
                dict(zip(["id", "kind", "name", "price", "currency", "date", "confidence"], row, strict=True))
                for row in rows
            ]
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
@speaking
def show(part: str, catalog: Overlay = [], json: Json = False) -> None:
    from catalogs.load import load
    from catalogs.schema import Gpu
    from constraints.physics.contents import holders
    from optimizer.library import price_history

    c = load(catalog)
    p = c.find(part)
    offers = c.offers.get(p.id, ())
    sold_with = holders(p, c) if isinstance(p, Gpu) else []
    past = price_history(catalog, p.id)
    if json:
        data = {"part": p.model_dump(mode="json"), "offers": [offer.model_dump(mode="json") for offer in offers]}
        past_data = [x.model_dump(mode="json") for x in past]
        emit_json(data | {"sold_with": [h.id for h in sold_with], "history": past_data})
        return
    for key, value in p.model_dump(mode="json").items():
        if value not in (None, "", [], ()):
            say_labelled(key, _cell(value), 20)  # columns of the catalog's files: the same in every language
    print()
    _ = language()
    _offers(offers, c)
    _history(past)
    for h in sold_with:
        say(_("Sold with {part} ({id}):", part=h.name, id=h.id))
        _offers(c.offers.get(h.id, ()), c)
        if not c.offers.get(h.id):
            say("    " + _("no price"))


def _history(past: Sequence[PastPrice]) -> None:
    """The prices that imports brought, by day, with how each stands to the seller's one before."""
    _ = language()
    if past:
        say(_("Imported prices:"))
    before: dict[tuple[str, str, str], PastPrice] = {}
    for x in past:
        key = (x.seller, x.condition, x.currency)
        old = before.get(key)
        moved = "" if old is None or not old.price else f" ({100 * (x.price - old.price) / old.price:+.1f} %)"
        before[key] = x
        facts = [f"{grouped(str(x.price))} {x.currency}{moved}", x.seller, _(x.condition), x.file, x.sha256[:12]]
        say(f"    {x.day}{_.colon}{_.comma.join(facts)}")


def _cell(value: Any) -> str:
    """A value as a line says it: `a, b`; `8 x part-id` of contents."""
    if not isinstance(value, list):
        return str(value)
    return ", ".join(f"{x['qty']} x {x['part']}" if isinstance(x, dict) else str(x) for x in value)


def _offers(offers: Iterable[Offer], catalog: Catalog) -> None:
    """Each offer as its row has it, and what its category's index makes of an old price today."""
    from datetime import date

    from catalogs.offers import state_of
    from constraints.policy import Policy
    from constraints.prices.states import as_of_day

    _, today = language(), date.today()
    for offer in offers:
        price = f"{grouped(str(offer.price))} {offer.currency}"
        day = [] if state_of(offer) == "estimate" else [str(offer.date)]
        held = [_(offer.holds_for)] if offer.holds_for else []
        facts = [price, *day, _(offer.condition), _(offer.confidence), *held, offer.seller]
        now = as_of_day(offer, catalog.parts[offer.part], today, catalog, Policy())
        if state_of(now) == "indexed":
            amount = f"{grouped(str(now.price))} {now.currency}"
            facts.append(_("{amount} on {day} by the index", amount=amount, day=today.isoformat()))
        say(f"{offer.id}{_.colon}{_.comma.join(facts)}")
        say(f"    {offer.source} {offer.link} {offer.notes}".rstrip())


@app.command(
    "validate",
    cls=Command,
    help="Example: dsopt catalog validate --catalog ./mine\n\nCheck catalog files: all faults at once, exit code 3.",
)
@speaking
def validate(catalog: Overlay = []) -> None:
    from catalogs.errors import InputError
    from catalogs.load import load
    from constraints.prices.generations import below_predecessor

    c = load(catalog)
    if faults := below_predecessor(c):
        raise InputError(faults)
    for part in c.replaced:
        note(language()("replaced: {part}", part=part))
    offers = sum(map(len, c.offers.values()))
    print(
        language()(
            "{parts} parts, {offers} offers, no faults (sha256 {sha})",
            parts=len(c.parts), offers=offers, sha=c.sha256[:12],
        )
    )  # fmt: skip


register(app)
