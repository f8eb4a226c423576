"""Policy: the defaults of every rule as data (constraints/data/*.csv), and a buyer's own changes to them."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import Path
from typing import Literal

from catalogs.errors import Fault, InputError
from catalogs.inputs import read_toml, shipped_rows
from catalogs.nearest import nearest
from catalogs.other_file import POLICY, expecting

DATA = Path(__file__).parent / "data"


Stricter = Literal["more", "less", ""]
"""Which change of a default asks more of builds; empty where neither does, or no build depends on it."""
DIRECTIONS: Mapping[str, Stricter] = {"more": "more", "less": "less", "": ""}


@dataclass(frozen=True)
class Default:
    """One policy value with its unit, title and source; a setting of it lies from `least` to `most`."""

    key: str
    value: Decimal
    unit: str
    title: str
    source: str
    most: Decimal = Decimal(10**9)
    stricter: Stricter = ""
    least: Decimal = Decimal(0)

    def tightened_by(self, value: Decimal) -> bool:
        """Whether a buyer's value asks more of builds than the default does: a condition that answers name."""
        return value > self.value if self.stricter == "more" else value < self.value and self.stricter == "less"


@cache
def table(name: str) -> tuple[dict[str, str], ...]:
    """Rows of constraints/data/<name>.csv."""
    return shipped_rows(DATA / f"{name}.csv")


@cache
def defaults() -> Mapping[str, Default]:
    """All policy keys, those of the grades (constraints/physics/grades.py) after the others."""
    return {row["key"]: _default(row) for row in (*table("policy"), *table("grades"))}


def _default(row: Mapping[str, str]) -> Default:
    """A row of policy.csv or grades.csv."""
    most, stricter = Decimal(row["most"] or Default.most), DIRECTIONS[row["stricter"]]
    least = Decimal(row["least"] or Default.least)
    return Default(row["key"], Decimal(row["value"]), row["unit"], row["title"], row["source"], most, stricter, least)


@dataclass(frozen=True)
class Policy:
    """Defaults with `changed` laid over them; `policy["power.psu_load_percent"]` is a Decimal.

    Units, titles and sources of all keys: `dsopt schema policy`, constraints/data/policy.csv.
    """

    changed: Mapping[str, Decimal] = field(default_factory=dict)
    _whole: dict[str, int] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __getitem__(self, key: str) -> Decimal:
        return self.changed[key] if key in self.changed else defaults()[key].value

    def whole(self, key: str) -> int:
        """The value as an integer of its unit, rounded down."""
        if key not in self._whole:
            self._whole[key] = int(self[key])
        return self._whole[key]

    def with_settings(self, settings: Iterable[str], file: str = "--set") -> Policy:
        """Lay `key=value` texts over this policy; raises InputError for unknown keys and bad numbers."""
        changed, faults = dict(self.changed), []
        for text in settings:
            key, _, value = text.partition("=")
            key = key.strip()
            if key not in defaults():
                # A key cut short means one that begins so: by letters alone a shorter key would be nearer.
                begun = [known for known in defaults() if key and known.startswith(key)]
                near = begun or difflib.get_close_matches(key, list(defaults()), n=1, cutoff=0.3)
                remedy = f"Nearest: {near[0]}." if near else "See `dsopt schema policy`."
                faults.append(Fault("unknown-policy", "no such policy key", file, None, "", key, remedy))
                continue
            try:
                number = Decimal(value.strip())
            except InvalidOperation:
                number = Decimal("NaN")
            default = defaults()[key]
            if not number.is_finite() or not default.least <= number <= default.most:
                remedy = f"For example {key}={default.value}."
                faults.append(
                    Fault(
                        "bad-policy", f"needs a number from {default.least} to {default.most} (in {default.unit})",
                        file, None, key, value, remedy,
                    )
                )  # fmt: skip
                continue
            changed[key] = number
        if faults:
            raise InputError(faults)
        return Policy(changed)

    def with_file(self, path: Path) -> Policy:
        """Lay a TOML file over this policy (`[power]` tables or dotted keys); raises InputError as `with_settings`."""
        with expecting(path, POLICY):
            data = read_toml(path)
            flat: list[str] = []
            for key, value in data.items():
                if isinstance(value, dict):
                    flat += [f"{key}.{k}={v}" for k, v in value.items()]
                else:
                    flat.append(f"{key}={value}")
            return self.with_settings(flat, str(path))


def tax_percent(text: str) -> Decimal:
    """`13%`, `13` or a country code of constraints/data/tax.csv; raises InputError for anything else."""
    name = text.strip().upper()
    for row in table("tax"):
        if row["country"] == name:
            return Decimal(row["percent"])
    try:
        percent = Decimal(name.removesuffix("%"))
    except InvalidOperation:
        percent = Decimal("NaN")
    if not percent.is_finite() or not 0 <= percent <= 100:
        known = [row["country"] for row in table("tax")]
        near = f"Nearest: {found}. " if (found := nearest(text, known)) else ""
        remedy = f"{near}For example 13%, or one of: {', '.join(known)}."
        raise InputError(f"--tax {text!r} is no rate", "bad-tax", remedy)
    return percent
