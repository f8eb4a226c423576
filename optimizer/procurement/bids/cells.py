"""Items with a cell per bid: medians, outliers, and what equal scope adds where a bid offers nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import median

from catalogs.load import Catalog
from catalogs.message import joined
from catalogs.schema import Kind
from constraints.rules.registry import BY_ID, RULES
from optimizer.procurement.bids.align import (
    Group,
    comparable,
    gpus_of,
    keys_of,
    maker_of_licence,
    measure_of,
    pieces_of,
    total_size,
)  # fmt: skip
from optimizer.procurement.bids.basis import OTHER, Terms
from optimizer.procurement.bids.schema import Cell, FillBy, InScope, Item, Measure, PricedLine, State
from optimizer.procurement.bids.scope import NAMED_SERVICES, OWN, Scope, Seen, is_outside, why
from optimizer.procurement.bids.services import may_be
from optimizer.procurement.bids.technical import Judged
from optimizer.procurement.xray.open_lines import Open, OpenLine, where

DESIGN = frozenset(role for rule in RULES for role in rule.settles)
"""Roles of which a build may rightly hold nothing: rules say whether it needs them."""
HARDWARE = frozenset({*(k.value for k in Kind), OTHER})
"""Roles of goods: categories of parts, and what matches no part."""


LEAST_OF_MEDIAN = 3
"""Prices below which there is no median: between two it is neither's."""
MOST_TEXT = 300
"""Characters of a cell's text."""


@dataclass(frozen=True)
class Demand:
    """Pieces and their price in the catalog."""

    pieces: int = 0
    net: Decimal = Decimal(0)
    text: str = ""


@dataclass(frozen=True)
class Side:
    """A bid's lines of a group; `demand`: pieces and price in the catalog of what the rules demand of it."""

    firm: list[PricedLine]
    optional: list[PricedLine]
    asked: list[PricedLine]
    demand: Demand | None


@dataclass(frozen=True)
class Stand:
    """What a bid has to say to an item beside its lines: its build, its lines that are no part yet, whether it is
    compared at all, what the scope asks of it, and the categories of its firm lines."""

    judged: Judged
    left: Open
    seen: Seen
    roles: frozenset[str] = frozenset()
    compared: bool = True
    services: tuple[OpenLine, ...] = ()
    """Lines that may be services which no line of the bid is."""


@dataclass(frozen=True)
class _Basis:
    """What every item is made under."""

    catalog: Catalog
    terms: Terms
    scope: Scope


def items(groups: Sequence[Group], stands: Sequence[Stand], catalog: Catalog, terms: Terms, scope: Scope) -> list[Item]:
    """An item per group, with what the scope adds to each bid and takes out of it."""
    demands = [_demands(groups, stand.judged, catalog, terms) for stand in stands]
    out = []
    for number, group in enumerate(groups, 1):
        sides = [_side(group.lines.get(bid, []), demand.get(number)) for bid, demand in enumerate(demands)]
        first = all(other.role != group.role for other in groups[: number - 1])
        out.append(_item(number, group, sides, stands, _Basis(catalog, terms, scope), first))
    return out


def _demands(groups: Sequence[Group], judged: Judged, catalog: Catalog, terms: Terms) -> dict[int, Demand]:
    """Item -> (pieces, catalog price): the first group of a role takes what the rules demand in that role."""
    out: dict[int, Demand] = {}
    for lack in judged.lacks:
        exact = [n for n, g in enumerate(groups, 1) if g.role == lack.role and g.key == lack.part]
        same = exact or [n for n, g in enumerate(groups, 1) if g.role == lack.role]
        if same:
            d = out.get(same[0], Demand())
            more = f"{lack.pieces} x {catalog.parts[lack.part].name}"
            text = joined((x for x in (d.text, more) if x), "; ")
            out[same[0]] = Demand(d.pieces + lack.pieces, d.net + Decimal(lack.cents).scaleb(-terms.digits), text)
    return out


def _side(lines: list[PricedLine], demand: Demand | None) -> Side:
    firm = [line for line in lines if line.state in ("included", "in_system")]
    optional = [line for line in lines if line.state == "optional"]
    return Side(firm, optional, [line for line in lines if line.state == "on_request"], demand)


@dataclass(frozen=True)
class _Unit:
    """What a bid's firm lines of a group come to: in all, for what size, for one of it; `key`: what they are, so that
    only the same is compared."""

    net: Decimal | None
    size: Decimal | None
    price: Decimal | None
    key: str


def _item(number: int, group: Group, sides: list[Side], stands: Sequence[Stand], basis: _Basis, first: bool) -> Item:
    """`first`: the item is the first of its category, which carries what a bid lacks of the category."""
    catalog, terms = basis.catalog, basis.terms
    measure = measure_of(group, catalog)
    units = [_unit(side.firm, group, measure, catalog) for side in sides]
    common = _most_common([unit.key for unit in units])
    alike = [unit.price for unit in units if unit.price is not None and unit.key == common]
    middle = median(alike) if len(alike) >= LEAST_OF_MEDIAN else None
    nets = [unit.net for unit in units]
    reason = why(group, number, [stand.seen for stand in stands], basis.scope, DESIGN)
    cells = []
    for bid, (side, unit) in enumerate(zip(sides, units, strict=True)):
        if side.firm:
            same = len(alike) > 1 and unit.price is not None and unit.key == common
            over = (unit.price / middle - 1) * 100 if middle and same and unit.price is not None else None
            cell = _offered(side, group, unit, over, catalog, terms)
            # What the rules demand of the bid's own build is of its scope, whatever others offer.
            outside = not side.demand and is_outside(reason, side.firm, stands[bid].seen)
            cells.append(cell.model_copy(update={"comparable": same, "outside": outside}))
        else:
            others = [net for other, net in enumerate(nets) if other != bid and net is not None]
            cells.append(_missing(side, group, stands[bid], others, _Asked(reason, first), basis))
    known = [net for net in nets if net]
    return Item(
        number=number,
        role=group.role,
        title=group.title,
        measure=measure,
        in_scope=reason,
        median_unit=middle,
        min_net=min(known, default=None),
        median_net=terms.rounded(median(known)) if len(known) >= LEAST_OF_MEDIAN else None,
        cells=tuple(cells),
    )


def _unit(firm: list[PricedLine], group: Group, measure: Measure, catalog: Catalog) -> _Unit:
    if not firm:
        return _Unit(None, None, None, "")
    net = sum((line.net for line in firm), Decimal(0))
    size = _size(firm, group, measure, catalog)
    return _Unit(net, size, net / size if net > 0 and size else None, comparable(firm, catalog))


def _most_common(keys: list[str]) -> str:
    """The key that most bids have, the first of several; blank for none."""
    return max((key for key in keys if key), key=lambda key: (keys.count(key), -keys.index(key)), default="")


def _offered(side: Side, group: Group, unit: _Unit, over: Decimal | None, catalog: Catalog, terms: Terms) -> Cell:
    """The cell of a bid with firm lines. `over`: percent of its unit price over the median of the same."""
    inside = all(line.state == "in_system" for line in side.firm)
    same = keys_of(side.firm, catalog) == {group.key}
    state: State = "in_system" if inside else "included" if same else "equivalent"
    return Cell(
        state=state,
        parts=_parts(side.firm),
        text=_texts(side.firm),
        pieces=pieces_of(side.firm) or None,
        size=unit.size,
        net=unit.net,
        unit_net=unit.price,
        over_median=None if over is None else over.quantize(Decimal("0.1")),
        outlier=over is not None and abs(over) > terms.outlier,
    )


def _texts(lines: Sequence[PricedLine]) -> str:
    return "; ".join(dict.fromkeys(line.text for line in lines))[:MOST_TEXT]


def _parts(lines: list[PricedLine]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(line.part for line in lines if line.part))


def _size(lines: list[PricedLine], group: Group, measure: Measure, catalog: Catalog) -> Decimal | None:
    """What a bid's amount is divided by to be compared."""
    if not lines:
        return None
    if measure == "line":
        return Decimal(1)
    if measure == "piece":
        return Decimal((gpus_of(lines, catalog) if group.role == "gpu" else pieces_of(lines)) or 1)
    return total_size(lines, catalog) or Decimal(1)


@dataclass(frozen=True)
class _Asked:
    """Why an item is in the scope, and whether it is the first of its category."""

    reason: InScope
    first: bool


def _missing(side: Side, group: Group, stand: Stand, others: list[Decimal], asked: _Asked, basis: _Basis) -> Cell:
    """The cell of a bid without a firm line: an option of its own, else what the buyer takes for a missing item."""
    state: State = "optional" if side.optional else "on_request" if side.asked else "excluded"
    if not stand.compared or (group.role in OWN and state == "excluded"):
        return Cell(state="not_judged")
    own = sum((line.net for line in side.optional), Decimal(0))
    lines = [*side.optional, *side.asked]
    cell = Cell(state=state, parts=_parts(lines), text=_texts(lines), net=own if own else None)
    if asked.reason in ("dropped", "own"):
        return cell
    if _for_other_gpus(group, stand):
        return cell.model_copy(update={"state": "not_needed" if state == "excluded" else state})
    if not side.optional and (found := _open(group, stand, asked, bool(others))):
        return found
    # What a bid names without a price is part of its build, and would else count nothing beside bids that price it.
    unpriced = bool(side.asked) and not side.optional and any(net > 0 for net in others)
    if not unpriced and not _needed(side, group, stand, asked):
        there = bool(others) and any(net >= 0 for net in others)
        return cell.model_copy(update={"state": "not_needed" if state == "excluded" and there else state})
    fill = _fill(side, group, own, others, basis)
    demand = side.demand or Demand()
    return cell.model_copy(
        update={
            "fill": fill.kind,
            "filled": fill.net,
            "filled_qty": fill.pieces or (demand.pieces if fill.kind == "catalog" else 0),
            "demanded": side.demand is not None,
            "text": cell.text or demand.text,
        }
    )


def _for_other_gpus(group: Group, stand: Stand) -> bool:
    """Whether an item is a licence that is of no use to the bid's GPUs."""
    maker = maker_of_licence(group.title) if group.role == "licence" else ""
    return bool(maker and stand.seen.makers) and maker not in stand.seen.makers


def _open(group: Group, stand: Stand, asked: _Asked, others: bool) -> Cell | None:
    """A cell that is not judged, where a line that nobody could place may be the item; `others`: other bids have it.

    It keeps the bid's scope open where the item is of the scope, or the line is one of services that names none: it
    may be what is taken out of other bids."""
    if group.role in NAMED_SERVICES:
        vague = may_be(stand.services, group.role)
        if group.role in stand.seen.held:  # a line, a text or a note says that it is in the prices
            return Cell(state="not_judged", text=where(line for line in vague if line.roles is not None))
        lines = (*stand.left.may_be({group.role}), *vague)
        unsettled = asked.reason in ("all", "demanded") or any(line.roles is None for line in vague)
    else:
        if group.role in stand.roles and asked.reason != "demanded":
            return None
        lines = stand.left.may_be({group.role})
        # A line whose words say nothing but this category is the item, whichever part of it: its price counts.
        by_words = any(_is_by_words(line, group.role) for line in lines)
        unsettled = not by_words and (asked.reason != "design" or _left_open(group, stand.judged))
        others = others or _left_open(group, stand.judged)
    if not lines or not others:
        return None
    return Cell(state="not_judged", text=where(lines), open=unsettled)


def _is_by_words(line: OpenLine, role: str) -> bool:
    """Whether a line's words name the category; those of plugs and ways to connect stand beside it."""
    return line.roles is not None and line.roles - (DESIGN - {role}) == {role}


def _left_open(group: Group, judged: Judged) -> bool:
    """Whether a rule that a part of the category would settle is not judged."""
    return any(group.role in BY_ID[found.rule].settles | BY_ID[found.rule].cured_by for found in judged.not_judged)


def _needed(side: Side, group: Group, stand: Stand, asked: _Asked) -> bool:
    """Whether the scope asks the bid for the item, which it does not offer."""
    if side.demand:
        return True
    if asked.reason in ("all", "demanded"):
        return asked.reason == "demanded" or group.role not in DESIGN or _fails_for(group, stand.judged)
    if asked.reason == "outside" or group.role in stand.roles or not asked.first:
        return False
    judged = stand.judged
    return (judged.build is None and asked.reason == "build") or _fails_for(group, judged)


def _fails_for(group: Group, judged: Judged) -> bool:
    """Whether the bid's build fails for want of a part of the category, whatever was found to mend it."""
    return any(group.role in BY_ID[check.rule].settles | BY_ID[check.rule].cured_by for check in judged.still_failed)


@dataclass(frozen=True)
class _Fill:
    """What the scope adds to a bid, by what (`none`: nothing is added), and how many pieces where known."""

    kind: FillBy
    net: Decimal | None = None
    pieces: int = 0


def _fill(side: Side, group: Group, own: Decimal, others: list[Decimal], basis: _Basis) -> _Fill:
    """The bid's own option is its bidder's price; all other ways are the buyer's to choose."""
    by, demand = basis.scope.fill, side.demand
    if own:
        return _Fill("option", own)
    if by == "none":
        return _Fill("none")
    # What its own design needs is priced by the catalog, not by what another's design needs.
    if demand and (by == "catalog" or group.role in DESIGN or not others):
        return _Fill("catalog", demand.net, demand.pieces)
    priced = [net for net in others if net > 0] or others
    if by == "catalog" or not priced:
        return _Fill("none")
    if len(priced) == 1:
        return _Fill("other", priced[0])
    return _Fill("max", max(priced)) if by == "max" else _Fill("median", basis.terms.rounded(median(priced)))
