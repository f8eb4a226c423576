"""`dsopt examples`: each file that an option takes has a sample, and each command of the folder's README runs."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

from optimizer.cli.app import app
from optimizer.cli.examples_cmd import SAMPLES
from tests.support.commands import OUTPUTS, file_options, run

ROOT = Path(__file__).parents[2]
README = (SAMPLES / "README.md").read_text(encoding="utf-8")
LINES = [shlex.split(line)[1:] for line in re.findall(r"^    (dsopt .+)$", README, re.MULTILINE)]
NAMES = {path.name for path in SAMPLES.iterdir()} - {"README.md"}
COPIES = {
    "company.toml": "procurement/company.toml", "terms.toml": "procurement/award/terms.toml",
    "ostsee.csv": "procurement/award/ostsee.csv", "pinnacle.csv": "procurement/award/pinnacle.csv",
    "querin.csv": "procurement/award/querin.csv", "price-list.csv": "procurement/prices/integrator.csv",
    "build.toml": "four-gpu-tower.toml",
}  # fmt: skip
"""Samples that stand among the repository's examples too."""
OF_FILES = re.compile(r"\bCSV\b|TOML|\.toml|\.json|[Mm]apping file|measurements|Folder of")
"""What the help of an option says that takes a file, whatever its type is."""


def tree() -> Any:
    return typer.main.get_command(app)


def parsed(words: list[str]) -> dict[str, Any]:
    """The values of a command line, which is not run; typer refuses a wrong one."""
    command, name = tree(), ""
    while hasattr(command, "commands"):
        name, *words = words
        command = command.commands[name]
    values: dict[str, Any] = command.make_context(name, list(words)).params
    return values


def test_every_file_that_an_option_takes_has_a_sample() -> None:
    typed = {word.partition("=")[0] for words in LINES for word in words if word.startswith("-")}
    lacking = []
    for found in file_options():
        if found.name in OUTPUTS:
            continue
        called = [words for words in LINES if " ".join(words).startswith(found.command)]
        if found.argument and not called and found.command != "models add":  # it writes into the user's own folder
            lacking.append(found.command)
        if not found.argument and found.option not in typed:
            lacking.append(f"{found.command} {found.option}")
    assert lacking == []


def test_options_of_words_or_files_have_one_too() -> None:
    """Found by their help, as no type tells them."""
    typed = {word for words in LINES for word in words if word.startswith("--")}
    told = {
        max(p.opts, key=len)
        for command in tree().commands.values()
        for p in getattr(command, "params", ())
        if p.param_type_name == "option" and OF_FILES.search(p.help or "") and not getattr(p, "hidden", False)
        and p.name not in OUTPUTS
    }  # fmt: skip
    assert {"--own", "--weights", "--scoring", "--low-price", "--spares", "--why-not"} <= told
    assert sorted(told - typed) == []


def test_every_sample_stands_in_a_command_and_every_command_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(SAMPLES)
    assert len(LINES) > 24
    for words in LINES:
        assert parsed(words), words
    named = {word for words in LINES for word in words}
    assert sorted(NAMES - named) == []


def test_what_stands_twice_is_the_same() -> None:
    for name, other in COPIES.items():
        assert (SAMPLES / name).read_bytes() == (ROOT / "examples" / other).read_bytes(), name


def test_nothing_is_overwritten_without_force(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "samples"
    assert run("examples", str(folder))[0] == 0
    assert {path.name for path in folder.iterdir()} == {*NAMES, "README.md"}
    (folder / "have.csv").write_text("mine", encoding="utf-8")
    (folder / "rows.csv").unlink()
    code, _, err = run("examples", str(folder))
    assert code == 3 and "[output-exists]" in err
    assert (folder / "have.csv").read_text(encoding="utf-8") == "mine" and not (folder / "rows.csv").exists()
    assert run("examples", str(folder), "--force")[0] == 0
    assert (folder / "have.csv").read_bytes() == (SAMPLES / "have.csv").read_bytes()
    assert run("examples", str(folder / "have.csv"))[0] == 3


def test_a_build_and_a_batch_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cheap ones of the README; the long version runs them all."""
    run("examples", str(tmp_path), "--force")
    monkeypatch.chdir(tmp_path)
    assert run("check", "build.toml")[0] == 0
    assert run("size", "--batch", "rows.csv", "-o", "answered.csv")[0] == 0
    assert all(line.endswith(",") for line in Path("answered.csv").read_text(encoding="utf-8").splitlines()[1:])


@pytest.mark.long
def test_every_command_of_the_readme_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("examples", str(tmp_path), "--force")
    monkeypatch.chdir(tmp_path)
    for words in LINES:
        code, out, err = run(*words)
        assert code == 0, (words, err[-800:])
        assert out or err, words
