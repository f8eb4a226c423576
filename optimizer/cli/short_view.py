"""The answer of a solve on one screen: the build, the front as a picture, named points, what to mind, what next."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from optimizer.cli.front_plot import dots, picture
from optimizer.cli.money_view import grouped
from optimizer.cli.output import padded, rows_said, screen_of
from optimizer.cli.progress import wipe
from optimizer.cli.sentence_view import remarks, sentences
from optimizer.cli.wrapped import UNKNOWN, wrapped
from optimizer.text.languages import chosen

TALL, UNSEEN = 24, 60
"""Rows of a screen that does not say how many, and of a file or a pipe."""
REMARKS = 2
NARROW = 50
"""Cells of a line below which no label stands before a command."""
KEPT = "result"
FEW = 3
"""Ways out that fit on a screen."""


def show_short(data: dict[str, Any], command: str, kept: Path | None) -> None:
    """Prints it. `command`: what asks for this answer again; `kept`: the file that holds the result."""
    width = screen_of(sys.stdout)
    rows = rows_left()
    wipe()
    print("\n".join(answer(data, next_commands(command, kept), width, rows)), flush=True)


def rows_left() -> int:
    """Rows of the screen below what this command has said, but for the one of the next prompt."""
    rows = shutil.get_terminal_size((80, TALL)).lines if sys.stdout.isatty() else UNSEEN
    return rows - 1 - rows_said()


def answer(data: dict[str, Any], commands: Sequence[str], width: int | None, rows: int) -> list[str]:
    """The lines, of at most `width` cells; the picture takes what is left of `rows`."""
    _, cells = chosen(), width or UNKNOWN
    head = [x for line in ("", *_said(data)) for x in fitted(line, width)]
    tail = [*_points(data, cells), *_remarks(data, width), *following(commands, width)]
    unit = data["axis"]["unit"]
    drawn = picture(dots(data), cells, rows - len(head) - len(tail), _(unit), _("tok/s"))
    return [*head, *drawn, *tail]


def _said(data: dict[str, Any]) -> list[str]:
    """The build, then whether anything better was left out."""
    _, proof, sha = chosen(), data["proof"], data["catalog"]["sha256"][:12]
    proven = (
        _("Proven: no cheaper or faster valid build of catalog {sha} was overlooked.", sha=sha)
        if proof["complete"]
        else _("Not proven complete: the best builds found in the time.")
    )
    return [*sentences(data), proven]


def fitted(text: str, width: int | None) -> list[str]:
    """In lines of the screen; one where nothing is broken."""
    return (wrapped(text, width) if width else text).split("\n")


def listed(text: str, width: int | None) -> list[str]:
    """A member of a list, its further lines under its first."""
    first, *more = fitted(text, width - 2 if width else None)
    return [f"- {first}", *(f"  {line}" for line in more)]


def _points(data: dict[str, Any], cells: int) -> list[str]:
    """A line for each point that has a name; nothing where one build has all of them."""
    from optimizer.cli.front_view import interval
    from optimizer.procurement.labels import word

    _ = chosen()
    names: dict[str, list[str]] = {}
    for label, point in [("recommended", data["recommended"]), *data["named"].items()]:
        if point is not None:
            names.setdefault(point, []).append(word(_, label))
    if len(data["front"]) == 1:
        return fitted(_("It is the only point of the front: the cheapest and the fastest."), cells)
    header = ["", _("point"), data["request"]["currency"], _("tok/s"), _("80 % interval"), _("GPUs")]
    rows = [
        [
            _.list(names[p["id"]]), p["id"], grouped(p["cost"]["total"]), f"{p['throughput']['output_tok_s']:,.1f}",
            interval(p["throughput"]), f"{p['nodes'][0]['count']} x {p['gpus']['per_node']} {p['gpus']['name']}",
        ]
        for p in data["front"]
        if p["id"] in names
    ]  # fmt: skip
    return compact(header, rows, {2, 3, 4}, (4, 5), cells)


def compact(
    header: Sequence[str], rows: Sequence[Sequence[str]], right: set[int], dropped: Iterable[int], cells: int
) -> list[str]:
    """A table of one line for each row; the columns `dropped` go, in that order, where it would be too wide, and where
    that is not enough the cells stand below each other."""
    from rich.cells import cell_len

    wide = [max(map(cell_len, column)) for column in zip(header, *rows, strict=True)]
    kept, going = list(range(len(header))), list(dropped)
    while sum(wide[i] + 2 for i in kept) - 2 > cells and going:
        kept.remove(going.pop(0))
    if sum(wide[i] + 2 for i in kept) - 2 <= cells:
        return ["  ".join(padded(row[i], wide[i], i in right) for i in kept).rstrip() for row in [header, *rows]]
    lines = []
    for row in rows:
        for place, i in enumerate(kept):
            unit = header[i] if i in right else ""
            lines += fitted(f"{'  ' * bool(place)}{row[i]} {unit}".rstrip(), cells)
    return lines


def _remarks(data: dict[str, Any], width: int | None) -> list[str]:
    """The most important ones that take a line each, two lines at most, and how many more there are."""
    from optimizer.cli.front_view import recommended

    _, checks = chosen(), recommended(data)["checks"]
    some = [text for text in remarks(data) if len(listed(text, width)) == 1][:REMARKS]
    more = len(data["messages"]) - len(some) + sum(check["status"] != "pass" for check in checks)
    if more <= 0:
        return [x for text in some for x in listed(text, width)]
    counted = _("{n} more remarks: -v", n=more)
    if some and len(listed(joined := _.apart.join([some[-1], counted]), width)) == 1:
        some[-1] = joined
    else:
        some = [*some[: REMARKS - 1], _("{n} more remarks: -v", n=more + max(0, len(some) - REMARKS + 1))]
    return [x for text in some for x in listed(text, width)]


def following(commands: Sequence[str], width: int | None) -> list[str]:
    """Commands to type, under each other behind a label."""
    from rich.cells import cell_len

    label = chosen()("Next:") + " "
    cells = cell_len(label)
    if width and width < NARROW:
        return [label.strip(), *(x for command in commands for x in typed_lines(command, width))]
    lines = [x for command in commands for x in typed_lines(command, width, cells)]
    return [label + lines[0][cells:], *lines[1:]]


def typed_lines(command: str, width: int | None, indent: int = 2) -> list[str]:
    """A command in lines of at most `width` cells that end with a backslash, as a shell joins them again; a single word
    is never cut."""
    from rich.cells import cell_len

    whole = " " * indent + command
    if width is None or cell_len(whole) <= width:
        return [whole]
    lines = [" " * indent]
    for word in map(shlex.quote, shlex.split(command)):
        if lines[-1].strip() and cell_len(f"{lines[-1]} {word} \\") > width:
            lines[-1] += " \\"
            lines.append(" " * (indent + 2))
        lines[-1] += (" " if lines[-1].strip() else "") + word
    return lines


def next_commands(command: str, kept: Path | None) -> list[str]:
    """Three that can be typed as they are: files that are there already are not named as outputs."""
    if kept is None:
        result = free_name(KEPT, "json")
        first = [f"{command} -v", f"{command} -o {result}"]
    else:
        result = shlex.quote(str(kept))
        first = [f"{command} -v", f"dsopt explain {result}"]
    return [*first, f"dsopt report {result} -o {free_name('report', 'html')}"]


def free_name(stem: str, ending: str) -> str:
    """`result.json`, or `result-2.json` where that is there already."""
    names = (f"{stem}{f'-{n}' if n > 1 else ''}.{ending}" for n in range(1, 1000))
    return next(name for name in names if not Path(name).exists())
