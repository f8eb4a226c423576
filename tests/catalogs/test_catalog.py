"""The shipped catalog's integrity, and what a faulty catalog is told."""

from __future__ import annotations

import csv
import io
import shutil
from pathlib import Path
from typing import get_args

import pytest

from catalogs.errors import InputError
from catalogs.load import SHIPPED, Catalog, load
from catalogs.schema import Gpu, GpuBoard, Kind, MarketCode, Platform
from constraints.rules.precision import support

NO_ENGINE = {"Apple M3", "Xe2"}
"""Generations without precision data yet: `solve` never offers them."""


def test_every_part_and_offer_says_where_it_was_read(shipped: Catalog) -> None:
    assert not [p.id for p in shipped.parts.values() if not p.source.strip()]
    offers = [o for group in shipped.offers.values() for o in group]
    assert not [o.id for o in offers if not (o.source.strip() and o.seller.strip())]
    assert len(shipped.parts) > 400


def test_all_kinds_are_there(shipped: Catalog) -> None:
    assert {p.kind for p in shipped.parts.values()} == set(Kind)


def test_estimates_say_how_they_were_derived(shipped: Catalog) -> None:
    silent = [
        o.id
        for group in shipped.offers.values()
        for o in group
        if o.confidence == "estimate" and not (o.notes or o.source)
    ]
    assert not silent


def test_surge_and_contract_prices_price_nothing(shipped: Catalog) -> None:
    words = [o for group in shipped.offers.values() for o in group if "PRE-SURGE" in o.notes or "CONTRACT" in o.notes]
    assert not words


def test_references_and_figures(shipped: Catalog) -> None:
    for part in shipped.parts.values():
        if isinstance(part, Gpu):
            assert support(part.arch) or part.arch in NO_ENGINE, f"{part.id}: no precision data for {part.arch}"
            assert part.vram_gb <= 600
        if isinstance(part, GpuBoard):
            gpu = shipped.parts[part.gpu]
            assert isinstance(gpu, Gpu) and gpu.form_factor == part.form_factor, part.id
        if isinstance(part, Platform) and part.kind == Kind.PLATFORM:
            # Of chassis that nobody offers, which `check` alone sees, the supplies may be unknown.
            known = part.psu_redundancy and part.psu_forms
            assert known or part.id not in shipped.offers, part.id


def overlay(folder: Path, name: str, text: str | bytes) -> Path:
    folder.mkdir(exist_ok=True)
    target = folder / name
    target.write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def faults(*folders: Path, base: Path = SHIPPED) -> list[str]:
    with pytest.raises(InputError) as caught:
        load(folders, base=base)
    return [str(f) for f in caught.value.faults]


OFFERS = "id,part,price,currency,date,condition,confidence,seller,source\n"
GOOD = "x1,nvidia-l40s-48gb,9000,USD,2026-11-01,new,list,shop,web\n"


def test_all_faults_at_once_with_place_value_and_remedy(tmp_path: Path) -> None:
    rows = [
        "a,nvidia-l40s-48gb,0,USD,2026-11-01,new,list,shop,web",
        "b,nvidia-l40s-48gb,-1,USD,2026-11-01,new,list,shop,web",
        "c,nvidia-l40s-48gb,nan,USD,2026-11-01,new,list,shop,web",
        "d,nvidia-l40s-48gb,9000,XYZ,2026-11-01,new,list,shop,web",
        "e,nvidia-l40s-48gb,9000,USD,2026-13-01,new,list,shop,web",
        "f,nvidia-l40s-48gb,9000,USD,2026-11-01,mint,list,shop,web",
        "g,nvidia-l40x-48gb,9000,USD,2026-11-01,new,list,shop,web",
        "h,nvidia-l40s-48gb,1e99,USD,2026-11-01,new,list,shop,web",
        "i,too,short",
    ]
    found = faults(overlay(tmp_path / "c", "offers.csv", OFFERS + "\n".join(rows) + "\n"))
    text = "\n".join(found)
    for row in range(2, 11):
        assert f"row {row}" in text
    for says in ("offers.csv", "price", "'XYZ'", "'mint'", "Nearest id", "3 cells"):
        assert says in text


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("offers.csv", "", "header"),
        ("offers.csv", b"\xff\xfe\x00x", "UTF-8"),
        ("offers.csv", OFFERS + "x1,nvidia\0l40s,1,USD,2026-11-01,new,list,shop,web\n", "binary"),
        ("offers.csv", OFFERS + GOOD + GOOD, "twice"),
        ("offers.csv", OFFERS.replace("price", "prize") + GOOD, "Nearest column: price"),
        ("offer.csv", OFFERS + GOOD, "Nearest name: offers.csv"),
        (
            "gpus.csv",
            "id,name,source,arch,form_factor,cooling,sold_as,vram_gb,tdp_w\nx,X,web,Ada,PCIe,passive,single,48,5\n",
            "tdp_w",
        ),
        (
            "gpus.csv",
            "id,name,source,arch,form_factor,cooling,sold_as,vram_gb\nx,X,web,Ada,PCIE9,passive,single,48\n",
            "form_factor",
        ),
        (
            "gpus.csv",
            "id,name,source,arch,form_factor,cooling,sold_as,vram_gb\nÜ,X,web,Ada,PCIe,passive,single,-4\n",
            "vram_gb",
        ),
    ],
)
def test_a_faulty_file_is_explained(tmp_path: Path, name: str, content: str | bytes, says: str) -> None:
    assert says in "\n".join(faults(overlay(tmp_path / "c", name, content)))


def shipped_row(file: str, part: str, **changed: str) -> str:
    """A shipped row with other cells, as a file of its own."""
    with (SHIPPED / file).open(encoding="utf-8", newline="") as f:
        rows = csv.DictReader(f)
        row = next(r for r in rows if r["id"] == part) | changed
        out = io.StringIO()
        columns = [*(rows.fieldnames or []), *(c for c in changed if c not in (rows.fieldnames or []))]
        csv.writer(out).writerows([columns, [row[c] for c in columns]])
    return out.getvalue()


@pytest.mark.parametrize(
    ("file", "part", "changed", "says"),
    [
        ("platforms.csv", "supermicro-sys-821ge-tnhr", {"onboard_lan": "2x10:RJ45"}, "2*10:RJ45"),
        ("platforms.csv", "supermicro-sys-821ge-tnhr", {"gpu_slots": "1000000"}, "gpu_slots"),
        ("platforms.csv", "supermicro-sys-821ge-tnhr", {"weight_kg": "inf"}, "weight_kg"),
        ("racks.csv", "apc-netshelter-sx-ar3100-42u-600x1070", {"rack_units": "1000000000000000"}, "rack_units"),
        ("gpus.csv", "nvidia-l40s-48gb", {"country": "china"}, "ISO 3166"),
        ("gpus.csv", "nvidia-l40s-48gb", {"markets": "US|china"}, "blank where it is sold everywhere"),
        ("gpus.csv", "nvidia-l40s-48gb", {"markets": "US|CN|US"}, "each once"),
        ("gpus.csv", "nvidia-l40s-48gb", {"markets": "US|!US"}, "each once"),
        ("gpus.csv", "nvidia-l40s-48gb", {"markets": "US|!CN"}, "all with !"),
        ("switches.csv", "nvidia-qm9700", {"weight_kg": "nan"}, "weight_kg"),
        ("links.csv", "power-cord-c19-c20-2-m", {"power_w": "-500"}, "power_w"),
        ("gpu_boards.csv", "nvidia-hgx-h200-8-gpu-baseboard", {"gpu": "nvidia-hgx-h200-8-gpu-baseboard"}, "wrong-kind"),
        ("systems.csv", "nvidia-dgx-h200", {"contents": "1*nvidia-dgx-h200"}, "wrong-kind"),
        ("systems.csv", "nvidia-dgx-h200", {"contents": "1*nvidia-dgx-h100"}, "no other system"),
    ],
)
def test_figures_that_no_part_has(tmp_path: Path, file: str, part: str, changed: dict[str, str], says: str) -> None:
    """Each would crash or hang what reads it later, or hide from a filter."""
    assert says in "\n".join(faults(overlay(tmp_path / "c", file, shipped_row(file, part, **changed))))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (OFFERS.replace(",", ";") + GOOD.replace(",", ";"), "separated by ';'"),
        (OFFERS.replace(",", "\t") + GOOD.replace(",", "\t"), "separated by tabs"),
        (OFFERS.replace("part,", "part,price,") + GOOD.replace("9000", "9000,1"), "doubled-column"),
        (OFFERS.replace("source", "source,breaks") + GOOD.replace("web", "web,10:nan"), "10:95.00|100:90.00"),
        (OFFERS + GOOD.replace("2026-11-01", "20261101"), "YYYY-MM-DD"),
        (OFFERS + GOOD.replace("2026-11-01", "46350"), "For example 2026-11-24"),
        (OFFERS + GOOD.replace("9000", "$9000"), "no currency and no thousands"),
    ],
)
def test_cells_as_spreadsheets_write_them(tmp_path: Path, text: str, says: str) -> None:
    assert says in "\n".join(faults(overlay(tmp_path / "c", "offers.csv", text)))


def test_lines_end_at_line_ends_alone(tmp_path: Path) -> None:
    """A blank line first, and the line separator of Unicode within a cell."""
    text = "\n" + OFFERS + GOOD.replace("shop", "a\u2028shop")
    assert load([overlay(tmp_path / "c", "offers.csv", text)]).offers["nvidia-l40s-48gb"][-1].seller == "a\u2028shop"


def test_an_empty_and_a_missing_folder(tmp_path: Path) -> None:
    assert "no CSV" in faults(tmp_path)[0]
    assert "does not exist" in faults(tmp_path / "no")[0]


def test_overlay_adds_and_replaces(tmp_path: Path) -> None:
    offers = OFFERS + GOOD.replace("x1", "nvidia-l40s-48gb--1")
    found = load([overlay(tmp_path / "c", "offers.csv", offers)])
    assert found.replaced == ("nvidia-l40s-48gb--1",)
    assert found.offers["nvidia-l40s-48gb"][0].price == 9000
    assert found.sha256 != load().sha256


def test_a_catalog_of_one_s_own(tmp_path: Path) -> None:
    base = tmp_path / "base"
    shutil.copytree(SHIPPED, base)
    assert load(base=base).sha256 == load().sha256
    with (base / "gpus.csv").open(encoding="utf-8") as f:
        assert len(list(csv.DictReader(f))) > 50


@pytest.mark.parametrize(
    ("cell", "there"),
    [
        ("", ("US", "EU", "UK", "CN", "JP")),
        ("CN", ("CN",)),
        ("EU|UK", ("EU", "UK")),
        ("!CN", ("US", "EU", "UK", "JP")),
        ("!CN|!JP", ("US", "EU", "UK")),
    ],
)
def test_where_a_part_is_sold(tmp_path: Path, cell: str, there: tuple[str, ...]) -> None:
    folder = overlay(tmp_path / "c", "gpus.csv", shipped_row("gpus.csv", "nvidia-l40s-48gb", markets=cell))
    part = load([folder]).parts["nvidia-l40s-48gb"]
    assert tuple(code for code in get_args(MarketCode) if part.sold_in(code)) == there
