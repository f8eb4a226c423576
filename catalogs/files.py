"""Files written whole or not at all, and saved results read back.

A regular file is written beside its place and renamed: whoever looks sees the old or the new one, and an error or
Ctrl-C leaves neither a part nor a temporary file. Links are followed, so the file that they name is the one renamed. A
device, a pipe or an open descriptor (`/dev/stdout`, `/dev/fd/3`) is written into, never replaced. docs/files.md."""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalogs.errors import Fault, InputError
from catalogs.inputs import RESULT_BYTES, read_json
from catalogs.other_file import RESULT, expecting, refuse_other
from catalogs.visible import visible

REMEDY = "Name a writable place."
DESCRIPTOR = re.compile(r"/dev/fd/(\d{1,9})|/proc/(?:self|thread-self|\d+)/fd/(\d{1,9})", re.ASCII)
MOST_LINKS = 40


@dataclass(frozen=True)
class Target:
    """Where an output goes. `real`: the file behind all links. `stream`: written into, as a device or a pipe is;
    `descriptor`: one of this process that stands for it. `mode`: permissions and owner of the file that is there."""

    named: Path
    real: str
    exists: bool = False
    stream: bool = False
    descriptor: int | None = None
    status: os.stat_result | None = None

    @property
    def asks(self) -> bool:
        """Whether something would be lost: a file, or what a disk holds."""
        return self.exists and (not self.stream or (self.status is not None and stat.S_ISBLK(self.status.st_mode)))


def target(path: Path, remedy: str = REMEDY) -> Target:
    """What a path stands for; raises InputError for a folder, a socket, and a place that can't be looked at."""
    with refusing(path, remedy):
        if (descriptor := _descriptor(path)) is not None:
            os.fstat(descriptor)
            return Target(path, str(path), True, True, descriptor)
        real = os.path.realpath(path)
        try:
            status = os.stat(path)
        except FileNotFoundError:
            folder = os.path.dirname(real)
            if not os.path.isdir(folder):
                raise InputError(
                    Fault("not-writable", f"cannot write: there is no folder {folder}", str(path), remedy=remedy)
                ) from None
            return Target(path, real)
        if stat.S_ISDIR(status.st_mode):
            raise InputError(Fault("not-writable", "cannot write: is a folder", str(path), remedy="Name a file."))
        if stat.S_ISSOCK(status.st_mode):
            raise InputError(Fault("not-writable", "cannot write: is a socket", str(path), remedy=remedy))
        if stat.S_ISREG(status.st_mode) and not os.path.exists(real):  # a deleted file that a process holds open
            raise FileNotFoundError(None, "No such file or directory")
        return Target(path, real, True, not stat.S_ISREG(status.st_mode), None, status)


def _descriptor(path: Path) -> int | None:
    """The open descriptor of this process that a path means by itself or through links; None for any other path."""
    name = os.path.abspath(path)
    for _ in range(MOST_LINKS):
        if found := DESCRIPTOR.fullmatch(name):
            own = not name.startswith("/proc/") or name.split("/")[2] in ("self", "thread-self", str(os.getpid()))
            return int(found[1] or found[2]) if own else None
        if not os.path.islink(name):
            return None
        name = os.path.normpath(os.path.join(os.path.dirname(name), os.readlink(name)))
    return None


def check_writable(path: Path, *, force: bool, remedy: str = REMEDY) -> Target:
    """Tries a place before the work is done: raises InputError where it can't be written (not-writable), or where
    something would be overwritten without `force` (output-exists)."""
    found = target(path, remedy)
    if found.asks and not force:
        raise InputError(Fault("output-exists", "already exists", str(path), remedy="Give --force to overwrite it."))
    with refusing(path, remedy):
        if found.exists and found.descriptor is None and not os.access(path, os.W_OK):
            raise PermissionError(None, "Permission denied")
        if not found.stream:
            # One byte beside it: a read-only or full file system says so now.
            with _beside(found.real) as (_, handle), os.fdopen(handle, "wb") as file:
                file.write(b"\0")
        elif found.descriptor is not None:
            _write_nothing(found.descriptor)
        elif found.status is not None and stat.S_ISCHR(found.status.st_mode):
            handle = os.open(found.real, os.O_WRONLY | os.O_NOCTTY)
            try:
                _write_nothing(handle)
            finally:
                os.close(handle)
    return found


def _write_nothing(descriptor: int) -> None:
    """Writes no byte: /dev/full and a descriptor open for reading alone refuse even that. A reader that is gone is
    none of our faults."""
    with contextlib.suppress(BrokenPipeError):
        os.write(descriptor, b"")


def written_json(data: Any) -> str:
    """JSON as every command and file writes it: readable letters, characters that are not seen as escapes."""
    return visible(json.dumps(data, ensure_ascii=False, indent=2))


def write_text(path: Path, text: str, remedy: str = REMEDY, *, force: bool = True) -> None:
    """UTF-8 text as `write_bytes` writes it; half a character becomes an escape."""
    write_bytes(path, text.encode("utf-8", "backslashreplace"), remedy, force=force)


def write_bytes(path: Path, data: bytes, remedy: str = REMEDY, *, force: bool = True) -> None:
    """Bytes, whole or not at all; raises InputError where that can't be. Without `force` a file that is there, or that
    came while the work was done, is kept (output-exists).

    A file that is there keeps its mode, and its owner where the system lets us; a new one gets the umask's."""
    found = target(path, remedy)
    with refusing(path, remedy):
        if found.stream:
            _write_into(found, data)
            return
        if found.exists and not force:
            raise FileExistsError
        with _beside(found.real) as (temporary, handle):
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            if found.status is not None:
                if hasattr(os, "chown"):
                    with contextlib.suppress(OSError):
                        os.chown(temporary, found.status.st_uid, found.status.st_gid)
                os.chmod(temporary, stat.S_IMODE(found.status.st_mode))
            if force:
                os.replace(temporary, found.real)
            else:
                _rename_to_new(temporary, found.real)


def _rename_to_new(temporary: str, real: str) -> None:
    """As os.replace, but never onto a file; a file system without hard links is looked at first."""
    try:
        os.link(temporary, real)
    except FileExistsError:
        raise
    except (OSError, NotImplementedError, AttributeError):
        if os.path.lexists(real):
            raise FileExistsError from None
        os.replace(temporary, real)
    else:
        os.unlink(temporary)


@contextlib.contextmanager
def _beside(real: str) -> Iterator[tuple[str, int]]:
    """(name, descriptor) of a new file in the folder of `real`; gone again unless it was renamed."""
    temporary = os.path.join(os.path.dirname(real), f".dsopt-{secrets.token_hex(8)}.tmp")
    try:
        yield temporary, os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    finally:
        with contextlib.suppress(OSError):
            os.unlink(temporary)


def _write_into(found: Target, data: bytes) -> None:
    """All of it into a device, a pipe or a descriptor; a reader that stops early has had enough."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    handle = os.dup(found.descriptor) if found.descriptor is not None else os.open(
        found.named, os.O_WRONLY | getattr(os, "O_NOCTTY", 0)
    )  # fmt: skip
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(handle, rest) :]
    except BrokenPipeError:
        return
    finally:
        os.close(handle)


@contextlib.contextmanager
def refusing(path: Path, remedy: str) -> Iterator[None]:
    """What the system says of a place becomes a fault that names it."""
    try:
        yield
    except FileExistsError:
        fault = Fault("output-exists", "already exists", str(path), remedy="Give --force to overwrite it.")
        raise InputError(fault) from None
    except (OSError, ValueError) as e:
        why = getattr(e, "strerror", None) or str(e)
        raise InputError(Fault("not-writable", f"cannot write: {why}", str(path), remedy=remedy)) from None


def read_result(path: Path) -> Any:
    """The JSON of a saved result, not yet judged. Raises InputError for what is none."""
    with expecting(path, RESULT):
        data = read_json(path, RESULT_BYTES, remedy="Write it with `dsopt solve ... -o result.json`.")
    refuse_other(data, path, RESULT)
    return data
