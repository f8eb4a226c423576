"""CSV folder -> Catalog. All faults of all files are reported at once; overlays replace parts by id.

A catalog folder holds one CSV per part kind (see `PART_FILES`), offers.csv and maybe bundles.csv, price_index.csv and
qualified_gpus.csv, UTF-8 with a header.
Blank cells take the field's default; lists are `a|b`; contents are `2*part-id|8*part-id`.
"""

from __future__ import annotations

import difflib
import hashlib
import os
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from catalogs.collector import collector_paused
from catalogs.errors import Fault, Faults, InputError, unseen_fault
from catalogs.nearest import one_of
from catalogs.offers import Bundle, IndexPoint, Offer
from catalogs.qualified_gpus import RECORD_FILES, QualifiedGpu, pair_of
from catalogs.records import Place, csv_files, csv_rows, header_is_good, record
from catalogs.schema import PART_FILES, Gpu, GpuBoard, Kind, Part, Platform

if TYPE_CHECKING:
    import pandas as pd

SHIPPED = Path(__file__).parent / "data"


@dataclass(frozen=True)
class Catalog:
    """Parts by id, offers by part id, bundles by id, points of price indices by category and month, GPUs that makers
    list for their machines by pair; immutable.

    `replaced`: ids that overlays replaced. `sha256` covers all files read. Units are in the names of the parts' fields
    (catalogs/schema.py); each part and offer carries its source.
    """

    parts: Mapping[str, Part]
    offers: Mapping[str, tuple[Offer, ...]]
    sha256: str
    replaced: tuple[str, ...] = field(default=())
    bundles: Mapping[str, Bundle] = field(default_factory=dict)
    price_index: tuple[IndexPoint, ...] = ()
    qualified_gpus: Mapping[str, QualifiedGpu] = field(default_factory=dict)

    def of(self, *kinds: Kind) -> list[Part]:
        """Parts of these kinds, ordered by id."""
        found = [p for kind in dict.fromkeys(kinds) for p in self._by_kind.get(kind, ())]
        return found if len(kinds) == 1 else sorted(found, key=lambda p: p.id)

    @cached_property
    def _by_kind(self) -> dict[Kind, list[Part]]:
        out: dict[Kind, list[Part]] = {}
        for _, p in sorted(self.parts.items()):
            out.setdefault(p.kind, []).append(p)
        return out

    def qualified(self, platform: str, gpu: str) -> QualifiedGpu | None:
        """The row of a GPU in a machine, both by id; None where its maker is not read to list it."""
        return self.qualified_gpus.get(pair_of(platform, gpu))

    @cached_property
    def maker_lists(self) -> dict[str, tuple[QualifiedGpu, ...]]:
        """What the maker of a machine lists for it, by the machine's id, ordered by GPU."""
        out: dict[str, tuple[QualifiedGpu, ...]] = {}
        for pair in sorted(self.qualified_gpus.values(), key=lambda pair: (pair.platform, pair.gpu)):
            out[pair.platform] = (*out.get(pair.platform, ()), pair)
        return out

    @cached_property
    def derived(self) -> dict[object, Any]:
        """What others work out from the catalog alone and keep as long as it lives, each under a key of its own."""
        return {}

    def to_frame(self, kind: str) -> pd.DataFrame:
        """A table of the catalog as a pandas DataFrame, a row for each part, offer or bundle, ordered by id.

        Columns are those of the CSV file, units in their names; lists are written as there (`a|b`), so that
        `to_csv(index=False)` makes a file for `--catalog`. What nobody published is `<NA>`, prices are Decimal.

        Parameters:
            kind: A kind of parts (`gpu`), or the name of a CSV file (`gpus`, `systems`, `offers`, `bundles`,
                `price_index`, `qualified_gpus`).

        Raises:
            InputError: There is no such table.
        """
        from catalogs.frames import catalog_frame, table_named

        table = table_named(kind)
        if table.kinds:
            return catalog_frame(table, self.of(*table.kinds))
        if table.file == "bundles":
            return catalog_frame(table, self.bundles.values())
        if table.file == "price_index":
            return catalog_frame(table, self.price_index)
        if table.file == "qualified_gpus":
            return catalog_frame(table, [pair for pairs in self.maker_lists.values() for pair in pairs])
        offers = sorted((x for of_part in self.offers.values() for x in of_part), key=lambda offer: offer.id)
        return catalog_frame(table, offers)

    def hits(self, name: str) -> list[Part]:
        """Parts that a name means: by id, name or alias, else by a run of words of the vendor and the name.

        Case, punctuation and full-width letters make no difference."""
        if name in self.parts:
            return [self.parts[name]]
        wanted = _squash(name)
        exact = [part for part in self.parts.values() if wanted in _names(part)]
        return exact or [part for part in self.parts.values() if _has_words(f"{part.vendor} {part.name}", wanted)]

    def find(self, name: str) -> Part:
        """The one part that a name means (see `hits`).

        Raises InputError with the nearest names when nothing or more than one part fits."""
        hits = self.hits(name)
        if len(hits) == 1:
            return hits[0]
        if hits:
            near = ", ".join(sorted(p.id for p in hits)[:8])
            raise InputError(f"part {name!r} is ambiguous", "ambiguous-part", f"Name one of: {near}.")
        from rapidfuzz import fuzz, process

        names = {part.id: f"{part.id} {part.name}".lower() for part in self.parts.values()}
        best = [k for _, _, k in process.extract(name.lower(), names, scorer=fuzz.partial_ratio, limit=4)]
        raise InputError(f"no part named {name!r}", "unknown-part", f"Nearest: {', '.join(best)}." if best else "")


@lru_cache(maxsize=20_000)
def _words(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"[^\W_]+", unicodedata.normalize("NFKC", text).casefold()))


def _squash(text: str) -> str:
    return "".join(_words(text))


def _names(part: Part) -> frozenset[str]:
    """Squashed names of a part, with and without its vendor."""
    return _squashed((part.id, part.name, *part.aliases), part.vendor)


@lru_cache(maxsize=20_000)
def _squashed(names: tuple[str, ...], vendor: str) -> frozenset[str]:
    squashed = {_squash(name) for name in names}
    return frozenset(squashed | {_squash(vendor) + name for name in squashed})


def _has_words(text: str, wanted: str) -> bool:
    """Whether `wanted` (squashed) starts at a word of `text` and does not end within a number or the letters of a
    model: `h20` is no H200, `7900xt` no 7900 XTX. One letter names nothing."""
    words = _words(text)
    of_a_model = re.search(r"[0-9][a-z]{1,2}$", wanted) is not None
    for i in range(len(words)):
        rest = "".join(words[i:])
        if len(wanted) > 1 and rest.startswith(wanted):
            ends = {len("".join(words[i : j + 1])) for j in range(i, len(words))}
            cut = len(wanted) not in ends
            inside_number = cut and wanted[-1].isdigit() and rest[len(wanted)].isdigit()
            inside_model = cut and of_a_model and rest[len(wanted)].isalpha()
            if not (inside_number or inside_model):
                return True
    return False


@dataclass
class _Collected:
    """Parts, offers and bundles under way, with all that is wrong so far; later rows replace earlier ones by id."""

    parts: dict[str, Part] = field(default_factory=dict)
    offers: dict[str, Offer] = field(default_factory=dict)
    bundles: dict[str, Bundle] = field(default_factory=dict)
    price_index: dict[str, IndexPoint] = field(default_factory=dict)
    qualified_gpus: dict[str, QualifiedGpu] = field(default_factory=dict)
    replaced: list[str] = field(default_factory=list)
    where: dict[str, Place] = field(default_factory=dict)
    faults: Faults = field(default_factory=Faults)
    digest: hashlib._Hash = field(default_factory=hashlib.sha256)

    def add_folder(self, folder: Path, *, own: bool = False) -> None:
        """All files of a catalog folder; `own`: its offers are the buyer's own where their rows don't deny it."""
        if not os.path.isdir(folder):
            raise InputError(
                f"catalog folder {str(folder)!r} does not exist",
                "no-catalog",
                "Name a folder that holds CSV files.",
            )
        files = csv_files(folder)
        known = {f"{name}.csv" for name in [*PART_FILES, *RECORD_FILES]}
        for stray in [p for p in files if p.name not in known]:
            near = difflib.get_close_matches(stray.name, known, n=1, cutoff=0.3)
            remedy = f"Nearest name: {near[0]}." if near else ""
            self.faults.append(Fault("unknown-file", "not a catalog file", str(stray), remedy=remedy))
        if not files:
            self.faults.append(Fault("empty-catalog", "no CSV file in this folder", str(folder)))
        seen: set[str] = set()
        for path in files:
            if path.name in known:
                row_class = RECORD_FILES.get(path.stem) or PART_FILES[path.stem]
                rows = csv_rows(path, row_class, self.digest, self.faults)
                if own and path.stem == "offers":
                    rows = [(number, {"own": "true", **row}) for number, row in rows]
                self.add_rows(path.stem, row_class, [(Place(str(path), number), row) for number, row in rows], seen)

    def add_rows(
        self, table: str, row_class: type[BaseModel], rows: list[tuple[Place, dict[str, str]]], seen: set[str]
    ) -> None:
        """Rows of text of one table; `seen` holds the ids that its folder has used."""
        for done, (place, row) in enumerate(rows):
            if self.faults.full:
                self.faults.unread += len(rows) - done
                return
            if table in ("systems", "platforms"):
                row["kind"] = table.removesuffix("s")
            item = record(row_class, row, place.file, place.row, self.faults)
            if item is not None:
                self._add(table, item, place, seen)

    def _add(self, table: str, item: BaseModel, place: Place, seen: set[str]) -> None:
        key: str = item.id  # type: ignore[attr-defined]
        names = {f"{table}/{key}", f"part/{key}"} if isinstance(item, Part) else {f"{table}/{key}"}
        if not seen.isdisjoint(names):
            of_a_pair = isinstance(item, QualifiedGpu)
            text, column = ("pair listed twice", "gpu") if of_a_pair else ("id used twice", "id")
            remedy = "Keep one row for each machine and GPU." if of_a_pair else "Give each row its own id."
            self.faults.append(Fault("duplicate-id", text, place.file, place.row, column, key, remedy))
            return
        seen |= names
        self.where[key] = place
        homes: dict[str, dict[str, Any]] = {
            "offers": self.offers, "bundles": self.bundles, "price_index": self.price_index,
            "qualified_gpus": self.qualified_gpus,
        }  # fmt: skip
        home = homes.get(table, self.parts)
        if key in home:
            self.replaced.append(key)
        home[key] = item

    def catalog(self) -> Catalog:
        """All of it as a catalog. Raises InputError with every fault of every row."""
        self.faults += _dangling(self.parts, self.offers, self.bundles, self.where)
        self.faults += _unseen(self.parts, self.offers, self.bundles, self.where)
        self.faults += _unlistable(self.qualified_gpus.values(), self.parts, self.where)
        self.faults += overlapping(self.price_index.values(), self.where)
        if self.faults:
            raise InputError(self.faults)
        by_part: dict[str, list[Offer]] = {}
        for offer in self.offers.values():
            by_part.setdefault(offer.part, []).append(offer)
        return Catalog(
            self.parts,
            {part: tuple(sorted(offers, key=lambda o: o.id)) for part, offers in by_part.items()},
            self.digest.hexdigest(),
            tuple(self.replaced),
            dict(sorted(self.bundles.items())),
            tuple(sorted(self.price_index.values(), key=lambda point: (point.category, point.month))),
            dict(sorted(self.qualified_gpus.items())),
        )


@collector_paused()
def load(overlays: Iterable[Path] = (), base: Path = SHIPPED) -> Catalog:
    """Read the base catalog and lay `overlays` over it, in order.

    Parameters:
        overlays: Folders of CSV files; a row replaces the one of the same id.
        base: The folder under them; the shipped catalog without.

    Raises:
        InputError: Every fault of every file at once, with file, row, column, value and remedy.
    """
    collected = _Collected()
    collected.add_folder(base)
    for folder in overlays:
        collected.add_folder(folder, own=True)
    return collected.catalog()


def load_frames(frames: Mapping[str, pd.DataFrame], under: Catalog, whole: bool = False) -> Catalog:
    """A catalog with tables from pandas laid over another one; see `optimizer.load_catalog`."""
    from catalogs.frames import table_named, text_rows

    collected = _Collected(
        dict(under.parts),
        {offer.id: offer for offers in under.offers.values() for offer in offers},
        dict(under.bundles),
        {point.id: point for point in under.price_index},
        dict(under.qualified_gpus),
        list(under.replaced),
    )
    prices = collected.offers.keys() | under.bundles.keys() | collected.price_index.keys()
    for name in under.parts.keys() | prices | under.qualified_gpus.keys():
        collected.where[name] = Place("the catalog under the frames", None)
    collected.digest.update(under.sha256.encode() + bytes([whole]))
    seen: set[str] = set()
    for name, frame in frames.items():
        table = table_named(name)
        header, rows = text_rows(frame, table.row.model_fields)
        collected.digest.update(repr((name, header, rows)).encode())
        file = f"frames[{name!r}]"
        if not header_is_good(header, table.row, Place(file, None), collected.faults):
            continue
        if whole:
            collected.parts = {k: p for k, p in collected.parts.items() if p.kind not in table.kinds}
            collected.offers = {} if table.file == "offers" else collected.offers
            collected.bundles = {} if table.file == "bundles" else collected.bundles
            collected.price_index = {} if table.file == "price_index" else collected.price_index
            collected.qualified_gpus = {} if table.file == "qualified_gpus" else collected.qualified_gpus
        if len(table.kinds) == 1:
            rows = [{"kind": table.kinds[0].value, **row} for row in rows]
        # A frame counts its rows from 0 and keeps them under labels of its own: `iloc` is true whatever the index.
        placed = [(Place(f"{file}.iloc[{i}]", None), row) for i, row in enumerate(rows)]
        collected.add_rows(table.file, table.row, placed, seen)
    return collected.catalog()


def _unseen(
    parts: dict[str, Part], offers: dict[str, Offer], bundles: dict[str, Bundle], where: dict[str, Place]
) -> Faults:
    """Ids and names in which characters stand that nobody sees: they would pass for the id or name without."""
    found = Faults()
    for items in (parts, offers, bundles):
        for key in items:
            if not (key.isascii() and key.isprintable()) and (
                fault := unseen_fault(key, where[key].file, where[key].row, "id")
            ):
                found.append(fault)
    for part in parts.values():
        for column, text in (("name", part.name), ("vendor", part.vendor)):
            if not text.isprintable() and (
                fault := unseen_fault(text, where[part.id].file, where[part.id].row, column)
            ):
                found.append(fault)
    return found


def overlapping(points: Iterable[IndexPoint], where: Mapping[str, Place]) -> Faults:
    """Points of one category whose months overlap, or whose units differ: no ratio of such levels means anything.
    `where` may lack points: those of data that is in no file."""
    faults = Faults()
    before: dict[str, IndexPoint] = {}
    for point in sorted(points, key=lambda each: (each.category, each.first, each.id)):
        place, other = where.get(point.id, Place("", None)), before.get(point.category)
        if other is not None and point.first <= other.last:
            text, remedy = f"overlaps the months of {other.id}", "Keep one level for each month."
            faults.append(Fault("bad-value", text, place.file, place.row, "month", point.month, remedy))
        if other is not None and point.unit != other.unit:
            text, remedy = f"is in another unit than {other.id}", f"Convert it to {other.unit}."
            faults.append(Fault("bad-value", text, place.file, place.row, "unit", point.unit, remedy))
        before[point.category] = point
    return faults


def _unlistable(pairs: Iterable[QualifiedGpu], parts: Mapping[str, Part], where: Mapping[str, Place]) -> Faults:
    """Rows of makers' lists whose machine, GPU or vendor is none of the catalog's."""
    faults = Faults()
    vendors = sorted({part.vendor for part in parts.values() if isinstance(part, Gpu)})
    for pair in pairs:
        place = where[pair.id]
        named_parts: list[tuple[str, str, type[Part]]] = [("platform", pair.platform, Platform), ("gpu", pair.gpu, Gpu)]
        for column, named, wanted in named_parts + [("leaves_open", gpu, Gpu) for gpu in pair.leaves_open]:
            part = parts.get(named)
            if isinstance(part, wanted):
                continue
            if part is None:
                code, text = "unknown-part", "names a part that is in no file"
                near = [] if faults.full else difflib.get_close_matches(named, list(parts), n=1, cutoff=0.5)
                remedy = f"Nearest id: {near[0]}." if near else "Add the part or correct the id."
            else:
                code, text = "wrong-kind", f"{named} is of kind {part.kind}"
                remedy = "A GPU." if wanted is Gpu else "A chassis or a complete system."
            faults.append(Fault(code, text, place.file, place.row, column, named, remedy))
        for vendor in [name for name in pair.complete_for if name not in vendors]:
            remedy = one_of(vendor, vendors)
            text = "names no vendor of a GPU"
            faults.append(Fault("bad-value", text, place.file, place.row, "complete_for", vendor, remedy))
    return faults


def _dangling(
    parts: dict[str, Part], offers: dict[str, Offer], bundles: dict[str, Bundle], where: dict[str, Place]
) -> Faults:
    """References to parts that do not exist."""
    wanted: list[tuple[str, str, str]] = [(offer.id, "part", offer.part) for offer in offers.values()]
    wanted += [(bundle.id, "parts", part.part) for bundle in bundles.values() for part in bundle.parts]
    for part in parts.values():
        if isinstance(part, GpuBoard):
            wanted.append((part.id, "gpu", part.gpu))
            wanted += [(part.id, "predecessor", part.predecessor)] if part.predecessor else []
        elif isinstance(part, Platform):
            wanted += [(part.id, "contents", c.part) for c in part.contents]
    faults = Faults()
    for x in sorted(set(bundles) & set(parts)):
        faults.append(
            Fault(
                "duplicate-id", "a bundle has the id of a part", where[x].file, where[x].row, "id", x,
                "Rename the bundle.",
            )
        )  # fmt: skip
    for owner, column, target in wanted:
        if target not in parts:
            near = [] if faults.full else difflib.get_close_matches(target, list(parts), n=1, cutoff=0.5)
            place = where[owner]
            remedy = f"Nearest id: {near[0]}." if near else "Add the part or correct the id."
            faults.append(
                Fault("unknown-part", "names a part that is in no file", place.file, place.row, column, target, remedy)
            )
        elif (column == "gpu" and not isinstance(parts[target], Gpu)) or (
            column == "contents" and isinstance(parts[target], Platform)
        ):
            place = where[owner]
            what = f"{target} is of kind {parts[target].kind}"
            remedy = "A GPU." if column == "gpu" else "A system holds parts, no other system."
            faults.append(Fault("wrong-kind", what, place.file, place.row, column, target, remedy))
    return faults
