"""`dsopt quote`: the solver's total, the value in the file and LibreOffice's calculation are the same, to the cent."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import subprocess
import zipfile
from datetime import date, datetime
from decimal import Decimal
from itertools import product
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from catalogs import files
from catalogs.errors import InputError
from constraints.exchange import FxRate
from constraints.policy import Policy
from constraints.prices.totals import totals
from constraints.request import Spare, SupportRate
from optimizer.cli.app import app
from optimizer.procurement.quotation import formats
from optimizer.procurement.quotation.quote import Quote
from optimizer.procurement.quotation.sums import half_up, sums
from optimizer.procurement.quotation.template import filled
from optimizer.procurement.quotation.workbook import workbook
from optimizer.result.answer import solve
from optimizer.text.languages import Words
from optimizer.verify.consistent import consistent
from tests.support.long import one_in, wanted
from tests.support.office import OFFICE, formulas, named, opened, recalculated, with_inputs
from tests.support.price_terms import priced_scenario
from tests.support.quotes import BUDGET, DAY, OVERLAY, Job, job

EN = Words("en")
CURRENCIES = ("USD", "EUR", "CNY", "JPY")
TAXES = ("0", "13", "19")
FEW = (("USD", "0"), ("USD", "19"), ("EUR", "13"), ("CNY", "19"), ("JPY", "0"))
"""Each currency and each tax, in the short run."""
TIES = 400
needs_office = pytest.mark.skipif(
    OFFICE is None and not os.environ.get("DSOPT_OFFICE_REQUIRED"), reason="LibreOffice (soffice) is not installed"
)
SPARES = (Spare(category="memory", pieces=1, per=20), Spare(category="drive", pieces=1, per=3))
SUPPORT = (
    SupportRate(category="gpu_board", percent=Decimal("10")),
    SupportRate(category="memory", percent=Decimal("2.5")),
)
FX = (FxRate(currency="EUR", usd_per_unit=Decimal("1.2345"), date=DAY, source="test"),)
LIVE = {"fx_eur": 1.2345, "tax_rate": 0.13, "spares_memory": 0.05, "spares_drive": 1 / 3,
        "support_gpu_board": 0.1, "support_memory": 0.025}  # fmt: skip
"""The same as SPARES, SUPPORT, FX and a tax of 13 %, as inputs of the workbook."""


@pytest.fixture(scope="session")
def main() -> Job:
    return job()


@pytest.fixture(scope="session")
def quotes(main: Job) -> dict[str, Quote]:
    """A quote per currency and tax (in short five, each of both among them), and one with everything at once."""
    out = {f"{c}-{t}": main.quote(currency=c, tax=t) for c, t in (product(CURRENCIES, TAXES) if wanted() else FEW)}
    everything: dict[str, Any] = {"spares": SPARES, "support": SUPPORT, "fx": FX, "tax": "13", "discount": "2.5"}
    out["all"] = main.quote(currency="CNY", **everything)
    return out


@pytest.fixture(scope="session")
def books(quotes: dict[str, Quote]) -> dict[str, bytes]:
    return {name: workbook(q, EN) for name, q in quotes.items()}


@pytest.fixture(scope="session")
def stored(books: dict[str, bytes]) -> dict[str, Any]:
    """What a viewer that calculates nothing shows."""
    return {name: opened(book) for name, book in books.items()}


@pytest.fixture(scope="session")
def again(books: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """All of them, one with inputs changed and one of half cents, computed by LibreOffice."""
    changed = with_inputs(books["USD-0"], **LIVE)
    every = {**books, "changed": changed, "ties": ties()}
    return {k: opened(v) for k, v in recalculated(tmp_path_factory.mktemp("office"), every).items()}


def half_cents() -> list[tuple[int, int]]:
    """(cents, percent) whose product ends in half a cent, over eight decades."""
    return [
        (c, p) for k in range(TIES) for p in (1, 5, 13, 19) if (c := 50 + 100 * 3 ** (k % 17) * (k + 1)) * p % 100 == 50
    ]


def ties() -> bytes:
    """The formula of tax over half cents."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    sheet = book.add_worksheet()
    for row, (cents, percent) in enumerate(half_cents()):
        sheet.write_number(row, 0, cents / 100)
        sheet.write_number(row, 1, percent / 100)
        sheet.write_formula(row, 2, f"=ROUND(ROUND(A{row + 1},2)*B{row + 1},2)")
    book.close()
    return out.getvalue()


@needs_office
def test_solver_cached_and_recalculated_agree_to_the_cent(
    main: Job, quotes: dict[str, Quote], stored: dict[str, Any], again: dict[str, Any]
) -> None:
    for name, q in quotes.items():
        if name != "all":  # the solver's own words, none of the quote's
            currency, tax = name.split("-")
            assert main.read.market is not None
            market = main.read.market.asking(currency=currency, budget_cents=None, market="US")
            build = next(
                p for p in main.read.points if p is not None and p.case.gpu.id == q.chosen.gpus.part
            ).case.build
            policy = Policy().with_settings([f"money.tax_percent={tax}"])
            _, tax_cents, total = totals(market.book.cost(build.total()), policy)
            assert (q.sums.tax, q.sums.total) == (tax_cents, total)
        for key, cents in (("total", q.sums.total), ("total_net", q.sums.net), ("total_tax", q.sums.tax)):
            said = [q.amount(cents), *(Decimal(repr(float(named(b, key)))) for b in (stored[name], again[name]))]
            assert len({x.normalize() for x in said}) == 1, (name, key, said)


@needs_office
def test_every_cached_value_is_what_its_formula_gives(
    books: dict[str, bytes], stored: dict[str, Any], again: dict[str, Any]
) -> None:
    count = 0
    for name, book in books.items():
        for sheet, cell in formulas(book):
            mine, theirs = stored[name][sheet][cell].value, again[name][sheet][cell].value
            count += 1
            if isinstance(mine, str | datetime) or theirs is None:
                assert (mine or None) == (theirs or None), (name, sheet, cell)
            else:
                assert mine == pytest.approx(theirs, rel=1e-12, abs=1e-9), (name, sheet, cell)
    assert count > 1000


@needs_office
def test_inputs_changed_in_the_file_give_what_solve_gives(
    main: Job, quotes: dict[str, Quote], again: dict[str, Any]
) -> None:
    policy = Policy().with_settings(["money.tax_percent=13"])
    mine = quotes["USD-0"].chosen
    # With tax, spares and support the same build costs more than the budget that it was found for; with another
    # exchange rate another maker's module of the same size may be cheaper: the quote's own parts are demanded.
    own = tuple(x.part for node in mine.nodes for x in node.parts)
    terms: dict[str, Any] = {"spares": SPARES, "support": SUPPORT, "fx": FX}
    data = main.solved(policy, budget_cents=2 * BUDGET, include=own, **terms)
    same = next(
        p for p in data["front"]
        if p["nodes"] == [n.model_dump() for n in mine.nodes] and p["shared"] == [x.model_dump() for x in mine.shared]
    )  # fmt: skip
    book = again["changed"]
    assert f"{named(book, 'total'):.2f}" == same["cost"]["total"]
    assert f"{named(book, 'total_tax'):.2f}" == same["cost"]["tax"]
    assert f"{named(book, 'total_support'):.2f}" == same["cost"]["support"]
    assert f"{named(book, 'total_spares'):.2f}" == same["cost"]["spares"]
    assert same["cost"]["total"] != main.data["front"][-1]["cost"]["total"]


@needs_office
def test_half_cents_round_up_in_the_spreadsheet(again: dict[str, Any]) -> None:
    (sheet,) = again["ties"].worksheets
    cases = half_cents()
    assert len(cases) > 100
    for row, (cents, percent) in enumerate(cases, 1):
        assert round(sheet.cell(row, 3).value * 100) == half_up(Decimal(cents) * percent / 100), (cents, percent)


def test_quote_options_price_as_solve_does(main: Job) -> None:
    """Every point of the front under the terms of the quote is what `solve` says under them."""
    data = main.solved(Policy(), currency="CNY", budget_cents=BUDGET * 10, spares=SPARES)
    mine = {str(p.nodes): p for p in main.quote(currency="CNY", spares=SPARES).front}
    both = [(p, mine[k]) for p in data["front"] if (k := _nodes(p)) in mine]
    assert len(both) >= 3
    for theirs, ours in both:
        if theirs["shared"] == [x.model_dump() for x in ours.shared]:
            assert theirs["cost"] == ours.cost.model_dump()
            assert theirs["bom"] == [x.model_dump() for x in ours.bom]


def _nodes(p: dict[str, Any]) -> str:
    from optimizer.result.point_schema import Node

    return str([Node.model_validate(n) for n in p["nodes"]])


@given(
    lines=st.lists(st.integers(0, 10**9), min_size=1, max_size=12),
    percents=st.tuples(*[st.decimals(0, 100, places=2)] * 3),
    tax=st.decimals(0, 100, places=2),
)
def test_sums(lines: list[int], percents: tuple[Decimal, ...], tax: Decimal) -> None:
    discount, support, rate = percents
    weighted = sum(lines) * rate / 100
    m = sums(lines, 0, weighted, discount, support, tax)
    assert sum(m.taxes) == m.tax == half_up(m.net * tax / 100)
    assert m.total == m.net + m.tax
    for line, own in zip(lines, m.taxes, strict=False):
        assert abs(own - line * tax / 100) <= 1
    plain = sums(lines, 0, Decimal(0), Decimal(0), support, tax)
    policy = Policy().with_settings([f"money.support_percent={support}", f"money.tax_percent={tax}"])
    assert (plain.support, plain.tax, plain.total) == totals(sum(lines), policy)


@pytest.mark.parametrize("seed", one_in(3, [0, 3, 6, 10, 15]))
def test_quotes_over_stock_breaks_bundles_and_parts_in_hand(seed: int) -> None:
    """Unseen catalogs: each point's lines add up to what `solve` says, and every language writes them."""
    catalog, request, _, _ = priced_scenario(seed)
    data = json.loads(json.dumps(solve(catalog, request, Policy()).data))
    report, read = consistent(data, catalog)
    assert not report.wrong
    assert read is not None
    assert data["front"]
    for p in data["front"]:
        q = Job(catalog, data, read).quote(p["id"], max(DAY, request.as_of))
        assert str(q.amount(q.sums.total)) == p["cost"]["total"]
        assert q.sums.goods == sum(half_up(Decimal(x["line_total"]).scaleb(q.digits)) for x in p["bom"])
        assert sum(x.pieces for x in q.lines) == sum(x["qty"] for x in p["bom"])
    assert {len(opened(workbook(q, Words(x))).sheetnames) for x in ("en", "zh", "both")} == {9}


def test_workbook_is_locked_printable_and_free_of_macros_and_links(books: dict[str, bytes]) -> None:
    raw = books["all"]
    with zipfile.ZipFile(io.BytesIO(raw)) as z:
        names = z.namelist()
        text = "".join(z.read(n).decode() for n in names if n.endswith((".xml", ".rels")))
    assert not [n for n in names if "vba" in n.lower() or "externalLink" in n]
    assert 'TargetMode="External"' not in text
    assert len([n for n in names if n.startswith("xl/charts/chart")]) == 2
    book = openpyxl.load_workbook(io.BytesIO(raw))
    assert len(book.sheetnames) == 9
    for sheet in book:
        assert sheet.page_setup.paperSize == 9
        assert sheet.page_setup.orientation == "landscape"
        assert sheet.print_area
        assert sheet.protection.sheet
        assert sheet.protection.password is None
        assert "&P" in sheet.oddFooter.right.text
    for name in ("Bill of materials", "Compatibility", "Front", "Deviations"):
        assert book[name].freeze_panes
        assert book[name].auto_filter.ref
        assert book[name].print_title_rows
    bill, inputs = book["Bill of materials"], book["Assumptions"]
    assert any(c.comment for row in bill.iter_rows() for c in row)
    assert all(c.protection.locked for row in bill.iter_rows() for c in row if c.data_type == "f")
    unlocked = [n for n, d in book.defined_names.items() if next(iter(d.destinations))[0] == "Assumptions"]
    assert {"usd_cny", "fx_eur", "tax_rate", "discount_rate", "support_rate", "spares_memory"} <= set(unlocked)
    for name in unlocked:
        ((_, cell),) = book.defined_names[name].destinations
        assert not inputs[cell].protection.locked
    assert "#,##0.00" in bill["M5"].number_format
    assert "¥" in bill["M5"].number_format


def test_sellers_texts_are_text(main: Job, books: dict[str, bytes], stored: dict[str, Any]) -> None:
    book = openpyxl.load_workbook(io.BytesIO(books["USD-0"]))
    risky = [c for s in book for row in s.iter_rows() for c in row
             if isinstance(c.value, str) and re.match(r"[=+@-]", c.value) and c.data_type != "f"]  # fmt: skip
    assert {c.value for c in risky} >= {"-2+3", "+Händler & Söhne <GmbH>"}
    assert all(c.quotePrefix for c in risky)
    seen = [c.value for s in stored["USD-0"] for row in s.iter_rows() for c in row if isinstance(c.value, str)]
    assert '=HYPERLINK("http://x","y")' in seen
    rows = list(csv.reader(io.StringIO(formats.as_csv(main.quote(), EN).decode("utf-8-sig"))))
    assert not [x for row in rows for x in row if re.match(r"[=+@]|-[^0-9]|-[0-9.]*[^0-9.]", x)]


def test_same_quote_same_bytes(main: Job) -> None:
    assert workbook(main.quote(), Words("both")) == workbook(main.quote(), Words("both"))
    assert main.quote().party.number != main.quote(tax="13").party.number


def test_lines_stand_on_their_offers(main: Job) -> None:
    q = main.quote(currency="EUR", spares=SPARES)
    by = {x.part: x for x in q.lines}
    memory = by["samsung-m321r4ga3eb0-cwm"]
    assert (memory.price, memory.unit, memory.spare) == (Decimal("799.99"), 67226, 2)  # 799.99 / 1.19
    pdu = by["apc-ap8867-metered-17.3-kw-208v-60a-3ph"]
    assert pdu.price == Decimal("1500.50")  # of the break
    assert not pdu.by_share
    assert by["kit-rack"].total == 142857  # 1700 / 1.19
    assert by["apc-netshelter-sx-ar3100-42u-600x1070"].total == 0
    assert q.sums.goods == sum(x.total for x in q.lines)
    assert not memory.stale
    assert {x.part for x in main.quote(day=date(2027, 1, 1)).lines if x.stale} >= {memory.part}


def test_cyclonedx(main: Job) -> None:
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    q = main.quote()
    text = formats.as_cyclonedx(q, EN).decode()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    components = json.loads(text)["components"]
    quantities = [p["value"] for c in components for p in c["properties"] if p["name"] == "cdx:device:quantity"]
    assert quantities == [str(x.pieces) for x in q.lines]


def test_json_and_csv_add_up(main: Job) -> None:
    q = main.quote(currency="CNY", tax="13", discount="2.5", spares=SPARES, support=SUPPORT)
    data = json.loads(formats.as_json(q, Words("zh")))
    t = {k: Decimal(v) for k, v in data["totals"].items()}
    assert t["goods"] == sum(Decimal(x["line_net"]) for x in data["lines"])
    assert t["goods"] - t["discount"] + t["support"] == t["net"]
    assert t["net"] + t["tax"] == t["total"]
    assert t["discount"] > 0
    assert t["support"] > 0
    rows = list(csv.DictReader(io.StringIO(formats.as_csv(q, Words("zh")).decode("utf-8-sig"))))
    assert Decimal(rows[-1]["line_gross"]) == t["total"]
    assert sum(Decimal(r["tax"]) for r in rows[:-4]) + Decimal(rows[-3]["tax"]) + Decimal(rows[-2]["tax"]) == t["tax"]
    assert rows[0]["category"] == "套餐"


@pytest.fixture
def saved(main: Job, tmp_path: Path) -> Path:
    path = tmp_path / "result.json"
    path.write_text(json.dumps(main.data), encoding="utf-8")
    return path


def run(*args: object) -> Any:
    return CliRunner().invoke(app, ["quote", *map(str, args), "--catalog", str(OVERLAY)])


def test_command(main: Job, saved: Path, tmp_path: Path) -> None:
    out = tmp_path / "quote.xlsx"
    done = run(saved, "-o", out, "--lang", "zh", "--customer", "某某大学", "--number", "Q-1", "--valid-days", "7",
               "--date", "2026-11-30", "--tax", "CN", "--point", "p1")  # fmt: skip
    assert done.exit_code == 0, done.output
    book = opened(out.read_bytes())
    seen = {c.value for row in book["汇总"].iter_rows() for c in row}
    assert {"某某大学", "Q-1", datetime(2026, 12, 7), "预算估算", "此日后需重新询价"} <= seen
    before = out.read_bytes()
    refused = run(saved, "-o", out)
    assert isinstance(refused.exception, InputError)
    assert out.read_bytes() == before
    assert run(saved, "-o", out, "--force").exit_code == 0
    assert out.read_bytes() != before
    shown = run(saved, "--format", "json", "--lang", "en")
    fastest = main.data["front"][-1]["id"]
    assert fastest != "p1", "without --point the recommended one is quoted, not the first"
    assert json.loads(shown.stdout)["point"] == main.data["recommended"] == fastest


BAD = [
    ("--point", "p99"), ("--discount", "101%"), ("--discount", "x"), ("--tax", "200%"), ("--lang", "fr"),
    ("--currency", "XYZ"), ("--date", "2020-01-01"), ("--date", "soon"), ("--format", "docx"),
    ("--customer", "a\nb"), ("--support", "110%"), ("--fx", "missing.csv"), ("--template", "missing.xlsx"),
]  # fmt: skip


@pytest.mark.parametrize(("args",), one_in(3, [(args,) for args in BAD]))
def test_bad_input_is_explained_and_writes_nothing(saved: Path, tmp_path: Path, args: tuple[str, ...]) -> None:
    out = tmp_path / "quote.xlsx"
    done = run(saved, "-o", out, *args)
    assert isinstance(done.exception, InputError), (args, done.output)
    assert list(tmp_path.iterdir()) == [saved]


@pytest.mark.parametrize(
    "path", one_in(2, ["bom.4.unit_price", "cost.total", "throughput.output_tok_s", "checks.0.status"])
)
def test_tampered_result_is_refused(main: Job, saved: Path, tmp_path: Path, path: str) -> None:
    data = json.loads(saved.read_text(encoding="utf-8"))
    place: Any = data["front"][-1]
    *way, last = path.split(".")
    for key in way:
        place = place[int(key) if key.isdigit() else key]
    place[last] = {"cost.total": "1.00", "throughput.output_tok_s": 99999.0, "checks.0.status": "warn"}.get(
        path, "1.00"
    )
    saved.write_text(json.dumps(data), encoding="utf-8")
    done = run(saved, "-o", tmp_path / "quote.xlsx")
    assert done.exit_code == 5
    where = re.sub(r"\.(\d+)", r"[\1]", path)
    assert f"front[{len(data['front']) - 1}].{where}" in done.stdout
    assert list(tmp_path.iterdir()) == [saved]


@pytest.mark.parametrize("over", [False, True])
def test_interrupt_leaves_no_part_of_a_file(over: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever call gives the file its name: a new one is linked, an existing one replaced."""
    reached = []

    def interrupted(*_: object) -> None:
        reached.append(True)
        raise KeyboardInterrupt

    monkeypatch.setattr(files.os, "replace", interrupted)
    monkeypatch.setattr(files.os, "link", interrupted)
    place = tmp_path / "quote.xlsx"
    if over:
        place.write_bytes(b"before")
    with pytest.raises(KeyboardInterrupt):
        files.write_bytes(place, b"x" * 1000)
    assert reached
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == ([("quote.xlsx", b"before")] if over else [])


def template(path: Path, lines: int) -> Path:
    """A company's workbook: a logo line, a formula of its own, names for some of our fields."""
    from openpyxl.workbook.defined_name import DefinedName

    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Offer sheet"
    sheet["A1"], sheet["A2"], sheet["D1"] = "ACME Ltd", "do not touch", "=B3*2"
    sheet.merge_cells("A30:C30")
    cells = {"customer": "$B$1", "Total": "$B$3", "quote_number": "$B$2", "line_name": f"$A$5:$A${4 + lines}",
             "line_gross": f"$B$5:$B${4 + lines}", "line_seller": f"$C$5:$C${4 + lines}",
             "Their_own": "$F$1"}  # fmt: skip
    for name, cell in cells.items():
        book.defined_names[name] = DefinedName(name, attr_text=f"'Offer sheet'!{cell}")
    book.save(path)
    return path


def test_template(main: Job, tmp_path: Path) -> None:
    q = main.quote(tax="13")
    path = template(tmp_path / "company.xlsx", 12)
    data, told = filled(path, q, EN)
    sheet = openpyxl.load_workbook(io.BytesIO(data))["Offer sheet"]
    assert (sheet["A1"].value, sheet["A2"].value, sheet["D1"].value) == ("ACME Ltd", "do not touch", "=B3*2")
    assert sheet["B1"].value == "Example University"
    assert Decimal(str(sheet["B3"].value)) == q.amount(q.sums.total)
    assert [sheet.cell(5 + i, 1).value for i in range(12)] == [x.name for x in q.lines] + [None] * (12 - len(q.lines))
    seller = next(sheet.cell(5 + i, 3) for i, x in enumerate(q.lines) if x.part == "samsung-m321r4ga3eb0-cwm")
    assert (seller.value[0], seller.data_type) == ("=", "s")
    assert "note: the template has no name valid_until" in told
    assert not [x for x in told if "warning" in x]
    with pytest.raises(InputError, match="room for 3 lines"):
        filled(template(tmp_path / "short.xlsx", 3), q, EN)
    (tmp_path / "text.xlsx").write_text("no workbook")
    for bad in ("text.xlsx", "company.xlsm"):
        with pytest.raises(InputError):
            filled(tmp_path / bad, q, EN)


@needs_office
def test_pdf_shows_everything(main: Job, tmp_path: Path) -> None:
    """No figure too wide for its column, in either language; Chinese is there."""
    reader = shutil.which("pdftotext")
    assert reader, "poppler-utils is needed beside LibreOffice"
    q = main.quote(currency="JPY", tax="13", spares=SPARES, customer="某某大学")
    path = tmp_path / "quote.pdf"
    path.write_bytes(formats.as_pdf(workbook(q, Words("both"))))
    text = subprocess.run([reader, "-layout", str(path), "-"], capture_output=True, text=True, check=True).stdout
    assert "###" not in text
    assert f"{q.sums.total:,}" in text
    for words in ("技术偏离表", "Technical deviation table", "含税总价", "某某大学", "此日后需重新询价"):
        assert words in text, words


def test_pdf_without_libreoffice(main: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats.shutil, "which", lambda _: None)
    with pytest.raises(InputError, match="needs LibreOffice"):
        formats.as_pdf(b"")
