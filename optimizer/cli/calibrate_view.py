"""`dsopt size --calibrate`: constants fitted on the shipped rows and a user's own, and what that did to the errors."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from catalogs.errors import Fault, InputError
from catalogs.load import Catalog
from constraints.policy import Policy
from optimizer.cli.output import note, table
from optimizer.i18n import chosen
from optimizer.own_runs import own_rows
from optimizer.throughput import audit
from optimizer.throughput.batch import figures, prepare
from optimizer.throughput.calibration import Calibration, read, shipped
from optimizer.throughput.measured import SHIPPED, Runs, of_rows
from optimizer.throughput.measured import read as read_shipped
from optimizer.throughput.recalibrate import recalibrate
from optimizer.throughput.roofline import Floats


def calibrate(path: Path, output: Path | None, force: bool, catalog: Catalog, policy: Policy) -> None:
    """Writes the folder and prints held-out errors and residuals before and after. Raises InputError."""
    folder = output or Path(f"{path.stem}-calibration")
    if folder.exists() and not folder.is_dir():
        raise InputError(Fault("not-writable", "is a file", str(folder), remedy="Name a folder with -o."))
    if folder.exists() and any(folder.iterdir()) and not force:
        raise InputError(
            Fault("output-exists", "is not empty", str(folder), remedy="Give --force to write over a calibration.")
        )
    own, _ = own_rows(path), chosen()
    note(_("Fitting, also without each group of rows for the held-out errors: takes some minutes."))
    before = shipped()
    both = of_rows([*read_shipped(SHIPPED).rows, *own.rows])
    try:
        recalibrate(both, catalog, policy, folder)
    except OSError as e:
        raise InputError(Fault("not-writable", f"can't be written: {e.strerror}", str(folder))) from None
    after = read(folder, str(folder))
    kept = _kept(own, catalog, policy)
    said = _(
        "{file}: {n} of {all} rows took part; {audit} says why others did not.",
        file=path.name, n=len(kept), all=len(own.rows), audit=folder / "audit.csv",
    )  # fmt: skip
    note(said)
    _held_out(before, after)
    _residuals(own, kept, before, after, catalog, policy)
    print(
        _("Written to {folder}. Use it with: dsopt size --calibration {folder} ... (solve takes it too)", folder=folder)
    )


def _kept(own: Runs, catalog: Catalog, policy: Policy) -> list[int]:
    """Rows that can be answered and that the audit leaves in."""
    prepared = prepare(own.columns, catalog, policy)
    good = [i for i, e in enumerate(prepared.errors) if not e and np.isfinite(own.output_tok_s[i])]
    out = {good[i] for i in audit.findings(own.take(good), prepared.take(good))}
    return [i for i in good if i not in out]


def _held_out(before: Calibration, after: Calibration) -> None:
    """Interval widths are quantiles of held-out errors: how far they moved per distance from the data."""
    _ = chosen()
    print(_("Held-out errors (80 % of measurements lie within, as factors on a figure)"))
    table(
        [_("distance from the data"), _("before"), _("after"), _("rows"), _("groups")],
        [
            [d, f"{before.widths[d].low:.2f}-{before.widths[d].high:.2f}", f"{w.low:.2f}-{w.high:.2f}", str(w.rows),
             str(w.groups)]
            for d, w in after.widths.items()
            if d in before.widths
        ],
        {1, 2, 3, 4},
    )  # fmt: skip


def _residuals(
    own: Runs, kept: list[int], before: Calibration, after: Calibration, catalog: Catalog, policy: Policy
) -> None:
    """How far each model x GPU of the user's rows lies from the model, before and after (in-sample)."""
    if not kept:
        return
    errors = {name: _errors(own, c, catalog, policy) for name, c in (("before", before), ("after", after))}
    groups: dict[str, list[int]] = {}
    for i in kept:
        groups.setdefault(own.groups[i], []).append(i)
    _ = chosen()
    print(_("Your rows: predicted over measured tok/s, median (after the fit they are in the sample)"))
    table(
        [_("model on GPU"), _("rows"), _("before"), _("after"), _("worst after"), _("row")],
        [
            [name, str(len(at)), *(f"{math.exp(np.median(errors[x][at])):.2f}" for x in ("before", "after")),
             f"{math.exp(errors['after'][worst]):.2f}", own.rows[worst]["id"]]
            for name, at in sorted(groups.items())
            for worst in [max(at, key=lambda i: abs(errors["after"][i]))]
        ],
        {1, 2, 3, 4},
    )  # fmt: skip


def _errors(own: Runs, c: Calibration, catalog: Catalog, policy: Policy) -> Floats:
    """log(predicted / measured) by the constants alone, NaN for rows without an answer."""
    predicted = figures(prepare(own.columns, catalog, policy, c.constants), c.constants)
    return np.asarray(np.log(predicted.output_tok_s / own.output_tok_s))
