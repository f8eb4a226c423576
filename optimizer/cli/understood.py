"""The request as it was understood, in a line: the first that is printed, before anything is solved."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from catalogs.load import Catalog
from constraints.policy import Policy
from constraints.request import Request
from optimizer.cli.output import say
from optimizer.request.command import UNTYPED, Typed, conditions, number
from optimizer.text.languages import N_, Words, chosen
from optimizer.text.minor_units import money

ASKED = N_("Asked: {what}.")


def show_understood(
    catalog: Catalog, request: Request, policy: Policy, every_model: bool = False, typed: Typed = UNTYPED
) -> None:
    """Prints it, once the request makes sense in the catalog: a request that is refused leaves stdout empty."""
    if not every_model:
        from optimizer.library import validate_request

        validate_request(request, catalog=catalog, policy=policy)
    say(understood(request, policy, every_model, typed))


def understood(request: Request, policy: Policy, every_model: bool = False, typed: Typed = UNTYPED) -> str:
    """Amount with currency, model, load, workload, day, and all other conditions as the options that say them."""
    _ = chosen()
    clauses = [*_wanted(request, _, every_model), _("prices of {day}", day=request.as_of.isoformat())]
    if others := conditions(request, policy, typed):
        clauses.append(_("with {options}", options=others))
    return _(ASKED, what=("；" if _.language == "zh" else "; ").join(clauses))


def _wanted(r: Request, _: Words, every_model: bool) -> Iterator[str]:
    if r.budget_cents is not None:
        amount = f"{Decimal(money(r.budget_cents, r.currency)):,}"
        yield _("budget {amount} {currency}", amount=amount, currency=r.currency)
    else:
        yield _("no budget, amounts in {currency}", currency=r.currency)
    yield _("every model") if every_model else _("model {model}", model=r.model)
    if r.throughput_tenths is not None:
        yield _("at least {speed} tok/s", speed=f"{Decimal(r.throughput_tenths) / 10:,}")
    if r.users is not None:
        yield _("one user at once") if r.users == 1 else _("{n} users at once", n=f"{r.users:,}")
    if r.tokens_per_day is not None:
        yield _("{n} output tokens a day", n=_grouped(r.tokens_per_day))
    if r.requests_per_second is not None:
        yield _("{n} requests a second", n=_grouped(r.requests_per_second))
    if r.trains:
        yield _("workload {name}", name=r.workload)
        return
    yield _("workload {name}: {isl} tokens in, {osl} out", name=r.workload, isl=f"{r.isl:,}", osl=f"{r.osl:,}")
    if r.workload != "batch" and r.min_tok_s_user:
        yield _("each user at least {speed} tok/s", speed=number(r.min_tok_s_user))
    if r.max_ttft_ms is not None:
        yield _("first token within {ms} ms", ms=number(r.max_ttft_ms))


def _grouped(value: float) -> str:
    return f"{Decimal(number(value)):,}"
