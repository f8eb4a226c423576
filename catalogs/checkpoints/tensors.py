"""The format of a checkpoint's modules by the types and sizes of its tensors, where its configs say nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from catalogs.checkpoints.names import Names, bare
from catalogs.checkpoints.schemes import WHOLE, Scheme, UnknownScheme, Weights
from catalogs.checkpoints.weight_files import Tensor, modules
from catalogs.formats import Scales
from catalogs.transformer import TWINS, Linear

SIXTEEN_BITS = ("BF16", "F16", "F32")
UNCOUNTED = re.compile(r"(?:^|\.)(?:mtp|dspark|eagle|medusa|nextn)\w*\.", re.I)
"""Modules that predict several tokens at once: they are in the files, and no plan counts them."""
LAYER = re.compile(r"(?:^|\.)(?:layers|blk)\.(\d+)\.")


def is_uncounted(tensor: str, layers: int) -> bool:
    """Whether a tensor belongs to a module for several tokens: by its name, or as a layer behind the last one."""
    if UNCOUNTED.search(tensor):
        return True
    place = LAYER.match(bare(tensor))
    return place is not None and len(place[1]) < 7 and int(place[1]) >= layers


def place_of(tensor: str) -> str:
    """The module for several tokens that a tensor belongs to: `mtp.0`, `model.layers.61`, `mtp`."""
    numbered = re.match(r"(.*?(?:layers|mtp|dspark|eagle|medusa)\w*\.\d+)\.", tensor)
    return numbered[1] if numbered else tensor.partition(".")[0]


def all_whole(tensors: Mapping[str, Tensor | None]) -> bool:
    """Whether every weight is in 16 bits (or 32, as norms and routers may be)."""
    weights = [t for _, kind, t in modules(tensors) if kind in ("weight", "qweight", "weight_packed")]
    return bool(weights) and all(t is not None and t.dtype in SIXTEEN_BITS for t in weights)


def scheme_of(tensors: Mapping[str, Tensor | None], linears: Iterable[tuple[str, Linear]]) -> Scheme:
    """The scheme of a checkpoint by its tensors. `linears`: the full name of each module with its matrices. Raises
    UnknownScheme where a module has other names or types than any that are known."""
    wanted = {bare(module): linear for module, linear in linears}
    held: dict[str, dict[str, Tensor]] = {}
    for module, kind, tensor in modules(tensors):
        if tensor is not None and (place := bare(module)) in wanted:
            held.setdefault(place, {})[kind] = tensor
    by_format: dict[Weights, list[str]] = {}
    weights = None
    for module, linear in wanted.items():
        if module in held:
            weights = _weights(held[module], linear, module)
        elif (
            weights is None or module.rpartition(".")[2] not in TWINS.values()
        ):  # a second may lie in the first's tensor
            raise UnknownScheme(f"no tensor of {module[:60]}")
        by_format.setdefault(weights, []).append(module)
    return Scheme(WHOLE, tuple((Names(tuple(names)), weights) for weights, names in by_format.items()))


def _weights(kinds: Mapping[str, Tensor], linear: Linear, module: str) -> Weights:
    """How one matrix is held."""
    weights = next((kinds[kind] for kind in ("weight", "qweight", "weight_packed") if kind in kinds), None)
    scales = next((kinds[k] for k in ("weight_scale_inv", "weight_scale", "scale", "scales") if k in kinds), None)
    if weights is not None and weights.dtype in SIXTEEN_BITS:
        return WHOLE
    if weights is None or scales is None:
        raise UnknownScheme(f"tensors of {module[:60]}: {', '.join(kinds)[:80]}")
    each = linear.out * linear.into
    bits = 8 * weights.bytes / each
    if weights.dtype.startswith("F8_") and bits == 8:
        groups = scales.dtype not in SIXTEEN_BITS and 32 * scales.bytes == each
        return Weights("mxfp8") if groups else Weights("fp8", _blocks(linear, scales))
    if bits == 4 and scales.dtype not in SIXTEEN_BITS and each in (16 * scales.bytes, 32 * scales.bytes):
        return Weights("nvfp4" if each == 16 * scales.bytes else "mxfp4")
    if bits in (2, 3, 4, 5, 6, 8) and scales.dtype in SIXTEEN_BITS:
        group = max(1, round(each / (8 * scales.bytes / 16)))
        zeros = 0 if {"zeros", "qzeros", "weight_zero_point", "biases"}.isdisjoint(kinds) else int(bits)
        return Weights(f"int{int(bits)}", Scales(1, 0 if group >= linear.into else group, 16 + zeros))
    raise UnknownScheme(f"tensors of {module[:60]}: {weights.dtype} with scales {scales.dtype}")


def _blocks(linear: Linear, scales: Tensor) -> Scales:
    """How an FP8 matrix is scaled: as a whole, by rows, or by blocks."""
    sizes = [size for size in scales.shape if size > 1]
    bits = 8 * scales.bytes // max(1, _count(scales.shape))
    if not sizes:
        return Scales(0, 0, bits)
    if len(sizes) == 1 and sizes[0] == linear.out:
        return Scales(1, 0, bits)
    rows, columns = (*sizes, 1)[:2]
    # The last block of a side may be a part of one: sides of blocks are powers of two.
    return Scales(_power(linear.out / rows), _power(linear.into / columns), bits)


def _power(size: float) -> int:
    found = 1
    while found < size:
        found *= 2
    return found


def _count(shape: tuple[int, ...]) -> int:
    found = 1
    for size in shape:
        found *= size
    return found
