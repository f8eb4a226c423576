"""What a file is, by what it holds: told where a reader can't read one because it is of another kind.

A reader stands within `expecting`: where it refuses a file, and the file is known to be something else, the fault says
what it is and which command takes it. A file that its reader takes is never looked at here."""

from __future__ import annotations

import csv
import json
import os
import stat
import tomllib
from collections.abc import Iterator, Mapping, Set
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from catalogs.errors import Fault, InputError
from catalogs.inputs import RESULT_BYTES, read_bytes
from catalogs.message import N_, joined, message

CODE = "other-file"
HEAD_BYTES = 65_536
"""Of a file that is no JSON: enough for its first lines."""
TABLE_LINES = 20
"""Lines among which a table has two with the same separator."""


@dataclass(frozen=True)
class FileKind:
    """A kind of file. `words`: what it is, behind "is"; `asked`: how a reader asks for one, where that is not the same.
    `takes`: the command that takes it, with {file} in place of its name; `instead`: what to give where none does.
    `syntax`: toml or table. `guess`: told by its form alone, so that it may be a faulty file of another kind of that
    syntax. `foreign`: nothing that dsopt reads as such."""

    words: str
    takes: str = ""
    instead: str = ""
    asked: str = ""
    syntax: str = ""
    guess: bool = False
    foreign: bool = False


TOML, TABLE = "toml", "table"
BUILD = FileKind(N_("a build"), "dsopt check {file}", syntax=TOML)
RESULT = FileKind(N_("a saved result"), "dsopt explain {file}")
QUOTE = FileKind(
    N_("a table like a vendor's quote or price list"), "dsopt xray {file}", asked=N_("a vendor's quote"), syntax=TABLE,
    guess=True,
)  # fmt: skip
WORKBOOK = FileKind(N_("a workbook like a vendor's quote"), "dsopt xray {file}", asked=N_("a workbook"))
MAPPING = FileKind(N_("a mapping of a vendor's file"), "dsopt xray QUOTE --map {file}", syntax=TOML)
AWARD_TERMS = FileKind(N_("a file of terms of an award"), "dsopt award BIDS --terms {file}", syntax=TOML)
COMPANY = FileKind(N_("a profile of seller and buyer"), "dsopt quote RESULT --profile {file}", syntax=TOML)
POLICY = FileKind(N_("a file of policy values"), "dsopt solve --policy {file}", syntax=TOML, guess=True)
WEIGHTS = FileKind(N_("a file of weights"), "dsopt compare --weights {file}", syntax=TOML, guess=True)
CONFIG = FileKind(N_("the config.json of a model"), "dsopt models add {file}")
GGUF = FileKind(N_("a GGUF file of a model"), "dsopt models add {file}")
XRAY = FileKind(N_("an X-ray that dsopt wrote"), instead=N_("Give the vendor's file that it was made of."))
AWARD = FileKind(N_("an award that dsopt wrote"), instead=N_("Give the bids that it was made of."))
COMPARISON = FileKind(N_("a comparison that dsopt wrote"), instead=N_("Give the bids that it was made of."))
SIZES = FileKind(N_("an answer of dsopt size"), instead=N_("It is for programs: no command reads it."))
OWNED = FileKind(N_("a list of parts in hand"), "dsopt solve --own {file}", syntax=TABLE)
APPROVED = FileKind(N_("a list of approved and barred parts and vendors"), "dsopt solve --avl {file}", syntax=TABLE)
RATES = FileKind(N_("a list of exchange rates"), "dsopt solve --fx {file}", syntax=TABLE)
PERCENTAGES = FileKind(N_("a list of percentages by category"), "dsopt solve --spares {file}", syntax=TABLE)
CONFIGURATIONS = FileKind(
    N_("a list of configurations to size"), "dsopt size --batch {file}", syntax=TABLE, guess=True
)  # fmt: skip
MEASUREMENTS = FileKind(N_("a list of measurements"), "dsopt size --measured {file}", syntax=TABLE)
OFFERS = FileKind(N_("a catalog's list of offers"), "dsopt solve --catalog FOLDER", syntax=TABLE)
EMPTY = FileKind(N_("an empty file"), foreign=True)
PDF = FileKind(N_("a PDF document"), "dsopt xray {file}", foreign=True)
IMAGE = FileKind(N_("an image"), instead=N_("No command reads it."), foreign=True)
BINARY = FileKind(N_("a binary file"), instead=N_("No command reads it."), foreign=True)

FIRST_BYTES = (
    (b"PK\x03\x04", WORKBOOK), (b"\xd0\xcf\x11\xe0", WORKBOOK), (b"%PDF-", PDF), (b"\x89PNG", IMAGE),
    (b"\xff\xd8\xff", IMAGE), (b"GIF8", IMAGE), (b"GGUF", GGUF),
)  # fmt: skip
"""Signatures, as each format publishes its own."""
COLUMNS: tuple[tuple[FileKind, Set[str], Set[str]], ...] = (
    (OWNED, {"part", "qty"}, set()),
    (APPROVED, {"status"}, {"part", "vendor", "category", "note"}),
    (RATES, {"currency", "date"}, {"usd_per_unit", "units_per_usd", "source"}),
    (PERCENTAGES, {"category", "percent"}, {"source", "note"}),
)
"""Kinds of lists with the columns that each has and those that it may have: with any other it may be a vendor's."""


def refuse_other(data: Any, path: Path, *kinds: FileKind) -> None:
    """Raises InputError for a document of JSON that is known to be of another kind."""
    found = json_kind(data)
    if found is not None and found not in kinds:
        raise InputError(other_file(path, found, kinds[0]))


@contextmanager
def expecting(path: Path, *kinds: FileKind, column: str = "", names_foreign: bool = False) -> Iterator[None]:
    """A reader of files of these kinds, the first of which it asks for; `column`: the option that names the file;
    `names_foreign`: it says itself what is no table or text, and how to ask for one.

    Raises InputError of code other-file in place of the reader's own where the file is of another kind (of the reader's
    code where it is of none that dsopt knows); where that is a guess, the reader's own with the guess beside its
    remedy."""
    try:
        yield
    except InputError as error:
        found, wanted = kind_of(path), kinds[0]
        if found is None or found in kinds or (found.foreign and names_foreign):
            raise
        if found.guess and found.syntax == wanted.syntax:
            raise _with_guess(error, path, found) from None
        first = error.faults[0]
        told = other_file(path, found, wanted, column, first.remedy)
        raise InputError(replace(told, code=first.code) if found.foreign else told) from None


def _with_guess(error: InputError, path: Path, found: FileKind) -> InputError:
    """The reader's faults, the first of them with what the file may be."""
    first, *others = error.faults
    guess = message("Is it {what}? {way}", what=message(found.words), way=_way(path, found))
    remedy = joined([text for text in (first.remedy, guess) if text], " ")
    return type(error)([replace(first, remedy=remedy), *others])


def other_file(path: Path, found: FileKind, wanted: FileKind, column: str = "", remedy: str = "") -> Fault:
    """What to say of a file of another kind; `remedy` where neither a command nor another file is the way."""
    text = message("is {what}, not {wanted}", what=message(found.words), wanted=message(wanted.asked or wanted.words))
    return Fault(CODE, text, str(path), column=column, remedy=_way(path, found) or remedy)


def _way(path: Path, found: FileKind) -> str:
    """Which command takes a file, else what to give in its place; empty where neither is known."""
    if found.takes:
        return message("`{command}` takes it.", command=found.takes.format(file=path))
    return message(found.instead) if found.instead else ""


def kind_of(path: Path) -> FileKind | None:
    """What a file holds; None where it can't be told, or is none that can be looked at twice (a pipe, a folder)."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return None
        is_json = path.suffix.lower() == ".json"
        data = read_bytes(path, RESULT_BYTES) if is_json else _head(path)
    except (OSError, ValueError, InputError):
        return None
    if not data.strip():
        return EMPTY
    for first, kind in FIRST_BYTES:
        if data.startswith(first):
            return kind
    utf_16 = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    if b"\0" in data and not utf_16:
        return BINARY
    text = data.decode("utf-16" if utf_16 else "utf-8-sig", "replace")
    if text.lstrip().startswith(("{", "[")) and (found := _json_kind(text)) is not None:
        return found
    if path.suffix.lower() == ".toml":
        return _toml_kind(text)
    return None if is_json else _table_kind(text)


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD_BYTES)


def _json_kind(text: str) -> FileKind | None:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return json_kind(data)


def json_kind(data: Any) -> FileKind | None:
    """What a document of JSON is; None where it can't be told."""
    if not isinstance(data, Mapping):
        return None
    if {"request", "front"} <= data.keys():
        return RESULT
    if "kind" in data and "schema_version" in data:
        return {"xray": XRAY, "bids": COMPARISON, "results": COMPARISON, "award": AWARD}.get(str(data["kind"]))
    if {"setups", "throughput_model"} <= data.keys():
        return SIZES
    return CONFIG if "model_type" in data or "architectures" in data else None


def _toml_kind(text: str) -> FileKind | None:
    try:
        data = tomllib.loads(text)
    except (ValueError, RecursionError):
        return None
    if {"columns", "header_row", "ignore_rows"} & data.keys():
        return MAPPING
    if "parts" in data:
        return BUILD
    if {"max_bidders", "bidder", "lot"} & data.keys():
        return AWARD_TERMS
    if {"seller", "buyer"} & data.keys():
        return COMPANY
    values = list(data.values())
    if not values:
        return EMPTY
    if "weights" in data or all(isinstance(value, int | float) for value in values):
        return WEIGHTS
    return POLICY if all(isinstance(value, Mapping) for value in values) else None


def _table_kind(text: str) -> FileKind | None:
    """By the words of its header; of a table with others, that it is one."""
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        return EMPTY
    separator = max(",;\t|", key=lines[0].count)
    header = {cell.strip().casefold() for cell in next(csv.reader([lines[0]], delimiter=separator))}
    for kind, needed, more in COLUMNS:
        if needed <= header <= needed | more:
            return kind
    if {"model", "gpu", "n_gpus"} <= header:
        return MEASUREMENTS if "output_tok_s" in header else CONFIGURATIONS
    if {"id", "part", "price", "currency", "date", "condition", "confidence"} <= header:
        return OFFERS
    parted = [line for line in lines[:TABLE_LINES] if any(separator in line for separator in ",;\t|")]
    return QUOTE if len(parted) > 1 else None
