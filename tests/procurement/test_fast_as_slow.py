"""What makes a long list fast changes no answer: screens by letters, what was found kept, kinds told once."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from catalogs.schema import Part
from optimizer.procurement.importing import prefill
from optimizer.procurement.reading.line import match as matching
from optimizer.procurement.reading.line import whole_servers
from optimizer.procurement.reading.line.match import is_service, match
from optimizer.procurement.reading.line.names import Index, index_of
from optimizer.procurement.reading.specification.fitting import ALWAYS_KNOWN, Fitting
from optimizer.procurement.reading.specification.server_cell import items
from optimizer.procurement.reading.specification.traits import agrees
from optimizer.procurement.reading.specification.wanted import Wanted
from optimizer.procurement.reading.table.totals import total_kind
from optimizer.text.qualifiers import AnyOf, qualified
from tests.procurement.test_reader_habits import catalog
from tests.procurement.test_specification import wordings

SEED, RANDOM = 20, 120
OTHERS = (
    "for server", "8x", "rail kit", "support 3 years", "incl. installation", "PCIe 5.0", "64 GB", "备件", "安装服务",
    "合计", "GPU board", "workstation", "module", "2TB", "DDR5-5600", "dual port", "含税", "Netto EUR", "tray",
)  # fmt: skip
HANDED = (
    "2*至强8558/16*64G/8*H20/4*3.84T NVMe", "2x Xeon 8480+, 2 TB, 8x H100, 8x 3.84TB NVMe, 6x 3000W", "Platinum 8480",
    "8592", "power supply for PowerEdge XE9680", "910B", "EPYC 9354P tray adapter", "HGX H200 8-GPU baseboard",
    "GPU server 8x RTX 4090", "1/2/3/4 H200", "X", "",
)  # fmt: skip


def texts() -> list[str]:
    """Wordings of makers, and names of parts with other words around them."""
    chance, parts = random.Random(SEED), sorted(catalog().parts.values(), key=lambda part: part.id)
    mixed = []
    for _ in range(RANDOM):
        words = [*chance.choice(parts).name.split(), *chance.sample(OTHERS, chance.randrange(3))]
        if chance.random() < 0.3:
            words += chance.choice(parts).name.split()[:2]
        if chance.random() < 0.5:
            chance.shuffle(words)
        mixed.append(" ".join(words))
    return [*HANDED, *(row["text"] for row in wordings()[::2]), *mixed]


def answers(index: Index, found: Callable[..., Any]) -> list[Any]:
    """Of every text what the reader makes of it."""
    items.cache_clear()
    total_kind.cache_clear()
    prefill._named.cache_clear()
    return [
        (
            found(index, "", (text,), accept_fuzzy=True),
            is_service(text),
            whole_servers.whole_server((text,), index),
            prefill.table_of(text),
            prefill.is_other(text),
            total_kind(text),
            qualified(text),
        )
        for text in texts()
    ]


def one_by_one(self: Fitting, asked: Wanted, parts: Iterable[Part]) -> dict[str, set[str]]:
    """Each part against each thing that is said."""
    return {
        part.id: {
            name
            for name, said in asked.says.items()
            if (self._traits[part.id].get(name) or name in ALWAYS_KNOWN)
            and not agrees(name, said, self._traits[part.id])
        }
        for part in parts
    }


def test_the_fast_way_and_the_exhaustive_one_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    fast = answers(index_of(catalog()), match)
    again = index_of(catalog())
    assert [match(again, "", (text,), accept_fuzzy=True) for text in texts() * 2][len(texts()) :] == [
        answer[0] for answer in fast
    ]  # what was found once is what is found
    monkeypatch.setattr(AnyOf, "may_be_in", lambda self, text: True)
    monkeypatch.setattr(Fitting, "_contradictions", one_by_one)
    monkeypatch.setattr(whole_servers, "may_list", lambda text: True)
    monkeypatch.setattr(whole_servers, "match", matching._looked_up)
    slow = answers(index_of(catalog()), matching._looked_up)
    assert fast == slow
    named = [answer[0][0].part for answer in fast]
    assert len(texts()) > 180 and sum(part is not None for part in named) > 60, "the texts name parts and others"
    assert {answer[3] for answer in fast} > {"gpus", "memory", None}


def test_a_word_of_a_kind_is_never_screened_away() -> None:
    pattern = AnyOf(re.compile("long word|word|x"), ["long word", "word", "x"])
    assert [pattern.search(text) is not None for text in ("a long word", "sword", "axe", "none")] == [True] * 3 + [
        False
    ]
