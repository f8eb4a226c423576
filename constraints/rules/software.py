"""Rule software: a released engine serves (or trains) the model on this GPU at this precision, and starts the plan.

What engines support and which parallel sizes they start is data of catalogs/engines (docs/engines.md)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from catalogs.engines.balancer import least_redundant, redundant_for, unproven
from catalogs.engines.features import has_feature
from catalogs.engines.judge import may_be_tried, plannable, release_named
from catalogs.engines.lookup_tables import place_of_tables
from catalogs.engines.published import is_published, makers, published_kinds
from catalogs.engines.rules import PlanFault, Release, newest, outcomes, places_of, plan_faults
from catalogs.engines.sizes import ModelSizes, of
from catalogs.engines.support import Engine, engines, engines_on, kernel_classes
from catalogs.file_kinds import GGUF_KINDS
from catalogs.formats import BITS
from catalogs.llm import Llm
from catalogs.message import N_, joined, message
from catalogs.schema import Gpu
from constraints.plan import Plan
from constraints.request import Request
from constraints.rule import Check, Rule
from constraints.rules.precision import precisions_on

if TYPE_CHECKING:
    from constraints.build import Case
    from constraints.facts import Facts
    from constraints.model.family_model import FamilyModel

TABLES_ON_GPUS = PlanFault("T", "refused", message("it keeps the n-gram tables of the model on the GPUs"), "")
TABLES_ON_HOST = PlanFault("T", "refused", message("it keeps the n-gram tables of the model in host memory"), "")
"""What an engine says of a plan that has the tables elsewhere."""
Shape = tuple[int, int, int, int]
"""tp, pp, dp, ep of a replica."""
MIX_ENGINE = "llama.cpp"
"""The engine that shares out layers by the memory of each card (docs/multi-gpu.md: --tensor-split)."""


@dataclass(frozen=True)
class Started:
    """An engine that starts a plan, and the redundant experts that it takes for it."""

    engine: Engine
    redundant_experts: int


@dataclass(frozen=True)
class Refusal:
    """Why an engine does not start a plan."""

    engine: Engine
    faults: tuple[PlanFault, ...]

    @property
    def said(self) -> str:
        """The engine and what its rules say."""
        return message("{engine} does not start it ({faults})", engine=self.engine, faults=faults_said(self.faults))

    def __str__(self) -> str:
        return self.said


def faults_said(faults: Iterable[PlanFault]) -> str:
    """What the rules of an engine say of a plan."""
    return joined((fault.said for fault in faults), "; ")


def method(request: Request, offload: bool = False) -> str:
    """What the request does with the model: serve, offload, full or lora."""
    if request.trains:
        return "lora" if request.lora else "full"
    return "offload" if offload else "serve"


def engines_for(llm: Llm, gpu: Gpu, precision: str, request: Request, offload: bool = False) -> tuple[Engine, ...]:
    """Engines that may be counted on, best first; experimental ones only when the request allows it."""
    found = engines(llm.id, llm.architecture, gpu, precision, method(request, offload))
    counted = tuple(engine for engine in found if engine.status == "stable" or request.allow_experimental)
    if not (request.trains or request.any_precision or is_published(llm, precision)):
        able = makers(llm, precision, method(request, offload))
        counted = tuple(engine for engine in counted if engine.name in able)
    if request.drafted:  # speed counts what the module proposes
        may_try = request.allow_experimental
        counted = tuple(e for e in counted if has_feature(e.name, "mtp", llm.architecture, may_try))
    return tuple(
        engine for engine in counted if not llm.host_table_bytes or place_of_tables(engine.name, llm.architecture)
    )


def keeping(llm: Llm, among: tuple[Engine, ...], host_tables: bool) -> tuple[Engine, ...]:
    """Of these engines those that keep the model's n-gram tables in host memory, or on the GPUs; all where it has
    none."""
    if not llm.host_table_bytes:
        return among
    wanted = "host" if host_tables else "gpu"
    return tuple(engine for engine in among if place_of_tables(engine.name, llm.architecture) == wanted)


def served(llm: Llm, gpu: Gpu, precision: str, request: Request, offload: bool = False) -> bool:
    """Whether an engine may be counted on, whatever the plan's parallel sizes are."""
    return bool(engines_for(llm, gpu, precision, request, offload))


def engine_of(llm: Llm, gpu: Gpu, plan: Plan, request: Request, per_node: int = 0) -> Started | None:
    """The engine that runs a plan on nodes of `per_node` GPUs (0: not said): of those that start it a stable one, then
    the newest; None where none does."""
    found = keeping(llm, engines_for(llm, gpu, plan.precision, request, plan.offload), plan.host_tables)
    if plan.prefill is not None:
        return _starter_of_both(llm, gpu, plan, apart(llm, found, request), request.allow_experimental, per_node)
    return starter(llm, gpu, plan.precision, plan.shape, found, request.allow_experimental, per_node)


def apart(llm: Llm, among: tuple[Engine, ...], request: Request) -> tuple[Engine, ...]:
    """Of these engines those that are known to serve prefill and decode of the model apart (features.csv)."""
    may_try = request.allow_experimental
    return tuple(x for x in among if has_feature(x.name, "disaggregation", llm.architecture, may_try))


def serves_apart(llm: Llm, gpu: Gpu, request: Request) -> bool:
    """Whether an engine that may be counted on serves prefill and decode apart on a GPU at an admitted precision."""
    if request.trains:
        return False
    admitted = precisions_on(gpu.arch, llm, request)
    return any(apart(llm, engines_for(llm, gpu, precision, request), request) for precision in admitted)


def _starter_of_both(
    llm: Llm, gpu: Gpu, plan: Plan, among: tuple[Engine, ...], experimental: bool, per_node: int
) -> Started | None:
    """The first of these engines that starts the nodes that prefill and those that decode, each with its redundant
    experts; None where none does."""
    for engine in among:
        runs = [starter(llm, gpu, plan.precision, x.shape, (engine,), experimental, per_node) for x in plan.halves]
        wanted = [half.redundant_experts for half in plan.halves]
        if [run.redundant_experts if run else None for run in runs] == wanted:
            return Started(engine, plan.redundant_experts)
    return None


def starter(
    llm: Llm,
    gpu: Gpu,
    precision: str,
    shape: Shape,
    among: tuple[Engine, ...],
    experimental: bool,
    per_node: int = 0,
) -> Started | None:
    """The first of these engines that starts a replica of `shape` on nodes of `per_node` GPUs; None where none does."""
    return starts_of(llm, kernel_class(gpu), precision, among, experimental).of(shape, per_node)


class Starts:
    """Which shapes of replicas some engines start, of one model at one precision on GPUs of one kernel class: planners
    ask it of thousands."""

    def __init__(self, sizes: ModelSizes, kernel_class: str, among: Sequence[Engine], experimental: bool) -> None:
        released = [(engine, newest(engine.name)) for engine in among]
        self._releases = [(engine, _started(release, sizes, kernel_class)) for engine, release in released if release]
        self._experimental = experimental

    def of(self, shape: Shape, per_node: int = 0) -> Started | None:
        """The first engine that starts a replica of `shape` on nodes of `per_node` GPUs; None where none does."""
        for engine, started in self._releases:
            redundant = started.with_redundant(shape, per_node, self._experimental)
            if redundant is not None:
                return Started(engine, redundant)
        return None


@lru_cache(maxsize=4096)
def starts_of(llm: Llm, kernel_class: str, precision: str, among: tuple[Engine, ...], experimental: bool) -> Starts:
    """The shapes that engines start of a model."""
    return Starts(of(llm, precision), kernel_class, among, experimental)


class StartedShapes:
    """What a release starts of a model on GPUs of a kernel class, in no words, as `_judged` says it. Each shape is
    judged once, for all requests."""

    def __init__(self, release: Release, sizes: ModelSizes, kernel_class: str) -> None:
        self._asked = release, sizes, kernel_class
        self._known: dict[tuple[Shape, frozenset[str]], tuple[int, bool] | None] = {}

    def with_redundant(self, shape: Shape, per_node: int, experimental: bool) -> int | None:
        """Redundant experts with which a plan starts; None where it does not."""
        tp, pp, dp, _ = shape
        # Of a node's GPUs no rule reads more than how the plan would lie on it.
        how = shape, places_of(tp, pp, dp, per_node)
        if how not in self._known:
            self._known[how] = self._judge(shape, per_node)
        known = self._known[how]
        if known is None:
            return None
        redundant, sure = known
        return redundant if sure or experimental else None

    def _judge(self, shape: Shape, per_node: int) -> tuple[int, bool] | None:
        """(redundant experts, whether it starts unless experiments are allowed); None where it never starts."""
        release, sizes, kernel_class = self._asked
        layout = release.layout(*shape, kernel_class=kernel_class, per_node=per_node)
        redundant = redundant_for(release, sizes, layout)
        if redundant is None:
            return None
        said = outcomes(release, sizes, replace(layout, redundant=redundant) if redundant else layout)
        sure, tried = (
            all(may_be_tried(rule, outcome, experimental=allowed) for rule, outcome in said.items())
            for allowed in (False, True)
        )
        return (redundant, sure) if tried else None


@lru_cache(maxsize=4096)
def _started(release: Release, sizes: ModelSizes, kernel_class: str) -> StartedShapes:
    """The one of a release, kept for all requests."""
    return StartedShapes(release, sizes, kernel_class)


def _judged(
    engine: Engine, sizes: ModelSizes, kernel_class: str, shape: Shape, per_node: int = 0
) -> int | tuple[PlanFault, ...]:
    """Redundant experts of a plan that the engine starts without a word, else what it says."""
    release = newest(engine.name)
    if release is None:
        return (
            PlanFault(
                "E2",
                "refused",
                message("the parallel sizes that {engine} starts are not known", engine=engine.name),
                "",
            ),
        )
    return _said(release, sizes, kernel_class, shape, per_node)


def _said(
    release: Release, sizes: ModelSizes, kernel_class: str, shape: Shape, per_node: int = 0
) -> int | tuple[PlanFault, ...]:
    """Redundant experts of a plan that a release starts without a word, else what it says."""
    layout = release.layout(*shape, kernel_class=kernel_class, per_node=per_node)
    redundant = redundant_for(release, sizes, layout)
    if redundant is None:
        fault = unproven(release, sizes, layout)
        with_spares = replace(layout, redundant=least_redundant(sizes, layout.ep))
        return (*plan_faults(release, sizes, with_spares), *((fault,) if fault else ()))
    return plan_faults(release, sizes, replace(layout, redundant=redundant)) or redundant


def mix_engine(llm: Llm, cards: Sequence[Gpu], precision: str, request: Request) -> Engine | None:
    """The engine that starts a mix of unlike cards of a node, one stage on each: llama.cpp, where it may be counted on
    for every one of them."""
    shape, found = (1, len(cards), 1, 1), None
    for card in {card.id: card for card in cards}.values():
        among = tuple(e for e in engines_for(llm, card, precision, request) if e.name == MIX_ENGINE)
        found = starter(llm, card, precision, shape, among, request.allow_experimental, len(cards))
        if found is None:
            return None
    return found.engine if found else None


def mix_fault(llm: Llm, cards: Sequence[Gpu], precision: str, request: Request) -> str:
    """Why no engine starts a mix of unlike cards, in a sentence; empty where one does."""
    makers = sorted({card.vendor for card in cards})
    if len(makers) > 1:
        return message(
            "a mix of cards of {list}: llama.cpp takes it only where it is built with a backend for each, which is not "
            "judged here",
            list=joined(makers, " and "),
        )  # fmt: skip
    if loose := next((card for card in cards if card.sold_as != "single"), None):
        return message("{gpu} is no single card that stands in a mix", gpu=loose.name)
    if precision not in GGUF_KINDS:
        return message(
            "of the engines known here only llama.cpp shares out layers by the memory of each card, and it loads GGUF "
            "files, not {precision}: ask for a kind of them (--precision {kind}, or --min-precision 4bit)",
            precision=precision, kind=_four_bits(llm),
        )  # fmt: skip
    for card in {card.id: card for card in cards}.values():
        plan = Plan(precision, "", 1, len(cards), 1, 1, 1, 1)
        if mix_engine(llm, [card] * len(cards), precision, request) is None:
            said = software_fault(llm, card, plan, request, len(cards))
            return said or message("llama.cpp does not serve {model} on {gpu}", model=llm.architecture, gpu=card.name)
    return ""


def _four_bits(llm: Llm) -> str:
    """The kind of GGUF file of 4 bits that is known of a model, or the usual one."""
    known = [kind for kind in published_kinds(llm) if kind in GGUF_KINDS and BITS[kind] == 4]
    return "q4_k_m" if "q4_k_m" in known or not known else known[0]


@lru_cache(maxsize=200_000)
def spare_experts(llm: Llm, gpu: Gpu, precision: str, shape: Shape, engine: str = "") -> int | None:
    """Redundant experts of a replica of `shape` when it is only asked how fast that is; None where nothing starts it.

    The engine named starts it, or where none is an engine known for the model, else any that serves on such GPUs.
    Raises InputError for an engine whose rules are not known."""
    sizes, classes = of(llm, precision), kernel_class(gpu)
    if engine:
        return _started(release_named(engine, classes), sizes, classes).with_redundant(shape, 0, experimental=True)
    found = starter(llm, gpu, precision, shape, _asked(llm, gpu, precision), experimental=True)
    return None if found is None else found.redundant_experts


def tables_on_host(llm: Llm, gpu: Gpu, precision: str, shape: Shape, engine: str = "") -> bool:
    """Whether the engine of `spare_experts` keeps the model's n-gram tables in host memory."""
    if not llm.host_table_bytes:
        return False
    if engine:
        name = release_named(engine, kernel_class(gpu)).engine
    else:
        found = starter(llm, gpu, precision, shape, _asked(llm, gpu, precision), experimental=True)
        name = found.engine.name if found else ""
    return place_of_tables(name, llm.architecture) == "host"


def why_unstarted(llm: Llm, gpu: Gpu, precision: str, shape: Shape, engine: str = "") -> str:
    """Why none of the engines of `spare_experts` starts a shape, by the first of them."""
    if engine:
        release = release_named(engine, kernel_class(gpu))
        said = _said(release, of(llm, precision), kernel_class(gpu), shape)
        faults = "" if isinstance(said, int) else faults_said(said)
        return joined([f"{release.engine} {release.release}", faults], ": ")
    for known in _asked(llm, gpu, precision):
        judged = _judged(known, of(llm, precision), kernel_class(gpu), shape)
        if not isinstance(judged, int):
            return joined([str(known), faults_said(judged)], ": ")
    return "no engine is known on these GPUs"


def _asked(llm: Llm, gpu: Gpu, precision: str) -> tuple[Engine, ...]:
    known = engines(llm.id, llm.architecture, gpu, precision)
    return known + tuple(
        e for c in kernel_classes(gpu) for e in engines_on(c, precision) if e.name not in {k.name for k in known}
    )


def refusals(llm: Llm, gpu: Gpu, plan: Plan, request: Request, per_node: int = 0) -> list[Refusal]:
    """Why each engine that may be counted on does not start a plan on nodes of `per_node` GPUs (0: not said)."""
    out = []
    counted = engines_for(llm, gpu, plan.precision, request, plan.offload)
    fit = keeping(llm, counted, plan.host_tables)
    for engine in counted:
        if engine not in fit:
            out.append(Refusal(engine, (TABLES_ON_GPUS if plan.host_tables else TABLES_ON_HOST,)))
            continue
        for half in plan.halves:
            judged = _judged(engine, of(llm, plan.precision), kernel_class(gpu), half.shape, per_node)
            if not isinstance(judged, int) and not plannable(judged, experimental=request.allow_experimental):
                out.append(Refusal(engine, judged))
                break
    return out


def kernel_class(gpu: Gpu) -> str:
    """The GPU's kernel class; empty where its generation has several and the catalog does not say which."""
    found = kernel_classes(gpu)
    return found[0] if len(found) == 1 else ""


class Software(Rule):
    id = "software"
    refuses = frozenset({"family", "row"})
    title = N_("Software")
    phase = "parts"
    reads = frozenset({"plan", "model"})

    def may(self, facts: Facts) -> str:
        """A row whose plan no admitted engine starts on the family's GPUs; a GPU for which there is no engine."""
        row = facts.row
        if facts.gpu is None:
            return ""
        if row is None:
            return unserved(facts.llm, facts.gpu, facts.request)
        # Sound: the row's plan and node size are the build's, so that this is the very question of `check`.
        return software_fault(facts.llm, facts.gpu, row.plan, facts.request, row.key.per_node)

    def encode(self, model: FamilyModel) -> None:
        for row, chosen in model.rows.items():
            if software_fault(model.llm, model.gpu, row.plan, model.request, row.key.per_node):
                model.cp.add(chosen == 0)

    def check(self, case: Case) -> list[Check]:
        if case.mixed:
            return [self._mix(case)]
        if fault := software_fault(case.llm, case.gpu, case.plan, case.request, case.per_node):
            return [Check.of(self.id, False, fault)]
        run = engine_of(case.llm, case.gpu, case.plan, case.request, case.per_node)
        assert run is not None
        engine, sizes = run.engine, []
        for half in case.plan.halves:
            own = [_sizes(half)]
            if half.redundant_experts:
                own.append(message("{qty} redundant experts", qty=half.redundant_experts))
            sizes.append(joined(own))
        if case.plan.prefill is not None:
            prefill, decode = sizes
            sizes = [message("prefill with {prefill} apart from decode with {decode}", prefill=prefill, decode=decode)]
        text = message(
            _sentences(case.request, case.plan).starts,
            engine=engine, **_what(case.llm, case.gpu, case.plan), list=joined(sizes), status=engine.status,
            source=engine.source,
        )  # fmt: skip
        return [Check.of(self.id, True, text)]

    def _mix(self, case: Case) -> Check:
        cards = [gpu for gpu, pieces in case.cards for _ in range(pieces)]
        if fault := mix_fault(case.llm, cards, case.plan.precision, case.request):
            return Check.of(self.id, False, fault)
        engine = mix_engine(case.llm, cards, case.plan.precision, case.request)
        assert engine is not None
        classes = joined(dict.fromkeys(kernel_class(gpu) or gpu.arch for gpu, _ in case.cards), ", ")
        text = message(
            SERVING.starts,
            engine=engine, model=case.llm.architecture, precision=case.plan.precision, gpus=classes,
            list=_sizes(case.plan), status=engine.status, source=engine.source,
        )  # fmt: skip
        return Check.of(self.id, True, text)


def unserved(llm: Llm, gpu: Gpu, request: Request) -> str:
    """Why no plan that the request admits has an engine on a GPU, whatever its sizes are; empty where one has."""
    # Sound: a plan at a precision that is not admitted fails rule precision.
    places = (False, True) if request.offload else (False,)
    admitted = precisions_on(gpu.arch, llm, request)
    if any(served(llm, gpu, precision, request, offload) for precision in admitted for offload in places):
        return ""
    text = N_("no released engine trains {what} on it as asked")
    return message(text if request.trains else "no released engine serves {what} on it as asked", what=llm.architecture)


@dataclass(frozen=True)
class Sentences:
    """What is said of engines that do what the request asks for."""

    starts: str
    experimental: str
    unknown: str
    none_starts: str


SERVING = Sentences(
    N_("{engine} serves {model} at {precision} on {gpus} and starts {list} ({status}; {source})"),
    N_("{engine} serves {model} at {precision} on {gpus} only experimentally (--allow-experimental)"),
    N_("no released engine known that serves {model} at {precision} on {gpus}"),
    N_("no released engine starts {list} for {model} at {precision} on {gpus}: {reasons}"),
)
OFFLOADING = Sentences(
    N_(
        "{engine} serves {model} at {precision} on {gpus} with experts in host memory and starts {list} "
        "({status}; {source})"
    ),
    N_(
        "{engine} serves {model} at {precision} on {gpus} with experts in host memory only experimentally "
        "(--allow-experimental)"
    ),
    N_("no released engine known that serves {model} at {precision} on {gpus} with experts in host memory"),
    N_("no released engine starts {list} for {model} at {precision} on {gpus} with experts in host memory: {reasons}"),
)
TRAINING = Sentences(
    N_("{engine} trains {model} at {precision} on {gpus} and starts {list} ({status}; {source})"),
    N_("{engine} trains {model} at {precision} on {gpus} only experimentally (--allow-experimental)"),
    N_("no released engine known that trains {model} at {precision} on {gpus}"),
    SERVING.none_starts,
)


def _sentences(request: Request, plan: Plan) -> Sentences:
    return TRAINING if request.trains else OFFLOADING if plan.offload else SERVING


def software_fault(llm: Llm, gpu: Gpu, plan: Plan, request: Request, per_node: int = 0) -> str:
    """Why no engine may be counted on for a plan on nodes of `per_node` GPUs (0: not said), in a sentence; empty where
    one starts it."""
    sentences = _sentences(request, plan)
    found = engines(llm.id, llm.architecture, gpu, plan.precision, method(request, plan.offload))
    if not found:
        return message(sentences.unknown, **_what(llm, gpu, plan))
    if not engines_for(llm, gpu, plan.precision, request, plan.offload):
        if engines_for(llm, gpu, plan.precision, request.model_copy(update={"any_precision": True}), plan.offload):
            return message(
                "no {precision} weights of {model} are known to be published, and {engine} makes none when it loads "
                "(--any-precision)",
                precision=plan.precision, model=llm.id, engine=found[0].name,
            )  # fmt: skip
        return message(sentences.experimental, engine=found[0], **_what(llm, gpu, plan))
    if fault := cut_cache_fault(plan.kv_precision, plan.tp):
        return fault
    if plan.prefill is not None and not apart(llm, found, request):
        return message("no released engine known that serves prefill and decode of {model} apart on {gpus}",
                       model=llm.architecture, gpus=_what(llm, gpu, plan)["gpus"])  # fmt: skip
    run = engine_of(llm, gpu, plan, request, per_node)
    if run is None and plan.prefill is not None:
        return message(
            "no released engine starts {prefill} and {decode} for prefill and decode of {model} apart, with as many "
            "redundant experts as the plan has",
            prefill=_sizes(plan.prefill), decode=_sizes(plan), model=llm.architecture,
        )  # fmt: skip
    if run is None:
        reasons = joined((refusal.said for refusal in refusals(llm, gpu, plan, request, per_node)), ". ")
        return message(sentences.none_starts, list=_sizes(plan), **_what(llm, gpu, plan), reasons=reasons)
    if run.redundant_experts != plan.redundant_experts:
        needed, have = run.redundant_experts, plan.redundant_experts
        return message(
            "{engine} starts {list} with {n} redundant experts, the plan has {have}",
            engine=run.engine,
            list=_sizes(plan),
            n=needed,
            have=have,
        )
    return ""


def cut_cache_fault(kv_precision: str, tp: int) -> str:
    """Why llama.cpp does not cut a quantized KV cache over `tp` GPUs (its rule L3); empty where nothing is cut."""
    if kv_precision != "q8_0" or tp == 1:
        return ""
    return message("llama.cpp splits no quantized KV cache by tensors: {kv} and tensor parallel", kv=kv_precision)


def _what(llm: Llm, gpu: Gpu, plan: Plan) -> dict[str, str]:
    """What engines are asked to run, and on what, by the names of the sentences."""
    found = kernel_classes(gpu)
    on = f"{gpu.arch} ({found[0]})" if len(found) == 1 and found[0] != gpu.arch else gpu.arch
    return {"model": llm.architecture, "precision": plan.precision, "gpus": on}


def _sizes(plan: Plan) -> str:
    """The plan's parallel sizes in words."""
    sizes = (
        (N_("tensor parallel {qty}"), plan.tp),
        (N_("pipeline parallel {qty}"), plan.pp),
        (N_("data parallel {qty}"), plan.dp),
        (N_("expert parallel {qty}"), plan.ep),
    )
    return joined(message(key, qty=qty) for key, qty in sizes if qty > 1) or "one GPU per replica"
