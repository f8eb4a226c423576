"""Single builds at edges of hardware rules that mutants of constraints/ showed to be untested (docs/mutation.md):
power, storage, lanes, fit, memory and site, each in the check and in the certificate."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from catalogs.llm import get
from catalogs.load import Catalog
from catalogs.schema import Contained, Cpu, Drive, Gpu, GpuBoard, Link, Memory, Nic, Part, Platform, Psu, Switch
from constraints.plan import Row
from constraints.policy import Policy
from constraints.request import Circuit
from constraints.rules.lanes import Lanes
from optimizer.market.market import Market
from optimizer.search.solver import Solver
from tests.support.random_catalogs import scenario
from tests.support.scenes import PLENTY, Scene, changed, gear_watts, gpus, lanes_used, load_w, scene, verdicts

FINE: tuple[set[str], bool] = (set(), True)


def refused(rule: str) -> tuple[set[str], bool]:
    """The rule's check alone fails, and the certificate does not let the build stand."""
    return {rule}, False


def judged(s: Scene, *change: tuple[Part, dict[str, Any]], settings: tuple[str, ...] = (), **fields: Any) -> Any:
    """Verdicts on a scene's build with parts changed, under another policy and request."""
    catalog = s.market.catalog
    for part, update in change:
        catalog = with_parts(catalog, catalog.parts[part.id].model_copy(update=update))
    request = s.market.request.model_copy(update=fields)
    return verdicts(s, catalog, request, s.market.policy.with_settings(settings), s.case.build)


def with_parts(catalog: Catalog, *parts: Part) -> Catalog:
    """The catalog with other or more parts; new ones are sold at the price of a part of their kind."""
    offers = dict(catalog.offers)
    for x in parts:
        if x.id not in catalog.parts:
            alike = next(o for p in catalog.of(x.kind) for o in catalog.offers.get(p.id, ()))
            offers[x.id] = (alike.model_copy(update={"id": f"o-{x.id}", "part": x.id}),)
    return replace(catalog, parts={**catalog.parts, **{x.id: x for x in parts}}, offers=offers)


def of(s: Scene, *without: type, **node: int) -> Scene:
    """The scene with nodes that lack parts of some classes and hold others; names with - for _."""
    parts, build = s.market.catalog.parts, s.case.build
    kept = {x: q for x, q in build.node.items() if not isinstance(parts[x], without)}
    made = replace(build, node={**kept, **{x.replace("_", "-"): q for x, q in node.items()}})
    return s._replace(case=replace(s.case, build=made))


# Power ----------------------------------------------------------------------------------------------------------------


def overhead(s: Scene, load: int) -> int:
    """Overhead of the chassis with which a node draws `load` W, fans included: the most that rounds up to it."""
    p = s.one(Platform)[0]
    fans = 12 if p.rack_mount else 4
    found: int = p.overhead_w + load * (100 - fans) // 100 - static_w(s)
    return found


def static_w(s: Scene) -> int:
    """Watts of a node's parts without fans."""
    p, gpu = s.one(Platform)[0], s.market.catalog.parts[s.row.key.gpu]
    watts: int = p.overhead_w + gpus(s) * gpu.tdp_w + sum(q * x.tdp_w for x, q in s.of(Cpu))  # type: ignore[attr-defined]
    return watts + sum(q * x.power_w for cls in (Memory, Drive, Nic) for x, q in s.of(cls))


def test_gpu_transients_fill_an_atx_supply_to_the_watt() -> None:
    """At 150 % two GPUs of 300 W add 300 W to the load; the supply may be loaded to its full output."""
    s = scene("tower")
    psu, gpu = s.one(Psu)[0], s.one(Gpu)[0]
    assert psu.form == "ATX" and (gpus(s), gpu.tdp_w) == (2, 300)
    policy = ("power.psu_load_percent=100", "power.atx_transient_percent=150")
    full = load_w(s) + 300
    assert judged(s, (psu, {"watts": full}), settings=policy) == FINE
    assert judged(s, (psu, {"watts": full - 1}), settings=policy) == refused("power")


@pytest.mark.parametrize(("load", "fine"), [(1080, True), (1081, False)])
def test_a_circuit_drawn_to_the_watt(load: int, fine: bool) -> None:
    """1080 W behind a Gold supply are 1200 W at the wall, all of 5 A at 240 V."""
    s = scene("tower")
    psu, platform = s.one(Psu)[0], s.one(Platform)[0]
    assert psu.efficiency == "Gold"
    found = judged(
        s, (psu, {"watts": 5000}), (platform, {"overhead_w": overhead(s, load)}),
        settings=("power.breaker_percent=100",), circuit=Circuit(amps=5, volts=240),
    )  # fmt: skip
    assert found == (FINE if fine else refused("power"))


@pytest.mark.parametrize(("load", "fine"), [(1870, True), (1871, False)])
def test_a_circuit_of_three_phases_drawn_to_the_watt(load: int, fine: bool) -> None:
    """3 A at 400 V between phases carry sqrt(3) x 1200 = 2078 VA; behind a Gold supply that leaves 1870.2 W."""
    s = scene("tower")
    psu, platform = s.one(Psu)[0], s.one(Platform)[0]
    found = judged(
        s, (psu, {"watts": 5000}), (platform, {"overhead_w": overhead(s, load)}),
        settings=("power.breaker_percent=100",), circuit=Circuit(amps=3, volts=400, phases=3),
    )  # fmt: skip
    assert found == (FINE if fine else refused("power"))


@pytest.mark.parametrize("field", [{"psu_forms": ("builtin",)}, {"psu_forms": (), "includes": ("cpu-heatsink", "psu")}])
@pytest.mark.parametrize(("load", "fine"), [(None, True), (846, True), (847, False)])
def test_built_in_supplies_of_two_nodes_and_their_switches_on_a_circuit(
    field: dict[str, Any], load: int | None, fine: bool
) -> None:
    """Two nodes of 846 W take 900 W each from the wall at 94 %, and switches 200 W, which their makers state there:
    2000 W, all of 10 A at 200 V."""
    s = of(scene("two racks"), Psu, Link)  # without supplies that are plugged in there are no cords
    platform = s.one(Platform)[0]
    assert (s.case.build.nodes, gear_watts(s)) == (2, 200)
    built_in = {**field, "psu_watts": ()}
    if load is None:  # no circuit
        assert judged(s, (platform, built_in)) == FINE
        return
    found = judged(
        s, (platform, {**built_in, "overhead_w": overhead(s, load)}),
        settings=("power.breaker_percent=100",), circuit=Circuit(amps=10, volts=200),
    )  # fmt: skip
    assert found == (FINE if fine else refused("power"))


# Storage --------------------------------------------------------------------------------------------------------------


@cache
def trainer() -> Scene:
    """A complete system of two GPUs that trains a small model whole."""
    catalog, request, _ = scenario(3)
    fields = {"model": "r1-distill-qwen-1.5b", "workload": "finetune-full", "users": None, "budget_cents": PLENTY}
    market = Market.open(catalog, request.model_copy(update=fields), Policy())
    point = Solver(market).front().points[0]
    has = {catalog.parts[x]: q for x, q in point.found.build.node.items()}
    return Scene(market, point.case, point.found.row, has, {})


def disks(nvme_gb: int, disk_gb: int, data_gb: int) -> tuple[set[str], bool]:
    """Verdicts on the trainer with two NVMe drives of 50 GB inside, two more and two hard disks, for a training set."""
    s = trainer()
    (p, _), parts = s.one(Platform), s.market.catalog.parts
    sold: Any = parts["drive0"]
    assert sold.media == "nvme" and "U.2" in sold.forms
    disk = sold.model_copy(
        update={"id": "disk", "media": "hdd", "forms": ("3.5",), "capacity_gb": disk_gb, "power_w": 1}
    )
    catalog = with_parts(
        s.market.catalog,
        sold.model_copy(update={"capacity_gb": nvme_gb, "power_w": 1}),
        disk,
        sold.model_copy(update={"id": "held", "capacity_gb": 50, "power_w": 1}),
        p.model_copy(
            update={"contents": (*p.contents, Contained(part="held", qty=2)), "nvme_bays": 8, "sata_bays": 4,
                    "sata_forms": ("3.5",)}
        ),
    )  # fmt: skip
    request = s.market.request.model_copy(update={"dataset_tb": data_gb / 1000})
    assert request.dataset_gb == data_gb
    build = of(s, Drive, drive0=2, disk=2).case.build
    return verdicts(s, catalog, request, s.market.policy, build)


def test_a_training_set_on_disks_of_any_kind() -> None:
    """Weights once, two checkpoints of 14 bytes a parameter and 200 GB, a fifth free on top, on NVMe; beside it the
    training set, on whatever is left of all drives, those inside the system among them."""
    params = get("r1-distill-qwen-1.5b").params_total
    need = math.ceil((2 * math.ceil(14 * params / 10**9) + math.ceil(2 * params / 10**9) + 200) * 6 / 5)
    nvme = math.ceil((need - 100) / 2)
    data = 100 + 2 * nvme + 2 * 900 - need
    assert data > 1000
    assert disks(nvme, 900, data) == FINE
    assert disks(nvme, 900, data + 1) == refused("storage")
    assert disks(nvme - 1, 901, data) == refused("storage")  # as much in all, but NVMe too small


# Lanes ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("forms", [("PCIe",), ("PCIe", "SXM5"), ("PCIe-LP", "PCIe")])
def test_lanes_of_a_board_that_takes_modules_too(forms: tuple[str, ...]) -> None:
    """Without a PCIe switch the cards hang on the CPUs' lanes, whatever else the board takes."""
    s = scene("tower")
    cpu, p = s.one(Cpu)[0], s.one(Platform)[0]
    lanes = lanes_used(s) - p.chipset_lanes
    assert judged(s, (p, {"gpu_forms": forms}), (cpu, {"lanes_1p": lanes})) == FINE
    assert judged(s, (p, {"gpu_forms": forms}), (cpu, {"lanes_1p": lanes - 1})) == refused("lanes")


def test_a_cpu_whose_lanes_nobody_published_has_none() -> None:
    s = scene("tower")
    cpu, p = s.one(Cpu)[0], s.one(Platform)[0]
    dark = cpu, {"lanes_1p": None}
    assert judged(s, dark, (p, {"chipset_lanes": lanes_used(s)})) == FINE
    assert judged(s, dark, (p, {"chipset_lanes": lanes_used(s) - 1})) == refused("lanes")


def test_disks_that_are_no_nvme_take_no_lanes() -> None:
    """Two SATA disks beside a build whose lanes are just enough without them."""
    s = of(scene("tower"), disk=2)
    drive, cpu, p = s.one(Drive)[0], s.one(Cpu)[0], s.one(Platform)[0]
    disk = drive.model_copy(update={"id": "disk", "media": "hdd", "forms": ("3.5",), "power_w": 1})
    catalog = with_parts(
        s.market.catalog, disk, p.model_copy(update={"sata_bays": 2, "sata_forms": ("3.5",)}),
        cpu.model_copy(update={"lanes_1p": lanes_used(s) - p.chipset_lanes}),
    )  # fmt: skip
    assert verdicts(s, catalog, s.market.request, s.market.policy, s.case.build) == FINE


def test_lanes_of_a_build_on_which_no_plan_runs() -> None:
    """Without a row the narrowest slots count, here x16 as there are no others, and nothing is said of their width."""
    s = scene("tower")
    p = s.one(Platform)[0]
    market = Market.open(changed(s.market.catalog, p, "gpu_lane_widths", (16,)), s.market.request, s.market.policy)
    (found,) = Lanes().check(market.case(s.case.build, s.row.plan))
    assert (found.status, found.measured) == ("pass", 16 * gpus(s) + 4)
    market = Market.open(s.market.catalog, s.market.request, s.market.policy)
    assert p.gpu_lane_widths == (16, 8)
    (found,) = Lanes().check(market.case(s.case.build, s.row.plan))
    assert (found.status, found.measured) == ("pass", 8 * gpus(s) + 4)


# Fit ------------------------------------------------------------------------------------------------------------------


def test_a_board_of_gpus_that_are_sold_singly_too() -> None:
    """A board with the same GPUs goes into no chassis for cards."""
    s = of(scene("tower"), Gpu, board_x=1)
    board = GpuBoard(
        id="board-x", name="", source="test", gpu=s.row.key.gpu, gpus=2, form_factor="PCIe", board_type="UBB-MI300"
    )
    alike = s.market.catalog.offers[s.row.key.gpu][0].model_copy(update={"id": "o-board", "part": "board-x"})
    catalog = replace(
        s.market.catalog,
        parts={**s.market.catalog.parts, "board-x": board},
        offers={**s.market.catalog.offers, "board-x": (alike,)},
    )
    assert verdicts(s, catalog, s.market.request, s.market.policy, s.case.build) == refused("fit")


@pytest.mark.parametrize(("bays", "fine"), [(3, True), (2, False)])
def test_bays_that_the_drives_inside_leave(bays: int, fine: bool) -> None:
    """Two small drives inside, and the one bought that holds the weights: it takes a third bay."""
    s = scene("systems")
    (p, _), (drive, q) = s.one(Platform), s.one(Drive)
    assert q == 1
    held = drive.model_copy(update={"id": "held", "capacity_gb": 10})
    contents = (*p.contents, Contained(part="held", qty=2))
    catalog = with_parts(s.market.catalog, held, p.model_copy(update={"contents": contents, "nvme_bays": bays}))
    found = verdicts(s, catalog, s.market.request, s.market.policy, s.case.build)
    assert found == (FINE if fine else refused("fit"))


@pytest.mark.parametrize(("slots", "fine"), [(3, True), (2, False)])
def test_slots_that_the_cards_inside_leave(slots: int, fine: bool) -> None:
    s = scene("systems")
    (p, _), (nic, q) = s.one(Platform), s.one(Nic)
    assert q == 1
    contents = (*p.contents, Contained(part="held", qty=2))
    held = nic.model_copy(update={"id": "held"})
    catalog = with_parts(s.market.catalog, held, p.model_copy(update={"contents": contents, "nic_slots": slots}))
    found = verdicts(s, catalog, s.market.request, s.market.policy, s.case.build)
    assert found == (FINE if fine else refused("fit"))


def test_a_card_of_another_form_than_the_slots() -> None:
    s = scene("towers")
    assert judged(s, (s.one(Nic)[0], {"form": "OCP3"})) == refused("fit")
    assert judged(s, (s.one(Platform)[0], {"nic_forms": ("OCP3",)})) == refused("fit")
    both = {"nic_forms": ("OCP3", "PCIe")}
    assert judged(s, (s.one(Platform)[0], both)) == FINE


@pytest.mark.parametrize("change", [{"mem_gen": "DDR4"}, {"dimm_type": "UDIMM"}, {"dimm_type": "soldered"}])
def test_modules_that_the_board_does_not_take(change: dict[str, str]) -> None:
    s = scene("tower")
    assert judged(s, (s.one(Memory)[0], change)) == refused("fit")


# Memory ---------------------------------------------------------------------------------------------------------------


def test_soldered_memory_beside_a_card() -> None:
    """A board without slots for modules: none are asked for, though the GPU has memory of its own."""
    s = of(scene("tower"), Memory)
    assert judged(s, (s.one(Platform)[0], {"dimm_slots": 0})) == FINE
    assert judged(s) == refused("host_memory")


@pytest.mark.parametrize(("beyond", "fine"), [(0, True), (1, False)])
def test_modules_with_just_the_room_for_the_experts(beyond: int, fine: bool) -> None:
    """Two modules of 512 GB less 16 GB for the system: 1008 GiB for experts."""
    s = scene("tower")
    memory, q = s.one(Memory)
    assert q == 2
    key = replace(s.row.key, host_gb_s=1, host_gb=2 * 512 - 16 + beyond)
    s = s._replace(row=Row(key, replace(s.row.plan, offload=True), s.row.perf))
    wide = (memory, {"capacity_gb": 512}), (s.one(Cpu)[0], {"mem_max_mts": 4800})
    found = judged(s, *wide, allow_experimental=True)  # the only engines that keep experts there
    assert found == (FINE if fine else refused("host_memory"))


# Site -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("units", [0, None])
def test_towers_take_no_rack_units(units: int | None) -> None:
    """Two nodes that stand on their own, where the site has one rack unit."""
    s = scene("towers")
    assert s.case.build.nodes == 2 and not s.case.build.shared
    assert judged(s, (s.one(Platform)[0], {"rack_units": units}), rack_units=1) == FINE


def test_switches_take_rack_units() -> None:
    """Beside two nodes of 8 units a switch of each network takes one."""
    s = scene("two racks")
    high = 2 * s.one(Platform)[0].rack_units + sum(x.rack_units * q for x, q in s.of(Switch))
    assert high == 18
    assert judged(s, rack_units=high) == FINE
    assert judged(s, rack_units=high - 1) == refused("site")


# Memory that a CPU's controller does not take -------------------------------------------------------------------------


def test_modules_are_of_a_type_that_the_cpu_takes() -> None:
    """A board may have slots for a type that not every CPU of its socket takes (MRDIMM beside Xeon 6500P)."""
    s = scene("tower")
    cpu, module, board = s.one(Cpu)[0], s.one(Memory)[0], s.one(Platform)[0]
    both = {"dimm_types": ("RDIMM", "MRDIMM")}
    assert judged(s, (board, both)) == judged(s, (board, both), (cpu, both)) == FINE
    mrdimm = (module, {"dimm_type": "MRDIMM"})
    assert judged(s, (board, both), (cpu, both), mrdimm) == FINE
    assert judged(s, (board, both), mrdimm) == refused("fit")
