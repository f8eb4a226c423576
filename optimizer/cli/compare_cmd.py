"""`dsopt compare`: bids side by side, or what changed between two results."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from optimizer.cli.output import emit_json, free, note, save, speak

HELP = """Examples:

  dsopt compare a.xlsx b.xlsx c.csv --model v3-671b --users 32 -o comparison.xlsx

  dsopt compare a.xlsx b.csv result.json --currency CNY --tax 13% --lang zh -o 比价表.xlsx

  dsopt compare old.json new.json

Vendors' quotes and results of dsopt on one basis and one scope: missing lines filled and marked, errors flagged, rules,
throughput and the distance from the proven front of each build, a weighted score. Two results alone: what changed and
why. Exit 5 where a bid can't be compared (a lease without --term, a price list, an unread
file), 3 where none can."""


def compare(
    ctx: typer.Context,
    files: Annotated[list[Path], typer.Argument(help="Quotes (.xlsx, .csv, ...) and results (.json), two at least")],
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Workbook (.xlsx) or .json to write.")] = None,
    model: Annotated[str | None, typer.Option(help="Model that the builds are for. [default: a result's]")] = None,
    model_config: Annotated[Path | None, typer.Option(help="A Hugging Face config.json, instead of --model.")] = None,
    users: Annotated[int | None, typer.Option(help="Requests that run at once.")] = None,
    workload: Annotated[str | None, typer.Option(help="chat, rag, reasoning, batch.")] = None,
    min_tok_s_user: Annotated[float | None, typer.Option(help="Speed that each user sees; 10.")] = None,
    min_precision: Annotated[str | None, typer.Option(help="Lowest precision allowed: 4bit, 8bit, 16bit.")] = None,
    offload: Annotated[bool, typer.Option("--offload", help="Routed experts in host memory too.")] = False,
    allow_experimental: Annotated[
        bool, typer.Option("--allow-experimental", help="Count engines marked experimental.")
    ] = False,
    have: Annotated[str | None, typer.Option(help="What the site has: racks,network.")] = None,
    currency: Annotated[str | None, typer.Option(help="USD, CNY, EUR, GBP, JPY. [default: the first bid's]")] = None,
    fx: Annotated[Path | None, typer.Option(help="CSV of exchange rates: currency,usd_per_unit,date,source.")] = None,
    tax: Annotated[str | None, typer.Option(help="Tax of the totals: 13%, CN. [default: what all bids state]")] = None,
    as_of: Annotated[str | None, typer.Option(help="Day of prices and of validity. [default: today]")] = None,
    weights: Annotated[
        str | None, typer.Option(help="price=30,technical=50,service=20, or a TOML file; 100 in all.")
    ] = None,
    map_: Annotated[list[str], typer.Option("--map", help="Mapping file: in the files' order, or NAME=FILE.")] = [],
    term: Annotated[
        list[str], typer.Option(help="Months that what is paid by time is counted over: 36, A=36, stated; A=once.")
    ] = [],
    accept_fuzzy: Annotated[bool, typer.Option("--accept-fuzzy", help="Take parts that are only similar.")] = False,
    lang: Annotated[str | None, typer.Option(help="en or zh, of the terminal too; both: in the file.")] = None,
    catalog: Annotated[list[Path], typer.Option(help="Folder laid over the shipped catalog.")] = [],
    set_: Annotated[list[str], typer.Option("--set", help="One policy value, compare.outlier_percent=15.")] = [],
    calibration: Annotated[Path | None, typer.Option(help="Folder that size --calibrate wrote.")] = None,
    measured: Annotated[Path | None, typer.Option(help="CSV of your own measurements.")] = None,
    time_limit: Annotated[float, typer.Option(min=0.1, max=3600, help="Seconds for each bid's proven front.")] = 60,
    json: Annotated[bool, typer.Option("--json", help="JSON on stdout.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing file.")] = False,
) -> None:
    """See HELP."""
    from catalogs.errors import Fault, InputError
    from catalogs.load import load
    from constraints.policy import Policy, tax_percent
    from optimizer.cli import compare_view, parse, terms
    from optimizer.cli.understood import show_understood
    from optimizer.cli.usage import refuse, refuse_all_but, term_of_none, together
    from optimizer.cli.xray_cmd import is_vendor_file
    from optimizer.library import changes, read_bids
    from optimizer.library import compare as run
    from optimizer.request.command import Typed
    from optimizer.text.languages import LANGUAGES, Words, chosen

    if lang is not None and lang not in LANGUAGES:
        raise InputError(Fault("bad-language", "is none", column="--lang", value=lang, remedy="One of: en, zh, both."))
    together(ctx, "model", "model_config")
    if output is None:
        refuse(ctx, "is of -o", "force")
    if output is not None:
        free(output, force)
        if output.suffix.lower() not in (".xlsx", ".json"):
            remedy = "Name a .xlsx or a .json."
            raise InputError(Fault("bad-format", "is no format of a comparison", str(output), remedy=remedy))
    if lang == "both" and (output is None or output.suffix.lower() != ".xlsx"):
        raise typer.BadParameter("--lang both: is of a workbook (-o FILE.xlsx)")
    if not any(map(is_vendor_file, files)):
        refuse(ctx, "is of vendors' files, and all of these are results", "map_", "term", "accept_fuzzy")
    if len(files) < 2:
        raise InputError(Fault("bad-bids", "one file can't be compared", column="FILES", remedy="Give two at least."))
    if lang in ("en", "zh"):
        speak(lang)
    words = Words(lang) if lang else chosen()
    parts, policy = load(catalog), Policy().with_settings(set_)
    by = parse.calibration(calibration, measured, parts, policy)
    for text in by.notes:
        note(chosen()("note: {what}", what=chosen().sentence(text)))
    read = read_bids(files, catalog=parts, calibration=by, maps=map_, accept_fuzzy=accept_fuzzy, terms=term)
    found: Any
    show: Any
    if not read.quotes and len(read.results) == 2:
        kept = ("output", "lang", "catalog", "calibration", "measured", "json", "force", "set_")
        refuse_all_but(ctx, "is not used where two results are compared", *kept)
        found, show = changes(*read.results), compare_view.show_changes
    else:
        term_of_none(term, read.quotes)
        asked = _request(read, model, model_config, users, workload, min_tok_s_user, min_precision, offload,
                         allow_experimental, have, currency, as_of)  # fmt: skip
        if not json:
            more = {"tax": tax, "fx": fx, "weights": weights, "map": map_, "term": term, "accept_fuzzy": accept_fuzzy}
            typed = Typed.of(model_config=model_config, catalog=catalog, measured=measured, by=calibration, more=more)
            show_understood(parts, asked, policy, typed=typed)
        found = run(
            read.bids(), asked, catalog=parts, policy=policy, calibration=by,
            tax_percent=tax_percent(tax) if tax else None, rates=terms.rates(fx) if fx else (), weights=weights,
            time_limit_s=time_limit,
        )  # fmt: skip
        show = compare_view.show
    if json:
        emit_json(found.model_dump(mode="json"))
    else:
        show(found, chosen())
    if output is not None:
        content = _content(found, words, output)
        save(output, content, force)
        note(str(output))
    if found.kind == "bids" and not found.ok:
        raise typer.Exit(5)


def _request(
    read: Any, model: str | None, config: Path | None, users: int | None, workload: str | None,
    min_tok_s_user: float | None, min_precision: str | None, offload: bool, allow_experimental: bool, have: str | None,
    currency: str | None, as_of: str | None,
) -> Any:  # fmt: skip
    """The tender's request: options laid over the first result's request, where there is one."""
    from constraints.request import TRAINING
    from optimizer.cli import parse
    from optimizer.cli.solve_cmd import _bits, _words
    from optimizer.request import texts
    from optimizer.text.money import CURRENCIES, currency_code

    fields: dict[str, Any] = {
        "users": users,
        "min_tok_s_user": min_tok_s_user,
        "min_precision_bits": _bits(min_precision),
    }
    kind = workload or (read.tender().workload if read.results else "chat")
    if kind in TRAINING:
        serving = {"--users": users, "--min-tok-s-user": min_tok_s_user, "--offload": offload or None}
        texts.misplaced(kind, serving)
    fields |= texts.lengths(workload, None, None) if workload is not None else {}
    fields |= {"offload": True} if offload else {}
    fields |= {"allow_experimental": True} if allow_experimental else {}
    fields |= {"have": _words([have])} if have is not None else {}
    code = currency_code(currency) if currency is not None else None
    if not read.results:
        first = next((q.currency for q in read.quotes if q.currency in CURRENCIES), "USD")
        fields |= {"model": parse.model(model, config), "as_of": texts.day(as_of), "currency": code or first}
        return texts.request(**fields)
    base = read.tender().model_dump()
    fields |= {"model": parse.model(model, config)} if model or config else {}
    fields |= {"as_of": texts.day(as_of)} if as_of else {}
    fields |= {"currency": code}
    return texts.request(**{**base, **{k: v for k, v in fields.items() if v is not None}})


def _content(found: Any, words: Any, output: Path) -> bytes:
    """The file's bytes, by its ending."""
    from catalogs.files import written_json

    if output.suffix.lower() == ".json":
        return (written_json(found.model_dump(mode="json")) + "\n").encode()
    from optimizer.procurement.bids.workbook import changes_workbook, workbook

    return workbook(found, words) if found.kind == "bids" else changes_workbook(found, words)
