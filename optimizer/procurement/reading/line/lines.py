"""Raw lines -> lines: matched against the catalog, counted, priced, what contradicts itself told."""

from __future__ import annotations

import re
from typing import Any

from catalogs.message import message
from catalogs.schema import Kind
from optimizer.procurement.reading import row_words
from optimizer.procurement.reading.counts import count_words
from optimizer.procurement.reading.document import Line, Match
from optimizer.procurement.reading.line.amounts import Numbers
from optimizer.procurement.reading.line.contradictions import condition, other_figure, other_size
from optimizer.procurement.reading.line.line_prices import Basis, doubts, priced
from optimizer.procurement.reading.line.match import is_service, match
from optimizer.procurement.reading.line.names import SEVERAL, Index, branded
from optimizer.procurement.reading.line.quantities import counted
from optimizer.procurement.reading.line.trouble import Trouble
from optimizer.procurement.reading.line.whole_servers import Server, contents, whole_server
from optimizer.procurement.reading.row_words import folded
from optimizer.procurement.reading.spans import is_bare, lead_text
from optimizer.procurement.reading.table.headers import NAMING
from optimizer.procurement.reading.table.rows import Raw

IGNORE, SERVICE = "ignore", "service"
BY_WORDS = ("contained", "specification", "normalised", "alias")
GENERATIONS = ("mem_gen", "mts", "dimm_type", "pcie_gen", "media", "tier", "generation")
"""What a text may say against the part that it names, beside sizes, cores and rates."""
CONTRADICTED = "its words name a part and contradict it"


def line(
    raw: Raw, found: Numbers, index: Index, basis: Basis, overrides: dict[str, str], *, accept_fuzzy: bool
) -> Line | None:
    """One line; None where the mapping ignores it."""
    trouble = Trouble(raw.row, found.issues)
    part_number = raw.text("part_number")
    texts = tuple(dict.fromkeys(t for f in ("name", "description") if (t := raw.text(f))))
    shown = " ".join([*(texts or (part_number,)), *raw.more])
    # Only the text that names the thing counts pieces: `8×H20` behind a board's number says what is on it.
    named = [t for t in (part_number, *texts) if t]
    server = _server(raw, texts, index, overrides)
    in_text, first = count_words(named[0]) if named and server is None else (None, named[0] if named else "")
    if in_text and row_words.has("machine", first) and re.match(r"\d+\s*(?:卡|gpu)", folded(named[0])):
        in_text = None  # `8卡 H20 服务器` says what is in a server
    part_number, *plain = [first if named and t == named[0] else t for t in (part_number, *texts)]
    matched: Match | None
    role: Any
    matched, role = (
        (_of_chassis(server, index, part_number), "part")
        if server
        else _matched(index, part_number, tuple(plain), raw, overrides, accept_fuzzy, trouble)
    )
    if matched is None:
        return None
    count = counted(raw, found, in_text, shown, index.gpus_on(matched.part), trouble)
    price = priced(raw, found, count, basis, trouble)
    doubts(raw, found, count, price, role, trouble)
    state = raw.text("condition")
    if matched.part and role == "part" and server is None:
        whole_text = " ".join((raw.text("part_number"), shown))
        state = _contradicted(index, matched.part, whole_text, raw, count.pieces, trouble)
        if trouble.has("size-conflict", "figure-conflict") and matched.how in BY_WORDS and not _numbered(index, raw):
            # The words that name the part say of it what it is not: they name another one.
            matched = Match(candidates=(matched.part,), reason=CONTRADICTED)
    of_qty = raw.columns.get("qty")
    per_node = of_qty is not None and of_qty.per == "node" and "sets" not in raw.cells
    if raw.hidden:
        trouble.add("hidden-row", "warning", "stands in a hidden row")
    if raw.grouped:
        trouble.add("price-of-group", "note", "priced together with the line above in one merged cell")
    lead_time = _lead_time(raw, trouble)
    return Line(
        row=raw.row, role=role, text=shown, part_number=raw.text("part_number"), name=raw.text("name"),
        brand=raw.text("brand"), section=raw.section, qty=count.qty, unit=count.unit, pack=count.pack,
        priced_per_pack=count.per_pack, pieces=count.pieces, unit_price=price.unit_price,
        list_price=price.list_price, discount=found.values.get("discount"), line_total=price.total,
        currency=price.currency, tax=price.tax, total_tax=price.total_tax, tax_rate=price.tax_rate,
        on_request=found.said == "asked", lead_time=lead_time or raw.text("stock"),
        stock=raw.text("stock"), min_order=raw.text("min_qty"), price_breaks=raw.text("breaks"), gtin=raw.text("gtin"),
        valid_until=raw.text("valid_until"), condition=state, warranty=raw.text("warranty"),
        origin=raw.text("origin"), note=raw.text("note"), optional=raw.optional, per_node=per_node,
        included=price.included, hidden=raw.hidden, matched=matched, issues=tuple(trouble.issues),
        contents=contents(server, raw.row) if server else (),
    )  # fmt: skip


def _lead_time(raw: Raw, trouble: Trouble) -> str:
    """What its column says of the delivery, with the unit of the column's header; a number without a unit is told."""
    column = raw.columns.get("lead_time")
    said = lead_text(raw.text("lead_time"), column.header if column else "")
    if is_bare(said):
        text = message("lead time {n} without a unit: days, weeks or months; taken as unknown", n=said.strip())
        trouble.add("lead-time-unit", "warning", text)
    return said


def _mapped(raw: Raw, overrides: dict[str, str]) -> str | None:
    """What a mapping says of a line; None where it says nothing."""
    keys = [folded(key) for key in (raw.text("part_number"), *(raw.text(name) for name in NAMING[1:])) if key]
    return next((overrides[key] for key in keys if key in overrides), None)


def _server(raw: Raw, texts: tuple[str, ...], index: Index, overrides: dict[str, str]) -> Server | None:
    """The server that the line's cells describe, in the chassis that a mapping gives it; None where it is a part, also
    by the mapping."""
    given = _mapped(raw, overrides)
    if given is not None and (given not in index.parts or index.parts[given].kind is not Kind.PLATFORM):
        return None
    server = whole_server((*texts, *raw.more), index)
    if server is not None and given is not None:
        server.chassis = Match(how="mapped", part=given, score=100)
    return server


def _of_chassis(server: Server, index: Index, part_number: str) -> Match:
    """The chassis of a server, by its number where its text names none."""
    named = index.whole(part_number) if part_number else Match()
    is_chassis = named.part is not None and index.parts[named.part].kind is Kind.PLATFORM
    return named if server.chassis.part is None and is_chassis else server.chassis


def _numbered(index: Index, raw: Raw) -> bool:
    """Whether a part number names the part, whatever the words beside it say."""
    number = raw.text("part_number")
    return bool(number) and index.whole(number).part is not None


def _matched(
    index: Index,
    part_number: str,
    texts: tuple[str, ...],
    raw: Raw,
    overrides: dict[str, str],
    accept: bool,
    trouble: Trouble,
) -> tuple[Match | None, Any]:
    """(match or None to ignore the line, role)."""
    wanted = _mapped(raw, overrides)
    if wanted == IGNORE:
        return None, "part"
    if wanted == SERVICE:
        return Match(how="mapped", reason="mapping"), "service"
    if wanted is not None:
        return Match(how="mapped", part=wanted, score=100), "part"
    # The manufacturer's name before a bare type is one more way to write it.
    brand = raw.text("brand")
    branded = (
        tuple(f"{brand} {text}" for text in (part_number, *texts) if text)
        if brand and index.begins_a_name(brand)
        else ()
    )
    found, other = match(index, part_number, (*texts, *branded), accept_fuzzy=accept)
    if (service := _as_service(found, part_number, texts, trouble)) is not None:
        return service, "service"
    if other:
        text = message("is {part} by its number, but its text names {other}", part=found.part, other=other)
        trouble.add("part-conflict", "error", text)
    return found, "part"


def _as_service(found: Match, part_number: str, texts: tuple[str, ...], trouble: Trouble) -> Match | None:
    """The match of a line that is work, transport or a licence, with the part that it is for as a candidate; None
    where the line is a part."""
    whole_text = " ".join((part_number, *texts))
    if found.part is None:
        # A text that names several parts and no work on them is a line of parts that nobody could tell apart.
        one_of_several = found.reason == SEVERAL and not _serves(whole_text)
        if not one_of_several and any(is_service(text) for text in (part_number, *texts) if text):
            return Match(reason="service")
        return None
    if found.how not in ("contained", "specification"):
        return None  # it is called by the part's very name
    for_part = Match(candidates=(found.part,), reason="service for a part")
    if is_service(whole_text) and row_words.begins("service", texts[0] if texts else part_number):
        return for_part
    if serves := _serves(whole_text):
        text = message(
            "{words} makes it a service for {part}, not the part itself", words=f"{serves!r}", part=found.part
        )
        trouble.add("service-for-part", "note", text)
        return for_part
    return None


def _contradicted(index: Index, part: str, text: str, raw: Raw, pieces: int | None, trouble: Trouble) -> str:
    """The line's condition, by its column or its words; what the text says against the part becomes trouble."""
    state = raw.text("condition")
    named, own = other_size(index.parts[part], index.catalog, text, pieces)
    if named:
        trouble.add(
            "size-conflict",
            "error",
            message("is {part} of {own} by its name, but its text says {named}", part=part, own=own, named=named),
        )
    if not named and not trouble.has("part-conflict"):
        texts = [raw.text("part_number"), *dict.fromkeys(raw.text(f) for f in ("name", "description"))]
        texts = [text for text in texts if text]
        named, own = other_figure(index.parts[part], index.catalog, texts, pieces)
        if not named:
            named, own = index.fitting.contradicted(index.parts[part], branded(" ".join(texts)), GENERATIONS)
        if named:
            trouble.add(
                "figure-conflict",
                "error",
                message("is {part} of {own}, but its text says {named}", part=part, own=own, named=named),
            )
    said = condition(state) or condition(text) or condition(raw.text("note"))
    if said:
        trouble.add(
            "not-new",
            "warning",
            message("{said}: it is not new, the catalog's price beside it may be of a new one", said=f"{said!r}"),
        )
    return state or said


def _serves(text: str) -> str:
    """The word by which a text that names a part is of a service for it: `DGX H200 3-year support`; blank where the
    service is a clause of its own or comes with the part, and for warranty and licences, which describe parts too."""
    clause = re.split(r"[,;+&/|\n，；、]|\s[-–]\s", re.sub(r"[(（].*?[)）]", " ", text))[0]
    said = "" if row_words.has("comes_with", clause) else row_words.found("service", clause)
    return "" if said and row_words.has("described_with", said) else said
