"""Markets of the random catalogs by name, and the fronts and builds that tests hold equal to brute force."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

PLAIN = (0, 1, 3, 4, 6, 7, 10, 12, 13, 15, 18, 19, 21, 22, 24, 26, 27, 30, 31, 36, 40, 41, 42, 43, 45, 59)
OFFLOAD = (0, 1, 2, 9, 18, 22, 28, 31, 36, 50, 56, 59)
KINDS: dict[str, tuple[Any, ...]] = {
    "plain": PLAIN,
    "priced": tuple(range(0, 48)),
    "buyer": tuple(x for x in range(32) if x != 12),
    "sold": tuple((x, i) for i, x in enumerate((0, 1, 2, 3, 5, 8, 12, 14, 16))),
    "shared": (0, 1, 7, 13, 19, 48),
    "offload": OFFLOAD,
    "training": (
        (0, "finetune-lora", None), (1, "finetune-lora", 4), (2, "finetune-full", None), (3, "finetune-lora", 4),
        (7, "finetune-full", None), (9, "finetune-lora", None),
    ),
}  # fmt: skip
"""Each compared in tests/: test_oracle, test_price_oracle, test_procurement, test_offload, test_training_oracle."""


def market(kind: str, key: Any) -> Any:
    """The market of a random catalog."""
    from constraints.policy import Policy
    from optimizer.market.market import Market

    if kind == "plain":
        from tests.support.random_catalogs import scenario

        catalog, request = scenario(key)[:2]
    elif kind == "priced":
        from tests.support.price_terms import priced_scenario

        catalog, request = priced_scenario(key)[:2]
    elif kind == "buyer":
        from tests.support.random_procurement import AXES, WISHES, procurement_scenario

        i, j = divmod(key, 4)
        catalog, request = procurement_scenario(3 * i + j, WISHES[i], AXES[(i + j) % 4])[:2]
    elif kind == "sold":
        from tests.support.price_terms import priced_scenario, with_sellers

        seed, i = key
        catalog, request = priced_scenario(seed)[:2]
        limits = ({"max_sellers": 1}, {"max_sellers": 2}, {"cost_axis": "lead-time"})[i % 3]
        catalog, request = with_sellers(seed, catalog), request.model_copy(update=limits)
    elif kind == "shared":
        from tests.support.price_terms import priced_scenario, with_few_terms, with_sellers

        catalog, request = priced_scenario(key)[:2]
        catalog, limit = with_few_terms(key, with_sellers(key, catalog), 50)
        request = request.model_copy(update={f"{x}_percent": percent for x, percent in limit.items()})
    elif kind == "offload":
        from tests.support.random_catalogs import offload_scenario

        catalog, request = offload_scenario(key)[:2]
    else:
        from tests.support.random_catalogs import scenario

        seed, workload, bits = key
        catalog, request = scenario(seed)[:2]
        model = "r1-distill-qwen-1.5b" if workload == "finetune-full" else request.model
        fields = {"model": model, "workload": workload, "users": None, "min_precision_bits": bits}
        request = request.model_copy(update={**fields, "dataset_tb": 0.3 if seed % 2 else None})
    return Market.open(catalog, request, Policy())


def front(kind: str, key: Any, clever: bool) -> list[tuple[int, int, int]]:
    """(cost, cents, 0.1 tok/s)."""
    from optimizer.search.solver import Solver

    points = Solver(market(kind, key), clever=clever).front().points
    return [(p.found.cost, p.found.parts_cents, p.found.row.perf.tenths) for p in points]


def truth(path: Path) -> None:
    """Write the fronts of the rules as they are, and the builds that brute force went through."""
    from tests.constraints.test_rule_limits import CATALOGS
    from tests.support.recorded import recorded

    fronts = {(kind, key): front(kind, key, True) for kind, keys in KINDS.items() for key in keys}
    builds = {}
    for seed in CATALOGS:
        brute = recorded(seed)[1]
        brute.builds, brute._known = set(), {}
        builds[seed] = pickle.dumps(brute)
    path.write_bytes(pickle.dumps((fronts, builds)))


def differs(kinds: Sequence[str], first: list[tuple[str, Any]], fronts: dict[Any, Any]) -> str:
    """What differs from the fronts as they should be; empty when nothing does."""
    cases = [x for x in first if x in fronts]
    cases += [(kind, key) for kind in kinds for key in KINDS[kind] if (kind, key) not in cases]
    for case in cases:
        for clever in (True, False):
            try:
                found = front(*case, clever)
            except Exception as e:
                return f"front {case}: {type(e).__name__}"
            if found != fronts[case]:
                return f"front {case}: another"
    return ""


def lend_builds(builds: dict[int, bytes]) -> None:
    """Brute force is not run again for each mutant: the tests get what it found."""
    from constraints.policy import Policy
    from optimizer.market.market import Market
    from tests.support import recorded
    from tests.support.random_catalogs import scenario

    def lent(seed: int) -> Any:
        catalog, request, _ = scenario(seed)
        asked = request.model_copy(update={"budget_cents": recorded.PLENTY})
        return Market.open(catalog, asked, Policy()), pickle.loads(builds[seed])

    recorded.recorded = lent
