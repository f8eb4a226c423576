"""`dsopt award`: who gets the order, one bidder for all or the cheapest split."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from optimizer.cli.compare_cmd import OF_THE_FILES, OF_THE_TENDER, compared_bids
from optimizer.cli.options import (
    CALIBRATION,
    CATALOG,
    FORCE,
    JSON,
    LANGUAGE,
    MEASURED,
    SET,
    Values,
    argument,
    taking,
)
from optimizer.cli.output import emit_json, free, free_folder, known_language, note, save, speak
from optimizer.request.entry import ANSWER, TERMS, Option

if TYPE_CHECKING:
    from optimizer.procurement.award.orders import PurchaseOrder
    from optimizer.procurement.award.schema import Award, How
    from optimizer.procurement.award.terms import AwardTerms
    from optimizer.procurement.bids.schema import Comparison

HELP = """Examples:

  dsopt award a.xlsx b.xlsx c.csv --model v3-671b --users 32

  dsopt award a.xlsx b.xlsx c.csv --model v3-671b --users 32 --lines --terms terms.toml -o award.xlsx --orders orders/

  dsopt award a.xlsx b.csv --model v3-671b --lots --terms lots.toml --max-bidders 2 --lang zh -o 定标.xlsx

The cheapest award under the bidders' terms, proven: one bidder for all, or the split by line or lot, with minimum
orders, rebates by amount, freight, sets that stay together. Bids are compared as by `dsopt compare`. Exit 4 where
nothing can be awarded."""
OF_RANKS = ("weights", "scoring", "points", "declared", "low_price", "ceiling", "fill")
"""Options of a comparison that an award has not: it asks for prices alone, and a line that is missing stays so."""
NO_FRONT_S = 0.01
"""Seconds for the proven front of each bid: an award does not ask for it."""
OPTIONS = (
    Option("lines", "Split by line; the machine itself stays with one bidder.", bool, False, ("--lines",), group=TERMS),
    Option("lots", "Split by the lots that --terms names.", bool, False, ("--lots",), group=TERMS),
    Option("terms", "TOML file of terms: minimum orders, rebates, freight, sets, lots.", Path, group=TERMS),
    Option("max_bidders", "Maximum number of bidders that get an order.", int, group=TERMS, least=1, most=12),
    *OF_THE_TENDER,
    *OF_THE_FILES,
    CATALOG,
    replace(SET, help="Set one policy value: compare.outlier_percent=15."),
    CALIBRATION,
    MEASURED,
    Option("time_limit", "Time limit for the award, its conditions and break-even prices, seconds.", float, 60,
           group=ANSWER, least=0.1, most=3600),
    replace(LANGUAGE, help="Language: en or zh, of the terminal too; both: in the files."),
    JSON,
    Option("output", "File to write: a workbook (.xlsx) or .json.", Path, None, ("-o", "--output"), group=ANSWER),
    Option("orders", "Folder for a purchase order per bidder: xlsx, UBL 2.1, CSV for Odoo and ERPNext.", Path,
           group=ANSWER),
    Option("number", "Number of the orders; the letter of the bid is added. [default: PO-DATE]", group=ANSWER),
    Option("buyer", "Name of the buyer in the orders.", default="", group=ANSWER),
    FORCE,
)  # fmt: skip


@taking(OPTIONS, argument("files", list[Path], "Bids (.xlsx, .csv, ...), at least two."))
def award(ctx: typer.Context, files: list[Path], **values: Any) -> None:
    """See HELP."""
    from catalogs.load import load
    from constraints.policy import Policy
    from optimizer.cli import award_view, parse
    from optimizer.library import award as run
    from optimizer.library import purchase_orders, read_bids
    from optimizer.search.clock import TimeUp
    from optimizer.text.languages import Words, chosen

    _refuse_unused(ctx, files, values)
    if values["lang"] in ("en", "zh"):
        speak(values["lang"])
    words = Words(values["lang"]) if values["lang"] else chosen()
    how, terms = _how(values), _terms(values)
    parts, policy = load(values["catalog"]), Policy().with_settings(values["set_"])
    calibration = parse.calibration(values["calibration"], values["measured"], parts, policy)
    read = read_bids(
        files, catalog=parts, calibration=calibration, maps=values["map_"], accept_fuzzy=values["accept_fuzzy"],
        terms=values["term"],
    )  # fmt: skip
    asked = {**values, **dict.fromkeys(OF_RANKS), "time_limit": NO_FRONT_S}
    comparison: Comparison = compared_bids(ctx, read, asked, parts, policy, calibration)
    try:
        found = run(
            comparison, terms, how, catalog=parts, policy=policy, calibration=calibration,
            time_limit_s=values["time_limit"],
        )  # fmt: skip
    except TimeUp:
        note(chosen()("no award was proven in {s} s; give it more with --time-limit", s=f"{values['time_limit']:g}"))
        raise typer.Exit(6) from None
    orders = purchase_orders(found, comparison, values["number"] or "", values["buyer"])
    if values["json"]:
        emit_json(found.model_dump(mode="json", by_alias=True))
    else:
        award_view.show(found, chosen())
    _write(found, orders, words, values)


def _refuse_unused(ctx: typer.Context, files: list[Path], values: Values) -> None:
    """Raises BadParameter or InputError for options that contradict each other; tries what is to be written."""
    from catalogs.errors import Fault, InputError
    from optimizer.cli.usage import refuse, together
    from optimizer.text.languages import LANGUAGES

    lang, output = values["lang"], values["output"]
    known_language(lang, LANGUAGES)
    together(ctx, "model", "model_config")
    together(ctx, "lines", "lots")
    if not (values["lines"] or values["lots"]):
        refuse(ctx, "is of a split: give --lines or --lots", "max_bidders")
    if len(files) < 2:
        raise InputError(Fault("bad-bids", "one bid is no choice", column="FILES", remedy="Give two at least."))
    if output is None and values["orders"] is None:
        refuse(ctx, "is of -o and --orders", "force")
    if values["orders"] is None:
        refuse(ctx, "is of --orders", "number", "buyer")
    if output is not None:
        free(output, values["force"])
        if output.suffix.lower() not in (".xlsx", ".json"):
            remedy = "Name a .xlsx or a .json."
            raise InputError(Fault("bad-format", "is no format of an award", str(output), remedy=remedy))
    if values["orders"] is not None:
        free_folder(values["orders"], ["odoo.csv"], values["force"], "Give --force to overwrite orders.")


def _how(values: Values) -> How:
    return "lots" if values["lots"] else "lines" if values["lines"] else "one"


def _terms(values: Values) -> AwardTerms:
    """The terms of the file; what is typed wins."""
    from optimizer.library import read_award_terms
    from optimizer.procurement.award.terms import AwardTerms

    terms = read_award_terms(values["terms"]) if values["terms"] is not None else AwardTerms()
    most = values["max_bidders"]
    return terms if most is None else terms.model_copy(update={"max_bidders": most})


def _write(found: Award, orders: list[PurchaseOrder], words: Any, values: Values) -> None:
    """The award's own file, and the folder of orders."""
    from catalogs.files import write_bytes, written_json
    from optimizer.procurement.award.workbook import order_workbook, workbook

    output, folder = values["output"], values["orders"]
    if output is not None:
        as_json = output.suffix.lower() == ".json"
        text = written_json(found.model_dump(mode="json", by_alias=True)) + "\n"
        save(output, text.encode() if as_json else workbook(found, words), values["force"])
        note(str(output))
    if folder is None:
        return
    from optimizer.procurement.award.order_files import as_erpnext, as_odoo, as_ubl

    folder.mkdir(parents=True, exist_ok=True)
    files = {f"{order.number}.xlsx": order_workbook(order, words) for order in orders}
    files |= {f"{order.number}.xml": as_ubl(order) for order in orders}
    files |= {"odoo.csv": as_odoo(orders), "erpnext.csv": as_erpnext(orders)}
    for name, content in files.items():
        write_bytes(folder / name, content, force=values["force"])
    note(str(folder))
