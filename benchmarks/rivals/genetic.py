"""Rival 3: NSGA-II of pymoo. A genome of integers names the row, the parts and how many; rules judge what it means.

The decoder is the repair: a gene picks from the parts that fit the platform (cheapest first), supplies from those
that carry the load, networks from those that join the nodes, racks and coolant from the cheapest that fit. A genome
that means no build, or one that a rule refuses, is infeasible by the sum of the rules' shortfalls.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from pymoo.algorithms.moo.nsga2 import NSGA2
from pymoo.core.problem import ElementwiseProblem
from pymoo.core.termination import Termination
from pymoo.operators.crossover.sbx import SBX
from pymoo.operators.mutation.pm import PM
from pymoo.operators.repair.rounding import RoundingRepair
from pymoo.operators.sampling.rnd import IntegerRandomSampling
from pymoo.optimize import minimize

from benchmarks.rivals.task import Outcome, Run, Task
from constraints.build import Build, efficiency_percent
from constraints.physics.draw import drawn
from constraints.prices.tariff import NEVER
from constraints.rules.registry import findings
from optimizer.market.node_options import NodeOptions
from optimizer.market.options import Option
from optimizer.search.families import OpenFamily
from optimizer.search.front import Found

POPULATION, SEED = 200, 1
STEPS = 1000
"""Values of a gene that picks from a list: it is scaled to the list's length."""
GENES = ("platform", "gpus", "cpus", "memory", "drives", "bridges", "cards", "psus", "net 1", "net 2", "net 3")
NOTHING = 1000.0
"""Violation of a genome in which a category has nothing to pick."""


def picked(options: Sequence[Any], gene: int) -> Any:
    """The option that a gene of 0 to STEPS - 1 means."""
    return options[gene * len(options) // STEPS]


class Genome:
    """Genomes of a task decoded to builds."""

    def __init__(self, task: Task) -> None:
        self.task, self.cluster = task, task.solver.cluster
        self.rows = sorted(task.rows, key=lambda x: (x[1].perf.tenths, x[1].key, x[0].gpu.id))
        self.known: dict[tuple[object, ...], float] = {}

    def build(self, genes: Sequence[int]) -> Found | None:
        """What a genome means; None where some category has nothing that fits."""
        u, row = self.rows[genes[0]]
        key, market = row.key, self.task.market
        all_node_options = self._able(u, key.cap_w)
        if not all_node_options:
            return None
        o: NodeOptions = picked(all_node_options, genes[1])
        drives = o.platform_options.drives(o.need_gb(row.plan.precision))
        cards = o.nics if key.nodes == 1 else [Option(0, 0)]
        pools = (o.gpus, o.cpus_for(key), o.memory_for(key), drives, o.bridges(key), cards)
        if not all(pools):
            return None
        chosen: list[Option] = [picked(pool, g) for pool, g in zip(pools, genes[2:8], strict=True)]
        node: dict[str, int] = {}
        shared: dict[str, int] = {}
        static = o.static_w + sum(x.watts for x in chosen)
        for ways, g in zip(self.cluster.networks(o.platform, key), genes[9:12], strict=False):
            if not ways:
                return None
            way = picked(ways, g)
            static += sum(market.catalog.parts[x].power_w * q for x, q in way.node.items())  # type: ignore[attr-defined]
            _add(node, way.node.items())
            _add(shared, way.shared.items())
        banks = o.psus(static)
        if not banks:
            return None
        bank: Option = picked(banks, genes[8])
        for option in (o.own, *chosen, bank):
            _add(node, option.parts)
        load = o.load_w(static)
        outlets = (bank.bank.inlet, bank.bank.fitted) if bank.bank and bank.bank.inlet else None
        draw = drawn(load, efficiency_percent(bank.bank, market.policy))
        cents, racks, count = self.cluster.racks_for(o.platform, key.nodes, draw, shared, outlets)
        wet = self.cluster.liquid(o.platform, load * key.nodes, count)
        if cents >= NEVER or wet is None:
            return None
        _add(shared, racks.items())
        _add(shared, wet.items())
        build = Build(key.nodes, dict(sorted(node.items())), dict(sorted(shared.items())))
        total = market.book.cost(build.total())
        return Found(row, build, total, total)

    def judged(self, genes: Sequence[int]) -> tuple[float, Found | None]:
        """(violation, build): 0 where every rule passes, else a sum over the failed findings."""
        found = self.build(genes)
        if found is None:
            return NOTHING, None
        memo = (found.row.key, found.row.plan, *found.build.node.items(), None, *found.build.shared.items())
        if memo not in self.known:
            self.known[memo] = self._violation(found)
        return self.known[memo], found

    def _violation(self, f: Found) -> float:
        total = 0.0
        for x in findings(self.task.market.case(f.build, f.row.plan, f.row.key)):
            if x.status == "fail":
                far = abs(x.measured - x.limit) / max(1.0, abs(x.limit)) if x.measured and x.limit else 1.0
                total += 1 + min(far, 10.0)
        return total

    def _able(self, u: OpenFamily, cap_w: int) -> list[NodeOptions]:
        return sorted((o for o in u.all_node_options if o.cap_w == cap_w and not o.unfit), key=lambda o: o.least_cents)


def _add(to: dict[str, int], parts: Any) -> None:
    for part, qty in parts:
        to[part] = to.get(part, 0) + qty


class Problem(ElementwiseProblem):  # type: ignore[misc]
    """Cost and negative throughput, both to be small; one constraint, the violation."""

    def __init__(self, run: Run, genome: Genome) -> None:
        high = [len(genome.rows) - 1, *[STEPS - 1] * len(GENES)]
        super().__init__(n_var=len(high), n_obj=2, n_ieq_constr=1, xl=0, xu=np.array(high), vtype=int)
        self.run, self.genome = run, genome
        self.kept: list[tuple[int, int]] = []

    def _evaluate(self, x: Any, out: dict[str, Any], *args: Any, **kwargs: Any) -> None:
        self.run.out.solves += 1
        violation, f = self.genome.judged([int(g) for g in x])
        if f is None:
            out["F"], out["G"] = [1e12, 0.0], [violation]
            return
        tenths = f.row.perf.tenths
        out["F"], out["G"] = [float(f.cost), -float(tenths)], [violation]
        if violation == 0 and not any(t >= tenths and c <= f.cost for t, c in self.kept) and self.run.found(f):
            self.kept.append((tenths, f.cost))


class UntilTime(Termination):  # type: ignore[misc]
    """Ends with the run's clock, looked at after each generation."""

    def __init__(self, run: Run) -> None:
        super().__init__()
        self.run = run

    def _update(self, algorithm: Any) -> float:
        return min(1.0, self.run.spent() / self.run.limit_s)


def front(task: Task, limit_s: float) -> Outcome:
    """NSGA-II until the time is up; it can't prove anything."""
    run = Run(task, "NSGA-II", limit_s)
    if not task.rows:
        return run.done()
    problem = Problem(run, Genome(task))
    repair = RoundingRepair()
    algorithm = NSGA2(
        pop_size=POPULATION, sampling=IntegerRandomSampling(), eliminate_duplicates=True,
        crossover=SBX(prob=0.9, eta=3.0, vtype=float, repair=repair), mutation=PM(eta=3.0, vtype=float, repair=repair),
    )  # fmt: skip
    run.built()
    minimize(problem, algorithm, UntilTime(run), seed=SEED, verbose=False)
    run.out.note = f"{run.out.solves:,} genomes, {len(problem.genome.known):,} different builds"
    return run.done()
