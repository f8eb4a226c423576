"""What is said once of a field of a request: the shape of an entry in the table of fields.py."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from catalogs.llm import Llm
    from catalogs.load import Catalog
    from constraints.request import Request
    from constraints.rule import Check
    from optimizer.request.field_checks import Subject
    from optimizer.request.typed_values import Given
    from optimizer.text.languages import Words

ASK, TERMS, SITE, PARTS, ANSWER = "What to run", "Money and terms", "The site", "Buying rules", "Output"
ENGINE, TRAINING = "Precision and engine (advanced)", "Training (advanced)"
BASIS = "Prices, policy and measurements (advanced)"
GROUPS = (ASK, TERMS, SITE, PARTS, ANSWER, ENGINE, TRAINING, BASIS)
"""Headings of `--help` by task, in order."""


CommandName = Literal["solve", "check", "xray", "compare", "size"]
SOLVE: tuple[CommandName, ...] = ("solve",)
"""Commands that a field is an option of: the search alone reads it."""
SIZED: tuple[CommandName, ...] = ("solve", "size")
"""It changes what is said of GPUs and their speed, and no judgement of a build."""
JUDGED: tuple[CommandName, ...] = ("solve", "xray", "compare")
"""Builds that somebody offers are judged or priced by it; a build.toml says it in a key of its own, where it can."""
CHECKED: tuple[CommandName, ...] = ("solve", "check", "xray", "compare")
"""Builds are judged by it, those of a file too, and no build.toml says it: the site's, or the day of the prices."""
PLANNED: tuple[CommandName, ...] = ("solve", "xray", "compare", "size")
"""How a model runs follows from it, on hardware to be bought, offered or given; a build.toml says it of its build."""
EVERYWHERE: tuple[CommandName, ...] = ("solve", "check", "xray", "compare", "size")


class Asked(Protocol):
    """A request with what its words need: a market is one."""

    @property
    def request(self) -> Request: ...

    @property
    def llm(self) -> Llm: ...

    @property
    def catalog(self) -> Catalog: ...


@dataclass(frozen=True)
class Option:
    """An option of the command line. `kind`: type of one value; `several`: it may be given more than once; `names`: as
    it is typed, where that is not made from `name`, the parameter's; `counted`: the
    value is how often it is typed (-vv)."""

    name: str
    help: str
    kind: type = str
    default: Any = None
    names: tuple[str, ...] = ()
    several: bool = False
    group: str = ""
    environment: str | None = None
    least: float | None = None
    most: float | None = None
    hidden: bool = False
    counted: bool = False

    @property
    def typed(self) -> str:
        """As a command to type has it."""
        return next((x for x in self.names if x.startswith("--")), f"--{self.name.replace('_', '-')}")


@dataclass(frozen=True)
class Figure:
    """How a figure gives way: towards `loosest`, in whole steps of which `steps` make one unit of the field; `words`
    with the value in units of `unit` in place of {}. `attained`: the step that a finished build takes at least, which
    shortens the search where it is known."""

    words: str
    loosest: int | Callable[[Asked], int]
    steps: int = 1
    unit: int = 1
    attained: Callable[[Subject], int] | None = None


@dataclass(frozen=True)
class NameList:
    """How a list gives way: members beside it are admitted, of all that there are by `known`; without it (a bar, or
    what must be in the build) some of its own are dropped. `words` with their names in place of {}; `held`: members
    that a finished build holds; `demanded`: whether it has to, so that it rests on dropping those that it lacks."""

    words: str
    held: Callable[[Subject], frozenset[str]]
    known: Callable[[Asked], Mapping[str, str]] | None = None
    demanded: bool = False


@dataclass(frozen=True)
class Sizes:
    """How a size gives way: to those that exist. `lists`: each ascending, the first of the field's own kind; the others
    are ways out by themselves, under the key `others`. `carries`: whether a finished build stays within a size."""

    lists: Callable[[Asked], Sequence[Sequence[Any]]]
    words: Callable[[Any], str]
    carries: Callable[[Subject, Any], bool]
    others: str


Alternatives = Sequence[Sequence[tuple[str, Mapping[str, Any]]]]
"""Fields with other values and how that is said, in steps from the smallest change to the largest."""


@dataclass(frozen=True)
class Others:
    """How a field gives way to other values, of which a step has the ones that are alike."""

    steps: Callable[[Asked], Alternatives]


Loosens = Figure | NameList | Sizes | Others


@dataclass(frozen=True)
class Condition:
    """A field as a condition that a build may fail. `key` is stable, `rule` the rule that carries it, `words` a
    sentence with the value in place of {}; `place`: the order in which conditions are told and tried.

    `holds`: whether it is in force, else where the field is not what it is without saying; `without`: fields and values
    of the request that gives it up, else its own default; `asked`: whether the buyer typed it;
    `given_up`: what is allowed without it, in words;
    `loosens`: how it gives way, where it can be more than given up."""

    key: str
    rule: str
    place: int
    words: str | Callable[[Asked], str]
    holds: Callable[[Asked], bool] | None = None
    without: Mapping[str, Any] = field(default_factory=dict)
    asked: Callable[[Asked], bool] | None = None
    given_up: str = ""
    loosens: Loosens | None = None


@dataclass(frozen=True)
class Quoted:
    """A limit as a row of a quote's table of deviations. `place`: its order there; `per`: what both figures are divided
    by to be in `unit`; `limit`: the figure where the field's own value is not it, None where it limits nothing; `at`:
    what stands beside it in a point of a result, where that is not the entry's place."""

    title: str
    place: int
    relation: Literal["at_least", "at_most"]
    unit: str | Callable[[Request], str] = ""
    digits: int = 0
    per: int = 1
    limit: Callable[[Request], float | None] | None = None
    at: str = ""


@dataclass(frozen=True)
class FieldEntry:
    """A field of a request.

    `by`, `how`: who enforces it, rules by id or a step, and a sentence. `commands`: those that it is an option of, as
    their answer follows from it. `judge` holds a finished build against a field
    that no rule reads; `place`: where in a point of a result it finds fault.
    `options`, `parse`: how it is typed and read, else the option's value as it is; `reads`: options of other fields
    that it is read from too; `of`: the kind of workload that it says something of.
    `typed`: its values on a command line, else the plain value; `ever`: a default is typed too; `file`: a name that
    stands for the file whose content it is. `said`: its clause in the request as it was understood, or the field whose
    clause says it. `against`: fields that must not hold what this one holds. `plan`: what a plan does that meets the
    field, where it is a limit that each plan is held to. `parts`: ids of the parts that it names.
    `shares`: what requests that differ in it alone have in common: their prices, or these and the whole assortment
    (optimizer/search/assortment.py).
    `condition`: as a condition that a build may fail; `quoted`: as a limit that a quote is held to."""

    by: tuple[str, ...]
    how: str
    commands: tuple[CommandName, ...] = SOLVE
    judge: Callable[[Subject], Iterator[Check]] | None = None
    place: str = ""
    options: Sequence[Option] = ()
    reads: tuple[str, ...] = ()
    of: str = ""
    parse: Callable[[Given], Any] | None = None
    typed: Callable[[Request], Iterable[str]] | None = None
    ever: bool = False
    file: str = ""
    said: str | Callable[[Request, Words], str] = ""
    against: tuple[str, ...] = ()
    plan: str = ""
    parts: Callable[[Request], Iterable[str]] | None = None
    shares: Literal["", "prices", "assortment"] = ""
    condition: Condition | None = None
    quoted: Quoted | None = None
