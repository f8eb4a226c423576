"""What a request names, looked up and held against the model: done before anything is priced or planned."""

from __future__ import annotations

from catalogs.errors import Fault, InputError
from catalogs.formats import BITS
from catalogs.llm import Llm, get
from catalogs.message import message
from catalogs.nearest import one_of
from constraints.physics.training import seq_len
from constraints.policy import Policy
from constraints.request import Request
from constraints.rules.precision import files_without, known_precisions, typed_for_files, wanted


def loaded(request: Request) -> Llm:
    """The request's model as engines load it: with its module for several tokens where that is asked for. Raises
    InputError for an unknown one, and for one that has no such module."""
    llm = get(request.model)
    if fault := speculation_fault(llm, request):
        raise InputError(fault)
    return llm.drafting if request.speculate else llm


def speculation_fault(llm: Llm, request: Request) -> Fault | None:
    """Why a model does not speculate as it is asked for; None where it does, or nothing is asked for."""
    if not request.speculate:
        return None
    if not llm.draft_list:
        text = message("no module for several tokens (MTP, DSpark) of {model} is known", model=llm.id)
        return Fault("no-draft-module", text, remedy="Leave --speculate out.")
    if request.drafted and llm.draft_kind != "MTP":
        text = message(
            "how many of the tokens that {model}'s module ({kind}) proposes are accepted is not known by their number",
            model=llm.id, kind=llm.draft_kind,
        )  # fmt: skip
        return Fault("unknown-acceptance", text, remedy="--speculate mtp counts the memory of the module alone.")
    return None


def model_of(request: Request, policy: Policy) -> Llm:
    """The request's model; raises InputError for an unknown one, for a context that it does not reach and for a
    precision that it has no weights in."""
    llm = loaded(request)
    what, remedy = ("a sequence", "--seq-len") if request.trains else ("isl + osl", "--isl or --osl")
    tokens = seq_len(request, policy) if request.trains else request.tokens
    if tokens > llm.max_context:
        text = f"{what} = {tokens} tokens, {llm.id} reaches {llm.max_context}"
        raise InputError(text, "context-too-long", f"Lower {remedy}.")
    least, bits = request.min_precision_bits, BITS.get((request.precision or "").casefold())
    if least is not None and bits is not None and bits < min(least, llm.min_precision_bits):
        text = f"precision {request.precision} has {bits} bits, the least precision allowed is {least}bit"
        raise InputError(text, "contradicting-precision", "Give one of the two.")
    if request.precision and not wanted(llm, request):
        text = f"{request.workload} does not run in" if request.trains else f"{llm.id} has no weights in"
        fields, _ = files_without(llm, request)
        if fields:
            text = f"KV cache or speculation as asked for do not go with files of {request.precision!r}"
            raise InputError(text, "contradicting-precision", f"Ask {' and '.join(typed_for_files(fields))}.")
        remedy = one_of(request.precision, known_precisions(llm, request))
        if wanted(llm, request.model_copy(update={"any_precision": True})):
            text = f"dsopt's lists name no published weights of {llm.id} in"
            remedy = f"{remedy} Or --any-precision, where you have such weights or make them yourself."
        raise InputError(f"{text} {request.precision!r}", "unknown-precision", remedy)
    return llm
