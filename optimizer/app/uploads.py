"""Uploaded quotes: bounded in number, size and kind, kept under plain names in a private folder until they are read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from catalogs.errors import Fault, InputError
from optimizer.app.limits import MEGABYTE, MOST_FILE_BYTES, MOST_FILES, MOST_NAME
from optimizer.text.languages import N_

if TYPE_CHECKING:
    from starlette.datastructures import UploadFile

CHUNK = 1 << 18
NO_FILE = N_("no file came with it")
TOO_MANY = N_("too many files at once")
TOO_LARGE = N_("is larger than the app takes")
NO_QUOTE = N_("is of a kind that no quote has")
UNFIT = re.compile(r"[^\w.()\[\] -]")
"""What a kept name holds none of: separators, control characters, `#` (which names a variant of a file)."""


def kept_name(name: str) -> str:
    """A file's own name without its folders and without characters that mean something to a file system."""
    last = PurePosixPath(name.replace("\\", "/")).name
    plain = UNFIT.sub("_", last).strip(". ")
    stem, dot, suffix = plain.rpartition(".")
    return f"{(stem or 'quote')[: MOST_NAME - 8]}{dot}{suffix[:7]}" if dot else (plain or "quote")[:MOST_NAME]


async def kept(files: Sequence[UploadFile], most: int = MOST_FILES) -> tuple[TemporaryDirectory[str], list[Path]]:
    """The files in a folder that nobody else can read. Raises InputError with what is wrong; nothing stays then."""
    from optimizer.procurement.reading.opening.guard import SUFFIXES

    if not files:
        raise InputError(Fault("no-file", NO_FILE))
    if len(files) > most:
        raise InputError(Fault("too-many-files", TOO_MANY, value=str(len(files)), remedy=f"{most}"))
    names = [kept_name(file.filename or "") for file in files]
    if faults := [
        Fault("bad-format", NO_QUOTE, name, remedy=", ".join(SUFFIXES))
        for name in names
        if Path(name).suffix.lower() not in SUFFIXES
    ]:
        raise InputError(faults)
    folder = TemporaryDirectory(prefix="dsopt-app-")
    try:
        paths = []
        for number, (file, name) in enumerate(zip(files, names, strict=True), 1):
            # Two files may have one name: each has a folder of its own.
            own = Path(folder.name) / str(number)
            own.mkdir(mode=0o700)
            paths.append(own / name)
            await _written(file, own / name)
    except BaseException:
        folder.cleanup()
        raise
    return folder, paths


async def _written(file: UploadFile, path: Path) -> None:
    size = 0
    with path.open("xb") as out:
        while piece := await file.read(CHUNK):
            size += len(piece)
            if size > MOST_FILE_BYTES:
                remedy = f"{MOST_FILE_BYTES // MEGABYTE} MB"
                raise InputError(Fault("too-large", TOO_LARGE, path.name, remedy=remedy))
            out.write(piece)
