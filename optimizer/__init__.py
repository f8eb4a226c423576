"""dsopt as a library: `from optimizer import solve, explain, check, size` (see optimizer/library.py).

Names are imported when they are first used: the command line starts without them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from constraints.case import Build
    from constraints.policy import Policy
    from constraints.request import Request
    from optimizer.library import (
        check,
        compare,
        explain,
        mend,
        price_risk,
        read_quote,
        shipped_catalog,
        size,
        solve,
        vary,
        why_not,
        xray,
    )

__all__ = [
    "Build", "Policy", "Request", "check", "compare", "explain", "mend", "price_risk", "read_quote", "shipped_catalog",
    "size", "solve", "vary", "why_not", "xray",
]  # fmt: skip
_HOMES = {"Build": "constraints.case", "Policy": "constraints.policy", "Request": "constraints.request"}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'optimizer' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES.get(name, "optimizer.library")), name)
