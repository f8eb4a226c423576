"""Why not, and the nearest mended build, on a terminal."""

from __future__ import annotations

from decimal import Decimal

from optimizer.cli.output import table
from optimizer.explanation.mend import Mended
from optimizer.explanation.why_not_schema import BreakEven, Offered, WhyNot


def show_why_not(found: WhyNot) -> None:
    """In sentences, one a line."""
    for line in why_not_lines(found):
        print(line)


def why_not_lines(w: WhyNot) -> list[str]:
    """The answer in words, with what each costs more or less than the point."""
    if w.inside:
        return [f"{w.what}: the recommended build holds it already."]
    lines = [f"Why not {w.what}? Held against {_build(w, w.point)}."]
    for a in w.against:
        cost = f": {a.total} {w.currency}" if a.total else ""
        lines.append(f"Against it ({', '.join(a.rules)}): {a.text}{cost}.")
    if w.supposed:
        lines.append(f"In what follows {', '.join(w.supposed)} is counted at the least price there is.")
    if w.lifted:
        lines.append(f"In what follows the request goes without {' and '.join(w.lifted)}.")
    if w.checks:
        return lines + _of_build(w)
    if w.as_fast:
        lines.append(f"At least as fast with it: {_build(w, w.as_fast)}; that is {_apart(w, w.as_fast)}.")
    elif w.least:
        lines.append("No build with it is as fast, whatever it may cost.")
    if w.any_number:
        lines.append(f"As fast with more of them: {_build(w, w.any_number)}; that is {_apart(w, w.any_number)}.")
    if w.for_limit:
        slower = _percent(w.for_limit.output_tok_s, w.point.output_tok_s)
        lines.append(f"For {w.limit} {w.currency} at most: {_build(w, w.for_limit)}; {slower} throughput.")
    elif w.least:
        lines.append(f"None for {w.limit} {w.currency}; the cheapest with it: {_build(w, w.least)}.")
    lines += [_even(w, e) for e in w.break_even]
    return lines + ([f"No break-even price: {w.no_break_even}."] if w.least and w.no_break_even else [])


def _of_build(w: WhyNot) -> list[str]:
    lines = [f"The build itself: {_build(w, w.least)}; {_apart(w, w.least)}."] if w.least else []
    if w.rival and w.least:
        less = Decimal(w.least.total) - Decimal(w.rival.total)
        end = "nothing as fast costs less" if less <= 0 else f"it would win at {w.rival.total} {w.currency} or less"
        lines.append(f"As fast or faster at the least cost: {_build(w, w.rival)}; {end}.")
    if w.faster_for_less and w.least and w.faster_for_less.output_tok_s > w.least.output_tok_s:
        more = _percent(w.faster_for_less.output_tok_s, w.least.output_tok_s)
        lines.append(f"For no more money: {_build(w, w.faster_for_less)}; {more} throughput.")
    return lines if w.least else [f"Nothing to compare: {w.no_break_even}."]


def _even(w: WhyNot, e: BreakEven) -> str:
    against = f"{e.rival} {w.currency} at {e.tok_s:,.1f} tok/s"
    if e.price is None:
        return (
            f"At no price of {e.part} does it win against {against}: even at the least price {e.gpus} cost {e.total}."
        )
    if e.total_above is None:
        return f"The price of {e.part} decides nothing: all pieces are in hand ({e.total} against {against})."
    now = f"now {e.price_now}" if e.price_now else "nobody offers it"
    return (
        f"Break-even against {against}: {e.part} at {e.price} {w.currency} a piece ({now}); {e.gpus} then cost "
        f"{e.total}, at one unit of money more {e.total_above}."
    )


def _build(w: WhyNot, x: Offered) -> str:
    nodes = f" in {x.nodes} nodes" if x.nodes > 1 else ""
    return f"{x.gpus}{nodes}, {x.total} {w.currency}, {x.output_tok_s:,.1f} tok/s"


def _apart(w: WhyNot, x: Offered) -> str:
    """What it costs more or less than the point."""
    more = Decimal(x.total) - Decimal(w.point.total)
    share = 100 * abs(more) / Decimal(w.point.total) if Decimal(w.point.total) else Decimal(0)
    return f"{abs(more)} {w.currency} {'less' if more < 0 else 'more'} ({share:.1f} %)"


def _percent(speed: float, against: float) -> str:
    return f"{100 * (speed - against) / against:+.1f} %" if against else ""


def show_mended(m: Mended | None) -> None:
    """What fails, what changes, what it costs, and every rule after."""
    if m is None:
        print("No build passes every rule within these conditions, however much is changed.")
        return
    if not m.changes:
        print(f"Nothing to mend: every rule passes, {m.total} {m.currency}.")
        return
    table(["rule broken", "finding"], [[x.rule, x.text] for x in m.broken])
    table(
        ["part", "", "from", "to", f"price, {m.currency}"],
        [[c.name, c.where, str(c.from_qty), str(c.to_qty), c.price or "no price"] for c in m.changes],
        {2, 3, 4},
    )
    nodes = f", {m.nodes_before} nodes become {m.nodes}" if m.nodes != m.nodes_before else ""
    t = m.throughput
    print(f"Mended with {m.changed} changes{nodes}: {m.total_before or 'unknown'} -> {m.total} {m.currency}", end="")
    print(f" ({Decimal(m.added):+} {m.currency})" if m.added else "")
    print(f"Throughput: {t.output_tok_s:,.1f} {t.unit} at {m.precision}, 80 % interval {t.low:,.0f}-{t.high:,.0f}")
    warned = [x for x in m.checks if x.status == "warn"]
    print(f"Every rule passes{'' if not warned else ', with warnings: ' + '; '.join(x.text for x in warned)}.")
    p = m.proof
    nearer = "no build that passes is nearer, nor as near for less" if p.status == "optimal" else "stopped early"
    print(
        f"Proof: {p.status}, {nearer} ({p.families} families: {p.closed_by_bound} closed by bound, "
        f"{p.closed_by_cp_sat} by CP-SAT)."
    )
