"""How sure a price is and for which purchase it holds, as offers.csv may say it."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalogs.errors import InputError
from catalogs.load import load
from catalogs.offers import CONFIDENCES

HEADER = "id,part,price,currency,date,condition,confidence,seller,source,holds_for\n"


def offers(folder: Path, confidence: str, holds_for: str = "") -> Path:
    row = f"x1,samsung-pm1743-3.84tb,900.00,USD,2026-11-20,new,{confidence},S,test,{holds_for}\n"
    (folder / "offers.csv").write_text(HEADER + row, encoding="utf-8")
    return folder


@pytest.mark.parametrize("confidence", CONFIDENCES)
@pytest.mark.parametrize("holds_for", ["", "configured", "loose"])
def test_every_confidence_and_purchase_is_read(tmp_path: Path, confidence: str, holds_for: str) -> None:
    found = load([offers(tmp_path, confidence, holds_for)]).offers["samsung-pm1743-3.84tb"]
    assert [(o.confidence, o.holds_for) for o in found if o.id == "x1"] == [(confidence, holds_for)]


@pytest.mark.parametrize(
    ("confidence", "holds_for", "words"),
    [
        ("ask", "", ["confidence", "is no price of a sale", "as sold", "row 2"]),
        ("resale", "", ["confidence", "resale", "list, contract, street, sold, estimate"]),
        ("street", "retail", ["holds_for", "retail", "configured"]),
    ],
)
def test_an_ask_and_strange_words_are_refused_with_a_remedy(
    tmp_path: Path, confidence: str, holds_for: str, words: list[str]
) -> None:
    with pytest.raises(InputError) as caught:
        load([offers(tmp_path, confidence, holds_for)])
    assert [word for word in words if word not in str(caught.value)] == []
