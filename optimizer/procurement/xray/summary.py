"""An X-ray in a dozen sentences: what a buyer tells the vendor. English in the X-ray itself, in views any language."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from constraints.rules.fit import Fit
from optimizer.procurement.labels import CATEGORIES, rule_titles
from optimizer.procurement.xray.no_plan import stop_of
from optimizer.procurement.xray.schema import Beside, Finding, Unjudged, XLine, XRay
from optimizer.text.languages import N_, Words

EN = Words("en")
CATEGORIES_SAID = {f"{x[0].lower()}{x[1:]}" for x in CATEGORIES.values()}


def summary(found: XRay, _: Words = EN) -> list[str]:
    """The findings that decide, in the order in which a buyer asks."""
    said = (_apart, _money, _lines, _prices, _rules, _open, _gaps, _speed, _instead, _mend)
    return [text for say in said for text in say(found, _)]


WORTH_SAYING = ("sheets-unread", "not-new", "counted-per-unit", "maybe-added-up", "per-node")
"""Warnings of the reader that change what the sums are of."""
MARKS = {
    "ok": "",
    "above": N_("above"),
    "below": N_("below"),
    "no-catalog-price": N_("no catalog price"),
    "not-comparable": N_("not comparable"),
    "in-another-line": N_("in another line"),
    "not-placed": N_("not matched"),
    "service": N_("service"),
}
HOW = {
    "exact": N_("exact"),
    "normalised": N_("normalised"),
    "alias": N_("alias"),
    "contained": N_("contained"),
    "specification": N_("by specification"),
    "mapped": N_("mapped"),
    "bundle": N_("bundle"),
    "fuzzy": N_("fuzzy"),
    "none": N_("none"),
}


def thing(what: str, _: Words) -> str:
    """What is missing: in Chinese by the name of its category, where it has one."""
    return _(f"{what[:1].upper()}{what[1:]}" if _.chinese and what in CATEGORIES_SAID else what)


def mark(line: XLine, _: Words = EN) -> str:
    """A line's mark in words."""
    words = N_("no price") if line.mark == "not-comparable" and line.stated_price is None else MARKS[line.mark]
    return _.list(w for w in (N_("option") if line.optional else "", words) if w)


def how(line: XLine, _: Words) -> str:
    """The way a part was matched; in English its code."""
    said = _(HOW[line.how]) if _.chinese or line.how == "specification" else line.how
    return f"{said} {line.score}" if line.how == "fuzzy" else said


def amount(text: str | None, digits: bool = True) -> str:
    """`1234567.80` -> `1,234,567.80`."""
    if text is None:
        return "unknown"
    whole, _, rest = text.partition(".")
    sign, whole = ("-", whole[1:]) if whole.startswith("-") else ("", whole)
    return f"{sign}{int(whole or 0):,}{'.' + rest if rest and digits else ''}"


def rows(numbers: Iterable[int], _: Words = EN) -> str:
    """`row 4` or `rows 4, 7-9`."""
    found = sorted(set(numbers))
    runs: list[list[int]] = []
    for n in found:
        if runs and n == runs[-1][-1] + 1:
            runs[-1].append(n)
        else:
            runs.append([n])
    said = _.list(str(r[0]) if len(r) == 1 else f"{r[0]}-{r[-1]}" for r in runs)
    return _("rows {rows}", rows=said) if len(found) > 1 else _("row {rows}", rows=said)


def finding(f: Finding, _: Words = EN) -> str:
    """A finding with its amounts."""
    text = _.sentence(f.text)
    if f.row:
        text = _(N_("Row {row} {why}") if f.text.startswith("is ") else N_("Row {row}: {why}"), row=f.row, why=text)
    if f.stated is None or f.computed is None:
        return text
    less = (f.difference or "").startswith("-")
    return _(
        N_("{finding}; it says {stated}, not {computed}: {apart} less")
        if less
        else N_("{finding}; it says {stated}, not {computed}: {apart} more"),
        finding=text,
        stated=amount(f.stated),
        computed=amount(f.computed),
        apart=amount((f.difference or "").removeprefix("-")),
    )


def _apart(found: XRay, _: Words) -> Iterable[str]:
    for text in found.not_comparable:
        yield _.sentence(text) + _.stop


def unjudged(u: Unjudged, _: Words) -> str:
    """`network card: not judged, row 9 may be it`; a rule with the lines that it has to count."""
    where = _.sentence(u.where)
    if u.what:
        return _("{what}: not judged, {where} may be it", what=thing(u.what, _), where=where)
    return _("{what}: not judged, {where} may count", what=rule_titles().get(u.rule, u.rule), where=where)


def _open(found: XRay, _: Words) -> Iterable[str]:
    if found.not_judged:
        yield _.semicolon.join(unjudged(u, _) for u in found.not_judged) + _.stop


def _money(found: XRay, _: Words) -> Iterable[str]:
    for f in found.findings:
        if f.severity == "error" or f.code in WORTH_SAYING:
            yield finding(f, _) + _.stop
    if (
        found.totals.unpriced_rows
        and not found.not_comparable
        and any(line.pieces or line.amount for line in found.lines)
    ):
        yield _("No comparable price: {rows}.", rows=rows(found.totals.unpriced_rows, _))


def _lines(found: XRay, _: Words) -> Iterable[str]:
    parts = [line for line in found.lines if line.role == "part" and not line.optional]
    open_ = [line for line in parts if line.part is None and line.how != "bundle"]
    if open_:
        hints = [
            _("row {row} {line} may be {part}", row=i.row, line=repr(i.text[:40]), part=i.suggestions[0])
            for i in open_
            if i.suggestions
        ][:3]
        known = {"n": len(parts) - len(open_), "of": len(parts), "rows": rows((i.row for i in open_), _)}
        if hints:
            text = N_("{n} of {of} part lines are known; not matched: {rows} ({hints}). See --review.")
            yield _(text, **known, hints=_.list(hints, "; "))
        else:
            yield _("{n} of {of} part lines are known; not matched: {rows}. See --review.", **known)


def _prices(x: XRay, _: Words) -> Iterable[str]:
    unit, totals = x.basis.currency, x.totals
    if totals.compared is not None and totals.compared_percent is not None:
        yield _(
            N_("Lines that the catalog prices too cost {ours} {unit} net, there {theirs}: {percent} % above.")
            if totals.compared_percent >= 0
            else N_("Lines that the catalog prices too cost {ours} {unit} net, there {theirs}: {percent} % below."),
            ours=amount(totals.compared),
            unit=unit,
            theirs=amount(totals.compared_catalog),
            percent=f"{abs(totals.compared_percent):.1f}",
        )
    for line in x.lines:
        if line.mark == "in-another-line" and not line.included and line.amount and Decimal(line.amount) > 0:
            price = f"{amount(line.amount)} {unit}"
            yield _(
                "Row {row}: {part} comes with the server; here it costs {price}: is that twice?",
                row=line.row,
                part=line.name,
                price=price,
            )
    for way, percent in (("above", x.above_percent), ("below", x.below_percent)):
        found = [line for line in x.lines if line.mark == way]
        if found:
            stale = _(" (the catalog's price is stale)")
            said = _.list(
                f"{line.name} {_.percent(f'{line.difference_percent:+.0f}')}"
                + (stale if line.catalog_price.endswith("stale") else "")
                for line in found[:6]
            )
            said += _(" and {n} more", n=len(found) - 6) if len(found) > 6 else ""
            if way == "above":
                yield _("More than {percent} % above the catalog: {what}.", percent=percent, what=said)
            else:
                yield _(
                    "More than {percent} % below the catalog: {what}. Ask whether it is the part that it says, new.",
                    percent=percent,
                    what=said,
                )


def _rules(found: XRay, _: Words) -> Iterable[str]:
    failed = list(dict.fromkeys(check.rule for check in found.checks if check.status == "fail"))
    if failed:
        said = _.list(rule_titles().get(r, r) if _.chinese else r for r in failed)
        one = len(failed) == 1
        yield _("One rule fails: {what}.", what=said) if one else _("{n} rules fail: {what}.", n=len(failed), what=said)
    elif found.checks and not found.not_judged:
        yield _("No rule fails.")
    elif found.checks:
        yield _("No rule that was judged fails.")
    unfit = [
        check.text
        for check in found.checks
        if check.status == "fail" and check.rule == Fit.id and not check.text.startswith("needs ")
    ]
    if unfit and found.build is not None:
        yield _("Fit: {what}.", what=_.list(unfit, "; "))


def _gaps(found: XRay, _: Words) -> Iterable[str]:
    needed = [missing_part for missing_part in found.missing if not missing_part.reminder]
    if needed:
        many = [
            f"{m.qty} x {thing(m.what, _)}" if m.qty and m.qty > 1 and not m.suggestion else thing(m.what, _)
            for m in needed
        ]
        yield _("Missing: {what}.", what=_.list(many))
    if found.memory and found.memory.status != "pass":
        yield _("Memory: {what}.", what=_.sentence(found.memory.text))
    if found.supplies and found.supplies.status == "fail":
        yield _("Supplies: {what}.", what=_.sentence(found.supplies.text))


def _speed(found: XRay, _: Words) -> Iterable[str]:
    if found.build is None:
        return
    what = f"{found.build.nodes} x {found.build.per_node} {found.build.gpu}"
    if found.throughput is None and found.not_judged:
        yield _(
            "Whether the build ({build}) runs {model} is not judged: not all of its lines are known.",
            build=what,
            model=found.request.model,
        )
        return
    if found.throughput is None:
        why = _.sentence(stop_of(found.checks, found.build.gpu))
        yield _(
            "As quoted, the build ({build}) does not run {model}; not met: {why}.",
            build=what,
            model=found.request.model,
            why=why,
        )
        return
    throughput = found.throughput
    each = ""
    if throughput.per_user_tok_s is not None:
        each = _(
            ", {speed} for each of {users} users",
            speed=f"{throughput.per_user_tok_s:,.1f}",
            users=throughput.concurrency,
        )
    held = _(", once the rules that fail are mended") if any(check.status == "fail" for check in found.checks) else ""
    yield _(
        "{build} give {speed} {unit} of {model} at {precision} (80 % interval {low}-{high}){each}{held}.",
        build=what,
        speed=f"{throughput.output_tok_s:,.0f}",
        unit=throughput.unit,
        model=found.request.model,
        precision=found.precision,
        low=f"{throughput.low:,.0f}",
        high=f"{throughput.high:,.0f}",
        each=each,
        held=held,
    )


def beside(b: Beside, unit: str, _: Words) -> str:
    """A build beside the quoted one in figures."""
    speed = f"{b.throughput.output_tok_s:,.0f}"
    price = f"{amount(b.total)} {unit}"
    return _(
        "{build}, {price}, {speed} tok/s at {precision}", build=b.gpus, price=price, speed=speed, precision=b.precision
    )


def _instead(found: XRay, _: Words) -> Iterable[str]:
    instead, unit = found.instead, found.basis.currency
    if instead is None:
        return
    stopped = _(" (search stopped early)") if instead.proof == "feasible" else ""
    price = f"{amount(instead.budget)} {unit}"
    if instead.fastest:
        more, apart = instead.fastest.throughput_percent, ""
        if more is not None:
            mended_ = instead.as_fast_as == "mended"
            apart = _(
                N_(", {percent} % throughput against the mended build")
                if mended_
                else N_(", {percent} % throughput against the quoted build"),
                percent=f"{more:+.1f}",
            )
        best = f"{beside(instead.fastest, unit, _)}{apart}{stopped}"
        yield _("The quote's hardware costs {price}; for that money, complete: {build}.", price=price, build=best)
    elif instead.cheapest:
        best = beside(instead.cheapest, unit, _)
        yield _("For {price} nothing that runs it is to be had; the cheapest: {build}.", price=price, build=best)
    elif instead.proof == "infeasible":
        yield _("No build of the catalog meets the request at any price.")
    lacking = [missing_part for missing_part in found.missing if not missing_part.reminder]
    if instead.as_fast:
        mended = found.mended if instead.as_fast_as == "mended" else None
        paid = Decimal(mended.total if mended else instead.budget)
        over = 100 * (paid - Decimal(instead.as_fast.total)) / Decimal(instead.as_fast.total)
        whole = ""
        if lacking and not mended:
            whole = _(", and that one is complete: what the quote lacks comes on top")
        yield _(
            N_("{what} is {percent} % above the cheapest build this fast: {build}{whole}.")
            if over >= 0
            else N_("{what} is {percent} % below the cheapest build this fast: {build}{whole}."),
            what=N_("The quote mended as below") if mended else N_("The quote's hardware"),
            percent=f"{abs(over):.1f}",
            build=beside(instead.as_fast, unit, _),
            whole=whole,
        )


def _mend(found: XRay, _: Words) -> Iterable[str]:
    mended = found.mended
    if mended is None:
        if (
            found.build is not None
            and found.instead is not None
            and not found.not_judged
            and any(check.status == "fail" for check in found.checks)
        ):
            yield _("No build near it passes every rule.")
        return
    sign = "" if not mended.added or mended.added.startswith("-") else "+"
    added = _.bracketed(sign + amount(mended.added)) if mended.added else ""
    yield _(
        N_("Nearest build that passes every rule, {among}: {n} change, {total} {currency}{added}, {speed} tok/s.")
        if mended.changed == 1
        else N_(
            "Nearest build that passes every rule, {among}: {n} changes, {total} {currency}{added}, {speed} tok/s."
        ),
        among=_.sentence(found.mended_among),
        n=mended.changed,
        total=amount(mended.total),
        currency=mended.currency,
        added=added,
        speed=f"{mended.throughput.output_tok_s:,.0f}",
    )
