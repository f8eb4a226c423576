"""One entry per field: what it says is enough for the command line, the echo, commands to type and conditions."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import typer

from catalogs.load import load
from catalogs.message import message
from constraints.request import Request
from optimizer.cli.app import app
from optimizer.request.entry import GROUPS, PLANNED, CommandName, Figure, NameList
from optimizer.request.fields import FIELDS, fields_of, option_of
from optimizer.request.typed_request import request_of
from optimizer.request.typed_values import Given
from optimizer.text.figures import amount
from optimizer.text.languages import Words
from tests.request.test_asked_again import BESIDE, SAMPLES
from tests.support.commands import LINES, known_files, run
from tests.support.long import one_in

TREE: Any = typer.main.get_command(app)


def lacking(model: type[Request], table: Any = FIELDS) -> set[str]:
    """Fields of a request that have no entry, and entries that no field has."""
    return set(model.model_fields) ^ set(table)


def test_a_field_without_an_entry_is_found() -> None:
    class Wider(Request):
        max_noise_db: int | None = None

    assert lacking(Request) == set()
    assert lacking(Wider) == {"max_noise_db"}
    assert lacking(Request, {name: FIELDS[name] for name in FIELDS if name != "users"}) == {"users"}


@pytest.mark.parametrize("name", FIELDS)
def test_an_entry_says_how_it_is_typed_or_what_it_is_read_from(name: str) -> None:
    entry, options = FIELDS[name], {p.name: p for p in TREE.commands["solve"].params}
    assert entry.options or entry.reads, "nobody can ask for it"
    for option in entry.options:
        assert option.group in GROUPS and option.help
        assert option.typed in options[option.name].opts
    assert option_of(name) in {x for p in options.values() for x in p.opts}, "an error would name no option"
    if entry.file:
        assert entry.parse, "the content of a file has to be read"


def test_what_the_planner_enforces_is_an_option_of_every_command_that_plans() -> None:
    lacking = [
        name for name, entry in FIELDS.items() if "planner" in entry.by and not set(PLANNED) <= {*entry.commands}
    ]
    assert lacking == []


OWN = {
    "check": {"budget"}, "compare": {"fx"}, "size": {"gpu"},
}  # fmt: skip
"""Options of a command that are named as those of a field and read by the command itself: the budget of --mend, rates
of bids in any currency, the GPUs to size."""


@pytest.mark.parametrize("command", ["solve", "check", "xray", "compare", "size"])
def test_a_command_has_the_options_of_its_fields_and_no_others(command: CommandName) -> None:
    there = {p.name for p in TREE.commands[command].params if not p.hidden}
    ours = {option.name for name in fields_of(command) for option in FIELDS[name].options}
    others = {option.name for entry in FIELDS.values() for option in entry.options} - ours
    assert ours <= there
    assert there & others == OWN.get(command, set())


HOST = {("size", "offload"): ["--cpu", "EPYC 9654", "--memory", "12x64GB@4800"]}
"""What `size` asks for beside an option, where nothing is bought."""


def typed_fields() -> Iterator[tuple[CommandName, str, list[str]]]:
    """A command beside solve, a field that it reads, and the field's options with a value."""
    commands: tuple[CommandName, ...] = ("check", "xray", "compare", "size")
    for command in commands:
        for name in fields_of(command):
            for option in FIELDS[name].options:
                if option.name != "model_config":
                    beside = [*BESIDE.get(option.name, []), *HOST.get((command, name), [])]
                    yield command, name, [*beside, option.typed, *SAMPLES[option.name][0]]


@pytest.mark.parametrize(
    ("command", "field", "words"), one_in(3, [pytest.param(*x, id=f"{x[0]} {x[1]}") for x in typed_fields()])
)
def test_what_is_typed_is_what_the_answer_is_made_for(
    command: CommandName, field: str, words: list[str], tmp_path: Path
) -> None:
    """The request that reaches the library holds the field as it was typed."""
    if command == "check":
        line = ["examples/guide-entry.toml"]
    else:
        line = [word.format(**known_files(tmp_path)) for word in LINES[command]]
    if field == "model":
        line = line[: line.index("--model")] + line[line.index("--model") + 2 :] if "--model" in line else line

    def asked_for(options: list[str]) -> Request:
        found: list[Request] = []

        def answer(*arguments: Any, **_: Any) -> None:
            found.append(next(x for x in arguments if isinstance(x, Request)))
            raise typer.Exit(0)

        with mock.patch(f"optimizer.library.{command}", answer):
            code, _, err = run(command, *line, *options)
        assert code == 0, err
        return found[0]

    others = ["--model", "v3-671b"] if field == "model" else []
    assert getattr(asked_for(words), field) != getattr(asked_for(others), field)


def test_names_of_options_are_given_once() -> None:
    names = [option.name for entry in FIELDS.values() for option in entry.options]
    assert len(names) == len(set(names))


def test_conditions_have_keys_and_places_of_their_own() -> None:
    said = [entry.condition for entry in FIELDS.values() if entry.condition]
    assert len({x.key for x in said}) == len({x.place for x in said}) == len(said)


@pytest.mark.parametrize("name", [name for name, entry in FIELDS.items() if entry.condition])
def test_how_a_field_gives_way_is_said_in_chinese_too(name: str) -> None:
    condition, zh = FIELDS[name].condition, Words("zh")
    assert condition is not None
    if isinstance(condition.loosens, Figure):
        said = amount(condition.loosens.words, 7)
        assert zh.sentence(said) != said or condition.loosens.words == "{} kW"  # a unit is the same in Chinese
    if isinstance(condition.loosens, NameList):
        said = message(condition.loosens.words.replace("{}", "{list}"), list="X")
        assert zh.sentence(said) != said
    if condition.given_up:
        assert zh.sentence(condition.given_up) != condition.given_up


def test_limits_in_a_quote_have_places_of_their_own_and_a_figure_beside_them() -> None:
    said = [(entry.quoted, entry) for entry in FIELDS.values() if entry.quoted]
    assert len({quoted.place for quoted, _ in said}) == len(said)
    assert all(quoted.at or entry.place for quoted, entry in said)


def test_nothing_typed_is_a_request_without_conditions_of_the_buyer() -> None:
    values = {o.name: [] if o.several else o.default for entry in FIELDS.values() for o in entry.options}
    found = request_of(Given({**values, "model": "v3-671b", "as_of": "2026-11-24"}, load()))
    assert found == Request(model="v3-671b", as_of=date(2026, 11, 24), market="US")
