"""map.toml: how a vendor's file was read, written by the reader, edited by hand and replayed on the next file."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from catalogs.errors import Fault, InputError
from catalogs.files import write_text
from catalogs.inputs import read_toml
from catalogs.other_file import MAPPING, expecting
from catalogs.refused_value import in_words
from catalogs.visible import visible

Tax = Literal["net", "gross", "unknown"]
FieldName = Literal[
    "number", "part_number", "name", "description", "brand", "category", "qty", "sets", "unit", "unit_price",
    "list_price", "discount", "line_total", "currency", "tax_rate", "tax_amount", "pack", "price_per", "lead_time",
    "condition", "valid_until", "warranty", "origin", "vendor", "quote_no", "quote_date", "note", "status", "term",
    "stock", "min_qty", "breaks", "gtin", "unused",
]  # fmt: skip


class ColumnMap(BaseModel):
    """What a column holds; `scale` multiplies (10000 for 万元), `per` says that the price is for
    a pack, or that a quantity is what each node holds. `sets`: how many of these nodes."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")
    field: FieldName
    tax: Tax = "unknown"
    currency: str = ""
    scale: int = Field(default=1, ge=1, le=10**9)
    per: Literal["", "pack", "node"] = ""


class Mapping(BaseModel):
    """Blank fields are found by the reader. `sheets`: of one offer, read together, where the rows of each further one
    count on from the next thousand. `period`: how often prices are paid, `once` for a purchase; `term_months`: over how
    many months what is paid by time is counted, `term_stated`: over those that the file states. `parts`: a line's part
    number or text -> part id, `service` (anything that is no part) or `ignore`."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")
    schema_version: Literal[1] = 1
    sheet: str = ""
    sheets: tuple[str, ...] = ()
    header_row: int | None = Field(default=None, ge=1)
    header_rows: int = Field(default=1, ge=1, le=3)
    last_row: int | None = Field(default=None, ge=1)
    encoding: str = ""
    delimiter: str = Field(default="", max_length=1)
    decimal: Literal["", ".", ","] = ""
    currency: str = ""
    tax: Tax = "unknown"
    tax_rate: Decimal | None = Field(default=None, ge=0, le=100)
    vendor: str = ""
    valid_until: date | None = None
    period: Literal["", "once", "hour", "day", "week", "month", "quarter", "year"] = ""
    term_months: int | None = Field(default=None, ge=1, le=600)
    term_stated: bool = False
    ignore_rows: tuple[int, ...] = ()
    columns: dict[str, ColumnMap] = {}
    parts: dict[str, str] = {}


def read_mapping(path: Path) -> Mapping:
    """Raises InputError with every fault: no TOML, unknown keys, fields or values."""
    with expecting(path, MAPPING, column="--map"):
        data: dict[str, Any] = read_toml(path, "bad-map", "Write it anew with --map.")
        try:
            return Mapping.model_validate(data)
        except ValidationError as e:
            found = e.errors(include_url=False)
            places = [".".join(map(str, x["loc"])) for x in found]
            raise InputError(
                [
                    Fault("bad-map", in_words(x), str(path), column=place, value=str(x["input"])[:60])
                    for x, place in zip(found, places, strict=True)
                ]
            ) from None


def _text(value: str) -> str:
    return visible(json.dumps(value, ensure_ascii=False))


def mapping_toml(mapping: Mapping, suggestions: dict[str, str] | None = None) -> str:
    """The file's text; `suggestions` (line text -> part id) stand in it as comments to be uncommented."""
    out = ["# How the file was read. Edit and give it back with --map; blank or missing entries are found again.", ""]
    for key, value in mapping.model_dump(exclude={"columns", "parts"}, exclude_none=True).items():
        if isinstance(value, str):
            out.append(f"{key} = {_text(value)}")
        elif isinstance(value, bool):
            out.append(f"{key} = {'true' if value else 'false'}")
        elif isinstance(value, tuple):
            out.append(f"{key} = [{', '.join(_text(x) if isinstance(x, str) else str(x) for x in value)}]")
        else:
            out.append(f"{key} = {value.isoformat() if isinstance(value, date) else value}")
    out += ["", "[columns]"]
    for letter, c in mapping.columns.items():
        given = {k: v for k, v in c.model_dump(exclude_defaults=True).items()}
        fields = ", ".join(f"{k} = {_text(v) if isinstance(v, str) else v}" for k, v in given.items())
        out.append(f"{letter} = {{ {fields} }}")
    out += ["", "# part number or text of a line -> part id, service or ignore", "[parts]"]
    out += [f"{_text(k)} = {_text(v)}" for k, v in mapping.parts.items()]
    out += [f"# {_text(k)} = {_text(v)}" for k, v in (suggestions or {}).items()]
    return "\n".join(out) + "\n"


def write_mapping(path: Path, mapping: Mapping, suggestions: dict[str, str] | None = None) -> None:
    """Written whole or not at all; raises InputError where that can't be."""
    write_text(path, mapping_toml(mapping, suggestions))
