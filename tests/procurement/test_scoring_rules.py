"""Rules of scoring as data: the worked examples of docs/compare.md to the point, random tenders by plain fractions."""

from __future__ import annotations

import random
import statistics
from dataclasses import replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from catalogs.errors import InputError
from catalogs.load import load
from constraints.policy import Policy
from optimizer.library import compare, read_tender
from optimizer.procurement.bids import methods
from optimizer.procurement.bids.methods import Declared, abnormally_low, deducted_percent, evaluation_price, ranks
from optimizer.procurement.bids.schema import Weight
from optimizer.procurement.bids.scoring import Values, scored, weights_of
from optimizer.procurement.bids.scoring_rules import (
    LowPriceRules,
    ScoringRules,
    low_price_rules,
    scoring_rules,
    shipped,
)
from optimizer.procurement.bids.tender_files import Tender, declarations, experts_points
from optimizer.procurement.bids.workbook import workbook
from optimizer.procurement.reading.reader import read
from optimizer.text.languages import Words
from tests.procurement.test_compare import ASKED, FILES, needs_office
from tests.support.office import formulas, named, recalculated
from tests.support.office import opened as values_of


def D(text: object) -> Decimal:
    return Decimal(str(text))


def rules_of(name: str, **changed: Any) -> ScoringRules:
    """Shipped rules with the tender's values."""
    if name == "de-ufab-extended":
        data = {"name": name, "title": "", "date": date(2018, 4, 30), "source": "x", "method": "ratio_band"}
        return ScoringRules.model_validate({**data, **changed})
    return scoring_rules(name).model_copy(update=changed)


def bid(price: object, technical: object, **more: Any) -> Values:
    """A bid of a price and experts' points for technique."""
    return Values(D(price), None, D(1), None, None, None, True, more={"technique": D(technical)}, **more)


def total(name: str, bids: list[Values], price: int, technique: int) -> list[Decimal | None]:
    rules = rules_of(name)
    by = [Weight(key="price", weight=D(price)), Weight(key="technique", weight=D(technique), own=True)]
    return [one.score for one in scored(bids, by, rules)]


def test_comprehensive_scoring() -> None:
    """Decree 87, article 55, at a price weight of 0.40: 93.00, 88.80, 88.00; without the third the base moves."""
    bids = [bid(1000000, 57), bid(1200000, "58.8"), bid(900000, 48)]
    assert total("cn-goods", bids, 40, 60) == [D("93.00"), D("88.80"), D("88.00")]
    out = [*bids[:2], replace(bids[2], responsive=False)]
    assert total("cn-goods", out, 40, 60) == [D("97.00"), D("92.13"), None]


def deducting(**rates: object) -> ScoringRules:
    rules = scoring_rules("cn-goods")
    return rules.model_copy(
        update={
            "deductions": tuple(
                one.model_copy(update={"percent": D(rates[one.declared])}) if one.declared in rates else one
                for one in rules.deductions
            )
        }
    )


def test_deductions_are_each_off_the_original_price() -> None:
    """Small-firm rate 10 %: 1,000,000, 920,000, 875,000 and 87.50, 95.11, 100.00 of 100."""
    declared = [Declared(), Declared(False, D(100)), Declared(True, D(80))]
    percents = deducted_percent(deducting(small=10), declared)
    prices = [
        evaluation_price(D(price), off, 2) for price, off in zip((1000000, 1150000, 1250000), percents, strict=True)
    ]
    assert percents == [0, 20, 30] and prices == [1000000, 920000, 875000]
    points = scored(
        [bid(price, 0) for price in prices], [Weight(key="price", weight=D(100))], scoring_rules("cn-goods")
    )
    assert [one.score for one in points] == [D("87.50"), D("95.11"), D("100.00")]


def test_who_gets_no_deduction() -> None:
    small, home, foreign = Declared(small=True), Declared(domestic_percent=D(80)), Declared(domestic_percent=D("79.9"))
    assert deducted_percent(scoring_rules("cn-goods"), [small]) == [0]  # the tender says no rate
    assert deducted_percent(deducting(), [home, home]) == [0, 0]  # nothing foreign competes
    assert deducted_percent(deducting(), [home, foreign, Declared()]) == [20, 0, 0]
    reserved = deducting(small=15)
    one = reserved.deductions[0].model_copy(update={"reserved": True})
    assert deducted_percent(reserved.model_copy(update={"deductions": (one,)}), [small, Declared()]) == [0, 0]


def test_lowest_evaluation_price() -> None:
    """A 1,000,000; B 1,050,000 of a micro enterprise, 10 %: evaluated at 945,000, B is first."""
    prices = [evaluation_price(D(1000000), D(0), 2), evaluation_price(D(1050000), D(10), 2)]
    assert prices[1] == 945000
    assert ranks(scoring_rules("cn-lowest"), [D(0)] * 2, prices, [D(1000000), D(1050000)]) == [2, 1]


UFAB = [D(4000), D(4400), D(3000)], [D(100000), D(115000), D(80000)]
"""Points and prices of the three bids of the worked example."""


@pytest.mark.parametrize(
    ("name", "changed", "expected"),
    [
        ("de-ufab-simple", {}, [1, 2, 3]),
        ("de-ufab-extended", {"band_percent": D(5), "decides": "points"}, [2, 1, None]),
        ("de-ufab-extended", {"band_percent": D(5), "decides": "price"}, [1, 2, None]),
        ("de-ufab-extended", {"band_percent": D(10), "decides": "points"}, [2, 1, 3]),
        ("de-ufab-extended", {"band_percent": D(10), "decides": "price"}, [2, 3, 1]),
        ("de-ufab-weighted", {"weight_points": D(70)}, [2, 1, 3]),
    ],
)
def test_ufab(name: str, changed: dict[str, Any], expected: list[int | None]) -> None:
    points, prices = UFAB
    assert ranks(rules_of(name, **changed), points, prices, prices) == expected


def test_indices_of_ufab() -> None:
    points, prices = UFAB
    simple = methods.indices(scoring_rules("de-ufab-simple"), points, prices) or []
    assert [round(float(one), 5) for one in simple] == [0.04, 0.03826, 0.0375]
    weighted = methods.indices(rules_of("de-ufab-weighted", weight_points=D(70)), points, prices) or []
    assert [float(one) for one in weighted] == [0.4, 0.425, 0.285]
    assert methods.indices(scoring_rules("de-ufab-weighted"), points[:2], prices[:2]) is None  # no median of two
    by_reference = rules_of(
        "de-ufab-weighted", reference_points=D(4000), reference_price=D(100000), weight_points=D(70)
    )
    assert methods.indices(by_reference, points[:2], prices[:2]) == [Fraction(2, 5), Fraction(17, 40)]


def test_weighted_sum_60_40() -> None:
    """A 54.55 + 32.00, B 60.00 + 27.83, C 40.91 + 40.00: points over the highest, price by lowest over own."""
    bids = [Values(D(price), D(points), D(1), None, None, None, True) for points, price in zip(*UFAB, strict=True)]
    by = [Weight(key="throughput", weight=D(60)), Weight(key="price", weight=D(40))]
    assert [one.score for one in scored(bids, by, scoring_rules("eu-bpqr"))] == [D("86.55"), D("87.83"), D("80.91")]


@pytest.mark.parametrize(
    ("name", "expected"), [("fr-classic", ["20", "16", "13.33"]), ("fr-linear", ["20", "10", "0"])]
)
def test_french_prices(name: str, expected: list[str]) -> None:
    out = scored([bid(price, 0) for price in (80, 100, 120)], [Weight(key="price", weight=D(20))], scoring_rules(name))
    assert [one.score for one in out] == [D(x) for x in expected]


def test_full_at_the_lowest_none_at_twice_of_it() -> None:
    found = [methods.price_share("none_at_double", D(own), [D(100), D(150), D(250)]) for own in (100, 150, 250)]
    assert found == [1, D("0.5"), 0]


def test_life_cycle_cost() -> None:
    """Five years: 1,810,000 and 1,710,000 where energy is 120,000 and 80,000 a year, service 40,000, the end 10,000."""
    use = {"years": 5, "price_per_kwh": 1, "support_per_year": 40000, "end_of_life": 10000}
    for watts_hours, price, cost in ((120000, 1000000, 1810000), (80000, 1100000, 1710000)):
        load = D(watts_hours) / (D("20") * 8760)  # of a build of 20 kW
        rules = ScoringRules.model_validate(
            {"name": "x", "title": "", "date": date(2026, 1, 1), "source": "x", "life_cycle": {**use, "load": load}}
        )
        assert methods.life_cycle_cost(D(price), 20000, rules, 2) == cost


def test_world_bank_preference() -> None:
    """15 % on goods from abroad: 1,000 counts 1,150, so 1,120 of the country is first."""
    rules = scoring_rules("wb-goods")
    off = deducted_percent(rules, [Declared(foreign=True), Declared()])
    prices = [evaluation_price(D(price), percent, 2) for price, percent in zip((1000, 1120), off, strict=True)]
    assert prices == [1150, 1120] and ranks(rules, [D(0)] * 2, prices, [D(1000), D(1120)]) == [2, 1]
    assert rules.certainty == "unsure"


def hits(rules: LowPriceRules, bids: list[int], ceiling: int | None) -> list[list[str]]:
    prices = [D(price) for price in bids]
    top = None if ceiling is None else D(ceiling)
    return [[low.of for low in abnormally_low(rules, price, prices, top)] for price in prices]


def test_abnormally_low() -> None:
    """420, 880, 950, 1,000 under a ceiling of 1,200: by the next (440) and the ceiling (540)."""
    rules = low_price_rules("cn-2026-2")
    assert hits(rules, [420, 880, 950, 1000], 1200) == [["next", "ceiling"], [], [], []]
    assert hits(rules, [440, 880, 950, 1000], 977) == [[], [], [], []]  # strictly below
    assert hits(rules, [406, 880, 950, 1014], None)[0] == ["mean", "next"]
    assert hits(low_price_rules("pl-224"), [700, 1000, 1100, 1200], 1230) == [["mean", "ceiling"], [], [], []]
    assert hits(low_price_rules("eu-69=80"), [79, 100, 120], None) == [["next"], [], []]
    for wrong in ("eu-69", "eu-69=0", "cn-2026-2=66", "nobody", "cn-2026-2=x"):
        with pytest.raises(InputError):
            low_price_rules(wrong)
    assert [test.percent for test in low_price_rules("cn-2026-2=65").tests] == [65] * 3


@pytest.mark.parametrize("seed", range(40))
def test_random_tenders(seed: int) -> None:
    """Ranks, points and deductions against fractions written out anew."""
    rng = random.Random(seed)
    n = rng.randint(2, 7)
    prices = [D(rng.randint(80, 130) * 1000) for _ in range(n)]
    technique = [D(rng.randint(0, 600)) / 10 for _ in range(n)]
    fit = [True, *(rng.random() < 0.8 for _ in range(n - 1))]
    bids = [bid(price, own, bid_price=price) for price, own in zip(prices, technique, strict=True)]
    bids = [replace(one, responsive=ok) for one, ok in zip(bids, fit, strict=True)]
    rules = scoring_rules("cn-goods")
    out = scored(bids, [Weight(key="price", weight=D(40)), Weight(key="technique", weight=D(60), own=True)], rules)
    least = min(Fraction(price) for price, ok in zip(prices, fit, strict=True) if ok)
    expected: list[tuple[Decimal, Decimal] | None] = []
    for price, own, ok in zip(prices, technique, fit, strict=True):
        share = Fraction(40) * least / Fraction(price)
        points = (D(share.numerator) / D(share.denominator)).quantize(D("0.01"), ROUND_HALF_UP)
        expected.append((points + own, -price) if ok else None)
    for found, mine in zip(out, expected, strict=True):
        assert found.score == (None if mine is None else mine[0])
        better = [other for other in expected if other is not None and mine is not None and other > mine]
        assert found.rank == (None if mine is None else 1 + len(better))
    ratio = [Fraction(own) / Fraction(price) for own, price in zip(technique, prices, strict=True)]
    band = rng.randint(1, 20)
    placed = ranks(rules_of("de-ufab-extended", band_percent=D(band), decides="price"), technique, prices, prices)
    inside = [i for i in range(n) if ratio[i] >= max(ratio) * (100 - band) / 100]
    assert placed == [1 + sum(prices[j] < prices[i] for j in inside) if i in inside else None for i in range(n)]
    if n >= 3 and statistics.median(technique) > 0:
        middles = Fraction(statistics.median(technique)), Fraction(statistics.median(prices))
        index = [
            Fraction(t) / middles[0] / 2 - Fraction(p) / middles[1] / 2 for t, p in zip(technique, prices, strict=True)
        ]
        placed = ranks(scoring_rules("de-ufab-weighted"), technique, prices, prices)
        assert placed == [1 + sum(other > one for other in index) for one in index]


def test_every_rule_says_its_source_and_how_certain_it_is() -> None:
    for name in shipped("scoring"):
        if name != "de-ufab-extended":
            rules = scoring_rules(name)
            assert rules.name == name and len(rules.source) > 20 and rules.certainty
    assert scoring_rules("plain").certainty != "unsure"  # the default
    with pytest.raises(InputError) as refused:
        scoring_rules("de-ufab-extended")  # the band is the buyer's to publish
    assert "band" in refused.value.faults[0].text


def test_files_of_the_tender(tmp_path: Path) -> None:
    path = tmp_path / "t.toml"
    own = '[[criteria]]\nkey = "service"\ntitle = "售后"\nweight = 60\n'
    path.write_text(f'base = "cn-goods"\n[weights]\nprice = 40\n{own}', encoding="utf-8")
    rules = scoring_rules(str(path))
    assert [(one.key, one.weight) for one in weights_of(rules, None, Policy())] == [("price", 40), ("service", 60)]
    points, said = tmp_path / "p.csv", tmp_path / "d.csv"
    points.write_text("bid,criterion,points\nA,service,50\na,service,53\nB,service,60\n", encoding="utf-8")
    assert experts_points(points, rules) == {("A", "service"): D("51.5"), ("B", "service"): D(60)}
    said.write_text("bid,small,domestic_percent\nA,是,\nB,no,85\n", encoding="utf-8")
    assert declarations(said) == {"A": Declared(small=True), "B": Declared(domestic_percent=D(85))}
    for text in ("bid,criterion,points\nA,service,61\n", "bid,criterion,points\nA,lunch,1\n", "bid,points\nA,1\n"):
        points.write_text(text, encoding="utf-8")
        with pytest.raises(InputError):
            experts_points(points, rules)
    for text in (
        '[weights]\nprice = 20\nthroughput = 20\n', '[weights]\nprice = 90\n', '[weights]\nlife_cycle_cost = 40\n',
    ):  # fmt: skip
        path.write_text(f'base = "cn-goods"\n{text}{own}', encoding="utf-8")
        with pytest.raises(InputError):
            weights_of(scoring_rules(str(path)), None, Policy())
    for text in ('base = "nobody"', 'base = "cn-goods"\nmethod = "guess"', "[[deductions]]\npercent = 5"):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(InputError):
            scoring_rules(str(path))


TENDER = """base = "cn-goods"
basis = "gross"
[weights]
price = 40
throughput = 20
life_cycle_cost = 10
[life_cycle]
years = 5
price_per_kwh = 0.8
[[criteria]]
key = "service"
title = "售后服务"
weight = 30
[[minimums]]
figure = "warranty_months"
least = 36
[[deductions]]
declared = "small"
percent = 10
[[deductions]]
declared = "domestic"
percent = 20
least_share_percent = 80
only_where_mixed = true
"""


@needs_office
def test_sheets_of_all_methods_recalculated(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """What Python stored is what LibreOffice computes, and a changed deduction moves the points as Python says."""
    catalog = load()
    bids = [read(path, catalog) for path in FILES]
    terms: dict[str, Any] = {"tax_percent": D(13), "fill": "median", "demand": "freight", "time_limit_s": 0.001}
    path, points, said = tmp_path / "t.toml", tmp_path / "p.csv", tmp_path / "d.csv"
    path.write_text(TENDER, encoding="utf-8")
    points.write_text("bid,criterion,points\nA,service,25\nA,service,26\nB,service,28\n", encoding="utf-8")
    said.write_text("bid,small,domestic_percent\nA,no,\nB,yes,85\n", encoding="utf-8")
    band = tmp_path / "band.toml"
    band.write_text('base = "de-ufab-extended"\nband_percent = 5\n', encoding="utf-8")
    tenders = {
        "own": read_tender(str(path), points=points, declared=said, ceiling=D(3200000)),
        "band": read_tender(str(band)), "lowest": read_tender("cn-lowest"),
        "linear": read_tender("fr-linear"),
        "weighted": Tender(rules_of("de-ufab-weighted", reference_points=D(50), reference_price=D(2000000))),
    }  # fmt: skip
    found = {name: compare(bids, ASKED, catalog=catalog, tender=one, **terms) for name, one in tenders.items()}
    own = found["own"].bids
    assert own[1].deducted_percent == 30 and own[1].evaluation_price == evaluation_price(
        own[1].equal_gross or D(0), D(30), 2
    )
    assert "abnormally-low" in {flag.code for flag in own[1].flags} and own[1].rank is not None
    assert "minimum-failed" in {flag.code for flag in own[2].flags} and own[2].rank is None
    assert found["band"].bids[0].rank is None and found["band"].recommended == "B"
    books = {name: workbook(one, Words("en")) for name, one in found.items()}
    done = recalculated(tmp_path_factory.mktemp("office"), books)
    for name, book in books.items():
        stored, again = values_of(book), values_of(done[name])
        for sheet, cell in formulas(book):
            mine, theirs = stored[sheet][cell].value, again[sheet][cell].value
            if isinstance(mine, str) or mine is None:
                assert (mine or "") == (theirs or ""), (name, sheet, cell)
            else:
                assert mine == pytest.approx(theirs, rel=1e-9, abs=1e-9), (name, sheet, cell)
    book = values_of(books["own"])["Score"]
    place = next(cell.coordinate for row in book.iter_rows() for cell in row if cell.value == 0.3 and cell.column == 5)
    changed = _with_cell(books["own"], "Score", place, 0.2)
    said.write_text("bid,small,domestic_percent\nA,no,\nB,no,85\n", encoding="utf-8")
    fewer = read_tender(str(path), points=points, declared=said, ceiling=D(3200000))
    new = compare(bids, ASKED, catalog=catalog, tender=fewer, **terms)
    after = recalculated(tmp_path_factory.mktemp("again"), {"x": changed})["x"]
    for one in new.bids:
        if one.rank is not None:
            assert (f"{named(values_of(after), f'score_{one.id}'):.2f}", named(values_of(after), f"rank_{one.id}")) == (
                str(one.score), one.rank,
            )  # fmt: skip


def _with_cell(data: bytes, sheet: str, cell: str, value: float) -> bytes:
    import io

    import openpyxl

    book = openpyxl.load_workbook(io.BytesIO(data))
    book[sheet][cell].value = value
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
