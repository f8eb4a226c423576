"""Tables as pandas DataFrames, and frames as rows of text as a CSV file holds them. Imports pandas: import it late."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from numbers import Integral, Real

import pandas as pd
from pydantic import BaseModel

from catalogs.errors import InputError
from catalogs.qualified_gpus import RECORD_FILES
from catalogs.records import cell_value
from catalogs.schema import PART_FILES, Kind

DTYPES = {int: "int64", float: "float64", bool: "bool", str: "string", date: "datetime64[s]"}
WITH_BLANKS = {**DTYPES, int: "Int64", bool: "boolean"}
"""What a column holds in which some cells may be unknown: an unknown number is `<NA>`, never 0."""


@dataclass(frozen=True)
class Table:
    """One table of a catalog: the name of its CSV file, the class of its rows, and the kinds of parts in it (none of
    offers, bundles, indices and makers' lists)."""

    file: str
    row: type[BaseModel]
    kinds: tuple[Kind, ...] = ()


def table_named(name: str) -> Table:
    """The table of a CSV file (`gpus`, `offers`) or of a kind of parts (`gpu`).

    Raises:
        InputError: There is no such table; names those that there are.
    """
    if name in RECORD_FILES:
        return Table(name, RECORD_FILES[name])
    for file, row in PART_FILES.items():
        kinds = kinds_in(file)
        if name == file:
            return Table(file, row, kinds)
        if name in kinds:
            return Table(file, row, (Kind(name),))
    known = ", ".join([*PART_FILES, *RECORD_FILES])
    raise InputError(f"a catalog has no table {name!r}", "unknown-table", f"Name one of: {known}; or a kind of parts.")


def kinds_in(file: str) -> tuple[Kind, ...]:
    """Kinds of parts that a file holds: systems and platforms share a class, not a file."""
    if file in ("systems", "platforms"):
        return (Kind(file.removesuffix("s")),)
    return typing.get_args(PART_FILES[file].model_fields["kind"].annotation)


def catalog_frame(table: Table, rows: Iterable[BaseModel]) -> pd.DataFrame:
    """Rows of a catalog with the columns of their CSV file; lists are written as there (`a|b`, `2*part|8*part`)."""
    types_of = {name: plain_type(field.annotation) for name, field in table.row.model_fields.items()}
    if len(table.kinds) == 1 and table.file != "links":
        types_of.pop("kind")
    values = [{name: cell_value(getattr(row, name)) for name in types_of} for row in rows]
    return frame(values, types_of)


def frame(rows: list[dict[str, object]], types_of: Mapping[str, tuple[type, bool]]) -> pd.DataFrame:
    """Rows as a frame of these columns, each of (type, whether cells may be blank); the same dtypes without rows.

    Money stays Decimal: exact to the cent, `astype(float)` where a plot asks for it."""
    columns = {
        name: pd.Series(
            [row[name] for row in rows],
            dtype=(WITH_BLANKS if blanks else DTYPES).get(kind, "object"),
        )
        for name, (kind, blanks) in types_of.items()
    }
    return pd.DataFrame(columns)


def plain_type(annotation: object) -> tuple[type, bool]:
    """(type of a cell, whether it may be blank) of an annotation; lists are text."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return plain_type(arguments[0])
    if origin in (typing.Union, types.UnionType):
        (inner,) = (plain_type(x) for x in arguments if x is not type(None))
        return inner[0], True
    if origin is typing.Literal:
        return (str if isinstance(arguments[0], str) else type(arguments[0])), False
    if isinstance(annotation, type) and issubclass(annotation, (bool, int, float, date, Decimal)):
        return annotation, False
    return str, False


def text_rows(data: pd.DataFrame, known: Iterable[str]) -> tuple[list[str], list[dict[str, str]]]:
    """Header and rows as a CSV file has them, blank cells left out. An index with the name of a column is one."""
    wanted = set(known)
    levels = [name for name in data.index.names if name in wanted and name not in data.columns]
    flat = data.reset_index(level=levels) if levels else data
    header = [str(name) for name in flat.columns]
    rows = []
    for values in flat.itertuples(index=False, name=None):
        texts = {name: cell_text(value) for name, value in zip(header, values, strict=True)}
        rows.append({name: text for name, text in texts.items() if text})
    return header, rows


def cell_text(value: object) -> str:
    """A cell as a CSV file would hold it; "" for what is unknown. A whole number that pandas keeps as a float because
    others in its column are blank is a whole number again."""
    if isinstance(value, (list, tuple)):
        return "|".join(cell_text(x) for x in value)
    if value is None or (pd.api.types.is_scalar(value) and pd.isna(value)):
        return ""
    if isinstance(value, Enum):
        return str(value.value)
    if pd.api.types.is_bool(value):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return value.date().isoformat() if value == datetime.combine(value.date(), datetime.min.time()) else str(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Integral) or (isinstance(value, Real) and float(value).is_integer()):
        return str(int(value))  # type: ignore[call-overload]
    return str(value).strip()
