"""What the words of an unknown part say: the catalog's file that it belongs to, and figures for that file's columns.

Words are data (data/kinds.csv), the first table that has one of them counts. A figure is taken only where the text
names it as such; all else stays blank for a person to fill."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, lru_cache
from pathlib import Path

from catalogs.inputs import shipped_rows
from optimizer.procurement.reading.row_words import folded
from optimizer.text.qualifiers import AnyOf, any_of

DATA = Path(__file__).parent / "data"
Figures = dict[str, str]
OTHER = "none"
"""Stands in the data for what no file of the catalog holds."""


@cache
def _kinds() -> tuple[tuple[str, AnyOf], ...]:
    """(file of the catalog, or `none` for what no file holds; words), in the order of the data."""
    return tuple(
        (row["table"], any_of(sorted(map(folded, row["words"].split("|")), key=lambda word: (-len(word), word))))
        for row in shipped_rows(DATA / "kinds.csv")
    )


def table_of(text: str) -> str | None:
    """The catalog's file that a part of these words belongs to; None where no word says one."""
    named = _named(text)
    return None if named in ("", OTHER) else named


def is_other(text: str) -> bool:
    """Whether a word says that the thing is of no category, such as a KVM switch or a patch cable."""
    return _named(text) == OTHER


@lru_cache(maxsize=1)
def _named(text: str) -> str:
    """The table of the first kind whose words a text has; blank for none. `is_other` and `table_of` ask for the same
    line one after the other."""
    plain = folded(text)
    return next((table for table, words in _kinds() if words.search(plain)), "")


def figures_of(table: str, text: str) -> Figures:
    """What a text says of a part, by the columns of the table; of a figure that it names twice nothing."""
    read = READERS.get(table)
    found = read(folded(text)) if read else {}
    return {column: value for column, value in found.items() if value}


def _one(pattern: str, text: str) -> str:
    """The first group where all that the pattern finds are the same; else blank."""
    found = {m if isinstance(m, str) else m[0] for m in re.findall(pattern, text)}
    return found.pop() if len(found) == 1 else ""


def _gb(text: str) -> str:
    """GB of the one size that a text names, by 1,000 to the TB of drives: `3.84 TB` -> 3840."""
    sizes = {
        (number, unit) for number, unit in re.findall(r"(?<![\d.,])(\d{1,4}(?:\.\d{1,2})?)\s?([gt])b?\b(?!/s|it)", text)
    }
    if len(sizes) != 1:
        return ""
    number, unit = sizes.pop()
    return f"{float(number) * (1000 if unit == 't' else 1):g}"


def _memory_gb(text: str) -> str:
    found = _one(r"(?<![\d.,x×*])(\d{1,4})\s?gb?\b(?!/s|it)", text)
    return found


def _memory(text: str) -> Figures:
    kind = _one(r"\b(r|u|so|mr)-?dimm\b", text)
    rate = _one(r"(?:ddr[45]x?[- ]?|@\s?)(\d{4,5})\b", text) or _one(r"\b(\d{4,5})\s?(?:mt/?s|mhz)", text)
    return {
        "mem_gen": _one(r"\b((?:lp)?ddr[45]x?)\b", re.sub(r"(ddr[45])-?\d{4,5}", r"\1", text)).upper(),
        "dimm_type": f"{kind.upper()}DIMM" if kind else "",
        "capacity_gb": _memory_gb(text),
        "mts": rate,
    }


def _drive(text: str) -> Figures:
    forms = {name for name in ("u.2", "u.3", "e1.s", "e3.s", "m.2") if name in text}
    nvme = "nvme" in text or bool(forms & {"u.2", "u.3", "e1.s", "e3.s"})
    media = "nvme" if nvme and "m.2" not in forms else "sata-ssd" if "ssd" in text and "sata" in text else ""
    media = "hdd" if re.search(r"\bhdd\b|hard d|festplatte|机械", text) else media
    return {
        "media": media,
        "forms": "|".join(sorted(forms)).upper(),
        "capacity_gb": _gb(text),
        "pcie_gen": _one(r"pcie\s?(?:gen)?\s?([3-6])(?:\.0)?", text),
    }


def _gpu(text: str) -> Figures:
    form = "PCIe" if "pcie" in text else _one(r"\b(sxm[2456])\b", text).upper()
    return {"vram_gb": _memory_gb(text), "form_factor": form, "tdp_w": _one(r"(\d{2,4})\s?w\b", text)}


def _cpu(text: str) -> Figures:
    return {
        "cores": _one(r"(?<![\d.])(\d{1,3})[\s-]?(?:cores?\b|c\b|kerne?n?\b|核)", text),
        "tdp_w": _one(r"(\d{2,3})\s?w\b", text),
        "socket": _one(r"\b(sp5|sp3|str5|am5|lga\d{4})\b", text).upper().replace("STR5", "sTR5"),
    }


def _nic(text: str) -> Figures:
    counted = {"single": "1", "dual": "2", "quad": "4", "单": "1", "双": "2", "四": "4"}
    word = _one(r"(single|dual|quad|单|双|四)[\s-]?(?:port|口)", text)
    fabric = "InfiniBand" if "infiniband" in text or " ndr" in text else ""
    return {
        "gbit_s": _one(r"(?<![\d.])(\d{1,3})\s?(?:gbe\b|gb/s|gbps|gbit|g\b)", text),
        "ports": counted.get(word, "") or _one(r"(?<!\d)(\d)[\s-]?(?:ports?\b|x\s?(?:qsfp|sfp|osfp))", text),
        "fabrics": fabric,
        "form": "OCP3" if "ocp" in text else "PCIe" if "pcie" in text else "",
        "pcie_gen": _one(r"pcie\s?(?:gen)?\s?([3-6])(?:\.0)?", text),
        "connectors": _one(r"\b(qsfp112|qsfp56|qsfp28|qsfp-dd|sfp28|osfp|rj45)\b", text).upper(),
    }


def _psu(text: str) -> Figures:
    return {
        "watts": _one(r"(?<![\d.])(\d{3,5})\s?w\b", text),
        "efficiency": _one(r"\b(titanium|platinum|gold)\b", text).capitalize(),
        "inlet": _one(r"\b(c14|c20)\b", text).upper(),
    }


def _rack(text: str) -> Figures:
    return {"rack_units": _one(r"\b(\d{1,2})\s?(?:u\b|he\b)", text), "load_kg": _one(r"(\d{3,4})\s?kg\b", text)}


def _platform(text: str) -> Figures:
    return {
        "rack_units": _one(r"\b(\d{1,2})\s?(?:u\b|he\b)", text),
        "gpu_slots": _one(r"(\d{1,2})[\s-]?(?:x\s?)?gpus?\b", text),
    }


def _switch(text: str) -> Figures:
    return {"rack_units": _one(r"\b(\d{1,2})\s?(?:u\b|he\b)", text)}


def _link(text: str) -> Figures:
    return {
        "gbit_s": _one(r"(?<![\d.])(\d{1,3})\s?(?:gbe\b|gb/s|gbps|gbit|g\b)", text),
        "length_m": _one(r"(?<![\d.])(\d{1,3}(?:\.\d)?)\s?m\b", text),
        "medium": "copper"
        if re.search(r"\bdac\b|copper", text)
        else "AOC"
        if re.search(r"\baoc\b|active optical", text)
        else "",
        "kind": "cable" if re.search(r"\bdac\b|\baoc\b|cable|缆", text) else "optic",
    }


READERS: dict[str, Callable[[str], Figures]] = {
    "memory": _memory, "drives": _drive, "gpus": _gpu, "cpus": _cpu, "nics": _nic, "psus": _psu, "racks": _rack,
    "platforms": _platform, "switches": _switch, "links": _link,
}  # fmt: skip
