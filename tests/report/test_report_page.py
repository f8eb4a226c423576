"""The report in a browser: it opens without an error and without a request, tells every figure of the result, obeys
pointer and keyboard, reads well to everybody, prints on A4, and takes no hostile name for markup."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from selenium.webdriver.common.keys import Keys

from constraints.policy import Policy
from optimizer.library import open_result, report, report_html, solve
from optimizer.report.facts import recommended_point
from optimizer.result.schema import Result
from tests.support.browser import ANY, needs_browser
from tests.support.random_catalogs import scenario

pytestmark = needs_browser

SEED = 1567
"""Five points, GPUs of two kinds, one to three per node, checks that warn."""
MOST_BYTES = 2_000_000
HOSTILE = "</script><script>window.pwned=1</script><img src=x onerror=window.pwned=2>'\"&amp;{{7*7}}"


@pytest.fixture(scope="module")
def catalog() -> Any:
    """A small catalog whose parts are named to break out of a page."""
    found, _request, _ = scenario(SEED)
    parts = {i: part.model_copy(update={"name": f"{part.name} {HOSTILE}"}) for i, part in found.parts.items()}
    return replace(found, parts=parts)


@pytest.fixture(scope="module")
def result(catalog: Any) -> Result:
    _catalog, request, _ = scenario(SEED)
    return solve(request, catalog=catalog, policy=Policy())


@pytest.fixture(scope="module")
def folder(result: Result, catalog: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pages of one result: with what binds in English, at once in Chinese."""
    made = tmp_path_factory.mktemp("report")
    (made / "en.html").write_text(report(result, catalog=catalog), encoding="utf-8")
    (made / "zh.html").write_text(report_html(result, "zh", catalog=catalog), encoding="utf-8")
    return made


def test_the_page_is_sound_in_both_languages_and_schemes(browser: Any, folder: Path) -> None:
    for page, scheme, width in (("en", "light", 1280), ("en", "dark", 390), ("zh", "dark", 1280), ("zh", "light", 360)):
        browser.clear()
        browser.view(width, 800, scheme)
        browser.open(folder / f"{page}.html")
        assert browser.errors() == []
        assert browser.leaving() == []
        if width > 1000:  # colours differ by scheme, names by language: two of the four pages have all of them
            assert browser.axe(ANY) == [], (page, scheme)
        assert browser.overflow() <= 0, (page, width)
        assert browser.run("return window.pwned") is None, "a name is no markup"
        assert HOSTILE in browser.run("return document.body.textContent")
        assert len((folder / f"{page}.html").read_bytes()) < MOST_BYTES


def test_nothing_but_its_own_script_runs(browser: Any, folder: Path) -> None:
    """A script that gets into the page all the same is refused by the page's own policy, `eval` too."""
    page = folder / "injected.html"
    text = (folder / "en.html").read_text(encoding="utf-8")
    page.write_text(text.replace("<main", "<script>window.pwned=3</script><main", 1), encoding="utf-8")
    browser.open(page)
    assert browser.run("return window.pwned") is None
    assert any("Content Security Policy" in line for line in browser.errors())
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy and "unsafe" not in policy[1] and "default-src" in policy[1]


def test_pointer_and_keyboard_choose_a_build(browser: Any, folder: Path, result: Result) -> None:
    best = recommended_point(result)
    assert best is not None and len(result.front) > 2
    browser.open(folder / "en.html")
    shown = "return Array.from(document.querySelectorAll('article.build')).filter(x => !x.hidden).map(x => x.id)"
    assert browser.run(shown) == [f"build-{best.id}"]
    # The pointer over a point tells its price, its interval and what it is made of.
    first, last = result.front[0], result.front[-1]
    dot = browser.find(f"div:not([hidden]) > .wide a[data-point={first.id}]")
    browser.run("arguments[0].scrollIntoView({block: 'center'})", dot)
    browser.hover(dot)
    said = browser.find(f"#tip-{first.id}").text
    assert f"{Decimal(first.cost.total):,}" in said and f"{first.throughput.low:,.0f}" in said
    assert f"{Decimal(first.cost.high):,}" in said and first.gpus.name.split()[0] in said
    browser.press(Keys.ESCAPE)
    assert not browser.find(f"#tip-{first.id}").is_displayed()
    # A click shows the build; the arrow keys and Enter do the same.
    dot.click()
    assert browser.run(shown) == [f"build-{first.id}"]
    browser.run("arguments[0].focus()", dot)
    browser.press(*[Keys.ARROW_RIGHT] * (len(result.front) - 1))
    assert browser.find(f"#tip-{last.id}").is_displayed()
    browser.press(Keys.ENTER)
    assert browser.run(shown) == [f"build-{last.id}"]
    # The axes' switch draws the other picture.
    drawn = (
        "return Array.from(document.querySelectorAll('[data-drawn]')).filter(x => !x.hidden).map(x => x.dataset.drawn)"
    )
    before = browser.run(drawn)
    browser.find("button[data-axes][aria-pressed=false]").click()
    assert sorted([*before, *browser.run(drawn)]) == ["linear", "log"]


def test_figures_are_those_of_the_result(browser: Any, folder: Path, result: Result) -> None:
    """Every point's price, range, throughput and interval in the front's table, every line's amount in its build."""
    browser.open(folder / "en.html")
    text = browser.run("return document.body.textContent").replace("\xa0", " ")
    for point in result.front:
        row = browser.run(
            "return document.querySelector(`td a[href='#build-${arguments[0]}']`).closest('tr').textContent", point.id
        )
        cost, throughput = point.cost, point.throughput
        assert f"{Decimal(cost.total):,}" in row
        for end in (cost.low, cost.high):  # ends of a range in whole units; to the cent under the pointer
            assert f"{Decimal(end).quantize(Decimal(1), ROUND_HALF_UP):,}" in row
            assert f"{Decimal(end):,}" in browser.run(
                "return document.getElementById(`tip-${arguments[0]}`).textContent", point.id
            )
        for speed in (f"{throughput.output_tok_s:,.1f}", f"{throughput.low:,.0f}", f"{throughput.high:,.0f}"):
            assert speed in row
        build = browser.run("return document.getElementById(`build-${arguments[0]}`).textContent", point.id)
        for line in point.bom:
            if line.origin != "included":
                assert f"{Decimal(line.line_total):,}" in build
        for check in point.checks:
            assert str(check.text) in build
    best = recommended_point(result)
    assert best is not None
    together = Decimal(best.cost.total) + 3 * Decimal(best.energy.cost_year)
    assert f"{together:,}" in text


def test_page_one_is_one_sheet_of_a4(browser: Any, folder: Path) -> None:
    """The board's page, then the front on the next; hostile names of 80 characters make page one no longer."""
    for page, front in (("en", "The front: what money buys"), ("zh", "前沿：多少钱买到多少吞吐量")):
        browser.open(folder / f"{page}.html")
        printed = pypdfium2.PdfDocument(io.BytesIO(browser.pdf()))
        texts = [sheet.get_textpage().get_text_range().replace("\r\n", "") for sheet in printed]
        assert [front in text for text in texts][:2] == [False, True]
        assert 4 <= len(texts) <= 12
        assert [round(side) for side in printed[0].get_size()] == [595, 842]


def test_a_result_without_a_build_names_the_ways_out(browser: Any, catalog: Any, tmp_path: Path) -> None:
    _catalog, request, _ = scenario(SEED)
    none = solve(request.model_copy(update={"budget_cents": 100}), catalog=catalog, policy=Policy())
    assert not none.front
    page = tmp_path / "none.html"
    page.write_text(report(open_result(none, catalog=catalog)), encoding="utf-8")
    browser.open(page)
    assert (browser.errors(), browser.leaving()) == ([], [])
    assert browser.find("h1").text == "No build meets this request"
