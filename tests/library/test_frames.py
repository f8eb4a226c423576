"""pandas: fronts, bills and catalogs as frames, and catalogs from frames; exact, typed, and the same both ways."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

from catalogs.errors import InputError
from catalogs.load import Catalog, load
from catalogs.qualified_gpus import RECORD_FILES
from catalogs.schema import PART_FILES, Kind
from constraints.request import Request
from optimizer import load_catalog, solve
from optimizer.result.schema import Result
from tests.conftest import AS_OF

GPU = "nvidia-rtx-a6000-48gb"
ASKED = Request(model="r1-distill-qwen-14b", as_of=AS_OF, gpus=frozenset({GPU}), budget_cents=30_000_00)
TABLES = [*PART_FILES, *RECORD_FILES]


@pytest.fixture(scope="module")
def result() -> Result:
    return solve(ASKED)


def test_front_and_bill_hold_what_the_document_holds(result: Result) -> None:
    front, bill = result.to_frame(), result.to_frame("bill")
    assert list(front.index) == [p.id for p in result.front]
    assert list(front["cost.total"]) == [Decimal(p.cost.total) for p in result.front]
    assert list(front["throughput.output_tok_s"]) == [p.throughput.output_tok_s for p in result.front]
    assert front["cost.total"].is_monotonic_increasing and front["power.total_w"].dtype == "int64"
    assert "recommended" in front.loc[result.recommended, "named"]
    assert len(bill) == sum(len(p.bom) for p in result.front)
    for point in result.front:
        lines = bill[bill["point"] == point.id]
        assert lines["line_total"].sum() == Decimal(point.cost.parts) + Decimal(point.cost.spares)
        assert (lines["unit_price"] * lines["qty"]).sum() == lines["line_total"].sum()
    assert bill["price_date"].max() <= pd.Timestamp(AS_OF)


def test_unknown_is_blank_never_0(result: Result) -> None:
    front, bill = result.to_frame(), result.to_frame("bill")
    assert front["plan.training.zero_stage"].isna().all() and front["throughput.at_load.users"].isna().all()
    unknown = [x.lead_time_days is None for p in result.front for x in p.bom]
    assert any(unknown) and list(bill["lead_time_days"].isna()) == unknown


def test_columns_are_the_same_without_a_build(result: Result) -> None:
    none = result.model_copy(update={"front": [], "recommended": None, "named": {}})
    for table in ("front", "bill"):
        empty, full = none.to_frame(table), result.to_frame(table)  # type: ignore[arg-type]
        assert empty.empty and list(empty.dtypes) == list(full.dtypes) and list(empty.columns) == list(full.columns)
    with pytest.raises(ValueError, match="front or bill"):
        result.to_frame("bom")  # type: ignore[arg-type]


@pytest.mark.parametrize("table", TABLES)
def test_a_table_comes_back_as_it_was(table: str, shipped: Catalog, tmp_path: Path) -> None:
    """Through pandas, through a file of pandas, and through pandas' own reading of that file."""
    frame = shipped.to_frame(table)
    frame.to_csv(tmp_path / f"{table}.csv", index=False)
    if not len(frame):
        assert table == "bundles"
        return
    key = ["platform", "gpu"] if table == "qualified_gpus" else "id"
    for again in (
        load_catalog({table: frame}, under=shipped, whole=True),
        load_catalog({table: frame.set_index(key)}, under=shipped),
        load_catalog({table: pd.read_csv(tmp_path / f"{table}.csv")}, under=shipped, whole=True),
        load([tmp_path]),
    ):
        assert again.parts == shipped.parts and again.offers == shipped.offers and again.bundles == shipped.bundles
        assert again.qualified_gpus == shipped.qualified_gpus


def test_kinds_name_tables_too(shipped: Catalog) -> None:
    assert len(shipped.to_frame("links")) == len(shipped.to_frame("optic")) + len(shipped.to_frame("cable"))
    for kind in Kind:
        frame = shipped.to_frame(kind)
        assert list(frame["id"]) == [p.id for p in shipped.of(kind)]
        assert load_catalog({kind: frame}, whole=True).of(kind) == shipped.of(kind)
    with pytest.raises(InputError, match="gpus, gpu_boards"):
        shipped.to_frame("graphics")


def test_types_are_those_of_the_schema(shipped: Catalog) -> None:
    gpus, offers = shipped.to_frame("gpus"), shipped.to_frame("offers")
    assert gpus["vram_gb"].dtype == "int64" and gpus["tdp_w"].dtype == "Int64" and gpus["p2p"].dtype == "bool"
    assert set(map(type, offers["price"])) == {Decimal} and offers["date"].dt.year.min() >= 2015
    assert gpus.loc[gpus["id"] == GPU, "vram_gb"].item() == shipped.parts[GPU].vram_gb  # type: ignore[attr-defined]


def test_a_changed_price_moves_the_answer_to_the_cent(result: Result, shipped: Catalog) -> None:
    offers = shipped.to_frame("offers")
    offers.loc[offers["part"] == GPU, "price"] += 100
    dearer = solve(ASKED, catalog=load_catalog({"offers": offers}))
    first, then = result.front[0], dearer.front[0]
    assert then.gpus == first.gpus
    assert Decimal(then.cost.total) == Decimal(first.cost.total) + 100 * first.gpus.total
    assert dearer.catalog.sha256 != result.catalog.sha256


def test_rows_left_out_are_gone_only_where_the_frame_is_the_whole_table(shipped: Catalog) -> None:
    offers = shipped.to_frame("offers")
    kept = offers[offers["part"] != GPU]
    assert GPU not in load_catalog({"offers": kept}, whole=True).offers
    assert load_catalog({"offers": kept}).offers[GPU] == shipped.offers[GPU]


def test_cells_are_read_as_people_leave_them_in_frames() -> None:
    """Floats where a column has blanks, lists as lists, days with a time of midnight, blanks of every sort."""
    offers = pd.DataFrame(
        {
            "id": ["a", "b"], "part": [GPU, GPU], "price": [1234.5, Decimal("999.99")], "currency": "USD",
            "date": [pd.Timestamp("2026-11-20"), date(2026, 11, 21)], "condition": "new", "confidence": "street",
            "seller": "some shop", "source": "page", "lead_time_days": [7.0, float("nan")], "stock": [None, 3],
            "breaks": [["2:1200.00", "5:1100"], None], "notes": [pd.NA, pd.NaT],
        }
    )  # fmt: skip
    a, b = load_catalog({"offers": offers}, whole=True).offers[GPU]
    assert (a.price, a.lead_time_days, a.stock, a.notes) == (Decimal("1234.5"), 7, None, "")
    assert a.price_breaks == [(2, Decimal("1200.00")), (5, Decimal("1100"))]
    assert (b.date, b.lead_time_days, b.stock, b.breaks) == (date(2026, 11, 21), None, 3, ())


@pytest.mark.parametrize(
    ("column", "value", "code", "words"),
    [
        ("price", float("inf"), "bad-value", ".iloc[0], column price"),
        ("price", 10.001, "bad-value", "column price: Decimal input"),
        ("price", -1, "bad-value", ".iloc[0], column price"),
        ("date", "20 Nov", "bad-value", "YYYY-MM-DD"),
        ("date", pd.Timestamp("2026-11-20 10:30"), "bad-value", "YYYY-MM-DD"),
        ("part", "no-such-gpu", "unknown-part", "frames['offers'].iloc[0], column part"),
        ("prise", 3, "unknown-column", "Nearest column: price"),
        ("stock", 1.5, "bad-value", "column stock"),
    ],
)
def test_faults_name_table_row_and_column(
    column: str, value: object, code: str, words: str, shipped: Catalog
) -> None:  # fmt: skip
    wrong = shipped.to_frame("offers").head(1).astype(object)
    wrong[column] = [value]
    with pytest.raises(InputError) as refused:
        load_catalog({"offers": wrong})
    assert code in {f.code for f in refused.value.faults} and words in str(refused.value)


def test_missing_columns_doubled_ids_and_unknown_tables_are_refused(shipped: Catalog) -> None:
    frame, gpus = shipped.to_frame("offers"), shipped.to_frame("gpus")
    for frames, code in [
        ({"offers": frame.drop(columns="price")}, "missing-column"),
        ({"offers": pd.concat([frame, frame.head(1)])}, "duplicate-id"),
        ({"prices": frame}, "unknown-table"),
        ({"gpus": gpus[gpus["id"] != GPU]}, "unknown-part"),
    ]:
        with pytest.raises(InputError) as refused:
            load_catalog(frames, whole=True)
        assert code in {f.code for f in refused.value.faults}


def test_pandas_is_imported_when_a_frame_is_made() -> None:
    code = (
        "import sys\nfrom optimizer import load_catalog, shipped_catalog\ncatalog = shipped_catalog()\n"
        "print('pandas' in sys.modules)\ncatalog.to_frame('gpus')\nprint('pandas' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.split() == ["False", "True"]
