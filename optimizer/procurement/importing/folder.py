"""The folder that imports keep: catalog files for `--catalog`, the history of every list beside them.

`offers.csv` and files of parts are those of any catalog folder; `history/imports.csv` has a row for each list,
`history/<day>-<sha>.csv` the offers that it brought. All files of an import are written, or none."""

from __future__ import annotations

import csv
import io
import os
import secrets
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel

from catalogs.errors import Faults, InputError
from catalogs.files import REMEDY, refusing
from catalogs.offers import Offer
from catalogs.records import cell_value, csv_rows, record
from catalogs.schema import PART_FILES, Part
from optimizer.text.csv_table import csv_text

HISTORY = "history"
IMPORTS = "imports.csv"
IMPORT_COLUMNS = ("sha256", "file", "date", "seller", "currency", "rows", "offers", "doubts", "unknown")


@dataclass
class Held:
    """What a folder holds: rows of its files as text, by file and id, and the lists that were imported into it."""

    folder: Path
    rows: dict[str, dict[str, dict[str, str]]] = field(default_factory=dict)
    imports: list[dict[str, str]] = field(default_factory=list)

    def offers(self) -> dict[str, Offer]:
        """Its offers by id. Raises InputError with every fault of offers.csv."""
        faults = Faults()
        path = str(self.folder / "offers.csv")
        found = [
            record(Offer, {"own": "true", **row}, path, None, faults) for row in self.rows.get("offers", {}).values()
        ]
        if faults:
            raise InputError(faults)
        return {offer.id: offer for offer in found if isinstance(offer, Offer)}


def held(folder: Path) -> Held:
    """What there is; nothing for a folder that is not there. Raises InputError for files that can't be read."""
    import hashlib

    out = Held(folder)
    faults = Faults()
    tables: dict[str, type[BaseModel]] = {"offers": Offer, **PART_FILES}
    for table, cls in tables.items():
        path = folder / f"{table}.csv"
        if path.exists():
            rows = csv_rows(path, cls, hashlib.sha256(), faults)
            out.rows[table] = {row.get("id", ""): row for _, row in rows}
    if faults:
        raise InputError(faults)
    out.imports = table_rows(folder / HISTORY / IMPORTS)
    return out


def table_rows(path: Path) -> list[dict[str, str]]:
    """The rows of a table that an import wrote; none where there is none."""
    from catalogs.inputs import CATALOG_BYTES, read_text

    if not path.exists():
        return []
    return list(csv.DictReader(io.StringIO(read_text(path, CATALOG_BYTES), newline="")))


def offer_rows(offers: Iterable[Offer]) -> list[dict[str, str]]:
    """Offers as the rows of offers.csv."""
    return [row_of(offer) for offer in sorted(offers, key=lambda offer: offer.id)]


def row_of(item: BaseModel) -> dict[str, str]:
    """A part or an offer as its row has it: defaults stay blank."""
    out = {}
    for name, info in type(item).model_fields.items():
        value = getattr(item, name)
        if info.is_required() or value != info.default:
            cell = cell_value(value)
            out[name] = "" if cell is None else str(cell).lower() if isinstance(cell, bool) else str(cell)
    return out


def file_text(cls: type[BaseModel], rows: Sequence[Mapping[str, str]], further: Sequence[str] = ()) -> str:
    """A catalog's CSV: needed columns, and of the others those that some row fills."""
    used = {name for row in rows for name, value in row.items() if value}
    fixed = issubclass(cls, Part) and "kind" in cls.model_fields and "kind" not in used
    names = [n for n, x in cls.model_fields.items() if (x.is_required() or n in used) and not (n == "kind" and fixed)]
    names += [name for name in further if name not in names]
    return csv_text(names, [[row.get(name, "") for name in names] for row in rows])


def write_together(files: Mapping[Path, bytes]) -> None:
    """All files, or none: each is written in full beside its place before the first is renamed. Raises InputError."""
    made: list[tuple[str, Path]] = []
    try:
        for path, content in files.items():
            with refusing(path, REMEDY):
                path.parent.mkdir(parents=True, exist_ok=True)
                beside = str(path.parent / f".dsopt-{secrets.token_hex(8)}.tmp")
                made.append((beside, path))
                with open(beside, "xb") as file:
                    file.write(content)
        for beside, path in made:
            with refusing(path, REMEDY):
                os.replace(beside, path)
    finally:
        for beside, _ in made:
            with suppress(OSError):
                os.unlink(beside)
