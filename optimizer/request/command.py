"""A request as the command that asks it: `dsopt solve ...`, ready to be typed."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from catalogs.registry import shipped_names
from constraints.policy import Policy, defaults
from constraints.prices.pricing import ENERGY
from constraints.request import Request
from optimizer.request import printing
from optimizer.request.fields import FIELDS
from optimizer.request.purchase_terms import percent_of

FILES = ("model_config", *(name for name, entry in FIELDS.items() if entry.file))
"""Options that name a file whose content a request holds."""
BASIS = ("catalog", "measured", "calibration")
"""Options of what a request is answered by."""


@dataclass(frozen=True)
class Typed:
    """What the buyer typed and no request holds: paths of files, options like --catalog."""

    files: Mapping[str, str] = field(default_factory=dict)
    rest: tuple[str, ...] = ()

    @classmethod
    def of(cls, values: Mapping[str, Any], more: Sequence[str] = ()) -> Typed:
        """From a command's options by their parameters' names; `more`: those that it alone has."""
        # A share typed in the place of a file (`--support 10%`) is held by the request itself.
        files = {
            name: str(value)
            for name in FILES
            if (value := values.get(name)) is not None
            and not (isinstance(value, str) and percent_of(value) is not None)
        }
        rest = [word for name in (*BASIS, *more) for word in _words(name, values.get(name))]
        return cls(files, tuple(rest))


def _words(name: str, value: object) -> Iterator[str]:
    """An option of the command line as it is typed; nothing where it was not given."""
    option = f"--{name.rstrip('_').replace('_', '-')}"
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
    named = files or {}
    by_load = () if own_throughput else ("throughput_tenths",)
    words = [*_model(request, named)]
    for name in FIELDS:
        if name not in ("model", *by_load):
            words += _typed(name, request, named)
    for key, value in sorted(policy.changed.items()):
        if value != defaults()[key].value or key == ENERGY:
            words += ["--set", f"{key}={value}"]
    return shlex.join(["dsopt", "solve", *words, *rest])


def _model(request: Request, files: Mapping[str, str]) -> tuple[str, str]:
    """First, as everybody types it; a way out may ask for another model than the one of the file."""
    of_file = "model_config" in files and request.model not in shipped_names()
    return ("--model-config", files["model_config"]) if of_file else ("--model", request.model)


def _typed(name: str, request: Request, files: Mapping[str, str]) -> Iterator[str]:
    """The words of a field; none where it is what it is without saying."""
    entry = FIELDS[name]
    if not entry.options or (printing.is_default(request, name) and not entry.ever):
        return
    option, value = entry.options[0].typed, getattr(request, name)
    if entry.file:
        yield from (option, printing.support_file(request, files) if name == "support" else files.get(name, entry.file))
    elif value is True:
        yield option
    else:
        for text in entry.typed(request) if entry.typed else [printing.text_of(value)]:
            yield from (option, text)


SAID_IN_WORDS = tuple(option.typed for entry in FIELDS.values() if entry.said for option in entry.options[:1])
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
