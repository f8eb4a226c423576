"""The weight format in which a Hugging Face repository ships its model, from quantization_config.

Sources: transformers quantization_config classes (fp8, mxfp4, awq, gptq, compressed-tensors) and the modelopt export
format. Formats whose bytes differ from ours are refused, not rounded to the nearest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from catalogs.architectures import ARCHITECTURES
from catalogs.errors import Fault, InputError

WITH_EXPERT_TYPE = ("DeepseekV4ForCausalLM", "DeepseekV41ForCausalLM")
"""Architectures whose FP8 configs say apart what the routed experts are in."""
REMEDY = "Name the format to count with --precision."


def native_format(config: Mapping[str, Any], file: str = "") -> str:
    """Our name of the shipped format; raises InputError naming what is not understood."""
    q = config.get("quantization_config")
    dtype = config.get("torch_dtype") or config.get("dtype")
    if q is None:
        if dtype not in (None, "bfloat16", "float16"):
            raise _fault("weights of this type are not understood", file, "torch_dtype", dtype)
        return "bf16"
    if not isinstance(q, dict):
        raise _fault("is not an object", file, "quantization_config", q)
    architecture = ARCHITECTURES.get(config["architectures"][0])
    found = _read(q, architecture.fp8_block if architecture else 128)
    if not found:
        raise _fault("this quantization is not understood", file, "quantization_config", _said(q))
    if config["architectures"][0] in WITH_EXPERT_TYPE and found == "fp8":
        experts = q.get("expert_dtype") or config.get("expert_dtype")
        if experts not in ("fp4", "fp8"):
            raise _fault("must be fp4 or fp8", file, "expert_dtype", experts)
        return "fp4-mix" if experts == "fp4" else "fp8"
    if found == "mxfp4" and config["architectures"][0] != "GptOssForCausalLM":
        raise _fault("mxfp4 files are understood for gpt-oss alone", file, "quantization_config", _said(q))
    return found


def _fault(text: str, file: str, column: str, value: Any) -> InputError:
    return InputError(Fault("unknown-quantization", text, file, None, column, str(value)[:60], REMEDY))


def _said(q: Mapping[str, Any]) -> str:
    return ", ".join(f"{k}={str(q[k])[:20]}" for k in ("quant_method", "quant_algo", "bits", "group_size") if k in q)


def _read(q: Mapping[str, Any], fp8_block: int) -> str:
    method = q.get("quant_method")
    if method == "fp8":
        return "fp8" if q.get("weight_block_size") == [fp8_block, fp8_block] else ""
    if method == "mxfp4":
        return "mxfp4"
    if method in ("awq", "gptq"):
        bits = q.get("bits", q.get("w_bit"))
        return "int4" if bits == 4 and q.get("group_size", q.get("q_group_size")) == 128 else ""
    if method == "modelopt":
        return "nvfp4" if q.get("quant_algo") == "NVFP4" and q.get("group_size", 16) == 16 else ""
    if method == "compressed-tensors":
        return _groups(q.get("config_groups"))
    return ""


def _groups(groups: Any) -> str:
    if not isinstance(groups, dict) or len(groups) != 1:
        return ""
    group = next(iter(groups.values()))
    w = group.get("weights") if isinstance(group, dict) else None
    if not isinstance(w, dict):
        return ""
    size, blocks = w.get("group_size"), w.get("block_structure")
    known = [
        ("fp8", {"num_bits": 8, "type": "float", "strategy": "block"}, blocks == [128, 128]),
        ("int8", {"num_bits": 8, "type": "int", "strategy": "channel"}, True),
        ("int4", {"num_bits": 4, "type": "int", "strategy": "group"}, size == 128),
        ("nvfp4", {"num_bits": 4, "type": "float", "strategy": "tensor_group"}, size == 16),
    ]
    return next((name for name, said, fine in known if fine and all(w.get(k) == v for k, v in said.items())), "")
