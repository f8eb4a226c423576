"""Text and tables that fit the width of a terminal: lines break between words, and Chinese between characters; a table
of more columns than fit is printed in blocks, each of which begins with the columns that name a row."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Sequence, Set
from typing import TextIO

UNKNOWN = 140
"""Width of tables that go to a file or a pipe."""
APART = 3
"""Cells between two columns of a table, and EDGES at its ends."""
EDGES = 2
COLUMN = (20, 16, 12)
"""Narrowest that a column of text is made, where the text is wider: narrower where the table then has fewer blocks."""
WIDE = "\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6"
OPENING, CLOSING = "（「《", "，。；：、）」》！？"
UNIT = r"(?:词元(?:/秒)?|(?:%|USD|CNY|EUR|GBP|JPY|[kMG]?Wh?|[KMGT]i?B(?:/s)?|tok/s|ms|s|kg|U|V|A|°C)(?![\w/]))"
PIECE = re.compile(rf"[{OPENING}]*(?:[{WIDE}]|[^\s{WIDE}]*\d {UNIT}[^\s{WIDE}]*|[^\s{WIDE}]+)[{CLOSING}]*")
"""What no line break divides: a character, or a word of Latin letters and figures, with the punctuation at it; a figure
keeps its unit."""
WITHIN = re.compile(r"(?<=[-/_= ])|(?<=[,.])(?!\d)")
"""Where a word, or a figure with its unit, that is longer than a line may be divided; a figure itself is not."""
TERM = re.compile(rf" |(?=[{OPENING}])|(?<=，)")
"""Between the words of a column's title in either language; the Chinese between two of these is one word."""


def screen_width(stream: TextIO) -> int | None:
    """Cells of a line; None where the stream is no terminal."""
    return max(20, shutil.get_terminal_size().columns) if stream.isatty() else None


def titled(header: str, width: int) -> str:
    """A column's title in lines of at most `width` cells, broken between its words."""
    from rich.cells import cell_len

    lines = [""]
    for space, word in _terms(header):
        if lines[-1] and cell_len(lines[-1] + space + word) > width:
            lines.append(word)
        else:
            lines[-1] += (space if lines[-1] else "") + word
    return wrapped("\n".join(lines), width)


def _terms(header: str) -> list[tuple[str, str]]:
    """(space before, word) of a title."""
    from itertools import pairwise

    edges = [0, *(x.end() for x in TERM.finditer(header)), len(header)]
    texts = [header[a:b] for a, b in pairwise(edges) if b > a]
    return [(" " * texts[i - 1].endswith(" ") if i else "", x.strip()) for i, x in enumerate(texts)]


def labelled(label: str, text: str, cells: int, width: int | None) -> str:
    """A label of `cells` cells and what it stands for, whose further lines begin under the first; `width`: cells of a
    line, None where nothing is broken."""
    from rich.cells import cell_len

    head = label + " " * max(cells - cell_len(label), 0) + " "
    if width is None:
        return head + text
    room = width - cell_len(head)
    if room < min(20, width // 2):
        return wrapped(head + text, width)
    return head + wrapped(text, room).replace("\n", "\n" + " " * cell_len(head))


def columns_asked() -> int | None:
    """Cells of a line that the environment asks for (COLUMNS), where there is no terminal to say it."""
    asked = os.environ.get("COLUMNS", "")
    return max(20, int(asked)) if asked.isascii() and asked.isdigit() and len(asked) < 6 else None


def wrapped(text: str, width: int) -> str:
    """The text in lines of at most `width` cells; a line that is broken goes on under its own indentation."""
    return "\n".join(broken for line in text.split("\n") for broken in _lines(line, width))


def _lines(line: str, width: int) -> list[str]:
    from rich.cells import cell_len

    if cell_len(line) <= width:
        return [line]
    indent = line[: len(line) - len(line.lstrip())]
    indent = indent if len(indent) < width // 2 else ""
    out, now = list[str](), ""
    for space, piece in _pieces(line.strip(), width - len(indent)):
        if now and cell_len(indent + now + space + piece) > width:
            out.append(indent + now)
            now = piece
        else:
            now += (space if now else "") + piece
    return [*out, indent + now]


def _pieces(text: str, width: int) -> Iterable[tuple[str, str]]:
    """(space before, piece) of a line; what is wider than `width` is divided."""
    from rich.cells import cell_len

    end = 0
    for found in PIECE.finditer(text):
        space, piece = text[end : found.start()], found[0]
        end = found.end()
        if cell_len(piece) <= width:
            yield space, piece
            continue
        for part in WITHIN.split(piece):
            whole = part.rstrip()
            for i in range(0, len(whole), width):
                yield space, whole[i : i + width]
                space = ""
            space = " " * (whole != part)


def blocks(
    header: Sequence[str], rows: Sequence[Sequence[str]], right: Set[int], width: int, keys: int = 1
) -> list[dict[int, int]]:
    """Columns and their widths in cells, block by block; each begins with the first `keys` columns. Figures (the
    columns in `right`) are never divided."""
    natural = [max(map(_natural, column)) for column in zip(header, *rows, strict=True)]
    tried = []
    for narrow in COLUMN:
        least = [_least(i in right, x, [row[i] for row in rows], narrow) for i, x in enumerate(header)]
        tried.append((_packed(least, width, keys), least))
    packed, least = min(tried, key=lambda x: len(x[0]))
    return [_shared(block, least, natural, width) for block in packed]


def _packed(least: Sequence[int], width: int, keys: int) -> list[list[int]]:
    """Columns block by block, as many in each as fit."""
    out: list[list[int]] = [[]]
    for i in range(len(least)):
        if len(out[-1]) > keys and _taken([least[j] for j in (*out[-1], i)]) > width:
            out.append(list(range(keys)))
        out[-1].append(i)
    return out


def _shared(block: list[int], least: Sequence[int], natural: Sequence[int], width: int) -> dict[int, int]:
    """The width that is left, given to the columns that want the fewest cells first."""
    spare = width - _taken([least[i] for i in block])
    given = {i: least[i] for i in block}
    for place, i in enumerate(sorted(block, key=lambda i: natural[i] - least[i])):
        more = min(natural[i] - least[i], max(0, spare) // (len(block) - place))
        given[i] += more
        spare -= more
    return given


def fits(found: Sequence[dict[int, int]], width: int) -> bool:
    """Whether every block of a table is as narrow as the screen."""
    return all(_taken([*block.values()]) <= width for block in found)


def _taken(widths: Sequence[int]) -> int:
    return sum(widths) + APART * (len(widths) - 1) + EDGES


def _natural(text: str) -> int:
    from rich.cells import cell_len

    return max(map(cell_len, text.split("\n")))


def _least(figures: bool, header: str, cells: Sequence[str], narrow: int) -> int:
    """The narrowest that a column may be: as wide as a figure, or as a word that is not too long."""
    from rich.cells import cell_len

    def word(text: str) -> int:
        return max((cell_len(x) for x in PIECE.findall(text)), default=0)

    title = max([(_natural(header) + 1) // 2, *(cell_len(x) for _, x in _terms(header))])
    widest = max(map(_natural, cells), default=0)
    if figures:
        return max(title, widest)
    return max([title, min(widest, narrow), *(min(word(cell), narrow + 4) for cell in cells)])
