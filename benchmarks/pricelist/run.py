"""How long an import of a long price list takes: `python -m benchmarks.pricelist.run [rows]`.

The list is generated: a tenth of its rows are parts of the catalog, the rest what distributors sell besides. Vendors
and prices are invented; the seed is fixed."""

from __future__ import annotations

import random
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

from benchmarks.machine import machine
from catalogs.load import load
from optimizer.library import import_prices

SEED, ROWS = 20, 20_000
OTHERS = (
    "Patch cable Cat6 {} m", "Toner cartridge T{}", 'Laptop 14" i{}', "UPS {} VA", "Rack shelf {}U",
    "KVM switch {}-port", "DDR5-5600 RDIMM {}GB module", "NVMe SSD U.2 {} TB enterprise",
)  # fmt: skip
BRANDS = ("Qnap", "Aten", "Logi", "Digitus", "Eaton", "Brother")


def price_list(path: Path, rows: int) -> None:
    """A workbook of so many rows."""
    import xlsxwriter

    chance, parts = random.Random(SEED), sorted(load().parts.values(), key=lambda part: part.id)
    book = xlsxwriter.Workbook(path)
    sheet = book.add_worksheet("Pricelist")
    sheet.write_row(0, 0, ["Distributor list, prices USD excl. VAT"])
    sheet.write_row(1, 0, ["SKU", "Manufacturer", "Item description", "Dealer Price", "Stock", "MOQ"])
    for row in range(rows):
        part = chance.choice(parts)
        known = chance.random() < 0.1
        text = part.name if known else chance.choice(OTHERS).format(chance.randrange(1, 400))
        brand = part.vendor or "OEM" if known else chance.choice(BRANDS)
        price = chance.randrange(1000, 1_000_000) / 100
        cells = [
            str(1_000_000 + row),
            brand,
            text,
            price,
            chance.choice((0, 1, 5, "on request")),
            chance.choice((1, 5)),
        ]
        sheet.write_row(row + 2, 0, cells)
    book.close()


def main(rows: int = ROWS) -> None:
    """Prints the seconds of one import into an empty folder, and of the same list again."""
    with tempfile.TemporaryDirectory() as name:
        path, folder = Path(name) / "list.xlsx", Path(name) / "mine"
        price_list(path, rows)
        for run in ("first import", "the same again"):
            began = time.perf_counter()
            found = import_prices(path, folder, seller="Example", day=date(2026, 11, 24)).found
            seconds = time.perf_counter() - began
            print(f"{run}: {seconds:.1f} s, {found.rows} rows, {len(found.taken)} offers, {len(found.doubts)} doubts")
    print(f"seed {SEED}; {machine()}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
