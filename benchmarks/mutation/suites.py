"""Per rule file: the random catalogs and tests that may notice a change of it. Few, since each mutant runs them."""

from __future__ import annotations

from typing import NamedTuple


class Suite(NamedTuple):
    """Kinds of random catalogs (fronts.py), pytest arguments, and a pytest -k expression."""

    fronts: tuple[str, ...]
    tests: tuple[str, ...]
    keyword: str = ""


LIMITS, PARTS, PRICES = (
    "tests/constraints/test_rule_limits.py",
    "tests/constraints/test_part_limits.py",
    "tests/constraints/test_price_edges.py",
)
GAPS = "tests/constraints/test_rule_gaps.py"
MONEY = ("tests/constraints/test_money.py", "tests/request/test_large_numbers.py")
NEEDS = "tests/search/test_oracle.py::test_certificate_needs_every_encode"
ROWS = "tests/search/test_oracle.py::test_certificate_needs_the_rules_of_rows"
BUYER = "tests/constraints/test_procurement.py"
SLOW = ("brute_force", "cp_sat_alone", "bad_", "table", "docs", "axis_in", "conditions_that")
NOT_BRUTE = " and ".join(f"not {x}" for x in SLOW)


EDGES = {"power": ["power", "power circuit"], "site": ["site power", "site units"]} | {
    x: [x] for x in ("host_memory", "cores", "storage", "rack", "cooling", "vram")
}
"""Boundary tests of tests/constraints/test_rules.py."""


def encoded(rule: str, *more: str) -> Suite:
    """A rule of hardware: fronts, the certificate without it, its boundary tests, `more`, single builds."""
    edges = [f"tests/constraints/test_rules.py::test_just_inside_and_just_outside[{x}]" for x in EDGES.get(rule, [])]
    return Suite(("plain",), (f"{NEEDS}[{rule}]", *edges, *more, GAPS, PARTS, LIMITS))


def money(*fronts: str) -> Suite:
    """Prices: fronts, and the tests of terms of purchase."""
    return Suite(fronts, ("tests/constraints/test_limited.py", *MONEY, PRICES, "tests/constraints/test_racks.py"))


def buyer(*more: str) -> Suite:
    """Procurement: fronts, and what of its tests neither runs brute force nor the command line."""
    names = [x.removeprefix("tests/").removesuffix(".py") for x in (PRICES, *more)]
    return Suite(("buyer",), (BUYER, PRICES, *more), " or ".join([f"({NOT_BRUTE})", *names]))


WARNS, NETS, PLANS = (
    "tests/result/test_warnings.py",
    "tests/constraints/test_networks.py",
    "tests/constraints/test_precision_rule.py",
)
HELD, RACKS = "tests/constraints/test_contained_cards.py", "tests/constraints/test_racks.py"
VRAM = "tests/constraints/test_rules.py::test_just_inside_and_just_outside[vram]"
SUITES: dict[str, Suite] = {
    "power": encoded("power", WARNS),
    "rack": encoded("rack", RACKS),
    "interconnect": encoded("interconnect", NETS, HELD),
    "cooling": encoded("cooling", "tests/constraints/test_liquid.py"),
    "host_memory": encoded("host_memory", WARNS, HELD)._replace(fronts=("plain", "offload")),
    "pricing": money("priced", "sold"),
    "budget": Suite(
        ("plain", "buyer"),
        (f"{ROWS}[budget]", "tests/constraints/test_rules.py::test_budget_to_the_cent", *MONEY, PRICES),
    ),
    "tariff": money("priced"),
    "purchase": money("priced", "shared"),
    "buying": money("priced", "shared"),
    "limited": Suite(("buyer", "sold", "shared"), ("tests/constraints/test_limited.py", BUYER, *MONEY), NOT_BRUTE),
    "basket": Suite(("buyer", "shared"), ("tests/constraints/test_limited.py", BUYER, *MONEY), NOT_BRUTE),
    "shares": buyer()._replace(fronts=("buyer", "sold", "shared")),
    "procurement": buyer(*MONEY, LIMITS)._replace(fronts=("plain", "buyer", "priced")),
    "filters": buyer(),
    "sums": buyer(),
    "cores": encoded("cores", WARNS),
    "lanes": encoded("lanes"),
    "fit": encoded("fit"),
    "storage": encoded("storage", PLANS, HELD),
    "site": encoded("site"),
    "links": encoded("interconnect", NETS),
    "contents": encoded("fit", HELD),
    "vram": Suite(("plain", "training"), (f"{ROWS}[vram]", VRAM, PLANS)),
    "reserve": Suite(("plain",), (VRAM, PLANS)),
    "precision": Suite(("plain", "training"), (f"{ROWS}[precision]", PLANS)),
    "software": Suite(("plain", "offload"), (f"{ROWS}[software]", PLANS)),
    "offload": Suite(
        ("offload",),
        ("tests/constraints/test_offload.py", HELD),
        f"({NOT_BRUTE} and not 671b and not constants and not published) or test_contained_cards",
    ),
    "training": Suite(
        ("training",),
        ("tests/constraints/test_training.py",),
        "memory or gathered or states or lora_of or guide or activations or adapter or checkpoint or precision",
    ),
}
"""In the order in which they run: what money and physics hang on comes first."""
