"""What experts and bidders say, as CSV files: points for the tender's own criteria, and declarations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path

from catalogs.errors import Fault, InputError
from optimizer.procurement.bids.methods import Declared
from optimizer.procurement.bids.scoring_rules import LowPriceRules, ScoringRules
from optimizer.text.csv_table import read_csv

POINTS = "Columns: bid, criterion, points; a row for each expert. bid is A, B, ... in the order of the files."
DECLARED = "Columns: bid, small (yes or no), domestic_percent (of product cost), foreign (yes or no)."
YES, NO = ("yes", "true", "1", "是"), ("no", "false", "0", "", "否")


@dataclass(frozen=True)
class Tender:
    """How a tender is scored: rules, experts' mean points by (bid, criterion), declarations by bid, the rule on
    abnormally low bids, and the ceiling on the basis of the scored price."""

    rules: ScoringRules
    points: Mapping[tuple[str, str], Decimal] = field(default_factory=dict)
    declared: Mapping[str, Declared] = field(default_factory=dict)
    low_price: LowPriceRules | None = None
    ceiling: Decimal | None = None


def experts_points(path: Path, rules: ScoringRules) -> dict[tuple[str, str], Decimal]:
    """Mean of the experts' points by (bid, criterion). Raises InputError for a criterion that the rules do not have,
    and for points beyond its weight."""
    table = read_csv(path, ("bid", "criterion", "points"), POINTS)
    most = {criterion.key: criterion.weight for criterion in rules.criteria}
    found: dict[tuple[str, str], list[Decimal]] = {}
    columns = [table.column(name) or [] for name in ("bid", "criterion", "points")]
    for row, bid, key, text in zip(table.lines, *columns, strict=True):
        if key.strip() not in most:
            known = ", ".join(most) or "none: the rules have no [[criteria]]"
            raise _bad(path, row, "criterion", key, f"Criteria of the rules: {known}.")
        points = _number(path, row, "points", text)
        if not 0 <= points <= most[key.strip()]:
            raise _bad(path, row, "points", text, f"0 to {most[key.strip()].normalize():f} points.")
        found.setdefault((bid.strip().upper(), key.strip()), []).append(points)
    return {place: sum(given, Decimal(0)) / len(given) for place, given in found.items()}


def declarations(path: Path) -> dict[str, Declared]:
    """Declarations by bid; what a file does not say is not declared."""
    table = read_csv(path, ("bid",), DECLARED)
    columns = {name: table.column(name) for name in ("small", "domestic_percent", "foreign")}
    out: dict[str, Declared] = {}
    for place, (row, bid) in enumerate(zip(table.lines, table.column("bid") or [], strict=True)):
        if bid.strip().upper() in out:
            raise _bad(path, row, "bid", bid, "Each bid once.")
        small, share, foreign = ((columns[name] or [""] * len(table.rows))[place] for name in columns)
        percent = _number(path, row, "domestic_percent", share) if share.strip() else None
        if percent is not None and not 0 <= percent <= 100:
            raise _bad(path, row, "domestic_percent", share, "0 to 100.")
        said = Declared(_yes(path, row, "small", small), percent, _yes(path, row, "foreign", foreign))
        out[bid.strip().upper()] = said
    return out


def of_bids(tender: Tender, bids: int) -> None:
    """Raises InputError for points or a declaration of a bid that is not there."""
    known = {chr(ord("A") + place) for place in range(bids)}
    for option, names in (("--points", {bid for bid, _ in tender.points}), ("--declared", set(tender.declared))):
        for name in sorted(names - known):
            remedy = f"Bids are {', '.join(sorted(known))}, in the order of the files."
            raise InputError(Fault("bad-tender", "is no bid", column=option, value=name[:40], remedy=remedy))


def _yes(path: Path, row: int, column: str, text: str) -> bool:
    plain = text.strip().casefold()
    if plain not in (*YES, *NO):
        raise _bad(path, row, column, text, "yes or no.")
    return plain in YES


def _number(path: Path, row: int, column: str, text: str) -> Decimal:
    try:
        number = Decimal(text.strip().removesuffix("%").strip())
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise _bad(path, row, column, text, "A number.")
    return number


def _bad(path: Path, row: int, column: str, value: str, remedy: str) -> InputError:
    fault = Fault("bad-tender", "makes no sense", str(path), row=row, column=column, value=value[:40], remedy=remedy)
    return InputError(fault)
