"""The table of docs/quote.md: solver, value in the file and LibreOffice's forced recalculation, per currency and tax.

python benchmarks/quote/run.py [--check]
"""

from __future__ import annotations

import sys
import tempfile
from decimal import Decimal
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT))

from optimizer.procurement.quotation.workbook import workbook  # noqa: E402
from optimizer.text.languages import Words  # noqa: E402
from tests.support.office import OFFICE, named, opened, recalculated  # noqa: E402
from tests.support.quotes import job  # noqa: E402

DOCS = ROOT / "docs" / "quote.md"
START, END = "<!-- table -->", "<!-- end of table -->"
CURRENCIES, TAXES = ("USD", "EUR", "CNY", "JPY"), ("0", "13", "19")


def table() -> str:
    """The table as Markdown; raises SystemExit where LibreOffice is missing or a cent differs."""
    if OFFICE is None:
        raise SystemExit("LibreOffice (soffice) is needed")
    main = job()
    quotes = {f"{c}-{t}": main.quote(currency=c, tax=t) for c in CURRENCIES for t in TAXES}
    books = {name: workbook(q, Words("en")) for name, q in quotes.items()}
    with tempfile.TemporaryDirectory() as folder:
        again = recalculated(Path(folder), books)
    lines = ["| currency | tax | solver | in the file | recalculated |", "|---|---:|---:|---:|---:|"]
    for name, q in quotes.items():
        solver = q.amount(round(Decimal(q.chosen.cost.total) * 10**q.digits))
        seen = [
            solver,
            *(round(Decimal(repr(float(named(opened(b[name]), "total")))), q.digits) for b in (books, again)),
        ]
        if len(set(seen)) > 1:
            raise SystemExit(f"{name}: {seen}")
        currency, tax = name.split("-")
        lines.append(f"| {currency} | {tax} % | {' | '.join(f'{x:,}' for x in seen)} |")
    return "\n".join(lines)


def main() -> None:
    text = DOCS.read_text(encoding="utf-8")
    before, rest = text.split(START)
    after = rest.split(END)[1]
    made = f"{before}{START}\n{table()}\n{END}{after}"
    if "--check" in sys.argv:
        raise SystemExit("docs/quote.md is stale: run benchmarks/quote/run.py" if made != text else 0)
    DOCS.write_text(made, encoding="utf-8")


if __name__ == "__main__":
    main()
