"""A buyer's approved list: CSV of approved and barred parts and vendors -> rows of a request."""

from __future__ import annotations

import csv
import io
from difflib import get_close_matches
from pathlib import Path

from catalogs.errors import Fault, Faults, InputError
from catalogs.gpu_names import part_named
from catalogs.inputs import LIST_BYTES, read_text
from catalogs.load import Catalog
from catalogs.other_file import APPROVED, expecting
from catalogs.schema import Kind
from constraints.request import Listed
from optimizer.text.csv_table import too_wide

COLUMNS = ("part", "vendor", "category", "status", "note")


def read(path: Path, catalog: Catalog) -> tuple[Listed, ...]:
    """Columns part or vendor (with a category if it is meant for one only), status approved | barred, note.

    Raises InputError with every fault, each with its row: unknown names come with the nearest ones."""
    with expecting(path, APPROVED):
        header, lines = _table(path)
    faults = Faults()
    found: dict[tuple[str, str, str], Listed] = {}
    for number, cells in enumerate(lines[1:], 2):
        if faults.full:
            faults.unread = len(lines) + 1 - number
            break
        if not any(cell.strip() for cell in cells):
            continue
        if any(x.strip() for x in cells[len(header) :]):
            faults.append(too_wide(len(cells), len(header), str(path), number))
            continue
        row = {h: x.strip() for h, x in zip(header, cells, strict=False)}
        try:
            listed = _listed(row, catalog)
        except InputError as e:
            faults += [Fault(f.code, f.text, str(path), number, f.column, f.value, f.remedy) for f in e.faults]
            continue
        key = (listed.part, listed.vendor, listed.category)
        if found.setdefault(key, listed).status != listed.status:
            name = listed.part or listed.vendor
            remedy = "Keep one of the two rows."
            faults.append(
                Fault("avl-conflict", "both approved and barred", str(path), number, value=name, remedy=remedy)
            )
    if faults:
        raise InputError(faults)
    return tuple(found.values())


def _table(path: Path) -> tuple[list[str], list[list[str]]]:
    """(header, all lines with it); raises InputError for another header and for what is no CSV."""
    text = read_text(path, LIST_BYTES, code="bad-avl", remedy="Save it as CSV UTF-8.")
    try:
        lines = list(csv.reader(io.StringIO(text, newline="")))
    except csv.Error as e:
        raise InputError(Fault("bad-avl", f"cannot be read: {e}", str(path), remedy="Save it as CSV UTF-8.")) from None
    header = [x.strip().casefold() for x in lines[0]] if lines else []
    strange = [x for x in header if x not in COLUMNS]
    if strange or "status" not in header or not {"part", "vendor"} & set(header):
        remedy = "The header is part,vendor,category,status,note; part or vendor and status are needed."
        raise InputError(
            Fault("bad-avl", "has another header", str(path), 1, value=",".join(header)[:80], remedy=remedy)
        )
    return header, lines


def _listed(row: dict[str, str], catalog: Catalog) -> Listed:
    part, vendor, category = row.get("part", ""), row.get("vendor", ""), row.get("category", "").casefold()
    status = row.get("status", "").casefold()
    if bool(part) == bool(vendor):
        raise InputError(Fault("bad-avl", "needs a part or a vendor, not both", value=part))
    if status not in ("approved", "barred"):
        raise InputError(Fault("bad-avl", "is approved or barred", column="status", value=row.get("status", "")))
    if category and category not in [k.value for k in Kind]:
        kinds = ", ".join(k.value for k in Kind)
        raise InputError(Fault("unknown-kind", "no part kind", column="category", value=category, remedy=kinds))
    if part:
        return Listed(part=part_named(part, catalog).id, status=status, note=row.get("note", ""))  # type: ignore[arg-type]
    known = {part.vendor.casefold(): part.vendor for part in catalog.parts.values() if part.vendor}
    name = vendor.casefold()
    if name not in known:
        near = ", ".join(known[x] for x in get_close_matches(name, list(known), n=3))
        remedy = f"Nearest: {near}." if near else "See `dsopt catalog list`."
        raise InputError(
            Fault("unknown-vendor", "no part of this vendor", column="vendor", value=vendor, remedy=remedy)
        )
    return Listed(vendor=name, category=category, status=status, note=row.get("note", ""))  # type: ignore[arg-type]
