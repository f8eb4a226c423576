"""A quote as CSV, JSON, CycloneDX or PDF."""

from __future__ import annotations

import contextlib
import csv
import io
import os
import shutil
import signal
import subprocess
import tempfile
import uuid
from pathlib import Path
from typing import Any

from catalogs.errors import InputError
from catalogs.files import written_json
from catalogs.visible import safe_cell
from optimizer.procurement.labels import category, word
from optimizer.procurement.quotation.content import DEVIATIONS, conditions, excluded, included, requirements
from optimizer.procurement.quotation.quote import Line, Quote
from optimizer.procurement.quotation.workbook.bill import notes
from optimizer.text.languages import Words
from optimizer.text.minor_units import money

PDF_SECONDS = 120
NAMESPACE = uuid.UUID("6f2d8f9e-6a55-4a39-8d0f-2f3f6f0c7a11")
"""Of serial numbers: the same quote gives the same one."""
COLUMNS = [
    "no", "part", "category", "name", "vendor", "condition", "qty", "spares", "pieces", "unit_net", "line_net", "tax",
    "line_gross", "currency", "offer_id", "offer_price", "offer_currency", "offer_tax_rate", "price_date", "confidence",
    "stale", "lead_time_days", "seller", "source", "link", "note",
]  # fmt: skip


def _row(q: Quote, i: int, x: Line) -> dict[str, Any]:
    o, tax = x.offer, q.sums.taxes[i]
    return {
        "no": i + 1,
        "part": x.part,
        "category": x.category,
        "name": x.name,
        "vendor": x.vendor,
        "condition": o.condition if o else None,
        "qty": x.qty,
        "spares": x.spare,
        "pieces": x.pieces,
        "unit_net": money(x.unit, q.currency),
        "line_net": money(x.total, q.currency),
        "tax": money(tax, q.currency),
        "line_gross": money(x.total + tax, q.currency),
        "currency": q.currency,
        "offer_id": o.id if o else None,
        "offer_price": None if x.price is None else str(x.price),
        "offer_currency": o.currency if o else None,
        "offer_tax_rate": str(o.tax_rate) if o else None,
        "price_date": o.date.isoformat() if o else None,
        "confidence": o.confidence if o else None,
        "stale": x.stale,
        "lead_time_days": o.lead_time_days if o else None,
        "seller": o.seller if o else None,
        "source": o.source if o else None,
        "link": o.link if o else None,
        "note": "; ".join(notes(x)),
    }


def data(q: Quote, words: Words) -> dict[str, Any]:
    """The quote as JSON-ready data; money in decimal strings."""
    m, p = q.sums, q.party
    return {
        "schema_version": "1",
        "kind": "quotation" if p.confirmed else "budgetary_estimate",
        "title": words(q.title),
        "number": p.number,
        "customer": p.customer,
        "date": p.day.isoformat(),
        "valid_until": p.valid_until.isoformat(),
        "currency": q.currency,
        "model": {"id": q.result.model.id, "name": q.result.model.name},
        "point": q.chosen.id,
        "totals": {
            "goods": money(m.goods, q.currency),
            "spares": money(m.spares, q.currency),
            "discount": money(m.discount, q.currency),
            "support": money(m.support, q.currency),
            "net": money(m.net, q.currency),
            "tax": money(m.tax, q.currency),
            "total": money(m.total, q.currency),
        },
        "rates": {
            "fx": [x.model_dump(mode="json") for x in q.rates.fx.values()],
            "discount_percent": str(q.rates.discount),
            "support_percent": str(q.rates.support),
            "support_percent_by_category": {k: str(v) for k, v in q.rates.support_by.items()},
            "spares": {k: {"pieces": top, "per": per} for k, (top, per) in q.rates.spares.items()},
            "tax_percent": str(q.rates.tax),
        },
        "throughput": q.chosen.throughput.model_dump(mode="json"),
        "plan": q.chosen.plan.model_dump(mode="json"),
        "power": q.chosen.power.model_dump(mode="json"),
        "rack_units": q.chosen.rack_units,
        "lines": [_row(q, i, x) for i, x in enumerate(q.lines)],
        "included": included(words, q),
        "not_included": excluded(words, q),
        "checks": [check.model_dump(mode="json") for check in q.chosen.checks],
        "deviations": [
            {
                "item": x.title,
                "requirement": f"≤ {money(q.budget, q.currency)}" if x.cents and q.budget is not None else x.required,
                "offered": money(m.total, q.currency) if x.cents else x.offered,
                "deviation": words(DEVIATIONS[x.deviation]),
                "remark": x.remark,
            }
            for x in requirements(words, q)
        ],
        "terms": [{"heading": h, "text": t, "open": o} for h, t, o in conditions(words, q)],
        "alternatives": [
            {"point": x.id, "names": q.names.get(x.id, []), "total": money(q.sums_of(i).total, q.currency)}
            for i, x in enumerate(q.front)
        ],
        "provenance": {
            "catalog_sha256": q.result.catalog.sha256,
            "throughput_model_sha256": q.result.throughput_model.sha256,
            "as_of": q.result.request.as_of.isoformat(),
            "proof": q.result.proof.status,
            "complete": q.result.proof.complete,
            "scope": q.result.proof.scope,
        },
    }


def as_json(q: Quote, words: Words) -> bytes:
    return (written_json(data(q, words)) + "\n").encode()


def as_csv(q: Quote, words: Words) -> bytes:
    """A row per line, then the sums; UTF-8 with a byte order mark, which Excel needs for Chinese."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, COLUMNS)
    writer.writeheader()
    for i, x in enumerate(q.lines):
        row = {**_row(q, i, x), "category": category(words, x.category)}
        row |= {k: word(words, row[k]) for k in ("condition", "confidence")}
        row["note"] = "; ".join(words.sentence(n).replace("\n", " / ") for n in notes(x))
        writer.writerow({k: _plain(v) for k, v in row.items()})
    m = q.sums
    taxes = (sum(m.taxes[:-2]), m.taxes[-2], m.taxes[-1], m.tax)
    named = (("Goods with spares", m.goods), ("Discount", -m.discount), ("Support", m.support), ("Total", m.net))
    for (label, net), tax in zip(named, taxes, strict=True):
        amounts = {"line_net": net, "tax": tax, "line_gross": net + tax}
        said = {k: money(v, q.currency) for k, v in amounts.items()}
        writer.writerow({"name": words(label), "currency": q.currency, **said})
    return out.getvalue().encode("utf-8-sig")


def _plain(value: Any) -> Any:
    """A text that a spreadsheet takes for a text."""
    return safe_cell(value) if isinstance(value, str) else value


def as_cyclonedx(q: Quote, words: Words) -> bytes:
    """A hardware bill of materials of CycloneDX 1.6: components of type device, with the taxonomy's
    `cdx:device:quantity` and dsopt's own properties (https://cyclonedx.org/docs/1.6/json/)."""
    components = []
    for i, x in enumerate(q.lines):
        row = _row(q, i, x)
        own = {k: row[k] for k in ("category", "condition", "unit_net", "currency", "offer_id", "price_date", "seller")}
        own |= {"confidence": row["confidence"], "spares": row["spares"], "origin": x.origin}
        component: dict[str, Any] = {
            "type": "device",
            "bom-ref": f"{i + 1}-{x.part}",
            "name": x.name,
            "properties": [
                {"name": "cdx:device:quantity", "value": str(x.pieces)},
                {"name": "dsopt:part", "value": x.part},
                *({"name": f"dsopt:{k}", "value": str(v)} for k, v in own.items() if v is not None),
            ],
        }
        if x.vendor:
            component["manufacturer"] = {"name": x.vendor}
        components.append(component)
    refs = [str(c["bom-ref"]) for c in components]
    day = q.party.day.isoformat()
    document = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(NAMESPACE, repr((q.party, q.chosen, q.request)))}",
        "version": 1,
        "metadata": {
            "timestamp": f"{day}T00:00:00Z",
            "tools": {"components": [{"type": "application", "name": "dsopt"}]},
            "component": {
                "type": "device",
                "bom-ref": "build",
                "name": f"{q.result.model.name}: {q.chosen.nodes[0].count} x {q.chosen.gpus.name}",
                "version": q.party.number,
            },
        },
        "components": components,
        "dependencies": [{"ref": "build", "dependsOn": refs}],
    }
    return (written_json(document) + "\n").encode()


def as_pdf(book: bytes) -> bytes:
    """The workbook printed by LibreOffice; raises InputError where it is not there or fails."""
    office = shutil.which("soffice") or shutil.which("libreoffice")
    if office is None:
        remedy = "Install LibreOffice Calc, or write xlsx and print it."
        raise InputError("a PDF needs LibreOffice (soffice), which is not on the path", "no-libreoffice", remedy)
    with tempfile.TemporaryDirectory(prefix="dsopt-") as folder:
        source = Path(folder, "quote.xlsx")
        source.write_bytes(book)
        convert(office, "pdf", [source], Path(folder))
        made = source.with_suffix(".pdf")
        if not made.exists():
            raise InputError("LibreOffice wrote no PDF", "no-pdf", "Write xlsx and print it.")
        return made.read_bytes()


def convert(office: str, kind: str, files: list[Path], folder: Path) -> None:
    """Let LibreOffice convert files into a folder, under a profile of its own; it ends when we do."""
    command = [office, "--headless", "--norestore", f"-env:UserInstallation={Path(folder, 'profile').as_uri()}"]
    command += ["--convert-to", kind, "--outdir", str(folder), *map(str, files)]
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, stdout=quiet, stderr=quiet, start_new_session=True)
    try:
        process.wait(PDF_SECONDS)
    except BaseException as e:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if isinstance(e, subprocess.TimeoutExpired):
            text = f"LibreOffice did not finish within {PDF_SECONDS} s"
            raise InputError(text, "no-pdf", "Write xlsx and print it.") from None
        raise
