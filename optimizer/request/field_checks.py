"""A finished build beside the request's fields that no rule reads: plain arithmetic on the build and its plan."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from catalogs.message import N_, message
from constraints.build import Case
from constraints.plan import Row
from constraints.policy import Policy
from constraints.request import Request
from constraints.rule import Check, counted, figure
from constraints.rules.precision import kv_precision as kv_precision_of
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
    def plan_row(self) -> Row:
        """Its plan with the speed, of a build that has one."""
        assert self.row is not None, "a build found runs a plan"
        return self.row

    @property
    def gpus(self) -> int:
        return self.case.per_node * self.case.build.nodes


def gpus(subject: Subject) -> Iterator[Check]:
    if subject.request.gpus:
        for gpu, _ in subject.case.cards:
            asked = gpu.id in subject.request.gpus
            key = "{gpu} is among the GPUs asked for" if asked else "{gpu} is not among the GPUs asked for"
            yield Check.of(ID, asked, message(key, gpu=gpu.name))


def gpu_count(subject: Subject) -> Iterator[Check]:
    if (wanted := subject.request.gpu_count) is not None:
        gpus = counted(subject.gpus, "GPU")
        if subject.gpus == wanted:
            yield Check(ID, "pass", subject.gpus, wanted, "pieces", message("the build has {why}, as asked", why=gpus))
        else:
            yield Check(
                ID,
                "fail",
                subject.gpus,
                wanted,
                "pieces",
                message("the build has {why}, {n} are asked for", why=gpus, n=f"{wanted:,}"),
            )


def nodes(subject: Subject) -> Iterator[Check]:
    """The policy's limit; the request's is that of rule site."""
    nodes, most = counted(subject.case.build.nodes, "node"), subject.policy.whole("plans.max_nodes")
    passing = message("the build has {why}, at most {n} allowed", why=nodes, n=f"{most:,}")
    failing = message("the build has {why}, more than the {n} allowed", why=nodes, n=f"{most:,}")
    yield Check.at_most(ID, subject.case.build.nodes, most, "nodes", passing, failing)


def throughput(subject: Subject) -> Iterator[Check]:
    if subject.row and (least := subject.request.throughput_tenths) is not None:
        yield _tok_s(
            subject.row,
            least,
            N_("the whole build gives {speed} tok/s, {least} are asked for"),
            N_("the whole build gives only {speed} tok/s, {least} are asked for"),
        )


def load(subject: Subject) -> Iterator[Check]:
    if subject.row and (load := load_of(subject.request, subject.policy)):
        yield _tok_s(
            subject.row,
            needed_tenths(load),
            N_("the whole build gives {speed} tok/s, {least} are needed by the load"),
            N_("the whole build gives only {speed} tok/s, {least} are needed by the load"),
        )


def _tok_s(row: Row, least_tenths: int, passing: str, failing: str) -> Check:
    """Throughput of the whole build against what is asked or needed, with the key of either outcome."""
    speed, least = row.perf.tenths / 10, least_tenths / 10
    said = {"speed": figure(speed), "least": figure(least)}
    return Check.at_least(ID, speed, least, "output tokens/s", message(passing, **said), message(failing, **said))


def users(subject: Subject) -> Iterator[Check]:
    if subject.row and (users := subject.request.users) is not None:
        held = subject.row.plan.replicas * subject.row.plan.concurrency
        passing = message(
            "the build serves {why} at once, {n} are asked for", why=counted(held, "request"), n=f"{users:,}"
        )
        failing = message(
            "the build serves only {why} at once, {n} are asked for", why=counted(held, "request"), n=f"{users:,}"
        )
        yield Check.at_least(ID, held, users, "requests", passing, failing)


def user_speed(subject: Subject) -> Iterator[Check]:
    asked = subject.request.min_tok_s_user
    if subject.row and asked and subject.request.workload != "batch" and not subject.request.trains:
        speed = subject.row.perf.per_user_tok_s
        fine = speed * SLACK >= asked
        text = message(
            "each user sees {speed} tok/s, {least} are asked for"
            if fine
            else "each user sees only {speed} tok/s, {least} are asked for",
            speed=figure(speed), least=figure(asked),
        )  # fmt: skip
        yield Check(ID, "pass" if fine else "fail", speed, asked, "output tokens/s", text, "at_least")


def first_token(subject: Subject) -> Iterator[Check]:
    if subject.row and (most := subject.request.max_ttft_ms) is not None:
        taken = subject.row.perf.ttft_ms
        fine = taken <= most * SLACK
        text = message(
            "the first token comes after {taken} ms, within {most} ms"
            if fine
            else "the first token comes after {taken} ms, later than {most} ms",
            taken=figure(taken), most=figure(most),
        )  # fmt: skip
        yield Check(ID, "pass" if fine else "fail", taken, most, "ms", text, "at_most")


def kv_precision(subject: Subject) -> Iterator[Check]:
    if subject.row and not subject.request.trains:
        have, asked = subject.row.plan.kv_precision, kv_precision_of(subject.case.llm, subject.request)
        yield Check.of(ID, have == asked, message("the KV cache is in {x}, {y} is asked for", x=have, y=asked))


def offload(subject: Subject) -> Iterator[Check]:
    if subject.row:
        fine = subject.request.offload or not subject.row.plan.offload
        where = "the request allows experts in host memory, or the plan has none there"
        yield Check.of(ID, fine, where if fine else "experts lie in host memory without --offload")


def exclude(subject: Subject) -> Iterator[Check]:
    """The GPUs of a board; the prices know of all other parts."""
    for gpu, _ in subject.case.cards:
        if gpu.id in subject.request.exclude:
            yield Check.of(ID, False, message("{part} is excluded by --exclude", part=gpu.id))


def prices_dated(subject: Subject) -> Iterator[Check]:
    orders = subject.case.book.purchase(subject.case.priced)
    for line in orders.lines if orders else ():
        if line.offer is not None and getattr(line.offer, "date", subject.request.as_of) > subject.request.as_of:
            yield Check.of(ID, False, message("the price of {part} is of a later day than the request", part=line.part))


def subject(case: Case, row: Row | None) -> Subject:
    """A build as the judges take it."""
    return Subject(case, row)
