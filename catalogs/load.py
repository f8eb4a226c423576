"""CSV folder -> Catalog. All faults of all files are reported at once; overlays replace parts by id.

A catalog folder holds one CSV per part kind (see `PART_FILES`), offers.csv and maybe bundles.csv, UTF-8 with a header.
Blank cells take the field's default; lists are `a|b`; contents are `2*part-id|8*part-id`.
"""

from __future__ import annotations

import csv
import difflib
import hashlib
import io
import os
import re
import types
import typing
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path

from pydantic import BaseModel, ValidationError

from catalogs.collector import collector_paused
from catalogs.errors import Fault, Faults, InputError, unseen_fault
from catalogs.inputs import CATALOG_BYTES, read_bytes
from catalogs.offers import Bundle, Offer
from catalogs.schema import PART_FILES, Gpu, GpuBoard, Kind, Part, Platform

SHIPPED = Path(__file__).parent / "data"
REMEDIES = {
    "price": "A number with a point, no currency and no thousands: 1700.00.",
    "date": "For example 2026-11-24.",
    "country": "Two letters of ISO 3166, such as CN; blank where it is unknown.",
    "onboard_lan": "Ports, Gbit/s and connector: 2*10:RJ45.",
    "breaks": "From how many pieces on, and the price of each: 10:95.00|100:90.00.",
}
"""What a cell of a column should hold."""
PRICE_FILES: dict[str, type[BaseModel]] = {"offers": Offer, "bundles": Bundle}


@dataclass(frozen=True)
class Catalog:
    """Parts by id, offers by part id, bundles by id; immutable.

    `replaced`: ids that overlays replaced. `sha256` covers all files read. Units are in the names of the parts' fields
    (catalogs/schema.py); each part and offer carries its source.
    """

    parts: Mapping[str, Part]
    offers: Mapping[str, tuple[Offer, ...]]
    sha256: str
    replaced: tuple[str, ...] = field(default=())
    bundles: Mapping[str, Bundle] = field(default_factory=dict)

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

    def hits(self, name: str) -> list[Part]:
        """Parts that a name means: by id, name or alias, else by a run of words of the vendor and the name.

        Case, punctuation and full-width letters make no difference."""
        if name in self.parts:
            return [self.parts[name]]
        wanted = _squash(name)
        exact = [p for p in self.parts.values() if wanted in _names(p)]
        return exact or [p for p in self.parts.values() if _has_words(f"{p.vendor} {p.name}", wanted)]

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

        names = {p.id: f"{p.id} {p.name}".lower() for p in self.parts.values()}
        best = [k for _, _, k in process.extract(name.lower(), names, scorer=fuzz.partial_ratio, limit=4)]
        raise InputError(f"no part named {name!r}", "unknown-part", f"Nearest: {', '.join(best)}." if best else "")


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", unicodedata.normalize("NFKC", text).casefold())


def _squash(text: str) -> str:
    return "".join(_words(text))


def _names(part: Part) -> set[str]:
    """Squashed names of a part, with and without its vendor."""
    names = {_squash(x) for x in (part.id, part.name, *part.aliases)}
    return names | {_squash(part.vendor) + x for x in names}


def _has_words(text: str, wanted: str) -> bool:
    """Whether `wanted` (squashed) starts at a word of `text` and does not end within a number: `h20` is no H200."""
    words = _words(text)
    for i in range(len(words)):
        rest = "".join(words[i:])
        if wanted and rest.startswith(wanted):
            ends = {len("".join(words[i : j + 1])) for j in range(i, len(words))}
            inside = len(wanted) not in ends and wanted[-1].isdigit() and rest[len(wanted)].isdigit()
            if not inside:
                return True
    return False


@collector_paused()
def load(overlays: Iterable[Path] = (), base: Path = SHIPPED) -> Catalog:
    """Read the base catalog and lay `overlays` over it, in order.

    Parameters:
        overlays: Folders of CSV files; a row replaces the one of the same id.
        base: The folder under them; the shipped catalog without.

    Raises:
        InputError: Every fault of every file at once, with file, row, column, value and remedy.
    """
    faults = Faults()
    parts: dict[str, Part] = {}
    offers: dict[str, Offer] = {}
    bundles: dict[str, Bundle] = {}
    replaced: list[str] = []
    where: dict[str, tuple[str, int]] = {}
    digest = hashlib.sha256()
    for folder in [base, *overlays]:
        if not os.path.isdir(folder):
            raise InputError(
                f"catalog folder {str(folder)!r} does not exist",
                "no-catalog",
                "Name a folder that holds CSV files.",
            )
        known = {f"{name}.csv" for name in [*PART_FILES, *PRICE_FILES]}
        files = _csv_files(folder)
        for stray in [p for p in files if p.name not in known]:
            near = difflib.get_close_matches(stray.name, known, n=1, cutoff=0.3)
            faults.append(
                Fault(
                    "unknown-file",
                    "not a catalog file",
                    str(stray),
                    remedy=f"Nearest name: {near[0]}." if near else "",
                )
            )
        if not files:
            faults.append(Fault("empty-catalog", "no CSV file in this folder", str(folder)))
        seen: set[str] = set()
        for path in files:
            if path.name not in known:
                continue
            stem = path.stem
            cls: type[BaseModel] = PRICE_FILES.get(stem) or PART_FILES[stem]
            rows = _rows(path, cls, digest, faults)
            for place, (number, row) in enumerate(rows):
                if faults.full:
                    faults.unread += len(rows) - place
                    break
                if stem in ("systems", "platforms"):
                    row["kind"] = "system" if stem == "systems" else "platform"
                item = _parse(cls, row, path, number, faults)
                if item is None:
                    continue
                key: str = item.id  # type: ignore[attr-defined]
                mine = {f"{stem}/{key}", f"part/{key}"} if isinstance(item, Part) else {f"{stem}/{key}"}
                if not seen.isdisjoint(mine):
                    faults.append(
                        Fault(
                            "duplicate-id",
                            "id used twice",
                            str(path),
                            number,
                            "id",
                            key,
                            "Give each row its own id.",
                        )
                    )
                    continue
                seen |= mine
                where[key] = (str(path), number)
                if isinstance(item, Part):
                    if key in parts:
                        replaced.append(key)
                    parts[key] = item
                elif isinstance(item, Offer):
                    if key in offers:
                        replaced.append(key)
                    offers[key] = item
                elif isinstance(item, Bundle):
                    if key in bundles:
                        replaced.append(key)
                    bundles[key] = item
    faults += _dangling(parts, offers, bundles, where)
    faults += _unseen(parts, offers, bundles, where)
    if faults:
        raise InputError(faults)
    by_part: dict[str, list[Offer]] = {}
    for offer in offers.values():
        by_part.setdefault(offer.part, []).append(offer)
    return Catalog(
        parts,
        {k: tuple(sorted(v, key=lambda o: o.id)) for k, v in by_part.items()},
        digest.hexdigest(),
        tuple(replaced),
        dict(sorted(bundles.items())),
    )


def _unseen(
    parts: dict[str, Part], offers: dict[str, Offer], bundles: dict[str, Bundle], where: dict[str, tuple[str, int]]
) -> Faults:
    """Ids and names in which characters stand that nobody sees: they would pass for the id or name without."""
    found = Faults()
    for items in (parts, offers, bundles):
        for key in items:
            if not (key.isascii() and key.isprintable()) and (
                fault := unseen_fault(key, where[key][0], where[key][1], "id")
            ):
                found.append(fault)
    for p in parts.values():
        for column, text in (("name", p.name), ("vendor", p.vendor)):
            if not text.isprintable() and (fault := unseen_fault(text, where[p.id][0], where[p.id][1], column)):
                found.append(fault)
    return found


def _csv_files(folder: Path) -> list[Path]:
    """The folder's CSV files by name. Raises InputError for a folder that can't be looked into."""
    try:
        return sorted(folder / name for name in os.listdir(folder) if name.endswith(".csv"))
    except OSError as e:
        raise InputError(f"catalog folder {str(folder)!r} cannot be read: {e.strerror}", "unreadable-file") from None


def _dangling(
    parts: dict[str, Part], offers: dict[str, Offer], bundles: dict[str, Bundle], where: dict[str, tuple[str, int]]
) -> Faults:
    """References to parts that do not exist."""
    wanted: list[tuple[str, str, str]] = [(o.id, "part", o.part) for o in offers.values()]
    wanted += [(b.id, "parts", c.part) for b in bundles.values() for c in b.parts]
    for p in parts.values():
        if isinstance(p, GpuBoard):
            wanted.append((p.id, "gpu", p.gpu))
        elif isinstance(p, Platform):
            wanted += [(p.id, "contents", c.part) for c in p.contents]
    faults = Faults()
    for x in sorted(set(bundles) & set(parts)):
        file, row = where[x]
        faults.append(Fault("duplicate-id", "a bundle has the id of a part", file, row, "id", x, "Rename the bundle."))
    for owner, column, target in wanted:
        if target not in parts:
            near = [] if faults.full else difflib.get_close_matches(target, list(parts), n=1, cutoff=0.5)
            file, row = where[owner]
            remedy = f"Nearest id: {near[0]}." if near else "Add the part or correct the id."
            faults.append(Fault("unknown-part", "names a part that is in no file", file, row, column, target, remedy))
        elif (column == "gpu" and not isinstance(parts[target], Gpu)) or (
            column == "contents" and isinstance(parts[target], Platform)
        ):
            file, row = where[owner]
            what = f"{target} is of kind {parts[target].kind}"
            remedy = "A GPU." if column == "gpu" else "A system holds parts, no other system."
            faults.append(Fault("wrong-kind", what, file, row, column, target, remedy))
    return faults


def _rows(path: Path, cls: type[BaseModel], digest: hashlib._Hash, faults: Faults) -> list[tuple[int, dict[str, str]]]:
    try:
        raw = read_bytes(path, CATALOG_BYTES, regular=True)
    except InputError as e:
        faults += e.faults
        return []
    digest.update(path.name.encode() + b"\0" + raw)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as e:
        faults.append(Fault("not-utf8", f"byte {e.start} is not UTF-8 text", str(path), remedy="Save it as CSV UTF-8."))
        return []
    if "\0" in text:
        faults.append(Fault("binary-file", "holds binary data", str(path), remedy="Save it as CSV UTF-8."))
        return []
    reader = csv.reader(io.StringIO(text, newline=""))  # splits at line ends alone, not at U+2028 within a cell
    try:
        lines = [(reader.line_num, cells) for cells in reader if any(cells)]
    except csv.Error as e:
        faults.append(Fault("bad-csv", str(e), str(path), reader.line_num))
        return []
    if not lines:
        faults.append(Fault("empty-file", "has no header row", str(path)))
        return []
    header = [h.strip() for h in lines[0][1]]
    if len(header) == 1 and (sign := next((x for x in ";\t|" if x in header[0]), "")):
        text_ = f"its cells are separated by {'tabs' if sign == chr(9) else repr(sign)}, not by commas"
        faults.append(Fault("bad-csv", text_, str(path), lines[0][0], remedy="Save it as CSV with commas."))
        return []
    bad = False
    for name in sorted(h for h, times in Counter(header).items() if times > 1):
        faults.append(Fault("doubled-column", "stands twice", str(path), lines[0][0], name, remedy="Keep one of them."))
        bad = True
    for name in header:
        if name not in cls.model_fields:
            near = [] if faults.full else difflib.get_close_matches(name, list(cls.model_fields), n=1)
            remedy = f"Nearest column: {near[0]}." if near else "Remove the column."
            faults.append(Fault("unknown-column", "unknown column", str(path), 1, name, remedy=remedy))
            bad = True
    for name, info in cls.model_fields.items():
        if info.is_required() and name not in header and name != "kind":
            faults.append(Fault("missing-column", "required column is missing", str(path), 1, name))
            bad = True
    if bad:
        return []
    rows = []
    for number, raw_cells in lines[1:]:
        cells = [c.strip() for c in raw_cells]
        if len(cells) == len(header):
            if row := {h: c for h, c in zip(header, cells, strict=True) if c}:
                rows.append((number, row))
        elif any(cells):
            text_ = f"{len(cells)} cells where the header has {len(header)}"
            faults.append(Fault("truncated-row", text_, str(path), number, remedy="Quote cells that hold commas."))
    return rows


@cache
def _tuple_fields(cls: type[BaseModel]) -> frozenset[str]:
    def is_tuple(t: object) -> bool:
        if typing.get_origin(t) in (typing.Union, types.UnionType):
            return any(is_tuple(a) for a in typing.get_args(t))
        return typing.get_origin(t) is tuple

    return frozenset(n for n, f in cls.model_fields.items() if is_tuple(f.annotation))


def _parse(cls: type[BaseModel], row: dict[str, str], path: Path, number: int, faults: Faults) -> BaseModel | None:
    data: dict[str, object] = {**row}
    for name in _tuple_fields(cls) & row.keys():
        data[name] = tuple(row[name].split("|"))
    for column in ("contents", "parts"):
        if column in row:
            pairs = [c.partition("*") for c in row[column].split("|")]
            data[column] = [{"qty": a, "part": b} for a, _, b in pairs]
    try:
        return cls.model_validate(data)
    except ValidationError as e:
        for err in e.errors(include_url=False):
            column = str(err["loc"][0]) if err["loc"] else ""
            value = "" if err["type"] == "missing" else str(err.get("input", ""))[:80]
            remedy = REMEDIES.get(column, "")
            faults.append(Fault("bad-value", err["msg"], str(path), number, column, value, remedy))
        return None
