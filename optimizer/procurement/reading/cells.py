"""The child process that opens a workbook: limited memory and time, JSON of plain values on standard output.

Run as `python cells.py FILE LIMIT_MB`. It imports nothing of ours: starting it costs some 50 ms. One line of JSON per
sheet: {"name", "hidden", "rows": [[number, {column: value}]], "merged"}; dates are {"day": ISO}."""

from __future__ import annotations

import datetime
import json
import sys

MAX_AREA = 6_000_000
CPU_SECONDS = 6


def main(path: str, limit_mb: int) -> int:
    """0, or 3 with one line `code text` on standard error."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (limit_mb << 20, limit_mb << 20))
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 1))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
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
                    kept = {str(left + i + 1): _plain(x) for i, x in enumerate(cells) if x != ""}
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
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
