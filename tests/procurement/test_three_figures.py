"""Net, tax and the sum of both: wherever a total stands these three are labelled, the lines sum to the net one to the
cent, and tax is named as added only where it was. Requests with and without tax, spares and support, in two
currencies, in each way out: terminal, JSON, quotations (workbook and CSV), explanations, X-rays, comparisons."""

from __future__ import annotations

import csv
import io
import json
import re
from decimal import ROUND_HALF_UP, Decimal
from itertools import product
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from tests.support.commands import run
from tests.support.long import one_in

CASES = [
    dict(zip(("tax", "support", "spares", "currency"), x, strict=True))
    for x in product(("", "13%"), ("", "10%"), ("", "gpu=1/1"), ("USD", "CNY"))
    if (x[1] == x[2] == "") or (x[1] and x[2])
]  # each with tax and without; with support and spares, and with neither; in both currencies
NAMED = [pytest.param(case, id="-".join(x.strip("%") or "none" for x in case.values())) for case in CASES]
ADDED = re.compile(r"(?<!no tax added, )(?<!not )\bwith tax\b|(?<!不)(?<!未)含税总价|总价（含税）|含税合计")


def number(text: str) -> Decimal:
    return Decimal(text.replace(",", ""))


def one_line(text: str) -> str:
    return " ".join(text.split())


@pytest.fixture(scope="module", params=one_in(7, NAMED))
def solved(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, str], Path]:
    case, path = request.param, tmp_path_factory.mktemp("money") / "result.json"
    budget = {"USD": "12000", "CNY": "90000"}[case["currency"]]
    line = ["solve", "--model", "r1-distill-qwen-1.5b", "--budget", budget, "--gpu", "RTX 4090", "--max-nodes", "1",
            "--as-of", "2026-11-24", "-o", str(path), "-v"]  # fmt: skip
    for name, value in case.items():
        line += [f"--{name}", value] if value else []
    code, out, err = run(*line)
    assert code == 0, err
    (path.parent / "screen.txt").write_text(out, encoding="utf-8")
    return case, path


def cost_of(path: Path) -> dict[str, Any]:
    saved = json.loads(path.read_text(encoding="utf-8"))
    return next(dict(p["cost"], bom=p["bom"]) for p in saved["front"] if p["id"] == saved["recommended"])


def test_the_result_sums_up(solved: tuple[dict[str, str], Path]) -> None:
    case, path = solved
    for p in json.loads(path.read_text(encoding="utf-8"))["front"]:
        c = {k: Decimal(v) for k, v in p["cost"].items() if k in ("parts", "spares", "support", "net", "tax", "total")}
        lines = sum(Decimal(x["line_total"]) for x in p["bom"])
        assert lines == c["parts"] + c["spares"]
        assert c["net"] == lines + c["support"]
        assert c["total"] == c["net"] + c["tax"]
        assert p["cost"]["currency"] == case["currency"]
        assert bool(c["tax"]) == bool(case["tax"])
        assert bool(c["support"]) == bool(case["support"])
        assert bool(c["spares"]) == bool(case["spares"])


def test_the_terminal_says_the_three(solved: tuple[dict[str, str], Path]) -> None:
    case, path = solved
    cost, text = cost_of(path), one_line((path.parent / "screen.txt").read_text(encoding="utf-8"))
    net, total = f"{number(cost['net']):,}", f"{number(cost['total']):,}"
    assert f"net {net}, " in text
    if case["tax"]:
        assert f"tax {number(cost['tax']):,} (13 %), total with tax {total}" in text
    else:
        assert f"no tax added, total {total}" in text and not ADDED.search(text)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_an_explanation_says_them(solved: tuple[dict[str, str], Path], language: str) -> None:
    case, path = solved
    cost = cost_of(path)
    code, out, err = run("--lang", language, "explain", str(path))
    assert code == 0, err
    first = one_line(out.split("\n\n")[0])
    assert f"{number(cost['total']):,}" in first
    if case["tax"]:
        assert all(f"{number(cost[k]):,}" in first for k in ("net", "tax"))
    assert bool(re.search("with tax|含税", first)) == bool(case["tax"])


def test_an_explanation_in_json_says_them(solved: tuple[dict[str, str], Path]) -> None:
    _case, path = solved
    cost = cost_of(path)
    said = json.loads(run("explain", str(path), "--json")[1])["point"]
    assert {k: said[k] for k in ("net", "tax", "total", "currency")} == {
        k: cost[k] for k in ("net", "tax", "total", "currency")
    }
    assert sum(Decimal(x["amount"]) for x in said["money"]) == Decimal(cost["total"])


def test_a_quotation_in_csv_and_json(solved: tuple[dict[str, str], Path]) -> None:
    case, path = solved
    cost = cost_of(path)
    rows = list(csv.DictReader(io.StringIO(run("quote", str(path), "--format", "csv")[1].removeprefix("\ufeff"))))
    lines = [x for x in rows if x["no"]]
    sums = {x["name"]: x for x in rows if not x["no"]}
    total = sums["Total"]
    others = [x for name, x in sums.items() if name in ("Discount", "Support")]
    for column in ("line_net", "tax", "line_gross"):
        assert sum(Decimal(x[column]) for x in [*lines, *others]) == Decimal(total[column]), column
    assert [Decimal(total[k]) for k in ("line_net", "tax", "line_gross")] == [
        Decimal(cost[k]) for k in ("net", "tax", "total")
    ]
    assert {x["currency"] for x in rows} == {case["currency"]}
    said = json.loads(run("quote", str(path), "--format", "json")[1])
    assert [said["totals"][k] for k in ("net", "tax", "total")] == [cost[k] for k in ("net", "tax", "total")]
    assert sum(Decimal(x["line_net"]) for x in said["lines"]) + Decimal(said["totals"]["support"]) == Decimal(
        cost["net"]
    )


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_quotation_as_a_workbook(solved: tuple[dict[str, str], Path], language: str) -> None:
    case, path = solved
    cost, book = cost_of(path), path.parent / f"{language}.xlsx"
    assert run("quote", str(path), "--lang", language, "-o", str(book), "--force")[0] == 0
    cells = [
        cell.value for sheet in openpyxl.load_workbook(book, data_only=True) for row in sheet.iter_rows()
        for cell in row if cell.value is not None
    ]  # fmt: skip
    amounts = {Decimal(str(round(x, 2))).quantize(Decimal("0.01")) for x in cells if isinstance(x, int | float)}
    assert {Decimal(cost[k]) for k in ("net", "tax", "total")} <= amounts
    texts = [x for x in cells if isinstance(x, str)]
    added = [x for x in texts if re.search("with tax|含税总价", re.sub("without tax|不含税总价", "", x))]
    assert bool(added) == bool(case["tax"]), added


def vendor(path: Path, currency: str, tax: str) -> Path:
    """Three lines and a sum; prices net, or with tax in them, or silent about it."""
    head = {"net": "Unit price excl. VAT", "gross": "含税单价（13%）", "unsaid": "Unit price"}[tax]
    path.write_text(
        f"Part number,Description,Qty,{head},Currency\n"
        f"SYS-821GE-TNHR,server,1,24817.33,{currency}\nHGX H200 8-GPU baseboard,NVIDIA,1,231000.10,{currency}\n"
        f"Xeon Platinum 8592+,CPU,2,7000.05,{currency}\nM321R8GA0PB0-CWMKJ,64GB RDIMM,32,1250.01,{currency}\n",
        encoding="utf-8",
    )
    return path


VENDORS = list(product(("USD", "CNY"), ("net", "gross", "unsaid"), ("", "13%")))


@pytest.mark.parametrize(("currency", "basis", "tax"), one_in(5, VENDORS))
def test_an_xray(currency: str, basis: str, tax: str, tmp_path: Path) -> None:
    quote = vendor(tmp_path / "a.csv", currency, basis)
    line = ["check", str(quote), "--model", "v3-671b", "--quick", "--as-of", "2026-11-24"]
    line += ["--tax", tax] if tax else []
    known = basis == "gross" or bool(tax)
    found = json.loads(run(*line, "--json")[1])
    totals = {k: found["totals"][k] and Decimal(found["totals"][k]) for k in ("net", "tax", "gross")}
    assert sum(Decimal(x["amount"]) for x in found["lines"] if x["amount"]) == totals["net"]
    shown = one_line(run(*line)[1])
    assert f"together {totals['net']:,}" in shown
    if known:
        assert totals["tax"] and totals["gross"] == totals["net"] + totals["tax"]
        assert f"Tax: {totals['tax']:,}; with tax: {totals['gross']:,} {currency}" in shown
    else:
        assert totals["tax"] is totals["gross"] is None
        assert "Tax and the sum with it: not known" in shown and "with tax: " not in shown


@pytest.mark.parametrize(("currency", "tax"), one_in(4, product(("CNY", "USD"), ("13%", ""))))
def test_a_comparison(currency: str, tax: str, tmp_path: Path) -> None:
    files = [vendor(tmp_path / f"{x}.csv", "USD", x) for x in ("net", "unsaid")]
    line = ["compare", *map(str, files), "--model", "v3-671b", "--as-of", "2026-11-24", "--time-limit", "0.1",
            "--currency", currency, "--fill", "catalog"]  # fmt: skip
    line += ["--tax", tax] if tax else []
    found = json.loads(run(*line, "--json")[1])
    shown = one_line(run(*line)[1])
    for bid in found["bids"]:
        net, added, gross = (Decimal(bid[k]) for k in ("equal_net", "equal_tax", "equal_gross"))
        counted = sum(Decimal(x["net"]) for x in bid["lines"] if x["state"] == "included")
        assert counted == Decimal(bid["offered_net"])
        assert net == Decimal(bid["offered_net"]) + Decimal(bid["filled_net"]) - Decimal(bid["outside_net"])
        rate = Decimal(tax.strip("%") or 0) / 100
        assert added == (net * rate).quantize(Decimal("0.01"), ROUND_HALF_UP)
        assert gross == net + added
        said = (
            f"net {net:,}, tax {added:,} (13 %), total with tax {gross:,} {currency}"
            if tax else f"net {net:,}, no tax added, total {gross:,} {currency}"
        )  # fmt: skip
        assert said in shown
    assert bool(re.search("total with tax", shown)) == bool(tax)
