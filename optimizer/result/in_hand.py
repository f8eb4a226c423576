"""Parts in hand (`--own`) that a buyer would expect to see used, and that are not: which and why."""

from __future__ import annotations

from collections import Counter
from typing import Any

from catalogs.message import joined, message
from catalogs.schema import Bridge, Gpu, GpuBoard, Kind, Part, Platform
from constraints.prices.filters import Filter
from constraints.prices.price_book import barred_by
from constraints.rules.fit import gpu_fits
from optimizer.market.market import Market
from optimizer.result.notes import note_data
from optimizer.result.recommended import recommended
from optimizer.search.front import Front

MOST_NAMED = 8
"""Parts that a message names."""


def own_messages(market: Market, front: Front) -> list[dict[str, Any]]:
    """A note for each part in hand that no build can use, and one for what the recommended build leaves over."""
    held: Counter[str] = Counter()
    for part_id in market.request.own:
        held[part_id.part] += part_id.qty
    out, dead = [], set()
    for part in sorted(held):  # a result judged without its catalog may not know all of them
        if why := useless(market, market.catalog.parts[part]) if part in market.catalog.parts else "":
            dead.add(part)
            out.append(message("You already have {part}, but no build can use it: {why}.", part=part, why=why))
    at = recommended(market, front.points)
    if at is not None:
        orders = market.book.purchase(front.points[at].case.build.total())
        used = Counter[str]()
        for line in orders.lines if orders else ():
            used[line.part] += line.qty if line.origin == "owned" else 0
        left = [
            message("{qty} of {all} x {part}", qty=qty - needed, all=qty, part=part_id)
            for part_id, qty in sorted(held.items())
            if part_id not in dead and (needed := used[part_id]) < qty
        ]
        if left:
            named = joined(left[:MOST_NAMED])
            if len(left) > MOST_NAMED:
                named = message("{names} and {n} more", names=named, n=len(left) - MOST_NAMED)
            out.append(
                message("Parts that you already have and {id} does not need: {list}.", id=f"p{at + 1}", list=named)
            )
    return [note_data("own-unused", part_id) for part_id in out]


def useless(market: Market, part: Part) -> str:
    """Why no build of the catalog can hold a part; empty when one may."""
    catalog, request = market.catalog, market.request
    if barred := barred_by(part, request, catalog) or Filter(catalog, request).refused(part):
        return barred
    platforms = [platform for platform in catalog.of(Kind.PLATFORM, Kind.SYSTEM) if isinstance(platform, Platform)]
    if isinstance(part, Gpu) and part.sold_as != "single":
        boards = [
            board.id for board in catalog.of(Kind.GPU_BOARD) if isinstance(board, GpuBoard) and board.gpu == part.id
        ]
        whole = (
            message("boards ({names})", names=joined(boards))
            if boards
            else "boards"
            if part.sold_as == "board"
            else "systems"
        )
        return message("its kind comes on whole {what}; own those instead", what=whole)
    if not any(_takes(market, platform, part) for platform in platforms):
        return message("no chassis or system of the catalog takes it")
    return ""


def _takes(market: Market, platform: Platform, part: Part) -> bool:
    """Whether a platform takes a part by its form, socket or kind; what else a build needs is not asked."""
    if isinstance(part, Gpu):
        return not gpu_fits(platform, part, 1, None)
    if isinstance(part, Bridge):
        joined_gpus = [market.catalog.parts[gpu] for gpu in part.gpus if gpu in market.catalog.parts]
        return any(isinstance(gpu, Gpu) and gpu.form_factor in platform.gpu_forms for gpu in joined_gpus)
    return market.refusals.of_part(platform, part) is None
