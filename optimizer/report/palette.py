"""Colours of pages and pictures, light and dark: told apart by readers of every colour vision (Okabe and Ito,
https://jfly.uni-koeln.de/color/), and text on its ground at 4.5 : 1 or more (WCAG 2.2, 1.4.3)."""

from __future__ import annotations

LIGHT = {
    "paper": "#ffffff", "panel": "#f4f6f8", "ink": "#16202a", "soft": "#4c5a67", "line": "#cdd5dc", "link": "#0b5cad",
    "read": "#0072b2", "indexed": "#56b4e9", "estimated": "#ffffff", "rim": "#16202a", "best": "#b34700",
    "empty": "#eceff2", "hatch": "#d3dae0", "gpu": "#009e73", "cpu": "#0072b2", "memory": "#56b4e9", "nic": "#cc79a7",
    "drive": "#8a97a3", "psu": "#ffffff", "load": "#e69f00", "fabric": "#d55e00", "energy": "#e69f00",
    "node": "#8ad4bd", "warn": "#8f4400", "fail": "#a51d2d", "good": "#00634a", "other": "#8a97a3",
}  # fmt: skip
DARK = {
    "paper": "#11171d", "panel": "#1a222b", "ink": "#e8edf2", "soft": "#a9b6c2", "line": "#37444f", "link": "#7cbcff",
    "read": "#3da5e0", "indexed": "#2b6183", "estimated": "#11171d", "rim": "#e8edf2", "best": "#ffa05c",
    "empty": "#1b242d", "hatch": "#2b3742", "gpu": "#00b386", "cpu": "#3da5e0", "memory": "#2b6183", "nic": "#d98fb8",
    "drive": "#6f7d8a", "psu": "#11171d", "load": "#e69f00", "fabric": "#ee7a2e", "energy": "#e69f00",
    "node": "#1b6d58", "warn": "#ffb066", "fail": "#ff8f8f", "good": "#4fd0a8", "other": "#6f7d8a",
}  # fmt: skip


def variables(colours: dict[str, str]) -> str:
    """The colours as CSS variables."""
    return "".join(f"--{name}:{colour};" for name, colour in colours.items())


def themes() -> str:
    """The colours as a style sheet: light, and dark on screens of readers who prefer that."""
    return f":root{{{variables(LIGHT)}}}@media screen and (prefers-color-scheme: dark){{:root{{{variables(DARK)}}}}}"


def filled_in(style: str, colours: dict[str, str]) -> str:
    """A style sheet with its variables replaced, for renderers that know none."""
    for name, colour in colours.items():
        style = style.replace(f"var(--{name})", colour)
    return style
