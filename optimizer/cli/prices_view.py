"""Answers about prices on a terminal: over which a build stays, fronts at their ends, the build of least regret."""

from __future__ import annotations

from decimal import Decimal

from optimizer.cli.output import table
from optimizer.explanation.bought import Bought, Change
from optimizer.explanation.price_risk import EndFront, Exposed, PriceRisk
from optimizer.explanation.vary import Span, Variation

WHY = {
    "today": "recommended today",
    "cheaper": "costs less there",
    "faster-within-budget": "faster, and within the budget there",
    "over-budget": "the one before leaves the budget",
    "none-within-budget": "no build is within the budget",
}
MOST_CHANGES = 6


def show_variation(v: Variation) -> None:
    """The spans as a table, and a sentence on the recommended build."""
    what = v.parts[0] if len(v.parts) == 1 else f"{len(v.parts)} parts"
    print(f"Prices {v.spec} ({what}), today {at(v, v.today)}:")
    rows = [
        [
            f"{at(v, s.low)} to {at(v, s.high)}",
            "" if s.build is None else s.build.gpus,
            "" if s.build is None else f"{s.build.output_tok_s:,.1f}",
            "" if s.total_at_low is None else f"{amount(s.total_at_low)} to {amount(s.total_at_high or '')}",
            WHY[s.why],
            changed(s.changes),
        ]
        for s in v.spans
    ]
    table(["price", "GPUs", "tok/s", f"total there, {v.currency}", "why", "parts that change"], rows, {2})
    print(stays(v))
    if not v.complete:
        print("Time ended before the whole range was searched; what is shown is proven.")


def stays(v: Variation) -> str:
    """What happens to the recommended build, in a sentence."""
    own = v.spans[v.stays]
    if v.target is not None and v.target_value is not None:
        there = v.spans[v.target]
        if v.target == v.stays:
            return f"At {at(v, v.target_value)} the recommended build is the same."
        other = f"{there.build.gpus} is recommended" if there.build else "no build is within the budget"
        return f"At {at(v, v.target_value)} {other}; today's build stays up to {at(v, _end(v, own))}."
    if len(v.spans) == 1 and v.complete:
        return f"The recommended build stays over the whole range, {at(v, v.low)} to {at(v, v.high)}."
    return f"The recommended build stays from {at(v, own.low)} to {at(v, own.high)}."


def _end(v: Variation, own: Span) -> str:
    """The end of today's span towards the value asked for."""
    return own.high if v.target is not None and v.target > v.stays else own.low


def at(v: Variation, value: str) -> str:
    """A factor as a percentage, or a unit price."""
    return amount(value) if v.unit == "price" else f"{(Decimal(value) - 1) * 100:+.2f} %"


def amount(text: str) -> str:
    """A decimal string with thousands apart."""
    return f"{Decimal(text):,}"


def changed(changes: tuple[Change, ...]) -> str:
    """Parts whose number changes, the first few, one a line."""
    words = [f"{c.part} {c.before} -> {c.after}" for c in changes[:MOST_CHANGES]]
    more = len(changes) - MOST_CHANGES
    return "\n".join([*words, *([f"and {more} more"] if more > 0 else [])])


def show_price_risk(r: PriceRisk) -> None:
    """Fronts at the ends, the two builds, what their parts may cost, and the proof."""
    show_end(r.low, "low", r.currency)
    show_end(r.high, "high", r.currency)
    if r.recommended is None or r.least_regret is None or r.proof is None:
        print("No build meets the request at today's prices.")
        return
    builds = [("recommended today", r.recommended), ("least regret", r.least_regret)]
    print(
        "When one price goes to its high:"
        if r.bad_prices == 1
        else f"When up to {r.bad_prices} prices go to their high:"
    )
    table(
        ["build", "GPUs", "tok/s", f"total today, {r.currency}", "regret at worst", "parts at their high then"],
        [[name, *_exposed(x)] for name, x in builds],
        {2, 3, 4},
    )
    print(f"It differs in:\n{changed(r.changes)}" if r.changes else "Both are the same build.")
    both = [x.build.parts for _, x in builds]
    table(
        ["part", "pieces", "with least regret", "low", "today", "high", "band"],
        [
            [
                x.part,
                *(str(parts.get(x.part, 0)) for parts in both),
                *map(amount, (x.low, x.today, x.high)),
                x.basis,
            ]
            for x in r.ranges
        ],
        {1, 2, 3, 4, 5},
    )
    p = r.proof
    words = f"no build has less regret than {amount(p.at_least)}"
    print(f"Proof: {p.status}. {words} ({p.scenarios} scenarios, {p.rounds} rounds, {p.seconds:.1f} s)")


def show_end(front: EndFront, end: str, currency: str) -> None:
    """A front with every price at one end."""
    print(f"Every price at its {end}{'' if front.complete else ' (time ended before the proof)'}:")
    if not front.points:
        print("  no build within the budget")
        return
    rows = [[*_build(p), "recommended" if i == front.recommended else ""] for i, p in enumerate(front.points)]
    table(["GPUs", "tok/s", f"total, {currency}", ""], rows, {1, 2})


def _build(b: Bought) -> list[str]:
    return [b.gpus, f"{b.output_tok_s:,.1f}", amount(b.total)]


def _exposed(x: Exposed) -> list[str]:
    most = "" if x.regret == x.regret_at_most else f" (at most {amount(x.regret_at_most)})"
    return [*_build(x.build), amount(x.regret) + most, ", ".join(x.bad)]
