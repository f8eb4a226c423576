"""Codes of what is marked in bids, with their sentences. Codes are stable; sentences take values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from optimizer.procurement.reading.by_time import TEXTS
from optimizer.text.languages import N_

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True)
class Shape:
    """Severity and sentence of a code."""

    severity: Severity
    text: str


FLAGS = {
    **{
        code: Shape("note" if code.endswith(("-each", "-over", "over-term")) else "error", text)
        for code, text in TEXTS.items()
    },
    "time-money-basis": Shape(
        "note",
        N_("that is {amount} {currency} net on the basis of this comparison; it has no rank until --term is given"),
    ),
    "price-list": Shape("error", N_("not comparable: no line says how many pieces; it is a price list")),
    "unread": Shape("error", N_("not comparable: the file can't be read: {what}")),
    "no-rate": Shape("error", N_("not comparable: no exchange rate for its currency {currency}; give it with --fx")),
    "not-judged": Shape("warning", N_("{rule}: not judged, {where} may count ({what})")),
    "not-judged-item": Shape("warning", N_("item {item} {title}: not judged, {where} may be it; nothing is added")),
    "scope-open": Shape("error", N_("item {item} {title}: not comparable, {where} may be it: match by --map, or ask")),
    "outside-scope": Shape("note", N_("item {item} {title}: {amount} {currency} taken out of the total, {why}")),
    "dropped-line": Shape("note", N_("row {row}: {line} is dropped; its {amount} {currency} count nowhere")),
    "counts-unplaced": Shape(
        "note",
        N_("item {item} {title}: nobody could place it; its {amount} {currency} count, --drop {item} takes them out"),
    ),
    "arithmetic-error": Shape("error", N_("row {row}: {stated} is stated, {computed} is computed ({what})")),
    "outlier": Shape("warning", N_("item {item} {title}: {percent} % against the median of {n} prices")),
    "expired": Shape("error", N_("valid until {day}, {days} days before the day of comparison")),
    "validity-unknown": Shape("warning", N_("until when it is valid is not said")),
    "tax-basis-conflict": Shape("error", N_("tax: {what}")),
    "tax-rates": Shape("note", N_("rates of tax by line: {percents}; each was taken out by its own")),
    "tax-basis-unknown": Shape("warning", N_("whether prices include tax is not said; they are taken as net")),
    "tax-rate-unknown": Shape("warning", N_("prices include tax at a rate that is not said; {percent} % is taken")),
    "tax-bases-differ": Shape("note", N_("prices {mine}, other bids {others}: all were put on net")),
    "currency-unknown": Shape("error", N_("no currency is named; prices are taken as {currency}")),
    "unmatched-line": Shape("warning", N_("row {row}: {line} is no part of the catalog")),
    "fuzzy-not-taken": Shape("warning", N_("row {row}: {line} may be {part}; not taken without --accept-fuzzy")),
    "fuzzy-taken": Shape("warning", N_("row {row}: {line} was taken for {part} by similarity")),
    "part-conflict": Shape("error", N_("row {row}: number and text name different parts: {what}")),
    "bundle-split": Shape("note", N_("row {row}: one price for rows {rows}; split over them by the catalog's prices")),
    "sheets-unread": Shape("warning", N_("{what}: what they offer is not counted")),
    "no-price": Shape("warning", N_("row {row}: {line} has no price")),
    "unclear-line": Shape("warning", N_("row {row}: {what}")),
    "hidden-row": Shape("warning", N_("row {row}: {line} stands in a hidden row")),
    "missing-line": Shape("warning", N_("item {item} {title} is not offered: {amount} {currency} added, {by}")),
    "not-filled": Shape(
        "error", N_("item {item} {title} is demanded and not offered: not comparable until asked, or priced by --fill")
    ),
    "not-needed": Shape("note", N_("item {item} {title} is not offered; no rule asks its build for it")),
    "not-for-its-gpus": Shape(
        "note", N_("item {item} {title} is not offered and not added: it is for GPUs of another maker")
    ),
    "other-nodes": Shape("warning", N_("rules and throughput are of its GPU nodes alone; by price only: {what}")),
    "no-build": Shape("error", N_("its lines are no build: {what}")),
    "runs-nothing": Shape("error", N_("the model does not run on its build as asked for: {what}")),
    "rules-failed": Shape("error", N_("fails {rule}: {what}")),
    "abnormally-low": Shape(
        "warning",
        N_("{amount} is below {percent} % of {what} ({limit}, {rule}): ask for written reasons and proof of cost"),
    ),
    "above-ceiling": Shape("error", N_("{amount} is above the ceiling of {ceiling}")),
    "minimum-failed": Shape("error", N_("misses the hard demand: {what} is {value}, asked for {limit}")),
    "minimum-not-said": Shape("warning", N_("hard demand not judged: {what} is not said, asked for {limit}")),
    "deducted": Shape("note", N_("{percent} % off its price for the evaluation alone: {price}")),
    "no-index": Shape("note", N_("no rank: the method takes medians, and fewer than three bids can be awarded")),
    "outside-band": Shape("note", N_("no rank: its points per price lie below the band of {percent} %")),
    "not-said": Shape("note", N_("no points for {what}: the bid says nothing")),
}
