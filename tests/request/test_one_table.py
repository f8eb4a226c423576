"""One entry per field: what it says is enough for the command line, the echo, commands to type and conditions."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
import typer

from catalogs.load import load
from catalogs.message import message
from constraints.request import Request
from optimizer.cli.app import app
from optimizer.request.entry import GROUPS, Figure, NameList
from optimizer.request.fields import FIELDS, option_of
from optimizer.request.typed_request import request_of
from optimizer.request.typed_values import Given
from optimizer.text.figures import amount
from optimizer.text.languages import Words

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
    assert found == Request(model="v3-671b", as_of=date(2026, 11, 24))
