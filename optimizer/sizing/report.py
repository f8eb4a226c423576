"""What `dsopt size` answers: one model on several GPU setups, or all models on one setup."""

from __future__ import annotations

from collections.abc import Sequence

from catalogs.errors import Fault, InputError
from catalogs.llm import Llm, own_models, shipped_models
from catalogs.load import Catalog
from catalogs.message import message
from catalogs.schema import Gpu
from constraints.physics.offload import HostSpec
from constraints.plan import RowKey
from constraints.policy import Policy
from constraints.request import Request
from optimizer.market.asked import model_of
from optimizer.request.load import load_of, words
from optimizer.request.named_model import settled
from optimizer.result.notes import cache_note, module_note, proposing_note
from optimizer.sizing.mix import Cards, mix_size, named_mix
from optimizer.sizing.offload import host_size
from optimizer.sizing.schema import ModelFit, ModelsReport, Sized, SizedBy, SizedModel, SizeReport
from optimizer.sizing.serving import load_words, named, serving_size
from optimizer.throughput.calibration import Calibration
from optimizer.throughput.demand import kin

Setup = tuple[Gpu, RowKey] | Cards
FAMILY = "DeepSeek"


NO_HOST = "does not go with --offload: such plans are not counted"


def model_facts(llm: Llm) -> SizedModel:
    return SizedModel(id=llm.id, name=llm.name, note=llm.note)


def based_on(calibration: Calibration) -> SizedBy:
    return SizedBy(calibration=calibration.name, sha256=calibration.sha256)


def report(
    catalog: Catalog, request: Request, policy: Policy, calibration: Calibration, setups: Sequence[Setup],
    host: HostSpec | None,
) -> SizeReport:  # fmt: skip
    """One model on each setup. Raises InputError for a request that does not go with the model."""
    request = settled(request)
    llm = model_of(request, policy)
    if host and request.speculate:
        raise InputError(Fault("bad-request", NO_HOST, column="--speculate"))
    if host and request.cached_tokens:
        raise InputError(Fault("bad-request", NO_HOST, column="--cached-share"))
    said = llm.note, module_note(llm, request, calibration.constants), cache_note(request)
    messages = [*calibration.notes, *filter(None, said)]
    if host and host.mts < host.asked_mts:
        messages.append(
            message(
                "Memory is counted at {mts} MT/s, the most that the catalog states for this CPU, not at "
                "the {asked} MT/s given.",
                mts=f"{host.mts:,}",
                asked=f"{host.asked_mts:,}",
            )
        )
    load = load_of(request, policy)
    sized = []
    for setup in setups:
        if isinstance(setup, Cards):
            sized.append(mix_size(llm, request, policy, calibration, setup))
            continue
        gpu, key = setup
        if request.trains:
            sized.append(_training(catalog, request, policy, calibration, gpu, key))
        elif host:
            found = host_size(llm, request, policy, gpu, key.per_node, key.nodes, host)
            sized.append(_of_facts(gpu, key, found))
        else:
            sized.append(serving_size(llm, request, policy, calibration, gpu, key))
    if load:
        messages.append(words(load, policy))
        messages += [load_words(s, load, request.osl) for s in sized if s.fits and s.output_tok_s]
    return SizeReport(
        schema_version="1",
        model=model_facts(llm),
        workload=request.workload,
        isl=None if request.trains else request.isl,
        osl=None if request.trains else request.osl,
        min_tok_s_user=None if request.trains or request.workload == "batch" else request.min_tok_s_user,
        max_ttft_ms=request.max_ttft_ms,
        throughput_model=based_on(calibration),
        setups=sized,
        messages=messages,
    )


def _training(
    catalog: Catalog, request: Request, policy: Policy, calibration: Calibration, gpu: Gpu, key: RowKey
) -> Sized:
    from optimizer.market.market import Market
    from optimizer.sizing.training import training_size

    return _of_facts(gpu, key, training_size(Market.open(catalog, request, policy, calibration), gpu, key))


def _of_facts(gpu: Gpu, key: RowKey, found: dict[str, object]) -> Sized:
    """Facts under names that Sized knows as its fields, the rest as details."""
    known = {k: v for k, v in found.items() if k in Sized.model_fields and v is not None}
    return Sized(**named(gpu, key), **known, details={k: v for k, v in found.items() if k not in known})  # type: ignore[arg-type]


def families(everything: bool, with_modules: bool = False) -> list[tuple[Llm, list[str]]]:
    """Models to try, the largest first, each with the ids of those that have the same figures; `with_modules`: those of
    their modules for several tokens too.

    The DeepSeek family and the user's own models; with `everything` references and guide names too."""
    of_family = None if everything else (lambda row: row["name"].startswith(FAMILY) and not row["note"])
    groups: dict[tuple[object, ...], list[Llm]] = {}
    for m in [*shipped_models(of_family), *own_models()]:
        alike = (kin(m), m.params_total, m.native_precision, m.min_precision_bits, m.formats, m.scale)
        module = (m.draft_kind, m.draft_params) if with_modules else ()
        groups.setdefault((*alike, module), []).append(m)
    found = [(ms[0], [m.id for m in ms[1:]]) for ms in groups.values()]
    return sorted(found, key=lambda x: -x[0].params_total)


def models_report(
    request: Request, policy: Policy, calibration: Calibration, setup: Setup, everything: bool
) -> ModelsReport:
    """Every model on one setup, the largest first; `request` names any model."""
    fits = []
    for llm, same in families(everything, with_modules=bool(request.speculate)):
        asked = request.model_copy(update={"model": llm.id})
        try:
            model_of(asked, policy)
            sized = _one_of_many(llm, asked, policy, calibration, setup)
        except InputError as e:
            which = named_mix(setup) if isinstance(setup, Cards) else named(*setup)
            sized = Sized(**which, fits=False, reason=e.faults[0].text)
        fits.append(ModelFit(model=model_facts(llm), same=same, params_total=llm.params_total, size=sized))
    said = proposing_note(request, calibration.constants), cache_note(request)
    return ModelsReport(
        schema_version="1",
        workload=request.workload,
        throughput_model=based_on(calibration),
        models=fits,
        messages=[*calibration.notes, *filter(None, said)],
    )


def _one_of_many(llm: Llm, request: Request, policy: Policy, calibration: Calibration, setup: Setup) -> Sized:
    """A model on a setup, without its table over the users."""
    if isinstance(setup, Cards):
        return mix_size(llm, request, policy, calibration, setup, table=False)
    return serving_size(llm, request, policy, calibration, *setup, table=False)
