"""docs/throughput-predicted.svg: predicted over measured tok/s of rows whose group was left out, a panel per vendor."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

FILE = Path(__file__).parents[2] / "docs" / "throughput-predicted.svg"
SIDE, GAP, MARGIN = 190, 34, 46
"""Pixels of a panel's side, between panels, and around them."""
LEAST, MOST = 1.0, 6.0
"""Powers of ten of tok/s that a panel spans."""
GRID = 1.5
"""Pixels below which two dots are one."""
Dots = Sequence[tuple[float, float]]
"""(measured, predicted) tok/s."""


def place(tok_s: float) -> float:
    """Pixels from a panel's corner."""
    share = (math.log10(tok_s) - LEAST) / (MOST - LEAST)
    return round(min(max(share, 0.0), 1.0) * SIDE / GRID) * GRID


def panel(left: float, title: str, dots: Dots) -> str:
    """One vendor: the diagonal, twice and half as dashes, a dot per place that a row lies in."""
    bottom = MARGIN + SIDE
    twice = place(20.0)
    lines = [
        f'<rect x="{left}" y="{MARGIN}" width="{SIDE}" height="{SIDE}" fill="none" stroke="#888"/>',
        f'<path d="M{left} {bottom}l{SIDE} {-SIDE}" stroke="#888"/>',
        f'<path d="M{left} {bottom - twice}l{SIDE - twice} {twice - SIDE}M{left + twice} {bottom}'
        f'l{SIDE - twice} {twice - SIDE}" stroke="#888" stroke-dasharray="3 3"/>',
        f'<text x="{left}" y="{MARGIN - 8}">{title}</text>',
    ]
    for power in range(int(LEAST), int(MOST) + 1):
        at = place(10.0**power)
        lines.append(f'<text x="{left + at}" y="{bottom + 14}" text-anchor="middle">1e{power}</text>')
        lines.append(f'<text x="{left - 4}" y="{bottom - at + 4}" text-anchor="end">1e{power}</text>')
    places = sorted({(place(measured), place(predicted)) for measured, predicted in dots})
    path = "".join(f"M{left + x:g} {bottom - y:g}h0" for x, y in places)
    lines.append(f'<path d="{path}" stroke="#1f5fa8" stroke-width="2.4" stroke-linecap="round"/>')
    return "\n".join(lines)


def picture(panels: Mapping[str, Dots]) -> str:
    """The SVG of all panels, side by side."""
    width = 2 * MARGIN + len(panels) * SIDE + (len(panels) - 1) * GAP
    height = 2 * MARGIN + SIDE
    body = [
        panel(MARGIN + i * (SIDE + GAP), f"{title}, {len(dots):,} rows", dots)
        for i, (title, dots) in enumerate(panels.items())
    ]
    caption = "predicted over measured tok/s; each row's model on its GPU left out of the fit; dashed: twice, half"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" fill="none" '
            'font-family="sans-serif" font-size="10">',
            '<rect width="100%" height="100%" fill="#fff"/>',
            '<g fill="#333">',
            f'<text x="{MARGIN}" y="{height - 10}">{caption}</text>',
            "</g>",
            '<g fill="none">',
            *(each.replace("<text ", '<text fill="#333" ') for each in body),
            "</g>",
            "</svg>",
            "",
        ]
    )
