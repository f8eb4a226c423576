"""Which parallel sizes an engine's release starts: the rules of plan_rules.csv, and the one function that reads them.

A rule is a row: where `when` holds, `divisor` must divide (or be at most, or equal) `dividend`, in whole
`blocks_of` where that is given; else its outcome: refused (an assert, or silently wrong), experimental, or warns
(built, logged). `unless`: rules whose own fault says enough. A rule that needs a size which is not known refuses."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from math import prod
from typing import Literal, cast, get_args

from catalogs.engines.sizes import V4, ModelSizes
from catalogs.engines.tables import NEWEST, day_of, read, release_of, sourced, split, within
from catalogs.message import Message, joined, message

Outcome = Literal["warns", "experimental", "refused"]
Relation = Literal["divides", "divides_or_is_multiple", "at_most", "equals", "never"]
SEVERITY = {"starts": 0, "warns": 1, "experimental": 2, "refused": 3}
SYMBOLS = frozenset(
    {
        "tp",
        "pp",
        "dp",
        "ep",
        "nodes",
        "redundant",
        "gpus",
        "attn_dp",
        "attn_tp",
        "moe_tp",
        "heads",
        "kv_heads",
        "padded_vocabulary",
        "layers",
        "experts",
        "expert_width",
        "shared_width",
        "dense_width",
        "o_groups",
        "linear_key_heads",
        "linear_value_heads",
        "fp8_block",
        "dcp",
        "pcp",
    }
)
OF_MODEL = frozenset({"moe", "mla", "linear", "shared", "dense_layers", "block_fp8", "fp4_experts", "any_fp8"})
OF_LAYOUT = frozenset({"ep_on", "dp_on", "tp_on", "pp_on", "redundant", "eplb", "gpus_known", "dcp_on"})
OPTIONS = frozenset(
    {
        "rocm",
        "experts_on_cpu",
        "a2a",
        "offset",
        "eplb_switch",
        "cutedsl",
        "megamoe",
        "mtp",
        "kv_quantised",
        "no_flash_attention",
    }
)
"""What a command line or a build of an engine may have switched on."""
PLACES = frozenset({"over_nodes", "stages_in_nodes", "ranks_on_parts", "stages_on_parts"})
"""How a replica over several nodes would lie: that it does; with data parallelism, every stage whole in a node; a
rank's tp x pp GPUs, or a stage's tp x dp, on more than a node without filling its nodes."""


@dataclass(frozen=True)
class Layout:
    """Parallel sizes as the engine counts them (see `Release.layout`). `options`: of OPTIONS; `kernel_class`: of the
    GPUs, empty where it is not known; `gpus`: visible GPUs, where that is said; `dcp` and `pcp`: sizes of decode- and
    prefill-context parallel; `places`: of PLACES."""

    tp: int
    pp: int = 1
    dp: int = 1
    ep: int = 1
    nodes: int = 1
    redundant: int = 0
    options: frozenset[str] = frozenset()
    kernel_class: str = ""
    gpus: int | None = None
    dcp: int = 1
    pcp: int = 1
    places: frozenset[str] = frozenset()


@dataclass(frozen=True)
class PlanFault:
    """What a rule says about a plan."""

    rule: str
    outcome: Outcome
    text: str
    source: str

    @property
    def said(self) -> str:
        """The rule and what it says."""
        return joined([self.rule, self.text], ": ")

    def __str__(self) -> str:
        return self.said


@dataclass(frozen=True)
class Expression:
    """A sum of products of symbols and whole numbers: `experts+redundant`, `tp*dp`."""

    text: str
    terms: tuple[tuple[int, tuple[str, ...]], ...] = field(init=False)
    """(factor, symbols) of each product."""

    def __post_init__(self) -> None:
        terms = []
        for product in self.text.split("+"):
            factors = product.split("*")
            names = tuple(name for name in factors if not name.isdigit())
            if unknown := next((name for name in names if name not in SYMBOLS), ""):
                raise ValueError(f"no symbol {unknown!r}")
            terms.append((prod(int(number) for number in factors if number.isdigit()), names))
        object.__setattr__(self, "terms", tuple(terms))

    def value(self, symbols: Mapping[str, int | None]) -> int | None:
        """Its value; None where a symbol of it is unknown."""
        total = 0
        for part, names in self.terms:
            for name in names:
                number = symbols[name]
                if number is None:
                    return None
                part *= number
            total += part
        return total


PLACES_OF_VALUES = re.compile(r"\{([a-z0-9_*+]+)\}")
"""Where an expression stands in a rule's message."""


@dataclass(frozen=True)
class RuleMessage:
    """What a rule says, with expressions in braces: `nodes {nodes} do not divide {tp*pp*dp} ranks`."""

    text: str
    key: str = field(init=False)
    values: Mapping[str, Expression] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        named = {_name(text): Expression(text) for text in PLACES_OF_VALUES.findall(self.text)}
        object.__setattr__(self, "key", PLACES_OF_VALUES.sub(lambda place: f"{{{_name(place[1])}}}", self.text))
        object.__setattr__(self, "values", named)

    def said(self, symbols: Mapping[str, int | None]) -> Message:
        """The message with the values of its expressions."""
        found = {name: expression.value(symbols) for name, expression in self.values.items()}
        return Message(self.key, {name: "unknown" if x is None else str(x) for name, x in found.items()})


def _name(expression: str) -> str:
    """An expression as keys name it: `tp_x_dp`, `experts_and_redundant`."""
    return expression.replace("*", "_x_").replace("+", "_and_")


@dataclass(frozen=True)
class PlanRule:
    """One row of plan_rules.csv."""

    rules: str
    release_from: str
    release_to: str
    rule: str
    when: tuple[str, ...]
    unless: tuple[str, ...]
    relation: Relation
    divisor: Expression | None
    dividend: Expression | None
    blocks_of: Expression | None
    outcome: Outcome
    message: RuleMessage
    source: str

    @classmethod
    def of(cls, row: dict[str, str]) -> PlanRule:
        """A row as a rule; raises ValueError for what no rule may say."""
        if row["relation"] not in get_args(Relation) or row["outcome"] not in get_args(Outcome):
            raise ValueError(f"{row['relation']!r} or {row['outcome']!r}")
        day_of(row["date"])
        made = {c: Expression(row[c]) if row[c] else None for c in ("divisor", "dividend", "blocks_of")}
        if (row["relation"] == "never") == bool(made["divisor"] and made["dividend"]):
            raise ValueError(f"{row['relation']} with these operands")
        when = tuple(row["when"].split())
        for condition in when:
            name, equals, _ = condition.removeprefix("!").partition("=")
            if name not in ({"family", "format", "class"} if equals else OF_MODEL | OF_LAYOUT | OPTIONS | PLACES):
                raise ValueError(f"no condition {condition!r}")
        relation, outcome = cast(Relation, row["relation"]), cast(Outcome, row["outcome"])
        return cls(
            row["rules"],
            row["release_from"],
            row["release_to"],
            row["rule"],
            when,
            split(row["unless"]),
            relation,
            **made,
            outcome=outcome,
            message=RuleMessage(row["message"]),
            source=sourced(row),
        )


@cache
def plan_rules() -> tuple[PlanRule, ...]:
    """All rules of plan_rules.csv, in the order of the file."""
    return read("plan_rules", PlanRule.of)


@dataclass(frozen=True)
class Release:
    """A release of an engine. `rules`: sets of plan rules that hold for it. `inside`: its data-parallel attention
    groups lie inside its tensor-parallel size (SGLang, TensorRT-LLM), not beside it (vLLM)."""

    engine: str
    release: str
    date: str
    rules: tuple[str, ...]
    inside: bool
    options: frozenset[str]
    aliases: tuple[str, ...]
    source: str

    @classmethod
    def of(cls, row: dict[str, str]) -> Release:
        """A row of releases.csv; raises ValueError."""
        if row["data_parallel"] not in ("inside", "outside") or not set(split(row["options"])) <= OPTIONS:
            raise ValueError(f"{row['data_parallel']!r} or {row['options']!r}")
        day_of(row["date"])
        return cls(
            row["engine"],
            row["release"],
            row["date"],
            split(row["rules"]),
            row["data_parallel"] == "inside",
            frozenset(split(row["options"])),
            split(row["aliases"]),
            sourced(row),
        )

    @property
    def number(self) -> tuple[int, ...]:
        """The release as numbers that compare."""
        return release_of(self.release)

    def layout(
        self, tp: int, pp: int, dp: int, ep: int, redundant: int = 0, kernel_class: str = "", per_node: int = 0
    ) -> Layout:
        """The engine's own sizes of a plan that takes tp x pp x dp GPUs per replica, on nodes of `per_node` (0: not
        said, and how they lie is not judged).

        SGLang and TensorRT-LLM count the data-parallel attention groups into their tensor-parallel size. An all-to-all
        backend moves tokens between groups where each rank has experts of its own."""
        options = self.options | ({"a2a"} if self.inside and dp > 1 and ep == tp * dp else set())
        width = tp * dp if self.inside else tp
        return Layout(width, pp, dp, ep, 1, redundant, options, kernel_class, places=places_of(tp, pp, dp, per_node))


@cache
def places_of(tp: int, pp: int, dp: int, per_node: int) -> frozenset[str]:
    """How a replica of tp x pp x dp GPUs would lie on nodes of `per_node`; empty where it needs no more than one."""
    if not per_node or tp * pp * dp <= per_node:
        return frozenset()
    if dp == 1:
        return frozenset({"over_nodes"})
    rank, stage = tp * pp, tp * dp
    found = {
        "over_nodes": True,
        "stages_in_nodes": pp > 1 and stage <= per_node,
        "ranks_on_parts": bool(per_node % rank and rank % per_node),
        "stages_on_parts": stage > per_node and bool(stage % per_node),
    }
    return frozenset(place for place, so in found.items() if so)


@cache
def releases() -> tuple[Release, ...]:
    """The newest known release of every engine."""
    return read("releases", Release.of)


@cache
def newest(engine: str) -> Release | None:
    """The newest release of an engine by the name that software.csv has; None where no rules of it are known."""
    return next((r for r in releases() if r.engine == engine), None)


def plan_faults(
    release: Release, model: ModelSizes, layout: Layout, number: tuple[int, ...] | None = None
) -> tuple[PlanFault, ...]:
    """What speaks against starting a model with these sizes on a release, in the order of the rules.

    The one reading of plan_rules.csv: planner, training planner, `size`, its batch and `check` all ask it. Empty: it
    starts. `number`: an older release than the one described."""
    return _faults(release.rules, number or release.number, model, layout)


def outcomes(release: Release, model: ModelSizes, layout: Layout) -> dict[str, Outcome]:
    """The outcome of each rule that `plan_faults` names, without a word, and no further than the first refusal: enough
    to know whether it starts, for planners that ask it of thousands of plans."""
    symbols, holds = _symbols(model, layout), _that_hold(layout)
    found: dict[str, Outcome] = {}
    for asked in _that_may_hold_on(release.rules, release.number, model, layout.kernel_class):
        rule = asked.rule
        if not asked.holds_of_sizes(holds) or any(x in found for x in rule.unless):
            continue
        outcome = _wrong(rule, symbols, sure=asked.sure)
        if outcome == "refused":
            return {rule.rule: outcome}
        if outcome and SEVERITY[outcome] > SEVERITY[found.get(rule.rule, "starts")]:
            found[rule.rule] = outcome
    return found


@lru_cache(maxsize=200_000)
def _faults(
    rules: tuple[str, ...], number: tuple[int, ...], model: ModelSizes, layout: Layout
) -> tuple[PlanFault, ...]:
    symbols, holds = _symbols(model, layout), _that_hold(layout)
    found: dict[str, PlanFault] = {}
    for asked in _that_may_hold(rules, number, model):
        rule = asked.rule
        if not asked.holds(holds, layout.kernel_class) or any(x in found for x in rule.unless):
            continue
        if fault := _fault(rule, symbols, sure=asked.sure):
            worse = found.get(rule.rule)
            if worse is None or SEVERITY[fault.outcome] > SEVERITY[worse.outcome]:
                found[rule.rule] = fault
    return tuple(found.values())


@dataclass(frozen=True)
class _Asked:
    """A rule that may speak of a model. Its conditions on the plan: what it `needs` to hold and what it `bars`, and
    kernel classes of which the GPUs are to have one (True) or none. `sure`: the model says that its other conditions
    hold, False where it does not say."""

    rule: PlanRule
    needs: frozenset[str]
    bars: frozenset[str]
    classes: tuple[tuple[bool, frozenset[str]], ...]
    sure: bool

    @classmethod
    def of(cls, rule: PlanRule, sure: bool) -> _Asked:
        """Conditions parsed once: planners ask the same rules of thousands of plans."""
        needs, bars, classes = set[str](), set[str](), list[tuple[bool, frozenset[str]]]()
        for condition in filter(_of_the_plan, rule.when):
            wanted, name = not condition.startswith("!"), condition.removeprefix("!")
            if name.startswith("class="):
                classes.append((wanted, frozenset(name.removeprefix("class=").split("|"))))
            else:
                (needs if wanted else bars).add(name)
        return cls(rule, frozenset(needs), frozenset(bars), tuple(classes), sure)

    def holds(self, that_hold: frozenset[str], kernel_class: str) -> bool:
        """Whether all conditions on the plan hold. `that_hold`: names of those that do (`_that_hold`)."""
        return self.holds_of_sizes(that_hold) and self.speaks_of(kernel_class)

    def holds_of_sizes(self, that_hold: frozenset[str]) -> bool:
        """Whether all conditions on the plan hold but for those on the class of its GPUs."""
        return self.needs <= that_hold and self.bars.isdisjoint(that_hold)

    def speaks_of(self, kernel_class: str) -> bool:
        """Whether its conditions on the class of the GPUs hold."""
        return all((kernel_class in names) == wanted for wanted, names in self.classes)


@lru_cache(maxsize=4096)
def _that_may_hold(rules: tuple[str, ...], number: tuple[int, ...], model: ModelSizes) -> tuple[_Asked, ...]:
    """Rules of a release that may speak of a model, whatever its plan is."""
    found = []
    for r in plan_rules():
        if r.rules not in rules:
            continue
        if not within(number, r.release_from, r.release_to) and (number != NEWEST or r.release_to):
            continue
        held = [_of_the_model(c, model) for c in r.when if not _of_the_plan(c)]
        if False not in held:
            found.append(_Asked.of(r, sure=None not in held))
    return tuple(found)


@lru_cache(maxsize=4096)
def _that_may_hold_on(
    rules: tuple[str, ...], number: tuple[int, ...], model: ModelSizes, kernel_class: str
) -> tuple[_Asked, ...]:
    """Those of them that may speak of GPUs of a class."""
    return tuple(asked for asked in _that_may_hold(rules, number, model) if asked.speaks_of(kernel_class))


def _of_the_plan(condition: str) -> bool:
    """Whether a condition is one on the plan or the GPUs, not on the model."""
    name, equals, _ = condition.removeprefix("!").partition("=")
    return name == "class" if equals else name in OF_LAYOUT | OPTIONS | PLACES


def _of_the_model(condition: str, model: ModelSizes) -> bool | None:
    """Whether a condition on the model holds; None where the model does not say."""
    name, equals, values = condition.removeprefix("!").partition("=")
    if equals and name == "family":
        held = None if model.family is None else model.family in values.split("|")
    elif equals and name == "format":
        held = None if model.weights is None else model.weights in values.split("|")
    else:
        held = _facts(model)[name]
    return held if held is None else held != condition.startswith("!")


@lru_cache(maxsize=4096)
def _facts(model_sizes: ModelSizes) -> dict[str, bool | None]:
    def some(number: int | None) -> bool | None:
        return None if number is None else number > 0

    return {
        "moe": some(model_sizes.experts),
        "mla": model_sizes.mla,
        "linear": some(model_sizes.linear_key_heads),
        "shared": some(model_sizes.shared_width),
        "dense_layers": None if model_sizes.experts is None else model_sizes.dense_width != 0,
        "block_fp8": some(model_sizes.fp8_block),
        "fp4_experts": None
        if model_sizes.family is None or model_sizes.weights is None
        else model_sizes.family in V4 and model_sizes.weights == "mxfp4",
        "any_fp8": None if model_sizes.weights is None else model_sizes.weights in ("fp8", "block-fp8"),
    }


def _that_hold(layout: Layout) -> frozenset[str]:
    """Names of the conditions on a plan that hold, but for the class of its GPUs. What the sizes say goes before an
    option of the same name."""
    of_sizes = {
        "ep_on": layout.ep > 1,
        "dp_on": layout.dp > 1,
        "tp_on": layout.tp > 1,
        "pp_on": layout.pp > 1,
        "redundant": layout.redundant > 0,
        "eplb": layout.redundant > 0 or "eplb_switch" in layout.options,
        "gpus_known": layout.gpus is not None,
        "dcp_on": layout.dcp > 1,
    }
    held = {name for name, so in of_sizes.items() if so}
    return frozenset(held | ((layout.options | layout.places) - of_sizes.keys()))


def _symbols(model_sizes: ModelSizes, layout: Layout) -> dict[str, int | None]:
    tp, dp, ep = layout.tp, layout.dp, layout.ep
    return {
        "tp": tp,
        "pp": layout.pp,
        "dp": dp,
        "ep": ep,
        "nodes": layout.nodes,
        "redundant": layout.redundant,
        "gpus": layout.gpus,
        "attn_dp": dp,
        "attn_tp": max(1, tp // dp),
        "moe_tp": max(1, tp // ep),
        "heads": model_sizes.heads,
        "kv_heads": model_sizes.kv_heads,
        "padded_vocabulary": model_sizes.padded_vocabulary,
        "layers": model_sizes.layers,
        "experts": model_sizes.experts,
        "expert_width": model_sizes.expert_width,
        "shared_width": model_sizes.shared_width,
        "dense_width": model_sizes.dense_width,
        "o_groups": model_sizes.o_groups,
        "linear_key_heads": model_sizes.linear_key_heads,
        "linear_value_heads": model_sizes.linear_value_heads,
        "fp8_block": model_sizes.fp8_block,
        "dcp": layout.dcp,
        "pcp": layout.pcp,
    }


def _fault(rule: PlanRule, symbols: Mapping[str, int | None], *, sure: bool) -> PlanFault | None:
    """What the rule says of these sizes; None where nothing is wrong."""
    outcome = _wrong(rule, symbols, sure=sure)
    if outcome is None:
        return None
    if rule.divisor is None or rule.dividend is None:
        said = rule.message.said(symbols)
        text = said if sure else message("not known of this model: {why}", why=said)
        return PlanFault(rule.rule, outcome, text, rule.source)
    if sure and _known(rule, symbols):
        return PlanFault(rule.rule, outcome, rule.message.said(symbols), rule.source)
    missing = message(
        "not known of this model: {symbols} against {sizes}",
        symbols=rule.dividend.text,
        sizes=f"{rule.divisor.text} {rule.divisor.value(symbols)}",
    )
    return PlanFault(rule.rule, outcome, missing, rule.source)


def _known(rule: PlanRule, symbols: Mapping[str, int | None]) -> bool:
    """Whether the model says all sizes that a rule compares."""
    operands = (rule.divisor, rule.dividend, rule.blocks_of)
    return None not in [operand.value(symbols) for operand in operands if operand is not None]


def _wrong(rule: PlanRule, symbols: Mapping[str, int | None], *, sure: bool) -> Outcome | None:
    """The outcome of a rule for these sizes; None where nothing is wrong. Of one GPU nothing is cut."""
    if rule.divisor is None or rule.dividend is None:
        return rule.outcome if sure else "refused"
    divisor = rule.divisor.value(symbols)
    if divisor == 1 and rule.relation != "equals":
        return None
    dividend = rule.dividend.value(symbols)
    block = 1 if rule.blocks_of is None else rule.blocks_of.value(symbols)
    if divisor is None or dividend is None or block is None or not sure:
        return "refused"
    return None if _related(rule.relation, divisor, dividend, block) else rule.outcome


def _related(relation: Relation, divisor: int, dividend: int, block: int) -> bool:
    if relation == "at_most":
        return divisor <= dividend
    if relation == "equals":
        return divisor == dividend
    whole = dividend % (divisor * max(1, block)) == 0
    return whole or (relation == "divides_or_is_multiple" and dividend > 0 and divisor % dividend == 0)
