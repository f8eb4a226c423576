"""Does a model run on a GPU: which engine, since which release, by whose word, and how long ago that was read."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from optimizer.cli.output import note, say, table
from optimizer.text.languages import N_
from optimizer.text.languages import chosen as language

if TYPE_CHECKING:
    from catalogs.llm import Llm

STATUS = {
    "stable": N_("stable"), "experimental": N_("experimental"), "unknown": N_("unknown"), "none": N_("does not run"),
    "broken": N_("broken"),
}  # fmt: skip
DOES = {"serve": "", "offload": N_("experts in host memory")}


def support_data(llm: Llm, gpu_text: str, overlay: list[Path]) -> dict[str, Any]:
    """JSON-ready: the GPU, and what is known of each engine there. Raises InputError for a GPU that is not known."""
    from catalogs.engines.support import support_of
    from catalogs.load import load
    from catalogs.schema import Gpu
    from optimizer.request.texts import gpu

    catalog = load(overlay)
    part = catalog.parts[gpu(gpu_text, catalog)[1]]
    assert isinstance(part, Gpu)
    today = date.today()
    said = support_of(llm.id, llm.architecture, part, llm.precisions())
    return {
        "gpu": part.id,
        "name": part.name,
        "support": [
            {
                "engine": one.engine, "does": one.does, "since_release": one.release, "status": one.status,
                "precisions": list(one.precisions), "source": one.source, "date": one.date,
                "age_days": one.age_days(today),
            }
            for one in said
        ],
    }  # fmt: skip


def show_support(llm: Llm, data: dict[str, Any]) -> None:
    """One line per engine, its source below; a warning where all that runs was read long ago."""
    from catalogs.engines.support import FRESH_DAYS

    _ = language()
    support = data["support"]
    runs = [one for one in support if one["status"] in ("stable", "experimental")]
    names = {"model": llm.name, "gpu": data["name"]}
    if not support:
        say(_("No engine is known to run {model} on {gpu}: dsopt plans nothing there.", **names))
        return
    say(_("{model} on {gpu}:", **names) if runs else _("{model} does not run on {gpu}:", **names))
    rows = [
        [
            one["engine"] if one["does"] == "serve" else one["engine"] + _.bracketed(_(DOES[one["does"]])),
            _(STATUS[one["status"]]),
            f"≥ {one['since_release']}" if one["since_release"] else "",
            _.list(one["precisions"]),
            one["date"],
        ]
        for one in support
    ]
    table([_("engine"), _("status"), _("since"), _("weights"), _("read on")], rows)
    for one in support:
        say(f"  {one['engine']}{_.colon}{one['source']}")
    if runs and (youngest := min(one["age_days"] for one in runs)) > FRESH_DAYS:
        text = N_("warning: all of this was read {days} days ago or longer; engines release every few weeks: ask anew")
        note(_(text, days=youngest))
