"""What a catalog holds: one frozen class per part kind (offers: catalogs/offers.py). Units stand in the field names.

A field that may be blank is unknown; no rule guesses it. Every class is one CSV file of the same columns
(see catalogs/load.py), lists are written `a|b`, contents `2*part-id|8*part-id`.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator


class Kind(StrEnum):
    GPU = "gpu"
    GPU_BOARD = "gpu_board"
    BRIDGE = "bridge"
    SYSTEM = "system"
    PLATFORM = "platform"
    CPU = "cpu"
    MEMORY = "memory"
    DRIVE = "drive"
    NIC = "nic"
    PSU = "psu"
    COOLING = "cooling"
    SWITCH = "switch"
    OPTIC = "optic"
    CABLE = "cable"
    RACK = "rack"
    PDU = "pdu"


GpuForm = Literal["PCIe", "PCIe-LP", "SXM2", "SXM4", "SXM5", "SXM6", "OAM", "OAM-Ascend", "Superchip", "integrated"]
GpuCooling = Literal["passive", "blower", "open-fan", "module"]
GpuFabric = Literal["none", "nvlink", "nvlink-bridge", "xgmi", "roce-on-die", "hccs", "unifiedbus", "mtlink"]
BoardType = Literal[
    "HGX-AMPERE-4", "HGX-AMPERE-8", "HGX-HOPPER-4", "HGX-HOPPER-8", "HGX-B200-8", "HGX-B300-8",
    "UBB-MI300", "UBB-MI350", "UBB-GAUDI2", "UBB-GAUDI3", "ASCEND-910B-8",
]  # fmt: skip
Socket = Literal[
    "SP3", "SP5", "sTR5", "AM5", "LGA1700", "LGA3647", "LGA4189", "LGA4677", "LGA4710", "LGA7529", "soldered",
]  # fmt: skip
MemGen = Literal["DDR4", "DDR5", "LPDDR5", "LPDDR5X"]
DimmType = Literal["RDIMM", "RDIMM-3DS", "MRDIMM", "UDIMM", "SODIMM", "soldered"]
BayForm = Literal["U.2", "U.3", "E1.S", "E3.S", "M.2", "2.5", "3.5", "builtin"]
NicForm = Literal["PCIe", "OCP3"]
Efficiency = Literal["Gold", "Platinum", "Titanium"]
"""Grades of 80 PLUS."""
PsuForm = Literal[
    "ATX", "CRPS", "SMC", "DELL", "HPE-MCRPS", "LENOVO", "IBM", "NVIDIA-DGX", "GIGABYTE", "ASUS", "INSPUR",
    "XFUSION", "HUAWEI", "builtin", "2xATX",
]  # fmt: skip
"""`2xATX` is of cases alone, beside `ATX`: one made for two such supplies."""
Inlet = Literal["C14", "C20"]
Connector = Literal[
    "OSFP", "OSFP-FLT", "QSFP-DD", "QSFP112", "QSFP56", "QSFP28", "SFP28", "RJ45", "MPO-12/APC", "C13-C14", "C19-C20",
]  # fmt: skip
Included = Literal[
    "chassis", "board", "fans", "cpu-heatsink", "psu", "cpu", "gpu", "dimm", "storage", "nic", "coldplate-kit"
]
MOST = 10**9
Whole = Annotated[int, Field(ge=0, le=MOST)]
Positive = Annotated[int, Field(gt=0, le=MOST)]
Few = Annotated[int, Field(ge=0, le=1000)]
"""Slots, bays, units of a rack: what searches count through."""
Gpus = Annotated[int, Field(ge=0, le=1024)]
"""GPUs of one node."""
Figure = Annotated[float, Field(gt=0, le=MOST, allow_inf_nan=False)]
Weight = Annotated[float, Field(ge=0, le=100_000, allow_inf_nan=False)]
Country = Annotated[str, Field(pattern=r"^([A-Za-z]{2})?$")]
"""ISO 3166, two letters; blank: unknown."""
MarketCode = Literal["US", "EU", "UK", "CN", "JP"]
"""Where a buyer buys: what differs between them stands in constraints/data/markets.csv."""
Spares = Annotated[str, Field(pattern=r"^[0-9]{1,3}(\+[0-9]{1,3})?$")]
Ports = Annotated[str, Field(pattern=r"^[0-9]{1,5}:[0-9]{1,5}$")]
LanPorts = Annotated[str, Field(pattern=rf"^[1-9][0-9]?\*[0-9]{{1,4}}(\.[0-9])?:({'|'.join(get_args(Connector))})$")]
"""`2*10:RJ45`: ports, Gbit/s of each, connector."""


class Contained(BaseModel):
    """A quantity of a part inside a complete system."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")
    part: str
    qty: Positive


class Part(BaseModel):
    """One thing that can be bought. `id` is stable and lower case; `source` says where the figures were read.

    `markets`: the only ones where it is sold, `CN` or `EU|UK`; or, with an exclamation mark at each, those where it is
    not, `!CN`. Blank: sold everywhere. What an export rule bars from a day on is no fact of the part: export_rules.csv.
    """

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")
    kind: Kind
    id: str = Field(pattern=r"^[a-z0-9][a-z0-9.+-]*$")
    name: str
    vendor: str = ""
    country: Country = ""
    source: str
    notes: str = ""
    aliases: tuple[str, ...] = ()
    markets: tuple[str, ...] = ()

    @field_validator("markets")
    @classmethod
    def _known_markets(cls, markets: tuple[str, ...]) -> tuple[str, ...]:
        codes = [market.removeprefix("!") for market in markets]
        if not set(codes) <= set(get_args(MarketCode)) or len(set(codes)) < len(codes):
            raise ValueError(f"needs codes of markets, each once: {', '.join(get_args(MarketCode))}")
        if len({market.startswith("!") for market in markets}) > 1:
            raise ValueError("names either markets where it is sold or, all with !, markets where it is not")
        return markets

    def sold_in(self, market: MarketCode) -> bool:
        """Whether its maker sells it there; an export rule may still bar it on a day."""
        if any(code.startswith("!") for code in self.markets):
            return f"!{market}" not in self.markets
        return not self.markets or market in self.markets

    def __hash__(self) -> int:
        return hash(self.id)


class Gpu(Part):
    """An accelerator. `link_gb_s`: NVLink / xGMI per GPU, both directions together; tensor figures are dense.

    `arch` is the generation, the key of fitted constants; `kernel_class` what engines build kernels for (SM90, SM100,
    SM120, CDNA3, ...: catalogs/engines/kernel_classes.csv). `released`: the day on which it came out; a maker's list
    that is older says nothing of it."""

    kind: Literal[Kind.GPU] = Kind.GPU
    arch: str
    kernel_class: str = ""
    form_factor: GpuForm
    cooling: GpuCooling
    sold_as: Literal["single", "board", "system"]
    vram_gb: Positive
    unified_reserve_gb: Whole = 0
    mem_gb_s: Positive | None = None
    fp16_tflops: Figure | None = None
    fp8_tflops: Figure | None = None
    int8_tops: Figure | None = None
    fp4_tflops: Figure | None = None
    tdp_w: Annotated[int, Field(ge=30, le=5000)] | None = None
    tdp_min_w: Positive | None = None
    fabric: GpuFabric = "none"
    link_gb_s: float = Field(default=0, ge=0, le=MOST, allow_inf_nan=False)
    fast_domain_gpus: Positive = 1
    pcie_gen: Annotated[int, Field(ge=3, le=7)] | None = None
    width_slots: Positive | None = None
    p2p: bool = True
    pcie_lanes: Annotated[int, Field(ge=1, le=16)] = 16
    released: date | None = None

    @property
    def wired_domain_gpus(self) -> int:
        """GPUs joined by the node's own fabric, bridges not counted."""
        return self.fast_domain_gpus if self.fabric not in ("none", "nvlink-bridge") else 1


class GpuBoard(Part):
    """A baseboard sold whole with `gpus` GPUs on it. `predecessor`: the board that it takes the place of, whose price
    it does not lie under (`dsopt catalog validate`)."""

    kind: Literal[Kind.GPU_BOARD] = Kind.GPU_BOARD
    gpu: str
    gpus: Annotated[int, Field(gt=0, le=1024)]
    form_factor: GpuForm
    board_type: BoardType
    overhead_w: Whole = 0
    predecessor: str = ""


class Bridge(Part):
    """An NVLink bridge: `per_group` pieces join `group_gpus` GPUs."""

    kind: Literal[Kind.BRIDGE] = Kind.BRIDGE
    gpus: tuple[str, ...]
    group_gpus: Positive
    per_group: Positive


class Platform(Part):
    """Chassis with board and fans, maybe with supplies; a `system` also carries `contents`.

    `psu_redundancy`: the accepted patterns needed+spare. `gpu_width_total`: single widths shared by all cards.
    `system_max_w`: the heat the chassis can move (for a system: its published maximum).
    `onboard_lan`: `count*gbps:connector`. `overhead_w`: switches, VRM and BMC of the node, without fans.
    """

    kind: Literal[Kind.PLATFORM, Kind.SYSTEM] = Kind.PLATFORM
    rack_mount: bool
    rack_units: Few | None = None
    gpu_slots: Gpus
    gpu_forms: tuple[GpuForm, ...]
    gpu_boards: tuple[BoardType, ...] = ()
    gpu_cooling: tuple[GpuCooling, ...] = ()
    gpu_width_total: Whole | None = None
    gpu_max_w: Positive | None = None
    gpu_lane_widths: tuple[int, ...] = (16,)
    pcie_switch: bool = False
    chipset_lanes: Whole = 0
    sockets: Positive
    socket: Socket
    cpu_generations: tuple[str, ...]
    cpu_max_w: Positive | None = None
    dimm_slots: Few
    mem_gen: MemGen
    dimm_types: tuple[DimmType, ...]
    channels_per_cpu: Whole
    nvme_bays: Few = 0
    nvme_forms: tuple[BayForm, ...] = ()
    m2_slots: Few = 0
    sata_bays: Few = 0
    sata_forms: tuple[BayForm, ...] = ()
    nic_slots: Few = 0
    nic_forms: tuple[NicForm, ...] = ()
    onboard_lan: tuple[LanPorts, ...] = ()
    psu_bays: Few = 0
    psu_watts: tuple[int, ...] = ()
    psu_forms: tuple[PsuForm, ...] = ()
    psu_redundancy: tuple[Spares, ...] = ()
    cooling: tuple[Literal["air", "DLC"], ...] = ("air",)
    system_max_w: Positive | None = None
    overhead_w: Whole = 0
    weight_kg: Weight | None = Field(default=None, gt=0)
    inlet_max_c: Positive | None = None
    noise_dba: Annotated[float, Field(gt=0, le=200, allow_inf_nan=False)] | None = None
    """Sound pressure of a node as its maker states it."""
    price_class: str = ""
    includes: tuple[Included, ...] = ()
    contents: tuple[Contained, ...] = ()


class Cpu(Part):
    kind: Literal[Kind.CPU] = Kind.CPU
    generation: str
    socket: Socket
    max_sockets: Positive
    cores: Positive
    tdp_w: Positive | None = None
    mem_gen: MemGen
    dimm_types: tuple[DimmType, ...]
    mem_channels: Positive | None = None
    mem_max_mts: Positive | None = None
    mem_gb_s: Figure | None = None
    pcie_gen: Annotated[int, Field(ge=3, le=7)] | None = None
    lanes_1p: Whole | None = None
    lanes_2p: Whole | None = None
    mrdimm_max_mts: Positive | None = None


class Memory(Part):
    kind: Literal[Kind.MEMORY] = Kind.MEMORY
    mem_gen: MemGen
    dimm_type: DimmType
    capacity_gb: Positive
    mts: Positive
    power_w: Positive = 5
    pack: Positive = 1


class Drive(Part):
    kind: Literal[Kind.DRIVE] = Kind.DRIVE
    media: Literal["nvme", "nvme-consumer", "sata-ssd", "hdd"]
    forms: tuple[BayForm, ...]
    capacity_gb: Positive
    read_mb_s: Positive
    power_w: Positive
    pcie_gen: Annotated[int, Field(ge=3, le=7)] | None = None


class Nic(Part):
    """`fabrics`: InfiniBand, Ethernet; `connectors`: plugs the cage takes; `fabric_rates` only for InfiniBand."""

    kind: Literal[Kind.NIC] = Kind.NIC
    fabrics: tuple[Literal["InfiniBand", "Ethernet"], ...]
    rdma: bool
    gbit_s: Positive
    ports: Positive
    connectors: tuple[Connector, ...]
    form: NicForm
    pcie_gen: Annotated[int, Field(ge=3, le=7)]
    lanes: Positive
    power_w: Positive


class Psu(Part):
    """`watts_low_line`: output at 100-127 V, 0 when it needs 200 V. `inlet`: blank where nobody states it."""

    kind: Literal[Kind.PSU] = Kind.PSU
    form: PsuForm
    watts: Annotated[int, Field(ge=100, le=20000)]
    watts_low_line: Whole
    efficiency: Efficiency
    inlet: Inlet | None = None


DRIVEN = ("rdhx", "cdu-l2l", "cdu-l2a")
"""Roles of cooling gear that nodes share and that has pumps or fans of its own."""


class Cooling(Part):
    """`rack_units`: 0 of what stands beside the racks or in nodes; weight and draw: none where unpublished. A unit with
    pumps or fans of its own states its draw or the heat that it carries off, by which the draw is estimated."""

    kind: Literal[Kind.COOLING] = Kind.COOLING
    medium: Literal["air", "DLC"]
    role: Literal["cpu-cooler", "rdhx", "cdu-l2l", "cdu-l2a", "manifold", "facility", "coldplate-kit", "fans", "room"]
    socket: Socket | None = None
    capacity_w: Positive | None = None
    rack_units: Whole = 0
    weight_kg: Weight | None = Field(default=None, gt=0)
    power_w: Whole | None = Field(default=None, validate_default=True)

    @property
    def driven(self) -> bool:
        """Whether it has pumps or fans beside those of the nodes."""
        return self.role in DRIVEN

    @field_validator("power_w")
    @classmethod
    def _draws(cls, watts: int | None, info: ValidationInfo) -> int | None:
        """Pumps and fans draw something: what nobody published is blank, and then estimated by the capacity."""
        if info.data.get("role") in DRIVEN and not watts:
            if watts == 0:
                raise ValueError("a CDU or rear door draws power; leave it blank where nobody published it")
            if not info.data.get("capacity_w"):
                raise ValueError("is needed of a CDU or rear door without capacity_w")
        return watts


class Switch(Part):
    """`speeds`: `gbit_s:ports`, alternatives and not a sum."""

    kind: Literal[Kind.SWITCH] = Kind.SWITCH
    fabric: Literal["InfiniBand", "Ethernet"]
    role: Literal["rdma", "frontend", "oob"]
    speeds: tuple[Ports, ...]
    connectors: tuple[Connector, ...]
    rack_units: Whole
    weight_kg: Weight | None = Field(default=None, gt=0)
    power_w: Positive

    def ports_at(self, gbit_s: int) -> int:
        """Ports when all run at `gbit_s`; 0 when the switch does not offer that speed."""
        return next((int(s.split(":")[1]) for s in self.speeds if int(s.split(":")[0]) == gbit_s), 0)


class Link(Part):
    """An optic, cable, fibre or power cord. `links` is how many links one piece carries at `gbit_s` each;
    `end_a` is the switch (or module) end, `end_b` the card or fibre end."""

    kind: Literal[Kind.OPTIC, Kind.CABLE]
    fabrics: tuple[Literal["InfiniBand", "Ethernet"], ...] = ()
    gbit_s: Whole = 0
    links: Positive = 1
    end_a: Connector
    end_b: Connector
    medium: Literal["copper", "AOC", "MMF", "SMF", "power"]
    length_m: Figure | None = None
    power_w: Weight = 0


class Rack(Part):
    kind: Literal[Kind.RACK] = Kind.RACK
    rack_units: Annotated[int, Field(gt=0, le=1000)]
    load_kg: Positive
    pdus_included: bool = False


class Pdu(Part):
    """`power_w`: what it may carry continuously, derating done."""

    kind: Literal[Kind.PDU] = Kind.PDU
    power_w: Positive
    volts: Positive
    phases: Positive
    outlets_c13: Whole
    outlets_c19: Whole


PART_FILES: dict[str, type[Part]] = {
    "gpus": Gpu, "gpu_boards": GpuBoard, "bridges": Bridge, "platforms": Platform, "systems": Platform, "cpus": Cpu,
    "memory": Memory, "drives": Drive, "nics": Nic, "psus": Psu, "cooling": Cooling, "switches": Switch,
    "links": Link, "racks": Rack, "pdus": Pdu,
}  # fmt: skip
