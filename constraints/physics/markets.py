"""Where a request's buyer buys, and what that decides: which parts are sold there on a day, the line voltage, the
price of energy (constraints/data/markets.csv, market_rules.csv; docs/markets.md)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache, lru_cache
from typing import Literal, get_args

from catalogs.message import joined, message
from catalogs.schema import Gpu, MarketCode, Part, Pdu
from constraints.physics.circuits import Region, region_of, regions
from constraints.policy import Policy, table
from constraints.request import Request, volts_at_supply

LINE_VOLTS = "power.line_volts"
PDU_NEAR_PERCENT = 9
"""How far the voltage on a PDU's nameplate may lie from the line's: 415 V units run on 380 V, 230 V units on 220 V;
208 V and 230 V are apart."""


@dataclass(frozen=True)
class SalesMarket:
    """What is the same for all buyers of a market. `three_phase_volts`: between two phases; `server_volts`: what
    supplies of servers see; `energy_price`: of a kWh in `energy_currency`, None where nobody was found who says it."""

    code: MarketCode
    currency: str
    region: Region
    three_phase_volts: tuple[int, ...]
    server_volts: int
    energy_price: Decimal | None
    energy_currency: str

    @property
    def supply_volts(self) -> frozenset[int]:
        """Volts that supplies see there."""
        return frozenset({*self.region.volts, *(volts_at_supply(volts, 3) for volts in self.three_phase_volts)})

    @property
    def pdu_volts(self) -> tuple[int, ...]:
        """Line voltages that a PDU may be made for, ascending."""
        return tuple(sorted({*self.region.volts, *self.three_phase_volts}))


@cache
def sales_markets() -> dict[str, SalesMarket]:
    """All markets by code."""
    by_name = {region.name: region for region in regions()}
    codes: dict[str, MarketCode] = {code: code for code in get_args(MarketCode)}
    return {
        row["market"]: SalesMarket(
            code=codes[row["market"]],
            currency=row["currency"],
            region=by_name[row["region"]],
            three_phase_volts=tuple(int(volts) for volts in row["three_phase_volts"].split("|")),
            server_volts=int(row["server_volts"]),
            energy_price=Decimal(row["energy_price"]) if row["energy_price"] else None,
            energy_currency=row["energy_currency"],
        )
        for row in table("markets")
    }


@cache
def by_currency() -> dict[str, SalesMarket]:
    """All markets by the currency that a request without a market has."""
    return {market.currency: market for market in sales_markets().values()}


def market_of(request: Request) -> SalesMarket | None:
    """The market that a request names, else the one of its currency; None where any will do."""
    if request.market == "any":
        return None
    return sales_markets()[request.market] if request.market else by_currency()[request.currency]


def of_the_currency(request: Request) -> bool:
    """Whether a request's market is the one that its currency means."""
    return request.market in (None, by_currency()[request.currency].code)


def settled_market(request: Request) -> Request:
    """The request with its market named: in another currency it stays where it is."""
    if request.market is not None:
        return request
    return request.model_copy(update={"market": by_currency()[request.currency].code})


def market_of_country(country: str) -> str:
    """The market of a country of constraints/data/tax.csv; empty where it is in none."""
    return next((row["market"] for row in table("tax") if row["country"] == country.strip().upper()), "")


def line_volts(request: Request, policy: Policy) -> int:
    """Volts that a supply sees: of the circuit asked for, else of the buyer's policy, else of the market."""
    if request.line_volts:
        return request.line_volts
    market = market_of(request)
    if market is None or LINE_VOLTS in policy.changed:
        return policy.whole(LINE_VOLTS)
    return market.server_volts


def region_at(volts: int, request: Request) -> Region | None:
    """Whose breakers and couplers hold where supplies see so many volts: those of the request's market where lines
    there have them, else of the region with the nearest line voltage. 240 V of 415 is British in the UK and American in
    the US; elsewhere it is taken as American, the stricter of the two."""
    market = market_of(request)
    return market.region if market is not None and volts in market.supply_volts else region_of(volts)


@dataclass(frozen=True)
class MarketRule:
    """A row of market_rules.csv: from `first` to `last` day the parts that it covers are `barred` in the markets that
    `markets` names (as in a part's column), or only `warned` of. It covers `parts`, GPUs `made_in` a country, and those
    that reach both `least_tpp` and `least_mem_gb_s`, where one is given."""

    name: str
    markets: tuple[str, ...]
    effect: Literal["barred", "warned"]
    first: date
    last: date
    least_tpp: int | None
    least_mem_gb_s: int | None
    made_in: str
    parts: frozenset[str]
    says: str

    def holds(self, market: MarketCode, day: date) -> bool:
        """Whether it is in force there on a day."""
        named = f"!{market}" not in self.markets if self.markets[0].startswith("!") else market in self.markets
        return named and self.first <= day <= self.last

    def covers(self, part: Part, market: MarketCode) -> bool:
        """Whether it is about a part. What reaches a figure counts where it is not of the market's own makers: to sell
        that there is no export."""
        if part.id in self.parts:
            return True
        if not isinstance(part, Gpu):
            return False
        if self.made_in and part.country.upper() == self.made_in:
            return True
        if part.country.upper() == market:
            return False
        if self.least_tpp is None and self.least_mem_gb_s is None:
            return False
        fast = self.least_tpp is None or total_processing_performance(part) >= self.least_tpp
        return fast and (self.least_mem_gb_s is None or (part.mem_gb_s or 0) >= self.least_mem_gb_s)


@cache
def market_rules() -> tuple[MarketRule, ...]:
    """All rules, in the order of the file."""
    return tuple(
        MarketRule(
            name=row["rule"],
            markets=tuple(row["markets"].split("|")),
            effect="warned" if row["effect"] == "warned" else "barred",
            first=date.fromisoformat(row["from"]) if row["from"] else date.min,
            last=date.fromisoformat(row["until"]) if row["until"] else date.max,
            least_tpp=int(row["least_tpp"]) if row["least_tpp"] else None,
            least_mem_gb_s=int(row["least_mem_gb_s"]) if row["least_mem_gb_s"] else None,
            made_in=row["made_in"],
            parts=frozenset(row["parts"].split("|")) - {""},
            says=row["says"],
        )
        for row in table("market_rules")
    )


@lru_cache(maxsize=256)
def _in_force(effect: str, market: MarketCode, day: date) -> tuple[MarketRule, ...]:
    """Rules of an effect in a market on a day. Remembered, since it is asked of every part."""
    return tuple(rule for rule in market_rules() if rule.effect == effect and rule.holds(market, day))


def total_processing_performance(gpu: Gpu) -> float:
    """Of EAR 3A090: the largest product of dense TFLOPS and the bits of the operands; 0 where no rate is known."""
    rates = ((gpu.fp16_tflops, 16), (gpu.fp8_tflops, 8), (gpu.int8_tops, 8), (gpu.fp4_tflops, 4))
    return max(((rate or 0) * bits for rate, bits in rates), default=0)


def not_sold(part: Part, request: Request) -> str:
    """Why a part itself can't be bought in the request's market on its day; empty where it can."""
    market = market_of(request)
    if market is None:
        return ""
    if not part.sold_in(market.code):
        return _not_there(market, _where(part))
    for rule in _in_force("barred", market.code, request.as_of):
        if rule.covers(part, market.code):
            return _not_there(market, message(rule.says))
    if isinstance(part, Pdu) and request.circuit is None and not _fits(part, market):
        lines = joined([str(volts) for volts in market.pdu_volts], ", ", " or ")
        return _not_there(market, message("made for {a} V, lines there have {b} V", a=part.volts, b=lines))
    return ""


def warned_of(part: Part, request: Request) -> list[str]:
    """What is to be known of buying a part in the request's market on its day, though it is sold there."""
    market = market_of(request)
    if market is None:
        return []
    return [
        message(rule.says) for rule in _in_force("warned", market.code, request.as_of) if rule.covers(part, market.code)
    ]


def _not_there(market: SalesMarket, why: str) -> str:
    return message("not sold in market {market}: {why}", market=market.code, why=why)


def _where(part: Part) -> str:
    codes = [code.removeprefix("!") for code in part.markets]
    if part.markets[0].startswith("!"):
        return message("its maker leaves out {list}", list=joined(codes))
    return message("sold in {list} alone", list=joined(codes))


def _fits(pdu: Pdu, market: SalesMarket) -> bool:
    """Whether a PDU is made for a line voltage of the market."""
    return any(100 * abs(pdu.volts - volts) <= PDU_NEAR_PERCENT * max(pdu.volts, volts) for volts in market.pdu_volts)
