"""Runs the commands of docs/tutorials/*.md and writes what they print and the pictures they draw into the pages anew:
`python docs/make_tutorials.py [PAGE ...]` after what moves figures; `README` draws the README's pictures.

A block is a fence `console`: one command, then what of its output is shown, as the comment before it says: `first 8`
(lines), `from "Split by line" 3` (that line and two more), `nothing`, joined by `;`, `...` where lines are left out.
Without a comment all of it is shown. A command writes to stdout or, where that is empty, to stderr. The terminal is 80
columns wide."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

PAGES = Path(__file__).parent / "tutorials"
PICTURES = PAGES / "pictures"
BLOCK = re.compile(
    r"(?:<!-- show (?P<show>.+?) -->\n)?```console\n"
    r"\$ (?P<command>(?:[^\n]*\\\n)*[^\n]+)\n(?P<printed>.*?)```",
    re.DOTALL,
)
PART = re.compile(r'first (?P<first>\d+)|from "(?P<words>[^"]+)" (?P<count>\d+)|nothing')
README_COMMANDS = (
    "solve --budget 2000000 --model v2-670b --as-of 2026-11-24 -o front.json",
    "plot front.json -o readme-front.svg",
    "plot front.json --of node --point p3 -o readme-node.svg",
)
Run = Callable[..., tuple[int, str, str]]
"""The words after `dsopt` -> exit code, stdout, stderr, in the working folder."""


def started(*words: str) -> tuple[int, str, str]:
    """The command as a user starts it, in the working folder, on a terminal of 80 columns."""
    done = subprocess.run(
        ["dsopt", *words],
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, "COLUMNS": "80", "LC_ALL": "C.UTF-8"},
    )
    return done.returncode, done.stdout, done.stderr


def shown(text: str, show: str | None) -> str:
    """What of an output a page shows; raises ValueError where the words are not in it."""
    lines = [line.rstrip() for line in text.rstrip().splitlines()]
    if show is None:
        return "".join(f"{line}\n" for line in lines)
    kept: set[int] = set()
    for part in show.split(";"):
        found = PART.fullmatch(part.strip())
        if found is None:
            raise ValueError(f"no way to show output: {part!r}")
        if found["first"]:
            kept |= set(range(int(found["first"])))
        elif found["words"]:
            at = next((row for row, line in enumerate(lines) if found["words"] in line), None)
            if at is None:
                raise ValueError(f"{found['words']!r} is not in the output:\n{text}")
            kept |= set(range(at, at + int(found["count"])))
    written, before = "", -1
    for row in sorted(kept & set(range(len(lines)))):
        written += "...\n" if row > before + 1 else ""
        written += lines[row] + "\n"
        before = row
    return written + ("...\n" if before < len(lines) - 1 and kept else "")


def renewed(page: str, run: Run) -> str:
    """The page's text with the output of each command as it is now, run in the working folder from top to bottom."""

    def block(found: re.Match[str]) -> str:
        words = shlex.split(found["command"].replace("\\\n", " "))
        code, out, err = run(*words[1:])
        if code:
            raise ValueError(f"{found['command']} ended with {code}: {err}")
        head = f"<!-- show {found['show']} -->\n" if found["show"] else ""
        return f"{head}```console\n$ {found['command']}\n{shown(out or err, found['show'])}```"

    return BLOCK.sub(block, page)


def main(names: list[str]) -> None:
    """Writes the pages of these names (without .md), or all, and their pictures."""
    PICTURES.mkdir(exist_ok=True)
    home = Path.cwd()
    for path in sorted(PAGES.glob("*.md")):
        if names and path.stem not in names:
            continue
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            path.write_text(renewed(path.read_text(encoding="utf-8"), started), encoding="utf-8")
            keep_pictures(Path(folder))
            os.chdir(home)
    if not names or "README" in names:
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            for command in README_COMMANDS:
                code, _, err = started(*shlex.split(command))
                if code:
                    raise ValueError(f"{command} ended with {code}: {err}")
            keep_pictures(Path(folder))
            os.chdir(home)


def keep_pictures(folder: Path) -> None:
    """Copies the pictures that commands drew to where pages show them."""
    for picture in folder.glob("*.svg"):
        (PICTURES / picture.name).write_bytes(picture.read_bytes())


if __name__ == "__main__":
    main(sys.argv[1:])
