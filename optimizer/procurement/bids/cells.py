"""Items with a cell per bid: medians, outliers, and what equal scope adds where a bid offers nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import median

from catalogs.load import Catalog
from catalogs.schema import Kind
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

NETWORK = frozenset({"interconnect"})
DESIGN = {
    "bridge": NETWORK, "nic": NETWORK, "switch": NETWORK, "optic": NETWORK,
    "cable": frozenset({"interconnect", "rack"}),
    "cooling": frozenset({"cooling", "fit", "rack"}), "pdu": frozenset({"rack"}), "rack": frozenset({"rack"}),
    "psu": frozenset({"power", "fit"}),
}  # fmt: skip
"""Roles of which a build may rightly hold nothing, with the rules that say whether it needs them."""
HARDWARE = frozenset({*(k.value for k in Kind), OTHER})
"""Roles of goods: categories of parts, and what matches no part."""


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
    judged = [s.judged for s in stands]
    demands = [_demands(groups, j, catalog, terms) for j in judged]
    out = []
    for n, g in enumerate(groups, 1):
        sides = [_side(g.lines.get(i, []), demands[i].get(n)) for i in range(len(judged))]
        out.append(_item(n, g, sides, stands, catalog, terms))
    return out


def _demands(groups: Sequence[Group], j: Judged, catalog: Catalog, terms: Terms) -> dict[int, Demand]:
    """Item -> (pieces, catalog price): the first group of a role takes what the rules demand in that role."""
    out: dict[int, Demand] = {}
    for lack in j.lacks:
        exact = [n for n, g in enumerate(groups, 1) if g.role == lack.role and g.key == lack.part]
        same = exact or [n for n, g in enumerate(groups, 1) if g.role == lack.role]
        if same:
            d = out.get(same[0], Demand())
            text = "; ".join(x for x in (d.text, f"{lack.pieces} x {catalog.parts[lack.part].name}") if x)
            out[same[0]] = Demand(d.pieces + lack.pieces, d.net + Decimal(lack.cents).scaleb(-terms.digits), text)
    return out


def _side(lines: list[PricedLine], demand: Demand | None) -> Side:
    firm = [x for x in lines if x.state in ("included", "in_system")]
    optional = [x for x in lines if x.state == "optional"]
    return Side(firm, optional, [x for x in lines if x.state == "on_request"], demand)


def _item(
    n: int, g: Group, sides: list[Side], stands: Sequence[Stand], catalog: Catalog, terms: Terms
) -> Item:  # fmt: skip
    measure = measure_of(g, catalog)
    firm = [s.firm for s in sides]
    nets = [sum((x.net for x in f), Decimal(0)) if f else None for f in firm]
    sizes = [_size(f, g, measure, catalog) for f in firm]
    units = [v / z if v and v > 0 and z else None for v, z in zip(nets, sizes, strict=True)]
    keys = [comparable(f, catalog) if f else "" for f in firm]
    common = max((k for k in keys if k), key=lambda k: (sum(x == k for x in keys), -keys.index(k)), default="")
    alike = [u for u, k in zip(units, keys, strict=True) if u is not None and k == common]
    middle = median(alike) if len(alike) > 1 else None
    known = [v for v in nets if v]
    # A rebate is its bidder's own; what was matched with no part, or is a service that nothing names, may be any line
    # of another bid.
    mandatory = g.role not in (DISCOUNT, OTHER, SERVICE) and any(v is not None and v >= 0 for v in nets)
    cells = []
    for i, s in enumerate(sides):
        over = None
        unit = units[i]
        if middle and unit is not None and keys[i] == common:
            over = (unit / middle - 1) * 100
        if s.firm:
            parts = _parts(s.firm)
            inside = all(x.state == "in_system" for x in s.firm)
            state: State = (
                "in_system" if inside else "included" if keys_of(s.firm, catalog) == {g.key} else "equivalent"
            )
            cell = Cell(
                state=state, parts=parts, text="; ".join(dict.fromkeys(x.text for x in s.firm))[:300],
                pieces=pieces_of(s.firm) or None, size=sizes[i], net=nets[i], unit_net=unit,
                over_median=None if over is None else over.quantize(Decimal("0.1")),
                outlier=over is not None and abs(over) > terms.outlier,
            )  # fmt: skip
        else:
            others = [v for k, v in enumerate(nets) if k != i and v is not None]
            cell = _missing(s, g, stands[i], others, mandatory, terms)
        cells.append(cell)
    return Item(
        number=n, role=g.role, title=g.title, measure=measure, median_unit=middle, min_net=min(known, default=None),
        median_net=terms.rounded(median(known)) if known else None, cells=tuple(cells),
    )  # fmt: skip


def _parts(lines: list[PricedLine]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(x.part for x in lines if x.part))


def _size(lines: list[PricedLine], g: Group, measure: Measure, catalog: Catalog) -> Decimal | None:
    """What a bid's amount is divided by to be compared."""
    if not lines:
        return None
    if measure == "line":
        return Decimal(1)
    if measure == "piece":
        return Decimal((gpus_of(lines, catalog) if g.role == "gpu" else pieces_of(lines)) or 1)
    return total_size(lines, catalog) or Decimal(1)


def _missing(
    s: Side, g: Group, stand: Stand, others: list[Decimal], mandatory: bool, terms: Terms
) -> Cell:  # fmt: skip
    """The cell of a bid without a firm line: an option of its own, else the others' median, else the catalog."""
    text = "; ".join(dict.fromkeys(x.text for x in (*s.optional, *s.asked)))[:300]
    state: State = "optional" if s.optional else "on_request" if s.asked else "excluded"
    own = sum((x.net for x in s.optional), Decimal(0))
    cell = Cell(state=state, parts=_parts([*s.optional, *s.asked]), text=text, net=own if own else None)
    j = stand.judged
    if not stand.compared:
        return Cell(state="not_judged")
    if g.role in (OTHER, SERVICE) and state == "excluded":
        return Cell(state="not_judged")
    if not (mandatory or s.demand):
        return cell
    if not s.optional and (lines := (*stand.left.may_be({g.role}), *may_be(stand.services, g.role))):
        return Cell(state="not_judged", text=where(lines))
    broken = {x.rule for x in j.failed}
    needed = s.demand or (j.still_failed and broken & DESIGN.get(g.role, frozenset()))
    if j.build is not None and g.role in DESIGN and not needed:
        return cell.model_copy(update={"state": "not_needed" if state == "excluded" else state})
    fill, amount, pieces = "none", None, 0
    priced = [v for v in others if v > 0]
    if own:
        fill, amount = "option", own
    elif s.demand and g.role in DESIGN:  # what its own design needs, not what another's does
        fill, amount, pieces = "catalog", s.demand.net, s.demand.pieces
    elif priced or others:
        fill, amount = "median", terms.rounded(median(priced or others))
    elif s.demand:
        fill, amount, pieces = "catalog", s.demand.net, s.demand.pieces
    return cell.model_copy(
        update={
            "fill": fill, "filled": amount, "filled_qty": pieces or (s.demand.pieces if s.demand else 0),
            "demanded": s.demand is not None, "text": text or (s.demand.text if s.demand else ""),
        }
    )  # fmt: skip
