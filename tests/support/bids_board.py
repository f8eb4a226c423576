"""The scoreboard of reading: every file of a folder against the truth that a person wrote down per line (manifest.csv)
and per sum (totals.csv). `python -m tests.support.bids_board [FOLDER ...]` prints it.

A line is `right` where its part, quantity and prices are those of the truth; `review` where it needs a person's look
and says so (no part, or an error of its own), or where the quote says that it can't be compared; `wrong` where it is
settled and another; `lost` where no line stands for it."""

from __future__ import annotations

import csv
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from catalogs.errors import InputError
from catalogs.load import Catalog, load
from optimizer.procurement.reading.document import Line, Quote
from optimizer.procurement.reading.reader import read

HANDED = Path("tests/data/bids")
IN_REVIEW = "review"
SUMS = ("net", "gross", "sum", "over_term", "monthly", "net_goods")
"""Kinds of totals.csv that are held against the lines of a quote."""
BY_WORDS = ("service", "licence", "none", "-")
"""Truths of lines that are no part of the catalog."""


@dataclass(frozen=True)
class Scored:
    """What became of a file: (row of the truth, what, why) of each line, and of its total."""

    file: str
    lines: tuple[tuple[str, str, str], ...]
    total: str
    refused: str = ""

    @property
    def counts(self) -> Counter[str]:
        return Counter(what for _, what, _ in self.lines)


def rows_of(path: Path) -> dict[str, list[dict[str, str]]]:
    """The rows of a table of truth by file."""
    found: dict[str, list[dict[str, str]]] = defaultdict(list)
    with path.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            found[row["file"]].append(row)
    return found


def scored(path: Path, truth: list[dict[str, str]], sums: list[dict[str, str]], catalog: Catalog) -> Scored:
    """One file against its truth."""
    try:
        quote = read(path, catalog)
    except InputError as e:
        gone = tuple((row["row"], "lost", "") for row in truth)
        return Scored(path.name, gone, "-", e.faults[0].code)
    placed = _placed(truth, quote)
    lines = tuple((row["row"], *_judged(row, placed.get(at), quote)) for at, row in enumerate(truth))
    used = {line.row for line in placed.values()}
    strange = [line for line in quote.lines if line.row not in used and line.role == "part" and not line.optional]
    more = tuple((str(line.row), "wrong", f"not in the truth: {line.text[:40]}") for line in strange
                 if line.amount and line.settled)  # fmt: skip
    return Scored(path.name, (*lines, *more), _total(quote, sums))


def _placed(truth: list[dict[str, str]], quote: Quote) -> dict[int, Line]:
    """The line that stands for each row of the truth: that of its row or the next one of the same money, whichever
    fits more of them (rows of a document are counted in many ways)."""
    by_row = {str(line.row): line for line in quote.lines}
    numbered = {at: by_row[row["row"]] for at, row in enumerate(truth) if row["row"] in by_row}
    used, ordered = set[int](), dict[int, Line]()
    for at, row in enumerate(truth):
        same = next((line for line in quote.lines if line.row not in used and _same_money(row, line)), None)
        if same is not None:
            used.add(same.row)
            ordered[at] = same
    fits = sum(_same_money(truth[at], line) for at, line in numbered.items())
    return numbered if fits * 2 > len(truth) else ordered


def _number(text: str) -> Decimal | None:
    return Decimal(text) if text else None


def _same_money(row: Mapping[str, str], line: Line) -> bool:
    """Whether quantity, unit price and amount are those of the truth, as far as it says them."""
    wanted_qty, price, total = (_number(row[name]) for name in ("qty", "unit_price", "line_total"))
    pieces = line.pieces if line.pieces is not None else line.qty
    periods = line.periods if line.periods else Decimal(1)
    per = line.pack if line.priced_per_pack else 1
    qty_right = wanted_qty is None or pieces == wanted_qty or line.qty == wanted_qty
    each = None if line.unit_price is None else line.unit_price / per
    of_all = None if line.amount is None or not pieces else line.amount / pieces / periods
    cent = Decimal("0.01")
    price_right = price is None or any(x is not None and abs(x - price) < cent for x in (each, of_all))
    amount = line.amount
    total_right = total is None or (amount is not None and abs(amount - total) < cent)
    return qty_right and price_right and total_right


def _judged(row: Mapping[str, str], line: Line | None, quote: Quote) -> tuple[str, str]:
    """(what, why) of a line of the truth."""
    if line is None:
        return ("right", "") if _says_nothing(row) else ("lost", "")
    faults = [issue.code for issue in line.issues if issue.severity == "error"]
    if not _same_money(row, line):
        said = f"{line.qty} x {line.unit_price} = {line.amount}"
        return (IN_REVIEW if faults or quote.time_money else "wrong", f"money: {said}")
    if row["role"] == "option" and not line.optional:
        return "wrong", "an option is counted"
    if row["role"] != "option" and line.optional:
        return "wrong", "taken for an option"
    if row["role"] == "lease" and quote.time_money is None:
        return "wrong", "a lease read as a purchase"
    part = row["part"].partition(" (")[0]
    if part.startswith("?") or "(by spec)" in row["part"]:
        return (IN_REVIEW, "no part") if line.matched.part is None else ("right", f"by {line.matched.how}")
    if part in BY_WORDS:
        told = line.matched.part is None or bool(faults)
        return ("right" if told else "wrong", "" if told else f"matched {line.matched.part}")
    if line.matched.part != part:
        return (IN_REVIEW if line.matched.part is None else "wrong", f"part: {line.matched.part}")
    return (IN_REVIEW, ", ".join(faults)) if faults else ("right", "")


def _says_nothing(row: Mapping[str, str]) -> bool:
    """Whether there is nothing to buy in it: a head, or what was declined."""
    return row["part"] == "-" and not row["unit_price"]


def amounts_of(quote: Quote) -> set[Decimal]:
    """What the quote's lines come to: goods alone, all lines, with what is taken off, as stated and less tax."""
    counted = [line for line in quote.lines if not line.optional]
    if any(line.amount is None and not line.on_request for line in counted):
        return set()
    goods = sum((line.amount or Decimal(0) for line in counted if line.role == "part"), Decimal(0))
    whole = sum((line.amount or Decimal(0) for line in counted), Decimal(0))
    off = sum((abs(total.amount) for total in quote.totals if total.kind == "discount"), Decimal(0))
    return {x.quantize(Decimal("0.01")) for x in (goods, whole, whole - off)}


def _total(quote: Quote, sums: list[dict[str, str]]) -> str:
    wanted = {row["kind"]: Decimal(row["amount"]) for row in sums if row["kind"] in SUMS}
    if not wanted:
        return "-"
    if quote.time_money is not None:
        each, over = quote.time_money.each, quote.time_money.over
        told = wanted.get("monthly") in (None, each) and wanted.get("over_term") in (None, over)
        return "not comparable" if told else "WRONG: of a period"
    found = amounts_of(quote)
    currencies = {row["currency"] for row in sums}
    if not found:
        return "not comparable"
    if quote.currency not in currencies:
        return f"WRONG: in {quote.currency or 'no currency'}"
    if any(abs(x - amount) <= 1 for x in found for amount in wanted.values()):
        return "right"
    if any(issue.severity == "error" for issue in quote.all_issues):
        return "told: " + ", ".join(sorted({i.code for i in quote.all_issues if i.severity == "error"}))
    return f"WRONG: {', '.join(map(str, sorted(found)))}"


def board(folder: Path, catalog: Catalog) -> list[Scored]:
    """All files of a folder that its manifest names."""
    manifest, totals = rows_of(folder / "manifest.csv"), rows_of(folder / "totals.csv")
    return [scored(folder / name, truth, totals[name], catalog) for name, truth in sorted(manifest.items())]


def main(folders: Iterable[str]) -> None:
    catalog = load()
    for folder in folders:
        for x in board(Path(folder), catalog):
            n = x.counts
            print(f"{x.file:40} right {n['right']:3} review {n[IN_REVIEW]:3} wrong {n['wrong']:3} lost {n['lost']:3}"
                  f"  total: {x.total} {x.refused}")  # fmt: skip
            for row, what, why in x.lines:
                if what != "right":
                    print(f"    {row:20} {what:7} {why}")


if __name__ == "__main__":
    main(sys.argv[1:] or [str(HANDED)])
