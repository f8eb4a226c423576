"""An X-ray on a terminal."""

from __future__ import annotations

from optimizer.cli.front_view import checks
from optimizer.cli.output import table
from optimizer.cli.why_not_view import show_mended
from optimizer.procurement.xray.schema import Beside, XLine, XRay
from optimizer.procurement.xray.summary import amount, finding, mark


def show(x: XRay) -> None:
    """Summary first, then lines, findings, build with rules, what is missing, what else the money buys, the mend."""
    head = ", ".join(str(t) for t in (x.vendor, x.quote_no, x.quote_date) if t)
    until = f", valid until {x.valid_until}" if x.valid_until else ""
    print(f"X-ray of {x.source}{f': {head}' if head else ''}{until}")
    for s in x.summary:
        print(f"- {s}")
    print(f"\n{x.basis.text}")
    _lines(x)
    small = [f for f in x.findings if f.severity != "error"]
    for f in small:
        print(f"{f.severity}: {finding(f)}")
    for n in x.notices:
        print(f"note: {n}")
    print(f"\n{x.scope}")
    if x.checks:
        checks(c.model_dump() for c in x.checks)
    if x.missing:
        table(
            ["missing", "pieces", "why", f"about, {x.basis.currency}"],
            [
                [
                    m.what + (" (reminder)" if m.reminder else ""),
                    str(m.qty or ""),
                    m.text,
                    amount(m.cost) if m.cost else "",
                ]
                for m in x.missing
            ],
            {1, 3},
        )
    for facts, what in ((x.memory, "Memory"), (x.supplies, "Supplies")):
        if facts is not None:
            print(f"{what}: {facts.text}.")
    _instead(x)
    if x.mended is not None:
        print(f"\nThe nearest build that passes, {x.mended_among}. Quoted parts at the quote's prices:")
        show_mended(x.mended)


def _lines(x: XRay) -> None:
    unit = x.basis.currency
    table(
        ["row", "line", "matched", "pieces", "quoted", f"net, {unit}", "catalog", "apart", "", "catalog price of"],
        [_line(line) for line in x.lines],
        {0, 3, 4, 5, 6, 7},
    )
    t = x.totals
    said = [f"{s.label or s.kind} {amount(s.amount)} (row {s.row})" for s in t.stated]
    if said:
        print(f"The quote states: {'; '.join(said)}.")
    if t.net is not None:
        open_ = f", of it {amount(t.of_it_not_placed)} no part of the build" if t.of_it_not_placed else ""
        print(
            f"Counted net: hardware {amount(t.hardware)} {unit}{open_}; services {amount(t.services or '0')}; together "
            f"{amount(t.net)}."
        )


def _line(x: XLine) -> list[str]:
    how = x.how if x.how != "fuzzy" else f"fuzzy {x.score}"
    apart = "" if x.difference_percent is None else f"{x.difference_percent:+.1f} %"
    marked = mark(x).upper() if x.mark in ("above", "below", "not-placed") else mark(x)
    with_ = f" (with {len(x.carries)} more)" if x.carries else ""
    stated = (x.stated_price or "").split(", ")[0]
    return [
        str(x.row), x.name or x.text[:50], how if x.role == "part" else "", str(x.pieces or ""), stated,
        amount(x.unit) if x.unit else "", f"{amount(x.catalog_unit)}{with_}" if x.catalog_unit else "", apart, marked,
        _source(x.catalog_price) if x.catalog_unit else "",
    ]  # fmt: skip


def _source(text: str) -> str:
    """Confidence and day of a catalog price; the seller is in the files."""
    return "share of its board" if text.startswith("a share") else ", ".join(text.split(", ")[:2])


def _instead(x: XRay) -> None:
    i = x.instead
    if i is None:
        return
    print(f"\n{i.text}; in brackets, against the quote:")
    found = [
        ("fastest for it", i.fastest),
        (f"cheapest as fast as {i.as_fast_as}", i.as_fast),
        ("cheapest at all", i.cheapest),
    ]
    table(
        ["instead", "GPUs", f"total, {x.basis.currency}", "tok/s", "80 % interval", "each user", "precision", "kW"],
        [_beside(name, b) for name, b in found if b is not None],
        {2, 3, 5, 7},
    )


def _beside(name: str, b: Beside) -> list[str]:
    t = b.throughput
    return [
        name, b.gpus, amount(b.total) + _apart(b.money_percent), f"{t.output_tok_s:,.1f}{_apart(b.throughput_percent)}",
        f"{t.low:,.0f}-{t.high:,.0f}", "" if t.per_user_tok_s is None else f"{t.per_user_tok_s:.1f}", b.precision,
        f"{b.power_kw:.1f}",
    ]  # fmt: skip


def _apart(percent: float | None) -> str:
    return "" if percent is None else f" ({percent:+.1f} %)"
