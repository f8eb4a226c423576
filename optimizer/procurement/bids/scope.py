"""The buyer's scope: which items count in every bid's total, which are taken out of it, and when it can't be settled.

By default what the rules demand of a bid's own build, and of services what all bids that may be awarded offer. The
buyer may demand more (`demanded`), drop items or single lines (`dropped`), and say how a demanded item that is missing
is priced (`fill`): not at all by default, then the bid is not comparable until it is asked."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import get_args

from catalogs.errors import Fault, InputError
from catalogs.load import Catalog
from catalogs.nearest import one_of
from catalogs.schema import Gpu, GpuBoard
from optimizer.procurement.bids.align import ORDER, Group
from optimizer.procurement.bids.basis import DISCOUNT, OTHER, SERVICE
from optimizer.procurement.bids.schema import FillPolicy, InScope, PricedLine

OWN = (OTHER, SERVICE, DISCOUNT)
"""Roles that count in their own bid's total and are nobody else's lack: nobody could place what they are, or they are
a rebate."""
NAMED_SERVICES = ("warranty", "installation", "training", "licence", "freight")
FIRM = ("included", "in_system")
LINE = re.compile(r"([A-La-l]):(\d{1,6})")


@dataclass(frozen=True)
class Scope:
    """What the buyer says of the scope. `demanded`, `dropped`: categories (`warranty`, `nic`) or numbers of items;
    `dropped_lines`: (bid, row)."""

    fill: FillPolicy = "none"
    demanded: frozenset[str] = frozenset()
    dropped: frozenset[str] = frozenset()
    dropped_lines: frozenset[tuple[str, int]] = frozenset()

    def demands(self, group: Group, number: int) -> bool:
        """Whether the buyer asks for the item."""
        return bool(self.demanded & {group.role, str(number)})

    def drops(self, group: Group, number: int) -> bool:
        """Whether the buyer leaves the item out."""
        return bool(self.dropped & {group.role, str(number)})


def scope_of(fill: str = "none", demanded: str = "", dropped: str = "") -> Scope:
    """Out of the command line: `demanded` and `dropped` are lists by commas.

    Raises InputError for what is no category and no item's number, and for what is both demanded and dropped."""
    if fill not in get_args(FillPolicy):
        raise _bad("--fill", fill, one_of(fill, get_args(FillPolicy)))
    asked, out = _names("--demand", demanded), _names("--drop", dropped)
    lines = frozenset((m[1].upper(), int(m[2])) for name in out if (m := LINE.fullmatch(name)))
    items = frozenset(name for name in out if not LINE.fullmatch(name))
    if any(LINE.fullmatch(name) for name in asked):
        raise _bad("--demand", demanded, "Name a category or an item: a line is of one bid.")
    if both := asked & items:
        raise _bad("--drop", ", ".join(sorted(both)), "It is demanded too: leave out one of the two.")
    return Scope(fill, asked, items, lines)  # type: ignore[arg-type]


def refuse_unknown(scope: Scope, items: int, lines: Collection[tuple[str, int]]) -> None:
    """Raises InputError for a number of an item, or a line, that no bid has."""
    for option, names in (("--demand", scope.demanded), ("--drop", scope.dropped)):
        for name in sorted(names):
            if name.isdigit() and not 1 <= int(name) <= items:
                raise _bad(option, name, f"Items are numbered 1 to {items} (sheet Items).")
    for bid, row in sorted(scope.dropped_lines):
        if (bid, row) not in lines:
            raise _bad("--drop", f"{bid}:{row}", "No bid has that line: rows are those of its file (sheet Lines).")


def _names(option: str, text: str) -> frozenset[str]:
    found = frozenset(name.strip() for name in text.split(",") if name.strip())
    for name in found:
        if not (name in ORDER or name.isdigit() or LINE.fullmatch(name)):
            known = ", ".join(role for role in ORDER if role not in ("system", "gpu_board"))
            raise _bad(option, name, f"Categories: {known}; or an item's number, or (to drop) a line as B:12.")
    return found


def _bad(option: str, value: str, remedy: str) -> InputError:
    return InputError(Fault("bad-scope", "is no part of a scope", column=option, value=value[:80], remedy=remedy))


@dataclass(frozen=True)
class Seen:
    """What the scope asks of a bid: whether it may set the scope (`counts`), the services that its other lines say are
    in their prices, whether its build can do without some parts, and the makers of its GPUs."""

    counts: bool
    held: frozenset[str] = frozenset()
    spares: Callable[[Collection[str]], bool] = field(default=lambda parts: False)
    makers: frozenset[str] = frozenset()


def setting(known_out: Sequence[bool], apart: Sequence[bool]) -> list[bool]:
    """Which bids set the scope: those that are not known to fail; all that are comparable, where there is none."""
    may = [not (out or away) for out, away in zip(known_out, apart, strict=True)]
    return may if any(may) else [not away for away in apart]


def why(group: Group, number: int, seen: Sequence[Seen], scope: Scope, design: Collection[str]) -> InScope:
    """Why an item is in the scope or not. `design`: categories that a bid's own build may need or not."""
    if scope.drops(group, number):
        return "dropped"
    if scope.demands(group, number):
        return "demanded"
    if group.role in OWN:
        return "own"
    everyone = all(_has(group, bid, one) for bid, one in enumerate(seen) if one.counts)
    anyone = any(line.state in FIRM for lines in group.lines.values() for line in lines)
    if group.role in NAMED_SERVICES:
        return "all" if everyone and anyone else "outside"
    if group.role in design:
        return "all" if everyone and anyone else "design"
    return "build"


def _has(group: Group, bid: int, one: Seen) -> bool:
    """Whether a bid offers an item: for its price, as an option at a price, or in the price of something else."""
    if group.role in one.held:
        return True
    return any(line.state in FIRM or (line.state == "optional" and line.net) for line in group.lines.get(bid, ()))


def is_outside(reason: InScope, firm: Sequence[PricedLine], one: Seen) -> bool:
    """Whether a bid's lines of an item are taken out of its total."""
    if reason in ("outside", "dropped"):
        return True
    return reason == "design" and one.spares({line.part for line in firm if line.part})


def makers_of(parts: Collection[str], catalog: Catalog) -> frozenset[str]:
    """Makers of the GPUs among parts, those on boards too."""
    found = [catalog.parts[part] for part in parts if part in catalog.parts]
    gpus = [catalog.parts[part.gpu] if isinstance(part, GpuBoard) else part for part in found]
    return frozenset(gpu.vendor for gpu in gpus if isinstance(gpu, Gpu) and gpu.vendor)
