"""`dsopt report`: a saved result as one HTML page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from optimizer.cli.options import CatalogFolders, MadeWithCalibration, MadeWithMeasurements, Overwrite, ResultFile
from optimizer.cli.output import free, note, save

if TYPE_CHECKING:
    from catalogs.load import Catalog
    from optimizer.procurement.bids.changes_schema import ResultsCompared
    from optimizer.throughput.calibration import Calibration

HELP = """Examples:

  dsopt report result.json -o report.html

  dsopt report result.json -o 报告.html --lang zh

  dsopt report result.json -o report.html --compare last-month.json

One file for a browser, without network: page one for the board, then the front to point at, the build as a drawing,
money, margins, what binds, why not another GPU, sources, the proof. Prints on A4. The result is checked first."""
DEFAULT_S = 60.0


def report(
    ctx: typer.Context,
    file: ResultFile,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Page (.html) to write.")] = None,
    compare: Annotated[Path | None, typer.Option(help="An older result: shows what has changed since.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Do not solve for what limits the build.")] = False,
    time_limit: Annotated[
        float | None,
        typer.Option(
            help="Time limit for finding what limits the build, seconds; the page says if it ran out. [default: 60]"
        ),
    ] = None,
    catalog: CatalogFolders = [],
    calibration: MadeWithCalibration = None,
    measured: MadeWithMeasurements = None,
    force: Overwrite = False,
) -> None:
    """See HELP."""
    from catalogs.errors import Fault, InputError
    from catalogs.load import load
    from constraints.policy import Policy
    from optimizer.cli import parse
    from optimizer.cli.progress import progress
    from optimizer.cli.usage import refuse
    from optimizer.library import open_result
    from optimizer.library import report as run
    from optimizer.search.clock import Clock, interruptible
    from optimizer.text.languages import N_, chosen

    if quick:
        refuse(ctx, "is of what binds, which --quick leaves out", "time_limit")
    if output is None:
        raise typer.BadParameter("-o FILE.html is needed")
    if output.suffix.lower() not in (".html", ".htm"):
        raise InputError(Fault("bad-format", "is no format of a report", str(output), remedy="Name a .html."))
    free(output, force)
    limit, parts = parse.time_limit(time_limit), load(catalog)
    by = parse.calibration(calibration, measured, parts, Policy())
    changed = _changed(compare, file, parts, by) if compare is not None else None
    opened = open_result(file, catalog=parts, calibration=by)
    with progress() as tell, interruptible(clock := Clock(limit or DEFAULT_S, tell)):
        page = run(
            opened, lang="zh" if chosen().chinese else "en", compared=changed, explained=not quick, clock=clock,
            source=file.name,
        )  # fmt: skip
    save(output, page, force)
    text = N_("{file}: a page of {size} kB; open it in a browser, or print it on A4.")
    note(chosen()(text, file=output, size=f"{len(page.encode()) // 1000:,}"))


def _changed(older: Path, file: Path, parts: Catalog, by: Calibration) -> ResultsCompared:
    """What changed from an older result to the one reported."""
    from optimizer.library import changes, read_bids

    read = read_bids([older, file], catalog=parts, calibration=by)
    return changes(*read.results)
