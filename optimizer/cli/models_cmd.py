"""`dsopt models list | show | add | remove`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from optimizer.cli.output import emit_json, note, padded, say, table
from optimizer.cli.usage import Command, Group
from optimizer.text.languages import N_
from optimizer.text.languages import chosen as language

FACTS = {
    "id": N_("id"), "name": N_("name"), "aliases": N_("aliases"), "note": N_("note"), "source": N_("source"),
    "architecture": N_("architecture"), "params_total": N_("parameters"), "params_active": N_("active parameters"),
    "layers": N_("layers"), "max_context": N_("context"), "weight_bytes": N_("bytes of weights"),
    "kv_bytes_at": N_("bytes of KV cache"),
}  # fmt: skip
"""Facts of a model, which English names as the JSON does."""
app = typer.Typer(cls=Group, no_args_is_help=True, rich_markup_mode=None)


@app.command("list", cls=Command, help="Example: dsopt models list")
def list_models(json: Annotated[bool, typer.Option("--json", help="JSON on stdout.")] = False) -> None:
    from catalogs.llm import all_models

    found = all_models()
    if json:
        emit_json(
            [
                {"id": m.id, "name": m.name, "params_total": m.params_total, "note": m.note, "user": m.user}
                for m in found
            ]
        )
        return
    rows, _ = [], language()
    for m in found:
        gb = {p: f"{m.weight_bytes(p) / 1e9:,.1f}" for p in m.precisions()}
        rows.append(
            [
                m.id,
                _("(yours)") if m.user else _.sentence(m.name),
                f"{m.params_total / 1e9:,.1f}",
                m.native_precision,
                gb[m.precisions()[0]],
                f"{m.max_context:,}",
            ]
        )
    heads = [_("id"), _("name"), _("params, 1e9"), _("published in"), _("largest, GB"), _("context")]
    table(heads, rows, {2, 4, 5})


@app.command("show", cls=Command, help="Example: dsopt models show v3-671b")
def show(model: str, json: Annotated[bool, typer.Option("--json", help="JSON on stdout.")] = False) -> None:
    from catalogs.llm import get

    m = get(model)
    data = {
        "id": m.id,
        "name": m.name,
        "aliases": list(m.hf_names),
        "note": m.note,
        "source": m.source,
        "architecture": m.architecture,
        "params_total": m.params_total,
        "params_active": m.params_active,
        "layers": m.layers,
        "max_context": m.max_context,
        "weight_bytes": {p: m.weight_bytes(p) for p in m.precisions()},
        "kv_bytes_at": {str(n): {k: m.kv_bytes(n, k) for k in ("bf16", "fp8")} for n in (2048, 32768)},
    }
    if json:
        emit_json(data)
        return
    from optimizer.cli.front_view import coded, remark

    for key, value in data.items():
        if value:
            text = remark(value) if isinstance(value, str) else _figures(value)
            say(f"{padded(coded(FACTS, key), 16)} {text}")


def _figures(value: Any) -> str:
    """Facts in a line: `1,024`; `a, b`; `bf16 1,024, fp8 512`; `2048 tokens: ...; 32768 tokens: ...`."""
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, list):
        return ", ".join(value)
    if all(isinstance(x, int) for x in value.values()):
        return ", ".join(f"{key} {n:,}" for key, n in value.items())
    _ = language()
    return "; ".join(f"{_('{n} tokens', n=key)}{_.colon}{_figures(x)}" for key, x in value.items())


@app.command("add", cls=Command, help="Example: dsopt models add config.json --id my-model")
def add(
    file: Annotated[Path, typer.Argument(help="A Hugging Face config.json.")],
    id_: Annotated[str | None, typer.Option("--id", help="Name; by default that of the file or its folder.")] = None,
    precision: Annotated[str | None, typer.Option(help="Format in which the weights are published.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a model of yours.")] = False,
) -> None:
    from catalogs.registry import shipped_names
    from catalogs.user_models import add as keep

    llm = keep(file, id_, precision, frozenset(shipped_names()), force=force)
    gb = llm.weight_bytes(llm.native_precision) / 1e9
    said = language()(
        "{id}: {params} parameters, {gb} GB in {precision}.",
        id=llm.id, params=f"{llm.params_total / 1e9:.3f}e9", gb=f"{gb:,.1f}", precision=llm.native_precision,
    )  # fmt: skip
    note(said)


@app.command("remove", cls=Command, help="Example: dsopt models remove my-model")
def remove(model: str) -> None:
    from catalogs.user_models import remove as delete

    note(language()("Removed {model}.", model=delete(model)))
