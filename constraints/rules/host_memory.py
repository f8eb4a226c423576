"""Rule host_memory: RAM at least 20 % of VRAM, equal modules, every channel filled; with experts in host memory also
the room, bandwidth and CPU compute of the row.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from catalogs.message import N_, joined, message
from catalogs.schema import Cpu, Memory, Platform
from constraints.physics.contents import dimm_counts, inside, module_fits_inside, modules_to_buy, population
from constraints.physics.offload import Host, bandwidth_gb_s, gflops_class, host, offloads, room_gb
from constraints.policy import Policy
from constraints.rule import Check, Rule, counted, figure

if TYPE_CHECKING:
    from constraints.build import Case
    from constraints.facts import Facts
    from constraints.model.family_model import FamilyModel


def floor_gb(vram_gb: int, policy: Policy) -> int:
    """Whole GB of RAM that GPU memory asks for; the policy's percentage may have decimals."""
    return math.ceil(policy["host_memory.floor_percent"] * vram_gb / 100)


class HostMemory(Rule):
    id = "host_memory"
    title = N_("Host memory")
    phase = "parts"
    reads = frozenset({"model"})
    cured_by = frozenset({"memory"})
    loaded_by = frozenset({"memory"})
    shortfall = "memory"

    def may(self, facts: Facts) -> str:
        """A module that differs from those inside a complete system."""
        p, part = facts.platform, facts.part
        if p is None or not isinstance(part, Memory) or module_fits_inside(p, facts.catalog, part):
            return ""
        return _unequal([*(x for x, _ in inside(p, facts.catalog, Memory)), part])

    def encode(self, m: FamilyModel) -> None:
        least = floor_gb(m.per_node * m.gpu.vram_gb, m.policy)
        ram = sum(x.capacity_gb * n * v for (x, n), v in m.memory.items())
        unified = m.gpu.form_factor == "integrated"
        for p, v in m.platform.items():
            contained = inside(p, m.catalog, Memory)
            have = sum(x.capacity_gb * n for x, n in contained)
            if p.dimm_slots and not unified:
                m.cp.add(ram >= least - have).only_enforce_if(v)
            self._modules(m, p, v, bool(contained) and unified)
        self._experts(m)

    def _modules(self, m: FamilyModel, p: Platform, v: Any, as_delivered: bool) -> None:
        """The modules bought for a node in `p` fill its channels with those inside; `as_delivered`: none has to be."""
        counts = modules_to_buy(p, m.catalog)
        right: list[Any] = []
        wrong: list[Any] = []
        for (x, n), b in m.memory.items():
            (right if n in counts and module_fits_inside(p, m.catalog, x) else wrong).append(b)
        m.cp.add(sum(wrong) == 0).only_enforce_if(v)
        if 0 not in counts and not as_delivered:
            m.cp.add(sum(right) == 1).only_enforce_if(v)

    def _experts(self, m: FamilyModel) -> None:
        """What rows with experts in host memory ask of the CPUs and modules together."""
        for r, chosen in m.rows.items():
            if not r.plan.offload:
                continue
            m.cp.add(
                sum(g * v for (x, s), v in m.cpu.items() if (g := gflops_class(x, s))) >= r.key.host_gflops
            ).only_enforce_if(chosen)
            short = [v for (x, n), v in m.memory.items() if room_gb(x.capacity_gb * n, m.policy) < r.key.host_gb]
            m.cp.add(sum(short) == 0).only_enforce_if(chosen)
            for p, v in m.platform.items():
                if offloads(p) and r.key.host_gb_s:
                    self._bandwidth(m, r.key.host_gb_s, p, (chosen, v))
                else:
                    m.cp.add_implication(chosen, ~v)

    def _bandwidth(self, m: FamilyModel, least: int, p: Platform, when: tuple[Any, Any]) -> None:
        """In a platform no CPUs stand beside modules that give less than `least` GB/s with them."""
        alike: dict[tuple[int, int], list[tuple[Cpu, Any]]] = {}
        for (x, _), v in m.cpu.items():
            alike.setdefault((x.mem_channels or 0, x.mem_max_mts or 0), []).append((x, v))
        for cpus in alike.values():
            slow = [v for (x, n), v in m.memory.items() if bandwidth_gb_s(p, cpus[0][0], x.mts, n, m.policy) < least]
            if slow:
                m.cp.add(sum(slow) + sum(v for _, v in cpus) <= 1).only_enforce_if(*when)

    def check(self, c: Case) -> list[Check]:
        return self._population(c) + (experts(c) if c.plan.offload else [])

    def _population(self, c: Case) -> list[Check]:
        if c.gpu.form_factor == "integrated" or not c.platform.dimm_slots:
            return [
                Check.of(self.id, True, "memory is unified with the GPU's or soldered: there are no modules to choose")
            ]
        modules = [(m, q) for m, q in c.parts(Memory) if isinstance(m, Memory)]
        found = [self._size(c, sum(m.capacity_gb * q for m, q in modules))]
        if len(modules) > 1:
            found.append(Check.of(self.id, False, _unequal(m for m, _ in modules)))
        return found + self._spread(c, sum(q for _, q in modules))

    def _size(self, c: Case, ram: int) -> Check:
        """RAM against the least and the advised share of GPU memory."""
        vram = c.per_node * c.gpu.vram_gb
        floor_percent, floor = c.policy["host_memory.floor_percent"], _share_gb(c, "floor", vram)
        said = {
            "ram": f"{ram:,}", "floor": figure(floor), "percent": figure(floor_percent), "vram": f"{vram:,}",
        }  # fmt: skip
        advised = _share_gb(c, "advised_training" if c.request.trains else "advised", vram)
        if floor <= ram < advised:
            text = message(
                "RAM of {ram} GB meets the minimum of {floor} GB ({percent} % of {vram} GB of GPU memory); "
                "{advised} GB is advised for training"
                if c.request.trains
                else "RAM of {ram} GB meets the minimum of {floor} GB ({percent} % of {vram} GB of GPU memory); "
                "{advised} GB is advised for serving",
                **said, advised=figure(advised),
            )  # fmt: skip
            return Check.warn(self.id, text, ram, float(advised), "GB", "at_least")
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

    def _spread(self, c: Case, count: int) -> list[Check]:
        """Whether the modules fill the channels, or some of them evenly."""
        counts, filled = dimm_counts(c.platform), population(c.platform, count)
        if filled not in ("partial", "uneven"):
            return []
        if not counts:
            text = message(
                "the memory channels of {platform} are not published, so no number of modules is known to fit",
                platform=c.platform.name,
            )
            return [Check.of(self.id, False, text)]
        if filled == "partial":
            text = message(
                "{n} memory modules on {channels} channels: evenly spread, but less memory bandwidth",
                n=count,
                channels=counts[0],
            )
            return [Check.warn(self.id, text, count, counts[0], "modules", "at_least")]
        text = message(
            "{qty} memory module can't spread evenly over {why}: {list} would"
            if count == 1
            else "{qty} memory modules can't spread evenly over {why}: {list} would",
            qty=f"{count:,}",
            why=counted(counts[0], "channel"),
            list=joined(map(str, counts), " or "),
        )
        nearest = min(counts, key=lambda n: (abs(n - count), n))
        return [Check(self.id, "fail", count, nearest, "modules", text)]


def _share_gb(c: Case, name: str, vram_gb: int) -> Decimal:
    """GB of RAM that a share of policy makes of GPU memory."""
    return c.policy[f"host_memory.{name}_percent"] * vram_gb / 100


def _unequal(modules: Iterable[Memory]) -> str:
    return message(
        "memory modules of a node must be equal, these differ: {parts}", parts=", ".join(m.id for m in modules)
    )


def experts(c: Case) -> list[Check]:
    """Whether the node gives what the row of a plan with experts in host memory asks for."""
    have, row = host_of(c), c.row
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


def host_of(c: Case) -> Host | None:
    """What the CPUs and modules of a finished node give; None where experts can't lie in its memory."""
    cpus = [x for x, _ in c.parts(Cpu) if isinstance(x, Cpu)]
    modules = [(m, q) for m, q in c.parts(Memory) if isinstance(m, Memory)]
    if not offloads(c.platform) or len(cpus) != 1 or len(modules) != 1:
        return None
    return host(c.platform, cpus[0], *modules[0], c.policy)
