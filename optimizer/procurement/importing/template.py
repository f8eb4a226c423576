"""unknown.xlsx: parts that the catalog lacks, a sheet for each of its files, to be filled and imported again.

The columns are the catalog's own. `take` says `yes` for a row that is to be imported; `offer.` columns carry the price
that the list had. What is filled is checked cell by cell, and nothing is taken of a file with a wrong one."""

from __future__ import annotations

import io
import re
import typing
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from pydantic import BaseModel

from catalogs.errors import Fault, Faults, InputError
from catalogs.offers import Offer
from catalogs.records import list_fields, record
from catalogs.schema import PART_FILES, Part
from optimizer.procurement.importing.offering import offer_id
from optimizer.procurement.importing.schema import UnknownPart
from optimizer.procurement.reading.opening.sheet_facts import column_letters
from optimizer.procurement.reading.opening.sheets import Sheet, Tables
from optimizer.text.languages import Words

TAKE, ROW, TEXT = "take", "list row", "list text"
OWN = (TAKE, ROW, TEXT)
PRICE = "offer."
YES = ("yes", "y", "x", "1", "ja", "true", "是")
NOT_ASKED = ("kind", "markets", "id", "part", "own")
HELP = "Read me"
MADE = datetime(2026, 1, 1)
"""The day in the file's properties: one list gives the same bytes whenever it is written."""


def part_columns(table: str) -> list[str]:
    """The columns of a catalog's file, needed ones first."""
    fields = PART_FILES[table].model_fields
    names = [name for name in fields if name != "markets" and (name != "kind" or table == "links")]
    return sorted(names, key=lambda name: (name not in ("id", "name", "vendor"), not fields[name].is_required()))


def offer_columns() -> list[str]:
    """The columns of offers.csv but for those that follow from the part."""
    return [name for name in Offer.model_fields if name not in NOT_ASKED]


def template(parts: Sequence[UnknownPart], words: Words) -> bytes:
    """The workbook's bytes."""
    import xlsxwriter

    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    book.set_properties({"title": "dsopt unknown parts", "created": MADE})
    styles = {
        "needed": book.add_format({"bold": True, "bg_color": "#FCE4D6", "text_wrap": True, "valign": "top"}),
        "other": book.add_format({"bold": True, "bg_color": "#E7E6E6", "text_wrap": True, "valign": "top"}),
        "text": book.add_format({"num_format": "@"}),
    }
    guide = book.add_worksheet(HELP)
    guide.set_column(0, 0, 110)
    for place, line in enumerate(_guide(words)):
        guide.write_string(place, 0, line)
    for table in PART_FILES:
        rows = [part for part in parts if part.table == table]
        if rows:
            _sheet(book, table, rows, styles)
    book.close()
    return out.getvalue()


def _guide(words: Words) -> list[str]:
    return [
        words("Parts of a price list that the catalog does not have. Fill in what is known and import the file again."),
        words("Only rows with yes in column take are imported; the others stay as they are."),
        words("Columns with a red head are needed. Units stand in the columns' names; lists are written a|b."),
        words("What stands there was read from the list's words: check it against the maker's data sheet."),
        words("source says where the figures were read: the address of the data sheet, and its day."),
        words("Columns that begin with offer. are the list's price; clear offer.price where there is none."),
    ]


def _sheet(book: typing.Any, table: str, rows: Sequence[UnknownPart], styles: Mapping[str, typing.Any]) -> None:
    sheet = book.add_worksheet(table)
    cls = PART_FILES[table]
    columns = [*OWN, *part_columns(table), *(PRICE + name for name in offer_columns())]
    for place, name in enumerate(columns):
        needed = name == TAKE or (name in cls.model_fields and cls.model_fields[name].is_required())
        sheet.write_string(0, place, name, styles["needed" if needed else "other"])
        choices = _choices(cls, name)
        if name == TAKE:
            choices = ["yes"]
        if choices and sum(map(len, choices)) + len(choices) < 250:
            validation = {"validate": "list", "source": choices, "error_type": "warning"}
            sheet.data_validation(1, place, len(rows) + 200, place, validation)
    for number, part in enumerate(rows, 1):
        cells = {ROW: str(part.row), TEXT: part.text, "id": slug(part.figures), **part.figures}
        cells |= {PRICE + name: value for name, value in part.offer.items()}
        for place, name in enumerate(columns):
            sheet.write_string(number, place, cells.get(name, ""), styles["text"])
    sheet.freeze_panes(1, 3)
    sheet.set_column(0, 1, 8)
    sheet.set_column(2, 2, 44)
    sheet.set_column(3, len(columns) - 1, 14)
    sheet.set_row(0, 32)


def _choices(cls: type[BaseModel], name: str) -> list[str]:
    """The words that a column takes, where it takes one of few."""
    info = cls.model_fields.get(name)
    if info is None or name in list_fields(cls):
        return []
    found = [info.annotation, *typing.get_args(info.annotation)]
    return next((list(map(str, typing.get_args(x))) for x in found if typing.get_origin(x) is typing.Literal), [])


def slug(figures: Mapping[str, str]) -> str:
    """An id of the vendor's and the part's name: `Micron 9550 Pro` -> micron-9550-pro."""
    vendor, name = figures.get("vendor", ""), figures.get("name", "")
    text = name if name.casefold().startswith(vendor.casefold()) else f"{vendor} {name}"
    return re.sub(r"[^a-z0-9]+", "-", text.casefold()).strip("-")[:60]


@dataclass(frozen=True)
class Filled:
    """What a template holds: parts by the catalog's file, offers, and how many rows were left."""

    parts: dict[str, list[Part]]
    offers: list[Offer]
    left: int


def is_template(tables: Tables) -> bool:
    """Whether a workbook is an unknown.xlsx: a sheet of a catalog's file that begins with its own columns."""
    return any(_header(sheet)[:2] == [TAKE, ROW] for sheet in tables.sheets if sheet.name in PART_FILES)


def _header(sheet: Sheet) -> list[str]:
    first = next((row for row in sheet.rows if row.number == 1), None)
    if first is None:
        return []
    return [str(first.cells.get(place, "")).strip() for place in range(1, max(first.cells) + 1)]


def filled(path: Path, tables: Tables, taken_ids: Iterable[str]) -> Filled:
    """The rows with yes in column take. Raises InputError with every wrong cell, by sheet, row and column."""
    faults = Faults()
    out = Filled({}, [], 0)
    left, known = 0, set(taken_ids)
    for sheet in tables.sheets:
        if sheet.name not in PART_FILES:
            continue
        where = f"{path} [{sheet.name}]"
        header = _header(sheet)
        cls = PART_FILES[sheet.name]
        wrong = [x for x in header if x and x not in OWN and x not in cls.model_fields and not _is_of_offer(x)]
        faults += [
            Fault("unknown-column", "unknown column", where, 1, x, remedy="Keep the template's columns.") for x in wrong
        ]
        for row in sheet.rows:
            if row.number == 1:
                continue
            cells = {name: cell_text(row.cells.get(place)) for place, name in enumerate(header, 1) if name}
            if cells.get(TAKE, "").strip().casefold() not in YES:
                left += any(cells.get(name) for name in ("id", "name"))
                if cells.get(TAKE):
                    letter = column_letters(header.index(TAKE) + 1)
                    text = "says neither yes nor nothing"
                    faults.append(
                        Fault("bad-value", text, where, row.number, f"{letter} take", cells[TAKE], "yes, or blank.")
                    )
                continue
            _take(out, sheet.name, where, row.number, cells, known, faults)
    if faults:
        raise InputError(faults)
    return Filled(out.parts, out.offers, left)


def _is_of_offer(column: str) -> bool:
    return column.startswith(PRICE) and column.removeprefix(PRICE) in Offer.model_fields


def cell_text(cell: object) -> str:
    if cell is None or isinstance(cell, bool):
        return "" if cell is None else str(cell).lower()
    return cell.isoformat() if isinstance(cell, date) else str(cell).strip()


def _take(
    out: Filled, table: str, where: str, number: int, cells: Mapping[str, str], known: set[str], faults: Faults
) -> None:
    """One row's part, and its offer where it has a price."""
    cls = PART_FILES[table]
    figures = {name: value for name, value in cells.items() if value and name in cls.model_fields}
    blank = [
        name for name, info in cls.model_fields.items()
        if info.is_required() and name not in figures and (name != "kind" or table == "links")
    ]  # fmt: skip
    for name in blank:
        faults.append(
            Fault("missing-value", "is needed and blank", where, number, name, remedy="Fill it, or clear take.")
        )
    if blank:
        return
    if table in ("systems", "platforms"):
        figures["kind"] = table.removesuffix("s")
    part = record(cls, figures, where, number, faults)
    if not isinstance(part, Part):
        return
    if part.id in known:
        remedy = "Name it in [parts] of the map, or give another id."
        faults.append(Fault("duplicate-id", "is an id of the catalog already", where, number, "id", part.id, remedy))
        return
    known.add(part.id)
    out.parts.setdefault(table, []).append(part)
    terms = {name.removeprefix(PRICE): value for name, value in cells.items() if value and _is_of_offer(name)}
    if "price" in terms:
        terms |= {"part": part.id, "own": "true"}
        terms["id"] = offer_id(terms.get("seller", ""), part.id, terms.get("condition", "new"))
        offer = _offer(terms, where, number, faults)
        if offer is not None:
            out.offers.append(offer)


def _offer(terms: dict[str, str], where: str, number: int, faults: Faults) -> Offer | None:
    own = Faults()
    offer = record(Offer, terms, where, number, own)
    faults += [Fault(x.code, x.text, x.file, x.row, PRICE + x.column, x.value, x.remedy) for x in own]
    return offer if isinstance(offer, Offer) else None
