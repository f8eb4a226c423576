"""Values of fields as they are typed on a command line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from catalogs.offers import PRICE_WORDS, READ
from catalogs.schema import Kind
from constraints.exchange import minor_digits
from constraints.physics.markets import of_the_currency
from constraints.policy import table
from constraints.request import WORKLOADS, Request, SupportRate

DEFAULTS = {name: field.default for name, field in Request.model_fields.items()}


def number(value: float | Decimal) -> str:
    """A number as short as it is exact."""
    text = f"{Decimal(str(value)):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def grouped(value: float) -> str:
    """`20,000,000`: a number for people to read."""
    return f"{Decimal(number(value)):,}"


def default(field: str) -> Any:
    """What a field is where nobody says anything."""
    return DEFAULTS[field]


def is_default(request: Request, field: str) -> bool:
    """Whether the field is what it is where nobody says anything."""
    return bool(getattr(request, field) == DEFAULTS[field])


def text_of(value: Any) -> str:
    """The plain value of a field."""
    return number(value) if isinstance(value, int | float) else str(value)


def budget(request: Request) -> Iterator[str]:
    """In whole units of the currency."""
    if request.budget_cents is not None:
        yield number(Decimal(request.budget_cents).scaleb(-minor_digits(request.currency)))


def confidences(request: Request) -> Iterator[str]:
    """Words of prices, all that somebody read as `read`; nothing where all are admitted."""
    words: list[str] = list(request.confidences)
    if set(words) == set(PRICE_WORDS):
        return
    if set(READ) <= set(words):
        words = ["read", *(word for word in words if word not in READ)]
    yield ",".join(words)


def market(request: Request) -> Iterator[str]:
    """Where it is not that of the currency."""
    if request.market is not None and not of_the_currency(request):
        yield request.market


def throughput(request: Request) -> Iterator[str]:
    """In tok/s."""
    if request.throughput_tenths is not None:
        yield number(Decimal(request.throughput_tenths) / 10)


def tokens_in(request: Request) -> Iterator[str]:
    """Where it is not that of the workload."""
    if not request.trains and request.isl != WORKLOADS[request.workload][0]:
        yield str(request.isl)


def tokens_out(request: Request) -> Iterator[str]:
    """Where it is not that of the workload."""
    if not request.trains and request.osl != WORKLOADS[request.workload][1]:
        yield str(request.osl)


def kilowatts(request: Request) -> Iterator[str]:
    """Of a field in W."""
    if request.max_power_w is not None:
        yield number(Decimal(request.max_power_w) / 1000)


def circuit(request: Request) -> Iterator[str]:
    """`15A@120V`."""
    if request.circuit is not None:
        phases = "3" if request.circuit.phases == 3 else ""
        yield f"{request.circuit.amps}A@{request.circuit.volts}V{phases}"


def conditions(request: Request) -> Iterator[str]:
    """`any`, `refurbished,used`."""
    yield "any" if len(request.conditions) == 3 else ",".join(sorted(request.conditions))


def gpus(request: Request) -> Iterator[str]:
    """`8xNAME` where their number is asked for."""
    for gpu in sorted(request.gpus):
        yield f"{request.gpu_count}x{gpu}" if request.gpu_count else gpu


def spares(request: Request) -> Iterator[str]:
    """`gpu=1/16`."""
    for spare in request.spares:
        yield f"{spare.category.value}={spare.pieces}/{spare.per}"


def as_of(request: Request) -> Iterator[str]:
    """ISO date."""
    yield request.as_of.isoformat()


def support_file(request: Request, files: Mapping[str, str]) -> str:
    """The file named, else `table` for the rates that come with dsopt, else a name that stands for a file."""
    return files.get("support") or ("table" if request.support == shipped_support() else "SUPPORT.csv")


def shipped_support() -> tuple[SupportRate, ...]:
    """Rates of support by category that come with dsopt: what `--support table` stands for."""
    return tuple(SupportRate(category=Kind(r["category"]), percent=Decimal(r["percent"])) for r in table("support"))
