"""Kinds of weight files that llama.cpp (GGUF) and MLX load: the type that each matrix of a model has, and its bytes.

A kind such as Q4_K_M is a mix: llama.cpp's quantizer gives some matrices more bits than others. Its choice is data,
read from its source (catalogs/llms/gguf/mixes.csv, parts.csv, fallbacks.csv), so that bytes are those of each layer and
not a mean over all. tests/catalogs/test_file_kinds.py holds them against sizes that were published.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Protocol

from catalogs.formats import DYNAMIC_KINDS, MLX_KINDS, blocks, matrix_bytes
from catalogs.inputs import shipped_rows

FOLDER = Path(__file__).parent / "llms" / "gguf"
QUANTIZER_KINDS = (
    "q8_0", "q6_k_l", "q6_k", "q5_1", "q5_k_l", "q5_k_m", "q5_k_s", "q5_0", "q4_1", "q4_k_l", "q4_k_m", "q4_k_s",
    "iq4_nl", "iq4_xs", "q4_0", "mxfp4_moe", "q3_k_xl", "q3_k_l", "q3_k_m", "iq3_m", "q3_k_s", "iq3_s", "iq3_xs",
    "iq3_xxs", "q2_k_l", "q2_k", "q2_k_s", "iq2_m", "iq2_s", "iq2_xs", "iq2_xxs", "iq1_m", "iq1_s",
)  # fmt: skip
"""Kinds of GGUF files whose types llama.cpp's own quantizer chooses, most bits first."""
BETWEEN_KINDS = frozenset({
    "q6_k_l", "q5_1", "q5_k_l", "q5_k_s", "q5_0", "q4_1", "q4_k_l", "q4_k_s", "iq4_nl", "q3_k_xl", "q3_k_l", "iq3_m",
    "q3_k_s", "iq3_s", "iq3_xs", "q2_k_l", "q2_k_s", "iq2_s", "iq2_xs", "iq1_s",
})  # fmt: skip
"""Those that a plan has only where a request names them: beside each there is another of about as many bits."""
READ_KINDS = tuple(sorted(name for name in blocks() if name not in QUANTIZER_KINDS))
"""Types after which a GGUF file is called that does not say its kind, or one made by another tool than llama.cpp's: its
bytes are read from the file itself, and no other model is counted so."""
COUNTED_KINDS = (*QUANTIZER_KINDS, *DYNAMIC_KINDS, *MLX_KINDS)
"""Kinds of files that are counted for any model, of GGUF most bits first, then of MLX."""
GGUF_KINDS = (*QUANTIZER_KINDS, *DYNAMIC_KINDS, *READ_KINDS)
"""Kinds of GGUF files that plans may have."""
FILE_KINDS = (*GGUF_KINDS, *MLX_KINDS)
KEPT_WHOLE = "norms, routers, biases and convolutions stay in F32"
"""What a GGUF file of any kind holds in 32 bits, in words."""
WIDE_BLOCK = 256
"""Weights of a block of the K and I types: a row is a multiple of it, or has a type of smaller blocks."""
BY_PLACE = {"first_2", "first_4", "first_8th", "first_16th", "middle", "more_bits", "first_8th_of_downs"}
"""Conditions of mixes.csv that ask where a layer stands."""
ANY = "gguf"
"""What stands for all kinds of GGUF files in tables of engines and generations."""


class Matrix(Protocol):
    """What is asked of a matrix (catalogs.transformer.Linear)."""

    @property
    def name(self) -> str: ...
    @property
    def out(self) -> int: ...
    @property
    def into(self) -> int: ...
    @property
    def count(self) -> int: ...
    @property
    def looked_up(self) -> bool: ...
    @property
    def expert(self) -> bool: ...


@dataclass(frozen=True)
class Network:
    """What the quantizer asks of a model: its layers, routed experts and query heads per kv head (of a latent: all of
    them), the places of layers that have values of their own, and how many matrices that lead out of a feed-forward
    part stand before each layer. `kept`: the type that routed experts keep in every kind of file; "" where none."""

    layers: int
    experts: int
    heads_per_kv_head: int
    valued: tuple[int, ...]
    downs_before: tuple[int, ...] = ()
    kept: str = ""


@dataclass(frozen=True)
class _Choice:
    """One row of mixes.csv: the type of a part where all conditions hold."""

    part: str
    conditions: tuple[str, ...]
    type: str


@cache
def _choices(kind: str) -> tuple[_Choice, ...]:
    rows = shipped_rows(FOLDER / "mixes.csv")
    return tuple(_Choice(row["part"], tuple(row["where"].split()), row["type"]) for row in rows if row["kind"] == kind)


@cache
def _parts() -> dict[str, tuple[str, ...]]:
    """Module -> the parts that its equal matrices are, in equal shares; "" is any other matrix."""
    return {row["module"]: tuple(row["parts"].split("|")) for row in shipped_rows(FOLDER / "parts.csv")}


@cache
def _fallbacks() -> dict[str, str]:
    return {row["type"]: row["fallback"] for row in shipped_rows(FOLDER / "fallbacks.csv")}


@cache
def _published_sizes() -> dict[tuple[str, str], int]:
    """(model, kind) -> bytes of the published file, where they were read (catalogs/llms/gguf/published_sizes.csv)."""
    rows = shipped_rows(FOLDER / "published_sizes.csv")
    return {(row["model"], row["kind"]): int(float(row["gb"]) * 10**9) for row in rows}


def published_bytes(model: str, kind: str) -> int | None:
    """Bytes of a model's published file of a kind that no quantizer's rule gives; None where no size is known."""
    return _published_sizes().get((model, kind))


def rest_as(kind: str) -> str:
    """The kind by whose types everything but routed experts is counted: of Unsloth's mixes Q4_K_M, for they leave
    attention and dense layers in 4 to 6 bits (unsloth.ai/blog/deepseekr1-dynamic)."""
    return "q4_k_m" if kind in DYNAMIC_KINDS else kind


def parts_of(matrix: Matrix) -> tuple[str, ...]:
    """The parts that a module's matrices are, in equal shares. An embedding that is the output head too is one; where a
    module holds one matrix, keys and values are not joined."""
    if matrix.name == "model.embed_tokens" and not matrix.looked_up:
        return ("output",)
    found = _parts().get(matrix.name, ("",))
    joined = len(found) == 1 or matrix.count % len(found) == 0 or found[0] == "by_head"
    return found if joined else found[:1]


def valued_layers(layers: Iterable[Iterable[Matrix]]) -> tuple[int, ...]:
    """Places of the layers that have a matrix of values, by which the quantizer counts them."""
    return tuple(
        place for place, matrices in enumerate(layers) if any("attn_v" in parts_of(matrix) for matrix in matrices)
    )


def downs_before(layers: Iterable[Iterable[Matrix]]) -> tuple[int, ...]:
    """How many tensors that lead out of a feed-forward part stand before each layer: routed experts are one."""
    found, total = [], 0
    for matrices in layers:
        found.append(total)
        total += sum("ffn_down" in parts_of(matrix) for matrix in matrices)
    return tuple(found)


@cache
def _kept_types() -> dict[str, str]:
    return {row["architecture"]: row["type"] for row in shipped_rows(FOLDER / "kept_types.csv")}


def kept_type(architecture: str) -> str:
    """The type in which an architecture's routed experts stay whatever the kind of file is (kept_types.csv)."""
    return _kept_types().get(architecture, "")


def with_all_gguf(formats: Iterable[str]) -> tuple[str, ...]:
    """Formats of a row of a table, in which `gguf` stands for every kind of GGUF file."""
    return tuple(name for one in formats for name in (GGUF_KINDS if one == ANY else (one,)))


def gguf_bytes(matrix: Matrix, kind: str, place: int, network: Network) -> int:
    """Bytes of a module's matrices in a kind of GGUF file. `place`: of its layer; any for embedding and output head."""
    shares = parts_of(matrix)
    weights = matrix.out * matrix.into * matrix.count
    total = 0
    for part in shares:
        each, size = _block(part, kind, place, matrix, network)
        total += -(-weights * size // (each * len(shares)))
    return total


def _block(part: str, kind: str, place: int, matrix: Matrix, network: Network) -> tuple[int, int]:
    """(weights, bytes) of a block of the type that a part has."""
    if part == "whole":
        return 1, 2
    if network.kept and matrix.expert:
        return blocks()[network.kept]
    chosen = next(c for c in _choices(kind) if c.part in (part, "") and _holds(c, place, matrix, network))
    fits = blocks()[chosen.type][0] < WIDE_BLOCK or (part != "by_head" and matrix.into % WIDE_BLOCK == 0)
    return blocks()[chosen.type if fits else _fallbacks()[chosen.type]]


def _holds(choice: _Choice, place: int, matrix: Matrix, network: Network) -> bool:
    def holds(condition: str) -> bool:
        if condition == "routed":
            return matrix.expert
        if condition == "narrow_rows":
            return matrix.into % WIDE_BLOCK != 0
        if condition == "first_8th_of_downs":  # the shared expert's stands behind that of the routed ones
            return network.downs_before[place] + ("shared" in matrix.name) < network.layers // 8
        return _true(condition, choice.part, place, network)

    return all(holds(condition) for condition in choice.conditions)


def _true(condition: str, part: str, place: int, network: Network) -> bool:
    """Whether a condition of mixes.csv holds; values are counted by the layers that have them."""
    number, layers = place, network.layers
    if part == "attn_v":
        number, layers = network.valued.index(place), len(network.valued)
    eighth = layers // 8
    return {
        "experts=8": network.experts == 8,
        "experts>=4": network.experts >= 4,
        "layers=80": network.layers == 80,
        "gqa>=4": network.heads_per_kv_head >= 4,
        "first_2": number < 2,
        "first_4": number < 4,
        "first_8th": number < eighth,
        "first_16th": number < layers // 16,
        "middle": eighth <= number < 7 * layers // 8,
        "more_bits": number < eighth or number >= 7 * layers // 8 or (number - eighth) % 3 == 2,
    }[condition]


def alike_places(kind: str, place: int, network: Network) -> tuple[bool, ...]:
    """Equal for places of layers at which a kind of GGUF file gives equal layers the same types."""
    eighth = network.layers // 8
    found = []
    for choice in _choices(kind):
        if choice.part == "attn_v" and place not in network.valued:
            continue
        for condition in BY_PLACE.intersection(choice.conditions):
            if condition == "first_8th_of_downs":
                found += [network.downs_before[place] + shared < eighth for shared in (0, 1)]
            else:
                found.append(_true(condition, choice.part, place, network))
    return tuple(found)


def mlx_bytes(matrix: Matrix, kind: str) -> int:
    """Bytes of a module's matrices in MLX's groups of 64; rows that are no multiple of a group stay in 16 bits."""
    whole = matrix.into % 64 != 0
    return matrix_bytes(matrix.out, matrix.into, "bf16" if whole else kind) * matrix.count


def ordered(kinds: Iterable[str]) -> Sequence[str]:
    """Kinds of files, most bits first."""
    known = set(kinds)
    return [kind for kind in FILE_KINDS if kind in known]
