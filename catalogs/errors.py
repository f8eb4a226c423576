"""Faults that a user can mend: what is wrong, where, the value, the remedy, and a stable code."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from catalogs.message import message
from catalogs.visible import one_line, unseen

MOST_FAULTS = 100
"""Faults that are told one by one; of more only their number: nobody mends a file from 300,000 lines."""


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
        row = message("row {row}", row=self.row) if self.row is not None else ""
        place = ", ".join(x for x in (self.file, row, column) if x)
        value = f" (value {self.value!r})" if self.value else ""
        remedy = f". {self.remedy}" if self.remedy else ""
        # Paths, cells and options are other people's text: nothing of them moves a cursor or begins a line of its own.
        return one_line(f"[{self.code}] {place + ': ' if place else ''}{self.text}{value}{remedy}")


def unseen_fault(text: str, file: str = "", row: int | None = None, column: str = "") -> Fault | None:
    """What to say of a name with a character that is not seen (catalogs/visible.py); None where it holds none."""
    found = unseen(text)
    if not found:
        return None
    shown = f"holds the character {found}, which is not seen"
    return Fault("unseen-character", shown, file, row, column, text[:80], "Type it anew.")


class Faults(list[Fault]):
    """Faults under way: keeps the first MOST_FAULTS and counts the rest (`more`). `unread`: rows that were not looked
    at any more when it was full."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        super().__init__()
        self.more = self.unread = 0
        self.extend(faults)

    @property
    def full(self) -> bool:
        """Whether a further fault is only counted: its remedy need not be looked for."""
        return len(self) >= MOST_FAULTS

    def append(self, fault: Fault) -> None:
        if self.full:
            self.more += 1
        else:
            super().append(fault)

    def extend(self, faults: Iterable[Fault]) -> None:
        for fault in faults:
            self.append(fault)
        if isinstance(faults, Faults):
            self.more += faults.more
            self.unread += faults.unread

    def __iadd__(self, faults: Iterable[Fault]) -> Faults:  # type: ignore[override, misc]
        self.extend(faults)
        return self


class InputError(Exception):
    """Bad input or catalog: carries all faults found, not only the first, and the number of those beyond MOST_FAULTS
    (`more`) and of rows that were then left unread (`unread`). Exit code 3."""

    exit_code = 3

    def __init__(self, faults: Iterable[Fault] | Fault | str, code: str = "bad-input", remedy: str = "") -> None:
        if isinstance(faults, str):
            faults = Fault(code, faults, remedy=remedy)
        kept = Faults([faults] if isinstance(faults, Fault) else faults)
        self.faults, self.more, self.unread = list(kept), kept.more, kept.unread
        super().__init__("\n".join([*map(str, self.faults), *self.rest]))

    @property
    def rest(self) -> list[str]:
        """Lines with the number of faults that are not told one by one, and of rows not read; none where all are."""
        out = [f"and {self.more:,} more fault{'s' * (self.more != 1)}"] if self.more else []
        return out + ([f"{self.unread:,} more rows were not read"] if self.unread else [])


class CheckFailed(InputError):
    """A file that is not what it says it is, or a build that fails a rule. Exit code 5."""

    exit_code = 5


class NotUsed(InputError):
    """An option that the command, or what is asked of it, does not use. Exit code 2."""

    exit_code = 2
