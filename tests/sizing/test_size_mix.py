"""`dsopt size` and `dsopt check` of unlike cards in one node: what is answered, in both languages, what is refused."""

from __future__ import annotations

import json
import shlex
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from constraints.plan import Mix
from optimizer import Build, library
from optimizer.sizing.schema import Sized
from tests.support.commands import dsopt

HOST = ("--offload", "--cpu", "EPYC 9654", "--memory", "12x64GB@4800")
RIG = "RTX 3090 + 2 x RTX 4060 Ti 16GB"
SIZE = ("size", "--model", "r1-distill-llama-70b", "--precision", "q4_k_m", "--min-tok-s-user", "5")
TOWER = """model = "r1-distill-llama-70b"
precision = "q4_k_m"
min_tok_s_user = 5
have = ["racks", "network"]

[parts]
"RTX PRO 6000 Blackwell Max-Q" = 1
"RTX A6000" = 1
"asus-pro-ws-wrx90e-sage-se-plus-tower" = 1
"amd-threadripper-pro-7965wx" = 1
"samsung-m321r4ga3eb0-cwm" = 8
"samsung-9100-pro-4tb" = 1
"silverstone-xe360-tr5" = 1
"be-quiet-dark-power-pro-13-1600-w" = 2
"""


def sized(gpu: str, *more: str, code: int = 0) -> Sized:
    answer = json.loads(dsopt(*SIZE, "--gpu", gpu, *more, "--json", code=code).stdout)
    return Sized(**answer["setups"][0])


def test_the_cards_their_layers_and_the_command() -> None:
    found = sized(RIG)
    assert found.name == "GeForce RTX 3090 + 2 x GeForce RTX 4060 Ti 16GB" and found.kinds == 2 and found.gpus == 3
    assert found.cards[0].first_layer == 1 and found.cards[-1].last_layer == 80
    assert all(a.last_layer + 1 == b.first_layer for a, b in zip(found.cards, found.cards[1:], strict=False))
    assert all(card.needed_gb <= card.vram_gb for card in found.cards)
    assert sum(card.weights_gb for card in found.cards) == pytest.approx(42.5, abs=0.2)  # the published file: 42.52 GB
    words = shlex.split(found.launch[0])
    told = [int(share) for share in words[words.index("--tensor-split") + 1].split(",")]
    layers = [card.last_layer - card.first_layer + 1 for card in found.cards]
    assert told == [*layers[:-1], layers[-1] + 1]  # the output head is one layer more
    assert "RTX 3090, GeForce RTX 4060 Ti 16GB" in found.launch_note
    assert found.per_user_tok_s and found.per_user_tok_s >= 5 and found.users in [row.users for row in found.table]
    summary = next(row for row in found.table if row.users == found.users)
    assert summary.output_tok_s == pytest.approx(found.output_tok_s, abs=0.1) and summary.cut == ""


def test_a_mix_that_is_slower_than_its_fastest_card_says_so() -> None:
    asked = ("size", "--model", "qwen3-8b", "--precision", "q4_k_m", "--gpu")
    alone = Sized(**json.loads(dsopt(*asked, "RTX 3090", "--json").stdout)["setups"][0])
    mixed = Sized(**json.loads(dsopt(*asked, "RTX 3090 + 2 x RTX 3060 12GB", "--json").stdout)["setups"][0])
    assert alone.output_tok_s and mixed.output_tok_s and mixed.output_tok_s < alone.output_tok_s
    assert f"{alone.output_tok_s:,.1f} tok/s, with them {mixed.output_tok_s:,.1f}" in mixed.faster_without
    assert mixed.faster_without.startswith("GeForce RTX 3090 without the slower cards")
    assert not sized(RIG).faster_without  # 70B does not fit on the 3090 alone


def test_check_says_it_of_a_build(tmp_path: Path) -> None:
    file = tmp_path / "small.toml"
    file.write_text(TOWER.replace("r1-distill-llama-70b", "qwen3-8b"), encoding="utf-8")
    (found,) = json.loads(dsopt("check", str(file), "--json").stdout)
    assert "RTX PRO 6000 Blackwell Max-Q without the slower cards would be faster" in found["faster_without"]
    assert "without the slower cards" in dsopt("check", str(file)).stderr
    assert "不加较慢的卡会更快" in dsopt("check", str(file), "--lang", "zh").stderr


def test_order_and_spelling_do_not_matter() -> None:
    first = sized(RIG)
    for written in ("2x4060ti + 3090", "4060 Ti ＋ RTX 3090 + 1 x 4060 Ti"):
        other = sized(written)
        assert (other.output_tok_s, other.cards) == (first.output_tok_s, first.cards)


def test_one_kind_in_two_pieces_is_no_mix() -> None:
    assert sized("RTX 3090 + RTX 3090") == sized("2 x RTX 3090")


def test_several_setups_stand_side_by_side() -> None:
    text = dsopt(*SIZE, "--gpu", RIG, "--gpu", "2 x RTX 3090").stdout
    assert "GeForce RTX 3090 + 2 x GeForce RTX 4060 Ti 16GB" in text and "2 x GeForce RTX 3090" in text


def test_chinese() -> None:
    text = dsopt("--lang", "zh", *SIZE, "--gpu", RIG).stdout
    assert "启动" in text and "权重（GB）" in text and "对应各卡" in text
    text = dsopt("--lang", "zh", "size", "--model", "r1-distill-llama-70b", "--gpu", RIG).stdout
    assert "只有 llama.cpp" in text


@pytest.mark.parametrize(
    ("gpu", "more", "said"),
    [
        ("RTX 3090 +", (), "names no GPU beside a plus sign"),
        ("RTX 3090 + NoSuchCard", (), "NoSuchCard"),
        ("RTX 3090 + 0 x RTX A6000", (), "needs one GPU at least (value '0 x RTX A6000')"),
        ("RTX 3090 + 2000 x RTX A6000", (), "2000 GPUs per node is out of range"),
        (RIG, ("--offload", "--cpu", "EPYC 9654", "--memory", "12x64GB@4800", "--allow-experimental"), "--offload"),
    ],
)
def test_what_makes_no_mix_is_refused(gpu: str, more: tuple[str, ...], said: str) -> None:
    assert said in dsopt(*SIZE, "--gpu", gpu, *more, code=3).stderr


@pytest.mark.parametrize("more", [("--n", "2"), ("--nodes", "2")])
def test_numbers_of_a_mix_stand_in_it(more: tuple[str, ...]) -> None:
    assert "of a mix each kind has its number" in dsopt(*SIZE, "--gpu", RIG, *more, code=2).stderr


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("--workload", "finetune-lora"), "not counted with training"),
        ((*HOST, "--allow-experimental"), "not counted with offload (--offload)"),
        (("--speculate", "mtp1"), "not counted with speculation"),
    ],
)
def test_what_a_mix_is_not_counted_with(asked: tuple[str, ...], said: str) -> None:
    model = "r1-distill-qwen-7b" if "finetune-lora" in asked else "v3-671b"
    assert said in dsopt("size", "--model", model, *asked, "--gpu", RIG, code=3).stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--model", "r1-distill-llama-70b"), "GGUF files, not bf16"),
        (("--model", "r1-distill-llama-70b", "--precision", "q8_0"), "the cards lack"),
        (("--model", "r1-distill-llama-70b", "--precision", "q4_k_m", "--min-tok-s-user", "50"), "the latency limits"),
        (("--model", "r1-distill-llama-70b", "--precision", "q4_k_m", "--users", "500"), "500 users at once"),
    ],
)
def test_why_a_mix_does_not_fit(words: tuple[str, ...], said: str) -> None:
    (found,) = json.loads(dsopt("size", *words, "--gpu", RIG, "--json").stdout)["setups"]
    assert not found["fits"] and said in found["reason"] and found["launch"] == []


def test_models_of_a_mix() -> None:
    fits = json.loads(dsopt("size", "--gpu", RIG, "--min-precision", "4bit", "--json").stdout)["models"]
    runs = {model["model"]["id"] for model in fits if model["size"]["fits"]}
    assert "r1-distill-qwen-32b" in runs and "r1-671b" not in runs


def test_the_library_takes_a_mix(ask: Any) -> None:
    request = ask("r1-distill-llama-70b", precision="q4_k_m", min_tok_s_user=5).request
    (found,) = library.size(request, [Mix((("RTX 3090", 1), ("RTX 4060 Ti 16GB", 2)))]).setups
    assert found.cards == sized(RIG).cards


@pytest.fixture
def tower(tmp_path: Path) -> Path:
    path = tmp_path / "tower.toml"
    path.write_text(TOWER, encoding="utf-8")
    return path


def test_a_build_of_unlike_cards_is_judged_card_by_card(tower: Path) -> None:
    (found,) = json.loads(dsopt("check", str(tower), "--json").stdout)
    assert found["ok"] and found["kinds"] == 2 and found["gpu"] == "RTX A6000 + RTX PRO 6000 Blackwell Max-Q"
    cards = [check for check in found["checks"] if check["rule"] == "vram"]
    assert [check["limit"] for check in cards] == [96, 48]  # the faster card has the first layers
    assert "layers 1 to" in cards[0]["text"] and "to 80" in cards[1]["text"]
    power = next(check for check in found["checks"] if check["rule"] == "power")
    ram = next(check for check in found["checks"] if check["rule"] == "host_memory")
    assert ram["limit"] == pytest.approx(0.2 * (96 + 48)) and power["measured"] > 300 + 300


def test_each_card_has_to_fit_and_to_be_started(tower: Path) -> None:
    words = ("check", str(tower), "--json")
    tower.write_text(TOWER.replace('precision = "q4_k_m"\n', ""), encoding="utf-8")
    (bf16,) = json.loads(dsopt(*words, code=5).stdout)
    failing = {check["rule"]: check["text"] for check in bf16["checks"] if check["status"] == "fail"}
    assert "GGUF" in failing["software"] and "vram" in failing
    tower.write_text(TOWER.replace('"RTX A6000" = 1', '"RTX A6000" = 2\n"RTX 3090" = 1'), encoding="utf-8")
    (many,) = json.loads(dsopt(*words, code=5).stdout)
    assert any(check["rule"] == "fit" and "slot widths" in check["text"] for check in many["checks"])


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[parts]", "nodes = 2\n[parts]", "not counted on 2 nodes"),
        ("[parts]", "offload = true\n[parts]", "not counted with offload"),
    ],
)
def test_what_is_not_counted_on_a_mix(tower: Path, old: str, new: str, said: str) -> None:
    tower.write_text(TOWER.replace(old, new), encoding="utf-8")
    assert said in dsopt("check", str(tower), code=3).stderr


def test_a_mix_is_not_mended(tower: Path) -> None:
    assert "GPUs of one kind" in dsopt("check", str(tower), "--mend", code=3).stderr


def test_a_build_without_gpus_is_none(ask: Any) -> None:
    market = ask("r1-distill-llama-70b")
    with pytest.raises(Exception, match="found: none"):
        library.check(Build(1, {"asus-pro-ws-wrx90e-sage-se-plus-tower": 1}, {}), market.request)


@pytest.mark.parametrize("more", [(), ("--kv-precision", "q8_0"), ("--cached-share", "30%")])
@pytest.mark.parametrize(
    "mix", ["RTX 3090 + L40S", "RTX 4090 + RTX A6000", "RTX 4090 + RTX 3090", "RTX 3060 12GB + RTX 5090"]
)
def test_no_latency_falls_as_requests_come(mix: str, more: tuple[str, ...]) -> None:
    """Where another cut into layers takes over, it is no better for each request than the cut for fewer of them."""
    words = ("size", "--model", "qwen3-8b", "--precision", "q4_k_m", "--gpu", mix, *more, "--json")
    rows = json.loads(dsopt(*words).stdout)["setups"][0]["table"]
    assert len(rows) > 3
    for fewer, many in pairwise(rows):
        assert fewer["ttft_ms"] <= many["ttft_ms"] + 0.1
        assert fewer["per_user_tok_s"] >= many["per_user_tok_s"] - 0.01
