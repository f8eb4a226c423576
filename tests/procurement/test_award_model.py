"""The cheapest award against every way to give the lines away."""

from __future__ import annotations

import random
from fractions import Fraction
from typing import Any

import pytest

from optimizer.procurement.award import plain
from optimizer.procurement.award.model import best, best_cents, highest_price
from optimizer.procurement.award.tender import Bidder, Ladder, Step, Tender, Together
from optimizer.search.clock import Clock
from tests.support.award_oracle import every_award, highest_winning_price
from tests.support.long import one_in

SEEDS = 150


def random_rebate(rng: random.Random) -> tuple[str, int]:
    """(percent, amount), one of which is none."""
    return (rng.choice(["2.5", "10", "12.25", "33"]), 0) if rng.random() < 0.7 else ("0", rng.choice([5, 50, 90]))


def random_tender(rng: random.Random) -> dict[str, Any]:
    """Few lines and bidders at small round prices, so that ties, thresholds and minimum orders meet."""
    lines, count = rng.randint(2, 5), rng.randint(2, 4)
    bidders = []
    for _ in range(count):
        offered = [line for line in range(lines) if rng.random() < 0.85] or [0]
        prices = {line: rng.choice([100, 100, 100, 150, 151, 200]) for line in offered}
        ladders = []
        for _ in range(rng.choice([0, 1, 1, 2])):
            of = None if rng.random() < 0.6 else sorted(rng.sample(range(lines), rng.randint(1, lines)))
            starts = sorted(rng.sample([100, 150, 200, 301, 400], rng.randint(1, 2)))
            steps = [(start, *random_rebate(rng)) for start in starts]
            ladders.append({"lines": of, "steps": steps})
        free = rng.choice([None, None, 200, 300])
        package = [sorted(rng.sample(offered, 2))] if len(offered) > 2 and rng.random() < 0.2 else []
        bidders.append(
            {
                "prices": prices,
                "minimum": rng.choice([0, 0, 150, 250, 400]), "freight": rng.choice([0, 0, 0, 10, 30]),
                "fixed": rng.choice([0, 0, 20]), "free_from": free, "whole": rng.choice([0, 0, 25]),
                "packages": package, "ladders": ladders,
            }
        )  # fmt: skip
    if rng.random() < 0.3:
        bidders[-1] = bidders[0]  # the same offer from another house: every award of one is a tie
    sets = [sorted(rng.sample(range(lines), 2))] if rng.random() < 0.3 else []
    return {"lines": lines, "most": rng.choice([None, None, 1, 2]), "sets": sets, "bidders": bidders}


def ladder_of(data: dict[str, Any]) -> Ladder:
    """A ladder of rebates in the product's own shape."""
    steps = tuple(Step(start, Fraction(percent) / 100, amount) for start, percent, amount in data["steps"])
    return Ladder(steps, None if data["lines"] is None else frozenset(data["lines"]))


def tender_of(data: dict[str, Any]) -> Tender:
    """The same in the product's own shapes."""
    bidders = tuple(
        Bidder(
            id="ABCDEF"[place],
            prices=dict(b["prices"]),
            minimum_cents=b["minimum"],
            freight_cents=b["freight"],
            fixed_cents=b["fixed"],
            freight_free_cents=b["free_from"],
            ladders=tuple(map(ladder_of, b["ladders"])),
            whole_cents=b["whole"],
            packages=tuple(map(frozenset, b["packages"])),
        )
        for place, b in enumerate(data["bidders"])
    )
    together = tuple(Together(f"set {n}", frozenset(group)) for n, group in enumerate(data["sets"]))
    return Tender(data["lines"], bidders, together, data["most"])


@pytest.mark.parametrize("seed", range(SEEDS))
def test_the_cheapest_award_is_that_of_trying_them_all(seed: int) -> None:
    data = random_tender(random.Random(seed))
    tender, awards = tender_of(data), every_award(data)
    found = best(tender, Clock())
    if not awards:
        assert found is None
        return
    cost, _, given = awards[0]
    assert found is not None
    assert (found.cents, found.winners) == (cost, given), "the total, and the tie-break by bidders and then by lines"
    for value, _, winners in awards[:: max(1, len(awards) // 20)]:
        assert plain.total(tender, winners) == value
        assert plain.broken(tender, winners) == []


def test_the_random_tenders_hold_what_they_are_for() -> None:
    """Ties, rebates that decide, and minimum orders that make the cheapest line dearer occur among them, or the test
    above proves little."""
    ties = rebates = minimums = none = 0
    for seed in range(SEEDS):
        data = random_tender(random.Random(seed))
        awards = every_award(data)
        none += not awards
        if not awards:
            continue
        ties += len(awards) > 1 and awards[0][0] == awards[1][0]
        cheapest_lines = tuple(
            min((b["prices"].get(line, 10**9), place) for place, b in enumerate(data["bidders"]))[1]
            for line in range(data["lines"])
        )
        bare = {**data, "bidders": [{**b, "ladders": [], "whole": 0} for b in data["bidders"]]}
        rebates += bool(every_award(bare)) and every_award(bare)[0][2] != awards[0][2]
        free = {**data, "bidders": [{**b, "minimum": 0} for b in data["bidders"]]}
        minimums += every_award(free)[0][0] < awards[0][0] and awards[0][2] != cheapest_lines
    assert min(ties, rebates, minimums, none) >= 10, (ties, rebates, minimums, none)


@pytest.mark.parametrize("seed", one_in(4, range(20)))
def test_the_break_even_price_is_that_of_walking_down(seed: int) -> None:
    rng = random.Random(1000 + seed)
    data = random_tender(rng)
    data["lines"] = 2
    data["sets"] = []
    for b in data["bidders"]:
        b["prices"] = {line: price for line, price in b["prices"].items() if line < 2} or {0: 100}
        b["packages"] = []
        for ladder in b["ladders"]:
            ladder["lines"] = None
    tender = tender_of(data)
    for place, bidder in enumerate(tender.bidders):
        for line in bidder.prices:
            rival = best_cents(tender, Clock(), never=(place, line))
            walked = highest_winning_price(data, place, line)
            if rival is None:
                assert walked is None
                continue
            assert highest_price(tender, place, line, rival, 4 * rival + 1000, Clock()) == walked


def test_a_minimum_order_makes_the_cheapest_line_dear() -> None:
    """B's line 2 is the cheapest, but B takes no order below 500."""
    a, b = {0: 300, 1: 300, 2: 100}, {1: 350, 2: 10}
    tender = Tender(3, (Bidder("A", a), Bidder("B", b, minimum_cents=500)))
    assert best(tender, Clock()).winners == (0, 0, 0)  # type: ignore[union-attr]
    assert best(tender.with_bidder(1, minimum_cents=0), Clock()).winners == (0, 0, 1)  # type: ignore[union-attr]
    assert plain.broken(tender, (0, 0, 1)) == ["minimum B"]
