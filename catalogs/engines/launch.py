"""How engines are started: the spelling of their arguments by release, and the published checkpoints of the models.

The data lies beside this file: launch_arguments.csv (a row per engine, release and argument, with the place where the
spelling was read) and checkpoints.csv (model and precision -> Hugging Face id, and the KV cache that it asks for).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from catalogs.engines.tables import release_of, table


@dataclass(frozen=True)
class LaunchArguments:
    """The arguments of one engine release: what an argument is for -> its spelling with `{names}` to fill in."""

    engine: str
    spellings: Mapping[str, str]

    def spell(self, argument: str, **values: object) -> str:
        """An argument with its values; "" where the engine has none of that name."""
        return self.spellings.get(argument, "").format(**values)


@cache
def launch_arguments(engine: str, release: str) -> LaunchArguments | None:
    """The newest spelling of each argument that holds for `release` or an older one; None for an engine that publishes
    no arguments. A branch of an engine (`vLLM ROCm`) has the arguments of its trunk (`vLLM`) where it has none of its
    own."""
    spellings: dict[str, str] = {}
    rows = [row for row in table("launch_arguments") if f"{engine} ".startswith(f"{row['engine']} ")]
    for row in sorted(rows, key=lambda row: (len(row["engine"]), release_of(row["release_from"]))):
        if release_of(row["release_from"]) <= release_of(release):
            spellings[row["argument"]] = row["spelling"]
    return LaunchArguments(engine, spellings) if "program" in spellings else None


def checkpoint(model: str, precision: str, engine: str = "") -> str:
    """The id (Hugging Face, else ModelScope) of a model's published weights in a precision that an engine reads; ""
    where none is known. Formats of one name differ between engines: a row may name the one that its weights are for."""
    for row in table("checkpoints"):
        if (row["model"], row["precision"]) == (model, precision) and row["engine"] in ("", engine):
            return row["checkpoint"]
    return ""


def kv_cache_asked(checkpoint_id: str) -> str:
    """What a checkpoint's hf_quant_config.json says of the KV cache: `fp8`, `none`, `unknown` (it has that file, which
    nobody here has read); "" for a checkpoint without one."""
    found = (r["kv_cache"] for r in table("checkpoints") if r["checkpoint"] == checkpoint_id)
    return next(found, "")
