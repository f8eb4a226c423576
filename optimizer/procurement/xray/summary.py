"""An X-ray in a dozen sentences: what a buyer tells the vendor."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from optimizer.procurement.xray.schema import Beside, Finding, XLine, XRay

STOPS = ("vram", "precision", "software", "interconnect", "lanes", "host_memory")
"""Rules without which no plan of the model runs."""


def summary(x: XRay) -> list[str]:
    """The findings that decide, in the order in which a buyer asks."""
    return [*_money(x), *_lines(x), *_prices(x), *_rules(x), *_gaps(x), *_speed(x), *_instead(x), *_mend(x)]


MARKS = {
    "ok": "", "above": "above", "below": "below", "no-catalog-price": "no catalog price",
    "not-comparable": "not comparable", "in-another-line": "in another line", "not-placed": "not matched",
    "service": "service",
}  # fmt: skip


def mark(x: XLine) -> str:
    """A line's mark in words."""
    words = "no price" if x.mark == "not-comparable" and x.stated_price is None else MARKS[x.mark]
    return ", ".join(w for w in ("option" if x.optional else "", words) if w)


def amount(text: str | None, digits: bool = True) -> str:
    """`1234567.80` -> `1,234,567.80`."""
    if text is None:
        return "unknown"
    whole, _, rest = text.partition(".")
    sign, whole = ("-", whole[1:]) if whole.startswith("-") else ("", whole)
    return f"{sign}{int(whole or 0):,}{'.' + rest if rest and digits else ''}"


def rows(numbers: Iterable[int]) -> str:
    """`row 4` or `rows 4, 7-9`."""
    found = sorted(set(numbers))
    runs: list[list[int]] = []
    for n in found:
        if runs and n == runs[-1][-1] + 1:
            runs[-1].append(n)
        else:
            runs.append([n])
    said = ", ".join(str(r[0]) if len(r) == 1 else f"{r[0]}-{r[-1]}" for r in runs)
    return f"row{'s' if len(found) > 1 else ''} {said}"


def finding(f: Finding) -> str:
    """A finding with its amounts."""
    place = f"Row {f.row}{' ' if f.text.startswith('is ') else ': '}" if f.row else ""
    if f.stated is not None and f.computed is not None:
        way = "more" if not (f.difference or "").startswith("-") else "less"
        apart = amount((f.difference or "").removeprefix("-"))
        return f"{place}{f.text}; it says {amount(f.stated)}, not {amount(f.computed)}: {apart} {way}"
    return f"{place}{f.text}"


def _money(x: XRay) -> Iterable[str]:
    for f in x.findings:
        if f.severity == "error":
            yield f"{finding(f)}."
    if x.totals.unpriced_rows and any(line.pieces or line.amount for line in x.lines):
        yield f"No comparable price: {rows(x.totals.unpriced_rows)}."


def _lines(x: XRay) -> Iterable[str]:
    parts = [line for line in x.lines if line.role == "part" and not line.optional]
    open_ = [line for line in parts if line.part is None]
    if open_:
        hints = [
            f"row {line.row} {line.text[:40]!r} may be {line.suggestions[0]}" for line in open_ if line.suggestions
        ]
        text = (
            f"{len(parts) - len(open_)} of {len(parts)} part lines are known; not matched: {rows(i.row for i in open_)}"
        )
        yield f"{text}{' (' + '; '.join(hints[:3]) + ')' if hints else ''}. See --review."


def _prices(x: XRay) -> Iterable[str]:
    unit, t = x.basis.currency, x.totals
    if t.compared is not None and t.compared_percent is not None:
        way = "above" if t.compared_percent >= 0 else "below"
        yield (
            f"Lines that the catalog prices too cost {amount(t.compared)} {unit} net, there "
            f"{amount(t.compared_catalog)}: {abs(t.compared_percent):.1f} % {way}."
        )
    for line in x.lines:
        if line.mark == "in-another-line" and not line.included and line.amount and Decimal(line.amount) > 0:
            price = f"{amount(line.amount)} {unit}"
            yield f"Row {line.row}: {line.name} comes with the server; here it costs {price}: is that twice?"
    for way, percent in (("above", x.above_percent), ("below", x.below_percent)):
        found = [line for line in x.lines if line.mark == way]
        if found:
            said = ", ".join(
                f"{line.name} {line.difference_percent:+.0f} %"
                + (" (the catalog's price is stale)" if line.catalog_price.endswith("stale") else "")
                for line in found[:6]
            )
            more = f" and {len(found) - 6} more" if len(found) > 6 else ""
            why = "" if way == "above" else " Ask whether it is the part that it says, new."
            yield f"More than {percent} % {way} the catalog: {said}{more}.{why}"


def _rules(x: XRay) -> Iterable[str]:
    failed = list(dict.fromkeys(c.rule for c in x.checks if c.status == "fail"))
    if failed:
        yield f"{f'{len(failed)} rules fail' if len(failed) > 1 else 'One rule fails'}: {', '.join(failed)}."
    elif x.checks:
        yield "No rule fails."
    unfit = [c.text for c in x.checks if c.status == "fail" and c.rule == "fit" and not c.text.startswith("needs ")]
    if unfit and x.build is not None:
        yield f"Fit: {'; '.join(unfit)}."


def _gaps(x: XRay) -> Iterable[str]:
    needed = [m for m in x.missing if not m.reminder]
    if needed:
        open_ = [line.row for line in x.lines if line.role == "part" and not line.part and not line.optional]
        hint = f" ({rows(open_)} may hold some of it: not matched)" if open_ else ""
        many = [f"{m.qty} x {m.what}" if m.qty and m.qty > 1 and not m.suggestion else m.what for m in needed]
        yield f"Missing: {', '.join(many)}{hint}."
    if x.memory and x.memory.status != "pass":
        yield f"Memory: {x.memory.text}."
    if x.supplies and x.supplies.status == "fail":
        yield f"Supplies: {x.supplies.text}."


def _speed(x: XRay) -> Iterable[str]:
    if x.build is None:
        return
    what = f"{x.build.nodes} x {x.build.per_node} {x.build.gpu}"
    if x.throughput is None:
        stop = next((c for c in x.checks if c.status == "fail" and c.rule in STOPS), None)
        limits = "no plan on these GPUs keeps every limit of the request (users, speed of each user, precision)"
        why = f": {stop.text if stop else limits}"
        if stop and stop.measured is not None and stop.limit is not None:
            why += f" ({stop.measured:,.10g} against {stop.limit:,.10g} {stop.unit})"
        yield f"As quoted, the build ({what}) does not run {x.request.model}{why}."
        return
    t = x.throughput
    each = f", {t.per_user_tok_s:,.1f} for each of {t.concurrency} users" if t.per_user_tok_s is not None else ""
    held = "" if not any(c.status == "fail" for c in x.checks) else ", once the rules that fail are mended"
    yield (
        f"{what} give {t.output_tok_s:,.0f} {t.unit} of {x.request.model} at {x.precision} (80 % interval "
        f"{t.low:,.0f}-{t.high:,.0f}){each}{held}."
    )


def beside(b: Beside, unit: str) -> str:
    """A build beside the quoted one in figures."""
    return f"{b.gpus}, {amount(b.total)} {unit}, {b.throughput.output_tok_s:,.0f} tok/s at {b.precision}"


def _instead(x: XRay) -> Iterable[str]:
    i, unit = x.instead, x.basis.currency
    if i is None:
        return
    stopped = " (search stopped early)" if i.proof == "feasible" else ""
    price = f"{amount(i.budget)} {unit}"
    if i.fastest:
        more, than = i.fastest.throughput_percent, i.as_fast_as or "quoted"
        apart = "" if more is None else f", {more:+.1f} % throughput against the {than} build"
        best = f"{beside(i.fastest, unit)}{apart}{stopped}"
        yield f"The quote's hardware costs {price}; for that money, complete: {best}."
    elif i.cheapest:
        yield f"For {price} nothing that runs it is to be had; the cheapest: {beside(i.cheapest, unit)}."
    elif i.proof == "infeasible":
        yield "No build of the catalog meets the request at any price."
    lacking = [m for m in x.missing if not m.reminder]
    if i.as_fast:
        mended = x.mended if i.as_fast_as == "mended" else None
        paid = Decimal(mended.total if mended else i.budget)
        over = 100 * (paid - Decimal(i.as_fast.total)) / Decimal(i.as_fast.total)
        way = "above" if over >= 0 else "below"
        what = "The quote mended as below" if mended else "The quote's hardware"
        whole = ", and that one is complete: what the quote lacks comes on top" if lacking and not mended else ""
        yield f"{what} is {abs(over):.1f} % {way} the cheapest build this fast: {beside(i.as_fast, unit)}{whole}."


def _mend(x: XRay) -> Iterable[str]:
    m = x.mended
    if m is None:
        if x.build is not None and x.instead is not None and any(c.status == "fail" for c in x.checks):
            yield "No build near it passes every rule."
        return
    added = f" ({'' if m.added.startswith('-') else '+'}{amount(m.added)})" if m.added else ""
    yield (
        f"Nearest build that passes every rule, {x.mended_among}: {m.changed} change{'s' if m.changed != 1 else ''}, "
        f"{amount(m.total)} {m.currency}{added}, {m.throughput.output_tok_s:,.0f} tok/s."
    )
