"""The command tree."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Annotated

import typer

from optimizer.cli.options import speaking
from optimizer.cli.output import speak
from optimizer.cli.usage import Command, Group

COMMANDS = {
    "solve": "The best machines for a budget: the proven front and a recommendation.",
    "check": "Check a build or a saved result against every rule.",
    "xray": "Examine a vendor's quote: errors, prices, what the money could buy instead.",
    "explain": "Explain a result: what limits it, why not another part, price risk.",
    "report": "Turn a saved result into a report page: for the board, and all behind it.",
    "plot": "Draw the front of a saved result as a picture: PNG or SVG.",
    "verify": "Check a saved result again; --prove also repeats the proof.",
    "quote": "Turn a saved result into a quotation: Excel, PDF, CSV, CycloneDX.",
    "rfq": "Turn a saved result into a request for quotation for bidders to fill in.",
    "compare": "Compare the bids of several vendors, or two results, side by side.",
    "award": "Decide who gets the order: one bidder or the cheapest split, proven.",
    "size": "Memory and speed of a model on given GPUs, without buying.",
    "app": "Ask and answer in the browser, on this computer.",
    "examples": "Copy sample files into a folder, one for each that an option takes.",
}
"""What each says of itself in the list of commands; in optimizer/cli/<name>_cmd.py a function of that name."""
GROUPS = {
    "schema": "Print a JSON schema.",
    "catalog": "List, show, import and validate parts and prices.",
    "models": "List, show, add and remove models.",
}
"""The same of the commands that only a call of theirs, or of the whole tree, needs."""
HELP = """The proven cost/throughput front of buyable machines for open language models.

In a terminal, `dsopt` alone asks a few questions, prints the command that it makes of the answers, and runs it.

Examples:

  dsopt

  dsopt solve --model v3-671b --budget 300k

  dsopt solve --help

  dsopt examples samples"""


def _version(wanted: bool) -> None:
    if wanted:
        from optimizer.text.version import own_version

        typer.echo(f"dsopt {own_version()}")
        raise typer.Exit


def _language(
    lang: Annotated[
        str | None, typer.Option("--lang", envvar="DSOPT_LANG", help="Language: en or zh. [default: the system locale]")
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version of dsopt.", is_eager=True, callback=_version)
    ] = False,
) -> None:
    from optimizer.text.languages import default_language

    speak(lang or default_language())


def app_for(arguments: Sequence[str] | None) -> typer.Typer:
    """The app with the command alone that the arguments begin with, all of them where they begin with none, and
    whatever they are for None.

    Reading the options of a command out of its signature takes longer than a small answer: a call needs one of them.
    """
    after_language = without_language(arguments) if arguments is not None else None
    named = after_language[0] if after_language and after_language[0] in COMMANDS else None
    app = typer.Typer(
        name="dsopt",
        cls=Group,
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        help=HELP,
    )
    app.callback()(_language)
    if after_language is not None and (not after_language or after_language == ["--help"]):
        return _listed_alone(app)
    for name in [named] if named else COMMANDS:
        module = import_module(f"optimizer.cli.{name}_cmd")
        app.command(name, cls=Command, help=module.HELP, short_help=COMMANDS[name])(speaking(getattr(module, name)))
    if named is None:
        from optimizer.cli import catalog_cmd, models_cmd, schema_cmd

        app.command("schema", cls=Command, help=schema_cmd.HELP, short_help=GROUPS["schema"])(
            speaking(schema_cmd.schema)
        )
        app.add_typer(catalog_cmd.app, name="catalog", help=GROUPS["catalog"])
        app.add_typer(models_cmd.app, name="models", help=GROUPS["models"])
    return app


def without_language(arguments: Sequence[str]) -> list[str]:
    """The arguments behind a leading `--lang zh` or `--lang=zh`."""
    behind = 2 if arguments[:1] == ["--lang"] else int(bool(arguments) and arguments[0].startswith("--lang="))
    return list(arguments[behind:])


def _listed_alone(app: typer.Typer) -> typer.Typer:
    """The app with its commands by name: the list of them needs none of their options."""

    def listed() -> None:
        """Is never called: a command's name is an argument, and there is none."""

    for name, words in {**COMMANDS, **GROUPS}.items():
        app.command(name, short_help=words)(listed)
    return app


def __getattr__(name: str) -> typer.Typer:
    """`app`: the whole tree, for programs that run commands inside their own process."""
    if name != "app":
        raise AttributeError(name)
    return app_for(None)
