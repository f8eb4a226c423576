"""Rule storage: NVMe for copies of the weights, system and free space, read fast enough.

A node that trains keeps the weights once and copies of its checkpoint; the training set lies on disks of any kind on
top. Each node holds all of it: storage that nodes share is not modelled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from catalogs.llm import Llm
from catalogs.schema import Drive
from constraints.contents import inside
from constraints.lanes import needs_lanes
from constraints.policy import Policy
from constraints.request import Request
from constraints.rule import Check
from constraints.training import base_bytes, checkpoint_bytes

if TYPE_CHECKING:
    from constraints.case import Case
    from constraints.model import FamilyModel


def needed_gb(llm: Llm, precision: str, policy: Policy, request: Request) -> int:
    """NVMe per node: (copies x weights + system) and free space on top, in whole GB rounded up.

    Training: the weights once and `copies` of a checkpoint, so that a new one is whole before the old one goes."""
    if request.trains:
        once = base_bytes(llm, precision if request.lora else "bf16")
        copied = checkpoint_bytes(llm, request, policy)
    else:
        once, copied = 0, llm.weight_bytes(precision)
    held = policy.whole("storage.copies") * -(-copied // 10**9) - (-once // 10**9)
    base = held + policy.whole("storage.system_gb")
    return -(-base * (100 + policy.whole("storage.free_percent")) // 100)


class Storage:
    id = "storage"

    def encode(self, m: FamilyModel) -> None:
        nvme = {d: q for d, q in m.drive.items() if needs_lanes(d)}
        room = sum(d.capacity_gb * q for d, q in nvme.items())
        speed = sum(d.read_mb_s * q for d, q in nvme.items())
        everything = sum(d.capacity_gb * q for d, q in m.drive.items())
        data_gb = m.request.dataset_gb
        precisions = {r.plan.precision for r in m.rows}
        for p, v in m.platform.items():
            if "storage" in p.includes and not inside(p, m.catalog, Drive):
                continue
            held = [(d, q) for d, q in inside(p, m.catalog, Drive) if needs_lanes(d)]
            for precision in precisions:
                chosen = [b for r, b in m.rows.items() if r.plan.precision == precision]
                need = needed_gb(m.llm, precision, m.policy, m.request)
                missing = need - sum(d.capacity_gb * q for d, q in held)
                m.cp.add(room >= missing * sum(chosen)).only_enforce_if(v)
                if data_gb:
                    missing = need + data_gb - sum(d.capacity_gb * q for d, q in inside(p, m.catalog, Drive))
                    m.cp.add(everything >= missing * sum(chosen)).only_enforce_if(v)
            least = m.policy.whole("storage.read_mb_s") - sum(d.read_mb_s * q for d, q in held)
            m.cp.add(speed >= least).only_enforce_if(v)

    def check(self, c: Case) -> list[Check]:
        drives = [(d, q) for d, q in c.parts(Drive) if isinstance(d, Drive) and needs_lanes(d)]
        if "storage" in c.platform.includes and not c.parts(Drive):
            return [Check.warn(self.id, "built-in storage, size as configured")]
        room = sum(d.capacity_gb * q for d, q in drives)
        speed = sum(d.read_mb_s * q for d, q in drives)
        need = needed_gb(c.llm, c.plan.precision, c.policy, c.request)
        what = "checkpoints, beside the weights" if c.request.trains else "the weights"
        found = [
            Check.at_least(self.id, room, need, "GB", f"NVMe for {c.policy['storage.copies']} copies of {what}"),
            Check.at_least(self.id, speed, c.policy.whole("storage.read_mb_s"), "MB/s", "NVMe read speed in sum"),
        ]
        if data_gb := c.request.dataset_gb:
            everything = sum(d.capacity_gb * q for d, q in c.parts(Drive) if isinstance(d, Drive))
            text = f"drives of any kind for a training set of {data_gb} GB on top"
            found.append(Check.at_least(self.id, everything, need + data_gb, "GB", text))
        return found
