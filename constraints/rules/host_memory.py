"""Rule host_memory: RAM at least 20 % of VRAM, equal modules, every channel filled; with experts in host memory also
the room, bandwidth and CPU compute of the row, with n-gram tables there a copy of them for each engine instance.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from catalogs.message import N_, joined, message
from catalogs.schema import Cpu, Memory, Platform
from constraints.physics.contents import (
    dimm_counts,
    inside,
    interchangeable,
    module_fits_inside,
    modules_to_buy,
    population,
    supported_counts,
)
from constraints.physics.grades import grade_words, least_ram_gb, ram_percent, whole_ram_gb
from constraints.physics.offload import Host, bandwidth_gb_s, gflops_class, host, most_mts, offloads, room_gb
from constraints.rule import Check, Rule, counted, figure

if TYPE_CHECKING:
    from constraints.build import Case
    from constraints.facts import Facts
    from constraints.model.family_model import FamilyModel


class HostMemory(Rule):
    id = "host_memory"
    title = N_("Host memory")
    phase = "parts"
    reads = frozenset({"model"})
    cured_by = frozenset({"memory"})
    loaded_by = frozenset({"memory"})
    shortfall = "memory"
    refuses = frozenset({"part"})
    refuses_by = MappingProxyType({Memory: ("contents",)})

    def may(self, facts: Facts) -> str:
        """A module that differs from those inside a complete system."""
        platform, part = facts.platform, facts.part
        if platform is None or not isinstance(part, Memory) or module_fits_inside(platform, facts.catalog, part):
            return ""
        return _unequal([*(held for held, _ in inside(platform, facts.catalog, Memory)), part])

    def encode(self, model: FamilyModel) -> None:
        ram = sum(x.capacity_gb * n * literal for (x, n), literal in model.memory.items())
        unified = model.gpu.form_factor == "integrated"
        for platform, literal in model.platform.items():
            contained = inside(platform, model.catalog, Memory)
            have = sum(x.capacity_gb * n for x, n in contained)
            least = least_ram_gb(model.per_node * model.gpu.vram_gb, platform, model.policy, model.request.grade)
            if platform.dimm_slots and not unified:
                model.cp.add(ram >= least - have).only_enforce_if(literal)
            for row, chosen in model.rows.items():
                if not row.key.tables_gb:
                    continue
                if platform.dimm_slots and not unified:
                    model.cp.add(ram >= row.key.tables_gb - have).only_enforce_if(chosen, literal)
                else:  # no memory of which it is known what it holds
                    model.cp.add_implication(chosen, ~literal)
            self._modules(model, platform, literal, bool(contained) and unified)
        self._experts(model)

    def _modules(self, model: FamilyModel, platform: Platform, chosen: Any, as_delivered: bool) -> None:
        """The modules bought for a node in `p` fill its channels with those inside; `as_delivered`: none has to be."""
        counts = modules_to_buy(platform, model.catalog)
        right: list[Any] = []
        wrong: list[Any] = []
        for (module, number), literal in model.memory.items():
            (right if number in counts and module_fits_inside(platform, model.catalog, module) else wrong).append(
                literal
            )
        model.cp.add(sum(wrong) == 0).only_enforce_if(chosen)
        if 0 not in counts and not as_delivered:
            model.cp.add(sum(right) == 1).only_enforce_if(chosen)

    def _experts(self, model: FamilyModel) -> None:
        """What rows with experts in host memory ask of the CPUs and modules together."""
        for row, chosen in model.rows.items():
            if not row.plan.offload:
                continue
            model.cp.add(
                sum(
                    gflops * literal
                    for (part, sockets), literal in model.cpu.items()
                    if (gflops := gflops_class(part, sockets))
                )
                >= row.key.host_gflops
            ).only_enforce_if(chosen)
            short = [
                literal
                for (part, number), literal in model.memory.items()
                if room_gb(part.capacity_gb * number, model.policy) < row.key.host_gb
            ]
            model.cp.add(sum(short) == 0).only_enforce_if(chosen)
            for platform, literal in model.platform.items():
                if offloads(platform) and row.key.host_gb_s:
                    self._bandwidth(model, row.key.host_gb_s, platform, (chosen, literal))
                else:
                    model.cp.add_implication(chosen, ~literal)

    def _bandwidth(self, model: FamilyModel, least: int, platform: Platform, when: tuple[Any, Any]) -> None:
        """In a platform no CPUs stand beside modules that give less than `least` GB/s with them."""
        alike: dict[tuple[int, int, int], list[tuple[Cpu, Any]]] = {}
        for (x, _), literal in model.cpu.items():
            speeds = most_mts(x, "RDIMM"), most_mts(x, "MRDIMM")
            alike.setdefault((x.mem_channels or 0, *speeds), []).append((x, literal))
        for cpus in alike.values():
            slow = [
                literal
                for (x, number), literal in model.memory.items()
                if bandwidth_gb_s(platform, cpus[0][0], x, number, model.policy) < least
            ]
            if slow:
                model.cp.add(sum(slow) + sum(literal for _, literal in cpus) <= 1).only_enforce_if(*when)

    def check(self, case: Case) -> list[Check]:
        found = self._population(case) + (experts(case) if case.plan.offload else [])
        return found + (tables(case) if case.plan.host_tables else [])

    def _population(self, case: Case) -> list[Check]:
        if case.unified or not case.platform.dimm_slots:
            return [
                Check.of(self.id, True, "memory is unified with the GPU's or soldered: there are no modules to choose")
            ]
        if "memory" in case.build.unknown:
            return self._of_unknown_modules(case)
        modules = [(part, pieces) for part, pieces in case.parts(Memory) if isinstance(part, Memory)]
        found = [self._size(case, sum(module.capacity_gb * qty for module, qty in modules))]
        if len(modules) > 1:
            kinds = [module for module, _ in modules]
            if case.exists and interchangeable(kinds):
                found.append(Check.warn(self.id, _of_several_makers(kinds)))
            else:
                found.append(Check.of(self.id, False, _unequal(kinds)))
        return found + self._spread(case, sum(qty for _, qty in modules))

    def _of_unknown_modules(self, case: Case) -> list[Check]:
        """What can be said of a machine that names no modules: whether their capacity, where it is known, suffices."""
        if case.build.memory_gb is None:
            return [Check.warn(self.id, "not judged: the memory of the machine is not known")]
        unspread = Check.warn(self.id, "not judged: how the memory modules fill the channels is not known")
        return [self._size(case, case.build.memory_gb), unspread]

    def _size(self, case: Case, ram: int) -> Check:
        """RAM against the least and the advised share of GPU memory."""
        vram = case.vram_gb
        grade = case.request.grade
        floor_percent = ram_percent(case.platform, case.policy, grade)
        floor = floor_percent * vram / 100
        said = {
            "ram": f"{ram:,}", "floor": figure(floor), "percent": figure(floor_percent), "vram": f"{vram:,}",
        }  # fmt: skip
        whole = whole_ram_gb(case.platform, case.policy, grade)
        advised = _share_gb(case, "advised_training" if case.request.trains else "advised", vram)
        if ram < whole or (whole > floor and ram >= advised):
            least = max(float(floor), float(whole))
            of_grade = {"ram": f"{ram:,}", "floor": figure(least), "grade": grade_words(grade)}
            return Check.at_least(
                self.id, ram, least, "GB",
                message("RAM of {ram} GB meets the {floor} GB of grade {grade}", **of_grade),
                message("RAM of {ram} GB is below the {floor} GB of grade {grade}", **of_grade),
            )  # fmt: skip
        if floor <= ram < advised:
            text = message(
                "RAM of {ram} GB meets the minimum of {floor} GB ({percent} % of {vram} GB of GPU memory); "
                "{advised} GB is advised for training"
                if case.request.trains
                else "RAM of {ram} GB meets the minimum of {floor} GB ({percent} % of {vram} GB of GPU memory); "
                "{advised} GB is advised for serving",
                **said, advised=figure(advised),
            )  # fmt: skip
            return Check.warn(self.id, text, ram, float(advised), "GB", "at_least")
        if floor_percent > case.policy["host_memory.floor_percent"]:
            return self._of_grade(ram, float(floor), {**said, "grade": grade_words(grade)})
        return Check.at_least(
            self.id,
            ram,
            float(floor),
            "GB",
            message("RAM of {ram} GB meets the minimum of {floor} GB ({percent} % of {vram} GB of GPU memory)", **said),
            message(
                "RAM of {ram} GB is below the minimum of {floor} GB ({percent} % of {vram} GB of GPU memory)", **said
            ),
        )

    def _of_grade(self, ram: int, least: float, said: dict[str, str]) -> Check:
        """RAM against what a grade asks beyond the floor."""
        return Check.at_least(
            self.id, ram, least, "GB",
            message(
                "RAM of {ram} GB meets the {floor} GB of grade {grade} ({percent} % of {vram} GB of GPU memory)", **said
            ),
            message(
                "RAM of {ram} GB is below the {floor} GB of grade {grade} ({percent} % of {vram} GB of GPU memory)",
                **said,
            ),
        )  # fmt: skip

    def _spread(self, case: Case, count: int) -> list[Check]:
        """Whether the modules fill the channels, or some of them evenly."""
        counts, filled = dimm_counts(case.platform), population(case.platform, count)
        if filled not in ("partial", "uneven"):
            return []
        if not counts:
            text = message(
                "the memory channels of {platform} are not published, so no number of modules is known to fit",
                platform=case.platform.name,
            )
            return [Check.of(self.id, False, text)]
        if filled == "partial":
            text = message(
                "{n} memory modules on {channels} channels: evenly spread, but less memory bandwidth",
                n=count,
                channels=counts[0],
            )
            return [Check.warn(self.id, text, count, counts[0], "modules", "at_least")]
        supported = supported_counts(case.platform)
        if case.exists and count in supported:
            text = message(
                "{n} memory modules on {channels} channels: unbalanced, but supported; less memory bandwidth",
                n=count,
                channels=counts[0],
            )
            return [Check.warn(self.id, text, count, counts[0], "modules", "at_least")]
        if case.exists and supported:
            text = message(
                "{qty} memory module is no number that makers support here: {list} are"
                if count == 1
                else "{qty} memory modules are no number that makers support here: {list} are",
                qty=f"{count:,}",
                list=joined(map(str, supported), " or "),
            )
            nearest = min(supported, key=lambda number: (abs(number - count), number))
            return [Check(self.id, "fail", count, nearest, "modules", text)]
        text = message(
            "{qty} memory module can't spread evenly over {why}: {list} would"
            if count == 1
            else "{qty} memory modules can't spread evenly over {why}: {list} would",
            qty=f"{count:,}",
            why=counted(counts[0], "channel"),
            list=joined(map(str, counts), " or "),
        )
        nearest = min(counts, key=lambda number: (abs(number - count), number))
        return [Check(self.id, "fail", count, nearest, "modules", text)]


def _share_gb(case: Case, name: str, vram_gb: int) -> Decimal:
    """GB of RAM that a share of policy makes of GPU memory."""
    return case.policy[f"host_memory.{name}_percent"] * vram_gb / 100


def _unequal(modules: Iterable[Memory]) -> str:
    return message(
        "memory modules of a node must be equal, these differ: {parts}",
        parts=joined(module.id for module in modules),
    )


def _of_several_makers(modules: Iterable[Memory]) -> str:
    return message(
        "memory modules of one size from several makers, all at the speed of the slowest: {parts}",
        parts=joined(module.id for module in modules),
    )


def tables(case: Case) -> list[Check]:
    """Whether the RAM of a node holds the model's n-gram tables, once for each engine instance that has GPUs there,
    beside system and engine."""
    instances = max(1, case.per_node // case.plan.gpus)
    one_gb = Decimal(case.llm.host_table_bytes) / 10**9
    system_gb = case.policy["host_memory.system_gb"]
    least = instances * one_gb + system_gb
    if case.unified or not case.platform.dimm_slots:
        return [Check.of("host_memory", False, "memory that is unified or soldered is not known to hold n-gram tables")]
    ram = sum(module.capacity_gb * qty for module, qty in case.parts(Memory) if isinstance(module, Memory))
    ram = ram or case.build.memory_gb or 0
    said = {
        "ram": f"{ram:,}", "need": figure(least), "tables": figure(round(one_gb, 1)), "system": figure(system_gb),
        "instances": counted(instances, "engine instance"),
    }  # fmt: skip
    return [
        Check.at_least(
            "host_memory", ram, float(least), "GB",
            message(
                "RAM of {ram} GB holds n-gram tables of {tables} GB for {instances} and {system} GB for the system",
                **said,
            ),
            message(
                "RAM of {ram} GB is below {need} GB: n-gram tables of {tables} GB for {instances} and {system} GB for "
                "the system",
                **said,
            ),
        )
    ]  # fmt: skip


def experts(case: Case) -> list[Check]:
    """Whether the node gives what the row of a plan with experts in host memory asks for."""
    have, row = host_of(case), case.row
    if have is None or row is None or not row.host_gb_s:
        return [Check.of("host_memory", False, "this node cannot hold experts in host memory")]
    want = Host(row.host_gb_s, row.host_gb, row.host_gflops)
    room = max(0, have.gb)
    return [
        Check.at_least(
            "host_memory",
            have.gb_s,
            want.gb_s,
            "GB/s",
            message(
                "host memory gives {a} GB/s, the plan's experts need {b} GB/s", a=f"{have.gb_s:,}", b=f"{want.gb_s:,}"
            ),
            message(
                "host memory gives only {a} GB/s, the plan's experts need {b} GB/s",
                a=f"{have.gb_s:,}",
                b=f"{want.gb_s:,}",
            ),
        ),
        Check.at_least(
            "host_memory",
            room,
            want.gb,
            "GiB",
            message(
                "beside the system host memory has {a} GiB for the experts, which need {b} GiB",
                a=f"{room:,}",
                b=f"{want.gb:,}",
            ),
            message(
                "beside the system host memory has only {a} GiB for the experts, which need {b} GiB",
                a=f"{room:,}",
                b=f"{want.gb:,}",
            ),
        ),
        Check.at_least(
            "host_memory",
            have.gflops,
            want.gflops,
            "GFLOPS",
            message(
                "the CPUs attain {a} GFLOPS, the plan's experts need {b} GFLOPS",
                a=f"{have.gflops:,}",
                b=f"{want.gflops:,}",
            ),
            message(
                "the CPUs attain only {a} GFLOPS, the plan's experts need {b} GFLOPS",
                a=f"{have.gflops:,}",
                b=f"{want.gflops:,}",
            ),
        ),
    ]


def host_of(case: Case) -> Host | None:
    """What the CPUs and modules of a finished node give; None where experts can't lie in its memory."""
    cpus = [part for part, _ in case.parts(Cpu) if isinstance(part, Cpu)]
    modules = [(part, pieces) for part, pieces in case.parts(Memory) if isinstance(part, Memory)]
    if not offloads(case.platform) or len(cpus) != 1 or len(modules) != 1:
        return None
    return host(case.platform, cpus[0], *modules[0], case.policy)
