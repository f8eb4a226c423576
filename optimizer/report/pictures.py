"""The front, and a build, as pictures of their own: SVG, and PNG made of it by resvg."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Literal

from catalogs.errors import Fault, InputError
from catalogs.nearest import one_of
from catalogs.schema import Part
from optimizer.report.bars import margins, money_by_category
from optimizer.report.facts import point_named
from optimizer.report.front import NARROW, WIDE, front_picture, legend_of, starts_logarithmic
from optimizer.report.node import node_drawing
from optimizer.report.page import asset, environment
from optimizer.report.palette import LIGHT, filled_in
from optimizer.report.rack import rack_drawing
from optimizer.result.schema import Result
from optimizer.text.languages import Words

Drawn = Literal["node", "rack", "money", "limits"]
DOTS_PER_UNIT = 2
"""Pixels of a PNG per unit of the picture: sharp in slides and in print."""


def front_chart(
    result: Result, lang: str = "en", *, logarithmic: bool | None = None, narrow: bool = False
) -> str:  # fmt: skip
    """The front of a result as an SVG that stands alone: its style is in it, it asks for nothing.

    Parameters:
        result: Of `solve`, with a build at least.
        lang: `en` or `zh`.
        logarithmic: Both axes; without it where the points lie far apart.
        narrow: For a narrow column, 420 units wide instead of 860.

    Raises:
        InputError: A result without a build.
    """
    if not result.front:
        raise InputError(Fault("no-point", "the result has no build: its front is empty"))
    by_log = starts_logarithmic(result.front) if logarithmic is None else logarithmic
    picture = front_picture(result, Words(lang), by_log, NARROW if narrow else WIDE)
    style = filled_in(asset("pictures.css"), LIGHT)
    return _drawn("front", p=picture, live=False, style=style)


def build_picture(
    result: Result, of: Drawn, point: str | None = None, lang: str = "en", *, parts: Mapping[str, Part] | None = None
) -> str:  # fmt: skip
    """A picture of one build as an SVG that stands alone.

    Parameters:
        result: Of `solve`, with a build at least.
        of: One node, the racks, its money by category, or how near each limit is.
        point: Id of a point; the recommended one without.
        lang: `en` or `zh`.
        parts: The catalog's parts by id, for figures that the result does not hold.

    Raises:
        InputError: A result without such a point, a build without racks.
    """
    chosen = point_named(result, point)
    if chosen is None:
        remedy = one_of(point or "", [each.id for each in result.front]) if result.front else ""
        raise InputError(Fault("no-point", "no such point", column="--point", value=point or "", remedy=remedy))
    words, known_parts = Words(lang), parts or {}
    view: dict[str, object] = {"alone": filled_in(asset("pictures.css"), LIGHT)}
    if of == "node":
        return _drawn("node", n=node_drawing(chosen, known_parts, words), **view)
    if of == "rack":
        racks = rack_drawing(chosen, known_parts, words)
        if not racks.frames:
            raise InputError(Fault("no-rack", "this build has no rack to draw", column="--of", value=of))
        return _drawn("rack", r=racks, **view)
    if of == "money":
        keys = [replace(key, x=place * 150) for place, key in enumerate(legend_of(result, words)[:3])]
        return _drawn("bars", bars=money_by_category(chosen, words), legend=keys, **view)
    return _drawn("bars", bars=margins(chosen, words), legend=[], **view)


def _drawn(template: str, **view: object) -> str:
    return environment().get_template(f"{template}.svg.jinja").render(view)


def png(svg: str, lang: str = "en", *, width: int | None = None) -> bytes:
    """An SVG of this room as PNG, by the fonts of the machine; `width` in pixels, twice its units without.

    Raises:
        InputError: A machine without a font for the texts.
    """
    import resvg_py

    _demand_font(lang)
    zoom = float(DOTS_PER_UNIT) if width is None else None
    languages = ["zh-CN" if lang == "zh" else "en"]
    return resvg_py.svg_to_bytes(svg_string=svg, languages=languages, zoom=zoom, width=width)


@cache
def _demand_font(lang: str) -> None:
    """Refuses to draw a picture whose texts would be missing: resvg leaves out letters that no font has."""
    import resvg_py

    sample = "价" if lang == "zh" else "n"
    drawn, blank = (
        resvg_py.svg_to_bytes(
            svg_string='<svg xmlns="http://www.w3.org/2000/svg" width="20" height="20">'
            f'<text y="16" font-family="sans-serif">{text}</text></svg>'
        )
        for text in (sample, " ")
    )
    if drawn == blank:
        package = "fonts-noto-cjk" if lang == "zh" else "fonts-liberation"
        remedy = f"Install a font (Debian: apt-get install {package}), or write an .svg."
        raise InputError(Fault("no-font", "this machine has no font for the texts of a PNG", remedy=remedy))
