"""The model that a request names in anybody's way of writing it: its id, and the precision that the name says."""

from __future__ import annotations

import re
from collections.abc import Iterator

from catalogs.engines.published import is_published, published_kinds
from catalogs.errors import Fault, InputError
from catalogs.file_kinds import kept_type
from catalogs.formats import BITS
from catalogs.llm import Llm
from catalogs.message import message
from catalogs.registry import Named, facts_of, named
from constraints.request import Request
from constraints.rules.precision import files_without, known_precisions, typed_for_files, wanted

APP_USUAL = "q4_k_m"
"""The kind of file behind most names of Ollama and LM Studio that say none (Ollama's list of models; its distills of R1
are in tests/data/file_sizes.csv)."""
KEPT = "mxfp4_moe"
"""The kind of a GGUF file that says none, of a model whose experts are MXFP4 in all kinds: they differ by 1 %."""
FILES = ("gguf", "mlx")
"""Kinds of file that hold weights of any format: a name that says no more leaves the format open."""
SAME = {"fp16": "bf16", "f16": "bf16", "float16": "bf16", "bfloat16": "bf16"}


def settled(request: Request) -> Request:
    """The request with the id of its model, and with the precision that the model's name says.

    Raises InputError: unknown-model, ambiguous-model; contradicting-precision where name and request differ; and
    unknown-precision, with how to ask, where dsopt has no such weights of the model or the name leaves it open."""
    found = named(request.model)
    precision = _precision(found, request)
    changed: dict[str, str | bool | None] = {"model": found.llm.id, "precision": precision}
    if found.quantization and precision is not None and not is_published(found.llm, precision):
        changed["any_precision"] = True  # who names a checkpoint knows of one
    if all(getattr(request, field) == value for field, value in changed.items()):
        return request
    return request.model_copy(update=changed)


def _precision(found: Named, request: Request) -> str | None:
    """The format of the weights: the request's, else that of the name."""
    written, asked = found.quantization, request.precision
    if not written:
        return asked
    said = _counted(found.llm, written, request)
    if asked is not None:
        if _contradict(found.llm, written, said, asked):
            text = message("the model's name says {written}", written=shown(written))
            remedy = f"Give one of the two: {found.llm.id} is the name without a format."
            raise InputError(
                Fault("contradicting-precision", text, column="--precision", value=asked[:80], remedy=remedy)
            )
        return asked
    if said is None:
        raise _not_counted(found, request)
    return said


def _counted(llm: Llm, written: str, request: Request) -> str | None:
    """dsopt's word for a format as a name writes it; None where plans count no such weights of the model."""
    if written == "gguf" and _keeps_experts(llm):
        written = KEPT
    if _of_whole_weights(llm, written, request):
        return None
    try:
        precision = llm.format_of(written)
    except InputError:
        return None
    asked = {"model": llm.id, "precision": precision, "any_precision": True}
    return precision if wanted(llm, request.model_copy(update=asked)) else None


def _keeps_experts(llm: Llm) -> bool:
    """Whether a model's GGUF files, of whatever kind, have its experts as they are published."""
    return bool(kept_type(llm.architecture)) and KEPT in published_kinds(llm)


def _of_whole_weights(llm: Llm, written: str, request: Request) -> bool:
    """Whether a name is that of a GGUF file of 16 bits whose experts are yet as they are published, in MXFP4."""
    return written in (*SAME, "bf16") and "gguf" in request.model.casefold() and _keeps_experts(llm)


def _contradict(llm: Llm, written: str, said: str | None, asked: str) -> bool:
    """Whether the precision asked for is another than the one that the name says; of a format that is not counted any
    of as many bits stands for it."""
    if said is None:
        return written not in FILES and bits_of(written) != BITS.get(asked, 0)
    return SAME.get(said, said) != SAME.get(asked, asked)


def bits_of(written: str) -> int:
    """Bits of a weight in a format as a name writes it: 4 of `q4_k_m`, `mlx-4bit` and `awq`; 0 where it says none."""
    digits = re.search(r"[qwtpf](\d+)|(\d)bit", written)
    return int(next(filter(None, digits.groups()))) if digits else {"awq": 4, "gptq": 4}.get(written, 0)


def shown(written: str) -> str:
    """A format as its makers write it: `Q4_K_M`, `MLX-4bit`."""
    return re.sub(r"(\d)BIT", r"\1bit", written.upper())


def _not_counted(found: Named, request: Request) -> InputError:
    """How to ask where dsopt does not count what the name says."""
    llm, written = found.llm, found.quantization
    if fault := _against_files(llm, written, request):
        return InputError(fault)
    have = known_precisions(llm, request)
    alike = [name for name in have if BITS.get(name) == bits_of(written)]
    if _of_whole_weights(llm, written, request):
        alike = [KEPT]
    text = message("the name says {written}, which is not counted for {model}", written=shown(written), model=llm.id)
    if written in FILES:
        text = message("the name says {written}, but not in which format the weights are", written=shown(written))
    options = [f"--precision {name}" for name in alike or have]
    remedy = f"Add {' or '.join(options)}; as published, in {llm.native_precision}: --model {llm.id}."
    return InputError(Fault("unknown-precision", text, column="--model", value=request.model[:80], remedy=remedy))


def _against_files(llm: Llm, written: str, request: Request) -> Fault | None:
    """What else of the request stands against the kind of file that the name says; None where nothing does."""
    try:
        asked = {"model": llm.id, "precision": llm.format_of(written), "any_precision": True}
    except InputError:
        return None
    fields, _ = files_without(llm, request.model_copy(update=asked))
    if not fields:
        return None
    text = message(
        "the name says {written}: KV cache or speculation as asked for do not go with such files",
        written=shown(written),
    )
    remedy = f"Ask {' and '.join(typed_for_files(fields))}."
    return Fault("contradicting-precision", text, column="--model", value=request.model[:80], remedy=remedy)


def taken(typed: str, found: Named) -> Iterator[str]:
    """Which model was taken for a name that is not its own."""
    llm, facts = found.llm, facts_of(found.llm)
    if found.others:
        yield message(
            "{typed} is read as {model} ({facts}), the newest training of its network; of the same sizes: {others}.",
            typed=typed, model=llm.name, facts=facts, others=", ".join(other.id for other in found.others),
        )  # fmt: skip
    elif not found.literal:
        yield message("{typed} is read as {model} ({facts}).", typed=typed, model=llm.name, facts=facts)


def remarks(typed: str, request: Request) -> Iterator[str]:
    """What is said of a name that is not the model's own: which model was taken, and in which format. `request`: what
    it came to."""
    found = named(typed)
    yield from taken(typed, found)
    if found.quantization:
        yield message(
            "The name says {written}: weights in {precision}.",
            written=shown(found.quantization), precision=request.precision or found.llm.native_precision,
        )  # fmt: skip
    elif found.app and request.precision is None:
        yield _of_app(found)
    elif found.llm.user and BITS[found.llm.native_precision] < 16 and len(wanted(found.llm, request)) > 1:
        yield message(
            "The files of {model} hold {precision}. Other formats count as well: made anew, from weights that the "
            "files do not have. --precision {precision} keeps to the files.",
            model=found.llm.name, precision=found.llm.native_precision,
        )  # fmt: skip


def _of_app(found: Named) -> str:
    """What an app runs under its name, which says no format, beside what is counted: the published weights."""
    llm = found.llm
    said = {"app": found.app, "precision": llm.native_precision, "gb": _gb(llm, llm.native_precision)}
    if _keeps_experts(llm):
        return message(
            "{app} runs this name in {precision}, as published and counted here: {gb} GB. On llama.cpp, also on Macs "
            "and unlike cards: --precision {option}, {less} GB.",
            **said, option=KEPT, less=_gb(llm, KEPT),
        )  # fmt: skip
    if BITS.get(llm.native_precision, 0) <= 4:
        return message("{app} runs this name in {precision}, as published and counted here: {gb} GB.", **said)
    if APP_USUAL not in published_kinds(llm):
        return message(
            "{app} runs a name that says no format in about 4 bits; counted here is {precision}, as published: "
            "{gb} GB.",
            **said,
        )  # fmt: skip
    return message(
        "{app} runs a name that says no format as a GGUF file, mostly {kind} (here {less} GB); counted here is "
        "{precision}, as published: {gb} GB. --precision {option} counts that file.",
        **said, kind=shown(APP_USUAL), less=_gb(llm, APP_USUAL), option=APP_USUAL,
    )  # fmt: skip


def _gb(llm: Llm, precision: str) -> str:
    return f"{llm.weight_bytes(precision) / 1e9:,.1f}"
