"""Whether an engine's release starts a model with given parallel sizes: the question as people ask it.

>>> judge("vllm 0.33.0", "deepseek-ai/DeepSeek-R1", tp=6).outcome
'refused'
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from catalogs.engines.balancer import redundant_for, run_of_uneven, unproven
from catalogs.engines.rules import SEVERITY, Layout, Outcome, PlanFault, Release, plan_faults, releases
from catalogs.engines.sizes import ModelSizes, from_config, named
from catalogs.engines.support import engines_on
from catalogs.engines.tables import release_of, table
from catalogs.errors import InputError
from catalogs.message import joined

DETAILS = {
    "a2a=true": "a2a", "rocm=true": "rocm", "kernel=offset": "offset", "kernel=eplb": "eplb_switch",
    "backend=cutedsl": "cutedsl", "backend=megamoe": "megamoe", "kernel=megamoe": "megamoe", "mtp=true": "mtp",
    "eplb=true": "eplb_switch", "aiter=true": "rocm", "-fa off": "no_flash_attention", "-ctk q": "kv_quantised",
}  # fmt: skip
"""Words of a detail -> the option that they mean."""


@dataclass(frozen=True)
class Verdict:
    """What becomes of a plan. `planned`: dsopt plans it; `redundant_experts`: those that it runs with.

    `outcome` is the engine's: what it builds although it may answer wrong (V6a, V7b) is `warns`, and never planned."""

    outcome: Literal["starts", "warns", "experimental", "refused"]
    planned: bool
    faults: tuple[PlanFault, ...]
    release: Release
    layout: Layout
    redundant_experts: int

    @property
    def rules(self) -> tuple[str, ...]:
        """Ids of the rules that speak."""
        return tuple(f.rule for f in self.faults)

    @property
    def reason(self) -> str:
        """All faults in a line; empty where the plan starts."""
        return joined((fault.said for fault in self.faults), "; ")


def plannable(faults: tuple[PlanFault, ...], *, experimental: bool = False) -> bool:
    """Whether dsopt plans what these faults speak of: only uneven pipeline stages, and what is asked to be tried."""
    return all(may_be_tried(f.rule, f.outcome, experimental=experimental) for f in faults)


def may_be_tried(rule: str, outcome: Outcome, *, experimental: bool) -> bool:
    """The same of what one rule says."""
    return (outcome == "warns" and rule == "V8") or (outcome == "experimental" and experimental)


def judge(
    engine: str,
    model: str | Mapping[str, Any] | ModelSizes,
    tp: int = 1,
    pp: int = 1,
    dp: int = 1,
    ep: int = 1,
    nodes: int = 1,
    redundant: int | None = 0,
    detail: str = "",
    kernel_class: str = "",
) -> Verdict:
    """Whether an engine starts a plan, in the engine's own sizes.

    Parameters:
        engine: Name and release: `vllm 0.33.0`, `sglang 0.5.23`, `trtllm 1.3.0rc`, `vllm <0.28`.
        model: Id or Hugging Face name, the config.json as a mapping, or the sizes themselves.
        tp, pp, dp, ep, nodes: As the engine counts them: in SGLang and TensorRT-LLM tp holds the attention groups dp.
        redundant: Redundant experts; None for the fewest that the engine is known to run.
        detail: What else was switched on: `a2a=True`, `kernel=offset`, `rocm=True`, `dcp=4`, `ver=(0, 20)`.
        kernel_class: Of the GPUs (SM90, SM103, CDNA3, ...): with it experts that do not divide need a published run.

    Raises:
        InputError: An engine whose rules are not known.
    """
    release, number = described(engine, detail)
    sizes = model if isinstance(model, ModelSizes) else _sizes(model)
    layout = _layout(release, detail, Layout(tp, pp, dp, ep, nodes, 0, release.options, kernel_class))
    at = _at(release, number)
    if redundant is None:
        redundant = _chosen(at, sizes, layout)
    layout = replace(layout, redundant=redundant)
    if _ran(release, model, layout):
        return Verdict("starts", True, (), at, layout, redundant)
    faults = plan_faults(release, sizes, layout, number)
    if kernel_class and "cutedsl" not in layout.options and (more := unproven(at, sizes, layout)):
        hard = [f for f in faults if f.outcome != "warns" or f.rule == "V8"]
        faults = (*hard, more)
    if any(f.outcome == "refused" for f in faults):
        faults = tuple(f for f in faults if f.outcome == "refused")
    outcome = max((f.outcome for f in faults), key=SEVERITY.__getitem__, default="starts")
    shown = not redundant or unproven(at, sizes, layout) is None
    return Verdict(outcome, plannable(faults) and shown, faults, at, layout, redundant)  # type: ignore[arg-type]


def release_named(engine: str, kernel_class: str = "") -> Release:
    """The release of an engine by name, `vllm` or `dynamo-sglang 0.5.8`; on GPUs of a kernel class the branch of the
    engine that serves there (vLLM ROCm on CDNA3). Raises InputError for an engine whose rules are not known."""
    release, number = described(engine)
    serve = [e.name for e in engines_on(kernel_class)]
    branches = [name for name in serve if name.startswith(f"{release.engine} ")]
    if branches and release.engine not in serve:
        asked_for_newest = number == release.number
        release = next(r for r in releases() if r.engine == branches[0])
        number = release.number if asked_for_newest else number
    return _at(release, number)


def _at(release: Release, number: tuple[int, ...]) -> Release:
    """The same engine at another release."""
    return release if number == release.number else replace(release, release=".".join(map(str, number)))


def described(engine: str, detail: str = "") -> tuple[Release, tuple[int, ...]]:
    """(the engine as described, the release asked for as numbers)."""
    name, _, rest = engine.strip().partition(" ")
    found = next((r for r in releases() if name.casefold() in (*r.aliases, r.engine.casefold())), None)
    if found is None:
        named_ = [r for r in releases() if engine.strip().casefold().startswith(r.engine.casefold())]
        found = max(named_, key=lambda r: len(r.engine), default=None)
    if found is None:
        known = ", ".join(r.aliases[0] for r in releases())
        raise InputError(f"no rules of engine {engine!r} are known", "unknown-engine", f"Known: {known}.")
    if "rocm=true" in detail.casefold() and (rocm := [r for r in releases() if r.engine == f"{found.engine} ROCm"]):
        found = rocm[0]
    version = re.search(r"ver=\(([\d, ]+)\)", detail)
    if version:
        return found, tuple(int(x) for x in version[1].split(",") if x.strip())
    below = re.match(r"<\s*([\d.]+)", rest)
    if below:
        *head, last = release_of(below[1])
        return found, (*head, last - 1) if last else (*head[:-1], head[-1] - 1)
    asked = re.search(r"\d+(\.\d+)+", rest.replace(found.engine.partition(" ")[2], ""))
    return found, release_of(asked[0]) if asked else found.number


def _sizes(model: str | Mapping[str, Any]) -> ModelSizes:
    return named(model) if isinstance(model, str) else from_config(model, str(model.get("_name_or_path", "")))


def _layout(release: Release, detail: str, layout: Layout) -> Layout:
    """The layout with what a detail switches on. Where attention is data parallel and every rank has experts of its
    own, SGLang moves tokens by an all-to-all backend."""
    low = detail.casefold()
    options = {option for words, option in DETAILS.items() if words in low}
    if release.inside and layout.dp > 1 and layout.ep == layout.tp and "a2a=false" not in low:
        options.add("a2a")
    visible = re.search(r"on (\d+) gpus", low)
    context = {str(name): int(size) for name, size in re.findall(r"\b(dcp|pcp)=(\d+)", low)}
    return replace(
        layout,
        options=layout.options | options,
        gpus=int(visible[1]) if visible else None,
        dcp=context.get("dcp", 1),
        pcp=context.get("pcp", 1),
    )


def _chosen(release: Release, sizes: ModelSizes, layout: Layout) -> int:
    """The fewest redundant experts that the engine is known to run here (on any GPU where none is named)."""
    classes = [layout.kernel_class] if layout.kernel_class else ["SM103", "SM100", "SM90", "SM120", "CDNA3", "CDNA4"]
    shown = next((c for c in classes if run_of_uneven(release, sizes, c)), layout.kernel_class)
    return redundant_for(release, sizes, replace(layout, kernel_class=shown)) or 0


def _ran(release: Release, model: object, layout: Layout) -> bool:
    """Whether this very layout was run and published (layouts_ran.csv: models whose sizes are not at hand)."""
    sizes = [str(x) for x in (layout.tp, layout.pp, layout.dp, layout.ep)]
    return isinstance(model, str) and any(
        r["engine"] == release.engine and r["model"] == model and [r[x] for x in ("tp", "pp", "dp", "ep")] == sizes
        for r in table("layouts_ran")
    )
