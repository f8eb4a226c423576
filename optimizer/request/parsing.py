"""Values of fields from what was typed. Raises InputError that names the option, the value and the remedy."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any, get_args

from catalogs.errors import Fault, InputError
from catalogs.gpu_names import part_named
from catalogs.llm import use_config
from catalogs.message import message
from catalogs.nearest import one_of
from catalogs.offers import PRICE_WORDS, READ, BoughtAs, PriceLevel
from constraints.exchange import FxRate
from constraints.model.axis import AXES
from constraints.physics.grades import GRADES
from constraints.physics.markets import by_currency, market_of_country, sales_markets
from constraints.request import MOST_SUPPLY_V, Listed, Owned, Spare, SupportRate, volts_at_supply
from optimizer.request import approved_list, purchase_terms, texts
from optimizer.request.typed_values import Given
from optimizer.text.money import Money, count, currency_code
from optimizer.text.money import money as money_of

ANY_CONDITION = ("new", "refurbished", "used")


def model(given: Given) -> str:
    """The model's name from --model or, for this run alone, from the file of --model-config."""
    return model_of(given["model"], given["model_config"], given["precision"])


def model_of(name: str | None, config: Path | None, precision: str | None = None) -> str:
    """The model's name from --model or, for this run alone, from the file of --model-config; `precision`: that of
    --precision, for files that don't say how their weights are quantized."""
    if (name is None) == (config is None):
        remedy = "See `dsopt models list`."
        raise InputError(Fault("bad-model", "give one of --model and --model-config", column="--model", remedy=remedy))
    return use_config(config, precision) if config is not None else str(name)


def budget(given: Given) -> int | None:
    """Minor units."""
    found = _money(given)
    return None if found is None else found.cents


def currency(given: Given) -> str:
    """Of the budget, else the one named, else USD."""
    found = _money(given)
    return _code(given) or "USD" if found is None else found.currency


def market(given: Given) -> str | None:
    """The one named, by code or by a country of it; else that of the country of --tax, where it is another than the
    currency's."""
    named: str | None = given["market"]
    if named is None:
        of_tax = market_of_country(given["tax"] or "")
        return of_tax if of_tax and of_tax != by_currency()[currency(given)].code else None
    code = named.strip().upper()
    if code == "ANY":
        return "any"
    if code in sales_markets():
        return code
    if of_country := market_of_country(code):
        return of_country
    raise _bad("--market", named, "is no market that is known", one_of(named, (*sales_markets(), "any")))


def _money(given: Given) -> Money | None:
    """The budget. DSOPT_CURRENCY is a default, that an amount may name another than; --currency is not."""
    if given["budget"] is None:
        return None
    code = _code(given)
    return money_of(given["budget"], code if "currency" in given.typed else None, default=code)


def _code(given: Given) -> str | None:
    named: str | None = given["currency"]
    if named is None:
        return None
    return currency_code(named, "--currency" if "currency" in given.typed else "DSOPT_CURRENCY")


def throughput(given: Given) -> int | None:
    """0.1 tok/s."""
    speed = texts.above_zero(given["throughput"], 1e11, "--throughput", "bad-throughput")
    return None if speed is None else round(speed * 10)


def amount(text: str, option: str) -> float:
    """`20M`, `2000万`, `3亿`, `0.5` -> a positive number."""
    return float(count(text, option))


def tokens_per_day(given: Given) -> float | None:
    """Output tokens."""
    text = given["tokens_per_day"]
    return None if text is None else amount(text, "--tokens-per-day")


def requests_per_second(given: Given) -> float | None:
    """Requests in the mean."""
    text = given["requests_per_second"]
    return None if text is None else amount(text, "--requests-per-second")


def tokens_in(given: Given) -> int | None:
    """The request's own, else those of the workload that is named; none in training, which has a sequence length."""
    return _lengths(given).get("isl")


def tokens_out(given: Given) -> int | None:
    """As `tokens_in`."""
    return _lengths(given).get("osl")


def _lengths(given: Given) -> dict[str, Any]:
    if given["workload"] is None:
        return {"isl": given["isl"], "osl": given["osl"]}
    return texts.lengths(given["workload"], given["isl"], given["osl"])


def speculate(given: Given) -> str | None:
    """`MTP` -> `mtp`, `mtp-2` -> `mtp2`."""
    text = given["speculate"]
    return re.sub(r"^(mtp)-(?=\d)", r"\1", text.strip().casefold()) if isinstance(text, str) else None


def cached_share(given: Given) -> int | None:
    """Whole percent."""
    return percent("--cached-share", given["cached_share"])


def min_precision(given: Given) -> int | None:
    """`8bit` -> 8."""
    return bits(given["min_precision"])


FLOORS = ("2", "3", "4", "5", "6", "8", "16")
"""Bits that formats have."""


def bits(text: str | None) -> int | None:
    """`4bit`, `8-bit`, `16` -> the number of bits."""
    if text is None:
        return None
    digits = text.lower().removesuffix("bit").removesuffix("-")
    if digits not in FLOORS:
        remedy = one_of(text, [f"{floor}bit" for floor in FLOORS])
        raise InputError(f"--min-precision {text!r} is no number of bits", "bad-precision", remedy)
    return int(digits)


def watts(given: Given) -> int | None:
    """From kW."""
    kilowatts = texts.above_zero(given["max_kw"], 1e6, "--max-kw", "bad-power")
    return None if kilowatts is None else round(kilowatts * 1000)


def circuit(given: Given) -> dict[str, int] | None:
    """`15A@120V`, `32A@400V3`."""
    text = given["circuit"]
    if not text:
        return None
    found = re.fullmatch(r"(\d{1,4})A@(\d{2,3})V(3?)", text.strip(), re.IGNORECASE | re.ASCII)
    if not found:
        remedy = "For example 15A@120V, or 32A@400V3 with three phases."
        raise InputError(Fault("bad-circuit", "needs amps and volts", column="--circuit", value=text, remedy=remedy))
    volts, phases = int(found[2]), 3 if found[3] else 1
    if (seen := volts_at_supply(volts, phases)) > MOST_SUPPLY_V:
        why = message("supplies would see {volts} V, and none takes more than {most} V", volts=seen, most=MOST_SUPPLY_V)
        remedy = "Three phases are written 32A@400V3; of a higher voltage name the circuit behind the transformer."
        raise InputError(Fault("bad-circuit", why, column="--circuit", value=text, remedy=remedy))
    return {"amps": int(found[1]), "volts": volts, "phases": phases}


def have(given: Given) -> frozenset[str]:
    """`racks,network`."""
    return frozenset(words([given["have"] or ""]))


def vendors(given: Given) -> frozenset[str]:
    """Folded names."""
    return frozenset(words(given["vendor"] or []))


def barred_vendors(given: Given) -> frozenset[str]:
    """Folded names."""
    return frozenset(words(given["no_vendor"] or []))


def conditions(given: Given) -> frozenset[str]:
    """`any`, or a list; `new` where nobody says anything."""
    text = given["condition"] or "new"
    return frozenset(ANY_CONDITION if text == "any" else (word.strip() for word in text.split(",")))


def include(given: Given) -> tuple[str, ...]:
    """Ids of parts, found by their names."""
    return tuple(part_named(name, given.catalog).id for name in given["include"] or [])


def exclude(given: Given) -> frozenset[str]:
    """Ids of parts, found by their names."""
    return frozenset(part_named(name, given.catalog).id for name in given["exclude"] or [])


def gpus(given: Given) -> frozenset[str]:
    """Ids of GPUs, found by their names."""
    return frozenset(name for _, name in counted_gpus(given))


def gpu_count(given: Given) -> int | None:
    """The number before a name, where there is one."""
    return next((count for count, _ in counted_gpus(given) if count), None)


def counted_gpus(given: Given) -> list[tuple[int | None, str]]:
    """(number or None, GPU id) of each --gpu."""
    return [texts.gpu(text, given.catalog) for text in given["gpu"] or []]


def origins(given: Given) -> tuple[str, ...]:
    """Codes of countries."""
    return _countries("--origin", given["origin"] or [])


def barred_origins(given: Given) -> tuple[str, ...]:
    """Codes of countries."""
    return _countries("--no-origin", given["no_origin"] or [])


def _countries(option: str, given: list[str]) -> tuple[str, ...]:
    found = sorted(set(words(given, str.upper)))
    for code in found:
        if not re.fullmatch(r"[A-Z]{2}", code):
            raise _bad(option, code, "is no country code of two letters", "For example US,TW (ISO 3166-1 alpha-2).")
    return tuple(found)


def confidences(given: Given) -> tuple[str, ...]:
    """Kinds of price; all where nobody says anything. `read` stands for those that somebody read."""
    text = given["confidence"]
    if text is None:
        return PRICE_WORDS
    named = set(words([text]))
    known = named - {"read"} | (set(READ) if "read" in named else set())
    if not known or known - set(PRICE_WORDS):
        strange = next(iter(sorted(known - set(PRICE_WORDS))), "")
        remedy = one_of(strange, ("read", *PRICE_WORDS), "A list of").removesuffix(".")
        remedy += f"; read for {', '.join(READ)}."
        raise _bad("--confidence", str(text), "is no confidence of a price", remedy)
    if known == {"indexed"}:
        raise _bad("--confidence", str(text), "are too few prices to build from", "For example read,indexed.")
    return tuple(word for word in PRICE_WORDS if word in known)


def price_level(given: Given) -> str:
    """An end of every band, or its middle."""
    return _one_of("--price", given["price"] or "middle", get_args(PriceLevel))


def bought_as(given: Given) -> str:
    """How the build is bought."""
    return _one_of("--bought-as", given["bought_as"] or "configured", get_args(BoughtAs))


def prefer(given: Given) -> str:
    """Whose offers go first."""
    return _one_of("--prefer", given["prefer"] or "any", ("any", "mine"))


def _one_of(option: str, text: str, known: Sequence[str]) -> str:
    if text.casefold() not in known:
        raise _bad(option, text, "is not known here", one_of(text, known))
    return text.casefold()


def max_estimated(given: Given) -> int | None:
    """Whole percent."""
    return percent("--max-estimated", given["max_estimated"])


def max_share(given: Given) -> int | None:
    """Whole percent."""
    return percent("--max-share", given["max_share"], least=1)


def percent(option: str, text: str | None, least: int = 0) -> int | None:
    """`30%` or `30`: whole percent from `least` to 100."""
    if text is None:
        return None
    found = re.fullmatch(r"(\d{1,3})\s*%?", text.strip(), re.ASCII)
    if not found or not least <= int(found[1]) <= 100:
        raise _bad(option, text, f"needs whole percent from {least} to 100", "For example 30%.")
    return int(found[1])


def max_sellers(given: Given) -> int | None:
    """Of --max-sellers or --one-seller."""
    return 1 if given["one_seller"] else given["max_sellers"]


def avl(given: Given) -> tuple[Listed, ...]:
    """Rows of the approved list."""
    path = given["avl"]
    return () if path is None else approved_list.read(path, given.catalog)


def own(given: Given) -> tuple[Owned, ...]:
    """Parts in hand."""
    return purchase_terms.own(given["own"], given.catalog) if given["own"] else ()


def spares(given: Given) -> tuple[Spare, ...]:
    """Spare parts by category."""
    return purchase_terms.spares(given["spares"] or [])


def support(given: Given) -> tuple[SupportRate, ...]:
    """Rates by category; a single rate is a value of the policy."""
    return purchase_terms.support(given["support"])[1]


def fx(given: Given) -> tuple[FxRate, ...]:
    """Rates of the file."""
    return purchase_terms.fx(given["fx"]) if given["fx"] else ()


def grade(given: Given) -> str | None:
    """What a build must have; the command's own default where nobody says anything."""
    name = given["grade"]
    if name is not None and name not in GRADES:
        raise _bad("--grade", name, "is no grade", one_of(name, GRADES))
    return name  # type: ignore[no-any-return]


def cost_axis(given: Given) -> str | None:
    """What the front ascends in."""
    axis = given["cost_axis"]
    if axis is not None and axis not in AXES:
        raise _bad("--cost-axis", axis, "is no cost that a front can ascend in", one_of(axis, AXES))
    return axis  # type: ignore[no-any-return]


def as_of(given: Given) -> date:
    """Today where nobody says anything."""
    return texts.day(given["as_of"])


def words(given: list[str], fold: Callable[[str], str] = str.casefold) -> list[str]:
    """Words that stand between commas in any of the texts."""
    return [fold(word.strip()) for text in given for word in text.split(",") if word.strip()]


def _bad(option: str, value: str, text: str, remedy: str) -> InputError:
    return InputError(Fault("bad-option", text, column=option, value=value, remedy=remedy))
