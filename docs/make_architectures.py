"""The list of architectures in docs/models.md: `python docs/make_architectures.py` writes it anew."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from catalogs.architectures import ARCHITECTURES
from catalogs.architectures.base import no_draft, no_tower
from catalogs.architectures.wrapped import WRAPPERS

PAGE = Path(__file__).with_name("models.md")
BEGIN, END = "<!-- architectures: python docs/make_architectures.py -->", "<!-- end -->"
ATTENTION = {
    "gqa": "grouped", "mla": "latent", "dsa": "latent with an indexer",
    "v4": "compressed, with a window and an indexer",
}  # fmt: skip


def table() -> str:
    """A row for each name in support tables: names in config.json, attention, what lies beside the layers."""
    names: dict[str, list[str]] = defaultdict(list)
    for name, architecture in ARCHITECTURES.items():
        names[architecture.name].append(name)
    lines = ["| `architectures` of config.json | attention | beside the layers |", "|---|---|---|"]
    for short in sorted(names):
        all_of = [ARCHITECTURES[name] for name in names[short]]
        has = ["tower"] if any(each.tower is not no_tower for each in all_of) else []
        has += ["module for several tokens"] if any(each.draft is not no_draft for each in all_of) else []
        spelled = ", ".join(f"`{name}`" for name in names[short])
        attention = ATTENTION[all_of[0].attention]
        lines.append(f"| {spelled} | {attention} | {', '.join(has)} |")
    around: dict[str, list[str]] = defaultdict(list)
    for name, wrapper in WRAPPERS.items():
        around[wrapper.name].append(f"`{name}`")
    lines += [f"| {', '.join(around[short])} | that of the language model inside | tower |" for short in sorted(around)]
    return "\n".join(lines)


def page(text: str) -> str:
    """A page with the list made anew."""
    before, rest = text.split(BEGIN)
    return f"{before}{BEGIN}\n{table()}\n{END}{rest.split(END)[1]}"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
