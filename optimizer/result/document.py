"""JSON documents whose texts know their keys.

A field of type `Text` is an English sentence; made here, it is a `Message`, which views render by its key in every
language. A `Document` writes those keys beside its texts, under `sentences`, so that programs, and dsopt when it opens
the document again, have them too. Documents saved before messages had keys hold none: their texts stay English.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import BaseModel, Field, ValidatorFunctionWrapHandler, WrapValidator, model_validator

from catalogs.message import Message, message_data, read_message
from optimizer.result.strict import Strict


def _kept(value: Any, checked: ValidatorFunctionWrapHandler) -> Any:
    """pydantic makes plain text of a text; a message stays what it is."""
    text = checked(value)
    return value if isinstance(value, Message) else text


Text = Annotated[str, WrapValidator(_kept)]
"""An English sentence or clause that may be a Message."""


class MessageParts(Strict):
    """What a text was made of: an English sentence with {names}, and by name what stands there."""

    key: str
    values: dict[str, str | MessageParts]


class Document(Strict):
    """A document whose texts keep their keys when it is written and read again."""

    sentences: dict[str, MessageParts] = Field(
        default_factory=dict,
        description="texts of this document -> the sentence with {names} they were made of, and its values",
    )

    @model_validator(mode="before")
    @classmethod
    def _read_texts(cls, data: Any) -> Any:
        if not isinstance(data, dict) or not isinstance(data.get("sentences"), dict):
            return data
        messages = {text: made for text, parts in data["sentences"].items() if (made := _made(text, parts)) is not None}
        rest = {name: value for name, value in data.items() if name != "sentences"}
        return {**_with_messages(rest, messages), "sentences": data["sentences"]}

    def model_post_init(self, context: Any) -> None:
        # The texts are the truth: the table is always made of them, also of a document that was read.
        made = {text: MessageParts.model_validate(parts) for text, parts in sentences_of(self).items()}
        object.__setattr__(self, "sentences", made)


def sentences_of(document: Any) -> dict[str, dict[str, Any]]:
    """The messages of a document (a model, or dicts and lists): text -> key and values, in the order of the texts."""
    found = {str(said): said for said in _messages(document)}
    return {text: {k: v for k, v in message_data(found[text]).items() if k != "text"} for text in sorted(found)}


def _messages(value: Any) -> Iterator[Message]:
    if isinstance(value, Message):
        yield value
    elif isinstance(value, BaseModel):
        for name, inner in value.__dict__.items():
            if name != "sentences":
                yield from _messages(inner)
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _messages(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _messages(inner)


def _made(text: str, parts: Any) -> str | None:
    """The message of an entry; None where key and values don't make the text, so that the text stays what it is."""
    try:
        made = read_message({"text": text, **parts})
    except (KeyError, TypeError, AttributeError):
        return None
    return made if made == text else None


def _with_messages(value: Any, messages: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return messages.get(value, value)
    if isinstance(value, dict):
        return {name: _with_messages(inner, messages) for name, inner in value.items()}
    if isinstance(value, list):
        return [_with_messages(inner, messages) for inner in value]
    return value
