"""`dsopt size`: memory and speed of models on given GPUs, no buying."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from optimizer.cli.options import CALIBRATION, CATALOG, FORCE, JSON, MEASURED, SET, Values, given, taking
from optimizer.cli.output import emit_data, free, note, note_sentence, save
from optimizer.request.entry import ANSWER, ASK, BASIS, SITE, Option
from optimizer.request.fields import fields_of, options_of
from optimizer.text.languages import chosen as language

if TYPE_CHECKING:
    from catalogs.load import Catalog
    from constraints.plan import Mix
    from constraints.policy import Policy
    from constraints.request import Request
    from optimizer.throughput.calibration import Calibration

HELP = """Examples:

  dsopt size --model r1-671b --gpu 8xH200

  dsopt size --model r1-671b --gpu 8xH200 --gpu 8xB200 --workload rag

  dsopt size --gpu "4 x 4090"

  dsopt size --model r1-distill-llama-70b --precision q4_k_m --gpu "RTX 3090 + 2 x RTX 4060 Ti 16GB"

  dsopt size --batch rows.csv -o answered.csv

  dsopt size --model v3-671b --gpu 4090 --offload --allow-experimental --cpu "EPYC 9654" --memory 12x64GB@4800

  dsopt size --model r1-671b --gpu 8xH200 --measured mine.csv

  dsopt size --calibrate mine.csv -o my-calibration

Memory per GPU, tok/s and time to first token over the number of users; without --model the
models of the DeepSeek family and your own that run (--all: every model that runs).

--batch: columns model, gpu, n_gpus; if you like precision, nodes, tp, pp, dp, ep, isl, osl, concurrency, engine,
kv_precision (bf16, fp8), spec (none, mtp, mtp2), prefix_cache (40%), network (Gbit/s per GPU), scenario, and with
disagg yes prefill_gpus, decode_gpus, prefill_plan, decode_plan (tp8, dp8 ep8). All rows and columns come back with
output_tok_s, low, high, ttft_ms, tpot_ms, basis, plan, kv_precision, spec, prefix_cache, network, disagg as they were
counted, and error behind them; an input column of one of these names is kept as NAME_in."""

OPTIONS = (
    Option(
        "gpu",
        'GPUs: H200, "8 x H200", "2 x 8 x H200" for two nodes, or a mix: "RTX 3090 + 2 x RTX 4090"; several are '
        "compared.",
        several=True,
        group=ASK,
    ),
    *options_of("size"),
    Option("n", "GPUs per node.", int, group=SITE),
    Option("nodes", "Number of nodes.", int, 1, group=SITE),
    Option("cpu", "With --offload: a CPU of the catalog.", group=SITE),
    Option("sockets", "With --offload: number of CPUs.", int, 1, group=SITE),
    Option("memory", "With --offload: memory modules, 12x64GB@4800.", group=SITE),
    Option("batch", "CSV of configurations, one per row.", Path, group=ASK),
    MEASURED,
    Option("calibrate", "Fit the model's constants to a CSV of your own measurements.", Path, group=BASIS),
    replace(CALIBRATION, help="Folder that --calibrate wrote."),
    Option("engine", "aiconfigurator: show its figure beside ours.", group=ANSWER),
    SET,
    CATALOG,
    Option(
        "all_", "Without --model: every model, references and guide names too.", bool, False, ("--all",), group=ANSWER
    ),
    JSON,
    Option(
        "output", "File that --batch, or folder that --calibrate writes.", Path, None, ("-o", "--output"), group=ANSWER
    ),
    replace(FORCE, help="Overwrite an existing output."),
)
ANY_MODEL = "v3-671b"
"""Stands in the request where every model is asked for."""


@taking(OPTIONS)
def size(ctx: typer.Context, **values: Any) -> None:
    """See HELP."""
    from catalogs.load import load
    from constraints.policy import Policy
    from optimizer.cli import parse

    output, force = values["output"], values["force"]
    _unused(ctx, values["offload"], values["workload"])
    if values["batch"] is not None and output is not None:
        free(output, force)
    parts, policy = load(values["catalog"]), Policy().with_settings(values["set_"])
    if values["calibrate"] is not None:
        from optimizer.cli.calibrate_view import calibrate as run

        return run(values["calibrate"], output, force, parts, policy)
    if values["batch"] is None and not values["gpu"]:
        raise typer.BadParameter("--gpu is needed (or --batch, --calibrate)")
    if values["batch"] is not None:
        calibration = parse.calibration(values["calibration"], values["measured"], parts, policy)
        return _batch(values["batch"], output, force, parts, policy, calibration)
    return _answer(ctx, values, parts, policy)


def _answer(ctx: typer.Context, values: Values, parts: Catalog, policy: Policy) -> None:
    """Memory and speed of one model on the GPUs, or of every model on one kind of them."""
    from catalogs.visible import visible
    from optimizer import library
    from optimizer.cli import parse, size_view

    single = values["model"] is not None or values["model_config"] is not None
    request = _request(ctx, values, parts, single)
    offloads = values["offload"]
    host = parse.host(values["cpu"], values["sockets"], values["memory"], parts) if offloads else None
    calibration = parse.calibration(values["calibration"], values["measured"], parts, policy)
    setups = _setups(ctx, values, parts)
    if single:
        answer = library.size(
            request, setups, catalog=parts, policy=policy, calibration=calibration, host=host,
            second_opinion=values["engine"],
        )  # fmt: skip
        return emit_data(visible(answer.model_dump_json(indent=2)) + "\n") if values["json"] else size_view.show(answer)
    if request.trains or host or len(setups) > 1 or values["engine"]:
        raise typer.BadParameter("without --model one --gpu is answered, for serving from its own memory")
    fits = library.size_models(
        request, setups[0], catalog=parts, policy=policy, calibration=calibration, everything=values["all_"]
    )
    return emit_data(visible(fits.model_dump_json(indent=2)) + "\n") if values["json"] else size_view.models(fits)


def _request(ctx: typer.Context, values: Values, parts: Catalog, single: bool) -> Request:
    """What the options ask for, of parts in any condition."""
    from optimizer.cli.understood import show_name
    from optimizer.cli.usage import kv_of_the_model, too_coarse
    from optimizer.request.parsing import ANY_CONDITION, bits
    from optimizer.request.texts import day
    from optimizer.request.typed_request import request_of

    too_coarse(values["precision"], bits(values["min_precision"]))
    asked = given(ctx, values if single else {**values, "model": ANY_MODEL}, parts)
    request = request_of(asked, fields_of("size"), as_of=day(None), conditions=frozenset(ANY_CONDITION))
    show_name(values["model"], request)
    if single:
        kv_of_the_model(ctx, request)
    return request


def _setups(ctx: typer.Context, values: Values, parts: Catalog) -> list[tuple[str, int, int] | Mix]:
    """(GPU id, number per node, nodes) of each --gpu, or the cards of a mix."""
    from constraints.plan import Mix
    from optimizer.cli.usage import refuse
    from optimizer.request import texts

    found: list[tuple[str, int, int] | Mix] = []
    for text in values["gpu"]:
        kinds = texts.cards(text, parts)
        if len(kinds) > 1:
            refuse(ctx, "of a mix each kind has its number (--gpu 'NAME + 2 x NAME'), in one node", "n", "nodes")
            found.append(Mix.of((name, 1 if count is None else count) for count, name in kinds))
            continue
        nodes, count, name = texts.node_gpus(text, parts)
        if count:
            refuse(ctx, "the number of GPUs stands before the name already (--gpu 8xNAME): give one", "n")
        if nodes:
            refuse(ctx, "the number of nodes stands before the name already (--gpu 2x8xNAME): give one", "nodes")
        per_node = count or (1 if values["n"] is None else values["n"])
        found.append(_in_nodes(ctx, name, per_node, nodes, values, parts))
    return found


def _in_nodes(
    ctx: typer.Context, name: str, count: int, nodes: int | None, values: Values, parts: Catalog
) -> tuple[str, int, int]:
    """(GPU id, number per node, nodes). More GPUs than the fabric of a node joins, and a whole number of such nodes,
    are so many nodes where the buyer says nothing of nodes: sixteen H100 of eight to a board are two nodes."""
    from catalogs.message import message
    from catalogs.schema import Gpu
    from optimizer.cli.usage import typed

    part = parts.parts[name]
    assert isinstance(part, Gpu)
    joined = part.wired_domain_gpus
    told = nodes is not None or typed(ctx, "nodes") or typed(ctx, "n")
    if not told and joined > 1 and count > joined and count % joined == 0:
        said = message(
            "{count} x {gpu} are taken as {nodes} nodes of {joined}, the most that the fabric of one joins.",
            count=count, gpu=part.name, nodes=count // joined, joined=joined,
        )  # fmt: skip
        note_sentence(said)
        return name, joined, count // joined
    return name, count, nodes or values["nodes"]


def _unused(ctx: typer.Context, offload: bool, workload: str) -> None:
    """Raises BadParameter for options that the answer asked for would not use."""
    from optimizer.cli.usage import refuse, refuse_all_but, refuse_of_other_workload, together, typed

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
    refuse_of_other_workload(ctx, "size", workload)
    return None


def _batch(path: Path, output: Path | None, force: bool, parts: Catalog, policy: Policy, by: Calibration) -> None:
    from optimizer.library import answer_rows

    found = answer_rows(path, catalog=parts, policy=policy, calibration=by)
    for x in by.notes:
        note_sentence(x)
    if output is None:
        emit_data(found.csv)
    else:
        save(output, found.csv, force)
        counts = {"rows": f"{found.rows:,}", "errors": f"{found.errors:,}"}
        note(language()("{file}: rows answered: {rows}, of them with an error: {errors}", file=output, **counts))
