"""An empty value is an error for every option and argument of every command."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from optimizer.cli.app import app
from tests.support.long import one_in

ROOT: Any = typer.main.get_command(app)


def tried(*words: str) -> tuple[int, str]:
    """(exit code, what is said); the tree of commands is built once for all of the many lines."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said), pytest.raises(SystemExit) as ended:
        ROOT.main(args=list(words), prog_name="dsopt")
    code = ended.value.code
    assert isinstance(code, int)
    return code, said.getvalue()


def commands(command: Any = ROOT, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command and group of the tree, with the words that lead to it."""
    yield path, command
    for name, sub in getattr(command, "commands", {}).items():
        yield from commands(sub, (*path, name))


def values() -> Iterator[tuple[tuple[str, ...], str]]:
    """(words before it, option or "" for the first argument) of all that takes a value."""
    for path, command in commands():
        for p in command.params:
            if p.param_type_name == "argument":
                yield path, ""
            elif not p.is_flag and not p.count and "completion" not in p.name:  # -v counts, it takes no value
                for option in p.opts:
                    yield path, option


def test_all_commands_are_walked() -> None:
    found = {" ".join(path) for path, _ in values()}
    assert {"solve", "check", "compare", "quote", "size", "explain", "verify", "catalog list", "models add"} <= found


@pytest.mark.parametrize(
    ("path", "option", "value"), one_in(4, ((*x, value) for x in values() for value in ("", "  ", ",")))
)
def test_empty_values_are_refused(path: tuple[str, ...], option: str, value: str) -> None:
    args = [*path, *([option] if option else []), value, *([] if path else ["solve"])]
    code, said = tried(*args)
    assert code == 2, (args, said)
    assert "the value is empty" in said, (args, said)


def test_an_option_with_an_equals_sign() -> None:
    code, said = tried("solve", "--model", "v3-671b", "--budget=")
    assert code == 2
    assert "'--budget'" in said
    assert "the value is empty" in said
