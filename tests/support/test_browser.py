"""The browser that judges pages sees what it has to see: errors, requests, violations, widths."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.support.browser import needs_browser

pytestmark = needs_browser

BAD = """<!doctype html><html lang="en"><head><title>t</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src *; style-src 'unsafe-inline'"></head>
<body><main><h1>bad</h1><img src="http://example.com/a.png"><script>window.ran = 1</script>
<div style="width: 2000px">wide</div></main></body></html>"""
GOOD = """<!doctype html><html lang="en"><head><title>t</title></head><body><main><h1>good</h1></main></body></html>"""


def test_the_browser_sees_what_is_wrong_with_a_page(browser: Any, tmp_path: Path) -> None:
    page = tmp_path / "bad.html"
    page.write_text(BAD, encoding="utf-8")
    browser.open(page)
    assert browser.leaving() == ["http://example.com/a.png"]
    assert any("inline script" in line for line in browser.errors()), browser.errors()
    assert any("ERR_NAME_NOT_RESOLVED" in line for line in browser.errors()), "the machine can't be left"
    assert [line.split(":")[0] for line in browser.axe()] == ["critical image-alt"]
    assert browser.overflow() > 0


def test_the_browser_finds_nothing_wrong_with_a_good_page(browser: Any, tmp_path: Path) -> None:
    page = tmp_path / "good.html"
    page.write_text(GOOD, encoding="utf-8")
    browser.view(360, 640, "dark")
    browser.open(page)
    assert (browser.leaving(), browser.errors(), browser.axe(), browser.overflow()) == ([], [], [], 0)
    assert browser.run("return matchMedia('(prefers-color-scheme: dark)').matches")
    assert browser.pdf().startswith(b"%PDF")
