"""A result as a page and as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from catalogs.load import Catalog
from optimizer.library.opening import open_result, shipped_catalog
from optimizer.result.schema import Result
from optimizer.search.clock import Clock
from optimizer.throughput.calibration import Calibration

if TYPE_CHECKING:
    from optimizer.explanation.opened import Opened
    from optimizer.library.opening import Saved
    from optimizer.procurement.bids.changes_schema import ResultsCompared
    from optimizer.result.explanation_schema import PointExplained

Language = Literal["en", "zh"]


def report(
    result: Saved, *, lang: Language = "en", compared: ResultsCompared | None = None, explained: bool = True,
    catalog: Catalog | None = None, calibration: Calibration | None = None, time_limit_s: float | None = 60,
    clock: Clock | None = None, source: str = "result.json",
) -> str:  # fmt: skip
    """A result as one HTML page that needs no network (docs/report.md): for the board, then the front, the build as a
    drawing, its money and margins, what binds, why not another GPU, assumptions, sources, the proof.

    Parameters:
        result: Of `solve`, the path of a saved one, or one that `open_result` opened; it is verified first.
        lang: The language of the whole page.
        compared: What changed since another result, of `changes`, as a section of the page.
        explained: What binds is solved for; without it the page says how to ask.
        catalog: The catalog that the result was made with.
        calibration: The calibration that the result was made with.
        time_limit_s: Seconds for what binds; when they are up the page says so.
        clock: A clock of one's own instead, which can be stopped from another thread.
        source: Name of the result's file, for the commands on the page.

    Raises:
        InputError: A file that is no result.
        CheckFailed: The catalog does not bear the result out.
    """
    from optimizer.report.page import report_html

    opened = open_result(result, catalog=catalog, calibration=calibration)
    binds, why = _binding(opened, clock or Clock(time_limit_s), lang) if explained else (None, "")
    return report_html(
        opened.result, lang, parts=opened.market.catalog.parts, explained=binds, unexplained=why, compared=compared,
        source=source,
    )  # fmt: skip


def _binding(opened: Opened, clock: Clock, lang: Language) -> tuple[PointExplained | None, str]:
    """What binds at the recommended point, or why that is not known."""
    from optimizer.explanation.point.explained import explained
    from optimizer.search.clock import TimeUp
    from optimizer.text.languages import Words

    if not opened.points:
        return None, ""
    try:
        return explained(opened.market, opened.points, opened.at(None), clock), ""
    except TimeUp:
        return None, Words(lang)("The time was up before it was known what binds.")


def report_html(
    result: Result, lang: Language = "en", *, catalog: Catalog | None = None, source: str = "result.json"
) -> str:
    """The page of `report` at once: the result is taken as it is, nothing is verified or solved.

    `catalog`: of the result, for figures of its parts (memory of a GPU); `source`: name of the result's file."""
    from optimizer.report.page import report_html as page

    return page(result, lang, parts=(catalog or shipped_catalog()).parts, source=source)


def front_chart(result: Result, lang: Language = "en", *, logarithmic: bool | None = None, narrow: bool = False) -> str:
    """The front of a result as SVG that stands alone; `logarithmic`: both axes, without it where the points lie far
    apart; `narrow`: for a narrow column. Raises InputError for a result without a build."""
    from optimizer.report.pictures import front_chart as drawn

    return drawn(result, lang, logarithmic=logarithmic, narrow=narrow)


def plot(
    result: Saved, *, of: Literal["front", "node", "rack", "money", "limits"] = "front", point: str | None = None,
    lang: Language = "en", kind: Literal["svg", "png"] = "svg", logarithmic: bool | None = None,
    catalog: Catalog | None = None, calibration: Calibration | None = None,
) -> bytes:  # fmt: skip
    """A picture of the report as the bytes of an SVG or PNG file; the result is verified first.

    Parameters:
        result: Of `solve`, the path of a saved one, or one that `open_result` opened.
        of: The front; or of one build a node, the racks, money by category, how near each limit is.
        point: Which build, by its id or its role; the recommended one without.
        lang: Of its texts.
        kind: Of file.
        logarithmic: Both axes of the front; without it where the points lie far apart.
        catalog: The catalog that the result was made with.
        calibration: The calibration that the result was made with.

    Raises:
        InputError: A result without a build, a file that is none, a build without racks, a machine without a font.
        CheckFailed: The catalog does not bear the result out.
    """
    from optimizer.report.pictures import build_picture, png
    from optimizer.report.pictures import front_chart as drawn

    opened = open_result(result, catalog=catalog, calibration=calibration)
    if of == "front":
        svg = drawn(opened.result, lang, logarithmic=logarithmic)
    else:
        named = opened.result.front[opened.at(point)].id
        svg = build_picture(opened.result, of, named, lang, parts=opened.market.catalog.parts)
    return svg.encode() if kind == "svg" else png(svg, lang)
