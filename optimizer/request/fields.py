"""One entry for each field of a request: who enforces it, and how a finished build is judged by it.

A field that a rule, the prices or the plan enforce is judged where they are made anew; `judge` holds the build itself
against fields that no rule reads. `verify` asks it of every point, the public `check` of every build, `solve` of its
own answer. docs/verify.md shows the table; a test holds that no field lacks an entry.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from constraints.build import Case
from constraints.plan import Row
from constraints.policy import Policy
from constraints.request import Request
from constraints.rule import Check, counted, figure
from constraints.rules.precision import kv_precision
from optimizer.request.load import load_of, needed_tenths

ID = "request"
"""What findings about fields are filed under, beside the rules' ids."""
SLACK = 1 + 1e-9
"""Speeds are floating-point numbers."""


@dataclass(frozen=True)
class Subject:
    """A build with the plan that it is judged by; `row` is None where no plan runs as asked."""

    case: Case
    row: Row | None

    @property
    def request(self) -> Request:
        return self.case.request

    @property
    def policy(self) -> Policy:
        return self.case.policy

    @property
    def gpus(self) -> int:
        return self.case.per_node * self.case.build.nodes


Judge = Callable[[Subject], Iterator[Check]]


@dataclass(frozen=True)
class FieldEntry:
    """Who enforces a field: rules by id, or a step; `how` says it in a sentence. `place`: where in a point of a result
    `judge` finds fault."""

    by: tuple[str, ...]
    how: str
    judge: Judge | None = None
    place: str = ""


def _gpus(s: Subject) -> Iterator[Check]:
    if s.request.gpus:
        asked = s.case.gpu.id in s.request.gpus
        yield Check.of(ID, asked, f"{s.case.gpu.name} is {'' if asked else 'not '}among the GPUs asked for")


def _gpu_count(s: Subject) -> Iterator[Check]:
    if (wanted := s.request.gpu_count) is not None:
        gpus = counted(s.gpus, "GPU")
        if s.gpus == wanted:
            yield Check(ID, "pass", s.gpus, wanted, "pieces", f"the build has {gpus}, as asked")
        else:
            yield Check(ID, "fail", s.gpus, wanted, "pieces", f"the build has {gpus}, {wanted:,} are asked for")


def _nodes(s: Subject) -> Iterator[Check]:
    """The policy's limit; the request's is that of rule site."""
    nodes, most = counted(s.case.build.nodes, "node"), s.policy.whole("plans.max_nodes")
    passing = f"the build has {nodes}, at most {most:,} allowed"
    failing = f"the build has {nodes}, more than the {most:,} allowed"
    yield Check.at_most(ID, s.case.build.nodes, most, "nodes", passing, failing)


def _throughput(s: Subject) -> Iterator[Check]:
    if s.row and (least := s.request.throughput_tenths) is not None:
        yield _tok_s(s.row, least, "asked for")


def _load(s: Subject) -> Iterator[Check]:
    if s.row and (load := load_of(s.request, s.policy)):
        yield _tok_s(s.row, needed_tenths(load), "needed by the load")


def _tok_s(row: Row, least_tenths: int, why: str) -> Check:
    """Throughput of the whole build against what is asked or needed."""
    speed, least = row.perf.tenths / 10, least_tenths / 10
    passing = f"the whole build gives {figure(speed)} tok/s, {figure(least)} are {why}"
    failing = f"the whole build gives only {figure(speed)} tok/s, {figure(least)} are {why}"
    return Check.at_least(ID, speed, least, "output tokens/s", passing, failing)


def _users(s: Subject) -> Iterator[Check]:
    if s.row and (users := s.request.users) is not None:
        held = s.row.plan.replicas * s.row.plan.concurrency
        passing = f"the build serves {counted(held, 'request')} at once, {users:,} are asked for"
        failing = f"the build serves only {counted(held, 'request')} at once, {users:,} are asked for"
        yield Check.at_least(ID, held, users, "requests", passing, failing)


def _user_speed(s: Subject) -> Iterator[Check]:
    asked = s.request.min_tok_s_user
    if s.row and asked and s.request.workload != "batch" and not s.request.trains:
        speed = s.row.perf.per_user_tok_s
        words = f"{figure(speed)} tok/s, {figure(asked)} are asked for"
        if speed * SLACK >= asked:
            yield Check(ID, "pass", speed, asked, "output tokens/s", f"each user sees {words}", "at_least")
        else:
            yield Check(ID, "fail", speed, asked, "output tokens/s", f"each user sees only {words}", "at_least")


def _first_token(s: Subject) -> Iterator[Check]:
    if s.row and (most := s.request.max_ttft_ms) is not None:
        taken = s.row.perf.ttft_ms
        first = f"the first token comes after {figure(taken)} ms"
        if taken <= most * SLACK:
            yield Check(ID, "pass", taken, most, "ms", f"{first}, within {figure(most)} ms", "at_most")
        else:
            yield Check(ID, "fail", taken, most, "ms", f"{first}, later than {figure(most)} ms", "at_most")


def _kv_precision(s: Subject) -> Iterator[Check]:
    if s.row and not s.request.trains:
        have, asked = s.row.plan.kv_precision, kv_precision(s.case.llm, s.request)
        yield Check.of(ID, have == asked, f"the KV cache is in {have}, {asked} is asked for")


def _offload(s: Subject) -> Iterator[Check]:
    if s.row:
        fine = s.request.offload or not s.row.plan.offload
        where = "the request allows experts in host memory, or the plan has none there"
        yield Check.of(ID, fine, where if fine else "experts lie in host memory without --offload")


def _exclude(s: Subject) -> Iterator[Check]:
    """The GPUs of a board; the prices know of all other parts."""
    if s.case.gpu.id in s.request.exclude:
        yield Check.of(ID, False, f"{s.case.gpu.id} is excluded by --exclude")


def _prices_dated(s: Subject) -> Iterator[Check]:
    orders = s.case.book.purchase(s.case.priced)
    for line in orders.lines if orders else ():
        if line.offer is not None and getattr(line.offer, "date", s.request.as_of) > s.request.as_of:
            yield Check.of(ID, False, f"the price of {line.part} is of a later day than the request")


PLANS = "the planner, which is run anew"
OFFERS = "the prices: what is not admitted has none"
LATENCY = "the planner; the figures of the chosen plan are held against it"

FIELDS: dict[str, FieldEntry] = {
    "model": FieldEntry(("vram", "precision", "software", "storage", "planner"), PLANS),
    "as_of": FieldEntry(("prices",), "offers of a later day do not count", _prices_dated, "bom"),
    "currency": FieldEntry(("prices",), "all money is made anew in it and compared"),
    "budget_cents": FieldEntry(("budget",), "total with spares, support and tax"),
    "throughput_tenths": FieldEntry(
        ("search",), "rows that are slower are left out", _throughput, "throughput.output_tok_s"
    ),
    "users": FieldEntry(("vram", "planner"), LATENCY, _users, "throughput.concurrency"),
    "tokens_per_day": FieldEntry(
        ("load", "search"), "raises the least throughput to what the load needs", _load, "throughput.output_tok_s"
    ),
    "requests_per_second": FieldEntry(
        ("load", "search"), "raises the least throughput to what the load needs", _load, "throughput.output_tok_s"
    ),
    "workload": FieldEntry(("vram", "host_memory", "precision", "software", "planner"), PLANS),
    "seq_len": FieldEntry(("vram", "planner"), "activations of a sequence; " + PLANS),
    "dataset_tb": FieldEntry(("storage",), "drives hold weights and training set"),
    "train_tokens": FieldEntry(("view",), "days and energy of a training run; it rules out no build"),
    "isl": FieldEntry(("vram", "planner"), PLANS),
    "osl": FieldEntry(("vram", "planner"), PLANS),
    "min_tok_s_user": FieldEntry(("planner",), LATENCY, _user_speed, "throughput.per_user_tok_s"),
    "max_ttft_ms": FieldEntry(("planner",), LATENCY, _first_token, "throughput.ttft_ms"),
    "precision": FieldEntry(("precision", "planner"), "the plan runs in it"),
    "min_precision_bits": FieldEntry(("precision", "planner"), "the plan keeps the floor"),
    "kv_precision": FieldEntry(("vram", "planner"), "the plan's KV cache is in it", _kv_precision, "plan.kv_precision"),
    "allow_experimental": FieldEntry(("software", "planner"), "engines marked experimental fail without"),
    "offload": FieldEntry(("host_memory", "search"), "rows with experts in host memory", _offload, "plan.experts"),
    "max_nodes": FieldEntry(("site", "search"), "also the policy's plans.max_nodes", _nodes, "nodes[0].count"),
    "max_power_w": FieldEntry(("site",), "nodes and switches at their worst-case load"),
    "circuit": FieldEntry(("power", "rack"), "load on the breaker, and supplies at its voltage"),
    "rack_units": FieldEntry(("site",), "nodes, switches and cooling"),
    "site_water": FieldEntry(("cooling",), "liquid cooling needs it"),
    "have": FieldEntry(("rack", "interconnect"), "what the site lacks has to be in the build"),
    "vendors": FieldEntry(("procurement", "prices"), OFFERS),
    "barred_vendors": FieldEntry(("procurement", "prices"), OFFERS),
    "conditions": FieldEntry(("procurement", "prices"), OFFERS),
    "max_price_age_days": FieldEntry(("procurement", "prices"), OFFERS),
    "include": FieldEntry(("procurement", "search"), "bought or inside a complete system"),
    "exclude": FieldEntry(
        ("procurement", "prices", "search"), "also inside systems, and as GPU of a board", _exclude, "gpus.part"
    ),
    "gpus": FieldEntry(("search",), "families of other GPUs are left out", _gpus, "gpus.part"),
    "gpu_count": FieldEntry(("search",), "node counts that make another number are left out", _gpu_count, "gpus.total"),
    "origins": FieldEntry(("procurement", "prices"), OFFERS),
    "barred_origins": FieldEntry(("procurement", "prices"), OFFERS),
    "confidences": FieldEntry(("procurement", "prices"), OFFERS),
    "max_estimated_percent": FieldEntry(("estimates", "surplus"), "share of the sum of lines, without padding"),
    "max_lead_days": FieldEntry(("procurement", "prices"), OFFERS),
    "strict_lead": FieldEntry(("procurement", "prices"), OFFERS),
    "avl": FieldEntry(("procurement", "prices"), OFFERS),
    "max_sellers": FieldEntry(("sellers", "prices"), "orders are chosen for the build as a whole"),
    "max_share_percent": FieldEntry(("sellers", "surplus"), "share of the sum of lines, without padding"),
    "cost_axis": FieldEntry(("search",), "the axis of each point is made anew and compared"),
    "own": FieldEntry(("prices",), "pieces in hand cost nothing; lines and sums are made anew and compared"),
    "spares": FieldEntry(("prices", "budget"), "spares are lines of the bill; made anew and compared"),
    "support": FieldEntry(("prices", "budget"), "by category; made anew and compared"),
    "fx": FieldEntry(("prices",), "rates that convert every price; made anew and compared"),
}


@dataclass(frozen=True)
class Broken:
    """A field that a build does not meet; `place` is within a point of a result."""

    field: str
    place: str
    found: Check

    @property
    def text(self) -> str:
        """The finding with both figures."""
        return f"request.{self.field}: {self.found.text}"


def broken(case: Case, row: Row | None) -> list[Broken]:
    """Fields that no rule reads and a build with its plan does not meet, by plain arithmetic."""
    subject = Subject(case, row)
    return [
        Broken(name, entry.place, x)
        for name, entry in FIELDS.items()
        if entry.judge
        for x in entry.judge(subject)
        if x.status == "fail"
    ]


def table() -> str:
    """The entries as a table in Markdown (docs/verify.md)."""
    head = "| field | enforced by | how | judged anew at |\n|---|---|---|---|\n"
    return head + "".join(
        f"| `{name}` | {', '.join(e.by)} | {e.how} | {f'`front[].{e.place}`' if e.place else ''} |\n"
        for name, e in FIELDS.items()
    )
