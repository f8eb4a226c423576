"""From what was typed to a Request, field by field. Raises InputError with the option's name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import ValidationError

from catalogs.errors import Fault, InputError
from catalogs.refused_value import in_words, remedy_of
from constraints.physics.markets import settled_market
from constraints.request import TRAINING, Request
from optimizer.request import texts
from optimizer.request.fields import FIELDS, SERVING, TRAINED, option_of
from optimizer.request.named_model import settled
from optimizer.request.typed_values import Given


def request_of(given: Given, fields: Iterable[str] = FIELDS, **known: Any) -> Request:
    """The request that the options of `fields` ask for; `known`: fields that no option of the command says."""
    names = [name for name in fields if name not in known]
    refuse_misplaced(given, names, given["workload"] or "chat")
    return request(**{name: value(name, given) for name in names}, **known)


def laid_over(base: Request, given: Given, fields: Iterable[str]) -> Request:
    """The request with the fields changed whose options were typed."""
    names = [name for name in fields if given.typed & _options(name)]
    refuse_misplaced(given, names, given["workload"] or base.workload)
    changed = {name: found for name in names if (found := value(name, given)) is not None}
    return request(**{**base.model_dump(), **changed}) if changed else base


def value(field: str, given: Given) -> Any:
    """A field's value; None where nobody says anything."""
    entry = FIELDS[field]
    return entry.parse(given) if entry.parse else given[entry.options[0].name]


def _options(field: str) -> set[str]:
    """Parameters that a field is read from."""
    entry = FIELDS[field]
    return {option.name for option in entry.options} | set(entry.reads)


def refuse_misplaced(given: Given, fields: Iterable[str], workload: str) -> None:
    """Raises NotUsed for options that say nothing about the workload: of serving in training, and the other way. Of one
    with a default no value tells that it was typed: a command refuses it (`usage.refuse_of_other_workload`)."""
    other = SERVING if workload in TRAINING else TRAINED
    options = [option for name in fields if FIELDS[name].of == other for option in FIELDS[name].options]
    texts.misplaced(workload, {option.typed: given[option.name] for option in options if option.default is None})


def request(**fields: Any) -> Request:
    """A Request, its model by id; pydantic's faults become ours, with the option's name."""
    try:
        named = {name: value for name, value in fields.items() if value is not None}
        return settled_market(settled(Request(**named)))
    except ValidationError as e:
        raise InputError([_fault(error) for error in e.errors(include_url=False)]) from None


def _fault(error: Any) -> Fault:
    if not error["loc"]:  # of the request as a whole
        return Fault("bad-request", in_words(error))
    option = option_of(str(error["loc"][0]))
    value, remedy = str(error.get("input"))[:60], remedy_of(error)
    return Fault("bad-request", in_words(error), column=option, value=value, remedy=remedy)
