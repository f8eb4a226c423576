"""Lines of placed words -> rows of cells: texts aligned by blanks, and pages of a PDF without ruled tables.

Columns are where the lines with amounts leave gaps that they share; the heads above them say which gaps count."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median

from optimizer.procurement.reading.opening.cell_text import amount_like

BLANK = re.compile(r"[ \t\xa0\u3000]+")
RULE = re.compile(r"[\s\-=_+|*~.·─━═│┃┼]+")
"""A line that only rules."""
LEAST_CELLS = 3
EMPTY_COLUMN = 6.0
"""What a column without anything in it costs, in widths of a character, against words far from their head."""
FAR = 1.5
"""Widths of a character from which a gap parts cells, in a text; a single blank parts words."""


@dataclass(frozen=True)
class Word:
    """`left`, `right`: its place in the line, in widths of a character. `column`: of its cell where lines rule one."""

    text: str
    left: float
    right: float
    column: int = -1


@dataclass(frozen=True)
class Cut:
    """A cell as a run of words."""

    words: tuple[Word, ...]

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)

    @property
    def left(self) -> float:
        return self.words[0].left

    @property
    def right(self) -> float:
        return self.words[-1].right


@dataclass
class Block:
    """A table without rules: the place of its head among the lines, its columns from left to right as (left, right)."""

    head: int
    columns: list[tuple[float, float]]
    heads: list[str] = field(default_factory=list)


def words_of(line: str) -> list[Word]:
    """The words of a line of text; a wide character (Chinese) takes two places, a tab goes to the next eighth."""
    out: list[Word] = []
    at, start, text = 0.0, 0.0, ""
    for sign in [*line, " "]:
        if BLANK.fullmatch(sign):
            if text:
                out.append(Word(text, start, at))
                text = ""
            at += 8 - at % 8 if sign == "\t" else 2 if sign == "\u3000" else 1
            continue
        if not text:
            start = at
        text += sign
        at += 2 if unicodedata.east_asian_width(sign) in "WF" else 1
    return out


def cuts_of(line: Sequence[Word], far: float = FAR) -> list[Cut]:
    """The cells that wide gaps part."""
    out: list[list[Word]] = []
    for word in line:
        if out and word.left - out[-1][-1].right < far and word.column == out[-1][-1].column:
            out[-1].append(word)
        else:
            out.append([word])
    return [Cut(tuple(words)) for words in out]


def rows_of(lines: Sequence[Sequence[Word]]) -> list[dict[int, str]]:
    """The cells by column (from 1) of each line, {} for one that says nothing."""
    cut = [[] if _is_rule(line) else cuts_of(line) for line in lines]
    blocks = list(_blocks(cut))
    rows: list[dict[int, str]] = []
    for place, cells in enumerate(cut):
        block = next((b for b in reversed(blocks) if b.head <= place), None)
        if not cells:
            rows.append({})
        elif cells[0].words[0].column >= 0:
            rows.append({cell.words[0].column + 1: cell.text for cell in cells})
        elif block is None:
            rows.append(dict(enumerate((cell.text for cell in cells), 1)))
        elif place == block.head:
            rows.append({c: text for c, text in enumerate(block.heads, 1) if text})
        else:
            rows.append(_in_columns(cells, block, whole=not _is_anchor(cells)))
    return rows


def aligned_lines(text: str) -> int:
    """How many lines of a text hold an amount among three cells and more."""
    return sum(_is_anchor(cuts_of(words_of(line))) for line in text.splitlines())


def _is_rule(line: Sequence[Word]) -> bool:
    return all(RULE.fullmatch(word.text) for word in line)


def _is_anchor(cells: Sequence[Cut]) -> bool:
    """Whether it is a line of a table: some cells, an amount among them."""
    return len(cells) >= LEAST_CELLS and any(amount_like(cell.text) for cell in cells)


def _is_head(cells: Sequence[Cut]) -> bool:
    return len(cells) >= LEAST_CELLS and not any(amount_like(cell.text) for cell in cells)


def _blocks(cut: Sequence[Sequence[Cut]]) -> Iterable[Block]:
    """Tables without rules: a line of heads with lines of amounts below it, up to the next head."""
    heads = [at for at, cells in enumerate(cut) if _is_head(cells) and cells[0].words[0].column < 0]
    for at, end in zip(heads, [*heads, len(cut)][1:], strict=True):
        anchors = [cells for cells in cut[at + 1 : end] if _is_anchor(cells) and cells[0].words[0].column < 0]
        if anchors:
            yield _block(at, list(cut[at]), anchors)


def _block(at: int, heads: list[Cut], anchors: Sequence[Sequence[Cut]]) -> Block:
    strips = _strips(anchors)
    heads = _split_heads(heads, strips, anchors)
    groups = _grouped(strips, heads)
    columns = []
    for cell, group in zip(heads, groups, strict=True):
        left = min([cell.left, *(strip[0] for strip in group)]) if group else cell.left
        right = max([cell.right, *(strip[1] for strip in group)]) if group else cell.right
        columns.append((left, right))
    return Block(at, columns, [cell.text for cell in heads])


def _strips(anchors: Sequence[Sequence[Cut]]) -> list[tuple[float, float]]:
    """What the words of the lines cover together, from left to right; gaps between them are shared by all lines, but
    for a line in ten that runs over."""
    words = sorted((word.left, word.right) for cells in anchors for cell in cells for word in cell.words)
    out: list[tuple[float, float]] = []
    for left, right in words:
        if out and left < out[-1][1] + 0.2:
            out[-1] = out[-1][0], max(out[-1][1], right)
        else:
            out.append((left, right))
    return out


def _split_heads(
    heads: list[Cut], strips: Sequence[tuple[float, float]], anchors: Sequence[Sequence[Cut]]
) -> list[Cut]:
    """Heads with a single blank between them are parted where the amounts below them stand in two columns."""
    out: list[Cut] = []
    for cell in heads:
        over = [s for s in strips if s[0] < cell.right and s[1] > cell.left and _of_amounts(s, anchors)]
        if len(over) == 2 and len(cell.words) > 1:
            gap = (over[0][1] + over[1][0]) / 2
            middles = [(a.right + b.left) / 2 for a, b in pairwise(cell.words)]
            at = 1 + min(range(len(middles)), key=[abs(middle - gap) for middle in middles].__getitem__)
            out += [Cut(cell.words[:at]), Cut(cell.words[at:])]
        else:
            out.append(cell)
    return out


def _of_amounts(strip: tuple[float, float], anchors: Sequence[Sequence[Cut]]) -> bool:
    """Whether most of what stands in a strip are amounts."""
    texts = [
        word.text for cells in anchors for cell in cells for word in cell.words if strip[0] <= word.left < strip[1]
    ]
    return bool(texts) and sum(map(amount_like, texts)) * 10 >= len(texts) * 8


def _grouped(strips: Sequence[tuple[float, float]], heads: Sequence[Cut]) -> list[list[tuple[float, float]]]:
    """The strips under each head, in their order, as near to their heads as can be: by the least sum of distances."""
    count = len(strips)
    best: list[list[tuple[float, int]]] = [[(0.0, 0)] + [(float("inf"), 0)] * count]
    for head in heads:
        row: list[tuple[float, int]] = []
        for end in range(count + 1):
            ways = []
            for start in range(end + 1):
                before = best[-1][start][0]
                cost = sum(_distance(head, strip) for strip in strips[start:end]) if end > start else EMPTY_COLUMN
                ways.append((before + cost, start))
            row.append(min(ways))
        best.append(row)
    out: list[list[tuple[float, float]]] = []
    end = count
    for place in range(len(heads), 0, -1):
        start = best[place][end][1]
        out.append(list(strips[start:end]))
        end = start
    return out[::-1]


def _distance(head: Cut, strip: tuple[float, float]) -> float:
    if strip[0] < head.right and strip[1] > head.left:
        return 0.0
    return max(strip[0] - head.right, head.left - strip[1], 0.1)


def _in_columns(cells: Sequence[Cut], block: Block, *, whole: bool) -> dict[int, str]:
    """A line's texts by column: word by word in a line of the table, cell by cell in any other."""
    out: dict[int, list[str]] = {}
    parts = [cell for cell in cells] if whole else [Cut((word,)) for cell in cells for word in cell.words]
    for part in parts:
        out.setdefault(_column(part, block), []).append(part.text)
    return {column: " ".join(texts) for column, texts in sorted(out.items())}


def _column(part: Cut, block: Block) -> int:
    """The column (from 1) that the part overlaps most, else the nearest."""

    def far(place: int) -> tuple[float, float]:
        left, right = block.columns[place]
        over = min(right, part.right) - max(left, part.left)
        return -max(over, 0.0), max(left - part.right, part.left - right, 0.0)

    return min(range(len(block.columns)), key=far) + 1


def joined_lines(lines: Sequence[tuple[float, Sequence[Word]]]) -> list[Sequence[Word]]:
    """`lines` with the place of each on its page from the top, in widths of a character. A line of words alone that
    stands clearly nearer to one line of a table than to any other belongs to it: a description of two lines."""
    cut = [cuts_of(line) for _, line in lines]
    anchors = [at for at, cells in enumerate(cut) if _is_anchor(cells)]
    if len(anchors) < 2:
        return [line for _, line in lines]
    step = median(lines[b][0] - lines[a][0] for a, b in pairwise(anchors))
    more: dict[int, list[int]] = {}
    for at, (place, _) in enumerate(lines):
        if len(cut[at]) != 1 or at in anchors or amount_like(cut[at][0].text):
            continue
        near = sorted(anchors, key=lambda a: abs(lines[a][0] - place))[:2]
        first, second = (abs(lines[a][0] - place) for a in near)
        indented = cut[at][0].left > cut[near[0]][0].right
        if indented and first * 1.3 < second and first < step * 0.75:
            more.setdefault(near[0], []).append(at)
    gone = {at for places in more.values() for at in places}
    return [_with_words(lines, at, more.get(at, [])) for at in range(len(lines)) if at not in gone]


def _with_words(lines: Sequence[tuple[float, Sequence[Word]]], at: int, more: Sequence[int]) -> Sequence[Word]:
    """A line with the words of others in the cell below or above which they stand."""
    line = list(lines[at][1])
    for other in more:
        words = lines[other][1]
        first = min(range(len(line)), key=lambda i: abs(line[i].left - words[0].left))
        behind = next((i for i in range(first + 1, len(line)) if line[i].left - line[i - 1].right >= FAR), len(line))
        place = first if other < at else behind
        left = line[first].left
        line[place:place] = [Word(word.text, left, left + 0.1) for word in words]
    return line
