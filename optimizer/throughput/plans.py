"""Plans that may run on a row of hardware, and the best of them."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from catalogs.file_kinds import FILE_KINDS
from catalogs.formats import BITS
from catalogs.llm import Llm
from catalogs.schema import Gpu
from constraints.physics.lookup_tables import copies, tables_gb
from constraints.plan import Perf, Plan, Row, RowKey
from constraints.policy import Policy
from constraints.request import Request
from constraints.rules.precision import kv_precision, wanted
from constraints.rules.precision import support as arch_support
from constraints.rules.software import served
from optimizer.throughput.calibration import Calibration, Curve, Fact, Shape, shipped
from optimizer.throughput.constants import lesser_cards
from optimizer.throughput.curves import BETWEEN_KNOTS, Curves, bent
from optimizer.throughput.demand import Demand, demand, kin
from optimizer.throughput.file_kinds import in_file_kinds
from optimizer.throughput.fits import Fits, Setup
from optimizer.throughput.jobs import DATA_FIELDS, accelerator, of_setups, with_redundant
from optimizer.throughput.reach import ANYWHERE, Reach, holds, reach
from optimizer.throughput.roofline import Floats, Ints, Times, largest_concurrency, speeds, times
from optimizer.throughput.shapes import sizes_of
from optimizer.throughput.splits import Asked, Splits

Rank = tuple[int, int, int, int, int]
Spans = tuple[int, str, int] | None
"""Of a replica across nodes the GPUs per node and the network."""
Judged = dict[tuple[int, Spans, bool], list["Replica"]]
"""Replicas by their number of GPUs, nodes and whether n-gram tables lie in host memory, best first; on one kind of GPU
with one power cap, fabric and host link."""


class Replica(NamedTuple):
    """One replica judged at its best concurrency. `rank` orders by 0.1 tok/s, then by the tie rule."""

    rank: Rank
    concurrency: int
    precision: str
    shape: tuple[int, int, int, int]
    redundant_experts: int
    per_user_tok_s: float
    ttft_ms: float
    tpot_ms: float


class Planner:
    """Best plan per performance row of one request; a replica is judged once and shared by all node counts.

    `bounded`: what lies beyond a GPU's reach is not judged at all."""

    def __init__(
        self, llm: Llm, request: Request, policy: Policy, calibration: Calibration | None = None, bounded: bool = True
    ) -> None:
        self.llm, self.request, self.policy = llm, request, policy
        self.calibration = calibration or shipped()
        self.bounded = bounded and holds(self.calibration.constants)
        self.max_pp = min(policy.whole("plans.max_pp"), llm.layers)
        self.fits = Fits(llm, request, policy, self.max_pp, int(self.calibration.constants["max_batch"]))
        self._judged: dict[tuple[object, ...], Judged] = {}
        self._reach: dict[int, Reach] = {}
        self._bends: dict[tuple[str, str], Mapping[Shape, Curve]] = {}
        self._precisions: dict[str, list[str]] = {}
        self._alike: dict[str, int] = {}
        self._kinds: dict[tuple[object, ...], int] = {}
        self.kin = kin(llm)
        self.splits = Splits(self)

    def for_users(self, users: int) -> Planner:
        """The planner of the same request for another number of users, where both name one: what is judged is judged
        for both."""
        other = copy.copy(self)
        other.request = self.request.model_copy(update={"users": users})
        other.splits = self.splits.of(other)
        return other

    def alike(self, gpu: Gpu) -> int:
        """One number for all GPUs of equal figures: what throughput reads of them, and no measurement names them."""
        if gpu.id not in self._alike:
            known = gpu.id if gpu.id in self.calibration.seen.gpus else ""
            asked = wanted(self.llm, self.request)
            served = tuple(self.fits.engines(gpu, precision) for precision in asked)
            figures = (
                known,
                tuple(lesser_cards(gpu.id, precision) for precision in asked),
                gpu.fabric,
                served,
                *(getattr(gpu, name) for name in sorted(DATA_FIELDS - {"id", "tdp_w"})),
            )
            self._alike[gpu.id] = self._kinds.setdefault(figures, len(self._kinds))
        return self._alike[gpu.id]

    def precisions(self, gpu: Gpu) -> list[str]:
        """Precisions that the GPU runs, an engine serves and the request admits."""
        if gpu.id not in self._precisions:
            have = arch_support(gpu.arch)
            self._precisions[gpu.id] = [
                precision
                for precision in wanted(self.llm, self.request)
                if precision in have and served(self.llm, gpu, precision, self.request)
            ]
        return self._precisions[gpu.id]

    def rows(self, gpu: Gpu, keys: Sequence[RowKey]) -> list[Row]:
        """The row of each key that a plan can run on."""
        return self.rows_of([(gpu, keys)])[0]

    def rows_together(self, gpu: Gpu, keys: Sequence[RowKey]) -> list[Row]:
        """The same of plans that prefill and decode on the same nodes."""
        self.judge([(gpu, keys)])
        return [row for key in keys if (row := self._best(gpu, key))]

    def rows_of(self, asked: Sequence[tuple[Gpu, Sequence[RowKey]]]) -> list[list[Row]]:
        """The same of several GPUs, judged in one stroke: of each key the fastest plan, prefill and decode on the same
        nodes or apart; of equal ones that on the same nodes."""
        self.judge(asked)
        together = [[self._best(gpu, key) for key in keys] for gpu, keys in asked]
        to_split: list[Asked] = []
        for (gpu, keys), rows in zip(asked, together, strict=True):
            alone = {row.key: row.perf.tenths for row in rows if row and row.key.net == "none"}
            for key, row in zip(keys, rows, strict=True):
                # Sound: a row no faster than one that needs no network is never chosen (rows.undominated).
                least = alone.get(replace(key, net="none", net_gbit_s=0), 0)
                to_split.append(Asked(gpu, key, max(least, row.perf.tenths if row else 0)))
        most = self.policy.whole("plans.max_apart_nodes")
        within = [one for one in to_split if one.key.nodes <= most]
        split = {(one.gpu.id, one.key): row for one, row in zip(within, self.splits.rows(within), strict=True)}
        return [
            [row for key, one in zip(keys, rows, strict=True) if (row := split.get((gpu.id, key)) or one)]
            for (gpu, keys), rows in zip(asked, together, strict=True)
        ]

    def apart(self, gpu: Gpu) -> bool:
        """Whether plans may have prefill and decode apart on nodes of this GPU."""
        return self.splits.possible(gpu)

    def most_users(self, gpu: Gpu, key: RowKey) -> int:
        """Requests at once that the GPUs of a key serve at most; 0 where no plan runs. Of a request for users."""
        self.judge([(gpu, [key])])
        return max(
            (replicas * replica.concurrency for replicas, found in self._by_size(gpu, key) for replica in found),
            default=0,
        )

    def _by_size(self, gpu: Gpu, key: RowKey) -> Iterator[tuple[int, list[Replica]]]:
        """(number of replicas that make up the key's GPUs, such replicas, best first) for each size judged."""
        judged, spans = self._group(gpu, key), _spans(key)
        for size in sizes_of(key.per_node, key.total):
            if key.tables_gb and tables_gb(self.llm, copies(size, key.per_node), self.policy) > key.tables_gb:
                continue
            if some := judged.get((size, spans if size > key.per_node else None, bool(key.tables_gb))):
                yield key.total // size, some

    def _best(self, gpu: Gpu, key: RowKey) -> Row | None:
        """The row with its best plan: most throughput, then higher precision, fewer stages, smaller tp and ep."""
        users = self.request.users
        best: tuple[Rank, Replica, int] | None = None
        for replicas, some in self._by_size(gpu, key):
            least = 1 if users is None else -(-users // replicas)
            # Users are spread evenly: the first replica with room for its share is the fastest one that serves them
            # all.
            found = next((replica for replica in some if replica.concurrency >= least), None)
            if found is None:
                continue
            rank = (replicas * found.rank[0], *found.rank[1:])
            if best is None or rank > best[0]:
                best = rank, found, replicas
        if best is None:
            return None
        _, found, replicas = best
        plan = Plan(
            found.precision, kv_precision(self.llm, self.request), *found.shape, replicas, found.concurrency,
            redundant_experts=found.redundant_experts, host_tables=bool(key.tables_gb),
        )  # fmt: skip
        fact = self.fact(gpu, found.precision, found.shape, found.concurrency, together(key))
        perf = Perf(
            best[0][0], found.per_user_tok_s, found.ttft_ms, found.tpot_ms, fact.low, fact.high, fact.basis, fact.source
        )
        return Row(key, plan, perf)

    def judge(self, asked: Iterable[tuple[Gpu, Sequence[RowKey]]]) -> None:
        """Judge all replicas that the keys may hold, of all GPUs in one sweep per precision."""
        new: list[tuple[Setup, list[Replica]]] = []
        for gpu, keys in asked:
            least = self.reach(gpu).gpus
            for key in keys:
                judged, spans = self._group(gpu, key), _spans(key)
                for size in sizes_of(key.per_node, key.total):
                    memo = size, spans if size > key.per_node else None, bool(key.tables_gb)
                    if size >= least and memo not in judged:
                        judged[memo] = []
                        new.append(((gpu, key, size), judged[memo]))
        gpus = {gpu.id: gpu for (gpu, _, _), _ in new}
        for precision in wanted(self.llm, self.request) if new else ():
            able = {gpu.id for gpu in gpus.values() if self.runs(gpu, precision)}
            self._sweep(precision, [(setup, found) for setup, found in new if setup[0].id in able])
        for _, found in new:
            found.sort(key=lambda replica: replica.rank, reverse=True)

    def reach(self, gpu: Gpu) -> Reach:
        """What no replica goes beyond at any precision; of `gpus` and `users` memory is the other bound."""
        if not self.bounded:
            return ANYWHERE
        self.bound([gpu])
        return self._reach[self.alike(gpu)]

    def bound(self, gpus: Iterable[Gpu]) -> None:
        """Finds what no replica on any of these GPUs goes beyond, in one stroke for each precision."""
        new = {memo: gpu for gpu in gpus if (memo := self.alike(gpu)) not in self._reach} if self.bounded else {}
        found: dict[int, list[tuple[float, Reach]]] = {memo: [] for memo in new}
        for precision in wanted(self.llm, self.request) if new else ():
            able = {memo: gpu for memo, gpu in new.items() if self.runs(gpu, precision)}
            for (memo, gpu), can in zip(able.items(), self._reach_at(list(able.values()), precision), strict=True):
                found[memo].append((max(can.gpus, self.fits.least(gpu, precision)), can))
        for memo, at in found.items():
            # Sound: of all precisions the loosest, for a plan may have any of them; of memory and latency the tighter,
            # for a plan has to keep both.
            users = min(self.fits.max_batch, self.fits.most_users(new[memo]))
            self._reach[memo] = Reach(
                min((fewest for fewest, _ in at), default=math.inf),
                min(users, max((can.users for _, can in at), default=0.0)),
                max((can.tok_s for _, can in at), default=0.0),
            )

    def fewest(self, gpu: Gpu, apart: bool = False) -> float:
        """GPUs below which no row has a plan; `apart`: none with prefill and decode apart either."""
        can = self.reach(gpu)
        users = can.users
        if apart and self.bounded:
            # Sound: requests that wait before prefill keep no latency limit of decode. Memory bounds them all the same.
            users = min(self.fits.max_batch, self.fits.most_users(gpu))
        return max(can.gpus, (self.request.users or 0) / users if users else math.inf)

    def most_tenths(self, gpu: Gpu) -> float:
        """0.1 tok/s that no plan exceeds per GPU."""
        return 10 * self.reach(gpu).tok_s

    def _reach_at(self, gpus: Sequence[Gpu], precision: str) -> list[Reach]:
        """What no replica of each of these GPUs, which run the precision, goes beyond."""
        if not gpus:
            return []
        request, constants = self.request, self.calibration.constants
        alone = [(gpu, RowKey(gpu.id, gpu.tdp_w or 1, 1, 1, 1, 0, 0, "none", 0)) for gpu in gpus]
        of_each = np.arange(len(gpus))
        jobs = of_setups(alone, np.ones((len(gpus), 4), np.int64), of_each, self.demand(precision), precision,
                         (request.isl, request.osl), constants, request.drafted)  # fmt: skip
        one = times(jobs, constants)

        def slowed(by: Sequence[float]) -> list[Reach]:
            return reach(one.slowed(np.array(by)), self._user_tok_s, request.max_ttft_ms)

        found = slowed([1 / self.pair(gpu, precision) for gpu in gpus])
        fastest = [self._largest_ratio(gpu, precision) for gpu in gpus]
        if not any(fastest):
            return found
        # Sound: where one request runs at once a measured curve is the roofline over a ratio, and the time of a whole
        # request never falls below that over the largest ratio. How both latencies share a longer time is another
        # matter with many requests, so that memory alone bounds their number.
        bent = slowed([1 / (ratio or 1.0) for ratio in fastest])
        return [
            Reach(min(can.gpus, by_curve.gpus), math.inf, max(can.tok_s, by_curve.tok_s)) if ratio else can
            for can, by_curve, ratio in zip(found, bent, fastest, strict=True)
        ]

    def _largest_ratio(self, gpu: Gpu, precision: str) -> float:
        """Above all ratios of the roofline's time to the measured one on the GPU's curves; 0 where it has none."""
        ratios = [point.log_ratio for curve in self.bends(gpu, precision).values() for point in curve]
        return math.exp(max(ratios)) * BETWEEN_KNOTS if ratios else 0.0

    def fact(self, gpu: Gpu, precision: str, shape: Shape, running: float, near: int) -> Fact:
        """How far a plan's figures can be trusted with `running` requests at once in a replica, where `near` GPUs stand
        in one node or on one fabric (see `together`)."""
        if precision in FILE_KINDS:
            return in_file_kinds(precision)
        tp, pp, dp, _ = shape
        as_measured = not self.request.drafted and not self.request.cached_tokens
        curve = self.curves(gpu, precision).get(shape, ()) if as_measured else ()
        across = tp * pp * dp > near
        return self.calibration.fact(self.kin, gpu, curve, running, across, per_gpu=running / (tp * pp * dp))

    def pair(self, gpu: Gpu, precision: str) -> float:
        """What the model's measured setups on the GPU are off in common; they were run by engines for servers, of which
        those for kinds of files have no kernel."""
        return 1.0 if precision in FILE_KINDS else self.calibration.pair(self.kin, gpu)

    @property
    def _user_tok_s(self) -> float:
        """Tokens per second that each user must see; nobody waits for a batch."""
        return 0.0 if self.request.workload == "batch" else self.request.min_tok_s_user

    def _group(self, gpu: Gpu, key: RowKey) -> Judged:
        """Judged replicas by all but their size that their speed depends on."""
        # A cap at or above the TDP slows nothing: all such keys share what was judged.
        slow = (key.cap_w, gpu.tdp_w) if gpu.tdp_w and key.cap_w < gpu.tdp_w else None
        return self._judged.setdefault((self.alike(gpu), slow, key.domain, key.pcie_gen, key.lanes), {})

    def runs(self, gpu: Gpu, precision: str) -> bool:
        """Whether a GPU serves a precision at a known speed."""
        known = accelerator(gpu, precision, self.calibration.constants)
        return precision in self.precisions(gpu) and known is not None

    def _sweep(self, precision: str, todo: list[tuple[Setup, list[Replica]]]) -> None:
        """Judge the replicas of these setups at one precision, on GPUs that run it."""
        request = self.request
        setups = [setup for setup, _ in todo]
        table, owner = self.fits.of(precision, setups)
        if not len(table):
            return
        shape, redundant = table[:, :4], table[:, 4]
        curves = self.curves_of(precision, setups, table, owner)
        most = largest_concurrency(curves, table[:, 5], self._user_tok_s, request.max_ttft_ms)
        fast = speeds(curves, np.maximum(most, 1))
        tp, pp, _, ep = shape.T
        # Best first within each setup, by the tie rule of rows: throughput, then fewer stages, smaller tp and ep.
        order = np.lexsort((ep, tp, pp, -fast.tenths, owner))
        order = order[most[order] >= 1]
        if request.users is None:  # only the best replica of a setup can make a row
            in_order = owner[order]
            order = order[np.diff(in_order, prepend=-1) != 0]
        bits = BITS[precision]
        figures = owner, shape, redundant, fast.tenths, most, fast.per_user_tok_s, fast.ttft_ms, fast.tpot_ms
        columns = [figure[order].tolist() for figure in figures]
        for setup, (tp_, pp_, dp_, ep_), spare, tenths, at_once, *seen in zip(*columns, strict=True):
            rank = (tenths, bits, -pp_, -tp_, -ep_)
            _, found = todo[setup]
            found.append(Replica(rank, at_once, precision, (tp_, pp_, dp_, ep_), spare, *seen))

    def pieces(self, precision: str, setups: Sequence[Setup], table: Ints, owner: Ints) -> Times:
        """The roofline of a table of plans (see Fits.of) on GPUs that run the precision, slower by what the model's
        measured setups on each GPU are off in common; `owner`: the setup that each plan is of."""
        return self._roofline(precision, setups, table, owner).slowed(self._slower(precision, setups, owner))

    def curves_of(self, precision: str, setups: Sequence[Setup], table: Ints, owner: Ints) -> Curves:
        """The same bent through what was measured of these very setups."""
        roofline = self._roofline(precision, setups, table, owner)
        measured = self._measured(precision, setups, table[:, :4], owner)
        return bent(roofline, self._slower(precision, setups, owner), measured, table[:, 5])

    def _roofline(self, precision: str, setups: Sequence[Setup], table: Ints, owner: Ints) -> Times:
        request, constants = self.request, self.calibration.constants
        jobs = of_setups(
            [(card, key) for card, key, _ in setups],
            table[:, :4],
            owner,
            self.demand(precision),
            precision,
            (request.isl, request.osl),
            constants,
            request.drafted,
        )
        return times(with_redundant(jobs, table[:, 4], self.llm.experts), constants)

    def _slower(self, precision: str, setups: Sequence[Setup], owner: Ints) -> Floats:
        return np.array([1 / self.pair(card, precision) for card, _, _ in setups])[owner]

    def latencies(self, gpu: Gpu, row: Row) -> Callable[[float], tuple[float, float]]:
        """(TTFT, time per output token), in seconds, of one replica of a judged row at some requests at once."""
        plan, setups = row.plan, [(gpu, row.key, row.plan.gpus)]
        table, owner = self.fits.of(plan.precision, setups)
        curves = self.curves_of(plan.precision, setups, table, owner)
        here = table[:, :4].tolist().index([plan.tp, plan.pp, plan.dp, plan.ep])
        return lambda running: (float(curves.ttft_s(running)[here]), float(curves.tpot_s(running)[here]))

    def _measured(self, precision: str, setups: Sequence[Setup], shape: Ints, owner: Ints) -> dict[int, Curve]:
        """Entries of a table whose very setup was measured, on the card or on a lesser one, with its measurements."""
        known = [self.bends(gpu, precision) for gpu, _, _ in setups]
        if not any(known):
            return {}
        plans = zip(shape.tolist(), owner.tolist(), strict=True)
        found = {entry: known[at].get(tuple(plan)) for entry, (plan, at) in enumerate(plans) if known[at]}
        return {entry: curve for entry, curve in found.items() if curve}

    def demand(self, precision: str) -> Demand:
        """What the model asks of the hardware for a request."""
        request = self.request
        kv = kv_precision(self.llm, request)
        return demand(self.llm, precision, request.isl, request.osl, kv, request.cached_tokens)

    def curves(self, gpu: Gpu, precision: str) -> Mapping[Shape, Curve]:
        """Measured curves of the request's workload on a GPU, by (tp, pp, dp, ep): without speculation, every prompt
        computed. What they are off from the roofline holds with both too (see `fact`)."""
        request = self.request
        kv = kv_precision(self.llm, request)
        return self.calibration.curves_of(self.kin, precision, kv, gpu.id, request.isl, request.osl)

    def bends(self, gpu: Gpu, precision: str) -> Mapping[Shape, Curve]:
        """The same with what was measured on lesser cards alone, where it lies above what is said of the card without
        measurements: a card that is better in every figure is never slower for not having been measured. Such a curve
        raises a figure; it makes it no measurement (see `fact`)."""
        memo = gpu.id, precision
        if memo not in self._bends:
            own = self.curves(gpu, precision)
            self._bends[memo] = {**self._lent(gpu, precision), **own}
        return self._bends[memo]

    def _lent(self, gpu: Gpu, precision: str) -> dict[Shape, Curve]:
        """Curves of lesser cards, by plan the highest, no point of them below the model's setups in common."""
        request, kv = self.request, kv_precision(self.llm, self.request)
        common = math.log(self.pair(gpu, precision))
        found: dict[Shape, Curve] = {}
        for lesser in lesser_cards(gpu.id, precision):
            curves = self.calibration.curves_of(self.kin, precision, kv, lesser, request.isl, request.osl)
            for shape, curve in curves.items():
                raised = tuple(point._replace(log_ratio=max(point.log_ratio, common)) for point in curve)
                if _highest(raised) > max(common, _highest(found.get(shape, ()))):
                    found[shape] = raised
        return found


def together(key: RowKey) -> int:
    """GPUs that stand in one node or on one fabric."""
    return max(key.per_node, key.domain)


def _highest(curve: Curve) -> float:
    """The largest logarithm of measured over modelled on a curve."""
    return max((point.log_ratio for point in curve), default=-math.inf)


def _spans(key: RowKey) -> Spans:
    return key.per_node, key.net, key.net_gbit_s
