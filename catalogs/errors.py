"""Faults that a user can mend: what is wrong, where, the value, the remedy, and a stable code."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """One thing wrong in one place of an input (file, row as in a spreadsheet, column)."""

    code: str
    text: str
    file: str = ""
    row: int | None = None
    column: str = ""
    value: str = ""
    remedy: str = ""

    def __str__(self) -> str:
        column = self.column if self.column.startswith("--") else self.column and f"column {self.column}"
        row = f"row {self.row}" if self.row is not None else ""
        place = ", ".join(x for x in (self.file, row, column) if x)
        value = f" (value {self.value!r})" if self.value else ""
        remedy = f". {self.remedy}" if self.remedy else ""
        return f"[{self.code}] {place + ': ' if place else ''}{self.text}{value}{remedy}"


class InputError(Exception):
    """Bad input or catalog: carries all faults found, not only the first. Exit code 3."""

    exit_code = 3

    def __init__(self, faults: list[Fault] | Fault | str, code: str = "bad-input", remedy: str = "") -> None:
        if isinstance(faults, str):
            faults = Fault(code, faults, remedy=remedy)
        self.faults = [faults] if isinstance(faults, Fault) else list(faults)
        super().__init__("\n".join(str(f) for f in self.faults))


class CheckFailed(InputError):
    """A file that is not what it says it is, or a build that fails a rule. Exit code 5."""

    exit_code = 5
