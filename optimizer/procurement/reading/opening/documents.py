"""The child process that opens a document: limited memory and time, JSON of plain values on standard output.

Run as `python documents.py FILE LIMIT_MB KIND [ENCODING]`. It imports nothing of ours. One line of JSON each: a sheet
as cells.py gives it ({"name", "rows", "merged"}; "older": an older message, quoted), a page of a PDF as lines
({"page", "lines": [[place from the top, [[word, left, right, size, column or -1], ...]], ...], "pictures"}), or a
message ({"subject", "html", "text", "files"})."""

from __future__ import annotations

import base64
import json
import os
import re
import sys
import zipfile
from collections.abc import Iterator
from typing import Any

CPU_SECONDS = 15
MOST_PAGES = 80
MOST_CELLS = 250_000
MOST_FILES = 40
MOST_PAGE_BYTES = 6_000_000
MOST_COLUMNS = 2_000
WIDEST = 200
"""Columns that a cell may span; a wider one is decoration, or an attack."""
BLOCKS = frozenset((
    "address", "article", "blockquote", "body", "center", "dd", "div", "dl", "dt", "fieldset", "footer", "form", "h1",
    "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "ol", "p", "pre", "section", "ul",
))  # fmt: skip
UNSEEN = frozenset(["head", "script", "style", "template", "noscript", "title", "meta", "link"])
OLDER = re.compile(r"gmail_quote|yahoo_quoted|moz-cite-prefix|divRplyFwdMsg|appendonsend|OLK_SRC_BODY_SECTION")
SUBSTITUTED = re.compile(r"\(cid:\d+\)")


def main(path: str, limit_mb: int, kind: str, encoding: str = "") -> int:
    """0, or 3 with one line `code text` on standard error."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (limit_mb << 20, limit_mb << 20))
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 1))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    readers = {"pdf": _pdf, "docx": _docx, "odt": _odt, "html": lambda p: _html(p, encoding), "msg": _msg}
    try:
        for found in readers[kind](path):
            sys.stdout.write(json.dumps(found) + "\n")
    except MemoryError:
        return _fail("huge-sheet", f"needs more than {limit_mb} MB of memory")
    except _Refused as e:
        return _fail(*e.args)
    except Exception as e:  # a library's own errors are many: whatever they are, the file can't be read
        if "password" in type(e).__name__.lower() or "encrypt" in type(e).__name__.lower():
            return _fail("encrypted-file", "is protected by a password")
        return _fail("damaged-file", f"can't be read as a document: {type(e).__name__}: {str(e)[:120]!r}")
    return 0


class _Refused(Exception):
    """(code, text)"""


class _Grid:
    """Rows as they are built: cells by column from 1, and cells merged over several."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, dict[str, str]]] = []
        self.merged: list[tuple[int, int, int, int]] = []
        self.struck: list[tuple[int, int]] = []
        self.at = 0
        self.filled = 0
        self.spanned = 0

    def text(self, text: str) -> None:
        """A paragraph: each of its lines is a row, what tabs or wide gaps part is a cell."""
        for line in text.splitlines():
            parts = [part.strip() for part in re.split(r"\t+|[ \xa0\u3000]{3,}", line)]
            kept = [part for part in parts if part]
            self.at += 1
            if kept:
                self._put({str(c): part for c, part in enumerate(kept, 1)})

    def row(self, cells: list[tuple[int, int, int, str]]) -> None:
        """(column from 1, columns, rows, text) of each cell."""
        self.at += 1
        self.spanned += sum(wide for _, wide, _, _ in cells)
        if self.spanned > 4 * MOST_CELLS:
            raise _Refused("huge-sheet", f"spans more than {4 * MOST_CELLS} cells")
        for column, wide, high, _ in cells:
            if wide > 1 or high > 1:
                self.merged.append((self.at - 1, column - 1, self.at + high - 2, column + wide - 2))
        self._put({str(column): text.strip() for column, _, _, text in cells if text.strip()})

    def _put(self, cells: dict[str, str]) -> None:
        self.filled += len(cells)
        if self.filled > MOST_CELLS:
            raise _Refused("huge-sheet", f"has more than {MOST_CELLS} filled cells")
        if cells:
            self.rows.append((self.at, cells))

    def sheet(self, name: str, *, older: bool = False) -> dict[str, Any]:
        rows, merged = self.rows, self.merged
        struck = self.struck
        return {"name": name, "hidden": False, "older": older, "rows": rows, "merged": merged, "struck": struck}


def _pdf(path: str) -> Iterator[dict[str, Any]]:
    import pdfplumber

    with pdfplumber.open(path) as pdf:
        if len(pdf.pages) > MOST_PAGES:
            raise _Refused("huge-sheet", f"has {len(pdf.pages)} pages, the limit is {MOST_PAGES}")
        for number, page in enumerate(pdf.pages, 1):
            if _size(page) > MOST_PAGE_BYTES:
                raise _Refused("huge-sheet", f"page {number} holds more than {MOST_PAGE_BYTES // 10**6} MB of text")
            yield {"page": number, "lines": _lines_of(page), "pictures": len(page.images)}
            page.close()


def _size(page: Any) -> int:
    """Bytes of what a page draws, unpacked."""
    from pdfminer.pdftypes import resolve1

    streams = [resolve1(stream) for stream in page.page_obj.contents]
    return sum(len(stream.get_data()) for stream in streams if hasattr(stream, "get_data"))


def _lines_of(page: Any) -> list[tuple[float, list[list[Any]]]]:
    """Lines of a page top down; what a ruled table holds is one line per row, each word with the column of its cell."""
    tables = [table for table in page.find_tables() if _is_table(page, table)]
    boxes = [table.bbox for table in tables]
    placed: list[tuple[float, list[list[Any]]]] = []
    for table in tables:
        placed += _rows_of(page, table)
    words = page.extract_words(x_tolerance=1.5, y_tolerance=2, extra_attrs=["size"], keep_blank_chars=False)
    free = [w for w in words if not SUBSTITUTED.search(w["text"]) and not any(_inside(w, box) for box in boxes)]
    free.sort(key=lambda w: (w["bottom"], w["x0"]))
    line: list[Any] = []
    for word in free:
        if line and word["bottom"] - line[0]["bottom"] > max(2.0, 0.35 * line[0]["size"]):
            placed.append(_line(line))
            line = []
        line.append(word)
    if line:
        placed.append(_line(line))
    return sorted(placed, key=lambda item: item[0])


def _inside(word: dict[str, Any], box: tuple[float, float, float, float]) -> bool:
    x, y = (word["x0"] + word["x1"]) / 2, (word["top"] + word["bottom"]) / 2
    return bool(box[0] <= x <= box[2] and box[1] <= y <= box[3])


def _line(words: list[Any]) -> tuple[float, list[list[Any]]]:
    ordered = sorted(words, key=lambda w: w["x0"])
    middle = sum((w["top"] + w["bottom"]) / 2 for w in words) / len(words)
    return middle, [[w["text"], w["x0"], w["x1"], w["size"], -1] for w in ordered]


def _is_table(page: Any, table: Any) -> bool:
    """Whether lines part the rows too: where they part columns alone, a cell holds a whole column."""
    rows = table.rows
    if len(rows) < 2 or max(len([c for c in row.cells if c]) for row in rows) < 2:
        return False
    texts = table.extract()
    stacked = 0
    for row in texts:
        tall = [len(text.splitlines()) for text in row if text and len(text.splitlines()) > 2]
        stacked += len(tall) >= 2 and sum(n == tall[0] for n in tall) >= 2
    return not stacked


def _rows_of(page: Any, table: Any) -> Iterator[tuple[float, list[list[Any]]]]:
    """Each row of a ruled table as one line of its cells."""
    edges = sorted({round(cell[0], 1) for row in table.rows for cell in row.cells if cell})
    for row, texts in zip(table.rows, table.extract(x_tolerance=1.5, y_tolerance=2), strict=True):
        cells = [(cell, text) for cell, text in zip(row.cells, texts, strict=True) if cell]
        words = []
        for cell, text in cells:
            if text and text.strip():
                at = next(i for i, edge in enumerate(edges) if abs(edge - cell[0]) < 0.2)
                words.append([text.strip(), cell[0], cell[2], 0, at])
        if words:
            yield (row.bbox[1] + row.bbox[3]) / 2, words


def _docx(path: str) -> Iterator[dict[str, Any]]:
    import docx
    from docx.table import Table

    document = docx.Document(path)
    grid = _Grid()
    for part in document.iter_inner_content():
        if isinstance(part, Table):
            _docx_table(grid, part)
        else:
            grid.text(part.text)
    yield grid.sheet("")


def _docx_table(grid: _Grid, table: Any) -> None:
    """A table's rows; a cell merged downwards says its text once, one that holds tables gives them after its row."""
    from docx.table import _Cell

    open_since: dict[int, int] = {}
    for row in table.rows:
        cells, inner, column = [], [], 1 + row.grid_cols_before
        for tc in row._tr.tc_lst:
            cell, wide = _Cell(tc, table), min(max(1, tc.grid_span), WIDEST)
            goes_on = tc.vMerge == "continue"
            if goes_on and column in open_since:
                top = open_since[column]
                grid.merged = [m for m in grid.merged if m[:2] != (top - 1, column - 1)]
                grid.merged.append((top - 1, column - 1, grid.at, column + wide - 2))
            elif not goes_on:
                open_since[column] = grid.at + 1
            text, struck = _docx_text(cell)
            if struck:
                grid.struck.append((grid.at + 1, column))
            cells.append((column, 1 if goes_on else wide, 1, "" if goes_on else text))
            inner += cell.tables
            column += wide
        grid.row(cells)
        for table_in_cell in inner:
            _docx_table(grid, table_in_cell)


def _docx_text(cell: Any) -> tuple[str, bool]:
    """A cell's text without what is struck through in it, or the whole of it where all is, and whether all is."""
    runs = [run for paragraph in cell.paragraphs for run in paragraph.runs if run.text.strip()]
    struck = [run for run in runs if run.font.strike or run.font.double_strike]
    if not struck or len(struck) == len(runs):
        return cell.text, bool(struck)
    for run in struck:
        run.text = ""
    return cell.text, False


ODT = {
    "table": "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}",
    "text": "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}",
    "office": "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}",
}


def _odt(path: str) -> Iterator[dict[str, Any]]:
    from xml.etree import ElementTree

    with zipfile.ZipFile(path) as archive:
        root = ElementTree.fromstring(archive.read("content.xml"))
    body = root.find(f"{ODT['office']}body/{ODT['office']}text")
    grid = _Grid()
    for element in body if body is not None else ():
        _odt_block(grid, element)
    yield grid.sheet("")


def _odt_block(grid: _Grid, element: Any) -> None:
    if element.tag == f"{ODT['table']}table":
        for row in element.iter(f"{ODT['table']}table-row"):
            cells, column = [], 1
            for cell in row:
                if cell.tag not in (f"{ODT['table']}table-cell", f"{ODT['table']}covered-table-cell"):
                    continue
                many = min(int(cell.get(f"{ODT['table']}number-columns-repeated", "1")), WIDEST)
                wide = min(int(cell.get(f"{ODT['table']}number-columns-spanned", "1")), WIDEST)
                high = int(cell.get(f"{ODT['table']}number-rows-spanned", "1"))
                cells.append((column, wide, high, "\n".join(_odt_text(p) for p in cell)))
                column += many
            grid.row(cells)
    elif element.tag in (f"{ODT['text']}p", f"{ODT['text']}h"):
        grid.text(_odt_text(element))
    else:
        for inner in element:
            _odt_block(grid, inner)


def _odt_text(element: Any) -> str:
    """The text of a paragraph; tabs, breaks and runs of blanks are elements."""
    out = [element.text or ""]
    for inner in element:
        name = inner.tag.rpartition("}")[2]
        if name == "tab":
            out.append("\t")
        elif name == "line-break":
            out.append("\n")
        elif name == "s":
            out.append(" " * min(int(inner.get(f"{ODT['text']}c", "1")), WIDEST))
        elif name not in ("annotation", "note"):
            out.append(_odt_text(inner))
        out.append(inner.tail or "")
    return "".join(out)


def _html(path: str, encoding: str) -> Iterator[dict[str, Any]]:
    from lxml import html

    parser = html.HTMLParser(encoding=encoding or None, no_network=True, huge_tree=False, remove_comments=True)
    root = html.parse(path, parser).getroot()
    if root is None:
        raise _Refused("empty-file", "holds nothing")
    now, older = _Grid(), _Grid()
    body = root.find("body")
    _html_block(now, older, body if body is not None else root)
    for grid, name, is_older in ((now, "", False), (older, "older", True)):
        if grid.rows:
            yield grid.sheet(name, older=is_older)


def _html_block(grid: _Grid, older: _Grid, element: Any) -> None:
    """Texts and tables in their order; what is quoted goes to `older`, with all that follows an answer's head."""
    pieces = [element.text or ""]

    def flush() -> None:
        text = re.sub(r"[ \t\r\n]+", " ", "".join(pieces)) if element.tag != "pre" else "".join(pieces)
        grid.text(text.replace("\x00", "\n"))
        pieces.clear()

    for inner in element:
        tag = inner.tag if isinstance(inner.tag, str) else ""
        if _is_older(inner) and grid is not older:
            flush()
            _html_block(older, older, inner)
            if inner.get("id"):
                grid = older
        elif tag in UNSEEN or _is_unseen(inner):
            pass
        elif tag == "table":
            flush()
            _html_table(grid, older, inner)
        elif tag == "br":
            pieces.append("\x00")
        elif tag in BLOCKS or inner.find(".//table") is not None:
            flush()
            _html_block(grid, older, inner)
        else:
            pieces.append(_inline(inner))
        pieces.append(inner.tail or "")
    flush()


def _is_older(element: Any) -> bool:
    named = f"{element.get('class') or ''} {element.get('id') or ''}"
    cited = element.tag == "blockquote" and (element.get("type") == "cite" or element.get("cite"))
    return bool(cited or OLDER.search(named))


def _is_unseen(element: Any) -> bool:
    style = (element.get("style") or "").replace(" ", "").lower()
    return "display:none" in style or element.get("hidden") is not None


def _inline(element: Any) -> str:
    out = [element.text or ""]
    for inner in element:
        tag = inner.tag if isinstance(inner.tag, str) else ""
        if tag == "br":
            out.append("\x00")
        elif tag not in UNSEEN and tag and not _is_unseen(inner):
            out.append(("\x00" if tag in BLOCKS else "") + _inline(inner))
        out.append(inner.tail or "")
    return "".join(out)


def _html_table(grid: _Grid, older: _Grid, table: Any) -> None:
    """A table of values row by row; one that only places other tables is walked through."""
    taken: dict[int, int] = {}
    for row in table.iter("tr"):
        if next(row.iterancestors("table")) is not table or _is_unseen(row):
            continue
        if row.find(".//table") is not None:
            for cell in row:
                _html_block(grid, older, cell)
            continue
        cells, column = [], 1
        for cell in row:
            if cell.tag not in ("td", "th"):
                continue
            while taken.get(column, 0) > 0:
                column += 1
            wide = min(max(1, _count(cell.get("colspan"))), WIDEST)
            if column + wide > MOST_COLUMNS:
                raise _Refused("huge-sheet", f"spans more than {MOST_COLUMNS} columns")
            high = max(1, _count(cell.get("rowspan")))
            text = re.sub(r"[ \t\r\n]+", " ", _inline(cell)).replace("\x00", "\n")
            cells.append((column, wide, min(high, 5_000), "\n".join(x.strip() for x in text.splitlines() if x.strip())))
            for place in range(column, column + wide):
                taken[place] = high if high > 1 else 0
            column += wide
        taken = {place: left - 1 for place, left in taken.items() if left > 1}
        grid.row(cells)


def _count(text: str | None) -> int:
    return int(text) if text and text.strip().isdigit() and len(text) < 6 else 1


def _msg(path: str) -> Iterator[dict[str, Any]]:
    from oxmsg import Message

    message = Message.load(path)
    files = []
    for attachment in list(message.attachments)[:MOST_FILES]:
        data = attachment.file_bytes
        if data is not None:
            files.append({"name": attachment.file_name or "", "data": base64.b64encode(data).decode()})
    yield {
        "html": message.html_body or "",
        "text": message.body or "",
        "subject": message.subject or "",
        "files": files,
    }


def _fail(code: str, text: str) -> int:
    sys.stderr.write(f"{code} {text}\n".replace(os.linesep, " ").strip() + "\n")
    return 3


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), *sys.argv[3:]))
