"""Memory and speed on given GPUs, without a purchase; files of configurations answered, measurements fitted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from catalogs.gpu_names import gpu_named
from catalogs.load import Catalog
from catalogs.schema import Gpu
from constraints.plan import Mix, RowKey
from constraints.policy import Policy
from constraints.request import Request
from optimizer.library.opening import shipped_catalog
from optimizer.throughput.calibration import Calibration, shipped

if TYPE_CHECKING:
    from pathlib import Path

    from constraints.physics.offload import HostSpec
    from optimizer.sizing.mix import Cards
    from optimizer.sizing.schema import Calibrated, ModelsReport, RowsAnswered, SizeReport

    Setup = tuple[str, int, int] | Mix


def size(
    request: Request, gpus: Sequence[Setup], *, catalog: Catalog | None = None, policy: Policy | None = None,
    calibration: Calibration | None = None, host: HostSpec | None = None, second_opinion: str | None = None,
) -> SizeReport:  # fmt: skip
    """Memory and speed of the request's model on given GPUs, as of the best plan on ideal hosts; nothing is bought.

    Parameters:
        request: Model, workload and latency limits; what it says of money and site is not looked at.
        gpus: Setups as (GPU id or name, GPUs per node, nodes), or a `constraints.plan.Mix` of unlike cards in one
            node, which llama.cpp alone serves.
        catalog: Parts; the shipped ones without.
        policy: Defaults of the rules; the shipped ones without.
        calibration: Constants of throughput; the shipped ones without.
        host: CPUs and memory of each node, which hold the routed experts (`request.offload`).
        second_opinion: An engine whose figure is to stand beside ours: aiconfigurator.

    Returns:
        A row per setup, in the order asked: GB on the fullest GPU, output tokens per second, ms, and a table over
        the number of users.

    Raises:
        InputError: An unknown model or GPU, a number of GPUs or nodes out of range, a mix for something else than
            serving from its own memory, an engine that is none or is not installed.
    """
    from optimizer.sizing.report import report

    parts = catalog or shipped_catalog()
    setups = [_setup(parts, gpu) for gpu in gpus]
    answer = report(parts, request, policy or Policy(), calibration or shipped(), setups, host)
    if second_opinion is None:
        return answer
    from optimizer.sizing.second_opinion import with_opinion

    return with_opinion(answer, second_opinion)


def size_models(
    request: Request, gpus: Setup, *, catalog: Catalog | None = None, policy: Policy | None = None,
    calibration: Calibration | None = None, everything: bool = False,
) -> ModelsReport:  # fmt: skip
    """Memory and speed of every model on one setup, for serving from its own memory; the largest model first.

    Parameters:
        request: As of `size`; its model is not looked at.
        gpus: The setup as (GPU id or name, GPUs per node, nodes).
        catalog: Parts; the shipped ones without.
        policy: Defaults of the rules; the shipped ones without.
        calibration: Constants of throughput; the shipped ones without.
        everything: References and guide names too, not the DeepSeek family and one's own models alone.

    Raises:
        InputError: An unknown GPU, a number of GPUs or nodes out of range.
    """
    from optimizer.sizing.report import models_report

    setup = _setup(catalog or shipped_catalog(), gpus)
    return models_report(request, policy or Policy(), calibration or shipped(), setup, everything)


def answer_rows(
    path: Path, *, catalog: Catalog | None = None, policy: Policy | None = None, calibration: Calibration | None = None
) -> RowsAnswered:
    """A CSV of configurations (model, gpu, n_gpus; precision, tp, isl, ...) with its figures behind each row: output
    tok/s, ms, and an error where there is no answer. Raises InputError for a file without these columns."""
    from optimizer.sizing.batch_file import batch

    return batch(path, catalog or shipped_catalog(), policy or Policy(), calibration or shipped())


def calibrate(
    measured: Path, folder: Path, *, catalog: Catalog | None = None, policy: Policy | None = None
) -> Calibrated:
    """Constants fitted on the shipped measurements and one's own CSV, written to a folder for `read_calibration`.

    Takes some minutes. The answer says what moved: held-out errors and one's own rows, before and after. Raises
    InputError for a CSV that is none and a folder that can't be written."""
    from optimizer.sizing.calibrating import calibrated

    return calibrated(measured, folder, catalog or shipped_catalog(), policy or Policy())


def _setup(catalog: Catalog, setup: Setup) -> tuple[Gpu, RowKey] | Cards:
    """A setup by its GPU and hardware, or the cards of a mix; only GPUs are found."""
    from optimizer.sizing.mix import Cards
    from optimizer.sizing.serving import key_of

    if isinstance(setup, Mix):
        by_id = Mix.of((gpu_named(name, catalog).id, number) for name, number in setup.cards)
        if len(by_id.cards) > 1:
            return Cards(tuple((gpu_named(gpu, catalog), number) for gpu, number in by_id.cards))
        setup = (*by_id.cards[0], 1)
    name, per_node, nodes = setup
    gpu = gpu_named(name, catalog)
    return gpu, key_of(gpu, per_node, nodes)
