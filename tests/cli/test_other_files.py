"""Every command that takes a file, given one of every other kind: it says what that is and which command takes it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from catalogs import other_file as kinds
from catalogs.other_file import FileKind, kind_of
from tests.support.commands import SOLVE, run
from tests.support.long import one_in

EXAMPLES = Path(__file__).parents[2] / "examples"
QUOTE = str(EXAMPLES / "procurement" / "tender" / "alder.xlsx")
TEXTS: dict[str, tuple[FileKind, str]] = {
    "policy.toml": (kinds.POLICY, "[storage]\ncopies = 3\n"),
    "company.toml": (kinds.COMPANY, '[seller]\nname = "Haiheng"\n'),
    "weights.toml": (kinds.WEIGHTS, "price = 60\ntechnical = 20\nservice = 20\n"),
    "map.toml": (kinds.MAPPING, "schema_version = 1\nheader_row = 5\n[columns]\n"),
    "result.json": (kinds.RESULT, '{"request": {}, "front": []}'),
    "xray.json": (kinds.XRAY, '{"schema_version": "1", "kind": "xray"}'),
    "comparison.json": (kinds.COMPARISON, '{"schema_version": "1", "kind": "bids"}'),
    "size.json": (kinds.SIZES, '{"setups": [], "throughput_model": {}}'),
    "config.json": (kinds.CONFIG, '{"architectures": ["NoneSuch"], "model_type": "none"}'),
    "own.csv": (kinds.OWNED, "part,qty\nnvidia-h200-sxm5-141gb,2\n"),
    "avl.csv": (kinds.APPROVED, "vendor,status\nDell,barred\n"),
    "fx.csv": (kinds.RATES, "currency,usd_per_unit,date,source\nEUR,1.2,2026-11-01,bank\n"),
    "support.csv": (kinds.PERCENTAGES, "category,percent\ngpu,4\n"),
    "rows.csv": (kinds.CONFIGURATIONS, "model,gpu,n_gpus\nr1-671b,H200,8\n"),
    "measured.csv": (kinds.MEASUREMENTS, "model,gpu,n_gpus,output_tok_s\nr1-671b,H200,8,1500\n"),
    "offers.csv": (
        kinds.OFFERS,
        "id,part,price,currency,date,condition,confidence,seller\na,EPYC 9654,5,USD,2026-11-01,new,list,shop\n",
    ),
    "prices.csv": (kinds.QUOTE, "Part Number,Description,Unit Price USD\nEPYC 9654,CPU,6000\n"),
    "wide.csv": (kinds.QUOTE, "\ufeff型号;数量;单价\nEPYC 9654;2;6000\n"),
    "empty.csv": (kinds.EMPTY, "\n"),
    "empty.json": (kinds.EMPTY, ""),
    "page.pdf": (kinds.PDF, "%PDF-1.7\n"),
    "model.gguf": (kinds.GGUF, "GGUF\x03\0\0\0"),
    "bytes.bin": (kinds.BINARY, "\0\1\2\3"),
}
KINDS = {**{name: kind for name, (kind, _) in TEXTS.items()}, "build.toml": kinds.BUILD, "quote.xlsx": kinds.WORKBOOK}


@dataclass(frozen=True)
class Reader:
    """A command line with {file} in it; `takes`: kinds that it reads, or of which it says itself what it lacks."""

    line: list[str]
    takes: tuple[FileKind, ...]


OFFERED = (kinds.QUOTE, kinds.WORKBOOK, kinds.OWNED, kinds.OFFERS)
"""What a vendor's file may be: parts with numbers and prices, whoever wrote them."""
NO_TABLE = (kinds.EMPTY, kinds.PDF, kinds.BINARY)
"""Of these the reader of vendors' files says what they are, and to ask the vendor for another."""
AGAIN = ["--model", "r1-distill-qwen-7b", "--time-limit", "2"]
READERS = {
    "check": Reader(["check", "{file}"], (kinds.BUILD, kinds.RESULT, *OFFERED, *NO_TABLE)),
    "xray": Reader(["xray", "{file}", "--model", "v3-671b", "--quick"], (*OFFERED, *NO_TABLE)),
    "compare": Reader(["compare", "{file}", "{file}", "--model", "v3-671b"], (kinds.RESULT, *OFFERED, *NO_TABLE)),
    "explain": Reader(["explain", "{file}"], (kinds.RESULT,)),
    "verify": Reader(["verify", "{file}"], (kinds.RESULT,)),
    "quote": Reader(["quote", "{file}", "--format", "json"], (kinds.RESULT,)),
    "models add": Reader(["models", "add", "{file}", "--id", "nonesuch"], (kinds.CONFIG, kinds.GGUF)),
    "size --model-config": Reader(["size", "--gpu", "4090", "--model-config", "{file}"], (kinds.CONFIG, kinds.GGUF)),
    "size --batch": Reader(["size", "--batch", "{file}"], (kinds.CONFIGURATIONS, kinds.MEASUREMENTS)),
    "size --measured": Reader(
        ["size", "--model", "r1-distill-qwen-7b", "--gpu", "4090", "--measured", "{file}"], (kinds.MEASUREMENTS,)
    ),
    "solve --own": Reader(["solve", *SOLVE, "--own", "{file}"], (kinds.OWNED,)),
    "solve --avl": Reader(["solve", *SOLVE, "--avl", "{file}"], (kinds.APPROVED,)),
    "solve --fx": Reader(["solve", *SOLVE, "--fx", "{file}"], (kinds.RATES,)),
    "solve --support": Reader(["solve", *SOLVE, "--support", "{file}"], (kinds.PERCENTAGES,)),
    "solve --spares": Reader(["solve", *SOLVE, "--spares", "{file}"], (kinds.PERCENTAGES,)),
    "solve --policy": Reader(["solve", *SOLVE, "--policy", "{file}"], (kinds.POLICY, kinds.EMPTY)),
    "xray --map": Reader(
        ["xray", QUOTE, "--model", "v3-671b", "--quick", "--map", "{file}"], (kinds.MAPPING, kinds.EMPTY)
    ),
    "compare --weights": Reader(["compare", QUOTE, QUOTE, *AGAIN, "--weights", "{file}"], (kinds.WEIGHTS,)),
}


def cases() -> Iterator[tuple[str, str]]:
    """A reader and a file that it does not take."""
    for reader, known in READERS.items():
        for name, kind in KINDS.items():
            if kind not in known.takes:
                yield reader, name


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("kinds")
    for name, (_, text) in TEXTS.items():
        (made / name).write_bytes(text.encode("utf-16" if name == "wide.csv" else "utf-8"))
    shutil.copy(EXAMPLES / "guide-entry.toml", made / "build.toml")
    shutil.copy(QUOTE, made / "quote.xlsx")
    return made


@pytest.mark.parametrize("name", KINDS)
def test_a_file_is_known_by_what_it_holds(name: str, folder: Path) -> None:
    assert kind_of(folder / name) == KINDS[name]


@pytest.mark.parametrize(("reader", "name"), one_in(11, cases()))
def test_a_file_of_another_kind_is_named_with_what_takes_it(
    reader: str, name: str, folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DSOPT_HOME", str(tmp_path))
    path, kind = folder / name, KINDS[name]
    code, _, err = run(*[word.format(file=path) for word in READERS[reader].line])
    said = " ".join(err.replace("│", " ").split())
    assert code in (2, 3), said
    words, way = kind.words, kind.takes.format(file=path) or kind.instead
    if reader == "xray" and kind in (kinds.BUILD, kinds.RESULT):
        words, way = "is a build or a result", f"dsopt check {path}"
    assert words in said and way in said, said


def test_among_bids_it_is_told_as_well(folder: Path) -> None:
    """The other bids are compared; the file that is none says what it is."""
    code, out, _ = run("compare", QUOTE, str(folder / "build.toml"), *AGAIN, "--as-of", "2026-11-24")
    assert code == 5
    assert "is a build, not a vendor's quote" in " ".join(out.split())


@pytest.mark.parametrize(
    ("option", "text", "lacks"),
    [
        ("--own", "part,quantity\nh200,2\n", "needs a header with part, qty"),
        ("--measured", "model,gpu,n_gpus\nr1-671b,H200,8\n", "output_tok_s"),
        ("--policy", "[storge]\ncopies = 3\n", "storge"),
    ],
)
def test_a_faulty_file_of_the_right_kind_is_told_what_it_lacks(
    option: str, text: str, lacks: str, tmp_path: Path
) -> None:
    path = tmp_path / ("faulty.toml" if option == "--policy" else "faulty.csv")
    path.write_text(text, encoding="utf-8")
    code, _, err = run("solve", *SOLVE, option, str(path))
    assert code == 3 and lacks in err


def test_a_pipe_is_not_looked_at_twice(tmp_path: Path) -> None:
    assert kind_of(Path("/dev/null")) is None
    assert kind_of(tmp_path) is None
    assert kind_of(tmp_path / "nowhere.csv") is None


@pytest.mark.parametrize("text", ['{"a": 1}', "[]", "3"])
@pytest.mark.parametrize("command", ["explain", "report", "plot", "rfq"])
def test_json_that_has_nothing_of_a_result_is_called_none_in_one_sentence(
    command: str, text: str, tmp_path: Path
) -> None:
    other = tmp_path / "other.json"
    other.write_text(text, encoding="utf-8")
    made = {"explain": "", "report": "made.html", "plot": "made.png"}.get(command, "made.xlsx")
    code, _, err = run(command, str(other), *(["-o", str(tmp_path / made)] if made else []))
    assert code == 3 and err.count("dsopt: error:") == 1, err
    assert "no dsopt result" in err and "saves a result" in err
    assert list(tmp_path.iterdir()) == [other]
