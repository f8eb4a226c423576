"""Catalog rows that a result rests on, carried in the result itself, and read back as a catalog."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from catalogs.errors import Fault, InputError
from catalogs.load import Catalog
from catalogs.schema import PART_FILES, GpuBoard, Kind, Offer, Part, Platform

CLASSES: dict[str, type[Part]] = {
    **{cls.model_fields["kind"].default: cls for cls in PART_FILES.values()},
    **{Kind.SYSTEM: PART_FILES["systems"], Kind.PLATFORM: PART_FILES["platforms"]},
    **{Kind.OPTIC: PART_FILES["links"], Kind.CABLE: PART_FILES["links"]},
}


def used(catalog: Catalog, bought: Iterable[str]) -> list[str]:
    """Ids of the parts bought, of what is inside them and of their boards' GPUs."""
    ids = set(bought)
    for part in [catalog.parts[x] for x in sorted(ids)]:
        ids |= {c.part for c in part.contents} if isinstance(part, Platform) else set()
    ids |= {p.gpu for x in sorted(ids) if isinstance(p := catalog.parts[x], GpuBoard)}
    return sorted(ids)


def rows(catalog: Catalog, ids: Iterable[str]) -> dict[str, list[dict[str, Any]]]:
    """Parts and all their offers as data; a field at its default is left out."""
    parts = [catalog.parts[x] for x in ids]
    offers = [o for p in parts for o in catalog.offers.get(p.id, ())]
    return {
        "parts": [{"kind": p.kind.value, **p.model_dump(mode="json", exclude_defaults=True)} for p in parts],
        "offers": [o.model_dump(mode="json", exclude_defaults=True) for o in offers],
    }


def catalog_of(embedded: Mapping[str, list[dict[str, Any]]], sha256: str) -> Catalog:
    """The catalog of embedded rows; raises InputError that names the row."""
    faults: list[Fault] = []
    parts: dict[str, Part] = {}
    offers: dict[str, list[Offer]] = {}
    for name in ("parts", "offers"):
        for i, row in enumerate(embedded[name]):
            cls = Offer if name == "offers" else CLASSES.get(str(row.get("kind")), Part)
            try:
                item = cls.model_validate(row)
            except ValidationError as e:
                place = f"catalog.embedded.{name}[{i}]"
                faults += [Fault("bad-row", f"{place}.{x['loc'][0]}: {x['msg']}") for x in e.errors(include_url=False)]
                continue
            if isinstance(item, Part):
                parts[item.id] = item
            elif isinstance(item, Offer):
                offers.setdefault(item.part, []).append(item)
    for i, part in enumerate(parts.values()):
        inside = [c.part for c in part.contents] if isinstance(part, Platform) else []
        inside += [part.gpu] if isinstance(part, GpuBoard) else []
        for x in sorted({*inside} - {*parts}):
            faults.append(Fault("bad-row", f"catalog.embedded.parts[{i}]: holds {x}, which is in no row"))
    if faults:
        raise InputError(faults)
    return Catalog(parts, {k: tuple(sorted(v, key=lambda o: o.id)) for k, v in offers.items()}, sha256)
