"""What rules read of a part that may have near-duplicates is compared before one of them is taken off the shelf.

Attributes are watched while rules judge and encode builds. Of each one read, a dearer twin that differs in it alone is
put on the shelf, once with more and once with less: where both go, nothing compares the attribute."""

from __future__ import annotations

import sys
from decimal import Decimal
from typing import Any

import pytest

from catalogs.load import Catalog
from catalogs.schema import GpuBoard, Kind, Link, Part, Platform, Switch
from constraints.policy import Policy
from constraints.rules.registry import findings
from optimizer.market.market import Market
from optimizer.pruning import near_duplicates
from optimizer.pruning.near_duplicates import DESCRIPTIVE, thinned
from tests.support.random_catalogs import scenario
from tests.support.scenes import SCENES, certificate, scene

WATCHED: tuple[type[Part], ...] = (Link, Switch, GpuBoard, Platform)
SEEDS = (0, 3, 26, 82)
"""Random catalogs that sell such parts."""


@pytest.fixture(scope="module")
def read() -> dict[type[Part], set[str]]:
    """Numeric attributes of parts that the rules read, by class."""
    found: dict[type[Part], set[str]] = {cls: set() for cls in WATCHED}
    with pytest.MonkeyPatch.context() as patch:
        for cls in WATCHED:
            patch.setattr(cls, "__getattribute__", _watching(found[cls], cls), raising=False)
        for name in SCENES:
            s = scene(name)
            findings(s.case)
            certificate(s.market, s, s.case.build)
    return found


def _watching(found: set[str], cls: type[Part]) -> Any:
    def read_of(part: Part, name: str) -> Any:
        if name in cls.model_fields and sys._getframe(1).f_globals["__name__"].startswith("constraints."):
            found.add(name)
        return object.__getattribute__(part, name)

    return read_of


def shelf_without(catalog: Catalog, part: Part, column: str, value: Any) -> bool:
    """Whether a dearer twin with another value of one column goes, and for no other reason than the part beside it."""
    offer = catalog.offers[part.id][0]
    twin = part.model_copy(update={"id": "twin", column: value})
    dearer = offer.model_copy(update={"id": "twin", "part": "twin", "price": offer.price + Decimal("0.01")})
    parts, offers = {**catalog.parts, "twin": twin}, {**catalog.offers, "twin": (dearer,)}
    _, request, _ = scenario(0)
    market = Market.open(Catalog(parts, offers, catalog.sha256), request, Policy())
    return "twin" in market.book.prices and "twin" not in thinned(market).book.prices


def uncompared(read: dict[type[Part], set[str]]) -> set[tuple[str, str]]:
    """(class, column) read by a rule of which neither more nor less keeps a twin on the shelf."""
    found = set()
    for cls in WATCHED:
        for column in sorted(read[cls] - DESCRIPTIVE):
            kept, tried = False, False
            for seed in SEEDS:
                catalog, _, _ = scenario(seed)
                kinds = {Link: (Kind.CABLE, Kind.OPTIC), Switch: (Kind.SWITCH,), GpuBoard: (Kind.GPU_BOARD,)}
                on_sale = catalog.of(*kinds.get(cls, (Kind.PLATFORM, Kind.SYSTEM)))
                for part in [p for p in on_sale if catalog.offers.get(p.id)][:2]:
                    value = getattr(part, column)
                    if isinstance(value, bool | str | tuple) or (value is None and column != "length_m"):
                        continue  # of a kind that has no more and no less: equal in twins anyway (test_twins.py)
                    tried = True
                    start = 3 if value is None else value
                    part = part.model_copy(update={column: start})
                    priced = Catalog({**catalog.parts, part.id: part}, catalog.offers, catalog.sha256)
                    kept |= not all(shelf_without(priced, part, column, other) for other in (start + 1, start - 1))
            if tried and not kept:
                found.add((cls.__name__, column))
    return found


BEYOND_USE = {
    ("Platform", column) for column in ("nvme_bays", "m2_slots", "cpu_max_w", "inlet_max_c", "weight_kg")
}  # fmt: skip
"""Compared, but only up to what builds can use (docs/proof.md, More than enough): one more or less of them is none."""


def test_whatever_rules_read_is_compared(read: dict[type[Part], set[str]]) -> None:
    assert {"length_m", "power_w"} <= read[Link] | read[Switch] and "overhead_w" in read[Platform]
    assert uncompared(read) <= BEYOND_USE


def test_an_undeclared_read_is_found(read: dict[type[Part], set[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    """The length of a cable taken out of the comparison, as it was before a rule read it."""
    equal = near_duplicates.figures

    def without_length(part: Part, *without: str) -> tuple[Any, ...]:
        return equal(part, *without, *(("length_m",) if isinstance(part, Link) else ()))

    monkeypatch.setattr(near_duplicates, "figures", without_length)
    assert ("Link", "length_m") in uncompared(read)
