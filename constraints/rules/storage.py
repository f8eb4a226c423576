"""Rule storage: NVMe for copies of the weights, system and free space, read fast enough.

A node that trains keeps the weights once and copies of its checkpoint; the training set lies on disks of any kind on
top. Each node holds all of it: storage that nodes share is not modelled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from catalogs.llm import Llm
from catalogs.load import Catalog
from catalogs.message import N_, joined, message
from catalogs.schema import Drive, Platform
from constraints.physics.contents import inside
from constraints.physics.training import base_bytes, checkpoint_bytes
from constraints.policy import Policy
from constraints.request import Request
from constraints.rule import Check, Rule, counted
from constraints.rules.fit import bay_groups
from constraints.rules.lanes import needs_lanes
from constraints.rules.precision import wanted

if TYPE_CHECKING:
    from constraints.build import Case
    from constraints.facts import Facts
    from constraints.model.family_model import FamilyModel


DRIVES_UNKNOWN = N_(
    "not judged: the drives of the machine are not known; power and PCIe lanes are counted without them"
)


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


def most_gb(platform: Platform, catalog: Catalog) -> tuple[int, int]:
    """GB of NVMe, and of drives of any kind, that a platform's bays hold at most: the largest drive in each."""
    nvme = everything = 0
    for forms, number in bay_groups(platform):
        largest_nvme_gb, largest_gb = _largest_gb(forms, catalog)
        nvme += number * largest_nvme_gb
        everything += number * largest_gb
    return nvme, everything


def _largest_gb(forms: tuple[str, ...], catalog: Catalog) -> tuple[int, int]:
    """GB of the largest NVMe drive, and of the largest drive of any kind, that a bay of these forms takes."""
    known: dict[tuple[str, ...], tuple[int, int]] = catalog.derived.setdefault(_largest_gb, {})
    if forms not in known:  # platforms are many, forms of their bays few
        drives = [part for part in catalog.parts.values() if isinstance(part, Drive)]
        fitting = [drive for drive in drives if not set(forms).isdisjoint(drive.forms)]
        nvme_gb = max((drive.capacity_gb for drive in fitting if needs_lanes(drive)), default=0)
        known[forms] = nvme_gb, max((drive.capacity_gb for drive in fitting), default=0)
    return known[forms]


class Storage(Rule):
    id = "storage"
    title = N_("Storage")
    phase = "parts"
    refuses = frozenset({"platform"})
    reads = frozenset({"plan"})
    cured_by = frozenset({"drive"})
    shortfall = "NVMe drives"

    def may(self, facts: Facts) -> str:
        """A platform whose bays hold too little, whatever drives are in them."""
        platform = facts.platform
        if platform is None or "storage" in platform.includes:
            return ""
        precisions = wanted(facts.llm, facts.request)
        needs = [needed_gb(facts.llm, precision, facts.policy, facts.request) for precision in precisions]
        nvme_gb, all_gb = most_gb(platform, facts.catalog)
        least_gb = min(needs, default=0)
        # Sound: drives inside the platform stand in its bays, and any set of drives finds a bay each (rule fit).
        if nvme_gb < least_gb:
            have, needed = f"{nvme_gb:,}", f"{least_gb:,}"
            return message("its bays hold {a} GB of NVMe at most, {b} GB are needed", a=have, b=needed)
        if facts.request.dataset_gb and all_gb < least_gb + facts.request.dataset_gb:
            have, needed = f"{all_gb:,}", f"{least_gb + facts.request.dataset_gb:,}"
            return message("its bays hold {a} GB of drives at most, {b} GB are needed", a=have, b=needed)
        return ""

    def encode(self, model: FamilyModel) -> None:
        nvme = {drive: pieces for drive, pieces in model.drive.items() if needs_lanes(drive)}
        room = sum(drive.capacity_gb * pieces for drive, pieces in nvme.items())
        speed = sum(drive.read_mb_s * pieces for drive, pieces in nvme.items())
        everything = sum(drive.capacity_gb * pieces for drive, pieces in model.drive.items())
        data_gb = model.request.dataset_gb
        # Rows of one precision need the same room; of these at most one is chosen, so that their sum is a literal.
        by_precision: dict[str, list[Any]] = {}
        for row, chosen in model.rows.items():
            by_precision.setdefault(row.plan.precision, []).append(chosen)
        for platform, literal in model.platform.items():
            contained = inside(platform, model.catalog, Drive)
            # Built in, of unknown size: it is ordered as large as needed (a warning of `check`).
            if "storage" in platform.includes and not contained:
                continue
            held = [(drive, qty) for drive, qty in contained if needs_lanes(drive)]
            held_gb = sum(drive.capacity_gb * qty for drive, qty in held)
            all_held_gb = sum(drive.capacity_gb * qty for drive, qty in contained)
            for precision, rows in by_precision.items():
                need = needed_gb(model.llm, precision, model.policy, model.request)
                model.cp.add(room >= (need - held_gb) * sum(rows)).only_enforce_if(literal)
                if data_gb:
                    missing = need + data_gb - all_held_gb
                    model.cp.add(everything >= missing * sum(rows)).only_enforce_if(literal)
            held_mb_s = sum(drive.read_mb_s * qty for drive, qty in held)
            least_mb_s = model.policy.whole("storage.read_mb_s") - held_mb_s
            model.cp.add(speed >= least_mb_s).only_enforce_if(literal)

    def check(self, case: Case) -> list[Check]:
        if "drive" in case.build.unknown:
            return self._of_unknown_drives(case)
        drives = [(part, pieces) for part, pieces in case.parts(Drive) if isinstance(part, Drive) and needs_lanes(part)]
        if "storage" in case.platform.includes and not case.parts(Drive):
            need = needed_gb(case.llm, case.plan.precision, case.policy, case.request)
            text = message(
                "storage is built in: order it with at least {gb} GB", gb=f"{need + case.request.dataset_gb:,}"
            )
            return [Check.warn(self.id, text)]
        room = sum(drive.capacity_gb * pieces for drive, pieces in drives)
        speed = sum(drive.read_mb_s * pieces for drive, pieces in drives)
        need = needed_gb(case.llm, case.plan.precision, case.policy, case.request)
        least = case.policy.whole("storage.read_mb_s")
        what = _held(case.policy, case.request)
        found = [
            Check.at_least(
                self.id,
                room,
                need,
                "GB",
                message("NVMe drives hold {a} GB, {b} GB are needed ({list})", a=f"{room:,}", b=f"{need:,}", list=what),
                message(
                    "NVMe drives hold only {a} GB, {b} GB are needed ({list})", a=f"{room:,}", b=f"{need:,}", list=what
                ),
            ),
            Check.at_least(
                self.id,
                speed,
                least,
                "MB/s",
                message("NVMe drives read {a} MB/s together, {b} MB/s are needed", a=f"{speed:,}", b=f"{least:,}"),
                message("NVMe drives read only {a} MB/s together, {b} MB/s are needed", a=f"{speed:,}", b=f"{least:,}"),
            ),
        ]
        if data_gb := case.request.dataset_gb:
            everything = sum(part.capacity_gb * pieces for part, pieces in case.parts(Drive) if isinstance(part, Drive))
            all_gb = need + data_gb
            found.append(
                Check.at_least(
                    self.id,
                    everything,
                    all_gb,
                    "GB",
                    message(
                        "all drives hold {a} GB, {b} GB are needed with the training set",
                        a=f"{everything:,}",
                        b=f"{all_gb:,}",
                    ),
                    message(
                        "all drives hold only {a} GB, {b} GB are needed with the training set",
                        a=f"{everything:,}",
                        b=f"{all_gb:,}",
                    ),
                )
            )
        return found

    def _of_unknown_drives(self, case: Case) -> list[Check]:
        """What can be said of a machine that names no drives: whether their capacity, where it is known, suffices."""
        have = case.build.storage_gb
        if have is None:
            return [Check.warn(self.id, DRIVES_UNKNOWN)]
        need = needed_gb(case.llm, case.plan.precision, case.policy, case.request) + case.request.dataset_gb
        said = {"a": f"{have:,}", "b": f"{need:,}", "list": _held(case.policy, case.request)}
        if have < need:
            text = message("drives hold only {a} GB, {b} GB are needed ({list})", **said)
            return [Check(self.id, "fail", have, need, "GB", text, "at_least")]
        text = message(
            "drives hold {a} GB, {b} GB are needed ({list}); which drives is not known, so how fast they read is not "
            "judged",
            **said,
        )
        return [Check.warn(self.id, text, have, need, "GB", "at_least")]


def _held(policy: Policy, request: Request) -> str:
    """What NVMe of a node is for, in words."""
    copies = policy.whole("storage.copies")
    if request.trains:
        return joined(["weights", counted(copies, "checkpoint"), "system", "free space"])
    held = message("1 copy of the weights") if copies == 1 else message("{qty} copies of the weights", qty=copies)
    return joined([held, "system", "free space"])
