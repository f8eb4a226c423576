"""`import_list`: one file into one folder. Reads all, decides all, then writes all files or none."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass
from pathlib import Path

from catalogs.errors import Fault, InputError
from catalogs.inputs import CATALOG_BYTES, read_bytes
from catalogs.load import Catalog
from catalogs.offers import Offer
from catalogs.schema import PART_FILES
from catalogs.visible import safe_cell
from optimizer.procurement.importing.changes import changes
from optimizer.procurement.importing.exporting import exported_offers
from optimizer.procurement.importing.folder import (
    HISTORY,
    IMPORT_COLUMNS,
    IMPORTS,
    Held,
    file_text,
    held,
    offer_rows,
    row_of,
    table_rows,
    write_together,
)
from optimizer.procurement.importing.lists import sort_lines
from optimizer.procurement.importing.schema import Doubt, Import
from optimizer.procurement.importing.template import filled, is_template, template
from optimizer.procurement.importing.terms import Said, mapped, terms_of
from optimizer.procurement.reading.document import Quote
from optimizer.procurement.reading.mapping import Mapping, mapping_toml
from optimizer.procurement.reading.opening.sheets import Tables
from optimizer.procurement.reading.opening.tables import read_tables
from optimizer.procurement.reading.reader import read
from optimizer.text.csv_table import csv_text
from optimizer.text.languages import Words

NOTHING_SAID, ENGLISH = Said(), Words()
TO_DO = "review"
"""Folder, beside the catalog's files, of what a person has to look at."""
DOUBT_COLUMNS = ("row", "part_number", "text", "price", "currency", "reason", "suggestion", "others")


@dataclass(frozen=True)
class Prepared:
    """An import that is ready to be written: `files` by their paths."""

    found: Import
    files: dict[Path, bytes]


def prepare(
    path: Path, folder: Path, catalog: Catalog, said: Said = NOTHING_SAID, *, mapping: Mapping | None = None,
    accept_fuzzy: bool = False, partial: bool = False, force: bool = False, words: Words = ENGLISH,
) -> Prepared:  # fmt: skip
    """What an import of the file into the folder does; nothing is written (`write`).

    `catalog`: what parts are looked up in, the folder's own among them. `partial`: offers of the seller that the list
    does not name stay. Raises InputError with every fault: of the file, of what neither it nor `said` says, of a list
    that is older than the one held without `force`."""
    sha = hashlib.sha256(read_bytes(path, CATALOG_BYTES, regular=True)).hexdigest()
    before = held(folder)
    tables = read_tables(path) if path.read_bytes()[:2] == b"PK" else None
    if tables is not None and is_template(tables):
        return _from_template(path, sha, tables, folder, catalog, before)
    own = exported_offers(path, tables, catalog)
    if own is not None:
        return _from_export(path, sha, own, folder, before)
    quote = read(path, catalog, mapping=mapped(said, mapping or Mapping()), accept_fuzzy=accept_fuzzy)
    return _from_list(quote, sha, folder, catalog, before, said, partial=partial, force=force, words=words)


def write(prepared: Prepared) -> None:
    """All files of an import, or none. Raises InputError where they can't be written."""
    write_together(prepared.files)


def _from_list(
    quote: Quote, sha: str, folder: Path, catalog: Catalog, before: Held, said: Said, *, partial: bool, force: bool,
    words: Words,
) -> Prepared:  # fmt: skip
    terms = terms_of(quote, said)
    _refuse_older(before, terms.seller, terms.day.isoformat(), sha, quote.source, force=force)
    found = sort_lines(quote, terms)
    had = before.offers()
    of_seller = {key: offer for key, offer in had.items() if offer.seller == terms.seller and key.startswith("own-")}
    new = {taken.offer.id: taken.offer for taken in found.taken}
    kept = {key: offer for key, offer in had.items() if partial or key not in of_seller}
    changed = changes(of_seller, {**of_seller, **new} if partial else new)
    result = Import(
        source=quote.source, sha256=sha, seller=terms.seller, day=terms.day, currency=quote.currency,
        rows=len(quote.lines), taken=tuple(found.taken), doubts=tuple(found.doubts), unknown=tuple(found.unknown),
        outside=found.outside, services=found.services, repeated=tuple(found.repeated), changes=changed,
        notices=quote.notices, mapping=quote.mapping,
    )  # fmt: skip
    rows = {name: list(by_id.values()) for name, by_id in before.rows.items()}
    rows["offers"] = offer_rows({**kept, **new}.values())
    files = _catalog_files(folder, rows)
    files |= _history_files(folder, before, result, new.values())
    files |= _review_files(folder, result, words, force=force)
    return Prepared(result, files)


def _from_template(path: Path, sha: str, tables: Tables, folder: Path, catalog: Catalog, before: Held) -> Prepared:
    """A filled unknown.xlsx: its parts, and the offers that its rows carry."""
    others = catalog.parts.keys() - {key for table, rows in before.rows.items() if table in PART_FILES for key in rows}
    found = filled(path, tables, others)
    if not found.parts:
        remedy = "Write yes in column take of the rows that are filled."
        raise InputError(Fault("no-lines", "has no row to take", str(path), remedy=remedy))
    had = before.offers()
    new = {offer.id: offer for offer in found.offers}
    rows = {name: dict(by_id) for name, by_id in before.rows.items()}
    for table, parts in found.parts.items():
        rows.setdefault(table, {}).update({part.id: row_of(part) for part in parts})
    rows["offers"] = {row["id"]: row for row in offer_rows({**had, **new}.values())}
    ids = tuple(part.id for parts in found.parts.values() for part in parts)
    result = _of_own_file(path, sha, new, had, len(ids) + found.left).model_copy(
        update={"parts": ids, "left": found.left}
    )
    files = _catalog_files(folder, {name: list(by_id.values()) for name, by_id in rows.items()})
    return Prepared(result, files | _history_files(folder, before, result, new.values()))


def _from_export(path: Path, sha: str, offers: list[Offer], folder: Path, before: Held) -> Prepared:
    """A file of `catalog export`: its offers as they stand there."""
    had = before.offers()
    new = {offer.id: offer for offer in offers}
    result = _of_own_file(path, sha, new, had, len(offers))
    rows = {name: list(by_id.values()) for name, by_id in before.rows.items()}
    rows["offers"] = offer_rows({**had, **new}.values())
    return Prepared(result, _catalog_files(folder, rows) | _history_files(folder, before, result, new.values()))


def _of_own_file(path: Path, sha: str, new: MappingOf[str, Offer], had: MappingOf[str, Offer], rows: int) -> Import:
    from datetime import date

    day = max((offer.date for offer in new.values()), default=date.today())
    sellers = sorted({offer.seller for offer in new.values()})
    currencies = sorted({offer.currency for offer in new.values()})
    touched = {key: had[key] for key in new if key in had}
    return Import(
        source=path.name, sha256=sha, seller=", ".join(sellers), day=day, currency=", ".join(currencies), rows=rows,
        changes=changes(touched, new),
    )  # fmt: skip


def _refuse_older(before: Held, seller: str, day: str, sha: str, source: str, *, force: bool) -> None:
    """A list that is older than one held of the same seller would bring old prices back."""
    newest = max(
        (row["date"] for row in before.imports if row["seller"] == seller and row["sha256"] != sha), default=""
    )
    if newest > day and not force:
        remedy = "Give --force to take it all the same, or a later --date."
        text = f"is of {day}; a list of {newest} by the same seller is held"
        raise InputError(Fault("older-list", text, source, remedy=remedy))


def _catalog_files(folder: Path, rows: MappingOf[str, list[dict[str, str]]]) -> dict[Path, bytes]:
    from catalogs.offers import PRICE_FILES

    out = {}
    for table, found in rows.items():
        cls = PRICE_FILES.get(table) or PART_FILES[table]
        out[folder / f"{table}.csv"] = file_text(cls, found).encode("utf-8")
    return out


def _history_files(folder: Path, before: Held, found: Import, offers: object) -> dict[Path, bytes]:
    """The list's offers under its day and hash, and its row among the imports; one file has one row, the latest."""
    own = offer_rows(offers)  # type: ignore[arg-type]
    row = {
        "sha256": found.sha256, "file": safe_cell(found.source), "date": found.day.isoformat(), "seller": found.seller,
        "currency": found.currency, "rows": str(found.rows), "offers": str(len(own)),
        "doubts": str(len(found.doubts)), "unknown": str(len(found.unknown)),
    }  # fmt: skip
    imports = sorted(
        [*(x for x in before.imports if x["sha256"] != found.sha256), row], key=lambda x: (x["date"], x["sha256"])
    )
    cells = [[x.get(name, "") for name in IMPORT_COLUMNS] for x in imports]
    return {
        folder / HISTORY / f"{found.day}-{found.sha256[:12]}.csv": file_text(Offer, own).encode("utf-8"),
        folder / HISTORY / IMPORTS: csv_text(IMPORT_COLUMNS, cells).encode("utf-8"),
    }


def _review_files(folder: Path, found: Import, words: Words, *, force: bool) -> dict[Path, bytes]:
    """What a person looks at: doubts, the map that answers them, unknown parts. A file that differs from one that is
    there, and may have been filled, is written with `force` alone."""
    place = folder / TO_DO
    suggested = {doubt.key: doubt.suggestion or "ignore" for doubt in found.doubts}
    out = {
        place / "review.csv": review_text(found.doubts).encode("utf-8"),
        place / "map.toml": mapping_toml(found.mapping, suggested).encode("utf-8"),
    }
    if found.unknown:
        out[place / "unknown.xlsx"] = template(found.unknown, words)
    kept = [path for path in out if path.suffix != ".csv" and path.exists() and path.read_bytes() != out[path]]
    if kept and not force:
        remedy = "Import or move it first, or give --force to overwrite it."
        raise InputError(
            [Fault("output-exists", "is of an import before, and may be filled", str(x), remedy=remedy) for x in kept]
        )
    return out


def review_text(doubts: tuple[Doubt, ...]) -> str:
    """review.csv."""
    rows = [
        [str(x.row), x.part_number, x.text, x.price, x.currency, str(x.reason), x.suggestion, "|".join(x.others)]
        for x in doubts
    ]
    return csv_text(DOUBT_COLUMNS, [[safe_cell(cell) for cell in row] for row in rows])


def history_rows(folder: Path) -> list[dict[str, str]]:
    """The lists that were imported into a folder, by their days."""
    return table_rows(folder / HISTORY / IMPORTS)
