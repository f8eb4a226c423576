"""What a total is made of, in a line: the lines of the bill, support, net, tax, total."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from optimizer.text.figures import grouped as grouped  # views take it from here
from optimizer.text.languages import N_, chosen

NET_OF_LINES = N_("Lines {lines}, support {support}: net {net}, {taxed} {currency}.")
TAXED = N_("tax {tax} ({rate} %), total with tax {total}")
NET_TAX_TOTAL = N_("net {net}, tax {tax}, total with tax {total} {currency}")
UNTAXED = N_("no tax added, total {total}")


def sums(cost: Mapping[str, Any], policy: Mapping[str, str]) -> str:
    """The figures of a point's cost; `policy`: the values that the result changed."""
    _ = chosen()
    lines = Decimal(cost["parts"]) + Decimal(cost["spares"])
    figures = {"lines": f"{lines:,}", "support": grouped(cost["support"]), "net": grouped(cost["net"])}
    return _(
        NET_OF_LINES, **figures, taxed=taxed(cost["tax"], cost["total"], rate_of(policy)), currency=cost["currency"]
    )


def rate_of(policy: Mapping[str, str]) -> Decimal:
    """Percent of tax that a result counts."""
    return Decimal(policy.get("money.tax_percent", "0"))


def taxed(tax: str, total: str, rate: Decimal) -> str:
    """The tax and the total with it; "with tax" is said only where a rate was added."""
    _ = chosen()
    if not rate:
        return _(UNTAXED, total=grouped(total))
    return _(TAXED, tax=grouped(tax), rate=f"{rate.normalize():f}", total=grouped(total))


def apart(more: str, currency: str) -> str:
    """`20,000.00 USD less` for `-20000.00`; what costs the same is said so."""
    _, amount = chosen(), Decimal(more)
    if not amount:
        return _("at the same cost")
    money = f"{abs(amount):,} {currency}"
    return _("{money} less", money=money) if amount < 0 else _("{money} more", money=money)


def total(net: str, tax: str, gross: str, currency: str) -> str:
    """One sum where no tax is added; else the net, the tax, and the sum with it."""
    figures = {"net": grouped(net), "tax": grouped(tax), "total": grouped(gross)}
    return chosen()(NET_TAX_TOTAL, **figures, currency=currency) if Decimal(tax) else f"{grouped(gross)} {currency}"
