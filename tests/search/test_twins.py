"""Near-duplicates: taking them off the shelf leaves the front's values as they are, and only true twins go."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

import pytest

from catalogs.load import Catalog
from catalogs.offers import Offer
from catalogs.schema import Cpu, Drive, Gpu, GpuBoard, Kind, Link, Memory, Part, Platform, Rack, Switch
from constraints.policy import Policy
from optimizer.market.market import Market
from optimizer.pruning.near_duplicates import figures, thinned
from optimizer.search.solver import Solver
from tests.support.long import one_in
from tests.support.random_catalogs import scenario

CHANGES: dict[type[Part], tuple[tuple[str, tuple[int, ...]], ...]] = {
    Platform: (
        ("overhead_w", (-20, 0, 40)), ("nvme_bays", (-1, 0, 1, 8)), ("nic_slots", (0, 0, 1)),
        ("cpu_max_w", (-60, 0, 30)), ("weight_kg", (-5, 0, 40)), ("inlet_max_c", (-5, 0, 3)), ("m2_slots", (0, 1)),
    ),
    Gpu: (("tdp_w", (-20, 0, 0, 20)),),
    Drive: (("capacity_gb", (-400, 0, 4000)), ("read_mb_s", (-2000, 0, 3000)), ("power_w", (0, 3))),
    Cpu: (("cores", (-4, 0, 16)), ("tdp_w", (-10, 0, 20))),
    Memory: (("capacity_gb", (-8, 0, 32)), ("power_w", (0, 2))),
    Rack: (("load_kg", (-100, 0, 100)),),
    GpuBoard: (("overhead_w", (0, 30)),),
    Switch: (("power_w", (-10, 0, 10)), ("rack_units", (0, 0, 1))),
    Link: (),
}  # fmt: skip


def with_siblings(catalog: Catalog, seed: int) -> Catalog:
    """Siblings for each part that may have twins, dearer and cheaper, better and worse in what is compared: two, and
    one for each drive, CPU, module and rack."""
    r = random.Random(seed)
    parts, offers = dict(catalog.parts), {k: list(v) for k, v in catalog.offers.items()}
    for p in list(catalog.parts.values()):
        if type(p) not in CHANGES or not catalog.offers.get(p.id):
            continue
        for i in range(1 if isinstance(p, Drive | Cpu | Memory | Rack) else 2):
            changed: dict[str, Any] = {"id": f"{p.id}-v{i}"}
            for name, steps in CHANGES[type(p)]:
                value = getattr(p, name)
                if value is not None:
                    changed[name] = max(0, value + r.choice(steps)) or value
            twin = p.model_copy(update=changed)
            parts[twin.id] = twin
            factor = Decimal(r.choice(("0.9", "0.97", "1", "1.02", "1.1")))
            offers[twin.id] = [
                o.model_copy(update={"id": f"{o.id}-v{i}", "part": twin.id, "price": round(o.price * factor, 2)})
                for o in catalog.offers[p.id]
            ]
    return Catalog(parts, {k: tuple(v) for k, v in offers.items()}, catalog.sha256)


def values(solver: Solver) -> list[tuple[int, int]]:
    front = solver.front()
    assert front.complete
    return [(p.found.parts_cents, p.found.row.perf.tenths) for p in front.points]


@pytest.mark.parametrize("seed", one_in(5, range(24)))
def test_twins_change_no_value(seed: int) -> None:
    """CP-SAT alone over every sibling finds the front of the thinned market."""
    catalog, request, _ = scenario(seed)
    market = Market.open(with_siblings(catalog, seed), request, Policy())
    assert values(Solver(market)) == values(Solver(market, clever=False))


def _market(*extra: tuple[Part, str], **asked: Any) -> Market:
    catalog, request, _ = scenario(0)
    parts, offers = dict(catalog.parts), dict(catalog.offers)
    for p, price in extra:
        parts[p.id] = p
        like = next(iter(catalog.offers.values()))[0]
        offers[p.id] = (like.model_copy(update={"id": p.id, "part": p.id, "price": Decimal(price)}),)
    return Market.open(Catalog(parts, offers, catalog.sha256), request.model_copy(update=asked), Policy())


def _platform() -> tuple[Platform, Offer]:
    catalog, _, _ = scenario(0)
    p = next(p for p in catalog.of(Kind.PLATFORM) if catalog.offers.get(p.id))
    assert isinstance(p, Platform)
    return p, catalog.offers[p.id][0]


@pytest.mark.parametrize(
    ("change", "stays"),
    [
        ({}, False),
        ({"overhead_w": 10_000}, False),
        ({"nvme_bays": 99}, False),
        ({"nic_slots": 99}, True),
        ({"inlet_max_c": 60}, False),
        ({"cpu_max_w": 5000}, False),
        ({"psu_bays": 9}, True),
        ({"dimm_slots": 2}, True),
        ({"gpu_slots": 1}, True),
        ({"vendor": "Elsewhere"}, False),
    ],
)  # fmt: skip
def test_only_what_is_declared_is_compared(change: dict[str, Any], stays: bool) -> None:
    """A dearer sibling goes unless something tells it apart, or it is better in a declared column."""
    p, offer = _platform()
    twin = p.model_copy(update={"id": "twin", **change})
    if stays:
        assert figures(twin) != figures(p)
    market = _market((twin, str(offer.price + 10)))
    assert "twin" in market.book.prices
    assert ("twin" in thinned(market).book.prices) == stays


def test_bays_that_small_drives_may_fill_tell_chassis_apart() -> None:
    """One drive of the catalog is enough for the weights, six of a small one are: only then more bays count."""
    p, offer = _platform()
    drive = next(d for d in _market().catalog.of(Kind.DRIVE) if isinstance(d, Drive))
    twin = p.model_copy(update={"id": "twin", "nvme_bays": 99}), str(offer.price + 10)
    assert "twin" not in thinned(_market(twin)).book.prices
    small = drive.model_copy(update={"id": "small", "capacity_gb": 50}), "1.00"
    assert "twin" in thinned(_market(twin, small)).book.prices


def test_a_demanded_twin_stays() -> None:
    p, offer = _platform()
    market = _market((p.model_copy(update={"id": "twin"}), str(offer.price + 10)), include=("twin",))
    assert "twin" in thinned(market).book.prices


def test_a_twin_outside_the_wanted_gpus_beats_none() -> None:
    catalog, _, _ = scenario(0)
    gpu = next(g for g in catalog.of(Kind.GPU) if catalog.offers.get(g.id))
    cheap = gpu.model_copy(update={"id": "cheap"})
    assert gpu.id not in thinned(_market((cheap, "1.00"))).book.prices
    assert gpu.id in thinned(_market((cheap, "1.00"), gpus=frozenset({gpu.id}))).book.prices
