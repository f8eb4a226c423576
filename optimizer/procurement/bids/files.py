"""Files of a comparison: vendors' quotes with their mappings, and results of dsopt."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from catalogs.errors import Fault, InputError
from catalogs.files import read_result
from catalogs.load import Catalog
from constraints.request import Request
from optimizer.explanation.opened import chosen
from optimizer.procurement.bids.changes import Opened, opened
from optimizer.procurement.bids.offered import FromResult, Offered, Unread
from optimizer.procurement.bids.schema import SourceFile
from optimizer.procurement.reading.document import Quote
from optimizer.procurement.reading.mapping import Mapping, read_mapping
from optimizer.procurement.reading.payment_term import with_term
from optimizer.procurement.reading.reader import read
from optimizer.procurement.reading.variants import split
from optimizer.throughput.calibration import Calibration


@dataclass(frozen=True)
class Files:
    """What was read, in the order of the files."""

    all: tuple[Quote | Opened | Unread, ...]
    sources: tuple[SourceFile, ...] = ()

    @property
    def results(self) -> list[Opened]:
        return [x for x in self.all if isinstance(x, Opened)]

    @property
    def quotes(self) -> list[Quote]:
        return [x for x in self.all if isinstance(x, Quote)]

    def bids(self) -> list[Offered]:
        """Results stand with their recommended build. Raises InputError where no file holds a bid."""
        out: list[Offered] = []
        for x in self.all:
            if not isinstance(x, Opened):
                out.append(x)
            elif not x.result.front:
                out.append(Unread(x.source, (Fault("no-point", "holds no build that could be a bid", x.source),)))
            else:
                out.append(FromResult(x.source, x.result, x.result.front[chosen(x.result, None)]))
        unread = [x for x in out if isinstance(x, Unread)]
        if out and len(unread) == len(out):
            raise InputError([f for x in unread for f in x.faults])
        return out

    def tender(self) -> Request:
        """The request of the first result as that of a tender: what bids are held against, not what this buyer has or
        may spend."""
        fields = {"budget_cents": None, "throughput_tenths": None, "own": (), "spares": (), "support": ()}
        return self.results[0].result.request.model_copy(update={**fields, "cost_axis": "money"})


def opened_files(
    paths: Sequence[Path], maps: Sequence[str], catalog: Catalog, accept_fuzzy: bool, by: Calibration | None,
    terms: Sequence[str] = (),
) -> Files:  # fmt: skip
    """Reads every file; `maps` are mapping files in the order of the vendors' files, or NAME=FILE; `terms` the months
    over which what is paid by time is counted, of all bids, or BID=MONTHS (`once`: it is a purchase).

    A file that can't be read, or a result that is not what it says, stands as a bid that is not comparable (`Unread`):
    it ends nobody else's comparison. Raises InputError where a file is not there, where --map is wrong for it, and
    where none can be read; for two results alone as `read_result`, CheckFailed for one that is not what it says."""
    vendors = [p for p in paths if p.suffix.lower() != ".json"]
    given = with_terms(vendors, _mappings(vendors, maps), {chr(ord("A") + i): p for i, p in enumerate(paths)}, terms)
    out: list[Quote | Opened | Unread] = []
    mistaken: list[Fault] = []
    for p in paths:
        try:
            if p in vendors:
                out += _quotes(p, catalog, given.get(p), accept_fuzzy)
            else:
                out.append(opened(_json(p), str(p), catalog, by))
        except InputError as e:
            if e.exit_code != InputError.exit_code and not vendors and len(paths) == 2:
                raise
            mistaken += [fault for fault in e.faults if _is_mistaken(fault, p, given)]
            out.append(Unread(p.name if p in vendors else str(p), tuple(e.faults)))
    unread = [x for x in out if isinstance(x, Unread)]
    nobody = len(unread) == len(out) or (not vendors and len(paths) == 2)
    if faults := mistaken or ([f for x in unread for f in x.faults] if nobody else []):
        raise InputError(faults)
    return Files(tuple(out), sources_of(paths, maps))


def _quotes(path: Path, catalog: Catalog, given: Mapping | None, accept_fuzzy: bool) -> list[Quote]:
    """The quote of a file, or those of its variants where it holds some and none is named."""
    first = read(path, catalog, mapping=given, accept_fuzzy=accept_fuzzy)
    file, named = split(path)
    if named or not first.variants:
        return [first]
    paths = [file.with_name(f"{file.name}#{name}") for name in first.variants]
    return [read(p, catalog, mapping=given, accept_fuzzy=accept_fuzzy) for p in paths]


MAPPED = {"bad-map", "unknown-sheet", "unknown-encoding"}


def _is_mistaken(fault: Fault, path: Path, given: dict[Path, Mapping]) -> bool:
    """Whether the buyer has to mend the command line, not the vendor the file: a name of no file, a mapping that names
    what is not there."""
    if fault.code == "no-file":
        return not path.is_dir()
    return path in given and (fault.code in MAPPED or fault.column.startswith("parts."))


def with_terms(
    vendors: Sequence[Path], maps: dict[Path, Mapping], by_bid: dict[str, Path], terms: Sequence[str]
) -> dict[Path, Mapping]:
    """Mappings with the terms of `--term`; one bid's own wins over that of all."""
    out = dict(maps)
    for text in sorted(terms, key=lambda t: "=" in t):
        name, _, value = text.rpartition("=")
        wanted = [p for k, p in by_bid.items() if name.strip() in (k, p.name, p.stem, str(p))] if name else vendors
        if not [p for p in wanted if p in vendors] or (name and len(wanted) != 1):
            names = ", ".join(f"{k}: {p.name}" for k, p in by_bid.items())
            remedy = f"MONTHS for all bids, or BID=MONTHS. Bids: {names}."
            raise InputError(Fault("bad-term", "is for no vendor's file", column="--term", value=text, remedy=remedy))
        for p in wanted:
            out[p] = with_term(out.get(p, Mapping()), value)
    return out


def _json(path: Path) -> Any:
    """A result of a size that is one; a file that is not there is told by the reading."""
    return read_result(path)


def sources_of(paths: Sequence[Path], maps: Sequence[str]) -> tuple[SourceFile, ...]:
    """What bids were read from, with hashes, and the map of each; raises InputError as `opened_files` for maps."""
    vendors = [path for path in paths if path.suffix.lower() != ".json"]
    by = _map_files(vendors, maps)
    out = []
    for path in paths:
        given = by.get(path)
        written = datetime.fromtimestamp(given.stat().st_mtime, tz=UTC).date() if given is not None else None
        name, own = (str(given), _sha256(given)) if given is not None else ("", "")
        out.append(SourceFile(file=path.name, sha256=_sha256(path), map_file=name, map_sha256=own, map_date=written))
    return tuple(out)


def _sha256(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


def _mappings(vendors: Sequence[Path], maps: Sequence[str]) -> dict[Path, Mapping]:
    return {path: read_mapping(file) for path, file in _map_files(vendors, maps).items()}


def _map_files(vendors: Sequence[Path], maps: Sequence[str]) -> dict[Path, Path]:
    """Map files by the vendor's file that each is for."""
    out: dict[Path, Path] = {}
    for i, text in enumerate(maps):
        name, _, file = text.rpartition("=")
        known = [p for p in vendors if name in (p.name, p.stem, str(p))] if name else list(vendors[i : i + 1])
        if len(known) != 1 or known[0] in out:
            names = ", ".join(p.name for p in vendors)
            what = "is for no vendor's file" if not known else "is not for one vendor's file alone"
            remedy = f"In the order of the files, or NAME=FILE. Files: {names}."
            raise InputError(Fault("bad-map", what, column="--map", value=text, remedy=remedy))
        out[known[0]] = Path(file)
    return out
