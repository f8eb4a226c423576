"""Why pydantic refused a value, in words of ours: what is needed, and not what "input should" be."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from catalogs.nearest import nearest

WHOLE = "needs a whole number"
NEEDED = {
    "missing": "is missing",
    "extra_forbidden": "is not known here",
    "int_parsing": WHOLE,
    "int_parsing_size": WHOLE,
    "int_type": WHOLE,
    "int_from_float": WHOLE,
    "float_parsing": "needs a number",
    "float_type": "needs a number",
    "decimal_parsing": "needs a number",
    "decimal_type": "needs a number",
    "finite_number": "needs a finite number",
    "string_type": "needs a text",
    "bool_parsing": "needs true or false",
    "bool_type": "needs true or false",
    "dict_type": "needs an object",
    "model_type": "needs an object",
    "list_type": "needs a list",
    "tuple_type": "needs a list",
    "frozen_set_type": "needs a list",
    "date_from_datetime_parsing": "needs a day, for example 2026-11-24",
    "date_parsing": "needs a day, for example 2026-11-24",
    "date_type": "needs a day, for example 2026-11-24",
}
"""By pydantic's name of the fault, where it says all."""
LIMITS = {
    "greater_than": ("needs a number above {}", "gt"),
    "greater_than_equal": ("needs a number of at least {}", "ge"),
    "less_than": ("needs a number below {}", "lt"),
    "less_than_equal": ("needs a number of at most {}", "le"),
}
"""The same where it has a limit, with the limit's name in the fault's context."""
CHOICE = re.compile(r"'([^']+)'")
"""A word in pydantic's list of those that a value may be."""


def in_words(fault: Mapping[str, Any]) -> str:
    """What is wrong, without place and value, of one of `ValidationError.errors()`; pydantic's own words where ours say
    nothing better."""
    kind, context = fault["type"], fault.get("ctx", {})
    if kind in LIMITS:
        words, limit = LIMITS[kind]
        return words.format(_figure(context[limit]))
    if kind == "literal_error":
        return f"needs to be {context['expected'].replace(chr(39), '')}"
    found: str = NEEDED.get(kind) or fault["msg"].removeprefix("Value error, ")
    return found


def remedy_of(fault: Mapping[str, Any]) -> str:
    """The nearest of the words that a value may be, as a remedy; empty where it may be more than a few words, or none
    is near."""
    if fault["type"] != "literal_error":
        return ""
    near = nearest(fault["input"], CHOICE.findall(fault["ctx"]["expected"]))
    return f"Nearest: {near}." if near else ""


def _figure(limit: Any) -> str:
    """With commas between thousands, as all figures on a terminal."""
    if isinstance(limit, float) and limit.is_integer():
        limit = int(limit)
    return f"{limit:,}" if isinstance(limit, int | float) else str(limit)
