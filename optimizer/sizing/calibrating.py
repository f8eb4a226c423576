"""A fit on the shipped rows and a user's own, and what it did to the errors: `dsopt size --calibrate`."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from catalogs.errors import Fault, InputError
from catalogs.load import Catalog
from constraints.policy import Policy
from optimizer.sizing.own_runs import own_rows
from optimizer.sizing.schema import Calibrated, HeldOut, Residual
from optimizer.throughput.batch import figures, prepare
from optimizer.throughput.calibration import Calibration, read, shipped
from optimizer.throughput.fitting import audit
from optimizer.throughput.fitting.measured import SHIPPED, Runs, of_rows
from optimizer.throughput.fitting.measured import read as read_shipped
from optimizer.throughput.fitting.recalibrate import recalibrate
from optimizer.throughput.interval import ALL
from optimizer.throughput.roofline import Floats


def calibrated(path: Path, folder: Path, catalog: Catalog, policy: Policy) -> Calibrated:
    """Writes the folder. Raises InputError for rows that are none and a folder that can't be written."""
    own, before = own_rows(path), shipped()
    both = of_rows([*read_shipped(SHIPPED).rows, *own.rows])
    try:
        recalibrate(both, catalog, policy, folder)
    except OSError as e:
        raise InputError(Fault("not-writable", f"can't be written: {e.strerror}", str(folder))) from None
    after, used = read(folder, str(folder)), _used(own, catalog, policy)
    return Calibrated(
        folder=str(folder),
        rows=len(own.rows),
        used=len(used),
        held_out=_held_out(before, after),
        residuals=_residuals(own, used, before, after, catalog, policy),
    )


def _used(own: Runs, catalog: Catalog, policy: Policy) -> list[int]:
    """Rows that can be answered and that the audit leaves in."""
    prepared = prepare(own.columns, catalog, policy)
    good = [i for i, e in enumerate(prepared.errors) if not e and np.isfinite(own.output_tok_s[i])]
    out = {good[finding] for finding in audit.findings(own.take(good), prepared.take(good))}
    return [i for i in good if i not in out]


def _held_out(before: Calibration, after: Calibration) -> list[HeldOut]:
    """Interval widths are quantiles of held-out errors: how far they moved per distance from the data."""
    return [
        HeldOut(
            distance=d, low_before=before.widths[d, ALL].low, high_before=before.widths[d, ALL].high, low_after=w.low,
            high_after=w.high, rows=w.rows, groups=w.groups,
        )
        for (d, stack), w in after.widths.items()
        if stack == ALL and (d, ALL) in before.widths
    ]  # fmt: skip


def _residuals(
    own: Runs, used: list[int], before: Calibration, after: Calibration, catalog: Catalog, policy: Policy
) -> list[Residual]:
    """How far each model x GPU of the user's rows lies from the model, before and after (in-sample)."""
    old, new = (_errors(own, c, catalog, policy) for c in (before, after))
    groups: dict[str, list[int]] = {}
    for i in (i for i in used if np.isfinite([old[i], new[i]]).all()):
        groups.setdefault(own.groups[i], []).append(i)
    out = []
    for name, at in sorted(groups.items()):
        worst = max(at, key=lambda i: abs(new[i]))
        medians = [math.exp(np.median(x[at])) for x in (old, new)]
        out.append(
            Residual(
                group=name, rows=len(at), before=medians[0], after=medians[1], worst_after=math.exp(new[worst]),
                worst_row=own.rows[worst]["id"],
            )
        )  # fmt: skip
    return out


def _errors(own: Runs, calibration: Calibration, catalog: Catalog, policy: Policy) -> Floats:
    """log(predicted / measured) by the constants alone, NaN for rows without an answer."""
    predicted = figures(prepare(own.columns, catalog, policy, calibration.constants), calibration.constants)
    return np.asarray(np.log(predicted.output_tok_s / own.output_tok_s))
