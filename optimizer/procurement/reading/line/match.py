"""Texts of a quote -> catalog parts: exact, normalised, alias, part number within a text; fuzzy is a suggestion only.

A text that names several parts, an accessory for one or a machine with one in it is never taken for that part."""

from __future__ import annotations

import re

from catalogs.schema import GpuBoard, Kind, Part
from optimizer.procurement.reading.document import Match
from optimizer.procurement.reading.line.names import COMES_WITH, SEVERAL, Index, brands
from optimizer.procurement.reading.words import begins, folded, has

ACCEPTED = 85
MARGIN = 3
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
    other = board and any(index.parts[p].kind not in (Kind.GPU, Kind.GPU_BOARD) for p, _ in index.within(text))
    return None if other else board


def _holds(index: Index, board: str, part: str) -> bool:
    """Whether the board is one of that GPU."""
    found = index.parts[board]
    return isinstance(found, GpuBoard) and found.gpu == part


def match(index: Index, part_number: str, texts: tuple[str, ...], *, accept_fuzzy: bool) -> tuple[Match, str]:
    """(match, id of another part of the same kind that the texts name instead, or blank).

    The part number decides before any text; a fuzzy match is taken only with `accept_fuzzy`, when it is alone at its
    score and its numbers agree."""
    if part_number.isdigit() and any(part_number not in t for t in texts if t):
        # A seller's own article number may be `4090`: it counts where the texts say so too.
        texts, part_number = tuple(t for t in texts if t), ""
    candidates: list[str] = []
    reason = ""
    for text in (part_number, *texts):
        found = index.whole(text)
        if found.part:
            others = tuple(t for t in texts if t != text)
            if board := next((b for t in others if (b := _board_of(index, t)) and _holds(index, b, found.part)), None):
                return Match(how="contained", part=board, score=100), ""
            return found, _other(index, found.part, others)
        if found.candidates:
            candidates += found.candidates
            reason = reason or found.reason
    for text in (part_number, *texts):
        hits = index.within(text)
        if board := _board_of(index, text):
            return Match(how="contained", part=board, score=100), ""
        if len(hits) == 1 and _of_machine(hits[0][1], index.parts[hits[0][0]]):
            return Match(candidates=(hits[0][0],), reason="names a machine with a part in it"), ""
        if len(hits) == 1 and not _accessory(hits[0][1], index.parts[hits[0][0]]):
            found = Match(how="contained", part=hits[0][0], score=100)
            return found, _other(index, hits[0][0], tuple(t for t in texts if t != text))
        if hits:
            candidates += [p for p, _ in hits]
            reason = reason or (SEVERAL if len(hits) > 1 else "names an accessory of a part")
    whole = " ".join(dict.fromkeys(t for t in (part_number, *texts) if t))
    fuzzy = {
        p: s for t in dict.fromkeys((part_number or "".join(texts[:1]), whole)) if t for p, s in index.suggestions(t)
    }
    ranked = sorted(fuzzy.items(), key=lambda x: (-x[1], x[0]))
    if ranked and accept_fuzzy and not reason and not has("accessory", whole):
        (best, score), rest = ranked[0], ranked[1:]
        clear = not rest or score - rest[0][1] >= MARGIN
        if score >= ACCEPTED and clear and index.sure(best, whole):
            return Match(how="fuzzy", part=best, score=score, candidates=tuple(p for p, _ in ranked[:3])), ""
    merged = tuple(dict.fromkeys([*candidates, *(p for p, _ in ranked)]))[:5]
    why = reason or (SIMILAR if merged else "not in the catalog")
    return Match(score=ranked[0][1] if ranked else 0, candidates=merged, reason=why), ""


def _other(index: Index, part: str, texts: tuple[str, ...]) -> str:
    """A part of the same kind that the texts name while they don't name this one."""
    kind = index.parts[part].kind
    for text in texts:
        inside = index.within(text)
        named = {p for p in [index.whole(text).part, *(p for p, _ in inside)] if p}
        alone = {p for p, rest in inside if [r for _, r in inside].count(rest) == 1} | {index.whole(text).part}
        rivals = sorted(p for p in alone if p and p != part and index.parts[p].kind == kind and index.parts[p].vendor)
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
