"""The front as SVG and PNG, and what the two commands do with files."""

from __future__ import annotations

import itertools
import json
import re
import struct
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree

import pytest

from catalogs.errors import InputError
from optimizer.library import front_chart, plot
from optimizer.report.formats import Formats
from optimizer.report.front import front_picture
from optimizer.report.page import linked
from optimizer.report.rack import rack_drawing
from optimizer.report.scales import over
from optimizer.report.tables import spans
from optimizer.result.point_schema import CheckFacts
from optimizer.result.schema import Result
from optimizer.text.languages import Words
from tests.support.commands import DAY, dsopt

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A result of a few points."""
    made = tmp_path_factory.mktemp("saved") / "result.json"
    asked = ["--model", "r1-distill-qwen-7b", "--budget", "20000", "--gpu", "RTX 4090", "--gpu", "RTX 5090"]
    dsopt("solve", *asked, "--max-nodes", "2", *DAY, "-o", str(made))
    return made


@pytest.fixture(scope="module")
def result(saved: Path) -> Result:
    return Result.model_validate(json.loads(saved.read_text(encoding="utf-8")))


def test_the_svg_has_every_point_and_stands_alone(result: Result) -> None:
    hostile = result.model_copy(update={"model": result.model.model_copy(update={"name": "<script>&\"'"})})
    for language in ("en", "zh"):
        text = front_chart(hostile, language)
        tree = ElementTree.fromstring(text)
        assert len([x for x in tree.iter(f"{SVG}g") if x.get("class", "").startswith("dot")]) == len(result.front)
        assert [x.tag for x in tree.iter() if x.tag in (f"{SVG}script", f"{SVG}a", f"{SVG}image")] == []
        assert "var(" not in text and not re.search(r"(href|url)\s*[=(]\s*['\"]?http", text)
    assert "前" not in front_chart(result) and "推荐" in front_chart(result, "zh")


def test_a_point_lies_where_its_figures_say(result: Result) -> None:
    """Cheaper is left and faster is higher, on both kinds of axes; intervals enclose their points."""
    assert len(result.front) >= 3
    for logarithmic in (False, True):
        dots = front_picture(result, Words(), logarithmic).dots
        assert [dot.id for dot in dots] == [point.id for point in result.front]
        assert [dot.x for dot in dots] == sorted(dot.x for dot in dots)
        assert [dot.y for dot in dots] == sorted((dot.y for dot in dots), reverse=True)
        for dot in dots:
            assert dot.low_x is not None and dot.high_x is not None
            assert dot.low_x <= dot.x <= dot.high_x and dot.high_y <= dot.y <= dot.low_y


def test_only_what_is_proven_is_shown_as_empty(result: Result) -> None:
    """The hatched area ends at each point's price, right of the last one at the budget, and is gone without a proof."""
    picture = front_picture(result, Words())
    verticals = [float(x) for x in re.findall(r"H([\d.]+)", picture.empty)]
    assert picture.budget is not None
    assert verticals == [*(dot.x for dot in picture.dots), picture.budget.at]
    stopped = result.model_copy(update={"proof": result.proof.model_copy(update={"complete": False})})
    assert front_picture(stopped, Words()).empty == ""
    assert "proven" not in front_chart(stopped)


def test_the_png_is_one(saved: Path) -> None:
    data = plot(saved, kind="png")
    assert data.startswith(b"\x89PNG\r\n\x1a\n") and data.endswith(b"IEND\xaeB`\x82")
    width, height = struct.unpack(">II", data[16:24])
    assert width == 1720 and height > 860
    assert len(data) > 20_000, "a picture, no blank sheet"


def test_pictures_of_a_build_say_its_figures(saved: Path, result: Result) -> None:
    """A node with its GPUs, money with every category, limits with every judged figure; racks where there are some."""
    first = result.front[0]
    for of, language, told in (
        ("node", "en", first.gpus.name),
        ("money", "en", f"{Decimal(first.bom[0].line_total):,}"),
        ("limits", "zh", "各项约束的余量"),
    ):
        text = plot(saved, of=of, point=first.id, lang=language).decode()  # type: ignore[arg-type]
        assert told in "".join(ElementTree.fromstring(text).itertext()), of
        assert "var(" not in text
    gpus = [
        x for x in ElementTree.fromstring(plot(saved, of="node", point=first.id)).iter() if x.get("class") == "box gpu"
    ]
    assert len(gpus) == first.gpus.per_node
    assert not first.racks, "a machine beside the desk"
    with pytest.raises(InputError, match="no rack"):
        plot(saved, of="rack", point=first.id)
    with pytest.raises(InputError, match="no such point"):
        plot(saved, of="node", point="p99")


def test_a_rack_is_drawn_with_all_that_stands_in_it(result: Result) -> None:
    """Nodes lie side by side without overlap and within the rack; each rack has a row of the table."""
    raised = [
        CheckFacts(rule="rack", status="pass", measured=20.0, limit=42.0, unit="units", text="", relation="at_most")
    ]
    point = result.front[-1]
    nodes = [point.nodes[0].model_copy(update={"count": 5})]
    five = point.model_copy(update={"nodes": nodes, "racks": 2, "rack_units": 20, "checks": raised})
    drawing = rack_drawing(five, {}, Words())
    assert [row[1] for row in drawing.rows] == ["3", "2"]
    assert len(drawing.frames) == 2 and len(drawing.slots) == 5
    for frame in drawing.frames:
        inside = sorted(
            (slot.y, slot.y + slot.height) for slot in drawing.slots if frame.x <= slot.x < frame.x + frame.width
        )
        assert inside[0][0] >= frame.y and inside[-1][1] <= frame.y + frame.height
        assert all(above[1] <= below[0] for above, below in itertools.pairwise(inside))


def test_a_web_address_becomes_a_link_and_nothing_else_does() -> None:
    said = linked('<b>list</b> https://example.com/a?b=1&c=2 javascript:alert(1) "https://x.org" onmouseover=1')
    assert said.count("<a ") == 2 and "<b>" not in said and 'href="https://example.com/a?b=1&amp;c=2"' in said
    assert 'href="https://x.org"' in said and 'href="javascript' not in said


def test_a_result_without_a_build_has_no_picture(result: Result) -> None:
    with pytest.raises(InputError, match="no build"):
        front_chart(result.model_copy(update={"front": []}))


def test_files_are_written_whole_and_never_over_others(saved: Path, tmp_path: Path) -> None:
    page, picture = tmp_path / "report.html", tmp_path / "front.svg"
    dsopt("report", str(saved), "-o", str(page), "--quick", "--compare", str(saved), "--lang", "zh")
    dsopt("plot", str(saved), "-o", str(picture), "--axes", "log")
    before = page.read_bytes(), picture.read_bytes()
    text = before[0].decode()
    assert '<html lang="zh-CN"' in text and "与 result.json 相比的变化" in text and text.endswith("</html>")
    assert str(tmp_path) not in text and str(saved.parent) not in text, "no folder of the buyer's"
    for command, file in (("report", page), ("plot", picture)):
        assert "output-exists" in dsopt(command, str(saved), "-o", str(file), code=3).stderr
        assert "bad-format" in dsopt(command, str(saved), "-o", str(tmp_path / "x.docx"), code=3).stderr
        dsopt(command, str(saved), "-o", str(file), "--force", *["--quick"] * (command == "report"))
    assert page.read_bytes() != before[0], "English now"
    assert "bad-axes" in dsopt("plot", str(saved), "-o", str(picture), "--axes", "cubic", code=3).stderr
    assert sorted(x.name for x in tmp_path.iterdir()) == ["front.svg", "report.html"]


def test_a_tampered_result_is_refused(saved: Path, tmp_path: Path) -> None:
    data = json.loads(saved.read_text(encoding="utf-8"))
    data["front"][0]["cost"]["total"] = str(Decimal(data["front"][0]["cost"]["total"]) - 1000)
    worse = tmp_path / "tampered.json"
    worse.write_text(json.dumps(data), encoding="utf-8")
    for command, name in (("report", "a.html"), ("plot", "a.png")):
        assert "inconsistent" in dsopt(command, str(worse), "-o", str(tmp_path / name), code=5).stderr
    assert [x.name for x in tmp_path.iterdir()] == ["tampered.json"]


@pytest.mark.parametrize("values", [[1, 2], [0.3, 1000], [260_678.6, 300_000], [5, 5], [1e-3, 2e-3]])
@pytest.mark.parametrize("logarithmic", [False, True])
def test_axes_have_a_few_marks_within_them(values: list[float], logarithmic: bool) -> None:
    scale = over(values, 0, 100, logarithmic)
    marks = scale.marks()
    assert 3 <= len(marks) <= 14
    assert marks == sorted(set(marks))
    places = [scale.at(value) for value in [*marks, *values]]
    assert all(0 <= place <= 100 for place in places)
    assert scale.at(max(values)) < 100, "room beyond the greatest"


@pytest.mark.parametrize(
    ("language", "amount", "exact", "rounded"),
    [
        ("en", "260678.60", "260,678.60 USD", "260,679 USD"),
        ("zh", "260678.60", "260,678.60 美元", "26.07 万美元"),
        ("zh", "9999.50", "9,999.50 美元", "10,000 美元"),
        ("zh", "1200000", "1,200,000 美元", "120 万美元"),
    ],
)
def test_money_is_written_as_its_readers_write_it(language: str, amount: str, exact: str, rounded: str) -> None:
    formats = Formats(Words(language), "USD")
    assert (formats.exact(amount), formats.rounded(amount)) == (exact, rounded)
    assert formats.day("2026-12-01") == {"en": "1 Dec 2026", "zh": "2026 年 12 月 1 日"}[language]
    assert formats.share(0.001) == {"en": "< 1 %", "zh": "< 1%"}[language], "something is not nothing"
    assert formats.share(0) == {"en": "0 %", "zh": "0%"}[language]


def test_numbers_that_follow_each_other_are_a_span() -> None:
    assert spans([8, 1, 2, 3, 10]) == "1–3, 8, 10"
    assert spans([]) == ""
