"""`dsopt models list | show | add | remove`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from optimizer.cli.options import Overlay, speaking
from optimizer.cli.output import emit_json, note, say, say_labelled, table
from optimizer.cli.usage import Command, Group
from optimizer.cli.wrapped import UNKNOWN, columns_asked, screen_width
from optimizer.text.languages import N_
from optimizer.text.languages import chosen as language

if TYPE_CHECKING:
    from catalogs.transformer import Llm


FACTS = {
    "id": N_("id"), "name": N_("name"), "aliases": N_("aliases"), "note": N_("note"), "source": N_("source"),
    "architecture": N_("architecture"), "params_total": N_("parameters"), "params_active": N_("active parameters"),
    "layers": N_("layers"), "max_context": N_("context"), "weight_bytes": N_("bytes of weights"),
    "kv_bytes_at": N_("bytes of KV cache"), "family": N_("family"), "released": N_("published"),
    "licence": N_("licence"), "published_in": N_("published in"), "bits_per_weight": N_("bits per weight"),
    "published_bytes": N_("bytes as published"), "layers_in_16_bits": N_("layers in 16 bits"),
    "kv_cache": N_("KV cache as published"), "draft_module": N_("module for several tokens"),
    "draft_layers": N_("layers of the module"), "draft_params": N_("parameters of the module"),
    "draft_bytes": N_("bytes of the module"), "weight_bytes_with_draft": N_("bytes of weights with the module"),
}  # fmt: skip
"""Facts of a model, which English names as the JSON does."""
app = typer.Typer(cls=Group, no_args_is_help=True, rich_markup_mode=None)


WIDE = 130
"""Cells of a line from which names and weights have columns too."""


@app.command("list", cls=Command, help="Example: dsopt models list --search qwen3")
@speaking
def list_models(
    search: Annotated[str | None, typer.Option(help="Words of an id, name, alias or family.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    from catalogs.registry import all_models, matching

    found = all_models() if search is None else matching(search)
    if json:
        return emit_json([_facts_in_list(llm) for llm in found])
    if not found:
        return note(language()("No model matches {text}.", text=search))
    _, wide = language(), (screen_width(sys.stdout) or columns_asked() or UNKNOWN) >= WIDE
    heads = [_("id"), _("B (active)"), _("published"), _("context"), _("licence")]
    more = [_("name"), _("weights, GB")] if wide else []
    rows = [row for family in _by_family(found) for row in _rows(family, len(more) > 0)]
    table([*heads, *more], rows, {1, 3, 6})


def _facts_in_list(llm: Llm) -> dict[str, Any]:
    """A model as the list's JSON has it."""
    return {
        "id": llm.id, "name": llm.name, "family": llm.family, "params_total": llm.params_total,
        "params_active": llm.params_active, "released": llm.released, "max_context": llm.max_context,
        "licence": llm.licence, "precision": llm.native_precision, "note": llm.note, "user": llm.user,
    }  # fmt: skip


def _by_family(models: Sequence[Llm]) -> list[list[Llm]]:
    """The models of each family, the newest first, names that no model has last; families as the registry has them,
    the user's own models last."""
    families: dict[tuple[bool, str], list[Llm]] = {}
    for llm in models:
        families.setdefault((llm.user, llm.family), []).append(llm)
    newest_first = [
        sorted(family, key=lambda llm: (llm.released, llm.params_total), reverse=True) for family in families.values()
    ]
    return [sorted(family, key=lambda llm: bool(llm.note)) for family in newest_first]


def _rows(family: Sequence[Llm], wide: bool) -> Iterator[list[str]]:
    """A line with the family's name and one per model."""
    from catalogs.registry import size_of

    _ = language()
    yield [_("(yours)") if family[0].user else family[0].family, *[""] * (6 if wide else 4)]
    for llm in family:
        cells = [f" {llm.id}", size_of(llm), llm.released, _context(llm.max_context), llm.licence]
        weights = f"{llm.native_precision} {llm.weight_bytes(llm.native_precision) / 1e9:,.1f}"
        yield [*cells, _.sentence(llm.name), weights] if wide else cells


def _context(tokens: int) -> str:
    """Tokens as people say them: `128 K`, `1 M` (binary), or the number where it is none of these."""
    for unit, name in ((2**20, "M"), (2**10, "K")):
        if tokens % unit == 0:
            return f"{tokens // unit:,} {name}"
    return f"{tokens:,}"


@app.command(
    "show",
    cls=Command,
    help="Examples:\n\n  dsopt models show v3-671b\n\n  dsopt models show glm-5.3 --gpu h200",
)
@speaking
def show(
    ctx: typer.Context,
    model: str,
    gpu: Annotated[
        str | None, typer.Option(help="Does it run on this GPU? Which engine, since when, by which source.")
    ] = None,
    catalog: Overlay = [],
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    from catalogs.kv_caches import published_kv_cache
    from catalogs.quality import quality_of
    from catalogs.quality import said as quality_said
    from catalogs.registry import aliases_of, named
    from optimizer.cli.engine_support_view import show_support, support_data
    from optimizer.cli.usage import refuse

    if gpu is None:
        refuse(ctx, "is of --gpu", "catalog")
    from optimizer.request.named_model import taken

    found = named(model)
    for said in taken(model, found):
        note(language().sentence(said))
    m = found.llm
    data = {
        "id": m.id,
        "name": m.name,
        "family": m.family,
        "released": m.released,
        "licence": m.licence,
        "aliases": [*m.hf_names, *aliases_of(m)],
        "note": m.note,
        "source": m.source,
        "architecture": m.architecture,
        "params_total": m.params_total,
        "params_active": m.params_active,
        "layers": m.layers,
        "max_context": m.max_context,
        "published_in": m.native_precision,
        "bits_per_weight": round(8 * m.weight_bytes(m.native_precision) / m.params_total, 3),
        "published_bytes": m.bytes_by_format(),
        "layers_in_16_bits": m.kept_whole(),
        "kv_cache": published_kv_cache(m.architecture) or m.kv_cache,
        "weight_bytes": {p: m.weight_bytes(p) for p in m.precisions()},
        **_module(m),
        "quality": [asdict(row) for row in quality_of(m)],
        "kv_bytes_at": {str(n): {k: m.kv_bytes(n, k) for k in ("bf16", "fp8")} for n in (2048, 32768)},
    }
    support = support_data(m, gpu, catalog) if gpu is not None else None
    if json:
        emit_json(data if support is None else data | {"engines": support})
        return
    if support is not None:
        show_support(m, support)
        return
    from rich.cells import cell_len

    from optimizer.cli.front_view import coded, remark

    shown = {coded(FACTS, key): value for key, value in data.items() if value and key != "quality"}
    widest = max(map(cell_len, shown))
    for label, value in shown.items():
        say_labelled(label, remark(value) if isinstance(value, str) else _figures(value), widest)
    for precision in dict.fromkeys(row.precision for row in quality_of(m)):
        for sentence in quality_said(m, precision):
            say(language().sentence(sentence))


def _module(llm: Llm) -> dict[str, Any]:
    """The module for several tokens; nothing where the checkpoint has none that is counted."""
    if not llm.draft_list:
        return {}
    return {
        "draft_module": llm.draft_kind,
        "draft_layers": len(llm.draft_list),
        "draft_params": llm.draft_params,
        "draft_bytes": {p: llm.draft_bytes(p) for p in llm.precisions()},
        "weight_bytes_with_draft": {p: llm.drafting.weight_bytes(p) for p in llm.precisions()},
    }


def _figures(value: Any) -> str:
    """Facts in a line: `1,024`; `4.606`; `a, b`; `bf16 1,024, fp8 512`; `2048 tokens: ...; 32768 tokens: ...`."""
    _ = language()
    if isinstance(value, int | float):
        return f"{value:,}"
    if isinstance(value, list):
        return _.list(value)
    if all(isinstance(x, int) for x in value.values()):
        return _.comma.join(f"{key} {n:,}" for key, n in value.items())
    return _.semicolon.join(f"{_('{n} tokens', n=key)}{_.colon}{_figures(x)}" for key, x in value.items())


@app.command("add", cls=Command, help="Example: dsopt models add config.json --id my-model")
@speaking
def add(
    file: Annotated[Path, typer.Argument(help="A Hugging Face config.json, or the folder of a downloaded checkpoint.")],
    id_: Annotated[
        str | None, typer.Option("--id", help="Name of the model. [default: that of the file or its folder]")
    ] = None,
    precision: Annotated[str | None, typer.Option(help="Format in which the weights are published.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace one of your models.")] = False,
) -> None:
    from catalogs.checkpoints.file_sizes import difference
    from catalogs.registry import shipped_names
    from catalogs.user_models import add as keep

    llm = keep(file, id_, precision, frozenset(shipped_names()), force=force)
    gb = llm.weight_bytes(llm.native_precision) / 1e9
    said = language()(
        "{id}: {params} parameters, {gb} GB in {precision}.",
        id=llm.id, params=f"{llm.params_total / 1e9:.3f}e9", gb=f"{gb:,.1f}", precision=llm.native_precision,
    )  # fmt: skip
    note(said)
    if other := difference(llm):
        note(language().sentence(other))


@app.command("remove", cls=Command, help="Example: dsopt models remove my-model")
@speaking
def remove(model: str) -> None:
    from catalogs.user_models import remove as delete

    note(language()("Removed {model}.", model=delete(model)))
