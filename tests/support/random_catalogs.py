"""Small random catalogs of mixed kinds, and requests, in which every rule binds somewhere. One seed, one catalog."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from catalogs.llm import from_config, get
from catalogs.load import Catalog
from catalogs.offers import Offer
from catalogs.qualified_gpus import QualifiedGpu
from catalogs.schema import (
    Bridge,
    Contained,
    Cooling,
    Cpu,
    Drive,
    Gpu,
    GpuBoard,
    Kind,
    Link,
    Memory,
    Nic,
    Part,
    Pdu,
    Platform,
    Psu,
    Rack,
    Switch,
)
from catalogs.transformer import Linear
from constraints.request import Circuit, Grade, Request
from tests.support.oracle import Ask

DAY = date(2026, 11, 1)


class Builder:
    """Collects parts and offers."""

    def __init__(self, rng: random.Random) -> None:
        self.rng, self.parts, self.offers = rng, {}, {}

    def add(self, part: Part, dollars: float, used: bool = False) -> Part:
        """A part with one to three offers around a price; `used` bars the part under the default condition."""
        self.parts[part.id] = part
        for i in range(self.rng.choice((1, 1, 2, 3))):
            price = Decimal(round(dollars * self.rng.uniform(0.8, 1.3) * 100)) / 100 + Decimal("0.01")
            offer = Offer(
                id=f"{part.id}-{i}",
                part=part.id,
                price=price,
                currency="USD",
                date=DAY,
                seller=f"s{i}",
                source="test",
                condition="used" if used else "new",
                confidence="list",
            )
            self.offers.setdefault(part.id, []).append(offer)
        return part

    def catalog(self) -> Catalog:
        return Catalog(self.parts, {k: tuple(v) for k, v in self.offers.items()}, "0" * 64)


def mostly(rng: random.Random, usual: Any, odd: Any, share: float = 0.12) -> Any:
    """The usual value, now and then the odd one."""
    return odd if rng.random() < share / 2 else usual


def known_or_not(rng: random.Random, name: str, figure: float) -> float | None:
    """The figure, or nothing as often; drawn aside, so that everything else of a seed stays as it is."""
    return random.Random(f"{name} {rng.getstate()}").choice((figure, None))


def drawn_aside(rng: random.Random, name: str, of: tuple[int, ...]) -> int:
    """One of several figures; as `known_or_not`."""
    return random.Random(f"{name} {rng.getstate()}").choice(of)


def some(rng: random.Random, make: list[Any], least: int = 1) -> list[Any]:
    return rng.sample(make, rng.randint(least, len(make)))


def scenario(seed: int) -> tuple[Catalog, Request, Ask]:
    """The catalog of a seed, and one request in both the product's and the oracle's words."""
    rng = random.Random(seed)
    b = Builder(rng)
    shape = ("tower", "server", "board", "system", "liquid", "cluster")[seed % 6]
    _gpus(b, rng, shape)
    _platforms(b, rng, shape)
    _node_parts(b, rng, shape)
    _shared(b, rng, shape)
    return b.catalog(), *_request(b, rng, shape)


def offload_scenario(seed: int) -> tuple[Catalog, Request, Ask]:
    """A catalog of towers, servers or clusters whose CPUs and modules differ in speed, and a MoE model to offload."""
    catalog, request, ask = scenario((0, 1, 5)[seed % 3] + 6 * (seed // 3))
    rng = random.Random(1000 + seed)
    real = {"genA": "Genoa", "genB": "Kunpeng 920", "genC": "Sapphire Rapids"}
    parts: dict[str, Part] = {}
    few = {"gpu1", "bridge0", "bridge1", "drive1", "psu-t" if seed % 3 == 1 else "psu1"}
    for x, p in catalog.parts.items():
        if x in few:
            continue
        change: dict[str, Any] = {}
        if isinstance(p, Platform):
            change = {"cpu_generations": tuple(real[g] for g in p.cpu_generations)}
        elif isinstance(p, Cpu):
            change = {
                "generation": real[p.generation],
                "mem_channels": rng.choice((1, 2)),
                "mem_max_mts": rng.choice((4400, 4800, 6400)),
            }
        elif isinstance(p, Memory):
            change = {"mts": rng.choice((4000, 4800, 5600)), "capacity_gb": rng.choice((16, 32, 64))}
        elif isinstance(p, Gpu):
            change = {"vram_gb": rng.choice((6, 8, 12)), "arch": rng.choice(("Ada", "Ampere", "Blackwell"))}
        parts[x] = p.model_copy(update=change)
    fields = {
        "min_tok_s_user": rng.choice((1, 2, 4)),
        "isl": 4000,
        "osl": 2000,
        "users": rng.choice((None, None, 3)),
        "rack_units": None,
        "max_power_w": None,
    }
    bits = rng.choice((16, 8, 4))
    wishes: dict[str, Any] = {"include": (), "exclude": ()}
    same = {**fields, "budget_cents": 60_000_00, "offload": True, "allow_experimental": True}
    asked = {**same, "model": "v2-lite", "min_precision_bits": bits, "include": (), "exclude": frozenset()}
    return (
        Catalog(parts, {x: o for x, o in catalog.offers.items() if x in parts}, catalog.sha256),
        request.model_copy(update=asked),
        replace(ask, **same, **wishes, model=get("v2-lite"), floor_bits=bits),
    )


def files_scenario(seed: int) -> tuple[Catalog, Request, Ask]:
    """A catalog of small cards, and a model that is asked for in few bits: as published, or in any format."""
    catalog, request, ask = scenario(seed)
    rng = random.Random(3000 + seed)
    parts = {
        x: p.model_copy(update={"vram_gb": rng.choice((4, 6, 8))}) if isinstance(p, Gpu) else p
        for x, p in catalog.parts.items()
    }
    name = rng.choice(("r1-distill-qwen-7b", "r1-distill-llama-8b", "qwen3-8b", "v2-lite"))
    fields = {"min_precision_bits": rng.choice((4, 4, 2, 6)), "any_precision": rng.random() < 0.3}
    shorter = {"isl": 2000, "osl": 2000}
    return (
        Catalog(parts, catalog.offers, catalog.sha256),
        request.model_copy(update={**fields, **shorter, "model": name}),
        replace(
            ask, **shorter, model=get(name), floor_bits=fields["min_precision_bits"],
            any_precision=bool(fields["any_precision"]),
        ),
    )  # fmt: skip


TABLES = {
    "architectures": ["DeepseekV41ForCausalLM"], "hidden_size": 2048, "num_hidden_layers": 4, "vocab_size": 4096,
    "num_attention_heads": 8, "num_key_value_heads": 1, "head_dim": 128, "qk_rope_head_dim": 64, "q_lora_rank": 512,
    "o_lora_rank": 256, "o_groups": 4, "n_routed_experts": 64, "num_experts_per_tok": 4, "n_shared_experts": 1,
    "moe_intermediate_size": 2048, "hc_mult": 2, "sliding_window": 128, "compress_ratios": [0, 2, 1, 1],
    "kv_source_layer_ids": [1, 2], "index_source_layer_ids": [1, 2, 3], "index_n_heads": 8, "index_head_dim": 64,
    "index_topk": 512, "engram_layer_ids": [1], "engram_num_embeddings": [0], "engram_max_ngram_size": 3,
    "engram_n_heads": 4, "engram_head_dim": 256, "vision_config": None, "max_position_embeddings": 65536,
}  # fmt: skip
"""A small network with n-gram tables, of as many rows as a scenario draws."""


def tables_scenario(seed: int) -> tuple[Catalog, Request, Ask]:
    """A catalog of GPUs that one engine serves with n-gram tables in host memory, another with them on the GPUs."""
    catalog, request, ask = scenario((0, 1, 3, 5)[seed % 4] + 6 * (seed // 4))
    rng = random.Random(2000 + seed)
    few = {"gpu1", "bridge0", "bridge1", "drive1", "psu-t" if seed % 4 == 1 else "psu1"}
    parts: dict[str, Part] = {}
    for x, p in catalog.parts.items():
        change: dict[str, Any] = {}
        if x in few:
            continue
        if isinstance(p, Gpu):
            change = {"arch": "Hopper", "vram_gb": rng.choice((16, 24, 48)), "kernel_class": "SM90"}
        elif isinstance(p, Memory):
            change = {"capacity_gb": rng.choice((8, 16, 32, 64))}
        parts[x] = p.model_copy(update=change)
    rows = rng.choice((30, 60, 110)) * 10**9 // 264
    config = {**TABLES, "engram_num_embeddings": [rows]}
    facts = {"native_precision": "fp4-mix", "min_precision_bits": 4, "max_context": 65536, "source": "test"}
    model = from_config(config, id=f"tables-{seed}", name="tables", **facts)
    same = {
        "budget_cents": rng.choice((30_000_00, 60_000_00)), "users": rng.choice((None, None, 4)), "rack_units": None,
        "max_power_w": None, "circuit": None,
    }  # fmt: skip
    asked = {**same, "model": model.id, "include": (), "exclude": frozenset()}
    return (
        Catalog(parts, {x: o for x, o in catalog.offers.items() if x in parts}, catalog.sha256),
        request.model_copy(update=asked),
        replace(ask, **same, model=model, include=(), exclude=()),
    )


def speculating_scenario(seed: int) -> tuple[Catalog, Request, Ask]:
    """A catalog whose model has a module for several tokens that weighs some of its layers, loaded, and cards that hold
    the model with or without it."""
    catalog, request, ask = scenario(6 * seed + seed % 6)
    rng = random.Random(3000 + seed)
    llm = ask.model
    behind = rng.randint(2, max(2, llm.layers // 2))
    joined = Linear(llm.hidden, 2 * llm.hidden, name="eh_proj", whole=True, copied=True)
    layers = tuple(
        replace(layer, linears=tuple(replace(x, draft=True) for x in (*layer.linears, joined)))
        for layer in llm.layer_list[-behind:]
    )
    model = replace(llm, id=f"speculating-{seed}", draft_kind="MTP", draft_list=layers)
    parts = {
        x: p.model_copy(update={"vram_gb": rng.choice((16, 20, 24, 32))}) if isinstance(p, Gpu) else p
        for x, p in catalog.parts.items()
    }
    return (
        Catalog(parts, catalog.offers, catalog.sha256),
        request.model_copy(update={"model": model.id, "speculate": "mtp"}),
        replace(ask, model=model, speculate=True),
    )


def half_filled_scenario(seed: int) -> tuple[Catalog, Request, Ask]:
    """A catalog of complete systems with free slots, whose GPUs and modules are also sold apart; a second system is
    filled more. Their memory is often too little for their GPUs."""
    catalog, request, ask = scenario(3 + 6 * seed)
    rng = random.Random(2000 + seed)
    parts, offers = dict(catalog.parts), dict(catalog.offers)
    whole = parts["box0"]
    assert isinstance(whole, Platform)

    def on_sale(part: str, dollars: int) -> None:
        offers[part] = tuple(
            next(iter(catalog.offers["box0"])).model_copy(
                update={"id": f"{part}-{i}", "part": part, "seller": f"s{i}", "price": Decimal(dollars + i)}
            )
            for i in range(rng.choice((1, 2)))
        )

    def filled(gpus: int, modules: int) -> tuple[Contained, ...]:
        number = {"gpu-s": gpus, "dimm-s": modules}
        return tuple(c.model_copy(update={"qty": number.get(c.part, c.qty)}) for c in whole.contents)

    alone = "single" if rng.random() < 0.8 else "system"
    parts["gpu-s"] = parts["gpu-s"].model_copy(update={"sold_as": alone, "vram_gb": rng.choice((24, 32, 48))})
    parts["dimm-s"] = parts["dimm-s"].model_copy(update={"capacity_gb": rng.choice((4, 8, 16)), "power_w": 6})
    on_sale("gpu-s", rng.choice((1500, 3000)))
    on_sale("dimm-s", rng.choice((60, 250)))
    slots = {"gpu_slots": 3, "nic_slots": 3, "nic_forms": ("PCIe",), "channels_per_cpu": rng.choice((2, 2, 4))}
    parts["box0"] = whole.model_copy(update={**slots, "contents": filled(1, rng.choice((1, 2)))})
    second = {**slots, "id": "box2", "contents": filled(2, rng.choice((1, 2, 4)))}
    parts["box2"] = parts["box0"].model_copy(update=second)
    on_sale("box0", rng.choice((5000, 9000)))
    on_sale("box2", rng.choice((9000, 15000)))
    for other in ("box1", "box2"):
        if rng.random() < 0.6:
            offers.pop(other, None)
    same: dict[str, Any] = {"budget_cents": rng.choice((20_000, 40_000)) * 100, "users": None, "include": ()}
    same["max_nodes"] = 2 if seed % 8 == 0 else 1
    if rng.random() < 0.2:
        same["include"] = (rng.choice(("dimm-s", "gpu-s", "dimm1")),)
    asked = {**same, "exclude": frozenset()}
    return (
        Catalog(parts, offers, catalog.sha256), request.model_copy(update=asked), replace(ask, **same, exclude=()),
    )  # fmt: skip


def _gpus(b: Builder, rng: random.Random, shape: str) -> None:
    common = {"name": "", "source": "test", "vendor": "A"}
    archs = rng.sample(["Ampere", "Ada", "RDNA4", "Blackwell", "Gaudi2"], 2)
    for i in range(1 if shape == "cluster" else 2):
        fabric = "nvlink-bridge" if shape == "server" and i == 0 else "none"
        common["vendor"] = "AB"[i]
        gpu = Gpu(
            id=f"gpu{i}",
            arch=archs[i % len(archs)],
            form_factor="OAM" if shape == "board" else "PCIe",
            cooling="module" if shape == "board" else mostly(rng, "passive", "blower", 0.3),
            sold_as="board" if shape == "board" else "single",
            vram_gb=rng.choice((24, 32, 48)),
            mem_gb_s=rng.choice((600, 1000, 1800)),
            fp16_tflops=rng.choice((80, 200, 400)),
            fp8_tflops=rng.choice((None, 600)),
            int8_tops=300,
            fp4_tflops=1000,
            tdp_w=rng.choice((200, 300, 450)),
            fabric="xgmi" if shape == "board" else fabric,
            link_gb_s=400 if shape == "board" or fabric != "none" else 0,
            fast_domain_gpus=2 if shape == "board" else 1,
            pcie_gen=rng.choice((4, 5)),
            width_slots=2,
            p2p=rng.random() < 0.7,
            **common,
        )
        several = {"Ampere": ("SM80", "SM86", ""), "Blackwell": ("SM100", "SM120", "")}.get(gpu.arch, ("",))
        gpu = gpu.model_copy(update={"kernel_class": several[gpu.vram_gb // 8 % 3 % len(several)]})
        if shape == "board":
            b.parts[gpu.id] = gpu
            board = GpuBoard(
                id=f"board{i}",
                gpu=gpu.id,
                gpus=2,
                form_factor="OAM",
                board_type=mostly(rng, "UBB-MI300", "UBB-MI350", 0.25),
                overhead_w=rng.choice((0, 100)),
                **common,
            )
            b.add(board, rng.choice((9000, 15000)), used=rng.random() < 0.15)
        else:
            b.add(gpu, rng.choice((2500, 5000, 8000)), used=rng.random() < 0.15)
        if fabric == "nvlink-bridge" and rng.random() < 0.8:
            b.add(Bridge(id=f"bridge{i}", gpus=(gpu.id,), group_gpus=2, per_group=rng.choice((1, 3)), **common), 120)


def _platforms(b: Builder, rng: random.Random, shape: str) -> None:
    gen = "genA"
    for i in range(1 if shape in ("liquid", "cluster") else 2):
        tower = shape == "tower" or (shape == "cluster" and rng.random() < 0.4)
        system = shape == "system" and i == 0
        fields: dict[str, Any] = {
            "kind": Kind.SYSTEM if system else Kind.PLATFORM,
            "id": f"box{i}",
            "name": "",
            "source": "test",
            "vendor": "C",
            "rack_mount": not tower,
            "rack_units": 0 if tower else rng.choice((4, 8, 11)),
            "gpu_slots": mostly(rng, rng.choice((2, 3)), 1, 0.2),
            "gpu_forms": ("OAM",) if shape == "board" else ("PCIe",),
            "gpu_boards": (mostly(rng, "UBB-MI300", "UBB-MI350"),) if shape == "board" else (),
            "gpu_cooling": ("module",) if shape == "board" else mostly(rng, ("passive", "blower"), ("passive",), 0.3),
            "gpu_width_total": mostly(rng, None, 4, 0.3),
            "gpu_max_w": mostly(rng, None, 350, 0.2),
            "gpu_lane_widths": rng.choice(((16,), (16, 8))),
            "pcie_switch": shape in ("server", "board") and rng.random() < 0.6,
            "chipset_lanes": rng.choice((0, 4)),
            "sockets": mostly(rng, 1, 2, 0.3),
            "socket": mostly(rng, "SP5", "AM5", 0.05),
            "cpu_generations": (gen, "genC"),
            "cpu_max_w": mostly(rng, None, 250, 0.2),
            "dimm_slots": 4,
            "mem_gen": "DDR5",
            "dimm_types": ("RDIMM",),
            "channels_per_cpu": rng.choice((1, 2)),
            "nvme_bays": rng.choice((1, 1, 2)),
            "nvme_forms": ("U.2",),
            "m2_slots": rng.choice((0, 1)),
            "nic_slots": rng.choice((1, 2, 3)),
            "nic_forms": ("PCIe",),
            "onboard_lan": rng.choice(((), ("2*10:RJ45",), ("2*10:RJ45",))),
            "psu_bays": 3,
            "psu_watts": mostly(rng, (), (1000, 2000), 0.3),
            "psu_forms": ("ATX",) if tower else ("CRPS",),
            "psu_redundancy": ("1+0",) if tower else rng.choice((("1+1",), ("2+1",), ("1+1", "2+1"))),
            "cooling": ("DLC",) if shape == "liquid" else ("air",),
            "system_max_w": mostly(rng, None, 1100, 0.25),
            "overhead_w": rng.choice((50, 150)),
            "weight_kg": rng.choice((20.5, 60, 160)),
            "inlet_max_c": mostly(rng, rng.choice((None, 35)), 25, 0.1),
            "includes": ("cpu-heatsink",) if not tower or rng.random() < 0.4 else (),
        }
        if system:
            fields |= {
                "contents": _contents(b, rng),
                "includes": ("psu", "cpu", "gpu", "dimm", "cpu-heatsink"),
                "psu_redundancy": ("1+1",),
                "system_max_w": rng.choice((None, 900)),
                "sockets": 1,
            }
        b.add(Platform(**fields), 12000 if system else rng.choice((800, 2500)))


def _contents(b: Builder, rng: random.Random) -> tuple[Contained, ...]:
    common = {"name": "", "source": "test", "vendor": "D"}
    gpu = Gpu(
        id="gpu-s",
        arch="Ada",
        form_factor="PCIe",
        cooling="passive",
        sold_as="system",
        vram_gb=48,
        mem_gb_s=900,
        tdp_w=250,
        fp16_tflops=180,
        int8_tops=300,
        fp8_tflops=360,
        pcie_gen=4,
        width_slots=2,
        **common,
    )
    cpu = Cpu(
        id="cpu-s",
        generation="genC",
        socket="SP5",
        max_sockets=1,
        cores=rng.choice((6, 16)),
        tdp_w=150,
        mem_gen="DDR5",
        dimm_types=("RDIMM",),
        pcie_gen=4,
        lanes_1p=64,
        lanes_2p=64,
        **common,
    )
    dimm = Memory(id="dimm-s", mem_gen="DDR5", dimm_type="RDIMM", capacity_gb=rng.choice((8, 16)), mts=4800, **common)
    psu = Psu(id="psu-s", form="CRPS", watts=1600, watts_low_line=900, efficiency="Titanium", inlet="C14", **common)
    for part in (gpu, cpu, dimm, psu):
        b.parts[part.id] = part
    return tuple(Contained(part=x.id, qty=q) for x, q in ((gpu, 2), (cpu, 1), (dimm, 2), (psu, 2)))


def _node_parts(b: Builder, rng: random.Random, shape: str) -> None:
    common = {"name": "", "source": "test", "vendor": "E"}
    many = shape != "cluster"
    for i in range(2 if many else 1):
        b.add(
            Cpu(
                id=f"cpu{i}",
                generation=mostly(rng, rng.choice(("genA", "genC")), "genB"),
                socket=mostly(rng, "SP5", "AM5", 0.1),
                max_sockets=mostly(rng, 2, 1),
                cores=rng.choice((4, 12, 24)),
                tdp_w=rng.choice((120, 280)),
                mem_gen="DDR5",
                dimm_types=("RDIMM",),
                pcie_gen=rng.choice((4, 5)),
                lanes_1p=rng.choice((36, 56, 80)),
                lanes_2p=96,
                **common,
            ),
            rng.choice((400, 900)),
        )
        b.add(
            Memory(
                id=f"dimm{i}",
                mem_gen=mostly(rng, "DDR5", "DDR4", 0.08),
                dimm_type="RDIMM",
                capacity_gb=rng.choice((4, 8, 16, 32)) if i else 16,
                mts=4800,
                power_w=rng.choice((3, 9)),
                **common,
            ),
            rng.choice((90, 300)),
        )
        b.add(
            Psu(
                id=f"psu{i}",
                form="ATX" if shape == "tower" and rng.random() < 0.6 else "CRPS",
                watts=rng.choice((800, 1000, 2000)) if i else 2000,
                watts_low_line=rng.choice((0, 800, 800)),
                efficiency=rng.choice(("Gold", "Platinum")),
                inlet="C14",
                **common,
            ),
            rng.choice((200, 350)),
        )
    if shape in ("tower", "cluster"):
        b.add(
            Psu(id="psu-t", form="ATX", watts=1300, watts_low_line=1300, efficiency="Gold", inlet="C14", **common), 260
        )
        b.add(
            Cooling(
                id="cooler0", medium="air", role="cpu-cooler", socket="SP5", capacity_w=mostly(rng, 300, 100), **common
            ),
            60,
        )
    for i in range(2 if many and rng.random() < 0.7 else 1):
        b.add(
            Drive(
                id=f"drive{i}",
                media="nvme",
                forms=mostly(rng, ("U.2",), rng.choice((("M.2",), ("U.2", "M.2"))), 0.35),
                capacity_gb=rng.choice((300, 600, 2000)) if i else 2000,
                read_mb_s=rng.choice((3500, 7000)) if i else 7000,
                power_w=10,
                **common,
            ),
            rng.choice((100, 400)),
        )


def _shared(b: Builder, rng: random.Random, shape: str) -> None:
    common = {"name": "", "source": "test", "vendor": "F"}
    b.add(
        Nic(
            id="nic0",
            fabrics=("Ethernet",),
            rdma=shape == "cluster" and rng.random() < 0.7,
            gbit_s=100,
            ports=1,
            connectors=("QSFP56",),
            form="PCIe",
            pcie_gen=rng.choice((3, 4)),
            lanes=rng.choice((8, 16)),
            power_w=20,
            **common,
        ),
        400,
    )
    b.add(Rack(id="rack0", rack_units=mostly(rng, 42, 12, 0.25), load_kg=mostly(rng, 1000, 150, 0.2), **common), 900)
    b.add(
        Pdu(
            id="pdu0",
            power_w=rng.choice((1200, 5000, 5000)),
            volts=mostly(rng, 230, 120, 0.1),
            phases=1,
            outlets_c13=mostly(rng, 12, 1, 0.15),
            outlets_c19=2,
            **common,
        ),
        300,
    )
    b.add(Link(kind=Kind.CABLE, id="cord", end_a="C13-C14", end_b="C13-C14", medium="power", **common), 8)
    if shape == "liquid":
        b.add(
            Cooling(
                id="cdu",
                medium="DLC",
                role="cdu-l2l",
                capacity_w=rng.choice((1000, 9000)),
                rack_units=drawn_aside(rng, "cdu height", (4, 4, 0)),
                weight_kg=known_or_not(rng, "cdu", 80),
                power_w=known_or_not(rng, "cdu draw", 400),
                **common,
            ),
            5000,
        )
        b.add(Cooling(id="manifold", medium="DLC", role="manifold", **common), 700)
        b.add(Cooling(id="facility", medium="DLC", role="facility", **common), 300)
    if shape in ("cluster", "system", "liquid"):
        for role, ports in (("frontend", ("10:8", "100:8")), ("oob", ("1:8",)), ("rdma", ("100:4",))):
            plugs = ("RJ45",) if role == "oob" else ("RJ45", "QSFP56") if role == "frontend" else ("QSFP56",)
            b.add(
                Switch(
                    id=f"sw-{role}",
                    fabric="Ethernet",
                    role=role,
                    speeds=ports,
                    connectors=plugs,
                    rack_units=1,
                    weight_kg=known_or_not(rng, role, 5),
                    power_w=100,
                    **common,
                ),
                900 if role != "oob" else 200,
            )
        if rng.random() < 0.9:
            b.add(
                Link(kind=Kind.CABLE, id="dac", gbit_s=100, end_a="QSFP56", end_b="QSFP56", medium="copper", **common),
                90,
            )
        b.add(Link(kind=Kind.CABLE, id="cat6", gbit_s=10, end_a="RJ45", end_b="RJ45", medium="copper", **common), 9)


def _request(b: Builder, rng: random.Random, shape: str) -> tuple[Request, Ask]:
    model = rng.choice(("r1-distill-qwen-7b", "r1-distill-llama-8b", "v2-lite"))
    maybe = {
        "max_power_w": mostly(rng, None, rng.choice((900, 1800)), 0.25),
        "circuit": mostly(rng, None, rng.choice(((15, 120), (16, 230))), 0.3),
        "rack_units": mostly(rng, None, rng.choice((8, 16)), 0.2),
        "users": mostly(rng, None, rng.choice((4, 9)), 0.6),
    }
    bits = rng.choice((16, 16, 8))
    nodes = rng.choice((1, 2)) if shape in ("cluster", "system", "liquid") else 1
    sold = [x for x, p in b.parts.items() if x in b.offers and p.kind in (Kind.GPU, Kind.CPU, Kind.DRIVE, Kind.MEMORY)]
    exclude = (rng.choice(sold),) if rng.random() < 0.1 else ()
    include = (rng.choice(sold),) if rng.random() < 0.1 else ()
    budget = rng.choice((12_000, 20_000, 30_000, 60_000)) * 100
    water = shape == "liquid" and rng.random() < 0.8
    have = frozenset(x for x in ("racks", "network") if rng.random() < 0.25)
    request = Request(
        model=model,
        grade="floor",  # what other grades ask is of tests/constraints/test_grades.py
        as_of=DAY,
        budget_cents=budget,
        isl=8000,
        osl=8000,
        min_precision_bits=bits,
        max_nodes=nodes,
        min_tok_s_user=10,
        users=maybe["users"],
        max_power_w=maybe["max_power_w"],
        rack_units=maybe["rack_units"],
        circuit=Circuit(amps=maybe["circuit"][0], volts=maybe["circuit"][1]) if maybe["circuit"] else None,
        site_water=water,
        have=have,
        exclude=frozenset(exclude),
        include=include,
    )
    ask = Ask(
        model=get(model),
        budget_cents=budget,
        isl=8000,
        osl=8000,
        users=maybe["users"],
        floor_bits=bits,
        max_nodes=nodes,
        max_power_w=maybe["max_power_w"],
        circuit=maybe["circuit"],
        rack_units=maybe["rack_units"],
        site_water=water,
        have_racks="racks" in have,
        have_network="network" in have,
        exclude=exclude,
        include=include,
    )
    return request, ask


def graded_scenario(seed: int, grade: Grade) -> tuple[Catalog, Request, Ask]:
    """The catalog of a seed with more bays, drives for desktops, a slower card and ports on some boards, so that what a
    grade asks of drives and ports decides; and its request at that grade, with money for it."""
    catalog, request, ask = scenario(seed)
    rng = random.Random(f"{seed} grades")
    parts: dict[str, Part] = {}
    for x, part in sorted(catalog.parts.items()):
        change: dict[str, Any] = {}
        if isinstance(part, Platform):
            change = {"nvme_bays": rng.choice((2, 3, 4, 4)), "nic_slots": max(part.nic_slots, rng.choice((1, 2, 3)))}
            if part.onboard_lan and rng.random() < 0.5:
                change["onboard_lan"] = ("1*25:SFP28",)
        elif isinstance(part, Drive):
            change = {"media": rng.choice(("nvme", "nvme", "nvme-consumer"))}
        parts[x] = part.model_copy(update=change)
    offers = dict(catalog.offers)
    card = parts["nic0"]
    assert isinstance(card, Nic)
    parts["nic0-slow"] = card.model_copy(update={"id": "nic0-slow", "gbit_s": rng.choice((10, 25))})
    offers["nic0-slow"] = tuple(
        o.model_copy(update={"id": f"{o.id}-slow", "part": "nic0-slow", "price": o.price / 2 + Decimal("0.005")})
        for o in offers["nic0"]
    )
    offers["nic0-slow"] = tuple(o.model_copy(update={"price": round(o.price, 2)}) for o in offers["nic0-slow"])
    budget = 2 * ask.budget_cents
    changed = request.model_copy(update={"grade": grade, "budget_cents": budget, "users": None})
    return (
        replace(catalog, parts=parts, offers=offers),
        changed,
        replace(ask, grade=grade, budget_cents=budget, users=None),
    )


def listed_scenario(seed: int, grade: Grade) -> tuple[Catalog, Request, Ask]:
    """The catalog of a seed at a grade, with lists of makers: of most machines, whole for a vendor or of single pairs,
    before and after GPUs came out, with and without a number, some of a GPU alone that nobody sells."""
    catalog, request, ask = graded_scenario(seed, grade)
    rng = random.Random(f"{seed} lists")
    parts = dict(catalog.parts)
    gpus = [part for _, part in sorted(parts.items()) if isinstance(part, Gpu)]
    for gpu in gpus:
        vendor, out = (
            rng.choice(("A", "A", "B")),
            rng.choice((date(2024, 1, 1), date(2024, 1, 1), date(2025, 1, 1), None)),
        )
        parts[gpu.id] = gpu.model_copy(update={"vendor": vendor, "released": out})
    parts["gpu-unsold"] = parts[gpus[0].id].model_copy(update={"id": "gpu-unsold"})
    pairs: dict[str, QualifiedGpu] = {}
    for platform in [part for _, part in sorted(parts.items()) if isinstance(part, Platform)]:
        if rng.random() < 0.2:
            continue
        whole = rng.choice(((), ("A",), ("A", "B"), ("A", "B")))
        aside = rng.choice(((), (), (), (rng.choice(gpus).id,)))
        for name in ["gpu-unsold", *(gpu.id for gpu in gpus if rng.random() < 0.5)]:
            pair = QualifiedGpu(
                platform=platform.id, gpu=name, most=rng.choice((None, 1, 1, 1, 2)), complete_for=whole,
                leaves_open=aside, list_date=rng.choice((date(2024, 6, 1), date(2026, 1, 1))), read_date=DAY,
                source="drawn",
            )  # fmt: skip
            pairs[pair.id] = pair
    return replace(catalog, parts=parts, qualified_gpus=pairs), request, ask


FABRICS = (6, 39, 50, 120)
"""Clusters of `scenario` whose networks and cards make splits worth their fabric."""


def apart_scenario(seed: int) -> tuple[Catalog, Request, Ask]:
    """A cluster with a fabric, long prompts, short answers that are asked for quickly, and a model that engines serve
    with prefill and decode apart: by way of trial too."""
    catalog, request, ask = scenario(6 * FABRICS[seed % len(FABRICS)] + 5)
    rng = random.Random(9000 + seed)
    fields: dict[str, Any] = {
        "isl": rng.choice((3000, 6000, 12000)),
        "osl": rng.choice((150, 300)),
        "min_tok_s_user": rng.choice((40.0, 60.0, 80.0, 100.0)),
        "users": rng.choice((None, None, 3, 8)),
        "max_nodes": 3,
        "allow_experimental": True,
        "budget_cents": 90_000_000,
    }
    llm = get("v2-lite")
    # The brute force joins all ports by one switch.
    parts = {
        x: p.model_copy(update={"speeds": ("100:16",)}) if isinstance(p, Switch) and p.role == "rdma" else p
        for x, p in catalog.parts.items()
    }
    catalog = Catalog(parts, catalog.offers, catalog.sha256)
    return catalog, request.model_copy(update={**fields, "model": llm.id}), replace(ask, **fields, model=llm)
