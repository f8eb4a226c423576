"""Rule lanes: direct-attached GPUs, NICs and NVMe drives share the CPUs' PCIe lanes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from catalogs.message import N_, joined, message
from catalogs.schema import Cpu, Drive, Nic, Platform
from constraints.rule import Check, Rule

if TYPE_CHECKING:
    from constraints.build import Case
    from constraints.model.family_model import FamilyModel

NVME_LANES = 4


def direct(platform: Platform) -> bool:
    """Whether devices hang on the CPUs' lanes without a PCIe switch."""
    return (
        not platform.pcie_switch
        and not platform.contents
        and any(form in ("PCIe", "PCIe-LP") for form in platform.gpu_forms)
    )


def gpu_width(platform: Platform, wanted: int) -> int:
    """Lanes of each GPU slot: the wanted width where the platform offers it (0: its narrowest), else 0."""
    widths = platform.gpu_lane_widths if direct(platform) else (16,)
    return min(widths) if not wanted else wanted if wanted in widths else 0


def cpu_lanes(cpu: Cpu, sockets: int) -> int:
    """Usable lanes of all sockets together; 0 where nobody published them."""
    return (cpu.lanes_1p if sockets == 1 else cpu.lanes_2p) or 0


def needs_lanes(drive: Drive) -> bool:
    return drive.media in ("nvme", "nvme-consumer")


class Lanes(Rule):
    id = "lanes"
    title = N_("PCIe lanes")
    phase = "parts"
    reads = frozenset({"row"})
    cured_by = frozenset({"cpu"})
    loaded_by = frozenset({"gpu", "nic", "drive"})

    def encode(self, model: FamilyModel) -> None:
        drives = NVME_LANES * sum(pieces for drive, pieces in model.drive.items() if needs_lanes(drive))
        nics = sum(card.lanes * pieces for card, pieces in model.nic.items())
        lanes = sum(cpu_lanes(cpu, sockets) * literal for (cpu, sockets), literal in model.cpu.items())
        for platform, literal in model.platform.items():
            for row, chosen in model.rows.items():
                # A row's speed was judged at one width of the GPUs' slots: only platforms that have it realise the row.
                width = gpu_width(platform, row.key.lanes)
                if not width:
                    model.cp.add_implication(literal, ~chosen)
                elif direct(platform):
                    model.cp.add(
                        gpu_lanes(model.per_node, width) + drives + nics <= lanes + platform.chipset_lanes
                    ).only_enforce_if(literal, chosen)

    def check(self, case: Case) -> list[Check]:
        platform = case.platform
        wanted = case.row.lanes if case.row else 0
        width = gpu_width(platform, wanted)
        if not width:
            return [
                Check.of(
                    self.id,
                    False,
                    message("{platform} has no x{width} slots for GPUs", platform=platform.name, width=wanted),
                )
            ]
        if not direct(platform):
            return [Check.of(self.id, True, _not_shared(platform))]
        used = gpu_lanes(case.per_node, width)
        used += NVME_LANES * sum(
            pieces for part, pieces in case.parts(Drive) if isinstance(part, Drive) and needs_lanes(part)
        )
        used += sum(part.lanes * pieces for part, pieces in case.parts(Nic) if isinstance(part, Nic))
        have = (
            sum(cpu_lanes(part, platform.sockets) for part, _ in case.parts(Cpu) if isinstance(part, Cpu))
            + platform.chipset_lanes
        )
        dark = [
            part.name for part, _ in case.parts(Cpu) if isinstance(part, Cpu) and not cpu_lanes(part, platform.sockets)
        ]
        if used > have and dark:
            text = message(
                "{used} PCIe lanes are needed; those of {cpu} are not published", used=f"{used:,}", cpu=joined(dark)
            )
            return [Check(self.id, "fail", used, None, "lanes", text, "at_most")]
        found = [
            Check.at_most(
                self.id,
                used,
                have,
                "lanes",
                message(
                    "{used} of {have} PCIe lanes are used (GPUs at x{width}, NICs, NVMe drives)",
                    used=f"{used:,}",
                    have=f"{have:,}",
                    width=width,
                ),
                message(
                    "{used} PCIe lanes are needed (GPUs at x{width}, NICs, NVMe drives), only {have} are there",
                    used=f"{used:,}",
                    width=width,
                    have=f"{have:,}",
                ),
            )
        ]
        if width < 16 and wanted:
            text = message("GPUs run at x{width}, not x16: their link to the host is slower", width=width)
            found.append(Check.warn(self.id, text, width, 16, "lanes", "at_least"))
        return found


def _not_shared(platform: Platform) -> str:
    """Why no lanes are counted."""
    if platform.contents:
        return "a complete system: its maker has wired the PCIe lanes"
    if platform.pcie_switch:
        return "GPUs sit on PCIe switches: they take none of the CPUs' lanes"
    return "GPUs sit on a GPU board: they take none of the CPUs' lanes"


def gpu_lanes(per_node: int, width: int) -> int:
    """Lanes of the GPUs of a node."""
    return per_node * width
