"""Hugging Face config -> layers: one module per kind of attention, each with the architectures that it builds.

An architecture that no module names is refused by name. A new family: a module beside these with an ARCHITECTURES of
its own, its fields in catalogs/llms/fields/, and its published totals in tests/catalogs/."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

from catalogs.architectures.base import Architecture, Config, experts_of
from catalogs.decoder_config import decoder_config
from catalogs.errors import InputError
from catalogs.formats import SCALES, Scales
from catalogs.transformer import Layer, Linear, Llm, apart

if TYPE_CHECKING:
    from catalogs.architectures.wrapped import Wrapper

FAMILIES = (
    "latent",
    "deepseek_v4",
    "deepseek_v41",
    "grouped",
    "grouped_families",
    "near_llama",
    "grouped_experts",
    "dense_families",
    "routed_families",
    "delta_net",
    "block_sparse",
    "mamba",
    "mamba_hybrids",
    "jamba",
    "short_convolution",
    "kimi_delta",
    "lightning",
    "searched",
    "mistral",
    "gemma",
    "windowed",
    "latent_families",
    "olmo_hybrid",
    "deepseek_ocr",
    "step3",
    "qwen4_exp",
    "glm5_next",
    "ernie_vl",
    "hy_v4",
)
"""Modules of this folder, each with an ARCHITECTURES of its own; no name stands in two of them."""


class _Architectures(Mapping[str, Architecture]):
    """The architectures of all families. A request opens one model: families are imported one after the other until one
    knows its name."""

    def __getitem__(self, name: str) -> Architecture:
        for family in FAMILIES:
            if name in (known := _of_family(family)):
                return known[name]
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return (name for family in FAMILIES for name in _of_family(family))

    def __len__(self) -> int:
        return sum(len(_of_family(family)) for family in FAMILIES)


def _of_family(family: str) -> Mapping[str, Architecture]:
    known: Mapping[str, Architecture] = import_module(f"{__name__}.{family}").ARCHITECTURES
    return known


ARCHITECTURES: Mapping[str, Architecture] = _Architectures()
"""Name in config.json -> how it is built."""


def around(name: str) -> Wrapper | None:
    """What is around a language model in an architecture of that name; None where it is one itself."""
    if name in ARCHITECTURES:
        return None
    found: Wrapper | None = import_module(f"{__name__}.wrapped").WRAPPERS.get(name)
    return found


def language_model(config: Config) -> str:
    """The architecture of a config's language model: its own, or that of the one inside. It need not be understood."""
    name: str = config["architectures"][0]
    if around(name):
        name = import_module(f"{__name__}.wrapped").language_model(config)
    return name


def nearest_architectures(name: str) -> str:
    """What to say of an architecture that is not understood: the nearest names that are, and how many there are."""
    names = [*ARCHITECTURES, *import_module(f"{__name__}.wrapped").WRAPPERS]
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.6)
    nearest = f"Nearest: {', '.join(near)}. " if near else ""
    return f"{nearest}{len(names)} architectures are understood; `dsopt models list` shows models of them."


def from_config(
    config: Config,
    stored: Callable[[str], str] | None = None,
    scales: Mapping[str, Scales] | None = None,
    **facts: Any,
) -> Llm:
    """A model from a Hugging Face config, nested or not; an architecture not understood is refused by name.

    `stored`: full name of a module -> the format of its weights in the checkpoint, empty where that is the model's
    native one (`lm_head` and `model.embed_tokens`: where it is 16 bits); `scales`: format -> how the checkpoint scales
    it, where that is not the usual way; `facts`: the other fields of Llm."""
    names = config.get("architectures") or ["(none)"]
    wrapper = around(names[0])
    name = language_model(config) if wrapper else names[0]
    if name not in ARCHITECTURES:
        remedy = nearest_architectures(str(name))
        raise InputError(f"architecture {name!r} is not understood", "unknown-architecture", remedy)
    architecture, flat = ARCHITECTURES[name], flat_config(config)
    layers = [architecture.build(flat, number) for number in range(flat["num_hidden_layers"])]
    if stored is not None:
        layers = [_as_stored(layer, f"model.layers.{number}", stored) for number, layer in enumerate(layers)]
    draft = architecture.draft(flat)
    experts = experts_of(flat)
    return Llm(
        architecture=wrapper.name if wrapper else architecture.name,
        attention=architecture.attention,
        config=flat,
        layer_list=_with_equals_shared(layers),
        head=architecture.head(flat, stored or _unsaid),
        formats=architecture.formats,
        mixed=architecture.mixed,
        scales={**SCALES, "fp8": architecture.fp8_scales, **(scales or {})},
        experts=experts,
        experts_per_token=flat.get("num_experts_per_tok", 0) if experts else 0,
        tower_params=(wrapper or architecture).tower(flat),
        draft_kind=draft.kind,
        draft_list=tuple(
            _draft_layer(layer, place, stored, facts["native_precision"]) for place, layer in draft.layers
        ),
        **facts,
    )


def _with_equals_shared(layers: Iterable[Layer]) -> tuple[Layer, ...]:
    """Layers in order, equal ones as one object: Llm counts each object once."""
    first: dict[Layer, Layer] = {}
    return tuple(first.setdefault(layer, layer) for layer in layers)


def flat_config(config: Config) -> Config:
    """The fields of the language model of a known architecture, under the names that builders and rules know, and under
    its own architecture where another is around it."""
    flat, name = decoder_config(config), language_model(config)
    if wrapper := around(config["architectures"][0]):
        flat = {**wrapper.read(flat), "architectures": [name]}
    return ARCHITECTURES[name].read(flat)


def _unsaid(module: str) -> str:
    """The format of a module of which no checkpoint says anything."""
    return ""


def _draft_layer(layer: Layer, place: str, stored: Callable[[str], str] | None, native: str) -> Layer:
    """A layer of the module for several tokens, marked as one. What of it always is in 16 bits (`Linear.whole`) is so
    whatever a checkpoint says of all modules; a list of what stays in 16 bits says nothing of the others here."""
    held = layer if stored is None else _as_stored(layer, place, stored)
    said = {native: ""}
    marked = (replace(x, draft=True, stored="" if x.whole else said.get(x.stored, x.stored)) for x in held.linears)
    return replace(held, linears=tuple(marked))


def _as_stored(layer: Layer, place: str, stored: Callable[[str], str]) -> Layer:
    """A layer whose matrices know the format in which a checkpoint holds them."""
    linears: list[Linear] = []
    for linear in layer.linears:
        parts = apart(linear)
        formats = [stored(f"{place}.{part.name}") for part in parts]
        if len(set(formats)) > 1:
            linears += [replace(part, stored=format_) for part, format_ in zip(parts, formats, strict=True)]
        else:
            linears.append(linear if formats[0] == linear.stored else replace(linear, stored=formats[0]))
    return replace(layer, linears=tuple(linears))
