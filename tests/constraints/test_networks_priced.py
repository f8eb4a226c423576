"""The prices of all ways to build a network, made at once, against the sums of their written bills."""

from __future__ import annotations

import pytest

from catalogs.load import load
from catalogs.schema import Kind, Link, Nic, Switch
from constraints.physics.links import networks
from optimizer.search.shared_gear import Wirings

CATALOG = load()


@pytest.mark.parametrize("factor", [1, 2**40])
def test_sums_equal_the_bills(factor: int) -> None:
    """Every network of the shipped catalog, from two nodes to a fat tree; prices beyond 64 bits stay exact."""
    nics = [n for n in CATALOG.of(Kind.NIC) if isinstance(n, Nic)]
    switches = [s for s in CATALOG.of(Kind.SWITCH) if isinstance(s, Switch)]
    links = [x for x in CATALOG.of(Kind.CABLE, Kind.OPTIC) if isinstance(x, Link)]
    price = {p: factor * (1 + 37 * i) for i, p in enumerate(sorted(CATALOG.parts))}
    found = [
        *networks(nics, ["2*10:RJ45"], switches, links, "frontend", 1),
        *networks(nics, [], switches, links, "rdma", 100, direct=True),
    ]
    wirings = Wirings(found, price.__getitem__)
    assert sorted(map(repr, wirings.networks)) == sorted(map(repr, found))
    unreached = 0
    for nodes, per_node in ((2, 1), (3, 1), (2, 8), (40, 8), (500, 10)):
        cents, reached = wirings.cents(nodes, per_node)
        for k, sum_, far in zip(wirings.networks, cents.tolist(), reached.tolist(), strict=True):
            bill = k.bill_of(nodes, per_node)
            assert far == (bill is not None)
            unreached += not far
            if bill is not None:
                assert sum_ == sum(price[x.id] * q for x, q in bill.items())
    assert unreached
