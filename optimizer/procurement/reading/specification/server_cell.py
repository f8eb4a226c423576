"""A whole server in one cell (`2*至强8558/16*64G/8*H20/4*3.84T NVMe`) -> its items: how many of what."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache

from catalogs.schema import Kind
from optimizer.procurement.reading.row_words import folded
from optimizer.procurement.reading.specification import figures
from optimizer.procurement.reading.specification.grammar import values

PIECES = r"[x×*]|卡|颗|块|条|张|个|片|根|只|枚|基|本|台|st\.?|stk\.?|stück|pcs\.?|pc\.?|ea\.?"
COUNTED = rf"\d{{1,4}}\s*(?:{PIECES})"
LINES = re.compile(r"\s*配置(?:清单|如下)?\s*[:：]\s*|\s*[\n;；、，|•]\s*|,\s+|\s+[/&]\s+|\s+\+\s+")
JOINED = re.compile(
    rf"[,/+](?=\s*{COUNTED}\s*\S)|(?<=[x×*]\d)[,/+]|(?<=[x×*]\d\d)[,/+]"
    r"|/(?=\s*\d{1,4}(?:\.\d+)?\s*[gt]b?\s*(?:内存|ddr|ram|memory|nvme|ssd|固态))"
    rf"|\s+(?:und|and|with|mit|incl\.?|inkl\.?|including|sowie)\s+(?={COUNTED})",
    re.IGNORECASE,
)
SLASHES = re.compile(r"(?<!\d)/|/(?!\d)")
NAMED = re.compile(rf"^(.{{4,60}}?)\s*[:：]\s*(?={COUNTED})", re.IGNORECASE)
LABEL = re.compile(r"^([^\d:：=]{1,16}?)\s*[:：=]\s*(?=\S)")
HEADING = re.compile(
    r"^(?:配置(?:清单|如下)?|规格|configuration|config|spec|konfiguration|bestehend aus|構成|仕様)\s*[:：]?\s*",
    re.IGNORECASE,
)
FIRST = re.compile(rf"^\s*(\d{{1,4}})\s*(?:{PIECES})\s*(?=\S)(.+)$", re.IGNORECASE | re.DOTALL)
NAMED_FIRST = re.compile(r"^\s*(\d{1,4})\s+([^\W\d_]{2,16}\.?\s+(?:je|à|zu|of|mit)\s+.+)$", re.IGNORECASE)
CARDS = re.compile(r"^\s*(\d{1,2})\s*(?:卡|-?gpus?\s)\s*(.+)$", re.IGNORECASE)
LAST = re.compile(rf"^(.+?)\s*(?:[x×*])\s*(\d{{1,4}})\s*(?:{PIECES})?$", re.IGNORECASE | re.DOTALL)
LAST_PIECES = re.compile(
    r"^(.+?)[\s,，(（]+(\d{1,4})\s*(?:颗|块|条|张|个|片|根|只|枚|基|本|pcs\.?|st\.?|stück)[)）]?$", re.IGNORECASE
)
TWO = re.compile(r"^\s*(?:双路|双颗|dual|2p\b|2-way|zwei|デュアル)\s*(.+)$", re.IGNORECASE)
MODULES = re.compile(r"(\d{1,3})\s*[x×*]\s*(\d{1,3}\s*g(?:b|ib)?)(?![a-z0-9])", re.IGNORECASE)
MODULE_COUNT = re.compile(r"(\d{1,2})\s*(?:条|根|枚|x\s*dimms?|dimms?|modules?|module|riegel)", re.IGNORECASE)
WATTS_ALONE = re.compile(
    r"^\d[\d.,]*\s*k?w(?:att)?(?:\s+(?:titanium|platinum|titan|platin|redundant|redundanz|钛金|铂金|白金|冗余))*$"
)
SIZE_ALONE = re.compile(r"^\d{1,4}(?:[.,]\d{1,2})?\s*[gt](?:b|ib)?$", re.IGNORECASE)
KINDS = {kind.value: kind for kind in (Kind.CPU, Kind.MEMORY, Kind.GPU, Kind.DRIVE, Kind.NIC, Kind.PSU)}
MOST_MODULE_GB = 256
MOST_MEMORY_GB = 16_384
LEAST_KINDS = 3
"""Kinds of parts that a text has to count before it is a server and no part with its figures."""


@dataclass(frozen=True)
class Item:
    """So many of what a text says. `kind`: what it is of by a label or its words; None where neither says.
    `total_gb`: a server's memory in all, of which the number of modules is not said (`count` 0)."""

    count: int
    text: str
    kind: Kind | None = None
    total_gb: int = 0


def may_list(text: str) -> bool:
    """Whether a text falls into so many pieces that it may list LEAST_KINDS items; a piece is a name and an item at
    most (`_without_name`)."""
    plain = HEADING.sub("", text.strip())
    pieces = sum(len(JOINED.split(line)) for line in LINES.split(plain))
    return 2 * pieces >= LEAST_KINDS or plain.count("/") >= LEAST_KINDS


@lru_cache(maxsize=2_000)
def items(text: str) -> tuple[Item, ...]:
    """The items of a text; those of a text that is no list are few, or one."""
    plain = HEADING.sub("", text.strip())
    found = _items(part for line in LINES.split(plain) for part in JOINED.split(line))
    if len({item.kind for item in found}) < LEAST_KINDS and plain.count("/") >= LEAST_KINDS:
        slashed = _items(part for line in LINES.split(plain) for part in SLASHES.split(line))
        found = max(found, slashed, key=lambda some: len({item.kind for item in some}))
    return tuple(found)


def _items(texts: Iterator[str]) -> list[Item]:
    found: list[Item] = []
    for text in (part for line in texts for part in _without_name(line)):
        bare = text.strip(" .…。-–•()（）[]【】")
        if not bare or (values("cell_room", folded(bare)) and not FIRST.match(bare)):
            continue
        found.append(_as_memory(_item(bare), found))
    return [item for item in found if any(c.isalnum() for c in item.text)]


def _without_name(text: str) -> list[str]:
    """`AS-4125GS-TNRT: 2x EPYC 9354` -> the server's name, what it holds; the label of a part stays with it."""
    named = NAMED.match(text)
    if named is None or values("cell_kind", folded(named[1])):
        return [text]
    return [named[1], text[named.end() :]]


def _item(text: str) -> Item:
    """One item with its count and the kind that its label or its words say."""
    label, kind = LABEL.match(text), None
    if label and (named := values("cell_kind", folded(label[1]))):
        kind, text = KINDS[sorted(named)[0]], text[label.end() :]
    count, rest = _counted(text.strip())
    plain = folded(rest)
    if kind is None and len(named := values("cell_kind", plain)) == 1:
        kind = KINDS[next(iter(named))]
    if kind is None and WATTS_ALONE.match(plain):
        kind = Kind.PSU
    if kind is None and figures.ports(plain) and figures.rates_gbit(plain):
        kind = Kind.NIC
    return Item(count or 1, rest, kind)


def _counted(text: str) -> tuple[int, str]:
    """(count, what is counted); 0 where the text counts nothing."""
    for pattern in (FIRST, NAMED_FIRST, CARDS):
        if m := pattern.match(text):
            return int(m[1]), m[2].strip()
    if m := TWO.match(text):
        return 2, m[1].strip()
    for pattern in (LAST, LAST_PIECES):
        if (m := pattern.match(text)) and not re.search(r"\d\s*[x×*]\s*$", m[1]):
            return int(m[2]), m[1].strip()
    return 0, text


def _as_memory(item: Item, before: list[Item]) -> Item:
    """Memory by its place and size: many of some GB without a word (`16*64G`), a server's in all (`2 TB`, `2TB
    (32x64GB)`, `1TB 内存 16条`), which is so many modules where their number is said."""
    sizes = figures.sizes_gb(folded(item.text))
    alone = SIZE_ALONE.match(item.text.strip()) is not None
    has_memory = any(other.kind is Kind.MEMORY for other in before)
    if item.kind is None and alone and not has_memory:
        small = sizes and sizes[0] <= MOST_MODULE_GB
        first = item.count == 1 and sizes and 64 <= sizes[0] <= MOST_MEMORY_GB and before
        if (small and item.count >= 2) or first:
            item = replace(item, kind=Kind.MEMORY)
    if item.kind is not Kind.MEMORY or not sizes:
        return item
    if m := MODULES.search(item.text):
        rest = (
            item.text[m.end() :]
            + " "
            + re.sub(r"\d+(?:[.,]\d+)?\s*t(?:b|ib)?", " ", item.text[: m.start()], flags=re.IGNORECASE)
        )
        return replace(item, count=int(m[1]), text=f"{m[2]} {rest.strip(' ()（）,=')}".strip())
    total = max(sizes) * _reading(item.text, max(sizes))
    if item.count > 1 and max(sizes) > MOST_MODULE_GB and total % item.count == 0:
        rest = re.sub(r"\d+(?:[.,]\d+)?\s*[gt](?:b|ib)?", " ", item.text, flags=re.IGNORECASE)
        return replace(item, text=f"{int(total) // item.count}GB {rest.strip(' ()（）,')}".strip())
    if item.count > 1 and max(sizes) <= MOST_MODULE_GB:
        return item
    if (m := MODULE_COUNT.search(item.text)) and total % int(m[1]) == 0:
        rest = re.sub(r"\d+(?:[.,]\d+)?\s*[gt](?:b|ib)?", " ", MODULE_COUNT.sub(" ", item.text), flags=re.IGNORECASE)
        return replace(item, count=int(m[1]), text=f"{int(total) // int(m[1])}GB {rest.strip(' ()（）,')}".strip())
    if total > MOST_MODULE_GB or item.count == 1:
        return replace(item, count=0, total_gb=int(total * max(item.count, 1)))
    return item


def _reading(text: str, gigabytes: Decimal) -> Decimal:
    """1.024 for memory in TB, which modules of powers of two make up; 1 for GB."""
    return Decimal("1.024") if gigabytes >= 1000 and re.search(r"\d\s*t", text, re.IGNORECASE) else Decimal(1)
