"""What the functions of the library start from: catalog, calibration, market, a build's file, a saved result."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from catalogs.load import Catalog, load, load_frames
from constraints.policy import Policy
from constraints.request import Request
from optimizer.market.market import Market, sensible
from optimizer.request.load import with_load
from optimizer.request.named_model import settled
from optimizer.result.schema import Result
from optimizer.throughput.calibration import Calibration, shipped

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from constraints.build import Build
    from optimizer.explanation.opened import Opened

    Saved = Result | Path | Opened


@cache
def shipped_catalog() -> Catalog:
    """The catalog that comes with dsopt: read once, immutable, shared by all threads."""
    return load(())


def load_catalog(
    frames: Mapping[str, pd.DataFrame], *, under: Catalog | None = None, whole: bool = False
) -> Catalog:  # fmt: skip
    """A catalog with parts and prices from pandas, as `--catalog DIR` takes them from CSV files.

    Parameters:
        frames: Tables by the name of their CSV file (`gpus`, `offers`, `bundles`) or kind of parts (`gpu`), with the
            columns that `Catalog.to_frame` gives. Blank cells take the field's default.
        under: The catalog that they are laid over, row by row: a row replaces the one of the same id. The shipped one
            without.
        whole: Each frame is its whole table: rows of `under` that are not in it are gone.

    Raises:
        InputError: Every fault of every frame at once, with table, row (`iloc`), column, value and remedy.
    """
    return load_frames(frames, under or shipped_catalog(), whole)


def market_of(
    request: Request, catalog: Catalog | None, policy: Policy | None, calibration: Calibration | None
) -> Market:
    """The market of a request, with what its load needs; shipped parts, defaults and constants without others."""
    chosen = policy or Policy()
    return Market.open(catalog or shipped_catalog(), with_load(settled(request), chosen), chosen, calibration)


def of_a_build_that_is_given(request: Request) -> Request:
    """The request by which a build is judged that somebody offers or owns: by the floor where it names no grade, as the
    commands judge one (docs/grades.md). What is to be built is of grade common then."""
    return request if "grade" in request.model_fields_set else request.model_copy(update={"grade": "floor"})


def validate_request(request: Request, *, catalog: Catalog | None = None, policy: Policy | None = None) -> None:
    """Refuses a request that makes no sense in a catalog before anything is solved, as `solve` would.

    Parameters:
        request: What is asked for.
        catalog: Parts that the request names; the shipped ones without.
        policy: Defaults of the rules; the shipped ones without.

    Raises:
        InputError: The request contradicts itself, or names what is in no catalog.
    """
    chosen = policy or Policy()
    sensible(catalog or shipped_catalog(), with_load(settled(request), chosen), chosen)


def open_result(
    saved: Saved, *, catalog: Catalog | None = None, calibration: Calibration | None = None
) -> Opened:  # fmt: skip
    """A result verified and made ready for several questions; `explain` and its kin take it in a result's place.

    Parameters:
        saved: A result, or the path of one that `dsopt solve --json` wrote. What is open already stays as it is.
        catalog: The catalog that the result was made with; the shipped one without.
        calibration: The calibration that the result was made with; the shipped one without.

    Raises:
        InputError: A file that is no result.
        CheckFailed: The catalog does not bear the result out.
    """
    from catalogs.files import read_result
    from optimizer.explanation.opened import Opened, opened

    if isinstance(saved, Opened):
        return saved
    data = read_result(saved) if isinstance(saved, Path) else saved.model_dump(mode="json")
    return opened(data, catalog or shipped_catalog(), calibration, str(saved) if isinstance(saved, Path) else "result")


def read_calibration(
    folder: Path | None = None, measured: Path | None = None, *, catalog: Catalog | None = None,
    policy: Policy | None = None,
) -> Calibration:  # fmt: skip
    """Constants of throughput from files; `notes` of the answer says what was taken and what left out.

    Parameters:
        folder: What `calibrate` wrote; the shipped constants without.
        measured: A CSV of one's own measurements, which beat the model for their configurations.
        catalog: Parts that the measurements name; the shipped ones without.
        policy: Defaults of the rules; the shipped ones without.

    Raises:
        InputError: A folder or file that is none.
    """
    if folder is None and measured is None:
        return shipped()
    from optimizer.sizing.own_runs import calibration

    return calibration(folder, measured, catalog or shipped_catalog(), policy or Policy())


def read_build(
    path: Path, *, catalog: Catalog | None = None, model: str | None = None, as_of: str | None = None
) -> tuple[Catalog, Request, list[tuple[str, Build]]]:
    """Builds of a build.toml, or of the front of a saved result that is taken as it says.

    Parameters:
        path: The file.
        catalog: Parts that it names; the shipped ones without.
        model: In the place of the model that a build.toml names.
        as_of: Day of the prices of a build.toml (2026-11-24); today without.

    Returns:
        The catalog with the file's own parts, the file's request, and (name, build).

    Raises:
        InputError: A file that can't be read, with all that is wrong in it.
    """
    from optimizer.result.build_file import read

    return read(path, catalog or shipped_catalog(), model, as_of)


def read_policy(path: Path) -> list[str]:
    """The settings, each `key=value`, that a saved result was made with; none of a build.toml.

    Parameters:
        path: The file.

    Raises:
        InputError: A file that can't be read, or that is no result.
    """
    from optimizer.result.build_file import policy_of

    return policy_of(path)
