"""A company's own workbook filled by its defined names. Only the cells that our names stand for are written.

A name stands for one cell or, of a column of lines (`line_*`), for a range that takes a line per row.
"""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path
from typing import Any

from catalogs.errors import Fault, InputError
from catalogs.inputs import read_bytes
from catalogs.message import joined, message
from catalogs.other_file import WORKBOOK, expecting
from catalogs.visible import RISKY
from optimizer.procurement.labels import category, gpus, interval, plan, sureness, unit, word
from optimizer.procurement.quotation.content import excluded, included
from optimizer.procurement.quotation.described import measure
from optimizer.procurement.quotation.quote import Quote
from optimizer.procurement.quotation.quote_terms import Party
from optimizer.procurement.quotation.workbook.bill import notes
from optimizer.procurement.quotation.workbook.book import shown_text
from optimizer.procurement.reading.opening.guard import MAX_FILE_BYTES, inspect
from optimizer.text.languages import Words
from optimizer.text.spelled import in_formal_words

MACROS = (".xlsm", ".xltm", ".xls", ".xlsb")
MOST_XML_BYTES = 30_000_000
MOST_MERGED = 200_000
MOST_ROWS = 10_000
"""Of the range that takes the lines."""
MERGED = re.compile(rb"<(?:\w+:)?mergeCell\s[^>]*?\bref\s*=\s*[\"']([^\"']{1,40})")
EXCELS_ESCAPE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
"""`_x202E_` in a file's text is a character to Excel; its first letter as an escape leaves the text as it was."""
DERIVED = ("xl/calcChain.xml", "xl/sharedStrings.xml", "docProps/app.xml")
"""Parts of a file that are made anew at each save."""


def fields(quote: Quote, _: Words) -> dict[str, Any]:
    """Name -> value of one cell."""
    sums, party, throughput = quote.sums, quote.party, quote.chosen.throughput
    return {
        "quote_title": _(quote.title),
        "quote_number": party.number,
        "customer": party.buyer.name,
        "quote_date": party.day,
        "valid_until": party.valid_until,
        "valid_days": party.valid_days,
        "currency": quote.currency,
        "model": quote.result.model.name,
        "point": quote.chosen.id,
        "gpus": gpus(quote.chosen),
        "plan": plan(quote.chosen),
        "throughput": throughput.output_tok_s,
        "throughput_unit": unit(_, throughput.unit),
        "throughput_interval": interval(quote.chosen),
        "users": throughput.concurrency,
        "power_kw": quote.chosen.power.total_w / 1000,
        "rack_units": quote.chosen.rack_units,
        "total_goods": quote.amount(sums.goods),
        "total_spares": quote.amount(sums.spares),
        "total_discount": quote.amount(-sums.discount),
        "total_support": quote.amount(sums.support),
        "total_net": quote.amount(sums.net),
        "total_tax": quote.amount(sums.tax),
        "total": quote.amount(sums.total),
        "total_in_words": in_formal_words(quote.amount(sums.total)) if quote.currency == "CNY" else "",
        "tax_rate": quote.rates.tax / 100,
        "discount_rate": quote.rates.discount / 100,
        "included": "\n".join(included(_, quote)),
        "not_included": "\n".join(excluded(_, quote)),
        "catalog_sha256": quote.result.catalog.sha256,
        "proof": quote.result.proof.status,
    } | _parties(party)


def _parties(party: Party) -> dict[str, str]:
    """`seller_bank_account`, `buyer_address`, `project_number`: what the profile states."""
    groups = {"seller": party.profile.seller, "buyer": party.buyer, "project": party.profile.project}
    return {
        f"{group}_{key}": value
        for group, said in groups.items()
        for key, value in said.model_dump(exclude_defaults=True).items()
    }


def columns(quote: Quote, _: Words) -> dict[str, list[Any]]:
    """Name -> value per line of the bill of materials."""
    out: dict[str, list[Any]] = {}
    for i, line in enumerate(quote.lines):
        offer, tax = line.offer, quote.sums.taxes[i]
        row: dict[str, Any] = {
            "line_no": i + 1,
            "line_category": category(_, line.category),
            "line_part": line.part,
            "line_name": line.name,
            "line_description": _.sentence(line.description),
            "line_measure": _.pair(*measure(line.category)),
            "line_warranty_months": line.warranty_months,
            "line_origin": line.country_of_origin,
            "line_vendor": line.vendor,
            "line_condition": word(_, offer.condition if offer else None),
            "line_qty": line.qty,
            "line_spares": line.spare,
            "line_pieces": line.pieces,
            "line_unit": quote.amount(line.unit),
            "line_net": quote.amount(line.total),
            "line_tax": quote.amount(tax),
            "line_gross": quote.amount(line.total + tax),
            "line_price_date": line.day,
            "line_confidence": sureness(_, offer),
            "line_lead_days": offer.lead_time_days if offer else None,
            "line_seller": offer.seller if offer else "",
            "line_source": offer.source if offer else "",
            "line_note": _.between("; ").join(_.sentence(note) for note in notes(line)),
        }
        for k, v in row.items():
            out.setdefault(k, []).append(v)
    return out


def filled(path: Path, quote: Quote, _: Words) -> tuple[bytes, list[str]]:
    """The template with values at its names, and what a reader should know: names that are missing, and parts of the
    file that could not be kept.

    Raises InputError for a file that is no workbook, and for a range too short for the lines."""
    if path.suffix.lower() in MACROS:
        remedy = "Save it as .xlsx, without macros."
        raise InputError(Fault("bad-template", "is no .xlsx workbook", str(path), remedy=remedy))
    with expecting(path, WORKBOOK, column="--template"):
        raw = _inspected(path)
        try:
            return _filled(path, raw, quote, _)
        except InputError:
            raise
        except Exception as e:  # openpyxl trusts a file: what it stumbles over may be of any kind
            why = str(e).splitlines()[0][:200] if str(e) else type(e).__name__
            raise InputError(Fault("bad-template", f"is no workbook that can be filled: {why}", str(path))) from None


def _inspected(path: Path) -> bytes:
    """The bytes of a template that is safe to open: guarded as a vendor's file is, without macros, and of a size that
    fits into memory with every cell. Raises InputError."""
    found = inspect(path)
    raw = read_bytes(path, MAX_FILE_BYTES, regular=True)
    if found.format != "xlsx":
        text = f"is no .xlsx workbook, it holds {found.format}"
        raise InputError(Fault("bad-template", text, str(path), remedy="Save it as .xlsx, without macros."))
    if any(code == "macros" for code, _ in found.notices):
        remedy = "Save it as .xlsx, without macros."
        raise InputError(Fault("bad-template", "holds macros", str(path), remedy=remedy))
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        parts = [i for i in archive.infolist() if i.filename.endswith((".xml", ".rels", ".vml"))]
        if sum(part.file_size for part in parts) > MOST_XML_BYTES:
            text = f"holds more than {MOST_XML_BYTES // 10**6} MB of cells"
            raise InputError(Fault("huge-sheet", text, str(path), remedy="Leave only the form in it."))
        merged = sum(_area(m) for part in parts for m in MERGED.finditer(archive.read(part)))
    if merged > MOST_MERGED:
        text = f"merges more than {MOST_MERGED:,} cells"
        raise InputError(Fault("huge-sheet", text, str(path), remedy="Unmerge what is not needed."))
    return raw


def _area(found: re.Match[bytes]) -> int:
    """Cells of a merged range `A1:C3`; what is no range is left to the reader."""
    from openpyxl.utils import range_boundaries

    try:
        left, top, right, bottom = range_boundaries(found[1].decode("ascii"))
        return int((abs(right - left) + 1) * (abs(bottom - top) + 1))
    except (ValueError, TypeError):
        return 0


def _filled(path: Path, raw: bytes, quote: Quote, _: Words) -> tuple[bytes, list[str]]:
    import openpyxl

    book = openpyxl.load_workbook(io.BytesIO(raw))
    places = _places(book, path)
    one, many = fields(quote, _), columns(quote, _)
    for name, value in one.items():
        for sheet, cell in places.get(name, []):
            _write(book[sheet][cell.split(":")[0]], value)
    for name, values in many.items():
        for sheet, cell in places.get(name, []):
            _column(book[sheet], cell, values, name, path)
    told: list[str] = [
        message("note: the template has no name {name}", name=x) for x in (*one, *many) if x not in places
    ]
    if not places.keys() & {*one, *many}:
        remedy = f"Define names such as {', '.join([*one][:5])} (Formulas, Name Manager)."
        raise InputError(Fault("bad-template", "has none of the names that a quote fills", str(path), remedy=remedy))
    book.calculation.fullCalcOnLoad = True
    out = io.BytesIO()
    book.save(out)
    lost = sorted(_parts(raw) - _parts(out.getvalue()))
    if lost:
        told.append(message("warning: parts of the template that could not be kept: {parts}", parts=joined(lost)))
    return out.getvalue(), told


def _places(book: Any, path: Path) -> dict[str, list[tuple[str, str]]]:
    """Lower-case name -> (sheet, cell or range) of all defined names, those of single sheets too."""
    out: dict[str, list[tuple[str, str]]] = {}
    own = [n for sheet in book.worksheets for n in sheet.defined_names.values()]
    for name in [*book.defined_names.values(), *own]:
        if name.type != "RANGE":
            continue
        for sheet, cell in name.destinations:
            if sheet not in book.sheetnames:
                text = "stands for a sheet that is not there"
                raise InputError(Fault("bad-template", text, str(path), column="name", value=name.name))
            out.setdefault(name.name.lower(), []).append((sheet, cell.replace("$", "")))
    return out


def _column(sheet: Any, cell: str, values: list[Any], name: str, path: Path) -> None:
    """Values down a range; rows of it beyond the lines are emptied."""
    from openpyxl.utils import range_boundaries

    left, top, _, bottom = range_boundaries(cell)
    room = bottom - top + 1 if top and bottom else MOST_ROWS + 1
    if room > MOST_ROWS:
        text = f"stands for more than {MOST_ROWS:,} rows"
        raise InputError(Fault("bad-template", text, str(path), column="name", value=name))
    if len(values) > room:
        text = f"{name} has room for {room} lines, the quote has {len(values)}"
        raise InputError(Fault("template-full", text, str(path), remedy=f"Make the range {len(values)} rows long."))
    for i in range(room):
        _write(sheet.cell(top + i, left), values[i] if i < len(values) else None)


def _write(cell: Any, value: Any) -> None:
    """A value, never a formula."""
    from openpyxl.cell.cell import MergedCell

    if isinstance(cell, MergedCell):
        return
    cell.value = value = EXCELS_ESCAPE.sub("_x005F_", shown_text(value)) if isinstance(value, str) else value
    if isinstance(value, str) and value.startswith(RISKY):
        cell.data_type = "s"
        cell.quotePrefix = True


def _parts(data: bytes) -> set[str]:
    """What a file holds, by kind and number, less what each save makes anew."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {n for n in archive.namelist() if n not in DERIVED and not n.endswith((".rels", "/"))}
