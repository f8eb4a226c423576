"""Catalog rows that a result rests on, carried in the result itself, and read back as a catalog."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from catalogs.errors import Fault, InputError
from catalogs.load import Catalog, overlapping
from catalogs.offers import Bundle, IndexPoint, Offer
from catalogs.qualified_gpus import RECORD_FILES, QualifiedGpu
from catalogs.refused_value import in_words
from catalogs.schema import PART_FILES, GpuBoard, Kind, Part, Platform
from constraints.build import same_supplies
from constraints.prices.price_index import category_of

CLASSES: dict[str, type[Part]] = {
    **{cls.model_fields["kind"].default: cls for cls in PART_FILES.values()},
    **{Kind.SYSTEM: PART_FILES["systems"], Kind.PLATFORM: PART_FILES["platforms"]},
    **{Kind.OPTIC: PART_FILES["links"], Kind.CABLE: PART_FILES["links"]},
}


def used(catalog: Catalog, bought: Iterable[str]) -> list[str]:
    """Ids of the parts bought, of what is in a bundle with them or inside them, of their boards' GPUs, and of supplies
    that a platform comes with."""
    ids = set(bought)
    ids |= {
        part.part
        for bundle in catalog.bundles.values()
        if any(part.part in ids for part in bundle.parts)
        for part in bundle.parts
    }
    for part in [catalog.parts[part_id] for part_id in sorted(ids)]:
        if isinstance(part, Platform):
            ids |= {content.part for content in part.contents}
            ids |= {supply.id for supply in same_supplies(part, catalog)} if "psu" in part.includes else set()
    ids |= {part.gpu for part_id in sorted(ids) if isinstance(part := catalog.parts[part_id], GpuBoard)}
    return sorted(ids)


def rows(catalog: Catalog, ids: Iterable[str]) -> dict[str, list[dict[str, Any]]]:
    """Parts, all their offers, the bundles of them, the price indices of their categories and what makers list for
    their machines as data; a field at its default is left out."""
    parts = [catalog.parts[part_id] for part_id in ids]
    offers = [o for part in parts for o in catalog.offers.get(part.id, ())]
    bundles = [
        bundle
        for bundle in catalog.bundles.values()
        if {part.part for part in bundle.parts} <= {part.id for part in parts}
    ]
    categories = {category_of(part) for part in parts}
    index = [point for point in catalog.price_index if point.category in categories]
    listed = [pair for part in parts for pair in catalog.maker_lists.get(part.id, ())]
    return {
        "parts": [{"kind": part.kind.value, **part.model_dump(mode="json", exclude_defaults=True)} for part in parts],
        "offers": [offer.model_dump(mode="json", exclude_defaults=True) for offer in offers],
        "bundles": [bundle.model_dump(mode="json", exclude_defaults=True) for bundle in bundles],
        "price_index": [point.model_dump(mode="json", exclude_defaults=True) for point in index],
        "qualified_gpus": [pair.model_dump(mode="json", exclude_defaults=True) for pair in listed],
    }


def catalog_of(embedded: Mapping[str, list[dict[str, Any]]], sha256: str) -> Catalog:
    """The catalog of embedded rows; raises InputError that names the row."""
    faults: list[Fault] = []
    parts: dict[str, Part] = {}
    offers: dict[str, list[Offer]] = {}
    bundles: dict[str, Bundle] = {}
    index: dict[str, IndexPoint] = {}
    listed: dict[str, QualifiedGpu] = {}
    for name in ("parts", "offers", "bundles", "price_index", "qualified_gpus"):
        for i, row in enumerate(embedded[name]):
            cls: type[BaseModel] = RECORD_FILES.get(name) or CLASSES.get(str(row.get("kind")), Part)
            try:
                item = cls.model_validate(row)
            except ValidationError as e:
                place = f"catalog.embedded.{name}[{i}]"
                faults += [
                    Fault("bad-row", f"{place}.{x['loc'][0]}: {in_words(x)}") for x in e.errors(include_url=False)
                ]
                continue
            if isinstance(item, Part):
                parts[item.id] = item
            elif isinstance(item, Offer):
                offers.setdefault(item.part, []).append(item)
            elif isinstance(item, IndexPoint):
                index[item.id] = item
            elif isinstance(item, QualifiedGpu):
                listed[item.id] = item
            elif isinstance(item, Bundle):
                lost = [part.part for part in item.parts if part.part not in parts]
                if lost:
                    faults.append(Fault("bad-row", f"catalog.embedded.bundles[{i}].parts: no part {lost[0]}"))
                bundles[item.id] = item
    for i, part in enumerate(parts.values()):
        inside = [c.part for c in part.contents] if isinstance(part, Platform) else []
        inside += [part.gpu] if isinstance(part, GpuBoard) else []
        for x in sorted({*inside} - {*parts}):
            faults.append(Fault("bad-row", f"catalog.embedded.parts[{i}]: holds {x}, which is in no row"))
    faults += [Fault("bad-row", f"catalog.embedded.price_index: {x.text}") for x in overlapping(index.values(), {})]
    if faults:
        raise InputError(faults)
    by_part = {k: tuple(sorted(v, key=lambda o: o.id)) for k, v in offers.items()}
    points = tuple(sorted(index.values(), key=lambda point: (point.category, point.month)))
    return Catalog(parts, by_part, sha256, (), dict(sorted(bundles.items())), points, listed)
