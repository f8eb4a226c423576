"""Builds of fronts of random catalogs, what they need by their parts, and the verdicts of check and certificate.

What a build needs is worked out here from its parts; constraints/ is not asked.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import cache
from typing import Any, NamedTuple

from catalogs.load import Catalog
from catalogs.schema import (
    Cooling,
    Cpu,
    Drive,
    GpuBoard,
    Kind,
    Memory,
    Nic,
    Part,
    Platform,
    Psu,
    Rack,
    Switch,
)
from constraints.build import Build, Case
from constraints.model.family_model import Candidates
from constraints.plan import Row
from constraints.policy import Policy
from constraints.request import Request
from constraints.rules.registry import findings
from optimizer.market.market import Market
from optimizer.pruning.dominance import buyable
from optimizer.search.certificate import FamilyProof
from optimizer.search.solver import Solver
from tests.support.oracle import EFFICIENCY, box_w
from tests.support.random_catalogs import scenario

SCENES = {
    "tower": (24, 2), "circuit": (1, 2), "systems": (3, 1), "board": (26, 0), "two racks": (81, 2), "liquid": (82, 2),
    "wet GPUs": (10, 4), "bridged": (91, 3), "own racks": (21, 2), "towers": (47, 2), "own water": (76, 3),
}  # fmt: skip
"""(catalog, point of its front without a budget)."""
FORMATS = {"towers": {"precision": "bf16", "min_precision_bits": None}}
"""What is asked of the weights where a front in fewer bits would have no such build: here stages over two nodes."""
PLENTY = 10**9


class Scene(NamedTuple):
    """A build with its parts (what it holds counted in), and where it comes from."""

    market: Market
    case: Case
    row: Row
    has: dict[Part, int]
    """Parts of one node, contents included."""
    shared: dict[Part, int]

    def of(self, cls: type) -> Iterator[tuple[Any, int]]:
        return ((p, q) for p, q in {**self.has, **self.shared}.items() if isinstance(p, cls))

    def one(self, cls: type) -> tuple[Any, int]:
        return next(self.of(cls))


@cache
def scene(name: str) -> Scene:
    seed, i = SCENES[name]
    catalog, request, _ = scenario(seed)
    market = Market.open(
        catalog, request.model_copy(update={"budget_cents": PLENTY, **FORMATS.get(name, {})}), Policy()
    )
    point = Solver(market).front().points[i]
    build, parts = point.found.build, catalog.parts
    has = {parts[x]: q for x, q in build.node.items()}
    for c in next(p for p in has if isinstance(p, Platform)).contents:
        has[parts[c.part]] = has.get(parts[c.part], 0) + c.qty
    return Scene(market, point.case, point.found.row, has, {parts[x]: q for x, q in build.shared.items()})


# What a build needs ---------------------------------------------------------------------------------------------------


def load_w(s: Scene) -> int:
    """Watts of a node with fans."""
    p, k = s.one(Platform)[0], gpus(s)
    watts = p.overhead_w + k * s.market.catalog.parts[s.row.key.gpu].tdp_w  # type: ignore[attr-defined]
    watts += sum(q * x.tdp_w for x, q in s.of(Cpu)) + sum(q * x.overhead_w for x, q in s.of(GpuBoard))
    watts += sum(q * x.power_w for cls in (Memory, Drive, Nic) for x, q in s.of(cls))
    fans = 5 if "air" not in p.cooling else 12 if p.rack_mount else 4
    load = math.ceil(Fraction(100 * watts, 100 - fans))
    published = Fraction((p.system_max_w or 0) * EFFICIENCY[s.one(Psu)[0].efficiency], 100)
    return max(load, math.floor(published)) if p.kind == Kind.SYSTEM else load


def wall_w(s: Scene) -> int:
    """Watts that a node takes from the wall, with what its supplies lose."""
    return math.ceil(Fraction(100 * load_w(s), EFFICIENCY[s.one(Psu)[0].efficiency]))


def air_w(s: Scene) -> Fraction:
    """Watts that a node gives to the air: liquid takes 80 % of its load, and none of what its supplies lose."""
    liquid = "air" not in s.one(Platform)[0].cooling
    return wall_w(s) - Fraction(80 * load_w(s) if liquid else 0, 100)


def gpus(s: Scene) -> int:
    return s.row.key.per_node


def gear_watts(s: Scene) -> int:
    """Watts of switches and CDUs in all."""
    return gear(s, box_w)


def racked_w(s: Scene) -> int:
    """Watts of those that stand in the racks."""
    return gear(s, lambda box: box_w(box) if box.rack_units else 0)


def in_a_rack(s: Scene) -> int:
    """Nodes in the fullest rack."""
    return -(-s.case.build.nodes // s.one(Rack)[1])


def gear(s: Scene, figure: Callable[[Any], int]) -> int:
    """A figure of switches and CDUs in all."""
    return sum(figure(x) * q for cls in (Switch, Cooling) for x, q in s.of(cls) if x in s.shared)


def bank(s: Scene) -> tuple[Psu, int, int]:
    """(supply, fitted, needed) of a node."""
    psu, fitted = s.one(Psu)
    for text in s.one(Platform)[0].psu_redundancy:
        need, spare = map(int, text.split("+"))
        if spare and need + spare == fitted:
            return psu, fitted, need
    return psu, fitted, fitted


def psu_w(s: Scene) -> int:
    psu, fitted, needed = bank(s)
    load, chips = load_w(s), gpus(s) * s.market.catalog.parts[s.row.key.gpu].tdp_w  # type: ignore[attr-defined]
    least = max(Fraction(100 * load, 80 * fitted), Fraction(load, needed))
    return math.ceil(max(least, Fraction(4 * load + chips, 4 * fitted)) if psu.form == "ATX" else least)


def cdu_w(s: Scene) -> int:
    cdu = next(q for x, q in s.of(Cooling) if x.role == "cdu-l2l")
    heat = math.ceil(Fraction(s.case.build.nodes * load_w(s) * 80 * 110, 10_000))
    racks = next((q for _, q in s.of(Rack)), 1)
    return -(-heat // (cdu - (1 if racks > 1 else 0)))


def lanes_used(s: Scene) -> int:
    width = s.row.key.lanes or min(s.one(Platform)[0].gpu_lane_widths)
    return gpus(s) * width + 4 * sum(q for _, q in s.of(Drive)) + sum(x.lanes * q for x, q in s.of(Nic))


def storage_gb(s: Scene) -> int:
    weights = -(-s.market.llm.weight_bytes(s.row.plan.precision) // 10**9)
    return -(-(2 * weights + 200) * 6 // 5)


def ports(s: Scene, role: str) -> int:
    return s.case.build.nodes if role != "rdma" else s.case.build.nodes * gpus(s)


# Verdicts -------------------------------------------------------------------------------------------------------------


def certificate(
    market: Market, s: Scene, build: Build, rows: Sequence[Row] = (), platforms: Iterable[str] = ()
) -> FamilyProof | None:
    """The certificate's model of a scene's row, or of other `rows`, with exactly the pieces of a build; None where it
    has no variable for one of them. Of `platforms` the build's own alone stand in it, unless others are named."""
    names = {x for x in build.node if isinstance(market.catalog.parts[x], Platform)} | set(platforms)
    chassis = [p for p in market.catalog.parts.values() if p.id in names]
    gpu: Any = market.catalog.parts[s.row.key.gpu]
    parts = Candidates([*chassis, *buyable(market, prune=False)])
    family = FamilyProof(market, gpu, s.row.key.per_node, rows or [s.row], parts)
    m, wanted = family.model, {**build.node, **build.shared}
    for part, terms in m.quantities().items():
        m.cp.add(sum(terms) == wanted.pop(part, 0))
    return None if wanted else family


def verdicts(
    s: Scene, catalog: Catalog, request: Request, policy: Policy, build: Build, platforms: Iterable[str] = ()
) -> tuple[set[str], bool]:
    """(rules whose check fails, whether the certificate lets exactly this build stand)."""
    market = Market.open(catalog, request, policy)
    failed = {c.rule for c in findings(market.case(build, s.row.plan, s.row.key)) if c.status == "fail"}
    family = certificate(market, s, build, platforms=platforms)
    return failed, family is not None and family.under(lambda _: PLENTY) is not None


def changed(catalog: Catalog, part: Part, field: str, value: Any) -> Catalog:
    return replace(catalog, parts={**catalog.parts, part.id: part.model_copy(update={field: value})})
