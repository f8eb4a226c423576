"""Lines that say what a part is, not which: matched to the generic part or the cheapest of those that are alike."""

from __future__ import annotations

import csv
import time
from functools import cache
from pathlib import Path

import pytest

from optimizer.procurement.reading.document import Line, Quote
from optimizer.procurement.reading.mapping import Mapping
from optimizer.procurement.reading.reader import read
from tests.procurement.test_reader_habits import USD, catalog, compared, quote, seen

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


CELLS = Path("tests/data/server_cells.csv")
"""Servers in one cell: the chassis where one is named, the parts with their numbers, and what stays open."""


def cells() -> list[dict[str, str]]:
    with CELLS.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("cell", cells(), ids=lambda cell: cell["text"][:30])
def test_a_server_in_one_cell_is_split_into_its_parts(cell: dict[str, str], tmp_path: Path) -> None:
    text = cell["text"]
    q = quote(tmp_path, [f'1,,"{text}",2,300000,600000', "2,,3 year warranty,2,1,2"], USD)
    head, *inside = [line for line in q.lines if line.role == "part"]
    assert (head.matched.part or "", head.pieces, head.line_total) == (cell["chassis"], 2, 600000)
    assert all(line.included and line.row == head.row and line.amount == 0 for line in inside)
    known = {f"{(line.pieces or 0) // 2}*{line.matched.part}" for line in inside if line.matched.part}
    assert known == set(cell["parts"].split("|"))
    left = [line for line in inside if line.matched.part is None]
    said = [
        f"{x.name} {x.memory_gb // 2} GB" if x.memory_gb else f"{x.name} {(x.pieces or 0) // 2}" for x in left
    ]  # fmt: skip
    assert said == [x for x in cell["open"].split("|") if x]


@pytest.mark.parametrize(
    "text",
    ["Intel Xeon Gold 6530, 2.1G, 32C/64T, 22.5GT/s", "64GB RDIMM, 5600MT/s, Dual Rank", "NVIDIA L40S 48GB PCIe, 2x",
     "SYS-821GE-TNHR, 8U, 2 sockets, 32x DIMM slots, 16x NVMe bays", "3.84TB NVMe SSD + tray, 2x", "DGX H200"],
)  # fmt: skip
def test_a_part_with_many_figures_is_no_server(text: str, tmp_path: Path) -> None:
    assert not [line for line in offer(tmp_path, text).lines if line.item]


def test_a_server_in_one_cell_is_x_rayed(tmp_path: Path) -> None:
    text = cells()[8]["text"]
    found = seen(quote(tmp_path, [f'1,,"{text}",1,330000,330000', "2,,3 year warranty,1,9000,9000"], USD))
    assert found.build is not None and {(x.part, x.qty) for x in found.build.node} >= {
        ("intel-xeon-platinum-8592-plus", 2), ("generic-ddr5-5600-rdimm-64gb", 32),
        ("nvidia-hgx-h200-8-gpu-baseboard", 1),
    }  # fmt: skip
    assert found.memory is not None and found.memory.modules == 32
    assert found.totals.hardware == "330000.00" and not found.not_judged
    assert {x.rule for x in found.checks if x.status == "fail"} <= {"power"}


def test_a_server_without_its_chassis_is_judged_as_far_as_that_matters_not(tmp_path: Path) -> None:
    found = seen(quote(tmp_path, [f'1,,"{cells()[1]["text"]}",1,330000,330000'], USD))
    assert {x.rule for x in found.not_judged} >= {"fit", "power", "host_memory", "cooling", "rack", "lanes"}
    assert all(x.where.startswith("row") for x in found.not_judged)
    assert {x.rule for x in found.checks if x.status == "fail"} == {"vram"}  # eight H100 do not hold the model
    assert found.memory is None and all(x.reminder for x in found.missing)


def test_a_mapping_names_the_chassis_of_a_server_in_one_cell(tmp_path: Path) -> None:
    text = cells()[1]["text"]
    path = tmp_path / "q.csv"
    path.write_text(f'{USD}\nItem,Description,Qty,Unit Price,Total\n1,"{text}",1,330000,330000\n', encoding="utf-8")
    lines = read(path, catalog(), mapping=Mapping(parts={text: "dell-poweredge-xe9680"})).lines
    assert lines[0].matched.part == "dell-poweredge-xe9680" and len(lines) == 6


def test_two_offers_of_one_scope_cost_the_same_in_one_cell_and_in_lines(tmp_path: Path) -> None:
    text = "SYS-821GE-TNHR, 2x Xeon Platinum 8592+, 32x 64GB DDR5-5600 RDIMM, HGX H200 8-GPU, 4x PM9A3 3.84TB"
    text += ", 1x X550-T2 10G 2-port"
    one_cell = quote(tmp_path, [f'1,,"{text}",1,300000,300000'], USD, name="one.csv")
    rows = ["1,,SYS-821GE-TNHR,1,20000,20000", "2,,Xeon Platinum 8592+,2,7000,14000",
            "3,,64GB DDR5-5600 RDIMM,32,1250,40000", "4,,HGX H200 8-GPU,1,222000,222000",
            "5,,PM9A3 3.84TB,4,750,3000", "6,,X550-T2 10G 2-port,1,1000,1000"]  # fmt: skip
    found = compared(one_cell, quote(tmp_path, rows, USD, name="lines.csv"))
    assert [bid.equal_net for bid in found.bids] == [300000, 300000]
    assert [bid.filled_net for bid in found.bids] == [0, 0]


def test_a_server_in_a_chassis_that_the_catalog_lacks_stands_in_no_other(tmp_path: Path) -> None:
    text = "Dell PowerEdge R999, 2x Xeon Platinum 8592+, 32x 64GB DDR5-5600 RDIMM, 8x L40S 48GB, 4x 3.84TB NVMe"
    q = quote(tmp_path, [f'1,,"{text}",1,300000,300000', "2,,3 year warranty,1,1,1"], USD)
    assert q.lines[0].matched.part is None and not q.lines[0].matched.candidates
    assert seen(q).build is None
