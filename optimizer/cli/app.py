"""The command tree. Examples come first in each command's help."""

from __future__ import annotations

from typing import Annotated

import typer

from optimizer.cli import (
    catalog_cmd,
    check_cmd,
    compare_cmd,
    explain_cmd,
    models_cmd,
    quote_cmd,
    schema_cmd,
    size_cmd,
    solve_cmd,
    verify_cmd,
)
from optimizer.cli.output import speak
from optimizer.cli.usage import Command, Group

app = typer.Typer(
    name="dsopt",
    cls=Group,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Proven cost/throughput front of buyable hardware builds for DeepSeek-family models.",
)


@app.callback()
def _language(
    lang: Annotated[
        str | None, typer.Option("--lang", envvar="DSOPT_LANG", help="en or zh. [default: the system locale]")
    ] = None,
) -> None:
    from optimizer.i18n import default_language

    speak(lang or default_language())


for name, module, short in (
    ("solve", solve_cmd, "The proven front of builds under a budget."),
    ("check", check_cmd, "Every rule on a build or a saved result."),
    ("explain", explain_cmd, "What binds, why not that part, how far prices may move."),
    ("verify", verify_cmd, "Judge a saved result again; --prove proves it again."),
    ("quote", quote_cmd, "A saved result as a quotation: Excel, PDF, CSV, CycloneDX."),
    ("compare", compare_cmd, "Bids of several vendors, or two results, side by side."),
    ("size", size_cmd, "Memory and speed of a model on given GPUs, no buying."),
):
    app.command(name, cls=Command, help=module.HELP, short_help=short)(getattr(module, name))
app.add_typer(catalog_cmd.app, name="catalog", help="List, show and validate parts and prices.")
app.add_typer(models_cmd.app, name="models", help="List, show, add and remove models.")
app.command("schema", cls=Command, help=f"Print a JSON schema ({schema_cmd.KINDS}).")(schema_cmd.schema)
