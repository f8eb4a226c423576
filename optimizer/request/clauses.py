"""Clauses of the request as it was understood."""

from __future__ import annotations

from decimal import Decimal

from constraints.physics.markets import market_of
from constraints.request import Request
from optimizer.request.printing import grouped, number
from optimizer.text.languages import Words
from optimizer.text.minor_units import money


def budget(request: Request, _: Words) -> str:
    """With the currency, which a request without a budget has too."""
    if request.budget_cents is None:
        return _("no budget, amounts in {currency}", currency=request.currency)
    amount = f"{Decimal(money(request.budget_cents, request.currency)):,}"
    return _("budget {amount} {currency}", amount=amount, currency=request.currency)


def market(request: Request, _: Words) -> str:
    """Where the buyer buys, named or by the currency."""
    there = market_of(request)
    return _("market {code}", code=there.code) if there else _("any market")


def model(request: Request, _: Words) -> str:
    """By the name that was typed."""
    return _("model {model}", model=request.model)


def throughput(request: Request, _: Words) -> str:
    """Nothing where none is asked for."""
    if request.throughput_tenths is None:
        return ""
    return _("at least {speed} tok/s", speed=f"{Decimal(request.throughput_tenths) / 10:,}")


def users(request: Request, _: Words) -> str:
    """Nothing where none are asked for."""
    if request.users is None:
        return ""
    return _("one user at once") if request.users == 1 else _("{n} users at once", n=f"{request.users:,}")


def tokens_per_day(request: Request, _: Words) -> str:
    """Nothing where none are asked for."""
    load = request.tokens_per_day
    return "" if load is None else _("{n} output tokens a day", n=grouped(load))


def requests_per_second(request: Request, _: Words) -> str:
    """Nothing where none are asked for."""
    load = request.requests_per_second
    return "" if load is None else _("{n} requests a second", n=grouped(load))


def grade(request: Request, _: Words) -> str:
    """What a build must have."""
    return _("grade {name}", name=_(request.grade))


def workload(request: Request, _: Words) -> str:
    """With its lengths, in serving."""
    if request.trains:
        return _("workload {name}", name=request.workload)
    lengths = {"isl": f"{request.isl:,}", "osl": f"{request.osl:,}"}
    return _("workload {name}: {isl} tokens in, {osl} out", name=request.workload, **lengths)


def cached_share(request: Request, _: Words) -> str:
    """Nothing where none is said."""
    share = request.cached_share_percent
    return _("{percent} % of each prompt in the prefix cache", percent=share) if share else ""


def user_speed(request: Request, _: Words) -> str:
    """Nothing where no user waits for it."""
    if request.trains or request.workload == "batch" or not request.min_tok_s_user:
        return ""
    return _("each user at least {speed} tok/s", speed=number(request.min_tok_s_user))


def first_token(request: Request, _: Words) -> str:
    """Nothing where no limit is asked for."""
    if request.trains or request.max_ttft_ms is None:
        return ""
    return _("first token within {ms} ms", ms=number(request.max_ttft_ms))


def as_of(request: Request, _: Words) -> str:
    """The day."""
    return _("prices of {day}", day=request.as_of.isoformat())


def throughput_unit(request: Request) -> str:
    """Of what a build gives."""
    return "training tokens/s" if request.trains else "output tokens/s"


def least_speed(request: Request) -> float | None:
    """Of the whole build, in tok/s."""
    return None if request.throughput_tenths is None else request.throughput_tenths / 10


def mean_load(request: Request) -> float | None:
    """Output tok/s of a load of either kind."""
    return None if request.mean_tok_s is None else round(request.mean_tok_s, 1)


def speed_that_counts(request: Request) -> float | None:
    """The speed that each user sees at least; None where no user waits."""
    return None if request.workload == "batch" else request.min_tok_s_user
