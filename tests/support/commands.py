"""Every command of the command line, found by looking: its options that name files, and a shortest line that is valid.

A command without a line in LINES fails tests/cli/test_hostile_inputs.py, so that a new one is attacked too."""

from __future__ import annotations

import contextlib
import inspect
import io
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import typer

from optimizer import cli
from optimizer.cli.app import app
from optimizer.cli.streams import Stream

OUTPUTS = {"output", "review"}
"""Parameters that name what is written; all others are read."""
FOLDERS_WRITTEN = {("examples", "folder"), ("award", "orders"), ("catalog import", "output")}
"""Parameters of commands that name a folder that is made and filled (tests/procurement/test_award.py,
test_importing.py)."""
DAY = ["--as-of", "2026-11-24"]
SOLVE = ["--model", "r1-distill-qwen-1.5b", "--budget", "3000", "--gpu", "RTX 4090", "--max-nodes", "1"]
LINES: dict[str, list[str]] = {
    "solve": SOLVE,
    "check": ["{quote}", "--model", "v3-671b", "--quick"],
    "xray": ["{quote}", "--model", "v3-671b", "--quick"],
    "explain": ["{result}"],
    "verify": ["{result}"],
    "report": ["{result}", "--quick"],
    "plot": ["{result}"],
    "quote": ["{result}"],
    "compare": ["{quote}", "{quote}", "--model", "v3-671b"],
    "rfq": ["{result}"],
    "award": ["{quote}", "{quote}", "--model", "v3-671b"],
    "size": ["--model", "r1-distill-qwen-1.5b", "--gpu", "4090"],
    "app": ["--host=192.0.2.1"],  # of no machine (RFC 5737): nothing is served
    "examples": ["{mine}"],
    "schema": ["result"],
    "catalog list": ["gpu"],
    "catalog show": ["h200"],
    "catalog validate": [],
    "catalog import": [
        "{quote}", "--output={mine}", "--seller=A", "--date=2026-11-24", "--currency=USD", "--tax=net", "--force",
    ],
    "catalog export": [],
    "catalog stale": [],
    "models list": [],
    "models show": ["v3-671b"],
    "models add": ["{config}"],
    "models remove": ["nosuch"],
}  # fmt: skip
WORDS_OR_FILES = {
    "solve": ("spares", "support"),
    "quote": ("spares", "support"),
    "compare": ("weights", "map"),
}
"""Options that take a word or the name of a file: no type tells."""
DOCUMENTED = {0, 2, 3, 4, 5, 6, 7, 130}


@dataclass(frozen=True)
class FileOption:
    """A parameter that names a file; `argument`: it stands without an option's name."""

    command: str
    name: str
    argument: bool
    folder: bool
    output: bool

    @property
    def option(self) -> str:
        return "--" + self.name.strip("_").replace("_", "-")

    def line(self, path: str, known: dict[str, str]) -> list[str]:
        """A whole command line that gives it `path`."""
        words = [w.format(**known) for w in LINES[self.command]]
        if self.argument:
            words = [path, *[w for w, raw in zip(words, LINES[self.command], strict=True) if not raw.startswith("{")]]
            words = [path, *words] if self.name == "files" else words
            return [*self.command.split(), *words]
        if self.name in ("batch", "calibrate") or (self.command, self.output) == ("size", True):
            words = []
        if self.name == "model_config":
            words = _without_model(words)
        more = ["--batch", known["rows"]] if (self.command, self.output) == ("size", True) else []
        return [*self.command.split(), *words, *more, self.option, path]


def _without_model(words: list[str]) -> list[str]:
    at = words.index("--model") if "--model" in words else len(words)
    return words[:at] + words[at + 2 :]


def commands(tree: typer.Typer = app, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """(name, function) of each command."""
    for c in tree.registered_commands:
        assert c.callback is not None
        yield " ".join((*path, c.name or c.callback.__name__)), c.callback
    for g in tree.registered_groups:
        assert g.typer_instance is not None and g.name
        yield from commands(g.typer_instance, (*path, g.name))


def file_options() -> Iterator[FileOption]:
    """Each parameter of each command that names a file or a folder."""
    for command, function in commands():
        for name, parameter in inspect.signature(function, eval_str=True).parameters.items():
            hint = parameter.annotation
            if (command, name) in FOLDERS_WRITTEN:
                continue
            if re.search(r"\bPath\b", str(hint)):
                metadata = getattr(hint, "__metadata__", ())
                argument = any(type(m).__name__ == "ArgumentInfo" for m in metadata)
                folder = name in ("catalog", "calibration")
                yield FileOption(command, name, argument, folder, name in OUTPUTS)
        for name in WORDS_OR_FILES.get(command, ()):
            yield FileOption(command, name, False, False, False)


class Captured(Stream):
    """A guarded stream, as the command has, with bytes beneath it that can be looked at."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8", errors="surrogateescape", write_through=True)

    @property
    def text(self) -> str:
        self.flush()
        return self.buffer.getvalue().decode("utf-8", "surrogateescape")  # type: ignore[attr-defined, no-any-return]


def run(*words: str) -> tuple[int, str, str]:
    """(exit code, stdout, stderr) of the command within this process: main() and all, but for the descriptors."""
    out, err = Captured(), Captured()
    handler, hook = signal.getsignal(signal.SIGINT), sys.unraisablehook
    try:
        with (
            mock.patch.object(sys, "argv", ["dsopt", *words]),
            mock.patch("optimizer.cli.streams.guard"),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            try:
                cli.main()
            except SystemExit as e:
                code = e.code if isinstance(e.code, int) else 0
    finally:
        signal.signal(signal.SIGINT, handler)
        sys.unraisablehook = hook
    return code, out.text, err.text


def dsopt(*words: str, code: int = 0, **env: str) -> subprocess.CompletedProcess[str]:
    """The command within this process, as `run`: to start one takes longer than most answers. Tests of the command
    itself (tests/cli) start it as a customer does."""
    with mock.patch.dict(os.environ, env):
        found, out, err = run(*words)
    assert "Traceback" not in err
    assert found == code, err[-2000:]
    return subprocess.CompletedProcess(words, found, out, err)


def answer(*words: str, code: int = 0) -> dict[str, Any]:
    """What `solve` answers, as JSON."""
    found: dict[str, Any] = json.loads(dsopt("solve", *words, *DAY, "--json", code=code).stdout)
    return found


def known_files(folder: Path) -> dict[str, str]:
    """Small files of each kind that the lines of LINES name."""
    quote, rows, config = folder / "quote.csv", folder / "rows.csv", folder / "config.json"
    quote.write_text("Part Number,Description,Qty,Unit Price USD\nEPYC 9654,CPU,2,6000\n", encoding="utf-8")
    rows.write_text("model,gpu,n_gpus\nr1-671b,H200,8\n", encoding="utf-8")
    config.write_text("{}", encoding="utf-8")
    made = {"result": str(folder / "result.json"), "mine": str(folder / "mine")}
    return {"quote": str(quote), "rows": str(rows), "config": str(config), **made}
