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
    measure_of,
    pieces_of,
    total_size,
)  # fmt: skip
from optimizer.procurement.bids.basis import DISCOUNT, OTHER, SERVICE, Terms
from optimizer.procurement.bids.schema import Cell, Item, Measure, PricedLine, State
from optimizer.procurement.bids.services import may_be
from optimizer.procurement.bids.technical import Judged
from optimizer.procurement.xray.open_lines import Open, OpenLine, where

DESIGN = frozenset(role for rule in RULES for role in rule.settles)
"""Roles of which a build may rightly hold nothing: rules say whether it needs them."""
HARDWARE = frozenset({*(k.value for k in Kind), OTHER})
"""Roles of goods: categories of parts, and what matches no part."""


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
    """What a bid has to say to an item beside its lines: its build, its lines that are no part yet, and whether it is
    compared at all."""

    judged: Judged
    left: Open
    compared: bool = True
    services: tuple[OpenLine, ...] = ()
    """Lines that may be services which no line of the bid is."""


def items(groups: Sequence[Group], stands: Sequence[Stand], catalog: Catalog, terms: Terms) -> list[Item]:
    """An item per group. Fills: a bid's own option, the median of the other bids, the catalog's price."""
    demands = [_demands(groups, stand.judged, catalog, terms) for stand in stands]
    out = []
    for number, group in enumerate(groups, 1):
        sides = [_side(group.lines.get(bid, []), demand.get(number)) for bid, demand in enumerate(demands)]
        out.append(_item(number, group, sides, stands, catalog, terms))
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


def _item(
    number: int, group: Group, sides: list[Side], stands: Sequence[Stand], catalog: Catalog, terms: Terms
) -> Item:
    measure = measure_of(group, catalog)
    units = [_unit(side.firm, group, measure, catalog) for side in sides]
    common = _most_common([unit.key for unit in units])
    alike = [unit.price for unit in units if unit.price is not None and unit.key == common]
    middle = median(alike) if len(alike) > 1 else None
    nets = [unit.net for unit in units]
    # A rebate is its bidder's own; what was matched with no part, or is a service that nothing names, may be any line
    # of another bid.
    mandatory = group.role not in (DISCOUNT, OTHER, SERVICE) and any(net is not None and net >= 0 for net in nets)
    cells = []
    for bid, (side, unit) in enumerate(zip(sides, units, strict=True)):
        if side.firm:
            over = None
            if middle and unit.price is not None and unit.key == common:
                over = (unit.price / middle - 1) * 100
            cells.append(_offered(side, group, unit, over, catalog, terms))
        else:
            others = [net for other, net in enumerate(nets) if other != bid and net is not None]
            cells.append(_missing(side, group, stands[bid], others, mandatory, terms))
    known = [net for net in nets if net]
    return Item(
        number=number,
        role=group.role,
        title=group.title,
        measure=measure,
        median_unit=middle,
        min_net=min(known, default=None),
        median_net=terms.rounded(median(known)) if known else None,
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


def _missing(side: Side, group: Group, stand: Stand, others: list[Decimal], mandatory: bool, terms: Terms) -> Cell:
    """The cell of a bid without a firm line: an option of its own, else the others' median, else the catalog."""
    state: State = "optional" if side.optional else "on_request" if side.asked else "excluded"
    if not stand.compared or (group.role in (OTHER, SERVICE) and state == "excluded"):
        return Cell(state="not_judged")
    own = sum((line.net for line in side.optional), Decimal(0))
    lines = [*side.optional, *side.asked]
    cell = Cell(state=state, parts=_parts(lines), text=_texts(lines), net=own if own else None)
    if not (mandatory or side.demand):
        return cell
    # What may be there under a text that nobody could place is neither added nor held against the bid.
    if not side.optional and (open_lines := (*stand.left.may_be({group.role}), *may_be(stand.services, group.role))):
        return Cell(state="not_judged", text=where(open_lines))
    if not _needed(side, group, stand.judged):
        return cell.model_copy(update={"state": "not_needed" if state == "excluded" else state})
    fill = _fill(side, group, own, others, terms)
    demand = side.demand or Demand()
    return cell.model_copy(
        update={
            "fill": fill.kind,
            "filled": fill.net,
            "filled_qty": fill.pieces or demand.pieces,
            "demanded": side.demand is not None,
            "text": cell.text or demand.text,
        }
    )


def _needed(side: Side, group: Group, judged: Judged) -> bool:
    """Whether equal scope asks for the group. Of what depends on a build's design only the bid's own build does."""
    if judged.build is None or group.role not in DESIGN or side.demand:
        return True
    return bool(judged.still_failed) and any(group.role in BY_ID[check.rule].settles for check in judged.failed)


@dataclass(frozen=True)
class _Fill:
    """What equal scope adds to a bid, by what (`none`: nothing says how much), and how many pieces where known."""

    kind: str
    net: Decimal | None = None
    pieces: int = 0


def _fill(side: Side, group: Group, own: Decimal, others: list[Decimal], terms: Terms) -> _Fill:
    if own:
        return _Fill("option", own)
    if side.demand and group.role in DESIGN:  # what its own design needs, not what another's does
        return _Fill("catalog", side.demand.net, side.demand.pieces)
    if others:
        priced = [net for net in others if net > 0]
        return _Fill("median", terms.rounded(median(priced or others)))
    if side.demand:
        return _Fill("catalog", side.demand.net, side.demand.pieces)
    return _Fill("none")
