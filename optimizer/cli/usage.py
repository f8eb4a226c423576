"""What holds for the options of every command: no empty value, and no option that the command would not use."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand, TyperGroup

from catalogs.refused_value import in_words
from optimizer.cli.usage_errors import spoken
from optimizer.request.entry import CommandName

if TYPE_CHECKING:
    from catalogs.llm import Llm
    from constraints.request import Request
    from optimizer.procurement.reading.document import Quote
    from optimizer.request.typed_values import Given

SEPARATORS = " \t\r\n\u3000,;，；、"
"""A value of nothing but these holds nothing: `--vendor ","`."""


def refuse_empty(command: Any, ctx: Any, args: Sequence[str]) -> None:
    """Raises BadParameter for an option or argument with an empty value, as of `--budget "$UNSET"`, and for an option
    with one value that is given twice.

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
    refuse_twice(order, ctx)


class Command(TyperCommand):
    """A command that refuses empty values, and two values of an option that takes one."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """As click's, with what is wrong with a value in our words."""
        refuse_empty(self, ctx, args)
        try:
            return super().parse_args(ctx, args)
        except typer.BadParameter as e:
            from pydantic import ValidationError

            if not isinstance(e.__cause__, ValidationError):
                raise
            found = e.__cause__.errors(include_url=False)[0]
            raise typer.BadParameter(f"{in_words(found)} (value {str(found['input'])[:60]!r})", ctx, e.param) from None

    def get_usage(self, ctx: Any) -> str:
        """How it is called, in the language chosen."""
        return usage_line(self, ctx)

    def get_help(self, ctx: Any) -> str:
        """All of `--help`, in the language chosen."""
        return help_page(self, ctx)


class Group(TyperGroup):
    """A group of commands that refuses empty values of its own options and speaks the language asked for from the first
    word on."""

    def main(self, args: Sequence[str] | None = None, *rest: Any, **more: Any) -> Any:
        """As typer's. The language is chosen before the line is read: `--help` and a wrong line end that."""
        from optimizer.cli.help_page import asked_language
        from optimizer.text.languages import choose

        choose(asked_language(sys.argv[1:] if args is None else args))
        return super().main(args, *rest, **more)

    def make_context(self, *rest: Any, **more: Any) -> Any:
        """As click's, what is wrong said in the language chosen."""
        with spoken():
            return super().make_context(*rest, **more)

    def invoke(self, ctx: Any) -> Any:
        """As click's, what is wrong said in the language chosen."""
        with spoken():
            return super().invoke(ctx)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """As click's."""
        if args:
            refuse_empty(self, ctx, args)
        return super().parse_args(ctx, args)

    def get_usage(self, ctx: Any) -> str:
        """How it is called, in the language chosen."""
        return usage_line(self, ctx)

    def get_help(self, ctx: Any) -> str:
        """All of `--help`, in the language chosen."""
        return help_page(self, ctx)


def usage_line(command: Any, ctx: Any) -> str:
    """How a command is called."""
    from optimizer.cli.help_page import usage

    return usage(command, ctx)


def help_page(command: Any, ctx: Any) -> str:
    """All of a command's `--help`."""
    from optimizer.cli.help_page import page

    return page(command, ctx)


def refuse_twice(order: Sequence[Any], ctx: Any) -> None:
    """Raises BadParameter for `--budget 300k --budget 200k`: which of the two counts is not for us to choose."""
    for param in order:
        takes_one = param.param_type_name == "option" and not (param.multiple or param.is_flag or param.count)
        if takes_one and sum(x is param for x in order) > 1:
            raise typer.BadParameter("it is given twice and takes one value: give it once", ctx, param)


def typed(ctx: typer.Context, name: str) -> bool:
    """Whether a parameter was given on the command line, not by default or by an environment variable."""
    source = ctx.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def option(ctx: typer.Context, name: str) -> str:
    """A parameter as it is typed: `--max-nodes`."""
    found = next(p for p in ctx.command.params if p.name == name)
    return max(found.opts, key=len) if found.param_type_name == "option" else name


def refuse(ctx: typer.Context, why: str, *names: str) -> None:
    """Raises BadParameter for those of the parameters that were typed: the command would not use them."""
    if given := [option(ctx, x) for x in names if typed(ctx, x)]:
        raise typer.BadParameter(f"{', '.join(given)}: {why}")


def refuse_of_other_workload(ctx: typer.Context, command: CommandName, workload: str | None) -> None:
    """Raises BadParameter for typed options that say nothing of the workload: of serving in training, and the other
    way. Reading the request refuses them too (`typed_request.refuse_misplaced`), but for those that have a default."""
    from constraints.request import TRAINING
    from optimizer.request.fields import SERVING, TRAINED, options_of_kind

    asked, other = (TRAINED, SERVING) if workload in TRAINING else (SERVING, TRAINED)
    names = [option.name for option in options_of_kind(command, other)]
    refuse(ctx, f"is of {other}, not of {workload or asked}: leave it out or choose another --workload", *names)


def refuse_all_but(ctx: typer.Context, why: str, *names: str) -> None:
    """As `refuse`, for every option that is not among the names."""
    used = (*names, "help", "lang")
    others = (p.name for p in ctx.command.params if p.param_type_name == "option" and p.name not in used)
    refuse(ctx, why, *(x for x in others if x))


def together(ctx: typer.Context, *names: str) -> None:
    """Raises BadParameter where two or more of the parameters were typed: they say one thing in different ways."""
    given = [option(ctx, x) for x in names if typed(ctx, x)]
    if len(given) > 1:
        raise typer.BadParameter(f"{' and '.join(given)} contradict: give one")


def apart(one: str, members: Iterable[str], other: str, barred: Iterable[str]) -> None:
    """Raises BadParameter for what one option asks for and another bars."""
    if both := sorted(set(members) & set(barred)):
        raise typer.BadParameter(f"{one} and {other} contradict: {', '.join(both)}")


def refuse_opposed(asked: Given, fields: Iterable[str]) -> None:
    """Raises BadParameter where a field holds what another one bars."""
    from optimizer.request.fields import FIELDS, option_of
    from optimizer.request.typed_request import value

    for name in fields:
        for other in FIELDS[name].against:
            apart(option_of(other), value(other, asked), option_of(name), value(name, asked))


def too_coarse(precision: str | None, least_bits: int | None) -> None:
    """Raises BadParameter for a --precision of fewer bits than --min-precision allows."""
    from catalogs.formats import BITS

    bits = BITS.get((precision or "").strip().casefold())
    if least_bits is not None and bits is not None and bits < least_bits:
        text = f"--precision {precision} and --min-precision {least_bits}bit contradict: {precision} has {bits} bits"
        raise typer.BadParameter(text)


def kv_of_the_model(ctx: typer.Context, asked: Request) -> None:
    """Raises BadParameter for a typed --kv-precision that engines do not take for the model's architecture."""
    from catalogs.registry import get
    from constraints.rules.precision import kv_precision

    if not typed(ctx, "kv_precision"):
        return
    llm = get(asked.model)
    if asked.kv_precision == "q8_0":
        _of_gguf_alone(llm, asked)
    if (only := kv_precision(llm, asked)) != asked.kv_precision:
        text = f"{llm.name} is published for a KV cache in {only.upper()}, engines take no other: leave the option out"
        raise typer.BadParameter(f"--kv-precision {asked.kv_precision}: {text}")


def _of_gguf_alone(llm: Llm, asked: Request) -> None:
    """Raises BadParameter for a cache in q8_0 where no plan can have one."""
    from catalogs.file_kinds import GGUF_KINDS
    from constraints.rules.precision import takes_q8_0, wanted

    if not takes_q8_0(llm):
        text = f"is counted for models that keep keys and values of heads in whole blocks of 32, not for {llm.name}"
        raise typer.BadParameter(f"--kv-precision q8_0: {text}")
    if not set(wanted(llm, asked)) & set(GGUF_KINDS):
        text = "is llama.cpp's: ask for a kind of GGUF file too (--precision q4_k_m, or --min-precision 4bit)"
        raise typer.BadParameter(f"--kv-precision q8_0: {text}")


def term_of_none(terms: Sequence[str], quotes: Sequence[Quote]) -> None:
    """Raises BadParameter for a --term where nothing is paid by time; `once` says so itself."""
    months = [x for x in terms if x.rpartition("=")[2].strip().casefold() != "once"]
    if months and all(q.recurring is None for q in quotes):
        what = "the quote is not" if len(quotes) == 1 else "no bid is"
        how = 'a mapping file with period = "month" (--map) says otherwise'
        raise typer.BadParameter(f"--term {months[0]}: {what} paid by time; {how}")


def set_twice(settings: Sequence[str], options: Mapping[str, str]) -> None:
    """Raises BadParameter for a policy value that --set and an option of its own both give (key -> option)."""
    for text in settings:
        key = text.partition("=")[0].strip()
        if key in options:
            raise typer.BadParameter(f"--set {key} and {options[key]} contradict: give one")
