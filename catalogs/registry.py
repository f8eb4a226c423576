"""The models that dsopt knows by name: catalogs/llms/registry.csv with the files beside it, and the user's own."""

from __future__ import annotations

import difflib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache, lru_cache
from itertools import pairwise
from pathlib import Path

from catalogs.architectures import flat_config, from_config
from catalogs.checkpoints.published import Published, published
from catalogs.errors import Fault, InputError
from catalogs.formats import spelled
from catalogs.inputs import shipped_rows
from catalogs.model_names import billions_in, folded, kind, readings, words
from catalogs.transformer import Llm

DATA = Path(__file__).parent / "llms"
LONGEST = 200
"""Characters of a name; what is longer names nothing."""
ROUNDED = 0.05
"""How far a size in a name may be from a model's parameters, as a share of them: 685B is V3.2 with its MTP module."""
MOST_CANDIDATES = 12
"""Models that a name may mean which are told one by one."""
OTHER_WAYS = (
    "`dsopt models list --search TEXT` looks for one. A model that does not ship with dsopt is read from its "
    "config.json, or the folder of a downloaded checkpoint: --model-config PATH for one run, `dsopt models add PATH` "
    "to keep it."
)


@cache
def _registry() -> tuple[dict[str, str], ...]:
    return shipped_rows(DATA / "registry.csv")


@cache
def _open(row_id: str) -> Llm:
    row = next(r for r in _registry() if r["id"] == row_id)
    config = json.loads((DATA / row["config"]).read_text(encoding="utf-8"))
    said = published(config)
    facts = (said if said.native == row["native_precision"] else Published(row["native_precision"])).facts()
    llm = from_config(
        config,
        **facts,
        id=row["id"],
        name=row["name"],
        min_precision_bits=int(row["min_precision_bits"]),
        max_context=int(row.get("context") or flat_config(config)["max_position_embeddings"]),
        source=row["source"],
        hf_names=tuple(filter(None, row["hf_names"].split("|"))),
        note=row["note"],
        note_zh=row["note_zh"],
        family=row["family"],
        released=row["released"],
        licence=row["licence"],
    )
    if row["full_bytes"]:
        scale = Fraction(int(row["full_bytes"]), llm.weight_bytes("bf16"))
        llm = replace(llm, scale=scale, formats=("fp16", *llm.formats[1:]))
    return llm


_of_this_run: dict[str, Llm] = {}


def use_config(path: Path, precision: str | None = None) -> str:
    """Read a config.json, or the folder of a checkpoint, for this run alone; returns the id by which `get` finds it.

    `precision`: as a person writes it; it names the format of the weights where the files don't. Raises InputError."""
    from catalogs.user_models import open_config

    try:
        llm = open_config(path)
    except InputError as e:
        named_format = next((x for x in spelled(precision or "") if x != "own"), None)
        if named_format is None or any(not fault.code.endswith("-quantization") for fault in e.faults):
            raise
        llm = open_config(path, None, named_format)
    if llm.id in shipped_names():
        llm = replace(llm, id=f"user-{llm.id}"[:64])
    _of_this_run[llm.id] = llm
    return llm.id


def of_this_run(id_: str) -> bool:
    """Whether a model was read for this run alone (`use_config`)."""
    return id_ in _of_this_run


def all_models() -> list[Llm]:
    """Every model that ships with dsopt, then the user's own."""
    return shipped_models() + own_models()


def shipped_models(wanted: Callable[[Mapping[str, str]], bool] | None = None) -> list[Llm]:
    """Models that ship with dsopt; with `wanted` those whose row in registry.csv it says yes to.

    To open a model reads its config layer by layer and takes milliseconds: what a row tells is asked of the row."""
    return [_open(row["id"]) for row in _registry() if wanted is None or wanted(row)]


def own_models() -> list[Llm]:
    """Models that the user has added (`dsopt models add`)."""
    from catalogs.user_models import open_saved

    return [open_saved(path) for path in _saved().values()]


def _saved() -> Mapping[str, Path]:
    """Files of the models that the user has added, by their ids. What reads them is loaded for such a model alone."""
    from catalogs.user_models import saved

    return saved()


def note_in_chinese(note: str) -> str:
    """The Chinese of a model's note; the note itself where it has none."""
    return next((row["note_zh"] for row in _registry() if row["note"] == note and row["note_zh"]), note)


@cache
def shipped_names() -> dict[str, str]:
    """Name in small letters -> id, of the models that ship with dsopt."""
    names: dict[str, str] = {}
    for r in _registry():
        for n in (r["id"], r["name"], *r["hf_names"].split("|")):
            if n:
                names.setdefault(n.casefold(), r["id"])
    return names


@dataclass(frozen=True)
class Named:
    """The model that a name means, and what else the name says.

    `quantization`: the format of its weights as the name writes it (`q4_k_m`, `nvfp4`, `gguf`), empty where it names
    none. `literal`: whether the name is an id, a name or a Hugging Face name of the model; else the view says which
    model was taken. `others`: models that the name means as well, older trainings of the same network. `app`: whose
    name it is (Ollama, LM Studio), where that runs files of its own choice under it."""

    llm: Llm
    quantization: str = ""
    literal: bool = True
    others: tuple[Llm, ...] = ()
    app: str = ""


def get(name: str) -> Llm:
    """A model by id, Hugging Face name or alias, as `named` reads it."""
    return named(name).llm


def named(name: str) -> Named:
    """The model of a name in any case: an id, a name, a Hugging Face id or that of a conversion, an Ollama tag, an
    alias (catalogs/llms/aliases.csv), or words that its id and name have.

    Of several trainings of one network it is the newest. Raises InputError: unknown-model with the nearest names, or
    ambiguous-model with the models that are meant."""
    wanted = name.strip().casefold()
    if wanted in _of_this_run:
        return Named(_of_this_run[wanted])
    own = {} if wanted in shipped_names() else _saved()
    if wanted in own:
        from catalogs.user_models import open_saved

        return Named(open_saved(own[wanted]))
    found = _meant(name)
    if isinstance(found, Named):
        return found
    if found:
        raise _ambiguous(name, found)
    raise _unknown(name, list(own))


@lru_cache(maxsize=4096)
def _meant(name: str) -> Named | tuple[Llm, ...]:
    """The shipped model of a name, or the several that it may mean, or none of them."""
    read = list(readings(name, _owners())) if len(name) <= LONGEST else []
    known = next((reading.name for reading in read if reading.name in _known()), "")
    ids = _known()[known] if known else next(filter(None, (_with_words(reading.name) for reading in read)), ())
    ids = ids or next(filter(None, (_known_with_size(reading.name) for reading in read)), ())
    if not ids:
        return ()
    return _newest([_open(id_) for id_ in ids], read[-1].quantization, known in _literal(), _app(name, known))


def _app(name: str, known: str) -> str:
    """The app whose name for a model it is: Ollama's has a tag behind a colon, LM Studio's are rows of aliases.csv."""
    if ":" in name and "/" not in name:
        return "Ollama"
    return "LM Studio" if known in _of_lm_studio() else ""


@cache
def _of_lm_studio() -> frozenset[str]:
    return frozenset(folded(row["alias"]) for row in aliases() if row["kind"] == "lmstudio")


def _newest(candidates: Sequence[Llm], quantization: str, literal: bool, app: str) -> Named | tuple[Llm, ...]:
    """The newest of several trainings of one network; all candidates where they are different networks."""
    if any(not same_network(candidates[0], other) for other in candidates[1:]):
        return tuple(candidates)
    by_day = sorted(candidates, key=lambda llm: llm.released, reverse=True)
    return Named(by_day[0], quantization, literal, tuple(by_day[1:]), app)


def same_network(one: Llm, other: Llm) -> bool:
    """Whether two models are trainings of one network: the same layers, whatever their context and format are."""
    return (one.architecture, one.layer_list, one.head, one.scale) == (
        other.architecture, other.layer_list, other.head, other.scale,
    )  # fmt: skip


@cache
def _literal() -> dict[str, str]:
    """Folded id, name, or Hugging Face name with and without owner -> id."""
    found: dict[str, str] = {}
    rows = _registry()
    for row in rows:
        for text in (row["id"], row["name"], *filter(None, row["hf_names"].split("|"))):
            found.setdefault(folded(text), row["id"])
    for row in rows:
        for text in filter(None, row["hf_names"].split("|")):
            found.setdefault(folded(text.rpartition("/")[2]), row["id"])
    return found


@cache
def aliases() -> tuple[dict[str, str], ...]:
    """Rows of catalogs/llms/aliases.csv: alias, ids (with | between), kind, source."""
    return shipped_rows(DATA / "aliases.csv")


@cache
def _known() -> dict[str, tuple[str, ...]]:
    """Folded name or alias -> ids of the models that it may mean."""
    found: dict[str, tuple[str, ...]] = {text: (id_,) for text, id_ in _literal().items()}
    for row in aliases():
        found.setdefault(folded(row["alias"]), tuple(row["ids"].split("|")))
    return found


@cache
def _owners() -> tuple[str, ...]:
    """Makers on Hugging Face, folded."""
    names = (name for row in _registry() for name in row["hf_names"].split("|") if "/" in name)
    return tuple(dict.fromkeys(folded(name.partition("/")[0]) for name in names))


@cache
def _words_of_models() -> tuple[tuple[str, frozenset[str]], ...]:
    """id -> the words of its id, name and family, and two neighbours as one (`llama3.1`); names that no model has
    are left out."""
    found = []
    for row in _registry():
        if not row["note"]:
            own = words(folded(f"{row['id']}-{row['family']}"))
            parts = folded(row["name"]).split("-")
            pairs = {one + other for one, other in pairwise(parts)}
            found.append((row["id"], frozenset({*own, *parts, *pairs})))
    return tuple(found)


def _with_words(name: str) -> tuple[str, ...]:
    """Ids of the models that have every word of a folded name, or all but a size that is theirs (`kimi-k2:1t`).

    Of those the ones that begin with its first word, where there are some: `qwen3` means no model that was distilled
    into a Qwen3. And of these the plain kind, where the name says a kind: `qwen3:30b` is neither Qwen3-Coder nor
    Qwen3-VL, `30b` may be each of them."""
    asked, first = words(name), name.partition("-")[0]
    having = {id_ for id_, has in _words_of_models() if asked and asked <= has}
    having = having or {id_ for id_, has in _words_of_models() if _of_that_size(id_, asked - has)}
    names = {row["id"]: folded(row["name"]) for row in _registry() if row["id"] in having}
    names = {id_: own for id_, own in names.items() if own.startswith(first)} or names
    plain = min((kind(own) for own in names.values()), key=len, default=frozenset())
    if kind(name) and all(plain <= kind(own) for own in names.values()):
        names = {id_: own for id_, own in names.items() if kind(own) == plain}
    return tuple(names)


def _known_with_size(name: str) -> tuple[str, ...]:
    """Ids of a known name into which a folded name puts a size that is theirs, and nothing else (`mathstral-7b`,
    `mistral-nemo-12b-instruct-2407`)."""
    parts = name.split("-")
    for at, word in enumerate(parts):
        known = _known().get("-".join([*parts[:at], *parts[at + 1 :]]), ()) if billions_in(word) else ()
        if found := tuple(id_ for id_ in known if _of_that_size(id_, frozenset({word}))):
            return found
    return ()


def _of_that_size(id_: str, unknown: frozenset[str]) -> bool:
    """Whether the words that a model's name lacks are its size, as people round it: `1t` of 1,026e9 parameters."""
    sizes = [billions_in(word) for word in unknown]
    if len(sizes) != 1 or sizes[0] is None:
        return False
    total = _open(id_).params_total / 1e9
    return abs(sizes[0] - total) <= ROUNDED * total


def aliases_of(llm: Llm) -> list[str]:
    """Other names that a model is found by."""
    return [row["alias"] for row in aliases() if llm.id in row["ids"].split("|")]


def matching(text: str) -> list[Llm]:
    """Models whose id, names, aliases and family together hold every word of a text, as `all_models` has them."""
    wanted = words(folded(text))

    def holds(llm: Llm) -> bool:
        held = folded(" ".join([llm.id, llm.name, llm.family, *llm.hf_names, *aliases_of(llm)]))
        return all(word in held for word in wanted)

    return [llm for llm in all_models() if holds(llm)]


def size_of(llm: Llm) -> str:
    """Parameters in 1e9 as people say them, and how many of them a token uses: `671 (37)`, `32.8`."""
    total, active = llm.params_total / 1e9, llm.params_active / 1e9
    said = f"{total:,.1f}" if total < 100 else f"{total:,.0f}"
    if not llm.is_moe:
        return said
    return f"{said} ({active:,.1f})" if active < 10 else f"{said} ({active:,.0f})"


def facts_of(llm: Llm) -> str:
    """Size and day of publication: `671 (37) B, 2025-01-20`."""
    return ", ".join(filter(None, [f"{size_of(llm)} B", llm.released]))


def described(llm: Llm) -> str:
    """A model in a few words: `qwen3-8b (8.2 B, 2025-04-29)`."""
    return f"{llm.id} ({facts_of(llm)})"


def _ambiguous(name: str, candidates: Sequence[Llm]) -> InputError:
    listed = [described(llm) for llm in sorted(candidates, key=lambda llm: llm.released, reverse=True)]
    more = [f"and {len(listed) - MOST_CANDIDATES} more (`dsopt models list`)"] if len(listed) > MOST_CANDIDATES else []
    remedy = f"Name one: {', '.join([*listed[:MOST_CANDIDATES], *more])}."
    return InputError(Fault("ambiguous-model", "means several models", value=name[:80], remedy=remedy))


def _unknown(name: str, own: Sequence[str]) -> InputError:
    if os.path.exists(name):
        remedy = f"That is a file or folder: --model-config {name}"
        return InputError(f"no model named {name[:80]!r}", "unknown-model", remedy)
    *_, barest = readings(name[:LONGEST], _owners())
    names = {**_known(), **{folded(x): (x,) for x in own}}
    near = difflib.get_close_matches(barest.name, names, n=6, cutoff=0.6)
    ids = list(dict.fromkeys(id_ for text in near for id_ in names[text]))[:3]
    nearest = f"Nearest: {', '.join(ids)}. " if ids else ""
    return InputError(f"no model named {name[:80]!r}", "unknown-model", nearest + OTHER_WAYS)
