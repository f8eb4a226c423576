"""`dsopt size --calibrate`: constants fitted on the shipped rows and a user's own, and what that did to the errors."""

from __future__ import annotations

from pathlib import Path

from catalogs.load import Catalog
from constraints.policy import Policy
from optimizer.cli.output import free_folder, note, table
from optimizer.sizing.schema import Calibrated
from optimizer.text.languages import chosen

FILES = ("constants.csv", "residuals.csv", "intervals.csv", "audit.csv")
"""What a calibration's folder holds."""


def calibrate(path: Path, output: Path | None, force: bool, catalog: Catalog, policy: Policy) -> None:
    """Writes the folder and prints held-out errors and residuals before and after. Raises InputError."""
    from optimizer.library import calibrate as run

    folder = output or Path(f"{path.stem}-calibration")
    free_folder(folder, FILES, force)
    _ = chosen()
    note(_("Fitting, and fitting again without each group of rows for the held-out errors: this takes some minutes."))
    found = run(path, folder, catalog=catalog, policy=policy)
    said = _(
        "{file}: {n} of {all} rows were used; {audit} says why the others were not.",
        file=path.name, n=found.used, all=found.rows, audit=folder / "audit.csv",
    )  # fmt: skip
    note(said)
    _held_out(found)
    _residuals(found)
    print(
        _("Written to {folder}. Use it with: dsopt size --calibration {folder} ... (solve takes it too)", folder=folder)
    )


def _held_out(found: Calibrated) -> None:
    _ = chosen()
    print(_("Held-out errors (80 % of measurements lie within, as factors on a figure)"))
    table(
        [_("distance from the data"), _("before"), _("after"), _("rows"), _("groups")],
        [
            [x.distance, f"{x.low_before:.2f}-{x.high_before:.2f}", f"{x.low_after:.2f}-{x.high_after:.2f}",
             str(x.rows), str(x.groups)]
            for x in found.held_out
        ],
        {1, 2, 3, 4},
    )  # fmt: skip


def _residuals(found: Calibrated) -> None:
    if not found.residuals:
        return
    _ = chosen()
    print(_("Your rows: predicted over measured tok/s, median (after the fit they are in the sample)"))
    table(
        [_("model on GPU"), _("rows"), _("before"), _("after"), _("worst after"), _("row")],
        [
            [x.group, str(x.rows), f"{x.before:.2f}", f"{x.after:.2f}", f"{x.worst_after:.2f}", x.worst_row]
            for x in found.residuals
        ],
        {1, 2, 3, 4},
    )
