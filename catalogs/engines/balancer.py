"""Redundant experts: where a run shows that an engine serves experts that do not divide (expert_balancer.csv)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from catalogs.engines.rules import Layout, PlanFault, Release
from catalogs.engines.sizes import ModelSizes
from catalogs.engines.tables import read, release_of, sourced, split
from catalogs.message import message

RULE = "E0"
"""The rule that uneven experts need a run that shows them."""


@dataclass(frozen=True)
class BalancerRow:
    """One row: an engine's expert balancer with a kind of model, weights, kernel and GPUs. `uneven`: a published run
    with an expert-parallel size that does not divide the experts."""

    engine: str
    release_from: str
    families: tuple[str, ...]
    weights: tuple[str, ...]
    kernel: str
    kernel_classes: tuple[str, ...]
    uneven: bool
    status: str
    how_asked: str
    evidence: str
    source: str
    date: str
    note: str

    @classmethod
    def of(cls, row: dict[str, str]) -> BalancerRow:
        """A row as a record; raises ValueError."""
        if row["status"] not in ("works", "refused", "silently-wrong", "unknown") or not row["date"]:
            raise ValueError(f"{row['status']!r}, {row['date']!r}")
        return cls(
            row["engine"], row["release_from"], split(row["families"]), split(row["weights"]), row["kernel"],
            split(row["kernel_class"]), row["uneven"] == "yes", row["status"], row["how_asked"], row["evidence"],
            sourced(row), row["date"], row["note"],
        )  # fmt: skip

    def shows(self, engine: str, number: tuple[int, ...], model: ModelSizes, kernel_class: str) -> bool:
        """Whether the row is a run of uneven experts that speaks for this engine, release, model and GPUs."""
        return (
            self.uneven
            and self.status == "works"
            and self.evidence == "ran"
            and self.engine == engine
            and number >= release_of(self.release_from)
            and model.family in self.families
            and model.weights in self.weights
            and kernel_class in self.kernel_classes
        )


@cache
def balancer_rows() -> tuple[BalancerRow, ...]:
    """All rows of expert_balancer.csv."""
    return read("expert_balancer", BalancerRow.of)


@cache
def run_of_uneven(release: Release, model: ModelSizes, kernel_class: str) -> BalancerRow | None:
    """A run that shows uneven experts with redundant ones on these GPUs; None where none is published."""
    rows = (r for r in balancer_rows() if r.shows(release.engine, release.number, model, kernel_class))
    return next(rows, None)


def least_redundant(model: ModelSizes, ep: int) -> int:
    """The fewest redundant experts with which every expert-parallel rank holds as many."""
    return -(model.experts or 0) % ep


def redundant_for(release: Release, model: ModelSizes, layout: Layout) -> int | None:
    """Redundant experts that a plan needs: 0 where experts divide, else the fewest, where a run shows it on these GPUs.

    None where they may not be planned. All published runs have tp = dp = ep."""
    need = least_redundant(model, layout.ep)
    if not need:
        return 0
    alike = layout.tp == layout.dp == layout.ep
    return need if alike and run_of_uneven(release, model, layout.kernel_class) else None


def unproven(release: Release, model: ModelSizes, layout: Layout) -> PlanFault | None:
    """The fault of experts that do not divide where no run shows them on the GPUs of the plan."""
    if layout.ep == 1 or not model.experts or model.experts % layout.ep == 0:
        return None
    if layout.redundant and layout.redundant == redundant_for(release, model, layout):
        return None
    text = message(
        "{qty} experts do not divide by {ep}, and no published run shows {engine} with redundant "
        "ones for {family} in {weights} on {gpus}",
        qty=model.experts,
        ep=layout.ep,
        engine=release.engine,
        family=model.family,
        weights=model.weights,
        gpus=layout.kernel_class or "these GPUs",
    )
    return PlanFault(RULE, "refused", text, "expert_balancer.csv")
