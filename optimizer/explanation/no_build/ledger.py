"""Why each GPU of the catalog carries no build, from what was dropped before any model was built."""

from __future__ import annotations

from functools import cache

from catalogs.message import message
from catalogs.schema import Gpu, Kind
from constraints.physics.contents import holders
from constraints.physics.grades import grade_words
from constraints.rules.precision import wanted
from optimizer.explanation.questions import NOTHING, Asking, Change
from optimizer.market.market import Market
from optimizer.market.node_options import pieces_to_be_had
from optimizer.market.options import UNBOUNDED
from optimizer.market.rows import families
from optimizer.search.ledger import foremost
from optimizer.search.solver import Solver
from optimizer.throughput.jobs import speed_unknown

MODEL_RUNS = "plans run on it, but not within money, site and purchase together"


def dropped(asking: Asking) -> list[tuple[str, tuple[str, ...]]]:
    """(reason, GPUs by name) of a request without a build, the most frequent reason first; every GPU once."""
    market = asking.market(NOTHING)
    solver = asking.solver(market)
    solver.judge(market.purse)
    held = {gpu.id for gpu, _, _ in families(market)}
    nodes = {family.gpu.id for family in solver.families}
    planned = {family.gpu.id for family in solver.families if family.rows}
    paid = {family.gpu.id for family in solver.families if family.least <= market.purse}
    request = market.request

    @cache
    def at_floor() -> set[str]:
        """GPUs around which a node can be bought where the grade asks for no more than what works."""
        if request.grade == "floor":
            return set()
        return {family.gpu.id for family in asking.solver(asking.market(Change.of(grade="floor"))).families}

    out: dict[str, list[str]] = {}
    for gpu in market.catalog.of(Kind.GPU):
        assert isinstance(gpu, Gpu)
        if request.gpus and gpu.id not in request.gpus:
            why = "not among the GPUs asked for"
        elif refusal := _unbuyable(asking, gpu):
            why = refusal
        elif gpu.id not in held:
            why = "no chassis that can be bought holds it"
        elif early := solver.refusals.of_family(gpu, 0):
            why = early.why
        elif said := _said_early(solver, gpu):
            why = said
        elif gpu.id not in nodes:
            why = (
                message(
                    "no node of grade {grade} can be bought around it; at grade floor one can (--grade floor)",
                    grade=grade_words(request.grade),
                )
                if gpu.id in at_floor()
                else "no whole node around it can be bought"
            )
        elif gpu.id not in paid:
            why = "one node of it costs more than the budget"
        elif short := _short(solver, gpu):
            why = message("plans need {n} of it, {n2} can be had", n=short[0], n2=short[1])
        elif gpu.id not in planned and (unknown := _speed_unknown(market, gpu)):
            why = unknown
        elif gpu.id not in planned:
            why = "the nodes that money and site allow hold too little or are too slow"
        else:
            why = MODEL_RUNS
        out.setdefault(why, []).append(gpu.name)
    return sorted(((why, tuple(sorted(names))) for why, names in out.items()), key=lambda x: (-len(x[1]), x[0]))


def _said_early(solver: Solver, gpu: Gpu) -> str:
    """The reason that rules gave most often against a GPU, where they refused all its platforms or rows."""
    said = solver.refusals_of(gpu)
    return foremost(said).why if said else ""


def _speed_unknown(market: Market, gpu: Gpu) -> str:
    """Why nothing is said of the speed of serving on a GPU, for want of published figures; else empty."""
    return "" if market.request.trains else speed_unknown(gpu, wanted(market.llm, market.request))


def _short(solver: Solver, gpu: Gpu) -> tuple[int, int] | None:
    """(pieces of a GPU that the smallest plan within the budget needs, pieces to be had) where sellers have fewer."""
    market = solver.market
    have = pieces_to_be_had(market, gpu.id) if gpu.id in market.book.prices else UNBOUNDED
    if have == UNBOUNDED:
        return None
    need = UNBOUNDED
    for family in solver.families:
        if family.gpu is gpu and not any(o.platform.contents for o in family.all_node_options):
            counts = range(1, min(solver.max_nodes(), market.purse // max(1, family.least)) + 1)
            rows = solver.on_gpus.of(
                market, gpu, family.per_node, [o.platform for o in family.all_node_options], counts
            )
            wanted = market.request.throughput_tenths or 1
            need = min([need, *(row.key.total for row in rows if row.perf.tenths >= wanted)])
    return (need, have) if have < need < UNBOUNDED else None


def _unbuyable(asking: Asking, gpu: Gpu) -> str:
    """Why neither the GPU nor a board or system with it can be bought; empty when one can."""
    market = asking.base
    carriers = [p.id for p in holders(gpu, market.catalog)]
    carriers += [gpu.id] if gpu.sold_as == "single" or not carriers else []
    if any(x in market.book.prices for x in carriers):
        return ""
    return market.book.ledger.get(carriers[0], "no price")
