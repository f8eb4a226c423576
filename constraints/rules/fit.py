"""Rule fit: GPUs, CPU, memory, drives, NICs, supplies and coolers go into the platform's slots, sockets and bays."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from catalogs.load import Catalog
from catalogs.message import N_, joined, message
from catalogs.schema import Bridge, Cooling, Cpu, Drive, Gpu, GpuBoard, Kind, Memory, Nic, Part, Platform, Psu
from constraints.build import brings_supplies, power_cap, supply_patterns
from constraints.physics.contents import gpus_inside, inside
from constraints.physics.grades import (
    ATX_SUPPLIES,
    NODES,
    at_most,
    fan_cards_sold,
    gpus_qualified,
    grade_words,
    judged_by,
    supplies_sold,
)
from constraints.physics.qualified import listed_in_words, listing
from constraints.request import Grade
from constraints.rule import Check, Rule, counted

if TYPE_CHECKING:
    from constraints.build import Case
    from constraints.facts import Facts
    from constraints.model.family_model import FamilyModel


def gpu_fits(platform: Platform, gpu: Gpu, per_node: int, board: GpuBoard | None) -> str:
    """Why the GPUs do not fit; empty when they do."""
    if gpu.form_factor not in platform.gpu_forms:
        return message(
            "{gpu} is {form}, the slots take {list}",
            gpu=gpu.name,
            form=gpu.form_factor,
            list=joined(platform.gpu_forms, "/") or "no GPU",
        )
    if platform.gpu_cooling and gpu.cooling not in platform.gpu_cooling:
        return message(
            "{gpu} has {cooling} cooling, the chassis takes {list}",
            gpu=gpu.name,
            cooling=gpu.cooling,
            list=joined(platform.gpu_cooling, "/"),
        )
    if board is not None and board.board_type not in platform.gpu_boards:
        return message(
            "board {kind} does not fit, the chassis takes {takes}",
            kind=board.board_type,
            takes=joined(platform.gpu_boards, "/") or "no GPU board",
        )
    if board is None and platform.gpu_boards:
        return "this chassis takes a whole GPU board, no single GPUs"
    if per_node > platform.gpu_slots:
        return message("GPU slots: {a} needed, {b} available", a=per_node, b=platform.gpu_slots)
    if platform.gpu_width_total is not None and (gpu.width_slots or 2) * per_node > platform.gpu_width_total:
        width = gpu.width_slots or 2
        return message(
            "slot widths for GPUs: {a} needed ({each} each), {b} available",
            a=width * per_node,
            each=width,
            b=platform.gpu_width_total,
        )
    if not power_cap(gpu, platform):
        if gpu.tdp_w is None:
            return message("the power draw of {gpu} is not published", gpu=gpu.name)
        return message(
            "{gpu} draws {w} W, the slot gives {most} W",
            gpu=gpu.name,
            w=f"{gpu.tdp_w:,}",
            most=f"{platform.gpu_max_w or 0:,}",
        )
    return ""


def added_gpus_fault(platform: Platform, catalog: Catalog, gpu: Gpu, per_node: int) -> str:
    """Why a complete system with GPUs inside can't hold `per_node` of a GPU; empty when it can. Its free slots take
    loose GPUs of the kind inside."""
    kind, held = gpus_inside(platform, catalog)
    if kind != gpu.id:
        return message("{platform} comes with other GPUs", platform=platform.name)
    if per_node == held:
        return ""
    if per_node < held:
        return message("{platform} comes with {why}", platform=platform.name, why=counted(held, "GPU"))
    if gpu.sold_as != "single" or inside(platform, catalog, GpuBoard):
        return message(
            "{gpu} is sold only as {how}: no more can be added to {p}", gpu=gpu.name, how=gpu.sold_as, p=platform.name
        )
    return gpu_fits(platform, gpu, per_node, None)


def cpu_fits(platform: Platform, cpu: Cpu) -> bool:
    """Socket, generation, power and number of sockets."""
    return (
        cpu.socket == platform.socket != "soldered"
        and cpu.generation in platform.cpu_generations
        and platform.sockets <= cpu.max_sockets
        and cpu.tdp_w is not None
        and (platform.cpu_max_w is None or cpu.tdp_w <= platform.cpu_max_w)
    )


def memory_fits(platform: Platform, module: Memory) -> bool:
    return (
        module.mem_gen == platform.mem_gen
        and module.dimm_type in platform.dimm_types
        and module.dimm_type != "soldered"
    )


def drives_modules(cpu: Cpu, module: Memory) -> bool:
    """Whether a CPU's memory controller takes modules of this type: a board may have slots for MRDIMMs that not every
    CPU in its socket can use."""
    return module.dimm_type in cpu.dimm_types


def psu_fits(platform: Platform, psu: Psu) -> bool:
    return psu.form in platform.psu_forms and (not platform.psu_watts or psu.watts in platform.psu_watts)


def cooler_fits(cooling: Cooling, cpu: Cpu) -> bool:
    return cooling.socket == cpu.socket and (cooling.capacity_w or 0) >= (cpu.tdp_w or 0)


def needs_cpu(platform: Platform) -> bool:
    return "cpu" not in platform.includes and platform.socket != "soldered"


def needs_cooler(platform: Platform) -> bool:
    return "cpu-heatsink" not in platform.includes and platform.socket != "soldered"


def needs_psu(platform: Platform) -> bool:
    return not brings_supplies(platform)


def bay_groups(platform: Platform) -> list[tuple[tuple[str, ...], int]]:
    """(accepted forms, number) of each kind of bay, contents already in them."""
    return [
        (platform.nvme_forms, platform.nvme_bays),
        (("M.2",), platform.m2_slots),
        (platform.sata_forms, platform.sata_bays),
    ]


def bay_limits(platform: Platform) -> list[tuple[frozenset[str], int]]:
    """Hall's condition: for each union of bay groups, at most this many drives may need bays inside the union.

    A drive may fit bays of several kinds. All drives find bays exactly where no union of groups is asked for more bays
    than it has (Hall's marriage theorem); three groups have seven unions."""
    groups = [(frozenset(forms), number) for forms, number in bay_groups(platform) if number and forms]
    limits: list[tuple[frozenset[str], int]] = []
    for mask in range(1, 2 ** len(groups)):
        chosen = [group for place, group in enumerate(groups) if mask >> place & 1]
        limits.append((frozenset().union(*(forms for forms, _ in chosen)), sum(number for _, number in chosen)))
    return limits


def confined(drive: Drive, platform: Platform, forms: frozenset[str]) -> bool:
    """Whether every bay of the platform that takes the drive lies in the union `forms`."""
    takes = [accepted for accepted, number in bay_groups(platform) if number and set(accepted) & set(drive.forms)]
    return bool(takes) and all(set(accepted) <= forms for accepted in takes)


def bayless(drive: Drive, platform: Platform) -> bool:
    return not any(number and set(forms) & set(drive.forms) for forms, number in bay_groups(platform))


def bays_known(platform: Platform) -> bool:
    """Whether a platform's bays are stated: a server with none at all is one of which nobody read them. What comes with
    its storage may have none."""
    return "storage" in platform.includes or any(number for _, number in bay_groups(platform))


def bay_fault(drive: Drive, platform: Platform) -> str:
    """Why a drive finds no bay, whatever else is in them; empty when one takes it."""
    if not bayless(drive, platform):
        return ""
    if bays_known(platform):
        return message("no bay for {part}", part=drive.name)
    return message("no bay for {part}: which the server has is not known", part=drive.name)


def bays_of(drive: Drive, platform: Platform) -> int:
    """Bays that take the drive, contents already in them."""
    return sum(number for forms, number in bay_groups(platform) if set(forms) & set(drive.forms))


def bridges(bridge: Bridge, gpu: Gpu, per_node: int) -> bool:
    """Whether bridges of a kind join all GPUs of a node in whole groups."""
    return gpu.id in bridge.gpus and per_node % bridge.group_gpus == 0


def part_fault(platform: Platform, part: Part, catalog: Catalog) -> str:
    """Why a node of a platform can't hold a part that is bought for it, by socket, form or bay; empty when it may."""
    if isinstance(part, GpuBoard):
        return _board_fault(platform, part, catalog)
    if isinstance(part, Cpu):
        return "" if cpu_fits(platform, part) else _cpu_fault(platform, part)
    if isinstance(part, Memory):
        return "" if memory_fits(platform, part) else _memory_fault(platform, part)
    if isinstance(part, Psu):
        if not needs_psu(platform):
            return "power supplies come with the platform, none can be added"
        return "" if psu_fits(platform, part) else _psu_fault(platform, part)
    if isinstance(part, Drive):
        return bay_fault(part, platform)
    if isinstance(part, Nic):
        return _nic_fault(platform, part)
    if isinstance(part, Cooling) and part.role == "cpu-cooler":
        return _cooler_fault(platform, part)
    return ""


BARRED_FROM_DATA_CENTRES = ("GeForce", "Titan")
"""NVIDIA Driver License Agreement (v. February 25, 2025), sections 2.7 and 2.8: GeForce or Titan software is not
licensed for datacenter deployment, and no software for commercial hosting services."""
NEEDED = {"CPU cooler": "cooling", "CPU": "cpu", "suppl": "psu", "GPU": "gpu", "server": "platform"}
"""What a finding asks a node for by its words, where it `needs` something or finds no server; what stands in the wrong
place is not mended by a part more."""


class Fit(Rule):
    id = "fit"
    title = N_("Mechanical fit")
    phase = "parts"
    loaded_by = frozenset({"gpu", "cpu", "memory", "drive", "nic"})
    settles = frozenset({"cooling", "psu"})
    refuses = frozenset({"part", "node"})
    refuses_by = MappingProxyType(
        {
            Cpu: ("socket", "cpu_generations", "sockets", "cpu_max_w"),
            Memory: ("mem_gen", "dimm_types"),
            Psu: ("includes", "psu_forms", "psu_watts"),
            Drive: ("includes", "nvme_bays", "nvme_forms", "m2_slots", "sata_bays", "sata_forms"),
            Nic: ("nic_forms", "nic_slots"),
            Cooling: ("includes", "socket"),
            GpuBoard: (
                "kind",
                "contents",
                "gpu_forms",
                "gpu_cooling",
                "gpu_boards",
                "gpu_slots",
                "gpu_width_total",
                "gpu_max_w",
                "system_max_w",
            ),
        }
    )

    def cures(self, finding: Check) -> frozenset[str]:
        if "needs " not in finding.text and "no server" not in finding.text:
            return frozenset()
        return frozenset(next(((kind,) for word, kind in NEEDED.items() if word in finding.text), ()))

    def may(self, facts: Facts) -> str:
        """GPUs that the platform can't hold or its maker does not list, a bought part that it can't hold, a bridge that
        does not join the GPUs."""
        gpu, platform, part = facts.gpu, facts.platform, facts.part
        if isinstance(part, Bridge) and gpu is not None and not bridges(part, gpu, facts.per_node):
            held = counted(facts.per_node, "GPU")
            return message("{bridge} does not join {why} of {gpu}", bridge=part.name, why=held, gpu=gpu.name)
        if platform is None:
            return ""
        if part is not None and (why := part_fault(platform, part, facts.catalog)):
            return why
        if gpu is None or not facts.per_node:
            return ""
        asked = platform, gpu, facts.per_node, facts.catalog
        grade = facts.request.grade
        if grade != "floor" and not gpus_qualified(*asked, facts.policy, grade):
            return _unlisted(*asked, grade)
        return _gpus_fault(platform, facts.catalog, gpu, facts.per_node)

    def encode(self, model: FamilyModel) -> None:
        self._gpus(model)
        self._sold(model)
        cp = model.cp
        for platform, literal in model.platform.items():
            self._cpus(model, platform, literal)
            for (module, _), chosen in model.memory.items():
                if not memory_fits(platform, module):
                    cp.add_implication(literal, ~chosen)
            self._supplies(model, platform, literal)
            wants_cooler = platform.sockets if needs_cooler(platform) else 0
            cp.add(sum(model.cooler.values()) == wants_cooler).only_enforce_if(literal)
            self._bays(model, platform, literal)
            self._slots(model, platform, literal)
        for (cpu, _), chosen in model.cpu.items():
            for (module, _), beside in model.memory.items():
                if not drives_modules(cpu, module):
                    cp.add_bool_or([~chosen, ~beside])
        for cooler, qty in model.cooler.items():
            for (cpu, _), chosen in model.cpu.items():
                if not cooler_fits(cooler, cpu):
                    cp.add(qty == 0).only_enforce_if(chosen)

    def _cpus(self, model: FamilyModel, platform: Platform, literal: Any) -> None:
        """A kind that fits in every socket, and none beside it; none where they come with the platform."""
        wants = 1 if needs_cpu(platform) else 0
        fitting = [
            chosen
            for (cpu, sockets), chosen in model.cpu.items()
            if sockets == platform.sockets and cpu_fits(platform, cpu)
        ]
        model.cp.add(sum(fitting) == wants).only_enforce_if(literal)
        model.cp.add(sum(model.cpu.values()) == wants).only_enforce_if(literal)

    def _supplies(self, model: FamilyModel, platform: Platform, literal: Any) -> None:
        """A kind that fits, in a number that the chassis takes, and none beside it."""
        wants = 1 if needs_psu(platform) else 0
        allowed = set(supply_patterns(platform))
        fitting = [
            chosen
            for (supply, fitted, needed), chosen in model.psu.items()
            if (fitted, needed) in allowed
            and psu_fits(platform, supply)
            and supplies_sold(platform, supply, fitted, model.policy, model.request.grade)
        ]
        model.cp.add(sum(fitting) == wants).only_enforce_if(literal)
        model.cp.add(sum(model.psu.values()) == wants).only_enforce_if(literal)

    def _gpus(self, model: FamilyModel) -> None:
        cp = model.cp
        caps: dict[int, list[Any]] = {}
        for platform, literal in model.platform.items():
            caps.setdefault(power_cap(model.gpu, platform), []).append(literal)
            if gpus_inside(platform, model.catalog)[0]:
                cp.add(sum(model.board.values()) == 0).only_enforce_if(literal)
                if added_gpus_fault(platform, model.catalog, model.gpu, model.per_node):
                    cp.add(literal == 0)
            elif model.gpu.sold_as == "board":
                fits = [
                    chosen
                    for board, chosen in model.board.items()
                    if not gpu_fits(platform, model.gpu, model.per_node, board)
                ]
                cp.add(sum(fits) == 1).only_enforce_if(literal)
            else:
                cp.add(sum(model.board.values()) == 0).only_enforce_if(literal)
                if model.gpu.sold_as == "system" or gpu_fits(platform, model.gpu, model.per_node, None):
                    cp.add(literal == 0)
        for row, chosen in model.rows.items():
            # The slot's limit sets the clock that the row's speed was judged at.
            cp.add(sum(caps.get(row.key.cap_w, [])) >= 1).only_enforce_if(chosen)

    def _sold(self, model: FamilyModel) -> None:
        """What works and nobody sells: cards with fans in servers for passive ones, GPUs that the maker of a machine
        does not list for it, and more towers than a grade takes for one build."""
        grade, policy = model.request.grade, model.policy
        for platform, literal in model.platform.items():
            if not fan_cards_sold(platform, model.gpu, model.per_node, policy, grade):
                model.cp.add(literal == 0)
            if not gpus_qualified(platform, model.gpu, model.per_node, model.catalog, policy, grade):
                model.cp.add(literal == 0)
            most = at_most(NODES, platform, policy, grade)
            for nodes, is_n in model.node_counts.items():
                if most is not None and nodes > most:
                    model.cp.add_bool_or([~literal, ~is_n])

    def _bays(self, model: FamilyModel, platform: Platform, literal: Any) -> None:
        held = inside(platform, model.catalog, Drive)
        for drive, qty in model.drive.items():
            if bayless(drive, platform):
                model.cp.add(qty == 0).only_enforce_if(literal)
        for forms, limit in bay_limits(platform):
            used = sum(pieces for contained, pieces in held if confined(contained, platform, forms))
            mine = [pieces for drive, pieces in model.drive.items() if confined(drive, platform, forms)]
            if mine:
                model.cp.add(sum(mine) <= max(0, limit - used)).only_enforce_if(literal)

    def _slots(self, model: FamilyModel, platform: Platform, literal: Any) -> None:
        held = sum(qty for _, qty in inside(platform, model.catalog, Nic))
        for card, qty in model.nic.items():
            if card.form not in platform.nic_forms:
                model.cp.add(qty == 0).only_enforce_if(literal)
        if model.nic:
            model.cp.add(sum(model.nic.values()) <= max(0, platform.nic_slots - held)).only_enforce_if(literal)

    def check(self, case: Case) -> list[Check]:
        wrong = [
            *self._gpu_faults(case),
            *self._cpu_faults(case),
            *self._bay_faults(case),
            *self._memory_faults(case),
            *self._supply_faults(case),
            *self._bridge_faults(case),
        ]
        unsold = self._unsold(case)
        if case.request.grade != "floor":
            wrong += unsold
        found = [Check.of(self.id, False, fault) for fault in wrong if fault] or [
            Check.of(self.id, True, message("every part fits {platform}", platform=case.platform.name))
        ]
        found += [Check.warn(self.id, text) for text in unsold if case.request.grade == "floor"]
        if case.exists and case.parts(Drive) and not bays_known(case.platform):
            text = message("not judged: the drive bays of {platform} are not known", platform=case.platform.name)
            found.append(Check.warn(self.id, text))
        return found + self._licence(case)

    def _unsold(self, case: Case) -> list[str]:
        """What works and nobody sells, by the grade; at the floor by the next one, as what is not advised."""
        platform, policy, grade = case.platform, case.policy, case.request.grade
        asked = judged_by(grade)
        said = {"grade": grade_words(asked), "platform": platform.name}
        found: list[str] = []
        fanned = [gpu for gpu, _ in case.cards if not fan_cards_sold(platform, gpu, case.per_node, policy, asked)]
        for gpu in fanned:
            fans = {**said, "gpu": gpu.name, "cooling": gpu.cooling}
            found.append(
                message("not advised (grade {grade}): {gpu} ({cooling}) in {platform}, made for passive cards", **fans)
                if grade == "floor"
                else message("grade {grade} takes no {gpu} ({cooling}) in {platform}, made for passive cards", **fans)
            )
        found += _unqualified(case, asked)
        bought = [(part, qty) for part, qty in case.parts(Psu) if part.id in case.build.node and isinstance(part, Psu)]
        for supply, qty in bought:
            if not supplies_sold(platform, supply, qty, policy, asked):
                pieces = {**said, "n": qty, "most": at_most(ATX_SUPPLIES, platform, policy, asked)}
                found.append(
                    message("not advised (grade {grade}): {n} ATX supplies in one case, made for {most}", **pieces)
                    if grade == "floor"
                    else message("grade {grade} takes no {n} ATX supplies in one case, made for {most}", **pieces)
                )
        most, nodes = at_most(NODES, platform, policy, asked), case.build.nodes
        if most is not None and nodes > most:
            towers = {**said, "n": f"{nodes:,}", "most": most}
            found.append(
                message("not advised (grade {grade}): {n} towers, beyond {most} servers in racks", **towers)
                if grade == "floor"
                else message("grade {grade} takes no {n} towers, beyond {most} servers in racks", **towers)
            )
        return found

    def _licence(self, case: Case) -> list[Check]:
        """The driver's licence of GeForce cards in a rack: a warning, since a rack may stand anywhere."""
        cards = [gpu.name for gpu, _ in case.cards if gpu.name.startswith(BARRED_FROM_DATA_CENTRES)]
        if not cards or not case.platform.rack_mount:
            return []
        text = message(
            "{gpu}: NVIDIA's driver licence (2025-02-25) excludes GeForce and Titan from data centres (2.8) and from "
            "commercial hosting (2.7)",
            gpu=joined(cards),
        )
        return [Check.warn(self.id, text)]

    def _gpu_faults(self, case: Case) -> list[str]:
        if gpus_inside(case.platform, case.catalog)[0]:
            bought = [x for x in case.build.node if case.catalog.parts[x].kind == Kind.GPU_BOARD]
            wrong: list[str] = [message("{part} can't be added to a complete system", part=x) for x in bought]
            if case.mixed:
                return [*wrong, message("{platform} comes with other GPUs", platform=case.platform.name)]
            return wrong or [added_gpus_fault(case.platform, case.catalog, case.gpu, case.per_node)]
        wrong = []
        boards = [part for part, _ in case.parts(GpuBoard) if isinstance(part, GpuBoard)]
        if sum(pieces for _, pieces in case.parts(GpuBoard)) > 1:
            wrong.append("a node takes one GPU board")
        if not boards:
            wrong += [
                message("{gpu} is not sold as a single card: it comes with a {what}", gpu=gpu.name, what=gpu.sold_as)
                for gpu, _ in case.cards
                if gpu.sold_as != "single"
            ]
        if case.mixed:
            return [*wrong, *self._mix_faults(case)]
        return [*wrong, gpu_fits(case.platform, case.gpu, case.per_node, boards[0] if boards else None)]

    def _mix_faults(self, case: Case) -> list[str]:
        """Why unlike cards do not fit together: each by itself, then their number and widths in sum."""
        platform = case.platform
        wrong = [gpu_fits(platform, gpu, pieces, None) for gpu, pieces in case.cards]
        width = sum((gpu.width_slots or 2) * pieces for gpu, pieces in case.cards)
        if case.per_node > platform.gpu_slots:
            wrong.append(message("GPU slots: {a} needed, {b} available", a=case.per_node, b=platform.gpu_slots))
        elif platform.gpu_width_total is not None and width > platform.gpu_width_total:
            wrong.append(
                message("slot widths for GPUs: {a} needed, {b} available", a=width, b=platform.gpu_width_total)
            )
        return list(dict.fromkeys(filter(None, wrong)))

    def _memory_faults(self, case: Case) -> list[str]:
        wrong: list[str] = []
        cpus = [part for part, _ in case.parts(Cpu) if isinstance(part, Cpu) and part.id in case.build.node]
        for part, qty in case.parts(Memory):
            assert isinstance(part, Memory)
            if part.id in case.build.node:
                wrong += [_undriven(cpu, part) for cpu in cpus if not drives_modules(cpu, part)]
            if not memory_fits(case.platform, part) and part.id in case.build.node:
                wrong.append(_memory_fault(case.platform, part))
            if qty > case.platform.dimm_slots:
                wrong.append(message("memory slots: {a} needed, {b} available", a=qty, b=case.platform.dimm_slots))
        return wrong

    def _supply_faults(self, case: Case) -> list[str]:
        platform = case.platform
        wrong: list[str] = []
        psus = [(part, pieces) for part, pieces in case.parts(Psu) if part.id in case.build.node]
        if not needs_psu(platform):
            return ["power supplies come with the platform, none can be added"] if psus else []
        if len(psus) != 1 and "psu" not in case.build.unknown:
            wrong.append("needs power supplies of one kind")
        for part, qty in psus:
            assert isinstance(part, Psu)
            if not psu_fits(platform, part):
                wrong.append(_psu_fault(platform, part))
            if qty not in dict(supply_patterns(platform)):
                accepted = joined((str(fitted) for fitted, _ in supply_patterns(platform)), " or ")
                wrong.append(
                    message("{why} fitted, the chassis takes {list}", why=counted(qty, "supply"), list=accepted)
                )
        return wrong

    def _bridge_faults(self, case: Case) -> list[str]:
        wrong: list[str] = []
        for part, qty in case.parts(Bridge):
            assert isinstance(part, Bridge)
            pieces = case.per_node // part.group_gpus * part.per_group
            if case.mixed or not bridges(part, case.gpu, case.per_node) or qty != pieces:
                wrong.append(
                    message(
                        "{bridge}: {why} can't bridge {gpus}",
                        bridge=part.name,
                        why=counted(qty, "piece"),
                        gpus=counted(case.per_node, "GPU"),
                    )
                )
        return wrong

    def _cpu_faults(self, case: Case) -> list[str]:
        platform, wrong = case.platform, []
        cpus = [(part, pieces) for part, pieces in case.parts(Cpu) if part.id in case.build.node]
        if needs_cpu(platform):
            if len(cpus) != 1 or cpus[0][1] != platform.sockets:
                wrong.append(
                    "needs 1 CPU" if platform.sockets == 1 else message("needs {n} equal CPUs", n=platform.sockets)
                )
            for part, _ in cpus:
                assert isinstance(part, Cpu)
                if not cpu_fits(platform, part):
                    wrong.append(_cpu_fault(platform, part))
        elif cpus:
            wrong.append("CPUs come with the platform, none can be added")
        coolers = [
            (part, pieces)
            for part, pieces in case.parts(Cooling)
            if isinstance(part, Cooling) and part.role == "cpu-cooler"
        ]
        wants = platform.sockets if needs_cooler(platform) else 0
        if sum(q for _, q in coolers) != wants and not (not coolers and "cooling" in case.build.unknown):
            wrong.append(
                message("needs {why}", why=counted(wants, "CPU cooler"))
                if wants
                else "CPU coolers come with the platform"
            )
        for cooler, _ in coolers:
            for part, _ in cpus:
                assert isinstance(part, Cpu) and isinstance(cooler, Cooling)
                if not cooler_fits(cooler, part):
                    wrong.append(_uncooled(cooler, part))
        return wrong

    def _bay_faults(self, case: Case) -> list[str]:
        platform = case.platform
        wrong: list[str] = []
        drives = [(part, pieces) for part, pieces in case.parts(Drive) if isinstance(part, Drive)]
        if bays_known(platform) or not case.exists:
            wrong += [bay_fault(drive, platform) for drive, _ in drives if drive.id in case.build.node]
        for forms, limit in bay_limits(platform):
            used = sum(q for drive, q in drives if confined(drive, platform, forms))
            bought = sum(q for drive, q in drives if confined(drive, platform, forms) and drive.id in case.build.node)
            if bought and used > limit:
                wrong.append(
                    message(
                        "drive bays ({forms}): {a} needed, {b} available",
                        forms="/".join(sorted(forms)),
                        a=used,
                        b=limit,
                    )
                )
        nics = [(part, pieces) for part, pieces in case.parts(Nic) if isinstance(part, Nic)]
        wrong += [
            message("no slot for {part} ({form})", part=card.name, form=card.form)
            for card, _ in nics
            if card.form not in platform.nic_forms and card.id in case.build.node
        ]
        if any(card.id in case.build.node for card, _ in nics) and sum(q for _, q in nics) > platform.nic_slots:
            wrong.append(
                message("NIC slots: {a} needed, {b} available", a=sum((q for _, q in nics)), b=platform.nic_slots)
            )
        return wrong


def _unqualified(case: Case, asked: Grade) -> list[str]:
    """GPUs that the maker of the machine does not list for it, or not so many, by a grade."""
    barred = case.request.grade != "floor"
    return [
        _unlisted(case.platform, gpu, pieces, case.catalog, asked, barred)
        for gpu, pieces in case.cards
        if not gpus_qualified(case.platform, gpu, pieces, case.catalog, case.policy, asked)
    ]


def _unlisted(platform: Platform, gpu: Gpu, pieces: int, catalog: Catalog, grade: Grade, barred: bool = True) -> str:
    """What the maker of a machine lists instead of so many of a GPU; `barred`: the grade takes no others."""
    said = {"grade": grade_words(grade), "platform": platform.name, "gpu": gpu.name}
    pair = catalog.qualified(platform.id, gpu.id)
    if pair is not None:
        number = {**said, "n": pieces, "most": pair.most, "day": pair.list_date}
        return (
            message("grade {grade} takes no {n} {gpu} in {platform}: its maker lists {most} ({day})", **number)
            if barred
            else message(
                "not advised (grade {grade}): {n} {gpu} in {platform}, whose maker lists {most} ({day})", **number
            )
        )
    names, day = listed_in_words(listing(platform, gpu, catalog), catalog)
    pairs = {**said, "list": names, "day": day}
    return (
        message("grade {grade} takes no {gpu} in {platform}: its maker lists {list} ({day})", **pairs)
        if barred
        else message(
            "not advised (grade {grade}): the maker lists no {gpu} for {platform}; listed: {list} ({day})", **pairs
        )
    )


def _gpus_fault(platform: Platform, catalog: Catalog, gpu: Gpu, per_node: int) -> str:
    """Why no node of a platform has `per_node` of a GPU. GPUs that are sold on boards may come on any board."""
    if gpus_inside(platform, catalog)[0]:
        return added_gpus_fault(platform, catalog, gpu, per_node)
    return gpu_fits(platform, gpu, per_node, None) if gpu.sold_as == "single" else ""


def _board_fault(platform: Platform, board: GpuBoard, catalog: Catalog) -> str:
    """Why a platform takes no such board, whose GPUs are all that the node has."""
    if gpus_inside(platform, catalog)[0]:
        return message("{part} can't be added to a complete system", part=board.id)
    gpu = catalog.parts.get(board.gpu)
    return gpu_fits(platform, gpu, board.gpus, board) if isinstance(gpu, Gpu) else ""


def _cpu_fault(platform: Platform, cpu: Cpu) -> str:
    """Which property of a CPU that does not fit is the reason."""
    if cpu.socket != platform.socket or cpu.generation not in platform.cpu_generations:
        return message(
            "{cpu} ({kind}) does not fit, the board takes {takes}",
            cpu=cpu.name,
            kind=f"{cpu.socket}, {cpu.generation}",
            takes=f"{platform.socket} {'/'.join(platform.cpu_generations)}",
        )
    if platform.sockets > cpu.max_sockets:
        return message(
            "{cpu} runs in at most {why}, the board has {n}",
            cpu=cpu.name,
            why=counted(cpu.max_sockets, "socket"),
            n=platform.sockets,
        )
    if cpu.tdp_w is None:
        return message("the power draw of {gpu} is not published", gpu=cpu.name)
    return message(
        "{part} draws {watts}, the socket gives {limit}",
        part=cpu.name,
        watts=f"{cpu.tdp_w:,} W",
        limit=f"{platform.cpu_max_w or 0:,} W",
    )


def _memory_fault(platform: Platform, module: Memory) -> str:
    return message(
        "{part} is {kind}, the board takes {takes}",
        part=module.name,
        kind=f"{module.mem_gen} {module.dimm_type}",
        takes=f"{platform.mem_gen} {'/'.join(platform.dimm_types)}",
    )


def _undriven(cpu: Cpu, module: Memory) -> str:
    return message(
        "{part} is {kind}, {cpu} takes {takes}",
        part=module.name,
        kind=module.dimm_type,
        cpu=cpu.name,
        takes="/".join(cpu.dimm_types),
    )


def _psu_fault(platform: Platform, psu: Psu) -> str:
    takes = "/".join(form for form in platform.psu_forms if form != "2xATX")
    takes += f" ({'/'.join(map(str, sorted(platform.psu_watts)))} W)" if platform.psu_watts else ""
    return message(
        "{psu} ({kind}) does not fit, the chassis takes {takes}",
        psu=psu.name,
        kind=f"{psu.form}, {psu.watts:,} W",
        takes=takes,
    )


def _cooler_fault(platform: Platform, cooler: Cooling) -> str:
    if not needs_cooler(platform):
        return "CPU coolers come with the platform"
    return (
        ""
        if cooler.socket == platform.socket
        else message("{cooler} does not cool {part}", cooler=cooler.name, part=platform.socket)
    )


def _nic_fault(platform: Platform, nic: Nic) -> str:
    if nic.form not in platform.nic_forms:
        return message("no slot for {part} ({form})", part=nic.name, form=nic.form)
    return "" if platform.nic_slots > 0 else message("NIC slots: {a} needed, {b} available", a=1, b=0)


def _uncooled(cooler: Cooling, cpu: Cpu) -> str:
    return message(
        "{cooler} does not cool {cpu} ({watts}, {socket})",
        cooler=cooler.name,
        cpu=cpu.name,
        watts="unknown power" if cpu.tdp_w is None else f"{cpu.tdp_w:,} W",
        socket=cpu.socket,
    )


__all__ = ["Fit", "gpu_fits"]
