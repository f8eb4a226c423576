"""What holds for the options of every command: no empty value, and no option that the command would not use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

SEPARATORS = " \t\r\n\u3000,;，；、"
"""A value of nothing but these holds nothing: `--vendor ","`."""


def refuse_empty(command: Any, ctx: Any, args: Sequence[str]) -> None:
    """Raises BadParameter for an option or argument with an empty value, as of `--budget "$UNSET"`.

    It looks at the texts as typed: converted to a path, an empty one would be the current folder."""
    if ctx.resilient_parsing:
        return
    given, _, order = command.make_parser(ctx).parse_args(args=list(args))
    for param in order:
        value = given.get(param.name or "")
        texts = value if isinstance(value, list | tuple) else [value]
        if any(isinstance(x, str) and not x.strip(SEPARATORS) for x in texts):
            what = "leave the option out" if param.param_type_name == "option" else "leave it out"
            raise typer.BadParameter(f"the value is empty: give one or {what} (is a variable unset?)", ctx, param)


class Command(TyperCommand):
    """A command that refuses empty values."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """As click's."""
        refuse_empty(self, ctx, args)
        return super().parse_args(ctx, args)


class Group(TyperGroup):
    """A group of commands that refuses empty values of its own options."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """As click's."""
        if args:
            refuse_empty(self, ctx, args)
        return super().parse_args(ctx, args)


def unused(given: Mapping[str, Any], why: str) -> None:
    """Raises BadParameter that names the options given and says why they are not used."""
    names = [name for name, value in given.items() if value is not None and value is not False and value != []]
    if names:
        raise typer.BadParameter(f"{', '.join(names)}: {why}")


def typed(ctx: typer.Context, name: str) -> bool:
    """Whether a parameter was given on the command line, not by default or by an environment variable."""
    source = ctx.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"
