"""Per rule file: the random catalogs and tests that may notice a change of it. Few, since each mutant runs them."""

from __future__ import annotations

from typing import NamedTuple


class Suite(NamedTuple):
    """Kinds of random catalogs (fronts.py), pytest arguments, and a pytest -k expression."""

    fronts: tuple[str, ...]
    tests: tuple[str, ...]
    keyword: str = ""


LIMITS, PARTS = "tests/test_rule_limits.py", "tests/test_part_limits.py"
MONEY = ("tests/test_money.py", "tests/test_large_numbers.py")
NEEDS = "tests/test_oracle.py::test_certificate_needs_every_encode"
ROWS = "tests/test_oracle.py::test_certificate_needs_the_rules_of_rows"
BUYER = "tests/test_procurement.py"
SLOW = ("brute_force", "cp_sat_alone", "bad_", "table", "docs", "axis_in", "conditions_that")
NOT_BRUTE = " and ".join(f"not {x}" for x in SLOW)


EDGES = {"power": ["power", "power circuit"], "site": ["site power", "site units"]} | {
    x: [x] for x in ("host_memory", "cores", "storage", "rack", "cooling", "vram")
}
"""Boundary tests of tests/test_rules.py."""


def encoded(rule: str, *more: str) -> Suite:
    """A rule of hardware: fronts, the certificate without it, its boundary tests, single builds."""
    edges = [f"tests/test_rules.py::test_just_inside_and_just_outside[{x}]" for x in EDGES.get(rule, [])]
    return Suite(("plain",), (f"{NEEDS}[{rule}]", *edges, PARTS, LIMITS, *more))


SUITES: dict[str, Suite] = {
    **{x: encoded(x) for x in ("power", "cooling", "rack", "interconnect", "host_memory", "site", "storage", "fit")},
    "budget": Suite(("plain",), (*MONEY, "tests/test_rules.py::test_budget_to_the_cent",)),
    "pricing": Suite(("priced",), MONEY),
    **{x: encoded(x) for x in ("cores", "lanes")},
    "links": encoded("interconnect"),
    "tariff": Suite(("priced",), MONEY),
    "purchase": Suite(("priced",), MONEY),
    "buying": Suite(("priced",), MONEY),
    "shares": Suite(("buyer",), (BUYER,), NOT_BRUTE),
    "procurement": Suite(("plain", "buyer",), (BUYER, LIMITS,), NOT_BRUTE + " or rule_limits"),
    "filters": Suite(("buyer",), (BUYER,), NOT_BRUTE),
    "vram": Suite(("plain", "training",), (f"{ROWS}[vram]", "tests/test_rules.py::test_just_inside_and_just_outside[vram]",)),
    "precision": Suite(("plain", "training",), (f"{ROWS}[precision]",)),
    "software": Suite(("plain", "offload",), (f"{ROWS}[software]",)),
    "offload": Suite(("offload",), ("tests/test_offload.py",), NOT_BRUTE + " and not 671b and not constants and not published"),
    "training": Suite(("training",), ("tests/test_training.py", "tests/test_rule_limits.py",),
                      "memory or states or lora_of or guide or activations or adapter or checkpoint or precision or rule_limits"),
    "contents": encoded("fit"),
    "sums": Suite(("buyer",), (BUYER,), NOT_BRUTE),
    "reserve": Suite(("plain",), ("tests/test_rules.py::test_just_inside_and_just_outside[vram]",)),
}  # fmt: skip
"""In the order in which they run: what money and physics hang on comes first."""
