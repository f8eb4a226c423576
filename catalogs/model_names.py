"""A model's name as people write it, taken apart: who converted it, what it is called, in which format its weights
are.

`unsloth/DeepSeek-R1-GGUF:Q4_K_M`, `deepseek-r1:671b-q4_K_M` and `mlx-community/DeepSeek-R1-4bit` each name a network
and a format. The patterns are here; which name is which network is data (catalogs/llms/registry.csv, aliases.csv).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from catalogs.inputs import shipped_rows

GGUF_KIND = r"(?:ud-)?(?:i?q\d(?:-[01k])?(?:-(?:nl|xxs|xs|s|m|l|xl|xxl))?|tq[12]-0|mxfp4-moe)"
"""Kinds of llama.cpp as `Q4_K_M`, `IQ2_XXS`, Unsloth's `UD-Q2_K_XL`, folded."""
FLOATS_AND_INTEGERS = r"(?:modelopt-)?(?:nv|mx)?fp[48]|fp8-e4m3|b?f(?:loat)?16|fp16|fp32|f32|u?int[248]|w\d+a\d+|nf4"
BITS = r"\d(?:\.\d+)?-?bits?"
SCHEME = r"awq|gptq|bnb|exl[23]|hqq|autoround"
"""Ways of quantizing; a number of bits may stand beside them."""
CONTAINER = r"gguf|mlx"
"""Kinds of file that hold weights of any format."""
MARK = (
    r"quantized|dynamic|block|channel|int4-int8mix|int8mix|dwq|qat|imatrix|i1|preview|cloud|latest|free|hf|gs?\d+"
    r"|\d{5}-of-\d{5}|ct|compressed|tensors|unquantized|mtp"
)
"""Words behind a format or a tag that say nothing of the network."""
PIECE = re.compile(rf"(?:{GGUF_KIND}|{BITS}|fp8-e4m3|modelopt-fp4|\d{{5}}-of-\d{{5}}|[^-]+)(?=-|$)")
TRAINING = re.compile(r"(?:instruct|chat|it|base|hf|preview)")
"""Trainings that makers name behind a network; another training has the same sizes."""
SIZE_OR_DAY = re.compile(r"(?:\d+x)?a?\d+(?:\.\d+)?[bmt]|\d{4}")
"""Words of a name that tell its sizes and revisions apart: `30b`, `a3b`, `8x7b`, `0528`."""
PLACES = re.compile(
    r"(?:https?://)?(?:www\.)?(?:huggingface\.co/|hf\.co/|hf-mirror\.com/|(?:www\.)?modelscope\.cn/models/|"
    r"modelscope\.cn/|ollama\.com/(?:library/)?|registry\.ollama\.ai/(?:library/)?|lmstudio\.ai/models/)"
)
"""Addresses that stand before a name when it is copied out of a browser."""


@dataclass(frozen=True)
class Written:
    """A name in small letters, without place, owner and format; `quantization`: the format that it names, empty where
    it names none, `gguf` or `mlx` where it names the kind of file alone."""

    name: str
    quantization: str = ""


def folded(name: str) -> str:
    """Small letters of one width; blanks, brackets, underscores, dashes and colons of any kind are one dash each;
    Chinese words that stand for a part of a name are that part (`千问3-32B` is `qwen3-32b`)."""
    text = unicodedata.normalize("NFKC", name).strip().casefold()
    if not text.isascii():
        text = _of_chinese(text)
    return re.sub(r"[\s_:()\[\]【】\u2010-\u2015-]+", "-", text).strip("-")


def _of_chinese(text: str) -> str:
    """A name with its Chinese words said as names write them; a word that then stands twice (`智谱GLM`) stands once."""
    for row in _chinese_words():
        text = re.sub(rf"{row['word']}(?=\d)", f"-{row['means']}", text).replace(row["word"], f"-{row['means']}-")
    for row in _chinese_words():
        text = re.sub(rf"-{row['means']}[\s-]*-(?={row['means']})", "-", text)
    return text


@cache
def _chinese_words() -> tuple[dict[str, str], ...]:
    """Rows of catalogs/llms/words_zh.csv: word, what it means in a name, source."""
    return shipped_rows(Path(__file__).parent / "llms" / "words_zh.csv")


def words(name: str) -> frozenset[str]:
    """The words of a folded name."""
    return frozenset(filter(None, re.split(r"[-/]", name)))


def billions_in(word: str) -> float | None:
    """Parameters in 1e9 that a word says: 671 of `671b`, 1,000 of `1t`; None of another word."""
    found = re.fullmatch(r"(\d{1,4}(?:\.\d{1,2})?)([bt])", word)
    return float(found[1]) * (1000 if found[2] == "t" else 1) if found else None


def kind(name: str) -> frozenset[str]:
    """The words of a folded name but for sizes and days: `qwen3`, `coder` of `qwen3-coder-30b-a3b`."""
    return frozenset(word for word in words(name) if not SIZE_OR_DAY.fullmatch(word))


def readings(text: str, owners: Sequence[str] = ()) -> Iterator[Written]:
    """What a name may mean, the most literal reading first: as it is; without place, owner and ending of a file; then
    without the format at its end, and last without the training. `owners`: makers, whose names stand before a model's
    in names of conversions (`bartowski/Qwen_Qwen3-8B-GGUF`)."""
    place = PLACES.sub("", unicodedata.normalize("NFKC", text).strip().casefold(), count=1)
    whole = folded(re.sub(r"(?:/tree/\w+|/summary|/files)?/*$", "", place))
    whole = f"{whole.removesuffix('.gguf')}-gguf" if whole.endswith(".gguf") else whole
    bare = whole.rpartition("/")[2]
    name, quantization = _apart(bare, whole.partition("/")[0] if "/" in whole else "")
    names = [whole, bare, name]
    names += [name.removeprefix(f"{owner}-") for owner in owners if name.startswith(f"{owner}-")]
    shorter = names[-1]
    while (cut := shorter.rpartition("-"))[0] and TRAINING.fullmatch(cut[2]):
        shorter = cut[0]
        names.append(shorter)
    for one in dict.fromkeys(names):
        yield Written(one, quantization)


def _apart(bare: str, owner: str) -> tuple[str, str]:
    """A name and the format at its end."""
    pieces = PIECE.findall(bare)
    end = len(pieces)
    while end > 1 and _of_format(pieces[end - 1], pieces[:end]):
        end -= 1
    behind = pieces[end:]
    return "-".join(pieces[:end]), _format(behind, owner)


def _of_format(piece: str, upto: Sequence[str]) -> bool:
    """Whether a piece is about the format. A version (`FP4-v2`) is, where a format stands before it."""
    if re.fullmatch(r"v\d", piece):
        return len(upto) > 2 and bool(re.fullmatch(f"{GGUF_KIND}|{FLOATS_AND_INTEGERS}|{SCHEME}", upto[-2]))
    words_in = re.split(r"[.+]", piece) if piece.startswith("quantized.") else [piece]
    return all(
        re.fullmatch(f"{GGUF_KIND}|{FLOATS_AND_INTEGERS}|{BITS}|{SCHEME}|{CONTAINER}|{MARK}", word) for word in words_in
    )


def _format(pieces: Sequence[str], owner: str) -> str:
    """The format that the pieces behind a name say, as makers spell it: `q4_k_m`, `nvfp4`, `int4`, `mlx-4bit`."""
    found = [word for piece in pieces for word in piece.split("." if piece.startswith("quantized.") else None)]
    if "unquantized" in found:  # 16-bit weights trained for the format that stands before the word
        return "bf16"
    if any(word in ("int8mix", "int4-int8mix") for word in found):
        return "int4-int8mix"
    if {"mxfp4", "q8"} <= set(found):  # MLX's: experts in mxfp4, the rest in 8.5 bits, as that kind of file
        return "mxfp4_moe"
    for word in found:
        if re.fullmatch(GGUF_KIND, word):
            return word.replace("ud-", "ud_").replace("-", "_").replace("ud_", "ud-")
    if "mxfp4" in found and "gguf" in found:  # of the two the kind of file
        return "mxfp4_moe"
    for word in found:
        if re.fullmatch(FLOATS_AND_INTEGERS, word):
            return word.replace("modelopt-", "").replace("fp8-e4m3", "fp8")
    scheme = next((word for word in found if re.fullmatch(SCHEME, word)), "")
    bits = next((re.sub(r"-?bits?", "", word) for word in found if re.fullmatch(BITS, word)), "")
    if bits:
        return _of_bits(bits, scheme, "mlx" in found or "mlx" in owner)
    return scheme or next((word for word in found if re.fullmatch(CONTAINER, word)), "")


def _of_bits(bits: str, scheme: str, mlx: bool) -> str:
    if scheme in ("awq", "gptq", "autoround"):
        return f"int{bits}"
    return f"{'mlx' if mlx else scheme}-{bits}bit".lstrip("-")
