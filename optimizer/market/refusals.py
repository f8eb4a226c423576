"""What rules say early (`may`) about a request's nodes, parts and rows: the one place that asks them.

Sound: a rule gives a reason only where its own `check` fails every build of the facts (docs/proof.md, Early no).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from catalogs.schema import Gpu, Part, Platform
from constraints.facts import Facts
from constraints.plan import Row
from constraints.rule import QUESTIONS, Question, Refusal, Rule, foresighted, refusal
from constraints.rules.registry import RULES

P = TypeVar("P", bound=Part)


class Refusals:
    """Early refusals of a market, whose `facts` these are. What is asked of a node is asked once, what is asked of a
    part once for all markets of a catalog."""

    def __init__(self, facts: Callable[..., Facts], rules: Iterable[Rule] = RULES) -> None:
        early = foresighted(rules)
        self._facts, self._rules = facts, early
        self._of: dict[Question, tuple[Rule, ...]] = {
            question: tuple(rule for rule in early if question in rule.refuses) for question in QUESTIONS
        }
        self._judging: dict[type[Part], tuple[Rule, ...]] = {}
        self._of_platforms: dict[str, Refusal | None] = {}
        self._of_nodes: dict[tuple[str, str, int], Refusal | None] = {}

    def of_platform(self, platform: Platform) -> Refusal | None:
        """The rule that no node in a platform passes, whatever its GPUs are."""
        if platform.id not in self._of_platforms:
            self._of_platforms[platform.id] = refusal(self._of["platform"], self._facts(platform=platform))
        return self._of_platforms[platform.id]

    def of_node(self, platform: Platform, gpu: Gpu, per_node: int) -> Refusal | None:
        """The rule that no node of so many GPUs in a platform passes, whatever fills it and whatever its row is."""
        if (early := self.of_platform(platform)) is not None or not self._of["node"]:
            return early
        key = platform.id, gpu.id, per_node
        if key not in self._of_nodes:
            facts = self._facts(gpu=gpu, per_node=per_node, platform=platform)
            self._of_nodes[key] = refusal(self._of["node"], facts)
        return self._of_nodes[key]

    def of_family(self, gpu: Gpu, per_node: int) -> Refusal | None:
        """The rule that no build with so many GPUs in a node passes."""
        return refusal(self._of["family"], self._facts(gpu=gpu, per_node=per_node))

    def of_row(self, gpu: Gpu, per_node: int, row: Row) -> Refusal | None:
        """The rule that no build of a performance row passes."""
        return refusal(self._of["row"], self._facts(gpu=gpu, per_node=per_node, row=row))

    def of_demanded(self, platform: Platform, gpu: Gpu, per_node: int, part: Part) -> Refusal | None:
        """The rule that no node of so many GPUs in a platform passes that holds a part bought for it."""
        return refusal(self._of["part"], self._facts(gpu=gpu, per_node=per_node, platform=platform, part=part))

    def of_bridge(self, gpu: Gpu, per_node: int, bridge: Part) -> Refusal | None:
        """The rule that no node of so many GPUs passes that is joined by such bridges."""
        return refusal(self._of["part"], self._facts(gpu=gpu, per_node=per_node, part=bridge))

    def of_part(self, platform: Platform, part: Part) -> Refusal | None:
        """The rule that no node in a platform passes that holds a part bought for it, by the rules that judge parts of
        its category."""
        return self.of_parts(platform, type(part), (part,))[part.id]

    def admitted(self, platform: Platform, kind: type[P], parts: Iterable[Part]) -> list[P]:
        """Those of some parts of a category that may be bought for nodes in a platform."""
        found = [part for part in parts if isinstance(part, kind)]
        said = self.of_parts(platform, kind, found)
        return [part for part in found if said[part.id] is None]

    def of_parts(self, platform: Platform, kind: type[Part], parts: Iterable[Part]) -> Mapping[str, Refusal | None]:
        """The same of parts of one category, by their ids; others may stand beside them.

        Sound: rules that judge parts of a category read the catalog, the part and the named fields of the platform, and
        nothing of request, policy or model (`Rule.refuses_by`), so that other requests hear the same of them."""
        facts, rules = self._facts(platform=platform), self._by(kind)
        known = facts.catalog.derived.setdefault((Refusals, *(rule.may for rule in rules)), {})
        said: dict[str, Refusal | None] = known.setdefault(self.alike(platform, kind), {})
        for part in parts:
            if part.id not in said:
                facts.part = part
                said[part.id] = refusal(rules, facts)
        return said

    def alike(self, platform: Platform, kind: type[Part]) -> tuple[object, ...]:
        """Equal for platforms in which rules judge parts of a category alike."""
        return kind, *(getattr(platform, field) for rule in self._by(kind) for field in rule.refuses_by[kind])

    def judged(self, kind: type[Part]) -> bool:
        """Whether any rule judges parts of a category by the platform."""
        return bool(self._by(kind))

    def _by(self, kind: type[Part]) -> tuple[Rule, ...]:
        """Rules that judge parts of a category by the platform."""
        if kind not in self._judging:
            self._judging[kind] = tuple(rule for rule in self._rules if kind in rule.refuses_by)
        return self._judging[kind]
