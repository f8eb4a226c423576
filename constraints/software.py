"""Rule software: a released engine serves (or trains) this architecture on this GPU generation at this precision."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from constraints.policy import table
from constraints.request import Request
from constraints.rule import Check

if TYPE_CHECKING:
    from constraints.case import Case
    from constraints.model import FamilyModel


@dataclass(frozen=True)
class Engine:
    name: str
    version: str
    status: str
    source: str

    def __str__(self) -> str:
        return f"{self.name} >= {self.version}"


@cache
def engine(architecture: str, arch: str, precision: str, does: str = "serve") -> Engine | None:
    """The engine for a model architecture on a GPU generation, a stable one first; None when unknown.

    `does`: serve (software.csv), offload (serve with routed experts in host memory: offload_software.csv), full or
    lora (training_software.csv)."""
    found = [
        Engine(r["engine"], r["version"], r["status"], r["source"])
        for r in table({"serve": "software", "offload": "offload_software"}.get(does, "training_software"))
        if architecture in r["architecture"].split("|")
        and arch in r["arch"].split("|")
        and precision in r["precisions"].split("|")
        and does in r.get("methods", does).split("|")
    ]
    return min(found, key=lambda e: e.status != "stable", default=None)


def method(request: Request, offload: bool = False) -> str:
    """What the request does with the model: serve, offload, full or lora."""
    if request.trains:
        return "lora" if request.lora else "full"
    return "offload" if offload else "serve"


def served(architecture: str, arch: str, precision: str, request: Request, offload: bool = False) -> bool:
    """Whether an engine may be counted on; an experimental one only when the request allows it."""
    e = engine(architecture, arch, precision, method(request, offload))
    return e is not None and (e.status == "stable" or request.allow_experimental)


class Software:
    id = "software"

    def encode(self, m: FamilyModel) -> None:
        for row, chosen in m.rows.items():
            if not served(m.llm.architecture, m.gpu.arch, row.plan.precision, m.request, row.plan.offload):
                m.cp.add(chosen == 0)

    def check(self, c: Case) -> list[Check]:
        e = engine(c.llm.architecture, c.gpu.arch, c.plan.precision, method(c.request, c.plan.offload))
        what = f"{c.llm.architecture} at {c.plan.precision} on {c.gpu.arch}"
        what += " with experts in host memory" if c.plan.offload else ""
        does = "trains" if c.request.trains else "serves"
        if e is None:
            return [Check.of(self.id, False, f"no released engine known that {does} {what}")]
        if e.status != "stable" and not c.request.allow_experimental:
            return [Check.of(self.id, False, f"{e} {does} {what} only experimentally (--allow-experimental)")]
        return [Check.of(self.id, True, f"{e} {does} {what} ({e.status}; {e.source})")]
