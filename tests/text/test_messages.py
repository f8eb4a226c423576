"""Messages are keys with values: what they say, what JSON holds of them, and what other languages make of them."""

from __future__ import annotations

from typing import Any

import pytest

from catalogs.message import message, message_data, read_message
from optimizer.library.solving import solve
from optimizer.text.figures import measured
from optimizer.text.languages import Words


def test_a_message_is_its_english_text() -> None:
    said = message("{qty} users at once", qty="1,024")
    assert said == "1,024 users at once" and (said.key, dict(said.values)) == ("{qty} users at once", {"qty": "1,024"})


def test_a_value_that_is_missing_is_an_error() -> None:
    with pytest.raises(KeyError, match="qty"):
        message("{qty} users at once")


def test_a_value_with_braces_is_left_alone() -> None:
    key = "You already have {part}, but no build can use it: {why}."
    assert message(key, part="{why}", why="x").startswith("You already have {why}, but")


def test_messages_within_messages_come_back_from_json() -> None:
    said = message(
        "{point} is recommended: {first} that serves {why} at the lower end of its 80 % interval.",
        point="p2", first="the cheapest", why=message("{qty} users at once", qty="24"),
    )  # fmt: skip
    again = read_message(message_data(said))
    assert again == said and Words("zh").sentence(again) == Words("zh").sentence(said)
    assert "24 个并发用户" in Words("zh").sentence(said) and Words("en").sentence(said) == said


def test_a_text_saved_before_messages_had_keys_is_read_as_it_is() -> None:
    assert read_message({"text": "One thing.", "code": "x"}) == "One thing."


def test_every_remark_of_a_result_has_its_key_and_its_chinese(ask: Any) -> None:
    request = ask(budget=300_000, users=16).request
    for remark in solve(request).messages:
        said = read_message(remark.model_dump())
        assert remark.key and said == remark.text
        zh = Words("zh").sentence(said)
        assert zh != said or remark.code == "guide-name", remark.text


def test_money_that_a_rule_measured_has_all_digits_of_its_currency() -> None:
    assert [measured(260_678.6, "USD"), measured(300_000, "EUR"), measured(3_000_000, "JPY")] == [
        "260,678.60", "300,000.00", "3,000,000",
    ]  # fmt: skip
    assert [measured(14.97, "A"), measured(9_336, "W"), measured(None, "W")] == ["14.97", "9,336", ""]
