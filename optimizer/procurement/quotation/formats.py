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
from catalogs.offers import state_of
from catalogs.visible import safe_cell
from optimizer.procurement.labels import category, word
from optimizer.procurement.quotation.content import DEVIATIONS, conditions, excluded, included, requirements
from optimizer.procurement.quotation.described import measure
from optimizer.procurement.quotation.quote import Line, Quote
from optimizer.procurement.quotation.workbook.bill import notes
from optimizer.text.languages import Words
from optimizer.text.minor_units import money
from optimizer.text.spelled import in_formal_words

PDF_SECONDS = 120
NAMESPACE = uuid.UUID("6f2d8f9e-6a55-4a39-8d0f-2f3f6f0c7a11")
"""Of serial numbers: the same quote gives the same one."""
COLUMNS = [
    "no", "part", "category", "name", "description", "vendor", "condition", "qty", "spares", "pieces",
    "unit_of_measure", "unit_net", "line_net", "tax",
    "line_gross", "currency", "offer_id", "offer_price", "offer_currency", "offer_tax_rate", "price_date", "confidence",
    "price_state", "stale", "lead_time_days", "warranty_months",
    "country_of_origin", "seller", "source", "link", "note",
]  # fmt: skip


def _row(quote: Quote, i: int, line: Line) -> dict[str, Any]:
    offer, tax = line.offer, quote.sums.taxes[i]
    return {
        "no": i + 1,
        "part": line.part,
        "category": line.category,
        "name": line.name,
        "description": line.description,
        "vendor": line.vendor,
        "condition": offer.condition if offer else None,
        "qty": line.qty,
        "spares": line.spare,
        "pieces": line.pieces,
        "unit_of_measure": measure(line.category)[0],
        "unit_net": money(line.unit, quote.currency),
        "line_net": money(line.total, quote.currency),
        "tax": money(tax, quote.currency),
        "line_gross": money(line.total + tax, quote.currency),
        "currency": quote.currency,
        "offer_id": offer.id if offer else None,
        "offer_price": None if line.price is None else str(line.price),
        "offer_currency": offer.currency if offer else None,
        "offer_tax_rate": str(offer.tax_rate) if offer else None,
        "price_date": offer.date.isoformat() if offer and state_of(offer) != "estimate" else None,
        "confidence": offer.confidence if offer else None,
        "price_state": state_of(offer) if offer else None,
        "stale": line.stale,
        "lead_time_days": offer.lead_time_days if offer else None,
        "warranty_months": line.warranty_months,
        "country_of_origin": line.country_of_origin or None,
        "seller": offer.seller if offer else None,
        "source": offer.source if offer else None,
        "link": offer.link if offer else None,
        "note": "; ".join(notes(line)),
    }


def data(quote: Quote, words: Words) -> dict[str, Any]:
    """The quote as JSON-ready data; money in decimal strings."""
    sums, party = quote.sums, quote.party
    return {
        "schema_version": "1",
        "kind": "quotation" if party.confirmed else "budgetary_estimate",
        "title": words(quote.title),
        "number": party.number,
        "customer": party.buyer.name,
        "seller": party.profile.seller.model_dump(exclude_defaults=True),
        "buyer": party.buyer.model_dump(exclude_defaults=True),
        "project": party.profile.project.model_dump(exclude_defaults=True),
        "date": party.day.isoformat(),
        "valid_until": party.valid_until.isoformat(),
        "currency": quote.currency,
        "model": {"id": quote.result.model.id, "name": quote.result.model.name},
        "point": quote.chosen.id,
        "totals": {
            "goods": money(sums.goods, quote.currency),
            "spares": money(sums.spares, quote.currency),
            "discount": money(sums.discount, quote.currency),
            "support": money(sums.support, quote.currency),
            "net": money(sums.net, quote.currency),
            "tax": money(sums.tax, quote.currency),
            "total": money(sums.total, quote.currency),
        },
        "total_in_words": in_formal_words(quote.amount(sums.total)) if quote.currency == "CNY" else None,
        "rates": {
            "fx": [x.model_dump(mode="json") for x in quote.rates.fx.values()],
            "discount_percent": str(quote.rates.discount),
            "support_percent": str(quote.rates.support),
            "support_percent_by_category": {k: str(v) for k, v in quote.rates.support_by.items()},
            "spares": {k: {"pieces": top, "per": per} for k, (top, per) in quote.rates.spares.items()},
            "tax_percent": str(quote.rates.tax),
        },
        "throughput": quote.chosen.throughput.model_dump(mode="json"),
        "plan": quote.chosen.plan.model_dump(mode="json"),
        "power": quote.chosen.power.model_dump(mode="json"),
        "rack_units": quote.chosen.rack_units,
        "lines": [_row(quote, i, line) for i, line in enumerate(quote.lines)],
        "included": included(words, quote),
        "not_included": excluded(words, quote),
        "checks": [check.model_dump(mode="json") for check in quote.chosen.checks],
        "deviations": [
            {
                "item": x.title,
                "requirement": f"≤ {money(quote.budget, quote.currency)}"
                if x.cents and quote.budget is not None
                else x.required,
                "offered": money(sums.total, quote.currency) if x.cents else x.offered,
                "deviation": words(DEVIATIONS[x.deviation]),
                "remark": x.remark,
            }
            for x in requirements(words, quote)
        ],
        "terms": [{"heading": h, "text": t, "open": o} for h, t, o in conditions(words, quote)],
        "alternatives": [
            {
                "point": point.id,
                "names": quote.names.get(point.id, []),
                "total": money(quote.sums_of(i).total, quote.currency),
            }
            for i, point in enumerate(quote.front)
        ],
        "provenance": {
            "catalog_sha256": quote.result.catalog.sha256,
            "throughput_model_sha256": quote.result.throughput_model.sha256,
            "as_of": quote.result.request.as_of.isoformat(),
            "proof": quote.result.proof.status,
            "complete": quote.result.proof.complete,
            "scope": quote.result.proof.scope,
        },
    }


def as_json(quote: Quote, words: Words) -> bytes:
    return (written_json(data(quote, words)) + "\n").encode()


def as_csv(quote: Quote, words: Words) -> bytes:
    """A row per line, then the sums; UTF-8 with a byte order mark, which Excel needs for Chinese."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, COLUMNS)
    writer.writeheader()
    for i, line in enumerate(quote.lines):
        row = {**_row(quote, i, line), "category": category(words, line.category)}
        row["description"] = words.sentence(line.description).replace("\n", " / ")
        row["unit_of_measure"] = words.pair(*measure(line.category)).replace("\n", " / ")
        row |= {k: word(words, row[k]) for k in ("condition", "confidence")}
        row["note"] = words.between("; ").join(words.sentence(note).replace("\n", " / ") for note in notes(line))
        writer.writerow({k: _plain(v) for k, v in row.items()})
    sums = quote.sums
    taxes = (sum(sums.taxes[:-2]), sums.taxes[-2], sums.taxes[-1], sums.tax)
    named = (
        ("Goods with spares", sums.goods),
        ("Discount", -sums.discount),
        ("Support", sums.support),
        ("Total", sums.net),
    )
    for (label, net), tax in zip(named, taxes, strict=True):
        amounts = {"line_net": net, "tax": tax, "line_gross": net + tax}
        said = {k: money(v, quote.currency) for k, v in amounts.items()}
        writer.writerow({"name": words(label), "currency": quote.currency, **said})
    return out.getvalue().encode("utf-8-sig")


def _plain(value: Any) -> Any:
    """A text that a spreadsheet takes for a text."""
    return safe_cell(value) if isinstance(value, str) else value


def as_cyclonedx(quote: Quote, words: Words) -> bytes:
    """A hardware bill of materials of CycloneDX 1.6: components of type device, with the taxonomy's
    `cdx:device:quantity` and dsopt's own properties (https://cyclonedx.org/docs/1.6/json/)."""
    components = []
    for i, line in enumerate(quote.lines):
        row = _row(quote, i, line)
        own = {k: row[k] for k in ("category", "condition", "unit_net", "currency", "offer_id", "price_date", "seller")}
        own |= {"confidence": row["confidence"], "spares": row["spares"], "origin": line.origin}
        component: dict[str, Any] = {
            "type": "device",
            "bom-ref": f"{i + 1}-{line.part}",
            "name": line.name,
            "properties": [
                {"name": "cdx:device:quantity", "value": str(line.pieces)},
                {"name": "dsopt:part", "value": line.part},
                *({"name": f"dsopt:{k}", "value": str(v)} for k, v in own.items() if v is not None),
            ],
        }
        if line.vendor:
            component["manufacturer"] = {"name": line.vendor}
        components.append(component)
    refs = [str(c["bom-ref"]) for c in components]
    day = quote.party.day.isoformat()
    document = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(NAMESPACE, repr((quote.party, quote.chosen, quote.request)))}",
        "version": 1,
        "metadata": {
            "timestamp": f"{day}T00:00:00Z",
            "tools": {"components": [{"type": "application", "name": "dsopt"}]},
            "component": {
                "type": "device",
                "bom-ref": "build",
                "name": f"{quote.result.model.name}: {quote.chosen.nodes[0].count} x {quote.chosen.gpus.name}",
                "version": quote.party.number,
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
