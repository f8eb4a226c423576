"""The command tree. Examples come first in each command's help."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Annotated

import typer

from optimizer.cli.options import speaking
from optimizer.cli.output import speak
from optimizer.cli.usage import Command, Group

COMMANDS = {
    "solve": "The proven front of builds under a budget.",
    "check": "Every rule on a build or a saved result.",
    "xray": "A vendor's quote: its errors, prices, and what the money would buy.",
    "explain": "What binds, why not that part, how far prices may move.",
    "report": "A saved result as a page: for the board, and all behind it.",
    "plot": "The front of a saved result as a picture, PNG or SVG.",
    "verify": "Judge a saved result again; --prove proves it again.",
    "quote": "A saved result as a quotation: Excel, PDF, CSV, CycloneDX.",
    "rfq": "A saved result as a request for quotation that bidders fill in.",
    "compare": "Bids of several vendors, or two results, side by side.",
    "award": "Who gets the order: one bidder, or the cheapest split, proven.",
    "size": "Memory and speed of a model on given GPUs, no buying.",
}
"""What each says of itself in the list of commands; in optimizer/cli/<name>_cmd.py a function of that name."""


def _version(wanted: bool) -> None:
    if wanted:
        from optimizer.text.version import own_version

        typer.echo(f"dsopt {own_version()}")
        raise typer.Exit


def _language(
    lang: Annotated[
        str | None, typer.Option("--lang", envvar="DSOPT_LANG", help="en or zh. [default: the system locale]")
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version of dsopt.", is_eager=True, callback=_version)
    ] = False,
) -> None:
    from optimizer.text.languages import default_language

    speak(lang or default_language())


def app_for(arguments: Sequence[str]) -> typer.Typer:
    """The app with the command alone that the arguments begin with, all of them where they begin with none.

    Reading the options of a command out of its signature takes longer than a small answer: a call needs one of them.
    """
    after_language = arguments[2:] if arguments[:1] == ["--lang"] else arguments
    named = after_language[0] if after_language and after_language[0] in COMMANDS else None
    app = typer.Typer(
        name="dsopt",
        cls=Group,
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        help="Proven cost/throughput front of buyable machines for open language models, DeepSeek first.",
    )
    app.callback()(_language)
    for name in [named] if named else COMMANDS:
        module = import_module(f"optimizer.cli.{name}_cmd")
        app.command(name, cls=Command, help=module.HELP, short_help=COMMANDS[name])(speaking(getattr(module, name)))
    if named is None:
        from optimizer.cli import catalog_cmd, models_cmd, schema_cmd

        app.add_typer(catalog_cmd.app, name="catalog", help="List, show and validate parts and prices.")
        app.add_typer(models_cmd.app, name="models", help="List, show, add and remove models.")
        app.command("schema", cls=Command, help=f"Print a JSON schema ({schema_cmd.KINDS}).")(
            speaking(schema_cmd.schema)
        )
    return app


def __getattr__(name: str) -> typer.Typer:
    """`app`: the whole tree, for programs that run commands inside their own process."""
    if name != "app":
        raise AttributeError(name)
    return app_for(())
