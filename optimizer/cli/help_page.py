"""The page of `--help`: what a command is for, its options by task with the most used first, and examples.

Chinese takes two cells a character, which the formatter beneath typer does not know: lines are broken here, and no
option, figure or Chinese word is divided. Plain text: a pipe, NO_COLOR and a screen reader get the same page.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from optimizer.cli.wrapped import wrapped
from optimizer.request.entry import ANSWER, ASK, BASIS, GROUPS, TERMS
from optimizer.text.languages import N_
from optimizer.text.languages import chosen as language

ARGUMENTS, FIRST = N_("Arguments"), N_("Start with these")
WIDEST, NARROW = 100, 50
"""Cells of a line at most, and below which the words of an option stand under its name."""
UNBROKEN = "\ue000"
"""Stands for a blank at which no line is broken."""
NAMES = 27
"""Cells for an option's name, beyond which its words begin on the next line."""
OF_CLICK = (
    N_("Show this message and exit."),
    N_("Install completion for the current shell."),
    N_("Show completion for the current shell, to copy it or customize the installation."),
    N_("Options"),
    N_("Commands"),
)
"""Words of the library that reads the command line."""
MOST_USED: dict[str, tuple[str, ...]] = {
    "solve": (
        "model",
        "budget",
        "users",
        "tokens_per_day",
        "workload",
        "market",
        "gpu",
        "condition",
        "grade",
        "output",
    ),
    "size": ("gpu", "model", "users", "workload", "isl", "osl", "precision", "batch", "json"),
    "check": ("mend", "budget", "model", "grade", "market", "json"),
    "xray": ("model", "users", "have", "market", "above", "quick", "output"),
    "compare": ("model", "users", "currency", "tax", "weights", "scoring", "output"),
    "award": ("model", "users", "lines", "lots", "terms", "max_bidders", "orders", "output"),
    "quote": ("output", "point", "lang", "customer", "profile", "currency", "tax"),
    "import": ("output", "seller", "date", "currency", "tax", "map_"),
}
"""Options that most calls need, by the command's name."""
GROUP_OF = {
    **dict.fromkeys(("output", "json", "force", "lang", "format_", "template", "time_limit", "dry_run"), ANSWER),
    **dict.fromkeys(
        ("currency", "fx", "tax", "discount", "support", "spares", "valid_days", "confirmed", "customer", "buyer",
         "seller", "profile", "number", "date", "until"),
        TERMS,
    ),
    **dict.fromkeys(
        ("catalog", "calibration", "measured", "map_", "accept_fuzzy", "engine", "thorough", "confidence", "partial"),
        BASIS,
    ),
}  # fmt: skip
"""Headings of options that name none; ASK for all others."""
EXAMPLES = {
    "model": "--model v3-671b", "users": "--users 64", "throughput": "--throughput 2000",
    "requests_per_second": "--requests-per-second 2", "isl": "--isl 2048", "osl": "--osl 512",
    "min_tok_s_user": "--min-tok-s-user 15", "max_ttft": "--max-ttft 2000", "workload": "--workload rag",
    "cost_axis": "--cost-axis power", "precision": "--precision fp8", "market": "--market CN",
    "max_kw": "--max-kw 10", "rack_units": "--rack-units 8", "max_nodes": "--max-nodes 4",
    "grade": "--grade full", "condition": "--condition any", "vendor": "--vendor dell,supermicro,nvidia",
    "no_vendor": "--no-vendor intel", "include": '--include "EPYC 9654"', "exclude": '--exclude "RTX 5090"',
    "max_price_age": "--max-price-age 180", "max_lead": "--max-lead 60", "max_sellers": "--max-sellers 2",
    "own": "--own have.csv", "avl": "--avl approved.csv", "fx": "--fx rates.csv", "policy": "--policy policy.toml",
    "set_": "--set energy.pue=1.3", "pue": "--pue 1.3", "as_of": "--as-of 2026-11-24", "catalog": "--catalog mine",
    "measured": "--measured runs.csv", "batch": "--batch rows.csv", "calibrate": "--calibrate runs.csv",
    "point": "--point p3", "customer": '--customer "Example University"', "profile": "--profile company.toml",
    "currency": "--currency CNY", "terms": "--terms terms.toml", "orders": "--orders orders",
    "time_limit": "--time-limit 60", "points": "--points points.csv", "declared": "--declared declared.csv",
    "ceiling": "--ceiling 300000", "above": "--above 15%", "max_bidders": "--max-bidders 2",
    "seller": "--seller Nordlicht", "model_config": "--model-config config.json", "n": "--n 8", "nodes": "--nodes 2",
}  # fmt: skip
"""How an important option is typed, by its parameter, where its words do not say it."""
PLACEHOLDERS = {
    "model": "MODEL", "gpu": "GPU", "budget": "MONEY", "ceiling": "MONEY", "catalog": "FOLDER",
    "calibration": "FOLDER", "orders": "FOLDER", "vendor": "NAME", "no_vendor": "NAME", "include": "PART",
    "exclude": "PART", "seller": "NAME", "buyer": "NAME", "customer": "NAME", "date": "DAY", "as_of": "DAY",
    "until": "DAY", "lang": "LANGUAGE", "set_": "KEY=VALUE", "origin": "COUNTRY", "no_origin": "COUNTRY",
}  # fmt: skip
OF_KIND = {"path": "FILE", "int": "N", "float": "NUMBER"}


def page_width() -> int:
    """Cells of a line: the terminal's, 80 in a pipe."""
    return max(20, min(shutil.get_terminal_size((80, 24)).columns, WIDEST))


def page(command: Any, ctx: Any) -> str:
    """All of `--help`."""
    width, _ = page_width(), language()
    prose, examples = parted(command.help or command.short_help or "")
    lines = usage(command, ctx).splitlines()
    for text in prose:
        lines += ["", *_indented(_.sentence(text), 2, width)]
    for heading, records in _sections(command, ctx):
        lines += ["", f"{_(heading)}{_.colon.rstrip()}", *_records(records, width)]
    if examples:
        lines += ["", f"{_('Examples')}{_.colon.rstrip()}"]
        for text in examples:
            lines += _typed(text, width)
    # Headings, and values that may not be divided, can be wider than a narrow screen.
    return wrapped("\n".join(lines).replace(UNBROKEN, " "), width) + "\n"


def usage(command: Any, ctx: Any) -> str:
    """The line that says how the command is called."""
    _ = language()
    head = f"{_('Usage')}{_.colon}"
    pieces = [piece.strip("{}").replace("}...", "...").upper() for piece in command.collect_usage_pieces(ctx)]
    return wrapped(" ".join([head + ctx.command_path, *pieces]), page_width())


def parted(text: str) -> tuple[list[str], list[str]]:
    """(paragraphs of prose, commands to type) of a command's help."""
    prose, examples = list[str](), list[str]()
    for paragraph in text.replace("\b", "").split("\n\n"):
        lines = [x.strip() for x in paragraph.strip().splitlines()]
        if lines and lines[0].startswith("Example"):
            first = lines[0].partition(":")[2].strip()
            lines = ([first] if first else []) + lines[1:]
        if lines and f"{lines[0]} ".startswith("dsopt "):
            examples += lines
        elif lines:
            prose.append(" ".join(lines))
    return prose, examples


def _sections(command: Any, ctx: Any) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """(heading, (name, words) of each) in the order in which they are printed; empty ones are left out."""
    first = MOST_USED.get(command.name or "", ())
    grouped: dict[str, list[Any]] = {ARGUMENTS: [], FIRST: [], **{group: [] for group in GROUPS}, "Options": []}
    commands = getattr(command, "commands", None)
    for param in command.get_params(ctx):
        if getattr(param, "hidden", False):
            continue
        if commands is not None or param.name == "help":
            heading = "Options"
        elif param.param_type_name == "argument":
            heading = ARGUMENTS
        elif param.name in first:
            heading = FIRST
        else:
            heading = getattr(param, "rich_help_panel", None) or GROUP_OF.get(param.name, ASK)
        grouped[heading].append(param)
    grouped[FIRST].sort(key=lambda param: first.index(param.name))
    if commands is not None:
        yield "Commands", [(name, language()(_short(inner))) for name, inner in commands.items()]
    yield from ((heading, [_record(x) for x in params]) for heading, params in grouped.items() if params)


def _short(command: Any) -> str:
    """A command in the list of its group."""
    if command.short_help:
        return str(command.short_help)
    prose, _ = parted(command.help or "")
    return prose[0] if prose else ""


def _record(param: Any) -> tuple[str, str]:
    """(name, words) of an option or argument."""
    _ = language()
    if param.param_type_name == "argument":
        return param.name.upper(), _(param.help or "")
    names = ", ".join(sorted(param.opts, key=len))
    flag = param.is_flag or param.count
    name = names if flag else f"{names} {_placeholder(param)}"
    asides = [_("e.g. {typed}", typed=EXAMPLES[param.name].replace(" ", UNBROKEN))] if param.name in EXAMPLES else []
    if param.envvar:
        asides.append(_("or {variable} in the environment", variable=param.envvar))
    default = param.default
    if not flag and isinstance(default, str | int | float) and default != "" and not isinstance(default, bool):
        asides.append(_("default: {value}").replace("{value}", str(default)))  # a word to type stays what it is
    words, aside = _(param.help or ""), _.semicolon.join(asides)
    if not aside:
        return name, words
    return name, f"{words}（{aside}）" if _.chinese else f"{words} [{aside}]"


def _placeholder(param: Any) -> str:
    """What stands for the value."""
    described = getattr(param, "type_descriptor", None)  # typer's own; click's `type` in releases before it had one
    kind = str(described.annotation if described else param.type).lower()
    named = PLACEHOLDERS.get(param.name) or next((x for word, x in OF_KIND.items() if word in kind), "TEXT")
    return f"{named}..." if param.multiple else named


def _records(records: Sequence[tuple[str, str]], width: int) -> Iterator[str]:
    """Names and words in two columns; below NARROW cells the words stand under the name."""
    from rich.cells import cell_len

    column = min(max(cell_len(name) for name, _ in records), NAMES) + 4
    if width < NARROW:
        column = 4
    for name, words in records:
        text = _indented(words, column, width) if words else []
        if text and cell_len(name) + 4 <= column:
            head = "  " + name + " " * (column - cell_len(name) - 2)
            yield head + text[0].lstrip()
            yield from text[1:]
        else:
            yield from [*_indented(name, 2, width), *text]


def _indented(text: str, by: int, width: int) -> list[str]:
    return [" " * by + line for line in wrapped(text, max(width - by, 10)).splitlines()]


def _typed(text: str, width: int) -> Iterable[str]:
    """A command to type, broken before an option where it is too long, so that it can be copied whole."""
    from rich.cells import cell_len

    break_at, lines, now = " \\", list[str](), ""
    for word in _words(text):
        indent = "      " if lines else "  "
        if now and cell_len(indent + now + " " + word) > width - len(break_at):
            lines.append(indent + now + break_at)
            now = word
        else:
            now += " " * bool(now) + word
    return [*lines, ("      " if lines else "  ") + now]


def _words(text: str) -> list[str]:
    """The words of a command, an option with its value as one of them."""
    found = list[str]()
    quoted = False
    for word in text.split(" "):
        value = bool(found) and found[-1].startswith("-") and " " not in found[-1] and not word.startswith("-")
        if quoted or value:
            found[-1] += " " + word
        else:
            found.append(word)
        quoted ^= word.count('"') % 2 == 1
    return found


def asked_language(arguments: Sequence[str]) -> str:
    """The language in which to speak before the command line is read: of --lang, wherever it stands, of DSOPT_LANG, of
    the system. English where it is none that we speak: reading the line will say so."""
    from optimizer.text.languages import default_language

    named = os.environ.get("DSOPT_LANG") or default_language()
    for place, word in enumerate(arguments):
        if word == "--lang" and place + 1 < len(arguments):
            named = arguments[place + 1]
        elif word.startswith("--lang="):
            named = word.partition("=")[2]
    return named if named in ("en", "zh") else "en"
