"""`dsopt plot`: the front of a saved result as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from optimizer.cli.output import free, note, save

HELP = """Examples:

  dsopt plot result.json -o front.png

  dsopt plot result.json -o front.svg --axes log

Every build of the front by cost and throughput with both intervals, what its price rests on, and what is proven to be
empty. The result is checked first."""
AXES = ("linear", "log")


def plot(
    file: Annotated[Path, typer.Argument(help="A result.json, saved with `dsopt solve -o`.")],
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Picture to write: .png or .svg.")] = None,
    axes: Annotated[
        str | None, typer.Option(help="Axes: linear or log. [default: log where points lie far apart]")
    ] = None,
    catalog: Annotated[
        list[Path], typer.Option(help="Folder of your own catalog files, laid over the shipped catalog.")
    ] = [],
    calibration: Annotated[Path | None, typer.Option(help="Folder of constants that the result was made with.")] = None,
    measured: Annotated[Path | None, typer.Option(help="Measurements that the result was made with.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing file.")] = False,
) -> None:
    """See HELP."""
    from catalogs.errors import Fault, InputError
    from catalogs.load import load
    from catalogs.nearest import one_of
    from constraints.policy import Policy
    from optimizer.cli import parse
    from optimizer.library import plot as run
    from optimizer.text.languages import N_, chosen

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
    picture = run(
        file,
        lang="zh" if chosen().chinese else "en",
        kind="png" if kind == "png" else "svg",
        logarithmic=None if axes is None else axes == "log",
        catalog=parts,
        calibration=by,
    )
    save(output, picture, force)
    note(chosen()(N_("{file}: the front of {result}"), file=output, result=file.name))
