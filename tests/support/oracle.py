"""Brute force over small catalogs: every combination of parts, every rule by its own arithmetic, no search.

Written from the rules' words. It imports catalog classes and, for the speed of one given plan, the physics; nothing
of constraints/ or of the search. `front(off=rule)` leaves one rule out: to see in which catalogs it alone decides.
"""

from __future__ import annotations

import csv
import itertools
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from catalogs.formats import SCALES
from catalogs.llm import Layer, Llm
from catalogs.load import Catalog
from catalogs.schema import Gpu, GpuBoard, Kind, Platform
from constraints.plan import RowKey  # a record of hardware facts that the roofline reads
from optimizer.throughput import offload, roofline
from optimizer.throughput.calibration import shipped
from optimizer.throughput.constants import constants
from optimizer.throughput.demand import Demand, demand
from optimizer.throughput.jobs import of_keys
from tests.support.plan_oracle import lines, starts
from tests.support.split_oracle import split_tenths

DATA = Path(__file__).parents[2] / "constraints" / "data"
RULES = (
    "vram",
    "precision",
    "software",
    "host_memory",
    "fit",
    "lanes",
    "cores",
    "storage",
    "interconnect",
    "cooling",
    "rack",
    "power",
    "site",
    "procurement",
    "budget",
)
GB = 10**9
BITS = {"fp16": 16, "bf16": 16, "fp8": 8, "int8": 8, "fp4-mix": 4, "int4": 4, "nvfp4": 4, "mxfp4": 4}
GGUF = {
    "q8_0": 8, "q6_k": 6, "q5_k_m": 5, "q4_k_m": 4, "iq4_xs": 4, "q4_0": 4, "mxfp4_moe": 4, "q3_k_m": 3, "iq3_xxs": 3,
    "q2_k": 2, "iq2_m": 2, "iq2_xxs": 2, "iq1_m": 1,
}  # fmt: skip
"""Kinds of GGUF files that count where a request asks for a floor (docs/models.md)."""
MLX = {f"mlx-{bits}bit": bits for bits in (8, 6, 5, 4, 3, 2)}
FILES = GGUF | MLX
BITS |= FILES


def named(precision: str) -> tuple[str, ...]:
    """What tables of engines and generations call a format: `gguf` is any kind of GGUF file."""
    return (precision, "gguf") if precision in GGUF else (precision,)


EFFICIENCY = {"Gold": 90, "Platinum": 92, "Titanium": 94}
PCIE = {3: 15.75, 4: 31.5, 5: 63.0}
MOST_USERS = 1024
"""Requests per data-parallel rank that an engine takes (the roofline's max_batch)."""


@cache
def rows_of(name: str) -> list[dict[str, str]]:
    with (DATA / f"{name}.csv").open(encoding="utf-8") as f:
        return list(csv.DictReader(f))


@dataclass(frozen=True)
class Ask:
    """The request in plain words; `policy` values are the shipped defaults unless a test changes them."""

    model: Llm
    budget_cents: int
    isl: int
    osl: int
    min_tok_s_user: float = 10
    users: int | None = None
    floor_bits: int = 16
    any_precision: bool = False
    max_nodes: int = 2
    max_power_w: int | None = None
    circuit: tuple[int, int] | None = None
    british: bool = False
    """Bought in the UK, where lines have 240 V too."""
    """Amperes, volts."""
    three_phases: bool = False
    """Whether the circuit has three, with the volts between two of them."""
    rack_units: int | None = None
    site_water: bool = False
    have_racks: bool = False
    have_network: bool = False
    conditions: tuple[str, ...] = ("new",)
    exclude: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    offload: bool = False
    grade: str = "floor"
    allow_experimental: bool = False
    cost_axis: str = "money"
    origins: tuple[str, ...] = ()
    barred_origins: tuple[str, ...] = ()
    market: str = "US"
    confidences: tuple[str, ...] = ("list", "contract", "street", "sold", "indexed", "estimate")
    day: date = date(2026, 11, 1)
    max_age: int | None = None
    price_level: str = "middle"
    bought_as: str = "configured"
    prefer: str = "any"
    max_lead: int | None = None
    strict_lead: bool = False
    approved: tuple[str, ...] = ()
    barred: tuple[str, ...] = ()
    max_estimated: int | None = None
    max_sellers: int | None = None
    max_share: int | None = None
    speculate: bool = False
    drafted: int = 0
    cached: int = 0

    @property
    def by_share(self) -> bool:
        """Whether a share of the cost is limited: then nothing may be bought to no use."""
        return self.max_estimated is not None or self.max_share is not None


@dataclass(frozen=True)
class Speculating:
    """Latencies of a replica whose module proposes `depth` tokens a step, token by token: the n-th of a step is there
    where all n - 1 before it were accepted. `times`: pieces of the roofline."""

    times: roofline.Times
    depth: int

    @property
    def osl(self) -> Any:
        return self.times.osl

    def ttft_s(self, running: Any) -> Any:
        return self.times.ttft_s(running)

    def tpot_s(self, running: Any) -> Any:
        t, given, chance = self.times, 0.0, 1.0
        for _ in range(self.depth + 1):
            given, chance = given + chance, chance * t.accepted
        others = (1 - t.burst) * t.mixing * (running - 1) * t.prefill_s / t.osl * given
        step = self._step(running, self.depth + 1, others) + self.depth * t.draft_share * self._step(running, 1, 0.0)
        return step / given

    def _step(self, running: Any, proved: int, others: Any) -> Any:
        t = self.times
        batch = running / t.waves
        memory = t.mem_fixed_s + t.mem_user_s * batch
        memory = memory + t.mem_experts_s * (1 - t.miss ** ((batch * proved) ** t.skew))
        work = t.flops_user_s * proved * batch + t.hidden * others / t.pp
        both = (memory**t.knee + work**t.knee) ** (1 / t.knee)
        links = t.link_user_s * proved * batch + t.user_s * batch + t.stage_fixed_s
        return t.pp * t.idle * (both + links) + (1 - t.hidden) * others

    def request_s(self, running: Any) -> Any:
        return self.ttft_s(running) + self.tpot_s(running) * (self.osl - 1)


def held_by_module(llm: Llm, precision: str) -> tuple[int, int, int]:
    """Bytes of a model's module for several tokens at a precision, matrix by matrix: routed experts, what each rank
    holds whole, the rest. Conversions to fewer than 8 bits leave it as it is published, or in 16 if that is in more."""
    published = precision == llm.native_precision
    left = not published and BITS[precision] < 8
    usual = precision if not left else llm.native_precision if BITS[llm.native_precision] < 8 else "bf16"
    experts = whole = rest = 0
    for layer in llm.draft_list:
        rest += 2 * layer.bf16 + 4 * layer.fp32
        for linear in layer.linears:
            held = usual if linear.expert else llm.mixed.get(usual, usual)
            if linear.whole:
                held = "bf16"
            if linear.stored and usual == llm.native_precision:
                held = linear.stored
            size = linear.bytes(held, llm.scales if published else SCALES)
            experts += size if linear.expert else 0
            whole += size if linear.copied else 0
            rest += 0 if linear.expert or linear.copied else size
    return experts, whole, rest


def box_kg(box: Any) -> int:
    """A switch's or a CDU's weight; 15 kg for each rack unit where it is unknown."""
    return 15 * box.rack_units if box.weight_kg is None else round(box.weight_kg)


def box_w(box: Any) -> int:
    """A switch's draw; a CDU's, or 2 % of the heat it takes where it is unknown; connections draw nothing."""
    if box.kind == Kind.COOLING and box.role.startswith("cdu") and box.power_w is None:
        return math.ceil(Fraction(2 * box.capacity_w, 100))
    return box.power_w or 0


def plus(a: Mapping[str, int], b: Mapping[str, int]) -> Counter[str]:
    """Pieces of both; `+` of counters takes four times as long."""
    out = Counter(a)
    for x, q in b.items():
        out[x] += q
    return out


Speeds = tuple[tuple[str, int], ...]
"""0.1 tok/s by the rule left out; "" is with all of them."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """A node but for its drives and cards: one choice of every other part, and how many such nodes there are."""

    platform: Platform
    inside: dict[str, int]
    """Pieces that a complete system holds."""
    gpu: Gpu
    per_node: int
    nodes: int
    cpu: Any
    memory: Any
    modules: int
    psu: Any
    supplies: int
    cooler: Any
    bridge: Any


@dataclass(frozen=True, slots=True)
class Drives:
    """The drives of a node, those inside of a system included."""

    parts: list[tuple[Any, int]]
    room_gb: int
    read_mb_s: int


@dataclass(frozen=True, slots=True)
class Built:
    """A whole build: pieces of a node, how many nodes, pieces beside them, and its cost on axes other than money."""

    node: Counter[str]
    nodes: int
    shared: Counter[str]
    watts: int
    rack_units: int


@dataclass(eq=False)
class Oracle:
    """All builds of a catalog with what they cost, how fast they are and which rules they break."""

    catalog: Catalog
    ask: Ask
    nodes_tried: int = 2
    left_out: frozenset[str] = frozenset()
    """Rules without which fronts are asked for, one at a time: a build that breaks one of them alone is kept."""
    builds: set[tuple[int, int, tuple[tuple[str, int], ...], frozenset[str]]] = field(default_factory=set)
    """(cost on the axis, cents, 0.1 tok/s by rule left out, rules broken)"""

    def __post_init__(self) -> None:
        self._joined: dict[tuple[Any, ...], list[tuple[Counter[str], str | None, int]]] = {}
        self._needed: dict[str, int] = {}
        self._graded: dict[tuple[str, str, str], list[Fraction]] = {}
        self._runs: dict[RowKey, list[tuple[str, tuple[tuple[str, int], ...]]]] = {}
        self._known: dict[tuple[str, RowKey, str], tuple[tuple[str, int], ...]] = {}
        self.by_kind: dict[Kind, list[Any]] = {}
        for p in self.catalog.parts.values():
            self.by_kind.setdefault(p.kind, []).append(p)
        self.offer = {p: self._offer(p) for p in self.catalog.parts}
        self.any_offer = {p: min(self.catalog.offers.get(p, ()), key=self._order, default=None) for p in self.offer}
        self.admitted = {p: self._admitted(p) for p in self.catalog.parts}
        self.within = {x: [c.part for c in getattr(p, "contents", ())] for x, p in self.catalog.parts.items()}
        self.unlisted = {p for p in self.catalog.parts if self._off_lists(p)}
        for platform in self.of(Kind.PLATFORM, Kind.SYSTEM):
            self._platform(platform)

    def of(self, *kinds: Kind) -> list[Any]:
        return [p for k in kinds for p in self.by_kind.get(k, [])]

    def _kept(self, broken: set[str]) -> bool:
        """Whether a build with these faults, and maybe more to come, can be on a front that is asked for."""
        return not broken or (len(broken) == 1 and broken <= self.left_out)

    def front(self, off: str | None = None) -> list[tuple[int, int]]:
        """(cost, 0.1 tok/s), ascending in both; `off` is the rule left out."""
        assert off is None or off in self.left_out
        allowed = {off}
        points = []
        for cost, cents, speeds, broken in self.builds:
            tenths = dict(speeds).get(off or "", dict(speeds)[""])
            if tenths > 0 and broken <= allowed and (off == "budget" or cents <= self.ask.budget_cents):
                points.append((cost, tenths))
        out: list[tuple[int, int]] = []
        for cost, tenths in sorted(points, key=lambda p: (p[0], -p[1])):
            if not out or tenths > out[-1][1]:
                out.append((cost, tenths))
        return out

    # Prices ---------------------------------------------------------------------------------------------------

    def _order(self, o: Any) -> tuple[int, str]:
        return int(o.price * 100), o.id  # all random offers are in USD

    def _admitted(self, part: str) -> list[Any]:
        """The offers that compete for a part, of those that the buyer admits."""
        from tests.support.price_states import competing  # it draws on the random catalogs, which draw on this

        return competing(self.catalog, self.catalog.parts[part], self.ask)

    def _offer(self, part: str) -> Any:
        """The offer that prices a part: the cheapest of those that the buyer admits."""
        return min(self._admitted(part), key=self._order, default=None)

    def _bill(self, all_: Counter[str]) -> list[tuple[Any, int]] | None:
        """(offer, cents) of the lines: the offers that price the parts; where sellers, days or shares are limited, of
        every choice that keeps to the limits the cheapest, of the fewest days that the budget allows."""
        ask = self.ask
        offers = {x: self.admitted[x] for x in all_}
        if (ask.max_sellers or ask.by_share or ask.cost_axis == "lead-time") and all(offers.values()):
            days = sorted({o.lead_time_days or 0 for of in offers.values() for o in of})
            for d in days if ask.cost_axis == "lead-time" else days[-1:]:
                soon = {x: [o for o in of if (o.lead_time_days or 0) <= d] for x, of in offers.items()}
                if not all(soon.values()):
                    continue
                bills = (self._splits if ask.by_share else self._of_few)(all_, soon)
                best = min(bills, key=lambda bill: sum(line for _, line in bill), default=None)
                if best and (ask.cost_axis != "lead-time" or sum(line for _, line in best) <= ask.budget_cents):
                    return best
        plain = [(self.offer[x] or self.any_offer[x], q) for x, q in all_.items()]
        return [(o, q * int(o.price * 100)) for o, q in plain] if all(o for o, _ in plain) else None

    def _of_few(self, all_: Counter[str], offers: dict[str, list[Any]]) -> Iterator[list[tuple[Any, int]]]:
        """The cheapest bill of every choice of sellers."""
        sellers = sorted({o.seller for of in offers.values() for o in of})
        most = min(self.ask.max_sellers or len(sellers), len(sellers))
        for few in itertools.combinations(sellers, most):
            fine = {x: [o for o in of if o.seller in few] for x, of in offers.items()}
            if all(fine.values()):
                best = {x: min(of, key=self._order) for x, of in fine.items()}
                yield [(best[x], q * int(best[x].price * 100)) for x, q in all_.items()]

    def _splits(self, all_: Counter[str], offers: dict[str, list[Any]]) -> Iterator[list[tuple[Any, int]]]:
        """Every bill within the limits: each part split over its offers in every way. Of offers that no limit tells
        apart only the cheapest: to pay more for nothing is no way to bring a share down."""
        ways = []
        for x, q in all_.items():
            alike: dict[Any, Any] = {}
            for o in sorted(offers[x], key=self._order):
                by_seller = self.ask.max_share is not None or self.ask.max_sellers is not None
                alike.setdefault((by_seller and o.seller, o.confidence == "estimate"), o)
            of = list(alike.values())
            counts = [c for c in itertools.product(range(q + 1), repeat=len(of)) if sum(c) == q]
            ways.append([[(o, n * int(o.price * 100)) for o, n in zip(of, c, strict=True) if n] for c in counts])
        for chosen in itertools.product(*ways):
            bill = [line for lines in chosen for line in lines]
            if bill and not self._shares_broken(bill, sum(line for _, line in bill)):
                yield bill

    def _off_lists(self, part: str) -> bool:
        """Whether market, origin or approved list speak against a part itself."""
        ask, p = self.ask, self.catalog.parts[part]
        approved = {self.catalog.parts[x].kind for x in ask.approved}
        return (
            (bool(ask.origins) and p.country not in ask.origins)
            or (p.country != "" and p.country in ask.barred_origins)
            or not self._sold_there(p)
            or part in ask.barred
            or (p.kind in approved and part not in ask.approved)
        )

    def _sold_there(self, p: Any) -> bool:
        """Whether the buyer's market has a part: listed there, or not among those where it is left out; Chinese
        accelerators are sold in China alone."""
        there = self.ask.market
        if p.kind == Kind.GPU and p.country == "CN" and there not in ("CN", "any"):
            return False
        only = [code for code in p.markets if code[0] != "!"]
        return f"!{there}" not in p.markets and (not only or there in only)

    # Nodes ----------------------------------------------------------------------------------------------------

    def _platform(self, p: Platform) -> None:
        choices, drives = list(self._fitted(p)), self._drive_choices()
        for nodes in range(1, self.nodes_tried + 1):
            for alone, node, broken in choices:
                made = replace(alone, nodes=nodes)
                for chosen in drives:
                    self._with_drives(made, node + Counter(d.id for d in chosen), broken)

    def _fitted(self, p: Platform) -> Iterator[tuple[Fitted, Counter[str], set[str]]]:
        """Each node on a platform but for its drives and cards that can be on a front: (its choices, its parts, the
        rules it breaks). A fault found is never undone, so a choice that breaks too much alone is
        not combined with others."""
        inside = {c.part: c.qty for c in p.contents}
        for gpu, k, bought_gpu in self._gpu_choices(p, inside):
            of_gpu = self._gpu_faults(p, gpu, k, inside, bought_gpu)
            if not self._kept(of_gpu):
                continue
            cpus = [None] if self._holds(inside, Kind.CPU) else self.of(Kind.CPU)
            memories = list(itertools.product(self.of(Kind.MEMORY), (1, 2, 4)))
            if self._holds(inside, Kind.MEMORY):
                memories = [(None, 0), *itertools.product(self.of(Kind.MEMORY), (1, 2, 3))]
            psus = [(None, 0)] if "psu" in p.includes else list(itertools.product(self.of(Kind.PSU), (1, 2, 3)))
            coolers = [None, *(c for c in self.of(Kind.COOLING) if c.role == "cpu-cooler")]
            bridges = [None, *self.of(Kind.BRIDGE)]
            of_memory = [self._memory_faults(p, gpu, k, inside, *memory) for memory in memories]
            of_supplies = [self._supply_faults(p, *supplies) for supplies in psus]
            of_bridge = [self._bridge_faults(gpu, k, bridge) for bridge in bridges]
            for cpu in cpus:
                of_cpu = of_gpu | self._cpu_faults(p, k, inside, cpu)
                of_coolers = [self._cooler_faults(p, cpu, cooler) for cooler in coolers]
                for (mem, m), memory_faults in zip(memories, of_memory, strict=True):
                    of_board = of_cpu | memory_faults
                    if mem and cpu and mem.dimm_type not in cpu.dimm_types:
                        of_board = of_board | {"fit"}
                    if not self._kept(of_board):
                        continue
                    for (psu, f), supply_faults in zip(psus, of_supplies, strict=True):
                        for cooler, cooler_faults in zip(coolers, of_coolers, strict=True):
                            for bridge, bridge_faults in zip(bridges, of_bridge, strict=True):
                                broken = of_board | supply_faults | cooler_faults | bridge_faults
                                if self._kept(broken):
                                    made = Fitted(p, inside, gpu, k, 0, cpu, mem, m, psu, f, cooler, bridge)
                                    yield made, self._bought(made, bought_gpu), broken

    def _drive_choices(self) -> list[tuple[Any, ...]]:
        drives: list[tuple[Any, ...]] = [
            (),
            *((d,) for d in self.of(Kind.DRIVE)),
            *itertools.combinations_with_replacement(self.of(Kind.DRIVE), 2),
        ]
        if self.ask.grade != "floor":
            drives += itertools.combinations_with_replacement(self.of(Kind.DRIVE), 3)
            drives += itertools.combinations_with_replacement(self.of(Kind.DRIVE), 4)
        return drives

    def _bought(self, made: Fitted, bought_gpu: dict[str, int]) -> Counter[str]:
        """The parts of a node that are bought, but for drives and cards."""
        node = Counter(bought_gpu)
        node[made.platform.id] += 1
        if made.cpu:
            node[made.cpu.id] += made.platform.sockets
        if made.memory:
            node[made.memory.id] += made.modules
        if made.psu:
            node[made.psu.id] += made.supplies
        if made.cooler:
            node[made.cooler.id] += made.platform.sockets
        if made.bridge:
            node[made.bridge.id] += made.per_node // made.bridge.group_gpus * made.bridge.per_group
        return node

    def _holds(self, inside: dict[str, int], kind: Kind) -> bool:
        return any(self.catalog.parts[x].kind == kind for x in inside)

    def _gpu_choices(self, p: Platform, inside: dict[str, int]) -> list[tuple[Gpu, int, dict[str, int]]]:
        held = [(self.catalog.parts[x], q) for x, q in inside.items()]
        for part, q in held:
            if isinstance(part, Gpu):
                free = (1, 2, 3) if part.sold_as == "single" else ()
                return [(part, q, {}), *((part, q + more, {part.id: more}) for more in free)]
        out: list[tuple[Gpu, int, dict[str, int]]] = []
        for g in self.of(Kind.GPU):
            if g.sold_as == "single":
                out += [(g, k, {g.id: k}) for k in (1, 2, 3)]
        for b in self.of(Kind.GPU_BOARD):
            assert isinstance(b, GpuBoard)
            g = self.catalog.parts[b.gpu]
            assert isinstance(g, Gpu)
            out.append((g, b.gpus, {b.id: 1}))
        return out

    def _gpu_faults(
        self, p: Platform, gpu: Gpu, k: int, inside: dict[str, int], bought_gpu: dict[str, int]
    ) -> set[str]:
        """What is broken by a platform and its GPUs, whatever else the node holds."""
        broken: set[str] = set()
        boards = [x for x in bought_gpu if self.catalog.parts[x].kind == Kind.GPU_BOARD]
        as_delivered = any(self.catalog.parts[x].kind == Kind.GPU for x in inside) and not bought_gpu.get(gpu.id)
        if not as_delivered:
            board = self.catalog.parts[boards[0]] if boards else None
            if gpu.form_factor not in p.gpu_forms or gpu.cooling not in p.gpu_cooling or k > p.gpu_slots:
                broken.add("fit")
            if bool(p.gpu_boards) != bool(board) or (board and board.board_type not in p.gpu_boards):
                broken.add("fit")
            if p.gpu_width_total is not None and k * (gpu.width_slots or 2) > p.gpu_width_total:
                broken.add("fit")
            if p.gpu_max_w is not None and gpu.tdp_w > p.gpu_max_w:
                broken.add("fit")
        if self._is_graded_for_cards(p):
            fans = gpu.cooling in ("blower", "open-fan")
            if p.rack_mount and "passive" in p.gpu_cooling and fans and "gpu" not in p.includes:
                broken.add("fit")
        if self._beyond_its_makers_list(p, gpu, k):
            broken.add("fit")
        if p.inlet_max_c is not None and p.inlet_max_c < 27:
            broken.add("cooling")
        return broken

    def _is_graded_for_cards(self, p: Platform) -> bool:
        return self.ask.grade != "floor" and p.gpu_forms == ("PCIe",)

    def _cpu_faults(self, p: Platform, k: int, inside: dict[str, int], cpu: Any) -> set[str]:
        broken: set[str] = set()
        if cpu and (
            cpu.socket != p.socket
            or cpu.generation not in p.cpu_generations
            or cpu.max_sockets < p.sockets
            or (p.cpu_max_w or 10**6) < cpu.tdp_w
        ):
            broken.add("fit")
        cores = (cpu.cores * p.sockets if cpu else 0) + sum(
            self.catalog.parts[x].cores * q for x, q in inside.items() if self.catalog.parts[x].kind == Kind.CPU
        )
        if cores < self._asked(p, "per_gpu", 4, "cpu") * k:
            broken.add("cores")
        return broken

    def _cooler_faults(self, p: Platform, cpu: Any, cooler: Any) -> set[str]:
        needs_cooler = "cpu-heatsink" not in p.includes and p.socket != "soldered"
        wrong = cooler and cpu and (cooler.socket != cpu.socket or cooler.capacity_w < cpu.tdp_w)
        return {"fit"} if needs_cooler != bool(cooler) or wrong else set()

    def _supply_faults(self, p: Platform, psu: Any, f: int) -> set[str]:
        broken: set[str] = set()
        if psu and (
            psu.form not in p.psu_forms
            or f not in dict(self._patterns(p))
            or (p.psu_watts and psu.watts not in p.psu_watts)
        ):
            broken.add("fit")
        if self._is_graded_for_cards(p) and psu and psu.form == "ATX" and f > 1 and "2xATX" not in p.psu_forms:
            broken.add("fit")
        return broken

    def _memory_faults(self, p: Platform, gpu: Gpu, k: int, inside: dict[str, int], mem: Any, m: int) -> set[str]:
        broken: set[str] = set()
        if mem and (mem.mem_gen != p.mem_gen or mem.dimm_type not in p.dimm_types or m > p.dimm_slots):
            broken.add("fit")
        vram = k * gpu.vram_gb
        held = sum(
            self.catalog.parts[x].capacity_gb * q
            for x, q in inside.items()
            if self.catalog.parts[x].kind == Kind.MEMORY
        )
        ram = held + (mem.capacity_gb * m if mem else 0)
        if ram < self._asked(p, "gb", 0, "dimm"):
            broken.add("host_memory")
        if 100 * ram < self._asked(p, "percent", 20, "dimm") * vram or not self._evenly_filled(p, inside, mem, m):
            broken.add("host_memory")
        return broken

    def _bridge_faults(self, gpu: Gpu, k: int, bridge: Any) -> set[str]:
        fits = not bridge or (gpu.id in bridge.gpus and not k % bridge.group_gpus and k // bridge.group_gpus)
        return set() if fits else {"fit"}

    def _beyond_its_makers_list(self, p: Platform, gpu: Gpu, k: int) -> bool:
        """Whether the machine's maker lists this GPU in a lesser number, or lists others of its vendor and not this
        one, which was out by then and is not left open. What came whole with its GPUs was sold so."""
        if self.ask.grade == "floor" or "gpu" in p.includes:
            return False
        said = [row for row in self.catalog.qualified_gpus.values() if row.platform == p.id]
        for row in said:
            if row.gpu == gpu.id:
                return bool(row.most) and k > row.most
        since = str(gpu.released or "9999")
        settled = [row for row in said if gpu.id not in row.leaves_open and since <= str(row.list_date)]
        return any(gpu.vendor in row.complete_for for row in settled)

    def _evenly_filled(self, p: Platform, inside: dict[str, int], mem: Any, m: int) -> bool:
        """Modules of one kind, as many on each channel; those of a complete system may leave channels free as long as
        the sockets, with two or more each, and the channels in use are loaded alike."""
        own = {x: q for x, q in inside.items() if self.catalog.parts[x].kind == Kind.MEMORY}
        modules = sum(own.values()) + m
        channels = min(p.channels_per_cpu * p.sockets, p.dimm_slots)
        if mem and any(x != mem.id for x in own):
            return False
        if modules in (channels, 2 * channels) and modules <= p.dimm_slots:
            return True
        each, rest = divmod(modules, p.sockets)
        return mem is None and each >= 2 and rest == 0 and (channels % modules == 0 or 2 * channels % modules == 0)

    def _memory_idle(self, made: Fitted, node: Counter[str]) -> bool:
        """Whether fewer modules than were bought for a complete system would do, where that is asked."""
        p, gpu, k, inside = made.platform, made.gpu, made.per_node, made.inside
        own = {x: q for x, q in inside.items() if self.catalog.parts[x].kind == Kind.MEMORY}
        for x, q in own.items():
            for fewer in range(node[x]) if self.ask.by_share else ():
                mem = self.catalog.parts[x] if fewer else None
                percent = self._asked(p, "percent", 20, "dimm")
                enough = 100 * self.catalog.parts[x].capacity_gb * (q + fewer) >= percent * k * gpu.vram_gb
                if enough and self._evenly_filled(p, inside, mem, fewer):
                    return True
        return False

    def _asked(self, p: Platform, figure: str, floor: int, delivered: str) -> Fraction:
        """A figure of the grade for such a machine; no less than the floor, and that of what a system comes with."""
        if delivered in p.includes:
            return Fraction(floor)
        if "PCIe" in p.gpu_forms or "PCIe-LP" in p.gpu_forms:
            machine = "server" if p.rack_mount else "tower"
        else:
            machine = "rack" if p.gpu_slots > 16 else "desktop" if p.gpu_forms == ("integrated",) else "board"
        key = self.ask.grade, machine, figure
        if key not in self._graded:
            self._graded[key] = [
                Fraction(row["value"])
                for row in rows_of("grades")
                if row["grade"] == self.ask.grade and row["machine"] == machine and row["key"].endswith(f"_{figure}")
            ]
        return max([Fraction(floor), *self._graded[key]])

    def _patterns(self, p: Platform) -> list[tuple[int, int]]:
        """(fitted, needed)."""
        out = []
        for text in p.psu_redundancy:
            need, spare = map(int, text.split("+"))
            out += [(need + spare, need)] if spare else [(i, i) for i in range(1, need + 1)]
        return out

    def _with_drives(self, made: Fitted, node: Counter[str], broken: set[str]) -> None:
        p, inside = made.platform, made.inside
        all_ = plus(node, inside)
        drives = [(self.catalog.parts[x], q) for x, q in all_.items() if self.catalog.parts[x].kind == Kind.DRIVE]
        mine = {x for x in node if self.catalog.parts[x].kind == Kind.DRIVE}
        broken = set(broken)
        if mine and not self._bays_hold(p, [d for d, q in drives for _ in range(q)]):
            broken.add("fit")
        if self._bars_consumer_drives(p) and any(d.media == "nvme-consumer" for d, _ in drives):
            broken.add("storage")
        room, speed = sum(d.capacity_gb * q for d, q in drives), sum(d.read_mb_s * q for d, q in drives)
        if not self._kept(broken):
            return
        nics = [
            (),
            *((n,) for n in self.of(Kind.NIC)),
            *itertools.combinations_with_replacement(self.of(Kind.NIC), 2),
            *itertools.combinations_with_replacement(self.of(Kind.NIC), 3),
        ]
        for cards in nics:
            whole = plus(node, Counter(n.id for n in cards))
            worse = set(broken)
            if cards and (any(n.form not in p.nic_forms for n in cards) or len(cards) > p.nic_slots):
                worse.add("fit")
            if not cards and not p.onboard_lan:
                worse.add("interconnect")
            if self._fastest(p, cards) < self._asked(p, "port_gbit_s", 0, "nic"):
                worse.add("interconnect")
            if self._kept(worse):
                self._with_speed(made, whole, worse, Drives(drives, room, speed), cards)

    def _bays_hold(self, p: Platform, drives: list[Any]) -> bool:
        """Try every assignment of drives to kinds of bays."""
        groups = [(set(p.nvme_forms), p.nvme_bays), ({"M.2"}, p.m2_slots), (set(p.sata_forms), p.sata_bays)]

        def place(rest: list[Any], free: tuple[int, ...]) -> bool:
            if not rest:
                return True
            return any(
                free[i] and forms & set(rest[0].forms) and place(rest[1:], (*free[:i], free[i] - 1, *free[i + 1 :]))
                for i, (forms, _) in enumerate(groups)
            )

        return place(drives, tuple(n for _, n in groups))

    # Speed ----------------------------------------------------------------------------------------------------

    def _with_speed(
        self, made: Fitted, node: Counter[str], broken: set[str], drives: Drives, cards: tuple[Any, ...]
    ) -> None:
        p, gpu, k, nodes, inside = made.platform, made.gpu, made.per_node, made.nodes, made.inside
        cpu, bridge = made.cpu, made.bridge
        load = self._load(p, gpu, k, plus(node, inside), self._efficiency(p, node, inside))
        broken = set(broken)
        if self._memory_idle(made, node):
            broken.add("surplus")
        if p.kind == Kind.PLATFORM and p.system_max_w and load > p.system_max_w:
            broken.add("cooling")
        if "air" not in p.cooling and p.kind == Kind.PLATFORM and not self.ask.site_water:
            broken.add("cooling")
        self._power_node(made, node, load, broken)
        if nodes > self.ask.max_nodes:
            broken.add("site")
        if not self._kept(broken):
            return
        direct = not p.pcie_switch and not p.contents and "PCIe" in p.gpu_forms
        domain = bridge.group_gpus if bridge else gpu.fast_domain_gpus if gpu.fabric in ("nvlink", "xgmi") else 1
        widths = p.gpu_lane_widths if direct else (16,)
        hosts: list[tuple[int, int, set[str]]] = []
        lanes = 0
        if cpu:
            lanes = (cpu.lanes_1p if p.sockets == 1 else cpu.lanes_2p) or 0
        taken = 4 * sum(q for _, q in drives.parts) + sum(n.lanes for n in cards)
        cpu_gens = (
            [cpu.pcie_gen]
            if cpu
            else [self.catalog.parts[x].pcie_gen for x in inside if self.catalog.parts[x].kind == Kind.CPU]
        )
        for width in widths if k > 1 and domain < k else (min(widths),):
            over = direct and k * width + taken > lanes + p.chipset_lanes
            key = (min(gpu.pcie_gen, *cpu_gens), width) if k > 1 and domain < k else (0, 0)
            hosts.append((*key, {"lanes"} if over else set()))
        if self.ask.offload and cpu and k <= 2 and not p.contents:
            self._on_host(made, node, load, broken, drives, taken, lanes)
        for gen, width, over in hosts:
            for net in ("none", "pp", "rdma") if nodes > 1 else ("none",):
                for rate in (100, 200) if net == "rdma" else (25,) if net == "pp" else (0,):
                    key = RowKey(gpu.id, gpu.tdp_w, k, nodes, min(domain, k), gen, width, net, rate)
                    if self.ask.model.host_table_bytes:
                        key = replace(key, tables_gb=self._ram_gb(node, inside))
                    fastest: dict[frozenset[str], dict[str, int]] = {}
                    for precision, speeds in self._running(gpu, key):
                        small = {"storage"} if not self._ways_to_store(p, node, precision, drives) else set()
                        idle = {"surplus"} if self._drives_idle(p, node, precision, drives) else set()
                        best = fastest.setdefault(frozenset(broken | over | small | idle), {})
                        for off, tenths in speeds:
                            best[off] = max(best.get(off, 0), tenths)
                    for faults, best in fastest.items():
                        if self._kept(faults):
                            speeds = tuple(sorted(best.items()))
                            self._finish(made, node, load, set(faults), key, speeds)

    def _ram_gb(self, node: Counter[str], inside: dict[str, int]) -> int:
        """RAM of a node, bought and inside."""
        pieces = [(self.catalog.parts[x], q) for held in (node, inside) for x, q in held.items()]
        return sum(part.capacity_gb * q for part, q in pieces if part.kind == Kind.MEMORY)

    def _need_gb(self, precision: str) -> int:
        """Drives of a node: two copies of the weights and 200 GB for the system, a fifth of it free on top."""
        if precision not in self._needed:
            stored = self.ask.model.weight_bytes(precision) + sum(self._module(precision))
            copies = 2 * math.ceil(stored / GB)
            self._needed[precision] = math.ceil((copies + 200) * Fraction(6, 5))
        return self._needed[precision]

    def _stores_too_little(self, precision: str, room: int, read: int) -> bool:
        return room < self._need_gb(precision) or read < 7000

    def _ways_to_store(
        self, p: Platform, node: Mapping[str, int], precision: str, drives: Drives
    ) -> list[tuple[str, int, int]]:
        """Each way to lay the system on drives of their own that leaves enough: (their kind, what is left in GB and
        MB/s); one without any where none are asked for."""
        pieces = int(self._asked(p, "boot_drives", 0, "storage"))
        ways = [("", drives.room_gb, drives.read_mb_s)] if not pieces else []
        for x, q in node.items() if pieces else ():
            d = self.catalog.parts[x]
            if d.kind == Kind.DRIVE and d.media == "nvme" and q >= pieces and d.capacity_gb >= 240:
                data = plus(node, {c.part: c.qty for c in p.contents})
                data[x] -= pieces
                held = [(self.catalog.parts[y], n) for y, n in data.items() if self._for_data(p, y)]
                ways.append((x, sum(y.capacity_gb * n for y, n in held), sum(y.read_mb_s * n for y, n in held)))
        return [way for way in ways if not self._stores_too_little(precision, *way[1:])]

    def _for_data(self, p: Platform, part: str) -> bool:
        """Whether it is a drive that may hold data."""
        d = self.catalog.parts[part]
        return d.kind == Kind.DRIVE and (d.forms != ("M.2",) or not self._asked(p, "data_in_bays", 0, "storage"))

    def _bars_consumer_drives(self, p: Platform) -> bool:
        return self.ask.grade != "floor" and p.rack_mount and "storage" not in p.includes

    def _fastest(self, p: Platform, cards: Iterable[Any]) -> float:
        """Gbit/s of the fastest port of a node."""
        own = [float(x.partition("*")[2].split(":")[0]) for x in p.onboard_lan]
        held = [self.catalog.parts[c.part] for c in p.contents]
        return max([*own, *(x.gbit_s for x in (*cards, *held) if x.kind == Kind.NIC)], default=0)

    def _drives_idle(self, p: Platform, node: Counter[str], precision: str, drives: Drives) -> bool:
        """Whether the node could do without one of its drives, wherever its system lies, where that is asked."""
        if not self.ask.by_share:
            return False
        pieces = int(self._asked(p, "boot_drives", 0, "storage"))
        own = [self.catalog.parts[x] for x in node if self.catalog.parts[x].kind == Kind.DRIVE]
        return all(
            any(
                not self._stores_too_little(precision, room - use * d.capacity_gb, read - use * d.read_mb_s)
                for d in own
                for use in (int(self._for_data(p, d.id)),)
                if d.id != system or node[system] > pieces
            )
            for system, room, read in self._ways_to_store(p, node, precision, drives)
        )

    def _cards_idle(self, p: Platform, all_: Counter[str], used: Counter[str], least: int) -> bool:
        """Whether cards beyond those of its networks are bought, where that is asked; a node without a port of its own
        may take one."""
        if not self.ask.by_share:
            return False
        inside = Counter({c.part: c.qty for c in p.contents})
        cards = [x for x in all_ if self.catalog.parts[x].kind == Kind.NIC]
        ports = [float(x.partition("*")[2].split(":")[0]) for x in p.onboard_lan]
        ports += [self.catalog.parts[x].gbit_s for x in cards if inside[x]]
        asked = self._asked(p, "port_gbit_s", 0, "nic")
        fast = any(q and self.catalog.parts[x].gbit_s >= asked for x, q in used.items())
        own = fast or max(ports, default=-1) >= max(least, asked)
        idle = sum(max(0, all_[x] - used[x]) for x in cards if all_[x] > inside[x])
        return idle > (0 if own else 1)

    # Experts in host memory ---------------------------------------------------------------------------------

    def _on_host(
        self, made: Fitted, node: Counter[str], load: int, broken: set[str], drives: Drives, taken: int, lanes: int
    ) -> None:
        """The node once more with the routed experts in its RAM: at every slot width and precision."""
        p, gpu, k, nodes, cpu = made.platform, made.gpu, made.per_node, made.nodes, made.cpu
        modules = [(self.catalog.parts[x], q) for x, q in node.items() if self.catalog.parts[x].kind == Kind.MEMORY]
        classes = {r["generation"]: int(r["gflops_per_core"]) for r in rows_of("cpu_classes")}
        if not modules or p.sockets > 2 or cpu.generation not in classes:
            return
        (dimm, count), direct = modules[0], not p.pcie_switch and "PCIe" in p.gpu_forms
        channels = min(p.dimm_slots, p.sockets * min(p.channels_per_cpu, cpu.mem_channels))
        percent = 100 if p.sockets == 1 else 75
        if count > channels:
            percent = percent * (91 if dimm.mem_gen == "DDR4" else 75) // 100
        fastest = (dimm.dimm_type == "MRDIMM" and cpu.mrdimm_max_mts) or cpu.mem_max_mts
        gb_s = min(count, channels) * min(dimm.mts, fastest) * 8 * percent // 100_000
        gib = count * dimm.capacity_gb - 16
        have = classes[cpu.generation] * cpu.cores * p.sockets
        gflops = max((x * 2**i for x in (250, 350) for i in range(20) if x * 2**i <= have), default=0)
        if not gb_s or not gflops:
            return
        for width in p.gpu_lane_widths if direct else (16,):
            gen = min(gpu.pcie_gen, cpu.pcie_gen)
            key = RowKey(gpu.id, gpu.tdp_w, k, nodes, 1, gen, width, "none", 0, gb_s, gib, gflops)
            worse = broken | ({"lanes"} if direct and k * width + taken > lanes + p.chipset_lanes else set())
            for precision in (x for x in BITS if self._exists(x)):
                tenths = self._host_speed(gpu, key, precision)
                small = not self._ways_to_store(p, node, precision, drives)
                if tenths and not worse and not small:
                    self._finish(made, node, load, set(), key, (("", tenths),))

    def _host_speed(self, gpu: Gpu, key: RowKey, precision: str) -> int:
        """0.1 tok/s of all nodes with experts in host memory; 0 where they can't run there."""
        memo = (gpu.id, key, f"host {precision}")
        if memo not in self._known:
            self._known[memo] = (("", self._host_best(gpu, key, precision)),)
        return self._known[memo][0][1]

    def _host_best(self, gpu: Gpu, key: RowKey, precision: str) -> int:
        llm, ask = self.ask.model, self.ask
        runs = any(r["arch"] == gpu.arch and r["precision"] in named(precision) for r in rows_of("precision"))
        having = self._makers(precision, "offload")
        served = starts(llm, gpu, precision, key.per_node, 1, 1, 1, "offload", ask.allow_experimental, among=having)
        high = BITS[precision] >= min(ask.floor_bits, llm.min_precision_bits)
        if not self._exists(precision) or not (runs and served and high):
            return 0
        experts = llm.expert_bytes(precision)
        dense = math.ceil(Fraction(llm.weight_bytes(precision) - experts, key.per_node))
        free = gpu.vram_gb * GB - (2 * GB + gpu.vram_gb * GB // 20) - dense
        users = min(free // llm.kv_bytes(ask.isl + ask.osl, "bf16"), 64)
        if math.ceil(Fraction(experts, 2**30)) > key.host_gb or users < 1:
            return 0
        s = offload.steps(gpu, llm, precision, "bf16", ask.isl, ask.osl, [key])
        best = 0
        for c in range(1, users + 1):
            n = np.array([c])
            if s.tpot_s(n, ask.osl)[0] * ask.min_tok_s_user <= 1 + 1e-9 and c * key.nodes >= (ask.users or 1):
                best = max(best, math.floor(float(f"{s.total_tok_s(n, ask.osl)[0] * 10:.9g}")))
        return best * key.nodes

    def _running(self, gpu: Gpu, key: RowKey) -> list[tuple[str, tuple[tuple[str, int], ...]]]:
        """(precision, speeds as `_judge` gives them) of those that run."""
        if key not in self._runs:
            judged = [(x, self._judge(gpu, key, x)) for x in BITS]
            self._runs[key] = [(x, speeds) for x, speeds in judged if speeds]
        return self._runs[key]

    def _judge(self, gpu: Gpu, key: RowKey, precision: str) -> tuple[tuple[str, int], ...]:
        """0.1 tok/s of the best plan under all rules (""), and with vram, precision or software left out where a build
        that breaks one is kept."""
        if not self._exists(precision):
            return ()
        runs = any(r["arch"] == gpu.arch and r["precision"] in named(precision) for r in rows_of("precision"))
        high = BITS[precision] >= min(self.ask.floor_bits, self.ask.model.min_precision_bits)
        if not runs:
            return ()
        out = {}
        for off in ("", *(x for x in ("vram", "precision", "software") if x in self.left_out)):
            fine = high or off == "precision"
            out[off] = self._best(gpu, key, precision, off == "vram", off == "software") if fine else 0
            if fine:
                out[off] = max(out[off], split_tenths(self, gpu, key, precision))
        return tuple(out.items()) if any(out.values()) else ()

    def _best(self, gpu: Gpu, key: RowKey, precision: str, boundless: bool, engineless: bool = False) -> int:
        """0.1 tok/s of the best plan; `boundless`: memory is no limit, `engineless`: nor are engines."""
        llm, ask, best = self.ask.model, self.ask, 0
        k, total = key.per_node, key.per_node * key.nodes
        most_stages = 16 if precision in FILES else 8
        for tp, pp, dp in itertools.product(range(1, k + 1), range(1, most_stages + 1), range(1, total + 1)):
            size = tp * pp * dp
            if total % size or llm.heads % tp or k % tp or pp > llm.layers or (dp > 1 and not llm.is_moe):
                continue
            if (size < k and k % size) or (size > k and size % k) or (size > k and tp * dp < k and k % (tp * dp)):
                continue
            for ep in {1, tp * dp} if llm.is_moe else {1}:
                may_try = ask.allow_experimental
                places = tuple(
                    place
                    for place in (("host", "gpu") if llm.host_table_bytes else ("",))
                    if (
                        engineless
                        or starts(
                            llm, gpu, precision, tp, pp, dp, ep, "serve", may_try, k, place, self._among(precision)
                        )
                    )
                    and (place != "host" or self._holds_tables(key, size))
                )
                if not places:
                    continue
                net = "none" if size <= k else "rdma" if tp * dp > k else "pp"
                order = ["none", "pp", "rdma"]
                if order.index(net) > order.index(key.net) or (
                    net == "rdma" and key.net_gbit_s < (400 if ep > 8 else 100)
                ):
                    continue
                rooms = [self._room(gpu, precision, tp, pp, dp, ep, place == "host") for place in places]
                users = MOST_USERS if boundless else max(rooms)
                users = min(users, (256 if precision in GGUF else MOST_USERS) * dp)
                if users < 1:
                    continue
                c = np.arange(1, users + 1)
                need = self._without_cached(demand(llm, precision, ask.isl, ask.osl, self._kv), precision)
                one = np.array([(tp, pp, dp, ep)]), [key], np.zeros(1, dtype=np.int64)
                jobs = of_keys(gpu, *one, need, precision, (ask.isl, ask.osl), constants())
                # What the model's measured setups on the GPU's stack are off in common, read off the shipped runs.
                off = 1.0 if precision in FILES else shipped().pair(need.kin, gpu)
                pieces = roofline.times(jobs, constants()).slowed(1 / off)
                s = roofline.speeds(Speculating(pieces, ask.drafted) if ask.drafted else pieces, c)
                replicas = total // size
                fine = s.per_user_tok_s >= ask.min_tok_s_user * (1 - 1e-9)
                if ask.users is not None:
                    fine &= replicas * c >= ask.users
                best = max(best, replicas * int(np.max(np.where(fine, s.tenths, 0))))
        return best

    def _without_cached(self, need: Demand, precision: str) -> Demand:
        """The demand of prompts whose first tokens are in the prefix cache: all but attention as for a prompt of the
        others alone, attention position by position."""
        llm, ask = self.ask.model, self.ask
        if not ask.cached:
            return need
        new = range(ask.cached + 1, ask.isl + 1)
        alone = demand(llm, precision, len(new), ask.osl, self._kv)
        return replace(
            need,
            prefilled=len(new),
            prefill_linear_flops=alone.prefill_linear_flops,
            prefill_whole_flops=alone.prefill_whole_flops,
            prefill_attention_flops=float(sum(llm.attention_flops(position, "prefill") for position in new)),
        )

    def _among(self, precision: str) -> list[str] | None:
        """Engines that have the weights and, where speed counts proposed tokens, propose them; None for all."""
        made, features = self._makers(precision), lines("features")
        if not self.ask.drafted:
            return made
        kind = self.ask.model.architecture
        rows = [r for r in features if r["feature"] == "mtp" and r["status"] == "stable"]
        able = [r["engine"] for r in rows if not r["architectures"] or kind in r["architectures"].split("|")]
        return [engine for engine in able if made is None or engine in made]

    def _exists(self, precision: str) -> bool:
        """Whether weights in a format count: of kinds of files the published ones; below the model's own precision what
        somebody published or an engine makes itself; where it is asked for, all."""
        llm = self.ask.model
        if precision in FILES:
            return (
                self._kv == "bf16"
                and not self.ask.speculate
                and (self.ask.any_precision or self._files_are_published(precision))
            )
        ways = ("serve", "offload") if self.ask.offload and llm.is_moe else ("serve",)
        return precision in llm.precisions() and any(self._makers(precision, does) != [] for does in ways)

    def _files_are_published(self, kind: str) -> bool:
        model = {"v2-670b": "v3-671b", "r1-33b": "r1-distill-qwen-32b"}.get(self.ask.model.id, self.ask.model.id)
        return any(kind in r["precisions"].split("|") for r in lines("file_checkpoints") if r["model"] == model)

    def _makers(self, precision: str, does: str = "serve") -> list[str] | None:
        """Engines that make the weights themselves, where no published ones are known; None where it takes none."""
        llm = self.ask.model
        if self.ask.any_precision or precision in FILES or BITS[precision] >= llm.min_precision_bits:
            return None
        model = {"v2-670b": "v3-671b", "r1-33b": "r1-distill-qwen-32b"}.get(llm.id, llm.id)
        if any(r["model"] == model and r["precision"] == precision for r in lines("checkpoints")):
            return None
        own = llm.native_precision
        rows = lines("made_when_loading")
        rows = [r for r in rows if r["does"] == does]
        return [r["engine"] for r in rows if precision in r["precisions"].split("|") and own in r["of"].split("|")]

    @property
    def _kv(self) -> str:
        """The KV cache: as asked for, of DeepSeek's V4 and V4.1 in FP8."""
        return "fp8" if self.ask.model.architecture.startswith("deepseek-v4") else "bf16"

    def _holds_tables(self, key: RowKey, replica: int) -> bool:
        """Whether the RAM of a node holds the n-gram tables for each of its replicas, and 16 GB for the system."""
        copies = key.per_node // replica if replica <= key.per_node else 1
        return Fraction(self.ask.model.host_table_bytes * copies, GB) + 16 <= key.tables_gb

    def _room(self, gpu: Gpu, precision: str, tp: int, pp: int, dp: int, ep: int, tables_aside: bool = False) -> int:
        """Requests that fit: weights of the largest stage, KV cache per data-parallel rank, reserve 2 GB + 5 %, of
        llama.cpp 1.08 GB.

        N-gram tables lie on all ranks of their stage, or aside in host memory."""
        llm = self.ask.model
        free = gpu.vram_gb * GB - (108 * GB // 100 if precision in GGUF else 2 * GB + gpu.vram_gb * GB // 20)
        layers = list(llm.layer_bytes(precision))
        kv_layers = [self._request_bytes(y, self.ask.isl + self.ask.osl, tp) for y in llm.layer_list]
        experts = [any(x.expert for x in y.linears) for y in llm.layer_list]
        each = llm.expert_layer_bytes(precision)
        head, copied = llm.head_bytes(precision), llm.copied_layer_bytes(precision)
        worst, worst_kv = 0, Fraction(0)
        for s in range(pp):
            run = range(len(layers) * s // pp, len(layers) * (s + 1) // pp)
            moe = sum(each[i] for i in run if experts[i])
            tables, on_each = sum(llm.layer_list[i].host_table_bytes for i in run), sum(copied[i] for i in run)
            rest = sum(layers[i] for i in run) - moe - tables - on_each
            if precision in GGUF:  # the output head lies with the last layers, the embedding is no GPU's
                rest += head if s == pp - 1 else 0
            else:
                rest += head if pp == 1 else math.ceil(head / 2) if s in (0, pp - 1) else 0
            kv = sum((kv_layers[i] for i in run), Fraction(0))
            if s == pp - 1 and self.ask.speculate:
                # The module lies behind the last layer; it looks up tokens in the embedding of the first stage.
                experts_b, each_b, rest_b = self._module(precision)
                moe, on_each, rest = moe + experts_b, on_each + each_b, rest + rest_b
                rest += 0 if pp == 1 else 2 * llm.config["vocab_size"] * llm.config["hidden_size"]
                kv += sum(self._request_bytes(y, self.ask.isl + self.ask.osl, tp) for y in llm.draft_list)
            own = math.ceil(Fraction(moe, max(ep, tp * dp))) + math.ceil(Fraction(rest, tp)) + on_each
            worst = max(worst, own + (0 if tables_aside else math.ceil(Fraction(tables, tp * dp))))
            worst_kv = max(worst_kv, kv)
        return -1 if free < worst else (free - worst) // math.ceil(worst_kv) * dp

    def _module(self, precision: str) -> tuple[int, int, int]:
        """Bytes of the module for several tokens, where it is loaded: routed experts, what each rank holds whole, the
        rest."""
        return held_by_module(self.ask.model, precision) if self.ask.speculate else (0, 0, 0)

    def _request_bytes(self, layer: Layer, tokens: int, tp: int) -> Fraction:
        """Bytes that a request keeps of a layer on one of `tp` ranks: kv heads and state heads are spread over the
        ranks, a latent and a single head are on each of them; what another layer lends is kept there."""
        llm, kept = self.ask.model, Fraction(layer.state_bytes)
        for c in layer.caches:
            entries = tokens // c.stride if c.keep is None else min(tokens // c.stride, c.keep)
            heads = c.heads or (1 if llm.attention == "mla" else llm.kv_heads)
            each = c.bf16 if self._kv == "bf16" else c.fp8
            kept += Fraction(0 if c.borrowed else each * entries, min(tp, heads))
        return kept + sum(x.bytes * math.ceil(Fraction(x.heads, tp)) for x in layer.states)

    # Shared gear ----------------------------------------------------------------------------------------------

    def _finish(
        self, made: Fitted, node: Counter[str], load: int, broken: set[str], key: RowKey, speeds: Speeds
    ) -> None:
        for shared, faults in self._networks(made, plus(node, made.inside), key):
            worse = broken | faults
            if self._kept(worse):
                self._racks(made, node, load, worse, speeds, shared)

    def _load(self, p: Platform, gpu: Gpu, k: int, all_: Counter[str], efficiency: int) -> int:
        watts = k * gpu.tdp_w + p.overhead_w
        for x, q in all_.items():
            part = self.catalog.parts[x]
            if part.kind == Kind.CPU:
                watts += q * part.tdp_w
            elif part.kind in (Kind.MEMORY, Kind.DRIVE, Kind.NIC):
                watts += q * part.power_w
            elif part.kind == Kind.GPU_BOARD:
                watts += q * part.overhead_w
        fan = 5 if "air" not in p.cooling else 12 if p.rack_mount else 4
        load = math.ceil(Fraction(watts * 100, 100 - fan))
        # What a maker publishes of a whole system is what it takes from the wall; its supplies give less.
        published = Fraction(p.system_max_w or 0) * efficiency / 100 if p.kind == Kind.SYSTEM else 0
        return max(load, math.floor(published))

    def _bank(self, p: Platform, node: Counter[str], inside: dict[str, int]) -> tuple[Any, int, int]:
        """(supply, fitted, needed)."""
        for x, q in {**node, **inside}.items():
            part = self.catalog.parts[x]
            if part.kind == Kind.PSU:
                patterns = dict(self._patterns(p))
                fitted = max(patterns) if "psu" in p.includes else q
                return part, fitted, patterns.get(fitted, fitted)
        raise AssertionError("random platforms buy or contain supplies")

    def _power_node(self, made: Fitted, node: Counter[str], load: int, broken: set[str]) -> None:
        psu, fitted, needed = self._bank(made.platform, node, made.inside)
        volts = self._line()
        watts = psu.watts if volts >= 200 else psu.watts_low_line
        if 100 * load > 80 * fitted * watts or load > needed * watts:
            broken.add("power")
        if psu.inlet:
            # What each of those left takes; on American lines 80 % of UL's 15 and 20 A, elsewhere IEC's 10 and 16.
            nearest = min((100, 120, 200, 208, 220, 230, 240), key=lambda v: (abs(v - volts), -v))
            american = nearest in (120, 208) or (nearest == 240 and not self.ask.british)
            most = {"C14": 12 if american else 10, "C20": 16}[psu.inlet]
            if Fraction(100 * load, needed * EFFICIENCY[psu.efficiency] * volts) > most:
                broken.add("power")
        if psu.form == "ATX" and 4 * load + made.per_node * made.gpu.tdp_w > 4 * fitted * watts:
            broken.add("power")

    def _line(self) -> int:
        """Volts at a supply: of three phases to the neutral where that makes 200; of requests in dollars 208."""
        if not self.ask.circuit:
            return 208
        volts = self.ask.circuit[1]
        neutral = next(x for x in range(volts) if 3 * (2 * x + 1) ** 2 >= 4 * volts**2)  # the nearest whole volt
        return neutral if self.ask.three_phases and neutral >= 200 else volts

    def _efficiency(self, p: Platform, node: Counter[str], inside: dict[str, int]) -> int:
        psu, _, _ = self._bank(p, node, inside)
        return EFFICIENCY[psu.efficiency]

    def _networks(self, made: Fitted, all_: Counter[str], key: RowKey) -> list[tuple[Counter[str], set[str]]]:
        """Switches and cables of every network that the row needs; each link takes a port and a cable."""
        p, nodes, cpu = made.platform, made.nodes, made.cpu
        least = 25 if key.net == "pp" and self.ask.have_network else 0
        if nodes == 1:
            idle = {"surplus"} if self._cards_idle(p, all_, Counter(), least) else set()
            return [(Counter(), idle | self._cards_unconnected(p, Counter(), True))]
        jobs: list[list[tuple[Counter[str], str | None, int]]] = []
        cards = [self.catalog.parts[x] for x in all_ if self.catalog.parts[x].kind == Kind.NIC]
        if not self.ask.have_network:
            front = max(25 if key.net == "pp" else 1, int(self._asked(p, "port_gbit_s", 0, "nic")))
            jobs.append(self._joins("frontend", nodes, front, cards, p.onboard_lan))
            jobs.append(self._joins("oob", nodes, 1, [], ("1*1:RJ45",)))
        elif key.net == "pp":
            lans = [float(x.partition("*")[2].split(":")[0]) for x in p.onboard_lan]
            if max([n.gbit_s for n in cards] + lans, default=0) < 25:
                return [(Counter(), {"interconnect"})]
        if key.net == "rdma" or self._fabric_demanded():
            rate = key.net_gbit_s if key.net == "rdma" else 100
            gens = [cpu.pcie_gen] if cpu else [5]
            able = [n for n in cards if n.rdma and PCIE[min(n.pcie_gen, *gens)] * n.lanes / 2 >= rate]
            ways = [*self._joins("rdma", nodes * key.per_node, rate, able, ())]
            if nodes == 2:
                ways += self._direct(key.per_node, rate, able)
            jobs.append(ways)
        out = []
        for choice in itertools.product(*jobs):
            used: Counter[str] = Counter()
            for _, card, links in choice:
                if card:
                    used[card] += links // nodes
            if all(all_[c] >= q for c, q in used.items()):
                faults = {"surplus"} if self._cards_idle(p, all_, used, least) else set()
                faults |= self._cards_unconnected(p, used, self.ask.have_network)
                out.append((sum((bill for bill, _, _ in choice), Counter()), faults))
        return out or [(Counter(), {"interconnect"})]

    def _fabric_demanded(self) -> bool:
        """Whether RDMA gear is to be included: then its fabric is laid in every build of several nodes."""
        gear = [self.catalog.parts[x] for x in self.ask.include]
        wires = [g for g in gear if g.kind == Kind.NIC or (g.kind in (Kind.CABLE, Kind.OPTIC) and g.medium != "power")]
        bare = any(g.fabrics and "Ethernet" not in g.fabrics for g in wires)
        return bare or any(g.kind == Kind.SWITCH and g.role == "rdma" for g in gear)

    def _cards_unconnected(self, p: Platform, used: Counter[str], elsewhere: bool) -> set[str]:
        """A fault where a demanded card is in no network; `elsewhere`: an Ethernet card has the buyer's to be in."""
        inside = {c.part for c in p.contents}
        for x in self.ask.include:
            card = self.catalog.parts[x]
            connected = x in inside or used[x] or (elsewhere and card.kind == Kind.NIC and "Ethernet" in card.fabrics)
            if card.kind == Kind.NIC and not connected:
                return {"procurement"}
        return set()

    def _joins(
        self, role: str, links: int, least: int, cards: list[Any], lans: tuple[str, ...]
    ) -> list[tuple[Counter[str], str | None, int]]:
        asked = role, links, least, tuple(n.id for n in cards), lans
        if asked not in self._joined:
            self._joined[asked] = self._ways_to_join(role, links, least, cards, lans)
        return self._joined[asked]

    def _ways_to_join(
        self, role: str, links: int, least: int, cards: list[Any], lans: tuple[str, ...]
    ) -> list[tuple[Counter[str], str | None, int]]:
        rates = {int(x.split(":")[0]) for s in self.of(Kind.SWITCH) for x in s.speeds} if role == "frontend" else set()
        ends = [
            (gbit, n.connectors, n.fabrics, n.id)
            for n in cards
            for gbit in sorted({n.gbit_s, *(r for r in rates if r < n.gbit_s)})
            if gbit >= least
        ]
        for lan in lans:
            speed, connector = lan.partition("*")[2].split(":")
            if int(float(speed)) >= least:
                ends.append((int(float(speed)), (connector,), ("Ethernet",), None))
        out = []
        for s in self.of(Kind.SWITCH):
            for gbit, connectors, fabrics, card in ends:
                ports = {int(a): int(b) for a, b in (x.split(":") for x in s.speeds)}.get(gbit, 0)
                if s.role != role or s.fabric not in fabrics or links > ports:
                    continue
                for c in self.of(Kind.CABLE):
                    plug = c.end_a in s.connectors and c.end_b in connectors and c.medium != "power"
                    fast = c.gbit_s == gbit or (c.end_a == "RJ45" and c.gbit_s >= gbit)
                    if plug and fast and (not c.fabrics or s.fabric in c.fabrics):
                        out.append((Counter({s.id: 1, c.id: links}), card, links))
        return out

    def _direct(self, links: int, least: int, cards: list[Any]) -> list[tuple[Counter[str], str | None, int]]:
        """Two nodes cabled card to card; the cards are counted per node, as `links // nodes` of a switched network."""
        out = []
        for n in cards:
            for c in self.of(Kind.CABLE):
                fast = n.gbit_s >= least and c.gbit_s == n.gbit_s and c.medium != "power"
                plug = c.end_a in n.connectors and c.end_b in n.connectors
                if fast and plug and (not c.fabrics or set(c.fabrics) & set(n.fabrics)):
                    out.append((Counter({c.id: links}), n.id, 2 * links))
        return out

    def _racks(
        self, made: Fitted, node: Counter[str], load: int, broken: set[str], speeds: Speeds, shared: Counter[str]
    ) -> None:
        p, nodes, inside = made.platform, made.nodes, made.inside
        ask, parts = self.ask, self.catalog.parts
        racked = p.rack_mount
        counts = range(1, nodes + 1) if racked else (0,)
        psu, fitted, _ = self._bank(p, node, inside)
        volts = self._line()
        wall = math.ceil(Fraction(100 * load, self._efficiency(p, node, inside)))
        # Liquid takes 80 % of what the supplies give; what they lose warms the air.
        air = wall - (Fraction(80 * load, 100) if "air" not in p.cooling else 0)
        for count in counts:
            cdus: list[tuple[Any, Any]] = [(None, None)]
            if "air" not in p.cooling and p.kind == Kind.PLATFORM:
                gear = [x for x in self.of(Kind.COOLING) if x.medium == "DLC"]
                cdus = [(c, m) for c in gear if c.role == "cdu-l2l" for m in gear if m.role == "manifold"] or [
                    (None, None)
                ]
            for cdu, manifold in cdus:
                extra = Counter(shared)
                worse = set(broken)
                if cdu:
                    heat = Fraction(nodes * load * 80 * 110, 10_000)
                    extra[cdu.id] += math.ceil(heat / cdu.capacity_w) + (1 if count > 1 else 0)
                    extra[manifold.id] += count
                    for x in self.of(Kind.COOLING):
                        if x.role == "facility":
                            extra[x.id] += count
                elif "air" not in p.cooling and p.kind == Kind.PLATFORM:
                    worse.add("cooling")
                boxes = [(x, q) for x, q in extra.items() if parts[x].kind in (Kind.SWITCH, Kind.COOLING)]
                units = sum(parts[x].rack_units * q for x, q in boxes)
                kg = sum(box_kg(parts[x]) * q for x, q in boxes)
                boxes_w = sum(box_w(parts[x]) * q for x, q in boxes)
                # What takes no rack units stands beside the racks: no PDU feeds it, no rack's air takes its heat.
                inner_w = sum(box_w(parts[x]) * q for x, q in boxes if parts[x].rack_units)
                watts, high = nodes * wall + boxes_w, nodes * (p.rack_units or 0) + units
                if ask.max_power_w is not None and watts > ask.max_power_w:
                    worse.add("site")
                if ask.rack_units is not None and high > ask.rack_units:
                    worse.add("site")
                if ask.circuit:
                    amps, v = ask.circuit
                    # Squared, for the square root of three is no fraction: whole volt-amperes, then whole watts.
                    squared = (3 if ask.three_phases else 1) * (amps * v) ** 2
                    apparent = int(squared**0.5)
                    assert apparent**2 <= squared < (apparent + 1) ** 2
                    # 230 V of Europe, 240 of the UK, 220 of China: the breaker's whole current may be drawn for hours.
                    whole = 214 <= self._line() < (245 if ask.british else 235)
                    if watts > (100 if whole else 80) * apparent // 100:
                        worse.add("power")
                cables = [parts[x] for x in extra if parts[x].kind == Kind.CABLE and parts[x].medium != "power"]
                lengths = [100 * c.length_m for c in cables if c.length_m is not None]
                # Up to the tray and down, along racks of 60 cm, ten to a row, and a metre of slack; 2 m within a rack.
                run = 200 if count == 1 else 600 + 60 * (min(count, 10) - 1) + 240 * ((count - 1) // 10)
                if racked and lengths and min(lengths) < run:
                    worse.add("interconnect")
                if not racked:
                    self._record(Built(node, nodes, extra, watts, high), worse, speeds)
                    continue
                a = math.ceil(nodes / count)
                if a * air + inner_w > 20_000:
                    worse.add("rack")
                if ask.have_racks:
                    if a * (p.rack_units or 1) + units > 42:
                        worse.add("rack")
                    self._record(Built(node, nodes, extra, watts, high), worse, speeds)
                    continue
                # Nobody knows what plugs into an inlet that is not stated: no cord is bought for it, no outlet counted.
                ends = {"C14": "C13-C14", "C20": "C19-C20"}.get(psu.inlet)
                cords = [c for c in self.of(Kind.CABLE) if c.end_a == ends] if ends else [None]
                for rack, pdu, cord in itertools.product(self.of(Kind.RACK), self.of(Kind.PDU), cords):
                    bad = set(worse)
                    tall, heavy = a * (p.rack_units or 1) + units, a * math.ceil(p.weight_kg) + kg
                    outlets = {"C20": pdu.outlets_c19, "C14": pdu.outlets_c13}.get(psu.inlet, fitted * nodes)
                    if tall > rack.rack_units or heavy > rack.load_kg or a * wall + inner_w > pdu.power_w:
                        bad.add("rack")
                    if a * fitted > 2 * outlets or (pdu.volts >= 200) != (volts >= 200):
                        bad.add("rack")
                    more = plus(extra, {rack.id: count, pdu.id: 2 * count})
                    corded = plus(node, {cord.id: fitted} if cord else {})
                    self._record(Built(corded, nodes, more, watts, high), bad, speeds)

    def _record(self, built: Built, broken: set[str], speeds: Speeds) -> None:
        all_ = Counter(built.shared)
        for x, q in built.node.items():
            all_[x] += built.nodes * q
        inside = {c for x in built.node for c in self.within[x]}
        chips = {p.gpu for x in {*all_, *inside} if (p := self.catalog.parts[x]).kind == Kind.GPU_BOARD}
        barred = (
            any(self.offer[x] is None for x in all_)
            or any(x in self.ask.exclude for x in {*all_, *inside, *chips})
            or any(x in self.unlisted for x in {*all_, *inside, *chips})
        )
        missing = any(x not in all_ and x not in inside for x in self.ask.include)
        broken = broken | ({"procurement"} if barred or missing else set())
        bill = self._bill(all_) if self._kept(broken) else None
        if bill is None:
            return
        cents = sum(line for _, line in bill)
        broken |= self._shares_broken(bill, cents)
        late = max(offer.lead_time_days or 0 for offer, _ in bill)
        axes = {"money": cents, "power": built.watts, "rack-units": built.rack_units, "lead-time": late}
        cost = axes[self.ask.cost_axis]
        if self._kept(broken):
            self.builds.add((cost, cents, speeds, frozenset(broken)))

    def _shares_broken(self, bill: list[tuple[Any, int]], cents: int) -> set[str]:
        """Shares of the sum of lines: of estimates, and of the seller with the largest."""
        ask, broken = self.ask, set()
        rough = sum(line for offer, line in bill if offer.confidence == "estimate")
        if ask.max_estimated is not None and Fraction(rough, cents) > Fraction(ask.max_estimated, 100):
            broken.add("estimates")
        by: Counter[str] = Counter()
        for offer, line in bill:
            by[offer.seller] += line
        if ask.max_sellers is not None and len(by) > ask.max_sellers:
            broken.add("sellers")
        if ask.max_share is not None and Fraction(max(by.values()), cents) > Fraction(ask.max_share, 100):
            broken.add("sellers")
        return broken
