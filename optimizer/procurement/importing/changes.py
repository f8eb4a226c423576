"""What a list changes against what the folder held: new, gone, dearer, cheaper, unchanged, with amounts and percent."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal

from catalogs.offers import Offer
from optimizer.procurement.importing.schema import CHANGES, ChangeKind, PriceChange


def changes(before: Mapping[str, Offer], after: Mapping[str, Offer]) -> tuple[PriceChange, ...]:
    """Of each offer of either, by kind and part. Prices are compared net of tax where their tax differs."""
    out = []
    for key in before.keys() | after.keys():
        old, new = before.get(key), after.get(key)
        shown = new or old
        assert shown is not None
        kind, difference, percent = _judged(old, new)
        out.append(
            PriceChange(
                kind=kind,
                part=shown.part,
                seller=shown.seller,
                condition=shown.condition,
                currency=shown.currency,
                before=old.price if old else None,
                after=new.price if new else None,
                difference=difference,
                percent=percent,
            )
        )
    return tuple(sorted(out, key=lambda x: (CHANGES.index(x.kind), x.part, x.seller, x.condition)))


def _judged(old: Offer | None, new: Offer | None) -> tuple[ChangeKind, Decimal | None, Decimal | None]:
    """(kind, amount by which the price rose, percent of the old one)."""
    if old is None:
        return "new", None, None
    if new is None:
        return "gone", None, None
    if old.currency != new.currency:
        return "other currency", None, None
    same_tax = old.tax_rate == new.tax_rate
    was, now = (old.price, new.price) if same_tax else (_net(old), _net(new))
    difference = now - was
    if not difference:
        return "unchanged", Decimal(0), Decimal(0)
    percent = (100 * difference / was).quantize(Decimal("0.1"), ROUND_HALF_UP)
    return ("dearer" if difference > 0 else "cheaper"), difference, percent


def _net(offer: Offer) -> Decimal:
    return (offer.price / (1 + offer.tax_rate)).quantize(Decimal("0.01"), ROUND_HALF_UP)
