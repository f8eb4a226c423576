"""dsopt as a library: `from optimizer import solve, explain, check, size` (see optimizer/library/).

Names are imported when they are first used: the command line starts without them.
"""

from __future__ import annotations

# `typing` takes longer to import than all that the command line does before it handles Ctrl-C.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from constraints.build import Build
    from constraints.policy import Policy
    from constraints.request import Request
    from optimizer.library import (
        answer_rows,
        award,
        best_builds,
        calibrate,
        changes,
        check,
        compare,
        explain,
        export_offers,
        front_chart,
        import_prices,
        load_catalog,
        mend,
        open_result,
        plot,
        price_history,
        price_risk,
        purchase_orders,
        quote,
        read_award_terms,
        read_bids,
        read_build,
        read_calibration,
        read_policy,
        read_quote,
        read_tender,
        report,
        report_html,
        rfq,
        shipped_catalog,
        size,
        size_models,
        solve,
        stale_offers,
        validate_request,
        vary,
        verify_result,
        why_not,
        xray,
    )

__all__ = [
    "Build", "Policy", "Request", "answer_rows", "award", "best_builds", "calibrate", "changes", "check", "compare",
    "explain", "export_offers", "front_chart", "import_prices", "load_catalog", "mend", "open_result", "plot",
    "price_history", "price_risk", "purchase_orders", "quote", "read_award_terms", "read_bids", "read_build",
    "read_calibration", "read_policy", "read_quote", "read_tender", "report", "report_html", "rfq", "shipped_catalog",
    "size", "size_models", "solve", "stale_offers", "validate_request", "vary", "verify_result", "why_not", "xray",
]  # fmt: skip
_HOMES = {"Build": "constraints.build", "Policy": "constraints.policy", "Request": "constraints.request"}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'optimizer' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES.get(name, "optimizer.library")), name)
