"""Texts of a quote -> catalog parts: exact, normalised, alias, part number within a text; fuzzy is a suggestion only.

A text that names several parts, an accessory for one or a machine with one in it is never taken for that part."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from catalogs.schema import GpuBoard, Kind, Part
from optimizer.procurement.reading.document import Match
from optimizer.procurement.reading.line.names import COMES_WITH, SEVERAL, Index, brands
from optimizer.procurement.reading.row_words import begins, folded, has

ACCEPTED = 85
"""Score from which a fuzzy match may be taken."""
MARGIN = 3
"""By which the best fuzzy match must lead."""
MOST_CANDIDATES = 5
SIMILAR = "only similar to a part"
INSIDE = {Kind.GPU, Kind.CPU, Kind.GPU_BOARD}
THINGS = {Kind.CABLE, Kind.COOLING, Kind.OPTIC, Kind.RACK, Kind.BRIDGE}
SOLD_AS = {Kind.CPU: r"\btray\b|\bboxed\b", Kind.NIC: r"\badapter\b|\badaptor\b|网卡适配器"}
"""Words for an accessory that are of the part itself: a CPU is sold in a tray, a network card is an adapter."""
FOR_MAKER = r"\b(?:for|für)\s+(?:{})\b"


def _accessory(rest: str, part: Part) -> bool:
    """Whether the words around a part's name say that something else goes with it, not what it comes with or in."""
    plain = COMES_WITH.sub(" ", rest)
    others = sorted(set(brands()[1].values()) - {folded(part.vendor)})  # `for NVIDIA QM9700` is for the part itself
    plain = re.sub(FOR_MAKER.format("|".join(map(re.escape, others))), " ", plain)
    if sold := SOLD_AS.get(part.kind):
        plain = re.sub(sold, " ", plain)
    return part.kind not in THINGS and has("accessory", plain)


def _of_machine(rest: str, part: Part) -> bool:
    """Whether the words around the name of a GPU or CPU say that they are of a machine with it in: `RTX 5090
    workstation`, not `server GPU`."""
    plain = re.sub(r"\([^)]*\)", " ", rest)
    return part.kind in INSIDE and has("machine", plain) and not has("for_machine", plain) and not has("board", plain)


def _board_of(index: Index, text: str) -> str | None:
    """The board that a text names, where it names nothing else."""
    board = index.board(text)
    other = board and any(index.parts[part].kind not in (Kind.GPU, Kind.GPU_BOARD) for part, _ in index.within(text))
    return None if other else board


def _holds(index: Index, board: str, part: str) -> bool:
    """Whether the board is one of that GPU."""
    found = index.parts[board]
    return isinstance(found, GpuBoard) and found.gpu == part


@dataclass
class _Hints:
    """Parts that texts point to without naming one alone, and the first reason why none of them was taken."""

    parts: list[str] = field(default_factory=list)
    reason: str = ""

    def add(self, parts: Iterable[str], reason: str) -> None:
        self.parts += parts
        self.reason = self.reason or reason


def match(index: Index, part_number: str, texts: tuple[str, ...], *, accept_fuzzy: bool) -> tuple[Match, str]:
    """(match, id of another part of the same kind that the texts name instead, or blank).

    The part number decides before any text; a fuzzy match is taken only with `accept_fuzzy`, when it is alone at its
    score and its numbers agree."""
    if part_number.isdigit() and any(part_number not in text for text in texts if text):
        # A seller's own article number may be `4090`: it counts where the texts say so too.
        texts, part_number = tuple(text for text in texts if text), ""
    hints = _Hints()
    # A text that is a part's name and nothing else says more than one with a name in it, wherever the two stand.
    found = _as_a_whole(index, part_number, texts, hints) or _inside_a_text(index, part_number, texts, hints)
    return found or (_similar(index, part_number, texts, hints, accept_fuzzy=accept_fuzzy), "")


def _as_a_whole(index: Index, part_number: str, texts: tuple[str, ...], hints: _Hints) -> tuple[Match, str] | None:
    """The part whose name is the number or one of the texts; None where none is, with `hints` of what it may be."""
    for text in (part_number, *texts):
        found = index.whole(text)
        if found.part:
            others = tuple(other for other in texts if other != text)
            boards = (_board_of(index, other) for other in others)
            # `H200` beside `HGX H200 8-GPU baseboard` is the board: its GPUs are not bought twice.
            if board := next((board for board in boards if board and _holds(index, board, found.part)), None):
                return Match(how="contained", part=board, score=100), ""
            return found, _other(index, found.part, others)
        if found.candidates:
            hints.add(found.candidates, found.reason)
    return None


def _inside_a_text(index: Index, part_number: str, texts: tuple[str, ...], hints: _Hints) -> tuple[Match, str] | None:
    """The one part named inside the number or a text; None where none is, with `hints` of what it may be."""
    for text in (part_number, *texts):
        named = index.within(text)
        if board := _board_of(index, text):
            return Match(how="contained", part=board, score=100), ""
        if len(named) == 1:
            part, rest = named[0]
            if _of_machine(rest, index.parts[part]):
                return Match(candidates=(part,), reason="names a machine with a part in it"), ""
            if not _accessory(rest, index.parts[part]):
                others = tuple(other for other in texts if other != text)
                return Match(how="contained", part=part, score=100), _other(index, part, others)
        if named:
            reason = SEVERAL if len(named) > 1 else "names an accessory of a part"
            hints.add([part for part, _ in named], reason)
    return None


def _similar(index: Index, part_number: str, texts: tuple[str, ...], hints: _Hints, *, accept_fuzzy: bool) -> Match:
    """Suggestions by likeness after those that the texts gave; a match of the best one where that may be taken."""
    whole = " ".join(dict.fromkeys(text for text in (part_number, *texts) if text))
    scores: dict[str, int] = {}
    for text in dict.fromkeys((part_number or "".join(texts[:1]), whole)):
        if text:
            scores |= index.suggestions(text)
    ranked = sorted(scores.items(), key=lambda scored: (-scored[1], scored[0]))
    # What the texts named, and what was refused for a reason, is not guessed again by likeness.
    if ranked and accept_fuzzy and not hints.reason and not has("accessory", whole):
        (best, score), rest = ranked[0], ranked[1:]
        clear = not rest or score - rest[0][1] >= MARGIN
        if score >= ACCEPTED and clear and index.sure(best, whole):
            return Match(how="fuzzy", part=best, score=score, candidates=tuple(part for part, _ in ranked[:3]))
    candidates = tuple(dict.fromkeys([*hints.parts, *(part for part, _ in ranked)]))[:MOST_CANDIDATES]
    reason = hints.reason or (SIMILAR if candidates else "not in the catalog")
    return Match(score=ranked[0][1] if ranked else 0, candidates=candidates, reason=reason)


def _other(index: Index, part: str, texts: tuple[str, ...]) -> str:
    """A part of the same kind that the texts name while they don't name this one."""
    kind = index.parts[part].kind
    for text in texts:
        whole = index.whole(text).part
        inside = index.within(text)
        named = {name for name in [whole, *(name for name, _ in inside)] if name}
        # Names at the same place leave the same rest: there the text doesn't say which of them it means.
        rests = [rest for _, rest in inside]
        alone = {name for name, rest in inside if rests.count(rest) == 1} | {whole}
        rivals = sorted(
            name
            for name in alone
            if name and name != part and index.parts[name].kind == kind and index.parts[name].vendor
        )
        if rivals and part not in named:
            return rivals[0]
    return ""


def is_service(text: str) -> bool:
    """Whether a line that no part matches is work, transport, a licence and the like."""
    plain = folded(text)
    first = re.sub(r"^[\d.,\s%x×*年yr-]+", "", plain)
    if begins("service", first):
        return True
    clause = re.split(r"[,;+|\n，；]|\s[-–]\s|\b(?:incl|with|w/)", plain)[0]
    if has("machine", clause) and not has("service", clause):
        return False  # `Server: ThinkSystem SR675 V3 - 3yr Base Warranty`
    return has("service", plain) and len(plain) <= 60
