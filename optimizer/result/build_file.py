"""Builds from files: a build.toml written by hand, or the points of a saved result.json."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from catalogs.errors import Fault, InputError
from catalogs.inputs import RESULT_BYTES, SETTINGS_BYTES, parsed_json, parsed_toml, read_text
from catalogs.load import Catalog
from catalogs.nearest import one_of
from catalogs.offers import Offer
from catalogs.other_file import BUILD, RESULT, expecting
from catalogs.refused_value import in_words
from catalogs.schema import PART_FILES, Kind, Link, Platform
from constraints.build import Build, build_of
from constraints.prices.purchase import NO_PRICE
from constraints.request import Request
from optimizer.request import texts
from optimizer.request.fields import ALL_CONDITIONS
from optimizer.request.typed_request import request as request_of_fields
from optimizer.result.graded_request import GradedRequest
from optimizer.result.point_schema import PartQty
from optimizer.result.schema import BuildFile
from optimizer.result.strict import exact
from optimizer.text.money import amount


def read(
    path: Path, catalog: Catalog, model: str | None, as_of: str | None
) -> tuple[Catalog, Request, list[tuple[str, Build]]]:
    """(catalog with the file's own parts, request, named builds); raises InputError with what is wrong in it."""
    most = RESULT_BYTES if path.suffix == ".json" else SETTINGS_BYTES
    with expecting(path, *((RESULT, BUILD) if path.suffix == ".json" else (BUILD, RESULT))):
        text = read_text(path, most, remedy="Give a build.toml or a result.json.")
        if path.suffix != ".json":
            return _toml(path, text, catalog, model, as_of)
        request, builds = _result(path, text)
    return catalog, request if as_of is None else request.model_copy(update={"as_of": texts.day(as_of)}), builds


def _toml(
    path: Path, text: str, catalog: Catalog, model: str | None, as_of: str | None
) -> tuple[Catalog, Request, list[tuple[str, Build]]]:
    data = parsed_toml(text, path)
    try:
        found = BuildFile.model_validate({**data, **({"model": model} if model else {})}, strict=True)
    except ValidationError as e:
        raise InputError(
            [
                Fault("bad-build", in_words(x), str(path), column=".".join(map(str, x["loc"])))
                for x in e.errors(include_url=False)
            ]
        ) from None
    said = {name: value for name, value in found if name in Request.model_fields}
    asked = {
        **said,
        **texts.lengths(found.workload, None, None),
        "min_precision_bits": int(found.min_precision.removesuffix("bit")) if found.min_precision else None,
        "conditions": ALL_CONDITIONS,
        "as_of": texts.day(as_of),
    }
    request = request_of_fields(**asked)
    catalog = _with_raw(path, catalog, found.raw, request)
    build = build_of(catalog, found.nodes, found.parts, found.shared)
    left_open = frozenset(found.unknown) | ({"memory"} if found.memory_gb else set())
    left_open |= {"drive"} if found.storage_gb else set()
    build = replace(build, unknown=left_open, memory_gb=found.memory_gb, storage_gb=found.storage_gb)
    if faults := _said_twice(path, build, catalog):
        raise InputError(faults)
    return catalog, request, [(path.stem, build)]


def _said_twice(path: Path, build: Build, catalog: Catalog) -> list[Fault]:
    """Categories that a file calls unknown and names parts of all the same."""
    return [
        Fault(
            "bad-build",
            f"{part} is named, and {kind} is said to be unknown",
            str(path),
            column=f"parts.{part}",
            remedy="Leave out one of the two; unknown, memory_gb and storage_gb are for what the file can't name.",
        )
        for part in {**build.node, **build.shared}
        if (kind := catalog.parts[part].kind.value) in build.unknown and kind != "cooling"
    ]


def _with_raw(path: Path, catalog: Catalog, raw: list[dict[str, Any]], request: Request) -> Catalog:
    """The catalog with parts described in the file itself; what has no price costs the smallest unit of money."""
    parts, offers = dict(catalog.parts), dict(catalog.offers)
    classes = {c.model_fields["kind"].default: c for c in PART_FILES.values()}
    classes |= {Kind.SYSTEM: Platform, Kind.OPTIC: Link, Kind.CABLE: Link}
    for number, row in enumerate(raw, 1):
        place = f"raw {number}"
        cls = classes.get(row.get("kind", ""))
        if cls is None:
            remedy = one_of(row.get("kind", ""), [k.value for k in Kind])
            raise InputError(Fault("bad-raw", "needs a kind", str(path), column=place, remedy=remedy))
        price = row.get("price_usd", "0.01")
        if isinstance(price, str):
            named = amount(price, f"{place}.price_usd", "USD")
            if named.currency not in ("", "USD"):
                column = f"{place}.price_usd"
                raise InputError(
                    Fault(
                        "bad-raw",
                        f"is in {named.currency}, where USD is asked for",
                        str(path),
                        column=column,
                        value=price,
                    )
                )
            price = named.value
        fields = {"name": row.get("id", ""), "source": str(path), **{k: v for k, v in row.items() if k != "price_usd"}}
        try:
            part = cls.model_validate(fields)
            offer = Offer(
                id=f"{part.id}{NO_PRICE if 'price_usd' not in row else '--raw'}",
                part=part.id,
                price=price,
                currency="USD",
                date=request.as_of,
                condition="new",
                confidence="estimate",
                seller=str(path),
                source=str(path),
            )
        except ValidationError as e:
            raise InputError(
                [
                    Fault("bad-raw", in_words(x), str(path), column=f"{place}.{'.'.join(map(str, x['loc']))}")
                    for x in e.errors(include_url=False)
                ]
            ) from None
        parts[part.id], offers[part.id] = part, (offer,)
    return replace(catalog, parts=parts, offers=offers)


class SavedNode(BaseModel):
    """Parts of a node in a saved result."""

    count: int = Field(ge=1, le=1000)
    parts: list[PartQty]


class SavedPoint(BaseModel):
    """What makes a point of a saved result a build."""

    id: str
    nodes: list[SavedNode] = Field(min_length=1, max_length=1)
    shared: list[PartQty]


class SavedFront(BaseModel):
    """What is read of a saved result here; `dsopt verify` judges the rest."""

    request: GradedRequest
    policy: dict[str, str] = {}
    front: list[SavedPoint]


def policy_of(path: Path) -> list[str]:
    """`key=value` of the policy that a saved result was made with; a build.toml has none."""
    if path.suffix != ".json":
        return []
    data = parsed_json(read_text(path, RESULT_BYTES, remedy="Give a build.toml or a result.json."), path, "bad-result")
    try:
        return [f"{key}={value}" for key, value in exact(SavedFront, data).policy.items()]
    except (ValidationError, ValueError, RecursionError) as e:
        raise InputError(_no_result(e, str(path))) from None


def _result(path: Path, text: str) -> tuple[Request, list[tuple[str, Build]]]:
    data = parsed_json(text, path, "bad-result")
    try:
        found = exact(SavedFront, data)
    except (ValidationError, ValueError, RecursionError) as e:
        raise InputError(_no_result(e, str(path))) from None
    builds, faults = [], []
    for i, point in enumerate(found.front):
        for place, parts in (("nodes[0].parts", point.nodes[0].parts), ("shared", point.shared)):
            twice = [part for part, n in Counter(part.part for part in parts).items() if n > 1]
            faults += [Fault("bad-result", f"{x} stands twice", str(path), column=f"front[{i}].{place}") for x in twice]
        node, shared = ({part.part: part.qty for part in parts} for parts in (point.nodes[0].parts, point.shared))
        builds.append((point.id, Build(point.nodes[0].count, node, shared)))
    if faults:
        raise InputError(faults)
    return found.request, builds


def _no_result(e: Exception, file: str) -> list[Fault]:
    """What makes a text no saved result, with its places."""
    if not isinstance(e, ValidationError):
        return [Fault("bad-result", f"is no dsopt result: {e}", file)]
    return [
        Fault("bad-result", f"{in_words(x)}: the file is no dsopt result", file, column=".".join(map(str, x["loc"])))
        for x in e.errors(include_url=False)
    ]
