"""Networks by hand: which one a plan needs, what a card's slot carries, what joins how many ports."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from catalogs.load import Catalog
from catalogs.schema import Bridge, Cpu, Kind, Link, Nic, Part, Platform, Switch
from constraints.build import Build
from constraints.physics.links import Network, lan_port, networks, paths, thrifty
from constraints.plan import Plan, Row, RowKey
from constraints.policy import Policy
from constraints.rules.interconnect import host_gbit_s, least_gbit_s, net_of, plan_fault
from constraints.rules.registry import findings
from optimizer.market.market import Market
from tests.support.scenes import PLENTY, Scene, certificate, scene, verdicts

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
     (plan(4, 2, 1), key(4, 2, "rdma", 100), ""),
     (plan(4, 2, 1), key(4, 2, "pp", 25), ""), (plan(4, 2, 1), key(4, 2, "pp", 24), "needs 25 Gbit/s"),
     (plan(4, 2, 1), key(4, 2), "pipeline stages need a network of their own speed"),
     (plan(4, 1, 2, 8), key(4, 2, "pp", 25), "expert parallelism needs an RDMA fabric"),
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


def test_a_row_without_bridges_takes_none() -> None:
    """Bridges of a build whose row does not use them stand in no certificate, not even demanded by --include."""
    s = scene("bridged")
    (bridge, _), key = s.one(Bridge), replace(s.row.key, domain=1)
    s = s._replace(row=Row(key, s.row.plan, s.row.perf))
    bare = {x: q for x, q in s.case.build.node.items() if x != bridge.id}
    request = s.market.request.model_copy(update={"include": (bridge.id,)})
    asked = s.market.catalog, s.market.request, s.market.policy
    assert verdicts(s, *asked, replace(s.case.build, node=bare)) == (set(), True)
    assert not verdicts(s, *asked, s.case.build)[1]
    assert not verdicts(s, s.market.catalog, request, s.market.policy, s.case.build)[1]


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


def changed(s: Scene, **parts: dict[str, Any]) -> Catalog:
    """The scene's catalog with fields of parts changed; names with - for _."""
    all_ = dict(s.market.catalog.parts)
    for x, fields in parts.items():
        name = x.replace("_", "-")
        all_[name] = all_[name].model_copy(update=fields)
    return replace(s.market.catalog, parts=all_)


@pytest.mark.parametrize(("port", "fine"), [("2*1:RJ45", True), ("2*0.9:RJ45", False)])
def test_a_front_end_of_1_gbit_s_joins_replicas(port: str, fine: bool) -> None:
    s = scene("wet GPUs")
    assert s.row.key.net == "none" and s.case.build.nodes == 2
    catalog = changed(s, sw_frontend={"speeds": ("1:8", "0:8")}, box0={"onboard_lan": (port,)})
    found = verdicts(s, catalog, s.market.request, s.market.policy, s.case.build)
    assert found == ((set(), True) if fine else ({"interconnect"}, False))


@pytest.mark.parametrize(("gbit_s", "fine"), [(25, True), (24, False)])
def test_stages_over_an_onboard_port_of_just_their_speed(gbit_s: int, fine: bool) -> None:
    """The site has the network; without a card the port on the board carries the stages' traffic."""
    s = scene("towers")
    assert s.row.key.net == "pp" and "network" in s.market.request.have
    bare = {x: q for x, q in s.case.build.node.items() if not isinstance(s.market.catalog.parts[x], Nic)}
    catalog = changed(s, box0={"onboard_lan": (f"1*{gbit_s}:SFP28",)})
    found = verdicts(s, catalog, s.market.request, s.market.policy, replace(s.case.build, node=bare))
    assert found == ((set(), True) if fine else ({"interconnect"}, False))


# RDMA fabrics of three towers -----------------------------------------------------------------------------------------


def fabric(per_node: int, nodes: int, ports: int = 8, rate: int = 100) -> tuple[Scene, Catalog]:
    """Towers whose GPUs form one data-parallel group over RDMA, big enough for it; switches are joined by `dac` or by
    `thin`, a cable between switches alone, which comes first in the catalog."""
    s = scene("towers")
    key = replace(s.row.key, per_node=per_node, nodes=nodes, net="rdma", net_gbit_s=rate)
    plan = replace(s.row.plan, tp=per_node, pp=1, dp=nodes, ep=1, replicas=1, concurrency=1)
    s = s._replace(row=Row(key, plan, s.row.perf))
    catalog = changed(
        s, nic0={"rdma": True, "pcie_gen": 5, "lanes": 16}, sw_rdma={"speeds": (f"100:{ports}",)},
        cpu0={"cores": 64, "lanes_1p": 128}, psu_t={"watts": 20_000}, dimm0={"capacity_gb": 512},
    )  # fmt: skip
    more: Switch | Any = catalog.parts["sw-rdma"]
    uplinks = more.model_copy(update={"connectors": (*more.connectors, "QSFP28")})
    dac: Any = catalog.parts["dac"]
    thin = dac.model_copy(update={"id": "thin", "end_a": "QSFP28", "end_b": "QSFP28"})
    parts: dict[str, Part] = {"thin": thin, **catalog.parts, "sw-rdma": uplinks}
    offer = catalog.offers["dac"][0].model_copy(update={"id": "o-thin", "part": "thin"})
    return s, replace(catalog, parts=parts, offers={**catalog.offers, "thin": (offer,)})


def laid(s: Scene, shared: dict[str, int]) -> Build:
    """The towers with a card for each GPU and these shared parts."""
    k = s.row.key
    kept = {x: q for x, q in s.case.build.node.items() if not x.startswith(("gpu", "nic"))}
    return Build(k.nodes, {**kept, k.gpu: k.per_node, "nic0": k.per_node}, shared)


def rdma(
    s: Scene, catalog: Catalog, shared: dict[str, int], *others: RowKey, most: int = 3, **fields: Any
) -> tuple[set[str], bool]:
    """Verdicts on the towers; the certificate may choose between the scene's row and others of the family."""
    request = s.market.request.model_copy(update={"max_nodes": most, **fields})
    market, build = Market.open(catalog, request, s.market.policy), laid(s, shared)
    failed = {c.rule for c in findings(market.case(build, s.row.plan, s.row.key)) if c.status == "fail"}
    rows = [s.row, *(Row(k, replace(s.row.plan, dp=k.nodes), s.row.perf) for k in others)]
    family = certificate(market, s, build, rows)
    return failed, family is not None and family.under(lambda r: PLENTY if r.key == s.row.key else -1) is not None


def test_either_way_to_join_switches_of_a_fabric_of_several() -> None:
    """Six ports on switches of five: three leaves with two down and two up, six links to two spines, whichever cable
    joins the switches."""
    s, catalog = fabric(2, 3, ports=5)
    for trunk in ({"thin": 6, "dac": 6}, {"dac": 12}):
        assert rdma(s, catalog, {"sw-rdma": 5, **trunk}) == (set(), True)
    assert rdma(s, catalog, {"sw-rdma": 5, "thin": 5, "dac": 6}) == ({"interconnect"}, False)


def test_the_largest_number_of_nodes_decides_how_switches_may_be_joined() -> None:
    """Two nodes would fill a switch of four ports; three take more, so that every way to join switches counts."""
    s, catalog = fabric(2, 3, ports=4)
    two = replace(s.row.key, nodes=2)
    for trunk in ({"thin": 6, "dac": 6}, {"dac": 12}):
        assert rdma(s, catalog, {"sw-rdma": 5, **trunk}, two) == (set(), True)


def test_rows_of_two_speeds_ask_for_one_network_each() -> None:
    """Cards of 100 Gbit/s are all that a row of 100 takes, though the family has a row of 400 too."""
    s, catalog = fabric(1, 2)
    fast = replace(s.row.key, net_gbit_s=400)
    assert rdma(s, catalog, {"dac": 1}, fast) == (set(), True)
    assert rdma(s, catalog, {"sw-rdma": 1, "dac": 2}, fast) == (set(), True)


def test_three_nodes_are_not_cabled_directly() -> None:
    s, catalog = fabric(1, 3)
    assert rdma(s, catalog, {"sw-rdma": 1, "dac": 3}) == (set(), True)
    for shared in ({}, {"dac": 1}, {"dac": 3}):
        assert rdma(s, catalog, shared) == ({"interconnect"}, False)


def test_a_chassis_without_the_port_beside_one_with_it() -> None:
    """Two chassis of one catalog: a cable from the front end to a port on the board joins only those that have it."""
    s = scene("wet GPUs")
    own, cards = s.one(Platform)[0], [x for x in s.market.catalog.of(Kind.NIC) if x.id in s.market.book.prices]
    bare = own.model_copy(update={"id": "bare", "onboard_lan": ()})
    offer = s.market.catalog.offers[own.id][0].model_copy(update={"id": "o-bare", "part": "bare"})
    parts = {**changed(s, cpu1={"lanes_1p": 128}).parts, "bare": bare}
    catalog = replace(s.market.catalog, parts=parts, offers={**s.market.catalog.offers, "bare": (offer,)})
    node = {**{x: q for x, q in s.case.build.node.items() if x != own.id}, "bare": 1, cards[0].id: 1}
    both = (own.id, "bare")
    build = replace(s.case.build, node=node)
    found = verdicts(s, catalog, s.market.request, s.market.policy, build, both)
    assert found == ({"interconnect"}, False)
    shared = {**s.case.build.shared, "cat6": 2, "dac": 2}
    found = verdicts(s, catalog, s.market.request, s.market.policy, replace(build, shared=shared), both)
    assert found == (set(), True)


def test_of_ways_to_join_switches_those_that_cost_less_somewhere() -> None:
    """Per link: a at 50, b at 40, c of two links a piece at 60. Of a and b the cheaper one stays, and c does."""
    a, b, c = (((cable(x), n),) for x, n in (("a", 1), ("b", 1), ("c", 2)))
    price = {"a": 50, "b": 40, "c": 60}
    assert thrifty([a, b, c], price.__getitem__) == [b, c]
    assert thrifty([b, a, c], price.__getitem__) == [b, c]
    # modules of two links over fibres of one: one link is 100 against 155, two are 190 against 180
    x, y = (((cable(m), 2), (cable(f), 1)) for m, f in (("m1", "f1"), ("m2", "f2")))
    split = {"m1": 10, "f1": 90, "m2": 130, "f2": 25}
    assert thrifty([x, y], split.__getitem__) == [x, y]


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
