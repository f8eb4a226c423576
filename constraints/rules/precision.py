"""Rule precision: the GPU generation runs the plan's precision, and the plan keeps the precision floor."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from catalogs.engines.published import is_published, makers, published_kinds
from catalogs.file_kinds import BETWEEN_KINDS, COUNTED_KINDS, FILE_KINDS, GGUF_KINDS, with_all_gguf
from catalogs.formats import BITS, DYNAMIC_KINDS, blocks
from catalogs.kv_caches import published_kv_cache
from catalogs.llm import Llm
from catalogs.message import N_, joined, message
from constraints.physics.training import base_precisions
from constraints.policy import table
from constraints.request import Request
from constraints.rule import Check, Rule

if TYPE_CHECKING:
    from constraints.build import Case
    from constraints.facts import Facts
    from constraints.model.family_model import FamilyModel


@cache
def support(arch: str) -> dict[str, tuple[str, str]]:
    """precision -> (native | weight-only, the tensor rate it computes at) on a GPU generation."""
    rows = [row for row in table("precision") if row["arch"] == arch]
    return {name: (row["mode"], row["compute"]) for row in rows for name in with_all_gguf([row["precision"]])}


def wanted(llm: Llm, request: Request) -> list[str]:
    """Precisions that the request admits, highest first."""
    if request.trains:
        return base_precisions(llm, request)
    have = _offered(llm, request)
    if request.precision:
        alias = {"fp16": "bf16", "bf16": "fp16"}
        return [
            precision
            for precision in have
            if precision == request.precision or precision == alias.get(request.precision)
        ]
    floor = llm.min_precision_bits
    if request.min_precision_bits is not None:
        floor = min(floor, request.min_precision_bits)
    return [precision for precision in have if BITS[precision] >= floor]


def _offered(llm: Llm, request: Request) -> list[str]:
    """Formats that a request may have plans in: those of engines for servers, and where it names a precision or a floor
    the kinds of files too. Below the model's own precision the ones that are published, or that an engine makes when it
    loads the weights; with `any_precision` all.

    Without being asked for kinds of files don't count: they were made of the published weights, mostly by others."""
    if kv_precision(llm, request) == "q8_0":  # a cache of llama.cpp's, which loads GGUF files
        return [] if request.precision is None and request.min_precision_bits is None else _kinds(llm, request)
    have = list(llm.precisions())
    if not request.any_precision:
        have = list(_to_be_had(llm, ("serve", "offload") if request.offload and llm.is_moe else ("serve",)))
    if request.precision is None and request.min_precision_bits is None:
        return have
    return [*have, *_kinds(llm, request)]


@lru_cache(maxsize=4096)
def _to_be_had(llm: Llm, ways: tuple[str, ...]) -> tuple[str, ...]:
    """Formats of a model that somebody publishes, or that an engine makes for one of these ways to serve. Remembered,
    since it is asked of every GPU."""
    had = (p for p in llm.precisions() if is_published(llm, p) or any(makers(llm, p, way) for way in ways))
    return tuple(had)


def _kinds(llm: Llm, request: Request) -> list[str]:
    """Kinds of files beside the formats of engines for servers. Their engines keep keys and values in 16 bits, and
    llama.cpp in q8_0 too, of heads whose width is whole blocks; converters leave the module for several tokens out."""
    kv = kv_precision(llm, request)
    if kv == "fp8" or request.speculate or (kv == "q8_0" and not takes_q8_0(llm)):
        return []
    able = FILE_KINDS if kv == "bf16" else GGUF_KINDS
    published = set(published_kinds(llm))
    if request.any_precision:
        published |= set(COUNTED_KINDS) - set(DYNAMIC_KINDS)  # what is known by a published size alone has to have one
    if request.precision is None:
        published -= BETWEEN_KINDS
    return [kind for kind in able if kind in published and kind not in llm.precisions()]


def files_without(llm: Llm, request: Request) -> tuple[dict[str, str | None], list[str]]:
    """(fields of the request with the values that kinds of files go with, the kinds that count then) where none of them
    counts now; nothing where one does, or none would."""
    if set(wanted(llm, request)) & set(FILE_KINDS):
        return {}, []
    others: dict[str, str | None] = {}
    if kv_precision(llm, request) != "bf16":
        others["kv_precision"] = "bf16"
    if request.speculate:
        others["speculate"] = None
    ways = [*({name: other} for name, other in others.items()), others]  # one of them, else both
    for fields in filter(None, ways):
        kinds = [kind for kind in wanted(llm, request.model_copy(update=fields)) if kind in FILE_KINDS]
        if kinds:
            return fields, kinds
    return {}, []


def typed_for_files(fields: Mapping[str, str | None]) -> list[str]:
    """What is typed for these fields (see `files_without`), in words."""
    words = {"kv_precision": "--kv-precision bf16", "speculate": message("without --speculate")}
    return [words[name] for name in fields]


def takes_q8_0(llm: Llm) -> bool:
    """Whether a KV cache in llama.cpp's q8_0 is counted: keys and values of heads, in whole blocks of 32. Of a latent
    no run with a quantized cache was read."""
    entries = {cache.bf16 for layer in llm.layer_list for cache in layer.caches}
    return llm.attention == "gqa" and all(entry % (2 * blocks()["q8_0"][0]) == 0 for entry in entries)


def at_any_floor(llm: Llm, request: Request) -> list[str]:
    """Formats that a request would admit were every precision low enough, highest bits first."""
    lowest = {"precision": None, "min_precision_bits": 1}
    return sorted(wanted(llm, request.model_copy(update=lowest)), key=lambda p: -BITS[p])


def kv_precision(llm: Llm, request: Request) -> str:
    """Precision of the KV cache that plans count on: the one that engines take alone for the architecture, else the
    request's, else the one that the checkpoint names, else bf16.

    What is typed goes before what the checkpoint names, as in the engines: vLLM 0.33.0 (utils/torch_utils.py:
    resolve_kv_cache_dtype_string; model_executor/layers/attention/attention.py: "an explicit choice (e.g. bfloat16)
    must win") and SGLang 0.5.23 (srt/mem_cache/kv_cache_dtype.py: configure_kv_cache_dtype) look into the checkpoint
    for `auto` alone."""
    return published_kv_cache(llm.architecture) or request.kv_precision or llm.kv_cache or "bf16"


def known_precisions(llm: Llm, request: Request) -> list[str]:
    """What --precision takes for the model and workload; kinds of files that stand between others are not named."""
    if not request.trains:
        lowest = request.model_copy(update={"precision": None, "min_precision_bits": 1})
        return _offered(llm, lowest)
    all_ = ("bf16", "fp16", "fp8", "int4")
    return [
        precision for precision in all_ if base_precisions(llm, request.model_copy(update={"precision": precision}))
    ]


def runs(arch: str, precision: str, request: Request) -> bool:
    """Whether the generation runs it; what is trained must be native (a frozen LoRA base is only unpacked)."""
    mode = support(arch).get(precision)
    return mode is not None and (mode[0] == "native" or not request.trains or request.lora)


def admitted(arch: str, precision: str, llm: Llm, request: Request) -> bool:
    """Whether the generation can run it and the request admits it."""
    return runs(arch, precision, request) and precision in wanted(llm, request)


def precisions_on(arch: str, llm: Llm, request: Request) -> list[str]:
    """Precisions that the request admits and the generation runs."""
    return [precision for precision in wanted(llm, request) if runs(arch, precision, request)]


class Precision(Rule):
    id = "precision"
    refuses = frozenset({"family", "row"})
    title = N_("Precision")
    phase = "parts"
    reads = frozenset({"plan", "model"})

    def may(self, facts: Facts) -> str:
        """A row whose plan the GPU's generation or the request does not admit; a GPU that runs nothing admitted."""
        if facts.gpu is None:
            return ""
        if facts.row is None:
            return generation_fault(facts.gpu.arch, facts.llm, facts.request)
        # Sound: the row's plan is the build's plan, so that this is the very question of `check`.
        return precision_fault(facts.gpu.arch, facts.row.plan.precision, facts.llm, facts.request)

    def encode(self, model: FamilyModel) -> None:
        for row, chosen in model.rows.items():
            if not admitted(model.gpu.arch, row.plan.precision, model.llm, model.request):
                model.cp.add(chosen == 0)

    def check(self, case: Case) -> list[Check]:
        generations = dict.fromkeys(gpu.arch for gpu, _ in case.cards)
        return [self._on(arch, case) for arch in generations]

    def _on(self, arch: str, case: Case) -> Check:
        """Whether a generation of GPUs runs the plan's precision, and how."""
        precision = case.plan.precision
        if fault := precision_fault(arch, precision, case.llm, case.request):
            return Check.of(self.id, False, fault)
        mode = support(arch)[precision]
        if mode[0] == "native":
            return Check.of(self.id, True, message("{arch} runs {precision} natively", arch=arch, precision=precision))
        text = message(
            "{arch} runs {precision} weight-only: it computes in {compute}",
            arch=arch, precision=precision, compute=mode[1],
        )  # fmt: skip
        return Check.of(self.id, True, text)


def precision_fault(arch: str, precision: str, llm: Llm, request: Request) -> str:
    """Why a generation may not run the model at a precision; empty where it may."""
    if precision not in support(arch):
        return message("{arch} GPUs do not run {precision}", arch=arch, precision=precision)
    if not runs(arch, precision, request):
        return message(
            "{arch} GPUs do not run {precision} natively: they only unpack such weights, which full training can't",
            arch=arch,
            precision=precision,
        )
    return "" if precision in wanted(llm, request) else _unwanted(precision, llm, request)


def generation_fault(arch: str, llm: Llm, request: Request) -> str:
    """Why a generation runs the model at no precision that the request admits; empty where it runs one."""
    if precisions_on(arch, llm, request):
        return ""
    return message("runs none of the precisions admitted ({list})", list=joined(wanted(llm, request)) or "none")


def _unwanted(precision: str, llm: Llm, request: Request) -> str:
    """Why the request does not admit a precision."""
    if request.precision is not None:
        return message(
            "the request asks for {asked} weights, the plan has {precision}",
            asked=request.precision,
            precision=precision,
        )
    if request.trains:
        return message(
            "{workload} does not start from {precision} weights unless --precision says so",
            workload=request.workload,
            precision=precision,
        )
    floor = min(llm.min_precision_bits, request.min_precision_bits or llm.min_precision_bits)
    if BITS[precision] < floor:
        return message(
            "{precision} is below the precision floor of {model}: {bits} bits, {least} at least",
            precision=precision,
            model=llm.id,
            bits=BITS[precision],
            least=floor,
        )
    if not request.any_precision and precision in (*llm.precisions(), *FILE_KINDS):
        return message(
            "no {precision} weights of {model} are known to be published (--any-precision)",
            precision=precision, model=llm.id,
        )  # fmt: skip
    return message("{model} has no {precision} weights", model=llm.id, precision=precision)
