"""The model's constants: data/constants.csv, each with its prior, its source and the value that the fit gave it."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from catalogs.inputs import CATALOG_BYTES, read_text

DATA = Path(__file__).parent / "data"
LINKS = ("fabric", "pcie", "net")
"""Kinds of links that a collective runs over: NVLink or xGMI, PCIe, network between nodes."""


SPEEDUP = {"fp8": 2.0, "int8": 2.0, "fp4": 4.0}
"""By the data sheets of the GPUs that compute so; weights that a kernel dequantises are multiplied in 16 bits."""
ORDERED = {"knee": (1.0, math.inf), "expert_skew": (0.0, 1.0), "prefill_mixing": (0.0, 1.0), "burst_share": (0.0, 1.0)}
"""Within these limits more requests at once are never served faster each, nor fewer tokens a second all together."""


@dataclass(frozen=True, eq=False)
class Constants:
    """Values by key; `share.Hopper` is the constant `share` of a GPU generation, `other` where it has none."""

    values: Mapping[str, float]

    def __getitem__(self, key: str) -> float:
        return self.values[key]

    @cached_property
    def archs(self) -> tuple[str, ...]:
        """GPU generations with constants of their own, `other` first."""
        named = sorted(name.partition(".")[2] for name in self.values if name.startswith("bandwidth_share."))
        return ("other", *(arch for arch in named if arch != "other"))

    @cached_property
    def rates(self) -> tuple[str, ...]:
        """Precision classes with an attained share of their own."""
        return tuple(sorted(k.partition(".")[2] for k in self.values if k.startswith("rate_share.")))

    def stack(self, arch: str, kernel_class: str = "") -> int:
        """Index of the constants of a GPU: of its kernel class where that or its kin has some of its own (SM120), else
        of its generation, else of that one's kin; 0 (`other`) where that has none either."""
        for name in (kernel_class, self.kin_of(kernel_class), arch, self.kin_of(arch)):
            if name in self.archs:
                return self.archs.index(name)
        return 0

    def kin_of(self, arch: str) -> str:
        """The generation whose constants stand in for one that nobody measured (arch_kin.csv); itself without."""
        return arch_kin().get(arch, arch)

    def stack_name(self, arch: str, kernel_class: str = "") -> str:
        """The generation or kernel class whose constants a GPU takes."""
        return self.archs[self.stack(arch, kernel_class)]

    @cached_property
    def models(self) -> tuple[str, ...]:
        """Models (kin) with a time of their own, `other` first."""
        return ("other", *sorted(k.partition(".")[2] for k in self.values if k.startswith("model_time.")))

    def model(self, kin: str) -> int:
        """Index of a model's kin; 0 (`other`) for one that has no constant."""
        return self.models.index(kin) if kin in self.models else 0

    def _table(self, key: str, names: tuple[str, ...]) -> npt.NDArray[np.float64]:
        return np.array([self.values.get(f"{key}.{n}", self.values.get(f"{key}.other", 1.0)) for n in names])

    @cached_property
    def bandwidth_share(self) -> npt.NDArray[np.float64]:
        """Attained share of memory bandwidth per generation."""
        return self._table("bandwidth_share", self.archs)

    @cached_property
    def compute_share(self) -> npt.NDArray[np.float64]:
        """Attained share of the dense tensor rate per generation."""
        return self._table("compute_share", self.archs)

    @cached_property
    def launch_share(self) -> npt.NDArray[np.float64]:
        """Time of launches and small kernels per generation, relative."""
        return self._table("launch_share", self.archs)

    @cached_property
    def model_time(self) -> npt.NDArray[np.float64]:
        """Time of a model's kernels relative to the rest: how well engines are tuned for it."""
        return np.array([self.values.get(f"model_time.{model}", 1.0) for model in self.models])

    @cached_property
    def rate_share(self) -> npt.NDArray[np.float64]:
        """Attained share per precision class, relative to 16 bits."""
        return self._table("rate_share", self.rates)

    @cached_property
    def speedup(self) -> npt.NDArray[np.float64]:
        """Tensor rate per precision class over that of 16 bits: it doubles where the bits halve."""
        return np.array([SPEEDUP.get(name, 1.0) for name in self.rates])

    @cached_property
    def read_share(self) -> npt.NDArray[np.float64]:
        """Attained bandwidth in reading dense weights per precision class, relative to 16 bits."""
        return self._table("read_share", self.rates)

    @cached_property
    def collective_s(self) -> npt.NDArray[np.float64]:
        """Latency of one collective per kind of link."""
        return self._table("collective_us", LINKS) * 1e-6


def lesser_cards(gpu: str, precision: str) -> tuple[str, ...]:
    """Measured cards of the same stack that a card is no worse than in any figure that the roofline reads at a
    precision (better_cards.csv; a test holds it against the catalog)."""
    return _lesser_cards().get((gpu, precision), ())


@cache
def _lesser_cards() -> Mapping[tuple[str, str], tuple[str, ...]]:
    """The same of every card and precision."""
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    for row in rows(DATA / "better_cards.csv"):
        for precision in row["precisions"].split("|"):
            known = found.get((row["gpu"], precision), ())
            found[row["gpu"], precision] = (*known, row["lesser"])
    return found


@cache
def arch_kin() -> Mapping[str, str]:
    """Generation -> the one whose constants it takes."""
    return {row["arch"]: row["kin"] for row in rows(DATA / "arch_kin.csv")}


@cache
def same_stack() -> Mapping[str, str]:
    """The same for those that run the very kernels of their kin, so that its measurements speak for them."""
    return {row["arch"]: row["kin"] for row in rows(DATA / "arch_kin.csv") if row["kernels"] == "same"}


def rows(path: Path = DATA / "constants.csv") -> list[dict[str, str]]:
    """The lines of a constants.csv, or of another file of a calibration."""
    return list(csv.DictReader(io.StringIO(read_text(path, CATALOG_BYTES), newline="")))


def read_constants(path: Path) -> Constants:
    """Values of a constants.csv. Raises ValueError for one that no curve can be made with."""
    values = {row["key"]: float(row["value"]) for row in rows(path)}
    for key, value in values.items():
        least, most = ORDERED.get(key, (0.0, math.inf))
        if not (least <= value <= most and math.isfinite(value)):
            raise ValueError(f"{key} is {value:g}, not a number from {least:g} to {most:g}")
    return Constants(values)


@cache
def constants() -> Constants:
    """The shipped constants."""
    return read_constants(DATA / "constants.csv")
