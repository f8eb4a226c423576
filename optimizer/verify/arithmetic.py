"""What a stored front says about itself: sums of money, order, named points, staircase and families. No catalog."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise

from constraints.exchange import minor_digits
from constraints.policy import Policy
from constraints.request import Request
from optimizer.result.point_schema import FrontPoint
from optimizer.result.price_shares import rests_on_read
from optimizer.result.proof_record import read_record, steps_data
from optimizer.result.schema import Result
from optimizer.search.front import Step
from optimizer.search.parameters import staircase_steps
from optimizer.text.minor_units import minor, money
from optimizer.verify.wrong import Wrong, differences


def values(result: Result) -> list[tuple[int, int]]:
    """(0.1 tok/s, cents of parts with spares and support by category, or cost on another axis) of the stored points;
    raises ValueError for what is none."""
    money_ = result.request.cost_axis == "money"
    return [
        (round(10 * point.throughput.output_tok_s), _cents(point, result.request) if money_ else int(point.axis_cost))
        for point in result.front
    ]


def _cents(point: FrontPoint, request: Request) -> int:
    """What the proof compares: parts and spares, with the support where it is by category."""
    counted = [point.cost.parts, point.cost.spares, *([point.cost.support] if request.support else [])]
    return sum(minor(amount, request.currency) for amount in counted)


def sums(point: FrontPoint, where: str, currency: str) -> Iterator[Wrong]:
    """Lines are quantity times unit price, parts their sum, the total the sum of what is printed."""
    scale = 10 ** minor_digits(currency)

    def said(place: str, stored: str, cents: int, how: str) -> Iterator[Wrong]:
        if Decimal(stored) * scale != cents:
            yield Wrong(f"{where}.{place}", f"stored {stored}, {how} {money(cents, currency)}")

    lines = 0
    for place_in_bom, line in enumerate(point.bom):
        yield from said(f"bom[{place_in_bom}].line_total", line.line_total, line.qty * minor(line.unit_price, currency),
                        f"{line.qty} x {line.unit_price} is")  # fmt: skip
        lines += minor(line.line_total, currency)
    cost = point.cost
    yield from said("cost.parts", cost.parts, lines - minor(cost.spares, currency), "the lines sum up to")
    net = sum(minor(amount, currency) for amount in (cost.parts, cost.spares, cost.support))
    yield from said("cost.net", cost.net, net, "parts, spares and support are")
    yield from said("cost.total", cost.total, net + minor(cost.tax, currency), "net and tax are")
    if minor(cost.low, currency) > minor(cost.high, currency):
        yield Wrong(f"{where}.cost.low", f"stored {cost.low}, above the high end {cost.high}")
    shares = cost.shares
    if round(10_000 * (shares.read + shares.indexed + shares.estimated)) != 10_000:
        yield Wrong(f"{where}.cost.shares", "do not make 1 together")
    if shares.estimated != cost.estimated_share:
        yield Wrong(f"{where}.cost.estimated_share", f"stored {cost.estimated_share}, shares say {shares.estimated}")


def order(result: Result, policy: Policy, points: list[tuple[int, int]]) -> Iterator[Wrong]:
    """Strictly ascending in both, and the named points where they belong."""
    cost = "cost.parts" if result.request.cost_axis == "money" else "axis_cost"
    for at, ((tenths, cents), (faster, dearer)) in enumerate(pairwise(points), 1):
        # Strictly, in both: of two points equal in one of them the other decides, and one is dominated.
        dominated = f"than front[{at - 1}]: one of the two is dominated"
        if dearer <= cents:
            yield Wrong(f"front[{at}].{cost}", f"is not dearer {dominated}")
        if faster <= tenths:
            yield Wrong(f"front[{at}].throughput.output_tok_s", f"is not faster {dominated}")
    for at, point in enumerate(result.front):
        if point.id != f"p{at + 1}":
            yield Wrong(f"front[{at}].id", f"stored {point.id}, should be p{at + 1}")
    ids = [point.id for point in result.front]

    def value(place: int) -> tuple[bool, Decimal | float, int]:
        """Throughput for the money; what costs nothing first, of equals the cheaper point."""
        total, (tenths, _) = Decimal(result.front[place].cost.total), points[place]
        return not total, tenths / (total or 1), -place

    totals = [Decimal(point.cost.total) for point in result.front]
    best = max(range(len(ids)), key=value, default=0)
    cheapest = min(range(len(ids)), key=totals.__getitem__, default=0)
    read = [point.id for point in result.front if rests_on_read(point.cost.shares.read, policy)]
    named: dict[str, str | None] = {}
    if ids:
        named = {"fastest": ids[-1], "cheapest": ids[cheapest], "value": ids[best], "read": read[-1] if read else None}
    yield from differences(result.named, named, "named")
    asks_for_load = result.request.users is not None or result.request.mean_tok_s is not None
    if ids and asks_for_load and result.recommended in ids:
        return  # which of them serves the load is judged with the points made anew
    chosen = (ids[-1] if result.request.budget_cents is not None else ids[0]) if ids else None
    yield from differences(result.recommended, chosen, "recommended")


def record(result: Result, policy: Policy, points: list[tuple[int, int]]) -> Iterator[Wrong]:
    """The staircase is that of the points, and each family's entry closes the family under it."""
    currency, proof = result.request.currency, result.proof
    if proof.complete != (proof.status != "feasible"):
        yield Wrong("proof.status", f"stored {proof.status}, but complete is {proof.complete}")
    if not proof.complete:
        return
    own = staircase_steps(points, result.request, policy)
    stored = [step.model_dump() for step in proof.staircase]
    yield from differences(stored, steps_data(own, currency), "proof.staircase")
    steps, families = read_record(proof.model_dump(), currency)
    names = [(family.gpu, family.per_node) for family in families]
    if names != sorted(set(names)):
        yield Wrong("proof.families.each", "families are not in order, each once")
    for by, count in (("bound", proof.families.closed_by_bound), ("cp_sat", proof.families.closed_by_cp_sat)):
        if count != (found := sum(family.by == by for family in families)):
            yield Wrong(f"proof.families.closed_by_{by}", f"stored {count}, the list has {found}")
    for at_family, family in enumerate(families):
        where = f"proof.families.each[{at_family}]"
        # A floor of a step counts at all steps before it too, so that they rise; what has no build has none.
        rises = len(family.least) <= len(steps) and list(family.least) == sorted(family.least)
        if not rises or (family.by == "no_build" and family.least):
            yield Wrong(f"{where}.least", "does not rise along the staircase")
        elif family.by == "bound":
            yield from _reaches(family.least, steps, where, currency)
    for at_point, (point, (_, cost)) in enumerate(zip(result.front, points, strict=True)):
        name = (point.gpus.part, point.gpus.per_node)
        if name not in names:
            yield Wrong("proof.families.each", f"lacks {name[0]}, {name[1]} per node, of front[{at_point}]")
            continue
        at_family = names.index(name)
        family, where = families[at_family], f"proof.families.each[{at_family}]"
        # Nothing is cheaper than what costs nothing; on another axis than money a bound may reach the cost itself.
        reached = not steps or not cost
        if family.by != "cp_sat" and not (family.by == "bound" and reached):
            yield Wrong(f"{where}.closed_by", f"stored {family.by}, but front[{at_point}] is of this family")
        elif steps and (at_point >= len(family.least) or family.least[at_point] > cost):
            yield Wrong(f"{where}.least", f"does not admit front[{at_point}] at {point.cost.parts}")


def _reaches(least: tuple[int, ...], steps: tuple[Step, ...], where: str, currency: str) -> Iterator[Wrong]:
    for place, (cents, step) in enumerate(zip(least, steps, strict=False)):
        if cents < step.below:
            text = f"stored {money(cents, currency)}, which closes nothing under {money(step.below, currency)}"
            yield Wrong(f"{where}.least[{place}]", text)
