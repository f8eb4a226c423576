"""The branch of `dsopt check` for a vendor's file: options into a request, the X-ray, and the files it writes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from optimizer.cli.output import emit_json, free, note, save

if TYPE_CHECKING:
    from optimizer.procurement.reading.document import Quote

BUILD_FILES = (".toml", ".json")
WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
"""First bytes of .xlsx and .xls, whatever the file's name."""


@dataclass(frozen=True)
class Options:
    """Options of `check` that only a vendor's file takes, by the name that they are typed with."""

    given: dict[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.given[name]

    @property
    def names(self) -> list[str]:
        """Names of their parameters."""
        return ["map_" if x == "map" else x for x in self.given]


def is_vendor_file(path: Path) -> bool:
    """Whether a file is a vendor's table and no build.toml or result.json."""
    if path.suffix.lower() not in BUILD_FILES:
        return True
    try:
        with path.open("rb") as f:
            return f.read(4) in WORKBOOKS
    except OSError:
        return False


def xray_file(
    path: Path, options: Options, *, model: str | None, model_config: Path | None, catalog: list[Path],
    set_: list[str], as_of: str | None, measured: Path | None, calibration: Path | None,
    time_limit: float | None, json: bool,
) -> None:  # fmt: skip
    """Reads, X-rays, writes and prints; exit 5 when a rule fails or an amount is wrong."""
    from catalogs.load import load
    from catalogs.visible import visible
    from constraints.policy import Policy, tax_percent
    from optimizer.cli import parse
    from optimizer.library import read_quote, xray
    from optimizer.search.clock import Clock, interruptible
    from optimizer.text.languages import chosen as language

    _ = language()
    output, review, map_ = options["output"], options["review"], options["map"]
    kind = _kind(output)
    for target in (output, review):
        if target is not None:
            free(target, options["force"])
    if map_ is not None and not map_.exists():
        free(map_, False)
    parts = load(catalog)
    named = parse.model(model, model_config)
    chosen = Policy().with_settings([*set_, *_limit("above", options["above"])])
    by = parse.calibration(calibration, measured, parts, chosen)
    for text in by.notes:
        note(_("note: {what}", what=_.sentence(text)))
    replayed = map_ if map_ is not None and map_.exists() else None
    quote = read_quote(
        path, catalog=parts, mapping=replayed, accept_fuzzy=options["accept_fuzzy"], term=options["term"]
    )
    _of_the_file(quote, options)
    if map_ is not None and replayed is None:
        from optimizer.procurement.reading.mapping import write_mapping
        from optimizer.procurement.reading.review import suggestions

        write_mapping(map_, quote.mapping, suggestions(quote))
        note(_("{file}: how the file was read; edit it and give it again", file=map_))
    if review is not None:
        from optimizer.procurement.reading.review import write_review

        write_review(review, [quote])
        note(_("{file}: {n} lines that need a look", file=review, n=len(quote.open_lines)))
    request = _request(quote.currency, options, named, as_of)
    if not json:
        from optimizer.cli.understood import show_understood
        from optimizer.request.command import Typed

        more = {name: options[name] for name in ("rate", "tax", "map", "accept_fuzzy", "term", "quick")}
        typed = Typed.of(model_config=model_config, catalog=catalog, measured=measured, by=calibration, more=more)
        show_understood(parts, request, chosen, typed=typed)
    rate = _rate(options["rate"])
    tax = tax_percent(options["tax"]) if options["tax"] else None
    with interruptible(clock := Clock(parse.time_limit(time_limit))):
        found = xray(
            quote, request, catalog=parts, policy=chosen, calibration=by, usd_per_unit=rate, tax_rate=tax,
            search=not options["quick"], clock=clock,
        )  # fmt: skip
    if output is not None:
        if kind == "json":
            save(output, visible(found.model_dump_json(indent=2)) + "\n", options["force"])
        else:
            from optimizer.procurement.xray.workbook import workbook

            save(output, workbook(found, _), options["force"])
        note(_("{file}: the X-ray of {source}", file=output, source=path.name))
    if json:
        emit_json(found.model_dump(mode="json"))
    else:
        from optimizer.cli.xray_view import show

        show(found)
    if not found.ok:
        raise typer.Exit(5)
    if found.instead is not None and found.instead.proof == "feasible":
        note(_("stopped before the search for other builds was done"))
        raise typer.Exit(6)


def _of_the_file(quote: Quote, options: Options) -> None:
    """Raises BadParameter for options that the file, once it is read, leaves no use for."""
    from constraints.policy import tax_percent
    from optimizer.cli.usage import term_of_none

    if options["term"] is not None:
        term_of_none([options["term"]], [quote])
    rate = _rate(options["rate"])
    if rate not in (None, 1) and quote.currency == "USD":
        raise typer.BadParameter(f"--rate {options['rate']}: the quote is in USD, there is nothing to convert")
    if options["tax"] and quote.tax_rate is not None and tax_percent(options["tax"]) != quote.tax_rate:
        said = f"the quote says {quote.tax_rate.normalize():f} %"
        raise typer.BadParameter(f"--tax {options['tax']} and the file contradict: {said}; leave --tax out")


def _kind(output: Path | None) -> str:
    from catalogs.errors import Fault, InputError

    ending = output.suffix.lower().removeprefix(".") if output is not None else "xlsx"
    if ending not in ("xlsx", "json"):
        raise InputError(
            Fault("bad-format", "is neither .xlsx nor .json", column="--output", value=str(output))
        )  # fmt: skip
    return ending


def _limit(name: str, text: str | None) -> list[str]:
    """The policy setting of a percentage."""
    from catalogs.errors import Fault, InputError
    from optimizer.cli.terms import PERCENT

    if text is None:
        return []
    if not PERCENT.fullmatch(text.strip()):
        raise InputError(
            Fault("bad-percent", "is no percentage", column=f"--{name}", value=text, remedy="For example 15%.")
        )
    return [f"xray.{name}_percent={text.strip().removesuffix('%')}"]


def _rate(text: str | None) -> Fraction | None:
    """USD per unit of the quote's currency, exact: `1.24`, or as it is quoted, `7.00/USD`, `7.00 CNY/USD`."""
    from catalogs.errors import Fault, InputError

    if text is None:
        return None
    number = re.fullmatch(r"(\d{1,7}(?:\.\d{1,12})?)(\s*(?:[A-Z]{3}\s*)?/\s*USD)?", text.strip().upper(), re.ASCII)
    rate = Fraction(number[1]) if number else Fraction(0)
    if rate and number and number[2]:
        rate = 1 / rate
    if not 0 < rate <= 10**6:
        remedy = "USD for one unit of the quote's currency, for example 1.24; or units for one USD, 7.00/USD."
        raise InputError(Fault("bad-rate", "is no exchange rate", column="--rate", value=text, remedy=remedy))
    return rate


def _request(currency: str, options: Options, model: str, as_of: str | None) -> Any:
    """The request that the quote is held against, in the quote's currency where the catalog knows it."""
    from catalogs.errors import InputError
    from optimizer.cli import parse
    from optimizer.cli.usage import too_coarse
    from optimizer.request import texts
    from optimizer.text.money import CURRENCIES, currency_code

    named = options["currency"]
    code = currency_code(named) if named is not None else currency if currency in CURRENCIES else "USD"
    condition = options["condition"] or "new"
    words = ["new", "refurbished", "used"] if condition == "any" else [c.strip() for c in condition.split(",")]
    bits = (options["min_precision"] or "").lower().removesuffix("bit").removesuffix("-")
    if bits and bits not in ("4", "8", "16"):
        raise InputError(f"--min-precision {bits!r} is none of 4bit, 8bit, 16bit", "bad-precision")
    too_coarse(options["precision"], int(bits) if bits else None)
    workload = options["workload"] or "chat"
    return texts.request(
        model=model,
        as_of=texts.day(as_of),
        currency=code,
        **texts.lengths(workload, options["isl"], options["osl"]),
        **texts.of_workload(workload, {"users": options["users"], "min_tok_s_user": options["min_tok_s_user"]}, {}),
        precision=options["precision"],
        min_precision_bits=int(bits) if bits else None,
        offload=bool(options["offload"]),
        allow_experimental=bool(options["allow_experimental"]),
        site_water=bool(options["site_water"]),
        circuit=parse.circuit(options["circuit"]) if options["circuit"] else None,
        have=frozenset(w.strip().casefold() for w in (options["have"] or "").split(",") if w.strip()),
        conditions=frozenset(words),
    )
