"""GPUs as people write them: counts, nodes, memory sizes; and what `size` makes of more than one fabric joins."""

from __future__ import annotations

import pytest

from catalogs.errors import InputError
from catalogs.load import Catalog
from optimizer.request.texts import gpu, node_gpus
from tests.support.commands import dsopt

H100, H20, RTX = "nvidia-h100-sxm5-80gb", "nvidia-h20-sxm5-96gb", "nvidia-rtx-4090-24gb"


@pytest.mark.parametrize(
    ("text", "meant"),
    [("2 x 8 H100 SXM5", (2, 8, H100)), ("2x8xH100 SXM5", (2, 8, H100)), ("2 x 8 x H100 SXM5 80GB", (2, 8, H100)),
     ("2×8卡H20", (2, 8, H20)), ("3 x 8 H20 96GB", (3, 8, H20)), ("2 x 8 4090", (2, 8, RTX)),
     ("4 x 4090", (None, 4, RTX)), ("8卡H20 96G", (None, 8, H20)), ("H20 ×8", (None, 8, H20)),
     ("4090", (None, None, RTX))],
)  # fmt: skip
def test_a_text_is_read_as_meant(shipped: Catalog, text: str, meant: tuple[int | None, int | None, str]) -> None:
    assert node_gpus(text, shipped) == meant
    nodes, count, name = meant
    assert gpu(text, shipped) == (count and count * (nodes or 1), name)


@pytest.mark.parametrize("text", ["0x8xH100 SXM5", "2x0xH100 SXM5", "0 x 4090", "00x4090"])
def test_none_is_no_number(shipped: Catalog, text: str) -> None:
    with pytest.raises(InputError) as said:
        node_gpus(text, shipped)
    assert said.value.faults[0].code == "bad-count"


@pytest.mark.parametrize(
    ("words", "setup", "said"),
    [(["16xH100 SXM5"], "2 x 8 x H100 SXM5 80GB", True), (["2x8xH100 SXM5"], "2 x 8 x H100 SXM5 80GB", False),
     (["H100 SXM5", "--n", "8", "--nodes", "2"], "2 x 8 x H100 SXM5 80GB", False),
     (["12 x 4090"], "12 x GeForce RTX 4090", False), (["72 x GB200"], "72 x GB200", False),
     (["H100 SXM5", "--n", "16"], "16 x H100 SXM5 80GB", False)],
)  # fmt: skip
def test_more_than_a_fabric_joins_are_nodes(words: list[str], setup: str, said: bool) -> None:
    """Of GPUs on boards of eight nobody sells sixteen in a node; cards on PCIe stay as typed, as does what --n says."""
    ran = dsopt("size", "--model", "r1-distill-llama-70b", "--gpu", *words)
    assert f"  {setup}" in ran.stdout
    assert ("are taken as 2 nodes of 8" in ran.stderr) == said


def test_nodes_are_said_once() -> None:
    ran = dsopt("size", "--model", "r1-distill-llama-70b", "--gpu", "2x8xH100 SXM5", "--nodes", "2", code=2)
    assert "2x8xNAME" in ran.stderr
