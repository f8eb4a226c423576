"""Every vendor file of examples/procurement against what a person reads in it; `python -m
tests.procurement.test_reader_samples` writes the expectations anew, to be read before they are committed."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from catalogs.load import Catalog, load
from constraints.build import Build, build_of
from constraints.policy import Policy
from constraints.request import Request
from optimizer.market.market import Market
from optimizer.procurement.reading.build import to_build
from optimizer.procurement.reading.document import Quote
from optimizer.procurement.reading.mapping import Mapping, mapping_toml, read_mapping, write_mapping
from optimizer.procurement.reading.reader import read
from optimizer.procurement.reading.review import COLUMNS, review_rows, suggestions, write_review
from optimizer.search.judging import check
from optimizer.throughput.calibration import shipped
from tests.support.long import one_in

FOLDER = Path("examples/procurement")
FILES = sorted(p for p in FOLDER.iterdir() if p.suffix in (".csv", ".tsv", ".xlsx", ".xls", ".ods", ".xlsb"))


@cache
def catalog() -> Catalog:
    return load()


@cache
def quote(path: Path) -> Quote:
    return read(path, catalog())


def summary(q: Quote) -> dict[str, Any]:
    """What decides: basis, lines with match and amounts, sums, every issue and notice by code."""
    return {
        "vendor": q.vendor,
        "quote_no": q.quote_no,
        "quote_date": str(q.quote_date or ""),
        "valid_until": str(q.valid_until or ""),
        "sheet": q.sheet,
        "currency": q.currency,
        "tax": q.tax,
        "tax_rate": str(q.tax_rate or ""),
        "lines": [
            {
                "row": x.row,
                "role": x.role,
                "how": x.matched.how,
                "part": x.matched.part or "",
                "pieces": x.pieces,
                "unit_price": str(x.unit_price or ""),
                "amount": str(x.amount if x.amount is not None else ""),
                **({"optional": True} if x.optional else {}),
                **({"included": True} if x.included else {}),
                **({"issues": [i.code for i in x.issues]} if x.issues else {}),
            }
            for x in q.lines
        ],
        "totals": [[t.row, t.kind, str(t.amount)] for t in q.totals],
        "ignored": [[i.row, i.reason] for i in q.ignored],
        "issues": [[i.code, i.row, str(i.stated or ""), str(i.computed or "")] for i in q.issues],
        "notices": [n.code for n in q.notices],
    }


def expected_path(path: Path) -> Path:
    return FOLDER / "expected" / f"{path.name}.json"


@pytest.mark.parametrize("path", one_in(3, FILES), ids=lambda p: p.name)
def test_sample(path: Path) -> None:
    assert summary(quote(path)) == json.loads(expected_path(path).read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", one_in(3, FILES), ids=lambda p: p.name)
def test_a_mapping_replays_to_the_same_quote(path: Path, tmp_path: Path) -> None:
    first = quote(path)
    write_mapping(tmp_path / "map.toml", first.mapping, suggestions(first))
    again = read(path, catalog(), mapping=read_mapping(tmp_path / "map.toml"))
    left_out = {"notices", "mapping", "vendor"}
    assert again.model_dump(exclude=left_out) == first.model_dump(exclude=left_out)
    assert again.mapping == first.mapping


@pytest.mark.parametrize("path", sorted((FOLDER / "maps").glob("*.toml")), ids=lambda p: p.name)
def test_edited_mappings_settle_every_line(path: Path) -> None:
    source = FOLDER / path.name.removesuffix(".toml")
    before, after = quote(source), read(source, catalog(), mapping=read_mapping(path))
    assert before.open_lines
    assert [x.text for x in after.open_lines] == []
    assert {x.row for x in after.lines} <= {x.row for x in before.lines}


def test_the_same_file_in_two_formats_reads_the_same() -> None:
    for name, other in (
        ("ugly-jingda.xlsx", "ugly-jingda.xls"),
        ("nordlicht-workstation.xlsx", "nordlicht-workstation.ods"),
    ):
        assert quote(FOLDER / name).lines == quote(FOLDER / other).lines
        assert quote(FOLDER / name).totals == quote(FOLDER / other).totals


def test_the_three_frauds_are_found() -> None:
    q = quote(FOLDER / "frauds-veridian.xlsx")
    found = {i.code: i for i in q.all_issues if i.severity == "error"}
    assert set(found) == {"sum-arithmetic", "part-conflict", "tax-counted-twice"}
    assert found["sum-arithmetic"].stated - found["sum-arithmetic"].computed == 9000  # type: ignore[operator]
    honest = [p for p in FILES if "frauds" not in p.name and "ugly" not in p.name]
    assert [i for p in honest for i in quote(p).all_issues if i.severity == "error"] == []


def test_the_script_makes_these_bytes(tmp_path: Path) -> None:
    subprocess.run([sys.executable, str(FOLDER / "make.py"), str(tmp_path)], check=True, timeout=120)
    made = sorted(tmp_path.iterdir())
    assert len(made) >= 12
    for p in made:
        assert p.read_bytes() == (FOLDER / p.name).read_bytes(), p.name


def test_fuzzy_is_a_suggestion_until_accepted(tmp_path: Path) -> None:
    path = FOLDER / "ugly-jingda.xls"
    line = next(x for x in quote(path).lines if x.row == 9)
    assert line.matched.part is None and line.matched.candidates[0] == "samsung-m321r4ga3eb0-cwm"
    accepted = next(x for x in read(path, catalog(), accept_fuzzy=True).lines if x.row == 9)
    assert (accepted.matched.how, accepted.matched.part) == ("fuzzy", "samsung-m321r4ga3eb0-cwm")
    assert write_review(tmp_path / "review.csv", [quote(path)]) == 2
    rows = review_rows([quote(path)])
    assert rows[0][COLUMNS.index("suggestion")] == "samsung-m321r4ga3eb0-cwm"
    assert '# "三星 M321R4GA3EB0-CWN 内存 32G" = "samsung-m321r4ga3eb0-cwm"' in mapping_toml(
        Mapping(), suggestions(quote(path))
    )


def test_the_guides_professional_build_as_a_quote_x_rayed() -> None:
    placed = to_build(quote(FOLDER / "guide-professional.xlsx"), catalog())
    written = tomllib.loads(Path("examples/guide-professional.toml").read_text(encoding="utf-8"))
    assert placed.build == build_of(catalog(), written["nodes"], written["parts"], {})
    assert not placed.unplaced and not placed.left_over
    conditions = frozenset({"new", "refurbished", "used"})
    request = Request(
        grade="floor",
        model=written["model"],
        as_of="2026-11-24",
        budget_cents=None,
        users=1,
        conditions=conditions,
        have=frozenset(written["have"]),
    )  # type: ignore[arg-type]
    _, checks = check(Market.open(catalog(), request, Policy(), shipped()), placed.build)
    assert {x.rule for x in checks if x.status == "fail"} >= set(written["expect"]["fails"])


def test_a_cluster_of_systems_and_what_nodes_share() -> None:
    placed = to_build(quote(FOLDER / "meridian-dgx.csv"), catalog())
    shared = {
        "nvidia-qm9700": 1,
        "nvidia-sn2201": 1,
        "apc-netshelter-sx-ar3300-42u-600x1200": 1,
        "mma4z00-ns-2x400g-osfp-finned-sr8": 8,
        "mma4z00-ns400-400g-osfp-flat-top-sr4": 16,
    }
    assert placed.build == Build(2, {"nvidia-dgx-h100": 1}, shared)
    assert [n.code for n in placed.notices] == ["in-the-system"]


def table() -> str:
    """What becomes of the lines of each file, as examples/procurement/README.md shows it."""
    rows = ["| file | lines | parts | services | in review |", "|---|---:|---:|---:|---:|"]
    for p in FILES:
        q = quote(p)
        parts = sum(x.matched.part is not None and x.settled for x in q.lines)
        services = sum(x.role == "service" and x.settled for x in q.lines)
        rows.append(f"| `{p.name}` | {len(q.lines)} | {parts} | {services} | {len(q.open_lines)} |")
        assert parts + services + len(q.open_lines) == len(q.lines)
    return "\n".join(rows) + "\n"


def test_the_table_of_lines_is_that_of_today() -> None:
    assert table() in (FOLDER / "README.md").read_text(encoding="utf-8")


if __name__ == "__main__":
    print(table())
    for p in FILES:
        text = json.dumps(summary(quote(p)), ensure_ascii=False, indent=1)
        expected_path(p).write_text(text + "\n", encoding="utf-8")
