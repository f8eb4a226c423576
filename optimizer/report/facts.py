"""What a point of a result is made of, read from its lines: its machine, pieces per node, words for its GPUs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from catalogs.message import read_message
from optimizer.result.point_schema import BomLine, FrontPoint
from optimizer.result.schema import Message, Result
from optimizer.text.languages import Words

MACHINES = ("system", "platform")
IN_NODE = ("node", "included")


@dataclass(frozen=True)
class Piece:
    """A part of a node: so many pieces of one name."""

    part: str
    category: str
    name: str
    pieces: int


def recommended_point(result: Result) -> FrontPoint | None:
    """The point that the result recommends; None where it has no build."""
    return next((point for point in result.front if point.id == result.recommended), None)


def point_named(result: Result, name: str | None) -> FrontPoint | None:
    """A point by its id, the recommended one without a name; None where there is none."""
    if name is None:
        return recommended_point(result)
    return next((point for point in result.front if point.id == name), None)


def pieces(point: FrontPoint, categories: Sequence[str]) -> list[Piece]:
    """What one node holds of these categories, in the order of the bill."""
    nodes = point.nodes[0].count
    found: dict[str, Piece] = {}
    for line in point.bom:
        if line.role in IN_NODE and line.category in categories and line.qty >= nodes:
            before = found[line.part].pieces if line.part in found else 0
            found[line.part] = Piece(line.part, line.category, line.name, before + line.qty // nodes)
    return list(found.values())


def machine(point: FrontPoint) -> BomLine | None:
    """The line of the complete system or of the server platform; None of a result that names none."""
    return next((line for kind in MACHINES for line in point.bom if line.category == kind), None)


def remark(said: Message, words: Words) -> str:
    """A remark of a result in a language; what a model's file says of the model in the file's own Chinese."""
    text = read_message(said.model_dump())
    shown = words.sentence(text)
    if words.chinese and shown == text:
        from catalogs.llm import note_in_chinese

        return note_in_chinese(text)
    return shown


def with_maker(line: BomLine) -> str:
    """The name of a machine with its maker's, `Dell PowerEdge XE9680`, where the name has it not."""
    known = not line.vendor or line.vendor.casefold() in line.name.casefold()
    return line.name if known else f"{line.vendor} {line.name}"
