"""Hugging Face config of unknown origin -> faults. Rules: catalogs/llms/fields/*.csv, one file per family.

A field that no rule names is refused, for it might change the arithmetic, unless its value says that there is none of
it: null, false, 0, an empty text, list or object. Rules:

- `required A..B`, `nullable A..B` (present, may be null), `optional A..B` (may be absent): whole numbers
- `flag`: true or false; absent it would mean what the library of the day does by default. `flag false`, `flag true`:
  absent it means that, by the model's own class
- `only X|Y`: JSON values or words; absent and null are fine, they mean what the architecture does by default
- `layers X|Y`: one value per layer; `list X|Y`: the same, may be absent
- `either A|B`: there must be it or one of these; `either A|B X..Y`: as a whole number, `either A|B part`: as an object.
  Where none is there, the row of each of them names its field
- `text`: a text, may be absent; `pair`: two positive whole numbers; `side A..B`: the side of a square, once or twice
- `part`: an object, `optional part`: one that may be absent; the rules of its fields have names such as
  `vision_config.depth`, and a field in it that no rule names is refused as one of the model itself
- `objects`: a list of objects
- `numbers A..B`: whole numbers, as many as there are; `some A..B`: the same, may be absent
- `ignored`
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from catalogs.architectures import ARCHITECTURES, around, flat_config, language_model, nearest_architectures
from catalogs.decoder_config import NESTED, THINKER
from catalogs.errors import Fault
from catalogs.inputs import shipped_rows

FOLDER = Path(__file__).parent / "llms" / "fields"
FOREIGN = ("vision", "audio", "image", "video", "cross_attention", "encoder", "linear_attn", "mamba", "ssm")


@cache
def rules(architecture: str, outer: str = "") -> dict[str, tuple[str, str]]:
    """field -> (rule, why) of a Hugging Face architecture name. Rows name it whole, or without what it is for. `outer`:
    the architecture around it, where there is one."""
    names = {architecture, outer} - {""}
    names |= {name.removesuffix("ForCausalLM").removesuffix("ForConditionalGeneration") for name in names}
    every, own = [], []
    for path in sorted(FOLDER.glob("*.csv")):
        for row in shipped_rows(path):
            if not row["architectures"]:
                every.append(row)
            elif names & set(row["architectures"].split("|")):
                own.append(row)
    # What a family says of a field goes before what holds for all.
    return {row["field"]: (row["rule"], row["why"]) for row in (*every, *own)}


def faults(config: Any, file: str = "") -> list[Fault]:
    """Everything in a config that is missing, absurd or not understood; empty when the arithmetic is exact."""
    if not isinstance(config, dict):
        return [Fault("bad-config", "is not a JSON object", file, remedy="Give the model's config.json.")]
    names = config.get("architectures")
    if not isinstance(names, list) or len(names) != 1 or not isinstance(names[0], str):
        remedy = 'The published file names it, as in "architectures": ["LlamaForCausalLM"].'
        return [Fault("bad-config", "needs one architecture", file, None, "architectures", _show(names), remedy)]
    wrapper, inner = around(names[0]), language_model(config)
    if inner not in ARCHITECTURES:
        text = "architecture of the language model is not understood" if wrapper else "architecture is not understood"
        remedy = nearest_architectures(inner)
        return [Fault("unknown-architecture", text, file, None, "", inner[:60], remedy)]
    flat = flat_config(config)
    if part := _missing_part(flat, config, bool(wrapper)):
        return [Fault("bad-config", "is missing (the language model)", file, column=part)]
    known_fields, whole = rules(inner, names[0] if wrapper else ""), config
    config = _with_parts(flat, known_fields)
    found = [
        _unknown(name, value, names[0], file)
        for name, value in config.items()
        if name not in known_fields and not _says_none(name, value) and not _ignored_in_part(name, known_fields)
    ]
    for name, (rule, why) in known_fields.items():
        part = name.rpartition(".")[0]
        text = "" if part and part not in config else _breach(rule, config, name)
        if text:
            code = "not-modelled" if rule.startswith(("only", "list", "layers")) else "bad-config"
            found.append(Fault(code, f"{text} ({why})", file, None, name, _show(config.get(name))))
    thinker = whole.get(THINKER)
    levels = (whole, thinker if isinstance(thinker, dict) else {})
    tied = [level["tie_word_embeddings"] for level in levels if level.get("tie_word_embeddings") is not None]
    if any(each != config.get("tie_word_embeddings") for each in tied):
        text = "says one thing of the whole and another of the language model"
        found.append(Fault("bad-config", text, file, None, "tie_word_embeddings", _show(tied[0])))
    said = wrapper.contradictions(flat_config(whole)) if wrapper and not found else ()
    found += [Fault("bad-config", text, file, None, name, _show(config.get(name))) for name, text in said]
    return found or _relations(config, file)


def _missing_part(flat: Mapping[str, Any], config: Mapping[str, Any], wrapped: bool) -> str:
    """The part that holds the language model, where a config says nothing of it; around another model it always is a
    part."""
    said = any(isinstance(config.get(name), dict) for name in NESTED) or (
        not wrapped and ({"hidden_size", "num_hidden_layers"} & {*flat})
    )
    if said or not (wrapped or config["architectures"][0].endswith("ForConditionalGeneration")):
        return ""
    return THINKER if "talker_config" in config and THINKER not in config else "text_config"


def _with_parts(config: Mapping[str, Any], known_fields: Mapping[str, tuple[str, str]]) -> dict[str, Any]:
    """A flat config with the fields of its parts beside them, as `part.field`; outer parts first."""
    flat = dict(config)
    for part in sorted({name.rpartition(".")[0] for name in known_fields if "." in name}):
        inner = flat.get(part)
        if isinstance(inner, dict):
            flat |= {f"{part}.{name}": value for name, value in inner.items()}
        elif inner is None:
            flat.pop(part, None)
    return flat


@cache
def _common() -> dict[str, str]:
    """field -> rule, of what holds for all architectures."""
    rows = [row for path in sorted(FOLDER.glob("*.csv")) for row in shipped_rows(path)]
    return {row["field"]: row["rule"] for row in rows if not row["architectures"]}


def _ignored_in_part(name: str, known_fields: Mapping[str, tuple[str, str]]) -> bool:
    """Whether a field of a part is one that says nothing of sizes in any model (`vision_config.initializer_range`)."""
    part, _, field = name.rpartition(".")
    return part in known_fields and _common().get(field) == "ignored"


def _show(value: Any) -> str:
    try:
        return json.dumps(value)[:60]
    except (ValueError, RecursionError):
        return "?"


def _unknown(name: str, value: Any, architecture: str, file: str) -> Fault:
    if any(x in name.rpartition(".")[2] for x in FOREIGN):
        text = f"{architecture} with this is not modelled"
        return Fault("not-modelled", text, file, None, name[:60], _show(value), "Only text decoders are understood.")
    remedy = "Take it out of the file if it changes neither weights nor attention."
    return Fault("unknown-field", "no rule says what this field changes", file, None, name[:60], _show(value), remedy)


def _says_none(name: str, value: Any) -> bool:
    """Whether a field that nobody knows says that there is none of what it is about; of another kind of network even an
    empty object says that there is some."""
    if isinstance(value, dict) and any(word in name.rpartition(".")[2] for word in FOREIGN):
        return False
    return value is None or value is False or value in (0, "", [], {})


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _breach(rule: str, config: Mapping[str, Any], name: str) -> str:
    """What a value breaks of its rule, or nothing."""
    kind, _, rest = rule.partition(" ")
    if rest == "part":
        return "" if config.get(name) is None else _part("", config, name)
    return KINDS[kind](rest, config, name)


def _present(rest: str, config: Mapping[str, Any], name: str) -> str:
    return "is missing" if config.get(name) is None else _optional(rest, config, name)


def _nullable(rest: str, config: Mapping[str, Any], name: str) -> str:
    return _optional(rest, config, name) if name in config else "is missing"


def _optional(rest: str, config: Mapping[str, Any], name: str) -> str:
    least, most = map(int, rest.split(".."))
    value = config.get(name)
    fine = value is None or (_whole(value) and least <= value <= most)
    return "" if fine else f"must be a whole number from {least} to {most}"


def _flag(rest: str, config: Mapping[str, Any], name: str) -> str:
    value = config.get(name)
    if value is None:
        return "" if rest else "is missing"
    return "" if isinstance(value, bool) else "must be true or false"


def _only(rest: str, config: Mapping[str, Any], name: str) -> str:
    value, allowed = config.get(name), [_json(x) for x in rest.split("|")]
    fine = value is None or any(value == x and type(value) is type(x) for x in allowed)
    return "" if fine else f"must be {' or '.join(rest.split('|'))}"


def _list(rest: str, config: Mapping[str, Any], name: str) -> str:
    value, allowed = config.get(name), [_json(x) for x in rest.split("|")]
    if value is None:
        return ""
    if not isinstance(value, list) or not all(any(x == y and type(x) is type(y) for y in allowed) for x in value):
        return f"must be a list of {' or '.join(rest.split('|'))}"
    layers: Any = config.get("num_hidden_layers")
    return "" if not _whole(layers) or layers <= len(value) <= layers + 8 else "needs one value per layer"


def _layers(rest: str, config: Mapping[str, Any], name: str) -> str:
    return "is missing" if config.get(name) is None else _list(rest, config, name)


def _either(rest: str, config: Mapping[str, Any], name: str) -> str:
    names, _, shape = rest.partition(" ")
    others = names.split("|")
    if all(config.get(each) is None for each in (name, *others)):
        return f"is missing, and so {'is' if len(others) == 1 else 'are'} {' and '.join(others)}"
    if config.get(name) is None or not shape:
        return ""
    return _part("", config, name) if shape == "part" else _optional(shape, config, name)


def _text(rest: str, config: Mapping[str, Any], name: str) -> str:
    return "" if isinstance(config.get(name), str | None) else "must be a text"


def _pair(rest: str, config: Mapping[str, Any], name: str) -> str:
    value = config.get(name)
    fine = isinstance(value, list) and len(value) == 2 and all(_whole(x) and 0 < x <= 1000 for x in value)
    return "" if fine else "must be two whole numbers from 1 to 1000"


def _sides(rest: str, config: Mapping[str, Any], name: str) -> str:
    least, most = map(int, rest.split(".."))
    value = config.get(name)
    sides: list[Any] = value if isinstance(value, list) and len(value) == 2 else [value]
    fine = all(_whole(side) and least <= side <= most for side in sides) and sides[0] == sides[-1]
    return "" if fine else f"must be a whole number from {least} to {most}, or twice the same one"


def _part(rest: str, config: Mapping[str, Any], name: str) -> str:
    value = config.get(name)
    return "is missing" if value is None else "" if isinstance(value, dict) else "must be an object"


def _some(rest: str, config: Mapping[str, Any], name: str) -> str:
    value = config.get(name)
    least, most = map(int, rest.split(".."))
    fine = value is None or (isinstance(value, list) and all(_whole(each) and least <= each <= most for each in value))
    return "" if fine else f"must be a list of whole numbers from {least} to {most}"


def _numbers(rest: str, config: Mapping[str, Any], name: str) -> str:
    return "is missing" if config.get(name) is None else _some(rest, config, name)


def _objects(rest: str, config: Mapping[str, Any], name: str) -> str:
    value = config.get(name)
    fine = isinstance(value, list) and all(isinstance(each, dict) for each in value)
    return "" if fine else "must be a list of objects"


def _ignored(rest: str, config: Mapping[str, Any], name: str) -> str:
    return ""


KINDS = {
    "required": _present, "nullable": _nullable, "optional": _optional, "flag": _flag, "only": _only, "list": _list,
    "layers": _layers, "either": _either, "text": _text, "pair": _pair, "side": _sides, "some": _some,
    "numbers": _numbers, "part": _part, "objects": _objects, "ignored": _ignored,
}  # fmt: skip
"""First word of a rule -> what a value breaks of it: the rest of the rule, the flat config, the field."""


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _relations(c: Mapping[str, Any], file: str) -> list[Fault]:
    """Fields that contradict one another."""
    found = []

    def need(fine: bool, name: str, text: str) -> None:
        if not fine:
            found.append(Fault("bad-config", text, file, None, name, _show(c.get(name))))

    architecture = ARCHITECTURES[c["architectures"][0]]
    for name, text in architecture.contradictions(c):
        need(False, name, text)
    heads = c["num_attention_heads"]
    counts = [name for name in ("n_routed_experts", "num_experts", "num_local_experts") if c.get(name)]
    experts = c[counts[0]] if counts else None
    for name in counts[1:]:
        need(c[name] == experts, name, f"contradicts {counts[0]}")
    kind = architecture.attention
    if kind == "gqa" and c.get("num_key_value_heads") is not None:
        need(heads % c["num_key_value_heads"] == 0, "num_key_value_heads", "must divide num_attention_heads")
        need(
            bool(c.get("head_dim")) or c["hidden_size"] % heads == 0, "head_dim", "is missing, and heads do not divide"
        )
    if experts:
        need((c.get("num_experts_per_tok") or 0) <= experts, "num_experts_per_tok", "exceeds the experts there are")
        need(
            (c.get("first_k_dense_replace") or 0) <= c["num_hidden_layers"],
            "first_k_dense_replace",
            "exceeds the layers there are",
        )
        need(c.get("experts_per_token") in (None, c.get("num_experts_per_tok")), "experts_per_token", "contradicts")
    if kind == "v4":
        need((heads * c["head_dim"]) % c["o_groups"] == 0, "o_groups", "must divide heads x head_dim")
        need(c["qk_rope_head_dim"] <= c["head_dim"], "qk_rope_head_dim", "exceeds head_dim")
    return found
