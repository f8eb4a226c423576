"""A rule is written once per purpose, side by side: `may` says no early, `encode` goes into CP-SAT, `check` judges a
finished build."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, get_args

from catalogs.message import message

if TYPE_CHECKING:
    from catalogs.schema import Part
    from constraints.build import Case
    from constraints.facts import Facts
    from constraints.model.family_model import FamilyModel

Status = Literal["pass", "warn", "fail"]
Relation = Literal["", "at_most", "at_least"]
"""How the measured value of a finding that passes stands to its limit; empty of a yes or no finding."""
Phase = Literal["parts", "shared", "money"]
"""What a rule is about: the parts of a node and the plan on them; what nodes share (networks, cooling, racks, power,
site); orders and money."""
Reads = Literal["plan", "row", "model", "orders", "offers", "limits"]
"""What a verdict hangs on beside the parts. `plan`: without a plan there is nothing to judge; `row`: whether the build
gives what its performance row counts on; `model`: where it fails, the model does not run on such hardware at all;
`orders`: it changes with prices alone; `offers`: it fails where a part is no longer on sale; `limits`: its limits are
fields of the request, which documents state by themselves."""

Question = Literal["family", "platform", "node", "part", "row"]
"""What `may` is asked of: GPUs and how many a node has, in whatever platform; a platform, whatever its GPUs are; a node
of such GPUs in a platform whose slots hold them; a part that is bought for a node; a performance row."""
QUESTIONS: frozenset[Question] = frozenset(get_args(Question))


@dataclass(frozen=True)
class Check:
    """One finding of a rule about a build: measured value against limit, in `unit`.

    `text` is a plain sentence that is true under its `status` and says both figures. An unknown figure is None."""

    rule: str
    status: Status
    measured: float | None
    limit: float | None
    unit: str
    text: str
    relation: Relation = ""

    @classmethod
    def at_most(cls, rule: str, measured: float, most: float, unit: str, passing: str, failing: str) -> Check:
        """measured <= most, with the sentence of either outcome."""
        fine = measured <= most
        return cls(rule, "pass" if fine else "fail", measured, most, unit, passing if fine else failing, "at_most")

    @classmethod
    def at_least(cls, rule: str, measured: float, least: float, unit: str, passing: str, failing: str) -> Check:
        """measured >= least, with the sentence of either outcome."""
        fine = measured >= least
        return cls(rule, "pass" if fine else "fail", measured, least, unit, passing if fine else failing, "at_least")

    @classmethod
    def of(cls, rule: str, ok: bool, text: str) -> Check:
        """A yes or no finding."""
        return cls(rule, "pass" if ok else "fail", None, None, "", text)

    @classmethod
    def warn(
        cls,
        rule: str,
        text: str,
        measured: float | None = None,
        limit: float | None = None,
        unit: str = "",
        relation: Relation = "",
    ) -> Check:
        """A finding that fails nothing: `limit` is what is advised."""
        return cls(rule, "warn", measured, limit, unit, text, relation)


class Rule(ABC):
    """What a build has to keep, written once per purpose, side by side.

    `encode` removes from the model every build that `check` fails, and no other but those with gear beyond the need
    (docs/proof.md, Both halves). A rule says in its own attributes what others have to know of it, so that nobody lists
    rules but constraints/rules/registry.py."""

    id: str
    title: str = ""
    """Words for tables and workbooks, marked for translation; the id stands in where there are none."""
    phase: Phase = "parts"
    """When `encode` is called: a rule of what nodes share may add gear, one of money reads orders and totals."""
    reads: frozenset[Reads] = frozenset()
    cured_by: frozenset[str] = frozenset()
    """Categories of parts of which one more may make a failing build pass."""
    loaded_by: frozenset[str] = frozenset()
    """Categories of parts of which one more may make a passing build fail."""
    settles: frozenset[str] = frozenset()
    """Categories of which a build may rightly hold nothing, where this rule says whether it needs them."""
    shortfall: str = ""
    """What fills a size or a number of pieces that a finding says is too small; empty where no part does."""
    shortfall_each: str = " per node"
    """Of what that figure is said; empty of the whole build."""

    refuses: frozenset[Question] = QUESTIONS
    """Of what `may` can say no; it is asked nothing else. All of it costs time alone."""
    refuses_by: Mapping[type[Part], tuple[str, ...]] = MappingProxyType({})
    """Categories of bought parts that `may` judges by the platform they stand in, each with the fields of the platform
    that it reads for it: platforms equal in these are asked once, for all requests. So it reads the catalog beside
    them, and neither request nor policy nor model. Of other categories it is not asked part by part."""

    def may(self, facts: Facts) -> str:
        """Why no build of these facts passes `check`; empty where one may, or where the facts do not tell.

        Search, bounds and answers ask it to leave out early what the model would refuse. It decides no proof by itself:
        a rule without it costs time alone, and a reason for what is feasible is a fault that tests look for."""
        return ""

    def cures(self, finding: Check) -> frozenset[str]:
        """Categories of parts of which one more may make this failing finding of the rule pass."""
        return self.cured_by

    @abstractmethod
    def encode(self, model: FamilyModel) -> None:
        """Write the rule into the model of a family."""

    @abstractmethod
    def check(self, case: Case) -> list[Check]:
        """Judge a finished build in plain arithmetic."""


@dataclass(frozen=True)
class Refusal:
    """The rule that refuses every build of some facts, and why."""

    rule: str
    why: str


def foresighted(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """The rules that may say no early: those with a `may` of their own."""
    return tuple(rule for rule in rules if type(rule).may is not Rule.may)


def refusal(rules: Iterable[Rule], facts: Facts) -> Refusal | None:
    """Why no build of these facts passes, by the first rule that says so; None where none does.

    Sound: a rule gives a reason only where its own `check` fails every build of the facts, so that what is left out on
    its word is in no front (docs/proof.md, Early no)."""
    for rule in rules:
        if why := rule.may(facts):
            return Refusal(rule.id, why)
    return None


def gb(n_bytes: int) -> float:
    """Bytes as GB (1e9) with two decimals, rounded up, for texts; comparisons are made on bytes before.

    A need that exceeds what is there by a byte is shown to exceed it."""
    return math.ceil(n_bytes / 10**7) / 100


def figure(amount: float | Decimal) -> str:
    """A figure as all sentences write it: `8,644`, `90.16`, `128.2`; two decimals at most."""
    text = f"{amount:,.2f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def counted(number: int, thing: str) -> str:
    """`1 node`, `2 nodes`; `1 supply`, `2 supplies`."""
    many = f"{thing[:-1]}ies" if thing.endswith("y") else f"{thing}s"
    return message(f"{{qty}} {thing if number == 1 else many}", qty=f"{number:,}")
