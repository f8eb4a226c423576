"""Tables of documents: Markdown pipes and list-tables (reStructuredText, MyST), and what is meant by a name in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from catalogs.llm import Llm, get
from catalogs.registry import shipped_names


class FormatChanged(ValueError):
    """A file that is not as its project published it when its reader was written; says what was expected."""


@dataclass(frozen=True)
class Table:
    """A table: what its columns are called, and its rows as they are written."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def has(self, *columns: str) -> bool:
        """Whether it has all these columns."""
        return {_slug(x) for x in columns} <= {_slug(x) for x in self.header}

    def records(self) -> Iterator[dict[str, str]]:
        """Each row by column; raises FormatChanged for one that is cut short of a column asked for (see `cell`)."""
        for row in self.rows:
            yield dict(zip([_slug(x) for x in self.header], row, strict=False))


def cell(record: dict[str, str], column: str) -> str:
    """What a record says in a column."""
    try:
        return record[_slug(column)].strip()
    except KeyError:
        raise FormatChanged(f"a row without the column {column!r}: {' | '.join(record.values())[:120]}") from None


def tables(text: str) -> Iterator[Table]:
    """All tables of a document."""
    yield from _pipes(text.splitlines())
    yield from _lists(text.splitlines())


def wanted(text: str, *columns: str) -> list[dict[str, str]]:
    """The records of all tables with these columns; raises FormatChanged where none has them, or one has only some."""
    found = list(tables(text))
    records = [record for table in found if table.has(*columns) for record in table.records()]
    halves = [x for x in found if not x.has(*columns) and any(x.has(column) for column in columns)]
    if not records or halves:
        there = "; ".join(sorted({" | ".join(y for y in x.header if y) for x in halves or found})) or "no table"
        raise FormatChanged(f"expected a table with the columns {' | '.join(columns)}; found: {there}")
    return records


def _cells(line: str) -> tuple[str, ...]:
    inner = line.strip().removeprefix("|")
    inner = inner[:-1] if inner.endswith("|") and not inner.endswith("\\|") else inner
    return tuple(x.strip() for x in re.split(r"(?<!\\)\|", inner))


def _pipes(lines: list[str]) -> Iterator[Table]:
    """Markdown tables; rows after a blank line, without a header of their own, belong to the table before."""
    header: tuple[str, ...] = ()
    rows: list[tuple[str, ...]] = []
    for i, line in enumerate(lines):
        if not line.lstrip().startswith("|"):
            continue
        if re.fullmatch(r"[|\s:-]+", line):
            continue
        if i + 1 < len(lines) and re.fullmatch(r"\s*\|[|\s:-]*-[|\s:-]*", lines[i + 1]):
            if header:
                yield Table(header, tuple(rows))
            header, rows = _cells(line), []
        else:
            rows.append(_cells(line))
    if header:
        yield Table(header, tuple(rows))


def _lists(lines: list[str]) -> Iterator[Table]:
    rows: list[list[str]] = []
    inside = False
    for line in [*lines, "."]:
        if "list-table" in line:
            inside, rows = True, []
        elif inside and (found := re.match(r"\s*\* - ?(.*)", line)):
            rows.append([found[1]])
        elif inside and rows and (found := re.match(r"\s+- ?(.*)", line)):
            rows[-1].append(found[1])
        elif inside and rows and line.strip():
            if line.startswith(" "):
                rows[-1][-1] = f"{rows[-1][-1]} {line.strip()}"
            else:
                yield Table(tuple(rows[0]), tuple(tuple(row) for row in rows[1:]))
                inside = False


def plain(text: str) -> str:
    """What a cell says without markup: links by their words, no tags, code marks or footnotes."""
    text = re.sub(r"<[^>]*>", "", text)
    text = re.sub(r"\[([^\]^]*)\]\([^)]*\)", r"\1", text)
    return re.sub(r"\[\^\w+\]|[*`]", "", text).strip()


def _slug(text: str) -> str:
    return re.sub(r"[\s_-]+", "-", text.casefold().strip())


FAMILIES = {
    "deepseek-distill-(qwen/llama)": ("qwen2", "llama"), "qwen2": ("qwen2",), "qwen2.5": ("qwen2",),
    "qwen3-dense": ("qwen3",), "qwen3.5-dense": ("qwen3.5",), "glm-4.x": ("glm-4.5",), "gemma3": ("gemma-3",),
    "gemma4": ("gemma-4",), "mistral3": ("mistral-3",), "llama2/3/3.1/3.2": ("llama",), "llama4": ("llama-4",),
}  # fmt: skip
"""Words of documents for a family -> architectures as software.csv calls them."""
SUFFIXES = {"-w8a8-quarot": "int8", "-w8a8": "int8", "-bf16": "bf16", "-fp8": "fp8", "-nvfp4": "nvfp4", "-int4": "int4"}


@cache
def _shipped() -> tuple[dict[str, Llm], dict[str, tuple[Llm, ...]]]:
    """Slug of a name -> the shipped model, names without their organization too; class of a config -> models."""
    models = {name: get(name) for name in shipped_names()}
    named = {_slug(name): llm for name, llm in models.items()}
    for name, llm in models.items():
        named.setdefault(_slug(name.rpartition("/")[2]), llm)
    built: dict[str, dict[str, Llm]] = {}
    for llm in models.values():
        for name in llm.config.get("architectures") or ():
            built.setdefault(str(name).casefold(), {})[llm.id] = llm
    return named, {name: tuple(found.values()) for name, found in built.items()}


def known(name: str) -> Llm | None:
    """The shipped model that a name means, whoever's copy it is; None where there is none."""
    named = _shipped()[0]
    return named.get(_slug(name)) or named.get(_slug(name.rpartition("/")[2]))


def of_class(name: str) -> tuple[str, ...]:
    """Architectures whose configs name this class (DeepseekV3ForCausalLM)."""
    return tuple(sorted({llm.architecture for llm in _shipped()[1].get(name.casefold(), ())}))


def subjects(text: str) -> list[tuple[str, str, str]]:
    """(architecture, model or empty for all of it, precision that the name says) of a cell that names models; several
    may stand in it (`GLM-5/5.1`, `Kimi-K2.5/Kimi-K2.6`). Empty where nothing shipped is meant."""
    name = plain(text)
    parts = [x.strip() for x in re.split(r"\s*/\s*|,\s+", name)]
    stem = re.match(r"(.*?)\d[\w.]*$", parts[0])
    each = [_subject(part) or (_subject(stem[1] + part) if stem else None) for part in parts]
    if len(parts) > 1 and _slug(name) not in FAMILIES and all(each):
        return [x for found in each for x in found or ()]
    if (found := _subject(name)) is not None:
        return found
    return [x for found in each for x in found or ()]


def _subject(name: str) -> list[tuple[str, str, str]] | None:
    slug, said = _slug(name), ""
    if slug in FAMILIES:
        return [(architecture, "", "") for architecture in FAMILIES[slug]]
    if (llm := known(name)) is None:
        for suffix, precision in SUFFIXES.items():
            if slug.endswith(suffix):
                slug, said = slug.removesuffix(suffix), precision
                break
        llm = known(slug)
    if llm is not None:
        return [(llm.architecture, llm.id, said)]
    architectures = {llm.architecture for llm in _shipped()[0].values()}
    return [(slug, "", said)] if slug in architectures else None
