"""Rule cores: CPU cores enough to feed the GPUs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from catalogs.message import N_, message
from catalogs.schema import Cpu
from constraints.physics.contents import inside
from constraints.rule import Check, Rule

if TYPE_CHECKING:
    from constraints.build import Case
    from constraints.model.family_model import FamilyModel


class Cores(Rule):
    id = "cores"
    title = N_("CPU cores")
    phase = "parts"
    cured_by = frozenset({"cpu"})
    shortfall = "CPU cores"

    def encode(self, m: FamilyModel) -> None:
        need = m.policy.whole("cores.per_gpu_min") * m.per_node
        cores = sum(x.cores * s * v for (x, s), v in m.cpu.items())
        for p, v in m.platform.items():
            have = sum(x.cores * q for x, q in inside(p, m.catalog, Cpu))
            m.cp.add(cores >= need - have).only_enforce_if(v)

    def check(self, c: Case) -> list[Check]:
        cores = sum(p.cores * q for p, q in c.parts(Cpu) if isinstance(p, Cpu))
        least = c.policy.whole("cores.per_gpu_min") * c.per_node
        advised = c.policy.whole("cores.per_gpu_advised") * c.per_node
        said = {"cores": f"{cores:,}", "least": f"{least:,}", "each": c.policy.whole("cores.per_gpu_min")}
        if least <= cores < advised:
            text = message(
                "{cores} CPU cores meet the minimum of {least} ({each} per GPU); "
                "{advised} are advised ({each_advised} per GPU)",
                **said, advised=f"{advised:,}", each_advised=c.policy.whole("cores.per_gpu_advised"),
            )  # fmt: skip
            return [Check.warn(self.id, text, cores, advised, "cores", "at_least")]
        return [
            Check.at_least(
                self.id,
                cores,
                least,
                "cores",
                message("{cores} CPU cores meet the minimum of {least} ({each} per GPU)", **said),
                message("{cores} CPU cores are below the minimum of {least} ({each} per GPU)", **said),
            )
        ]
