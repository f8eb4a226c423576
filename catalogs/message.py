"""A message is a key with values, said once: English text for programs, rendered in a view's language by its key.

    message("{model} is published for a KV cache in {kv}, and plans count on that.", model="DeepSeek-V4", kv="FP8")

is that sentence in English wherever text is wanted, and carries the key and the values for views that speak another
language (optimizer/text/languages.py). A value may be a message itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

PLACE = re.compile(r"\{(\w+)\}")
"""Where a value stands in a key."""


def N_(text: str) -> str:
    """Marks a term that a view looks up later, where it is shown."""
    return text


class Message(str):
    """English text that knows the key and the values it was made of."""

    key: str
    values: Mapping[str, str]

    def __new__(cls, key: str, values: Mapping[str, str]) -> Message:
        """Raises KeyError where a value that the key names is missing."""
        made = super().__new__(cls, _template(key) % values)
        made.key, made.values = key, values
        return made

    def __reduce__(self) -> tuple[type[Message], tuple[str, Mapping[str, str]]]:  # for copy and pickle
        return Message, (self.key, self.values)


@lru_cache(maxsize=4096)
def _template(key: str) -> str:
    """A key as a template of `%`, the quickest there is. Remembered, since one key makes thousands of messages."""
    return PLACE.sub(r"%(\1)s", key.replace("%", "%%"))


def message(key: str, /, **values: object) -> Message:
    """The message of a key; values that are no messages are written as `str` writes them."""
    said = {
        name: value if type(value) is str or isinstance(value, Message) else str(value)
        for name, value in values.items()
    }
    return Message(key, said)


def joined(texts: Iterable[str], between: str = ", ", last: str = "") -> str:
    """Texts one after the other, each with its key; `last` stands before the last of several, as in `a, b and c`."""
    pieces = list(texts)
    if len(pieces) < 2:
        return pieces[0] if pieces else ""
    key = _list_key(len(pieces), between, last)
    return Message(key, {f"t{number}": piece for number, piece in enumerate(pieces, 1)})


@lru_cache(maxsize=1024)
def _list_key(count: int, between: str, last: str) -> str:
    """The key of a list of so many texts: `{t1}, {t2} and {t3}`."""
    places = [f"{{t{number}}}" for number in range(1, count + 1)]
    return between.join(places[:-1]) + (last or between) + places[-1]


def sentence_of(clause: str) -> str:
    """A clause as a sentence of its own, with its stop."""
    return Message("{clause}.", {"clause": clause})


def message_data(text: str) -> dict[str, Any]:
    """A message as JSON has it: its English `text`, its `key` and its `values`; of a text without a key the text."""
    if not isinstance(text, Message):
        return {"text": text, "key": "", "values": {}}
    return {"text": str(text), "key": text.key, "values": {name: _value(value) for name, value in text.values.items()}}


def _value(value: str) -> Any:
    if not isinstance(value, Message):
        return value
    return {"key": value.key, "values": {name: _value(inner) for name, inner in value.values.items()}}


def read_message(data: Mapping[str, Any]) -> str:
    """A message out of JSON; the text alone where a result was saved before messages had keys."""
    if not data.get("key"):
        return str(data["text"])
    return _read(data)


def _read(data: Mapping[str, Any]) -> Message:
    values = {
        name: _read(value) if isinstance(value, Mapping) else str(value) for name, value in data["values"].items()
    }
    return Message(data["key"], values)
