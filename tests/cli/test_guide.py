"""`dsopt` alone in a terminal: what answers become, wrong ones too; and that it is left cleanly."""

from __future__ import annotations

import os
import pty
import select
import signal
import sys
import time
from collections.abc import Iterator

import pytest

from optimizer.cli.guide import BUDGET, MARKET, MODEL, USERS, dialogue, printed, wanted
from optimizer.text.languages import choose
from tests.support.commands import run


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    yield
    choose("en")


def answered(*answers: str, language: str = "en") -> str:
    """The command that answers make; more questions than answers end the input."""
    choose(language)
    left = iter(answers)

    def ask(prompt: str) -> str:
        assert prompt.endswith("] ")
        try:
            return next(left)
        except StopIteration:
            raise EOFError from None

    command = printed(dialogue(ask))
    assert next(left, None) is None, "an answer was not asked for"
    return command


def test_enter_alone_takes_every_default() -> None:
    assert answered("", "", "", "", "") == (
        f"dsopt solve --model {MODEL} --users {USERS} --budget {BUDGET['en']} --currency USD --market {MARKET['en']} "
        "--have racks,network"
    )
    assert answered("", "", "", "", "", language="zh") == (
        f"dsopt solve --model {MODEL} --users {USERS} --budget {BUDGET['zh']} --currency CNY --market {MARKET['zh']} "
        "--have racks,network"
    )


@pytest.mark.parametrize(
    ("answers", "command"),
    [
        (("DeepSeek R1", "64 users", "china", "30万", "server room"),
         "--model r1-671b --users 64 --budget 30万 --currency CNY --market CN"),
        (("deepsek v3", "", "一百人", "日本", "about $300k", "3"),
         "--model v3-671b --users 100 --budget $300k --market JP --max-nodes 1 --circuit 15A@100V"),
        (("llama 70b", "", "4", "Germny", "DE", "none", "office"),
         "--model llama-3.3-70b --users 4 --market EU --max-nodes 1 --circuit 16A@230V"),
        (("deepseek-r1", "many", "-3", "0.5", "US", "much", "200万元", "moon", "1"),
         "--model r1-671b --users 16 --budget 200万元 --market US --have racks,network"),
    ],
)  # fmt: skip
def test_answers_as_people_give_them(answers: tuple[str, ...], command: str) -> None:
    """A model mistyped is offered and taken by Enter; three answers that say nothing take the default."""
    assert answered(*answers).replace("'", "") == f"dsopt solve {command}"


def test_a_command_that_a_shell_would_take_apart_is_quoted() -> None:
    assert printed(["solve", "--budget", "$300,000", "--model", "v3-671b"]) == (
        "dsopt solve --budget '$300,000' --model v3-671b"
    )


def test_without_a_terminal_there_is_help() -> None:
    code, out, err = run()
    assert not wanted([]) and not wanted(["--lang", "zh"])
    assert code in (0, 2) and "Commands:" in out + err


def in_a_terminal(language: str, typed: list[bytes]) -> tuple[int, str]:
    """(exit code, screen) of `dsopt` alone; each text is typed at a prompt."""
    child, terminal = pty.fork()
    if child == 0:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.execv(sys.executable, [sys.executable, "-c", "from optimizer.cli import main; main()", "--lang", language])
    screen, end, left = b"", time.monotonic() + 60, list(typed)
    while time.monotonic() < end:
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                screen += os.read(terminal, 65536)
            except OSError:
                break
        if left and screen.endswith(b"] "):
            os.write(terminal, left.pop(0))
            screen += b"\n"
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), screen.decode()


@pytest.mark.parametrize(("language", "last", "code"), [("en", b"\x04", 0), ("zh", b"\x03", 130)])
def test_it_is_left_cleanly(language: str, last: bytes, code: int) -> None:
    found, screen = in_a_terminal(language, [b"\n", last])
    assert found == code and "Traceback" not in screen and "Aborted" not in screen
    assert ("DeepSeek-V3" in screen) and screen.count("] ") == 2
    assert {"en": "Nothing was run.", "zh": "未运行任何命令。"}[language] in screen
