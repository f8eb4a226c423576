"""Typed shape of what changed between two results, with its words."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from catalogs.message import message
from optimizer.result.document import Document, Text
from optimizer.result.strict import Money, Strict
from optimizer.text.languages import N_, Words

REASONS = {
    "request-changed": N_("asked: {field} was {before}, is {after}"),
    "policy-changed": N_("policy: {field} was {before}, is {after}"),
    "catalog-changed": N_("another catalog: {before} before, {after} now"),
    "throughput-model-changed": N_("another throughput model: {before} before, {after} now"),
    "price-moved": N_("{part}: {before} before, {after} now ({percent} %)"),
    "part-gone": N_("{part} of the build before is not for sale now"),
    "rule-fails": N_("the build before fails a rule now: {what}"),
    "old-build-now": N_("the build before costs {cost} now, the one chosen now {chosen}"),
    "same-build": N_("the same build is recommended"),
    "nothing": N_("nothing changed"),
}
"""Why, by code."""


class Reason(Strict):
    """A cause of the change. `code` is stable."""

    code: str
    values: dict[str, Text] = Field(default={})

    def said(self, words: Words) -> str:
        """The sentence in a language."""
        return words.sentence(message(REASONS[self.code], **self.values))


class PartChange(Strict):
    """A part of the recommended builds. The difference of its lines is `by_price` (pieces now x what a piece rose) plus
    `by_quantity` (pieces more x the price before, or now for a new part)."""

    part: str
    name: str
    category: str
    from_qty: int = Field(description="pieces of the whole build")
    to_qty: int = Field(description="pieces of the whole build")
    from_unit: Money | None
    to_unit: Money | None
    by_price: Money
    by_quantity: Money


class PointChange(Strict):
    """A build on one of the fronts, or on both."""

    status: Literal["kept", "gone", "new"]
    build: str
    from_id: str | None
    to_id: str | None
    from_total: Money | None
    to_total: Money | None
    from_tok_s: float | None
    to_tok_s: float | None


class Head(Strict):
    """A result in a line."""

    source: str
    as_of: str
    currency: str
    catalog_sha256: str
    recommended: str | None
    build: str
    total: Money | None
    tok_s: float | None
    status: str


class ResultsCompared(Document):
    """The answer of `dsopt compare --json` to two results. `unchecked` says what could not be judged."""

    schema_version: Literal["1"] = "1"
    kind: Literal["results"] = "results"
    before: Head
    after: Head
    reasons: list[Reason]
    parts: list[PartChange]
    parts_difference: Money | None = Field(description="of the recommended builds' lines; null in two currencies")
    front: list[PointChange]
    unchecked: list[Text]
