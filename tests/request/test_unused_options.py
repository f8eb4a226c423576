"""Every option of every command, found by looking: in each way the command is used, an option is either used or ends
with exit 2 and a reason. It is never taken and then forgotten."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from optimizer.cli.app import app
from optimizer.cli.quote_cmd import UNUSED
from tests.support.commands import run
from tests.support.long import one_in

ALDER, CORVUS = "examples/procurement/tender/alder.xlsx", "examples/procurement/tender/corvus.csv"
TABLE = "solve --model r1-distill-qwen-1.5b --budget 8000 --gpu RTX+5090 --max-nodes 1 --as-of 2026-11-24"
SIZE = "size --model r1-distill-qwen-7b --gpu 4090"
OF_SERVING = ("isl", "osl", "users", "tokens_per_day", "requests_per_second", "min_tok_s_user", "max_ttft",
              "kv_precision", "speculate", "cached_share", "offload")  # fmt: skip
OFFERED_SERVING = (
    "users",
    "isl",
    "osl",
    "min_tok_s_user",
    "max_ttft",
    "kv_precision",
    "speculate",
    "cached_share",
    "offload",
)
OF_TRAINING = ("seq_len", "train_tokens", "dataset_tb")
OF_QUOTES = ("users", "precision", "min_precision", "kv_precision", "speculate", "cached_share", "workload", "isl",
             "osl", "min_tok_s_user", "max_ttft", "seq_len", "dataset_tb", "offload", "allow_experimental",
             "max_nodes", "have", "site_water", "condition", "currency", "rate", "tax", "above", "map_", "review",
             "term", "accept_fuzzy", "quick", "output", "force", "time_limit")  # fmt: skip
OF_BATCH = ("model", "model_config", "gpu", "n", "nodes", "workload", *OF_SERVING, "seq_len", "train_tokens",
            "precision", "min_precision", "allow_experimental", "cpu", "sockets", "memory", "engine", "all_",
            "json")  # fmt: skip


@dataclass(frozen=True)
class Way:
    """A way to use a command: its line (a `+` within a word is a blank), and the options that it has no use for."""

    line: str
    unused: tuple[str, ...]

    @property
    def words(self) -> list[str]:
        return [x.replace("+", " ") for x in self.line.split()]


WAYS = {
    "solve, serving": Way(TABLE, OF_TRAINING),
    "solve, training": Way(TABLE + " --workload finetune-lora", OF_SERVING),
    "solve, as JSON": Way(TABLE + " --json", ("all_", "verbose")),
    "solve, on screen": Way(TABLE, ("embed_catalog",)),
    "solve, every model": Way("solve --budget 8000", ("embed_catalog", "verbose")),
    "size, a model": Way(SIZE, ("cpu", "sockets", "memory", "all_", "output", "force", "seq_len", "train_tokens")),
    "size, in training": Way(SIZE + " --workload train", (*OF_SERVING, "cpu", "sockets", "memory")),
    "size, every model": Way("size --gpu 4090", ("tokens_per_day", "requests_per_second", "seq_len", "output")),
    "size, a batch": Way("size --batch {rows}", (*OF_BATCH, "calibrate", "force")),
    "size, calibrating": Way("size --calibrate {rows} -o {new}", (*OF_BATCH, "batch", "measured", "calibration")),
    "check, a build": Way("check examples/guide-entry.toml", OF_QUOTES),
    "check, a result": Way("check {result}", (*OF_QUOTES, "model", "model_config")),
    "check, a quote": Way(f"check {ALDER} --model v3-671b", ("mend", "budget", "force", "rate", "term")),
    "check, a quote without a search": Way(f"check {ALDER} --model v3-671b --quick", ("time_limit",)),
    "check, a quote for training": Way(f"check {ALDER} --model v3-671b --workload train --quick", OFFERED_SERVING),
    "xray, a quote": Way(f"xray {ALDER} --model v3-671b", ("force", "rate", "term")),
    "xray, for serving": Way(f"xray {ALDER} --model v3-671b --quick", ("seq_len", "dataset_tb")),
    "xray, without a search": Way(f"xray {ALDER} --model v3-671b --quick", ("time_limit",)),
    "xray, for training": Way(f"xray {ALDER} --model v3-671b --workload train --quick", OFFERED_SERVING),
    "compare, purchases": Way(f"compare {ALDER} {CORVUS} --model v3-671b", ("term", "force")),
    "compare, for training": Way(f"compare {ALDER} {CORVUS} --model v3-671b --workload train", OFFERED_SERVING),
    "compare, two results": Way(
        "compare {result} {result}",
        ("model", "users", "workload", "isl", "osl", "min_tok_s_user", "max_ttft", "seq_len", "dataset_tb", "precision",
         "min_precision", "kv_precision", "speculate", "cached_share", "offload", "allow_experimental", "max_nodes",
         "max_kw", "circuit", "rack_units", "site_water", "have", "condition", "currency", "fx", "tax", "as_of",
         "weights", "map_", "term", "accept_fuzzy", "time_limit"),
    ),
    "compare, for serving": Way(f"compare {ALDER} {CORVUS} --model v3-671b", ("seq_len", "dataset_tb")),
    "compare, three results": Way("compare {result} {result} {result}", ("map_", "term", "accept_fuzzy")),
    "award, purchases": Way(
        f"award {ALDER} {CORVUS} --model v3-671b", ("term", "force", "buyer", "number", "max_bidders", "seq_len")
    ),
    "explain, a point": Way("explain {result}", ("bad_prices",)),
    "explain, the front's prices": Way("explain {result} --price-risk", ("point",)),
    "explain, no build": Way("explain {none}", ("point", "why_not", "vary", "price_risk", "bad_prices")),
    "report, quickly": Way("report {result} --quick", ("time_limit",)),
    "plot, the front": Way("plot {result}", ("point",)),
    "plot, a build": Way("plot {result} --of node", ("axes",)),
    "verify, unproved": Way("verify {result}", ("engine", "thorough")),
    **{f"quote, {k}": Way(f"quote {{result}} --format {k}", (*x, "template")) for k, x in UNUSED.items()},
    "quote, json": Way("quote {result} --format json", ("template", "force")),
}  # fmt: skip
"""The committed table: what each way of using a command has no use for. `solve` without a model, `catalog`, `models`
and `schema` have no option that another one makes useless, but for those named."""
VALUES: dict[str, str | None] = {
    "buyer": "Example University", "max_bidders": "2",
    "accept_fuzzy": None, "all_": None, "allow_experimental": None, "confirmed": None, "embed_catalog": None,
    "force": None, "json": None, "mend": None, "offload": None, "price_risk": None, "quick": None, "site_water": None,
    "thorough": None, "verbose": None,
    "above": "1%", "as_of": "2026-11-24", "bad_prices": "1", "batch": "{rows}", "budget": "20000",
    "calibrate": "{rows}", "calibration": ".", "circuit": "15A@120V", "condition": "any", "cpu": "EPYC 9654",
    "currency": "EUR", "customer": "Nordlicht", "dataset_tb": "1", "discount": "5%", "engine": "cp-sat",
    "fx": "{fx}", "gpu": "h200", "have": "racks", "isl": "0", "kv_precision": "fp8", "lang": "zh", "map_": "{new}",
    "speculate": "mtp", "cached_share": "40%", "market": "EU",
    "max_kw": "5", "max_nodes": "1", "max_ttft": "100", "measured": "{rows}", "memory": "12x64GB",
    "min_precision": "16bit", "min_tok_s_user": "0", "rack_units": "4",
    "model": "v3-671b", "model_config": "{config}", "n": "2", "nodes": "2", "number": "Q-77", "osl": "0",
    "output": "{new}", "point": "p1", "precision": "bf16",
    "profile": "examples/procurement/company.toml", "rate": "1.5", "requests_per_second": "3", "review": "{new}",
    "seq_len": "2048", "sockets": "1", "spares": "gpu=1/1", "support": "10%", "tax": "13%", "template": "{new}",
    "term": "36", "time_limit": "5", "tokens_per_day": "1M", "train_tokens": "1e9", "users": "0", "valid_days": "20",
    "vary": "gpu=±20%", "weights": "price=60,technical=20,service=20", "why_not": "8x H20", "workload": "chat",
    "date": "2027-06-01", "axes": "log",
}  # fmt: skip
"""A value for each, 0 where one can be given: a test for `if value` would let it through. None: a flag."""


def tree(command: Any = None, path: tuple[str, ...] = ()) -> dict[str, Any]:
    """name -> command, of all."""
    command = command or typer.main.get_command(app)
    inner = getattr(command, "commands", None)
    if inner is None:
        return {" ".join(path): command}
    return {k: v for name, x in inner.items() for k, v in tree(x, (*path, name)).items()}


COMMANDS = tree()
OPTIONS = {name: {p.name: p for p in c.params if p.name != "help"} for name, c in COMMANDS.items()}
ALONE = {
    "solve": {"workers", "time_limit", "output", "force"},
    "catalog list": {"kind", "catalog", "json"}, "catalog show": {"part", "catalog", "json"},
    "catalog validate": {"catalog"}, "catalog export": {"catalog", "output", "force"},
    "catalog stale": {"catalog", "date", "days", "json"},
    "catalog import": {
        "file", "output", "seller", "date", "currency", "tax", "confidence", "map_", "accept_fuzzy", "partial",
        "against", "catalog", "dry_run", "force", "json",
    },
    "rfq": {
        "file", "point", "output", "brand", "buyer", "number", "date", "until", "calibration", "catalog", "measured",
        "force",
    },
    "app": {"host", "port"},
    "examples": {"folder", "force"},
    "schema": {"what"}, "models list": {"search", "json"},
    "models show": {"model", "gpu", "catalog", "json"},
    "models add": {"file", "id_", "precision", "force"}, "models remove": {"model"},
}  # fmt: skip
"""Commands whose options all stand for themselves."""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("unused")
    made = {x: str(folder / x) for x in ("result.json", "none.json", "rows.csv", "config.json", "fx.csv", "new.csv")}
    line = Way(TABLE, ()).words
    assert run(*line, "-o", made["result.json"])[0] == 0
    assert run(*[x.replace("8000", "800") for x in line], "-o", made["none.json"])[0] == 4
    Path(made["rows.csv"]).write_text("model,gpu,n_gpus\nr1-671b,H200,8\n", encoding="utf-8")
    Path(made["config.json"]).write_text("{}", encoding="utf-8")
    Path(made["fx.csv"]).write_text("currency,usd_per_unit,date,source\nEUR,1.5,2026-11-24,test\n", encoding="utf-8")
    return {k.partition(".")[0]: v for k, v in made.items()}


def given(command: str, name: str, files: dict[str, str]) -> list[str]:
    """The option as typed, with its value; an argument stands alone."""
    param, value = OPTIONS[command][name], VALUES[name]
    typed = [] if param.param_type_name == "argument" else [max(param.opts, key=len)]
    return typed if value is None else [*typed, value.format(**files)]


CASES = [(way, name) for way, x in WAYS.items() for name in x.unused if name in OPTIONS[x.line.split()[0]]]


@pytest.mark.parametrize(("way", "name"), one_in(7, CASES), ids=[f"{w}: {n}" for w, n in CASES])
def test_an_option_without_use_ends_with_exit_2(way: str, name: str, files: dict[str, str]) -> None:
    words = [x.format(**files) for x in WAYS[way].words]
    option = given(words[0], name, files)
    code, out, err = run(*words, *option)
    assert code == 2, (out[-300:], err[-300:])
    assert not out
    said = " ".join(err.replace("│", " ").split())
    assert option[0] in said or name in said
    assert len(said.rpartition("Error: ")[2]) > len(option[0]) + 20, "a reason"


def test_every_command_has_its_ways() -> None:
    """A new command, and a new option of one, is thought of here."""
    assert {x.line.split()[0] for x in WAYS.values()} | set(ALONE) == set(COMMANDS)
    for name, x in WAYS.items():
        assert set(x.unused) - set(VALUES) == set(), name
    for command, names in ALONE.items():
        assert names <= set(OPTIONS[command]), command
        assert command == "solve" or {*names, "lang"} == set(OPTIONS[command]), command


QUOTE_OPTIONS = ("customer", "number", "date", "valid_days", "currency", "tax", "discount", "support", "spares", "lang")


@pytest.mark.parametrize("kind", one_in(2, ["csv", "json", "cyclonedx"]))
def test_every_option_that_a_quote_takes_changes_it(kind: str, files: dict[str, str]) -> None:
    """But for the serial number of a bill of materials, which is made of all that was asked."""
    line = ["quote", files["result"], "--format", kind]

    def made(*more: str) -> str:
        done = CliRunner().invoke(app, [*line, *more])
        assert done.exit_code == 0, (more, done.output, done.exception)
        return re.sub(r"urn:uuid:[0-9a-f-]+", "", done.stdout)

    plain = made()
    assert plain == made()
    same = [x for x in QUOTE_OPTIONS if x not in UNUSED.get(kind, ()) and made(*given("quote", x, files)) == plain]
    assert same == []


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (f"{TABLE} --one-seller --max-share 50%", "one seller has 100 %"),
        (f"{TABLE} --max-sellers 1 --max-share 50%", "one seller has 100 %"),
        ("compare {result} {result} --lang both", "--lang both"),
        ("compare {result} {result} --lang both -o {json}", "--lang both"),
        (f"check {ALDER} --model v3-671b --quick --term stated", "paid by time"),
        ("check {taxed} --model v3-671b --quick --tax 3%", "contradict"),
    ],
)
def test_pairs_that_contradict(line: str, says: str, files: dict[str, str], tmp_path: Path) -> None:
    taxed = tmp_path / "taxed.csv"
    taxed.write_text(
        "Prices include 19% VAT\nPart number,Description,Qty,Unit price incl. 19% VAT,Currency\n"
        "SYS-821GE-TNHR,server,1,24800,EUR\n",
        encoding="utf-8",
    )
    words = [x.format(**files, taxed=taxed, json=tmp_path / "x.json") for x in Way(line, ()).words]
    code, out, err = run(*words)
    assert code == 2, (out[-300:], err[-300:])
    assert says in " ".join(err.replace("│", " ").split())


def test_what_is_refused_where_useless_is_used_where_it_says_something(files: dict[str, str], tmp_path: Path) -> None:
    """A lease takes a term, a quote in euros a rate, one seller a share of 100 %."""
    lease = tmp_path / "lease.csv"
    lease.write_text(
        "Part number,Description,Qty,Monthly rent,Currency\nSYS-821GE-TNHR,server,1,800,EUR\n", encoding="utf-8"
    )
    line = ("check", str(lease), "--model", "v3-671b", "--quick", "--json")
    plain = json.loads(run(*line)[1])
    for more in (("--term", "36"), ("--rate", "2")):
        code, out, err = run(*line, *more)
        assert code == 5 and json.loads(out) != plain, (more, err)
    code, _out, err = run(*Way(TABLE, ()).words, "--one-seller", "--max-share", "100%")
    assert code in (0, 4), err
    assert run("explain", files["result"], "--price-risk", "--why-not", "8x H20", "--json")[0] == 0
