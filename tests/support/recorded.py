"""Builds that brute force went through, each with the rules it breaks: samples for what the front does not show."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from catalogs.schema import Drive, Gpu, Kind
from constraints.plan import Row, RowKey
from constraints.policy import Policy
from optimizer.market.market import Market
from optimizer.search.certificate import FamilyProof
from optimizer.search.solver import OpenFamily, Solver
from tests.support.oracle import RULES, Built, Fitted, Oracle, Speeds
from tests.support.random_catalogs import scenario

Parts = tuple[tuple[str, int], ...]
PLENTY = 10**9
"""Cents that every random build stays below."""


class Judged(NamedTuple):
    """A whole build with the rules that brute force says it breaks."""

    nodes: int
    node: Parts
    shared: Parts
    key: RowKey
    broken: frozenset[str]


class Node(NamedTuple):
    """The parts of a node without cords, how many nodes, and the row they run at."""

    node: Parts
    nodes: int
    key: RowKey


@dataclass(eq=False)
class Recording(Oracle):
    """Brute force that keeps a sample of its builds by the rule they break, and each node's cheapest whole build."""

    kept: dict[frozenset[str], list[Judged]] = field(default_factory=dict)
    least: dict[Node, int] = field(default_factory=dict)
    """Cents of the cheapest build of the nodes that breaks nothing (storage aside); PLENTY where there is none."""
    sample: int = 25

    def __post_init__(self) -> None:
        self._rng, self._seen = random.Random(0), Counter[frozenset[str]]()
        self._key = RowKey("", 0, 0, 0, 0, 0, 0, "", 0)
        super().__post_init__()

    def _bridge_faults(self, gpu: Gpu, k: int, bridge: Any) -> set[str]:
        if bridge and k < bridge.group_gpus:
            return {"fit", "a bridge of no pieces"}  # the same parts as without it, and those do fit
        return super()._bridge_faults(gpu, k, bridge)

    def _finish(
        self, made: Fitted, node: Counter[str], load: int, broken: set[str], key: RowKey, speeds: Speeds
    ) -> None:
        self._key = key
        super()._finish(made, node, load, broken, key, speeds)

    def _record(self, built: Built, broken: set[str], speeds: Speeds) -> None:
        before, self.builds = self.builds, set()
        super()._record(built, broken, speeds)
        node, nodes, shared = built.node, built.nodes, built.shared
        made, self.builds = self.builds, before
        before |= made
        for _, cents, _, faults in made:
            found = Judged(nodes, _sorted(node), _sorted(shared), self._key, faults)
            self._keep(found)
            bare = {x: q for x, q in node.items() if self.catalog.parts[x].kind != Kind.CABLE}
            at = Node(_sorted(bare), nodes, self._key)
            fine = faults <= {"storage"}
            self.least[at] = min(self.least.get(at, PLENTY), cents if fine else PLENTY)

    def _keep(self, found: Judged) -> None:
        """A fair sample of each kind (reservoir)."""
        kept = self.kept.setdefault(found.broken, [])
        self._seen[found.broken] += 1
        if len(kept) < self.sample:
            kept.append(found)
        elif (i := self._rng.randrange(self._seen[found.broken])) < self.sample:
            kept[i] = found

    def storage_fits(self, node: Mapping[str, int], precision: str) -> bool:
        """Whether the drives of a node and its contents hold what the precision asks for."""
        all_ = Counter(dict(node))
        for x in node:
            all_ += Counter({c.part: c.qty for c in getattr(self.catalog.parts[x], "contents", ())})
        drives = [(d, q) for x, q in all_.items() if isinstance(d := self.catalog.parts[x], Drive)]
        room, read = sum(d.capacity_gb * q for d, q in drives), sum(d.read_mb_s * q for d, q in drives)
        return not self._stores_too_little(precision, room, read)


def _sorted(parts: Mapping[str, int]) -> Parts:
    return tuple(sorted((x, q) for x, q in parts.items() if q))


def recorded(seed: int) -> tuple[Market, Recording]:
    """A random catalog under a request without a budget, and all its builds by brute force."""
    catalog, request, ask = scenario(seed)
    market = Market.open(catalog, request.model_copy(update={"budget_cents": PLENTY}), Policy())
    rich = replace(ask, budget_cents=PLENTY)
    return market, Recording(catalog, rich, 2 if seed % 6 >= 3 else 1, left_out=frozenset(RULES))


def rows_of(market: Market) -> tuple[Solver, dict[RowKey, tuple[OpenFamily, Row]]]:
    """The planner's row of every key."""
    solver = Solver(market, clever=False)
    solver.judge(PLENTY)
    return solver, {r.key: (u, r) for u in solver.families for r in u.rows}


def cheapest(family: FamilyProof, node: Node) -> int | None:
    """Cents of the cheapest build that CP-SAT finds with exactly these nodes; None where it finds none."""
    m = family.model
    model = m.cp.clone()
    wanted = dict(node.node)
    for part, terms in m.quantities().items():
        if part not in m.shared_qty and m.catalog.parts[part].kind != Kind.CABLE:
            model.add(sum(terms) == wanted.pop(part, 0))
    if wanted:
        return None
    whole, m.cp = m.cp, model
    try:
        found = family.under(lambda _: PLENTY)
    finally:
        m.cp = whole
    return found.parts_cents if found else None
