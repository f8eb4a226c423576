"""Price lists become a catalog: the 300-row list against its manifest, round trips, hostile lists, preferred offers."""

from __future__ import annotations

import csv
import random
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from catalogs.errors import InputError
from catalogs.load import Catalog, load
from catalogs.offers import Bundle, Offer
from constraints.policy import Policy
from constraints.prices.price_book import price_book
from constraints.request import Request
from optimizer.library import export_offers, import_prices, price_history, solve, stale_offers
from optimizer.procurement.importing.prefill import figures_of, table_of
from optimizer.procurement.importing.schema import Import
from optimizer.procurement.importing.words import condition_of, count_of, steps_in, stock_of

DATA = Path(__file__).parents[1] / "data" / "pricelist"
LIST, MANIFEST = DATA / "pricelist_300.xlsx", DATA / "manifest.csv"
DAY = date(2026, 11, 24)
HEADER = ("SKU", "Description", "Price USD net", "Stock", "MOQ")
EPYC, DRIVE = "amd-epyc-9654", "samsung-pm1743-7.68tb"


def imported(path: Path, folder: Path, **options: Any) -> Import:
    return import_prices(path, folder, **{"seller": "Distri", "day": DAY, **options}).found


def written(path: Path, rows: Sequence[Sequence[object]], header: Sequence[str] = HEADER) -> Path:
    """A workbook, or a CSV, with this header and these rows."""
    if path.suffix == ".csv":
        path.write_text("\n".join(";".join(map(str, row)) for row in [header, *rows]), encoding="utf-8")
        return path
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in [header, *rows]:
        sheet.append(list(row))
    book.save(path)
    return path


def offers_in(folder: Path) -> dict[str, Offer]:
    return {x.part: x for of in load([folder]).offers.values() for x in of if x.own}


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> tuple[Import, Path]:
    folder = tmp_path_factory.mktemp("lists") / "mine"
    return imported(LIST, folder), folder


def test_the_list_is_taken_as_its_manifest_says(mine: tuple[Import, Path], shipped: Catalog) -> None:
    """Every row of the manifest with a part is an offer of it at its price, to the cent; no row without a part is one,
    but those whose very name the catalog has got since the manifest was written."""
    found, _ = mine
    with MANIFEST.open(encoding="utf-8", newline="") as file:
        truth = {int(row["row"]): row for row in csv.DictReader(file)}
    taken = {x.row: x.offer for x in found.taken}
    assert found.rows == len(truth) == 300
    for row, said in truth.items():
        if said["part"] != "none":
            assert taken[row].part == said["part"] and taken[row].price == Decimal(said["unit_price"]), row
    since = {row for row in taken if truth[row]["part"] == "none"}
    for row in since:
        assert (
            next(x.text for x in found.taken if x.row == row).startswith(
                shipped.parts[taken[row].part].name.split(" (")[0].removesuffix(" 84-core")
            )
            or taken[row].part.split("-")[-1] in next(x.text for x in found.taken if x.row == row).casefold()
        )
        assert taken[row].price == Decimal(truth[row]["unit_price"])
    assert len(since) <= 5
    assert len(taken) + len(found.doubts) + len(found.unknown) + found.outside + found.services == 300


def test_near_misses_are_asked_about(mine: tuple[Import, Path]) -> None:
    found, folder = mine
    texts = {x.text: x for x in found.doubts}
    assert "NVIDIA H100 PCIe 96GB" in texts and "NVIDIA Heatsink bracket for L40S" in texts
    assert (folder / "review" / "review.csv").read_text(encoding="utf-8").count("\n") == len(found.doubts) + 1
    assert not any("Patch cable" in text or "NAS drive" in text for text in texts)
    assert {x.table for x in found.unknown} == {"links"}
    assert texts["Samsung M321R4GA0BB0-CQK 32GB DDR5-4800"].suggestion == "generic-ddr5-4800-rdimm-32gb"


def test_stock_and_least_order_are_the_list_s(mine: tuple[Import, Path]) -> None:
    _, folder = mine
    found = offers_in(folder)
    assert (found["nvidia-qm8700"].stock, found["nvidia-qm8700"].min_qty) == (40, 1)
    assert (found["huawei-atlas-800t-a2"].stock, found["huawei-atlas-800t-a2"].min_qty) == (1, 5)
    assert found["dell-poweredge-xe9680"].stock is None  # `on request` is no number


def test_the_same_list_again_changes_nothing(mine: tuple[Import, Path]) -> None:
    found, folder = mine
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    again = imported(LIST, folder)
    assert {x.kind for x in again.changes} == {"unchanged"} and len(again.changes) == len(found.taken)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    path = written(tmp_path / "list.xlsx", [("1", "AMD EPYC 9654", 3000, 4, 1)])
    assert imported(path, tmp_path / "mine", dry_run=True).taken
    assert not (tmp_path / "mine").exists()


def test_changes_are_told_with_amounts_and_history_is_kept(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    rows = [
        ("1", "AMD EPYC 9654", 3000, 4, 1),
        ("2", "AMD EPYC 9554", 2000, 4, 1),
        ("3", "NVIDIA L40S 48GB", 8000, 4, 1),
    ]
    imported(written(tmp_path / "a.xlsx", rows), folder)
    later = [
        ("1", "AMD EPYC 9654", 3300, 4, 1),
        ("3", "NVIDIA L40S 48GB", 7600, 4, 1),
        ("4", "AMD EPYC 9754", 5000, 1, 1),
    ]
    found = imported(written(tmp_path / "b.xlsx", later), folder, day=date(2026, 12, 24))
    told = {x.part: (x.kind, x.difference, x.percent) for x in found.changes}
    assert told == {
        EPYC: ("dearer", Decimal(300), Decimal("10.0")),
        "amd-epyc-9554": ("gone", None, None),
        "amd-epyc-9754": ("new", None, None),
        "nvidia-l40s-48gb": ("cheaper", Decimal(-400), Decimal("-5.0")),
    }
    past = price_history([folder], EPYC)
    assert [(x.day, x.price, x.file) for x in past] == [
        (DAY, Decimal("3000"), "a.xlsx"),
        (date(2026, 12, 24), Decimal("3300"), "b.xlsx"),
    ]
    assert past[0].sha256 != past[1].sha256 and len(past[0].sha256) == 64
    assert "amd-epyc-9554" not in offers_in(folder) and price_history([folder], "amd-epyc-9554")
    partial = imported(written(tmp_path / "c.xlsx", later[:1]), folder, day=date(2026, 12, 25), partial=True)
    assert {x.kind for x in partial.changes} == {"unchanged"} and "amd-epyc-9754" in offers_in(folder)


def test_an_older_list_is_refused(tmp_path: Path) -> None:
    rows = [("1", "AMD EPYC 9654", 3000, 4, 1)]
    imported(written(tmp_path / "a.xlsx", rows), tmp_path / "mine")
    older = written(tmp_path / "b.xlsx", [("1", "AMD EPYC 9654", 2500, 4, 1)])
    with pytest.raises(InputError, match="older-list"):
        imported(older, tmp_path / "mine", day=date(2026, 10, 1))
    assert imported(older, tmp_path / "mine", day=date(2026, 10, 1), force=True).taken


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_export_is_read_back_to_the_same(mine: tuple[Import, Path], tmp_path: Path, kind: str) -> None:
    _, folder = mine
    exported = tmp_path / f"out.{kind}"
    exported.write_bytes(export_offers(load([folder]), kind))
    import_prices(exported, tmp_path / "again")
    assert (tmp_path / "again" / "offers.csv").read_bytes() == (folder / "offers.csv").read_bytes()


def fill(path: Path, sheet: str, name: str, cells: dict[str, object]) -> None:
    """Writes cells into the row of a part of an unknown.xlsx."""
    book = openpyxl.load_workbook(path)
    header = [cell.value for cell in book[sheet][1]]
    for row in book[sheet].iter_rows(min_row=2):
        if row[header.index("name")].value == name:
            for column, value in cells.items():
                row[header.index(column)].value = value
    book.save(path)


SUPPLY = "Zetapower ZP-1234T power supply 1234W Titanium C20"


def with_unknown(tmp_path: Path) -> Path:
    folder = tmp_path / "mine"
    rows = [("1", "AMD EPYC 9654", 3000, 4, 1), ("M-64", SUPPLY, 900, 12, 1)]
    imported(written(tmp_path / "list.xlsx", rows), folder)
    return folder / "review" / "unknown.xlsx"


def test_a_filled_template_adds_parts_and_their_offers(tmp_path: Path) -> None:
    path = with_unknown(tmp_path)
    fill(
        path, "psus", SUPPLY, {"take": "yes", "source": "data sheet 2026-11-30", "form": "CRPS", "watts_low_line": 1000}
    )
    found = import_prices(path, tmp_path / "mine").found
    catalog = load([tmp_path / "mine"])
    part = catalog.parts[found.parts[0]]
    assert (part.watts, part.efficiency, part.form) == (1234, "Titanium", "CRPS")  # type: ignore[attr-defined]
    assert [(x.price, x.stock, x.own) for x in catalog.offers[part.id]] == [(Decimal("900.00"), 12, True)]
    again = imported(tmp_path / "list.xlsx", tmp_path / "mine", force=True)
    assert part.id in {x.offer.part for x in again.taken} and not again.unknown


def test_each_wrong_cell_of_a_template_is_told(tmp_path: Path) -> None:
    path = with_unknown(tmp_path)
    fill(
        path,
        "psus",
        SUPPLY,
        {"take": "yes", "form": "CRPS", "watts": "many", "watts_low_line": 1000, "offer.price": "-3"},
    )
    before = (tmp_path / "mine" / "offers.csv").read_bytes()
    with pytest.raises(InputError) as wrong:
        import_prices(path, tmp_path / "mine")
    assert {(x.row, x.column) for x in wrong.value.faults} == {(2, "source")}
    fill(path, "psus", SUPPLY, {"source": "data sheet"})
    with pytest.raises(InputError) as wrong:
        import_prices(path, tmp_path / "mine")
    assert [(x.row, x.column, x.value) for x in wrong.value.faults] == [(2, "watts", "many")]
    fill(path, "psus", SUPPLY, {"watts": 1234})
    with pytest.raises(InputError) as wrong:
        import_prices(path, tmp_path / "mine")
    assert [(x.row, x.column, x.value) for x in wrong.value.faults] == [(2, "offer.price", "-3")]
    assert (tmp_path / "mine" / "offers.csv").read_bytes() == before
    fill(path, "psus", SUPPLY, {"take": ""})
    with pytest.raises(InputError, match="no row to take"):
        import_prices(path, tmp_path / "mine")


def test_a_doubt_is_answered_by_the_map(tmp_path: Path) -> None:
    path = written(
        tmp_path / "list.csv",
        [("A-1", "AMD EPYC 9654 heatsink for", "3000,00", 4, 1), ("A-2", "EPYC 9554", "2000,00", 1, 1)],
    )
    found = imported(path, tmp_path / "mine")
    assert [x.row for x in found.doubts] == [2]
    answers = tmp_path / "mine" / "review" / "map.toml"
    text = answers.read_text(encoding="utf-8")
    assert f'# "A-1" = "{EPYC}"' in text
    own = tmp_path / "map.toml"
    own.write_text(text.replace(f'# "A-1" = "{EPYC}"', f'"A-1" = "{EPYC}"'), encoding="utf-8")
    again = imported(path, tmp_path / "mine", mapping=own, force=True)
    assert not again.doubts and {x.offer.part: x.how for x in again.taken}[EPYC] == "mapped"


def test_what_nobody_says_is_asked_for(tmp_path: Path) -> None:
    path = written(tmp_path / "list.csv", [("1", "AMD EPYC 9654", "3000.00")], ("SKU", "Description", "Price"))
    with pytest.raises(InputError) as wrong:
        import_prices(path, tmp_path / "mine")
    assert {x.code for x in wrong.value.faults} == {"no-seller", "no-date", "no-currency", "tax-basis-unknown"}
    found = imported(path, tmp_path / "mine", currency="EUR", tax="19%").taken[0].offer
    assert (found.price, found.currency, found.tax_rate) == (Decimal("3000.00"), "EUR", Decimal("0.19"))
    assert not imported(path, tmp_path / "other", currency="EUR", tax="net").taken[0].offer.tax_rate


def test_hostile_rows_are_no_offers(tmp_path: Path) -> None:
    """A formula without a value, a price below 0, two prices for one part: nothing of it is guessed."""
    rows = [
        ("1", "AMD EPYC 9654", "=1+1", 4, 1), ("2", "AMD EPYC 9554", -5, 4, 1), ("3", "NVIDIA L40S 48GB", 8000, 4, 1),
        ("4", "NVIDIA L40S 48GB", 7000, 4, 1), ("5", "AMD EPYC 9754", 5000, 4, "by the box"),
        ("6", "AMD EPYC 9534", "≥10: 95.00", 4, 1), ("7", '=HYPERLINK("http://x","AMD EPYC 9354")', 10, 1, 1),
    ]  # fmt: skip
    found = imported(written(tmp_path / "list.xlsx", rows), tmp_path / "mine")
    assert [x.offer.part for x in found.taken] == []
    assert {x.row for x in found.doubts} >= {2, 3, 4, 5, 6, 7}
    assert "several prices" in next(x.reason for x in found.doubts if x.row == 4)


def test_two_currencies_keep_their_own(tmp_path: Path) -> None:
    rows = [
        ("1", "AMD EPYC 9654", "3000.00", "EUR"),
        ("2", "AMD EPYC 9554", "2000.00", "USD"),
        ("3", "AMD EPYC 9754", "9.00", "CHF"),
    ]
    path = written(tmp_path / "list.csv", rows, ("SKU", "Description", "Unit price net", "Currency"))
    found = imported(path, tmp_path / "mine")
    assert {x.offer.part: x.offer.currency for x in found.taken} == {EPYC: "EUR", "amd-epyc-9554": "USD"}
    assert [x.row for x in found.doubts] == [4] and "CHF" in found.doubts[0].reason


def test_prices_by_quantity_in_columns_rows_and_texts(tmp_path: Path) -> None:
    columns = written(
        tmp_path / "a.xlsx",
        [("1", "AMD EPYC 9654", 100, 95, 90)],
        ("SKU", "Description", "1+ USD net", "10+ USD net", "50+ USD net"),
    )
    found = imported(columns, tmp_path / "a").taken[0].offer
    assert (found.price, found.breaks) == (Decimal("100.00"), ("10:95.00", "50:90.00"))
    rows = [("1", "AMD EPYC 9654", 100, 4, 1), ("1", "AMD EPYC 9654", 95, 4, 10)]
    found = imported(written(tmp_path / "b.xlsx", rows), tmp_path / "b").taken[0].offer
    assert (found.price, found.min_qty, found.breaks) == (Decimal("100.00"), 1, ("10:95.00",))
    texts = written(
        tmp_path / "c.xlsx",
        [("1", "AMD EPYC 9654", 100, "≥10: 95.00; ≥50: 90.00")],
        ("SKU", "Description", "Price USD net", "Price breaks"),
    )
    assert imported(texts, tmp_path / "c").taken[0].offer.breaks == ("10:95.00", "50:90.00")
    rising = written(
        tmp_path / "d.xlsx",
        [("1", "AMD EPYC 9654", 100, "≥10: 105.00")],
        ("SKU", "Description", "Price USD net", "Price breaks"),
    )
    assert imported(rising, tmp_path / "d").doubts[0].row == 2


@pytest.mark.parametrize(
    ("text", "steps"),
    [("1-9: 100.00; 10+: 95.00", [(1, "100.00"), (10, "95.00")]), ("≥10: 95.00", [(10, "95.00")]),
     (">9: 95.00", [(10, "95.00")]), ("ab 10 Stk: 95.00 | ab 50 Stk: 90.00", [(10, "95.00"), (50, "90.00")]),
     ("10以上: ¥95.00", [(10, "95.00")]), ("", []), ("on request", None), ("10: 95 or less", None)],
)  # fmt: skip
def test_words_of_breaks(text: str, steps: list[tuple[int, str]] | None) -> None:
    found = steps_in(text, ".")
    assert found == (None if steps is None else [(qty, Decimal(price)) for qty, price in steps])


def test_words_of_stock_and_condition() -> None:
    assert [stock_of(x) for x in ("40", ">100", "out of stock", "on request", "缺货", "12 pcs")] == [
        40,
        100,
        0,
        None,
        0,
        12,
    ]
    assert [count_of(x) for x in ("10", "10 pcs", "0", "carton")] == [10, 10, None, None]
    words = ("", "new", "全新", "refurbished", "used", "engineering sample", "grade Q")
    assert [condition_of(x) for x in words] == ["new", "new", "new", "refurbished", "used", None, None]


@pytest.mark.parametrize(
    ("text", "table", "figures"),
    [("Samsung 64GB DDR5-5600 RDIMM", "memory",
      {"mem_gen": "DDR5", "capacity_gb": "64", "mts": "5600", "dimm_type": "RDIMM"}),
     ("Kioxia CM7-R 3.84TB NVMe U.3 PCIe 5.0", "drives",
      {"media": "nvme", "capacity_gb": "3840", "forms": "U.3", "pcie_gen": "5"}),
     ("Intel Xeon Gold 6999 64 cores 350W", "cpus", {"cores": "64", "tdp_w": "350"}),
     ("Broadcom dual-port 100GbE OCP 3.0 network adapter", "nics", {"gbit_s": "100", "ports": "2", "form": "OCP3"}),
     ("电源模块 2700W Titanium C20", "psus", {"watts": "2700", "efficiency": "Titanium", "inlet": "C20"}),
     ("KVM switch 15-port", None, {}), ("Toner cartridge T38", None, {}),
     ("32GB or 64GB DDR5 RDIMM", "memory", {"mem_gen": "DDR5"})],
)  # fmt: skip
def test_words_fill_the_template(text: str, table: str | None, figures: dict[str, str]) -> None:
    assert table_of(text) == table
    found = figures_of(table, text) if table else {}
    assert figures.items() <= found.items()
    assert not text.startswith("32GB or") or "capacity_gb" not in found


def offer(name: str, **change: Any) -> Offer:
    terms = {"id": name, "part": EPYC, "price": "3000", "currency": "USD", "date": "2026-11-20", "condition": "new",
             "confidence": "list", "seller": name, "source": "test"}  # fmt: skip
    return Offer.model_validate({**terms, **change})


def priced_by(offers: Sequence[Offer], bundles: Sequence[Bundle] = (), **asked: Any) -> tuple[str, int]:
    whole = load()
    catalog = Catalog(whole.parts, {EPYC: tuple(offers)}, "0" * 64, bundles={x.id: x for x in bundles})
    request = Request(model="v3-671b", as_of=DAY, **asked)
    found = price_book(catalog, request, Policy()).prices[EPYC]
    return (found.offer.id if found.offer else "", found.cents)


def test_own_offers_alone_price_what_they_have() -> None:
    shop, own = offer("shop"), offer("mine", price="3500", own=True)
    assert priced_by([shop, own]) == ("shop", 300000)
    assert priced_by([shop, own], prefer="mine") == ("mine", 350000)
    assert priced_by([shop], prefer="mine") == ("shop", 300000)
    assert priced_by([shop, own.model_copy(update={"stock": 0})], prefer="mine") == ("shop", 300000)
    late = own.model_copy(update={"lead_time_days": 90})
    assert priced_by([shop, late], prefer="mine", max_lead_days=30) == ("shop", 300000)
    rough = own.model_copy(update={"confidence": "estimate"})
    assert priced_by([shop, rough], prefer="mine") == ("mine", 350000)


def test_no_seller_s_bundle_gets_into_the_price_of_an_own_offer() -> None:
    kit = Bundle.model_validate(
        {"id": "kit", "parts": [{"part": EPYC, "qty": 1}], "price": "100", "currency": "USD", "date": "2026-11-20",
         "condition": "new", "confidence": "list", "seller": "shop", "source": "test"}
    )  # fmt: skip
    own = offer("mine", price="3500", own=True)
    assert priced_by([own], [kit])[1] == 10000
    assert priced_by([own], [kit], prefer="mine") == ("mine", 350000)


def test_an_offer_counts_through_its_last_day() -> None:
    shop, short = offer("shop"), offer("short", price="2000", valid_until="2026-11-24")
    assert priced_by([shop, short])[0] == "short"
    assert priced_by([shop, short.model_copy(update={"valid_until": date(2026, 11, 23)})])[0] == "shop"


def test_stale_offers_are_listed(tmp_path: Path) -> None:
    header = (*HEADER, "Valid until")
    rows = [("1", "AMD EPYC 9654", 3000, 4, 1, "2026-12-01"), ("2", "AMD EPYC 9554", 2000, 4, 1, "2027-12-31")]
    imported(written(tmp_path / "list.xlsx", rows, header), tmp_path / "mine")
    catalog = load([tmp_path / "mine"])
    assert [(x.offer.part, x.expired) for x in stale_offers(catalog, 90, today=date(2026, 12, 2))] == [(EPYC, True)]
    assert len(stale_offers(catalog, 90, today=date(2027, 3, 1))) == 2
    assert not stale_offers(catalog, 90, today=date(2026, 12, 1))


def test_files_of_review_that_may_be_filled_are_kept(tmp_path: Path) -> None:
    path = with_unknown(tmp_path)
    fill(path, "psus", SUPPLY, {"take": "yes"})
    kept = path.read_bytes()
    with pytest.raises(InputError, match="may be filled"):
        imported(tmp_path / "list.xlsx", tmp_path / "mine")
    assert path.read_bytes() == kept
    imported(tmp_path / "list.xlsx", tmp_path / "mine", force=True)
    assert path.read_bytes() != kept


def test_a_folder_that_would_not_load_is_not_written(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "gpus.csv").write_text("id,nonsense\nx,1\n", encoding="utf-8")
    with pytest.raises(InputError):
        imported(written(tmp_path / "list.xlsx", [("1", "AMD EPYC 9654", 3000, 4, 1)]), folder)
    assert [path.name for path in folder.iterdir()] == ["gpus.csv"]


def test_long_lists_read_in_runs_are_read_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes or one: the same lines."""
    from optimizer.procurement.reading import at_once

    rng = random.Random(5)
    names = ["AMD EPYC 9654", "NVIDIA L40S 48GB", "Toner", "Patch cable", "EPYC 9655 CPU"]
    rows = [(str(n), f"{rng.choice(names)}", rng.randint(100, 9999), 1, 1) for n in range(90)]
    path = written(tmp_path / "list.csv", rows)
    monkeypatch.setattr(at_once, "RUN", 20)
    monkeypatch.setattr(at_once, "_forks", lambda: False)
    one = imported(path, tmp_path / "one", dry_run=True)
    monkeypatch.undo()
    monkeypatch.setattr(at_once, "RUN", 20)
    assert imported(path, tmp_path / "two", dry_run=True) == one


def test_the_page_tells_the_front_before_and_after(tmp_path: Path) -> None:
    """The sample list becomes eight offers, and the main job with them costs what docs/importing.md says."""
    found = import_prices(Path("examples/procurement/prices/integrator.csv"), tmp_path / "mine", seller="Integrator")
    assert len(found.found.taken) == 8
    page = Path("docs/importing.md").read_text(encoding="utf-8")
    asked = Request(model="v2-670b", budget_cents=30_000_000, as_of=date(2026, 11, 30))
    before = solve(asked)
    after = solve(asked.model_copy(update={"prefer": "mine"}), catalog=load([tmp_path / "mine"]))
    for result, prices in ((before, "as shipped"), (after, "with the integrator's")):
        fastest = next(point for point in result.front if point.id == result.named["fastest"])
        row = next(line for line in page.splitlines() if line.startswith(f"| {prices} |"))
        assert f"{Decimal(fastest.cost.total):,.2f}" in row, row
        assert f"{fastest.throughput.output_tok_s:,.1f} tok/s" in row, row
