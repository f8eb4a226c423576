"""`dsopt size`: memory and speed of models on given GPUs, no buying."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from optimizer.cli.output import emit_data, free, note, save
from optimizer.text.languages import chosen as language

if TYPE_CHECKING:
    from catalogs.load import Catalog
    from constraints.policy import Policy
    from optimizer.throughput.calibration import Calibration

HELP = """Examples:

  dsopt size --model r1-671b --gpu 8xH200

  dsopt size --model r1-671b --gpu 8xH200 --gpu 8xB200 --workload rag

  dsopt size --gpu "4 x 4090"

  dsopt size --batch rows.csv -o answered.csv

  dsopt size --model v3-671b --gpu 4090 --offload --allow-experimental --cpu "EPYC 9654" --memory 12x64GB@4800

  dsopt size --model r1-671b --gpu 8xH200 --measured mine.csv

  dsopt size --calibrate mine.csv -o my-calibration

Memory per GPU, tok/s and time to first token over the number of users; without --model every model that runs.

--batch: columns model, gpu, n_gpus; if you like precision, nodes, tp, pp, dp, ep, isl, osl, concurrency. All rows and
columns come back with output_tok_s, low, high, ttft_ms, tpot_ms, basis, error behind them; an input column of one of
these names is kept as NAME_in."""


def size(
    ctx: typer.Context,
    model: Annotated[str | None, typer.Option(help="Model id or Hugging Face name. [default: every model]")] = None,
    model_config: Annotated[Path | None, typer.Option(help="A Hugging Face config.json, instead of --model.")] = None,
    gpu: Annotated[list[str], typer.Option(help="[N x]NAME of a GPU; several are compared.")] = [],
    n: Annotated[int | None, typer.Option(help="GPUs per node.")] = None,
    nodes: Annotated[int, typer.Option(help="Nodes.")] = 1,
    workload: Annotated[
        str, typer.Option(help="chat, rag, reasoning, batch; finetune-lora, finetune-full, train.")
    ] = "chat",
    isl: Annotated[int | None, typer.Option(help="Tokens in per request.")] = None,
    osl: Annotated[int | None, typer.Option(help="Tokens out per request.")] = None,
    users: Annotated[int | None, typer.Option(help="Requests that run at once, at least.")] = None,
    tokens_per_day: Annotated[str | None, typer.Option(help="Load: output tokens a day, 20M, 2000万, 3亿.")] = None,
    requests_per_second: Annotated[str | None, typer.Option(help="Load: mean requests a second.")] = None,
    min_tok_s_user: Annotated[float | None, typer.Option(help="Speed that each user sees; 10.")] = None,
    max_ttft: Annotated[float | None, typer.Option(help="Time to first token, ms.")] = None,
    seq_len: Annotated[int | None, typer.Option(help="Training: tokens of a sequence.")] = None,
    train_tokens: Annotated[float | None, typer.Option(help="Training: tokens to train, for the days.")] = None,
    precision: Annotated[str | None, typer.Option(help="fp16, fp8, int8, int4, ...")] = None,
    kv_precision: Annotated[str, typer.Option(help="bf16 or fp8.")] = "bf16",
    allow_experimental: Annotated[
        bool, typer.Option("--allow-experimental", help="Engines that support the model only experimentally.")
    ] = False,
    offload: Annotated[bool, typer.Option("--offload", help="Routed experts in host memory.")] = False,
    cpu: Annotated[str | None, typer.Option(help="With --offload: CPU of the catalog.")] = None,
    sockets: Annotated[int, typer.Option(help="With --offload: CPUs.")] = 1,
    memory: Annotated[str | None, typer.Option(help="With --offload: modules, 12x64GB@4800.")] = None,
    batch: Annotated[Path | None, typer.Option(help="CSV of configurations to answer.")] = None,
    measured: Annotated[Path | None, typer.Option(help="CSV of your own measurements: they beat the model.")] = None,
    calibrate: Annotated[Path | None, typer.Option(help="CSV of your own measurements: fit the constants.")] = None,
    calibration: Annotated[Path | None, typer.Option(help="Folder that --calibrate wrote.")] = None,
    engine: Annotated[str | None, typer.Option(help="aiconfigurator: its figure beside ours.")] = None,
    set_: Annotated[list[str], typer.Option("--set", help="One policy value, rule.key=value.")] = [],
    catalog: Annotated[list[Path], typer.Option(help="Folder laid over the shipped catalog.")] = [],
    all_: Annotated[bool, typer.Option("--all", help="Without --model: references and guide names too.")] = False,
    json: Annotated[bool, typer.Option("--json", help="JSON on stdout.")] = False,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="File of --batch or folder of --calibrate.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing output.")] = False,
) -> None:
    """See HELP."""
    from catalogs.load import load
    from catalogs.visible import visible
    from constraints.policy import Policy
    from optimizer import library
    from optimizer.cli import parse, size_view
    from optimizer.cli.usage import kv_of_the_model, refuse
    from optimizer.request import texts

    _unused(ctx, offload, workload)
    if batch is not None and output is not None:
        free(output, force)
    parts, policy = load(catalog), Policy().with_settings(set_)
    if calibrate is not None:
        from optimizer.cli.calibrate_view import calibrate as run

        return run(calibrate, output, force, parts, policy)
    if batch is not None:
        return _batch(batch, output, force, parts, policy, parse.calibration(calibration, measured, parts, policy))
    if not gpu:
        raise typer.BadParameter("--gpu is needed (or --batch, --calibrate)")
    single = model is not None or model_config is not None
    request = texts.request(
        model=parse.model(model, model_config) if single else "v3-671b",
        as_of=texts.day(None),
        **texts.lengths(workload, isl, osl),
        **texts.of_workload(
            workload,
            {
                "users": users,
                **parse.load(tokens_per_day, requests_per_second),
                "min_tok_s_user": min_tok_s_user,
                "max_ttft_ms": max_ttft,
            },
            {"seq_len": seq_len, "train_tokens": train_tokens},
        ),
        precision=precision,
        kv_precision=kv_precision,
        offload=offload,
        allow_experimental=allow_experimental,
        conditions=frozenset({"new", "refurbished", "used"}),
    )
    if single:
        kv_of_the_model(ctx, request)
    host = parse.host(cpu, sockets, memory, parts) if offload else None
    by = parse.calibration(calibration, measured, parts, policy)
    counted = [texts.gpu(x, parts) for x in gpu]
    if any(count for count, _ in counted):
        refuse(ctx, "the number of GPUs stands before the name already (--gpu 8xNAME): give one", "n")
    setups = [(name, n or count or 1, nodes) for count, name in counted]
    if single:
        answer = library.size(
            request, setups, catalog=parts, policy=policy, calibration=by, host=host, second_opinion=engine
        )
        return emit_data(visible(answer.model_dump_json(indent=2)) + "\n") if json else size_view.show(answer)
    if request.trains or host or len(setups) > 1 or engine:
        raise typer.BadParameter("without --model one --gpu is answered, for serving from its own memory")
    fits = library.size_models(request, setups[0], catalog=parts, policy=policy, calibration=by, everything=all_)
    emit_data(visible(fits.model_dump_json(indent=2)) + "\n") if json else size_view.models(fits)


def _unused(ctx: typer.Context, offload: bool, workload: str) -> None:
    """Raises BadParameter for options that the answer asked for would not use."""
    from constraints.request import TRAINING
    from optimizer.cli.usage import refuse, refuse_all_but, together, typed

    together(ctx, "batch", "calibrate")
    together(ctx, "model", "model_config")
    together(ctx, "tokens_per_day", "requests_per_second")
    if typed(ctx, "calibrate"):
        return refuse_all_but(ctx, "is not used by --calibrate", "calibrate", "output", "force", "set_", "catalog")
    if typed(ctx, "batch"):
        used = ("batch", "output", "force", "set_", "catalog", "measured", "calibration")
        refuse_all_but(ctx, "is not used by --batch, whose rows say it", *used)
        if not typed(ctx, "output"):
            refuse(ctx, "is of -o", "force")
        return None
    refuse(ctx, "is of --batch or --calibrate", "output", "force")
    if not offload:
        refuse(ctx, "is of --offload", "cpu", "sockets", "memory")
    if typed(ctx, "model") or typed(ctx, "model_config"):
        refuse(ctx, "is of an answer for every model, without --model", "all_")
    else:
        refuse(ctx, "is of an answer for one model (--model)", "tokens_per_day", "requests_per_second")
    if workload in TRAINING:
        refuse(ctx, f"is of serving, not of {workload}", "kv_precision", "offload")
    return None


def _batch(path: Path, output: Path | None, force: bool, parts: Catalog, policy: Policy, by: Calibration) -> None:
    from optimizer.library import answer_rows

    found = answer_rows(path, catalog=parts, policy=policy, calibration=by)
    for x in by.notes:
        note(f"{language()('note')}{language().colon}{language().sentence(x)}")
    if output is None:
        emit_data(found.csv)
    else:
        save(output, found.csv, force)
        counts = {"rows": f"{found.rows:,}", "errors": f"{found.errors:,}"}
        note(language()("{file}: {rows} rows, {errors} of them with an error", file=output, **counts))
