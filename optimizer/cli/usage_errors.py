"""What is wrong with a command line, in the language of the terminal, with the nearest option or command."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import typer

from optimizer.text.languages import N_
from optimizer.text.languages import chosen as language

ALSO_CALLED = {
    "--money": "--budget", "--cost": "--budget", "--max-price": "--budget", "--concurrency": "--users",
    "--clients": "--users", "--country": "--market", "--region": "--market", "--out": "--output", "--file": "--output",
    "--language": "--lang", "--locale": "--lang", "--card": "--gpu", "--gpus": "--gpu", "--quant": "--precision",
    "--dtype": "--precision", "--input-len": "--isl", "--output-len": "--osl", "--context": "--isl",
    "--ttft": "--max-ttft", "--power": "--max-kw", "--stock": "--own", "--vat": "--tax", "--mem": "--memory",
}  # fmt: skip
"""Options as other tools call them."""
SAID = (
    (re.compile(r"No such option: (?P<name>\S+)"), N_("No such option: {name}")),
    (re.compile(r"No such command '(?P<name>[^']+)'\.?"), N_("No such command: {name}")),
    (re.compile(r"Missing argument '(?P<name>.+)'\."), N_("Missing argument {name}")),
    (re.compile(r"Missing option (?P<name>.+)\."), N_("Missing option {name}")),
    (re.compile(r"Missing command\."), N_("Missing command")),
    (re.compile(r"Option '(?P<name>[^']+)' requires an argument\."), N_("Option {name} needs a value")),
    (re.compile(r"Invalid value for (?P<name>.+?): (?P<why>.+)", re.DOTALL), N_("Invalid value for {name}: {why}")),
    (re.compile(r"Invalid value: (?P<why>.+)", re.DOTALL), N_("Invalid value: {why}")),
    (re.compile(r"'?(?P<value>.*?)'? is not a valid (?:int|integer)\."), N_("{value} is no whole number")),
    (re.compile(r"'?(?P<value>.*?)'? is not a valid float\."), N_("{value} is no number")),
    (re.compile(r"(?P<value>\S+) is not in the range (?P<range>.+)\."), N_("{value} is not in the range {range}")),
    (re.compile(r"the value is empty: give one or leave the option out \(is a variable unset\?\)"),
     N_("the value is empty: give one or leave the option out (is a variable unset?)")),
    (re.compile(r"it is given twice and takes one value: give it once"),
     N_("it is given twice and takes one value: give it once")),
    (re.compile(r"(?P<names>--.+) contradict: give one"), N_("{names} contradict: give one")),
    (re.compile(r"one of (?P<names>--.+) is needed"), N_("one of {names} is needed")),
    (re.compile(r"Got unexpected extra arguments? \((?P<value>.+)\)"), N_("Unexpected argument: {value}")),
)  # fmt: skip
"""Sentences of the library that reads the command line, and our own of every command."""


USAGE_ERROR: Any = typer.BadParameter.__base__


@contextmanager
def spoken() -> Iterator[None]:
    """Gives each fault of a command line that passes through its words."""
    try:
        yield
    except USAGE_ERROR as e:
        text = " ".join(said(e).split("\n")) + _nearest_option(e)
        e.show = partial(_show, e, text)
        raise


def said(error: Any) -> str:
    """The fault in words of the language chosen."""
    message = error.message if hasattr(error, "option_name") else error.format_message()
    plain, mark, near = message.partition(" Did you mean ")
    text = in_words(plain)
    if not mark:
        return text
    return text + _did_you_mean([x.strip("' ?") for x in near.split(",")])


def in_words(text: str) -> str:
    """A sentence of SAID in the language chosen; others stay as they are."""
    for pattern, key in SAID:
        if found := pattern.fullmatch(text):
            return language()(key, **{name: in_words(x) for name, x in found.groupdict().items()})
    return text


def _nearest_option(error: Any) -> str:
    """What may have been meant by an option that there is none of."""
    if type(error).__name__ != "NoSuchOption" or error.ctx is None:
        return ""
    from difflib import get_close_matches

    visible = [x for x in error.ctx.command.get_params(error.ctx) if not getattr(x, "hidden", False)]
    known = [name for param in visible for name in param.opts if name.startswith("--")]
    asked = error.option_name.casefold().replace("_", "-")
    also = ALSO_CALLED.get(asked)
    near = [also] if also in known else get_close_matches(asked, known, n=1, cutoff=0.55)
    return _did_you_mean([str(x) for x in near]) if near else ""


def _did_you_mean(names: Sequence[str]) -> str:
    _ = language()
    return f"{_.stop}{_.apart}{_('Did you mean {names}?', names=_.list(names))}"


def _show(error: Any, text: str, file: Any = None) -> None:
    """Prints how the command is called, where its help is and what is wrong."""
    _, stream = language(), file or sys.stderr
    if error.ctx is not None:
        print(error.ctx.get_usage(), file=stream)
        print(_("Try '{command} --help' for help.", command=error.ctx.command_path) + "\n", file=stream)
    print(f"{_('Error')}{_.colon}{text}", file=stream)
