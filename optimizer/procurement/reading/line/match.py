"""Texts of a quote -> catalog parts: exact, normalised, alias, part number within a text; fuzzy is a suggestion only.

A text that names several parts, an accessory for one or a machine with one in it is never taken for that part."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from catalogs.schema import GpuBoard, Kind, Part, Platform
from optimizer.procurement.reading.document import Match
from optimizer.procurement.reading.line.names import COMES_WITH, GPUS, SEVERAL, Index, branded, brands
from optimizer.procurement.reading.row_words import begins, folded, has, may_have
from optimizer.procurement.reading.specification.fitting import NOTHING, Around, Fit

ACCEPTED = 85
"""Score from which a fuzzy match may be taken."""
MARGIN = 3
"""By which the best fuzzy match must lead."""
MOST_CANDIDATES = 5
NO_BOARD = "names a board of GPUs that the catalog lacks"
A_FAMILY = "names a family of GPUs, not one of them"
GOES_IN = {Kind.PSU, Kind.MEMORY, Kind.DRIVE, Kind.NIC}
"""What a line offers that names the server that it is for."""
CPU_ALONE = re.compile(r"\bprocessor|\bcpu\b|prozessor|处理器|プロセッサ")
COUNTS = re.compile(r"(?<![\d.])\d{1,3}\s*[x×*]")
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
    of_part = has("for_machine", plain) and not COUNTS.search(plain)  # `GPU server 8x RTX 4090` is a server
    return part.kind in INSIDE and has("machine", plain) and not of_part and not has("board", plain)


def _part_of_platform(rest: str, part: Part) -> bool:
    """Whether the words around the name of a server say that they are of something that goes into one: `power supply
    PowerEdge XE9680`; not what the server comes with, nor a clause of its own (`XE9680, 6 x 2800 W power supply`)."""
    if part.kind not in (Kind.PLATFORM, Kind.SYSTEM):
        return False
    clauses = re.split(r"[,;:|\n，；：、/]|\s[-–+]\s", COMES_WITH.sub(" ", rest))
    return any(
        has("part_of_platform", clause) and not re.search(r"\d\s*[x×*]", clause)
        for clause in clauses[:1] + clauses[-1:]
    )


def _board_of(index: Index, text: str) -> str | None:
    """The board that a text names, where it names nothing else."""
    board = index.board(text)
    other = board and any(index.parts[part].kind not in (Kind.GPU, Kind.GPU_BOARD) for part, _ in index.within(text))
    return None if other else board


def _is_board_without(index: Index, part: str, text: str) -> bool:
    """Whether a text that names one GPU says that several stand on a board, of which the catalog has none."""
    plain = branded(text)
    return index.parts[part].kind is Kind.GPU and has("board", plain) and GPUS.search(plain) is not None


def _others_of_the_name(index: Index, text: str, part: str) -> tuple[list[str], str] | None:
    """(the parts that a text may mean, why) where it names a part by what others are called too: a family of GPUs
    (`910B`), a CPU's number without its plus sign (`Platinum 8480`); None where it means that part alone."""
    if index.is_family(text, part):
        return sorted({gpu for gpus in index.families.values() if part in gpus for gpu in gpus}), A_FAMILY
    if index.parts[part].kind is Kind.CPU:
        cpus = index.fitting.cpus(branded(text))
        if len(cpus) > 1 and part in cpus:
            return sorted(cpus, key=lambda cpu: (cpu != part, cpu)), SEVERAL
    return None


def _holds(index: Index, board: str, part: str) -> bool:
    """Whether the board is one of that GPU."""
    found = index.parts[board]
    return isinstance(found, GpuBoard) and found.gpu == part


@dataclass
class _Hints:
    """Parts that texts point to without naming one alone, and the first reason why none of them was taken."""

    parts: list[str] = field(default_factory=list)
    reason: str = ""
    fits: tuple[str, ...] = ()
    fits_why: str = ""
    """Parts that are as the texts say, and why none was taken."""

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
    asked = (part_number, texts, accept_fuzzy)
    if asked not in index.matched:
        index.matched[asked] = _looked_up(index, part_number, texts, accept_fuzzy=accept_fuzzy)
    return index.matched[asked]


def _looked_up(index: Index, part_number: str, texts: tuple[str, ...], *, accept_fuzzy: bool) -> tuple[Match, str]:
    """`match` of words that were not asked for before in the same file."""
    hints = _Hints()
    # A text that is a part's name and nothing else says more than one with a name in it, wherever the two stand.
    found = (
        _as_a_whole(index, part_number, texts, hints)
        or _inside_a_text(index, part_number, texts, hints)
        or _by_specification(index, part_number, texts, hints)
    )
    return found or (_similar(index, part_number, texts, hints, accept_fuzzy=accept_fuzzy), "")


def _as_a_whole(index: Index, part_number: str, texts: tuple[str, ...], hints: _Hints) -> tuple[Match, str] | None:
    """The part whose name is the number or one of the texts; None where none is, with `hints` of what it may be."""
    for text in (part_number, *texts):
        found = index.whole(text)
        if found.part and (meant := _others_of_the_name(index, text, found.part)):
            hints.add(*meant)
            continue
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
            if others_named := _others_of_the_name(index, text, part):
                hints.add(*others_named)
                continue
            if _is_board_without(index, part, text):
                hints.add((part,), NO_BOARD)
                continue
            if _of_machine(rest, index.parts[part]):
                return Match(candidates=(part,), reason="names a machine with a part in it"), ""
            if not _accessory(rest, index.parts[part]) and not _part_of_platform(rest, index.parts[part]):
                others = tuple(other for other in texts if other != text)
                return Match(how="contained", part=part, score=100), _other(index, part, others)
        if named:
            reason = SEVERAL if len(named) > 1 else "names an accessory of a part"
            hints.add([part for part, _ in named], reason)
    return None


def _by_specification(
    index: Index, part_number: str, texts: tuple[str, ...], hints: _Hints
) -> tuple[Match, str] | None:
    """The part that is as the texts say; None where they leave it open, with the parts that fit as `hints`."""
    servers = [part for name in hints.parts if isinstance(part := index.parts[name], Platform)]
    around = Around(servers[0]) if len(servers) == 1 else NOTHING
    whole = " ".join(dict.fromkeys(text for text in (part_number, *texts) if text))
    found = fitted(index, whole, hints.parts, around)
    fitting = index.parts.get(found.part or "")
    if fitting is not None and fitting.kind in INSIDE and _accessory(branded(whole), fitting):
        return None  # `EPYC 9354P tray adapter`
    if found.part and _may_be(index, found.part, hints, branded(whole)):
        return Match(how="specification", part=found.part, score=100, candidates=found.parts), ""
    hints.fits, hints.fits_why = found.parts, found.why
    return None


def _may_be(index: Index, part: str, hints: _Hints, text: str) -> bool:
    """Whether a part may be what texts mean that name others: one of those, or what goes into the server that they
    name (`power supply for PowerEdge XE9680`, `ThinkSystem SR680a V3 Intel Xeon Platinum 8570 Processor`)."""
    kind = index.parts[part].kind
    named = {index.parts[name].kind for name in hints.parts} - {Kind.PLATFORM, Kind.SYSTEM}
    if len(named | {kind}) > 1:
        return False
    of_a_server = len({index.parts[name].kind for name in hints.parts} - named) > 0
    return not of_a_server or kind in GOES_IN or (CPU_ALONE.search(text) is not None and not COUNTS.search(text))


def fitted(index: Index, text: str, named: Sequence[str] = (), around: Around = NOTHING) -> Fit:
    """The part of which a text says the figures. `named`: parts that it names, of which its other words may choose."""
    plain = branded(text.replace("_", " "))
    among = index.fitting.among(named, plain) if len(named) > 1 else Fit()
    return among if among.part else index.fitting.fit(plain, around)


def _similar(index: Index, part_number: str, texts: tuple[str, ...], hints: _Hints, *, accept_fuzzy: bool) -> Match:
    """Suggestions by likeness after those that the texts gave; a match of the best one where that may be taken."""
    whole = " ".join(dict.fromkeys(text for text in (part_number, *texts) if text))
    scores: dict[str, int] = {}
    for text in dict.fromkeys((part_number or "".join(texts[:1]), whole)):
        if text:
            scores |= index.suggestions(text)
    ranked = sorted(scores.items(), key=lambda scored: (-scored[1], scored[0]))
    similar = bool(ranked) and ranked[0][1] >= ACCEPTED and (not hints.fits or ranked[0][0] in hints.fits)
    against = bool(hints.fits_why) and not similar
    # What the texts named, and what was refused for a reason, is not guessed again by likeness.
    if similar and accept_fuzzy and not hints.reason and not has("accessory", whole):
        (best, score), rest = ranked[0], ranked[1:]
        clear = not rest or score - rest[0][1] >= MARGIN
        if clear and index.sure(best, whole):
            return Match(how="fuzzy", part=best, score=score, candidates=tuple(part for part, _ in ranked[:3]))
    alike = [part for part, _ in ranked]
    first = [*hints.fits, *hints.parts, *alike] if against else [*hints.parts, *alike[:1], *hints.fits, *alike]
    candidates = tuple(dict.fromkeys(first))[:MOST_CANDIDATES]
    reason = hints.reason or (hints.fits_why if against else SIMILAR if candidates else "not in the catalog")
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
    if not may_have("service", text):
        return False
    plain = folded(text)
    first = re.sub(r"^[\d.,\s%x×*年yr-]+", "", plain)
    if begins("service", first):
        return True
    clause = re.split(r"[,;+|\n，；]|\s[-–]\s|\b(?:incl|with|w/)", plain)[0]
    if has("machine", clause) and not has("service", clause):
        return False  # `Server: ThinkSystem SR675 V3 - 3yr Base Warranty`
    return has("service", plain) and len(plain) <= 60
