"""Characters that a reader can't see or that a terminal obeys: found in text that others wrote, and shown as escapes.

Control characters, escape sequences, marks that turn the direction of writing, and characters of no width. A name that
holds one looks like another name, or moves the cursor; none of them is ever printed as it is."""

from __future__ import annotations

import re

UNSEEN = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters, ESC and the one-byte CSI and OSC among them
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u3164\uffa0"  # blanks of no width, Arabic letter mark
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # zero width, line separators, direction
    "\ud800-\udfff\U000e0000-\U000e007f"  # halves of characters (bytes of a path that are no text), tags
)
_UNSEEN = re.compile(f"[{UNSEEN}]")
_UNSEEN_OR_BREAK = re.compile(f"[{UNSEEN}\t\n]")


def escaped(character: str) -> str:
    """As JSON writes it: `\\u202e`, and two of these above U+FFFF."""
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i] << 8 | units[i + 1]:04x}" for i in range(0, len(units), 2))


def visible(text: str) -> str:
    """The text with every unseen character as an escape. Line feeds and tabs stay."""
    return _UNSEEN.sub(lambda m: escaped(m[0]), text)


def one_line(text: str) -> str:
    """As `visible`, line feeds and tabs too: what stands in one line can't begin another."""
    return _UNSEEN_OR_BREAK.sub(lambda m: {"\n": "\\n", "\t": "\\t"}.get(m[0]) or escaped(m[0]), text)


RISKY = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
"""A text of someone else's that begins so could be read as a formula when a spreadsheet opens, edits or pastes it."""
_CELL = re.compile(f"^[=+\\-@\t\r＝＋－＠]|[{UNSEEN}]")
_HARMLESS = re.compile(r"[+-]?(\d[\d.,]*|\.\d+)([eE][+-]?\d+)?\s*%?|[=+\-@]+", re.ASCII)


def safe_cell(text: str) -> str:
    """A cell of a CSV that others wrote: unseen characters as escapes, an apostrophe before what a spreadsheet would
    run as a formula. Numbers and bare signs stay as they are."""
    if not _CELL.search(text):
        return text
    shown = visible(text)
    return f"'{shown}" if shown.startswith(RISKY) and not _HARMLESS.fullmatch(shown) else shown


def unseen(text: str) -> str:
    """The first unseen character of a text as an escape, line feeds and tabs among them; "" where there is none."""
    found = _UNSEEN_OR_BREAK.search(text)
    return one_line(found[0]) if found else ""
