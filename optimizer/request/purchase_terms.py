"""Terms of purchase as they are typed or kept in files: parts in hand, spares, support by category, exchange rates."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from catalogs.errors import Fault, Faults, InputError
from catalogs.gpu_names import part_named
from catalogs.inputs import LIST_BYTES, MOST_COLUMNS, read_text
from catalogs.load import Catalog
from catalogs.nearest import nearest
from catalogs.offers import MOST_PIECES
from catalogs.other_file import OWNED, PERCENTAGES, RATES, FileKind, expecting
from catalogs.refused_value import in_words
from catalogs.schema import Kind
from constraints.exchange import ExchangeRate, FxRate
from constraints.policy import table
from constraints.request import Owned, Spare, SupportRate
from optimizer.text.csv_table import too_wide

M = TypeVar("M", bound=BaseModel)
ROWS = 100_000
BEYOND = "\0"
"""Key of the cells that a row has beyond its columns."""
RATE_COLUMNS = ("currency", "date", "source")
PERCENT = re.compile(r"\d{1,3}(\.\d{1,6})?%?", re.ASCII)


def own(path: Path, catalog: Catalog) -> tuple[Owned, ...]:
    """Columns part, qty: names as `--include` takes them; a part named twice counts together."""
    pieces: dict[str, int] = {}
    faults = Faults()
    rows = _rows(path, ("part", "qty"), OWNED)
    for place, (number, row) in enumerate(rows):
        if faults.full:
            faults.unread = len(rows) - place
            break
        qty = int(row["qty"]) if re.fullmatch(r"\d{1,6}", row["qty"], re.ASCII) else 0
        if not 1 <= qty <= MOST_PIECES:
            faults.append(
                Fault(
                    "bad-quantity",
                    f"needs a whole number from 1 to {MOST_PIECES}",
                    str(path),
                    number,
                    "qty",
                    row["qty"],
                )
            )
        try:
            part = part_named(row["part"], catalog).id
        except InputError as e:
            faults += [Fault(f.code, f.text, str(path), number, "part", row["part"], f.remedy) for f in e.faults]
            continue
        pieces[part] = min(MOST_PIECES, pieces.get(part, 0) + qty)
    if faults:
        raise InputError(faults)
    return tuple(Owned(part=p, qty=q) for p, q in sorted(pieces.items()))


def spares(texts: list[str]) -> tuple[Spare, ...]:
    """`5%`, `gpu=1/16`, `drive=4%`, `table` or a CSV of category,percent; later ones win."""
    out: dict[str, Spare] = {}
    for text in texts:
        if percent_of(text) is not None:
            named = {r["category"]: text for r in table("spares") if r["with_option"] == "yes"}
        elif text == "table":
            named = {r["category"]: r["percent"] for r in table("spares")}
        elif "=" in text:
            category, _, share = text.partition("=")
            named = {category.strip(): share}
        elif text.strip().endswith("%"):
            remedy = "A percentage from 0% to 100%."
            raise InputError(Fault("bad-spares", "is out of range", column="--spares", value=text, remedy=remedy))
        else:
            _no_misspelt_table(text, "--spares")
            named = {r["category"]: r["percent"] for _, r in _rows(Path(text), ("category", "percent"), PERCENTAGES)}
        for category, share in named.items():
            if spare := _spare(category, share.strip(), text):
                out[category] = spare
            else:
                out.pop(category, None)
    return tuple(s for _, s in sorted(out.items()))


def _spare(category: str, share: str, text: str) -> Spare | None:
    """None for 0 %."""
    top, _, per = share.partition("/")
    try:
        kind = Kind(category)
        if per:
            return Spare(category=kind, pieces=int(top), per=int(per))
        if (percent := percent_of(share)) is None:
            raise ValueError
        pieces, of = (percent / 100).as_integer_ratio()
        return Spare(category=kind, pieces=pieces, per=of) if pieces else None
    except ValueError:
        kinds = [kind.value for kind in Kind]
        near = f"Nearest: {found}. " if category not in kinds and (found := nearest(category, kinds)) else ""
        remedy = f"{near}For example 5%, gpu=1/16, table. Categories: {', '.join(kinds)}."
        value = text if category in text else f"{category}={share}"
        raise InputError(
            Fault("bad-spares", "names no category and share", column="--spares", value=value, remedy=remedy)
        ) from None


def _no_misspelt_table(text: str, option: str) -> None:
    """Raises InputError for a word that is nearly `table` and names no file."""
    if nearest(text, ("table",)) and not Path(text).exists():
        fault = Fault("no-file", "is no file and no percentage", column=option, value=text, remedy="Nearest: table.")
        raise InputError(fault)


def percent_of(text: str) -> Decimal | None:
    """The percentage that a text is; None where it is none, and may name a file."""
    plain = text.strip()
    return Decimal(plain.removesuffix("%")) if PERCENT.fullmatch(plain) else None


def support(text: str | None) -> tuple[Decimal | None, tuple[SupportRate, ...]]:
    """(percent of all lines, None when by category; rates by category): `10%`, `table` or a CSV of category,percent."""
    if text is None:
        return None, ()
    percent = percent_of(text)
    if percent is not None and percent <= 100:
        return percent, ()
    if percent is not None or text.strip().endswith("%"):
        fault = Fault("bad-support", "needs a percentage from 0 to 100", column="--support", value=text)
        raise InputError(fault)
    if text == "table":
        shipped = ({"category": r["category"], "percent": r["percent"]} for r in table("support"))
        return None, tuple(SupportRate.model_validate(r) for r in shipped)
    _no_misspelt_table(text, "--support")
    path = Path(text)
    return None, _models(
        SupportRate, path, _rows(path, ("category", "percent"), PERCENTAGES), "category", "bad-support"
    )


def fx(path: Path) -> tuple[FxRate, ...]:
    """Columns currency, usd_per_unit or units_per_usd, date, source; currencies left out keep the rates of
    constraints/data/fx.csv."""
    return _models(FxRate, path, _rows(path, RATE_COLUMNS, RATES), "currency", "bad-fx")


def rates(path: Path) -> tuple[ExchangeRate, ...]:
    """As `fx`, for any currency by its three letters."""
    return _models(ExchangeRate, path, _rows(path, RATE_COLUMNS, RATES), "currency", "bad-fx")


def _models(cls: type[M], path: Path, rows: list[tuple[int, dict[str, str]]], key: str, code: str) -> tuple[M, ...]:
    out: dict[str, M] = {}
    faults = Faults()
    for number, row in rows:
        try:
            item = cls.model_validate({k: v for k, v in row.items() if k in cls.model_fields})
        except ValidationError as e:
            faults += [
                Fault(code, in_words(x), str(path), number, str(x["loc"][0]), str(x["input"])[:60])
                if x["loc"]
                else Fault(code, in_words(x), str(path), number)
                for x in e.errors(include_url=False)
            ]
            continue
        if row[key] in out:
            faults.append(Fault(code, "is given twice", str(path), number, key, row[key], "Leave one of them."))
        out[row[key]] = item
    if faults:
        raise InputError(faults)
    return tuple(out.values())


def _rows(path: Path, columns: tuple[str, ...], kind: FileKind) -> list[tuple[int, dict[str, str]]]:
    """(row number, cells) of a CSV with at least these columns; raises InputError for what is none, and for a file that
    is none of its kind."""
    with expecting(path, kind):
        return _rows_with(path, columns)


def _rows_with(path: Path, columns: tuple[str, ...]) -> list[tuple[int, dict[str, str]]]:
    text = read_text(path, LIST_BYTES, remedy="Save it as CSV UTF-8.")
    reader = csv.DictReader(io.StringIO(text, newline=""), restkey=BEYOND)
    try:
        if len(reader.fieldnames or ()) > MOST_COLUMNS:
            raise InputError(Fault("too-large", f"has more than {MOST_COLUMNS} columns", str(path)))
        lines: list[Mapping[str, Any]] = list(islice(reader, ROWS + 1))
    except csv.Error as e:
        raise InputError(Fault("bad-csv", f"is no CSV: {e}", str(path), reader.line_num)) from None
    missing = [column for column in columns if not lines or column not in lines[0]]
    if missing:
        raise InputError(
            Fault("missing-column", f"needs a header with {', '.join(columns)}, and rows", str(path), 1, missing[0])
        )
    if len(lines) > ROWS:
        raise InputError(Fault("too-large", f"has more than {ROWS} rows", str(path)))
    wide = [(i, row, row.get(BEYOND) or []) for i, row in enumerate(lines, 2)]
    width = len([k for k in lines[0] if k != BEYOND])
    if faults := [too_wide(width + len(x), width, str(path), i) for i, _, x in wide if any(y.strip() for y in x)]:
        raise InputError(faults)
    return [(i, {k: str(v or "").strip() for k, v in row.items() if k and k != BEYOND}) for i, row, _ in wide]
