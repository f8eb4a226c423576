"""Gear that no bid offers stands on the buyer's site, for every bid alike."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from catalogs.load import Catalog, load
from constraints.request import Request
from optimizer.library import compare
from optimizer.procurement.bids.on_site import SENTENCES, with_gear_on_site
from optimizer.procurement.bids.scope import Scope
from optimizer.procurement.reading.document import Quote
from optimizer.procurement.reading.reader import read

ASKED = Request(model="r1-distill-qwen-7b", users=4, as_of=date(2026, 11, 24))


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load()


def bid(catalog: Catalog, folder: Path, name: str, rows: list[str]) -> Quote:
    """A quote of rows `part number,description,quantity,unit price` in net dollars."""
    path = folder / f"{name}.csv"
    path.write_text("\n".join(["Currency: USD", "Part Number,Description,Qty,Unit price excl. VAT", *rows]) + "\n")
    return read(path, catalog)


def gear(catalog: Catalog, folder: Path, rows: list[list[str]], demanded: str = "", **asked: object) -> set[str]:
    bids = [bid(catalog, folder, f"bid{place}", [CHASSIS, *extra]) for place, extra in enumerate(rows)]
    scope = Scope(demanded=frozenset(filter(None, demanded.split(","))))
    return set(with_gear_on_site(ASKED.model_copy(update=asked), bids, catalog, scope).have)


CHASSIS = ",PowerEdge XE9680,1,54600"
RACK = ",NetShelter SX AR3100 42U 600x1070,1,1900"
PDU = ",AP8867 metered 17.3 kW 208V 60A 3ph,2,1900"
SWITCH = ",NVIDIA SN2201,1,4200"
RACK_IN_WORDS = ",Serverschrank 42 HE eigener Fertigung,1,2200"


def test_what_nobody_offers_is_there_for_all(catalog: Catalog, tmp_path: Path) -> None:
    assert gear(catalog, tmp_path, [[], []]) == {"racks", "network"}


@pytest.mark.parametrize("line", [RACK, PDU, RACK_IN_WORDS])
def test_racks_that_one_bid_offers_are_asked_of_all(catalog: Catalog, tmp_path: Path, line: str) -> None:
    assert gear(catalog, tmp_path, [[line], []]) == {"network"}


def test_a_switch_that_one_bid_offers_is_asked_of_all(catalog: Catalog, tmp_path: Path) -> None:
    assert gear(catalog, tmp_path, [[], [SWITCH]]) == {"racks"}


@pytest.mark.parametrize(
    ("demanded", "there"), [("rack", {"network"}), ("pdu,switch", set()), ("nic", {"racks", "network"})]
)
def test_what_the_buyer_demands_is_not_taken_to_be_there(
    catalog: Catalog, tmp_path: Path, demanded: str, there: set[str]
) -> None:
    assert gear(catalog, tmp_path, [[], []], demanded) == there


def test_what_the_buyer_has_stays(catalog: Catalog, tmp_path: Path) -> None:
    assert gear(catalog, tmp_path, [[RACK], [SWITCH]], have=frozenset({"racks"})) == {"racks"}


def test_the_comparison_says_what_it_took_to_be_there(catalog: Catalog) -> None:
    """No rule fails for want of racks, of which the tender's bids have none; with racks demanded one does."""
    files = [Path("examples/procurement/tender") / name for name in ("alder.xlsx", "baiyun.xlsx")]
    bids = [read(path, catalog) for path in files]
    asked = Request(model="v3-671b", users=32, as_of=date(2026, 11, 24))
    found = compare(bids, asked, catalog=catalog, time_limit_s=0.001)
    assert SENTENCES["racks"] in found.notes and SENTENCES["network"] not in found.notes
    assert found.bids[0].rank == 1 and found.bids[0].offered_net == found.bids[0].equal_net
    demanding = compare(bids, asked, catalog=catalog, time_limit_s=0.001, demand="rack")
    assert SENTENCES["racks"] not in demanding.notes and demanding.bids[0].rank is None
