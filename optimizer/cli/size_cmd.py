"""`dsopt size`: memory and speed of a model on given GPUs, no buying."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from optimizer.cli.output import emit_json

HELP = """Example: dsopt size --model v3-671b --gpu H200 --n 8

Memory per GPU, the most users, tok/s and time to first token."""


def size(
    model: Annotated[str, typer.Option(help="Model id or Hugging Face name.")],
    gpu: Annotated[str, typer.Option(help="[N x]NAME of a GPU.")],
    n: Annotated[int | None, typer.Option(help="GPUs per node.")] = None,
    nodes: Annotated[int, typer.Option(help="Nodes.")] = 1,
    workload: Annotated[
        str, typer.Option(help="chat, rag, reasoning, batch; finetune-lora, finetune-full, train.")
    ] = "chat",
    isl: Annotated[int | None, typer.Option(help="Tokens in per request.")] = None,
    osl: Annotated[int | None, typer.Option(help="Tokens out per request.")] = None,
    users: Annotated[int | None, typer.Option(help="Requests that run at once.")] = None,
    min_tok_s_user: Annotated[float | None, typer.Option(help="Speed that each user sees; 10.")] = None,
    max_ttft: Annotated[float | None, typer.Option(help="Time to first token, ms.")] = None,
    seq_len: Annotated[int | None, typer.Option(help="Training: tokens of a sequence.")] = None,
    train_tokens: Annotated[float | None, typer.Option(help="Training: tokens to train, for the days.")] = None,
    precision: Annotated[str | None, typer.Option(help="fp16, fp8, int8, int4, ...")] = None,
    kv_precision: Annotated[str, typer.Option(help="bf16 or fp8.")] = "bf16",
    catalog: Annotated[list[Path], typer.Option(help="Folder laid over the shipped catalog.")] = [],
    json: Annotated[bool, typer.Option("--json", help="JSON on stdout.")] = False,
) -> None:
    """See HELP."""
    from catalogs.load import load
    from constraints.policy import Policy
    from optimizer.cli import parse
    from optimizer.sizing import size as run

    parts = load(catalog)
    count, gpu_id = parse.gpu(gpu, parts)
    request = parse.request(
        model=model,
        as_of=parse.day(None),
        **parse.lengths(workload, isl, osl),
        **parse.of_workload(
            workload,
            {"users": users, "min_tok_s_user": min_tok_s_user, "max_ttft_ms": max_ttft},
            {"seq_len": seq_len, "train_tokens": train_tokens},
        ),
        precision=precision,
        kv_precision=kv_precision,
        conditions=frozenset({"new", "refurbished", "used"}),
    )
    data = run(parts, request, Policy(), gpu_id, n or count or 1, nodes)
    if json:
        emit_json(data)
        return
    for key, value in data.items():
        print(f"{key:18} {value}")
