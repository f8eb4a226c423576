"""Networks by hand: which one a plan needs, what a card's slot carries, what joins how many ports."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from catalogs.schema import Bridge, Cpu, Kind, Link, Nic, Switch
from constraints.interconnect import host_gbit_s, least_gbit_s, net_of, plan_fault
from constraints.links import Network, lan_port, networks, paths
from constraints.plan import Plan, RowKey
from constraints.policy import Policy
from tests.scenes import scene, verdicts

NO = {"name": "", "vendor": "X", "source": "test"}


def plan(tp: int, pp: int, dp: int, ep: int = 1, replicas: int = 1) -> Plan:
    return Plan("fp8", "bf16", tp, pp, dp, ep, replicas, 1)


def key(per_node: int, nodes: int, net: str = "none", gbit_s: int = 0) -> RowKey:
    return RowKey("g", 300, per_node, nodes, 1, 0, 0, net, gbit_s)


@pytest.mark.parametrize(
    ("tp", "pp", "dp", "per_node", "net"),
    [(1, 1, 1, 8, "none"), (8, 1, 1, 8, "none"), (2, 2, 1, 8, "none"), (4, 3, 1, 8, "pp"), (8, 2, 1, 8, "pp"),
     (3, 1, 1, 8, "pp"), (8, 1, 2, 8, "rdma"), (4, 1, 3, 8, "rdma"), (8, 2, 2, 8, "rdma")],
)  # fmt: skip
def test_network_of_a_plan(tp: int, pp: int, dp: int, per_node: int, net: str) -> None:
    assert net_of(plan(tp, pp, dp), per_node) == net


def test_speed_of_a_plans_network() -> None:
    policy = Policy()
    pp, few, wide = (policy.whole(f"interconnect.{x}_gbit_s") for x in ("pp", "ep", "ep_wide"))
    assert pp < few < wide
    assert least_gbit_s(plan(8, 1, 1), 8, policy) == 0
    assert least_gbit_s(plan(8, 2, 1), 8, policy) == pp
    assert least_gbit_s(plan(1, 1, 8, 8), 4, policy) == few
    assert least_gbit_s(plan(1, 1, 9, 9), 4, policy) == wide


@pytest.mark.parametrize(
    ("p", "k", "words"),
    [(plan(4, 1, 1, 1, 2), key(4, 2), ""), (plan(4, 1, 1, 1, 3), key(4, 2), "12 GPUs, the build has 8"),
     (plan(8, 1, 1), key(4, 2, "rdma", 400), "tensor parallel 8 does not stay inside a node of 4"),
     (plan(3, 1, 1, 1, 4), key(4, 3, "pp", 25), "tensor parallel 3 does not stay inside a node of 4"),
     (plan(4, 2, 1), key(4, 2, "pp", 25), ""), (plan(4, 2, 1), key(4, 2, "pp", 24), "needs 25 Gbit/s"),
     (plan(4, 2, 1), key(4, 2), "needs the pp network"),
     (plan(4, 1, 2, 8), key(4, 2, "pp", 25), "needs the rdma network"),
     (plan(4, 1, 2, 8), key(4, 2, "rdma", 100), ""), (plan(4, 1, 2, 8), key(4, 2, "rdma", 99), "needs 100 Gbit/s")],
)  # fmt: skip
def test_plans_that_hardware_does_not_carry(p: Plan, k: RowKey, words: str) -> None:
    fault = plan_fault(p, k, Policy())
    assert (words in fault and bool(fault)) if words else fault == ""


def test_a_pair_is_not_joined_by_bridges_for_four() -> None:
    """Of two sizes of bridge for a GPU the one for larger groups joins no pair, not even with no piece of it."""
    s = scene("bridged")
    (bridge, _), catalog = s.one(Bridge), s.market.catalog
    four = bridge.model_copy(update={"id": "bridge-4", "group_gpus": 4})
    offers = tuple(o.model_copy(update={"part": four.id, "id": "bridge-4-0"}) for o in catalog.offers[bridge.id])
    catalog = replace(catalog, parts={**catalog.parts, four.id: four}, offers={**catalog.offers, four.id: offers})
    asked = catalog, s.market.request, s.market.policy
    assert verdicts(s, *asked, s.case.build) == (set(), True)
    bare = {x: q for x, q in s.case.build.node.items() if x != bridge.id}
    assert verdicts(s, *asked, replace(s.case.build, node=bare)) == ({"interconnect"}, False)


def nic(**fields: Any) -> Nic:
    base = {"fabrics": ("Ethernet",), "rdma": True, "gbit_s": 100, "ports": 1, "connectors": ("QSFP56",),
            "form": "PCIe",
            "pcie_gen": 4, "lanes": 16, "power_w": 20, **NO}  # fmt: skip
    return Nic(id="n", **{**base, **fields})


def cpu(gen: int | None) -> Cpu:
    base = {"generation": "g", "socket": "SP5", "max_sockets": 1, "cores": 8, "tdp_w": 100, "mem_gen": "DDR5"}
    return Cpu(id="c", dimm_types=("RDIMM",), pcie_gen=gen, lanes_1p=64, lanes_2p=64, **base, **NO)


@pytest.mark.parametrize(
    ("card", "gen", "gbit_s"),
    [({}, 5, 252), ({}, 3, 126), ({"lanes": 8}, 4, 126), ({"pcie_gen": 5}, 5, 504), ({"pcie_gen": 5}, None, 126),
     ({"pcie_gen": 6}, 6, 968), ({"pcie_gen": 7}, 7, 1936)],
)  # fmt: skip
def test_what_a_cards_slot_carries(card: dict[str, int], gen: int | None, gbit_s: float) -> None:
    """128b/130b coding: 15.75 GB/s one way of a generation 3 x16 link, doubling with each generation up to 5."""
    assert host_gbit_s(nic(**card), cpu(gen)) == gbit_s


# Switches and cables --------------------------------------------------------------------------------------------------


def switch(ports: int = 8, **fields: Any) -> Switch:
    base = {"fabric": "Ethernet", "role": "rdma", "speeds": (f"100:{ports}",), "connectors": ("QSFP56",)}
    return Switch(id="s", **{**base, "rack_units": 1, "weight_kg": 5, "power_w": 100, **NO, **fields})


def cable(name: str = "dac", **fields: Any) -> Link:
    base = {"kind": Kind.CABLE, "gbit_s": 100, "end_a": "QSFP56", "end_b": "QSFP56", "medium": "copper", **NO}
    return Link(id=name, **{**base, **fields})


def net(ports: int, carried: int = 1, trunk: int = 1) -> Network:
    return Network(nic(), "", switch(ports), 100, ((cable(), carried),), ((cable("trunk"), trunk),))


def bill(n: Network, links: int) -> dict[str, int] | None:
    found = n.bill(links)
    return None if found is None else {x.id: q for x, q in found.items()}


def test_one_switch_up_to_its_ports_and_a_fat_tree_beyond() -> None:
    assert bill(net(8), 8) == {"s": 1, "dac": 8}
    # nine ports: three leaves with four down and four up, 12 links up to two spines of eight
    assert bill(net(8), 9) == {"s": 5, "trunk": 12, "dac": 9}
    assert bill(net(8), 12) == {"s": 5, "trunk": 12, "dac": 12}
    assert bill(net(8), 13) == {"s": 6, "trunk": 16, "dac": 13}
    assert bill(net(8), 32) == {"s": 12, "trunk": 32, "dac": 32}
    assert bill(net(8), 33) is None
    assert bill(net(8, 2, 4), 9) == {"s": 5, "trunk": 3, "dac": 5}
    assert bill(net(1), 2) is None
    assert bill(Network(nic(), "", switch(8), 100, ((cable(), 1),), ()), 9) is None


def test_ports_of_all_nodes_meet_at_a_switch_and_a_direct_cable_joins_two() -> None:
    found = net(8).bill_of(3, 2)
    assert found is not None and {x.id: q for x, q in found.items()} == {"s": 1, "dac": 6}
    direct = Network(nic(), "", None, 100, ((cable(), 1),), ())
    pair = direct.bill_of(2, 4)
    assert pair is not None and {x.id: q for x, q in pair.items()} == {"dac": 4}
    assert direct.bill_of(3, 4) is None and direct.bill_of(1, 4) is None


def ids(found: list[Any]) -> list[tuple[tuple[str, int], ...]]:
    return [tuple((x.id, n) for x, n in way) for way in found]


def test_cables_fit_both_ends_speed_and_fabric() -> None:
    def ways(*links: Link, gbit_s: int = 100, a: str = "QSFP56", b: str = "QSFP56") -> list[Any]:
        return ids(paths(links, (a,), (b,), gbit_s, "Ethernet"))

    assert ways(cable()) == [(("dac", 1),)]
    assert ways(cable(links=2)) == [(("dac", 2),)]
    assert ways(cable(gbit_s=200)) == ways(cable(gbit_s=50)) == []
    assert ways(cable(medium="power")) == ways(cable(fabrics=("InfiniBand",))) == []
    assert ways(cable(fabrics=("Ethernet",))) == [(("dac", 1),)]
    assert ways(cable(), a="OSFP") == ways(cable(), b="OSFP") == []
    cat6 = cable("cat6", end_a="RJ45", end_b="RJ45", gbit_s=10)
    assert ways(cat6, gbit_s=1, a="RJ45", b="RJ45") == ways(cat6, gbit_s=10, a="RJ45", b="RJ45") == [(("cat6", 1),)]
    assert ways(cat6, gbit_s=25, a="RJ45", b="RJ45") == []


def test_a_module_at_each_end_of_a_fibre() -> None:
    mpo = "MPO-12/APC"
    optic = cable("optic", kind=Kind.OPTIC, end_b=mpo, medium="MMF")
    twin = cable("twin", kind=Kind.OPTIC, end_b=mpo, medium="MMF", links=2)
    fibre = cable("fibre", end_a=mpo, end_b=mpo, medium="MMF", gbit_s=400)

    def ways(*links: Link) -> list[Any]:
        return ids(paths(links, ("QSFP56",), ("QSFP56",), 100, "Ethernet"))

    assert ways(optic, fibre) == [(("optic", 1), ("fibre", 1), ("optic", 1))]
    assert ways(twin, fibre) == [(("twin", 2), ("fibre", 1), ("twin", 2))]
    assert len(ways(optic, twin, fibre)) == 4
    for change in ({"medium": "SMF"}, {"gbit_s": 50}, {"end_b": "LC"}):
        assert ways(optic, fibre.model_copy(update=change)) == []
    assert ways(fibre) == ways(optic) == []
    assert ways(optic.model_copy(update={"gbit_s": 200}), fibre) == []
    assert ways(optic, fibre.model_copy(update={"gbit_s": 100})) == [(("optic", 1), ("fibre", 1), ("optic", 1))]


@pytest.mark.parametrize(
    ("role", "fabric", "gbit_s", "least", "rates"),
    [("frontend", "Ethernet", 200, 1, {25, 100}), ("frontend", "Ethernet", 200, 26, {100}),
     ("frontend", "Ethernet", 50, 1, {25}), ("frontend", "Ethernet", 10, 1, set()),
     ("frontend", "InfiniBand", 200, 1, set()), ("frontend", "InfiniBand", 100, 1, {100}),
     ("rdma", "Ethernet", 200, 100, set()), ("rdma", "Ethernet", 100, 100, {100})],
)  # fmt: skip
def test_speeds_at_which_a_card_meets_a_switch(
    role: str, fabric: str, gbit_s: int, least: int, rates: set[int]
) -> None:
    """Ethernet ports of a front end settle on any speed of the switch that the card is not slower than."""
    plugs = {"connectors": ("QSFP28",), "fabrics": (fabric,)}
    ends = {"end_a": "QSFP28", "end_b": "QSFP28"}
    links = [cable(f"c{x}", gbit_s=x, **ends) for x in (25, 100, 200)]
    some = switch(role=role, fabric=fabric, speeds=("100:8", "25:32"), connectors=("QSFP28",))
    found = networks([nic(gbit_s=gbit_s, **plugs)], [], [some], links, role, least)
    assert {n.gbit_s for n in found} == rates


def test_every_way_to_join_switches_counts_beyond_one_switch() -> None:
    """The cheaper of two cables between switches is what a fat tree is built of, whatever their names."""
    links = [cable("a", end_a="QSFP28", end_b="QSFP28"), cable("b", end_a="QSFP28", end_b="QSFP28")]
    few = networks([nic(connectors=("QSFP28",))], [], [switch(connectors=("QSFP28",))], links, "rdma", 100, most=8)
    many = networks([nic(connectors=("QSFP28",))], [], [switch(connectors=("QSFP28",))], links, "rdma", 100, most=9)
    assert {ids([n.pieces])[0] for n in few} == {ids([n.pieces])[0] for n in many}
    assert len({n.trunk for n in few}) == 1 and len({n.trunk for n in many}) == 2


def test_cards_and_ports_that_a_network_takes() -> None:
    links = [cable(), cable("cat6", end_a="RJ45", end_b="RJ45", gbit_s=10)]
    front = switch(speeds=("10:8", "100:8"), connectors=("QSFP56", "RJ45"), role="frontend")

    def found(*nics: Nic, lans: tuple[str, ...] = (), role: str = "frontend", least: int = 1, **how: bool) -> list[Any]:
        return [(n.nic.id if n.nic else n.lan, n.switch.id if n.switch else "", n.gbit_s)
                for n in networks(nics, lans, [front, switch()], links, role, least, **how)]  # fmt: skip

    assert found(nic()) == [("n", "s", 100)]
    assert found(nic(), least=100) == [("n", "s", 100)] and found(nic(), least=101) == []
    assert found(nic(rdma=False)) == [("n", "s", 100)] and found(nic(rdma=False), role="rdma") == []
    assert found(nic(fabrics=("InfiniBand",))) == [] and found(nic(gbit_s=50)) == []
    assert found(lans=("2*10:RJ45",)) == [("2*10:RJ45", "s", 10)]
    assert found(lans=("2*10:RJ45",), least=10) and not found(lans=("2*10:RJ45",), least=11)
    assert found(nic(), role="rdma", direct=True) == [("n", "s", 100), ("n", "", 100)]
    assert lan_port("2*10:RJ45") == (10, "RJ45") and lan_port("1*2.5:RJ45") == (2, "RJ45")
