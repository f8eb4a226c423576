"""What weight files told of a checkpoint, as a saved model keeps it: the files may be gone when it is opened again."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any

from catalogs.checkpoints.names import Names
from catalogs.checkpoints.published import TOLD_BY_WEIGHTS, Published
from catalogs.checkpoints.schemes import WHOLE, Scheme, Weights
from catalogs.formats import BITS, Scales
from catalogs.transformer import TWINS, Llm, apart


def kept(llm: Llm, said: Published) -> dict[str, Any]:
    """Format -> modules, and how formats are scaled; nothing where the config itself says it."""
    if said.where not in TOLD_BY_WEIGHTS or said.scheme is None:
        return {}
    by_format: dict[str, list[str]] = {}
    for module in _modules(llm):
        by_format.setdefault(said.scheme.of(module).format, []).append(module)
    scales = {name: [s.rows, s.columns, s.bits, s.matrix_bytes] for name, s in said.scales.items()}
    return {"told_by": said.where, "modules": by_format, "scales": scales}


def _modules(llm: Llm) -> Iterator[str]:
    for number, layer in enumerate(llm.layer_list):
        for linear in layer.linears:
            yield from (f"model.layers.{number}.{each.name}" for each in apart(linear))
    for linear in llm.head.linears:
        yield linear.name


def opened(data: Mapping[str, Any]) -> Published | None:
    """What a saved model keeps; None where it keeps nothing of the kind. Raises ValueError where it was changed."""
    if "told_by" not in data:
        return None
    modules, scales, native = data.get("modules"), data.get("scales"), data.get("precision")
    sound = (
        data["told_by"] in TOLD_BY_WEIGHTS
        and native in BITS
        and isinstance(modules, dict)
        and all(name in BITS and _texts(named) for name, named in modules.items())
        and isinstance(scales, dict)
        and all(name in BITS and _numbers(said) for name, said in scales.items())
    )
    if not sound or not isinstance(modules, dict) or not isinstance(scales, dict):
        raise ValueError("modules")
    read = {name: Scales(*said) for name, said in scales.items()}
    known = {module for named in modules.values() for module in named}
    listed = tuple(
        (Names((*named, *_seconds(named, known))), Weights(name, read.get(name))) for name, named in modules.items()
    )
    return Published(str(native), str(data["told_by"]), Scheme(WHOLE, listed), read)


def _seconds(named: Iterable[str], known: Container[str]) -> Iterator[str]:
    """Values beside their keys and the like, which files that were saved before 2026-12 do not name."""
    for module in named:
        place, dot, last = module.rpartition(".")
        second = f"{place}{dot}{TWINS[last]}" if last in TWINS else ""
        if second and second not in known:
            yield second


def _texts(said: Any) -> bool:
    return isinstance(said, list) and all(isinstance(text, str) for text in said)


def _numbers(said: Any) -> bool:
    whole = isinstance(said, list) and len(said) == 4
    return whole and all(isinstance(n, int) and not isinstance(n, bool) and 0 <= n < 1_000_000 for n in said)
