"""What makes a site of pages that are written for a forge: files outside of docs/ that pages link to come along, and
lists that follow a paragraph at once are lists."""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files, InclusionLevel

ROOT = Path(__file__).parents[2]
CARRIED = "repository/"
"""Where files from outside of docs/ stand in the site."""
LINK = re.compile(r"(?<=\]\()(?![a-z]+:|#|/)([^)#\s]+)(?=[)#])")
NUMBERED = re.compile(r"\]\(#([\w-]+)-(\d+)\)")
ITEM = re.compile(r"([-*]|\d+\.) ")


def place(page: str) -> str:
    """A page of the site -> its path in the repository."""
    return page.removeprefix(CARRIED) if page.startswith(CARRIED) else "docs/" + page


def target(page: str, link: str) -> str:
    """The path in the repository that a link of a page names."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(place(page)), link))


def in_site(path: str) -> str:
    """A path in the repository -> where the site has it."""
    return path.removeprefix("docs/") if path.startswith("docs/") else CARRIED + path


def on_files(files: Files, *, config: Any) -> Files:
    """Adds every file outside of docs/ that a page links to, and those that these link to."""
    waiting = [file.src_uri for file in files.documentation_pages()]
    while waiting:
        page = waiting.pop()
        for link in LINK.findall((ROOT / place(page)).read_text(encoding="utf-8")):
            path = target(page, link)
            if (
                path.startswith(("docs/", ".."))
                or not (ROOT / path).is_file()
                or files.get_file_from_path(in_site(path))
            ):
                continue
            added = File.generated(
                config, in_site(path), abs_src_path=str(ROOT / path), inclusion=InclusionLevel.NOT_IN_NAV
            )
            files.append(added)
            if added.is_documentation_page():
                waiting.append(added.src_uri)
    worker = "iframe-worker.js"  # not under site/, which the site leaves out
    files.append(File.generated(config, worker, abs_src_path=str(ROOT / "docs/site" / worker)))
    return files


def on_page_markdown(markdown: str, *, page: Any, config: Any, files: Files) -> str:
    """Links as the site needs them, and an empty line before each list."""
    here = page.file.src_uri

    def moved(found: re.Match[str]) -> str:
        goal = in_site(target(here, found[1]))
        return posixpath.relpath(goal, posixpath.dirname(here) or ".")

    return NUMBERED.sub(numbered(markdown), LINK.sub(moved, apart(markdown)))


def numbered(markdown: str) -> Callable[[re.Match[str]], str]:
    """A forge numbers headings of the same name with a hyphen, this site with an underscore."""
    headings = Counter(re.findall(r"^#+ ([\w-]+)$", markdown.lower(), re.MULTILINE))

    def written(found: re.Match[str]) -> str:
        name, number = found.groups()
        return f"](#{name}_{number})" if headings[name] > int(number) else found[0]

    return written


def apart(markdown: str) -> str:
    """The text with an empty line before each list that follows a paragraph."""
    lines: list[str] = []
    fenced = False
    for line in markdown.split("\n"):
        before = lines[-1] if lines else ""
        if line.startswith("```"):
            fenced = not fenced
        if not fenced and ITEM.match(line) and before.strip() and not ITEM.match(before) and not before.startswith(" "):
            lines.append("")
        lines.append(line)
    return "\n".join(lines)
