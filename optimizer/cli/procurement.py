"""Procurement options of the command line into request fields."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from catalogs.errors import Fault, InputError
from catalogs.load import Catalog
from constraints.model.axis import AXES
from optimizer.request.approved_list import read

CONFIDENCES = ("list", "street", "estimate")


def fields(
    catalog: Catalog, *, origin: list[str], no_origin: list[str], confidence: str | None, max_estimated: str | None,
    max_lead: int | None, strict_lead: bool, avl: Path | None, max_sellers: int | None, one_seller: bool,
    max_share: str | None, cost_axis: str,
) -> dict[str, Any]:  # fmt: skip
    """Request fields; raises InputError naming the option."""
    if cost_axis not in AXES:
        raise _bad("--cost-axis", cost_axis, "is no cost that a front can ascend in", f"One of: {', '.join(AXES)}.")
    named = CONFIDENCES if confidence is None else tuple(sorted(set(_words([confidence], str.casefold))))
    if not named or set(named) - set(CONFIDENCES):
        remedy = f"A list of: {', '.join(CONFIDENCES)}."
        raise _bad("--confidence", str(confidence), "is no confidence of a price", remedy)
    return {
        "origins": _countries("--origin", origin),
        "barred_origins": _countries("--no-origin", no_origin),
        "confidences": named,
        "max_estimated_percent": percent("--max-estimated", max_estimated),
        "max_lead_days": max_lead,
        "strict_lead": strict_lead,
        "avl": read(avl, catalog) if avl is not None else (),
        "max_sellers": 1 if one_seller else max_sellers,
        "max_share_percent": percent("--max-share", max_share),
        "cost_axis": cost_axis,
    }


def _words(texts: list[str], fold: Any) -> list[str]:
    return [fold(w.strip()) for t in texts for w in t.split(",") if w.strip()]


def _countries(option: str, texts: list[str]) -> tuple[str, ...]:
    found = sorted(set(_words(texts, str.upper)))
    for code in found:
        if not re.fullmatch(r"[A-Z]{2}", code):
            raise _bad(option, code, "is no country code of two letters", "For example US,TW (ISO 3166-1 alpha-2).")
    return tuple(found)


def percent(option: str, text: str | None) -> int | None:
    """`30%` or `30`: whole percent from 0 to 100."""
    if text is None:
        return None
    m = re.fullmatch(r"(\d{1,3})\s*%?", text.strip(), re.ASCII)
    if not m or int(m[1]) > 100:
        raise _bad(option, text, "needs whole percent from 0 to 100", "For example 30%.")
    return int(m[1])


def _bad(option: str, value: str, text: str, remedy: str) -> InputError:
    return InputError(Fault("bad-option", text, column=option, value=value, remedy=remedy))
