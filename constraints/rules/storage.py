"""Rule storage: NVMe for copies of the weights, system and free space, read fast enough.

A node that trains keeps the weights once and copies of its checkpoint; the training set lies on disks of any kind on
top. Each node holds all of it: storage that nodes share is not modelled."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from catalogs.llm import Llm
from catalogs.load import Catalog
from catalogs.message import N_, joined, message
from catalogs.schema import Drive, Platform
from constraints.physics.contents import inside
from constraints.physics.grades import boot_drives, data_in_bays, grade_words, judged_by, most_consumer_drives
from constraints.physics.training import base_bytes, checkpoint_bytes
from constraints.policy import Policy
from constraints.request import Request
from constraints.rule import Check, Rule, counted
from constraints.rules.fit import bay_groups, bays_known
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


def boot_gb(policy: Policy) -> int:
    """GB of a drive that the system lies on, with free space."""
    return -(-policy.whole("storage.system_gb") * (100 + policy.whole("storage.free_percent")) // 100)


def may_boot(drive: Drive, policy: Policy) -> bool:
    """Whether the system may lie on drives of a kind: NVMe of servers, large enough."""
    return drive.media == "nvme" and drive.capacity_gb >= boot_gb(policy)


def for_system_alone(drive: Drive, in_bays: bool) -> bool:
    """Whether a drive holds no data where those must lie in front bays: it goes on the board."""
    return in_bays and drive.forms == ("M.2",)


class Storing(NamedTuple):
    """What drives give to data: GB and read speed of NVMe, GB of all drives."""

    nvme_gb: int
    nvme_mb_s: int
    all_gb: int


def storing(drives: Iterable[tuple[Drive, int]]) -> Storing:
    """What pieces of drives give together."""
    pieces = list(drives)
    fast = [(drive, qty) for drive, qty in pieces if needs_lanes(drive)]
    return Storing(
        sum(drive.capacity_gb * qty for drive, qty in fast),
        sum(drive.read_mb_s * qty for drive, qty in fast),
        sum(drive.capacity_gb * qty for drive, qty in pieces),
    )


def system_drives(case: Case) -> int:
    """Equal drives that the grade asks a node to have for its system."""
    return boot_drives(case.platform, case.policy, case.request.grade)


def kinds_for_system(case: Case) -> list[Drive]:
    """Kinds of which enough pieces were bought for the system to lie on, the smallest first."""
    number = system_drives(case)
    bought = [(case.catalog.parts[part], qty) for part, qty in case.build.node.items()]
    kinds = [
        drive
        for drive, qty in bought
        if isinstance(drive, Drive) and number and qty >= number and may_boot(drive, case.policy)
    ]
    return sorted(kinds, key=lambda drive: (drive.capacity_gb, drive.id))


def for_data(case: Case, system: Drive | None) -> Storing:
    """What a node's drives give to data, beside those that the system lies on."""
    drives = [(part, pieces) for part, pieces in case.parts(Drive) if isinstance(part, Drive)]
    number = system_drives(case)
    in_bays = data_in_bays(case.platform, case.policy, case.request.grade)
    lies = "" if system is None else system.id

    def beside(drive: Drive) -> int:
        """Pieces that hold no data."""
        bought = case.build.node.get(drive.id, 0)
        return bought if for_system_alone(drive, in_bays) else number * (drive.id == lies)

    return storing((drive, pieces - beside(drive)) for drive, pieces in drives)


def suffices(case: Case, system: Drive | None) -> bool:
    """Whether a node's drives hold all that they should with the system on drives of a kind; None where the grade asks
    for none of its own."""
    if system_drives(case) and system not in kinds_for_system(case):
        return False
    have = for_data(case, system)
    need = needed_gb(case.llm, case.plan.precision, case.policy, case.request)
    enough = have.nvme_gb >= need and have.nvme_mb_s >= case.policy.whole("storage.read_mb_s")
    return enough and (not case.request.dataset_gb or have.all_gb >= need + case.request.dataset_gb)


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
        if not bays_known(platform):
            return message("its drive bays are not known")
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
        self._system(model)
        left = {in_bays: left_for_data(model, in_bays) for in_bays in (False, True)}
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
            room, speed, everything = left[data_in_bays(platform, model.policy, model.request.grade)]
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

    def _system(self, model: FamilyModel) -> None:
        """The drives that the system lies on, of one kind, where the platform's grade asks for them; and no more
        consumer drives than it allows."""
        asking: dict[int, list[Any]] = {}
        for platform, literal in model.platform.items():
            if number := boot_drives(platform, model.policy, model.request.grade):
                asking.setdefault(number, []).append(literal)
            most = most_consumer_drives(platform, model.policy, model.request.grade)
            if most is not None and (consumer := [n for drive, n in model.drive.items() if of_consumers(drive)]):
                model.cp.add(sum(consumer) <= most).only_enforce_if(literal)
        for number, platforms in asking.items():
            kinds = {
                drive: model.cp.new_bool_var(f"system on {number} {drive.id}")
                for drive in model.drive
                if may_boot(drive, model.policy)
            }
            for drive, chosen in kinds.items():
                model.cp.add(model.drive[drive] >= number * chosen)
                model.system[drive, number] = chosen
            model.cp.add(sum(kinds.values()) == sum(platforms))

    def check(self, case: Case) -> list[Check]:
        if "drive" in case.build.unknown:
            return self._of_unknown_drives(case)
        if "storage" in case.platform.includes and not case.parts(Drive):
            need = needed_gb(case.llm, case.plan.precision, case.policy, case.request)
            text = message(
                "storage is built in: order it with at least {gb} GB", gb=f"{need + case.request.dataset_gb:,}"
            )
            return [Check.warn(self.id, text)]
        kinds = kinds_for_system(case)
        system = next((kind for kind in kinds if suffices(case, kind)), kinds[0] if kinds else None)
        room, speed, everything = for_data(case, system)
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
        return [*found, *self._beside_data(case, system)]

    def _beside_data(self, case: Case, system: Drive | None) -> list[Check]:
        """What a grade asks of drives beside room and speed; at the floor a warning of what is not sold."""
        grade = case.request.grade
        asked = judged_by(grade)
        said = {"grade": grade_words(asked)}
        found = []
        most = most_consumer_drives(case.platform, case.policy, asked)
        consumer = [(part, qty) for part, qty in case.parts(Drive) if isinstance(part, Drive) and of_consumers(part)]
        if most is not None and sum(qty for _, qty in consumer) > most:
            said |= {"list": joined(part.name for part, _ in consumer)}
            if grade == "floor":
                text = message("consumer drives are not advised in a server (grade {grade}): {list}", **said)
                found.append(Check.warn(self.id, text))
            else:
                text = message("consumer drives in a server, which grade {grade} does not take: {list}", **said)
                found.append(Check.of(self.id, False, text))
        if number := boot_drives(case.platform, case.policy, grade):
            said |= {"n": f"{number:,}", "gb": f"{boot_gb(case.policy):,}"}
            text = (
                message("the system lies on {n} drives of their own: {part}", n=said["n"], part=system.name)
                if system is not None
                else message("no {n} equal enterprise drives of {gb} GB for the system, as grade {grade} asks", **said)
            )
            found.append(Check.of(self.id, system is not None, text))
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


def of_consumers(drive: Drive) -> bool:
    """Whether a drive is made for desktops: no duty around the clock, no protection against loss of power."""
    return drive.media == "nvme-consumer"


def left_for_data(model: FamilyModel, in_bays: bool) -> tuple[Any, Any, Any]:
    """GB and MB/s of NVMe and GB of all drives bought, less the drives that the system lies on, and less all drives on
    the board where data must lie in front bays."""
    data: dict[Drive, Any] = {
        drive: pieces for drive, pieces in model.drive.items() if not for_system_alone(drive, in_bays)
    }
    for (drive, number), chosen in model.system.items():
        if drive in data:
            data[drive] -= number * chosen
    nvme = {drive: pieces for drive, pieces in data.items() if needs_lanes(drive)}
    return (
        sum(drive.capacity_gb * pieces for drive, pieces in nvme.items()),
        sum(drive.read_mb_s * pieces for drive, pieces in nvme.items()),
        sum(drive.capacity_gb * pieces for drive, pieces in data.items()),
    )


def _held(policy: Policy, request: Request) -> str:
    """What NVMe of a node is for, in words."""
    copies = policy.whole("storage.copies")
    if request.trains:
        return joined(["weights", counted(copies, "checkpoint"), "system", "free space"])
    held = message("1 copy of the weights") if copies == 1 else message("{qty} copies of the weights", qty=copies)
    return joined([held, "system", "free space"])
