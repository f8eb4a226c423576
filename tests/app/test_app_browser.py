"""The app in a browser, both languages: solve, why-not, a quote, a download, a phone's width, keys; the server gone."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from selenium.webdriver.common.keys import Keys

from optimizer.app.server import make_app
from tests.support.browser import needs_browser

pytestmark = needs_browser
QUERY = "model=r1-distill-qwen-1.5b&budget=9000&gpu=RTX+4090&max_nodes=1&as_of=2026-11-24&market=US"
QUOTE = Path(__file__).parents[2] / "optimizer" / "samples" / "querin.csv"
DONE = "return document.querySelector('{} [data-state=done]')"


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, uvicorn.Server]]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        running = uvicorn.Server(uvicorn.Config(make_app(), log_level="error", timeout_graceful_shutdown=1))
        thread = threading.Thread(target=running.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        while not running.started:
            time.sleep(0.02)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", running
        running.should_exit = True
        thread.join(10)


@pytest.mark.parametrize(("lang", "width", "passed"), [("en", 1280, "rules passed"), ("zh", 360, "条规则通过")])
def test_from_the_request_to_the_answer(browser: Any, server: Any, lang: str, width: int, passed: str) -> None:
    browser.view(width, 800)
    browser.open(f"{server[0]}/?lang={lang}&{QUERY}")
    browser.until(DONE.format("#answer"))
    # The page may show the whole answer once before it hears that the job has ended; then the answer takes the focus.
    browser.until("return document.activeElement.tagName === 'H2'")
    assert passed in browser.run("return document.querySelector('#answer').textContent")
    browser.find(".why-not [name=what]").send_keys("2x RTX 4090", Keys.ENTER)
    browser.until(DONE.format(".why-not-answer"))
    assert "RTX 4090" in browser.find(".why-not-answer").text
    browser.run("document.querySelector('[data-pin]').click()")
    browser.until("return document.querySelector('#pinned table')")
    browser.find("#files").send_keys(str(QUOTE))
    browser.run("document.querySelector('#upload button').click()")
    browser.until(DONE.format("#examined"))
    assert "querin.csv" in browser.find("#examined h2").text
    assert browser.overflow() == 0
    assert browser.axe() == []
    assert browser.errors() == [] and browser.leaving() == []


def test_a_dead_server_is_told_of(browser: Any, server: Any) -> None:
    browser.open(f"{server[0]}/?lang=en")
    browser.until("return !document.querySelector('#asked-none').hidden || document.querySelector('#asked li')")
    server[1].should_exit = True
    browser.until("return !document.querySelector('#lost').hidden", seconds=15)
    assert "does not answer" in browser.find("#lost").text
