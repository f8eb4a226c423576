"""What a form or a caller of the API asks, by the names of the options of `dsopt solve`, as a request and a policy."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, create_model

from catalogs.errors import Fault, InputError
from catalogs.load import Catalog
from constraints.policy import Policy, tax_percent
from constraints.request import Request
from optimizer.app.limits import MOST_TEXT
from optimizer.request.entry import Option
from optimizer.request.fields import fields_of, options_of
from optimizer.request.purchase_terms import percent_of, support
from optimizer.request.typed_request import request_of
from optimizer.request.typed_values import Given
from optimizer.text.languages import N_

if TYPE_CHECKING:
    from optimizer.procurement.reading.document import Quote
    from optimizer.request.entry import CommandName

WANTED = ("budget", "throughput", "users", "tokens_per_day", "requests_per_second")
"""Options of which one is needed, as of `dsopt solve`."""
MAY_NAME_A_FILE = ("spares",)
"""Options whose text may be a file's name: the app opens no file of the server's."""
TAX = Option("tax", "Tax on everything: 13%, or a country code, CN.")
NOTHING_WANTED = N_("say for how many users, for what money, or how fast")
MOST_OF_ONE = 20
"""Values of an option that may be given more than once."""

ShortText = Annotated[str, StringConstraints(max_length=MOST_TEXT, strip_whitespace=True)]


@cache
def options() -> Mapping[str, Option]:
    """Options that the app takes, by name: all of a request but those that name files."""
    taken = [x for x in options_of("solve") if x.kind is not Path and x.name not in MAY_NAME_A_FILE]
    return {x.name: x for x in [*taken, TAX]}


def _shape(option: Option) -> Any:
    kind: Any = ShortText if option.kind is str else option.kind
    several = Annotated[list[kind], Field(max_length=MOST_OF_ONE)]
    return (several if option.several else kind) | None


Asked: type[BaseModel] = create_model(  # type: ignore[call-overload] # fields are made of the options
    "Asked",
    __config__=ConfigDict(extra="forbid"),
    __doc__="A request by the names of the options of `dsopt solve`; what is left out is as that command has it.",
    **{name: (_shape(x), Field(None, description=x.help)) for name, x in options().items()},
)


def request_from(asked: BaseModel, catalog: Catalog) -> tuple[Request, Policy]:
    """The request and the policy. Raises InputError with all that makes no sense, the option as its column."""
    values, policy = _values(asked), Policy()
    if all(values.get(name) is None for name in WANTED):
        raise InputError(Fault("nothing-wanted", NOTHING_WANTED, column="--users"))
    return request_of(_given(asked, catalog), fields_of("solve")), _with_money(policy, values)


def request_beside(
    asked: BaseModel, catalog: Catalog, quotes: list[Quote], command: CommandName
) -> tuple[Request, Policy]:
    """The request that vendors' quotes are held against: in the first quote's currency, by the floor's rules, as
    `dsopt xray` and `dsopt compare` take it."""
    from optimizer.text.money import CURRENCIES, currency_code

    values, fields = _values(asked), fields_of(command)
    of_quotes = next((quote.currency for quote in quotes if quote.currency in CURRENCIES), "USD")
    code = currency_code(values["currency"]) if values.get("currency") else of_quotes
    grade = {} if values.get("grade") else {"grade": "floor"}
    known = {option.name for option in options_of(command)} | {"tax"}
    return (
        request_of(_given(asked, catalog, known), fields, currency=code, **grade),
        _with_money(Policy(), values),
    )


def _values(asked: BaseModel) -> dict[str, Any]:
    """What was said; blank texts say nothing, as an empty field of a form."""
    return {name: value for name, value in asked.model_dump().items() if value not in (None, "", [])}


def _given(asked: BaseModel, catalog: Catalog, known: set[str] | None = None) -> Given:
    said = {name: value for name, value in _values(asked).items() if known is None or name in known}
    if (part := said.get("support")) is not None and percent_of(part) is None and part != "table":
        raise InputError(Fault("bad-support", "is no percentage", column="--support", value=part, remedy="10%, table"))
    defaults = {name: ([] if x.several else x.default) for name, x in options().items()}
    return Given({**defaults, **said}, catalog, frozenset(said))


def _with_money(policy: Policy, values: Mapping[str, Any]) -> Policy:
    settings = [f"money.tax_percent={tax_percent(values['tax'])}"] if values.get("tax") else []
    percent, _ = support(values.get("support"))
    settings += [f"money.support_percent={percent}"] if percent is not None else []
    return policy.with_settings(settings)


def asked_by(command: str) -> dict[str, Any] | None:
    """The options of a command that `dsopt` printed, as the app asks them; None where it says what the app does not
    take."""
    found: dict[str, Any] = {}
    try:
        for option, text in _typed(shlex.split(command)[2:]):
            if option.several:
                found.setdefault(option.name, []).append(text)
            else:
                found[option.name] = True if option.kind is bool else text
    except KeyError:
        return None
    return found


def _typed(words: list[str]) -> Iterator[tuple[Option, str]]:
    by_word = {option.typed: option for option in options().values()}
    remaining = iter(words)
    for word in remaining:
        option = by_word[word]
        yield option, "" if option.kind is bool else next(remaining, "")
