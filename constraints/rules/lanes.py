"""Rule lanes: direct-attached GPUs, NICs and NVMe drives share the CPUs' PCIe lanes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from catalogs.message import N_, message
from catalogs.schema import Cpu, Drive, Nic, Platform
from constraints.rule import Check, Rule

if TYPE_CHECKING:
    from constraints.build import Case
    from constraints.model.family_model import FamilyModel

NVME_LANES = 4


def direct(p: Platform) -> bool:
    """Whether devices hang on the CPUs' lanes without a PCIe switch."""
    return not p.pcie_switch and not p.contents and any(f in ("PCIe", "PCIe-LP") for f in p.gpu_forms)


def gpu_width(p: Platform, wanted: int) -> int:
    """Lanes of each GPU slot: the wanted width where the platform offers it (0: its narrowest), else 0."""
    widths = p.gpu_lane_widths if direct(p) else (16,)
    return min(widths) if not wanted else wanted if wanted in widths else 0


def cpu_lanes(cpu: Cpu, sockets: int) -> int:
    """Usable lanes of all sockets together; 0 where nobody published them."""
    return (cpu.lanes_1p if sockets == 1 else cpu.lanes_2p) or 0


def needs_lanes(d: Drive) -> bool:
    return d.media in ("nvme", "nvme-consumer")


class Lanes(Rule):
    id = "lanes"
    title = N_("PCIe lanes")
    phase = "parts"
    reads = frozenset({"row"})
    cured_by = frozenset({"cpu"})
    loaded_by = frozenset({"gpu", "nic", "drive"})

    def encode(self, m: FamilyModel) -> None:
        drives = NVME_LANES * sum(q for d, q in m.drive.items() if needs_lanes(d))
        nics = sum(n.lanes * q for n, q in m.nic.items())
        lanes = sum(cpu_lanes(x, s) * v for (x, s), v in m.cpu.items())
        for p, v in m.platform.items():
            for r, chosen in m.rows.items():
                width = gpu_width(p, r.key.lanes)
                if not width:
                    m.cp.add_implication(v, ~chosen)
                elif direct(p):
                    m.cp.add(gpu_lanes(m.per_node, width) + drives + nics <= lanes + p.chipset_lanes).only_enforce_if(
                        v, chosen
                    )

    def check(self, c: Case) -> list[Check]:
        p = c.platform
        wanted = c.row.lanes if c.row else 0
        width = gpu_width(p, wanted)
        if not width:
            return [
                Check.of(
                    self.id, False, message("{platform} has no x{width} slots for GPUs", platform=p.name, width=wanted)
                )
            ]
        if not direct(p):
            return [Check.of(self.id, True, _not_shared(p))]
        used = gpu_lanes(c.per_node, width)
        used += NVME_LANES * sum(q for d, q in c.parts(Drive) if isinstance(d, Drive) and needs_lanes(d))
        used += sum(n.lanes * q for n, q in c.parts(Nic) if isinstance(n, Nic))
        have = sum(cpu_lanes(x, p.sockets) for x, _ in c.parts(Cpu) if isinstance(x, Cpu)) + p.chipset_lanes
        dark = [x.name for x, _ in c.parts(Cpu) if isinstance(x, Cpu) and not cpu_lanes(x, p.sockets)]
        if used > have and dark:
            text = message(
                "{used} PCIe lanes are needed; those of {cpu} are not published", used=f"{used:,}", cpu=", ".join(dark)
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


def _not_shared(p: Platform) -> str:
    """Why no lanes are counted."""
    if p.contents:
        return "a complete system: its maker has wired the PCIe lanes"
    if p.pcie_switch:
        return "GPUs sit on PCIe switches: they take none of the CPUs' lanes"
    return "GPUs sit on a GPU board: they take none of the CPUs' lanes"


def gpu_lanes(per_node: int, width: int) -> int:
    """Lanes of the GPUs of a node."""
    return per_node * width
