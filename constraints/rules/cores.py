"""Rule cores: CPU cores enough to feed the GPUs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from catalogs.message import N_, message
from catalogs.schema import Cpu
from constraints.physics.contents import inside
from constraints.physics.grades import cores_per_gpu, grade_words, least_cores
from constraints.rule import Check, Rule, figure

if TYPE_CHECKING:
    from constraints.build import Case
    from constraints.model.family_model import FamilyModel


class Cores(Rule):
    id = "cores"
    title = N_("CPU cores")
    phase = "parts"
    cured_by = frozenset({"cpu"})
    shortfall = "CPU cores"

    def encode(self, model: FamilyModel) -> None:
        cores = sum(cpu.cores * sockets * literal for (cpu, sockets), literal in model.cpu.items())
        for platform, literal in model.platform.items():
            need = least_cores(model.per_node, platform, model.policy, model.request.grade)
            have = sum(cpu.cores * qty for cpu, qty in inside(platform, model.catalog, Cpu))
            model.cp.add(cores >= need - have).only_enforce_if(literal)

    def check(self, case: Case) -> list[Check]:
        cores = sum(part.cores * pieces for part, pieces in case.parts(Cpu) if isinstance(part, Cpu))
        each, grade = cores_per_gpu(case.platform, case.policy, case.request.grade), case.request.grade
        least = math.ceil(each * case.per_node)
        beyond = each > case.policy["cores.per_gpu_min"]
        advised = case.policy.whole("cores.per_gpu_advised") * case.per_node
        said = {"cores": f"{cores:,}", "least": f"{least:,}", "each": figure(each)}
        if least <= cores < advised:
            text = message(
                "{cores} CPU cores meet the minimum of {least} ({each} per GPU); "
                "{advised} are advised ({each_advised} per GPU)",
                **said, advised=f"{advised:,}", each_advised=case.policy.whole("cores.per_gpu_advised"),
            )  # fmt: skip
            return [Check.warn(self.id, text, cores, advised, "cores", "at_least")]
        if beyond:
            said |= {"grade": grade_words(grade)}
            return [
                Check.at_least(
                    self.id, cores, least, "cores",
                    message(
                        "{cores} CPU cores meet the {least} of grade {grade} ({each} per GPU)", **said
                    ),
                    message(
                        "{cores} CPU cores are below the {least} of grade {grade} ({each} per GPU)", **said
                    ),
                )
            ]  # fmt: skip
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
