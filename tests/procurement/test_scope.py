"""What counts in the totals of bids is the buyer's to say: no wording of one bid makes another dearer."""

from __future__ import annotations

import hashlib
import io
from decimal import Decimal
from pathlib import Path
from statistics import median
from typing import Any

import openpyxl
import pytest

from catalogs.errors import InputError
from catalogs.load import Catalog, load
from optimizer.procurement.bids.files import sources_of
from optimizer.procurement.bids.schema import Comparison
from optimizer.procurement.bids.scope import scope_of, setting
from optimizer.procurement.bids.workbook import workbook
from optimizer.procurement.reading.reader import read
from optimizer.text.languages import Words
from tests.procurement.test_bids_apart import NODE, codes, offer, quick, total

SUPPORT = ("SVC-1", "3 years on-site support", 1, 30000)
TRAINING = ("SVC-3", "Training of staff", 1, 4000)
NVIDIA = ("SVC-5", "NVIDIA AI Enterprise licence, 3 years", 8, 3000)


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load()


def compared(catalog: Catalog, folder: Path, *bids: Any, **scope: str) -> Comparison:
    """Bids of the node and further lines each, in dollars."""
    paths = [offer(folder / f"{place}.csv", (*NODE, *more)) for place, more in enumerate(bids)]
    return quick([read(path, catalog) for path in paths], catalog, **scope)


def equal(found: Comparison) -> list[Decimal | None]:
    return [bid.equal_net for bid in found.bids]


def test_what_one_bid_alone_offers_is_taken_out_and_shown(catalog: Catalog, tmp_path: Path) -> None:
    found = compared(catalog, tmp_path, (SUPPORT, TRAINING), (SUPPORT,))
    assert equal(found) == [total() + 30000] * 2
    assert [bid.outside_net for bid in found.bids] == [4000, 0]
    assert [bid.offered_net for bid in found.bids] == [total() + 34000, total() + 30000]
    assert "outside-scope" in codes(found.bids[0])
    assert {item.role: item.in_scope for item in found.items if item.role in ("warranty", "training")} == {
        "warranty": "all", "training": "outside",
    }  # fmt: skip


def test_a_demanded_item_that_is_missing_has_no_price_until_it_is_asked(catalog: Catalog, tmp_path: Path) -> None:
    bids = (
        (SUPPORT, TRAINING),
        (SUPPORT,),
        (("SVC-1", "3 years on-site support", 1, 31000), ("T", "Training", 1, 6000)),
    )
    found = compared(catalog, tmp_path, *bids, demand="training")
    assert equal(found) == [total() + 34000, None, total() + 37000]
    assert (found.bids[1].responsive, found.bids[1].rank, found.bids[1].points) == (False, None, ())
    assert "not-filled" in codes(found.bids[1])
    for fill, price in (("max", 6000), ("median", median([4000, 6000]))):
        filled = compared(catalog, tmp_path, *bids, demand="training", fill=fill)
        assert filled.bids[1].equal_net == total() + 30000 + Decimal(price), fill
        assert filled.bids[1].rank is not None
    one_price = compared(catalog, tmp_path, *bids[:2], demand="training", fill="median")
    assert next(x for x in one_price.items if x.role == "training").cells[1].fill == "other"
    assert equal(one_price) == [total() + 34000] * 2
    assert equal(compared(catalog, tmp_path, *bids, demand="training", fill="catalog"))[1] is None  # it has no price


def test_an_item_and_a_line_are_dropped(catalog: Catalog, tmp_path: Path) -> None:
    odd = ("ZZ-1", "Custom paint job", 1, 300)
    plain = compared(catalog, tmp_path, (SUPPORT, odd), (SUPPORT,))
    assert equal(plain) == [total() + 30300, total() + 30000]  # what nobody could place counts in its own bid alone
    assert "counts-unplaced" in codes(plain.bids[0]) and plain.bids[1].filled_net == 0
    number = next(item.number for item in plain.items if item.role == "other")
    row = next(line.row for line in plain.bids[0].lines if line.role == "other")
    for drop in (str(number), "other", f"A:{row}"):
        assert equal(compared(catalog, tmp_path, (SUPPORT, odd), (SUPPORT,), drop=drop)) == [total() + 30000] * 2
    without = compared(catalog, tmp_path, (SUPPORT, odd), (), drop="warranty,other")
    assert equal(without) == [total()] * 2


def test_a_licence_for_other_gpus_is_not_added(catalog: Catalog, tmp_path: Path) -> None:
    huawei = ("SVC-5", "华为昇腾 MindSpore 软件许可 3年", 8, 500)
    found = compared(catalog, tmp_path, (NVIDIA,), (huawei, NVIDIA), demand="licence", fill="max")
    assert [item.title for item in found.items if item.role == "licence" and "NVIDIA" in item.title]
    assert equal(found) == [total() + 24000, total() + 28000]
    assert "not-for-its-gpus" in codes(found.bids[0])


def test_a_line_of_services_that_names_none_leaves_the_scope_open(catalog: Catalog, tmp_path: Path) -> None:
    package = ("SVC-9", "Professional services package", 1, 20000)
    found = compared(catalog, tmp_path, (SUPPORT, TRAINING), (package,))
    assert found.bids[1].equal_net is None and not found.bids[1].responsive
    rows = [flag for flag in found.bids[1].flags if flag.code == "scope-open"]
    assert rows and all("row 9" in flag.values["where"] for flag in rows)


def test_no_median_of_two(catalog: Catalog, tmp_path: Path) -> None:
    dear = tuple((*x[:3], 2 * x[3]) if x[0].startswith("PM9A3") else x for x in NODE)
    files = [offer(tmp_path / "a.csv", NODE), offer(tmp_path / "b.csv", dear)]
    two = quick([read(path, catalog) for path in files], catalog)
    assert all(item.median_unit is None and item.median_net is None for item in two.items)
    assert not any(cell.outlier for item in two.items for cell in item.cells)
    assert two.bids[1].negotiable_net == 4 * 760  # the lower price stands all the same
    three = quick([read(path, catalog) for path in (*files, files[0])], catalog)
    assert [cell.outlier for cell in next(x for x in three.items if x.role == "drive").cells] == [False, True, False]


@pytest.mark.parametrize(
    ("options", "option"),
    [
        ({"fill": "mean"}, "--fill"), ({"demanded": "lunch"}, "--demand"), ({"dropped": "lunch"}, "--drop"),
        ({"demanded": "freight", "dropped": "freight"}, "--drop"), ({"demanded": "B:12"}, "--demand"),
    ],
)  # fmt: skip
def test_what_is_no_scope_is_refused(options: dict[str, str], option: str) -> None:
    with pytest.raises(InputError) as refused:
        scope_of(**options)
    assert (refused.value.faults[0].code, refused.value.faults[0].column) == ("bad-scope", option)


@pytest.mark.parametrize("drop", ["99", "A:99", "A:3"])
def test_what_no_bid_has_is_refused(drop: str, catalog: Catalog, tmp_path: Path) -> None:
    with pytest.raises(InputError) as refused:
        compared(catalog, tmp_path, (), (), drop=drop)
    assert refused.value.faults[0].code == "bad-scope"


def test_who_sets_the_scope() -> None:
    assert setting([False, False, True], [False] * 3) == [True, True, False]
    assert setting([True, True], [False, True]) == [True, False]


def test_provenance_names_files_hashes_and_maps(catalog: Catalog, tmp_path: Path) -> None:
    files = [offer(tmp_path / "a.csv"), offer(tmp_path / "b.csv", unknown=True)]
    by_hand = tmp_path / "b.toml"
    by_hand.write_text("[parts]\n", encoding="utf-8")
    found = sources_of(files, ["b=" + str(by_hand)])
    assert [one.sha256 for one in found] == [hashlib.sha256(path.read_bytes()).hexdigest() for path in files]
    assert (found[0].map_file, found[1].map_file) == ("", str(by_hand)) and found[1].map_date is not None
    compared_ = quick([read(path, catalog) for path in files], catalog, sources=found)
    assert compared_.sources == found and sum(compared_.bids[0].matched.values()) == len(NODE)
    book = openpyxl.load_workbook(io.BytesIO(workbook(compared_, Words("zh"))))
    said = {str(cell.value) for row in book["数据来源"].iter_rows() for cell in row}
    assert {f"sha256 {one.sha256}" for one in found} <= said
    assert len(book["技术对比"]._charts) == 1
