"""A quantization object, as the tools write it into config.json or beside it -> the format of each module.

Sources: transformers' quantization_config classes (fp8, fbgemm_fp8, mxfp4, awq, gptq, compressed-tensors, quark), vLLM
0.33 model_executor/layers/quantization, ModelOpt's export (quant_algo, exclude_modules, quantized_layers), MLX's
`quantization` (one 16-bit scale and one 16-bit bias per group), intel auto-round. A scheme whose bytes are not known is
refused, not rounded to the nearest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from catalogs.checkpoints.names import Names, PatternError
from catalogs.formats import SCALES, Scales

Quantization = Mapping[str, Any]
TABLES = ("lm_head", "model.embed_tokens")
"""Modules that stay in 16 bits unless something says otherwise."""
ROUTED = Names(("*.experts.*", "*.experts"))
"""Routed experts; shared ones have a name of their own."""


NOBODY = Names(())


class UnknownScheme(ValueError):
    """A scheme whose bytes are not known: says what of it."""


@dataclass(frozen=True)
class Weights:
    """The format of some weights; `scales` where they are not the usual ones of the format."""

    format: str
    scales: Scales | None = None


WHOLE = Weights("bf16")


@dataclass(frozen=True)
class Scheme:
    """How a checkpoint holds its modules: those that `kept` names in 16 bits, those of `listed` as the first entry says
    that names them, all others as `usual`. `tables`: whether the output head and the embedding are among the others.
    `kv_cache`: precision of the KV cache that it names, empty where it names none."""

    usual: Weights
    listed: tuple[tuple[Names, Weights], ...] = ()
    kept: Names = NOBODY
    tables: frozenset[str] = frozenset()
    kv_cache: str = ""

    def of(self, module: str) -> Weights:
        """How a module is held; raises PatternError for a pattern that is not understood."""
        if module in self.kept:
            return WHOLE
        listed = next((weights for names, weights in self.listed if module in names), None)
        if listed is not None:
            return listed
        return WHOLE if module in TABLES and module not in self.tables else self.usual

    def check(self) -> None:
        """Raises PatternError for a pattern that is not understood."""
        for names in (self.kept, *(names for names, _ in self.listed)):
            names.check()

    def scales(self) -> dict[str, Scales]:
        """Format -> how the checkpoint scales it, where that is not the usual way. Raises UnknownScheme where one
        format is scaled in two ways that differ in bytes (those of FP8 are too few to)."""
        found: dict[str, Scales | None] = {}
        for weights in (self.usual, *(w for _, w in self.listed)):
            if found.setdefault(weights.format, weights.scales) != weights.scales and weights.format != "fp8":
                raise UnknownScheme(f"{weights.format} is scaled in more than one way")
        return {name: scales for name, scales in found.items() if scales is not None}


def read_scheme(found: Quantization, expert_dtype: Any = None) -> Scheme:
    """The scheme of a quantization object. `expert_dtype`: what the config says of routed experts beside it. Raises
    UnknownScheme."""
    method = str(found.get("quant_method") or ("modelopt" if "quant_algo" in found else "")).casefold()
    reader = READERS.get(method.replace("_", "-"))
    if reader is None:
        raise UnknownScheme(f"quant_method={method[:20]}" if method else "no quant_method")
    scheme = reader(found)
    if (said := found.get("expert_dtype", expert_dtype)) == "fp4":
        # NVIDIA's V4 lists the experts that it converts; those of the MTP module stay as DeepSeek has them.
        listed = (*scheme.listed, (ROUTED, Weights("mxfp4")))
        return Scheme(scheme.usual, listed, scheme.kept, scheme.tables, scheme.kv_cache)
    if said not in (None, "fp4", "fp8"):
        raise UnknownScheme(f"expert_dtype={str(said)[:20]}")
    return scheme


# Parts of several tools' objects --------------------------------------------------------------------------------------


def _names(found: Any, *fields: str) -> tuple[str, ...]:
    """The names of modules in the first of these fields that has any."""
    for field in fields:
        said = found.get(field)
        if said:
            if not isinstance(said, list) or not all(isinstance(name, str) for name in said):
                raise UnknownScheme(f"{field} is no list of names")
            return tuple(said)
    return ()


def _object(found: Any, what: str) -> Quantization:
    if not isinstance(found, dict):
        raise UnknownScheme(f"{what} is no object")
    return found


def _whole_number(found: Any, what: str) -> int:
    if not isinstance(found, int) or isinstance(found, bool) or not -1 <= found <= 1_000_000:
        raise UnknownScheme(f"{what}={str(found)[:20]}")
    return found


def _integer(bits: Any, group: Any, zero_bits: int, what: str = "group_size") -> Weights:
    """Whole numbers in groups along a row, with a 16-bit scale each; a group of -1 or 0 is the row."""
    if bits not in (2, 3, 4, 5, 6, 8) or isinstance(bits, bool):
        raise UnknownScheme(f"bits={str(bits)[:20]}")
    return Weights(f"int{bits}", Scales(1, max(0, _whole_number(group, what)), 16 + zero_bits))


def _blocks(sides: Any, bits: int = 32) -> Scales:
    """A scale for each block of FP8."""
    if not isinstance(sides, list) or len(sides) != 2:
        raise UnknownScheme(f"weight_block_size={str(sides)[:20]}")
    rows, columns = (_whole_number(side, "weight_block_size") for side in sides)
    if rows < 1 or columns < 1:
        raise UnknownScheme(f"weight_block_size={str(sides)[:20]}")
    return Scales(rows, columns, bits)


PER_TENSOR = Scales(0, 0, 32)
PER_ROW = Scales(1, 0, 16)


def _kv_cache(found: Quantization) -> str:
    """The KV cache that an object names: FP8, or none that is counted (a 4-bit one is left to the request)."""
    said = found.get("kv_cache_scheme") or found.get("kv_cache_quant_algo") or found.get("kv_cache_quant_config")
    if isinstance(said, str):
        return "fp8" if said.upper().startswith("FP8") else ""
    if not isinstance(said, dict):
        return ""
    if (said.get("num_bits"), said.get("type")) == (8, "float"):
        return "fp8"
    outputs = [inner.get("output_tensors") for inner in said.values() if isinstance(inner, dict)]  # AMD Quark's
    kinds = {str(tensor.get("dtype")) for tensor in outputs if isinstance(tensor, dict)}
    return "fp8" if any(kind.startswith("fp8") for kind in kinds) else ""


# One reader per tool --------------------------------------------------------------------------------------------------


def _fp8(found: Quantization) -> Scheme:
    """DeepSeek's, Qwen's and GLM's FP8 in blocks, or with a scale per matrix; NVIDIA's V4 lists FP4 experts in it, and
    MiMo-V2.6 stores them in MXFP4 (vLLM 0.33.0 fp8.py: store_dtype)."""
    sides = found.get("weight_block_size")
    if sides is None and not found.get("activation_scheme"):
        raise UnknownScheme("quant_method=fp8 without weight_block_size and activation_scheme")
    bits = 8 if found.get("scale_fmt") == "ue8m0" else 32
    usual = Weights("fp8", PER_TENSOR if sides is None else _blocks(sides, bits))
    if found.get("quant_algo") == "MIXED_PRECISION" or found.get("quantized_layers"):
        # What is ignored there is not in FP4; it stays FP8.
        return Scheme(usual, _quantized_layers(found), kv_cache=_kv_cache(found))
    kept = Names(_names(found, "modules_to_not_convert", "ignored_layers"))
    stored = found.get("store_dtype")
    if stored not in (None, "fp8", "mxfp4") or found.get("mxfp4_block_size") not in (None, 32):
        raise UnknownScheme(
            f"store_dtype={str(stored)[:20]}, mxfp4_block_size={str(found.get('mxfp4_block_size'))[:20]}"
        )
    experts = ((ROUTED, Weights("mxfp4")),) if stored == "mxfp4" else ()
    return Scheme(usual, experts, kept, kv_cache=_kv_cache(found))


def _w4afp8(found: Quantization) -> Scheme:
    """SGLang's, as of DeepSeek-R1-W4AFP8: routed experts in INT4 with a 16-bit scale per group, all else in FP8 of
    blocks of 128 (SGLang 0.5.23 w4afp8.py, whose groups and blocks have these sizes whatever the file says)."""
    experts = (ROUTED, _integer(4, 128, 0))
    return Scheme(Weights("fp8"), (experts,), Names(_names(found, "ignored_layers", "modules_to_not_convert")))


def _fbgemm(found: Quantization) -> Scheme:
    return Scheme(Weights("fp8", Scales(1, 0, 32)), kept=Names(_names(found, "modules_to_not_convert")))


def _mxfp8(found: Quantization) -> Scheme:
    kept = Names(_names(found, "modules_to_not_convert", "ignored_layers", "exclude_modules"))
    return Scheme(Weights("mxfp8"), kept=kept, kv_cache=_kv_cache(found))


def _mxfp4(found: Quantization) -> Scheme:
    """OpenAI's: routed experts alone."""
    return Scheme(WHOLE, ((ROUTED, Weights("mxfp4")),), kept=Names(_names(found, "modules_to_not_convert")))


def _awq(found: Quantization) -> Scheme:
    """A name that is not converted stands for every module that has it anywhere in its own."""
    bits = found.get("bits", found.get("w_bit"))
    zero = bits if found.get("zero_point", True) and isinstance(bits, int) else 0
    kept = Names(tuple(f"*{name}*" for name in _names(found, "modules_to_not_convert")))
    return Scheme(_integer(bits, found.get("group_size", found.get("q_group_size")), zero), kept=kept)


def _gptq(found: Quantization) -> Scheme:
    """Zero points are stored whether they say something or not; `dynamic` bars modules behind `-:`; `lm_head` says that
    the output head is quantized too (vLLM 0.33.0 auto_gptq.py)."""
    bits = found.get("bits", found.get("w_bit"))
    usual = _integer(bits, found.get("group_size", found.get("q_group_size")), bits if isinstance(bits, int) else 0)
    rules = found.get("dynamic") or {}
    listed = []
    for name, change in _object(rules, "dynamic").items():
        pattern = "re:" + name.removeprefix("-:").removeprefix("+:")
        if name.startswith("-:") or change is False:
            listed.append((Names((pattern,)), WHOLE))
        else:
            said = {**found, **_object(change, "dynamic")}
            own = said.get("bits")
            listed.append(
                (Names((pattern,)), _integer(own, said.get("group_size"), own if isinstance(own, int) else 0))
            )
    tables = frozenset({"lm_head"}) if found.get("lm_head") is True else frozenset[str]()
    return Scheme(usual, tuple(listed), kept=Names(_names(found, "modules_to_not_convert")), tables=tables)


def _auto_round(found: Quantization) -> Scheme:
    """Whole numbers as GPTQ stores them; `extra_config` says other bits of single modules."""
    if "mx" in str(found.get("data_type")) or "nv" in str(found.get("data_type")):
        raise UnknownScheme(f"data_type={str(found.get('data_type'))[:20]}")
    bits, group = found.get("bits"), found.get("group_size")
    usual, listed = _integer(bits, group, bits if isinstance(bits, int) else 0), []
    for name, change in _object(found.get("extra_config") or {}, "extra_config").items():
        own = _object(change, "extra_config").get("bits", bits)
        weights = WHOLE if own in (16, 32) else _integer(own, change.get("group_size", group), own)
        listed.append((Names((name,)), weights))
    return Scheme(usual, tuple(listed))


ALGORITHMS: dict[str, Weights] = {
    "FP8": Weights("fp8", PER_TENSOR), "FP8_PER_CHANNEL_PER_TOKEN": Weights("fp8", Scales(1, 0, 32)),
    "FP8_PC_PT": Weights("fp8", Scales(1, 0, 32)), "FP8_PB_WO": Weights("fp8"), "FP8_PB_REAL": Weights("fp8"),
    "FP8_BLOCK_SCALES": Weights("fp8"), "FP8_2D_BLOCKWISE_WEIGHT_ONLY": Weights("fp8"),
    "NVFP4": Weights("nvfp4"), "W4A16_NVFP4": Weights("nvfp4"), "NVFP4_AWQ": Weights("nvfp4"),
    "W4A8_NVFP4_FP8": Weights("nvfp4"), "MXFP8": Weights("mxfp8"), "MXFP4": Weights("mxfp4"),
    "W4A16_MXFP4": Weights("mxfp4"), "W4A8_MXFP4_FP8": Weights("mxfp4"), "W4A8_MXFP4_MXFP8": Weights("mxfp4"),
    "W8A16": Weights("int8"), "INT8": Weights("int8"), "INT8_SQ": Weights("int8"),
    "W8A8_SQ_PER_CHANNEL": Weights("int8"),
}  # fmt: skip
"""ModelOpt's names; INT4 is read with its groups."""
INT4 = ("W4A16_AWQ", "W4A8_AWQ", "INT4_AWQ", "W4A16", "W4A16_GPTQ", "W4A16_INT4")
GROUPS = {"nvfp4": 16, "mxfp4": 32, "mxfp8": 32}


def _algorithm(found: Quantization) -> Weights:
    """The format of a `quant_algo` with its `group_size`."""
    name, group = str(found.get("quant_algo")).upper(), found.get("group_size")
    if name in INT4:
        return _integer(4, 128 if group is None else group, 0)
    weights = ALGORITHMS.get(name)
    if weights is None or group not in (None, GROUPS.get(weights.format, group)):
        raise UnknownScheme(f"quant_algo={name[:20]}, group_size={str(group)[:20]}")
    return weights


def _quantized_layers(found: Quantization) -> tuple[tuple[Names, Weights], ...]:
    """Modules of each algorithm, where each module is listed with its own."""
    by_algorithm: dict[Weights, list[str]] = {}
    for module, said in _object(found.get("quantized_layers"), "quantized_layers").items():
        by_algorithm.setdefault(_algorithm(_object(said, "quantized_layers")), []).append(module)
    if not by_algorithm:
        raise UnknownScheme("quantized_layers is empty")
    return tuple((Names(tuple(modules)), weights) for weights, modules in by_algorithm.items())


def _modelopt(found: Quantization) -> Scheme:
    """NVIDIA's ModelOpt: one algorithm but for what it excludes, or a list of modules with theirs."""
    kept = Names(_names(found, "exclude_modules", "ignore"))
    if found.get("quant_algo") == "MIXED_PRECISION":
        return Scheme(WHOLE, _quantized_layers(found), kept, kv_cache=_kv_cache(found))
    if "quant_algo" in found and found["quant_algo"] is None and _kv_cache(found):  # the KV cache alone
        return Scheme(WHOLE, kept=kept, kv_cache=_kv_cache(found))
    return Scheme(_algorithm(found), (), kept, kv_cache=_kv_cache(found))


def _compressed_tensors(found: Quantization) -> Scheme:
    """llm-compressor: groups of modules, each with a scheme of its own."""
    sparsity = found.get("sparsity_config")
    if isinstance(sparsity, dict) and sparsity.get("format", "dense") != "dense":
        raise UnknownScheme(f"sparsity_config={str(sparsity.get('format'))[:20]}")
    groups = list(_object(found.get("config_groups"), "config_groups").values())
    usual, listed = None, []
    for group in groups:
        weights = _group(_object(group, "config_groups"), str(group.get("format") or found.get("format") or ""))
        targets = _names(group, "targets") or ("Linear",)
        if "Linear" in targets:
            usual = weights
        elif unknown := [x for x in targets if x.isidentifier() and x[0].isupper()]:
            raise UnknownScheme(f"targets={unknown[0][:20]}")
        else:
            listed.append((Names(targets), weights))
    if usual is None and not listed and not _kv_cache(found):  # without groups it may be the KV cache alone
        raise UnknownScheme("config_groups is empty")
    kept = Names(_names(found, "ignore"))
    # The output head is a linear layer like others to this tool: it is ignored by name, or quantized.
    tables = frozenset({"lm_head"}) if usual is not None and kept.listed else frozenset[str]()
    return Scheme(usual or WHOLE, tuple(listed), kept, tables, _kv_cache(found))


def _group(group: Quantization, file_format: str) -> Weights:
    """The weights of one group."""
    if group.get("weights") is None:
        return WHOLE
    said = _object(group["weights"], "weights")
    bits, kind, size = said.get("num_bits"), said.get("type"), said.get("group_size")
    strategy = said.get("strategy") or ("tensor" if size is None else "group")
    told = f"num_bits={str(bits)[:20]}, type={str(kind)[:20]}, strategy={str(strategy)[:20]}, group_size={size!s:.20}"
    if file_format.startswith(("marlin-24", "sparse")):
        raise UnknownScheme(f"format={file_format[:20]}")
    if (bits, kind) == (4, "float"):
        found = {16: "nvfp4", 32: "mxfp4"}.get(size) if isinstance(size, int) else None
        if found is None:
            raise UnknownScheme(told)
        return Weights(found)
    if (bits, kind) == (8, "float"):
        return _float8(strategy, said, told)
    if kind != "int":
        raise UnknownScheme(told)
    zero = 0 if said.get("symmetric", True) else bits if isinstance(bits, int) else 0
    if strategy in ("group", "channel"):
        return _integer(bits, size if strategy == "group" else 0, zero)
    if strategy == "tensor":
        return Weights(_integer(bits, 0, 0).format, PER_TENSOR)
    raise UnknownScheme(told)


def _float8(strategy: Any, said: Quantization, told: str) -> Weights:
    if strategy == "block":
        sides = said.get("block_structure")
        return Weights("fp8", None if sides == [128, 128] else _blocks(sides))
    if strategy in ("tensor", "channel"):
        return Weights("fp8", PER_TENSOR if strategy == "tensor" else PER_ROW)
    if strategy == "group" and said.get("group_size") == 32:
        return Weights("mxfp8")
    raise UnknownScheme(told)


def _quark(found: Quantization) -> Scheme:
    """AMD's Quark: one scheme but for what it excludes and for layers that it lists."""
    usual = _quark_weights(_object(found.get("global_quant_config"), "global_quant_config"))
    layers = _object(found.get("layer_quant_config") or {}, "layer_quant_config")
    listed = tuple((Names((name,)), _quark_weights(_object(said, name))) for name, said in layers.items())
    return Scheme(usual, listed, Names(_names(found, "exclude")), kv_cache=_kv_cache(found))


def _quark_weights(config: Quantization) -> Weights:
    if config.get("weight") is None:
        return WHOLE
    said = config["weight"][0] if isinstance(config["weight"], list) and config["weight"] else config["weight"]
    said = _object(said, "weight")
    kind, how, group = str(said.get("dtype")), said.get("qscheme"), said.get("group_size")
    if kind.startswith("fp8"):
        if how == "per_block":
            return Weights("fp8", _blocks(said.get("block_size")))
        return Weights("fp8", {"per_tensor": PER_TENSOR, "per_channel": Scales(1, 0, 32)}.get(str(how), SCALES["fp8"]))
    if kind.startswith("fp4") and how == "per_group" and group in (16, 32):
        return Weights("mxfp4" if group == 32 else "nvfp4")
    if kind.removeprefix("u").startswith("int") and kind.removeprefix("u")[3:].isdecimal():
        bits = int(kind.removeprefix("u")[3:5])
        return _integer(bits, group if how == "per_group" else 0, 0 if said.get("symmetric") else bits)
    raise UnknownScheme(f"dtype={kind[:20]}, qscheme={str(how)[:20]}, group_size={str(group)[:20]}")


def _int8_blocks(found: Quantization) -> Scheme:
    """SGLang's INT8 in blocks, as of DeepSeek-R1-Block-INT8."""
    return Scheme(Weights("int8", _blocks(found.get("weight_block_size"))))


def _int8_rows(found: Quantization) -> Scheme:
    """SGLang's INT8 with a scale per row, as of DeepSeek-R1-Channel-INT8."""
    return Scheme(Weights("int8", Scales(1, 0, 32)), kept=Names(_names(found, "ignore", "modules_to_not_convert")))


READERS: dict[str, Callable[[Quantization], Scheme]] = {
    "fp8": _fp8, "fbgemm-fp8": _fbgemm, "mxfp8": _mxfp8, "mxfp4": _mxfp4, "awq": _awq, "gptq": _gptq,
    "auto-round": _auto_round, "intel/auto-round": _auto_round, "modelopt": _modelopt, "modelopt-fp4": _modelopt,
    "modelopt-mixed": _modelopt, "modelopt-mxfp8": _modelopt, "compressed-tensors": _compressed_tensors,
    "quark": _quark, "blockwise-int8": _int8_blocks, "w8a8-int8": _int8_rows,
    "awq-marlin": _awq, "gptq-marlin": _gptq, "gptq-v2": _gptq, "w4afp8": _w4afp8,
}  # fmt: skip
"""quant_method -> its reader."""


def read_mlx(found: Quantization) -> Scheme:
    """MLX's `quantization`: every matrix, the embedding included, but for modules that it names. Routed experts are
    called switch_mlp there (mlx-lm's models/switch_layers.py)."""
    usual = _mlx_weights(found, found)
    listed = []
    for name, said in found.items():
        if "." not in name and name not in ("lm_head", "model"):
            continue
        weights = WHOLE if said is False else usual if said is True else _mlx_weights(_object(said, name), found)
        listed.append((Names((name.replace(".switch_mlp.", ".experts.0."),)), weights))
    return Scheme(usual, tuple(listed), tables=frozenset(TABLES))


def _mlx_weights(said: Quantization, usual: Quantization) -> Weights:
    mode = said.get("mode", usual.get("mode")) or "affine"
    if mode in ("mxfp4", "mxfp8", "nvfp4"):
        return Weights(str(mode))
    if mode != "affine":
        raise UnknownScheme(f"mode={str(mode)[:20]}")
    return _integer(said.get("bits", usual.get("bits")), said.get("group_size", usual.get("group_size")), 16)


__all__ = ["TABLES", "PatternError", "Quantization", "Scheme", "UnknownScheme", "Weights", "read_mlx", "read_scheme"]
