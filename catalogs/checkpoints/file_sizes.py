"""The bytes of a checkpoint's weight files beside the bytes that are counted of it."""

from __future__ import annotations

from collections.abc import Callable

from catalogs.checkpoints.tensors import is_uncounted, place_of
from catalogs.checkpoints.weight_files import WeightFiles
from catalogs.message import Message, message
from catalogs.transformer import Llm

NOTED = 0.02
"""Share of the counted bytes from which a difference is said."""


def counted_bytes(llm: Llm, stored: Callable[[str], str] | None, weights: WeightFiles | None) -> int:
    """Bytes of weight files without the modules for several tokens that lie in them, which are not counted; 0 without
    files. Where only the index is at hand such a module is taken to be as large as the last layer."""
    if weights is None:
        return 0
    behind = [name for name in weights.tensors if is_uncounted(name, llm.layers)]
    known = 0
    for name in behind if weights.opened else ():
        tensor = weights.tensors[name]
        known += tensor.bytes if tensor is not None else 0
    return weights.total_bytes - (known if weights.opened else _module_bytes(llm, stored, behind))


def _module_bytes(llm: Llm, stored: Callable[[str], str] | None, behind: list[str]) -> int:
    """About the bytes of modules for several tokens by the names of their tensors: each like the last layer, with a
    matrix that joins embedding and hidden state, and tables where they are named."""
    last, total = llm.layer_list[-1], 0
    for place in {place_of(name) for name in behind}:
        for linear in last.linears:
            found = stored(f"{place}.{linear.name}") if stored else ""
            total += linear.bytes(found or llm.native_precision, llm.scales)
        total += 2 * last.bf16 + 4 * last.fp32 + 2 * 2 * llm.hidden * llm.hidden
    tables = sum(name.endswith(("embed_tokens.weight", "shared_head.head.weight")) for name in behind)
    return total + tables * 2 * int(llm.config["vocab_size"]) * llm.hidden


def difference(llm: Llm) -> Message | str:
    """What to say where weight files hold more or less than is counted; empty within 2 %, and without files."""
    counted = llm.weight_bytes(llm.native_precision)
    if not llm.file_bytes or abs(llm.file_bytes - counted) <= NOTED * counted:
        return ""
    return message(
        "The weight files of {model} hold {gb} GB; {counted} GB are counted in {precision}.",
        model=llm.name, gb=f"{llm.file_bytes / 1e9:,.1f}", counted=f"{counted / 1e9:,.1f}",
        precision=llm.native_precision,
    )  # fmt: skip
