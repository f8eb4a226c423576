"""A request as the command that asks it: `dsopt solve ...`, ready to be typed."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from catalogs.schema import Kind
from constraints.exchange import minor_digits
from constraints.policy import Policy, defaults, table
from constraints.prices.pricing import ENERGY
from constraints.request import WORKLOADS, Request, SupportRate

FILES = {"own": "OWN.csv", "avl": "LIST.csv", "fx": "FX.csv", "support": "SUPPORT.csv"}
"""Names that stand for files of which a request holds the content alone."""
DEFAULTS = {name: field.default for name, field in Request.model_fields.items()}


@dataclass(frozen=True)
class Typed:
    """What the buyer typed and no request holds: paths of files, options like --catalog."""

    files: Mapping[str, str] = field(default_factory=dict)
    rest: tuple[str, ...] = ()

    @classmethod
    def of(
        cls, *, own: Path | None = None, avl: Path | None = None, fx: Path | None = None, support: str | None = None,
        model_config: Path | None = None, catalog: Sequence[Path] = (), measured: Path | None = None,
        by: Path | None = None, more: Mapping[str, object] | None = None,
    ) -> Typed:  # fmt: skip
        """From the options of a command; `more`: those that it has beside the ones of a request, by name."""
        files = {"own": own, "avl": avl, "fx": fx, "support": support, "model_config": model_config}
        rest = {"catalog": list(catalog), "measured": measured, "calibration": by, **(more or {})}
        words = [word for name, value in rest.items() for word in _words(name, value)]
        return cls({name: str(path) for name, path in files.items() if path is not None}, tuple(words))


def _words(name: str, value: object) -> Iterator[str]:
    """An option of the command line as it is typed; nothing where it was not given."""
    option = f"--{name.replace('_', '-')}"
    if value is True:
        yield option
    elif isinstance(value, list):
        for member in value:
            yield from (option, str(member))
    elif value not in (None, False):
        yield from (option, str(value))


UNTYPED = Typed()


def command(
    request: Request, policy: Policy, files: Mapping[str, str] | None = None, rest: Iterable[str] = (),
    own_throughput: bool = True,
) -> str:  # fmt: skip
    """The command line of a request. `files`: paths of --own, --avl, --fx, --support, --model-config where they are
    known; `rest`: options that are no part of a request (--catalog, --measured). `own_throughput`: whether the
    throughput asked for is the buyer's own figure and not what a load needs."""
    named = {**FILES, **({"support": "table"} if request.support == shipped_support() else {}), **(files or {})}
    words = [*_wanted(request, own_throughput, named), *_site(request), *_bought(request, named)]
    words += ["--as-of", request.as_of.isoformat()]
    for key, value in sorted(policy.changed.items()):
        if value != defaults()[key].value or key == ENERGY:
            words += ["--set", f"{key}={value}"]
    return shlex.join(["dsopt", "solve", *words, *rest])


SAID_IN_WORDS = (
    "--model", "--budget", "--currency", "--throughput", "--users", "--tokens-per-day", "--requests-per-second",
    "--workload", "--isl", "--osl", "--min-tok-s-user", "--max-ttft", "--as-of",
)  # fmt: skip
"""Options of a request's load and money, which a view says in words."""


def conditions(request: Request, policy: Policy, typed: Typed = UNTYPED) -> str:
    """All of a request but its money, load and day, as options that can be typed again; the condition of the parts
    always."""
    words = shlex.split(command(request, policy, typed.files, typed.rest))[2:]
    starts = [i for i, w in enumerate(words) if w.startswith("--")]
    given = [words[a:b] for a, b in zip(starts, [*starts[1:], len(words)], strict=True)]
    kept = [x for x in given if x[0] not in SAID_IN_WORDS]
    if not any(x[0] == "--condition" for x in kept):
        kept = [["--condition", ",".join(sorted(request.conditions))], *kept]
    return shlex.join(w for x in kept for w in x)


def _given(request: Request, options: Mapping[str, str]) -> Iterator[str]:
    """Options with the plain value of a field, where it is not the default; switches for booleans."""
    for name, option in options.items():
        value = getattr(request, name)
        if value is True:
            yield option
        elif value is not False and value != DEFAULTS[name]:
            yield from (option, number(value) if isinstance(value, int | float) else str(value))


def number(value: float | Decimal) -> str:
    """A number as short as it is exact."""
    text = f"{Decimal(str(value)):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _wanted(r: Request, own_throughput: bool, files: Mapping[str, str]) -> Iterator[str]:
    yield from ("--model-config", files["model_config"]) if "model_config" in files else ("--model", r.model)
    if r.budget_cents is not None:
        yield from ("--budget", number(Decimal(r.budget_cents).scaleb(-minor_digits(r.currency))))
    if r.currency != "USD":
        yield from ("--currency", r.currency)
    if r.throughput_tenths is not None and own_throughput:
        yield from ("--throughput", number(Decimal(r.throughput_tenths) / 10))
    yield from _given(r, {
        "users": "--users", "tokens_per_day": "--tokens-per-day", "requests_per_second": "--requests-per-second",
        "workload": "--workload",
    })  # fmt: skip
    if not r.trains:
        isl, osl = WORKLOADS[r.workload]
        yield from ("--isl", str(r.isl)) if r.isl != isl else ()
        yield from ("--osl", str(r.osl)) if r.osl != osl else ()
    yield from _given(r, {
        "min_tok_s_user": "--min-tok-s-user", "max_ttft_ms": "--max-ttft", "seq_len": "--seq-len",
        "dataset_tb": "--dataset-tb", "train_tokens": "--train-tokens", "precision": "--precision",
    })  # fmt: skip
    if r.min_precision_bits is not None:
        yield from ("--min-precision", f"{r.min_precision_bits}bit")
    yield from _given(r, {
        "kv_precision": "--kv-precision", "allow_experimental": "--allow-experimental", "offload": "--offload",
        "cost_axis": "--cost-axis",
    })  # fmt: skip


def _site(r: Request) -> Iterator[str]:
    yield from _given(r, {"max_nodes": "--max-nodes"})
    if r.max_power_w is not None:
        yield from ("--max-kw", number(Decimal(r.max_power_w) / 1000))
    if r.circuit is not None:
        yield from ("--circuit", f"{r.circuit.amps}A@{r.circuit.volts}V")
    yield from _given(r, {"rack_units": "--rack-units", "site_water": "--site-water"})
    if r.have:
        yield from ("--have", ",".join(sorted(r.have)))


def _bought(r: Request, files: Mapping[str, str]) -> Iterator[str]:
    lists = {
        "--vendor": sorted(r.vendors), "--no-vendor": sorted(r.barred_vendors), "--include": r.include,
        "--exclude": sorted(r.exclude), "--origin": r.origins, "--no-origin": r.barred_origins,
    }  # fmt: skip
    for option, members in lists.items():
        for name in members:
            yield from (option, name)
    if r.conditions != {"new"}:
        yield from ("--condition", "any" if len(r.conditions) == 3 else ",".join(sorted(r.conditions)))
    for gpu in sorted(r.gpus):
        yield from ("--gpu", f"{r.gpu_count}x{gpu}" if r.gpu_count else gpu)
    if len(r.confidences) < 3:
        yield from ("--confidence", ",".join(r.confidences))
    percents = {"--max-estimated": r.max_estimated_percent, "--max-share": r.max_share_percent}
    for option, percent in percents.items():
        yield from () if percent is None else (option, f"{percent}%")
    yield from _given(r, {
        "max_price_age_days": "--max-price-age", "max_lead_days": "--max-lead", "strict_lead": "--strict-lead",
        "max_sellers": "--max-sellers",
    })  # fmt: skip
    for spare in r.spares:
        yield from ("--spares", f"{spare.category.value}={spare.pieces}/{spare.per}")
    for name in FILES:
        if getattr(r, name):
            yield from (f"--{name}", files[name])


def shipped_support() -> tuple[SupportRate, ...]:
    """Rates of support by category that come with dsopt: what `--support table` stands for."""
    return tuple(SupportRate(category=Kind(r["category"]), percent=Decimal(r["percent"])) for r in table("support"))
