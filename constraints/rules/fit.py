"""Rule fit: GPUs, CPU, memory, drives, NICs, supplies and coolers go into the platform's slots, sockets and bays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from catalogs.load import Catalog
from catalogs.message import N_, joined, message
from catalogs.schema import Bridge, Cooling, Cpu, Drive, Gpu, GpuBoard, Kind, Memory, Nic, Part, Platform, Psu
from constraints.build import patterns, power_cap
from constraints.physics.contents import gpus_inside, inside
from constraints.rule import Check, Rule, counted

if TYPE_CHECKING:
    from constraints.build import Case
    from constraints.facts import Facts
    from constraints.model.family_model import FamilyModel


def gpu_fits(p: Platform, gpu: Gpu, per_node: int, board: GpuBoard | None) -> str:
    """Why the GPUs do not fit; empty when they do."""
    if gpu.form_factor not in p.gpu_forms:
        return message(
            "{gpu} is {form}, the slots take {list}",
            gpu=gpu.name,
            form=gpu.form_factor,
            list=joined(p.gpu_forms, "/") or "no GPU",
        )
    if p.gpu_cooling and gpu.cooling not in p.gpu_cooling:
        return message(
            "{gpu} has {cooling} cooling, the chassis takes {list}",
            gpu=gpu.name,
            cooling=gpu.cooling,
            list=joined(p.gpu_cooling, "/"),
        )
    if board is not None and board.board_type not in p.gpu_boards:
        return message(
            "board {kind} does not fit, the chassis takes {takes}",
            kind=board.board_type,
            takes=joined(p.gpu_boards, "/") or "no GPU board",
        )
    if board is None and p.gpu_boards:
        return "this chassis takes a whole GPU board, no single GPUs"
    if per_node > p.gpu_slots:
        return message("GPU slots: {a} needed, {b} available", a=per_node, b=p.gpu_slots)
    if p.gpu_width_total is not None and (gpu.width_slots or 2) * per_node > p.gpu_width_total:
        width = gpu.width_slots or 2
        return message(
            "slot widths for GPUs: {a} needed ({each} each), {b} available",
            a=width * per_node,
            each=width,
            b=p.gpu_width_total,
        )
    if not power_cap(gpu, p):
        if gpu.tdp_w is None:
            return message("the power draw of {gpu} is not published", gpu=gpu.name)
        return message(
            "{gpu} draws {w} W, the slot gives {most} W", gpu=gpu.name, w=f"{gpu.tdp_w:,}", most=f"{p.gpu_max_w or 0:,}"
        )
    return ""


def added_gpus_fault(p: Platform, catalog: Catalog, gpu: Gpu, per_node: int) -> str:
    """Why a complete system with GPUs inside can't hold `per_node` of a GPU; empty when it can. Its free slots take
    loose GPUs of the kind inside."""
    kind, held = gpus_inside(p, catalog)
    if kind != gpu.id:
        return message("{platform} comes with other GPUs", platform=p.name)
    if per_node == held:
        return ""
    if per_node < held:
        return message("{platform} comes with {why}", platform=p.name, why=counted(held, "GPU"))
    if gpu.sold_as != "single" or inside(p, catalog, GpuBoard):
        return message(
            "{gpu} is sold only as {how}: no more can be added to {p}", gpu=gpu.name, how=gpu.sold_as, p=p.name
        )
    return gpu_fits(p, gpu, per_node, None)


def cpu_fits(p: Platform, cpu: Cpu) -> bool:
    """Socket, generation, power and number of sockets."""
    return (
        cpu.socket == p.socket != "soldered"
        and cpu.generation in p.cpu_generations
        and p.sockets <= cpu.max_sockets
        and cpu.tdp_w is not None
        and (p.cpu_max_w is None or cpu.tdp_w <= p.cpu_max_w)
    )


def memory_fits(p: Platform, m: Memory) -> bool:
    return m.mem_gen == p.mem_gen and m.dimm_type in p.dimm_types and m.dimm_type != "soldered"


def psu_fits(p: Platform, u: Psu) -> bool:
    return u.form in p.psu_forms and (not p.psu_watts or u.watts in p.psu_watts)


def cooler_fits(c: Cooling, cpu: Cpu) -> bool:
    return c.socket == cpu.socket and (c.capacity_w or 0) >= (cpu.tdp_w or 0)


def needs_cpu(p: Platform) -> bool:
    return "cpu" not in p.includes and p.socket != "soldered"


def needs_cooler(p: Platform) -> bool:
    return "cpu-heatsink" not in p.includes and p.socket != "soldered"


def needs_psu(p: Platform) -> bool:
    return "psu" not in p.includes and "builtin" not in p.psu_forms


def bay_groups(p: Platform) -> list[tuple[tuple[str, ...], int]]:
    """(accepted forms, number) of each kind of bay, contents already in them."""
    return [(p.nvme_forms, p.nvme_bays), (("M.2",), p.m2_slots), (p.sata_forms, p.sata_bays)]


def bay_limits(p: Platform) -> list[tuple[frozenset[str], int]]:
    """Hall's condition: for each union of bay groups, at most this many drives may need bays inside the union."""
    groups = [(frozenset(f), n) for f, n in bay_groups(p) if n and f]
    limits: list[tuple[frozenset[str], int]] = []
    for mask in range(1, 2 ** len(groups)):
        chosen = [g for i, g in enumerate(groups) if mask >> i & 1]
        limits.append((frozenset().union(*(f for f, _ in chosen)), sum(n for _, n in chosen)))
    return limits


def confined(d: Drive, p: Platform, forms: frozenset[str]) -> bool:
    """Whether every bay of the platform that takes the drive lies in the union `forms`."""
    takes = [f for f, n in bay_groups(p) if n and set(f) & set(d.forms)]
    return bool(takes) and all(set(f) <= forms for f in takes)


def bayless(d: Drive, p: Platform) -> bool:
    return not any(n and set(f) & set(d.forms) for f, n in bay_groups(p))


def part_fault(p: Platform, part: Part) -> str:
    """Why a node of a platform can't hold a part that is bought for it, by socket, form or bay; empty when it may."""
    if isinstance(part, Cpu):
        return "" if cpu_fits(p, part) else _cpu_fault(p, part)
    if isinstance(part, Memory):
        return "" if memory_fits(p, part) else _memory_fault(p, part)
    if isinstance(part, Psu):
        if not needs_psu(p):
            return "power supplies come with the platform, none can be added"
        return "" if psu_fits(p, part) else _psu_fault(p, part)
    if isinstance(part, Drive):
        return message("no bay for {part}", part=part.name) if bayless(part, p) else ""
    if isinstance(part, Nic):
        return _nic_fault(p, part)
    if isinstance(part, Cooling) and part.role == "cpu-cooler":
        return _cooler_fault(p, part)
    return ""


NEEDED = {"CPU cooler": "cooling", "CPU": "cpu", "suppl": "psu", "GPU": "gpu", "server": "platform"}
"""What a finding asks a node for by its words, where it `needs` something or finds no server; what stands in the wrong
place is not mended by a part more."""


class Fit(Rule):
    id = "fit"
    title = N_("Mechanical fit")
    phase = "parts"
    loaded_by = frozenset({"gpu", "cpu", "memory", "drive", "nic"})
    settles = frozenset({"cooling", "psu"})

    def cures(self, finding: Check) -> frozenset[str]:
        if "needs " not in finding.text and "no server" not in finding.text:
            return frozenset()
        return frozenset(next(((kind,) for word, kind in NEEDED.items() if word in finding.text), ()))

    def may(self, facts: Facts) -> str:
        """GPUs or a bought part that the platform can't hold."""
        if facts.platform is None:
            return ""
        if facts.part is not None and (why := part_fault(facts.platform, facts.part)):
            return why
        return self._gpus_fault(facts, facts.platform)

    def _gpus_fault(self, facts: Facts, p: Platform) -> str:
        """Of a family in a platform. A board is judged where it is known: GPUs sold on boards may come on any."""
        gpu = facts.gpu
        if gpu is None or not facts.per_node:
            return ""
        if gpus_inside(p, facts.catalog)[0]:
            return added_gpus_fault(p, facts.catalog, gpu, facts.per_node)
        if isinstance(facts.part, GpuBoard):
            return gpu_fits(p, gpu, facts.per_node, facts.part)
        return gpu_fits(p, gpu, facts.per_node, None) if gpu.sold_as == "single" else ""

    def encode(self, m: FamilyModel) -> None:
        self._gpus(m)
        cp = m.cp
        for p, v in m.platform.items():
            wants = 1 if needs_cpu(p) else 0
            cp.add(sum(b for (x, s), b in m.cpu.items() if s == p.sockets and cpu_fits(p, x)) == wants).only_enforce_if(
                v
            )
            cp.add(sum(m.cpu.values()) == wants).only_enforce_if(v)
            for (x, _), b in m.memory.items():
                if not memory_fits(p, x):
                    cp.add_implication(v, ~b)
            wants_psu = 1 if needs_psu(p) else 0
            allowed = set(patterns(p))
            fitting = [b for (u, f, n), b in m.psu.items() if (f, n) in allowed and psu_fits(p, u)]
            cp.add(sum(fitting) == wants_psu).only_enforce_if(v)
            cp.add(sum(m.psu.values()) == wants_psu).only_enforce_if(v)
            wants_cooler = p.sockets if needs_cooler(p) else 0
            cp.add(sum(m.cooler.values()) == wants_cooler).only_enforce_if(v)
            self._bays(m, p, v)
            self._slots(m, p, v)
        for cooler, qty in m.cooler.items():
            unfit = [b for (x, _), b in m.cpu.items() if not cooler_fits(cooler, x)]
            for b in unfit:
                cp.add(qty == 0).only_enforce_if(b)

    def _gpus(self, m: FamilyModel) -> None:
        cp = m.cp
        caps: dict[int, list[Any]] = {}
        for p, v in m.platform.items():
            caps.setdefault(power_cap(m.gpu, p), []).append(v)
            if gpus_inside(p, m.catalog)[0]:
                cp.add(sum(m.board.values()) == 0).only_enforce_if(v)
                if added_gpus_fault(p, m.catalog, m.gpu, m.per_node):
                    cp.add(v == 0)
            elif m.gpu.sold_as == "board":
                fits = [b for x, b in m.board.items() if not gpu_fits(p, m.gpu, m.per_node, x)]
                cp.add(sum(fits) == 1).only_enforce_if(v)
            else:
                cp.add(sum(m.board.values()) == 0).only_enforce_if(v)
                if m.gpu.sold_as == "system" or gpu_fits(p, m.gpu, m.per_node, None):
                    cp.add(v == 0)
        for r, chosen in m.rows.items():
            cp.add(sum(caps.get(r.key.cap_w, [])) >= 1).only_enforce_if(chosen)

    def _bays(self, m: FamilyModel, p: Platform, v: Any) -> None:
        held = inside(p, m.catalog, Drive)
        for d, qty in m.drive.items():
            if bayless(d, p):
                m.cp.add(qty == 0).only_enforce_if(v)
        for forms, limit in bay_limits(p):
            used = sum(q for d, q in held if confined(d, p, forms))
            mine = [q for d, q in m.drive.items() if confined(d, p, forms)]
            if mine:
                m.cp.add(sum(mine) <= max(0, limit - used)).only_enforce_if(v)

    def _slots(self, m: FamilyModel, p: Platform, v: Any) -> None:
        held = sum(q for _, q in inside(p, m.catalog, Nic))
        for n, qty in m.nic.items():
            if n.form not in p.nic_forms:
                m.cp.add(qty == 0).only_enforce_if(v)
        if m.nic:
            m.cp.add(sum(m.nic.values()) <= max(0, p.nic_slots - held)).only_enforce_if(v)

    def check(self, c: Case) -> list[Check]:
        wrong = [
            *self._gpu_faults(c),
            *self._cpu_faults(c),
            *self._bay_faults(c),
            *self._memory_faults(c),
            *self._supply_faults(c),
            *self._bridge_faults(c),
        ]
        return [Check.of(self.id, False, fault) for fault in wrong if fault] or [
            Check.of(self.id, True, message("every part fits {platform}", platform=c.platform.name))
        ]

    def _gpu_faults(self, c: Case) -> list[str]:
        if gpus_inside(c.platform, c.catalog)[0]:
            bought = [x for x in c.build.node if c.catalog.parts[x].kind == Kind.GPU_BOARD]
            wrong: list[str] = [message("{part} can't be added to a complete system", part=x) for x in bought]
            return wrong or [added_gpus_fault(c.platform, c.catalog, c.gpu, c.per_node)]
        wrong = []
        boards = [x for x, _ in c.parts(GpuBoard) if isinstance(x, GpuBoard)]
        if sum(q for _, q in c.parts(GpuBoard)) > 1:
            wrong.append("a node takes one GPU board")
        if c.gpu.sold_as != "single" and not boards:
            wrong.append(
                message(
                    "{gpu} is not sold as a single card: it comes with a {what}", gpu=c.gpu.name, what=c.gpu.sold_as
                )
            )
        return [*wrong, gpu_fits(c.platform, c.gpu, c.per_node, boards[0] if boards else None)]

    def _memory_faults(self, c: Case) -> list[str]:
        wrong: list[str] = []
        for part, qty in c.parts(Memory):
            assert isinstance(part, Memory)
            if not memory_fits(c.platform, part) and part.id in c.build.node:
                wrong.append(_memory_fault(c.platform, part))
            if qty > c.platform.dimm_slots:
                wrong.append(message("memory slots: {a} needed, {b} available", a=qty, b=c.platform.dimm_slots))
        return wrong

    def _supply_faults(self, c: Case) -> list[str]:
        p = c.platform
        wrong: list[str] = []
        psus = [(x, q) for x, q in c.parts(Psu) if x.id in c.build.node]
        if not needs_psu(p):
            return ["power supplies come with the platform, none can be added"] if psus else []
        if len(psus) != 1:
            wrong.append("needs power supplies of one kind")
        for part, qty in psus:
            assert isinstance(part, Psu)
            if not psu_fits(p, part):
                wrong.append(_psu_fault(p, part))
            if qty not in dict(patterns(p)):
                accepted = joined((str(n) for n, _ in patterns(p)), " or ")
                wrong.append(
                    message("{why} fitted, the chassis takes {list}", why=counted(qty, "supply"), list=accepted)
                )
        return wrong

    def _bridge_faults(self, c: Case) -> list[str]:
        wrong: list[str] = []
        for part, qty in c.parts(Bridge):
            assert isinstance(part, Bridge)
            groups, rest = divmod(c.per_node, part.group_gpus)
            if c.gpu.id not in part.gpus or rest or qty != groups * part.per_group:
                wrong.append(
                    message(
                        "{bridge}: {why} can't bridge {gpus}",
                        bridge=part.name,
                        why=counted(qty, "piece"),
                        gpus=counted(c.per_node, "GPU"),
                    )
                )
        return wrong

    def _cpu_faults(self, c: Case) -> list[str]:
        p, wrong = c.platform, []
        cpus = [(x, q) for x, q in c.parts(Cpu) if x.id in c.build.node]
        if needs_cpu(p):
            if len(cpus) != 1 or cpus[0][1] != p.sockets:
                wrong.append("needs 1 CPU" if p.sockets == 1 else message("needs {n} equal CPUs", n=p.sockets))
            for part, _ in cpus:
                assert isinstance(part, Cpu)
                if not cpu_fits(p, part):
                    wrong.append(_cpu_fault(p, part))
        elif cpus:
            wrong.append("CPUs come with the platform, none can be added")
        coolers = [(x, q) for x, q in c.parts(Cooling) if isinstance(x, Cooling) and x.role == "cpu-cooler"]
        wants = p.sockets if needs_cooler(p) else 0
        if sum(q for _, q in coolers) != wants:
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

    def _bay_faults(self, c: Case) -> list[str]:
        p = c.platform
        wrong: list[str] = []
        drives = [(d, q) for d, q in c.parts(Drive) if isinstance(d, Drive)]
        wrong += [
            message("no bay for {part}", part=d.name) for d, _ in drives if bayless(d, p) and d.id in c.build.node
        ]
        for forms, limit in bay_limits(p):
            used = sum(q for d, q in drives if confined(d, p, forms))
            bought = sum(q for d, q in drives if confined(d, p, forms) and d.id in c.build.node)
            if bought and used > limit:
                wrong.append(
                    message(
                        "drive bays ({forms}): {a} needed, {b} available",
                        forms="/".join(sorted(forms)),
                        a=used,
                        b=limit,
                    )
                )
        nics = [(n, q) for n, q in c.parts(Nic) if isinstance(n, Nic)]
        wrong += [
            message("no slot for {part} ({form})", part=n.name, form=n.form)
            for n, _ in nics
            if n.form not in p.nic_forms and n.id in c.build.node
        ]
        if any(n.id in c.build.node for n, _ in nics) and sum(q for _, q in nics) > p.nic_slots:
            wrong.append(message("NIC slots: {a} needed, {b} available", a=sum((q for _, q in nics)), b=p.nic_slots))
        return wrong


def _cpu_fault(p: Platform, cpu: Cpu) -> str:
    """Which property of a CPU that does not fit is the reason."""
    if cpu.socket != p.socket or cpu.generation not in p.cpu_generations:
        return message(
            "{cpu} ({kind}) does not fit, the board takes {takes}",
            cpu=cpu.name, kind=f"{cpu.socket}, {cpu.generation}", takes=f"{p.socket} {'/'.join(p.cpu_generations)}",
        )  # fmt: skip
    if p.sockets > cpu.max_sockets:
        return message(
            "{cpu} runs in at most {why}, the board has {n}",
            cpu=cpu.name,
            why=counted(cpu.max_sockets, "socket"),
            n=p.sockets,
        )
    if cpu.tdp_w is None:
        return message("the power draw of {gpu} is not published", gpu=cpu.name)
    return message(
        "{part} draws {watts}, the socket gives {limit}",
        part=cpu.name, watts=f"{cpu.tdp_w:,} W", limit=f"{p.cpu_max_w or 0:,} W",
    )  # fmt: skip


def _memory_fault(p: Platform, m: Memory) -> str:
    return message(
        "{part} is {kind}, the board takes {takes}",
        part=m.name, kind=f"{m.mem_gen} {m.dimm_type}", takes=f"{p.mem_gen} {'/'.join(p.dimm_types)}",
    )  # fmt: skip


def _psu_fault(p: Platform, u: Psu) -> str:
    takes = "/".join(p.psu_forms)
    takes += f" ({'/'.join(map(str, sorted(p.psu_watts)))} W)" if p.psu_watts else ""
    return message(
        "{psu} ({kind}) does not fit, the chassis takes {takes}",
        psu=u.name, kind=f"{u.form}, {u.watts:,} W", takes=takes,
    )  # fmt: skip


def _cooler_fault(p: Platform, cooler: Cooling) -> str:
    if not needs_cooler(p):
        return "CPU coolers come with the platform"
    return (
        "" if cooler.socket == p.socket else message("{cooler} does not cool {part}", cooler=cooler.name, part=p.socket)
    )


def _nic_fault(p: Platform, nic: Nic) -> str:
    if nic.form not in p.nic_forms:
        return message("no slot for {part} ({form})", part=nic.name, form=nic.form)
    return "" if p.nic_slots > 0 else "NIC slots: 1 needed, 0 available"


def _uncooled(cooler: Cooling, cpu: Cpu) -> str:
    return message(
        "{cooler} does not cool {cpu} ({watts}, {socket})",
        cooler=cooler.name, cpu=cpu.name, watts="unknown power" if cpu.tdp_w is None else f"{cpu.tdp_w:,} W",
        socket=cpu.socket,
    )  # fmt: skip


__all__ = ["Fit", "gpu_fits"]
