"""Grades: what a build must have beyond what makes it work, by the kind of machine. Thresholds are policy,
constraints/data/grades.csv: each with the machines or the document that it comes from (docs/grades.md)."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Literal, NamedTuple, get_args

from catalogs.load import Catalog
from catalogs.message import N_, message
from catalogs.schema import Gpu, Included, Platform, Psu
from constraints.physics.qualified import unqualified
from constraints.policy import Policy, defaults
from constraints.request import Grade

GRADES: tuple[Grade, ...] = get_args(Grade)
WORDS: dict[Grade, str] = {"floor": N_("floor"), "common": N_("common"), "full": N_("full")}
Machine = Literal["board", "server", "tower", "desktop", "rack"]
CARDS = frozenset({"PCIe", "PCIe-LP"})
WITH_FANS = ("blower", "open-fan")
MOST_IN_A_SERVER = 16
"""GPUs of a node beyond which it is a rack of trays sold as one."""


class Threshold(NamedTuple):
    """What rows of grades.csv ask of a kind of machine."""

    rows: str
    """Their keys, with {grade} and {machine} in place of these."""
    unless: Included | None
    """What a system must not come with: there its maker's configuration is what is sold."""


RAM = Threshold("host_memory.{grade}_{machine}_percent", "dimm")
RAM_GB = Threshold("host_memory.{grade}_{machine}_gb", "dimm")
CORES = Threshold("cores.{grade}_{machine}_per_gpu", "cpu")
BOOT = Threshold("storage.{grade}_{machine}_boot_drives", "storage")
CONSUMER = Threshold("storage.{grade}_{machine}_consumer_drives", "storage")
IN_BAYS = Threshold("storage.{grade}_{machine}_data_in_bays", "storage")
FAN_CARDS = Threshold("fit.{grade}_{machine}_fan_cards", "gpu")
ATX_SUPPLIES = Threshold("fit.{grade}_{machine}_atx_supplies", "psu")
UNLISTED = Threshold("fit.{grade}_{machine}_unlisted_gpus", "gpu")
NODES = Threshold("fit.{grade}_{machine}_nodes", None)
PORT = Threshold("interconnect.{grade}_{machine}_port_gbit_s", "nic")


def grade_words(grade: Grade) -> str:
    """A grade in the reader's language."""
    return message(WORDS[grade])


def judged_by(grade: Grade) -> Grade:
    """The grade by which what works and nobody sells is told: at the floor the next one, as what is not advised."""
    return "common" if grade == "floor" else grade


def machine_of(platform: Platform) -> Machine:
    """What kind of machine a platform is, by its slots and whether it stands in a rack."""
    if platform.gpu_slots > MOST_IN_A_SERVER:
        return "rack"
    if CARDS.issuperset(platform.gpu_forms):
        return "server" if platform.rack_mount else "tower"
    return "desktop" if "integrated" in platform.gpu_forms else "board"


def asked(of: Threshold, platform: Platform, policy: Policy, grade: Grade) -> Decimal:
    """What a grade asks of a platform; 0 where it asks nothing beyond the floor."""
    if grade == "floor" or of.unless in platform.includes:
        return Decimal(0)
    key = of.rows.format(grade=grade, machine=machine_of(platform))
    return policy[key] if key in defaults() else Decimal(0)


def most_asked(of: Threshold, policy: Policy, grade: Grade) -> int:
    """The most that a grade asks of any kind of machine; 0 at the floor."""
    keys = [of.rows.format(grade=grade, machine=machine) for machine in get_args(Machine)]
    return max((policy.whole(key) for key in keys if key in defaults()), default=0)


def boot_drives(platform: Platform, policy: Policy, grade: Grade) -> int:
    """Equal drives that a node must have for its system, beside those for data."""
    return int(asked(BOOT, platform, policy, grade))


def most_consumer_drives(platform: Platform, policy: Policy, grade: Grade) -> int | None:
    """Consumer drives that a node may have; None says nothing."""
    return at_most(CONSUMER, platform, policy, grade)


def at_most(of: Threshold, platform: Platform, policy: Policy, grade: Grade) -> int | None:
    """The most that a grade allows of something; None says nothing."""
    key = of.rows.format(grade=grade, machine=machine_of(platform))
    return None if key not in defaults() or of.unless in platform.includes else policy.whole(key)


def fan_cards_sold(platform: Platform, gpu: Gpu, per_node: int, policy: Policy, grade: Grade) -> bool:
    """Whether so many GPUs may stand in a platform whose own fans cool passive cards."""
    most = at_most(FAN_CARDS, platform, policy, grade)
    passive = "passive" in platform.gpu_cooling
    return most is None or not passive or gpu.cooling not in WITH_FANS or per_node <= most


def gpus_qualified(platform: Platform, gpu: Gpu, per_node: int, catalog: Catalog, policy: Policy, grade: Grade) -> bool:
    """Whether so many GPUs may stand in a platform whose maker lists what it takes."""
    beyond = unqualified(platform, gpu, per_node, catalog)
    most = at_most(UNLISTED, platform, policy, grade) if beyond else None
    return most is None or beyond <= most


def supplies_sold(platform: Platform, supply: Psu, fitted: int, policy: Policy, grade: Grade) -> bool:
    """Whether so many supplies of a kind may stand in a case; one made for two says so."""
    most = at_most(ATX_SUPPLIES, platform, policy, grade)
    return most is None or supply.form != "ATX" or "2xATX" in platform.psu_forms or fitted <= most


def data_in_bays(platform: Platform, policy: Policy, grade: Grade) -> bool:
    """Whether data must lie on drives of front bays: those on the board count for the system alone."""
    return asked(IN_BAYS, platform, policy, grade) > 0


def port_gbit_s(platform: Platform, policy: Policy, grade: Grade) -> int:
    """Gbit/s that the fastest network port of a node must have; 0: any will do."""
    return int(asked(PORT, platform, policy, grade))


def ram_percent(platform: Platform, policy: Policy, grade: Grade) -> Decimal:
    """RAM that a node must have, in percent of its GPU memory; never below the floor."""
    return max(policy["host_memory.floor_percent"], asked(RAM, platform, policy, grade))


def least_ram_gb(vram_gb: int, platform: Platform, policy: Policy, grade: Grade) -> int:
    """Whole GB of RAM that a node must have beside so much GPU memory: modules have no less."""
    of_vram = math.ceil(ram_percent(platform, policy, grade) * vram_gb / 100)
    return max(of_vram, whole_ram_gb(platform, policy, grade))


def whole_ram_gb(platform: Platform, policy: Policy, grade: Grade) -> int:
    """GB of RAM that a node must have, however little GPU memory it has."""
    return math.ceil(asked(RAM_GB, platform, policy, grade))


def cores_per_gpu(platform: Platform, policy: Policy, grade: Grade) -> Decimal:
    """CPU cores that a node must have for each GPU; never below the floor."""
    return max(policy["cores.per_gpu_min"], asked(CORES, platform, policy, grade))


def least_cores(gpus: int, platform: Platform, policy: Policy, grade: Grade) -> int:
    """CPU cores that a node with so many GPUs must have."""
    return math.ceil(cores_per_gpu(platform, policy, grade) * gpus)
