"""What is said about parts in hand that are of no use."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from catalogs.load import Catalog
from catalogs.schema import Cpu, Drive, Kind
from constraints.policy import Policy
from constraints.request import Owned, Request
from optimizer.market.market import Market
from optimizer.result.contract import result
from optimizer.result.in_hand import own_messages
from optimizer.search.front import Front
from optimizer.search.solver import Solver
from tests.conftest import AS_OF
from tests.support.random_catalogs import scenario


def texts(catalog: Catalog, *own: tuple[str, int], **fields: Any) -> list[str]:
    held = tuple(Owned(part=x, qty=q) for x, q in own)
    request = Request(model="r1-671b", as_of=AS_OF, own=held, **fields)
    return [m["text"] for m in own_messages(Market.open(catalog, request, Policy()), Front())]


def test_loose_gpus_of_a_board(shipped: Catalog) -> None:
    (text,) = texts(shipped, ("nvidia-h200-sxm5-141gb", 4))
    boards = [b.id for b in shipped.of(Kind.GPU_BOARD) if getattr(b, "gpu", "") == "nvidia-h200-sxm5-141gb"]
    assert boards and all(b in text for b in boards)
    assert not texts(shipped, (boards[0], 1))


def test_barred_in_hand(shipped: Catalog) -> None:
    (text,) = texts(shipped, ("amd-epyc-9115", 2), exclude=frozenset({"amd-epyc-9115"}))
    assert "excluded by --exclude" in text


@pytest.mark.parametrize("kind", [Kind.CPU, Kind.DRIVE])
def test_part_that_nothing_takes(shipped: Catalog, kind: Kind) -> None:
    odd = next(p for p in shipped.of(kind) if isinstance(p, Cpu | Drive))
    fields: dict[str, Any] = {"socket": "Socket 7"} if isinstance(odd, Cpu) else {"forms": ("PCMCIA",)}
    parts = {**shipped.parts, "odd": odd.model_copy(update={"id": "odd", **fields})}
    (text,) = texts(replace(shipped, parts=parts), ("odd", 1))
    assert "no chassis or system" in text


def test_left_over_pieces() -> None:
    """Of a part in use the pieces beyond the need are named; one held in just that number is not."""
    catalog, request, _ = scenario(1)
    gpu = next(p.id for p in catalog.of(Kind.GPU) if catalog.offers.get(p.id))

    def notes(qty: int) -> tuple[list[str], int]:
        asked = request.model_copy(update={"own": (Owned(part=gpu, qty=qty),)})
        market = Market.open(catalog, asked, Policy())
        front = Solver(market).front()
        data = result(market, front, {})
        used = front.points[-1].case.build.total().get(gpu, 0)
        return [m["text"] for m in data["messages"] if m["code"] == "own-unused"], used

    (text,), used = notes(50)
    assert f"{50 - used} of 50 x {gpu}" in text
    assert used and notes(used)[0] == []


def test_left_over_by_the_recommended_build() -> None:
    """What users are asked for makes another point recommended than the fastest: that one's leftovers are told."""
    catalog, request, _ = scenario(1)
    gpu = next(p.id for p in catalog.of(Kind.GPU) if catalog.offers.get(p.id))
    asked = request.model_copy(update={"own": (Owned(part=gpu, qty=50),), "users": 1, "budget_cents": 10**9})
    market = Market.open(catalog, asked, Policy())
    front = Solver(market).front()
    data = result(market, front, {})
    assert data["recommended"] != data["front"][-1]["id"]
    (text,) = [m["text"] for m in data["messages"] if m["code"] == "own-unused"]
    assert text.startswith(f"Parts that you already have and {data['recommended']} does not need: ")
