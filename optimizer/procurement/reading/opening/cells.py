"""The child process that opens a workbook: limited memory and time, JSON of plain values on standard output.

Run as `python cells.py FILE LIMIT_MB [KIND]`. It imports nothing of ours: starting it costs some 50 ms. One line of
JSON per sheet: {"name", "hidden", "rows": [[number, {column: value}]], "merged"}; dates are {"day": ISO}. With KIND
(xls, xlsb) instead what that reader does not tell: {"name", "rows", "columns"}, numbers of hidden ones from 1."""

from __future__ import annotations

import datetime
import json
import os
import struct
import sys
import zipfile
from collections.abc import Iterator

MAX_AREA = 6_000_000
CPU_SECONDS = 6
ROW, COLUMN, BUNDLE = 0, 60, 156
"""Records of [MS-XLSB]: a row's head, a run of columns, a sheet of the workbook."""


def main(path: str, limit_mb: int, kind: str = "") -> int:
    """0, or 3 with one line `code text` on standard error."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (limit_mb << 20, limit_mb << 20))
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 1))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if kind:
        for name, hidden_rows, columns in _hidden_xls(path) if kind == "xls" else _hidden_xlsb(path):
            sys.stdout.write(json.dumps({"name": name, "rows": hidden_rows, "columns": columns}) + "\n")
        return 0
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

    try:
        with CalamineWorkbook.from_path(path) as book:
            for meta in book.sheets_metadata:
                if meta.typ != SheetTypeEnum.WorkSheet:
                    continue
                sheet = book.get_sheet_by_name(meta.name)
                if sheet.height * sheet.width > MAX_AREA:
                    return _fail("huge-sheet", f"sheet {meta.name!r} spans {sheet.height * sheet.width} cells")
                rows = []
                left = (sheet.start or (0, 0))[1]
                for number, cells in enumerate(sheet.iter_rows(), 1):
                    kept = {str(left + i + 1): _plain(cell) for i, cell in enumerate(cells) if cell != ""}
                    if kept:
                        rows.append((number, kept))
                merged = [(*a, *b) for a, b in sheet.merged_cell_ranges or []]
                hidden = meta.visible != SheetVisibleEnum.Visible
                json.dump({"name": meta.name, "hidden": hidden, "rows": rows, "merged": merged}, sys.stdout)
                sys.stdout.write("\n")
    except PasswordError:
        return _fail("encrypted-file", "is protected by a password")
    except MemoryError:
        return _fail("huge-sheet", f"needs more than {limit_mb} MB of memory")
    except (CalamineError, OSError, ValueError) as e:
        return _fail("damaged-file", f"can't be read as a workbook: {e}")
    return 0


def _hidden_xls(path: str) -> Iterator[tuple[str, list[int], list[int]]]:
    import xlrd

    with (
        open(os.devnull, "w") as log,
        xlrd.open_workbook(path, logfile=log, formatting_info=True, on_demand=True) as book,
    ):
        for name in book.sheet_names():
            sheet = book.sheet_by_name(name)
            rows = [n + 1 for n, row in sheet.rowinfo_map.items() if row.hidden]
            yield name, sorted(rows), sorted(n + 1 for n, column in sheet.colinfo_map.items() if column.hidden)
            book.unload_sheet(name)


def _hidden_xlsb(path: str) -> Iterator[tuple[str, list[int], list[int]]]:
    from xml.etree import ElementTree

    with zipfile.ZipFile(path) as archive:
        book = next(n for n in archive.namelist() if n.endswith("workbook.bin"))
        folder, _, name = book.rpartition("/")
        relations = ElementTree.fromstring(archive.read(f"{folder}/_rels/{name}.rels"))
        targets = {e.get("Id"): e.get("Target", "") for e in relations}
        for kind, data in _records(archive.read(book)):
            if kind != BUNDLE:
                continue
            end = 12 + 2 * struct.unpack_from("<I", data, 8)[0]
            target = targets.get(data[12:end].decode("utf-16-le"), "")
            member = target[1:] if target.startswith("/") else f"{folder}/{target}"
            rows: list[int] = []
            columns: list[int] = []
            for what, x in _records(archive.read(member)) if member in archive.namelist() else ():
                if what == ROW and x[11] & 0x10:
                    rows.append(struct.unpack_from("<I", x)[0] + 1)
                elif what == COLUMN and x[16] & 1:
                    first, last = struct.unpack_from("<II", x)
                    columns += range(first + 1, min(last, 16_383) + 2)
            yield data[end + 4 :].decode("utf-16-le"), rows, columns


def _records(data: bytes) -> Iterator[tuple[int, bytes]]:
    """(type, data) of each record; both numbers of its head are in groups of seven bits."""
    at = 0
    while at < len(data):
        head = []
        for most in (2, 4):
            n = 0
            for shift in range(0, 7 * most, 7):
                n |= (data[at] & 0x7F) << shift
                at += 1
                if data[at - 1] < 0x80:
                    break
            head.append(n)
        yield head[0], data[at : at + head[1]]
        at += head[1]


def _plain(value: object) -> object:
    if isinstance(value, datetime.date):
        return {"day": value.isoformat()[:10]}
    if isinstance(value, datetime.time | datetime.timedelta):
        return str(value)
    return value


def _fail(code: str, text: str) -> int:
    sys.stderr.write(f"{code} {text}\n")
    return 3


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), *sys.argv[3:]))
