"""`catalog export`: a folder's own offers and parts as a workbook or CSV that import reads back to the same, the price
history of a part, and own offers that are old."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

from catalogs.errors import Faults, InputError
from catalogs.load import Catalog
from catalogs.offers import Offer
from catalogs.records import record
from optimizer.procurement.importing.folder import HISTORY, IMPORTS, offer_rows, table_rows
from optimizer.procurement.importing.schema import PastPrice, Stale
from optimizer.procurement.importing.template import cell_text
from optimizer.procurement.reading.opening.sheets import Tables
from optimizer.text.csv_table import csv_text

SHEET = "offers"
NAME = "part name"
"""A column for people: import takes the part by its id."""


def _columns() -> list[str]:
    names = list(Offer.model_fields)
    return [*names[:2], NAME, *names[2:]]


def own_offers(catalog: Catalog) -> list[Offer]:
    """The buyer's own offers in a catalog, by id."""
    return sorted((x for of in catalog.offers.values() for x in of if x.own), key=lambda offer: offer.id)


def as_csv(offers: Iterable[Offer], catalog: Catalog) -> str:
    """Offers with their parts' names as CSV."""
    rows = offer_rows(offers)
    names = {row["id"]: catalog.parts[row["part"]].name for row in rows}
    columns = _columns()
    return csv_text(
        columns, [[names[row["id"]] if name == NAME else row.get(name, "") for name in columns] for row in rows]
    )


def as_xlsx(offers: Sequence[Offer], catalog: Catalog) -> bytes:
    """The same table as a workbook; every cell is a text, so that no price or number is rounded on its way."""
    import xlsxwriter

    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    sheet = book.add_worksheet(SHEET)
    bold, plain = book.add_format({"bold": True}), book.add_format({"num_format": "@"})
    table = list(csv.reader(io.StringIO(as_csv(offers, catalog), newline="")))
    for number, row in enumerate(table):
        for place, cell in enumerate(row):
            sheet.write_string(number, place, cell, plain if number else bold)
    sheet.freeze_panes(1, 3)
    sheet.set_column(0, len(_columns()) - 1, 18)
    book.close()
    return out.getvalue()


def exported_offers(path: Path, tables: Tables | None, catalog: Catalog) -> list[Offer] | None:
    """The offers of an exported file; None for any other file. Raises InputError with every wrong cell."""
    rows = _exported_rows(path, tables)
    if rows is None:
        return None
    faults = Faults()
    out = []
    for number, row in rows:
        row.pop(NAME, None)
        offer = record(Offer, row, str(path), number, faults)
        if isinstance(offer, Offer):
            out.append(offer)
            try:
                catalog.find(offer.part)
            except InputError as e:
                faults += e.faults
    if faults:
        raise InputError(faults)
    return out


def _exported_rows(path: Path, tables: Tables | None) -> list[tuple[int, dict[str, str]]] | None:
    """(row number, cells by column) of an exported table; None where the first row is no header of one."""
    if tables is not None:
        sheet = next((sheet for sheet in tables.sheets if sheet.name == SHEET), None)
        raw = (
            [(row.number, {place: cell_text(cell) for place, cell in row.cells.items()}) for row in sheet.rows]
            if sheet
            else []
        )
    else:
        from catalogs.inputs import CATALOG_BYTES, read_bytes

        start = read_bytes(path, CATALOG_BYTES, regular=True)
        if not start.lstrip(b"\xef\xbb\xbf").startswith(b"id,part,"):
            return None
        lines = csv.reader(io.StringIO(start.decode("utf-8-sig", "replace"), newline=""))
        raw = [(number, dict(enumerate(row, 1))) for number, row in enumerate(lines, 1)]
    if not raw or list(raw[0][1].values()) != _columns():
        return None
    header = raw[0][1]
    return [(number, {header[place]: cell for place, cell in cells.items() if cell}) for number, cells in raw[1:]]


def past_prices(folders: Iterable[Path], part: str) -> list[PastPrice]:
    """What imports into these folders brought of a part, by day."""
    out = []
    for folder in folders:
        for row in table_rows(folder / HISTORY / IMPORTS):
            faults = Faults()
            path = folder / HISTORY / f"{row['date']}-{row['sha256'][:12]}.csv"
            for cells in table_rows(path):
                if cells.get("part") != part:
                    continue
                offer = record(Offer, {name: cell for name, cell in cells.items() if cell}, str(path), None, faults)
                if isinstance(offer, Offer):
                    out.append(_past(offer, row))
            if faults:
                raise InputError(faults)
    return sorted(out, key=lambda past: (past.day, past.seller, past.condition))


def _past(offer: Offer, row: dict[str, str]) -> PastPrice:
    return PastPrice(
        day=offer.date, seller=offer.seller, price=offer.price, currency=offer.currency, condition=offer.condition,
        file=row["file"], sha256=row["sha256"], offer=offer,
    )  # fmt: skip


def stale(catalog: Catalog, days: int, today: date) -> list[Stale]:
    """Own offers older than so many days, or past their validity, the oldest first."""
    out = []
    for offer in own_offers(catalog):
        age = (today - offer.date).days
        expired = offer.valid_until is not None and offer.valid_until < today
        if age > days or expired:
            out.append(Stale(offer=offer, days=age, expired=expired))
    return sorted(out, key=lambda found: (-found.days, found.offer.id))
