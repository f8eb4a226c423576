"""Writes docs/api.md from docstrings, annotations and fields: `python docs/make_api.py`; --check only compares."""

from __future__ import annotations

import dataclasses
import re
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import griffe
import griffe2md
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

if TYPE_CHECKING:
    from jinja2 import Environment

ROOT = Path(__file__).parent.parent
PAGE = Path(__file__).parent / "api.md"
LIBRARY = "optimizer.library"
CONTENT: list[tuple[str, str, Sequence[str]]] = [
    ("Functions: fronts", "optimizer.library.solving", ["solve", "best_builds"]),
    ("Functions: why", "optimizer.library.explaining", ["explain", "why_not", "vary", "price_risk"]),
    ("Functions: builds of one's own", "optimizer.library.checking", ["check", "mend"]),
    ("Functions: sizing", "optimizer.library.sizing", ["size", "size_models", "answer_rows", "calibrate"]),
    (
        "Functions: buying",
        "optimizer.library.buying",
        [
            "quote",
            "read_quote",
            "xray",
            "read_bids",
            "compare",
            "read_tender",
            "changes",
            "rfq",
            "award",
            "read_award_terms",
            "purchase_orders",
        ],
    ),
    (
        "Functions: price lists",
        "optimizer.library.importing",
        ["import_prices", "price_history", "export_offers", "stale_offers"],
    ),
    (
        "Functions: results as pages and pictures",
        "optimizer.library.reporting",
        ["report", "report_html", "plot", "front_chart"],
    ),
    ("Functions: results judged again", "optimizer.library.verifying", ["verify_result"]),
    (
        "Functions: what others start from",
        "optimizer.library.opening",
        [
            "shipped_catalog",
            "load_catalog",
            "validate_request",
            "open_result",
            "read_calibration",
            "read_build",
            "read_policy",
        ],
    ),
    (
        "What is asked",
        "constraints.request",
        ["Request", "Circuit", "Listed", "Owned", "Spare", "SupportRate"],
    ),
    ("Exchange rates", "constraints.exchange", ["FxRate"]),
    ("A build", "constraints.build", ["Build"]),
    ("Parts and prices", "catalogs.load", ["load", "Catalog"]),
    ("Defaults of the rules", "constraints.policy", ["Policy"]),
    ("Experts in host memory", "constraints.physics.offload", ["HostSpec"]),
    ("Terms of a quotation", "optimizer.procurement.quotation.quote_terms", ["Party", "Terms"]),
    ("Clock and time", "optimizer.search.clock", ["Clock", "TimeUp"]),
    ("Paths for commands", "optimizer.request.command", ["Typed"]),
    ("Errors", "catalogs.errors", ["Fault", "InputError", "CheckFailed"]),
    ("Answers of solve, best_builds and check", "optimizer.result.schema", []),
    ("A point of a front", "optimizer.result.point_schema", []),
    ("Answers of explain", "optimizer.result.explanation_schema", []),
    ("Answers of why_not", "optimizer.explanation.why_not.schema", []),
    ("Answers of vary", "optimizer.explanation.prices.vary", []),
    ("Answers of price_risk", "optimizer.explanation.prices.price_risk", []),
    ("Answers of mend", "optimizer.explanation.mend.mended", []),
    ("Builds in answers", "optimizer.explanation.prices.bought", []),
    ("Answers of size and calibrate", "optimizer.sizing.schema", []),
    ("Answers of verify_result", "optimizer.verify.schema", []),
    ("A result that is open", "optimizer.explanation.opened", ["Opened"]),
    ("Terms of an award", "optimizer.procurement.award.terms", []),
    ("Answers of award", "optimizer.procurement.award.schema", []),
    ("Answers of purchase_orders", "optimizer.procurement.award.orders", []),
    ("Answers of import_prices", "optimizer.procurement.importing.schema", []),
    ("Answers of changes", "optimizer.procurement.bids.changes_schema", []),
]
"""(heading, module, names); without names every class of the module that has fields."""
LIMITS = {"gt": "above", "ge": "at least", "lt": "below", "le": "at most", "min_length": "length at least"}
CONFIG: griffe2md.ConfigDict = {
    **griffe2md.default_config,
    "docstring_section_style": "table",
    "heading_level": 3,
    "inherited_members": False,
    "members_order": "source",
    "merge_init_into_class": False,
    "separate_signature": False,
    "show_bases": False,
    "show_object_full_path": False,
    "show_root_full_path": False,
    "show_root_members_full_path": False,
    "show_signature_annotations": True,
    "summary": False,
}
HEAD = """# API reference

Generated from docstrings by `python docs/make_api.py`: change those, not this file. examples/library.ipynb shows the
library at work. All functions, Request, Build and Policy come from `optimizer`, the other classes from their modules.
`Money` is a decimal string such as `1234.50`, `TokS` tokens per second.
"""


def page() -> str:
    """The whole reference."""
    out, paths = [HEAD, f"{import_module(LIBRARY).__doc__}".partition("\n")[2], ""], []
    for heading, module, names in CONTENT:
        live, source = import_module(module), visited(module)
        out.append(f"## {heading}\n\n`{module}`\n")
        for name in names or with_fields(module):
            paths.append(f"{module}.{name}")
            out.append(rendered(source[name], getattr(live, name)))
    text = re.sub(r"\[([^\]\[]+)\]\(#([\w.]+)\)", lambda m: linked(m[1], m[2], paths), "\n".join(out))
    lines = text.splitlines()
    kept = [a.rstrip() for a, b in zip(lines, ["", *lines], strict=False) if a.strip() or b.strip()]
    return "\n".join(kept).strip() + "\n"


def linked(text: str, target: str, paths: list[str]) -> str:
    """A name with a link to its heading on this page (anchors as GitHub makes them), bare when it has none."""
    names = [p.rpartition(".")[2] for p in paths]
    name = target.rpartition(".")[2]
    if name not in names:
        return text
    at = paths.index(target) if target in paths else names.index(name)
    before = names[:at].count(name)
    return f"[{text}](#{name.lower()}{f'-{before}' if before else ''})"


def visited(module: str) -> griffe.Module:
    """A module as griffe reads its source."""
    file = ROOT / f"{module.replace('.', '/')}.py"
    code = file.read_text(encoding="utf-8")
    options: griffe.GoogleOptions = {"returns_multiple_items": False}
    parser = griffe.Parser("google")
    return griffe.visit(module, file, code, docstring_parser=parser, docstring_options=options)


def with_fields(module: str) -> list[str]:
    """Pydantic classes defined in a module, in the order of its source."""
    found = vars(import_module(module)).items()
    return [n for n, c in found if isinstance(c, type) and c.__module__ == module and getattr(c, "model_fields", None)]


def rendered(obj: griffe.Object, live: Any) -> str:
    """A function with its parameters, or a class with its fields and public methods, as Markdown."""
    config = CONFIG.copy()
    config["show_signature"] = False
    if isinstance(obj, griffe.Class):
        fields = list(of_model(obj, live) if issubclass(live, BaseModel) else of_dataclass(obj, live))
        if obj.docstring is None:
            obj.docstring = griffe.Docstring("", parent=obj, parser=griffe.Parser("google"))
        if fields:
            obj.docstring.parsed.append(griffe.DocstringSectionParameters(fields, title="Fields"))
        names = {f.name for f in fields}
        config["show_signature"] = True
        config["members"] = [n for n, m in obj.members.items() if n not in names and m.has_docstring and n[0] != "_"]
    template = templates().get_template(f"{obj.kind.value}.md.jinja")
    return template.render(**griffe2md.prepare_context(obj, config))


@cache
def templates() -> Environment:
    """Those of griffe2md, compiled once; its own `render_object_docs` compiles them anew for every object."""
    return griffe2md.prepare_env()


def of_model(obj: griffe.Class, live: type[BaseModel]) -> Iterator[griffe.DocstringParameter]:
    """Fields of a pydantic class: type as written, description with limits, default."""
    for name, field in live.model_fields.items():
        limits = [
            f"{words} {getattr(limit, key):,}"
            for limit in field.metadata
            for key, words in LIMITS.items()
            if getattr(limit, key, None) is not None
        ]
        text = "; ".join(x for x in (field.description or "", ", ".join(limits)) if x)
        default = None
        if not field.is_required():
            default = shown(field.get_default(call_default_factory=True, validated_data={}))
        yield griffe.DocstringParameter(name, annotation=annotation(obj, name), description=text, value=default)


def of_dataclass(obj: griffe.Class, live: type) -> Iterator[griffe.DocstringParameter]:
    """Public fields of a dataclass; none of another class."""
    for field in dataclasses.fields(live) if dataclasses.is_dataclass(live) else ():
        if field.init and field.name[0] != "_":
            made = field.default_factory() if field.default_factory is not dataclasses.MISSING else field.default
            default = None if made is dataclasses.MISSING else shown(made)
            yield griffe.DocstringParameter(
                field.name, annotation=annotation(obj, field.name), description="", value=default
            )


def annotation(obj: griffe.Class, name: str) -> Any:
    """As the source has it, of the class itself or of one of ours that it stands on."""
    if name in obj.members:
        return obj.members[name].annotation
    for base in (obj.parent.members[str(base)] for base in obj.bases if str(base) in obj.parent.members):
        if base.is_alias:
            module, _, imported = base.target_path.rpartition(".")
            base = visited(module)[imported]
        return annotation(base, name)
    raise KeyError(name)


def shown(value: Any) -> str:
    """A default, sets in order."""
    assert value is not PydanticUndefined
    return f"{{{', '.join(map(repr, sorted(value)))}}}" if isinstance(value, frozenset) and value else repr(value)


if __name__ == "__main__":
    made = page()
    if sys.argv[1:] == ["--check"]:
        raise SystemExit(0 if PAGE.read_text(encoding="utf-8") == made else "docs/api.md: python docs/make_api.py")
    PAGE.write_text(made, encoding="utf-8")
