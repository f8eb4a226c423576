"""A card that is better in every figure is never slower for not having been measured where a lesser one was."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

import optimizer.throughput
from catalogs.formats import BITS
from catalogs.llm import get
from catalogs.load import Catalog
from catalogs.schema import Gpu, Kind
from constraints.policy import Policy
from constraints.request import Request
from optimizer.sizing.serving import key_of
from optimizer.sizing.users_table import users_table
from optimizer.throughput.calibration import shipped as calibration
from optimizer.throughput.constants import constants
from optimizer.throughput.jobs import accelerator, pcie_b_s
from optimizer.throughput.plans import Planner
from tests.conftest import AS_OF

TABLE = Path(optimizer.throughput.__file__).parent / "data/better_cards.csv"


def formats_no_worse(better: Gpu, lesser: Gpu) -> list[str]:
    """Formats at which a card of the same stack and vendor is no worse in memory, links and rates."""
    known = calibration().constants
    stacks = {known.stack_name(card.arch, card.kernel_class) for card in (better, lesser)}
    links = pcie_b_s(better, 0, 0, constants()) >= pcie_b_s(lesser, 0, 0, constants())
    joined = better.wired_domain_gpus >= lesser.wired_domain_gpus and better.vram_gb >= lesser.vram_gb
    if better.id == lesser.id or better.vendor != lesser.vendor or len(stacks) > 1 or not (links and joined):
        return []
    found = []
    for name in BITS:
        more, less = accelerator(better, name, constants()), accelerator(lesser, name, constants())
        figures = ("mem_b_s", "flop_s", "attention_flop_s", "fabric_b_s")
        if more and less and all(getattr(more, figure) >= getattr(less, figure) for figure in figures):
            found.append(name)
    return found


def pairs_of(shipped: Catalog) -> list[tuple[str, str, str]]:
    cards = [card for card in shipped.of(Kind.GPU) if isinstance(card, Gpu)]
    measured = {setup.gpu for setup in calibration().curves}
    pairs = ((better, lesser) for better in cards for lesser in cards if lesser.id in measured)
    found = ((better.id, lesser.id, "|".join(formats_no_worse(better, lesser))) for better, lesser in pairs)
    return sorted(pair for pair in found if pair[2])


def test_the_table_is_what_the_catalog_says(shipped: Catalog) -> None:
    with TABLE.open(encoding="utf-8") as file:
        rows = [(row["gpu"], row["lesser"], row["precisions"]) for row in csv.DictReader(file)]
    assert rows == pairs_of(shipped)


@pytest.mark.parametrize(
    ("better", "lesser", "model", "kv"),
    [("H200 SXM5", "H100 SXM5", "gpt-oss-120b", None), ("B300 SXM6", "B200 SXM6", "gpt-oss-120b", "fp8"),
     ("B300 SXM6", "B200 SXM6", "r1-671b", "fp8"), ("H200 SXM5", "H100 SXM5", "llama-3.3-70b", None)],
)  # fmt: skip
def test_a_measurement_of_the_lesser_card_raises_the_better_one(
    shipped: Catalog, better: str, lesser: str, model: str, kv: str | None
) -> None:
    """Eight H200 gave one user of gpt-oss-120b 285 tokens a second, eight H100, which were measured, 297."""
    request = Request(model=model, as_of=AS_OF, kv_precision=kv)
    planner = Planner(get(model), request, Policy(), calibration())
    speeds = []
    for name in (better, lesser):
        gpu = shipped.find(name)
        assert isinstance(gpu, Gpu)
        rows = users_table(planner, gpu, key_of(gpu, 8, 1), (1, 4, 16, 64))
        speeds.append([row["output_tok_s"] for row in rows])
    assert all(more >= less * (1 - 1e-9) for more, less in zip(*speeds, strict=True)), speeds


def test_what_is_lent_is_no_measurement(shipped: Catalog) -> None:
    gpu = shipped.find("H200 SXM5")
    assert isinstance(gpu, Gpu)
    planner = Planner(get("gpt-oss-120b"), Request(model="gpt-oss-120b", as_of=AS_OF), Policy(), calibration())
    lent = planner.bends(gpu, "mxfp4").keys() - planner.curves(gpu, "mxfp4").keys()
    for shape in lent:
        assert planner.fact(gpu, "mxfp4", shape, 1.0, 8).basis != "measured"
