"""`dsopt plot`: the front of a saved result as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, cast

import typer

from optimizer.cli.options import CatalogFolders, MadeWithCalibration, MadeWithMeasurements, Overwrite, ResultFile
from optimizer.cli.output import free, note, save
from optimizer.text.languages import N_

HELP = """Examples:

  dsopt plot result.json -o front.png

  dsopt plot result.json -o front.svg --axes log

  dsopt plot result.json -o node.png --of node --point p3

Every build of the front by cost and throughput with both intervals, what its price rests on, and what is proven to be
empty; or of one build a node, its racks, its money, its limits. The result is checked first."""
AXES = ("linear", "log")
PICTURES = {
    "front": N_("the front"), "node": N_("a node"), "rack": N_("the racks"), "money": N_("money by category"),
    "limits": N_("limits"),
}  # fmt: skip


def plot(
    ctx: typer.Context,
    file: ResultFile,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Picture to write: .png or .svg.")] = None,
    of: Annotated[str, typer.Option(help="front, or of one build: node, rack, money, limits.")] = "front",
    point: Annotated[str | None, typer.Option(help="Which build. [default: the recommended one]")] = None,
    axes: Annotated[
        str | None, typer.Option(help="Axes: linear or log. [default: log where points lie far apart]")
    ] = None,
    catalog: CatalogFolders = [],
    calibration: MadeWithCalibration = None,
    measured: MadeWithMeasurements = None,
    force: Overwrite = False,
) -> None:
    """See HELP."""
    from catalogs.errors import Fault, InputError
    from catalogs.load import load
    from catalogs.nearest import one_of
    from constraints.policy import Policy
    from optimizer.cli import parse
    from optimizer.cli.usage import refuse
    from optimizer.library import plot as run
    from optimizer.text.languages import chosen

    if of not in PICTURES:
        raise InputError(Fault("bad-picture", "is none", column="--of", value=of, remedy=one_of(of, PICTURES)))
    if of == "front":
        refuse(ctx, "is of one build: name --of node, rack, money or limits", "point")
    else:
        refuse(ctx, "is of the front", "axes")
    if output is None:
        raise typer.BadParameter("-o FILE.png or FILE.svg is needed")
    kind = output.suffix.lower().lstrip(".")
    if kind not in ("svg", "png"):
        remedy = "Name a .png or a .svg."
        raise InputError(Fault("bad-format", "is no format of a picture", str(output), remedy=remedy))
    if axes is not None and axes not in AXES:
        raise InputError(Fault("bad-axes", "are none", column="--axes", value=axes, remedy=one_of(axes, AXES)))
    free(output, force)
    parts = load(catalog)
    by = parse.calibration(calibration, measured, parts, Policy())
    language, by_log = "zh" if chosen().chinese else "en", None if axes is None else axes == "log"
    picture = run(
        file, of=cast(Any, of), point=point, lang=cast(Any, language), kind=cast(Any, kind), logarithmic=by_log,
        catalog=parts, calibration=by,
    )  # fmt: skip
    save(output, picture, force)
    _ = chosen()
    note(_(N_("{file}: {picture} of {result}"), file=output, picture=_(PICTURES[of]), result=file.name))
