"""Modules named in a quantization object: exactly, with `*`, or by a regular expression behind `re:`.

A name covers the module and all that lies in it: `model.layers.3.self_attn` names `...self_attn.o_proj` too; without
layers it covers those of all, as `self_attn` and `mlp.gate` do, which does not name `mlp.gate_proj`. What a config says
in front of the layers (`model.`, `language_model.model.`, `model.language_model.` or nothing) differs by tool and is
left out of account. Regular expressions of a stranger's file are matched position by position, never by trying
alternatives again: no pattern takes more than a moment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import translate
from functools import cached_property, lru_cache, reduce
from operator import or_
from re import Pattern
from re import compile as regular
from typing import Literal

PREFIXES = ("model.language_model.", "language_model.model.", "language_model.", "model.")
"""What may stand before `layers.3` and `lm_head`, longest first."""
MOST_LENGTH = 1_000
"""Characters of one pattern."""
MOST_DEPTH = 6
"""Groups of a regular expression within each other; each level may double the work."""
REGULAR = "re:"


class PatternError(ValueError):
    """A regular expression that is not understood."""


def bare(module: str) -> str:
    """A module's name without what stands before its layers."""
    return next((module[len(prefix) :] for prefix in PREFIXES if module.startswith(prefix)), module)


@dataclass(frozen=True)
class Names:
    """A list of names of modules; looking into it raises PatternError for a pattern that is not understood."""

    listed: tuple[str, ...]

    def __contains__(self, module: str) -> bool:
        """Whether the list names the module or one that it lies in."""
        if not self.listed:
            return False
        inner = bare(module)
        if inner.startswith(self._beginnings) or not self._exact.isdisjoint(_parts(inner)):
            return True
        if any(pattern.match(place) for pattern in self._globs for place in _places(inner)):
            return True
        return any(e.begins(spelled) for e in self._expressions for spelled in _spellings(inner))

    def check(self) -> None:
        """Raises PatternError for a pattern that is not understood, before anything is looked for."""
        _ = self._marked, self._globs, self._expressions

    def of_layers(self, layers: int) -> str:
        """The first exact name that lies in one of so many layers; empty where none does."""
        for name in self._exact:
            place, _, rest = name.partition(".")
            number = rest.partition(".")[0]
            if place == "layers" and number.isdecimal() and len(number) < 7 and int(number) < layers:
                return name
        return ""

    @cached_property
    def _exact(self) -> frozenset[str]:
        plain = (name for name in self.listed if not name.startswith(REGULAR) and not set("*?[") & set(name))
        return frozenset(bare(name.strip(".")) for name in plain)

    @cached_property
    def _marked(self) -> frozenset[str]:
        """Names with `*`, without what stands before the layers."""
        marked = [name for name in self.listed if not name.startswith(REGULAR) and set("*?[") & set(name)]
        if long := next((name for name in marked if len(name) > MOST_LENGTH), ""):
            raise PatternError(long[:60])
        return frozenset(map(bare, marked))

    @cached_property
    def _beginnings(self) -> tuple[str, ...]:
        """Of names whose one `*` is at the end; hundreds of them are usual."""
        return tuple(sorted(name[:-1] for name in self._marked if _begins(name)))

    @cached_property
    def _globs(self) -> tuple[Pattern[str], ...]:
        """The others; fnmatch never goes back over what it has passed."""
        return tuple(regular(translate(name)) for name in sorted(self._marked) if not _begins(name))

    @cached_property
    def _expressions(self) -> tuple[Expression, ...]:
        return tuple(Expression.of(n.removeprefix(REGULAR)) for n in self.listed if n.startswith(REGULAR))


def _begins(name: str) -> bool:
    """Whether a name says with what a module begins."""
    return name.endswith("*") and not set("*?[") & set(name[:-1])


def _places(module: str) -> Iterator[str]:
    """The module, what it lies in, and so on: `layers.0.mlp.gate_proj`, `layers.0.mlp`, `layers.0`, `layers`."""
    while module:
        yield module
        module = module.rpartition(".")[0]


def _parts(module: str) -> Iterator[str]:
    """The same of every part of its name: `mlp.gate_proj`, `mlp`, `gate_proj` too."""
    while module:
        yield from _places(module)
        module = module.partition(".")[2]


def _spellings(inner: str) -> Iterator[str]:
    """A module as the tools spell it."""
    yield inner
    for prefix in PREFIXES:
        yield prefix + inner


# Regular expressions ------------------------------------------------------------------------------------------------

Kind = Literal["one", "start", "end", "group", "ahead", "not ahead"]


@dataclass(frozen=True)
class Piece:
    """One element of an expression with its repetition. `letters`: characters that it takes (of `one`; None is any,
    `but` turns it round); `ways`: alternatives of a group."""

    kind: Kind
    least: int = 1
    most: int | None = 1
    letters: frozenset[str] | None = None
    but: bool = False
    ways: tuple[tuple[Piece, ...], ...] = ()

    def once(self, line: Line, starts: int) -> int:
        """Where the element may end that begins at one of `starts`."""
        if self.kind == "start":
            return starts & 1
        if self.kind == "end":
            return starts & (1 << len(line.text))
        if self.kind == "one":
            return (starts & line.places(self.letters, self.but)) << 1
        if self.kind == "group":
            return reduce(or_, (_ends(way, line, starts) for way in self.ways), 0)
        wanted = self.kind == "ahead"
        single = (1 << at for at in range(starts.bit_length()) if starts >> at & 1)
        return sum(at for at in single if any(_ends(way, line, at) for way in self.ways) == wanted)

    def ends(self, line: Line, starts: int) -> int:
        """Where it may end with its repetitions."""
        reached = starts
        for _ in range(self.least):
            before, reached = reached, self.once(line, reached)
            if reached == before:
                break
        if self.kind == "one" and self.most is None:
            # The carry of a sum runs from each place to the end of the row of characters that it begins (Cameron and
            # others 2014, Bitwise data parallelism in regular expression matching: MatchStar).
            places = line.places(self.letters, self.but)
            return (((reached & places) + places) ^ places) | reached
        found, latest = reached, reached
        for _ in range(len(line.text) if self.most is None else min(self.most - self.least, len(line.text))):
            latest = self.once(line, latest) & ~found
            if not latest:
                break
            found |= latest
        return found


class Line:
    """A text that is looked into. Sets of places in it are whole numbers, bit 3 is the place before the fourth
    character: all places go one character on at once."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._places: dict[tuple[frozenset[str], bool], int] = {}

    def places(self, letters: frozenset[str] | None, but: bool) -> int:
        """Before each of these characters; None is any, `but` turns it round."""
        if letters is None:
            return (1 << len(self.text)) - 1
        found = self._places.get((letters, but))
        if found is None:
            found = sum(1 << at for at, letter in enumerate(self.text) if (letter in letters) != but)
            self._places[letters, but] = found
        return found


@lru_cache(maxsize=64)
def _line(text: str) -> Line:
    """One of the last texts: each is looked into by all expressions of a list."""
    return Line(text)


def _ends(pieces: tuple[Piece, ...], line: Line, starts: int) -> int:
    """Where a row of elements may end that begins at one of `starts`."""
    for piece in pieces:
        if not starts:
            break
        starts = piece.ends(line, starts)
    return starts


@dataclass(frozen=True)
class Expression:
    """A regular expression; what it may hold: letters, `.`, classes, groups, `|`, `* + ? {}`, `^ $`, looking ahead."""

    ways: tuple[tuple[Piece, ...], ...]

    @classmethod
    def of(cls, text: str) -> Expression:
        """Raises PatternError."""
        if len(text) > MOST_LENGTH:
            raise PatternError(text[:60])
        reader = _Reader(text)
        ways = reader.ways(0)
        if reader.place < len(text):
            raise PatternError(text[:60])
        return cls(ways)

    def begins(self, text: str) -> bool:
        """Whether it matches a beginning of the text, as `re.match` of the tools does."""
        possible = (way for way, needed in self._needed if needed in text)
        return any(_ends(way, _line(text), 1) for way in possible)

    @cached_property
    def _needed(self) -> tuple[tuple[tuple[Piece, ...], str], ...]:
        """Each alternative with what stands in every text that it matches: most texts are told apart by that alone."""
        return tuple((way, _longest_literal(way)) for way in self.ways)


def _longest_literal(pieces: tuple[Piece, ...]) -> str:
    """The longest row of single letters, each there once, in a row of elements."""
    rows = [""]
    for piece in pieces:
        literal = piece.kind == "one" and not piece.but and piece.letters is not None and len(piece.letters) == 1
        if literal and piece.least == piece.most == 1:
            rows[-1] += "".join(piece.letters or ())
        else:
            rows.append("")
    return max(rows, key=len)


DIGITS = frozenset("0123456789")
WORD = DIGITS | frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_")
CLASSES = {"d": (DIGITS, False), "D": (DIGITS, True), "w": (WORD, False), "W": (WORD, True)}
GROUPS: dict[str, Kind] = {"(?:": "group", "(?=": "ahead", "(?!": "not ahead", "(": "group"}
MOST_REPEATS = 1_000


class _Reader:
    """Reads an expression from left to right."""

    def __init__(self, text: str) -> None:
        self.text, self.place, self.ahead = text, 0, False

    def fail(self) -> PatternError:
        return PatternError(self.text[:60])

    def skip(self, mark: str) -> bool:
        """Whether this stands here; it is passed then."""
        if not self.text.startswith(mark, self.place):
            return False
        self.place += len(mark)
        return True

    def next(self) -> str:
        if self.place >= len(self.text):
            raise self.fail()
        self.place += 1
        return self.text[self.place - 1]

    def ways(self, depth: int) -> tuple[tuple[Piece, ...], ...]:
        """Alternatives up to the end of the group."""
        if depth > MOST_DEPTH:
            raise self.fail()
        found: list[list[Piece]] = [[]]
        while self.place < len(self.text) and self.text[self.place] != ")":
            if self.skip("|"):
                found.append([])
            else:
                found[-1].append(self.piece(depth))
        return tuple(map(tuple, found))

    def piece(self, depth: int) -> Piece:
        kind, letters, but, ways = self.element(depth)
        least, most = self.repetition()
        return Piece(kind, least, most, letters, but, ways)

    def element(self, depth: int) -> tuple[Kind, frozenset[str] | None, bool, tuple[tuple[Piece, ...], ...]]:
        for mark, kind in GROUPS.items():
            if self.skip(mark):
                outside = self.ahead
                looks = kind != "group"
                # Looking ahead while looking ahead would try every place once more at every level.
                if (looks and outside) or (mark == "(" and self.text.startswith("?", self.place)):
                    raise self.fail()
                self.ahead = looks or outside
                ways = self.ways(depth + 1)
                self.ahead = outside
                if not self.skip(")"):
                    raise self.fail()
                return kind, None, False, ways
        letter = self.next()
        if letter == "[":
            return "one", *self.letters(), ()
        if letter in "*+?{":
            raise self.fail()
        if letter == "^":
            return "start", None, False, ()
        if letter == "$":
            return "end", None, False, ()
        if letter == ".":
            return "one", None, False, ()
        return "one", *(self.escaped() if letter == "\\" else (frozenset(letter), False)), ()

    def escaped(self) -> tuple[frozenset[str], bool]:
        letter = self.next()
        if letter.isalnum() and letter not in CLASSES:
            raise self.fail()
        return CLASSES.get(letter, (frozenset(letter), False))

    def letters(self) -> tuple[frozenset[str], bool]:
        """Of a class behind its `[`."""
        but, found = self.skip("^"), frozenset[str]()
        while not self.skip("]"):
            letter = self.next()
            if letter == "\\":
                inner, turned = self.escaped()
                if turned:
                    raise self.fail()
                found |= inner
            elif self.text.startswith("-", self.place) and not self.text.startswith("-]", self.place):
                self.place += 1
                found |= {chr(code) for code in range(ord(letter), min(ord(self.next()), 127) + 1)}
            else:
                found |= {letter}
        return found, but

    def repetition(self) -> tuple[int, int | None]:
        for mark, bounds in (("*", (0, None)), ("+", (1, None)), ("?", (0, 1))):
            if self.skip(mark):
                self.skip("?")  # the shortest match first: the same matches
                return bounds
        if not self.skip("{"):
            return 1, 1
        inner, closed, rest = self.text[self.place :].partition("}")
        low, comma, high = inner.partition(",")
        least, most = (int(x) if x.isdecimal() and len(x) < 5 else None for x in (low, high if comma else low))
        if not closed or least is None or (high and most is None):
            raise self.fail()
        if max(least, most or 0) > MOST_REPEATS or (most is not None and most < least):
            raise self.fail()
        self.place = len(self.text) - len(rest)
        self.skip("?")
        return least, most
