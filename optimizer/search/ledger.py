"""The ledger of a search: what rules refused early (`may`), family by family, and parts that no platform takes.

Made after the proof of what was asked on the way; explanations and `verify` read it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from catalogs.schema import Part, Platform
from constraints.rule import Refusal
from optimizer.market.node_options import NodeOptions
from optimizer.market.refusals import Refusals
from optimizer.search.front import Refused, RefusedPart


def refused(
    refusals: Refusals, nodes: Iterable[NodeOptions], demanded: Mapping[str, Refusal], rows: Mapping[Refusal, int]
) -> tuple[Refused, ...]:
    """What rules refused of a family: platforms, `demanded` of those that can't hold what `--include` demands; all
    parts on sale of a category that platforms need; and rows, how many for each reason."""
    platforms: dict[Refusal, list[str]] = {}
    parts: dict[tuple[Refusal, int], list[str]] = {}
    for platform, said in demanded.items():
        platforms.setdefault(said, []).append(platform)
    for node in nodes:
        if early := refusals.of_node(node.platform, node.gpu, node.k):
            platforms.setdefault(early, []).append(node.platform.id)
            continue
        for lack in node.platform_options.without:
            parts.setdefault(lack, []).append(node.platform.id)
    found = [Refused("platform", said.rule, said.why, len(ids), tuple(sorted(ids))) for said, ids in platforms.items()]
    for (said, number), ids in parts.items():
        found.append(Refused("part", said.rule, said.why, number, tuple(sorted(ids))))
    found += [Refused("row", said.rule, said.why, number) for said, number in rows.items()]
    # Sorted, for the order in which platforms and rows were asked is no part of the answer; `verify` makes it anew.
    return tuple(sorted(found, key=lambda refused: (refused.of, refused.rule, refused.why, refused.number)))


def refused_node(refusals: Refusals, node: NodeOptions) -> Refusal | None:
    """What rules said of a node, or of the parts of a category that it needs and is left without."""
    early = refusals.of_node(node.platform, node.gpu, node.k)
    return early or next((said for said, _ in node.platform_options.without), None)


def refused_parts(
    refusals: Refusals, platforms: Iterable[Platform], parts: Mapping[type[Part], list[Part]]
) -> tuple[RefusedPart, ...]:
    """Parts on sale that no platform of the search takes, each with what was said of it most often."""
    among, found = list(platforms), list[RefusedPart]()
    for kind, sold in parts.items():
        if not among or not refusals.judged(kind):
            continue
        # What is said of a part in one platform is said of it in all that rules can't tell apart.
        alike: dict[tuple[object, ...], list[Platform]] = {}
        for platform in among:
            alike.setdefault(refusals.alike(platform, kind), []).append(platform)
        told = [(refusals.of_parts(same[0], kind, sold), len(same)) for same in alike.values()]
        for part in sold:
            reasons: Counter[Refusal] = Counter()
            for said, platforms_alike in told:
                why = said[part.id]
                if why is not None:
                    reasons[why] += platforms_alike
            # Refused in every platform; where one takes it, it is no refused part.
            if reasons.total() == len(among):
                most = _foremost(reasons)
                found.append(RefusedPart(part.id, most.rule, most.why))
    return tuple(sorted(found, key=lambda refused: refused.part))


def foremost(reasons: Iterable[Refusal]) -> Refusal:
    """The reason given most often; of several the first in the order of its words."""
    return _foremost(Counter(reasons))


def _foremost(given: Counter[Refusal]) -> Refusal:
    """The same of reasons that were counted."""
    return min(given, key=lambda reason: (-given[reason], reason.why, reason.rule))
