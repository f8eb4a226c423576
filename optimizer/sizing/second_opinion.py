"""The figure of another engine beside ours, where its package is installed: NVIDIA's AIConfigurator (Apache-2.0).

Its Python function `aiconfigurator.cli.cli_estimate` answers one configuration: the plan and the requests at once that
dsopt chose for a setup are put to it. Nothing else of dsopt needs the package.
"""

from __future__ import annotations

import importlib
import math
from importlib.metadata import version
from typing import Any

from catalogs.errors import Fault, InputError
from catalogs.llm import Llm, get
from catalogs.message import message
from catalogs.nearest import one_of
from constraints.policy import table
from optimizer.sizing.schema import SecondOpinion, Sized, SizeReport

NAME = "aiconfigurator"
BACKENDS = {"SGLang": "sglang", "vLLM": "vllm", "TensorRT-LLM": "trtllm"}
"""Engine names of catalogs/engines/software.csv -> names of its backends; the first that fits, else trtllm."""


def with_opinion(report: SizeReport, engine: str) -> SizeReport:
    """The report with the other engine's figure for each setup that fits, or a message why it has none.

    Raises InputError for an unknown engine or where its package is not installed."""
    if engine.casefold() != NAME:
        raise InputError(
            Fault("unknown-engine", "no such engine", column="--engine", value=engine, remedy=one_of(engine, (NAME,)))
        )
    try:
        estimate = importlib.import_module(f"{NAME}.cli").cli_estimate
    except (ImportError, AttributeError) as e:
        remedy = 'Install it: pip install "dsopt[aiconfigurator]" (Linux x86-64).'
        raise InputError(
            Fault("engine-not-installed", f"can't be used: {e}", column="--engine", value=engine, remedy=remedy)
        ) from None
    llm, messages, setups = get(report.model.id), list(report.messages), []
    for s in report.setups:
        found = ask(estimate, llm, report, s) if s.fits and not s.details else "it has no figures for such a plan"
        if isinstance(found, str):
            messages.append(
                message("{engine} has no figure for {setup}: {why}.", engine=NAME, setup=s.all_gpus, why=found)
            )
            setups.append(s)
        else:
            setups.append(s.model_copy(update={"second_opinion": found}))
    return report.model_copy(update={"setups": setups, "messages": messages})


def ask(estimate: Any, llm: Llm, report: SizeReport, sized: Sized) -> SecondOpinion | str:
    """Its figure for the plan of a setup, of the whole setup; or why it has none."""
    system = next((r["system"] for r in table(f"{NAME}_systems") if r["gpu"] == sized.gpu), None)
    if system is None or not llm.hf_names:
        return "it does not know this GPU" if system is None else "the model has no Hugging Face name"
    assert sized.tp and sized.pp and sized.dp and sized.ep and sized.replicas and sized.users
    experts = {"moe_tp_size": sized.tp * sized.dp // sized.ep, "moe_ep_size": sized.ep} if llm.is_moe else {}
    batch = max(1, sized.users // sized.replicas // sized.dp)
    backend = next((b for name, b in BACKENDS.items() if sized.engine.startswith(name)), "trtllm")
    try:
        found = estimate(
            llm.hf_names[0], system, backend_name=backend, isl=report.isl, osl=report.osl, batch_size=batch,
            tp_size=sized.tp, pp_size=sized.pp, attention_dp_size=sized.dp, **experts,
        )  # fmt: skip
    except Exception as e:  # whatever another package raises is its answer, not our error
        return f"{type(e).__name__}: {str(e).splitlines()[0][:200]}" if str(e) else type(e).__name__
    figures = [float(x) for x in (found.tokens_per_second_per_gpu, found.ttft, found.tpot)]
    if not all(map(math.isfinite, figures)):
        return "its figure is no number"
    speed, ttft, tpot = figures
    return SecondOpinion(
        engine=NAME,
        version=f"{version(NAME)}, {found.backend_name} {found.backend_version}",
        output_tok_s=round(speed * sized.gpus, 1),
        ttft_ms=round(ttft, 1),
        tpot_ms=round(tpot, 2),
        concurrency=int(found.concurrency) * sized.replicas,
        plan=message(
            "tp{tp} pp{pp} dp{dp} ep{ep}, {n} requests per rank",
            tp=sized.tp,
            pp=sized.pp,
            dp=sized.dp,
            ep=sized.ep,
            n=batch,
        ),  # fmt: skip,
    )
