"""Conditions of a request in words, where a sentence with the value in it is not enough."""

from __future__ import annotations

from catalogs.formats import BITS
from catalogs.message import N_, message
from constraints.physics.circuits import circuit_words
from constraints.physics.grades import grade_words
from constraints.physics.markets import market_of, not_sold, of_the_currency
from constraints.request import Request
from constraints.rules.precision import at_any_floor
from optimizer.request.entry import Asked
from optimizer.text.figures import amount, listed, spent, trimmed


def budget(asked: Asked) -> str:
    """With its currency."""
    assert asked.request.budget_cents is not None
    return message("a budget of {money}", money=spent(asked.request.budget_cents, asked.request.currency))


def throughput(asked: Asked) -> str:
    """Of the whole build."""
    assert asked.request.throughput_tenths is not None
    return message("{qty} tok/s in all", qty=trimmed(asked.request.throughput_tenths / 10))


def load(asked: Asked) -> str:
    """Of either kind."""
    request = asked.request
    key = "a load of {n} tokens a day" if request.tokens_per_day else "a load of {n} requests a second"
    return message(key, n=trimmed(request.tokens_per_day or request.requests_per_second or 0))


def serves_each_user(asked: Asked) -> bool:
    """Whether the speed that each user sees counts."""
    request = asked.request
    return request.min_tok_s_user > 0 and not request.trains and request.workload != "batch"


def says_user_speed(asked: Asked) -> bool:
    """Whether the buyer named it."""
    return bool(asked.request.min_tok_s_user != Request.model_fields["min_tok_s_user"].default)


def limits_precision(asked: Asked) -> bool:
    """Whether a build could have weights of other precisions, were they asked for."""
    request, llm = asked.request, asked.llm
    lowest = min((BITS[p] for p in at_any_floor(llm, request)), default=16)
    narrows = request.precision is not None or _least_bits(asked) > lowest
    return narrows and (request.lora or not request.trains)


def _least_bits(asked: Asked) -> int:
    return min(asked.request.min_precision_bits or 32, asked.llm.min_precision_bits)


def precision(asked: Asked) -> str:
    """The one asked for, else the least."""
    named = asked.request.precision
    return message("precision {x}", x=named) if named else message("weights of at least {n} bits", n=_least_bits(asked))


def kilowatts(asked: Asked) -> str:
    """Of a field in W."""
    assert asked.request.max_power_w is not None
    return message("at most {n} kW", n=trimmed(asked.request.max_power_w / 1000))


def circuit(asked: Asked) -> str:
    """Amps and volts."""
    assert asked.request.circuit is not None
    return message("one circuit of {circuit}", circuit=circuit_words(asked.request.circuit))


def market(asked: Asked) -> str:
    """By its code."""
    there = market_of(asked.request)
    return message("market {code}", code=there.code) if there else ""


def says_market(asked: Asked) -> bool:
    """Whether the buyer named another one than the currency's."""
    return not of_the_currency(asked.request)


def market_bars(asked: Asked) -> bool:
    """Whether the market leaves out a part that somebody offers."""
    return any(not_sold(asked.catalog.parts[part], asked.request) for part in asked.catalog.offers)


def vendors(asked: Asked) -> str:
    """As the catalog writes them."""
    return _vendors(N_("only vendors {list}"), asked, asked.request.vendors)


def barred_vendors(asked: Asked) -> str:
    """As the catalog writes them."""
    return _vendors(N_("no vendor {list}"), asked, asked.request.barred_vendors)


def _vendors(key: str, asked: Asked, names: frozenset[str]) -> str:
    written = {part.vendor.casefold(): part.vendor for part in asked.catalog.parts.values()}
    return members(key, frozenset(written.get(name, name) for name in names))


def members(key: str, names: frozenset[str] | tuple[str, ...]) -> str:
    """Names in order, in the sentence of a key."""
    return message(key, list=listed(sorted(names)))


def conditions(asked: Asked) -> str:
    """Conditions of parts."""
    return message("{list} parts only", list=listed(sorted(asked.request.conditions)))


def confidences(asked: Asked) -> str:
    """Kinds of price."""
    return message("prices of confidence {list}", list=listed(list(asked.request.confidences), "or"))


def gpus(asked: Asked) -> str:
    """With their number where it is asked for."""
    request = asked.request
    if not request.gpu_count:
        return message("only {list}", list=listed(sorted(request.gpus), "or"))
    first, *others = sorted(request.gpus)
    return listed([f"{request.gpu_count} x {first}", *others], "or")


def filled(sentence: str, value: float) -> str:
    """A sentence with the value of a field."""
    return amount(sentence, value)


def most_sellers(asked: Asked) -> int:
    """All that the catalog knows, or as many as are allowed already."""
    sellers = {offer.seller for offers in asked.catalog.offers.values() for offer in offers}
    return max(len(sellers), asked.request.max_sellers or 0)


def grade(asked: Asked) -> str:
    """What a build must have."""
    return message("grade {name}", name=grade_words(asked.request.grade))
