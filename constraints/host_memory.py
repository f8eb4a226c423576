"""Rule host_memory: RAM at least 20 % of VRAM, equal modules, every channel filled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from catalogs.schema import Memory
from constraints.model import dimm_counts, inside
from constraints.rule import Check

if TYPE_CHECKING:
    from constraints.case import Case
    from constraints.model import FamilyModel


class HostMemory:
    id = "host_memory"

    def encode(self, m: FamilyModel) -> None:
        percent = m.policy.whole("host_memory.floor_percent")
        vram = m.per_node * m.gpu.vram_gb
        ram = sum(x.capacity_gb * n * v for (x, n), v in m.memory.items())
        unified = m.gpu.form_factor == "integrated"
        for p, v in m.platform.items():
            contained = inside(p, m.catalog, Memory)
            have = sum(x.capacity_gb * n for x, n in contained)
            if p.dimm_slots and not unified:
                m.cp.add(100 * ram >= percent * vram - 100 * have).only_enforce_if(v)
            counts = [] if contained or not p.dimm_slots else dimm_counts(p)
            m.cp.add(sum(b for (_, n), b in m.memory.items() if n in counts) == (1 if counts else 0)).only_enforce_if(v)

    def check(self, c: Case) -> list[Check]:
        if c.gpu.form_factor == "integrated" or not c.platform.dimm_slots:
            return [Check.of(self.id, True, "unified or soldered memory")]
        modules = c.parts(Memory)
        ram = sum(p.capacity_gb * q for p, q in modules if isinstance(p, Memory))
        vram = c.per_node * c.gpu.vram_gb
        work = "training" if c.request.trains else "serving"
        key = "advised_training" if c.request.trains else "advised"
        floor, advised = (c.policy[f"host_memory.{k}_percent"] * vram / 100 for k in ("floor", key))
        found = [
            Check.at_least(
                self.id,
                ram,
                float(floor),
                "GB",
                f"RAM against {c.policy['host_memory.floor_percent']} % of {vram} GB VRAM",
            )
        ]
        if found[0].status == "pass" and ram < advised:
            found = [
                Check.warn(
                    self.id,
                    f"RAM holds the floor but is below what is advised for {work}",
                    ram,
                    float(advised),
                    "GB",
                )
            ]
        if len(modules) > 1:
            found.append(Check.of(self.id, False, "memory modules of different kinds"))
        count = sum(q for _, q in modules)
        counts = dimm_counts(c.platform)
        if count not in counts:
            balanced = (
                count and c.platform.sockets and count % c.platform.sockets == 0 and any(n % count == 0 for n in counts)
            )
            if balanced and count >= 2 * c.platform.sockets:
                found.append(
                    Check.warn(
                        self.id,
                        "channels only partly filled: less memory bandwidth",
                        count,
                        counts[0],
                        "modules",
                    )
                )
            else:
                found.append(
                    Check(
                        self.id,
                        "fail",
                        count,
                        counts[0] if counts else 0,
                        "modules",
                        "unbalanced memory population",
                    )
                )
        return found
