"""What a vendor's file really is, before any reader opens it: kind by content, size, bombs, encryption, entities.

Nothing here executes or resolves anything of a file; archives are unpacked into a counter, never to disk."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal
from xml.parsers import expat

from catalogs.errors import Fault, InputError
from catalogs.inputs import read_bytes
from catalogs.message import message

Format = Literal["xlsx", "xlsb", "ods", "xls", "text", "pdf", "docx", "odt", "html", "mail", "msg"]
MAX_FILE_BYTES = 50_000_000
MAX_MEMBERS = 5_000
MAX_UNPACKED_BYTES = 150_000_000
MAX_RATIO = 400
"""Unpacked bytes per packed byte of an archive above 10 MB unpacked; sheets of blank rows stay under 200."""
CHUNK = 1 << 16
SUFFIXES: dict[str, tuple[Format, ...]] = {
    ".xlsx": ("xlsx",), ".xlsm": ("xlsx",), ".xltx": ("xlsx",), ".xltm": ("xlsx",), ".xlsb": ("xlsb",),
    ".ods": ("ods",), ".ots": ("ods",), ".xls": ("xls",), ".et": ("xls",), ".csv": ("text",), ".tsv": ("text",),
    ".txt": ("text",), ".tab": ("text",), ".pdf": ("pdf",), ".docx": ("docx",), ".docm": ("docx",), ".odt": ("odt",),
    ".html": ("html",), ".htm": ("html",), ".xhtml": ("html",), ".eml": ("mail",), ".msg": ("msg",),
}  # fmt: skip
WORKBOOKS: tuple[tuple[str, Format], ...] = (
    ("ms-excel.sheet.binary.macroEnabled.main", "xlsb"),
    ("spreadsheetml.sheet.main", "xlsx"),
    ("spreadsheetml.template.main", "xlsx"),
    ("ms-excel.sheet.macroEnabled.main", "xlsx"),
    ("ms-excel.template.macroEnabled.main", "xlsx"),
    ("wordprocessingml.document.main", "docx"),
    ("ms-word.document.macroEnabled.main", "docx"),
)
MAGICS = (
    (b"\x89PNG", "an image"), (b"\xff\xd8\xff", "an image"), (b"GIF8", "an image"),
    (b"BM", "an image"), (b"Rar!", "a RAR archive"), (b"7z\xbc\xaf", "a 7z archive"), (b"\x1f\x8b", "a gzip archive"),
    (b"MZ", "a program"), (b"\x7fELF", "a program"), (b"{\\rtf", "an RTF document"),
)  # fmt: skip
AS_TABLE = "Ask the vendor for an .xlsx or .csv file."
SAVE_AGAIN = "Open it in a spreadsheet program and save it as .xlsx."


@dataclass(frozen=True)
class Inspected:
    """Kind of a file by its content, and what a buyer should know of it (code, text)."""

    format: Format
    notices: tuple[tuple[str, str], ...] = ()


def refuse(code: str, text: str, path: Path, remedy: str = "", value: str = "") -> InputError:
    return InputError(Fault(code, text, str(path), value=value, remedy=remedy))


def inspect(path: Path) -> Inspected:
    """Kind and notices of a file; raises InputError for what is refused unread (codes in docs/reading.md)."""
    data = read_bytes(path, MAX_FILE_BYTES, regular=True)
    head = data[:1024]
    if not head.strip(b"\0 \t\r\n\xef\xbb\xbf\xff\xfe"):
        raise refuse("empty-file", "holds nothing", path)
    if head.startswith(b"PK"):
        found = _archive(path, data)
    elif head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        found = _ole(path, data)
    else:
        found = Inspected(_text(path, data))
    expected = SUFFIXES.get(path.suffix.casefold())
    if expected is None or found.format not in expected:
        named = message(
            "is named {suffix} but holds {kind}; read as {kind}",
            suffix=path.suffix or "without extension",
            kind=found.format,
        )
        return Inspected(found.format, (*found.notices, ("wrong-extension", named)))
    return found


MAIL_HEADS = re.compile(
    rb"(?:received|return-path|from|to|subject|date|mime-version|message-id|delivered-to|x-[\w-]+):"
)
"""What the first lines of a message begin with, in small letters; three of them, and it is one."""


def _text(path: Path, data: bytes) -> Format:
    head = data[:1024]
    if b"%PDF-" in head:
        return "pdf"
    for magic, what in MAGICS:
        if head.startswith(magic) and (len(magic) > 2 or _binary(head)):
            raise refuse("unknown-format", message("is {what}, no table", what=what), path, AS_TABLE)
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<html", b"<!doctype html", b"<table", b"<head", b"<body", b"<meta", b"<div")):
        return "html"
    if start.startswith((b"<?xml", b"<!doctype")):
        if b"<html" in start and b"<!entity" not in start:
            return "html"
        raise refuse("unknown-format", "is XML, no table", path, SAVE_AGAIN)
    if _is_mail(data[:8192]):
        return "mail"
    if path.suffix.casefold() in (".xlsx", ".xlsm", ".xlsb", ".ods", ".xls") and _binary(head):
        raise refuse("damaged-file", "does not begin like a workbook", path, AS_TABLE)
    return "text"


def _is_mail(head: bytes) -> bool:
    """Whether the text begins with the heads of a message, those that go on in the next line among them."""
    found = set()
    for line in head.lower().lstrip(b"\xef\xbb\xbf\r\n").splitlines():
        if not line.strip() or not re.match(rb"[\x21-\x39\x3b-\x7e]+:|[ \t]", line):
            break
        if match := MAIL_HEADS.match(line):
            found.add(match[0])
    return len(found) >= 3


def _binary(head: bytes) -> bool:
    """Control characters that no text has; UTF-16 has NULs and is told by its mark."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return False
    return sum(b < 9 or 13 < b < 27 or 27 < b < 32 for b in head) > 0


def _ole(path: Path, data: bytes) -> Inspected:
    """Old Excel: a container whose directory names its streams in UTF-16."""

    def has(name: str) -> bool:
        return name.encode("utf-16-le") in data

    if has("EncryptedPackage"):
        raise refuse("encrypted-file", "is protected by a password", path, "Ask for a copy without a password.")
    if has("__properties_version1.0"):
        return Inspected("msg")
    if has("WordDocument") or has("PowerPoint Document"):
        raise refuse("unknown-format", "is a document, no workbook", path, AS_TABLE)
    if not (has("Workbook") or has("Book")):
        raise refuse("damaged-file", "holds no workbook", path, AS_TABLE)
    return Inspected("xls", (("macros", "holds macros; they were not run"),) if has("_VBA_PROJECT") else ())


def _archive(path: Path, data: bytes) -> Inspected:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _members(path, archive)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError) as e:
        raise refuse("damaged-file", f"is a broken or cut off archive: {e}", path, "Fetch it again.") from None


def _members(path: Path, archive: zipfile.ZipFile) -> Inspected:
    infos = archive.infolist()
    if len(infos) > MAX_MEMBERS:
        raise refuse("zip-bomb", f"holds {len(infos)} files, the limit is {MAX_MEMBERS}", path, AS_TABLE)
    unpacked, packed = sum(i.file_size for i in infos), max(sum(i.compress_size for i in infos), 1)
    if unpacked > MAX_UNPACKED_BYTES or (unpacked > 10_000_000 and unpacked > packed * MAX_RATIO):
        text = f"unpacks {packed / 1e6:.1f} MB to {unpacked / 1e6:.0f} MB"
        raise refuse("zip-bomb", text, path, AS_TABLE)
    if any(i.flag_bits & 1 for i in infos):
        raise refuse("encrypted-file", "is protected by a password", path, "Ask for a copy without a password.")
    names = [i.filename for i in infos]
    for info in infos:
        # Also finds headers that lie about sizes: the checksum fails at the declared end.
        with archive.open(info) as member:
            while member.read(CHUNK):
                pass
        if info.filename.endswith((".xml", ".rels", ".vml")):
            with archive.open(info) as member:
                _prolog(path, info.filename, member)
    kind = _office(path, archive, names)
    return Inspected(kind, tuple(_notices(names)))


def _office(path: Path, archive: zipfile.ZipFile, names: list[str]) -> Format:
    if "[Content_Types].xml" in names:
        types = archive.read("[Content_Types].xml")[:1_000_000].decode("utf-8", "replace")
        for mark, kind in WORKBOOKS:
            if mark in types:
                return kind
        raise refuse("unknown-format", "is an Office document without a table", path, AS_TABLE)
    said = archive.read("mimetype")[:200] if "mimetype" in names else b""
    if b"opendocument.spreadsheet" in said or b"opendocument.text" in said:
        if "META-INF/manifest.xml" in names and b"encryption-data" in archive.read("META-INF/manifest.xml"):
            raise refuse("encrypted-file", "is protected by a password", path, "Ask for a copy without a password.")
        return "ods" if b"spreadsheet" in said else "odt"
    raise refuse("unknown-format", "is an archive, no workbook", path, "Unpack it and give the file inside.")


def _notices(names: list[str]) -> Iterator[tuple[str, str]]:
    if any(n.endswith("vbaProject.bin") or n.startswith("Basic/") for n in names):
        yield "macros", "holds macros; they were not run"
    links = sum(bool(re.match(r"xl/externalLinks/externalLink\d+\.", n)) for n in names)
    if links:
        text = "refers to {n} other file(s); their stored values are used, nothing was fetched"
        yield "external-links", message(text, n=links)
    if any(n in ("xl/connections.xml", "xl/queryTables/queryTable1.xml") for n in names):
        yield "connections", "holds data connections; nothing was fetched"
    images = sum(n.startswith(("xl/media/", "word/media/", "Pictures/")) and not n.endswith("/") for n in names)
    if images:
        yield "images", message("holds {n} image(s); what they show was not read", n=images)


class _Root(Exception):
    """The root element was reached: nothing was declared before it."""


def _prolog(path: Path, name: str, stream: IO[bytes]) -> None:
    """Refuses a document type (entities, external files); reads up to the root element only."""
    parser = expat.ParserCreate()

    def declared(*_: object) -> None:
        text = f"{name} declares a document type: entities could hide there"
        raise refuse("xml-entities", text, path, SAVE_AGAIN)

    def root(*_: object) -> None:
        raise _Root

    parser.StartDoctypeDeclHandler = declared
    parser.StartElementHandler = root
    try:
        while chunk := stream.read(CHUNK):
            parser.Parse(chunk)
    except _Root:
        return
    except expat.ExpatError as e:
        raise refuse("damaged-file", f"{name} is no XML: {e}", path, SAVE_AGAIN) from None
