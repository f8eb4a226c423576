"""Which bids may be awarded anything, by what the comparison judged of them, and why the others may not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from catalogs.message import joined, message
from catalogs.schema import Kind
from optimizer.procurement.award.schema import Excluded
from optimizer.procurement.bids.bid_labels import first_of
from optimizer.procurement.bids.flagging import STOPS
from optimizer.procurement.bids.schema import Bid, Comparison
from optimizer.result.point_schema import CheckFacts

MACHINE = {kind.value for kind in (Kind.PLATFORM, Kind.SYSTEM, Kind.GPU, Kind.GPU_BOARD)}
"""Who offers one of these offers a machine, which is judged as a build."""
OF_THE_BUILD = {"no-build", "runs-nothing", "not-judged"}
"""Marks that say nothing of a bid without a machine: nobody asks its lines to run the model by themselves."""


def excluded(comparison: Comparison) -> list[Excluded]:
    """Bids that can't be awarded anything, each with the first reason that holds."""
    out = []
    for bid in comparison.bids:
        reason = next(_reasons(bid, comparison), None)
        if reason is not None:
            code, text = reason
            out.append(Excluded(bid=bid.id, vendor=bid.vendor or bid.source, code=code, text=text, whole=True))
    return out


def offers_a_machine(bid: Bid) -> bool:
    return bid.kind == "result" or any(line.role in MACHINE for line in bid.lines)


def _reasons(bid: Bid, comparison: Comparison) -> Iterator[tuple[str, str]]:
    """(code, sentence) of all that keeps a bid from any award, the most telling first."""
    if bid.kind == "result":
        yield "result", message("is a result of dsopt: nobody offers it")
    if bid.apart:
        yield bid.apart, joined([flag.text for flag in first_of(bid.flags)] or [message("not comparable")], "; ")
    machine = offers_a_machine(bid)
    stops = STOPS if machine else STOPS - OF_THE_BUILD
    # An item that is not offered keeps a bid from having everything, not from having what it offers.
    found = [flag for flag in bid.flags if flag.code in stops - {"not-filled", "scope-open"}]
    if found:
        yield found[0].code, joined([flag.text for flag in found], "; ")
    if machine and bid.technical.still_failed:
        yield "rules-failed", message("its build fails: {list}", list=_findings(bid.technical.still_failed))
    if any(flag.code == "tax-basis-conflict" for flag in bid.flags):
        conflict = [flag.text for flag in bid.flags if flag.code == "tax-basis-conflict"]
        yield "tax-basis-conflict", joined(conflict, "; ")
    if any(flag.code == "tax-rate-unknown" for flag in bid.flags) and not comparison.basis.tax_percent:
        yield "tax-rate-unknown", message("its prices include tax at a rate that nobody says")


def _findings(failed: Sequence[CheckFacts]) -> str:
    return joined(dict.fromkeys(check.text for check in failed), "; ")
