"""The first line that `dsopt solve` prints: every option given stands in it, and typed again it asks the same."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import typer

from catalogs.registry import DATA as MODELS
from constraints.policy import Policy
from constraints.request import Request
from optimizer.cli import understood
from optimizer.cli.app import app
from optimizer.request.command import SAID_IN_WORDS, UNTYPED, Typed, command
from optimizer.throughput.constants import DATA as THROUGHPUT
from tests.support.commands import run
from tests.support.long import one_in

ROOT = Path(__file__).parents[2]

BASE = {"--model": "v3-671b", "--budget": "400000", "--as-of": "2026-11-24"}
NOT_ASKED = {
    "time_limit", "workers", "embed_catalog", "strict", "all_", "json", "lang", "output", "force", "verbose",
}  # fmt: skip
"""Parameters of how the answer is found and written: they change no question."""
SAMPLES: dict[str, list[list[str]]] = {
    "model": [["r1-671b"]],
    "model_config": [["{config}"]],
    "budget": [["123,456.70"], ["200万元"]],
    "throughput": [["1234.5"]],
    "users": [["12"]],
    "tokens_per_day": [["20M"]],
    "requests_per_second": [["0.5"]],
    "workload": [["rag"], ["finetune-lora"]],
    "grade": [["full"], ["floor"]],
    "isl": [["2000"]],
    "osl": [["300"]],
    "min_tok_s_user": [["7.5"]],
    "max_ttft": [["900.5"]],
    "seq_len": [["8192"]],
    "dataset_tb": [["1.25"]],
    "train_tokens": [["1e10"]],
    "precision": [["fp8"]],
    "min_precision": [["8bit"]],
    "any_precision": [[]],
    "kv_precision": [["fp8"]],
    "speculate": [["mtp"], ["mtp2"]],
    "cached_share": [["40%"]],
    "allow_experimental": [[]],
    "offload": [[]],
    "max_nodes": [["4"]],
    "max_kw": [["12.345"]],
    "circuit": [["15A@120V"], ["32A@230V"]],
    "rack_units": [["20"]],
    "site_water": [[]],
    "have": [["racks,network"]],
    "vendor": [["NVIDIA", "AMD", "Dell"]],
    "no_vendor": [["Dell", "Lenovo"]],
    "condition": [["any"], ["new,used"], ["used"]],
    "max_price_age": [["90"]],
    "include": [["EPYC 9654"]],
    "exclude": [["H100 SXM"], ["nvidia-rtx-5090-32gb"]],
    "gpu": [["8xH200"], ["h200", "B200"], ["8x RTX PRO 6000 Blackwell Max-Q"]],
    "market": [["CN"], ["any"], ["de"]],
    "origin": [["US,TW"]],
    "no_origin": [["CN"]],
    "confidence": [["list"], ["street,list"], ["read,indexed"]],
    "price": [["low"], ["high"]],
    "bought_as": [["loose"]],
    "prefer": [["mine"]],
    "max_estimated": [["30%"]],
    "max_lead": [["60"]],
    "strict_lead": [[]],
    "avl": [["{avl}"]],
    "max_sellers": [["2"]],
    "one_seller": [[]],
    "max_share": [["60%"]],
    "cost_axis": [["power"], ["rack-units"], ["lead-time"]],
    "as_of": [["2026-10-01"]],
    "currency": [["EUR"], ["JPY"]],
    "tax": [["CN"], ["7.5%"]],
    "fx": [["{fx}"]],
    "support": [["table"], ["10%"], ["{support}"]],
    "spares": [["table"], ["5%"], ["gpu=1/16", "drive=4%"], ["{support}"]],
    "own": [["{own}"]],
    "policy": [["{policy}"]],
    "set_": [["storage.copies=3"]],
    "pue": [["1.31"]],
    "energy_price": [["0.08"], ["0"]],
    "catalog": [["{catalog}"]],
    "measured": [["{measured}"]],
    "calibration": [["{calibration}"]],
}
"""Values of each parameter, other than its default; a new one without fails."""
BESIDE = {
    "offload": ["--allow-experimental"], "seq_len": ["--workload", "train"], "train_tokens": ["--workload", "train"],
    "dataset_tb": ["--workload", "train"],
}  # fmt: skip
"""What a parameter needs beside it."""


@dataclass(frozen=True)
class Question:
    """What a command line asks, and the line that says so."""

    request: Request
    policy: Policy
    typed: Typed
    line: str


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Files of each kind, in a folder with a blank and a quotation mark in its name."""
    folder = tmp_path_factory.mktemp("it's here") / "two words"
    folder.mkdir()
    texts = {
        "avl": "vendor,status\nDell,barred\n",
        "fx": "currency,usd_per_unit,date,source\nEUR,1.2,2026-11-01,bank\n",
        "support": "category,percent\ngpu,4\n",
        "own": "part,qty\nnvidia-h200-sxm5-141gb,2\n",
        "policy": "[storage]\ncopies = 3\n",
        "measured": "model,precision,gpu,n_gpus,isl,osl,concurrency,output_tok_s\n"
        "r1-671b,fp8,H200,8,1024,1024,64,1500\n",
        "config": (MODELS / "qwen3-8b.json").read_text(encoding="utf-8"),
    }
    found = {}
    for name, text in texts.items():
        suffix = {"policy": "toml", "config": "json"}.get(name, "csv")
        path = folder / f"{name}.{suffix}"
        path.write_text(text, encoding="utf-8")
        found[name] = str(path)
    return {**found, "catalog": str(ROOT / "tests" / "data" / "quote_overlay"), "calibration": str(THROUGHPUT)}


def asked(words: list[str]) -> Question:
    """What `dsopt solve` understands; nothing is solved."""
    found: list[Question] = []

    def kept(catalog: Any, request: Request, policy: Policy, models: str = "", typed: Typed = UNTYPED) -> None:
        found.append(Question(request, policy, typed, understood.understood(request, policy, models, typed)))
        raise typer.Exit(0)

    with mock.patch.object(understood, "show_understood", kept):
        code, _, err = run("solve", *words)
    assert code == 0 and found, err
    return found[0]


def words_of(name: str, values: list[str], files: dict[str, str]) -> list[str]:
    """A command line that gives a parameter these values."""
    option = OPTIONS[name]
    given = [w for v in values for w in (option, v.format(**files))] or [option]
    base = {k: v for k, v in BASE.items() if k != option and (k, name) != ("--model", "model_config")}
    return [*(w for pair in base.items() for w in pair), *BESIDE.get(name, []), *given]


def options() -> dict[str, str]:
    """Parameter of `dsopt solve` -> its first option, as the command itself has them."""
    tree: Any = typer.main.get_command(app)
    return {p.name: p.opts[0] for p in tree.commands["solve"].params if p.name != "help"}


OPTIONS = options()
CASES = [(name, values) for name, all_ in SAMPLES.items() for values in all_]


def test_every_option_has_a_sample() -> None:
    assert set(SAMPLES) | NOT_ASKED == set(OPTIONS)


@pytest.mark.parametrize(("name", "values"), one_in(5, CASES), ids=lambda x: "+".join(x) if isinstance(x, list) else x)
def test_what_the_line_says_asks_the_same_when_typed(name: str, values: list[str], files: dict[str, str]) -> None:
    first = asked(words_of(name, values, files))
    again = asked(shlex.split(command(first.request, first.policy, first.typed.files, first.typed.rest))[2:])
    assert again == first
    if OPTIONS[name] in SAID_IN_WORDS:
        return
    plain = asked([w for pair in BASE.items() for w in pair])
    changed = (first.request, first.policy, first.typed) != (plain.request, plain.policy, plain.typed)
    assert changed and first.line != plain.line
    said = shlex.split(first.line.split(" with ", 1)[1].removesuffix("."))
    load = [w for o, v in zip(*[iter(words_of(name, values, files))] * 2, strict=False) if o in SAID_IN_WORDS
            for w in (o, v)]  # fmt: skip
    if name == "tax" and first.request.market:  # a country's tax says the market, which the line has in words
        load += ["--market", first.request.market]
    from_line = asked([*load, *said])
    assert (from_line.request, from_line.policy, from_line.typed) == (first.request, first.policy, first.typed)


@pytest.mark.parametrize("text", ["table", "{support}"])
def test_support_by_category_is_said_as_typed(text: str, files: dict[str, str]) -> None:
    line = asked(words_of("support", [text], files)).line
    assert f"--support {shlex.quote(text.format(**files))}" in line


def test_a_way_out_names_the_table_where_no_text_is_known(files: dict[str, str]) -> None:
    found = asked(words_of("support", ["table"], files))
    assert "--support table" in command(found.request, found.policy)


CHECKED = [
    ("check", ["{build}"], ["--measured", "{measured}", "--catalog", "{catalog}"]),
    ("check", ["{quote}", "--model", "v3-671b", "--quick"], ["--tax", "19%", "--rate", "1.1", "--term", "once"]),
]


@pytest.mark.parametrize(("name", "line", "given"), CHECKED)
def test_check_says_its_own_options(name: str, line: list[str], given: list[str], files: dict[str, str]) -> None:
    known = {**files, "build": str(ROOT / "examples" / "four-gpu-tower.toml")}
    if "{quote}" in line:
        quote = Path(files["own"]).with_name("quote.csv")
        quote.write_text("Part Number,Description,Qty,Unit Price EUR\nEPYC 9654,CPU,2,6000\n", encoding="utf-8")
        known["quote"] = str(quote)
    words = [w.format(**known) for w in (*line, *given)]
    code, out, err = run(name, *words)
    assert code in (0, 5), err
    said = shlex.split(out.splitlines()[0].split(" with ", 1)[1].removesuffix("."))
    for option, value in zip(*[iter(w.format(**known) for w in given)] * 2, strict=True):
        assert said[said.index(option) + 1] == value
