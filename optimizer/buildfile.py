"""Builds from files: a build.toml written by hand, or the points of a saved result.json."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

from pydantic import ValidationError

from catalogs.errors import Fault, InputError
from catalogs.load import Catalog
from constraints.case import Build
from constraints.request import Request, workload_lengths
from optimizer.api import build_of
from optimizer.cli import parse
from optimizer.schema import BuildFile


def read(path: Path, catalog: Catalog, model: str | None, as_of: str | None) -> tuple[Request, list[tuple[str, Build]]]:
    """(request, named builds) of a file; raises InputError with what is wrong in it."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as e:
        raise InputError(Fault("no-file", f"cannot read: {e.strerror}", str(path))) from None
    except UnicodeDecodeError:
        raise InputError(
            Fault("not-utf8", "is not UTF-8 text", str(path), remedy="Give a build.toml or a result.json.")
        ) from None
    return _result(path, text) if path.suffix == ".json" else _toml(path, text, catalog, model, as_of)


def _toml(
    path: Path, text: str, catalog: Catalog, model: str | None, as_of: str | None
) -> tuple[Request, list[tuple[str, Build]]]:
    try:
        data = tomllib.loads(text)
        found = BuildFile.model_validate({**data, **({"model": model} if model else {})})
    except tomllib.TOMLDecodeError as e:
        raise InputError(Fault("bad-toml", str(e), str(path))) from None
    except ValidationError as e:
        raise InputError(
            [
                Fault("bad-build", x["msg"], str(path), column=".".join(map(str, x["loc"])))
                for x in e.errors(include_url=False)
            ]
        ) from None
    isl, osl = workload_lengths(found.workload)
    request = parse.request(
        model=found.model,
        as_of=parse.day(as_of),
        users=found.users,
        precision=found.precision,
        workload=found.workload,
        isl=isl,
        osl=osl,
        conditions=frozenset({"new", "refurbished", "used"}),
    )
    return request, [(path.stem, build_of(catalog, found.nodes, found.parts, found.shared))]


def _result(path: Path, text: str) -> tuple[Request, list[tuple[str, Build]]]:
    try:
        data = json.loads(text)
        request = Request.model_validate(data["request"])
        builds = []
        for p in data["front"]:
            node = p["nodes"][0]
            parts = {x["part"]: x["qty"] for x in node["parts"]}
            builds.append((p["id"], Build(node["count"], parts, {x["part"]: x["qty"] for x in p["shared"]})))
    except (ValueError, KeyError, TypeError, IndexError) as e:
        raise InputError(Fault("bad-result", f"is no dsopt result: {type(e).__name__} {e}", str(path))) from None
    return request, builds
