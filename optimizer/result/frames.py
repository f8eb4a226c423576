"""A result as pandas DataFrames. Imports pandas: import this late."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import get_args

import pandas as pd
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from catalogs.frames import frame, plain_type
from optimizer.result.point_schema import BomLine, Cost, FrontPoint

MONEY = Cost.model_fields["total"].metadata
"""The pattern of amounts, by which a column is told to hold money."""
DECIMALS = {"axis_cost", "price_per_kwh", "cost_year", "pue"}
"""Decimal strings that are no amounts of the build."""
DAYS = {"price_date"}


@dataclass(frozen=True)
class Column:
    """A figure of a point: its path in the JSON, type, and whether it may be blank."""

    path: tuple[str, ...]
    type: type
    blanks: bool

    @property
    def name(self) -> str:
        """The path with dots, as pandas' own `json_normalize` writes it."""
        return ".".join(self.path)

    def value(self, of: object) -> object:
        """The figure of one point or line; None where the part of the document that holds it is null."""
        for step in self.path:
            of = getattr(of, step, None)
        if of is None:
            return None
        return Decimal(str(of)) if self.type is Decimal else of


def columns_of(shape: type[BaseModel], above: tuple[str, ...] = (), blanks: bool = False) -> Iterator[Column]:
    """All single figures of a document's shape in the order of its fields; lists are left out."""
    for name, field in shape.model_fields.items():
        inner, optional = _inner(field)
        path = (*above, name)
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from columns_of(inner, path, blanks or optional)
        elif getattr(inner, "__origin__", None) not in (list, dict):
            yield Column(path, _type(name, field), blanks or optional)


def _inner(field: FieldInfo) -> tuple[object, bool]:
    """(what a field holds where it is not null, whether it may be null)."""
    choices = [x for x in get_args(field.annotation) if x is not type(None)]
    if type(None) in get_args(field.annotation) and len(choices) == 1:
        return choices[0], True
    return field.annotation, False


def _type(name: str, field: FieldInfo) -> type:
    if name in DECIMALS or field.metadata == MONEY:
        return Decimal
    return date if name in DAYS else plain_type(field.annotation)[0]


def front(points: list[FrontPoint], named: dict[str, str | None], recommended: str | None) -> pd.DataFrame:
    """A row for each point of the front under its id, ascending in cost and throughput."""
    columns = [c for c in columns_of(FrontPoint) if c.name != "id"]
    rows: list[dict[str, object]] = []
    for point in points:
        roles = [role for role, id_ in sorted(named.items()) if id_ == point.id]
        roles += ["recommended"] * (point.id == recommended)
        row = {"id": point.id, "named": ", ".join(roles), "nodes": sum(node.count for node in point.nodes)}
        rows.append({**row, **{column.name: column.value(point) for column in columns}})
    types = {"id": (str, False), "named": (str, False), "nodes": (int, False)}
    return frame(rows, {**types, **{column.name: (column.type, column.blanks) for column in columns}}).set_index("id")


def bill(points: list[FrontPoint]) -> pd.DataFrame:
    """A row for each line of the bills of materials, in the order of the front, with the point that it belongs to."""
    columns = list(columns_of(BomLine))
    rows: list[dict[str, object]] = [
        {"point": point.id, **{column.name: column.value(line) for column in columns}}
        for point in points
        for line in point.bom
    ]
    return frame(rows, {"point": (str, False), **{column.name: (column.type, column.blanks) for column in columns}})
