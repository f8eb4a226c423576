"""Options of a command from tables instead of a signature written by hand; what was typed, for the table of fields."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from optimizer.cli.output import speak
from optimizer.request.entry import ANSWER, BASIS, Option

if TYPE_CHECKING:
    from catalogs.load import Catalog
    from optimizer.request.typed_values import Given

Values = dict[str, Any]
"""Values of a command's options by their parameters' names."""

SET = Option("set_", "Set one policy value: rule.key=value.", names=("--set",), several=True, group=BASIS)
CATALOG = Option(
    "catalog", "Folder of your own catalog files, laid over the shipped catalog.", Path, several=True, group=BASIS
)
MEASURED = Option(
    "measured", "CSV of your own measurements: they take precedence over the estimate.", Path, group=BASIS
)
CALIBRATION = Option("calibration", "Folder that size --calibrate wrote.", Path, group=BASIS)
LANGUAGE = Option("lang", "Language of the terminal: en or zh.", group=ANSWER)
JSON = Option("json", "Print JSON.", bool, False, ("--json",), group=ANSWER)
FORCE = Option("force", "Overwrite an existing file.", bool, False, ("--force",), group=ANSWER)

ResultFile = Annotated[Path, typer.Argument(help="A result.json, saved with `dsopt solve -o`.")]
CatalogFolders = Annotated[list[Path], typer.Option("--catalog", help=CATALOG.help)]
MadeWithCalibration = Annotated[
    Path | None, typer.Option("--calibration", help="Folder of constants that the result was made with.")
]
MadeWithMeasurements = Annotated[
    Path | None, typer.Option("--measured", help="Measurements that the result was made with.")
]
Overwrite = Annotated[bool, typer.Option("--force", help=FORCE.help)]
"""Parameters of the commands that read a saved result."""
Overlay = Annotated[
    list[Path],
    typer.Option("--catalog", help="Folder of your own catalog files, laid over the shipped catalog (repeatable)."),
]
"""Of the commands that only list, show or import."""


def taking(options: Sequence[Option], *arguments: Parameter) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Gives a command, a function of its context and of values by name, these arguments and options."""

    def with_signature(command: Callable[..., None]) -> Callable[..., None]:
        context = Parameter("ctx", Parameter.KEYWORD_ONLY, annotation=typer.Context)
        parameters = [context, *arguments, *map(_parameter, options)]
        command.__signature__ = Signature(parameters)  # type: ignore[attr-defined] # what inspect and typer read
        return command

    return with_signature


def speaking(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a command `--lang`, where it has none of its own: people write it behind the command as well as before."""
    own = signature(command, eval_str=True)
    if LANGUAGE.name in own.parameters:
        return command

    @wraps(command)
    def spoken(*args: Any, **values: Any) -> None:
        if (language := values.pop(LANGUAGE.name)) is not None:
            speak(language)
        command(*args, **values)

    info = typer.Option("--lang", help=LANGUAGE.help, rich_help_panel=_heading(own, LANGUAGE))
    added = Parameter(LANGUAGE.name, Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[str | None, info])
    spoken.__signature__ = own.replace(parameters=[*own.parameters.values(), added])  # type: ignore[attr-defined]
    return spoken


def _heading(own: Signature, option: Option) -> str | None:
    """Of an option that is added to a command; none where its other options have none."""
    infos = [x for parameter in own.parameters.values() for x in getattr(parameter.annotation, "__metadata__", ())]
    return option.group if any(getattr(info, "rich_help_panel", None) for info in infos) else None


def argument(name: str, kind: Any, words: str) -> Parameter:
    """An argument that stands without an option."""
    return Parameter(name, Parameter.KEYWORD_ONLY, annotation=Annotated[kind, typer.Argument(help=words)])


def _parameter(option: Option) -> Parameter:
    kind: Any = list[option.kind] if option.several else option.kind  # type: ignore[name-defined]
    default = [] if option.several else option.default
    if default is None:
        kind = kind | None
    info = typer.Option(
        *option.names, help=option.help, envvar=option.environment, min=option.least, max=option.most,
        rich_help_panel=option.group or None, hidden=option.hidden, count=option.counted,
    )  # fmt: skip
    return Parameter(option.name, Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[kind, info])


def given(ctx: typer.Context, values: Values, catalog: Catalog) -> Given:
    """What was typed, as the fields of a request are read from it."""
    from optimizer.cli.usage import typed
    from optimizer.request.typed_values import Given

    return Given(values, catalog, frozenset(name for name in values if typed(ctx, name)))
