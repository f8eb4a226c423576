"""Escapes, control characters and marks of direction in every place that others write: none of them leaves a command
as it is, on any way out (terminal, errors, CSV, JSON, workbooks)."""

from __future__ import annotations

import csv
import html
import io
import json
import random
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import typer
import xlsxwriter
from openpyxl.workbook.defined_name import DefinedName

from catalogs.visible import UNSEEN
from optimizer.cli.app import app
from tests.support.commands import DOCUMENTED, FileOption, file_options, known_files, run
from tests.support.long import one_in

RAW = re.compile(f"[{UNSEEN}]")
IN_XML = re.compile(r"(?<!_x005F)_x([0-9A-Fa-f]{4})_")
"""How Excel writes a character that XML has none for; it shows the character."""
MEANT = ("\x1b[31m", "\x1b]0;owned\x07", "\x9b2J", "\u202e", "\u2066", "\u200b", "\x08\x08", "\x7f", "\u2028",
         "\ufeff", "\U000e0041", "_x001B_", "_x202E_")  # fmt: skip
"""Colours, a window's title, one-byte CSI, overrides of direction, no width, backspace, lines, tags; Excel's own."""
WRITABLE = ("\x9b2J", "\u202e", "\u2066", "\u200b", "\x7f", "\u2028", "\U000e0041", "_x001B_", "_x202E_")
"""Those of them that the XML of a workbook takes."""
PLAIN = ("solve", "--model", "r1-distill-qwen-1.5b", "--budget", "8000", "--gpu", "RTX 4090", "--max-nodes", "1",
         "--as-of", "2026-11-24")  # fmt: skip

HEAD = ("id", "part", "price", "currency", "date", "condition", "confidence", "seller", "source", "link", "notes")
"""Of an overlay's offers."""


def hostile(seed: object, of: tuple[str, ...] = MEANT) -> str:
    """`EPYC` with some of them within; the same text for the same seed."""
    drawn = random.Random(str(seed)).sample(of, 3)
    return f"E{drawn[0]}P{drawn[1]}YC{drawn[2]}x"


def raw(text: str) -> list[str]:
    """What is not seen of a text. A CSV may begin with a byte order mark and end its lines as CSVs do."""
    return RAW.findall(text.removeprefix("\ufeff").replace("\r\n", "\n"))


def texts_of(path: Path) -> Iterator[str]:
    data = path.read_bytes()
    if not data.startswith(b"PK"):
        yield data.decode("utf-8", "surrogateescape")
        return
    with zipfile.ZipFile(io.BytesIO(data)) as z:
        for name in z.namelist():
            if not name.endswith((".xml", ".rels", ".vml")):
                continue  # pictures
            text = html.unescape(z.read(name).decode("utf-8", "surrogateescape"))
            if not name.endswith(".vml"):  # of shapes, whose ids are `_x0000_t202`
                text = IN_XML.sub(lambda m: chr(int(m[1], 16)), text)
            yield name + text.replace("\r", "")


def assert_clean(words: list[str], folder: Path, before: set[Path]) -> tuple[int, str, str]:
    """Runs a command; holds what it said and every file that it made against RAW."""
    code, out, err = run(*words)
    assert code in DOCUMENTED, (words, err)
    assert not raw(out), (words, raw(out), out)
    assert not raw(err), (words, raw(err), err)
    for path in {p for p in folder.rglob("*") if p.is_file()} - before:
        for text in texts_of(path):
            assert not raw(text), (words, path.name, raw(text))
    return code, out, err


def files_in(folder: Path) -> set[Path]:
    return {p for p in folder.rglob("*") if p.is_file()}


def vendor_csv(path: Path, seed: object) -> None:
    t = [hostile((seed, i), WRITABLE) for i in range(9)]
    rows = [
        [f"Seller: {t[0]} GmbH", "", "", "", ""],
        [f"Note: {t[1]} training not included", "", "", "", ""],
        ["Part number", f"Description {t[2]}", "Qty", "Unit price", "Currency", f"Remark {t[3]}"],
        [f"SYS-821GE-TNHR {t[4]}", f"server {t[5]}", "1", "24800", "USD", t[6]],
        ["EPYC 9654", f"CPU {t[7]}", "2", "6000", "USD", t[8]],
        [t[4], t[5], "3", "17.50", "USD", t[6]],
        [t[8], "Installation", t[7], t[6], "USD", ""],
        [f"Total {t[0]}", "", "", "36852.50", "USD", ""],
    ]
    with path.open("w", encoding="utf-8", newline="") as f:
        csv.writer(f).writerows(rows)


def vendor_book(path: Path, seed: object) -> None:
    t = [hostile((seed, i), WRITABLE) for i in range(6)]
    book = xlsxwriter.Workbook(path)
    sheet = book.add_worksheet("Quote\u202e" + "\u200bx")
    for r, row in enumerate(
        [[f"Seller: {t[0]}"], ["Part number", f"Description {t[1]}", "Qty", "Unit price", f"Remark {t[2]}"],
         [f"SYS-821GE-TNHR {t[3]}", f"server {t[4]}", 1, 24800, t[5]], ["EPYC 9654", f"CPU {t[0]}", 2, 6000, t[1]],
         [t[2], t[3], 1, 5.5, t[4]]],
    ):  # fmt: skip
        sheet.write_row(r, 0, row)
    sheet.write_comment("A3", t[2])
    book.add_worksheet("Other\u2066" + "y").write(0, 0, t[3])
    book.close()


def table(path: Path, seed: object) -> None:
    """A CSV that any list of ours may be: the columns of all of them, hostile texts in each."""
    columns = ("category", "currency", "date", "gpu", "id", "model", "n_gpus", "name", "notes", "part", "percent",
               "qty", "source", "status", "usd_per_unit", "vendor", f"own {hostile(seed)}")  # fmt: skip
    with path.open("w", encoding="utf-8", newline="") as f:
        out = csv.writer(f)
        out.writerow(columns)
        out.writerows([[hostile((seed, r, c)) for c in columns] for r in range(3)])


def toml(path: Path, seed: object) -> None:
    quoted = json.dumps(hostile(seed).replace("\x7f", "")).replace("\\ud", "\\u2")
    path.write_text(f'model = {quoted}\n"money.{hostile(seed)[-1]}" = {quoted}\n[{quoted}]\nx = {quoted}\n', "utf-8")


def data(path: Path, seed: object) -> None:
    """A config.json, or a result, whose keys and values are hostile."""
    t = hostile(seed)
    config = {"model_type": t, "architectures": [t], "_name_or_path": t, t: t, "request": {"model": t, t: 1}}
    path.write_text(json.dumps(config), encoding="utf-8")


MAKERS: dict[str, Callable[[Path, object], None]] = {
    ".csv": table, ".xlsx": vendor_book, ".toml": toml, ".json": data, ".quote.csv": vendor_csv,
}  # fmt: skip
BUILD = str(Path("examples/guide-entry.toml").resolve())
QUOTES = (".xlsx", ".quote.csv")
INPUTS = [x for x in file_options() if not x.output and not x.folder]
CASES = [
    (option, ending)
    for option in INPUTS
    for ending in MAKERS
    if ending not in QUOTES or (option.command in ("check", "compare") and option.argument) or option.name == "template"
]


@pytest.mark.parametrize(
    ("option", "ending"), one_in(5, CASES), ids=[f"{x.command} {x.name} {ending}" for x, ending in CASES]
)
def test_a_file_at_every_option(option: FileOption, ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"a\x1b[31m\u202e{option.name}{ending}"
    MAKERS[ending](path, (option.command, option.name))
    known = known_files(tmp_path)
    assert_clean(option.line(str(path), known), tmp_path, files_in(tmp_path))


def text_options() -> list[tuple[str, str, bool]]:
    """(command, option as typed, whether it stands alone) of each parameter that takes a word."""
    found = []

    def walk(command: Any, path: tuple[str, ...]) -> None:
        for name, inner in getattr(command, "commands", {}).items():
            walk(inner, (*path, name))
        for p in () if hasattr(command, "commands") else command.params:
            if not getattr(p, "is_flag", False):
                alone = p.param_type_name == "argument"
                found.append((" ".join(path), p.name if alone else max(p.opts, key=len), alone))

    walk(typer.main.get_command(app), ())
    return found


@pytest.mark.parametrize(("case",), one_in(3, [(x,) for x in text_options()]), ids=lambda x: f"{x[0]} {x[1]}")
def test_a_word_at_every_option(case: tuple[str, str, bool], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command, option, alone = case
    base = {"solve": PLAIN[1:], "size": ("--model", "v2-lite", "--gpu", "4090"),
            "check": (BUILD,), "compare": ("a.csv", "b.csv")}.get(command, ())  # fmt: skip
    at = base.index(option) if option in base else len(base)
    line = [*command.split(), *base[:at], *base[at + 2 :]]
    text = hostile(case)
    monkeypatch.chdir(tmp_path)  # an output may be so named
    assert_clean([*line, text] if alone else [*line, option, text], tmp_path, set())


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("make", [vendor_csv, vendor_book])
def test_a_vendors_texts_reach_no_report(make: Callable[[Path, object], None], seed: int, tmp_path: Path) -> None:
    ending = ".csv" if make is vendor_csv else ".xlsx"
    quotes = [tmp_path / f"{x}\u202e\x1b[2J{ending}" for x in "ab"]
    for i, path in enumerate(quotes):
        make(path, (seed, i))
    before, out = files_in(tmp_path), str(tmp_path / "out")
    asked = ["--model", "v3-671b", "--as-of", "2026-11-24"]
    check = ["check", str(quotes[0]), *asked, "--quick"]
    code, said, _err = assert_clean([*check, "-o", out + ".xlsx", "--map", out + ".toml"], tmp_path, before)
    assert code == 5 and "\\u" in said, "the file is read, and its texts are shown as escapes"
    assert_clean([*check, "-o", out + ".json", "--review", out + ".csv"], tmp_path, before)
    assert_clean([*check, "--json"], tmp_path, before)
    compare = ["compare", *map(str, quotes), *asked, "--time-limit", "0.1"]
    code, said, _err = assert_clean([*compare, "-o", out + "2.xlsx"], tmp_path, before)
    assert code in (0, 5) and "\\u202e" in said
    assert_clean([*compare, "-o", out + "2.json", "--lang", "zh"], tmp_path, before)
    assert_clean([*compare, "--json"], tmp_path, before)


def test_a_catalogs_texts_reach_no_quote(tmp_path: Path) -> None:
    """Sellers, sources, links and notes of an overlay, in a result and all that is made of it, a template's cells too.
    Names and ids that hold such a character are refused (tests/procurement/test_names.py)."""
    mine, out = tmp_path / "mine", tmp_path / "out"
    mine.mkdir()
    out.mkdir()
    texts = [hostile(i) for i in range(4)]
    with (mine / "offers.csv").open("w", encoding="utf-8", newline="") as f:
        rows = csv.writer(f)
        rows.writerow(HEAD)
        rows.writerow(["mine--1", "nvidia-rtx-4090-24gb", "900.00", "USD", "2026-11-20", "new", "list", *texts])
    lists = {"own": "part,qty,note\n", "support": "category,percent,note\n", "avl": "part,vendor,status,note\n"}
    asked = [*PLAIN, "--catalog", str(mine)]
    result = str(out / "r.json")
    before = files_in(tmp_path)
    code, _said, err = assert_clean([*asked, "-o", result], tmp_path, before)
    assert code == 0, err
    assert "\\u" in Path(result).read_text(encoding="utf-8")
    for name, head in lists.items():
        path = tmp_path / f"{name}\u202e.csv"
        path.write_text(f"{head}{texts[0]},{texts[1]},{texts[2]}\n", encoding="utf-8")
        assert assert_clean([*asked, f"--{name}", str(path)], tmp_path, {*before, path})[0] == 3
        before.add(path)
    book, form = openpyxl.Workbook(), tmp_path / "form.xlsx"
    for row, name in enumerate(("customer", "line_seller", "line_source", "line_name", "quote_number"), 1):
        ref = f"Sheet!${chr(64 + row)}$2" + (f":${chr(64 + row)}$60" if name.startswith("line_") else "")
        book.defined_names[name] = DefinedName(name, attr_text=ref)
    book.save(form)
    before.add(form)
    at = ["--catalog", str(mine)]
    for kind in ("xlsx", "csv", "json", "cyclonedx"):
        named = ["--number", "_x202E_1"]
        if kind in ("xlsx", "json"):
            named += ["--customer", "_x001B_ACME"]
        ending = "bom.json" if kind == "cyclonedx" else kind
        line = [
            "quote",
            result,
            "--format",
            kind,
            "-o",
            str(out / f"q.{ending}"),
            *at,
            *(named if kind != "csv" else ()),
        ]
        assert assert_clean(line, tmp_path, before)[0] == 0
    line = ["quote", result, "--template", str(form), "-o", str(out / "t.xlsx"), *at, "--customer", "_x202E_ACME"]
    assert assert_clean(line, tmp_path, before)[0] == 0
    shown = [str(c.value) for c in openpyxl.load_workbook(out / "t.xlsx").active["B"] if c.value]
    assert any("E" in x and "YC" in x for x in shown), shown
    for line in (["explain", result], ["verify", result], ["catalog", "show", "nvidia-rtx-4090-24gb"],
                 ["catalog", "list", "gpu"], ["explain", result, "--json"], ["check", result, "--json"]):  # fmt: skip
        assert assert_clean([*line, *at], tmp_path, before)[0] == 0, line


def test_the_test_sees_what_it_looks_for() -> None:
    """Each of the texts is found by `raw`, in a workbook as Excel shows it."""
    for x in MEANT:
        assert raw("a" + IN_XML.sub(lambda m: chr(int(m[1], 16)), x) + "b"), x
    assert not raw("\ufeffplain\r\n中文\t\n")
