"""A company's own workbook filled by its defined names. Only the cells that our names stand for are written.

A name stands for one cell or, of a column of lines (`line_*`), for a range that takes a line per row.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

from catalogs.errors import Fault, InputError
from optimizer.i18n import Words
from optimizer.procurement.content import excluded, included
from optimizer.procurement.labels import category, gpus, interval, plan, unit, word
from optimizer.procurement.quote import Quote
from optimizer.procurement.workbook.bill import notes
from optimizer.procurement.workbook.book import RISKY

MACROS = (".xlsm", ".xltm", ".xls", ".xlsb")
DERIVED = ("xl/calcChain.xml", "xl/sharedStrings.xml", "docProps/app.xml")
"""Parts of a file that are made anew at each save."""


def fields(q: Quote, _: Words) -> dict[str, Any]:
    """Name -> value of one cell."""
    m, p, t = q.sums, q.party, q.chosen.throughput
    return {
        "quote_title": _(q.title),
        "quote_number": p.number,
        "customer": p.customer,
        "quote_date": p.day,
        "valid_until": p.valid_until,
        "valid_days": p.valid_days,
        "currency": q.currency,
        "model": q.result.model.name,
        "point": q.chosen.id,
        "gpus": gpus(q.chosen),
        "plan": plan(q.chosen),
        "throughput": t.output_tok_s,
        "throughput_unit": unit(_, t.unit),
        "throughput_interval": interval(q.chosen),
        "users": t.concurrency,
        "power_kw": q.chosen.power.total_w / 1000,
        "rack_units": q.chosen.rack_units,
        "total_goods": q.amount(m.goods),
        "total_spares": q.amount(m.spares),
        "total_discount": q.amount(-m.discount),
        "total_support": q.amount(m.support),
        "total_net": q.amount(m.net),
        "total_tax": q.amount(m.tax),
        "total": q.amount(m.total),
        "tax_rate": q.rates.tax / 100,
        "discount_rate": q.rates.discount / 100,
        "included": "\n".join(included(_, q)),
        "not_included": "\n".join(excluded(_, q)),
        "catalog_sha256": q.result.catalog.sha256,
        "proof": q.result.proof.status,
    }


def columns(q: Quote, _: Words) -> dict[str, list[Any]]:
    """Name -> value per line of the bill of materials."""
    out: dict[str, list[Any]] = {}
    for i, x in enumerate(q.lines):
        o, tax = x.offer, q.sums.taxes[i]
        row: dict[str, Any] = {
            "line_no": i + 1,
            "line_category": category(_, x.category),
            "line_part": x.part,
            "line_name": x.name,
            "line_vendor": x.vendor,
            "line_condition": word(_, o.condition if o else None),
            "line_qty": x.qty,
            "line_spares": x.spare,
            "line_pieces": x.pieces,
            "line_unit": q.amount(x.unit),
            "line_net": q.amount(x.total),
            "line_tax": q.amount(tax),
            "line_gross": q.amount(x.total + tax),
            "line_price_date": o.date if o else None,
            "line_confidence": word(_, o.confidence if o else None),
            "line_lead_days": o.lead_time_days if o else None,
            "line_seller": o.seller if o else "",
            "line_source": o.source if o else "",
            "line_note": "; ".join(_.sentence(n) for n in notes(x)),
        }
        for k, v in row.items():
            out.setdefault(k, []).append(v)
    return out


def filled(path: Path, q: Quote, _: Words) -> tuple[bytes, list[str]]:
    """The template with values at its names, and what a reader should know: names that are missing, and parts of the
    file that could not be kept.

    Raises InputError for a file that is no workbook, and for a range too short for the lines."""
    import openpyxl
    from openpyxl.utils.exceptions import InvalidFileException

    if path.suffix.lower() in MACROS:
        remedy = "Save it as .xlsx, without macros."
        raise InputError(Fault("bad-template", "is no .xlsx workbook", str(path), remedy=remedy))
    try:
        raw = path.read_bytes()
        book = openpyxl.load_workbook(io.BytesIO(raw))
    except OSError as e:
        raise InputError(Fault("no-file", f"cannot read: {e.strerror}", str(path))) from None
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, TypeError) as e:
        raise InputError(Fault("bad-template", f"is no .xlsx workbook: {e}", str(path))) from None
    places = _places(book, path)
    one, many = fields(q, _), columns(q, _)
    for name, value in one.items():
        for sheet, cell in places.get(name, []):
            _write(book[sheet][cell.split(":")[0]], value)
    for name, values in many.items():
        for sheet, cell in places.get(name, []):
            _column(book[sheet], cell, values, name, path)
    told = [f"note: the template has no name {x}" for x in (*one, *many) if x not in places]
    if not places.keys() & {*one, *many}:
        remedy = f"Define names such as {', '.join([*one][:5])} (Formulas, Name Manager)."
        raise InputError(Fault("bad-template", "has none of the names that a quote fills", str(path), remedy=remedy))
    book.calculation.fullCalcOnLoad = True
    out = io.BytesIO()
    book.save(out)
    lost = sorted(_parts(raw) - _parts(out.getvalue()))
    if lost:
        told.append(f"warning: parts of the template that could not be kept: {', '.join(lost)}")
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
    room = bottom - top + 1
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
    cell.value = value
    if isinstance(value, str) and value.startswith(RISKY):
        cell.data_type = "s"
        cell.quotePrefix = True


def _parts(data: bytes) -> set[str]:
    """What a file holds, by kind and number, less what each save makes anew."""
    with zipfile.ZipFile(io.BytesIO(data)) as z:
        return {n for n in z.namelist() if n not in DERIVED and not n.endswith((".rels", "/"))}
