"""`dsopt examples`: sample files, one for each that an option takes, with the command for each."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from optimizer.cli.output import note, say

HELP = """Examples:

  dsopt examples

  dsopt examples samples --force

Copies sample files into a folder: every file that an option of dsopt takes has one. README.md in the folder has the
command for each. Files that are there already are not overwritten without --force."""
SAMPLES = Path(__file__).parents[1] / "samples"


def examples(
    folder: Annotated[Path, typer.Argument(help="Folder to copy to; made if it does not exist.")] = Path(
        "dsopt-examples"
    ),
    force: Annotated[bool, typer.Option("--force", help="Overwrite existing files.")] = False,
) -> None:
    """See HELP."""
    from catalogs.errors import Fault, InputError
    from catalogs.files import write_bytes
    from optimizer.text.languages import chosen

    files = sorted(path for path in SAMPLES.iterdir() if path.is_file())
    try:
        folder.mkdir(parents=True, exist_ok=True)
        there = [path.name for path in files if (folder / path.name).exists()]
    except OSError as e:
        text = f"cannot be made: {e.strerror}"
        raise InputError(Fault("not-writable", text, str(folder), remedy="Name another folder.")) from None
    if there and not force:
        text = f"holds files of these names already: {', '.join(there[:5])}{', ...' if len(there) > 5 else ''}"
        remedy = "Name another folder, or give --force to overwrite them."
        raise InputError(Fault("output-exists", text, str(folder), remedy=remedy))
    for path in files:
        write_bytes(folder / path.name, path.read_bytes(), force=force)
    _ = chosen()
    for path in files:
        say(f"  {path.name}")
    note(_("{n} files in {folder}; README.md has the command for each.", n=len(files), folder=folder))
