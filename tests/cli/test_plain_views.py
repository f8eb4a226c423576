"""Views for people: counts in their number, margins with their sign, no value as a program writes it."""

from __future__ import annotations

import json
import re

import pytest
from rich.cells import cell_len

from catalogs.load import load
from catalogs.schema import Gpu, GpuBoard, Kind
from constraints.physics.contents import holders
from constraints.rule import Check
from optimizer.explanation.point.explained import margin
from optimizer.sizing.report import families
from optimizer.text.figures import amount
from optimizer.text.languages import Words
from tests.cli.test_terminal_width import typed
from tests.support.commands import dsopt
from tests.support.long import one_in

CODE = re.compile(r"\[['\"]|\{['\"]|None|\('")
"""A list, a mapping or nothing as Python writes them."""
COUNTED = ["{} users at once", "up to {} nodes", "{} rack units", "prices up to {} days old", "delivery within {} days",
           "up to {} sellers"]  # fmt: skip


@pytest.mark.parametrize("say", COUNTED)
def test_one_is_one(say: str) -> None:
    one, two = amount(say, 1), amount(say, 2)
    assert not re.search(r"\b1 (rack )?\w+s\b", one) and one != say.format(1)
    assert two == say.format(2) and amount(say, 21) == say.format(21) and amount(say, 1.5) == say.format(1.5)
    chinese = Words("zh").sentence
    assert chinese(one) == chinese(two).replace("2", "1") != one


def test_what_is_no_count_keeps_its_words() -> None:
    assert amount("{} tok/s for each user", 1) == "1 tok/s for each user"
    assert amount("a first token within {} ms", 1) == "a first token within 1 ms"


def test_a_single_user_in_an_answer() -> None:
    said = dsopt("size", "--model", "r1-671b", "--gpu", "8xH20", "--users", "1", "--min-tok-s-user", "500").stdout
    assert "1 user at once" in said and "1 users" not in said


@pytest.mark.parametrize(
    ("check", "left"),
    [
        (Check.at_most("power", 80, 100, "W", "", ""), 20),
        (Check.at_most("power", 120, 100, "W", "", ""), -20),
        (Check.at_least("storage", 300, 100, "GB", "", ""), 200),
        (Check.at_least("storage", 75, 100, "GB", "", ""), -25),
        (Check.warn("cores", "", 32, 64, "cores", "at_least"), -50),
        (Check.warn("power", "", 110, 100, "W", "at_most"), -10),
        (Check.of("fit", True, ""), None),
    ],
)
def test_a_limit_that_is_missed_has_a_margin_below_zero(check: Check, left: float | None) -> None:
    """Also one that is only advised: RAM of a third of the advice is 67 % too little, not 67 % to spare."""
    assert margin(check).margin_percent == left


SHOWN = [
    ["models", "show", "r1-671b"],
    ["models", "list"],
    ["catalog", "show", "h200"],
    ["catalog", "show", "DGX H200"],
]


@pytest.mark.parametrize("words", SHOWN)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_values_are_written_for_people(words: list[str], language: str) -> None:
    said = dsopt("--lang", language, *words).stdout
    assert said and not CODE.search(said)


def test_a_gpu_that_comes_on_boards_has_its_prices() -> None:
    """`catalog show h200` names the boards and systems that the card is sold with, each with all its prices."""
    catalog = load([])
    seen = 0
    for gpu in catalog.of(Kind.GPU):
        assert isinstance(gpu, Gpu)
        boards = [p.id for p in catalog.of(Kind.GPU_BOARD) if isinstance(p, GpuBoard) and p.gpu == gpu.id]
        assert set(boards) <= {p.id for p in holders(gpu, catalog)}
        seen += bool(boards)
    assert seen > 3
    said, data = dsopt("catalog", "show", "h200").stdout, json.loads(dsopt("catalog", "show", "h200", "--json").stdout)
    assert data["sold_with"]
    for part in data["sold_with"]:
        assert f"({part})" in said
        assert all(offer.id in said for offer in catalog.offers.get(part, ()))


@pytest.mark.parametrize(
    ("language", "asked"), one_in(3, [("zh", ("--gpu", "RTX A6000", "--max-nodes", "1")), ("zh", ()), ("en", ())])
)
def test_the_best_build_of_each_model_on_80_columns(language: str, asked: tuple[str, ...]) -> None:
    """Nothing is wider than the screen, and each model with a build says what it costs."""
    screen = typed(["--lang", language, "solve", "--budget", "12000", "--as-of", "2026-11-24", *asked])
    assert all(cell_len(x) <= 80 for x in screen.splitlines())
    assert re.search(r"^[\w.-]+[:：] ?[\d,.]+ USD[,，] ?[\d,]+ (?:tok/s|词元/秒)", screen, re.MULTILINE)


@pytest.mark.parametrize("words", [("solve", "--budget", "3000", "--max-nodes", "1"), ("size", "--gpu", "RTX 4090")])
def test_help_says_which_models_are_answered_without_one(words: tuple[str, ...]) -> None:
    """Those of one family, `--all` the others too."""
    said = " ".join(dsopt(words[0], "--help").stdout.split())
    assert "[default: each of the DeepSeek family and your own; --all: every model]" in said
    assert re.search(r"models? of the DeepSeek family and your own( that run)? \(--all: ", said)
    few, every = (families(everything) for everything in (False, True))
    assert all(llm.name.startswith("DeepSeek") for llm, _ in few) and len(few) < len(every)
    if words[0] == "size":
        data = json.loads(dsopt(*words, "--json").stdout)
        assert {model["model"]["id"] for model in data["models"]} == {llm.id for llm, _ in few}
