"""`--help` by task, in both languages, and the nearest of what was mistyped."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from rich.cells import cell_len

from catalogs.nearest import nearest, one_of
from optimizer.cli.app import COMMANDS, GROUPS, app, app_for
from optimizer.cli.help_page import EXAMPLES, GROUP_OF, MOST_USED, PLACEHOLDERS, asked_language, page, parted
from optimizer.cli.usage_errors import ALSO_CALLED, SAID, _nearest_option, in_words
from optimizer.request.entry import GROUPS as HEADINGS
from optimizer.text.languages import Words, _catalog, choose
from tests.support.commands import run

ROOT = Path(__file__).parents[2]
TREE = typer.main.get_command(app)


def contexts(command: Any = TREE, above: Any = None, name: str = "dsopt") -> Iterator[tuple[str, Any, Any]]:
    """(path, command, context) of every command and group."""
    context = command.context_class(command, info_name=name, parent=above)
    yield context.command_path, command, context
    for inner, below in getattr(command, "commands", {}).items():
        yield from contexts(below, context, inner)


ALL = {path: (command, context) for path, command, context in contexts()}
SINGLE = {path: found for path, found in ALL.items() if not hasattr(found[0], "commands")}


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    yield
    choose("en")


def visible(command: Any) -> list[Any]:
    return [p for p in command.params if not getattr(p, "hidden", False)]


def test_every_word_of_help_is_translated() -> None:
    said = {*COMMANDS.values(), *GROUPS.values(), *HEADINGS, *(key for _, key in SAID)}
    for command, _ in ALL.values():
        said |= {*parted(command.help or "")[0], *(p.help for p in visible(command) if getattr(p, "help", None))}
    said = {text for text in said if " " in text and not text.startswith("request, result")}
    assert len(said) > 230
    assert sorted(text for text in said if text not in _catalog()) == []


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("width", [20, 40, 80, 200])
def test_no_page_is_wider_than_the_screen(language: str, width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    choose(language)
    for path, (command, context) in ALL.items():
        text = page(command, context)
        assert [x for x in text.splitlines() if cell_len(x) > width] == [], path
        assert "\x1b" not in text and "\ue000" not in text
        if width >= 80:
            names = [name for p in visible(command) if p.param_type_name == "option" for name in p.opts]
            assert [name for name in names if name not in text] == [], path


def test_a_page_in_chinese_holds_no_english_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    choose("zh")
    for path, (command, context) in SINGLE.items():
        heads = [x for x in page(command, context).splitlines() if x and not x.startswith(" ")]
        assert all(any("\u4e00" <= c <= "\u9fff" for c in head) for head in heads), (path, heads)


def test_the_ten_that_matter_come_first_and_the_rest_by_task(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    command, context = ALL["dsopt solve"]
    text = page(command, context)
    heads = [x.rstrip(":") for x in text.splitlines() if x.endswith(":") and not x.startswith(" ")]
    assert heads == ["Start with these", *HEADINGS, "Options", "Examples"]
    first = text.partition("Start with these:")[2].partition("\n\n")[0]
    assert [line.split()[0] for line in first.splitlines() if line.startswith("  -")] == [
        "--model", "--budget", "--users", "--tokens-per-day", "--workload", "--market", "--gpu", "--condition",
        "--grade", "-o,",
    ]  # fmt: skip
    assert text.count("--budget MONEY") == 1


def test_every_command_has_an_example_that_is_whole() -> None:
    for path, (command, context) in SINGLE.items():
        _, examples = parted(command.help)
        assert examples and any(x.startswith(path) for x in examples), path
        printed = " ".join(x.strip(" \\") for x in page(command, context).partition("Examples:")[2].splitlines())
        assert all(example in printed for example in examples), path


def test_tables_of_the_page_name_what_there_is() -> None:
    names = {p.name for command, _ in SINGLE.values() for p in command.params}
    assert {*EXAMPLES, *PLACEHOLDERS, *GROUP_OF} <= names
    for last, used in MOST_USED.items():
        path = next(path for path in SINGLE if path.split()[-1] == last)
        assert set(used) <= {p.name for p in visible(SINGLE[path][0])}, path
    for name, example in EXAMPLES.items():
        options = [p for command, _ in SINGLE.values() for p in command.params if p.name == name]
        assert all(example.split()[0] in p.opts for p in options if p.param_type_name == "option"), name


def test_the_list_of_commands_is_that_of_the_tree() -> None:
    """It is printed without reading the commands: faster, and the same."""
    light = typer.main.get_command(app_for(["--help"]))
    assert set(light.commands) == set(TREE.commands)  # type: ignore[attr-defined]
    assert page(light, light.context_class(light, info_name="dsopt")) == page(*ALL["dsopt"])


@pytest.mark.parametrize(
    ("arguments", "environment", "language"),
    [
        (["--lang", "zh", "--help"], {}, "zh"), (["solve", "--help", "--lang=zh"], {}, "zh"),
        (["--help"], {"DSOPT_LANG": "zh"}, "zh"), (["--help"], {"LANG": "zh_CN.UTF-8"}, "zh"),
        (["--lang", "en"], {"DSOPT_LANG": "zh"}, "en"), (["--lang", "fr"], {}, "en"), (["--lang"], {}, "en"),
    ],
)  # fmt: skip
def test_the_language_of_help(
    arguments: list[str], environment: dict[str, str], language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DSOPT_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert asked_language(arguments) == language


class Mistyped(Exception):
    """As the library's NoSuchOption, which is found by its name."""


def no_such(option: str, context: Any) -> Any:
    made = type("NoSuchOption", (Mistyped,), {})()
    made.option_name, made.ctx = option, context
    return made


def test_every_option_is_named_when_a_letter_of_it_lacks() -> None:
    """Of every command; one that is then nearer to another option may name that."""
    missed = []
    for path, (command, context) in SINGLE.items():
        known = [name for p in visible(command) for name in p.opts if name.startswith("--") and len(name) > 6]
        for name in known:
            near = _nearest_option(no_such(name[:4] + name[5:], context))
            if f"Did you mean {name}?" not in near:
                missed.append((path, name, near))
    assert missed == []


def test_options_by_the_names_of_other_tools() -> None:
    _, context = SINGLE["dsopt solve"]
    assert _nearest_option(no_such("--money", context)).endswith("Did you mean --budget?")
    assert _nearest_option(no_such("--xyzzy", context)) == ""
    options = {name for command, _ in SINGLE.values() for p in command.params for name in p.opts}
    assert set(ALSO_CALLED.values()) <= options and not set(ALSO_CALLED) & options


def test_a_wrong_line_is_told_in_chinese() -> None:
    code, out, err = run("--lang", "zh", "solve", "--modle", "x")
    assert (code, out) == (2, "")
    assert err.splitlines() == [
        "用法：dsopt solve [OPTIONS]", "使用“dsopt solve --help”查看帮助。", "",
        "错误：没有选项 --modle。您是否想用 --model？",
    ]  # fmt: skip
    assert "您是否想用 solve？" in run("--lang=zh", "slove")[2]
    choose("zh")
    assert in_words("Invalid value for '--nodes': 'x' is not a valid int.") == "'--nodes' 的值无效：x 不是整数"


def test_the_nearest_word() -> None:
    assert one_of("confgured", ("configured", "loose")) == "Nearest: configured. One of: configured, loose."
    assert one_of("x", ("configured", "loose")) == "One of: configured, loose."
    assert [nearest(x, ("cp-sat", "highs")) for x in ("CPSAT", "cp_sat", "hihgs", "", "zzz")] == [
        "cp-sat", "cp-sat", "highs", "", "",
    ]  # fmt: skip


def test_every_refusal_that_lists_what_there_is_names_the_nearest() -> None:
    """The remedy is made in one place: none is written by hand."""
    by_hand = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for folder in ("catalogs", "constraints", "optimizer")
        for path in (ROOT / folder).rglob("*.py")
        if path.name != "nearest.py" and "One of: " in (text := path.read_text(encoding="utf-8"))
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Constant) and str(node.value).startswith("One of: ")
    ]
    assert by_hand == []


SOLVE = ("solve", "--budget", "3000", "--model", "r1-distill-qwen-1.5b")


@pytest.mark.parametrize(
    ("words", "near"),
    [
        (("solve", "--budget", "3000", "--model", "r1-distil-qwen-1.5b"), "r1-distill-qwen-1.5b"),
        ((*SOLVE, "--gpu", "RTX 4O90"), "4090"), ((*SOLVE, "--grade", "flor"), "floor"),
        ((*SOLVE, "--cost-axis", "powr"), "power"), ((*SOLVE, "--market", "USS"), "US"),
        ((*SOLVE, "--have", "rack"), "racks"), ((*SOLVE, "--condition", "refurbishd"), "refurbished"),
        ((*SOLVE, "--confidence", "lisst"), "list"), ((*SOLVE, "--set", "energy.peu=1"), "energy.pue"),
        ((*SOLVE, "--support", "tabel"), "table"), ((*SOLVE, "--spares", "gpuu=1/16"), "gpu"),
        ((*SOLVE, "--tax", "CNN"), "CN"), ((*SOLVE, "--kv-precision", "fp9"), "fp8"),
        ((*SOLVE, "--min-precision", "8bits"), "8bit"), ((*SOLVE, "--vendor", "nvida"), "NVIDIA"),
        (("schema", "reslt"), "result"), (("catalog", "list", "gpus"), "gpu"),
        (("--lang", "zhh", "models", "list"), "zh"),
    ],
    ids=lambda x: " ".join(x[-2:]) if isinstance(x, tuple) else x,
)  # fmt: skip
def test_a_mistyped_value_names_the_nearest(words: tuple[str, ...], near: str) -> None:
    code, _, err = run(*words)
    assert code == 3 and "Nearest: " in err
    assert near in err.partition("Nearest: ")[2].partition(". ")[0]


def test_chinese_words_of_help_are_one_name_each() -> None:
    zh = Words("zh")
    assert zh("Examples") == "示例" and zh("Usage") == "用法"
