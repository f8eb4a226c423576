"""Rules of scoring and of abnormally low bids as data: files of `data/scoring`, `data/low_price`, or the buyer's own.

Each file names its source, its day and how certain it is ("primary text read", "secondary", "unsure"); the tender's own
words come first: rates, weights, bands and thresholds that a rule leaves open are the buyer's (docs/compare.md)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import BaseModel, Field, ValidationError

from catalogs.errors import Fault, InputError
from catalogs.inputs import read_toml
from catalogs.nearest import one_of
from optimizer.result.strict import Strict

Method = Literal["points", "lowest", "ratio", "ratio_band", "weighted_ratio"]
PriceFormula = Literal["lowest_over_own", "linear_low_high", "none_at_double"]
Certainty = Literal["primary text read", "secondary", "unsure", "the buyer's"]
Declaration = Literal["small", "domestic", "foreign"]
Figure = Literal["throughput_tok_s", "power_w", "rack_units", "lead_days", "warranty_months"]
Percent = Field(default=None, ge=-100, le=100)
M = TypeVar("M", bound=BaseModel)
DATA = Path(__file__).parent / "data"


class Deduction(Strict):
    """Percent off a bid's original price, for its evaluation alone, where the bidder declares it; all are added.

    `percent`: fixed by the rule or by the tender, within `least_percent` and `most_percent`; below zero it is added.
    `least_share_percent`: of the declared share. `only_where_mixed`: only where some bids have it and others have not.
    `reserved`: the package is reserved for those who would get it: then nobody does."""

    declared: Declaration
    percent: Decimal | None = Percent
    least_percent: Decimal | None = Percent
    most_percent: Decimal | None = Percent
    least_share_percent: Decimal = Decimal(0)
    only_where_mixed: bool = False
    reserved: bool = False


class OwnCriterion(Strict):
    """A criterion of the tender that experts give points for (`--points`); `title` in the tender's words."""

    key: str = Field(pattern=r"^[a-z][a-z0-9_]{0,30}$")
    title: str = Field(min_length=1, max_length=120)
    weight: Decimal = Field(gt=0, le=100)


class Minimum(Strict):
    """A hard (star) demand: a bid that misses it is out; what a bid does not say is not judged."""

    figure: Figure
    least: Decimal | None = None
    most: Decimal | None = None


class LifeCycle(Strict):
    """Costs of use beside the price: energy at `price_per_kwh` (net, in the comparison's currency) for `years` at a
    share `load` of the build's power, times `pue`; support and the end of life in money."""

    years: Decimal = Field(gt=0, le=30)
    price_per_kwh: Decimal = Field(ge=0)
    load: Decimal = Field(default=Decimal(1), gt=0, le=1)
    pue: Decimal = Field(default=Decimal(1), ge=1, le=5)
    support_per_year: Decimal = Field(default=Decimal(0), ge=0)
    end_of_life: Decimal = Field(default=Decimal(0))


class ScoringRules(Strict):
    """How bids are ranked. `method`: `points` (weighted sum), `lowest` (evaluation price), `ratio` (points per price),
    `ratio_band` (the same, and within `band_percent` of the best `decides`), `weighted_ratio` (both against their
    medians or the reference values). `basis`: of the price that is scored. `ties`: equal scores go to the lower bid
    price, or share a rank."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,40}$")
    title: str = Field(max_length=120)
    jurisdiction: str = ""
    method: Method = "points"
    price_formula: PriceFormula = "lowest_over_own"
    basis: Literal["net", "gross"] = "net"
    weights: dict[str, Decimal] = Field(default={}, description="points by criterion of dsopt; 100 with own criteria")
    criteria: tuple[OwnCriterion, ...] = ()
    minimums: tuple[Minimum, ...] = ()
    deductions: tuple[Deduction, ...] = ()
    life_cycle: LifeCycle | None = None
    band_percent: Decimal | None = Field(default=None, gt=0, lt=100)
    decides: Literal["points", "price"] = "points"
    weight_points: Decimal = Field(default=Decimal(50), gt=0, lt=100, description="of weighted_ratio; the rest: price")
    reference_points: Decimal | None = Field(default=None, gt=0)
    reference_price: Decimal | None = Field(default=None, gt=0)
    ties: Literal["price", "none"] = "none"
    least_price_weight: Decimal = Decimal(0)
    low_price: str = Field(default="", description="name of the rule on abnormally low bids")
    certainty: Certainty = "the buyer's"
    date: date
    source: str = Field(min_length=1)


class LowTest(Strict):
    """A bid is asked about below `percent` of the mean of the bids, of the next lowest bid (for the lowest), or of the
    ceiling; null where the law has no number and the buyer gives it."""

    of: Literal["mean", "next", "ceiling"]
    percent: Decimal | None = Field(default=None, gt=0, lt=100)


class LowPriceRules(Strict):
    """When a price is to be asked about. `or_equal`: at the limit too; `of_all_bids`: bids that can't be awarded count
    in the mean."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,40}$")
    title: str = Field(max_length=120)
    jurisdiction: str = ""
    tests: tuple[LowTest, ...] = Field(min_length=1)
    most_percent: Decimal = Field(default=Decimal(100), gt=0, le=100)
    or_equal: bool = False
    of_all_bids: bool = False
    certainty: Certainty = "the buyer's"
    date: date
    source: str = Field(min_length=1)


def shipped(kind: str) -> list[str]:
    """Names of the rules that come with dsopt: `scoring` or `low_price`."""
    return sorted(path.stem for path in (DATA / kind).glob("*.toml"))


def scoring_rules(given: str) -> ScoringRules:
    """Rules by name, or a TOML file of the buyer's; a file may say `base = "cn-goods"` and what differs.

    Raises InputError for what is neither, and for values that make no sense."""
    rules = _read(given, "scoring", "--scoring", ScoringRules)
    _sensible(rules, given)
    return rules


def low_price_rules(given: str) -> LowPriceRules:
    """Rules by name, `NAME=80` with the buyer's threshold in percent for all tests, or a TOML file; as above."""
    name, _, percent = given.partition("=")
    rules = _read(name, "low_price", "--low-price", LowPriceRules)
    if percent:
        try:
            value = Decimal(percent.removesuffix("%"))
        except ArithmeticError:
            value = Decimal("NaN")
        if not value.is_finite() or not 0 < value <= rules.most_percent:
            remedy = f"Percent above 0, {rules.most_percent.normalize():f} at most."
            raise _bad("--low-price", given, "is no threshold of the rule", remedy)
        tests = tuple(test.model_copy(update={"percent": value}) for test in rules.tests)
        rules = rules.model_copy(update={"tests": tests})
    if any(test.percent is None for test in rules.tests):
        raise _bad("--low-price", given, "has no number of its own", f"Give the buyer's: --low-price {name}=80.")
    return rules


def own_low_price(rules: ScoringRules) -> LowPriceRules | None:
    """The rule on low prices that a scoring rule names; None where it has no number until the buyer gives one."""
    if not rules.low_price:
        return None
    found = _read(rules.low_price, "low_price", "--scoring", LowPriceRules)
    return found if all(test.percent is not None for test in found.tests) else None


def _read(given: str, kind: str, option: str, model: type[M]) -> M:
    if given in shipped(kind):
        data = read_toml(DATA / kind / f"{given}.toml")
    elif given.endswith(".toml"):
        data = read_toml(Path(given), column=option)
        base = data.pop("base", "")
        if base and base not in shipped(kind):
            raise _bad(option, str(base), "is the base of no rule", one_of(base, shipped(kind)))
        data = {**(read_toml(DATA / kind / f"{base}.toml") if base else {}), **data}
    else:
        raise _bad(option, given, "is no rule", one_of(given, shipped(kind)).removesuffix(".") + "; or a .toml file.")
    try:
        return model.model_validate(data)
    except ValidationError as wrong:
        first = wrong.errors()[0]
        place = ".".join(str(x) for x in first["loc"])
        remedy = "dsopt schema scoring and dsopt schema low-price say what a file holds."
        raise _bad(option, given, f"{place}: {first['msg']}", remedy) from None


def _sensible(rules: ScoringRules, given: str) -> None:
    for deduction in rules.deductions:
        least, most, rate = deduction.least_percent, deduction.most_percent, deduction.percent
        if rate is not None and ((least is not None and rate < least) or (most is not None and rate > most)):
            remedy = f"The rule allows {least} to {most} percent."
            raise _bad(
                "--scoring", f"{given}: {deduction.declared} {rate}", "deducts what the rule does not allow", remedy
            )
    if rules.method == "ratio_band" and rules.band_percent is None:
        text, remedy = "says no band", 'Give band_percent of the tender in a file with base = "de-ufab-extended".'
        raise _bad("--scoring", given, text, remedy)
    if (rules.reference_points is None) != (rules.reference_price is None):
        raise _bad("--scoring", given, "gives one reference value of two", "Give both, or none for the medians.")
    keys: Sequence[str] = [criterion.key for criterion in rules.criteria]
    if len(set(keys)) < len(keys) or set(keys) & set(rules.weights):
        raise _bad("--scoring", given, "names a criterion twice", "Leave one of them.")


def _bad(option: str, value: str, text: str, remedy: str) -> InputError:
    return InputError(Fault("bad-scoring", text, column=option, value=value[:80], remedy=remedy))
