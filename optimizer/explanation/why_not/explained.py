"""Why not this part, these GPUs, that build: what it costs more, what it breaks, and at which price it would win."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from catalogs.message import joined, message
from catalogs.schema import Kind, Platform
from constraints.build import Build
from constraints.prices.tariff import NEVER
from constraints.prices.totals import totals
from constraints.rule import Refusal
from constraints.rules.fit import Fit
from constraints.rules.procurement import Procurement
from constraints.rules.registry import that_read
from optimizer.explanation.conditions.conditions import conditions
from optimizer.explanation.why_not.asked_for import SUPPOSED, Wish, supposed, without_offer
from optimizer.explanation.why_not.break_even import break_even
from optimizer.explanation.why_not.compared_builds import Solved, cheapest, fastest, offered, total
from optimizer.explanation.why_not.schema import Against, BreakEven, WhyNot
from optimizer.market.market import Market
from optimizer.market.rows import families
from optimizer.result.point_schema import CheckFacts
from optimizer.search.clock import Clock, TimeUp
from optimizer.search.front import Found, Point
from optimizer.search.judging import best_row, check
from optimizer.search.ledger import foremost
from optimizer.text.minor_units import money

SMALLEST_MODEL = "r1-distill-qwen-1.5b"
"""Runs on whatever runs anything: for a build that holds a part, before the model is asked about it."""
NO_RIVAL = "nothing as fast exists without it: at every price it is the only one"


def why_not(market: Market, point: Point, what: Wish | Build, clock: Clock | None = None) -> WhyNot:
    """What stands against forcing `what` into the request of `market`, held against a point of its front.

    Cheap is a matter of money here, whatever the front ascends in. What the clock leaves open is in `unanswered`.
    Raises InputError for a build without platform or GPUs, and TimeUp when the clock ends before it is known what
    stands against it."""
    market, clock = market.asking(cost_axis="money"), clock or Clock()
    if isinstance(what, Build):
        return _of_build(market, point, what, clock)
    return _of_wish(market, point, what, clock)


def _of_wish(market: Market, point: Point, wish: Wish, clock: Clock) -> WhyNot:
    out: dict[str, Any] = _empty(market, point, wish.words)
    if wish.within(point.case):
        return WhyNot(**{**out, "inside": True})
    base: dict[str, Any] = {"budget_cents": None}
    missing = _unoffered(market, wish)
    if missing:
        why = market.book.ledger.get(missing[0], "no price")
        text = message("{names}: nobody offers it ({why})", names=joined(missing), why=why)
        out |= {"supposed": missing, "against": [_plain(Procurement.id, text)]}
        market = supposed(market, missing)
    least = None if wish.against_gpus(market) else cheapest(wish.forced(market, **base), clock)
    if least is None:
        found = _conditions(market, wish, clock)
        out["against"] = [*out["against"], *(a for a, _ in found or _reasons(market, wish, clock))]
        if not found:
            return WhyNot(**out)
        words, free = found[0][0].conditions, found[0][1]
        out["lifted"], base = words, {**base, **free}
        least = cheapest(wish.forced(market, **base), clock)
        assert least is not None
    out["least"] = least.facts()
    out["unanswered"] = ["as_fast", "for_limit", "any_number", "rival", "break_even"]
    try:
        for name, fact in _compared(market, point, wish, base, least, clock):
            out[name] = fact
            out["unanswered"] = [x for x in out["unanswered"] if x != name]
        out["unanswered"] = []
    except TimeUp:
        pass
    return WhyNot(**out)


def _compared(
    market: Market, point: Point, wish: Wish, base: dict[str, Any], least: Solved, clock: Clock
) -> Iterator[tuple[str, Any]]:
    """Fields of the answer about an admissible wish, as they become known. Raises TimeUp."""
    request, tenths = market.request, point.found.row.perf.tenths
    faster = {**base, "throughput_tenths": max(tenths, request.throughput_tenths or 0)}
    held = cheapest(wish.forced(market, **faster), clock)
    yield "as_fast", held and held.facts()
    rival = Solved(market, point.found)
    limit = request.budget_cents or totals(point.found.parts_cents, market.policy)[2]
    within = fastest(wish.forced(market, **{**base, "budget_cents": limit}), clock)
    yield "for_limit", within and within.facts()
    evens = []
    if held is None and wish.gpu_count is not None:
        some = Wish(wish.words, wish.gpu, None, wish.part)
        more = cheapest(some.forced(market, **faster), clock)
        yield "any_number", more and more.facts()
        if more:
            evens.append(_even(market, some, more, rival, faster, clock))
    if held is not None:
        evens.append(_even(market, wish, held, rival, faster, clock))
    else:
        own = (within or least).found.row.perf.tenths
        held = cheapest(wish.forced(market, **{**base, "throughput_tenths": own}), clock)
        assert held is not None
        carrier = wish.carrier(held.market, held.found.build)
        others = {"budget_cents": None, "throughput_tenths": own, "exclude": market.request.exclude | {carrier}}
        without = None if carrier in market.request.include else cheapest(market.asking(**others), clock)
        yield "rival", without and without.facts()
        if without:
            evens.append(_even(market, wish, held, without, {**base, "throughput_tenths": own}, clock))
    known = [x for x in evens if isinstance(x, BreakEven)]
    yield "no_break_even", "" if known else next((x for x in evens if isinstance(x, str)), NO_RIVAL)
    yield "break_even", known


def _even(
    market: Market, wish: Wish, held: Solved, rival: Solved, fields: dict[str, Any], clock: Clock
) -> BreakEven | str:
    """The break-even of the part by which the wish came into `held`; a sentence where there is none."""
    build, unit = held.found.build, market.request.currency
    carrier = wish.carrier(held.market, build)
    name = market.catalog.parts[carrier].name
    if carrier in {**rival.found.build.node, **rival.found.build.shared}:
        return message("{part} is also in the build it is compared with: its price moves both", part=name)
    only = Wish(wish.words, wish.gpu, wish.gpu_count, carrier).forced(market, **_with(fields, market, wish.part))
    even = break_even(only, carrier, rival.parts_cents, clock)
    if even is None:
        return message("no build holds {part} itself", part=name)
    offers = held.market.catalog.offers.get(carrier, ())
    now = None if all(offer.seller == SUPPOSED for offer in offers) else money(held.market.cents(carrier), unit)
    return BreakEven(
        part=carrier,
        gpus=offered(only, even.found).gpus,
        tok_s=fields["throughput_tenths"] / 10,
        rival=total(market, rival.parts_cents),
        price_now=now,
        price=None if even.price is None else money(even.price, unit),
        total=total(only, even.found.parts_cents),
        total_above=None if even.above is None else total(only, even.above.parts_cents),
        solves=even.solves,
    )


def _with(fields: dict[str, Any], market: Market, part: str) -> dict[str, Any]:
    """Fields that also demand the part asked about, where another one carries it."""
    if not part:
        return fields
    include = fields.get("include", market.request.include)
    return {**fields, "include": (*(x for x in include if x != part), part)}


def _unoffered(market: Market, wish: Wish) -> list[str]:
    """The parts that would bring it in, where nobody offers any of them."""
    carriers = wish.carriers(market)
    return carriers if all(without_offer(market, x) for x in carriers) else []


def _conditions(market: Market, wish: Wish, clock: Clock) -> list[tuple[Against, dict[str, Any]]]:
    """Conditions of the request that stand against it, each alone, cheapest first; where none does alone, a set of
    them that must go together, none of it spare. Empty when no build holds it without all of them either."""
    set_ = _loosened(market)
    forced_gpus = wish.against_gpus(market)
    set_ = [c for c in set_ if "gpus" not in c[2] or (forced_gpus and bool(wish.gpu))]

    def without(chosen: list[tuple[str, str, dict[str, Any]]]) -> Solved | None:
        if forced_gpus and not any("gpus" in c[2] for c in chosen):
            return None
        fields: dict[str, Any] = {"budget_cents": None}
        for _, _, f in chosen:
            fields |= f
        return cheapest(wish.forced(market, **fields), clock)

    def told(chosen: list[tuple[str, str, dict[str, Any]]], solved: Solved) -> tuple[Against, dict[str, Any]]:
        words = [w for _, w, _ in chosen]
        text = message("allowed if not for {what}", what=" and ".join(words))
        fields = {k: v for _, _, f in chosen for k, v in f.items()}
        rules = list(dict.fromkeys(rule for rule, _, _ in chosen))
        cost = total(solved.market, solved.parts_cents)
        return Against(rules=rules, conditions=words, text=text, total=cost), {**fields, "_cents": solved.parts_cents}

    found = [told([c], s) for c in set_ if (s := without([c]))]
    if not found and (s := without(set_)):
        kept = set_
        for c in set_:  # whatever can be imposed again is no reason
            less = [x for x in kept if x is not c]
            if again := without(less):
                kept, s = less, again
        found = [told(kept, s)]
    found.sort(key=lambda x: x[1]["_cents"])
    return [(a, {k: v for k, v in f.items() if k != "_cents"}) for a, f in found]


def _loosened(market: Market) -> list[tuple[str, str, dict[str, Any]]]:
    """(rule, words, request fields without it) of the request's conditions, the budget aside."""
    found = [c for c in conditions(market) if c.key != "budget" and not c.without.policy]
    return [(c.rule, c.text, dict(c.without.fields)) for c in found]


def _reasons(market: Market, wish: Wish, clock: Clock) -> list[tuple[Against, dict[str, Any]]]:
    """Rules broken by the cheapest build that holds it at all, found with a model that runs on anything."""
    fields: dict[str, Any] = {k: v for _, _, f in _loosened(market) for k, v in f.items()}
    fields |= {
        "model": SMALLEST_MODEL, "workload": "chat", "isl": 128, "osl": 128, "seq_len": None, "train_tokens": None,
        "precision": None, "min_precision_bits": None, "min_tok_s_user": 0.0, "offload": False, "budget_cents": None,
    }  # fmt: skip
    bare = cheapest(wish.forced(market, **fields), clock)
    if bare is None:
        early = _refused_everywhere(market, wish)
        return [(_plain(early.rule if early else Fit.id, _unplaced(market, wish, early)), {})]
    _, checks = check(market.asking(budget_cents=None), bare.found.build)
    failed = [x for x in checks if x.status == "fail"]
    of_model = [x for x in failed if x.rule in that_read("model")]
    return [(_plain(x.rule, x.text), {}) for x in of_model or failed]


def _refused_everywhere(market: Market, wish: Wish) -> Refusal | None:
    """What rules say most often of a part that they refuse in every platform of the catalog."""
    platforms = [x for x in market.catalog.of(Kind.PLATFORM, Kind.SYSTEM) if isinstance(x, Platform)]
    part = market.catalog.parts[wish.part] if wish.part else None
    said = [market.refusals.of_part(platform, part) for platform in platforms] if part else []
    reasons = [why for why in said if why is not None]
    return foremost(reasons) if reasons and len(reasons) == len(platforms) else None


def _unplaced(market: Market, wish: Wish, early: Refusal | None) -> str:
    """Why nothing of the catalog holds it, in words; `early`: what a rule says of it in every platform."""
    name = market.catalog.parts[wish.part or wish.gpu].name
    if early is not None:
        return message(
            "no build of this catalog holds {part}, whatever is asked of it: {why}", part=name, why=early.why
        )
    if wish.gpu_count is None:
        return message("no build of this catalog holds {part}, whatever is asked of it", part=name)
    wide = market.asking(gpus=frozenset({wish.gpu}), exclude=market.request.exclude - {wish.gpu})
    counts = sorted({k for _, k, _ in families(wide)})
    if not counts:
        return message("no platform or system of this catalog takes {part}", part=name)
    return message(
        "{part} goes into a node in numbers of {list}; equal nodes do not make {what}",
        part=name,
        list=joined(map(str, counts)),
        what=wish.words,
    )


def _plain(rule: str, text: str) -> Against:
    return Against(rules=[rule], conditions=[], text=text, total=None)


def _of_build(market: Market, point: Point, build: Build, clock: Clock) -> WhyNot:
    case, checks = check(market, build)
    pieces = build.total()
    kinds = {market.catalog.parts[p].kind for p in pieces}
    assert Kind.PLATFORM in kinds or Kind.SYSTEM in kinds
    words = f"{build.nodes} x {case.per_node} {case.gpu.name} in {case.platform.name}"
    out = _empty(market, point, words)
    out["checks"] = [CheckFacts(**vars(x)) for x in checks]
    out["against"] = [_plain(x.rule, x.text) for x in checks if x.status == "fail"]
    out["inside"] = build == point.case.build
    unpriced = [p for p in pieces if p not in market.book.prices]
    cents = NEVER if unpriced else market.book.cost(pieces)
    row = best_row(market, case, case.gpu, case.per_node)
    if cents >= NEVER or row is None:
        why = message("no price of {list}", list=joined(unpriced)) if unpriced else "no plan of the model runs on it"
        return WhyNot(**{**out, "no_break_even": why})
    found = Found(row, build, cents, cents)
    own = Solved(market, found)
    out["least"] = own.facts()
    out["as_fast"] = own.facts() if row.perf.tenths >= point.found.row.perf.tenths else None
    out["no_break_even"] = "a build has no unit price: it wins at the total of its rival or less"
    spent = totals(cents, market.policy)[2]
    out["unanswered"] = ["faster_for_less", "rival"]
    try:
        best = fastest(market.asking(budget_cents=spent), clock)
        out |= {"faster_for_less": best and best.facts(), "unanswered": ["rival"]}
        rival = cheapest(market.asking(budget_cents=None, throughput_tenths=row.perf.tenths), clock)
        out |= {"rival": rival and rival.facts(), "unanswered": []}
    except TimeUp:
        pass
    return WhyNot(**out)


def _empty(market: Market, point: Point, words: str) -> dict[str, Any]:
    """An answer that says nothing yet."""
    limit = market.request.budget_cents or totals(point.found.parts_cents, market.policy)[2]
    return {
        "what": words, "currency": market.request.currency, "point": offered(market, point.found), "inside": False,
        "against": [], "lifted": [], "supposed": [], "as_fast": None, "any_number": None,
        "limit": money(limit, market.request.currency), "for_limit": None, "least": None, "rival": None,
        "checks": [], "faster_for_less": None, "break_even": [], "no_break_even": "",
        "unanswered": [],
    }  # fmt: skip
