"""The precision in which a checkpoint is published, found in the order that engines use.

vLLM 0.33 (transformers_utils/config.py, model_loader/weight_utils.py) and SGLang 0.5.23 take the first of:
quantization_config, that of the nested language model, compression_config, and hf_quant_config.json beside config.json,
which ModelOpt up to 0.29 writes alone. MLX writes `quantization`. Without them weights have the type of `dtype`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from catalogs.architectures import ARCHITECTURES, from_config, language_model
from catalogs.checkpoints.schemes import (
    TABLES,
    PatternError,
    Scheme,
    UnknownScheme,
    Weights,
    read_mlx,
    read_scheme,
)
from catalogs.decoder_config import NESTED, decoder_config
from catalogs.errors import Fault, InputError
from catalogs.formats import SIXTEEN, Scales
from catalogs.message import message
from catalogs.transformer import Linear, Llm, apart

if TYPE_CHECKING:
    from catalogs.checkpoints.weight_files import WeightFiles

Config = Mapping[str, Any]
REMEDY = "Name the format to count with --precision."
BESIDE = "hf_quant_config.json"
TENSORS, GGUF = "tensors", "GGUF"
TOLD_BY_WEIGHTS = (TENSORS, GGUF)
"""Where a format is found that no config says."""
REMEDY_BESIDE = f"Put {BESIDE} beside config.json, or name the format to count with --precision."
UNSAID = 0.15
"""Share of 16-bit weights that may be missing where no file says how they are quantized: a tied table, a tower."""
ROUTERS = (".gate", ".router", ".shared_expert_gate")
"""What chooses experts: no matrix of its own here, and too small for its format to matter."""
NOBODY: Mapping[str, Any] = {"id": "", "name": "", "min_precision_bits": 16, "max_context": 1, "source": ""}
"""What a model is called that only its sizes are asked of."""
SAID = re.compile(
    r"(?<![a-z0-9])(nvfp4|mxfp4|mxfp8|fp8|fp4|nf4|int[2-8](?:mix)?|w[2-8]a(?:4|8|16|fp8)|awq|gptq|gguf|bnb|hqq|aqlm|eetq"
    r"|exl[23]|[2-8]-?bit|\d(?:\.\d+)?bpw|i?q[1-8]_[a-z0-9_]+)(?![a-z0-9])",
    re.I,
)
"""A weight format in the name of a repository, a folder or a file."""
SAID_WHOLE = re.compile(r"(?<![a-z0-9])(bf16|fp16|unquantized)(?![a-z0-9])", re.I)


@dataclass(frozen=True)
class Published:
    """The format of a checkpoint and what it says of single modules. `where`: the field or file that says so."""

    native: str
    where: str = ""
    scheme: Scheme | None = None
    scales: Mapping[str, Scales] = field(default_factory=dict)

    @property
    def kv_cache(self) -> str:
        """The precision of the KV cache that the checkpoint names, empty where it names none."""
        return self.scheme.kv_cache if self.scheme else ""

    def stored(self) -> Callable[[str], str] | None:
        """Module -> the format that it has, empty where it is the native one; None where nothing is said.

        A checkpoint that lists what it leaves out means all others: the native format is theirs, whatever conversions
        of the architecture usually do. One that lists nothing leaves it to the architecture (`Architecture.mixed`)."""
        if self.scheme is None:
            return None
        scheme, native = self.scheme, self.native
        unsaid = "" if not scheme.kept.listed else native

        def format_of(module: str) -> str:
            found = scheme.of(module).format
            return found if module in TABLES or found != native else unsaid

        return format_of

    def facts(self) -> dict[str, Any]:
        """What `from_config` takes of it."""
        return {
            "stored": self.stored(), "scales": self.scales, "native_precision": self.native, "kv_cache": self.kv_cache,
        }  # fmt: skip


def with_beside(config: Config, beside: Config | None) -> Config:
    """A config that says itself what the quantization file beside it says, where it says nothing."""
    if beside is None or _in_config(config)[0] is not None:
        return config
    found = beside.get("quantization", beside)
    return {
        **config,
        "quantization_config": {"quant_method": "modelopt", **found} if isinstance(found, dict) else found,
    }


def published(
    config: Config, file: str = "", names: Iterable[str] = (), weights: WeightFiles | None = None
) -> Published:
    """The precision of a checkpoint by its config, with what lay beside it (`with_beside`). `names`: of the repository,
    folder or file; `weights`: its weight files, which tell where the config is silent. Raises InputError naming what is
    not understood, or the name that says more than the files."""
    if weights is not None and weights.kind:
        return _by_blocks(config, file, weights)
    found, where = _in_config(config)
    if found is None and weights is not None:
        return _by_weights(config, file, weights)
    if found is None:
        return _unquantized(config, file, names)
    if not isinstance(found, dict):
        raise _fault("is not an object", file, where, found)
    try:
        return _read(config, found, where)
    except (UnknownScheme, PatternError) as e:
        text = message("this quantization is not understood ({what})", what=str(e)[:160])
        raise _fault(text, file, where, _said(found)) from None


def native_format(config: Config, file: str = "") -> str:
    """Our name of the format that a config says; raises InputError naming what is not understood."""
    return published(config, file).native


def _in_config(config: Config) -> tuple[Any, str]:
    """(quantization object, field) of a config.json; None where it has none."""
    nested: Config = next((config[name] for name in NESTED if isinstance(config.get(name), dict)), {})
    order = [(config, "quantization_config"), (nested, "quantization_config"), (config, "compression_config")]
    for place, name in (*order, (config, "quantization")):
        if place.get(name):
            return place[name], name
    return None, ""


def _unquantized(config: Config, file: str, names: Iterable[str]) -> Published:
    dtype = _dtype(config, file)
    for name in (*names, str(config.get("_name_or_path") or "")):
        said = SAID.search(name)
        if said and not SAID_WHOLE.search(name):
            text = message(
                "the name says {format}, but no file says how the weights are quantized", format=said[1].upper()
            )
            raise InputError(Fault("unsaid-quantization", text, file, None, "", name[:80], REMEDY_BESIDE))
    return Published("bf16", dtype)


def _dtype(config: Config, file: str) -> str:
    """`dtype` where a config names a type of 16 bits, or of 32, of which engines make 16 when they load the weights
    (vLLM 0.33.0 config/model.py: _find_dtype, "Downcast for float32 models"); raises InputError for another."""
    flat = decoder_config(config)
    dtype = flat.get("torch_dtype") or flat.get("dtype")
    if dtype not in (None, "bfloat16", "float16", "float32"):
        raise _fault("weights of this type are not understood", file, "torch_dtype", dtype)
    return "dtype" if dtype else ""


def _by_weights(config: Config, file: str, weights: WeightFiles) -> Published:
    """Of a config that says nothing, by the weights themselves: their types, or at least their size."""
    from catalogs.checkpoints.tensors import all_whole, scheme_of

    dtype = _dtype(config, file)
    plain = from_config(config, native_precision="bf16", **NOBODY)
    if not weights.opened:
        whole = 2 * plain.params_total
        if weights.total_bytes < (1 - UNSAID) * whole:
            text = message(
                "its weights are {gb} GB, 16 bits would be {whole} GB, and no file says how they are quantized",
                gb=f"{weights.total_bytes / 1e9:,.1f}", whole=f"{whole / 1e9:,.1f}",
            )  # fmt: skip
            raise InputError(Fault("unsaid-quantization", text, file, remedy=REMEDY_BESIDE))
        return Published("bf16", dtype)
    if all_whole(weights.tensors):
        return Published("bf16", dtype or TENSORS)
    try:
        return _of_scheme(config, scheme_of(weights.tensors, _linears(plain)), TENSORS)
    except UnknownScheme as e:
        text = message("no file says how the weights are quantized, and their tensors don't tell ({what})", what=str(e))
        raise InputError(Fault("unsaid-quantization", text, file, remedy=REMEDY_BESIDE)) from None


def _by_blocks(config: Config, file: str, weights: WeightFiles) -> Published:
    """Of GGUF files: by the type of each tensor."""
    from catalogs.checkpoints.gguf_model import scheme_of

    plain = from_config(config, native_precision="bf16", **NOBODY)
    tables = (linear.name for linear in plain.head.linears)
    try:
        scheme = scheme_of(weights.tensors, (*(module for module, _ in _linears(plain)), *tables))
    except UnknownScheme as e:
        raise _fault(message("this quantization is not understood ({what})", what=str(e)), file, "", "") from None
    return Published("bf16" if weights.kind in SIXTEEN else weights.kind, GGUF, scheme)


def _read(config: Config, found: Mapping[str, Any], where: str) -> Published:
    of_mlx = where == "quantization" or not ({"quant_method", "quant_algo", "config_groups"} & set(found))
    scheme = read_mlx(found) if of_mlx else read_scheme(found, decoder_config(config).get("expert_dtype"))
    scheme.check()
    return _of_scheme(config, scheme, where)


def _of_scheme(config: Config, scheme: Scheme, where: str) -> Published:
    """What a scheme makes of an architecture. Raises UnknownScheme."""
    native, architecture = scheme.usual.format, ARCHITECTURES[language_model(config)]
    if scheme.listed:
        native = _heaviest(from_config(config, native_precision="", **NOBODY), scheme)
    formats = {w.format for w in (scheme.usual, *(w for _, w in scheme.listed))}
    if native == "mxfp4" and "fp4-mix" in architecture.formats and "fp8" in formats:
        # DeepSeek V4's own mix of FP4 experts and FP8, which engines know under that name.
        listed = tuple((names, Weights("fp4-mix") if w.format == "mxfp4" else w) for names, w in scheme.listed)
        scheme, native = replace(scheme, listed=listed), "fp4-mix"
    scales = scheme.scales()
    if scales.get("fp8") and (scales["fp8"].rows, scales["fp8"].columns) == (architecture.fp8_block,) * 2:
        del scales["fp8"]  # the maker's own blocks, whose scales may have another type than the config says
    return Published(native, where, scheme, scales)


def _linears(llm: Llm) -> Iterator[tuple[str, Linear]]:
    """The matrices of each layer with the full name of their module; keys and values, gate and up apart."""
    for number, layer in enumerate(llm.layer_list):
        for linear in layer.linears:
            for each in apart(linear):
                yield f"model.layers.{number}.{each.name}", each


def _heaviest(llm: Llm, scheme: Scheme) -> str:
    """The format of fewer than 16 bits that most parameters have: the one that the checkpoint is called after. Raises
    UnknownScheme where a list names modules that the architecture does not have: they would be counted wrong."""
    params: Counter[str] = Counter()
    listed = [(number, names.of_layers(llm.layers)) for number, (names, _) in enumerate(scheme.listed)]
    left = {number for number, name in listed if name and not name.endswith(ROUTERS)}
    for module, linear in _linears(llm):
        params[scheme.of(module).format] += linear.params
        left = {entry for entry in left if module not in scheme.listed[entry][0]}
    if left:
        names, weights = scheme.listed[min(left)]
        raise UnknownScheme(f"{weights.format} of {names.of_layers(llm.layers)}, which the architecture does not have")
    quantized = {name: count for name, count in params.items() if name not in SIXTEEN}
    if not quantized:
        raise UnknownScheme("it names no module of this architecture")
    return max(quantized, key=lambda name: quantized[name])


def _fault(text: str, file: str, column: str, value: Any) -> InputError:
    return InputError(Fault("unknown-quantization", text, file, None, column, str(value)[:60], REMEDY))


def _said(found: Mapping[str, Any]) -> str:
    known = ("quant_method", "quant_algo", "bits", "group_size")
    return ", ".join(f"{name}={str(found[name])[:20]}" for name in known if name in found)
