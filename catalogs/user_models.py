"""Models that a user adds from a config.json or a downloaded checkpoint: kept in the user's folder, or for one run.

Folder: $DSOPT_HOME, else the platform's data folder; one file per model, models/ID.json."""

from __future__ import annotations

import json
import os
import re
import sys
from dataclasses import replace
from pathlib import Path

from catalogs.architectures import flat_config, from_config
from catalogs.checkpoints.file_sizes import counted_bytes
from catalogs.checkpoints.folder import Given, open_given
from catalogs.checkpoints.kept import kept, opened
from catalogs.checkpoints.published import GGUF, Published, published
from catalogs.config_check import faults
from catalogs.errors import Fault, InputError
from catalogs.files import check_writable, write_text
from catalogs.formats import BITS, rank
from catalogs.inputs import LIST_BYTES, read_json
from catalogs.message import message
from catalogs.nearest import one_of
from catalogs.other_file import CONFIG, expecting, refuse_other
from catalogs.other_file import GGUF as GGUF_FILE
from catalogs.transformer import Llm

ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


def home() -> Path:
    """The folder of this user's data."""
    if os.environ.get("DSOPT_HOME"):
        return Path(os.environ["DSOPT_HOME"])
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "dsopt"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "dsopt"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "dsopt"


def open_config(path: Path, id_: str | None = None, precision: str | None = None) -> Llm:
    """The model of a config.json, or of the folder of a downloaded checkpoint (catalogs/checkpoints/folder.py).

    `id_`: by default the name of the file or folder. `precision`: the native weight format, where the files do not say
    it or say one that is not understood. Raises InputError with every fault of the files."""
    return _opened(path, id_, precision)[0]


def _opened(path: Path, id_: str | None, precision: str | None) -> tuple[Llm, Published]:
    with expecting(path, CONFIG, GGUF_FILE):
        given = open_given(path)
    refuse_other(given.config, path, CONFIG)
    id_ = _id(given.name, id_)
    _sound(given)
    said = _published(given, precision)
    return _model(given, id_, said), said


def _sound(given: Given) -> None:
    """Raises InputError with every fault of a config."""
    found = faults(given.config, str(given.file))
    if found:
        raise InputError(found)


def _model(given: Given, id_: str, said: Published) -> Llm:
    file = str(given.file)
    llm = from_config(
        given.config,
        id=id_,
        name=id_,
        min_precision_bits=BITS.get(said.native, 4),
        max_context=flat_config(given.config)["max_position_embeddings"],
        source=f"{'header' if said.where == GGUF else 'config.json'} given by the user: {file}",
        user=True,
        **said.facts(),
    )
    if said.where == GGUF:  # whatever other files of the model there are, this one holds it so
        llm = replace(llm, formats=(said.native,))
    elif said.native not in llm.formats:
        if not said.where:
            have = f"It has: {', '.join(llm.formats)}."
            text = message("{model} has no {precision} weights", model=id_, precision=said.native)
            raise InputError(Fault("unknown-precision", text, file, remedy=have))
        # There it is, whether engines make it of other checkpoints of the architecture or not.
        llm = replace(llm, formats=tuple(sorted((*llm.formats, said.native), key=rank)))
    return replace(llm, file_bytes=counted_bytes(llm, said.stored(), given.weights))


def _published(given: Given, precision: str | None) -> Published:
    """What the files say of the weights; of a precision that is named and that they don't say nothing more."""
    try:
        found = published(given.config, str(given.file), (given.name,), given.weights)
    except InputError:
        if precision is None:
            raise
        return Published(precision)
    return found if precision in (None, found.native) else Published(str(precision))


def _id(name: str, id_: str | None) -> str:
    """A name that is safe as a file name."""
    if id_ is None:
        id_ = re.sub(r"[^a-z0-9._-]+", "-", name.casefold()).strip("-._")[:64] or "model"
    if not ID.fullmatch(id_):
        remedy = "Small letters, digits, dots and dashes, at most 64."
        raise InputError(Fault("bad-id", "cannot be a model's id", column="--id", value=id_[:80], remedy=remedy))
    return id_


def saved() -> dict[str, Path]:
    """id -> file of the models in the user's folder."""
    folder = home() / "models"
    try:
        return {p.stem: p for p in sorted(folder.glob("*.json")) if ID.fullmatch(p.stem)} if folder.is_dir() else {}
    except OSError as e:
        text = f"cannot be read: {e.strerror}"
        raise InputError(Fault("unreadable-file", text, str(folder), remedy="Set DSOPT_HOME.")) from None


def open_saved(path: Path) -> Llm:
    """A model of the user's folder; raises InputError when its file is damaged."""
    data = read_json(path, LIST_BYTES, "bad-json", endless=True)
    damaged = Fault(
        "bad-model-file", "is not a model that dsopt saved", str(path), remedy=f"Run: dsopt models remove {path.stem}"
    )
    if not isinstance(data, dict) or not isinstance(data.get("precision"), str):
        raise InputError(damaged)
    given = Given(data.get("config"), path, path.stem)
    _sound(given)
    try:
        said = opened(data) or _published(given, data["precision"])
    except ValueError:
        raise InputError(damaged) from None
    llm = _model(given, path.stem, said)
    held = data.get("file_bytes")
    return replace(llm, file_bytes=held) if isinstance(held, int) else llm


def add(path: Path, id_: str | None, precision: str | None, taken: frozenset[str], *, force: bool) -> Llm:
    """Keep a config in the user's folder. `taken`: names that it cannot have. Raises InputError."""
    llm, said = _opened(path, id_, precision)
    if llm.id in taken:
        remedy = "Choose another --id."
        raise InputError(
            Fault("model-exists", "dsopt ships a model of that name", column="--id", value=llm.id, remedy=remedy)
        )
    target = home() / "models" / f"{llm.id}.json"
    if os.path.lexists(target) and not force:
        text = "a model of that name already exists"
        raise InputError(Fault("model-exists", text, str(target), remedy="Choose another --id, or --force."))
    held = {"file_bytes": llm.file_bytes} if llm.file_bytes else {}
    saved_model = {"precision": llm.native_precision, **held, **kept(llm, said), "config": llm.config}
    text = json.dumps(saved_model, ensure_ascii=False, indent=1)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as e:
        raise InputError(Fault("not-writable", f"cannot write: {e}", str(target), remedy="Set DSOPT_HOME.")) from None
    check_writable(target, force=force, remedy="Set DSOPT_HOME.")
    write_text(target, text + "\n", "Set DSOPT_HOME.", force=force)
    return llm


def remove(id_: str) -> Path:
    """Delete a model of the user's folder; raises InputError when it is not there."""
    path = saved().get(id_.casefold())
    if path is None:
        remedy = one_of(id_, saved(), "Yours") if saved() else ""
        raise InputError(f"no model of yours is named {id_!r}", "unknown-model", remedy)
    try:
        path.unlink(missing_ok=True)
    except OSError as e:
        raise InputError(Fault("not-writable", f"cannot be removed: {e.strerror}", str(path))) from None
    return path
