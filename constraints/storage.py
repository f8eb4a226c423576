"""Rule storage: NVMe for copies of the weights, system and free space, read fast enough."""

from __future__ import annotations

from typing import TYPE_CHECKING

from catalogs.llm import Llm
from catalogs.schema import Drive
from constraints.lanes import needs_lanes
from constraints.model import inside
from constraints.policy import Policy
from constraints.rule import Check

if TYPE_CHECKING:
    from constraints.case import Case
    from constraints.model import FamilyModel


def needed_gb(llm: Llm, precision: str, policy: Policy) -> int:
    """NVMe per node: (copies x weights + system) and free space on top, in whole GB rounded up."""
    weights = -(-llm.weight_bytes(precision) // 10**9)
    base = policy.whole("storage.copies") * weights + policy.whole("storage.system_gb")
    return -(-base * (100 + policy.whole("storage.free_percent")) // 100)


class Storage:
    id = "storage"

    def encode(self, m: FamilyModel) -> None:
        nvme = {d: q for d, q in m.drive.items() if needs_lanes(d)}
        room = sum(d.capacity_gb * q for d, q in nvme.items())
        speed = sum(d.read_mb_s * q for d, q in nvme.items())
        precisions = {r.plan.precision for r in m.rows}
        for p, v in m.platform.items():
            if "storage" in p.includes and not inside(p, m.catalog, Drive):
                continue
            held = [(d, q) for d, q in inside(p, m.catalog, Drive) if needs_lanes(d)]
            for precision in precisions:
                chosen = [b for r, b in m.rows.items() if r.plan.precision == precision]
                need = needed_gb(m.llm, precision, m.policy) - sum(d.capacity_gb * q for d, q in held)
                m.cp.add(room >= need * sum(chosen)).only_enforce_if(v)
            least = m.policy.whole("storage.read_mb_s") - sum(d.read_mb_s * q for d, q in held)
            m.cp.add(speed >= least).only_enforce_if(v)

    def check(self, c: Case) -> list[Check]:
        drives = [(d, q) for d, q in c.parts(Drive) if isinstance(d, Drive) and needs_lanes(d)]
        if "storage" in c.platform.includes and not c.parts(Drive):
            return [Check.warn(self.id, "built-in storage, size as configured")]
        room = sum(d.capacity_gb * q for d, q in drives)
        speed = sum(d.read_mb_s * q for d, q in drives)
        need = needed_gb(c.llm, c.plan.precision, c.policy)
        return [
            Check.at_least(self.id, room, need, "GB", f"NVMe for {c.policy['storage.copies']} copies of the weights"),
            Check.at_least(self.id, speed, c.policy.whole("storage.read_mb_s"), "MB/s", "NVMe read speed in sum"),
        ]
