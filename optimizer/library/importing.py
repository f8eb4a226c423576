"""Price lists that become a catalog of one's own: import, history, export, what is old."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from catalogs.load import Catalog, load

if TYPE_CHECKING:
    from optimizer.procurement.importing.schema import ImportAnswer, PastPrice, Repriced, Stale


def import_prices(
    path: Path, folder: Path, *, seller: str = "", day: date | None = None, currency: str = "", tax: str = "",
    confidence: str = "list", mapping: Path | None = None, accept_fuzzy: bool = False, partial: bool = False,
    catalogs: Sequence[Path] = (), dry_run: bool = False, force: bool = False, against: Path | None = None,
    language: str = "en",
) -> ImportAnswer:  # fmt: skip
    """A price list, a filled unknown.xlsx or an exported file into a catalog folder (docs/importing.md).

    Parameters:
        path: The file.
        folder: Takes offers, parts, history and what is to be reviewed; made where it is not there.
        seller: Who sells, where the list does not say it.
        day: Of its prices, where the list does not say it.
        currency: Code, where the list does not say it.
        tax: `net`, or the percent that is in its prices (`19%`), where the list does not say it.
        confidence: `list`, `contract`, `street` or `sold`.
        mapping: A map.toml to be replayed, with answers to doubts under `[parts]`.
        accept_fuzzy: Suggestions count as matches.
        partial: Offers of the seller that the list does not name stay; without it they are gone.
        catalogs: Folders laid over the shipped catalog, under `folder`.
        dry_run: Nothing is written.
        force: Files for review that may have been filled are overwritten, an older list is taken.
        against: A saved result, whose points are priced anew with own offers first.
        language: Of unknown.xlsx, `en` or `zh`.

    Raises:
        InputError: Every fault of the file with row and column, or what neither it nor an option says. Nothing is
            written then.
    """
    from optimizer.procurement.importing.after import catalog_after
    from optimizer.procurement.importing.run import prepare, write
    from optimizer.procurement.importing.schema import ImportAnswer
    from optimizer.procurement.importing.terms import Said
    from optimizer.procurement.reading.mapping import read_mapping
    from optimizer.text.languages import Words

    said = Said(seller, day, currency, tax, confidence)  # type: ignore[arg-type]
    known = load([*catalogs, *([folder] if _has_tables(folder) else [])])
    given = read_mapping(mapping) if mapping is not None else None
    prepared = prepare(
        path, folder, known, said, mapping=given, accept_fuzzy=accept_fuzzy, partial=partial, force=force,
        words=Words(language),
    )  # fmt: skip
    after = catalog_after(prepared, folder, catalogs)
    found = against_result(against, after, prepared.found.day) if against is not None else ()
    if not dry_run:
        write(prepared)
    return ImportAnswer(found=prepared.found, written=not dry_run, against=found)


def _has_tables(folder: Path) -> bool:
    from catalogs.records import csv_files

    return folder.is_dir() and bool(csv_files(folder))


def against_result(path: Path, catalog: Catalog, day: date) -> tuple[Repriced, ...]:
    """The points of a saved result at the catalog's prices on a day, own offers alone for what they have: the builds
    stay as they are, `solve` may find better ones."""
    from catalogs.files import read_result
    from constraints.policy import Policy
    from optimizer.library.checking import check
    from optimizer.library.opening import read_build, read_policy
    from optimizer.procurement.importing.schema import Repriced

    stored = read_result(path)
    read_with, request, builds = read_build(path, catalog=catalog)
    policy = Policy().with_settings(read_policy(path))
    asked = request.model_copy(update={"prefer": "mine", "as_of": max(day, request.as_of)})
    out = []
    for point, (name, build) in zip(stored["front"], builds, strict=True):
        judged = check(build, asked, catalog=read_with, policy=policy, exists=True)
        before = Decimal(point["cost"]["total"])
        total = None if judged.total is None or judged.unpriced else Decimal(str(judged.total))
        difference = None if total is None else total - before
        percent = None if difference is None or not before else (100 * difference / before)
        out.append(
            Repriced(
                point=point.get("id", name), currency=judged.currency, before=before, after=total,
                difference=difference,
                percent=None if percent is None else percent.quantize(Decimal("0.1"), ROUND_HALF_UP),
                unpriced=tuple(judged.unpriced),
                changed=tuple(sorted(x for x in {*build.node, *build.shared} if _own(catalog, x))),
            )
        )  # fmt: skip
    return tuple(out)


def _own(catalog: Catalog, part: str) -> bool:
    return any(offer.own for offer in catalog.offers.get(part, ()))


def price_history(folders: Sequence[Path], part: str) -> list[PastPrice]:
    """Every price of a part that imports into these folders brought, by day, with its list's name and sha256.

    `part`: its id. Raises InputError for a history that can't be read."""
    from optimizer.procurement.importing.exporting import past_prices

    return past_prices(folders, part)


def export_offers(catalog: Catalog, kind: str = "csv") -> bytes:
    """The buyer's own offers in a catalog as `csv` or `xlsx`, which `import_prices` reads back to the same."""
    from optimizer.procurement.importing.exporting import as_csv, as_xlsx, own_offers

    offers = own_offers(catalog)
    return as_xlsx(offers, catalog) if kind == "xlsx" else as_csv(offers, catalog).encode("utf-8")


def stale_offers(catalog: Catalog, days: int, *, today: date | None = None) -> list[Stale]:
    """Own offers older than so many days, or past the day until which they are valid, the oldest first."""
    from optimizer.procurement.importing.exporting import stale

    return stale(catalog, days, today or date.today())
