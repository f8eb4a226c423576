"""Lines that say what a part is, not which: matched to the generic part or the cheapest of those that are alike."""

from __future__ import annotations

import csv
import time
from functools import cache
from pathlib import Path

import pytest

from optimizer.procurement.reading.document import Line, Quote
from optimizer.procurement.reading.reader import read
from tests.procurement.test_reader_habits import catalog, quote

DATA = Path("tests/data/oem_wordings.csv")
"""Wordings as makers' configurators and resellers of three languages write them, with what they may be matched to
(`none`: nothing) and, where a person has to decide, the part that has to stand first."""


def wordings() -> list[dict[str, str]]:
    with DATA.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def read_lines(folder: Path) -> dict[int, Line]:
    """Each wording as a line of one list, by its place."""
    path = folder / "wordings.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(["Pos", "Description", "Qty", "Unit price EUR", "Total EUR"])
        out.writerows([n, row["text"], 1, 100, 100] for n, row in enumerate(wordings(), 1))
    return {line.row - 2: line for line in read(path, catalog()).lines}


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Line]:
    return read_lines(tmp_path_factory.getbasetemp())


@pytest.mark.parametrize("place", range(len(wordings())), ids=lambda place: wordings()[place]["text"][:40])
def test_wordings_of_makers_and_resellers(place: int, lines: dict[int, Line]) -> None:
    row = wordings()[place]
    line = lines[place]
    accepted = set(row["accepted_parts"].split("|"))
    assert (line.matched.part or "none") in accepted, line.matched
    if row["first"]:
        assert line.matched.candidates[0] == row["first"]


def one(folder: Path, text: str, *more: str) -> Line:
    q = offer(folder, text, *more)
    return q.lines[len(more)]


def offer(folder: Path, text: str, *above: str) -> Quote:
    rows = [f'{n},,"{x}",1,100,100' for n, x in enumerate((*above, text), 1)]
    return quote(folder, rows, "Prices in USD")


def test_a_match_by_specification_is_marked_and_says_what_else_is_so(tmp_path: Path) -> None:
    line = one(tmp_path, "64GB RDIMM, 5600MT/s, Dual Rank")
    assert line.matched.how == "specification" and line.matched.part == "generic-ddr5-5600-rdimm-64gb"
    assert "samsung-m321r8ga0pb0-cwmkj" in line.matched.candidates


def test_a_maker_that_is_named_is_taken_before_the_generic_part(tmp_path: Path) -> None:
    assert one(tmp_path, "三星 64G DDR5 5600 RDIMM").matched.part == "samsung-m321r8ga0pb0-cwmkj"


@pytest.mark.parametrize(
    "text",
    ["64GB DDR4-5600 RDIMM", "Xeon Gold 8592+", "Xeon Platinum 8592+ 32C", "EPYC Turin 9654", "PM9A3 3.84TB PCIe Gen5",
     "M321R8GA0PB0-CWMKJ DDR4 64GB", "AMD EPYC 9654, 64 cores", "3.84TB NVMe U.2 PCIe Gen6"],
)  # fmt: skip
def test_a_contradiction_in_the_words_vetoes_a_match(text: str, tmp_path: Path) -> None:
    line = one(tmp_path, text)
    assert line.matched.part is None and not line.settled, line.matched


def test_several_parts_with_different_figures_are_candidates_and_no_match(tmp_path: Path) -> None:
    line = one(tmp_path, "64GB DDR5 RDIMM")
    assert line.matched.part is None
    assert set(line.matched.candidates) >= {
        "generic-ddr5-4800-rdimm-64gb", "generic-ddr5-5600-rdimm-64gb", "generic-ddr5-6400-rdimm-64gb"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("server", "part"),
    [("PowerEdge XE9680", "dell-2800-w-titanium-xe9680"), ("SYS-821GE-TNHR", None), ("", None)],
)
def test_the_server_that_a_line_is_of_settles_what_its_words_leave_open(
    server: str, part: str | None, tmp_path: Path
) -> None:
    text = "2800W Titanium, Redundant (3+3) Hot-Plug Power Supply, C22 inlet"
    line = one(tmp_path, text, *([server] if server else []))
    assert line.matched.part == part
    assert ("by-server" in {issue.code for issue in line.issues}) is (part is not None)


@pytest.mark.parametrize(
    "text",
    ["Power supply for PowerEdge XE9680", "PowerEdge XE9680 fan kit", "Lüfter für PowerEdge XE9680",
     "NF5688M7 风扇模组", "XE9680 riser", "Heatsink NF5688M7", "SYS-821GE-TNHR 用 電源ケーブル", "DGX H200 rail kit",
     "Power supply for PowerEdge R760", "Netzteil für ThinkSystem SR680a V3"],
)  # fmt: skip
def test_what_goes_into_a_server_is_not_the_server(text: str, tmp_path: Path) -> None:
    found = one(tmp_path, text).matched.part
    assert found is None, found


def test_three_hundred_lines_are_read_in_three_seconds(tmp_path: Path) -> None:
    texts = [row["text"] for row in wordings()]
    rows = [f'{n},,"{texts[n % len(texts)].replace(chr(34), "")} {n}",1,100,100' for n in range(300)]
    quote(tmp_path, rows[:3], "Prices in USD")  # the names of the catalog are put in order once
    start = time.process_time()
    assert len(quote(tmp_path, rows, "Prices in USD").lines) == 300
    assert time.process_time() - start < 3
