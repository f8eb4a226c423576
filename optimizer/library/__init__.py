"""dsopt as a library: typed, frozen answers. Nothing is printed, nothing global is changed, any thread may call.

    from datetime import date
    from optimizer import Request, solve, explain

    result = solve(Request(model="v3-671b", as_of=date(2026, 11, 24), budget_cents=300_000_00))
    print(result.front[-1].cost.total, explain(result).steps[0].text)

Money is decimal strings outward and integer minor units (cents) in a Request, power is W, memory GB (1e9 bytes),
latency ms, throughput output tokens per second of the whole build. The command line calls these functions alone.
"""

from __future__ import annotations

from optimizer.library.buying import (
    award,
    changes,
    compare,
    purchase_orders,
    quote,
    read_award_terms,
    read_bids,
    read_quote,
    read_tender,
    rfq,
    xray,
)
from optimizer.library.checking import check, mend
from optimizer.library.explaining import explain, price_risk, vary, why_not
from optimizer.library.importing import export_offers, import_prices, price_history, stale_offers
from optimizer.library.opening import (
    load_catalog,
    open_result,
    read_build,
    read_calibration,
    read_policy,
    shipped_catalog,
    validate_request,
)
from optimizer.library.reporting import front_chart, plot, report, report_html
from optimizer.library.sizing import answer_rows, calibrate, size, size_models
from optimizer.library.solving import best_builds, solve
from optimizer.library.verifying import verify_result

__all__ = [
    "answer_rows", "award", "best_builds", "calibrate", "changes", "check", "compare", "explain", "export_offers",
    "front_chart", "import_prices", "load_catalog", "mend", "open_result", "plot", "price_history", "price_risk",
    "purchase_orders", "quote", "read_award_terms", "read_bids", "read_build", "read_calibration", "read_policy",
    "read_quote", "read_tender", "report", "report_html", "rfq", "shipped_catalog", "size", "size_models", "solve",
    "stale_offers", "validate_request", "vary", "verify_result", "why_not", "xray",
]  # fmt: skip
