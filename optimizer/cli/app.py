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

app = typer.Typer(
    name="dsopt",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Proven cost/throughput front of buyable hardware builds for DeepSeek-family models.",
)


@app.callback()
def _language(
    lang: Annotated[
        str | None, typer.Option("--lang", envvar="DSOPT_LANG", help="en or zh; the locale's without.")
    ] = None,
) -> None:
    from optimizer.i18n import default_language

    speak(lang or default_language())


app.command("solve", help=solve_cmd.HELP, short_help="The proven front of builds under a budget.")(solve_cmd.solve)
app.command("check", help=check_cmd.HELP, short_help="Every rule on a build or a saved result.")(check_cmd.check)
app.command("explain", help=explain_cmd.HELP, short_help="What binds, why not that part, how far prices may move.")(
    explain_cmd.explain
)
app.command("verify", help=verify_cmd.HELP, short_help="Judge a saved result again; --prove proves it again.")(
    verify_cmd.verify
)
app.command("quote", help=quote_cmd.HELP, short_help="A saved result as a quotation: Excel, PDF, CSV, CycloneDX.")(
    quote_cmd.quote
)
app.command("compare", help=compare_cmd.HELP, short_help="Bids of several vendors, or two results, side by side.")(
    compare_cmd.compare
)
app.command("size", help=size_cmd.HELP, short_help="Memory and speed of a model on given GPUs, no buying.")(
    size_cmd.size
)
app.add_typer(catalog_cmd.app, name="catalog", help="List, show and validate parts and prices.")
app.add_typer(models_cmd.app, name="models", help="List, show, add and remove models.")
app.command("schema", help=f"Print a JSON schema ({schema_cmd.KINDS}).")(schema_cmd.schema)
